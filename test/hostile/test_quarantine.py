"""event_schema.quarantine is a user's table, which can be altered, replaced, and filled with anything."""

import psycopg
from psycopg import sql
from world import Background

COLUMNS = ("id", "relation_schema", "relation_name", "row", "event_type", "schema_version", "violations", "kept",
           "arrived_at", "role", "application", "transaction")

CALLS = {
    "view": "SELECT * FROM event_quarantine",
    "replay": "SELECT * FROM replay_event_quarantine()",
    "replay of a table": "SELECT * FROM replay_event_quarantine('ev')",
    "purge": "SELECT purge_event_quarantine('0')",
    "divert": """INSERT INTO ev VALUES ('none', 1, '{}')""",
    "switch": "SELECT set_event_guard_mode('ev', 'quarantine')",
}

PUBLIC_SCHEMA = "GRANT CREATE ON SCHEMA public TO PUBLIC"


def make(world, role="owner", table="ev", rows=2):
    """A role's guarded table, with events in the quarantine that are valid by now."""
    world.run(None, PUBLIC_SCHEMA)
    world.run(role, f"CREATE TABLE {table} (event_type text, schema_version int, data jsonb)",
              f"SELECT add_event_guard('{table}', 'quarantine')",
              f"""INSERT INTO {table} SELECT '{table}', 1, jsonb_build_object('n', i) FROM generate_series(1, {rows}) i""")
    world.run("owner", f"SELECT register_event_schema('{table}', 1, '{{}}')")


def count(world, table):
    return world.run(None, f"SELECT count(*) FROM {table}")[0][0]


def each_call_is_refused(world, session, what, column):
    for name, call in CALLS.items():
        try:
            session.execute(call)
        except psycopg.Error as error:
            said = error.diag.message_primary
            assert error.sqlstate in ("42703", "42804"), f"{what}, {name}: {error.sqlstate} {said}"
            assert f'"{column}"' in said and "event_schema.quarantine" in said, f"{what}, {name}: {said}"
            assert error.diag.message_hint, f"{what}, {name}: no hint"
        else:
            raise AssertionError(f"{what}: {name} went through")


def test_columns_of_other_types(world):
    make(world, rows=1)
    owner = world.connect("owner")
    owner.autocommit = False
    for column in COLUMNS:
        name = sql.Identifier(column).as_string(owner)
        for what in (f"ALTER {name} TYPE {'text' if column in ('id', 'schema_version') else 'int'} USING 5",
                     f"ALTER {name} TYPE numeric USING 5",
                     f"DROP {name}",
                     f"DROP {name}, ADD {name} varchar",
                     f"DROP {name}, ADD {name} name GENERATED ALWAYS AS ('x') STORED"):
            for name_of_call, call in CALLS.items():
                if column == "id" and "TYPE" in what and "numeric" not in what:
                    owner.execute("ALTER TABLE event_schema.quarantine ALTER id DROP IDENTITY")
                if column == "id" and "numeric" in what:
                    continue
                owner.execute(f"ALTER TABLE event_schema.quarantine {what}")
                try:
                    owner.execute(call)
                except psycopg.Error as error:
                    said = error.diag.message_primary
                    assert error.sqlstate in ("42703", "42804"), f"{what}, {name_of_call}: {error.sqlstate} {said}"
                    assert f'"{column}"' in said and '"event_schema.quarantine"' in said, f"{what}, {name_of_call}: {said}"
                    assert error.diag.message_hint, f"{what}, {name_of_call}: no hint"
                else:
                    raise AssertionError(f"{what}: {name_of_call} went through")
                owner.rollback()


def test_values_as_pointers(world):
    """A number must not be read as a text, that is, as an address."""
    make(world)
    world.run("owner", "ALTER TABLE event_schema.quarantine ALTER schema_version TYPE int, ALTER application TYPE int USING (4*3000)")
    world.refused("owner", "SELECT length(textsend(application)) FROM event_quarantine", "42804", '"application"', "integer")
    world.run("owner", "ALTER TABLE event_schema.quarantine ALTER application TYPE text, ALTER schema_version TYPE bigint")
    world.refused("owner", "SELECT * FROM event_quarantine", "42804", '"schema_version"', "bigint")
    world.run("owner", "ALTER TABLE event_schema.quarantine ALTER schema_version TYPE int")
    assert len(world.run("owner", "SELECT * FROM event_quarantine")) == 2


