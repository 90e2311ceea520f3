"""Gradebooks with marks in them, made without marking anything."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from nbgrader.api import Gradebook

# part → (points, marked by machine)
PARTS = {"test_step": (5.0, True), "test_gradient": (10.0, True), "why": (4.0, False)}


@contextlib.contextmanager
def gradebook(folder: Path) -> Iterator[Gradebook]:
    """The course's gradebook, whose library grumbles about its own habits."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with Gradebook(f"sqlite:///{folder / 'gradebook.db'}", "unrolled") as book:
            yield book


def fill(
    book: Gradebook,
    scores: Mapping[str, Mapping[str, float | None] | None],
    *,
    assignment: str = "ps1",
    duedate: str | None = None,
    times: Mapping[str, Any] | None = None,
) -> None:
    """An assignment of three parts; for each student the scores, or None: nothing handed in.

    A score of None waits for the marker.
    """
    book.add_assignment(assignment, duedate=duedate)
    book.add_notebook(assignment, assignment)
    for part, (points, machine) in PARTS.items():
        kind = "code" if machine else "markdown"
        book.add_grade_cell(part, assignment, assignment, max_score=points, cell_type=kind)
        book.add_source_cell(part, assignment, assignment, cell_type=kind, source="", checksum="")
        if not machine:
            book.add_solution_cell(part, assignment, assignment)
    book.db.commit()
    for student, parts in scores.items():
        book.update_or_create_student(student)
        if parts is None:
            continue
        book.add_submission(assignment, student, timestamp=(times or {}).get(student))
        for part, score in parts.items():
            grade = book.find_grade(part, assignment, assignment, student)
            if PARTS[part][1]:
                grade.auto_score = score
                grade.needs_manual_grade = False
            else:
                grade.manual_score = score
                grade.needs_manual_grade = score is None
        book.db.commit()
