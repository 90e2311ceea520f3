"""A batch ends with one mark for everybody, whatever is killed on the way."""

from __future__ import annotations

import html
import itertools
import json
import logging
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

import classes
import pytest
from nbgrader.api import Gradebook
from nbgrader.plugins import LateSubmissionPlugin

from grading.classroom import batch, log, workers
from grading.classroom.batch import Settings
from grading.marking.assignment import Outcome, Specification, Submission, environment
from grading.results.report import gather, render
from grading.sandbox.room import Loss

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("template")
    classes.course(folder)
    return folder


@pytest.fixture
def coursedir(template: Path, tmp_path: Path) -> Any:
    shutil.copytree(template, tmp_path / "course")
    return classes.opened(tmp_path / "course")


@pytest.fixture(autouse=True)
def without_a_box(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Specification, "room", lambda self: classes.OpenRoom())


def run(coursedir: Any, **about: Any) -> batch.Report:
    return batch.grade(coursedir, classes.ASSIGNMENT, Settings(jobs=2), **about)


def scores(coursedir: Any) -> dict[str, dict[str, float | None]]:
    """As the gradebook has them, for everybody."""
    with Gradebook(coursedir.db_url, classes.COURSE) as book:
        return {
            submission.student_id: {
                grade.name: grade.auto_score
                for notebook in submission.notebooks
                for grade in notebook.grades
            }
            for submission in book.assignment_submissions(classes.ASSIGNMENT)
        }


def hand_in_some(coursedir: Any, count: int) -> dict[str, dict[str, float]]:
    """A class, and what each deserves."""
    deserved = {}
    for number in range(count):
        wrong = ("mean",) if number % 3 == 0 else ()
        student = f"s{number:03}"
        classes.hand_in(coursedir, student, classes.solved(coursedir, wrong))
        deserved[student] = classes.FULL | {"words": 0.0} | {f"test_{w}": 0.0 for w in wrong}
    return deserved


def events(coursedir: Any, kind: str = "outcome") -> list[dict[str, Any]]:
    lines = log.read(log.path(coursedir.root, classes.ASSIGNMENT))
    return [line for line in lines if line["event"] == kind]


def test_everybody_gets_what_they_deserve(coursedir: Any) -> None:
    deserved = hand_in_some(coursedir, 7)
    classes.hand_in(coursedir, "zoe", b"{")
    report = run(coursedir)
    assert scores(coursedir) == deserved | {"zoe": dict.fromkeys([*classes.FULL, "words"], 0.0)}
    assert set(report.with_status("malformed")) == {"zoe"}
    for student in scores(coursedir):
        path = Path(coursedir.root, "autograded", student, "ps1", "ps1.ipynb")
        assert path.stat().st_mode & 0o777 == 0o444
        assert ("not JSON" in path.read_text()) == (student == "zoe")


def test_only_what_changed_is_marked_again(coursedir: Any) -> None:
    hand_in_some(coursedir, 5)
    assert len(run(coursedir).marked) == 5
    again = run(coursedir)
    assert (len(again.marked), len(again.kept)) == (0, 5)
    classes.hand_in(coursedir, "s000", classes.solved(coursedir))
    assert list(run(coursedir).marked) == ["s000"]
    assert scores(coursedir)["s000"]["test_mean"] == 2
    # what was handed in before comes back: the notebook in autograded/ is the newer one's
    classes.hand_in(coursedir, "s000", classes.solved(coursedir, ("mean",)))
    assert list(run(coursedir).marked) == ["s000"]
    assert scores(coursedir)["s000"]["test_mean"] == 0
    shutil.rmtree(Path(coursedir.root, "autograded", "s001"))
    assert list(run(coursedir).marked) == ["s001"]
    assert len(run(coursedir, force=True).marked) == 5
    assert list(run(coursedir, students=["s003"], force=True).marked) == ["s003"]


def test_a_changed_test_marks_everybody_again(coursedir: Any) -> None:
    hand_in_some(coursedir, 3)
    run(coursedir)
    notebook = classes.source()
    test = next(cell for cell in notebook.cells if cell.id == "test_clip")
    test.source = "assert clip(5, 0, 1) == 2, 'clip is another function now'"
    classes.release(coursedir, notebook=notebook)
    assert len(run(coursedir).marked) == 3
    assert {line["test_clip"] for line in scores(coursedir).values()} == {0.0}


