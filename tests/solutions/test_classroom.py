"""A class from beginning to end: release, hand in, mark, give back, export, look."""

from __future__ import annotations

import contextlib
import copy
import csv
import functools
import html
import json
import re
import shutil
import urllib.request
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from assignments import nbgrader
from exercises import SLUGS, Answer, Assignment, answers, failure, solved
from jupyter_lab import jupyter_lab

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from nbgrader.api import Gradebook

SCRIPT = "<script>document.title = 'mine'</script>"
COMMENT = "Well argued."
PATIENCE = 600  # seconds: what the formgrader answers in the end, also on a busy machine
# the whole way is gone with two assignments; test_contract.py looks at every one
CLASS = SLUGS[:2]


@functools.cache
def slip(slug: str) -> Answer:
    """What ben gets wrong: the first wrong answer to the third exercise."""
    third = list(solved(slug).exercises())[2]
    return next(one for one in answers(solved(slug)) if one.function == third and one.cause)


@functools.cache
def lost(slug: str) -> set[str]:
    """The tests that the slip fails: its own, and those of exercises that build on it."""
    scope = slip(slug).into(solved(slug).namespace())
    return {test.id for test in solved(slug).tests if failure([test], scope)}


def cell_of(notebook: dict[str, Any], id: str) -> dict[str, Any]:
    return next(cell for cell in notebook["cells"] if cell["id"] == id)


def right(course: Path, slug: str) -> dict[str, Any]:
    """The released notebook with all answers filled in, saved as a student saves it: run."""
    released = Assignment(course / "exercises" / slug / f"{slug}.ipynb").notebook
    notebook = copy.deepcopy(released)
    for cell in solved(slug).cells:
        if cell.marks.get("solution"):
            cell_of(notebook, cell.id)["source"] = cell.raw["source"]
    for number, cell in enumerate(c for c in notebook["cells"] if c["cell_type"] == "code"):
        cell["execution_count"] = number + 1
    return notebook


def written_answer(notebook: dict[str, Any]) -> dict[str, Any]:
    return next(
        cell
        for cell in notebook["cells"]
        if cell["cell_type"] == "markdown" and cell["metadata"].get("nbgrader", {}).get("grade")
    )


def submissions(course: Path, slug: str) -> dict[str, dict[str, Any]]:
    ada = right(course, slug)
    written_answer(ada)["source"] = [f"My own words. {SCRIPT}"]

    ben = right(course, slug)
    cell = cell_of(ben, solved(slug).exercises()[slip(slug).function][0].id)
    cell["source"] = slip(slug).source
    written_answer(ben)["source"] = ["*Your answer here.*"]

    # cyd deletes a test, tags another to be skipped, weakens a third, and adds cells of her own
    cyd = right(course, slug)
    tests = [c for c in cyd["cells"] if c["id"].startswith("test_")]
    cyd["cells"].remove(tests[0])
    tests[1]["metadata"]["tags"] = ["skip-execution"]
    tests[2]["source"] = ["pass"]
    cyd["cells"].insert(
        5, {"cell_type": "markdown", "id": "mine", "metadata": {}, "source": ["my notes"]}
    )

    released = Assignment(course / "exercises" / slug / f"{slug}.ipynb").notebook
    return {"ada": ada, "ben": ben, "cyd": cyd, "dan": released}


