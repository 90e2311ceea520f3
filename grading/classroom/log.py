"""The audit trail: a file a line in JSON for everything that happened to an assignment.

Lines are only ever added, and each is on the disk before the next step is taken. What a
killed process wrote of its last line is passed over when the file is read.

Each line has "event" and "time" (UTC, ISO 8601). Events:

"collected" "before": student → what Canvas put before the name of the file, to give it back
"batch"     a run began: "assignment", "submissions" (how many there are), "specification"
            (its hash), "environment" (versions)
"outcome"   a submission was marked: "assignment", "student", "key", "work" (the hash of what was
            handed in), and all of
            `marking.Outcome` but the notebooks: "status", "sentence", "notes", "scores",
            "comments", "causes", "seconds", "cpu", "limit", "loss", "wasted"
"merged"    "students": their last outcomes are in the gradebook
"feedback"  "keys": student → what the pages hang on that were written
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import logging
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

FOLDER = "grading-log"  # in the course's folder


def path(root: str | os.PathLike[str], assignment: str) -> Path:
    """Say where the log of an assignment is."""
    return Path(root) / FOLDER / f"{assignment}.jsonl"


def read(file: str | os.PathLike[str]) -> list[dict[str, Any]]:
    """Read all whole lines, oldest first; none if there is no file.

    Parameters
    ----------
    file : path

    Returns
    -------
    list of dict
    """
    try:
        raw = Path(file).read_bytes()
    except FileNotFoundError:
        return []
    events = []
    for line in raw.split(b"\n"):
        with contextlib.suppress(ValueError):  # a line torn by a kill
            event = json.loads(line)
            if isinstance(event, dict):
                events.append(event)
    return events


def outcomes(events: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Find the last outcome of each student."""
    return {event["student"]: event for event in events if event.get("event") == "outcome"}


def last(events: list[dict[str, Any]], event: str, name: str) -> dict[str, str]:
    """Find what was said last of each student, in events that hold it by student."""
    lines = [line[name] for line in events if line.get("event") == event]
    return {student: said for line in lines for student, said in line.items()}


class Log:
    """A log that is open for writing, by one process at a time."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file

    def write(self, event: str, **about: Any) -> dict[str, Any]:
        """Add a line. It is on the disk when this returns."""
        line = {"event": event, "time": datetime.now(UTC).isoformat(timespec="seconds"), **about}
        self.file.write(json.dumps(line).encode() + b"\n")
        self.file.flush()
        os.fsync(self.file.fileno())
        return line


def _take(file: int, others: str) -> None:
    """Lock a file for this process; say who has it, and wait."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        logging.getLogger("grading").warning("Another run is %s; wait for it.", others)
        fcntl.flock(file, fcntl.LOCK_EX)


@contextlib.contextmanager
def alone(root: Path) -> Iterator[None]:
    """Let one command at a time into a course; a second one waits for the first."""
    folder = root / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    handle = os.open(folder, os.O_RDONLY)
    try:
        _take(handle, "at work in this course")
        yield
    finally:
        os.close(handle)


@contextlib.contextmanager
def opened(file: Path) -> Iterator[Log]:
    """Open a log for writing; a second run on the same assignment waits for the first."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with open(file, "ab+") as handle:
        _take(handle.fileno(), f"marking {file.stem}")
        end = handle.seek(0, os.SEEK_END)
        if end:
            handle.seek(end - 1)
            if handle.read(1) != b"\n":  # torn: what follows shall be a line of its own
                handle.seek(0, os.SEEK_END)
                handle.write(b"\n")
        yield Log(handle)
