"""`make pin`: pin what a group of pyproject.toml newly names, with all that it needs.

pip resolves all groups once more with every version held where requirements.lock has it, so that
none can move; what comes on top is added. If that is impossible, pip says what stands against it.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

LOCK = Path(__file__).resolve().parent.parent / "requirements.lock"


def plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def added(lock: str, report: dict) -> list[str]:
    """The lines that a lock needs for what pip would install."""
    pinned = {plain(name) for name in re.findall(r"^(\S+)==", lock, re.M)}
    found = [(one["metadata"]["name"], one["metadata"]["version"]) for one in report["install"]]
    left_to_pip = pinned | {"pip", "setuptools", "wheel"}
    new = {name: version for name, version in found if plain(name) not in left_to_pip}
    # torch's builds differ in what follows the plus
    return [f"{name}=={version.partition('+')[0]}" for name, version in new.items()]


def main() -> None:
    pip = [sys.executable, "-m", "pip", "install", "-qq", "--dry-run", "--ignore-installed"]
    options = ["--report", "-", "--constraint", LOCK, "--group", "test"]
    done = subprocess.run([*pip, *options], cwd=LOCK.parent, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit("Nothing was pinned.")
    head, *lines = LOCK.read_text(encoding="utf-8").splitlines()
    new = added("\n".join(lines), json.loads(done.stdout))
    lines = sorted([*lines, *new], key=lambda line: line.partition("==")[0].lower())
    LOCK.write_text("\n".join([head, *lines]) + "\n", encoding="utf-8")
    print("\n".join(new) or "There was nothing to pin.")


if __name__ == "__main__":
    main()
