"""`make check`: run the tests of what changed since the last commit, and no others.

The tests mirror the house, so that a changed file's folder names its tests. With
nothing changed, the last commit itself is what is looked at. All groups run; those that
failed are named at the end.
"""

import re
import shlex
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def git(*words: str) -> list[str]:
    return subprocess.run(
        ["git", *words], cwd=ROOT, text=True, check=True, capture_output=True
    ).stdout.splitlines()


def changed_files() -> list[str]:
    """Files that differ from the last commit, new ones too; if none, those of the last commit."""
    files = git("diff", "--name-only", "HEAD") + git("ls-files", "--others", "--exclude-standard")
    return files or git("show", "--pretty=", "--name-only", "HEAD")


def commands(files: list[str]) -> list[list[str]]:
    """What to run for these files, cheapest first."""
    tests: set[str] = set()
    assignments: set[str] = set()
    pages: set[str] = set()
    figures: set[str] = set()
    for file in map(Path, files):
        match file.parts:
            case ("rnnlib", *_):
                tests |= {"tests/rnnlib", "rnnlib"}
            case ("chapters", name) if name.endswith(".ipynb") and (ROOT / file).exists():
                pages.add(file.stem)
                for what in (file.stem, "contract", "notebooks", "prose_numbers"):
                    tests.add(f"tests/chapters/test_{what}.py")
            case ("chapters", "experiments", name):
                tests.add(f"tests/chapters/test_{Path(name).stem}.py")
                tests.add("tests/chapters/test_shared.py")
            case ("solutions", slug, *_) | ("tests", "solutions", slug, *_) if slug[:2].isdigit():
                assignments.add(Path(slug).stem)
            case ("chapters", name) if name.endswith(".md"):
                pages.add(file.stem)
            case ("theme", "figures", name):
                own = f"tests/theme/test_figure_{Path(name).stem.replace('-', '_')}.py"
                if (ROOT / own).exists():
                    tests.add(own)
                    figures.add(Path(name).stem)
                else:  # it serves all figures
                    paths = [
                        *ROOT.glob("tests/theme/test_figure*"),
                        ROOT / "tests/theme/test_network.py",
                    ]
                    tests |= {str(path.relative_to(ROOT)) for path in paths}
            case ("theme", "lab", _):
                pages |= {"02_cell"}
                tests |= {"tests/theme/test_lab.py", "tests/theme/test_exercise.py"}
            case ("theme", *_) | ("chapters", _) | ("_config.yml",) | ("_toc.yml",):
                pages |= {"index", "02_cell"}  # what every page shares, seen on two
                tests.add(f"tests/theme/test_{file.stem}.py")  # if there is one
            case ("tests", folder, name) if name.startswith("test_") and (ROOT / file).exists():
                tests.add(str(file))
            case ("tests", folder, _):
                tests.add(f"tests/{folder}")
            case ("tests", name) if name.startswith("test_"):
                tests.add(str(file))
            case ("grading", *_, _) if (ROOT / file).exists():
                own = f"tests/grading/test_{file.stem}.py"
                box = "tests/grading/test_room.py"  # what has no test of its own runs there
                tests |= {own if (ROOT / own).exists() else box}
                tests |= {str(file)} if file.suffix == ".py" else set()  # its examples
            case ("tools", "templates", _):
                tests.add("tests/test_chapter.py")
            case ("tools", name):
                uses = re.compile(rf"^(import|from) {file.stem}\b|{name}", re.M)
                found = (
                    path
                    for path in ROOT.glob("tests/**/test_*.py")
                    if uses.search(path.read_text())
                )
                tests |= {str(path.relative_to(ROOT)) for path in found}
            case ("nbgrader_config.py",):
                tests.add("tests/solutions")
    tests = {test for test in tests if (ROOT / test).exists()}
    # a whole folder covers its files
    tests -= {test for test in tests if str(Path(test).parent) in tests}
    runs = [["make", "--no-print-directory", "lint"]]
    if pages or any(test.startswith("tests/theme") for test in tests):
        runs.append(["make", "--no-print-directory", "site"])
    if pages:
        wanted = " or ".join(["test_site", *sorted(pages)])
        runs.append(["pytest", "-q", "-n", "2", "tests/theme", "-k", wanted])
    if figures and "tests/theme/test_figures.py" not in tests:
        owed = ["tests/theme/test_figures.py", "-k", " or ".join(sorted(figures))]
        runs.append(["pytest", "-q", "-n", "2", *owed])
    if tests:
        runs.append(["pytest", "-q", "-n", "2", "--dist", "loadfile", *sorted(tests)])
    if assignments and "tests/solutions" not in tests:
        wanted = " or ".join(sorted(assignments))
        runs.append(["pytest", "-q", "-n", "2", "tests/solutions", "-k", wanted])
    return runs


def main() -> None:
    files = changed_files()
    print("Changed:", ", ".join(files[:8]) + (f" and {len(files) - 8} more" if files[8:] else ""))
    start = time.monotonic()
    failed = []
    for command in commands(files):
        print("$", shlex.join(command), flush=True)
        code = subprocess.run(command, cwd=ROOT).returncode
        if code not in (0, 5):  # 5: pytest found nothing to run, which is no failure here
            failed.append(shlex.join(command))
    print(f"Checked in {time.monotonic() - start:.0f} s.")
    if failed:
        sys.exit("\n  ".join(["Failed:", *failed]))


if __name__ == "__main__":
    main()
