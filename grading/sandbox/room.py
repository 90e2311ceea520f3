"""Runs a submission's notebook: tests in one process, the student's code in another.

    grader ── examiner   the instructor's tests; boxed
       │         │       only values cross
       └───── student    the student's code; boxed

A `Room` keeps a warm process of each kind; a submission costs a fork of each.

What a submission may use is counted in seconds of processor time, which a busy machine does
not change. And what ends one of the two processes from outside is nothing that the student
did: the run is then worth nothing, and says so by its `Loss`.
"""

from __future__ import annotations

import contextlib
import copy
import ctypes
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import symtable
import tempfile
import time
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import Enum, StrEnum, auto
from pathlib import Path
from typing import Any

from nbformat import NotebookNode, from_dict

from . import box
from .inside.channel import READY, Channel, Gone, TooLarge
from .inside.codec import CodecError, decode, encode

_libc = ctypes.CDLL(None)

GRACE = 1.0  # seconds of processor time between an interrupt and the end
START = 120.0  # seconds for a warm process to import everything, or to answer
SOON = 0.1  # of a cell's time that may be given as a present, to save asking for what was used
# signals by which a process ends itself; no other process would send them
FAULTS = {
    signal.SIGSEGV,
    signal.SIGBUS,
    signal.SIGFPE,
    signal.SIGILL,
    signal.SIGTRAP,
    signal.SIGABRT,
}


class Limit(StrEnum):
    """A limit that was hit."""

    TIME = "time"  # of the processor
    CLOCK = "clock"
    MEMORY = "memory"
    PROCESSES = "processes"
    OUTPUT = "output"


class Kind(StrEnum):
    """Where a cell runs."""

    TEST = "test"  # in the examiner
    GIVEN = "given"  # in both
    OWN = "own"  # in the student's process


READING = -1  # in place of a cell's number, while all cells are parsed
# kinds of output of a student's own cells that a notebook keeps
KINDS = ("text/plain", "text/html", "text/markdown", "text/latex", "image/png", "image/jpeg")


@dataclass(frozen=True)
class Limits:
    """What a submission may use."""

    seconds: float = 60  # of processor time, of all tests
    own_seconds: float = 120  # of processor time, of all the student's own cells
    cell_seconds: float = 30  # of processor time, of a cell
    # so many times as long may each of these take by the clock, which stands still while what
    # could run waits for a processor
    patience: float = 10
    memory: int = 2**30  # bytes, of all its processes together, beyond a warm process
    processes: int = 32  # at the same time, threads too
    file_bytes: int = 64 * 2**20  # bytes, of one file and of all files together
    output_bytes: int = 2**20  # bytes of output of a cell, and of all cells four times that

    def __post_init__(self) -> None:
        for name in ("memory", "processes", "file_bytes", "output_bytes"):
            # a configuration file may hold 2e9, which the kernel does not take
            object.__setattr__(self, name, int(getattr(self, name)))


@dataclass(frozen=True)
class Loss:
    """One of a submission's two processes was ended by a signal that the box did not send."""

    side: str  # "student" or "examiner"
    number: int  # of the cell at which it was missed; READING before the first
    cell: str  # that cell's name
    signal: int | None  # that ended it; None where that is not known, as if the box went too

    @property
    def fault(self) -> bool:
        """Whether it is the kind of end that a process can bring upon itself."""
        return self.signal in FAULTS

    @property
    def how(self) -> str:
        if self.signal is None:
            return "something outside"
        return f"signal {self.signal} ({signal.strsignal(self.signal)})"

    def __str__(self) -> str:
        return f"the {self.side}'s process was ended by {self.how} in the cell {self.cell}"


@dataclass
class Execution:
    """What became of a submission."""

    notebook: NotebookNode  # a copy, with outputs
    seconds: float = 0.0  # by the clock
    cpu: float = 0.0  # seconds of processor time, of the student's and the tests' processes
    limit: Limit | None = None  # that was hit
    sentence: str | None = None  # what went wrong as a whole, for instructor and student
    loss: Loss | None = None  # then this run says nothing of what the student deserves, but for
    unmarked: list[str] = field(default_factory=list)  # other tests than these, by grade_id


