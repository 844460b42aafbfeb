"""Schemas and documents that make a validation or a compilation long."""

import json
import random
import sys
import time
from functools import partial

import psycopg

from world import COSTS, Background, worked

LEVELS = 30
BRACKETS = 1000
# no attack takes a twentieth of it; without bounds each takes minutes, or years
CEILING = f"{20 * COSTS:.0f}s"
# a cancel takes effect within this time, on a machine with other load
HEARD = 1.0


def ref(number):
    return {"$ref": f"#/$defs/a{number}"}


def chain(step, last, **keywords):
    """A schema of LEVELS schemas, each of which refers to the next one, more than once."""
    schemas = {f"a{i}": step(i + 1) for i in range(LEVELS)}
    return {"$defs": schemas | {f"a{LEVELS}": last}, "$ref": "#/$defs/a0", **keywords}


IN_PLACE = {
    "allOf": lambda n: {"allOf": [ref(n), ref(n)]},
    "anyOf": lambda n: {"anyOf": [ref(n), ref(n)]},
    "anyOf, the first fails": lambda n: {"anyOf": [{"allOf": [ref(n), False]}, ref(n)]},
    "oneOf": lambda n: {"oneOf": [{"allOf": [ref(n), False]}, ref(n)]},
    "if": lambda n: {"if": ref(n), "then": ref(n), "else": ref(n)},
    "dependentSchemas": lambda n: {"dependentSchemas": {"x": ref(n), "y": ref(n)}},
    "not": lambda n: {"not": {"not": {"allOf": [ref(n), ref(n)]}}},
    "with types": lambda n: {"type": "object", "allOf": [ref(n), {"type": "object", "allOf": [ref(n)]}]},
}

IN_CHILDREN = {
    "properties": lambda n: {"properties": {"x": ref(n)}, "allOf": [{"properties": {"x": ref(n)}}]},
    "patternProperties": lambda n: {"properties": {"x": ref(n)}, "patternProperties": {"^x": ref(n)}},
    "additionalProperties": lambda n: {"additionalProperties": ref(n), "allOf": [{"patternProperties": {"x": ref(n)}}]},
    "anyOf": lambda n: {"anyOf": [{"properties": {"x": ref(n)}}, {"properties": {"x": ref(n)}, "required": ["x"]}]},
    "if": lambda n: {"if": {"properties": {"x": ref(n)}}, "then": {"additionalProperties": ref(n)}},
    "deep": lambda n: {"allOf": [{"properties": {"x": {"allOf": [ref(n), {"maxProperties": 3}]}}},
                                 {"properties": {"x": {"allOf": [ref(n), {"maxProperties": 4}]}}}]},
}


def nested(leaf, levels=LEVELS):
    for _ in range(levels):
        leaf = {"x": leaf}
    return leaf


def ask(session, schema, document):
    """Whether it is valid, and how many violations are listed."""
    schema, document = (text if isinstance(text, str) else json.dumps(text) for text in (schema, document))
    return session.execute("SELECT jsonb_matches_schema(%s, %s), (SELECT count(*) FROM jsonb_schema_violations(%s, %s))",
                           (schema, document, schema, document)).fetchone()


def expect(session, name, schema, document, expected):
    valid, violations = ask(session, schema, document)
    assert valid == expected, f"{name}: {valid}"
    assert (violations == 0) == expected, f"{name}: {violations} violations"
    assert violations < 2000, f"{name}: {violations} violations"


def session_of(world):
    session = world.connect("mallory")
    session.execute(f"SET statement_timeout = '{CEILING}'")
    return session


def test_chain_in_place(world):
    session = session_of(world)
    for name, step in IN_PLACE.items():
        document = {"x": 1, "y": 1}
        expect(session, name, chain(step, {"minProperties": 1}), document, True)
        expect(session, name, chain(step, {"minProperties": 3}), document, False)


