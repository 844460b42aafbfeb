"""Users' code that runs in a guard: expressions, their compilation, policies, constraints."""

import time

import psycopg
from world import Background, Skipped, told

# {"qty": "1"} is valid, {"qty": 1} is not; versions 3 and 4, which is deprecated
ORDER = '{"properties": {"qty": {"type": "string"}}%s}'


def prepare(world):
    """The event schemas; and alice's SQL schema "a", which bob and mallory can use."""
    world.run("owner", f"""SELECT register_event_schema('order', 3, '{ORDER % ""}')""",
              f"""SELECT register_event_schema('order', 4, '{ORDER % ', "deprecated": true'}')""")
    world.run(None, f"CREATE SCHEMA a AUTHORIZATION {world.role('alice')}", "GRANT USAGE ON SCHEMA a TO PUBLIC")


def fails(session, command, sqlstate, *words):
    """The error of a command."""
    try:
        session.execute(command)
    except psycopg.Error as error:
        said = "\n".join(filter(None, (error.diag.message_primary, error.diag.message_detail,
                                       error.diag.message_hint, error.diag.context)))
        assert error.sqlstate == sqlstate, f"{error.sqlstate}, not {sqlstate}: {(said or str(error))[:500]}"
        for word in words:
            assert word in said, f"no {word!r} in {said!r}"
        return error
    raise AssertionError(f"not refused: {command}")


def temporary_table(session):
    session.execute("CREATE TEMP TABLE t (id int, event_type text, schema_version int, data jsonb, j text)")


def code(session, body, name="f", once=True, volatility="VOLATILE"):
    """A function that returns its argument, and runs code (once)."""
    if once:
        body = f"""if current_setting('my.done', true) is distinct from 'yes' then
            perform set_config('my.done', 'yes', false); {body} end if;"""
    session.execute("SELECT set_config('my.done', 'no', false)")
    session.execute(f"""CREATE OR REPLACE FUNCTION pg_temp.{name}(v text) RETURNS text LANGUAGE plpgsql {volatility}
        AS $f$ begin {body} return v; end $f$""")


def guard(data="new.data", kind="new.event_type", version="new.schema_version", mode="warn", table="pg_temp.t"):
    return f"""CREATE OR REPLACE TRIGGER z BEFORE INSERT OR UPDATE ON {table} FOR EACH ROW
        WHEN (true OR _event_validate.event_guard_reads(ROW({data}, {kind}, {version}))) EXECUTE FUNCTION guard_event('{mode}')"""


def written(mode="warn", data="data", kind="event_type", version="schema_version", table="pg_temp.t"):
    """A guard whose expressions are text arguments."""
    quoted = ", ".join("$q$" + text + "$q$" for text in (data, kind, version))
    return f"""CREATE OR REPLACE TRIGGER z BEFORE INSERT OR UPDATE ON {table} FOR EACH ROW
        EXECUTE FUNCTION guard_event('{mode}', {quoted})"""


ROW = """INSERT INTO pg_temp.t VALUES (%d, 'order', 3, '{"qty": 1}', '{"qty": 1}')"""
VALID = """INSERT INTO pg_temp.t VALUES (%d, 'order', 3, '{"qty": "1"}', '{"qty": "1"}')"""


# ---------- expressions that replace the trigger ----------

def replaced_from(world, first, second):
    """The first trigger's f replaces it by the second one, and fires that."""
    prepare(world)
    mallory = world.connect("mallory")
    messages = told(mallory)
    temporary_table(mallory)
    code(mallory, f"execute $e${second}$e$; execute $e${ROW % 2}$e$;")
    mallory.execute(first)
    mallory.execute(ROW % 1)
    assert mallory.execute("SELECT array_agg(id ORDER BY id) FROM t").fetchall() == [([1, 2],)]
    # both are invalid under the schema, and there is no other message
    assert len([message for message in messages if "/qty: must be string" in message]) == 2, messages


def test_reentry(world):
    """The second trigger has an expression that the first one did not compile."""
    replaced_from(world, guard(kind="pg_temp.f(new.event_type)"),
                  guard("(new.j||'')::jsonb", "pg_temp.f(new.event_type)", "new.schema_version+0"))


def test_reentry_of_another_type(world):
    """The text of the first one's expression, as the jsonb of the second's."""
    replaced_from(world, guard("new.j||''", "pg_temp.f(new.event_type)"),
                  guard("(new.j||'')::jsonb", "pg_temp.f(new.event_type)"))


def test_reentry_of_another_kind(world):
    """The jsonb of the first one's expression, as the text of the second's."""
    replaced_from(world, guard("new.data||'{}'", "pg_temp.f(new.event_type)"),
                  guard("new.j||''", "pg_temp.f(new.event_type)"))


def test_reentry_while_compiled(world):
    """A function that the planner calls replaces the trigger."""
    prepare(world)
    mallory = world.connect("mallory")
    temporary_table(mallory)
    second = guard("(new.j||'')::jsonb", "new.event_type||''", "new.schema_version+0")
    code(mallory, f"execute $e${second}$e$; execute $e${ROW % 2}$e$;", volatility="IMMUTABLE")
    mallory.execute(guard(kind="new.event_type||pg_temp.f('')"))
    # PostgreSQL rejects writes by an immutable function
    fails(mallory, ROW % 1, "0A000", "not allowed in a non-volatile function")
    code(mallory, "perform pg_temp.g('');", volatility="IMMUTABLE")
    code(mallory, f"execute $e${second}$e$; execute $e${ROW % 2}$e$;", name="g", once=False)
    mallory.execute(ROW % 1)
    assert mallory.execute("SELECT array_agg(id ORDER BY id) FROM t").fetchall() == [([1, 2],)]


def test_reentry_while_parsed(world):
    """The input of a domain's literal runs users' code, if expressions are text."""
    prepare(world)
    mallory = world.connect("mallory")
    messages = told(mallory)
    temporary_table(mallory)
    second = written(data="j::jsonb", kind="event_type||''", version="schema_version+0")
    code(mallory, f"execute $e${second}$e$; execute $e${ROW % 2}$e$;")
    mallory.execute("CREATE DOMAIN pg_temp.d AS text CHECK (pg_temp.f(VALUE) IS NOT NULL)")
    mallory.execute(written(kind="event_type||('x'::pg_temp.d::text||'')"))
    mallory.execute(ROW % 1)
    assert mallory.execute("SELECT array_agg(id ORDER BY id) FROM t").fetchall() == [([1, 2],)]
    # the outer row by the trigger that fired, the inner one by the new trigger
    assert any('"orderx" version 3 is not registered' in message for message in messages), messages
    assert any("/qty: must be string" in message for message in messages), messages


