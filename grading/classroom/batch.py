"""A class's submissions of one assignment, from the folder to the gradebook.

Every submission has a key: a hash of the assignment, of the environment and of its own
content. As soon as one is marked, its notebook is put into its place and its scores into
the log, in this order; at the end all new scores go into the gradebook in one transaction,
their keys with them. So a run may be killed at any moment: the next one marks what the log
does not know, brings in what the gradebook does not have, and does nothing twice.
"""

from __future__ import annotations

import contextlib
import glob
import json
import logging
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..marking import intake
from ..marking.assignment import TIMESTAMP, Outcome, Specification, Status, Submission, environment
from . import gradebook, late, log, seeds, workers
from .files import replace
from .gradebook import Result

if TYPE_CHECKING:
    from nbgrader.plugins import LateSubmissionPlugin

PICTURES = (".png", ".jpg", ".jpeg", ".gif")
KEY_FILE = ".course-key"  # in the course's folder


@dataclass(frozen=True)
class Settings:
    """How a course marks."""

    packages: tuple[str, ...] = ()  # Python packages that submissions may import by name
    hidden: str = ""  # where a source notebook's metadata lists modules hidden from students
    limits: dict[str, float] = field(default_factory=dict)  # of `room.Limits`
    unsafe: bool = False  # without a box
    dask: str = ""  # address of a scheduler; otherwise this machine
    jobs: int = 0  # at once on this machine; 0 for as many as there are cores
    course_key: str = ""  # file of the key for students' seeds; by default .course-key
    config: dict[str, dict[str, Any]] = field(default_factory=dict)  # of nbgrader's preprocessors


@dataclass
class Report:
    """What a run did. Student → the line of the log."""

    marked: dict[str, dict[str, Any]] = field(default_factory=dict)  # in this run
    kept: dict[str, dict[str, Any]] = field(default_factory=dict)  # known, and unchanged

    def with_status(self, status: Status) -> dict[str, dict[str, Any]]:
        every = self.kept | self.marked
        return {student: line for student, line in every.items() if line["status"] == status}


def grade(
    coursedir: Any,
    assignment: str,
    settings: Settings | None = None,
    *,
    students: Sequence[str] | None = None,
    force: bool = False,
    parts: Sequence[str] = (),
    create_students: bool = True,
    lateness: LateSubmissionPlugin | None = None,
    permissions: int = 0o444,
    progress: bool | None = None,
    logger: logging.Logger | None = None,
) -> Report:
    """Mark an assignment's submissions that are new or changed.

    Parameters
    ----------
    coursedir : nbgrader.coursedir.CourseDirectory
        Where everything is.
    assignment : str
    settings : Settings, optional
    students : sequence of str, optional
        Only these.
    force : bool, optional
        Mark also what has not changed.
    parts : sequence of str, optional
        Mark also what has not changed, and take over of it the points of these parts alone.
    create_students : bool, optional
        Whether students may be new to the gradebook.
    lateness : LateSubmissionPlugin, optional
        What handing in late costs; see `late`.
    permissions : int, optional
        Of the files in autograded/.
    progress : bool, optional
        Whether to show a bar; by default, where there is a terminal.
    logger : Logger, optional

    Returns
    -------
    Report

    Raises
    ------
    LookupError
        The assignment has not been released.
    BoxUnavailable
        There is no box on this machine, and `settings.unsafe` is not set.
    """
    from tqdm import tqdm

    settings = settings or Settings()
    logger = logger or logging.getLogger("grading")
    trail_file = log.path(coursedir.root, assignment)
    with (
        log.opened(trail_file) as trail,
        gradebook.opened(coursedir.db_url, coursedir.course_id) as book,
    ):
        spec = specification(book, coursedir, assignment, settings)
        folders = submitted(coursedir, assignment)
        if students is not None:
            folders = {student: folders[student] for student in students if student in folders}
        if not create_students:
            folders = _known(book, folders, logger)
        key_file = settings.course_key or os.path.join(coursedir.root, KEY_FILE)
        batch = _Batch(
            coursedir,
            spec,
            folders,
            course_key=seeds.course_key(key_file),
            events=log.read(trail_file),
            merged=gradebook.keys(book, assignment),
            force=force,
            parts=frozenset(parts),
        )
        book.db.rollback()  # the batch may be long: hold no transaction meanwhile
        trail.write(
            "batch",
            assignment=assignment,
            submissions=len(folders),
            specification=spec.digest,
            environment=spec.environment,
        )
        outcomes = (
            workers.on_dask(spec, batch.plan(logger), settings.dask)
            if settings.dask
            else workers.here(spec, batch.plan(logger), settings.jobs, lambda: batch.left)
        )
        hidden = None if progress is None else not progress
        with (
            tqdm(total=len(folders), desc=assignment, disable=hidden) as bar,
            contextlib.closing(outcomes),
        ):
            try:
                for submission, outcome in outcomes:
                    batch.record(trail, submission, outcome, permissions)
                    bar.update(bar.total - batch.left - bar.n)
            finally:
                # also after Ctrl-C: what is marked is marked
                if batch.results:
                    gradebook.merge(book, assignment, batch.results)
                    trail.write("merged", students=[result.student for result in batch.results])
                if lateness:
                    late.update(book, assignment, lateness)
            bar.update(bar.total - batch.left - bar.n)
    for student, line in batch.report.marked.items():
        if line["sentence"]:
            logger.warning("%s, %s: %s", assignment, student, line["sentence"])
    return batch.report


