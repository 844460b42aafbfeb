"""Upcasts, migrations and views: users' code, and tables that are changed meanwhile."""

import time

import psycopg
from world import COSTS, Background, told

SLOW_UPCAST = """CREATE FUNCTION slow(e jsonb) RETURNS jsonb LANGUAGE plpgsql AS
    $$ BEGIN PERFORM pg_catalog.pg_sleep(0.05); RETURN e || '{"a": 1}'; END $$"""


def give(world, *roles):
    """Lets roles create objects."""
    for role in roles:
        name = world.role(role)
        world.run(None, f'GRANT CREATE ON SCHEMA event_schema TO "{name}"', f'CREATE SCHEMA "{role}" AUTHORIZATION "{name}"')


def register_upcast(arguments, function):
    """A command that registers an upcast, also where its function is VOLATILE, as an attacker's is later."""
    return f"""DO $do$
        DECLARE was "char" := (SELECT provolatile FROM pg_catalog.pg_proc WHERE oid = '{function}(jsonb)'::regprocedure);
        BEGIN
            IF was = 'v' THEN ALTER FUNCTION {function}(jsonb) STABLE; END IF;
            PERFORM public.register_event_upcast({arguments}, '{function}(jsonb)');
            IF was = 'v' THEN ALTER FUNCTION {function}(jsonb) VOLATILE; END IF;
        END $do$"""


def register(world, role, kind, function, path=None):
    """An event type with two versions and an upcast, all of one role."""
    world.run(role, *(path or []),
              f"""SELECT register_event_schema('{kind}', 1, '{{"type": "object"}}')""",
              f"""SELECT register_event_schema('{kind}', 2, '{{"type": "object"}}', breaking => true)""",
              register_upcast(f"'{kind}', 1, 2", function))


def make_table(world, role, rows=40, kind="mal"):
    world.run(role, "CREATE TABLE ev (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, event_type text,"
              " schema_version int, data jsonb)",
              f"INSERT INTO ev (event_type, schema_version, data) SELECT '{kind}', 1, '{{}}' FROM generate_series(1, {rows})")


def migrating(world, role, table="ev", rows="ev"):
    """Starts a migration, a row a batch; returns when the first of the rows is migrated."""
    caller = Background(world.connect(role), f"CALL migrate_events('{table}', 'mal', 2, 1)")
    last = time.monotonic() + 30 * COSTS
    while world.run("owner", f"SELECT count(*) FROM {rows} WHERE schema_version = 2") == [(0,)]:
        assert caller.is_alive() and time.monotonic() < last, "no row is migrated"
        time.sleep(0.05)
    return caller


def change_while_migrated(world, *changes, sqlstate="55000", words=("Call migrate_events again",), table="ev"):
    """Changes the table between two batches; the call must end with a clean error."""
    world.run("owner", "CREATE SCHEMA IF NOT EXISTS public", SLOW_UPCAST)
    register(world, "owner", "mal", "slow")
    make_table(world, "owner")
    caller = migrating(world, "owner", table)
    world.run("owner", *changes)
    error = caller.join_within(30)
    if sqlstate is None:
        assert error is None, error
        return
    assert error is not None, "it went on"
    said = f"{error.diag.message_primary} {error.diag.message_hint}"
    assert error.sqlstate == sqlstate, f"{error.sqlstate}: {said}"
    for word in words:
        assert word in said, said


def test_type_of_data_changes(world):
    change_while_migrated(world, "ALTER TABLE ev ALTER data TYPE text USING 'zzz ' || repeat('z', 2000)")


def test_type_of_version_changes(world):
    change_while_migrated(world, "ALTER TABLE ev ALTER schema_version TYPE text")


def test_data_is_dropped(world):
    change_while_migrated(world, "ALTER TABLE ev DROP data")


def test_data_is_another_column(world):
    change_while_migrated(world, "ALTER TABLE ev RENAME data TO old, ADD data jsonb DEFAULT '{}'".replace(
        ", ADD", "; ALTER TABLE ev ADD"))


def test_table_is_replaced(world):
    change_while_migrated(world, "ALTER TABLE ev RENAME TO was; CREATE TABLE ev (id text PRIMARY KEY, event_type text,"
                          " schema_version int, data text); INSERT INTO ev SELECT id, event_type, schema_version, 'zzzz' FROM was;"
                          " DROP TABLE was")


def test_table_is_dropped(world):
    change_while_migrated(world, "DROP TABLE ev")


def test_table_is_renamed(world):
    """A table that is renamed, and replaced by another of its name, is still migrated."""
    change_while_migrated(world, "ALTER TABLE ev RENAME TO moved; CREATE TABLE ev (id int PRIMARY KEY, event_type int,"
                          " schema_version text, data text)", sqlstate=None)
    assert world.run("owner", "SELECT count(*) FROM moved WHERE schema_version = 2") == [(40,)]


