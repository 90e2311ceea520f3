"""From a submission to its scores: a pure function, so that it can run on any machine.

What decides about marks is nbgrader's own code, its preprocessors
OverwriteCells, LimitOutput and SaveAutoGrades; they are handed a stand-in for the
gradebook that holds this one submission, in place of a database which they would open
nine times.
"""

from __future__ import annotations

import copy
import functools
import json
import logging
import re
import threading
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict
from types import SimpleNamespace
from typing import Any

from nbformat.notebooknode import NotebookNode, from_dict
from traitlets.config import Config

from ..sandbox.room import Execution, Kind, Room, kind_of
from . import intake
from .assignment import (
    TIMESTAMP,
    Malformed,
    NotebookSpecification,
    Outcome,
    Specification,
    Status,
    Submission,
    Unclear,
)

NAMED = re.compile(r"^Likely cause: *(.+)", re.MULTILINE)  # how a test's message names one
HIDDEN = re.compile(r"[^\n]*BEGIN HIDDEN TESTS.*?(?:END HIDDEN TESTS[^\n]*|\Z)", re.DOTALL)
VERDICTS = {
    "failed": "A further test, which is not shown, fails.",
    "late": "A further test, which is not shown, takes too long.",
}
NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e[+-]?\d+)?")

quiet = logging.getLogger("grading.marking")
quiet.setLevel(logging.ERROR)  # what nbgrader warns of while marking stands in the notes


def mark(
    spec: Specification,
    submission: Submission,
    room: Room,
    suspects: Collection[tuple[str, int]] = (),
) -> Outcome:
    """Mark one submission. A malformed one gets no points and a sentence.

    Parameters
    ----------
    spec : Specification
    submission : Submission
    room : Room
        From `spec.room()`; it may have been used for other submissions.
    suspects : collection of (str, int)
        Cells, by notebook and number, at which a process was lost in earlier runs; see `Room.run`.

    Returns
    -------
    Outcome
    """
    outcome = Outcome(Status.MARKED, notes=[*submission.unread.values()])
    missing = []
    for wanted in spec.notebooks:
        try:
            raw, note = intake.find(submission, wanted, only=len(spec.notebooks) == 1)
            notebook, notes = intake.clean(raw, wanted)
        except Malformed as error:
            missing.append(error)
            _without(wanted, error, outcome)
            continue
        outcome.notes += [note, *notes] if note else notes
        _run(spec, wanted, notebook, room, submission, outcome, suspects)
        if outcome.loss and outcome.loss["side"] == "student":
            break
    if missing:
        # of an assignment with several notebooks, those that are there have been marked
        if len(missing) == len(spec.notebooks):
            unclear = any(isinstance(error, Unclear) for error in missing)
            outcome.status = Status.UNCLEAR if unclear else Status.MALFORMED
        outcome.sentence = " ".join(filter(None, [outcome.sentence, *map(str, missing)]))
    return outcome