def test_chain_in_place_unevaluated(world):
    session = session_of(world)
    for name, step in IN_PLACE.items():
        if name == "not":
            continue
        document = {"x": 1, "y": 1}
        last = {"properties": {"x": True, "y": True}}
        expect(session, name, chain(step, last, unevaluatedProperties=False), document, True)
        expect(session, name, chain(step, last, unevaluatedProperties=False), document | {"z": 1}, False)


def test_chain_in_children(world):
    session = session_of(world)
    for name, step in IN_CHILDREN.items():
        expect(session, name, chain(step, {"type": "integer"}), nested(1), True)
        expect(session, name, chain(step, {"type": "integer"}), nested("a"), name == "if")
        expect(session, name, chain(step, {"type": "integer"}, unevaluatedProperties=False), nested(1), True)


def test_recursive_branches(world):
    """Brackets in brackets, with a schema of two branches that both look into them."""
    session = session_of(world)
    node = {"$ref": "#/$defs/node"}

    base = {"$ref": "#/$defs/base"}

    def expect_brackets(branches, valid, invalid, opening="[", closing="]", levels=BRACKETS, **keywords):
        schema = {"$defs": {"node": {**branches, **keywords}, "base": {"properties": {"x": node}}}, **node}
        for depth in (25, levels):
            expect(session, f"{branches} {depth}", schema, opening * depth + valid + closing * depth, True)
            expect(session, f"{branches} {depth}", schema, opening * depth + invalid + closing * depth, False)

    expect_brackets({"oneOf": [{"items": node, "maxItems": 1},
                               {"type": "array", "items": node, "contains": {"const": 7}}]}, "1", "1, 2")
    expect_brackets({"anyOf": [{"properties": {"x": node}}, {"properties": {"x": node, "y": True}}]},
                    "1", '{"z": 1}', '{"x": ', "}", 300, unevaluatedProperties=False)
    expect_brackets({"anyOf": [{"required": ["y"], **base}, {"properties": {"y": True}}, base]},
                    "1", '{"z": 1}', '{"x": ', "}", 300, unevaluatedProperties=False)
    expect_brackets({"anyOf": [{"items": node}, {"prefixItems": [node]}]}, "1", '"a"', levels=300,
                    unevaluatedItems=False, type=["array", "integer"])


def test_dynamic_recursion(world):
    session = session_of(world)
    inner = {"properties": {"x": {"$dynamicRef": "#node"}}}
    schema = {"$id": "https://example.com/node", "$dynamicAnchor": "node", "type": ["object", "integer"],
              "allOf": [inner, inner]}
    expect(session, "dynamic", schema, nested(1), True)
    expect(session, "dynamic", schema, nested("a"), False)


def test_dynamic_scopes(world):
    """The targets of n dynamic references can differ in 2^n ways: their number is limited."""
    session = session_of(world)
    schemas = {}
    for i in range(LEVELS):
        schemas[f"r{i}"] = {"$id": f"https://example.com/r{i}", "$ref": f"root#/$defs/a{i + 1}",
                            "$defs": {"a": {"$dynamicAnchor": f"n{i}", "type": "integer"}}}
        schemas[f"a{i}"] = {"properties": {"x": {"allOf": [{"$ref": f"r{i}"}, ref(i + 1)]}}}
        schemas[f"d{i}"] = {"$id": f"https://example.com/d{i}", "$dynamicAnchor": f"n{i}"}
    schemas[f"a{LEVELS}"] = {"allOf": [{"$dynamicRef": f"d{i}#n{i}"} for i in range(LEVELS)]}
    schema = {"$id": "https://example.com/root", "$ref": "#/$defs/a0", "$defs": schemas}
    try:
        ask(session, schema, nested(1))
    except psycopg.errors.StatementTooComplex as error:
        assert "dynamic references" in error.diag.message_detail
    else:
        raise AssertionError("not refused")


