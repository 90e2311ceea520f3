"""A process of the box that is ended from outside is no evidence against the student."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import kills
import nbformat
import psutil
import pytest
import toys

from grading.classroom.workers import TRIES, Rooms
from grading.marking.assignment import Outcome, Submission
from grading.sandbox import box
from grading.sandbox import room as execution
from grading.sandbox.inside.channel import Channel
from grading.sandbox.room import Limits, Room

HONEST = toys.ANSWERS | {"share": "def share(values):\n    return [0.5 for v in values]"}
DESERVED = toys.POINTS | {"test_share": 1.0}  # half of the four cases: an exact number
CRASH = "import ctypes\n    ctypes.string_at(0)"


@pytest.fixture(scope="module", autouse=True)
def kit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    try:
        box.check()
    except box.BoxUnavailable as error:
        pytest.skip(str(error))
    folder = tmp_path_factory.mktemp("kit")
    toys.package(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        yield


@pytest.fixture(scope="module")
def rooms(kit: None) -> Iterator[Rooms]:
    made = Rooms(toys.specification(figures=False))
    yield made
    made.close()


def hand_in(rooms: Rooms, answers: dict[str, str]) -> Outcome:
    raw = json.dumps(toys.notebook(answers)).encode()
    return rooms.mark(Submission("ada", {"toy.ipynb": raw}))


def end(warm: Any) -> None:
    """What the kernel does when the machine has no memory left: the submission's process goes."""
    (child,) = (p for p in psutil.Process(warm.process.pid).children(True) if not p.children())
    os.kill(child.pid, signal.SIGKILL)
    while child.status() != psutil.STATUS_ZOMBIE:
        time.sleep(0.001)


