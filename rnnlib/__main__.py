"""Checks an exercise's file before it is handed in: ``python -m rnnlib 02_cell.ipynb``.

It looks at the file alone, its name, its size and its cells, and runs nothing. Whether the
answers are right say the tests in the notebook.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

MOST_BYTES = 50_000_000  # that are read when work is marked
GIVEN = ("", "...", "*Your answer here.*")  # what stands in an exercise in place of an answer


def problems(path: Path) -> list[str]:
    """Find what is wrong with a file that shall be handed in.

    Parameters
    ----------
    path : Path

    Returns
    -------
    list of str
        A sentence each; none if all is well.
    """
    if not path.is_file():
        return [f"There is no file {path}. Is this the folder in which it lies?"]
    size = path.stat().st_size
    if size > MOST_BYTES:
        return [
            f"It has {size / 1e6:.0f} MB; at most {MOST_BYTES / 1e6:.0f} MB are read. Clear the "
            "outputs (in JupyterLab's menu Edit: Clear Outputs of All Cells), and save it."
        ]
    try:
        notebook = json.loads(path.read_text(encoding="utf-8"))
        cells = [(_marks(cell).get("grade_id"), cell) for cell in notebook["cells"]]
        about = notebook["metadata"].get("unrolled", {})
    except (ValueError, TypeError, KeyError, AttributeError):
        return ["It is no notebook, or damaged. Save it in JupyterLab, or download it as .ipynb."]
    found = Counter(str(name) for name, _ in cells if name)
    wanted = about.get("cells") or list(found)
    if not found:
        return ["It holds no cell of an exercise. Is it the notebook of a chapter?"]
    said = []
    name = about.get("exercise", path.stem)
    if path.name != f"{name}.ipynb":
        said.append(f"It is called {path.name}; call it {name}.ipynb.")
    missing = [name for name in wanted if not found[name]]
    if missing:
        said.append(f"Cells are missing: {', '.join(missing)}. Take them from a fresh download.")
    twice = [name for name, times in found.items() if times > 1]
    if twice:
        said.append(f"There several times: {', '.join(twice)}. The last one counts.")
    empty = [str(name) for name, cell in cells if _marks(cell).get("solution") and _unwritten(cell)]
    if empty:
        said.append(f"Not written yet: {', '.join(empty)}.")
    return said


def _marks(cell: dict[str, Any]) -> dict[str, Any]:
    return cell["metadata"].get("nbgrader", {})


def _unwritten(cell: dict[str, Any]) -> bool:
    text = "".join(cell["source"]).strip()
    return text in GIVEN or text.endswith('is not written yet")')


def main(words: list[str]) -> int:
    """Check each file that the command names, and say what is wrong."""
    if not words:
        print("Which file? For example: python -m rnnlib 02_cell.ipynb", file=sys.stderr)
        return 2
    wrong = 0
    for path in map(Path, words):
        said = problems(path)
        wrong += bool(said)
        for sentence in said:
            print(f"{path}: {sentence}")
        if not said:
            about = path.stat()
            saved = datetime.fromtimestamp(about.st_mtime)
            print(
                f"{path}: nothing is missing. It has {about.st_size / 1e3:.0f} kB and was saved "
                f"last on {saved:%d %B at %H:%M}. This file can be handed in."
            )
    return min(wrong, 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
