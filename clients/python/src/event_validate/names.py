"""Names of files and of functions in event_schema, from types, versions and URIs."""

from __future__ import annotations

import base64
import hashlib
import re
import string

MAX_VERSION = 2147483647
LONGEST_FILE_NAME = 200

_PLAIN = frozenset((string.ascii_letters + string.digits + "._-+").encode())
_UPPER = frozenset(string.ascii_uppercase.encode())
_LETTERS = frozenset(string.ascii_letters.encode())
_EVENT = re.compile(r"(.*)@(0|[1-9][0-9]*)", re.DOTALL)
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s]*")


def escape(name: str, letters: str = "all") -> str:
    """A type or URI as (a part of) the name of a file.

    Bytes of UTF-8 other than letters and digits of ASCII and ._-+ are %XX, and so is a dot at the beginning.
    letters says which letters stay: all, those in lower case, none."""
    escaped = {"all": frozenset(), "lower": _UPPER, "none": _LETTERS}[letters]
    text = "".join(chr(byte) if byte in _PLAIN and byte not in escaped else f"%{byte:02X}" for byte in name.encode())
    return "%2E" + text[1:] if text.startswith(".") else text


def unescape(text: str) -> str:
    """The type or URI of a file's name; raises ValueError."""
    if re.search("%(?![0-9A-Fa-f]{2})", text):
        raise ValueError('"%" must be followed by two hexadecimal digits')
    parts = re.split("((?:%[0-9A-Fa-f]{2})+)", text)
    try:
        return "".join(bytes.fromhex(part.replace("%", "")).decode() if number % 2 else part for number, part in enumerate(parts))
    except UnicodeDecodeError:
        raise ValueError("the bytes after \"%\" are not UTF-8") from None


def stem(name: str) -> tuple[str, bool]:
    """The beginning of the names of a type's or URI's files, and whether it is shortened."""
    text = escape(name)
    return (text, False) if len(text) <= LONGEST_FILE_NAME else (short_stem(name), True)


def short_stem(name: str) -> str:
    """40 bytes of the name, ~ and a hash."""
    return re.sub("%[0-9A-F]?$", "", escape(name)[:40]) + "~" + hashlib.sha256(name.encode()).hexdigest()[:16]


def event_name(text: str) -> tuple[str, int] | None:
    """The type and version of TYPE@VERSION; None if the text is not of this form."""
    match = _EVENT.fullmatch(text)
    if match is None or not match[1] or int(match[2]) > MAX_VERSION:
        return None
    return match[1], int(match[2])


def is_uri(text: str) -> bool:
    """Whether the text is an absolute URI, in the sense of register_schema."""
    return _URI.fullmatch(text) is not None


def _short_type(event_type: str) -> str:
    prefix = event_type.encode()[:18].decode(errors="ignore")
    digest = hashlib.sha256(event_type.encode()).digest()[:16]
    return f"{prefix}@{base64.urlsafe_b64encode(digest).decode().rstrip('=')}"


def function_name(event_type: str, suffix: str) -> str:
    """The name of a function in event_schema: suffix is a version, FROM>TO or "compatibility" (docs/reference/sql.md, Long types)."""
    name = f"{event_type}@{suffix}"
    return name if len(name.encode()) <= 62 else f"{_short_type(event_type)}~{suffix}"


def document_function_name(uri: str) -> str:
    """The name of a document's function in event_schema."""
    if len(uri.encode()) <= 62 and "@" not in uri:
        return uri
    return "uri:" + hashlib.sha256(uri.encode()).hexdigest()[:32]
