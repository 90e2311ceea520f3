"""A chapter's notebook is collected beside its own tests, so that both share one run of it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from chapter import CHAPTERS, Chapter, PrintedNotebook, ran


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Before the tests of test_NN_slug.py, the cells of NN_slug.ipynb."""
    if not (CHAPTERS / f"{file_path.stem.removeprefix('test_')}.ipynb").exists():
        return None
    return PrintedNotebook.from_parent(parent, path=file_path)


@pytest.fixture(scope="module")
def chapter(request: pytest.FixtureRequest) -> Chapter:
    """The chapter that this file of tests is about, after its last cell."""
    return ran(request.path.stem.removeprefix("test_")).finish()
