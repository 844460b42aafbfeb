"""Schemas in files: TYPE@VERSION.json, TYPE@options.json, and documents by URI."""

from __future__ import annotations

import dataclasses

from event_validate import jsontext
from event_validate.errors import Failure, Finding
from event_validate.jsontext import JSON
from event_validate.names import document_function_name, event_name, function_name, is_uri, unescape
from event_validate.options import TypeOptions, VersionOptions, read_options
from event_validate.references import event_of, references
from event_validate.sources import File, Source, read_source

FILE = "urn:file:"  # before the name of a file that is compared, and whose name says neither type nor URI


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Schema:
    """A version of an event type, or (version None) a document with a URI."""

    name: str
    version: int | None
    path: str
    text: str
    value: JSON
    options: VersionOptions

    @property
    def key(self) -> str:
        """TYPE@VERSION or the URI, as the server's messages have it."""
        return self.name if self.version is None else f"{self.name}@{self.version}"

    @property
    def bundle_key(self) -> str:
        """The unambiguous key in a bundle of register_schemas."""
        return f"{self.name}#" if self.version is None else f"event:{self.key}"

    @property
    def base(self) -> str:
        """The base URI."""
        return self.name if self.version is None else f"event:{self.key}"

    @property
    def function(self) -> str:
        """The function's name in event_schema."""
        return document_function_name(self.name) if self.version is None else function_name(self.name, str(self.version))

    @property
    def body(self) -> str:
        """The text with its pragma lines."""
        return self.options.pragmas() + self.text

    @property
    def sort_key(self) -> tuple[bool, str, int]:
        return self.version is None, self.name, self.version or 0

    def finding(self, severity: str, message: str, location: str | None = None, line: int | None = None, column: int | None = None,
                rule: str | None = None, hint: str | None = None) -> Finding:
        """A finding about this file, at a JSON Pointer or at a line of the file."""
        if line is None and location is not None:
            line, column = jsontext.place(self.text, location) or (None, None)
        return Finding(severity, message, self.path, line or 1, column, location, rule, hint)


@dataclasses.dataclass(slots=True)
class Tree:
    """All schemas of a source, by key, and what is wrong with its files."""

    shown: str
    is_folder: bool
    schemas: dict[str, Schema] = dataclasses.field(default_factory=dict)
    options: dict[str, TypeOptions] = dataclasses.field(default_factory=dict)  # by type
    findings: list[Finding] = dataclasses.field(default_factory=list)
    only: str = ""  # the path of the file, if the source is a file; the others are those beside it
    _by_type: dict[str, list[Schema]] | None = None

    @property
    def file(self) -> Schema:
        """The schema of a source that is a file."""
        found = next((schema for schema in self.schemas.values() if schema.path == self.only), None)
        if found is None:
            raise Failure(f"{self.only} is no schema")
        return found

    @property
    def errors(self) -> bool:
        return any(finding.severity == "error" for finding in self.findings)

    def types(self) -> list[str]:
        return sorted({schema.name for schema in self.schemas.values() if schema.version is not None})

    def versions(self, event_type: str) -> list[Schema]:
        """The versions of a type, in ascending order."""
        if self._by_type is None:
            self._by_type = {}
            for schema in sorted(self.schemas.values(), key=lambda schema: schema.sort_key):
                if schema.version is not None:
                    self._by_type.setdefault(schema.name, []).append(schema)
        return self._by_type.get(event_type, [])

    def by_uri(self) -> dict[str, str]:
        """The keys of schemas by other URIs than event:TYPE@VERSION: their $id, the names of documents."""
        found = {}
        for schema in self.schemas.values():
            if isinstance(schema.value, dict) and isinstance(schema.value.get("$id"), str):
                found[schema.value["$id"].rstrip("#")] = schema.key
        found.update({schema.name: schema.key for schema in self.schemas.values() if schema.version is None})
        return found

    def graph(self) -> dict[str, set[str]]:
        """For each schema the others to which it refers, in the order of names."""
        by_uri = self.by_uri()
        found: dict[str, set[str]] = {}
        for schema in sorted(self.schemas.values(), key=lambda schema: schema.sort_key):
            targets = {event_of(uri) or by_uri.get(uri, "") for uri in references(schema.value, schema.base)}
            found[schema.key] = (targets & self.schemas.keys()) - {schema.key}
        return found