def test_key_is_dropped(world):
    """If the key that names rows is dropped, the name is looked up anew."""
    change_while_migrated(world, "ALTER TABLE ev DROP id", sqlstate=None)
    assert world.run("owner", "SELECT count(*) FROM ev WHERE schema_version = 2") == [(40,)]


def test_rights_are_revoked(world):
    give(world, "owner")
    world.run("owner", SLOW_UPCAST)
    register(world, "owner", "mal", "slow")
    make_table(world, "owner")
    world.run("owner", f'GRANT SELECT, UPDATE ON ev TO "{world.role("alice")}"')
    caller = migrating(world, "alice")
    world.run("owner", f'REVOKE ALL ON ev FROM "{world.role("alice")}"')
    error = caller.join_within(30)
    assert error is not None and error.sqlstate == "42501", error
    assert 0 < world.run("owner", "SELECT count(*) FROM ev WHERE schema_version = 2")[0][0] < 40


def test_row_security_comes(world):
    give(world, "owner")
    world.run("owner", SLOW_UPCAST)
    register(world, "owner", "mal", "slow")
    make_table(world, "owner")
    world.run("owner", f'GRANT SELECT, UPDATE ON ev TO "{world.role("alice")}"')
    caller = migrating(world, "alice")
    world.run("owner", "ALTER TABLE ev ENABLE ROW LEVEL SECURITY")
    error = caller.join_within(30)
    assert error is not None and error.sqlstate == "42501" and "row-level security" in str(error), error


def test_partition_leaves(world):
    """A partition that is detached meanwhile is not changed any more."""
    world.run("owner", SLOW_UPCAST)
    register(world, "owner", "mal", "slow")
    world.run("owner", "CREATE TABLE ev (id int, event_type text, schema_version int, data jsonb) PARTITION BY LIST (id)",
              "CREATE TABLE ev_1 PARTITION OF ev FOR VALUES IN (1)", "CREATE TABLE ev_2 PARTITION OF ev FOR VALUES IN (2)",
              "INSERT INTO ev SELECT i % 2 + 1, 'mal', 1, '{}' FROM generate_series(1, 40) AS i")
    caller = migrating(world, "owner", rows="ev_1")
    world.run("owner", "ALTER TABLE ev DETACH PARTITION ev_1; ALTER TABLE ev_1 ALTER data TYPE text")
    error = caller.join_within(30)
    assert error is None, error
    assert world.run("owner", "SELECT count(*) FROM ev WHERE schema_version = 2") == [(20,)]
    assert 0 < world.run("owner", "SELECT count(*) FROM ev_1 WHERE schema_version = 2")[0][0] < 20


def test_trigger_alters_the_table(world):
    """A trigger cannot alter the table within a batch."""
    world.run("owner", SLOW_UPCAST)
    register(world, "owner", "mal", "slow")
    make_table(world, "owner", 3)
    world.run("owner", """CREATE FUNCTION alters() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN ALTER TABLE ev ALTER data TYPE text; RETURN new; END $$""",
              "CREATE TRIGGER t BEFORE UPDATE ON ev FOR EACH ROW EXECUTE FUNCTION alters()")
    world.refused("owner", "CALL migrate_events('ev', 'mal', 2)", "55006")


def test_trigger_closes_cursors(world):
    """A trigger cannot close the cursor of migrate_events."""
    world.run("owner", "CREATE FUNCTION quick(e jsonb) RETURNS jsonb LANGUAGE sql STABLE AS 'SELECT e'")
    register(world, "owner", "mal", "quick")
    make_table(world, "owner", 1000)
    world.run("owner", """CREATE FUNCTION closes() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN EXECUTE 'CLOSE ALL'; RETURN new; END $$""",
              "CREATE TRIGGER t BEFORE UPDATE ON ev FOR EACH ROW EXECUTE FUNCTION closes()",
              "CALL migrate_events('ev', 'mal', 2)")
    assert world.run("owner", "SELECT count(*) FROM ev WHERE schema_version = 2") == [(1000,)]


def test_upcast_reads_cursors(world):
    """An upcast cannot read the rows of other cursors."""
    give(world, "mallory")
    world.run("mallory", "SET search_path = mallory, public", "CREATE TABLE loot (of text)", """
        CREATE FUNCTION peeks(e jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
        DECLARE name text;
        BEGIN
            FOREACH name IN ARRAY ARRAY(SELECT c.name FROM pg_catalog.pg_cursors AS c) LOOP
                BEGIN
                    EXECUTE pg_catalog.format('FETCH ALL FROM %I', name);
                    e := e || pg_catalog.jsonb_build_object('read', name);
                EXCEPTION WHEN OTHERS THEN NULL;
                END;
            END LOOP;
            RETURN e;
        END $$""")
    register(world, "mallory", "mal", "mallory.peeks")
    make_table(world, "owner", 600)
    world.run("owner", "CALL migrate_events('ev', 'mal', 2)")
    assert world.run("owner", "SELECT count(*), count(*) FILTER (WHERE data ? 'read') FROM ev WHERE schema_version = 2") == [(600, 0)]


