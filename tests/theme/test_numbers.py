"""Figures and equations of a notebook have a number, a caption and an anchor to refer to."""

from __future__ import annotations

import re

import pytest
from browsing import HTML, ROOT
from bs4 import BeautifulSoup

NOTEBOOKS = sorted(path.stem for path in (ROOT / "chapters").glob("*.ipynb"))


def page(name: str) -> BeautifulSoup:
    return BeautifulSoup((HTML / f"{name}.html").read_text(), "html.parser")


def numbers_from_one(labels: list[str], chapter: str) -> list[str]:
    prefix = f"{int(chapter[:2])}." if chapter[:2].isdigit() else ""
    return [f"{prefix}{k}" for k in range(1, len(labels) + 1)]


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_every_picture_and_live_figure_is_numbered_and_has_a_caption(html, name):
    pictures = page(name).select("article img, article .live")
    assert pictures
    figures = [picture.find_parent("figure") for picture in pictures]
    assert all(figures), [str(p)[:100] for p in pictures if not p.find_parent("figure")]
    shown = [figure.select_one(".caption-number").text.strip() for figure in figures]
    assert shown == [f"Figure {number}" for number in numbers_from_one(shown, name)]
    for figure in figures:
        assert re.fullmatch(r"fig-[a-z0-9-]+", figure["id"]), figure["id"]
        assert len(figure.select_one(".caption-text").text) > 20
        assert figure.select_one("figcaption .headerlink")["href"] == f"#{figure['id']}"


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_every_formula_on_a_line_of_its_own_is_numbered(html, name):
    formulas = [one for one in page(name).select("div.formula") if not one.find_parent("details")]
    lines = [one.parent for one in formulas]
    assert all("equation" in line.get("class", []) for line in lines), (
        "write a label behind it: $$ … $$ (slug-what)"
    )
    shown = [re.match(r"\((.+?)\)", line.select_one(".eqno").text)[1] for line in lines]
    assert shown == numbers_from_one(shown, name)
    for line in lines:
        assert re.fullmatch(r"equation-[a-z0-9-]+", line["id"]), line["id"]
        assert line.select_one(".headerlink")["href"] == f"#{line['id']}"


def test_text_refers_to_numbers_that_are_shown(html):
    """What {eq} and {numref} wrote is what stands at the place that they link to."""
    found = 0
    for name in NOTEBOOKS:
        for link in page(name).select('article p a[href*="#"]'):
            target, anchor = link["href"].split("#")
            place = page(target.removesuffix(".html") or name).find(id=anchor)
            if place is None or not (number := place.select_one(".caption-number, .eqno")):
                continue
            if "headerlink" not in link["class"]:
                assert link.text == number.text.strip().removesuffix("#")
                found += 1
    assert found >= 2
