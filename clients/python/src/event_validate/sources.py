"""The files of a source: a file, a folder, or git:REV:path."""

from __future__ import annotations

import dataclasses
import os
import re
import subprocess
from pathlib import Path

from event_validate.errors import Failure

_VERSION = re.compile(r"@[0-9]+\.json$")


@dataclasses.dataclass(frozen=True, slots=True)
class File:
    """A file with the name under which it is reported."""

    shown: str
    folder: str
    name: str
    content: bytes


@dataclasses.dataclass(frozen=True, slots=True)
class Source:
    shown: str
    is_folder: bool
    files: list[File]  # those whose names end in .json
    only: str = ""  # the shown name of a file; the others are those beside it, to which it may refer


def read_source(text: str) -> Source:
    """Reads all .json files of a source; raises Failure."""
    if text.startswith("git:"):
        return _from_git(text)
    path = Path(text)
    try:
        if path.is_dir():
            return Source(text, True, _from_folder(path))
        return Source(text, False, [File(text, str(path.parent), path.name, path.read_bytes()), *_beside(path)], text)
    except OSError as error:
        raise Failure(f"{text}: {error.strerror}") from error


def _beside(path: Path) -> list[File]:
    """The other files of a folder, if the file is one of TYPE@VERSION.json."""
    if not _VERSION.search(path.name):
        return []
    return [File(str(other), str(path.parent), other.name, other.read_bytes()) for other in sorted(path.parent.glob("*.json"))
            if other.name != path.name and not other.name.startswith(".") and other.is_file()]


def _from_folder(top: Path) -> list[File]:
    def fail(error: OSError) -> None:
        raise error

    found = []
    for folder, folders, names in os.walk(top, onerror=fail):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if name.endswith(".json") and not name.startswith("."):
                path = Path(folder, name)
                found.append(File(str(path), folder, name, path.read_bytes()))
    return found


def _git(*arguments: str, given: bytes | None = None) -> bytes:
    try:
        done = subprocess.run(["git", *arguments], input=given, capture_output=True, check=False)
    except OSError as error:
        raise Failure(f"git cannot be run: {error.strerror}") from error
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip().split("\n")
        raise Failure(said[0] or "git failed")
    return done.stdout


def _from_git(text: str) -> Source:
    """git:REV:path; the path is relative to the current folder."""
    _, _, rest = text.partition(":")
    revision, colon, path = rest.partition(":")
    if not colon or not revision:
        raise Failure(f'"{text}" is not of the form git:REV:path', "For example git:origin/main:events.")
    relative = os.path.normpath(path or ".")
    relative = "./" if relative == "." else relative if relative.startswith("../") else f"./{relative}"
    name = _object(text, f"{revision}:{relative}")
    shown = text.rstrip("/")
    if _git("cat-file", "-t", name).strip() != b"blob":
        return Source(text, True, _entries(shown, f"{revision}:{relative}", _git("ls-tree", "--full-tree", "-r", "-z", name)))
    parent, file = os.path.dirname(shown), os.path.basename(path)
    files = [File(text, parent, file, _contents([(text, name.encode() if "\n" in relative else os.fsencode(f"{revision}:{relative}"))])[0])]
    if _VERSION.search(file) and "/" in relative[2:]:
        beside = f"{revision}:{os.path.dirname(relative)}"
        folder = _object(text, beside)
        files += [other for other in _entries(parent, beside, _git("ls-tree", "--full-tree", "-z", folder)) if other.name != file]
    return Source(text, False, files, text)


def _object(text: str, expression: str) -> str:
    try:
        return _git("rev-parse", "--verify", "--quiet", "--end-of-options", expression).decode().strip()
    except Failure as failure:
        reason = "" if str(failure) == "git failed" else f": {failure}"
        raise Failure(f"{text}: no such revision, or no such file or folder in it{reason}",
                      "A shallow clone has no other revisions: fetch them first (git fetch --depth=1 origin REV).") from None


def _entries(shown: str, expression: str, listing: bytes) -> list[File]:
    """The .json files of a listing of git ls-tree; git calls their folder expression."""
    entries = []
    for line in listing.split(b"\0"):
        about, tab, file = line.partition(b"\t")
        entry = os.fsdecode(file)
        if tab and about.split()[1] == b"blob" and entry.endswith(".json") and not any(part.startswith(".") for part in entry.split("/")):
            link = os.fsencode(f"{expression.rstrip('/')}/{entry}")
            entries.append((entry, link if about.startswith(b"120000") and b"\n" not in link else about.split()[2]))
    contents = _contents([(f"{shown}/{entry}", key) for entry, key in entries])
    return [File(f"{shown}/{entry}", os.path.dirname(f"{shown}/{entry}"), os.path.basename(entry), content)
            for (entry, _), content in zip(entries, contents, strict=True)]


def _contents(wanted: list[tuple[str, bytes]]) -> list[bytes]:
    """The contents of files, each with its shown name and what git calls it; symbolic links are followed."""
    if not wanted:
        return []
    answers = _git("cat-file", "--batch", "--follow-symlinks", given=b"".join(key + b"\n" for _, key in wanted))
    found, position = [], 0
    for shown, _ in wanted:
        end = answers.index(b"\n", position)
        header = answers[position:end].split()
        if len(header) != 3 or header[1] != b"blob":
            raise Failure(f"{shown}: the symbolic link leads to no file of this revision")
        size = int(header[2])
        found.append(answers[end + 1:end + 1 + size])
        position = end + 1 + size + 1
    return found
