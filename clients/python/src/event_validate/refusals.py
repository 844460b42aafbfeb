"""The violations in the errors of psycopg, asyncpg, pg8000, SQLAlchemy and Django.

Standard library only: none of the drivers need be installed.
"""

from __future__ import annotations

import builtins
import dataclasses
import json
import re
from collections.abc import Iterator
from typing import Any

_STRING = r'"(?:[^"\\]|\\.)*"'
_HEAD = re.compile(rf"event(?: ({_STRING}))?(?: version (\d+))? is not valid(?: after its upcast from version (\d+))?: ")
_UNREGISTERED = re.compile(rf"event schema ({_STRING}) version (\d+) is not registered")
_LINE = re.compile(rf"(\(document\)|{_STRING}|/.*?): (.*)")
_MORE = re.compile(r"and (\d+) more")

CHECK_VIOLATION = "23514"
UNDEFINED_OBJECT = "42704"


@dataclasses.dataclass(frozen=True, slots=True)
class Violation:
    """One violation.  What the error does not say is None: without error_format = json, all but location and message."""

    location: str  #: JSON Pointer; "" is the document.  A key that was cut ends in "~...".
    message: str
    keyword: str | None = None
    property: str | None = None
    expected: Any = None
    actual: Any = None
    keyword_location: str | None = None

    @builtins.property
    def is_cut(self) -> bool:
        """Whether a long key in the location was cut, so that it leads nowhere."""
        # a pointer has "~" only as "~0" and "~1" (RFC 6901)
        return "~..." in self.location

    def path(self, document: Any = None) -> tuple[str | int, ...]:
        """The keys of the location; those of arrays are numbers, if the document is given."""
        keys: list[str | int] = []
        for token in self.location.split("/")[1:]:
            key: str | int = token.replace("~1", "/").replace("~0", "~")
            if isinstance(document, list) and re.fullmatch("0|[1-9][0-9]*", token):
                key = int(token)
                document = document[key] if key < len(document) else None
            else:
                document = document.get(key) if isinstance(document, dict) else None
            keys.append(key)
        return tuple(keys)


@dataclasses.dataclass(frozen=True, slots=True)
class Refusal:
    """Why the database refused an event."""

    message: str
    sqlstate: str  #: 23514, or 42704 if the version is not registered
    event_type: str | None
    schema_version: int | None
    violations: tuple[Violation, ...]
    more: int = 0  #: violations that the error does not show
    upcast_from: int | None = None  #: the version before the upcast after which the event is not valid
    schema: str | None = None
    table: str | None = None
    constraint: str | None = None
    context: str | None = None
    hint: str | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class _Fields:
    sqlstate: str | None
    message: str | None
    detail: str | None
    schema: str | None
    table: str | None
    constraint: str | None
    context: str | None
    hint: str | None


def _fields(error: BaseException) -> _Fields | None:
    """The fields of the server's error message, if a driver raised this."""
    diag = getattr(error, "diag", None)  # psycopg, psycopg2
    if diag is not None and hasattr(diag, "message_primary"):
        return _Fields(diag.sqlstate, diag.message_primary, diag.message_detail, diag.schema_name, diag.table_name, diag.constraint_name,
                       diag.context, diag.message_hint)
    if isinstance(getattr(error, "sqlstate", None), str) and hasattr(error, "detail") and hasattr(error, "message"):  # asyncpg
        names = ("sqlstate", "message", "detail", "schema_name", "table_name", "constraint_name", "context", "hint")
        return _Fields(*(getattr(error, name, None) for name in names))
    if error.args and isinstance(error.args[0], dict) and {"C", "M"} <= error.args[0].keys():  # pg8000
        return _Fields(*(error.args[0].get(letter) for letter in "CMDstnWH"))
    return None


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error, and those that it wraps: SQLAlchemy's orig, Django's cause, members of groups."""
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        one = waiting.pop(0)
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        members = one.exceptions if isinstance(one, BaseExceptionGroup) else ()
        waiting.extend(other for other in (getattr(one, "orig", None), one.__cause__, *members) if isinstance(other, BaseException))


def _of_json(detail: str) -> tuple[list[Violation], int] | None:
    """A DETAIL of error_format = json; None if it is not one.  No line of a text begins with a bracket."""
    if not detail.startswith("["):
        return None
    try:
        items = json.loads(detail)
    except ValueError:
        return None
    found, more = [], 0
    for item in items:
        if not isinstance(item, dict):
            return None
        if isinstance(item.get("message"), str):
            location = item.get("instance_location", "")
            found.append(Violation(location if isinstance(location, str) else "", item["message"],
                                   **{name: item.get(name) for name in ("keyword", "property", "expected", "actual", "keyword_location")}))
        elif isinstance(item.get("left_out"), int):
            more = item["left_out"]
    return found, more


def _of_line(line: str) -> Violation:
    match = _LINE.fullmatch(line)
    if match is None:
        return Violation("", line)
    location, message = match.groups()
    if location.startswith('"'):
        location = json.loads(location, strict=False)
    return Violation("" if location == "(document)" else location, message)


def violations_of(message: str, detail: str | None) -> tuple[list[Violation], int]:
    """The violations that the primary message and the DETAIL of an error show, and the number of the others."""
    found = _of_json(detail) if detail else None
    if found is not None:
        return found
    more = 0
    lines = detail.split("\n") if detail else [_HEAD.sub("", message, count=1)]
    if detail and (match := _MORE.fullmatch(lines[-1])):
        more = int(match[1])
        del lines[-1]
    return [_of_line(line) for line in lines], more


def refusal_of(error: BaseException) -> Refusal | None:
    """What the extension says in this error, or in one that it wraps; None if it is another error.

    A constraint of another kind has the same SQLSTATE, so the primary message decides, from its
    first character on.  Keys and values of the document are escaped in it, as in the DETAIL, and
    cannot pretend to be lines.
    """
    for one in _chain(error):
        fields = _fields(one)
        if fields is None or fields.message is None:
            continue
        if fields.sqlstate == CHECK_VIOLATION and (match := _HEAD.match(fields.message)):
            name, version, upcast_from = match.groups()
            violations, more = violations_of(fields.message, fields.detail)
        elif fields.sqlstate == UNDEFINED_OBJECT and (match := _UNREGISTERED.fullmatch(fields.message)):
            name, version, upcast_from = *match.groups(), None
            violations, more = [Violation("", fields.message)], 0
        else:
            continue
        return Refusal(message=fields.message, sqlstate=fields.sqlstate, event_type=None if name is None else json.loads(name, strict=False),
                       schema_version=None if version is None else int(version), violations=tuple(violations), more=more,
                       upcast_from=None if upcast_from is None else int(upcast_from), schema=fields.schema or None, table=fields.table or None,
                       constraint=fields.constraint or None, context=fields.context or None, hint=fields.hint or None)
    return None
