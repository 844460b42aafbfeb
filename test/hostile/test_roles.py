"""SECURITY.md, checked against the server.

Its tables of calls: a cell says how the call ends: "yes", an SQLSTATE, or
"problem": the call succeeds, and its row for the table has a problem.  Each
call is made in a session and a transaction of its own, which is rolled back,
as each role; no call may lock a table on which the role has no right.  (What
migrate_events commits is in a table of its own.)  Its limits: they are the
sources' constants.  What runs as whom: functions record their current_user.
"""

import re
from pathlib import Path

import psycopg

PAGE = Path(__file__).resolve().parents[2] / "SECURITY.md"

# the role that stands for each column; those with no column in a table count as PUBLIC there
COLUMNS = {
    "PUBLIC": "nobody",
    "CREATE on `event_schema`": "creator",
    "owner of the type": "type_owner",
    "SELECT": "reader",
    "INSERT": "writer",
    "SELECT, UPDATE": "migrator",
    "TRIGGER": "guardian",
    "owner of the table": "table_owner",
    "SELECT on the quarantine": "viewer",
    "SELECT, UPDATE, DELETE on it": "keeper",
    "these, and INSERT on the table": "writing_keeper",
    "these, and owner of the table": "owning_keeper",
    "owner of the database": "owner",
    "superuser": None,
}
ROLES = [role for role in COLUMNS.values() if role not in ("owner", None)]
MORE = ("writing_keeper", "owning_keeper")  # they have rights of other columns

DOCUMENT = """'{"type": "object", "required": ["a"]}'"""
CREATE = f'CREATE FUNCTION event_schema."%s"(data jsonb) RETURNS boolean LANGUAGE jsonschema AS {DOCUMENT}'

# the owners of the objects below
SETUP = [
    (None, """
        GRANT CREATE ON SCHEMA event_schema TO {creator}, {type_owner};
        CREATE SCHEMA app;
        GRANT USAGE, CREATE ON SCHEMA app TO PUBLIC;
        GRANT {table_owner} TO {owning_keeper};
        """),
    ("type_owner", f"""
        CREATE FUNCTION app.next(data jsonb) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN data || jsonb_build_object(''b'', 1); END';
        SELECT register_event_schema('order', n, {DOCUMENT}) FROM generate_series(1, 3) AS n;
        SELECT register_event_upcast('order', 1, 2, 'app.next(jsonb)');
        SELECT register_event_schema('used', 1, '{{}}'), register_event_schema('unused', 1, '{{}}');
        SELECT register_event_schema('secret', n, '{{}}') FROM generate_series(1, 2) AS n;
        SELECT register_event_upcast('secret', 1, 2, 'app.next(jsonb)');
        REVOKE EXECUTE ON FUNCTION event_schema."secret@1>2" FROM PUBLIC;
        SELECT register_schema('https://example.com/money', {DOCUMENT});
        """),
    ("table_owner", """
        ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO {reader};
        ALTER DEFAULT PRIVILEGES GRANT INSERT ON TABLES TO {writer}, {writing_keeper};
        ALTER DEFAULT PRIVILEGES GRANT SELECT, UPDATE ON TABLES TO {migrator};
        ALTER DEFAULT PRIVILEGES GRANT TRIGGER ON TABLES TO {guardian};
        CREATE TABLE app.events (event_type text, schema_version int, data jsonb);
        INSERT INTO app.events VALUES ('order', 1, '{"a": 1}');
        CREATE TABLE app.used (LIKE app.events);
        INSERT INTO app.used VALUES ('used', 1, '{}');
        SELECT add_event_check('app.used', constraint_name => 'checked');
        CREATE TABLE app.guarded (LIKE app.events);
        SELECT add_event_guard('app.guarded', 'quarantine');
        INSERT INTO app.guarded VALUES ('order', 1, '{}');
        CREATE TABLE app.migrated (LIKE app.events);
        INSERT INTO app.migrated VALUES ('order', 1, '{"a": 1}');
        CREATE TABLE app.legacy (payload text);
        CREATE TABLE app.merging (payload text);
        """),
    ("owner", """
        SELECT create_event_quarantine();
        GRANT SELECT ON event_schema.quarantine TO {viewer};
        GRANT SELECT, UPDATE, DELETE ON event_schema.quarantine TO {keeper}, {writing_keeper}, {owning_keeper};
        """),
]
TABLES = ["app.events", "app.used", "app.guarded", "app.migrated", "app.legacy", "event_schema.quarantine"]