def test_switched_off_meanwhile(world):
    """The mode of the trigger that fired counts."""
    prepare(world)
    mallory = world.connect("mallory")
    messages = told(mallory)
    temporary_table(mallory)
    off = "CREATE OR REPLACE TRIGGER z BEFORE INSERT ON pg_temp.t FOR EACH ROW EXECUTE FUNCTION guard_event('off')"
    code(mallory, f"execute $e${off}$e$; execute $e${ROW % 2}$e$;")
    mallory.execute(guard(kind="pg_temp.f(new.event_type)"))
    mallory.execute(ROW % 1)
    assert len([message for message in messages if "/qty: must be string" in message]) == 1, messages
    mallory.execute("SELECT set_config('my.done', 'no', false)")
    mallory.execute(guard(kind="pg_temp.f(new.event_type)", mode="enforce"))
    fails(mallory, ROW % 3, "23514", "/qty: must be string")


def test_dropped_meanwhile(world):
    """The trigger, or a function of its other expressions, is dropped."""
    prepare(world)
    for body in ("drop trigger z on pg_temp.t;", "drop function pg_temp.g(text) cascade;",
                 f"drop trigger z on pg_temp.t; execute $e${ROW % 2}$e$;",
                 f"drop function pg_temp.g(text) cascade; execute $e${ROW % 2}$e$;"):
        mallory = world.connect("mallory")
        messages = told(mallory)
        temporary_table(mallory)
        code(mallory, "", name="g", once=False)
        code(mallory, body)
        mallory.execute(guard(data="pg_temp.g(new.j)", kind="pg_temp.f(new.event_type)"))
        try:
            mallory.execute(ROW % 1)
            assert any("/qty: must be string" in message for message in messages), messages
        except psycopg.Error as error:
            # PL/pgSQL cannot find g
            assert "cache lookup failed for function" in str(error), error


def test_dropped_column(world):
    """A column is dropped with its domain, which the session's own locks do not prevent."""
    prepare(world)
    for first in (written(kind="pg_temp.f(event_type)"), guard(kind="pg_temp.f(new.event_type)")):
        for expression in ("data", "data::jsonb || '{}'"):
            mallory = world.connect("mallory")
            temporary_table(mallory)
            mallory.execute("CREATE DOMAIN pg_temp.d AS jsonb")
            mallory.execute("ALTER TABLE t DROP COLUMN data, ADD data pg_temp.d")
            code(mallory, "drop domain pg_temp.d cascade;")
            if "guard_event('warn', " in first:
                mallory.execute(written(kind="pg_temp.f(event_type)", data=expression))
            else:
                mallory.execute(guard(kind="pg_temp.f(new.event_type)", data=f"new.{expression}"))
            command = """INSERT INTO t (id, event_type, schema_version, data) VALUES (1, 'order', 3, '{"qty": 1}')"""
            if expression == "data":
                fails(mallory, command, "42804", "was changed while the guard ran")
            else:
                try:
                    mallory.execute(command)
                except psycopg.Error as error:
                    assert error.sqlstate in ("42703", "42804"), error
            mallory.execute("DROP TABLE IF EXISTS t")


def test_dropped_column_before(world):
    """A trigger that fires before the guard drops the guard's column."""
    prepare(world)
    mallory = world.connect("mallory")
    for first, expression in ((guard, "new.data"), (guard, "new.data::jsonb || '{}'"), (written, "data")):
        mallory.execute("DROP TABLE IF EXISTS pg_temp.t")
        temporary_table(mallory)
        mallory.execute("CREATE DOMAIN pg_temp.d AS jsonb")
        mallory.execute("ALTER TABLE t DROP COLUMN data, ADD data pg_temp.d")
        code(mallory, "drop domain pg_temp.d cascade;", name="drops")
        # whose condition drops it, and is false then
        mallory.execute("""CREATE TRIGGER a BEFORE INSERT ON t FOR EACH ROW WHEN (pg_temp.drops('') = 'fires')
            EXECUTE FUNCTION suppress_redundant_updates_trigger()""")
        mallory.execute(first(data=expression))
        fails(mallory, """INSERT INTO t (id, event_type, schema_version, data) VALUES (1, 'order', 3, '{"qty": 1}')""",
              "42703")
        mallory.execute("DROP DOMAIN pg_temp.d CASCADE")


def test_deep_reentry(world):
    """The trigger is fired again by all of its own expressions, many times."""
    prepare(world)
    mallory = world.connect("mallory")
    messages = told(mallory)
    temporary_table(mallory)
    code(mallory, f"""if pg_trigger_depth() < 7 then execute $e${ROW % 2}$e$; end if;""", once=False)
    mallory.execute(guard(kind="pg_temp.f(new.event_type)", data="pg_temp.f(new.j)"))
    mallory.execute(ROW % 1)
    assert mallory.execute("SELECT count(*) FROM t").fetchall() == [(127,)]
    assert len(messages) == 127, len(messages)


# ---------- errors, cancels, commits ----------

def test_raises_again_and_again(world):
    """State that functions keep from a failed call is not used for the next row."""
    prepare(world)
    mallory = world.connect("mallory")
    messages = told(mallory)
    temporary_table(mallory)
    mallory.execute("""CREATE FUNCTION pg_temp.half(v text) RETURNS text LANGUAGE sql VOLATILE AS
        $$ SELECT v FROM (SELECT (v || '0')::int / length(nullif(v, '3'))) AS x (y) WHERE y > 0 $$""")
    mallory.execute(guard(version="pg_temp.half(new.j)::int"))
    mallory.execute("""INSERT INTO t SELECT i, 'order', 3, '{"qty": "1"}', CASE WHEN i % 3 = 0 THEN 'x' ELSE '3' END
        FROM generate_series(1, 300) i""")
    assert mallory.execute("SELECT count(*) FROM t").fetchall() == [(300,)]
    assert [message for message in messages if "invalid input syntax" in message] == \
        ['event "order" is not valid: invalid input syntax for type integer: "x0" (100 events)'], messages


def test_other_errors_are_raised(world):
    """Cancels and internal errors do not count as errors of the row."""
    prepare(world)
    mallory = world.connect("mallory")
    temporary_table(mallory)
    for sqlstate in ("57014", "XX000", "42501", "40001", "25001"):
        code(mallory, f"raise exception using errcode = '{sqlstate}';", once=False)
        mallory.execute(guard(kind="pg_temp.f(new.event_type)"))
        fails(mallory, ROW % 1, sqlstate)
    code(mallory, "perform pg_cancel_backend(pg_backend_pid()); perform pg_sleep(5);", once=False)
    fails(mallory, ROW % 1, "57014")
    assert mallory.execute("SELECT count(*) FROM t").fetchall() == [(0,)]


def test_cancelled_from_outside(world):
    prepare(world)
    mallory = world.connect("mallory")
    temporary_table(mallory)
    code(mallory, "perform pg_sleep(100);", once=False)
    for place in ("kind", "data"):
        mallory.execute(guard(**{place: "pg_temp.f(new.j)"}))
        background = Background(mallory, ROW % 1)
        time.sleep(0.3)
        mallory.cancel()
        assert background.join_within(5).sqlstate == "57014"


