"""What every live figure owes its readers. A figure's own test only compares its numbers."""

from __future__ import annotations

import gzip
import re

import pytest
from browser import resize, settle
from browsing import AXE, HTML, ROOT, violations

FOLDER = ROOT / "theme" / "figures"
DEFINED = re.compile(r'^\w+\.define\("([\w-]+)"\);$', re.M)
FIGURES = sorted(name for path in FOLDER.glob("*.js") for name in DEFINED.findall(path.read_text()))
HEAVY = 50_000  # bytes over the wire that a page may not fetch unasked
WIDTHS = (1280, 600, 390)  # what the three heights after "room:" stand for
SHADOW = "[...element.shadowRoot.querySelectorAll('.card, .card *')]"


def test_every_file_is_a_figure_or_serves_figures():
    shared = {"figure.js", "network.js", "svg.js"}
    assert {path.name for path in FOLDER.glob("*.js")} == shared | {
        f"{name}.js" for name in FIGURES
    }
    assert FIGURES


def address_of(site: str, name: str) -> str:
    """A page that the figure is on; a chapter where there is one."""
    pages = [p.name for p in sorted(HTML.glob("*.html")) if f"<unrolled-{name} " in p.read_text()]
    assert pages, f"no page shows {name}"
    return f"{site}/{pages[0]}"


def opened(page, site: str, name: str):
    """The figure, in sight and ready to be played."""
    page.goto(address_of(site, name))
    return opened_here(page, name)


def opened_here(page, name: str):
    figure = page.locator(f"unrolled-{name}").first
    figure.scroll_into_view_if_needed()
    wake(page, figure)
    return figure


def wake(page, figure) -> None:
    """Wait for a figure's weights, and until it is drawn; heavy ones are fetched at a press."""
    figure.locator(".card").wait_for()
    if figure.evaluate("element => element.constructor.heavy"):
        figure.locator("button, input, select").first.focus()
        page.keyboard.press("Shift")
    figure.locator(".card:not([aria-busy])").wait_for()
    settle(page)


def controls(figure) -> list:
    """What can be reached by Tab: of a group of radio buttons one, of what is folded away none."""
    found = figure.locator(
        "button:enabled, select, summary, a[href], [tabindex='0'],"
        "input:not([type=radio]), input[type=radio]:checked"
    )
    return [control for control in found.all() if control.is_visible()]


def play(figure) -> None:
    """Move every control once, whatever it does."""
    for control in controls(figure):
        kind = control.evaluate("control => control.type ?? control.localName")
        if kind == "range":
            control.press("ArrowRight")
            control.press("PageDown")
        elif kind == "select-one":
            control.select_option(index=0)
        elif kind == "text":
            control.fill("?")
        elif kind == "radio":
            control.press("ArrowDown")
        elif kind == "submit" or kind == "button":
            control.press("Enter")
        yield control


@pytest.mark.parametrize("name", FIGURES)
def test_words_stand_for_it_where_no_script_runs(browser, site, name):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(address_of(site, name))
    figure = page.locator(f"unrolled-{name}").first
    assert len(figure.text_content().split()) >= 20
    lines = figure.bounding_box()["height"] / 24
    assert 1 <= lines <= 0.2 * len(figure.text_content().split()), (
        "a hole where the figure would be"
    )
    context.close()


# a script that never comes holds back the page's `load`
LAID_OUT = """document.readyState !== "loading" &&
    [...document.querySelectorAll("link[rel=stylesheet]")].every((link) => link.sheet)"""