def test_what_the_gradebook_lost_comes_back_from_the_log(coursedir: Any) -> None:
    deserved = hand_in_some(coursedir, 4)
    run(coursedir)
    with Gradebook(coursedir.db_url, classes.COURSE) as book:
        book.remove_submission(classes.ASSIGNMENT, "s002")
    assert "s002" not in scores(coursedir)
    assert not run(coursedir).marked
    assert scores(coursedir) == deserved


def test_marks_and_comments_of_a_person_stay(coursedir: Any) -> None:
    notebook = classes.solved(coursedir)
    classes.cell_of(notebook, "words")["source"] = "My words."
    classes.hand_in(coursedir, "ada", notebook)
    run(coursedir)

    def grade(**changes: Any) -> tuple[Any, ...]:
        with Gradebook(coursedir.db_url, classes.COURSE) as book:
            grade = book.find_grade("words", "ps1", "ps1", "ada")
            comment = book.find_comment("words", "ps1", "ps1", "ada")
            for name, value in changes.items():
                setattr(comment if name == "manual_comment" else grade, name, value)
            book.db.commit()
            return grade.auto_score, grade.manual_score, grade.needs_manual_grade, comment.comment

    assert grade() == (None, None, True, None)
    by_hand = grade(manual_score=3.5, needs_manual_grade=False, manual_comment="Fine.")
    run(coursedir)
    assert grade() == by_hand, "nothing changed: nothing is asked of the marker again"
    folder = Path(coursedir.root, "submitted", "ada", classes.ASSIGNMENT)
    (folder / "timestamp.txt").write_text("2030-01-01 12:00:00 UTC")
    run(coursedir)
    assert grade() == by_hand, "only the time of collection changed"
    classes.cell_of(notebook, "words")["source"] = "Other words."
    classes.hand_in(coursedir, "ada", notebook)
    run(coursedir)
    assert grade() == (None, 3.5, True, "Fine.")
    grade(needs_manual_grade=False)
    run(coursedir, force=True)
    assert grade() == (None, 3.5, False, "Fine."), "the same words have their mark"
    with Gradebook(coursedir.db_url, classes.COURSE) as book:  # over a machine's mark, too
        test = book.find_grade("test_mean", "ps1", "ps1", "ada")
        test.manual_score = 1.0
        book.db.commit()
        run(coursedir, force=True)
        book.db.expire_all()
        assert (test.auto_score, test.score, test.needs_manual_grade) == (2.0, 1.0, False)
        classes.cell_of(notebook, "mean")["source"] = "def mean(x):\n    return 0"
        classes.hand_in(coursedir, "ada", notebook)
        run(coursedir)
        book.db.expire_all()
        assert (test.auto_score, test.score, test.needs_manual_grade) == (0.0, 1.0, True)


def test_an_exercise_is_marked_again_alone(coursedir: Any) -> None:
    """Two tests are mended; the points of one are taken over, of work that has not changed."""
    old = classes.solved(coursedir, wrong=("add", "mean"))
    classes.cell_of(old, "words")["source"] = "My words."
    for student in ("ada", "ben"):
        classes.hand_in(coursedir, student, old)
    run(coursedir)
    with Gradebook(coursedir.db_url, classes.COURSE) as book:
        for name, points in (("words", 3.0), ("test_clip", 0.5)):
            grade = book.find_grade(name, "ps1", "ps1", "ada")
            grade.manual_score, grade.needs_manual_grade = points, False
        book.db.commit()
    mended = classes.source()
    for cell in mended.cells:
        if cell.id in ("test_add", "test_mean"):
            cell.source = "assert True"
    classes.release(coursedir, notebook=mended)
    classes.hand_in(coursedir, "ben", classes.solved(coursedir, wrong=("clip",)))
    assert set(run(coursedir, parts=["test_add"]).marked) == {"ada", "ben"}
    with Gradebook(coursedir.db_url, classes.COURSE) as book:

        def grade(student: str, name: str) -> tuple[Any, ...]:
            found = book.find_grade(name, "ps1", "ps1", student)
            return found.auto_score, found.manual_score, bool(found.needs_manual_grade)

        assert grade("ada", "test_add") == (2.0, None, False)
        assert grade("ada", "test_mean") == (0.0, None, False), "this one was not asked for"
        assert grade("ada", "words") == (None, 3.0, False)
        assert grade("ada", "test_clip") == (1.0, 0.5, False)
        assert grade("ben", "test_mean") == (2.0, None, False), "ben's work is new"
        assert grade("ben", "test_clip") == (0.0, None, False)
    assert not run(coursedir).marked


