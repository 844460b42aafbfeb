"""Schemas that are expensive on purpose, in time or memory: by comparison, and by patterns.

Any role can call event_schema_changes and jsonb_matches_schema.  The limits of time are generous, for slow
machines: the alternative is hours, or no reaction to a cancel.
"""

import contextlib
import json
import random
import re
import time
from functools import partial

import psycopg
from world import COSTS, told, worked

SECONDS = 30
MEGABYTES = 250     # of a session, beyond what it has before


def peak(session):
    """The peak of a session's memory in MB, divided by COSTS; None if the server is on another machine."""
    with contextlib.suppress(OSError):
        with open(f"/proc/{session.info.backend_pid}/status", encoding="ascii") as status:
            return int(re.search(r"VmHWM:\s+(\d+)", status.read())[1]) / 1024 / COSTS
    return None


def asked(world, command, *arguments, role="mallory", seconds=SECONDS, megabytes=MEGABYTES):
    """The rows of a command that must end soon, without much memory."""
    session = world.connect(role)
    # of the process; beside others it takes longer
    session.execute(f"SET statement_timeout = '{10 * seconds * COSTS:.0f}s'")
    session.execute("""SELECT * FROM event_schema_changes('{"pattern": "^a|b+$"}', '{}')""")
    before, begin = peak(session), worked(session)
    try:
        return session.execute(command, arguments).fetchall()
    finally:
        after, end = peak(session), worked(session)
        assert None in (before, after) or after - before < megabytes, f"{after - before:.0f} MB"
        assert None in (begin, end) or end - begin < seconds, f"{end - begin:.0f} s"
        session.close()


def cancelled(world, command, *arguments):
    """A command that would take long must react to a cancel."""
    session = world.connect("mallory")
    session.execute("SET statement_timeout = '200ms'")
    spent = time.monotonic if worked(session) is None else partial(worked, session)
    begin = spent()
    try:
        session.execute(command, arguments).fetchall()
    except psycopg.errors.QueryCanceled:
        pass
    else:
        raise AssertionError("not cancelled")
    seconds = spent() - begin
    assert seconds < 3, f"cancelled after {seconds:.1f} s"


# ---------- comparison ----------

def warned(world, command, role="mallory"):
    """The WARNINGs of a command."""
    session = world.connect(role)
    warnings = told(session)
    session.execute(command)
    return warnings


def chain(keyword, leaf, length=30):
    """Pairs of references, with 2^length paths to a leaf."""
    definitions = {f"d{i}": {keyword: [{"$ref": f"#/$defs/d{i + 1}"}] * 2} for i in range(length)}
    return {"$defs": {**definitions, f"d{length}": leaf}, "$ref": "#/$defs/d0"}


def union(count, keyword="oneOf"):
    return {keyword: [{"type": "object",
                       "properties": {"kind": {"const": f"k{i}"},
                                      **{f"p{j}": {"type": "string", "pattern": f"^[a-z{i % 10}]{{1,{i % 7 + j + 2}}}$"}
                                         for j in range(5)}}} for i in range(count)]}


def nested(keyword, leaf, depth):
    schema = leaf
    for _ in range(depth):
        schema = {keyword: [schema, {"type": "string"}]} if keyword != "not" else {"not": schema}
    return schema


def all_of(keyword, letter, count=2000):
    return {"allOf": [{keyword: {"pattern": f"{letter}{i}"}} for i in range(count)]}


CHANGES = "SELECT rule, backward, forward, message FROM event_schema_changes(%s::jsonb, %s::jsonb, %s)"
TOO_LARGE = "COMPARISON_TOO_LARGE"


