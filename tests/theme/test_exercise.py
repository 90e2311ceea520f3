"""An exercise solved in its page: typed, run, kept, taken along and handed in."""

from __future__ import annotations

import csv
import gzip
import json
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from browser import resize
from browsing import AXE, HTML, ROOT, violations, watch
from exercises import HIDDEN, SLUGS, solved
from lab import released, runtime, solutions
from playwright.sync_api import expect

SLUG = SLUGS[1]
FIRST, SECOND = list(solutions(SLUG))[:2]
WORDS = next(
    cell.id for cell in solved(SLUG).cells if cell.marks.get("solution") and cell.kind == "markdown"
)
TYPED = "My own words, and a “quotation”.\nTwo lines."

pytestmark = pytest.mark.skipif(not runtime(), reason="no Python for the browser is here")


def visit(browser: Any, site: str, **how: Any) -> Any:
    """A page of its own, whose storage is empty; `problems` fills with what must not be."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, **how)
    page = context.new_page()
    page.problems = watch(page, site)
    page.goto(f"{site}/exercises/{SLUG}.html")
    return page


def cell(page: Any, name: str) -> Any:
    return page.locator(f".lab[data-cell={name}]")


def type_in(page: Any, name: str, text: str) -> None:
    """As a reader would, with the keys; pasted, since the editor indents by itself."""
    cell(page, name).locator(".cm-content").focus()
    page.keyboard.press("Control+A")
    page.keyboard.insert_text(text)


def kept(page: Any) -> dict[str, Any]:
    """The work in the browser's storage."""
    return page.evaluate(
        """() => JSON.parse(Object.entries(localStorage)
             .find(([key]) => key.startsWith("unrolled:exercise:"))[1])"""
    )


def wait_for_rest(page: Any) -> None:
    """Until nothing runs, and nothing is to run next."""
    page.wait_for_selector("#lab-bar >> text=Python is ready.")


def has_points(page: Any, points: int) -> None:
    expect(page.locator(".lab-score")).to_have_text(re.compile(f"^{points} of "))


@pytest.fixture(scope="module")
def desk(browser, site: str) -> Iterator[Any]:
    """A page whose Python is started once; the tests below go on where the one before ended."""
    page = visit(browser, site)
    page.click("text=Start Python")
    wait_for_rest(page)
    yield page
    page.context.close()
    assert not page.problems


def test_a_wrong_answer_is_told_why_and_a_right_one_its_points(desk):
    right = solutions(SLUG)[FIRST]
    type_in(desk, FIRST, right.replace("W_h.T", "W_h"))
    desk.keyboard.press("Control+Enter")
    cell(desk, FIRST).locator("text=Likely cause: W_h is transposed").wait_for()
    assert "Not right yet: 0 of 5 points" in cell(desk, FIRST).inner_text()
    wait_for_rest(desk)
    type_in(desk, FIRST, right)
    desk.keyboard.press("Control+Enter")
    cell(desk, FIRST).locator("text=Right: 5 of 5 points").wait_for()
    wait_for_rest(desk)
    assert "other numbers come when it is marked" in cell(desk, FIRST).inner_text()
    has_points(desk, 5)
    heading = cell(desk, FIRST).locator("xpath=preceding::h2[1]")
    assert "done" in heading.text_content()
    assert desk.locator(".outline .lab-done").count() == 1
    chapter = desk.context.new_page()
    chapter.goto(desk.url.replace("exercises/", ""))
    assert re.search(r"Done in this browser: 1 of \d+ exercises", chapter.inner_text("#exercise"))
    chapter.close()
    # what is changed is not done any more
    type_in(desk, FIRST, right + "\n# once more")
    has_points(desk, 0)
    assert desk.locator(".lab-done").count() == 0
    # nor what is changed while it runs
    desk.keyboard.press("Control+Enter")
    desk.keyboard.insert_text(" # and once more")
    cell(desk, FIRST).locator("text=Right: 5 of 5 points").wait_for()
    wait_for_rest(desk)
    has_points(desk, 0)


