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

from ..classroom.gradebook import Part, parts, works
from . import sanitize
from .cells import cells, marks_of, source_of, titles
from .limited import TooMuch, limited
from .page import render

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
    questions: dict[Part, list[Answer]] = {
        part: [] for part in parts(book, assignment) if not part.by_machine
    }
    names: dict[str, str] = {}
    for work in works(book, assignment) if questions else ():
        handed_in, pages = (
            Path(coursedir.format_path(directory, work.student, assignment))
            for directory in (coursedir.autograded_directory, coursedir.feedback_directory)
        )
        for notebook in {part.notebook for part in questions}:
            found = cells(handed_in / f"{notebook}.ipynb")
            names = titles(found) | names
            by_name = {(notebook, marks_of(cell).get("grade_id")): cell for cell in found}
            link = quote(os.path.relpath(pages / f"{notebook}.html", folder))
            for part, answers in questions.items():
                where = part.notebook, part.name
                if where in by_name and where in work.marks:
                    score = work.marks[where]
                    marks = {"waits": score is None, "score": score, "points": part.points}
                    text, comment = _text(by_name[where]), work.comments.get(where, "")
                    answers.append(Answer(work.student, link, text, marks, comment))
    if anonymous:
        for answers in questions.values():
            answers.sort(key=lambda one: hashlib.sha256(one.text.encode()).digest())
    return render(
        "answers",
        title=f"Answers: {assignment}",
        questions=[(names.get(part.name, part.name), found) for part, found in questions.items()],
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
