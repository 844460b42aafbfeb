"""Types and URIs have owners: others cannot register for them, with any settings of the session."""

import base64
import hashlib
import json
import time
from functools import partial

import psycopg

from world import Background, Skipped, alone, worked

OFF = "SET check_function_bodies = off"


def schema(name, body="{}"):
    return f"""CREATE FUNCTION event_schema."{name}"(data jsonb) RETURNS boolean
        LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE AS $${body}$$"""


def upcast(name):
    return f"""CREATE FUNCTION event_schema."{name}"(data jsonb) RETURNS jsonb LANGUAGE sql
        BEGIN ATOMIC SELECT public.up_mallory(data); END"""


def policy(event_type, value="none"):
    return f"""CREATE FUNCTION event_schema."{event_type}@compatibility"() RETURNS text LANGUAGE sql IMMUTABLE
        AS $$SELECT '{value}'$$"""


def begin(world):
    """alice, bob and mallory can create event types; alice owns order@1 and order@3."""
    world.run("owner", "GRANT CREATE ON SCHEMA public TO PUBLIC",
              *(f"GRANT CREATE ON SCHEMA event_schema TO {world.role(role)}" for role in ("alice", "bob", "mallory")))
    world.run("alice", "SELECT register_event_schema('order', 1, '{}')",
              "SELECT register_event_schema('order', 3, '{}')",
              "CREATE FUNCTION up_alice(data jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS 'SELECT data'",
              "SELECT register_event_upcast('order', 1, 3, 'up_alice(jsonb)')")
    world.run("mallory",
              "CREATE FUNCTION up_mallory(data jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$SELECT '666'::jsonb$$")


def refused_each_way(world, role, command, sqlstate, *words):
    """With check_function_bodies on and off, and with the search_path of a restore."""
    for settings in ((), (OFF,), (OFF, "SELECT pg_catalog.set_config('search_path', '', false)")):
        session = world.connect(role)
        for setting in settings:
            session.execute(setting)
        try:
            session.execute(command)
        except Exception as error:  # pylint: disable=broad-except
            assert error.sqlstate == sqlstate, f"{error.sqlstate}, not {sqlstate}: {error}"
            for word in words:
                assert word in str(error), f"no {word!r} in {error}"
        else:
            raise AssertionError(f"not refused with {settings}: {command}")
        finally:
            session.close()


# ---------- shortened types ----------

LONG = "com.example.orders." + "OrderPlaced." * 10 + "v1"
OTHER = LONG + "1"


def short_name(event_type, suffix):
    digest = base64.urlsafe_b64encode(hashlib.sha256(event_type.encode()).digest()[:16]).decode().rstrip("=")
    return f"{event_type[:18]}@{digest}~{suffix}"


def long_schema(name, event_type, body="{}"):
    return schema(name, f"#event_type {event_type}\n{body}")


def long_policy(name, event_type):
    return f"""CREATE FUNCTION event_schema."{name}"() RETURNS text LANGUAGE sql IMMUTABLE
        AS $$--event_type {event_type}\nSELECT 'none'$$"""


def begin_long(world):
    begin(world)
    world.run("alice", f"SELECT register_event_schema('{LONG}', 1, '{{}}')", f"SELECT register_event_schema('{LONG}', 3, '{{}}')",
              f"SELECT register_event_upcast('{LONG}', 1, 3, 'up_alice(jsonb)')", f"SELECT set_event_compatibility('{LONG}', 'full')")


def test_shortened_type_of_others(world):
    """A name with a hash belongs to the owner of the type, whatever the function's body says."""
    begin_long(world)
    assert world.run("owner", f"SELECT proname FROM event_schemas AS s JOIN pg_proc AS p ON p.oid = s.function"
                     f" WHERE event_type = '{LONG}' AND schema_version = 1") == [(short_name(LONG, 1),)]
    for version in (0, 2, 4):
        refused_each_way(world, "mallory", long_schema(short_name(LONG, version), LONG), "42501", world.role("alice"), f"{LONG}@1")
    for call in (f"public.register_event_schema('{LONG}', 2, '{{}}')", f"public.set_event_compatibility('{LONG}', 'none')",
                 f"public.register_event_upcast('{LONG}', 3, 4, 'public.up_mallory(jsonb)')",
                 f"public.drop_event_schema('{LONG}', 1)", f"public.widen_event_schema('{LONG}', 1, '{{}}')"):
        refused_each_way(world, "mallory", f"SELECT {call}", "42501")
    refused_each_way(world, "mallory", long_policy(short_name(LONG, "compatibility"), LONG).replace("CREATE", "CREATE OR REPLACE", 1), "42501")
    for suffix in ("0>1", "1>2", "3>4"):
        refused_each_way(world, "mallory", upcast(short_name(LONG, suffix)), "42501")
    refused_each_way(world, "mallory", upcast(short_name(LONG, "1>3")), "42723")
    assert world.run("owner", f"SELECT upcast_event('1', '{LONG}', 1)") == [(1,)]


def test_lies_about_a_shortened_type(world):
    """The type in the body is that of the hash, and one type has one name."""
    begin_long(world)
    for name, event_type in ((short_name(LONG, 2), OTHER), (short_name(OTHER, 1), LONG), (short_name(LONG, 2), "short"),
                             ("short@1", LONG), (short_name("short", 1), "short"), (short_name("short", 1), LONG),
                             (short_name(LONG, 2), LONG.upper()), (short_name(LONG, 2), LONG + " "),
                             (short_name(LONG, 2), "x" * 600), (short_name(LONG, 2), LONG + "\u200b"),
                             ("x" + short_name(LONG, 2), LONG), (short_name(LONG, 2).replace("com.e", "org.e"), LONG),
                             (short_name(LONG, 2).replace("orders", "order"), LONG)):
        refused_each_way(world, "mallory", long_schema(name, event_type), "42602")
        refused_each_way(world, "alice", long_schema(name, event_type), "42602")
    for body in ("{}", f"#event_type {OTHER}\n#event_type {LONG}\n{{}}", f"#event_type\t{LONG}\n{{}}",
                 f'{{"#event_type {LONG}": 1}}', f'{{"$comment":\n"x"}}\n#event_type {LONG}\n'):
        for role in ("mallory", "alice"):
            session = world.connect(role)
            session.execute(OFF)
            try:
                session.execute(schema(short_name(LONG, 2), body))
            except Exception as error:  # pylint: disable=broad-except
                assert error.sqlstate in ("42602", "22023"), f"{body}: {error}"
            else:
                raise AssertionError(f"{body} is not refused")
    for name, event_type in ((short_name(OTHER, "compatibility"), LONG), ("short@compatibility", LONG), ("order@compatibility", OTHER),
                             (short_name("short", "compatibility"), "short")):
        refused_each_way(world, "mallory", long_policy(name, event_type), "42602")
    no_type = f"""CREATE FUNCTION event_schema."{short_name(OTHER, 'compatibility')}"() RETURNS text LANGUAGE sql AS $$SELECT 'none'$$"""
    refused_each_way(world, "mallory", no_type, "42602")
    # an upcast says no type: it must be that of registered versions
    refused_each_way(world, "mallory", upcast(short_name(OTHER, "1>2")), "42704")
    refused_each_way(world, "mallory", upcast(short_name("short", "1>2")), "42704")
    # nothing is renamed, moved or replaced into such a name
    for command in (f"""ALTER FUNCTION event_schema."{short_name(LONG, 1)}" RENAME TO "{short_name(OTHER, 1)}" """,
                    f"""CREATE OR REPLACE {long_schema(short_name(LONG, 1), OTHER)[7:]}"""):
        refused_each_way(world, "alice", command, "0A000" if "RENAME" in command else "42602")
    world.run("mallory", long_schema(short_name(OTHER, 1), OTHER).replace("event_schema.", "public."))
    refused_each_way(world, "mallory", f"""ALTER FUNCTION public."{short_name(OTHER, 1)}" SET SCHEMA event_schema""", "0A000")
    assert world.run("bob", f"SELECT public.validate_event('1', '{OTHER}', 1)") == [(False,)]
    # a short type's name never looks like this
    world.run("mallory", f"SELECT register_event_schema('{short_name(LONG, 7)[:50]}', 1, 'false')",
              f"SELECT register_event_schema('{short_name('x', '')}', 1, 'false')")
    assert world.run("owner", f"SELECT matching_event_versions('1', '{LONG}')") == [([1, 3],)]


