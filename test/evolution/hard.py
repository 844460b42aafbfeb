"""Pairs of schemas whose comparison reaches limits, for test/evolution/run."""

import copy
import random

SCALARS = [{"type": "string"}, {"type": "integer"}, {"type": "number"}, {"type": "boolean"},
           {"type": "string", "minLength": 2}, {"type": "integer", "minimum": 3}, {"type": ["string", "null"]}]


def variant(rng, names):
    """An object that no value of a property tells apart from another one."""
    chosen = rng.sample(names, min(len(names), rng.randint(2, 5)))
    schema = {"type": "object", "properties": {name: copy.deepcopy(rng.choice(SCALARS)) for name in chosen}}
    if rng.random() < 0.5:
        schema["required"] = chosen[:1]
    if rng.random() < 0.3:
        schema["additionalProperties"] = False
    return schema


def edit(rng, schema):
    """Changes one variant, in either direction."""
    name = rng.choice(sorted(schema["properties"]))
    way = rng.randrange(4)
    if way == 0:
        schema["properties"][name] = copy.deepcopy(rng.choice(SCALARS))
    elif way == 1:
        schema["properties"].pop(name)
        schema["properties"].setdefault("added", {"type": "integer"})
    elif way == 2:
        schema["properties"]["added"] = {"type": "string", "maxLength": rng.randint(3, 9)}
    else:
        schema["required"] = sorted(set(schema.get("required", [])) ^ {name})


def untagged(rng):
    """A union without a tag, of which some variants change."""
    names = [f"n{i}" for i in range(rng.randint(4, 9))]
    old = {"anyOf": [variant(rng, names) for _ in range(rng.randint(20, 60))]}
    new = copy.deepcopy(old)
    for member in rng.sample(new["anyOf"], rng.randint(1, 6)):
        edit(rng, member)
    if rng.random() < 0.5:
        return ({"type": "object", "properties": {f"u{i}": old for i in range(3)}},
                {"type": "object", "properties": {f"u{i}": new for i in range(3)}})
    return old, new


def nested(rng):
    """Unions within unions."""
    names = [f"n{i}" for i in range(5)]

    def union(depth):
        if depth == 0:
            return variant(rng, names)
        return {rng.choice(["anyOf", "oneOf"]): [union(depth - 1) for _ in range(rng.randint(3, 6))],
                "properties": {rng.choice(names): union(depth - 1)}}

    old = union(3)
    new = copy.deepcopy(old)

    def change(node):
        for keyword in ("anyOf", "oneOf"):
            if keyword in node:
                for member in rng.sample(node[keyword], 2):
                    change(member)
                return
        edit(rng, node)

    change(new)
    return old, new


def patterns(rng):
    """Patterns whose automata have as many states as are built, or more."""
    def pattern(size):
        return rng.choice(["^(a|b)*a(a|b){%d}$", "^(a|b)*b(a|b){%d}c?$", "^.*x.{%d}$"]) % size

    old = {"type": "object", "properties": {f"p{i}": {"type": "string", "pattern": pattern(rng.randint(5, 14))}
                                            for i in range(rng.randint(5, 30))}}
    new = copy.deepcopy(old)
    for schema in new["properties"].values():
        if rng.random() < 0.7:
            schema["pattern"] = pattern(rng.randint(5, 14))
    return old, new


def many_groups(rng):
    """Many anyOf at one place."""
    def group(i):
        return {"anyOf": [{"properties": {f"p{(i + j) % 12}": copy.deepcopy(rng.choice(SCALARS))},
                           "required": [f"p{(i + j) % 12}"]} for j in range(rng.randint(2, 4))]}

    old = {"type": "object", "allOf": [group(i) for i in range(rng.randint(6, 16))]}
    new = copy.deepcopy(old)
    for one in rng.sample(new["allOf"], rng.randint(1, 5)):
        edit(rng, rng.choice(one["anyOf"]))
    return old, new


def many_changes(rng):
    """More than a hundred changed properties, each of them hard."""
    names = [f"n{i}" for i in range(4)]
    old = {"type": "object", "properties": {
        f"p{i}": {rng.choice(["anyOf", "oneOf"]): [variant(rng, names) for _ in range(rng.randint(3, 7))]}
        for i in range(rng.randint(100, 160))}}
    new = copy.deepcopy(old)
    for schema in new["properties"].values():
        edit(rng, rng.choice(next(iter(schema.values()))))
    return old, new


def conditions(rng):
    """Conditions and exclusions about the same properties."""
    names = [f"n{i}" for i in range(6)]
    old = {"type": "object", "allOf": [
        {"if": variant(rng, names), "then": variant(rng, names), "else": {"not": variant(rng, names)}}
        for _ in range(rng.randint(3, 10))]}
    new = copy.deepcopy(old)
    for one in rng.sample(new["allOf"], 2):
        edit(rng, one[rng.choice(["if", "then"])])
    return old, new


def long_lists(rng):
    """Lists of very many values."""
    old = {"type": "object", "properties": {f"p{i}": {"enum": [rng.randrange(100000) for _ in range(2000)] + ["x" * 50]}
                                            for i in range(10)}}
    for schema in old["properties"].values():
        schema["enum"] = sorted(set(map(str, schema["enum"])))
    new = copy.deepcopy(old)
    for schema in new["properties"].values():
        schema["enum"] = schema["enum"][rng.randrange(3):] + ["added"] * rng.randrange(2)
    return old, new


KINDS = [untagged, nested, patterns, many_groups, many_changes, conditions, long_lists]


def pair(rng, number):
    kind = KINDS[number % len(KINDS)]
    old, new = kind(rng)
    return (f"hard: {kind.__name__}", old, new) if rng.random() < 0.5 else (f"hard: {kind.__name__}", new, old)
