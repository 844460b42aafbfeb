"""Pairs of schemas, one made from the other by a change of a known kind, and
instances for them.  The given random.Random determines everything."""

import copy
import json

NAMES = ["a", "b", "c", "id", "kind", "x-y"]
PATTERNS = ["^a", "^[0-9]+$", "b", "^.{2,4}$", "^[A-Z]{1,3}$"]
NAME_PATTERNS = ["^a", "^x-", "[0-9]$"]
FORMATS = ["date", "date-time", "uuid", "email", "ipv4", "time"]
STRINGS = ["", "a", "ab", "abc", "abcd", "b", "123", "7", "ABC", "X", "ä", "2024-01-31", "2024-01-31T10:00:00Z",
           "10:00:00Z", "192.0.2.1", "a@example.com", "0b4e6cd8-52f5-4b8c-8e55-4f5f7d3a9a10", "kind-a", "kind-b"]
NUMBERS = [-1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0.5, 1.5, 2.25, 9.99, 10.01, 100, 1e20,
           9007199254740993, 9007199254740992]
SCALARS = [None, True, False]


# ---------- schemas ----------

def expression(rng, depth=0):
    """A regular expression about the characters a and b."""
    chance = rng.random()
    if depth >= 3 or chance < 0.3:
        return rng.choice(["a", "b", "[ab]", ".", "[^a]", "ab"])
    if chance < 0.5:
        return expression(rng, depth + 1) + expression(rng, depth + 1)
    if chance < 0.65:
        return f"({expression(rng, depth + 1)}|{expression(rng, depth + 1)})"
    if chance < 0.9:
        return f"({expression(rng, depth + 1)}){rng.choice(['*', '+', '?', '{2}', '{1,3}', '{2,}'])}"
    return rng.choice(["(?=", "(?!", "(?<=", "(?<!"]) + rng.choice(["a", "b", "ab", "[ab]$", "^b"]) + ")"


def pattern(rng):
    if rng.random() < 0.4:
        return rng.choice(PATTERNS)
    return rng.choice(["^", ""]) + expression(rng) + rng.choice(["$", ""])


def number(rng):
    schema = {"type": rng.choice(["integer", "number"])}
    if rng.random() < 0.5:
        schema[rng.choice(["minimum", "exclusiveMinimum"])] = rng.choice([-1, 0, 1, 2, 3, 0.5])
    if rng.random() < 0.5:
        schema[rng.choice(["maximum", "exclusiveMaximum"])] = rng.choice([5, 6, 10, 10.5, 100, 9007199254740993])
    if rng.random() < 0.2:
        schema["multipleOf"] = rng.choice([0.5, 1, 2, 3, 4, 6])
    return schema


def string(rng):
    schema = {"type": "string"}
    if rng.random() < 0.3:
        schema["minLength"] = rng.randrange(3)
    if rng.random() < 0.3:
        schema["maxLength"] = rng.randrange(2, 6)
    if rng.random() < 0.15:
        schema["pattern"] = pattern(rng)
    if rng.random() < 0.15:
        schema["format"] = rng.choice(FORMATS)
    return schema


def listed(rng):
    values = rng.sample(STRINGS[1:8] + [1, 2, 3, None, True], rng.randrange(1, 5))
    if len(values) == 1 and rng.random() < 0.5:
        return {"const": values[0]}
    schema = {"enum": values}
    if rng.random() < 0.3:
        schema["type"] = rng.choice([["string", "integer"], "string", ["string", "null", "integer", "boolean"]])
    return schema


def array(rng, depth):
    schema = {"type": "array"}
    if rng.random() < 0.7:
        schema["items"] = any_schema(rng, depth + 1)
    if rng.random() < 0.25:
        schema["prefixItems"] = [any_schema(rng, depth + 1) for _ in range(rng.randrange(1, 3))]
        if rng.random() < 0.5:
            schema["items"] = False
    if rng.random() < 0.3:
        schema["minItems"] = rng.randrange(3)
    if rng.random() < 0.3:
        schema["maxItems"] = rng.randrange(2, 5)
    if rng.random() < 0.15:
        schema["uniqueItems"] = True
    if rng.random() < 0.15:
        schema["contains"] = any_schema(rng, depth + 1)
        if rng.random() < 0.4:
            schema["minContains"] = rng.randrange(3)
        if rng.random() < 0.4:
            schema["maxContains"] = rng.randrange(1, 4)
    return schema