# the commands of a row's first cell: one command, or several that all end as the row says
CALLS = {
    # validation and the registry
    "validate_event": ["""SELECT validate_event('{"a": 1}', 'order', 1)""", """SELECT validate_event('{"a": 1}'::json, 'order', 1)"""],
    "check_event": ["""SELECT check_event('{"a": 1}', 'order', 1)""", """SELECT check_event('{"a": 1}'::json, 'order', 1)"""],
    "event_violations": "SELECT * FROM event_violations('{}', 'order', 1)",
    "event_report": "SELECT event_report('{}', 'order', 1)",
    "matching_event_versions": "SELECT matching_event_versions('{}', 'order')",
    "jsonb_matches_schema": ["SELECT jsonb_matches_schema('{}', '{}')", "SELECT jsonb_matches_schema('{}', '{}'::jsonb)",
                             "SELECT jsonb_matches_schema('{}'::json, '{}')"],
    "json_matches_schema": ["SELECT json_matches_schema('{}', '{}')", "SELECT json_matches_schema('{}', '{}'::json)"],
    "jsonb_schema_violations": "SELECT * FROM jsonb_schema_violations('{}', '{}')",
    "jsonschema_is_valid": ["SELECT jsonschema_is_valid('{}')", "SELECT jsonschema_is_valid('{}'::json)", "SELECT jsonschema_is_valid('{}'::jsonb)"],
    "jsonschema_validation_errors": ["SELECT jsonschema_validation_errors('{}', '{}')", "SELECT jsonschema_validation_errors('{}'::json, '{}')"],
    'event_schema."TYPE@VERSION"': """SELECT event_schema."order@1"('{}')""",
    "event_schemas": "SELECT * FROM event_schemas",
    "event_upcasts": "SELECT * FROM event_upcasts",
    "event_rename": """SELECT event_rename('{"a": 1}', '{"a": "b"}')""",
    "event_schema_ddl": ["SELECT event_schema_ddl()", "SELECT event_schema_ddl('order')"],
    "event_schema_program": "SELECT event_schema_program('order', 1)",
    "event_schema_changes": ["SELECT * FROM event_schema_changes('{}'::jsonb, '{}'::jsonb)",
                             "SELECT * FROM event_schema_changes('order', 1, '{}')"],
    "check_event_compatibility": ["SELECT * FROM check_event_compatibility('order', '{}')",
                                  "SELECT * FROM check_event_compatibility('order', '{}'::jsonb)"],
    "lint_event_schema": ["SELECT * FROM lint_event_schema('{}')", "SELECT * FROM lint_event_schema('{}'::jsonb)"],
    "event_schema_docs": "SELECT event_schema_docs('order')",
    "event_schema_properties": "SELECT * FROM event_schema_properties('order')",
    "event_schema_example": "SELECT event_schema_example('order')",
    "event_schema_uri": "SELECT event_schema_uri('order')",
    "event_asyncapi": "SELECT event_asyncapi()",
    "event_openapi": "SELECT event_openapi()",
    "event_upcast_path": "SELECT event_upcast_path('order', 1, 2)",
    "event_progress": "SELECT * FROM event_progress",
    "event_validation_stats": "SELECT * FROM event_validation_stats",
    "event_validation_stats_history": "SELECT * FROM event_validation_stats_history",
    "event_validation_stats_daily": "SELECT * FROM event_validation_stats_daily",
    "event_validation_failures": "SELECT * FROM event_validation_failures",
    "event_validation_stats_info": "SELECT * FROM event_validation_stats_info",
    "event_validation_stats_reset": "SELECT event_validation_stats_reset()",
    "event_bigint": "SELECT event_bigint('{}', 'a')",
    "event_numeric": "SELECT event_numeric('{}', 'a')",
    "event_boolean": "SELECT event_boolean('{}', 'a')",
    "event_timestamptz": "SELECT event_timestamptz('{}', 'a')",
    "event_date": "SELECT event_date('{}', 'a')",
    "event_uuid": "SELECT event_uuid('{}', 'a')",
    "event_property": "SELECT event_property('{}', 'a')",
    # types
    "register_event_schema: a new type": [f"SELECT register_event_schema('new', 1, {DOCUMENT})",
                                          f"SELECT register_event_schema('new', 1, {DOCUMENT}::jsonb)"],
    "register_event_schema: the next version": [f"SELECT register_event_schema('order', 4, {DOCUMENT})",
                                                "SELECT register_event_schema('order', 4, '{}', breaking => true)"],
    "register_event_schema: what is registered already": f"SELECT register_event_schema('order', 1, {DOCUMENT})",
    "register_event_schema: other annotations": """SELECT register_event_schema('unused', 1, '{"title": "x"}')""",
    "register_schemas: a new type": [f"SELECT * FROM register_schemas(jsonb_build_object('new@1', {DOCUMENT}::jsonb))",
                                     "SELECT * FROM register_schemas('{\"urn:new\": {}, \"new@1\": {\"$ref\": \"urn:new\"}}')"],
    "register_schemas: the next version": "SELECT * FROM register_schemas('{\"order@4\": {}}', breaking => true)",
    "register_schemas: what is registered already": f"SELECT * FROM register_schemas(jsonb_build_object('order@1', {DOCUMENT}::jsonb))",
    "register_schemas: other annotations": """SELECT * FROM register_schemas('{"unused@1": {"title": "x"}}')""",
    "widen_event_schema": "SELECT widen_event_schema('order', 1, '{}')",
    "set_event_compatibility: a type without versions": "SELECT set_event_compatibility('new', 'none')",
    "set_event_compatibility": "SELECT set_event_compatibility('order', 'none')",
    "set_event_compatibility: all types without a policy": "SELECT set_event_compatibility(NULL, 'none')",
    "register_event_upcast": "SELECT register_event_upcast('order', 2, 3, 'app.next(jsonb)')",
    "register_event_downcast": "SELECT register_event_downcast('order', 2, 1, 'app.next(jsonb)')",
    "register_event_rename": """SELECT register_event_rename('order', 2, 3, '{"a": "b"}')""",
    "drop_event_upcast": "SELECT drop_event_upcast('order', 1, 2)",
    "drop_event_schema": "SELECT drop_event_schema('unused', 1)",
    "drop_event_schema: rows of others carry the version": "SELECT drop_event_schema('used', 1)",
    "drop_event_schema: the same with force => true": "SELECT drop_event_schema('used', 1, force => true)",
    "register_schema: a new URI": "SELECT register_schema('https://example.com/new', '{}')",
    "register_schema: what is registered already": f"SELECT register_schema('https://example.com/money', {DOCUMENT})",
    "register_schema: other annotations": """SELECT register_schema('https://example.com/money', '{"title": "x", "type": "object", "required": ["a"]}')""",
    "upcast_event": """SELECT upcast_event('{"a": 1}', 'order', 1, 2)""",
    "upcast_event: EXECUTE on the upcast is revoked from PUBLIC": "SELECT upcast_event('{}', 'secret', 1, 2)",
    "event_at_version": """SELECT event_at_version('{"a": 1}', 'order', 1, 2)""",
    "event_at_version: EXECUTE on the upcast is revoked from PUBLIC": "SELECT event_at_version('{}', 'secret', 1, 2)",
    "event_at_version_serially": """SELECT event_at_version_serially('{"a": 1}', 'order', 1, 2)""",
    "event_at_version_serially: EXECUTE on the upcast is revoked from PUBLIC": "SELECT event_at_version_serially('{}', 'secret', 1, 2)",
    # tables
    "audit_events": "SELECT * FROM audit_events('app.events')",
    "check_event_upgrade": "SELECT * FROM check_event_upgrade('app.events', 'order', 1, 2)",
    "create_event_view": "SELECT create_event_view('orders', 'app.events', 'order', 1)",
    "event_column_conflicts": "SELECT * FROM event_column_conflicts('app.legacy', 'payload', 'data')",
    "event_audit_query": "SELECT event_audit_query('app.events', 'data', 'event_type', 'schema_version', 5)",
    "event_foreign_enforcement": "SELECT * FROM event_foreign_enforcement('app.events')",
    "event_schema_usage": "SELECT * FROM event_schema_usage()",
    "event_enforcement": "SELECT * FROM event_enforcement",
    "add_event_check": ["SELECT add_event_check('app.events')", "SELECT add_event_check('app.events', audit => true)",
                        "SELECT add_event_check('app.events', types => '{order}')"],
    "validate_event_check": "SELECT validate_event_check('app.used')",
    "drop_event_check": "SELECT drop_event_check('app.used')",
    "standardize_event_column": "SELECT standardize_event_column('app.legacy', 'payload')",
    "merge_event_column": "CALL merge_event_column('app.merging', 'payload')",
    "migrate_events": "CALL migrate_events('app.migrated', 'order', 2)",
    "add_event_guard": "SELECT add_event_guard('app.events', 'enforce')",
    "set_event_guard_mode": "SELECT * FROM set_event_guard_mode('app.guarded', 'warn')",
    "set_event_guard_mode: all tables": "SELECT * FROM set_event_guard_mode(NULL, 'warn')",
    "drop_event_guard": "SELECT drop_event_guard('app.guarded')",
    "guard_event: called without a trigger": "SELECT guard_event()",
    # the quarantine
    "event_quarantine": "SELECT * FROM event_quarantine",
    "create_event_quarantine: the tables are there": "SELECT create_event_quarantine()",
    "create_event_quarantine: with first_id": "SELECT create_event_quarantine(1)",
    "event_quarantine_counts": "SELECT * FROM event_quarantine_counts",
    "purge_event_quarantine": ["SELECT purge_event_quarantine('1 day')", """SELECT purge_event_quarantine('1 day', reason => '{"keyword": "type"}')"""],
    "replay_event_quarantine": ["SELECT * FROM replay_event_quarantine('app.guarded', dry_run => true)", "SELECT * FROM replay_event_quarantine('app.guarded')"],
    "replay_event_quarantine: all tables":
        ["SELECT * FROM replay_event_quarantine(dry_run => true) WHERE event_id IS NULL", "SELECT * FROM replay_event_quarantine()"],
    # plain commands
    'CREATE FUNCTION event_schema."TYPE@VERSION": a new type': CREATE % "new@1",
    'CREATE FUNCTION event_schema."TYPE@VERSION": another version': [CREATE % "order@4", CREATE % "order@0"],
    'CREATE FUNCTION event_schema."URI": its $id is that of another document':
        """CREATE FUNCTION event_schema."https://example.com/new"(jsonb) RETURNS boolean LANGUAGE jsonschema AS '{"$id": "https://example.com/money"}'""",
    'CREATE FUNCTION event_schema."TYPE@FROM>TO"':
        'CREATE FUNCTION event_schema."order@2>3"(data jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE BEGIN ATOMIC SELECT app.next(data); END',
    'CREATE FUNCTION event_schema."TYPE@compatibility"':
        """CREATE FUNCTION event_schema."order@compatibility"() RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT ''none'''""",
    "CREATE FUNCTION event_schema.other": "CREATE FUNCTION event_schema.other() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "CREATE OR REPLACE FUNCTION: another document":
        """CREATE OR REPLACE FUNCTION event_schema."order@1"(data jsonb) RETURNS boolean LANGUAGE jsonschema AS 'false'""",
    "ALTER FUNCTION ... RENAME": 'ALTER FUNCTION event_schema."order@1" RENAME TO "new@1"',
    "ALTER FUNCTION ... SET SCHEMA": 'ALTER FUNCTION event_schema."order@1" SET SCHEMA app',
    "DROP FUNCTION": ['DROP FUNCTION event_schema."unused@1"', 'DROP FUNCTION event_schema."order@1>2"'],
    "DROP FUNCTION: rows of others carry the version": 'DROP FUNCTION event_schema."used@1"',
    "ALTER EXTENSION event_validate ADD": 'ALTER EXTENSION event_validate ADD FUNCTION event_schema."order@1"',
    "ALTER EXTENSION event_validate DROP": "ALTER EXTENSION event_validate DROP FUNCTION validate_event(jsonb, text, int)",
    "DROP EXTENSION event_validate CASCADE: the quarantine has rows": "DROP EXTENSION event_validate CASCADE",
    "DROP TABLE event_schema.quarantine: it has rows": "DROP TABLE event_schema.quarantine",
    "CREATE TABLE event_schema.other": "CREATE TABLE event_schema.other ()",
    "ALTER EVENT TRIGGER event_validate_guard_ddl DISABLE": "ALTER EVENT TRIGGER event_validate_guard_ddl DISABLE",
}


