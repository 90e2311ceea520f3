"""The book to take away: two builders, and what their pages have in place of the site's.

`tools/book.py` calls both: `epub` is Sphinx's own with what readers' programs ask for besides;
`book` writes one page that holds all others, which Chromium prints.
"""

from __future__ import annotations

import html
import re
import shutil
from pathlib import Path
from urllib.parse import urljoin

from bs4 import BeautifulSoup
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.builders.epub3 import Epub3Builder
from sphinx.builders.html import StandaloneHTMLBuilder
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging
from sphinx_design.shared import is_component

from theme import BOOKS, ROOT
from theme.addresses import version
from theme.live import live

STILLS = ROOT / "_build" / "stills"  # what tools/book.py photographs on the site
WHOLE = 24  # lines of code, about a third of a page
log = logging.getLogger(__name__)


def still(docname: str, number: int) -> str:
    """The name of the picture of a page's live figure, counted from 1."""
    return f"{docname}-live-{number}.png"


class OnPaper(SphinxPostTransform):
    """Nothing on paper folds, plays or computes.

    A fold stands open. The answers of a quiz come last. In place of what moves there is a picture
    and the address where it moves.
    """

    default_priority = 150  # before folds become HTML
    formats = ("html",)

    def run(self):
        if self.app.builder.name not in BOOKS:
            return
        self.page = f"{self.config.html_baseurl}{self.env.docname}.html"
        self.open_folds()
        for number, node in enumerate(list(self.document.findall(live)), start=1):
            self.photograph(node, still(self.env.docname, number))
        for node in list(self.document.findall(nodes.raw)):
            if kind := re.search(r"<(audio|video)\b", node.astext()):
                node.replace_self(self.address(f"There is {kind[1]} here on the page"))
            elif 'href="media/' in node.astext():  # a file to download lies beside the page
                there = f'href="{self.config.html_baseurl}media/'
                link = node.astext().replace('href="media/', there)
                node.replace_self(nodes.raw("", link, format="html"))
        for link in list(self.document.findall(nodes.reference)):
            uri = link.get("refuri", "")
            if uri.startswith("?"):  # {play}: a setting of a live figure
                link["refuri"] = self.page + uri

    def open_folds(self) -> None:
        answers = nodes.section(ids=["answers"])
        answers += nodes.title("", "The answers")
        for fold in list(self.document.findall(lambda node: is_component(node, "dropdown"))):
            title, *body = fold.children
            if number := re.match(r"Answer to (\d+)", title.astext()):
                name = f"answer-{number[1]}"
                link = nodes.reference("", "", *title.children, refid=name, internal=True)
                fold.replace_self(nodes.paragraph("", "", link, classes=["to-answer"]))
                lead = nodes.paragraph("", "", nodes.strong("", title.astext()), ids=[name])
                answers += nodes.container("", lead, *body, classes=["answer"])
            else:
                lead = nodes.paragraph("", "", nodes.strong("", "", *title.children))
                fold.replace_self(nodes.container("", lead, *body, classes=["opened"]))
        if len(answers) > 1:
            self.document.next_node(nodes.section).append(answers)
            # Sphinx would give it the chapter's number
            self.env.toc_secnumbers.get(self.env.docname, {})["#answers"] = ()

    def photograph(self, node: live, name: str) -> None:
        if not (STILLS / name).is_file():
            log.warning("no picture of %s: `make book` takes it", name, location=self.env.docname)
        folder = "../" * self.env.docname.count("/") + self.app.builder.imagedir
        words = html.escape(" ".join(node["words"].split()))
        image = nodes.raw(
            "", f'<img src="{folder}/{name}" alt="{words}" class="live-still" />', format="html"
        )
        node.replace_self([image, self.address("This figure is played on the page")])

    def address(self, words: str) -> nodes.paragraph:
        link = nodes.reference("", self.page, refuri=self.page, internal=False)
        return nodes.paragraph("", "", nodes.Text(f"{words} "), link, classes=["where"])


