"""What can be taken along: exercises with the wheel they need, chapters with what they read."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.util import logging

from theme import ROOT, SITE
from theme.addresses import install_line, wheel_name
from theme.outside import convert

log = logging.getLogger(__name__)


def exercises() -> list[str]:
    """Their names: from solutions/, or, in a tree for students, from what is released there."""
    folder = ROOT / "solutions" if (ROOT / "solutions").is_dir() else ROOT / "exercises"
    return sorted(path.name for path in folder.glob("*/"))


def exercise_of(pagename: str) -> str | None:
    return pagename if pagename in exercises() else None


def files_read(notebook: Path) -> list[Path]:
    """The stored results, data and sounds that a chapter's code opens: it needs them to run."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    code = "".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    named = re.findall(r'"([\w./-]+\.\w+)"', code)
    paths = {(notebook.parent / name).resolve() for name in named}
    return sorted(path for path in paths - {notebook.resolve()} if path.is_file())


README = """\
Unrolled, the exercise {name}

1. Make a folder for the course, and in it a Python environment (Python 3.11 or newer).
   Linux and macOS:  python3 -m venv .venv
                     source .venv/bin/activate
   Windows:          py -m venv .venv
                     .venv\\Scripts\\Activate.ps1
   If Windows says that running scripts is disabled, give this first:
                     Set-ExecutionPolicy -Scope Process RemoteSigned

2. Unpack this zip in that folder, and install what the course needs, about half a gigabyte:
   {install}
   Where a package index can be reached but not the site, install rnnlib from the zip instead:
   python -m pip install jupyterlab nbgrader "./{name}/{wheel}[plot,progress]"

3. Start JupyterLab in the same folder, and open {name}/{name}.ipynb:
   jupyter lab

4. Before you hand it in, let its file be checked:
   python -m rnnlib {name}/{name}.ipynb

All of this at length: {start}
"""


def copy_exercises(out: Path, config) -> None:
    """Each exercise as a notebook and as a zip that holds rnnlib too."""
    target = out / "exercises"
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir()
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(target)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    wheel = target / wheel_name()
    for name in exercises():
        notebook = ROOT / "exercises" / name / f"{name}.ipynb"
        if not notebook.is_file():
            log.warning("exercises/%s is missing: `make site` generates it", name)
            continue
        (target / name).mkdir()
        shutil.copy2(notebook, target / name)
        start = f"{config.html_baseurl}start.html"
        readme = README.format(
            name=name, install=install_line(config), wheel=wheel.name, start=start
        )
        members = {"README.txt": readme.encode()}
        members |= {path.name: path.read_bytes() for path in (notebook, wheel)}
        write_zip(target / name / f"{name}.zip", name, members)


def copy_chapters(app: Sphinx, out: Path) -> None:
    """Each notebook as it lives outside; with the stored results that it reads, as a zip.

    In the zip the files keep their places.
    """
    target = out / "downloads"
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir()
    for docname in sorted(app.env.found_docs):
        notebook = Path(app.env.doc2path(docname))
        if notebook.suffix != ".ipynb":
            continue
        text = convert(app, docname)
        (target / notebook.name).write_text(text, encoding="utf-8")
        if others := files_read(notebook):
            members = {str(path.relative_to(ROOT)): path.read_bytes() for path in others}
            members[f"chapters/{notebook.name}"] = text.encode()
            write_zip(target / f"{docname}.zip", f"{docname}_chapter", members)


def write_zip(path: Path, folder: str, members: dict[str, bytes]) -> None:
    """A zip that unpacks into one folder."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            # A fixed date: the same files make the same zip.
            entry = zipfile.ZipInfo(f"{folder}/{name}", (2020, 1, 1, 0, 0, 0))
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, data, zipfile.ZIP_DEFLATED)


BOOK = ROOT / "_build" / "book"


def book() -> dict[str, Path]:
    """The course in one file, where `make book` has made it."""
    files = {kind: BOOK / f"unrolled.{kind.lower()}" for kind in ("PDF", "EPUB")}
    return {kind: path for kind, path in files.items() if path.is_file()}


def copy_all(app: Sphinx) -> list:
    if app.builder.name != SITE:
        return []
    copy_exercises(Path(app.outdir), app.config)
    copy_chapters(app, Path(app.outdir))
    for path in book().values():
        shutil.copy2(path, Path(app.outdir, "downloads"))
    return []  # no pages


def setup(app: Sphinx) -> dict[str, bool]:
    # the last moment at which a warning still fails the build
    app.connect("html-collect-pages", copy_all)
    return {"parallel_read_safe": True}
