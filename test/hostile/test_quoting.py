"""Names with a meaning in SQL or in a format string, with all calls that build SQL from them."""

TYPES = ("rate.100%s", "p%2$s", "%1$I%%L%", "o'k", 'q"r', "b\\s", "$1", "$$", "$query$", "{x}", "a;DROP TABLE ev;--",
         "') OR true --", "x@1>2", "naïve", " ", "--", "/*", "E'\\\\'",
         "o'k %s $$ \"q\" b\\s; --@1 " * 20, "$function$" * 12)
NAMES = ("data", "a%s", "p%2$s", "o'k", 'q"r', "b\\s", "$1", "$$", "{x}", "x;DROP TABLE victim;--", "select", "Camel Case", "e", "v",
         "line\nfeed", "event", "document", "row_name")


def quoted(name):
    return '"' + name.replace('"', '""') + '"'


def literal(text):
    return "'" + text.replace("'", "''") + "'"


SETUP = ("CREATE TABLE victim (a int)", "CREATE FUNCTION up(e jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS"
         " $$ SELECT e || '{\"b\": 1}'::jsonb $$")


def walk(session, kind, table, data, kind_column, version, schema="public"):
    """From registration to migration, view, guard, audit, replay and drop."""
    t, d, k, v = literal(kind), literal(data), literal(kind_column), literal(version)
    relation = literal(f"{quoted(schema)}.{quoted(table)}")

    def run(command):
        result = session.execute(command)
        return result.fetchall() if result.description else None

    run(f"CREATE TABLE {quoted(schema)}.{quoted(table)} ({quoted('key ' + data)} int PRIMARY KEY, {quoted(kind_column)} text,"
        f" {quoted(version)} int, {quoted(data)} jsonb)")
    run(f"SELECT set_event_compatibility({t}, 'none')")
    run(f"""SELECT register_event_schema({t}, 1, '{{"type": "object"}}')""")
    run(f"""SELECT register_event_schema({t}, 2, '{{"required": ["b"], "properties": {{"o''k %s $1 \\\\": {{"description": "%s '' $$"}}}}}}')""")
    run(f"INSERT INTO {quoted(schema)}.{quoted(table)} VALUES (1, {t}, 1, '{{}}'), (2, {t}, 2, '{{\"b\": 2}}'), (3, 'other', 1, '[]')")
    assert run(f"SELECT violations, sample_ids FROM check_event_upgrade({relation}, {t}, 1, 2, {d}, {k}, {v})") == [(1, None), (1, ["1"])]
    assert run(f"SELECT count(*) FROM audit_events({relation}, {d}, {k}, {v})") == [(3,)]
    run(f"SELECT register_event_upcast({t}, 1, 2, 'up(jsonb)')")
    assert run(f"SELECT cardinality(event_upcast_path({t}, 1))") == [(1,)]
    assert run(f"SELECT upcast_event('{{}}', {t}, 1)") == [({"b": 1},)]
    assert run(f"SELECT * FROM check_event_upgrade({relation}, {t}, 1, 2, {d}, {k}, {v})") == []
    view = quoted(table[:40] + " view")
    run(f"SELECT create_event_view({literal(view)}, {relation}, {t}, NULL, {d}, {k}, {v})")
    run(f"SELECT create_event_view({literal(view)}, {relation}, {t}, NULL, {d}, {k}, {v})")
    assert run(f"SELECT count(*) FROM {quoted(schema)}.{view}") == [(2,)]
    run(f"DROP VIEW {quoted(schema)}.{view}")
    run(f"CALL migrate_events({relation}, {t}, 2, 1, true, {d}, {k}, {v})")
    assert run(f"SELECT count(*) FROM {quoted(schema)}.{quoted(table)} WHERE {quoted(version)} = 2 AND {quoted(data)} ? 'b'") == [(2,)]
    assert run(f"SELECT event_type, relation_name FROM event_schema.migrated_events WHERE event_type = {t}")[-1] == (kind, table)
    run(f"DELETE FROM {quoted(schema)}.{quoted(table)} WHERE {quoted(kind_column)} = 'other'")
    run(f"SELECT add_event_check({relation}, {d}, {k}, {v}, {literal('check ' + table)}, audit => true)")
    run(f"SELECT validate_event_check({relation}, {literal('check ' + table)})")
    run(f"SELECT drop_event_check({relation}, {literal('check ' + table)})")
    run(f"SELECT add_event_check({relation}, {d}, {k}, {v})")
    run(f"SELECT drop_event_check({relation})")
    run(f"SELECT add_event_guard({relation}, 'quarantine', {d}, {k}, {v})")
    run(f"INSERT INTO {quoted(schema)}.{quoted(table)} VALUES (4, {t}, 2, '{{}}')")
    assert run(f"SELECT count(*) FROM event_schema.quarantine WHERE relation_name = {literal(table)}")[0][0] >= 1
    run(f"SELECT * FROM event_schema_usage({t})")
    run(f"SELECT set_event_guard_mode({relation}, 'off')")
    run(f"SELECT * FROM replay_event_quarantine({relation}, {t})")
    run(f"SELECT drop_event_guard({relation})")
    run(f"SELECT event_schema_ddl({t})")
    for command, in run(f"SELECT event_schema_ddl({t})"):
        run(command)
    run(f"SELECT add_event_check({relation}, {d}, {k}, {v}, types => ARRAY[{t}, 'other'])")
    run(f"SELECT add_event_guard({relation}, 'enforce', types => ARRAY[{t}, 'other'])")
    assert run(f"SELECT types FROM event_enforcement WHERE relation = {relation}::regclass") == [([kind, "other"],)] * 2
    run(f"SELECT drop_event_guard({relation}), drop_event_check({relation})")
    merged, legacy = data + " 2", data + " 3"
    run(f"SELECT standardize_event_column({relation}, {literal(data)}, {literal(merged)}, {literal(view)})")
    default = literal('{"o\'k %s $1 $$": 1}')
    run(f"ALTER TABLE {quoted(schema)}.{quoted(table)} ADD {quoted(legacy)} text DEFAULT {default}")
    run(f"UPDATE {quoted(schema)}.{quoted(table)} SET {quoted(merged)} = NULL")
    run(f"SELECT * FROM event_column_conflicts({relation}, {literal(legacy)}, {literal(merged)})")
    run(f"CALL merge_event_column({relation}, {literal(legacy)}, {literal(merged)}, 1, {literal(quoted(table[:40] + ' merged'))})")
    run(f"DROP TABLE {quoted(schema)}.{quoted(table)} CASCADE")
    run("DELETE FROM event_schema.quarantine")
    for upcast, in run(f"SELECT (event_upcast_path({t}, 1))[1]::text"):
        run(f"DROP FUNCTION {upcast}")
    run(f"SELECT drop_event_schema({t}, 2), drop_event_schema({t}, 1)")
    bundle = (f"jsonb_build_object(concat({t}, '@1'), '{{}}'::jsonb, concat({t}, '@2'), true, concat('https://x/', md5({t})),"
              """ '{"description": "%s '' $$"}'::jsonb)""")
    run(f"SELECT * FROM register_schemas({bundle}, breaking => true)")
    run(f"SELECT drop_event_schema({t}, 2), drop_event_schema({t}, 1)")
    run(f"SELECT set_event_compatibility({t}, 'full_transitive')")
    assert run("SELECT to_regclass('victim')::text") == [("victim",)]