# ---------- the page ----------


def tables(section):
    """The tables of a section: (header, rows) of cells each."""
    text = re.search(rf"^## {section}\n(.*?)(?=^## |\Z)", PAGE.read_text(encoding="utf-8"), re.M | re.S)[1]
    for table in re.findall(r"(?:^\|.*\n)+", text, re.M):
        rows = [[cell.strip() for cell in line.strip("|\n").split("|")] for line in table.splitlines()]
        yield rows[0], rows[2:]


def items(cell):
    """The keys of CALLS that a first cell names."""
    return [item.replace("`", "") for item in re.split(r", (?=`)", cell)]


# ---------- calls ----------


class Trial:
    """The objects of SETUP in a world, and calls of each role."""

    def __init__(self, world):
        self.world = world
        self.admin = world.connect()
        for role in ROLES:
            world.server.add_role(role)
        for role, commands in SETUP:
            self.run(role, commands)

    def run(self, role, commands):
        """Runs commands in which {role} is the role's name."""
        return self.world.run(role, re.sub(rf"\{{({'|'.join(ROLES)})\}}", lambda name: self.world.role(name[1]), commands))

    def ending(self, role, command, settings=""):
        """How a command ends, and a few words about it."""
        session = self.world.connect(role)
        try:
            session.execute(settings)
            if not command.startswith("CALL"):
                session.execute("BEGIN")
            result = session.execute(command)
            rows = result.fetchall() if result.description else []
            columns = [column.name for column in result.description or []]
            problems = "problem" in columns and [row[columns.index("problem")] for row in rows]
            locked = self.locked(session, role)
            if locked:
                return "locks", locked
            return "problem" if problems and all(problems) else "yes", problems
        except psycopg.Error as error:
            return error.sqlstate, error.diag.message_primary
        finally:
            session.close()

    def is_preloaded(self):
        return "event_validate" in self.admin.execute("SHOW shared_preload_libraries").fetchone()[0]

    def locked(self, session, role):
        """Tables that the session has locked, and on which the role has no right."""
        return [row[0] for row in self.admin.execute("""
            SELECT c.oid::regclass::text FROM pg_locks AS l JOIN pg_class AS c ON c.oid = l.relation
            WHERE l.pid = %s AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
                AND c.relkind IN ('r', 'p') AND c.oid >= 16384
                AND NOT has_table_privilege(%s, c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')
                AND NOT has_any_column_privilege(%s, c.oid, 'SELECT, INSERT, UPDATE, REFERENCES')""",
            [session.info.backend_pid, self.world.role(role), self.world.role(role)]).fetchall()]

    def wrong(self, role, item, expected, settings=""):
        """The end of a row's item for a role, if it differs from the cell."""
        commands = CALLS[item]
        if item.startswith("event_validation_") and expected == "55000" and self.is_preloaded():
            expected = "yes"
        for command in [commands] if isinstance(commands, str) else commands:
            ending, words = self.ending(role, command, settings)
            if ending != expected:
                yield f"{role or 'superuser'}: {command}: {ending}, not {expected} ({words})"


