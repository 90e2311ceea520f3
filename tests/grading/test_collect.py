"""A download becomes a folder a student, whatever is in it; and nothing is lost."""

from __future__ import annotations

import io
import os
import stat
import time
import zipfile
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from class_lists import CANVAS_ROSTER, MOODLE_ROSTER

from grading.classroom import collect as module
from grading.classroom import roster as rosters
from grading.classroom.collect import Collected, collect

NOW = datetime(2026, 11, 22, 16, 0)
DUE = datetime(2026, 11, 20, 12, 0)


def zipped(files: Mapping[str, bytes | str], **about: Any) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


class Course:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.submitted = folder / "submitted"

    def collect(self, source: bytes | Path, **options: Any) -> Collected:
        if isinstance(source, bytes):
            path = self.folder / "download.zip"
            path.write_bytes(source)
            source = path
        options = {"now": NOW, "replaced": self.folder / "replaced", **options}
        return collect(source, "02_cell", self.where, **options)

    def where(self, student: str) -> Path:
        return self.submitted / student / "02_cell"

    def files(self) -> dict[str, str]:
        """What lies below submitted/ and replaced/, but the times."""
        return {
            path.relative_to(self.folder).as_posix(): path.read_text(errors="replace")
            for top in ("submitted", "replaced")
            for path in sorted((self.folder / top).rglob("*"))
            if path.is_file() and path.name != "timestamp.txt"
        }

    def time(self, student: str) -> str:
        return (self.where(student) / "timestamp.txt").read_text().strip()


@pytest.fixture
def course(tmp_path: Path) -> Course:
    return Course(tmp_path)


def test_canvas(course: Course) -> None:
    result = course.collect(
        zipped(
            {
                "lovelaceada_1001_77_02_cell.ipynb": "ada",
                "byronben_LATE_1002_78_02_cell-1.ipynb": "ben",
                "byronben_LATE_1002_79_picture.png": "png",
                "anon_Xy3_80_02_cell.ipynb": "anonymous",
            }
        ),
        due=DUE,
    )
    assert course.files() == {
        "submitted/lovelaceada/02_cell/02_cell.ipynb": "ada",
        "submitted/byronben/02_cell/02_cell.ipynb": "ben",
        "submitted/byronben/02_cell/picture.png": "png",
        "submitted/anon Xy3/02_cell/02_cell.ipynb": "anonymous",
    }
    assert result.numbers == {"lovelaceada": "1001", "byronben": "1002"}
    # what Canvas does not call late was there in time; the rest when it was collected
    assert course.time("lovelaceada") == "2026-11-20 12:00:00 UTC"
    assert course.time("byronben") == "2026-11-22 16:00:00 UTC"
    assert result.sentences == []


def test_a_due_date_that_is_set_later_makes_nobody_late(course: Course) -> None:
    files = {"ada_1_77_02_cell.ipynb": "a", "ben_LATE_2_78_02_cell.ipynb": "b"}
    course.collect(zipped(files))
    assert not (course.where("ada") / "timestamp.txt").exists(), "in time, whenever that was"
    assert course.time("ben") == "2026-11-22 16:00:00 UTC"
    later = course.collect(zipped(files), due=DUE, now=NOW + timedelta(days=1))
    assert course.time("ada") == "2026-11-20 12:00:00 UTC"
    assert course.time("ben") == "2026-11-22 16:00:00 UTC"
    assert set(later.students) == {"ada", "ben"}
    # one that is set to an earlier day, too
    earlier = course.collect(zipped(files), due=DUE - timedelta(days=1))
    assert earlier.unchanged == ["ada", "ben"]
    assert course.time("ada") == "2026-11-19 12:00:00 UTC"


def test_names_cannot_command_a_terminal(course: Course) -> None:
    result = course.collect(zipped({"ada/02_cell.ipynb": "a", "../\x1b[2J\nb.ipynb": "b"}))
    assert result.sentences and all(sentence.isprintable() for sentence in result.sentences)


