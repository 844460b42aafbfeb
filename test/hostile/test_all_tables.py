"""Calls for all tables: obstacles at one table do not affect the others."""

import time

from world import COSTS, Background

TRIGGERS = {
    "raises": "RAISE EXCEPTION 'no'",
    "cancels": "RAISE EXCEPTION 'no' USING ERRCODE = 'query_canceled'",
    "serializes": "RAISE EXCEPTION 'no' USING ERRCODE = 'serialization_failure'",
    "shuts": "RAISE EXCEPTION 'no' USING ERRCODE = 'admin_shutdown'",
    "breaks": "RAISE EXCEPTION 'no' USING ERRCODE = 'internal_error'",
    "sleeps": "PERFORM pg_sleep(1000)",
    # catches cancels, and continues
    "clings": """LOOP
        BEGIN
            LOOP
                BEGIN
                    PERFORM pg_sleep(1000);
                EXCEPTION WHEN query_canceled OR OTHERS THEN
                    NULL;
                END;
            END LOOP;
        EXCEPTION WHEN query_canceled OR OTHERS THEN
            NULL;
        END;
    END LOOP""",
}


def make(world, role, table, rows=2, trigger=None, schema="public"):
    """A role's guarded table, whose events in the quarantine become valid by register()."""
    world.run(None, "GRANT CREATE ON SCHEMA public TO PUBLIC")
    world.run(role, f"CREATE TABLE {table} (event_type text, schema_version int, data jsonb)",
              f"SELECT add_event_guard('{table}', 'quarantine')",
              f"""INSERT INTO {table} SELECT 'order', 1, jsonb_build_object('n', i) FROM generate_series(1, {rows}) i""")
    if trigger is not None:
        world.run(role, f"CREATE FUNCTION {table}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {trigger}; RETURN NEW; END $$",
                  f"CREATE TRIGGER a BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION {table}()")


def register(world):
    world.run("owner", "SELECT register_event_schema('order', 1, '{}')")


def replayed(rows):
    return {row[1]: (row[2], row[3], row[5]) for row in rows}


def modes(world):
    return dict(world.run(None, """SELECT tgrelid::regclass::text, encode(tgargs, 'escape') FROM pg_trigger
        WHERE tgfoid = 'guard_event'::regproc"""))


def test_replay(world):
    """Another role's triggers that raise errors or sleep, a lock, a dropped table."""
    for name, trigger in TRIGGERS.items():
        make(world, "mallory", f"a_{name}", trigger=trigger)
    make(world, "mallory", "a_locked")
    make(world, "mallory", "a_dropped")
    make(world, "alice", "z_good", rows=20)
    register(world)
    world.run("mallory", "DROP TABLE a_dropped")
    holder = world.connect("mallory")
    holder.execute("BEGIN; LOCK a_locked")
    start = time.monotonic()
    result = replayed(world.run(None, "SELECT * FROM replay_event_quarantine()"))
    took = time.monotonic() - start
    assert result["z_good"] == (20, 0, None), result
    assert took < 30 * COSTS, took
    for name in [f"a_{trigger}" for trigger in TRIGGERS] + ["a_locked", "a_dropped"]:
        moved, remaining, problem = result[name]
        assert (moved, remaining) == (0, 2) and (problem or name == "a_raises"), (name, result[name])
    assert "a_dropped" in result["a_dropped"][2]
    assert world.run(None, "SELECT count(*) FROM z_good") == [(20,)]


