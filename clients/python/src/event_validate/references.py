"""References between schemas: which there are, in which order schemas can be registered, and how to rewrite them."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterator, Mapping
from typing import TypeVar
from urllib.parse import unquote, urljoin

from event_validate.jsontext import JSON

# the keywords whose values are data, in which "$ref" is no keyword
_DATA = frozenset({"const", "enum", "default", "examples", "example"})
_REFERENCES = ("$ref", "$dynamicRef", "$recursiveRef")
# the keywords whose keys are names, not keywords
MAPS = frozenset({"properties", "patternProperties", "$defs", "definitions", "dependentSchemas", "dependencies"})
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")

Node = TypeVar("Node", bound=Hashable)


def resolve(base: str, reference: str) -> str:
    """The absolute URI of a reference, without its fragment; the scheme event: is treated as the extension does."""
    reference, base = reference.partition("#")[0], base.partition("#")[0]
    if not reference:
        return base
    if _SCHEME.match(reference):
        return reference
    if base.startswith("event:"):
        return f"event:{reference}"
    try:
        return urljoin(base, reference)
    except ValueError:  # no URI, so that nothing has it
        return reference


def subschemas(schema: JSON, base: str) -> Iterator[tuple[dict[str, JSON], str]]:
    """The objects of a document that can be schemas, each with its base URI."""
    pending: list[tuple[JSON, str, bool]] = [(schema, base, False)]
    while pending:
        value, base, is_map = pending.pop()
        if isinstance(value, list):
            pending.extend((item, base, False) for item in value)
        elif isinstance(value, dict):
            if is_map:
                pending.extend((item, base, False) for item in value.values())
                continue
            identifier = value.get("$id", value.get("id"))
            if isinstance(identifier, str) and not identifier.startswith("#"):
                base = resolve(base, identifier)
            yield value, base
            pending.extend((item, base, key in MAPS) for key, item in value.items() if key not in _DATA)


def references(schema: JSON, base: str) -> set[str]:
    """The absolute URIs to which a document refers, without fragments and without its own."""
    found, own = set(), {base.partition("#")[0]}
    for value, inner in subschemas(schema, base):
        own.add(inner)
        found.update(resolve(inner, value[keyword]) for keyword in _REFERENCES if isinstance(value.get(keyword), str))
        dialect = value.get("$schema")
        if isinstance(dialect, str):
            found.add(dialect.partition("#")[0])
    return found - own


def event_of(uri: str) -> str | None:
    """TYPE@VERSION of the URI event:TYPE@VERSION."""
    return unquote(uri.removeprefix("event:")) if uri.startswith("event:") else None


def rewrite(schema: JSON, base: str, change: Callable[[str, str], str | None]) -> JSON:
    """A copy in which references are changed: change(reference without fragment, resolved) gives the new one, or None."""
    if isinstance(schema, dict | list):
        schema = _copy(schema)
    for value, inner in subschemas(schema, base):
        for keyword in _REFERENCES:
            reference = value.get(keyword)
            if isinstance(reference, str) and not reference.startswith("#"):
                target, _, fragment = reference.partition("#")
                new = change(target, resolve(inner, reference))
                if new is not None:
                    value[keyword] = new + (f"#{fragment}" if "#" in reference else "")
    return schema


def _copy(value: JSON) -> JSON:
    if isinstance(value, dict):
        return {key: _copy(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_copy(item) for item in value]
    return value


def in_order(graph: Mapping[Node, set[Node]]) -> list[list[Node]]:
    """The nodes in an order in which each comes after those to which it refers; nodes of a circle are in one group.

    Tarjan's algorithm, without recursion; nodes that are not keys of the graph are ignored."""
    index: dict[Node, int] = {}
    low: dict[Node, int] = {}
    on_stack: set[Node] = set()
    stack: list[Node] = []
    groups: list[list[Node]] = []
    # an order of its own, so that the output is always the same
    order = {node: number for number, node in enumerate(graph)}
    for root in graph:
        if root in index:
            continue
        work: list[tuple[Node, Iterator[Node]]] = []

        def enter(node: Node) -> None:
            index[node] = low[node] = len(index)
            stack.append(node)
            on_stack.add(node)
            work.append((node, iter(sorted(graph[node] & order.keys(), key=order.__getitem__))))  # noqa: B023

        enter(root)
        while work:
            node, others = work[-1]
            for other in others:
                if other not in index:
                    enter(other)
                    break
                if other in on_stack:
                    low[node] = min(low[node], index[other])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    group = stack[stack.index(node):]
                    del stack[stack.index(node):]
                    on_stack.difference_update(group)
                    groups.append(sorted(group, key=order.__getitem__))
    return groups
