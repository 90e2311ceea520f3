"""Notebooks that leave the site: as a download, or opened by Colab.

What only the site understands becomes what every reader of notebooks shows: roles become
links to the site, folds <details>, captions and numbers text. A role or directive that is
not known here is a warning, which fails the build. The code stays; but a cell that needs
PyTorch, or another package that is not part of the one line of the start page, runs only where
it is installed, training shows its progress, and code that the page folds is folded.
"""

from __future__ import annotations

import ast
import re
import symtable
from copy import deepcopy
from functools import cache
from pathlib import Path
from urllib.parse import urljoin

import nbformat
from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.util import logging

from theme.addresses import file_of, repository
from theme.live import setting_of
from theme.markup import CHAPTERS, chapter_of

log = logging.getLogger(__name__)

#: What chapters import themselves, and what brings the data of `rnnlib.data`.
OPTIONAL = ["torch", "sacrebleu", "statsmodels", "vaderSentiment", "jiwer", "soundfile"]
OPTIONAL += ["sklearn", "vega_datasets", "arch", "music21", "av"]
DATA = Path(__file__).parents[1] / "rnnlib" / "data"
NEEDS = """\
# Cells that begin with %%needs run only where these packages are installed.
import importlib.util

from IPython.core.magic import register_cell_magic


@register_cell_magic
def needs(packages, cell):
    missing = [name for name in packages.split() if not importlib.util.find_spec(name)]
    if missing:
        names = " and ".join(missing)
        print(f"This cell needs {names}, which is not installed. The rest goes on without it.")
    else:
        get_ipython().run_cell(cell).raise_error()"""

# a role, or what must be left alone: code, a formula
INLINE = re.compile(
    r"\{(?P<role>[a-z][\w:-]*)\}(?P<ticks>`+)(?P<text>.+?)(?P=ticks)"
    r"|(?P<code>(?P<marks>`+).+?(?P=marks)(?!`))"
    r"|(?P<chapters>" + CHAPTERS.pattern + r")"
    r"|(?P<math>\$\$.+?\$\$|\$[^$]+\$)(?: \((?P<label>[\w-]+)\))?"
    r"|\]\((?P<page>[\w/-]+)\.md(?P<anchor>#[\w-]+)?\)"
    r"|(?P<source>(?:src|poster)=\"|\]\()(?P<media>media/[\w./-]+)",
    re.S,
)
FENCE = re.compile(r"^(?P<fence>`{3,}|:{3,})(?:\{(?P<name>[\w:-]+)\})?\s*(?P<title>.*)$")
ADMONITIONS = {"note", "tip", "hint", "important", "warning", "caution"}


