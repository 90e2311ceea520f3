"""A room runs a notebook as it would run at the student's, with tests in a process apart."""

from __future__ import annotations

import base64
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
import toys
from nbformat import NotebookNode

from grading.sandbox import box
from grading.sandbox.room import Limits, Room

ROOT = Path(__file__).parents[2]
LIMITS = Limits(
    seconds=20, cell_seconds=2, memory=400 * 2**20, output_bytes=60_000, file_bytes=2**24
)


@pytest.fixture(scope="module")
def kit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    folder = tmp_path_factory.mktemp("kit")
    toys.package(folder)
    sys.path.insert(0, str(folder))
    yield
    sys.path.remove(str(folder))


@pytest.fixture(scope="module")
def room(kit: None) -> Iterator[Room]:
    with Room(
        packages=[toys.PACKAGE],
        unavailable=[toys.UNAVAILABLE],
        files={"data/words.txt": "größe".encode()},
        limits=LIMITS,
    ) as made:
        yield made


def cell(source: str, kind: str = "own", name: str = "", points: float = 2.0) -> NotebookNode:
    marks = {
        "own": {},
        "given": toys.marks(name or "given", locked=True),
        "solution": toys.marks(name or "solution", solution=True),
        "test": toys.marks(name or "test", grade=True, locked=True, points=points),
    }[kind]
    metadata = {"nbgrader": marks} if marks else {}
    return nbformat.v4.new_code_cell(source, metadata=metadata)


def run(room: Room, *cells: NotebookNode | str, **more: Any) -> Any:
    made = [cell(c) if isinstance(c, str) else c for c in cells]
    return room.run(nbformat.v4.new_notebook(cells=made), **more)


def test(room: Room, code: str, tests: str, points: float = 2.0) -> NotebookNode:
    """The test cell after it was run."""
    return run(room, code, cell(tests, "test", points=points)).notebook.cells[-1]


test.__test__ = False  # type: ignore[attr-defined]


def error(node: NotebookNode) -> str:
    return next((f"{o.ename}: {o.evalue}" for o in node.outputs if o.output_type == "error"), "")


def printed(node: NotebookNode) -> str:
    return "".join(o.text for o in node.outputs if o.output_type == "stream")


# ── what a notebook does ─────────────────────────────────────────────────────


def test_the_notebook_that_is_given_is_not_changed(room: Room) -> None:
    notebook = nbformat.v4.new_notebook(cells=[cell("1 + 1")])
    before = nbformat.writes(notebook)
    result = room.run(notebook)
    assert nbformat.writes(notebook) == before
    assert result.notebook.cells[0].outputs[0].data["text/plain"] == "2"
    nbformat.validate(result.notebook)
    assert result.cpu > 0 and result.seconds > 0 and result.limit is None


def test_cells_share_a_namespace_and_are_numbered(room: Room) -> None:
    done = run(room, "x = 20", "", "x += 1\nprint(x)\nx").notebook
    assert printed(done.cells[2]) == "21\n"
    assert [c.execution_count for c in done.cells] == [1, None, 2]
    assert done.cells[2].outputs[1].execution_count == 2


def test_errors_and_warnings_are_outputs_and_the_next_cell_runs(room: Room) -> None:
    done = run(room, "def f():\n    return 1 / 0\nf()", "import warnings\nwarnings.warn('w')\n1")
    assert error(done.notebook.cells[0]) == "ZeroDivisionError: division by zero"
    assert "return 1 / 0" in "\n".join(done.notebook.cells[0].outputs[0].traceback)
    assert "grading" not in "\n".join(done.notebook.cells[0].outputs[0].traceback)
    names = [o.get("name") for o in done.notebook.cells[1].outputs]
    assert names[0] == "stderr"


def test_modules_and_data_beside_the_notebook_are_the_students(room: Room) -> None:
    beside = {
        "helper.py": b"def seven(): return 7",
        "numpy.py": b"pi = 3",
        "data/words.txt": b"mine",
        "data/own.txt": b"own",
    }
    done = run(
        room,
        "from helper import seven\nseven()",
        "%%writefile later.py\neight = 8",
        "from later import eight\neight",
        "import numpy\n3 < numpy.pi",
        "[open(f'data/{name}.txt', encoding='utf-8').read() for name in ('words', 'own')]",
        cell("import helper", "test"),
        files=beside,
    ).notebook
    shown = [c.outputs[-1].data["text/plain"] for c in done.cells if c.outputs[-1].get("data")]
    assert shown == ["7", "8", "True", "['größe', 'own']"]
    assert "No module named 'helper'" in error(done.cells[-1]), "not in the tests' process"


