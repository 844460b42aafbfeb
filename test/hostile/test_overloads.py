"""Another role may create objects in the extension's schema: none of them runs (traps.py)."""

import os
import re
import subprocess

import psycopg

from traps import HERE, SCRIPTS, Traps, typed

# with pg_catalog first, which is the default, and last
PATHS = ("public", '"$user", public, pg_catalog')

DOCUMENT = """{"title": "An order", "type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}, "price": {"type": "number"},
    "ok": {"type": "boolean"}, "at": {"type": "string", "format": "date-time"}, "day": {"type": "string", "format": "date"},
    "key": {"type": "string", "format": "uuid"}, "tags": {"type": "array"}, "name": {"type": "string"}, "data": {"type": "string"}%s}}"""
EVENT = """{"id": 1, "price": 2.5, "ok": true, "at": "2024-01-01T00:00:00Z", "day": "2024-01-01",
    "key": "00000000-0000-0000-0000-000000000000", "tags": [], "name": "n", "data": "d"}"""

# types of the columns data, event_type, schema_version, and of the key
COLUMNS = (("jsonb", "text", "int4", "int4"), ("json", "varchar", "int8", "name"), ("text", "name", "int2", "varchar"),
           ("varchar", "bpchar", "int4", "app.color"))

class Superuser:
    """A session with a search_path, which calls the extension's functions by their exact types."""

    def __init__(self, world, traps, path, signatures):
        self.session = world.connect()
        self.traps = traps
        self.path = path
        self.signatures = signatures
        self.trapped = []
        self.session.add_notice_handler(lambda notice: self.trapped.append(notice.message_primary))
        self.called = set()
        self.internal = traps.internal_functions()

    def pinned(self, *commands):
        """Objects outside the extension, which are not attacked here."""
        self.session.execute("SET search_path = pg_catalog, pg_temp")
        for command in commands:
            rows = self.session.execute(command)
            result = rows.fetchall() if rows.description else None
        self.session.execute(f"SET search_path = {self.path}")
        return result

    def check(self):
        problems = self.traps.found()
        assert not problems, problems

    def call(self, name, *values, first=None, error=None):
        """Rows; first: the type of the first argument where several functions have the name."""
        types, kind = next((types, kind) for n, types, defaults, kind, _, _ in sorted(self.signatures, key=lambda s: (len(s[1]), any("." in t for t in s[1])))
                           if n == name and len(types) - defaults <= len(values) <= len(types)
                           and (first is None or first in (types[0], types[-1], *types[2:3]) or (name == "check_event_compatibility" and first == types[1])))
        values += tuple(False if t == "bool" else None for t in types[len(values):])
        self.called.add(name)
        arguments = ", ".join(f"%s::{t if '.' in t else 'pg_catalog.' + t}" for t in types)
        function = f"{'_event_validate' if name in self.internal else 'public'}.{name}"
        command = f"CALL {function}({arguments})" if kind == "p" else f"SELECT * FROM {function}({arguments})"
        if kind == "a":
            command = f"SELECT {function}({arguments})"
        self.session.execute(f"SET search_path = {self.path}")
        try:
            rows = self.session.execute(command, values)
            result = rows.fetchall() if rows.description else None
        except psycopg.Error as raised:
            assert error is not None and error == raised.sqlstate, f"{name}{values}: {raised.sqlstate} {raised}"
            return None
        finally:
            trapped = [message for message in self.trapped if message.startswith("trapped")]
            assert not trapped, f"{name}{values}: {trapped}"
        assert error is None, f"{name}{values}: no error"
        return result


