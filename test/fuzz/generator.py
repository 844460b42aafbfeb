"""Unusual schemas and instances: every keyword of every dialect, with values of
the right and of the wrong shape, references of all kinds, and documents that
exercise jsonb's storage format.

Each case depends only on the seed and its number.  write_json() of test/lib
writes the JSON text, so that numbers are kept as written.
"""

import random

from session import Number, write_json

DIALECTS = [
    "http://json-schema.org/draft-04/schema#", "http://json-schema.org/draft-06/schema#",
    "http://json-schema.org/draft-07/schema#", "https://json-schema.org/draft/2019-09/schema",
    "https://json-schema.org/draft/2020-12/schema", "https://json-schema.org/v1",
]
META = {"$schema": DIALECTS[4], "$id": "http://example.com/meta", "$vocabulary": {}}
VOCABULARIES = ["core", "applicator", "unevaluated", "validation", "meta-data", "format-annotation", "format-assertion",
                "content", "unheard-of"]

NAMES = ["a", "b", "c", "d1", "d2", "", "ab", "é", "日本", "😀", "a/b", "m~n", "%25", "x y", "$ref", "$id", "properties",
         "toString", "__proto__", "\u0001", "\"", "\\", "k" * 15, "k" * 16, "k" * 17, "kkkkkkkkxkkkkkkkk", "k" * 64, "a" * 300]
STRINGS = ["", "a", "ab", "1", "é", "e\u0301", "日本語", "😀😀", "\n", "\u2028", "2024-02-29", "12:00:60Z", "127.0.0.1", "::1",
           "http://é.example/", "foo@example.com", "/a~1b", "1#", "P1D", "{a}", "z" * 300, "é" * 70, "aaaaaaaaaaaaaaaa",
           "aaaaaaaaaaaaaaaab", "xn--", "eyJhIjoxfQ==", "W10", "\ufffd\uffff"]
NUMBERS = ["0", "-0", "-0.0", "0.0", "1", "-1", "2", "3", "1.0", "1.5", "0.1", "1e2", "10e-1", "1e-7", "9999", "10000", "10001", "99999999",
           "100000000", "-10000", "0.0001", "0.00010", "12345678901234567890", "9007199254740993", "9223372036854775807",
           "9223372036854775808", "-9223372036854775808", "4294967295", "4294967296", "4294967297", "2147483648", "1e20",
           "1e63", "1e64", "1e256", "1e260", "1e400", "-1e400", "1e-400", "1e1000", "1e-1000", "1e5000", "1.00000000000000000000000001",
           "1e-60", "1e-260", "1" + "0" * 300, "9" * 300, "0." + "9" * 300]
PATTERNS = ["^a", "a$", "^[a-z]+$", "^[A-Z.]{1,8}$", "^[0-9a-f]{8}-[0-9a-f]{4}$", "^\\d{3}$", "^a{0,17}$", "^[ab]{16}$", "^[ab]{15}$",
            "^[ab]{17}$", "^.$", "^$", "", "(a+)+$", "^(?!a)", "(?<=a)b", "(a)\\1", "\\p{L}", "^\\P{ASCII}+$", "[^\\s]", "\\bfoo\\b",
            "^(a|b)*a(a|b){40}$", "\\u{1F600}", "(?<n>a)\\k<n>", "\\cA", "[\\b]", "a{2,1}", "(", "[", "\\", "*", "a**", "(?R)",
            "\\A", "[[:alpha:]]", "a{99999}", "(((((((((a{9}){9}){9}){9}){9}){9}){9}){9}){9})", "\\p{Nope}", "(?i)a", "(?i:a)",
            "x*" * 200, "^" + "[a-c]" * 64 + "$", "^" + "[a-c]" * 65 + "$", "^a\ud7ff$", "\U0010ffff"]
FORMATS = ["date-time", "date", "time", "duration", "email", "idn-email", "hostname", "idn-hostname", "ipv4", "ipv6", "uri",
           "uri-reference", "iri", "iri-reference", "uri-template", "uuid", "json-pointer", "relative-json-pointer", "regex",
           "color", "unheard-of", ""]