def test_the_bar_says_how_many_points_are_marked_by_hand(browser, site):
    """Together with those of the tests they are what the exercise promises; on a phone, too."""
    page = visit(browser, site)
    page.set_viewport_size({"width": 390, "height": 844})
    without = 0
    for slug in SLUGS:
        page.goto(f"{site}/exercises/{slug}.html")
        told = page.inner_text(".lab-score")
        found = re.fullmatch(r"0 of (\d+) points(?:\n\+ (\d+) marked by hand)?", told)
        assert found, f"{slug}: {told!r}"
        by_hand = page.locator(".lab[data-kind=words]").count()
        assert bool(found[2]) == bool(by_hand), slug
        without += not by_hand
        promised = re.search(r"That is (\d+) points", page.inner_text("article"))
        assert int(found[1]) + int(found[2] or 0) == int(promised[1]), slug
        bar = page.locator("#lab-bar").evaluate("bar => [bar.scrollWidth, bar.clientWidth]")
        assert bar[0] <= bar[1], f"{slug}: {bar}"
    assert without < len(SLUGS)
    page.context.close()
    assert not page.problems


def test_what_is_pressed_while_a_cell_runs_runs_next(desk):
    right = solutions(SLUG)[FIRST]
    type_in(desk, FIRST, "import time; time.sleep(2)\n" + right.replace("W_h.T", "W_h"))
    desk.keyboard.press("Control+Enter")
    type_in(desk, FIRST, right)
    desk.keyboard.press("Control+Enter")
    cell(desk, FIRST).locator("text=Right: 5 of 5 points").wait_for()
    wait_for_rest(desk)
    assert "Not right yet" not in cell(desk, FIRST).inner_text()
    has_points(desk, 5)


def test_a_cell_above_that_has_changed_runs_before_the_test(desk):
    type_in(desk, FIRST, solutions(SLUG)[FIRST])
    type_in(desk, SECOND, solutions(SLUG)[SECOND])
    cell(desk, SECOND).locator("text=Run and test").click()
    cell(desk, SECOND).locator(".lab-right").wait_for()
    wait_for_rest(desk)


def test_stop_ends_a_cell_and_python_comes_back(desk):
    cell(desk, FIRST).locator("text=Scratch cell").click()
    desk.keyboard.insert_text("import itertools\nprint('begun')\nsum(itertools.count())")
    desk.keyboard.press("Control+Enter")
    desk.wait_for_selector("#lab-bar >> text=Running scratch-")
    desk.click("#lab-bar >> text=Stop")
    desk.wait_for_selector(".lab-scratch >> text=You stopped it.")
    wait_for_rest(desk)
    cell(desk, SECOND).locator("text=Run and test").click()
    wait_for_rest(desk)
    assert cell(desk, SECOND).locator(".lab-right").count() == 1
    desk.click(".lab-scratch .cm-content")
    desk.keyboard.press("Control+A")
    desk.keyboard.insert_text(f"# mine\n{FIRST}.__name__")
    desk.keyboard.press("Control+Enter")
    desk.wait_for_selector(f'.lab-scratch .lab-out:has-text("{FIRST}")')
    wait_for_rest(desk)


def test_a_hint_is_offered_after_three_tries(desk):
    third = list(solutions(SLUG))[2]
    for tries in range(1, 4):
        cell(desk, third).locator("text=Run and test").click()
        desk.wait_for_function(
            "([id, tries]) => Object.entries(localStorage).some(([key, text]) =>"
            " key.startsWith('unrolled:exercise') && JSON.parse(text).tries[id] === tries)",
            arg=[third, tries],
        )
        wait_for_rest(desk)
        assert cell(desk, third).locator("text=Show the hint").count() == (tries == 3)
    cell(desk, third).locator("text=Show the hint").click()
    assert desk.evaluate("document.activeElement.closest('details').open")


