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

LENGTH = 16  # characters of one fingerprint, after names have become one letter each
WINDOW = 4  # of so many fingerprints in a row one is kept
FEW = 3  # students who may share a fingerprint before it counts as common, or …
SHARE = 0.05  # … this part of the class
LEAST = 8  # rare fingerprints that two must share
ALIKE = 0.5  # of the rare fingerprints of the one who has fewer


@dataclass(frozen=True)
class Pair:
    """Two students whose code is alike."""

    students: tuple[str, str]
    shared: int  # rare fingerprints that both have
    similarity: float  # of those of the one who has fewer
    same: bool  # letter for letter, but for spaces


def fingerprints(code: str) -> frozenset[int]:
    """What copydetect keeps of a piece of Python."""
    from copydetect import CodeFingerprint

    return frozenset(
        map(int, CodeFingerprint("code.py", LENGTH, WINDOW, fp=io.StringIO(code)).hashes)
    )


def pairs(code: Mapping[str, str], release: str) -> list[Pair]:
    """The pairs that are worth a look, the most alike first.

    Parameters
    ----------
    code : mapping of str to str
        Student → all that was written.
    release : str
        What all were given.

    Returns
    -------
    list of Pair
    """
    given = fingerprints(release) if release.strip() else frozenset()
    found = {student: fingerprints(text) - given for student, text in code.items()}
    owners = Counter(one for own in found.values() for one in own)
    most = max(FEW, SHARE * len(code))
    rare = {
        student: frozenset(one for one in own if owners[one] <= most)
        for student, own in found.items()
    }
    who: dict[int, list[str]] = defaultdict(list)
    for student in sorted(rare):
        for one in rare[student]:
            who[one].append(student)
    shared: Counter[tuple[str, str]] = Counter()
    for students in who.values():
        shared.update(combinations(students, 2))
    letters: dict[str, list[str]] = defaultdict(list)
    nothing = _letters(release)
    for student in sorted(code):
        text = _letters(code[student])
        # a few lines are the same by chance
        if text != nothing and len(text) > len(nothing) + 200:
            letters[text].append(student)
    same = {pair for students in letters.values() for pair in combinations(students, 2)}
    result = []
    for pair in set(shared) | same:
        fewer = min(len(rare[student]) for student in pair)
        similarity = shared[pair] / fewer if fewer else 0.0
        if pair in same or (shared[pair] >= LEAST and similarity >= ALIKE):
            result.append(Pair(pair, shared[pair], similarity, pair in same))
    return sorted(result, key=lambda one: (-one.same, -one.similarity, -one.shared, one.students))


def _letters(code: str) -> str:
    return re.sub(r"\s+", "", code)