def read_tree(text: str) -> Tree:
    """Reads a source; what is wrong with a file is among the findings.  Raises Failure if the source cannot be read."""
    return _Reader(read_source(text)).tree


class _Reader:
    def __init__(self, source: Source) -> None:
        self.tree = Tree(source.shown, source.is_folder, only=source.only)
        self.aliases: dict[tuple[str, str], TypeOptions] = {}
        options = [file for file in source.files if file.name.endswith("@options.json")]
        for file in options:
            self.read_options(file)
        for file in source.files:
            if file not in options:
                self.read_schema(file)
        for name, found in self.tree.options.items():
            for version in found.versions:
                if f"{name}@{version}" not in self.tree.schemas and source.is_folder:
                    self.fault(found.path, f'there is no file of "{name}@{version}"', severity="warning")

    def fault(self, path: str, message: str, line: int = 1, column: int | None = None, hint: str | None = None, severity: str = "error") -> None:
        if self.tree.only and path != self.tree.only:
            return  # files beside it
        self.tree.findings.append(Finding(severity, message, path, line, column, hint=hint))

    def load(self, file: File) -> tuple[str, JSON] | None:
        try:
            text = file.content.decode()
        except UnicodeDecodeError as error:
            self.fault(file.shown, "the file is not UTF-8", file.content.count(b"\n", 0, error.start) + 1)
            return None
        try:
            return text, jsontext.loads(text)
        except jsontext.Malformed as error:
            self.fault(file.shown, f"the file is not JSON: {error.message}", error.line, error.column)
            return None

    def unescaped(self, file: File, text: str) -> str | None:
        try:
            return unescape(text)
        except ValueError as error:
            self.fault(file.shown, f"the name of the file: {error}")
            return None

    def read_options(self, file: File) -> None:
        stem = file.name.removesuffix("@options.json")
        loaded, name = self.load(file), self.unescaped(file, stem)
        if loaded is None or name is None:
            return
        text, value = loaded

        def report(location: str, message: str) -> None:
            line, column = jsontext.place(text, location) or (1, None)
            self.fault(file.shown, f"{location or 'the document'}: {message}", line, column)

        options = read_options(file.shown, value, report)
        self.aliases[file.folder, stem] = options
        name = options.event_type or options.uri or name
        if name in self.tree.options:
            self.fault(file.shown, f'"{name}" has a second file of options, {self.tree.options[name].path}')
            return
        self.tree.options[name] = options

    def read_schema(self, file: File) -> None:
        stem = file.name.removesuffix(".json")
        event = event_name(stem)
        if event is None and "@" in stem:
            self.fault(file.shown, f'the name of the file: the text after "@" must be a version, such as 1, or "options", but is "{stem.rpartition("@")[2]}"',
                       hint="A file of a version is called TYPE@VERSION.json; a \"@\" within a type or URI is %40.")
            return
        own = self.unescaped(file, event[0] if event else stem)
        loaded = self.load(file)
        if own is None or loaded is None:
            return
        alias = self.aliases.get((file.folder, event[0] if event else stem))
        name = (alias.event_type if event else alias.uri) if alias else None
        name = name or (own if event else self.uri_of(file, own, loaded[1]))
        if name is None:
            return
        version = event[1] if event else None
        options = self.tree.options.get(name, TypeOptions()).of(version)
        schema = Schema(name, version, file.shown, loaded[0], loaded[1], options)
        other = self.tree.schemas.setdefault(schema.key, schema)
        if other is not schema:
            self.fault(file.shown, f'"{schema.key}" is in {other.path} too')

    def uri_of(self, file: File, own: str, value: JSON) -> str | None:
        """The URI of a document: its file's name, or else its $id."""
        if is_uri(own):
            return own
        identifier = value.get("$id") if isinstance(value, dict) else None
        if isinstance(identifier, str) and is_uri(identifier.rstrip("#")):
            return identifier.rstrip("#")
        if not self.tree.is_folder:
            return FILE + own
        self.fault(file.shown, "the name of the file is not TYPE@VERSION.json, and the document has no absolute URI as its $id",
                   hint="The file of a document for $ref has its URI as its name (https%3A%2F%2Fexample.com%2Fmoney.json), or an $id.")
        return None