def registry(user):
    call = user.call
    user.pinned("CREATE SCHEMA app", "CREATE TYPE app.color AS ENUM ('red', 'green')",
                "CREATE FUNCTION app.up(data pg_catalog.jsonb) RETURNS pg_catalog.jsonb LANGUAGE sql IMMUTABLE AS 'SELECT $1'")
    call("set_event_compatibility", "order", "backward", True, "refuse")
    call("register_event_schema", "order", 1, DOCUMENT % "", True, False, first="text")
    call("register_event_schema", "order", 2, DOCUMENT % ', "more": {}', True, False, first="jsonb")
    call("register_event_schema", "order", 3, '{"properties": {"id": {"type": "string"}}}', True, True, first="jsonb")
    call("register_event_schema", "order", 4, "{}", True, True, first="text")
    call("drop_event_schema", "order", 4)
    call("widen_event_schema", "order", 3, "{}")
    call("register_schema", "https://example.org/common", '{"type": "string"}')
    call("register_schemas", '{"ring.a@1": {"not": {"$ref": "event:ring.b@1"}}, "ring.b@1": {"items": {"$ref": "event:ring.a@1"}}}', True, False, False)
    call("list_event_schemas")
    call("event_schema_program", "order", 1)
    call("lint_event_schema", '{"minimum": "x"}')
    call("event_schema_changes", "{}", '{"type": "object"}', True)
    call("event_schema_changes", "order", 1, "{}", True, first="text")
    for kind in ("text", "jsonb"):
        call("check_event_compatibility", "order", "{}", True, False, False, first=kind)
    call("register_event_upcast", "order", 1, 2, "app.up(pg_catalog.jsonb)")
    assert len(call("event_upcast_path", "order", 1, 2)[0][0]) == 1
    call("event_has_upcast", "order", 1, 2)
    call("upcast_event", EVENT, "order", 1, 2)
    for name in ("event_at_version", "event_at_version_serially"):
        call(name, EVENT, "order", 1, 2)
    call("register_event_downcast", "order", 2, 1, "app.up(pg_catalog.jsonb)")
    call("drop_event_upcast", "order", 2, 1)
    call("register_event_rename", "order", 2, 3, '{"a": "b"}', True)
    call("drop_event_upcast", "order", 3, 2)
    call("drop_event_upcast", "order", 2, 3)
    for relation in ("event_schemas", "event_upcasts", "event_quarantine"):
        user.pinned(f"SELECT * FROM public.{relation}")
    # under the path that the reference says
    user.pinned(*(line for line, in call("event_schema_ddl", None)))


def documents(user):
    call = user.call
    assert call("validate_event", EVENT, "order", 1) == [(True,)]
    call("check_event", EVENT, "order", 1, "c")
    assert call("validate_event", EVENT, "order", 1, first="json") == [(True,)]
    call("check_event", EVENT, "order", 1, "c", first="json")
    call("event_violations", "{}", "order", 1)
    call("event_report", "{}", "order", 1, "basic")
    call("matching_event_versions", EVENT, "order")
    call("jsonb_matches_schema", "{}", "{}", True, first="jsonb")
    call("jsonb_schema_violations", "{}", "1", True)
    call("jsonschema_is_valid", "{}", first="jsonb")
    for kind in ("_event_validate.json", "text"):
        call("json_matches_schema", "{}", "{}", True, first=kind)
        call("jsonschema_is_valid", "{}", first=kind)
        call("jsonschema_validation_errors", "{}", "{}", first=kind)
    call("jsonb_matches_schema", "{}", "{}", first="_event_validate.json")
    call("jsonb_matches_schema", "{}", "{}", True, first="text")
    for name, of in (("bigint", "id"), ("numeric", "price"), ("boolean", "ok"), ("timestamptz", "at"), ("date", "day"),
                     ("uuid", "key"), ("property", "tags")):
        call(f"event_{name}", EVENT, of)
    for kind in ("jsonb", "text"):
        call("event_upgrade_kinds", EVENT, "row", "order", 1, 2, first=kind)
        call("event_audit_filter", EVENT, "order", 1, first=kind)
        call("event_audit_violations", EVENT, "order", 1, first=kind)
    call("event_rename", EVENT, '{"id": "number"}')
    for name in ("docs", "properties", "example", "uri"):
        call(f"event_schema_{name}", "order", 1)
    call("event_asyncapi", "{}", "t", "1.0.0", "draft-07", "binary", "send")
    call("event_openapi", "{}", "t", "1.0.0", True)
    call("event_json_loss", EVENT)
    call("event_audit_sample", "a", 1)
    call("event_view_columns", "order", 1, "pg_catalog.int8")
    call("event_view_columns_in_order", "order", 1, "pg_catalog.int8")
    call("event_view_names", ["a", "x" * 64], ["a"], "data")
    user.called.add("event_guard_reads")
    user.session.execute("SELECT _event_validate.event_guard_reads(ROW('{}'::pg_catalog.jsonb, 'order'::pg_catalog.text, 1))")