# ---------- owners of types ----------


def test_versions_of_others(world):
    begin(world)
    for name in ("order@0", "order@2", "order@4", "order@2147483647"):
        refused_each_way(world, "mallory", schema(name), "42501", world.role("alice"), "order@1", "owner of the database")
        refused_each_way(world, "mallory", schema(name, "#breaking\n{}"), "42501")
    for call in ("public.register_event_schema('order', 2, '{}')",
                 "public.register_event_schema('order', 4, '{}', breaking => true)",
                 "public.register_event_schema('order', 4, '{}'::jsonb)",
                 "public.set_event_compatibility('order', 'none')",
                 "public.register_event_upcast('order', 3, 4, 'public.up_mallory(jsonb)')"):
        refused_each_way(world, "mallory", f"SELECT {call}", "42501", "HINT")
    # names that differ in case or blanks are other types
    world.run("mallory", "SELECT register_event_schema('Order', 1, '{}')",
              "SELECT register_event_schema('order ', 1, '{}')", "SELECT register_event_schema('order@1', 1, '{}')")


def test_policy_of_others(world):
    begin(world)
    refused_each_way(world, "mallory", policy("order"), "42501", world.role("alice"))
    world.run("alice", "SELECT set_event_compatibility('order', 'full')")
    refused_each_way(world, "mallory", "SELECT public.set_event_compatibility('order', 'none')", "42501")
    refused_each_way(world, "mallory", policy("order").replace("CREATE", "CREATE OR REPLACE", 1), "42501")


def test_upcast_of_others(world):
    """An upcast of another role cannot be put into the path."""
    begin(world)
    for name in ("order@1>2", "order@3>4", "order@1>3", "order@0>1"):
        command = upcast(name)
        refused_each_way(world, "mallory", command, "42723" if name == "order@1>3" else "42501")
    assert world.run("owner", "SELECT upcast_event('1', 'order', 1)") == [(1,)]


def test_upcast_before_its_versions(world):
    """An upcast cannot be created before its versions, for a type that another role will create."""
    begin(world)
    refused_each_way(world, "mallory", upcast("wait@1>2"), "42704")


def test_policy_before_the_first_version(world):
    """Setting a policy creates the type; a policy of the database's owner applies to any creator."""
    begin(world)
    world.run("mallory", "SELECT set_event_compatibility('mine', 'none')")
    refused_each_way(world, "alice", schema("mine@1"), "42501", world.role("mallory"), "mine@compatibility")
    world.run("mallory", "SELECT register_event_schema('mine', 1, '{}')")
    world.run("owner", "SELECT set_event_compatibility('theirs', 'full')")
    world.run("alice", "SELECT register_event_schema('theirs', 1, '{}')")
    refused_each_way(world, "mallory", "SELECT public.register_event_schema('theirs', 2, '{}')", "42501")
    world.run("alice", "SELECT register_event_schema('theirs', 2, '{}')")


def test_policy_left_behind(world):
    """A role that owns only the policy of a type cannot change it any more."""
    begin(world)
    world.run("mallory", "SELECT set_event_compatibility('mine', 'full')")
    world.run("owner", "SELECT register_event_schema('mine', 1, '{}')")
    for command in (policy("mine").replace("CREATE", "CREATE OR REPLACE", 1), "SELECT public.set_event_compatibility('mine', 'none')"):
        refused_each_way(world, "mallory", command, "42501", "mine@1")


def test_who_may(world):
    """Members of the owning role, the owner of the database, superusers."""
    begin(world)
    world.run(None, f"GRANT {world.role('alice')} TO {world.role('bob')}")
    try:
        world.run("bob", "SELECT register_event_schema('order', 4, '{}')", "SELECT set_event_compatibility('order', 'none')",
                  "SELECT register_event_upcast('order', 3, 4, 'up_alice(jsonb)')")
    finally:	# the next tests have the same roles
        world.run(None, f"REVOKE {world.role('alice')} FROM {world.role('bob')}")
    world.run("owner", "SELECT register_event_schema('order', 5, '{}')")
    world.run(None, "SELECT register_event_schema('order', 6, '{}')")
    world.run("alice", "SELECT register_event_schema('order', 7, '{}')")
    # the owner of the lowest remaining version owns the type
    world.run("alice", "DROP FUNCTION event_schema.\"order@1>3\"", "SELECT drop_event_schema('order', 1)")
    refused_each_way(world, "mallory", schema("order@8"), "42501", "order@3")
    # the type changes its owner with that version
    world.run(None, f"ALTER FUNCTION event_schema.\"order@3\" OWNER TO {world.role('mallory')}")
    world.run("mallory", "SELECT register_event_schema('order', 8, '{}')")
    refused_each_way(world, "alice", schema("order@9"), "42501", world.role("mallory"))


def test_begun_at_the_same_time(world):
    """Two roles create a type concurrently: the second waits, and is then refused."""
    begin(world)
    for setting in ("SET check_function_bodies = on", OFF):
        first = world.connect("alice")
        first.execute("BEGIN")
        first.execute("SELECT register_event_schema('race', 1, '{}')")
        second = world.connect("mallory")
        second.execute(setting)
        other = Background(second, schema("race@2", "#breaking\n{}"))
        time.sleep(0.3)
        assert other.is_alive(), "did not wait for the creator of the type"
        first.execute("COMMIT")
        error = other.join_within(5)
        assert error is not None and error.sqlstate == "42501", error
        world.run("alice", "SELECT drop_event_schema('race', 1)")


