"""What others take of a page: its picture for a link, its citation, and the list of all pages."""

from __future__ import annotations

import re
import textwrap
from html import escape
from pathlib import Path

import matplotlib
import yaml
from PIL import Image, ImageDraw, ImageFont
from sphinx.application import Sphinx

from theme import ROOT, SITE, TOKENS

SIZE = (1200, 630)
FONTS = Path(matplotlib.get_data_path(), "fonts", "ttf")


def card(title: str, name: str, line: str) -> Image.Image:
    """A picture for a link to a page: the course's mark, its name, and the page's title."""
    colours = dict(
        re.findall(r"--([\w-]+): var\(--light, (#\w+)\)", TOKENS.read_text(encoding="utf-8"))
    )

    def font(size: int, style: str = "Serif") -> ImageFont.FreeTypeFont:
        return ImageFont.truetype(FONTS / f"DejaVu{style}.ttf", size)

    # drawn twice as large, for smooth edges of the mark
    mark = Image.new("RGB", (240, 140), colours["paper"])
    draw = ImageDraw.Draw(mark)
    draw.line((12, 112, 228, 112), fill=colours["accent"], width=9)
    draw.ellipse((12, 12, 108, 108), outline=colours["accent"], width=9)
    for x in (60, 136, 212):
        draw.ellipse((x - 16, 96, x + 16, 128), fill=colours["warm"])

    picture = Image.new("RGB", SIZE, colours["paper"])
    picture.paste(mark.resize((120, 70), Image.Resampling.LANCZOS), (80, 70))
    draw = ImageDraw.Draw(picture)
    draw.text((222, 82), name, colours["ink"], font(46, "Serif-Bold"))
    draw.rectangle((0, SIZE[1] - 14, SIZE[0], SIZE[1]), fill=colours["accent"])
    lines = textwrap.wrap(title, 24)[:3]
    for i, words in enumerate(lines):
        draw.text((80, 330 - 45 * len(lines) + 96 * i), words, colours["ink"], font(76))
    draw.text((80, 530), line, colours["muted"], font(30, "Sans"))
    return picture


def picture_of(app: Sphinx, pagename: str, title: str) -> str:
    """The address of a page's picture; pages of the reference share that of the front page."""
    own = pagename in app.env.found_docs and "/" not in pagename
    path = Path(app.outdir, "_images", "cards", f"{pagename if own else app.config.root_doc}.png")
    if own:
        path.parent.mkdir(parents=True, exist_ok=True)
        line = "A course on recurrent neural networks, in NumPy"
        card(title, app.config.project, line).quantize(32).save(path, optimize=True)
    return f"{app.config.html_baseurl}_images/cards/{path.name}"


def citation(address: str, title: str) -> str:
    """A page in BibTeX, with the version that is cited."""
    course = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    authors = " and ".join(f"{{{author['name']}}}" for author in course["authors"])
    rows = {
        "author": authors,
        "title": f"{title}. In: {course['title']}",
        "year": course["date-released"][:4],
        "version": course["version"],
        "url": address,
    }
    key = "unrolled-" + re.sub(r"\W+", "-", title.lower()).strip("-")
    return "\n".join([f"@misc{{{key},", *(f"  {k:7} = {{{v}}}," for k, v in rows.items()), "}"])


def write_sitemap(app: Sphinx, exception: Exception | None) -> None:
    if exception is None and app.builder.name == SITE:
        pages = sorted(
            app.config.html_baseurl + app.builder.get_target_uri(name)
            for name in app.env.found_docs
        )
        lines = "\n".join(f"<url><loc>{escape(page)}</loc></url>" for page in pages)
        Path(app.outdir, "sitemap.xml").write_text(
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n{lines}\n</urlset>\n'
        )


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("build-finished", write_sitemap)
    return {"parallel_read_safe": True}
