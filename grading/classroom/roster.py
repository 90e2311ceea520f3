"""Who is who: the class list as the learning platform exports it.

Two files are understood, both CSV, told apart by their columns:

Canvas, the gradebook's export: Student, ID, SIS User ID, SIS Login ID, Section, then one
column an assignment, "Title (number)", and a row "Points Possible" below the header.

Moodle, an assignment's grading worksheet: Identifier ("Participant 1234"), Full name,
Email address, Status, Grade, Maximum Grade, …, Last modified (submission), …; or the
gradebook's export: First name, Last name, ID number, …, Email address.

The columns' names are those of the English interface.
"""

from __future__ import annotations

import csv
import io
import os
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from dateutil import parser as dates
from nbgrader.api import Student


@dataclass(frozen=True)
class Person:
    """A row of the class list."""

    student: str  # the name in the gradebook; empty if nothing tells the person from others
    number: str = ""  # as it stands in the names of downloaded files
    first: str = ""
    last: str = ""
    email: str = ""
    handed_in: datetime | None = None  # by the platform's clock, UTC
    row: dict[str, str] = field(default_factory=dict, repr=False)  # as it came

    def is_(self, name: str) -> bool:
        """Tell whether this is the person's name, in either order, whatever stands between."""
        return bool(_letters(name)) and _letters(name) in (
            _letters(self.first + self.last),
            _letters(self.last + self.first),
        )


@dataclass(frozen=True)
class Roster:
    """A class list, and where it comes from."""

    platform: str  # canvas or moodle
    columns: list[str]
    people: list[Person]

    def by_number(self, number: str, name: str) -> Person | None:
        """Find whose number this is, if the name that comes with it is theirs, too.

        Where marking is blind, Moodle calls everybody "Participant".
        """
        blind = self.platform == "moodle" and name == "Participant"
        found = [one for one in self.people if one.number == number and (blind or one.is_(name))]
        return found[0] if len(found) == 1 else None

    def by_name(self, name: str) -> Person | None:
        """Find whose login or name this is, if it is that of one person only."""
        found = [one for one in self.people if one.student and one.student == as_student(name)]
        found = found or [one for one in self.people if one.is_(name)]
        return found[0] if len(found) == 1 else None

    def of_group(self, name: str) -> list[Person]:
        """Find the members of a group, where the list has them (Moodle)."""
        return [one for one in self.people if name and one.row.get("Group", "").strip() == name]

    def match(self, students: Iterable[Student]) -> list[str]:
        """Find each person's student in the gradebook, or nothing where none is proved.

        By the number first, then by the login, then by a name that nobody else has. A student
        whom the gradebook knows by another number is somebody else.
        """
        numbered = {one.lms_user_id: one.id for one in students if one.lms_user_id}
        others = [one.id for one in students if not one.lms_user_id]
        found = [numbered.get(one.number, "") if one.number else "" for one in self.people]
        for k, person in enumerate(self.people):
            if not found[k] and person.student in others:
                found[k] = person.student
        for k, person in enumerate(self.people):
            named = [one for one in others if person.is_(one)]
            if not found[k] and len(named) == 1 and self.by_name(named[0]) is person:
                found[k] = named[0] if named[0] not in found else ""
        return found


def read(path: str | os.PathLike[str]) -> Roster:
    """Read a class list from a file.

    Raises
    ------
    ValueError
        If it is none of the files above.
    """
    raw = Path(path).read_bytes()
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("cp1252", errors="replace")  # as a spreadsheet may have saved it
    first = text.split("\n", 1)[0]
    separator = max(",;\t", key=first.count)
    rows = [row for row in csv.reader(io.StringIO(text), delimiter=separator) if any(row)]
    columns = [name.strip() for name in rows[0]] if rows else []
    records = [dict(zip(columns, row, strict=False)) for row in rows[1:]]
    if columns[:1] == ["Student"] and "ID" in columns and "Section" in columns:
        people = [_canvas(record) for record in records if record.get("ID", "").strip()]
        return Roster("canvas", columns, _apart(people))
    if "Identifier" in columns or "Email address" in columns:
        return Roster("moodle", columns, _apart([_moodle(record) for record in records]))
    raise ValueError(
        f"{path} is no class list: the columns of Canvas's gradebook (Student, ID, Section, …) or "
        "of Moodle's grading worksheet (Identifier, Full name, Email address, …) are wanted."
    )


def _apart(people: list[Person]) -> list[Person]:
    """Tell those apart, by their numbers, who would have one name in the gradebook."""
    times = Counter(one.student for one in people)
    result = []
    for one in people:
        if times[one.student] > 1:
            name = f"{one.student} {one.number}" if one.number else ""
            one = replace(one, student="" if name in times else name)
        result.append(one)
    return result


def _canvas(record: dict[str, str]) -> Person:
    last, _, first = record["Student"].partition(",")
    login = record.get("SIS Login ID") or record.get("SIS User ID") or ""
    number = record["ID"].strip()
    student = as_student(login) or as_student(f"{last} {first}") or number
    return Person(
        student, number, shown(first), shown(last), login if "@" in login else "", None, record
    )


def _moodle(record: dict[str, str]) -> Person:
    number = re.search(r"\d+", record.get("Identifier", ""))
    first, last = record.get("First name", ""), record.get("Last name", record.get("Surname", ""))
    if not first and not last:
        first, _, last = record.get("Full name", "").strip().rpartition(" ")
    email = record.get("Email address", "").strip()
    name = as_student(f"{first} {last}")
    student = as_student(email) or as_student(record.get("ID number", "")) or name
    time = _time(record.get("Last modified (submission)", ""))
    return Person(
        student, number[0] if number else "", shown(first), shown(last), email, time, record
    )


def _time(text: str) -> datetime | None:
    """Read a time as Moodle writes it, in this machine's time zone, as UTC."""
    try:
        time = dates.parse(text, fuzzy=True)
    except (ValueError, OverflowError):
        return None
    return time.astimezone(UTC).replace(tzinfo=None)


def as_student(name: str) -> str:
    """Make a name that can be a folder, and a student in the gradebook.

    Examples
    --------
    >>> as_student("  Ada  Lovelace "), as_student("../x*"), as_student("ada@uni.edu")
    ('Ada Lovelace', 'x', 'ada@uni.edu')
    """
    name = unicodedata.normalize("NFC", name)
    name = re.sub(r"[^\w .@+'-]", "", name).replace("_", " ")
    return re.sub(r"\s+", " ", name).strip(" .'-+")[:100]


def shown(name: str) -> str:
    """Take out of a name what a spreadsheet or a page would take for a command."""
    name = re.sub(r"[\x00-\x1f<>\"&=]", "", unicodedata.normalize("NFC", name))
    return name.strip().lstrip("+-@").strip()[:100]


def _letters(name: str) -> str:
    name = unicodedata.normalize("NFC", name)
    return re.sub(r"\W|_", "", name).casefold()