def rollout(user, data, kind, version, key):
    """Checks, audits, upgrades, views, guards and migrations of a table of these types."""
    call = user.call
    typed = [t if "." in t else f"pg_catalog.{t}" for t in (data, kind, version, key)]
    keys = ("red", "green") if "." in key else ("1", "2")
    rows = [f"""INSERT INTO app.events VALUES ('{keys[0]}', 'order', 1, '{EVENT}')""", f"""INSERT INTO app.events VALUES ('{keys[1]}', 'order', 1, '{{}}')"""]
    user.pinned("CREATE TABLE app.events (id {3} PRIMARY KEY, event_type {1}, schema_version {2}, data {0})".format(*typed), *rows)
    columns = ("data", "event_type", "schema_version")
    call("require_event_relation", "app.events", "SELECT")
    call("event_row_name", "app.events")
    call("event_qualified_name", "app.events")
    for part, column in zip(("data", "type", "version"), columns):
        call("event_row_expression", "app.events", column, part, True)
    assert len(call("audit_events", "app.events", *columns, 5)) == 3
    call("event_audit_query", "app.events", *columns, 5)
    assert len(call("check_event_upgrade", "app.events", "order", 1, 2, *columns)) == 2
    assert len(call("check_event_upgrade", "app.events", "order", 2, 1, *columns)) == 0
    call("add_event_check", "app.events", *columns, None, True)
    call("event_checks", "app.events")
    call("validate_event_check", "app.events", None, error="23514")
    user.pinned(f"DELETE FROM app.events WHERE id = '{keys[1]}'")
    call("validate_event_check", "app.events", None)
    call("event_schema_usage", None)
    call("event_usage", "order")
    user.check()
    call("drop_event_check", "app.events", None)
    call("lock_event_table", "app.events")
    for number in (1, 2):
        call("create_event_view", "orders", "app.events", "order", number, *columns, "pg_catalog.int8")
        assert len(user.pinned("SELECT * FROM app.orders")) == 1
    user.check()
    user.pinned("DROP VIEW app.orders")
    guards(user, columns, rows[1])
    user.pinned(*("ALTER TABLE app.events ALTER COLUMN data TYPE pg_catalog.jsonb USING data::pg_catalog.jsonb",) if data != "jsonb" else ("SELECT",))
    call("migrate_events", "app.events", "order", 2, 10, True, *columns)
    assert user.pinned("SELECT count(*) FROM app.events WHERE schema_version = 2") == [(1,)]
    call("audit_events", "app.events", *columns, 5)
    user.pinned("DROP TABLE app.events")


def guards(user, columns, invalid):
    call = user.call
    call("add_event_guard", "app.events", "quarantine", *columns)
    user.pinned(invalid)
    assert len(call("list_event_quarantine")) == 1
    call("set_event_guard_mode", "app.events", "warn", None)
    call("set_event_guard_mode", "app.events", "off", "2999-01-01")
    call("replay_event_quarantine", "app.events", "order", 1, "app.up(pg_catalog.jsonb)", 10)
    user.pinned("DELETE FROM app.events WHERE data::pg_catalog.text = '{}'")
    call("purge_event_quarantine", "0", "app.events", None, None, None)
    user.check()
    call("drop_event_guard", "app.events")


def columns(user):
    """standardize_event_column: a change of type, a merge, and a view with the old column."""
    call = user.call
    user.pinned("CREATE TABLE app.old (id pg_catalog.int4 PRIMARY KEY, body pg_catalog.text DEFAULT '{}' NOT NULL, data pg_catalog.jsonb)",
                "INSERT INTO app.old VALUES (1, '{}', NULL), (2, '{}', '{}')", "COMMENT ON COLUMN app.old.body IS 'body'",
                "CREATE TABLE app.loose (body pg_catalog.varchar DEFAULT '{}', note pg_catalog.text)",
                "INSERT INTO app.loose VALUES ('{}'), ('{\"a\": 1, \"a\": 2}')")
    call("event_column_dependents", "app.old", "body")
    call("event_column_conflicts", "app.old", "body", "data")
    call("refuse_event_column_conflicts", "app.old", "body", "data")
    call("standardize_event_column", "app.old", "body", "data", "was")
    call("standardize_event_column", "app.loose", "body", "data", None, error="22000")
    user.pinned("DELETE FROM app.loose WHERE body <> '{}'")
    call("standardize_event_column", "app.loose", "body", "data", "app.had")
    user.pinned("SELECT * FROM app.was, app.had", "DROP TABLE app.old, app.loose CASCADE")
    user.pinned("CREATE TABLE app.merged (body pg_catalog.json DEFAULT '{}' NOT NULL)", "INSERT INTO app.merged VALUES ('{}')")
    call("merge_event_column", "app.merged", "body", "data", 10, "app.unmerged")
    user.pinned("SELECT * FROM app.unmerged", "DROP TABLE app.merged CASCADE")


