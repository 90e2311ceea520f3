"""`python -m rnnlib FILE`: what is wrong with a file is said before it is handed in."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rnnlib import __main__ as check
from rnnlib.__main__ import main, problems

NAMES = ["step", "test_step", "why"]
WRITTEN = {"step": "def step():\n    return 1", "test_step": "assert step() == 1", "why": "So..."}


def notebook(sources: dict[str, str] = WRITTEN, **about: Any) -> dict[str, Any]:
    cells = [
        {
            "cell_type": "markdown" if name == "why" else "code",
            "metadata": {"nbgrader": {"grade_id": name, "solution": not name.startswith("test")}},
            "source": source.splitlines(keepends=True),
        }
        for name, source in sources.items()
    ]
    about = {"exercise": "02_cell", "cells": NAMES} | about
    return {"cells": cells, "metadata": {"unrolled": about}, "nbformat": 4, "nbformat_minor": 5}


def twice(made: dict[str, Any]) -> None:
    made["cells"].append(made["cells"][0])


@pytest.mark.parametrize(
    ("name", "change", "sentence"),
    [
        ("02_cell (1).ipynb", lambda made: None, "call it 02_cell.ipynb."),
        ("02_cell.ipynb", lambda made: made["cells"].pop(1), "Cells are missing: test_step."),
        ("02_cell.ipynb", twice, "There several times: step."),
        ("02_cell.ipynb", lambda made: made["cells"].clear(), "no cell of an exercise"),
        ("02_cell.ipynb", lambda made: made.pop("cells"), "It is no notebook"),
        (
            "02_cell.ipynb",
            lambda made: made["cells"][2].update(source="*Your answer here.*"),
            "Not written yet: why.",
        ),
        (
            "02_cell.ipynb",
            lambda made: made["cells"][0].update(
                source='def step():\n    raise NotImplementedError("step is not written yet")\n'
            ),
            "Not written yet: step.",
        ),
    ],
)
def test_what_is_wrong_is_one_sentence(
    tmp_path: Path, name: str, change: Callable[[dict[str, Any]], Any], sentence: str
) -> None:
    made = notebook()
    change(made)
    (tmp_path / name).write_text(json.dumps(made))
    (said,) = problems(tmp_path / name)
    assert sentence in said


def test_a_complete_file_can_be_handed_in(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "02_cell.ipynb"
    path.write_text(json.dumps(notebook()))
    assert main([str(path)]) == 0
    assert "nothing is missing" in capsys.readouterr().out
    monkeypatch.setattr(check, "MOST_BYTES", 100)
    assert main([str(path)]) == 1
    assert "Clear the outputs" in capsys.readouterr().out
    assert main([]) == 2
    assert main([str(tmp_path / "nowhere.ipynb")]) == 1
    assert "There is no file" in capsys.readouterr().out


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"cells": 1, "metadata": {}}', "\xff"])
def test_what_is_no_notebook_is_a_sentence(tmp_path: Path, content: str) -> None:
    path = tmp_path / "02_cell.ipynb"
    path.write_bytes(content.encode("latin-1"))
    assert problems(path) == [
        "It is no notebook, or damaged. Save it in JupyterLab, or download it as .ipynb."
    ]
