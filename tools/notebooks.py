"""The one form in which notebooks are stored, and the command that puts them in it.

    python tools/notebooks.py              every notebook: canonical form, chapters run
    python tools/notebooks.py 02_cell      the notebooks of one chapter
    python tools/notebooks.py --check      change nothing, say what is not in its form
    python tools/notebooks.py --text FILE  a notebook as text, which `git diff` shows

Chapters keep their outputs, because the site shows them and the tests prove them. Each runs on
three instruction sets, and is stored only if all of them print the same: what a chapter says has
to be true on the reader's processor. The instructor's notebooks in `solutions` keep no outputs.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import difflib
import functools
import hashlib
import io
import os
import re
import sys
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from pathlib import Path
from tempfile import TemporaryDirectory

import exercises
import nbformat
import yaml

ROOT = Path(__file__).resolve().parent.parent
LARGEST_PNG = 40 * 1024  # bytes
WIDEST_PNG = 1000  # pixels: letters of 10 points are then 8 pixels tall on a phone
LONGEST_LINE = 84  # characters of code that fit beside a chapter's text
KERNEL = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}

ADVICE = """\
Nothing is stored. Print fewer digits, or what holds on each (a range over seeds, a comparison),
or read stored weights. For sampled text and the like there is the tag nbval-ignore-output."""

# The first code cell of every notebook, so that one that was downloaded alone says what it needs.
# The install line is the one of the page Getting started.
SETUP = """\
# One BLAS thread, set before NumPy is imported; then rnnlib, or how to get it.
import os
import subprocess
import sys

for library in ("OPENBLAS", "OMP", "MKL"):
    os.environ.setdefault(f"{{library}}_NUM_THREADS", "1")
SITE = "{site}"
RNNLIB = f"rnnlib[plot,progress] @ {{SITE}}exercises/{wheel}"
if "google.colab" in sys.modules and "rnnlib" not in sys.modules:
    pip = [sys.executable, "-m", "pip", "install", "--quiet"]
    subprocess.run([*pip, RNNLIB], check=True){clone}
INSTALL = f'In a terminal: python -m pip install jupyterlab nbgrader "{{RNNLIB}}"'
try:
    import rnnlib
except ImportError:
    raise ImportError(f"rnnlib is missing. {{INSTALL}}") from None