def foreign(user):
    """A server is asked what it enforces: this one."""
    if not user.pinned("SELECT FROM pg_available_extensions WHERE name = 'postgres_fdw'"):
        user.pinned("CREATE TABLE app.near ()")
        assert user.call("event_foreign_enforcement", "app.near") == []
        return
    user.pinned("CREATE TABLE app.near (data pg_catalog.jsonb CONSTRAINT enforced CHECK (public.check_event(data, 'order', 2)))",
                "CREATE EXTENSION postgres_fdw SCHEMA app",
                """DO $$ begin execute format('CREATE SERVER loop FOREIGN DATA WRAPPER postgres_fdw OPTIONS (dbname %L, host %L, port %L)',
                    current_database(), split_part(current_setting('unix_socket_directories'), ',', 1), current_setting('port')); end $$""",
                "CREATE USER MAPPING FOR PUBLIC SERVER loop",
                "CREATE FOREIGN TABLE app.far (data pg_catalog.jsonb) SERVER loop OPTIONS (schema_name 'app', table_name 'near')")
    (row,) = user.call("event_foreign_enforcement", "app.far")
    assert row[3] is True and row[8] == "enforced", row
    user.check()
    user.pinned("DROP EXTENSION postgres_fdw CASCADE")


def everything(world, traps, signatures, path):
    user = Superuser(world, traps, path, signatures)
    registry(user)
    documents(user)
    for types in COLUMNS:
        rollout(user, *types)
    columns(user)
    foreign(user)
    user.call("event_validation_stats_reset", None, None, None, error=None if world.is_preloaded() else "55000")
    user.call("create_event_quarantine", None)
    missed = {s[0] for s in signatures} - user.called - user.internal - {"guard_event"}
    assert not missed, f"not called: {missed}"
    user.check()


def all_traps(traps, signatures, exact=True):
    counts = (traps.functions(signatures, copies=exact), traps.functions(traps.server_functions()), traps.operators(), traps.types())
    assert min(counts) > 10, counts


def test_after_the_extension(world):
    """Mallory creates her objects after the extension was created in public."""
    traps = Traps(world)
    signatures = traps.extension_functions()
    all_traps(traps, signatures)
    for number, path in enumerate(PATHS):
        if number > 0:
            for command in ("DROP SCHEMA app CASCADE", "DELETE FROM event_schema.migrated_events",
                            "DROP EXTENSION event_validate CASCADE", "CREATE EXTENSION event_validate SCHEMA public"):
                traps.admin.execute(command)
        everything(world, traps, signatures, path)


def test_before_the_extension(world):
    """Mallory creates her objects before the extension, so the extension's own types do not prevent any."""
    traps = Traps(world)
    signatures = traps.extension_functions()
    traps.admin.execute("DROP EXTENSION event_validate CASCADE")
    all_traps(traps, signatures, exact=False)
    traps.admin.execute("CREATE EXTENSION event_validate SCHEMA public")
    assert not traps.found(), traps.found()
    everything(world, traps, signatures, PATHS[1])


def test_trading_pack(world):
    traps = Traps(world)
    traps.admin.execute("CREATE EXTENSION trading_events SCHEMA public")
    signatures = traps.extension_functions()
    traps.admin.execute("DROP EXTENSION trading_events")
    all_traps(traps, signatures, exact=False)
    for path in PATHS:
        user = Superuser(world, traps, path, signatures)
        user.session.execute(f"SET search_path = {path}")
        user.session.execute("CREATE EXTENSION trading_events SCHEMA public")
        user.check()
        for name in sorted(s[0] for s in signatures if s[0].endswith("_1_to_2")):
            for document in ("{}", '{"price": 1, "level": "info", "order": {}, "kind": "trade", "update_id": 1, "source_message_id": "1"}'):
                user.call(name, document)
        user.check()
        user.session.execute("DROP EXTENSION trading_events")


