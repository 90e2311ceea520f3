"""What does it cost to mark a class? Against plain nbgrader, over class sizes, and a term.

Costs are processor seconds of a command and all its children, so that cores and waiting do
not blur them. Two assignments: a light one (four tests on NumPy) and the course's own
02_cell. A term is 500 students with three assignments, right, wrong, hostile and malformed.

    python tools/benchmarks/grading.py           everything, about half an hour
    python tools/benchmarks/grading.py --quick   small classes only, nothing written
    python tools/benchmarks/grading.py term      this part only, the others stay as they are

Writes chapters/experiments/grading.json, which the page "Speed" of the site shows.
"""

from __future__ import annotations

import argparse
import ctypes
import importlib
import json
import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import psutil

ROOT = Path(__file__).resolve().parents[2]
RESULT = ROOT / "chapters/experiments/grading.json"
sys.path[:0] = [str(ROOT), str(ROOT / "tests/grading")]

import classes  # noqa: E402  the light assignment of the tests
import red_team  # noqa: E402
import toys  # noqa: E402

PLAIN = 'c = get_config()\nc.CourseDirectory.course_id = "{course}"\n'
BOXED = (
    PLAIN
    + """
import sys
sys.path.insert(0, "{root}")
from grading.plugin import configure
configure(c)
c.BoxedAutograde.packages = {packages}
c.BoxedAutograde.hidden = "{hidden}"
c.BoxedAutograde.limits = {limits}
"""
)
HERE = [sys.executable, "-m", "grading", "--mark-only"]
SIDES = {  # who marks, and whether in the box
    "nbgrader": (["nbgrader", "autograde"], False),
    "nbgrader with grading": (["nbgrader", "autograde"], True),
    "grading": (HERE, True),
}
# of the light assignment: which answers are wrong, in turn
WRONG = [(), (), ("add",), (), ("mean", "clip"), ()]
STUDENTS, ASSIGNMENTS = 500, ("hw1", "hw2", "hw3")
SHARES = {"right": 0.62, "wrong": 0.2, "hostile": 0.1, "malformed": 0.08}


def measured(command: list[str], folder: Path) -> dict[str, float]:
    """Run a command: seconds, processor seconds, and the most memory of all its processes."""
    peak = 0
    before, start = _children(), time.perf_counter()
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
        done = threading.Event()

        def watch() -> None:
            nonlocal peak
            while not done.wait(0.2):
                peak = max(peak, _memory(process.pid))

        watcher = threading.Thread(target=watch)
        watcher.start()
        code = process.wait()
        done.set()
        watcher.join()
        while True:  # what outlived its parent became ours
            try:
                os.waitpid(-1, 0)
            except ChildProcessError:
                break
        seconds = time.perf_counter() - start
        if code:
            log.seek(0)
            sys.exit(log.read().decode("utf-8", "replace")[-3000:])
    return {"wall": seconds, "cpu": _children() - before, "memory": peak}


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _memory(pid: int) -> int:
    """Bytes that a process and all below it hold, what they share counted once."""
    total = 0
    try:
        processes = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    except psutil.Error:
        return 0
    for process in processes:
        try:
            total += process.memory_full_info().pss
        except psutil.Error:
            continue
    return total


def write_config(folder: Path, boxed: bool, **about: Any) -> None:
    """The course's nbgrader_config.py."""
    settings = {"packages": [], "hidden": "", "limits": {}, "root": ROOT, "course": folder.name}
    text = (BOXED if boxed else PLAIN).format(**settings | about)
    (folder / "nbgrader_config.py").write_text(text, encoding="utf-8")


def light(folder: Path, count: int) -> str:
    """A class of the light assignment."""
    coursedir = classes.course(folder)
    for number in range(count):
        notebook = classes.solved(coursedir, WRONG[number % len(WRONG)])
        classes.hand_in(coursedir, f"student{number:04}", notebook)
    return classes.ASSIGNMENT


def cell(folder: Path, count: int) -> str:
    """A class of 02_cell, in which all hand in the solution."""
    name = "02_cell"
    folder.mkdir(parents=True)
    coursedir = classes.opened(folder)
    coursedir.config.ClearMarkScheme.enforce_metadata = False  # as in the course's configuration
    source = nbformat.read(ROOT / f"solutions/{name}/{name}.ipynb", as_version=4)
    classes.release(coursedir, name, source)
    notebook = classes.released(coursedir, name)
    answers = {c.metadata.get("nbgrader", {}).get("grade_id"): c for c in source.cells}
    for one in notebook["cells"]:
        about = one["metadata"].get("nbgrader", {})
        if about.get("solution") and one["cell_type"] == "code":
            one["source"] = answers[about["grade_id"]].source
    for number in range(count):
        classes.hand_in(coursedir, f"student{number:04}", notebook, name)
    return name