def test_comparison_is_bounded(world):
    hard = {
        "union": (union(600), union(601)),
        "branches": ({"allOf": [{"anyOf": [{"pattern": f"x{i}_{j}"} for i in range(10)]} for j in range(200)]},
                     {"allOf": [{"anyOf": [{"pattern": f"x{i}_{j}"} for i in range(11)]} for j in range(200)]}),
        "chain": (chain("anyOf", {"type": "string"}), chain("anyOf", {"type": "number"})),
        "nested anyOf": (nested("anyOf", {"type": "string"}, 300), nested("anyOf", {"type": "number"}, 300)),
        "contains": (all_of("contains", "x"), all_of("contains", "y")),
    }
    for name, (old, new) in hard.items():
        for lenient in (False, True):
            changes = asked(world, CHANGES, json.dumps(old), json.dumps(new), lenient)
            last = changes[-1]
            # the new schema accepts more, which can be proved of the whole before the search ends
            backward = ("unknown", "compatible") if name in ("union", "branches", "nested anyOf") else ("unknown",)
            assert last[0] == TOO_LARGE and last[1] in backward and last[2] == "unknown", f"{name}: {last}"
            assert re.fullmatch(r"The comparison was given up after (100000000 steps|64 MB of memory); other changes may be missing\.",
                                last[3]), f"{name}: {last}"
            assert not any("incompatible" in change[1:3] for change in changes), f"{name}: {changes}"
    # the limits of single proofs and searches end these before
    for keyword in ("not", "propertyNames"):
        for lenient in (False, True):
            changes = asked(world, CHANGES, json.dumps(all_of(keyword, "x")), json.dumps(all_of(keyword, "y")), lenient)
            assert changes[-1][0] != TOO_LARGE and changes[-1][1] == "unknown", f"{keyword}: {changes[-1]}"
            assert not any("incompatible" in change[1:3] for change in changes), keyword
    # these are found to differ within the bounds
    old, new = nested("not", {"type": "string"}, 300), nested("not", {"type": "number"}, 300)
    assert asked(world, CHANGES, json.dumps(old), json.dumps(new), False)[-1][1:3] == ("incompatible", "incompatible")
    for lenient in (False, True):
        change, = asked(world, CHANGES, json.dumps(union(150)), json.dumps(union(151)), lenient)
        assert change[0] == "ONE_OF_MEMBER_ADDED" and change[2] == "incompatible", change


def test_comparison_of_large_schemas_ends(world):
    """Long lists without difficulty: any answer, but soon."""
    large = {
        "enum": ({"enum": [f"v{i}" for i in range(50000)]}, {"enum": [f"v{i}" for i in range(1, 50001)]}),
        "properties": ({"properties": {f"p{i}": {"type": "string"} for i in range(10000)}},
                       {"properties": {f"p{i}": {"type": "number"} for i in range(1, 10001)}}),
        "patterns": ({"patternProperties": {f"^x{i}": {"type": "string"} for i in range(8000)}},
                     {"patternProperties": {f"^y{i}": {"type": "string"} for i in range(8000)}}),
        "prefix": ({"prefixItems": [{"type": "string"}] * 10000, "minItems": 1000000000},
                   {"prefixItems": [{"type": "number"}] * 10000, "minItems": 1000000001}),
        "annotations": ({f"x{i}": i for i in range(20000)}, {f"y{i}": i for i in range(20000)}),
        "dependencies": ({"dependentRequired": {f"p{i}": [f"p{i + 1}"] for i in range(5000)}, "required": ["p0"]},
                         {"dependentRequired": {f"p{i}": [f"p{i + 2}"] for i in range(5000)}, "required": ["p0"]}),
    }
    for name, (old, new) in large.items():
        assert asked(world, CHANGES, json.dumps(old), json.dumps(new), False), name

    # for an unchanged document no answer is unknown, even if a comparison would be expensive
    old = union(150)
    changes = asked(world, CHANGES, json.dumps(old), json.dumps({**old, "title": "another"}), False)
    assert {change[1] for change in changes} == {"compatible"}, changes


def test_comparison_of_numbers_is_bounded(world):
    large = [
        ('{"minimum": 1e100000, "maximum": 1e130000, "type": "integer"}', '{"minimum": 1e99999, "maximum": 1e130001, "type": "integer"}'),
        ('{"multipleOf": 1e-16000, "type": "integer", "minimum": 1e100000}', '{"multipleOf": 3e-16000, "minimum": 2e100000}'),
        (f'{{"multipleOf": {"7" * 100000}, "minimum": {"9" * 100000}}}', f'{{"multipleOf": {"8" * 100000}, "minimum": {"9" * 100001}}}'),
    ]
    for old, new in large:
        for _, _, _, message in asked(world, CHANGES, old, new, False):
            assert len(message) < 500, f"a message of {len(message)} characters"