def test_magics_figures_and_displays_work(room: Room) -> None:
    done = run(
        room,
        "%matplotlib inline\nimport matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()",
        "plt.plot([3, 4]);",
        "from IPython.display import display, Markdown\ndisplay(Markdown('**b**'))\n!echo hello",
        "%%time\nx = 7",
        "import asyncio\nawait asyncio.sleep(0)\nx",
        "x +",
        "exit()",
        "x",
    ).notebook
    for k in (0, 1):
        picture = next(o for o in done.cells[k].outputs if o.output_type == "display_data")
        assert base64.b64decode(picture.data["image/png"]).startswith(b"\x89PNG")
    assert done.cells[2].outputs[0].data["text/markdown"] == "**b**"
    assert "hello" in printed(done.cells[2])
    assert done.cells[4].outputs[0].data["text/plain"] == "7"
    assert error(done.cells[5]).startswith("SyntaxError")
    assert done.cells[7].outputs[0].data["text/plain"] == "7"


def test_files_of_the_assignment_are_there_anew_each_time(room: Room) -> None:
    code = "print(open('data/words.txt').read())\nopen('data/words.txt', 'w').write('changed')"
    for _ in range(2):
        assert printed(run(room, code).notebook.cells[0]) == "größe\n"


def test_the_seed_decides_and_is_told(room: Room) -> None:
    code = (
        "import random, os\nimport numpy as np\n"
        "print(random.random(), np.random.rand(), os.environ['GRADING_SEED'], hash('x'))"
    )
    first, again, other = (
        printed(run(room, code, seed=seed).notebook.cells[0]) for seed in (123, 123, 4)
    )
    assert first == again != other
    assert " 123 " in first


def test_output_is_cut_and_the_limit_named(room: Room) -> None:
    done = run(room, "print('x' * 10**6)")
    assert len(printed(done.notebook.cells[0])) < 60_200
    assert done.limit == "output" and "60000 bytes" in done.sentence


def test_a_slow_cell_is_interrupted_and_the_rest_goes_on(room: Room) -> None:
    done = run(room, "x = 5\nwhile True: pass", "x")
    assert done.limit == "time" and "2 s" in done.sentence
    assert "TimeLimit" in [o.get("ename") for o in done.notebook.cells[0].outputs]
    assert done.notebook.cells[1].outputs[0].data["text/plain"] == "5"


def test_a_slow_function_fails_its_test_only(room: Room) -> None:
    done = run(
        room,
        "def slow():\n    while True: pass\ndef quick():\n    return 1",
        cell("slow()", "test", "one"),
        cell("assert quick() == 1", "test", "two"),
    )
    assert error(done.notebook.cells[1]) == "TimeoutError: slow took longer than 2 s"
    assert not error(done.notebook.cells[2])


def test_a_slow_test_is_not_the_students_fault(room: Room) -> None:
    done = run(
        room,
        "def f():\n    return 1",
        cell("f()\nwhile True: pass", "test", "one"),
        "f()",
    )
    assert done.limit == "time" and "TimeoutError" in error(done.notebook.cells[1])


def test_a_dead_process_is_told_and_tests_fail(room: Room) -> None:
    done = run(
        room,
        "def f():\n    return 1",
        cell("assert f() == 1", "test", "before"),
        "import os\nos._exit(3)",
        cell("assert f() == 1", "test", "after"),
        cell("1.5", "test", "without"),
    )
    assert "ended its own process" in done.sentence
    assert not error(done.notebook.cells[1])
    assert error(done.notebook.cells[3]).startswith("NoAnswer")
    assert toys_result(done.notebook.cells[4]) == 1.5


def toys_result(node: NotebookNode) -> float:
    return float(
        next(o for o in node.outputs if o.output_type == "execute_result").data["text/plain"]
    )