TYPES = ["null", "boolean", "integer", "number", "string", "array", "object"]
URIS = ["#", "", "#/", "#/$defs/a", "#/definitions/a", "#/$defs/d1", "#/$defs/d2", "#/definitions/d1", "#/$defs/a~1b", "#/$defs/m~0n",
        "#/$defs/%25", "#/$defs/%C3%A9", "#/$defs/é", "#/$defs/x%20y", "#/$defs/%zz", "#/$defs/~2", "#/%24defs/a", "#/properties/a",
        "#/allOf/0", "#/anyOf/1", "#/items", "#/items/0", "#/prefixItems/0", "#/items/-1", "#/allOf/00", "#/allOf/99999999999999999999",
        "#/x-unknown", "#/x-unknown/a", "#/enum/0", "#/const", "#/default", "#anchor", "#other", "#%61nchor", "#not there",
        "http://example.com/root", "http://example.com/root#anchor", "http://example.com/other", "http://example.com/other#",
        "other", "./other", "../other", "other#/$defs/a", "urn:example:a", "urn:example:a#anchor", "tag:x,2020:y", "file:///a", "?q",
        "//host/a", "http://EXAMPLE.com:80/a/../root", "http://[::1]/", "http://[", "\\", ":", "é", "a b", "event:a@1", "event:none@1",
        "http://example.com/meta", *DIALECTS, "http://json-schema.org/draft-07/schema#/definitions/nonNegativeInteger",
        "https://json-schema.org/draft/2020-12/meta/core", "u" * 300]
ANCHORS = ["anchor", "other", "a", "node", "", "1", "a b", "é", "_x", "a:b", "#a"]

SCHEMA = ["additionalProperties", "additionalItems", "items", "contains", "propertyNames", "not", "if", "then", "else",
          "unevaluatedProperties", "unevaluatedItems", "contentSchema"]
SCHEMAS = ["allOf", "anyOf", "oneOf", "prefixItems", "items"]
SCHEMA_MAP = ["properties", "properties", "properties", "patternProperties", "$defs", "definitions", "dependentSchemas", "dependencies"]
COUNTS = ["minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties", "minContains", "maxContains"]
BOUNDS = ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"]
OTHERS = ["type", "type", "enum", "const", "required", "dependentRequired", "pattern", "format", "uniqueItems", "contentEncoding",
          "contentMediaType", "$comment", "title", "default", "examples", "deprecated", "readOnly", "discriminator", "x-unknown",
          "tpye", "propertyDependencies", "$ref", "$ref", "$dynamicRef", "$recursiveRef", "$id", "id", "$anchor", "$dynamicAnchor",
          "$recursiveAnchor", "$schema", "$vocabulary", "exclusiveMinimum", "exclusiveMaximum"]
ALL = SCHEMA + SCHEMAS + SCHEMA_MAP + COUNTS + BOUNDS + OTHERS


