"""A PostgreSQL server of the tests' own: on a socket in a temporary folder, for one session."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


def programs() -> Path:
    """Where Debian puts initdb and pg_ctl, the newest version."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    on_path = shutil.which("initdb")
    if not found and not on_path:
        pytest.skip("PostgreSQL is not installed: `apt-get install postgresql` (Debian)")
    return found[-1].parent if found else Path(str(on_path)).parent


@contextlib.contextmanager
def server() -> Iterator[str]:
    """The start of a URL for SQLAlchemy, to which a database's name and options are added.

    The server listens on a Unix socket only. It refuses to run as root: then it runs as
    an ordinary user.
    """
    bin = programs()
    user = 65534 if os.geteuid() == 0 else os.geteuid()
    folder = tempfile.mkdtemp(prefix="pg", dir="/tmp")  # a socket's path must be short
    if os.geteuid() == 0:
        os.chown(folder, user, user)

    def run(*command: str) -> None:
        result = subprocess.run(
            [str(bin / command[0]), *command[1:]],
            user=user if os.geteuid() == 0 else None,
            extra_groups=[] if os.geteuid() == 0 else None,
            cwd=folder,
            env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "HOME": folder},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=1800,
        )
        assert result.returncode == 0, result.stdout + result.stderr

    data = f"{folder}/data"
    log = f"{folder}/log"
    try:
        run("initdb", "-D", data, "-U", "grader", "-A", "trust", "-N", "--no-instructions")
        options = f"-k {folder} -c listen_addresses='' -c fsync=off -c max_connections=50"
        run("pg_ctl", "-D", data, "-l", log, "-w", "-t", "600", "-o", options, "start")
        try:
            yield f"postgresql+psycopg://grader@/{{database}}?host={folder}"
        finally:
            run("pg_ctl", "-D", data, "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