def test_migrations_of_the_example(world):
    """A superuser deploys and reverts the trading database, with psql's defaults: everything is called by exact types, or is not looked up in public."""
    traps = Traps(world)
    traps.admin.execute("CREATE EXTENSION trading_events SCHEMA public")
    all_traps(traps, traps.extension_functions())
    folder = HERE.parents[1] / "examples" / "trading" / "migrations"
    lines = (folder / "sqitch.plan").read_text(encoding="utf-8").splitlines()
    changes = [line.split()[0] for line in lines if line.strip() and not line.startswith(("%", "@", "#"))]

    def run(kind, change):
        done = subprocess.run(["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", world.database, "-o", os.devnull, "-f", folder / kind / f"{change}.sql"],
                              env={**os.environ, "PGOPTIONS": f"-c search_path={path.replace(' ', '')}"}, capture_output=True, text=True, check=False)
        assert "trapped" not in done.stderr and done.returncode == 0, f"{kind} {change}: {done.stderr}"
        assert not traps.found(), f"{kind} {change}: {traps.found()}"

    for path in PATHS:
        for change in changes:
            run("deploy", change)
            if change == "4.0.0-tables":
                traps.admin.execute("INSERT INTO public.order_events (event_type, schema_version, data, event_id, recorded_at)"
                                    " VALUES ('order.placed', 1, '{\"symbol\": \"$x\"}', gen_random_uuid(), now())")
            run("verify", change)
        for change in reversed(changes):
            run("revert", change)
        traps.admin.execute("CREATE EXTENSION IF NOT EXISTS trading_events SCHEMA public CASCADE")


def test_casts_of_a_table_owner(world):
    """A role that reads a table does not run the casts of its owner's types."""
    traps = Traps(world)
    traps.run("CREATE TYPE public.kind AS ENUM ('order')",
              "CREATE TYPE public.pair AS (a pg_catalog.int4)",
              "CREATE DOMAIN public.event AS pg_catalog.jsonb",
              "CREATE TABLE public.hers (id public.kind PRIMARY KEY, event_type public.kind, schema_version pg_catalog.int4, data public.event, pair public.pair)",
              "INSERT INTO public.hers VALUES ('order', 'order', 1, '1', '(1)')", "GRANT ALL ON public.hers TO PUBLIC")
    for source in ("kind", "pair", "event"):
        for target in ("text", "jsonb", "int4"):
            traps.run(traps.trap(f"cast_{source}_{target}", f"public.{source}", typed(target)),
                      f"CREATE CAST (public.{source} AS {typed(target)}) WITH FUNCTION public.cast_{source}_{target}(public.{source}) AS IMPLICIT")
    traps.admin.execute("SELECT public.register_event_schema('order'::text, 1, '{\"type\": \"object\"}'::text, true, false)")
    signatures = traps.extension_functions()
    for path in PATHS:
        user = Superuser(world, traps, path, signatures)
        # a cast of a composite type that any role can create is not used
        user.call("audit_events", "public.hers", "data", "pair", "schema_version", 5, error="42804")
        user.call("audit_events", "public.hers", "pair", "event_type", "schema_version", 5, error="42804")
        assert [row[7] for row in user.call("audit_events", "public.hers", "data", "event_type", "schema_version", 5)] == [None, None, ["order"]]
        user.call("check_event_upgrade", "public.hers", "order", 1, 1, "data", "event_type", "schema_version")
        user.call("create_event_view", "a_view", "public.hers", "order", 1, "data", "event_type", "schema_version", "pg_catalog.int8")
        user.pinned("SELECT * FROM public.a_view", "DROP VIEW public.a_view")
        user.call("add_event_check", "public.hers", "data", "event_type", "schema_version", "c", True)
        user.call("validate_event_check", "public.hers", "c", error="23514")
        user.call("drop_event_check", "public.hers", "c")
        user.call("event_schema_usage", None)
        for columns in (("pair", "data"), ("id", "data"), ("data", "pair"), ("event_type", "id"), ("data", "data"), ("pair", "none")):
            user.call("event_column_conflicts", "public.hers", *columns)
        assert not traps.ran()


def test_checks_of_the_same_name(world):
    """Another role's function named check_event is not taken for the extension's."""
    traps = Traps(world)
    traps.run("CREATE FUNCTION public.check_event(pg_catalog.int4) RETURNS pg_catalog.bool LANGUAGE sql IMMUTABLE AS 'SELECT true'",
              "CREATE TABLE public.hers (a pg_catalog.int4 CHECK (public.check_event(a)))")
    user = Superuser(world, traps, PATHS[0], traps.extension_functions())
    assert user.call("event_checks", "public.hers") == []
    user.call("validate_event_check", "public.hers", None, error="42704")


