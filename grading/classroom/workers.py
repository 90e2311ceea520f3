"""Where submissions are marked: in threads here, or on the workers of a Dask cluster.

A thread here costs little, since the work is done in the two processes of its `Room`.
A worker elsewhere gets one submission at a time, with the specification; it holds neither
the gradebook nor what others handed in. Whatever is killed, every submission ends with
exactly one outcome, or the run ends.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import platform
import queue
import threading
from asyncio import CancelledError
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from ..marking.assignment import Outcome, Specification, Status, Submission, environment
from ..marking.mark import mark
from ..sandbox.box import BoxUnavailable

if TYPE_CHECKING:
    from ..sandbox.room import Room

WORTH = 5.0  # seconds of work ahead of each room that are worth the start of one more
TRIES = 5  # runs of a submission whose box breaks, or whose processes are ended, each time
REACH = 20  # seconds to find a scheduler
AHEAD = 2  # submissions read ahead, for each worker


class Rooms:
    """The rooms of one specification: taken for a submission and given back."""

    def __init__(self, spec: Specification, make: Callable[[], Room] | None = None) -> None:
        self.spec = spec
        self.make = make or spec.room
        self.free: queue.SimpleQueue[Room] = queue.SimpleQueue()
        self.made = 0
        self.number = 0  # at once; 0 for as many as ask
        self.turn = threading.Semaphore(0)

    def one_more(self) -> None:
        """Let one more submission run at once."""
        self.number += 1
        self.turn.release()

    def mark(self, submission: Submission) -> Outcome:
        """Mark a submission; if the room breaks, once more in a new one.

        Once more also if one of its two processes was ended from outside: that is no evidence
        of anything. Where it happens in the same cell again, `_proven` decides. What was run
        for nothing is kept in the outcome.
        """
        wasted: list[dict[str, Any]] = []
        while len(wasted) < TRIES:
            room = None
            try:
                # after a break a new one: those that are free may be broken too
                room = self._new() if wasted else self._taken()
                outcome = mark(self.spec, submission, room, _proven(wasted, "student"))
            except BoxUnavailable:
                raise
            except Exception as error:
                said = f"{type(error).__name__}: {error}"
                if not self.made and len(wasted) + 1 == TRIES:  # what is wrong is not in the work
                    raise BoxUnavailable(f"No sandbox could be started ({said}).") from error
                wasted.append({"said": said})
            except BaseException:
                _close(room)
                raise
            else:
                outcome.wasted = wasted
                if outcome.loss is None:
                    self.free.put(room)
                    return outcome
                cost = {"seconds": outcome.seconds, "cpu": outcome.cpu}
                wasted = [*wasted, outcome.loss | cost | {"said": outcome.sentence}]
                if _proven(wasted, "examiner"):
                    _close(room)
                    return outcome
            _close(room)
        return _failed(wasted[-1]["said"], wasted)

    def _taken(self) -> Room:
        try:
            return self.free.get_nowait()
        except queue.Empty:
            return self._new()

    def _new(self) -> Room:
        room = self.make()
        self.made += 1
        return room

    def close(self) -> None:
        with contextlib.suppress(queue.Empty):
            while True:
                _close(self.free.get_nowait())


def _proven(wasted: Sequence[Mapping[str, Any]], side: str) -> set[tuple[str, int]]:
    """Find the cells at which a process of this side is lost each time, by notebook and number.

    A process that ended by a fault of its own, such as a wrong address, has ended itself, and
    one repetition proves it. A signal from outside may hit the same cell twice by chance, where
    it takes long.
    """
    lost = [loss for loss in wasted if loss.get("side") == side]
    times = Counter((loss["notebook"], loss["number"]) for loss in lost)
    faults = {(loss["notebook"], loss["number"]) for loss in lost if loss["fault"]}
    # the student's process gets one more run, in which the cell is left out if it is lost again
    more = side == "student"
    return {cell for cell, count in times.items() if count + more >= (2 if cell in faults else 3)}


def _failed(said: str, wasted: Sequence[dict[str, Any]] = ()) -> Outcome:
    sentence = f"The grader failed, and this submission has no marks yet ({said})."
    return Outcome(Status.FAILED, sentence, wasted=list(wasted))


def _close(room: Room | None) -> None:
    with contextlib.suppress(Exception):  # it may be dead already
        if room is not None:
            room.__exit__(None, None, None)


def here(
    spec: Specification,
    submissions: Iterable[Submission],
    jobs: int = 0,
    left: Callable[[], int] | None = None,
    make: Callable[[], Room] | None = None,
) -> Generator[tuple[Submission, Outcome]]:
    """Mark in threads, each with a room of its own; results come as they are ready.

    It begins with one room, and takes another whenever there is enough to do for it: to
    start one costs as much as to mark some twenty light submissions.

    Parameters
    ----------
    spec : Specification
    submissions : iterable of Submission
        Read as they are needed.
    jobs : int, optional
        The most rooms; by default, as many as this process has cores.
    left : function, optional
        How many submissions there still are, at most.
    make : function, optional
        Makes a room; by default `spec.room`.

    Yields
    ------
    Submission, Outcome
    """
    jobs = jobs or len(os.sched_getaffinity(0))
    rooms = Rooms(spec, make)
    pool = ThreadPoolExecutor(jobs, thread_name_prefix="grading")

    def in_turn(one: Submission) -> Outcome:
        with rooms.turn:
            return rooms.mark(one)

    seconds = count = 0.0
    rooms.one_more()
    try:
        for submission, outcome in _flow(
            submissions, AHEAD * jobs, lambda one: pool.submit(in_turn, one), _first_of_threads
        ):
            seconds, count = seconds + outcome.seconds, count + 1
            if rooms.number < jobs and left is not None:
                ahead = seconds / count * left() / rooms.number
                if ahead > WORTH:
                    rooms.one_more()
            yield submission, outcome
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
        rooms.close()


def on_dask(
    spec: Specification, submissions: Iterable[Submission], address: str
) -> Generator[tuple[Submission, Outcome]]:
    """Mark on a Dask cluster: one task a submission.

    Parameters
    ----------
    spec : Specification
    submissions : iterable of Submission
    address : str
        Of the scheduler, "tcp://host:8786". Its workers need this package, nbgrader,
        bubblewrap, and the packages that the specification names.

    Yields
    ------
    Submission, Outcome
        "failed", where the cluster gave up on a submission after killing several workers.

    Raises
    ------
    ConnectionError
        There is no scheduler, or no longer.
    """
    from distributed import Client
    from distributed import wait as wait_for
    from distributed.client import FuturesCancelledError

    told = spec.to_json()  # with each task: what is only scattered dies with the worker it is on
    try:
        client = Client(address, set_as_default=False, name="grading", timeout=REACH)
    except OSError:
        raise ConnectionError(
            f"There is no Dask scheduler at {address}, or it does not answer."
        ) from None
    with client, client.as_current():
        threads = sum(client.nthreads().values()) or 1

        lost = ConnectionError(
            f"The Dask scheduler at {address} was lost. What has been marked is kept; "
            "run it again for the rest."
        )

        def first(futures: set[Any]) -> set[Any]:
            try:
                return set(wait_for(futures, return_when="FIRST_COMPLETED").done)
            except FuturesCancelledError:
                raise lost from None

        def submit(one: Submission) -> Any:
            files = dict(one.files)
            return client.submit(
                task, told, one.student, files, dict(one.unread), one.seed, pure=False, retries=1
            )

        for submission, future in _flow(submissions, AHEAD * threads, submit, first, raw=True):
            if future.cancelled():
                raise lost
            try:
                outcome = Outcome(**future.result())
            except (Exception, CancelledError) as error:
                if future.status != "error":  # there is a result, and nobody who brings it
                    raise lost from None
                # the worker's word, or the scheduler's: worker killed
                said = f"{type(error).__name__}: {error}".partition("\n")[0]
                outcome = _failed(said)
            future.release()
            yield submission, outcome


def task(
    spec: str, student: str, files: dict[str, bytes], unread: dict[str, str], seed: int
) -> dict[str, Any]:
    """Do a worker's task. Rooms stay warm from one submission of an assignment to the next."""
    return asdict(_rooms(spec).mark(Submission(student, files, unread, seed)))


