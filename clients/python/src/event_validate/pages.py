"""docs: a page of Markdown for each type, made from its documents."""

from __future__ import annotations

import dataclasses
import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Mapping

from event_validate.describing import Description, Property
from event_validate.diff import Comparison, cell, changes_table, code
from event_validate.errors import Failure
from event_validate.jsontext import JSON, dumps
from event_validate.names import event_name, stem
from event_validate.references import event_of, resolve
from event_validate.tree import Schema, Tree

DEPTH = 6
MOST_ROWS, MOST_STEPS = 2000, 20000  # of a page; references to "#" multiply them
_BOUNDS = {
    "minimum": "≥ {}", "maximum": "≤ {}", "exclusiveMinimum": "> {}", "exclusiveMaximum": "< {}", "multipleOf": "a multiple of {}",
    "minLength": "at least {} characters", "maxLength": "at most {} characters", "minItems": "at least {} items", "maxItems": "at most {} items",
    "minProperties": "at least {} properties", "maxProperties": "at most {} properties", "pattern": "matches {}", "format": "format {}"}


@dataclasses.dataclass(frozen=True, slots=True)
class Row:
    """A property, by its path."""

    path: str
    kind: str  # its types in words, or the name of the document to which it refers
    is_reference: bool
    required: bool
    schema: dict[str, JSON]

    @property
    def description(self) -> str:
        return str(self.schema.get("description") or self.schema.get("title") or "")


class _Properties:
    """The properties of a schema, those of references and allOf included."""

    def __init__(self, schema: Schema, tree: Tree) -> None:
        self.schema, self.tree = schema, tree
        self.by_uri = tree.by_uri()
        self.steps = 0

    def target(self, reference: str) -> tuple[JSON, str] | None:
        """What a reference refers to, and the key of another document if it is in one."""
        document, _, fragment = reference.partition("#")
        value, other = self.schema.value, ""
        if document:
            uri = resolve(self.schema.base, document)
            other = event_of(uri) or self.by_uri.get(uri, uri)
            found = self.tree.schemas.get(other)
            if found is None:
                return None, other
            value = found.value
        for part in fragment.split("/")[1:] if fragment.startswith("/") else []:
            part = part.replace("~1", "/").replace("~0", "~")
            value = value.get(part) if isinstance(value, dict) else None
        return (value, other) if not fragment or fragment.startswith("/") else None

    def resolved(self, value: JSON) -> tuple[dict[str, JSON], str]:
        """A schema with the keywords of what its $ref refers to, in this document; the name of another document."""
        seen: list[JSON] = []
        merged: dict[str, JSON] = {}
        while isinstance(value, dict) and value not in seen:
            seen.append(value)
            merged = {**value, **merged}
            reference = value.get("$ref")
            found = self.target(reference) if isinstance(reference, str) else None
            if found is None:
                break
            if found[1]:
                return merged, found[1]
            value = found[0]
        return merged, ""

    def rows(self, value: JSON, path: str = "", depth: int = 0) -> Iterator[Row]:
        self.steps += 1
        if self.steps > MOST_STEPS:
            return
        schema, _ = self.resolved(value)
        for part in schema.get("allOf", []) if isinstance(schema.get("allOf"), list) else []:
            yield from self.rows(part, path, depth + 1) if depth < DEPTH else ()
        required = schema.get("required", [])
        properties = schema.get("properties", {})
        for name, inner in properties.items() if isinstance(properties, dict) else ():
            yield from self.row(f"{path}.{name}" if path else name, inner, isinstance(required, list) and name in required, depth)

    def row(self, path: str, inner: JSON, required: bool, depth: int) -> Iterator[Row]:
        schema, other = self.resolved(inner)
        yield Row(path, other or (kind_of(schema) if inner is not False else "never"), bool(other), required, schema)
        if depth < DEPTH and not other:
            yield from self.rows(inner, path, depth + 1)
            if isinstance(schema.get("items"), dict):
                items, elsewhere = self.resolved(schema["items"])
                if elsewhere or "properties" not in items:
                    yield from self.row(f"{path}[]", schema["items"], False, depth + 1)
                else:
                    yield from self.rows(schema["items"], f"{path}[]", depth + 1)


