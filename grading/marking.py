"""From a submission to its scores: a pure function, so that it can run on any machine.

A `Specification` is all that must be known of an assignment: what its cells hold, what
they are worth, what the box offers. It is read from the gradebook once a batch
(`gradebook.specification`), travels as JSON, and is part of the key under which a result
is remembered. What decides about marks is nbgrader's own code, its preprocessors
OverwriteCells, LimitOutput and SaveAutoGrades; they are handed a stand-in for the
gradebook that holds this one submission, in place of a database which they would open
nine times.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import importlib.metadata
import importlib.util
import json
import logging
import platform
import re
import threading
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from nbformat.notebooknode import NotebookNode
from traitlets.config import Config

from . import intake
from .intake import Malformed, Submission

if TYPE_CHECKING:
    from .execution import Room

# parts of this package that come before or after marking, and change no mark
AROUND = (
    "__main__ autograde batch collect export feedback gradebook late log markup page plugin "
    "report roster seeds spread"
).split()

NAMED = re.compile(r"^Likely cause: *(.+)", re.MULTILINE)  # how a test's message names one
NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e[+-]?\d+)?")

quiet = logging.getLogger("grading.marking")
quiet.setLevel(logging.ERROR)  # what nbgrader warns of while marking stands in the notes


@dataclass(frozen=True)
class CellSpecification:
    """A cell that nbgrader knows, as it was released."""

    grade_id: str
    kind: str  # code, markdown or raw
    source: str = field(repr=False)
    checksum: str | None
    locked: bool
    grade: bool
    solution: bool
    task: bool
    points: float | None

    def metadata(self) -> dict[str, Any]:
        """What nbgrader's own metadata of the cell are."""
        marks: dict[str, Any] = {
            "grade": self.grade,
            "grade_id": self.grade_id,
            "locked": self.locked,
            "schema_version": 3,
            "solution": self.solution,
            "task": self.task,
            "cell_type": self.kind,
            "checksum": self.checksum,
        }
        return marks if self.points is None else marks | {"points": self.points}

    def released(self) -> dict[str, Any]:
        """The cell itself."""
        cell: dict[str, Any] = {
            "cell_type": self.kind,
            "id": self.grade_id,
            "metadata": {"nbgrader": self.metadata()},
            "source": self.source,
        }
        return cell | {"execution_count": None, "outputs": []} if self.kind == "code" else cell


@dataclass(frozen=True)
class NotebookSpecification:
    """A notebook of the assignment: its known cells in their order."""

    name: str
    kernelspec: Mapping[str, Any]
    cells: tuple[CellSpecification, ...]


