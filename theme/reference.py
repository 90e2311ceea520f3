"""The reference of rnnlib: what autodoc takes from docstrings, with links."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from functools import cache

from sphinx.application import Sphinx


@cache
def public_names() -> dict[str, str]:
    """Each public name of rnnlib and where it is documented: {"RNN": "rnnlib.recurrent.RNN"}."""
    import rnnlib

    names = {}
    for module in pkgutil.walk_packages(rnnlib.__path__, "rnnlib."):
        loaded = importlib.import_module(module.name)
        for name, value in vars(loaded).items():
            own = getattr(value, "__module__", None) == module.name
            kind = inspect.isroutine(value) or inspect.isclass(value)
            if own and kind and not name.startswith("_"):
                names[name] = f"{module.name}.{name}"
    return names


def untyped(app: Sphinx, what, name, obj, options, lines: list[str]) -> None:
    """Before napoleon, which takes what stands before a colon for a class to look up."""
    if what in ("property", "data", "attribute") and lines:
        lines[0] = re.sub(r":(?=\s|$)", " –", lines[0])


def link_docstring(app: Sphinx, what, name, obj, options, lines: list[str]) -> None:
    """Link `names` to their entry."""

    def reference(match):
        word = match[1]
        target = public_names().get(word)
        return f":py:obj:`{word} <{target}>`" if target else f"``{word}``"

    for i, line in enumerate(lines):
        if line.lstrip().startswith(">>>"):
            continue
        line = re.sub(r"(?<![`:\w])`([^`<>]+)`(?![`_])", reference, line)
        line = re.sub(r"(chapter \d\d)_\w+", r"\1", line)  # markup.Names makes it a link
        # napoleon puts a type into brackets; ours begin with a bracket: x : (T, B, I) array
        lines[i] = re.sub(r"(\*\*[^*]+\*\*) \(\*(.+?)\*\)(?= --|$)", r"\1 : *\2*", line)
    if what == "module":
        # What is set in from the text is a formula or code, written as a plain block.
        for i in range(len(lines) - 1, 0, -1):
            if lines[i].startswith(" ") and not lines[i - 1] and (i < 2 or lines[i - 2][:1] != " "):
                lines[i:i] = ["::", ""]


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("autodoc-process-docstring", untyped, priority=100)
    app.connect("autodoc-process-docstring", link_docstring, priority=900)
    return {"parallel_read_safe": True}
