"""nbgrader with this package in place of its own autograder.

In `nbgrader_config.py`:

    from grading.plugin import configure

    c = get_config()
    configure(c)
    c.BoxedAutograde.packages = ["numpy_helpers"]

From then on `nbgrader autograde` and the formgrader's button both run submissions in a
box. Everything else of nbgrader stays as it is.
"""

from __future__ import annotations

import glob
import os
import re
import sys
from collections.abc import Sequence
from typing import Any

from nbgrader import converters
from nbgrader.converters import Autograde
from nbgrader.converters.base import NbGraderException
from nbgrader.plugins import LateSubmissionPlugin
from nbgrader.preprocessors import AssignLatePenalties
from sqlalchemy.exc import SQLAlchemyError
from traitlets import Bool, Dict, Float, Integer, List, Unicode

from .classroom import batch, gradebook
from .marking.assignment import Status
from .sandbox.box import BoxUnavailable


def sentence(error: BaseException) -> str:
    """Say in a sentence what an error means to an instructor."""
    if isinstance(error, SQLAlchemyError):
        said = f"The gradebook cannot be used ({getattr(error, 'orig', None) or error})."
    elif isinstance(error, OSError) and error.strerror:
        said = f"{error.filename or 'While writing'}: {error.strerror}."
    else:
        return str(error)
    return f"{said} Nothing is lost: mend it, and give the command again."


class BoxedAutograde(Autograde):
    """Autograde, with the student's code in a box and the tests out of its reach."""

    packages = List(
        Unicode(),
        help="Python packages of your own that submissions may import, by name.",
    ).tag(config=True)

    hidden = Unicode(
        "",
        help="Where a source notebook's metadata lists modules that would be the answer, and "
        "are hidden from the student's code: names with dots between, such as 'course.hidden'.",
    ).tag(config=True)

    limits = Dict(
        Float(),
        help="Limits of a submission that differ from grading.sandbox.room.Limits, by name.",
    ).tag(config=True)

    unsafe = Bool(
        False,
        help="Run submissions without a box, where there is no bubblewrap. This gives up the "
        "protection of your files, your network, other students' work and the hidden tests. "
        "Only for code that you trust.",
    ).tag(config=True)

    jobs = Integer(
        0, help="Submissions at once on this machine; 0 for as many as there are cores."
    ).tag(config=True)

    dask = Unicode(
        "", help="Address of a Dask scheduler, such as tcp://host:8786, whose workers mark."
    ).tag(config=True)

    course_key = Unicode(
        "",
        help="File of the key that students' random seeds hang on. By default .course-key in "
        "the course's folder; it is made when it is first needed. Keep it, and keep it secret.",
    ).tag(config=True)

    def settings(self) -> batch.Settings:
        """Gather what `batch.grade` wants to know, from these traits."""
        return batch.Settings(
            packages=tuple(self.packages),
            hidden=self.hidden,
            limits=dict(self.limits),
            unsafe=self.unsafe,
            dask=self.dask,
            jobs=self.jobs,
            course_key=self.course_key,
            config={
                name: self.config[name].copy()
                for name in ("IgnorePattern", "LimitOutput", "SaveAutoGrades")
                if name in self.config
            },
        )

    def start(self) -> None:
        """Mark the assignments that the command names."""
        root = os.getcwd()
        os.chdir(self.coursedir.root)
        try:
            failed = [
                f"{assignment} of {student}"
                for assignment in self._assignments()
                for student in self.mark(assignment).with_status(Status.FAILED)
            ]
        finally:
            os.chdir(root)
        if failed:
            raise self._failure(f"Not marked: {', '.join(failed)}. See above, and run it again.")

    def _assignments(self) -> list[str]:
        """Find those that the command names, where it may be a pattern such as '*'."""
        directory = self.coursedir.submitted_directory

        def where(student: str, assignment: str, escape: bool = False) -> str:
            return self.coursedir.format_path(directory, student, assignment, escape=escape)

        pattern = re.compile(where("(?P<student_id>[^/]+)", "(?P<assignment_id>[^/]+)", True))
        wanted = where(self.coursedir.student_id, self.coursedir.assignment_id)
        found = {
            match["assignment_id"] for path in glob.glob(wanted) if (match := pattern.match(path))
        }
        if not found:
            raise self._failure(f"Nothing was handed in that matches {wanted}")
        return sorted(found)

    def mark(self, assignment: str, parts: Sequence[str] = ()) -> batch.Report:
        """Mark what was handed in for an assignment; see `batch.grade`."""
        if not self.config.get("Execute", {}).get("enabled", True):
            raise self._failure(
                "With --no-execute a student could write the marks into the notebook: refused."
            )
        if self.unsafe:
            self.log.warning(
                "BoxedAutograde.unsafe is set: submissions run without a box. Your files, your "
                "network, other students' work and the hidden tests are within their reach."
            )
        self.run_pre_convert_hook()
        try:
            report = batch.grade(
                self.coursedir,
                assignment,
                self.settings(),
                force=self.force,
                parts=parts,
                create_students=self.create_student,
                lateness=self._lateness(),
                permissions=int(str(self.permissions), 8),
                logger=self.log,
            )
        except (BoxUnavailable, LookupError, OSError, SQLAlchemyError, ValueError) as error:
            raise self._failure(sentence(error)) from error
        self.run_post_convert_hook()
        self.log.info(
            "%s: %d marked, %d unchanged", assignment, len(report.marked), len(report.kept)
        )
        return report

    def _lateness(self) -> LateSubmissionPlugin | None:
        """Make the plug-in that the course configures."""
        step = AssignLatePenalties(parent=self)
        step.init_plugin()
        return step.plugin_inst if step.enabled else None

    def _failure(self, sentence: str) -> NbGraderException:
        self.log.error(sentence)
        return NbGraderException(sentence)


def configure(c: Any) -> None:
    """Put `BoxedAutograde` in the place of nbgrader's Autograde.

    Parameters
    ----------
    c : traitlets.config.Config
        The configuration that is being read.
    """
    # nbgrader has no setting for its converter: the command line and the formgrader each
    # name the class, so the name is what is exchanged, where they have it or will look for it
    converters.Autograde = BoxedAutograde
    for name in ("nbgrader.apps.autogradeapp", "nbgrader.apps.api"):
        if name in sys.modules:
            sys.modules[name].Autograde = BoxedAutograde  # type: ignore[attr-defined]
    gradebook.guard()
