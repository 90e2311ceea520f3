"""The process in which tests run: the instructor's code, which the student's never shares.

A name that no cell of the instructor's defines is looked up in the student's process.
Values arrive as values. Functions, classes and other objects arrive as stand-ins whose
use is a question to that process; a stand-in is equal to itself only, and has none of
the methods (`__eq__`, `__array__`, …) by which an object could answer for itself what
the test asks about it.
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import copy
import importlib
import inspect
import io
import keyword
import linecache
import math
import re
import sys
import traceback
import types
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from .channel import Channel, Gone, Peer, Raised
from .codec import CodecError, decode, encode

# Names that mean a module everywhere: never the student's, who could give them a meaning
MODULES = {
    "np": "numpy",
    "numpy": "numpy",
    "math": "math",
    "plt": "matplotlib.pyplot",
    "pytest": "pytest",
    "unittest": "unittest",
}
TOO_LONG = TimeoutError("the test took too long and was stopped")
MISSING_MODULE = "a test cell imports what it needs itself: {name} is a module only in the notebook"


def warm(settings: dict) -> None:
    """Import what tests need."""
    x = np.random.default_rng(0).normal(size=(2, 2))  # imports what NumPy puts off, sets up BLAS
    np.testing.assert_allclose(np.linalg.inv(x) @ x, np.eye(2), atol=1e-9)


def play(grader: Channel, student: Channel, settings: dict) -> None:
    """Run the cells that the grader sends, until it goes away."""
    namespace = Names(Student(student))
    limits = settings["limits"]
    main = types.ModuleType("__main__")
    main.__dict__.update(__name__="__main__")
    sys.modules["__main__"] = main
    with contextlib.suppress(Gone):
        while True:
            try:
                data = grader.receive()
            except KeyboardInterrupt:  # it came too late
                continue
            assert data is not None
            kind, label, source, points, alone = decode(data)
            settled, outputs = True, []
            try:
                namespace.begin(alone)
                if kind == "given":
                    settled = given(source, label, namespace)
                else:
                    outputs = test(source, label, namespace, points, limits["output_bytes"])
                namespace.end()
            except KeyboardInterrupt:  # between two lines of this file
                outputs = outputs or [_error(TOO_LONG, "")]
            grader.send(encode([settled, outputs, namespace.student.gone is not None]))


class Names(dict):
    """The namespace of the tests: what it lacks, the student's process may have."""

    def __init__(self, student: Student) -> None:
        super().__init__(__name__="__main__", __builtins__=builtins)
        self.student = student
        self.found: dict[str, Any] = {}  # objects of the student's that this cell has asked for

    def begin(self, alone: bool) -> None:
        """Begin a cell; alone, it does without the student's process."""
        self.found = {}
        self.student.alone = alone

    def end(self) -> None:
        """End a cell: the next one finds nothing of what the student's code did in it."""
        self.student.alone = False
        self.student.put_back()

    def __missing__(self, name: str) -> Any:
        if name in MODULES:
            return importlib.import_module(MODULES[name])
        if hasattr(builtins, name):
            return getattr(builtins, name)
        if name.startswith("__"):
            raise KeyError(name)
        if name in self.found:
            return self.found[name]
        value = self.student.name(name)
        if isinstance(value, (StandIn, types.FunctionType)):  # a value may be another next time
            self.found[name] = value
        return value


def given(source: str, label: str, namespace: Names) -> bool:
    """Run a locked cell of the instructor's for what it defines; its output is the student's.

    Where it fails, for want of the student's work perhaps, the names that it would have
    defined are looked up in the student's process.

    Returns
    -------
    bool
        Whether it ran to its end.
    """
    try:
        with _quiet(io.StringIO()):
            exec(compile(_without_magics(source), f"<cell {label}>", "exec"), namespace)
    except BaseException:
        return False
    return True


