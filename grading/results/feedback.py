"""Feedback pages, and the formgrader's view of a submission, in which nothing of a student acts.

`GetMarks`, `HideTests` and `FeedbackPage` are for nbgrader's `generate_feedback`:

    c.GenerateFeedback.preprocessors = [GetMarks, HideTests]
    c.GenerateFeedback.exporter_class = FeedbackPage

`protect_formgrader` exchanges the exporter of the formgrader, which no setting reaches.
"""

from __future__ import annotations

import base64
import copy
import hashlib
import html
import json
import os
import re
import secrets
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from markupsafe import Markup
from nbconvert.exporters import Exporter, HTMLExporter
from nbconvert.exporters.exporter import ResourcesDict
from nbconvert.exporters.html import contextfilter
from nbformat import NotebookNode, from_dict
from nbformat.v4 import new_markdown_cell, new_notebook, new_output
from nbgrader.api import Gradebook
from nbgrader.converters import GenerateFeedback
from nbgrader.preprocessors import GetGrades, NbGraderPreprocessor

from ..classroom.gradebook import works
from ..marking.mark import HIDDEN
from ..sandbox.room import Kind, kind_of
from . import sanitize
from .cells import titles
from .limited import TooMuch, limited
from .page import COLOURS, HERE, TEMPLATES, points, render

LONGEST_PAGE = 4_000_000  # characters of the notebook, pictures too
TOO_LONG = "(not shown: this page is long enough; your own notebook has it)"
UNREADABLE = (
    "What you wrote is not shown here, because to lay it out takes too long. Your marks hold."
)
PICTURES = ("image/png", "image/jpeg")


class GetMarks(GetGrades):
    """nbgrader's GetGrades, which does not tell an answer that waits for the marker from a 0."""

    def _get_score(self, cell: NotebookNode, resources: ResourcesDict) -> None:
        super()._get_score(cell, resources)
        grade = self.gradebook.find_grade(
            cell.metadata.nbgrader.grade_id, self.notebook_id, self.assignment_id, self.student_id
        )
        cell.metadata.nbgrader["waits"] = bool(grade.needs_manual_grade)


class HideTests(NbGraderPreprocessor):
    """What a student may see: no hidden test, nothing that ran behind one, no mark scheme.

    Marking has run the notebook without its hidden tests, too; of what was put out then
    nothing needs to be withheld.
    """

    # from a line's beginning: else a long line is gone through anew at each of its characters
    scheme = re.compile(r"(?ms)^[^\n]*BEGIN MARK SCHEME.*?(?:END MARK SCHEME[^\n]*|\Z)")
    unknown = "(not shown: it was not marked by this program)"

    def preprocess_cell(
        self, cell: NotebookNode, resources: ResourcesDict, cell_index: int
    ) -> tuple[NotebookNode, ResourcesDict]:
        cell.source = self.scheme.sub("", cell.source)
        if cell.cell_type != "code":
            return cell, resources
        marked = cell.metadata.get("grading", {})
        if "shown" not in marked:
            text = [new_output("stream", name="stdout", text=self.unknown)]
            cell.outputs = text if cell.outputs else []
        elif marked["shown"] is not None:
            cell.outputs = from_dict(marked["shown"])
        if kind_of(cell) is not Kind.OWN:
            cell.source = HIDDEN.sub("# (further tests, not shown)", cell.source)
            for output in cell.outputs:
                if output.output_type == "error":  # a traceback would quote the lines of the test
                    output.traceback = [f"{output.ename}: {output.evalue}"]
                    if output.ename == "Hidden":
                        output.traceback = [output.evalue]
        return cell, resources


class ChangedFeedback(GenerateFeedback):
    """nbgrader's GenerateFeedback, for those alone whose page would be another one."""

    def __init__(self, keys: Mapping[str, str], known: Mapping[str, str], **kw: Any) -> None:
        super().__init__(**kw)
        self.keys, self.known, self.made = keys, known, dict[str, str]()
        self.force = True  # marks by hand are in no file's time

    def init_destination(self, assignment_id: str, student_id: str) -> bool:
        key = self.keys.get(student_id, "")
        page = self._format_dest(assignment_id, student_id)
        if key and self.known.get(student_id) == key and os.path.isdir(page):
            return False
        self.made[student_id] = key
        return super().init_destination(assignment_id, student_id)


def keys(coursedir: Any, book: Gradebook, assignment: str) -> dict[str, str]:
    """Hash what each student's pages hang on: the notebooks, the marks, the looks."""
    looks = [COLOURS, *sorted(path for path in HERE.rglob("*") if path.suffix != ".pyc")]
    before = [path.read_bytes() for path in looks if path.is_file()]
    found = {}
    for work in works(book, assignment):
        folder = coursedir.format_path(coursedir.autograded_directory, work.student, assignment)
        contents = [path.read_bytes() for path in sorted(Path(folder).glob("*.ipynb"))]
        key = hashlib.sha256(repr(work).encode())
        for content in (*before, *contents):
            key.update(hashlib.sha256(content).digest())
        found[work.student] = key.hexdigest()
    return found


