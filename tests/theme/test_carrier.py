"""Python for the browser: only official files, from where they are, or said to be missing."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from lab import runtime

from theme import carrier

MADE = carrier.RUNTIME


@pytest.fixture
def place(tmp_path: Path, monkeypatch) -> Path:
    """An empty place for the files, and no index to fetch them from."""
    monkeypatch.setattr(carrier, "RUNTIME", tmp_path / "made")
    monkeypatch.setattr(carrier, "FILES", tmp_path / "made" / "files.json")
    monkeypatch.delenv("RNNLIB_PYODIDE", raising=False)
    failed = subprocess.CompletedProcess([], 1, "", "ERROR: no network\n")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: failed)
    return tmp_path


def files() -> dict[str, list[int]]:
    return json.loads(carrier.FILES.read_text())


def test_without_a_carrier_the_site_is_built_and_says_so(place: Path, capsys) -> None:
    carrier.main()
    assert "The exercises' pages will have no Python: set RNNLIB_PYODIDE" in capsys.readouterr().out
    assert files() == {}
    before = carrier.FILES.stat().st_mtime_ns
    carrier.main()
    assert carrier.FILES.stat().st_mtime_ns == before, "else the site would be built each time"


@pytest.mark.skipif(not runtime(), reason="no Python for the browser is here")
def test_a_folder_is_taken_and_another_file_is_refused_by_name(
    place: Path, monkeypatch, capsys
) -> None:
    folder = place / "official"
    folder.mkdir()
    for path in MADE.glob("*.whl"):
        (folder / path.name).hardlink_to(path)
    monkeypatch.setenv("RNNLIB_PYODIDE", str(folder))
    numpy = next(folder.glob("numpy-*"))
    right = numpy.read_bytes()
    numpy.unlink()
    numpy.write_bytes(right[:-1] + b"x")
    carrier.main()
    assert f"Refused: {numpy.name} of {folder}" in capsys.readouterr().out
    assert files() == {} and not list(carrier.RUNTIME.glob("*.whl"))
    numpy.unlink()
    carrier.main()
    assert f"{folder} has no {numpy.name}." in capsys.readouterr().out
    numpy.write_bytes(right)
    carrier.main()
    assert capsys.readouterr().out == ""
    assert files() == runtime()
    assert {path.name for path in carrier.RUNTIME.iterdir()} == {*files(), "files.json"}
