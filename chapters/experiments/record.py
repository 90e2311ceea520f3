"""What all experiments share: the chapter's own cells, and one form for what comes out.

An experiment varies what its chapter shows once. It takes the model and the data from the cells
of the chapter, so that both are written once:

    chapter = cells("02_cell", "imports", "learn-task")
    model = chapter.Reader(hidden_size=2, seed=0)

and ends with the parts that it is made of, each a function that returns what is to be stored:

    if __name__ == "__main__":
        run(__file__, SETTINGS, {"search": search})

    python chapters/experiments/02_cell.py             every part, into 02_cell.json
    python chapters/experiments/02_cell.py search      this part again, the others are kept
    python chapters/experiments/02_cell.py search --keep    also if settings have changed: those of
                                                       this part alone, which --check would find out
    python chapters/experiments/02_cell.py --check     make it again, compare, write nothing

A file holds who made it, with which versions and settings, and an entry for each part. An entry
with a list `seeds` holds lists with one item for each seed; `check` compares their means, and
allows the spread that the file itself records. What could be trained only once says why under
`once`. What stands under `tuning` has been looked for with one seed and is not compared; what it
led to is. Nor are `written`, text that a model has drawn, and `drawn`, what one model has said, for
a figure to show: one rounding more, and it is another. The middle of an `interval` must lie inside
the recorded one; the `verdict` that follows from it is not compared. All else must come out again.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import platform
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

import rnnlib

EXPERIMENTS = Path(__file__).resolve().parent
FIGURES = EXPERIMENTS.parents[1] / "theme" / "figures"
NOT_COMPARED = {"tuning", "written", "drawn", "verdict", "int8", "int16", "scale"}


def cells(slug: str, *names: str) -> SimpleNamespace:
    """Run these cells of a chapter, in this order, and return all that they have defined."""
    path = EXPERIMENTS.parent / f"{slug}.ipynb"
    sources = {
        cell["id"]: "".join(cell["source"])
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]
        if cell["cell_type"] == "code"
    }
    defined: dict[str, Any] = {"__name__": slug}
    for name in names:
        if name not in sources:
            raise ValueError(f"{path.name} has no cell {name!r}, only {', '.join(sources)}")
        with contextlib.chdir(path.parent):  # a cell may read what lies beside its notebook
            exec(compile(sources[name], f"{slug}: {name}", "exec"), defined)
    return SimpleNamespace(**defined)


def run(
    file: str,
    settings: dict[str, Any],
    parts: dict[str, Callable[[], Any]],
    figures: dict[str, Callable[[], Any]] | None = None,
) -> None:
    """Do what the command line asks for.

    `figures` are parts too, but each has a file of its own, theme/figures/NAME.json. What an
    entry holds as "first" also comes into NAME.js, which draws it before it fetches the rest.
    """
    makers = parts | (figures or {})
    parser = argparse.ArgumentParser(description="Run the experiment, or parts of it.")
    parser.add_argument("parts", nargs="*", help=f"of {', '.join(makers)}; all if left out")
    parser.add_argument("--keep", action="store_true", help="what changed is in these parts alone")
    parser.add_argument("--check", action="store_true", help="compare with what is stored")
    arguments = parser.parse_args()
    unknown = set(arguments.parts) - set(makers)
    if unknown:
        parser.error(f"no part is named {', '.join(sorted(unknown))}")

    path = Path(file).resolve().with_suffix(".json")
    head = {"made_by": f"chapters/experiments/{path.stem}.py", "versions": versions()}
    stored = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    kept = {name: stored[name] for name in parts if name in stored} if arguments.parts else {}
    if kept and not arguments.check:
        changed = "have changed since"
        # a library that is no longer needed has not changed
        if not head["versions"].items() <= stored["versions"].items():
            parser.error(f"the versions {changed} {path.name} was made: run all parts")
        if stored["settings"] != as_stored(settings) and not arguments.keep:
            parser.error(f"the settings {changed} {path.name} was made: run all parts, or --keep")

    found = []
    for name in arguments.parts or makers:
        print(f"{path.stem}: {name}", flush=True)
        entry = as_stored(makers[name]())
        where = path if name in parts else FIGURES / f"{name}.json"
        if arguments.check:
            before = stored.get(name) if name in parts else json.loads(where.read_text("utf-8"))
            after = entry if name in parts else {"made_by": head["made_by"], **entry}
            found += differences(before, after, name)
        elif name in parts:
            kept[name] = entry
            ordered = {name: kept[name] for name in parts if name in kept}
            write(path, head | {"settings": settings} | ordered)
        else:
            write(where, {"made_by": head["made_by"], **entry})
            if "first" in entry:
                embed(where.with_suffix(".js"), entry["first"])
    if arguments.check:
        found += differences(stored.get("settings"), as_stored(settings), "settings")
        print("\n".join(found) or f"{path.stem}: within the recorded spread")
        sys.exit(bool(found))


def versions() -> dict[str, str]:
    """Of what has computed; Python's without the patch level, which computes nothing."""
    modules = {name: sys.modules[name] for name in ("numpy", "torch") if name in sys.modules}
    found = {name: module.__version__.split("+")[0] for name, module in modules.items()}
    python = ".".join(platform.python_version_tuple()[:2])
    return {"python": python, **found, "rnnlib": rnnlib.__version__}


