"""A page that stands alone: no script, no other file, no other host; light and dark.

Feedback and the report are such pages. Whatever a template shows is escaped, unless `sanitize`
made it. The one style sheet is allowed by its hash, so that a style, a script, a form or a
picture from elsewhere is refused by the browser even if one slipped past both.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

HERE = Path(__file__).parent
# beside the rnnlib of this repository: grading is never installed without it
COLOURS = HERE.parents[1] / "rnnlib" / "tokens.css"

TEMPLATES = Environment(
    loader=FileSystemLoader(HERE / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def number(value: float | None, digits: int = 2) -> str:
    """Write a number as a reader wants it; a dash if there is none."""
    return "–" if value is None else f"{round(float(value), digits):g}"


def plural(count: int, one: str, many: str) -> str:
    """Say how many there are of something."""
    return f"{count:,} {one if count == 1 else many}"


def points(marks: Mapping[str, Any]) -> str:
    """Say how many points of how many nbgrader's metadata of a cell hold."""
    if marks["waits"]:
        return f"waits, {number(marks['points'])} possible"
    return f"{number(marks['score'] or 0)} of {number(marks['points'])}"


TEMPLATES.filters |= {"number": number, "plural": plural, "points": points}


def render(template: str, **about: Any) -> str:
    """Make a whole HTML page.

    Parameters
    ----------
    template : str
        A file's name in `templates`, without its ending; the style sheet has the same.
    about
        What the template shows.

    Returns
    -------
    str
    """
    sheets = [COLOURS, HERE / "styles" / "page.css", HERE / "styles" / f"{template}.css"]
    sheet = "".join(path.read_text(encoding="utf-8") for path in sheets)
    digest = base64.b64encode(hashlib.sha256(sheet.encode()).digest()).decode()
    found = TEMPLATES.get_template(f"{template}.html")
    return found.render(sheet=Markup(sheet), digest=digest, **about) + "\n"