def test_retyped_in_an_open_session(world):
    """A session's prepared statements notice an ALTER TABLE of another session."""
    make(world)
    session = world.connect("owner")
    for call in CALLS.values():
        session.execute(call, prepare=True)
        session.execute(call, prepare=True)
    session.execute("TRUNCATE ev, event_schema.quarantine")
    session.execute("INSERT INTO ev VALUES ('none', 2, '{}')")
    world.run("owner", "ALTER TABLE event_schema.quarantine ALTER application TYPE int USING 12000")
    each_call_is_refused(world, session, "retyped", "application")
    world.run("owner", "ALTER TABLE event_schema.quarantine DROP application, ADD application text NOT NULL DEFAULT 'x'")
    for call in CALLS.values():
        session.execute(call)


def test_columns_in_another_order(world):
    """Columns can be dropped and added again, and further ones added."""
    make(world)
    world.run("owner", "ALTER TABLE event_schema.quarantine DROP application, ADD more text DEFAULT 'x',"
                       " ADD made int GENERATED ALWAYS AS (1) STORED, ADD application text NOT NULL DEFAULT 'x'")
    world.run("owner", CALLS["divert"])
    assert [row[3] for row in world.run("owner", CALLS["replay"])] == [1]
    assert count(world, "ev") == 2


def test_rows_that_hold_anything(world):
    make(world)
    owner = world.connect("owner")
    owner.execute("""TRUNCATE event_schema.quarantine RESTART IDENTITY;
        ALTER TABLE event_schema.quarantine ALTER relation_schema DROP NOT NULL, ALTER relation_name DROP NOT NULL,
            ALTER "row" DROP NOT NULL, ALTER violations DROP NOT NULL, ALTER kept DROP NOT NULL, ALTER arrived_at DROP NOT NULL,
            ALTER role DROP NOT NULL, ALTER application DROP NOT NULL, ALTER "transaction" DROP NOT NULL""")
    rows = ["'[\"data\"]'", "'[]'", "'[[[{}]]]'", "'7'", "'\"data\"'", "'null'", "'true'", "NULL", "'{\"no column\": 1}'",
            "'{\"ctid\": \"(0,1)\", \"tableoid\": 1}'", "jsonb_build_object(repeat('x', 100), 1)", "'{\"data\": 1, \"event_type\": [1]}'",
            "'{\"schema_version\": {\"a\": 1}}'", "'{\"schema_version\": \"x\"}'", "'{\"schema_version\": 99999999999999}'", "'{}'"]
    for row in rows:
        for violations in ("'[]'", "'7'", "NULL"):
            owner.execute(f"""INSERT INTO event_schema.quarantine (relation_schema, relation_name, "row", violations, kept)
                VALUES ('public', 'ev', {row}, {violations}, false)""")
    for name in ("'ev', NULL", "NULL, 'ev'", "NULL, NULL", "'no', 'such'", "'public', repeat('x', 100)", "'', ''",
                 "'public', 'ev_view'", "'pg_toast', 'pg_toast_1255'"):
        owner.execute(f"""INSERT INTO event_schema.quarantine (relation_schema, relation_name, "row", kept)
            VALUES ({name}, '{{}}', false), ({name}, NULL, NULL)""")
    owner.execute("CREATE VIEW ev_view AS SELECT * FROM ev")
    for role in ("owner", None):
        for call in (CALLS["view"], "SELECT * FROM replay_event_quarantine()", "SELECT * FROM replay_event_quarantine('ev')"):
            world.run(role, call)
    said = [row[0] for row in owner.execute("""SELECT violations -> 0 ->> 'message' FROM event_schema.quarantine
        WHERE relation_name = 'ev' AND relation_schema = 'public' AND jsonb_typeof("row") <> 'object'""").fetchall()]
    assert len(said) == 21 and all("no JSON object" in text for text in said), said
    problems = {row[1]: row[5] for row in owner.execute("SELECT * FROM replay_event_quarantine()").fetchall()}
    assert "does not exist" in problems["such"] and "does not exist" in problems["ev_view"], problems
    assert owner.execute("SELECT purge_event_quarantine('0')").fetchone()[0] == 0
    # rows with the same id: none is lost
    owner.execute("""TRUNCATE event_schema.quarantine; ALTER TABLE event_schema.quarantine DROP CONSTRAINT quarantine_pkey;
        INSERT INTO event_schema.quarantine (id, relation_schema, relation_name, "row", kept) OVERRIDING SYSTEM VALUE
        SELECT 1, 'public', 'ev', '{"event_type": "ev", "schema_version": 1, "data": {}}', false FROM generate_series(1, 3)""")
    owner.execute("SELECT * FROM replay_event_quarantine('ev', max_rows => 3)")
    assert (count(world, "ev"), count(world, "event_schema.quarantine")) in ((3, 0), (0, 3))