def test_the_collectors_time_and_the_penalty(coursedir: Any) -> None:
    for student, day in (("ada", 1), ("ben", 3)):
        folder = classes.hand_in(coursedir, student, classes.solved(coursedir))
        (folder / "timestamp.txt").write_text(f"2030-01-0{day} 12:00:00 UTC")
    with Gradebook(coursedir.db_url, classes.COURSE) as book:
        book.update_or_create_assignment(classes.ASSIGNMENT, duedate="2030-01-02")

    class Rule(LateSubmissionPlugin):
        def late_submission_penalty(self, _: str, score: float, seconds: float) -> float:
            assert score == 8
            return seconds / 86400

    def penalties() -> dict[str, float | None]:
        with Gradebook(coursedir.db_url, classes.COURSE) as book:
            return {
                name: book.find_submission_notebook("ps1", "ps1", name).late_submission_penalty
                for name in ("ada", "ben")
            }

    run(coursedir, lateness=Rule())
    assert penalties() == pytest.approx({"ada": None, "ben": 1.5})
    folder = Path(coursedir.root, "submitted", "ben", "ps1")
    (folder / "timestamp.txt").write_text("2030-01-01 12:00:00 UTC")
    assert not run(coursedir, lateness=Rule()).marked, "the time is no reason to run it again"
    assert penalties() == {"ada": None, "ben": None}


def test_a_time_in_an_unknown_zone_is_not_taken_for_utc(caplog: pytest.LogCaptureFixture) -> None:
    def time(text: str) -> Any:
        submission = Submission("ada", {"timestamp.txt": text.encode()})
        return batch._timestamp(submission, logging.getLogger("test"))

    assert time("2030-01-01 12:00:00 Europe/Berlin") == datetime(2030, 1, 1, 11)
    assert not caplog.messages
    assert time("2030-01-01 12:00:00 Nowhere/Else") is None
    assert "ada: its timestamp.txt names a time zone that is not understood" in caplog.text


