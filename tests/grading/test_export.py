"""Marks as tables: right, final, harmless, and as the platforms read them."""

from __future__ import annotations

import csv
import io
import subprocess
import zipfile
from datetime import datetime
from pathlib import Path

import pytest
from class_lists import CANVAS_ROSTER, MOODLE_ROSTER
from gradebooks import fill, gradebook

from grading.classroom import roster
from grading.results import export

FULL = {"test_step": 5.0, "test_gradient": 10.0, "why": 4.0}
EMPTY = ""


@pytest.fixture
def course(tmp_path: Path) -> Path:
    with gradebook(tmp_path) as book:
        scores = {
            "ada": {**FULL, "test_gradient": 7.125},
            "ben@uni.edu": {**FULL, "why": None},  # waits for the marker
            "cyd": None,  # handed in nothing
            "dan": FULL,
        }
        fill(book, scores)
        fill(book, {"ada": FULL}, assignment="ps2")
        book.update_or_create_student("ada", first_name="Ada", last_name="Lovelace")
        book.update_or_create_student("dan", first_name="=cmd()", last_name="Dan", lms_user_id="7")
        notebook = book.find_submission_notebook("ps1", "ps1", "dan")
        notebook.late_submission_penalty = 2.0
        book.db.commit()
    return tmp_path


class Canvas:
    """Reads a table as Canvas's importer does: by position, then by the columns' names."""

    def __init__(self, text: str) -> None:
        rows = list(csv.reader(io.StringIO(text)))
        header = rows[0]
        assert "Student" in header[0] and "ID" in header[1]
        fixed = 3
        if "SIS User ID" in header[2]:
            assert "SIS Login ID" in header[3]
            fixed = 5
        elif "SIS Login ID" in header[2]:
            fixed = 4
        assert header[fixed - 1] == "Section"
        self.titles = header[fixed:]
        assert "Points Possible" in rows[1][0]
        self.most = dict(zip(self.titles, rows[1][fixed:], strict=True))
        self.by_id = {row[1]: row for row in rows[2:] if row[1]}
        self.grades = {row[0]: dict(zip(self.titles, row[fixed:], strict=True)) for row in rows[2:]}


def test_a_table_for_canvas(course: Path) -> None:
    with gradebook(course) as book:
        table = Canvas(export.table(export.canvas(book, ["ps1", "ps2"])))
    assert table.titles == ["ps1", "ps2"] and table.most == {"ps1": "19", "ps2": "19"}
    assert table.grades == {
        "Lovelace, Ada": {"ps1": "16.12", "ps2": "19"},
        "ben@uni.edu": {"ps1": EMPTY, "ps2": EMPTY},
        "cyd": {"ps1": EMPTY, "ps2": EMPTY},
        "Dan, =cmd()": {"ps1": "17", "ps2": EMPTY},
    }
    assert set(table.by_id) == {"7"}


def test_canvass_own_list_comes_back_with_the_marks_filled_in(course: Path) -> None:
    path = course / "roster.csv"
    path.write_text(CANVAS_ROSTER.replace("02_cell", "ps1"))
    with gradebook(course) as book:
        text = export.table(export.canvas(book, ["ps1"], roster.read(path)))
    table = Canvas(text)
    assert table.titles == ["ps1 (555)"], "the assignment that is there, not a new one"
    assert table.by_id["1001"][:5] == ["Lovelace, Ada", "1001", "s-1", "ada", "Monday"]
    assert table.by_id["1001"][5] == "16.12" and table.by_id["1002"][5] == EMPTY
    assert "\n'=Byron" in text or "\"'=Byron" in text, "no formula for a spreadsheet"


def test_a_table_for_moodle(course: Path) -> None:
    with gradebook(course) as book:
        text = export.table(export.moodle(book, ["ps1"], provisional=True))
    rows = {row["ID number"]: row for row in csv.DictReader(io.StringIO(text))}
    assert rows["ada"]["ps1"] == "16.12" and rows["cyd"]["ps1"] == EMPTY
    assert rows["ben@uni.edu"]["ps1"] == "15", "provisional marks were asked for"
    assert rows["ben@uni.edu"]["Email address"] == "ben@uni.edu"
    assert rows["dan"]["First name"] == "'=cmd()"


def test_moodles_worksheet_comes_back_with_the_grades_filled_in(course: Path) -> None:
    path = course / "worksheet.csv"
    path.write_text(MOODLE_ROSTER)
    with gradebook(course) as book:
        people = roster.read(path)
        text = export.table(export.moodle(book, ["ps1"], people, provisional=True))
    rows = list(csv.DictReader(io.StringIO(text)))
    assert list(rows[0]) == MOODLE_ROSTER.split("\n")[0].split(",")
    assert [(row["Identifier"], row["Grade"]) for row in rows] == [
        ("Participant 9001", EMPTY),  # ada@uni.edu is nobody in this gradebook
        ("Participant 9002", "15"),
    ]
    assert rows[0]["Last modified (submission)"] == "Friday, 20 November 2026, 11:30 AM"


def test_feedback_for_moodle_lies_in_folders_that_moodle_reads(course: Path) -> None:
    (course / "worksheet.csv").write_text(MOODLE_ROSTER)
    for student in ("ada", "ben@uni.edu"):
        folder = course / "feedback" / student
        folder.mkdir(parents=True)
        for ending in (".html", ".ipynb"):
            (folder / f"ps1{ending}").write_text(student)
    with gradebook(course) as book:
        known = export.for_moodle(book, roster.read(course / "worksheet.csv"))
    made = [
        export.returned(lambda student: str(course / "feedback" / student), known, list(known))
        for _ in range(2)
    ]
    assert made[0] == made[1] and made[0]
    with zipfile.ZipFile(io.BytesIO(made[0])) as archive:
        (name,) = archive.namelist()  # ada is nobody in this list
        assert archive.read(name) == b"ben@uni.edu"
    # Moodle's importer: the first part of the path with four words between "_"
    words = name.split("/")[0].split("_", 4)
    assert words == ["Ben Byron", "9002", "assignfeedback", "file", ""]
    assert name.split("/")[1] == "ps1.html"


def test_lateness_counts_and_no_mark_is_negative(course: Path) -> None:
    with gradebook(course) as book:
        notebook = book.find_submission_notebook("ps1", "ps1", "dan")
        notebook.late_submission_penalty = 100.0
        submission = book.find_submission("ps1", "dan")
        submission.timestamp = datetime(2026, 11, 1)
        assert export.marks(book, "ps1", False)["dan"] == "0"


def test_nbgraders_own_verb_exports_for_both(course: Path) -> None:
    (course / "nbgrader_config.py").write_text(
        "c = get_config()\nc.CourseDirectory.course_id='u'\n"
    )
    for name, file in (("Canvas", "canvas.csv"), ("Moodle", "moodle.csv")):
        command = ["nbgrader", "export", f"--exporter=grading.results.export.{name}Export"]
        command += ["--assignment=['ps1']"]
        done = subprocess.run(command, cwd=course, capture_output=True, text=True, timeout=1800)
        assert done.returncode == 0, done.stderr
        assert "1 submissions wait for the marker" in done.stderr
        assert "16.12" in (course / file).read_text()
