"""Code of another role runs as that role: literals of its types, casts, functions that it replaces."""

import contextlib
import time

import psycopg

from world import COSTS, Background, told

# what a sequence counts is not rolled back
SPY = """CREATE FUNCTION mallory.f(text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO mallory.seen VALUES (current_user);
    IF current_user !~ 'mallory' THEN PERFORM nextval('mallory.hits'); END IF;
    RETURN true; END $$"""
SEEN = ("CREATE SEQUENCE mallory.hits", "GRANT ALL ON SEQUENCE mallory.hits TO PUBLIC", "CREATE TABLE mallory.seen (who text)", "GRANT ALL ON mallory.seen TO PUBLIC")


def prepare(world):
    world.run(None, f"GRANT CREATE ON SCHEMA event_schema TO {world.role('mallory')}",
              f"CREATE SCHEMA mallory AUTHORIZATION {world.role('mallory')}", "GRANT USAGE ON SCHEMA mallory TO PUBLIC")
    world.run("mallory", *SEEN)


def strangers_seen(world):
    return world.run(None, f"""SELECT DISTINCT who FROM mallory.seen WHERE who <> '{world.role('mallory')}'
        UNION ALL SELECT 'seen by the sequence' FROM mallory.hits WHERE is_called""")


# ---------- functions that match a stored call better ----------

def overloaded(world, make):
    """Alice's polymorphic functions public.typ and public.doc, what she makes with them, and then mallory's better
    matches in that schema, where PUBLIC may create."""
    prepare(world)
    world.run(None, "GRANT CREATE ON SCHEMA public TO PUBLIC", f"CREATE SCHEMA alice AUTHORIZATION {world.role('alice')}",
              "GRANT USAGE ON SCHEMA alice TO PUBLIC")
    world.run("owner", "SELECT register_event_schema('order', 1, '{\"type\": \"object\"}')")
    for name, arguments, returns, value in CALLED:
        world.run("alice", f"CREATE FUNCTION public.{name}({arguments}) RETURNS {returns} LANGUAGE sql IMMUTABLE AS $$ SELECT {value} $$")
    world.run("alice", *make)
    for name, _, returns, value in CALLED:
        world.run("mallory", f"""CREATE FUNCTION public.{name}(int) RETURNS {returns} LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN
            IF current_user !~ 'mallory' THEN PERFORM nextval('mallory.hits'); END IF; RETURN {value}; END $$""")


CALLED = (("typ", "anyelement", "text", "'order'::text"), ("doc", "anyelement", "text", "'{}'::text"),
          ("yes", "anyelement", "boolean", "true"), ("several", "VARIADIC int[]", "text", "'order'::text"),
          ("left_out", "bigint, int DEFAULT 0", "text", "'order'::text"))


def test_better_match_in_drops(world):
    """A drop and a count evaluate what the constraint or guard calls, and not what its text would call now."""
    calls = ("public.typ(id)", "public.several(id)", "public.left_out(id)")
    overloaded(world, [command for i, call in enumerate(calls) for command in (
        f"CREATE TABLE alice.c{i} (id int, data jsonb, CHECK (public.check_event(data, {call}, 1)))",
        f"CREATE TABLE alice.s{i} (id int, version text, data jsonb, CHECK (id < 0 OR public.check_event(data, {call}, version::int)))",
        f"CREATE TABLE alice.o{i} (id int, data jsonb, CHECK (CASE WHEN {call} = 'order' THEN public.check_event(data, 'order', 1) END))",
        f"CREATE TABLE alice.g{i} (id int, data jsonb)", f"SELECT public.add_event_guard('alice.g{i}', 'enforce', type_expr => '{call}', version_expr => '1')",
        f"CREATE DOMAIN alice.d{i} AS jsonb CHECK (public.check_event(VALUE, {call.replace('(id)', '((VALUE ->> $q$id$q$)::int)')}, 1))",
        f"CREATE TABLE alice.v{i} (data alice.d{i}[])")])
    tables = sorted(f"alice.{kind}{i}" for kind in "csogv" for i in range(len(calls)))
    for table in tables:
        data = "ARRAY['{\"id\": 1}']::alice.d0[]" if ".v" in table else "'{}'"
        columns, values = {"s": ("id, version, data", "1, '1', "), "v": ("data", "")}.get(table[6], ("id, data", "1, "))
        world.run("alice", f"INSERT INTO {table} ({columns}) VALUES ({values}{data.replace('d0', 'd' + table[-1])})")
    world.run("mallory", "ALTER SEQUENCE mallory.hits RESTART")
    for role in ("owner", "alice", None):
        counted = world.run(role, "SELECT relation::text, event_type, events FROM event_schema_usage() WHERE relation IS NOT NULL ORDER BY relation::text COLLATE \"C\"")
        assert counted == ([] if role == "owner" else [(table, "order", 1) for table in tables]), counted
    for table in tables:
        world.refused("owner", 'DROP FUNCTION event_schema."order@1"', "2BP01", "rows of table", "carry that type and version")
        world.run("alice", f"DROP TABLE {table} CASCADE")
    world.run("owner", 'DROP FUNCTION event_schema."order@1"')
    assert strangers_seen(world) == []


def test_better_match_in_a_policy(world):
    """A diversion asks the functions that the policy calls, with a subquery and without."""
    policies = {"plain": "public.yes(id)", "beside": "public.yes(id) AND (SELECT true)",
                "within": "(SELECT public.yes(t.id))", "guarded": "EXISTS (SELECT FROM alice.rows AS r WHERE r.a = id AND public.yes(r.a))"}
    overloaded(world, ["CREATE TABLE alice.rows (a int)", "INSERT INTO alice.rows VALUES (1), (2)", "GRANT SELECT ON alice.rows TO PUBLIC"] +
               [command for name, policy in policies.items() for command in (
                   f"CREATE TABLE alice.{name} (x int, id int, event_type text, schema_version int, data jsonb)",
                   f"ALTER TABLE alice.{name} DROP x",
                   f"SELECT public.add_event_guard('alice.{name}', 'quarantine')",
                   f"GRANT INSERT ON alice.{name} TO PUBLIC",
                   f"ALTER TABLE alice.{name} ENABLE ROW LEVEL SECURITY",
                   f"CREATE POLICY p ON alice.{name} FOR INSERT WITH CHECK ({policy.replace('t.id', name + '.id')})")])
    for name in policies:
        for data in ("{}", "[]"):
            world.run("bob", f"INSERT INTO alice.{name} VALUES (1, 'order', 1, '{data}')")
    world.refused("bob", "INSERT INTO alice.guarded VALUES (3, 'order', 1, '[]')", "23514")
    assert world.run(None, "SELECT count(*) FROM event_schema.quarantine") == [(len(policies),)]
    assert strangers_seen(world) == []
    # the policies of a table in a subquery apply, as in an INSERT
    world.run("alice", "ALTER TABLE alice.rows ENABLE ROW LEVEL SECURITY", "CREATE POLICY p ON alice.rows USING (a = 2)")
    world.refused("bob", "INSERT INTO alice.guarded VALUES (1, 'order', 1, '[]')", "23514")
    world.run("bob", "INSERT INTO alice.guarded VALUES (2, 'order', 1, '[]')")
    world.run("alice", "REVOKE SELECT ON alice.rows FROM PUBLIC")
    world.refused("bob", "INSERT INTO alice.guarded VALUES (2, 'order', 1, '[]')", "42501")


