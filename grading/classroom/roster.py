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
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from dateutil import parser as dates


@dataclass(frozen=True)
class Person:
    """A row of the class list."""

    student: str  # the name in the gradebook
    number: str = ""  # as it stands in the names of downloaded files
    first: str = ""
    last: str = ""
    email: str = ""
    handed_in: datetime | None = None  # by the platform's clock, UTC
    row: dict[str, str] = field(default_factory=dict, repr=False)  # as it came


@dataclass(frozen=True)
class Roster:
    """A class list, and where it comes from."""

    platform: str  # canvas or moodle
    columns: list[str]
    people: list[Person]

    def by_number(self, number: str) -> Person | None:
        return next((one for one in self.people if number and one.number == number), None)

    def by_name(self, name: str) -> Person | None:
        """Whose name this is, if it is the name of one person only."""
        wanted = _letters(name)
        found = [
            one
            for one in self.people
            if wanted in (_letters(one.first + one.last), _letters(one.last + one.first))
        ]
        return found[0] if len(found) == 1 else None


def read(path: str | os.PathLike[str]) -> Roster:
    """A class list from a file.

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
        return Roster("canvas", columns, people)
    if "Identifier" in columns or "Email address" in columns:
        return Roster("moodle", columns, [_moodle(record) for record in records])
    raise ValueError(
        f"{path} is no class list: the columns of Canvas's gradebook (Student, ID, Section, …) or "
        "of Moodle's grading worksheet (Identifier, Full name, Email address, …) are wanted."
    )


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
    """A time as Moodle writes it, in this machine's time zone, as UTC."""
    try:
        time = dates.parse(text, fuzzy=True)
    except (ValueError, OverflowError):
        return None
    return time.astimezone(UTC).replace(tzinfo=None)


def as_student(name: str) -> str:
    """A name that can be a folder, and a student in the gradebook.

    Examples
    --------
    >>> as_student("  Ada  Lovelace "), as_student("../x*"), as_student("ada@uni.edu")
    ('Ada Lovelace', 'x', 'ada@uni.edu')
    """
    name = unicodedata.normalize("NFC", name)
    name = re.sub(r"[^\w .@+'-]", "", name).replace("_", " ")
    return re.sub(r"\s+", " ", name).strip(" .'-+")[:100]


def shown(name: str) -> str:
    """A name without what a spreadsheet or a page would take for a command."""
    name = re.sub(r"[\x00-\x1f<>\"&=]", "", unicodedata.normalize("NFC", name))
    return name.strip().lstrip("+-@").strip()[:100]


def _letters(name: str) -> str:
    name = unicodedata.normalize("NFC", name)
    return re.sub(r"\W|_", "", name).casefold()
