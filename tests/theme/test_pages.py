"""Every page, in every guise: accessible, self-contained, light, no wider than a phone."""

from __future__ import annotations

import gzip
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from browser import resize, settle
from browsing import AXE, HTML, violations, watch

BUDGET = 300_000  # bytes over the wire, gzipped, with all that comes by scrolling

PAGES = sorted(str(path.relative_to(HTML)) for path in HTML.rglob("*.html"))


def test_there_are_pages(html):
    assert "index.html" in PAGES and "404.html" in PAGES and "search.html" in PAGES


def weigh(context, page) -> dict[str, int]:
    """A dictionary that fills with the bytes that each address costs over the wire."""
    session = context.new_cdp_session(page)
    session.send("Network.enable")
    addresses: dict[str, str] = {}
    weights: dict[str, int] = {}

    def on_request(event):
        addresses[event["requestId"]] = event["request"]["url"]

    def on_finished(event):
        weights[addresses[event["requestId"]]] = round(event["encodedDataLength"])

    session.on("Network.requestWillBeSent", on_request)
    session.on("Network.loadingFinished", on_finished)
    return weights


# Each gives a list of flaws of the page as it is laid out now.
COVERED = """() => [...document.querySelectorAll(".copy")].flatMap((button) => {
  const it = button.getBoundingClientRect();
  const code = document.createRange();
  code.selectNodeContents(button.parentNode.querySelector("pre"));
  return [...code.getClientRects()].some((line) => line.width > 1 && line.right > it.left &&
    line.left < it.right && line.bottom > it.top + 1 && line.top < it.bottom - 1)
    ? ["Copy covers code: " + button.parentNode.innerText.slice(0, 50)] : []; })"""
TORN = r"""() => [...document.querySelectorAll("article .katex")].flatMap((formula) => {
  const last = [...formula.querySelectorAll(".base")].at(-1)?.getBoundingClientRect();
  const whole = formula.closest(".unbroken");
  if (!last?.width || formula.closest(".formula, .visually-hidden")) return [];
  if (whole && whole.getClientRects().length > 1) return ["torn: " + whole.innerText];
  const text = formula.nextSibling ?? whole?.nextSibling;
  const sign = /^\u2060?[.,;:!?)]/.exec(text?.nodeType === 3 ? text.data : "");
  if (!sign) return [];
  const range = document.createRange();
  range.setStart(text, sign[0].length - 1);
  range.setEnd(text, sign[0].length);
  return range.getBoundingClientRect().left < last.right - 2
    ? ["alone on a line: " + sign[0] + " after " + formula.innerText] : []; })"""
UNHINTED = """() => [...document.querySelectorAll("article :is(pre, .table, .formula)")]
  .flatMap((box) => box.scrollWidth > box.clientWidth + 1 &&
    !getComputedStyle(box).backgroundAttachment.includes("local")
    ? ["scrolls and does not show it: " + box.innerText.slice(0, 50)] : [])"""