def test_something_else_in_its_place(world):
    make(world)
    world.run("owner", "ALTER TABLE event_schema.quarantine SET SCHEMA public")
    world.run(None, "CREATE FOREIGN DATA WRAPPER nothing", "CREATE SERVER nothing FOREIGN DATA WRAPPER nothing",
              "GRANT USAGE ON FOREIGN SERVER nothing TO PUBLIC")
    for create, drop in (("VIEW event_schema.quarantine AS SELECT * FROM public.quarantine", "VIEW"),
                         ("MATERIALIZED VIEW event_schema.quarantine AS SELECT * FROM public.quarantine", "MATERIALIZED VIEW"),
                         ("FOREIGN TABLE event_schema.quarantine (id bigint) SERVER nothing", "FOREIGN TABLE"),
                         ("SEQUENCE event_schema.quarantine", "SEQUENCE"),
                         ("TYPE event_schema.quarantine AS (id bigint)", "TYPE")):
        world.run("owner", f"CREATE {create}")
        for call in CALLS.values():
            world.refused("owner", call, "42809", "is not a table")
        # switching guards to off or enforce needs no quarantine
        world.run("owner", "SELECT set_event_guard_mode(NULL, 'off')", "SELECT set_event_guard_mode('ev', 'enforce')")
        world.run("owner", f"DROP {drop} event_schema.quarantine", "SELECT set_event_guard_mode('ev', 'quarantine')",
                  "DROP TABLE event_schema.quarantine")
    world.run("owner", "CREATE TABLE event_schema.quarantine (LIKE public.quarantine INCLUDING ALL) PARTITION BY RANGE (id)",
              "CREATE TABLE public.part PARTITION OF event_schema.quarantine DEFAULT")
    for call in CALLS.values():
        world.run("owner", call)
    assert count(world, "public.part") == 1


def test_a_strangers_object_in_its_place(world):
    """The error says whose it is, and the way out works."""
    make(world)
    world.run("owner", "DROP TABLE ev; TRUNCATE event_schema.quarantine; DROP TABLE event_schema.quarantine",
              f"GRANT CREATE ON SCHEMA event_schema TO {world.role('mallory')}", f"GRANT CREATE ON SCHEMA public TO {world.role('mallory')}",
              "CREATE TABLE ev (event_type text, schema_version int, data jsonb)")
    world.run("mallory", "CREATE TABLE event_schema.hers (id int)")
    for create in ("DOMAIN event_schema.quarantine AS int", "TYPE event_schema.quarantine AS ENUM ('a')",
                   "TYPE event_schema.quarantine AS RANGE (subtype = int)", "TYPE event_schema.quarantine AS (a int)",
                   "VIEW event_schema.quarantine AS SELECT 1 AS a", "SEQUENCE event_schema.quarantine",
                   "INDEX quarantine ON event_schema.hers (id)", "TABLE event_schema.quarantine (id int)"):
        world.run("mallory", f"CREATE {create}")
        sqlstate = "55000" if create.startswith("TABLE") else "42809"
        error = world.refused("owner", "SELECT add_event_guard('ev', 'quarantine')", sqlstate, f'"{world.role("mallory")}"', "owner of the database can drop it")
        hint = error.diag.message_hint
        drop = "DROP TABLE event_schema.quarantine" if create.startswith("TABLE") else hint[hint.index("DROP "):].rstrip(".")
        world.run("owner", drop, "SELECT add_event_guard('ev', 'quarantine')", "DROP TABLE event_schema.quarantine")
    # a type that gives way is no obstacle
    world.run("mallory", "CREATE DOMAIN event_schema.uarantine AS int", "CREATE TYPE event_schema._quarantine AS ENUM ('a')")
    world.run("owner", "SELECT add_event_guard('ev', 'quarantine')")


def test_a_strangers_table_in_its_place(world):
    make(world)
    world.run("owner", "TRUNCATE event_schema.quarantine", "GRANT CREATE ON SCHEMA event_schema TO mallory".replace(
        "mallory", world.role("mallory")), "GRANT INSERT ON ev TO PUBLIC")
    like = "CREATE TABLE public.alike (LIKE event_schema.quarantine INCLUDING ALL)"
    world.run("owner", like, "GRANT SELECT ON public.alike TO PUBLIC", "DROP TABLE event_schema.quarantine")
    world.run("mallory", "CREATE TABLE event_schema.quarantine (LIKE public.alike INCLUDING ALL)",
              "CREATE TABLE public.caught (who text)", "GRANT ALL ON public.caught TO PUBLIC",
              """CREATE FUNCTION public.trap() RETURNS trigger LANGUAGE plpgsql AS $$
                 BEGIN INSERT INTO public.caught VALUES (current_user); RETURN NEW; END $$""",
              "CREATE TRIGGER trap BEFORE INSERT ON event_schema.quarantine FOR EACH ROW EXECUTE FUNCTION public.trap()",
              "GRANT ALL ON event_schema.quarantine TO PUBLIC")
    for role in ("alice", "owner", None):
        world.refused(role, CALLS["divert"], "55000", world.role("mallory"))
    for call in CALLS.values():
        world.refused("owner", call, "55000", world.role("mallory"))
    world.refused("alice", "SELECT * FROM event_quarantine", "55000")
    assert count(world, "public.caught") == 0 and count(world, "event_schema.quarantine") == 0
    # the owner can mend it
    world.run("owner", "SELECT set_event_guard_mode('ev', 'enforce')")
    world.run(None, "DROP TABLE event_schema.quarantine")
    world.run("owner", "SELECT set_event_guard_mode('ev', 'quarantine')", CALLS["divert"])
    assert count(world, "event_schema.quarantine") == 1


