"""An assignment taken apart, its wrong answers, and what is made from them.

    python tools/exercises.py 02_cell    what a student reads for each wrong answer

`make notebooks` calls `fill`, which writes into each visible test the right results, made
by the solution, and the results of the wrong answers, each beside its cause: the text that
`rnnlib.testing.Stored` reads. Nothing in it is worked out or typed by hand.

**Wrong answers** stand once, in tests/solutions/NN_slug/wrong.py: six to twelve for each
function to write, each with the sentence that a student shall read. Where one differs from
the solution in a line or two, it is an edit of the solution; else it is a function:

    EDITS = {
        "rnn_step": {
            "W_h is transposed": "W_h.T → W_h",
            "both matrices are transposed": "W_x.T → W_x; W_h.T → W_h",
            "the bias b is missing": [" + b → ", "+ b → + 0 * b"],   # two of one cause
        },
    }

    def rnn_step__tanh_of_each(x_t, h_prev, W_x, W_h, b):
        \"\"\"the tanh is taken of each term, not of their sum\"\"\"
        ...

What stands left of an arrow must occur once in the solution, below its first line. A wrong
function may use the notebook's names and whatever else its file defines. The sentence may
be one that `rnnlib.testing` says by itself ("it is transposed", "an index is too large"),
or a part of it: then the test needs no line for it. With no sentence, the answer need only
fail.

For each wrong answer the test is run until its result first differs from the right one,
there its line is written, and the message is read: if it does not name the cause (two
causes with the same numbers are both not named), `make notebooks` says so, and the example
needs other numbers. SURVIVORS in the same file names the mutants made by swapping operators
that are right answers too, each with the reason.
"""

from __future__ import annotations

import ast
import base64
import contextlib
import functools
import io
import json
import linecache
import re
import sys
import textwrap
import warnings
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType
from typing import Any
from unittest import mock

import numpy as np

import rnnlib.testing
from rnnlib import causes

ROOT = Path(__file__).resolve().parent.parent
SLUGS = sorted(path.parent.name for path in ROOT.glob("solutions/*/*.ipynb"))
HIDDEN = "### BEGIN HIDDEN TESTS"
STORED = re.compile(r'(Stored\(\s*""")(.*?)(\s*"""\s*\))', re.DOTALL)
WIDTH = 94


# ── the notebook ─────────────────────────────────────────────────────────────


@dataclass
class Cell:
    """One cell of an assignment."""

    id: str
    kind: str  # code or markdown
    source: str
    marks: dict[str, Any]  # nbgrader's metadata, empty for an ordinary cell
    raw: dict[str, Any] = field(repr=False)

    @property
    def is_test(self) -> bool:
        return self.kind == "code" and bool(self.marks.get("grade"))

    @property
    def is_solution(self) -> bool:
        return self.kind == "code" and bool(self.marks.get("solution"))

    @property
    def code(self) -> CodeType:
        return compiled(self.source, f"<cell {self.id}>")

    @property
    def visible(self) -> str:
        """A test without its hidden part."""
        return self.source.partition(HIDDEN)[0]

    def replace(self, source: str) -> Cell:
        """The same cell with other lines."""
        return Cell(self.id, self.kind, source, self.marks, self.raw)


@dataclass
class Assignment:
    """A notebook, from its file or as it is in memory."""

    path: Path
    notebook: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.notebook = self.notebook or json.loads(self.path.read_text(encoding="utf-8"))
        self.cells = [
            Cell(
                raw["id"],
                raw["cell_type"],
                "".join(raw["source"]),
                raw["metadata"].get("nbgrader", {}),
                raw,
            )
            for raw in self.notebook["cells"]
        ]

    @property
    def tests(self) -> list[Cell]:
        return [cell for cell in self.cells if cell.is_test]

    @property
    def withheld(self) -> str:
        """What the answers may not call, as a locked cell says it."""
        locked = [c for c in self.cells if c.kind == "code" and c.marks.get("locked")]
        found = [m for c in locked for m in re.findall(r'(?m)^withhold\("(.*)"\)', c.source)]
        return found[0] if len(found) == 1 else ""

    def exercises(self) -> dict[str, tuple[Cell, list[Cell]]]:
        """For each function to write: the cell that holds it, and the tests below it."""
        found: dict[str, tuple[Cell, list[Cell]]] = {}
        current: list[Cell] = []
        for cell in self.cells:
            if cell.is_solution:
                current = []
                for name in re.findall(r"(?m)^def (\w+)", cell.source):
                    found[name] = (cell, current)
            elif cell.is_test:
                current.append(cell)
        return found

    @functools.cached_property
    def given(self) -> dict[str, Any]:
        """What the locked cells define: imports, data. Run once."""
        scope: dict[str, Any] = {"__name__": "__main__"}
        with contextlib.redirect_stdout(io.StringIO()):
            for cell in self.cells:
                if cell.kind == "code" and cell.marks and not cell.is_test and not cell.is_solution:
                    exec(cell.code, scope)
        return scope

    def namespace(self) -> dict[str, Any]:
        """A fresh one, in which all but the tests and the pictures has been run."""
        scope = dict(self.given)
        for cell in self.cells:
            if cell.is_solution:
                exec(cell.code, scope)
        rnnlib.testing.withhold(self.withheld)
        return scope


