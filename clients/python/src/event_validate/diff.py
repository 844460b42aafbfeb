"""diff: what changes from one source to another, for events that are stored or sent."""

from __future__ import annotations

import dataclasses
import hashlib
import re
from typing import Any
from urllib.parse import quote

import psycopg

from event_validate.errors import Failure
from event_validate.faults import findings_of, is_about_schemas
from event_validate.jsontext import dumps, same
from event_validate.references import event_of, rewrite
from event_validate.server import Server
from event_validate.tree import FILE, Schema, Tree

VERDICTS = ("compatible", "incompatible", "unknown")
_IN_TYPES = "!$&'()*+,;=:@/?~-._"
OLD, NEW = "~old", "~new"  # ends of the types under which the two sides are registered, beside each other


@dataclasses.dataclass(frozen=True, slots=True)
class Change:
    location: str
    rule: str
    backward: str
    forward: str
    message: str


@dataclasses.dataclass(frozen=True, slots=True)
class Comparison:
    """Two schemas, and the changes from the one to the other."""

    name: str
    old: str
    new: str
    changes: list[Change]
    in_place: bool  # the same version differs

    def verdict(self, direction: str) -> str:
        """The worst of the changes: incompatible, unknown or compatible."""
        found = {verdict for change in self.changes
                 for verdict in ([change.backward] if direction == "backward" else [change.forward] if direction == "forward" else [change.backward, change.forward])}
        return next((verdict for verdict in ("incompatible", "unknown") if verdict in found), "compatible")


@dataclasses.dataclass(slots=True)
class Difference:
    comparisons: list[Comparison]
    added: list[str]
    removed: list[str]

    def verdict(self, direction: str) -> str:
        found = {comparison.verdict(direction) for comparison in self.comparisons}
        return next((verdict for verdict in ("incompatible", "unknown") if verdict in found), "compatible")


def pairs(old: Tree, new: Tree) -> list[tuple[Schema, Schema]]:
    """Which schemas are compared: versions that differ, and new versions with the version before them."""
    if not old.is_folder and not new.is_folder:
        return [(old.file, new.file)]
    if not old.is_folder or not new.is_folder:
        return _file_and_folder(old, new)
    found = []
    for schema in sorted(new.schemas.values(), key=lambda schema: schema.sort_key):
        before = old.schemas.get(schema.key)
        if before is None and schema.version is not None:
            # the version before it; that of the new side if both have it
            lower = [*new.versions(schema.name), *old.versions(schema.name)]
            before = max((other for other in lower if (other.version or 0) < schema.version), key=lambda other: other.version or 0, default=None)
        if before is not None and (before.key != schema.key or not _equal(before, schema)):
            found.append((before, schema))
    return found


def _file_and_folder(old: Tree, new: Tree) -> list[tuple[Schema, Schema]]:
    file, folder = (old, new) if new.is_folder else (new, old)
    schema = file.file
    other = folder.schemas.get(schema.key)
    if other is None:
        raise Failure(f'{folder.shown} has no "{schema.key}" to compare {schema.path} with')
    return [(schema, other)] if new.is_folder else [(other, schema)]


def _equal(one: Schema, other: Schema) -> bool:
    return same(one.value, other.value) and one.options.pragmas() == other.options.pragmas()


def compare(server: Server, old: Tree, new: Tree, lenient: bool) -> Difference:
    """Compares two sources.  Everything is rolled back."""
    compared = pairs(old, new)
    both_folders = old.is_folder and new.is_folder
    difference = Difference([], [], [])
    if both_folders:
        difference.added = [schema.key for schema in sorted(new.schemas.values(), key=lambda s: s.sort_key)
                            if schema.key not in old.schemas and schema.key not in {pair[1].key for pair in compared}]
        difference.removed = [schema.key for schema in sorted(old.schemas.values(), key=lambda s: s.sort_key) if schema.key not in new.schemas]
    is_old: set[int] = set()
    targets: dict[str, dict[str, str]] = {}
    if compared:
        is_old = {id(schema) for schema in old.schemas.values()}
        register_side(server, old, OLD, [before for before, _ in compared if id(before) in is_old])
        register_side(server, new, NEW, [schema for pair in compared for schema in pair if id(schema) not in is_old])
        targets = {OLD: old.by_uri(), NEW: new.by_uri()}
    for before, after in compared:
        side, end = (old, OLD) if id(before) in is_old else (new, NEW)
        stands_for = moved(before, side, end, targets[end])
        renamed = moved(after, new, NEW, targets[NEW])
        if not _follows(before, after, new):
            renamed = dataclasses.replace(renamed, options=dataclasses.replace(renamed.options, renames=()))
        rows = server.changes(stands_for.name, stands_for.version or 0, renamed.body, lenient)
        changes = [Change(_told(row[0], side, new), row[1], row[2], row[3], _told(row[4], side, new)) for row in rows]
        difference.comparisons.append(Comparison(_name(after), before.path, after.path, changes, before.key == after.key))
    server.connection.rollback()
    return difference


def _follows(before: Schema, after: Schema, new: Tree) -> bool:
    """Whether the renames of a version are those between the two."""
    if before.name != after.name or before.version is None or after.version is None or before.version >= after.version:
        return False
    return not any(before.version < (other.version or 0) < after.version for other in new.versions(after.name))