SEIZE = """CREATE FUNCTION public.seize() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO public.seen VALUES (current_user, (SELECT rolsuper FROM pg_roles WHERE rolname = current_user));
        BEGIN
            RESET ROLE; RESET SESSION AUTHORIZATION;
        EXCEPTION WHEN OTHERS THEN
            NULL;
        END;
        SET search_path = mallory, public;
        INSERT INTO public.seen VALUES (current_user, (SELECT rolsuper FROM pg_roles WHERE rolname = current_user));
        IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
        RETURN NEW;
    END $$"""


def superusers_seen(world):
    return [row[0] for row in world.run(None, "SELECT who FROM public.seen WHERE superuser")]


def test_triggers_on_the_quarantine(world):
    """Triggers of the database's owner on it do not run as a superuser who replays or purges."""
    make(world, "alice", rows=4)
    world.run("owner", "CREATE TABLE public.seen (who text, superuser boolean)", "GRANT INSERT ON public.seen TO PUBLIC", SEIZE,
              """CREATE TRIGGER seize BEFORE INSERT OR UPDATE OR DELETE ON event_schema.quarantine
                 FOR EACH ROW EXECUTE FUNCTION public.seize()""",
              """CREATE TRIGGER seize_after AFTER INSERT OR UPDATE OR DELETE ON event_schema.quarantine
                 FOR EACH ROW EXECUTE FUNCTION public.seize()""",
              """UPDATE event_schema.quarantine SET "row" = '7' WHERE id % 2 = 0""")
    session = world.connect(None)
    before = session.execute("SHOW search_path").fetchone()
    world.run("owner", "TRUNCATE public.seen")
    session.execute("SELECT * FROM replay_event_quarantine()")
    session.execute("SELECT * FROM replay_event_quarantine('ev')")
    session.execute("SELECT purge_event_quarantine('0')")
    session.execute("SELECT set_event_guard_mode('ev', 'quarantine')")
    session.execute("INSERT INTO ev VALUES ('none', 1, '{}')")
    assert session.execute("SHOW search_path").fetchone() == before
    assert count(world, "public.seen") > 8
    assert superusers_seen(world) == []


def test_triggers_on_a_table(world):
    """Nor do those on the replayed tables, now or at the commit; their settings are reset."""
    make(world, "mallory")
    make(world, "mallory", "deferred")
    world.run("mallory", "CREATE TABLE public.seen (who text, superuser boolean)", "GRANT INSERT ON public.seen TO PUBLIC", SEIZE,
              "CREATE TRIGGER seize BEFORE INSERT ON ev FOR EACH ROW EXECUTE FUNCTION public.seize()",
              "CREATE TABLE more (n int)",
              """CREATE CONSTRAINT TRIGGER seize AFTER INSERT ON more DEFERRABLE INITIALLY DEFERRED
                 FOR EACH ROW EXECUTE FUNCTION public.seize()""",
              """CREATE FUNCTION more() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO more VALUES (1); RETURN NEW; END'""",
              "CREATE TRIGGER more BEFORE INSERT ON deferred FOR EACH ROW EXECUTE FUNCTION public.more()")
    session = world.connect(None)
    before = session.execute("SHOW search_path").fetchone()
    session.execute("SELECT * FROM replay_event_quarantine()")
    session.execute("SELECT * FROM replay_event_quarantine('ev')")
    session.execute("SELECT * FROM replay_event_quarantine('deferred')")
    assert session.execute("SHOW search_path").fetchone() == before
    assert count(world, "ev") == 2
    assert superusers_seen(world) == [], "as a superuser"


