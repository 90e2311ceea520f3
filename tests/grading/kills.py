"""Kills processes of boxes at random moments of batches, on a machine that is kept busy.

    python tests/grading/kills.py [KILLS]        500 unless said otherwise

Every mark must be the deserved one. The gate does a tenth of it (test_marking).
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[2])]

import classes  # noqa: E402

from grading.classroom import batch, gradebook, log  # noqa: E402
from grading.sandbox import box  # noqa: E402

CLASS = 40
SUBMISSION = "a submission's process"
# outcomes from one kill to the next: however slow the machine, there is progress; and what was
# killed has mostly been run again, since the marker tells whoever is lost thrice in the same cell
GAP = (3, 8)
# a real answer takes longer than these: most of a batch's time shall be in students' code
SLOW = "    for _ in range({}): pass\n"


@dataclass
class Counts:
    """What was done, and what became of it."""

    kills: Counter[str] = field(default_factory=Counter)  # by whose process it was
    batches: int = 0
    marked: int = 0  # outcomes
    wasted: Counter[str] = field(default_factory=Counter)  # runs, by what was lost
    next_run: int = 0  # submissions that a batch left unmarked, for the next command
    refused: int = 0  # runs in which not one sandbox lived long enough to begin
    told: list[str] = field(default_factory=list)  # sentences to students: none is deserved
    wrong: list[str] = field(default_factory=list)  # marks that are not those deserved


@contextlib.contextmanager
def busy(others: int = os.cpu_count() or 1) -> Iterator[None]:
    """Every core has something else to do; or the one that this process keeps to, many things."""
    alone = "import os\nparent = os.getppid()\nwhile os.getppid() == parent: pass"
    # in sessions of their own, since between these a kernel may share a processor
    burners = [
        subprocess.Popen([sys.executable, "-c", alone], start_new_session=True)
        for _ in range(others)
    ]
    try:
        yield
    finally:
        for burner in burners:
            burner.kill()
            burner.wait()


def boxes() -> list[tuple[str, psutil.Process]]:
    """The processes of all boxes below this one, each with what it is."""
    found = []
    for outer in psutil.Process().children():
        with contextlib.suppress(psutil.Error):
            if outer.name() != "bwrap":
                continue
            for one in [outer, *outer.children(recursive=True)]:
                kind = "bubblewrap"
                if "python" in one.name():
                    parent = one.parent()
                    own = parent is not None and "python" in parent.name()
                    kind = SUBMISSION if own else "a warm process"
                if one.status() != psutil.STATUS_ZOMBIE:
                    found.append((kind, one))
    return found


def outcomes(trail: Path, seen: int) -> int:
    """How many outcomes stand in a log behind what has been seen of it."""
    if not trail.exists():
        return 0
    with open(trail, "rb") as file:
        file.seek(seen)
        return file.read().count(b'"event": "outcome"')


def killing(
    dice: random.Random, most: int, trail: Path, over: threading.Event, counts: Counts
) -> None:
    """Kill, now this one, now that one, until a batch is over."""
    while sum(counts.kills.values()) < most:
        seen, wanted = trail.stat().st_size if trail.exists() else 0, dice.randint(*GAP)
        while outcomes(trail, seen) < wanted and not over.wait(0.02):
            pass
        if over.wait(dice.uniform(0, 0.5)):
            return
        there = boxes()
        if dice.random() < 0.6:  # they are the fewest, and shall be hit as often as all others
            while not any(kind == SUBMISSION for kind, _ in there) and not over.wait(0.01):
                there = boxes()
            there = [(kind, one) for kind, one in there if kind == SUBMISSION]
        if there:
            kind, victim = dice.choice(there)
            with contextlib.suppress(psutil.Error, ProcessLookupError):
                os.kill(victim.pid, signal.SIGKILL)
                counts.kills[kind] += 1


def experiment(folder: Path, kills: int, seed: int = 3) -> Counts:
    """So many kills, in as many batches of one class as it takes.

    Parameters
    ----------
    folder : Path
        Gets the course.
    kills : int
    seed : int, optional
        Of what is killed, and of the pauses between; what they meet is chance.

    Returns
    -------
    Counts
    """
    dice = random.Random(seed)
    coursedir = classes.course(folder)
    deserved = {}
    for number in range(CLASS):
        wrong = ("mean",) if number % 3 == 0 else ()
        notebook = classes.solved(coursedir, wrong)
        for name in classes.ANSWERS.keys() - set(wrong):
            cell = classes.cell_of(notebook, name)
            head, body = cell["source"].split("\n")
            cell["source"] = f"{head}\n{SLOW.format(dice.randrange(2_000_000))}{body}"
        student = f"s{number:02}"
        classes.hand_in(coursedir, student, notebook)
        deserved[student] = 8.0 - 2 * len(wrong)
    counts = Counts()

    def compare(student: str, got: float | None) -> None:
        # exact: a sum of at most four points that are whole numbers
        if got != deserved[student]:
            counts.wrong.append(f"{student}: {got} for {deserved[student]}")

    trail = log.path(coursedir.root, classes.ASSIGNMENT)

    def grade(force: bool = False) -> bool:
        """Give the command; whether it has to be given again."""
        try:
            report = batch.grade(coursedir, classes.ASSIGNMENT, force=force, progress=False)
        except box.BoxUnavailable:
            counts.refused += 1
            return True
        counts.marked += len(report.marked)
        for student, line in report.marked.items():
            counts.wasted.update(waste.get("side", "a whole room") for waste in line["wasted"])
            if line["status"] == "failed" or line["loss"]:
                counts.next_run += 1
                continue
            if line["sentence"]:
                counts.told.append(f"{student}: {line['sentence']}")
            compare(student, sum(filter(None, line["scores"][classes.ASSIGNMENT].values())))
        return bool(report.marked)

    with busy():
        while sum(counts.kills.values()) < kills:
            over = threading.Event()
            arguments = (dice, kills, trail, over, counts)
            killer = threading.Thread(target=killing, args=arguments)
            killer.start()
            try:
                grade(force=True)  # all are marked again
            finally:
                over.set()
                killer.join()
            counts.batches += 1
            while grade():
                pass
            with gradebook.opened(coursedir.db_url, classes.COURSE) as book:
                handed_in = book.assignment_submissions(classes.ASSIGNMENT)
                marks = {submission.student_id: submission.score for submission in handed_in}
            for student in deserved:
                compare(student, marks.get(student))
    return counts


def main(arguments: list[str]) -> int:
    kills = int(arguments[0]) if arguments else 500
    with tempfile.TemporaryDirectory() as folder:
        found = experiment(Path(folder), kills)
    print(json.dumps(vars(found), indent=1))
    return 1 if found.wrong or found.told else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
