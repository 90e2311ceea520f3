"""The process in which a student's code runs: cells for the grader, calls for the tests.

Whatever the code does here, to this module too, it can only change what this process
answers: values, and the outputs of the student's own cells.
"""

from __future__ import annotations

import builtins
import contextlib
import inspect
import linecache
import operator
import os
import random
import select
import socket
import sys
import traceback
import types
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

from .channel import Channel, Gone, Peer, Raised
from .codec import decode, encode

CELL = "<cell "  # how the file names of a notebook's cells begin

shell: Any = None


def warm(settings: dict) -> None:
    """Import what a notebook needs, and make IPython's shell."""
    global shell
    os.environ["MPLBACKEND"] = "module://matplotlib_inline.backend_inline"
    from .shell import make

    shell = make()
    np.linalg.inv(np.eye(2))  # sets BLAS up
    if settings["figures"]:
        with contextlib.suppress(ImportError):
            from matplotlib import pyplot

            shell.cell("import matplotlib.pyplot as plt; plt.plot([0, 1]); plt.show()", "warm")
            pyplot.close("all")
    shell.forget()


def play(grader: Channel, examiner: Channel, settings: dict) -> None:
    """Run cells for the grader, and serve the examiner's questions, until one goes away."""
    objects = _Objects(settings["limits"]["cell_seconds"])
    peer = Peer(examiner, objects.answer, objects.refer, objects.resolve, objects.explain)
    objects.peer = peer
    # what a function prints while a test calls it is shown nowhere; cells have their own streams
    sys.stdout = sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    sys.path.append(os.getcwd())  # modules beside the notebook; last, so that none hides another
    with contextlib.suppress(Gone):
        while True:
            ready: list[socket.socket] = []
            with contextlib.suppress(KeyboardInterrupt):  # it came too late
                ready, _, _ = select.select([grader.sock, examiner.sock], [], [])
                if examiner.sock in ready:
                    peer.serve_once()
            if grader.sock in ready:
                data = grader.receive()
                assert data is not None
                answer: list = []
                with contextlib.suppress(KeyboardInterrupt):  # between two lines of this file
                    objects.do_rest()
                    match decode(data):
                        case ["begin", files, cells]:
                            lay_out(files)
                            answer = [shell.problem(source, label) for label, source in cells]
                        case ["run", label, source]:
                            answer = [[], False]
                            answer = shell.cell(source, label, settings["limits"]["output_bytes"])
                grader.send(encode(answer))


def lay_out(files: dict[str, bytes]) -> None:
    """Put what was handed in beside the notebook into its folder, as far as there is space."""
    for name, content in files.items():
        with contextlib.suppress(OSError):
            os.makedirs(os.path.dirname(name) or ".", exist_ok=True)
            with open(name, "xb") as file:  # never in the place of what the assignment gives
                file.write(content)