def test_a_room_whose_processes_were_killed_gets_new_ones(kit: None) -> None:
    with Room(limits=LIMITS) as hurt:
        assert not error(test(hurt, "def f(): return 1", "assert f() == 1"))
        for warm in hurt._warm.values():
            os.kill(warm.process.pid, signal.SIGKILL)
            warm.process.wait()
        assert not error(test(hurt, "def f(): return 1", "assert f() == 1"))


# ── values, objects and errors between the processes ─────────────────────────


@pytest.mark.parametrize(
    ("code", "tests"),
    [
        ("def f(x, *, k=1): return x * k", "assert f(2, k=3) == 6"),
        ("f = lambda: [(1, 'a'), {'b': {2.5}}]", "assert f() == [(1, 'a'), {'b': {2.5}}]"),
        ("TABLE = {(1, 2): 'x'}", "assert TABLE == {(1, 2): 'x'}"),
        ("def f(a): a += 1", "a = np.zeros(3)\nf(a)\nassert a.tolist() == [1, 1, 1]"),
        ("def f(a): a.append(len(a))", "a = [5]\nf(a)\nf(a)\nassert a == [5, 1, 2]"),
        ("def f(d): d['n'] = d.pop('m')", "d = {'m': 1}\nf(d)\nassert d == {'n': 1}"),
        (
            "def f(t): t[1][0][:] = 7",
            "inner = np.ones(2)\nt = ('a', [inner])\nf(t)\nassert inner[0] == 7",
        ),
        (
            "def f(rng): return rng.normal()",
            "a, b = np.random.default_rng(1), np.random.default_rng(1)\n"
            "assert f(a) == b.normal() and f(a) == b.normal() and a.normal() == b.normal()",
        ),
        (
            "def f(g, n): return [g(k) for k in range(n)]",
            "assert f(lambda k: k * k, 3) == [0, 1, 4]",
        ),
        (
            "def f(g):\n    try:\n        g()\n    except KeyError as e:\n        return 'caught'",
            "def g():\n    raise KeyError('x')\nassert f(g) == 'caught'",
        ),
        (
            "def f():\n    yield from (1, 2, 3)",
            "assert list(f()) == [1, 2, 3]\nassert next(f()) == 1",
        ),
        (
            "class P:\n    def __init__(self, x): self.x = x\n"
            "    def double(self): return 2 * self.x\n"
            "    def __repr__(self): return f'P({self.x})'\n"
            "    def __getitem__(self, k): return k + 1",
            "p = P(4)\nassert p.double() == 8 and repr(p) == 'P(4)' and p[1] == 2\n"
            "p.x = 5\nassert p.double() == 10 and isinstance(p, P) and not isinstance(3, P)\n"
            "import copy\nassert copy.deepcopy(p) is p",
        ),
        (
            "class P: pass\ndef make(): return P()\ndef kind(p): return type(p).__name__",
            "assert kind(make()) == 'P'",
        ),
        ("def f(g): return g(3)\ndef h(x): return x + 1", "assert f(h) == 4"),
        ("import numpy as np\ndef f(): return np.float32(1.5)", "assert f().dtype == np.float32"),
        ("from collections import Counter\ndef f(): return Counter('aab')", "assert f()['a'] == 2"),
        (
            "def count(a, b=2): return a",
            "import inspect\nassert str(inspect.signature(count)) == "
            "'(a, b=Ellipsis)'\nassert count.__name__ == 'count'",
        ),
        ("def f(): return NotImplemented", "assert f() != 1"),
        ("x = 3", "x = 4\nassert x == 4"),
    ],
)
def test_what_crosses(room: Room, code: str, tests: str) -> None:
    assert error(test(room, code, tests)) == ""


