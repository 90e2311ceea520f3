"""From a download of submissions to marks, feedback, tables and a report, in one command.

    python -m grading 02_cell download.zip --roster grades.csv

It does what nbgrader's verbs do, one after the other, in the folder where it is started and
by its nbgrader_config.py: collect, autograde, generate_feedback, export. It may be given
again at any time: after a new download, or after marking by hand in the formgrader; what
has not changed is not run again.

    python -m grading 02_cell --mark-only

is `nbgrader autograde` without its long start: nbgrader's own command loads a web server and
every one of its verbs first, which for a handful of submissions is most of the cost.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import importlib.util
import logging.handlers
import os
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .classroom.collect import Collected
    from .classroom.roster import Roster
    from .plugin import BoxedAutograde

REPORTS = "reports"  # in the course's folder

logger = logging.getLogger("grading")


class Refused(Exception):
    """Nothing more can be done; the message is a sentence for whoever gave the command."""


def parser() -> argparse.ArgumentParser:
    """Say what words the command takes."""
    words = argparse.ArgumentParser(
        prog="python -m grading",
        description="Mark an assignment: collect, run, give back, export, report.",
    )
    words.add_argument("assignment", help="such as 02_cell; with --mark-only, also a pattern")
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
    words.add_argument(
        "--mark-only", action="store_true", help="mark what is in submitted/, and nothing else"
    )
    words.add_argument("--student", default="*", help="only this one, or a pattern")
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
    level = logging.INFO if options.mark_only else logging.WARNING
    logging.basicConfig(format="%(levelname)s: %(message)s", level=level)
    logging.getLogger("traitlets").setLevel(logging.ERROR)  # nbgrader's steps
    config = _configuration(options)
    from nbgrader.converters.base import NbGraderException
    from nbgrader.coursedir import CourseDirectory
    from sqlalchemy.exc import SQLAlchemyError

    from .classroom import log
    from .plugin import BoxedAutograde, sentence

    coursedir = CourseDirectory(config=config)
    autograde = BoxedAutograde(coursedir=coursedir, config=config, log=logger)
    autograde.force = options.force
    try:
        if options.mark_only:
            autograde.start()
            return 0
        os.chdir(coursedir.root)
        with log.alone(Path(coursedir.root)):
            return run(options, autograde)
    except Refused as refusal:
        logger.error(refusal)
    except (OSError, SQLAlchemyError) as error:
        logger.error(f"{sentence(error)} Nothing is lost: mend it, and give the command again.")
    except KeyboardInterrupt:
        logger.error("Stopped. What was marked is kept: give the command again for the rest.")
    except NbGraderException:  # it has been said
        pass
    return 1


def _configuration(options: argparse.Namespace) -> Any:
    """What nbgrader reads, its file in Jupyter's folders, then in this one; and the command.

    nbgrader's `__init__` loads its extensions of the Jupyter server, of which nothing is needed
    here. Its modules stay what they are; only that file is not run.
    """
    from jupyter_core.paths import jupyter_config_path
    from traitlets.config.loader import Config, ConfigFileNotFound, PyFileConfigLoader

    if "nbgrader" not in sys.modules and (spec := importlib.util.find_spec("nbgrader")):
        sys.modules["nbgrader"] = importlib.util.module_from_spec(spec)
    config = Config()
    gc.disable()  # what is imported stays: to look through it again and again is for nothing
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # nbgrader's, about its libraries
        for place in [*reversed(jupyter_config_path()), os.getcwd()]:
            with contextlib.suppress(ConfigFileNotFound):
                config.merge(PyFileConfigLoader("nbgrader_config.py", path=place).load_config())
        from . import plugin as plugin
    gc.freeze()
    gc.enable()
    config.CourseDirectory.assignment_id = options.assignment
    config.CourseDirectory.student_id = options.student
    if options.database:
        config.CourseDirectory.db_url = options.database
    for name in ("dask", "jobs", "unsafe"):
        if value := getattr(options, name):
            config.BoxedAutograde[name] = value
    return config


def run(options: argparse.Namespace, autograde: BoxedAutograde) -> int:
    """Go the whole way, and give the exit code."""
    from nbgrader.api import MissingEntry
    from nbgrader.converters import GenerateAssignment

    from .classroom import log
    from .classroom.files import write
    from .classroom.gradebook import opened
    from .marking.assignment import Status
    from .results import feedback, report

    _zones(autograde.config)
    coursedir = autograde.coursedir
    source = Path(coursedir.format_path(coursedir.source_directory, ".", options.assignment))
    with opened(coursedir.db_url, coursedir.course_id) as book:
        try:
            known = bool(book.find_assignment(options.assignment).notebooks)
        except MissingEntry:
            known = False
    if not known:
        if not source.is_dir():
            raise Refused(f"There is no assignment {options.assignment} in {source.parent}.")
        # the gradebook learns what the assignment is
        step = GenerateAssignment(coursedir=coursedir, config=autograde.config)
        step.force = True
        _convert(step, f"{options.assignment} could not be released")

    collected, people = None, _roster(options)
    if options.submissions:
        with opened(coursedir.db_url, coursedir.course_id) as book:
            collected = _collect(options, coursedir, book, people)
    outcome = autograde.mark(options.assignment)
    if not outcome.marked and not outcome.kept:
        raise Refused(f"Nothing was handed in for {options.assignment}: a zip file or a folder?")

    with opened(coursedir.db_url, coursedir.course_id) as book:
        _introduce(book, people, collected)
        facts = report.gather(coursedir, book, options.assignment)
        tables = _export(options, book, people)
        keys = feedback.keys(coursedir, book, options.assignment)
    trail = log.path(coursedir.root, options.assignment)
    written = log.feedback(log.read(trail))
    pages = feedback.ChangedFeedback(keys, written, coursedir=coursedir, config=autograde.config)
    _convert(pages, "No feedback could be written")
    if pages.made:
        with log.opened(trail) as file:
            file.write("feedback", keys=pages.made)
    page = Path(REPORTS, f"{options.assignment}.html")
    write(page, report.render(facts))

    if collected is not None:
        for sentence in collected.sentences:
            print(f"  {sentence}")
        new = len(collected.students) - len(collected.unchanged)
        print(f"Collected {len(collected.students)} submissions, {new} of them new or changed.")
    failed = outcome.with_status(Status.FAILED)
    print(_due(facts.due))
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


def _convert(converter: Any, trouble: str) -> None:
    """Take one of nbgrader's steps."""
    from nbgrader.converters.base import NbGraderException

    heard = logging.handlers.MemoryHandler(10_000)  # it tells its troubles as tracebacks
    converter.log = logging.Logger("nbgrader", logging.ERROR)
    converter.log.addHandler(heard)
    try:
        converter.start()
    except (NbGraderException, SystemExit) as error:
        lines = [line.getMessage().strip().splitlines()[-1:] for line in heard.buffer]
        said = next((line for (line,) in filter(None, lines) if "Error" in line), str(error))
        raise Refused(f"{trouble} ({said}). Mend it, and give the command again.") from error


