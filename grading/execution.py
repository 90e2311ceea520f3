"""Runs a submission's notebook: tests in one process, the student's code in another.

    grader ── examiner   the instructor's tests; boxed
       │         │       only values cross
       └───── student    the student's code; boxed

A `Room` keeps a warm process of each kind; a submission costs a fork of each.
"""

from __future__ import annotations

import contextlib
import copy
import ctypes
import json
import os
import select
import shutil
import socket
import subprocess
import symtable
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from nbformat import NotebookNode, from_dict

from . import box
from .channel import Channel, Gone
from .codec import CodecError, decode, encode

_libc = ctypes.CDLL(None)

GRACE = 1.0  # seconds between an interrupt and the end
START = 120.0  # seconds for a warm process to import everything
# kinds of output of a student's own cells that a notebook keeps
KINDS = ("text/plain", "text/html", "text/markdown", "text/latex", "image/png", "image/jpeg")


@dataclass(frozen=True)
class Limits:
    """What a submission may use."""

    seconds: float = 60  # wall time of a whole submission
    cell_seconds: float = 30  # wall time of a cell
    memory: int = 2**30  # bytes, of all its processes together, beyond a warm process
    processes: int = 32  # at the same time, threads too
    file_bytes: int = 64 * 2**20  # bytes, of one file and of all files together
    output_bytes: int = 2**20  # bytes of output of a cell, and of all cells four times that

    def __post_init__(self) -> None:
        for name in ("memory", "processes", "file_bytes", "output_bytes"):
            # a configuration file may hold 2e9, which the kernel does not take
            object.__setattr__(self, name, int(getattr(self, name)))


@dataclass
class Execution:
    """What became of a submission."""

    notebook: NotebookNode  # a copy, with outputs
    seconds: float = 0.0  # wall time
    cpu: float = 0.0  # seconds of processor time, of the student's and the tests' processes
    limit: str | None = None  # "time", "memory", "processes" or "output", where one was hit
    sentence: str | None = None  # what went wrong as a whole, for instructor and student


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

    def run(self, notebook: NotebookNode, *, seed: int = 0) -> Execution:
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
        """
        start = time.monotonic()
        result = Execution(copy.deepcopy(notebook))
        for side in ("examiner", "student"):
            if not self._warm[side].alive():
                self._warm[side].close()
                self._warm[side] = _Warm(self, side)
                self._warm[side].until_ready()
        run = _Run(self._warm["examiner"], self._warm["student"], self.limits, seed, start)
        try:
            run.begin()
            run.all(result.notebook)
        finally:
            result.cpu = run.end()
        result.limit, result.sentence = run.limit, run.sentence
        result.seconds = time.monotonic() - start
        return result


def kind_of(cell: NotebookNode) -> str:
    """Where a cell runs: "test" in the examiner, "given" in both, "own" in the student's."""
    marks = cell.metadata.get("nbgrader", {})
    if not marks.get("grade_id") or marks.get("solution"):
        return "own"
    if marks.get("grade"):
        return "test"
    return "given" if marks.get("locked") else "own"


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
        limits["cpu"] = int(2 * room.limits.seconds) + 5
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

    def report(self) -> dict[str, Any]:
        """What the child that was ended has cost."""
        ready, _, _ = select.select([self.sock], [], [], 30)
        with contextlib.suppress(OSError, ValueError):
            if ready and (data := self.sock.recv(2**16)):
                return json.loads(data)
        self.process.kill()  # the next submission gets a new one
        self.process.wait()
        return {"limit": None, "cpu": 0.0, "status": None}

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


