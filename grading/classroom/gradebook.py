"""The gradebook: what is read of it before a batch, and brought into it after one.

nbgrader's own tables, in SQLite or PostgreSQL, and one small table beside them which says
for each student and assignment the key of the result that the marks come from. It is
written in the same transaction as the marks: so a result is never brought in twice,
whenever a run is killed.
"""

from __future__ import annotations

import contextlib
import fcntl
import functools
import json
import os
import re
import zlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from nbgrader.api import (
    Assignment,
    Comment,
    Grade,
    Gradebook,
    MissingEntry,
    Student,
    SubmittedAssignment,
    SubmittedNotebook,
    new_uuid,
)
from sqlalchemy import Column, MetaData, String, Table, create_engine, make_url, select, text
from sqlalchemy.orm import load_only, selectinload

from ..marking.assignment import CellSpecification, NotebookSpecification

CHUNK = 200  # submissions whose rows are looked up by one query

KEYS = Table(
    "grading_key",
    MetaData(),
    Column("assignment_id", String(32), primary_key=True),
    Column("student_id", String(128), primary_key=True),
    Column("key", String(64), nullable=False),
)


@dataclass(frozen=True)
class Result:
    """What is brought in of one submission."""

    student: str
    key: str
    timestamp: datetime | None
    scores: Mapping[str, Mapping[str, float | None]]
    comments: Mapping[str, Mapping[str, str | None]]
    again: bool = False  # mark as new, even if these marks are there already
    same: bool = False  # the work is that of the marks which are there
    parts: Collection[str] = ()  # only the points of these; empty for all


@contextlib.contextmanager
def opened(url: str, course: str) -> Iterator[Gradebook]:
    """Open the gradebook, with its tables, however many processes start it at once.

    Parameters
    ----------
    url : str
        SQLAlchemy's: "sqlite:////path/gradebook.db", or
        "postgresql+psycopg://user:password@host/database". nbgrader wants the names of
        assignments unique in a database: each course needs a database of its own, or a
        schema of its own in one, named at the end as "?options=-csearch_path%3Dcourse".
    course : str
        Its identifier.
    """
    with starting(url):
        book = Gradebook(url, course)
        KEYS.create(book.engine, checkfirst=True)
    with book:
        yield book


_started: set[str] = set()  # databases whose tables this process has seen


@contextlib.contextmanager
def starting(url: str) -> Iterator[None]:
    """Let one process at a time go on, its first time: making a table twice is an error."""
    if url in _started:
        yield
        return
    _started.add(url)
    try:
        address = make_url(url)
        if address.get_backend_name() == "postgresql":
            with _alone_in_postgres(url, _schema(address)):
                yield
        elif address.get_backend_name() == "sqlite" and address.database:
            folder = os.open(os.path.dirname(os.path.abspath(address.database)), os.O_RDONLY)
            try:
                fcntl.flock(folder, fcntl.LOCK_EX)
                yield
            finally:
                os.close(folder)
        else:
            yield
    except BaseException:
        _started.discard(url)
        raise


@contextlib.contextmanager
def _alone_in_postgres(url: str, schema: str) -> Iterator[None]:
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            # held by the session, and given back with it, even if this process is killed
            number = zlib.crc32(b"grading: first start")
            connection.execute(text("SELECT pg_advisory_lock(:n)"), {"n": number})
            if schema:
                connection.execute(text(f'CREATE SCHEMA IF NOT EXISTS "{schema}"'))
            connection.commit()
            yield
    finally:
        engine.dispose()


def guard() -> None:
    """Let every Gradebook in this process start so: nbgrader's other verbs open one too."""
    original = Gradebook.__init__
    if hasattr(original, "guarded"):
        return

    @functools.wraps(original)
    def init(self: Gradebook, db_url: str, *args: Any, **kwargs: Any) -> None:
        with starting(db_url):
            original(self, db_url, *args, **kwargs)

    init.guarded = True  # type: ignore[attr-defined]
    Gradebook.__init__ = init


def _schema(address: Any) -> str:
    """Find the schema in "?options=-csearch_path=name", or nothing."""
    options = address.query.get("options", "")
    found = re.search(
        r"-c\s*search_path=(\w+)", " ".join(options) if isinstance(options, tuple) else options
    )
    return found[1] if found else ""