def test_row_without_a_name(world):
    """A key of a type whose cast to text gives NULL."""
    world.run("owner", "CREATE FUNCTION quick(e jsonb) RETURNS jsonb LANGUAGE sql STABLE AS $$ SELECT '[]'::jsonb $$")
    register(world, "owner", "mal", "quick")
    world.run("owner", "CREATE TYPE pair AS (a int)",
              "CREATE FUNCTION no_text(pair) RETURNS text LANGUAGE sql AS 'SELECT NULL::text'",
              "CREATE CAST (pair AS text) WITH FUNCTION no_text(pair)",
              "CREATE TABLE ev (id pair PRIMARY KEY, event_type text, schema_version int, data jsonb)",
              "INSERT INTO ev VALUES (ROW(1), 'mal', 1, '{}')")
    world.run("owner", "CALL migrate_events('ev', 'mal', 2)")
    world.run("owner", "SELECT * FROM check_event_upgrade('ev', 'mal', 1, 2)")


# ---------- originals ----------

def test_originals_without_rights(world):
    """Refused before any object is created, and without waiting for a lock."""
    world.run("owner", "CREATE FUNCTION quick(e jsonb) RETURNS jsonb LANGUAGE sql STABLE AS 'SELECT e'")
    register(world, "owner", "mal", "quick")
    make_table(world, "owner")
    holder = world.connect("owner")
    holder.execute("BEGIN; LOCK TABLE ev")
    for call in ("CALL migrate_events('ev', 'mal', 2, keep_original => true)", "CALL migrate_events('ev', 'mal', 2)",
                 "SELECT * FROM check_event_upgrade('ev', 'mal', 1, 2)",
                 "SELECT create_event_view('v', 'ev', 'mal')"):
        session = world.connect("mallory")
        caller = Background(session, "SET statement_timeout = '5s'", call)
        error = caller.join_within(10)
        assert error is not None and error.sqlstate == "42501" and "permission denied for table ev" in str(error), (call, error)
    holder.execute("ROLLBACK")
    assert world.run("owner", "SELECT to_regclass('event_schema.migrated_events')") == [(None,)]


def test_originals_are_no_strangers(world):
    """Creating the table first does not give access to others' events."""
    world.run("owner", "CREATE FUNCTION quick(e jsonb) RETURNS jsonb LANGUAGE sql STABLE AS 'SELECT e'")
    register(world, "owner", "mal", "quick")
    make_table(world, "owner")
    give(world, "mallory")
    world.run("mallory", "CREATE TABLE event_schema.migrated_events (a int)")
    world.refused("owner", "CALL migrate_events('ev', 'mal', 2, keep_original => true)", "55000", "mallory")
    world.run(None, "DROP TABLE event_schema.migrated_events", "CREATE VIEW event_schema.migrated_events AS SELECT 1 AS a")
    world.refused("owner", "CALL migrate_events('ev', 'mal', 2, keep_original => true)", "42809")


def test_originals_of_other_types(world):
    """It is a user's table, whose columns can have any type."""
    world.run("owner", "CREATE FUNCTION quick(e jsonb) RETURNS jsonb LANGUAGE sql STABLE AS 'SELECT e'")
    register(world, "owner", "mal", "quick")
    make_table(world, "owner")
    world.run(None, 'SET ROLE pg_database_owner',
              "CREATE TABLE event_schema.migrated_events (relation_schema int, relation_name text, row_name text, \"row\" bytea,"
              " event_type text, schema_version int, to_version int, migrated_at date, role text, \"transaction\" text)")
    world.refused("owner", "CALL migrate_events('ev', 'mal', 2, keep_original => true)", "42804")
    assert world.run("owner", "SELECT count(*) FROM ev WHERE schema_version = 1") == [(40,)]


# ---------- the role that runs an upcast ----------

SPY = """CREATE FUNCTION {schema}.spy(e jsonb) RETURNS jsonb LANGUAGE plpgsql {options} AS $$
    BEGIN
        RETURN e || pg_catalog.jsonb_build_object('user', current_user, 'path', pg_catalog.current_setting('search_path'));
    END $$"""


def spy(world, options="STABLE"):
    give(world, "mallory")
    world.run("mallory", SPY.format(schema="mallory", options=options))
    register(world, "mallory", "mal", "mallory.spy")
    make_table(world, "owner")
    return {"user": world.role("mallory"), "path": "pg_catalog, pg_temp"}