def test_a_picture_appears_below_its_cell(desk):
    drawing = next(c for c in released(SLUG)["cells"] if c["id"].startswith("plot_"))["id"]
    for name, source in solutions(SLUG).items():
        type_in(desk, name, source)
    cell(desk, drawing).locator("text=Run").click()
    cell(desk, drawing).locator("img").wait_for()
    width = "image => image.decode().then(() => image.naturalWidth)"
    assert cell(desk, drawing).locator("img").evaluate(width) > 300
    wait_for_rest(desk)


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_at_work_the_page_is_accessible_and_fits(desk, scheme, width):
    """With editors, verdicts, a picture and a scratch cell in it."""
    if not desk.evaluate("'axe' in window"):
        desk.add_script_tag(path=AXE)
    desk.emulate_media(color_scheme=scheme)
    desk.wait_for_function(f"document.documentElement.dataset.theme === '{scheme}'")
    resize(desk, width)
    assert violations(desk) == []
    first = cell(desk, FIRST).locator(".cm-editor")
    first.locator(".cm-content").focus()
    shade = first.evaluate("e => getComputedStyle(e).backgroundColor")
    assert shade == cell(desk, "imports").locator(".highlight").evaluate(
        "e => getComputedStyle(e).backgroundColor"
    ), "also while one writes in it"
    assert desk.evaluate("document.documentElement.scrollWidth") <= width


