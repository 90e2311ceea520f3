"""Each page as a whole: what stands around its text, and what layout.html asks for."""

from __future__ import annotations

import html
import re
import zlib
from pathlib import Path
from urllib.parse import quote, urlsplit

from docutils import nodes
from myst_nb.sphinx_ import HideCodeCellNode
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.environment.adapters.toctree import TocTree
from sphinx.transforms.post_transforms import SphinxPostTransform

from theme import SITE, TOKENS
from theme.addresses import EXERCISES_BRANCH, colab, repository, version
from theme.cards import cards
from theme.downloads import book, exercise_of, exercises, files_read
from theme.formulas import katex_folder
from theme.live import scripts
from theme.reference import source_of
from theme.social import citation, picture_of


def launch_links(config, source: Path) -> str:
    """Where a chapter can be run, and where its exercise is, as a line below its title."""
    name = source.stem
    download = f"downloads/{name}.{'zip' if files_read(source) else 'ipynb'}"
    links = [
        f'<a href="{colab(config, EXERCISES_BRANCH, source.name)}">Open in Colab</a>',
        f'<a href="{download}" download>Download the notebook</a>',
    ]
    if exercise_of(name):
        links.append('<a href="#exercise">To the exercise</a>')
    return f'<ul class="launch"><li>{"</li><li>".join(links)}</li></ul>'


def exercise_box(config, name: str) -> str:
    folder = f"exercises/{name}"
    opened = colab(config, EXERCISES_BRANCH, f"{name}/{name}.ipynb")
    return f"""
<section class="exercise" id="exercise" aria-labelledby="exercise-title" data-exercise="{name}">
<h2 id="exercise-title">The exercise</h2>
<p>The pieces of this chapter, left for you to write; tests right below each answer at once.</p>
<ul class="launch">
<li><a href="{folder}.html">Do it here</a></li>
<li><a href="{folder}/{name}.zip">Download the exercise with rnnlib (zip)</a></li>
<li><a href="{folder}/{name}.ipynb" download>The notebook alone</a></li>
<li><a href="{opened}">Open it in Colab</a></li>
</ul>
<p><a href="start.html">Getting started</a> says how to run it on your own machine.</p>
</section>
"""


def outline(env: BuildEnvironment, builder, docname: str) -> nodes.bullet_list | None:
    """The sections of a page as a list of links, without its title."""
    lists = list(TocTree(env).get_toc_for(docname, builder).findall(nodes.bullet_list))
    return lists[1] if len(lists) > 1 else None


def markup(text: str) -> nodes.raw:
    return nodes.raw("", text, format="html")


class Surroundings(SphinxPostTransform):
    """Below a page's title its outline and where it can be run, at its end the exercise."""

    default_priority = 900
    formats = ("html",)

    def run(self):
        if self.app.builder.name != SITE:
            return
        for table in list(self.document.findall(nodes.table)):
            box = nodes.container(classes=["table"])
            table.replace_self(box)
            box += table
        title = self.document.next_node(nodes.title)
        if title is None:
            return
        around: list[nodes.Node] = []
        source = Path(self.env.doc2path(self.env.docname))
        if source.suffix == ".ipynb":
            around.append(markup(launch_links(self.config, source)))
            if exercise_of(source.stem):
                title.parent += markup(exercise_box(self.config, source.stem))
        if sections := outline(self.env, self.app.builder, self.env.docname):
            # where there is no room beside the text; layout.html has the other one
            fold = "<details><summary>On this page</summary>"
            opening = markup(f'<nav class="folded-outline" aria-label="On this page">{fold}')
            sections["classes"].append("sections")
            around += [opening, sections, markup("</details></nav>")]
        place = title.parent.index(title) + 1
        title.parent[place:place] = around


def visit_hidden_code(self, node: HideCodeCellNode) -> None:
    """A fold, named by its own words alone; on paper it stands open."""
    if self.builder.name != SITE:
        return
    self.body.append(f'<details class="{" ".join(["hide", *node["classes"]])}">\n<summary>')
    for state in ("show", "hide"):
        self.body.append(f'<span class="{state}">{html.escape(node[f"prompt_{state}"])}</span>')
    self.body.append("</summary>\n")


def depart_hidden_code(self, node: HideCodeCellNode) -> None:
    if self.builder.name == SITE:
        self.body.append("</details>\n")


