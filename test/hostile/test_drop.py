"""Drops of schema versions that other roles' tables use, and the rows that keep a version."""

import time

import psycopg

from world import COSTS, Background, Skipped, told, worked

BOTH = """SELECT register_event_schema('order', v, '{"type": "object"}') FROM generate_series(1, 2) AS v"""
COLUMNS = "event_type text, schema_version int, data jsonb"
DROP = 'DROP FUNCTION event_schema."order@1"'


def prepare(world):
    """Event schemas of the database's owner, and an SQL schema for each of the other roles."""
    world.run("owner", BOTH)
    for role in ("alice", "mallory"):
        world.run(None, f"CREATE SCHEMA {role} AUTHORIZATION {world.role(role)}")


def said(error):
    diag = error.diag
    return "\n".join(filter(None, (diag.message_primary, diag.message_detail, diag.message_hint, diag.context,
                                   diag.internal_query)))


# ---------- error messages ----------


def test_error_shows_no_row(world):
    """Only roles that can read the table see values of its rows."""
    prepare(world)
    world.run("alice", "CREATE TABLE alice.events (v text, data jsonb)", "INSERT INTO alice.events VALUES ('secret', '{}')",
              "ALTER TABLE alice.events ADD CHECK (check_event(data, 'order', v::int)) NOT VALID")
    error = world.refused("owner", DROP, "2BP01", "alice.events", "rows could not be read")
    assert "secret" not in said(error), said(error)
    world.run("alice", "GRANT SELECT ON alice.events TO " + world.role("owner"))
    world.refused("owner", DROP, "22P02", "alice.events", "secret")
    world.run("alice", "ALTER TABLE alice.events ENABLE ROW LEVEL SECURITY")
    error = world.refused("owner", DROP, "2BP01", "alice.events")
    assert "secret" not in said(error), said(error)


def test_notice_shows_no_row(world):
    prepare(world)
    world.run("owner", "SELECT register_event_schema('other', 1, 'true')")
    world.run("alice", """CREATE FUNCTION alice.kind(t text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS
        $$ BEGIN RAISE WARNING 'row %', t; RETURN t; END $$""",
              "CREATE TABLE alice.events (t text, data jsonb, CHECK (check_event(data, alice.kind(t), 1)))",
              "INSERT INTO alice.events VALUES ('other', '{}')")
    session = world.connect("owner")
    notices = []
    session.add_notice_handler(lambda diag: notices.append(diag.message_primary))
    session.execute(DROP)
    assert not any("row" in notice for notice in notices), notices


def test_guard_error_shows_no_row(world):
    prepare(world)
    world.run("alice", "CREATE TABLE alice.events (v text, data jsonb)", "INSERT INTO alice.events VALUES ('secret', '{}')",
              "SELECT add_event_guard('alice.events', 'off', 'data', $$'order'$$, 'v::int')")
    error = world.refused("owner", DROP, "2BP01", "alice.events")
    assert "secret" not in said(error), said(error)


# ---------- other roles' tables ----------

SLOW = """CREATE FUNCTION mallory.slow(v int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$
    BEGIN IF current_setting('event_slow.off', true) IS NULL THEN {body} END IF; RETURN v; END $$"""


def make_slow(world, body):
    world.run("mallory", "SET event_slow.off = on", SLOW.format(body=body),
              f"CREATE TABLE mallory.events ({COLUMNS}, CHECK (check_event(data, event_type, mallory.slow(schema_version))))",
              "INSERT INTO mallory.events VALUES ('order', 2, '{}')")
    world.run("alice", f"CREATE TABLE alice.events ({COLUMNS}, CHECK (check_event(data, event_type, schema_version)))",
              "INSERT INTO alice.events VALUES ('order', 2, '{}')")


def drop_meanwhile(world, seconds):
    """The drop's error, which must come in time; writers of another table must not wait for the drop."""
    drop = Background(world.connect("owner"), DROP)
    start = time.monotonic()
    while drop.is_alive() and time.monotonic() - start < seconds:
        writer = world.connect("alice")
        assert Background(writer, "INSERT INTO alice.events VALUES ('order', 2, '{}')").join_within(1.2) is None
        writer.close()
        time.sleep(0.1)
    return drop.join_within(1)


def test_slow_stranger(world):
    prepare(world)
    make_slow(world, "PERFORM pg_sleep(600);")
    error = drop_meanwhile(world, 10)
    assert error is not None and error.sqlstate == "2BP01" and "mallory.events" in said(error), error
    warnings = []
    session = world.connect("owner")
    session.add_notice_handler(lambda diag: warnings.append(diag.message_primary))
    session.execute("SELECT drop_event_schema('order', 1, force => true)")
    assert any("mallory.events" in warning for warning in warnings), warnings
    assert not any("alice.events" in warning for warning in warnings), warnings
    assert world.run("owner", "SELECT schema_version FROM event_schemas") == [(2,)]


def test_many_slow_tables_of_a_stranger(world):
    """Each is quick enough; the tables of one role have a limit together."""
    prepare(world)
    make_slow(world, "PERFORM pg_sleep(2);")
    world.run("mallory", "SET event_slow.off = on", *(
        f"CREATE TABLE mallory.t{i} (LIKE mallory.events INCLUDING CONSTRAINTS); INSERT INTO mallory.t{i} TABLE mallory.events"
        for i in range(8)))
    error = world.refused("owner", DROP, "2BP01", "Reading the tables of its owner took longer than 10 s.")
    assert "mallory" in said(error), said(error)
    world.run("owner", "SELECT drop_event_schema('order', 1, force => true)")


def test_slow_stranger_who_catches_cancels(world):
    prepare(world)
    make_slow(world, """LOOP BEGIN PERFORM pg_sleep(600); EXCEPTION WHEN query_canceled THEN NULL; END; END LOOP;""")
    error = drop_meanwhile(world, 10)
    assert error is not None and error.sqlstate == "2BP01" and "mallory.events" in said(error), error


def test_cursor_closed(world):
    """An expression that closes whatever cursor is open while rows are looked at in batches."""
    prepare(world)
    world.run("mallory", "CREATE TABLE mallory.events (id int, v text, data jsonb)",
              "INSERT INTO mallory.events SELECT i, '2', '{}' FROM generate_series(1, 1100) AS i",
              """CREATE FUNCTION mallory.close_all(id int, v text) RETURNS int LANGUAGE plpgsql AS $$
                  DECLARE portal text; cursor refcursor;
                  BEGIN
                      IF id % 100 <> 5 OR current_setting('event_close.off', true) = 'on' THEN RETURN v::int; END IF;
                      FOR portal IN SELECT name FROM pg_cursors LOOP
                          BEGIN cursor := portal; CLOSE cursor; EXCEPTION WHEN OTHERS THEN NULL; END;
                      END LOOP;
                      RAISE EXCEPTION USING ERRCODE = '22P02';
                  END $$""",
              "SET event_close.off = on",
              """ALTER TABLE mallory.events ADD CHECK
                  (data IS NULL OR check_event(data, 'order', mallory.close_all(id, v))) NOT VALID""")
    # on a loaded machine, half a second is not always enough for the last look
    for attempt in range(20):
        try:
            world.run("owner", DROP)
            break
        except psycopg.errors.DependentObjectsStillExist as error:
            if "took longer than" not in error.diag.message_detail:
                raise
            if attempt == 19 and COSTS != 1:
                raise Skipped("half a second is never enough for a server that checks its memory") from None
            if attempt == 19:
                raise
    assert world.run("owner", "SELECT schema_version FROM event_schemas") == [(2,)]


def test_slow_stranger_without_interrupts(world):
    """An expression that checks for no cancel until the statement_timeout has passed too."""
    prepare(world)
    # PostgreSQL 18 divides faster
    make_slow(world, """EXECUTE 'SELECT ' || repeat('mod($1, $2) + ',
            CASE WHEN current_setting('server_version_num')::int < 180000 THEN 6 ELSE 40 END) || '0'
        USING ('1' || repeat('0', 131000))::numeric, ('7' || repeat('3', 65000))::numeric;""")
    session = world.connect("owner")
    session.execute("SET statement_timeout = '5200ms'")
    error = Background(session, "SELECT drop_event_schema('order', 1, force => true)").join_within(240)
    assert error is not None and error.sqlstate == "57014", error


def test_slow_under_lock(world):
    """An expression that is fast until the tables are locked."""
    prepare(world)
    make_slow(world, """IF EXISTS (SELECT FROM pg_locks WHERE mode = 'ShareRowExclusiveLock' AND pid = pg_backend_pid())
        THEN PERFORM pg_sleep(600); END IF;""")
    error = drop_meanwhile(world, 10)
    assert error is not None and error.sqlstate == "2BP01" and "mallory.events" in said(error), error