def test_moodle_with_and_without_folders(course: Course) -> None:
    result = course.collect(
        zipped(
            {
                "Ada Lovelace_9001_assignsubmission_file/02_cell.ipynb": "ada",
                "Ada Lovelace_9001_assignsubmission_file/pictures/one.png": "png",
                "Ben Byron_9002_assignsubmission_file_02_cell.ipynb": "ben",
                "Ben Byron_9002_assignsubmission_onlinetext_onlinetext.html": "typed",
                "Zoë Ångström_9003_assignsubmission_file_/02_cell (1).ipynb": "zoë",
            }
        )
    )
    assert course.files() == {
        "submitted/Ada Lovelace/02_cell/02_cell.ipynb": "ada",
        "submitted/Ada Lovelace/02_cell/pictures/one.png": "png",
        "submitted/Ben Byron/02_cell/02_cell.ipynb": "ben",
        "submitted/Zoë Ångström/02_cell/02_cell.ipynb": "zoë",
    }
    assert len(result.sentences) == 1 and "onlinetext" in result.sentences[0]


@pytest.mark.parametrize(
    "files",
    [
        {"ada/02_cell.ipynb": "a", "ben/02_cell.ipynb": "b"},
        {"ada/02_cell/02_cell.ipynb": "a", "ben/02_cell/02_cell.ipynb": "b"},
        {"class/2026/ada/02_cell.ipynb": "a", "class/2026/ben/02_cell.ipynb": "b"},
        {"ada.ipynb": "a", "ben.ipynb": "b"},
        {"all/ada.ipynb": "a", "all/ben.ipynb": "b"},
        {"__MACOSX/ada/._02_cell.ipynb": "", "ada/02_cell.ipynb": "a", "ben/02_cell.ipynb": "b"},
    ],
)
@pytest.mark.parametrize("as_folder", [False, True])
def test_a_folder_a_student_or_a_notebook_a_student(
    course: Course, tmp_path: Path, files: dict[str, str], as_folder: bool
) -> None:
    source: bytes | Path = zipped(files)
    if as_folder:
        source = tmp_path / "from"
        for name, data in files.items():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_text(data)
    result = course.collect(source)
    assert course.files() == {
        "submitted/ada/02_cell/02_cell.ipynb": "a",
        "submitted/ben/02_cell/02_cell.ipynb": "b",
    }
    assert result.sentences == []


@pytest.mark.parametrize("name", ["ada/02_cell.ipynb", "class/ada/02_cell.ipynb"])
def test_a_class_of_one(course: Course, name: str) -> None:
    course.collect(zipped({name: "a"}))
    assert course.files() == {"submitted/ada/02_cell/02_cell.ipynb": "a"}


def test_students_of_one_name_stay_apart_and_keep_theirs(course: Course) -> None:
    both = {"leejo_11_70_02_cell.ipynb": "first", "leejo_12_71_02_cell.ipynb": "second"}
    result = course.collect(zipped(both))
    assert course.files() == {
        "submitted/leejo/02_cell/02_cell.ipynb": "first",
        "submitted/leejo 12/02_cell/02_cell.ipynb": "second",
    }
    assert "several students have this name" in result.sentences[0]
    # the gradebook remembers the numbers: in the next assignment the second comes alone
    known = {number: student for student, number in result.numbers.items()}
    again = course.collect(zipped({"leejo_12_90_02_cell.ipynb": "second"}), known=known)
    assert list(again.students) == ["leejo 12"] and again.unchanged == ["leejo 12"]
    # a third of that name does not become the first
    third = course.collect(zipped({"leejo_13_91_02_cell.ipynb": "third"}), known=known)
    assert list(third.students) == ["leejo 13"]