def visit_citation(self, node: nodes.citation) -> None:
    """Without the roles that docutils gives a bibliography and ARIA has since withdrawn."""
    self.body.append(self.starttag(node, "div", CLASS="citation"))


def depart_citation(self, node: nodes.citation) -> None:
    self.body.append("</div>\n")


def first_paragraph(doctree: nodes.document | None) -> str:
    """The page's first paragraph as a description, at most 160 characters, cut after a word."""
    for node in doctree.findall(nodes.paragraph) if doctree else ():
        if isinstance(node.parent, nodes.section):
            text = " ".join(node.astext().split())
            return text if len(text) <= 160 else text[:159].rsplit(" ", 1)[0].rstrip(",;:") + "…"
    return ""


def description(pagename: str, doctree: nodes.document | None) -> str:
    for node in doctree.findall(nodes.meta) if doctree else ():
        if node.get("name") == "description":
            return node["content"]
    return first_paragraph(doctree) or {
        "search": "Search the course Unrolled.",
        "404": "There is no page at this address of the course Unrolled.",
    }.get(pagename, f"Source code of {pagename.removeprefix('_modules/').replace('/', '.')}.")


def styles(doctree: nodes.document | None) -> list[str]:
    """The style sheets that a page needs."""
    needed = [TOKENS.name, "book.css"]
    if doctree is None:
        return needed
    if doctree.next_node(lambda node: isinstance(node, (nodes.math, nodes.math_block))):
        needed.insert(0, f"{katex_folder()}/katex.css")
    classes = {name for node in doctree.findall(nodes.Element) for name in node.get("classes", ())}
    # more of sphinx-design than folds, which book.css knows
    if any(
        re.match(r"sd-(?!sphinx-override|dropdown|card|mb-3|summary|octicon)", c) for c in classes
    ):
        needed.insert(0, "sphinx-design.min.css")
    return needed


def prepare_page(app: Sphinx, pagename: str, templatename: str, context: dict, doctree) -> None:
    """Give layout.html what it asks for under the name `unrolled`."""
    if app.builder.name != SITE:
        return
    if pagename.startswith("_modules/"):
        context["title"] = f"Source of {context['title']}"
    address = repository(app.config)
    report = quote(f"Error on the page {pagename}")
    title, source, cited = context.get("title", ""), "", ""
    if pagename in app.env.found_docs:
        title = app.env.titles[pagename].astext()
        source = source_of(pagename) or f"chapters/{Path(app.env.doc2path(pagename)).name}"
        cited = citation(app.config.html_baseurl + app.builder.get_target_uri(pagename), title)
    static = Path(app.outdir, "_static")

    def asset(name: str) -> str:
        stamp = f"{zlib.crc32((static / name).read_bytes()):08x}"
        return context["pathto"](f"_static/{name}", 1) + f"?v={stamp}"

    sections = outline(app.env, app.builder, pagename) if pagename in app.env.tocs else None
    colours = TOKENS.read_text(encoding="utf-8")
    context["unrolled"] = {
        "asset": asset,
        "cards": cards(app, pagename, doctree),
        "book": {
            kind: (f"downloads/{path.name}", f"{path.stat().st_size / 1e6:.1f} MB")
            for kind, path in book().items()
        },
        "base": urlsplit(app.config.html_baseurl).path,
        "citation": cited,
        "description": context.get("description") or description(pagename, doctree),
        "exercises": exercises(),
        "modules": scripts(doctree),
        "outline": context.get("lab", {}).get("outline")
        or (sections and app.builder.render_partial(sections)["fragment"]),
        "paper": re.search(
            r"--paper: var\(--light, (#\w+)\) var\(--dark, (#\w+)\)", colours
        ).groups(),
        "picture": picture_of(app, pagename, title),
        "report": f"{address}/issues/new?title={report}",
        "repository": address,
        "search": context["pathto"](f"_static/{app.search_folder}/search.js", 1),
        "source": source and f"{address}/blob/main/{source}",
        "styles": styles(doctree),
        "version": version(),
    }


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_node(HideCodeCellNode, override=True, html=(visit_hidden_code, depart_hidden_code))
    app.add_node(nodes.citation, override=True, html=(visit_citation, depart_citation))
    app.add_post_transform(Surroundings)
    app.connect("html-page-context", prepare_page, priority=900)
    return {"parallel_read_safe": True}
