"""Calls of the extension's functions as SQL text, for migrations.

Every value is a literal, so ":" and "%" in a schema mean nothing to whoever runs the
statement as it is.
"""

from __future__ import annotations

import dataclasses
import datetime
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from event_validate.migration import array, literal, quoted_identifier

Definition = str | Mapping[str, Any] | bool  #: a JSON Schema: its text, or a value that json.dumps takes
Names = Sequence[str] | None

#: the schemas whose objects belong to the extension
OWN_SCHEMAS = frozenset({"event_schema", "_event_validate"})


#: for set_event_guard_mode: asyncpg cannot read a regclass in a record
MODES = "SELECT new_mode, problem FROM"


@dataclasses.dataclass(frozen=True, slots=True)
class Table:
    """A table by its name, and by its schema if it is not in the search_path."""

    name: str
    schema: str | None = None

    def __str__(self) -> str:
        return ".".join(quoted_identifier(part) for part in (self.schema, self.name) if part)


def schema_text(definition: Definition) -> str:
    """The text of a JSON Schema."""
    return definition if isinstance(definition, str) else json.dumps(definition, ensure_ascii=False)


def _literal(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return literal(value)
    if isinstance(value, Table):
        return f"CAST({literal(str(value))} AS regclass)"
    if isinstance(value, datetime.datetime):
        if value.tzinfo is None:
            raise ValueError(f"the time has no time zone: {value}")
        return f"CAST({literal(value.isoformat())} AS timestamptz)"
    if isinstance(value, Mapping):
        return f"CAST({literal(json.dumps(value, ensure_ascii=False))} AS jsonb)"
    if isinstance(value, Iterable):
        return f"CAST(ARRAY[{', '.join(literal(item) for item in value)}] AS text[])"
    raise TypeError(f"not a value for SQL: {value!r}")


def call(function: str, positional: Sequence[Any], named: Mapping[str, Any] | None = None, *, extension_schema: str | None = None,
         command: str = "SELECT") -> str:
    """A statement that calls a function of the extension.  Named arguments that are None are left out."""
    prefix = f"{quoted_identifier(extension_schema)}." if extension_schema else ""
    arguments = [_literal(value) for value in positional]
    arguments += [f"{name} => {_literal(value)}" for name, value in (named or {}).items() if value is not None]
    return f"{command} {prefix}{function}({', '.join(arguments)})"


def check_expression(data: str, event_type: str, schema_version: str, name: str, *, types: Names = None, extension_schema: str | None = None) -> str:
    """The condition of an event check, as add_event_check writes it; the first three are SQL expressions."""
    prefix = f"{quoted_identifier(extension_schema)}." if extension_schema else ""
    condition = f"{prefix}check_event({data}, {event_type}, {schema_version}, {literal(name)})"
    if types is None:
        return condition
    # in the form that add_event_check writes and recognizes
    return f"(({event_type} COLLATE \"C\") = ANY (CAST({literal(array(list(types)))} AS text[]))) IS NOT TRUE OR {condition}"
