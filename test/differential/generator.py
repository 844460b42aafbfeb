"""Random JSON Schemas of every dialect, and instances that nearly match them.

The same seed gives the same pairs.  Numbers are JSON text (class Number), so
that 1.0, 1e2 and 20 digits are kept as written.
"""

import json
import random
import sys
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))

from session import Number, write_json  # noqa: E402

DIALECTS = {
    "draft4": "http://json-schema.org/draft-04/schema#",
    "draft6": "http://json-schema.org/draft-06/schema#",
    "draft7": "http://json-schema.org/draft-07/schema#",
    "draft2019-09": "https://json-schema.org/draft/2019-09/schema",
    "draft2020-12": "https://json-schema.org/draft/2020-12/schema",
    "v1": "https://json-schema.org/v1",
}
ORDER = {name: place for place, name in enumerate(DIALECTS)}

NAMES = ["a", "b", "c", "ab", "ba", "foo", "bar", "x1", "x2", "é", "", "a/b", "m~n", "日本", "😀",
         "a_name_of_some_length", "$ref", "length", "__proto__"]
STRINGS = ["", "a", "b", "ab", "foo", "bar", "é", "e\u0301", "日本", "😀", "😀😀", "a\nb", " ", "x1", "X1", "1", "1.0",
           "true", "null", "foobar", "xyzzy", "a/b", "\u2028", "\t", "AB", "zzzzzzzzzzzzzzzzzzzz", "\"\\", "ß"]
TYPES = ["null", "boolean", "integer", "number", "string", "array", "object"]
# pattern, and strings that match it
PATTERNS = [
    ("^a", ["a", "ab", "a\nb"]), ("b$", ["b", "ab"]), ("^[a-z]+$", ["foo", "xyzzy"]), ("\\d", ["x1", "1"]),
    ("^.{2,3}$", ["ab", "foo", "日本", "😀😀"]), ("^x\\d$", ["x1", "x2"]), ("(foo|bar)", ["foobar", "bar"]),
    ("^\\S*$", ["", "foo"]), ("[à-ü]", ["é"]), ("^$", [""]), ("a|b", ["a", "ba"]), ("^[^a]*$", ["foo", "bbb", "é"]),
    ("^(?:a|ab)(?:c|bcd)?$", ["a", "abcd", "ac"]), ("o{2}", ["foo"]), ("^\\w+$", ["AB", "x1"]), ("^[A-Z]{1,3}\\d*$", ["X1", "AB"]),
    ("^\\p{L}+$", ["日本", "ß", "foo"]), ("^(?!foo)", ["bar", ""]), ("\\.", ["1.0"]), ("^\\u00e9$", ["é"]),
]
# format: strings that are certainly valid, and strings that are certainly not
FORMATS = {
    "date": (["2024-02-29", "1999-12-31"], ["2023-02-29", "2024-13-01", "24-01-01", "foo"]),
    "time": (["12:00:00Z", "23:59:59.5+01:00"], ["25:00:00Z", "12:00", "foo"]),
    "date-time": (["2024-02-29T12:00:00Z", "1985-04-12T23:20:50.52-08:00"], ["2023-02-29T12:00:00Z", "2024-01-01", "foo"]),
    "email": (["joe@example.com", "a.b+c@example.org"], ["joe", "@example.com", "a@b@c"]),
    "hostname": (["example.com", "a-b.c"], ["-a.b", "a..b", "a_b"]),
    "ipv4": (["127.0.0.1", "255.255.255.255"], ["256.0.0.1", "1.2.3", "01.2.3.4", "foo"]),
    "ipv6": (["::1", "2001:db8::7", "1:2:3:4:5:6:7:8"], ["12345::", "1:2", "::1%eth0", "foo"]),
    "uri": (["http://example.com/a?b#c", "urn:a:b"], ["//example.com", "foo", "http://a b"]),
    "uri-reference": (["/a/b", "foo", "http://example.com/"], ["a b", "\\\\a"]),
    "uuid": (["2EB8AA08-AA98-11EA-B4AA-73B441D16380", "2eb8aa08-aa98-11ea-b4aa-73b441d16380"],
             ["2eb8aa08aa9811eab4aa73b441d16380", "2eb8aa08-aa98-11ea-b4aa-73b441d1638", "foo"]),
    "json-pointer": (["", "/a/b", "/m~0n"], ["a", "/~2"]),
    "regex": (["^a+$", "(a|b)"], ["(", "[a"]),
    "duration": (["P3Y6M4DT12H30M5S", "P1W"], ["P", "PT", "1D"]),
    "unheard-of": (["foo"], []),
}
FORMAT_SINCE = {"date": 7, "time": 7, "uri-reference": 6, "json-pointer": 6, "uuid": 8, "duration": 8}