def test_a_grader_that_fails_gives_no_mark_and_tries_again(
    coursedir: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    deserved = hand_in_some(coursedir, 4)

    class Breaking(classes.OpenRoom):
        def run(self, notebook: Any, **more: Any) -> Any:
            if any("ben's" in cell.source for cell in notebook.cells):
                raise ConnectionResetError("the box is gone")
            return super().run(notebook, **more)

    made = []
    monkeypatch.setattr(Specification, "room", lambda self: made.append(1) or Breaking())
    notebook = classes.solved(coursedir)
    notebook["cells"][0]["source"] = "ben's"
    classes.hand_in(coursedir, "ben", notebook)
    report = run(coursedir)
    assert list(report.with_status("failed")) == ["ben"]
    assert "the box is gone" in report.marked["ben"]["sentence"]
    assert scores(coursedir) == deserved
    monkeypatch.setattr(Specification, "room", lambda self: classes.OpenRoom())
    assert list(run(coursedir).marked) == ["ben"]
    assert len(scores(coursedir)) == 5


def test_a_test_that_was_not_decided_waits_is_listed_and_marked_by_the_next_run(
    coursedir: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    deserved = hand_in_some(coursedir, 2)
    loss = Loss("examiner", 4, "test_mean", signal.SIGKILL)
    undecided = ["test_mean", "test_scale", "test_clip"]

    class Examinerless(classes.OpenRoom):
        def run(self, notebook: Any, **more: Any) -> Any:
            done = super().run(notebook, **more)
            done.loss, done.unmarked, done.sentence = loss, undecided, "The tests' process ended."
            return done

    monkeypatch.setattr(Specification, "room", lambda self: Examinerless())
    assert set(run(coursedir).marked) == set(deserved)
    for student, points in deserved.items():
        assert scores(coursedir)[student] == points | dict.fromkeys(undecided)
    with Gradebook(coursedir.db_url, classes.COURSE) as book:
        submitted = book.find_submission(classes.ASSIGNMENT, "s000")
        assert submitted.needs_manual_grade and submitted.score == deserved["s000"]["test_add"]
        facts = gather(coursedir, book, classes.ASSIGNMENT)
    assert facts.waiting == 2 and not facts.causes
    listed = html.unescape(render(facts))
    assert listed.count("The tests' process ended.") == 2
    assert "4 runs were repeated" in listed
    lines = events(coursedir)
    assert [len(line["wasted"]) for line in lines] == [2, 2]
    assert all(line["loss"]["cell"] == "test_mean" for line in lines)

    monkeypatch.setattr(Specification, "room", lambda self: classes.OpenRoom())
    assert set(run(coursedir).marked) == set(deserved)
    assert scores(coursedir) == deserved
    assert not run(coursedir).marked


def test_a_room_that_dies_once_costs_nobody_a_mark(
    coursedir: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    deserved = hand_in_some(coursedir, 12)
    dice = random.Random(1)

    class Dying(classes.OpenRoom):
        uses = 0

        def run(self, notebook: Any, **more: Any) -> Any:
            self.uses += "HIDDEN TESTS" in str(notebook)  # the second of two runs
            if self.uses > 1 and dice.random() < 0.5:  # never at once: a new room is tried once
                raise BrokenPipeError("killed")
            return super().run(notebook, **more)

    monkeypatch.setattr(Specification, "room", lambda self: Dying())
    run(coursedir)
    assert scores(coursedir) == deserved


def test_missing_boxes_end_the_run_before_any_mark(
    coursedir: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    hand_in_some(coursedir, 2)

    def none(self: Any) -> Any:
        raise RuntimeError("no bubblewrap here")

    monkeypatch.setattr(Specification, "room", none)
    with pytest.raises(RuntimeError, match="no bubblewrap"):
        run(coursedir)
    assert scores(coursedir) == {} and not events(coursedir)


def test_a_student_cannot_write_over_the_assignments_files(coursedir: Any) -> None:
    data = Path(coursedir.root, "source", "ps1", "data")
    data.mkdir()
    (data / "x.csv").write_text("ours")
    folder = classes.hand_in(coursedir, "ada", classes.solved(coursedir))
    (folder / "data").write_text("a file where a folder should be")
    (folder / "page.html").write_text("<script>")
    (folder / "plot.png").write_bytes(b"picture")
    run(coursedir)
    made = Path(coursedir.root, "autograded", "ada", "ps1")
    assert sorted(str(p.relative_to(made)) for p in made.rglob("*") if p.is_file()) == [
        "data/x.csv",
        "plot.png",
        "ps1.ipynb",
    ]
    assert (made / "data" / "x.csv").read_text() == "ours"


def test_an_unreleased_assignment_is_a_sentence(coursedir: Any) -> None:
    classes.hand_in(coursedir, "ada", b"{}", name="ps9")
    with pytest.raises(LookupError, match="nbgrader generate_assignment ps9"):
        batch.grade(coursedir, "ps9")


def test_students_may_have_to_be_known(coursedir: Any, caplog: Any) -> None:
    hand_in_some(coursedir, 2)
    with Gradebook(coursedir.db_url, classes.COURSE) as book:
        book.add_student("s001")
    with caplog.at_level(logging.ERROR):
        run(coursedir, create_students=False)
    assert list(scores(coursedir)) == ["s001"]
    assert "s000 is not in the gradebook" in caplog.text


# the log


def test_a_torn_last_line_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "log" / "ps1.jsonl"
    with log.opened(path) as trail:
        trail.write("outcome", student="ada", key="1")
        trail.write("outcome", student="ben", key="2")
    whole = path.read_bytes()
    for cut in range(1, 40):
        path.write_bytes(whole[:-cut])
        with log.opened(path) as trail:
            trail.write("outcome", student="cyd", key="3")
        students = set(log.outcomes(log.read(path)))
        assert students == ({"ada", "ben", "cyd"} if cut == 1 else {"ada", "cyd"})


# kills

RUNNER = """
import itertools, signal, sys, time
sys.path.insert(0, {here!r})
import classes
from grading.classroom import batch
from grading.marking.assignment import Specification

def end_after(runs):
    if runs == {runs}:  # by the kernel's clock: who would send a kill may come late
        signal.setitimer(signal.ITIMER_REAL, {seconds})

class Slow(classes.OpenRoom):
    def run(self, notebook, **more):
        time.sleep(0.01)
        if "HIDDEN TESTS" in str(notebook):  # the second of two runs
            with open({ran!r}, "a") as file:
                file.write("run\\n")
            end_after(next(runs))
        return super().run(notebook, **more)

runs = itertools.count(1)
Specification.room = lambda self: Slow()
end_after(0)
batch.grade(classes.opened({root!r}), classes.ASSIGNMENT, batch.Settings(jobs=2))
"""


ENVIRONMENT = os.environ | {"PYTHONPATH": str(HERE.parents[1]), "PYTHONWARNINGS": "ignore"}


def runner(coursedir: Any, ran: Path, runs: int = -1, seconds: float = 0.0) -> str:
    """A program that marks, and is ended so many seconds after so many runs began."""
    place = {"here": str(HERE), "ran": str(ran), "root": coursedir.root}
    return RUNNER.format(**place, runs=runs, seconds=seconds)


def test_a_run_killed_at_any_moment_loses_and_repeats_nothing(
    coursedir: Any, tmp_path: Path
) -> None:
    deserved = hand_in_some(coursedir, 30)
    ran = tmp_path / "ran"
    ran.touch()
    dice = random.Random(4)
    kills = 0
    while True:
        # at a moment between the start and what follows the third submission
        end = (dice.randint(0, 3), dice.uniform(0.001, 0.05)) if kills < 8 else ()
        code = runner(coursedir, ran, *end)
        code_of_end = subprocess.run([sys.executable, "-c", code], env=ENVIRONMENT).returncode
        if code_of_end == 0:
            break
        assert code_of_end == -signal.SIGALRM
        kills += 1
        # at no moment has anybody half of their marks
        assert all(marks == deserved[student] for student, marks in scores(coursedir).items())
    assert kills >= 3
    assert scores(coursedir) == deserved
    done = Counter(line["student"] for line in events(coursedir))
    assert done == dict.fromkeys(deserved, 1), "nobody was marked twice"
    # a run that was cut off in the middle of a submission is no mark: at most two at each kill
    assert 30 <= len(ran.read_text().splitlines()) <= 30 + 2 * kills
    assert not run(coursedir).marked


# Ctrl-C after the third submission, by the run itself: whoever waits for that outside may come late
INTERRUPTED = """
import itertools, os, signal
from grading.classroom import log
signal.signal(signal.SIGINT, signal.default_int_handler)  # what runs in the background ignores it
write, outcomes = log.Log.write, itertools.count(1)

def interrupted(self, event, **about):
    written = write(self, event, **about)
    if event == "outcome" and next(outcomes) == 3:
        os.kill(os.getpid(), signal.SIGINT)
    return written

log.Log.write = interrupted
"""


@pytest.mark.parametrize("how", ["Ctrl-C", "full disk"])
def test_what_stops_a_run_is_one_sentence_and_the_next_run_goes_on(
    coursedir: Any, tmp_path: Path, how: str
) -> None:
    hand_in_some(coursedir, 1)
    run(coursedir)
    deserved = hand_in_some(coursedir, 30)
    Path(coursedir.root, "nbgrader_config.py").write_text(
        "from grading.plugin import configure\n"
        f"c = get_config()\nc.CourseDirectory.course_id = {classes.COURSE!r}\nconfigure(c)\n"
    )
    code, _ = runner(coursedir, tmp_path / "ran").rsplit("\n", 2)[:2]
    if how == "Ctrl-C":
        code += INTERRUPTED
    if how == "full disk":  # no file may grow beyond the gradebook
        most = Path(coursedir.root, "gradebook.db").stat().st_size
        code += f"\nimport resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({most}, {most}))"
    code += "\nfrom grading.__main__ import main; sys.exit(main(['ps1', '--mark-only']))"
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        env=ENVIRONMENT,
        cwd=coursedir.root,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    _, said = process.communicate(timeout=1800)
    assert process.returncode == 1 and "Traceback" not in said
    (sentence,) = [line for line in said.splitlines() if line.startswith("ERROR")]
    assert sentence.endswith(("give the command again.", "give the command again for the rest."))
    done = Counter(line["student"] for line in events(coursedir))
    assert len(done) > 1, "what was marked is in the log"
    assert len(run(coursedir).marked) == 30 - len(done)
    assert scores(coursedir) == deserved


@pytest.mark.parametrize("where", ["before the log", "before the gradebook", "before the end"])
def test_killed_between_two_steps(
    coursedir: Any, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    deserved = hand_in_some(coursedir, 6)

    class Killed(BaseException):
        pass

    write = log.Log.write

    def dying(self: Any, event: str, **about: Any) -> Any:
        if where == "before the log" and about.get("student") == "s003":
            raise Killed
        if where == "before the end" and event == "merged":
            raise Killed
        return write(self, event, **about)

    def no_merge(*_: Any, **__: Any) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(log.Log, "write", dying)
        if where != "before the end":
            patch.setattr(batch.gradebook, "merge", no_merge)
        with pytest.raises(Killed):
            run(coursedir)
    known = {line["student"] for line in events(coursedir)}
    again = run(coursedir)
    assert set(again.marked) == deserved.keys() - known
    assert scores(coursedir) == deserved
    assert not run(coursedir).marked


def test_what_is_in_hand_does_not_grow_with_the_class(coursedir: Any) -> None:
    hand_in_some(coursedir, 1)
    read = []

    def submissions() -> Any:
        for number in range(100):
            read.append(number)
            yield Submission(f"s{number}", {})

    spec = Specification("ps1", ())
    ahead = []
    for done, _ in enumerate(workers.here(spec, submissions(), 2, make=classes.OpenRoom)):
        ahead.append(len(read) - done)
    assert max(ahead) <= 2 * workers.AHEAD + 1


def test_a_second_room_comes_when_there_is_work_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for pace, rooms in ((0.01, 1), (1.0, 3)):
        made: list[Any] = []
        begun, all_there = itertools.count(1), threading.Event()

        def room(made: list[Any] = made, rooms: int = rooms, there: Any = all_there) -> Any:
            made.append(classes.OpenRoom())
            if len(made) == rooms:
                there.set()
            return made[-1]

        def mark(*_: Any, pace: float = pace, begun: Any = begun, there: Any = all_there) -> Any:
            # two results decide that more rooms are wanted; what comes then waits for them
            if next(begun) > 2 and not there.wait(60):
                there.set()
            return Outcome("marked", seconds=pace)

        monkeypatch.setattr(workers, "mark", mark)
        done: list[Any] = []
        submissions = [Submission(f"s{number}", {}) for number in range(30)]
        results = workers.here(
            Specification("ps1", ()), submissions, 3, lambda d=done: 30 - len(d), room
        )
        for result in results:
            done.append(result)
        assert len(made) == rooms and len(done) == 30


def test_a_worker_with_other_versions_marks_nothing() -> None:
    about = environment(())
    same = Specification("ps1", (), environment=about)
    assert workers.task(same.to_json(), "ada", {}, {}, 0)["status"] == "marked"
    other = Specification("ps1", (), environment=about | {"numpy": "1.26.4"})
    with pytest.raises(RuntimeError, match=r"instead of 1\.26\.4"):
        workers.task(other.to_json(), "ada", {}, {}, 0)


def test_two_runs_wait_for_each_other(coursedir: Any, caplog: Any) -> None:
    deserved = hand_in_some(coursedir, 4)
    path = log.path(coursedir.root, classes.ASSIGNMENT)
    reports: list[batch.Report] = []
    with log.opened(path):
        threads = [
            threading.Thread(target=lambda: reports.append(run(coursedir))) for _ in range(3)
        ]
        for thread in threads:
            thread.start()
        while caplog.text.count("Another run is marking ps1") < 3:
            time.sleep(0.01)
        assert not reports
    for thread in threads:
        thread.join()
    assert sorted(len(report.marked) for report in reports) == [0, 0, 4]
    assert scores(coursedir) == deserved


def test_the_specification_travels_as_json(coursedir: Any) -> None:
    (Path(coursedir.root) / "source" / "ps1" / "raw.bin").write_bytes(bytes(range(256)))
    from grading.classroom import gradebook

    with gradebook.opened(coursedir.db_url, classes.COURSE) as book:
        spec = batch.specification(book, coursedir, "ps1", Settings(packages=("grading",)))
    again = Specification.from_json(spec.to_json())
    assert again == spec and again.digest == spec.digest
    assert json.loads(spec.to_json())["assignment"] == "ps1"
    assert spec.environment["grading"] and spec.environment["numpy"]
