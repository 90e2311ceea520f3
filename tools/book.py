"""`make book`: the course as one PDF and one EPUB, from the built site, into _build/book.

Live figures are photographed on the site first. Sphinx then writes the EPUB, and one page that
holds all others (theme/book.py), which Chromium prints twice: only what has been printed says on
which page a chapter begins.
"""

from __future__ import annotations

import argparse
import logging
import shutil
import subprocess
import sys
from pathlib import Path

from browser import launched, settle
from pypdf import PdfReader, PdfWriter
from pypdf.generic import NameObject, TextStringObject
from serve import serving

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "_build"
NAME = "unrolled"

# A figure whose network is fetched at the first press is empty before it. By its name: the button
# that is pressed for its picture, and how often.
PRESSED = {"text": ("Write a line", 1), "music": ("Write four bars", 1), "video": ("Step", 13)}
# What a network draws is drawn alike in every book.
SEEDED = "{ let x = 1; Math.random = () => (x = (x * 48271) % 2147483647) / 2147483647; }"

# What is wider than the paper gets smaller letters.
FIT = """() => {
  for (const box of document.querySelectorAll(".formula, table, pre")) {
    const wide = box.scrollWidth / box.clientWidth;
    if (wide > 1) box.style.fontSize = `${parseFloat(getComputedStyle(box).fontSize) / wide}px`;
  }
}"""
# Chromium makes all pages smaller if one thing is still too wide.
TOO_WIDE = """() => [...document.querySelectorAll("main *, nav *")]
  .filter((one) => !one.closest("svg, .katex"))
  .filter((one) => one.getBoundingClientRect().right > innerWidth + 1)
  .map((one) => `${one.closest("[id]").id}: ${one.textContent.trim().slice(0, 60)}`)"""
NUMBER = """(pages) => {
  for (const link of document.querySelectorAll(".book-contents a"))
    link.querySelector(".page").textContent = pages[decodeURIComponent(link.hash.slice(1))];
}"""
HEADINGS = """() => [...document.querySelectorAll("h1, h2, h3, h4, h5, h6")]
  .map((one) => {
    const bare = one.cloneNode(true);
    for (const part of bare.querySelectorAll(".katex-html")) part.remove();
    for (const part of bare.querySelectorAll("annotation")) part.remove();
    return bare.textContent.replace(/\\s+/g, " ").trim();
  })"""


def photograph(browser, site: str, stills: Path, drawn: bool = True) -> None:
    """A picture of each live figure as it stands before anybody has touched it.

    Of one that fetches its network at the first press: after that press. With `drawn=False`: of
    what is around the drawing.
    """
    shutil.rmtree(stills, ignore_errors=True)
    stills.mkdir()
    hidden = [".top"]  # the page's head lies over what is tall
    hidden += [] if drawn else [".card svg *", ".card canvas"]
    context = browser.new_context(
        viewport={"width": 800, "height": 1600},
        device_scale_factor=2,
        color_scheme="light",
        reduced_motion="reduce",
    )
    page = context.new_page()
    page.add_init_script(SEEDED)
    for path in sorted((BUILD / "html").glob("*.html")):
        if "<unrolled-" not in path.read_text(encoding="utf-8"):
            continue
        page.goto(f"{site}/{path.name}", wait_until="networkidle")
        for number, figure in enumerate(page.locator(".live").all(), start=1):
            figure.scroll_into_view_if_needed()
            if drawn:
                press(figure)
            figure.screenshot(
                path=stills / f"{path.stem}-live-{number}.png",
                animations="disabled",
                style=f"{', '.join(hidden)} {{ visibility: hidden !important }}",
            )
    context.close()


def press(figure) -> None:
    """Have the network fetched, if there is one, and what belongs to the picture done with it."""
    figure.locator(".card").dispatch_event("pointerdown")
    figure.locator(".card:not([aria-busy])").wait_for()
    settle(figure.page)
    name = figure.evaluate("(one) => one.localName")
    button, times = PRESSED.get(name.removeprefix("unrolled-"), ("", 0))
    for _ in range(times):
        figure.get_by_role("button", name=button, exact=True).click()


def build(kind: str) -> Path:
    """Sphinx with one of the two builders of theme/book.py; the folder that it wrote."""
    out = BUILD / kind
    shutil.rmtree(out, ignore_errors=True)
    command = [
        Path(sys.executable).with_name("jupyter-book"),
        "build",
        "chapters",
        "--config",
        "_config.yml",
    ]
    command += ["--toc", ROOT / "_toc.yml", "--path-output", "."]
    command += ["-n", "-W", "--keep-going", "-q"]
    command += ["--builder", "custom", "--custom-builder", kind]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{done.stdout}\n{done.stderr}\nThe book was not built.")
    return out


def pages_of(pdf: Path) -> dict[str, int]:
    """The page on which each place that is linked to stands, from 1."""
    reader = PdfReader(pdf)
    found = reader.named_destinations
    return {name.lstrip("/"): reader.get_destination_page_number(found[name]) + 1 for name in found}


def print_book(browser, source: Path, target: Path) -> None:
    page = browser.new_page()
    page.set_default_timeout(0)  # hundreds of pages take what they take
    page.goto(source.as_uri())
    page.emulate_media(media="print", color_scheme="light")
    # as wide as what stands between the margins of A4
    page.set_viewport_size({"width": round((210 - 44) / 25.4 * 96), "height": 1000})
    settle(page)
    page.evaluate(FIT)
    if wide := page.evaluate(TOO_WIDE):
        sys.exit("Wider than the paper:\n" + "\n".join(wide))
    for _ in range(2):
        page.pdf(
            path=target, prefer_css_page_size=True, print_background=True, outline=True, tagged=True
        )
        page.evaluate(NUMBER, pages_of(target))
    mend_outline(target, page.evaluate(HEADINGS))
    page.close()


def entries(parent):
    """The outline of a PDF, from top to bottom."""
    entry = parent.get("/First")
    while entry is not None:
        entry = entry.get_object()
        yield entry
        yield from entries(entry)
        entry = entry.get("/Next")


def mend_outline(pdf: Path, titles: list[str]) -> None:
    """Chromium writes a heading twice into the outline when it has moved it to the next page."""
    writer = PdfWriter(clone_from=pdf)
    found = list(entries(writer.root_object["/Outlines"]))
    for entry, title in zip(found, titles, strict=True):
        entry[NameObject("/Title")] = TextStringObject(title)
    writer.write(pdf)


def make() -> None:
    """Both books; FileNotFoundError where there is no Chromium."""
    out = BUILD / "book"
    with launched() as browser:
        with serving(BUILD / "html") as site:
            photograph(browser, site, BUILD / "stills")
        epub = next(build("epub").glob("*.epub"))
        folder = build("book")
        print_book(browser, folder / "book.html", out / f"{NAME}.pdf")
    shutil.copy2(epub, out / f"{NAME}.epub")
    for path in (out / f"{NAME}.pdf", out / f"{NAME}.epub"):
        print(f"{path.relative_to(ROOT)}: {path.stat().st_size / 1e6:.1f} MB")


def main() -> None:
    argparse.ArgumentParser(description=__doc__).parse_args()
    logging.getLogger("pypdf").setLevel(logging.ERROR)  # it counts Chromium's objects
    if not (BUILD / "html" / "index.html").is_file():
        sys.exit("There is no website in _build/html: build it with `make site`.")
    try:
        make()
    except FileNotFoundError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