def test_comparison_of_nested_values_is_bounded(world):
    """Values are as much work as they are long, however few members they have at the top."""
    values = [[list(range(1000)), i] for i in range(1000)]
    rows = asked(world, CHANGES, json.dumps({"enum": values}), json.dumps({"enum": values, "title": "x"}), False)
    assert {row[1:3] for row in rows} == {("compatible", "compatible")}, rows


def test_comparison_is_cancelled(world):
    cancelled(world, CHANGES, json.dumps({"enum": list(range(200000))}), json.dumps({"enum": list(range(1, 200001))}), False)
    cancelled(world, CHANGES, json.dumps(all_of("not", "x")), json.dumps(all_of("not", "y")), False)
    cancelled(world, CHANGES, json.dumps(nested("anyOf", {"type": "string"}, 300)),
              json.dumps(nested("anyOf", {"type": "number"}, 300)), True)


def test_registration_without_proof_is_refused(world):
    world.run("owner", "GRANT CREATE ON SCHEMA event_schema TO {}".format(world.role("alice")))
    asked(world, "SELECT register_event_schema('hard', 1, %s::text)", json.dumps(chain("anyOf", {"type": "string"})), role="alice")
    try:
        asked(world, "SELECT register_event_schema('hard', 2, %s::text)", json.dumps(chain("anyOf", {"type": "number"})), role="alice")
    except psycopg.errors.InvalidParameterValue as error:
        assert TOO_LARGE in error.diag.message_detail, error
    else:
        raise AssertionError("registered")
    asked(world, "SELECT register_event_schema('hard', 2, %s::text, breaking => true)",
          json.dumps(chain("anyOf", {"type": "number"})), role="alice")


def test_a_transitive_policy_is_bounded(world):
    """Each pair of versions has a bound, and all of them together have ten times that."""
    world.run("owner", "SELECT set_event_compatibility('many', 'none')",
              *[f"SELECT register_event_schema('many', {i + 1}, '{json.dumps(chain('anyOf', {'maxLength': i + 1}))}'::text)"
                for i in range(40)],
              "SELECT set_event_compatibility('many', 'full_transitive')")
    try:
        asked(world, "SELECT register_event_schema('many', 41, %s::text)",
              json.dumps(chain("anyOf", {"maxLength": 41})), role="owner", seconds=3 * SECONDS)
    except psycopg.errors.InvalidParameterValue as error:
        assert "version 1 to 41, (document): The comparison was given up after 0 steps" in error.diag.message_detail, error
    else:
        raise AssertionError("registered")


def test_columns_of_a_view_are_bounded(world):
    schema = {"dependentSchemas": {f"p{i}": {"properties": {f"q{i}": {"type": "string"}}, "required": [f"p{i + 1}"]}
                                   for i in range(10000)}}
    world.run("owner", f"SELECT register_event_schema('wide', 1, '{json.dumps(schema)}'::text)")
    try:
        asked(world, "SELECT count(*) FROM _event_validate.event_view_columns('wide', 1, 'bigint')")
    except psycopg.errors.StatementTooComplex as error:
        assert error.diag.message_primary == "schema is too complex", error
    else:
        raise AssertionError("not refused")


# ---------- patterns ----------

MATCHES = "SELECT jsonb_matches_schema(%s::jsonb, %s::jsonb)"


def words(number):
    return "(" + "|".join(f"w{(number * 977 + i * 31) % 10007}x{i}y" for i in range(400)) + ")+$"


def hard_patterns(make, count):
    return json.dumps({"anyOf": [{"pattern": make(i)} for i in range(count)]})


def test_patterns_together_are_bounded(world):
    text = json.dumps("ab" * 1000 + "!")
    for make, count in ((words, 400),
                        (lambda i: f"(a|b)*a(a|b){{{20 + i}}}c", 300),
                        (lambda i: f"(a|b)*a(a|b){{9}}{i}", 10000),
                        (lambda i: f"(\\p{{L}}|\\p{{N}}|\\p{{Script=Greek}}{i}){{1,200}}z", 300)):
        assert asked(world, MATCHES, hard_patterns(make, count), text) == [(False,)]


def refused(world, schema, words_of_error):
    try:
        asked(world, MATCHES, schema, '"a"')
    except psycopg.errors.InvalidParameterValue as error:
        assert words_of_error in error.diag.message_primary, error
    else:
        raise AssertionError("not refused")