def _name(schema: Schema) -> str:
    """The name in the output: that of the file, if it says neither type nor URI."""
    return schema.key.removeprefix(FILE)


def _told(text: str, *trees: Tree) -> str:
    """A message without the types that only this comparison has."""
    if "document-" in text:
        uris = {_as_type(schema.name): schema.name for tree in trees for schema in tree.schemas.values() if schema.version is None}
        text = re.sub(f"(?:event:)?(document-[0-9a-f]{{32}})(?:{OLD}|{NEW})@0", lambda match: uris.get(match[1], match[0]), text)
    for end in (OLD, NEW):
        text = text.replace(f"{end}@", "@")
    return text


def moved(schema: Schema, tree: Tree, end: str, targets: dict[str, str]) -> Schema:
    """The schema as it is registered for the comparison: its type ends in "~old" or "~new", and so do those to which it refers."""
    own = schema.value.get("$id") if isinstance(schema.value, dict) else None

    def change(_reference: str, target: str) -> str | None:
        other = tree.schemas.get(event_of(target) or targets.get(target, ""))
        if other is None or target == own:
            return None
        name = other.name if other.version is not None else _as_type(other.name)
        return f"event:{quote(name, safe=_IN_TYPES)}{end}@{other.version or 0}"

    options = dataclasses.replace(schema.options, breaking=True)
    name = schema.name if schema.version is not None else _as_type(schema.name)
    value = rewrite(schema.value, schema.base, change)
    return Schema(name + end, schema.version or 0, schema.path, dumps(value), value, options)


def _as_type(uri: str) -> str:
    """A type that stands for a document."""
    return f"document-{hashlib.sha256(uri.encode()).hexdigest()[:32]}"


def register_side(server: Server, tree: Tree, end: str, compared: list[Schema]) -> None:
    """Registers what is compared, and all to which it refers."""
    graph = tree.graph()
    wanted = {schema.key for schema in compared}
    while more := {target for key in wanted for target in graph[key]} - wanted:
        wanted |= more
    targets = tree.by_uri()
    schemas = [moved(tree.schemas[key], tree, end, targets) for key in sorted(wanted)]
    for event_type in sorted({schema.name for schema in schemas}):
        server.set_policy(event_type, "none")
    try:
        server.register(schemas)
    except psycopg.Error as error:
        if not is_about_schemas(error):
            raise
        lines = "\n".join(_told(str(finding), tree) for finding in findings_of(error, schemas))
        raise Failure(f"{tree.shown} cannot be compared, because it has faults (check says more):\n{lines}") from None


# ---------- output ----------


def as_json(difference: Difference) -> dict[str, Any]:
    """The difference as JSON."""
    return {
        "backward": difference.verdict("backward"), "forward": difference.verdict("forward"), "full": difference.verdict("full"),
        "compared": [{"name": item.name, "old": item.old, "new": item.new, "changed_in_place": item.in_place,
                      "backward": item.verdict("backward"), "forward": item.verdict("forward"),
                      "changes": [dataclasses.asdict(change) for change in item.changes]} for item in difference.comparisons],
        "added": difference.added, "removed": difference.removed}


def cell(text: str) -> str:
    """Text in a cell of a table of Markdown."""
    return re.sub("[\r\n]+", " ", text.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;"))


def code(text: str) -> str:
    """Text as code in Markdown, also in a table."""
    text = re.sub("[\r\n]+", " ", text)
    # an odd number of backslashes stands before each pipe, since an even number escapes only itself
    text = re.sub(r"(\\*)\|", lambda found: found[1] + "\\" * (1 + len(found[1]) % 2) + "|", text)
    fence = "`" * (max(map(len, re.findall("`+", text)), default=0) + 1)
    space = " " if text.startswith("`") or text.endswith("`") or not text.strip() else ""
    return f"{fence}{space}{text}{space}{fence}"


def changes_table(changes: list[Change]) -> list[str]:
    """A table of Markdown."""
    return ["| location | backward | forward | change |", "|---|---|---|---|",
            *(f"| {code(change.location or '(document)')} | {_shown(change.backward)} | {_shown(change.forward)} | {cell(change.message)} `{change.rule}` |" for change in changes)]


def _shown(verdict: str) -> str:
    return verdict if verdict == "compatible" else f"**{verdict}**"


def as_markdown(difference: Difference) -> str:
    """The difference as a page of Markdown."""
    lines = []
    for item in difference.comparisons:
        lines += [f"## {cell(item.name)}", "", f"{code(item.old)} → {code(item.new)}: backward {_shown(item.verdict('backward'))}, forward {_shown(item.verdict('forward'))}."]
        if item.in_place:
            lines += ["", "The same version differs. A published version cannot change, except for annotations and by `widen_event_schema`."]
        lines += ["", *(changes_table(item.changes) if item.changes else ["Nothing changes for any event."]), ""]
    for title, names in (("Added", difference.added), ("Removed", difference.removed)):
        if names:
            lines += [f"## {title}", "", *(f"- {code(name)}" for name in names), ""]
    return "\n".join(lines).rstrip("\n") + "\n" if lines else "No differences.\n"
