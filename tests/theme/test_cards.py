"""Terms and sources are explained beside their links, on hover and on focus; without a script
they stay links."""

from __future__ import annotations

import re

import pytest
from browsing import HTML
from bs4 import BeautifulSoup


def soup(name: str) -> BeautifulSoup:
    return BeautifulSoup((HTML / name).read_text(), "html.parser")


def words(element) -> str:
    """Text without KaTeX's second rendering and without spaces, which HTML may put anywhere."""
    for formula in element.select(".katex-mathml"):
        formula.decompose()
    return re.sub(r"\s+", "", element.text)


def test_every_link_to_a_term_or_a_source_of_every_page_has_its_words(html):
    glossary, bibliography = soup("glossary.html"), soup("bibliography.html")
    explained = {
        place["id"]: words(
            place.find_parent("dt").find_next_sibling("dd")
            if place.name != "dt"
            else place.find_next_sibling("dd")
        )
        for place in glossary.select("dt[id]")
    }
    explained |= {
        one["id"]: words(one.select_one("p")) for one in bibliography.select("div.citation")
    }
    assert len(explained) > 50
    checked = 0
    for path in html.rglob("*.html"):
        page = BeautifulSoup(path.read_text(), "html.parser")
        cards = {card["id"]: card for card in page.select("main > template")}
        for link in page.select("article a[href]"):
            target = re.search(r"(?:glossary|bibliography)\.html#(.+)", link["href"])
            if target and target[1] in explained:
                assert words(cards["card-" + target[1]]) == explained[target[1]]
                checked += 1
    assert checked > 50


@pytest.fixture
def term(site, page):
    page.goto(f"{site}/01_storybook.html")
    link = page.locator("article a[href='glossary.html#term-hidden-state']").first
    link.scroll_into_view_if_needed()
    return link


def test_a_term_is_explained_while_one_points_at_it_or_at_its_words(page, term):
    assert page.locator(".explanation").count() == 0
    term.hover()
    page.wait_for_selector(".explanation")
    assert "running summary" in page.text_content(".explanation")
    assert term.get_attribute("aria-describedby") == page.get_attribute(".explanation", "id")
    page.hover(".explanation p >> nth=0")
    page.wait_for_timeout(400)
    assert page.is_visible(".explanation"), "one can go over to the words, to select them"
    page.hover("h1")
    page.wait_for_selector(".explanation", state="detached")
    assert term.get_attribute("aria-describedby") is None


def test_a_term_is_explained_while_it_has_the_keyboard_s_focus(page, term):
    page.keyboard.press("Tab")  # from here on focus is the keyboard's
    term.focus()
    page.wait_for_selector(".explanation")
    page.keyboard.press("Escape")
    assert page.locator(".explanation").count() == 0
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Tab")
    page.wait_for_selector(".explanation")
    page.keyboard.press("Tab")
    assert "running summary" not in "".join(page.locator(".explanation").all_text_contents())


@pytest.mark.parametrize("width", [390, 1280])
def test_no_card_leaves_the_window(site, page, width):
    page.set_viewport_size({"width": width, "height": 700})
    page.goto(f"{site}/02_cell.html")
    page.keyboard.press("Tab")
    links = page.locator("article a[href*='glossary.html#'], article a[href*='bibliography.html#']")
    for link in links.all():
        if link.is_visible():
            link.focus()
            box = page.locator(".explanation").bounding_box()
            assert box["x"] >= 0 and box["x"] + box["width"] <= width
            assert box["y"] >= 0 and box["y"] + box["height"] <= 700


def test_without_a_script_and_by_touch_a_term_is_a_link(site, browser):
    for settings in ({"java_script_enabled": False}, {"has_touch": True, "is_mobile": True}):
        context = browser.new_context(viewport={"width": 390, "height": 800}, **settings)
        page = context.new_page()
        page.goto(f"{site}/01_storybook.html")
        link = page.locator("article a[href='glossary.html#term-hidden-state']").first
        link.tap() if "has_touch" in settings else link.click()
        page.wait_for_url("**/glossary.html#term-hidden-state")
        context.close()