def test_patterns_with_references_are_bounded(world):
    """PostgreSQL's engine compiles them, in time that is a power of their size."""
    few = {"anyOf": [{"pattern": f"^([\"'])[^\"']{{0,200}}{i}\\1$"} for i in range(50)]}
    assert asked(world, MATCHES, json.dumps(few), json.dumps("'x7'")) == [(True,)]
    for make in (lambda i: f"(a?b?c?){{80}}(x{i})y\\2", lambda i: f"(a?b?c?){{120}}(x{i})y\\2"):
        refused(world, hard_patterns(make, 300), "too large together for the regular expression engine")


def look(opening, times, inner, before=".*"):
    """Look-arounds inside each other."""
    for _ in range(times):
        inner = f"{opening}{before}{inner})"
    return inner


def test_look_arounds_are_scanned(world):
    """Nested look-arounds, at each place of a string, take no power of its length."""
    for pattern, string, answer in (
            (look("(?=", 50, "b"), "a" * 4000, False),
            (look("(?=", 50, "b"), "a" * 4000 + "b", True),
            (look("(?!", 50, "b"), "a" * 4000, False),
            (look("(?!", 51, "b"), "a" * 4000, True),
            (look("(?<=", 50, "b"), "a" * 4000, False),
            (look("(?=", 50, "(?<=c.*)d"), "abcd" * 1000, True),
            (look("(?=", 50, "(?<=d.+e.*)c"), "abcd" * 1000, False),
            (look("(?=", 40, "(?<!c.*)d", "(?:a|b|c|d){0,3}"), "abcd" * 1000, False),
            ("(?=.*(?<=b.*(?=.*c.*(?<=d.*)))e)", "abcd" * 4000, False),
            ("".join(f"(?=.*x{i})(?<!y{i}.*)" for i in range(100)) + "z", "z" * 4000, False)):
        assert asked(world, MATCHES, json.dumps({"pattern": pattern}), json.dumps(string)) == [(answer,)], pattern
        names = {"patternProperties": {pattern: False}, "propertyNames": {"pattern": pattern}}
        assert asked(world, MATCHES, json.dumps(names), json.dumps({string: 1})) == [(False,)], pattern
        asked(world, CHANGES, json.dumps({"pattern": pattern}), json.dumps({"pattern": pattern + "|q"}), False)


def test_back_references_are_bounded(world):
    """A match with very many tries is given up, in a name too; what takes a second is answered."""
    for pattern, string in (("(.+)(.+)(.+)\\1\\2\\3$", "ab" * 20000 + "c"), ("^(a+)[ac]*\\1b$", "a" * 30000 + "b"),
                            ("(.+).+(?=.*c).+\\1$", "ab" * 30000 + "c")):
        for schema, document in (({"pattern": pattern}, string),
                                 ({"patternProperties": {pattern: False}}, {string: 1}),
                                 ({"propertyNames": {"pattern": pattern}}, {string: 1})):
            try:
                asked(world, MATCHES, json.dumps(schema), json.dumps(document))
            except psycopg.errors.ProgramLimitExceeded as error:
                assert "could not match a pattern: it takes more than 2000000000 steps" in error.diag.message_primary, error
            else:
                raise AssertionError(f"{pattern}: answered")
    try:
        asked(world, MATCHES, json.dumps({"pattern": "^(z?)x(?:ba*\\1ze|b|a+)*$"}), json.dumps("zxb" + "a" * 60 + "ze"))
    except psycopg.errors.ProgramLimitExceeded as error:
        assert "could not match a pattern: it takes longer than 10 s" in error.diag.message_primary, error
    else:
        raise AssertionError("answered")
    for pattern, string, answer in (("^([\"'])[^\"']*\\1$", "'" + "a" * 1000000 + "'", True), ("^(a*)b[ac]*\\1$", "a" * 2000 + "b" + "a" * 1999, False)):
        assert asked(world, MATCHES, json.dumps({"pattern": pattern}), json.dumps(string)) == [(answer,)], pattern