def cells(with_standing=True):
    """(role, item, cell) of all tables; with the roles that count as PUBLIC."""
    for header, rows in tables("What a role may do"):
        own = [COLUMNS[column] for column in header[1:]]
        standing = [role for role in ROLES if with_standing and role not in own and role not in MORE]
        for row in rows:
            for item in items(row[0]):
                for role, cell in zip(own, row[1:], strict=True):
                    yield role, item, cell
                for role in standing if row[1] != "yes" else ():
                    yield role, item, row[1]


def test_cells(world):
    trial = Trial(world)
    wrong = [line for cell in cells() for line in trial.wrong(*cell)]
    assert not wrong, "\n".join(wrong)


def test_cells_without_checks_of_bodies(world):
    trial = Trial(world)
    wrong = [line for role, item, cell in cells(False) if "CREATE" in item or "register" in item
             for line in trial.wrong(role, item, cell, "SET check_function_bodies = off")]
    assert not wrong, "\n".join(wrong)


def test_cells_while_all_is_locked(world):
    """A role without rights does not wait for a table.  event_enforcement names the tables as a problem."""
    trial = Trial(world)
    trial.admin.execute(f"BEGIN; LOCK TABLE {', '.join(TABLES)}")
    wrong = [line for role, item, cell in cells(False) if role == "nobody"
             for line in trial.wrong(role, item, "problem" if item == "event_enforcement" else cell, "SET lock_timeout = '100ms'")]
    assert not wrong, "\n".join(wrong)


