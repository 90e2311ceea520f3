"""The instructor's page: its numbers are right, and it can be read by anybody."""

from __future__ import annotations

import json
import random
import re
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from gradebooks import PARTS, fill, gradebook
from pages import problems_of, with_policy

from grading.classroom import log
from grading.classroom.gradebook import Part
from grading.marking.mark import causes
from grading.results import answers
from grading.results.report import Facts, discrimination, gather, render
from grading.results.similarity import Group

SCRIPT = "<script>document.title = 'mine'</script>"


def test_an_exercise_that_good_students_fail_has_a_negative_discrimination() -> None:
    rng = np.random.default_rng(0)
    skill = rng.normal(size=200)
    good = (skill + rng.normal(size=200) > 0).astype(float)
    odd = (skill + rng.normal(size=200) < 0).astype(float)
    rest = 10 * skill
    assert discrimination(good, rest + good) > 0.4
    assert discrimination(odd, rest + odd) < -0.4


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Thirty students: a gradebook, autograded notebooks and a log, as marking leaves them."""
    folder = tmp_path_factory.mktemp("course")
    rng = random.Random(0)
    scores: dict[str, Any] = {}
    for k in range(30):
        step = rng.choice([0.0, 5.0])
        scores[f"student{k:02d}"] = {
            "test_step": step,
            "test_gradient": rng.choice([0.0, 10.0]) if step else 0.0,
            "why": None if k < 3 else 4.0,
        }
    scores["absent"] = None
    scores[f"eve {SCRIPT}"] = {"test_step": 0.0, "test_gradient": 0.0, "why": 0.0}
    with gradebook(folder) as book:
        fill(book, scores)

    def cell(kind: str, id: str, source: str = "", outputs: list[Any] | None = None, **marks: Any):
        marks = {"grade_id": id, "grade": False, "solution": False, **marks}
        found = {"cell_type": kind, "source": source, "metadata": {"nbgrader": marks}}
        return found | ({"outputs": outputs or []} if kind == "code" else {})

    def write(path: Path, cells: list[Any]) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"cells": cells, "metadata": {}}))

    write(
        folder / "release" / "ps1" / "ps1.ipynb",
        [
            cell("code", "step", "def step(): ...", solution=True),
            cell("code", "test_step", grade=True),
            cell("code", "test_gradient", grade=True),
            cell("markdown", "why", grade=True, solution=True),
        ],
    )
    with log.opened(log.path(folder, "ps1")) as trail:
        for k, (student, parts) in enumerate(scores.items()):
            if parts is None:
                continue
            said = f"h_t at b = {k}: expected 0.{k}, got 1.5.\nLikely cause: W_h is transposed."
            if k % 2:
                said = f"dx: expected {k}, got -{k}."
            failed = [{"output_type": "error", "ename": "Mismatch", "evalue": said}]
            failed = failed if parts["test_step"] == 0 else []
            cells = [
                cell("code", "step", f"def step(): return {k}", solution=True),
                cell("code", "test_step", outputs=failed, grade=True),
                cell("markdown", "why", f"Since $h_{{{k}}}$ **fades**. {SCRIPT}", grade=True),
            ]
            write(folder / "autograded" / student.replace("/", "") / "ps1" / "ps1.ipynb", cells)
            about = {"causes": causes(cells)}
            about |= {"status": "marked", "sentence": "", "limit": None}
            if k == 4:
                about |= {"limit": "time", "sentence": f"It took more than 60 s. {SCRIPT}"}
            trail.write("outcome", student=student, seconds=0.1 * k, cpu=0.05 * k, **about)
    return folder


def coursedir_of(course: Path) -> SimpleNamespace:
    def format_path(directory: str, student: str, assignment: str, escape: bool = False) -> str:
        return str(course / directory / student.replace("/", "") / assignment)

    return SimpleNamespace(
        root=str(course),
        format_path=format_path,
        source_directory="source",
        release_directory="release",
        autograded_directory="autograded",
        feedback_directory="feedback",
    )


def facts_of(course: Path) -> Facts:
    with gradebook(course) as book:
        return gather(coursedir_of(course), book, "ps1")


@pytest.mark.parametrize("anonymous", [False, True])
def test_all_answers_to_a_question_stand_on_one_page(
    browser: Any, course: Path, anonymous: bool
) -> None:
    path = course / "reports" / "ps1-answers.html"
    path.parent.mkdir(exist_ok=True)
    with gradebook(course) as book:
        page = answers.page(coursedir_of(course), book, "ps1", path.parent, anonymous)
    path.write_text(page, encoding="utf-8")
    assert "31 answers, 3 of them not marked yet." in page and "waits, 4 possible" in page
    assert page.count("<strong>fades</strong>") == 31 and page.count("<math") == 31
    assert ("student07" in page) != anonymous
    assert ('href="../feedback/student07/ps1/ps1.html"' in page) != anonymous
    assert with_policy(browser, path) == ("Answers: ps1", []) and SCRIPT not in page
    assert problems_of(browser, path) == []


def test_the_facts_are_those_of_the_gradebook_and_the_notebooks(course: Path) -> None:
    facts = facts_of(course)
    assert [part.name for part in facts.parts] == list(PARTS), "in the order of the release"
    assert facts.most == 19 and len(facts.totals) == 31 and facts.students == 32
    assert facts.waiting == 3
    failed = [s for s, parts in facts.scores.items() if parts["test_step"] == 0]
    transposed = facts.causes["test_step", "W_h is transposed."]
    other = facts.causes["test_step", "dx: expected …, got …."]
    assert transposed + other == len(failed) and transposed and other
    assert len(facts.causes) == 2, "one cause reads the same for everybody"


def test_the_page_says_what_the_numbers_are(course: Path) -> None:
    facts = facts_of(course)
    text = re.sub(r"<svg.*?</svg>", "", render(facts))
    points = [parts["test_step"] or 0 for parts in facts.scores.values()]
    row = re.search(r"<tr><th scope=\"row\">test_step</th>(.*?)</tr>", text)
    assert row
    numbers = re.findall(r">\s*(-?[\d.]+)", row[1])
    assert float(numbers[0]) == 5
    assert float(numbers[1]) == pytest.approx(np.mean(points), abs=0.05)
    assert float(numbers[2]) == pytest.approx(100 * np.mean(np.array(points) >= 5), abs=0.5)
    whole = [sum(v or 0 for v in parts.values()) for parts in facts.scores.values()]
    rest = np.subtract(whole, points)
    assert float(numbers[4]) == pytest.approx(np.corrcoef(points, rest)[0, 1], abs=0.006)
    for words in ("31 of 32", "3 submissions have answers", "W_h is transposed.", "60 s"):
        assert words in text, words


def test_the_page_is_accessible_and_runs_nothing(
    browser: Any, course: Path, tmp_path: Path
) -> None:
    facts = facts_of(course)
    facts.alike = [Group((f"eve {SCRIPT}", "student01"), 12, 0.75)]
    facts.late = {"student01": 2.0}
    path = tmp_path / "report.html"
    path.write_text(render(facts), encoding="utf-8")
    assert with_policy(browser, path) == ("Report: ps1", [])
    assert SCRIPT not in path.read_text("utf-8")
    assert problems_of(browser, path) == []


@pytest.mark.parametrize("students", [0, 1])
def test_a_class_of_nobody_or_of_one_has_a_page(
    browser: Any, tmp_path: Path, students: int
) -> None:
    scores = {"ada": {"why": 1.0}} if students else {}
    totals = {"ada": 1.0} if students else {}
    facts = Facts("ps1", [Part("ps1", "why", 4, False)], students, scores, totals, Counter())
    path = tmp_path / "report.html"
    path.write_text(render(facts), encoding="utf-8")
    assert problems_of(browser, path) == []
