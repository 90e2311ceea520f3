"""The box: what bubblewrap shows to the processes in it, and what it keeps from them.

Inside are the Python installation and its packages, read-only; the files of `inside`; the
assignment's packages, with stubs in the place of what is asked for. Not inside: the home,
the course, the gradebook, the network, other processes, the environment. What is writable
is made anew for every submission, by `isolation`.
"""

from __future__ import annotations

import ast
import functools
import importlib.util
import os
import platform
import shutil
import site
import subprocess
import sys
import sysconfig
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from .inside import isolation

NOBODY = 65534  # an ordinary user, inside; outside too where the grader is root
SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
FILES = ("/etc/ld.so.cache", "/etc/fonts", "/etc/localtime")
DEVICES = ("null", "zero", "full", "random", "urandom")
# one thread for linear algebra: results repeat, and a thread counts as a process
ENVIRONMENT = {
    "LANG": "C.UTF-8",
    "PYTHONHASHSEED": "0",
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
}
IGNORED = shutil.ignore_patterns("__pycache__", ".*")
FOLDER = "/grading"  # inside the box: what `prepare` made outside


class BoxUnavailable(RuntimeError):
    """Nobody's code can be boxed here; the message is one sentence that says why."""


def prepare(
    folder: Path,
    packages: Sequence[str],
    unavailable: Sequence[str],
    files: Mapping[str, bytes],
) -> None:
    """Lay out what the two boxes show of the grader's side.

    `folder` gets `lib` (the files of `inside`), `examiner` and `student`
    (the assignment's packages, whole and with stubs) and `files`.

    Raises
    ------
    ModuleNotFoundError
        If a package or an unavailable module is not there.
    """
    own = Path(__file__).parent / "inside"
    shutil.copytree(own, folder / "lib" / "grading", ignore=IGNORED)
    for side in ("examiner", "student"):
        (folder / side).mkdir()
        for package in packages:
            _copy(package, folder / side)
    for module in unavailable:
        _replace(module, folder / "student")
    (folder / "nothing").mkdir()  # what hides a package that is installed whole
    (folder / "nothing.py").touch()
    (folder / "files").mkdir()
    for name, content in files.items():
        target = folder / "files" / name
        if not target.resolve().is_relative_to((folder / "files").resolve()):
            raise ValueError(f"the assignment's file {name!r} lies outside its folder")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)


def _copy(package: str, target: Path) -> None:
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(
            f"the package {package!r}, which the assignment needs, is not here"
        )
    source = Path(spec.origin)
    if source.name == "__init__.py":
        shutil.copytree(source.parent, target / package, ignore=IGNORED)
    else:
        shutil.copy(source, target)


def _replace(module: str, target: Path) -> None:
    """Put a stub in the place of a module, of a package's all modules."""
    path = target.joinpath(*module.split("."))
    found = [path.with_suffix(".py")] if path.with_suffix(".py").is_file() else []
    found += sorted(path.rglob("*.py")) if path.is_dir() else []
    if not found:
        raise ModuleNotFoundError(f"{module!r}, to be unavailable, is in none of the packages")
    for file in found:
        dotted = file.relative_to(target).with_suffix("").parts
        name = ".".join(dotted[:-1] if dotted[-1] == "__init__" else dotted)
        file.write_text(stub(file.read_text(encoding="utf-8"), name), encoding="utf-8")


def stub(source: str, module: str) -> str:
    """Make a module with the same names, of which nothing works.

    Functions and classes raise NotImplementedError when they are called; classes keep
    their names for those who inherit from them; constants that are literals stay, and
    imports within the package, so that what others import from here is found.

    Examples
    --------
    >>> print(stub("K = 3\\ndef step(x):\\n    return x + K", "cells"))
    K = 3
    def step(*arguments, **named):
        raise NotImplementedError('cells.step is what this exercise asks for')
    """
    lines = []
    for node in ast.parse(source).body:
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                lines += [f"def {name}(*arguments, **named):", f"    {_refuse(module, name)}"]
            case ast.ClassDef(name=name):
                lines += [
                    f"class {name}:",
                    "    def __init__(self, *arguments, **named):",
                    f"        {_refuse(module, name)}",
                    "    def __init_subclass__(cls, **named):",
                    "        pass",
                    "    def __class_getitem__(cls, key):",
                    "        return cls",
                ]
            case ast.Import() | ast.ImportFrom():
                lines.append(ast.unparse(node))
            case (
                ast.Assign(targets=[ast.Name(id=name)], value=value)
                | ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value)
            ):
                try:
                    lines.append(f"{name} = {ast.literal_eval(value)!r}")
                except (ValueError, TypeError):
                    lines += [f"def {name}(*arguments, **named):", f"    {_refuse(module, name)}"]
    return "\n".join(lines)


def _refuse(module: str, name: str) -> str:
    message = f"{module}.{name} is what this exercise asks for"
    return f"raise NotImplementedError({message!r})"


def writable() -> str:
    """Name the folder that is a submission's own: /tmp, unless Python itself was put there."""
    needed = [sys.base_prefix, sys.base_exec_prefix, *site_packages()]
    return "/own" if any(_below(path, "/tmp") for path in needed) else "/tmp"


