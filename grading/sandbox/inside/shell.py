"""IPython's shell without a kernel: a cell goes in, a notebook's outputs come out."""

from __future__ import annotations

import ast
import io
import linecache
import random
import subprocess
import sys
import traceback
import warnings
from typing import Any

from IPython.core.compilerop import CachingCompiler
from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from traitlets import Type
from traitlets.config import Config


class _Text(io.TextIOBase):
    """A stream of a cell: standard output or error, up to the limit of the cell."""

    encoding = "utf-8"

    def __init__(self, outputs: _Outputs, name: str) -> None:
        self.outputs, self.name = outputs, name

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self.outputs.stream(self.name, str(text))
        return len(text)


class _Outputs:
    """The outputs of the cell that runs."""

    def __init__(self) -> None:
        self.begin(0)

    def begin(self, space: int) -> None:
        self.list: list[dict] = []
        self.space = space
        self.full = False

    def fits(self, size: int) -> bool:
        self.space -= size
        if self.space < 0 and not self.full:
            self.full = True
            note = "\n[The output was cut here: it is longer than the limit.]\n"
            self.list.append({"output_type": "stream", "name": "stdout", "text": note})
        return not self.full

    def stream(self, name: str, text: str) -> None:
        if self.full or not text:
            return
        text = text[: max(self.space, 0) + 1]
        if not self.fits(len(text)):
            self.list.insert(-1, {"output_type": "stream", "name": name, "text": text})
            return
        last = self.list[-1] if self.list else {}
        if last.get("output_type") == "stream" and last["name"] == name:
            self.list[-1]["text"] += text
        else:
            self.list.append({"output_type": "stream", "name": name, "text": text})

    def add(self, output: dict) -> None:
        if self.fits(sum(len(str(v)) for v in output.get("data", output).values())):
            self.list.append(output)


outputs = _Outputs()


def _data(data: dict) -> dict:
    """Write a picture's bytes as base64; all the rest is text."""
    import base64

    return {
        kind: base64.b64encode(v).decode() if isinstance(v, bytes) else str(v)
        for kind, v in data.items()
    }


class _Publisher(DisplayPublisher):
    def publish(self, data: Any, *_: Any, **__: Any) -> None:
        outputs.add({"output_type": "display_data", "data": _data(data)})

    def clear_output(self, wait: bool = False) -> None:
        pass


class _Hook(DisplayHook):
    def write_output_prompt(self) -> None:
        pass

    def write_format_data(self, format_dict: dict, md_dict: Any = None) -> None:
        count = self.shell.execution_count  # type: ignore[union-attr]
        data = _data(format_dict)
        outputs.add({"output_type": "execute_result", "data": data, "execution_count": count})

    def finish_displayhook(self) -> None:
        pass


class _Compiler(CachingCompiler):
    """Names a cell's code after the cell, so that an error can say where it arose."""

    label = ""

    def get_code_name(self, raw_code: str, transformed_code: str, number: int) -> str:
        return f"<cell {self.label}>"


class _Shell(InteractiveShell):
    display_pub_class = Type(_Publisher)
    displayhook_class = Type(_Hook)
    compiler_class = Type(_Compiler)

    def system(self, cmd: str) -> None:
        """Do what a line that begins with ! says."""
        done = subprocess.run(self.var_expand(cmd), shell=True, capture_output=True, text=True)
        print(done.stdout, end="")
        print(done.stderr, end="", file=sys.stderr)
        self.user_ns["_exit_code"] = done.returncode

    def enable_gui(self, gui: Any = None) -> None:
        """Do nothing: there is no window."""

    def ask_exit(self) -> None:
        """Do nothing at `exit` and `quit`: the next cell comes."""

    def showtraceback(self, exc_tuple: Any = None, *_: Any, **__: Any) -> None:
        kind, error, trace = exc_tuple or sys.exc_info()
        self.explain(kind, error, trace)

    def showsyntaxerror(self, *_: Any, **__: Any) -> None:
        self.explain(*sys.exc_info())

    def problem(self, source: str, label: str) -> dict | None:
        """Give what Python's parser says against a cell, as an output; nothing of the cell runs.

        Magics are no Python: IPython's own steps have made calls of them before.
        """
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # the cell itself will say them
                code = self.transform_cell(source)
                flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
                compile(code, f"<cell {label}>", "exec", flags, dont_inherit=True)
        except SyntaxError as error:
            lines = "".join(traceback.format_exception_only(error)).splitlines()
            said = {"ename": type(error).__name__, "evalue": error.msg, "traceback": lines}
            return {"output_type": "error", **said}
        except Exception:  # too deep, too long, and so on: it is said when the cell runs
            return None
        return None

    def explain(self, kind: Any, error: Any, trace: Any) -> None:
        """Put out an error; of the traceback, the notebook's own frames."""
        try:
            text = str(error)
            lines = error._render_traceback_() if hasattr(error, "_render_traceback_") else None
        except Exception:
            text, lines = "", None
        if lines is None:
            frames = [
                f for f in traceback.extract_tb(trace)[-50:] if f.filename.startswith("<cell ")
            ]
            shown = [*traceback.format_list(frames), *traceback.format_exception_only(kind, error)]
            lines = "".join(shown).splitlines()
        outputs.add(
            {
                "output_type": "error",
                "ename": kind.__name__,
                "evalue": text,
                "traceback": [str(line) for line in lines],
            }
        )

    def cell(self, source: str, label: str, space: int = 10**6) -> list:
        """Run one cell.

        Parameters
        ----------
        source : str
        label : str
            The name of the cell in tracebacks.
        space : int
            The characters of output that are kept.

        Returns
        -------
        list
            The outputs, as a notebook holds them, and whether some were cut.
        """
        outputs.begin(space)
        self.compile.label = label
        streams = sys.stdout, sys.stderr
        sys.stdout, sys.stderr = _Text(outputs, "stdout"), _Text(outputs, "stderr")
        try:
            self.run_cell(source, store_history=True)
        finally:
            sys.stdout, sys.stderr = streams
        return [outputs.list, outputs.full]

    def forget(self) -> None:
        """Be as new: no names, no history, the first cell is number 1."""
        self.reset(new_session=True)
        self.execution_count = 1
        linecache.clearcache()
        random.seed(0)


def make() -> _Shell:
    """Make the one shell of this process."""
    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.ast_node_interactivity = "last_expr"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return _Shell.instance(config=config)