def test_forged_rows(world):
    """Rows written into the quarantine do not create a superuser when another role replays them."""
    make(world)
    world.run(None, "CREATE TABLE public.allowed (who text)")
    world.run("owner", """INSERT INTO event_schema.quarantine (relation_schema, relation_name, "row", violations, kept, arrived_at, role,
        application, "transaction") SELECT s, n, r::jsonb, '[]', false, now(), 'postgres', '', '1'
        FROM (VALUES ('pg_catalog', 'pg_authid', '{"oid": 99999, "rolname": "hostile_forged", "rolsuper": true, "rolinherit": true,
        "rolcreaterole": true, "rolcreatedb": true, "rolcanlogin": true, "rolreplication": true, "rolbypassrls": true, "rolconnlimit": -1}'),
        ('public', 'allowed', '{"who": "mallory"}')) AS v (s, n, r)""")
    rows = world.run(None, "SELECT * FROM replay_event_quarantine()")
    made = world.run(None, "SELECT rolsuper FROM pg_authid WHERE rolname = 'hostile_forged'")
    world.run(None, "DROP ROLE IF EXISTS hostile_forged")
    assert made == [], made
    assert count(world, "public.allowed") == 0
    problems = {row[1]: row[5] for row in rows}
    assert "system catalog" in problems["pg_authid"] and "no event guard" in problems["allowed"], problems
    world.run(None, "SELECT * FROM replay_event_quarantine('pg_authid')")
    assert world.run(None, "SELECT count(*) FROM pg_authid WHERE rolname = 'hostile_forged'") == [(0,)]
    assert count(world, "ev") == 2


def test_only_the_owner_writes_it(world):
    make(world, "alice")
    for role in ("alice", "bob", "mallory"):
        for call in ("DELETE FROM event_schema.quarantine", "TRUNCATE event_schema.quarantine", "SELECT * FROM event_quarantine",
                     "SELECT * FROM replay_event_quarantine()", "SELECT purge_event_quarantine('0')",
                     """INSERT INTO event_schema.quarantine ("row") VALUES ('{}')""",
                     "UPDATE event_schema.quarantine SET relation_name = 'x'"):
            world.refused(role, call, "42501")


def test_waits_for_no_right(world):
    """A role without rights on it does not wait for its lock."""
    make(world)
    holder = world.connect("owner")
    holder.execute("BEGIN; LOCK event_schema.quarantine")
    for call in (CALLS["view"], CALLS["replay"], CALLS["purge"]):
        background = Background(world.connect("mallory"), call)
        assert background.join_within(5).sqlstate == "42501"


def test_moves_only_its_own_identity(world):
    """create_event_quarantine() calls no function for the sequences of strangers, which the tables' owner cannot read."""
    world.run(None, PUBLIC_SCHEMA)
    world.run("mallory", "CREATE SEQUENCE private", "SELECT nextval('private')")
    world.run("owner", "SELECT create_event_quarantine()", "SELECT create_event_quarantine(1000)")
    make(world, rows=1)
    assert world.run("owner", "SELECT id FROM event_schema.quarantine") == [(1000,)]


def test_dropping(world):
    """Commands do not drop events implicitly; the owner can move or empty the table first."""
    make(world)
    for role, command in (("owner", "DROP TABLE event_schema.quarantine"),
                          ("owner", "DROP TABLE IF EXISTS ev, event_schema.quarantine CASCADE"),
                          ("owner", "DROP EXTENSION event_validate CASCADE"),
                          (None, "DROP EXTENSION plpgsql CASCADE"),
                          (None, f"DROP OWNED BY {world.role('owner')} CASCADE"),
                          (None, "DROP SCHEMA public CASCADE"),
                          (None, "DROP EXTENSION event_validate, plpgsql CASCADE")):
        world.refused(role, command, "2BP01", "event_schema.quarantine", "holds events", "purge_event_quarantine")
    world.refused(None, "DROP SCHEMA event_schema CASCADE", "2BP01")
    world.refused(None, "DROP LANGUAGE plpgsql CASCADE", "2BP01")
    assert count(world, "event_schema.quarantine") == 2
    # other tables of that name can be dropped; rights are checked by PostgreSQL
    world.run("owner", "CREATE TABLE public.quarantine (id int)", "INSERT INTO public.quarantine VALUES (1)", "DROP TABLE public.quarantine")
    world.refused("mallory", "DROP TABLE event_schema.quarantine", "42501")
    # dropping a parent would drop it as a partition; PostgreSQL 17 attaches no table with an identity column
    world.run("owner", "CREATE TABLE public.parent (LIKE event_schema.quarantine) PARTITION BY RANGE (id)",
              "ALTER TABLE event_schema.quarantine ALTER id DROP IDENTITY",
              "ALTER TABLE public.parent ATTACH PARTITION event_schema.quarantine DEFAULT")
    world.refused("owner", "DROP TABLE public.parent", "2BP01", "holds events")
    world.run("owner", "ALTER TABLE public.parent DETACH PARTITION event_schema.quarantine", "DROP TABLE public.parent")
    # move it away, or empty it
    world.run("owner", "ALTER TABLE event_schema.quarantine SET SCHEMA public", "DROP EXTENSION event_validate CASCADE")
    assert count(world, "public.quarantine") == 2