def test_wide_objects(world):
    """An object with so many keys that it is read in parts is read once."""
    session = session_of(world)
    keys = {f"k{i:02d}": 1 for i in range(40)}
    patterns = {"properties": {"a": {"$ref": "#"}}, "patternProperties": {"^k": {"maximum": 9}, "9$": {"minimum": 0}}}
    branches = {"properties": {"a": {"$ref": "#"}}, "unevaluatedProperties": False,
                "anyOf": [{"properties": {key: True for key in keys}}, {"properties": {"z": True}}]}
    for schema in (patterns, branches):
        valid, invalid = 1, {"k39": -1, "y": 1}
        for _ in range(LEVELS):
            valid, invalid = {"a": valid, **keys}, {"a": invalid, **keys}
        expect(session, schema, schema, valid, True)
        expect(session, schema, schema, invalid, False)


def test_counted_violations(world):
    """More violations than can be listed are counted, even 2^30."""
    owner = world.connect("owner")
    owner.execute("SELECT register_event_schema('chain', 1, %s)",
                  (json.dumps(chain(IN_PLACE["allOf"], {"minProperties": 3})),))
    owner.execute("CREATE TABLE events (data jsonb, CHECK (check_event(data, 'chain', 1)))")
    owner.execute(f"SET statement_timeout = '{CEILING}'")
    try:
        owner.execute("INSERT INTO events VALUES ('{\"x\": 1}')")
    except psycopg.errors.CheckViolation as error:
        lines = error.diag.message_detail.split("\n")
        more = int(lines[-1].removeprefix("and ").removesuffix(" more"))
        assert 2 ** LEVELS - 200 < more <= 2 ** LEVELS, lines
    else:
        raise AssertionError("not refused")


# ---------- remembered answers are the right ones ----------

class Reference:
    """The answers of a few keywords by the specification, computed each time."""

    def __init__(self, schema):
        self.root = schema

    def valid(self, schema, instance):
        return self.evaluate(schema, instance)[0]

    def evaluate(self, schema, instance):
        """Whether it is valid, and the keys that were evaluated."""
        if isinstance(schema, bool):
            return schema, set()
        ok, keys = True, set()

        def also(result):
            nonlocal ok, keys
            ok = ok and result[0]
            keys |= result[1]

        if "type" in schema:
            ok = {dict: "object", int: "integer", str: "string"}[type(instance)] in schema["type"]
        if "minimum" in schema and isinstance(instance, int):
            ok = ok and instance >= schema["minimum"]
        if "$ref" in schema:
            also(self.evaluate(self.root["$defs"][schema["$ref"].rsplit("/", 1)[1]], instance))
        for branch in schema.get("allOf", ()):
            also(self.evaluate(branch, instance))
        for keyword in ("anyOf", "oneOf"):
            if keyword in schema:
                results = [result for branch in schema[keyword] if (result := self.evaluate(branch, instance))[0]]
                ok = ok and (len(results) == 1 if keyword == "oneOf" else bool(results))
                for result in results:
                    keys |= result[1]
        if "not" in schema:
            ok = ok and not self.valid(schema["not"], instance)
        if "if" in schema:
            holds = self.evaluate(schema["if"], instance)
            if holds[0]:
                also(holds)
            also(self.evaluate(schema.get("then" if holds[0] else "else", True), instance))
        if isinstance(instance, dict):
            also(self.evaluate_object(schema, instance))
            if "unevaluatedProperties" in schema:
                for key in instance.keys() - keys:
                    ok = self.valid(schema["unevaluatedProperties"], instance[key]) and ok
                keys = set(instance)
        return ok, keys if ok else set()

    def evaluate_object(self, schema, instance):
        keys = set()
        ok = all(key in instance for key in schema.get("required", ()))
        for key, value in instance.items():
            schemas = [schema["properties"][key]] if key in schema.get("properties", ()) else []
            schemas += [s for pattern, s in schema.get("patternProperties", {}).items() if key.startswith(pattern[1:])]
            if not schemas and "additionalProperties" in schema:
                schemas = [schema["additionalProperties"]]
            if schemas:
                keys.add(key)
            for s in schemas:
                ok = self.valid(s, value) and ok
        for key, s in schema.get("dependentSchemas", {}).items():
            if key in instance:
                result = self.evaluate(s, instance)
                ok = ok and result[0]
                keys |= result[1]
        return ok, keys