def object_(rng, depth):
    names = rng.sample(NAMES, rng.randrange(0, 4))
    schema = {"type": "object", "properties": {name: any_schema(rng, depth + 1) for name in names}}
    required = [name for name in names if rng.random() < 0.4]
    if rng.random() < 0.05:
        required.append(rng.choice(NAMES))
    if required:
        schema["required"] = sorted(set(required))
    chance = rng.random()
    if chance < 0.3:
        schema["additionalProperties"] = False
    elif chance < 0.4:
        schema["additionalProperties"] = any_schema(rng, depth + 1)
    elif chance < 0.5:
        schema["unevaluatedProperties"] = False
    if rng.random() < 0.12:
        schema["patternProperties"] = {rng.choice([*NAME_PATTERNS, pattern(rng)]): any_schema(rng, depth + 1)
                                       for _ in range(rng.randrange(1, 3))}
    if rng.random() < 0.08:
        schema["propertyNames"] = rng.choice([{"maxLength": 3}, {"pattern": "^[a-k]"}, {"enum": NAMES[:4]}])
    if rng.random() < 0.08:
        schema["minProperties"] = rng.randrange(3)
    if rng.random() < 0.08:
        schema["maxProperties"] = rng.randrange(2, 5)
    if rng.random() < 0.08:
        schema["dependentRequired"] = {rng.choice(NAMES): rng.sample(NAMES, 1)}
    if rng.random() < 0.06:
        schema["dependentSchemas"] = {rng.choice(NAMES): {"properties": {rng.choice(NAMES): any_schema(rng, depth + 1)}}}
    return schema


def tagged(rng, depth):
    """Branches that a constant discriminates."""
    return {"type": "object", "properties": {"kind": {"const": rng.choice(["kind-a", "kind-b", "kind-c"])},
                                             "a": any_schema(rng, depth + 1)}, "required": ["kind"]}


def group(rng, depth):
    keyword = rng.choice(["anyOf", "oneOf"])
    if rng.random() < 0.3:
        return {keyword: [tagged(rng, depth) for _ in range(rng.randrange(2, 4))]}
    return {keyword: [any_schema(rng, depth + 1) for _ in range(rng.randrange(1, 4))]}


def about_one(rng, depth):
    """A schema that says something about one property, as tests of conditions do."""
    name = rng.choice(NAMES)
    schema = {"properties": {name: rng.choice([listed, listed, number, string, lambda r: any_schema(r, depth + 2)])(rng)}}
    if rng.random() < 0.4:
        schema["required"] = [name]
    if rng.random() < 0.15:
        return {"required": [name]}
    if rng.random() < 0.2:
        schema["type"] = rng.choice(["object", ["object", "null"]])
    return schema


def conditional(rng, depth):
    """An object with conditions, or an exclusion, on single properties."""
    schema = object_(rng, depth)
    if rng.random() < 0.25:
        return {**schema, "not": about_one(rng, depth)}
    conditions = [{"if": about_one(rng, depth), rng.choice(["then", "else"]): object_(rng, depth + 1)}
                  for _ in range(rng.randrange(1, 4))]
    if len(conditions) == 1 and rng.random() < 0.5:
        return {**schema, **conditions[0]}
    return {**schema, "allOf": conditions}


def combined(rng, depth):
    chance = rng.random()
    if chance < 0.2:
        return conditional(rng, depth)
    chance = rng.random()
    if chance < 0.5:
        return group(rng, depth)
    if chance < 0.65:
        return {"allOf": [any_schema(rng, depth + 1), rng.choice([number, string])(rng)]}
    if chance < 0.75:
        return {**rng.choice([number, string, listed])(rng), "not": rng.choice([listed, number, string])(rng)}
    if chance < 0.9:
        return {"if": any_schema(rng, depth + 1), "then": any_schema(rng, depth + 1),
                **({"else": any_schema(rng, depth + 1)} if rng.random() < 0.6 else {})}
    return {**object_(rng, depth), **group(rng, depth + 1)}


def any_schema(rng, depth=0):
    chance = rng.random()
    if depth >= 3 or chance < 0.5:
        return rng.choice([number, string, listed, lambda _: {"type": rng.choice(["null", "boolean", "string"])}])(rng)
    if chance < 0.8:
        return object_(rng, depth)
    if chance < 0.88:
        return array(rng, depth)
    if chance < 0.97:
        return combined(rng, depth)
    return rng.choice([True, {}, {"type": ["string", "null"]}, {"type": ["object", "string"], "required": ["a"]}])


