"""The database's errors for rejected events, as objects.

    with refusals():
        publish(session, event)

raises EventRefused instead of the driver's error.  If the error came from
SQLAlchemy, roll its session or connection back, as after any error, at least to
the last savepoint.
"""

import contextlib
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
        lines += [f"  {v.location or '(document)'}: {v.message}" for v in self.violations]
        if self.more:
            lines.append(f"  and {self.more} more")
        if self.hint:
            lines.append(self.hint)
        return "\n".join(lines)


class EventDiverted(Exception):
    """The event is in the quarantine, from which it can be replayed."""


def parse_detail(detail):
    """The violations in a DETAIL, one on each line, and the number of others."""
    violations, more = [], 0
    for line in (detail or "").split("\n"):
        words = line.split()
        if len(words) == 3 and words[0] == "and" and words[1].isdigit() and words[2] == "more":
            more = int(words[1])
        elif ": " in line:
            location, message = line.split(": ", 1)
            violations.append(Violation("" if location == "(document)" else location, message))
        elif line and violations:
            # a value may contain line breaks
            violations[-1] = Violation(violations[-1].location, violations[-1].message + "\n" + line)
    return violations, more


def refusal(error):
    """The EventRefused for an error of psycopg or SQLAlchemy; None for other errors."""
    original = error.orig if isinstance(error, DBAPIError) else error
    state = getattr(original, "sqlstate", None) or ""
    diag = getattr(original, "diag", None)
    if diag is None:
        return None
    if state == CHECK_VIOLATION:
        violations, more = parse_detail(diag.message_detail)
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
