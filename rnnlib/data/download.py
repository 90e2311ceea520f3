"""Public data that chapters can do without: looked for, else fetched once, and checked.

`find` gives the path of what stands in `SOURCES`. It looks into the folder that the
environment variable RNNLIB_DATA names; else pooch fetches it (``pip install rnnlib[data]``)
and keeps it among the user's caches. Wherever it comes from, its sha256 must be right.

Nothing of it is part of this project. Licences are given as the source states them.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import NamedTuple


class Source(NamedTuple):
    """What stands at a path of a GitHub repository at one commit: a file, or a folder with a /."""

    repository: str
    commit: str
    path: str
    sha256: str
    licence: str


_SST2 = ("clairett/pytorch-sentiment-classification", "457ffd83de90a9d6d472d8ffc31bbffe40a8b236")

#: All public data of the course, by the name under which each lies in RNNLIB_DATA.
SOURCES = {
    "tiny-shakespeare.txt": Source(
        "karpathy/char-rnn",
        "6f9487a6fe5b420b7ca9afb0d7c078e37c1d1b4e",
        "data/tinyshakespeare/input.txt",
        "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed",
        "text in the public domain",
    ),
    "jsb-chorales-quarter.json": Source(
        "czhuang/JSB-Chorales-dataset",
        "9a7f733ddb4ed91f48da64ac7f0f621c34aadd4d",
        "jsb-chorales-quarter.json",
        "2db9329f1881a1d3f49703ec556bf1d6f84b4f6c1d702c156536e93cf31e1c91",
        "none stated",
    ),
    "sst2/train.tsv": Source(
        *_SST2,
        "data/SST2/train.tsv",
        "ec192f833a64da08f475488a77b0d0b47db47acd0f458bd18433fc793b569920",
        "none stated",
    ),
    "sst2/dev.tsv": Source(
        *_SST2,
        "data/SST2/dev.tsv",
        "eddea6b39e601dd4e7a672b53cc40fdf6019fa80522f351206c24340ca5d9359",
        "none stated",
    ),
    "sst2/test.tsv": Source(
        *_SST2,
        "data/SST2/test.tsv",
        "831169c7e2e429d6026e1bdbb542f33b636e3e596caad9602ebc953c205928b7",
        "none stated",
    ),
    "free-spoken-digit-dataset/recordings": Source(
        "Jakobovski/free-spoken-digit-dataset",
        "26eb9aaf76e81b692f806f9140c2d2777410d7a1",
        "recordings/",
        "dbd573d7cafe79c4b49f65718115e1304e24e067fa39eff18a660dc6cb9c360f",
        "CC BY-SA 4.0",
    ),
}


def find(name: str, *, fetch: bool = True) -> Path:
    """Return the path of one of `SOURCES`.

    Parameters
    ----------
    name : str
    fetch : bool, optional
        False to look into RNNLIB_DATA only.

    Raises
    ------
    FileNotFoundError
        If it is not in RNNLIB_DATA and not fetched, or is a folder, which has to be cloned.
    ImportError
        If it would have to be fetched and pooch is not installed.
    OSError
        If it cannot be fetched.
    ValueError
        If no source has this name, or what was found is not what the source holds.

    Examples
    --------
    >>> find("tiny-tolstoy.txt")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    ValueError: name must be one of tiny-shakespeare.txt, ... got 'tiny-tolstoy.txt'
    """
    if name not in SOURCES:
        raise ValueError(f"name must be one of {', '.join(SOURCES)}, got {name!r}")
    source = SOURCES[name]
    folder = os.environ.get("RNNLIB_DATA")
    if folder and (path := Path(folder, name)).exists():
        if sha256(path) != source.sha256:
            raise ValueError(f"{path} is not what {source.repository} holds: its sha256 differs")
        return path
    where = f"in RNNLIB_DATA ({folder})" if folder else "here: RNNLIB_DATA names no folder"
    if source.path.endswith("/"):
        raise FileNotFoundError(
            f"{name} is not {where}. Clone https://github.com/{source.repository} at "
            f"{source.commit[:8]} into the folder that RNNLIB_DATA names"
        )
    if not fetch:
        raise FileNotFoundError(f"{name} is not {where}")
    try:
        import pooch
    except ImportError:
        message = f"{name} is not {where}. To fetch it, pooch is needed: pip install rnnlib[data]"
        raise ImportError(message) from None
    pooch.get_logger().setLevel("WARNING")
    address = f"https://raw.githubusercontent.com/{source.repository}/{source.commit}/{source.path}"
    kept = {"fname": name.replace("/", "-"), "path": pooch.os_cache("rnnlib")}
    try:
        return Path(pooch.retrieve(address, known_hash=f"sha256:{source.sha256}", **kept))
    except OSError as error:
        raise OSError(f"{name} could not be fetched from {address}: {error}") from error


def sha256(path: Path) -> str:
    """Return the checksum of a file; of a folder, that of its files' names and checksums."""
    if path.is_file():
        return hashlib.sha256(path.read_bytes()).hexdigest()
    total = hashlib.sha256()
    for file in sorted(path.iterdir()):
        total.update(f"{file.name} {sha256(file)}\n".encode())
    return total.hexdigest()