class Room:
    """A pair of warm boxed processes for one assignment.

    Parameters
    ----------
    packages : sequence of str
        Importable packages that both sides see, by name.
    unavailable : sequence of str
        Modules of these packages that the student's side finds as stubs: what the
        exercises ask for.
    files : mapping of str to bytes
        Files in the folder where the notebook runs.
    limits : Limits
    figures : bool
        Have Matplotlib ready. Where the assignment draws nothing, that is half of the start
        saved; a student who draws anyway waits for the import.
    unsafe : bool
        Run without the box, as the grader's own user: a student's code can then read
        and change whatever the grader can. For trusted work only.

    Raises
    ------
    BoxUnavailable
        If no box can be made here and `unsafe` is not set, or nothing runs in it.
    """

    def __init__(
        self,
        *,
        packages: Sequence[str] = (),
        unavailable: Sequence[str] = (),
        files: Mapping[str, bytes] | None = None,
        limits: Limits = Limits(),
        figures: bool = True,
        unsafe: bool = False,
    ) -> None:
        if not unsafe:
            box.check()
        self.limits, self.figures, self.boxed = limits, figures, not unsafe
        self.packages, self.files = list(packages), dict(files or {})
        self._folder = tempfile.mkdtemp(prefix="grading-")
        self._warm: dict[str, _Warm] = {}
        try:
            box.prepare(Path(self._folder), packages, unavailable, self.files)
            for side in ("examiner", "student"):
                self._warm[side] = _Warm(self, side)
            for warm in self._warm.values():
                warm.until_ready()
            self._try_out()
        except BaseException:
            self.close()
            raise

    def _try_out(self) -> None:
        """Have a submission pass that nobody can fail.

        Where even this one fails, the limits are too narrow or the machine is not as the box
        needs it; every student would get no points, and a sentence of their own.
        """
        marks = {"grade_id": "try", "grade": True, "solution": False, "locked": True}
        cells = [
            {"cell_type": "code", "source": "six = 6", "metadata": {}},
            {"cell_type": "code", "source": "assert six == 6", "metadata": {"nbgrader": marks}},
        ]
        tried = self.run(from_dict({"cells": cells, "metadata": {}}))
        if tried.loss:
            raise RuntimeError(f"the sandbox was tried out, and {tried.loss}")
        outputs = [output for cell in tried.notebook.cells for output in cell.outputs]
        if outputs:
            reason = tried.sentence or outputs[0].get("evalue", "")
            raise box.BoxUnavailable(
                f"Not even an empty submission runs in the sandbox with these limits ({reason}), "
                "so nothing is marked."
            )

    def __enter__(self) -> Room:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End both processes and all that they started."""
        for warm in self._warm.values():
            warm.close()
        self._warm = {}
        shutil.rmtree(self._folder, ignore_errors=True)

    def run(
        self,
        notebook: NotebookNode,
        *,
        seed: int = 0,
        suspects: Collection[int] = (),
        files: Mapping[str, bytes] | None = None,
    ) -> Execution:
        """Run all code cells in the notebook's order.

        Cells whose nbgrader metadata say `grade` and not `solution` are tests: they run
        in the examiner. Locked cells without a grade run in both. All others are the
        student's. So this metadata, and the sources of these cells, must be the
        instructor's, put back by nbgrader's OverwriteCells before; a cell without a
        `grade_id` is always the student's.

        Parameters
        ----------
        notebook : NotebookNode
            Not changed.
        seed : int
            For `random` and NumPy's global generator, and in GRADING_SEED.
        suspects : collection of int
            Numbers of cells at which the student's process was lost in earlier runs. If it is
            lost there again, the cell is left out, and all begins anew within the same limits:
            what needs that cell fails, and what does not is marked.
        files : mapping of str to bytes, optional
            What the student handed in beside it: lies in the student's folder, not in the tests'.

        Returns
        -------
        Execution
            With a `loss` if a process was ended from outside. The student's ends the run. After
            the examiner's the notebook comes to its end; what it was asked then is unmarked.
        """
        start = time.monotonic()
        result = Execution(copy.deepcopy(notebook))
        without: dict[int, Loss] = {}
        spent = dict.fromkeys(("tests", "own", "clock"), 0.0)
        while True:
            for side in ("examiner", "student"):
                if not self._warm[side].alive():
                    self._warm[side].close()
                    self._warm[side] = _Warm(self, side)
                    self._warm[side].until_ready()
            run = _Run(self._warm, self.limits, seed, result.cpu, spent, without)
            try:
                run.begin()
                run.all(result.notebook, files or {})
            finally:
                result.cpu = run.end()
            loss = run.loss
            if loss is None or loss.side == "examiner":
                break
            # one that ends itself in many cells needs its second proof once
            if loss.number not in suspects and not (without and loss.fault):
                break
            without[loss.number] = loss
        result.loss, result.unmarked = loss, run.unmarked
        result.limit = run.limit
        result.sentence = " ".join(filter(None, [_left_out(without), run.sentence])) or None
        result.seconds = time.monotonic() - start
        return result


def kind_of(cell: NotebookNode) -> Kind:
    """Say where a cell runs."""
    marks = cell.metadata.get("nbgrader", {})
    if not marks.get("grade_id") or marks.get("solution"):
        return Kind.OWN
    if marks.get("grade"):
        return Kind.TEST
    return Kind.GIVEN if marks.get("locked") else Kind.OWN


class _Warm:
    """A warm process in its box, seen from outside."""

    def __init__(self, room: Room, side: str) -> None:
        self.side, self.boxed = side, room.boxed
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.sock = ours
        folder = Path(room._folder)
        base = box.FOLDER if room.boxed else str(folder)
        path = [f"{base}/lib", f"{base}/{side}", *box.site_packages()]
        run = ["-c", _START.format(path=path, control=theirs.fileno())]
        self.log = tempfile.TemporaryFile()  # noqa: SIM115  closed in close()
        environment = {"PATH": os.environ.get("PATH", os.defpath), **box.ENVIRONMENT}
        if not room.boxed:
            environment["HOME"] = str(folder)  # what libraries keep, they keep here
        try:
            self.process = subprocess.Popen(
                box.command(folder, side, room.packages, run, boxed=room.boxed),
                stdin=subprocess.DEVNULL,
                stdout=self.log,
                stderr=self.log,
                pass_fds=[theirs.fileno()],
                env=environment,
                start_new_session=True,
            )
        finally:
            theirs.close()
        limits = asdict(room.limits)
        limits["cpu"] = int(2 * (room.limits.seconds + room.limits.own_seconds)) + 5
        settings = {
            "role": side,
            "boxed": room.boxed,
            "own": box.writable(),
            "packages": room.packages,
            "figures": room.figures,
            "files": sorted(room.files),
            "folder": f"{base}/files",
            "limits": limits,
        }
        self.sock.send(json.dumps(settings).encode())

    def until_ready(self) -> None:
        ready, _, _ = select.select([self.sock], [], [], START)
        data = b""
        with contextlib.suppress(OSError):
            data = self.sock.recv(2**16) if ready else b""
        if not data:
            self.process.kill()
            self.process.wait()
            self.log.seek(0)
            story = self.log.read().decode("utf-8", "replace").strip().splitlines()
            raise RuntimeError(f"the {self.side}'s process did not start: {' '.join(story[-3:])}")

    def alive(self) -> bool:
        return self.process.poll() is None

    def tell(self, order: dict, descriptors: Sequence[int] = ()) -> None:
        with contextlib.suppress(OSError):
            socket.send_fds(self.sock, [json.dumps(order).encode()], descriptors)

    def ask(self, order: dict) -> dict[str, Any] | None:
        """Give the answer to an order; None if there is no such process any more."""
        self.tell(order)
        ready, _, _ = select.select([self.sock], [], [], START)
        with contextlib.suppress(OSError, ValueError):
            if ready and (data := self.sock.recv(2**16)):
                return json.loads(data)
        self.process.kill()  # the next submission gets a new one
        self.process.wait()
        return None

    def close(self) -> None:
        self.sock.close()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()


# the first lines inside the box: nothing is importable there before them
_START = "import sys; sys.path[:0] = {path!r}; from grading.warm import main; main({control})"


class _Step(Enum):
    """What is done about a process that takes too long."""

    INTERRUPT = auto()
    END = auto()


@dataclass
class _Cell:
    """A cell that is to be run."""

    node: NotebookNode
    number: int  # its place in the notebook
    kind: Kind
    label: str

    @property
    def source(self) -> str:
        return self.node.source


class _Run:
    """A submission's way through a room, from the first cell."""

    def __init__(
        self,
        warm: Mapping[str, _Warm],
        limits: Limits,
        seed: int,
        cpu: float,
        spent: dict[str, float],
        without: Mapping[int, Loss],
    ) -> None:
        self.warm, self.limits, self.seed, self.without = warm, limits, seed, without
        self.most = {"tests": limits.seconds, "own": limits.own_seconds}
        self.most["clock"] = limits.patience * (limits.seconds + limits.own_seconds)
        self.spent, self.account, self.since = spent, "own", cpu
        self.channels: dict[str, Channel] = {}
        self.alive = {"examiner": False, "student": False}
        self.cpu = cpu  # of what has ended
        self.known, self.asked = cpu, time.monotonic()  # what all had used, and when
        self.clock = spent["clock"]  # seconds in which they were waited for
        self.queued = {"examiner": 0.0, "student": 0.0}  # of them, waiting for a processor
        self.limit: Limit | None = None
        self.sentence: str | None = None
        self.loss: Loss | None = None
        self.unmarked: list[str] = []
        self.left = 4 * limits.output_bytes  # of output, for all cells
        self.folders: list[str] = []

    def begin(self) -> None:
        """Fork both, joined by a socket."""
        joined = socket.socketpair()
        # where the grader is now it will soon be idle: it waits for what it starts
        processor = _libc.sched_getcpu()
        largest = 8 * self.limits.output_bytes + 2**20  # JSON writes some characters as six
        for (side, warm), peer in zip(self.warm.items(), joined, strict=True):
            ours, theirs = socket.socketpair()
            order: dict[str, Any] = {"seed": self.seed, "processor": processor}
            if not warm.boxed:
                self.folders.append(tempfile.mkdtemp(prefix="grading-work-"))
                order["folder"] = self.folders[-1]
            warm.tell({"fork": order}, [theirs.fileno(), peer.fileno()])
            theirs.close()
            peer.close()
            self.channels[side] = Channel(ours, largest)
            self.alive[side] = True
        for side, channel in self.channels.items():
            try:
                ready = channel.receive(time.monotonic() + START)
            except Gone:
                ready = None
            if ready != READY:
                raise RuntimeError(f"the {side}'s process of a submission did not start")

    def end(self) -> float:
        """End both processes; give the processor time of all that has run."""
        for side in list(self.channels):
            self._finish(side)
            self.channels[side].sock.close()
        self.spent["clock"] = self._waited()
        for folder in self.folders:
            shutil.rmtree(folder, ignore_errors=True)
        self._charge(self.account)
        return self.cpu

    def _finish(self, side: str) -> dict[str, Any] | None:
        """End one process, and learn what had ended it already, if something had."""
        if not self.alive[side]:
            return None
        self.alive[side] = False
        ending = self.warm[side].ask({"end": True})
        if ending:
            self.cpu += ending["cpu"]
            if ending["limit"]:  # what it used says more than that it was slow
                self.limit = Limit(ending["limit"])
                self.sentence = _SENTENCES[ending["limit"]].format(self.limits)
        return ending

    def _lost(self, side: str, cell: _Cell, error: BaseException | None = None) -> None:
        """Find out why a process has ended by itself, or sends what is no answer."""
        if not self.alive[side]:
            return
        ending = self._finish(side)
        if ending and ending["limit"]:
            return
        killed = ending is None or ending["signal"] not in (
            None,
            signal.SIGINT,  # the box's own
            signal.SIGSYS,  # for a system call that the box refuses
        )
        # nothing that a student does ends the examiner, however it ended
        if killed or side == "examiner":
            ended = ending["signal"] if ending else None
            self.loss = self.loss or Loss(side, cell.number, cell.label, ended)
            kind = side
        elif isinstance(error, TooLarge):
            self.limit, kind = Limit.OUTPUT, "output"
        else:
            kind = "exit"
        sentence = _SENTENCES[kind].format(self.limits, cell=cell.label)
        self.sentence = self.sentence or sentence

    def all(self, notebook: NotebookNode, files: Mapping[str, bytes]) -> None:
        cells = []
        for number, node in enumerate(notebook.cells):
            if node.cell_type == "code":
                node.outputs, node.execution_count = [], None
                if node.source.strip():
                    cells.append(_Cell(node, number, kind_of(node), _label(node, number)))
        broken = self._begin([cell for cell in cells if cell.kind is Kind.OWN], files)
        unsettled = self._givens([cell for cell in cells if cell.kind is Kind.GIVEN])
        for count, cell in enumerate(cells, start=1):
            if self.loss and self.loss.side == "student":
                return
            self._charge("own" if cell.kind is Kind.OWN else "tests")
            slept = self._slept(self.most["clock"])
            over = slept or self._over(self._budget())
            if over:
                late = self._late(self._budget())
                if self.account == "tests" or slept:
                    self._finish("student")
                    self._finish("examiner")
            if over and cell.kind is Kind.OWN:
                cell.node.outputs = [_problem("NotRun", late)]
            elif cell.kind is Kind.TEST:
                cell.node.outputs = self._examine(Kind.TEST, cell)[1]
            elif cell.number in broken:
                cell.node.outputs = broken[cell.number]
                cell.node.metadata["grading"] = {"parsed": False}
            else:
                cell.node.outputs = self._own(cell)
                if cell.number in unsettled:
                    self._examine(Kind.GIVEN, cell)
            cell.node.execution_count = count
            for output in cell.node.outputs:
                if output.output_type == "execute_result":
                    output.execution_count = count

    # a cell of the student's

    def _begin(
        self, cells: list[_Cell], files: Mapping[str, bytes]
    ) -> dict[int, list[NotebookNode]]:
        """Lay out the student's files; find the cells that are no Python, and their errors.

        Asked before anything of the student's runs, so that they are the parser's words, and
        may be shown wherever they stand.
        """
        if READING in self.without or not cells:
            return {}
        try:
            sources = [[cell.label, cell.source] for cell in cells]
            self.channels["student"].send(encode(["begin", dict(files), sources]))
            data, _ = self._reply("student", _OF_STUDENT)
            answer = decode(data) if data else []
        except (Gone, CodecError) as error:
            self._lost(
                "student", _Cell(cells[0].node, READING, Kind.OWN, "before the first one"), error
            )
            answer = []
        return {
            cell.number: self._clean([[error], False])
            for cell, error in zip(cells, answer, strict=False)
            if error
        }

    def _own(self, cell: _Cell) -> list[NotebookNode]:
        if cell.number in self.without:
            return [_problem("NotRun", _left_out({cell.number: self.without[cell.number]}))]
        if not self.alive["student"]:
            return [_problem("NotRun", self.sentence or "The notebook's process had ended.")]
        try:
            self.channels["student"].send(encode(["run", cell.label, cell.source]))
            data, late = self._reply("student", _OF_STUDENT)
            outputs = [] if data is None else self._clean(decode(data))
            return [*outputs, _problem("TimeLimit", late)] if late else outputs
        except (Gone, CodecError) as error:
            self._lost("student", cell, error)
            return [_problem("NoAnswer", self.sentence or "")]

    def _clean(self, answer: Any) -> list[NotebookNode]:
        """Make outputs that a notebook may hold, whatever was sent."""
        if not isinstance(answer, list) or len(answer) != 2 or not isinstance(answer[0], list):
            raise CodecError("outputs that are none")
        if answer[1] is True:
            self._cut()
        cleaned = []
        for output in answer[0][:1000]:
            if not isinstance(output, dict):
                continue
            made: dict[str, Any] | None = None
            match output.get("output_type"):
                case "stream":
                    name = "stderr" if output.get("name") == "stderr" else "stdout"
                    made = {
                        "output_type": "stream",
                        "name": name,
                        "text": self._text(output, "text"),
                    }
                case "error":
                    lines = output.get("traceback")
                    made = {
                        "output_type": "error",
                        "ename": self._text(output, "ename"),
                        "evalue": self._text(output, "evalue"),
                        "traceback": [
                            self._text({"line": line}, "line")
                            for line in (lines[:200] if isinstance(lines, list) else [])
                        ],
                    }
                case "display_data" | "execute_result" as kind:
                    data = output.get("data")
                    if isinstance(data, dict):
                        kept = {k: self._text(data, k) for k in KINDS if k in data}
                        made = {"output_type": kind, "data": kept, "metadata": {}}
                        if kind == "execute_result":
                            made["execution_count"] = None
            if made is not None:
                cleaned.append(_node(made))
        return cleaned

    def _text(self, output: dict, key: str) -> str:
        text = output.get(key)
        text = text if isinstance(text, str) else ""
        if len(text) > self.left:
            text = text[: self.left] if key in ("text", "line", "text/plain") else ""
            self._cut()
        self.left -= len(text)
        return _printable(text)

    def _cut(self) -> None:
        self.limit = self.limit or Limit.OUTPUT
        self.sentence = self.sentence or _SENTENCES["output"].format(self.limits)

    # the instructor's cells

    def _givens(self, cells: list[_Cell]) -> set[int]:
        """Run the locked cells in the examiner before anything else; find those to be run again.

        Before anything else, because a student may have moved them: a test must never
        find its data in the student's process where the instructor has given them. Again
        in their place, if they need the student's work, or if another defines the same.
        """
        again = set()
        defined: Counter[str] = Counter()
        for cell in cells:
            if not self._examine(Kind.GIVEN, cell)[0]:
                again.add(cell.number)
            defined.update(set(_defines(cell.source)))
        return again | {
            cell.number for cell in cells if any(defined[n] > 1 for n in _defines(cell.source))
        }

    def _examine(self, kind: Kind, cell: _Cell) -> tuple[bool, list[NotebookNode]]:
        """Tell whether a cell of the instructor's came to its end, and give its outputs."""
        marks = cell.node.metadata.nbgrader
        name = "NotRun"
        if self.alive["examiner"]:
            # a test at which the student's process is lost each time has to do without it
            alone = cell.number in self.without
            question = [kind, cell.label, cell.source, marks.get("points"), alone]
            # most likely the student's code lets a test wait; a locked cell is not its fault
            steps = (_OF_STUDENT if kind is Kind.TEST else ()) + _OF_EXAMINER
            try:
                self.channels["examiner"].send(encode(question))
                data, late = self._reply("examiner", steps)
                if data is None:
                    return False, [_problem("TimeLimit", late)]
                settled, outputs, gone = decode(data)
                if gone:
                    self._lost("student", cell)
                # the student's words may stand in a test's message
                return settled, [_node(_fit(output)) for output in outputs]
            except (Gone, CodecError):
                self._lost("examiner", cell)
                name = "NoAnswer"
        if kind is Kind.TEST and self.loss and self.loss.side == "examiner":
            self.unmarked.append(marks.grade_id)
        return False, [_problem(name, self.sentence or "The tests' process had ended.")]

    # time

    def _most(self) -> float:
        """Give the processor time that can have been used: both processes share one processor."""
        return self.known + time.monotonic() - self.asked

    def _used(self) -> float:
        """Measure the processor time that has been used, which costs two messages."""
        self.asked = time.monotonic()
        self.known = self.cpu
        for side, alive in self.alive.items():
            if alive and (answer := self.warm[side].ask({"used": True})):
                self.known += answer["cpu"]
                self.queued[side] = answer["queued"]
        return self.known

    def _over(self, most: float) -> bool:
        """Tell whether so much processor time has been used."""
        return self._most() >= most and self._used() >= most

    def _waited(self) -> float:
        """Give the seconds by the clock that are theirs, as far as is known."""
        return self.clock - sum(self.queued.values())

    def _slept(self, most: float) -> bool:
        """Tell whether so much of the clock has gone by, and not for want of a processor."""
        if self._waited() < most:
            return False
        self._used()
        return self._waited() >= most

    def _charge(self, account: str) -> None:
        """Count what is used from now on for this: own cells must not eat the tests' time."""
        if account != self.account or not any(self.alive.values()):
            used = self._used()
            self.spent[self.account] += used - self.since
            self.account, self.since = account, used

    def _budget(self) -> float:
        """Give the processor time at which this account is empty."""
        return self.since + self.most[self.account] - self.spent[self.account]

    def _late(self, most: float) -> str:
        """Note that a limit of time was hit: of an account, else of `most`, else by the clock."""
        which = "clock"
        if self.known >= most:
            which = self.account if self.known >= self._budget() else "time"
        sentence = _SENTENCES[which].format(self.limits)
        self.limit = self.limit or (Limit.CLOCK if which == "clock" else Limit.TIME)
        self.sentence = self.sentence or sentence
        return sentence

    def _receive(self, side: str, most: float, waited: float) -> bytes | None:
        """Wait for what a side sends, until `most` is used or `waited` of the clock has gone by."""
        while True:
            left = max(min(most - self._most(), waited - self._waited()), 0.01)
            start = time.monotonic()
            data = self.channels[side].receive(start + left)
            # if it took longer, this process was stopped, and what it waits for may be there
            self.clock += min(time.monotonic() - start, left)
            if data is not None or self._over(most) or self._slept(waited):
                return data

    def _reply(self, side: str, steps: Iterable[tuple[str, _Step]]) -> tuple[bytes | None, str]:
        """Give the answer of one side, and a sentence if it did not come in time.

        Then these steps are taken until it comes. Without an answer the side is ended at last.
        """
        seconds, patience = self.limits.cell_seconds, self.limits.patience
        now = time.monotonic()
        begun = self._most() if now - self.asked < SOON * seconds else self._used()
        most = min(begun + seconds, self._budget())
        waited = min(self._waited() + patience * seconds, self.most["clock"])
        data = self._receive(side, most, waited)
        if data is not None:
            return data, ""
        late = self._late(most)
        for who, step in steps:
            if step is _Step.END:
                self._finish(who)
            elif self.alive[who]:
                self.warm[who].tell({"interrupt": True})
            if not self.alive[side]:
                break
            with contextlib.suppress(Gone):
                most = self._used() + GRACE
                data = self._receive(side, most, self._waited() + patience * GRACE)
            if data is not None:
                break
        return data, late


