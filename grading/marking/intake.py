"""Any bytes a student may hand in become a clean notebook, or one sentence that says why not.

Nothing of what is read here is trusted. What passes on is made anew: the sources of cells
as text, the marks that nbgrader needs (taken from the gradebook, not from the student),
pictures that stand in written answers, and nothing else. Stored outputs, tags, widgets
and metadata stay behind.
"""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nbformat.notebooknode import NotebookNode, from_dict

from .assignment import Malformed, NotebookSpecification, Submission, Unclear

FILE_BYTES = 50_000_000  # a notebook that holds an animation may have half of that
TOTAL_BYTES = 100_000_000
PARTS = 5_000_000  # of a notebook's JSON, which take more memory than their bytes
FILES = 200
DEPTH = 8  # of folders in folders
CELLS = 2_000
SOURCE_CHARACTERS = 1_000_000  # of one cell
PICTURES = ("image/png", "image/jpeg", "image/gif")


def load(folder: Path, student: str, seed: int = 0) -> Submission:
    """Read a submission's folder: ordinary files only, no links followed, within limits.

    Parameters
    ----------
    folder : Path
    student : str
    seed : int, optional

    Returns
    -------
    Submission
        Its `unread` names what was left out, and why.
    """
    files: dict[str, bytes] = {}
    unread: dict[str, str] = {}
    total = 0

    def visit(path: Path, prefix: str, depth: int) -> None:
        nonlocal total
        with os.scandir(path) as listing:
            entries = sorted(listing, key=lambda entry: entry.name)
        for entry in entries:
            name = prefix + entry.name
            shown = _shown(name)
            if len(files) + len(unread) >= FILES:
                unread["*"] = f"There are more than {FILES} files; the rest was not read."
                return
            try:
                name.encode()
            except UnicodeEncodeError:
                unread[shown] = f"{shown} was not read: its name is not UTF-8."
                continue
            if entry.is_symlink():
                unread[name] = f"{shown} was not read: it is a link, not a file."
            elif entry.is_dir():
                if entry.name in (".ipynb_checkpoints", "__pycache__"):
                    continue
                if depth >= DEPTH:
                    unread[name] = f"{shown} was not read: too many folders in folders."
                else:
                    visit(Path(entry.path), name + "/", depth + 1)
            else:
                content = _read(entry.path, min(FILE_BYTES, TOTAL_BYTES - total))
                if isinstance(content, str):
                    unread[name] = f"{shown} was not read: {content}."
                else:
                    files[name] = content
                    total += len(content)

    if folder.is_symlink() or not folder.is_dir():
        unread[""] = "The submission is a link or a file where a folder should be."
    else:
        visit(folder, "", 0)
    return Submission(student, files, unread, seed)


def _read(path: str, limit: int) -> bytes | str:
    """Read a file's content, or say why there is none."""
    try:
        # NOFOLLOW: it may have become a link since; NONBLOCK: opening a pipe would wait for ever
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        return f"it cannot be opened ({error.strerror})"
    with open(handle, "rb") as file:
        about = os.fstat(handle)
        if not stat.S_ISREG(about.st_mode):
            return "it is not an ordinary file"
        if about.st_size > limit:
            return f"it is too large ({about.st_size / 1e6:.0f} MB)"
        content = file.read(limit + 1)
    return content if len(content) <= limit else "it is too large"


def find(submission: Submission, wanted: NotebookSpecification, only: bool) -> tuple[bytes, str]:
    """Find the bytes of a notebook of the submission, and a note if it has another name.

    Parameters
    ----------
    submission : Submission
    wanted : NotebookSpecification
    only : bool
        Whether it is the assignment's only notebook: then one with another name may be it.

    Raises
    ------
    Malformed
        If it is not there.
    Unclear
        If nothing is written in it, but in another one.
    """
    name = f"{wanted.name}.ipynb"
    others = [
        other for other in submission.files if other.lower().endswith(".ipynb") and other != name
    ]
    if name in submission.files:
        raw = submission.files[name]
        if only and others and not _written(raw, wanted):
            for other in others:
                if _written(submission.files[other], wanted):
                    raise Unclear(
                        f"Nothing is written in {name}, but in {_shown(other)}. Which of them "
                        "counts is for the instructor to say, who takes the other one out of the "
                        "submission's folder and gives the command again."
                    )
        return raw, ""
    folder = [other for other in submission.files if other.startswith(name + "/")]
    if folder:
        raise Malformed(f"{name} is a folder; a notebook file of this name was expected.")
    for place in (name, ""):
        if place in submission.unread:
            raise Malformed(submission.unread[place])
    if only and len(others) == 1 and _is_that(submission.files[others[0]], wanted):
        return submission.files[others[0]], (
            f"The notebook is called {_shown(others[0])}; it was taken for {name}."
        )
    if others:
        listed = ", ".join(map(_shown, others[:3])) + (", …" if len(others) > 3 else "")
        raise Malformed(f"There is no notebook {name}; only {listed}.")
    raise Malformed(f"There is no notebook {name} in the submission.")


