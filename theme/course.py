"""{course}: what the pages say of all chapters, made from chapters/course.yml.

```{course} chapters       every chapter with its idea, a numbered list
```{course} weeks          the syllabus
```{course} applications   a group of the promises, and the chapters that keep them
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml
from docutils import nodes
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.environment.collectors.toctree import TocTreeCollector
from sphinx.util.docutils import SphinxDirective


class Course(SphinxDirective):
    required_arguments = 1

    def run(self):
        path = Path(self.env.srcdir, "course.yml")
        solutions = path.parents[1] / "solutions"
        for source in (__file__, path, *solutions.glob("*/*.ipynb")):
            self.env.note_dependency(str(source))
        try:
            course = yaml.safe_load(path.read_text(encoding="utf-8"))
            lines = table(course, self.arguments[0], solutions)
        except KeyError as error:
            raise self.error(f"course.yml has no {error}") from error
        box = nodes.Element()
        self.state.nested_parse(StringList(lines, str(path)), self.content_offset, box)
        return box.children


# "two and a half hours" would not fit beside a question on a phone
SHORT = {
    "one": "1", "two": "2", " hours and twenty minutes": "⅓ h",
    " and a quarter": "¼", " and a half": "½", " and three quarter": "¾", " hours": " h",
}  # fmt: skip


def hours(solutions: Path, slug: str) -> str:
    """How long the exercise takes, as it says itself: "That is 55 points in about two hours."."""
    path = solutions / slug / f"{slug}.ipynb"
    if not path.exists():
        return ""  # not written yet
    said = re.search(r"That is \d+ points,? in about ([^.]+)\.", path.read_text(encoding="utf-8"))
    if not said:
        raise ValueError(f"{path} does not say: That is … points in about … hours.")
    time = said[1]
    for words, sign in SHORT.items():
        time = time.replace(words, sign)
    return time


def table(course: dict[str, Any], what: str, solutions: Path) -> list[str]:
    """Lines of Markdown."""
    slugs = {int(slug[:2]): slug for slug in course["chapters"]}
    titles = {number: course["chapters"][slug][0] for number, slug in slugs.items()}

    def link(words: str, number: int) -> str:
        return f"{{chapter}}`{words} <{slugs[number]}>`"

    if what == "chapters":
        ideas = (idea for _, idea in course["chapters"].values())
        return [f"{n}. {link(titles[n], n)}: {idea}" for n, idea in zip(slugs, ideas, strict=True)]
    if what == "weeks":
        rows = ["| Week | Chapter | The question of the week | Exercise |"]
        rows += ["|---|---|---|---|"]
        for week, (question, *numbers) in enumerate(course["weeks"], start=1):
            chapters = "; ".join(link(titles[n], n) for n in numbers)
            times = "; ".join(filter(None, (hours(solutions, slugs[n]) for n in numbers)))
            rows.append(f"| {week} | {chapters} | {question} | {times} |")
        return rows
    rows = ["| Promise | Where |", "|---|---|"]
    for promise, first, *others in course["promises"][what]:
        each = [
            link(f"Chapter{'s' * bool(others)} {first}", first),
            *(link(f"{n}", n) for n in others),
        ]
        rows.append(
            f"| {promise} | {' and '.join(filter(None, [', '.join(each[:-1]), each[-1]]))} |"
        )
    return rows


def number_chapters(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """A chapter has the number of its name, also while one before it is not written yet."""
    changed = False
    for docname, numbers in env.toc_secnumbers.items():
        if docname[:2].isdigit():
            number = (int(docname[:2]),)
            own = {anchor: number for anchor, was in numbers.items() if was}
            changed |= not own.items() <= numbers.items()
            numbers.update(own)
            numbered = [env.titles[docname], *env.tocs[docname].findall(nodes.reference)]
            for node in numbered:
                if node.get("secnumber"):
                    node["secnumber"] = number
    # walking all pages again costs as much as rendering a chapter
    return TocTreeCollector().assign_figure_numbers(env) if changed else []


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_directive("course", Course)
    app.connect("env-get-updated", number_chapters, priority=900)  # after Sphinx has counted
    return {"parallel_read_safe": True}