def test_cancel_is_a_cancel(world):
    """A cancel of the drop is reported as a cancel, not as an error of a table."""
    prepare(world)
    make_slow(world, "PERFORM pg_sleep(600);")
    session = world.connect("owner")
    drop = Background(session, DROP)
    time.sleep(0.5)
    session.cancel()
    error = drop.join_within(2)
    assert error is not None and error.sqlstate == "57014", error


def test_raising_stranger(world):
    """With any SQLSTATE, the table is named, and the count continues."""
    prepare(world)
    for code in ("XX000", "57014", "53200", "40001", "P0001"):
        make = f"RAISE EXCEPTION 'secret' USING ERRCODE = '{code}';"
        world.run("mallory", "SET event_slow.off = on", SLOW.format(body=make).replace("CREATE", "CREATE OR REPLACE"),
                  f"""CREATE TABLE IF NOT EXISTS mallory.events ({COLUMNS},
                      CHECK (check_event(data, event_type, mallory.slow(schema_version))))""",
                  "INSERT INTO mallory.events VALUES ('order', 2, '{}')", "GRANT SELECT ON mallory.events TO PUBLIC")
        world.refused("owner", DROP, "2BP01", "mallory.events")
        rows = world.run("owner", "SELECT schema_version, events FROM event_schema_usage('order')")
        assert rows == [(1, None), (2, None)], rows
    world.run("owner", "SELECT drop_event_schema('order', 1, true)")


def test_row_of_stranger(world):
    prepare(world)
    world.run("owner", f"CREATE TABLE mine ({COLUMNS}, CHECK (check_event(data, event_type, schema_version)))")
    world.run("mallory", f"CREATE TABLE mallory.events ({COLUMNS}, CHECK (check_event(data, event_type, schema_version)))",
              "INSERT INTO mallory.events VALUES ('order', 1, '{}')")
    world.refused("owner", DROP, "2BP01", "mallory.events")
    world.refused("owner", "SELECT drop_event_schema('order', 1)", "2BP01", "mallory.events")
    # rows of the caller's own tables prevent the drop, too
    world.run("owner", "INSERT INTO mine VALUES ('order', 1, '{}')")
    world.refused("owner", "SELECT drop_event_schema('order', 1, force => true)", "2BP01", "public.mine")
    world.run("owner", "DELETE FROM mine", "SELECT drop_event_schema('order', 1, force => true)")


def test_force_past_a_lock(world):
    prepare(world)
    world.run("mallory", f"CREATE TABLE mallory.events ({COLUMNS}, CHECK (check_event(data, event_type, schema_version)))")
    session = world.connect("mallory")
    session.execute("BEGIN")
    session.execute("LOCK TABLE mallory.events")
    error = Background(world.connect("owner"), DROP).join_within(10)
    assert error is not None and error.sqlstate == "2BP01" and "mallory.events" in said(error), error
    assert Background(world.connect("owner"), "SELECT drop_event_schema('order', 1, true)").join_within(10) is None


def locked_tables(world, count):
    """Tables of mallory's, which a transaction of hers writes to."""
    tables = ", ".join(f"mallory.t{i}" for i in range(count))
    world.run("mallory", *(f"CREATE TABLE {table} ({COLUMNS}, CHECK (check_event(data, event_type, schema_version)))"
                           for table in tables.split(", ")))
    session = world.connect("mallory")
    session.execute("BEGIN")
    session.execute(f"LOCK TABLE {tables} IN ROW EXCLUSIVE MODE")
    return session


def test_force_past_many_locks(world):
    """The waits for all tables of others together are bounded."""
    prepare(world)
    locked_tables(world, 80)
    session = world.connect("owner")
    warnings = told(session)
    assert Background(session, "SELECT drop_event_schema('order', 1, true)").join_within(20) is None
    assert sum("is dropped although it is not known" in warning for warning in warnings) == 80, warnings
    assert world.run("owner", "SELECT schema_version FROM event_schemas") == [(2,)]


def test_writers_do_not_wait_for_strangers_locks(world):
    """A drop that waits for a stranger's transaction does not lock the tables of the role that drops."""
    prepare(world)
    stranger = locked_tables(world, 1)
    world.run("owner", "CREATE SCHEMA own", f"CREATE TABLE own.events ({COLUMNS}, CHECK (check_event(data, event_type, schema_version)))",
              f"GRANT USAGE ON SCHEMA own TO {world.role('bob')}", f"GRANT INSERT ON own.events TO {world.role('bob')}")
    for call in (DROP, "SELECT drop_event_schema('order', 1, true)"):
        drop = Background(world.connect("owner"), call)
        start = time.monotonic()
        written = 0
        while drop.is_alive() and time.monotonic() - start < 4:
            writer = world.connect("bob")
            assert Background(writer, "INSERT INTO own.events VALUES ('order', 2, '{}')").join_within(1.5) is None
            writer.close()
            written += 1
            time.sleep(0.1)
        assert written > 0
        if call == DROP:
            assert drop.is_alive()		# it waits for the stranger
            stranger.execute("COMMIT")
            stranger.execute("BEGIN")
            assert drop.join_within(10) is None
            world.run("owner", BOTH)
            stranger.execute("LOCK TABLE mallory.t0 IN ROW EXCLUSIVE MODE")
        else:
            assert drop.join_within(10) is None


def test_force_is_the_database_owners(world):
    prepare(world)
    world.run("owner", "GRANT CREATE ON SCHEMA event_schema TO " + world.role("mallory"))
    world.run("mallory", "SELECT register_event_schema('junk', 1, 'true')")
    world.refused("mallory", "SELECT drop_event_schema('junk', 1, force => true)", "42501", "database")
    world.run("mallory", "SELECT drop_event_schema('junk', 1)")


def test_force_is_no_right_of_a_member_without_inherit(world):
    """A member of the owner's role without INHERIT has its rights only after SET ROLE."""
    world.server.add_role("eve")
    eve, owner = world.role("eve"), world.role("owner")
    prepare(world)
    world.run("owner", f'GRANT CREATE ON SCHEMA event_schema TO "{eve}"')
    world.run(None, f'ALTER ROLE "{eve}" NOINHERIT', f'GRANT "{owner}" TO "{eve}"')
    world.run("eve", "SELECT register_event_schema('junk', 1, 'true')")
    world.run("mallory", """CREATE TABLE mallory.events (event_type text, schema_version int, data jsonb,
        CHECK (check_event(data, event_type, schema_version)))""", "INSERT INTO mallory.events VALUES ('junk', 1, '{}')")
    force = "SELECT drop_event_schema('junk', 1, force => true)"
    world.refused("eve", force, "42501", "database")
    world.run("eve", f'SET ROLE "{owner}"', force)
    # roles are those of later tests, too
    world.run(None, f'REVOKE "{owner}" FROM "{eve}"', f'ALTER ROLE "{eve}" INHERIT')


def test_types_within_types(world):
    """A type with too many paths to a domain."""
    prepare(world)
    world.run("mallory", "CREATE DOMAIN mallory.d AS jsonb CHECK (check_event(VALUE, VALUE->>'type', 1))",
              "CREATE TYPE mallory.t0 AS (d mallory.d)",
              *(f"CREATE TYPE mallory.t{i} AS ({', '.join(f'c{j} mallory.t{i - 1}' for j in range(10))})" for i in range(1, 5)),
              "CREATE TABLE mallory.events (e mallory.t4)")
    error = Background(world.connect("owner"), DROP).join_within(5)
    assert error is not None and error.sqlstate == "2BP01" and "mallory.events" in said(error), error
    assert Background(world.connect("owner"), "SELECT drop_event_schema('order', 1, true)").join_within(5) is None


# ---------- by the row ----------


def check_kept(world, make, keep, other, release):
    """A row prevents the drop, another does not, and without the first the version can be dropped."""
    world.run("owner", *make, other)
    session = world.connect("owner")
    session.execute("BEGIN")
    session.execute(DROP)
    session.execute("SET CONSTRAINTS ALL IMMEDIATE")
    session.execute("ROLLBACK")
    world.run("owner", keep)
    world.refused("owner", DROP, "2BP01", "public.events")
    world.run("owner", release)
    world.run("owner", DROP)


KEEP = "INSERT INTO events (event_type, schema_version, data) VALUES ('order', 1, '{}')"
OTHER = "INSERT INTO events (event_type, schema_version, data) VALUES ('order', 2, '{}')"
RELEASE = "DELETE FROM events WHERE schema_version = 1"