_OF_STUDENT = (("student", _Step.INTERRUPT), ("student", _Step.END))
_OF_EXAMINER = (("examiner", _Step.INTERRUPT), ("examiner", _Step.END))
_SENTENCES = {
    "time": "A cell took longer than the {0.cell_seconds:g} s of processor time that it may take.",
    "tests": "The tests took longer than the {0.seconds:g} s of processor time that they may "
    "take together.",
    "own": "The notebook's own cells took longer than the {0.own_seconds:g} s of processor time "
    "that they may take together; what comes after them was not run.",
    "clock": "By the clock it took longer than {0.patience:g} times what it may compute, which is "
    "{0.cell_seconds:g} s for a cell, {0.own_seconds:g} s for all own cells and {0.seconds:g} s "
    "for all tests.",
    "memory": "The notebook's code used more memory than the {0.memory} bytes that it may use.",
    "processes": "The notebook's code started more than the {0.processes} processes that it may.",
    "output": "The output is longer than the {0.output_bytes} bytes that it may have; it was cut.",
    "exit": "The notebook's code ended its own process in the cell {cell}; what comes after it "
    "was not run.",
    "student": "The notebook's process was ended in the cell {cell}.",
    "examiner": "The tests' own process was ended in the cell {cell}. The points of this test and "
    "of those after it are not decided; they wait for the marker.",
    "left out": "Each time that it was run, the notebook's process ended in {cells}. The notebook "
    "was marked without; what needs it fails.",
}