def test_replacing_and_widening(world):
    """Only the owner of a published version can change annotations or widen it."""
    begin(world)
    world.refused("mallory", "SELECT register_event_schema('order', 1, '{\"title\": \"mine\"}')", "42501")
    world.refused("mallory", "SELECT widen_event_schema('order', 1, '{}')", "42501")
    world.refused("mallory", "SELECT drop_event_schema('order', 1)", "42501")
    for settings in ("SELECT 1", OFF):
        session = world.connect("mallory")
        session.execute(settings)
        try:
            session.execute(schema("order@1", '{"title": "mine"}').replace("CREATE", "CREATE OR REPLACE", 1))
        except Exception as error:  # pylint: disable=broad-except
            assert error.sqlstate == "42501", error
        else:
            raise AssertionError("replaced")
    # any role can repeat a registration, which changes nothing
    assert world.run("mallory", "SELECT register_event_schema('order', 1, '{}')")


NARROW = '{"type": "object", "maxProperties": 2, "examples": [{"type": "object"}]}'
OTHER_EXAMPLES = '{"type": "object", "maxProperties": 2, "examples": [true]}'
WIDER = '{"type": "object", "maxProperties": 3, "examples": [true]}'

# Objects that a role can create without CREATE on event_schema, and their
# names in the WARNING.
DEPENDENTS = (
    ("CREATE FUNCTION eve.copy(data jsonb) RETURNS boolean LANGUAGE jsonschema IMMUTABLE AS"
     """ '{"not": {"$ref": "event:kept@1"}}'""", "function eve.copy(jsonb)"),
    ("CREATE FUNCTION eve.examples(data jsonb) RETURNS boolean LANGUAGE jsonschema IMMUTABLE AS"
     """ '{"$ref": "event:kept@1#/examples/0"}'""", "examples"),
    ("CREATE INDEX by_answer ON eve.t (event_schema.\"kept@1\"(data))", "index eve.by_answer"),
    ("ALTER TABLE eve.t ADD COLUMN g boolean GENERATED ALWAYS AS (event_schema.\"kept@1\"(data)) STORED", "column g of table eve.t"),
    ("ALTER TABLE eve.t ADD CONSTRAINT no CHECK (NOT event_schema.\"kept@1\"(data))", "constraint no on table eve.t"),
    ("CREATE DOMAIN eve.d AS jsonb CONSTRAINT nod CHECK (NOT event_schema.\"kept@1\"(VALUE))", "constraint nod"),
    ("CREATE FUNCTION pg_temp.copy(data jsonb) RETURNS boolean LANGUAGE jsonschema IMMUTABLE AS"
     """ '{"not": {"$ref": "event:kept@1"}}'""", None),
    ("CREATE FUNCTION pg_temp.examples(data jsonb) RETURNS boolean LANGUAGE jsonschema IMMUTABLE AS"
     """ '{"$ref": "event:kept@1#/examples/0"}'""", None),
    ("CREATE TEMP TABLE t (data jsonb, CHECK (NOT event_schema.\"kept@1\"(data)))", None),
    ("CREATE DOMAIN pg_temp.d AS jsonb CHECK (NOT event_schema.\"kept@1\"(VALUE))", None),
)


def changes_of(world, session):
    """The messages of the owner's changes, which must succeed."""
    said = []
    session.add_notice_handler(lambda notice: said.append(f"{notice.message_primary} {notice.message_detail}"))
    for function, document in (("register", OTHER_EXAMPLES), ("widen", WIDER)):
        session.execute(f"SELECT {function}_event_schema('kept', 1, '{document}')")
    return said


def test_strangers_hold_up_no_change(world):
    """Objects that a role without CREATE on event_schema makes from a schema stop neither other annotations nor a wider schema."""
    begin(world)
    world.server.add_role("eve")
    world.run("owner", f"GRANT TEMP ON DATABASE {world.database} TO PUBLIC")
    world.run(None, f"CREATE SCHEMA eve AUTHORIZATION {world.role('eve')}", "GRANT USAGE ON SCHEMA eve TO PUBLIC")
    world.run("eve", "CREATE TABLE eve.t (data jsonb)")
    session = world.connect("eve")
    alice = world.connect("alice")
    alice.execute(f"SELECT register_event_schema('kept', 1, '{NARROW}')")
    names = []
    for command, name in DEPENDENTS:
        session.execute(command)
        names += [name] if name else []
    said = changes_of(world, alice)
    for name in names:
        assert any(name in line for line in said), (name, said)
    assert not any("pg_temp" in line for line in said), said


def test_whose_reference_keeps_an_id(world):
    """Widening keeps a $id for the references of roles that may create schemas, and of no other role."""
    begin(world)
    world.server.add_role("eve")
    world.run(None, "CREATE SCHEMA open", "GRANT ALL ON SCHEMA open TO PUBLIC")
    for role, counts in (("eve", False), ("mallory", True), ("alice", True)):
        world.run("alice", "SELECT register_event_schema('id', 1, '{\"$id\": \"https://example.com/id\", \"type\": \"integer\"}')")
        world.run(role, """CREATE FUNCTION open.refers(data jsonb) RETURNS boolean LANGUAGE jsonschema IMMUTABLE
            AS '{"$ref": "https://example.com/id"}'""")
        widen = "SELECT widen_event_schema('id', 1, '{\"type\": \"number\"}')"
        if counts:
            world.refused("alice", widen, "2BP01", "https://example.com/id", "Function open.refers")
        else:
            world.run("alice", widen)
        world.run(role, "DROP FUNCTION open.refers")
        world.run("alice", "SELECT drop_event_schema('id', 1)")


def test_many_strangers_hold_up_no_change(world):
    """Nor do many of them."""
    begin(world)
    world.server.add_role("eve")
    world.run(None, f"CREATE SCHEMA eve AUTHORIZATION {world.role('eve')}")
    alice = world.connect("alice")
    alice.execute(f"SELECT register_event_schema('kept', 1, '{NARROW}')")
    world.run("eve", """DO $$ BEGIN FOR i IN 1..3000 LOOP EXECUTE format('CREATE FUNCTION eve.f%s(data jsonb) RETURNS boolean
        LANGUAGE jsonschema IMMUTABLE AS %L', i, '{"$ref": "event:kept@1#/examples/0", "not": {"$ref": "event:kept@1"}}');
        END LOOP; END $$""")
    said = changes_of(world, alice)
    assert len(said) <= 101 and any("and 2980 more" in line for line in said), said[-1]


def test_who_holds_up_a_change(world):
    """References of roles that may create schemas do, and those of the owner."""
    begin(world)
    for role in ("mallory", "alice"):
        world.run("alice", f"SELECT register_event_schema('kept', 1, '{NARROW}')")
        world.run(None, "CREATE SCHEMA IF NOT EXISTS open", "GRANT ALL ON SCHEMA open TO PUBLIC")
        world.run(role, DEPENDENTS[1][0].replace("eve.", "open."))
        world.refused("alice", f"SELECT register_event_schema('kept', 1, '{OTHER_EXAMPLES}')", "42710", "examples")
        world.run(role, "DROP FUNCTION open.examples", "CREATE TABLE open.t (data jsonb)",
                  DEPENDENTS[2][0].replace("eve.", "open."))
        world.refused("alice", f"SELECT widen_event_schema('kept', 1, '{WIDER}')", "2BP01", "index open.by_answer")
        world.run(role, "DROP TABLE open.t")
        world.run("alice", "SELECT drop_event_schema('kept', 1)")