def table(condition):
    return f"CREATE TABLE events ({COLUMNS}, archived boolean DEFAULT true, CHECK ({condition}))"


def test_or_after(world):
    world.run("owner", BOTH)
    check_kept(world, [table("check_event(data, event_type, schema_version) OR archived")], KEEP, OTHER, RELEASE)


def test_or_before(world):
    world.run("owner", BOTH)
    check_kept(world, [table("archived OR check_event(data, event_type, schema_version)")], KEEP, OTHER, RELEASE)


def test_case_when(world):
    world.run("owner", BOTH)
    check_kept(world, [table("CASE WHEN check_event(data, event_type, schema_version) THEN archived ELSE true END")],
               KEEP, OTHER, RELEASE)


def test_negation(world):
    world.run("owner", BOTH)
    check_kept(world, [table("validate_event(data, event_type, schema_version) IS NOT NULL")], KEEP, OTHER, RELEASE)


def test_constants_in_case(world):
    world.run("owner", BOTH)
    check_kept(world, [table("CASE WHEN check_event(data, 'order', 1) THEN archived ELSE true END OR schema_version > 5")],
               KEEP, "SELECT 1", RELEASE)


def test_or_with_arguments_that_raise(world):
    """Rows without a version do not affect others."""
    world.run("owner", BOTH)
    check_kept(world, ["""CREATE TABLE events (what text, doc text,
        CHECK (what = 'note' OR check_event(doc::jsonb, doc::jsonb->>'type', (doc::jsonb->>'version')::int)))""",
                       "INSERT INTO events SELECT 'note', 'no JSON' FROM generate_series(1, 3000)"],
               """INSERT INTO events VALUES ('note', '{"type": "order", "version": 1}')""",
               """INSERT INTO events VALUES ('event', '{"type": "order", "version": 2}')""",
               "DELETE FROM events WHERE what = 'note'")


def wrapper(language, body, arguments="d jsonb, t text, v int"):
    return f"CREATE FUNCTION wrapped({arguments}) RETURNS boolean LANGUAGE {language} STABLE AS $$ {body} $$"


def test_sql_wrapper(world):
    world.run("owner", BOTH)
    check_kept(world, [wrapper("sql", "SELECT public.check_event(d, t, v)"),
                       table("wrapped(data, event_type, schema_version)")], KEEP, OTHER, RELEASE)


def test_atomic_wrapper(world):
    world.run("owner", BOTH)
    check_kept(world, ["""CREATE FUNCTION wrapped(d jsonb, t text, v int) RETURNS boolean
        BEGIN ATOMIC SELECT check_event(d, t, v); END""",
                       table("wrapped(data, event_type, schema_version)")], KEEP, OTHER, RELEASE)


def test_plpgsql_wrapper(world):
    world.run("owner", BOTH)
    check_kept(world, [wrapper("plpgsql", "BEGIN RETURN check_event(d, t, v); END"),
                       table("archived OR wrapped(data, event_type, schema_version)")], KEEP, OTHER, RELEASE)


def test_wrapper_of_wrapper(world):
    world.run("owner", BOTH)
    check_kept(world, [wrapper("plpgsql", "BEGIN RETURN public.Check_Event(d, t, v); END"),
                       """CREATE FUNCTION outermost(d jsonb, t text, v int) RETURNS boolean LANGUAGE plpgsql AS
                       $$ BEGIN RETURN public.wrapped(d, t, v); END $$""",
                       table("outermost(data, event_type, schema_version)")], KEEP, OTHER, RELEASE)


def test_wrapper_of_row(world):
    """Its arguments are known only when it is called."""
    world.run("owner", BOTH)
    check_kept(world, [f"CREATE TABLE events ({COLUMNS})",
                       wrapper("plpgsql", "BEGIN RETURN public.check_event((e).data, (e).event_type, (e).schema_version); END",
                               "e events"), "ALTER TABLE events ADD CHECK (wrapped(events))"], KEEP, OTHER, RELEASE)


def test_wrapper_of_document(world):
    world.run("owner", BOTH)
    check_kept(world, [f"CREATE TABLE events ({COLUMNS})",
                       wrapper("plpgsql", "BEGIN RETURN public.validate_event(d, d->>'t', (d->>'v')::int); END", "d jsonb"),
                       "ALTER TABLE events ADD CHECK (wrapped(data) IS NOT NULL)"],
               """INSERT INTO events VALUES (NULL, 1, '{"t": "order", "v": 1}')""",
               """INSERT INTO events VALUES (NULL, 2, '{"t": "order", "v": 2}')""", RELEASE)


def test_domain(world):
    world.run("owner", BOTH)
    check_kept(world, ["""CREATE DOMAIN event AS jsonb
        CHECK (VALUE ? 'old' OR check_event(VALUE, VALUE->>'t', (VALUE->>'v')::int))""", "CREATE TABLE events (e event[])"],
               """INSERT INTO events VALUES (ARRAY['{"old": 1, "t": "order", "v": 1}']::event[])""",
               """INSERT INTO events VALUES (ARRAY['{"old": 1, "t": "order", "v": "one"}', '{"t": "order", "v": 2}']::event[])""",
               "DELETE FROM events WHERE e[1]->>'v' = '1'")


def test_cast_to_a_domain(world):
    """A CHECK with a cast to a domain makes the calls of the domain's CHECK.

    PostgreSQL 19 does not make an array to find that it is not NULL, so it is counted.
    """
    world.run("owner", BOTH, "CREATE DOMAIN event AS jsonb CHECK (check_event(VALUE, VALUE->>'t', (VALUE->>'v')::int))",
              "CREATE DOMAIN narrow AS event CHECK (VALUE ? 't')", "CREATE TYPE pair AS (a int, e event)",
              """CREATE FUNCTION takes(event) RETURNS boolean LANGUAGE plpgsql AS 'BEGIN RETURN true; END'""",
              "CREATE DOMAIN by_cast AS jsonb CHECK ((VALUE::event) IS NOT NULL)")
    for condition in ("(data::event) IS NOT NULL", "(data::narrow) IS NOT NULL", "(ROW(1, data)::pair) IS NOT NULL",
                      "cardinality(ARRAY[data]::event[]) = 1", "takes(data)", "data IS NULL OR takes(data)"):
        check_kept(world, [f"CREATE TABLE events (data jsonb, CHECK ({condition}))"],
                   """INSERT INTO events VALUES ('{"t": "order", "v": 1}')""",
                   """INSERT INTO events VALUES ('{"t": "order", "v": 2}')""", "DELETE FROM events")
        world.run("owner", "DROP TABLE events", "SELECT register_event_schema('order', 1, '{\"type\": \"object\"}')")
    check_kept(world, ["CREATE TABLE events (data by_cast[])"],
               """INSERT INTO events VALUES (ARRAY['{"t": "order", "v": 1}']::by_cast[])""",
               """INSERT INTO events VALUES (ARRAY['{"t": "order", "v": 2}']::by_cast[])""", "DELETE FROM events")


def test_cast_to_a_strangers_domain(world):
    """Its functions do not run with the rights of the table's owner; without functions it is asked."""
    prepare(world)
    world.run("mallory", "CREATE SEQUENCE mallory.ran", "GRANT USAGE ON SCHEMA mallory TO PUBLIC",
              "GRANT USAGE ON SEQUENCE mallory.ran TO PUBLIC", "CREATE DOMAIN mallory.event AS jsonb CHECK (check_event(VALUE, 'order', 1))",
              "CREATE DOMAIN mallory.narrow AS mallory.event")
    world.run("alice", "CREATE TABLE alice.events (data jsonb, CHECK ((data::mallory.narrow) IS NOT NULL))",
              "INSERT INTO alice.events VALUES ('{}')")
    world.refused("owner", DROP, "2BP01", "alice.events", "carry")
    world.run("mallory", """CREATE FUNCTION mallory.run() RETURNS boolean LANGUAGE plpgsql AS
        $$ BEGIN PERFORM nextval('mallory.ran'); RETURN true; END $$""",
              "ALTER DOMAIN mallory.event ADD CHECK (mallory.run()) NOT VALID")
    world.refused("owner", DROP, "2BP01", "alice.events", "not known")
    world.run("owner", "SELECT * FROM event_schema_usage('order')")
    assert world.run("mallory", "SELECT is_called FROM mallory.ran") == [(False,)]


# ---------- the commit ----------


