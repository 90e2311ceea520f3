"""`make chapter N=17_capstone`: lay out every file of a new chapter, and say what is left.

The files come from tools/templates. Each holds what only the author can say, marked FILL IN,
and fails until that is done. Called again, it only lists the marks that are left. A file that
the chapter does not need (its own data, an experiment) may be removed.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import nbformat
import yaml
from notebooks import ROOT, canonical

TEMPLATES = Path(__file__).resolve().parent / "templates"
MARK = "FILL IN"
FILES = {
    "chapter.md": "chapters/{slug}.ipynb",
    "experiment.py": "chapters/experiments/{slug}.py",
    "figure.js": "theme/figures/{name}.js",
    "data.py": "rnnlib/data/{module}.py",
    "assignment.md": "solutions/{slug}/{slug}.ipynb",
    "instructor.md": "solutions/{slug}.md",
    "wrong.py": "tests/solutions/{slug}/wrong.py",
    "right.py": "tests/solutions/{slug}/right.py",
    "cheats.py": "tests/solutions/{slug}/cheats.py",
    "test_chapter.py": "tests/chapters/test_{slug}.py",
    "test_figure.py": "tests/theme/test_figure_{module}.py",
}
# What a cell is to nbgrader, by the word behind its name in the template: test=5 is worth 5 points.
ROLES = {
    "locked": {"grade": False, "solution": False, "locked": True},
    "solution": {"grade": False, "solution": True, "locked": False},
    "test": {"grade": True, "solution": False, "locked": True},
    "words": {"grade": True, "solution": True, "locked": False},
}


def words_of(slug: str, root: Path) -> dict[str, str]:
    """What stands in a template for what depends on the chapter."""
    course = yaml.safe_load((root / "chapters/course.yml").read_text(encoding="utf-8"))["chapters"]
    if not re.fullmatch(r"\d\d_[a-z][a-z0-9_]*", slug):
        sys.exit(f"{slug} is no chapter's name: two digits and a word, such as 17_capstone.")
    if slug not in course:
        line = f'  {slug}: ["Its title", "its idea, in half a sentence."]'
        sys.exit(
            f"{slug} is not in chapters/course.yml; there are {', '.join(course)}.\n"
            f"A chapter that is not planned yet gets a week there and its line:\n{line}"
        )
    number, module = slug.split("_", 1)
    words = {"slug": slug, "number": number, "module": module, "title": course[slug][0]}
    name = module.replace("_", "-")
    return words | {"name": name, "Class": name.title().replace("-", "")}


def notebook(text: str) -> nbformat.NotebookNode:
    """A notebook from the form that `notebooks.py --text` prints, with a word for nbgrader."""
    cells = []
    for head, source in re.findall(r"^── (.+)\n([\s\S]*?)(?=^── |\Z)", text, re.M):
        kind, name, *rest = head.split(maxsplit=2)
        cell = getattr(nbformat.v4, f"new_{kind}_cell")(source.strip(), id=name)
        if rest and rest[0].startswith("{"):
            cell.metadata = nbformat.from_dict(json.loads(rest[0]))
        elif rest:
            word, _, points = rest[0].partition("=")
            marks = {"grade_id": name, "schema_version": 3, "task": False, **ROLES[word]}
            cell.metadata["nbgrader"] = marks | ({"points": int(points)} if points else {})
        cells.append(cell)
    return nbformat.v4.new_notebook(cells=cells)


def each_exercise(block: re.Match[str]) -> str:
    """What stands in a template once for all exercises, four times."""
    return "".join(block[1].replace("@n@", str(n)) for n in (1, 2, 3, 4))


def lay_out(slug: str, root: Path = ROOT) -> list[Path]:
    """Write every file that is not there, and return them all."""
    words = words_of(slug, root)
    paths = {template: root / path.format(**words) for template, path in FILES.items()}
    if paths["chapter.md"].exists():
        return [path for path in paths.values() if path.exists()]
    for path in paths.values():
        if path.exists():
            sys.exit(f"{path.relative_to(root)} exists already: nothing is written.")
    for template, path in paths.items():
        text = (TEMPLATES / template).read_text(encoding="utf-8")
        text = re.sub(r"^@each\n([\s\S]*?)^@end\n", each_exercise, text, flags=re.M)
        text = re.sub(r"@(\w+)@", lambda match: words[match[1]], text)
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".ipynb":
            is_chapter = template == "chapter.md"
            nbformat.write(canonical(notebook(text), keep_outputs=is_chapter), path)
        else:
            path.write_text(text, encoding="utf-8")
    return list(paths.values())


def left(path: Path) -> list[str]:
    """Where in a file something is still to be filled in: cells, or lines."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".ipynb":
        places = [(cell["id"], json.dumps(cell)) for cell in json.loads(text)["cells"]]
    else:
        places = [(f"line {n}", line) for n, line in enumerate(text.splitlines(), start=1)]
    return [place for place, text in places if MARK in text]


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit("Which chapter? For example: make chapter N=17_capstone")
    slug, waiting = sys.argv[1], False
    for path in lay_out(slug):
        places = left(path)
        waiting |= bool(places)
        print(f"{path.relative_to(ROOT)}:", ", ".join(places) or "done")
    if waiting:
        print(f"What is to be said there stands behind the words {MARK}.")
    else:
        verbs = [f"make {verb} N={slug}" for verb in ("experiments", "notebooks")]
        print(f"Nothing is left to be filled in. What runs it: {', '.join(verbs)}, make check.")


if __name__ == "__main__":
    main()