class FeedbackPage(Exporter):
    """One student's feedback: marks first, then the notebook with what the tests said.

    Made from the cells alone, not from nbconvert's templates, so that nothing is shown
    but what is named here. Beside the page lies the same as a notebook, `returned`.
    """

    file_extension = ".html"
    output_mimetype = "text/html"

    def from_notebook_node(  # type: ignore[override]
        self, nb: NotebookNode, resources: Any = None, **kw: Any
    ) -> tuple[str, dict[str, Any]]:
        nb, resources = super().from_notebook_node(nb, resources, **kw)
        total = dict(resources.get("nbgrader", {}))
        name = total.get("notebook") or resources.get("metadata", {}).get("name", "notebook")
        try:
            text, notebook = limited(page, nb, str(name), total)
        except TooMuch:
            nb.metadata.setdefault("grading", {})["notes"] = [UNREADABLE]
            for cell in nb.cells:
                _leave_out(cell)
            text, notebook = page(nb, str(name), total)
        resources.setdefault("outputs", {})[f"{name}.ipynb"] = notebook.encode()
        return text, resources


def page(nb: NotebookNode, name: str, total: Mapping[str, Any]) -> tuple[str, str]:
    """Make the page of a notebook, and the notebook to return."""
    language = nb.metadata.get("language_info", {}).get("name", "python")
    cells, left, names = [], LONGEST_PAGE, titles(nb.cells)
    for cell in nb.cells:
        left -= len(json.dumps([cell.source, cell.get("outputs", [])]))
        if left < 0:  # before anything of it is cleaned and coloured
            _leave_out(cell)
        cells.append(_cell(cell, language, names))
    about: dict[str, Any] = {
        "title": name,
        "total": {"late_penalty": None, **total} if "score" in total else None,
        "notes": nb.metadata.get("grading", {}).get("notes", []),
        "parts": [cell for cell in cells if cell["name"]],
    }
    return render("feedback", cells=cells, **about), returned(nb, cells, about)


def _leave_out(cell: NotebookNode) -> None:
    cell.source = TOO_LONG
    cell.pop("attachments", None)
    if "outputs" in cell:
        cell.outputs = []


def returned(nb: NotebookNode, cells: Sequence[Mapping[str, Any]], about: Any) -> str:
    """Write the feedback as a notebook.

    Canvas gives a file back under the name that the student's own had; see `export.returned`.
    """
    head = TEMPLATES.get_template("feedback.md").render(about)
    made = [new_markdown_cell(head)]
    for cell, shown in zip(nb.cells, cells, strict=True):
        label = f"**{shown['label']}**" if shown["label"] else ""
        if shown["name"]:
            label += f" {shown['title']}: {points(shown['marks'])} points"
        if label:
            made.append(new_markdown_cell(label))
        cell.metadata = NotebookNode()  # no part of an assignment any more
        made.append(cell)
        if comment := shown["marks"].get("comment"):
            made.append(new_markdown_cell(f"**Comment**\n\n{comment}"))
    for number, cell in enumerate(made):
        cell.id = f"cell-{number}"
    kernel = {k: v for k, v in nb.metadata.items() if k in ("kernelspec", "language_info")}
    return json.dumps(new_notebook(cells=made, metadata=kernel))


def _cell(cell: NotebookNode, language: str, names: Mapping[str, str]) -> dict[str, Any]:
    """Gather what is shown of a cell."""
    marks = {"waits": False, "score": 0, "points": 0, **cell.metadata.get("nbgrader", {})}
    kinds = [("solution", "answer", "Your answer"), ("grade", "test", "Test")]
    kinds.append(("task", "answer", "Your task"))
    kind, label = next(((k, text) for name, k, text in kinds if marks.get(name)), ("", ""))
    graded = bool(marks.get("grade") or marks.get("task"))
    if graded and float(marks["score"] or 0) < float(marks["points"] or 0) and not marks["waits"]:
        kind += " lost"
    source = sanitize.plain(cell.source)
    if cell.cell_type == "markdown":
        source = sanitize.markdown(cell.source, cell.get("attachments"))
    elif cell.cell_type == "code":
        source = sanitize.code(cell.source, language) if cell.source.strip() else Markup()
    return {
        "kind": kind,
        "label": label,
        "name": str(marks["grade_id"]) if graded else "",
        "title": names[str(marks["grade_id"])] if graded else "",
        "marks": marks,
        "how": "test" if cell.cell_type == "code" and not marks.get("solution") else "by hand",
        "source": source,
        "outputs": [_output(output) for output in cell.get("outputs", [])],
        "comment": sanitize.markdown(str(marks.get("comment") or "")),
    }


