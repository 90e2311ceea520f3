"""The tree for students holds no solution and no hidden test, or it is not written."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from student_repo import export, leaks, secrets

ROOT = Path(__file__).resolve().parents[1]

TEST = (
    "assert half(4) == 2\n### BEGIN HIDDEN TESTS\n"
    "assert half(1_234_567) == 617_283.5, 'large'\n### END HIDDEN TESTS\n"
)
SECRET = "assert half(1_234_567) == 617_283.5, 'large'"
SCHEME = "### BEGIN MARK SCHEME\nTwo points for naming the rounding error.\n### END MARK SCHEME"


def notebook(*sources: str) -> str:
    cells = [{"cell_type": "code", "source": source.splitlines(True)} for source in sources]
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


@pytest.fixture
def course(tmp_path: Path) -> Path:
    root = tmp_path / "course"
    files = {
        ".gitignore": "# made\nexercises/\n.venv/\n",
        "README.md": "The course.",
        "tests/test_one.py": "",
        "rnnlib/cells.py": "",
        "solutions/ps1/ps1.ipynb": notebook("def half(x): return x / 2", TEST, SCHEME),
        "exercises/ps1/ps1.ipynb": notebook("def half(x): ...", "assert half(4) == 2\n"),
        "exercises/old/old.ipynb": notebook("left from before"),
        "untracked.txt": "mine",
    }
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    for command in (
        ["init", "-q"],
        ["add", ".gitignore", "README.md", "tests", "rnnlib", "solutions"],
    ):
        subprocess.run(["git", *command], cwd=root, check=True)
    return root


def tree(out: Path) -> set[str]:
    return {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}


def test_what_is_tracked_and_released_goes_and_the_rest_stays(course: Path, tmp_path: Path) -> None:
    out = tmp_path / "students"
    export(course, out, "solutions", "exercises", ["tests"])
    assert tree(out) == {".gitignore", "README.md", "rnnlib/cells.py", "exercises/ps1/ps1.ipynb"}
    assert (out / ".gitignore").read_text() == "# made\n.venv/\n"


@pytest.mark.parametrize(
    ("place", "text"),
    [
        ("README.md", f"See:\n    {SECRET}\n"),
        ("rnnlib/cells.py", "# Two points for naming the rounding error.\n"),
        ("exercises/ps1/ps1.ipynb", notebook(TEST)),
        (
            "exercises/ps1/ps1.ipynb",
            json.dumps({"cells": [], "metadata": {"note": [SECRET[:20], SECRET[20:]]}}),
        ),
    ],
)
def test_a_hidden_line_anywhere_stops_it(
    course: Path, tmp_path: Path, place: str, text: str
) -> None:
    (course / place).write_text(text)
    with pytest.raises(ValueError, match=f"Hidden tests or mark schemes are in: {place}"):
        export(course, tmp_path / "students", "solutions", "exercises")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["course"], "nothing is left behind"


def test_nothing_is_overwritten_and_nothing_unreleased_is_forgotten(
    course: Path, tmp_path: Path
) -> None:
    out = tmp_path / "students"
    out.mkdir()
    (out / "mine.txt").write_text("mine")
    with pytest.raises(ValueError, match="is there already and not empty"):
        export(course, out, "solutions", "exercises")
    with pytest.raises(ValueError, match="is inside the course"):
        export(course, course / "students", "solutions", "exercises")
    (course / "exercises/ps1/ps1.ipynb").unlink()
    (course / "exercises/ps1").rmdir()
    with pytest.raises(ValueError, match="Not released yet: ps1"):
        export(course, tmp_path / "other", "solutions", "exercises")


@pytest.mark.parametrize("part", ["rnnlib", "chapters"])
def test_no_line_that_students_get_is_one_of_a_hidden_test(part: str) -> None:
    hidden = secrets(ROOT / "solutions")
    assert len(hidden) > 100 and not list(leaks(ROOT / part, hidden))
