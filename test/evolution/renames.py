"""Pairs of schemas between which properties have other names, and instances for them.

The mapping is a tree: a node has the new names of properties of an object, the nodes of the
values of properties, and the node of the items of an array.  The given random.Random
determines everything.
"""

import copy

import generator

NAMES = [*generator.NAMES, "new", "other"]


class Node:
    def __init__(self):
        self.names = {}
        self.below = {}
        self.items = None

    def inverse(self):
        """The node of the way back."""
        node = Node()
        node.names = {new: old for old, new in self.names.items()}
        node.below = {self.names.get(name, name): child.inverse() for name, child in self.below.items()}
        node.items = self.items and self.items.inverse()
        return node

    def mapping(self, old="", new=""):
        """The mapping as event_schema_changes takes it."""
        result = {f"{old}/{escaped(name)}": f"{new}/{escaped(to)}" for name, to in self.names.items()}
        for name, child in self.below.items():
            result.update(child.mapping(f"{old}/{escaped(name)}", f"{new}/{escaped(self.names.get(name, name))}"))
        if self.items:
            result.update(self.items.mapping(f"{old}/*", f"{new}/*"))
        return result


def escaped(name):
    return name.replace("~", "~0").replace("/", "~1")


# ---------- making a mapping ----------

IN_PLACE = ["allOf", "anyOf", "oneOf", "not", "if", "then", "else"]


def target(schema, whole):
    return whole if schema["$ref"] == "#" else whole["$defs"]["it"]


def applied(schema, whole, depth=0):
    """The schemas that may apply to the same instance, this one first."""
    if not isinstance(schema, dict) or depth > 8:
        return
    yield schema
    children = [schema[keyword] for keyword in IN_PLACE if keyword in schema]
    children += schema.get("dependentSchemas", {}).values()
    if "$ref" in schema:
        children.append(target(schema, whole))
    for child in children:
        for one in child if isinstance(child, list) else [child]:
            yield from applied(one, whole, depth + 1)


def node_for(rng, schemas, whole, depth=0):
    """A node that renames properties of which these schemas speak, and properties below; None if there are none."""
    cover = [one for schema in schemas for one in applied(schema, whole)]
    node = Node()
    known = sorted({name for one in cover for name in one.get("properties", {})})
    if known and (depth == 0 or rng.random() < 0.7):
        for name in rng.sample(known, min(len(known), rng.choice([0, 1, 1, 1, 2]))):
            free = [n for n in NAMES if n not in node.names.values() and n != name and (rng.random() < 0.3 or n not in known)]
            if free:
                node.names[name] = rng.choice(free)
        if len(known) > 1 and rng.random() < 0.1:
            first, second = rng.sample(known, 2)
            node.names = {first: second, second: first}
    if depth < 2:
        for name in known:
            if name in node.names.values() and name not in node.names:
                continue
            children = [one["properties"][name] for one in cover if name in one.get("properties", {})]
            child = node_for(rng, children, whole, depth + 1) if rng.random() < 0.5 else None
            if child:
                node.below[name] = child
        items = [one[keyword] for one in cover for keyword in ("items",) if isinstance(one.get(keyword), dict)]
        if items and rng.random() < 0.7:
            node.items = node_for(rng, items, whole, depth + 1)
    return node if node.names or node.below or node.items else None


# ---------- the schema with the new names ----------

