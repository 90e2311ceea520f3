"""What chapters share: a run that is compared and then tested, and the form of experiments."""

import json
import os
import re
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import numpy as np
import pytest
import record
from notebooks import canonical, instruction_sets, run

from rnnlib.checkpoints import quantize

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = sorted(ROOT.glob("chapters/experiments/[0-9]*.py"))

# A chapter of four cells: a print, a picture, a value, and what reads a file beside the notebook.
CELLS = {
    "words": "import warnings\nx = 3\nprint('x is', x)",
    "picture": (
        "import matplotlib.pyplot as plt\nplt.rcParams['figure.dpi'] = 50\n"
        "print('before')\nplt.plot([1, 2, x])\nplt.show()\nprint('after')"
    ),
    "value": "class Two:\n    def __repr__(self):\n        return 'two'\n\n\nTwo()",
    "file": "from pathlib import Path\nprint(sorted(p.name for p in Path('.').glob('*.ipynb')))",
}
TESTS = """\
def test_names(chapter):
    assert chapter.names.x == 3
    assert type(chapter.names.Two()).__module__ == "__main__"


def test_axes(chapter):
    assert chapter.axes["picture"][0].lines[0].get_ydata().tolist() == [1, 2, 3]


def test_nothing_is_left_behind(chapter):
    import matplotlib
    from pathlib import Path

    assert matplotlib.rcParams["figure.dpi"] == 100
    assert "inline" not in matplotlib.get_backend()
    assert Path.cwd().name != "chapters"
"""


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    """A tree with one chapter, run in a kernel and stored, its tests, and what they share."""
    root = tmp_path_factory.mktemp("book")
    tests, chapters = root / "tests" / "chapters", root / "chapters"
    tests.mkdir(parents=True)
    chapters.mkdir()
    for name in ("chapter.py", "conftest.py"):
        shutil.copy(Path(__file__).parent / name, tests)
    (tests / "test_90_toy.py").write_text(TESTS)
    cells = [nbformat.v4.new_code_cell(source, id=name) for name, source in CELLS.items()]
    notebook = nbformat.v4.new_notebook(cells=cells)
    nbformat.write(notebook, chapters / "90_toy.ipynb")  # the last cell lists it
    ran = run(notebook, chapters, {"here": {}})["here"]
    nbformat.write(canonical(ran, keep_outputs=True), chapters / "90_toy.ipynb")
    return root


def results(root, *options):
    """{name of a test or a cell: outcome}, and what pytest said."""
    command = [sys.executable, "-m", "pytest", "-v", "-rs", "-p", "no:cacheprovider", *options]
    command += ["--nbval-kernel-startup-timeout=600"]  # a busy machine
    environment = {name: value for name, value in os.environ.items() if name != "MPLBACKEND"}
    text = subprocess.run(command, cwd=root, env=environment, text=True, capture_output=True).stdout
    return dict(re.findall(r"::(\S+) (PASSED|SKIPPED|FAILED|ERROR)", text)), text


def test_one_run_of_a_chapter_is_compared_as_nbval_does_and_then_tested(book):
    outcomes, text = results(book, "tests")
    tests = ["test_names", "test_axes", "test_nothing_is_left_behind"]
    assert list(outcomes) == ["setup", *CELLS, *tests], text
    assert set(outcomes.values()) == {"PASSED"}, text
    # two at once: the cells stay with their tests
    outcomes, text = results(book, "tests", "-n", "2", "--dist", "loadfile")
    assert "8 passed" in text, text
    # and the reader's command says the same
    _, text = results(book, "--nbval", "chapters")
    assert "5 passed" in text, text


SPOILED = {
    "words": ("x = 3\nprint('x is', x + 1)", "x is 4"),
    "picture": ("import warnings\nprint('before\\nafter')\nwarnings.warn('oh')", "stderr"),
    "value": ("'three'", "three"),
    "file": ("1 / 0", "ZeroDivisionError"),
}