def kind_of(schema: dict[str, JSON]) -> str:
    """The types of a schema in words."""
    said = schema.get("type")
    if isinstance(said, list):
        return " or ".join(map(str, said))
    if isinstance(said, str):
        return said
    for keyword, words in (("anyOf", "any of {}"), ("oneOf", "one of {}")):
        if isinstance(schema.get(keyword), list):
            inner = [kind_of(member) if isinstance(member, dict) else "anything" for member in schema[keyword]]
            return words.format(len(inner)) + " schemas" if "anything" in inner else " or ".join(dict.fromkeys(inner))
    return "object" if "properties" in schema else "anything"


def constraints(schema: dict[str, JSON], show: Callable[[str], str] = code) -> list[str]:
    """What a schema demands beside its type, in words; show makes the text of a value."""
    found = []
    if "const" in schema:
        found.append(f"is {show(dumps(schema['const'], indent=''))}")
    if isinstance(schema.get("enum"), list):
        shown = [show(dumps(value, indent="")) for value in schema["enum"][:20]]
        found.append(f"one of {', '.join(shown)}" + (f" and {len(schema['enum']) - 20} more" if len(schema["enum"]) > 20 else ""))
    for keyword, words in _BOUNDS.items():
        if keyword in schema:
            value = schema[keyword]
            found.append(words.format(show(value) if isinstance(value, str) else dumps(value, indent="")))
    if schema.get("uniqueItems") is True:
        found.append("unique items")
    if schema.get("additionalProperties") is False or schema.get("unevaluatedProperties") is False:
        found.append("no other properties")
    if "default" in schema:
        found.append(f"default {show(dumps(schema['default'], indent=''))}")
    return found


def _of_document(schema: dict[str, JSON], show: Callable[[str], str] = code) -> list[str]:
    return constraints({key: value for key, value in schema.items() if key != "default"}, show)


def description_of_files(schema: Schema, tree: Tree) -> Description:
    """What the files alone say of a schema: the server resolves references to other documents, and this does not."""
    properties = _Properties(schema, tree)
    top = schema.value if isinstance(schema.value, dict) else {}
    found = [Property("", "", kind_of(top), True, tuple(_of_document(top, str)), "", None, (), False)]
    found += [Property(row.path, "", row.kind, row.required, tuple(constraints(row.schema, str)), row.description, None, (), row.schema.get("deprecated") is True)
              for row in itertools.islice(properties.rows(schema.value), MOST_ROWS)]
    examples = top.get("examples")
    return Description(tuple(found), dumps(examples[0]) if isinstance(examples, list) and examples else None)


def _link(key: str) -> str:
    """The page of TYPE@VERSION or of a URI."""
    event = event_name(key)
    name = event[0] if event and not key.startswith(("http:", "https:", "urn:")) else key
    return f"{stem(name)[0].replace('%', '%25')}.md"


def _about(schema: Schema, keyword: str) -> str:
    found = schema.value.get(keyword) if isinstance(schema.value, dict) else None
    return found if isinstance(found, str) else ""


def _kind(row: Row, tree: Tree) -> str:
    """The cell with the types of a property; the name of another document is a link to its page."""
    if not row.is_reference:
        return cell(row.kind)
    return f"[{row.kind}]({_link(row.kind)})" if row.kind in tree.schemas else code(row.kind)


def _deprecated(schema: dict[str, JSON]) -> list[str]:
    return ["**deprecated**"] if schema.get("deprecated") is True else []


