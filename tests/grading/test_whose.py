"""Whose mark it is: each gets their own, and what cannot be proved is exported for nobody."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from gradebooks import fill, gradebook

from grading.classroom import roster as rosters
from grading.classroom.collect import Collected, collect
from grading.results import export

CANVAS = "Student,ID,SIS User ID,SIS Login ID,Section,ps1 (5)\n"
MOODLE = "Identifier,Full name,Email address,Status,Grade,Group,Last modified (submission)\n"
NOTHING = ""

Table = Callable[..., dict[str, str]]


@pytest.fixture
def table(tmp_path: Path) -> Table:
    """The marks that a platform would import, by its numbers, after these were handed in.

    Each file's text is its author's points.
    """

    def made(people: str, *downloads: Mapping[str, str]) -> dict[str, str]:
        platform = "canvas" if people.startswith("Student") else "moodle"
        (tmp_path / "list.csv").write_text(people)
        listed = rosters.read(tmp_path / "list.csv")
        with gradebook(tmp_path) as book:
            fill(book, {})
            for files in downloads:
                collected = hand_in(tmp_path, files, listed, numbers(book))
                for student, folder in collected.students.items():
                    book.update_or_create_student(student)
                    book.update_or_create_submission("ps1", student)
                    points = next(folder.glob("*.ipynb")).read_text()
                    grade = book.find_grade("why", "ps1", "ps1", student)
                    grade.manual_score, grade.needs_manual_grade = float(points), False
                    for part in ("test_step", "test_gradient"):
                        book.find_grade(part, "ps1", "ps1", student).needs_manual_grade = False
                for student, number in collected.numbers.items():
                    book.update_or_create_student(student, lms_user_id=number)
                book.db.commit()
            rows = getattr(export, platform)(book, ["ps1"], listed)
        found = csv.DictReader(io.StringIO(export.table(rows)))
        if platform == "canvas":
            return {row["ID"]: row["ps1 (5)"] for row in found if row["ID"]}
        return {row["Identifier"].split()[1]: row["Grade"] for row in found}

    return made


def numbers(book: Any) -> dict[str, str]:
    return {one.lms_user_id: one.id for one in book.students if one.lms_user_id}


def hand_in(
    folder: Path,
    files: Mapping[str, str],
    roster: rosters.Roster | None = None,
    known: Mapping[str, str] | None = None,
) -> Collected:
    with zipfile.ZipFile(folder / "download.zip", "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return collect(
        folder / "download.zip",
        "ps1",
        lambda student: folder / "submitted" / student / "ps1",
        replaced=folder / "replaced",
        now=datetime(2026, 11, 22),
        roster=roster,
        known=known,
    )


ANNS = CANVAS + '"Lee, Ann",11,,,A,\n"Lee, Ann",12,,,A,\n'


@pytest.mark.parametrize(
    ("files", "marks"),
    [
        ({"leeann_11_501_ps1.ipynb": "3"}, {"11": "3", "12": NOTHING}),
        ({"leeann_12_502_ps1.ipynb": "4"}, {"11": NOTHING, "12": "4"}),
        (
            {"leeann_11_501_ps1.ipynb": "3", "leeann_12_502_ps1.ipynb": "4"},
            {"11": "3", "12": "4"},
        ),
        # a number that the list does not have
        ({"leeann_13_503_ps1.ipynb": "4"}, {"11": NOTHING, "12": NOTHING}),
        # a number that the list has for somebody else
        ({"bobby_12_503_ps1.ipynb": "4"}, {"11": NOTHING, "12": NOTHING}),
    ],
)
def test_two_of_one_name_without_logins(
    table: Table, files: dict[str, str], marks: dict[str, str]
) -> None:
    assert table(ANNS, files) == marks


def test_a_name_made_to_look_like_a_name_and_a_number(table: Table) -> None:
    people = CANVAS + '"Lee, Ann_12_9",11,,,A,\n"Lee, Ann",12,,,A,\n'
    marks = table(people, {"leeann_12_9_11_503_ps1.ipynb": "4"})
    assert marks == {"11": NOTHING, "12": NOTHING}


def test_one_hands_in_after_the_other(table: Table) -> None:
    first, second = {"leeann_12_502_ps1.ipynb": "4"}, {"leeann_11_501_ps1.ipynb": "3"}
    assert table(ANNS, first, second) == {"11": "3", "12": "4"}


def test_moodle_without_emails(table: Table) -> None:
    people = MOODLE + "Participant 71,Ann Lee,,,,,-\nParticipant 72,Ann Lee,,,,,-\n"
    files = {"Ann Lee_72_assignsubmission_file/ps1.ipynb": "4"}
    assert table(people, files) == {"71": NOTHING, "72": "4"}


def test_who_takes_anothers_name_does_not_get_the_mark_or_give_one(table: Table) -> None:
    people = MOODLE + "Participant 71,Ann Lee,ann@uni.edu,,,,-\n"
    files = {"Ann Lee_77_assignsubmission_file/ps1.ipynb": "4"}
    assert table(people, files) == {"71": NOTHING}


def test_what_is_not_proved_is_said(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text(CANVAS + '"Lee, Ann",11,,ann,A,\n')
    listed = rosters.read(tmp_path / "list.csv")
    found = hand_in(tmp_path, {"leeann_13_501_ps1.ipynb": "4"}, listed)
    assert list(found.students) == ["leeann 13"]
    assert "cannot be proved" in found.sentences[0] and "nobody" in found.sentences[0]


def test_logins_that_differ_in_what_is_dropped(table: Table) -> None:
    people = CANVAS + '"Xin, Yu",11,,x/y,A,\n"Ox, Yan",12,,xy,A,\n'
    files = {"xinyu_11_501_ps1.ipynb": "3", "oxyan_12_502_ps1.ipynb": "4"}
    assert table(people, files) == {"11": "3", "12": "4"}


def test_a_teams_number_is_no_participants(table: Table) -> None:
    people = MOODLE + (
        "Participant 7,Ann Lee,ann@uni.edu,,,Team Red,-\n"
        "Participant 8,Ben Byron,ben@uni.edu,,,Team Blue,-\n"
        "Participant 9,Cyd Coe,cyd@uni.edu,,,Team Blue,-\n"
    )
    files = {"Team Blue_7_assignsubmission_file/ps1.ipynb": "4"}
    assert table(people, files) == {"7": NOTHING, "8": "4", "9": "4"}


def test_a_team_of_which_the_list_says_nothing_is_a_question(table: Table) -> None:
    people = MOODLE + "Participant 7,Ann Lee,ann@uni.edu,,,,-\n"
    files = {"Team Blue_7_assignsubmission_file/ps1.ipynb": "4"}
    assert table(people, files) == {"7": NOTHING}


def test_anonymous_work_keeps_its_owner(tmp_path: Path) -> None:
    one = hand_in(tmp_path, {"LATE_anon_Xy3_80_ps1.ipynb": "3"})
    assert list(one.students) == ["anon Xy3"] and not one.numbers
    both = hand_in(tmp_path, {"anon_Ab1_81_ps1.ipynb": "4", "LATE_anon_Xy3_80_ps1.ipynb": "3"})
    assert set(both.students) == {"anon Ab1", "anon Xy3"} and both.unchanged == ["anon Xy3"]


def test_a_name_may_hold_an_underscore(table: Table) -> None:
    people = CANVAS + '"Lee, Ann_Marie",11,,ann,A,\n'
    assert table(people, {"leeann_marie_11_501_ps1.ipynb": "3"}) == {"11": "3"}