KEYS = ("a", "b", "ab")


def random_schema(r, number, depth=0):
    """One that refers to later ones for the same value, and to any for children."""
    def later():
        if depth > 1 or number >= 5 or r.random() < 0.3:
            return r.choice([True, {"type": ["integer", "object"]}, {"required": [r.choice(KEYS)]}, {"minimum": 1},
                             {"properties": {r.choice(KEYS): child()}}])
        return {"$ref": f"#/$defs/s{r.randrange(number + 1, 6)}"} if r.random() < 0.6 else random_schema(r, number, depth + 1)

    def child():
        return {"$ref": f"#/$defs/s{r.randrange(6)}"} if r.random() < 0.8 else r.choice([True, {"type": ["integer"]}, False])

    schema = {}
    for _ in range(r.randrange(1, 4)):
        keyword = r.choice(("allOf", "anyOf", "oneOf", "not", "if", "properties", "patternProperties",
                            "additionalProperties", "dependentSchemas", "unevaluatedProperties", "type"))
        if keyword in ("allOf", "anyOf", "oneOf"):
            schema[keyword] = [later() for _ in range(r.randrange(1, 4))]
        elif keyword == "not":
            schema["not"] = later()
        elif keyword == "if":
            schema |= {"if": later(), "then": later(), "else": later()}
        elif keyword == "properties":
            schema["properties"] = {key: child() for key in r.sample(KEYS, 2)}
        elif keyword == "patternProperties":
            schema["patternProperties"] = {"^a": child()}
        elif keyword == "dependentSchemas":
            schema["dependentSchemas"] = {r.choice(KEYS): later()}
        elif keyword == "type":
            schema["type"] = r.choice((["object", "integer"], ["object"], ["object", "string", "integer"]))
        else:
            schema[keyword] = child()
    return schema


def random_document(r, depth):
    if depth == 0 or r.random() < 0.15:
        return r.choice((0, 1, 5, "x"))
    return {key: random_document(r, depth - 1) for key in KEYS if r.random() < 0.6}


def test_same_answers(world):
    """Remembered answers equal computed ones: 1,200 random pairs."""
    session = session_of(world)
    r = random.Random(12)
    remembering = valid = 0
    for number in range(150):
        schema = {"$defs": {f"s{i}": random_schema(r, i) for i in range(6)}, "$ref": "#/$defs/s0"}
        documents = [random_document(r, 3) for _ in range(8)]
        answers = session.execute("""
            SELECT jsonb_matches_schema(s, d), NOT EXISTS (SELECT FROM jsonb_schema_violations(s, d))
            FROM (SELECT %s::jsonb) AS t (s), unnest(%s::jsonb[]) WITH ORDINALITY AS u (d, n) ORDER BY n""",
                                  (json.dumps(schema), [json.dumps(d) for d in documents])).fetchall()
        for document, answer in zip(documents, answers):
            expected = Reference(schema).valid(schema, document)
            valid += expected
            assert answer == (expected, expected), f"{number}: {answer}, not {expected}: {json.dumps(schema)} {json.dumps(document)}"
        if number % 5 == 0:
            remembering += remembers(world, schema)
    assert remembering > 5, f"only {remembering} of 30 remember"
    assert 200 < valid < 1000, valid


def remembers(world, schema):
    """Does the program have something to remember?"""
    with world.connect("owner") as owner, owner.transaction(force_rollback=True):
        owner.execute("SELECT register_event_schema('random', 1, %s)", (json.dumps(schema),))
        return any(" REMEMBER " in line for line, in owner.execute("SELECT event_schema_program('random', 1)"))


