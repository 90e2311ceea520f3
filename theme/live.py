"""Live figures: custom elements, each of which is a script in figures/."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform
from sphinx.util import logging

from theme import THEME

ELEMENT = re.compile(r"<unrolled-([a-z-]+)")
log = logging.getLogger(__name__)


def live_figures(doctree: nodes.document) -> list[str]:
    """The names of the live figures on a page."""
    texts = [node.astext() for node in doctree.findall(nodes.raw)]
    return sorted({name for text in texts for name in ELEMENT.findall(text)})


class LiveFigures(SphinxTransform):
    """Mark the elements for styles, and see that their scripts are there."""

    default_priority = 500

    def apply(self):
        for name in live_figures(self.document):
            if not (THEME / "figures" / f"{name}.js").is_file():
                where = self.env.docname
                log.warning("no theme/figures/%s.js for <unrolled-%s>", name, name, location=where)
        for node in list(self.document.findall(nodes.raw)):
            marked = ELEMENT.sub(r'\g<0> class="live"', node.astext())
            node.replace_self(nodes.raw(marked, marked, **node.attributes))


def copy_figures(app: Sphinx) -> None:
    if app.builder.format == "html":
        target = Path(app.outdir, "_static", "figures")
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(THEME / "figures", target)


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_transform(LiveFigures)
    app.connect("builder-inited", copy_figures)
    return {"parallel_read_safe": True}