@pytest.mark.parametrize("name", PAGES)
def test_page_is_accessible_self_contained_light_and_fits(browser, site, name):
    """One visit of each page, since each visit costs a second.

    axe finds nothing, light and dark, at 1280 and 390 px, with folds shut and open; nothing is
    wider than 360 px; no button covers code; no formula is torn from its full stop; what
    scrolls sideways shows it; no console error; no request to another host; at most 300 KB.
    """
    if not AXE.is_file():
        pytest.fail("axe-core is missing: `npm ci` in theme/ installs it", pytrace=False)
    context = browser.new_context(viewport={"width": 1280, "height": 900}, color_scheme="light")
    page = context.new_page()
    problems = watch(page, site)
    weights = weigh(context, page)
    page.goto(f"{site}/{name}", wait_until="networkidle")

    assert sum(weights.values()) > 3_000, "nothing was measured"

    page.add_script_tag(path=AXE)
    # what loads late loads now, so that a foreign address or a broken one would show
    page.evaluate("for (const image of document.images) image.loading = 'eager'")
    page.wait_for_function("[...document.images].every((image) => image.complete)")
    broken = page.evaluate("[...document.images].filter((i) => !i.naturalWidth).map((i) => i.src)")
    problems += [f"image does not load: {source}" for source in broken]
    if sum(weights.values()) > BUDGET:
        problems.append(f"{sum(weights.values())} bytes: {weights}")
    # else a browser might use an old one beside a new one
    stamped = re.compile(r"\?v=[0-9a-f]{8}$|\.[0-9a-f]{8}/|/katex-[\d.]+/")
    static = [address for address in weights if "/_static/" in address]
    problems += [
        f"no version stamp: {address}" for address in static if not stamped.search(address)
    ]
    for scheme, width in (("light", 1280), ("light", 390), ("dark", 390), ("dark", 1280)):
        page.emulate_media(color_scheme=scheme)
        page.wait_for_function(f"document.documentElement.dataset.theme === '{scheme}'")
        resize(page, width)
        problems += [f"{scheme}, {width} px: {violation}" for violation in violations(page)]
        page.evaluate("for (const fold of document.querySelectorAll('details')) fold.open = true")
        settle(page)
        flaws = [flaw for check in (COVERED, UNHINTED) for flaw in page.evaluate(check)]
        problems += [f"{scheme}, {width} px: {flaw}" for flaw in flaws]
    for width in (320, 360, 393, 430, 768):
        page.set_viewport_size({"width": width, "height": 900})
        problems += [f"{width} px: {flaw}" for flaw in page.evaluate(TORN)]

    resize(page, 360)
    wide = page.evaluate(
        """() => document.documentElement.scrollWidth <= 360 ? [] :
             [...document.querySelectorAll("body *")]
               .filter((e) => e.getBoundingClientRect().right > 361)
               .map((e) => e.outerHTML.slice(0, 120)).slice(0, 5)"""
    )
    problems += [f"sideways scroll at 360 px: {element}" for element in wide]
    context.close()
    assert not problems, "\n".join(problems)


class Reader(HTMLParser):
    """What a page says of itself."""

    def __init__(self, name: str):
        super().__init__()
        self.metas, self.images, self.ids, self.h1, self.title = {}, [], [], 0, ""
        self._in_title = False
        self.feed((HTML / name).read_text())

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if "id" in attrs:
            self.ids.append(attrs["id"])
        if tag == "meta" and "name" in attrs:
            self.metas.setdefault(attrs["name"], []).append(attrs["content"])
        elif tag == "img":
            self.images.append(attrs)
        self.h1 += tag == "h1"
        self._in_title = tag == "title"

    def handle_data(self, data):
        if self._in_title:
            self.title += data


@pytest.mark.parametrize("name", PAGES)
def test_page_describes_itself(name):
    reader = Reader(name)
    assert len(reader.metas["viewport"]) == 1
    assert len(reader.metas["description"]) == 1 and len(reader.metas["description"][0]) >= 20
    assert reader.h1 == 1
    assert "Unrolled" in reader.title
    repeated = {i for i in reader.ids if reader.ids.count(i) > 1}
    assert not repeated, f"ids that stand twice: {repeated}"
    for image in reader.images:
        assert image.get("loading") == "lazy", image
        assert image.get("width") and image.get("height"), image
        alt = image.get("alt", "")
        assert " " in alt and not alt.endswith((".png", ".svg")), f"{image['src']}: {alt!r}"


def test_titles_and_descriptions_differ_from_page_to_page(html):
    readers = [Reader(name) for name in PAGES]
    for found in ([r.title for r in readers], [r.metas["description"][0] for r in readers]):
        assert len(set(found)) == len(found), sorted(found)


def test_styles_and_scripts_hold_no_address_of_another_host(html):
    for path in [*html.rglob("*.css"), *html.glob("*.html")]:
        text = path.read_text()
        loaded = re.findall(
            r"""url\(["']?(?:https?:)?//[^)]*|@import[^;]*//[^;]*|<(?:script|img|iframe|video|audio|source)[^>]*src="(?:https?:)?//[^"]*|<link[^>]*rel="(?:stylesheet|icon|preload)"[^>]*href="(?:https?:)?//[^"]*""",
            text,
        )
        assert not loaded, f"{path.name}: {loaded}"


def test_styles_and_scripts_of_a_page_are_small(html):
    """What every page carries: one style sheet and one script, below 12 KB together."""
    both = [Path(html, "_static", name).read_bytes() for name in ("book.css", "book.js")]
    assert sum(len(gzip.compress(data)) for data in both) < 12_000


def test_the_page_to_print_fits_one_sheet(page, site):
    page.goto(f"{site}/decide.html")
    page.emulate_media(media="print")
    margin = dict.fromkeys(("top", "bottom", "left", "right"), "12mm")
    sheet = page.pdf(format="A4", margin=margin)
    assert len(re.findall(rb"/Type\s*/Page\b", sheet)) == 1