def against_nbgrader(sizes: dict[str, tuple[int, ...]]) -> list[dict[str, Any]]:
    """Both on the same submissions, one after the other."""
    makers: dict[str, Callable[[Path, int], str]] = {"light": light, "02_cell": cell}
    about = {"light": {}, "02_cell": {"packages": ["rnnlib"], "hidden": "unrolled.unavailable"}}
    rows = []
    for what, counts in sizes.items():
        for count in counts:
            row: dict[str, Any] = {"assignment": what, "submissions": count}
            given = []
            for side, (command, boxed) in SIDES.items():
                with tempfile.TemporaryDirectory() as made:
                    folder = Path(made) / "course"
                    name = makers[what](folder, count)
                    write_config(folder, boxed, **about[what])
                    row[side] = measured([*command, name], folder)
                    given.append(marks(folder, name))
            assert given[0] == given[1] == given[2], f"{what}: the marks differ"
            rows.append(row)
            each = "  ".join(f"{side} {row[side]['cpu'] / count:.3f} s" for side in SIDES)
            print(f"{what:8} {count:5} submissions, CPU each: {each}", flush=True)
    return rows


def marks(folder: Path, assignment: str) -> dict[str, float]:
    """Student → score, from the gradebook."""
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{folder}/gradebook.db", "course") as book:
        submissions = book.assignment_submissions(assignment)
        found = {one.student.id: float(one.score) for one in submissions}
        assert len(found) == len(submissions), "a student has two marks"
    return found


def growth(counts: tuple[int, ...]) -> list[dict[str, float]]:
    """The cost of a class of the light assignment, over its size."""
    rows = []
    for count in counts:
        with tempfile.TemporaryDirectory() as made:
            folder = Path(made) / "course"
            name = light(folder, count)
            write_config(folder, boxed=True)
            row = {"submissions": count} | measured([*HERE, name], folder)
            assert len(marks(folder, name)) == count
        rows.append(row)
        print(f"{count:5} submissions: {row['cpu'] / count * 1000:.0f} ms of CPU each", flush=True)
    return rows


def cells_alone(repetitions: int = 200) -> float:
    """Processor seconds for nothing but running the light assignment's cells once."""
    cells = [one.source for one in classes.source().cells if one.cell_type == "code"]
    start = time.process_time()
    for _ in range(repetitions):
        scope: dict[str, Any] = {}
        for source in cells:
            exec(compile(source, "cell", "exec"), scope)
    return (time.process_time() - start) / repetitions


def term(students: int) -> dict[str, Any]:
    """A term, each assignment marked in one command; then all of it once more."""
    for group in red_team.GROUPS:
        importlib.import_module(f"attacks.{group}")
    rng = random.Random(0)
    facts = {"home": "/", "port": "9", "address": "localhost", "pid": "1"}
    attacks: dict[str, list] = {"hostile": [], "malformed": []}
    for attack in red_team.ATTACKS:
        attacks["malformed" if attack.group == "malformed" else "hostile"].append(attack)
    result: dict[str, Any] = {"students": students, "assignments": []}
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made) / "course"
        folder.mkdir()
        kit = Path(made) / "kit"
        kit.mkdir()
        toys.package(kit)
        os.environ["PYTHONPATH"] = f"{ROOT}:{kit}"
        about = {"packages": [toys.PACKAGE], "limits": red_team.LIMITS}
        write_config(folder, boxed=True, **about)
        coursedir = classes.opened(folder)
        due: dict[str, dict[str, tuple[str, float]]] = {}
        for assignment in ASSIGNMENTS:
            path = folder / "source" / assignment / "toy.ipynb"
            path.parent.mkdir(parents=True)
            nbformat.write(nbformat.from_dict(toys.notebook()), path)
            _release(coursedir, assignment)
            due[assignment] = {}
            for number in range(students):
                student = f"student{number:03}"
                (kind,) = rng.choices(list(SHARES), list(SHARES.values()))
                content, files, most = _work(kind, rng, attacks, facts)
                target = folder / "submitted" / student / assignment
                target.mkdir(parents=True)
                raw = content if isinstance(content, bytes) else json.dumps(content).encode()
                (target / "toy.ipynb").write_bytes(raw)
                for name, data in files.items():
                    (target / name).parent.mkdir(parents=True, exist_ok=True)
                    (target / name).write_bytes(data)
                due[assignment][student] = (kind, most)
        for assignment in ASSIGNMENTS:
            row = {"assignment": assignment} | measured([*HERE, assignment], folder)
            found = marks(folder, assignment)
            kinds = Counter(kind for kind, _ in due[assignment].values())
            wrongly = [
                student
                for student, (kind, most) in due[assignment].items()
                if not (found[student] == most if kind != "hostile" else found[student] <= most)
            ]
            assert found.keys() == due[assignment].keys(), "someone has no mark"
            row |= {"kinds": dict(kinds), "marked": len(found), "marked_wrongly": wrongly}
            outcomes = _outcomes(folder, assignment)
            row["marked_twice"] = sum(n - 1 for n in outcomes.values())
            result["assignments"].append(row)
            print(
                f"{assignment}: {len(found)} of {students} have one mark each, "
                f"{len(wrongly)} wrong marks, {row['wall']:.0f} s, {row['cpu']:.0f} s of CPU, "
                f"{row['memory'] / 2**20:.0f} MiB",
                flush=True,
            )
        again = [measured([*HERE, name], folder) for name in ASSIGNMENTS]
        result["again_cpu"] = sum(run["cpu"] for run in again)
        once = all(set(_outcomes(folder, name).values()) == {1} for name in ASSIGNMENTS)
        result["again_marked_nothing"] = once
    return result


