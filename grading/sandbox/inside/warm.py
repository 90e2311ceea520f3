"""The first process of a box: it has everything imported and forks for each submission.

It never runs a line of a student. It listens to the grader on one socket, starts one
child at a time for its role (`student` or `examiner`), watches the child's memory,
ends the child and everything that it left, and says what it cost. If the child had ended
before, it says how: by a signal from somewhere else, that is nobody's fault in the box.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import random
import resource
import select
import signal
import socket
import sys
from typing import Any

import numpy.random  # numpy itself waits with it until it is asked for

from . import isolation
from .channel import READY, Channel

TICK = 0.05  # seconds between two looks at the child's memory
PAGE = os.sysconf("SC_PAGE_SIZE")
PF_EXITING = 4  # in the kernel's flags of a process
TICKS = os.sysconf("SC_CLK_TCK")  # of /proc's processor time, a second


def main(control: int) -> None:
    """Serve the grader on this file descriptor until it closes it."""
    sock = socket.socket(fileno=control)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # meant for the child
    settings = json.loads(sock.recv(2**20))
    boxed = settings["boxed"]
    if boxed:
        isolation.unseen()
        isolation.program()
    role = importlib.import_module(f".{settings['role']}", __package__)
    role.warm(settings)
    for package in settings["packages"]:
        importlib.import_module(package)
    own = os.open("/proc/self/ns/pid", os.O_RDONLY) if boxed else -1
    gc.collect()
    gc.freeze()  # so that a child's collector does not touch, and so copy, all these pages
    sock.send(b'{"ready": true}')
    while True:
        data, descriptors, _, _ = socket.recv_fds(sock, 2**16, 4)
        if not data:
            return
        order = json.loads(data)
        if "fork" not in order:
            continue  # an order for a child that has ended meanwhile
        start = order["fork"]
        if boxed:
            isolation.new_pid_namespace(own)
        pid = os.fork()
        if pid == 0:
            _child(role, settings, start, descriptors, boxed)
        for descriptor in descriptors:
            os.close(descriptor)
        watch = _Watch(sock, pid, settings, boxed)
        watch.until_it_ends()
        sock.send(json.dumps(watch.ending).encode())


def _child(role: Any, settings: dict, start: dict, descriptors: list[int], boxed: bool) -> None:
    """Become small in the new process, then play the role. Never returns."""
    status = 1
    try:
        files = {}
        for name in settings["files"]:
            with open(f"{settings['folder']}/{name}", "rb") as file:
                files[name] = file.read()
        os.setsid()
        kept = [os.dup2(fd, 300 + k, inheritable=False) for k, fd in enumerate(descriptors)]
        null = os.open(os.devnull, os.O_RDWR)
        for k in range(3):
            os.dup2(null, k)
        os.closerange(3, 300)
        used = _address_space() if boxed else 0
        if boxed:
            with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
                file.write("1000")  # if the machine runs out of memory, this goes first
            isolation.unseen(False)  # the watch may look into it; nothing else sees it
            isolation.one_processor(start["processor"])
            os.chdir(isolation.new_folders(settings["own"], settings["limits"]["file_bytes"]))
        else:
            os.chdir(start["folder"])
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        for name, content in files.items():
            os.makedirs(os.path.dirname(name) or ".", exist_ok=True)
            with open(name, "wb") as file:
                file.write(content)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # an OSError is clearer
        _seed(start["seed"])
        sockets = [socket.socket(fileno=fd) for fd in kept]
        if boxed:
            isolation.limit(settings["limits"], used)
            isolation.no_privileges()
            isolation.few_system_calls()
        grader, peer = map(Channel, sockets)
        grader.send(READY)
        role.play(grader, peer, settings)
        status = 0
    except BaseException as error:
        if os.environ.get("GRADING_DEBUG"):
            raise
        del error
    finally:
        os._exit(status)


def _seed(seed: int) -> None:
    os.environ["GRADING_SEED"] = str(seed)
    random.seed(seed)
    numpy.random.seed(seed % 2**32)  # noqa: NPY002  what a notebook may use


def _address_space() -> int:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[0]) * PAGE


def _resident(pid: str) -> int:
    """Count the bytes of memory that a process uses, those that it shares included."""
    with contextlib.suppress(OSError, IndexError), open(f"/proc/{pid}/statm") as file:
        return int(file.read().split()[1]) * PAGE
    return 0


def _own(pid: str) -> int:
    """Count the bytes of memory that a process uses, of those that it shares its part."""
    with contextlib.suppress(OSError), open(f"/proc/{pid}/smaps_rollup") as file:
        for line in file:
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return _resident(pid)  # it hides, or has just ended


def _state(pid: str) -> list[int]:
    """Read the numbers of /proc/PID/stat behind the name, the first (a letter) as 0."""
    with contextlib.suppress(OSError), open(f"/proc/{pid}/stat") as file:
        return [0, *map(int, file.read().rpartition(")")[2].split()[1:])]
    return [0] * 50  # it has just ended


def _exiting(pid: str) -> bool:
    """Tell whether all threads of a process are on their way out."""
    with contextlib.suppress(OSError):
        threads = os.listdir(f"/proc/{pid}/task")
        return all(_state(f"{pid}/task/{thread}")[6] & PF_EXITING for thread in threads)
    return False


def _used(pid: str) -> int:
    """Count the ticks of processor time of a process, and of those that it has waited for."""
    return sum(_state(pid)[11:15])


def _queued(pid: str) -> float:
    """Measure the seconds for which a process could have run, and had no processor."""
    with contextlib.suppress(OSError, IndexError), open(f"/proc/{pid}/schedstat") as file:
        return int(file.read().split()[1]) / 1e9
    return 0.0  # it has just ended, or this kernel does not count


class _Watch:
    """One child from its start to its end."""

    def __init__(self, sock: socket.socket, pid: int, settings: dict, boxed: bool) -> None:
        self.sock, self.pid, self.boxed = sock, pid, boxed
        self.limits = settings["limits"]
        self.warm = _resident("self") if boxed else 0
        # "signal" is the one that ended it before it was told to end
        self.ending: dict[str, Any] = {"limit": None, "cpu": 0.0, "signal": None}

    def until_it_ends(self) -> None:
        ended = os.pidfd_open(self.pid)
        try:
            while True:
                watched: list[Any] = [self.sock, ended]
                ready = select.select(watched, [], [], TICK)[0]
                if self.sock in ready:
                    data = self.sock.recv(2**16)
                    order = json.loads(data) if data else {"end": True}
                    if "interrupt" in order:
                        self._signal(signal.SIGINT)
                    elif "used" in order:
                        pids = self._pids()
                        used = {
                            "cpu": sum(map(_used, pids)) / TICKS,
                            "queued": max(map(_queued, pids), default=0.0),
                        }
                        self.sock.send(json.dumps(used).encode())
                    elif "end" in order:
                        break
                elif ended in ready:
                    # its end is told, in its turn, when the grader asks for it
                    select.select([self.sock], [], [])
                elif self.boxed:
                    self._look()
        finally:
            os.close(ended)
            self._end()

    def _signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def _end(self) -> None:
        """End the child; it is the first of its namespace, so that all others end with it."""
        if self.boxed:
            self._look()  # a bomb may have kept this process from looking in time
        # its files are closed, which the grader has seen, some time before it has ended
        wait = 0 if _exiting(str(self.pid)) else os.WNOHANG
        gone = os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT | wait)
        if gone is not None and gone.si_code != os.CLD_EXITED:
            self.ending["signal"] = gone.si_status
        self._signal(signal.SIGKILL)
        if not self.boxed:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
        _, _, usage = os.wait4(self.pid, 0)
        self.ending["cpu"] = usage.ru_utime + usage.ru_stime
        if self.ending["signal"] == signal.SIGKILL and self.ending["cpu"] >= self.limits["cpu"]:
            self.ending["limit"] = self.ending["limit"] or "time"  # the kernel's limit, then

    def _pids(self) -> list[str]:
        """List all processes of the submission; without the box, its first alone."""
        if not self.boxed:
            return [str(self.pid)]
        return [name for name in os.listdir("/proc") if name.isdigit() and name != "1"]

    def _look(self) -> None:
        """Add up what all processes of the submission hold; end them if it is too much."""
        most = self.limits["memory"] + self.warm
        pids = self._pids()
        # what forks share is counted in each of them here, so a second look decides
        if sum(map(_resident, pids)) > most and sum(map(_own, pids)) > most:
            self.ending["limit"] = "memory"
        elif len(pids) > self.limits["processes"]:
            self.ending["limit"] = "processes"
        else:
            return
        self._signal(signal.SIGKILL)


if __name__ == "__main__":
    main(int(sys.argv[1]))
