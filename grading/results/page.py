"""A page that stands alone: no script, no other file, no other host; light and dark.

Feedback and the report are such pages. Their one style sheet is allowed by its hash, so
that a style, a script, a form or a picture from elsewhere is refused by the browser even
if one slipped past `sanitize`.
"""

from __future__ import annotations

import base64
import hashlib
import os
import secrets
from html import escape
from pathlib import Path

# beside the rnnlib of this repository: grading is never installed without it
COLOURS = Path(__file__).parents[2] / "rnnlib" / "tokens.css"
STYLE = """
*, ::before, ::after { box-sizing: border-box; }
html { text-size-adjust: 100%; }
body {
  margin: 0; background: var(--paper); color: var(--ink); overflow-wrap: break-word;
  font: 1rem/1.6 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
}
header, main, footer { max-width: 60rem; margin: 0 auto; padding: 0 1rem; }
header { padding-top: 1.5rem; }
main { padding-bottom: 3rem; }
h1, h2, h3, h4, h5, h6 { line-height: 1.25; margin: 1.8em 0 0.6em; }
h1 { font-size: 1.9rem; margin: 0 0 0.4em; }
h2 { font-size: 1.4rem; }
h3 { font-size: 1.15rem; }
h4, h5, h6 { font-size: 1rem; }
a { color: var(--accent); text-underline-offset: 0.16em; }
:focus-visible { outline: 3px solid var(--warm); outline-offset: 2px; }
img, svg { max-width: 100%; height: auto; }
code, pre { font: 0.875rem/1.5 ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace; }
pre {
  margin: 0.5rem 0; padding: 0.6rem 0.8rem; overflow-x: auto; max-height: 40rem;
  background: var(--shade); border: 1px solid var(--line); border-radius: 0.4rem;
}
.scroll { overflow-x: auto; }
table { border-collapse: collapse; margin: 0.8rem 0; }
caption { text-align: left; color: var(--muted); padding-bottom: 0.4rem; }
th, td {
  padding: 0.3rem 0.8rem 0.3rem 0; border-bottom: 1px solid var(--line);
  text-align: left; vertical-align: top;
}
th.number, td.number { text-align: right; font-variant-numeric: tabular-nums; }
math { font-family: "STIX Two Math", "Cambria Math", "Latin Modern Math", math; }
math[display="block"] { margin: 0.8rem 0; overflow-x: auto; overflow-y: hidden; padding: 0.2rem; }
.muted { color: var(--muted); }
"""


def page(title: str, body: str, *, style: str = "", language: str = "en") -> str:
    """A whole HTML page.

    Parameters
    ----------
    title : str
        Plain text.
    body : str
        HTML that is safe already: what goes between <body> and </body>.
    style : str, optional
        Further rules of this kind of page.
    language : str, optional
        Of the text, as HTML names it.

    Returns
    -------
    str
    """
    sheet = COLOURS.read_text(encoding="utf-8") + STYLE + style
    digest = base64.b64encode(hashlib.sha256(sheet.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; "
        "form-action 'none'; base-uri 'none'"
    )
    return (
        f'<!DOCTYPE html>\n<html lang="{escape(language)}">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f"<title>{escape(title)}</title>\n<style>{sheet}</style>\n</head>\n"
        f"<body>\n{body}\n</body>\n</html>\n"
    )


def write(path: str | os.PathLike[str], text: str) -> None:
    """Write a text file at once: whoever reads it meanwhile sees the old one or the new one."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        draft.write_text(text, encoding="utf-8")
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)