def test_better_match_for_a_guard(world):
    """A guard takes the expressions of a check only as they are."""
    overloaded(world, ["CREATE TABLE alice.t (id int, data jsonb, CHECK (public.check_event(data, public.typ(id), 1)))",
                       "CREATE TABLE alice.exact (id bigint, data jsonb, CHECK (public.check_event(data, public.typ(id), 1)))"])
    for role in (None, "alice"):
        world.refused(role, "SELECT public.add_event_guard('alice.t', 'enforce')", "42725", "typ(integer)")
        world.run(role, "SELECT public.add_event_guard('alice.exact', 'enforce')")
    world.run("alice", "INSERT INTO alice.t VALUES (1, '{}')", "INSERT INTO alice.exact VALUES (1, '{}')")
    assert strangers_seen(world) == []


def test_better_match_in_validation(world):
    """Nor does the report about old rows that a check refuses run other functions than the check."""
    overloaded(world, ["CREATE TABLE alice.t (id int, version int, data jsonb)", "INSERT INTO alice.t VALUES (1, 1, '[]')",
                       "CREATE FUNCTION public.exact(int) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT 'order' $$",
                       "CREATE TABLE alice.exact (LIKE alice.t)", "INSERT INTO alice.exact TABLE alice.t",
                       "SELECT public.add_event_check('alice.t', type_expr => 'public.typ(id)', version_expr => 'version')",
                       "SELECT public.add_event_check('alice.exact', type_expr => 'public.exact(id)', version_expr => 'version')"])
    world.run("mallory", "CREATE FUNCTION public.exact(bigint) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT 'order' $$",
              "CREATE FUNCTION public.exact(VARIADIC int[]) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT 'order' $$")
    for role in (None, "alice"):
        world.refused(role, "SELECT validate_event_check('alice.t')", "23514", "(rows: 1, violations: 1)")
        world.refused(role, "SELECT validate_event_check('alice.exact')", "23514", "(rows: 1, violations: 1)")
    world.run("mallory", "CREATE FUNCTION public.exact(int, int DEFAULT 0) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT 'order' $$")
    world.refused("alice", "SELECT validate_event_check('alice.exact')", "23514", "(rows: 1, violations: 1)")
    assert strangers_seen(world) == []


def test_cast_added_before_validation(world):
    """Nor does the report run a cast that the owner of a type has added since the check."""
    prepare(world)
    world.run(None, f"CREATE SCHEMA alice AUTHORIZATION {world.role('alice')}")
    world.run("owner", "SELECT register_event_schema('order', 1, '{\"type\": \"object\"}')")
    world.run("mallory", "CREATE TYPE mallory.kind AS ENUM ('order')", "CREATE TYPE mallory.pair AS (a int)", "CREATE DOMAIN mallory.d AS text",
              "CREATE CAST (mallory.kind AS int) WITH FUNCTION hashenum(anyenum)")
    # the enum's label is read without its cast; these are read as they are stored
    stored = {"n": "coalesce(lower(k::text), p::text)", "a": "(a::text[])[1]", "r": "replace(ROW(1)::mallory.pair::text, '(1)', 'order')",
              "h": "CASE k::int WHEN 0 THEN '' ELSE 'order' END"}
    world.run("alice", "CREATE TABLE alice.e (event_type mallory.kind, schema_version int, data jsonb)",
              "INSERT INTO alice.e VALUES ('order', 1, '[]')", "SELECT public.add_event_check('alice.e')")
    for table, expression in stored.items():
        world.run("alice", f"CREATE TABLE alice.{table} (k mallory.kind, p mallory.pair, a mallory.d[], schema_version int, data jsonb)",
                  f"INSERT INTO alice.{table} VALUES ('order', '(1)', '{{order}}', 1, '[]')",
                  f"ALTER TABLE alice.{table} ADD CHECK (public.check_event(data, {expression}, schema_version)) NOT VALID")
    query, = world.run("alice", "SELECT event_audit_query('alice.e', 'data', 'event_type', 'schema_version', 5)")[0]
    world.run("mallory", "DROP CAST (mallory.kind AS int)")
    for type, target, value in (("kind", "text", "'order'"), ("kind", "int", "1"), ("pair", "text", "'order'"), ("d[]", "text[]", "ARRAY['order']")):
        world.run("mallory", f"""CREATE FUNCTION mallory."to {target}"(mallory.{type}) RETURNS {target} LANGUAGE plpgsql AS $$ BEGIN
            IF current_user !~ 'mallory' THEN PERFORM nextval('mallory.hits'); END IF; RETURN {value}; END $$""",
                  f"CREATE CAST (mallory.{type} AS {target}) WITH FUNCTION mallory.\"to {target}\"(mallory.{type})")
    for role in (None, "alice"):
        world.refused(role, "SELECT validate_event_check('alice.e')", "23514", "(rows: 1, violations: 1)")
        for table in stored:
            world.refused(role, f"SELECT validate_event_check('alice.{table}')", "23514", "(rows: 1, violations: 1)")
        # nor does a query that was written before
        assert world.run(role, query)
    assert strangers_seen(world) == []


def test_default_of_a_column(world):
    """A default that moves to another column or type stays what is stored: it calls what it called, no literal of it is
    read anew, and partitions get the same."""
    literal = "CASE WHEN ('(q)'::mallory.c) IS NULL THEN '{}' ELSE '[]' END"
    defaults = (("f", "public.doc(1)", {}), ("l", literal, []), ("b", "lower('{}')", {}))
    overloaded(world, [f"CREATE TABLE alice.{name}_{call} (id int, legacy text) PARTITION BY RANGE (id)" for call in ("standardize", "merge") for name, *_ in defaults])
    world.run("mallory", "CREATE DOMAIN mallory.d AS text", "CREATE TYPE mallory.c AS (a mallory.d)", SPY)
    world.run("alice", *(f"CREATE TABLE alice.{name}_{call}_part PARTITION OF alice.{name}_{call} FOR VALUES FROM (0) TO (10)"
                         for call in ("standardize", "merge") for name, *_ in defaults))
    # alice's default calls her polymorphic function, and mallory adds the better match afterwards
    world.run("mallory", "DROP FUNCTION public.doc(int)")
    world.run("alice", *(f"ALTER TABLE alice.{name}_{call} ALTER legacy SET DEFAULT {default}" for call in ("standardize", "merge") for name, default, _ in defaults))
    world.run("mallory", """CREATE FUNCTION public.doc(int) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN
              IF current_user !~ 'mallory' THEN PERFORM nextval('mallory.hits'); END IF; RETURN '{}'; END $$""",
              "ALTER DOMAIN mallory.d ADD CHECK (mallory.f(VALUE)) NOT VALID", "TRUNCATE mallory.seen", "ALTER SEQUENCE mallory.hits RESTART")
    world.run("alice", *(f"SELECT standardize_event_column('alice.{name}_standardize', 'legacy')" for name, *_ in defaults),
              *(f"CALL merge_event_column('alice.{name}_merge', 'legacy')" for name, *_ in defaults))
    for name, _, value in defaults:
        for call in ("standardize", "merge"):
            for table in (f"{name}_{call}", f"{name}_{call}_part"):
                assert world.run("alice", f"INSERT INTO alice.{table} (id) VALUES (1) RETURNING data") == [(value,)]
    called = "SELECT DISTINCT refobjid::regprocedure::text FROM pg_depend AS d JOIN pg_attrdef AS a ON a.oid = d.objid AND d.refclassid = 'pg_proc'::regclass"
    assert world.run("alice", called) == [("doc(anyelement)",)]
    assert strangers_seen(world) == []


