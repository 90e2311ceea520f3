"""Whatever is handed in becomes a clean notebook, or one sentence."""

from __future__ import annotations

import copy
import json
import os
from pathlib import Path
from typing import Any

import classes
import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grading.classroom import gradebook
from grading.marking import intake
from grading.marking.assignment import Malformed, NotebookSpecification, Submission, Unclear
from rnnlib import __main__ as check_before_handing_in


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, NotebookSpecification]:
    coursedir = classes.course(tmp_path_factory.mktemp("course"))
    order = {classes.ASSIGNMENT: [c["id"] for c in classes.released(coursedir)["cells"]]}
    with gradebook.opened(coursedir.db_url, classes.COURSE) as book:
        (wanted,) = gradebook.notebooks(book, classes.ASSIGNMENT, order)
    return classes.solved(coursedir), wanted


@pytest.fixture
def notebook(released: Any) -> dict[str, Any]:
    return copy.deepcopy(released[0])


@pytest.fixture
def wanted(released: Any) -> NotebookSpecification:
    return released[1]


def clean(document: Any, wanted: NotebookSpecification) -> tuple[Any, list[str]]:
    made, notes = intake.clean(json.dumps(document).encode(), wanted)
    nbformat.validate(made)
    return made, notes


def ids(notebook: Any) -> list[str]:
    return [cell.metadata.get("nbgrader", {}).get("grade_id", "") for cell in notebook.cells]


def test_an_honest_notebook_passes_unchanged(notebook: Any, wanted: Any) -> None:
    made, notes = clean(notebook, wanted)
    assert notes == []
    assert [c.source for c in made.cells] == ["".join(c["source"]) for c in notebook["cells"]]
    assert [c.id for c in made.cells] == [c["id"] for c in notebook["cells"]]


def test_nothing_but_the_source_passes(notebook: Any, wanted: Any) -> None:
    notebook["metadata"] |= {"kernelspec": {"name": "mine"}, "widgets": {"x": 1}}
    for cell in notebook["cells"]:
        cell["metadata"]["tags"] = ["skip-execution"]
        cell["metadata"].get("nbgrader", {})["points"] = 100
        cell["metadata"].get("nbgrader", {})["schema_version"] = 99
        if cell["cell_type"] == "code":
            cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "full marks"}]
            cell["execution_count"] = 7
    made, _ = clean(notebook, wanted)
    assert made.metadata == {"kernelspec": wanted.kernelspec}
    assert wanted.kernelspec["name"] == "python3"
    for cell in made.cells:
        assert set(cell.metadata) <= {"nbgrader"}
        if cell.cell_type == "code":
            assert cell.outputs == [] and cell.execution_count is None
        if cell.metadata:
            id = cell.metadata.nbgrader.grade_id
            assert cell.metadata.nbgrader.schema_version == 3
            assert cell.metadata.nbgrader.get("points") == (classes.FULL | {"words": 4}).get(id)


def test_deleted_cells_stand_where_they_stood(notebook: Any, wanted: Any) -> None:
    whole = ids(clean(notebook, wanted)[0])
    for gone in (["imports"], ["test_add"], ["mean", "test_mean"], ["words"], ["test_clip"]):
        less = copy.deepcopy(notebook)
        less["cells"] = [cell for cell in less["cells"] if cell["id"] not in gone]
        made, notes = clean(less, wanted)
        # an answer that is gone is not put back: the student may have written it elsewhere
        assert [id for id in ids(made) if id] == [id for id in whole if id and id != "mean"] or (
            "mean" not in gone and ids(made) == whole
        )
        assert all(any(id in note for note in notes) for id in gone)


def test_all_locked_cells_deleted_come_back_in_order(notebook: Any, wanted: Any) -> None:
    less = copy.deepcopy(notebook)
    less["cells"] = [cell for cell in less["cells"] if cell["id"] == "scale"]
    made, _ = clean(less, wanted)
    order = [id for id in ids(made) if id]
    assert order == [
        "imports",
        "test_add",
        "test_mean",
        "scale",
        "test_scale",
        "test_clip",
        "words",
    ]