@dataclass
class _Batch:
    """One run over a class: what is to be marked, and what has come of it."""

    coursedir: Any
    spec: Specification
    folders: Mapping[str, Path]  # by student
    course_key: bytes
    events: list[dict[str, Any]]  # the log's
    merged: Mapping[str, tuple[str, datetime | None]]  # student → key and time in the gradebook
    force: bool
    parts: frozenset[str]  # all that is taken over of work that has not changed; empty for all
    report: Report = field(default_factory=Report)
    results: list[Result] = field(default_factory=list)  # that the gradebook does not have
    keys: dict[str, str] = field(default_factory=dict)
    times: dict[str, datetime | None] = field(default_factory=dict)
    works: dict[str, str] = field(default_factory=dict)  # student → hash of what was handed in

    def __post_init__(self) -> None:
        self.known = log.outcomes(self.events)
        self.marked_works = {  # whose result has this key → hash of what it is the result of
            (line["student"], line["key"]): line.get("work")
            for line in self.events
            if line["event"] == "outcome"
        }

    @property
    def left(self) -> int:
        """How many submissions are not done, at most."""
        return len(self.folders) - len(self.report.marked) - len(self.report.kept)

    def plan(self, logger: logging.Logger) -> Iterator[Submission]:
        """Yield the submissions to mark, each read when it is needed."""
        for student, folder in self.folders.items():
            seed = seeds.seed(self.course_key, self.spec.assignment, student)
            submission = intake.load(folder, student, seed)
            key = self.keys[student] = self.spec.key(submission)
            self.works[student] = submission.digest
            time = self.times[student] = _timestamp(submission, logger)
            line = self.known.get(student)
            if (
                self.force
                or self.parts
                or line is None
                or line["key"] != key
                or line["status"] == Status.FAILED
                or line.get("loss")  # of tests that were not decided
                or not self._destination(student).is_dir()
            ):
                yield submission
                continue
            self.report.kept[student] = line
            merged, since = self.merged.get(student, ("", None))
            if merged != key or time not in (None, since):
                self._bring_in(line, again=False)

    def record(
        self, trail: log.Log, submission: Submission, outcome: Outcome, permissions: int
    ) -> None:
        """Put the notebook in its place, then the scores in the log; the gradebook comes last."""
        student = submission.student
        if outcome.status != Status.FAILED:
            files = {f"{name}.ipynb": text.encode() for name, text in outcome.notebooks.items()}
            files |= self.spec.files
            # of the student's own files, pictures for a written answer: formgrader serves what
            # is here, and must not serve a page with a script
            for name, content in submission.files.items():
                if (name == TIMESTAMP or name.lower().endswith(PICTURES)) and "/" not in name:
                    files.setdefault(name, content)
            replace(self._destination(student), files, permissions=permissions)
        about = asdict(outcome)
        del about["notebooks"]
        about |= {"assignment": self.spec.assignment, "key": self.keys[student]}
        about["work"] = self.works[student]
        line = self.report.marked[student] = trail.write("outcome", student=student, **about)
        if outcome.status != Status.FAILED:
            # what was not decided before has its key in the gradebook already
            before = self.known.get(student, {})
            self._bring_in(line, again=self.force or bool(self.parts or before.get("loss")))

    def _bring_in(self, line: Mapping[str, Any], again: bool) -> None:
        student = line["student"]
        before, _ = self.merged.get(student, ("", None))
        same = self.marked_works.get((student, before)) == self.works[student]
        self.results.append(
            Result(
                student,
                line["key"],
                self.times[student],
                line["scores"],
                line["comments"],
                again,
                same,
                self.parts if same else frozenset(),
            )
        )

    def _destination(self, student: str) -> Path:
        directory = self.coursedir.autograded_directory
        return Path(self.coursedir.format_path(directory, student, self.spec.assignment))


