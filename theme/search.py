"""The search: what each page says, section by section, in one file that the browser searches.

Sections, terms of the glossary and entries of the reference are found, each by its own title.
Formulas stand in it once, as TeX. search.js looks things up with MiniSearch.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx

from theme import SITE, THEME, stamped_folder
from theme.live import live

MINISEARCH = THEME / "node_modules" / "minisearch" / "dist" / "es" / "index.js"
# Not words to look for: code and its output, what a page is given, what has an entry of its own.
PASSED_OVER = (
    nodes.title, nodes.raw, nodes.comment, nodes.meta, nodes.image, nodes.section,
    nodes.doctest_block, addnodes.desc, addnodes.glossary, addnodes.toctree, addnodes.index, live,
)  # fmt: skip


def words(node: nodes.Node) -> str:
    """What a reader reads there."""
    if isinstance(node, nodes.Text):
        return str(node)
    if isinstance(node, (nodes.math, nodes.math_block)):
        tex = re.sub(r"\\[,;! ]", " ", node.astext())  # spaces of TeX
        return f"${tex.strip()}$"
    parts = [words(child) for child in node.children if not passed_over(child)]
    inline = isinstance(node, (nodes.TextElement, nodes.Inline))
    return ("" if inline else " ").join(parts)


def passed_over(node: nodes.Node) -> bool:
    if isinstance(node, nodes.Element) and (
        node.get("nb_element", "").startswith("cell_code") or "sections" in node.get("classes", ())
    ):
        return True
    return isinstance(node, PASSED_OVER)


def entries(app: Sphinx, docname: str, doctree: nodes.document) -> list[dict[str, str]]:
    """What can be found on a page: {"u": address, "t": title, "x": text}, and keywords as "k"."""
    page = app.builder.get_target_uri(docname)
    found: list[dict[str, str]] = []

    def add(title: str, anchors: list[str], text: str) -> None:
        address = f"{page}#{anchors[0]}" if anchors else page
        found.append({"u": address, "t": " ".join(title.split()), "x": " ".join(text.split())})

    for node in doctree.findall(nodes.Element):
        if isinstance(node, nodes.section) and (title := node.next_node(nodes.title)):
            add(words(title), node["ids"] if found else [], words(node))
        elif isinstance(node, nodes.definition_list_item) and isinstance(
            node.parent.parent, addnodes.glossary
        ):
            term = node.next_node(nodes.term)
            add(words(term), term["ids"], words(node.next_node(nodes.definition)))
        elif isinstance(node, addnodes.desc) and node[0].get("ids"):
            # of an entry of the reference, what it says first
            paragraph = node[-1].next_node(nodes.paragraph)
            add(node[0]["ids"][0], node[0]["ids"], words(paragraph) if paragraph else "")
    if found:
        for meta in doctree.findall(nodes.meta):
            if meta.get("name") == "keywords":
                found[0]["k"] = meta["content"]
    return found


def collect(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    if app.builder.name == SITE:
        app.searchable[docname] = entries(app, docname, doctree)


def start(app: Sphinx) -> None:
    app.searchable = {}
    if app.builder.name == SITE:
        app.builder.search = False  # Sphinx's own index
        code = {"search.js": (THEME / "search.js").read_bytes()}
        code["minisearch.js"] = MINISEARCH.read_bytes().partition(b"//# sourceMappingURL")[0]
        app.search_folder = stamped_folder(app, "search", code)


def write(app: Sphinx) -> Iterator:
    """All pages that there are; those which were not written anew as they were.

    Yields no page, but runs only when those before it have yielded theirs.
    """
    if app.builder.name != SITE:
        return
    path = Path(app.outdir, "search.json")
    kept = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    pages = {name: kept[name] for name in kept if name in app.env.found_docs} | app.searchable
    text = json.dumps(dict(sorted(pages.items())), ensure_ascii=False, separators=(",", ":"))
    path.write_text(text, encoding="utf-8")
    yield from ()


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("builder-inited", start)
    app.connect("doctree-resolved", collect)
    app.connect("html-collect-pages", write, priority=950)  # after theme/exercise.py
    return {"parallel_read_safe": True}