class Book(StandaloneHTMLBuilder):
    """All pages in one, in the order of the contents."""

    name = "book"
    search = copysource = add_permalinks = html_scaled_image_link = False

    def prepare_writing(self, docnames: set[str]) -> None:
        super().prepare_writing(docnames)
        self.bodies: dict[str, str] = {}

    def handle_page(self, pagename, addctx, *args, **kwargs) -> None:
        if pagename in self.env.found_docs:
            self.bodies[pagename] = addctx["body"]

    def get_outdated_docs(self):
        return self.env.found_docs  # one page: it is written whole

    def finish(self) -> None:
        super().finish()
        articles, contents = [], []
        for docname in self.env.collect_relations():
            article = self.article(docname)
            articles.append(str(article))
            title, *parts = article.find_all(["h1", "h2"])
            contents.append((self.entry(title), [self.entry(part) for part in parts]))
        context = {
            "title": self.config.project,
            "line": "A course on recurrent neural networks, in NumPy",
            "authors": self.config.author,
            "version": version(),
            "address": self.config.html_baseurl,
            "copyright": self.config.copyright,
            "styles": sorted(path.name for path in Path(self.outdir, "_static").glob("katex-*")),
            "contents": contents,
            "articles": articles,
        }
        page = self.templates.render("book.html", context)
        Path(self.outdir, "book.html").write_text(page, encoding="utf-8")

    def article(self, docname: str):
        """A page whose anchors and links are those of the one page."""
        soup = BeautifulSoup(f"<article>{self.bodies[docname]}</article>", "html.parser")
        soup.article["id"] = anchor(docname)
        for tag in soup.find_all(id=True):
            if tag is not soup.article:
                tag["id"] = anchor(docname, tag["id"])
        for link in soup.find_all("a", href=True):
            page, _, name = urljoin(f"{docname}.html", link["href"]).partition("#")
            other = page.removesuffix(".html")
            if other in self.env.found_docs:
                link["href"] = "#" + anchor(other, name)
            elif page.startswith("_modules/"):
                link.decompose()  # [source]: nobody reads code by pressing on paper
            else:
                link["href"] = urljoin(self.config.html_baseurl, urljoin(page, "#" + name))
        for image in soup.find_all("img"):
            image["src"] = urljoin(f"{docname}.html", image["src"])
        for code in soup.select(".cell_input pre"):
            if len(parts := parts_of(code.decode_contents())) > 1:
                marked = "".join(f'<span class="part">{part}</span>' for part in parts)
                # the parser keeps indents only inside <pre>
                code.replace_with(BeautifulSoup(f"<pre>{marked}</pre>", "html.parser"))
        return soup.article

    @staticmethod
    def entry(heading) -> tuple[str, str]:
        """An anchor and the words of a heading."""
        section = heading.find_parent(id=True)
        return section["id"], heading.decode_contents()


def anchor(docname: str, name: str = "") -> str:
    return "--".join(filter(None, [docname.replace("/", "-"), name]))


def parts_of(code: str) -> list[str]:
    """Where code of more than `WHOLE` lines may go on on the next page: between definitions."""
    if code.count("\n") <= WHOLE:
        return [code]
    parts = [""]
    for part in re.split(r"(?<=\n\n\n)", code):
        if parts[-1].count("\n") > 5:
            parts.append(part)
        else:  # two lines alone at the foot of a page help nobody
            parts[-1] += part
    return parts


class Epub(Epub3Builder):
    """Sphinx's own, with a manifest that says which pages hold formulas."""

    def build_content(self) -> None:
        super().build_content()
        manifest = Path(self.outdir, "content.opf")

        def named(item: re.Match[str]) -> str:
            text = Path(self.outdir, item[1]).read_text(encoding="utf-8")
            kinds = [kind for kind, tag in (("mathml", "<math"), ("svg", "<svg")) if tag in text]
            return item[0] + (f' properties="{" ".join(kinds)}"' if kinds else "")

        text = manifest.read_text(encoding="utf-8")
        text = re.sub(r'<item (?![^>]*properties)[^>]*href="([^"]+\.xhtml)"', named, text)
        manifest.write_text(text, encoding="utf-8")


def configure(app: Sphinx) -> None:
    """The pictures of live figures, where either builder keeps its images."""
    if app.builder.name in BOOKS:
        app.config.html_additional_pages = {}
        images = Path(app.outdir, app.builder.imagedir)
        images.mkdir(parents=True, exist_ok=True)
        for path in STILLS.glob("*.png"):
            shutil.copy2(path, images)


def own_styles(app: Sphinx, pagename: str, templatename: str, context: dict, doctree) -> None:
    """An EPUB holds what its pages name: of the style sheets only ours and Pygments'."""
    if app.builder.name == "epub":
        ours = ("_static/reader.css", "_static/pygments.css")
        context["css_files"] = [one for one in context["css_files"] if one.filename in ours]


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_builder(Book)
    app.add_builder(Epub, override=True)
    app.add_post_transform(OnPaper)
    app.connect("builder-inited", configure)
    app.connect("html-page-context", own_styles, priority=900)
    return {"parallel_read_safe": True}