def test_back_references_are_cancelled(world):
    """A cancellation ends the engine's steps between two tries, and is no error of the pattern."""
    for pattern, string in (("^(z?)x(?:ba*\\1ze|b|a+)*$", "zxb" + "a" * 60 + "ze"), ("^(z?)x(?:ba*\\1zzz|b|a+|z+yc)*y", "zxb" + "a" * 60 + "zzzy"),
                            ("a[^c]*c|(b)\\1", "a" * 200000 + "bb")):
        cancelled(world, "SELECT jsonb_matches_schema(%s::jsonb, %s::jsonb)", json.dumps({"pattern": pattern}), json.dumps(string))


def test_classes_of_characters_are_bounded(world):
    refused(world, hard_patterns(lambda i: f"[\\p{{L}}\\d{chr(0x4E00 + i)}]" * 300, 400), "too large together")


def test_patterns_answer_the_same_without_a_table(world):
    """Patterns after others that use up the budget give the same answers."""
    spent = {"anyOf": [{"pattern": f"(a|b)*a(a|b){{{20 + i}}}c"} for i in range(40)]}
    patterns = ["^(a|b)*a(a|b){3}$", "x(?=y)", "(?<=x)y+$", "(?<!x)y+$", r"\bword\b", r"^\B-", "(?=.*1)(?=.*[a-z]).{4,}", "^é+[^é]$",
                r"^\p{Lu}[\p{Ll}\d]*$", "(a+)+$", "^$", "(|a)b", "a{2,3}?b", "^(?:ab|a)(?:c|bcd)(?:d*)$", "😀{2}", "(?!.*b.*b)^[ab]+$"]
    strings = ["", "a", "b", "aaaa", "abab", "babbb", "xy", "y", "xyy", "zyy", "a word", "words", "-", "a-", "ab1z", "abcz", "é", "ééx", "Élan7",
               "élan", "aab", "aaab", "abcd", "😀😀", "😀x😀", "bab", "ab", "ba\n", "x" * 100000 + "y"]
    for pattern in patterns:
        alone = json.dumps({"properties": {"z": {"pattern": pattern}}})
        behind = json.dumps({"properties": {"a": spent, "z": {"pattern": pattern}}})
        answers = asked(world, "SELECT i, jsonb_matches_schema(%s::jsonb, i), jsonb_matches_schema(%s::jsonb, i)"
                               " FROM jsonb_array_elements(%s::jsonb) t(i)",
                        alone, behind, json.dumps([{"z": string} for string in strings]))
        for instance, one, other in answers:
            assert one == other, f"{pattern}: {str(instance)[:40]!r}: {one}, {other}"


def test_matching_is_cancelled(world):
    """A long string, matched by an automaton without a table."""
    schema = json.dumps({"pattern": "a[ab]{900}[ac]{900}d"})
    string = "".join(random.Random(1).choices("aaaaabbbbc", k=10000000))
    cancelled(world, "SELECT jsonb_matches_schema(%s::jsonb, %s::jsonb)", schema, json.dumps(string + "d"))


def test_references_by_long_pointers_are_bounded(world):
    """Following a JSON Pointer keeps no memory for its tokens."""
    inner = {}
    for _ in range(200):
        inner = {"properties": {"a": inner}}
    document = {"$defs": {"a": inner}, "allOf": [{"$ref": "#/$defs/a" + "/properties/a" * 200}] * 1500}
    assert asked(world, MATCHES, json.dumps(document), "1") == [(True,)]


def too_complex(world, call, *arguments):
    """A call that must be refused for its memory."""
    try:
        asked(world, call, *arguments, megabytes=1200)
    except psycopg.errors.StatementTooComplex as error:
        assert "1024 MB" in error.diag.message_detail, error
    else:
        raise AssertionError(f"not refused: {call}")