def test_all_is_in_a_table(world):
    """Each function and view in the extension's schema; and each row has a call."""
    public = [row[0] for row in world.run(None, """
        SELECT coalesce(p.proname, c.relname)::text FROM pg_depend AS d JOIN pg_extension AS e ON e.oid = d.refobjid
            LEFT JOIN pg_proc AS p ON d.classid = 'pg_proc'::regclass AND p.oid = d.objid AND p.pronamespace = e.extnamespace
            LEFT JOIN pg_class AS c ON d.classid = 'pg_class'::regclass AND c.oid = d.objid AND c.relnamespace = e.extnamespace
        WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e' AND e.extname = 'event_validate'
            AND coalesce(p.proname, c.relname) IS NOT NULL""")]
    listed = {item for _, item, _ in cells(False)}
    assert listed == set(CALLS), listed ^ set(CALLS)
    missing = set(public) - {item.split(":")[0].split("(")[0] for item in listed}
    assert not missing, missing


def test_internal_functions(world):
    """A role without rights on a table gets no row and no lock of it by any function that takes one."""
    trial = Trial(world)
    functions = trial.admin.execute("""
        SELECT p.oid::regproc::text, ARRAY(SELECT format_type(t, NULL) FROM unnest(p.proargtypes) AS t), p.proargnames, p.prokind = 'p'
        FROM pg_depend AS d JOIN pg_extension AS e ON e.oid = d.refobjid JOIN pg_proc AS p ON p.oid = d.objid
        WHERE d.classid = 'pg_proc'::regclass AND d.deptype = 'e' AND e.extname = 'event_validate'
            AND 'regclass'::regtype = ANY (p.proargtypes)""").fetchall()
    assert len(functions) > 15, functions
    arguments = {"regclass": "'app.events'", "text": "'data'", "name": "'data'", "integer": "1", "boolean": "false"}
    trial.admin.execute(f"BEGIN; LOCK TABLE {', '.join(TABLES)}")
    for name, types, names, is_procedure in functions:
        values = ["'order'" if argument == "event_type" else arguments.get(kind, "NULL") for kind, argument in zip(types, names)]
        call = f"{name}({', '.join(f'{value}::{kind}' for value, kind in zip(values, types))})"
        ending, words = trial.ending("nobody", f"CALL {call}" if is_procedure else f"SELECT * FROM {call}", "SET lock_timeout = '100ms'")
        # other endings come from the arguments and the catalogs: no row of a locked table can be read
        assert ending not in ("locks", "55P03", "57014", "XX000"), f"{call}: {ending} {words}"