def test_dropping_what_is_empty(world):
    make(world)
    world.run("owner", "SELECT purge_event_quarantine('-1 s')", "DROP TABLE event_schema.quarantine",
              "SELECT set_event_guard_mode('ev', 'quarantine')")
    assert count(world, "event_schema.quarantine") == 0
    world.run(None, "DROP EXTENSION plpgsql CASCADE")
    assert world.run(None, "SELECT count(*) FROM pg_extension WHERE extname = 'event_validate'") == [(0,)]


def test_dropped_while_somebody_writes(world):
    """An event whose transaction is open when the table is to be dropped is not lost."""
    make(world)
    world.run("owner", "TRUNCATE event_schema.quarantine")
    writer = world.connect("owner")
    writer.execute("BEGIN")
    writer.execute(CALLS["divert"])
    dropper = Background(world.connect("owner"), "DROP TABLE event_schema.quarantine")
    dropper.join(0.5)
    assert dropper.is_alive()
    writer.execute("COMMIT")
    error = dropper.join_within(10)
    assert error is not None and error.sqlstate == "2BP01", error
    assert count(world, "event_schema.quarantine") == 1


def test_replay_within_a_replay(world):
    """A replay by a trigger or a repair is refused, and the outer one continues."""
    make(world, rows=300)
    world.run("owner",
              """CREATE FUNCTION again(r jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
                 BEGIN PERFORM replay_event_quarantine('ev'); RETURN r; END $$""",
              """CREATE FUNCTION again() RETURNS trigger LANGUAGE plpgsql AS $$
                 BEGIN PERFORM replay_event_quarantine('ev'); RETURN NEW; END $$""")
    world.refused("owner", "SELECT * FROM replay_event_quarantine('ev', repair => 'again(jsonb)')", "55000", "already")
    world.run("owner", "CREATE TRIGGER again BEFORE INSERT ON ev FOR EACH ROW EXECUTE FUNCTION again()")
    session = world.connect("owner")
    assert "already" in session.execute("SELECT problem FROM replay_event_quarantine()").fetchone()[0]
    # an error leaves no state: the next replay works, and so does the guard
    session.execute("DROP TRIGGER again ON ev")
    try:
        session.execute("SELECT * FROM replay_event_quarantine('ev', repair => 'again(jsonb)')")
        raise AssertionError("not refused")
    except psycopg.Error as error:
        assert error.sqlstate == "55000", error
    session.execute("INSERT INTO ev VALUES ('ev', 2, '{}')")
    assert session.execute("SELECT replayed, remaining FROM replay_event_quarantine('ev')").fetchone() == (300, 1)


def test_what_a_repair_does(world):
    """A repair alters, drops and cancels objects that the replay is about to use: this number of events is replayed, or this error is raised."""
    make(world, rows=3)
    session = world.connect("owner")
    for action, outcome in (
            ("ALTER TABLE ev ADD IF NOT EXISTS added text", 3),
            ("ALTER TABLE ev ALTER data TYPE json USING data::json", 0),
            ("PERFORM drop_event_guard('ev')", 1),
            ("PERFORM set_event_guard_mode('ev', 'enforce')", 3),
            ("DROP TABLE IF EXISTS ev CASCADE; CREATE TABLE ev (event_type int, schema_version text, data point)", 0),
            ("ALTER TABLE event_schema.quarantine ALTER row TYPE int USING 5", 3),
            ("ALTER TABLE event_schema.quarantine DROP row", 1),
            ("DROP TABLE event_schema.quarantine", 0),
            ("ALTER TABLE event_schema.quarantine RENAME TO other", "42P01"),
            ("TRUNCATE event_schema.quarantine", "55000"),
            ("DELETE FROM event_schema.quarantine", "55000"),
            ("ALTER SCHEMA event_schema RENAME TO other", 0),
            ("CREATE OR REPLACE FUNCTION act(r jsonb) RETURNS jsonb LANGUAGE sql AS 'SELECT r'", 3),
            ("DROP FUNCTION IF EXISTS act(jsonb)", 1),
            ("ROLLBACK", 0), ("COMMIT", 0),
            ("PERFORM pg_cancel_backend(pg_backend_pid())", "57014"),
            ("PERFORM set_config('search_path', 'nowhere', false)", 3)):
        session.execute("BEGIN")
        session.execute(f"""CREATE OR REPLACE FUNCTION act(r jsonb) RETURNS jsonb LANGUAGE plpgsql AS
            $act$ BEGIN {action}; RETURN r; END $act$""")
        try:
            replayed = session.execute("SELECT replayed FROM replay_event_quarantine('ev', repair => 'act(jsonb)')").fetchone()[0]
        except psycopg.Error as error:
            replayed = error.sqlstate
        assert replayed == outcome, f"{action}: {replayed}"
        session.execute("ROLLBACK")
    assert session.execute("SELECT replayed FROM replay_event_quarantine('ev')").fetchone() == (3,)