def _without(wanted: NotebookSpecification, error: Malformed, outcome: Outcome) -> None:
    """Give no points, or none yet, and a page that says why."""
    points = None if isinstance(error, Unclear) else 0.0
    outcome.scores[wanted.name] = {c.grade_id: points for c in wanted.cells if c.grade or c.task}
    outcome.comments[wanted.name] = {}
    page = {
        "cells": [
            {
                "cell_type": "markdown",
                "id": "not-marked",
                "metadata": {},
                "source": f"**This submission could not be marked.** {_plain(str(error))}",
            }
        ],
        "metadata": {"kernelspec": wanted.kernelspec} if wanted.kernelspec else {},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    outcome.notebooks[wanted.name] = json.dumps(page) + "\n"


def _plain(sentence: str) -> str:
    """Write a sentence that may hold a student's file name as Markdown that shows it unchanged."""
    return "".join(f"&#{ord(c)};" if c in "<>&*_`[]()!\\$|#~" else c for c in sentence)


def _run(
    spec: Specification,
    wanted: NotebookSpecification,
    notebook: NotebookNode,
    room: Room,
    submission: Submission,
    outcome: Outcome,
    suspects: Collection[tuple[str, int]],
) -> None:
    tools = _tools(json.dumps(spec.config, sort_keys=True), threading.get_ident())
    resources = {"gradebook": Book(wanted)}
    notebook, _ = tools.overwrite.preprocess(notebook, resources)
    numbers = {number for name, number in suspects if name == wanted.name}
    beside = {
        name: content
        for name, content in submission.files.items()
        if not name.endswith(".ipynb") and name != TIMESTAMP and name not in spec.files
    }
    run = functools.partial(room.run, seed=submission.seed, suspects=numbers, files=beside)
    public = _public(notebook)
    seen = run(public) if public else None
    if seen:
        _add_up(outcome, wanted.name, seen)
        if seen.loss and seen.loss.side == "student":
            return
    execution = run(notebook)
    _add_up(outcome, wanted.name, execution)
    notebook = execution.notebook
    for step in tools.limits:
        if step.enabled:
            notebook, _ = step.preprocess(notebook, resources)
            if seen:
                seen.notebook, _ = step.preprocess(seen.notebook, resources)
    notebook, _ = tools.save.preprocess(notebook, resources)

    book = resources["gradebook"]
    for id in execution.unmarked:
        book.grades[id].auto_score = None
    outcome.scores[wanted.name] = {id: grade.auto_score for id, grade in book.grades.items()}
    outcome.comments[wanted.name] = {id: c.auto_comment for id, c in book.comments.items()}
    outcome.causes.update(
        {id: cause for id, cause in causes(notebook.cells).items() if id not in execution.unmarked}
    )
    for cell, public_cell in zip(notebook.cells, (seen or execution).notebook.cells, strict=True):
        if cell.cell_type == "code":
            shown = _shown(cell, public_cell)
            about = cell.metadata.setdefault("grading", {})
            about["shown"] = None if shown == cell.outputs else shown  # None: the same
    if notes := [*outcome.notes, *filter(None, [outcome.sentence])]:
        notebook.metadata["grading"] = {"notes": notes}
    # not nbformat's writer, which copies, splits and indents what nobody reads as text
    outcome.notebooks[wanted.name] = json.dumps(notebook) + "\n"


def _add_up(outcome: Outcome, notebook: str, execution: Execution) -> None:
    # the student's ends a run, and says more than the examiner's in the run before
    if execution.loss and (not outcome.loss or execution.loss.side == "student"):
        about = asdict(execution.loss) | {"fault": execution.loss.fault}
        outcome.loss = {"notebook": notebook, **about}
    outcome.seconds += execution.seconds
    outcome.cpu += execution.cpu
    outcome.limit = outcome.limit or execution.limit
    if execution.sentence and execution.sentence not in outcome.sentence:
        outcome.sentence = f"{outcome.sentence} {execution.sentence}".strip()


def _public(notebook: NotebookNode) -> NotebookNode | None:
    """Make the notebook without its hidden tests; None if it has none."""
    public = copy.deepcopy(notebook)
    hidden = 0
    for cell in public.cells:
        if cell.cell_type == "code" and kind_of(cell) is not Kind.OWN:
            cell.source, found = HIDDEN.subn("", cell.source)
            hidden += found
    return public if hidden else None


def _shown(cell: NotebookNode, public: NotebookNode) -> list[NotebookNode]:
    """Find the outputs that the student may see: of the run without hidden tests, and one verdict.

    What a student's code has seen of a hidden test it can put into every message and every
    output, so that of the other run nothing leaves but a sentence out of a few.
    """
    kinds = [{o.ename for o in c.outputs if o.output_type == "error"} for c in (cell, public)]
    if kind_of(cell) is not Kind.TEST or not kinds[0] or kinds[1]:
        return public.outputs
    late = kinds[0] & {"TimeLimit", "TimeoutError"}
    said = VERDICTS["late" if late else "failed"]
    verdict = {"output_type": "error", "ename": "Hidden", "evalue": said, "traceback": [said]}
    return [*public.outputs, from_dict(verdict)]


def causes(cells: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Find why tests failed, so that the same reason reads the same for all.

    Where the answer's own cell is no Python, or stopped before it had defined what the test
    misses, its error is the reason. Else it is the cause that the test's message names, or its
    first line.

    Parameters
    ----------
    cells : iterable of mapping
        Of an autograded notebook.

    Returns
    -------
    dict of str to str
        grade_id of a test → the cause.
    """
    found = {}
    broken, whole = "", True  # the error of the answer's cell above; whether it ran
    for cell in cells:
        marks = cell.get("metadata", {}).get("nbgrader", {})
        if cell.get("cell_type") != "code":
            continue
        outputs = cell.get("outputs", [])
        error = next((o for o in outputs if o.get("output_type") == "error"), None)
        if marks.get("solution"):
            broken, whole = _first_line(error) if error else "", not unparsed(cell)
        elif marks.get("grade") and error:
            named = NAMED.search(str(error.get("evalue", "")))
            cause = named[1].strip() if named else NUMBER.sub("…", _first_line(error))
            if broken and (not whole or error.get("ename") == "NameError"):
                cause = broken
            found[str(marks.get("grade_id", ""))] = cause[:300]
    return found


def unparsed(cell: Mapping[str, Any]) -> bool:
    """Tell whether the grader itself found that a cell is no Python, and did not run it."""
    return cell.get("metadata", {}).get("grading", {}).get("parsed") is False


def _first_line(error: Mapping[str, Any]) -> str:
    name, said = str(error.get("ename", "")), str(error.get("evalue", "")).strip()
    line = said.split("\n", 1)[0].strip()
    return f"{name}: {line}" if name.endswith(("SyntaxError", "IndentationError")) else line or name


class Book:
    """What nbgrader's preprocessors ask of a gradebook, for one submitted notebook."""

    def __init__(self, wanted: NotebookSpecification) -> None:
        self.cells = {cell.grade_id: cell for cell in wanted.cells}
        self.grades: dict[str, Any] = {}
        self.comments: dict[str, Any] = {}
        self.db = SimpleNamespace(commit=lambda: None)

    def find_source_cell(self, id: str, *_: str) -> Any:
        cell = self.cells[id]
        return SimpleNamespace(
            name=id,
            cell_type=cell.kind,
            locked=cell.locked,
            source=cell.source,
            checksum=cell.checksum,
        )

    def find_graded_cell(self, id: str, *_: str) -> Any:
        return SimpleNamespace(max_score=self.cells[id].points)

    def find_grade(self, id: str, *_: str) -> Any:
        # marks that a person gave are in the real gradebook, and stay there
        return self.grades.setdefault(id, SimpleNamespace(auto_score=None, manual_score=None))

    def find_comment(self, id: str, *_: str) -> Any:
        return self.comments.setdefault(id, SimpleNamespace(auto_comment=None))


@functools.cache
def _tools(config: str, thread: int) -> Any:
    """Make nbgrader's preprocessors, once a thread, since each is costly to make.

    Their `preprocess` opens a database and then goes through the cells; here it only does
    the second, with the `Book` in its resources.
    """
    from nbgrader.preprocessors import (
        IgnorePattern,
        LimitOutput,
        NbGraderPreprocessor,
        OverwriteCells,
        SaveAutoGrades,
    )

    class WithBook(NbGraderPreprocessor):
        def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
            self.notebook_id = self.assignment_id = self.student_id = ""
            self.gradebook = resources["gradebook"]
            return NbGraderPreprocessor.preprocess(self, nb, resources)

    class Overwrite(WithBook, OverwriteCells):
        pass

    class Save(WithBook, SaveAutoGrades):
        pass

    traits = Config(json.loads(config))
    return SimpleNamespace(
        overwrite=Overwrite(config=traits, log=quiet),
        limits=[IgnorePattern(config=traits, log=quiet), LimitOutput(config=traits, log=quiet)],
        save=Save(config=traits, log=quiet),
    )
