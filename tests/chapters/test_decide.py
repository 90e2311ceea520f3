"""The page to print: every number on it was printed by the chapter that it names."""

import re
from pathlib import Path

import pytest
from test_prose_numbers import asked, is_found, outputs, printed_numbers, read

CHAPTERS = Path(__file__).parents[2] / "chapters"
PAGE = (CHAPTERS / "decide.md").read_text("utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.splitlines()
    if "{chapter}`" in line and line.startswith("|")
]


def without_source(row):
    """The numbers of a row that the chapter of that row has not printed."""
    slug = re.search(r"\{chapter\}`\d+ <(\w+)>`", row[-1])[1]
    notebook, _ = read(CHAPTERS / f"{slug}.ipynb")
    printed = printed_numbers(outputs(notebook))
    measured = row[-1].split(":", 1)[-1]
    return [
        text
        for text, value, decimals, percent in asked(measured)
        if not is_found(value, decimals, percent, printed, [])
    ]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0].strip("*"))
def test_every_number_was_printed_by_its_chapter(row):
    assert len(row) == 3
    assert without_source(row) == []


def test_a_number_that_the_chapter_never_printed_is_noticed():
    row = [*ROWS[0][:2], ROWS[0][2] + ", another model 73.19%"]
    assert without_source(row) == ["73.19%"]


def test_every_row_but_the_last_holds_at_least_one_number():
    for row in ROWS[:-1]:
        assert list(asked(row[-1].split(":", 1)[1])), row[0]


def test_every_chapter_with_a_comparison_is_on_it():
    named = set(re.findall(r"\{chapter\}`\d+ <(\w+)>`", PAGE))
    # what stands in the rows of others, or compares nothing that one would choose between
    models = {"02_cell", "03_bptt", "06_lstm", "16_inside"}
    written = {path.stem for path in CHAPTERS.glob("[0-9][0-9]_*.ipynb")}
    assert written - models <= named
