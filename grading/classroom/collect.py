"""From what a learning platform gives to submitted/STUDENT/ASSIGNMENT, and nothing lost.

A source is a zip file or a folder. How the platforms name what is in their downloads:

Canvas   lovelaceada_1234_5678_02_cell.ipynb, for late work lovelaceada_LATE_1234_5678_…:
         the name, the user's number, the file's number, the file as it was uploaded. A name
         may hold "_". With anonymous marking it begins anon_WORD_… or LATE_anon_WORD_…
Moodle   Ada Lovelace_1234_assignsubmission_file/02_cell.ipynb, or the same without the
         folder: the full name, the participant's number (another one in each assignment);
         where teams hand in, the team's name and the team's number
others   a folder a student, as in nbgrader's own submitted/; or STUDENT.ipynb

Whose it is says the class list: the number comes first, and is believed only where the name
agrees. What cannot be proved is collected under a name that no row of the list has, is listed
for the instructor, and exported for nobody.

A submission's time is written here, into timestamp.txt, and only here: a file of that name
from a student is left out. It is the platform's own time where a class list gives one
(Moodle's grading worksheet). Canvas marks late files: what is not LATE has the due date, and
no time while there is none. Otherwise it is the time of collecting. Collecting the same work
again changes nothing, but that a due date set since then makes nobody late who was in time.
"""

from __future__ import annotations

import io
import os
import re
import stat
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from pathlib import Path, PurePosixPath

from .files import replace
from .roster import Person, Roster, as_student

TIMESTAMP = "timestamp.txt"
ASIDE = "%Y-%m-%d %H%M%S"
FORM = "%Y-%m-%d %H:%M:%S UTC"  # of its one line; sorted as text, as in time
LARGEST_FILE = 50_000_000  # bytes
LARGEST_ARCHIVE = 4_000_000_000  # bytes, unpacked
MOST_FILES = 100_000
MOST_FILES_OF_A_STUDENT = 200
JUNK = {"__MACOSX", ".DS_Store", "Thumbs.db", "desktop.ini", ".ipynb_checkpoints", "__pycache__"}

CANVAS = re.compile(r"(?P<name>.+?)_(?P<late>LATE_)?(?P<number>\d+)_(?P<file_id>\d+)_(?P<file>.+)")
ANONYMOUS = re.compile(
    r"(?P<late>LATE_)?(?P<name>anon)_(?P<number>[^\W_]+)_(?P<file_id>\d+)_(?P<file>.+)"
)
MOODLE = re.compile(
    r"(?P<name>[^_/]+)_(?P<number>\d+)_assignsubmission_(?P<kind>[a-z]+)(?:_(?P<file>.*))?"
)
COPY = re.compile(r"(?: ?\((\d+)\)|-(\d+))(?=\.ipynb$)")  # 02_cell-1.ipynb: a later upload


@dataclass
class Collected:
    """What a source held."""

    students: dict[str, Path] = field(default_factory=dict)  # handed in, and where it lies now
    unchanged: list[str] = field(default_factory=list)  # of these, whose work was there before
    numbers: dict[str, str] = field(default_factory=dict)  # student → Canvas's user number
    # student → what Canvas puts before the name of a file, its number too: "cyd_1003_73"
    before: dict[str, str] = field(default_factory=dict)
    sentences: list[str] = field(default_factory=list)  # what was left out, and why


@dataclass
class _Handed:
    """What one student's files are, before they are written."""

    label: str
    number: str = ""
    platform: str = ""
    late: bool = False
    before: str = ""  # of the last of Canvas's files, what stands before its name
    readings: list[tuple[str, str]] = field(default_factory=list)  # (name, number), all possible
    files: dict[str, tuple[tuple[int, int], bytes]] = field(default_factory=dict)

    @property
    def in_time(self) -> bool:
        """Tell whether the platform says so: Canvas marks what is late."""
        return self.platform == "canvas" and not self.late