def test_default_of_a_generated_column(world):
    """The expression of a generated column is no default, and reads columns."""
    prepare(world)
    world.run("mallory", "CREATE TABLE mallory.t (a text, legacy text GENERATED ALWAYS AS (lower(a)) STORED, data jsonb)",
              "INSERT INTO mallory.t VALUES ('{}')")
    for call in ("SELECT standardize_event_column('mallory.t', 'legacy')", "CALL merge_event_column('mallory.t', 'legacy')",
                 "SELECT _event_validate.copy_event_default('mallory.t', 'legacy', 'data')",
                 "SELECT _event_validate.event_column_to_jsonb('mallory.t', 'legacy')"):
        world.refused("mallory", call, "0A000", "generated")
    # nor does a default get into a column of another type, or into a table of another role
    world.run("mallory", "CREATE TABLE mallory.d (legacy json DEFAULT '{}', n int, data jsonb)", "GRANT ALL ON mallory.d TO PUBLIC")
    world.refused("mallory", "SELECT _event_validate.copy_event_default('mallory.d', 'legacy', 'n')", "42804", "jsonb")
    world.refused("mallory", "SELECT _event_validate.copy_event_default('mallory.d', 'legacy', 'xmin')", "42804", "jsonb")
    for call in ("copy_event_default('mallory.d', 'legacy', 'data')", "event_column_to_jsonb('mallory.d', 'legacy')"):
        world.refused("bob", f"SELECT _event_validate.{call}", "42501", "owner")


# A cast that mallory adds just when a command of the owner of a table begins.
CAST_AT_COMMAND = """CREATE FUNCTION public.cast_at_command() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
    IF current_setting('my.adds_cast', true) = 'on' THEN
        PERFORM set_config('my.adds_cast', 'off', false);
        CREATE CAST (mallory.kind AS text) WITH FUNCTION mallory.label(mallory.kind) AS IMPLICIT;
    END IF; END $$"""


def test_cast_added_within_a_call(world):
    """A cast that is added between two statements of add_event_check or create_event_view gets into no constraint or view."""
    prepare(world)
    world.run(None, f"CREATE SCHEMA alice AUTHORIZATION {world.role('alice')}", "GRANT USAGE ON SCHEMA alice TO PUBLIC")
    world.run("owner", "SELECT register_event_schema('order', 1, '{\"type\": \"object\"}')")
    world.run("mallory", "CREATE TYPE mallory.kind AS ENUM ('order')", """CREATE FUNCTION mallory.label(mallory.kind) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN
              IF current_user !~ 'mallory' THEN PERFORM nextval('mallory.hits'); END IF; RETURN 'order'; END $$""")
    world.run("alice", "CREATE TABLE alice.e (event_type mallory.kind, schema_version int, data jsonb)", "INSERT INTO alice.e VALUES ('order', 1, '{}')",
              "CREATE TABLE alice.parts (event_type mallory.kind, schema_version int, data jsonb) PARTITION BY LIST (event_type)",
              "CREATE TABLE alice.part PARTITION OF alice.parts FOR VALUES IN ('order')")
    world.run(None, CAST_AT_COMMAND, "CREATE EVENT TRIGGER cast_at_command ON ddl_command_start WHEN TAG IN ('ALTER TABLE', 'CREATE VIEW') EXECUTE FUNCTION public.cast_at_command()")
    calls = ("add_event_check('alice.e')", "add_event_check('alice.e', types => '{order}')", "add_event_check('alice.parts')",
             "create_event_view('alice.v', 'alice.e', 'order', 1)")
    for role in (None, "alice"):
        for call in calls:
            session = world.connect(role)
            session.execute("SET my.adds_cast = on")
            try:
                session.execute(f"SELECT {call}")
                raise AssertionError(f"the cast is in it: {call}")
            except psycopg.Error as error:
                assert error.sqlstate == "42725" and "mallory.label" in str(error), error
            assert world.run(None, "SELECT castsource FROM pg_cast WHERE castfunc = 'mallory.label'::regproc") == []
    # with the cast, and without the race
    world.run("mallory", "CREATE CAST (mallory.kind AS text) WITH FUNCTION mallory.label(mallory.kind) AS IMPLICIT")
    for call in calls:
        world.run("alice", f"SELECT {call}")
    for role in (None, "alice"):
        world.run(role, "INSERT INTO alice.e VALUES ('order', 1, '{}')", "INSERT INTO alice.parts VALUES ('order', 1, '{}')", "SELECT * FROM alice.v")
    assert strangers_seen(world) == []


def test_default_of_a_parent(world):
    """While columns are merged, an INSERT into a partition runs no default of its parent that another role has set."""
    prepare(world)
    world.run(None, "GRANT CREATE ON SCHEMA public TO PUBLIC")
    world.run("mallory", """CREATE FUNCTION mallory.doc() RETURNS jsonb LANGUAGE plpgsql STABLE AS $$ BEGIN
            IF current_user !~ 'mallory' THEN PERFORM nextval('mallory.hits'); END IF; RETURN '{}'; END $$""",
              "CREATE TABLE public.parent (id int, legacy text, data jsonb) PARTITION BY RANGE (id)",
              "CREATE TABLE public.part PARTITION OF public.parent FOR VALUES FROM (0) TO (10)",
              """CREATE TRIGGER zzy_event_column_merge BEFORE INSERT OR UPDATE ON public.parent FOR EACH ROW
                 EXECUTE FUNCTION _event_validate.keep_event_columns('legacy', 'data')""")
    world.run(None, f"ALTER TABLE public.part OWNER TO {world.role('alice')}")
    world.run("mallory", "ALTER TABLE ONLY public.parent ALTER data SET DEFAULT mallory.doc()")
    for role in ("alice", None):
        world.refused(role, """INSERT INTO public.part VALUES (1, '{"a": 1}', '{}')""", "22000")
    assert strangers_seen(world) == []