def test_commits(world):
    """A procedure called by an expression cannot commit or roll back."""
    prepare(world)
    mallory = world.connect("mallory")
    temporary_table(mallory)
    for end in ("commit", "rollback"):
        mallory.execute(f"CREATE OR REPLACE PROCEDURE pg_temp.p() LANGUAGE plpgsql AS $$ begin {end}; end $$")
        code(mallory, "call pg_temp.p();", once=False)
        for first in (guard(kind="pg_temp.f(new.event_type)"), guard(data="pg_temp.f(new.j)", mode="enforce")):
            mallory.execute(first)
            fails(mallory, ROW % 1, "2D000", "invalid transaction termination")


# ---------- the schema and the old row ----------

def test_schema_replaced_meanwhile(world):
    """The owner's code replaces the schema before and after it is looked up, so that its program is freed."""
    prepare(world)
    owner = world.connect("owner")
    temporary_table(owner)
    again = f"""perform public.register_event_schema('order', %s,
        format('{ORDER % ', "title": "%%s", "deprecated": %s'}', random())::text);"""
    code(owner, f"""{again % (4, 'true')} {again % (3, 'false')} perform public.validate_event('{{}}', 'order', 3);
        perform public.validate_event('{{}}', 'order', 4);""", once=False)
    owner.execute(guard(kind="pg_temp.f(new.event_type)"))
    messages = told(owner)
    # the check for a deprecated version runs f for the old row, after the new one was found valid
    owner.execute("""INSERT INTO t VALUES (1, 'order', 3, '{"qty": "1"}', '')""")
    owner.execute("UPDATE t SET schema_version = 4")
    owner.execute("UPDATE t SET id = 5")
    assert messages == ['event schema "order@4" is deprecated'], messages
    owner.execute("""UPDATE t SET data = '{"qty": 1}', schema_version = 3""")
    assert len(messages) == 2 and "/qty: must be string" in messages[1], messages


def test_deprecation_of_an_added_column(world):
    """A missing value that the catalog has is read, too: the row had that version before."""
    prepare(world)
    alice = world.connect("alice")
    alice.execute("CREATE TABLE a.t (id int, data jsonb)")
    alice.execute("""INSERT INTO a.t SELECT i, '{"qty": "1"}' FROM generate_series(1, 3) i""")
    alice.execute("ALTER TABLE a.t ADD event_type text DEFAULT 'order', ADD schema_version int DEFAULT 4")
    alice.execute("SET client_min_messages = warning")
    messages = told(alice)
    for expressions in ("", ", type_expr => 'lower(event_type)', version_expr => 'schema_version + 0'"):
        alice.execute(f"SELECT add_event_guard('a.t', 'enforce'{expressions})")
        alice.execute("UPDATE a.t SET id = id WHERE id = 1" if expressions else "UPDATE a.t SET id = id WHERE id = 2")
    assert messages == [], messages
    alice.execute("""UPDATE a.t SET event_type = event_type || '', schema_version = 3 WHERE id = 3""")
    alice.execute("UPDATE a.t SET schema_version = 4 WHERE id = 3")
    assert messages == ['event schema "order@4" is deprecated'], messages


# ---------- diverted rows: policies and constraints ----------

def table(world, columns="", mode="quarantine"):
    """Alice's guarded table a.t, into which bob can insert."""
    prepare(world)
    world.run("alice",
              f"""CREATE TABLE a.t (id int GENERATED ALWAYS AS IDENTITY, event_type text DEFAULT 'order',
              schema_version int DEFAULT 3, data jsonb {columns})""",
              f"SELECT add_event_guard('a.t', '{mode}')", "GRANT INSERT, SELECT ON a.t TO PUBLIC")


def insert(columns="", values=""):
    return f"""INSERT INTO a.t (data{columns}) VALUES ('{{"qty": 1}}'{values})"""


BECAUSE = "the event is not diverted to the quarantine, because"


def diverted(world):
    return world.run("owner", "SELECT count(*) FROM event_schema.quarantine")[0][0]


def test_check_of_the_sender(world):
    """A row that its sender may not insert is not diverted, since another role's replay would insert it."""
    table(world, ", who text CHECK (who = current_user)")
    bob = world.connect("bob")
    error = fails(bob, insert(", who", f", '{world.role('alice')}'"), "23514",
                  'new row for relation "t" violates check constraint "t_who_check"', BECAUSE)
    assert (error.diag.table_name, error.diag.constraint_name) == ("t", "t_who_check")
    assert diverted(world) == 0
    bob.execute(insert(", who", f", '{world.role('bob')}'"))
    assert diverted(world) == 1


def test_not_null_and_domains(world):
    prepare(world)
    world.run("alice", "CREATE DOMAIN a.small AS int CHECK (VALUE < 10)", "CREATE DOMAIN a.named AS text NOT NULL",
              """CREATE TABLE a.t (event_type text DEFAULT 'order', schema_version int DEFAULT 3, data jsonb,
              note text NOT NULL, d a.small, n a.named DEFAULT 'x')""",
              "SELECT add_event_guard('a.t', 'quarantine')", "GRANT INSERT ON a.t TO PUBLIC")
    bob = world.connect("bob")
    error = fails(bob, insert(), "23502", 'null value in column "note"', BECAUSE)
    assert error.diag.column_name == "note"
    # values of the row are shown only to roles that can read it
    assert "qty" not in (error.diag.message_detail or "")
    fails(bob, insert(", note, d", ", 'x', 11"), "23514", "small_check")
    fails(bob, insert(", note, n", ", 'x', NULL"), "23502", "domain a.named")
    assert diverted(world) == 0
    bob.execute(insert(", note, d", ", 'x', 1"))
    assert diverted(world) == 1


def test_event_checks_are_not_asked(world):
    """The event's own check does not prevent diverting the event."""
    table(world, f""", who text,
        CHECK (check_event(data, event_type, schema_version)),
        CONSTRAINT mixed CHECK (validate_event(data, event_type, schema_version) AND (who <> 'bad' AND
            coalesce(who, '') <> 'worse' AND event_schema."order@3"(data))),
        CONSTRAINT within CHECK (who = 'open' OR (check_event(data, event_type, schema_version) AND who = 'nobody'))""")
    bob = world.connect("bob")
    bob.execute(insert(", who", ", 'good'"))
    bob.execute(insert(", who", ", NULL"))
    assert diverted(world) == 2
    for who in ("bad", "worse"):
        fails(bob, insert(", who", f", '{who}'"), "23514", '"mixed"', BECAUSE)
    assert diverted(world) == 2


