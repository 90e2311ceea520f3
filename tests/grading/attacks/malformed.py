"""Files that are no notebook, or hardly one: a sentence, and the batch goes on."""

from __future__ import annotations

import json

import toys

from .book import attack


def text(made: dict) -> bytes:
    return json.dumps(made).encode()


@attack("cut off in the middle", says="damaged")
def cut_off(_: dict) -> bytes:
    return text(toys.notebook(toys.ANSWERS))[:-500]


@attack("nothing at all", says="empty")
def empty(_: dict) -> bytes:
    return b""


@attack("UTF-16", says="UTF-8")
def other_encoding(_: dict) -> bytes:
    return json.dumps(toys.notebook(toys.ANSWERS)).encode("utf-16")


@attack("lists in lists, a hundred thousand deep", says="damaged")
def deep_json(_: dict) -> bytes:
    return b"[" * 100_000


@attack("a notebook format of the future", says="format 99")
def future_format(_: dict) -> bytes:
    return text(toys.notebook(toys.ANSWERS) | {"nbformat": 99})


@attack("nbgrader's schema of the future", honest=8.0)
def future_schema(_: dict) -> bytes:
    made = toys.notebook(toys.ANSWERS)
    for cell in made["cells"]:
        cell["metadata"]["nbgrader"]["schema_version"] = 99
    return text(made)


@attack("numbers, lists and nothing where text should be", says="Cell 1")
def odd_cells(_: dict) -> bytes:
    made = toys.notebook(toys.ANSWERS)
    made["cells"][0] = {"cell_type": 7, "source": {"a": None}, "metadata": []}
    return text(made)


@attack("metadata of the wrong types everywhere", honest=8.0)
def odd_metadata(_: dict) -> bytes:
    made = toys.notebook(toys.ANSWERS)
    made["metadata"] = [1, 2]
    for cell in made["cells"]:
        cell["outputs"], cell["execution_count"] = "none", {"a": 1}
        cell["metadata"]["nbgrader"]["points"] = "all"
        cell["metadata"]["nbgrader"]["locked"] = []
    return text(made)


@attack("too large a file", says="too large")
def oversize(_: dict) -> bytes:
    return b'{"nbformat": 4, "cells": [], "x": [' + b"1," * 6_000_000 + b"1]}"


@attack("another assignment's notebook", says="none of the assignment's cells")
def other_assignment(_: dict) -> bytes:
    made = toys.notebook()
    for cell in made["cells"]:
        cell["metadata"], cell["source"], cell["id"] = {}, "1", "x" + cell["id"]
    return text(made)


@attack("half characters and nulls in every cell", honest=0.0)
def half_characters(_: dict) -> bytes:
    made = toys.notebook()
    for cell in made["cells"]:
        cell["source"] = 'print("\ud800\x00")'
    return text(made)


@attack("two thousand and one cells", says="cells")
def many_cells(_: dict) -> bytes:
    made = toys.notebook()
    made["cells"] *= 300
    return text(made)


@attack("modules beside the notebook that tests would import", honest=0.0)
def files_beside(_: dict) -> tuple:
    evil = b"def assert_allclose(*a, **k): pass\nallclose = lambda *a, **k: True\n"
    files = {"numpy.py": evil, "operator.py": evil, "toykit/__init__.py": evil, "toykit.py": evil}
    return toys.notebook(), files