def test(source: str, label: str, namespace: Names, points: float | None, space: int) -> list[dict]:
    """Run a test cell that is worth so many points.

    Returns
    -------
    list of dict
        Outputs as a notebook holds them and as nbgrader reads them: an error, or
        nothing, or the value of the last expression where that is a number.
    """
    file = f"<cell {label}>"
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    text = _Text(space)
    outputs: list[dict] = []
    with _quiet(text):
        try:
            tree = ast.parse(_without_magics(source), file)
            last = None
            if tree.body and isinstance(tree.body[-1], ast.Expr):
                last = ast.Expression(tree.body.pop().value)  # type: ignore[attr-defined]
            exec(compile(tree, file, "exec"), namespace)
            if last is not None:
                outputs += _result(eval(compile(last, file, "eval"), namespace), points)
        except KeyboardInterrupt:
            outputs = [_error(TOO_LONG, file)]
        except BaseException as error:
            outputs = [_error(error, file)]
    # nbgrader takes standard error for a failure, and here are warnings: all is standard output
    printed = text.getvalue()
    if printed:
        outputs.insert(0, {"output_type": "stream", "name": "stdout", "text": printed})
    return outputs


def _result(value: Any, points: float | None) -> list[dict]:
    """Give partial credit: a number from 0 to the points of the cell, as nbgrader reads it.

    nbgrader takes True, nan, -1 and np.float64(0.0) for full marks, and a number above the
    points ends its batch; here a number of NumPy's is its value, and the others are
    errors of the test, which the message says. What is no number is no partial credit.
    """
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value[()]
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or not isinstance(value, (bool, int, float, complex)):
        return []
    most = math.inf if points is None else points
    if isinstance(value, (bool, complex)) or not 0 <= value <= most or math.isinf(value):
        raise ValueError(
            f"the test's last line gives {value!r}, where a number from 0 to {most:g} is wanted; "
            "no points are given"
        )
    data = {"text/plain": repr(float(value))}
    return [{"output_type": "execute_result", "data": data, "metadata": {}, "execution_count": 1}]


def _error(error: BaseException, file: str) -> dict:
    render = getattr(type(error), "_render_traceback_", None)
    name, text = type(error).__name__, str(error)
    if isinstance(error, Gone):
        name = "NoAnswer"
    if render is not None:
        lines = [str(line) for line in render(error)]
    else:
        frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename == file]
        lines = "".join(traceback.format_list(frames[-3:])).splitlines()
        lines.append(f"{name}: {text}")
    return {"output_type": "error", "ename": name, "evalue": text, "traceback": lines}


class _Text(io.StringIO):
    """What the tests print, up to a limit."""

    def __init__(self, space: int) -> None:
        super().__init__()
        self.space = space

    def write(self, text: str) -> int:
        if self.tell() < self.space:
            super().write(text[: self.space - self.tell()])
        return len(text)


@contextlib.contextmanager
def _quiet(text: io.StringIO) -> Iterator[None]:
    streams = contextlib.redirect_stdout(text), contextlib.redirect_stderr(text)
    with streams[0], streams[1], warnings.catch_warnings():
        warnings.showwarning = _show_warning
        yield


def _show_warning(message: Any, category: Any, *_: Any, **__: Any) -> None:
    print(f"{category.__name__}: {message}")


def _without_magics(source: str) -> str:
    """Take out lines such as %matplotlib inline, which have no meaning here."""
    if source.startswith("%%"):
        return ""
    return re.sub(r"(?m)^[%!].*$", "pass", source)


# ── the student's side, as the tests see it ──────────────────────────────────


