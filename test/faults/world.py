"""A database in which every call of the API has something to do, and the calls with their right answers."""

SETUP = [
    "CREATE EXTENSION event_validate",
    "SELECT register_schema('https://faults.test/money', '{\"type\": \"object\", \"required\": [\"amount\"], \"properties\": {"
    "\"amount\": {\"type\": \"number\", \"multipleOf\": 0.01}, \"currency\": {\"type\": \"string\", \"pattern\": \"^[A-Z]{3}$\"}}}')",
    """SELECT register_event_schema('order', 1, '{"title": "An order", "type": "object", "required": ["id", "qty"], "properties": {
      "id": {"type": "string", "format": "uuid"}, "qty": {"type": "integer", "minimum": 1}, "at": {"type": "string", "format": "date-time"},
      "host": {"format": "idn-hostname"}, "code": {"type": "string", "pattern": "^(a|b)+c{2,5}\\\\p{Lu}$"},
      "back": {"type": "string", "pattern": "^(.)x\\\\1$"},
      "price": {"$ref": "https://faults.test/money"}, "tags": {"type": "array", "uniqueItems": true, "items": {"type": "string"}},
      "side": {"enum": ["buy", "sell", {"a": [1, 2.5, null]}]}, "child": {"$ref": "#"},
      "pay": {"oneOf": [{"properties": {"by": {"const": "card"}}, "required": ["by", "pan"]}, {"properties": {"by": {"const": "cash"}}, "required": ["by"]}]}},
      "allOf": [{"properties": {"x": {"type": "integer"}}}], "unevaluatedProperties": {"type": "string"}}')""",
    "SELECT set_event_compatibility('order', 'none')",
    """SELECT register_event_schema('order', 2, '{"type": "object", "required": ["id", "quantity"], "properties": {
      "id": {"type": "string", "format": "uuid"}, "quantity": {"type": "integer", "minimum": 1}, "venue": {"type": "string"}}}')""",
    """CREATE FUNCTION order_1_2(event jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
      SELECT event - 'qty' || jsonb_build_object('quantity', event->'qty', 'venue', 'XNAS') $$""",
    "SELECT register_event_upcast('order', 1, 2, 'order_1_2(jsonb)')",
    "SELECT register_event_schema('tick', 1, '{\"type\": \"object\", \"properties\": {\"n\": {\"type\": \"integer\"}}, \"required\": [\"n\"]}')",
    "SELECT register_event_schema('unused', 1, '{\"type\": \"array\"}')",
    # the expected answers of documents: valid ones, and one for each fault
    "CREATE TABLE documents (n int PRIMARY KEY, data jsonb, version int)",
    """INSERT INTO documents VALUES
      (1, '{"id": "11111111-1111-4111-8111-111111111111", "qty": 5}', 1),
      (2, '{"id": "11111111-1111-4111-8111-111111111111", "qty": 5, "at": "2025-01-01T00:00:00Z", "host": "xn--bcher-kva.example",
            "code": "ababccÄ", "back": "qxq", "price": {"amount": 1.25, "currency": "EUR"}, "tags": ["a", "b"], "side": {"a": [1, 2.5, null]},
            "child": {"id": "11111111-1111-4111-8111-111111111111", "qty": 1}, "pay": {"by": "card", "pan": 1}, "extra": "y"}', 1),
      (3, '{"id": "1", "qty": 0, "at": "x", "host": "-", "code": "b", "back": "qxr", "price": {"amount": 1.255, "currency": "e"},
            "tags": ["a", "a", 1], "side": 3, "child": {}, "pay": {"by": "card"}, "extra": 1, "x": "x"}', 1),
      (4, '[]', 1), (5, '{"id": "11111111-1111-4111-8111-111111111111", "quantity": 3}', 2), (6, '{"quantity": "3"}', 2)""",
    "CREATE DOMAIN order_event AS jsonb CHECK (event_schema.\"order@1\"(VALUE))",
    "CREATE TABLE typed (data order_event)",
    "CREATE TABLE checked (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, event_type text NOT NULL, schema_version int NOT NULL, data jsonb NOT NULL,"
    " CONSTRAINT checked_valid CHECK (check_event(data, event_type, schema_version, 'checked_valid')))",
    "INSERT INTO checked (event_type, schema_version, data) SELECT 'order', 1, data || jsonb_build_object('qty', s.i) FROM documents, generate_series(1, 30) AS s (i) WHERE documents.n = 1",
    "SELECT register_event_schema('held', 1, 'true')",
    "INSERT INTO checked (event_type, schema_version, data) VALUES ('held', 1, '1')",
    "CREATE TABLE plain (LIKE checked)",
    "ALTER TABLE plain ALTER id ADD GENERATED ALWAYS AS IDENTITY",
    "INSERT INTO plain (event_type, schema_version, data) SELECT 'order', version, data FROM documents",
    "CREATE TABLE moved (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, body jsonb, event_type text, schema_version int)",
    "INSERT INTO moved (body, event_type, schema_version) SELECT data, 'order', version FROM documents",
    *(f"CREATE TABLE {mode} (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, event_type text, schema_version int, data jsonb)"
      for mode in ("quarantined", "warned", "enforced")),
    "SELECT add_event_guard('quarantined', 'quarantine'), add_event_guard('warned', 'warn'), add_event_guard('enforced', 'enforce')",
    "CREATE TABLE family (event_type text, schema_version int, data jsonb) PARTITION BY LIST (schema_version)",
    "CREATE TABLE family_1 PARTITION OF family FOR VALUES IN (1)",
    "CREATE TABLE family_2 PARTITION OF family DEFAULT",
    "SELECT add_event_guard('family', 'quarantine')",
    "INSERT INTO quarantined (event_type, schema_version, data) SELECT 'later', 1, to_jsonb(n) FROM generate_series(1, 5) AS n",
    "SELECT register_event_schema('later', 1, '{\"type\": \"integer\"}')",
    "SELECT create_event_view('order_view', 'checked', 'order', 1)",
    "CREATE ROLE stranger",
]