def root(rng):
    if rng.random() < 0.8:
        schema = object_(rng, 0)
    else:
        schema = any_schema(rng, 0)
    if not isinstance(schema, dict):
        schema = {}
    return schema


# ---------- unions ----------

TAGS = ["kind", "id", "x-y"]


def variant(rng, tag, values, form):
    """One variant of a union, which lists values of its tag."""
    listed_values = {"const": values[0]} if len(values) == 1 else {"enum": values}
    schema = {"type": "object", "properties": {tag: listed_values}}
    if form["nested"]:
        schema = {"type": "object", "properties": {"c": {"type": "object", "properties": {tag: listed_values}, "required": [tag]}}}
    if form["required"]:
        schema["required"] = ["c" if form["nested"] else tag]
    for name in rng.sample(["a", "b"], rng.randrange(3)):
        schema["properties"][name] = form["same"] if rng.random() < 0.6 else any_schema(rng, 2)
        if rng.random() < 0.4:
            schema["required"] = sorted({*schema.get("required", []), name})
    if form["closed"]:
        schema["additionalProperties"] = False
    if form["untyped"] or rng.random() < 0.05:
        del schema["type"]
    return schema


def union(rng):
    """A union of up to 50 variants, anywhere in a schema; with a place for one more."""
    form = {"nested": rng.random() < 0.15, "required": rng.random() < 0.6, "closed": rng.random() < 0.3,
            "untyped": rng.random() < 0.15, "same": any_schema(rng, 3)}
    tag = rng.choice(TAGS)
    count = rng.choice([2, 3, 4, 5, 8, 12, 20, 50])
    names = [f"kind-{i}" for i in range(count)]
    if rng.random() < 0.1:
        names[-1] = names[0]
    keyword = "oneOf" if rng.random() < 0.7 else "anyOf"
    members = [variant(rng, tag, [name] if rng.random() < 0.9 else [name, name + "x"], form) for name in names]
    if rng.random() < 0.15 and count > 3:
        # a union within the union
        cut = rng.randrange(1, count - 1)
        members = [*members[:cut], {rng.choice(["oneOf", "anyOf"]): members[cut:]}]
    if rng.random() < 0.1:
        members.append({"type": "null"})
    if rng.random() < 0.1:
        # a condition for one of the variants
        whole = {keyword: members, "allOf": [{"if": {"properties": {tag: {"const": name}}, "required": [tag]},
                                              "then": {"required": [rng.choice(["a", "b"])]}} for name in names[:3]]}
    else:
        whole = {keyword: members}
    chance = rng.random()
    if chance < 0.5:
        return whole
    if chance < 0.6:
        return {"type": "object", "properties": {"v": whole}, **({"required": ["v"]} if rng.random() < 0.5 else {})}
    if chance < 0.7:
        return {"type": "array", "items": whole}
    if chance < 0.8:
        return {"type": "object", "additionalProperties": whole}
    if chance < 0.9:
        return {"anyOf": [whole, {"type": "null"}]}
    return {"type": "object", **whole}


def _variants(rng, s):
    """The members of a union in a schema, and the keyword."""
    for keyword in ("oneOf", "anyOf"):
        if keyword in s and len(s[keyword]) > 1 and all("properties" in m or m == {"type": "null"} for m in s[keyword]):
            return s[keyword]
    return None


def _variant_added(rng, s):
    members = _variants(rng, s)
    if members is None:
        return False
    new = copy.deepcopy(rng.choice([m for m in members if "properties" in m]))

    def rename(node):
        for name, child in node["properties"].items():
            if name in TAGS:
                node["properties"][name] = {"const": rng.choice(["kind-new", "kind-new", "kind-0"])}
            elif isinstance(child, dict) and "properties" in child and name == "c":
                rename(child)
    rename(new)
    members.insert(rng.randrange(len(members) + 1), new)
    return None


def _variant_removed(rng, s):
    members = _variants(rng, s)
    if members is None:
        return False
    members.pop(rng.randrange(len(members)))
    return None