# ---------- URIs ----------


def ids(world):
    """alice owns a URI and a $id without references to them, and some with references."""
    begin(world)
    long = "https://example.com/" + "long/" * 20
    world.run("alice", "SELECT register_schema('https://example.com/money', '{\"type\": \"number\"}')",
              "SELECT register_event_schema('part', 1, '{\"$id\": \"https://example.com/part\", \"type\": \"number\"}')",
              "SELECT register_event_schema('used', 1, '{\"$id\": \"https://example.com/used\", \"type\": \"number\"}')",
              f"SELECT register_event_schema('long', 1, '{{\"$id\": \"{long}\", \"type\": \"number\"}}')",
              f"""SELECT register_event_schema('user', 1, '{{"allOf": [{{"$ref": "https://example.com/used"}},
                  {{"$ref": "{long}"}}]}}')""")
    return long


def test_uris_of_others(world):
    long = ids(world)
    hashed = world.run(None, f"SELECT 'uri:' || left(encode(sha256('{long}'), 'hex'), 32)")[0][0]
    for uri in ("https://example.com/part", "https://example.com/used"):
        refused_each_way(world, "mallory", schema(uri, "false"), "42501", "owner")
        refused_each_way(world, "mallory", f"SELECT public.register_schema('{uri}', 'false')", "42501")
    refused_each_way(world, "mallory", schema(hashed, "false"), "42501")
    refused_each_way(world, "mallory", f"SELECT public.register_schema('{long}', 'false')", "42501")
    for uri in ("https://example.com/money", "https://example.com/part", "https://example.com/used", long):
        for keyword in ("$id", "id"):
            refused_each_way(world, "mallory", schema("evil@1", f'{{"{keyword}": "{uri}"}}'), "42501")
        # the second of two counts as well
        refused_each_way(world, "mallory", schema("evil@1", f'{{"$id": "https://m.test/x", "id": "{uri}"}}'), "42501")
        refused_each_way(world, "mallory", schema("evil@1", f'{{"\\u0024id": "{uri}"}}'), "42501")
    # relative to the document's own URI
    refused_each_way(world, "mallory", schema("https://example.com/evil", '{"$id": "used"}'), "42501")
    assert world.run("alice", "SELECT validate_event('1', 'user', 1), validate_event('\"x\"', 'user', 1)") == [(True, False)]
    # its owner can use the same $id for the next version, if no schema refers to it
    world.run("alice", "SELECT register_event_schema('part', 2, '{\"$id\": \"https://example.com/part\", \"type\": \"number\"}')")
    # no role can change a reference's target, which would change a published schema
    for role in ("alice", "owner", None):
        for uri in ("https://example.com/used",):
            refused_each_way(world, role, schema(uri, "false"), "42710", "over")
            refused_each_way(world, role, schema("used@2", f'#breaking\n{{"$id": "{uri}"}}'), "42710")
        refused_each_way(world, role, schema(hashed, "false"), "42710")


def test_uris_of_parts(world):
    """A $id below the root belongs to no role, but no document changes what references by it lead to."""
    begin(world)
    part = "https://p.test/used"
    copy = '{"$defs": {"a": {"$id": "%s", "type": "string"}}}'
    world.run("alice", f"SELECT register_event_schema('whole', 1, '{copy % part}')", f"SELECT register_event_schema('free', 1, '{copy % 'https://p.test/free'}')",
              f"""SELECT register_event_schema('user', 1, '{{"$ref": "{part}"}}')""")
    for role in ("mallory", "alice"):
        refused_each_way(world, role, schema("evil@1", copy % part), "42710", "ambiguous", "whole@1", "user@1")
        refused_each_way(world, role, schema("evil@1", f'{{"$id": "{part}"}}'), "42710", "over")
        refused_each_way(world, role, schema(part), "42710", "over")
    world.refused("owner", schema("evil@1", copy % part), "42710")
    # outside event_schema neither counts, whatever writes the index
    world.run("mallory", f"CREATE FUNCTION evil(data jsonb) RETURNS boolean LANGUAGE jsonschema IMMUTABLE AS $${copy % part}$$",
              f"""CREATE FUNCTION pg_temp.evil(data jsonb) RETURNS boolean LANGUAGE jsonschema IMMUTABLE AS $${{"$id": "{part}"}}$$""")
    world.refused("mallory", "ALTER FUNCTION evil SET SCHEMA event_schema", "0A000")
    world.refused("mallory", "INSERT INTO pg_depend SELECT * FROM pg_depend LIMIT 1", "42501")
    # a copy of a part to which nothing refers; then a reference to it is
    # ambiguous
    world.run("mallory", schema("copy@1", copy % "https://p.test/free"))
    refused_each_way(world, "alice", """SELECT public.register_event_schema('later', 1, '{"$ref": "https://p.test/free"}')""", "22023", "free@1", "copy@1")
    assert world.run("bob", "SELECT validate_event('\"x\"', 'user', 1), validate_event('1', 'user', 1)") == [(True, False)]


def test_bundles_pass_no_check(world):
    """register_schemas registers no document that could not be registered alone."""
    long = ids(world)

    def refused(role, bundle, sqlstate, *words):
        for others in ({}, {"harmless@1": "{}"}, {"refers@1": '{"$ref": "https://example.com/used"}', "urn:a": "{}", "zz@1": "{}"}):
            # a reference to a URI that two documents claim is ambiguous too
            mixed = "22023" if "refers@1" in others and "ambiguous" in words else sqlstate
            refused_each_way(world, role, f"SELECT public.register_schemas($b${json.dumps({**bundle, **others})}$b$)",
                             mixed, *(word for word in words if word != "ambiguous"))
        assert world.run("owner", "SELECT count(*) FROM event_schemas WHERE event_type IN ('harmless', 'refers', 'evil')") == [(0,)]

    for uri in ("https://example.com/money", "https://example.com/part", "https://example.com/used", long):
        ambiguous = ("ambiguous",) if uri == "https://example.com/used" else ()
        refused("mallory", {"evil@1": json.dumps({"$id": uri})}, "42501", "belongs to another role", *ambiguous)
        if uri.endswith("/money"):
            refused("mallory", {uri: {}}, "42710", "published")
        else:
            refused("mallory", {uri: {}}, "42501", "belongs to another role")
    refused("mallory", {"part@2": {}}, "42501", 'type "part"')
    refused("mallory", {"part@1": {"$id": "https://example.com/part", "type": "number", "title": "mine"}}, "42501", "owner")
    refused("mallory", {"part@1": {}}, "42710", "published")
    refused("mallory", {"evil@1": {"$id": "event:part@2"}}, "22023", "event schema")
    refused("mallory", {"evil@1": "#event_type part\n{}"}, "42602")
    # a reference in the bundle gives no right to the URI
    for role, word in (("mallory", "another role"), ("alice", "over")):
        refused(role, {"evil@1": {"$id": "https://example.com/used"}, "evil@2": {"$ref": "https://example.com/used"}}, "22023", word)
    # nor is a URI free that no document has yet, but that an existing
    # reference names
    world.run("alice", "SET check_function_bodies = off; " + schema("waits@1", '{"$ref": "https://example.com/later"}'))
    refused("mallory", {"evil@1": {"$id": "https://example.com/later"}, "evil@2": {"$id": "https://example.com/later"}}, "42710", "over")
    assert world.run("alice", "SELECT validate_event('1', 'user', 1), validate_event('\"x\"', 'user', 1)") == [(True, False)]
    # a policy, with the versions of one bundle
    refused("mallory", {"new@1": {"type": "number"}, "new@2": {"type": "string"}}, "22023", "compatible")
    world.run("mallory", "SELECT set_event_compatibility('new', 'full_transitive')")
    refused("mallory", {"new@1": {"type": "number"}, "new@2": {"type": "integer"}, "new@3": {"type": "integer"}}, "22023", "version 1 to 3")


