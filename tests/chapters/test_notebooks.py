"""Notebooks are stored in one form, and the check that says so can fail."""

import base64
import io
import shutil
import subprocess
import sys
from copy import deepcopy
from pathlib import Path

import matplotlib.pyplot as plt
import nbformat
import notebooks as tool
import numpy as np
import pytest
from notebooks import as_text, canonical, complaints, is_compared, notebooks, small_png
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
CHAPTERS = [path for path in notebooks([]) if path.parent.name == "chapters"]


@pytest.mark.parametrize("path", notebooks([]), ids=lambda path: str(path.relative_to(ROOT)))
def test_the_notebook_is_in_its_canonical_form(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    keep_outputs = path in CHAPTERS
    assert canonical(notebook, keep_outputs) == notebook, "run: make notebooks"
    assert complaints(notebook, keep_outputs) == []


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_strict_nbval_compares_every_cell(path):
    """nbval skips, without a word, a cell without an execution count, and tagged ones."""
    code = [c for c in nbformat.read(path, as_version=4).cells if c.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    left_out = [cell.id for cell in code if not is_compared(cell)]
    assert len(left_out) <= len(code) // 30, left_out


def png(width=6.4):
    """A plot as Matplotlib saves it."""
    figure, ax = plt.subplots(figsize=(width, 4.8), dpi=150)
    ax.plot([0, 1, 0.5], label="a line")
    ax.legend()
    buffer = io.BytesIO()
    figure.savefig(buffer)
    plt.close(figure)
    return base64.b64encode(buffer.getvalue()).decode()


def example():
    """A small notebook in canonical form."""
    cell = nbformat.v4.new_code_cell("print(1)", id="one", metadata={"mystnb": {}})
    cell.outputs = [nbformat.v4.new_output("stream", name="stdout", text="1\n")]
    return canonical(nbformat.v4.new_notebook(cells=[cell]), keep_outputs=True)


def show(notebook, width=6.4):
    """A picture, without words."""
    data = {"image/png": small_png(png(width))}
    notebook.cells[1].outputs = [nbformat.v4.new_output("display_data", data=data)]


SPOILED = {
    "two cells have the id": lambda nb: nb.cells[1].update(id="setup"),
    "random id": lambda nb: nb.cells[1].update(id="1f0e3dad"),
    "ends in an error": lambda nb: nb.cells[1].update(
        outputs=[nbformat.v4.new_output("error", ename="ValueError", evalue="no", traceback=[])]
    ),
    "writes to stderr": lambda nb: nb.cells[1].update(
        outputs=[nbformat.v4.new_output("stream", name="stderr", text="warning")]
    ),
    "without alternative text": show,
    "letters are too small on a phone": lambda nb: show(nb, width=7.2),
    "cell 'one', line 2, has 85 characters": lambda nb: nb.cells[1].update(
        source="x = 1\n" + "x" * 85 + "\n" + "x" * 84
    ),
}


@pytest.mark.parametrize("message", SPOILED)
def test_what_is_wrong_with_a_notebook_is_said(message):
    notebook = example()
    assert complaints(notebook, keep_outputs=True) == []
    SPOILED[message](notebook)
    assert any(message in complaint for complaint in complaints(notebook, keep_outputs=True))


@pytest.mark.parametrize(
    "change",
    [
        lambda nb: nb.metadata.update(widgets={}),
        lambda nb: nb.cells[1].update(execution_count=7),
        lambda nb: nb.cells[1].metadata.update(execution={"iopub.status.busy": "now"}),
        lambda nb: nb.cells.pop(0),
        lambda nb: nb.cells[0].update(source="import rnnlib"),
    ],
)
def test_another_form_is_noticed_and_mended(change):
    notebook = example()
    changed = deepcopy(notebook)
    change(changed)
    assert canonical(changed, keep_outputs=True) != changed
    assert canonical(changed, keep_outputs=True) == notebook


def test_pictures_become_small_and_stay_as_they_are_the_second_time():
    plot = png()
    once = small_png(plot)
    assert len(once) < len(plot) / 1.5
    assert small_png(once) == once


def test_a_mark_in_a_rare_colour_keeps_it_in_a_small_picture():
    grey = np.repeat(np.arange(256, dtype=np.uint8), 256 * 3).reshape(256, 256, 3)
    grey[:5, :5] = 31, 95, 166
    buffer = io.BytesIO()
    Image.fromarray(grey).save(buffer, "PNG")
    small = base64.b64decode(small_png(base64.b64encode(buffer.getvalue()).decode()))
    shown = np.array(Image.open(io.BytesIO(small)).convert("RGB")).astype(int)
    assert abs(shown[0, 0] - (31, 95, 166)).max() < 12


def test_a_diff_shows_sources_and_prints_and_no_picture():
    notebook = example()
    show(notebook)
    notebook.cells[1].outputs.append(nbformat.v4.new_output("stream", name="stdout", text="1\n"))
    text = as_text(notebook)
    assert "── code one\nprint(1)" in text
    assert "→ 1" in text
    assert "→ [picture " in text
    assert notebook.cells[1].outputs[0].data["image/png"] not in text


@pytest.fixture
def toy(tmp_path, monkeypatch):
    """A chapter that rounds up here and down there, but for a cell that is not compared."""
    for name in ("_config.yml", "rnnlib/__init__.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / "chapters").mkdir()
    rounds = "import os\nprint('it rounds')\nprint(os.environ['ROUNDS'])"
    ignored = {"tags": ["nbval-ignore-output"]}
    cells = [
        nbformat.v4.new_code_cell(rounds, id="rounding"),
        nbformat.v4.new_code_cell(rounds, id="sample", metadata=ignored),
    ]
    path = tmp_path / "chapters" / "90_toy.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    sets = {"here": {"ROUNDS": "up"}, "there": {"ROUNDS": "down"}}
    monkeypatch.setattr(tool, "ROOT", tmp_path)
    monkeypatch.setattr(tool, "instruction_sets", lambda: sets)
    monkeypatch.setattr(sys, "argv", ["notebooks.py", "90_toy"])
    return path


def test_what_is_printed_otherwise_elsewhere_is_shown_and_nothing_is_stored(toy, capsys):
    before = toy.read_text()
    with pytest.raises(SystemExit) as exit:
        tool.main()
    assert exit.value.code
    said = capsys.readouterr().out
    assert "cell 'rounding' does not print the same everywhere" in said
    assert "-up\n" in said
    assert "+down\n" in said
    assert "'sample'" not in said
    assert toy.read_text() == before


def test_what_all_print_is_stored_and_of_the_rest_what_the_first_prints(toy):
    notebook = nbformat.read(toy, as_version=4)
    notebook.cells[0].source = "print('it rounds')"
    nbformat.write(notebook, toy)
    with pytest.raises(SystemExit) as exit:
        tool.main()
    assert not exit.value.code
    _, rounding, sample = nbformat.read(toy, as_version=4).cells
    assert rounding.outputs[0].text == "it rounds\n"
    assert sample.outputs[0].text == "it rounds\nup\n"


def test_an_unknown_chapter_is_named():
    result = subprocess.run(
        [sys.executable, "tools/notebooks.py", "99_nothing"],
        cwd=ROOT,
        text=True,
        capture_output=True,
    )
    assert result.returncode == 1
    assert "There is no notebook named 99_nothing." in result.stderr
