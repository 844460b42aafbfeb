"""JSON with its numbers as written, and the places of values in a text.

Numbers are decimal.Decimal: 1.10 is written as 1.10 again, and no price becomes a binary
fraction."""

from __future__ import annotations

import decimal
import json
import re
from typing import Any

JSON = Any  # dict, list, str, bool, None or Decimal

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]:,]|[^\s{}\[\]:,"]+')
# a pair of escapes, or (group 1) half of a pair, or another escape
_SURROGATE = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(\\u[dD][89a-fA-F][0-9a-fA-F]{2}|[\ud800-\udfff])|\\.", re.DOTALL)


class Malformed(ValueError):
    """The text is not JSON."""

    def __init__(self, message: str, line: int, column: int) -> None:
        super().__init__(message)
        self.message, self.line, self.column = message, line, column


def _constant(name: str) -> JSON:
    raise ValueError(f"{name} is not JSON")


def _number(text: str) -> decimal.Decimal:
    try:
        return decimal.Decimal(text)
    except decimal.InvalidOperation:
        raise ValueError(f"the number {text[:40]} is out of range") from None


def loads(text: str) -> JSON:
    """The value of a JSON text; raises Malformed."""
    try:
        value = json.loads(text, parse_float=_number, parse_int=_number, parse_constant=_constant)
    except json.JSONDecodeError as error:
        raise Malformed(error.msg, error.lineno, error.colno) from None
    except RecursionError:
        raise Malformed("the document is nested too deeply", 1, 1) from None
    except ValueError as error:
        raise Malformed(str(error), 1, 1) from None
    for match in _SURROGATE.finditer(text):
        if match[1]:  # no text in UTF-8 can have it
            raise Malformed(f"{match[1] if match[1].isascii() else f'U+{ord(match[1]):04X}'} is half of a surrogate pair", *_line_and_column(text, match.start()))
    return value


def same(one: JSON, other: JSON) -> bool:
    """Equal as JSON: 1.0 equals 1, true does not."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return type(one) is type(other) and bool(one == other)


def dumps(value: JSON, indent: str = "  ", margin: str = "") -> str:
    """The JSON text of a value, in lines if indent is not empty."""
    if isinstance(value, decimal.Decimal):
        return str(value)
    if isinstance(value, dict):
        items = [f"{json.dumps(key, ensure_ascii=False)}: {dumps(item, indent, margin + indent)}" for key, item in value.items()]
        return _joined("{", items, "}", indent, margin)
    if isinstance(value, list):
        return _joined("[", [dumps(item, indent, margin + indent) for item in value], "]", indent, margin)
    return json.dumps(value, ensure_ascii=False)


def _joined(left: str, items: list[str], right: str, indent: str, margin: str) -> str:
    one_line = left + ", ".join(items) + right
    if not items or not indent or (len(one_line) <= 80 and "\n" not in one_line and (margin or left == "[" or len(items) == 1)):
        return one_line
    return f"{left}\n{margin}{indent}" + f",\n{margin}{indent}".join(items) + f"\n{margin}{right}"


def escape(key: str) -> str:
    """A key as a part of a JSON Pointer."""
    return key.replace("~", "~0").replace("/", "~1")


def offsets(text: str) -> dict[str, int]:
    """The offset of each value of a valid JSON text, by its JSON Pointer."""
    found: dict[str, int] = {}
    stack: list[tuple[str, str | int]] = []  # pointer of the container, key or index in it
    key_next = False
    for match in _TOKEN.finditer(text):
        token = match[0]
        if token == ",":
            pointer, index = stack[-1]
            if isinstance(index, int):
                stack[-1] = (pointer, index + 1)
            else:
                key_next = True
        elif token in "}]":
            stack.pop()
            key_next = False
        elif key_next:
            stack[-1] = (stack[-1][0], json.loads(token))
            key_next = False
        elif token != ":":
            pointer = f"{stack[-1][0]}/{escape(str(stack[-1][1]))}" if stack else ""
            found[pointer] = match.start()
            if token == "{":
                stack.append((pointer, ""))
                key_next = True
            elif token == "[":
                stack.append((pointer, 0))
    return found


def place(text: str, pointer: str) -> tuple[int, int] | None:
    """Line and column of the value at a JSON Pointer, or of the nearest value around it."""
    found = offsets(text)
    while pointer not in found:
        if not pointer:
            return None
        pointer = pointer.rpartition("/")[0]
    return _line_and_column(text, found[pointer])


def _line_and_column(text: str, offset: int) -> tuple[int, int]:
    return text.count("\n", 0, offset) + 1, offset - (text.rfind("\n", 0, offset) + 1) + 1
