"""What holds for the project as a whole: its size, its pins, its manners."""

import json
import re
import shutil
import subprocess
import sysconfig
from importlib.metadata import distributions
from pathlib import Path

import pin
import pytest

ROOT = Path(__file__).resolve().parent.parent


def tracked():
    return subprocess.run(
        ["git", "ls-files"], cwd=ROOT, text=True, check=True, capture_output=True
    ).stdout.splitlines()


def test_the_top_level_has_at_most_sixteen_visible_entries():
    visible = {name.split("/")[0] for name in tracked() if not name.startswith(".")}
    assert len(visible) <= 16, sorted(visible)


def test_the_readme_is_short_shows_the_site_and_names_the_system_packages():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(readme.splitlines()) <= 60
    pictures = re.findall(r"!\[.{20,}\]\((.+)\)", readme)
    assert pictures
    assert all((ROOT / name).exists() for name in pictures)
    packages = re.search(r'packages="(.+)"', (ROOT / ".ci/run").read_text(encoding="utf-8"))
    assert all(name in readme for name in packages[1].split())


def test_everything_installed_is_pinned_at_the_version_of_the_lock():
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    pins = dict(re.findall(r"^(\S+)==(\S+)$", lock, re.M))
    assert pins["torch"] == "2.13.0"

    def plain(name):
        return re.sub(r"[-_.]+", "-", name).lower()

    pins = {plain(name): version for name, version in pins.items()}
    # only what pip put there: setuptools brings copies of others' packages along
    for distribution in distributions(path=[sysconfig.get_path("purelib")]):
        name, version = plain(distribution.metadata["Name"]), distribution.version
        if name not in {"pip", "setuptools", "wheel", "rnnlib"}:
            assert pins.get(name) == version.split("+")[0], f"{name}: make clean, then try again"


def test_a_new_library_is_pinned_and_moves_no_other(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(pin, "LOCK", tmp_path / "requirements.lock")
    pin.LOCK.write_text("# Made\nargon2-cffi==1\nargon2-cffi-bindings==3\nast_serialize==0.1\n")
    found = {"Argon2_cffi": "1", "ast-serialize": "0.1", "pip": "9", "arrow": "2+cpu", "Zope": "1"}
    install = [{"metadata": {"name": name, "version": v}} for name, v in found.items()]
    report = subprocess.CompletedProcess([], 0, json.dumps({"install": install}))
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: report)
    pin.main()
    assert capsys.readouterr().out == "arrow==2\nZope==1\n"
    lines = "argon2-cffi==1 argon2-cffi-bindings==3 arrow==2 ast_serialize==0.1 Zope==1"
    assert pin.LOCK.read_text().split("\n") == ["# Made", *lines.split(), ""]


@pytest.mark.parametrize("name", tracked())
def test_no_file_is_large_or_names_this_machine_or_a_package_registry(name):
    path = ROOT / name
    if not path.exists():  # removed, and not committed yet
        return
    assert path.stat().st_size <= 1_500_000
    if (
        path.suffix in {".png", ".jpg", ".woff2", ".mp3", ".mp4", ".mid", ".npz", ".wav"}
        or name == "tests/test_project.py"
    ):
        return
    text = path.read_text(encoding="utf-8")
    # a home, a checkout or a temporary folder of the machine on which a notebook ran
    assert not re.search(r"(?<![\w./~-])/(root|home/\w+|tmp/\w+|Users/\w+|work)/", text)
    assert not re.search(r"pypi\.org|pythonhosted\.org|registry\.npmjs|deb\.debian\.org", text)


def test_a_release_holds_exercises_and_chapters(tmp_path):
    """The branch that Colab opens notebooks from: those of two folders, in one tree."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    for name in ("exercises/90_toy/90_toy.ipynb", "_build/html/downloads/90_toy.ipynb"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text("{}")

    def git(*words):
        return subprocess.run(
            ["git", *words], cwd=tmp_path, text=True, check=True, capture_output=True
        ).stdout

    git("init", "--quiet")
    git("config", "user.name", "Ada")
    git("config", "user.email", "ada@example.org")
    git("commit", "--quiet", "--allow-empty", "--message", "A course")
    git("init", "--quiet", "--bare", "published")
    git("remote", "add", "origin", str(tmp_path / "published"))
    release = ["make", "--old-file", "_build/html/.built", "release"]
    done = subprocess.run(release, cwd=tmp_path, text=True, capture_output=True)
    assert done.returncode == 0, done.stderr
    there = git("-C", "published", "ls-tree", "-r", "--name-only", "exercises").split()
    assert there == ["90_toy.ipynb", "90_toy/90_toy.ipynb"]