@pytest.fixture
def kill_at(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Has a side's process killed just before a cell needs it: one cell for each run."""

    def plan(side: str, *cells: str) -> list[str]:
        todo = list(cells)
        for name in ("_own", "_examine"):
            original = getattr(execution._Run, name)

            def dying(run: Any, *given: Any, original: Any = original) -> Any:
                cell = given[-1]
                there = run.alive[side] and cell.number not in run.without
                if todo and there and cell.label == todo[0]:
                    todo.pop(0)
                    end(run.warm[side])
                return original(run, *given)

            monkeypatch.setattr(execution._Run, name, dying)
        return todo

    return plan


@pytest.mark.parametrize(
    ("side", "cell"),
    [
        ("student", "centred"),
        ("student", "test_stack"),
        ("student", "test_share"),  # the last: nothing asks the process again
        ("examiner", "data"),
        ("examiner", "test_stack"),
        ("examiner", "test_share"),
    ],
)
def test_killed_once_costs_nothing(rooms: Rooms, kill_at: Any, side: str, cell: str) -> None:
    todo = kill_at(side, cell)
    before = rooms.made + rooms.free.empty()
    outcome = hand_in(rooms, HONEST)
    assert not todo and toys.scores(outcome) == DESERVED
    assert (outcome.status, outcome.sentence, outcome.loss) == ("marked", "", None)
    (waste,) = outcome.wasted
    assert (waste["side"], waste["cell"], waste["signal"]) == (side, cell, signal.SIGKILL)
    assert rooms.made == before + 1, "marked again in a fresh room"


def test_killed_each_time_in_a_cell_leaves_it_out(rooms: Rooms, kill_at: Any) -> None:
    todo = kill_at("student", *["test_centred"] * 4)  # the fourth in the run with hidden tests
    outcome = hand_in(rooms, HONEST)
    assert not todo and toys.scores(outcome) == DESERVED | {"test_centred": 0.0}
    assert outcome.status == "marked" and "test_centred" in outcome.sentence
    assert len(outcome.wasted) == 2 and outcome.loss is None


def test_what_needs_a_cell_that_is_left_out_fails(rooms: Rooms, kill_at: Any) -> None:
    kill_at("student", *["centred"] * 4)
    outcome = hand_in(rooms, HONEST)
    assert toys.scores(outcome) == DESERVED | {"test_centred": 0.0}
    assert "ended in the cell centred" in outcome.causes["test_centred"]


def test_killed_wherever_it_runs_it_waits_for_the_next_command(rooms: Rooms, kill_at: Any) -> None:
    cells = ["centred", "test_stack", "Stack", "test_twice", "twice"]
    assert len(cells) == TRIES
    kill_at("student", *cells)
    outcome = hand_in(rooms, HONEST)
    assert outcome.status == "failed" and "no marks yet" in outcome.sentence
    assert not outcome.scores and [w["cell"] for w in outcome.wasted] == cells
    assert toys.scores(hand_in(rooms, HONEST)) == DESERVED


def test_the_examiners_loss_is_never_a_0(rooms: Rooms, kill_at: Any) -> None:
    todo = kill_at("examiner", *["test_twice"] * 6)  # in both runs, with hidden tests and without
    outcome = hand_in(rooms, HONEST)
    assert not todo and outcome.status == "marked"
    assert toys.scores(outcome) == DESERVED | {"test_twice": None, "test_share": None}
    assert "test_twice" in outcome.sentence and not outcome.causes
    assert outcome.loss is not None and outcome.loss["side"] == "examiner"


def test_who_crashes_pays_for_the_crash_alone_and_costs_one_run_more(rooms: Rooms) -> None:
    for answers, lost in (
        ({"centred": f"def centred(x):\n    {CRASH}"}, {"test_centred"}),
        # one proof is enough for all that a notebook does to itself
        (
            {
                "centred": f"def centred(x):\n    {CRASH}",
                "twice": f"def twice(f, x):\n    {CRASH}",
            },
            {"test_centred", "test_twice"},
        ),
        ({"Stack": f"if True:\n    {CRASH}"}, {"test_stack"}),
    ):
        outcome = hand_in(rooms, HONEST | answers)
        assert toys.scores(outcome) == DESERVED | dict.fromkeys(lost, 0.0)
        assert outcome.status == "marked" and "marked without" in outcome.sentence
        assert len(outcome.wasted) == 1


def test_who_leaves_by_the_door_is_not_asked_twice(rooms: Rooms) -> None:
    answers = HONEST | {"Stack": "import os\nos._exit(3)"}
    outcome = hand_in(rooms, answers)
    lost = {"test_stack": 0.0, "test_twice": 0.0, "test_share": 0.0}
    assert toys.scores(outcome) == DESERVED | lost
    assert not outcome.wasted and "ended its own process" in outcome.sentence


def test_a_test_that_is_left_out_gives_none_of_its_names_away(kit: None) -> None:
    """A later test must not take from the student what the one that crashed would define."""
    new = nbformat.v4

    def test(name: str, source: str) -> Any:
        about = toys.marks(name, grade=True, locked=True, points=1)
        return new.new_code_cell(source, metadata={"nbgrader": about})

    cells = [
        new.new_code_cell(f"def check(v): pass\ndef f():\n    {CRASH}\ndef g(): return 5"),
        test("first", "def check(v):\n    assert v == 1\ncheck(f())"),
        test("second", "check(g())"),
    ]
    notebook = new.new_notebook(cells=cells)
    with Room(figures=False) as room:
        lost = room.run(notebook)
        assert lost.loss is not None and lost.loss.fault and lost.loss.number == 1
        done = room.run(notebook, suspects={1})
    assert done.loss is None
    names = [[o.get("ename") for o in c.outputs] for c in done.notebook.cells[1:]]
    assert names == [["NoAnswer"], ["AssertionError"]]


# ── seconds ──────────────────────────────────────────────────────────────────

BURN = (
    "import time\nbegun = time.process_time()\nwhile time.process_time() < begun + {}: pass\n'done'"
)


def run(limits: Limits, *cells: Any) -> Any:
    new = nbformat.v4.new_code_cell
    with Room(limits=limits, figures=False) as room:
        cells = tuple(new(cell) if isinstance(cell, str) else cell for cell in cells)
        return room.run(nbformat.v4.new_notebook(cells=list(cells)))


def shown(done: Any) -> list[str]:
    return [
        "".join(o.get("ename") or o.data["text/plain"] for o in c.outputs)
        for c in done.notebook.cells
    ]


def test_what_a_busy_machine_takes_is_not_the_students(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A process that has no turn for longer than its limit has used nothing of it."""
    reply = execution._Run._reply

    def starved(made: Any, side: str, steps: Any) -> Any:
        warm = psutil.Process(made.warm[side].process.pid)
        (child,) = (p for p in warm.children(True) if not p.children())
        child.suspend()
        time.sleep(2 * made.limits.cell_seconds)
        child.resume()
        return reply(made, side, steps)

    limits = Limits(seconds=2, cell_seconds=1, patience=1000)
    with Room(limits=limits, figures=False) as room:
        monkeypatch.setattr(execution._Run, "_reply", starved)
        cells = [nbformat.v4.new_code_cell(source) for source in ("1", BURN.format(0.5))]
        done = room.run(nbformat.v4.new_notebook(cells=cells))
    assert done.limit is None and shown(done) == ["1", "'done'"]
    assert done.seconds > limits.seconds > done.cpu


def counts_waiting() -> bool:
    """Whether this kernel says how long a process has waited for a processor."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        return int(Path("/proc/self/schedstat").read_text().split()[0]) > 0
    return False


@pytest.mark.skipif(not counts_waiting(), reason="this kernel does not count how long one waits")
def test_the_clock_stands_still_while_others_have_the_processor() -> None:
    limits = Limits(cell_seconds=1, patience=1)
    cells = [nbformat.v4.new_code_cell(source) for source in ("1", BURN.format(0.3))]
    with Room(limits=limits, figures=False) as room:
        processors = os.sched_getaffinity(0)
        os.sched_setaffinity(0, {min(processors)})  # what is started keeps to it, too
        try:
            with kills.busy(12):
                done = room.run(nbformat.v4.new_notebook(cells=cells))
        finally:
            os.sched_setaffinity(0, processors)
    assert done.limit is None and shown(done) == ["1", "'done'"]
    assert done.seconds > 2 * limits.cell_seconds * limits.patience


def test_the_clock_stands_still_while_the_grader_is_stopped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Ctrl-Z, and hours later fg, at each answer."""
    gone = 0.0
    receive = Channel.receive

    def stopped(channel: Channel, deadline: float) -> bytes | None:
        nonlocal gone
        data = receive(channel, deadline - gone)
        gone += 10_000
        return data

    test = nbformat.v4.new_code_cell("1.0", metadata={"nbgrader": toys.marks("test", grade=True)})
    with Room(figures=False) as room:
        clock = SimpleNamespace(monotonic=lambda: time.monotonic() + gone)
        monkeypatch.setattr(execution, "time", clock)
        monkeypatch.setattr(Channel, "receive", stopped)
        cells = [nbformat.v4.new_code_cell("1"), test]
        done = room.run(nbformat.v4.new_notebook(cells=cells))
    assert done.limit is None and shown(done) == ["1", "1.0"] and gone > 10_000


def test_processor_time_is_limited_for_a_cell_and_for_all() -> None:
    patient = {"patience": 1000}
    done = run(Limits(seconds=60, cell_seconds=0.5, **patient), BURN.format(9), "5")
    assert done.limit == "time" and shown(done) == ["KeyboardInterruptTimeLimit", "5"]
    thrice = [BURN.format(0.9)] * 3
    test = nbformat.v4.new_code_cell("1.0", metadata={"nbgrader": toys.marks("test", grade=True)})
    limits = Limits(seconds=1, own_seconds=2, cell_seconds=1.5, **patient)
    done = run(limits, *thrice, "5", test)
    assert done.limit == "time" and "own cells took longer than the 2 s" in done.sentence
    # the tests have a time of their own
    assert shown(done) == ["'done'", "'done'", "KeyboardInterruptTimeLimit", "NotRun", "1.0"]
    slow = [nbformat.v4.new_code_cell(c.source, metadata=c.metadata) for c in [test] * 3]
    for cell, source in zip(slow, (BURN.format(0.6), BURN.format(0.9), "1.0"), strict=True):
        cell.source = source
    done = run(limits, "5", *slow)
    assert "The tests took longer than the 1 s" in done.sentence
    assert shown(done)[0] == "5" and shown(done)[3] == "NotRun"


def test_processor_time_of_children_counts() -> None:
    child = "import os\nif os.fork() == 0:\n    while True: pass\nos.wait()"
    done = run(Limits(seconds=60, cell_seconds=0.5, patience=1000), child, "5")
    assert done.limit == "time" and shown(done) == ["KeyboardInterruptTimeLimit", "5"]


def test_who_only_waits_meets_the_clock() -> None:
    nap = "import time\nwhile True: time.sleep(1)"
    done = run(Limits(seconds=60, cell_seconds=0.2, patience=10), nap, "5")
    assert done.limit == "clock" and shown(done) == ["KeyboardInterruptTimeLimit", "5"]
