"""The server's errors about a bundle, as findings about files."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

import psycopg

from event_validate.errors import Finding
from event_validate.tree import Schema

_PLACE = re.compile(r" ?See line (\d+), column (\d+) of the text\.")
# version 1 to 2, /type: The type was ... (TYPE_NARROWED)
_STEP = re.compile(r'version (\d+) to (\d+), (\(document\)|"(?:[^"\\]|\\.)*"|.*?): (.*)$')
_POLICY = re.compile(r'event schema ".*" is not (.*?) compatible with version \d+\. (.*)$')
_CHANGE = re.compile(r"(/.*?|\(document\)): (.*)$")
_INVALID = re.compile(r'invalid JSON Schema ".*?"(?: at "(/[^"]*|)")?: (.*)$')
_RULE = re.compile(r" \(([A-Z_]+)\)$")
_RENAMED = re.compile(r'If "(.*)" is only called "(.*)" now, register version (\d+) with renames => ')
_UPCAST = re.compile(r" Then write an upcast for events of version (\d+) \(register_event_upcast\)\.")
_BEGIN = re.compile(r'(invalid JSON Schema |event schema |schema |reference to |event type )?"')

# those about schemas; others (rights, locks) are about the server
_STATES = {"22023", "42710", "22003"}


def is_about_schemas(error: psycopg.Error) -> bool:
    """Whether the error is that of the schemas, not of rights or locks."""
    return error.sqlstate in _STATES


def findings_of(error: psycopg.Error, schemas: Iterable[Schema]) -> list[Finding]:
    """A finding for each fault in the DETAIL of an error of register_schemas."""
    by_key = {schema.key: schema for schema in schemas}
    keys = sorted(by_key, key=len, reverse=True)
    hint = error.diag.message_hint
    found: list[Finding] = []
    schema: Schema | None = None
    policy = ""
    for line in (error.diag.message_detail or error.diag.message_primary or "").split("\n"):
        key = next((key for key in keys if f'"{key}"' in line), None) if _BEGIN.match(line) else None
        if key is not None:
            schema = by_key[key]
            broken = _POLICY.match(line)
            policy, line = (broken[1], broken[2]) if broken else ("", line)
        if schema is None:
            found.append(Finding("error", f"{error.diag.message_primary}: {line}", next(iter(by_key.values())).path if len(by_key) == 1 else "schemas", hint=hint))
        elif policy:
            # the HINT is about one schema, and one finding of it has the advice about old events
            broken_policy = _broken_policy(line, schema, policy, _UPCAST.sub("", hint or "") if any(_UPCAST.search(one.hint or "") for one in found) else hint)
            # a change is said once, not for each of the versions before
            if not any((one.path, one.location, one.rule, one.message.partition(": ")[2])
                       == (broken_policy.path, broken_policy.location, broken_policy.rule, broken_policy.message.partition(": ")[2]) for one in found):
                found.append(broken_policy)
        elif key is None and found:
            found[-1] = _more(found[-1], schema, line)
        else:
            found.append(_fault(line, schema, hint))
    return found


def _ruled(message: str) -> tuple[str, str | None]:
    rule = _RULE.search(message)
    return (message[:rule.start()], rule[1]) if rule else (message, None)


def _broken_policy(line: str, schema: Schema, policy: str, hint: str | None) -> Finding:
    step = _STEP.match(line)
    message, rule = _ruled(step[4] if step else line)
    location = _location(step[3]) if step else ""
    other = next((number for number in step.group(1, 2) if number != str(schema.version)), "") if step else ""
    with_version = f" with version {other}" if other else ""
    accepted = json.dumps(f"{location} {rule}".strip(), ensure_ascii=False)
    advice = f'If that is meant, add {accepted} to "accept" of version {schema.version} in the options of the type.'
    if rule == "PROPERTY_REQUIRED_ADDED":
        advice = _renames_advice(location, schema, hint) + advice
    upcast = _UPCAST.search(hint or "")
    if upcast and upcast[1] == other:
        advice += upcast[0]
    return schema.finding("error", f"not {policy} compatible{with_version}: {message}", location if location.startswith("/") else None, rule=rule,
                          hint=advice if rule else None)


def _renames_advice(location: str, schema: Schema, hint: str | None) -> str:
    """What the server's HINT says about renames, if it is about the property at this location."""
    renamed = _RENAMED.match(hint or "")
    if not renamed or int(renamed[3]) != schema.version or renamed[2].rpartition("/")[2] != location.rpartition("/")[2]:
        return ""
    renames = json.dumps({renamed[1]: renamed[2]}, ensure_ascii=False)
    return f'If "{renamed[1]}" is only called "{renamed[2]}" now, set "renames" of version {schema.version} to {renames} in the options of the type. '


def _location(shown: str) -> str:
    """The JSON Pointer that a message shows."""
    if shown == "(document)":
        return ""
    if shown.startswith('"'):
        try:
            return str(json.loads(shown))
        except ValueError:
            return ""
    return shown


def _fault(line: str, schema: Schema, hint: str | None) -> Finding:
    place = _PLACE.search(line)
    message = _PLACE.sub("", line).strip()
    invalid = _INVALID.match(message)
    location, message = (invalid[1], invalid[2]) if invalid else (None, message)
    row = int(place[1]) - schema.options.pragmas().count("\n") if place else None
    useful = None if hint is None or hint.startswith("Nothing is registered") else hint
    return schema.finding("error", message, location, row, int(place[2]) if place else None, hint=useful)


def _more(finding: Finding, schema: Schema, line: str) -> Finding:
    """A further line about a published schema: its first change."""
    change = _CHANGE.match(line)
    message, rule = _ruled(change[2] if change else line)
    location = change[1] if change and change[1].startswith("/") else None
    return schema.finding("error", f"{finding.message} {message}", location or finding.location, None if location else finding.line, finding.column,
                          rule=rule or finding.rule, hint=finding.hint)