def test_row_of_an_open_transaction(world):
    world.run("owner", BOTH, table("check_event(data, event_type, schema_version)"))
    writer = world.connect("owner")
    writer.execute("BEGIN")
    writer.execute(KEEP)
    drop = Background(world.connect("owner"), DROP)
    time.sleep(1)
    assert drop.is_alive()
    writer.execute("COMMIT")
    error = drop.join_within(5)
    assert error is not None and error.sqlstate == "2BP01", error


def test_row_between_drop_and_commit(world):
    world.run("owner", BOTH, table("check_event(data, event_type, schema_version)"))
    session = world.connect("owner")
    session.execute("BEGIN")
    session.execute(DROP)
    world.run("owner", KEEP)
    try:
        session.execute("COMMIT")
    except psycopg.Error as error:
        assert error.sqlstate == "2BP01", error
    else:
        raise AssertionError("committed")
    assert world.run("owner", "SELECT count(*) FROM event_schemas") == [(2,)]


def test_savepoint(world):
    """A drop that was rolled back is not checked at the commit."""
    world.run("owner", BOTH, table("check_event(data, event_type, schema_version)"))
    session = world.connect("owner")
    session.execute("BEGIN")
    session.execute("SAVEPOINT s")
    session.execute(DROP)
    session.execute("ROLLBACK TO s")
    world.run("owner", KEEP)
    session.execute("COMMIT")


def test_extension_goes_too(world):
    """Nothing is left to check at the commit."""
    world.run("owner", BOTH, table("check_event(data, event_type, schema_version)"))
    session = world.connect("owner")
    session.execute("BEGIN")
    session.execute(DROP)
    session.execute("DROP EXTENSION event_validate CASCADE")
    session.execute("COMMIT")


def test_registered_again(world):
    world.run("owner", BOTH, table("check_event(data, event_type, schema_version)"))
    session = world.connect("owner")
    session.execute("BEGIN")
    session.execute(DROP)
    session.execute("SELECT register_event_schema('order', 1, 'true', breaking => true)")
    session.execute(KEEP)
    session.execute("COMMIT")


def test_prepared_transaction(world):
    world.run("owner", BOTH)
    session = world.connect("owner")
    session.execute("BEGIN")
    session.execute(DROP)
    try:
        session.execute("PREPARE TRANSACTION 'dropped'")
    except psycopg.Error as error:
        assert error.sqlstate in ("0A000", "55000"), error
    else:
        raise AssertionError("prepared")


def test_registered_again_with_other_answers(world):
    """A row that came between the drop and the commit was checked by the old schema."""
    prepare(world)
    world.run("alice", f"CREATE TABLE alice.events ({COLUMNS}, CHECK (check_event(data, event_type, schema_version)))")
    for definition, refused in (("false", True), ('{"type": "object", "title": "the same"}', False)):
        session = world.connect("owner")
        session.execute("BEGIN")
        session.execute("SELECT drop_event_schema('order', 1)")
        world.run("alice", "INSERT INTO alice.events VALUES ('order', 1, '{}')")
        session.execute(f"SELECT register_event_schema('order', 1, '{definition}', breaking => true)")
        try:
            session.execute("COMMIT")
        except psycopg.Error as error:
            assert refused and error.sqlstate == "2BP01" and "alice.events" in said(error), error
        else:
            assert not refused, "committed"
        assert world.run("alice", "SELECT DISTINCT validate_event(data, event_type, schema_version) FROM alice.events") == [(True,)]
        world.run("alice", "DELETE FROM alice.events")


def test_temporary_function_of_a_usual_name(world):
    """A stranger's temporary function with the name of one that all functions call makes no constraint an event check."""
    prepare(world)
    world.run("owner", f"GRANT TEMP ON DATABASE {world.database} TO PUBLIC")
    world.run("alice", """CREATE FUNCTION alice.is_lower(t text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
              BEGIN IF current_setting('event_slow.off', true) IS NULL THEN PERFORM pg_sleep(600); END IF; RETURN lower(t) = t; END $$""",
              "SET event_slow.off = on", "CREATE TABLE alice.plain (t text CHECK (alice.is_lower(t)))", "INSERT INTO alice.plain VALUES ('a')")
    session = world.connect("mallory")
    session.execute("CREATE FUNCTION pg_temp.lower(int) RETURNS int LANGUAGE sql AS $$ SELECT 1 /* check_event */ $$")
    assert Background(world.connect("owner"), DROP).join_within(3) is None


def checked(name, body, owner="alice", arguments="t text"):
    """A function that takes long, unless the session says otherwise."""
    return f"""CREATE FUNCTION {owner}.{name}({arguments}) RETURNS boolean LANGUAGE plpgsql AS $$
        BEGIN IF current_setting('event_slow.off', true) IS NULL THEN PERFORM pg_sleep(600); END IF; RETURN {body}; END $$"""


def long_function(name, arguments, body="RETURN true;"):
    """A function of mallory's with more text than is read of one role."""
    return f"""DO $do$ BEGIN EXECUTE format('CREATE FUNCTION mallory.{name}({arguments}) RETURNS boolean LANGUAGE plpgsql AS %L',
        'BEGIN {body} END /* ' || repeat('x ', 2100000) || ' check_event */'); END $do$"""


def test_strangers_function_of_a_mentioned_name(world):
    """Nor does her function with the name of one that a constraint's function calls."""
    prepare(world)
    world.run("owner", "GRANT CREATE ON SCHEMA public TO PUBLIC", f"GRANT CREATE ON SCHEMA event_schema TO {world.role('mallory')}")
    world.run("alice", "CREATE FUNCTION alice.helper(t text) RETURNS boolean LANGUAGE plpgsql AS 'BEGIN RETURN true; END'",
              checked("is_good", "alice.helper(t) AND helper(t) AND lower(t) = t"),
              "SET event_slow.off = on", "SET search_path = alice, public", "CREATE TABLE alice.plain (t text CHECK (alice.is_good(t)))",
              "INSERT INTO alice.plain VALUES ('a')")
    for schema in ("mallory", "public"):
        for name in ("helper", "lower", "t"):
            world.run("mallory", f"CREATE FUNCTION {schema}.{name}(int, text) RETURNS boolean LANGUAGE plpgsql AS"
                      " 'BEGIN RETURN check_event(NULL, $2, $1); END'")
    # she also has a function whose text is too long to be read, which no constraint calls
    world.run("mallory", long_function("long", "t text"),
              checked("slow", "true", "mallory"), checked("caller", "mallory.long(t)", "mallory"),
              "SET event_slow.off = on", "CREATE TABLE mallory.plain (t text CHECK (mallory.slow(t)))",
              "INSERT INTO mallory.plain VALUES ('a')")
    assert Background(world.connect("owner"), DROP).join_within(4) is None


def test_unread_functions(world):
    """A drop does not pass a table whose constraint, policy or view calls a function that is too long to be read, and runs none of these."""
    prepare(world)
    arguments = "d jsonb, t text, v int"
    world.run(None, "GRANT USAGE ON SCHEMA mallory TO PUBLIC")
    world.run("mallory", long_function("long", arguments, "RETURN check_event(d, t, v);"),
              checked("outer", "mallory.long(d, t, v)", "mallory", arguments))
    body = "mallory.outer(data, event_type, schema_version)"
    guarded = {
        "constraint": f"CREATE TABLE mallory.events ({COLUMNS}, CHECK ({body}))",
        "domain": f"""CREATE TYPE mallory.event AS ({COLUMNS});
            CREATE DOMAIN mallory.good AS mallory.event CHECK (mallory.outer((value).data, (value).event_type, (value).schema_version));
            CREATE DOMAIN mallory.better AS mallory.good; CREATE TABLE mallory.events (event mallory.better)""",
        "policy": f"""CREATE TABLE mallory.events ({COLUMNS}); ALTER TABLE mallory.events ENABLE ROW LEVEL SECURITY;
            CREATE POLICY good ON mallory.events USING ({body})""",
        "view": f"""CREATE TABLE mallory.events ({COLUMNS});
            CREATE VIEW mallory.shown AS SELECT * FROM mallory.events WHERE {body} WITH CHECK OPTION""",
    }
    world.run("alice", "CREATE TABLE alice.plain (t text)", f"CREATE TABLE alice.events ({COLUMNS}, CHECK ({body}))")
    for kind, definition in guarded.items():
        if kind != "constraint":
            world.run("alice", "DROP TABLE IF EXISTS alice.events")
        world.run("mallory", "SET event_slow.off = on", definition, "INSERT INTO mallory.events VALUES (('order', 2, '{}'))" if kind == "domain"
                  else "INSERT INTO mallory.events VALUES ('order', 2, '{}')")
        session = world.connect("owner")
        error = Background(session, DROP).join_within(4)
        assert error is not None and error.sqlstate == "2BP01" and "4 MB" in said(error) and "force => true" in said(error), error
        assert "mallory.events" in said(error) or "alice.events" in said(error), said(error)
        session = world.connect("owner")
        warnings = told(session)
        assert Background(session, "SELECT drop_event_schema('order', 1, force => true)").join_within(4) is None
        assert sum("mallory.events" in warning for warning in warnings) == 1, warnings
        assert world.run("owner", "SELECT schema_version FROM event_schemas") == [(2,)]
        warnings = told(session)
        session.execute("SELECT * FROM event_schema_usage('order')")
        world.run("mallory", "DROP TABLE mallory.events CASCADE")
        assert any("mallory.events" in warning for warning in warnings), warnings
        world.run("owner", BOTH)


