"""Marks as the table that Canvas or Moodle imports.

    nbgrader export --exporter=grading.results.export.CanvasExport --to=canvas.csv
    nbgrader export --exporter=grading.results.export.MoodleExport --to=moodle.csv

Canvas reads a student by ID, SIS User ID or SIS Login ID, wants a column Section, and takes
what follows for assignments; a second row says their points. Moodle lets the importer say
which column is the email address or the ID number, and which is which grade.

With a class list that the platform itself exported (`roster`) its columns come back as they
were, with the marks filled in: nothing is left to guess. Who handed in nothing, or whose
answers in words still wait for the marker, gets an empty field, which both platforms
take as "no grade", so that no half-marked work becomes a mark.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from nbgrader.api import Gradebook, MissingEntry
from nbgrader.plugins import ExportPlugin
from traitlets import Bool, Unicode

from ..classroom import roster
from ..classroom.files import write
from ..classroom.gradebook import parts, works

IMPORTER = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet takes for a formula


def by_parts(book: Gradebook, assignment: str) -> list[list[str]]:
    """Make a table's rows with the points in each part; empty where an answer waits."""
    found = parts(book, assignment)
    rows = [["Student", *(part.name for part in found), "Taken off", "Points"]]
    for work in works(book, assignment):
        marks = [work.marks.get((part.notebook, part.name)) for part in found]
        rows.append([_harmless(work.student), *map(_points, [*marks, work.late, work.points])])
    return rows


def _points(points: float | None) -> str:
    return "" if points is None else f"{round(points, 2):g}"


def marks(book: Gradebook, assignment: str, provisional: bool) -> dict[str, str]:
    """Find each student's points as a table shows them.

    There are none where nothing was handed in, or where something waits and `provisional` is
    not set.
    """
    return {
        work.student: _points(work.points)
        for work in works(book, assignment)
        if work.final or provisional
    }


def canvas(
    gradebook: Gradebook,
    assignments: Sequence[str],
    people: roster.Roster | None = None,
    *,
    provisional: bool = False,
    students: Iterable[str] = (),
) -> list[list[str]]:
    """Make the rows of a table for Canvas's gradebook.

    Parameters
    ----------
    gradebook : Gradebook
    assignments : sequence of str
    people : Roster, optional
        Canvas's own export.
    provisional : bool, optional
        Whether marks that are not final are written.
    students : iterable of str, optional
        Only these.

    Returns
    -------
    list of list of str
    """
    found = {name: marks(gradebook, name, provisional) for name in assignments}
    most = [f"{gradebook.find_assignment(name).max_score:g}" for name in assignments]
    wanted = set(students)
    if people is not None:
        identity = people.columns[: people.columns.index("Section") + 1]
        # as Canvas names it, "Title (number)": so the mark goes to the assignment that is there
        titles = [
            next((c for c in people.columns if re.sub(r" \(\d+\)$", "", c) == name), name)
            for name in assignments
        ]
        who = [
            (student, [one.row.get(c, "") for c in identity])
            for one, student in zip(people.people, people.match(gradebook.students), strict=True)
        ]
    else:
        identity = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section"]
        titles = list(assignments)
        who = [
            (one.id, [_name(one), one.lms_user_id or "", "", one.id, ""])
            for one in gradebook.students
        ]
    rows = [
        [*identity, *titles],
        ["    Points Possible", *[""] * (len(identity) - 1), *most],
    ]
    for student, columns in who:
        if not wanted or student in wanted:
            given = [found[name].get(student, "") for name in assignments]
            rows.append([*map(_harmless, columns), *given])
    return rows


def moodle(
    gradebook: Gradebook,
    assignments: Sequence[str],
    people: roster.Roster | None = None,
    *,
    provisional: bool = False,
    students: Iterable[str] = (),
) -> list[list[str]]:
    """Make the rows of a table for Moodle; parameters as in `canvas`.

    With an assignment's grading worksheet it is that worksheet, its column Grade filled in.
    """
    found = {name: marks(gradebook, name, provisional) for name in assignments}
    wanted = set(students)
    if people is not None and "Identifier" in people.columns and len(assignments) == 1:
        rows = [people.columns]
        for one, student in zip(people.people, people.match(gradebook.students), strict=True):
            if not wanted or student in wanted:
                row = one.row | {"Grade": found[assignments[0]].get(student, "")}
                rows.append([_harmless(row.get(column, "")) for column in people.columns])
        return rows
    rows = [["First name", "Last name", "ID number", "Email address", *assignments]]
    for one in gradebook.students:
        if not wanted or one.id in wanted:
            email = one.email or (one.id if "@" in one.id else "")
            columns = [one.first_name or "", one.last_name or "", one.id, email]
            given = [found[name].get(one.id, "") for name in assignments]
            rows.append([*map(_harmless, columns), *given])
    return rows