class Student:
    """Asks the student's process."""

    def __init__(self, channel: Channel) -> None:
        self.seen: dict[int, Any] = {}
        self.lent: list[Callable[..., Any]] = []
        self.peer = Peer(channel, self.answer, self.refer, self.resolve, self.explain)
        self.gone: Gone | None = None
        self.alone = False
        self.rested = 0  # the last question that was followed by a rest
        self.changed: dict[int, tuple[Any, Any]] = {}  # id → the test's own thing, what it held

    def put_back(self) -> None:
        """Undo what the student's code did to the tests' things and to its process's settings.

        A call brings its changes into the test's own arguments, since that may be what is
        asked. But they may be data of other tests too, and what one answer spoils must not
        be another's loss.
        """
        for thing, held in self.changed.values():
            with contextlib.suppress(Exception):  # such as one that the test has locked since
                _restore(thing, held)
        self.changed = {}
        if self.peer.asked > self.rested and self.gone is None:
            with contextlib.suppress(Gone, Raised):  # if it is needed again, that will be noticed
                self.peer.ask("rest")
            self.rested = self.peer.asked

    def ask(self, verb: str, *arguments: Any, file: str = "") -> Any:
        """Give what the student's process answers; what it raises is raised here."""
        if self.gone is not None:
            raise self.gone
        if self.alone:
            raise Gone("the notebook's process ended in this test, each time that it was run")
        try:
            return self.peer.ask(verb, *arguments)
        except Gone as error:
            self.gone = Gone(f"the notebook's own code gave no answer: {error}")
            raise self.gone from None
        except Raised as raised:
            problem, where = raised.builtin(), raised.where
        if not where or not file:
            raise problem
        # raised from the student's line, so that a message can show it
        line, text = where
        line = min(max(line, 1), 10_000)
        linecache.cache[file] = (1, None, ["\n"] * (line - 1) + [text + "\n"], file)
        exec(compile("\n" * (line - 1) + "raise error", file, "exec"), {"error": problem})

    def name(self, name: str) -> Any:
        match self.ask("name", name):
            case ["found", StandIn(_grading=(_, _, "module", _))]:
                raise NameError(MISSING_MODULE.format(name=name))
            case ["found", value]:
                return value
        raise KeyError(name)

    def call(self, thing: Any, arguments: tuple, named: dict, file: str = "") -> Any:
        answer = self.ask("call", thing, arguments, named, file=file)
        match answer:
            case [result, None]:
                return result
            case [result, [after, after_named]]:
                _note((arguments, named), self.changed)
                _update(list(arguments), list(after) if isinstance(after, (list, tuple)) else [])
                _update(named, after_named)
                return result
        raise self._broken()

    def _broken(self) -> Gone:
        self.gone = Gone("the notebook's own process does not keep to the form of messages")
        return self.gone

    # what the student's process may ask: to call a function that it was given

    def answer(self, verb: str, given: list) -> Any:
        match verb, given:
            case "call", [_Lent(function=function), tuple(arguments), dict(named)]:
                return function(*arguments, **named)
        raise TypeError("the tests' objects can only be called")

    def refer(self, thing: Any) -> list:
        if isinstance(thing, StandIn):
            return ["student", thing._grading[1]]
        number = getattr(thing, "_student_number", None)
        if isinstance(thing, types.FunctionType) and isinstance(number, int):
            return ["student", number]
        if callable(thing) and not isinstance(thing, type):
            self.lent.append(thing)
            return ["examiner", len(self.lent) - 1]
        raise CodecError(f"an object of type {type(thing).__name__} cannot be an argument here")

    def resolve(self, node: list) -> Any:
        match node:
            case ["examiner", int(number)] if 0 <= number < len(self.lent):
                return _Lent(self.lent[number])
            case ["student", int(number), str(kind), str(name), list(parameters)]:
                if number not in self.seen:
                    self.seen[number] = stand_in(self, number, kind, name, parameters)
                return self.seen[number]
        raise CodecError("an object that is none")

    @staticmethod
    def explain(error: BaseException) -> tuple[str, str, None]:
        """Describe an error in a function that the tests lent."""
        name = type(error).__name__
        return (name if hasattr(builtins, name) else "RuntimeError"), str(error)[:1000], None