def number_text(value):
    """The exact decimal text of a Fraction that has one."""
    if value.denominator == 1:
        return Number(value.numerator)
    text = Decimal(value.numerator) / Decimal(value.denominator)
    return Number(format(text, "f"))


def fraction(number):
    return Fraction(Decimal(str(number)))


def is_number(value):
    return isinstance(value, Number) or (isinstance(value, (int, float)) and not isinstance(value, bool))


class Generator:
    def __init__(self, rng, dialect):
        self.rng = rng
        self.dialect = dialect
        self.order = ORDER[dialect]
        self.definitions = {}
        self.targets = {}           # reference -> schema, to sample it
        self.uses_format = False

    def since(self, dialect):
        return self.order >= ORDER[dialect]

    # ---------- values ----------

    def number(self):
        rng = self.rng
        kind = rng.random()
        if kind < 0.55:
            return Number(rng.choice([0, 1, 2, 3, 4, 5, 6, 7, 10, 12, 100, -1, -2, -5, rng.randint(-1000, 1000)]))
        if kind < 0.75:
            return Number(rng.choice(["0.5", "1.5", "2.25", "-0.5", "3.75", "10.125"]))
        if kind < 0.85:
            return Number(rng.choice(["1.0", "2.0", "-3.0", "1e2", "1E+1", "25e-1", "0.0", "-0", "-0.0"]))
        if kind < 0.93:
            return Number(rng.choice(["0.1", "0.3", "19.99", "1.1", "0.07", "4.35"]))
        return Number(rng.choice(["9007199254740993", "12345678901234567890", "-12345678901234567891", "1e20", "1e-7",
                                  "4294967296", "2147483648", "32767", "32768", "-32769", "1e100", "0.000000001"]))

    def string(self):
        if self.rng.random() < 0.1:
            return self.rng.choice(["a", "é", "😀", "xy"]) * self.rng.randint(0, 9)
        return self.rng.choice(STRINGS)

    def value(self, depth=2):
        kind = self.rng.randint(0, 5 if depth <= 0 else 7)
        if kind == 0:
            return None
        if kind == 1:
            return self.rng.random() < 0.5
        if kind in (2, 3):
            return self.number()
        if kind in (4, 5):
            return self.string()
        if kind == 6:
            return [self.value(depth - 1) for _ in range(self.rng.randint(0, 3))]
        return {self.rng.choice(NAMES): self.value(depth - 1) for _ in range(self.rng.randint(0, 3))}

    # ---------- schemas ----------

    def document(self):
        """A schema; what `format` is to be, asserted or not."""
        rng = self.rng
        where = "$defs" if self.since("draft2019-09") else "definitions"
        self.reference_base = "#"
        names = rng.sample(["d1", "d2", "a/b", "ä", "m~n", "x y"], rng.choice([0, 0, 1, 2, 3]))
        for name in names:
            schema = self.schema(2)
            reference = "#/" + where + "/" + self.pointer_token(name)
            if isinstance(schema, dict) and "$ref" not in schema:
                kind = rng.random()
                if kind < 0.15 and self.since("draft2019-09"):
                    anchor = f"anchor{len(self.targets)}"
                    schema["$anchor"] = anchor
                    reference = "#" + anchor
                elif kind < 0.25 and self.since("draft6"):
                    uri = f"http://example.com/part{len(self.targets)}.json"
                    if not self.has_reference(schema):
                        schema["$id"] = uri
                        reference = uri
                elif kind < 0.32 and self.dialect == "draft2020-12":
                    anchor = f"dynamic{len(self.targets)}"
                    schema["$dynamicAnchor"] = anchor
                    reference = "#" + anchor
            self.definitions[name] = schema
            self.targets[reference] = schema
        root = self.schema(3, top=True)
        if not isinstance(root, dict):
            return root
        if "$ref" in root and self.order <= ORDER["draft7"] and self.definitions:
            root = {"allOf": [root]}
        document = {"$schema": DIALECTS[self.dialect], **root}
        if self.definitions:
            document[where] = {**document.get(where, {}), **self.definitions}
        if self.dialect == "draft2019-09" and rng.random() < 0.1 and "$recursiveAnchor" not in document:
            document["$recursiveAnchor"] = rng.random() < 0.7
        self.targets["#"] = document
        return document

    def scopes(self):
        """Resources that refer to each other by dynamic references, and documents for them."""
        rng = self.rng
        old = self.dialect == "draft2019-09"
        count = rng.randint(1, 3)
        by_name = not old and rng.random() < 0.1

        def reference():
            if rng.random() < 0.6:
                return {"$recursiveRef": "#"} if old else {"$dynamicRef": rng.choice(["#node", "#node", "#leaf", "r0.json#node"])}
            return {"$ref": rng.choice([f"r{rng.randrange(count)}.json", "#", "root.json"] + ["#leaf", "r0.json#node"] * by_name)}

        def resource(uri, place):
            schema = {"$id": uri}
            if old:
                if rng.random() < 0.7:
                    schema["$recursiveAnchor"] = rng.random() < 0.8
            else:
                schema[rng.choice(["$dynamicAnchor", "$dynamicAnchor", "$dynamicAnchor", "$anchor"])] = "node"
                schema["$defs"] = {"leaf": {rng.choice(["$dynamicAnchor", "$anchor"]): "leaf", **self.leaf()}}
            names = rng.sample(["v", "child", "other", "w", "list"], rng.randint(1, 4))
            schema["properties"] = {name: {"items": reference()} if name == "list" else self.leaf() if name in ("v", "w") else
                                    reference() for name in names}
            if rng.random() < 0.3:
                schema["required"] = [rng.choice(names)]
            if rng.random() < 0.4:
                schema[rng.choice(["unevaluatedProperties", "additionalProperties"])] = False
            later = [f"r{other}.json" for other in range(place + 1, count)]
            if later and rng.random() < 0.5:
                if rng.random() < 0.5:
                    schema["$ref"] = rng.choice(later)
                else:
                    schema[rng.choice(["allOf", "anyOf", "oneOf"])] = [{"$ref": one} for one in later]
            return schema

        root = {"$schema": DIALECTS[self.dialect], **resource("http://example.com/root.json", -1)}
        root.setdefault("$defs", {}).update({f"r{place}": resource(f"r{place}.json", place) for place in range(count)})
        if not old and rng.random() < 0.2:
            # what dynamic references go through must be there
            root["$defs"]["more"] = {"$id": "more.json", "$dynamicAnchor": "node", "type": "object"}
        return root

    def leaf(self):
        return self.rng.choice([{"type": "integer"}, {"type": "string"}, {"enum": [Number(1), "a"]}, {"minimum": Number(2)}])

    def tree(self, depth=3):
        rng = self.rng
        if depth == 0 or rng.random() < 0.25:
            return rng.choice([Number(1), Number(3), "a", None])
        return {name: [self.tree(depth - 1) for _ in range(rng.randint(0, 2))] if name == "list" and rng.random() < 0.9 else
                rng.choice([Number(1), Number(3), "a"]) if name in ("v", "w") and rng.random() < 0.9 else self.tree(depth - 1)
                for name in rng.sample(["v", "child", "other", "w", "list", "x"], rng.choice([0, 1, 2, 2, 3]))}

    def pointer_token(self, name):
        token = name.replace("~", "~0").replace("/", "~1")
        return token.replace(" ", "%20").replace("ä", "%C3%A4") if self.rng.random() < 0.7 else token.replace(" ", "%20").replace("ä", "%c3%a4")

    def has_reference(self, schema):
        text = json.dumps(schema, default=str)
        return "$ref" in text or "$recursiveRef" in text or "$dynamicRef" in text

    def some(self, keywords):
        count = min(len(keywords), self.rng.choice([1, 1, 2, 2, 3]))
        return self.rng.sample(keywords, count)

    def schema(self, depth, top=False, consumed=False):
        rng = self.rng
        if not top and rng.random() < 0.1:
            if self.since("draft6"):
                return rng.random() < 0.8
            return {} if rng.random() < 0.8 else {"not": {}}
        if self.targets and rng.random() < (0.1 if top else 0.15):
            return self.reference(depth, consumed)
        if consumed and rng.random() < 0.06:
            if self.dialect == "draft2019-09" and rng.random() < 0.5:
                return {"$recursiveRef": "#"}
            return {"$ref": "#"}

        schema = {}
        kind = rng.choice(["number", "string", "array", "array", "object", "object", "object", "const", "logic"]
                          if depth > 0 else ["number", "string", "const", "type"])
        if kind == "number":
            self.number_keywords(schema)
        elif kind == "string":
            self.string_keywords(schema)
        elif kind == "array":
            self.array_keywords(schema, depth)
        elif kind == "object":
            self.object_keywords(schema, depth)
        elif kind == "const":
            self.const_keywords(schema)
        elif kind == "type":
            schema["type"] = self.types()
        if kind != "logic" and rng.random() < 0.55 and kind not in ("const", "type"):
            schema["type"] = {"number": rng.choice(["number", "integer"])}.get(kind, kind)
            if rng.random() < 0.15:
                schema["type"] = [schema["type"], *rng.sample([t for t in TYPES if t != schema["type"]], 1)]
        if depth > 0 and (kind == "logic" or rng.random() < 0.2):
            self.logic_keywords(schema, depth, consumed)
        if rng.random() < 0.04:
            schema[rng.choice(["title", "description", "$comment", "unknownKeyword"])] = "foo"
        if rng.random() < 0.02:
            schema["default"] = self.value(1)
        if self.since("draft2019-09") and depth > 0:
            if rng.random() < (0.18 if kind in ("object", "logic") else 0.03):
                schema["unevaluatedProperties"] = self.small_schema()
            if rng.random() < (0.15 if kind in ("array", "logic") else 0.03):
                schema["unevaluatedItems"] = self.small_schema()
        return schema

    def small_schema(self):
        if self.rng.random() < 0.6:
            return self.rng.random() < 0.2 if self.since("draft6") else {"not": {}}
        return self.schema(0, consumed=True)

    def reference(self, depth, consumed):
        rng = self.rng
        reference = rng.choice(list(self.targets))
        keyword = "$ref"
        if reference.startswith("#dynamic") and rng.random() < 0.7:
            keyword = "$dynamicRef"
        schema = {keyword: reference}
        if rng.random() < 0.2 and depth > 0:
            # beside $ref: ignored up to draft 7, counts since
            schema[rng.choice(["maxProperties", "maxItems", "maxLength"])] = Number(rng.randint(0, 3))
        return schema

    def types(self):
        if self.rng.random() < 0.7:
            return self.rng.choice(TYPES)
        return self.rng.sample(TYPES, self.rng.randint(1, 3))

    def number_keywords(self, schema):
        rng = self.rng
        for keyword in self.some(["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"]):
            if keyword == "multipleOf":
                schema[keyword] = Number(rng.choice(["1", "2", "3", "5", "10", "0.5", "0.25", "1.5", "0.1", "0.01", "1e1",
                                                     "2.0", "7", "1000", "0.001"]))
            elif self.dialect == "draft4" and keyword.startswith("exclusive"):
                schema[keyword] = rng.random() < 0.7
                schema.setdefault(keyword[len("exclusive"):].lower(), self.number())
            else:
                schema[keyword] = self.number()

    def string_keywords(self, schema):
        rng = self.rng
        for keyword in self.some(["minLength", "maxLength", "pattern", "format"]):
            if keyword == "pattern":
                schema[keyword] = rng.choice(PATTERNS)[0]
            elif keyword == "format":
                name = rng.choice(list(FORMATS))
                if FORMAT_SINCE.get(name, 0) <= {0: 4, 1: 6, 2: 7, 3: 8, 4: 9, 5: 9}[self.order]:
                    schema[keyword] = name
            else:
                schema[keyword] = Number(rng.choice([0, 1, 2, 2, 3, 4, "2.0" if self.since("draft6") else 2]))

    def schemas(self, depth, low=1, high=3, consumed=False):
        return [self.schema(depth - 1, consumed=consumed) for _ in range(self.rng.randint(low, high))]

    def array_keywords(self, schema, depth):
        rng = self.rng
        new = self.since("draft2020-12")
        keywords = ["items", "items", "minItems", "maxItems", "uniqueItems"]
        keywords += ["prefixItems"] if new else ["additionalItems"]
        if self.since("draft6"):
            keywords.append("contains")
        for keyword in self.some(keywords):
            if keyword in ("minItems", "maxItems"):
                schema[keyword] = Number(rng.choice([0, 1, 2, 3]))
            elif keyword == "uniqueItems":
                schema[keyword] = rng.random() < 0.85
            elif keyword == "prefixItems":
                schema[keyword] = self.schemas(depth, consumed=True)
            elif keyword == "additionalItems":
                schema[keyword] = self.boolean_or_schema(depth)
                schema["items"] = self.schemas(depth, consumed=True) if rng.random() < 0.85 else self.schema(depth - 1, consumed=True)
            elif keyword == "contains":
                schema[keyword] = self.schema(depth - 1, consumed=True)
                if self.since("draft2019-09"):
                    for bound in ("minContains", "maxContains"):
                        if rng.random() < 0.3:
                            schema[bound] = Number(rng.choice([0, 0, 1, 2, 3]))
            elif "items" not in schema:
                schema[keyword] = (self.schemas(depth, consumed=True) if not new and rng.random() < 0.4
                                   else self.schema(depth - 1, consumed=True))

    def boolean_or_schema(self, depth):
        if self.rng.random() < 0.5:
            return self.rng.random() < 0.3
        return self.schema(depth - 1, consumed=True)

    def names(self, low=1, high=3):
        return self.rng.sample(NAMES[:-2] if self.rng.random() < 0.9 else NAMES, self.rng.randint(low, high))

    def object_keywords(self, schema, depth):
        rng = self.rng
        keywords = ["properties", "properties", "properties", "required", "required", "patternProperties",
                    "additionalProperties", "minProperties", "maxProperties"]
        keywords += ["dependentRequired", "dependentSchemas"] if self.since("draft2019-09") else ["dependencies"]
        if self.since("draft6"):
            keywords.append("propertyNames")
        for keyword in dict.fromkeys(self.some(keywords) + self.some(keywords)):
            if keyword == "properties":
                schema[keyword] = {name: self.schema(depth - 1, consumed=True) for name in self.names(1, 4)}
            elif keyword == "required":
                schema[keyword] = (rng.sample(list(schema["properties"]), 1) if schema.get("properties") and rng.random() < 0.6
                                   else self.names())
            elif keyword == "patternProperties":
                schema[keyword] = {rng.choice(PATTERNS)[0]: self.schema(depth - 1, consumed=True)
                                   for _ in range(rng.randint(1, 2))}
            elif keyword == "additionalProperties":
                schema[keyword] = self.boolean_or_schema(depth)
            elif keyword in ("minProperties", "maxProperties"):
                schema[keyword] = Number(rng.choice([0, 1, 2, 3]))
            elif keyword == "propertyNames":
                schema[keyword] = rng.choice([{"pattern": rng.choice(PATTERNS)[0]}, {"maxLength": Number(rng.randint(0, 3))},
                                              {"enum": self.names()}, rng.random() < 0.5])
            elif keyword == "dependentRequired":
                schema[keyword] = {name: self.names(0, 2) for name in self.names(1, 2)}
            elif keyword == "dependentSchemas":
                schema[keyword] = {name: self.schema(depth - 1) for name in self.names(1, 2)}
            else:
                low = 0 if self.since("draft6") else 1
                schema[keyword] = {name: self.names(low, 2) if rng.random() < 0.5 else self.schema(depth - 1)
                                   for name in self.names(1, 2)}

    def const_keywords(self, schema):
        if self.since("draft6") and self.rng.random() < 0.4:
            schema["const"] = self.value(2)
            return
        values = {}
        for _ in range(self.rng.randint(1, 4)):
            value = self.value(1)
            values.setdefault(canonical(value), value)
        schema["enum"] = list(values.values())

    def logic_keywords(self, schema, depth, consumed):
        rng = self.rng
        keywords = ["allOf", "anyOf", "oneOf", "not"]
        if self.since("draft7"):
            keywords += ["if", "if"]
        for keyword in rng.sample(keywords, rng.choice([1, 1, 2])):
            if keyword == "not":
                schema[keyword] = self.schema(depth - 1, consumed=consumed)
            elif keyword == "if":
                schema[keyword] = self.schema(depth - 1, consumed=consumed)
                for branch in ("then", "else"):
                    if rng.random() < 0.7:
                        schema[branch] = self.schema(depth - 1, consumed=consumed)
            else:
                schema[keyword] = self.schemas(depth, consumed=consumed)

    # ---------- instances that (nearly) match ----------

    def applying(self, schema, depth=4):
        """The schema objects that apply at one location: this one and those that it applies."""
        if not isinstance(schema, dict) or depth == 0:
            return []
        found = [schema]
        for keyword in ("$ref", "$dynamicRef", "$recursiveRef"):
            if keyword in schema:
                found += self.applying(self.targets.get(schema[keyword]), depth - 1)
        for one in schema.get("allOf", []):
            found += self.applying(one, depth - 1)
        for keyword in ("anyOf", "oneOf"):
            if keyword in schema:
                found += self.applying(self.rng.choice(schema[keyword]), depth - 1)
        if "if" in schema:
            if self.rng.random() < 0.5:
                found += self.applying(schema["if"], depth - 1) + self.applying(schema.get("then"), depth - 1)
            else:
                found += self.applying(schema.get("else"), depth - 1)
        return found

    def sample(self, schema, depth=4):
        rng = self.rng
        if depth <= 0 or rng.random() < 0.02:
            return self.value(1)
        schemas = self.applying(schema)
        if not schemas:
            return self.value(2)
        for one in schemas:
            if "const" in one and rng.random() < 0.9:
                return one["const"]
            if one.get("enum") and rng.random() < 0.9:
                return rng.choice(one["enum"])
        kinds = None
        for one in schemas:
            if "type" in one:
                types = one["type"] if isinstance(one["type"], list) else [one["type"]]
                types = set(types) | ({"integer"} if "number" in types else set())
                kinds = types if kinds is None else kinds & types
        if not kinds:
            kinds = self.kinds_of(schemas)
        kind = rng.choice(sorted(kinds))
        if kind == "null":
            return None
        if kind == "boolean":
            return rng.random() < 0.5
        if kind in ("integer", "number"):
            return self.sample_number(schemas, kind)
        if kind == "string":
            return self.sample_string(schemas)
        if kind == "array":
            return self.sample_array(schemas, depth)
        return self.sample_object(schemas, depth)

    def kinds_of(self, schemas):
        keywords = {keyword for one in schemas for keyword in one}
        kinds = set()
        if keywords & {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"}:
            kinds.add("number")
        if keywords & {"minLength", "maxLength", "pattern", "format"}:
            kinds.add("string")
        if keywords & {"items", "prefixItems", "additionalItems", "contains", "minItems", "maxItems", "uniqueItems",
                       "unevaluatedItems"}:
            kinds.add("array")
        if keywords & {"properties", "required", "patternProperties", "additionalProperties", "minProperties",
                       "maxProperties", "propertyNames", "dependencies", "dependentRequired", "dependentSchemas",
                       "unevaluatedProperties"}:
            kinds.add("object")
        return kinds or {"object", "array", "string", "number", "null", "boolean"}

    def sample_number(self, schemas, kind):
        rng = self.rng
        bounds = [fraction(one[keyword]) for one in schemas
                  for keyword in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")
                  if is_number(one.get(keyword))]
        steps = [fraction(one["multipleOf"]) for one in schemas if "multipleOf" in one]
        value = rng.choice(bounds) if bounds else fraction(self.number())
        value += rng.choice([0, 0, 1, -1, Fraction(1, 2), Fraction(-1, 2), Fraction(1, 100), 5, -5])
        if steps and rng.random() < 0.9:
            step = rng.choice(steps)
            if abs(value) < 10 ** 25:
                value = round(value / step) * step
        elif kind == "integer":
            value = Fraction(round(value))
        text = number_text(value)
        if value.denominator == 1 and rng.random() < 0.1 and abs(value) < 10 ** 6:
            return Number(f"{text}.0" if rng.random() < 0.5 else f"{text}e0")
        return text

    def sample_string(self, schemas):
        rng = self.rng
        for one in rng.sample(schemas, len(schemas)):
            if "pattern" in one and rng.random() < 0.9:
                return rng.choice(dict(PATTERNS)[one["pattern"]])
            if "format" in one and rng.random() < 0.9:
                return rng.choice(rng.choice([strings for strings in FORMATS[one["format"]] if strings]))
        lengths = [int(float(one[keyword])) for one in schemas for keyword in ("minLength", "maxLength") if keyword in one]
        if lengths and rng.random() < 0.9:
            return rng.choice(["a", "é", "😀", "日"]) * max(0, rng.choice(lengths) + rng.choice([0, 0, 0, 1, -1]))
        return self.string()

    def sample_array(self, schemas, depth):
        rng = self.rng
        counts = [int(float(one[keyword])) for one in schemas for keyword in ("minItems", "maxItems") if keyword in one]
        prefixes, rests = [], []
        for one in schemas:
            if isinstance(one.get("items"), list):
                prefixes.append(one["items"])
                rests.append(one.get("additionalItems"))
            else:
                prefixes.append(one.get("prefixItems", []))
                rests.append(one.get("items"))
            rests.append(one.get("unevaluatedItems"))
        counts += [len(prefix) for prefix in prefixes if prefix]
        count = max(0, rng.choice(counts) + rng.choice([0, 0, 0, 1, -1])) if counts else rng.randint(0, 3)
        result = []
        if rng.random() < 0.85:
            for prefix, rest in zip(prefixes, rests[::2]):
                count = min([count, *(place for place, one in enumerate(prefix) if one in (False, {"not": {}}))])
                count = min(count, len(prefix)) if rest is False else count
        for place in range(count):
            here = [prefix[place] for prefix in prefixes if place < len(prefix)] or [rest for rest in rests if rest is not None]
            result.append(self.sample(rng.choice(here), depth - 1) if here else self.value(1))
        for one in schemas:
            if "contains" in one and rng.random() < 0.7:
                for _ in range(rng.choice([1, 1, 2])):
                    result.insert(rng.randint(0, len(result)), self.sample(one["contains"], depth - 1))
        if result and rng.random() < 0.1:
            result.append(rng.choice(result))
        return result

    def sample_object(self, schemas, depth):
        rng = self.rng
        result = {}
        names = []
        for one in schemas:
            if rng.random() < 0.95:
                names += one.get("required", [])
            names += [name for name in one.get("properties", {}) if rng.random() < 0.6]
            for keyword in ("dependentRequired", "dependentSchemas", "dependencies"):
                names += [name for name in one.get(keyword, {}) if rng.random() < 0.6]
            for pattern in one.get("patternProperties", {}):
                names += [rng.choice(dict(PATTERNS)[pattern])] if rng.random() < 0.5 else []
        if rng.random() < 0.2 or not names:
            names.append(rng.choice(NAMES))
        if rng.random() < 0.85:
            names = [name for name in names if self.may_have(schemas, name)]
        most = min((int(float(one["maxProperties"])) for one in schemas if "maxProperties" in one), default=None)
        if most is not None and rng.random() < 0.85:
            names = names[:most]
        least = max((int(float(one["minProperties"])) for one in schemas if "minProperties" in one), default=0)
        if rng.random() < 0.85:
            more = [name for name in NAMES if self.may_have(schemas, name) and name not in names]
            names += more[:max(0, least - len(set(names)))]
        for name in names:
            here = [one["properties"][name] for one in schemas if name in one.get("properties", {})]
            here = here or [one[keyword] for one in schemas for keyword in ("additionalProperties", "unevaluatedProperties")
                            if isinstance(one.get(keyword), dict)]
            result[name] = self.sample(rng.choice(here), depth - 1) if here else self.value(1)
        return result

    def may_have(self, schemas, name):
        """Is there no schema that refuses the property whatever its value is?"""
        for one in schemas:
            known = name in one.get("properties", {})
            if known and one["properties"][name] in (False, {"not": {}}):
                return False
            if not known and one.get("additionalProperties") is False and not one.get("patternProperties"):
                return False
            names = one.get("propertyNames", True)
            if names is False or (isinstance(names, dict) and name not in names.get("enum", [name])):
                return False
            if isinstance(names, dict) and "maxLength" in names and len(name) > int(names["maxLength"]):
                return False
        return True

    # ---------- mutations ----------

    def mutate(self, value):
        """A copy that differs in one place, mostly."""
        rng = self.rng
        if isinstance(value, dict) and value and rng.random() < 0.75:
            copy = dict(value)
            name = rng.choice(list(copy))
            kind = rng.random()
            if kind < 0.6:
                copy[name] = self.mutate(copy[name])
            elif kind < 0.8:
                del copy[name]
            else:
                copy[rng.choice(NAMES)] = copy[name] if rng.random() < 0.5 else self.value(1)
            return copy
        if isinstance(value, list) and value and rng.random() < 0.75:
            copy = list(value)
            place = rng.randrange(len(copy))
            kind = rng.random()
            if kind < 0.5:
                copy[place] = self.mutate(copy[place])
            elif kind < 0.65:
                del copy[place]
            elif kind < 0.85:
                copy.insert(rng.randint(0, len(copy)), copy[place])
            else:
                copy.append(self.value(1))
            return copy
        if isinstance(value, Number) and rng.random() < 0.8:
            return number_text(fraction(value) + rng.choice([1, -1, Fraction(1, 2), Fraction(1, 10), Fraction(-1, 1000)]))
        if isinstance(value, str) and not isinstance(value, Number) and rng.random() < 0.8:
            kind = rng.random()
            if kind < 0.4:
                return value[:-1]
            if kind < 0.8:
                return value + rng.choice(["a", "1", "é", "\n", "😀"])
            return value.swapcase()
        if isinstance(value, bool) and rng.random() < 0.5:
            return Number(int(value))
        return self.value(1)


def canonical(value):
    """Equal for equal JSON values."""
    if isinstance(value, Number):
        return ("number", fraction(value))
    if isinstance(value, list):
        return ("array", tuple(map(canonical, value)))
    if isinstance(value, dict):
        return ("object", tuple(sorted((name, canonical(item)) for name, item in value.items())))
    return (type(value).__name__, value)


# how many of the schemas of 2019-09 and 2020-12 are about dynamic references
SCOPES = 0.15

# what no keyword's value may be; none of it is legal in any dialect
WRONG = [
    ("type", ["integr", Number(3), {}, ["string", "string"], [None]]), ("enum", ["a", {}, Number(1)]),
    ("minLength", [Number(-1), Number("1.5"), "2", None]), ("maxItems", [Number("0.5"), True, []]),
    ("minProperties", [Number(-5), "1"]), ("multipleOf", [Number(0), Number(-2), "2"]), ("maximum", ["3", None, []]),
    ("minimum", [True, {}]), ("pattern", [Number(1), None]), ("uniqueItems", [Number(1), "true"]),
    ("required", ["a", [Number(1)], ["a", "a"], {}]), ("properties", [[], True, {"a": Number(1)}, {"a": "b"}]),
    ("patternProperties", [[], {"a": None}]), ("additionalProperties", [Number(1), "no", []]),
    ("items", [Number(1), "a"]), ("allOf", [{}, [], [Number(1)]]), ("anyOf", [[], True]), ("oneOf", [[], [None]]),
    ("not", [Number(3), "a", []]), ("format", [Number(1), ["date"]]), ("title", [Number(1)]), ("description", [{}]),
]
WHERE_SCHEMAS_ARE = {"properties", "patternProperties", "allOf", "anyOf", "oneOf", "not", "items", "additionalProperties"}


def spoil(rng, schema):
    """A copy with a value that no keyword may have, somewhere."""
    if isinstance(schema, list) and schema:
        copy = list(schema)
        place = rng.randrange(len(copy))
        copy[place] = spoil(rng, copy[place])
        return copy
    if not isinstance(schema, dict) or "$ref" in schema:
        return schema
    inner = sorted(WHERE_SCHEMAS_ARE & set(schema))
    if inner and rng.random() < 0.5:
        keyword = rng.choice(inner)
        value = schema[keyword]
        if keyword in ("properties", "patternProperties") and value:
            name = rng.choice(list(value))
            return {**schema, keyword: {**value, name: spoil(rng, value[name])}}
        return {**schema, keyword: spoil(rng, value)}
    keyword, values = rng.choice(WRONG)
    return {**schema, keyword: rng.choice(values)}


def make_group(seed, number, instances):
    """The schema of that number, is format asserted, and instances for it."""
    rng = random.Random(f"{seed}/{number}")
    dialect = rng.choices(list(DIALECTS), [2, 1, 3, 3, 4, 1])[0]
    generator = Generator(rng, dialect)
    if dialect in ("draft2019-09", "draft2020-12") and rng.random() < SCOPES:
        schema = generator.scopes()
        return dialect, schema, True, list({write_json(generator.tree()): None for _ in range(instances)})
    schema = generator.document()
    if rng.random() < 0.03:
        return dialect, spoil(rng, schema), True, ["1", "{}"]
    found = {}
    for _ in range(instances * 3):
        value = generator.sample(schema)
        if rng.random() < 0.4:
            value = generator.mutate(value)
        found.setdefault(write_json(value), value)
        if len(found) == instances:
            break
    return dialect, schema, rng.random() < 0.7, list(found)
