"""What pages may ask for besides MyST's own: {chapter}, {symbols}; and names that become links."""

from __future__ import annotations

import importlib
import inspect
import re
from pathlib import Path

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform
from sphinx.util.docutils import SphinxDirective, SphinxRole

from theme import ROOT
from theme.addresses import file_of


class ChapterRole(SphinxRole):
    """`` {chapter}`the cell <02_cell>` `` links to a chapter, or says that it is to come."""

    def run(self):
        words, slug = re.fullmatch(r"(.+?)\s*<(\w+)>", self.text, re.S).groups()
        if slug in self.env.found_docs:
            refs = {"refdoc": self.env.docname, "refdomain": "std", "reftype": "doc"}
            node = pending_xref("", refexplicit=True, refwarn=True, reftarget="/" + slug, **refs)
            node += nodes.inline("", words)
            return [node], []
        coming = nodes.inline("", " to come", classes=["coming"])
        return [nodes.inline("", words), coming], []


# chapter 03, chapters 03 and 05, chapters 03 to 06; but not "chapter 10 of" a book
CHAPTERS = re.compile(r"\b[Cc]hapters? \d\d\b(?:(?:, | and | to )\d\d\b)*+(?! of\b)")


def chapter_of(config, number: str) -> str | None:
    return next((slug for slug in config.chapters if slug.startswith(f"{number}_")), None)


class Names(SphinxTransform):
    """Names of chapters in a text link to them, names of files to the repository."""

    default_priority = 500

    @staticmethod
    def alone(node: nodes.Node) -> bool:
        links = (nodes.reference, pending_xref)
        return isinstance(node, (*links, nodes.literal, nodes.title, nodes.FixedTextElement))

    def apply(self):
        for node in list(self.document.findall(nodes.literal)):
            address = file_of(self.config, node.astext())
            if address and not isinstance(node.parent, (nodes.reference, pending_xref)):
                link = nodes.reference("", "", refuri=address, internal=False)
                node.replace_self(link)
                link += node
        for text in list(self.document.findall(nodes.Text)):
            if CHAPTERS.search(text) and not any(map(self.alone, ancestors(text))):
                place = text.parent.index(text)
                text.parent[place : place + 1] = list(self.linked(str(text)))

    def linked(self, text: str):
        end = 0
        for match in CHAPTERS.finditer(text):
            missing = False
            for number in re.finditer(r"\d\d", match[0]):
                start = match.start() + number.start()
                if slug := chapter_of(self.config, number[0]):
                    # the word with the first number
                    start = match.start() if number.start() < 10 else start
                    yield nodes.Text(text[end:start])
                    refs = {"refdoc": self.env.docname, "refdomain": "std", "reftype": "doc"}
                    words = text[start : match.start() + number.end()]
                    link = pending_xref("", refexplicit=True, reftarget="/" + slug, **refs)
                    link += nodes.inline("", words)
                    yield link
                    end = match.start() + number.end()
                else:
                    missing = True
            if missing:
                yield nodes.Text(text[end : match.end()])
                yield nodes.inline("", " to come", classes=["coming"])
                end = match.end()
        yield nodes.Text(text[end:])


def ancestors(node: nodes.Node):
    while node.parent is not None:
        node = node.parent
        yield node


class Symbols(SphinxDirective):
    """A table of symbols whose shapes and meanings are read from docstrings of rnnlib.

    Each line is ``code name | formula | function that documents it``.
    """

    has_content = True

    def run(self):
        rows = ["| In code | In formulas | Type | Shape | Meaning |", "|---|---|---|---|---|"]
        for line in self.content:
            name, formula, where = (part.strip() for part in line.split("|"))
            self.env.note_dependency(str(ROOT / where.rpartition(".")[0].replace(".", "/")) + ".py")
            kind, shape, meaning = documented(where, name)
            rows.append(f"| `{name}` | {formula} | {kind} | {shape} | {meaning} |")
        node = nodes.section()
        self.state.nested_parse(StringList(rows, self.env.docname), self.content_offset, node)
        return node.children


def documented(where: str, name: str) -> tuple[str, str, str]:
    """Type, shape and meaning of an argument, result or attribute, as its docstring says them."""
    module, _, member = where.rpartition(".")
    text = inspect.getdoc(getattr(importlib.import_module(module), member))
    # entries that follow each other share the words below the last
    shared = r"(?:\w[\w, ]* : .+\n)*"
    pattern = rf"^(?:\w+, )*{re.escape(name)}(?:, \w+)* : (.+)\n{shared}((?:    .+\n)*)"
    # An attribute stands after an argument of the same name, and is what the symbol means.
    *_, entry = re.finditer(pattern, text, re.M)
    shape, kind = re.fullmatch(r"(\([^)]*\))?\s*(.*?)(?:, optional)?", entry[1]).groups()
    meaning = " ".join(entry[2].split()).replace("|", "\\|")
    # h_{t-1} and W_x are formulas here, as they are in the text around the table
    meaning = re.sub(r"(?<![\w`])([A-Za-z]_(?:\{[^}]*\}|\w))(?!\w)", r"$\1$", meaning)
    return kind or "array", f"${shape}$".replace("...", r"\ldots") if shape else "", meaning


def configure(app: Sphinx, config) -> None:
    # Sphinx reads all pages again when a chapter arrives: it turns "to come" into a link
    config.chapters = sorted(path.stem for path in Path(app.srcdir).glob("[0-9][0-9]_*.ipynb"))


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_config_value("chapters", [], "env")
    app.add_role("chapter", ChapterRole())
    app.add_directive("symbols", Symbols)
    app.add_transform(Names)
    app.connect("config-inited", configure)
    return {"parallel_read_safe": True}
