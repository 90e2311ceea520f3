"""Feedback and the formgrader's view: nothing of a student acts, and formulas need no server."""

from __future__ import annotations

import html
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from browsing import ROOT
from gradebooks import fill, gradebook
from jupyter_lab import jupyter_lab
from nbconvert.filters.highlight import Highlight2HTML
from nbconvert.filters.markdown_mistune import MarkdownWithMath
from nbformat import v4
from pages import problems_of, with_policy

from grading.results import feedback, limited, sanitize
from grading.results.cells import titles
from grading.results.feedback import (
    LONGEST_PAGE,
    FeedbackPage,
    FormgraderPage,
    HideTests,
)
from grading.results.page import render as page_of
from grading.results.sanitize import clean, formula, markdown

PICTURE = (  # one dot
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk"
    "+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
MINE = "document.title = 'mine'"
# each of these changes the title, or loads something, where it is not made harmless
ATTACKS = [
    f"<script>{MINE}</script>",
    f'<img src="x" onerror="{MINE}">',
    f"<svg onload=\"{MINE}\"><circle r='1'/></svg>",
    f"<svg><script>{MINE}</script></svg>",
    f'<iframe srcdoc="<script>parent.{MINE}</script>"></iframe>',
    f'<iframe src="javascript:parent.{MINE}"></iframe>',
    f'<details open ontoggle="{MINE}"><summary>x</summary></details>',
    f'<math><mtext><table><mglyph><style><img src=x onerror="{MINE}"></style></table></math>',
    f"<noscript><p title=\"</noscript><img src=x onerror='{MINE}'>\">",
    f'<a href="javascript:{MINE}" id="bait">click</a>',
    f"[click](javascript:{MINE.replace(' ', '%20')})",
    "[click](data:text/html;base64,PHNjcmlwdD4=)",
    f'$\\text{{<img src=x onerror="{MINE}">}}$',
    f"$\\href{{javascript:{MINE}}}{{x}}$",
    f'![$\\text{{" onerror={MINE.replace(" ", "")} x="}}$](data:image/png;base64,AAAA)',
    '<meta http-equiv="refresh" content="0; url=http://127.0.0.1:9/away">',
    '<link rel="stylesheet" href="http://127.0.0.1:9/style.css">',
    '<style>@import url("http://127.0.0.1:9/style.css"); .total { display: none }</style>',
    '<img src="http://127.0.0.1:9/pixel.png">',
    "![pixel](http://127.0.0.1:9/pixel.png)",
    '<form action="http://127.0.0.1:9/"><button id="send">send</button></form>',
    '<base href="http://127.0.0.1:9/">',
    '<object data="http://127.0.0.1:9/x"></object><embed src="http://127.0.0.1:9/x">',
    '<video src="http://127.0.0.1:9/v.mp4" autoplay></video>',
    '<div style="position:fixed;inset:0;background:url(http://127.0.0.1:9/b.png)">All right</div>',
]


def marks(id: str, **more: Any) -> dict[str, Any]:
    kind = {"grade": False, "solution": False, "task": False, "locked": True, "points": 0}
    return {"nbgrader": {"grade_id": id, "schema_version": 3, **kind, **more}}


def hostile_notebook() -> nbformat.NotebookNode:
    """Every attack as text, as an answer and as an output, among an ordinary notebook."""
    answer = v4.new_markdown_cell("\n\n".join(["My answer.", *ATTACKS]), id="answer")
    answer.metadata = nbformat.from_dict(
        marks("answer", grade=True, solution=True, points=4, score=3, comment="Well argued.")
    )
    code = v4.new_code_cell("def half(x):\n    return x / 2  # <b>\n", id="half")
    code.metadata = nbformat.from_dict(marks("half", solution=True, locked=False))
    code.outputs = [
        v4.new_output("stream", name="stdout", text=f"<script>{MINE}</script>\n\x1b[31mred\x1b[0m"),
        *(v4.new_output("display_data", {"text/html": attack}) for attack in ATTACKS),
        *(v4.new_output("display_data", {"text/markdown": attack}) for attack in ATTACKS),
        v4.new_output("display_data", {"application/javascript": MINE}),
        v4.new_output("display_data", {"image/svg+xml": ATTACKS[3], "text/plain": "svg"}),
        v4.new_output("display_data", {"text/latex": "$\\href{javascript:1}{x}$"}),
        v4.new_output("display_data", {"image/png": PICTURE}),
        v4.new_output("display_data", {"image/png": f'"><script>{MINE}</script>'}),
        v4.new_output(
            "display_data",
            {"text/html": f"<script>parent.{MINE}</script>"},
            metadata={"text/html": {"isolated": True}},
        ),
        v4.new_output(
            "display_data",
            {"image/png": PICTURE},
            metadata={"image/png": {"width": f'1" onload="{MINE}', "alt": '"><script>'}},
        ),
    ]
    test = v4.new_code_cell(
        "assert half(4) == 2\n### BEGIN HIDDEN TESTS\nassert half(7) == 3.5\n### END HIDDEN TESTS",
        id="test_step",
    )
    test.metadata = nbformat.from_dict(marks("test_step", grade=True, points=5, score=0))
    test.metadata.tags = [f'"><script>{MINE}</script>']
    test.outputs = [
        v4.new_output(
            "error",
            ename="Mismatch",
            evalue="half: expected 3.5, got 3.\nLikely cause: it is rounded.",
            traceback=["Traceback", "----> assert half(7) == 3.5", "Mismatch: …"],
        )
    ]
    text = "# The cell\n\n## Why\n\n$$h_t = \\tanh(W_x x_t + W_h h_{t-1} + b)$$\n\nOf $x_t$."
    long = " + ".join([r"0.25 \cdot 0.5"] * 9)
    text += f"\n\nA long line: $h = {long}$."
    notebook = v4.new_notebook(cells=[v4.new_markdown_cell(text), code, test, answer])
    for cell in (code, test):
        cell.metadata["grading"] = {"shown": None}
    notebook.metadata.language_info = {"name": "python"}
    return notebook


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The feedback page of the hostile notebook, as nbgrader writes it."""
    exporter = FeedbackPage()
    exporter.register_preprocessor(HideTests, enabled=True)
    resources = {"nbgrader": {"notebook": "ps1", "score": 3, "max_score": 9, "late_penalty": 0.5}}
    text, _ = exporter.from_notebook_node(hostile_notebook(), resources)
    path = tmp_path_factory.mktemp("feedback") / "ps1.html"
    path.write_text(text, encoding="utf-8")
    return path


def test_parts_have_the_names_that_the_assignment_gives_them() -> None:
    def cell(source: str, **more: Any) -> nbformat.NotebookNode:
        made = (v4.new_code_cell if source.startswith("# Ex") else v4.new_markdown_cell)(source)
        made.metadata = nbformat.from_dict(marks(**more) if more else {})
        return made

    cells = [
        cell("## Exercise 3: two shapes of answer (12 points)\n\nText.\n\n### 3a: all (3 points)"),
        cell("# Exercise 3a, tests: by hand", id="test_a", grade=True),
        cell("### 3b: one answer (many-to-one, 4 points)"),
        cell("# Exercise 3b, tests: by hand", id="test_b", grade=True),
        cell("### In your own words (1 point)"),
        cell("## A heading in an answer", id="why", grade=True, solution=True),
    ]
    names = {"test_a": "Exercise 3a: all", "test_b": "Exercise 3b: one answer"}
    assert titles(cells) == names | {"why": "In your own words"}
    assert titles(cells[1:2]) == {"test_a": "Exercise 3a"}, "the heading was deleted"
    assert titles(cells[5:]) == {"why": "why"}
    text, _ = FeedbackPage().from_notebook_node(v4.new_notebook(cells=cells), {})
    assert '<a href="#test_b">Exercise 3b: one answer</a>' in text


def test_feedback_runs_nothing_and_loads_nothing(browser: Any, page: Path) -> None:
    assert with_policy(browser, page) == ("ps1", [])


def test_feedback_would_be_harmless_without_its_policy_too(browser: Any, page: Path) -> None:
    context = browser.new_context(bypass_csp=True)
    tab = context.new_page()
    requests: list[str] = []
    tab.on("request", lambda request: requests.append(request.url))
    tab.goto(page.as_uri())
    for link in tab.get_by_text("click", exact=True).all():
        assert not (link.get_attribute("href") or "").startswith(("javascript:", "data:"))
    assert tab.locator("form, iframe, object, embed, video, link, base, script").count() == 0
    assert tab.locator("style").count() == 1
    assert (
        tab.evaluate(
            "[...document.querySelectorAll('*')].flatMap((e) => [...e.attributes])"
            ".filter((a) => /^on|^style$/.test(a.name)).length"
        )
        == 0
    )
    tab.wait_for_timeout(200)
    assert tab.title() == "ps1"
    assert [url for url in requests if not url.startswith(("file:", "data:"))] == []
    context.close()


def test_a_page_refuses_what_slipped_into_it(browser: Any, tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    empty = page_of("feedback", title="a page", total=None, notes=[], parts=[], cells=[])
    attacks = [attack for attack in ATTACKS if "refresh" not in attack]  # no policy stops that
    text = empty.replace("</main>", "".join(attacks) + "</main>")
    path.write_text(text, encoding="utf-8")
    assert with_policy(browser, path)[0] == "a page"


def test_feedback_is_accessible_in_every_guise(browser: Any, page: Path) -> None:
    assert problems_of(browser, page) == []


def test_what_marking_did_not_allow_is_not_shown() -> None:
    secret = "SECRET"
    test = f"assert f(1)\n### BEGIN HIDDEN TESTS\nassert f({secret})\n### END HIDDEN TESTS"
    said = v4.new_output("error", ename="Hidden", evalue="It fails.", traceback=[])
    cells = []
    for source, shown in ((test, [said]), ("print(seen)", []), ("print(seen)", "unknown")):
        about = marks("test", grade=True) if source == test else {}
        outputs = [v4.new_output("stream", text=secret)]
        cells.append(v4.new_code_cell(source, outputs=outputs, metadata=about))
        if shown != "unknown":
            cells[-1].metadata["grading"] = {"shown": shown}
    kept = v4.new_code_cell("1", outputs=[v4.new_output("stream", text="kept")])
    kept.metadata["grading"] = {"shown": None}  # the same in both runs
    shown, _ = HideTests().preprocess(v4.new_notebook(cells=[*cells, kept]), {})
    assert secret not in str(shown)
    assert "It fails." in str(shown.cells[0].outputs) and not shown.cells[1].outputs
    assert "not shown" in str(shown.cells[2].outputs) and "kept" in str(shown.cells[3].outputs)


def test_the_mark_scheme_is_the_markers_alone() -> None:
    scheme = "Why?\n\n### BEGIN MARK SCHEME\n2 points: SECRET\n### END MARK SCHEME\n\nIn one line."
    cells = [v4.new_markdown_cell(scheme, metadata=marks("why", task=True, points=4))]
    shown, _ = HideTests().preprocess(v4.new_notebook(cells=cells), {})
    assert "SECRET" not in str(shown) and "In one line." in shown.cells[0].source


def test_what_was_put_right_is_said() -> None:
    notebook = v4.new_notebook(cells=[])
    notebook.metadata["grading"] = {"notes": ["It was called <b>.ipynb; taken for ps1.ipynb."]}
    text, _ = FeedbackPage().from_notebook_node(notebook)
    assert "It was called &lt;b&gt;.ipynb; taken for ps1.ipynb." in text


def test_feedback_says_the_marks_the_cause_and_the_comment(page: Path) -> None:
    text = html.unescape(re.sub(r"<[^>]+>", "", page.read_text("utf-8")))
    assert "3 of 9 points" in text and "0.5 points were taken off" in text
    assert "Likely cause: it is rounded." in text
    assert "Well argued." in text
    assert "half(7)" not in text and "(further tests, not shown)" in text


def test_feedback_is_also_a_notebook_that_opens_and_hides_the_same() -> None:
    exporter = FeedbackPage()
    exporter.register_preprocessor(HideTests, enabled=True)
    resources = {"nbgrader": {"notebook": "ps1", "score": 3, "max_score": 9}}
    _, resources = exporter.from_notebook_node(hostile_notebook(), resources)
    notebook = nbformat.reads(resources["outputs"]["ps1.ipynb"].decode(), as_version=4)
    nbformat.validate(notebook)
    head, text = notebook.cells[0].source, nbformat.writes(notebook)
    assert "**3 of 9 points**" in head and "| test | " not in text and "0 of 5" in head
    assert "half(7)" not in text and "expected 3.5, got 3" in text
    assert not any("nbgrader" in cell.metadata for cell in notebook.cells)


def _slow(*_: object) -> tuple[str, str]:
    sum(number for number in range(10**12))
    raise AssertionError("it was not ended")


def _greedy(*_: object) -> tuple[str, str]:
    raise AssertionError(len(bytearray(8 * 2**30)))


@pytest.mark.parametrize("work", [_slow, _greedy])
def test_a_page_that_takes_too_long_is_given_up_and_the_next_is_made(
    work: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limited, "SECONDS", 0.2)
    with pytest.raises(limited.TooMuch):
        limited.limited(work)
    assert limited.limited(max, 1, 2) == 2

    def first(work: Any, *arguments: Any) -> Any:
        monkeypatch.undo()
        raise limited.TooMuch

    monkeypatch.setattr(feedback, "limited", first)
    resources = {"nbgrader": {"notebook": "ps1", "score": 3, "max_score": 9}}
    text, _ = FeedbackPage().from_notebook_node(hostile_notebook(), resources)
    assert feedback.UNREADABLE in text and "3 of 9 points" in text and MINE not in text


def test_formulas_are_mathml_and_need_no_server(page: Path) -> None:
    text = page.read_text("utf-8")
    assert text.count("<math ") >= 2 and "mathjax" not in text.lower()
    assert "<mi>tanh</mi>" in formula(r"h_t = \tanh(x)")


def formulas() -> list[str]:
    found = []
    for path in sorted(ROOT.glob("solutions/*/*.ipynb")):
        for cell in json.loads(path.read_text("utf-8"))["cells"]:
            if cell["cell_type"] == "markdown":
                source = "".join(cell["source"])
                for match in re.finditer(r"\$\$(.+?)\$\$|\$([^$\n]+?)\$", source, re.DOTALL):
                    found.append(match[1] or match[2])
    return found


def test_every_formula_of_the_assignments_is_understood() -> None:
    found = formulas()
    assert len(found) > 50
    for tex in found:
        text = formula(tex)
        assert text.startswith("<math "), tex
        assert "\\" not in text, f"{tex} is left half in TeX: {text}"


@pytest.mark.parametrize("tex", ["x_{", "\\frac" * 900, "{" * 9_000, "\\left(" * 500, "x" * 10_000])
def test_what_is_no_formula_stays_as_it_was_typed(tex: str) -> None:
    assert formula(tex) == f"<code>{html.escape(tex)}</code>"


@pytest.mark.parametrize("attack", ATTACKS)
def test_no_attack_leaves_a_tag_or_an_attribute_that_acts(attack: str) -> None:
    for text in (clean(attack), markdown(attack), markdown(f"# {attack}\n\n- {attack}")):
        for tag in re.findall(r"<[^>]*>", text):
            assert not re.search(r"(?i)<(script|iframe|svg|form|style|meta|link|base)", tag), text
            bare = re.sub(r'"[^"]*"', '""', tag)
            assert not re.search(r"(?i)\son\w+\s*=|\sstyle\s*=", bare), text
            assert not re.search(r'(?i)(href|src)="\s*(javascript|data:text)', tag), text


def test_an_attribute_cannot_hold_a_tag() -> None:
    text = clean('<img alt="x><script>alert(1)</script>"> <a title="</a><b>" href="data:,">a</a>')
    assert "<script" not in text and "data:" not in text and "<b>" not in text


def test_what_is_allowed_survives() -> None:
    text = markdown("## Why\n\n| a | b |\n|---|---|\n| 1 | `x` |\n\n**bold** [link](https://a.org)")
    for piece in ("<h3>Why</h3>", "<td>1</td>", "<code>x</code>", "<strong>bold</strong>"):
        assert piece in text
    assert '<a href="https://a.org">link</a>' in text
    # a formula that has no place in an alternative text costs nothing else
    assert "<strong>b</strong>" in markdown(f"![$x$](data:image/png;base64,{PICTURE}) **b** $y$")
    assert 'alt="a dot"' in markdown(f"![a dot](data:image/png;base64,{PICTURE})")


def test_a_long_text_is_cut_before_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Brackets by the hundred thousand take a parser minutes, of one class an hour."""
    lengths: list[int] = []

    def noting(original: Any, place: int) -> Any:
        def noted(*given: Any, **named: Any) -> Any:
            lengths.append(len(given[place]))
            return original(*given, **named)

        return noted

    monkeypatch.setattr(MarkdownWithMath, "render", noting(MarkdownWithMath.render, 1))
    monkeypatch.setattr(Highlight2HTML, "__call__", noting(Highlight2HTML.__call__, 1))
    monkeypatch.setattr(sanitize.nh3, "clean", noting(sanitize.nh3.clean, 0))
    cells = []
    for number in range(60):
        for length in (30_000, 300_000):
            text = f"{number} " + "(" * length
            output = v4.new_output("display_data", {"text/html": text})
            cells += [v4.new_markdown_cell(text), v4.new_code_cell(text, outputs=[output])]
            cells[-1].metadata["grading"] = {"shown": None}
    page, _ = feedback.page(v4.new_notebook(cells=cells), "ps1", {})
    assert lengths and max(lengths) <= sanitize.LONGEST_TEXT
    assert sum(lengths) < 2 * LONGEST_PAGE and "this page is long enough" in page


@pytest.fixture(scope="module")
def formgrader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The formgrader, running on a course in which the hostile notebook was marked; its address."""
    course = tmp_path_factory.mktemp("course")
    shutil.copy(ROOT / "nbgrader_config.py", course)
    home = tmp_path_factory.mktemp("jupyter")
    with gradebook(course) as book:
        fill(book, {"eve": {"test_step": 0.0}})
        book.update_or_create_student("eve", first_name=f"<script>{MINE}</script>", last_name="E")
        submission = book.find_submission_notebook("ps1", "ps1", "eve").id
    path = course / "autograded" / "eve" / "ps1" / "ps1.ipynb"
    path.parent.mkdir(parents=True)
    nbformat.write(hostile_notebook(), path)
    with jupyter_lab(course, home) as address:
        yield f"{address}/formgrader/submissions/{submission}/"


def test_in_the_formgrader_the_forms_work_and_nothing_of_the_student_does(
    browser: Any, formgrader: str
) -> None:
    context = browser.new_context()
    page = context.new_page()
    here = formgrader.split("/formgrader")[0]
    page.goto(f"{here}/login?token=classroom")  # from here on a cookie says who we are
    requests: list[str] = []
    errors: list[Any] = []
    page.on("request", lambda request: requests.append(request.url))
    page.on("pageerror", lambda error: errors.append(error))
    page.goto(formgrader, wait_until="networkidle")
    assert errors == []
    assert page.title() == "ps1"
    assert [url for url in requests if not url.startswith((here, "data:"))] == []
    assert page.locator("#notebook script, #notebook iframe, #notebook form").count() == 0
    assert page.locator("math").count() >= 2
    # the formgrader's own scripts run: a score can be given, and names shown
    box = page.locator("#test_step")
    box.wait_for()
    with page.expect_response(lambda answer: "/api/grade/" in answer.url) as answer:
        box.fill("4")
        box.blur()
    assert answer.value.ok and answer.value.request.method == "PUT"
    page.locator(".glyphicon.name-hidden").click()
    page.locator("a.name-shown").wait_for(state="visible")
    assert "<script>" in page.locator("a.name-shown").inner_text()
    context.close()


def test_the_formgraders_page_allows_its_own_scripts_alone() -> None:
    exporter = FormgraderPage()
    text, _ = exporter.from_notebook_node(hostile_notebook())
    assert exporter.sanitize_html
    assert "Content-Security-Policy" in text and "unsafe-inline" not in text
