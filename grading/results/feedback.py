"""Feedback pages, and the formgrader's view of a submission, in which nothing of a student acts.

`GetMarks`, `HideTests` and `FeedbackPage` are for nbgrader's `generate_feedback`:

    c.GenerateFeedback.preprocessors = [GetMarks, HideTests]
    c.GenerateFeedback.exporter_class = FeedbackPage

`protect_formgrader` exchanges the exporter of the formgrader, which no setting reaches.
"""

from __future__ import annotations

import base64
import builtins
import copy
import hashlib
import html
import re
import secrets
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from nbconvert.exporters import Exporter, HTMLExporter
from nbconvert.exporters.exporter import ResourcesDict
from nbconvert.exporters.html import contextfilter
from nbformat import NotebookNode
from nbformat.v4 import new_output
from nbgrader.preprocessors import GetGrades, NbGraderPreprocessor

from ..marking.mark import unparsed
from . import sanitize
from .page import page

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
    """Feedback shows what the tests said, and neither the hidden ones nor their data.

    A student's function may keep what a hidden test gave it, and a later cell print it. So
    of the student's cells behind the first hidden test, the output is not shown; but for what
    the grader itself says of a cell that is no Python, since that cell did not run.
    """

    hidden = re.compile(r"### BEGIN HIDDEN TESTS\n.*?### END HIDDEN TESTS", re.DOTALL)
    withheld = "(not shown: this ran after hidden tests, whose data it could hold)"

    def preprocess(
        self, nb: NotebookNode, resources: ResourcesDict
    ) -> tuple[NotebookNode, ResourcesDict]:
        self.ran = False  # a hidden test
        return super().preprocess(nb, resources)

    def preprocess_cell(
        self, cell: NotebookNode, resources: ResourcesDict, cell_index: int
    ) -> tuple[NotebookNode, ResourcesDict]:
        if cell.cell_type != "code":
            return cell, resources
        marks = cell.metadata.get("nbgrader", {})
        if marks.get("grade") and not marks.get("solution"):
            cell.source, found = self.hidden.subn("# (further tests, not shown)", cell.source)
            self.ran = self.ran or bool(found)
            for output in cell.outputs:
                if output.output_type == "error":  # a traceback would quote the lines of the test
                    output.traceback = [f"{output.ename}: {output.evalue}"]
        elif self.ran and cell.outputs and not unparsed(cell):
            names = [output.ename for output in cell.outputs if output.output_type == "error"]
            # of Python's own names: a name of the student's could hold the data too
            text = " ".join([*filter(vars(builtins).__contains__, names), self.withheld])
            cell.outputs = [new_output("stream", name="stdout", text=text)]
        return cell, resources


STYLE = """
.cell { margin: 1rem 0; }
.answer, .test {
  border: 1px solid var(--line); border-radius: 0.5rem; padding: 0.2rem 1rem 0.6rem;
}
.label { margin: 0.6rem 0; font-size: 0.875rem; color: var(--muted); }
.label strong { color: var(--ink); }
.lost { border-color: var(--warm); }
.said { background: var(--warm-wash); white-space: pre-wrap; }
.comment {
  background: var(--wash); border-radius: 0.4rem; padding: 0.4rem 0.8rem; margin: 0.6rem 0;
}
.total { font-size: 1.2rem; }
tbody th { overflow-wrap: anywhere; }
.highlight .k, .highlight .kn, .highlight .kc, .highlight .ow {
  color: var(--accent); font-weight: 600;
}
.highlight .s1, .highlight .s2, .highlight .sd, .highlight .sa, .highlight .sf,
.highlight .si { color: var(--warm); }
.highlight .c1, .highlight .ch { color: var(--muted); font-style: italic; }
.highlight .nf, .highlight .nc { font-weight: 600; }
"""


class FeedbackPage(Exporter):
    """One student's feedback: marks first, then the notebook with what the tests said.

    Made from the cells alone, not from nbconvert's templates, so that nothing is shown
    but what is named here.
    """

    file_extension = ".html"
    output_mimetype = "text/html"

    def from_notebook_node(  # type: ignore[override]
        self, nb: NotebookNode, resources: Any = None, **kw: Any
    ) -> tuple[str, dict[str, Any]]:
        nb, resources = super().from_notebook_node(nb, resources, **kw)
        marks = resources.get("nbgrader", {})
        name = marks.get("notebook") or resources.get("metadata", {}).get("name", "notebook")
        language = nb.metadata.get("language_info", {}).get("name", "python")
        body = (
            f"<header>\n<h1>{html.escape(name)}</h1>\n{_total(marks, nb)}</header>\n<main>\n"
            f"{_table(nb)}\n<h2>Your work</h2>\n"
            + "\n".join(_cell(cell, language) for cell in nb.cells)
            + "\n</main>"
        )
        return page(name, body, style=STYLE), resources


