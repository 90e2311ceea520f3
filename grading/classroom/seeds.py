"""A student's random seed: the same on every regrade, and not to be foretold by the student.

The course has a key, made on first use in a file of its own that stands outside version
control. A seed is the HMAC-SHA256 of the assignment's and the student's name under that
key, cut to eight decimal digits: whoever lacks the key cannot work out what numbers the
tests will draw, and whoever has it can repeat any marking.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import secrets
from pathlib import Path

KEY_BYTES = 32
SEEDS = 10**8  # eight digits, which fit NumPy's legacy generator (below 2**32)


def seed(key: bytes, assignment: str, student: str) -> int:
    """Work out the seed of one student in one assignment.

    Parameters
    ----------
    key : bytes
        The course's key, from `course_key`.
    assignment, student : str
        Their names in the gradebook.

    Returns
    -------
    int
        From 0 to 99,999,999.

    Examples
    --------
    >>> seed(b"k" * 32, "02_cell", "ada") == seed(b"k" * 32, "02_cell", "ada")
    True
    >>> seed(b"k" * 32, "02_cell", "ada") == seed(b"k" * 32, "02_cell", "ben")
    False
    """
    # the length in front keeps ("a", "bc") and ("ab", "c") apart
    name = assignment.encode()
    message = len(name).to_bytes(8, "big") + name + student.encode()
    digest = hmac.new(key, message, hashlib.sha256).digest()
    return int.from_bytes(digest, "big") % SEEDS


def course_key(path: str | os.PathLike[str]) -> bytes:
    """Read the course's key from its file, which is made if it is not there.

    Parameters
    ----------
    path : path
        A file of one line, 64 hexadecimal digits. It is readable by its owner alone, and
        must not be committed: whoever has it can foretell every seed.

    Returns
    -------
    bytes
        32 bytes.

    Raises
    ------
    ValueError
        The file holds something else.
    """
    path = Path(path)
    with contextlib.suppress(FileExistsError):
        _make(path)
    text = path.read_text(encoding="ascii", errors="replace").strip()
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise ValueError(
            f"{path} is not a course key: a line of {2 * KEY_BYTES} hexadecimal digits is wanted. "
            "Restore it from a backup; with another key, regrading draws other random numbers."
        )
    return key


def _make(path: Path) -> None:
    """Write a new key, all at once: of several processes that start together, one wins."""
    if path.exists():
        raise FileExistsError(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with open(handle, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(KEY_BYTES) + "\n")
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)  # fails if another process was faster
    finally:
        draft.unlink()