def _release(coursedir: Any, assignment: str) -> None:
    """Release a notebook that holds no solution: what students get is what there is."""
    from nbgrader.converters import GenerateAssignment
    from nbgrader.preprocessors import ClearSolutions

    coursedir.assignment_id = assignment
    converter = GenerateAssignment(coursedir=coursedir, config=coursedir.config)
    converter.preprocessors = [p for p in converter.preprocessors if p is not ClearSolutions]
    converter.force = True
    converter.start()


def _work(
    kind: str, rng: random.Random, attacks: dict[str, list], facts: dict[str, str]
) -> tuple[Any, dict[str, bytes], float]:
    """What one student hands in, other files, and the points that it deserves at most."""
    if kind == "right":
        return toys.notebook(toys.ANSWERS), {}, sum(toys.POINTS.values())
    if kind == "wrong":
        missing = rng.choice(list(toys.ANSWERS))
        answers = {name: text for name, text in toys.ANSWERS.items() if name != missing}
        most = sum(toys.POINTS.values()) - toys.POINTS[f"test_{missing.lower()}"]
        return toys.notebook(answers), {}, most
    attack = rng.choice(attacks[kind])
    made = attack.make(facts)
    content, files = made if isinstance(made, tuple) else (made, {})
    return content, files, attack.honest


def _outcomes(folder: Path, assignment: str) -> Counter[str]:
    """How often the log says that each student was marked."""
    from grading.classroom import log

    lines = log.read(log.path(str(folder), assignment))
    return Counter(line["student"] for line in lines if line["event"] == "outcome")


def main() -> None:
    """All parts, and the file."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="small classes, nothing written")
    parser.add_argument("parts", nargs="*", help="only these, such as against_nbgrader")
    options = parser.parse_args()
    quick = options.quick
    if shutil.which("bwrap") is None:
        sys.exit("bubblewrap is not installed: there is no box to measure.")
    # nbgrader and alembic, which nbgrader calls, lie beside Python
    os.environ["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    os.environ["PYTHONPATH"] = str(ROOT)
    # processes that outlive their parents become ours, so that their cost is counted
    PR_SET_CHILD_SUBREAPER = 36
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    sizes = {"light": (6,)} if quick else {"light": (6, 60), "02_cell": (6, 24)}
    classes_of = (10, 60) if quick else (6, 10, 30, 60, 100, 300, 1000, 5000)
    parts: dict[str, Callable[[], Any]] = {
        "against_nbgrader": lambda: against_nbgrader(sizes),
        "cells_alone": cells_alone,
        "growth": lambda: growth(classes_of),
        "term": lambda: term(20 if quick else STUDENTS),
    }
    result = json.loads(RESULT.read_text(encoding="utf-8")) if options.parts else {}
    for name in options.parts or parts:
        result[name] = parts[name]()
        if not quick:
            RESULT.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
            print(f"{name} is in {RESULT.relative_to(ROOT)}", flush=True)


if __name__ == "__main__":
    main()
