"""JupyterLab on a course, as a teacher starts it, for the tests of the formgrader."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

TOKEN = "classroom"


def port(runtime: Path) -> int | None:
    """The port that the server chose; None as long as it is not ready."""
    for path in runtime.glob("jpserver-*.json"):
        with contextlib.suppress(json.JSONDecodeError):  # half of it is written
            return json.loads(path.read_text("utf-8"))["port"]
    return None


@contextlib.contextmanager
def jupyter_lab(course: Path, home: Path) -> Iterator[str]:
    """JupyterLab in the folder of a course, on the loopback interface; its address.

    Its settings and its log are in `home`, and none of the user's are read.
    """
    folders = {kind: home / kind.lower() for kind in ("CONFIG", "DATA", "RUNTIME")}
    environment = {f"JUPYTER_{kind}_DIR": str(folder) for kind, folder in folders.items()}
    command = ["jupyter", "lab", "--no-browser", "--ip=127.0.0.1", "--port=0", "--allow-root"]
    command += [f"--IdentityProvider.token={TOKEN}"]
    with open(home / "log", "w", encoding="utf-8") as log:
        server = subprocess.Popen(
            command,
            cwd=course,
            env=os.environ | environment,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        while (chosen := port(folders["RUNTIME"])) is None:
            assert server.poll() is None, (home / "log").read_text("utf-8")
            time.sleep(0.1)
        yield f"http://127.0.0.1:{chosen}"
    finally:
        server.terminate()
        server.wait()
