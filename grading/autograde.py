"""`nbgrader autograde` without its long start.

    python -m grading.autograde 02_cell

reads the same nbgrader_config.py, does the same work and takes the same settings, written
the same way. nbgrader's own command loads a web server and every one of its verbs first;
for a handful of submissions that is most of the cost.
"""

from __future__ import annotations

import argparse
import gc
import importlib.util
import logging
import os
import sys
import warnings
from collections.abc import Sequence
from typing import Any


def bare() -> None:
    """Have nbgrader's modules without what its front door brings along.

    Its `__init__` loads its extensions of the Jupyter server, of which marking needs
    nothing. Its modules stay what they are; only that file is not run.
    """
    if "nbgrader" not in sys.modules:
        spec = importlib.util.find_spec("nbgrader")
        if spec is not None:
            sys.modules["nbgrader"] = importlib.util.module_from_spec(spec)


def configuration(folder: str) -> Any:
    """What nbgrader reads: its file in Jupyter's folders, then in this one."""
    from jupyter_core.paths import jupyter_config_path
    from traitlets.config.loader import Config, ConfigFileNotFound, PyFileConfigLoader

    config = Config()
    for place in [*reversed(jupyter_config_path()), folder]:
        try:
            config.merge(PyFileConfigLoader("nbgrader_config.py", path=place).load_config())
        except ConfigFileNotFound:
            continue
    return config


def main(arguments: Sequence[str] | None = None) -> int:
    """Mark; the exit code."""
    words = argparse.ArgumentParser(
        prog="python -m grading.autograde",
        description="Mark submissions of an assignment that are new or changed.",
    )
    words.add_argument("assignment", help="such as 02_cell, or a pattern")
    words.add_argument("--student", default="*", help="only this one, or a pattern")
    words.add_argument("--force", action="store_true", help="mark also what has not changed")
    words.add_argument("--dask", metavar="ADDRESS", help="of a scheduler whose workers mark")
    words.add_argument("--db", metavar="URL", help="of the gradebook")
    words.add_argument("--unsafe", action="store_true", help="run without a box")
    options = words.parse_args(arguments)

    bare()
    gc.disable()  # what is imported stays: to look through it again and again is for nothing
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # nbgrader's, about its libraries
        config = configuration(os.getcwd())
        from nbgrader.converters.base import NbGraderException
        from nbgrader.coursedir import CourseDirectory

        from .plugin import BoxedAutograde
    gc.freeze()
    gc.enable()
    config.CourseDirectory.assignment_id = options.assignment
    config.CourseDirectory.student_id = options.student
    if options.db:
        config.CourseDirectory.db_url = options.db
    if options.dask:
        config.BoxedAutograde.dask = options.dask
    if options.unsafe:
        config.BoxedAutograde.unsafe = True

    logging.basicConfig(format="%(levelname)s: %(message)s", level=logging.INFO)
    converter = BoxedAutograde(coursedir=CourseDirectory(config=config), config=config)
    converter.log = logging.getLogger("grading")
    converter.force = options.force
    try:
        converter.start()
    except NbGraderException:
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