def notebooks(
    book: Gradebook, assignment: str, order: Mapping[str, Sequence[str]]
) -> tuple[NotebookSpecification, ...]:
    """Read what the gradebook knows of an assignment's notebooks.

    Parameters
    ----------
    book : Gradebook
    assignment : str
    order : mapping of str to sequence of str
        For each notebook the grade ids in the order of the source, which the gradebook
        does not keep.

    Raises
    ------
    LookupError
        If the assignment has not been released.
    """
    try:
        notebooks = book.find_assignment(assignment).notebooks
    except MissingEntry:
        notebooks = []
    if not notebooks:
        raise LookupError(
            f"The gradebook holds no assignment {assignment}. "
            f"Release it first: nbgrader generate_assignment {assignment}"
        )
    return tuple(
        NotebookSpecification(
            notebook.name,
            json.loads(notebook.kernelspec or "null") or {},
            tuple(_cells(notebook, list(order.get(notebook.name, ())))),
        )
        for notebook in notebooks
    )


def _cells(notebook: Any, order: list[str]) -> list[CellSpecification]:
    graded = {cell.name: cell.max_score for cell in notebook.grade_cells}
    tasks = {cell.name: cell.max_score for cell in notebook.task_cells}
    solutions = {cell.name for cell in notebook.solution_cells}
    cells = [
        CellSpecification(
            grade_id=cell.name,
            kind=cell.cell_type,
            source=cell.source or "",
            checksum=cell.checksum,
            locked=bool(cell.locked),
            grade=cell.name in graded,
            solution=cell.name in solutions,
            task=cell.name in tasks,
            points=graded.get(cell.name, tasks.get(cell.name)),
        )
        for cell in notebook.source_cells
    ]
    known = {name: place for place, name in enumerate(order)}
    return sorted(cells, key=lambda cell: known.get(cell.grade_id, len(known)))


def keys(book: Gradebook, assignment: str) -> dict[str, tuple[str, datetime | None]]:
    """Read, for each student with marks, the key they come from and the time handed in."""
    query = (
        select(KEYS.c.student_id, KEYS.c.key, SubmittedAssignment.timestamp)
        .join(Assignment, Assignment.id == KEYS.c.assignment_id)
        .join(
            SubmittedAssignment,
            (SubmittedAssignment.assignment_id == KEYS.c.assignment_id)
            & (SubmittedAssignment.student_id == KEYS.c.student_id),
        )
        .where(Assignment.name == assignment)
    )
    return {student: (key, time) for student, key, time in book.db.execute(query)}


def students(book: Gradebook) -> set[str]:
    return set(book.db.scalars(select(Student.id)))


def merge(book: Gradebook, assignment: str, results: Sequence[Result]) -> None:
    """Bring results into the gradebook, all or none of them.

    Marks that a person gave, and their comments, stay. The cell is shown to them once more, as
    nbgrader's SaveAutoGrades does it, but only if the work or the machine's points for it have
    changed. A result whose key is there already only brings in the time of handing in.

    Parameters
    ----------
    book : Gradebook
    assignment : str
    results : sequence of Result
        One a student.
    """
    db = book.db
    try:
        row = book.find_assignment(assignment)
        cells = {
            notebook.name: (
                notebook.id,
                {c.name: c.id for c in (*notebook.grade_cells, *notebook.task_cells)},
                {c.name: c.id for c in (*notebook.solution_cells, *notebook.task_cells)},
            )
            for notebook in row.notebooks
        }
        for start in range(0, len(results), CHUNK):
            _merge_chunk(db, row, cells, results[start : start + CHUNK])
            db.flush()
        db.commit()
    except BaseException:
        db.rollback()
        raise