class Generator:
    def __init__(self, rng):
        self.rng = rng
        self.wrong = rng.choice([0, 0, 0, 0.01, 0.05, 0.3])     # how often a value has the wrong shape
        self.strange = rng.choice([0, 0, 0, 0.1, 0.5])          # how often identifiers are put anywhere
        self.places = ["#"]                                     # targets for references
        self.budget = rng.choice([5, 20, 20, 60])               # subschemas
        self.met = []                                           # values that occur in the schema
        self.keys = []

    def some(self, values, most):
        return [self.rng.choice(values) for _ in range(self.rng.randint(0, most))]

    # ---------- values ----------

    def value(self, depth=2):
        rng = self.rng
        kind = rng.randrange(12 if depth > 0 else 8)
        if kind == 0:
            return rng.choice([None, True, False])
        if kind < 4:
            return Number(rng.choice(NUMBERS))
        if kind < 8:
            return rng.choice(STRINGS)
        if kind < 10:
            return [self.value(depth - 1) for _ in range(self.length())]
        return {self.key(): self.value(depth - 1) for _ in range(self.length())}

    def length(self):
        """A number of items: mostly small, sometimes more than jsonb's offset stride."""
        return self.rng.choice([0, 1, 2, 2, 3, 3, 5, 8, 17, 31, 32, 33, 70]) if self.rng.random() < 0.3 else self.rng.randint(0, 3)

    def key(self):
        rng = self.rng
        if self.keys and rng.random() < 0.6:
            return rng.choice(self.keys)
        return rng.choice(NAMES) if rng.random() < 0.6 else f"k{rng.randrange(100)}"

    # ---------- schemas ----------

    def document(self):
        rng = self.rng
        schema = self.schema(rng.choice([1, 2, 3, 4]), "#")
        if isinstance(schema, dict):
            if rng.random() < 0.85:
                schema = {"$schema": rng.choice(DIALECTS), **schema}
            if rng.random() < 0.2:
                schema["$id"] = "http://example.com/root"
            for name in rng.sample(["a", "d1", "d2", "é", "a/b"], rng.choice([0, 1, 2, 3])):
                where = rng.choice(["$defs", "definitions", "$defs", "x-unknown"])
                if isinstance(schema.setdefault(where, {}), dict):
                    self.budget = max(self.budget, 4)
                    schema[where][name] = self.schema(2, f"#/{where}/{name.replace('/', '~1')}")
        return schema

    def schema(self, depth, place=None):
        rng = self.rng
        self.budget -= 1
        if rng.random() < self.wrong:
            return self.value(1)
        if depth <= 0 or self.budget < 0 or rng.random() < 0.08:
            return rng.choice([True, False, {}, {"type": rng.choice(TYPES)}, {"type": rng.choice(TYPES)}])
        if place is not None:
            self.places.append(place)
        schema = {}
        for _ in range(rng.choice([1, 1, 2, 2, 3, 4, 6])):
            keyword = rng.choice(ALL)
            schema[keyword] = self.argument(keyword, depth - 1, place)
        return schema

    def argument(self, keyword, depth, place):
        rng = self.rng
        if rng.random() < self.wrong:
            return self.value(2)
        below = f"{place}/{keyword}" if place is not None else None
        if keyword in SCHEMAS and not (keyword == "items" and rng.random() < 0.7):
            return [self.schema(depth, f"{below}/{i}" if below else None) for i in range(rng.randint(1, rng.choice([2, 3, 5])))]
        if keyword in SCHEMA:
            return self.schema(depth, below)
        if keyword == "patternProperties":
            return {rng.choice(PATTERNS[:20] if self.wrong == 0 else PATTERNS): self.schema(depth) for _ in range(rng.randint(0, 3))}
        if keyword == "dependencies" and rng.random() < 0.5:
            return {self.key(): self.some(NAMES, 3) for _ in range(rng.randint(0, 2))}
        if keyword in SCHEMA_MAP:
            names = [self.key() for _ in range(rng.choice([1, 2, 3, 3, 20, 40]) if rng.random() < 0.3 else rng.randint(1, 3))]
            if keyword in ("properties", "dependentSchemas"):
                self.keys += names
            return {name: self.schema(depth, f"{below}/{name.replace('~', '~0').replace('/', '~1')}" if below else None)
                    for name in names}
        if keyword in COUNTS:
            return Number(rng.choice(["0", "1", "2", "3", "2.0", "17", "4294967295", "4294967296", "1e30"])
                          if rng.random() < 0.3 else rng.choice(["0", "1", "2", "3"]))
        if keyword in BOUNDS:
            number = Number(rng.choice(NUMBERS))
            self.met.append(number)
            if keyword == "multipleOf":
                return Number(rng.choice([n for n in NUMBERS if not n.startswith("-") and float(n[:9].rstrip("e-")) != 0]))
            return rng.random() < 0.5 if keyword.startswith("exclusive") and rng.random() < 0.2 else number
        return self.other_argument(keyword)

    def other_argument(self, keyword):
        rng = self.rng
        if keyword == "type":
            return rng.choice(TYPES) if rng.random() < 0.7 else rng.sample(TYPES, rng.randint(1, 4))
        if keyword == "enum":
            values = [self.value(1) for _ in range(rng.choice([1, 2, 3, 20]))]
            if rng.random() < 0.5:
                values = rng.sample(STRINGS, rng.randint(1, 8))
            self.met += values
            return values
        if keyword == "const":
            self.met.append(self.value(2))
            return self.met[-1]
        if keyword == "required":
            return list(dict.fromkeys(self.key() for _ in range(rng.randint(1, 3))))
        if keyword == "dependentRequired":
            return {self.key(): list(dict.fromkeys(self.some(NAMES, 3))) for _ in range(rng.randint(1, 2))}
        if keyword == "pattern":
            return rng.choice(PATTERNS[:20] if self.wrong == 0 or rng.random() < 0.5 else PATTERNS)
        if keyword == "format":
            return rng.choice(FORMATS)
        if keyword in ("uniqueItems", "deprecated", "readOnly", "$recursiveAnchor"):
            return rng.random() < 0.8
        if keyword == "contentEncoding":
            return rng.choice(["base64", "base64", "quoted-printable", ""])
        if keyword == "contentMediaType":
            return rng.choice(["application/json", "application/json", "text/html", ""])
        if keyword in ("$ref", "$dynamicRef"):
            return rng.choice(self.places) if rng.random() < 0.75 - self.strange else rng.choice(URIS)
        if keyword == "$recursiveRef":
            return "#" if rng.random() < 0.9 else rng.choice(URIS)
        if keyword in ("$id", "id"):
            return rng.choice(URIS) if rng.random() < self.strange else f"http://example.com/{rng.choice(['other', 'x', 'y', 'z'])}{rng.randrange(50)}"
        if keyword in ("$anchor", "$dynamicAnchor"):
            return rng.choice(ANCHORS) if rng.random() < self.strange else f"n{rng.randrange(1000)}"
        if keyword == "$schema":
            return rng.choice(DIALECTS + URIS) if rng.random() < self.strange else rng.choice(DIALECTS)
        if keyword == "$vocabulary":
            return {f"https://json-schema.org/draft/2020-12/vocab/{name}": rng.random() < 0.5
                    for name in rng.sample(VOCABULARIES, rng.randint(0, 4))}
        return self.value(1)

    # ---------- instances ----------

    def instance(self, schema, depth=4):
        """An instance related to the schema."""
        rng = self.rng
        if not isinstance(schema, dict) or depth == 0 or rng.random() < 0.1:
            return rng.choice(self.met) if self.met and rng.random() < 0.4 else self.value(2)
        values = schema.get("enum")
        if isinstance(values, list) and values and rng.random() < 0.6:
            return rng.choice(values)
        if "const" in schema and rng.random() < 0.6:
            return schema["const"]
        choices = []
        for keyword in ("allOf", "anyOf", "oneOf"):
            if isinstance(schema.get(keyword), list):
                choices += schema[keyword]
        choices += [schema[keyword] for keyword in ("then", "else", "if", "not") if keyword in schema]
        if choices and rng.random() < 0.5:
            return self.instance(rng.choice(choices), depth - 1)
        kinds = [kind for kind, keywords in (
            ("object", ("properties", "patternProperties", "additionalProperties", "required", "dependencies",
                        "dependentSchemas", "dependentRequired", "propertyNames", "unevaluatedProperties", "minProperties",
                        "maxProperties")),
            ("array", ("items", "prefixItems", "contains", "uniqueItems", "unevaluatedItems", "minItems", "maxItems")),
            ("number", BOUNDS), ("string", ("pattern", "format", "minLength", "maxLength")))
            if any(keyword in schema for keyword in keywords)]
        kind = schema.get("type") if schema.get("type") in TYPES and rng.random() < 0.8 else rng.choice(kinds) if kinds else None
        if kind == "object":
            return self.object(schema, depth)
        if kind == "array":
            return self.array(schema, depth)
        if kind in ("number", "integer"):
            return Number(rng.choice([n for n in self.met if isinstance(n, Number)] + NUMBERS))
        if kind == "string":
            return rng.choice(STRINGS)
        return {"null": None, "boolean": rng.random() < 0.5}[kind] if kind else self.value(2)

    def object(self, schema, depth):
        rng = self.rng
        result = {}
        properties = schema.get("properties")
        if isinstance(properties, dict):
            for name, one in properties.items():
                if rng.random() < 0.7:
                    result[name] = self.instance(one, depth - 1)
        required = schema.get("required")
        if isinstance(required, list):
            for name in required:
                if isinstance(name, str) and rng.random() < 0.9:
                    result.setdefault(name, self.value(1))
        other = schema.get("additionalProperties", schema.get("unevaluatedProperties"))
        for _ in range(self.length() if rng.random() < 0.6 else 0):
            result.setdefault(self.key(), self.instance(other, depth - 1))
        items = list(result.items())
        rng.shuffle(items)
        return dict(items)

    def array(self, schema, depth):
        rng = self.rng
        result = []
        for keyword in ("prefixItems", "items"):
            if isinstance(schema.get(keyword), list):
                result += [self.instance(one, depth - 1) for one in schema[keyword] if rng.random() < 0.9]
        other = [schema[keyword] for keyword in ("items", "contains", "additionalItems", "unevaluatedItems") if keyword in schema]
        for _ in range(self.length()):
            result.append(self.instance(rng.choice(other), depth - 1) if other else self.value(1))
        if result and rng.random() < 0.1:
            result.append(rng.choice(result))
        return result

    def mutated(self, value):
        rng = self.rng
        if isinstance(value, dict) and value and rng.random() < 0.8:
            name = rng.choice(list(value))
            copy = dict(value)
            kind = rng.random()
            if kind < 0.5:
                copy[name] = self.mutated(copy[name])
            elif kind < 0.75:
                del copy[name]
            else:
                copy[self.key()] = copy.pop(name)
            return copy
        if isinstance(value, list) and value and rng.random() < 0.8:
            copy = list(value)
            place = rng.randrange(len(copy))
            copy[place] = self.mutated(copy[place])
            return copy
        return self.value(1)