def site_packages() -> list[str]:
    """Find the folders with installed packages that Python sees here."""
    found = [sysconfig.get_path("purelib"), sysconfig.get_path("platlib"), *site.getsitepackages()]
    return [path for path in dict.fromkeys(found) if os.path.isdir(path)]


def _shown(folder: Path, side: str, packages: Sequence[str]) -> list[tuple[str, str]]:
    """List (outside, inside) of all that a box shows, read-only."""
    shown = [(path, path) for path in (*FILES, sys.base_prefix, sys.base_exec_prefix)]
    shown += [(path, path) for path in site_packages()]
    # a package that is installed whole must not be found beside its stubs
    for path in site_packages():
        for package in packages:
            for cover, installed in (("nothing", package), ("nothing.py", f"{package}.py")):
                if os.path.exists(f"{path}/{installed}"):
                    shown.append((str(folder / cover), f"{path}/{installed}"))
    shown = [pair for pair in shown if os.path.exists(pair[0])]
    shown = [pair for pair in shown if not _below(pair[1], "/usr") or pair[0] != pair[1]]
    shown += [(str(folder / part), f"{FOLDER}/{part}") for part in ("lib", side, "files")]
    return list(dict.fromkeys(shown))


def _below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder + "/")


def _layout(shown: Iterable[tuple[str, str]]) -> list[str]:
    """Give bubblewrap's arguments for a root folder that holds this and nothing else."""
    arguments: list[str] = []
    for path in SYSTEM:
        if os.path.islink(path):
            arguments += ["--symlink", os.readlink(path), path]
        elif os.path.isdir(path):
            arguments += ["--ro-bind", path, path]
    folders = {"/dev", "/dev/shm", writable(), "/proc"}
    for _, target in shown:
        folders |= {str(parent) for parent in Path(target).parents} - {"/"}
    covered = [target for source, target in shown if os.path.isdir(source)] + ["/usr"]
    for path in sorted(folders):  # bubblewrap would make them for its own eyes only
        if not any(_below(path, other) for other in covered):
            arguments += ["--dir", path]
    for source, target in shown:
        arguments += ["--ro-bind", source, target]
    for device in DEVICES:
        arguments += ["--dev-bind", f"/dev/{device}", f"/dev/{device}"]
    return arguments


def command(
    folder: Path, side: str, packages: Sequence[str], run: Sequence[str], *, boxed: bool
) -> list[str]:
    """Make the command that runs `run` (arguments of Python) in the box of one side.

    An ordinary user's box is one bubblewrap. Root's would be exempt from the limit on
    processes, so root makes a first box with the same view, becomes an ordinary user in
    it, and makes the second from there.
    """
    python = [os.path.realpath(sys.executable), "-I", "-S", *run]
    if not boxed:
        return python
    shown = _shown(folder, side, packages)
    user = str(NOBODY)
    root = os.geteuid() == 0
    view = [(target, target) for _, target in shown] if root else shown
    inner = [
        "bwrap",
        *("--unshare-all", "--die-with-parent", "--new-session", "--as-pid-1", "--clearenv"),
        *("--setenv", "PATH", "/usr/bin:/bin"),
        *("--setenv", "HOME", writable(), "--setenv", "TMPDIR", writable()),
        *(word for pair in ENVIRONMENT.items() for word in ("--setenv", *pair)),
        *_layout(view),
        *("--proc", "/proc", "--size", str(2**26), "--tmpfs", writable(), "--remount-ro", "/"),
        *("--chdir", "/"),
        # for the warm process alone, which makes the folders of each submission; children lose it
        *("--cap-drop", "ALL", "--cap-add", "CAP_SYS_ADMIN"),
        *("--uid", user, "--gid", user, "--hostname", "box", "--", *python),
    ]
    if not root:
        return inner
    return [
        *("bwrap", "--die-with-parent", *_layout(shown), "--bind", "/proc", "/proc"),
        *("--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID", "--"),
        *("setpriv", "--reuid", user, "--regid", user, "--clear-groups", *inner),
    ]


@functools.cache
def check() -> None:
    """Raise `BoxUnavailable`, with the reason, where no box can be made."""
    refusal = "so untrusted code is not run; install it, or give the box up with the unsafe setting"
    if sys.platform != "linux":
        raise BoxUnavailable(
            f"The box is made of Linux namespaces, and this is not Linux, {refusal}."
        )
    if platform.machine() not in isolation.MACHINES:
        raise BoxUnavailable(
            f"The box knows no system calls of the processor {platform.machine()}, {refusal}."
        )
    for program, package in (("bwrap", "bubblewrap"), ("setpriv", "util-linux")):
        if shutil.which(program) is None and (program == "bwrap" or os.geteuid() == 0):
            raise BoxUnavailable(
                f"The program {program} (package {package}) is not installed, {refusal}."
            )
    trial = ["bwrap", "--unshare-all", *_layout([]), "--proc", "/proc", "--", "/bin/true"]
    result = subprocess.run(trial, capture_output=True, text=True, env={"PATH": os.environ["PATH"]})
    if result.returncode:
        reason = " ".join(result.stderr.split()) or f"it ended with {result.returncode}"
        raise BoxUnavailable(
            f"bubblewrap cannot make a box here ({reason}); "
            "the kernel must allow user namespaces to ordinary users, or untrusted code is not run."
        )
