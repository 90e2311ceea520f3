"""The instructor's page about an assignment: who did how well, where it hurt, and why.

What it shows is read from the gradebook, from autograded/ and from the log of marking (see
`log`), and put into one file without scripts. Every plot stands beside its numbers.

    python -m grading ASSIGNMENT        writes it as reports/ASSIGNMENT.html
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from ..classroom import log
from ..classroom.gradebook import Part, parts, works
from ..marking.assignment import Status
from . import similarity
from .cells import cells, marks_of, source_of
from .page import number
from .page import render as page

# what nbgrader's source notebooks hold beside the solution
MARKERS = re.compile(
    r"[ \t]*### BEGIN FAULTY\n.*?### END FAULTY\n|[ \t]*### (?:BEGIN|END) SOLUTION\n?", re.DOTALL
)
FEWEST_FOR_DISCRIMINATION = 10  # students
MOST_CAUSES = 15
MOST_GROUPS = 40


@dataclass
class Facts:
    """What the page is made of."""

    assignment: str
    parts: list[Part]
    students: int  # in the gradebook
    scores: dict[str, dict[str, float | None]]  # student → part → points; None waits
    totals: dict[str, float]  # student → points, lateness taken off
    causes: Counter[tuple[str, str]] = field(default_factory=Counter)  # (part, cause) → students
    alike: list[similarity.Group] = field(default_factory=list)
    compared: int = 0  # students whose code was compared
    outcomes: dict[str, dict[str, Any]] = field(default_factory=dict)  # the log's last lines
    late: dict[str, float] = field(default_factory=dict)  # student → points taken off
    absent: list[str] = field(default_factory=list)  # of the gradebook, who handed in nothing
    due: datetime | None = None  # UTC

    @property
    def most(self) -> float:
        return sum(part.points for part in self.parts)

    @property
    def waiting(self) -> int:
        return sum(None in parts.values() for parts in self.scores.values())


def gather(coursedir: Any, gradebook: Any, assignment: str) -> Facts:
    """Gather everything that is known of an assignment.

    Parameters
    ----------
    coursedir : nbgrader.coursedir.CourseDirectory
    gradebook : nbgrader.api.Gradebook
    assignment : str

    Returns
    -------
    Facts
    """
    row = gradebook.find_assignment(assignment)
    release = Path(coursedir.format_path(coursedir.release_directory, ".", assignment))
    source = Path(coursedir.format_path(coursedir.source_directory, ".", assignment))
    order: dict[str, int] = {}
    given = worked = ""
    for path in sorted(source.glob("*.ipynb")):
        worked += "".join(map(_solution, cells(path)))
    for path in sorted(release.glob("*.ipynb")):
        for cell in cells(path):
            order.setdefault(str(marks_of(cell).get("grade_id", "")), len(order))
            given += _solution(cell)
    found = parts(gradebook, assignment)
    found.sort(key=lambda part: order.get(part.name, len(order)))
    facts = Facts(assignment, found, len(gradebook.students), {}, {})
    facts.due = row.duedate
    code: dict[str, str] = {}
    for work in works(gradebook, assignment):
        student = work.student
        facts.scores[student] = {name: mark for (_, name), mark in work.marks.items()}
        facts.totals[student] = work.points
        if work.late:
            facts.late[student] = work.late
        folder = Path(coursedir.format_path(coursedir.autograded_directory, student, assignment))
        written = ""
        for path in sorted(folder.glob("*.ipynb")):
            written += "".join(map(_solution, cells(path)))
        if written.strip():
            code[student] = written
    facts.outcomes = log.outcomes(log.read(log.path(coursedir.root, assignment)))
    for student, scores in facts.scores.items():
        for part, cause in facts.outcomes.get(student, {}).get("causes", {}).items():
            if scores.get(part) is not None:
                facts.causes[part, cause] += 1
    facts.absent = sorted(one.id for one in gradebook.students if one.id not in facts.scores)
    facts.compared = len(code)
    facts.alike = similarity.groups(code, given, MARKERS.sub("", worked))
    return facts


def _solution(cell: Mapping[str, Any]) -> str:
    """Give the source of a cell in which a student writes code."""
    if cell.get("cell_type") != "code" or not marks_of(cell).get("solution"):
        return ""
    return source_of(cell) + "\n\n"


def render(facts: Facts) -> str:
    """Make the page."""
    totals = np.array(list(facts.totals.values()))
    malformed = sum(line["status"] == Status.MALFORMED for line in facts.outcomes.values())
    figures = [(f"{len(totals)} of {facts.students}", "handed in")]
    figures.append((number(facts.most, 1), "points at most"))
    marks = None
    if len(totals):
        figures.append((number(np.mean(totals), 1), "points on average"))
        figures.append((number(np.median(totals), 1), "points, the median"))
    if len(totals) and facts.most > 0:
        marks = _histogram(totals, np.linspace(0, facts.most, 11), "{:.3g}") | {
            "quarters": np.quantile(totals, [0.25, 0.5, 0.75]),
            "full": int(np.sum(totals >= facts.most)),
            "none": int(np.sum(totals <= 0)),
        }
    figures.append((str(facts.waiting), "wait for the marker"))
    figures.append((str(malformed), "could not be read"))
    figures.append((str(len(facts.late)), "lost points for lateness"))
    order = {part.name: place for place, part in enumerate(facts.parts)}
    causes = sorted(
        facts.causes.items(), key=lambda item: (-item[1], order.get(item[0][0], 0), item[0])
    )
    limits = defaultdict(list)
    for student, line in sorted(facts.outcomes.items()):
        if line.get("limit"):
            limits[line["limit"]].append(student)
    told = [item for item in sorted(facts.outcomes.items()) if _told(item[1])]
    return page(
        "report",
        title=f"Report: {facts.assignment}",
        facts=facts,
        figures=figures,
        marks=marks,
        parts=_parts(facts),
        fewest=FEWEST_FOR_DISCRIMINATION,
        causes=causes[:MOST_CAUSES],
        rarer=len(causes[MOST_CAUSES:]),
        groups=facts.alike[:MOST_GROUPS],
        more_groups=len(facts.alike[MOST_GROUPS:]),
        seconds=_seconds(facts),
        limits=dict(sorted(limits.items(), key=lambda item: -len(item[1]))),
        wasted=sum(len(line.get("wasted") or ()) for line in facts.outcomes.values()),
        trouble=[(student, {"notes": [], **line}) for student, line in told],
    )


def _told(line: Mapping[str, Any]) -> bool:
    return bool(line["sentence"] or line.get("notes"))


def _histogram(values: Any, edges: Any, label: str) -> dict[str, Any]:
    counts = np.histogram(values, edges)[0].tolist()
    return {"counts": counts, "labels": [label.format(edge) for edge in edges]}


def _parts(facts: Facts) -> list[dict[str, Any]]:
    """Say what the class did in each part, where somebody's points are decided."""
    rows = []
    for part in facts.parts:
        done = [scores for scores in facts.scores.values() if scores.get(part.name) is not None]
        points = np.array([scores[part.name] for scores in done], dtype=float)
        if not len(points) or part.points <= 0:
            continue
        whole = np.array([sum(filter(None, scores.values())) for scores in done])
        about = {"name": part.name, "how": "test" if part.by_machine else "by hand"}
        rows.append(
            about
            | {
                "points": part.points,
                "mean": np.mean(points),
                "passed": np.mean(points >= part.points),
                "failed": np.mean(points <= 0),
                "apart": discrimination(points, whole),
            }
        )
    return rows


def discrimination(part: Any, whole: Any) -> float | None:
    """Correlate the points in one part with those in all others (item-rest correlation).

    Near 1 where those who do well otherwise do well here; near 0 where the part has nothing
    to do with the rest; below 0 where good students fail it, which often is a fault of it.

    Parameters
    ----------
    part, whole : (students,) array
        Points in the part, and in all parts.

    Returns
    -------
    float or None
        None for few students, or where all have the same points.
    """
    rest = whole - part
    if len(part) < FEWEST_FOR_DISCRIMINATION or min(np.ptp(part), np.ptp(rest)) < 1e-9:
        return None
    return float(np.corrcoef(part, rest)[0, 1])


def _seconds(facts: Facts) -> dict[str, Any] | None:
    """Say how long submissions ran."""
    seconds = [line["seconds"] for line in facts.outcomes.values() if line.get("seconds")]
    if not seconds:
        return None
    longest = max(seconds)
    return _histogram(seconds, np.linspace(0, longest, 9), "{:.2g}") | {
        "median": np.median(seconds),
        "longest": longest,
        "cpu": sum(float(line.get("cpu") or 0) for line in facts.outcomes.values()),
    }
