"""What a reader meets on the way through a long page: outline, place, code, paper, widths."""

from __future__ import annotations

import io

import numpy as np
import pytest
from browser import stop_clock
from browsing import ROOT
from PIL import Image

CHAPTERS = sorted(path.stem for path in (ROOT / "chapters").glob("[0-9][0-9]_*.ipynb"))
PHONE = {"viewport": {"width": 390, "height": 800}, "has_touch": True, "is_mobile": True}


@pytest.fixture
def phone(browser):
    context = browser.new_context(**PHONE)
    yield context.new_page()
    context.close()


@pytest.mark.parametrize("width", [390, 768, 1216, 1217, 1280, 1600])
def test_a_page_shows_its_outline_once_at_every_width(site, page, width):
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(f"{site}/02_cell.html")
    if width <= 1216:
        assert not page.is_visible(".outline")
        page.click(".folded-outline summary")
        links = page.locator(".folded-outline > details > ul > li > a")
    else:
        assert not page.is_visible(".folded-outline")
        links = page.locator(".outline > ul > li > a")
    assert links.count() > 8
    link = links.nth(5)
    link.click()
    place = link.get_attribute("href")
    page.wait_for_function(
        "(place) => Math.abs(document.querySelector(place).getBoundingClientRect().top) < 150",
        arg=place,
    )


def test_the_place_is_kept_and_offered_at_the_next_visit(site, page):
    address = f"{site}/02_cell.html"
    page.goto(address)
    page.wait_for_timeout(200)
    assert not page.is_visible(".go-on"), "nothing to go on with at the first visit"
    section = page.locator(".outline > ul > li > a").nth(6)
    place, name = section.get_attribute("href"), section.text_content()
    page.evaluate("(place) => document.querySelector(place).scrollIntoView()", place)
    page.wait_for_function(
        "(place) => localStorage.getItem('place:/02_cell.html')?.includes(place)", arg=place
    )
    page.goto(f"{site}/01_storybook.html")
    assert not page.is_visible(".go-on"), "each page has a place of its own"
    page.goto(address)
    assert page.text_content(".go-on a") == f"Go on where you were: {name}"
    page.click(".go-on a")
    page.wait_for_url(f"**{place}")
    assert not page.is_visible(".go-on")
    page.goto(f"{site}/start.html")
    page.goto(address)
    page.click(".go-on button")
    assert not page.is_visible(".go-on")
    page.goto(f"{site}/start.html")
    page.goto(f"{address}{place}")
    page.wait_for_timeout(200)
    assert not page.is_visible(".go-on"), "who follows a link wants to be there"


def test_keyboard_stays_in_the_open_contents_on_a_phone(site, page):
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto(f"{site}/start.html")
    page.focus(".menu")
    page.keyboard.press("Enter")
    places = set()
    for _ in range(40):
        page.keyboard.press("Tab")
        places.add(
            page.evaluate(
                "document.activeElement.closest('main, .foot, .contents, .top')?.className"
            )
        )
    assert "contents" in places and places <= {"contents", "top", None}
    page.keyboard.press("Escape")
    page.focus("main a >> nth=0")
    assert page.evaluate("document.activeElement.closest('main') !== null")


def test_places_can_be_linked_to_by_touch(site, phone):
    phone.goto(f"{site}/02_cell.html")
    links = phone.locator("article .headerlink")
    assert links.count() > 20
    shown = links.evaluate_all("all => all.map((a) => getComputedStyle(a).opacity)")
    assert set(shown) == {"1"}


@pytest.mark.parametrize("slug", CHAPTERS)
def test_code_of_a_chapter_fits_beside_the_text(site, page, slug):
    page.goto(f"{site}/{slug}.html")
    page.evaluate("for (const fold of document.querySelectorAll('details')) fold.open = true")
    wide = page.evaluate(
        """() => [...document.querySelectorAll("article pre")]
             .filter((box) => box.scrollWidth > box.clientWidth + 1)
             .map((box) => box.innerText.split("\\n").sort((a, b) => b.length - a.length)[0])"""
    )
    assert not wide, f"lines of more than 84 characters: {wide}"


def test_paper_is_white_and_nothing_on_it_is_folded(site, browser):
    context = browser.new_context(color_scheme="dark")
    page = context.new_page()
    page.goto(f"{site}/02_cell.html")
    page.emulate_media(media="print", color_scheme="dark")
    ink, paper = page.evaluate(
        "() => { const s = getComputedStyle(document.body); return [s.color, s.backgroundColor]; }"
    )
    channels = lambda colour: [int(c) for c in colour[4:-1].split(",")]  # noqa: E731
    assert max(channels(ink)) < 60 and min(channels(paper)) > 240
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    folds = page.evaluate(
        """() => [...document.querySelectorAll("article details")]
             .filter((fold) => !fold.closest(".folded-outline"))
             .map((fold) => fold.open && fold.lastElementChild.getBoundingClientRect().height)"""
    )
    assert len(folds) > 10 and min(folds) > 10
    assert not page.is_visible(".top") and not page.is_visible(".copy")
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert not page.evaluate("document.querySelectorAll('article details[open]').length")
    context.close()


def test_a_figure_is_dark_on_a_dark_page_and_white_on_paper(site, browser):
    context = browser.new_context(color_scheme="dark")
    page = context.new_page()
    page.goto(f"{site}/02_cell.html")
    figure = page.locator("article figure img").first
    figure.scroll_into_view_if_needed()
    figure.evaluate("image => image.decode()")
    picture = np.array(Image.open(io.BytesIO(figure.screenshot())).convert("L"))
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page_colour = Image.new("RGB", (1, 1), paper).convert("L").getpixel((0, 0))
    assert abs(int(np.median(picture)) - page_colour) < 8, "no slab: the page shows through"
    assert picture.max() > page_colour + 150, "what is drawn is legible"
    page.emulate_media(media="print", color_scheme="dark")
    assert figure.evaluate("image => getComputedStyle(image).filter") == "none"
    context.close()


def test_copying_takes_what_was_typed_at_a_prompt_and_nothing_else(site, browser):
    context = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.goto(f"{site}/api/cells.html")
    block = page.locator(".highlight", has_text=">>> ").first
    stop_clock(page)  # "Copied" stands for a moment only
    block.hover()
    block.locator(".copy").click()
    block.locator("text=Copied").wait_for()
    copied = page.evaluate("navigator.clipboard.readText()")
    shown = block.inner_text()
    typed = [line[4:] for line in shown.splitlines() if line.startswith((">>>", "..."))]
    assert copied == "\n".join(typed) and ">>>" not in copied
    context.close()
