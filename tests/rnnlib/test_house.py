"""The package as a house: what it may import, and what every public name must say."""

import ast
import inspect
import pkgutil
import sys
from importlib import import_module
from pathlib import Path

import pytest

import rnnlib

PACKAGE = Path(rnnlib.__file__).parent
MODULES = sorted(info.name for info in pkgutil.walk_packages([str(PACKAGE)], prefix="rnnlib."))
# Matplotlib and tqdm are extras, imported inside the functions that use them.
ALLOWED_AT_TOP = {"numpy", "rnnlib"}


def public_names(module):
    """Functions and classes that a module defines itself."""
    return [
        (name, value)
        for name, value in vars(module).items()
        if not name.startswith("_")
        and (inspect.isfunction(value) or inspect.isclass(value))
        and value.__module__ == module.__name__
        and not (inspect.isclass(value) and issubclass(value, Exception))
    ]


EVERYTHING = [
    pytest.param(value, id=f"{module}.{name}")
    for module in MODULES
    for name, value in public_names(import_module(module))
]


@pytest.mark.parametrize("module", MODULES)
def test_numpy_is_the_only_package_a_module_imports_at_its_top(module):
    file = Path(import_module(module).__file__)
    tree = ast.parse(file.read_text(encoding="utf-8"))
    for node in tree.body:
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names = [node.module]
        for name in names:
            top = name.split(".")[0]
            assert top in ALLOWED_AT_TOP | set(sys.stdlib_module_names), f"{module} imports {name}"


@pytest.mark.parametrize("path", sorted(PACKAGE.glob("data/*.py")), ids=lambda path: path.stem)
def test_a_module_of_data_is_short_and_says_where_they_are_from(path):
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 200  # scores, baselines and exams stand in the chapter
    if path.stem not in {"__init__", "download"}:
        assert "Source:" in ast.get_docstring(ast.parse(text))


def test_imports_never_run_in_a_circle():
    above = {}
    for module in MODULES:
        source = Path(import_module(module).__file__).read_text(encoding="utf-8")
        above[module] = {
            f"rnnlib.{node.module}"
            for node in ast.parse(source).body
            if isinstance(node, ast.ImportFrom) and node.level == 1 and node.module
        }

    def visit(module, path):
        assert module not in path, " → ".join([*path, module])
        for other in above.get(module, ()):
            visit(other, [*path, module])

    for module in MODULES:
        visit(module, [])


PROMISED = [
    pytest.param(value, id=name)
    for name in rnnlib.__all__
    if callable(value := getattr(rnnlib, name))
]


@pytest.mark.parametrize("value", PROMISED)
def test_what_the_package_promises_has_a_docstring_with_its_parameters_and_an_example(value):
    text = inspect.getdoc(value) or ""
    assert text, "no docstring"
    signature = inspect.signature(value)
    names = [
        name
        for name, parameter in signature.parameters.items()
        if name != "self"
        and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    ]
    if names:
        section = text.split("Parameters\n----------", 1)
        assert len(section) == 2, "no section Parameters"
        for name in names:
            assert name in section[1], f"{name} is not described"
    assert ">>> " in text, "no example"


@pytest.mark.parametrize("value", EVERYTHING)
def test_every_name_and_method_is_documented_and_typed(value):
    assert inspect.getdoc(value), "no docstring"
    methods = (
        [value]
        if inspect.isfunction(value)
        else [
            method
            for name, method in vars(value).items()
            if inspect.isfunction(method) and (not name.startswith("_") or name == "__init__")
        ]
    )
    for method in methods:
        if method.__name__ != "__init__":
            assert inspect.getdoc(method), f"{method.__qualname__} has no docstring"
        for name, parameter in inspect.signature(method).parameters.items():
            if name != "self":
                assert parameter.annotation is not parameter.empty, f"{method.__qualname__}: {name}"


def test_everything_in_all_exists_and_is_sorted_as_ruff_does():
    assert len(set(rnnlib.__all__)) == len(rnnlib.__all__)
    for name in rnnlib.__all__:
        assert hasattr(rnnlib, name)
