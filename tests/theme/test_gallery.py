"""The gallery shows what the chapters printed, and says what a chapter has not told it."""

from __future__ import annotations

import json
import re

import pytest
import yaml
from browsing import HTML, ROOT
from bs4 import BeautifulSoup

from theme.gallery import entry, player, score

CHAPTERS = ROOT / "chapters"
PRINTED = """                test bits  parameters
RNN                  2.10      65,217
larger RNN           1.98
RNN, three      1.90– 1.98   195,651
"""


@pytest.mark.parametrize(
    ("row", "column", "number"),
    [("larger RNN", 1, "1.98"), ("RNN, three", 1, "1.90–1.98"), ("RNN, three", 2, "195,651")],
)
def test_a_score_is_what_stands_in_the_row_and_the_column(row, column, number):
    assert score(PRINTED, row, column) == number


@pytest.mark.parametrize(
    ("row", "column", "words"),
    [
        ("GRU", 1, "0 printed lines begin with 'GRU'"),
        ("larger RNN", 2, "has no number in column 2"),
        ("larger RNN", 0, "has no number in column 0"),
        ("larger", 1, "has no number in column 1"),
    ],
)
def test_a_score_that_is_not_there_is_an_error_that_names_it(row, column, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        score(PRINTED, row, column)


def test_a_row_that_two_lines_begin_with_is_refused():
    with pytest.raises(ValueError, match="2 printed lines begin with 'LSTM'"):
        score("LSTM  1.90\nLSTM  1.91\n", "LSTM", 1)


def test_a_sound_is_played_by_the_players_of_its_chapter_or_named():
    tag = '<audio controls preload="none" src="media/a.wav" aria-label="one two"></audio>'
    cells = [{"cell_type": "markdown", "source": ["Listen.\n", f"<p>{tag}</p>\n"]}]
    assert player(cells, "a.wav") == f"<p>{tag}</p>"
    with pytest.raises(ValueError, match=r"has the file 'b\.wav'"):
        player(cells, "b.wav")


def test_a_chapter_that_says_nothing_of_itself_is_named(tmp_path):
    path = tmp_path / "20_toy.ipynb"
    path.write_text(json.dumps({"cells": [{"metadata": {}, "outputs": []}]}))
    with pytest.raises(ValueError, match="0 cells have `gallery`"):
        entry("Toys", path)


def test_every_written_application_is_shown_with_two_scores_that_its_chapter_printed(html):
    course = yaml.safe_load((CHAPTERS / "course.yml").read_text(encoding="utf-8"))
    slugs = {int(slug[:2]): slug for slug in course["chapters"]}
    written = {
        words: slugs[number]
        for words, number in course["promises"]["applications"]
        if (CHAPTERS / f"{slugs[number]}.ipynb").is_file()
    }
    sections = BeautifulSoup((HTML / "gallery.html").read_text(), "html.parser").select(
        "section section"
    )
    assert [one.h2.find(string=True) for one in sections] == list(written)
    for one, slug in zip(sections, written.values(), strict=True):
        outputs = BeautifulSoup((HTML / f"{slug}.html").read_text(), "html.parser").select(
            ".cell_output"
        )
        printed = " ".join(output.text for output in outputs).replace("– ", "–")
        numbers = [cell.text for cell in one.select("td:last-child")]
        assert len(numbers) >= 2
        for number in numbers:
            assert number in printed, (slug, number)
        figure = one.select_one(f'p a[href*="{slug}.html#fig-"]')
        assert figure and re.fullmatch(r"Figure \d+\.\d+", figure.text)
        assert (HTML / one.img["src"]).is_file()


def test_the_front_page_leads_to_it(html):
    front = BeautifulSoup((HTML / "index.html").read_text(), "html.parser")
    assert front.select_one('article a[href="gallery.html"]')