def test_upcast_runs_as_its_owner(world):
    seen = spy(world)
    for role in (None, "owner"):
        assert world.run(role, "SELECT upcast_event('{}', 'mal', 1)") == [(seen,)]
        assert world.run(role, "SET search_path = public, mallory", "SELECT event_at_version('{}', 'mal', 1, 2),"
                         " current_user::text, current_setting('search_path')") == [(seen, world.role(role), "public, mallory")]


def test_view_runs_as_its_owner(world):
    seen = spy(world, "IMMUTABLE PARALLEL SAFE")
    world.run("owner", "SELECT create_event_view('v', 'ev', 'mal')")
    for role in (None, "owner"):
        assert world.run(role, "SELECT DISTINCT data FROM v") == [(seen,)]


def test_view_in_parallel(world):
    seen = spy(world, "IMMUTABLE PARALLEL SAFE")
    world.run("owner", "INSERT INTO ev (event_type, schema_version, data) SELECT 'mal', 1, '{}' FROM generate_series(1, 2000)",
              "ALTER TABLE ev SET (parallel_workers = 2)", "SELECT create_event_view('v', 'ev', 'mal')", "ANALYZE ev")
    settings = ["SET parallel_setup_cost = 0", "SET parallel_tuple_cost = 0", "SET min_parallel_table_scan_size = 0",
                "SET parallel_leader_participation = off"]
    plan = world.run("owner", *settings, "EXPLAIN SELECT data FROM v")
    assert any("Workers Planned" in line for line, in plan), plan
    assert world.run("owner", *settings, "SELECT data, count(*) FROM v GROUP BY data") == [(seen, 2040)]


def test_migration_runs_as_the_owner(world):
    seen = spy(world)
    world.run(None, "CALL migrate_events('public.ev', 'mal', 2, 7)")
    assert world.run("owner", "SELECT data, schema_version, count(*) FROM ev GROUP BY 1, 2") == [(seen, 2, 40)]


def test_check_runs_as_the_owner(world):
    give(world, "mallory")
    world.run("mallory", """CREATE FUNCTION mallory.says(e jsonb) RETURNS jsonb LANGUAGE plpgsql AS
        $$ BEGIN RAISE '% with %', current_user, pg_catalog.current_setting('search_path'); END $$""")
    register(world, "mallory", "mal", "mallory.says")
    make_table(world, "owner")
    said = f"{world.role('mallory')} with pg_catalog, pg_temp"
    assert world.run(None, "SELECT message, violations FROM check_event_upgrade('public.ev', 'mal', 1, 2)") == [("all violations", 40), (said, 40)]
    # after an error the user is the caller again
    assert world.run(None, "SELECT current_user, count(*), current_setting('search_path')"
                     " FROM check_event_upgrade('public.ev', 'mal', 1, 2)")[0][0] == world.role(None)


def test_planning_runs_as_the_owner(world):
    """Constant folding and inlining run functions as the owner, too."""
    give(world, "mallory")
    world.run("mallory", "CREATE TABLE mallory.seen (who text)", "GRANT ALL ON mallory.seen TO PUBLIC",
              "GRANT USAGE ON SCHEMA mallory TO PUBLIC",
              """CREATE FUNCTION mallory.folded(a text) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE AS
              $$ BEGIN RETURN pg_catalog.jsonb_build_object('planned', current_user); END $$""",
              "CREATE FUNCTION mallory.inlined(e jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS"
              " $$ SELECT e || mallory.folded('x') $$")
    register(world, "mallory", "mal", "mallory.inlined")
    for role in (None, "owner"):
        assert world.run(role, "SELECT upcast_event('{}', 'mal', 1)") == [({"planned": world.role("mallory")},)]


def test_current_user_inlined(world):
    """A built-in expression that depends on the current user, and one that runs SQL."""
    give(world, "mallory")
    world.run("mallory", "SELECT register_event_schema('x', v, 'true') FROM generate_series(1, 3) AS v",
              """CREATE FUNCTION event_schema."x@1>2"(data jsonb) RETURNS jsonb LANGUAGE sql
              BEGIN ATOMIC SELECT data || jsonb_build_object('who', current_user); END""",
              # a volatile function, which only a restore brings
              "SET check_function_bodies = off",
              """CREATE FUNCTION event_schema."x@2>3"(data jsonb) RETURNS jsonb LANGUAGE sql
              BEGIN ATOMIC SELECT data || jsonb_build_object('ran', query_to_xml('SELECT current_user AS u', false, true, '')::text LIKE '%mallory%'); END""")
    assert world.run(None, "SELECT upcast_event('{}', 'x', 1)") == [({"who": world.role("mallory"), "ran": True},)]


