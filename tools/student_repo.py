"""A copy of the course without what students must not see, to publish or to share.

    python tools/student_repo.py ../students --without tests grading

It holds what git tracks, but for the source notebooks' folder and what `--without` names,
and the released notebooks. Then all of it is searched for lines of hidden tests and of mark
schemes: if one is found, the copy is taken away again and the place is named.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

HIDDEN = re.compile(
    r"### BEGIN (HIDDEN TESTS|MARK SCHEME)[^\n]*\n(.*?)### END (?:HIDDEN TESTS|MARK SCHEME)",
    re.DOTALL,
)
LONG = 30  # characters of a line that says something; shorter ones are anywhere


def export(
    root: Path, out: Path, source: str, release: str, without: Sequence[str] = ()
) -> list[str]:
    """Write the copy.

    Parameters
    ----------
    root, out : Path
        The course, and where to; `out` must be empty or not be there.
    source, release : str
        The folders of the source notebooks and of the released ones.
    without : sequence of str, optional
        Further files and folders that stay behind.

    Returns
    -------
    list of str
        The files.

    Raises
    ------
    ValueError
        A sentence: `out` is in use, nothing is released, or something secret was found.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ValueError(f"{out} is there already and not empty.")
    if root in out.resolve().parents:
        raise ValueError(f"{out} is inside the course: choose a folder beside it.")
    notebooks = sorted(path.parent.name for path in (root / source).glob("*/*.ipynb"))
    missing = [name for name in notebooks if not (root / release / name).is_dir()]
    if missing or not notebooks:
        raise ValueError(f"Not released yet: {', '.join(missing) or 'anything'}.")
    tracked = subprocess.run(
        ["git", "ls-files", "-z"], cwd=root, check=True, capture_output=True, text=True
    ).stdout.split("\0")
    kept = [
        name
        for name in filter(None, tracked)
        if not any(name == left or name.startswith(f"{left}/") for left in (source, *without))
        and (root / name).is_file()
    ]
    kept += [
        path.relative_to(root).as_posix()
        for name in notebooks
        for path in sorted((root / release / name).rglob("*"))
        if path.is_file() and ".ipynb_checkpoints" not in path.parts
    ]
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=".students-") as folder:
        draft = Path(folder, "tree")
        for name in kept:
            (draft / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(root / name, draft / name, follow_symlinks=False)
        ignored = draft / ".gitignore"
        if ignored.is_file():  # the released notebooks are what this copy is for
            lines = ignored.read_text(encoding="utf-8").splitlines(keepends=True)
            own = {release, f"{release}/", f"/{release}", f"/{release}/"}
            ignored.write_text(
                "".join(line for line in lines if line.strip() not in own), encoding="utf-8"
            )
        found = list(leaks(draft, secrets(root / source)))
        if found:
            raise ValueError("Hidden tests or mark schemes are in: " + "; ".join(found))
        if out.is_dir():
            out.rmdir()
        draft.rename(out)
    return kept


EVERYBODYS = r"with .*:|import .*|from .* import .*"


def secrets(source: Path) -> dict[str, str]:
    """Each line of a hidden test or a mark scheme that stands nowhere else → its notebook."""
    hidden: dict[str, str] = {}
    visible: set[str] = set()
    for path in sorted(source.glob("*/*.ipynb")):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            text = "".join(cell["source"])
            for match in HIDDEN.finditer(text):
                hidden |= dict.fromkeys(map(str.strip, match[2].splitlines()), path.stem)
            visible |= set(map(str.strip, HIDDEN.sub("", text).splitlines()))
    return {
        line: name
        for line, name in hidden.items()
        # how a block is opened, `with np.errstate(…):`, and what is imported is everybody's
        if len(line) >= LONG and line not in visible and not re.fullmatch(EVERYBODYS, line)
    }


def leaks(tree: Path, hidden: dict[str, str]) -> Iterator[str]:
    """The files of a tree in which one of these lines stands, as text or in a notebook."""
    for path in sorted(tree.rglob("*")):
        if path.is_file() and not path.is_symlink():
            text = path.read_bytes().decode("utf-8", errors="replace")
            if path.suffix == ".ipynb":
                text += "\n" + "\n".join(_texts(json.loads(text)))
            for line, name in hidden.items():
                if line in text:
                    yield f"{path.relative_to(tree).as_posix()} (of {name}: {line[:60]!r})"
                    break


def _texts(value: object) -> Iterator[str]:
    """All strings of a JSON document; lists of lines are read as one text, too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, list):
        yield "".join(one for one in value if isinstance(one, str))
        for one in value:
            yield from _texts(one)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("out", type=Path, help="a folder that is not there yet")
    words.add_argument("--without", nargs="*", default=[], help="what stays behind as well")
    options = words.parse_args(arguments)
    from nbgrader.apps import NbGrader
    from nbgrader.coursedir import CourseDirectory

    app = NbGrader()
    app.load_config_file()
    coursedir = CourseDirectory(config=app.config)
    try:
        files = export(
            Path(coursedir.root).resolve(),
            options.out,
            coursedir.source_directory,
            coursedir.release_directory,
            options.without,
        )
    except ValueError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    print(f"{len(files)} files are in {options.out}: no solution, no hidden test, no mark scheme.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