def _variant_changed(rng, s):
    members = _variants(rng, s)
    if members is None:
        return False
    place = rng.choice([m for m in members if "properties" in m])
    change = rng.choice([_optional_added, _became_optional, _became_required, _type_widened])
    if change is _type_widened:
        place = place["properties"].get(rng.choice(["a", "b"]))
        if not isinstance(place, dict):
            return False
    return change(rng, place)


# ---------- changes ----------

# Each takes (rng, subschema) and changes it, or returns False if it cannot.
# The name is that of the line in the printed table.

def _optional_added(rng, s):
    if "properties" not in s:
        return False
    name = next((n for n in rng.sample(NAMES, len(NAMES)) if n not in s["properties"] and n not in s.get("required", [])), None)
    if name is None:
        return False
    s["properties"][name] = any_schema(rng, 2)
    return None


def _required_added(rng, s):
    before = set(s.get("properties", {}))
    if _optional_added(rng, s) is False:
        return False
    s["required"] = sorted({*s.get("required", []), *(set(s["properties"]) - before)})
    return None


def _removed(rng, s, required):
    names = [n for n in s.get("properties", {}) if (n in s.get("required", [])) == required]
    if not names:
        return False
    name = rng.choice(names)
    del s["properties"][name]
    if required:
        s["required"].remove(name)
    return None


def _became_required(rng, s):
    names = [n for n in s.get("properties", {}) if n not in s.get("required", [])]
    if not names:
        return False
    s["required"] = sorted([*s.get("required", []), rng.choice(names)])
    return None


def _became_optional(rng, s):
    if not s.get("required"):
        return False
    s["required"].remove(rng.choice(s["required"]))
    return None


def _annotations(rng, s):
    s[rng.choice(["title", "description", "$comment"])] = rng.choice(["one", "two", "three"])


def _type_widened(rng, s):
    if s.get("type") == "integer":
        s["type"] = "number"
    elif isinstance(s.get("type"), str) and s["type"] != "null":
        s["type"] = [s["type"], "null"]
    else:
        return False
    return None


def _into_any_of(rng, s):
    old = copy.deepcopy(s)
    if "$defs" in s or "$ref" in s:
        return False
    s.clear()
    s["anyOf"] = [old, {"type": rng.choice(["null", "boolean"])}]
    return None


def _type_changed(rng, s):
    if not isinstance(s.get("type"), str):
        return False
    s["type"] = rng.choice([t for t in ["string", "integer", "boolean", "array"] if t != s["type"]])
    return None


def _enum_extended(rng, s):
    if "enum" not in s:
        return False
    value = rng.choice(["new", 99, False])
    if value in s["enum"]:
        return False
    s["enum"].append(value)
    return None


def _enum_narrowed(rng, s):
    if len(s.get("enum", [])) < 2:
        return False
    s["enum"].pop(rng.randrange(len(s["enum"])))
    return None


def _const_to_enum(rng, s):
    if "const" not in s:
        return False
    s["enum"] = [s.pop("const"), "more"]
    return None


def _const_changed(rng, s):
    if "const" not in s:
        return False
    s["const"] = rng.choice(["other", 12])
    return None


BOUNDS = ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "minLength", "maxLength", "minItems", "maxItems",
          "minProperties", "maxProperties"]


def _bound_moved(rng, s):
    names = [n for n in BOUNDS if n in s]
    if not names:
        return False
    name = rng.choice(names)
    if name in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum") and rng.random() < 0.3:
        other = {"minimum": "exclusiveMinimum", "exclusiveMinimum": "minimum",
                 "maximum": "exclusiveMaximum", "exclusiveMaximum": "maximum"}[name]
        s[other] = s.pop(name)
    elif name.startswith("min") and name != "minimum":
        s[name] = max(0, s[name] + rng.choice([-1, 1]))
    else:
        s[name] = max(s[name] + rng.choice([-1, 1]), 0) if name.startswith("max") and name != "maximum" else \
            s[name] + rng.choice([-1, 1, 0.5])
    return None


def _bound_added_or_removed(rng, s):
    names = [n for n in BOUNDS if n in s]
    if names and rng.random() < 0.5:
        del s[rng.choice(names)]
        return None
    for kind, choices in {"number": [("maximum", 8)], "integer": [("maximum", 8), ("exclusiveMinimum", 2)],
                          "string": [("minLength", 2), ("maxLength", 3)], "array": [("minItems", 2), ("maxItems", 1)],
                          "object": [("minProperties", 1), ("maxProperties", 2)]}.items():
        if s.get("type") == kind:
            keyword, value = rng.choice(choices)
            if keyword not in s:
                s[keyword] = value
                return None
    return False


