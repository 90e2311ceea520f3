"""A chapter, executed once: nbval compares its outputs, and its tests use what it left behind.

A test of chapter 02 lives in test_02_cell.py, asks for the fixture `chapter`, and finds

    chapter.names.encoder       what a name of the chapter stands for after the last cell
    chapter.axes["riddle"]      the axes that the cell of this name has shown
    chapter.source("learn-run") the code or the text of a cell
    chapter.experiment          what chapters/experiments/02_cell.json holds

Cells run in this process, one after the other, as in a fresh kernel: an IPython shell of their
own, the notebook's folder, Matplotlib's inline pictures, Python's own filter of warnings.
`pytest --nbval chapters` makes the same comparison in kernels.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import traceback
import warnings
from collections.abc import Iterator
from functools import cache, cached_property, lru_cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import matplotlib
import nbformat
import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from matplotlib.text import Text
from nbval.plugin import IPyNbCell, IPyNbFile, coalesce_streams
from traitlets.config import Config

CHAPTERS = Path(__file__).resolve().parents[2] / "chapters"
INLINE = "module://matplotlib_inline.backend_inline"
LEAST = 1.48  # points for each inch that a picture is wide: letters of 8 pixels on a phone
PYTHONS_OWN = (DeprecationWarning, PendingDeprecationWarning, ImportWarning, ResourceWarning)


class Chapter:
    """A notebook of chapters/, its cells run one after the other."""

    def __init__(self, slug: str) -> None:
        self.slug = slug
        notebook = nbformat.read(CHAPTERS / f"{slug}.ipynb", as_version=4)
        self.cells = {cell.id: cell for cell in notebook.cells}
        self.axes: dict[str, list[Any]] = {}
        self.small_letters: dict[str, set[str]] = {}
        self._waiting = [cell for cell in notebook.cells if cell.cell_type == "code"]
        self._results: dict[str, tuple[Any, list[nbformat.NotebookNode]]] = {}
        self._style: dict[str, Any] = dict(matplotlib.rcParamsDefault)
        InteractiveShell.clear_instance()
        config = Config({"HistoryManager": {"enabled": False}})
        self.names = SimpleNamespace()
        self._shell = InteractiveShell.instance(
            config=config, colors="nocolor", user_ns=vars(self.names)
        )

    def source(self, name: str) -> str:
        return self.cells[name].source

    @cached_property
    def experiment(self) -> dict[str, Any]:
        return json.loads((CHAPTERS / "experiments" / f"{self.slug}.json").read_text("utf-8"))

    def outputs(self, name: str) -> list[nbformat.NotebookNode]:
        """What the cell of this name gives out; it and those before it run, unless they have."""
        while name not in self._results:
            self._run(self._waiting.pop(0))
        result, outputs = self._results[name]
        result.raise_error()
        return outputs

    def finish(self) -> Chapter:
        """Run every cell; what the first of them to fail has raised is raised."""
        for name, cell in self.cells.items():
            if cell.cell_type == "code":
                self.outputs(name)
        return self

    def _run(self, cell: nbformat.NotebookNode) -> None:
        with self._inside(cell.id) as warned, capture_output() as captured:
            result = self._shell.run_cell(cell.source)
        stderr = captured.stderr + "".join(
            f"{one.category.__name__}: {one.message}" for one in warned
        )
        outputs = [
            nbformat.v4.new_output("stream", name=name, text=text)
            for name, text in (("stdout", captured.stdout), ("stderr", stderr))
            if text
        ]
        outputs += [nbformat.v4.new_output("display_data", one.data) for one in captured.outputs]
        self._results[cell.id] = result, outputs

    @contextlib.contextmanager
    def _inside(self, name: str) -> Iterator[list[warnings.WarningMessage]]:
        """The folder, the style and the warnings that a kernel would have; then those of before."""
        import matplotlib.pyplot as plt

        folder, backend, show = Path.cwd(), matplotlib.get_backend(), plt.show

        def remember_and_show() -> None:
            shown = [plt.figure(number) for number in plt.get_fignums()]
            self.axes.setdefault(name, []).extend(ax for figure in shown for ax in figure.axes)
            self.small_letters[name] = {text for figure in shown for text in too_small(figure)}
            show()

        with (
            matplotlib.rc_context(),
            warnings.catch_warnings(record=True) as warned,
            self._shell.display_trap,
        ):
            matplotlib.rcParams.update(self._style)
            plt.switch_backend(INLINE)
            plt.show = remember_and_show
            warnings.resetwarnings()
            for category in PYTHONS_OWN:
                warnings.simplefilter("ignore", category)
            warnings.filterwarnings("default", category=DeprecationWarning, module="__main__")
            os.chdir(CHAPTERS)
            try:
                yield warned
            finally:
                os.chdir(folder)
                plt.close("all")
                plt.show = show
                self._style = dict(matplotlib.rcParams)
                plt.switch_backend(backend)


def too_small(figure: Any) -> set[str]:
    """What cannot be read on a phone."""
    figure.draw_without_rendering()  # lays it out
    width = figure.get_tightbbox().width + 0.2  # of the picture: cropped, with a margin
    texts = [text for text in figure.findobj(Text) if text.get_visible() and text.get_text()]
    return {text.get_text() for text in texts if text.get_fontsize() < LEAST * width}


@lru_cache(maxsize=1)  # tests come chapter by chapter; what the one before held is given back
def ran(slug: str) -> Chapter:
    return Chapter(slug)


@cache
def other_bits() -> str:
    """Why this machine may print otherwise than what is stored; empty if it may not."""
    command = [sys.executable, CHAPTERS.parent / "tools" / "fingerprint.py"]
    return subprocess.run(command, text=True, stdout=subprocess.PIPE).stdout.strip()


class PrintedCell(IPyNbCell):
    """nbval's comparison of one cell, in this process."""

    def runtest(self) -> None:
        try:
            outputs = ran(self.parent.notebook.stem).outputs(self.name)
        except Exception:
            self.raise_cell_error("Cell execution caused an exception", traceback.format_exc())
        stored = coalesce_streams(self.cell.outputs)
        if self.options["check"] and not self.compare_outputs(coalesce_streams(outputs), stored):
            if other_bits():
                pytest.skip(other_bits())
            self.raise_cell_error("Cell outputs differ", "\n".join(self.comparison_traceback))
        if small := ran(self.parent.notebook.stem).small_letters.get(self.name):
            self.raise_cell_error("Letters are too small on a phone", "\n".join(sorted(small)))

    def reportinfo(self) -> tuple[Path, int, str]:
        return self.parent.notebook, 0, f"{self.parent.notebook.name}: {self.name}"


class PrintedNotebook(IPyNbFile):
    """The notebook of a chapter, collected at the place of the chapter's own tests."""

    @property
    def notebook(self) -> Path:
        return CHAPTERS / f"{self.path.stem.removeprefix('test_')}.ipynb"

    fspath = notebook  # where nbval reads it

    def setup(self) -> None:
        """Start no kernel."""

    def teardown(self) -> None:
        """Keep what ran: the chapter's own tests come next."""

    def collect(self) -> Iterator[PrintedCell]:
        for cell in super().collect():
            yield PrintedCell.from_parent(
                self,
                name=cell.cell.id,
                cell_num=cell.cell_num,
                cell=cell.cell,
                options=cell.options,
            )