def test_types(world):
    session = world.connect("owner")
    for command in SETUP:
        session.execute(command)
    for kind in TYPES:
        walk(session, kind, "ev", "data", "event_type", "schema_version")


def test_names(world):
    session = world.connect("owner")
    for command in SETUP:
        session.execute(command)
    for name in NAMES:
        walk(session, "plain", name, f"d{name}", f"k{name}", f"v{name}")
        walk(session, "plain", name, name, f"k{name}", f"v{name}")


def test_schemas(world):
    session = world.connect("owner")
    for command in SETUP:
        session.execute(command)
    for name in NAMES:
        session.execute(f"CREATE SCHEMA {quoted(name)}")
        walk(session, "plain", "ev", "data", "event_type", "schema_version", schema=name)


def test_schema_of_the_extension(world):
    """The extension's schema can have a percent sign in its name."""
    world.run("owner", "DROP EXTENSION event_validate CASCADE", 'CREATE SCHEMA "a%s %2$"'.replace("$", ""),
              'CREATE EXTENSION event_validate SCHEMA "a%s %2"')
    session = world.connect("owner")
    session.execute('SET search_path = public, "a%s %2"')
    for command in SETUP:
        session.execute(command)
    walk(session, "p%2$s", "ev", "data", "event_type", "schema_version")


def test_expressions_are_single(world):
    """Text for an expression must be a single expression, without a query, a set or a command in it."""
    session = world.connect("owner")
    for command in SETUP:
        session.execute(command)
    session.execute("CREATE TABLE ev (event_type text, schema_version int, data jsonb)")
    session.execute("SELECT register_event_schema('a', v, 'true') FROM generate_series(1, 2) AS v")
    for text in ("data; DROP TABLE victim", "data FROM ev", "(SELECT data FROM ev LIMIT 1)", "data) FROM ev; DROP TABLE victim --",
                 "jsonb_array_elements(data)", "jsonb_agg(data)", "data, data", "EXISTS (SELECT FROM ev)", "",
                 "row_number() OVER ()", "data AS d", "$1", "DISTINCT data", "data /*", "data ORDER BY 1", "'"):
        for call in (f"SELECT check_event_upgrade('ev', 'a', 1, 2, {literal(text)})",
                     f"SELECT create_event_view('v', 'ev', 'a', 1, {literal(text)})",
                     f"SELECT audit_events('ev', {literal(text)})", f"SELECT add_event_check('ev', {literal(text)})",
                     f"SELECT add_event_guard('ev', 'enforce', {literal(text)})",
                     f"SELECT check_event_upgrade('ev', 'a', 1, 2, type_expr => {literal(text)})",
                     f"SELECT check_event_upgrade('ev', 'a', 1, 2, version_expr => {literal(text)})"):
            world_error(session, call)
    assert session.execute("SELECT to_regclass('victim')::text").fetchone() == ("victim",)


def world_error(session, call):
    import psycopg
    try:
        session.execute(call)
    except psycopg.Error as error:
        assert error.sqlstate[:2] in ("42", "0A"), f"{call}: {error.sqlstate} {error}"
        return
    raise AssertionError(f"not refused: {call}")
