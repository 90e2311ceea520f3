"""All answers to the questions that a person marks, one below the other on one page.

To read them together keeps the marks even; and where names are left out, fair. What a
student wrote is cleaned as in the feedback, whose pages stand behind the names.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from markupsafe import Markup

from . import sanitize
from .limited import TooMuch, limited
from .page import render
from .parts import cells, marks_of, parts, source_of, titles

LONGEST = 20_000  # characters of an answer; its whole length is in the student's file
LONGEST_PICTURES = 4_000_000  # characters of the pictures in it


@dataclass(frozen=True)
class Answer:
    """What one student wrote."""

    student: str
    link: str  # from the page to the student's feedback
    text: Markup
    marks: dict[str, Any]  # waits, score, points
    comment: str


def page(coursedir: Any, book: Any, assignment: str, folder: Path, anonymous: bool) -> str:
    """Make the page.

    Parameters
    ----------
    coursedir : nbgrader.coursedir.CourseDirectory
    book : nbgrader.api.Gradebook
    assignment : str
    folder : Path
        Where the page will lie.
    anonymous : bool
        Leave out who wrote what. Answers are then in an order that has nothing to do with names.
    """
    questions: dict[tuple[str, str], list[Answer]] = {
        (part.notebook, part.name): [] for part in parts(book, assignment) if not part.by_machine
    }
    names: dict[str, str] = {}
    for submission in book.assignment_submissions(assignment) if questions else ():
        student = submission.student_id
        handed_in, pages = (
            Path(coursedir.format_path(directory, student, assignment))
            for directory in (coursedir.autograded_directory, coursedir.feedback_directory)
        )
        for notebook in submission.notebooks:
            found = cells(handed_in / f"{notebook.name}.ipynb")
            names = titles(found) | names
            by_name = {marks_of(cell).get("grade_id"): cell for cell in found}
            comments = {one.name: one.comment or "" for one in notebook.comments}
            link = quote(os.path.relpath(pages / f"{notebook.name}.html", folder))
            for grade in notebook.grades:
                cell = by_name.get(grade.name)
                if cell and (notebook.name, grade.name) in questions:
                    marks = {"waits": bool(grade.needs_manual_grade), "score": grade.score}
                    marks["points"] = grade.max_score
                    comment = comments.get(grade.name, "")
                    answer = Answer(student, link, _text(cell), marks, comment)
                    questions[notebook.name, grade.name].append(answer)
    if anonymous:
        for answers in questions.values():
            answers.sort(key=lambda one: hashlib.sha256(one.text.encode()).digest())
    return render(
        "answers",
        title=f"Answers: {assignment}",
        questions=[(names.get(name) or name, found) for (_, name), found in questions.items()],
        anonymous=anonymous,
    )


def _text(cell: Any) -> Markup:
    text, pictures = source_of(cell), cell.get("attachments")
    if len(text) > LONGEST:
        text = f"{text[:LONGEST]} …"
    if len(json.dumps(pictures)) > LONGEST_PICTURES:
        pictures = None
    try:
        return limited(sanitize.markdown, text, pictures)
    except TooMuch:
        return sanitize.plain(text)
