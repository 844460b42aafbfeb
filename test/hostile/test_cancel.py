"""A cancel of the caller's ends the call, even if other roles' code under a time limit catches it."""

import time

import psycopg

from world import Background

# What mallory's code does. "deaf" checks for a cancel only at long intervals.
CATCHES = "LOOP BEGIN {} EXCEPTION WHEN query_canceled THEN NULL; END; END LOOP;"
CODES = {
    "clings": CATCHES.format("PERFORM pg_sleep(600);"),
    "deaf": CATCHES.format("PERFORM n * n + n * n + n * n;"),
    "once": "BEGIN PERFORM pg_sleep(600); EXCEPTION WHEN query_canceled THEN NULL; END;",
    "locks": CATCHES.format("BEGIN PERFORM pg_advisory_lock(1); EXCEPTION WHEN lock_not_available THEN NULL; END;"),
}
RAISES = "RAISE 'no' USING ERRCODE = 'query_canceled';"


def function(name, arguments, code, result):
    """A function of mallory's, whose code does nothing if my.off is set."""
    setting = "SET lock_timeout = '3ms'" if "advisory" in code else ""
    return f"""CREATE FUNCTION mallory.{name}({arguments}) RETURNS {result[0]} LANGUAGE plpgsql {setting} AS $$
        DECLARE n numeric := repeat('9', 60000)::numeric;
        BEGIN IF current_setting('my.off', true) IS NULL THEN {code} END IF; RETURN {result[1]}; END $$"""


def prepare(world):
    """A guarded table of alice's, a lock that another session holds, and a schema for mallory's objects."""
    world.run(None, f"CREATE SCHEMA mallory AUTHORIZATION {world.role('mallory')}",
              "GRANT USAGE ON SCHEMA mallory TO PUBLIC", f"CREATE SCHEMA alice AUTHORIZATION {world.role('alice')}")
    world.run("owner", "SELECT register_event_schema('order', v, '{}') FROM generate_series(1, 2) AS v")
    world.run("alice", "CREATE TABLE alice.t (event_type text, schema_version int, data jsonb)",
              "SELECT add_event_guard('alice.t', 'quarantine')")
    world.connect(None).execute("SELECT pg_advisory_lock(1)")


def constraint(world, code):
    """A constraint that runs the code for each row."""
    world.run("mallory", "SET my.off = on", function("f", "text", code, ("text", "$1")),
              "CREATE TABLE mallory.t (event_type text, schema_version int, data jsonb,"
              " CHECK (check_event(data, mallory.f(event_type), schema_version)))",
              "INSERT INTO mallory.t VALUES ('order', 2, '{}')")


def trigger(world, code):
    """A trigger that runs the code when a row is replayed."""
    world.run("mallory", "SET my.off = on", function("f", "", code, ("trigger", "new")),
              "CREATE TABLE mallory.t (event_type text, schema_version int, data jsonb)",
              "SELECT add_event_guard('mallory.t', 'quarantine')",
              "INSERT INTO mallory.t SELECT 'new', 1, '{}' FROM generate_series(1, 3)",
              "CREATE TRIGGER a BEFORE INSERT ON mallory.t FOR EACH ROW EXECUTE FUNCTION mallory.f()")
    world.run("owner", "SELECT register_event_schema('new', 1, 'true')")


REPLAY = "SELECT (SELECT count(*) FROM replay_event_quarantine()), pg_sleep(600)"
USAGE = "SELECT (SELECT count(*) FROM event_schema_usage()), pg_sleep(600)"
DROP = "SELECT drop_event_schema('order', 2, force => true), pg_sleep(600)"


def start(world, call, *settings):
    """A call that runs; it sleeps afterwards, so that a cancel comes before its end."""
    session = world.connect(None)
    for setting in settings:
        session.execute(setting)
    background = Background(session, call)
    while background.is_alive() and not world.run(None, f"SELECT 1 FROM pg_stat_activity WHERE pid = {session.info.backend_pid}"
                        " AND state = 'active' AND query LIKE '%pg_sleep%' AND xact_start IS NOT NULL"):
        time.sleep(0.002)
    return session, background