class _Objects:
    """The student's objects that the tests have seen, each by a number."""

    def __init__(self, seconds: float) -> None:
        self.known: dict[int, Any] = {}
        self.numbers: dict[int, int] = {}  # id → number; `known` keeps them alive
        self.seconds = seconds
        self.peer: Peer | None = None
        self.called = "the function"
        self.drawn: tuple[Any, Any] | None = None  # where the random numbers are put back to
        self.file = ""

    def refer(self, thing: Any) -> list:
        """Say what stands for an object: whose it is, its number, and how to show it."""
        if isinstance(thing, _Callback):
            return ["examiner", thing.number]
        number = self.numbers.setdefault(id(thing), len(self.numbers) + 1)
        self.known[number] = thing
        kind = "object"
        if isinstance(thing, types.ModuleType):
            kind = "module"
        elif isinstance(thing, type):
            kind = "class"
        elif isinstance(thing, (types.FunctionType, types.BuiltinFunctionType, types.MethodType)):
            kind = "function"
        name = getattr(thing, "__name__", type(thing).__name__)
        return ["student", number, kind, str(name)[:100], _parameters(thing, kind)]

    def resolve(self, node: list) -> Any:
        if node[0] == "examiner":
            return _Callback(self, node[1])
        return self.known[node[1]]

    def answer(self, verb: str, given: list) -> Any:
        """Do what the examiner asks for.

        What one answer sets for the whole process must not reach the next one. Random numbers
        go on from call to call, and begin anew with each test.
        """
        if self.drawn is None and verb != "rest":
            self.drawn = random.getstate(), np.random.get_state()  # noqa: NPY002
        with np.errstate(), np.printoptions(), warnings.catch_warnings():
            return getattr(self, f"do_{verb}")(*given)

    def do_rest(self) -> None:
        """Put back what a test has used, at its end."""
        drawn, self.drawn = self.drawn, None
        if drawn is not None:
            with contextlib.suppress(Exception):  # whatever the student's code made of them
                random.setstate(drawn[0])
                np.random.set_state(drawn[1])  # noqa: NPY002

    def do_name(self, name: str) -> Any:
        namespace = shell.user_ns
        if name not in namespace:
            return ["missing"]
        return ["found", namespace[name]]

    def do_call(self, thing: Any, arguments: tuple, named: dict) -> Any:
        """Give the result, and the arguments if the call has changed them."""
        given = [*arguments, *named.values()]
        before = [self.state(value) for value in given]
        self.called = str(getattr(thing, "__name__", type(thing).__name__))
        self.file = getattr(getattr(thing, "__code__", None), "co_filename", "")
        result = thing(*arguments, **named)
        same = all(self.state(v) == old for v, old in zip(given, before, strict=True))
        return [result, None if same else [arguments, named]]

    def state(self, value: Any) -> Any:
        """Note what a call can change in an argument, to see afterwards whether it has."""
        if type(value) is np.ndarray:
            return value.shape, value.tobytes()
        if isinstance(value, (list, tuple, dict, np.random.Generator)):
            return encode(value, self.refer)
        return None

    # what is done with an object is Python's own way to do it
    do_get, do_set = staticmethod(getattr), staticmethod(setattr)
    do_item, do_put = staticmethod(operator.getitem), staticmethod(operator.setitem)
    do_drop, do_holds = staticmethod(operator.delitem), staticmethod(operator.contains)
    do_length = staticmethod(len)

    def do_iterate(self, thing: Any) -> Any:
        return _Iterator(iter(thing))

    def do_next(self, thing: Any) -> list:
        try:
            return [next(thing.steps if isinstance(thing, _Iterator) else thing)]
        except StopIteration:
            return []

    def do_instance(self, kind: Any, thing: Any) -> bool:
        return isinstance(thing, kind)

    def do_show(self, thing: Any) -> str:
        return repr(thing)[:2000]

    def explain(self, error: BaseException) -> tuple[str, str, tuple[int, str] | None]:
        """Give an error's builtin name, its message, and the student's line in which it arose."""
        if isinstance(error, KeyboardInterrupt):
            text = f"{self.called} took longer than {self.seconds:g} s"
            return "TimeoutError", text, None
        name = "RuntimeError"
        for base in type(error).__mro__:
            if base.__module__ == "builtins" and getattr(builtins, base.__name__, None) is base:
                name = base.__name__
                break
        try:
            text = str(error.args[0]) if isinstance(error, KeyError) else str(error)
        except BaseException:
            text = ""
        where = None
        for frame, line in traceback.walk_tb(error.__traceback__):
            if self.file.startswith(CELL) and frame.f_code.co_filename == self.file:
                where = (line, linecache.getline(self.file, line).strip()[:300])
        return name, text[:4000], where


class _Iterator:
    """What a `for` of the tests walks through."""

    def __init__(self, steps: Iterator) -> None:
        self.steps = steps


class _Callback:
    """A function of the tests, as an argument of a student's."""

    def __init__(self, objects: _Objects, number: int) -> None:
        self.objects, self.number = objects, number
        self.__name__ = "function"

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        peer = self.objects.peer
        assert peer is not None
        try:
            return peer.ask("call", self, arguments, named)
        except Raised as raised:
            raise raised.builtin() from None


def _parameters(thing: Any, kind: str) -> list:
    """List names and kinds of a function's parameters; no default of a student's crosses."""
    if kind == "module":
        return []
    try:
        signature = inspect.signature(thing)
        return [
            [p.name, int(p.kind), p.default is not p.empty]
            for p in list(signature.parameters.values())[:50]
        ]
    except Exception:
        return []