def test_the_last_attempt_wins_and_the_earlier_is_kept(course: Course) -> None:
    attempts = {
        "ada_1_72_02_cell-1.ipynb": "second",
        "ada_1_71_02_cell.ipynb": "first",
        "ben_2_71_02_cell.ipynb": "only",
    }
    due = NOW + timedelta(days=1)
    result = course.collect(zipped(attempts), due=due)
    assert course.files()["submitted/ada/02_cell/02_cell.ipynb"] == "second"
    assert "handed in several times" in result.sentences[0]
    later = course.collect(
        zipped({"ada_1_90_02_cell-2.ipynb": "third", "ben_2_71_02_cell.ipynb": "only"}),
        now=NOW + timedelta(hours=1),
        due=due,
    )
    assert course.files() == {
        "submitted/ada/02_cell/02_cell.ipynb": "third",
        "submitted/ben/02_cell/02_cell.ipynb": "only",
        "replaced/ada 2026-11-22 170000/02_cell.ipynb": "second",
    }
    assert later.unchanged == ["ben"]
    assert course.time("ada") == "2026-11-22 17:00:00 UTC"
    assert course.time("ben") == "2026-11-22 16:00:00 UTC", "the same work is no later for it"


def test_a_students_clock_is_not_asked(course: Course) -> None:
    files = {"ada/02_cell.ipynb": "a", "ada/timestamp.txt": "1999-01-01 00:00:00 UTC"}
    course.collect(zipped(files))
    again = course.collect(zipped(files), now=NOW + timedelta(days=1))
    assert again.unchanged == ["ada"]
    assert course.time("ada") == "2026-11-22 16:00:00 UTC"
    course.collect(zipped({"ben_1_assignsubmission_file/work.zip": zipped(files)}))
    assert course.time("ben") == "2026-11-22 16:00:00 UTC"


def test_a_zip_that_a_student_handed_in_is_opened(course: Course) -> None:
    inner = {
        "02_cell/02_cell.ipynb": "a",
        "02_cell/data/x.csv": "1",
        "../../ben/02_cell.ipynb": "!",
    }
    source = {
        "ada_1_71_work.zip": zipped(inner),
        "cyd_3_72_work.zip": zipped({"deeper.zip": zipped({"x": "y"}), "02_cell.ipynb": "c"}),
        "dan_4_73_work.zip": b"PK no zip",
    }
    result = course.collect(zipped(source))
    files = course.files()
    assert files["submitted/ada/02_cell/02_cell.ipynb"] == "a"
    assert files["submitted/ada/02_cell/data/x.csv"] == "1"
    assert files["submitted/cyd/02_cell/02_cell.ipynb"] == "c"
    assert not any(name.startswith("submitted/ben") for name in files)
    assert [s for s in result.sentences if "leads out of the folder" in s]
    assert [s for s in result.sentences if s.startswith("dan: work.zip is no zip file")]
    assert "dan: nothing that could be collected." in result.sentences


def test_paths_links_and_passwords_are_refused_with_a_sentence(course: Course) -> None:
    buffer = io.BytesIO(zipped({"ada/02_cell.ipynb": "a", "ben/02_cell.ipynb": "b"}))
    with zipfile.ZipFile(buffer, "a") as archive:
        for name in ("../evil.ipynb", "/etc/evil", "C:\\evil", "ada/../../evil", "..\\evil"):
            archive.writestr(name, "evil")
        link = zipfile.ZipInfo("ada/link.ipynb")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
    result = course.collect(buffer.getvalue())
    assert set(course.files()) == {
        "submitted/ada/02_cell/02_cell.ipynb",
        "submitted/ben/02_cell/02_cell.ipynb",
    }
    assert sum("leads out of the folder" in sentence for sentence in result.sentences) == 5
    assert sum("a link" in sentence for sentence in result.sentences) == 1
    assert not list(course.folder.parent.glob("**/evil*"))


