"""The instructor's page about an assignment: who did how well, where it hurt, and why.

What it shows is read from the gradebook, from autograded/ and from the log of marking (see
`log`), and put into one file without scripts. Every plot stands beside its numbers.

    python -m grading ASSIGNMENT        writes it as reports/ASSIGNMENT.html
"""

from __future__ import annotations

import html
import json
import re
import statistics as mathematics
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..classroom import log
from ..marking.mark import causes
from . import similarity
from .page import page
from .statistics import bins, discrimination, quantile

# what nbgrader's source notebooks hold beside the solution
MARKERS = re.compile(
    r"[ \t]*### BEGIN FAULTY\n.*?### END FAULTY\n|[ \t]*### (?:BEGIN|END) SOLUTION\n?", re.DOTALL
)
WASTED = "repeated because a process of the sandbox ended. No mark depends on that."
LEAST_FOR_DISCRIMINATION = 10  # students
MOST_CAUSES = 15
MOST_GROUPS = 40


@dataclass(frozen=True)
class Part:
    """A cell that gives points."""

    name: str
    points: float
    by_machine: bool


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

    @property
    def most(self) -> float:
        return sum(part.points for part in self.parts)

    @property
    def waiting(self) -> int:
        return sum(None in parts.values() for parts in self.scores.values())