@dataclass(frozen=True)
class Specification:
    """An assignment, and how it is to be run."""

    assignment: str
    notebooks: tuple[NotebookSpecification, ...]
    files: Mapping[str, bytes] = field(default_factory=dict)  # what lies beside the notebooks
    packages: tuple[str, ...] = ()  # shown to both sides of the box
    unavailable: tuple[str, ...] = ()  # modules that would answer it, hidden from the student
    limits: Mapping[str, Any] = field(default_factory=dict)  # of `execution.Limits`
    figures: bool = True  # whether the assignment draws
    unsafe: bool = False
    config: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # of preprocessors
    environment: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> str:
        document = asdict(self)
        document["files"] = {
            name: base64.b64encode(content).decode() for name, content in self.files.items()
        }
        return json.dumps(document, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Specification:
        document = json.loads(text)
        document["files"] = {
            name: base64.b64decode(content) for name, content in document["files"].items()
        }
        document["notebooks"] = tuple(
            NotebookSpecification(
                notebook["name"],
                notebook["kernelspec"],
                tuple(CellSpecification(**cell) for cell in notebook["cells"]),
            )
            for notebook in document["notebooks"]
        )
        for name in ("packages", "unavailable"):
            document[name] = tuple(document[name])
        return cls(**document)

    @functools.cached_property
    def digest(self) -> str:
        return hashlib.sha256(self.to_json().encode()).hexdigest()

    def key(self, submission: Submission) -> str:
        """What a result hangs on: assignment, environment and submission, by content."""
        return hashlib.sha256(f"{self.digest} {submission.digest}".encode()).hexdigest()

    def room(self) -> Room:
        """The warm, boxed processes in which submissions of this assignment run."""
        from .execution import Limits, Room

        return Room(
            packages=self.packages,
            unavailable=self.unavailable,
            files=self.files,
            limits=Limits(**self.limits),
            figures=self.figures,
            unsafe=self.unsafe,
        )


def environment(packages: tuple[str, ...]) -> dict[str, str]:
    """The versions on which a mark may hang, by name; packages in place by their content."""
    here = _content(Path(__file__).parent, without=AROUND)
    versions = {"python": platform.python_version(), "grading": here}
    for name in ("numpy", "matplotlib", "ipython", "nbgrader"):
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            versions[name] = ""
    for name in packages:
        found = importlib.util.find_spec(name)
        if found is None or found.origin is None:
            raise ModuleNotFoundError(f"The package {name} that the box shall offer is not here.")
        where = Path(found.origin)
        versions[name] = _content(where.parent if where.name == "__init__.py" else where)
    return versions


def _content(path: Path, without: Sequence[str] = ()) -> str:
    """A hash of a package's Python files."""
    files = sorted(path.rglob("*.py")) if path.is_dir() else [path]
    files = [file for file in files if file.stem not in without]
    found = hashlib.sha256()
    for file in files:
        found.update(f"{file.relative_to(path)}\0".encode() + file.read_bytes() + b"\0")
    return found.hexdigest()[:16]


@dataclass
class Outcome:
    """What became of a submission. JSON can hold it."""

    status: str  # marked; malformed (marks are 0); failed (the grader's fault: no marks)
    sentence: str = ""  # what is wrong, for the instructor and the student
    notes: list[str] = field(default_factory=list)  # what was put right, a sentence each
    scores: dict[str, dict[str, float | None]] = field(default_factory=dict)
    # notebook → grade_id → points given by the machine, None where a person must mark
    comments: dict[str, dict[str, str | None]] = field(default_factory=dict)
    causes: dict[str, str] = field(default_factory=dict)  # grade_id → why the test failed
    seconds: float = 0.0  # by the clock
    cpu: float = 0.0
    limit: str | None = None  # the limit that was hit
    loss: dict[str, Any] | None = None  # `execution.Loss` and "notebook": to be marked again
    wasted: list[dict[str, Any]] = field(default_factory=list)  # runs that came to nothing, and why
    notebooks: dict[str, str] = field(default_factory=dict, repr=False)  # name → autograded JSON


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
    outcome = Outcome("marked", notes=list(submission.notes))
    missing = []
    for wanted in spec.notebooks:
        try:
            raw, note = intake.find(submission, wanted, only=len(spec.notebooks) == 1)
            notebook, notes = intake.clean(raw, wanted)
        except Malformed as error:
            missing.append(str(error))
            _without(wanted, str(error), outcome)
            continue
        outcome.notes += [note, *notes] if note else notes
        _run(wanted, notebook, room, submission.seed, spec.config, outcome, suspects)
        if outcome.loss and outcome.loss["side"] == "student":
            break
    if missing:
        # of an assignment with several notebooks, those that are there have been marked
        if len(missing) == len(spec.notebooks):
            outcome.status = "malformed"
        outcome.sentence = " ".join(filter(None, [outcome.sentence, *missing]))
    return outcome


def _without(wanted: NotebookSpecification, sentence: str, outcome: Outcome) -> None:
    """No points, and a page that says why."""
    outcome.scores[wanted.name] = {c.grade_id: 0.0 for c in wanted.cells if c.grade or c.task}
    outcome.comments[wanted.name] = {}
    page = {
        "cells": [
            {
                "cell_type": "markdown",
                "id": "not-marked",
                "metadata": {},
                "source": f"**This submission could not be marked.** {_plain(sentence)}",
            }
        ],
        "metadata": {"kernelspec": wanted.kernelspec} if wanted.kernelspec else {},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    outcome.notebooks[wanted.name] = json.dumps(page) + "\n"


def _plain(sentence: str) -> str:
    """A sentence that may hold a student's file name, as Markdown that shows it unchanged."""
    return "".join(f"&#{ord(c)};" if c in "<>&*_`[]()!\\$|#~" else c for c in sentence)


def _run(
    wanted: NotebookSpecification,
    notebook: NotebookNode,
    room: Room,
    seed: int,
    config: Mapping[str, Mapping[str, Any]],
    outcome: Outcome,
    suspects: Collection[tuple[str, int]],
) -> None:
    tools = _tools(json.dumps(config, sort_keys=True), threading.get_ident())
    resources = {"gradebook": Book(wanted)}
    notebook, _ = tools.overwrite.preprocess(notebook, resources)
    numbers = {number for name, number in suspects if name == wanted.name}
    execution = room.run(notebook, seed=seed, suspects=numbers)
    notebook = execution.notebook
    for step in tools.after:
        if step.enabled:
            notebook, _ = step.preprocess(notebook, resources)

    book = resources["gradebook"]
    for id in execution.unmarked:
        book.grades[id].auto_score = None
    if execution.loss:
        about = asdict(execution.loss) | {"fault": execution.loss.fault}
        outcome.loss = {"notebook": wanted.name, **about}
    outcome.scores[wanted.name] = {id: grade.auto_score for id, grade in book.grades.items()}
    outcome.comments[wanted.name] = {id: c.auto_comment for id, c in book.comments.items()}
    outcome.seconds += execution.seconds
    outcome.cpu += execution.cpu
    outcome.limit = outcome.limit or execution.limit
    outcome.sentence = " ".join(filter(None, [outcome.sentence, execution.sentence]))
    outcome.causes.update(
        {id: cause for id, cause in causes(notebook.cells).items() if id not in execution.unmarked}
    )
    # not nbformat's writer, which copies, splits and indents what nobody reads as text
    outcome.notebooks[wanted.name] = json.dumps(notebook) + "\n"


def causes(cells: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Why tests failed, so that the same reason reads the same for all.

    Where the answer's own cell is no Python, that is the reason, and not that the test
    misses the answer's name. Else it is the cause that the test's message names, or its first
    line.

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
    unread = ""  # what the parser says against the answer above
    for cell in cells:
        marks = cell.get("metadata", {}).get("nbgrader", {})
        if cell.get("cell_type") != "code":
            continue
        outputs = cell.get("outputs", [])
        error = next((o for o in outputs if o.get("output_type") == "error"), None)
        if marks.get("solution"):
            unread = _first_line(error) if error and unparsed(cell) else ""
        elif marks.get("grade") and error:
            named = NAMED.search(str(error.get("evalue", "")))
            line = named[1].strip() if named else NUMBER.sub("…", _first_line(error))
            found[str(marks.get("grade_id", ""))] = (unread or line)[:300]
    return found


def unparsed(cell: Mapping[str, Any]) -> bool:
    """Whether the grader itself found that a cell is no Python, and did not run it."""
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
    """nbgrader's preprocessors; made once a thread, since each is costly to make.

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
        after=[
            IgnorePattern(config=traits, log=quiet),
            LimitOutput(config=traits, log=quiet),
            Save(config=traits, log=quiet),
        ],
    )
