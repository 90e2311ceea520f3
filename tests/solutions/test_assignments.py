"""The rules of an assignment, proved by running it: each holds for every folder of solutions/."""

from __future__ import annotations

import ast
import importlib
import itertools
import json
import re
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest
from exercises import ROOT, SLUGS, Assignment, Cell, failure, solved

from rnnlib.testing import Mismatch

BEGIN = re.compile(r"BEGIN (SOLUTION|FAULTY|HIDDEN TESTS|MARK SCHEME)")
END = re.compile(r"END (SOLUTION|FAULTY|HIDDEN TESTS|MARK SCHEME)")

pytestmark = pytest.mark.parametrize("slug", SLUGS)


def release_of(course: Path, slug: str) -> Assignment:
    return Assignment(course / "exercises" / slug / f"{slug}.ipynb")


def region(cell: Cell, kind: str) -> list[str]:
    """The lines of a cell's regions of one kind, markers left out."""
    inside, lines = False, []
    for line in cell.source.splitlines():
        if f"BEGIN {kind}" in line:
            inside = True
        elif f"END {kind}" in line:
            inside = False
        elif inside:
            lines.append(line)
    return lines


def outside(cell: Cell) -> list[str]:
    """The lines of a cell that stand in no region."""
    inside, lines = False, []
    for line in cell.source.splitlines():
        if BEGIN.search(line) or END.search(line):
            inside = bool(BEGIN.search(line))
        elif not inside:
            lines.append(line)
    return lines


def squeezed(text: str) -> str:
    return " ".join(text.split())


def strings(thing: Any) -> list[str]:
    """Every text of a notebook, wherever it stands; a list of lines is one text."""
    if isinstance(thing, str):
        return [thing]
    if isinstance(thing, list):
        if thing and all(isinstance(item, str) for item in thing):
            return ["".join(thing)]
        return [text for item in thing for text in strings(item)]
    if isinstance(thing, dict):
        return [*thing, *(text for item in thing.values() for text in strings(item))]
    return []


RUNNER = """
import json, logging, sys, time
import numpy, matplotlib
logging.getLogger("matplotlib.font_manager").setLevel("ERROR")  # it warns where fonts take 5 s
matplotlib.use("agg")
import matplotlib.pyplot

class OnlyThese:
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        if top in sys.stdlib_module_names or top == "rnnlib" or top in self.loaded:
            return None
        raise ModuleNotFoundError(f"{name} is not NumPy, Matplotlib or rnnlib")

OnlyThese.loaded = {name.partition(".")[0] for name in sys.modules}
sys.meta_path.insert(0, OnlyThese())
scope = {"__name__": "__main__"}
for id, source in json.load(sys.stdin):
    exec(compile(source, f"<cell {id}>", "exec"), scope)
print(time.process_time())
"""


def test_the_solution_earns_everything_with_numpy_matplotlib_and_rnnlib_alone(slug: str) -> None:
    """Every cell runs, tests and pictures; a single core needs less than a minute."""
    cells = [(c.id, c.source) for c in solved(slug).cells if c.kind == "code"]
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", RUNNER],
        input=json.dumps(cells),
        capture_output=True,
        text=True,
        timeout=1800,
        cwd=ROOT,
    )
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    seconds = float(result.stdout.split()[-1])  # of the processor
    print(f"{slug}: {seconds:.1f} s")
    assert seconds < 60


def test_the_stub_earns_nothing_and_says_what_is_missing(slug: str, course: Path) -> None:
    released = release_of(course, slug)
    scope = released.namespace()
    faulty = {c.id for c in solved(slug).cells if region(c, "FAULTY")}
    for function, (cell, tests) in released.exercises().items():
        assert tests, f"{function} has no test"
        for test in tests:
            error = failure([test], scope)
            assert isinstance(error, Mismatch), f"{test.id}: {error!r}"
            if cell.id in faulty and not re.search("is not written yet", str(error)):
                assert "Likely cause" in str(error)
            else:
                assert re.match(r"\w+ is not written yet: put your lines", str(error)), str(error)


def test_a_planted_fault_fails_by_itself(slug: str, course: Path) -> None:
    """With everything else solved, the faulty code runs, fails, and its cause is named."""
    released = {cell.id: cell for cell in release_of(course, slug).cells}
    source = solved(slug)
    for cell, tests in source.exercises().values():
        if region(cell, "FAULTY"):
            scope = source.namespace()
            exec(released[cell.id].code, scope)
            error = failure(tests, scope)
            assert isinstance(error, Mismatch)
            assert "Likely cause" in str(error)


