"""Calls do not lock tables on which the caller has no rights, and keep no lock that they took for reading."""

import psycopg

from world import Background

SCHEMA = """SELECT register_event_schema('order', 1, '{"type": "object"}')"""
TABLE = """CREATE TABLE events (id bigint PRIMARY KEY, event_type text, schema_version int, data jsonb, payload text,
    CONSTRAINT c CHECK (check_event(data, event_type, schema_version)))"""

# every function with a table as argument, with its other arguments
CALLS = {
    "audit_events": "SELECT * FROM audit_events({t})",
    "event_audit_query": "SELECT event_audit_query({t}, 'data', 'event_type', 'schema_version', 5)",
    "add_event_check": "SELECT add_event_check({t})",
    "add_event_check, audit": "SELECT add_event_check({t}, audit => true)",
    "validate_event_check": "SELECT validate_event_check({t})",
    "validate_event_check, named": "SELECT validate_event_check({t}, 'c')",
    "require_event_relation": "SELECT _event_validate.require_event_relation({t}, 'ANY')",
    "event_checks": "SELECT * FROM _event_validate.event_checks({t})",
    "drop_event_check": "SELECT drop_event_check({t})",
    "drop_event_check, named": "SELECT drop_event_check({t}, 'c')",
    "lock_event_table": "SELECT _event_validate.lock_event_table({t})",
    "standardize_event_column": "SELECT standardize_event_column({t}, 'payload')",
    "merge_event_column, its arguments": "SELECT _event_validate.check_merge_arguments({t}, 'payload', 'data', 1)",
    "merge_event_column, a step": "SELECT _event_validate.run_event_column_step({t}, 'payload', 'data', 'start', NULL)",
    "event_column_conflicts": "SELECT * FROM event_column_conflicts({t}, 'payload', 'data')",
    "refuse_event_column_conflicts": "SELECT _event_validate.refuse_event_column_conflicts({t}, 'payload', 'data')",
    "event_row_expression": "SELECT _event_validate.event_row_expression({t}, 'data', 'data', false)",
    "check_event_upgrade": "SELECT * FROM check_event_upgrade({t}, 'order', 1, 1)",
}


def locks(world, session, table):
    """The modes of the session's locks on the table."""
    return {mode for (mode,) in world.run(
        None, f"SELECT mode FROM pg_locks WHERE relation = '{table}'::regclass AND pid = {session.info.backend_pid}")}


def prepare(world):
    world.run("owner", SCHEMA)
    world.run(None, "CREATE SCHEMA hers AUTHORIZATION " + world.role("alice"),
              "GRANT USAGE ON SCHEMA hers TO PUBLIC")
    world.run("alice", "SET search_path = hers, public", TABLE, "INSERT INTO events VALUES (1, 'order', 1, '{}')")


def test_no_right_no_lock(world):
    prepare(world)
    oid = world.run(None, "SELECT 'hers.events'::regclass::oid")[0][0]
    for name, call in CALLS.items():
        session = world.connect("mallory")
        session.execute("BEGIN")
        # an error releases the lock, but the call may have waited for it: so
        # it must not wait if the table is locked
        with world.connect("alice") as alice:
            alice.execute("BEGIN")
            alice.execute("LOCK TABLE hers.events")
            background = Background(session, call.format(t=oid))
            error = background.join_within(3)
            assert error is not None and error.sqlstate == "42501", f"{name}: {error}"
            alice.execute("ROLLBACK")
        session.close()


def test_usage_keeps_no_lock(world):
    prepare(world)
    session = world.connect("mallory")
    session.execute("BEGIN")
    session.execute("SELECT * FROM event_schema_usage()")
    assert not locks(world, session, "hers.events"), locks(world, session, "hers.events")
    session.execute("ROLLBACK")

    # nor if it can read the table
    world.run("alice", "GRANT SELECT ON hers.events TO PUBLIC")
    session.execute("BEGIN")
    rows = session.execute("SELECT relation::text, events FROM event_schema_usage('order')").fetchall()
    assert rows == [("hers.events", 1)], rows
    assert not locks(world, session, "hers.events"), locks(world, session, "hers.events")
    session.execute("ROLLBACK")


def test_usage_does_not_wait_for_strangers(world):
    prepare(world)
    alice = world.connect("alice")
    alice.execute("BEGIN")
    alice.execute("LOCK TABLE hers.events")
    session = world.connect("mallory")
    assert Background(session, "SELECT * FROM event_schema_usage()").join_within(3) is None


