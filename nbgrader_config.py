"""The classroom: how an assignment in solutions/ becomes what students receive and get back.

`nbgrader` reads this file in the folder where it is started. Nothing here restates
one of its defaults.
"""

import re

from nbgrader.converters import GenerateAssignment
from nbgrader.preprocessors import ClearSolutions, NbGraderPreprocessor

from grading.classroom.late import LatePenalty
from grading.plugin import configure
from grading.results.feedback import FeedbackPage, GetMarks, HideTests, protect_formgrader


class NamedStubs(ClearSolutions):
    """Solutions become stubs that say which function is missing.

    Where the exercise is to mend a faulty function, the solution cell also holds
    the faulty lines, as comments between BEGIN FAULTY and END FAULTY, in one place or
    in several: these are what the student receives, in place of a stub.
    """

    faulty = re.compile(r"[ \t]*### BEGIN FAULTY\n(.*?)[ \t]*### END FAULTY\n", re.DOTALL)
    solution = re.compile(r"[ \t]*### BEGIN SOLUTION\n.*?### END SOLUTION(?:\n|$)", re.DOTALL)

    def preprocess_cell(self, cell, resources, cell_index):
        if cell.cell_type == "code" and self.faulty.search(cell.source):
            cell.source = self.solution.sub("", cell.source)
            cell.source = self.faulty.sub(
                lambda match: re.sub(r"(?m)^([ \t]*)# ", r"\1", match[1]), cell.source
            )
            return cell, resources
        name = re.search(r"(?m)^def (\w+)", cell.source)
        missing = f'raise NotImplementedError("{name[1]} is not written yet")' if name else "..."
        self.code_stub = {"python": missing}
        self.text_stub = "*Your answer here.*"
        return super().preprocess_cell(cell, resources, cell_index)


class ListCells(NbGraderPreprocessor):
    """The release says which cells belong to it, for `python -m rnnlib` to miss one."""

    def preprocess(self, nb, resources):
        marks = [cell.metadata.get("nbgrader", {}) for cell in nb.cells]
        about = nb.metadata.setdefault("unrolled", {})
        about["exercise"] = resources["nbgrader"]["notebook"]
        about["cells"] = [one["grade_id"] for one in marks if one.get("grade_id")]
        return nb, resources


c = get_config()  # noqa: F821

c.CourseDirectory.course_id = "unrolled"
c.CourseDirectory.source_directory = "solutions"
c.CourseDirectory.release_directory = "exercises"

c.GenerateAssignment.preprocessors = [
    NamedStubs if step is ClearSolutions else step
    for step in GenerateAssignment.class_traits()["preprocessors"].default()
] + [ListCells]
# the rubric stands below the answer, in a locked cell, where the marker sees it
c.ClearMarkScheme.enforce_metadata = False

# Canvas calls a file ada_12345_67890_02_cell.ipynb, Moodle a folder "Ada L_12345_…/02_cell.ipynb":
# the student is what stands before the first underscore
c.FileNameCollectorPlugin.named_regexp = (
    r".*/(?P<student_id>[^_/]+)_.*?(?P<file_id>\d\d_[a-z]+)(?:-\d+)?\.ipynb$"
)

# submissions run in a box, and what would answer an exercise is not there for the student
configure(c)
c.BoxedAutograde.packages = ["rnnlib"]
c.BoxedAutograde.hidden = "unrolled.unavailable"

# what lateness costs: nothing, until c.LatePenalty.percent_per_day says otherwise
c.AssignLatePenalties.plugin_class = LatePenalty

c.GenerateFeedback.preprocessors = [GetMarks, HideTests]
c.GenerateFeedback.exporter_class = FeedbackPage
protect_formgrader()