if rnnlib.__version__ != "{version}":
    print(f"Written for rnnlib {version}; here is {{rnnlib.__version__}}. {{INSTALL}}")"""
# what a chapter reads lies beside it; an assignment stays in its folder
CLONE = """
    # the stored results that this chapter reads lie in the repository
    repository = "{repository}"
    clone = ["git", "clone", "--quiet", "--depth=1", repository, "unrolled"]
    subprocess.run(clone, check=True)
    os.chdir("unrolled/chapters")"""


def notebooks(names: list[str]) -> list[Path]:
    """The notebooks of these chapters, or all: chapters first, then solutions."""
    found = sorted(ROOT.glob("chapters/*.ipynb")) + sorted(ROOT.glob("solutions/*/*.ipynb"))
    unknown = set(names) - {path.stem for path in found}
    if unknown:
        sys.exit(f"There is no notebook named {', '.join(sorted(unknown))}.")
    return [path for path in found if not names or path.stem in names]


@functools.cache
def setup_source(is_chapter: bool) -> str:
    """The setup cell, with the addresses and the version that the project has now."""
    sys.path.insert(0, str(ROOT))
    from theme.addresses import published_at, wheel_name

    config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    repository = config["repository"]["url"]
    return SETUP.format(
        site=published_at(repository),
        wheel=wheel_name(),
        version=wheel_name().split("-")[1],
        clone=CLONE.format(repository=repository) if is_chapter else "",
    )


def canonical(notebook: nbformat.NotebookNode, keep_outputs: bool) -> nbformat.NotebookNode:
    """A copy in the stored form; nothing is run."""
    notebook = deepcopy(notebook)
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    # `unrolled` is ours: what an assignment makes unavailable
    ours = {key: value for key, value in notebook.metadata.items() if key == "unrolled"}
    notebook.metadata = nbformat.from_dict(KERNEL | ours)
    notebook.cells = [cell for cell in notebook.cells if cell.id != "setup" and cell.source.strip()]
    first = next((i for i, c in enumerate(notebook.cells) if c.cell_type == "code"), 0)
    setup = nbformat.v4.new_code_cell(setup_source(is_chapter=keep_outputs), id="setup")
    setup.metadata["tags"] = ["remove-cell"]
    notebook.cells.insert(first, setup)

    count = 0
    for cell in notebook.cells:
        cell.source = cell.source.rstrip()
        cell.metadata = nbformat.from_dict(
            {
                key: value
                for key, value in sorted(cell.metadata.items())
                if key in {"gallery", "mystnb", "nbgrader", "tags"}
            }
        )
        if cell.cell_type != "code":
            continue
        # a test, and what only tests use, stand folded in JupyterLab
        if cell.metadata.get("nbgrader", {}).get("grade") or cell.id == "only_tests":
            cell.metadata["jupyter"] = {"source_hidden": True}
        count += 1
        cell.execution_count = count if keep_outputs else None
        cell.outputs = [tidy(output, count) for output in cell.outputs] if keep_outputs else []
    return notebook


def tidy(output: nbformat.NotebookNode, count: int) -> nbformat.NotebookNode:
    """One stored output: numbered as its cell, pictures small."""
    if "execution_count" in output:
        output.execution_count = count
    if "metadata" in output:
        output.metadata = nbformat.from_dict({})
    if "image/png" in output.get("data", {}):
        output.data["image/png"] = small_png(output.data["image/png"])
    return output


def small_png(encoded: str) -> str:
    """A picture with at most 64 colours, enough for a plot; one that has them stays as it is."""
    from PIL import Image

    picture = Image.open(io.BytesIO(base64.b64decode(encoded)))
    if picture.mode == "P":
        return encoded.strip()
    buffer = io.BytesIO()
    # so that a colour of few pixels, such as a mark in a legend, is kept as well
    how = {"method": Image.Quantize.MAXCOVERAGE, "kmeans": 1, "dither": Image.Dither.NONE}
    picture.convert("RGB").quantize(64, **how).save(buffer, "PNG", optimize=True)
    return base64.b64encode(buffer.getvalue()).decode()


def complaints(notebook: nbformat.NotebookNode, keep_outputs: bool) -> list[str]:
    """What no rewriting can mend: each a sentence that names the cell."""
    found = []
    ids = [cell.id for cell in notebook.cells]
    found += [
        f"two cells have the id {name!r}" for name in sorted({i for i in ids if ids.count(i) > 1})
    ]
    for cell in notebook.cells:
        if re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f-]+)?", cell.id):
            found.append(f"cell {cell.id!r} has a random id: give it a name that says what it does")
        if cell.cell_type != "code" or not keep_outputs:
            continue
        for number, line in enumerate(cell.source.splitlines(), start=1):
            if len(line) > LONGEST_LINE:
                found.append(
                    f"cell {cell.id!r}, line {number}, has {len(line)} characters: break it, "
                    f"since {LONGEST_LINE} fit beside the text"
                )
        for output in cell.outputs:
            if output.output_type == "error":
                found.append(f"cell {cell.id!r} ends in an error: {output.ename}: {output.evalue}")
            if output.get("name") == "stderr":
                found.append(f"cell {cell.id!r} writes to stderr: {output.text.strip()[:80]}")
            png = output.get("data", {}).get("image/png")
            if png is None:
                continue
            raw = base64.b64decode(png)
            size, width = len(raw), int.from_bytes(raw[16:20], "big")
            if size > LARGEST_PNG:
                found.append(
                    f"cell {cell.id!r} holds a picture of {size} bytes, over {LARGEST_PNG}"
                )
            if width > WIDEST_PNG:
                found.append(
                    f"cell {cell.id!r} holds a picture {width} pixels wide, over {WIDEST_PNG}: "
                    "its letters are too small on a phone. Make the figure 6.4 inches wide, with "
                    "panels below each other if they are crowded"
                )
            alt = cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "")
            if len(alt) < 20:
                found.append(f"cell {cell.id!r} shows a picture without alternative text")
    return found


def instruction_sets() -> dict[str, dict[str, str]]:
    """What one machine can emulate, each a change of the environment; the first is stored."""
    import numpy as np

    simd = np.show_config(mode="dicts")["SIMD Extensions"]
    beyond_baseline = " ".join(simd.get("found", []) + simd.get("not found", []))
    return {
        "as in the gate": {},
        "OpenBLAS and torch on SSE4": {
            "OPENBLAS_CORETYPE": "Nehalem",
            "ATEN_CPU_CAPABILITY": "default",
            "ONEDNN_MAX_CPU_ISA": "SSE41",
        },
        "NumPy on its baseline": {"NPY_DISABLE_CPU_FEATURES": beyond_baseline},
    }


def is_compared(cell: nbformat.NotebookNode) -> bool:
    """Whether nbval compares the cell's outputs: it knows tags, and the same words as comments."""
    words = ("nbval-skip", "nbval-ignore-output")
    comments = [word.upper().replace("-", "_") for word in words]
    tags = cell.metadata.get("tags", [])
    return not (set(words) & set(tags) or any(word in cell.source for word in comments))