def _multiple_of(rng, s):
    if not isinstance(s, dict) or s.get("type") not in ("integer", "number"):
        return False
    old = s.pop("multipleOf", None)
    if old is None:
        s["multipleOf"] = rng.choice([1, 2, 0.5])
    elif rng.random() < 0.7:
        s["multipleOf"] = rng.choice([old * 2, old * 3, old / 2])
    return None


def _pattern(rng, s):
    if s.get("type") != "string":
        return False
    if s.pop("pattern", None) is None:
        s["pattern"] = pattern(rng)
    return None


def _pattern_changed(rng, s):
    if "pattern" not in s:
        return False
    old = s["pattern"]
    if rng.random() < 0.5:
        s["pattern"] = pattern(rng)
    else:
        # often wider or narrower
        s["pattern"] = rng.choice([f"({old})|{expression(rng)}", f"(?:{old})", old + "|", old.replace("a", "[ab]"),
                                   old.replace("[ab]", "a"), old.replace("*", "+"), old.replace("+", "*"), old.strip("^$")])
    return None


def _format(rng, s):
    if s.get("type") != "string":
        return False
    if s.pop("format", None) is None:
        s["format"] = rng.choice(FORMATS)
    return None


def _format_changed(rng, s):
    if "format" not in s:
        return False
    s["format"] = rng.choice([f for f in FORMATS if f != s["format"]])
    return None


def _closed(rng, s):
    if s.get("type") == "object":
        keyword = rng.choice(["additionalProperties", "unevaluatedProperties"])
    elif s.get("type") == "array":
        keyword = "items"
    else:
        return False
    if keyword in s:
        del s[keyword]
    else:
        s[keyword] = False
    return None


def _member(rng, s, keyword, added):
    if keyword not in s:
        return False
    if added:
        s[keyword].insert(rng.randrange(len(s[keyword]) + 1), any_schema(rng, 2))
    elif len(s[keyword]) < 2:
        return False
    else:
        s[keyword].pop(rng.randrange(len(s[keyword])))
    return None


def _all_of(rng, s):
    if "allOf" in s and rng.random() < 0.5:
        if len(s["allOf"]) < 2:
            del s["allOf"]
        else:
            s["allOf"].pop()
        return None
    s.setdefault("allOf", []).append(any_schema(rng, 2))
    return None


def _one_of_to_any_of(rng, s):
    if "oneOf" not in s or "anyOf" in s:
        return False
    s["anyOf"] = s.pop("oneOf")
    return None


def _not(rng, s):
    if s.pop("not", None) is None or rng.random() < 0.5:
        s["not"] = rng.choice([listed, number, string])(rng)


def _dependent(rng, s):
    if s.get("type") != "object":
        return False
    keyword = rng.choice(["dependentRequired", "dependentSchemas"])
    if s.pop(keyword, None) is None:
        first, second = rng.sample(NAMES, 2)
        s[keyword] = {first: [second]} if keyword == "dependentRequired" else {first: {"required": [second]}}
    return None


def _unique(rng, s):
    if s.get("type") != "array":
        return False
    if s.pop("uniqueItems", None) is None:
        s["uniqueItems"] = True
    return None


def _prefix(rng, s):
    if "prefixItems" not in s:
        return False
    s["prefixItems"].append(any_schema(rng, 2))
    return None


def _structural(rng, s):
    if s.get("type") == "object":
        keyword = rng.choice(["patternProperties", "propertyNames"])
        value = {rng.choice(NAME_PATTERNS): any_schema(rng, 2)} if keyword == "patternProperties" else {"maxLength": rng.randrange(1, 4)}
    elif s.get("type") == "array":
        keyword, value = "contains", any_schema(rng, 2)
    else:
        keyword, value = "if", any_schema(rng, 2)
        s.setdefault("then", any_schema(rng, 2))
    if s.pop(keyword, None) is None or rng.random() < 0.5:
        s[keyword] = value


