"""docs --format eventcatalog: the folders of EventCatalog (eventcatalog.dev): events/TYPE/index.mdx, and older versions below it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from itertools import groupby

from event_validate.describing import Description, Property, uri_of
from event_validate.diff import Comparison, code
from event_validate.errors import Failure
from event_validate.names import stem
from event_validate.site import about, is_deprecated
from event_validate.tree import Schema, Tree


def text_of(text: str) -> str:
    """A text in MDX: no markup, no HTML, no JSX, no expression, no import."""
    text = re.sub("\r\n?", "\n", text)
    text = re.sub(r"([\\`*_\[\]|#~!$+=-])", r"\\\1", text)
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("{", "&#123;").replace("}", "&#125;")
    text = re.sub(r"(?i)(www)\.", r"\1\\.", text.replace("://", "\\://"))
    lines = [re.sub(r"^(\d+)([.)])", r"\1\\\2", line.strip()) for line in text.split("\n")]
    # a line that begins with "import" or "export" would be code
    return "\n".join(f"&#{ord(line[0])};{line[1:]}" if re.match("(im|ex)port", line) else line for line in lines)


def line_of(text: str) -> str:
    """The same in one line."""
    return text_of(" ".join(text.split()))


def _row(row: Property) -> str:
    rules = [*map(line_of, row.constraints), *([f"default {code(row.default)}"] if row.default is not None else [])]
    notes = ("**deprecated** " if row.deprecated else "") + line_of(row.description)
    if row.examples:
        notes += " For example " + ", ".join(code(example[:200]) for example in row.examples)
    return f"| {code(row.path) if row.path else 'the event'} | {line_of(row.kind)} | {'yes' if row.required else ''} | {'; '.join(rules)} | {notes.strip()} |"


def _page(schema: Schema, description: Description, comparison: Comparison | None) -> str:
    front = {"id": schema.name, "name": schema.name, "version": str(schema.version), "summary": " ".join((about(schema, "title") or schema.key).split()), "schemaPath": "schema.json"}
    lines = ["---", *(f"{key}: {json.dumps(value)}" for key, value in front.items())]
    if is_deprecated(schema):
        lines.append("deprecated: true")
    lines += ["---", ""]
    if about(schema, "description"):
        lines += [text_of(about(schema, "description")), ""]
    lines += [f"The URI of the schema is {code(uri_of(schema))}.", "", "<NodeGraph />", "", "## Properties", ""]
    for condition, rows in groupby(description.properties, key=lambda row: row.condition):
        if condition:
            lines += [f"Where {code(condition)}:", ""]
        lines += ["| property | type | required | constraints | |", "|---|---|---|---|---|", *map(_row, rows), ""]
    if description.example is not None:
        lines += ["## Example", "", "```json", description.example, "```", ""]
    if comparison is not None:
        lines += [f"## Changes in version {schema.version}", ""]
        if comparison.changes:
            lines += ["| location | change | backward | forward |", "|---|---|---|---|"]
            lines += [f"| {code(change.location or '(document)')} | {line_of(change.message)} | {change.backward} | {change.forward} |" for change in comparison.changes]
        else:
            lines.append("Nothing changes for any event.")
        lines.append("")
    return "\n".join(lines)


def make_catalog(tree: Tree, descriptions: Mapping[str, Description], changes: Mapping[str, Comparison]) -> dict[str, str]:
    """The files by their paths: events/TYPE/index.mdx and schema.json, older versions in events/TYPE/versioned/VERSION."""
    files: dict[str, str] = {}
    folders: dict[str, str] = {}
    for name in tree.types():
        folder = f"events/{stem(name)[0]}"
        if folders.setdefault(folder.casefold(), name) != name:
            raise Failure(f"two types would have the folder {folder}, where upper and lower case are one")
        versions = tree.versions(name)
        for schema in versions:
            path = folder if schema is versions[-1] else f"{folder}/versioned/{schema.version}"
            files[f"{path}/index.mdx"] = _page(schema, descriptions[schema.key], changes.get(schema.key))
            files[f"{path}/schema.json"] = schema.text if schema.text.endswith("\n") else schema.text + "\n"
    return files