def test_type_changes_before_the_query(world):
    """The types that a call has looked at are those that its query finds, also if the table's owner waits in between."""
    prepare(world)
    world.run(None, "GRANT CREATE ON SCHEMA public TO PUBLIC")
    world.run("owner", "SELECT register_event_schema('order', 1, '{\"type\": \"object\"}')")
    world.run("mallory", "CREATE TYPE mallory.c AS (a text)", *(f"""CREATE FUNCTION mallory.to_{target}(mallory.c) RETURNS {target} LANGUAGE plpgsql AS $$ BEGIN
                  IF current_user !~ 'mallory' THEN PERFORM nextval('mallory.hits'); END IF; RETURN '{{}}'; END $$""" for target in ("text", "jsonb")),
              *(f"CREATE CAST (mallory.c AS {target}) WITH FUNCTION mallory.to_{target}(mallory.c) AS IMPLICIT" for target in ("text", "jsonb")))
    for number, call in enumerate(("audit_events('{}')", "check_event_upgrade('{}', 'order', 1, 1)", "event_column_conflicts('{}', 'data', 'other')")):
        for kind in ("text", "varchar"):
            table = f"public.hers{number}{kind}"
            world.run("mallory", f"CREATE TABLE {table} (event_type text, schema_version int, data {kind}, other jsonb)",
                      f"INSERT INTO {table} VALUES ('order', 1, '[]', '[]')")
            locks, waits = world.connect("mallory"), world.connect("mallory")
            locks.execute(f"BEGIN; LOCK TABLE {table}")
            reader = Background(world.connect(), f"SELECT * FROM {call.format(table)}")
            time.sleep(0.3)
            changer = Background(waits, f"ALTER TABLE {table} ALTER data TYPE mallory.c USING ROW('x')::mallory.c")
            time.sleep(0.3)
            locks.execute("COMMIT")
            reader.join_within(10)
            changer.join_within(10)
            assert strangers_seen(world) == [], table


# ---------- literals of a guard ----------

# how a stored expression holds the value of a domain: PostgreSQL reads its text by the domain's constraints
LITERALS = {"one": "('(q)'::mallory.c) IS NULL", "several": "('{(q)}'::mallory.c[]) IS NULL", "nested": "('(\"(q)\")'::mallory.n) IS NULL",
            "elements": "('{q}'::mallory.d[]) IS NULL", "range": "('[q,r)'::mallory.r) IS NULL",
            "multirange": "('{[q,r)}'::mallory.m) IS NULL", "builtin": "('[1,2)'::int4range) IS NULL"}


def literals(world, author, make):
    """Tables alice.NAME. `make`, which gets the table and a literal of mallory's types, adds an object with this literal; the domain gets its constraint afterwards."""
    prepare(world)
    world.run(None, f"CREATE SCHEMA alice AUTHORIZATION {world.role('alice')}", "GRANT USAGE ON SCHEMA alice TO PUBLIC")
    world.run("mallory", "CREATE DOMAIN mallory.d AS text", "CREATE TYPE mallory.c AS (a mallory.d)",
              "CREATE TYPE mallory.n AS (a mallory.c)", "CREATE TYPE mallory.r AS RANGE (subtype = mallory.d, multirange_type_name = mallory.m)",
              SPY)
    for name, literal in LITERALS.items():
        world.run("alice", f"CREATE TABLE alice.{name} (event_type text, schema_version int, data jsonb)",
                  f"GRANT TRIGGER, SELECT, INSERT ON alice.{name} TO PUBLIC")
        world.run(author, make(f"alice.{name}", literal))
    world.run("mallory", "ALTER DOMAIN mallory.d ADD CHECK (mallory.f(VALUE)) NOT VALID", "TRUNCATE mallory.seen", "ALTER SEQUENCE mallory.hits RESTART")


def added(table, literal):
    return f"SELECT add_event_guard('{table}', 'enforce', type_expr => $q$CASE WHEN {literal} THEN event_type ELSE event_type END$q$)"


def switched(world):
    """Switching and replacing a guard runs no code, whichever role does it; the guard is the same afterwards."""
    definition = "SELECT relation::text, data_expr, type_expr, version_expr FROM event_enforcement ORDER BY 1"
    before = world.run(None, definition)
    assert len(before) == len(LITERALS)
    for role in ("alice", None, "owner", "bob"):
        for mode in ("off", "warn"):
            rows = world.run(role, f"SELECT guarded_relation::text, new_mode, problem FROM set_event_guard_mode(NULL, '{mode}')")
            assert sorted(rows) == [(f"alice.{name}", mode, None) for name in sorted(LITERALS)], rows
        for name in LITERALS:
            assert world.run(role, f"SELECT new_mode FROM set_event_guard_mode('alice.{name}', 'off', 'tomorrow')") == [("off",)]
            world.run(role, f"SELECT add_event_guard('alice.{name}', 'off', fires_on => 'insert')")
            world.run(role, f"SELECT add_event_guard('alice.{name}', 'enforce', types => '{{a}}', fires_on => 'insert or update')")
            world.run(role, f"SELECT add_event_guard('alice.{name}', 'enforce')")
    assert strangers_seen(world) == []
    assert world.run(None, definition) == before
    for name in LITERALS:
        world.refused("alice", f"INSERT INTO alice.{name} (event_type, schema_version, data) VALUES ('none', 1, '1')", "42704")
    assert strangers_seen(world) == []


def test_literals_of_a_stranger(world):
    """A role that may have triggers on the table writes the literal."""
    literals(world, "mallory", added)
    switched(world)


def test_literals_of_the_owner(world):
    """The owner writes it, and the domain's owner adds a constraint later."""
    literals(world, "alice", added)
    switched(world)


def test_literals_by_hand(world):
    """The same in CREATE TRIGGER."""
    literals(world, "mallory", lambda table, literal: f"""CREATE TRIGGER g BEFORE INSERT OR UPDATE ON {table} FOR EACH ROW
        WHEN (true OR _event_validate.event_guard_reads(ROW(new.data, CASE WHEN {literal} THEN new.event_type ELSE new.event_type END,
              new.schema_version))) EXECUTE FUNCTION public.guard_event('enforce')""")
    switched(world)


def test_literals_of_partitions(world):
    """Guards of partitions are switched with their table's, whatever they are called and wherever their columns are."""
    prepare(world)
    world.run(None, f"CREATE SCHEMA alice AUTHORIZATION {world.role('alice')}")
    world.run("mallory", "CREATE DOMAIN mallory.d AS text", "CREATE TYPE mallory.c AS (a mallory.d)",
              SPY)
    world.run("owner", "SELECT register_event_schema('order', 1, '{\"type\": \"object\"}')")
    world.run("alice", "CREATE TABLE alice.t (id int, event_type text, schema_version int, data jsonb) PARTITION BY RANGE (id)",
              "CREATE TABLE alice.t1 PARTITION OF alice.t FOR VALUES FROM (0) TO (10) PARTITION BY RANGE (id)",
              "CREATE TABLE alice.t11 (data jsonb, x int, id int, schema_version int, event_type text)", "ALTER TABLE alice.t11 DROP x",
              "ALTER TABLE alice.t1 ATTACH PARTITION alice.t11 FOR VALUES FROM (0) TO (5)",
              "CREATE TABLE alice.t12 PARTITION OF alice.t1 FOR VALUES FROM (5) TO (10)",
              "SELECT add_event_guard('alice.t', 'enforce', type_expr => $q$CASE WHEN ('(q)'::mallory.c) IS NULL THEN 'x' ELSE event_type END$q$)",
              "ALTER TABLE alice.t12 DISABLE TRIGGER zzz_event_guard")
    world.run("mallory", "ALTER DOMAIN mallory.d ADD CHECK (mallory.f(VALUE)) NOT VALID")
    clones = "SELECT count(*), count(*) FILTER (WHERE tgargs = 'warn\\000'::bytea AND tgtype = 7 AND tgenabled = 'O') FROM pg_trigger WHERE tgname = 'zzz_event_guard'"
    qualified = "SELECT tgrelid::regclass::text, pg_get_triggerdef(oid), tgqual::text, tgparentid FROM pg_trigger WHERE tgname = 'zzz_event_guard' ORDER BY 1"
    dump = "SELECT count(*) FROM pg_depend WHERE classid = 'pg_trigger'::regclass AND objid IN (SELECT oid FROM pg_trigger WHERE tgname = 'zzz_event_guard')"
    before = world.run("alice", qualified), world.run("alice", dump)
    for place in ("NULL", "'alice.t'"):
        world.run(None, f"SELECT set_event_guard_mode({place}, 'off')")
        for row, sqlstate in (("3, 'order', 1, '[]'", None), ("7, 'order', 1, '[]'", None)):
            world.run("alice", f"INSERT INTO alice.t VALUES ({row})")
        world.run(None, f"SELECT set_event_guard_mode({place}, 'enforce')")
        for row in ("3, 'order', 1, '[]'", "7, 'order', 1, '[]'"):
            world.refused("alice", f"INSERT INTO alice.t VALUES ({row})", "23514")
    assert (world.run("alice", qualified), world.run("alice", dump)) == before
    world.run("alice", "SELECT add_event_guard('alice.t', 'warn', fires_on => 'insert')")
    assert world.run("alice", clones) == [(4, 4)], world.run("alice", qualified)
    assert strangers_seen(world) == []
    # one that is attached later gets the guard as it is now
    world.run("alice", "CREATE TABLE alice.t2 PARTITION OF alice.t FOR VALUES FROM (10) TO (20)")
    assert world.run("alice", clones) == [(5, 5)]


