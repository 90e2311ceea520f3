"""A Dask cluster whose workers are killed, cut off and frozen; a coordinator that is killed."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import classes
import pytest
from nbgrader.api import Gradebook

from grading.classroom import batch, log, workers
from grading.classroom.batch import Settings
from grading.sandbox import box

pytest.importorskip("distributed", reason="Dask is not installed: pip install distributed")
HERE = Path(__file__).parent

# a worker whose rooms are open ones, and noted down: one line for each submission begun; it
# begins none more than is allowed
PRELOAD = """
import os, sys, time
sys.path[:0] = [{root!r}, {here!r}]
import classes
from grading.marking.assignment import Specification

class Slow(classes.OpenRoom):
    def run(self, notebook, **more):
        assert not os.path.exists("gradebook.db") and not os.path.exists("submitted")
        if "HIDDEN TESTS" not in str(notebook):  # the first of two runs
            return super().run(notebook, **more)
        while os.path.getsize({ran!r}) >= int(open({allowed!r}).read()):
            time.sleep(0.01)
        with open({ran!r}, "a") as file:
            file.write(".")
        time.sleep(0.1)
        return super().run(notebook, **more)

Specification.room = lambda self: Slow()
"""


class Cluster:
    """A scheduler and workers, each a process of its own on the loopback interface."""

    def __init__(self, folder: Path, silence: int) -> None:
        """`silence`: seconds after which a worker is taken for dead."""
        self.folder = folder
        self.boxed = False  # whether workers use the real box
        self.ran, self.allowed = folder / "ran", folder / "allowed"
        self.ran.touch()
        self.allow(1000)
        self.preload = folder / "preload.py"
        self.preload.write_text(
            PRELOAD.format(
                root=str(HERE.parents[1]),
                here=str(HERE),
                ran=str(self.ran),
                allowed=str(self.allowed),
            )
        )
        self.environment = os.environ | {
            "DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT": "60s",
            "DASK_DISTRIBUTED__COMM__TIMEOUTS__TCP": "60s",
            "DASK_DISTRIBUTED__SCHEDULER__WORKER_TTL": f"{silence}s",
            "PYTHONWARNINGS": "ignore",
        }
        self.processes: list[subprocess.Popen[bytes]] = []
        self.workers: list[subprocess.Popen[bytes]] = []
        about = folder / "scheduler.json"
        options = ["--port=0", f"--scheduler-file={about}", "--host=127.0.0.1", "--no-dashboard"]
        scheduler = self.start("scheduler", *options)
        self.address = ""  # it chooses a port that is free, and says which
        while not self.address:
            assert scheduler.poll() is None
            with contextlib.suppress(OSError, ValueError):  # not there, or half of it
                self.address = json.loads(about.read_text())["address"]
            time.sleep(0.05)

    def start(self, kind: str, *options: str) -> subprocess.Popen[bytes]:
        place = self.folder / f"{kind}{len(self.processes)}"
        place.mkdir()
        with open(place / "log", "wb") as file:
            process = subprocess.Popen(
                [sys.executable, "-m", "distributed.cli.dask_" + kind, *options],
                cwd=place,
                env=self.environment,
                stdout=file,
                stderr=file,
                start_new_session=True,
            )
        self.processes.append(process)
        return process

    def worker(self, address: str = "") -> subprocess.Popen[bytes]:
        options = ["--nthreads=1", "--no-nanny", "--no-dashboard", "--host=127.0.0.1"]
        options += [f"--local-directory={self.folder}"]
        options += [] if self.boxed else [f"--preload={self.preload}"]
        process = self.start("worker", address or self.address, *options)
        self.workers.append(process)
        return process

    def wait_for(self, workers: int) -> None:
        from distributed import Client

        with Client(self.address, set_as_default=False, timeout=300) as client:
            client.wait_for_workers(workers, timeout=300)

    def allow(self, runs: int) -> None:
        draft = self.allowed.with_suffix(".new")
        draft.write_text(str(runs))
        draft.rename(self.allowed)

    def kill(self, worker: int) -> None:
        self.workers[worker].kill()
        self.workers[worker].wait()

    def runs(self) -> int:
        return self.ran.stat().st_size

    def close(self) -> None:
        for process in reversed(self.processes):
            if process.poll() is None:
                process.kill()
        for process in self.processes:
            process.wait(30)


@pytest.fixture
def cluster(
    tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Cluster]:
    monkeypatch.setattr(workers, "REACH", 600)  # it is there, however busy
    (tmp_path / "cluster").mkdir()
    cluster = Cluster(tmp_path / "cluster", getattr(request, "param", 300))
    try:
        yield cluster
    finally:
        cluster.close()


@pytest.fixture
def coursedir(tmp_path: Path) -> Any:
    return classes.course(tmp_path / "course")


def hand_in(coursedir: Any, count: int) -> dict[str, float]:
    deserved = {}
    for number in range(count):
        wrong = ("mean",) if number % 3 == 0 else ()
        classes.hand_in(coursedir, f"s{number:02}", classes.solved(coursedir, wrong))
        deserved[f"s{number:02}"] = 8.0 - 2 * len(wrong)
    return deserved


def totals(coursedir: Any) -> dict[str, float]:
    with Gradebook(coursedir.db_url, classes.COURSE) as book:
        return {s.student_id: s.score for s in book.assignment_submissions(classes.ASSIGNMENT)}


def outcomes(coursedir: Any) -> Counter[str]:
    lines = log.read(log.path(coursedir.root, classes.ASSIGNMENT))
    return Counter(line["student"] for line in lines if line["event"] == "outcome")


def run(coursedir: Any, cluster: Cluster) -> batch.Report:
    return batch.grade(coursedir, classes.ASSIGNMENT, Settings(dask=cluster.address))


class Wire:
    """A way to the scheduler that can be cut."""

    def __init__(self, address: str) -> None:
        self.there = ("127.0.0.1", int(address.rpartition(":")[2]))
        self.server = socket.create_server(("127.0.0.1", 0))
        self.address = f"tcp://127.0.0.1:{self.server.getsockname()[1]}"
        self.ends: list[socket.socket] = []
        self.whole = True
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self.server.accept()
                if not self.whole:
                    near.close()
                    continue
                far = socket.create_connection(self.there)
                self.ends += [near, far]
                for one, other in ((near, far), (far, near)):
                    threading.Thread(target=self.pump, args=(one, other), daemon=True).start()

    def pump(self, one: socket.socket, other: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := one.recv(65536):
                other.sendall(data)
        with contextlib.suppress(OSError):
            other.shutdown(socket.SHUT_WR)

    def cut(self) -> None:
        self.whole = False
        for end in self.ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def close(self) -> None:
        self.cut()
        self.server.close()


def after(cluster: Cluster, *steps: tuple[int, Any]) -> threading.Thread:
    """Do something when so many submissions were begun, before more are; one after the other."""
    cluster.allow(steps[0][0])

    def wait_and_do() -> None:
        for number, (runs, what) in enumerate(steps, start=1):
            while cluster.runs() < runs:
                time.sleep(0.01)
            what()
            cluster.allow(steps[number][0] if number < len(steps) else 1000)

    thread = threading.Thread(target=wait_and_do, daemon=True)
    thread.start()
    return thread


def test_workers_may_be_killed(coursedir: Any, cluster: Cluster) -> None:
    deserved = hand_in(coursedir, 24)
    for _ in range(3):
        cluster.worker()
    cluster.wait_for(3)
    killer = after(cluster, (3, lambda: cluster.kill(0)), (9, lambda: cluster.kill(1)))
    report = run(coursedir, cluster)
    killer.join()
    assert [w.poll() is None for w in cluster.workers] == [False, False, True]
    assert not report.with_status("failed")
    assert totals(coursedir) == deserved
    assert outcomes(coursedir) == dict.fromkeys(deserved, 1)
    assert 24 <= cluster.runs() <= 24 + 4, "only what the dead had in hand was run again"
    before = cluster.runs()
    assert not run(coursedir, cluster).marked and cluster.runs() == before


def test_workers_use_the_box(coursedir: Any, cluster: Cluster) -> None:
    try:
        box.check()
    except box.BoxUnavailable as error:
        pytest.skip(str(error))
    deserved = hand_in(coursedir, 5)
    notebook = classes.solved(coursedir)
    classes.cell_of(notebook, "add")["source"] = "import os\nos.kill(os.getppid(), 9)\nos._exit(1)"
    classes.hand_in(coursedir, "zoe", notebook)
    cluster.boxed = True
    worker = cluster.worker()
    cluster.wait_for(1)
    report = run(coursedir, cluster)
    assert worker.poll() is None and report.marked["zoe"]["status"] == "marked"
    assert totals(coursedir) == deserved | {"zoe": 0.0}
    assert all(line["cpu"] > 0 for line in report.marked.values())


def test_the_way_to_a_worker_may_be_cut(coursedir: Any, cluster: Cluster) -> None:
    deserved = hand_in(coursedir, 20)
    cluster.worker()
    wire = Wire(cluster.address)
    try:
        cluster.worker(wire.address)
        cluster.wait_for(2)
        cutter = after(cluster, (6, wire.cut))
        report = run(coursedir, cluster)
        cutter.join()
    finally:
        wire.close()
    assert not wire.whole and not report.with_status("failed")
    assert totals(coursedir) == deserved
    assert outcomes(coursedir) == dict.fromkeys(deserved, 1)


# so long that no other worker is taken for dead, since it sends a sign of life twice a second
@pytest.mark.parametrize("cluster", [40], indirect=True)
def test_a_worker_may_freeze(coursedir: Any, cluster: Cluster) -> None:
    deserved = hand_in(coursedir, 12)
    for _ in range(2):
        cluster.worker()
    cluster.wait_for(2)
    freezer = after(cluster, (3, lambda: cluster.workers[0].send_signal(signal.SIGSTOP)))
    report = run(coursedir, cluster)
    freezer.join()
    assert not report.with_status("failed")
    assert totals(coursedir) == deserved
    assert outcomes(coursedir) == dict.fromkeys(deserved, 1)


COORDINATOR = """
import sys
sys.path.insert(0, {here!r})
import classes
from grading.classroom import batch, workers
workers.REACH = 600
print("ready", flush=True)
batch.grade(classes.opened({root!r}), classes.ASSIGNMENT, batch.Settings(dask={address!r}))
"""


def test_the_coordinator_may_be_killed(coursedir: Any, cluster: Cluster) -> None:
    deserved = hand_in(coursedir, 30)
    for _ in range(2):
        cluster.worker()
    cluster.wait_for(2)
    code = COORDINATOR.format(here=str(HERE), root=coursedir.root, address=cluster.address)
    environment = cluster.environment | {"PYTHONPATH": str(HERE.parents[1])}
    dice = random.Random(2)
    for attempt in range(3):
        cluster.allow(8 * (attempt + 1))
        process = subprocess.Popen(
            [sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE
        )
        assert process.stdout is not None and process.stdout.readline()
        known = sum(outcomes(coursedir).values())
        while sum(outcomes(coursedir).values()) < known + 4 and process.poll() is None:
            time.sleep(0.02)
        time.sleep(dice.uniform(0, 0.2))
        process.kill()
        process.wait()
        process.stdout.close()
        assert outcomes(coursedir).most_common(1)[0][1] == 1
    before = sum(outcomes(coursedir).values())
    assert 12 <= before < 30
    cluster.allow(1000)
    report = run(coursedir, cluster)
    assert len(report.marked) == 30 - before and len(report.kept) == before
    assert totals(coursedir) == deserved
    assert outcomes(coursedir) == dict.fromkeys(deserved, 1)
    assert not run(coursedir, cluster).marked


def test_a_cluster_that_dies_leaves_the_rest_for_the_next_run(
    coursedir: Any, cluster: Cluster
) -> None:
    deserved = hand_in(coursedir, 16)
    cluster.worker()
    cluster.wait_for(1)

    def kill_scheduler() -> None:
        while not outcomes(coursedir):  # some come back before
            time.sleep(0.01)
        cluster.processes[0].kill()

    killer = after(cluster, (6, kill_scheduler))
    with pytest.raises(ConnectionError, match="run it again for the rest"):
        run(coursedir, cluster)
    killer.join()
    some = totals(coursedir)
    assert 0 < len(some) < 16, "what was marked before is in the gradebook"
    assert some.items() <= deserved.items()
    assert outcomes(coursedir) == dict.fromkeys(some, 1)


def test_no_cluster_is_a_sentence(coursedir: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "REACH", 3)
    hand_in(coursedir, 1)
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))  # nobody else takes the port, and nobody listens
        nowhere = f"tcp://127.0.0.1:{deaf.getsockname()[1]}"
        with pytest.raises(ConnectionError, match="is no Dask scheduler at"):
            batch.grade(coursedir, classes.ASSIGNMENT, Settings(dask=nowhere))