@pytest.mark.parametrize(
    ("code", "tests", "message"),
    [
        ("def f(): raise ValueError('no good')", "f()", "ValueError: no good"),
        ("def f(): return {}['k']", "f()", "KeyError: 'k'"),
        ("class E(LookupError): pass\ndef f(): raise E('mine')", "f()", "LookupError: mine"),
        (
            "import numpy as np\ndef f(): return np.linalg.inv(np.zeros((2, 2)))",
            "f()",
            "ValueError: Singular matrix",
        ),
        ("def f(): return f()", "f()", "RecursionError: maximum recursion depth exceeded"),
        ("", "nothing_here", "NameError: name 'nothing_here' is not defined"),
        (
            "import json",
            "json.dumps(1)",
            "NameError: a test cell imports what it needs itself: json",
        ),
        (
            "class P: pass\ndef f(): return P()",
            "assert f()",
            "TypeError: an object of the notebook",
        ),
        ("class P: pass\ndef f(): return P()", "f() + 1", "TypeError: unsupported operand"),
        ("class P: pass\np = P()", "assert p == P()", "AssertionError"),
        ("class P: pass\np = P()", "p.y", "AttributeError: 'P' object has no attribute 'y'"),
        (
            "def f(a): a[0] = 1",
            "a = np.zeros(2)\na.flags.writeable = False\nf(a)",
            "ValueError: ass",
        ),
        ("def f(x): return x", "f(object())", "CodecError: an object of type object cannot be"),
        ("def f(): exit_now", "f()", "NameError: name 'exit_now' is not defined"),
        ("def f(): raise SystemExit", "f()", "RuntimeError"),
        ("def f(): raise StopIteration", "list(map(lambda _: f(), [1]))", "RuntimeError: StopIter"),
    ],
)
def test_what_fails_and_how(room: Room, code: str, tests: str, message: str) -> None:
    assert error(test(room, code, tests)).startswith(message)


def test_what_a_function_prints_while_it_is_tested_is_shown_nowhere(room: Room) -> None:
    done = run(
        room,
        "import sys\ndef f():\n    print('8.0')\n    print('no', file=sys.stderr)\n    return 1",
        cell("assert f() == 1", "test"),
        "print('after')",
    ).notebook
    assert done.cells[1].outputs == [] and printed(done.cells[2]) == "after\n"


# ── what one test leaves for the next ────────────────────────────────────────

SPOIL = """
def _spoil(value):
    import numpy as np
    if isinstance(value, np.ndarray) and value.flags.writeable and value.dtype.kind in "iuf":
        value[...] = 7
    elif isinstance(value, np.random.Generator):
        value.normal(size=5)
    elif isinstance(value, (list, tuple, dict)):
        for inner in value.values() if isinstance(value, dict) else value:
            _spoil(inner)
        if isinstance(value, (list, dict)):
            value.clear()

def _settings():
    import random, warnings
    import numpy as np
    np.seterr(all="raise")
    np.set_printoptions(precision=1)
    warnings.simplefilter("error")
    np.random.seed(1)
    random.seed(1)
"""
GIVEN = """
import numpy as np
ARRAY, VIEWED = np.arange(3.0), np.zeros((2, 2))
NESTED = {"a": [np.ones(2), [1, 2]], "b": (3, {"c": 4})}
INNER = NESTED["a"][1]
RNG = np.random.default_rng(5)
DRAWN = np.random.default_rng(5).integers(9**9, size=2)
def held(): return repr([ARRAY, VIEWED, NESTED, RNG.bit_generator.state])
"""


@pytest.mark.parametrize(
    ("call", "whole"),
    [
        ("f(ARRAY)", "ARRAY.tolist() == [0, 1, 2]"),
        ("f(VIEWED[:, 1])", "not VIEWED.any()"),
        ("f(NESTED)", "NESTED['a'][0].tolist() == [1, 1] and NESTED['b'] == (3, {'c': 4})"),
        ("f(NESTED['a'])", "NESTED['a'][1] is INNER and INNER == [1, 2]"),
        ("f(RNG); f(RNG)", "RNG.integers(9**9) == DRAWN[0]"),
        # the test itself has drawn once before: that stays
        ("RNG.integers(9**9); before = held(); f(RNG)", "RNG.integers(9**9) == DRAWN[1]"),
        ("ARRAY[0] = 4; f(ARRAY)", "ARRAY.tolist() == [4, 1, 2]"),
    ],
)
def test_what_an_answer_spoils_is_whole_for_the_next_test(
    room: Room, call: str, whole: str
) -> None:
    done = run(
        room,
        cell(GIVEN, "given"),
        f"{SPOIL}\ndef f(x): _spoil(x)",
        cell(f"before = held(); {call}\nassert held() != before", "test", "one"),
        cell(f"assert {whole}", "test", "two"),
    ).notebook
    assert [error(c) for c in done.cells[2:]] == ["", ""]


