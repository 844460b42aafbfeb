"""Arguments that name no object: an answer or a proper error, never an internal error or a crash."""

import psycopg

DROPPED = {"regclass": "app.gone", "regprocedure": "app.gone(pg_catalog.jsonb)", "regtype": "app.gone_type"}

# the other arguments, by name, so that the call gets as far as the relation
GIVEN = {"event_type": "order", "schema_version": "1", "from_version": "1", "to_version": "2", "mode": "off", "definition": "{}", "data": "{}",
         "data_expr": "data", "type_expr": "event_type", "version_expr": "schema_version", "from_column": "body", "to_column": "data",
         "column_name": "data", "view_name": "app.a_view", "sample_limit": "5", "batch_size": "10", "keep_original": "false",
         "older_than": "1 day", "max_rows": "10", "dry_run": "false", "expression": "data", "part": "data", "tolerant": "true", "audit": "false",
         "integer_type": "pg_catalog.int8", "relation": "app.events"}


def functions(session):
    """(schema, name, whether it is a procedure, names and types of its arguments) of the extension"""
    return session.execute("""
        SELECT p.pronamespace::regnamespace::text, p.proname, p.prokind = 'p', ARRAY(SELECT coalesce(p.proargnames[place], '') FROM generate_series(1, p.pronargs) AS place),
            ARRAY(SELECT format_type(t, NULL) FROM unnest(p.proargtypes) WITH ORDINALITY AS a (t, place) ORDER BY place)
        FROM pg_proc AS p JOIN pg_depend AS d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
            JOIN pg_extension AS e ON e.oid = d.refobjid
        WHERE e.extname = 'event_validate' AND p.prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype, 'language_handler'::regtype)
            AND p.prokind IN ('f', 'p')
        ORDER BY 1, 2""").fetchall()


def prepared(world):
    session = world.connect()
    session.execute("""
        CREATE SCHEMA app;
        SELECT register_event_schema('order', 1, '{}'::text), register_event_schema('order', 2, '{}'::text);
        CREATE TABLE app.events (event_type text, schema_version int, data jsonb, body text);
        CREATE TABLE app.gone (event_type text, schema_version int, data jsonb, body text);
        CREATE FUNCTION app.gone(jsonb) RETURNS jsonb LANGUAGE sql AS 'SELECT $1';
        CREATE TYPE app.gone_type AS ENUM ()""")
    gone = {kind: str(session.execute(f"SELECT '{name}'::{kind}::oid").fetchone()[0]) for kind, name in DROPPED.items()}
    session.execute("DROP TABLE app.gone; DROP FUNCTION app.gone(jsonb); DROP TYPE app.gone_type")
    # a quarantine to replay from
    session.execute("SELECT add_event_guard('app.events', 'quarantine', 'data', 'event_type', 'schema_version')")
    return session, gone


def call(session, name, is_procedure, types, values):
    """(SQLSTATE, message) of the error; None without one."""
    arguments = ", ".join("NULL::" + t if v is None else f"'{v}'::{t}" for t, v in zip(types, values))
    try:
        session.execute(f"CALL {name}({arguments})" if is_procedure else f"SELECT * FROM {name}({arguments})")
        return None
    except psycopg.Error as error:
        if session.closed:
            raise
        return error.sqlstate, f"{name}({arguments}): {error.sqlstate} {error}"


def test_objects_that_do_not_exist(world):
    session, gone = prepared(world)
    problems = []
    seen = 0
    for schema, name, is_procedure, names, types in functions(session):
        for place, kind in enumerate(types):
            if kind not in DROPPED:
                continue
            seen += 1
            for value in ("0", "4294967295", gone[kind]):
                values = [GIVEN.get(n) for n in names]
                values[place] = value
                said = call(session, f"{schema}.{name}", is_procedure, types, values)
                # an internal function may find nothing
                must_raise = kind == "regclass" and schema != "_event_validate"
                if said is None:
                    if must_raise:
                        problems.append(f"{name}({names[place]} => {value}): no error")
                elif said[0].startswith("XX") or must_raise and (said[0] != "42P01" or f"relation with OID {value} does not exist" not in said[1]):
                    problems.append(said[1])
    assert seen > 20, seen
    assert not problems, "\n".join(problems)


def test_nulls(world):
    """All arguments NULL, and each of them alone."""
    session, _ = prepared(world)
    problems = []
    for schema, name, is_procedure, names, types in functions(session):
        for nulls in [set(range(len(types))), *({place} for place in range(len(types)))]:
            values = [None if place in nulls else GIVEN.get(n) for place, n in enumerate(names)]
            said = call(session, f"{schema}.{name}", is_procedure, types, values)
            if said is not None and said[0].startswith("XX"):
                problems.append(said[1])
    assert not problems, "\n".join(problems)
