"""import and export: from a registry into a folder, and back."""

from __future__ import annotations

import dataclasses
import fnmatch
import re
from collections.abc import Sequence
from urllib.parse import quote

from event_validate.errors import Finding
from event_validate.jsontext import JSON, Malformed, dumps, loads
from event_validate.names import MAX_VERSION, is_uri
from event_validate.options import POLICIES, TypeOptions, VersionOptions
from event_validate.references import event_of, in_order, resolve, rewrite, subschemas
from event_validate.registries.rest import Entry, Reference, Refused, Registry
from event_validate.tree import Schema, Tree

OUR_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_IN_TYPES = "!$&'()*+,;=:@/?~-._"


@dataclasses.dataclass(slots=True)
class Imported:
    schemas: list[Schema]
    options: dict[str, TypeOptions]
    findings: list[Finding]


def chosen(subjects: Sequence[str], patterns: Sequence[str]) -> list[str]:
    """The subjects that match one of the patterns; all without patterns."""
    return [subject for subject in subjects if not patterns or any(fnmatch.fnmatchcase(subject, pattern) for pattern in patterns)]


def import_from(registry: Registry, patterns: Sequence[str], strip: str, dialect: str | None, options: VersionOptions) -> Imported:
    """The JSON Schemas of a registry as schemas of ours, with references to each other and policies."""
    done = Imported([], {}, [])
    entries: list[tuple[Entry, JSON]] = []
    for subject in chosen(registry.subjects(), patterns):
        for version in registry.versions(subject):
            entry = registry.fetch(subject, version)
            where = f"{subject} version {version}"
            if entry is None:
                done.findings.append(Finding("note", "is no JSON Schema and is left out", where))
                continue
            try:
                entries.append((entry, loads(entry.text)))
            except Malformed as error:
                done.findings.append(Finding("error", f"is not JSON: {error.message}", where, error.line, error.column))
    targets = _names(entries, strip, done)
    for entry, value in entries:
        name, version = targets[entry.subject, entry.version]
        text = _converted(entry, value, targets, dialect or registry.default_dialect, done)
        done.schemas.append(Schema(name, version, f"{entry.subject} version {entry.version}", text, loads(text), options))
    for subject in dict.fromkeys(entry.subject for entry, _ in entries):
        policy = registry.policy(subject)
        name, version = next(target for key, target in targets.items() if key[0] == subject)
        if version is not None and policy in POLICIES:
            done.options[name] = TypeOptions(policy=policy)
    return done


def _names(entries: list[tuple[Entry, JSON]], strip: str, done: Imported) -> dict[tuple[str, str], tuple[str, int | None]]:
    """The type and version, or the URI, of each subject and version."""
    found: dict[tuple[str, str], tuple[str, int | None]] = {}
    counts: dict[str, int] = {}
    for entry, _ in entries:
        counts[entry.subject] = counts.get(entry.subject, 0) + 1
    last: dict[str, int] = {}
    for entry, _ in entries:
        if is_uri(entry.subject) and re.match("urn:|[a-z]+://", entry.subject) and counts[entry.subject] == 1:
            found[entry.subject, entry.version] = (entry.subject, None)
            continue
        is_number = re.fullmatch("0|[1-9][0-9]*", entry.version) and int(entry.version) <= MAX_VERSION
        version = int(entry.version) if is_number and int(entry.version) > last.get(entry.subject, -1) else last.get(entry.subject, 0) + 1
        last[entry.subject] = version
        if str(version) != entry.version:
            done.findings.append(Finding("note", f"becomes version {version}", f"{entry.subject} version {entry.version}"))
        name = entry.subject.removesuffix(strip) if strip and entry.subject != strip else entry.subject
        found[entry.subject, entry.version] = (name, version)
    names = {subject: name for (subject, _), (name, _) in found.items()}
    subjects: dict[str, str] = {}
    for subject, name in names.items():
        other = subjects.setdefault(name, subject)
        if other != subject:
            done.findings.append(Finding("error", f'becomes "{name}", as "{other}" does', subject, hint="Choose subjects by --subject, or another --strip."))
        if not name:
            done.findings.append(Finding("error", "a type must have a name", '""', hint="Choose subjects by --subject, such as '?*'."))
    return found


