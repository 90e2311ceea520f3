"""Files and folders that are there whole or not at all, whenever a run is killed."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

# what is wrong with a name, and not with the disk
REFUSALS = {errno.ENAMETOOLONG, errno.EISDIR, errno.ENOTDIR, errno.EEXIST}


def write(path: str | os.PathLike[str], content: str | bytes) -> None:
    """Write a file: whoever reads it meanwhile sees the old one or the new one."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        draft.write_bytes(content.encode() if isinstance(content, str) else content)
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)


def replace(
    folder: Path,
    files: Mapping[str, bytes],
    *,
    permissions: int | None = None,
    aside: Path | None = None,
) -> list[str]:
    """Make a folder with these files; what was there before goes.

    Parameters
    ----------
    folder : Path
    files : mapping of str to bytes
        Names with "/" between folders.
    permissions : int, optional
        Of the files.
    aside : Path, optional
        Where what was there before is kept.

    Returns
    -------
    list of str
        Names that the file system refuses: too long, or a folder's.
    """
    draft, old = (folder.with_name(f".{folder.name}.{word}") for word in ("new", "old"))
    for left in (draft, old):  # by a run that was killed
        shutil.rmtree(left, ignore_errors=True)
    draft.mkdir(parents=True)
    refused = []
    for name, content in files.items():
        path = draft.joinpath(*PurePosixPath(name).parts)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        except (OSError, ValueError) as error:
            if isinstance(error, OSError) and error.errno not in REFUSALS:
                raise
            refused.append(name)
            continue
        if permissions is not None:
            path.chmod(permissions)
    if folder.exists() or folder.is_symlink():
        (aside or old).parent.mkdir(parents=True, exist_ok=True)
        folder.rename(aside or old)
    draft.rename(folder)
    shutil.rmtree(old, ignore_errors=True)
    return refused