@pytest.mark.parametrize("name", FIGURES)
def test_the_page_keeps_its_room(browser, site, name):
    """What stands below does not jump when the script arrives, nor when the weights do."""
    heights = {}
    for state, blocked in (
        ("kept", f"**/figures/{name}.js*"),
        ("empty", "**/figures/*.json*"),
        ("full", None),
    ):
        context = browser.new_context()
        page = context.new_page()
        if blocked:
            page.route(blocked, lambda route: None)  # never answered
        page.goto(address_of(site, name), wait_until="commit")
        page.wait_for_function(LAID_OUT)
        figure = page.locator(f"unrolled-{name}").first
        figure.scroll_into_view_if_needed()
        if state != "kept":
            if state == "full":
                wake(page, figure)
            figure.locator(".card").wait_for()
        for width in WIDTHS:
            resize(page, width)
            heights[state, width] = figure.bounding_box()["height"]
        context.close()
    rem = ", ".join(f"{heights['full', width] / 16:.1f}rem" for width in WIDTHS)
    for width in WIDTHS:
        assert abs(heights["full", width] - heights["empty", width]) <= 1
        assert abs(heights["full", width] - heights["kept", width]) <= 16, (
            f"{heights['kept', width] / 16:.1f}rem are kept at {width} px: write // room: {rem}, "
            "or, where that stands already, fewer words for readers without a script"
        )


# what lies beside the figure's edges
OUTSIDE = f"""(element) => {{
    const {{ left, right }} = element.getBoundingClientRect();
    return {SHADOW}.filter((part) => {{
        const box = part.getBoundingClientRect();
        return box.width && !part.closest(".unseen, .scroll > *")
            && (box.left < left - 1 || box.right > right + 1);
    }}).map((part) => part.outerHTML.slice(0, 80));
}}"""

# letters below 11 px, and indices below 8.5
SMALL_TEXT = f"""(element) => {SHADOW}.flatMap((part) => {{
    const written = [...part.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (!written || !part.getClientRects().length) return [];
    const {{ a, b }} = part.getScreenCTM?.() ?? {{ a: 1, b: 0 }};
    const size = parseFloat(getComputedStyle(part).fontSize) * Math.hypot(a, b); // words may stand
    const least = part.matches("sub, .index, sub *") ? 8.5 : 10.9;
    return size < least ? [`${{size}} px: ${{part.textContent}}`] : [];
}})"""


@pytest.mark.parametrize("name", FIGURES)
@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark"), (320, "light")])
def test_playing_moves_nothing_and_nothing_sticks_out(page, site, name, width, scheme):
    """Whatever is pressed: the same height, nothing cut off, letters that can be read, no axe."""
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    figure = opened(page, site, name)
    page.add_script_tag(path=str(AXE))
    heights = {round(figure.bounding_box()["height"])}
    for control in play(figure):
        heights.add(round(figure.bounding_box()["height"]))
        assert len(heights) == 1, f"moved by {control.evaluate('control => control.outerHTML')}"
    for summary in figure.locator("summary").all():
        summary.press("Enter")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert figure.evaluate(OUTSIDE) == []
    assert figure.evaluate(SMALL_TEXT) == []
    assert violations(page, f"unrolled-{name}") == []


@pytest.mark.parametrize("name", FIGURES)
def test_the_keyboard_reaches_all_and_shows_where_it_is(page, site, name):
    figure = opened(page, site, name)
    expected = controls(figure)
    expected[0].focus()
    reached = []
    active = f"document.querySelector('unrolled-{name}').shadowRoot.activeElement"
    while page.evaluate(f"Boolean({active})") and len(reached) < 200:
        outline = page.evaluate(f"getComputedStyle({active}).outlineStyle")
        assert outline != "none", page.evaluate(f"{active}.outerHTML")
        reached.append(page.evaluate(f"{active}.outerHTML"))
        page.keyboard.press("Tab")
    assert len(reached) == len(expected)


@pytest.mark.parametrize("name", FIGURES)
def test_drawings_are_told_in_words(page, site, name):
    figure = opened(page, site, name)
    untold = figure.locator("svg:not([aria-hidden=true], [role=img][aria-label])")
    assert untold.count() == 0
    for drawing in figure.locator("svg[role=img]").all():
        assert len(drawing.get_attribute("aria-label").split()) >= 5
    assert len(figure.locator(".status[aria-live]").text_content().split()) >= 4