def _converted(entry: Entry, value: JSON, targets: dict[tuple[str, str], tuple[str, int | None]], dialect: str | None, done: Imported) -> str:
    """The text with our references and its dialect; the text as it is if nothing has to change."""
    where = f"{entry.subject} version {entry.version}"
    base = value.get("$id", value.get("id", "")) if isinstance(value, dict) else ""
    base = base if isinstance(base, str) else ""
    new: dict[str, str] = {}
    for one in entry.references:
        name, version = targets.get((one.subject, one.version), (one.subject, None if is_uri(one.subject) and "://" in one.subject else _integer(one.version)))
        if (one.subject, one.version) not in targets:
            done.findings.append(Finding("warning", f'refers to "{one.subject}" version {one.version}, which is not imported', where))
        target = name if version is None else f"event:{quote(name, safe=_IN_TYPES)}@{version}"
        new[one.name] = new[resolve(base, one.name) if base else one.name] = target
    used: set[str] = set()

    def change(reference: str, resolved: str) -> str | None:
        found = new.get(reference, new.get(resolved))
        used.update({found} if found else ())
        return found

    changed = rewrite(value, base, change) if new else value
    for one in entry.references:
        if new[one.name] not in used:
            done.findings.append(Finding("note", f'the reference "{one.name}" is not used by a $ref', where))
    if isinstance(changed, dict) and "$schema" not in changed and dialect and dialect != OUR_DIALECT:
        changed = {"$schema": dialect, **changed}
    return entry.text if changed is value and "\n" in entry.text else dumps(changed)


def _integer(version: str) -> int:
    return int(version) if version.isdigit() else 1


# ---------- export ----------


@dataclasses.dataclass(slots=True)
class Exported:
    registered: list[str]
    unchanged: list[str]
    findings: list[Finding]


class _Export:
    def __init__(self, registry: Registry, tree: Tree, append: str, dry_run: bool) -> None:
        self.registry, self.tree, self.append, self.dry_run = registry, tree, append, dry_run
        self.by_uri = tree.by_uri()
        self.there: dict[str, str] = {}  # the version in the registry, by key
        self.done = Exported([], [], [])

    def subject(self, schema: Schema) -> str:
        return schema.name + self.append if schema.version is not None else schema.name

    def references(self, schema: Schema) -> list[Reference] | None:
        """What the document calls others, as it is written; None if one of them is not exported."""
        found: dict[str, Reference] = {}
        own = {schema.base} | {base for _, base in subschemas(schema.value, schema.base)}
        for value, base in subschemas(schema.value, schema.base):
            for keyword in ("$ref", "$dynamicRef"):
                reference = value.get(keyword)
                if not isinstance(reference, str) or reference.startswith("#") or resolve(base, reference) in own:
                    continue
                uri = resolve(base, reference)
                key = event_of(uri) or self.by_uri.get(uri, "")
                if key not in self.there:
                    reason = "which could not be exported" if key in self.tree.schemas else "which is not among the files"
                    self.done.findings.append(schema.finding("error", f'refers to "{uri}", {reason}'))
                    return None
                name = reference.partition("#")[0]
                found[name] = Reference(name, self.subject(self.tree.schemas[key]), self.there[key])
        return [found[name] for name in sorted(found)]

    def publish(self, schema: Schema) -> None:
        named = self.references(schema)
        if named is None:
            return
        text = schema.text
        if isinstance(schema.value, dict) and "$schema" not in schema.value:
            text = dumps({"$schema": OUR_DIALECT, **schema.value})
        entry = Entry(self.subject(schema), str(1 if schema.version is None else schema.version), text, tuple(named))
        try:
            version = self.registry.find(entry)
            if version is not None:
                self.done.unchanged.append(schema.key)
            else:
                version = entry.version if self.dry_run else self.registry.publish(entry)
                self.done.registered.append(schema.key)
        except Refused as refused:
            self.done.findings.append(schema.finding("error", f"the registry refuses it: {refused}"))
            return
        self.there[schema.key] = version
        if version != entry.version:
            self.done.findings.append(schema.finding("warning", f'"{schema.key}" is version {version} in the registry, which counts versions itself'))


def export_to(registry: Registry, tree: Tree, append: str, policies: bool, dry_run: bool) -> Exported:
    """Registers the schemas of a folder in a registry; those that are there already are left alone."""
    export = _Export(registry, tree, append, dry_run)
    graph = tree.graph()
    last: dict[str, str] = {}
    for schema in sorted(tree.schemas.values(), key=lambda item: item.sort_key):
        # registries count versions in the order of their registration
        if schema.name in last:
            graph[schema.key].add(last[schema.name])
        last[schema.name] = schema.key
    for group in in_order(graph):
        if len(group) > 1:
            for key in group:
                export.done.findings.append(tree.schemas[key].finding("error", f"is in a circle of references ({', '.join(group)}), which the registry cannot take"))
            continue
        schema = tree.schemas[group[0]]
        before = [other.key for other in tree.versions(schema.name) if schema.version is not None and (other.version or 0) < schema.version]
        if before and before[-1] not in export.there:
            export.done.findings.append(schema.finding("error", f'is not exported, because "{before[-1]}" is not'))
            continue
        export.publish(schema)
    for event_type in tree.types() if policies and not dry_run else ():
        policy = tree.options.get(event_type, TypeOptions()).policy
        if policy is not None and any(key.rpartition("@")[0] == event_type for key in export.there):
            registry.set_policy(event_type + append, policy)
    return export.done


