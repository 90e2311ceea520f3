"""From a download of submissions to marks, feedback, tables and a report, in one command.

    python -m grading 02_cell download.zip --roster grades.csv

It does what nbgrader's verbs do, one after the other, in the folder where it is started and
by its nbgrader_config.py: collect, autograde, generate_feedback, export. It may be given
again at any time: after a new download, or after marking by hand in the formgrader; what
has not changed is not run again.
"""

from __future__ import annotations

import argparse
import os
import sys
import warnings
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .classroom.collect import Collected
    from .classroom.roster import Roster

REPORTS = "reports"  # in the course's folder


class Refused(Exception):
    """Nothing more can be done; the message is a sentence for whoever gave the command."""


def parser() -> argparse.ArgumentParser:
    """The command's words."""
    words = argparse.ArgumentParser(
        prog="python -m grading",
        description="Mark an assignment: collect, run, give back, export, report.",
    )
    words.add_argument("assignment", help="such as 02_cell")
    words.add_argument(
        "submissions",
        type=_path,
        nargs="?",
        help="a platform's zip file, or a folder; without it, what is in submitted/ already",
    )
    words.add_argument(
        "--roster", metavar="FILE", type=_path, help="the class list that the platform exported"
    )
    words.add_argument(
        "--collected",
        metavar="TIME",
        help="when the work was handed in at the latest, if that was before now, such as "
        "'2026-11-20 12:00' in this machine's time zone",
    )
    words.add_argument("--dask", metavar="ADDRESS", help="of a Dask scheduler whose workers mark")
    words.add_argument("--database", metavar="URL", help="of the gradebook, if not gradebook.db")
    words.add_argument("--jobs", type=int, help="submissions at once on this machine")
    words.add_argument("--force", action="store_true", help="mark also what has not changed")
    words.add_argument(
        "--provisional",
        action="store_true",
        help="export also marks of work in which answers still wait for the marker",
    )
    words.add_argument(
        "--unsafe",
        action="store_true",
        help="run submissions without a box: students' programs can then read and change "
        "everything that you can",
    )
    return words


def _path(text: str) -> Path:
    """Absolute, since the course's folder may be another one; ~ is not left to the shell."""
    return Path(text).expanduser().absolute()


def main(arguments: Sequence[str] | None = None) -> int:
    """Do it, and say where everything is."""
    options = parser().parse_args(arguments)
    try:
        return run(options)
    except Refused as refusal:
        print(f"Error: {refusal}", file=sys.stderr)
        return 1


