"""Faults in files, and failures of the command."""

from __future__ import annotations

import dataclasses
from typing import Any

SEVERITIES = ("error", "warning", "note")


def shown(text: str) -> str:
    """A text for a terminal: characters that control it, or cannot be seen, are \\uXXXX; lines stay lines."""
    return "".join(one if one.isprintable() or one == "\n" else f"\\u{ord(one):04x}" for one in text)


class Failure(Exception):
    """The command cannot do what it was asked to do: a message for the user, exit status 2."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


@dataclasses.dataclass(frozen=True, slots=True)
class Finding:
    """What was found about a file."""

    severity: str
    message: str
    path: str
    line: int | None = None
    column: int | None = None
    location: str | None = None  # a JSON Pointer
    rule: str | None = None
    hint: str | None = None

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.path, self.line, self.column) if part is not None)
        rule = f" ({self.rule})" if self.rule else ""
        hint = f"\n    {self.hint}" if self.hint else ""
        return f"{place}: {self.severity}: {self.message}{rule}{hint}"

    def as_json(self) -> dict[str, Any]:
        return dataclasses.asdict(self)