class Assembled:
    """Schemas composed of parts about the same few names and items, with documents of
    these: for merging of allOf and $ref, for branches and unevaluated*."""

    NAMES = ["a", "b", "c", "ab", "ac", "abcdefghi", "abcdefghijklmnopqr"]
    PATTERNS = ["^a", "b$", "^[abc]$", "^(?!a)", "^.{9}$"]

    def __init__(self, rng):
        self.rng = rng

    def leaf(self):
        return self.rng.choice([True, True, True, True, True, False, {"type": "integer"}, {"type": ["integer", "null"]}, {"type": "string"}, {"minimum": 1},
                                {"maximum": 1.5}, {"exclusiveMinimum": -1, "type": "integer"}, {"maxLength": 1}, {"enum": [1, "x"]},
                                {"enum": ["x", "y"]}, {"enum": [1, 2.0, 1.5, -3, 7, 8, 9, 10, 11]},
                                {"enum": [12345, "xx", None, True, [], [1], {}, {"a": 1}, 1.5, "y"]}, {"const": 1}, {"$ref": "#/$defs/d"}, {"pattern": "^x"}])

    def some(self, choices):
        return self.rng.sample(choices, self.rng.randrange(1, 4))

    def part(self, depth):
        rng = self.rng
        schema = {}
        if rng.random() < 0.3:
            schema["type"] = rng.choice(["object", "object", "array", ["object", "array"], ["object", "null"]])
        if rng.random() < 0.7:
            schema["properties"] = {name: self.schema(0) if rng.random() < 0.1 else self.leaf() for name in self.some(self.NAMES)}
        for keyword, share, make in [
                ("patternProperties", 0.12, lambda: {pattern: self.leaf() for pattern in self.some(self.PATTERNS)}),
                ("additionalProperties", 0.1, self.leaf), ("required", 0.2, lambda: self.some(self.NAMES)),
                ("propertyNames", 0.05, lambda: rng.choice([{"pattern": "^a"}, {"maxLength": 2}, False])),
                ("minProperties", 0.05, lambda: rng.randrange(3)), ("maxProperties", 0.05, lambda: rng.randrange(5)),
                ("prefixItems", 0.2, lambda: [self.leaf() for _ in range(rng.randrange(1, 4))]), ("items", 0.07, self.leaf),
                ("contains", 0.05, self.leaf), ("minItems", 0.05, lambda: rng.randrange(3)), ("uniqueItems", 0.05, lambda: True),
                ("dependentRequired", 0.05, lambda: {rng.choice(self.NAMES): self.some(self.NAMES)}),
                ("unevaluatedProperties", 0.1, self.leaf), ("unevaluatedItems", 0.08, self.leaf), ("minLength", 0.03, lambda: 2)]:
            if rng.random() < share:
                schema[keyword] = make()
        if depth > 0:
            for keyword, share, make in [
                    ("allOf", 0.5, lambda: [self.schema(depth - 1) for _ in range(rng.randrange(1, 4))]),
                    ("$ref", 0.3, lambda: f"#/$defs/{rng.choice('ef')}"),
                    ("anyOf", 0.15, lambda: [self.schema(depth - 1) for _ in range(rng.randrange(1, 4))]),
                    ("oneOf", 0.12, lambda: [self.schema(depth - 1) for _ in range(rng.randrange(1, 4))]),
                    ("if", 0.15, lambda: self.schema(depth - 1)), ("then", 0.15, lambda: self.schema(depth - 1)),
                    ("else", 0.15, lambda: self.schema(depth - 1)), ("not", 0.04, lambda: self.schema(depth - 1)),
                    ("dependentSchemas", 0.1, lambda: {rng.choice(self.NAMES): self.schema(depth - 1)})]:
                if rng.random() < share:
                    schema[keyword] = make()
        return schema

    def schema(self, depth):
        return self.leaf() if self.rng.random() < 0.05 else self.part(depth)

    def document(self):
        rng = self.rng
        schema = self.part(rng.choice([1, 2, 2, 3]))
        if rng.random() < 0.7:
            schema[rng.choice(["unevaluatedProperties", "unevaluatedProperties", "unevaluatedItems"])] = rng.choice(
                [False, False, {"type": "integer"}])
        # references lead forward only, so that there is no cycle
        definitions = {"d": {"type": rng.choice(["integer", "string"])}, "e": self.part(0), "f": self.part(0)}
        if rng.random() < 0.3:
            definitions["e"]["$ref"] = "#/$defs/f"
        if rng.random() < 0.3:
            definitions["g"] = {"type": "object", "properties": {"a": {"$ref": "#"}, "b": {"$ref": "#/$defs/e"}}}
            schema.setdefault("properties", {})["c"] = {"$ref": "#/$defs/g"}
        schema["$defs"] = definitions
        schema["$schema"] = rng.choice(DIALECTS[3:5])
        return schema

    def instance(self, depth=2):
        rng = self.rng
        if depth == 0 or rng.random() < 0.05:
            return rng.choice([1, 1, 0, 2, "x", "y", "xx", None, 1.5, -3, 12345])
        if rng.random() < 0.25:
            return [self.instance(depth - 1 if rng.random() < 0.3 else 0) for _ in range(rng.randrange(5))]
        return {name: self.instance(depth - 1 if rng.random() < 0.2 else 0)
                for name in rng.sample(self.NAMES, rng.randrange(5))}


def make_case(seed, number, instances):
    """The texts of a schema and of its instances."""
    if number % 3 == 2:
        assembled = Assembled(random.Random(f"{seed}:{number}"))
        return write_json(assembled.document()), [write_json(assembled.instance()) for _ in range(instances)]
    generator = Generator(random.Random(f"{seed}:{number}"))
    schema = generator.document()
    made = []
    for place in range(instances):
        if made and place % 3 == 2:
            made.append(generator.mutated(made[-1]))
        else:
            made.append(generator.instance(schema))
    if generator.rng.random() < 0.02:
        depth = generator.rng.choice([50, 500])
        made[-1] = Nested(depth, write_json(made[0]))
    return write_json(schema), [value.text if isinstance(value, Nested) else write_json(value) for value in made]


class Nested:
    def __init__(self, depth, inner):
        self.text = '{"a":[' * depth + inner + "]}" * depth