def test_generated_columns(world):
    """Generated columns are computed only if a constraint needs them."""
    table(world, """, who text, upper_who text GENERATED ALWAYS AS (upper(who)) STORED CHECK (upper_who <> 'EVE'),
        needed text GENERATED ALWAYS AS (nullif(who, 'none')) STORED NOT NULL""")
    bob = world.connect("bob")
    fails(bob, insert(", who", ", 'eve'"), "23514", "t_upper_who_check", BECAUSE)
    fails(bob, insert(", who", ", 'none'"), "23502", '"needed"', BECAUSE)
    bob.execute(insert(", who", ", 'bob'"))
    assert diverted(world) == 1
    world.run("alice", """CREATE TABLE a.u (event_type text DEFAULT 'order', schema_version int DEFAULT 3, data jsonb,
        size int GENERATED ALWAYS AS (1 / ((data->>'qty')::int - 1)) STORED, CHECK (event_type <> ''))""",
              "SELECT add_event_guard('a.u', 'quarantine')", "GRANT INSERT ON a.u TO PUBLIC")
    bob.execute(insert().replace("a.t", "a.u"))
    assert diverted(world) == 2
    world.run("alice", "ALTER TABLE a.u ADD CHECK (size > 0)")
    fails(bob, insert().replace("a.t", "a.u"), "22012", BECAUSE)


def test_partition_bounds(world):
    """For a row that is inserted directly into a partition."""
    prepare(world)
    world.run("alice", """CREATE TABLE a.t (event_type text DEFAULT 'order', schema_version int DEFAULT 3, data jsonb,
        place int, CHECK (place <> 7)) PARTITION BY RANGE (place)""",
              "CREATE TABLE a.low PARTITION OF a.t (CHECK (place <> 8)) FOR VALUES FROM (0) TO (10)",
              "SELECT add_event_guard('a.t', 'quarantine')", "GRANT INSERT ON a.t, a.low TO PUBLIC")
    bob = world.connect("bob")
    fails(bob, insert(", place", ", 11").replace("a.t", "a.low"), "23514", "violates partition constraint", BECAUSE)
    fails(bob, insert(", place", ", 7"), "23514", "t_place_check", BECAUSE)
    fails(bob, insert(", place", ", 8"), "23514", "low_place_check", BECAUSE)
    bob.execute(insert(", place", ", 1"))
    bob.execute(insert(", place", ", 2").replace("a.t", "a.low"))
    assert diverted(world) == 2


def test_check_options_of_a_view_of_another_table_of_the_tree(world):
    """A row that comes through a view, which its CHECK OPTION would refuse, is not diverted: the view is of the table
    and the sender may fill some columns of the partition, or the other way round."""
    prepare(world)
    bob = world.role("bob")
    world.run("alice", """CREATE TABLE a.t (event_type text DEFAULT 'order', schema_version int DEFAULT 3, data jsonb,
        who text) PARTITION BY LIST (who)""",
              "CREATE TABLE a.middle PARTITION OF a.t DEFAULT PARTITION BY LIST (who)",
              "CREATE TABLE a.low PARTITION OF a.middle DEFAULT", "SELECT add_event_guard('a.t', 'quarantine')",
              *[f"CREATE VIEW a.v_{name} AS SELECT * FROM a.{name} WHERE who = current_user WITH CHECK OPTION"
                for name in ("t", "middle", "low")])
    for view in ("t", "middle", "low"):
        for named in ("t", "low"):
            world.run("alice", f'GRANT INSERT (data) ON a.{named} TO "{bob}"')
            # without the view, the other columns have their defaults
            world.run("bob", insert().replace("a.t", f"a.{named}"))
            assert diverted(world) == 1
            world.run("alice", f'GRANT INSERT ON a.v_{view} TO "{bob}"')
            through = insert(", who", f", '{world.role('alice')}'").replace("a.t", f"a.v_{view}")
            fails(world.connect("bob"), through, "23514", BECAUSE)
            world.refused("bob", through.replace('{"qty": 1}', '{"qty": "1"}'), "44000")
            assert diverted(world) == 1
            world.run("alice", f'REVOKE ALL ON a.v_{view}, a.{named} FROM "{bob}"')
            world.run("owner", "TRUNCATE event_schema.quarantine")


def test_views_of_others(world):
    """A view of a role that may not write to the table does not stop the events of others from being diverted."""
    prepare(world)
    bob, other = world.role("bob"), world.role("owner")
    world.run("alice", """CREATE TABLE a.t (event_type text DEFAULT 'order', schema_version int DEFAULT 3, data jsonb, who text)""",
              "SELECT add_event_guard('a.t', 'quarantine')", f'GRANT INSERT (data) ON a.t TO "{bob}"')
    world.run(None, "CREATE SCHEMA b", "GRANT ALL ON SCHEMA b TO PUBLIC")
    world.run("mallory", "CREATE VIEW b.v AS SELECT * FROM a.t", "CREATE VIEW b.w AS SELECT * FROM b.v", "GRANT ALL ON b.v, b.w TO PUBLIC")
    world.run("bob", insert())
    assert diverted(world) == 1
    # one of a role that may write does
    world.run("alice", f'GRANT INSERT (data, who) ON a.t TO "{other}"')
    world.run("owner", "CREATE VIEW b.c AS SELECT data, who FROM a.t")
    world.run("bob", insert())
    assert diverted(world) == 2
    world.run("owner", f'GRANT INSERT (data) ON b.c TO "{bob}"')
    fails(world.connect("bob"), insert(), "23514", BECAUSE)
    assert diverted(world) == 2


def test_constraints_of_many_rows(world):
    """Expressions compiled for a query are used for all its rows."""
    table(world, ", who text, CHECK (who <> 'bad'), up text GENERATED ALWAYS AS (upper(who)) STORED CHECK (up <> 'C')")
    bob = world.connect("bob")
    many = """INSERT INTO a.t (data, who) SELECT '{"qty": 1}', CASE WHEN i = %d THEN 'bad' ELSE repeat('x', i) END
        FROM generate_series(1, 500) i"""
    bob.execute(many % 0)
    assert diverted(world) == 500
    fails(bob, many % 400, "23514", "t_who_check")
    with bob.cursor() as cursor, cursor.copy("COPY a.t (data, who) FROM STDIN") as copy:
        for _ in range(100):
            copy.write_row(('{"qty": 1}', "fine"))
    assert diverted(world) == 600


def code_of_alice(world, body, name="f"):
    world.run("alice", f"""CREATE OR REPLACE FUNCTION a.{name}(v text) RETURNS boolean LANGUAGE plpgsql
        AS $f$ begin {body} return true; end $f$""")


