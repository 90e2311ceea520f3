"""Pictures: loaded when scrolled to, with words for who cannot see, and large when pressed."""

from __future__ import annotations

import posixpath
from pathlib import Path
from urllib.parse import quote

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.images import get_image_size

from theme import SITE

PHONE = 390  # pixels across; a narrower picture is not made smaller there
log = logging.getLogger(__name__)


def visit_image(self, node: nodes.image) -> None:
    """An image keeps a place of its size free until it comes."""
    uri, alt = node["uri"], node.get("alt", "")
    if " " not in alt or alt.endswith((".png", ".svg", ".jpg")):
        log.warning("an image without words: set its alt text (%s)", uri, location=node)
    attributes = {"alt": alt}
    if self.builder.name == SITE:
        attributes |= {"loading": "lazy", "decoding": "async"}
    size = None
    if uri in self.builder.images:
        if size := get_image_size(Path(self.builder.srcdir, uri)):
            attributes |= {"width": size[0], "height": size[1]}
        uri = posixpath.join(self.builder.imgpath, quote(self.builder.images[uri]))
    image = self.emptytag(node, "img", "", src=uri, **attributes)
    if self.builder.name == SITE and not isinstance(node.parent, nodes.reference):
        # on a phone the letters of a figure are small: alone, it can be made as large as one likes
        word = "<span>Enlarge</span>" if size and size[0] > PHONE else ""
        image = f'<a class="enlarge" href="{uri}">{image}{word}</a>'
    self.body.append(image + "\n")


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_node(nodes.image, override=True, html=(visit_image, lambda self, node: None))
    return {"parallel_read_safe": True}