CHANGES = {
    "annotations only": _annotations,
    "optional property added": _optional_added,
    "required property added": _required_added,
    "optional property removed": lambda rng, s: _removed(rng, s, False),
    "required property removed": lambda rng, s: _removed(rng, s, True),
    "optional to required": _became_required,
    "required to optional": _became_optional,
    "type widened": _type_widened,
    "type to anyOf with it": _into_any_of,
    "type changed": _type_changed,
    "enum extended": _enum_extended,
    "enum narrowed": _enum_narrowed,
    "const to enum": _const_to_enum,
    "const changed": _const_changed,
    "bound moved": _bound_moved,
    "bound added or removed": _bound_added_or_removed,
    "multipleOf": _multiple_of,
    "pattern added or removed": _pattern,
    "pattern changed": _pattern_changed,
    "format added or removed": _format,
    "format changed": _format_changed,
    "opened or closed": _closed,
    "allOf member": _all_of,
    "anyOf member added": lambda rng, s: _member(rng, s, "anyOf", True),
    "anyOf member removed": lambda rng, s: _member(rng, s, "anyOf", False),
    "oneOf member added": lambda rng, s: _member(rng, s, "oneOf", True),
    "oneOf member removed": lambda rng, s: _member(rng, s, "oneOf", False),
    "oneOf to anyOf": _one_of_to_any_of,
    "not": _not,
    "dependent": _dependent,
    "uniqueItems": _unique,
    "prefixItems position added": _prefix,
    "structural": _structural,
    "variant added": _variant_added,
    "variant removed": _variant_removed,
    "variant changed": _variant_changed,
}

# the kinds for which the table of rules says "unknown"
UNKNOWN_BY_RULE = {"format changed", "structural"}

SINGLE = ["items", "additionalProperties", "unevaluatedProperties", "not", "if", "then", "else", "contains", "propertyNames"]
ARRAYS = ["prefixItems", "allOf", "anyOf", "oneOf"]
MAPS = ["properties", "patternProperties", "dependentSchemas", "$defs"]


def subschemas(schema):
    """All subschemas that are objects, the outermost first."""
    if not isinstance(schema, dict):
        return
    yield schema
    for keyword in SINGLE:
        if keyword in schema:
            yield from subschemas(schema[keyword])
    for keyword in ARRAYS:
        for child in schema.get(keyword, []):
            yield from subschemas(child)
    for keyword in MAPS:
        for child in schema.get(keyword, {}).values():
            yield from subschemas(child)


def changed(rng, old, kind=None):
    """A changed copy, and the kind of the change; None if none can be made."""
    if not isinstance(old, dict):
        return None
    kind = kind or rng.choice(list(CHANGES))
    new = copy.deepcopy(old)
    places = list(subschemas(new))
    rng.shuffle(places)
    # prefer the root
    if rng.random() < 0.4:
        places.insert(0, new)
    for place in places:
        before = copy.deepcopy(place)
        if CHANGES[kind](rng, place) is not False and place != before:
            return new, kind
        place.clear()
        place.update(before)
    return None


def disguised(rng, schema):
    """An equivalent schema: with $ref, allOf, or in an older dialect."""
    chance = rng.random()
    if chance < 0.15:
        return {"$defs": {"it": schema}, "$ref": "#/$defs/it"}
    if chance < 0.25:
        return {"allOf": [schema]}
    if chance < 0.35:
        return recursive(rng, schema)
    if chance < 0.45:
        return draft4(schema)
    return schema


def recursive(rng, schema):
    """A recursive schema: its property "child" has the schema, too."""
    if schema.get("type") == "object" and "child" not in schema.get("properties", {}):
        schema = copy.deepcopy(schema)
        schema.setdefault("properties", {})["child"] = {"$ref": "#"}
    return schema


def draft4(schema):
    """The schema in draft 4 if that can express it; else unchanged."""
    text = json.dumps(schema)
    if any(f'"{word}"' in text for word in ("const", "contains", "propertyNames", "if", "unevaluatedProperties", "dependentSchemas",
                                           "dependentRequired", "$defs", "time", "date", "uuid", "$ref")):
        return schema

    def convert(s, may_be_boolean=False):
        if isinstance(s, bool):
            return s if may_be_boolean else ({} if s else {"not": {}})
        s = {k: v for k, v in s.items() if k != "required" or v}
        for bound, flag in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
            if flag in s and bound in s:
                raise ValueError
            if flag in s:
                s[bound] = s[flag]
                s[flag] = True
        rest = s.pop("items", None)
        if "prefixItems" in s:
            s["items"] = [convert(x) for x in s.pop("prefixItems")]
            if rest is not None:
                s["additionalItems"] = convert(rest, True)
        elif rest is not None:
            s["items"] = convert(rest)
        for keyword in ("allOf", "anyOf", "oneOf"):
            if keyword in s:
                s[keyword] = [convert(x) for x in s[keyword]]
        for keyword in ("properties", "patternProperties"):
            if keyword in s:
                s[keyword] = {k: convert(v) for k, v in s[keyword].items()}
        if "not" in s:
            s["not"] = convert(s["not"])
        if "additionalProperties" in s:
            s["additionalProperties"] = convert(s["additionalProperties"], True)
        return s

    try:
        return {"$schema": "http://json-schema.org/draft-04/schema#", **convert(schema)}
    except ValueError:
        return schema