def test_typed_reloaded_downloaded_and_marked(desk, tmp_path):
    """The file of the page earns what the same answers earn that were typed in Jupyter."""
    answers = solutions(SLUG)
    slip = list(answers)[3]
    answers[slip] = answers[slip].replace("W_y.T", "W_y")
    for name, source in answers.items():
        type_in(desk, name, source)
    cell(desk, FIRST).locator("text=Scratch cell").click()
    desk.keyboard.press("Control+A")
    desk.keyboard.insert_text("# mine")
    desk.fill(f".lab[data-cell={WORDS}] textarea", TYPED)
    desk.wait_for_function(
        "() => Object.values(localStorage).some((text) => text.includes('quotation'))"
    )
    desk.reload()
    shown = cell(desk, slip).locator("pre").first.text_content()
    assert shown == answers[slip], "the work is there again before Python or the editor is"
    assert desk.input_value(f".lab[data-cell={WORDS}] textarea") == TYPED
    with desk.expect_download() as got:
        desk.click("#lab-files button >> nth=0")
    assert got.value.suggested_filename == f"{SLUG}.ipynb"
    got.value.save_as(tmp_path / "ada_1_2.ipynb")
    mine = json.loads((tmp_path / "ada_1_2.ipynb").read_text(encoding="utf-8"))

    typed = released(SLUG)
    for one in typed["cells"]:
        if one["id"] in answers or one["id"] == WORDS:
            one["source"] = answers.get(one["id"], TYPED).splitlines(keepends=True)
    scratch = [one for one in mine["cells"] if one["id"].startswith("scratch-")]
    assert ["".join(one["source"]) for one in scratch] == ["# mine"]
    assert [one for one in mine["cells"] if one not in scratch] == typed["cells"]
    assert mine["metadata"] == typed["metadata"]

    if shutil.which("bwrap") is None:
        pytest.skip("marking needs Debian's package bubblewrap")
    shutil.copy(ROOT / "nbgrader_config.py", tmp_path)
    for folder in ("solutions", "exercises"):
        shutil.copytree(ROOT / folder / SLUG, tmp_path / folder / SLUG)
    with zipfile.ZipFile(tmp_path / "in.zip", "w") as archive:
        archive.write(tmp_path / "ada_1_2.ipynb", f"ada_1_2_{SLUG}.ipynb")
        archive.writestr(f"ben_3_4_{SLUG}.ipynb", json.dumps(typed))
    grade = [sys.executable, "-m", "grading", SLUG, "in.zip"]
    done = subprocess.run(grade, cwd=tmp_path, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    with (tmp_path / "reports" / f"{SLUG}-parts.csv").open() as file:
        ada, ben = ([*row.values()][1:] for row in csv.DictReader(file))
    assert ada == ben and "0" in ada[:-2], (ada, ben)


# ── where the work is ───────────────────────────────────────────────────────


def edit(page: Any, name: str, text: str) -> None:
    cell(page, name).locator("text=Write").click()
    page.wait_for_selector(".cm-content")
    type_in(page, name, text)


def open_notebook(page: Any, content: Any, tmp_path: Path) -> str:
    """What the page says of a file."""
    path = tmp_path / "mine.ipynb"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    page.on("dialog", lambda dialog: dialog.accept())
    page.set_input_files("input[type=file]", path)
    page.wait_for_selector(".lab-notes p")
    return page.inner_text(".lab-notes")


def test_a_notebook_is_read_back_and_what_is_not_used_is_said(browser, site, tmp_path):
    page = visit(browser, site)
    notebook = released(SLUG)
    for one in notebook["cells"]:
        if one["id"] == FIRST:
            one["source"] = ["mine = 1"]
        if one["id"] == f"test_{FIRST}":
            one["source"] = ["pass"]
    extra = {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None}
    notebook["cells"].append(extra | {"id": f"scratch-{SECOND}", "source": ["tried"]})
    notebook["cells"].append(extra | {"id": "x", "source": ["my_own()"]})
    said = open_notebook(page, notebook, tmp_path)
    assert "my_own()" in said and f"test_{FIRST}" in said and "Not used" in said
    assert kept(page)["cells"] == {FIRST: "mine = 1"}
    assert kept(page)["scratch"] == {SECOND: "tried"}
    for wrong, words in [
        ("{broken", "no notebook, or it is damaged"),
        (released(SLUGS[0]), f"the exercise {SLUGS[0]}"),
        ({"cells": [], "metadata": {}}, "holds no answer"),
    ]:
        assert words in open_notebook(page, wrong, tmp_path)
    assert kept(page)["cells"] == {FIRST: "mine = 1"}, "a wrong file takes nothing away"
    page.context.close()
    assert not page.problems


def test_a_new_release_takes_the_answers_over(browser, site):
    page = visit(browser, site)
    stub = cell(page, FIRST).locator("pre").text_content()
    old = {
        "saved": "2026-01-01",
        "cells": {FIRST: "mine = 1", SECOND: "mine = 2", "gone": "mine = 3"},
        "given": {FIRST: stub, SECOND: "other", "gone": ""},
    }
    name = f"unrolled:exercise:{SLUG}:old"
    page.evaluate("([name, text]) => localStorage.setItem(name, text)", [name, json.dumps(old)])
    page.reload()
    said = page.inner_text(".lab-notes")
    assert "a new release" in said and f"has changed in: {SECOND}." in said and "gone" in said
    assert cell(page, FIRST).locator("pre").first.text_content() == "mine = 1"
    page.context.close()
    assert not page.problems


FULL = "Storage.prototype.setItem = () => { throw new DOMException('full', 'QuotaExceededError'); }"
FORBIDDEN = """Object.defineProperty(window, "localStorage",
    { get() { throw new DOMException("no", "SecurityError"); } });"""


@pytest.mark.parametrize("how", [FULL, FORBIDDEN])
def test_a_storage_that_keeps_nothing_is_said(browser, site, how):
    page = visit(browser, site)
    page.add_init_script(how)
    page.reload()
    edit(page, FIRST, "mine = 1")
    page.wait_for_selector(".lab-notes >> text=This browser keeps nothing of this page")
    with page.expect_download() as got:
        page.click("#lab-files button >> nth=0")
    assert "mine = 1" in Path(got.value.path()).read_text()
    page.context.close()
    assert not page.problems


# ── without this or that ────────────────────────────────────────────────────


def test_without_python_one_can_still_write_and_is_told(browser, site):
    page = visit(browser, site)
    page.route(
        f"**/{SLUG}.html",
        lambda route: route.fulfill(
            body=re.sub(
                r'"python": "[^"]*"', '"python": ""', (HTML / f"exercises/{SLUG}.html").read_text()
            ),
            content_type="text/html",
        ),
    )
    page.reload()
    assert "has no Python" in page.inner_text("#lab-bar")
    assert page.locator("text=Run and test").count() == 0
    edit(page, FIRST, "mine = 1")
    page.context.close()
    assert not page.problems


def test_without_a_network_it_says_so_and_can_be_tried_again(browser, site):
    page = visit(browser, site)
    page.route("**/pyodide.asm.wasm", lambda route: route.abort())
    page.click("text=Start Python")
    page.wait_for_selector("#lab-bar >> text=Python did not start")
    page.unroute("**/pyodide.asm.wasm")
    page.click("text=Try again")
    wait_for_rest(page)
    page.context.close()


def test_without_a_script_all_can_be_read(browser, site):
    page = visit(browser, site, java_script_enabled=False)
    text = page.inner_text("article")
    assert "raise NotImplementedError" in text and "needs" not in page.inner_text("h1")
    assert page.locator("noscript p, p.admonition").first.is_visible()
    assert page.locator(".katex-html").count() > 20 and not page.is_visible("#lab-bar")
    page.context.close()


def test_by_keyboard_alone(browser, site):
    page = visit(browser, site)
    button = cell(page, FIRST).locator("text=Write")
    button.focus()
    page.keyboard.press("Enter")
    page.wait_for_function("document.activeElement.matches('.cm-content')")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.matches('.cm-content')"), "Tab indents"
    page.clock.set_fixed_time("2026-01-01")  # Escape counts for two seconds only
    page.keyboard.press("Escape")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Run and test"
    page.keyboard.press("Enter")
    cell(page, FIRST).locator(".lab-wrong").wait_for()
    page.context.close()
    assert not page.problems


# ── what it weighs, and what it must not hold ───────────────────────────────


@pytest.mark.parametrize("slug", SLUGS)
def test_a_page_is_light_before_the_press(browser, site, slug):
    context = browser.new_context()
    page = context.new_page()
    session = context.new_cdp_session(page)
    session.send("Network.enable")
    sizes: list[float] = []
    session.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    page.goto(f"{site}/exercises/{slug}.html", wait_until="networkidle")
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    page.wait_for_load_state("networkidle")
    assert 20_000 < sum(sizes) < 120_000
    context.close()


def test_python_is_light_up_to_the_first_run(html):
    rnnlib = Path(html, "exercises", "rnnlib.pack").stat().st_size
    wire = [
        size for name, (_, size) in runtime().items() if name[:5] == "numpy" or name[-4:] != ".whl"
    ]
    assert rnnlib + sum(wire) < 9_000_000
    editor = next(html.glob("_static/lab.*/editor.js")).read_bytes()
    assert len(gzip.compress(editor)) < 120_000


def test_nothing_of_a_solution_is_in_page_runtime_or_wheel(html):
    given = "".join("".join(one["source"]) for slug in SLUGS for one in released(slug)["cells"])
    lines = set()
    for one in (cell for slug in SLUGS for cell in solved(slug).cells):
        if one.is_solution or one.is_test:
            hidden = one.source if one.is_solution else one.source.partition(HIDDEN)[2]
            lines |= {line.strip() for line in hidden.splitlines() if line.strip() not in given}
    lines = {line for line in lines if len(line) > 30}
    assert len(lines) > 100
    texts = {
        path: path.read_text()
        for path in [*html.glob("exercises/*.html"), *html.glob("_static/lab.*/*")]
    }
    with zipfile.ZipFile(next(html.glob("exercises/*.whl"))) as archive:
        assert not [name for name in archive.namelist() if not name.startswith("rnnlib")]
    for path, text in texts.items():
        plain = unescape(re.sub(r"<[^>]+>", "", text))
        assert [line for line in lines if line in plain] == [], path
    allowed = set(runtime())
    assert {path.name for path in html.glob("_static/pyodide-*/*")} == allowed