class Converter:
    """Converts the notebook of one page, once all pages have been read."""

    def __init__(self, app: Sphinx, docname: str):
        self.app, self.docname = app, docname
        self.address = app.config.html_baseurl + app.builder.get_target_uri(docname)

    def unknown(self, what: str) -> None:
        log.warning("theme/outside.py does not know %s", what, location=self.docname)

    # Roles

    def link(self, domain: str, kind: str, title: str | None, target: str) -> str:
        """What the site links to and says, resolved by Sphinx itself."""
        env = self.app.env
        text = nodes.inline("", title or target)
        node = pending_xref("", text, refdoc=self.docname, refdomain=domain, reftype=kind)
        node["reftarget"], node["refexplicit"] = target, title is not None
        found = env.get_domain(domain).resolve_xref(
            env, self.docname, self.app.builder, kind, target, node, text
        )
        if found is None:
            self.unknown(f"the target of {{{kind}}}`{target}`")
            return title or target
        # a citation is text with links in it, all else is a link
        parts = [found] if isinstance(found, nodes.reference) else found.children
        return "".join(
            f"[{part.astext()}]({self.absolute(part)})"
            if isinstance(part, nodes.reference)
            else part.astext()
            for part in parts
        )

    def absolute(self, node: nodes.reference) -> str:
        return urljoin(self.address, node.get("refuri") or "#" + node.get("refid", ""))

    def role(self, name: str, text: str) -> str:
        titled = re.fullmatch(r"(.+?)\s*<(.+)>", text, re.S)
        title, target = titled.groups() if titled else (None, text)
        match name.split(":"):
            case ["term"]:
                return self.link("std", "term", title, target)
            case ["doc" | "ref" | "numref" as kind]:
                return self.link("std", kind, title, target)
            case ["eq"]:
                return self.link("math", "eq", None, target)
            case ["cite", kind]:
                return self.link("cite", kind, None, target)
            case ["py", kind]:
                call = "()" if kind in ("func", "meth") else ""
                short = target.rpartition(".")[2] if target.startswith("~") else target
                return self.link("py", kind, title or f"`{short}{call}`", target.lstrip("~"))
            case ["chapter"]:
                if target in self.app.env.found_docs:
                    return f"[{title}]({self.page(target)})"
                return f"{title} (to come)"
            case ["play"]:
                words, figure, setting = setting_of(text)
                return f"[{words}]({self.address}?{figure}={setting})"
        self.unknown(f"the role {{{name}}}")
        return text

    def page(self, docname: str, anchor: str | None = None) -> str:
        if docname not in self.app.env.found_docs:
            self.unknown(f"the page {docname}")
        uri = self.app.builder.get_target_uri(docname)
        return f"{self.app.config.html_baseurl}{uri}{anchor or ''}"

    def chapter(self, number: re.Match) -> str:
        slug = chapter_of(self.app.config, number[0])
        return f"[{number[0]}]({self.page(slug)})" if slug else number[0]

    # Text

    def equation_number(self, label: str) -> str:
        numbers = self.app.env.toc_fignumbers[self.docname]["displaymath"]
        return ".".join(map(str, numbers[nodes.make_id(f"equation-{label}")]))

    def inline(self, text: str) -> str:
        def replace(match: re.Match) -> str:
            if match["role"]:
                return self.role(match["role"], match["text"])
            if match["code"] and (address := file_of(self.app.config, match["code"].strip("`"))):
                return f"[{match['code']}]({address})"
            if match["chapters"]:
                return re.sub(r"\d\d", self.chapter, match["chapters"])
            if match["label"]:
                number = self.equation_number(match["label"])
                return f"{match['math'][:-2].rstrip()} \\tag{{{number}}}$$"
            if match["page"]:
                return f"]({self.page(match['page'], match['anchor'])})"
            if match["media"]:
                raw = repository(self.app.config).replace("github.com", "raw.githubusercontent.com")
                return f"{match['source']}{raw}/main/chapters/{match['media']}"
            return match[0]

        return INLINE.sub(replace, text)

    def text(self, source: str) -> str:
        """Markdown as every reader of notebooks understands it."""
        done, plain, lines = [], [], source.split("\n")
        while lines:
            line = lines.pop(0)
            fence = FENCE.match(line)
            if fence is None:
                plain.append(line)
                continue
            closing = (i for i, other in enumerate(lines) if other.rstrip() == fence["fence"])
            end = next(closing, None)
            if end is None:
                self.unknown(f"the end of {line}")
                end = len(lines)
            inside, lines = lines[:end], lines[end + 1 :]
            done.append(self.inline("\n".join(plain)))
            plain = []
            if fence["name"] is None:
                done.append("\n".join([line, *inside, fence["fence"]]))
            else:
                done.append(self.directive(fence["name"], fence["title"], inside))
        done.append(self.inline("\n".join(plain)))
        return "\n".join(done).strip("\n")

    def directive(self, name: str, title: str, lines: list[str]) -> str:
        options = {}
        while lines and (option := re.match(r":([\w-]+):\s*(.*)", lines[0])):
            options[option[1]] = option[2]
            lines = lines[1:]
        content = "\n".join(lines).strip("\n")
        if name == "dropdown":
            title = self.inline(title)
            return f"<details><summary>{title}</summary>\n\n{self.text(content)}\n\n</details>"
        if name == "live":
            *caption, words = content.split("\n\n")
            label = f"**{self.figure_number(options['name'])}.** " if caption else ""
            link = f"It plays [on the website]({self.address}#{options.get('name', '')})."
            return f"> {label}{self.text(' '.join([*caption, words]))} {link}"
        if name == "code-block":
            return f"```{title}\n{content}\n```"
        if name in ADMONITIONS:
            heading = self.inline(title) or name.capitalize()
            return "> " + f"**{heading}**\n\n{self.text(content)}".replace("\n", "\n> ")
        self.unknown(f"the directive {{{name}}}")
        return content

    def figure_number(self, name: str) -> str:
        numbers = self.app.env.toc_fignumbers[self.docname]["figure"][nodes.make_id(name)]
        return "Figure " + ".".join(map(str, numbers))

    # Cells

    def notebook(self, original: nbformat.NotebookNode) -> nbformat.NotebookNode:
        notebook = deepcopy(original)
        guarded = needing(notebook.cells)
        cells = []
        for cell in notebook.cells:
            metadata = cell.pop("metadata")
            cell.metadata = nbformat.from_dict({})
            cells.append(cell)
            if cell.cell_type == "markdown":
                cell.source = self.text(cell.source)
                continue
            if {"hide-input", "remove-cell"} & set(metadata.get("tags", [])):
                cell.metadata["jupyter"] = {"source_hidden": True}
            cell.source = re.sub(r',\s*(progress=|"progress": )False', "", cell.source)
            if cell.id in guarded:
                cell.source = f"%%needs {guarded[cell.id]}\n{cell.source}"
            if cell.id == "setup" and guarded:
                folded = {"jupyter": {"source_hidden": True}}
                cells.append(nbformat.v4.new_code_cell(NEEDS, id="needs", metadata=folded))
            if figure := metadata.get("mystnb", {}).get("figure"):
                caption = (
                    f"**{self.figure_number(figure['name'])}.** {self.text(figure['caption'])}"
                )
                cells.append(nbformat.v4.new_markdown_cell(caption, id=f"{cell.id}-caption"))
        read = f"\n\nThis notebook is a page [of the course Unrolled]({self.address})."
        cells[0].source = re.sub(r"\A# .+", lambda title: title[0] + read, cells[0].source)
        notebook.cells = cells
        return notebook