def page(name: str, versions: list[Schema], tree: Tree, changes: Mapping[str, Comparison]) -> str:
    """The page of a type or a document; changes has the comparison of a version with the one before it, by key."""
    latest = versions[-1]
    properties = _Properties(latest, tree)
    rows = list(itertools.islice(properties.rows(latest.value), MOST_ROWS + 1))
    is_cut = len(rows) > MOST_ROWS or properties.steps > MOST_STEPS
    lines = [f"# {cell(name)}", ""]
    for keyword in ("title", "description"):
        if _about(latest, keyword):
            lines += [_about(latest, keyword).replace("<", "&lt;"), ""]
    if latest.version is not None:
        lines += [*_versions_table(versions), "", f"## Version {latest.version}", ""]
    top = latest.value if isinstance(latest.value, dict) else {}
    if not rows:
        lines += [f"The document: {kind_of(top)}." if latest.value is not False else "No event is valid.", ""]
    else:
        lines += ["| property | type | required | constraints | |", "|---|---|---|---|---|"]
        lines += [f"| {code(row.path)} | {_kind(row, tree)} | {'yes' if row.required else ''} | {', '.join([*constraints(row.schema), *_deprecated(row.schema)])} | {cell(row.description)} |"
                  for row in rows[:MOST_ROWS]]
        lines += ["", *(["And more, which this page leaves out.", ""] if is_cut else [])]
    of_document = [*_of_document(top), *_deprecated(top)]
    if of_document:
        lines += [f"The document: {', '.join(of_document)}.", ""]
    if isinstance(top.get("examples"), list) and top["examples"]:
        lines += ["### Examples", ""]
        for example in top["examples"]:
            lines += ["```json", dumps(example), "```", ""]
    for schema in reversed(versions):
        comparison = changes.get(schema.key)
        if comparison is not None:
            lines += [f"## Changes in version {schema.version}", "", *(changes_table(comparison.changes) if comparison.changes else ["Nothing changes for any event."]), ""]
    return "\n".join(lines).rstrip("\n") + "\n"


def _versions_table(versions: list[Schema]) -> list[str]:
    lines = ["## Versions", "", "| version | title | |", "|---|---|---|"]
    for schema in reversed(versions):
        notes = [note for note, said in (("deprecated", isinstance(schema.value, dict) and schema.value.get("deprecated") is True),
                                         ("intended break", schema.options.breaking), ("accepted changes", schema.options.accept != ()), ("renamed properties", schema.options.renames != ()), ("formats are not asserted", not schema.options.assert_format)) if said]
        lines.append(f"| {schema.version} | {cell(_about(schema, 'title'))} | {', '.join(notes)} |")
    return lines


def index_page(tree: Tree) -> str:
    """The list of all types and documents."""
    lines = ["# Events", "", "| event | latest version | |", "|---|---|---|"]
    for event_type in tree.types():
        latest = tree.versions(event_type)[-1]
        about = _about(latest, "title") or _about(latest, "description").split("\n")[0]
        lines.append(f"| [{cell(event_type)}]({_link(latest.key)}) | {latest.version} | {cell(about)} |")
    documents = sorted(schema.name for schema in tree.schemas.values() if schema.version is None)
    if documents:
        lines += ["", "Documents to which they refer:", "", *(f"- [{cell(uri)}]({_link(uri)})" for uri in documents)]
    return "\n".join(lines) + "\n"


def make_pages(tree: Tree, changes: Mapping[str, Comparison]) -> dict[str, str]:
    """The pages by the names of their files; README.md is the list."""
    pages = {"README.md": index_page(tree)}
    # a type and a document can have the same name
    names = Counter(f"{stem(name)[0]}.md".casefold() for name, _ in {(schema.name, schema.version is None) for schema in tree.schemas.values()})
    twice = [name for name, number in (names + Counter(["readme.md"])).items() if number > 1]
    if twice:
        raise Failure(f"two pages would have the name {twice[0]}, where upper and lower case are one", "README.md is the list of all types.")
    for event_type in tree.types():
        pages[f"{stem(event_type)[0]}.md"] = page(event_type, tree.versions(event_type), tree, changes)
    for schema in tree.schemas.values():
        if schema.version is None:
            pages[f"{stem(schema.name)[0]}.md"] = page(schema.name, [schema], tree, changes)
    return pages