def submitted(coursedir: Any, assignment: str) -> dict[str, Path]:
    """Find the folders handed in for an assignment, by student."""

    def where(student: str, escape: bool = False) -> str:
        return coursedir.format_path(
            coursedir.submitted_directory, student, assignment, escape=escape
        )

    pattern = re.compile(where("(?P<student_id>[^/]+)", escape=True))
    pattern_of_names = coursedir.student_id or "*"
    excluded = (coursedir.student_id_exclude or "").split(",")
    found = {}
    for name in sorted(glob.glob(where(pattern_of_names))):
        match = pattern.fullmatch(name)
        if match and match["student_id"] not in excluded:
            found[match["student_id"]] = Path(name)
    return found


def specification(book: Any, coursedir: Any, assignment: str, settings: Settings) -> Specification:
    """Gather all that marking hangs on, from the gradebook and the source's folder."""
    source = Path(coursedir.format_path(coursedir.source_directory, ".", assignment))
    order, hidden = {}, set()
    texts = {path: path.read_text(encoding="utf-8") for path in sorted(source.glob("*.ipynb"))}
    for path, text in texts.items():
        document = json.loads(text)
        order[path.stem] = [
            cell["metadata"]["nbgrader"].get("grade_id", "")
            for cell in document["cells"]
            if "nbgrader" in cell["metadata"]
        ]
        value: Any = document["metadata"]
        for name in filter(None, settings.hidden.split(".")):
            value = value.get(name, {})
        hidden |= set(value if settings.hidden else ())
    return Specification(
        assignment=assignment,
        notebooks=gradebook.notebooks(book, assignment, order),
        files=_beside(source),
        packages=tuple(settings.packages),
        unavailable=tuple(sorted(hidden)),
        limits=dict(settings.limits),
        figures=not texts or any("matplotlib" in text for text in texts.values()),
        unsafe=settings.unsafe,
        config=settings.config,
        environment=environment(tuple(settings.packages)),
    )


def _beside(source: Path) -> dict[str, bytes]:
    """Read the files that an assignment comes with, which nbgrader copies beside its notebooks."""
    if not source.is_dir():
        return {}
    read = intake.load(source, "")
    if read.unread:
        raise ValueError(f"In {source}: {' '.join(read.unread.values())}")
    return {name: data for name, data in read.files.items() if not name.endswith(".ipynb")}


def _known(book: Any, folders: dict[str, Path], logger: logging.Logger) -> dict[str, Path]:
    names = gradebook.students(book)
    for student in folders.keys() - names:
        logger.error("%s is not in the gradebook, and was not marked.", student)
    return {student: folder for student, folder in folders.items() if student in names}


def _timestamp(submission: Submission, logger: logging.Logger) -> datetime | None:
    """Read when it was collected, as the collector wrote it."""
    from dateutil.tz import gettz
    from nbgrader.utils import parse_utc

    text = submission.files.get(TIMESTAMP, b"").decode("utf-8", "replace").strip()
    if not text:
        return None
    zone = re.fullmatch(r"\S+ \S+ ([A-Za-z]\S*)", text)
    if zone and gettz(zone[1]) is None:  # nbgrader would take it for UTC
        logger.warning(
            "%s: its %s names a time zone that is not understood, %r; the time is not used.",
            *(submission.student, TIMESTAMP, zone[1]),
        )
        return None
    try:
        return parse_utc(text)
    except (ValueError, OverflowError):
        logger.warning("%s: its %s holds no time.", submission.student, TIMESTAMP)
        return None