def test_a_cell_that_gives_out_something_else_fails_here_as_in_nbval(book, tmp_path):
    root = shutil.copytree(book, tmp_path / "book")
    path = root / "chapters" / "90_toy.ipynb"
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        cell.source = SPOILED.get(cell.id, [cell.source])[0]
        if cell.id == "picture":  # what it shows is not stored, so that only the warning is new
            cell.outputs = [one for one in cell.outputs if one.output_type == "stream"]
    nbformat.write(notebook, path)
    outcomes, here = results(root, "tests")
    assert {name for name, outcome in outcomes.items() if outcome == "FAILED"} == set(SPOILED)
    _, there = results(root, "--nbval", "chapters")
    assert "4 failed, 1 passed" in there, there
    for _, message in SPOILED.values():
        assert message in here, here
        assert message in there, there
    # what a test of the chapter needs is not there: it says which cell is to blame
    assert "ZeroDivisionError" in here.partition("test_names")[2]


def test_letters_too_small_for_a_phone_are_named(book, tmp_path):
    root = shutil.copytree(book, tmp_path / "book")
    path = root / "chapters" / "90_toy.ipynb"
    notebook = nbformat.read(path, as_version=4)
    (cell,) = (cell for cell in notebook.cells if cell.id == "picture")
    cell.source = cell.source.replace("plt.show()", "plt.title('tiny', size=8)\nplt.show()")
    nbformat.write(notebook, path)
    outcomes, text = results(root, "tests")
    assert [name for name, outcome in outcomes.items() if outcome == "FAILED"] == ["picture"]
    assert "Letters are too small on a phone" in text and "tiny" in text


def test_on_other_bits_what_prints_otherwise_is_passed_over_and_what_fails_still_fails(
    book, tmp_path
):
    root = shutil.copytree(book, tmp_path / "book")
    (root / "tools").mkdir()
    (root / "tools" / "fingerprint.py").write_text("print('This machine rounds up.')")
    path = root / "chapters" / "90_toy.ipynb"
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if cell.id in {"words", "file"}:
            cell.source = SPOILED[cell.id][0]
    nbformat.write(notebook, path)
    outcomes, text = results(root, "tests")
    assert outcomes["words"] == "SKIPPED"
    assert "This machine rounds up." in text
    assert outcomes["picture"] == outcomes["value"] == "PASSED"
    assert outcomes["file"] == "FAILED"


def test_every_notebook_of_the_book_is_compared():
    for path in ROOT.glob("chapters/*.ipynb"):
        assert (Path(__file__).parent / f"test_{path.stem}.py").exists(), path.name


@pytest.mark.parametrize(
    ("instruction_set", "parts"),
    [
        ("OpenBLAS and torch on SSE4", ["NumPy's products", "torch's layers"]),
        ("NumPy on its baseline", ["NumPy's tanh"]),
    ],
)
def test_on_another_instruction_set_the_fingerprint_is_another_one(instruction_set, parts):
    other = os.environ | instruction_sets()[instruction_set]
    command = [sys.executable, "tools/fingerprint.py"]
    said = subprocess.run(command, cwd=ROOT, env=other, text=True, capture_output=True, check=True)
    assert all(part in said.stdout for part in parts), said.stdout
    assert "NumPy's sqrt" not in said.stdout  # which IEEE 754 has rounded alike everywhere


def test_the_fingerprint_is_that_of_the_pinned_versions():
    """`make lock` stores both."""
    stored = json.loads((ROOT / "tools" / "fingerprint.json").read_text(encoding="utf-8"))
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    for name, version in stored["versions"].items():
        assert f"\n{name}=={version}\n" in lock