def test_unread_functions_of_own_tables(world):
    """Force passes the caller's own table, too, if it calls another role's function that is not read; what is known of it counts."""
    prepare(world)
    arguments = "d jsonb, t text, v int"
    world.run(None, "GRANT USAGE ON SCHEMA mallory TO PUBLIC", f"CREATE SCHEMA mine AUTHORIZATION {world.role('owner')}")
    world.run("mallory", long_function("long", arguments))
    world.run("owner", f"""CREATE TABLE mine.events ({COLUMNS}, CHECK (mallory.long(data, event_type, schema_version)),
                  CHECK (check_event(data, event_type, schema_version)))""", "INSERT INTO mine.events VALUES ('order', 1, '{}')")
    world.refused("owner", DROP, "2BP01", "mine.events", "carry")
    world.refused("owner", "SELECT drop_event_schema('order', 1, force => true)", "2BP01", "mine.events", "carry")
    world.run("owner", "DELETE FROM mine.events")
    world.refused("owner", DROP, "2BP01", "mine.events", "4 MB")
    session = world.connect("owner")
    warnings = told(session)
    session.execute("SELECT drop_event_schema('order', 1, force => true)")
    assert sum("mine.events" in warning for warning in warnings) == 1, warnings


def test_strangers_long_function_of_an_alias(world):
    """Her long function in a schema with the name of an alias stops no drop for another role's table; where one is not read, it is named."""
    prepare(world)
    world.run(None, f"CREATE SCHEMA o AUTHORIZATION {world.role('mallory')}", "GRANT USAGE ON SCHEMA o TO PUBLIC")
    world.run("alice", "CREATE TABLE alice.customers (id int)", "INSERT INTO alice.customers VALUES (1)",
              """CREATE FUNCTION alice.known(c int) RETURNS boolean LANGUAGE plpgsql AS
              'BEGIN RETURN EXISTS (SELECT FROM alice.customers AS o WHERE o.id = c); END'""",
              "CREATE TABLE alice.plain (c int CHECK (alice.known(c)))", "INSERT INTO alice.plain VALUES (1)")
    world.run("mallory", long_function("id", "").replace("mallory.id", "o.id"))
    world.run("owner", DROP, BOTH)
    # a function of alice's own that is not read
    world.run("alice", long_function("huge", "n int").replace("mallory.huge", "alice.huge"),
              "CREATE FUNCTION alice.calls(c int) RETURNS boolean LANGUAGE plpgsql AS 'BEGIN RETURN huge(c); END'",
              "CREATE TABLE alice.beside (c int, CHECK (alice.calls(c)))")
    world.refused("owner", DROP, "2BP01", "alice.beside", f'Function alice.huge of role "{world.role("alice")}" was not read.')


def test_text_counts_for_who_asks(world):
    """What a stranger's objects call does not use up what is read of another role's functions for that role."""
    prepare(world)
    world.run(None, f"CREATE SCHEMA o AUTHORIZATION {world.role('mallory')}", "GRANT USAGE ON SCHEMA o, alice TO PUBLIC")
    world.run("alice", """DO $do$ BEGIN EXECUTE format('CREATE FUNCTION alice.big(n int) RETURNS boolean LANGUAGE plpgsql AS %L',
                  'BEGIN RETURN true; END /* ' || repeat('x ', 2000000) || '*/'); END $do$""",
              """DO $do$ BEGIN EXECUTE format('CREATE FUNCTION alice.also(d jsonb, t text, v int) RETURNS boolean LANGUAGE plpgsql AS %L',
                  'BEGIN RETURN public.check_event(d, t, v); END /* ' || repeat('x ', 200000) || '*/'); END $do$""")
    strangers = {
        "constraint": "CREATE TABLE mallory.t (n int, CHECK (alice.big(n)))",
        "domain": "CREATE DOMAIN mallory.d AS int CHECK (alice.big(VALUE)); CREATE TABLE mallory.t (n mallory.d)",
        "policy": "CREATE TABLE mallory.t (n int); CREATE POLICY p ON mallory.t USING (alice.big(n))",
        "function": """CREATE FUNCTION mallory.f(n int) RETURNS boolean LANGUAGE plpgsql AS 'BEGIN RETURN alice.big(n); END';
            CREATE TABLE mallory.t (n int, CHECK (mallory.f(n)))""",
        "view": "CREATE VIEW mallory.t AS SELECT alice.big(1)",
        "alias": """CREATE FUNCTION o.id() RETURNS boolean LANGUAGE plpgsql AS 'BEGIN RETURN alice.big(1); END';
            CREATE TABLE mallory.t ()""",
    }
    for kind, definition in strangers.items():
        world.run("mallory", definition)
        # what mallory's objects call is met first
        world.run("alice", """CREATE FUNCTION alice.known(c int) RETURNS boolean LANGUAGE plpgsql AS
                  'BEGIN RETURN EXISTS (SELECT FROM pg_class AS o WHERE o.id = c); END'""", "CREATE TABLE alice.first (c int CHECK (alice.known(c)))",
                  """CREATE FUNCTION alice.outer(d jsonb, t text, v int) RETURNS boolean LANGUAGE plpgsql AS
                  'BEGIN RETURN alice.also(d, t, v); END'""",
                  f"CREATE TABLE alice.events ({COLUMNS}, CHECK (alice.outer(data, event_type, schema_version)))")
        try:
            world.run("owner", DROP)
        except psycopg.Error as error:
            raise AssertionError(f"{kind}: {said(error)}") from error
        # and it is read
        world.run("owner", BOTH)
        world.run("alice", "INSERT INTO alice.events VALUES ('order', 1, '{}')")
        world.refused("owner", DROP, "2BP01", "alice.events", "carry")
        world.run("alice", "DROP TABLE alice.events, alice.first", "DROP FUNCTION alice.outer, alice.known")
        world.run("mallory", "DROP SCHEMA mallory, o CASCADE" if kind == "alias" else f"DROP {'VIEW' if kind == 'view' else 'TABLE'} mallory.t")


def test_text_that_one_role_cannot_ask_for(world):
    """A function that is too long for what a stranger asked is read for the role that asks afterwards."""
    prepare(world)
    world.run("alice", "GRANT USAGE ON SCHEMA alice TO PUBLIC",
              """DO $do$ BEGIN FOR i IN 1..2 LOOP
                  EXECUTE format('CREATE FUNCTION alice.f%s(d jsonb, t text, v int) RETURNS boolean LANGUAGE plpgsql AS %L', i,
                      'BEGIN RETURN alice.last(d, t, v); END /* ' || repeat('x ', 1200000) || '*/'); END LOOP; END $do$""",
              """CREATE FUNCTION alice.last(d jsonb, t text, v int) RETURNS boolean LANGUAGE plpgsql AS
              'BEGIN RETURN public.check_event(d, t, v); END'""",
              f"CREATE TABLE alice.events ({COLUMNS})")
    # she can ask for one of the two
    world.run("mallory", f"CREATE TABLE mallory.t ({COLUMNS}, " + ", ".join(
        f"CHECK (alice.f{i}(data, event_type, schema_version))" for i in (1, 2)) + ")")
    world.run("alice", "ALTER TABLE alice.events ADD CHECK (alice.f2(data, event_type, schema_version))",
              "INSERT INTO alice.events VALUES ('order', 1, '{}')")
    world.refused("owner", DROP, "2BP01", "alice.events", "carry")
    world.run("alice", "DELETE FROM alice.events")
    world.run("owner", DROP)