def test_policies_on_the_quarantine(world):
    """Row security on it hides rows from the roles of the policy, and changes nothing for others."""
    make(world, "alice", rows=4)
    alice = world.role("alice")
    world.run("owner", f"GRANT SELECT, UPDATE, DELETE ON event_schema.quarantine TO {alice}",
              "ALTER TABLE event_schema.quarantine ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY",
              f"CREATE POLICY half ON event_schema.quarantine TO {alice} USING (id % 2 = 0)")
    assert len(world.run("alice", "SELECT * FROM event_quarantine")) == 2
    assert world.run("alice", "SELECT replayed, remaining FROM replay_event_quarantine()") == [(2, 0)]
    assert world.run("alice", "SELECT purge_event_quarantine('0')") == [(0,)]
    world.run("alice", CALLS["divert"])
    assert world.run(None, "SELECT replayed, remaining FROM replay_event_quarantine()") == [(2, 1)]
    assert world.run(None, "SELECT purge_event_quarantine('-1 s')") == [(1,)]


def test_trigger_closes_all_cursors(world):
    make(world, rows=600)
    world.run("owner", """CREATE FUNCTION closing() RETURNS trigger LANGUAGE plpgsql AS $$
                          BEGIN EXECUTE 'CLOSE ALL'; RETURN new; END $$""",
              "CREATE TRIGGER closing BEFORE INSERT ON ev FOR EACH ROW EXECUTE FUNCTION closing()")
    rows = world.run("owner", "SELECT replayed, remaining, problem FROM replay_event_quarantine('ev')")
    assert rows == [(600, 0, None)], rows
    assert count(world, "ev") == 600


def replayed(world, role, call="replay_event_quarantine()"):
    """Name, number of replayed and of remaining events, and problem of each table."""
    return {row[0]: row[1:] for row in world.run(role, f"SELECT relation_name, replayed, remaining, problem FROM {call} WHERE event_id IS NULL")}


def test_a_strangers_table_of_the_same_name(world):
    """Events of a dropped or renamed table do not go to a table that somebody else makes in its place."""
    alice, mallory = world.role("alice"), world.role("mallory")
    seen = "SELECT count(*) FROM public.seen"
    world.run(None, "CREATE TABLE public.seen (row text)", "GRANT ALL ON public.seen TO PUBLIC")
    for number, (take, put) in enumerate((("DROP TABLE {}", None), ("ALTER TABLE {} RENAME TO old_{}", "ALTER TABLE old_{} RENAME TO {}"))):
        table = f"ev{number}"
        make(world, "alice", table, rows=3)
        world.run("alice", take.format(table, table))
        world.run("mallory", f"CREATE TABLE {table} (event_type text, schema_version int, data jsonb)",
                  f"GRANT INSERT ON {table} TO PUBLIC", f"SELECT add_event_guard('{table}', 'quarantine')",
                  f"""CREATE FUNCTION {table}_trap() RETURNS trigger LANGUAGE plpgsql AS $$
                      BEGIN INSERT INTO public.seen VALUES (NEW.data); RETURN NEW; END $$""",
                  f"CREATE TRIGGER trap BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION {table}_trap()")
        for role in (None, "owner"):
            if role == "owner":
                world.run(None, f"GRANT {mallory} TO {world.role('owner')}")
            for call in ("replay_event_quarantine()", "replay_event_quarantine(dry_run => true)", f"replay_event_quarantine('{table}')",
                         f"replay_event_quarantine('{table}', dry_run => true)",
                         f"replay_event_quarantine('{table}', ids => ARRAY(SELECT id FROM event_quarantine))"):
                moved, remaining, problem = replayed(world, role, call)[table]
                assert (moved, remaining) == (0, 3) and f'"{alice}"' in problem and f'"{mallory}"' in problem, f"{call}: {moved}, {remaining}, {problem}"
                assert "relation_owner in event_schema.quarantine" in problem, problem
        world.run(None, f"REVOKE {mallory} FROM {world.role('owner')}")
        assert world.run(None, seen) == [(0,)], "the stranger's trigger saw an event"
        assert count(world, table) == 0
        reasons = world.run(None, f"SELECT violations -> 0 ->> 'message', violations -> 0 ->> 'sqlstate' FROM event_quarantine WHERE relation_name = '{table}'")
        assert len(reasons) == 3 and all("does not have the rights of that role" in text and state == "42501" for text, state in reasons), reasons
        # the stranger's own events come through, behind those that stay
        world.run("bob", f"INSERT INTO {table} VALUES ('{table}', 2, '{{}}')")
        world.run("owner", f"SELECT register_event_schema('{table}', 2, '{{}}')")
        assert replayed(world, None)[table][:2] == (1, 3)
        # the right table gets them
        world.run("mallory", f"DROP TABLE {table}")
        if put:
            world.run("alice", put.format(table, table))
        else:
            world.run("alice", f"CREATE TABLE {table} (event_type text, schema_version int, data jsonb)", f"SELECT add_event_guard('{table}', 'quarantine')")
        assert replayed(world, None)[table] == (3, 0, None)
        assert count(world, table) == 3
        world.run(None, "TRUNCATE public.seen")