def _name(student: Any) -> str:
    both = ", ".join(filter(None, [student.last_name, student.first_name]))
    return both or student.id


def _harmless(text: str) -> str:
    """Keep a spreadsheet from taking a text for a formula."""
    return "'" + text if text.startswith(IMPORTER) else text


def table(rows: Iterable[Iterable[str]]) -> str:
    """Write rows as CSV."""
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerows(rows)
    return buffer.getvalue()


def for_canvas(handed_in: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """Say how Canvas knows each student's file: what stands before its name in the download.

    Canvas takes a file back as a comment on the work by the user's and the file's number, and
    shows it under the name of the file that was handed in; so it is given a notebook.
    """
    return {student: (f"{before}_", ".ipynb") for student, before in handed_in.items()}


def for_moodle(book: Gradebook, people: roster.Roster) -> dict[str, tuple[str, str]]:
    """Say how Moodle knows each student's file, "Name_NUMBER_assignfeedback_file_/…".

    Only by the class list's number: that in a download's name may be a team's. What is given
    back unchanged a second time is left as it is, and nobody is notified.
    """
    found = {}
    for one, student in zip(people.people, people.match(book.students), strict=True):
        name = roster.as_student(f"{one.first} {one.last}") or "Participant"
        if student and one.number:
            found[student] = (f"{name}_{one.number}_assignfeedback_file_/", ".html")
    return found


def returned(
    pages: Callable[[str], str],
    students: Mapping[str, tuple[str, str]],
    wanted: Iterable[str],
) -> bytes:
    """Pack feedback as a platform takes it back, all of a class in one zip file.

    Parameters
    ----------
    pages : function
        From a student to the folder with the feedback.
    students : mapping of str to (str, str)
        From `for_canvas` or `for_moodle`: what stands before and behind a file's name.
    wanted : iterable of str
        Whose feedback is given back.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for student in sorted(students.keys() & set(wanted)):
            before, ending = students[student]
            for path in sorted(Path(pages(student)).glob(f"*{ending}")):
                # without its time: the same pages make the same file
                archive.writestr(zipfile.ZipInfo(f"{before}{path.name}"), path.read_bytes())
    return buffer.getvalue()


class PlatformExport(ExportPlugin):
    """What the exporters for both platforms share."""

    roster = Unicode("", help="The class list as the platform exported it.").tag(config=True)
    provisional = Bool(
        False, help="Write also marks of work in which answers still wait for the marker."
    ).tag(config=True)

    default_name = ""
    rows = staticmethod(canvas)

    def export(self, gradebook: Gradebook) -> None:
        names = [str(name) for name in self.assignment]
        names = names or [one.name for one in gradebook.assignments]
        for name in names:
            try:
                gradebook.find_assignment(name)
            except MissingEntry:
                raise ValueError(f"The gradebook holds no assignment {name}.") from None
        people = roster.read(self.roster) if self.roster else None
        students = [str(name) for name in self.student]
        rows = type(self).rows(
            gradebook, names, people, provisional=self.provisional, students=students
        )
        destination = self.to or self.default_name
        write(destination, table(rows))
        waiting = sum(not work.final for name in names for work in works(gradebook, name))
        if waiting and not self.provisional:
            self.log.warning("%d submissions wait for the marker; their fields are empty.", waiting)
        self.log.info("Marks are in %s", destination)


class CanvasExport(PlatformExport):
    """A table that Canvas's gradebook imports."""

    default_name = "canvas.csv"
    rows = staticmethod(canvas)


class MoodleExport(PlatformExport):
    """A table that Moodle's gradebook imports, or an assignment's grading worksheet."""

    default_name = "moodle.csv"
    rows = staticmethod(moodle)
