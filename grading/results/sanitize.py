"""What a student wrote, as HTML that can do nothing: Markdown, formulas, outputs.

Everything passes through a list of what is allowed (nh3). Formulas become MathML by
latex2mathml, without a script and without a server; its own result is not trusted either
(it hands text such as ``\\text{<img …>}`` through unescaped), so that only known elements,
known attributes and escaped text of it are kept.
"""

from __future__ import annotations

import functools
import html
import re
import secrets
from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree

import nh3
from latex2mathml.converter import convert_to_element
from markupsafe import Markup
from nbconvert.filters.ansi import strip_ansi
from nbconvert.filters.highlight import Highlight2HTML
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

LONGEST_INLINE = 30  # characters of TeX that fit into a line of a narrow page
LONGEST_FORMULA = 4_000  # characters; what is longer stays as it was typed
LONGEST_TEXT = 50_000  # characters that are read as Markdown or HTML, or coloured

TAGS = set(
    "a abbr b blockquote br caption code col colgroup dd del details div dl dt em "
    "h1 h2 h3 h4 h5 h6 hr i img ins kbd li ol p pre q s samp small span strong sub summary sup "
    "table tbody td tfoot th thead tr tt u ul var".split()
)
PICTURE = re.compile(r"data:image/(?:png|jpeg|gif|webp);base64,[A-Za-z0-9+/=\s]*\Z")
ATTRIBUTES = {
    "a": {"href", "title"},
    "abbr": {"title"},
    "img": {"alt", "src"},
    "ol": {"start"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan", "scope"},
}
# what these hold is no text for a reader either
NO_TEXT = {"script", "style", "iframe", "object", "svg", "math", "template"}
MATHML = frozenset(
    "math mi mn mo ms mtext mspace mrow mfrac msqrt mroot mstyle mpadded mphantom menclose "
    "msub msup msubsup munder mover munderover mtable mtr mtd".split()
)
MATHML_ATTRIBUTES = frozenset(
    "accent columnalign columnlines columnspacing display displaystyle fence form linethickness "
    "lspace mathvariant maxsize minsize movablelimits notation rowlines rowspacing rspace "
    "scriptlevel separator stretchy symmetric width".split()
)


def formula(tex: str, *, block: bool = False) -> Markup:
    """Turn TeX into MathML; what cannot be read stays as it was typed.

    Examples
    --------
    >>> print(formula("x^2"))
    <math display="inline"><mrow><msup><mi>x</mi><mn>2</mn></msup></mrow></math>
    >>> print(formula(r"\\text{<script>}"))
    <math display="inline"><mrow><mtext>&lt;script&gt;</mtext></mrow></math>
    >>> print(formula("x_{"))
    <code>x_{</code>
    """
    if len(tex) <= LONGEST_FORMULA:
        try:
            element = convert_to_element(tex, display="block" if block else "inline")
            made = _mathml(element)
            if len(tex) > LONGEST_INLINE:
                made = made.replace('display="inline"', 'display="inline" tabindex="0"', 1)
            return Markup(made)
        except Exception:  # it raises whatever a formula makes it stumble over
            pass
    return Markup("<code>{}</code>").format(tex)


def _mathml(element: ElementTree.Element) -> str:
    """Take an element of latex2mathml apart, and put it together from what is allowed."""
    tag = element.tag.rpartition("}")[2]
    text = html.unescape(element.text or "")
    if tag == "mtext":
        text = re.sub(r"\\([_&%#$])", r"\1", text)  # \text{rnn\_step}
    inside = html.escape(text, quote=False) + "".join(_mathml(child) for child in element)
    tail = html.escape(html.unescape(element.tail or ""), quote=False)
    if tag not in MATHML:
        return inside + tail
    attributes = "".join(
        f' {name}="{html.escape(value)}"'
        for name, value in element.attrib.items()
        if name in MATHML_ATTRIBUTES and re.fullmatch(r"[\w.%+ -]*", value)
    )
    if 'display="block"' in attributes:
        attributes += ' tabindex="0"'  # what may be wider than the page is scrolled by key, too
    return f"<{tag}{attributes}>{inside}</{tag}>{tail}"


class _Renderer(IPythonRenderer):
    """Markdown as nbconvert reads it; formulas are set aside, so that cleaning cannot touch them.

    A formula leaves a word behind that no student can guess.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(escape=False, exclude_anchor_links=True, **options)
        self.mark = secrets.token_hex(16)
        self.formulas: list[str] = []

    def _aside(self, tex: str, block: bool) -> str:
        self.formulas.append(formula(tex, block=block))
        return f"{self.mark}-{len(self.formulas) - 1}-"

    def block_math(self, body: str) -> str:
        return self._aside(body, True)

    def inline_math(self, body: str) -> str:
        return self._aside(body, False)

    def latex_environment(self, name: str, body: str) -> str:
        return self._aside(rf"\begin{{{name}}}{body}\end{{{name}}}", True)

    def block_code(self, code: str, info: str | None = None) -> str:
        return f'<pre tabindex="0"><code>{html.escape(code, quote=False)}</code></pre>\n'

    def heading(self, text: str, level: int, **attributes: Any) -> str:
        level = min(level + 1, 6)  # the page's own title is the only one of level 1
        return f"<h{level}>{text}</h{level}>\n"

    def image(self, text: str, url: str, title: str | None = None) -> str:
        text = re.sub(rf"{self.mark}-\d+-", "…", text)  # no formula inside an attribute
        picture = self._embed_image_or_attachment(url) if url.startswith("attachment:") else url
        if PICTURE.match(picture):
            return f'<img src="{html.escape(picture)}" alt="{html.escape(text or "a picture")}">'
        return f"[picture: {html.escape(text or url, quote=False)}]"


def markdown(source: str, attachments: Mapping[str, Any] | None = None) -> Markup:
    """Turn Markdown with formulas into harmless HTML; headings one level down.

    Examples
    --------
    >>> print(markdown("# Why\\n\\n<script>alert(1)</script>").strip())
    <h2>Why</h2>
    """
    return _markdown(source, dict(attachments)) if attachments else _known_markdown(source)


# most cells of a class are the same: the assignment's own
@functools.lru_cache(maxsize=4_096)
def _known_markdown(source: str) -> Markup:
    return _markdown(source, {})


def _markdown(source: str, attachments: dict[str, Any]) -> Markup:
    if len(source) > LONGEST_TEXT:
        return plain(source[:LONGEST_TEXT] + " …")
    renderer = _Renderer(attachments=attachments)
    try:
        text = clean(MarkdownWithMath(renderer=renderer).render(source))
    except Exception:  # nesting that the parser does not survive
        return plain(source)
    if re.search(rf'="[^"]*{renderer.mark}', text):  # none may stand inside an attribute
        return plain(source)
    formulas = renderer.formulas
    return Markup(re.sub(rf"{renderer.mark}-(\d+)-", lambda match: formulas[int(match[1])], text))


def clean(text: str) -> Markup:
    """Take out of a student's HTML all that acts, loads or dresses up as the page."""
    text = nh3.clean(
        text[:LONGEST_TEXT],
        tags=TAGS,
        clean_content_tags=NO_TEXT,
        attributes=ATTRIBUTES,
        attribute_filter=_attribute,
        url_schemes={"http", "https", "mailto", "data"},
        link_rel=None,
    )
    text = re.sub(r"<img(?![^>]* src=)[^>]*>", "", text)
    text = re.sub(r"<img(?![^>]* alt=)", '<img alt="a picture"', text)
    text = text.replace("<table>", '<div class="scroll" tabindex="0"><table>')
    text = text.replace("</table>", "</table></div>")
    return Markup(text.replace("<pre>", '<pre tabindex="0">'))


def _attribute(tag: str, name: str, value: str) -> str | None:
    """Give the value of an allowed attribute, or nothing: data: is for pictures alone."""
    if name == "src":
        return value if PICTURE.match(value) else None
    if name == "href" and re.match(r"\s*data:", value, re.IGNORECASE):
        return None
    return re.sub(r"[<>]", "", value)  # so that a tag ends where it seems to


@functools.lru_cache(maxsize=4_096)
def code(source: str, language: str = "python") -> Markup:
    """Show source code with its colours."""
    if len(source) > LONGEST_TEXT:
        return plain(source)
    coloured = Highlight2HTML(pygments_lexer=language)(source)
    return Markup(coloured.replace("<pre>", '<pre tabindex="0">', 1))


def plain(text: str, kind: str = "") -> Markup:
    """Show the text of a program's output, its terminal colours dropped."""
    return Markup('<pre{} tabindex="0">{}</pre>').format(
        Markup(f' class="{kind}"') if kind else "", strip_ansi(text)
    )