def _is_that(raw: bytes, wanted: NotebookSpecification) -> bool:
    """Tell whether a notebook holds at least half of the assignment's marked cells."""
    ids = [json.dumps(cell.grade_id).encode() for cell in wanted.cells]
    return 2 * sum(id in raw for id in ids) >= len(ids) > 0


def _written(raw: bytes, wanted: NotebookSpecification) -> bool:
    """Tell whether a notebook holds the assignment, and an answer that is not the release's."""
    try:
        cells = clean(raw, wanted)[0].cells
    except Malformed:
        return False
    given = {cell.grade_id: cell.source.strip() for cell in wanted.cells if not cell.locked}
    here = {cell.metadata.get("nbgrader", {}).get("grade_id"): cell.source for cell in cells}
    return any(id in here and here[id].strip() != source for id, source in given.items())


def _shown(name: str) -> str:
    """Make of a file name, whatever is in it, one that can stand in a sentence."""
    clean = "".join(c if c.isprintable() else "?" for c in name)
    clean = clean.encode("utf-8", "replace").decode()
    return clean if len(clean) <= 80 else clean[:77] + "…"


def clean(raw: bytes, wanted: NotebookSpecification) -> tuple[NotebookNode, list[str]]:
    """Make a notebook that nbgrader can work with of whatever the bytes hold.

    Marked cells are found by their grade_id. A cell that the student deleted is put back
    as it was released, where it stood (nbgrader's own way fails if the cell before it is
    missing too); of a cell that is there twice the last one counts, as in nbgrader.

    Parameters
    ----------
    raw : bytes
    wanted : NotebookSpecification

    Returns
    -------
    notebook : NotebookNode
        Format 4.5, without outputs.
    notes : list of str
        What was put right, a sentence each.

    Raises
    ------
    Malformed
    """
    cells = [_cell(cell, number) for number, cell in enumerate(_parse(raw, wanted.name), start=1)]
    notes: list[str] = []
    by_id = {cell.grade_id: cell for cell in wanted.cells}

    found = {}  # grade_id → position; a later one overwrites an earlier one
    twice = []
    for position, cell in enumerate(cells):
        id = cell.pop("grade_id")
        if id in by_id:
            if id in found:
                twice.append(id)
            found[id] = position
    _recognise(cells, found, by_id)
    if not found:
        raise Malformed(
            f"{wanted.name}.ipynb holds none of the assignment's cells; "
            "it may be the notebook of another assignment."
        )
    if twice:
        notes.append(f"There several times, and the last one counts: {_names(twice)}.")
    for id, position in found.items():
        cells[position]["metadata"] = {"nbgrader": by_id[id].metadata()}

    missing = [c for c in wanted.cells if c.grade_id not in found and (c.locked or c.grade)]
    if missing:
        notes.append(f"Missing, and put back: {_names([c.grade_id for c in missing])}.")
        cells = _with_missing(cells, found, wanted)
    unmarked = [c for c in wanted.cells if c.grade_id not in found and not (c.locked or c.grade)]
    if unmarked:
        notes.append(f"Missing: {_names([c.grade_id for c in unmarked])}.")

    _name_cells(cells)
    kernelspec = wanted.kernelspec or {}
    notebook = {
        "cells": cells,
        "metadata": {"kernelspec": kernelspec} if kernelspec else {},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return from_dict(notebook), notes


def _parse(raw: bytes, name: str) -> list[Any]:
    """Read the list of cells in a notebook's bytes."""
    if sum(map(raw.count, (b"[", b"{", b","))) > PARTS:
        raise Malformed(f"{name}.ipynb is too large: it has more than {PARTS:,} parts.")
    if not raw.strip():
        raise Malformed(f"{name}.ipynb is empty.")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Malformed(f"{name}.ipynb is not text in UTF-8, as notebooks are.") from None
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise Malformed(
            f"{name}.ipynb is damaged: it is not JSON, as notebooks are. Was it cut off?"
        ) from None
    if not isinstance(document, dict) or not isinstance(document.get("nbformat"), int):
        raise Malformed(f"{name}.ipynb is JSON, but not a notebook.")
    if document["nbformat"] == 3:
        document = _from_format_3(text, name)
    if document["nbformat"] != 4:
        raise Malformed(
            f"{name}.ipynb is in notebook format {document['nbformat']}; format 4 is expected."
        )
    cells = document.get("cells")
    if not isinstance(cells, list):
        raise Malformed(f"{name}.ipynb has no list of cells.")
    if len(cells) > CELLS:
        raise Malformed(f"{name}.ipynb has {len(cells)} cells; at most {CELLS} are read.")
    return cells


def _from_format_3(text: str, name: str) -> dict[str, Any]:
    from nbformat import reads

    try:
        return dict(reads(text, as_version=4))
    except Exception:  # whatever the converter stumbles over in a stranger's file
        raise Malformed(f"{name}.ipynb is in the old notebook format 3, and damaged.") from None


def _cell(raw: Any, number: int) -> dict[str, Any]:
    """Make a cell anew; its grade_id stands beside, for the caller to take out."""
    kind = raw.get("cell_type") if isinstance(raw, dict) else None
    if kind not in ("code", "markdown", "raw"):
        raise Malformed(f"Cell {number} of the notebook is neither code nor text.")
    source = raw.get("source", "")
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        source = "".join(source)
    if not isinstance(source, str):
        raise Malformed(f"Cell {number} of the notebook has no text where its source should be.")
    if len(source) > SOURCE_CHARACTERS:
        raise Malformed(f"Cell {number} of the notebook is too long ({len(source)} characters).")
    # half of a two-part character is legal in JSON and cannot be written out again
    source = source.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    metadata = raw.get("metadata")
    marks = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    id = marks.get("grade_id") if isinstance(marks, dict) else None
    cell: dict[str, Any] = {
        "cell_type": kind,
        "id": raw.get("id"),
        "metadata": {},
        "source": source,
        "grade_id": id if isinstance(id, str) else None,
    }
    if kind == "code":
        cell |= {"execution_count": None, "outputs": []}
    elif pictures := _pictures(raw.get("attachments")):
        cell["attachments"] = pictures
    return cell


def _pictures(attachments: Any) -> dict[str, dict[str, str]]:
    """Keep the pictures pasted into a text; the marker shall see them."""
    if not isinstance(attachments, dict):
        return {}
    kept = {}
    for name, bundle in attachments.items():
        if isinstance(bundle, dict):
            pictures = {
                kind: data
                for kind, data in bundle.items()
                if kind in PICTURES
                and isinstance(data, str)
                and re.fullmatch(r"[A-Za-z0-9+/=\s]*", data)
            }
            if pictures:
                kept[_shown(name)] = pictures
    return kept


def _recognise(
    cells: list[dict[str, Any]], found: dict[str, int], by_id: Mapping[str, Any]
) -> None:
    """Find cells that lost their metadata, as some editors take it away.

    They are known by their cell id, if it is the grade_id, or as locked cells by their text.
    """
    taken = set(found.values())
    for position, cell in enumerate(cells):
        if position in taken or not by_id.keys() - found.keys():
            continue
        wanted = by_id.get(cell["id"]) if isinstance(cell["id"], str) else None
        if wanted is None or wanted.grade_id in found or wanted.kind != cell["cell_type"]:
            wanted = next(
                (
                    c
                    for c in by_id.values()
                    if c.locked and c.grade_id not in found and _released(c.source, cell["source"])
                ),
                None,
            )
        if wanted is not None:
            found[wanted.grade_id] = position


def _released(source: str, text: str) -> bool:
    """Tell whether a text is a locked cell's, of which the release may lack hidden lines."""
    lines = iter(source.split("\n"))
    return bool(text.strip()) and all(line in lines for line in text.rstrip().split("\n"))


def _with_missing(
    cells: list[dict[str, Any]], found: dict[str, int], wanted: NotebookSpecification
) -> list[dict[str, Any]]:
    """Put missing cells behind the cell that they followed when released."""
    behind: dict[int, list[dict[str, Any]]] = {}
    position = min(found.values()) - 1  # where there is nothing before: above all that is known
    for known in wanted.cells:
        if known.grade_id in found:
            position = found[known.grade_id]
        elif known.locked or known.grade:
            behind.setdefault(position, []).append(known.released())
    merged = list(behind.get(-1, []))
    for position, cell in enumerate(cells):
        merged.append(cell)
        merged += behind.get(position, [])
    return merged


def _name_cells(cells: list[dict[str, Any]]) -> None:
    """Give every cell an id that is legal and its own."""
    seen: set[str] = set()
    for number, cell in enumerate(cells):
        id = cell["id"]
        if not isinstance(id, str) or not re.fullmatch(r"[\w-]{1,64}", id, re.ASCII) or id in seen:
            id = f"cell-{number}"
            while id in seen:
                id += "-"
            cell["id"] = id
        seen.add(id)


def _names(ids: list[str]) -> str:
    return ", ".join(dict.fromkeys(ids))