def solved(slug: str) -> Assignment:
    """The instructor's notebook."""
    return Assignment(ROOT / "solutions" / slug / f"{slug}.ipynb")


def compiled(source: str, name: str) -> CodeType:
    """Code whose lines tracebacks and `inspect` find, as they do in a notebook."""
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    return compile(source, name, "exec")


def failure(cells: list[Cell], scope: dict[str, Any]) -> Exception | None:
    """What the first failing cell raised, or None."""
    for cell in cells:
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                exec(cell.code, scope)
        except Exception as error:
            return error
    return None


# ── the answers beside the solution ──────────────────────────────────────────


@dataclass(frozen=True)
class Answer:
    """An answer to one exercise that is not the solution."""

    name: str
    function: str
    cause: str
    source: str
    preamble: str

    def into(self, scope: dict[str, Any]) -> dict[str, Any]:
        """Put it in the place of the solution."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            exec(self.preamble, scope)
            exec(compiled(self.source, f"<{self.name}>"), scope)
        return scope


def bare(cell: Cell, function: str) -> str:
    """A solution as it stands in its cell, without docstring, markers and faulty lines."""
    source = re.sub(r"(?s) *### BEGIN FAULTY.*?### END FAULTY\n", "", cell.source)
    source = re.sub(r" *### (BEGIN|END) SOLUTION\n?", "", source)
    nodes = [n for n in ast.parse(source).body if isinstance(n, ast.FunctionDef)]
    (node,) = (n for n in nodes if n.name == function)
    lines = source.splitlines()
    if ast.get_docstring(node) is not None:
        del lines[node.body[0].lineno - 1 : node.body[0].end_lineno]
    return "\n".join(lines).rstrip() + "\n"


def answers(assignment: Assignment, kind: str = "wrong") -> list[Answer]:
    """Those of one of the assignment's files: wrong, right or cheats."""
    path = ROOT / "tests" / "solutions" / assignment.path.stem / f"{kind}.py"
    preamble, nodes = [], []
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        written = isinstance(node, ast.FunctionDef) and "__" in node.name
        (nodes if written else preamble).append(node)
    before = "\n".join(map(ast.unparse, preamble))
    scope = dict(assignment.given)
    exec(before, scope)
    found = []
    for function, edits in scope.get("EDITS", {}).items():
        code = bare(assignment.exercises()[function][0], function)
        for cause, some in edits.items():
            for edit in [some] if isinstance(some, str) else some:
                source = edited(code, edit, f"{path}: {function}")
                found.append(Answer(f"{function}: {edit}", function, cause, source, before))
    for node in nodes:
        name, function = node.name, node.name.partition("__")[0]
        node.name, cause = function, " ".join((ast.get_docstring(node) or "").split())
        found.append(Answer(name, function, cause, ast.unparse(node), before))
    order = list(assignment.exercises())
    return sorted(found, key=lambda answer: order.index(answer.function))


def edited(code: str, edit: str, where: str) -> str:
    """The code after one edit or several: "old → new; old → new"."""
    head, body = code.split("\n", 1)
    for one in edit.split("; "):
        old, arrow, new = one.partition("→")
        old, new = old.removesuffix(" "), new.removeprefix(" ")
        if not arrow or body.count(old) != 1:
            raise ValueError(f"{where}: {old!r} occurs {body.count(old)} times in\n{body}")
        body = body.replace(old, new)
    try:
        ast.parse(f"{head}\n{body}")
    except SyntaxError as error:
        raise ValueError(f"{where}: {edit!r} gives {error}:\n{body}") from None
    return f"{head}\n{body}"


def attempt(assignment: Assignment, answer: Answer) -> Exception | None:
    """What the exercise's tests raise first when its function is replaced by the answer."""
    scope = answer.into(assignment.namespace())
    return failure(assignment.exercises()[answer.function][1], scope)