def test_drop_keeps_no_lock(world):
    """A drop that is not committed does not block writers."""
    prepare(world)
    world.run("owner", """SELECT register_event_schema('order', 2, '{"type": "object"}')""",
              "GRANT CREATE ON SCHEMA event_schema TO " + world.role("mallory"))
    for role, dropped in (("owner", "order@2"), ("mallory", "junk@1")):
        if role == "mallory":
            world.run("mallory", "SELECT register_event_schema('junk', 1, 'true')")
        session = world.connect(role)
        session.execute("BEGIN")
        session.execute(f'DROP FUNCTION event_schema."{dropped}"')
        assert not locks(world, session, "hers.events"), locks(world, session, "hers.events")
        writer = world.connect("alice")
        assert Background(writer, f"INSERT INTO hers.events SELECT count(*) + 1, 'order', 1, '{{}}' FROM hers.events",
                          ).join_within(3) is None
        session.execute("COMMIT")
    assert world.run("owner", "SELECT count(*) FROM event_schemas") == [(1,)]


def test_drop_waits_in_short_goes(world):
    """While a drop waits for one table, writers of another do not wait."""
    prepare(world)
    world.run("owner", """SELECT register_event_schema('order', 2, '{"type": "object"}')""")
    world.run(None, "CREATE SCHEMA his AUTHORIZATION " + world.role("bob"))
    world.run("bob", "SET search_path = his, public", TABLE)
    bob = world.connect("bob")
    bob.execute("BEGIN")
    bob.execute("INSERT INTO his.events VALUES (1, 'order', 1, '{}')")
    dropper = world.connect("owner", options="-c lock_timeout=10s")
    drop = Background(dropper, 'DROP FUNCTION event_schema."order@2"')
    for i in range(2, 8):
        writer = world.connect("alice")
        assert Background(writer, f"INSERT INTO hers.events VALUES ({i}, 'order', 1, '{{}}')").join_within(1.5) is None
        writer.close()
    bob.execute("COMMIT")
    assert drop.join_within(10) is None


def test_unknown_table(world):
    world.run("owner", SCHEMA)
    for oid in (0, 4000000000):
        for name, call in CALLS.items():
            try:
                world.run("owner", call.format(t=f"{oid}::oid::regclass"))
            except psycopg.Error as error:
                assert error.sqlstate == "42P01", f"{name} of {oid}: {error.sqlstate} {error}"
            else:
                raise AssertionError(f"{name} of {oid}: not refused")


# ---------- names ----------


def test_open_transactions_with_names(world):
    """An open transaction makes others wait for a bounded time; the error names the role that has it."""
    world.run("owner", SCHEMA, f"GRANT CREATE ON SCHEMA event_schema TO {world.role('mallory')}, {world.role('bob')}")
    world.run(None, *(f"CREATE SCHEMA {role} AUTHORIZATION {world.role(role)}" for role in ("alice", "mallory")))
    table = "(event_type text, schema_version int, data jsonb)"
    world.run("alice", f"CREATE TABLE alice.t {table}")
    world.run("mallory", f"CREATE TABLE mallory.t {table}")
    guard = "SELECT add_event_guard('{}.t', 'quarantine')"
    reference = """SELECT register_event_schema('mine', 1, '{"$ref": "event:order@1"}')"""
    replace = """SELECT register_event_schema('order', 1, '{"type": "object", "title": "x"}')"""
    for role, opened, calls in (
            ("mallory", guard.format("mallory"), [("alice", guard.format("alice"))]),
            ("mallory", reference, [("owner", replace), ("owner", "SELECT drop_event_schema('order', 1)")]),
            ("mallory", """SELECT register_event_schema('new', 1, '{}')""",
             [("bob", """SELECT register_event_schema('new', 1, '{}')""")])):
        session = world.connect(role)
        session.execute("BEGIN")
        session.execute(opened)
        limited = world.connect(calls[0][0])
        limited.execute("SET lock_timeout = '100ms'")
        error = Background(limited, calls[0][1]).join_within(5)
        assert error is not None and error.sqlstate == "55P03", error
        for caller, call in calls:
            error = Background(world.connect(caller), call).join_within(20)
            assert error is not None and error.sqlstate == "55P03", error
            assert f'"{world.role("mallory")}"' in error.diag.message_detail, error
            assert str(session.info.backend_pid) in error.diag.message_detail, error
        session.execute("ROLLBACK")
        # it left nothing behind
        world.run(*calls[0])