def test_uri_that_a_reference_abbreviates(world):
    """A relative reference need not have any part of the URI that it leads to."""
    begin(world)
    world.run("alice", "SELECT register_event_schema('part', 1, '{\"$id\": \"https://e.test/a/\", \"type\": \"number\"}')",
              "SELECT register_event_schema('part', 2, '{\"$id\": \"https://e.test/a/b?v=2\", \"type\": \"number\"}', breaking => true)",
              "SELECT register_schema('https://e.test/a/b', '{\"properties\": {\"x\": {\"$ref\": \".\"}, \"y\": {\"$ref\": \"?v=2\"}}}')")
    for uri in ("https://e.test/a/", "https://e.test/a/b?v=2"):
        for role, sqlstate in (("mallory", "42501"), ("alice", "42710"), ("owner", "42710")):
            refused_each_way(world, role, schema(uri, "true"), sqlstate)
    assert world.run("alice", """SELECT event_schema."https://e.test/a/b"('{"x": ""}'), event_schema."https://e.test/a/b"('{"y": ""}')""") == [(False, False)]


def test_event_uri_as_id(world):
    """A $id that is an event's URI would be found until the event is registered, and make it ambiguous."""
    begin(world)
    for uri in ("event:order@1", "event:order%401", "event:later@7"):
        refused_each_way(world, "mallory", schema("evil@1", f'{{"$id": "{uri}"}}'), "22023", "$id")
        refused_each_way(world, "mallory", schema("https://m.test/x", f'{{"id": "{uri}"}}'), "22023", "$id")
    # a function of that URI, or of its hash, is not what a reference to the event leads to
    for uri, name in (("event:later@7", "uri:" + hashlib.sha256(b"event:later@7").hexdigest()[:32]), ("event:later%407", "event:later%407")):
        world.run("mallory", schema(name, "true"))
        fails_with(world, "alice", f"""register_event_schema('refers', 1, '{{"$ref": "{uri}"}}')""", "22023")
    # a URI that only looks like an event's is an ordinary URI
    world.run("mallory", schema("evil@1", '{"$id": "event:order"}'), schema("evil@2", '{"$id": "event:evil@2"}'))


def test_uri_claimed_at_the_same_time(world):
    begin(world)
    first = world.connect("alice")
    first.execute("BEGIN")
    first.execute("SELECT register_event_schema('a', 1, '{\"$id\": \"https://example.com/new\"}')")
    second = world.connect("mallory")
    second.execute(OFF)
    other = Background(second, schema("https://example.com/new", "false"))
    time.sleep(0.3)
    first.execute("COMMIT")
    error = other.join_within(5)
    assert error is not None and error.sqlstate == "42501", error


# ---------- kept by references ----------


def test_circle_is_kept(world):
    begin(world)
    world.run("alice", OFF, schema("tree@1", '{"items": {"$ref": "event:leaf@1"}}'),
              schema("leaf@1", '{"anyOf": [{"type": "null"}, {"$ref": "event:tree@1"}]}'))
    for name in ("tree", "leaf"):
        world.refused("alice", f"SELECT drop_event_schema('{name}', 1)", "2BP01")
        world.refused("owner", f"DROP FUNCTION event_schema.\"{name}@1\"", "2BP01")
        world.refused(None, f"DROP FUNCTION event_schema.\"{name}@1\"", "2BP01")
    world.run("alice", "DROP FUNCTION event_schema.\"tree@1\", event_schema.\"leaf@1\"")


def test_circle_by_id_is_kept(world):
    """Three schemas, found by $id, without dependencies in pg_depend."""
    begin(world)
    world.run("alice", OFF, *(
        schema(f"c{i}@1", f'{{"$id": "https://c.test/{i}", "properties": {{"n": {{"$ref": "https://c.test/{(i + 1) % 3}"}}}}}}')
        for i in range(3)))
    for i in range(3):
        world.refused("alice", f"DROP FUNCTION event_schema.\"c{i}@1\"", "2BP01")
    world.run("alice", "DROP FUNCTION " + ", ".join(f'event_schema."c{i}@1"' for i in range(3)))


def test_circle_is_widened_as_a_whole(world):
    """A schema of a cycle that has "not" with another one would accept less."""
    begin(world)
    world.run("alice", OFF, schema("tree@1", '{"properties": {"a": {"not": {"$ref": "event:leaf@1"}}}}'),
              schema("leaf@1", '{"type": "string", "properties": {"b": {"$ref": "event:tree@1"}}}'))
    world.refused("alice", """SELECT widen_event_schema('leaf', 1,
        '{"type": ["string", "null"], "properties": {"b": {"$ref": "event:tree@1"}}}')""", "22023", "tree@1")


def test_circle_in_a_restore(world):
    """pg_restore --clean drops one after the other; that is allowed only to the owner of all."""
    begin(world)
    world.run("alice", OFF, schema("tree@1", '{"items": {"$ref": "event:leaf@1"}}'))
    world.run("mallory", schema("leaf@1", '{"anyOf": [{"type": "null"}, {"$ref": "event:tree@1"}]}'))
    restore = (OFF, "SELECT pg_catalog.set_config('search_path', '', false)")
    session = world.connect("mallory")
    for command in restore:
        session.execute(command)
    try:
        session.execute("DROP FUNCTION event_schema.\"leaf@1\"")
    except Exception as error:  # pylint: disable=broad-except
        assert error.sqlstate == "2BP01", error
    else:
        raise AssertionError("dropped while another role's schema refers to it")
    world.run("owner", *restore, "DROP FUNCTION event_schema.\"leaf@1\"", "DROP FUNCTION event_schema.\"tree@1\"")


def test_taken_by_another_extension(world):
    begin(world)
    error = world.refused(None, "ALTER EXTENSION plpgsql ADD FUNCTION event_schema.\"order@1\"(jsonb)", "0A000", "order@1")
    assert error.diag.message_hint
    world.refused(None, "ALTER EXTENSION plpgsql ADD FUNCTION event_schema.\"order@1>3\"(jsonb)", "0A000")
    world.refused(None, "ALTER EXTENSION plpgsql ADD ROUTINE event_schema.\"order@1\"(jsonb)", "0A000")
    world.run(None, "ALTER EXTENSION plpgsql ADD FUNCTION up_alice(jsonb)")