def test_settings_that_an_answer_changes_are_whole_for_the_next(room: Room) -> None:
    done = run(
        room,
        f"{SPOIL}\ndef f(): _settings()\n"
        "def look():\n    import random, warnings\n    import numpy as np\n"
        "    warnings.warn('heard')\n"
        "    return [np.geterr()['divide'], repr(np.float64(1) / 3 * np.ones(1)),\n"
        "            random.random(), np.random.rand(), str(np.log(np.zeros(1)))]\n"
        "import random\nimport numpy as np\nrandom.seed(2); np.random.seed(2)\nfirst = look()\n"
        "random.seed(2); np.random.seed(2)",
        cell("f()\nassert look()[:2] == first[:2], look()", "test", "one"),  # not raised: 'heard'
        cell("found = look()\nassert found == first, (found, first)", "test", "two"),
    )
    assert [error(c) for c in done.notebook.cells] == [""] * 3


def test_settings_of_the_notebooks_own_cells_stay(room: Room) -> None:
    done = run(
        room,
        "import numpy as np\nnp.seterr(all='ignore')\ndef f(): return np.geterr()['divide']",
        cell("assert f() == 'ignore'", "test", "one"),
        cell("assert f() == 'ignore'", "test", "two"),
        "np.geterr()['divide']",
    ).notebook
    assert [error(c) for c in done.cells] == [""] * 4
    assert done.cells[3].outputs[0].data["text/plain"] == "'ignore'"


# ── what a test cell's outputs say to nbgrader ───────────────────────────────


@pytest.mark.parametrize(
    ("last", "points"),
    [
        ("1.5", 1.5),
        ("0", 0.0),
        ("2", 2.0),
        ("np.float64(0.0)", 0.0),
        ("np.float32(1.5)", 1.5),
        ("np.int64(1)", 1.0),
        ("np.array(0.5)", 0.5),
        ("np.True_", 0.0),
        ("True", 0.0),
        ("False", 0.0),
        ("float('nan')", 0.0),
        ("float('inf')", 0.0),
        ("-1", 0.0),
        ("2.01", 0.0),
        ("10**400", 0.0),
        ("1 + 0j", 0.0),
        ("None", 2.0),
        ("'0.0'", 2.0),
        ("x = 0.0", 2.0),
        ("assert False", 0.0),
        ("import warnings; warnings.warn('careful')", 2.0),
        ("import sys; print('to stderr', file=sys.stderr)", 2.0),
        ("print('0.0')", 2.0),
        ("raise SystemExit", 0.0),
        ("def (", 0.0),
    ],
)
def test_points_of_a_test_cell(room: Room, last: str, points: float) -> None:
    from nbgrader.utils import determine_grade

    assert determine_grade(test(room, "", last)) == (points, 2.0)


def test_a_warning_is_shown_and_costs_nothing(room: Room) -> None:
    done = test(room, "", "import warnings\nwarnings.warn('careful')\n1.0")
    assert "careful" in printed(done)
    assert {o.get("name", "stdout") for o in done.outputs} == {"stdout"}


def test_locked_cells_give_tests_their_names_wherever_they_stand(room: Room) -> None:
    data = cell("DATA = [1, 2, 3]\ndef helper(x):\n    return x + OFFSET\nOFFSET = 10", "given")
    tests = cell("assert DATA == [1, 2, 3] and helper(1) == 11", "test")
    for cells in ([data, tests], [tests, data]):
        done = run(room, "DATA = []\nOFFSET = 0", *cells, "DATA = []").notebook
        assert [error(c) for c in done.cells if c.metadata] == [""] * 2


def test_locked_cells_that_need_the_students_work_run_again_in_their_place(room: Room) -> None:
    done = run(
        room,
        cell("k = 1", "given", "one"),
        cell("assert k == 1", "test", "a"),
        cell("k = 2", "given", "two"),
        cell("assert k == 2", "test", "b"),
        "def f():\n    return 3",
        cell("k = f() + 2", "given", "three"),
        cell("assert k == 5", "test", "c"),
    ).notebook
    assert [error(c) for c in done.cells] == [""] * 7


def test_a_cell_without_a_grade_id_is_the_students(room: Room) -> None:
    made = [cell("print(get_ipython())", "test"), cell("get_ipython()", "given")]
    for node in made:
        del node.metadata.nbgrader["grade_id"]
    done = run(room, *made).notebook
    assert "Shell" in printed(done.cells[0]) and done.cells[1].outputs


# ── packages, and what is asked for ──────────────────────────────────────────