def test_upcast_leaves_nothing_behind(world):
    """No settings, roles, temporary tables, prepared statements or deferred triggers are left."""
    give(world, "mallory")
    world.run("mallory", "CREATE TABLE mallory.log (who text)",
              "CREATE FUNCTION mallory.deferred() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
              "CREATE CONSTRAINT TRIGGER t AFTER INSERT ON mallory.log DEFERRABLE INITIALLY DEFERRED"
              " FOR EACH ROW EXECUTE FUNCTION mallory.deferred()",
              """CREATE FUNCTION mallory.tries(e jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
              BEGIN
                  PERFORM pg_catalog.set_config('search_path', 'mallory', false), pg_catalog.set_config('work_mem', '64kB', false);
                  EXECUTE e->>'run';
                  RETURN e;
              END $$""")
    register(world, "mallory", "mal", "mallory.tries")
    for command in ("CREATE TEMP TABLE t (a int)", "RESET ROLE", "SET ROLE NONE", "SET SESSION AUTHORIZATION DEFAULT",
                    "PREPARE p AS SELECT 1", "LISTEN c", "DISCARD ALL", "CLOSE ALL", "DEALLOCATE ALL",
                    "DECLARE c CURSOR WITH HOLD FOR SELECT 1", "INSERT INTO mallory.log VALUES (''a'')"):
        session = world.connect(None)
        before = session.execute("SELECT current_setting('search_path'), current_setting('work_mem'), current_user").fetchone()
        try:
            session.execute(f"""SELECT upcast_event(jsonb_build_object('run', '{command}'), 'mal', 1)""")
            raise AssertionError(f"it may {command}")
        except psycopg.Error as error:
            assert "security-restricted" in str(error) or error.sqlstate in ("42501", "0A000"), f"{command}: {error}"
        session.execute("""SELECT upcast_event('{"run": "SELECT 1"}', 'mal', 1)""")
        after = session.execute("SELECT current_setting('search_path'), current_setting('work_mem'), current_user").fetchone()
        assert before == after, (command, before, after)


def test_error_within_a_block(world):
    """After PL/pgSQL catches an upcast's error, the user is the caller again."""
    give(world, "mallory")
    world.run("mallory", """CREATE FUNCTION mallory.raises(e jsonb) RETURNS jsonb LANGUAGE plpgsql AS
        $$ BEGIN IF e ? 'bad' THEN RAISE 'bad'; END IF; RETURN e || pg_catalog.jsonb_build_object('user', current_user); END $$""")
    register(world, "mallory", "mal", "mallory.raises")
    rows = world.run(None, """CREATE FUNCTION pg_temp.tries(OUT who text, OUT path text, OUT got jsonb) LANGUAGE plpgsql AS $$
        DECLARE e jsonb;
        BEGIN
            FOREACH e IN ARRAY ARRAY['{"bad": 1}', '{}', '{"bad": 1}', '{"n": 1}']::jsonb[] LOOP
                BEGIN
                    got := upcast_event(e, 'mal', 1);
                EXCEPTION WHEN raise_exception THEN NULL;
                END;
            END LOOP;
            who := current_user; path := current_setting('search_path');
        END $$""", "SELECT * FROM pg_temp.tries()")
    assert rows == [(world.role(None), '"$user", public', {"n": 1, "user": world.role("mallory")})], rows


def test_rights_on_upcast_and_function(world):
    """The caller needs EXECUTE on the upcast, its owner on the function."""
    give(world, "mallory", "alice")
    world.run("alice", "CREATE FUNCTION alice.f(e jsonb) RETURNS jsonb LANGUAGE plpgsql STABLE AS 'BEGIN RETURN e; END'",
              "GRANT USAGE ON SCHEMA alice TO PUBLIC")
    register(world, "mallory", "mal", "alice.f")
    world.run("alice", "REVOKE EXECUTE ON FUNCTION alice.f FROM PUBLIC",
              f'GRANT EXECUTE ON FUNCTION alice.f TO "{world.role("mallory")}"')
    assert world.run("bob", "SELECT upcast_event('{}', 'mal', 1)") == [({},)]
    world.run("mallory", 'REVOKE EXECUTE ON FUNCTION event_schema."mal@1>2" FROM PUBLIC')
    world.refused("bob", "SELECT upcast_event('{}', 'mal', 1)", "42501", "mal@1>2")
    world.refused("bob", "SELECT event_at_version('{}', 'mal', 1, 2)", "42501", "mal@1>2")
    world.run("mallory", 'GRANT EXECUTE ON FUNCTION event_schema."mal@1>2" TO PUBLIC')
    world.run("alice", f'REVOKE EXECUTE ON FUNCTION alice.f FROM "{world.role("mallory")}"')
    # a superuser's rights do not help
    world.refused(None, "SELECT upcast_event('{}', 'mal', 1)", "42501", "function f")