def test_literal_of_a_check(world):
    """A guard that takes the expressions of the table's check refuses literals whose text runs another role's code."""
    literals(world, "alice", lambda table, literal: f"""ALTER TABLE {table} ADD CHECK
        (public.check_event(data, CASE WHEN {literal} THEN event_type ELSE event_type END, schema_version))""")
    for role in ("alice", None):
        for name in LITERALS:
            command = f"SELECT add_event_guard('alice.{name}', 'enforce')"
            if name == "builtin":
                world.run(role, command)
            else:
                world.refused(role, command, "0A000", "data_expr")
    assert strangers_seen(world) == []


def test_row_of_a_check(world):
    """The fields of a row are cast to those of its type, which the type's owner changes."""
    prepare(world)
    world.run(None, f"CREATE SCHEMA alice AUTHORIZATION {world.role('alice')}")
    world.run("mallory", "CREATE DOMAIN mallory.d AS text", "CREATE TYPE mallory.c AS (a text)", SPY)
    world.run("alice", "CREATE TABLE alice.t (event_type text, schema_version int, data jsonb, CHECK"
              " (public.check_event(data, CASE WHEN ROW(event_type)::mallory.c IS NULL THEN event_type ELSE event_type END, schema_version)))")
    world.run("mallory", "ALTER TYPE mallory.c DROP ATTRIBUTE a, ADD ATTRIBUTE a mallory.d", "ALTER DOMAIN mallory.d ADD CHECK (mallory.f(VALUE)) NOT VALID")
    for role in ("alice", None):
        world.refused(role, "SELECT add_event_guard('alice.t', 'enforce')", "0A000", "data_expr")
    assert strangers_seen(world) == []


def test_operator_that_fits_better(world):
    """validate_event_check does not parse an operator of a user anew, whatever function it has, nor one that is not written."""
    prepare(world)
    world.run(None, "GRANT CREATE ON SCHEMA public TO PUBLIC", f"CREATE SCHEMA alice AUTHORIZATION {world.role('alice')}")
    world.run("owner", "SELECT register_event_schema('order', 1, '{\"type\": \"object\"}')")
    world.run("mallory", "CREATE TYPE mallory.pair AS (a text)")
    world.run("alice", "CREATE OPERATOR public.=== (LEFTARG = anyarray, RIGHTARG = anyarray, FUNCTION = array_eq)",
              "CREATE FUNCTION alice.eq(mallory.pair, text) RETURNS bool LANGUAGE sql IMMUTABLE AS $$ SELECT $1.a = $2 $$",
              "CREATE OPERATOR alice.= (LEFTARG = mallory.pair, RIGHTARG = text, FUNCTION = alice.eq)",
              "CREATE TABLE alice.op (tags text[], data jsonb)", "INSERT INTO alice.op VALUES ('{a}', '[]')",
              "ALTER TABLE alice.op ADD CHECK (public.check_event(data, CASE WHEN tags OPERATOR(public.===) '{a}' THEN 'order' END, 1)) NOT VALID",
              "GRANT USAGE ON SCHEMA alice TO PUBLIC", "CREATE TYPE alice.kind AS ENUM ('order')",
              "CREATE OPERATOR public.=== (LEFTARG = anyenum, RIGHTARG = anyenum, FUNCTION = enum_eq)",
              "CREATE TABLE alice.any (k alice.kind, data jsonb)", "INSERT INTO alice.any VALUES ('order', '[]')",
              "ALTER TABLE alice.any ADD CHECK (public.check_event(data,"
              " CASE WHEN k OPERATOR(public.===) ANY (ARRAY[k]) THEN 'order' END, 1)) NOT VALID",
              "SET search_path = alice, pg_catalog", "CREATE TABLE alice.case (p mallory.pair, data jsonb)", "INSERT INTO alice.case VALUES ('(order)', '[]')",
              "ALTER TABLE alice.case ADD CHECK (public.check_event(data, CASE p WHEN 'order'::text THEN 'order' ELSE 'order' END, 1)) NOT VALID",
              "RESET search_path")
    tables = ("op", "any", "case")
    for table in tables:
        world.refused("alice", f"SELECT validate_event_check('alice.{table}')", "23514", "(rows: 1, violations: 1)")
    world.run("mallory", """CREATE FUNCTION mallory.eqa(text[], text[]) RETURNS bool LANGUAGE plpgsql AS $$ BEGIN
              IF current_user !~ 'mallory' THEN PERFORM nextval('mallory.hits'); END IF; RETURN true; END $$""",
              "CREATE OPERATOR public.=== (LEFTARG = text[], RIGHTARG = text[], FUNCTION = mallory.eqa)",
              """CREATE FUNCTION mallory.eqk(alice.kind, alice.kind) RETURNS bool LANGUAGE plpgsql AS $$ BEGIN
              IF current_user !~ 'mallory' THEN PERFORM nextval('mallory.hits'); END IF; RETURN true; END $$""",
              "CREATE OPERATOR public.=== (LEFTARG = alice.kind, RIGHTARG = alice.kind, FUNCTION = mallory.eqk)",
              """CREATE FUNCTION mallory.tot(mallory.pair) RETURNS text LANGUAGE plpgsql AS $$ BEGIN
              IF current_user !~ 'mallory' THEN PERFORM nextval('mallory.hits'); END IF; RETURN 'order'; END $$""",
              "CREATE CAST (mallory.pair AS text) WITH FUNCTION mallory.tot(mallory.pair) AS IMPLICIT")
    for table in tables:
        world.refused("alice", f"SELECT validate_event_check('alice.{table}')", "23514", "(rows: 1, violations: 1)")
    assert strangers_seen(world) == []


