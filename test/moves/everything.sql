-- A database in which everything of the extension is in use.  Run once, in a database with the extension (in schema
-- public), by a superuser.
SET client_min_messages = warning;
CREATE SCHEMA app;
SET search_path = app, public;

-- ---------- schemas, policies, annotations ----------
SELECT register_event_schema('order', 1, '{"type": "object", "required": ["id", "qty"], "properties": {"id": {"type": "integer"}, "qty": {"type": "integer", "minimum": 1}}}');
SELECT register_event_schema('order', 2, '{"type": "object", "required": ["id", "quantity"], "properties": {"id": {"type": "integer"}, "quantity": {"type": "integer", "minimum": 1}}}',
	renames => '{"qty": "quantity"}');
SELECT register_event_schema('order', 3, '{"title": "Order", "type": "object", "required": ["id", "quantity", "currency"],
	"properties": {"id": {"type": "integer"}, "quantity": {"type": "integer", "minimum": 1}, "currency": {"type": "string", "pattern": "^[A-Z]{3}$"}, "at": {"type": "string", "format": "date-time"}}}',
	breaking => true);
CREATE FUNCTION order_3(data jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$SELECT data || '{"currency": "EUR"}'$$;
CREATE FUNCTION order_2(data jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$SELECT data - 'currency' - 'at'$$;
SELECT register_event_upcast('order', 2, 3, 'order_3(jsonb)');
SELECT register_event_downcast('order', 3, 2, 'order_2(jsonb)');
SELECT register_event_schema('part', 1, '{"required": ["a"]}'), register_event_schema('part', 2, '{"required": ["b"]}', breaking => true);
SELECT register_event_rename('part', 1, 2, '{"a": "b"}', downcast => true);
SELECT set_event_compatibility('order', 'full_transitive', unknown => 'warn'), set_event_compatibility('free', 'none');
SELECT register_event_schema('free', 1, '{"type": "integer"}'), register_event_schema('free', 2, '{"type": "string"}');
SELECT register_event_schema('formats', 1, '{"properties": {"mail": {"format": "email"}, "at": {"format": "time"}}}', except_formats => '{time}');
SELECT register_schema('https://example.com/money', '{"$id": "https://example.com/money", "type": "number", "$defs": {"cent": {"$anchor": "cent", "multipleOf": 0.01}}}');
SELECT * FROM register_schemas('{
	"tree@1": {"$id": "https://bundle.test/tree", "properties": {"branches": {"items": {"$ref": "branch"}}}},
	"https://bundle.test/branch": {"properties": {"tree": {"$ref": "/tree"}, "price": {"$ref": "https://example.com/money#cent"}}},
	"never@1": false}');
-- names too long for the name of a function
SELECT register_event_schema(repeat('long', 40), v, '{"$ref": "event:order@1"}') FROM generate_series(1, 2) AS v;
-- published, then widened
SELECT register_event_schema('wide', 1, '{"properties": {"n": {"type": "integer"}}}');
SELECT widen_event_schema('wide', 1, '{"properties": {"n": {"type": "number"}}}');

-- ---------- calls in tables, domains, views, indexes, functions ----------
CREATE DOMAIN amount AS jsonb CHECK (check_event(VALUE, 'order', 1));
CREATE DOMAIN price AS jsonb CHECK (event_schema."https://example.com/money"(VALUE));
CREATE TABLE events (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, event_type text NOT NULL, schema_version int NOT NULL, data jsonb NOT NULL);
SELECT add_event_check('events');
SELECT validate_event_check('events');
CREATE TABLE late (LIKE events INCLUDING IDENTITY);
INSERT INTO late (event_type, schema_version, data) VALUES ('order', 1, '{}');
SELECT add_event_check('late');
CREATE TABLE parts (event_type text, schema_version int, data jsonb, CHECK (check_event(data, event_type, schema_version))) PARTITION BY LIST (event_type);
CREATE TABLE parts_order PARTITION OF parts FOR VALUES IN ('order');
CREATE TABLE parts_rest PARTITION OF parts DEFAULT;
CREATE TABLE direct (id int PRIMARY KEY, data jsonb CHECK (event_schema."order@1"(data)), whole amount, price price,
	large boolean GENERATED ALWAYS AS (event_schema."wide@1"(data)) STORED);
CREATE INDEX direct_index ON direct (id) WHERE event_schema."order@1"(data);
CREATE TABLE checks_of_pg_jsonschema (data json CHECK (json_matches_schema('{"type": "object", "required": ["a"]}', data)));
CREATE VIEW valid AS SELECT * FROM events WHERE validate_event(data, event_type, schema_version);
CREATE VIEW violations AS SELECT l.id, v.* FROM late l, event_violations(l.data, l.event_type, l.schema_version) v;
CREATE MATERIALIZED VIEW versions AS SELECT id, matching_event_versions(data, event_type) FROM events;
SELECT create_event_view('order_latest', 'events', 'order'), create_event_view('order_first', 'events', 'order', 1);
CREATE VIEW at_two AS SELECT id, event_at_version(data, event_type, schema_version, 2) AS data FROM events WHERE event_type = 'order';
CREATE FUNCTION in_body(data jsonb) RETURNS boolean LANGUAGE sql BEGIN ATOMIC SELECT check_event(data, 'order', 1) OR event_schema."free@1"(data); END;

-- ---------- guards in all modes, the quarantine, migrated events ----------
-- (no primary key: pg_restore --clean of PostgreSQL cannot drop that of a partition)
CREATE TABLE guarded (id bigint GENERATED ALWAYS AS IDENTITY, event_type text, schema_version int, data jsonb) PARTITION BY RANGE (id);
CREATE TABLE guarded_low PARTITION OF guarded FOR VALUES FROM (1) TO (1000000);
CREATE TABLE guarded_high PARTITION OF guarded DEFAULT;
CREATE TABLE guard_enforce (LIKE guarded INCLUDING IDENTITY);
CREATE TABLE guard_warn (LIKE guarded INCLUDING IDENTITY);
CREATE TABLE guard_off (LIKE guarded INCLUDING IDENTITY);
CREATE TABLE guard_until (LIKE guarded INCLUDING IDENTITY);
SELECT add_event_guard('guarded', 'quarantine'), add_event_guard('guard_enforce', 'enforce', types => '{order,free}'),
	add_event_guard('guard_warn', 'warn'), add_event_guard('guard_off', 'off'), add_event_guard('guard_until', 'enforce');
SELECT set_event_guard_mode('guard_until', 'quarantine', '2999-01-01');
CREATE TABLE migrated (LIKE guarded INCLUDING IDENTITY, PRIMARY KEY (id));

INSERT INTO events (event_type, schema_version, data) SELECT 'order', 1, jsonb_build_object('id', i, 'qty', i) FROM generate_series(1, 200) AS i;
INSERT INTO events (event_type, schema_version, data) SELECT 'order', 2, jsonb_build_object('id', i, 'quantity', i) FROM generate_series(1, 200) AS i;
INSERT INTO events (event_type, schema_version, data) SELECT 'order', 3, jsonb_build_object('id', i, 'quantity', i, 'currency', 'USD') FROM generate_series(1, 200) AS i;
INSERT INTO events (event_type, schema_version, data) VALUES ('tree', 1, '{"branches": [{"tree": {"branches": [{"price": 1.25}]}}]}'),
	('free', 2, '"x"'), ('formats', 1, '{"mail": "a@example.com", "at": "never"}'), (repeat('long', 40), 2, '{"id": 1, "qty": 1}'), ('part', 1, '{"a": 1}'), ('wide', 1, '{"n": 1.5}');
INSERT INTO parts SELECT event_type, schema_version, data FROM events;
INSERT INTO direct VALUES (1, '{"id": 1, "qty": 1}', '{"id": 2, "qty": 2}', '1.25');
INSERT INTO checks_of_pg_jsonschema VALUES ('{"a": 1}');
REFRESH MATERIALIZED VIEW versions;
INSERT INTO guarded (event_type, schema_version, data) SELECT 'order', 1 + i % 4, jsonb_build_object('id', i, 'qty', i) FROM generate_series(1, 100) AS i;
INSERT INTO guard_until (event_type, schema_version, data) VALUES ('order', 1, '{"id": 1, "qty": 0}'), ('order', 1, '{"id": 1, "qty": 1}');
INSERT INTO guard_enforce (event_type, schema_version, data) VALUES ('order', 1, '{"id": 1, "qty": 1}'), ('other', 1, '{}');
SET client_min_messages = error;
INSERT INTO guard_warn (event_type, schema_version, data) VALUES ('order', 1, '{}');
SET client_min_messages = warning;
INSERT INTO guard_off (event_type, schema_version, data) VALUES ('order', 1, '{}');
INSERT INTO migrated (event_type, schema_version, data) SELECT 'order', 1, jsonb_build_object('id', i, 'qty', i) FROM generate_series(1, 20) AS i;
CALL migrate_events('migrated', 'order', 3, keep_original => true);