GOOD = "(SELECT data FROM documents WHERE n = 2)"
BAD = "(SELECT data FROM documents WHERE n = 3)"

# Asked in each session after a fault; the right answers are those of a session without one.
PROBES = [
    "SELECT n, validate_event(data, 'order', version), event_schema.\"order@1\"(data), validate_event(data, 'missing', 1) FROM documents ORDER BY n",
    "SELECT n, instance_location, keyword, message FROM documents, event_violations(data, 'order', version) ORDER BY 1, 2, 3, 4",
    "SELECT matching_event_versions(data, 'order') FROM documents ORDER BY n",
    "SELECT upcast_event(data, 'order', 1, 2) FROM documents WHERE n = 1",
    "SELECT count(*), min(qty) FROM order_view",
]

# name: statement.  Each runs in a transaction that is rolled back.
CALLS = {
    "validate_event": f"SELECT validate_event({GOOD}, 'order', 1), validate_event({BAD}, 'order', 1)",
    "check_event": f"SELECT check_event({BAD}, 'order', 1)",
    "check_event.type": f"SELECT check_event({BAD}, 'ordre', 1)",
    "schema_function": f"SELECT event_schema.\"order@1\"({GOOD}), event_schema.\"order@1\"({BAD})",
    "event_violations": f"SELECT * FROM event_violations({BAD}, 'order', 1)",
    "event_report": f"SELECT f, event_report({BAD}, 'order', 1, f) FROM unnest('{{flag,basic,detailed}}'::text[]) AS f",
    "event_report.good": f"SELECT f, event_report({GOOD}, 'order', 1, f) FROM unnest('{{flag,basic,detailed}}'::text[]) AS f",
    "matching_event_versions": "SELECT matching_event_versions(data, 'order') FROM documents ORDER BY n",
    "jsonb_matches_schema": "SELECT jsonb_matches_schema('{\"items\": {\"pattern\": \"^(a|b)*$\", \"minLength\": 2}}', d) FROM unnest(ARRAY['[\"ab\"]', '[\"c\"]']::jsonb[]) AS d",
    "jsonb_schema_violations": "SELECT message FROM jsonb_schema_violations('{\"items\": {\"format\": \"email\"}, \"contains\": {\"const\": 1}}', '[\"ab\"]')",
    "jsonschema_is_valid": "SELECT jsonschema_is_valid('{\"type\": \"objekt\"}'::jsonb), jsonschema_is_valid('{\"type\": \"object\"}'::jsonb)",
    "json_matches_schema": "SELECT json_matches_schema('{\"type\": \"object\"}', '{}'), jsonschema_validation_errors('{\"type\": \"object\"}', '[1]')",
    "lint_event_schema": "SELECT * FROM lint_event_schema('{\"type\": \"object\", \"propertys\": {}, \"required\": [\"a\"], \"pattern\": \"a\", \"$ref\": \"https://faults.test/money\"}')",
    "event_schema_changes": "SELECT * FROM event_schema_changes('{\"required\": [\"a\"], \"properties\": {\"a\": {\"enum\": [1, 2]}, \"b\": {\"pattern\": \"^a\"}}}',"
                            " '{\"required\": [\"a\", \"b\"], \"properties\": {\"a\": {\"enum\": [1, 3]}, \"b\": {\"pattern\": \"^b\", \"anyOf\": [{\"minLength\": 2}, {\"maxLength\": 1}]}}}')",
    "check_event_compatibility": "SELECT * FROM check_event_compatibility('tick', '{\"type\": \"object\", \"properties\": {\"n\": {\"type\": \"string\"}}}')",
    "event_schema_ddl": "SELECT * FROM event_schema_ddl()",
    "event_schema_program": "SELECT * FROM event_schema_program('order', 1)",
    "event_schemas": "SELECT event_type, schema_version, title, policy FROM event_schemas ORDER BY 1, 2",
    "event_schema_properties": "SELECT * FROM event_schema_properties('order', 1)",
    "event_schema_example": "SELECT event_schema_example('tick', 1), event_schema_example('order', 2)",
    "event_schema_docs": "SELECT event_schema_docs('order', 1)",
    "event_asyncapi": "SELECT event_asyncapi()",
    "event_openapi": "SELECT event_openapi()",
    "upcast_event": "SELECT upcast_event(data, 'order', 1, 2), event_upcast_path('order', 1, 2) FROM documents WHERE n = 1",
    "event_at_version": "SELECT event_at_version(data, 'order', version, 2) FROM documents WHERE n IN (1, 5)",
    "event_rename": "SELECT event_rename('{\"a\": {\"b\": 1}, \"c\": 2}', '{\"/c\": \"d\"}')",
    "event_upcasts": "SELECT event_type, from_version, to_version FROM event_upcasts",
    "event_schema_usage": "SELECT relation::text, event_type, schema_version, events FROM event_schema_usage('tick') ORDER BY 1, 2, 3",
    "event_enforcement": "SELECT relation::text, mode, validated, enabled, problem FROM event_enforcement ORDER BY 1, 2",
    "event_quarantine": "SELECT event_type, row, violations FROM event_quarantine ORDER BY id",
    "event_quarantine_counts": "SELECT relation_name, events FROM event_quarantine_counts",
    "stats": "SELECT count(*) >= 0 FROM event_validation_stats UNION ALL SELECT count(*) >= 0 FROM event_validation_failures"
             " UNION ALL SELECT count(*) >= 0 FROM event_validation_stats_history",
    "views": "SELECT * FROM order_view LIMIT 3",
    "view_functions": "SELECT event_bigint('{\"n\": 12345678901234}', 'n'), event_numeric('{\"n\": 1.5}', 'n'), event_uuid(data, 'id'),"
                      " event_timestamptz('{\"n\": \"2025-01-01T00:00:00Z\"}', 'n'), event_date('{\"n\": \"2025-01-01\"}', 'n') FROM documents WHERE n = 1",
    "audit_events": "SELECT event_type, schema_version, instance_location, keyword, message, violations FROM audit_events('plain') ORDER BY 1, 2, 3, 4, 5",
    "check_event_upgrade": "SELECT instance_location, keyword, message, rows FROM check_event_upgrade('checked', 'order', 1, 2)",
    "event_column_conflicts": "SELECT * FROM event_column_conflicts('moved', 'body', 'data')",
    "event_progress": "SELECT count(*) FROM event_progress",
    # these write
    "register_event_schema": "SELECT register_event_schema('new', 1, '{\"type\": \"object\", \"properties\": {\"price\": {\"$ref\": \"https://faults.test/money\"},"
                             " \"code\": {\"pattern\": \"^(ab|c)*\\\\\\\\d{3}$\"}, \"on\": {\"enum\": [1, 2]}}}', strict => false)",
    "register_event_schema.wrong": "SELECT register_event_schema('new', 1, '{\"type\": \"objekt\", \"pattern\": \"(\"}')",
    "register_schema": "SELECT register_schema('https://faults.test/other', '{\"$ref\": \"https://faults.test/money\"}')",
    "register_schemas": "SELECT * FROM register_schemas('{\"a@1\": {\"properties\": {\"b\": {\"$ref\": \"event:b@1\"}}}, \"b@1\": {\"properties\": {\"a\": {\"$ref\": \"event:a@1\"}}},"
                        " \"c@1\": {\"type\": \"object\"}}')",
    "widen_event_schema": "SELECT widen_event_schema('tick', 1, '{\"type\": \"object\", \"properties\": {\"n\": {\"type\": [\"integer\", \"string\"]}}, \"required\": [\"n\"]}')",
    "create_function": "CREATE FUNCTION event_schema.\"raw@1\"(jsonb) RETURNS boolean LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE AS '{\"type\": \"object\"}'",
    "drop_event_schema": "SELECT drop_event_schema('unused', 1)",
    "drop_event_schema.used": "SELECT drop_event_schema('order', 1)",
    "drop_event_schema.rows": "SELECT drop_event_schema('held', 1)",
    "drop_function": "DROP FUNCTION event_schema.\"unused@1\"(jsonb)",
    "set_event_compatibility": "SELECT set_event_compatibility('tick', 'full')",
    "register_event_upcast": "SELECT drop_event_upcast('order', 1, 2), register_event_upcast('order', 1, 2, 'order_1_2(jsonb)')",
    "register_event_rename": "SELECT drop_event_upcast('order', 1, 2), register_event_rename('order', 1, 2, '{\"/qty\": \"quantity\"}')",
    "insert.checked": "INSERT INTO checked (event_type, schema_version, data) SELECT 'order', version, data FROM documents WHERE n IN (1, 2, 5) RETURNING schema_version",
    "insert.typed": f"INSERT INTO typed SELECT {GOOD}",
    "insert.enforced": "INSERT INTO enforced (event_type, schema_version, data) SELECT 'order', version, data FROM documents ORDER BY n",
    "insert.quarantined": "INSERT INTO quarantined (event_type, schema_version, data) SELECT 'order', version, data FROM documents RETURNING schema_version",
    "insert.warned": "INSERT INTO warned (event_type, schema_version, data) SELECT 'order', version, data FROM documents RETURNING schema_version",
    "insert.family": "INSERT INTO family SELECT 'order', version, data FROM documents",
    "update.quarantined": "INSERT INTO quarantined (event_type, schema_version, data) SELECT 'order', version, data FROM documents WHERE n = 1",
    "replay": "SELECT relation_name, replayed, remaining, problem FROM replay_event_quarantine()",
    "replay.table": "SELECT relation_name, replayed, remaining, problem FROM replay_event_quarantine('quarantined')",
    "replay.dry_run": "SELECT relation_name, replayed, remaining, problem, violations FROM replay_event_quarantine(dry_run => true)",
    "purge": "SELECT purge_event_quarantine('0 s')",
    "add_event_check": "SELECT add_event_check('plain')",
    "drop_event_check": "SELECT drop_event_check('checked')",
    "add_event_guard": "SELECT add_event_guard('plain', 'quarantine')",
    "set_event_guard_mode": "SELECT old_mode, new_mode FROM set_event_guard_mode('quarantined', 'off')",
    "set_event_guard_mode.all": "SELECT guarded_relation::text, new_mode, problem FROM set_event_guard_mode(NULL, 'off') ORDER BY 1",
    "drop_event_guard": "SELECT drop_event_guard('warned')",
    "create_event_view": "SELECT create_event_view('tick_view', 'checked', 'order', 2)",
    "standardize_event_column": "SELECT standardize_event_column('moved', 'body')",
    "stats_reset": "SELECT event_validation_stats_reset()",
    "alter_table": "ALTER TABLE checked ALTER schema_version TYPE bigint",
}

