"""The nouns of marking: an assignment, what was handed in, what became of it.

A `Specification` is all that must be known of an assignment: what its cells hold, what
they are worth, what the box offers. It is read from the gradebook once a batch
(`gradebook.specification`), travels as JSON, and is part of the key under which a result
is remembered.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import importlib.metadata
import importlib.util
import json
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from ..sandbox.room import Limits, Room

TIMESTAMP = "timestamp.txt"  # written by the collector, read by nbgrader


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
        """Make what nbgrader's own metadata of the cell are."""
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
        """Make the cell itself."""
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
    limits: Mapping[str, Any] = field(default_factory=dict)  # of `room.Limits`
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
        """Hash what a result hangs on: assignment, environment and submission, by content."""
        return hashlib.sha256(f"{self.digest} {submission.digest}".encode()).hexdigest()

    def room(self) -> Room:
        """Start the warm, boxed processes in which submissions of this assignment run."""
        return Room(
            packages=self.packages,
            unavailable=self.unavailable,
            files=self.files,
            limits=Limits(**self.limits),
            figures=self.figures,
            unsafe=self.unsafe,
        )


def environment(packages: tuple[str, ...]) -> dict[str, str]:
    """Find the versions on which a mark may hang; packages in place by their content."""
    here = Path(__file__).parents[1]
    versions = {"python": platform.python_version()}
    versions |= {f"grading.{room}": _content(here / room) for room in ("marking", "sandbox")}
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


def _content(path: Path) -> str:
    """Hash a package's Python files."""
    files = sorted(path.rglob("*.py")) if path.is_dir() else [path]
    found = hashlib.sha256()
    for file in files:
        found.update(f"{file.relative_to(path)}\0".encode() + file.read_bytes() + b"\0")
    return found.hexdigest()[:16]


@dataclass(frozen=True)
class Submission:
    """What one student handed in for one assignment."""

    student: str
    files: Mapping[str, bytes] = field(repr=False)  # name with / between folders → content
    # what was left out on reading → why, a sentence; "" for the folder itself
    unread: Mapping[str, str] = field(default_factory=dict)
    seed: int = 0

    @functools.cached_property
    def digest(self) -> str:
        """Hash all that can change the marks; the time of collection cannot."""
        found = hashlib.sha256(json.dumps([self.student, dict(self.unread), self.seed]).encode())
        for name in sorted(self.files):
            if name != TIMESTAMP:
                content = self.files[name]
                found.update(json.dumps([name, len(content)]).encode())
                found.update(content)
        return found.hexdigest()


class Status(StrEnum):
    """How far a submission came."""

    MARKED = "marked"
    MALFORMED = "malformed"  # no notebook: its marks are 0
    UNCLEAR = "unclear"  # a person must say which of several notebooks counts: no marks
    FAILED = "failed"  # the grader's fault: no marks, and the next run tries again


@dataclass
class Outcome:
    """What became of a submission. JSON can hold it."""

    status: Status
    sentence: str = ""  # what is wrong, for the instructor and the student
    notes: list[str] = field(default_factory=list)  # what was put right, a sentence each
    scores: dict[str, dict[str, float | None]] = field(default_factory=dict)
    # notebook → grade_id → points given by the machine, None where a person must mark
    comments: dict[str, dict[str, str | None]] = field(default_factory=dict)
    causes: dict[str, str] = field(default_factory=dict)  # grade_id → why the test failed
    seconds: float = 0.0  # by the clock
    cpu: float = 0.0
    limit: str | None = None  # the limit that was hit
    loss: dict[str, Any] | None = None  # `room.Loss` and "notebook": to be marked again
    wasted: list[dict[str, Any]] = field(default_factory=list)  # runs that came to nothing, and why
    notebooks: dict[str, str] = field(default_factory=dict, repr=False)  # name → autograded JSON


class Malformed(ValueError):
    """The submission cannot be marked; the message is a sentence for its author."""


class Unclear(Malformed):
    """Which notebook is meant is a question to the instructor."""