def collect(
    source: str | os.PathLike[str],
    assignment: str,
    where: Callable[[str], Path],
    *,
    replaced: Path,
    now: datetime,
    due: datetime | None = None,
    roster: Roster | None = None,
    known: Mapping[str, str] | None = None,
) -> Collected:
    """Sort a download into a folder for each student.

    Parameters
    ----------
    source : path
        A zip file or a folder. It is only read.
    assignment : str
    where : function
        From a student to the folder of this submission.
    replaced : Path
        Where earlier work goes that is replaced by other work of the same student.
    now : datetime
        The collector's time, UTC without a zone, as the gradebook keeps it.
    due : datetime, optional
        The due date, in the same form.
    roster : Roster, optional
    known : mapping of str to str, optional
        Canvas's user number → student, of those that the gradebook knows.

    Returns
    -------
    Collected

    Raises
    ------
    ValueError
        If the source is no zip file and no folder.
    """
    result = Collected()
    people: dict[tuple[str, str], _Handed] = {}
    entries = list(_entries(Path(source), result.sentences))
    for who, name, order, data in _assigned(entries, assignment, result.sentences):
        handed = people.setdefault((who.label, who.number), who)
        handed.late |= who.late
        handed.before = max(handed.before, who.before, key=_file_number)
        for inner, when, content in _unpacked(name, order, data, who.label, result.sentences):
            _add(handed, inner, when, content, assignment, result.sentences)
    for handed, student, person in _named(people, roster, known or {}, result):
        time = _time(handed, person, now, due)
        folder = where(student)
        files = {name: data for name, (_, data) in handed.files.items()}
        if not files:
            result.sentences.append(f"{handed.label}: nothing that could be collected.")
            continue
        if _same(folder, files, time):
            result.unchanged.append(student)
            # a due date that was set since then makes nobody late who was in time
            if handed.in_time and time and (folder / TIMESTAMP).read_text() > f"{time:{FORM}}\n":
                (folder / TIMESTAMP).write_text(f"{time:{FORM}}\n", encoding="ascii")
        else:
            if time:
                files[TIMESTAMP] = f"{time:{FORM}}\n".encode()
            for name in replace(folder, files, aside=_free(replaced / f"{student} {now:{ASIDE}}")):
                result.sentences.append(f"{handed.label}: {name} could not be written, left out.")
        result.students[student] = folder
        if handed.before:
            result.before[student] = handed.before
    # names in a zip file may hold what a terminal takes for a command
    result.sentences = [
        "".join(c if c.isprintable() else "?" for c in sentence) for sentence in result.sentences
    ]
    return result


# Reading: (path in the source, when it was written, content)


def _entries(source: Path, sentences: list[str]) -> Iterator[tuple[str, int, bytes]]:
    if source.is_dir():
        yield from _of_folder(source, sentences)
    elif source.is_file():
        try:
            archive = zipfile.ZipFile(source)
        except (zipfile.BadZipFile, OSError, ValueError) as error:
            raise ValueError(f"{source} is no zip file that can be read: {error}.") from error
        with archive:
            yield from _of_zip(archive, "", sentences)
    else:
        raise ValueError(f"{source} is not there: a zip file or a folder is wanted.")


def _of_folder(folder: Path, sentences: list[str]) -> Iterator[tuple[str, int, bytes]]:
    for place, folders, files in os.walk(folder):  # does not follow links
        folders.sort()
        for name in [*folders, *files]:
            path = Path(place, name)
            if path.is_symlink():
                shown = path.relative_to(folder).as_posix()
                sentences.append(f"{shown}: a link, which was not followed.")
        folders[:] = [name for name in folders if name not in JUNK]
        for name in sorted(files):
            path = Path(place, name)
            about = path.lstat()
            shown = path.relative_to(folder).as_posix()
            if not stat.S_ISREG(about.st_mode) or name in JUNK:
                continue
            if about.st_size > LARGEST_FILE:
                sentences.append(f"{shown}: larger than {LARGEST_FILE:,} bytes, left out.")
                continue
            # opened without following a link, should one take the file's place meanwhile
            with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:
                yield shown, int(about.st_mtime), file.read(LARGEST_FILE)


def _of_zip(
    archive: zipfile.ZipFile, inside: str, sentences: list[str]
) -> Iterator[tuple[str, int, bytes]]:
    total = 0
    infos = archive.infolist()
    if len(infos) > MOST_FILES:
        sentences.append(
            f"{inside or 'The zip file'}: more than {MOST_FILES:,} files; the rest is left out."
        )
    for info in infos[:MOST_FILES]:
        shown = f"{inside}{info.filename}"
        path = PurePosixPath(info.filename.replace("\\", "/"))
        if info.is_dir() or JUNK & set(path.parts):
            continue
        if path.is_absolute() or ".." in path.parts or re.match(r"[A-Za-z]:", str(path)):
            sentences.append(f"{shown!r}: a path that leads out of the folder, left out.")
        elif stat.S_ISLNK(info.external_attr >> 16):
            sentences.append(f"{shown}: a link, left out.")
        elif info.flag_bits & 1:
            sentences.append(f"{shown}: encrypted, left out.")
        elif info.file_size > LARGEST_FILE:
            sentences.append(f"{shown}: larger than {LARGEST_FILE:,} bytes unpacked, left out.")
        else:
            try:
                with archive.open(info) as file:
                    data = file.read(LARGEST_FILE + 1)  # what it says of its size may be false
            except Exception as error:  # BadZipFile, zlib.error, LZMAError, …: not one family
                sentences.append(f"{shown}: damaged ({error}), left out.")
                continue
            total += len(data)
            if len(data) > LARGEST_FILE or total > LARGEST_ARCHIVE:
                sentences.append(f"{shown}: larger than is allowed, left out.")
                if total > LARGEST_ARCHIVE:
                    return
                continue
            when = info.date_time
            yield str(path), int("".join(f"{part:02d}" for part in when)), data


