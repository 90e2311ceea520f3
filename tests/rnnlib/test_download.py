"""Public data are what their source holds, and come from where they should."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from rnnlib.data import download
from rnnlib.data.download import SOURCES, Source, find, sha256

TEXT = "To be, or not to be"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An RNNLIB_DATA with one file and one folder, and a third that is missing."""
    (tmp_path / "digits").mkdir()
    (tmp_path / "digits" / "0_ann.wav").write_bytes(b"zero")
    (tmp_path / "hamlet.txt").write_text(TEXT)
    digests = {name: sha256(tmp_path / name) for name in ("hamlet.txt", "digits")}
    table = {
        "hamlet.txt": Source("ann/plays", "0" * 40, "hamlet.txt", digests["hamlet.txt"], "none"),
        "digits": Source("ann/digits", "1" * 40, "digits/", digests["digits"], "none"),
        "lear.txt": Source("ann/plays", "0" * 40, "old/lear.txt", "2" * 64, "none"),
    }
    monkeypatch.setattr(download, "SOURCES", table)
    monkeypatch.setenv("RNNLIB_DATA", str(tmp_path))
    return tmp_path


def test_rnnlib_data_is_looked_in_first_and_what_lies_there_is_checked(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "pooch", None)  # not even asked for
    assert find("hamlet.txt").read_text() == TEXT
    assert [path.name for path in find("digits").iterdir()] == ["0_ann.wav"]
    (folder / "hamlet.txt").write_text(TEXT + "!")
    with pytest.raises(ValueError, match=r"hamlet\.txt is not what ann/plays holds"):
        find("hamlet.txt")
    (folder / "digits" / "0_ann.wav").rename(folder / "digits" / "1_ann.wav")
    with pytest.raises(ValueError, match="digits is not what ann/digits holds"):
        find("digits")


def test_what_is_not_there_says_how_to_get_it(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "pooch", None)
    with pytest.raises(ImportError, match=r"pip install rnnlib\[data\]"):
        find("lear.txt")
    with pytest.raises(FileNotFoundError, match=r"lear\.txt is not in RNNLIB_DATA"):
        find("lear.txt", fetch=False)
    shutil.rmtree(folder / "digits")
    with pytest.raises(
        FileNotFoundError, match=r"Clone https://github\.com/ann/digits at 11111111"
    ):
        find("digits")
    monkeypatch.delenv("RNNLIB_DATA")
    with pytest.raises(FileNotFoundError, match="RNNLIB_DATA names no folder"):
        find("hamlet.txt", fetch=False)
    with pytest.raises(ValueError, match="name must be one of hamlet"):
        find("macbeth.txt")


def test_a_file_is_fetched_from_its_commit_and_checked(folder, monkeypatch):
    import pooch

    asked = {}

    def retrieve(address, **options):
        asked.update(options, address=address)
        return str(folder / "hamlet.txt")

    monkeypatch.setattr(pooch, "retrieve", retrieve)
    assert find("lear.txt") == folder / "hamlet.txt"
    start = "https://raw.githubusercontent.com/ann/plays"
    assert asked["address"] == f"{start}/{'0' * 40}/old/lear.txt"
    assert asked["known_hash"] == "sha256:" + "2" * 64

    def unplugged(address, **options):
        raise OSError("no route to host")

    monkeypatch.setattr(pooch, "retrieve", unplugged)
    with pytest.raises(OSError, match=r"lear\.txt could not be fetched from https.*no route"):
        find("lear.txt")


def test_pooch_is_imported_by_who_fetches_only():
    code = "import rnnlib.data.download, sys; sys.exit('pooch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


@pytest.mark.parametrize("name", SOURCES)
def test_the_table_s_checksums_are_those_of_the_data(name, public):
    path = public(name)
    assert isinstance(path, Path)
    assert path.exists()  # `find` has compared the checksum