def test_policies_and_constraints_that_act(world):
    """They replace the guard, drop objects in use, and insert again, while a row is diverted."""
    prepare(world)
    world.run("owner", "GRANT TEMP ON DATABASE " + world.database + " TO PUBLIC")
    alice = world.connect("alice")
    off = """execute $e$create or replace trigger zzz_event_guard before insert on a.t for each row
        when (true or _event_validate.event_guard_reads(ROW(new.data || '{}', lower(new.event_type), new.schema_version + 0)))
        execute function guard_event('off')$e$;"""
    actions = [
        (off, None),
        ("drop trigger if exists zzz_event_guard on a.t;", None),
        ("drop function if exists a.gone(text) cascade;", ("55006", "23514", None)),
        ("alter table if exists a.t rename to u;", None),
        ("if pg_trigger_depth() < 4 then insert into a.t (data) values ('{\"qty\": 1}'); end if;", None),
        ("drop domain if exists a.d cascade;", None),
        ("raise exception using errcode = '22012';", ("22012",)),
        ("call a.p();", ("2D000",)),
        ("perform pg_cancel_backend(pg_backend_pid()); perform pg_sleep(5);", ("57014",)),
    ]
    for place in ("CHECK", "POLICY", "GENERATED"):
        for action, expected in actions:
            alice.execute("DROP TABLE IF EXISTS a.t, a.u CASCADE")
            alice.execute("DROP DOMAIN IF EXISTS a.d CASCADE")
            alice.execute("CREATE DOMAIN a.d AS text")
            alice.execute("CREATE OR REPLACE PROCEDURE a.p() LANGUAGE plpgsql AS $$ begin commit; end $$")
            alice.execute("""CREATE OR REPLACE FUNCTION a.gone(v text) RETURNS boolean LANGUAGE sql AS 'SELECT true'""")
            alice.execute(f"""CREATE OR REPLACE FUNCTION a.f(v text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE
                AS $f$ begin return a.g(v); end $f$""")
            alice.execute(f"""CREATE OR REPLACE FUNCTION a.g(v text) RETURNS boolean LANGUAGE plpgsql
                AS $f$ begin {action} return true; end $f$""")
            alice.execute("""CREATE TABLE a.t (id int, event_type text DEFAULT 'order', schema_version int DEFAULT 3,
                data jsonb, gone a.d DEFAULT 'x', CONSTRAINT aaa CHECK (a.gone(event_type)))""")
            if place == "CHECK":
                alice.execute("ALTER TABLE a.t ADD CHECK (a.f(event_type)), ADD CONSTRAINT zzz CHECK (a.gone(event_type))")
            elif place == "POLICY":
                alice.execute("CREATE POLICY p ON a.t FOR INSERT WITH CHECK (a.f(event_type) AND a.gone(event_type))")
                alice.execute("ALTER TABLE a.t ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY")
            else:
                alice.execute("""ALTER TABLE a.t ADD x boolean GENERATED ALWAYS AS (a.f(event_type)) STORED
                    CHECK (x) NOT NULL""")
            alice.execute("SELECT add_event_guard('a.t', 'quarantine')")
            try:
                alice.execute("""INSERT INTO a.t (data) VALUES ('{"qty": 1}'), ('{"qty": 2}')""")
            except psycopg.Error as error:
                assert expected and error.sqlstate in expected, f"{place}, {action}: {error.sqlstate} {error}"
            else:
                assert expected is None or None in expected, f"{place}, {action}: no error"


def test_detached_meanwhile(world):
    """The row's partition is detached, and the guarded table dropped."""
    prepare(world)
    alice = world.connect("alice")
    for mode in ("quarantine", "warn", "enforce"):
        for where, detach in (("expression", "alter table a.t detach partition a.low;"),
                              ("expression", "alter table a.t detach partition a.low; drop table a.t;"),
                              ("check", "alter table a.t detach partition a.low; drop table a.t;"),
                              ("trigger", "alter table a.t detach partition a.low; drop table a.t;")):
            alice.execute("DROP TABLE IF EXISTS a.t, a.low CASCADE")
            alice.execute("""CREATE OR REPLACE FUNCTION a.f(v text) RETURNS text LANGUAGE plpgsql AS $f$ begin
                if exists (select from pg_inherits where inhparent = to_regclass('a.t')) then """ + detach + """ end if; return v; end $f$""")
            alice.execute("""CREATE OR REPLACE FUNCTION a.tf() RETURNS trigger LANGUAGE plpgsql
                AS $f$ begin perform a.f(''); return new; end $f$""")
            alice.execute("""CREATE TABLE a.t (event_type text DEFAULT 'order', schema_version int DEFAULT 3, data jsonb,
                place int) PARTITION BY RANGE (place)""")
            alice.execute("CREATE TABLE a.low PARTITION OF a.t FOR VALUES FROM (0) TO (10)")
            if where == "check":
                alice.execute("ALTER TABLE a.low ADD CHECK (a.f(event_type) <> '')")
            if where == "trigger":
                alice.execute("CREATE TRIGGER a BEFORE INSERT ON a.low FOR EACH ROW EXECUTE FUNCTION a.tf()")
            alice.execute("SELECT add_event_guard('a.t', %s, type_expr => %s)",
                          (mode, "a.f(event_type)" if where == "expression" else "event_type"))
            try:
                alice.execute("""INSERT INTO a.low (data, place) VALUES ('{"qty": 1}', 1), ('{"qty": 1}', 2)""")
            except psycopg.Error as error:
                assert error.sqlstate in ("42P01", "23514", "55006"), f"{mode}, {where}, {detach}: {error.sqlstate} {error}"


# ---------- wrong triggers ----------

def test_wrong_triggers(world):
    prepare(world)
    mallory = world.connect("mallory")
    temporary_table(mallory)
    mallory.execute("CREATE TEMP VIEW v AS SELECT * FROM t")
    for kind, command in (("AFTER INSERT ON t FOR EACH ROW", ROW % 1), ("BEFORE INSERT ON t FOR EACH STATEMENT", ROW % 1),
                          ("AFTER INSERT ON t REFERENCING NEW TABLE AS n FOR EACH ROW", ROW % 1),
                          ("AFTER INSERT ON t REFERENCING NEW TABLE AS n FOR EACH STATEMENT", ROW % 1),
                          ("BEFORE DELETE ON t FOR EACH ROW", "DELETE FROM t"),
                          ("BEFORE TRUNCATE ON t FOR EACH STATEMENT", "TRUNCATE t"),
                          ("INSTEAD OF INSERT ON v FOR EACH ROW", "INSERT INTO v VALUES (1)")):
        mallory.execute(f"CREATE TRIGGER z {kind} EXECUTE FUNCTION guard_event('enforce')")
        fails(mallory, command, "39P01", "is called only by a BEFORE INSERT OR UPDATE row trigger")
        mallory.execute(f"DROP TRIGGER z ON {'v' if 'INSTEAD' in kind else 't'}")
        mallory.execute(VALID % 0)
    mallory.execute("""CREATE CONSTRAINT TRIGGER z AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
        EXECUTE FUNCTION guard_event('enforce')""")
    fails(mallory, VALID % 1, "39P01")
    fails(mallory, "SELECT guard_event()", "39P01")