# Procedures, which commit: {name: (what they need, call, a question whose answer a fault does not change, one about their end)}
PROCEDURES = {
    "migrate_events": (
        ["CREATE TABLE work (id int PRIMARY KEY, event_type text, schema_version int, data jsonb, CHECK (check_event(data, event_type, schema_version)))",
         "INSERT INTO work SELECT s.i, 'order', 1, data || jsonb_build_object('qty', s.i) FROM documents, generate_series(1, 40) AS s (i) WHERE n = 1"],
        "CALL migrate_events('work', 'order', 2, batch_size => 10)",
        "SELECT count(*), count(DISTINCT id), sum(id), sum(COALESCE(data->>'qty', data->>'quantity')::int), bool_and(validate_event(data, event_type, schema_version)),"
        " bool_and((schema_version = 1) = (data ? 'qty')) FROM work",
        "SELECT min(schema_version), max(schema_version) FROM work"),
    "merge_event_column": (
        ["CREATE TABLE work (id int PRIMARY KEY, event_type text, schema_version int, body jsonb, data jsonb)",
         "INSERT INTO work SELECT s.i, 'order', 1, CASE WHEN s.i % 2 = 0 THEN data END, CASE WHEN s.i % 2 = 1 THEN data END"
         " FROM documents, generate_series(1, 40) AS s (i) WHERE n = 1"],
        "CALL merge_event_column('work', 'body')",
        "SELECT count(*), sum(id), bool_and(COALESCE(to_jsonb(w)->'data', 'null') <> 'null' OR COALESCE(to_jsonb(w)->'body', 'null') <> 'null') FROM work AS w",
        "SELECT count(*) FROM pg_attribute WHERE attrelid = 'work'::regclass AND attname = 'body'"),
}

# These go on after an error of the server, on purpose, and say so; what the answer then has.
GO_ON = {
    "replay": "out of memory", "replay.dry_run": "out of memory", "set_event_guard_mode.all": "out of memory",
    "event_schema_usage": "None",       # of a table that is not counted, with a WARNING
    "add_event_guard": "guard",         # without the NOTICE about its last rows
    "drop_event_guard": "",             # the quarantine stays, with a NOTICE
}

# These may give another error, which says that it is not known whether rows are in the way.
REFUSALS = {"drop_event_schema": "2BP01", "drop_event_schema.rows": "2BP01", "drop_function": "2BP01"}


def build(server):
    server.execute(*SETUP)