# ── the text of Stored ───────────────────────────────────────────────────────


def asked(assignment: Assignment, test: str, answer: Answer | None) -> list[Any]:
    """The results that a visible test looks up, in order, until the answer makes it fail."""
    found: list[Any] = []

    class Recorder:
        def __init__(self, text: str) -> None:
            pass

        def compare(self, name: str, got: Any, **_: Any) -> None:
            found.append(got)

    scope = assignment.namespace()
    if answer:
        answer.into(scope)
    with mock.patch.object(rnnlib.testing, "Stored", Recorder):
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                exec(compiled(test, "<visible test>"), scope)
        except Exception:
            if answer is None:
                raise
    return found


def table(assignment: Assignment, cell: Cell, wrong: list[Answer]) -> tuple[list[str], dict]:
    """The lines of a test's `Stored`, and what it tells those wrong answers that it fails."""
    right = asked(assignment, cell.visible, None)
    rows: dict[int, dict[str, Any]] = {0: {}}

    def told(answer: Answer) -> str:
        """The message that the answer gets from the test as it stands by now."""
        lines = "\n".join(written(right, rows))
        text = STORED.sub(lambda m: f"{m[1]}\n{lines}{m[3]}", cell.visible)
        error = failure([cell.replace(text)], answer.into(assignment.namespace()))
        return str(error) if error else ""

    for answer in wrong:
        if not answer.cause or answer.cause in told(answer):
            continue
        results = zip(right, asked(assignment, cell.visible, answer), strict=False)
        for k, (mine, theirs) in enumerate(results):
            if not close(mine, theirs):
                if writable(theirs):
                    rows.setdefault(k, {})[answer.cause] = theirs
                break
    messages = {answer: told(answer) for answer in wrong if answer.cause}
    return written(right, rows), {answer: text for answer, text in messages.items() if text}


def close(a: Any, b: Any) -> bool:
    return causes.close(a, b, rtol=1e-5, atol=1e-7)


def writable(result: Any) -> bool:
    if isinstance(result, np.ndarray):
        return result.dtype.kind in "fiub"
    return isinstance(result, (int, float, np.number, dict, str, list))


def written(right: list[Any], rows: dict[int, dict[str, Any]]) -> list[str]:
    """The lines: readable where there are slips, else packed."""
    lines: list[str] = []
    together: list[Any] = []
    for k, result in enumerate([*right, None]):
        form = packing(result) if k not in rows else "="
        if together and (form != packing(together[0]) or not alike([*together, result])):
            lines.append(pack(together))
            together = []
        if form != "=":
            together.append(result)
        elif result is not None:
            lines.append(f"= {row(result)}")
            for cause, wrong in rows.get(k, {}).items():
                shape = np.shape(result) if isinstance(result, np.ndarray) else ()
                lines.append(f"{row(wrong, shape, digits=4)} ← {cause}")
    return lines


def packing(result: Any) -> str:
    """The sign before a line that holds such results together, or `=`."""
    if isinstance(result, (dict, list, str)):
        return "%"
    array = np.asarray(result)
    small = array.ndim <= 3 and max(array.shape, default=0) <= 15
    return "~" if array.dtype.kind == "f" and small and not np.isnan(array).any() else "="


def alike(results: list[Any]) -> bool:
    """Whether one unit is fine enough for all."""
    arrays = [np.asarray(result) for result in results]
    return packing(results[0]) == "%" or np.ptp([exponent(a) for a in arrays if a.any()] or 0) <= 11


def row(result: Any, shape: tuple[int, ...] = (), digits: int = 6) -> str:
    """One result, as `rnnlib.testing.read` reads it."""
    if isinstance(result, (dict, str, list)):
        return repr(result)
    array = np.asarray(result)
    kind = {"i": "int ", "u": "int ", "b": "bool "}.get(array.dtype.kind, "") if array.ndim else ""
    named = f"{array.shape} " if array.shape != shape else ""
    tiny = 1e-9 * np.abs(array[np.isfinite(array)].astype(float)).max(initial=0.0)
    numbers = [0.0 if abs(v) <= tiny else float(v) for v in array.ravel()]
    return (kind + named + " ".join(f"{v:.{digits}g}" for v in numbers)).strip()


def exponent(array: np.ndarray) -> int:
    """The finest power of 2 in which 16 bits hold these numbers."""
    largest = np.abs(array[np.isfinite(array)]).max(initial=0.0)
    return int(np.ceil(np.log2(largest / 32766))) if largest > 1e-300 else -99