def test_enum_of_a_stranger(world):
    """A guard reads the label of an enum, not its owner's cast, and a default with a literal of the enum moves as it is:
    its owner can give the enum's name to another type while the column is rewritten."""
    prepare(world)
    world.run(None, f"CREATE SCHEMA alice AUTHORIZATION {world.role('alice')}", "GRANT USAGE ON SCHEMA alice TO PUBLIC")
    world.run("owner", "SELECT register_event_schema('order', 1, '{\"type\": \"object\"}')")
    world.run("mallory", "CREATE TYPE mallory.kind AS ENUM ('order')", """CREATE FUNCTION mallory.label(mallory.kind) RETURNS text LANGUAGE plpgsql AS $$ BEGIN
              IF current_user !~ 'mallory' THEN PERFORM nextval('mallory.hits'); END IF; RETURN 'order'; END $$""",
              "CREATE CAST (mallory.kind AS text) WITH FUNCTION mallory.label(mallory.kind)")
    world.run("alice", "CREATE TABLE alice.e (event_type mallory.kind, schema_version int, data jsonb)", "GRANT ALL ON alice.e TO PUBLIC",
              "SELECT public.add_event_guard('alice.e', 'enforce')",
              *(f"CREATE TABLE alice.{name} (id int, legacy json DEFAULT CASE WHEN 'order'::mallory.kind IS NULL THEN '{{}}'::json ELSE '[]' END)"
                for name in ("s", "m")))
    for role in (None, "alice"):
        world.run(role, "INSERT INTO alice.e VALUES ('order', 1, '{}')")
        world.refused(role, "INSERT INTO alice.e VALUES ('order', 1, '[]')", "23514")
    # a check that the rewriting evaluates renames the type
    world.run("alice", "INSERT INTO alice.s (id) VALUES (1)")
    world.run("mallory", """CREATE FUNCTION mallory.renames(int) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
              IF to_regtype('mallory.kind_1') IS NULL THEN
                ALTER TYPE mallory.kind RENAME TO kind_1;
                CREATE DOMAIN mallory.kind AS text CHECK (mallory.f(VALUE)); END IF; RETURN true; END $$""", SPY)
    world.run("alice", "ALTER TABLE alice.s ADD CHECK (mallory.renames(id)) NOT VALID")
    world.run("alice", "SELECT standardize_event_column('alice.s', 'legacy')", "CALL merge_event_column('alice.m', 'legacy')")
    assert world.run("alice", "INSERT INTO alice.m (id) VALUES (1) RETURNING data") == [([],)]
    assert strangers_seen(world) == []


def test_literals_and_drops(world):
    """Nor does a drop or a count read such a text, or one in the arguments of a trigger, as the table's owner."""
    for hand in (False, True):
        if hand:
            world.run(None, "DROP SCHEMA alice, mallory CASCADE")
        literals(world, "mallory" if hand else "alice", (lambda table, literal: f"""CREATE TRIGGER g BEFORE INSERT ON {table} FOR EACH ROW
            EXECUTE FUNCTION public.guard_event('enforce', 'data', $q$CASE WHEN {literal} THEN event_type ELSE event_type END$q$, 'schema_version')""")
                 if hand else added)
        # plain columns, in a trigger that anybody may have written
        world.run("alice", "CREATE TABLE alice.plain (event_type text, schema_version int, data jsonb)", "GRANT ALL ON alice.plain TO PUBLIC")
        world.run("mallory", """CREATE TRIGGER g BEFORE INSERT ON alice.plain FOR EACH ROW
            EXECUTE FUNCTION public.guard_event('enforce', 'data', 'event_type', 'schema_version')""")
        for role in (None, "owner", "alice", "mallory"):
            world.run(role, "SELECT * FROM event_schema_usage()")
            world.run("owner", "SELECT register_event_schema('order', 1, 'true')")
            world.refused("owner", "DROP FUNCTION event_schema.\"order@1\"", "2BP01")
        assert strangers_seen(world) == []
        world.run("alice", *(f"DROP TABLE alice.{name}" for name in LITERALS))
        world.run("owner", "DROP FUNCTION event_schema.\"order@1\"")


def test_literal_of_a_policy(world):
    """Nor does the guard, as the sender, when it checks whether the sender may insert the row."""
    prepare(world)
    world.run(None, f"CREATE SCHEMA alice AUTHORIZATION {world.role('alice')}", "GRANT USAGE ON SCHEMA alice TO PUBLIC")
    world.run("mallory", "CREATE DOMAIN mallory.d AS text", "CREATE TYPE mallory.c AS (a mallory.d)",
              SPY)
    world.run("owner", "SELECT register_event_schema('order', 1, '{\"type\": \"object\"}')")
    world.run("alice", "CREATE TABLE alice.t (event_type text, schema_version int, data jsonb)", "GRANT INSERT ON alice.t TO PUBLIC",
              "SELECT add_event_guard('alice.t', 'quarantine')", "ALTER TABLE alice.t ENABLE ROW LEVEL SECURITY",
              "CREATE POLICY p ON alice.t FOR INSERT WITH CHECK (('(q)'::mallory.c) IS NOT NULL AND current_user = ANY (ARRAY[event_type, current_user]))")
    world.run("bob", "INSERT INTO alice.t VALUES ('order', 1, '{}')")
    world.run("mallory", "ALTER DOMAIN mallory.d ADD CHECK (mallory.f(VALUE)) NOT VALID")
    world.run("bob", "INSERT INTO alice.t VALUES ('order', 1, '{}')")
    assert strangers_seen(world) == []
    # its value is taken as it is stored
    world.run("bob", "INSERT INTO alice.t VALUES ('order', 1, '[]')")
    assert strangers_seen(world) == []
    assert world.run(None, "SELECT count(*) FROM event_schema.quarantine") == [(1,)]
    # a policy with a subquery, too
    world.run("alice", "ALTER POLICY p ON alice.t WITH CHECK (true)",
              "CREATE POLICY r ON alice.t AS RESTRICTIVE FOR INSERT WITH CHECK ((SELECT true) AND ('(q)'::mallory.c) IS NOT NULL)")
    world.run("mallory", "TRUNCATE mallory.seen", "ALTER SEQUENCE mallory.hits RESTART")
    world.run("bob", "INSERT INTO alice.t VALUES ('order', 1, '[]')")
    assert strangers_seen(world) == []
    assert world.run(None, "SELECT count(*) FROM event_schema.quarantine") == [(2,)]


def test_literal_of_a_domain_over_a_domain(world):
    """The owner of each domain below the literal's type can add a constraint."""
    prepare(world)
    world.run(None, f"CREATE SCHEMA alice AUTHORIZATION {world.role('alice')}", "GRANT USAGE ON SCHEMA alice TO PUBLIC")
    world.run("mallory", "CREATE DOMAIN mallory.d AS text", SPY)
    world.run("alice", "CREATE DOMAIN alice.base AS text", "CREATE DOMAIN alice.over AS alice.base", "CREATE DOMAIN alice.d AS mallory.d",
              *(f"""CREATE TABLE alice.{table} (event_type text, schema_version int, data jsonb CHECK (public.check_event(data,
                  CASE WHEN ('{{q}}'::alice.{domain}[]) IS NULL THEN event_type ELSE event_type END, schema_version)))"""
                for table, domain in (("t", "d"), ("own", "over"))))
    world.run("mallory", "ALTER DOMAIN mallory.d ADD CHECK (mallory.f(VALUE)) NOT VALID")
    for role in ("alice", None):
        world.refused(role, "SELECT add_event_guard('alice.t', 'enforce')", "0A000", "data_expr")
        world.run(role, "SELECT add_event_guard('alice.own', 'enforce')")
    assert strangers_seen(world) == []


