"""The reference of rnnlib: a page for each module, made from its docstrings, with links."""

from __future__ import annotations

import fnmatch
import importlib
import inspect
import itertools
import pkgutil
import re
from functools import cache
from pathlib import Path
from types import ModuleType

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.docutils import SphinxDirective

PAGE = """\
---
myst:
  html_meta:
    description: "{name}, a module of the NumPy package of the course Unrolled. {sentence}"
---

# {name}

```{{eval-rst}}
.. highlight:: none

.. automodule:: {name}
   :members:
```
"""


@cache
def modules() -> dict[str, ModuleType]:
    """The modules of rnnlib by their full names, but for its command."""
    import rnnlib

    found = pkgutil.walk_packages(rnnlib.__path__, "rnnlib.")
    names = [one.name for one in found if not one.ispkg and one.name != "rnnlib.__main__"]
    return {name: importlib.import_module(name) for name in names}


def names_of(module: ModuleType) -> list[str]:
    """What a module defines and shows, in its own order."""
    return [
        name
        for name, value in vars(module).items()
        if getattr(value, "__module__", None) == module.__name__
        and (inspect.isroutine(value) or inspect.isclass(value))
        and not name.startswith("_")
    ]


@cache
def documented() -> dict[str, str]:
    """What a docstring may name, and its full name: RNN, recurrent, recurrent.RNN."""
    found = {}
    for full, module in modules().items():
        short = full.removeprefix("rnnlib.")
        found[short] = full
        found |= {f"{short}.{name}": f"{full}.{name}" for name in names_of(module)}
    for full, module in modules().items():  # a function before a module of its name
        found |= {name: f"{full}.{name}" for name in names_of(module)}
    return found


def sentence(module: ModuleType) -> str:
    """The first sentence of a module's docstring."""
    return numbered(" ".join(module.__doc__.split("\n\n")[0].split()))


def numbered(text: str) -> str:
    """With "chapter 08" for "chapter 08_bidirectional": markup.Names makes it a link."""
    return re.sub(r"(chapter \d\d)_\w+", r"\1", text)


def page_of(name: str) -> str:
    return "api/" + name.removeprefix("rnnlib.")


def source_of(docname: str) -> str | None:
    """The file that a page of the reference is made from, from the root of the repository."""
    for name in modules():
        if docname == page_of(name):
            return name.replace(".", "/") + ".py"
    return None


def write_pages(app: Sphinx, config) -> None:
    """A page for each module; git ignores them. Only what differs is written, for `make`."""
    folder = Path(app.srcdir, "api")
    folder.mkdir(exist_ok=True)
    pages = {
        Path(app.srcdir, page_of(name) + ".md"): PAGE.format(name=name, sentence=sentence(module))
        for name, module in modules().items()
    }
    for path in set(folder.iterdir()) - set(pages):
        path.unlink()
    for path, text in pages.items():
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


class Modules(SphinxDirective):
    """A table of modules, each with its sentence and its names.

    Each line is the name of a module, or a pattern for several: data.*
    """

    has_content = True

    def run(self):
        rows = ["| Module | What it holds | Names |", "|---|---|---|"]
        asked = [fnmatch.filter(modules(), f"rnnlib.{line.strip()}") for line in self.content]
        if not all(asked):
            raise self.error(f"no module of rnnlib for one of: {', '.join(self.content)}")
        for name in itertools.chain(*asked):
            module = modules()[name]
            self.env.note_dependency(module.__file__)
            links = (f"{{py:obj}}`{one} <{name}.{one}>`" for one in names_of(module))
            address = f"{page_of(name)}.md"
            short = name.removeprefix("rnnlib.")
            rows.append(f"| [{short}]({address}) | {sentence(module)} | {', '.join(links)} |")
        box = nodes.Element()
        self.state.nested_parse(StringList(rows, self.env.docname), self.content_offset, box)
        return box.children


def skip_fields(app: Sphinx, what, name, obj, skip: bool, options) -> bool | None:
    """A named tuple's fields are described in its docstring, and by Python not at all."""
    return True if str(obj.__doc__).startswith("Alias for field number") else None


def untyped(app: Sphinx, what, name, obj, options, lines: list[str]) -> None:
    """Before napoleon, which takes what stands before a colon for a class to look up."""
    if what in ("property", "data", "attribute") and lines:
        lines[0] = re.sub(r":(?=\s|$)", " –", lines[0])


def link_docstring(app: Sphinx, what, name, obj, options, lines: list[str]) -> None:
    """Link `names` to their entry."""

    def reference(match):
        word = match[1]
        target = documented().get(word)
        return f":py:obj:`{word} <{target}>`" if target else f"``{word}``"

    for i, line in enumerate(lines):
        if line.lstrip().startswith(">>>"):
            continue
        line = re.sub(r"(?<![`:\w])`([^`<>]+)`(?![`_])", reference, line)
        line = numbered(line)
        # napoleon puts a type into brackets; ours begin with a bracket: x : (T, B, I) array
        lines[i] = re.sub(r"(\*\*[^*]+\*\*) \(\*(.+?)\*\)(?= --|$)", r"\1 : *\2*", line)
    if what == "module":
        # What is set in from the text is a formula or code, written as a plain block.
        for i in range(len(lines) - 1, 0, -1):
            before = lines[i - 2] if i > 1 else ""
            begins = lines[i].startswith(" ") and not lines[i - 1] and before[:1] != " "
            if begins and not before.endswith("::"):
                lines[i:i] = ["::", ""]


class ListsAlone(SphinxPostTransform):
    """A list stands beside paragraphs: Sphinx puts the list of what is returned into one."""

    default_priority = 20

    def run(self):
        for node in list(self.document.findall(nodes.bullet_list)):
            if isinstance(node.parent, nodes.paragraph) and len(node.parent) == 1:
                node.parent.replace_self(node)


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_directive("modules", Modules)
    app.add_post_transform(ListsAlone)
    # before the table of contents is read
    app.connect("config-inited", write_pages, priority=100)
    app.connect("autodoc-skip-member", skip_fields)
    app.connect("autodoc-process-docstring", untyped, priority=100)
    app.connect("autodoc-process-docstring", link_docstring, priority=900)
    return {"parallel_read_safe": True}