def test_of_a_cell_that_is_there_twice_the_last_counts(notebook: Any, wanted: Any) -> None:
    position = next(i for i, c in enumerate(notebook["cells"]) if c["id"] == "add")
    twin = copy.deepcopy(notebook["cells"][position])
    twin["source"] = "def add(a, b):\n    return b + a"
    notebook["cells"].insert(position + 1, twin)
    made, notes = clean(notebook, wanted)
    assert ids(made).count("add") == 1
    assert made.cells[ids(made).index("add")].source == twin["source"]
    assert len({cell.id for cell in made.cells}) == len(made.cells)
    assert any("several times" in note and "add" in note for note in notes)


def test_cells_that_lost_their_metadata_are_known_again(notebook: Any, wanted: Any) -> None:
    for cell in notebook["cells"]:
        cell["metadata"] = {}
    made, notes = clean(notebook, wanted)
    assert [id for id in ids(made) if id] == [cell.grade_id for cell in wanted.cells]
    assert notes == []
    for cell in notebook["cells"]:  # and without ids the locked ones by their text
        del cell["id"]
    made, notes = clean(notebook, wanted)
    assert [id for id in ids(made) if id.startswith("test_")] == list(classes.FULL)
    assert notes == ["Missing, and put back: words.", "Missing: add, mean, scale, clip."]