# Whose is it


def _assigned(
    entries: list[tuple[str, int, bytes]], assignment: str, sentences: list[str]
) -> Iterator[tuple[_Handed, str, tuple[int, int], bytes]]:
    """Say of each file who handed it in, its name, and in which order."""
    others = [name for name, _, _ in entries if not _by_platform(name)]
    above = _common([PurePosixPath(name) for name in others], assignment)
    for name, when, data in entries:
        found = _by_platform(name)
        if found:
            match, rest = found
            kind = match.groupdict().get("kind", "file")
            if kind != "file":
                sentences.append(f"{name}: not an uploaded file, left out.")
                continue
            number = int(match.groupdict().get("file_id") or 0)
            platform = "moodle" if match.re is MOODLE else "canvas"
            late = bool(match.groupdict().get("late"))
            who = _Handed(match["name"], match["number"], platform, late)
            if platform == "canvas":
                who.before = match.string[: match.end("file_id")]
            if match.re is CANVAS:
                who.readings = _readings(PurePosixPath(name).name)
            elif match.re is MOODLE:
                who.readings = [(who.label, who.number)]
            yield who, rest, (number, when), data
            continue
        parts = PurePosixPath(name).parts[above:]
        if len(parts) == 1:
            stem = COPY.sub("", parts[0])
            if not stem.endswith(".ipynb") or stem == f"{assignment}.ipynb":
                sentences.append(f"{name}: whose it is cannot be told from its name, left out.")
                continue
            yield _Handed(PurePosixPath(stem).stem), f"{assignment}.ipynb", (0, when), data
        else:
            inside = parts[2:] if parts[1] == assignment and len(parts) > 2 else parts[1:]
            yield _Handed(parts[0]), "/".join(inside), (0, when), data


def _by_platform(name: str) -> tuple[re.Match[str], str] | None:
    """Read what the platform's naming says, and the file's own name."""
    parts = PurePosixPath(name).parts
    for place, part in enumerate(parts):
        match = MOODLE.fullmatch(part)
        if match:
            rest = "/".join(parts[place + 1 :]) or match["file"] or ""
            return (match, rest) if rest else None
    match = ANONYMOUS.fullmatch(parts[-1]) or CANVAS.fullmatch(parts[-1])
    return (match, match["file"]) if match else None


def _file_number(before: str) -> int:
    """Give Canvas's number of a file, which grows with time."""
    return int(before.rpartition("_")[2] or 0)


def _readings(name: str) -> list[tuple[str, str]]:
    """Find every (name, number) that the name of a file from Canvas can mean."""
    places = re.finditer(r"(?=_(?:LATE_)?(\d+)_\d+_.)", name)
    return [(name[: place.start()], place[1]) for place in places]


def _common(paths: list[PurePosixPath], assignment: str) -> int:
    """Count the folders that all files are in, above those of the students."""
    folders = [path.parts[:-1] for path in paths]
    if not folders:
        return 0
    shortest = min(folders, key=len)
    same = 0
    while same < len(shortest) and len({folder[same] for folder in folders}) == 1:
        same += 1
    if len(set(folders)) > 1 or same == 0:
        return same
    # all in one folder: either one student's, or the folder of all students' notebooks
    names = {COPY.sub("", path.name) for path in paths}
    everyones = (
        all(name.endswith(".ipynb") for name in names) and f"{assignment}.ipynb" not in names
    )
    return same if everyones else same - 1


def _unpacked(
    name: str, order: tuple[int, int], data: bytes, label: str, sentences: list[str]
) -> Iterator[tuple[str, tuple[int, int], bytes]]:
    """Yield the file itself, or, of a zip file that a student handed in, what is in it."""
    if not name.lower().endswith(".zip"):
        yield name, order, data
        return
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        sentences.append(f"{label}: {name} is no zip file that can be read ({error}), left out.")
        return
    with archive:
        inner = list(_of_zip(archive, f"{label}: {name}/", sentences))
    above = os.path.commonpath([os.path.dirname(name) for name, _, _ in inner]) if inner else ""
    for path, when, content in inner:
        yield os.path.relpath(path, above) if above else path, (order[0], when), content


