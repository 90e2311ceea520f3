"""What theme/figures/figure.js and svg.js do for every figure, on figures made for the purpose."""

from __future__ import annotations

import pytest
from browser import resize, settle, stop_clock
from browsing import ROOT, hold
from playwright.sync_api import expect

HEAD = (ROOT / "theme" / "figures" / "figure.js").read_text().split("\n\n")[0]
# the worked example at the head of figure.js
FADING = "\n".join(
    line[3:].removeprefix("    ") for line in HEAD.splitlines() if line[3:].startswith("    ")
)
WALK = """
import { Figure, player } from "./figure.js";
class Walk extends Figure {
  build() {
    this.player = player({ T: 3, t: 1, onMove: () => this.update() });
    return [this.player.element];
  }
  render() { this.say(`now at ${this.player.t}`); }
}
Walk.define("walk");
"""
HEAVY = """
import { Figure } from "./figure.js";
import { slider } from "./svg.js";
class Heavy extends Figure {
  static weights = "heavy.json";
  static heavy = true;
  build() {
    const onInput = () => this.update();
    this.slider = slider({ label: "n", min: 0, max: 9, step: 1, value: 1, onInput });
    return [this.slider.element];
  }
  loaded(model) { this.factor = model.factor; }
  render() { this.say(`the product is ${this.factor * this.slider.input.value}`); }
}
Heavy.define("heavy");
"""
EARLY = """
import { field, Figure } from "./figure.js";
import { buttonRow, choice, html, slider, toggle } from "./svg.js";
class Early extends Figure {
  static weights = "heavy.json";
  static heavy = true;
  build() {
    const hear = (name) => (value) => { this.now[name] = value; this.update(); };
    const press = () => { this.now.presses = (this.now.presses ?? 0) + 1; this.update(); };
    this.select = html("select", { onchange: () => hear("select")(this.select.value) },
      html("option", {}, "a"), html("option", {}, "b"));
    this.slider = slider({ label: "n", min: 0, max: 9, step: 1, value: 1, onInput: hear("n") });
    const options = [["x", "x"], ["y", "y"]];
    this.choice = choice({ legend: "c", options, value: "x", onChange: hear("c") });
    this.toggle = toggle({ label: "Toggle", onChange: hear("on") });
    const onInput = (text) => this.ready && hear("words")(text);
    this.field = field({ label: "Words", value: "one", onInput });
    return [this.select, this.slider.element, this.choice.element, this.toggle.element,
      ...this.field.elements, buttonRow("Row", [{ label: "Press", onClick: press }]).element];
  }
  loaded() { this.ready = true; }
  static address = {};
  get setting() { return this.now; }
  set setting(given) {
    this.now = given;
    this.slider.set(1);
    this.choice.set("x");
    this.toggle.set(false);
    this.field.set("one");
    this.select.value = "a";
  }
  now = {};
  render() { this.say(`now ${JSON.stringify(this.now)}`); }
}
Early.define("early");
"""
PULL = """
import { Figure } from "./figure.js";
import { drag, svg } from "./svg.js";
class Pull extends Figure {
  value = 0;
  build() {
    this.drawing = svg("svg", { height: 300 });
    let before;
    drag(this.drawing, {
      start: () => { before = this.value; },
      move: (name, pixels) => { this.value = before + pixels; this.update(); },
    });
    return [this.drawing];
  }
  render(width) { // drawn anew under the pointer
    this.drawing.setAttribute("viewBox", `0 0 ${width} 300`);
    this.drawing.replaceChildren(
      svg("rect", { width: 100, height: 300, "data-drag": "handle" }),
      svg("rect", { x: 120, width: 100, height: 300 }));
    this.say(`pulled by ${this.value}`);
  }
}
Pull.define("pull");
"""
WRITE = """
import { field, Figure, wordsOf } from "./figure.js";
class Write extends Figure {
  words = ["a"];
  build() {
    const index = new Map([["a", 0], ["b", 1]]);
    this.text = field({ label: "Words", value: "a", onInput: (text) => {
      this.words = wordsOf(text, index, 3, "line");
      this.update();
    } });
    return this.text.elements;
  }
  render() { this.say(`read: ${this.words.join(" ")}`); }
}
Write.define("write");
"""


@pytest.fixture
def show(site, page):
    """Puts a figure into a page, from the text of its script."""

    def run(name, script):
        page.goto(f"{site}/start.html")
        page.evaluate(
            """([name, text]) => {
                document.querySelector("article").prepend(document.createElement(name));
                const script = Object.assign(document.createElement("script"), { type: "module" });
                script.textContent = text;
                document.head.append(script);
            }""",
            [f"unrolled-{name}", script.replace('"./', f'"{site}/_static/figures/')],
        )
        figure = page.locator(f"unrolled-{name}")
        figure.locator(".status:not(:empty)").wait_for()
        return figure

    return run


