"""The database's errors for rejected events, as objects.

    with refusals():
        publish(session, event)

raises EventRefused instead of the driver's error.  If the error came from
SQLAlchemy, roll its session or connection back, as after any error, at least to
the last savepoint.
"""

import contextlib
import json
import re
from dataclasses import dataclass

from sqlalchemy.exc import DBAPIError

CHECK_VIOLATION = "23514"
UNDEFINED_OBJECT = "42704"
LIMITS = "54"
NO_JSON = ("22P02", "22P05")  # invalid syntax (NaN, half a surrogate pair), U+0000


@dataclass(frozen=True)
class Violation:
    location: str  # a JSON Pointer; "" is the document
    message: str


class EventRefused(Exception):
    """The event violates its schema, or has no registered schema.

    reason      "invalid", "unregistered" (type and version have no schema),
                "limit" (validation exceeds the server's limits) or
                "no json" (jsonb cannot store it: NaN, U+0000)
    constraint  the constraint that rejected it, or the schema's name if a guard did
    violations  up to ten; `more` is the number of others
    hint        the database's hint, if there is one
    """

    def __init__(self, reason, message, constraint=None, violations=(), more=0, hint=None):
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.constraint = constraint
        self.violations = tuple(violations)
        self.more = more
        self.hint = hint

    def __str__(self):
        lines = [self.message]
        if len(self.violations) > 1:  # a single one is in the message
            lines += [f"  {_shown(v.location)}: {v.message}" for v in self.violations]
        if self.more:
            lines.append(f"  and {self.more} more")
        if self.hint:
            lines.append(self.hint)
        return "\n".join(lines)


def _shown(location):
    """A location as the database shows it: nothing in a key begins a line or steers a terminal."""
    if not location:
        return "(document)"
    escaped = json.dumps(location)
    return location if escaped == f'"{location}"' and ": " not in location else escaped


class EventDiverted(Exception):
    """The event is in the quarantine, from which it can be replayed."""


# the grammar of docs/reference/errors.md
HEAD = re.compile(r'event "(?:[^"\\]|\\.)*" version \d+ is not valid(?: after its upcast from version \d+)?: ')
LINE = re.compile(r'(\(document\)|"(?:[^"\\]|\\.)*"|/.*?): (.*)')
MORE = re.compile(r"and (\d+) more")


def parse_violations(message, detail):
    """The violations that an error shows, and how many more there are."""
    more = 0
    lines = detail.split("\n") if detail else [HEAD.sub("", message or "", count=1)]
    if detail and MORE.fullmatch(lines[-1]):
        more = int(MORE.fullmatch(lines.pop())[1])
    violations = []
    for line in lines:
        match = LINE.fullmatch(line)
        location, text = match.groups() if match else ("(document)", line)
        if location.startswith('"'):
            location = json.loads(location)
        violations.append(Violation("" if location == "(document)" else location, text))
    return violations, more


def refusal(error):
    """The EventRefused for an error of psycopg or SQLAlchemy; None for other errors."""
    original = error.orig if isinstance(error, DBAPIError) else error
    state = getattr(original, "sqlstate", None) or ""
    diag = getattr(original, "diag", None)
    if diag is None:
        return None
    if state == CHECK_VIOLATION:
        violations, more = parse_violations(diag.message_primary, diag.message_detail)
        return EventRefused("invalid", diag.message_primary, diag.constraint_name, violations, more, diag.message_hint)
    if state == UNDEFINED_OBJECT and "schema" in (diag.message_primary or ""):
        return EventRefused("unregistered", diag.message_primary, diag.constraint_name, hint=diag.message_hint)
    if state in NO_JSON and ("json" in (diag.message_primary or "") or "Unicode" in (diag.message_primary or "")):
        return EventRefused("no json", diag.message_primary, violations=[Violation("", diag.message_detail)] if diag.message_detail else ())
    if state.startswith(LIMITS):
        return EventRefused("limit", diag.message_primary, diag.constraint_name, hint=diag.message_hint)
    return None


@contextlib.contextmanager
def refusals():
    """Turns the database's error for a rejected event into an EventRefused; other errors pass."""
    try:
        yield
    except Exception as error:
        refused = refusal(error)
        if refused is None:
            raise
        raise refused from error