PAINT = f"""(element) => {SHADOW}.flatMap((part) => {{
    const style = getComputedStyle(part);
    if (part.matches("input, option, svg :not(:empty)")) return [];
    const paints = part.matches("svg *") ? [style.fill, style.stroke]
        : [style.color, style.backgroundColor, style.borderTopColor];
    return paints.map((paint) => [part.outerHTML.slice(0, 80), paint]);
}})"""
UNPAINTED = {"none", "rgba(0, 0, 0, 0)"}


@pytest.mark.parametrize("name", FIGURES)
def test_every_colour_follows_the_page(page, site, name):
    figure = opened(page, site, name)
    painted = []
    for theme in ("light", "dark"):
        page.evaluate("theme => document.documentElement.dataset.theme = theme", theme)
        painted.append(figure.evaluate(PAINT))
    assert len(painted[0]) > 10
    fixed = [one for one, other in zip(*painted, strict=True) if one == other]
    assert [part for part, paint in fixed if paint not in UNPAINTED] == []


# what stands out from its surroundings by the colour of its background alone
FILLED = f"""(element) => {SHADOW}.map((part) => {{
    const ground = (one) => getComputedStyle(one).backgroundColor;
    const style = getComputedStyle(part), box = part.getBoundingClientRect();
    let around = part.parentElement;
    while (around && ground(around) === "rgba(0, 0, 0, 0)") around = around.parentElement;
    const seen = around && box.width && ground(part) !== "rgba(0, 0, 0, 0)"
        && ground(part) !== ground(around);
    const lined = style.borderTopStyle !== "none" || style.outlineStyle !== "none";
    const mute = !part.textContent.trim() && !part.matches("svg *, input, select");
    return {{ part: part.outerHTML.slice(0, 80), seen: mute && (seen || lined) }};
}})"""


@pytest.mark.parametrize("name", FIGURES)
def test_no_bar_vanishes_in_forced_colours(page, site, name):
    """What is seen by its colour is seen in the reader's own colours too."""
    page.emulate_media(reduced_motion="reduce")
    figure = opened(page, site, name)
    plain = figure.evaluate(FILLED)
    page.emulate_media(forced_colors="active")
    page.wait_for_function("matchMedia('(forced-colors: active)').matches")
    forced = figure.evaluate(FILLED)
    pairs = zip(plain, forced, strict=True)
    assert [one["part"] for one, other in pairs if one["seen"] and not other["seen"]] == []


WEIGHTS = [name for name in FIGURES if "static weights" in (FOLDER / f"{name}.js").read_text()]


@pytest.mark.parametrize("name", WEIGHTS)
def test_weights_wait_until_they_are_wanted(site, page, name):
    """They are fetched once: when the reader comes near; above 50 KB, when something is pressed."""
    asked = []
    page.on("request", lambda request: asked.append(request.url))

    def push_down(route):
        answer = route.fetch()
        tall = f"<div style='height: 5000px'></div><unrolled-{name}"
        route.fulfill(response=answer, body=answer.text().replace(f"<unrolled-{name}", tall, 1))

    address = address_of(site, name)
    page.route(address, push_down)
    page.goto(address)
    figure = page.locator(f"unrolled-{name}").first
    figure.locator(".card").wait_for()
    [weights, heavy] = figure.evaluate(
        "({ constructor }) => [constructor.weights, constructor.heavy]"
    )
    size = len(gzip.compress((FOLDER / weights).read_bytes()))
    assert heavy == (size > HEAVY), f"{weights} has {size} bytes over the wire"
    page.wait_for_timeout(300)
    fetched = [url for url in asked if weights in url]
    assert not fetched
    figure.scroll_into_view_if_needed()
    if heavy:
        page.wait_for_timeout(300)
        assert not [url for url in asked if weights in url]
        figure.locator("button, input, select").first.click()
    figure.locator(".card:not([aria-busy])").wait_for()
    fetched = [url for url in asked if weights in url]
    assert len(fetched) == 1 and re.search(r"\?v=\w+$", fetched[0]), (
        "without a version, an old one is kept"
    )


