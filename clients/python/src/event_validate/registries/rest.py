"""Requests with JSON over HTTP, and what all registries have in common."""

from __future__ import annotations

import abc
import base64
import dataclasses
import functools
import http.client
import json
import os
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from typing import Any

from event_validate.errors import Failure

MOST_BYTES = 64 << 20
PASSWORD, TOKEN = "EVENT_SCHEMAS_REGISTRY_PASSWORD", "EVENT_SCHEMAS_REGISTRY_TOKEN"


@dataclasses.dataclass(frozen=True, slots=True)
class Reference:
    """What a document calls another one: the name in its $ref, and the subject and version that it stands for."""

    name: str
    subject: str
    version: str


@dataclasses.dataclass(frozen=True, slots=True)
class Entry:
    """A version in a registry."""

    subject: str
    version: str
    text: str
    references: tuple[Reference, ...]


class Refused(Failure):
    """The registry answered with an error status."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Http:
    """A server with a base URL.  The password is in no message."""

    def __init__(self, url: str, user: str | None, timeout: float) -> None:
        try:
            parts = urllib.parse.urlsplit(url)
            port = parts.port
            (parts.hostname or "").encode("idna")
        except ValueError:
            raise Failure("the registry's URL is not valid") from None
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise Failure("the registry's URL must begin with http:// or https://")
        host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        self.url = f"{parts.scheme}://{host}{f':{port}' if port else ''}{parts.path.rstrip('/')}"
        self.timeout = timeout
        name = user or (urllib.parse.unquote(parts.username) if parts.username else None)
        password = os.environ.get(PASSWORD) or urllib.parse.unquote(parts.password or "")
        token = os.environ.get(TOKEN, "").strip()
        if not (token.isascii() and token.isprintable()):
            raise Failure(f"{TOKEN} must have only printable characters of ASCII")
        self.authorization = None
        if name is not None:
            self.authorization = "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()
        elif token:
            self.authorization = f"Bearer {token}"

    def request(self, method: str, path: str, body: Any = None, query: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None) -> str:
        """The text of an answer; raises Refused for a status of an error, Failure if there is no answer."""
        url = self.url + path + ("?" + urllib.parse.urlencode(query) if query else "")
        data = body.encode() if isinstance(body, str) else None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(url, data, method=method, headers={"Accept": "application/vnd.schemaregistry.v1+json, application/json, */*;q=0.5", **(headers or {})})
        if self.authorization:
            # not sent to where a redirection leads
            request.add_unredirected_header("Authorization", self.authorization)
        try:
            with urllib.request.urlopen(request, timeout=self.timeout) as answer:
                content = answer.read(MOST_BYTES + 1)
        except urllib.error.HTTPError as error:
            raise Refused(error.code, f"{method} {url}: {error.code}: {_reason(error)}") from None
        except UnicodeEncodeError:
            raise Failure(f"{method} {url}: a name cannot be sent to this registry: it is not ASCII") from None
        except (OSError, http.client.HTTPException) as error:
            reason = error.reason if isinstance(error, urllib.error.URLError) else error
            raise Failure(f"{method} {url}: no answer: {reason}") from None
        if len(content) > MOST_BYTES:
            raise Failure(f"{method} {url}: the answer has more than {MOST_BYTES >> 20} MB")
        try:
            return content.decode()
        except UnicodeDecodeError:
            raise Failure(f"{method} {url}: the answer is not UTF-8") from None

    def json(self, method: str, path: str, body: Any = None, query: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None) -> Any:
        """The value of an answer in JSON."""
        text = self.request(method, path, body, query, headers)
        try:
            return json.loads(text) if text else None
        except ValueError:
            raise Failure(f"{method} {self.url}{path}: the answer is not JSON", "Is this the URL of the registry's REST interface?") from None


def _reason(error: urllib.error.HTTPError) -> str:
    try:
        text = error.read(100_000).decode(errors="replace")
    except (OSError, http.client.HTTPException):
        text = ""
    try:
        said = json.loads(text)
        message = next((said[key] for key in ("message", "detail", "title") if isinstance(said.get(key), str)), text)
        return f"{message} ({said['error_code']})" if "error_code" in said else message
    except (ValueError, AttributeError):
        return " ".join(text.split())[:300] or str(error.reason)


def listed(value: Any) -> list[Any]:
    """The value, if it is a list; raises TypeError."""
    if not isinstance(value, list):
        raise TypeError
    return value


def string(value: Any) -> str:
    """The value, if it is a string; raises TypeError."""
    if not isinstance(value, str):
        raise TypeError
    return value


def part(text: str) -> str:
    """A part of a path."""
    return urllib.parse.quote(text, safe="")


def _documented(call: Callable[..., Any]) -> Callable[..., Any]:
    """The call, with a failure for answers that are not as documented."""
    @functools.wraps(call)
    def wrapped(registry: Registry, *arguments: Any) -> Any:
        try:
            return call(registry, *arguments)
        except (KeyError, TypeError, ValueError, AttributeError, IndexError):
            raise Failure(f"{registry.http.url}: an answer about {', '.join(str(one)[:100] for one in arguments if isinstance(one, str)) or 'its subjects'}"
                          " is not what the REST interface documents", "Is --kind that of this registry?") from None
    return wrapped


class Registry(abc.ABC):
    """The same calls for each kind of registry.  A policy is one of ours, in lower case."""

    http: Http
    default_dialect: str | None = None  # that of documents without $schema

    def __init_subclass__(cls) -> None:
        for name in ("subjects", "versions", "fetch", "policy", "publish", "set_policy", "find"):
            setattr(cls, name, _documented(getattr(cls, name)))

    @abc.abstractmethod
    def subjects(self) -> list[str]:
        """All subjects."""

    @abc.abstractmethod
    def versions(self, subject: str) -> list[str]:
        """The versions of a subject, in ascending order."""

    @abc.abstractmethod
    def fetch(self, subject: str, version: str) -> Entry | None:
        """A version; None if it is no JSON Schema."""

    @abc.abstractmethod
    def policy(self, subject: str) -> str | None:
        """The subject's policy; None if it has none of its own."""

    @abc.abstractmethod
    def publish(self, entry: Entry) -> str:
        """Registers a version, if it is not there; the version under which the registry has it."""

    @abc.abstractmethod
    def set_policy(self, subject: str, policy: str) -> None:
        """Sets the subject's policy."""

    @abc.abstractmethod
    def find(self, entry: Entry) -> str | None:
        """The version under which the registry has this document; None if it has not."""