class _Run:
    """One submission in a room."""

    def __init__(
        self, examiner: _Warm, student: _Warm, limits: Limits, seed: int, start: float
    ) -> None:
        self.warm = {"examiner": examiner, "student": student}
        self.limits, self.seed = limits, seed
        self.deadline = start + limits.seconds
        self.channels: dict[str, Channel] = {}
        self.alive = {"examiner": False, "student": False}
        self.cpu = 0.0
        self.limit: str | None = None
        self.sentence: str | None = None
        self.left = 4 * limits.output_bytes  # of output, for all cells
        self.folders: list[str] = []

    def begin(self) -> None:
        """Two forks, joined by a socket."""
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

    def end(self) -> float:
        """End both processes; their processor time."""
        for side in list(self.channels):
            self._finish(side)
            self.channels[side].sock.close()
        for folder in self.folders:
            shutil.rmtree(folder, ignore_errors=True)
        return self.cpu

    def _finish(self, side: str) -> None:
        """End one process, and learn why it had ended already if so."""
        if not self.alive[side]:
            return
        self.alive[side] = False
        self.warm[side].tell({"end": True})
        report = self.warm[side].report()
        self.cpu += report["cpu"]
        if report["limit"]:  # what it used says more than that it was slow
            self.limit = report["limit"]
            self.sentence = _SENTENCES[report["limit"]].format(self.limits)

    def all(self, notebook: NotebookNode) -> None:
        cells = []
        for number, cell in enumerate(notebook.cells):
            if cell.cell_type == "code":
                cell.outputs, cell.execution_count = [], None
                if cell.source.strip():
                    cells.append((cell, kind_of(cell), _label(cell, number)))
        unsettled = self._givens([(label, c.source) for c, kind, label in cells if kind == "given"])
        for count, (cell, kind, label) in enumerate(cells, start=1):
            if time.monotonic() > self.deadline:
                self._over("submission")
                self._finish("student")
                self._finish("examiner")
            if kind == "test":
                points = cell.metadata.nbgrader.get("points")
                cell.outputs = self._examine("test", label, cell.source, points)[1]
            else:
                cell.outputs = self._own(label, cell.source)
                if label in unsettled:
                    self._examine("given", label, cell.source)
            cell.execution_count = count
            for output in cell.outputs:
                if output.output_type == "execute_result":
                    output.execution_count = count

    # a cell of the student's

    def _own(self, label: str, source: str) -> list[NotebookNode]:
        if not self.alive["student"]:
            return [_problem("NotRun", self.sentence or "The notebook's process had ended.")]
        channel = self.channels["student"]
        try:
            channel.send(encode([label, source]))
            data, late = self._reply("student", ["student interrupt", "student end"])
            outputs = [] if data is None else self._clean(decode(data))
            return [*outputs, _problem("TimeLimit", late)] if late else outputs
        except (Gone, CodecError) as error:
            self._lost(label, error)
            return [_problem("NoAnswer", self.sentence or "")]

    def _lost(self, label: str, error: BaseException) -> None:
        """The student's process has ended by itself, or sends what is no answer."""
        self._finish("student")
        if self.sentence is None:
            if "bytes" in str(error):
                self.limit = "output"
                self.sentence = _SENTENCES["output"].format(self.limits)
            else:
                self.sentence = (
                    f"The notebook's code ended its own process in the cell {label}; "
                    "what comes after it was not run."
                )

    def _clean(self, answer: Any) -> list[NotebookNode]:
        """Outputs that a notebook may hold, whatever was sent."""
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
        self.limit = self.limit or "output"
        self.sentence = self.sentence or _SENTENCES["output"].format(self.limits)

    # the instructor's cells

    def _givens(self, cells: list[tuple[str, str]]) -> set[str]:
        """Run the locked cells in the examiner before anything else; those to be run again.

        Before anything else, because a student may have moved them: a test must never
        find its data in the student's process where the instructor has given them. Again
        in their place, if they need the student's work, or if another defines the same.
        """
        again = set()
        defined: Counter[str] = Counter()
        for label, source in cells:
            if not self._examine("given", label, source)[0]:
                again.add(label)
            defined.update(set(_defines(source)))
        return again | {
            label for label, source in cells if any(defined[n] > 1 for n in _defines(source))
        }

    def _examine(
        self, kind: str, label: str, source: str, points: float | None = None
    ) -> tuple[bool, list[NotebookNode]]:
        """Whether a cell of the instructor's came to its end, and its outputs."""
        if not self.alive["examiner"]:
            return False, [_problem("NotRun", self.sentence or "The tests' process had ended.")]
        channel = self.channels["examiner"]
        try:
            channel.send(encode([kind, label, source, points]))
            # most likely the student's code lets a test wait; a locked cell is not its fault
            steps = ["student interrupt", "student end"] if kind == "test" else []
            data, late = self._reply("examiner", [*steps, "examiner interrupt", "examiner end"])
            if data is None:
                return False, [_problem("TimeLimit", late)]
            settled, outputs = decode(data)
            # the student's words may stand in a test's message
            return settled, [_node(_fit(output)) for output in outputs]
        except (Gone, CodecError):
            self._finish("examiner")
            self.sentence = self.sentence or f"The tests' own process ended in the cell {label}."
            return False, [_problem("NoAnswer", self.sentence)]

    # time

    def _over(self, which: str) -> str:
        """Note that the time of a cell or of the whole submission is over."""
        sentence = _SENTENCES[which].format(self.limits)
        self.limit = self.limit or "time"
        self.sentence = self.sentence or sentence
        return sentence

    def _reply(self, side: str, steps: Sequence[str]) -> tuple[bytes | None, str]:
        """The answer of one side, and a sentence if it did not come in time.

        Then these steps are taken until it comes: an interrupt of a process, or its end.
        Without an answer the side is ended at last.
        """
        channel = self.channels[side]
        until = min(time.monotonic() + self.limits.cell_seconds, self.deadline)
        data = channel.receive(until)
        if data is not None:
            return data, ""
        late = self._over("submission" if until == self.deadline else "time")
        for step in steps:
            who, how = step.split()
            if how == "end":
                self._finish(who)
            elif self.alive[who]:
                self.warm[who].tell({"interrupt": True})
            if not self.alive[side]:
                break
            with contextlib.suppress(Gone):
                data = channel.receive(time.monotonic() + GRACE)
            if data is not None:
                break
        return data, late


_SENTENCES = {
    "time": "A cell took longer than the {0.cell_seconds:g} s that it may take.",
    "submission": "The notebook took longer than the {0.seconds:g} s that it may take as a whole.",
    "memory": "The notebook's code used more memory than the {0.memory} bytes that it may use.",
    "processes": "The notebook's code started more than the {0.processes} processes that it may.",
    "output": "The output is longer than the {0.output_bytes} bytes that it may have; it was cut.",
}


def _defines(source: str) -> list[str]:
    """The names that a cell gives a meaning to."""
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
    """All texts in a value such that they can be written anywhere."""
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