def _number(value: Any) -> str:
    return f"{round(float(value or 0), 2):g}"


def _total(marks: Mapping[str, Any], nb: NotebookNode) -> str:
    if "score" not in marks:
        return ""
    score, most = _number(marks["score"]), _number(marks.get("max_score"))
    text = f'<p class="total">{score} of {most} points</p>\n'
    if any(cell.metadata.get("nbgrader", {}).get("waits") for cell in nb.cells):
        text += '<p class="muted">This is not final: an answer waits for the marker.</p>\n'
    if marks.get("late_penalty"):
        penalty = _number(marks["late_penalty"])
        text += f'<p class="muted">{penalty} points were taken off for handing in late.</p>\n'
    return text


def _graded(cell: NotebookNode) -> NotebookNode | None:
    marks = cell.metadata.get("nbgrader", {})
    return marks if marks.get("grade") or marks.get("task") else None


def _score(marks: Mapping[str, Any]) -> str:
    if marks.get("waits"):
        return f"waits, {_number(marks.get('points'))} possible"
    return f"{_number(marks.get('score'))} of {_number(marks.get('points'))}"


def _table(nb: NotebookNode) -> str:
    """What each part earned, with links to the parts."""
    rows = []
    for cell in nb.cells:
        marks = _graded(cell)
        if marks is None:
            continue
        id = html.escape(str(marks.grade_id))
        test = cell.cell_type == "code" and not marks.get("solution")
        rows.append(
            f'<tr><th scope="row"><a href="#{id}">{id}</a></th>'
            f"<td>{_score(marks)}</td><td>{'test' if test else 'by hand'}</td></tr>"
        )
    if not rows:
        return ""
    head = (
        '<tr><th scope="col">Part</th><th scope="col">Points</th><th scope="col">Marked</th></tr>'
    )
    return (
        '<h2>Marks</h2>\n<div class="scroll" tabindex="0"><table>\n<thead>'
        f"{head}</thead>\n<tbody>\n" + "\n".join(rows) + "\n</tbody>\n</table></div>"
    )


def _cell(cell: NotebookNode, language: str) -> str:
    marks = cell.metadata.get("nbgrader", {})
    if cell.cell_type == "markdown":
        inside = sanitize.markdown(cell.source, cell.get("attachments"))
    elif cell.cell_type == "code":
        inside = sanitize.code(cell.source, language) if cell.source.strip() else ""
        inside += "\n".join(_output(output) for output in cell.outputs)
    else:
        inside = sanitize.plain(cell.source)
    kind, label, id = "", "", ""
    if marks.get("solution"):
        kind, label = " answer", "<strong>Your answer</strong>"
    elif marks.get("grade"):
        kind, label = " test", "<strong>Test</strong>"
    elif marks.get("task"):
        kind, label = " answer", "<strong>Your task</strong>"
    graded = _graded(cell)
    if graded is not None:
        score, points = float(graded.get("score") or 0), float(graded.get("points") or 0)
        name = html.escape(str(graded.grade_id))
        kind += " lost" if score < points and not graded.get("waits") else ""
        label += f" {name}: {_score(graded)} points"
        id = f' id="{name}"'
    label = f'<p class="label">{label}</p>\n' if label else ""
    comment = ""
    if marks.get("comment"):
        text = sanitize.markdown(str(marks.comment))
        comment = f'<div class="comment"><p class="label"><strong>Comment</strong></p>{text}</div>'
    return f'<div class="cell{kind}"{id}>\n{label}{inside}\n{comment}</div>'


def _output(output: NotebookNode) -> str:
    if output.output_type == "stream":
        return sanitize.plain(output.text)
    if output.output_type == "error":
        trace = "\n".join(output.get("traceback") or [f"{output.ename}: {output.evalue}"])
        return sanitize.plain(trace).replace("<pre ", '<pre class="said" ', 1)
    data = output.get("data", {})
    for kind in PICTURES:
        source = f"data:{kind};base64,{data.get(kind, '')}"
        if kind in data and sanitize.PICTURE.match(source):
            said = output.get("metadata", {}).get(kind)
            alt = said.get("alt") if isinstance(said, dict) else None
            alt = html.escape(str(alt or "A figure drawn by the cell above"))
            return f'<p><img src="{html.escape(source)}" alt="{alt}"></p>'
    if "text/html" in data:
        return f'<div class="scroll" tabindex="0">{sanitize.clean(str(data["text/html"]))}</div>'
    if "text/markdown" in data:
        return sanitize.markdown(str(data["text/markdown"]))
    return sanitize.plain(str(data["text/plain"])) if "text/plain" in data else ""


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