def test_the_release_holds_no_answer(slug: str, course: Path) -> None:
    """No line of a solution, a hidden test or a mark scheme, in texts, outputs or metadata."""
    cells = solved(slug).cells
    released = [squeezed(text) for text in strings(release_of(course, slug).notebook)]
    faulty = {squeezed(line).removeprefix("# ") for c in cells for line in region(c, "FAULTY")}
    visible = {squeezed(line) for cell in cells for line in outside(cell)}
    secret = []
    for cell in cells:
        secret += [line for line in region(cell, "SOLUTION") if squeezed(line) not in faulty]
        secret += [line for line in region(cell, "HIDDEN TESTS") if squeezed(line) not in visible]
        secret += region(cell, "MARK SCHEME")
        if cell.kind == "markdown" and cell.marks.get("solution"):
            secret += re.split(r"(?<=[.:;])\s", cell.source)
    # a line such as `return h` or the head of a loop tells nothing
    secret = [squeezed(text) for text in secret if not text.strip().startswith("for ")]
    secret = [line for line in secret if len(line) > 12]
    assert len(secret) > 50
    leaks = {line for line in secret for text in released if line in text}
    assert not leaks
    words = ("BEGIN SOLUTION", "BEGIN FAULTY", "HIDDEN TESTS", "MARK SCHEME")
    assert not [word for word in words for text in released if word in text]


def test_the_stub_shows_only_lines_of_the_solution(slug: str, course: Path) -> None:
    source = {cell.id: cell for cell in solved(slug).cells}
    for cell in release_of(course, slug).cells:
        if cell.is_solution and not region(source[cell.id], "FAULTY"):
            (stub,) = re.findall(r'^ +raise NotImplementedError\("(.*)"\)$', cell.source, re.M)
            assert stub == f"{cell.id} is not written yet"
            shown = [line for line in cell.source.splitlines() if "raise Not" not in line]
            assert set(shown) <= set(source[cell.id].source.splitlines())


def test_what_students_get_is_what_the_instructor_wrote(slug: str, course: Path) -> None:
    """Apart from answers, hidden tests and rubric, text and order of the cells are the same."""
    source, released = solved(slug).cells, release_of(course, slug).cells
    assert [cell.id for cell in released] == [cell.id for cell in source]
    for before, after in zip(source, released, strict=True):
        if not BEGIN.search(before.source) and not before.marks.get("solution"):
            assert after.source == before.source


def test_the_notebook_is_canonical(slug: str) -> None:
    notebook, cells = solved(slug).notebook, solved(slug).cells
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    assert notebook["metadata"] == {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
        "unrolled": notebook["metadata"]["unrolled"],
    }
    assert len({cell.id for cell in cells}) == len(cells)
    for cell in cells:
        assert set(cell.raw["metadata"]) <= {"jupyter", "nbgrader", "tags"}, cell.id
        assert "attachments" not in cell.raw
        if cell.kind == "code":
            assert cell.raw["outputs"] == [] and cell.raw["execution_count"] is None, cell.id


def test_marks_are_well_formed(slug: str) -> None:
    cells = [cell for cell in solved(slug).cells if cell.marks]
    graded = [cell for cell in cells if cell.marks["grade"]]
    for cell in cells:
        assert cell.marks["schema_version"] == 3
        assert cell.marks["grade_id"] == cell.id
        assert re.fullmatch(r"[a-z][a-zA-Z0-9_-]+", cell.id)
        assert not cell.marks["task"]
        assert cell.marks["locked"] != cell.marks["solution"]
        assert ("points" in cell.marks) == cell.marks["grade"]
    assert all(cell.marks["points"] > 0 for cell in graded)
    assert 30 <= sum(cell.marks["points"] for cell in graded) <= 75
    assert sum(cell.kind == "markdown" for cell in graded) <= 1, "one written question at most"
    # nbgrader 0.9.6 cannot put a deleted test back if the cell before it is merely locked
    for before, after in itertools.pairwise(cells):
        if after.marks["grade"]:
            assert before.marks["grade"] or before.marks["solution"], after.id


def test_markers_are_balanced_and_in_their_place(slug: str) -> None:
    for cell in solved(slug).cells:
        open_region = ""
        for line in cell.source.splitlines():
            if match := BEGIN.search(line):
                assert not open_region, cell.id
                open_region = match[1]
            elif match := END.search(line):
                assert open_region == match[1], cell.id
                open_region = ""
        assert not open_region, cell.id
        if cell.is_solution:
            assert region(cell, "SOLUTION"), cell.id
        else:
            assert not region(cell, "SOLUTION") and not region(cell, "FAULTY"), cell.id
        assert bool(region(cell, "HIDDEN TESTS")) == cell.is_test, cell.id
    written = [c for c in solved(slug).cells if c.kind == "markdown" and c.marks.get("grade")]
    rubrics = [c for c in solved(slug).cells if region(c, "MARK SCHEME")]
    assert len(rubrics) == len(written)
    assert all(c.marks["locked"] and not c.marks["grade"] for c in rubrics)