# ---------- locks ----------


def waits(world, role, *commands):
    """Whether the last command waits for another session."""
    session = world.connect(role)
    for command in commands[:-1]:
        session.execute(command)
    session.execute("SET lock_timeout = '700ms'")
    try:
        session.execute(commands[-1])
    except Exception as error:  # pylint: disable=broad-except
        assert error.sqlstate == "55P03", error
        return True
    finally:
        session.close()
    return False


def test_lock_by_repeating(world):
    """Repeating another role's registration keeps no locks."""
    begin(world)
    session = world.connect("mallory")
    for command in ("SELECT register_event_schema('order', 3, '{}')",
                    "SELECT register_event_upcast('order', 1, 3, 'up_alice(jsonb)')"):
        session.execute("BEGIN")
        session.execute(command)
        locks = session.execute("""SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid()
            AND locktype = 'object' AND classid <> 'pg_database'::regclass""").fetchone()[0]
        assert locks == 0, f"{locks} locks after {command}"
        assert not waits(world, "alice", "SELECT register_event_schema('order', 4, '{}')", "SELECT drop_event_schema('order', 4)")
        session.execute("ROLLBACK")


def test_validator_called_directly(world):
    """It locks names, so users may not call it."""
    begin(world)
    world.refused("mallory", "SELECT _event_validate.jsonschema_validator('event_schema.\"order@1\"(jsonb)'::regprocedure)", "42501")
    world.run(None, "SELECT _event_validate.jsonschema_validator('event_schema.\"order@1\"(jsonb)'::regprocedure)")


@alone
def test_locks_by_temporary_functions(world):
    """Functions outside event_schema lock no names, with any name or $id."""
    begin(world)
    session = world.connect("mallory")
    session.execute("BEGIN")
    session.execute("""DO $do$ BEGIN FOR i IN 1..9000 LOOP EXECUTE format($f$
        CREATE FUNCTION pg_temp."t%s@1"(jsonb) RETURNS boolean LANGUAGE jsonschema
        AS '{"$id": "https://example.com/%s", "$ref": "event:order@1"}'$f$, i, i); END LOOP; END $do$""")
    locks = session.execute("""SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid()
        AND locktype = 'object' AND objsubid <> 0""").fetchone()[0]
    assert locks == 0, locks
    assert not waits(world, "alice", "SELECT register_event_schema('order', 4, '{}')")
    assert not waits(world, "alice", "SELECT register_event_schema('fresh', 1, '{\"$id\": \"https://example.com/7\"}')")


@alone
def test_lock_by_parts_of_a_bundle(world):
    """Names of parts that are others' documents, or their $ids, are not locked."""
    begin(world)
    world.run("alice", "SELECT register_event_schema('money', 1, '{\"$id\": \"https://example.com/coin\"}')")
    world.run("owner", "SELECT register_schema('https://example.com/money', '{\"type\": \"integer\"}')")
    session = world.connect("mallory")
    session.execute("BEGIN")
    session.execute("""SELECT * FROM register_schemas('{"m@1": {"$defs": {
        "a": {"$id": "https://example.com/money"}, "b": {"$id": "https://example.com/coin"}, "c": {"$id": "https://example.com/own"}}}}')""")
    for number, name in enumerate(("money", "coin"), 1):
        assert not waits(world, "alice", f"""SELECT register_event_schema('refers{number}', 1, '{{"$ref": "https://example.com/{name}"}}')"""), name
    assert waits(world, "bob", """SELECT register_event_schema('refers', 1, '{"$ref": "https://example.com/own"}')""")


@alone
def test_names_of_strangers(world):
    """Locks of thousands of other names do not block a registration."""
    begin(world)
    session = world.connect("mallory")
    session.execute("BEGIN")
    session.execute("SELECT count(register_event_schema('m' || i, 1, '{}')) FROM generate_series(1, 2000) i")
    for i in range(20):
        assert not waits(world, "alice", f"SELECT register_event_schema('a{i}', 1, '{{}}')")


@alone
def test_locks_of_names_cannot_be_guessed(world):
    """No role can compute which names have the same lock as another one."""
    begin(world)
    session = world.connect("mallory")
    session.execute("BEGIN")
    session.execute("SELECT register_schema('urn:m', '{}')")
    locks = session.execute("""SELECT l.objid::bigint, l.objsubid FROM pg_locks AS l
        WHERE l.pid = pg_backend_pid() AND l.locktype = 'object' AND l.objsubid NOT IN (0, 1)""").fetchall()
    assert len(locks) == 1, locks
    for hashed in ("hashtextextended('urn:m' COLLATE \"C\", 0)", "('x' || encode(substr(sha256('urn:m'), 1, 8), 'hex'))::bit(64)::bigint",
                   "('x' || encode(substr(sha256('urn:m'), 1, 4), 'hex'))::bit(32)::bigint"):
        value = session.execute(f"SELECT {hashed}").fetchone()[0]
        little = int.from_bytes((value & 0xffffffff).to_bytes(4, "little"), "big")
        assert locks[0][0] not in (value & 0xffffffff, (value >> 32) & 0xffffffff, little), hashed


@alone
def test_many_in_one_transaction(world):
    """A restore in one transaction does not fill the lock table."""
    begin(world)
    session = world.connect("owner")
    session.execute("BEGIN")
    session.execute("SELECT count(register_event_schema('o' || i, 1, '{}')) FROM generate_series(1, 3000) i")
    locks = session.execute("SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid()").fetchone()[0]
    assert locks < 600, locks
    session.execute("COMMIT")
    # it does not wait for a session that registers another type
    stranger = world.connect("mallory")
    stranger.execute("BEGIN")
    stranger.execute("SELECT register_event_schema('m', 1, '{}')")
    assert not waits(world, "owner", "BEGIN",
                     "SELECT count(register_event_schema('p' || i, 1, '{}')) FROM generate_series(1, 600) i")


@alone
def test_many_names_do_not_fill_the_lock_table(world):
    """A role that does not own the database locks a bounded number of names, and the owner's bundle few."""
    begin(world)
    many = json.dumps({f"m{i}@1": {} for i in range(2100)})
    bundle = "SELECT count(*) FROM register_schemas(%s::jsonb)"

    def refused(command, *arguments):
        session = world.connect("mallory")
        session.execute("BEGIN")
        try:
            session.execute(command, arguments)
        except psycopg.errors.ProgramLimitExceeded as error:
            assert "cannot lock more than 2048 names" in error.diag.message_primary, error
            assert "as the owner of the database" in error.diag.message_hint, error
        else:
            raise AssertionError(f"not refused: {command}")

    refused(bundle, many)
    refused("SELECT count(register_event_schema('m' || i, 1, '{}')) FROM generate_series(1, 2100) i")
    refused("""SELECT count(register_schema('https://m.test/' || i, '{}')) FROM generate_series(1, 2100) i""")
    # locks that were released do not count
    world.run("mallory", """DO $do$ BEGIN FOR i IN 1..2100 LOOP
        BEGIN PERFORM register_event_schema('m' || i, 1, '{}'); RAISE 'no' USING ERRCODE = 'P0004';
        EXCEPTION WHEN assert_failure THEN END; END LOOP; END $do$""")

    owner = world.connect("owner")
    for _ in range(2):
        owner.execute("BEGIN")
        assert owner.execute(bundle, (many,)).fetchone() == (2100,)
        locks = owner.execute("SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid()").fetchone()[0]
        assert locks < 600, locks
        owner.execute("COMMIT")
    # what is registered already needs no locks
    assert world.run("mallory", f"SELECT count(*) FROM register_schemas('{many}')") == [(2100,)]