def test_compilation_is_bounded(world):
    """A URI is kept for each $id below it, and for each reference: hundreds of kilobytes became gigabytes."""
    # a long host, which is copied at once, a little longer than a power of 2, to which a copy's memory is rounded up
    base = "http://" + "a" * 2 ** 17 + "/"
    references = [{"$ref": "a"}] * 6000
    # each takes a gigabyte, so each schema is given to one function
    for call, schema, *others in (
            (MATCHES, {"$id": base, "$defs": {f"d{i}": {"$id": f"d{i}"} for i in range(3000)}}, "1"),
            (CHANGES, {"$id": base, "$defs": {"a": {"$id": "a"}}, "allOf": references}, "{}", False),
            # the references are listed before they are resolved
            ("SELECT count(*) FROM check_event_compatibility('x', %s::text)", {"$id": base, "allOf": references})):
        too_complex(world, call, json.dumps(schema), *others)
    # a bound beyond what real schemas take
    long = {"$id": "http://example.com/" + "a" * 2000 + "/", "$defs": {f"d{i}": {"$id": f"d{i}"} for i in range(5000)}}
    assert asked(world, MATCHES, json.dumps(long), "1") == [(True,)]


def test_lint_of_many_findings_is_bounded(world):
    """Looking for the keyword that is meant keeps no memory, nor do duplicate keys much."""
    for text in ("{" + ",".join(f'"maxLengt{i}": 1' for i in range(45000)) + "}",
                 '{"examples": [{' + ",".join(f'"a": {i}' for i in range(120000)) + "}]}"):
        assert asked(world, "SELECT count(*) FROM lint_event_schema(%s::text)", text)[0][0] >= 45000


# ---------- documentation ----------


def test_properties_of_long_texts_are_bounded(world):
    """A text is copied for each property that has it."""
    schema = {"$defs": {"a": {"description": "x" * 2 ** 22}}, "properties": {f"p{i}": {"$ref": "#/$defs/a"} for i in range(600)}}
    world.run("owner", f"SELECT register_event_schema('texts', 1, '{json.dumps(schema)}'::text)")
    too_complex(world, "SELECT count(*) FROM event_schema_properties('texts', 1)")
    # rows are not kept beside these copies
    schema = {"$defs": {"a": {"description": "x" * 2 ** 21}}, "properties": {f"p{i}": {"$ref": "#/$defs/a"} for i in range(50)}}
    world.run("owner", f"SELECT register_event_schema('texts', 2, '{json.dumps(schema)}'::text)")
    assert asked(world, "SELECT count(*) FROM event_schema_properties('texts', 2)", megabytes=160) == [(51,)]


def test_mappings_of_a_discriminator_are_bounded(world):
    """The document that an entry leads to is not kept."""
    schema = {"description": "x" * 2 ** 21, "oneOf": [{"type": "string"}, {"type": "number"}],
              "discriminator": {"propertyName": "a", "mapping": {f"k{i}": "event:mapped@1" for i in range(300)}}}
    world.run("owner", f"SELECT register_event_schema('mapped', 1, '{json.dumps(schema)}'::text)")
    rows = asked(world, """SELECT event_openapi('{"types": ["mapped"]}') #> '{components,schemas,mapped.v1,discriminator,mapping,k7}'""")
    assert rows == [("#/components/schemas/mapped.v1",)], rows


def test_examples_of_patterns_are_bounded(world):
    """Rounds of a repetition that append nothing are not counted out."""
    schema = {"required": ["a"], "properties": {"a": {"type": "string", "pattern": "^(?:(?:){1000000000}){1000000000}x$"}}}
    world.run("owner", f"SELECT register_event_schema('rounds', 1, '{json.dumps(schema)}'::text)")
    assert asked(world, "SELECT event_schema_example('rounds', 1)") == [({"a": "x"},)]


def test_examples_of_lists_are_bounded(world):
    """Lists without a common value are compared for a number of steps, without memory for each."""
    lists = [[f"{name}{'x' * 1000}{i}" for i in range(5000)] for name in "ab"]
    world.run("owner", f"SELECT register_event_schema('listed', 1, '{json.dumps({'enum': lists[0], 'allOf': [{'enum': lists[1]}]})}'::text)")
    assert asked(world, "SELECT event_schema_example('listed', 1)") == [(None,)]