def _roster(options: argparse.Namespace) -> Roster | None:
    from .classroom import roster

    with _refusing():
        return roster.read(options.roster) if options.roster else None


@contextlib.contextmanager
def _refusing() -> Iterator[None]:
    """What is wrong with a file that was given is said, and nothing else."""
    try:
        yield
    except (OSError, ValueError) as error:
        raise Refused(error) from error


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
            raise Refused(
                f"{options.collected!r} is no time such as '2026-11-20 12:00', in this machine's "
                "zone, or '2026-11-20 12:00+01:00'."
            ) from None

    def where(student: str) -> Path:
        path = coursedir.format_path(coursedir.submitted_directory, student, assignment)
        return Path(path)

    with _refusing():
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


def _introduce(book: Any, people: Roster | None, collected: Collected | None) -> None:
    """Names and numbers of students, so that tables and pages can use them."""
    if collected is not None:
        for student, number in collected.numbers.items():
            book.update_or_create_student(student, lms_user_id=number)
    if people is not None:
        there = {student.id for student in book.students}
        for person, student in zip(people.people, people.match(book.students), strict=True):
            if not student and person.student not in there:  # who has not handed in anything yet
                student = person.student
            if student:
                numbered = {"lms_user_id": person.number} if people.platform == "canvas" else {}
                book.update_or_create_student(
                    student,
                    first_name=person.first or None,
                    last_name=person.last or None,
                    email=person.email or None,
                    **numbered,
                )


def _export(options: argparse.Namespace, book: Any, people: Roster | None) -> list[tuple[str, str]]:
    from .classroom.files import write
    from .results import export

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
    path = Path(REPORTS, f"{options.assignment}-parts.csv")
    write(path, export.table(export.parts(book, options.assignment)))
    return [*found, ("each part", str(path))]


def _zones(config: Any) -> None:
    """Refuse a time zone that is not understood: it would be taken for UTC, in silence."""
    from dateutil.tz import gettz

    for where, zone in [
        ("The environment variable TZ", os.environ.get("TZ", "")),
        ("c.Exchange.timezone in nbgrader_config.py", config.Exchange.get("timezone", "")),
    ]:
        if zone and gettz(zone) is None:
            raise Refused(
                f"{where} is {zone!r}, which is no time zone that this machine knows, so that it "
                "cannot be said who is late. Names are such as 'Europe/Berlin' or 'UTC'."
            )


def _due(due: datetime | None) -> str:
    if due is None:
        return "There is no due date, so that nobody is late."
    here = due.replace(tzinfo=UTC).astimezone()
    return f"Due {here:%Y-%m-%d %H:%M} in this machine's time zone ({here:%Z}), {due:%H:%M} UTC."


def _without_password(url: str) -> str:
    from sqlalchemy import make_url

    return make_url(url).render_as_string(hide_password=True)


def _show(rows: Sequence[tuple[str, str]]) -> None:
    width = max(len(name) for name, _ in rows)
    for name, where in rows:
        print(f"  {name:<{width}}  {where}")


if __name__ == "__main__":
    sys.exit(main())
