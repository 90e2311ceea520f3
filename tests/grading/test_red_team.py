"""The red team: no attack scores above its honest part, reads, changes or outlives anything."""

from __future__ import annotations

import importlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from attacks.book import ATTACKS
from red_team import GROUPS, LIMITS

from grading.sandbox import box
from grading.sandbox.room import GRACE

ROOT = Path(__file__).parents[2]
NOBODY = str(box.NOBODY)

for group in GROUPS:
    importlib.import_module(f"attacks.{group}")


def as_nobody(*command: str) -> list[str]:
    """The command as an ordinary user, for a test that runs as root.

    Root's interpreter may lie where others may not look; so the user gets a view of the
    machine in which it can.
    """
    needed = [ROOT, Path(sys.prefix), Path(sys.base_prefix)]
    view: list[str] = []
    for closed in dict.fromkeys(_closed(path) for path in needed):
        if closed is None:
            continue
        view += ["--perms", "0755", "--tmpfs", str(closed)]
        for path in (p for p in needed if p.is_relative_to(closed)):
            for parent in reversed(path.parents):
                if parent != closed and parent.is_relative_to(closed):
                    view += ["--perms", "0755", "--dir", str(parent)]
            view += ["--ro-bind", str(path), str(path)]
    return [
        *("bwrap", "--die-with-parent", "--dev-bind", "/", "/", *view, "--cap-drop", "ALL"),
        *("--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID", "--"),
        *("setpriv", "--reuid", NOBODY, "--regid", NOBODY, "--clear-groups", *command),
    ]


def _closed(path: Path) -> Path | None:
    """The first folder on the way to a path that others may not enter."""
    for folder in [*reversed(path.parents), path]:
        if not folder.stat().st_mode & 0o001:
            return folder
    return None


@pytest.fixture(scope="module", params=["root", "ordinary user"])
def results(request: pytest.FixtureRequest) -> dict[str, Any]:
    """What every attack did, run in a process of that user."""
    if shutil.which("bwrap") is None:
        pytest.skip("bubblewrap is not installed")
    command = [sys.executable, str(Path(__file__).with_name("red_team.py"))]
    root = os.geteuid() == 0
    if request.param == "root" and not root:
        pytest.skip("these tests do not run as root")
    if request.param != "root" and root:
        command = as_nobody(*command)
    # keys of nbgrader and Jupyter would be sought in a home that the user may not have
    environment = {**os.environ, "HOME": "/tmp", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=3000, env=environment, cwd="/tmp"
    )
    _, mark, found = done.stdout.partition("RESULTS")
    assert mark, done.stderr[-3000:]
    return {result["name"]: result for result in json.loads(found)}


def test_there_are_at_least_sixty_attacks() -> None:
    assert len({attack.what for attack in ATTACKS}) >= 60


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: f"{attack.group}-{attack.name}")
def test_attack(results: dict[str, Any], attack: Any) -> None:
    found = results[attack.name]
    assert "crash" not in found, found.get("crash")
    assert found["total"] <= attack.honest, f"{attack.what}: {found['scores']}"
    assert not found["leaks"], f"{attack.what}: {found['output']}"
    assert not found["touched"], f"{attack.what}: a file outside the box was changed"
    assert found["calls"] == 0, f"{attack.what}: the grader's port was reached"
    assert found["left"] <= 0, f"{attack.what}: {found['left']} processes are left"
    assert found["others"], f"{attack.what}: an honest submission got other marks afterwards"
    assert found["bytes"] < 2_000_000, f"{attack.what}: the notebook has {found['bytes']} bytes"
    assert found["wasted"] <= attack.wasted, f"{attack.what}: {found['wasted']} runs more"
    most = (1 + attack.wasted) * LIMITS["seconds"] + 2 * GRACE
    assert found["cpu"] < most, f"{attack.what}: {found['cpu']} s of processor time"
    assert not found["odd"], f"{attack.what}: outputs that cannot be written everywhere"
    said = f"{found['sentence']} {found['causes']}"
    assert attack.says in said, f"{attack.what}: {said}"
    assert not attack.limit or found["limit"] in attack.limit.split(), found["limit"]
    assert found["loss"] is None, f"{attack.what}: it broke the examiner"
    if attack.group == "malformed" and attack.says:
        assert found["status"] == "malformed"