def printed(cell: nbformat.NotebookNode) -> list[str]:
    """The lines that must be the same everywhere; of a picture, that there is one."""
    if cell.cell_type != "code" or not is_compared(cell):
        return []
    lines = []
    for output in cell.outputs:
        lines += output.get("text", output.get("evalue", "")).splitlines()
        for kind, content in sorted(output.get("data", {}).items()):
            picture = kind.startswith("image/")
            lines += [f"[{kind}]"] if picture else str(content).splitlines()
    return lines


def disagreements(runs: dict[str, nbformat.NotebookNode]) -> list[str]:
    """Each cell that prints something else on another instruction set, and both texts."""
    (first, stored), *others = runs.items()
    found = []
    for name, notebook in others:
        for one, other in zip(stored.cells, notebook.cells, strict=True):
            lines = difflib.unified_diff(
                printed(one), printed(other), first, name, n=0, lineterm=""
            )
            if text := "\n    ".join(lines):
                found.append(f"cell {one.id!r} does not print the same everywhere\n    {text}")
    return found


async def execute(
    notebook: nbformat.NotebookNode, folder: Path, settings: dict[str, str]
) -> nbformat.NotebookNode:
    """A copy, every cell of which ran in a fresh kernel, in the notebook's own folder."""
    from nbclient import NotebookClient
    from traitlets.config import Config

    # a kernel draws into the notebook, whatever the caller's plots are drawn into
    environment = {name: value for name, value in os.environ.items() if name != "MPLBACKEND"}
    with TemporaryDirectory() as sockets:
        # kernels that start at the same time may choose the same TCP port; files are their own
        manager = {"transport": "ipc", "ip": f"{sockets}/kernel"}
        client = NotebookClient(
            deepcopy(notebook),
            timeout=600,
            startup_timeout=600,  # a busy machine
            kernel_name="python3",
            record_timing=False,
            coalesce_streams=True,  # or the moment of a flush decides how prints are cut
            resources={"metadata": {"path": str(folder)}},
            allow_errors=True,
            config=Config({"KernelManager": manager}),
        )
        return await client.async_execute(env=environment | settings)


def run(
    notebook: nbformat.NotebookNode, folder: Path, sets: dict[str, dict[str, str]]
) -> dict[str, nbformat.NotebookNode]:
    """What becomes of the notebook on each of the instruction sets."""

    async def all_at_once() -> list[nbformat.NotebookNode]:
        return await asyncio.gather(*(execute(notebook, folder, sets[name]) for name in sets))

    # in a thread of its own, since the caller's may have a running event loop, as Playwright's has
    with ThreadPoolExecutor(1) as thread:
        return dict(zip(sets, thread.submit(asyncio.run, all_at_once()).result(), strict=True))


def as_text(notebook: nbformat.NotebookNode) -> str:
    """Cells and printed outputs one after the other; a picture is a line with its checksum."""
    lines = []
    for cell in notebook.cells:
        lines += [f"── {cell.cell_type} {cell.get('id', '')}", cell.source]
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            text = output.get("text") or data.get("text/plain", "")
            if text:
                lines += ["→ " + line for line in text.rstrip().splitlines()]
            if "image/png" in data:
                digest = hashlib.sha256(data["image/png"].encode()).hexdigest()
                lines.append(f"→ [picture {digest[:12]}]")
        lines.append("")
    return "\n".join(lines)


def main() -> None:
    """Do what the command line asks for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("names", nargs="*", help="chapters such as 02_cell; all if left out")
    parser.add_argument("--check", action="store_true", help="change nothing")
    parser.add_argument("--text", type=Path, metavar="FILE", help="print a notebook as text")
    arguments = parser.parse_args()
    if arguments.text:
        print(as_text(nbformat.read(arguments.text, as_version=4)))
        return

    failed = False
    for path in notebooks(arguments.names):
        before = nbformat.read(path, as_version=4)
        keep_outputs = path.parent.name == "chapters"
        notebook = canonical(before, keep_outputs)
        told = [] if keep_outputs or arguments.check else exercises.fill(notebook, path)
        if not arguments.check:
            if keep_outputs:
                sets = instruction_sets()
                print(
                    f"{path.relative_to(ROOT)}: running on {len(sets)} instruction sets", flush=True
                )
                runs = run(notebook, path.parent, sets)
                if found := disagreements(runs):
                    print(*found, ADVICE, sep="\n")
                    failed = True
                    continue
                notebook = canonical(runs[next(iter(sets))], keep_outputs)
            nbformat.write(notebook, path)
        elif notebook != before or nbformat.writes(notebook) + "\n" != path.read_text("utf-8"):
            print(f"{path.relative_to(ROOT)}: not in its canonical form. Run: make notebooks")
            failed = True
        for complaint in [*told, *complaints(notebook, keep_outputs)]:
            print(f"{path.relative_to(ROOT)}: {complaint}")
            failed = True
    sys.exit(failed)


if __name__ == "__main__":
    main()