def test_plan_of_another_user(world):
    """A call site checks the rights for each user of a cached upcast."""
    give(world, "mallory")
    world.run("mallory", "CREATE FUNCTION mallory.f(e jsonb) RETURNS jsonb LANGUAGE plpgsql STABLE AS 'BEGIN RETURN e; END'")
    register(world, "mallory", "mal", "mallory.f")
    world.run("mallory", 'REVOKE EXECUTE ON FUNCTION event_schema."mal@1>2" FROM PUBLIC')
    bob = world.role("bob")
    world.refused(None, f"""DO $$
        BEGIN
            FOR i IN 1..2 LOOP
                PERFORM upcast_event('{{}}', 'mal', 1);
                IF i = 1 THEN SET LOCAL ROLE "{bob}"; END IF;
            END LOOP;
        END $$""", "42501", "mal@1>2")


# ---------- caches ----------

MEDDLE = """CREATE FUNCTION mallory.meddles(e jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
    BEGIN
        IF (e->>'depth')::int > 0 THEN
            {what};
            PERFORM public.upcast_event(e || '{{"depth": 0}}', 'mal', 1);
        END IF;
        RETURN e || '{{"done": true}}';
    END $$"""


def meddle(world, *what):
    for number, command in enumerate(what):
        world.run("mallory", MEDDLE.format(what=command).replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION"))
        if number == 0:
            register(world, "mallory", "mal", "mallory.meddles")
        for call in ("upcast_event(d, 'mal', 1)", "event_at_version(d, 'mal', 1, 2)"):
            rows = world.run("owner", f"""SELECT count({call}) FROM (SELECT jsonb_build_object('depth', i % 2, 'i', i, 'pad', repeat('x', 100))
                AS d FROM generate_series(1, 50) AS i OFFSET 0) AS e""")
            assert rows == [(50,)], (command, call, rows)
        rows = world.run("owner", """SELECT _event_validate.event_upgrade_kinds(jsonb_build_object('depth', i % 2, 'i', i, 'pad', repeat('x', 100)),
            'row', 'mal', 1, 2)::text FROM generate_series(1, 50) AS i""")
        assert rows == [("{}",)], (command, rows)


def test_upcast_changes_what_is_kept(world):
    """An upcast re-enters, alters and replaces itself, its schemas and other upcasts."""
    give(world, "mallory")
    meddle(world,
           "PERFORM public.upcast_event(e || '{\"depth\": 0}', 'mal', 1)",
           "ALTER FUNCTION event_schema.\"mal@1>2\" COST 101",
           "ALTER FUNCTION event_schema.\"mal@2\" COST 101; PERFORM public.validate_event('1', 'mal', 2)",
           "EXECUTE pg_catalog.pg_get_functiondef('mallory.meddles'::pg_catalog.regproc)",
           "DROP FUNCTION event_schema.\"mal@1>2\";"
           " ALTER FUNCTION mallory.meddles(jsonb) STABLE;"
           " PERFORM public.register_event_upcast('mal', 1, 2, 'mallory.meddles(jsonb)');"
           " ALTER FUNCTION mallory.meddles(jsonb) VOLATILE")


def test_upcast_meets_many(world):
    """An upcast makes the session use more types than a call site caches."""
    give(world, "mallory")
    world.run("mallory", "CREATE FUNCTION mallory.id(e jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS 'SELECT e'",
              "SELECT register_event_schema('t' || t, v, 'true') FROM generate_series(1, 70) AS t, generate_series(1, 2) AS v",
              "SELECT register_event_upcast('t' || t, 1, 2, 'mallory.id(jsonb)') FROM generate_series(1, 70) AS t",
              """CREATE FUNCTION mallory.many(e jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
              BEGIN
                  PERFORM public.upcast_event('{}', 't' || t, 1) FROM pg_catalog.generate_series(1, 70) AS t;
                  RETURN e;
              END $$""")
    register(world, "mallory", "mal", "mallory.many")
    assert world.run("owner", "SELECT count(upcast_event('{}', CASE i % 3 WHEN 0 THEN 'mal' ELSE 't' || i % 70 + 1 END, 1))"
                     " FROM generate_series(1, 300) AS i") == [(300,)]


def test_upcast_that_never_ends(world):
    """An upcast can be cancelled, in a call and in a recursion."""
    give(world, "mallory")
    world.run("mallory", """CREATE FUNCTION mallory.recurses(e jsonb) RETURNS jsonb LANGUAGE plpgsql AS
        $$ BEGIN RETURN public.upcast_event(e, 'mal', 1); END $$""")
    register(world, "mallory", "mal", "mallory.recurses")
    world.refused("owner", "SELECT upcast_event('{}', 'mal', 1)", "54001")
    world.run("mallory", """CREATE OR REPLACE FUNCTION mallory.recurses(e jsonb) RETURNS jsonb LANGUAGE plpgsql AS
        $$ BEGIN PERFORM pg_catalog.pg_sleep(60); RETURN e; END $$""")
    session = world.connect("owner")
    caller = Background(session, "SELECT upcast_event('{}', 'mal', 1)")
    time.sleep(0.5)
    session.cancel()
    error = caller.join_within(2)
    assert error is not None and error.sqlstate == "57014", error
    assert session.execute("SELECT current_user").fetchone()[0] == world.role("owner")


# ---------- locks ----------

def test_upcast_without_create(world):
    """Repeating a registration does not block others."""
    world.run("owner", "SELECT register_event_schema('a', v, 'true') FROM generate_series(1, 2) AS v",
              "CREATE FUNCTION quick(e jsonb) RETURNS jsonb LANGUAGE sql STABLE AS 'SELECT e'")
    world.refused("mallory", "SELECT register_event_upcast('a', 1, 2, 'quick(jsonb)')", "42501", "event_schema")
    world.run("owner", "SELECT register_event_upcast('a', 1, 2, 'quick(jsonb)')",
              "SELECT register_event_schema('a', 3, 'true')")
    session = world.connect("mallory")
    session.execute("BEGIN")
    session.execute("SELECT register_event_upcast('a', 1, 2, 'quick(jsonb)')")
    world.run("owner", "SET lock_timeout = '2s'", "SELECT register_event_upcast('a', 2, 3, 'quick(jsonb)')")


# ---------- missing relations ----------

def test_relations_that_are_none(world):
    world.run("owner", "SELECT register_event_schema('a', v, 'true') FROM generate_series(1, 2) AS v",
              "CREATE FUNCTION quick(e jsonb) RETURNS jsonb LANGUAGE sql STABLE AS 'SELECT e'",
              "SELECT register_event_upcast('a', 1, 2, 'quick(jsonb)')", "CREATE SEQUENCE s")
    for relation, sqlstate in (("0", "42P01"), ("987654", "42P01"), ("'s'", "42809"), ("'pg_class_oid_index'", "42809")):
        for call in ("CALL migrate_events({}, 'a', 2)", "SELECT check_event_upgrade({}, 'a', 1, 2)",
                     "SELECT create_event_view('v', {}, 'a')"):
            world.refused("owner", call.format(f"{relation}::regclass"), sqlstate)


def test_failed_migrations_leave_nothing(world):
    """A session's memory does not grow with the migrations that fail in it."""
    world.run("owner", "SELECT register_event_schema('order', v, 'true') FROM generate_series(1, 2) AS v",
              "CREATE FUNCTION up(jsonb) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$ BEGIN RAISE EXCEPTION USING ERRCODE = '55000'; END $$",
              "SELECT register_event_upcast('order', 1, 2, 'up(jsonb)')",
              "CREATE TABLE events (event_type text, schema_version int, data jsonb)",
              "INSERT INTO events VALUES ('order', 1, '{}')")
    world.run(None, "GRANT SELECT ON pg_backend_memory_contexts TO PUBLIC",
              "GRANT EXECUTE ON FUNCTION pg_get_backend_memory_contexts() TO PUBLIC")
    session = world.connect("owner", prepare_threshold=None)

    def plans():
        return session.execute("SELECT count(*) FROM pg_backend_memory_contexts WHERE name = 'SPI Plan'").fetchone()[0]

    def fail():
        try:
            session.execute("CALL migrate_events('events', 'order', 2)")
        except psycopg.Error as error:
            assert error.sqlstate == "55000", error
        else:
            raise AssertionError("not refused")

    fail()
    before = plans()
    for _ in range(5):
        fail()
    assert plans() == before, f"{plans()} plans instead of {before}"


def test_index_that_is_not_usable_yet(world):
    """A statement is planned in a snapshot also after a COMMIT: a server with assertions crashed for an index that younger transactions may use."""
    world.run("owner", SLOW_UPCAST.replace("0.05", "0"))
    register(world, "owner", "mal", "slow")
    world.run("owner", "CREATE TABLE ev (id int PRIMARY KEY, k int, event_type text, schema_version int, data jsonb) WITH (fillfactor = 50)",
              "INSERT INTO ev SELECT i, i, 'mal', 1, '{}' FROM generate_series(1, 100) AS i")
    old = world.connect("mallory")
    old.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
    old.execute("SELECT pg_catalog.txid_current()")
    world.run("owner", "UPDATE ev SET k = k + 1", "CREATE INDEX ON ev (k)")
    assert world.run("owner", "SELECT count(*) FROM pg_index WHERE indrelid = 'ev'::regclass AND indcheckxmin") == [(1,)]
    world.connect("owner").execute("CALL migrate_events('ev', 'mal', 2, 10)")
    assert world.run("owner", "SELECT count(*) FROM ev WHERE schema_version = 2") == [(100,)]


# ---------- what an UPDATE would refuse ----------

def table_to_check(world, column="jsonb", check="true"):
    """A table of the owner whose rows check_event_upgrade tries, readable by mallory."""
    world.run("owner", "SELECT register_event_schema('order', 1, '{}'::text), register_event_schema('order', 2, '{}'::text)",
              f"CREATE TABLE ev (id int PRIMARY KEY, event_type text, schema_version int, data {column}, CHECK ({check}))",
              "INSERT INTO ev VALUES (1, 'order', 1, '{}')", f"""GRANT SELECT ON ev TO "{world.role('mallory')}" """)


def test_readers_do_not_run_domains(world):
    """The owner of a domain, who may read a table with it, does not get its CHECK run as the table's owner."""
    give(world, "mallory")
    world.run("owner", "CREATE TABLE secret (what text)", "INSERT INTO secret VALUES ('secret')")
    world.run("mallory", "CREATE TABLE mallory.stolen (what text)", "CREATE DOMAIN mallory.document AS jsonb",
              "GRANT ALL ON mallory.stolen TO PUBLIC", "GRANT USAGE ON SCHEMA mallory TO PUBLIC",
              """CREATE FUNCTION mallory.steal(d jsonb) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN
                     INSERT INTO mallory.stolen SELECT what FROM public.secret; RETURN true; END $$""")
    table_to_check(world, "mallory.document")
    world.run("mallory", "ALTER DOMAIN mallory.document ADD CHECK (mallory.steal(VALUE)) NOT VALID")
    for role in ("mallory", "owner", None):
        session = world.connect(role)
        messages = told(session)
        assert session.execute("SELECT * FROM check_event_upgrade('public.ev', 'order', 1, 2)").fetchall() == []
        assert messages == ["rows of table public.ev are not tried with their new events"], messages
    assert world.run("mallory", "TABLE mallory.stolen") == []


def test_readers_do_not_choose_what_checks_see(world):
    """A function in a CHECK does not get events of a reader's upcast with the rights of the table's owner."""
    give(world, "mallory")
    world.run("owner", "CREATE TABLE notes (note text)", """CREATE FUNCTION runs(d jsonb) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN
        IF d ? 'note' THEN INSERT INTO public.notes VALUES (d->>'note'); END IF; RETURN true; END $$""")
    table_to_check(world, check="runs(data)")
    world.run("mallory", """CREATE FUNCTION mallory.makes(e jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS
        $$ SELECT '{"note": "by mallory"}'::jsonb $$""")
    register(world, "mallory", "mal", "mallory.makes")
    call = "SELECT keyword FROM check_event_upgrade('public.ev', 'mal', 1, 2, type_expr => $$'mal'$$)"
    assert world.run("mallory", call) == []
    assert world.run("owner", "TABLE notes") == []
    # constraints that only compute are asked for everybody
    world.run("owner", "ALTER TABLE ev DROP CONSTRAINT ev_data_check", "ALTER TABLE ev ADD CONSTRAINT no_note CHECK (NOT data ? 'note')")
    assert world.run("mallory", call) == [(None,), ("update",)]


KINDS = """SELECT _event_validate.event_upgrade_kinds({}::jsonb, {}::text, {}::text, {}::int, {}::int, {}::regclass::oid, {}::tid,
    {}::regclass::oid, {}::text, {}::text)"""


def test_location_that_is_none(world):
    """The aggregate of check_event_upgrade takes any location: none makes a table longer."""
    table_to_check(world, check="id > 0")
    before = world.run(None, "SELECT pg_relation_size('public.ev')")
    for place in ("(4294967295,1)", "(4294967295,0)", "(0,0)", "(0,2047)", "(7,1)", "(4294967294,65535)"):
        world.run("mallory", KINDS.format("'{}'", "'x'", "'order'", 1, 2, "'public.ev'", f"'{place}'", "'public.ev'", "'data'", "'schema_version'"))
    assert world.run(None, "SELECT pg_relation_size('public.ev')") == before


def test_nulls_of_the_aggregate(world):
    table_to_check(world, check="id > 0")
    good = ["'{}'", "'x'", "'order'", "1", "2", "'public.ev'", "'(0,1)'", "'public.ev'", "'data'", "'schema_version'"]
    session = world.connect("mallory")
    for place in range(len(good)):
        session.execute(KINDS.format(*[*good[:place], "NULL", *good[place + 1:]]))


# ---------- renames ----------

def test_locations_of_renames_are_bounded(world):
    """Four megabytes of a mapping do not become gigabytes, nor a loop without interrupts."""
    deep = "jsonb_build_object(repeat('/a', 1000000), repeat('/a', 999999) || '/b')"
    many = "(SELECT jsonb_object_agg(repeat('/a', 1000) || '/a' || i, repeat('/a', 1000) || '/b' || i) FROM generate_series(1, 1000) AS i)"
    for mapping in (deep, many):
        for call in ("event_rename('{{}}', {})", "event_schema_changes('{{}}'::jsonb, '{{}}'::jsonb, renames => {})"):
            error = world.refused("mallory", "SELECT " + call.format(mapping), "22023", "more than 20000")
            assert "names and array items" in error.diag.message_detail, error