_kept: dict[str, Rooms] = {}
_keeping = threading.Lock()


def _rooms(spec: str) -> Rooms:
    with _keeping:
        if spec not in _kept:
            for old in _kept.values():
                old.close()
            _kept.clear()
            read = Specification.from_json(spec)
            _same_versions(read)
            _kept[spec] = Rooms(read)
        return _kept[spec]


def _same_versions(spec: Specification) -> None:
    """Refuse to mark with other versions than those that a mark's key names."""
    mine = environment(spec.packages)
    differ = [
        f"{name} {mine.get(name) or 'missing'} instead of {version}"
        for name, version in spec.environment.items()
        if mine.get(name) != version
    ]
    if differ:
        raise RuntimeError(f"the worker on {platform.node()} has {', '.join(differ)}")


@atexit.register
def _close_all() -> None:
    for rooms in _kept.values():
        rooms.close()


def _first_of_threads(futures: set[Future[Outcome]]) -> set[Future[Outcome]]:
    return wait(futures, return_when=FIRST_COMPLETED).done


def _flow(
    submissions: Iterable[Submission],
    ahead: int,
    submit: Callable[[Submission], Any],
    first: Callable[[set[Any]], set[Any]],
    raw: bool = False,
) -> Generator[tuple[Submission, Any]]:
    """Keep at most `ahead` submissions in hand, so that memory does not grow with the class."""
    waiting: dict[Any, Submission] = {}
    source = iter(submissions)
    more = True
    while more or waiting:
        while more and len(waiting) < ahead:
            submission = next(source, None)
            if submission is None:
                more = False
            else:
                waiting[submit(submission)] = submission
        if waiting:
            for future in first(set(waiting)):
                yield waiting.pop(future), future if raw else future.result()