def test_internal_schema(world):
    """No role creates objects in it, whatever role owns the database and the extension."""
    for role in ("owner", "mallory"):
        for command in ("CREATE FUNCTION _event_validate.f() RETURNS int LANGUAGE sql AS 'SELECT 1'", "CREATE TYPE _event_validate.t AS ENUM ()",
                        "CREATE TABLE _event_validate.t ()", "DROP FUNCTION _event_validate.event_row_name(regclass)",
                        "ALTER SCHEMA _event_validate RENAME TO other", "GRANT CREATE ON SCHEMA _event_validate TO CURRENT_USER",
                        "ALTER FUNCTION _event_validate.event_row_name(regclass) SET search_path = public"):
            error = world.refused(role, command, "42501") if "GRANT" not in command else None
            assert error or not world.run(role, command, "SELECT 1 WHERE has_schema_privilege('_event_validate', 'CREATE')"), command
    world.refused(None, "ALTER SCHEMA _event_validate RENAME TO other", "0A000")


# ---------- as it is written

# what may stand before a parenthesis, or between two values, without a schema
KEYWORDS = set("""array if elsif and or not all any exists coalesce when then else in filter over row select from lateral as operator union update set check
    where on by with like case lateral using order limit ordinality loop while returns values view recursive default grouping sets""".split())


def unqualified(body):
    """Calls, operators and casts in SQL that are looked up in the search_path."""
    body = re.sub(r"--[^\n]*", "", body)
    body = re.sub(r"\b(ERRCODE|MESSAGE|DETAIL|HINT|CONSTRAINT|TABLE|security_invoker|SET %[\d$]*I) =", "", body)
    body = re.sub(r"OPERATOR\(pg_catalog\.[^)]*\)", " ", body)
    for match in re.finditer(r"(?<![\w.@$%\"])(\w+)\s*\(", body):
        before = body[:match.start()].rstrip()
        if match.group(1).lower() not in KEYWORDS and not before.endswith((" AS", "RECURSIVE")):
            yield match.group(0)
    for match in re.finditer(r"::\s*(?!pg_catalog\.)\S*", body):
        yield match.group(0)
    for match in re.finditer(r"(?<![:\[(*])(<>|<=|>=|!=|\|\||->>?|!?~~?|[=<>+/~])(?!\S*\$)", body.replace(":=", "").replace("=>", "")):
        yield body[max(0, match.start() - 30):match.end() + 20].replace("\n", " ")
    yield from re.findall(r"\b(?:BETWEEN|LIKE|NULLIF|DISTINCT FROM|CASE \w+ WHEN|\w+ (?:NOT )?IN \()", body)


def is_sql(string):
    return re.search(r"\b(SELECT|UPDATE|ALTER|CASE|LATERAL|WHERE|ELSE)\b|extschema", string)


def test_script_is_qualified(_world):
    """Bodies under their callers' search_path, and SQL that others write for them, name everything with its schema."""
    script = "".join(path.read_text(encoding="utf-8") for path in SCRIPTS)
    problems = []
    seen = written = 0
    assert "OPERATOR(" not in script
    for match in re.finditer(r"^CREATE (?:FUNCTION|PROCEDURE) ([\w.]+)((?:(?!^CREATE )[\s\S])*?)AS \$\$\n([\s\S]*?)^\$\$;$", script, re.M):
        body = re.sub(r"--[^\n]*", "", match.group(3))
        texts = [s for s in re.findall(r"'((?:[^']|'')*)'", body) + re.findall(r"\$query\$([\s\S]*?)\$query\$", body) if is_sql(s)]
        if "SET search_path" not in match.group(2):
            seen += 1
            texts.append(re.sub(r"E?'(?:[^']|'')*'", "''", body))
        elif not re.search(r"RETURNS (SETOF )?text", match.group(2)):
            continue
        else:
            written += len(texts)
        for text in texts:
            problems += [f"{match.group(1)}: {found}" for found in unqualified(text)]
    assert seen >= 8 and written >= 8, (seen, written)
    assert not problems, "\n".join(problems)
