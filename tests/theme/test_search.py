"""The search finds sections, terms and names while one types, and forgives a slip."""

from __future__ import annotations

import json

import pytest


@pytest.fixture
def ask(site, page):
    """Types into the search page; gives what is said and the addresses found, best first."""
    page.goto(f"{site}/search.html")

    def ask(query: str) -> tuple[str, list[str]]:
        page.fill("main input[name=q]", query)
        page.wait_for_function(
            "(query) => document.querySelector('#found').dataset.asked === query"
            " && document.querySelector('#found [role=status]').textContent",
            arg=query,
        )
        links = page.locator("#found a").evaluate_all("all => all.map((a) => a.pathname + a.hash)")
        return page.text_content("#found [role=status]"), [link.lstrip("/") for link in links]

    return ask


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("hidden state", "glossary.html#term-hidden-state"),
        ("Vanishing gradients", "glossary.html#term-vanishing-gradient"),
        ("rnn_step", "api/cells.html#rnnlib.cells.rnn_step"),
        ("RNNCell", "api/cells.html#rnnlib.cells.RNNCell"),
        ("how to install", "start.html"),
        ("install", "start.html"),
        ("parallel fifths exercise", "exercises/13_music.html"),
    ],
)
def test_what_is_called_so_is_found_first(ask, query, first):
    _, links = ask(query)
    assert links[0].startswith(first), links[:5]


def test_a_slip_finds_the_nearest_word_and_says_so(ask):
    said, links = ask("hiden state")
    assert "“hiden” stands nowhere; this is what “hidden” finds." in said
    assert links[0] == "glossary.html#term-hidden-state"


def test_a_word_is_found_before_it_is_typed_to_its_end(ask):
    _, whole = ask("perplexity")
    _, begun = ask("perplex")
    assert whole[0] == begun[0] == "glossary.html#term-perplexity"


def test_nothing_found_is_said(ask):
    said, links = ask("xylophonist")
    assert said == "Nothing was found for “xylophonist”." and not links


def test_a_formula_stands_in_what_is_found_once_as_tex(ask, page):
    _, links = ask("input layer")
    place = links.index("glossary.html#term-input-layer")
    text = page.locator("#found li p").nth(place).text_content()
    assert text.count("W_x") == 1 and "$W_x$" in text


def test_every_address_leads_to_a_place(html):
    pages = json.loads((html / "search.json").read_text())
    assert {"01_storybook", "glossary", "api/cells", "exercises/02_cell"} <= set(pages)
    for entries in pages.values():
        text = (html / entries[0]["u"]).read_text()
        for entry in entries:
            _, _, anchor = entry["u"].partition("#")
            assert not anchor or f'id="{anchor}"' in text, entry["u"]
            assert entry["t"]


def test_code_and_what_it_printed_are_not_searched(html):
    text = (html / "search.json").read_text()
    # the text of a page speaks of `import numpy`
    assert "import matplotlib" not in text and "plt.show" not in text


def test_the_bar_finds_from_any_page_by_keyboard(site, page):
    page.goto(f"{site}/api/cells.html")
    assert page.evaluate(
        "performance.getEntriesByType('resource').every((r) => !/search/.test(r.name))"
    )
    page.keyboard.press("/")
    page.keyboard.type("perplex")
    page.wait_for_selector(".top .found a >> nth=0")
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.textContent") == "perplexity"
    page.keyboard.press("Escape")
    assert not page.is_visible(".top .found")
    assert page.evaluate("document.activeElement.name") == "q"
    page.keyboard.type("i")
    page.wait_for_selector(".top .found a >> nth=0")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url("**/glossary.html#term-perplexity")


def test_return_in_the_bar_leads_to_all_that_was_found(site, page):
    page.goto(f"{site}/start.html")
    page.keyboard.press("/")
    page.keyboard.type("memory")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search.html?q=memory")
    page.wait_for_selector("#found a >> nth=8")
    assert page.input_value("main input[name=q]") == "memory"


def test_without_a_network_it_says_so(site, browser):
    context = browser.new_context()
    page = context.new_page()
    page.route("**/search.json", lambda route: route.abort())
    page.goto(f"{site}/search.html?q=memory")
    page.wait_for_selector("#found [role=status]:has-text('could not be fetched')")
    context.close()
