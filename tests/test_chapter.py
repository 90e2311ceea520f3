"""`make chapter` lays out every file of a chapter, in form, and nothing is left to be filled in."""

import importlib.util
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from notebooks import canonical

ROOT = Path(__file__).resolve().parent.parent
# by its path: what tests of chapters share has the same name
SPEC = importlib.util.spec_from_file_location("lay_out", ROOT / "tools" / "chapter.py")
chapter = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(chapter)
COURSE = ROOT / "chapters" / "course.yml"
# these speak of the mark
ALLOWED = ("tools/chapter.py", "tools/templates/", "tests/test_chapter.py", ".github/CONTRIBUTING")


@pytest.fixture
def tree(tmp_path):
    """A project that has a course and nothing else."""
    (tmp_path / "chapters").mkdir()
    shutil.copy(COURSE, tmp_path / "chapters")
    return tmp_path


def test_every_file_of_a_chapter_is_laid_out_and_waits_to_be_filled_in(tree):
    paths = chapter.lay_out("17_capstone", tree)
    assert len(paths) == len(chapter.FILES) == len(list(chapter.TEMPLATES.iterdir()))
    for path in paths:
        assert chapter.left(path), path
        assert not re.search(r"@[A-Za-z]+@", path.read_text(encoding="utf-8")), path
    title = nbformat.read(tree / "chapters" / "17_capstone.ipynb", as_version=4).cells[0]
    assert title.source.startswith("# Capstone\n")


def test_what_is_laid_out_has_the_form_that_the_project_asks_for(tree):
    chapter.lay_out("17_capstone", tree)
    shutil.copy(ROOT / "pyproject.toml", tree)
    for name in ("__init__", "testing"):  # so that ruff knows whose they are
        (tree / "rnnlib" / f"{name}.py").touch()
    for path, outputs in (
        ("chapters/17_capstone", True),
        ("solutions/17_capstone/17_capstone", False),
    ):
        notebook = nbformat.read(tree / f"{path}.ipynb", as_version=4)
        nbformat.validate(notebook)
        assert canonical(notebook, outputs) == notebook
    ruff = [sys.executable, "-m", "ruff"]
    for command in (["check", "--no-cache", "--quiet"], ["format", "--no-cache", "--check"]):
        done = subprocess.run([*ruff, *command], cwd=tree, text=True, capture_output=True)
        assert done.returncode == 0, done.stdout


def test_what_an_author_wrote_is_never_written_over(tree):
    first = chapter.lay_out("17_capstone", tree)
    first[1].write_text("filled in\n")
    first[3].unlink()  # a chapter without data of its own
    assert chapter.lay_out("17_capstone", tree) == [first[0], first[1], first[2], *first[4:]]
    assert first[1].read_text() == "filled in\n"
    assert chapter.left(first[1]) == []

    first[0].unlink()
    with pytest.raises(SystemExit, match="exists already: nothing is written"):
        chapter.lay_out("17_capstone", tree)
    assert not first[0].exists()
    with pytest.raises(SystemExit, match=r"18_more is not in chapters/course\.yml") as refused:
        chapter.lay_out("18_more", tree)
    # the last line of the message is the one to put in there
    course = tree / "chapters" / "course.yml"
    course.write_text(f"chapters:\n{str(refused.value).splitlines()[-1]}\n")
    chapter.lay_out("18_more", tree)
    with pytest.raises(SystemExit, match="more is no chapter's name"):
        chapter.lay_out("more", tree)


def test_what_comes_next_is_said_when_nothing_is_left(tree, monkeypatch, capsys):
    monkeypatch.setattr(chapter, "ROOT", tree)
    monkeypatch.setattr(chapter, "lay_out", lambda slug: paths)
    monkeypatch.setattr(chapter.sys, "argv", ["chapter.py", "17_capstone"])
    paths = [tree / "a.py"]
    paths[0].write_text("FILL IN\n")
    chapter.main()
    assert capsys.readouterr().out.startswith("a.py: line 1\nWhat is to be said there")
    paths[0].write_text("said\n")
    chapter.main()
    said = capsys.readouterr().out
    assert said.startswith("a.py: done\n") and "make notebooks N=17_capstone" in said


def test_nothing_is_left_to_be_filled_in():
    names = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, text=True, check=True, capture_output=True,
    ).stdout.splitlines()  # fmt: skip
    texts = [ROOT / name for name in names if not name.startswith(ALLOWED)]
    waiting = {
        str(path.relative_to(ROOT)): chapter.left(path)
        for path in texts
        if path.suffix in {".py", ".js", ".md", ".ipynb"} and path.exists()
    }
    assert {name: places for name, places in waiting.items() if places} == {}