# ---------- limits ----------


def test_limits(world):
    """The page has the constants of the sources."""
    del world
    sources = "".join(path.read_text(encoding="utf-8") for path in sorted((PAGE.parent / "src").glob("*/*.[ch]")))
    count = 0
    for _, rows in tables("Limits"):
        for row in rows:
            name, value = re.fullmatch(r"`(\w+)`(?:: (\d+))?", row[-1]).groups()
            found = re.findall(rf"^#define\s+{name}\s+(.*)", sources, re.M)
            assert found, f"there is no {name}"
            if value:
                values = [eval(re.sub(r"/\*.*|INT64CONST|\(Size\)|\(uint32\)", "", one)) for one in found]  # pylint: disable=eval-used
                assert int(value) in values, f"{name} is {values}"
                count += 1
    assert count > 20


# ---------- what runs as whom ----------

LABELS = ("guard", "check", "generated", "policy", "quarantine", "reading", "upcast", "trigger", "given", "look", "legacy", "repair", "ddl", "planned")

WHOM_SETUP = [
    (None, "CREATE SCHEMA app; GRANT USAGE, CREATE ON SCHEMA app TO PUBLIC; GRANT CREATE ON SCHEMA event_schema TO {creator}, {type_owner};"
     + "".join(f"CREATE SEQUENCE app.seen_{label}; GRANT ALL ON SEQUENCE app.seen_{label} TO PUBLIC;" for label in LABELS) + """
        -- a sequence keeps its value after a rollback
        CREATE FUNCTION app.whom(label text, data jsonb) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS
            'BEGIN PERFORM pg_catalog.setval((''app.seen_'' || label)::regclass, current_user::regrole::oid::bigint); RETURN true; END';
        CREATE FUNCTION app.typed(label text, type text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS
            'BEGIN PERFORM app.whom(label, ''{}''); RETURN type; END';
        CREATE FUNCTION app.note() RETURNS trigger LANGUAGE plpgsql AS
            'BEGIN PERFORM app.whom(TG_ARGV[0], ''{}''); RETURN CASE WHEN TG_OP = ''DELETE'' THEN OLD ELSE NEW END; END';
        CREATE FUNCTION app.note_ddl() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN PERFORM app.whom(''ddl'', ''{}''); END';
        CREATE EVENT TRIGGER note ON ddl_command_end EXECUTE FUNCTION app.note_ddl();
        """),
    ("type_owner", f"""
        CREATE FUNCTION app.next(data jsonb) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE AS
            'BEGIN PERFORM app.whom(''upcast'', data); RETURN data; END';
        SELECT register_event_schema('order', n, {DOCUMENT}) FROM generate_series(1, 2) AS n;
        SELECT register_event_upcast('order', 1, 2, 'app.next(jsonb)');
        SELECT register_event_schema('used', 1, '{{}}');
        """),
    ("table_owner", """
        CREATE TABLE app.events (event_type text, schema_version int, data jsonb,
            made boolean GENERATED ALWAYS AS (app.whom('generated', data)) STORED NOT NULL, CHECK (app.whom('check', data)));
        INSERT INTO app.events VALUES ('order', 1, '{"a": 1}');
        CREATE TRIGGER note BEFORE INSERT OR UPDATE ON app.events FOR EACH ROW EXECUTE FUNCTION app.note('trigger');
        SELECT add_event_guard('app.events', 'quarantine', 'CASE WHEN app.whom(''guard'', data) THEN data END');
        CREATE TABLE app.policed (event_type text, schema_version int, data jsonb);
        ALTER TABLE app.policed ENABLE ROW LEVEL SECURITY;
        CREATE POLICY note ON app.policed FOR INSERT WITH CHECK (app.whom('policy', data));
        CREATE POLICY note_read ON app.policed FOR SELECT USING (app.whom('policy', data));
        CREATE POLICY note_update ON app.policed FOR UPDATE USING (true);
        INSERT INTO app.policed VALUES ('order', 1, '{}');
        SELECT add_event_guard('app.policed', 'quarantine');
        CREATE TABLE app.looked (event_type text, schema_version int, data jsonb);
        INSERT INTO app.looked VALUES ('used', 1, '{}');
        SELECT add_event_check('app.looked', type_expr => 'app.typed(''look'', event_type)');
        CREATE TABLE app.legacy (payload text CHECK (app.whom('legacy', to_jsonb(payload))));
        INSERT INTO app.legacy VALUES ('{}');
        CREATE TABLE app.merging (payload text, note text CHECK (app.whom('legacy', to_jsonb(note))));
        INSERT INTO app.merging VALUES ('{}', 'note');
        CREATE TABLE app.planned (event_type text, schema_version int, data jsonb);
        CREATE STATISTICS app.planned_constants ON (app.whom('planned', '{}')), event_type FROM app.planned;
        GRANT SELECT ON ALL TABLES IN SCHEMA app TO {reader};
        GRANT INSERT ON ALL TABLES IN SCHEMA app TO {writer}, {writing_keeper};
        GRANT SELECT, UPDATE ON ALL TABLES IN SCHEMA app TO {migrator};
        """),
    ("writer", "INSERT INTO app.events VALUES ('order', 1, '{}')"),
    ("owner", """
        GRANT SELECT ON event_schema.quarantine TO {viewer};
        GRANT SELECT, UPDATE, DELETE ON event_schema.quarantine TO {keeper}, {writing_keeper};
        CREATE TRIGGER note BEFORE INSERT OR UPDATE OR DELETE ON event_schema.quarantine FOR EACH ROW EXECUTE FUNCTION app.note('quarantine');
        ALTER TABLE event_schema.quarantine ENABLE ROW LEVEL SECURITY;
        CREATE POLICY note ON event_schema.quarantine USING (app.whom('reading', "row"));
        CREATE STATISTICS app.quarantine_constants ON (app.whom('planned', '{}')), event_type FROM event_schema.quarantine;
        """),
    ("nobody", """
        CREATE FUNCTION app.repair(r jsonb) RETURNS jsonb LANGUAGE plpgsql AS
            'BEGIN PERFORM app.whom(''repair'', r); RETURN jsonb_set(r, ''{data}'', ''{"a": 1}''); END';
        """),
    ("reader", "SELECT create_event_view('app.seen_orders', 'app.events', 'order', 2,"
               " data_expr => 'CASE WHEN app.whom(''given'', data) THEN data END')"),
]