def test_hostile_arguments(world):
    prepare(world)
    mallory = world.connect("mallory")
    temporary_table(mallory)
    for arguments, sqlstate in (("", "22023"), ("'ENFORCE'", "22023"), ("'enforce', 'data', 'a', 'b', 'infinity', '{}', 'd'", "22023"),
                                ("'enforce', 'data', 'event_type', 'schema_version', 'infinity', '{a'", "22P02"),
                                ("'warn', 'data', 'event_type', 'schema_version', 'now then'", "22007"),
                                ("'warn', 'data', 'event_type', 'schema_version', '294277-01-01'", "22008"),
                                ("'warn', 'data); drop table t; --'", "42601"), ("'warn', ''", "42601"),
                                ("'warn', '(select data from t)'", "0A000"), ("'warn', 'count(data)'", "42803"),
                                ("'warn', 'ctid'", "42804"), ("'warn', 'id'", "42804"),
                                ("'warn', 'data', 'tableoid::text'", "42P10"), ("'warn', 't::text'", "42P10"),
                                ("'warn', 'data', 'event_type', 'schema_version" + "+1" * 30000 + "'", "54001"),
                                ("'warn', '" + "\x7f" * 100 + "'", "42601"), ("'warn', 'data' " + ", 'x'" * 3000, "22023")):
        mallory.execute(f"CREATE OR REPLACE TRIGGER z BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION guard_event({arguments})")
        fails(mallory, ROW % 1, sqlstate)
    for condition in ("true OR _event_validate.event_guard_reads(ROW(old.data, new.event_type, new.schema_version))",
                      "NULL OR _event_validate.event_guard_reads(ROW(new.data, new.event_type, new.schema_version))",
                      "_event_validate.event_guard_reads(ROW(new.data, new.event_type, new.schema_version)) OR true",
                      "true", "new.id = 1", "_event_validate.event_guard_reads(ROW(1, 2, 3))",
                      "true OR _event_validate.event_guard_reads(ROW(new.data, new.event_type, new.schema_version)) OR new.id > 0"):
        on = "UPDATE" if "old" in condition else "INSERT"
        mallory.execute(f"""CREATE OR REPLACE TRIGGER z BEFORE {on} ON t FOR EACH ROW WHEN ({condition})
            EXECUTE FUNCTION guard_event('enforce')""")
        if on == "INSERT":
            # PUBLIC may not call the function outside a guard's condition
            fails(mallory, ROW % 1, "42501" if condition.startswith("NULL OR") or "ROW(1" in condition else "23514")
        else:
            mallory.execute(VALID % 1)
            fails(mallory, """UPDATE t SET data = '{"qty": 1}'""", "23514")
    for reads in ("1, new.event_type, new.schema_version", "new, new.event_type, new.schema_version",
                  "new.data, new.event_type, new.event_type", "new.data, new.id, new.schema_version",
                  "new.data, row(1), new.schema_version", "NULL, NULL, NULL", "new.data, 'order', 3"):
        mallory.execute(f"""CREATE OR REPLACE TRIGGER z BEFORE INSERT ON t FOR EACH ROW
            WHEN (true OR _event_validate.event_guard_reads(ROW({reads}))) EXECUTE FUNCTION guard_event('enforce')""")
        try:
            mallory.execute(ROW % 1)
            raise AssertionError(reads)
        except psycopg.Error as error:
            assert error.sqlstate in ("42804", "42P10", "23514", "42846", "0A000"), f"{reads}: {error.sqlstate} {error}"


def test_own_function_of_that_name(world):
    """Another role's function event_guard_reads is not called."""
    prepare(world)
    world.run("owner", "GRANT CREATE ON SCHEMA public TO PUBLIC")
    mallory = world.connect("mallory")
    temporary_table(mallory)
    mallory.execute("""CREATE FUNCTION public.event_guard_reads(jsonb, text, int) RETURNS boolean LANGUAGE plpgsql
        AS $$ begin raise 'run'; end $$""")
    mallory.execute(guard(mode="enforce"))
    fails(mallory, ROW % 1, "23514")
    mallory.execute(VALID % 2)
    code(mallory, "drop function public.event_guard_reads(jsonb, text, int) cascade;")
    mallory.execute("""CREATE FUNCTION pg_temp.tf() RETURNS trigger LANGUAGE plpgsql
        AS $$ begin perform pg_temp.f(''); return new; end $$""")
    mallory.execute("CREATE TRIGGER a BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION pg_temp.tf()")
    fails(mallory, ROW % 1, "23514")


def test_other_ways_to_insert(world):
    """The guard applies to COPY, MERGE, ON CONFLICT and replication."""
    table(world, ", key int UNIQUE, who text CHECK (who <> 'bad')")
    bob = world.connect("bob")
    world.run("alice", "GRANT UPDATE ON a.t TO PUBLIC", """INSERT INTO a.t (data, key) VALUES ('{"qty": "1"}', 1)""")
    conflict = insert(", key, who", ", 1, '%s'") + " ON CONFLICT (key) DO UPDATE SET data = excluded.data"
    bob.execute(conflict % "good")
    fails(bob, conflict % "bad", "23514", "t_who_check")
    merge = """MERGE INTO a.t USING (VALUES (9)) AS s (k) ON key = k
        WHEN NOT MATCHED THEN INSERT (data, key, who) VALUES ('{"qty": 1}', 9, '%s')"""
    bob.execute(merge % "good")
    fails(bob, merge % "bad", "23514", "t_who_check")
    assert diverted(world) == 2
    admin = world.connect()
    admin.execute("SET session_replication_role = replica")
    admin.execute(insert(", key", ", 10"))
    assert diverted(world) == 2
    admin.execute("ALTER TABLE a.t ENABLE ALWAYS TRIGGER zzz_event_guard")
    admin.execute(insert(", key", ", 11"))
    assert diverted(world) == 3


def test_foreign_table(world):
    """A foreign table can have such a trigger, created by hand."""
    prepare(world)
    admin = world.connect()
    if not admin.execute("SELECT FROM pg_available_extensions WHERE name = 'postgres_fdw'").fetchall():
        raise Skipped("postgres_fdw is not available")
    table_of_alice = "(id int, event_type text, schema_version int, data jsonb, who text"
    admin.execute("CREATE EXTENSION postgres_fdw")
    admin.execute(f"""CREATE TABLE a.real {table_of_alice})""")
    admin.execute(f"""DO $$ begin execute format('CREATE SERVER loop FOREIGN DATA WRAPPER postgres_fdw OPTIONS
        (dbname %L, host %L, port %L)', current_database(), split_part(current_setting('unix_socket_directories'), ',', 1),
        current_setting('port')); end $$""")
    admin.execute("CREATE USER MAPPING FOR PUBLIC SERVER loop OPTIONS (user 'postgres', password_required 'false')")
    admin.execute(f"""CREATE FOREIGN TABLE a.t {table_of_alice}, CHECK (who <> 'bad')) SERVER loop
        OPTIONS (schema_name 'a', table_name 'real')""")
    admin.execute("SELECT add_event_guard('a.real', 'enforce')")
    admin.execute(guard(table="a.t", mode="quarantine"))
    row = """INSERT INTO a.t VALUES (1, 'order', 3, '{"qty": %s}', '%s')"""
    admin.execute(row % (1, "good"))
    admin.execute(row % ('"1"', "good"))
    fails(admin, row % (1, "bad"), "23514", "t_who_check")
    assert diverted(world) == 1
    assert admin.execute("SELECT count(*) FROM a.real").fetchall() == [(1,)]