def test_views_use_up_no_text(world):
    """A stranger's view does not use up what is read of another role's functions for a constraint."""
    prepare(world)
    world.run("alice", "GRANT USAGE ON SCHEMA alice TO PUBLIC",
              """DO $do$ BEGIN EXECUTE format('CREATE FUNCTION alice.big(n int) RETURNS boolean LANGUAGE plpgsql AS %L',
                  'BEGIN RETURN true; END /* ' || repeat('x ', 2000000) || '*/'); END $do$""",
              """DO $do$ BEGIN EXECUTE format('CREATE FUNCTION alice.also(d jsonb, t text, v int) RETURNS boolean LANGUAGE plpgsql AS %L',
                  'BEGIN RETURN public.check_event(d, t, v); END /* ' || repeat('x ', 200000) || '*/'); END $do$""",
              """CREATE FUNCTION alice.outer(d jsonb, t text, v int) RETURNS boolean LANGUAGE plpgsql AS
              'BEGIN RETURN alice.also(d, t, v); END'""",
              f"CREATE TABLE alice.events ({COLUMNS}, CHECK (alice.outer(data, event_type, schema_version)))")
    world.run("mallory", "CREATE VIEW mallory.v AS SELECT alice.big(1)")
    world.run("owner", DROP)


def test_function_of_a_view(world):
    """A function that only the CHECK OPTION of a view calls is looked at."""
    prepare(world)
    world.run("alice", """CREATE FUNCTION alice.checks(d jsonb, t text, v int) RETURNS boolean LANGUAGE plpgsql AS
              'BEGIN RETURN public.check_event(d, t, v); END'""", f"CREATE TABLE alice.events ({COLUMNS})",
              """CREATE VIEW alice.shown AS SELECT * FROM alice.events WHERE alice.checks(data, event_type, schema_version)
              WITH CHECK OPTION""", "INSERT INTO alice.shown VALUES ('order', 1, '{}')")
    world.refused("owner", DROP, "2BP01", "alice.events", "carry", "alice.shown")


def test_memory_of_drops(world):
    """A transaction that drops many versions keeps little for each."""
    world.run("owner", "SELECT register_event_schema('many' || n, 1, '{}'::text) FROM generate_series(1, 40) AS n")
    session = world.connect()
    session.execute("BEGIN")
    session.execute("SELECT drop_event_schema('many' || n, 1) FROM generate_series(1, 40) AS n")
    assert session.execute("SELECT count(*) FROM pg_backend_memory_contexts WHERE name = 'event_validate OIDs'").fetchone() == (0,)
    session.execute("COMMIT")


def test_functions_that_are_meant(world):
    """A function in another schema is found if the same role has written it, or if its schema is named."""
    for inner, call in (("other.inner_check", "inner_check(d, t, v)"), ("mallory.inner_check", "Mallory . inner_check(d, t, v)"),
                        ("mallory.inner_check", '"mallory"."inner_check"(d, t, v)')):
        world.run(None, "DROP SCHEMA IF EXISTS alice, mallory, other CASCADE")
        prepare(world)
        world.run(None, f"CREATE SCHEMA other AUTHORIZATION {world.role('alice')}", "GRANT USAGE ON SCHEMA mallory TO PUBLIC")
        arguments = "d jsonb, t text, v int"
        world.run("alice" if inner.startswith("other") else "mallory",
                  f"""CREATE FUNCTION {inner}({arguments}) RETURNS boolean LANGUAGE plpgsql AS
                      'BEGIN RETURN public.check_event(d, t, v); END'""")
        world.run("alice", f"""CREATE FUNCTION alice.outermost({arguments}) RETURNS boolean LANGUAGE plpgsql SET search_path = other, public
                      AS 'BEGIN RETURN {call}; END'""",
                  f"CREATE TABLE alice.events ({COLUMNS}, CHECK (alice.outermost(data, event_type, schema_version)))",
                  "INSERT INTO alice.events VALUES ('order', 1, '{}')")
        world.refused("owner", DROP, "2BP01", "alice.events")


def test_membership_of_strangers_grant(world):
    """A grant of eve's role by a role without superuser rights does not make eve's tables the owner's: the time limit applies, and force passes them."""
    prepare(world)
    world.server.add_role("eve")
    world.run(None, f"CREATE SCHEMA eve AUTHORIZATION {world.role('eve')}", "GRANT USAGE ON SCHEMA eve TO PUBLIC")
    world.server.add_role("helper")
    world.run(None, f"GRANT {world.role('eve')} TO {world.role('helper')} WITH ADMIN OPTION")
    world.run("helper", f"GRANT {world.role('eve')} TO {world.role('owner')}")
    world.run("eve", "SET event_slow.off = on", SLOW.format(body="PERFORM pg_sleep(600);").replace("mallory", "eve"),
              f"CREATE TABLE eve.events ({COLUMNS}, CHECK (check_event(data, event_type, eve.slow(schema_version))))",
              "INSERT INTO eve.events VALUES ('order', 2, '{}')")
    error = Background(world.connect("owner"), DROP).join_within(20)
    assert error is not None and error.sqlstate == "2BP01" and "eve.events" in said(error), error
    assert Background(world.connect("owner"), "SELECT drop_event_schema('order', 1, force => true)").join_within(20) is None
    assert world.run("owner", "SELECT schema_version FROM event_schemas") == [(2,)]
    # a superuser's grant does
    world.run(None, "DROP TABLE eve.events", f"GRANT {world.role('eve')} TO {world.role('owner')} WITH ADMIN OPTION")
    world.run("eve", f"CREATE TABLE eve.events ({COLUMNS}, CHECK (check_event(data, event_type, schema_version)))",
              "INSERT INTO eve.events VALUES ('order', 2, '{}')")
    world.refused("owner", "SELECT drop_event_schema('order', 2, force => true)", "2BP01", "eve.events")
    world.run(None, f"REVOKE {world.role('eve')} FROM {world.role('owner')}, {world.role('helper')} CASCADE")


def test_types_in_another_collation(world):
    """A check of some types compares them by a collation for which other spellings are equal: their rows are seen."""
    world.run("owner", "SELECT register_event_schema('order', 1, '{}')", "SELECT register_event_schema('Order', 1, '{}')")
    world.run(None, f"CREATE SCHEMA nocase AUTHORIZATION {world.role('alice')}", "GRANT USAGE ON SCHEMA nocase TO PUBLIC")
    world.run("alice", "CREATE COLLATION nocase.ignore_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false)",
              """CREATE TABLE nocase.t (kind text COLLATE nocase.ignore_case, schema_version int, data jsonb,
              CHECK ((kind = ANY ('{Order}')) IS NOT TRUE OR public.check_event(data, kind, schema_version)))""",
              "INSERT INTO nocase.t VALUES ('order', 1, '{}')")
    world.refused("owner", "SELECT drop_event_schema('order', 1)", "2BP01", "nocase.t")
    # a deterministic collation distinguishes them
    world.run("alice", 'ALTER TABLE nocase.t ALTER kind TYPE text COLLATE "C"')
    world.run("owner", "SELECT drop_event_schema('order', 1)")


# ---------- policies and views ----------

def test_policies_and_views_of_others(world):
    """A condition of another role does not run as the table's owner, and a stranger's view of a table keeps no version."""
    prepare(world)
    world.run("mallory", "CREATE SEQUENCE mallory.hits", "GRANT ALL ON mallory.hits TO PUBLIC", "GRANT USAGE ON SCHEMA mallory TO PUBLIC",
              """CREATE FUNCTION mallory.f(text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN
                 IF current_user !~ 'mallory' THEN PERFORM nextval('mallory.hits'); END IF; RETURN $1; END $$""")
    world.run("alice", f"CREATE TABLE alice.t ({COLUMNS})", "INSERT INTO alice.t VALUES ('order', 1, '{}')", f"GRANT USAGE ON SCHEMA alice TO PUBLIC",
              f"GRANT ALL ON alice.t TO {world.role('mallory')}")
    for condition in ("check_event(data, event_type, schema_version)", "check_event(data, mallory.f(event_type), schema_version)"):
        world.run("mallory", f"CREATE OR REPLACE VIEW mallory.v AS SELECT * FROM alice.t WHERE {condition} WITH CHECK OPTION")
        for role in ("owner", "alice", None):
            world.run(role, "SELECT * FROM event_schema_usage()")
        world.run("owner", DROP, "SELECT register_event_schema('order', 1, '{\"type\": \"object\"}')")
    world.run("mallory", "DROP VIEW mallory.v")
    # a partition of alice's, of a table of mallory's
    world.run("mallory", f"CREATE TABLE mallory.t ({COLUMNS}) PARTITION BY LIST (event_type)",
              "CREATE TABLE mallory.part PARTITION OF mallory.t FOR VALUES IN ('order')", "INSERT INTO mallory.t VALUES ('order', 1, '{}')")
    world.run(None, f"ALTER TABLE mallory.part OWNER TO {world.role('alice')}")
    world.run("mallory", "CREATE POLICY p ON mallory.t USING (check_event(data, event_type, schema_version))")
    world.refused("owner", DROP, "2BP01", "Policy \"p\" of table mallory.t")
    world.run("mallory", "ALTER POLICY p ON mallory.t USING (check_event(data, mallory.f(event_type), schema_version))")
    world.run("alice", "SELECT * FROM event_schema_usage()")
    world.refused("owner", DROP, "2BP01", "mallory.part")
    # her own policies and views run as she
    world.run("alice", "CREATE FUNCTION alice.f(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT $1'",
              "CREATE POLICY p ON alice.t USING (check_event(data, alice.f(event_type), schema_version) OR (SELECT true))")
    world.run(None, "DROP TABLE mallory.t")
    world.refused("owner", DROP, "2BP01", "Policy \"p\" of table alice.t")
    world.run("alice", "DROP POLICY p ON alice.t", """CREATE VIEW alice.v AS SELECT * FROM alice.t
              WHERE check_event(data, alice.f(event_type), schema_version) WITH CHECK OPTION""")
    world.refused("owner", DROP, "2BP01", "CHECK OPTION of view alice.v")
    assert world.run(None, "SELECT is_called FROM mallory.hits") == [(False,)]
    world.run("owner", "SELECT drop_event_schema('order', 1, force => true)")


