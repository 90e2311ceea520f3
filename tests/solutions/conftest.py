"""The assignments, and their release as nbgrader makes it."""

import shutil
from pathlib import Path

import pytest
from assignments import nbgrader
from exercises import ROOT, SLUGS

# wrong answers, read by tools/exercises.py and never imported
collect_ignore_glob = ["[0-9]*"]


@pytest.fixture(scope="session")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course folder with all solutions, released."""
    folder = tmp_path_factory.mktemp("course")
    shutil.copy(ROOT / "nbgrader_config.py", folder)
    for slug in SLUGS:
        shutil.copytree(
            ROOT / "solutions" / slug,
            folder / "solutions" / slug,
            ignore=shutil.ignore_patterns(".ipynb_checkpoints", "__pycache__"),
        )
    nbgrader(folder, "generate_assignment", "*")
    return folder