@pytest.mark.parametrize(
    "raw, words",
    [
        (b"", "is empty"),
        (b"  \n", "is empty"),
        (b'{"cells": [', "is not JSON"),
        (b"\xff\xfe\x00garbage", "not text in UTF-8"),
        ('{"nbformat": 4}'.encode("utf-16"), "not text in UTF-8"),
        (b"[]", "not a notebook"),
        (b'"text"', "not a notebook"),
        (b'{"nbformat": "4"}', "not a notebook"),
        (b'{"nbformat": 99, "cells": []}', "format 99"),
        (b'{"nbformat": 2, "worksheets": []}', "format 2"),
        (b'{"nbformat": 3, "worksheets": 7}', "old notebook format 3"),
        (b'{"nbformat": 4, "cells": {}}', "no list of cells"),
        (b'{"nbformat": 4, "cells": []}', "none of the assignment's cells"),
        (b'{"nbformat": 4, "cells": [3]}', "Cell 1"),
        (b'{"nbformat": 4, "cells": [{"cell_type": "heading"}]}', "Cell 1"),
        (b'{"nbformat": 4, "cells": [{"cell_type": "code", "source": 1}]}', "Cell 1"),
        (b'{"nbformat": 4, "cells": [{"cell_type": "code", "source": [1]}]}', "Cell 1"),
        (b"[" * 100_000, "is not JSON"),
        (b'{"nbformat": 4, "cells": [' + b"1" * 5000 + b"]}", "is not JSON"),
        (b'{"nbformat": 4, "cells": [' + b"{}," * 3000 + b"{}]}", "3001 cells"),
        (b'{"nbformat": 4, "cells": [' + b"[]," * 5_000_000 + b"[]]}", "parts"),
        (
            b'{"nbformat": 4, "cells": [{"cell_type": "code", "source": "'
            + b"x" * 2_000_000
            + b'"}]}',
            "Cell 1 of the notebook is too long",
        ),
        (b'{"cells": [], "nbformat": 4, "x": NaN}', "none of the assignment's cells"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_notebook_gets_one_sentence(raw: bytes, words: str, wanted: Any) -> None:
    with pytest.raises(Malformed, match=words) as caught:
        intake.clean(raw, wanted)
    sentence = str(caught.value)
    assert sentence.endswith((".", "?")) and "\n" not in sentence and len(sentence) < 200


def test_the_old_format_is_read(notebook: Any, wanted: Any) -> None:
    old = nbformat.convert(nbformat.reads(json.dumps(notebook), 4), 3)
    made, _ = intake.clean(nbformat.writes(old, 3).encode(), wanted)
    assert [id for id in ids(made) if id] == [cell.grade_id for cell in wanted.cells]


def test_half_characters_can_be_written_out(notebook: Any, wanted: Any) -> None:
    classes.cell_of(notebook, "add")["source"] = "x = '\ud83d'"
    made, _ = clean(notebook, wanted)
    nbformat.writes(made).encode()


def test_pictures_in_answers_stay_and_pages_do_not(notebook: Any, wanted: Any) -> None:
    classes.cell_of(notebook, "words")["attachments"] = {
        "plot.png": {"image/png": "aGFsbG8="},
        "page.svg": {"image/svg+xml": "<svg onload='alert()'>"},
        "odd": {"image/png": "<script>"},
    }
    made, _ = clean(notebook, wanted)
    assert made.cells[-1].attachments == {"plot.png": {"image/png": "aGFsbG8="}}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(st.data())
def test_any_damage_gives_a_valid_notebook_or_a_sentence(released: Any, data: Any) -> None:
    notebook, wanted = copy.deepcopy(released[0]), released[1]
    for _ in range(data.draw(st.integers(1, 4))):
        cell = data.draw(st.sampled_from(notebook["cells"]))
        if not isinstance(cell, dict):
            continue
        place = data.draw(st.sampled_from([notebook, cell, cell.get("metadata")]))
        if isinstance(place, dict) and place:
            place[data.draw(st.sampled_from(sorted(place)))] = data.draw(json_values)
        if not isinstance(notebook.get("cells"), list) or not notebook["cells"]:
            break
    try:
        made, _ = intake.clean(json.dumps(notebook).encode(), wanted)
    except Malformed as error:
        assert "\n" not in str(error)
    else:
        nbformat.validate(made)
        present = ids(made)
        for cell in wanted.cells:
            assert present.count(cell.grade_id) == 1 or not (cell.grade or cell.locked)


@given(st.binary(max_size=300))
def test_any_bytes_give_a_sentence(released: Any, raw: bytes) -> None:
    with pytest.raises(Malformed):
        intake.clean(raw, released[1])


# folders


def test_students_are_told_the_size_that_is_read() -> None:
    assert check_before_handing_in.MOST_BYTES == intake.FILE_BYTES


def test_only_ordinary_files_are_read(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("hidden tests")
    folder = tmp_path / "handed in"
    (folder / "data").mkdir(parents=True)
    (folder / "ps1.ipynb").symlink_to(secret)
    (folder / "linked").symlink_to(tmp_path)
    os.mkfifo(folder / "pipe")
    (folder / "data" / "x.csv").write_text("1,2")
    (folder / "big.bin").touch()
    os.truncate(folder / "big.bin", 10 * intake.FILE_BYTES)  # sparse: holds nothing
    (folder / os.fsdecode(b"\xff.txt")).write_text("?")
    read = intake.load(folder, "ada")
    assert dict(read.files) == {"data/x.csv": b"1,2"}
    said = " ".join(read.unread.values())
    assert "hidden tests" not in said
    for words in ("ps1.ipynb was not read: it is a link", "linked", "pipe", "too large", "UTF-8"):
        assert words in said


def test_a_linked_folder_is_not_read(tmp_path: Path) -> None:
    other = tmp_path / "ben"
    other.mkdir()
    (other / "ps1.ipynb").write_text("his")
    (tmp_path / "ada").symlink_to(other)
    read = intake.load(tmp_path / "ada", "ada")
    assert not read.files and "link" in read.unread[""]


def test_there_are_limits_to_numbers_depth_and_sum(tmp_path: Path) -> None:
    many = tmp_path / "many"
    many.mkdir()
    for number in range(intake.FILES + 50):
        (many / f"{number:04}").touch()
    read = intake.load(many, "ada")
    assert len(read.files) <= intake.FILES and "more than" in read.unread["*"]
    deep = tmp_path / "deep"
    (deep / "/".join("d" * 30)).mkdir(parents=True)
    assert "folders in folders" in str(intake.load(deep, "ada").unread)
    large = tmp_path / "large"
    large.mkdir()
    for number in range(8):
        (large / str(number)).touch()
        os.truncate(large / str(number), intake.FILE_BYTES // 2)
    read = intake.load(large, "ada")
    assert sum(map(len, read.files.values())) <= intake.TOTAL_BYTES and read.unread


def test_a_renamed_notebook_is_taken_if_it_is_the_one(notebook: Any, wanted: Any) -> None:
    raw = json.dumps(notebook).encode()
    found, note = intake.find(Submission("ada", {"ps1 (1).ipynb": raw}), wanted, only=True)
    assert found == raw and "ps1 (1).ipynb" in note
    for files, words in (
        ({}, "no notebook ps1.ipynb in the submission"),
        ({"other.ipynb": b"{}"}, "only other.ipynb"),
        ({"a.ipynb": raw, "b.ipynb": raw}, "only a.ipynb, b.ipynb"),
        ({"ps1.ipynb/ps1.ipynb": raw}, "is a folder"),
        ({"x\n<script>.ipynb": b""}, r"only x\?<script>.ipynb"),
    ):
        with pytest.raises(Malformed, match=words):
            intake.find(Submission("ada", files), wanted, only=True)
    linked = Submission("ada", {}, {"ps1.ipynb": "it is a link, not a file."})
    with pytest.raises(Malformed, match="it is a link"):
        intake.find(linked, wanted, only=True)


def test_two_notebooks_of_which_the_other_is_solved_are_a_question(
    notebook: Any, wanted: Any
) -> None:
    solved = json.dumps(notebook).encode()
    for cell in wanted.cells:
        if cell.solution:
            classes.cell_of(notebook, cell.grade_id)["source"] = cell.source
    released = json.dumps(notebook).encode()
    files = {"ps1.ipynb": released, "ps1_final.ipynb": solved}
    with pytest.raises(Unclear, match=r"but in ps1_final.ipynb"):
        intake.find(Submission("ada", files), wanted, only=True)
    for files, found in (
        ({"ps1.ipynb": solved, "ps1_old.ipynb": solved}, solved),
        ({"ps1.ipynb": released, "ps1_old.ipynb": released}, released),
        ({"ps1.ipynb": released, "ps1_broken.ipynb": b"{"}, released),
    ):
        assert intake.find(Submission("ada", files), wanted, only=True) == (found, "")


def test_outputs_of_many_megabytes_are_dropped(notebook: Any, wanted: Any) -> None:
    video = {"output_type": "display_data", "data": {"text/html": "x" * 30_000_000}}
    notebook["cells"][0] |= {"outputs": [video | {"metadata": {}}]}
    made, _ = intake.clean(json.dumps(notebook).encode(), wanted)
    assert len(json.dumps(made)) < 1_000_000


def test_the_digest_is_of_content_and_seed_not_of_the_clock() -> None:
    one = Submission("ada", {"a": b"1", "timestamp.txt": b"now"}, seed=3)
    assert one.digest == Submission("ada", {"timestamp.txt": b"later", "a": b"1"}, seed=3).digest
    others = [
        Submission("ada", {"a": b"2"}, seed=3),
        Submission("ada", {"b": b"1"}, seed=3),
        Submission("ada", {"a": b"1"}, seed=4),
        Submission("ben", {"a": b"1"}, seed=3),
        Submission("ada", {"a": b"1"}, {"b": "a link"}, seed=3),
        Submission("ada", {"a": b"", '1["b", 0]': b""}, seed=3),
    ]
    assert len({s.digest for s in [one, *others]}) == 1 + len(others)