def layered(rng):
    """A schema of many parts, in which a change of one part leaves the others equal: conditions,
    groups and unevaluated keywords around objects that also stand elsewhere."""
    part, other = object_(rng, 2), any_schema(rng, 2)
    choices = [
        lambda: {"if": {"properties": {"kind": {"const": "kind-a"}}, "required": ["kind"]}, "then": part, "else": other},
        lambda: {"type": "object", "allOf": [part], "anyOf": [object_(rng, 2), copy.deepcopy(part)], "unevaluatedProperties": False},
        lambda: {"oneOf": [part, {"type": "null"}, {"type": "array", "items": copy.deepcopy(part)}]},
        lambda: {"type": "object", "properties": {"a": part, "b": copy.deepcopy(part)}, "additionalProperties": other},
        lambda: {"type": "object", "properties": {"a": part}, "not": {"properties": {"a": copy.deepcopy(other)}, "required": ["a"]}},
        lambda: {"type": "object", "dependentSchemas": {"a": part}, "properties": {"c": other}, "unevaluatedProperties": other},
        lambda: {"type": "object", "patternProperties": {"^a": part}, "properties": {"a": object_(rng, 2), "b": other}},
    ]
    schema = rng.choice(choices)()
    if rng.random() < 0.4:
        return {"type": "object", "properties": {"v": schema, "w": copy.deepcopy(schema)}}
    return schema


def bare(rng):
    """A small schema of any form, so that instances are likely to depend on the change."""
    return rng.choice([number, string, listed, lambda r: array(r, 2), lambda r: array(r, 2), lambda r: object_(r, 2),
                       lambda r: object_(r, 2), lambda r: group(r, 2), lambda r: group(r, 2), lambda r: combined(r, 2)])(rng)


def pair(rng):
    """(kind, old, new); the kinds include "several" and "unrelated"."""
    if rng.random() < 0.05:
        return "unrelated", disguised(rng, root(rng)), disguised(rng, root(rng))
    kind = rng.choice(list(CHANGES))
    chance = rng.random()
    make = union if kind.startswith("variant") else bare if chance < 0.4 else layered if chance < 0.6 else root
    while True:
        old = make(rng)
        result = changed(rng, old, kind)
        if result is not None:
            break
    new = result[0]
    if rng.random() < 0.15:
        again = changed(rng, new)
        if again is not None:
            new, kind = again[0], "several"
    if rng.random() < 0.6:
        return kind, old, new
    return kind, disguised(rng, old), disguised(rng, new)


# ---------- instances ----------

def anything(rng, depth=0):
    chance = rng.random()
    if depth >= 3 or chance < 0.6:
        return rng.choice([rng.choice(STRINGS), rng.choice(NUMBERS), rng.choice(SCALARS)])
    if chance < 0.75:
        return [anything(rng, depth + 1) for _ in range(rng.randrange(4))]
    return {rng.choice(NAMES + ["other", "a1"]): anything(rng, depth + 1) for _ in range(rng.randrange(4))}


