"""Guards that a table shares with its children by inheritance, and tables with the names of shards."""

from world import Background

COLUMNS = "(id int, event_type text DEFAULT 'family', schema_version int DEFAULT 1, data jsonb)"
REPAIR = """CREATE FUNCTION repair(event jsonb) RETURNS jsonb LANGUAGE sql AS $$SELECT jsonb_set(event, '{data}', '{"n": 7}')$$"""


def prepare(world):
    """A parent and a child of alice's, with equal guards."""
    world.run("owner", """SELECT register_event_schema('family', 1, '{"required": ["n"]}')""")
    world.run(None, "SELECT create_event_quarantine()", "CREATE SCHEMA hers AUTHORIZATION " + world.role("alice"),
              "GRANT USAGE, CREATE ON SCHEMA hers TO PUBLIC")
    world.run("alice", "SET search_path = hers, public", f"CREATE TABLE parent {COLUMNS}",
              "CREATE TABLE child () INHERITS (parent)",
              "SELECT add_event_guard(t, 'quarantine') FROM unnest('{parent, child}'::regclass[]) AS t", REPAIR)


def test_switch_does_not_wait_for_strangers(world):
    """A child on which the caller has no privilege is not locked, and keeps its mode."""
    prepare(world)
    world.run(None, f"GRANT {world.role('alice')} TO {world.role('mallory')}",
              f"ALTER TABLE hers.child OWNER TO {world.role('mallory')}",
              f"REVOKE ALL ON hers.child FROM {world.role('alice')}")
    try:
        with world.connect("mallory") as mallory:
            mallory.execute("BEGIN")
            mallory.execute("LOCK TABLE hers.child")
            switch = Background(world.connect("alice"), "SELECT new_mode FROM set_event_guard_mode('hers.parent', 'enforce')")
            error = switch.join_within(60)
            assert error is None, error
            assert switch.rows == [("enforce",)], switch.rows
            mallory.execute("ROLLBACK")
        modes = world.run(None, """SELECT relation::text, mode FROM event_enforcement
                                   WHERE kind = 'guard' AND relation::text LIKE 'hers.%' ORDER BY 1""")
        assert modes == [("hers.child", "quarantine"), ("hers.parent", "enforce")], modes
    finally:
        # the roles are those of the next test, too
        world.run(None, f"REVOKE {world.role('alice')} FROM {world.role('mallory')}")


def replay_beside(world, *changes):
    """Replays a row of the child, while another transaction changes that; returns where the row is then."""
    prepare(world)
    world.run("alice", "INSERT INTO hers.child (id, data) VALUES (1, '{}')")
    other = world.connect("alice")
    other.execute("BEGIN")
    for change in changes:
        other.execute(change)
    session = world.connect(None)
    replay = Background(session, "SELECT replayed, problem FROM replay_event_quarantine('hers.parent', repair => 'hers.repair')")
    waiting = "SELECT count(*) FROM pg_locks WHERE pid = {} AND NOT granted".format(session.info.backend_pid)
    while replay.is_alive() and world.run(None, waiting)[0][0] == 0:
        pass
    other.execute("COMMIT")
    error = replay.join_within(60)
    assert error is None, error
    assert replay.rows == [(1, None)], replay.rows
    return world.run(None, "SELECT tableoid::regclass::text FROM hers.parent")


def test_replay_beside_a_rename(world):
    where = replay_beside(world, "ALTER TABLE hers.child RENAME TO former", f"CREATE TABLE hers.child {COLUMNS}")
    assert where == [("hers.former",)], where
    assert world.run(None, "SELECT count(*) FROM hers.child") == [(0,)]


def test_replay_beside_a_drop(world):
    where = replay_beside(world, "DROP TABLE hers.child")
    assert where == [("hers.parent",)], where


def test_replay_beside_a_separation(world):
    where = replay_beside(world, "LOCK TABLE hers.child", "ALTER TABLE hers.child NO INHERIT hers.parent")
    assert where == [("hers.parent",)], where
    assert world.run(None, "SELECT count(*) FROM hers.child") == [(0,)]