def test_filters_and_dependencies_of_catalogues_are_bounded(world):
    """A filter of many types keeps no memory for each, and dependencies are not compared with each other."""
    world.run("owner", "SELECT register_event_schema('few', i, '{}') FROM generate_series(1, 300) AS i",
              """SELECT register_event_schema('needs', 1, jsonb_build_object('dependentRequired', (SELECT jsonb_object_agg('k' || i, '[]'::jsonb)
                 FROM generate_series(1, 40000) AS i), 'dependentSchemas', '{"k1": true}'::jsonb)::text)""")
    types = [f"q*{i}" for i in range(30000)]
    assert asked(world, "SELECT event_asyncapi(%s) -> 'channels'", json.dumps({"types": types})) == [({},)]
    cancelled(world, "SELECT event_asyncapi(%s)", json.dumps({"types": types * 20}))
    rows = asked(world, """SELECT event_asyncapi('{"types": ["needs"]}') #> '{components,schemas,needs.v1,schema,dependencies}'""")
    assert len(rows[0][0]) == 40000 and rows[0][0]["k1"] == {"allOf": [{"required": []}, True]}, rows[0][0].get("k1")


def pointed(depth, references):
    """A schema whose references are short, but long as JSON Pointers."""
    schema = {"$id": "#deep"}
    for _ in range(depth):
        schema = {"properties": {"a": schema}}
    return json.dumps({"$schema": "http://json-schema.org/draft-07/schema#", "definitions": {"d": schema},
                       "properties": {f"r{i}": {"$ref": "#deep"} for i in range(references)}})


def test_references_of_catalogues_are_bounded(world):
    """A schema to which a named one refers, and whose references are long as JSON Pointers, is left out."""
    world.run(None, f"GRANT CREATE ON SCHEMA event_schema TO {world.role('alice')}")
    for name, schema in (("far", pointed(400, 30000)), ("near", pointed(10, 100))):
        world.run("alice", f"SELECT register_event_schema('{name}', 1, '{schema}'::text)")
    world.run("owner", """SELECT register_event_schema('named', 1,
              '{"properties": {"far": {"$ref": "event:far@1"}, "near": {"$ref": "event:near@1"}}}'::text)""")
    page = """SELECT array(SELECT jsonb_object_keys(event_asyncapi('{"types": ["named"]}') #> '{components,schemas}'))"""
    assert asked(world, page, megabytes=500) == [(["near.v1", "named.v1"],)]
    assert warned(world, page) == ['schema "far@1" is left out']
    # its own page is refused, with a way out
    error = world.refused("mallory", """SELECT event_openapi('{"types": ["far"]}')""", "54000", "64 MB", "$defs")
    assert error is not None
    cancelled(world, """SELECT event_openapi('{"types": ["far"]}')""")


def test_pages_of_several_owners_are_bounded(world):
    """Several owners with much in a page together make it no longer than its limit; who has little has all of it."""
    for owner in ("alice", "bob", "mallory"):
        world.run(None, f"GRANT CREATE ON SCHEMA event_schema TO {world.role(owner)}")
        world.run(owner, f"""SELECT register_event_schema('of.{owner}', 1, '{{"$comment": "' || repeat('x', 45000000) || '"}}')""")
    world.run("owner", "SELECT register_event_schema('small', i, '{}'::text) FROM generate_series(1, 3) AS i")
    page = "SELECT count(*), count(*) FILTER (WHERE name ^@ 'small') FROM jsonb_object_keys(event_openapi() #> '{components,schemas}') AS name"
    rows = asked(world, page, megabytes=1000)
    assert rows == [(5, 3)], rows


# ---------- errors ----------


def test_errors_of_long_documents_are_short(world):
    """Texts of a document are cut, however long they are."""
    long = "x" * 3000000
    for document in ({"type": long}, {"$ref": long}, {"$ref": "#/" + long}, {"pattern": f"({long[:60000]}"}, {"$schema": long},
                     {"properties": {long: {"type": "strin"}}}, {"$defs": {"a": {"$anchor": long}, "b": {"$anchor": long}}},
                     {"required": [long, long]}, {"$id": long + "#x"}):
        try:
            asked(world, MATCHES, json.dumps(document), "1")
        except psycopg.Error as error:
            diag = error.diag
            length = sum(map(len, filter(None, (diag.message_primary, diag.message_detail, diag.message_hint, diag.context))))
            assert length < 10000, f"{length} characters for {json.dumps(document)[:40]}"