def test_links_in_a_folder_are_not_followed(course: Course, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("key")
    source = tmp_path / "from"
    for student in ("ada", "ben"):
        (source / student).mkdir(parents=True)
        (source / student / "02_cell.ipynb").write_text(student)
    (source / "ada" / "stolen.txt").symlink_to(secret)
    (source / "cyd").symlink_to(source / "ben")
    (source / "ben" / "up").symlink_to("..")
    os.mkfifo(source / "ben" / "pipe")
    result = course.collect(source)
    assert "key" not in course.files().values() and len(course.files()) == 2
    assert sum("a link" in sentence for sentence in result.sentences) == 3


def test_bombs_are_left_out(course: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LARGEST_FILE", 10_000)
    monkeypatch.setattr(module, "LARGEST_ARCHIVE", 50_000)
    monkeypatch.setattr(module, "MOST_FILES_OF_A_STUDENT", 20)
    bomb = zipped({"bomb.txt": b"0" * 1_000_000})
    # a file that claims to be small
    lying = bytearray(bomb)
    for place in range(len(lying) - 4):
        if lying[place : place + 4] == (1_000_000).to_bytes(4, "little"):
            lying[place : place + 4] = (100).to_bytes(4, "little")
    files: dict[str, bytes | str] = {
        "ada/02_cell.ipynb": "a",
        "ada/bomb.txt": b"0" * 1_000_000,
        "ben/02_cell.ipynb": "b",
        "ben/bomb.zip": bomb,
        "ben/lying.zip": bytes(lying),
        "cyd/02_cell.ipynb": "c",
        "cyd/many.zip": zipped({f"{number}.txt": "x" for number in range(50)}),
    }
    result = course.collect(zipped(files))
    assert {"ada", "ben", "cyd"} == set(result.students)
    assert sum(len(text) for text in course.files().values()) < 1_000
    for word in (
        "bomb.txt: larger",
        "bomb.zip/bomb.txt: larger",
        "lying.zip",
        "more than 20 files",
    ):
        assert [s for s in result.sentences if word in s], word


@pytest.mark.parametrize("source", [b"", b"PK\x05", b"no zip at all"])
def test_a_source_that_is_none_is_a_sentence(course: Course, source: bytes) -> None:
    with pytest.raises(ValueError, match="is no zip file that can be read"):
        course.collect(source)
    with pytest.raises(ValueError, match="is not there"):
        course.collect(course.folder / "nowhere")


def test_names_cannot_leave_the_folder(course: Course) -> None:
    names = ["..", "*", "[ab]", "~", "-rf", "x" * 300, "Ünïcödé", "a..b", "日本"]
    files = {f"{name}_{100 + k}_{k}_02_cell.ipynb": "x" for k, name in enumerate(names)}
    result = course.collect(zipped(files))
    assert len(result.students) == len(names)
    for student, folder in result.students.items():
        assert folder.resolve().parent.parent == course.submitted.resolve(), student
        assert not set(student) & set("*[]?/\\\x00") and not student.startswith((".", "-"))


def test_a_class_list_of_canvas_names_the_students(course: Course, tmp_path: Path) -> None:
    path = tmp_path / "grades.csv"
    path.write_text("\ufeff" + CANVAS_ROSTER)
    roster = rosters.read(path)
    assert [(one.student, one.first, one.last) for one in roster.people] == [
        ("ada", "Ada", "Lovelace"),
        ("ben@uni.edu", "Ben", "Byron"),
    ]
    files = {"lovelaceada_1001_7_02_cell.ipynb": "a", "stranger_4_8_02_cell.ipynb": "s"}
    result = course.collect(zipped(files), roster=roster)
    assert set(result.students) == {"ada", "stranger"}
    assert "stranger is not in the class list." in result.sentences


@pytest.fixture
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine whose clock shows UTC, wherever this one stands."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "UTC")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("utc")
def test_a_worksheet_of_moodle_brings_the_platforms_clock(course: Course, tmp_path: Path) -> None:
    path = tmp_path / "worksheet.csv"
    path.write_text(MOODLE_ROSTER)
    files = {
        "Participant_9001_assignsubmission_file/02_cell.ipynb": "a",  # anonymous marking
        "Ben Byron_9002_assignsubmission_file/02_cell.ipynb": "b",
    }
    course.collect(zipped(files), roster=rosters.read(path))
    assert course.time("ada@uni.edu") == "2026-11-20 11:30:00 UTC"
    assert course.time("ben@uni.edu") == "2026-11-22 16:00:00 UTC"


def test_any_other_table_is_no_class_list(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text("name,colour\nada,blue\n")
    with pytest.raises(ValueError, match="is no class list"):
        rosters.read(path)
