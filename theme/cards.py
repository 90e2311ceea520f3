"""What a linked term or source is, as a card beside the link.

A page carries the glossary's words for the terms that it links to, and the references that it
cites, as <template>s; book.js shows them on hover and on focus. Without a script links lead on.
"""

from __future__ import annotations

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.builders import Builder

from theme import SITE

WHERE = ["glossary", "bibliography"]


def read_all(app: Sphinx, builder: Builder) -> None:
    """What stands at each term and each source: {("glossary", "term-batch"): its words}."""
    app.explained = {}
    if builder.name != SITE:
        return
    for docname in set(WHERE) & app.env.found_docs:
        for item in app.env.get_and_resolve_doctree(docname, builder).findall(nodes.Element):
            if isinstance(item, nodes.citation):
                words, names = item.next_node(nodes.paragraph), item["ids"]
            elif isinstance(item, nodes.definition_list_item):
                words = item.next_node(nodes.definition)
                names = [name for term in item.findall(nodes.term) for name in term["ids"]]
            else:
                continue
            card = nodes.container("", *(child.deepcopy() for child in words.children))
            for link in list(card.findall(nodes.reference)):
                link.replace_self(link.children)
            content = builder.render_partial(card)["fragment"]
            app.explained |= {(docname, name): content for name in names}


def cards(app: Sphinx, pagename: str, doctree: nodes.document | None) -> dict[str, str]:
    """The cards of a page by the anchors of what they explain."""
    pages = {app.builder.get_relative_uri(pagename, docname): docname for docname in WHERE}
    found = {}
    for link in doctree.findall(nodes.reference) if doctree else ():
        page, _, anchor = (link.get("refuri") or f"#{link.get('refid', '')}").partition("#")
        if words := app.explained.get((pages.get(page), anchor)):
            found[anchor] = words
    return dict(sorted(found.items()))


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("write-started", read_all)
    return {"parallel_read_safe": True}
