"""Attempts that look alike, for a person to look at: never a verdict.

copydetect turns code into fingerprints that do not see names, comments and spaces. Those
of the release are taken away, as are those that many students share: a short exercise has
few right answers, so that being alike there says nothing. What two students share beyond
that, and nearly nobody else has, is what is worth a look.
"""

from __future__ import annotations

import io
import re
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

from .limited import TooMuch, limited

FINGERPRINT_LENGTH = 16  # characters of one fingerprint, after names have become one letter each
WINDOW = 4  # of so many fingerprints in a row one is kept
MAX_OWNERS = 3  # students who may share a fingerprint before it counts as common, or …
MAX_SHARE = 0.05  # … this part of the class
MIN_SHARED = 8  # rare fingerprints that two must share
MIN_LETTERS = 200  # that must have been written for "the same, letter for letter" to say something
LONGEST = 100_000  # characters of code that are compared
MIN_SIMILARITY = 0.5  # of the rare fingerprints of the one who has fewer


@dataclass(frozen=True)
class Group:
    """Students whose code is alike: two, or all who have the same letter for letter."""

    students: tuple[str, ...]
    shared: int = 0  # rare fingerprints that both have
    similarity: float = 1.0  # of those of the one who has fewer
    same: bool = False  # letter for letter, but for spaces
    solution: bool = False  # and so is the worked solution


def fingerprints(code: str) -> frozenset[int]:
    """Find what copydetect keeps of a piece of Python."""
    from copydetect import CodeFingerprint

    file = io.StringIO(code[:LONGEST])
    made = CodeFingerprint("code.py", FINGERPRINT_LENGTH, WINDOW, fp=file)
    return frozenset(map(int, made.hashes))


def _of_student(code: str) -> frozenset[int]:
    try:
        return limited(fingerprints, code)
    except TooMuch:
        return frozenset()


def groups(code: Mapping[str, str], release: str = "", solution: str = "") -> list[Group]:
    """Find the groups that are worth a look, the most alike first.

    Parameters
    ----------
    code : mapping of str to str
        Student → all that was written.
    release : str, optional
        What all were given.
    solution : str, optional
        The worked solution, which students may have found.

    Returns
    -------
    list of Group
    """
    letters: dict[str, list[str]] = defaultdict(list)
    for student in sorted(code):
        letters[_letters(code[student])].append(student)
    least = len(_letters(release)) + MIN_LETTERS  # a few lines are the same by chance
    worked = _letters(solution)
    result = [
        Group(tuple(students), same=True, solution=text == worked)
        for text, students in letters.items()
        if len(text) >= least and (len(students) > 1 or text == worked)
    ]
    # of those who have the same, one stands for all
    for group in result:
        code = {who: text for who, text in code.items() if who not in group.students[1:]}

    given = fingerprints(release) if release.strip() else frozenset()
    found = {student: _of_student(text) - given for student, text in code.items()}
    owners = Counter(one for own in found.values() for one in own)
    most = max(MAX_OWNERS, MAX_SHARE * len(code))
    rare = {student: {one for one in own if owners[one] <= most} for student, own in found.items()}
    who: dict[int, list[str]] = defaultdict(list)
    for student in sorted(rare):
        for one in rare[student]:
            who[one].append(student)
    shared: Counter[tuple[str, str]] = Counter()
    for students in who.values():
        shared.update(combinations(students, 2))
    for pair, count in shared.items():
        similarity = count / min(len(rare[student]) for student in pair)
        if count >= MIN_SHARED and similarity >= MIN_SIMILARITY:
            result.append(Group(pair, count, similarity))
    return sorted(
        result, key=lambda one: (not one.same, -one.similarity, -one.shared, one.students)
    )


def _letters(code: str) -> str:
    return re.sub(r"\s+", "", code)
