"""Live figures: custom elements, each of which is a script in figures/.

:::{live} rnn-cell
:name: fig-cell-play

The caption, where the figure has a name.

A live figure. What it shows and what the reader can do with it, in words, for those
who cannot see it and for places where no script runs.
:::
"""

from __future__ import annotations

import html
import re
import shutil
import zlib
from pathlib import Path

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective, SphinxRole

from theme import SITE, THEME

log = logging.getLogger(__name__)


class live(nodes.General, nodes.Element):
    """A custom element, and the words that stand in its place."""


class Live(SphinxDirective):
    required_arguments = 1
    has_content = True
    option_spec = {"name": directives.unchanged_required}  # noqa: RUF012

    def run(self):
        name = self.arguments[0]
        if not (THEME / "figures" / f"{name}.js").is_file():
            raise self.error(f"there is no theme/figures/{name}.js")
        box = nodes.Element()
        self.state.nested_parse(self.content, self.content_offset, box)
        *caption, words = box.children or [None]
        if words is None or len(caption) != ("name" in self.options):
            raise self.error("a live figure has a text alternative, and a caption if it has a name")
        figure = live(element=f"unrolled-{name}", words=words.astext())
        if not caption:
            return [figure]
        numbered = nodes.figure("", figure, nodes.caption("", "", *caption[0].children))
        self.add_name(numbered)
        self.set_source_info(numbered)
        return [numbered]


def room(element: str) -> str:
    """The heights that a figure's script names, for the styles that keep its place free."""
    script = THEME / "figures" / f"{element.removeprefix('unrolled-')}.js"
    heights = re.match(r"// room: (\S+), (\S+), (\S+)\n", script.read_text(encoding="utf-8"))
    if not heights:
        log.warning("%s does not begin with // room: (figure.js says how)", script)
        return ""
    return "--wide: {}; --middle: {}; --narrow: {}".format(*heights.groups())


def visit_live(self, node: live) -> None:
    start = f'<{node["element"]} class="live" style="{room(node["element"])}">'
    self.body.append(start + html.escape(node["words"]))


def depart_live(self, node: live) -> None:
    self.body.append(f"</{node['element']}>\n")


class Play(SphinxRole):
    """`` {play}`the latch <rnn-cell example:latch,w_h:1.2>` `` plays a setting of a live figure.

    The setting is what the figure writes into the address of its page.
    """

    def run(self):
        words, name, setting = setting_of(self.text)
        return [nodes.reference("", words, refuri=f"?{name}={setting}", internal=False)], []


def setting_of(text: str) -> tuple[str, str, str]:
    """Words, figure and setting."""
    match = re.fullmatch(r"(.+?)\s*<([\w-]+) (\S+)>", text, re.S)
    if not match:
        raise ValueError(f"{{play}}`{text}` is not of the form words <figure setting>")
    return match[1], match[2], match[3]


class NoRawFigures(SphinxTransform):
    """An element written as HTML would have no number, no caption and no script."""

    default_priority = 500

    def apply(self):
        for node in self.document.findall(nodes.raw):
            if "<unrolled-" in node.astext():
                log.warning("write :::{live} for a live figure", location=self.env.docname)


def scripts(doctree: nodes.document | None) -> list[str]:
    """The scripts that a page's live figures need."""
    elements = {node["element"] for node in (doctree.findall(live) if doctree else ())}
    return sorted(f"figures/{name.removeprefix('unrolled-')}.js" for name in elements)


def copy_figures(app: Sphinx) -> None:
    """The scripts, each of which asks for the others in the same version: ./svg.js?v=1a2b3c4d."""
    if app.builder.name != SITE:
        return
    target = Path(app.outdir, "_static", "figures")
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(THEME / "figures", target)
    files = sorted(path for path in target.iterdir() if path.is_file())
    stamp = f"{zlib.crc32(b''.join(path.read_bytes() for path in files)):08x}"
    for path in target.glob("*.js"):
        script = path.read_text(encoding="utf-8")
        script = re.sub(r'( from "\./[\w-]+\.js)"', rf'\1?v={stamp}"', script)
        path.write_text(script, encoding="utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_node(live, html=(visit_live, depart_live))
    app.add_directive("live", Live)
    app.add_role("play", Play())
    app.add_transform(NoRawFigures)
    app.connect("builder-inited", copy_figures)
    return {"parallel_read_safe": True}
