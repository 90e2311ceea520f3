"""Runs the attacks and writes what each did, as JSON; a process of its own, so that any user can.

    python red_team.py [NAME …]

Around the attacks lie canaries: a gradebook, a source, another's submission, a secret
in the environment, a listening port. After each attack an honest submission is marked,
which also leaves traces for the next attack to find.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import json
import os
import secrets
import socket
import sqlite3
import sys
import tempfile
import threading
import time
import traceback
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parents[1])]

import toys  # noqa: E402
from attacks.book import ATTACKS  # noqa: E402

from grading.classroom.workers import Rooms  # noqa: E402
from grading.marking.assignment import Submission  # noqa: E402

GROUPS = ("forging", "reading", "tampering", "exhausting", "escaping", "malformed")
LIMITS = {
    "seconds": 8,
    "cell_seconds": 1.5,
    "patience": 4,
    "memory": 300 * 2**20,
    "processes": 24,
    "file_bytes": 16 * 2**20,
    "output_bytes": 100_000,
}
HONEST = {**toys.ANSWERS, "share": "def share(values):\n    return [0.5 for v in values]"}
LEAVE = """
import ctypes, os, socket
for path in ("left", "/tmp/left", "/dev/shm/left"):
    with open(path, "w") as file: file.write("{secret}")
os.environ["LEFT"] = "{secret}"
libc = ctypes.CDLL(None, use_errno=True)
libc.shmat.restype = ctypes.c_void_p
segment = libc.shmget(0x7A11, 4096, 0o1666)
if segment >= 0: ctypes.memmove(libc.shmat(segment, None, 0), b"{secret}", 20)
libc.syscall(248, b"user", b"victim", b"{secret}", 20, -4)
s = socket.socket(socket.AF_UNIX); s.bind("\\0victim"); s.listen()
"""


class Victim:
    """What must stay as it is, and unread."""

    def __init__(self, home: Path) -> None:
        self.secret = f"CANARY-{secrets.token_hex(8)}"
        self.home = home
        self.home.chmod(0o755)
        for name in ("source/toy/toy.ipynb", "submitted/victim/toy/toy.ipynb"):
            path = self.home / name
            path.parent.mkdir(parents=True)
            path.write_text(json.dumps(toys.notebook(toys.ANSWERS)) + self.secret)
        book = sqlite3.connect(self.home / "gradebook.db")
        book.execute("create table grade (auto_score real)")
        book.execute("insert into grade values (1)")
        book.execute(f"create table note as select '{self.secret}' as text")
        book.commit()
        book.close()
        os.environ["GRADER_SECRET"] = self.secret
        self.port = socket.create_server(("0.0.0.0", 0))
        self.calls = 0
        threading.Thread(target=self._listen, daemon=True).start()
        self.state = self.look()

    def _listen(self) -> None:
        while True:
            connection, _ = self.port.accept()
            self.calls += 1
            connection.sendall(self.secret.encode())
            connection.close()

    def look(self) -> str:
        seen = hashlib.sha256()
        for path in sorted(self.home.rglob("*")):
            about = path.lstat()
            seen.update(f"{path} {about.st_mode} {about.st_mtime_ns} {about.st_size}".encode())
            if path.is_file():
                seen.update(path.read_bytes())
        return seen.hexdigest()

    def facts(self) -> dict[str, str]:
        return {
            "home": str(self.home),
            "port": str(self.port.getsockname()[1]),
            "address": socket.gethostname(),
            "pid": str(os.getpid()),
        }


def descendants() -> set[int]:
    """All processes below this one."""
    below: dict[int, list[int]] = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                stat = Path(f"/proc/{name}/stat").read_text()
            except OSError:
                continue
            state, parent = stat.rpartition(")")[2].split()[:2]
            if state != "Z":
                below.setdefault(int(parent), []).append(int(name))
    found: set[int] = set()
    todo = [os.getpid()]
    while todo:
        children = below.get(todo.pop(), [])
        found.update(children)
        todo += children
    return found


def left(before: int) -> int:
    """How many processes there are more than before: a fresh room has as many as another.

    What was killed may need some time to be gone.
    """
    until = time.monotonic() + 60
    while (more := len(descendants()) - before) > 0 and time.monotonic() < until:
        time.sleep(0.05)
    return more


def shown(outcome: toys.Outcome) -> str:
    """All that a student's own cells put out."""
    texts = []
    for page in outcome.notebooks.values():
        for cell in json.loads(page)["cells"]:
            if not cell["id"].startswith("test_"):
                texts.append(json.dumps(cell.get("outputs", "")))
    return "\n".join(texts)


def _writable(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def main(wanted: list[str]) -> list[dict[str, Any]]:
    with (
        tempfile.TemporaryDirectory(prefix="toykit-") as kit,
        tempfile.TemporaryDirectory(prefix="course-") as home,
    ):
        return attacked(wanted, Path(kit), Path(home))


def attacked(wanted: list[str], folder: Path, home: Path) -> list[dict[str, Any]]:
    for group in GROUPS:
        importlib.import_module(f"attacks.{group}")
    folder.chmod(0o755)
    toys.package(folder)
    sys.path.insert(0, str(folder))
    victim = Victim(home)
    spec = toys.specification(limits=LIMITS)
    results = []

    def hand_in(content: Any, files: Any) -> Any:
        raw = content if isinstance(content, bytes) else json.dumps(content).encode()
        return rooms.mark(Submission("ada", {"toy.ipynb": raw, **files}))

    with contextlib.closing(Rooms(spec)) as rooms:
        honest = toys.with_cells(LEAVE.format(secret=victim.secret), answers=HONEST)
        expected = toys.scores(hand_in(honest, {}))
        assert sum(expected.values()) == 7, expected
        quiet = descendants()
        for attack in ATTACKS:
            if wanted and attack.name not in wanted:
                continue
            found: dict[str, Any] = {"name": attack.name}
            try:
                made = attack.make(victim.facts())
                content, files = made if isinstance(made, tuple) else (made, {})
                outcome = hand_in(content, files)
                wasted = outcome.wasted
                found["wasted"], found["loss"] = len(wasted), outcome.loss
                found["cpu"] = outcome.cpu + sum(waste.get("cpu", 0.0) for waste in wasted)
                found["scores"] = outcome.scores.get("toy", {})  # none where it is not marked
                found["total"] = sum(filter(None, found["scores"].values()))
                found["status"], found["sentence"] = outcome.status, outcome.sentence
                found["limit"], found["causes"] = outcome.limit, outcome.causes
                text = shown(outcome)
                found["output"] = text[:3000]
                found["bytes"] = sum(map(len, outcome.notebooks.values()))
                pages = [json.loads(page) for page in outcome.notebooks.values()]
                outputs = [cell.get("outputs") for page in pages for cell in page["cells"]]
                everything = json.dumps([pages, outcome.causes], ensure_ascii=False)
                written = json.dumps([outputs, outcome.causes], ensure_ascii=False)
                found["odd"] = "\\u0000" in written or not _writable(written)
                found["leaks"] = [
                    word
                    for word, where in {
                        victim.secret: everything,
                        toys.HIDDEN: text,
                        "ANSWER-KEY": everything,
                        "REACHED": text,
                    }.items()
                    if word in where
                ]
            except BaseException:
                found["crash"] = traceback.format_exc()
            found["left"] = left(len(quiet))
            found["touched"] = victim.look() != victim.state
            found["calls"] = victim.calls
            found["others"] = toys.scores(hand_in(honest, {})) == expected
            results.append(found)
    return results


if __name__ == "__main__":
    print("RESULTS" + json.dumps(main(sys.argv[1:])))