def test_views_over_views(world):
    """Views of a stranger whose condition doubles with each of them cost a drop neither memory nor time."""
    world.run("owner", "SELECT register_event_schema('order', 1, '{}'::text), register_event_schema('order', 2, '{}'::text)")
    world.run(None, f"""CREATE SCHEMA m AUTHORIZATION "{world.role('mallory')}" """)
    world.run("mallory", "CREATE TABLE m.t (event_type text, schema_version int, data jsonb)",
              "CREATE VIEW m.v0 AS SELECT event_type, schema_version, data FROM m.t",
              *[f"CREATE VIEW m.v{n} AS SELECT event_type || event_type AS event_type, schema_version, data FROM m.v{n - 1}"
                for n in range(1, 40)],
              "CREATE VIEW m.top AS SELECT * FROM m.v39 WHERE check_event(data, event_type, schema_version) WITH CASCADED CHECK OPTION")
    world.run("owner", f"SET statement_timeout = '{60 * COSTS:.0f}s'", "SELECT * FROM event_schema_usage()")
    world.run("owner", f"SET statement_timeout = '{60 * COSTS:.0f}s'", "SELECT drop_event_schema('order', 2)")


def test_option_of_a_strangers_view(world):
    """A stranger's view WITH CHECK OPTION over another role's view enforces nothing there."""
    world.run("owner", "SELECT register_event_schema('order', 1, '{}'::text), register_event_schema('order', 2, '{}'::text)",
              "CREATE TABLE ev (event_type text, schema_version int, data jsonb)", "INSERT INTO ev VALUES ('order', 2, '{}')",
              "CREATE VIEW valid AS SELECT * FROM ev WHERE check_event(data, event_type, schema_version)")
    world.run(None, f"""CREATE SCHEMA m AUTHORIZATION "{world.role('mallory')}" """)
    world.run("mallory", "CREATE VIEW m.over AS SELECT * FROM public.valid WITH CASCADED CHECK OPTION")
    world.run("owner", "SELECT drop_event_schema('order', 2)")
    # the owner's own view does
    world.run("owner", "SELECT register_event_schema('order', 2, '{}'::text)", "CREATE VIEW over AS SELECT * FROM valid WITH CASCADED CHECK OPTION")
    world.refused("owner", "SELECT drop_event_schema('order', 2)", "2BP01", "view")


# ---------- the cost of other roles' objects ----------


def test_views_of_a_stranger(world):
    """Views over many views are read once each, and only so much of them."""
    prepare(world)
    world.run("alice", f"CREATE TABLE alice.events ({COLUMNS}, CHECK (check_event(data, event_type, schema_version)))",
              "GRANT USAGE ON SCHEMA alice TO PUBLIC")
    world.run("mallory", """DO $do$ DECLARE all_views text; BEGIN
        FOR i IN 1..250 LOOP
            EXECUTE format('CREATE VIEW mallory.v%s AS SELECT * FROM alice.events WHERE check_event(data, event_type, schema_version)', i);
        END LOOP;
        all_views := (SELECT string_agg(format('mallory.v%s', i), ', ') FROM generate_series(1, 250) AS i);
        FOR i IN 1..40 LOOP EXECUTE format('CREATE VIEW mallory.w%s AS SELECT 1 AS n FROM %s', i, all_views); END LOOP;
        END $do$""")
    session = world.connect("owner")
    before = worked(session)
    session.execute(DROP)
    if before is not None:
        used = worked(session) - before
        assert used < 6, f"{used} s of CPU"


def test_tables_made_meanwhile(world):
    """A role that makes tables all the time does not keep a drop, which has locked those of others, from its end."""
    prepare(world)
    world.run("owner", f"CREATE TABLE events ({COLUMNS}, CHECK (check_event(data, event_type, schema_version)))")
    make = f"""DO $do$ BEGIN FOR i IN 1..%d LOOP
        EXECUTE format('CREATE TABLE mallory.t%d_%%s ({COLUMNS}, CHECK (check_event(data, event_type, schema_version)))', i);
        %s END LOOP; END $do$"""
    world.run("mallory", make % (600, 0, ""))
    makers = [world.connect("mallory") for _ in range(3)]
    running = [Background(maker, make % (3000, number + 1, "COMMIT;")) for number, maker in enumerate(makers)]
    while world.run(None, "SELECT count(*) FROM pg_class WHERE relname LIKE 't_\\_%'")[0][0] < 630:
        assert all(thread.is_alive() for thread in running), "the tables are made too quickly"
    drop = Background(world.connect("owner"), DROP)
    try:
        drop.join(60)
        ended = not drop.is_alive()
    finally:
        for maker in makers:
            maker.cancel()
        for thread in running:
            thread.join(60)
    assert ended, "the drop goes on as long as tables are made"
    assert drop.error is None or drop.error.sqlstate in ("2BP01", "55P03"), drop.error


def test_overloads_of_a_stranger(world):
    """Her functions of a name that another role's functions mention do not hide what these call."""
    prepare(world)
    world.run("mallory", """DO $do$ DECLARE kinds text[] := ARRAY(SELECT oid::regtype::text FROM pg_type WHERE typtype = 'b' ORDER BY oid LIMIT 20);
        BEGIN FOR i IN 1..20 LOOP FOR j IN 1..20 LOOP
            EXECUTE format('CREATE FUNCTION mallory.helper(%s, %s) RETURNS boolean LANGUAGE plpgsql AS ''BEGIN RETURN true; END''',
                           kinds[i], kinds[j]);
        END LOOP; END LOOP; END $do$""")
    # 400 functions of one name and 250 that mention it make MOST_CALLEES pairs
    world.run("alice", """DO $do$ BEGIN FOR i IN 1..250 LOOP
            EXECUTE format('CREATE FUNCTION alice.f%s(n int) RETURNS boolean LANGUAGE plpgsql AS ''BEGIN /* helper */ RETURN true; END''', i);
        END LOOP;
        EXECUTE 'CREATE TABLE alice.numbers (n int, CHECK (' ||
            (SELECT string_agg(format('alice.f%s(n)', i), ' AND ') FROM generate_series(1, 250) AS i) || '))'; END $do$""",
              """CREATE FUNCTION alice.inside(d jsonb, t text, v int) RETURNS boolean LANGUAGE plpgsql AS
              'BEGIN RETURN public.check_event(d, t, v); END'""",
              """CREATE FUNCTION alice.outermost(d jsonb, t text, v int) RETURNS boolean LANGUAGE plpgsql SET search_path = alice AS
              'BEGIN RETURN inside(d, t, v); END'""",
              f"CREATE TABLE alice.events ({COLUMNS}, CHECK (alice.outermost(data, event_type, schema_version)))",
              "INSERT INTO alice.events VALUES ('order', 1, '{}')")
    world.refused("owner", DROP, "2BP01", "alice.events", "carry")


def test_time_under_locks(world):
    """After the time for all tables of others under locks, none of them is read."""
    prepare(world)
    make_slow(world, """IF EXISTS (SELECT FROM pg_locks WHERE mode = 'ShareRowExclusiveLock' AND pid = pg_backend_pid())
        THEN PERFORM pg_sleep(600); END IF;""")
    world.run("mallory", *(f"CREATE TABLE mallory.quick{i} ({COLUMNS}, CHECK (check_event(data, event_type, schema_version)))"
                           for i in range(10)))
    session = world.connect("owner")
    details = []
    session.add_notice_handler(lambda diag: details.append(diag.message_detail))
    assert Background(session, "SELECT drop_event_schema('order', 1, true)").join_within(20) is None
    # alice's, too
    assert details.count("Reading the tables of other roles took longer than 0.5 s.") == 11, details