def said(figure) -> str:
    return figure.locator(".status").text_content()


def button(figure, name):
    return figure.get_by_role("button", name=name, exact=True)


def test_the_example_at_its_head_runs(show):
    figure = show("fading", FADING)
    assert figure.locator("rect").count() == 4
    assert figure.locator("input").input_value() == "0.8"
    figure.locator("input").press("Home")
    assert "0.00 of the input is left" in said(figure)
    wide = figure.locator("svg").get_attribute("viewBox")
    resize(figure.page, 400)
    narrow = figure.locator("svg").get_attribute("viewBox")
    assert int(narrow.split()[2]) < int(wide.split()[2]), "a new width is drawn anew"


def test_heavy_weights_are_fetched_at_the_first_key_or_press(show):
    figure = show("heavy", HEAVY)
    page = figure.page
    asked = []

    def answer(route):
        asked.append(route.request.url)
        route.fulfill(json={"factor": 7})

    page.route("**/figures/heavy.json*", answer)
    page.wait_for_timeout(300)
    assert not asked
    assert said(figure) == "The network is fetched when you press something here."
    figure.locator("input").press("ArrowRight")
    figure.locator(".status", has_text="the product is 14").wait_for()
    figure.locator("input").press("ArrowRight")
    assert said(figure) == "the product is 21"
    assert len(asked) == 1


def test_what_is_used_before_the_weights_came_counts_once_they_are_there(show):
    figure = show("early", EARLY)
    asked = hold(figure.page, "**/figures/heavy.json*")
    figure.get_by_role("textbox").fill("two")
    figure.locator("select").select_option("b")
    button(figure, "Press").press("Enter")
    assert said(figure) == "The network is being fetched."
    button(figure, "Toggle").press("Enter")
    figure.locator("input[type=range]").press("End")
    figure.locator("input[type=radio]").last.check()
    button(figure, "Press").press("Enter")  # again, since nothing was to be seen
    asked().fulfill(json={})
    figure.locator(".card:not([aria-busy])").wait_for()
    now = {"words": "two", "select": "b", "on": True, "n": 9, "c": "y", "presses": 1}
    assert figure.evaluate("element => element.now") == now
    assert said(figure).startswith("now ")
    shown = figure.locator("input[type=text], input[type=range], select").all()
    assert [control.input_value() for control in shown] == ["b", "9", "two"]
    assert figure.locator("input[type=radio]").last.is_checked()
    assert button(figure, "Toggle").get_attribute("aria-pressed") == "true"
    button(figure, "Press").press("Enter")
    assert figure.evaluate("element => element.now.presses") == 2, "from now on at once"


def test_a_link_of_the_page_plays_its_setting_without_loading_the_page(show):
    figure = show("fading", FADING)
    page = figure.page
    page.evaluate(
        """window.here = true;
           const link = "<p><a href='?fading=w:0.5#there'>so</a></p>";
           document.querySelector("article").insertAdjacentHTML("beforeend", link);"""
    )
    page.locator("article a", has_text="so").last.click()
    assert figure.locator("input").input_value() == "0.5"
    assert page.evaluate("location.href").endswith("?fading=w:0.5#there")
    assert page.evaluate("window.here"), "the page was loaded again"
    assert figure.locator(".card").evaluate("card => card.matches(':focus')")
    assert 0 <= figure.bounding_box()["y"] < 400, "the figure is in sight"
    page.go_back()
    expect(figure.locator("input")).to_have_value("0.8")
    page.go_forward()
    expect(figure.locator("input")).to_have_value("0.5")


def test_the_setting_is_written_into_the_address_and_can_be_copied(show):
    figure = show("fading", FADING)
    page = figure.page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.evaluate("history.replaceState(null, '', '?other=1')")
    assert "fading" not in page.evaluate("location.href"), (
        "nothing is written before the reader has moved anything"
    )
    figure.locator("input").press("ArrowLeft")
    page.wait_for_url("**?other=1&fading=w:0.7")
    figure.locator("input").press("ArrowLeft")
    button(figure, "Copy a link to this setting").press("Enter")
    figure.locator(".status", has_text="The link to this setting is copied.").wait_for()
    assert page.evaluate("navigator.clipboard.readText()").endswith("?other=1&fading=w:0.6")
    for _ in range(2):
        figure.locator("input").press("ArrowRight")
    page.wait_for_url("**?other=1")


