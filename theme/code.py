"""Code in colour, without a <span> for each name, comma and space that has no colour.

Half of what a long chapter's page was made of were such spans, and a phone lays out each of them.
"""

from __future__ import annotations

import re

from pygments.formatters import HtmlFormatter
from sphinx.application import Sphinx
from sphinx.highlighting import PygmentsBridge

from theme import THEME

COLOURS = re.findall(r"^\.highlight .+?\{", (THEME / "static/book.css").read_text(), re.M)
COLOURED = set(re.findall(r"\.(\w{1,2})\b", " ".join(COLOURS)))


class Formatter(HtmlFormatter):
    """Pygments' own, but for tokens that book.css does not colour."""

    def _get_css_classes(self, ttype):
        name = self._get_css_class(ttype)
        return name if name in COLOURED else ""


def setup(app: Sphinx) -> dict[str, bool]:
    PygmentsBridge.html_formatter = Formatter
    return {"parallel_read_safe": True, "parallel_write_safe": True}
