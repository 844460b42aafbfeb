"""What the server says about schemas: their properties with references resolved, and an example of each."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from event_validate.diff import NEW, moved, register_side
from event_validate.server import Server
from event_validate.tree import Schema, Tree


@dataclasses.dataclass(frozen=True, slots=True)
class Property:
    """A row of event_schema_properties; values are JSON texts."""

    path: str
    condition: str  # of the alternative that it is in; "" in any case
    kind: str
    required: bool
    constraints: tuple[str, ...]
    description: str
    default: str | None
    examples: tuple[str, ...]
    deprecated: bool


@dataclasses.dataclass(frozen=True, slots=True)
class Description:
    """What is known of a version or a document."""

    properties: tuple[Property, ...]  # the first one is the event itself
    example: str | None  # a valid event

    @property
    def event(self) -> Property | None:
        return self.properties[0] if self.properties else None


def uri_of(schema: Schema) -> str:
    """The URI of a schema, as the server's event_schema_uri has it: the absolute $id, or event:TYPE@VERSION."""
    own = schema.value.get("$id") if isinstance(schema.value, dict) else None
    return own.partition("#")[0] if isinstance(own, str) and ":" in own.partition("/")[0] else schema.base


def describe(server: Server, tree: Tree) -> Mapping[str, Description]:
    """The descriptions by key.  Everything is rolled back."""
    found: dict[str, Description] = {}
    schemas = list(tree.schemas.values())
    if schemas:
        register_side(server, tree, NEW, schemas)
    targets = tree.by_uri()
    for schema in schemas:
        there = moved(schema, tree, NEW, targets)
        rows = server.properties(there.name, there.version or 0)
        found[schema.key] = Description(tuple(Property(path, condition or "", kind, required, tuple(constraints), description or title or "",
                                                       default, tuple(examples or ()), deprecated)
                                              for path, condition, kind, required, constraints, title, description, default, examples, deprecated in rows),
                                        server.example(there.name, there.version or 0))
    server.connection.rollback()
    return found
