"""The package's rooms: each imports only what stands below it, and two decide about marks."""

from __future__ import annotations

import ast
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

import grading
from grading.marking import assignment

HOUSE = Path(grading.__file__).parent
# from the roof down; `inside` is in the box, where there is nothing else of this package
ROOMS = "__main__ plugin results classroom marking sandbox sandbox.inside".split()


def room_of(module: str) -> str:
    """The room in which a module of this package stands, by its name with dots."""
    return next(room for room in reversed(ROOMS) if f"{module}.".startswith(f"{room}."))


def imported(file: Path, module: str) -> Iterator[str]:
    """The modules of this package that a file imports, those for type checkers too."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = f"grading.{module}".split(".")[: -node.level or None] if node.level else []
            base = ".".join([*above, *filter(None, [node.module])])
            names = [f"{base}.{alias.name}" for alias in node.names]
        else:
            continue
        yield from (name.removeprefix("grading.") for name in names if name.startswith("grading."))


def upward(house: Path) -> list[str]:
    """The imports that lead up."""
    found = []
    for file in sorted(house.rglob("*.py")):
        module = ".".join(file.relative_to(house).with_suffix("").parts)
        if module == "__init__":
            continue
        own = ROOMS.index(room_of(module))
        for name in imported(file, module):
            there = ROOMS.index(room_of(name))
            if there < own or (ROOMS[own] == "sandbox.inside" and there != own):
                found.append(f"{module} imports {name}")
    return found


def test_each_room_imports_only_what_stands_below_it() -> None:
    assert not upward(HOUSE)


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("sandbox/room.py", "from ..marking import intake"),
        ("sandbox/inside/codec.py", "from .. import box"),
        ("marking/intake.py", "import grading.classroom.log"),
        ("classroom/log.py", "def f():\n    from ..results.page import write"),
    ],
)
def test_an_import_that_leads_up_is_found(tmp_path: Path, file: str, line: str) -> None:
    house = tmp_path / "grading"
    shutil.copytree(HOUSE, house, ignore=shutil.ignore_patterns("__pycache__"))
    with open(house / file, "a", encoding="utf-8") as changed:
        changed.write(f"\n{line}\n")
    (found,) = upward(house)
    assert found.startswith(file.removesuffix(".py").replace("/", "."))


def test_a_key_hangs_on_what_decides_about_marks_and_on_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = tmp_path / "grading"
    shutil.copytree(HOUSE, house, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(assignment, "__file__", str(house / "marking" / "assignment.py"))
    before = assignment.environment(())
    for file in sorted(house.rglob("*.py")):
        with open(file, "a", encoding="utf-8") as changed:
            changed.write("# a comment\n")
        after = assignment.environment(())
        decides = file.relative_to(house).parts[0] in ("marking", "sandbox")
        assert (after != before) is decides, file
        before = after


def test_docstrings_of_what_an_instructor_reads_begin_with_a_verb() -> None:
    """A function does something: its docstring does not begin as the name of a thing does."""
    things = "The A An All Each Every Everything How One Rows So What Where Whether Who Whose"
    found = [
        f"{file.name}: {node.name}: {text}"
        for file in sorted(HOUSE.rglob("*.py"))
        if file.name != "__init__.py"
        and room_of(".".join(file.relative_to(HOUSE).with_suffix("").parts)) not in ROOMS[4:]
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef)
        and node.name[0] != "_"
        and not any(isinstance(d, ast.Name) and d.id == "property" for d in node.decorator_list)
        and (text := ast.get_docstring(node) or "").split(" ")[0].rstrip(",:") in things.split()
    ]
    assert not found, "\n".join(found)