class _Lent:
    """A function of the tests that the student's code holds; only to be called."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function


def _note(value: Any, noted: dict[int, tuple[Any, Any]]) -> None:
    """Note what everything in a value holds, but for what has been noted before."""
    if id(value) in noted:
        return
    if isinstance(value, np.ndarray):
        noted[id(value)] = value, value.copy()
    elif isinstance(value, np.random.Generator):
        noted[id(value)] = value, value.bit_generator.state
    elif isinstance(value, (list, dict)):
        noted[id(value)] = value, copy.copy(value)
    if isinstance(value, (list, tuple, dict)):
        for inner in value.values() if isinstance(value, dict) else value:
            _note(inner, noted)


def _restore(thing: Any, held: Any) -> None:
    """Let a thing hold again what was noted."""
    if isinstance(thing, np.ndarray):
        thing[...] = held
    elif isinstance(thing, np.random.Generator):
        thing.bit_generator.state = held
    elif isinstance(thing, list):
        thing[:] = held
    else:
        thing.clear()
        thing.update(held)


def _update(old: Any, new: Any) -> None:
    """Bring what the student's code changed in its arguments into the tests' own."""
    if isinstance(old, np.ndarray):
        same = isinstance(new, np.ndarray) and (old.shape, old.dtype) == (new.shape, new.dtype)
        if same and old.flags.writeable:
            old[...] = new
    elif isinstance(old, np.random.Generator):
        if isinstance(new, np.random.Generator):
            with contextlib.suppress(ValueError):
                old.bit_generator.state = new.bit_generator.state
    elif isinstance(old, (list, tuple)) and isinstance(new, (list, tuple)):
        for a, b in zip(old, new, strict=False):
            _update(a, b)
        if isinstance(old, list):
            kept = [a if _mutable(a) else b for a, b in zip(old, new, strict=False)]
            old[:] = kept + list(new[len(kept) :])
    elif isinstance(old, dict) and isinstance(new, dict):
        for key in old.keys() & new.keys():
            _update(old[key], new[key])
        merged = {k: old[k] if k in old and _mutable(old[k]) else v for k, v in new.items()}
        old.clear()
        old.update(merged)


def _mutable(value: Any) -> bool:
    return isinstance(value, (list, dict, np.ndarray, np.random.Generator))


def stand_in(student: Student, number: int, kind: str, name: str, parameters: list) -> Any:
    """Make a function for a function, with its name and parameters; a `StandIn` for the rest."""
    name = name if name.isidentifier() and not keyword.iskeyword(name) else "function"
    if kind == "class":
        return StandInClass(student, number, kind, name)
    if kind != "function":
        return StandIn(student, number, kind, name)
    file = f"<the notebook's {name} ({number})>"
    scope: dict[str, Any] = {}

    def call(arguments: tuple, named: dict) -> Any:
        return student.call(scope[name], arguments, named, file)

    source = f"def {name}(*arguments, **named):\n    return _call(arguments, named)\n"
    scope["_call"] = call
    exec(compile(source, file, "exec"), scope)
    function = scope[name]
    function._student_number = number
    function.__module__ = "__main__"
    with contextlib.suppress(TypeError, ValueError):
        function.__signature__ = inspect.Signature(
            [
                inspect.Parameter(
                    p, inspect._ParameterKind(k), default=... if d else inspect._empty
                )
                for p, k, d in parameters
            ]
        )
    return function


class StandIn:
    """An object of the student's; what is done with it is done there."""

    __slots__ = ("_grading",)

    def __init__(self, student: Student, number: int, kind: str, name: str) -> None:
        object.__setattr__(self, "_grading", (student, number, kind, name))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name.endswith("__"):
            # NumPy and others would ask the object by these what it is
            raise AttributeError(f"{name} of the notebook's objects cannot be asked for")
        return _ask(self, "get", name)

    def __setattr__(self, name: str, value: Any) -> None:
        _ask(self, "set", name, value)

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        return self._grading[0].call(self, arguments, named)

    def __getitem__(self, key: Any) -> Any:
        return _ask(self, "item", key)

    def __setitem__(self, key: Any, value: Any) -> None:
        _ask(self, "put", key, value)

    def __delitem__(self, key: Any) -> None:
        _ask(self, "drop", key)

    def __len__(self) -> int:
        length = _ask(self, "length")
        if type(length) is not int or not 0 <= length < 2**31:
            raise TypeError("a length that is none")
        return length

    def __contains__(self, value: Any) -> bool:
        return _ask(self, "holds", value) is True

    def __iter__(self) -> Iterator[Any]:
        steps = _ask(self, "iterate")
        while True:
            match self._grading[0].ask("next", steps):
                case [value]:
                    yield value
                case _:
                    return

    def __next__(self) -> Any:
        match _ask(self, "next"):
            case [value]:
                return value
        raise StopIteration

    def __deepcopy__(self, _: Any) -> StandIn:
        return self  # it stands for one object, which is not here to be copied

    def __bool__(self) -> bool:
        name = self._grading[3]
        raise TypeError(f"an object of the notebook's class {name} is neither true nor false here")

    def __repr__(self) -> str:
        shown = _ask(self, "show")
        return shown if isinstance(shown, str) else "an object of the notebook's"


class StandInClass(StandIn):
    """A class of the student's."""

    __slots__ = ()

    def __instancecheck__(self, thing: Any) -> bool:
        if isinstance(thing, (StandIn, types.FunctionType)):
            return _ask(self, "instance", thing) is True
        return False


def _ask(thing: StandIn, verb: str, *arguments: Any) -> Any:
    return thing._grading[0].ask(verb, thing, *arguments)