def as_stored(value: Any) -> Any:
    """A value as JSON gives it back: arrays become lists, keys become text."""

    def plain(other: Any) -> Any:
        if isinstance(other, np.ndarray | np.generic):
            return other.tolist()
        raise TypeError(f"{type(other).__name__} cannot be stored: make it numbers, lists, text")

    return json.loads(json.dumps(value, default=plain))


def write(path: Path, content: dict[str, Any]) -> None:
    """JSON with a line for each part, or for each entry of one, so that a change is in sight."""
    lines = []
    for key, value in as_stored(content).items():
        text = json.dumps(value, ensure_ascii=False)
        if isinstance(value, list) and any(isinstance(item, dict) for item in value):
            each = ",\n".join(f"  {json.dumps(item, ensure_ascii=False)}" for item in value)
            text = f"[\n{each}\n ]"
        lines.append(f" {json.dumps(key)}: {text}")
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


def embed(script: Path, first: Any) -> None:
    """Put the first example of a figure into its script, as the constant SHOWN."""
    line = f"const SHOWN = {json.dumps(first, ensure_ascii=False)};"
    text, count = re.subn(r"(?m)^const SHOWN = .*$", lambda _: line, script.read_text("utf-8"))
    if count != 1:
        raise ValueError(f"{script.name} has {count} lines that begin with: const SHOWN =")
    script.write_text(text, encoding="utf-8")


def differences(before: Any, after: Any, where: str, seeds: Any = None) -> Iterator[str]:
    """Each place where a repetition went out of what was recorded, as a sentence."""
    if isinstance(before, dict) and isinstance(after, dict):
        if before.keys() != after.keys():
            yield f"{where}: recorded {sorted(before)}, now {sorted(after)}"
            return
        seeds = before.get("seeds", seeds)
        for key in sorted(before.keys() - NOT_COMPARED):
            old, new = before[key], after[key]
            if key == "interval":
                if not old[0] <= sum(new) / 2 <= old[1]:
                    yield f"{where}, interval: recorded {old}, the middle is {sum(new) / 2:g} now"
            elif key != "seeds" and _over(seeds, old) and _over(seeds, new):
                yield from _out_of_spread(old, new, f"{where}, {key}")
            else:
                yield from differences(old, new, f"{where}, {key}", seeds)
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for n, (old, new) in enumerate(zip(before, after, strict=True)):
            yield from differences(old, new, f"{where}[{n}]", seeds)
    elif isinstance(before, float) and isinstance(after, float):
        # stored numbers are rounded, and another processor rounds otherwise
        if not math.isclose(before, after, rel_tol=2e-3, abs_tol=2e-4):
            yield f"{where}: recorded {before:g}, now {after:g}"
    elif before != after:
        yield f"{where}: recorded {before!r}, now {after!r}"


def _over(seeds: list[Any] | None, value: Any) -> bool:
    """Whether a value holds one number, or one list of numbers, for each seed."""
    per_seed = bool(seeds) and isinstance(value, list) and len(value) == len(seeds)
    return per_seed and not any(isinstance(one, dict) for one in value)


def _out_of_spread(runs: list[Any], again: list[Any], where: str) -> Iterator[str]:
    """Where the mean over seeds moved further than the recorded runs lie apart.

    Few seeds may agree by luck: what they lie apart at this place counts as no less than
    what they lie apart on average over the places, and than a hundredth of the largest number.
    A run without a number, None, has not come there. One run more or less may be so, since a run
    that ends close to the line can fall on either side of it.
    """
    never, now = runs.count(None), again.count(None)
    if abs(never - now) > 1:
        yield f"{where}: None in {never} of {len(runs)} runs recorded, in {now} now"
        return
    if len(runs) in (never, now):
        return
    old, new = (np.array([one for one in each if one is not None]) for each in (runs, again))
    if old.shape[1:] != new.shape[1:]:
        yield f"{where}: recorded shape {old.shape}, now {new.shape}"
        return
    apart = old.max(axis=0) - old.min(axis=0)
    allowed = np.maximum(apart, max(apart.mean(), 0.01 * abs(old).max()))
    moved = abs(new.mean(axis=0) - old.mean(axis=0))
    for place in np.argwhere(~(moved <= allowed)):  # NaN is out, too
        at = tuple(place)
        name = f"{where}{list(map(int, at))}" if at else where
        yield (
            f"{name}: mean {old.mean(axis=0)[at]:.4g} recorded, {new.mean(axis=0)[at]:.4g} now, "
            f"{np.broadcast_to(allowed, moved.shape)[at]:.2g} allowed"
        )