def _merge_chunk(
    db: Any,
    assignment: Any,
    cells: Mapping[str, tuple[str, dict[str, str], dict[str, str]]],
    results: Sequence[Result],
) -> None:
    names = [result.student for result in results]
    known = set(db.scalars(select(Student.id).where(Student.id.in_(names))))
    db.add_all(Student(id=name) for name in names if name not in known)
    db.flush()

    there = {
        submission.student_id: submission
        for submission in db.scalars(
            select(SubmittedAssignment)
            .where(
                SubmittedAssignment.assignment_id == assignment.id,
                SubmittedAssignment.student_id.in_(names),
            )
            .options(*_with_marks())
        )
    }
    here = KEYS.c.assignment_id == assignment.id
    before = dict(
        db.execute(
            select(KEYS.c.student_id, KEYS.c.key).where(here, KEYS.c.student_id.in_(names))
        ).all()
    )
    new: list[Any] = []
    changed = []
    for result in results:
        submission = there.get(result.student)
        if submission is None:
            submission = SubmittedAssignment(
                id=new_uuid(),
                assignment_id=assignment.id,
                student_id=result.student,
                timestamp=result.timestamp,
            )
            new.append(submission)
            notebooks: dict[str, Any] = {}
        else:
            if result.timestamp is not None:  # without one, what is known stays, as in nbgrader
                submission.timestamp = result.timestamp
            notebooks = {notebook.notebook_id: notebook for notebook in submission.notebooks}
            if before.get(result.student) == result.key and not result.again:
                continue
        changed.append(result)
        for name, (id, graded, commented) in cells.items():
            notebook = notebooks.get(id)
            grades: dict[str, Any] = {}
            comments: dict[str, Any] = {}
            if notebook is None:
                notebook = SubmittedNotebook(
                    id=new_uuid(), notebook_id=id, assignment_id=submission.id
                )
                new.append(notebook)
            else:
                grades = {grade.cell_id: grade for grade in notebook.grades}
                comments = {comment.cell_id: comment for comment in notebook.comments}
            scores = result.scores.get(name, {})
            for cell, cell_id in graded.items():
                grade = grades.get(cell_id)
                if grade is None:
                    grade = Grade(id=new_uuid(), cell_id=cell_id, notebook_id=notebook.id)
                    new.append(grade)
                if cell not in scores or (result.parts and cell not in result.parts):
                    continue
                if grade.manual_score is None:
                    grade.needs_manual_grade = scores[cell] is None
                elif not result.same or grade.auto_score != scores[cell]:
                    grade.needs_manual_grade = True
                grade.auto_score = scores[cell]
            for cell, cell_id in commented.items():
                comment = comments.get(cell_id)
                if comment is None:
                    comment = Comment(id=new_uuid(), cell_id=cell_id, notebook_id=notebook.id)
                    new.append(comment)
                if not result.parts or cell in result.parts:
                    comment.auto_comment = result.comments.get(name, {}).get(cell)
    db.add_all(new)
    db.flush()
    if changed:
        db.execute(KEYS.delete().where(here, KEYS.c.student_id.in_([r.student for r in changed])))
        db.execute(
            KEYS.insert(),
            [
                {"assignment_id": assignment.id, "student_id": r.student, "key": r.key}
                for r in changed
            ],
        )


def _with_marks() -> list[Any]:
    """Load submissions with all their marks in four queries, however many there are.

    Only plain columns: nbgrader's computed ones cost a query in the query each.
    """

    def columns(kind: Any) -> Any:
        return load_only(*(getattr(kind, column.key) for column in kind.__table__.columns))

    return [
        columns(SubmittedAssignment),
        selectinload(SubmittedAssignment.notebooks).options(
            columns(SubmittedNotebook),
            selectinload(SubmittedNotebook.grades).options(columns(Grade)),
            selectinload(SubmittedNotebook.comments).options(columns(Comment)),
        ),
    ]


@dataclass(frozen=True)
class Part:
    """A cell that gives points."""

    notebook: str
    name: str
    points: float
    by_machine: bool


@dataclass(frozen=True)
class Work:
    """What the gradebook has of one student's work; marks and comments by notebook and cell."""

    student: str
    marks: dict[tuple[str, str], float | None]  # None waits for the marker
    comments: dict[tuple[str, str], str]
    total: float  # points so far
    late: float  # of these taken off

    @property
    def final(self) -> bool:
        """Tell whether nothing waits for the marker."""
        return None not in self.marks.values()

    @property
    def points(self) -> float:
        """Say what the points so far are, lateness taken off."""
        return max(0.0, self.total - self.late)


def parts(book: Gradebook, assignment: str) -> list[Part]:
    """Read what gives points in an assignment."""
    return [
        Part(
            notebook.name,
            cell.name,
            cell.max_score,
            getattr(cell, "cell_type", "markdown") == "code",
        )
        for notebook in book.find_assignment(assignment).notebooks
        for cell in (*notebook.grade_cells, *notebook.task_cells)
    ]


def works(book: Gradebook, assignment: str) -> list[Work]:
    """Read all that was handed in for an assignment, with its marks."""
    row = book.find_assignment(assignment)
    cells = {
        cell.id: (notebook.name, cell.name)
        for notebook in row.notebooks
        for cell in (*notebook.grade_cells, *notebook.task_cells, *notebook.solution_cells)
    }
    query = select(SubmittedAssignment).where(SubmittedAssignment.assignment_id == row.id)
    found = []
    for one in book.db.scalars(query.options(*_with_marks())):
        marks: dict[tuple[str, str], float | None] = {}
        comments, total = {}, 0.0
        for notebook in one.notebooks:
            for grade in notebook.grades:
                points = grade.auto_score if grade.manual_score is None else grade.manual_score
                points = (points or 0.0) + (grade.extra_credit or 0.0)
                total += points
                marks[cells[grade.cell_id]] = None if grade.needs_manual_grade else points
            for comment in notebook.comments:
                comments[cells[comment.cell_id]] = (
                    comment.manual_comment or comment.auto_comment or ""
                )
        late = sum(notebook.late_submission_penalty or 0.0 for notebook in one.notebooks)
        # in one order, whatever the database's is
        said = dict(sorted(marks.items())), dict(sorted(comments.items()))
        found.append(Work(one.student_id, *said, total, late))
    return found