def test_operators_of_the_sender_in_a_policy(world):
    """A policy means its own operators, also where its text does not name them."""
    prepare(world)
    world.run(None, f"CREATE SCHEMA alice AUTHORIZATION {world.role('alice')}", "GRANT USAGE ON SCHEMA alice TO PUBLIC")
    world.run("mallory", "CREATE FUNCTION mallory.yes(text, text) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT true'",
              "CREATE OPERATOR mallory.= (LEFTARG = text, RIGHTARG = text, FUNCTION = mallory.yes)")
    world.run("owner", "SELECT register_event_schema('order', 1, '{\"type\": \"object\"}')")
    world.run("alice", "CREATE TABLE alice.t (tenant text, event_type text, schema_version int, data jsonb)", "GRANT INSERT ON alice.t TO PUBLIC",
              "SELECT add_event_guard('alice.t', 'quarantine')", "ALTER TABLE alice.t ENABLE ROW LEVEL SECURITY")
    setting = "current_setting('app.tenant', true)"
    for policy in (f"tenant IS NOT DISTINCT FROM {setting}", f"CASE tenant WHEN {setting} THEN true ELSE false END", f"nullif(tenant, {setting}) IS NULL"):
        for condition in (policy, policy.replace(setting, f"(SELECT {setting})")):
            world.run("alice", "DROP POLICY IF EXISTS p ON alice.t", f"CREATE POLICY p ON alice.t FOR INSERT WITH CHECK ({condition})")
            insert = ("SET app.tenant = 'mine'", "SET search_path = mallory, pg_catalog")
            session = world.connect("mallory")
            for command in insert:
                session.execute(command)
            for data, sqlstate in (("{}", "42501"), ("[]", "23514")):
                try:
                    session.execute(f"INSERT INTO alice.t VALUES ('other', 'order', 1, '{data}')")
                    raise AssertionError(f"not refused: {condition}, {data}")
                except psycopg.Error as error:
                    assert error.sqlstate == sqlstate, f"{condition}: {error.sqlstate} {error}"
            # rows of its own tenant are diverted
            session.execute("INSERT INTO alice.t VALUES ('mine', 'order', 1, '[]')")
            assert session.execute("SHOW search_path").fetchone() == ("mallory, pg_catalog",)
    assert world.run(None, "SELECT DISTINCT \"row\" ->> 'tenant', count(*) OVER () FROM event_schema.quarantine") == [("mine", 6)]


def test_switch_is_not_held_up(world):
    """A guard whose expressions sleep, raise errors or catch cancels when they are parsed is switched like others."""
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
    start = time.monotonic()
    rows = world.run(None, "SELECT guarded_relation::text, new_mode, problem FROM set_event_guard_mode(NULL, 'off')")
    assert time.monotonic() - start < 5
    assert len(rows) == 5 and all(mode == "off" and problem is None for _, mode, problem in rows), rows


def test_switch_needs_the_rights_of_a_trigger(world):
    """TRIGGER on the table, EXECUTE on guard_event(), and a transaction that may write; a guard that was disabled fires again."""
    prepare(world)
    world.run("mallory", "CREATE TABLE mallory.t (event_type text, schema_version int, data jsonb)", "SELECT add_event_guard('mallory.t', 'enforce')",
              f"GRANT TRIGGER ON mallory.t TO {world.role('bob')}", "ALTER TABLE mallory.t ENABLE ALWAYS TRIGGER zzz_event_guard")
    enabled = "SELECT tgenabled FROM pg_trigger WHERE tgname = 'zzz_event_guard'"
    for call in ("set_event_guard_mode('mallory.t', 'off')", "add_event_guard('mallory.t', 'off')"):
        world.refused("alice", f"SELECT {call}", "42501", "TRIGGER")
        world.run("bob", f"SELECT {call}")
        assert world.run(None, enabled) == [("A",)]
        session = world.connect("mallory", options="-c default_transaction_read_only=on")
        try:
            session.execute(f"SELECT {call}")
            raise AssertionError("changed in a read-only transaction")
        except psycopg.errors.ReadOnlySqlTransaction:
            pass
        world.run(None, "REVOKE EXECUTE ON FUNCTION guard_event() FROM PUBLIC")
        world.refused("bob", f"SELECT {call}", "42501", "guard_event")
        world.run(None, "GRANT EXECUTE ON FUNCTION guard_event() TO PUBLIC")
    world.run("mallory", "ALTER TABLE mallory.t DISABLE TRIGGER zzz_event_guard")
    world.run("bob", "SELECT set_event_guard_mode('mallory.t', 'enforce')")
    assert world.run(None, enabled) == [("O",)]


def test_switch_within_a_statement(world):
    """A trigger of the table switches its guard: the statement goes on with the old mode, the next one has the new one."""
    prepare(world)
    world.run("owner", "SELECT register_event_schema('order', 1, '{\"type\": \"object\"}')")
    world.run("mallory", "CREATE TABLE mallory.t (id int, event_type text, schema_version int, data jsonb)",
              "SELECT add_event_guard('mallory.t', 'off')",
              """CREATE FUNCTION mallory.tf() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                 IF new.id = 2 THEN PERFORM public.set_event_guard_mode('mallory.t', 'enforce'); END IF; RETURN new; END $$""",
              "CREATE TRIGGER a BEFORE INSERT ON mallory.t FOR EACH ROW EXECUTE FUNCTION mallory.tf()")
    session = world.connect("mallory")
    session.execute("BEGIN")
    session.execute("INSERT INTO mallory.t SELECT i, 'order', 1, '[]' FROM generate_series(1, 5) AS i")
    try:
        session.execute("INSERT INTO mallory.t VALUES (9, 'order', 1, '[]')")
        raise AssertionError("the guard has the old mode")
    except psycopg.errors.CheckViolation:
        pass


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
    create = """CREATE OR REPLACE FUNCTION mallory.f(e jsonb) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
        BEGIN RETURN e || jsonb_build_object('who', current_user); END $$"""
    world.run("mallory", "CREATE FUNCTION mallory.f(e jsonb) RETURNS jsonb LANGUAGE sql STABLE AS 'SELECT e'")
    world.run("owner", "SELECT register_event_schema('x', v, 'true') FROM generate_series(1, 2) AS v")
    world.run(None, "SELECT register_event_upcast('x', 1, 2, 'mallory.f(jsonb)')")
    session = world.connect("bob")
    for statement in ("SELECT upcast_event('{}', 'x', 1)", "SELECT event_at_version('{}', 'x', 1, 2)"):
        session.execute(statement)
        world.run("mallory", create)
        assert session.execute(statement).fetchone() == ({"who": world.role("mallory")},)
    # an owner without her rights runs the upcast as itself
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
    assert longest < COSTS, longest


