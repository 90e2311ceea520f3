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
    from .results.report import Facts

REPORTS = "reports"  # in the course's folder
MOST_NAMES = 12  # that are printed in one line

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
        "--again",
        metavar="PART",
        action="append",
        default=[],
        help="after its test was mended: release the assignment anew, run all that was handed "
        "in, and take over the points of this part alone; may be given several times",
    )
    words.add_argument(
        "--anonymous", action="store_true", help="leave the names out of the page of answers"
    )
    words.add_argument(
        "--unsafe",
        action="store_true",
        help="run submissions without a box: students' programs can then read and change "
        "everything that you can",
    )
    return words


def _path(text: str) -> Path:
    """Make a path absolute, since the course may lie elsewhere; ~ is not left to the shell."""
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
        logger.error(sentence(error))
    except KeyboardInterrupt:
        logger.error("Stopped. What was marked is kept: give the command again for the rest.")
    except NbGraderException:  # it has been said
        pass
    return 1


def _configuration(options: argparse.Namespace) -> Any:
    """Read what nbgrader reads, its file in Jupyter's folders, then in this one; and the command.

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
    from sqlalchemy import make_url

    from .classroom import log
    from .classroom.gradebook import opened, parts
    from .marking.assignment import Status
    from .results import feedback, report

    _zones(autograde.config)
    coursedir, assignment = autograde.coursedir, options.assignment
    source = Path(coursedir.format_path(coursedir.source_directory, ".", assignment))
    trail = log.path(coursedir.root, assignment)
    people = _roster(options)
    with opened(coursedir.db_url, coursedir.course_id) as book:
        try:
            known = {part.name for part in parts(book, assignment)}
        except MissingEntry:
            known = set()
        if not known and not source.is_dir():
            raise Refused(f"There is no assignment {assignment} in {source.parent}.")
        if unknown := set(options.again) - known:
            raise Refused(
                f"{assignment} has no part {', '.join(sorted(unknown))}; its parts are "
                f"{', '.join(sorted(known))}."
            )
        if not known or options.again:  # the gradebook learns what the assignment is
            step = GenerateAssignment(coursedir=coursedir, config=autograde.config)
            step.force = True
            _convert(step, f"{assignment} could not be released")
        collected = _collect(options, coursedir, book, people) if options.submissions else None

    outcome = autograde.mark(assignment, options.again)
    if not outcome.marked and not outcome.kept:
        raise Refused(f"Nothing was handed in for {assignment}: a zip file or a folder?")

    with opened(coursedir.db_url, coursedir.course_id) as book:
        _introduce(book, people, collected)
        keys = feedback.keys(coursedir, book, assignment)
        written = log.last(log.read(trail), "feedback", "keys")
        pages = feedback.ChangedFeedback(
            keys, written, coursedir=coursedir, config=autograde.config
        )
        _convert(pages, "No feedback could be written")
        with log.opened(trail) as file:
            if pages.made:
                file.write("feedback", keys=pages.made)
            if collected and collected.before:
                file.write("collected", before=collected.before)
        facts = report.gather(coursedir, book, assignment)
        made = _write(options, coursedir, book, people, facts)

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
    if facts.absent:
        print(f"Handed in nothing ({len(facts.absent)}): {_some(facts.absent)}.")
    if facts.waiting:
        print(f"{facts.waiting} wait for the marker, and have no mark in the tables yet:")
        print("  .venv/bin/jupyter lab, menu Nbgrader, Formgrader, then this command again.")
    shown = [
        ("gradebook", make_url(coursedir.db_url).render_as_string(hide_password=True)),
        ("feedback", f"{coursedir.feedback_directory}/STUDENT/{assignment}/"),
        *made,
    ]
    width = max(len(name) for name, _ in shown)
    for name, where in shown:
        print(f"  {name:<{width}}  {where}")
    return 1 if failed else 0


def _some(names: Sequence[str]) -> str:
    """Name the first of many."""
    more = len(names) - MOST_NAMES
    return ", ".join(names[:MOST_NAMES]) + (f", and {more} more (see the report)" * (more > 0))


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
    """Say what is wrong with a file that was given, and nothing else."""
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
    """Tell the gradebook names and numbers of students, so that tables and pages can use them."""
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


def _write(
    options: argparse.Namespace, coursedir: Any, book: Any, people: Roster | None, facts: Facts
) -> list[tuple[str, str]]:
    """Write what is for the platform and for the instructor: what each is, and where."""
    from .classroom import log
    from .classroom.files import write
    from .results import answers, export, report

    assignment, made = options.assignment, []

    def keep(what: str, name: str, content: str | bytes) -> None:
        path = Path(REPORTS, f"{assignment}{name}")
        write(path, content)
        made.append((what, str(path)))

    def pages(student: str) -> str:
        return coursedir.format_path(coursedir.feedback_directory, student, assignment)

    rows: Callable[..., list[list[str]]]
    for shown, rows in (("Canvas", export.canvas), ("Moodle", export.moodle)):
        platform = shown.lower()
        if people is not None and people.platform != platform:
            continue
        table = rows(book, [assignment], people, provisional=options.provisional)
        keep(f"for {shown}", f"-{platform}.csv", export.table(table))
        known = {}
        if platform == "moodle" and people is not None:
            known = export.for_moodle(book, people)
        elif platform == "canvas":
            trail = log.read(log.path(coursedir.root, assignment))
            known = export.for_canvas(log.last(trail, "collected", "before"))
        if known:
            final = export.marks(book, assignment, options.provisional)
            keep("", f"-{platform}-feedback.zip", export.returned(pages, known, final))
    keep("each part", "-parts.csv", export.table(export.by_parts(book, assignment)))
    page = answers.page(coursedir, book, assignment, Path(REPORTS), options.anonymous)
    keep("answers", "-answers.html", page)
    keep("report", ".html", report.render(facts))
    return made


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


if __name__ == "__main__":
    sys.exit(main())