def test_role_at_commit(world):
    """The role that drops a version is the one that the search at the commit is for, whoever commits."""
    prepare(world)
    world.run("owner", f"GRANT CREATE ON SCHEMA event_schema TO {world.role('alice')}")
    world.run(None, f"GRANT {world.role('alice')} TO {world.role('mallory')}")
    arguments = "(d jsonb, t text, v int) RETURNS boolean LANGUAGE plpgsql AS"
    # more text than is read of another role's functions
    world.run("alice", "SELECT register_event_schema('bill', 1, '{}'::text)",
              f"""DO $do$ BEGIN EXECUTE format('CREATE FUNCTION alice.long{arguments} %L',
                  'BEGIN RETURN true; END /* ' || repeat('x ', 2000000) || '*/'); END $do$""",
              f"CREATE TABLE alice.first ({COLUMNS}, CHECK (alice.long(data, event_type, schema_version)))",
              f"""DO $do$ BEGIN EXECUTE format('CREATE FUNCTION alice.checks{arguments} %L',
                  $$ BEGIN RETURN current_setting('event_check.off', true) = 'on' OR public.check_event(d, t, v); END $$ ||
                  '/* ' || repeat('x ', 200000) || '*/'); END $do$""",
              f"CREATE TABLE alice.events ({COLUMNS}, CHECK (alice.checks(data, event_type, schema_version)))")
    session = world.connect("mallory")
    session.execute("SET event_check.off = on")
    session.execute("BEGIN")
    session.execute(f"SET LOCAL ROLE {world.role('alice')}")
    session.execute("SELECT drop_event_schema('bill', 1)")
    session.execute("INSERT INTO alice.events VALUES ('bill', 1, '{}')")
    session.execute("RESET ROLE")
    try:
        session.execute("COMMIT")
    except psycopg.Error as error:
        assert error.sqlstate == "2BP01" and "alice.events" in said(error) and "carry" in said(error), error
    else:
        raise AssertionError("committed")
    finally:
        world.run(None, f"REVOKE {world.role('alice')} FROM {world.role('mallory')}")


def test_sites_of_a_stranger(world):
    """Where more of them than are looked at are in tables of one role, that is said."""
    prepare(world)
    world.run("mallory", f"CREATE TABLE mallory.events ({COLUMNS}) PARTITION BY LIST (schema_version)",
              """DO $do$ BEGIN
                  FOR i IN 1..49 LOOP EXECUTE format('CREATE TABLE mallory.p%s PARTITION OF mallory.events FOR VALUES IN (%s)', i, i); END LOOP;
                  FOR i IN 1..1010 LOOP
                      EXECUTE format('CREATE POLICY p%s ON mallory.events USING (check_event(data, event_type, schema_version))', i);
                  END LOOP; END $do$""", "GRANT USAGE ON SCHEMA mallory TO PUBLIC", "GRANT SELECT ON ALL TABLES IN SCHEMA mallory TO PUBLIC")
    session = world.connect("owner")
    warnings = told(session)
    session.execute("SELECT * FROM event_schema_usage('order')")
    assert any("not all events of table mallory." in warning for warning in warnings), warnings
    # the last of them is on the partitioned table, which has no rows itself
    world.run("mallory", f"CREATE TABLE mallory.plain ({COLUMNS}, " + ", ".join(
        ["CHECK (check_event(data, event_type, schema_version))"] * 49) + ")", "GRANT SELECT ON mallory.plain TO PUBLIC")
    session = world.connect("owner")
    warnings = told(session)
    rows = session.execute("SELECT * FROM event_schema_usage('order')").fetchall()
    assert warnings == ["not all events of table mallory.events are counted"], warnings
    assert [row[3] for row in rows] == [None, None], rows


def test_long_policies(world):
    """A policy that is too long to be parsed before the table is looked at counts."""
    prepare(world)
    world.run("alice", f"CREATE TABLE alice.events ({COLUMNS})",
              """DO $do$ BEGIN EXECUTE format('CREATE POLICY long ON alice.events
                  USING (check_event(data, event_type, schema_version) AND event_type <> %L)', repeat('x', 1500000)); END $do$""",
              "INSERT INTO alice.events VALUES ('order', 1, '{}')")
    world.refused("owner", DROP, "2BP01", "alice.events", "carry", 'Policy "long"')
    world.run("alice", "DELETE FROM alice.events")
    world.run("owner", DROP)


def test_views_of_a_stranger_over_another_roles(world):
    """Her views over another role's views do not use up what is read of that role."""
    prepare(world)
    world.run("alice", "GRANT USAGE ON SCHEMA alice TO PUBLIC", f"CREATE TABLE alice.events ({COLUMNS})",
              """DO $do$ BEGIN EXECUTE 'CREATE VIEW alice.large AS SELECT * FROM alice.events WHERE event_type NOT IN ('
                  || (SELECT string_agg(quote_literal(repeat('x', 1000) || i), ',') FROM generate_series(1, 50) AS i) || ')'; END $do$""")
    world.run("mallory", """DO $do$ BEGIN FOR i IN 1..60 LOOP
                  EXECUTE format('CREATE VIEW mallory.v%s AS SELECT * FROM alice.large WHERE check_event(data, event_type, schema_version)
                      WITH CHECK OPTION', i); END LOOP; END $do$""")
    world.run("alice", """CREATE VIEW alice.shown AS SELECT * FROM alice.events WHERE check_event(data, event_type, schema_version)
              WITH CHECK OPTION""", "INSERT INTO alice.shown VALUES ('order', 1, '{}')")
    world.refused("owner", DROP, "2BP01", "alice.events", "carry", "alice.shown")


def test_views_that_are_not_parsed(world):
    """A view that is too long to be parsed, or comes after too many, counts: the tables that it can be over are looked at."""
    prepare(world)
    world.run(None, "GRANT USAGE ON SCHEMA alice TO PUBLIC")
    long = """DO $do$ BEGIN EXECUTE format('CREATE VIEW alice.long AS SELECT * FROM %s
        WHERE check_event(data, event_type, schema_version) AND event_type <> %%L %s', repeat('x', 1500000)); END $do$"""
    option = "WITH CHECK OPTION"
    definitions = {
        "long": (long % ("alice.events", option),),
        "over a view": ("CREATE VIEW alice.rows AS SELECT * FROM alice.events", long % ("alice.rows", option)),
        "cascaded over a long one": (long % ("alice.events", ""), f"CREATE VIEW alice.over AS SELECT * FROM alice.long {option}"),
        "long over it": (f"CREATE VIEW alice.shown AS SELECT * FROM alice.events WHERE check_event(data, event_type, schema_version)",
                         f"""DO $do$ BEGIN EXECUTE format('CREATE VIEW alice.over AS SELECT * FROM alice.shown WHERE event_type <> %L
                             {option}', repeat('x', 1500000)); END $do$"""),
        "after others": (long % ("alice.other", option), f"""CREATE VIEW alice.shown AS SELECT * FROM alice.events
            WHERE check_event(data, event_type, schema_version) {option}"""),
    }
    for kind, commands in definitions.items():
        world.run("alice", f"CREATE TABLE alice.events ({COLUMNS})", f"CREATE TABLE alice.other ({COLUMNS})", *commands,
                  "INSERT INTO alice.events VALUES ('order', 1, '{}')")
        try:
            world.refused("owner", DROP, "2BP01", "alice.events", "carry", "CHECK OPTION of view alice.")
        except AssertionError as error:
            raise AssertionError(f"{kind}: {error}") from error
        # rows of a table that it only mentions do not keep the version
        world.run("alice", "DELETE FROM alice.events", "INSERT INTO alice.other VALUES ('order', 2, '{}')")
        world.run("owner", DROP, BOTH)
        world.run("alice", "DROP TABLE alice.events, alice.other CASCADE")
    # nor do those of alice's tables for a stranger's view, or for one without the option
    world.run("alice", f"CREATE TABLE alice.events ({COLUMNS})", "INSERT INTO alice.events VALUES ('order', 1, '{}')",
              f"GRANT ALL ON alice.events TO {world.role('mallory')}", long % ("alice.events", ""))
    world.run("mallory", (long % ("alice.events", option)).replace("VIEW alice.", "VIEW mallory."))
    world.run("owner", DROP)