# Experiments


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_an_experiment_s_file_has_the_one_form(path):
    stored = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    made_by, versions, settings, *parts = stored
    assert (made_by, versions, settings) == ("made_by", "versions", "settings")
    assert parts
    assert stored["made_by"] == str(path.relative_to(ROOT))
    assert {"python", "numpy", "rnnlib"} <= set(stored["versions"])

    def entries(value):
        if isinstance(value, dict):
            yield value
            # what was tuned is not compared, so it needs no spread (record.py)
            value = [one for name, one in value.items() if name != "tuning"]
        if isinstance(value, list):
            for item in value:
                yield from entries(item)

    over_seeds = [one for one in entries([stored[part] for part in parts]) if "seeds" in one]
    assert over_seeds  # else the weekly comparison has no spread to compare within
    for entry in over_seeds:
        # what was trained only once says why, and is compared within a hundredth
        assert entry.get("once") or len(set(entry["seeds"])) >= 3
    assert not list(record.differences(stored, stored, path.stem))


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_an_experiment_finds_in_its_chapter_what_it_needs(path, capsys):
    """A cell that was renamed, or that needs another one, shows here and not in an hour's run."""
    runpy.run_path(str(path))


def test_cells_of_a_chapter_are_run_in_the_order_that_is_asked_for():
    defined = record.cells("02_cell", "imports", "learn-task")
    assert defined.light_switch(defined.T, 5, np.random.default_rng(0))[0].shape == (20, 5, 3)
    # also one that reads a file beside the notebook
    assert record.cells("speed", "machine", "table").rows
    with pytest.raises(ValueError, match="no cell 'learn-tusk', only setup, imports"):
        record.cells("02_cell", "learn-tusk")


@pytest.fixture
def experiment(tmp_path, monkeypatch, capsys):
    """Call an experiment of three parts as its file is called: (exit code, what was said)."""
    monkeypatch.setattr(record, "FIGURES", tmp_path)
    file = tmp_path / "90_toy.py"

    def call(*arguments, luck=0.0, size=3):
        def search():
            print("searched")
            runs = np.array([[0.5, 0.9], [0.6, 0.7], [0.7, 0.8]]) + luck
            return [{"seeds": [0, 1, 2], "right": runs.round(3), "tuning": {"lr": luck}}]

        def table():
            return {"exact": 1 / 3, "one": True}

        def toy():
            weights = {"w": np.random.default_rng().normal(size=(2, 3))}
            return {"words": ["a", "b"], "weights": quantize(weights)}

        monkeypatch.setattr(sys, "argv", [str(file), *arguments])
        try:
            parts = {"search": search, "table": table}
            record.run(str(file), {"size": size}, parts, {"toy": toy})
            code = 0
        except SystemExit as end:
            code = int(end.code)
        return code, "".join(capsys.readouterr())

    call.result, call.figure = file.with_suffix(".json"), tmp_path / "toy.json"
    return call


def test_an_experiment_writes_parts_and_keeps_the_others(experiment):
    assert experiment()[0] == 0
    stored = json.loads(experiment.result.read_text())
    assert list(stored) == ["made_by", "versions", "settings", "search", "table"]
    assert stored["search"][0]["right"] == [[0.5, 0.9], [0.6, 0.7], [0.7, 0.8]]
    assert json.loads(experiment.figure.read_text())["weights"]["w"]["shape"] == [2, 3]

    code, said = experiment("table", luck=0.1)
    assert code == 0 and "searched" not in said
    assert json.loads(experiment.result.read_text()) == stored
    code, said = experiment("tabel")
    assert code == 2 and "no part is named tabel" in said
    # what is kept belongs to other settings
    code, said = experiment("table", size=4)
    assert code == 2 and "the settings have changed" in said
    assert json.loads(experiment.result.read_text()) == stored
    # unless somebody says that it does not
    code, said = experiment("table", "--keep", size=4)
    kept = json.loads(experiment.result.read_text())
    assert code == 0 and "searched" not in said
    assert kept["settings"]["size"] == 4 and kept["search"] == stored["search"]