def test_constants_of_a_table(world):
    """PostgreSQL evaluates constants in a table's indexes, statistics, keys and constraints when it plans a query.

    Those in the constraints of a domain, when it is asked whether there are any.
    """
    prepare(world)
    world.run("owner", "SELECT public.register_event_schema('m', 1, '{\"type\": \"object\"}')",
              "SELECT public.register_event_schema('m', 2, '{\"required\": [\"a\"]}', breaking => true)")
    world.run("mallory", """CREATE FUNCTION mallory.spy() RETURNS int LANGUAGE plpgsql IMMUTABLE AS
            $$ BEGIN RAISE WARNING 'mallory''s code runs as %', current_user; RETURN 1; END $$""",
              "CREATE TABLE mallory.t (id int PRIMARY KEY, event_type text, schema_version int, data jsonb)",
              "INSERT INTO mallory.t VALUES (1, 'm', 1, '{}'), (2, 'm', 1, '[]')",
              "CREATE INDEX ON mallory.t ((id + mallory.spy()))", "CREATE INDEX ON mallory.t (id) WHERE mallory.spy() > 0",
              "CREATE STATISTICS mallory.s ON (id + mallory.spy()), data FROM mallory.t",
              "CREATE TABLE mallory.p (LIKE mallory.t) PARTITION BY LIST ((id + mallory.spy()))",
              "CREATE TABLE mallory.p2 PARTITION OF mallory.p FOR VALUES IN (2) PARTITION BY LIST ((id - mallory.spy()))",
              "CREATE TABLE mallory.p20 PARTITION OF mallory.p2 DEFAULT",
              "ALTER TABLE mallory.p20 ADD CHECK (id > mallory.spy() - 2)", "INSERT INTO mallory.p VALUES (1, 'm', 1, '[]')",
              "CREATE DOMAIN mallory.document AS jsonb CHECK (mallory.spy() > 0)", "CREATE DOMAIN mallory.number AS int CHECK (mallory.spy() > 0)",
              "CREATE TABLE mallory.d (id int PRIMARY KEY, event_type text, schema_version mallory.number, data mallory.document)",
              "INSERT INTO mallory.d VALUES (1, 'm', 1, '{}')", "SELECT public.add_event_guard('mallory.d', 'off')",
              "SELECT public.add_event_guard('mallory.t', 'off')", "SELECT public.add_event_guard('mallory.p', 'off')",
              "INSERT INTO mallory.t VALUES (3, 'm', 1, '3')")
    calls = [f"SELECT * FROM public.{call}" for call in (
        "audit_events('mallory.t')", "audit_events('mallory.p')", "check_event_upgrade('mallory.t', 'm', 1, 2)",
        "check_event_upgrade('mallory.p', 'm', 1, 2)", "audit_events('mallory.d')", "check_event_upgrade('mallory.d', 'm', 1, 2)", "event_column_conflicts('mallory.t', 'data', 'other')",
        "event_column_conflicts('mallory.p', 'data', 'data')", "set_event_guard_mode(NULL, 'warn')",
        "set_event_guard_mode('mallory.p', 'quarantine')", "event_schema_usage()", "event_enforcement",
        "drop_event_schema('m', 1)", "replay_event_quarantine()")]
    mallory = world.role("mallory")
    for call in calls:
        # a session of its own, which has evaluated no constant
        session = world.connect()
        said = told(session)
        with contextlib.suppress(psycopg.errors.DependentObjectsStillExist):
            session.execute(call)
        assert not [message for message in said if "runs as" in message and mallory not in message], (call, said)
    # the caller's rights hold as before, and its expressions run as the caller
    assert world.run(None, "SELECT count(*) FROM public.audit_events('mallory.t')") == [(3,)]
    world.run(None, "CREATE FUNCTION public.mine(jsonb) RETURNS jsonb LANGUAGE plpgsql STABLE AS"
              f" $$ BEGIN IF current_user = '{mallory}' THEN RAISE 'no'; END IF; RETURN $1; END $$")
    assert world.run(None, "SELECT count(*) FROM public.audit_events('mallory.t', 'public.mine(data)')") == [(3,)]
    world.refused("alice", "SELECT * FROM public.audit_events('mallory.t')", "42501")
    for text in ("SELECT 1; SELECT 2", "DELETE FROM mallory.t", "WITH d AS (DELETE FROM mallory.t RETURNING 1) SELECT * FROM d", "SELECT 1 INTO x"):
        world.refused("mallory", f"SELECT * FROM _event_validate.rows_planned_as_owner('{text}', 'mallory.t') AS x (a int)", "42601")
    world.refused("mallory", "SELECT * FROM _event_validate.rows_planned_as_owner('SELECT 1', 'mallory.t') AS x (a text)", "42804")


def test_call_in_a_hint(world):
    """A hint has no call with an expression of a role without the reader's rights."""
    prepare(world)
    world.run("owner", "SELECT public.register_event_schema('o', 1, '{}')")
    world.run("mallory", "CREATE TABLE mallory.t (event_type text, schema_version int, data jsonb, payload jsonb)",
              "CREATE FUNCTION mallory.g(jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS 'SELECT $1'",
              "SELECT public.create_event_view('mallory.v1', 'mallory.t', 'o')",
              "SELECT public.create_event_view('mallory.v2', 'mallory.t', 'o', data_expr => 'payload')",
              "SELECT public.create_event_view('mallory.v3', 'mallory.t', 'o', data_expr => 'mallory.g(data)')")
    session = world.connect()
    hints = []
    session.add_notice_handler(lambda diagnostic: hints.append(diagnostic.message_hint))
    session.execute("SELECT public.register_event_schema('o', 2, '{}')")
    assert len(hints) == 3 and ["create_event_view(" in hint for hint in sorted(hints, key=lambda hint: "calls" in hint)] == [True, True, False], hints
    assert not [hint for hint in hints if "mallory.g" in hint], hints


def test_quarantine_counts_of_members(world):
    """Whoever has the rights of the quarantine's owner does not run its code with rights of his own."""
    world.server.add_role("heir")
    owner, heir = world.role("owner"), world.role("heir")
    world.run(None, f'GRANT "{owner}" TO "{heir}"')
    world.run("owner", "CREATE TABLE ev (event_type text, schema_version int, data jsonb)", "SELECT add_event_guard('ev', 'quarantine')",
              "INSERT INTO ev VALUES ('none', 1, '{}')", "CREATE TABLE seen (who text)", "GRANT INSERT ON seen TO PUBLIC",
              "CREATE FUNCTION record() RETURNS void LANGUAGE sql AS 'INSERT INTO public.seen VALUES (current_user)'",
              """CREATE FUNCTION note(t text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS
                 $$ BEGIN PERFORM public.record(); RETURN t; END $$""",
              "CREATE STATISTICS constants ON (note('x')), event_type FROM event_schema.quarantine")
    try:
        for view in ("event_quarantine", "event_quarantine_counts"):
            world.run("owner", "TRUNCATE seen")
            world.run("heir", f"SELECT * FROM {view}")
            assert set(world.run("owner", "TABLE seen")) == {(owner,)}, (view, world.run("owner", "TABLE seen"))
    finally:
        world.run(None, f'REVOKE "{owner}" FROM "{heir}"')