def test_owners_whose_table_gets_the_events(world):
    """Another owner gets them with the rights of the recorded one; for all others the quarantine's owner decides."""
    alice, mallory = world.role("alice"), world.role("mallory")
    make(world, "alice", rows=2)
    fill = "INSERT INTO ev VALUES ('none', 1, '{}')"
    assert world.run("owner", "SELECT DISTINCT relation_owner FROM event_schema.quarantine") == [(alice,)]
    # rights in the wrong direction
    world.run(None, f"ALTER TABLE ev OWNER TO {mallory}", f"GRANT {mallory} TO {alice}", f"GRANT INSERT ON ev TO {alice}")
    assert replayed(world, None)["ev"][:2] == (0, 2)
    world.run(None, f"REVOKE {mallory} FROM {alice}", f"GRANT {alice} TO {mallory}")
    assert replayed(world, None, "replay_event_quarantine('ev', max_rows => 1)")["ev"] == (1, 1, None)
    world.run(None, f"REVOKE {alice} FROM {mallory}")
    assert replayed(world, None)["ev"][:2] == (0, 1)
    # a superuser reads each table anyway
    world.run(None, "ALTER TABLE ev OWNER TO postgres")
    assert replayed(world, None)["ev"] == (1, 0, None)
    # the recorded role is renamed or gone
    world.run(None, f"ALTER TABLE ev OWNER TO {alice}", fill, fill)
    world.run("owner", "UPDATE event_schema.quarantine SET relation_owner = E'gone\\n'")
    moved, remaining, problem = replayed(world, None)["ev"]
    assert (moved, remaining) == (0, 2) and "does not exist" in problem and "gone\\n" in problem and "\n" not in problem, problem
    # the way out, for some of the rows and for all
    world.run("owner", "SELECT register_event_schema('none', 1, '{}')",
              "UPDATE event_schema.quarantine SET relation_owner = 'gone' WHERE id = (SELECT min(id) FROM event_schema.quarantine)",
              f"UPDATE event_schema.quarantine SET relation_owner = '{alice}' WHERE relation_owner <> 'gone'")
    moved, remaining, problem = replayed(world, None)["ev"]
    assert (moved, remaining) == (1, 1) and '"gone"' in problem, problem
    world.run("owner", "UPDATE event_schema.quarantine SET relation_owner = NULL")
    assert replayed(world, None)["ev"] == (1, 0, None)


def test_without_the_column_of_the_owner(world):
    """A quarantine that an earlier build made has no such column: all works, and nothing is checked."""
    make(world, "alice", rows=1)
    writer = world.connect("alice")
    writer.execute("INSERT INTO ev VALUES ('ev', 2, '{}')")
    world.run("owner", "ALTER TABLE event_schema.quarantine DROP relation_owner")
    writer.execute("INSERT INTO ev VALUES ('ev', 2, '{}')")
    assert len(world.run("owner", CALLS["view"])) == 3
    world.run(None, f"ALTER TABLE ev OWNER TO {world.role('mallory')}", f"GRANT INSERT ON ev TO {world.role('alice')}")
    assert replayed(world, None)["ev"] == (1, 2, None)
    world.run("owner", "ALTER TABLE event_schema.quarantine ADD relation_owner text")
    writer.execute("INSERT INTO ev VALUES ('ev', 2, '{}')")
    assert world.run("owner", "SELECT relation_owner FROM event_schema.quarantine ORDER BY id") == [(None,), (None,), (world.role("mallory"),)]
    world.run(None, f"ALTER TABLE ev OWNER TO {world.role('owner')}")
    # it is not the column of another kind
    owner = world.connect("owner")
    for what in ("TYPE int USING 5", None):
        owner.execute(f"ALTER TABLE event_schema.quarantine ALTER relation_owner {what}" if what else
                      "ALTER TABLE event_schema.quarantine DROP relation_owner, ADD relation_owner text GENERATED ALWAYS AS ('x') STORED")
        each_call_is_refused(world, owner, "relation_owner", "relation_owner")