def test_what_another_version_has_made_is_not_kept(experiment):
    assert experiment()[0] == 0
    stored = json.loads(experiment.result.read_text())

    def made_with(**versions):
        head = {**stored, "versions": stored["versions"] | versions}
        experiment.result.write_text(json.dumps(head))

    made_with(other="1.0")  # a library that is not needed any more
    assert experiment("table", "--keep")[0] == 0
    made_with(numpy="1.0")
    code, said = experiment("table", "--keep")
    assert code == 2 and "the versions have changed" in said


def test_a_repetition_within_the_recorded_spread_passes_and_another_is_named(experiment):
    assert experiment()[0] == 0
    before = experiment.result.read_text(), experiment.figure.read_text()
    for luck in (0.0, 0.1, -0.15):
        code, said = experiment("--check", luck=luck)
        assert code == 0 and "within the recorded spread" in said, said
    code, said = experiment("--check", luck=0.3)
    assert code == 1
    assert "search[0], right[0]: mean 0.6 recorded, 0.9 now, 0.2 allowed" in said
    assert "search[0], right[1]: mean 0.8 recorded, 1.1 now, 0.2 allowed" in said
    code, said = experiment("--check", luck=np.nan)
    assert code == 1 and "nan now" in said
    code, said = experiment("--check", size=4)
    assert code == 1 and "settings, size: recorded 3, now 4" in said
    assert before == (experiment.result.read_text(), experiment.figure.read_text())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda stored: stored["table"].update(exact=0.335), "table, exact"),
        (lambda stored: stored["table"].update(one=False), "table, one"),
        (lambda stored: stored["table"].pop("one"), "table: recorded"),
        (lambda stored: stored["search"].append({}), "search: recorded"),
        (lambda stored: stored["search"][0].update(seeds=[0, 1, 3]), "seeds"),
        (lambda stored: stored["search"][0].update(right=[1.0, 1.0, 1.0]), "shape"),
    ],
)
def test_what_has_no_spread_must_come_out_again(experiment, change, message):
    experiment()
    stored = json.loads(experiment.result.read_text())
    change(stored)
    experiment.result.write_text(json.dumps(stored))
    code, said = experiment("--check")
    assert code == 1 and message in said, said


def test_runs_that_have_not_come_there_are_counted():
    def said(before, after):
        each = ({"seeds": [0, 1, 2], "updates": updates} for updates in (before, after))
        return list(record.differences(*each, "adding"))

    nobody = [None, None, None]
    assert said(nobody, nobody) == []
    assert said([300, None, 400], [None, 320, 390]) == []
    assert said([300, 350, 400], [310, None, 390]) == [] == said(nobody, [None, 900, None])
    (sentence,) = said([300, None, 400], nobody)
    assert sentence == "adding, updates: None in 1 of 3 runs recorded, in 3 now"
    (sentence,) = said([300, None, 400], [600, 700, None])
    assert "mean 350 recorded, 650 now" in sentence


def test_an_interval_may_move_as_far_as_its_own_end():
    def said(interval, verdict="no"):
        before = {"interval": [-0.2, 0.1], "verdict": "not shown"}
        return list(record.differences(before, {"interval": interval, "verdict": verdict}, "pump"))

    assert said([-0.3, 0.0]) == []
    assert said([0.05, 0.35]) == ["pump, interval: recorded [-0.2, 0.1], the middle is 0.2 now"]
    assert said([-0.6, 0.1], "yes") == [
        "pump, interval: recorded [-0.2, 0.1], the middle is -0.25 now"
    ]


def test_files_are_written_an_entry_a_line(tmp_path):
    content = {"settings": {"é": [1, 2]}, "runs": [{"x": "y"}, {"x": [0.5]}], "empty": []}
    path = tmp_path / "file.json"
    record.write(path, content)
    assert path.read_text(encoding="utf-8").splitlines() == [
        "{",
        ' "settings": {"é": [1, 2]},',
        ' "runs": [',
        '  {"x": "y"},',
        '  {"x": [0.5]}',
        " ],",
        ' "empty": []',
        "}",
    ]
    assert json.loads(path.read_text(encoding="utf-8")) == content