def _output(output: NotebookNode) -> Markup:
    if output.output_type == "stream":
        return sanitize.plain(output.text)
    if output.output_type == "error":
        trace = "\n".join(output.get("traceback") or [f"{output.ename}: {output.evalue}"])
        return sanitize.plain(trace, kind="said")
    data = output.get("data", {})
    for kind in PICTURES:
        source = f"data:{kind};base64,{data.get(kind, '')}"
        if kind in data and sanitize.PICTURE.match(source):
            said = output.get("metadata", {}).get(kind)
            alt = said.get("alt") if isinstance(said, dict) else None
            alt = str(alt or "A figure drawn by the cell above")
            return Markup('<p><img src="{}" alt="{}"></p>').format(source, alt)
    if "text/html" in data:
        inside = sanitize.clean(str(data["text/html"]))
        return Markup('<div class="scroll" tabindex="0">{}</div>').format(inside)
    if "text/markdown" in data:
        return sanitize.markdown(str(data["text/markdown"]))
    return sanitize.plain(str(data["text/plain"])) if "text/plain" in data else Markup()


class FormgraderPage(HTMLExporter):
    """A submission in the formgrader: its forms work, and nothing of the student's does.

    nbgrader's template puts the student's Markdown into the page as it is, and a script from
    a server draws formulas. Here Markdown goes through `sanitize`, and a policy lets the
    browser run the formgrader's own scripts alone.
    """

    handlers = ("toggle_name(true);", "toggle_name(false);")  # in the formgrader's own markup
    # the formgrader's script waits for MathJax to say that it is done
    ready = (
        "<script>var MathJax = {Hub: {Startup: {signal: {Interest: "
        "function (tell) { setTimeout(tell, 0, 'End'); }}}}};</script>"
    )
    shown = ("text/html", "text/markdown", "image/svg+xml", *PICTURES, "text/plain")
    mathjax = re.compile("<!-- Load mathjax -->.*?<!-- End of mathjax configuration -->", re.DOTALL)

    def __init__(self, **kw: Any) -> None:
        super().__init__(**kw)
        self.sanitize_html = True

    @contextfilter
    def markdown2html(self, context: Any, source: str) -> str:
        return sanitize.markdown(source, context.get("cell", {}).get("attachments"))

    def default_filters(self) -> Iterator[tuple[str, Any]]:
        yield from super().default_filters()
        yield "clean_html", lambda text: sanitize.clean(str(text))

    def _shown(self, output: NotebookNode) -> bool:
        """Keep of an output what is text or a picture; False if nothing is left."""
        if output.output_type in ("display_data", "execute_result"):
            output.data = NotebookNode({k: v for k, v in output.data.items() if k in self.shown})
            output.metadata = NotebookNode()  # sizes, names of files, "isolated"
            return bool(output.data)
        return True

    def from_notebook_node(  # type: ignore[override]
        self, nb: NotebookNode, resources: Any = None, **kw: Any
    ) -> tuple[str, dict[str, Any]]:
        resources = {
            key: html.escape(value) if isinstance(value, str) else value
            for key, value in (resources or {}).items()
        }
        nb = copy.deepcopy(nb)
        for cell in nb.cells:
            cell.metadata.pop("tags", None)  # the template writes them into a class attribute
            if cell.cell_type == "code":
                cell.outputs = [output for output in cell.outputs if self._shown(output)]
        text, resources = super().from_notebook_node(nb, resources, **kw)
        text = self.mathjax.sub(self.ready, text)
        nonce = secrets.token_urlsafe(18)
        own, mark, students = text.partition('id="notebook"')
        own = own.replace("<script", f'<script nonce="{nonce}"')
        hashes = " ".join(
            f"'sha256-{base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()}'"
            for code in self.handlers
        )
        policy = (
            f"script-src 'nonce-{nonce}' 'unsafe-hashes' {hashes}; object-src 'none'; "
            "frame-src 'none'; img-src 'self' data:; form-action 'none'; base-uri 'none'"
        )
        meta = f'<head>\n<meta http-equiv="Content-Security-Policy" content="{policy}"/>'
        return own.replace("<head>", meta, 1) + mark + students, resources


def protect_formgrader() -> None:
    """Let the formgrader show submissions through `FormgraderPage`.

    nbgrader writes the exporter's class into its code, so that the name in its module is
    exchanged. Where the formgrader is not running (its module is not loaded), there is
    nothing to do.
    """
    formgrader = sys.modules.get("nbgrader.server_extensions.formgrader.formgrader")
    if formgrader is not None:
        formgrader.HTMLExporter = FormgraderPage  # type: ignore[attr-defined]
