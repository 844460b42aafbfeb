"""Code of another role runs as that role: literals of its types, casts, functions that it replaces."""

import time

from world import Background

SEEN = ("CREATE TABLE mallory.seen (who text)", "GRANT ALL ON mallory.seen TO PUBLIC")


def prepare(world):
    world.run(None, f"GRANT CREATE ON SCHEMA event_schema TO {world.role('mallory')}",
              f"CREATE SCHEMA mallory AUTHORIZATION {world.role('mallory')}", "GRANT USAGE ON SCHEMA mallory TO PUBLIC")
    world.run("mallory", *SEEN)


def strangers_seen(world):
    return world.run(None, f"SELECT DISTINCT who FROM mallory.seen WHERE who <> '{world.role('mallory')}'")


# ---------- literals of a guard ----------

def hostile_guard(world, grant="SELECT 1"):
    """Its expression has a literal that the parser reads by users' code: a row with a field of a domain."""
    prepare(world)
    world.run("mallory", """CREATE FUNCTION mallory.f(text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN
                 INSERT INTO mallory.seen VALUES (current_user); RETURN true; END $$""",
              "CREATE DOMAIN mallory.d AS text CHECK (mallory.f(VALUE))",
              "CREATE TYPE mallory.c AS (a mallory.d)",
              "CREATE TABLE mallory.t (event_type text, schema_version int, data jsonb)",
              "SELECT add_event_guard('mallory.t', 'enforce', type_expr => $q$event_type || (('(x)'::mallory.c).a)$q$)",
              "CREATE TABLE mallory.plain (event_type text, schema_version int, data jsonb)",
              "SELECT add_event_guard('mallory.plain', 'enforce')",
              grant, "TRUNCATE mallory.seen")


def test_switch_by_superuser(world):
    """At 3 a.m. a superuser switches all guards, or this one."""
    hostile_guard(world)
    rows = world.run(None, "SELECT guarded_relation::text, new_mode, problem FROM set_event_guard_mode(NULL, 'off')")
    assert sorted(rows) == [("mallory.plain", "off", None), ("mallory.t", "off", None)], rows
    assert world.run(None, "SELECT new_mode FROM set_event_guard_mode('mallory.t', 'warn')") == [("warn",)]
    assert strangers_seen(world) == []
    # it is the same guard as before
    world.run("owner", "SELECT register_event_schema('orderx', 1, 'false')")
    world.run("mallory", "SELECT set_event_guard_mode('mallory.t', 'enforce')")
    world.refused("mallory", "INSERT INTO mallory.t VALUES ('order', 1, '1')", "23514")


def test_switch_by_grantee(world):
    """Who may have triggers there, and names no table, switches plain columns only."""
    hostile_guard(world, "GRANT ALL ON mallory.t, mallory.plain TO PUBLIC")
    for role in ("alice", "owner"):
        rows = world.run(role, "SELECT guarded_relation::text, new_mode, problem FROM set_event_guard_mode(NULL, 'off')")
        assert ("mallory.plain", "off", None) in rows, rows
        assert any(row[0] == "mallory.t" and row[1] is None and "name the table" in row[2] for row in rows), rows
    assert strangers_seen(world) == []


def test_switch_is_not_held_up(world):
    """Nor does it sleep, raise or cling there: the locks on all tables would be kept meanwhile."""
    prepare(world)
    world.run(None, f"CREATE SCHEMA alice AUTHORIZATION {world.role('alice')}")
    world.run("alice", "CREATE TABLE alice.t (event_type text, schema_version int, data jsonb)", "SELECT add_event_guard('alice.t', 'enforce')")
    for name, code in (("sleeps", "PERFORM pg_sleep(600);"), ("cancels", "RAISE 'no' USING ERRCODE = 'query_canceled';"),
                       ("shuts", "RAISE 'no' USING ERRCODE = 'admin_shutdown';"),
                       ("clings", "LOOP BEGIN PERFORM pg_sleep(600); EXCEPTION WHEN query_canceled THEN NULL; END; END LOOP;")):
        world.run("mallory", "SET my.off = on", f"""CREATE FUNCTION mallory.{name}(text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN
                     IF current_setting('my.off', true) IS NULL THEN {code} END IF; RETURN true; END $$""",
                  f"CREATE DOMAIN mallory.d_{name} AS text CHECK (mallory.{name}(VALUE))",
                  f"CREATE TYPE mallory.c_{name} AS (a mallory.d_{name})",
                  f"CREATE TABLE mallory.{name} (event_type text, schema_version int, data jsonb)",
                  f"SELECT add_event_guard('mallory.{name}', 'enforce', type_expr => $q$event_type || (('(x)'::mallory.c_{name}).a)$q$)")
    # the time that mallory's code takes is not alice's
    world.run("alice", "CREATE TABLE alice.u (event_type text, schema_version int, data jsonb)",
              "SELECT add_event_guard('alice.u', 'enforce', type_expr => 'lower(event_type)')")
    start = time.monotonic()
    rows = {row[0]: row[1:] for row in world.run(
        None, "SELECT guarded_relation::text, new_mode, problem FROM set_event_guard_mode(NULL, 'off')")}
    assert time.monotonic() - start < 5
    assert rows.pop("alice.t") == ("off", None), rows
    assert rows.pop("alice.u") == ("off", None), rows
    assert len(rows) == 4 and all(mode is None and problem for mode, problem in rows.values()), rows
    assert "too long" in rows["mallory.sleeps"][1], rows