def test_nothing_to_remember(world):
    """Schemas that cannot blow up are compiled as they always were."""
    price = {"type": "object", "properties": {"amount": {"type": "number"}, "currency": {"type": "string"}}}
    branch = {"required": ["kind"], "type": "object"}
    schemas = {
        "references": {"$defs": {"price": price}, "properties": {f"p{i}": {"$ref": "#/$defs/price"} for i in range(100)}},
        "base twice": {"$defs": {"price": price}, "allOf": [{"$ref": "#/$defs/price"}] * 3},
        "tree": {"properties": {"left": {"$ref": "#"}, "right": {"$ref": "#"}}, "items": {"$ref": "#"}},
        "kinds": {"oneOf": [branch | {"properties": {"kind": {"const": kind}, "child": {"$ref": "#"}}} for kind in "abc"]},
        "types": {"anyOf": [{"type": "string"}, {"type": "array", "items": {"$ref": "#"}},
                            {"type": "object", "additionalProperties": {"$ref": "#"}}]},
        "if": {"if": {"required": ["a"]}, "then": {"properties": {"b": {"$ref": "#"}}},
               "else": {"properties": {"b": {"$ref": "#"}}}},
    }
    for name, schema in schemas.items():
        assert not remembers(world, schema), name


# ---------- compiling ----------

def levels(keyword, width, depth):
    schemas = {f"a{i}": {keyword: [ref(i + 1)] * width} for i in range(depth)}
    return {"$defs": schemas | {f"a{depth}": {"type": "object"}}, "oneOf": [ref(0), ref(0)]}


def test_compile(world):
    session = session_of(world)
    constants = {f"p{i:05d}": {"const": "x"} for i in range(8000)}
    schemas = {
        "types of branches": levels("allOf", 60, 10),
        "wide levels": levels("anyOf", 500, 60),
        "discriminator of one schema": {
            "$defs": {"a": {"type": "object", "required": list(constants), "properties": constants}},
            "oneOf": [{"$ref": "#/$defs/a"}] * 20000},
        "long enumerations": {
            "$defs": {"e": {"enum": [f"v{i}" for i in range(40000)]},
                      "a": {"type": "object", "required": ["k"], "properties": {"k": {"$ref": "#/$defs/e"}}}},
            "oneOf": [{"$ref": "#/$defs/a"}] * 20000},
        "dynamic anchors": {
            "$defs": {f"r{i}": {"$id": f"https://example.com/r{i}", "$dynamicAnchor": "n"} for i in range(4000)},
            "allOf": [{"$dynamicRef": "https://example.com/r1#n"}] * 8000},
        "names of dynamic anchors": {
            "$defs": {f"r{i}": {"$id": f"https://example.com/r{i}", "$dynamicAnchor": f"n{i}"} for i in range(5000)},
            "allOf": [{"$dynamicRef": f"https://example.com/r{i}#n{i}"} for i in range(5000)]},
        "all to all": {"$defs": {f"a{i}": {"patternProperties": {f"p{j}": ref(j) for j in range(150)}} for i in range(150)},
                       "$ref": "#/$defs/a0"},
        "true": {"$defs": {"t": {"anyOf": [True] * 60000}},
                 "properties": {f"p{i}": {"$ref": "#/$defs/t", "unevaluatedProperties": False} for i in range(8000)}},
    }
    for name, schema in schemas.items():
        begin = time.monotonic()
        session.execute("SELECT jsonb_matches_schema(%s, '1')", (json.dumps(schema),))
        took = time.monotonic() - begin
        assert took < 10 * COSTS, f"{name}: {took:.1f} s"


# ---------- a cancel takes effect ----------