def pack(results: list[Any]) -> str:
    """One line for all, as `rnnlib.testing.unpack` undoes it."""
    if packing(results[0]) == "%":
        packed = zlib.compress(repr(results).encode(), 9)
        return "%" + base64.b85encode(packed).decode()
    arrays = [np.asarray(result) for result in results]
    unit = max(map(exponent, arrays))
    numbers = [unit := -15 if unit == -99 else unit]
    for array in arrays:
        numbers.append(int("1" + "".join(f"{size:x}" for size in array.shape), 16))
        for value in array.ravel():
            units = np.rint(value * 2.0**-unit) if np.isfinite(value) else np.sign(value) * 32767
            numbers.append(int(units))
    return "~" + base64.b85encode(np.array(numbers, dtype="<i2").tobytes()).decode()


def parsed(lines: list[str]) -> Iterator[tuple[str, Any, float]]:
    """What the lines hold: a name, a result, and how far another may be from it."""
    shape: tuple[int, ...] = ()
    for line in lines:
        if line[0] in "~%":
            for result, unit in rnnlib.testing.unpack(line):
                yield "packed", result, 1e-7 + 1.01 * unit
        elif line.startswith("="):
            result = rnnlib.testing.read(line[1:])
            shape = np.shape(result)
            yield "right", result, 1e-7
        else:
            wrong, _, cause = line.partition("←")
            yield cause.strip(), rnnlib.testing.read(wrong, shape), 1e-7


def same(old: list[str], new: list[str]) -> bool:
    """Whether two tables say the same, but for the last digit."""
    try:
        pairs = list(zip(parsed(old), parsed(new), strict=True))
    except (ValueError, SyntaxError, IndexError):
        return False
    return all(a == b and causes.close(x, y, 2e-4, atol) for (a, x, atol), (b, y, _) in pairs)


def stored(source: str) -> list[str] | None:
    """The lines that stand in a test's `Stored` now; None if it has none."""
    match = STORED.search(source)
    if match is None:
        return None
    joined = re.sub(r" ?\\\n *", lambda _: "\0", match[2])
    lines = [line.strip() for line in joined.splitlines() if line.strip()]
    return [line.replace("\0", "" if line[0] in "~%" else " ") for line in lines]


def block(lines: list[str]) -> str:
    """The lines as they stand in a cell: indented, long ones broken."""
    found = []
    for line in lines:
        if line[0] in "~%":
            parts = [line[k : k + WIDTH] for k in range(0, len(line), WIDTH)]
        else:
            parts = textwrap.wrap(line, WIDTH, break_long_words=False, break_on_hyphens=False)
        found += [f"    {part} \\" for part in parts[:-1]] + [f"    {parts[-1]}"]
    return "\n" + "\n".join(found)


def tables(assignment: Assignment) -> Iterator[tuple[Cell, list[str], list[str]]]:
    """For each test with stored results: the cell, its lines, and the causes that it hides."""
    wrong = answers(assignment)
    for function, (_, tests) in assignment.exercises().items():
        left = [answer for answer in wrong if answer.function == function]
        named: set[Answer] = set()
        for cell in tests:
            if stored(cell.visible) is None:
                continue
            lines, told = table(assignment, cell, left)
            named |= {answer for answer, text in told.items() if answer.cause in text}
            yield (
                cell,
                lines,
                [
                    f"{answer.name}: {answer.cause!r} is not in\n{text}"
                    for answer, text in told.items()
                    if answer not in named
                ],
            )


def fill(notebook: Any, path: Path) -> list[str]:
    """Write each test's stored results into the notebook; what is wrong with them is returned."""
    assignment = Assignment(path, notebook)
    complaints = []
    if assignment.withheld:
        names = [f"rnnlib.{name}" for name in assignment.withheld.split()]
        notebook["metadata"]["unrolled"] = {"unavailable": names}
    for cell, lines, problems in tables(assignment):
        complaints += [f"{cell.id}: {problem}" for problem in problems]
        if not same(stored(cell.visible) or [], lines):
            cell.raw["source"] = STORED.sub(
                lambda m, lines=lines: m[1] + block(lines) + '\n    """)', cell.source, count=1
            )
    return complaints


def main() -> None:
    """Show what a student reads for each wrong answer."""
    for slug in sys.argv[1:] or SLUGS:
        assignment = solved(slug)
        for answer in answers(assignment):
            error = attempt(assignment, answer)
            print(f"── {answer.name}\n{error if error else 'PASSES'}\n")


if __name__ == "__main__":
    main()
