"""Writing schemas into a folder: pull, and import from registries."""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from event_validate import jsontext
from event_validate.errors import Failure
from event_validate.names import LONGEST_FILE_NAME, escape, short_stem, stem
from event_validate.options import TypeOptions, VersionOptions
from event_validate.tree import Schema, Tree, read_tree


@dataclasses.dataclass(slots=True)
class Written:
    """What was done with the files of a folder."""

    written: list[str] = dataclasses.field(default_factory=list)
    unchanged: list[str] = dataclasses.field(default_factory=list)
    different: list[str] = dataclasses.field(default_factory=list)  # left as they are


def write_file(path: Path, text: str) -> None:
    """Replaces a file at once; raises Failure."""
    temporary = path.with_name(f".{path.name[:200]}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(text, encoding="utf-8", newline="\n")
        temporary.replace(path)
    except (OSError, UnicodeEncodeError) as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise Failure(f"{path}: {error.strerror if isinstance(error, OSError) else error.reason}") from error


class Folder:
    """A folder, and the files in it."""

    def __init__(self, path: str) -> None:
        self.path = Path(path)
        if self.path.exists() and not self.path.is_dir():
            raise Failure(f"{path} is not a folder")
        self.tree: Tree = read_tree(path) if self.path.is_dir() else Tree(path, True)
        if self.tree.errors:
            raise Failure("the folder has files with faults:\n" + "\n".join(str(f) for f in self.tree.findings if f.severity == "error"))
        # the beginnings of the names of files, by which each is that of one type or URI
        self.taken = {Path(schema.path).name.rpartition("." if schema.version is None else "@")[0].casefold(): schema.name for schema in self.tree.schemas.values()}

    def stem(self, name: str) -> tuple[str, bool]:
        """The beginning of a file's name, which differs from other types' also where upper and lower case are one."""
        for candidate in (stem(name)[0], escape(name, letters="lower"), escape(name, letters="none"), short_stem(name)):
            if len(candidate) <= LONGEST_FILE_NAME and self.taken.setdefault(candidate.casefold(), name) == name:
                return candidate, candidate == short_stem(name)
        raise Failure(f'there is no name of a file for "{name}" that differs from others')

    def write(self, schemas: Iterable[Schema], options: Mapping[str, TypeOptions], overwrite: bool) -> Written:
        """Writes files that are missing; those that differ only with overwrite."""
        done = Written()
        found = sorted(schemas, key=lambda schema: schema.sort_key)
        stems: dict[str, tuple[str, bool]] = {}
        for schema in found:
            if schema.name not in stems:
                stems[schema.name] = self.stem(schema.name)
            there = self.tree.schemas.get(schema.key)
            if there is not None and jsontext.same(there.value, schema.value):
                done.unchanged.append(there.path)
                continue
            beginning = stems[schema.name][0]
            path = Path(there.path) if there else self.path / (f"{beginning}.json" if schema.version is None else f"{beginning}@{schema.version}.json")
            if there is not None and not overwrite:
                done.different.append(there.path)
                continue
            write_file(path, schema.text if schema.text.endswith("\n") else schema.text + "\n")
            done.written.append(str(path))
        for name, (beginning, shortened) in stems.items():
            is_document = any(schema.name == name and schema.version is None for schema in found)
            self.write_options(name, beginning, shortened, is_document, _type_options(name, found, options.get(name)), overwrite, done)
        return done

    def write_options(self, name: str, beginning: str, shortened: bool, is_document: bool, options: TypeOptions, overwrite: bool, done: Written) -> None:
        there = self.tree.options.get(name)
        if shortened:
            options = dataclasses.replace(options, event_type=None if is_document else name, uri=name if is_document else None)
        if there is not None:
            options = dataclasses.replace(options, event_type=there.event_type, uri=there.uri, policy=options.policy or there.policy,
                                          lenient=options.lenient if options.policy else there.lenient, unknown=options.unknown if options.policy else there.unknown,
                                          versions={**there.versions, **options.versions})
        said = options.as_json()
        if there is not None and jsontext.same(there.as_json(), said):
            done.unchanged.append(there.path)
        elif there is not None and not overwrite:
            done.different.append(there.path)
        elif said:
            path = Path(there.path) if there is not None else self.path / f"{beginning}@options.json"
            write_file(path, jsontext.dumps(said) + "\n")
            done.written.append(str(path))


def _type_options(name: str, schemas: list[Schema], policy: TypeOptions | None) -> TypeOptions:
    """The options of a type: those that most of its versions have are said once."""
    own = [schema for schema in schemas if schema.name == name]
    common = [dataclasses.replace(schema.options, breaking=False, accept=(), renames=()) for schema in own]
    shared = max(common, key=common.count) if common else VersionOptions()
    if own and own[0].version is None:
        return TypeOptions(common=shared)
    versions = {schema.version: schema.options for schema in own if schema.version is not None and schema.options != shared}
    return dataclasses.replace(policy or TypeOptions(), path="", common=shared, versions=versions)