def test_cancel(world):
    session = world.connect("mallory")
    draft7 = "http://json-schema.org/draft-07/schema#"
    attacks = {
        "base64": ({"$schema": draft7, "allOf": [{"contentEncoding": "base64"}] * 60}, "to_jsonb(repeat('IAAA', 15000000))"),
        "length": ({"allOf": [{"minLength": 15000000 + i} for i in range(300)]}, "to_jsonb(repeat('é', 20000000))"),
        "patterns": ({"allOf": [{"not": {"pattern": f"a{i}b"}} for i in range(300)]}, "to_jsonb(repeat('a', 30000000))"),
        "pattern of names": ({"patternProperties": {f"a{i}b": True for i in range(500)}},
                             "jsonb_build_object(repeat('a', 10000000), 1)"),
        "marks": ({"unevaluatedItems": False, "items": True, "anyOf": [{"minItems": i} for i in range(20000)]},
                  "(SELECT jsonb_agg(i) FROM generate_series(1, 1000000) AS i)"),
    }
    session.execute("CREATE TEMP TABLE documents (d jsonb)")
    spent = time.monotonic if worked(session) is None else partial(worked, session)
    for name, (schema, document) in attacks.items():
        session.execute(f"TRUNCATE documents; INSERT INTO documents SELECT {document}")
        schema = json.dumps(schema)
        for query in ("SELECT jsonb_matches_schema(%s, d) FROM documents",
                      "SELECT count(*) FROM documents, jsonb_schema_violations(%s, d)"):
            begin = spent()
            try:
                with session.transaction():
                    session.execute("SET LOCAL statement_timeout = '300ms'")
                    session.execute(query, (schema,))
            except psycopg.errors.QueryCanceled:
                pass
            took = spent() - begin
            assert took < 0.3 + HEARD, f"{name}: {took:.1f} s"


sys.setrecursionlimit(10000)


def test_report_of_pairs(world):
    """A report of a schema that is applied 2^n times ends, and says that the rest is left out."""
    world.run("owner", """SELECT register_event_schema('pairs', 1, jsonb_build_object('$ref', '#/$defs/40', '$defs', jsonb_object_agg(i,
        CASE i WHEN 0 THEN '{"type": "string"}' ELSE jsonb_build_object('allOf', jsonb_build_array(
        jsonb_build_object('$ref', '#/$defs/' || i - 1), jsonb_build_object('$ref', '#/$defs/' || i - 1))) END)))
        FROM generate_series(0, 40) AS i""")
    session = world.connect("mallory")
    session.execute(f"SET statement_timeout = '{60 * COSTS:.0f}s'")
    for data, valid in (("1", False), ('"x"', True)):
        for output in ("flag", "basic", "detailed", "list", "hierarchical"):
            report, size, cut = session.execute("""SELECT (r -> 'valid')::boolean, length(r::text), r::text LIKE '%%the rest is left out%%'
                FROM event_report(%s, 'pairs', 1, %s) AS r""", [data, output]).fetchone()
            assert report is valid and size < 50_000_000 and (cut or output == "flag"), (data, output, size, cut)


def test_last_of_many_names(world):
    """The search for a name ends, wherever it is in a long list."""
    names = [f"p{i:06}" for i in range(150000)]
    schema = json.dumps({"properties": {name: True for name in names}, "required": names[-3:]})
    document = json.dumps({names[0]: 1, names[-1]: 1})
    search = Background(world.connect("mallory"), f"""SELECT jsonb_matches_schema('{schema}', '{document}'),
        (SELECT count(*) FROM jsonb_schema_violations('{schema}', '{document}'))""")
    assert search.join_within(60) is None, search.error
    assert search.rows == [(False, 2)], search.rows


def test_many_violations_at_a_long_location(world):
    """Each has the location, which is as long as the document's keys; a cancel ends the list."""
    session = world.connect("mallory")
    session.execute("SET statement_timeout = '300ms'")
    schema = json.dumps({"additionalProperties": {"required": [f"p{i}" for i in range(50000)]}})
    begin = time.monotonic()
    try:
        session.execute("""SELECT count(*) FROM jsonb_schema_violations(%s, jsonb_build_object(repeat('k', 1000000), '{}'::jsonb))""",
                        (schema,))
    except psycopg.errors.QueryCanceled:
        pass
    seconds = time.monotonic() - begin
    assert seconds < 10 * COSTS, f"{seconds:.1f} s"