def _left_out(without: Mapping[int, Loss]) -> str:
    if not without:
        return ""
    cells = " and ".join(f"the cell {loss.cell}, by {loss.how}" for loss in without.values())
    return _SENTENCES["left out"].format(cells=cells)


def _defines(source: str) -> list[str]:
    """Find the names that a cell gives a meaning to."""
    try:
        table = symtable.symtable(source, "cell", "exec")
    except SyntaxError:
        return []
    return [s.get_name() for s in table.get_symbols() if s.is_assigned() or s.is_imported()]


# what a file of text or a database may refuse: control characters, but for tab, newline, escape
_CONTROLS = dict.fromkeys(set(range(32)) - {9, 10, 27})


def _printable(text: str) -> str:
    return text.translate(_CONTROLS).encode("utf-8", "replace").decode("utf-8")


def _fit(value: Any) -> Any:
    """Make all texts in a value such that they can be written anywhere."""
    if isinstance(value, str):
        return _printable(value)
    if isinstance(value, list):
        return [_fit(v) for v in value]
    if isinstance(value, dict):
        return {k: _fit(v) for k, v in value.items()}
    return value


def _label(cell: NotebookNode, number: int) -> str:
    marks = cell.metadata.get("nbgrader", {})
    name = marks.get("grade_id") or cell.get("id") or f"number {number + 1}"
    return str(name)[:80].replace(">", "")


def _problem(name: str, text: str) -> NotebookNode:
    return _node(
        {"output_type": "error", "ename": name, "evalue": text, "traceback": [f"{name}: {text}"]}
    )


def _node(output: dict) -> NotebookNode:
    return NotebookNode(
        {k: NotebookNode(v) if isinstance(v, dict) else v for k, v in output.items()}
    )