def test_names_of_shards(world):
    """Only tables of the same owner are shards of a table."""
    prepare(world)
    world.run(None, "SET allow_system_table_mods = on",
              "CREATE TABLE pg_catalog.pg_dist_shard (logicalrelid regclass, shardid int8)",
              "INSERT INTO pg_catalog.pg_dist_shard VALUES ('hers.parent', 102008)")
    for role, filed in (("mallory", "parent_102008"), ("alice", "parent")):
        world.run(role, f"CREATE TABLE hers.parent_102008 {COLUMNS}",
                  "SELECT add_event_guard('hers.parent_102008', 'quarantine')",
                  "INSERT INTO hers.parent_102008 (id, data) VALUES (1, '{}')", "DROP TABLE hers.parent_102008")
        last = world.run(None, "SELECT relation_name FROM event_schema.quarantine ORDER BY id DESC LIMIT 1")
        assert last == [(filed,)], f"{role}: {last}"


def test_membership_renews_a_family(world):
    """A session that has met a guard heeds what its owner is a member of now."""
    prepare(world)
    world.run(None, f"ALTER TABLE hers.child OWNER TO {world.role('mallory')}")
    filed = "SELECT relation_name FROM event_schema.quarantine ORDER BY id DESC LIMIT 1"
    insert = "INSERT INTO hers.child (id, data) VALUES (1, '{}')"
    with world.connect("mallory") as session:
        session.execute(insert)
        assert world.run(None, filed) == [("child",)]
        world.run(None, f"GRANT {world.role('alice')} TO {world.role('mallory')}")
        try:
            session.execute(insert)
            assert world.run(None, filed) == [("parent",)]
        finally:
            world.run(None, f"REVOKE {world.role('alice')} FROM {world.role('mallory')}")
        session.execute(insert)
        assert world.run(None, filed) == [("child",)]


def test_moves_in_turn(world):
    """Tables from which rows are moved in turn are scanned once each."""
    prepare(world)
    world.run("alice", "SET search_path = hers, public", f"CREATE TABLE other {COLUMNS}",
              "INSERT INTO other (id, data) SELECT i, jsonb_build_object('old', i) FROM generate_series(1, 40) AS i")
    world.run("alice", "SET search_path = hers, public", "SELECT set_event_guard_mode('parent', 'off')",
              "INSERT INTO parent (id, data) SELECT i, jsonb_build_object('old', i) FROM generate_series(1, 40) AS i",
              "SELECT set_event_guard_mode('parent', 'quarantine')", "SELECT add_event_guard('other', 'quarantine')")
    with world.connect("alice") as session:
        session.execute("SET search_path = hers, public")
        session.execute("BEGIN")
        session.execute("""DO $do$ BEGIN FOR i IN 1..40 LOOP
            WITH d AS (DELETE FROM parent WHERE id = i RETURNING *) INSERT INTO parent SELECT * FROM d;
            WITH d AS (DELETE FROM other WHERE id = i RETURNING *) INSERT INTO other SELECT * FROM d;
            END LOOP; END $do$""")
        rows = session.execute("SELECT (SELECT count(*) FROM ONLY parent), (SELECT count(*) FROM other)").fetchall()
        assert rows == [(40, 40)], rows
        # one scan each for the DELETEs, and one for the events
        scans = session.execute("""SELECT relname, seq_scan FROM pg_stat_xact_user_tables
            WHERE relname IN ('parent', 'other') ORDER BY 1""").fetchall()
        assert all(count < 60 for _, count in scans), scans
        session.execute("ROLLBACK")


def test_child_in_event_schema(world):
    """No INSERT into the parent stores rows in a child there, though an extension has the schema."""
    prepare(world)
    world.run(None, f"GRANT CREATE ON SCHEMA event_schema TO {world.role('alice')}")
    world.run("alice", "CREATE TABLE event_schema.child () INHERITS (hers.parent)",
              "SELECT add_event_guard('event_schema.child', 'quarantine')",
              "INSERT INTO event_schema.child (id, data) VALUES (1, '{}')")
    rows = world.run(None, "SELECT replayed, problem FROM replay_event_quarantine('hers.parent', repair => 'hers.repair')")
    assert rows == [(1, None)], rows
    assert world.run(None, "SELECT tableoid::regclass::text FROM hers.parent") == [("event_schema.child",)]