def test_what_is_asked_for_is_not_in_the_students_box(room: Room) -> None:
    done = run(
        room,
        "import toykit\nprint(toykit.near(1, 1), toykit.K)\ntoykit.centred(1)",
        "import toykit.answers\nprint(open(toykit.answers.__file__).read())",
        cell("import toykit\nassert toykit.centred(np.ones((2, 2))).sum() == 0", "test"),
    ).notebook
    assert printed(done.cells[0]) == "True 3\n"
    expected = "NotImplementedError: toykit.answers.centred is what this exercise asks for"
    assert error(done.cells[0]) == expected
    assert "mean" not in printed(done.cells[1]) and "ANSWER" not in printed(done.cells[1])
    assert error(done.cells[2]) == ""


def test_answers_of_an_installed_package_are_hidden(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = tmp_path / "site-packages"
    installed.mkdir()
    toys.package(installed)
    (installed / "toyfile.py").write_text("def answer():\n    return 'ANSWER-KEY'\n")
    monkeypatch.syspath_prepend(str(installed))
    places = [*box.site_packages(), str(installed)]
    monkeypatch.setattr(box, "site_packages", lambda: places)
    with Room(packages=["toykit", "toyfile"], unavailable=["toykit.answers", "toyfile"]) as made:
        done = run(
            made,
            f"import os\nprint(os.listdir({str(installed)!r}))\n"
            f"print(os.listdir({str(installed / 'toykit')!r}))\n"
            f"print(repr(open({str(installed / 'toyfile.py')!r}).read()))",
            cell("import toyfile, toykit\nassert toyfile.answer() and toykit.K == 3", "test"),
        ).notebook
    assert printed(done.cells[0]).endswith("[]\n''\n") and error(done.cells[1]) == ""


def test_a_package_that_is_not_there_is_named() -> None:
    with pytest.raises(ModuleNotFoundError, match="no_such_package"):
        Room(packages=["no_such_package"])
    with pytest.raises(ModuleNotFoundError, match=r"json\.answers"):
        Room(packages=["json"], unavailable=["json.answers"])
    with pytest.raises(ValueError, match="outside its folder"):
        Room(files={"../x": b""})


# ── where there is no box ────────────────────────────────────────────────────


def test_without_bubblewrap_untrusted_code_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    box.check.cache_clear()
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(box.BoxUnavailable, match=r"bwrap \(package bubblewrap\) is not installed"):
        Room()
    fake = tmp_path / "bwrap"
    fake.write_text("#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2\nexit 1\n")
    fake.chmod(0o755)
    (tmp_path / "setpriv").symlink_to("/usr/bin/setpriv")
    with pytest.raises(box.BoxUnavailable, match="No permissions to create new namespace"):
        Room()
    box.check.cache_clear()


def test_limits_under_which_nothing_runs_are_refused() -> None:
    with pytest.raises(box.BoxUnavailable, match="Not even an empty submission runs"):
        Room(limits=Limits(seconds=0))


def test_the_box_can_be_given_up(
    kit: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(box, "check", lambda: pytest.fail("asked for a box"))
    spec = toys.specification(unsafe=True)
    with spec.room() as open_room:
        for _ in range(2):
            assert toys.total(toys.hand_in(toys.notebook(toys.ANSWERS), open_room, spec)) == 8
        assert toys.total(toys.hand_in(toys.notebook(), open_room, spec)) == 0
        done = run(open_room, "import os\nprint(os.getuid())")
        assert printed(done.notebook.cells[0]) == f"{os.getuid()}\n"


def test_nothing_of_a_room_is_left(tmp_path: Path) -> None:
    code = (
        "from grading.sandbox.room import Room\nimport glob, tempfile\n"
        "before = set(glob.glob(tempfile.gettempdir() + '/grading-*'))\n"
        "room = Room()\nroom.close()\n"
        "assert set(glob.glob(tempfile.gettempdir() + '/grading-*')) <= before\n"
        "import os\nroom = Room()\n"
        "print([w.process.pid for w in room._warm.values()], flush=True)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    assert done.stdout.startswith("["), done.stderr
    for _ in range(600):
        left = [pid for pid in eval(done.stdout) if _runs(pid)]
        if not left:
            break
        time.sleep(0.1)
    assert not left, "the boxes outlived their killed grader"


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