def run(options: argparse.Namespace) -> int:
    """The whole way; the exit code."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # nbgrader's, about its libraries
        from nbgrader.api import MissingEntry
        from nbgrader.apps import NbGrader

        from .classroom import late
        from .classroom.gradebook import opened
        from .results import report
        from .results.page import write

    app = NbGrader()
    app.load_config_file()
    app.log_level = "ERROR"
    if options.database:
        app.config.CourseDirectory.db_url = options.database
    from nbgrader.coursedir import CourseDirectory

    coursedir = CourseDirectory(config=app.config, assignment_id=options.assignment)
    os.chdir(coursedir.root)
    source = Path(coursedir.format_path(coursedir.source_directory, ".", options.assignment))
    with opened(coursedir.db_url, coursedir.course_id) as book:
        try:
            known = bool(book.find_assignment(options.assignment).notebooks)
        except MissingEntry:
            known = False
    if not known:
        if not source.is_dir():
            raise Refused(f"There is no assignment {options.assignment} in {source.parent}.")
        _release(coursedir, app)

    collected, people = None, _roster(options)
    if options.submissions:
        with opened(coursedir.db_url, coursedir.course_id) as book:
            collected = _collect(options, coursedir, book, people)
    outcome = _autograde(options, coursedir, app)
    if not outcome.marked and not outcome.kept:
        raise Refused(f"Nothing was handed in for {options.assignment}: a zip file or a folder?")

    with opened(coursedir.db_url, coursedir.course_id) as book:
        _introduce(book, people, collected)
        late.update(book, options.assignment, _penalties(app))
        facts = report.gather(coursedir, book, options.assignment)
        tables = _export(options, book, people)
    _feedback(coursedir, app)
    page = Path(REPORTS, f"{options.assignment}.html")
    write(page, report.render(facts))

    if collected is not None:
        for sentence in collected.sentences:
            print(f"  {sentence}")
        new = len(collected.students) - len(collected.unchanged)
        print(f"Collected {len(collected.students)} submissions, {new} of them new or changed.")
    failed = outcome.with_status("failed")
    print(f"Marked {len(outcome.marked)} submissions; {len(outcome.kept)} had not changed.")
    if failed:
        print(f"Not marked: {', '.join(sorted(failed))}. Give the command again.")
    if facts.waiting:
        print(f"{facts.waiting} wait for the marker, and have no mark in the tables yet:")
        print("  nbgrader formgrader, or JupyterLab's menu Nbgrader, then this command again.")
    _show(
        [
            ("gradebook", _without_password(coursedir.db_url)),
            ("feedback", f"{coursedir.feedback_directory}/STUDENT/{options.assignment}/"),
            *tables,
            ("report", str(page)),
        ]
    )
    return 1 if failed else 0


def _release(coursedir: Any, app: Any) -> None:
    """Tell the gradebook what the assignment is, as generate_assignment does."""
    from nbgrader.converters import GenerateAssignment
    from nbgrader.converters.base import NbGraderException

    converter = GenerateAssignment(coursedir=coursedir, parent=app, config=app.config)
    converter.force = True
    try:
        converter.start()
    except (NbGraderException, SystemExit) as error:
        raise Refused(f"{coursedir.assignment_id} could not be released: {error}") from error


def _roster(options: argparse.Namespace) -> Roster | None:
    from .classroom import roster

    if not options.roster:
        return None
    try:
        return roster.read(options.roster)
    except (OSError, ValueError) as error:
        raise Refused(str(error)) from error


def _collect(
    options: argparse.Namespace, coursedir: Any, book: Any, people: Roster | None
) -> Collected:
    from .classroom.collect import collect

    assignment = options.assignment
    now = datetime.now(UTC).replace(tzinfo=None)
    if options.collected:
        try:
            now = datetime.fromisoformat(options.collected).astimezone(UTC).replace(tzinfo=None)
        except ValueError:
            raise Refused(f"{options.collected!r} is no time such as '2026-11-20 12:00'.") from None

    def where(student: str) -> Path:
        path = coursedir.format_path(coursedir.submitted_directory, student, assignment)
        return Path(path)

    try:
        return collect(
            options.submissions,
            assignment,
            where,
            replaced=Path(coursedir.root, "downloaded", assignment, "replaced"),
            now=now,
            due=book.find_assignment(assignment).duedate,
            roster=people,
            known={one.lms_user_id: one.id for one in book.students if one.lms_user_id},
        )
    except (OSError, ValueError) as error:
        raise Refused(str(error)) from error


def _autograde(options: argparse.Namespace, coursedir: Any, app: Any) -> Any:
    from dataclasses import replace

    from .classroom import batch
    from .plugin import BoxedAutograde
    from .sandbox.box import BoxUnavailable

    autograde = BoxedAutograde(coursedir=coursedir, parent=app, config=app.config)
    settings = autograde.settings()
    if options.dask:
        settings = replace(settings, dask=options.dask)
    if options.jobs:
        settings = replace(settings, jobs=options.jobs)
    if options.unsafe:
        settings = replace(settings, unsafe=True)
    try:
        return batch.grade(coursedir, options.assignment, settings, force=options.force)
    except (BoxUnavailable, LookupError, OSError, RuntimeError, ValueError) as error:
        raise Refused(str(error)) from error


def _introduce(book: Any, people: Roster | None, collected: Collected | None) -> None:
    """Names and numbers of students, so that tables and pages can use them."""
    if collected is not None:
        for student, number in collected.numbers.items():
            book.update_or_create_student(student, lms_user_id=number)
    if people is not None:
        there = {student.id for student in book.students}
        for person in people.people:
            if person.student in there:
                book.update_or_create_student(
                    person.student,
                    first_name=person.first or None,
                    last_name=person.last or None,
                    email=person.email or None,
                )


def _penalties(app: Any) -> Any:
    from nbgrader.preprocessors import AssignLatePenalties

    step = AssignLatePenalties(parent=app, config=app.config)
    step.init_plugin()
    return step.plugin_inst


def _feedback(coursedir: Any, app: Any) -> None:
    from nbgrader.converters import GenerateFeedback
    from nbgrader.converters.base import NbGraderException

    converter = GenerateFeedback(coursedir=coursedir, parent=app, config=app.config)
    converter.force = True  # marks given by hand are not in the files' times
    try:
        converter.start()
    except (NbGraderException, SystemExit) as error:
        raise Refused(f"No feedback could be written: {error}") from error


def _export(options: argparse.Namespace, book: Any, people: Roster | None) -> list[tuple[str, str]]:
    from .results import export
    from .results.page import write

    tables: list[tuple[str, str, Callable[..., list[list[str]]]]] = [
        ("Canvas", "canvas", export.canvas),
        ("Moodle", "moodle", export.moodle),
    ]
    found = []
    for shown, platform, rows in tables:
        if people is not None and people.platform != platform:
            continue
        path = Path(REPORTS, f"{options.assignment}-{platform}.csv")
        made = rows(book, [options.assignment], people, provisional=options.provisional)
        write(path, export.table(made))
        found.append((f"for {shown}", str(path)))
    return found


def _without_password(url: str) -> str:
    from sqlalchemy import make_url

    return make_url(url).render_as_string(hide_password=True)


def _show(rows: Sequence[tuple[str, str]]) -> None:
    width = max(len(name) for name, _ in rows)
    for name, where in rows:
        print(f"  {name:<{width}}  {where}")


if __name__ == "__main__":
    sys.exit(main())