# ---------- concurrent drops ----------


def test_ddl_while_others_drop(world):
    begin(world)
    writers = [Background(world.connect(role), f"""DO $do$ BEGIN FOR i IN 1..15 LOOP
        PERFORM register_event_schema('{role}' || j, 1, '{{}}'), set_event_compatibility('{role}' || j, 'full')
        FROM generate_series(1, 20) j; COMMIT;
        PERFORM drop_event_schema('{role}' || j, 1) FROM generate_series(1, 20) j;
        FOR j IN 1..20 LOOP EXECUTE format('DROP FUNCTION event_schema.%I()', '{role}' || j || '@compatibility'); END LOOP;
        COMMIT; END LOOP; END $do$""") for role in ("alice", "bob")]
    session = world.connect("mallory")
    while any(writer.is_alive() for writer in writers):
        session.execute("SELECT count(*) FROM generate_series(1, 5) AS i, LATERAL (SELECT i, d FROM event_schema_ddl() AS d) AS d")
        session.execute("SELECT count(*) FROM event_schemas")
    for writer in writers:
        assert writer.join_within(1) is None, writer.error


# ---------- memory and time of a session ----------


def test_unregistered_types_are_not_kept(world):
    session = world.connect()
    size = "SELECT sum(total_bytes) FROM pg_backend_memory_contexts"

    def ask(first, last):
        session.execute(f"SET ROLE {world.role('mallory')}")
        session.execute(f"""DO $$ BEGIN FOR i IN {first}..{last} LOOP
            PERFORM validate_event('1', 'none.' || i, 1), jsonb_matches_schema('{{}}', '1');
            BEGIN PERFORM check_event('1', 'none.' || i, 1); EXCEPTION WHEN undefined_object THEN END;
            BEGIN PERFORM upcast_event('1', 'none.' || i, 1); EXCEPTION WHEN undefined_object THEN END;
            BEGIN PERFORM event_violations('1', 'none.' || i, 1); EXCEPTION WHEN undefined_object THEN END;
            BEGIN PERFORM register_event_schema('none.' || i, 1, '{{}}'); EXCEPTION WHEN insufficient_privilege THEN END;
            BEGIN PERFORM set_event_compatibility('none.' || i, 'none'); EXCEPTION WHEN insufficient_privilege THEN END;
            BEGIN PERFORM drop_event_schema('none.' || i, 1); EXCEPTION WHEN undefined_object THEN END;
            BEGIN PERFORM widen_event_schema('none.' || i, 1, '{{}}'); EXCEPTION WHEN undefined_object THEN END;
            END LOOP; END $$""")
        session.execute("RESET ROLE")
        return session.execute(size).fetchone()[0]

    before = ask(1, 1000)
    after = ask(1001, 11000)
    assert after - before < 256 * 1024, f"{after - before} bytes more for 10,000 types"


def test_did_you_mean_is_bounded(world):
    world.run("owner", "SELECT count(register_event_schema('trading.venue.' || i || '.placed', 1, '{}')) FROM generate_series(1, 3000) i")
    error = world.refused("mallory", "SELECT check_event('1', 'trading.venue.77.plcaed', 1)", "42704")
    assert '"trading.venue.77.placed"' in error.diag.message_hint, error.diag.message_hint
    session = world.connect("mallory")

    spent = time.monotonic if worked(session) is None else partial(worked, session)

    def seconds(event_type):
        start = spent()
        session.execute(f"""DO $$ BEGIN FOR i IN 1..200 LOOP
            BEGIN PERFORM check_event('1', '{event_type}', 1); EXCEPTION WHEN undefined_object THEN END;
            END LOOP; END $$""")
        return (spent() - start) / 200

    for event_type in ("trading.venue.77.plcaed", "trading.venue.9999.placed", "something.else.entirely"):
        seconds(event_type)
        best = min(seconds(event_type) for _ in range(3))
        assert best < 0.001, f"{best * 1000:.2f} ms for {event_type}"


# ---------- wild arguments ----------


def fails_with(world, role, call, sqlstate):
    """An error other than an internal one; "": any."""
    session = world.connect(role)
    try:
        session.execute(f"SELECT {call}")
    except Exception as error:  # pylint: disable=broad-except
        assert error.sqlstate != "XX000", f"{call}: {error}"
        assert sqlstate in ("", error.sqlstate), f"{call}: {error.sqlstate} {error}"
    else:
        raise AssertionError(f"{call}: no error")
    session.close()


def test_wild_arguments(world):
    begin(world)
    for call, sqlstate in (
            ("_event_validate.jsonschema_validator(0)", "42501"),
            ("register_event_upcast('order', 1, 3, 0)", "42883"),
            ("register_event_upcast('order', 1, 3, 4294967295)", "42883"),
            ("_event_validate.event_validate_guard_ddl()", "42501"), ("_event_validate.event_validate_guard_drop()", "42501"),
            ("_event_validate.event_validate_guard_quarantine()", "42501"), ("_event_validate.event_validate_advise_alter()", "42501"),
            ("_event_validate.jsonschema_call_handler()", "")):
        fails_with(world, "mallory", call, sqlstate)
    for call, sqlstate in (
            ("jsonschema_validator(0)", "42883"), ("jsonschema_validator(4294967295)", "42883"),
            ("jsonschema_validator('now'::regproc)", "42501"),
            ("event_validate_guard_ddl()", ""), ("event_validate_guard_drop()", ""),
            ("jsonschema_call_handler()", "")):
        fails_with(world, None, f"_event_validate.{call}", sqlstate)
    for call in ("register_event_schema(NULL, 1, '{}')", "register_event_schema('a', NULL, '{}')",
                 "register_event_schema('a', 1, NULL::text)", "register_event_schema('a', 1, NULL::jsonb)",
                 "register_event_schema('a', 1, '{}', NULL)", "register_schema(NULL, '{}')",
                 "register_schemas(NULL)", "register_schemas('{}', NULL)",
                 "register_schema('https://a.test/', NULL)", "widen_event_schema(NULL, 1, '{}')",
                 "drop_event_schema(NULL, 1)", "set_event_compatibility(NULL, NULL)",
                 "set_event_compatibility('a', NULL)", "set_event_compatibility('a', 'none', NULL)", "set_event_compatibility('a', 'none', true, NULL)",
                 "register_event_upcast(NULL, 1, 2, 'up_alice(jsonb)')", "register_event_upcast('a', 1, 2, NULL)"):
        world.refused("mallory", f"SELECT {call}", "22004")
    assert world.run("mallory", "SELECT event_schema_program(NULL, 1)") == []