@pytest.fixture(scope="module")
def classroom(course: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The course after release, collection, marking by machine and by hand, and feedback."""
    folder = tmp_path_factory.mktemp("classroom")
    shutil.copytree(course, folder, dirs_exist_ok=True)
    for slug in CLASS:
        archive = folder / "downloaded" / slug / "archive"
        archive.mkdir(parents=True)
        with zipfile.ZipFile(archive / "submissions.zip", "w") as bundle:
            for number, (student, notebook) in enumerate(submissions(course, slug).items()):
                name = f"{student}_{1000 + number}_77_{slug}.ipynb"  # as Canvas names it
                if student == "ben":
                    name = (
                        f"ben_{1000 + number}_assignsubmission_file/{slug}.ipynb"  # as Moodle does
                    )
                bundle.writestr(name, json.dumps(notebook))
        nbgrader(folder, "zip_collect", slug)
        # eve's notebook was cut off on its way; fay's is a link to ben's
        eve = folder / "submitted" / "eve" / slug / f"{slug}.ipynb"
        eve.parent.mkdir(parents=True)
        eve.write_text(json.dumps(submissions(course, slug)["ada"])[:-100], encoding="utf-8")
        fay = folder / "submitted" / "fay" / slug / f"{slug}.ipynb"
        fay.parent.mkdir(parents=True)
        fay.symlink_to(folder / "submitted" / "ben" / slug / f"{slug}.ipynb")
    nbgrader(folder, "autograde", "*")
    with gradebook(folder) as book:
        for slug in CLASS:
            answer = book.find_submission_notebook(slug, slug, "ada")
            for grade in answer.grades:
                if grade.needs_manual_grade:
                    grade.manual_score = 3.0  # what the formgrader's form does
                    grade.needs_manual_grade = False
                    answer_name = grade.name
            for comment in answer.comments:
                if comment.name == answer_name:
                    comment.manual_comment = COMMENT
        book.db.commit()
    nbgrader(folder, "generate_feedback", "*")
    nbgrader(folder, "export")
    return folder


@contextlib.contextmanager
def gradebook(folder: Path) -> Iterator[Gradebook]:
    with Gradebook(f"sqlite:///{folder / 'gradebook.db'}", "unrolled") as book:
        yield book


def points(slug: str) -> dict[str, float]:
    """What the machine can give for each test."""
    return {test.id: test.marks["points"] for test in solved(slug).tests}


def marks(folder: Path, slug: str, student: str) -> dict[str, float]:
    with gradebook(folder) as book:
        grades = book.find_submission_notebook(slug, slug, student).grades
        return {grade.name: grade.auto_score for grade in grades if grade.cell_type == "code"}


@pytest.mark.parametrize("slug", CLASS)
def test_marks_are_exactly_those_deserved(classroom: Path, slug: str) -> None:
    full = points(slug)
    assert marks(classroom, slug, "ada") == full
    ben = {name: 0.0 if name in lost(slug) else value for name, value in full.items()}
    assert marks(classroom, slug, "ben") == ben
    assert marks(classroom, slug, "cyd") == full, "a changed test came back and was run"
    assert marks(classroom, slug, "dan") == dict.fromkeys(full, 0.0)


@pytest.mark.parametrize("slug", CLASS)
def test_what_cannot_be_marked_gets_a_sentence_and_stops_nobody(classroom: Path, slug: str) -> None:
    for student, words in (("eve", "it is not JSON"), ("fay", "it is a link")):
        assert set(marks(classroom, slug, student).values()) == {0.0}
        page = (classroom / "feedback" / student / slug / f"{slug}.html").read_text("utf-8")
        assert words in html.unescape(re.sub(r"<[^>]+>", "", page))


@pytest.mark.parametrize("slug", CLASS)
def test_every_submission_ran_once_and_in_the_box(classroom: Path, slug: str) -> None:
    lines = outcomes(classroom, slug)
    assert sorted(line["student"] for line in lines) == ["ada", "ben", "cyd", "dan", "eve", "fay"]
    ran = [line for line in lines if line["status"] == "marked"]
    assert all(line["cpu"] > 0 and line["limit"] is None and not line["sentence"] for line in ran)
    nbgrader(classroom, "autograde", slug)
    assert outcomes(classroom, slug) == lines, "nothing had changed"


def outcomes(folder: Path, slug: str) -> list[dict[str, Any]]:
    """What the log says was marked."""
    lines = (folder / "grading-log" / f"{slug}.jsonl").read_text("utf-8").splitlines()
    return [line for line in map(json.loads, lines) if line["event"] == "outcome"]


@pytest.mark.parametrize("slug", CLASS)
def test_written_answers_wait_for_the_marker_and_empty_ones_do_not(
    classroom: Path, slug: str
) -> None:
    with gradebook(classroom) as book:

        def waits(student: str) -> bool:
            grades = book.find_submission_notebook(slug, slug, student).grades
            return any(grade.needs_manual_grade for grade in grades)

        assert {student: waits(student) for student in ("ada", "ben", "cyd", "dan")} == {
            "ada": False,  # marked by hand above
            "ben": False,  # wrote nothing
            "cyd": True,
            "dan": False,
        }


@pytest.mark.parametrize("slug", CLASS)
def test_the_marker_sees_the_rubric(classroom: Path, slug: str) -> None:
    marked = (classroom / "autograded" / "ada" / slug / f"{slug}.ipynb").read_text(encoding="utf-8")
    assert "BEGIN MARK SCHEME" in marked


@pytest.mark.parametrize("slug", CLASS)
def test_feedback_explains_and_hides(classroom: Path, slug: str) -> None:
    own = "\n".join(cell.source for cell in solved(slug).cells if cell.is_solution)
    pages = {
        student: (classroom / "feedback" / student / slug / f"{slug}.html").read_text("utf-8")
        for student in ("ada", "ben", "cyd", "dan")
    }
    assert slip(slug).cause in html.unescape(pages["ben"])
    assert COMMENT in pages["ada"]
    assert "is not written yet" in pages["dan"]
    hidden, visible = set(), {line.strip() for line in own.splitlines()}
    for cell in solved(slug).tests:
        before, _, after = cell.source.partition("### BEGIN HIDDEN TESTS")
        visible |= {line.strip() for line in before.splitlines()}
        hidden |= {line.strip() for line in after.splitlines() if len(line.strip()) > 12}
    secret = {line for line in hidden - visible if not line.startswith("for ")}
    assert len(secret) > 50
    for student, page in pages.items():
        text = html.unescape(re.sub(r"<[^>]+>", "", page))
        assert not [line for line in secret if line in text], student
        loaded = re.findall(r'<(?:script|link|img|iframe)[^>]*(?:src|href)="([^"]*)"', page)
        assert not [address for address in loaded if not address.startswith("data:")], student
        assert "@import" not in page and "url(http" not in page
        assert page.index("Content-Security-Policy") < page.index("<title>")


@pytest.mark.parametrize("slug", CLASS)
def test_marks_are_exported(classroom: Path, slug: str) -> None:
    with open(classroom / "grades.csv", encoding="utf-8", newline="") as file:
        rows = {row["student_id"]: row for row in csv.DictReader(file) if row["assignment"] == slug}
    full = sum(points(slug).values())
    less = sum(points(slug)[name] for name in lost(slug))
    scores = {student: float(row["score"]) for student, row in rows.items()}
    none = dict.fromkeys(("dan", "eve", "fay"), 0.0)
    assert scores == {"ada": full + 3, "ben": full - less, "cyd": full} | none
    written = [c for c in solved(slug).cells if c.kind == "markdown" and c.marks.get("grade")]
    total = full + sum(cell.marks["points"] for cell in written)
    assert {float(row["max_score"]) for row in rows.values()} == {total}


@pytest.fixture(scope="module")
def jupyter(classroom: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """JupyterLab in the course folder, on the loopback interface; its address."""
    with jupyter_lab(classroom, tmp_path_factory.mktemp("jupyter")) as address:
        yield address


def test_the_formgrader_knows_the_assignments(jupyter: str) -> None:
    request = f"{jupyter}/formgrader/api/assignments?token=classroom"
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
        assignments = {row["name"]: row for row in json.load(answer)}
    assert set(assignments) == set(SLUGS)
    assert all(row["release_path"] for row in assignments.values())
    assert all(assignments[slug]["num_submissions"] == 6 for slug in CLASS)


def test_the_formgraders_button_marks_in_the_box(classroom: Path, jupyter: str) -> None:
    slug = CLASS[-1]
    before = len(outcomes(classroom, slug))
    with urllib.request.urlopen(f"{jupyter}/lab?token=classroom", timeout=PATIENCE) as page:
        cookies = "; ".join(c.partition(";")[0] for c in page.headers.get_all("Set-Cookie"))
    request = urllib.request.Request(
        f"{jupyter}/formgrader/api/submission/{slug}/dan/autograde",
        data=b"",
        headers={"Authorization": "token classroom", "Cookie": cookies},
    )
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
        said = json.load(answer)
    assert said["success"], said
    new = outcomes(classroom, slug)[before:]
    assert [line["student"] for line in new] == ["dan"] and new[0]["cpu"] > 0
    assert set(marks(classroom, slug, "dan").values()) == {0.0}


def test_the_formgrader_opens_in_jupyterlab(browser: Any, jupyter: str) -> None:
    page = browser.new_page()
    page.goto(f"{jupyter}/lab?token=classroom")
    page.get_by_role("menuitem", name="Nbgrader").click()
    page.get_by_role("menuitem", name="Formgrader", exact=True).click()
    formgrader = page.frame_locator("iframe[src*='formgrader']")
    for slug in CLASS:
        formgrader.get_by_text(slug, exact=True).first.wait_for()
    page.close()


def test_feedback_runs_no_script_and_asks_no_other_host(browser: Any, classroom: Path) -> None:
    for slug in CLASS:
        page = browser.new_page()
        requests: list[str] = []
        page.on("request", lambda request, seen=requests: seen.append(request.url))
        page.goto((classroom / "feedback" / "ada" / slug / f"{slug}.html").as_uri())
        assert page.title() == slug, "the student's script ran"
        assert [url for url in requests if not url.startswith(("file:", "data:"))] == []
        page.close()
