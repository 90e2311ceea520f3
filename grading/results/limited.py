"""Work on a student's text in a process that may be ended: no page may hold up a class.

Texts are capped before they are cleaned and coloured, but no cap knows what a parser does
with what stands below it.
"""

from __future__ import annotations

import multiprocessing
import os
import resource
import signal
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any, TypeVar

SECONDS = 20.0  # of processor time, which a busy machine does not change
MEMORY = 2 * 2**30  # bytes, beyond what this process holds
FORK = multiprocessing.get_context("fork")  # nothing is imported again

T = TypeVar("T")

_helper: Connection | None = None


class TooMuch(Exception):
    """The work used up its time or its memory, and nothing came of it."""


def limited(work: Callable[..., T], *arguments: Any) -> T:
    """Call a function in a process beside this one, within limits.

    Parameters
    ----------
    work : function
        Of a module; what it is given and what it returns can be pickled.

    Raises
    ------
    TooMuch
    """
    global _helper
    if _helper is None:
        _helper, theirs = FORK.Pipe()
        FORK.Process(target=_serve, args=(theirs,), daemon=True).start()
        theirs.close()
    helper, _helper = _helper, None
    try:
        helper.send((SECONDS, work, arguments))
        done, error = helper.recv()
    except (EOFError, OSError):
        done, error = None, MemoryError()
    if isinstance(error, MemoryError):
        raise TooMuch(f"more than {SECONDS:g} s of processor time, or too much memory")
    _helper = helper
    if error:
        raise error
    return done


def _serve(pipe: Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the one that waits
    for descriptors in ((3, pipe.fileno()), (pipe.fileno() + 1, os.sysconf("SC_OPEN_MAX"))):
        os.closerange(*descriptors)  # whoever waits for the end of another pipe must see it
    with open("/proc/self/statm", encoding="ascii") as file:
        held = int(file.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (held + MEMORY, held + MEMORY))
    while True:
        try:
            seconds, work, arguments = pipe.recv()
        except EOFError:
            return
        signal.setitimer(signal.ITIMER_PROF, seconds)  # at its end SIGPROF ends this process
        try:
            answer: tuple[Any, Exception | None] = (work(*arguments), None)
        except Exception as error:
            answer = None, error
        signal.setitimer(signal.ITIMER_PROF, 0)
        pipe.send(answer)
