"""What the tests of assignments share: nbgrader's commands."""

from __future__ import annotations

import subprocess
from pathlib import Path


def nbgrader(folder: Path, *command: str) -> str:
    """Run one of nbgrader's commands in a course folder; its log is the result."""
    result = subprocess.run(
        ["nbgrader", *command], cwd=folder, capture_output=True, text=True, timeout=1800
    )
    log = result.stdout + result.stderr
    assert result.returncode == 0, f"nbgrader {' '.join(command)}\n{log}"
    return log
