"""What handing in late costs: one rule, in one place.

The first minutes are free (`grace`); then each day that has begun takes a percentage of
the points (`percent_per_day`), up to a limit (`most`). How late a submission is comes from
the gradebook, whose times are those that the collector wrote; see `collect`.

    c.AssignLatePenalties.plugin_class = LatePenalty
    c.LatePenalty.percent_per_day = 10
"""

from __future__ import annotations

import math

from nbgrader.api import Gradebook, SubmittedAssignment, SubmittedNotebook
from nbgrader.plugins import LateSubmissionPlugin
from sqlalchemy import false, select
from traitlets import Float

DAY = 24 * 60 * 60


def penalty(
    score: float, seconds: float, *, grace: float, percent_per_day: float, most: float
) -> float:
    """Work out the points that are taken off.

    Parameters
    ----------
    score : float
        The points that the work earned.
    seconds : float
        How late it was handed in.
    grace : float
        Minutes that cost nothing. Who exceeds them is late from the deadline on.
    percent_per_day : float
        Of `score`, for each day that has begun.
    most : float
        Percent of `score` that are never exceeded.

    Returns
    -------
    float

    Examples
    --------
    >>> rule = {"grace": 15, "percent_per_day": 10, "most": 50}
    >>> [penalty(60, minutes * 60, **rule) for minutes in (15, 16, 1440, 1441, 1_000_000)]
    [0.0, 6.0, 6.0, 12.0, 30.0]
    """
    if seconds <= 60 * grace or score <= 0:
        return 0.0
    percent = min(percent_per_day * math.ceil(seconds / DAY), most, 100.0)
    return score * (max(percent, 0.0) / 100)  # in this order never more than the score


class LatePenalty(LateSubmissionPlugin):
    """nbgrader's plug-in for late penalties, with the rule above."""

    grace = Float(15, help="Minutes after the due date that cost nothing.").tag(config=True)
    percent_per_day = Float(
        0, help="Percent of the points taken off for each day that has begun."
    ).tag(config=True)
    most = Float(100, help="Percent of the points that are taken off at most.").tag(config=True)

    def late_submission_penalty(
        self, student_id: str, score: float, total_seconds_late: float
    ) -> float | None:
        points = penalty(
            score,
            total_seconds_late,
            grace=self.grace,
            percent_per_day=self.percent_per_day,
            most=self.most,
        )
        return points or None


def update(book: Gradebook, assignment: str, plugin: LateSubmissionPlugin) -> int:
    """Work out all penalties of an assignment, and say how many submissions have one.

    Called after every batch, and of no effect where nothing has changed. nbgrader does it when
    a submission is autograded: points given by hand later would escape the rule.

    Parameters
    ----------
    book : nbgrader.api.Gradebook
    assignment : str
    plugin : LateSubmissionPlugin

    Returns
    -------
    int
    """
    row = book.find_assignment(assignment)
    penalised = SubmittedNotebook.late_submission_penalty.is_not(None)
    late = false() if row.duedate is None else SubmittedAssignment.timestamp > row.duedate
    notebooks = book.db.scalars(
        select(SubmittedNotebook)
        .join(SubmittedAssignment, SubmittedAssignment.id == SubmittedNotebook.assignment_id)
        .where(SubmittedAssignment.assignment_id == row.id, penalised | late)
    )
    who = set()
    for notebook in notebooks.all():
        submission = notebook.assignment
        seconds, points = submission.total_seconds_late, None
        if seconds > 0:
            points = plugin.late_submission_penalty(submission.student_id, notebook.score, seconds)
        if points is not None:
            points = min(max(points, 0.0), notebook.score)
            who.add(submission.student_id)
        notebook.late_submission_penalty = points
    book.db.commit()
    return len(who)