def _add(
    handed: _Handed,
    name: str,
    order: tuple[int, int],
    data: bytes,
    assignment: str,
    sentences: list[str],
) -> None:
    """Keep a file; of several of one name the last one wins."""
    copy = COPY.search(name)
    if copy and PurePosixPath(COPY.sub("", name)).stem == assignment:
        order = (order[0] or int(copy[1] or copy[2]), order[1])
        name = COPY.sub("", name)
    if PurePosixPath(name).name == TIMESTAMP:
        # an earlier collection's, or a student's: the collector writes its own
        return
    if name in handed.files:
        sentences.append(
            f"{handed.label}: {name} was handed in several times; the last one counts."
        )
        if order < handed.files[name][0]:
            return
    elif len(handed.files) >= MOST_FILES_OF_A_STUDENT:
        sentence = (
            f"{handed.label}: more than {MOST_FILES_OF_A_STUDENT} files; the rest is left out."
        )
        if sentence not in sentences:
            sentences.append(sentence)
        return
    handed.files[name] = (order, data)


def _named(
    people: Mapping[tuple[str, str], _Handed],
    roster: Roster | None,
    known: Mapping[str, str],
    result: Collected,
) -> Iterator[tuple[_Handed, str, Person | None]]:
    """Give each the student's name in the gradebook."""
    owners = {student: number for number, student in known.items()}
    taken: set[str] = set()
    for handed in people.values():
        canvas = handed.platform == "canvas" and bool(handed.readings)
        student = known.get(handed.number, "") if canvas else ""
        persons = _owners(handed, roster) if roster else []
        for person in persons:
            name = student or person.student
            taken.add(name)
            if canvas:
                result.numbers[name] = person.number
            yield handed, name, person
        if persons:
            continue
        if not student:
            student = as_student(handed.label)
            if handed.number and not handed.readings:  # anonymous: the number is all there is
                student = f"{student} {handed.number}"
        if roster:
            said = f"{handed.label} is not in the class list."
            numbers = {number for _, number in handed.readings}
            if any(
                one.student == student or one.is_(student) or one.number in numbers
                for one in roster.people
            ):
                canvas = False  # the number is not believed, and not remembered
                student = f"{student} {handed.number or 'unknown'}"
                said = (
                    f"{handed.label}: whose this is cannot be proved; in the class list the name "
                    f"or the number {handed.number} is another one's, too. It is collected as "
                    f"{student}, and exported for nobody."
                )
            result.sentences.append(said)
        owner = owners.get(student, handed.number)
        if not student or student in taken or (canvas and owner != handed.number):
            other = f"{student or 'student'} {handed.number or len(taken) + 1}"
            if student:
                result.sentences.append(
                    f"{handed.label}: several students have this name; number {handed.number} is "
                    f"collected as {other}. A class list (--roster) tells them apart for good."
                )
            student = other
        taken.add(student)
        if canvas:
            result.numbers[student] = handed.number
        yield handed, student, None


def _owners(handed: _Handed, roster: Roster) -> list[Person]:
    """Say whose work it is by the class list: nobody's, if that is not certain."""
    found: dict[str, Person | None] = {}
    for label, number in handed.readings:
        if person := roster.by_number(number, label):
            found[number] = person
    if not found and handed.platform == "moodle" and (team := roster.of_group(handed.label)):
        return [one for one in team if one.student]
    # a folder, or Moodle's list without numbers
    if not found and (not handed.number or not any(one.number for one in roster.people)):
        found[""] = roster.by_name(handed.label)
    return [one for one in found.values() if one and one.student] if len(found) == 1 else []


# Writing


def _time(
    handed: _Handed, person: Person | None, now: datetime, due: datetime | None
) -> datetime | None:
    """Say when it was handed in; None where nothing is known but that it was in time."""
    if person is not None and person.handed_in is not None:
        return person.handed_in
    if handed.in_time:
        return due and min(now, due)
    return now


def _same(folder: Path, files: Mapping[str, bytes], time: datetime | None) -> bool:
    """Tell whether exactly this was collected before, and its time with it."""
    if folder.is_symlink() or (time and not (folder / TIMESTAMP).is_file()):
        return False
    there = {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not path.is_symlink()
    }
    there.pop(TIMESTAMP, None)
    return there == dict(files)


def _free(path: Path) -> Path:
    """Find a name that nothing has yet."""
    names = (path if k == 1 else path.with_name(f"{path.name} ({k})") for k in count(1))
    return next(name for name in names if not name.exists())