# ---------- upcasts ----------

def test_cast_of_a_field(world):
    """A constant row is of no user's type, but its fields are, and to_jsonb calls their casts."""
    prepare(world)
    world.run("mallory", "CREATE TYPE mallory.e AS ENUM ('a')",
              """CREATE FUNCTION mallory.j(mallory.e) RETURNS json LANGUAGE plpgsql AS $$ BEGIN
                 INSERT INTO mallory.seen VALUES (current_user); RETURN '1'; END $$""",
              "CREATE CAST (mallory.e AS json) WITH FUNCTION mallory.j(mallory.e)",
              "SELECT register_event_schema('x', v, 'true') FROM generate_series(1, 4) AS v")
    for version, expression in enumerate(("to_jsonb(ROW('a'::mallory.e))", "jsonb_build_object('r', ROW('a'::mallory.e))",
                                          "to_jsonb(ARRAY[ROW('a'::mallory.e)])"), 1):
        world.run("mallory", f"""CREATE FUNCTION event_schema."x@{version}>{version + 1}"(data jsonb) RETURNS jsonb
            LANGUAGE sql BEGIN ATOMIC SELECT data || jsonb_build_object('{version}', {expression}); END""")
    for role in (None, "owner"):
        world.run(role, "SELECT upcast_event('{}', 'x', 1)")
    assert strangers_seen(world) == []
    assert world.run(None, "SELECT count(*) FROM mallory.seen") == [(6,)]


def test_function_of_another_role(world):
    """An upcast of a superuser calls a function that its owner replaces afterwards."""
    prepare(world)
    create = """CREATE OR REPLACE FUNCTION mallory.f(e jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
        BEGIN RETURN e || jsonb_build_object('who', current_user); END $$"""
    world.run("mallory", "CREATE FUNCTION mallory.f(e jsonb) RETURNS jsonb LANGUAGE sql AS 'SELECT e'")
    world.run("owner", "SELECT register_event_schema('x', v, 'true') FROM generate_series(1, 2) AS v")
    world.run(None, "SELECT register_event_upcast('x', 1, 2, 'mallory.f(jsonb)')")
    session = world.connect("bob")
    for statement in ("SELECT upcast_event('{}', 'x', 1)", "SELECT event_at_version('{}', 'x', 1, 2)"):
        session.execute(statement)
        world.run("mallory", create)
        assert session.execute(statement).fetchone() == ({"who": world.role("mallory")},)
    # one that has no right of hers runs as itself
    world.run(None, "DROP FUNCTION event_schema.\"x@1>2\"")
    world.run("owner", "SELECT register_event_upcast('x', 1, 2, 'mallory.f(jsonb)')")
    assert session.execute(statement).fetchone() == ({"who": world.role("owner")},)


# ---------- the end of a transaction ----------

def test_temporary_tables_at_the_commit(world):
    """Temporary tables that are dropped at the commit keep no table locked."""
    prepare(world)
    world.run("owner", f"GRANT TEMP ON DATABASE {world.database} TO PUBLIC", "SELECT register_event_schema('order', 1, '{}')")
    world.run(None, f"CREATE SCHEMA alice AUTHORIZATION {world.role('alice')}")
    world.run("mallory", "SELECT register_event_schema('junk', 1, 'true')")
    world.run("alice", "CREATE TABLE alice.events (event_type text, schema_version int, data jsonb,"
              " CHECK (check_event(data, event_type, schema_version)))")
    session = world.connect("mallory")
    session.execute("BEGIN")
    session.execute("""DO $$ BEGIN FOR i IN 1..400 LOOP EXECUTE format('CREATE TEMP TABLE x%s (%s) ON COMMIT DROP', i,
        (SELECT string_agg('c' || c || ' int', ',') FROM generate_series(1, 800) c)); END LOOP; END $$""")
    session.execute("DROP FUNCTION event_schema.\"junk@1\"")
    commit = Background(session, "COMMIT")
    writer = world.connect("alice")
    longest = 0
    while commit.is_alive():
        start = time.monotonic()
        writer.execute("INSERT INTO alice.events VALUES ('order', 1, '{}')")
        longest = max(longest, time.monotonic() - start)
    assert commit.join_within(1) is None
    assert longest < 1, longest