@pytest.mark.parametrize(
    ("asked", "problem"),
    [
        ("w:2", "w is “2”, but must be a number from 0 to 1"),
        ("w:", "w is “”, but must be a number from 0 to 1"),
        ("w:wide", "w is “wide”, but must be a number from 0 to 1"),
        ("constructor:1", "“constructor” is not known here"),
    ],
)
def test_an_address_that_asks_for_nonsense_is_named(show, asked, problem):
    figure = show("fading", FADING)
    figure.page.evaluate(
        "asked => { history.pushState(null, '', asked); dispatchEvent(new Event('popstate')); }",
        f"?fading={asked}",
    )
    assert problem in said(figure)
    assert figure.locator("input").input_value() == "0.8"
    figure.locator("input").press("Home")
    assert problem not in said(figure)


def test_time_moves_both_ways_and_stops_at_its_ends(show):
    figure = show("walk", WALK)
    step, back = button(figure, "Step"), button(figure, "Back")
    for expected in (2, 3, 3):
        step.press("Enter")
        assert said(figure) == f"now at {expected}"
    assert step.get_attribute("aria-disabled") == "true"
    assert step.evaluate("node => node.matches(':focus')"), "the focus must stay where it was"
    back.press("Space")
    assert said(figure) == "now at 2"
    assert step.get_attribute("aria-disabled") == "false"
    button(figure, "Reset").press("Enter")
    assert said(figure) == "now at 0"
    assert back.get_attribute("aria-disabled") == "true"


def test_play_walks_through_time_pauses_and_ends(show):
    figure = show("walk", WALK)
    clock = figure.page.clock
    stop_clock(figure.page)
    button(figure, "Reset").press("Enter")
    button(figure, "Play").press("Enter")
    seen = [said(figure)]
    clock.run_for(900)
    seen.append(said(figure))
    button(figure, "Pause").press("Enter")
    clock.run_for(5000)
    assert [*seen, said(figure)] == ["now at 1", "now at 2", "now at 2"]
    button(figure, "Play").press("Enter")
    clock.run_for(5000)
    assert said(figure) == "now at 3"
    assert button(figure, "Play").count() == 1


def test_less_motion_means_the_end_at_once(show):
    figure = show("walk", WALK)
    figure.page.emulate_media(reduced_motion="reduce")
    button(figure, "Play").press("Enter")
    assert said(figure) == "now at 3"
    assert button(figure, "Play").count() == 1


def test_what_cannot_be_read_is_named_below_the_line_and_the_last_words_stand(show):
    figure = show("write", WRITE)
    line, alert = figure.get_by_role("textbox", name="Words"), figure.get_by_role("alert")
    line.fill("B, a!")
    assert said(figure) == "read: b a" and alert.text_content() == ""
    for text, problem in (
        ("b c d", "The network does not know “c”."),
        (" ", "A line has at least one word."),
        ("a a b b", "The line has 4 words, but may have at most 3."),
    ):
        line.fill(text)
        assert alert.text_content() == problem and said(figure) == "read: b a"
        assert line.get_attribute("aria-invalid") == "true"
    line.fill("b")
    assert said(figure) == "read: b" and alert.text_content() == ""
    assert line.get_attribute("aria-invalid") == "false"


def test_a_part_is_dragged_although_it_is_drawn_anew_meanwhile(show):
    figure = show("pull", PULL)
    settle(figure.page)  # nothing below the pointer moves any more
    mouse, box = figure.page.mouse, figure.locator("[data-drag]").bounding_box()
    mouse.move(box["x"] + 50, box["y"] + 200)
    mouse.down()
    for way in (10, 30):
        mouse.move(box["x"] + 400, box["y"] + 200 - way)
        assert said(figure) == f"pulled by {way}"
    mouse.up()
    mouse.move(box["x"] + 50, box["y"])
    assert said(figure) == "pulled by 30"


def test_a_finger_on_such_a_part_does_not_scroll_the_page(show):
    figure = show("pull", PULL)
    page = figure.page
    settle(page)
    touch = page.context.new_cdp_session(page)

    def swipe(part):
        box = figure.locator("rect").nth(part).bounding_box()
        x, y = box["x"] + 50, box["y"] + 200
        for kind, way in (("Start", 0), ("Move", 20), ("Move", 60), ("End", None)):
            points = [] if way is None else [{"x": x, "y": y - way}]
            touch.send("Input.dispatchTouchEvent", {"type": f"touch{kind}", "touchPoints": points})

    swipe(0)
    page.wait_for_function(
        "element => element.status.textContent === 'pulled by 60'", arg=figure.element_handle()
    )
    assert page.evaluate("scrollY") == 0
    swipe(1)
    page.wait_for_function("scrollY > 30")
    assert said(figure) == "pulled by 60"
