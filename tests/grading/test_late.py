"""A rule for lateness in one place, and from the gradebook's clock alone."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from gradebooks import fill, gradebook
from hypothesis import given
from hypothesis import strategies as st
from traitlets.config import Config

from grading.classroom.late import DAY, LatePenalty, penalty, update

DUE = datetime(2026, 11, 20, 12)
RULE = {"grace": 15.0, "percent_per_day": 10.0, "most": 50.0}


@pytest.mark.parametrize(
    ("seconds", "points"),
    [
        (0, 0),
        (15 * 60, 0),  # the last second of grace
        (15 * 60 + 1, 6),
        (DAY, 6),
        (DAY + 1, 12),
        (5 * DAY, 30),
        (50 * DAY, 30),  # never more than half
    ],
)
def test_each_day_that_has_begun_costs_a_tenth(seconds: float, points: float) -> None:
    assert penalty(60, seconds, **RULE) == pytest.approx(points)


@given(
    st.floats(0, 100), st.floats(0, 1e8), st.floats(0, 1e8), st.floats(0, 200), st.floats(0, 200)
)
def test_later_never_costs_less_and_nothing_costs_more_than_was_earned(
    score: float, sooner: float, more: float, percent: float, most: float
) -> None:
    rule = {"grace": 10.0, "percent_per_day": percent, "most": most}
    first, second = (penalty(score, t, **rule) for t in (sooner, sooner + more))
    assert 0 <= first <= second <= score


def test_without_a_setting_lateness_costs_nothing() -> None:
    assert LatePenalty().late_submission_penalty("ada", 60, 10 * DAY) is None


def test_penalties_follow_marks_given_by_hand(tmp_path: Path) -> None:
    plugin = LatePenalty(config=Config({"LatePenalty": {"percent_per_day": 10}}))
    marks = {"test_step": 5.0, "test_gradient": 5.0, "why": None}
    with gradebook(tmp_path) as book:
        fill(
            book,
            {"ada": marks, "ben": marks, "cyd": None, "dan": marks},
            duedate=DUE.isoformat(),
            times={"ada": DUE + timedelta(days=1.5), "ben": DUE + timedelta(minutes=14)},
        )

        def penalties() -> dict[str, float]:
            found = book.assignment_submissions("ps1")
            return {one.student_id: one.late_submission_penalty for one in found}

        assert update(book, "ps1", plugin) == 1
        assert penalties() == pytest.approx({"ada": 2.0, "ben": 0, "dan": 0})
        book.find_grade("why", "ps1", "ps1", "ada").manual_score = 4.0
        book.db.commit()
        assert update(book, "ps1", plugin) == 1
        assert penalties() == pytest.approx({"ada": 2.8, "ben": 0, "dan": 0})
        # a new deadline forgives
        book.update_or_create_assignment("ps1", duedate=(DUE + timedelta(days=2)).isoformat())
        assert update(book, "ps1", plugin) == 0
        assert penalties() == {"ada": 0, "ben": 0, "dan": 0}