def imports(tree: ast.AST) -> set[str]:
    """The packages that are imported anywhere in a piece of code."""
    return {
        (alias.name if isinstance(node, ast.Import) else node.module or "").partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for alias in node.names
    }


@cache
def loaders() -> dict[str, set[str]]:
    """The optional packages that each function of rnnlib.data needs: {module.function: …}."""
    functions = {
        f"{path.stem}.{node.name}": node
        for path in DATA.glob("*.py")
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef)
    }
    needs = {name: imports(node) & set(OPTIONAL) for name, node in functions.items()}
    for _ in range(3):  # what a function calls, and what that calls, in this module or another
        for name, node in functions.items():
            own = name.partition(".")[0]
            for used in ast.walk(node):
                if isinstance(used, (ast.Name, ast.Attribute)):
                    called = ast.unparse(used)
                    needs[name] |= needs.get(called, set()) | needs.get(f"{own}.{called}", set())
    return needs


def names(table: symtable.SymbolTable) -> tuple[set[str], set[str]]:
    """What a cell reads from the cells before it or from itself, and what it makes."""
    top = table.get_type() == "module"
    symbols = table.get_symbols()
    read = {s.get_name() for s in symbols if s.is_referenced() and (top or s.is_global())}
    made = {s.get_name() for s in symbols if top and (s.is_assigned() or s.is_imported())}
    for child in table.get_children():
        read |= names(child)[0]
    return read, made


def needing(cells: list[nbformat.NotebookNode]) -> dict[str, str]:
    """The cells that cannot run without optional packages: {id: packages}, with spaces between.

    Those that import it, those that load data with it, and those that use what such a cell
    has made.
    """
    needed: dict[str, str] = {}
    lacking: dict[str, set[str]] = {}  # name → the packages without which it is not there
    for cell in cells:
        if cell.cell_type != "code":
            continue
        tree = ast.parse(cell.source)
        wanted = imports(tree)
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute):
                wanted |= loaders().get(ast.unparse(node), set())
        read, made = names(symtable.symtable(cell.source, "cell", "exec"))
        wanted |= {package for name in read - made for package in lacking.get(name, ())}
        packages = [name for name in OPTIONAL if name in wanted]
        for name in made:
            lacking.pop(name, None)
        if packages:
            needed[cell.id] = " ".join(packages)
            lacking |= {name: set(packages) for name in made}
    return needed


def convert(app: Sphinx, docname: str) -> str:
    """The notebook of a page, as text in its own format."""
    original = nbformat.read(app.env.doc2path(docname), as_version=4)
    return nbformat.writes(Converter(app, docname).notebook(original)) + "\n"
