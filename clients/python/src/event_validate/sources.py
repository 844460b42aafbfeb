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
        return Source(text, True, _entries(shown, _git("ls-tree", "--full-tree", "-r", "-z", name)))
    parent, file = os.path.dirname(shown), os.path.basename(path)
    files = [File(text, parent, file, _git("cat-file", "blob", name))]
    if _VERSION.search(file) and "/" in relative[2:]:
        folder = _object(text, f"{revision}:{os.path.dirname(relative)}")
        files += [other for other in _entries(parent, _git("ls-tree", "--full-tree", "-z", folder)) if other.name != file]
    return Source(text, False, files, text)


def _object(text: str, expression: str) -> str:
    try:
        return _git("rev-parse", "--verify", "--quiet", "--end-of-options", expression).decode().strip()
    except Failure as failure:
        reason = "" if str(failure) == "git failed" else f": {failure}"
        raise Failure(f"{text}: no such revision, or no such file or folder in it{reason}",
                      "A shallow clone has no other revisions: fetch them first (git fetch --depth=1 origin REV).") from None


def _entries(shown: str, listing: bytes) -> list[File]:
    """The .json files of a listing of git ls-tree."""
    entries = []
    for line in listing.split(b"\0"):
        about, tab, file = line.partition(b"\t")
        entry = os.fsdecode(file)
        if tab and about.split()[1] == b"blob" and entry.endswith(".json") and not any(part.startswith(".") for part in entry.split("/")):
            entries.append((entry, about.split()[2]))
    contents = _git("cat-file", "--batch", given=b"".join(key + b"\n" for _, key in entries)) if entries else b""
    files, position = [], 0
    for entry, _ in entries:
        end = contents.index(b"\n", position)
        size = int(contents[position:end].split()[2])
        full = f"{shown}/{entry}"
        files.append(File(full, os.path.dirname(full), os.path.basename(entry), contents[end + 1:end + 1 + size]))
        position = end + 1 + size + 1
    return files
