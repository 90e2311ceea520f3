"""What every chapter owes its reader: a question, a live figure, a quiz with answers, sources."""

import re
from pathlib import Path

import nbformat
import pytest
import yaml

CHAPTERS = Path(__file__).resolve().parents[2] / "chapters"
COURSE = yaml.safe_load((CHAPTERS / "course.yml").read_text(encoding="utf-8"))["chapters"]
NOTEBOOKS = sorted(CHAPTERS.glob("[0-9][0-9]_*.ipynb"))
ANSWER = re.compile(r"^```\{dropdown\} Answer to (\d)\n(.+?)^```$", re.M | re.S)


def prose(path):
    cells = nbformat.read(path, as_version=4).cells
    return [cell.source for cell in cells if cell.cell_type == "markdown"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_chapter_opens_with_its_title_and_a_question_and_shows_a_live_figure(path):
    texts = prose(path)
    title, question, *_ = texts[0].split("\n\n")
    assert title == f"# {COURSE[path.stem][0]}"
    assert re.fullmatch(r"\*\*[^*]+\?\*\*", question), question
    opening = "\n".join(texts[:3])
    assert "you can" in opening and "hour" in opening  # what for, and how long it takes
    assert ":::{live}" in "\n".join(texts)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_chapter_closes_with_six_questions_explained_answers_and_sources(path):
    text = "\n\n".join(prose(path))
    headings = re.findall(r"^## (.+)$", text, re.M)
    assert headings[-3:] == ["What you can do now", "Six questions", "Sources"]
    quiz, sources = text.split("\n## Six questions\n")[1].split("\n## Sources\n")
    asked = re.findall(r"^\*\*(\d)\.\*\* (.+)$", quiz, re.M)
    answers = ANSWER.findall(quiz)
    assert [n for n, _ in asked] == [n for n, _ in answers] == list("123456")
    for n, answer in answers:
        assert len(answer.split()) >= 10, f"answer {n} is not explained"
    assert "{cite" in sources