def near(rng, schema, whole, depth=0):
    """An instance that is likely to be valid."""
    if isinstance(schema, bool) or not schema or depth > 6 or rng.random() < 0.04:
        return anything(rng, min(depth, 3))
    if "$ref" in schema:
        target = whole if schema["$ref"] == "#" else whole["$defs"]["it"]
        return near(rng, target, whole, depth + 1)
    if "const" in schema:
        return copy.deepcopy(schema["const"])
    if "enum" in schema:
        return copy.deepcopy(rng.choice(schema["enum"])) if schema["enum"] else None
    for keyword in ("anyOf", "oneOf", "allOf"):
        if keyword in schema and rng.random() < 0.7:
            branches = schema[keyword]
            return near(rng, merged({k: v for k, v in schema.items() if k != keyword}, rng.choice(branches)), whole, depth + 1)
    if "if" in schema and rng.random() < 0.7:
        rest = {k: v for k, v in schema.items() if k not in ("if", "then", "else")}
        if rng.random() < 0.6:
            return near(rng, merged(merged(rest, schema["if"]), schema.get("then", {})), whole, depth + 1)
        return near(rng, merged(rest, schema.get("else", {})), whole, depth + 1)
    kinds = schema.get("type")
    if isinstance(kinds, list):
        kinds = rng.choice(kinds)
    if kinds is None:
        kinds = "object" if "properties" in schema else "array" if "items" in schema else \
            rng.choice(["string", "number", "object", "array", "null", "boolean"])
    if kinds == "null":
        return None
    if kinds == "boolean":
        return rng.random() < 0.5
    if kinds in ("integer", "number"):
        return near_number(rng, schema, kinds == "integer")
    if kinds == "string":
        return near_string(rng, schema)
    if kinds == "array":
        return near_array(rng, schema, whole, depth)
    return near_object(rng, schema, whole, depth)


def merged(a, b):
    if isinstance(b, bool) or isinstance(a, bool):
        return a
    result = dict(a)
    for keyword, value in b.items():
        if keyword == "properties":
            result["properties"] = {**value, **result.get("properties", {})}
        elif keyword == "required":
            result["required"] = sorted({*value, *result.get("required", [])})
        else:
            result.setdefault(keyword, value)
    return result


def near_number(rng, schema, whole):
    bounds = [schema[b] for b in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")
              if b in schema and not isinstance(schema[b], bool)]
    value = rng.choice(NUMBERS)
    if bounds and rng.random() < 0.7:
        value = rng.choice(bounds) + rng.choice([0, 1, -1, 0.5, -0.5, 2, -2])
    if "multipleOf" in schema and rng.random() < 0.8:
        value = schema["multipleOf"] * rng.randrange(-2, 9)
    if whole and rng.random() < 0.9:
        value = int(value)
    return value


def near_string(rng, schema):
    lengths = [schema[b] for b in ("minLength", "maxLength") if b in schema]
    if "pattern" in schema and rng.random() < 0.7:
        return "".join(rng.choice("aabb1") for _ in range(rng.randrange(7)))
    if "format" in schema or "pattern" in schema or not lengths or rng.random() < 0.5:
        return rng.choice(STRINGS)
    return "a" * max(0, rng.choice(lengths) + rng.choice([0, 0, 1, -1]))


def near_array(rng, schema, whole, depth):
    lengths = [schema[b] for b in ("minItems", "maxItems") if b in schema] or [2]
    length = max(0, rng.choice(lengths) + rng.choice([0, 0, 1, -1]))
    prefix = schema.get("prefixItems", [])
    rest = schema.get("items", True)
    if isinstance(rest, list):
        prefix, rest = rest, schema.get("additionalItems", True)
    if rest is False and rng.random() < 0.9:
        length = min(length, len(prefix))
    items = [near(rng, prefix[i] if i < len(prefix) else rest, whole, depth + 1) for i in range(min(length, 8))]
    if len(items) > 1 and rng.random() < 0.3:
        items[-1] = copy.deepcopy(items[0])
    if items and "contains" in schema and rng.random() < 0.6:
        items[rng.randrange(len(items))] = near(rng, schema["contains"], whole, depth + 1)
    return items


def near_object(rng, schema, whole, depth):
    value = {}
    properties = schema.get("properties", {})
    for name, child in properties.items():
        if name in schema.get("required", []) and rng.random() < 0.97 or rng.random() < (0.5 if depth < 3 else 0.2):
            value[name] = near(rng, child, whole, depth + 1)
    for name in schema.get("required", []):
        if name not in value and rng.random() < 0.9:
            value[name] = anything(rng, 2)
    if rng.random() < (0.05 if schema.get("additionalProperties") is False else 0.3):
        name = rng.choice(NAMES + ["other", "a1", "x-1", "ab", "bb", "aab"])
        if name not in value:
            rest = schema.get("additionalProperties", True)
            value[name] = near(rng, rest, whole, depth + 1)
    return value