def test_replay_of_what_is_slow(world):
    """Slow rows are moved, some at each call, and one that hangs is skipped."""
    make(world, "alice", "slow", rows=12, trigger="PERFORM pg_sleep(0.6)")
    register(world)
    first = world.run(None, "SELECT replayed, remaining, problem FROM replay_event_quarantine()")[0]
    assert 4 <= first[0] <= 11 and first[0] + first[1] == 12 and "5 seconds" in first[2], first
    assert world.run(None, "SELECT replayed FROM replay_event_quarantine('slow')")[0][0] == first[1]
    make(world, "alice", "hangs", rows=6, trigger="IF (NEW.data ->> 'n')::int = 3 THEN PERFORM pg_sleep(1000); END IF")
    world.run("owner", "UPDATE event_schema.quarantine SET schema_version = 1")
    world.run("owner", "SELECT register_event_schema('late', 1, '{}')")
    world.run("alice", "ALTER TABLE hangs DISABLE TRIGGER a")
    world.run("alice", "INSERT INTO hangs SELECT 'order', 7, jsonb_build_object('n', i) FROM generate_series(1, 6) i",
              "ALTER TABLE hangs ENABLE TRIGGER a", "DELETE FROM hangs")
    world.run("owner", "SELECT register_event_schema('order', 7, '{}', breaking => true)")
    row = world.run(None, "SELECT replayed, remaining, last_id, problem FROM replay_event_quarantine(schema_version => 7)")[0]
    assert row[0] == 2 and row[1] == 4 and "too long" in row[3], row
    row = world.run(None, f"""SELECT replayed, remaining, last_id FROM replay_event_quarantine('hangs', schema_version => 7,
        after_id => {row[2]})""")[0]
    assert row == (3, 1, None), row


def test_replay_is_cancelled(world):
    """A cancel ends the call, and leaves no time limit."""
    make(world, "mallory", "a_sleeps", trigger=TRIGGERS["sleeps"])
    register(world)
    session = world.connect(None)
    background = Background(session, "SELECT * FROM replay_event_quarantine()")
    time.sleep(1)
    session.cancel()
    error = background.join_within(3)
    assert error is not None and error.sqlstate == "57014", error
    session.execute("SET statement_timeout = '1s'")
    background = Background(session, "SELECT * FROM replay_event_quarantine()")
    error = background.join_within(4)
    assert error is not None and error.sqlstate == "57014" and "timeout" in str(error), error
    session.execute("RESET statement_timeout")
    session.execute("SELECT pg_sleep(6)")


def test_replay_of_many_that_sleep(world):
    """All tables of one role together have a time limit."""
    for i in range(12):
        make(world, "mallory", f"a_{i}", trigger=TRIGGERS["sleeps"])
    make(world, "alice", "z_good")
    register(world)
    start = time.monotonic()
    result = replayed(world.run(None, "SELECT * FROM replay_event_quarantine()"))
    assert time.monotonic() - start < 20
    assert result["z_good"] == (2, 0, None), result
    assert sum(world.role("mallory") in (row[2] or "") for row in result.values()) >= 9, result


def test_replay_with_no_rights(world):
    """A caller without rights on a table gets a row with that problem, and does not wait for locks."""
    make(world, "mallory", "a_locked")
    make(world, "alice", "mine")
    register(world)
    world.run("owner", f"GRANT SELECT, UPDATE, DELETE ON event_schema.quarantine TO {world.role('alice')}")
    holder = world.connect("mallory")
    holder.execute("BEGIN; LOCK a_locked")
    start = time.monotonic()
    result = replayed(world.run("alice", "SELECT * FROM replay_event_quarantine()"))
    assert time.monotonic() - start < 1.5
    assert result["mine"] == (2, 0, None) and "rights" in result["a_locked"][2], result