def cancel_at(world, call, moments):
    """Cancels calls at these times after their start: each cancel ends its call."""
    for moment in moments:
        session, background = start(world, call)
        time.sleep(moment)
        session.cancel()
        error = background.join_within(10)
        assert error is not None and error.sqlstate == "57014", (moment, error)
        session.execute("SELECT pg_sleep(0.01)")		# the cancel has no effect on the next command
        session.close()


def test_replay(world):
    """The limit is five seconds."""
    prepare(world)
    for code, moments in (("clings", (0.2, 4.95)), ("deaf", (0.2, 5)), ("once", (0.2,)), ("locks", (0.2,))):
        trigger(world, CODES[code])
        cancel_at(world, REPLAY, moments)
        world.run(None, "DROP TABLE mallory.t; DROP FUNCTION mallory.f", "TRUNCATE event_schema.quarantine",
                  "SELECT drop_event_schema('new', 1)")


def test_looks(world):
    """A drop looks for five seconds, event_schema_usage for a minute."""
    prepare(world)
    for code, moments in (("clings", (0.2, 4.95)), ("deaf", (0.2, 5)), ("once", (0.2,)), ("locks", (0.2,))):
        constraint(world, CODES[code])
        cancel_at(world, DROP, moments)
        cancel_at(world, USAGE, moments[:1])
        world.run(None, "DROP TABLE mallory.t; DROP FUNCTION mallory.f")


def test_statement_timeout(world):
    """It ends the call as a cancel does."""
    prepare(world)
    constraint(world, CODES["deaf"])
    for milliseconds in (100, 450, 4950, 5020):
        _, background = start(world, DROP, f"SET statement_timeout = {milliseconds}")
        error = background.join_within(10)
        assert error is not None and error.sqlstate == "57014", error


def test_terminate(world):
    """So does the end of the session."""
    prepare(world)
    constraint(world, CODES["clings"])
    for moment in (0.1, 0.45):
        session, background = start(world, DROP)
        time.sleep(moment)
        world.run(None, f"SELECT pg_terminate_backend({session.info.backend_pid})")
        assert isinstance(background.join_within(10), psycopg.OperationalError)
        assert session.closed


def test_no_cancel(world):
    """An error with the same SQLSTATE is no cancel, nor is lock_timeout, nor a cancel that was handled before."""
    prepare(world)
    session = world.connect(None)
    for code, problem in ((RAISES, "no"), (CODES["locks"], "inserting a row took too long (id 1)")):
        trigger(world, code)
        rows = session.execute("SELECT relation_name, replayed, remaining, problem FROM replay_event_quarantine()").fetchall()
        assert rows == [("t", 0, 3, problem)], rows
        world.run(None, "DROP TABLE mallory.t; DROP FUNCTION mallory.f", "TRUNCATE event_schema.quarantine RESTART IDENTITY",
                  "SELECT drop_event_schema('new', 1)")
    # the caller's own code may catch it, once
    trigger(world, CODES["clings"])
    catch = """DO $$ BEGIN PERFORM replay_event_quarantine(); PERFORM pg_sleep(600);
        EXCEPTION WHEN query_canceled THEN PERFORM pg_sleep(0.1); RAISE 'caught' USING ERRCODE = 'P0004'; END $$"""
    for moment in [twentieth / 20 for twentieth in range(2, 14)] + [4.98, 4.99, 5.01, 5.02]:
        session, background = start(world, catch)
        time.sleep(moment)
        # one signal; a cancel request of the client is two, of which the second may come later
        world.run(None, f"SELECT pg_cancel_backend({session.info.backend_pid})")
        error = background.join_within(10)
        assert error is not None and error.sqlstate == "P0004", error