def test_errors_of_long_arguments_are_short(world):
    """Arguments are cut too, and their control characters escaped."""
    world.run(None, f"CREATE SCHEMA hers AUTHORIZATION {world.role('mallory')}")
    world.run("mallory", "CREATE TABLE hers.t (event_type text, schema_version int, data jsonb)")
    for call in ("jsonb_matches_schema('{}'::jsonb, '1'::jsonb, true, ARRAY[%s])", "register_schema(%s, '{}')", "register_schema('event:' || %s, '{}')",
                 "register_schema('https://a.test/#' || %s, '{}')",
                 "add_event_guard('hers.t', %s)", "set_event_guard_mode('hers.t', %s)", "set_event_compatibility('a', %s)",
                 "_event_validate.event_row_expression('hers.t', 'data', %s, false)",
                 "event_report('1', %s, 1)", "check_event('1', %s, 1)"):
        for argument in ("repeat('x', 300000)", "repeat(E'\\x01', 300000)"):
            try:
                asked(world, "SELECT " + call % argument)
            except psycopg.Error as error:
                said = "".join(filter(None, (error.diag.message_primary, error.diag.message_detail, error.diag.message_hint)))
                assert len(said) < 4000, f"{len(said)} characters for {call}"
                assert "\x01" not in said, call
            else:
                raise AssertionError(f"not refused: {call}")


def test_texts_for_messages_are_cancelled(world):
    cancelled(world, "SELECT length(_event_validate.event_text_shown(repeat(E'\\x01', 50000000)))")


def test_nested_domains(world):
    """Domains of a stranger, each over the one before, that are nested deeper than the stack stop no drop and no list."""
    world.run(None, "GRANT CREATE ON SCHEMA public TO PUBLIC",
              f"ALTER ROLE \"{world.role('owner')}\" IN DATABASE \"{world.database}\" SET max_stack_depth = '300kB'")
    world.run("owner", "SELECT register_event_schema('k', 1, '{\"type\": \"object\"}')")
    world.run("mallory", "CREATE DOMAIN d0 AS jsonb CHECK (check_event(VALUE, 'k', 1))",
              "DO $$ BEGIN FOR i IN 1 .. 2500 LOOP EXECUTE format('CREATE DOMAIN d%s AS d%s', i, i - 1); END LOOP; END $$",
              "CREATE TABLE t (data d2500)", "INSERT INTO t VALUES ('{}')")
    assert world.run("owner", "SELECT relation::text, name FROM event_enforcement") == [("t", "d0_check")]
    assert [row[1] for row in world.run("owner", "SELECT * FROM event_schema_usage('k')")] == ["k"]
    world.refused("owner", "SELECT drop_event_schema('k', 1)", "2BP01", "too many columns")
    world.run("owner", "SELECT drop_event_schema('k', 1, force => true)")


def test_nested_children(world):
    """Guards of children by inheritance that are nested deeper than the stack are switched, and their events counted."""
    world.run("owner", "SELECT register_event_schema('k', 1, '{\"type\": \"object\"}')")
    world.run(None, "CREATE SCHEMA a", "GRANT ALL ON SCHEMA a TO PUBLIC")
    world.run("mallory", "CREATE TABLE a.t0 (event_type text DEFAULT 'k', schema_version int DEFAULT 1, data jsonb)",
              "SELECT add_event_guard('a.t0', 'warn')",
              """DO $$ DECLARE guard text := (SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgrelid = 'a.t0'::regclass);
              BEGIN FOR i IN 1 .. 1200 LOOP
                  EXECUTE format('CREATE TABLE a.t%s () INHERITS (a.t%s)', i, i - 1);
                  EXECUTE replace(guard, 'a.t0', 'a.t' || i);
              END LOOP; END $$""",
              "INSERT INTO a.t0 (data) VALUES ('{}')", "INSERT INTO a.t1200 (data) VALUES ('{}')")
    world.run(None, f"ALTER ROLE \"{world.role('mallory')}\" IN DATABASE \"{world.database}\" SET max_stack_depth = '300kB'")
    world.run("mallory", "SELECT set_event_guard_mode('a.t0', 'enforce')")
    assert world.run(None, "SELECT count(*) FROM pg_trigger WHERE tgargs = 'enforce\\000'") == [(1201,)]
    assert world.run("owner", "SELECT relation::text, mode FROM event_enforcement") == [("a.t0", "enforce")]
    assert world.run("mallory", "SELECT relation::text, events FROM event_schema_usage('k')") == [("a.t0", 2)]
