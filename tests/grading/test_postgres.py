"""The gradebook in PostgreSQL: a real server, one schema a course, many at the first start."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import classes
import postgres
import pytest
from sqlalchemy import create_engine, text

from grading.classroom import batch, gradebook
from grading.marking.assignment import Specification

pytest.importorskip("psycopg", reason="psycopg is not installed: pip install 'psycopg[binary]'")
HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgres.server() as address:
        yield address


@pytest.fixture(autouse=True)
def without_a_box(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Specification, "room", lambda self: classes.OpenRoom())


def database(server: str, name: str, schema: str = "") -> str:
    """A new database's URL."""
    engine = create_engine(server.format(database="postgres"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        there = connection.execute(
            text("SELECT 1 FROM pg_database WHERE datname = :n"), {"n": name}
        ).first()
        if not there:
            connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    url = server.format(database=name)
    return f"{url}&options=-csearch_path%3D{schema}" if schema else url


def course(folder: Path, url: str) -> Any:
    with gradebook.opened(url, classes.COURSE):
        pass
    return classes.course(folder, url)


def totals(url: str) -> dict[str, float]:
    with gradebook.opened(url, classes.COURSE) as book:
        return {s.student_id: s.score for s in book.assignment_submissions(classes.ASSIGNMENT)}


def test_a_class_is_marked_into_postgres(server: str, tmp_path: Path) -> None:
    url = database(server, "marks")
    coursedir = course(tmp_path, url)
    classes.hand_in(coursedir, "ada", classes.solved(coursedir))
    classes.hand_in(coursedir, "ben", classes.solved(coursedir, ("mean",)))
    classes.hand_in(coursedir, "cyd", b"\x00")
    batch.grade(coursedir, classes.ASSIGNMENT)
    assert totals(url) == {"ada": 8.0, "ben": 6.0, "cyd": 0.0}
    assert not batch.grade(coursedir, classes.ASSIGNMENT).marked
    classes.hand_in(coursedir, "ben", classes.solved(coursedir))
    assert list(batch.grade(coursedir, classes.ASSIGNMENT).marked) == ["ben"]
    assert totals(url) == {"ada": 8.0, "ben": 8.0, "cyd": 0.0}
    assert not (tmp_path / "gradebook.db").exists()


def test_two_courses_in_one_database_do_not_meet(server: str, tmp_path: Path) -> None:
    urls = [database(server, "faculty", schema) for schema in ("spring", "autumn")]
    for number, url in enumerate(urls):  # the same assignment's name, other students
        coursedir = course(tmp_path / str(number), url)
        classes.hand_in(coursedir, f"student{number}", classes.solved(coursedir))
        batch.grade(coursedir, classes.ASSIGNMENT)
    assert [set(totals(url)) for url in urls] == [{"student0"}, {"student1"}]


def test_several_assignments_can_be_read_back(server: str, tmp_path: Path) -> None:
    url = database(server, "several")
    coursedir = course(tmp_path, url)
    classes.release(coursedir, "ps2")
    for name in (classes.ASSIGNMENT, "ps2"):
        classes.hand_in(coursedir, "ada", classes.solved(coursedir), name)
        batch.grade(coursedir, name)
    with gradebook.opened(url, classes.COURSE) as book:
        for name in (classes.ASSIGNMENT, "ps2"):
            assert book.find_submission(name, "ada").score == 8.0
        assert book.student_dicts()[0]["score"] == 16.0
        assert [s["score"] for s in book.submission_dicts("ps2")] == [8.0]


START = """
import sys
from grading.classroom import gradebook
url, other = sys.argv[1:]
from nbgrader.api import Gradebook
gradebook.guard()
print("ready", flush=True)
sys.stdin.read()  # until all are
if other == "nbgrader":
    Gradebook(url, "light").close()
else:
    with gradebook.opened(url, "light") as book:
        book.assignments
"""


def start_together(url: str, kinds: list[str]) -> list[tuple[int, str]]:
    """The first look at a new gradebook by many processes at one moment."""
    environment = os.environ | {"PYTHONPATH": str(HERE.parents[1]), "PYTHONWARNINGS": "ignore"}
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", START, url, kind],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for kind in kinds
    ]
    for process in processes:
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.close()
        process.stdin = None
    ends = [process.communicate(timeout=1800) for process in processes]
    return [(p.returncode, err) for p, (_, err) in zip(processes, ends, strict=True)]


@pytest.mark.parametrize("schema", ["", "autumn"])
def test_four_processes_may_make_the_tables_at_once(server: str, schema: str) -> None:
    url = database(server, f"race{schema}", schema)
    for code, said in start_together(url, ["ours", "nbgrader", "ours", "nbgrader"]):
        assert code == 0, said
    engine = create_engine(url)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM course")).scalar() == 1
        assert connection.execute(text("SELECT count(*) FROM alembic_version")).scalar() == 1
    engine.dispose()


def test_four_processes_may_make_a_sqlite_gradebook_at_once(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'gradebook.db'}"
    for code, said in start_together(url, ["ours", "nbgrader", "ours", "nbgrader"]):
        assert code == 0, said