def test_exercises_have_everything_a_student_needs(slug: str) -> None:
    """A ladder of four to six; each with an example by hand, a budget, a hint, a test below it."""
    cells = solved(slug).cells
    headings = re.findall(r"(?m)^## Exercise (\d+)", "\n".join(cell.source for cell in cells))
    assert headings == [str(k + 1) for k in range(len(headings))]
    assert 4 <= len(headings) <= 6
    for k, cell in enumerate(cells):
        if not cell.is_solution:
            continue
        text = cells[k - 1].source
        for part in ("*A good solution ", "**By hand.**", "<details><summary>Hint</summary>"):
            assert part in text, f"{cell.id}: {part}"
        assert cells[k + 1].is_test, cell.id
        lines = [line for line in region(cell, "SOLUTION") if line.split("#")[0].strip()]
        assert 1 <= len(lines) <= 12, cell.id
        assert re.search(r'"""(.|\n)*Returns (.|\n)*"""', cell.source), cell.id
        if not region(cell, "FAULTY"):
            budget = re.search(r"\*A good solution takes about (\d+) line", text)
            assert budget and len(lines) <= int(budget[1]), cell.id


def test_points_in_the_text_are_the_points_that_are_given(slug: str) -> None:
    assignment = solved(slug)
    points = [cell.marks["points"] for cell in assignment.cells if cell.marks.get("grade")]
    opening = assignment.cells[0].source
    assert f"That is {sum(points)} points" in opening
    table = [
        sum(map(int, re.findall(r"\d+", row.split("|")[-2])))
        for row in re.findall(r"(?m)^\| \d .*$", opening)
    ]
    assert sum(table) == sum(points)
    exercise = {}
    for cell in assignment.cells:
        if heading := re.search(r"(?m)^## Exercise (\d)", cell.source):
            exercise[current := int(heading[1])] = 0
        if cell.marks.get("grade"):
            exercise[current] += cell.marks["points"]
    assert list(exercise.values()) == table


def test_what_an_answer_may_not_call_is_said_once(slug: str) -> None:
    """In a locked cell; the metadata, which the grader reads, says the same."""
    assignment = solved(slug)
    assert sum(cell.source.count('withhold("') for cell in assignment.cells) == 1
    names = [f"rnnlib.{name}" for name in assignment.withheld.split()]
    assert names and names == assignment.notebook["metadata"]["unrolled"]["unavailable"]
    for name in names:
        importlib.import_module(name)


def test_visible_tests_are_folded_and_short(slug: str, course: Path) -> None:
    """The first line says whose test it is; 45 lines at most, half of them below 30."""
    lengths = []
    for cell in release_of(course, slug).tests:
        assert cell.raw["metadata"]["jupyter"] == {"source_hidden": True}, cell.id
        assert re.match(r"# Exercise \d[a-z]?, tests: ", cell.source), cell.id
        lengths.append(len(cell.source.rstrip().splitlines()))
        assert lengths[-1] <= 45, f"{cell.id} has {lengths[-1]} lines"
    assert sorted(lengths)[(len(lengths) - 1) // 2] < 30, lengths


def test_the_score_counts_the_points_that_are_given(slug: str) -> None:
    assignment = solved(slug)
    total = 0
    for cell in assignment.tests:
        ((title, points),) = re.findall(r'(?m)^passes\("(.*)", check, points=(\d+)\)', cell.visible)
        assert cell.source.startswith(f"# {title}, tests: "), cell.id
        assert int(points) == cell.marks["points"], cell.id
        total += int(points)
    assert assignment.cells[-1].source.endswith(f"summary(points={total})")


def test_tests_define_nothing_that_an_answer_could_call(slug: str) -> None:
    """And each brings its own imports, whatever the student's cells did to these names."""
    for cell in solved(slug).tests:
        tree = ast.parse(cell.source)
        names = {n.name for n in tree.body if isinstance(n, (ast.FunctionDef, ast.ClassDef))}
        assert names <= {"check", "check_more"}, cell.id
        assert not [n for n in tree.body if isinstance(n, (ast.Assign, ast.AugAssign))], cell.id
        assert re.search(r"^from rnnlib\.testing import ", cell.source, re.M), cell.id


def test_tests_leave_no_warning(slug: str) -> None:
    """nbgrader gives no point to a cell that writes to stderr."""
    assignment = solved(slug)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert failure(assignment.tests, assignment.namespace()) is None