@pytest.mark.parametrize("name", WEIGHTS)
def test_a_failed_fetch_is_said_and_tried_again(site, browser, name):
    context = browser.new_context()
    page = context.new_page()
    page.route("**/figures/*.json*", lambda route: route.abort())
    page.goto(address_of(site, name))
    figure = page.locator(f"unrolled-{name}").first
    figure.scroll_into_view_if_needed()
    first = figure.locator("button, input, select").first
    if figure.evaluate("element => element.constructor.heavy"):  # others ask as one comes near
        first.press("Shift")
    figure.locator(".status", has_text="could not be fetched").wait_for()
    page.unroute("**/figures/*.json*")
    first.press("Shift")
    figure.locator(".card:not([aria-busy])").wait_for()
    context.close()


# the setting, once the address says the same
WRITTEN = """(name) => {
    const { setting } = document.querySelector(`unrolled-${name}`);
    const told = Object.entries(setting).map((pair) => pair.join(":")).join(",");
    const address = new URLSearchParams(location.search).get(name) ?? "";
    return told === address && JSON.stringify(setting);
}"""


@pytest.mark.parametrize("name", FIGURES)
def test_nonsense_in_the_address_is_said(site, page, name):
    """And whatever a figure writes there, it can read."""
    address = address_of(site, name)
    page.goto(f"{address}?{name}=nonsense:1")
    figure = page.locator(f"unrolled-{name}").first
    if not figure.evaluate("element => Boolean(element.constructor.address)"):
        pytest.skip("this figure writes nothing there")
    figure.scroll_into_view_if_needed()
    wake(page, figure)
    assert "address of this page asks for" in figure.locator(".status").text_content()

    figure = opened(page, site, name)
    for _ in play(figure):
        pass
    # it is written when nothing has moved for a while
    written = page.wait_for_function(WRITTEN, arg=name).json_value()
    assert written != "{}"
    page.reload()
    figure.scroll_into_view_if_needed()
    wake(page, figure)
    assert figure.evaluate("element => JSON.stringify(element.setting)") == written


@pytest.mark.parametrize("name", FIGURES)
def test_links_in_the_text_ask_for_what_can_be_shown(page, site, name):
    """Every {play} of every page."""
    for path in HTML.glob("*.html"):
        links = re.findall(rf'href="\?{name}=[^"]*"', path.read_text())
        if links:
            page.goto(f"{site}/{path.name}")
            figure = opened_here(page, name)
        for link in links:
            page.locator(f"article a[{link}]").first.click()
            assert figure.locator(".card").evaluate("card => card.matches(':focus')"), link
            assert "asks for" not in figure.locator(".status").text_content(), link


def test_every_picture_can_be_seen_large(browser, site):
    """On a phone a figure takes the whole width, and a word below it says that it can be larger."""
    for path in HTML.glob("[0-9][0-9]_*.html"):
        html = path.read_text()
        pictures = re.findall(r'<a class="enlarge" href="([^"]+)"><img[^>]* src="([^"]+)"', html)
        assert len(pictures) == html.count("<img ") and all(link == src for link, src in pictures)
    context = browser.new_context(viewport={"width": 390, "height": 800})
    page = context.new_page()
    page.goto(f"{site}/02_cell.html")
    picture = page.locator("article .enlarge").first
    shown = picture.locator("img").bounding_box()["width"]
    assert shown == 390 and picture.get_by_text("Enlarge").is_visible()
    page.set_viewport_size({"width": 1280, "height": 800})
    assert not picture.get_by_text("Enlarge").is_visible()
    page.set_viewport_size({"width": 390, "height": 800})
    picture.press("Enter")
    page.wait_for_url("**.png")
    width = "image => image.decode().then(() => image.naturalWidth)"
    assert page.locator("img").evaluate(width) > 2 * shown
    context.close()