def renamed(schema, node, whole):
    """A schema in which the properties of a node have their new names, as a person would write it: where a
    keyword names them.  Patterns of names and the like stay."""
    if node is None or not isinstance(schema, dict):
        return schema
    result = {}
    names = lambda old: [node.names.get(name, name) for name in old]  # noqa: E731
    for keyword, value in schema.items():
        if keyword == "properties":
            value = {node.names.get(name, name): renamed(child, node.below.get(name), whole) for name, child in value.items()}
        elif keyword == "required":
            value = sorted(set(names(value)))
        elif keyword == "dependentRequired":
            value = {node.names.get(name, name): names(others) for name, others in value.items()}
        elif keyword == "dependentSchemas":
            value = {node.names.get(name, name): renamed(child, node, whole) for name, child in value.items()}
        elif keyword in IN_PLACE:
            value = [renamed(child, node, whole) for child in value] if isinstance(value, list) else renamed(value, node, whole)
        elif keyword == "$defs" and schema is whole:
            value = {name: renamed(child, node, whole) for name, child in value.items()}
        elif keyword in ("items", "prefixItems", "contains", "additionalItems"):
            value = [renamed(child, node.items, whole) for child in value] if isinstance(value, list) else \
                renamed(value, node.items, whole)
        result[keyword] = value
    return result


def restricted(rng, schema):
    """A schema that says one thing more about properties: what a rename may not be able to follow."""
    name, other = rng.sample(NAMES, 2)
    more = rng.choice([
        {"patternProperties": {rng.choice(["^a", "e", "^(new|b)$", "^.$"]): generator.any_schema(rng, 2)}},
        {"propertyNames": rng.choice([{"maxLength": 3}, {"enum": NAMES[:5]}, {"pattern": "^[^n]"}])},
        {"unevaluatedProperties": rng.choice([False, generator.any_schema(rng, 3)])},
        {"additionalProperties": rng.choice([False, generator.any_schema(rng, 3)])},
        {"dependentRequired": {name: [other]}},
        {"dependentSchemas": {name: {"properties": {other: generator.any_schema(rng, 3)}}}},
        {"dependentSchemas": {name: {"required": [other]}}},
        {"not": {"required": [name]}},
        {"if": {"required": [name]}, "then": {"required": [other]}},
        {"required": [name]},
        {"maxProperties": 3},
    ])
    return {**schema, **more}


def barred(rng, schema, node):
    """A schema that forbids old names."""
    if isinstance(schema.get("properties"), dict) and rng.random() < 0.8:
        for name in node.names:
            schema["properties"].setdefault(name, False)
    return schema


def pair(rng):
    """(kind, old, new, node)"""
    while True:
        old = rng.choice([generator.root, generator.root, generator.layered, generator.union])(rng)
        if rng.random() < 0.4:
            old = restricted(rng, old)
        if rng.random() < 0.3:
            old = generator.disguised(rng, old)
        node = node_for(rng, [old], old)
        if node is not None and "$schema" not in old:
            break
    kind = "renamed"
    new = copy.deepcopy(renamed(old, node, old))
    if rng.random() < 0.3:
        new = barred(rng, new, node)
    chance = rng.random()
    if chance < 0.3:
        result = generator.changed(rng, new)
        if result is not None:
            new, kind = result[0], "renamed and changed"
    elif chance < 0.4:
        new, kind = restricted(rng, new), "renamed and restricted"
    elif chance < 0.5:
        new, kind = copy.deepcopy(old), "renamed in the mapping only"
    return kind, old, new, node


# ---------- instances ----------

def both_names(rng, value, node):
    """A value in which an object has a new name, in addition to the old one or instead of it."""
    if node is None:
        return value
    if isinstance(value, list):
        return [both_names(rng, item, node.items) for item in value]
    if not isinstance(value, dict):
        return value
    value = {name: both_names(rng, child, node.below.get(name)) for name, child in value.items()}
    for name, to in node.names.items():
        if rng.random() < 0.4:
            value[to] = copy.deepcopy(value[name]) if name in value and rng.random() < 0.5 else generator.anything(rng, 2)
        if rng.random() < 0.3:
            value.pop(name, None)
    return value


def instances(rng, old, new, node, count):
    """(values of the old schema, values of the new one)"""
    result = []
    for schema, way in ((old, node), (new, node.inverse())):
        values = []
        for i in range(count // 2):
            value = generator.near(rng, schema, schema)
            if i % 3 == 2:
                value = both_names(rng, value, way)
            if value not in values:
                values.append(value)
        result.append(values)
    return result