def gather(coursedir: Any, gradebook: Any, assignment: str) -> Facts:
    """Everything that is known of an assignment.

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
        worked += "".join(_solution(cell) for cell in _cells(path))
    for path in sorted(release.glob("*.ipynb")):
        for cell in _cells(path):
            order.setdefault(_grade_id(cell), len(order))
            given += _solution(cell)
    parts = [
        Part(cell.name, cell.max_score, getattr(cell, "cell_type", "markdown") == "code")
        for notebook in row.notebooks
        for cell in (*notebook.grade_cells, *notebook.task_cells)
    ]
    parts.sort(key=lambda part: order.get(part.name, len(order)))
    facts = Facts(assignment, parts, len(gradebook.students), {}, {})
    code: dict[str, str] = {}
    for submission in gradebook.assignment_submissions(assignment):
        student = submission.student_id
        facts.scores[student] = {
            grade.name: None if grade.needs_manual_grade else grade.score
            for notebook in submission.notebooks
            for grade in notebook.grades
        }
        penalty = submission.late_submission_penalty or 0.0
        facts.totals[student] = max(0.0, submission.score - penalty)
        if penalty:
            facts.late[student] = penalty
        folder = Path(coursedir.format_path(coursedir.autograded_directory, student, assignment))
        written = ""
        for path in sorted(folder.glob("*.ipynb")):
            cells = _cells(path)
            written += "".join(map(_solution, cells))
            decided = {name for name, score in facts.scores[student].items() if score is not None}
            facts.causes.update(c for c in causes(cells).items() if c[0] in decided)
        if written.strip():
            code[student] = written
    facts.outcomes = log.outcomes(log.read(log.path(coursedir.root, assignment)))
    facts.compared = len(code)
    facts.alike = similarity.groups(code, given, MARKERS.sub("", worked))
    return facts


def _cells(path: Path) -> list[dict[str, Any]]:
    try:
        return json.loads(path.read_text(encoding="utf-8"))["cells"]
    except (OSError, ValueError, KeyError):
        return []


def _marks(cell: Mapping[str, Any]) -> Mapping[str, Any]:
    return cell.get("metadata", {}).get("nbgrader", {})


def _grade_id(cell: Mapping[str, Any]) -> str:
    return str(_marks(cell).get("grade_id", ""))


def _solution(cell: Mapping[str, Any]) -> str:
    """The source of a cell in which a student writes code."""
    if cell.get("cell_type") != "code" or not _marks(cell).get("solution"):
        return ""
    return "".join(cell["source"]) + "\n\n"


# The page

STYLE = """
.figures { display: flex; flex-wrap: wrap; gap: 0.6rem; padding: 0; margin: 1rem 0; }
.figures li {
  list-style: none; padding: 0.5rem 0.9rem; border: 1px solid var(--line); border-radius: 0.5rem;
}
.figures strong { display: block; font-size: 1.4rem; font-variant-numeric: tabular-nums; }
figure { margin: 1rem 0; max-width: 36rem; }
figcaption { color: var(--muted); font-size: 0.9rem; }
.bar { fill: var(--accent); }
.track { fill: var(--line); }
.axis { stroke: var(--edge); stroke-width: 1; }
svg text { fill: var(--ink); font: 13px system-ui, sans-serif; }
td.share { white-space: nowrap; }
svg.inline { margin-left: 0.5rem; width: 5rem; height: 0.8rem; vertical-align: middle; }
.warn { color: var(--warm); font-weight: 600; }
"""


def render(facts: Facts) -> str:
    """The page."""
    title = f"Report: {facts.assignment}"
    body = [
        f"<header><h1>{_text(title)}</h1></header>\n<main>",
        _summary(facts),
        _distribution(facts),
        _parts(facts),
        _causes(facts),
        _alike(facts),
        _effort(facts),
        _trouble(facts),
        "</main>",
    ]
    return page(title, "\n".join(filter(None, body)), style=STYLE)


def _text(value: Any) -> str:
    return html.escape(str(value))


def _number(value: float | None, digits: int = 1) -> str:
    return "–" if value is None else f"{round(value, digits):g}"


def _plural(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"


def _table(caption: str, head: Sequence[str], rows: Sequence[Sequence[str]], numbers: str) -> str:
    """A table whose columns are text (t), numbers (n), or numbers with a bar (s)."""
    if not rows:
        return ""

    def cell(tag: str, kind: str, text: str, extra: str = "") -> str:
        kinds = {"n": ' class="number"', "s": ' class="share"'}
        return f"<{tag}{kinds.get(kind, '')}{extra}>{text}</{tag}>"

    top = "".join(
        cell("th", kind, text, ' scope="col"') for kind, text in zip(numbers, head, strict=True)
    )
    lines = []
    for row in rows:
        first = cell("th", "t", row[0], ' scope="row"')
        rest = "".join(
            cell("td", kind, text) for kind, text in zip(numbers[1:], row[1:], strict=True)
        )
        lines.append(f"<tr>{first}{rest}</tr>")
    return (
        f'<div class="scroll" tabindex="0"><table>\n<caption>{caption}</caption>\n'
        f"<thead><tr>{top}</tr></thead>\n<tbody>\n"
        + "\n".join(lines)
        + "\n</tbody>\n</table></div>"
    )


def _bars(counts: Sequence[int], labels: Sequence[str], below: str, said: str, unit: str) -> str:
    """A histogram, its numbers above the bars, and in words for who does not see it."""
    width, height, foot = 480, 200, 42
    step = width / max(len(counts), 1)
    most = max([*counts, 1])
    shapes = [f'<line class="axis" x1="0" x2="{width}" y1="{height}" y2="{height}"/>']
    for place, count in enumerate(counts):
        tall = (height - 24) * count / most
        x = place * step
        if count:
            shapes.append(
                f'<rect class="bar" x="{x + 2:.1f}" y="{height - tall:.1f}" '
                f'width="{step - 4:.1f}" height="{tall:.1f}"/>'
                f'<text x="{x + step / 2:.1f}" y="{height - tall - 5:.1f}" '
                f'text-anchor="middle">{count}</text>'
            )
    for place, label in enumerate(labels):
        shapes.append(
            f'<text x="{place * step:.1f}" y="{height + 17}" '
            f'text-anchor="middle">{_text(label)}</text>'
        )
    shapes.append(
        f'<text x="{width / 2}" y="{height + 36}" text-anchor="middle">{_text(below)}</text>'
    )
    margin = 20  # for half a label on either side
    return (
        f'<figure><svg viewBox="{-margin} 0 {width + 2 * margin} {height + foot}" role="img" '
        f'aria-label="{_text(said)}">{"".join(shapes)}</svg>'
        f"<figcaption>{_text(unit)}</figcaption></figure>"
    )


def _part_of(share: float) -> str:
    """A bar that repeats the number beside it."""
    share = min(max(share, 0.0), 1.0)
    return (
        '<svg class="inline" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="track" width="100" height="10"/>'
        f'<rect class="bar" width="{100 * share:.1f}" height="10"/></svg>'
    )


def _summary(facts: Facts) -> str:
    totals = list(facts.totals.values())
    malformed = sum(line.get("status") == "malformed" for line in facts.outcomes.values())
    figures = [
        (f"{len(totals)} of {facts.students}", "handed in"),
        (_number(facts.most), "points at most"),
    ]
    if totals:
        figures += [
            (_number(mathematics.fmean(totals)), "points on average"),
            (_number(quantile(totals, 0.5)), "points, the median"),
        ]
    figures += [
        (str(facts.waiting), "wait for the marker"),
        (str(malformed), "could not be read"),
        (str(len(facts.late)), "lost points for lateness"),
    ]
    items = "".join(f"<li><strong>{_text(a)}</strong> {_text(b)}</li>" for a, b in figures)
    text = f'<ul class="figures">{items}</ul>'
    if facts.waiting:
        text += (
            f'<p class="warn">{_plural(facts.waiting, "submission has", "submissions have")} '
            "answers that a person must mark; until then the points here are too low.</p>"
        )
    return text


def _distribution(facts: Facts) -> str:
    totals = list(facts.totals.values())
    if not totals or facts.most <= 0:
        return "<h2>Marks</h2><p>Nothing has been marked yet.</p>"
    edges = [facts.most * step / 10 for step in range(11)]
    counts = bins(totals, edges)
    labels = [_number(edge) for edge in edges]
    said = "Histogram of the points. " + "; ".join(
        f"{labels[k]} to {labels[k + 1]}: {count}" for k, count in enumerate(counts)
    )
    quarters = [_number(quantile(totals, share)) for share in (0.25, 0.5, 0.75)]
    text = (
        f"<h2>Marks</h2>\n{_bars(counts, labels, 'points', said, 'Students by points.')}\n"
        f"<p>A quarter of the class has at most {quarters[0]} points, half at most {quarters[1]}, "
        f"a quarter more than {quarters[2]}. Full marks: "
        f"{_plural(sum(t >= facts.most for t in totals), 'student', 'students')}; none at all: "
        f"{_plural(sum(t <= 0 for t in totals), 'student', 'students')}.</p>"
    )
    return text


def _parts(facts: Facts) -> str:
    rows = []
    for part in facts.parts:
        done = {
            student: scores[part.name]
            for student, scores in facts.scores.items()
            if scores.get(part.name) is not None
        }
        points = [float(value or 0) for value in done.values()]
        if not points or part.points <= 0:
            continue
        passed = sum(value >= part.points for value in points) / len(points)
        whole = [
            sum(float(value or 0) for value in facts.scores[student].values()) for student in done
        ]
        enough = len(points) >= LEAST_FOR_DISCRIMINATION
        apart = discrimination(points, whole) if enough else None
        shown = _number(apart, 2)
        if apart is not None and apart < 0:
            shown = f'<span class="warn">{shown}</span>'
        rows.append(
            [
                _text(part.name),
                "test" if part.by_machine else "by hand",
                _number(part.points),
                _number(mathematics.fmean(points)),
                f"{100 * passed:.0f} % {_part_of(passed)}",
                f"{100 * sum(value <= 0 for value in points) / len(points):.0f} %",
                shown,
            ]
        )
    if not rows:
        return ""
    table = _table(
        "Each part, in the order of the assignment",
        ["Part", "How", "Points", "Average", "All points", "No points", "Discrimination"],
        rows,
        "ttnnsnn",
    )
    return (
        f"<h2>Exercises</h2>\n{table}\n<p>Discrimination is the correlation between the points in "
        "a part and the points in all the others together (item-rest correlation). Near 1, who "
        "does well elsewhere does well here; near 0, the part has little to do with the rest; "
        "below 0, good students fail it, which is often a fault of the exercise. It is shown "
        f"from {LEAST_FOR_DISCRIMINATION} students on, and is a dash where all have the same.</p>"
    )


def _causes(facts: Facts) -> str:
    if not facts.causes:
        return ""
    handed_in = max(len(facts.scores), 1)
    order = {part.name: place for place, part in enumerate(facts.parts)}
    common = sorted(
        facts.causes.items(), key=lambda item: (-item[1], order.get(item[0][0], 0), item[0])
    )
    rows = [
        [
            re.sub(r"`([^`]+)`", r"<code>\1</code>", _text(cause)),
            _text(part),
            f"{count} {_part_of(count / handed_in)}",
        ]
        for (part, cause), count in common[:MOST_CAUSES]
    ]
    rest = len(common) - len(rows)
    more = (
        f"<p>{_plural(rest, 'rarer cause is', 'rarer causes are')} not listed.</p>" if rest else ""
    )
    table = _table(
        "Why tests failed, in the words of the tests", ["Cause", "Part", "Students"], rows, "tts"
    )
    return f"<h2>What went wrong</h2>\n{table}\n{more}"


def _alike(facts: Facts) -> str:
    text = (
        "<h2>Attempts that look alike</h2>\n<p>Names, comments and spaces are not compared, nor is "
        "what the release gave, nor what many students share: a short exercise has few right "
        "answers. What is listed is a reason to look, and proves nothing.</p>\n"
    )
    rows = []
    for group in facts.alike[:MOST_GROUPS]:
        how = f"{100 * group.similarity:.0f} % of the rarer passages, {group.shared} of them"
        if group.same:
            how = "the same, letter for letter"
        if group.solution:
            how = "the worked solution, letter for letter"
        rows.append([_text(", ".join(group.students)), how])
    if not rows:
        return text + f"<p>Among {_plural(facts.compared, 'attempt', 'attempts')}: none.</p>"
    rest = len(facts.alike) - len(rows)
    if rest:
        text += (
            f"<p>{_plural(rest, 'pair that is', 'pairs that are')} less alike are left out.</p>\n"
        )
    return text + _table(
        f"Among {_plural(facts.compared, 'attempt', 'attempts')}", ["Students", "Alike"], rows, "tt"
    )


def _effort(facts: Facts) -> str:
    seconds = [float(line["seconds"]) for line in facts.outcomes.values() if line.get("seconds")]
    if not seconds:
        return ""
    longest = max(seconds)
    edges = [longest * step / 8 for step in range(9)]
    counts = bins(seconds, edges)
    labels = [f"{edge:.2g}" for edge in edges]
    said = "Histogram of the seconds that marking took. " + "; ".join(
        f"{labels[k]} to {labels[k + 1]} s: {count}" for k, count in enumerate(counts)
    )
    limits = Counter(str(line["limit"]) for line in facts.outcomes.values() if line.get("limit"))
    hit = _table(
        "Limits that were hit",
        ["Limit", "Submissions", "Who"],
        [
            [
                _text(limit),
                str(count),
                _text(
                    ", ".join(
                        sorted(s for s, o in facts.outcomes.items() if o.get("limit") == limit)[:12]
                    )
                ),
            ]
            for limit, count in limits.most_common()
        ],
        "tnt",
    )
    cpu = sum(float(line.get("cpu") or 0) for line in facts.outcomes.values())
    wasted = sum(len(line.get("wasted") or ()) for line in facts.outcomes.values())
    return (
        "<h2>Time and limits</h2>\n"
        + _bars(counts, labels, "seconds", said, "Submissions by the seconds that they ran.")
        + f"\n<p>Half took at most {quantile(seconds, 0.5):.2g} s, the longest {longest:.2g} s; "
        f"{cpu:.3g} s of processor time in all.</p>\n"
        + (hit or "<p>No submission hit a limit.</p>")
        + (f"\n<p>{_plural(wasted, 'run was', 'runs were')} {WASTED}</p>" * bool(wasted))
    )


def _trouble(facts: Facts) -> str:
    rows = [
        [_text(student), _text(line.get("status", "")), _text(line["sentence"])]
        for student, line in sorted(facts.outcomes.items())
        if line.get("sentence")
    ]
    if not rows:
        return ""
    return "<h2>Submissions with a problem</h2>\n" + _table(
        "What each of these students was told, too",
        ["Student", "Status", "What it is"],
        rows,
        "ttt",
    )