# ---------- during a replay ----------

def test_replay_within_a_replay(world):
    """After an error in the inner replay, the outer one keeps its rows."""
    table(world, ", who text")
    world.run("bob", insert(", who", ", 'one'"), insert(", who", ", 'two'"))
    alice = world.connect("alice")
    world.run("owner", f"GRANT SELECT, UPDATE, DELETE ON event_schema.quarantine TO {world.role('alice')}")
    alice.execute("""CREATE FUNCTION a.f(v text) RETURNS text LANGUAGE plpgsql AS $f$ begin
        if pg_trigger_depth() < 3 then
          begin
            perform replay_event_quarantine('a.t', max_rows => 1);
            raise division_by_zero;
          exception when others then null;
          end;
        end if; return v; end $f$""")
    alice.execute("SELECT add_event_guard('a.t', 'quarantine', type_expr => 'a.f(event_type)')")
    alice.execute("SELECT * FROM replay_event_quarantine('a.t')")
    assert diverted(world) == 2
    # no replay is active any more
    world.run("bob", insert())
    assert diverted(world) == 3


# ---------- what an error shows ----------

def test_update_shows_no_row(world):
    """A role that may update other columns does not see an old event."""
    prepare(world)
    world.run("alice", "CREATE TABLE a.parent (id int PRIMARY KEY)", "INSERT INTO a.parent VALUES (1)",
              "CREATE TABLE a.t (id int REFERENCES a.parent ON UPDATE CASCADE, event_type text, schema_version int, data jsonb)",
              """INSERT INTO a.t VALUES (1, 'order', 3, '{"qty": 4711}')""",
              "CREATE VIEW a.v AS SELECT id FROM a.t", "GRANT UPDATE, SELECT ON a.v, a.parent TO PUBLIC",
              f"GRANT UPDATE (id) ON a.t TO {world.role('bob')}", f"GRANT SELECT, UPDATE ON a.t TO {world.role('mallory')}")
    for mode in ("enforce", "quarantine", "warn"):
        world.run("alice", f"SELECT add_event_guard('a.t', '{mode}')")
        for command in ("UPDATE a.t SET id = 1", "UPDATE a.v SET id = 1", "UPDATE a.parent SET id = 2"):
            bob = world.connect("bob")
            messages = told(bob)
            if mode == "warn":
                bob.execute("BEGIN")
                bob.execute(command)
                bob.execute("ROLLBACK")
                said = str(messages)
            else:
                said = str(fails(bob, command, "23514", '"t"'))
            assert "4711" not in said and "qty" not in said, (mode, command, said)
    # row-level security hides rows, and lets the role update them
    world.run("alice", "ALTER TABLE a.t ENABLE ROW LEVEL SECURITY", "CREATE POLICY s ON a.t FOR SELECT USING (event_type = current_user)",
              "CREATE POLICY u ON a.t FOR UPDATE USING (true)")
    for mode in ("enforce", "quarantine", "warn"):
        world.run("alice", f"SELECT add_event_guard('a.t', '{mode}')")
        mallory = world.connect("mallory")
        messages = told(mallory)
        mallory.execute("BEGIN")
        said = str(messages if mode == "warn" and mallory.execute("UPDATE a.t SET id = 1") else
                   fails(mallory, "UPDATE a.t SET id = 1", "23514", '"t"'))
        mallory.execute("ROLLBACK")
        assert "4711" not in said and "qty" not in said, (mode, said)
    # a row that they let it read is shown
    world.run("alice", "ALTER POLICY s ON a.t USING (data ->> 'qty' = '4711')", "SELECT set_event_guard_mode('a.t', 'enforce')")
    fails(world.connect("mallory"), "UPDATE a.t SET id = 1", "23514", "/qty: must be string")
    fails(world.connect("bob"), "UPDATE a.t SET id = 1", "23514", '"t"')
    # also by a column that was added after the row
    world.run("alice", "ALTER TABLE a.t ADD who text DEFAULT 'all'", "ALTER POLICY s ON a.t USING (who = 'all')")
    fails(world.connect("mallory"), "UPDATE a.t SET id = 1", "23514", "/qty: must be string")
    world.run("alice", "ALTER TABLE a.t DISABLE ROW LEVEL SECURITY")
    # a role that may read it sees it
    world.run("alice", "SELECT add_event_guard('a.t', 'enforce')")
    fails(world.connect("mallory"), "UPDATE a.t SET id = 1", "23514", "/qty: must be string")


def test_moved_row_is_not_shown(world):
    """An UPDATE that moves a row to another partition inserts it there: the guard does not show it either."""
    prepare(world)
    world.run("alice", "CREATE TABLE a.parent (id int PRIMARY KEY)", "INSERT INTO a.parent VALUES (1), (2), (11)",
              "CREATE TABLE a.t (id int REFERENCES a.parent ON UPDATE CASCADE, event_type text, schema_version int, data jsonb) PARTITION BY RANGE (id)",
              "CREATE TABLE a.t1 PARTITION OF a.t FOR VALUES FROM (0) TO (10)",
              "CREATE TABLE a.t2 PARTITION OF a.t FOR VALUES FROM (10) TO (20)",
              """INSERT INTO a.t VALUES (1, 'order', 3, '{"qty": 4711}')""", "GRANT UPDATE ON a.parent TO PUBLIC", "GRANT SELECT ON a.parent TO PUBLIC",
              f"GRANT UPDATE (id), INSERT ON a.t TO {world.role('bob')}", f"GRANT INSERT ON a.t TO {world.role('mallory')}",
              "CREATE VIEW a.v AS SELECT id FROM a.t", f"GRANT UPDATE ON a.v TO {world.role('bob')}",
              "SELECT add_event_guard('a.t', 'enforce', fires_on => 'insert')")
    for mode in ("enforce", "quarantine", "warn"):
        world.run("alice", f"SELECT set_event_guard_mode('a.t', '{mode}')")
        for command in ("UPDATE a.t SET id = 11", "UPDATE a.parent SET id = 12 WHERE id = 1"):
            bob = world.connect("bob")
            messages = told(bob)
            bob.execute("BEGIN")
            said = str(fails(bob, command, "23514", '"t2"')) if mode == "enforce" else str(bob.execute(command) and messages)
            bob.execute("ROLLBACK")
            assert "4711" not in said and "qty" not in said, (mode, command, said)
    world.run("alice", "SELECT set_event_guard_mode('a.t', 'enforce')")
    row = """INSERT INTO a.t VALUES (2, 'order', 3, '{"qty": 1}')"""
    # through a view, without a privilege on the table
    world.run("alice", f"REVOKE UPDATE (id), INSERT ON a.t FROM {world.role('bob')}")
    fails(world.connect("bob"), "UPDATE a.v SET id = 11", "23514", '"t2"')
    world.run("alice", f"GRANT INSERT, UPDATE (id) ON a.t TO {world.role('bob')}")
    # the sender of a row that is not moved sees what is wrong with it
    fails(world.connect("mallory"), row, "23514", "/qty: must be string")
    fails(world.connect("alice"), row, "23514", "/qty: must be string")
    fails(world.connect("bob"), row, "23514", '"t1"')


