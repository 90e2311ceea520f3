"""A student's seed repeats, differs from anyone else's, and hangs on a key that is kept."""

from __future__ import annotations

import stat
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from grading.classroom.seeds import course_key, seed

KEY = bytes(range(32))


def test_a_seed_is_the_same_in_every_process_and_on_every_machine() -> None:
    # HMAC-SHA256 over 8 bytes of length, the assignment, the student; mod 10**8
    assert seed(KEY, "02_cell", "ada") == 15_802_906


def test_students_assignments_and_keys_give_different_seeds() -> None:
    seeds = {seed(KEY, f"{a:02d}", f"student{s}") for a in range(20) for s in range(50)}
    assert len(seeds) > 995  # by chance about 0.005 pairs among 1,000 meet
    assert all(0 <= value < 10**8 for value in seeds)
    assert seed(KEY, "a", "bc") != seed(KEY, "ab", "c")
    assert seed(KEY, "a", "b") != seed(bytes(32), "a", "b")


def test_the_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "course" / "key"
    key = course_key(path)
    assert len(key) == 32 and course_key(path) == key
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == ["key"]


def test_processes_that_start_together_agree_on_one_key(tmp_path: Path) -> None:
    with ProcessPoolExecutor(4) as pool:
        keys = set(pool.map(course_key, [tmp_path / "key"] * 16))
    assert len(keys) == 1


@pytest.mark.parametrize("content", ["", "not a key", "ab" * 31, "ab" * 33, "zz" * 32])
def test_a_damaged_key_is_refused_and_kept(tmp_path: Path, content: str) -> None:
    path = tmp_path / "key"
    path.write_text(content)
    with pytest.raises(ValueError, match="is not a course key"):
        course_key(path)
    assert path.read_text() == content
