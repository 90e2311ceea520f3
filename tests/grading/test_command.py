"""`python -m grading`: from a download to marks, feedback, tables and a report, and again."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import re
import shutil
import sqlite3
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from class_lists import CANVAS_ROSTER
from gradebooks import gradebook

from grading.classroom import log

CONFIG = """
from grading.results.feedback import FeedbackPage, GetMarks, HideTests
from grading.classroom.late import LatePenalty
from grading.plugin import configure

c = get_config()
c.CourseDirectory.course_id = "unrolled"
configure(c)
c.AssignLatePenalties.plugin_class = LatePenalty
c.LatePenalty.percent_per_day = 10
c.GenerateFeedback.preprocessors = [GetMarks, HideTests]
c.GenerateFeedback.exporter_class = FeedbackPage
"""
SOLUTION = "def half(x):\n    ### BEGIN SOLUTION\n    return x / 2\n    ### END SOLUTION"
TEST = (
    "assert half(4) == 2, 'half(4) is 2.'\n### BEGIN HIDDEN TESTS\n"
    "assert half(3) == 1.5, 'It is rounded.'\n### END HIDDEN TESTS"
)


def cell(kind: str, id: str, source: str, **marks: Any) -> dict[str, Any]:
    marks = {"grade": False, "solution": False, "locked": False, "task": False, **marks}
    meta = {"nbgrader": {"grade_id": id, "schema_version": 3, **marks}}
    found = {"cell_type": kind, "id": id, "metadata": meta, "source": source}
    return found | ({"outputs": [], "execution_count": None} if kind == "code" else {})


def notebook(half: str, why: str, test: str = TEST) -> str:
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    cells = [
        cell("code", "half", half, solution=True),
        cell("code", "test_half", test, grade=True, locked=True, points=6),
        cell("markdown", "why", why, grade=True, solution=True, points=4),
    ]
    meta = {"kernelspec": kernel, "language_info": {"name": "python"}}
    return json.dumps({"cells": cells, "metadata": meta, "nbformat": 4, "nbformat_minor": 5})


HANDED_IN = {
    "lovelaceada_1001_71_02_cell.ipynb": notebook("def half(x):\n    return x / 2", "Because."),
    "byronben_LATE_1002_72_02_cell.ipynb": notebook("def half(x):\n    return x // 2", "So."),
    "cyd_1003_73_02_cell.ipynb": "{broken",
}


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("course")
    (folder / "nbgrader_config.py").write_text(CONFIG)
    source = folder / "source" / "02_cell" / "02_cell.ipynb"
    source.parent.mkdir(parents=True)
    source.write_text(notebook(SOLUTION, "### BEGIN SOLUTION\nRounding.\n### END SOLUTION"))
    (folder / "roster.csv").write_text(CANVAS_ROSTER)
    download(folder, HANDED_IN)
    return folder


def download(folder: Path, files: Mapping[str, str]) -> None:
    with zipfile.ZipFile(folder / "download.zip", "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)


def run(course: Path, *words: str, code: int = 0) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "grading", "02_cell", *words],
        cwd=course,
        capture_output=True,
        text=True,
        timeout=1800,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def marked(course: Path) -> int:
    events = log.read(log.path(course, "02_cell"))
    return sum(event["event"] == "outcome" for event in events)


def table(course: Path) -> dict[str, str]:
    text = (course / "reports" / "02_cell-canvas.csv").read_text()
    return {row["ID"]: row["02_cell (555)"] for row in csv.DictReader(io.StringIO(text))}


def test_one_command_from_the_download_to_everything(course: Path) -> None:
    said = run(course, "download.zip", "--roster", "roster.csv")
    assert "Collected 3 submissions, 3 of them new or changed." in said
    assert "Marked 3 submissions; 0 had not changed." in said
    assert "cyd is not in the class list." in said
    assert "2 wait for the marker" in said
    assert "There is no due date, so that nobody is late." in said
    parts = (course / "reports" / "02_cell-parts.csv").read_text().splitlines()
    assert parts[0] == "Student,test_half,why,Taken off,Points" and "ada,6,,0,6" in parts
    for name in ("reports/02_cell-canvas.csv", "reports/02_cell.html", "gradebook.db"):
        assert name in said and (course / name).is_file()
    assert not (course / "reports" / "02_cell-moodle.csv").exists(), "the list is Canvas's"
    with gradebook(course) as book:
        scores = {one.student_id: one.score for one in book.assignment_submissions("02_cell")}
        assert scores == {"ada": 6, "ben@uni.edu": 0, "cyd": 0}
        assert book.find_student("ada").last_name == "Lovelace"
        assert book.find_student("ada").lms_user_id == "1001"
    page = (course / "feedback" / "ben@uni.edu" / "02_cell" / "02_cell.html").read_text()
    assert "A further test, which is not shown, fails." in page
    assert "It is rounded." not in page and "half(3)" not in page
    assert "an answer waits for the marker" in page
    assert table(course) == {"": "10", "1001": "", "1002": ""}


def test_what_else_an_instructor_gets(course: Path) -> None:
    """All answers on one page; feedback that Canvas takes back; who handed in nothing."""
    answers, feedback = (
        course / "reports" / f"02_cell-{name}" for name in ("answers.html", "canvas-feedback.zip")
    )
    page = answers.read_text()
    links = re.findall(r'<a href="([^"]+)">', page)
    assert links and all((answers.parent / unquote(link)).is_file() for link in links)
    assert "Because." in page and ">ada</a>" in page
    with zipfile.ZipFile(feedback) as archive:
        assert archive.namelist() == ["cyd_1003_73_02_cell.ipynb"], "two wait for the marker"

    (course / "with-emmy.csv").write_text(CANVAS_ROSTER + '"Noether, Emmy",1009,,emmy,A,\n')
    said = run(course, "--roster", "with-emmy.csv", "--anonymous", "--provisional")
    assert "Handed in nothing (1): emmy." in said
    page = answers.read_text()
    assert "Because." in page and "ada" not in page and "Answer 1" in page
    with zipfile.ZipFile(feedback) as archive:
        assert set(archive.namelist()) == set(HANDED_IN)
        text = archive.read("byronben_LATE_1002_72_02_cell.ipynb").decode()
    assert "0 of 10 points" in text and "half(3)" not in text


def test_marks_by_hand_and_lateness_arrive_and_nothing_is_run_again(course: Path) -> None:
    before = marked(course)
    with gradebook(course) as book:
        # a due date in the past of ben, whose file Canvas calls LATE
        book.update_or_create_assignment("02_cell", duedate="2026-01-01 12:00:00 UTC")
        for student, points in (("ada", 4.0), ("ben@uni.edu", 3.0)):
            grade = book.find_grade("why", "02_cell", "02_cell", student)
            grade.manual_score, grade.needs_manual_grade = points, False
        submission = book.find_submission("02_cell", "ada")
        submission.timestamp = None
        book.db.commit()
    said = run(course, "--roster", "roster.csv")
    assert "Marked 0 submissions; 3 had not changed." in said
    assert marked(course) == before
    # lateness of many days takes everything, at ten percent a day
    assert table(course)["1002"] == "0"
    page = (course / "feedback" / "ben@uni.edu" / "02_cell" / "02_cell.html").read_text()
    assert "3 points were taken off for handing in late." in page


def test_a_time_zone_that_is_not_understood_is_a_sentence(
    course: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "Europe/Nowhere")
    said = run(course, code=1)
    assert "TZ is 'Europe/Nowhere', which is no time zone" in said and "Traceback" not in said


def test_feedback_is_written_for_whom_something_changed(course: Path) -> None:
    pages = course / "feedback"

    def written() -> dict[str, int]:
        return {path.parts[-3]: path.stat().st_mtime_ns for path in pages.glob("*/*/*.html")}

    before = written()
    run(course)
    assert written() == before and len(before) == 3
    with gradebook(course) as book:
        book.find_comment("why", "02_cell", "02_cell", "ada").manual_comment = "Well said."
        book.db.commit()
    shutil.rmtree(pages / "cyd" / "02_cell")
    run(course)
    after = written()
    assert {name for name, time in after.items() if time != before[name]} == {"ada", "cyd"}
    assert "Well said." in (pages / "ada" / "02_cell" / "02_cell.html").read_text()


def test_only_what_changed_is_marked_again(course: Path) -> None:
    download(course, HANDED_IN)
    run(course, "download.zip", "--roster", "roster.csv")
    better = notebook("def half(x):\n    return x * 0.5", "So.")
    download(course, {**HANDED_IN, "byronben_LATE_1002_90_02_cell-1.ipynb": better})
    said = run(course, "download.zip", "--roster", "roster.csv")
    assert "Collected 3 submissions, 1 of them new or changed." in said
    assert "Marked 1 submissions; 2 had not changed." in said
    assert "ben" in said and "handed in several times" in said
    with gradebook(course) as book:
        assert book.find_grade("test_half", "02_cell", "02_cell", "ben@uni.edu").auto_score == 6


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["nowhere.zip"], "nowhere.zip is not there"),
        (["--roster", "nbgrader_config.py"], "is no class list"),
        (["download.zip", "--collected", "yesterday"], "is no time such as"),
        (["--again", "third"], "02_cell has no part third; its parts are test_half, why."),
    ],
)
def test_what_cannot_be_done_is_one_sentence(course: Path, words: list[str], sentence: str) -> None:
    said = run(course, *words, code=1)
    assert sentence in said and "Traceback" not in said


def test_what_stands_in_the_way_is_one_sentence(course: Path) -> None:
    """A locked gradebook, places where nothing can be written: a sentence, and nothing is lost."""
    with contextlib.closing(sqlite3.connect(course / "gradebook.db")) as other:
        other.execute("BEGIN EXCLUSIVE")
        said = run(course, "--database", f"sqlite:///{course}/gradebook.db?timeout=0.1", code=1)
        assert "The gradebook cannot be used (database is locked)" in said
        assert "Traceback" not in said
    for name in ("reports", "feedback"):
        (course / name).rename(course / "aside")
        (course / name).touch()  # root may write into any folder, but not into a file
        said = run(course, code=1)
        assert said.count("\n") <= 2 and "Traceback" not in said and name in said, said
        (course / name).unlink()
        (course / "aside").rename(course / name)
    assert "Marked 0 submissions; 3 had not changed." in run(course)


def test_a_part_is_marked_again_after_its_test_was_mended(course: Path) -> None:
    source = course / "source" / "02_cell" / "02_cell.ipynb"
    source.write_text(source.read_text().replace("assert half(4) == 2", "assert half(4) == 3"))
    run(course, "--again", "test_half")
    with gradebook(course) as book:
        for student, why, waits in (("ada", 4, False), ("ben@uni.edu", 3, True)):
            submission = book.find_submission("02_cell", student)
            marks = {grade.name: grade.score for grade in submission.notebooks[0].grades}
            assert marks == {"test_half": 0, "why": why}, "the mark by hand stays"
            assert bool(submission.needs_manual_grade) == waits, "ben's work was new"


def test_an_assignment_that_is_not_there_is_a_sentence(course: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "grading", "99_none"], cwd=course, capture_output=True, text=True
    )
    assert done.returncode == 1 and "There is no assignment 99_none" in done.stderr