def test_bounded_replay(world):
    """max_rows bounds the tried rows, and last_id is where to continue."""
    make(world, "owner", "ev", rows=25000)
    world.run("owner", "CREATE SEQUENCE tried", """CREATE FUNCTION try(r jsonb) RETURNS jsonb LANGUAGE sql
        AS $$ SELECT r || jsonb_build_object('tried', nextval('tried')) - 'tried' $$""")
    start = time.monotonic()
    row = world.run("owner", "SELECT replayed, remaining, last_id FROM replay_event_quarantine('ev', repair => 'try(jsonb)', max_rows => 10)")[0]
    took = time.monotonic() - start
    assert row == (0, 25000, 10), row
    assert world.run("owner", "SELECT last_value FROM tried")[0][0] == 10
    assert took < 2 * COSTS, took
    row = world.run("owner", "SELECT last_id FROM replay_event_quarantine('ev', max_rows => 10, after_id => 10)")[0]
    assert row == (20,), row
    assert world.run("owner", "SELECT last_id FROM replay_event_quarantine('ev', max_rows => 10, after_id => 24995)") == [(None,)]
    # rows that raise errors are tried once, and those before them once more
    world.run("owner", """CREATE OR REPLACE FUNCTION try(r jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$ BEGIN
        IF nextval('tried') % 2 = 0 THEN RAISE EXCEPTION 'no'; END IF; RETURN r; END $$""")
    world.run("owner", "SELECT * FROM replay_event_quarantine('ev', repair => 'try(jsonb)', max_rows => 1000)")
    assert world.run("owner", "SELECT last_value FROM tried")[0][0] < 5000


def test_switch(world):
    """A locked table of another role neither prevents switching the others, nor blocks their writers."""
    make(world, "mallory", "a_locked")
    make(world, "mallory", "a_odd")
    make(world, "alice", "z_good")
    world.run("mallory", "CREATE OR REPLACE TRIGGER zzz_event_guard BEFORE INSERT ON a_odd FOR EACH ROW EXECUTE FUNCTION guard_event('no mode')")
    holder = world.connect("mallory")
    holder.execute("BEGIN; LOCK a_locked")
    switcher = Background(world.connect(None), "SELECT guarded_relation::text, old_mode, new_mode, problem FROM set_event_guard_mode(NULL, 'warn')")
    writer = world.connect("alice")
    longest = 0
    while switcher.is_alive():
        start = time.monotonic()
        writer.execute("INSERT INTO z_good VALUES ('order', 1, '{}')")
        longest = max(longest, time.monotonic() - start)
    assert switcher.join_within(15) is None
    rows = {row[0]: row[1:] for row in switcher.rows}
    assert rows["z_good"] == ("quarantine", "warn", None), rows
    assert rows["a_locked"][1] is None and "lock" in rows["a_locked"][2], rows
    assert rows["a_odd"][1] is None and rows["a_odd"][2], rows
    assert longest < COSTS, longest
    assert modes(world)["z_good"].startswith("warn") and modes(world)["a_locked"].startswith("quarantine")


def test_switch_many_that_are_locked(world):
    make(world, "alice", "z_good")
    holder = world.connect("mallory")
    for i in range(40):
        make(world, "mallory", f"a_{i}")
    holder.execute("BEGIN; " + "; ".join(f"LOCK a_{i}" for i in range(40)))
    start = time.monotonic()
    rows = world.run(None, "SELECT guarded_relation::text, new_mode FROM set_event_guard_mode(NULL, 'off')")
    assert time.monotonic() - start < 12
    assert len(rows) == 41 and ("z_good", "off") in rows, rows


def test_switch_with_no_rights(world):
    make(world, "mallory", "a_locked")
    make(world, "alice", "mine")
    holder = world.connect("mallory")
    holder.execute("BEGIN; LOCK a_locked")
    start = time.monotonic()
    rows = {row[0]: row[1:] for row in world.run("alice", "SELECT guarded_relation::text, new_mode, problem FROM set_event_guard_mode(NULL, 'warn')")}
    assert time.monotonic() - start < 1.5
    assert rows["mine"] == ("warn", None) and "permission denied" in rows["a_locked"][1], rows
    rows = world.run("bob", "SELECT new_mode FROM set_event_guard_mode(NULL, 'off')")
    assert rows == [(None,), (None,)], rows
    # for a named table it is an error
    world.refused("bob", "SELECT set_event_guard_mode('mine', 'off')", "42501")
    assert modes(world)["mine"].startswith("warn")