def test_names_begin_no_line(world):
    """The name of a table does not forge a line of the CONTEXT."""
    prepare(world)
    world.run("alice", """CREATE TABLE a."t\nERROR:  forged\x1b[31m" (id int PRIMARY KEY, event_type text, schema_version int, data jsonb)""",
              """SELECT add_event_guard('a."t\nERROR:  forged\x1b[31m"', 'enforce')""",
              """GRANT INSERT ON a."t\nERROR:  forged\x1b[31m" TO PUBLIC""")
    row = """INSERT INTO a."t\nERROR:  forged\x1b[31m" VALUES (1, 'order', 3, '{"qty": 4711}')"""
    error = fails(world.connect("alice"), row, "23514", 'row of table "t\\nERROR:  forged\\u001b[31m" with key')
    assert "\nERROR" not in error.diag.context and "\x1b" not in error.diag.context, error.diag.context
    world.run("alice", """SELECT set_event_guard_mode('a."t\nERROR:  forged\x1b[31m"', 'quarantine')""",
              """ALTER TABLE a."t\nERROR:  forged\x1b[31m" ENABLE ROW LEVEL SECURITY""")
    error = fails(world.connect("bob"), row, "23514", "policies")
    assert "\nERROR" not in error.diag.context and "\x1b" not in error.diag.context, error.diag.context


# ---------- the quarantine of a name ----------

def test_table_of_the_same_name(world):
    """An event that a role sent to its own table does not get into another table with that name."""
    world.run(None, "GRANT CREATE ON SCHEMA public TO PUBLIC")
    create = "CREATE TABLE public.orders (event_type text, schema_version int, data jsonb, who text)"
    row = """INSERT INTO public.orders VALUES ('order', 1, '{}', '%s')"""
    world.run("mallory", create, "SELECT add_event_guard('public.orders', 'quarantine')", row % "admin", "DROP TABLE public.orders")
    world.run("owner", create, "SELECT add_event_guard('public.orders', 'quarantine')",
              f"GRANT INSERT (event_type, schema_version, data, who) ON public.orders TO {world.role('bob')}")
    world.run("bob", row % "bob")
    world.run("owner", row % "owner", "SELECT register_event_schema('order', 1, '{}')")
    for role, call in ((None, "()"), ("owner", "('public.orders')")):
        world.run(role, f"SELECT * FROM replay_event_quarantine{call}")
        assert world.run("owner", "SELECT who FROM public.orders ORDER BY who") == [("bob",), ("owner",)]
    assert world.run("owner", "SELECT violations -> 0 ->> 'sqlstate' FROM event_quarantine") == [("42501",)]
    world.run("owner", "UPDATE event_schema.quarantine SET role = current_user, relation_owner = current_user", "SELECT * FROM replay_event_quarantine()")
    assert world.run("owner", "SELECT count(*) FROM public.orders") == [(3,)]


def test_sender_of_a_partition(world):
    """A role that may insert only into a partition can be the sender."""
    prepare(world)
    world.run("alice", "CREATE TABLE a.t (event_type text, schema_version int, data jsonb, place int) PARTITION BY RANGE (place)",
              "CREATE TABLE a.low PARTITION OF a.t FOR VALUES FROM (0) TO (10)",
              "SELECT add_event_guard('a.t', 'quarantine')", "GRANT INSERT ON a.low TO PUBLIC")
    world.run("bob", """INSERT INTO a.low VALUES ('late', 1, '{}', 1)""")
    world.run("owner", "SELECT register_event_schema('late', 1, '{}')")
    assert world.run(None, "SELECT replayed FROM replay_event_quarantine()") == [(1,)]


def test_look_at_the_last_rows_runs_no_strangers_code(world):
    """A new guard reports how many of the last rows it would not accept. Other guards of the table are not run for that."""
    prepare(world)
    mallory = world.role("mallory")
    world.run("alice", "CREATE TABLE a.looked (data jsonb, event_type text, schema_version int)",
              """INSERT INTO a.looked VALUES ('{"qty": 1}', 'order', 3)""", f"GRANT TRIGGER ON a.looked TO {mallory}",
              f"GRANT USAGE ON SCHEMA a TO {mallory}")
    world.run(None, f"CREATE SCHEMA evil AUTHORIZATION {mallory}", "GRANT USAGE ON SCHEMA evil TO PUBLIC")
    world.run("mallory", "CREATE SEQUENCE evil.ran", "GRANT ALL ON SEQUENCE evil.ran TO PUBLIC",
              """CREATE FUNCTION evil.f(d jsonb) RETURNS jsonb LANGUAGE plpgsql AS
                 $$ BEGIN PERFORM nextval('evil.ran'); RETURN d; END $$""",
              "CREATE TRIGGER aaaa BEFORE INSERT ON a.looked FOR EACH ROW EXECUTE FUNCTION guard_event('off')",
              "CREATE TRIGGER zzzz BEFORE INSERT ON a.looked FOR EACH ROW EXECUTE FUNCTION guard_event('enforce', 'evil.f(data)')")
    for role in ("alice", None):
        session = world.connect(role)
        said = told(session)
        session.execute("SELECT add_event_guard('a.looked', 'enforce', fires_on => 'insert')")
        assert ("1 of the last 1 rows of table a.looked are not valid" in said) == (role == "alice"), said  # a superuser runs no look
    # nor does a partition of another role
    world.run(None, "CREATE TABLE a.parted (id int, data jsonb, event_type text, schema_version int) PARTITION BY RANGE (id)",
              "CREATE TABLE a.part PARTITION OF a.parted FOR VALUES FROM (0) TO (100)",
              "INSERT INTO a.parted VALUES (1, '{}', 'order', 3)", f"ALTER TABLE a.part OWNER TO {mallory}")
    world.run("mallory", "CREATE TRIGGER zzzz BEFORE INSERT ON a.part FOR EACH ROW EXECUTE FUNCTION guard_event('enforce', 'evil.f(data)')")
    world.run(None, "SELECT add_event_guard('a.parted', 'enforce')")
    # nor do expressions of the guard itself that are not PostgreSQL's
    world.run("mallory", "CREATE OR REPLACE TRIGGER zzzz BEFORE INSERT ON a.looked FOR EACH ROW EXECUTE FUNCTION guard_event('off')")
    world.run("alice", "SELECT add_event_guard('a.looked', 'enforce', data_expr => 'evil.f(data)')")
    assert world.run("mallory", "SELECT is_called FROM evil.ran") == [(False,)]