DIVERT = "INSERT INTO app.events VALUES ('order', 1, '{}')"
REPLAY = "SELECT * FROM replay_event_quarantine('app.events', repair => 'app.repair(jsonb)')"
GIVEN = "data_expr => 'CASE WHEN app.whom(''given'', data) THEN data END'"
PLANNED = ("audit_events('app.planned')", "check_event_upgrade('app.planned', 'order', 1, 2)", "event_column_conflicts('app.planned', 'data', 'data')")
MIGRATE = "CALL migrate_events('app.events', 'order', 2)"

# the caller, the call, the role as which its code runs, and the labels of this
# code (-: the code does not run)
WHOM = {
    "expressions of a guard": [("writer", DIVERT, "writer", "guard")],
    "CHECK constraints, NOT NULL and the generated columns that these need, at a diversion": [("writer", DIVERT, "writer", "check", "generated")],
    "expressions of a guard: `add_event_guard` and its look at the last rows, `set_event_guard_mode`": [
        (None, f"SELECT {call}", "-", "guard") for call in (
            "add_event_guard('app.events', 'quarantine')", "set_event_guard_mode('app.events', 'quarantine')",
            "count(*) FROM set_event_guard_mode(NULL, 'quarantine')")],
    "row-level security policies, at a diversion and at a guard's error": [
        ("writer", "INSERT INTO app.policed VALUES ('order', 1, '{}')", "writer", "policy"),
        ("migrator", "UPDATE app.policed SET event_type = 'order'", "migrator", "policy")],
    "triggers of the quarantine, at a diversion": [("writer", DIVERT, "pg_database_owner", "quarantine")],
    "an upcast": [
        ("nobody", """SELECT upcast_event('{"a": 1}', 'order', 1, 2)""", "type_owner", "upcast"),
        ("nobody", """SELECT event_at_version('{"a": 1}', 'order', 1, 2)""", "type_owner", "upcast"),
        (None, "SELECT * FROM check_event_upgrade('app.events', 'order', 1, 2)", "type_owner", "upcast"),
        ("reader", "SELECT * FROM app.seen_orders", "type_owner", "upcast"),
        ("migrator", MIGRATE, "type_owner", "upcast")],
    "triggers, constraints and generated columns of a table: `migrate_events`": [("migrator", MIGRATE, "migrator", "trigger", "check", "generated")],
    "constraints of a table: `validate_event_check`, `standardize_event_column`": [
        (None, "SELECT validate_event_check('app.looked')", None, "look"),
        (None, "SELECT standardize_event_column('app.legacy', 'payload')", None, "legacy")],
    "triggers, constraints and generated columns of a table: `merge_event_column`": [
        (None, "CALL merge_event_column('app.merging', 'payload')", None, "legacy")],
    "expressions that a call is given, such as `data_expr`": [
        ("reader", f"SELECT * FROM audit_events('app.events', {GIVEN})", "reader", "given"),
        (None, f"SELECT * FROM check_event_upgrade('app.events', 'order', 1, 2, {GIVEN})", None, "given"),
        ("reader", "SELECT * FROM app.seen_orders", "reader", "given")],
    "expressions of a table: a drop": [("type_owner", "SELECT drop_event_schema('used', 1)", "table_owner", "look"),
                                       (None, "DROP FUNCTION event_schema.\"used@1\"", "table_owner", "look")],
    "expressions of a table: `event_schema_usage`": [("reader", "SELECT * FROM event_schema_usage()", "table_owner", "look"),
                                                     (None, "SELECT * FROM event_schema_usage()", "table_owner", "look")],
    "constraints and generated columns of a table: `check_event_upgrade`, caller with the rights of the table's owner": [
        (None, "SELECT * FROM check_event_upgrade('app.events', 'order', 1, 2)", "table_owner", "check", "generated")],
    "constraints and generated columns of a table: the same by another role": [
        ("reader", "SELECT * FROM check_event_upgrade('app.events', 'order', 1, 2)", "-", "check", "generated")],
    "triggers, constraints, generated columns and policies of a table: a replay, caller with the rights of the table's owner":
        [(None, REPLAY, "table_owner", "trigger", "check", "generated", "guard")],
    "triggers, constraints, generated columns and policies of a table: a replay by another role":
        [("writing_keeper", REPLAY, "writing_keeper", "trigger", "check", "generated", "guard")],
    "constants of a table that planning computes: `audit_events`, `check_event_upgrade`, `event_column_conflicts`, caller with the rights of the table's owner":
        [(None, f"SELECT * FROM {call}", "table_owner", "planned") for call in PLANNED],
    "constants of a table that planning computes: the same calls by another role": [("reader", f"SELECT * FROM {call}", "reader", "planned") for call in PLANNED],
    "`repair` of a replay": [(None, REPLAY, None, "repair"), ("writing_keeper", REPLAY, "writing_keeper", "repair")],
    "triggers of the quarantine: a replay or a purge, caller with the rights of its owner":
        [(None, REPLAY, "owner", "quarantine"), (None, "SELECT purge_event_quarantine('-1 s')", "owner", "quarantine")],
    "triggers and policies of the quarantine: a replay or a purge by another role":
        [("writing_keeper", REPLAY, "writing_keeper", "quarantine", "reading"),
         ("keeper", "SELECT purge_event_quarantine('-1 s')", "keeper", "quarantine", "reading")],
    "constants of the quarantine that planning computes: `event_quarantine`, `event_quarantine_counts`, replays and purges, caller with the rights of its owner":
        [(None, call, "owner", "planned") for call in ("SELECT * FROM event_quarantine", "SELECT * FROM event_quarantine_counts", REPLAY, "SELECT purge_event_quarantine('-1 s')")],
    "policies of the quarantine: `event_quarantine`, caller without the rights of its owner; `event_quarantine_counts`": [
        ("viewer", "SELECT * FROM event_quarantine", "viewer", "reading"),
        ("viewer", "SELECT * FROM event_quarantine_counts", "viewer", "reading"),
        (None, "SELECT * FROM event_quarantine_counts", "-", "reading")],
    "event triggers of users, at a registration": [("creator", f"SELECT register_event_schema('new', 1, {DOCUMENT})", "creator", "ddl")],
}


def test_what_runs_as_whom(world):
    trial = Trial.__new__(Trial)
    trial.world = world
    trial.admin = world.connect()
    for role in ROLES:
        world.server.add_role(role)
    for role, commands in WHOM_SETUP:
        trial.run(role, commands)
    listed = [row[0] for _, rows in tables("What runs as whom") for row in rows]
    assert set(listed) == set(WHOM), set(listed) ^ set(WHOM)
    for row in listed:
        for caller, command, expected, *labels in WHOM[row]:
            trial.admin.execute("UPDATE app.events SET schema_version = 1")
            for label in labels:
                trial.admin.execute(f"SELECT setval('app.seen_{label}', 1, false)")
            ending = trial.ending(caller, command)
            for label in labels:
                seen = trial.admin.execute(f"SELECT last_value::oid::regrole::text FROM app.seen_{label} WHERE is_called").fetchall()
                wanted = expected if expected in ("pg_database_owner", "-") else world.role(expected)
                assert seen == ([] if wanted == "-" else [(wanted,)]), f"{row}: {label} of {command} ran as {seen}, not {wanted}; {ending}"