# ---------- users that come at the same time ----------

EXAMPLES = """{{"$id": "https://users.test/order", "examples": [{{"type": "{}"}}], "type": "object", "required": ["a"]}}"""
BY_ID = '{"$ref": "https://users.test/order#/examples/0"}'
OTHER_ANNOTATIONS = (schema("users@1", EXAMPLES.format("number")).replace("CREATE", "CREATE OR REPLACE"),
                     f"SELECT register_event_schema('users', 1, '{EXAMPLES.format('number')}')",
                     f"""SELECT * FROM register_schemas('{{"users@1": {EXAMPLES.format("number")}}}')""")


def test_annotations_that_are_used_by_id(world):
    """No command changes the answers of a schema that refers into annotations by $id."""
    begin(world)
    world.run("alice", schema("users@1", EXAMPLES.format("string")))
    world.run("bob", schema("reader@1", BY_ID))
    for command in OTHER_ANNOTATIONS:
        world.refused("alice", command, "42710", "annotations")
    assert world.run("bob", """SELECT validate_event('"x"', 'reader', 1)""") == [(True,)]


def test_users_made_at_the_same_time(world):
    """A change waits for transactions in which somebody makes use of the document, and sees it."""
    begin(world)
    world.run("bob", "CREATE TABLE events (data jsonb)")
    locks_functions = makes_lock(world)
    widen = """SELECT widen_event_schema('users', 1, '{"type": "object", "examples": [{"type": "string"}]}')"""

    def outside(body):
        return f"CREATE FUNCTION public.outside(jsonb) RETURNS boolean LANGUAGE jsonschema IMMUTABLE AS '{body}'"

    for use, change, sqlstate in (
            *((schema("reader@1", BY_ID), command, "42710") for command in OTHER_ANNOTATIONS),
            *((outside(BY_ID), command, "42710") for command in OTHER_ANNOTATIONS),
            (outside('{"not": {"$ref": "event:users@1"}}'), widen, "22023"),
            (outside('{"$ref": "https://users.test/order"}'), widen, "2BP01"),
            ('CREATE INDEX ON events (event_schema."users@1"(data))', widen, "2BP01")):
        if use.startswith("CREATE INDEX") and not locks_functions:
            continue
        world.run("alice", schema("users@1", EXAMPLES.format("string")))
        user = world.connect("bob")
        user.execute("BEGIN")
        user.execute(use)
        changing = Background(world.connect("alice"), change)
        time.sleep(0.5)
        assert changing.is_alive(), f"{use}: {changing.error or 'changed'}"
        user.execute("COMMIT")
        error = changing.join_within(20)
        assert error is not None and error.sqlstate == sqlstate, f"{use}: {change}: {error or 'changed'}"
        world.run("bob", "DROP FUNCTION IF EXISTS public.outside", 'DROP INDEX IF EXISTS "events_users@1_idx"',
                  'DROP FUNCTION IF EXISTS event_schema."reader@1"')
        world.run("alice", 'DROP FUNCTION event_schema."users@1"')
    if not locks_functions:
        raise Skipped("an index: this PostgreSQL does not lock the functions that it depends on")


def makes_lock(world):
    """Whether the server locks a function that a new index depends on: older minor releases do not."""
    world.run("bob", "CREATE FUNCTION public.indexed(jsonb) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT true'")
    user = world.connect("bob")
    user.execute("BEGIN")
    user.execute("CREATE INDEX ON events (public.indexed(data))")
    locked = user.execute("SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'object' AND granted"
                          " AND classid = 'pg_proc'::regclass AND objid = 'public.indexed(jsonb)'::regprocedure").fetchone()
    user.execute("ROLLBACK")
    world.run("bob", "DROP FUNCTION public.indexed(jsonb)")
    return locked != (0,)


def test_user_that_stays_open(world):
    """A stranger's open transaction delays a change for a limited time, and the error names it."""
    begin(world)
    world.run("alice", schema("users@1", EXAMPLES.format("string")))
    user = world.connect("mallory")
    user.execute("BEGIN")
    user.execute('CREATE TABLE mine (data jsonb, CHECK (event_schema."users@1"(data)))')
    widening = Background(world.connect("alice"), "SELECT widen_event_schema('users', 1, '{}')")
    error = widening.join_within(20)
    user.execute("ROLLBACK")
    # where PostgreSQL does not lock what an object depends on, nothing waits
    assert error is None or (error.sqlstate == "55P03" and world.role("mallory") in str(error)), error


def test_prepared_transaction_has_the_name(world):
    """The process that prepared it may run another transaction: it is not named."""
    if world.run(None, "SHOW max_prepared_transactions") == [("0",)]:
        raise Skipped("max_prepared_transactions is 0")
    begin(world)
    world.run("alice", schema("users@1", EXAMPLES.format("string")))
    name = f"names of {world.database}"
    user = world.connect("mallory")
    for command in ("BEGIN", schema("reader@1", '{"$ref": "https://users.test/order"}'), f"PREPARE TRANSACTION '{name}'", "SELECT 1"):
        user.execute(command)
    try:
        world.refused("alice", OTHER_ANNOTATIONS[1], "55P03", "prepared transaction")
    finally:
        user.execute(f"ROLLBACK PREPARED '{name}'")


def test_page_with_other_sites(world):
    """The internal function that writes a page takes any rows, and none."""
    world.run("owner", "SELECT register_event_schema('order', 1, '{}'::text)")
    session = world.connect("mallory")
    for sites in ("NULL", "'1'", "'{}'", """'[1, "a", null, [], {}, [{}]]'""",
                  """'[{"relation": 1, "kind": [], "name": {}, "mode": null, "type": 5, "version": {}}]'"""):
        session.execute(f"SELECT _event_validate.event_schema_page('order', NULL, {sites}::jsonb)")


def test_renames_beside_a_plain_drop(world):
    """DROP FUNCTION of a version and a registration whose renames lead from it see each other."""
    world.run("owner", *(f"SELECT register_event_schema('moving', {v}, '{{\"properties\": {{\"a\": {{}}, \"v{v}\": {{}}}}}}')" for v in (1, 2)))
    register = """SELECT register_event_schema('moving', 3, '{"properties": {"b": {}}}', renames => '{"a": "b"}')"""
    drop = 'DROP FUNCTION event_schema."moving@2"'
    for first, second, error in ((drop, register, None), (register, drop, "2BP01")):
        session = world.connect("owner")
        session.execute("BEGIN")
        session.execute(first)
        other = world.connect("owner")
        waiting = Background(other, second)
        while waiting.is_alive() and not world.run(
                None, f"SELECT 1 FROM pg_locks WHERE pid = {other.info.backend_pid} AND NOT granted"):
            pass
        assert waiting.is_alive(), f"does not wait: {waiting.error}"
        session.execute("ROLLBACK" if first == drop else "COMMIT")
        ended = waiting.join_within(60)
        assert (ended.sqlstate if ended else None) == error, ended
        if first == drop:
            world.run("owner", "SELECT drop_event_schema('moving', 3)")
