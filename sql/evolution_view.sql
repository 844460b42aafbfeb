-- Views of a type's events: their columns and values.
\set SHOW_CONTEXT never
CREATE SCHEMA viewed;
CREATE TABLE viewed.events (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	event_type text NOT NULL,
	schema_version int NOT NULL,
	data jsonb NOT NULL,
	recorded_at timestamptz NOT NULL DEFAULT '2024-06-16T13:30:00Z');
COMMENT ON COLUMN viewed.events.recorded_at IS 'when it was stored';
CREATE FUNCTION viewed.columns(view regclass) RETURNS TABLE ("column" name, type text, comment text)
BEGIN ATOMIC
	SELECT attname, format_type(atttypid, atttypmod), col_description(attrelid, attnum)
	FROM pg_attribute WHERE attrelid = view AND attnum > 0 ORDER BY attnum;
END;
-- the columns of a schema
CREATE FUNCTION viewed.types(definition text) RETURNS SETOF text
LANGUAGE plpgsql AS $$
BEGIN
	PERFORM register_event_schema('types', 1, definition);
	RETURN QUERY SELECT concat(property, ': ', column_type, ', ' || description)
		FROM _event_validate.event_view_columns_in_order('types', 1, 'bigint');
	PERFORM drop_event_schema('types', 1);
END
$$;

-- ---------- types ----------

SELECT viewed.types('{"properties": {"string": {"type": "string"}, "integer": {"type": "integer"}, "number": {"type": "number"},
	"boolean": {"type": "boolean"}, "null": {"type": "null"}, "array": {"type": "array"}, "object": {"type": "object"},
	"anything": true, "nothing": false, "empty": {}, "date-time": {"type": "string", "format": "date-time"},
	"date": {"type": "string", "format": "date"}, "time": {"type": "string", "format": "time"},
	"uuid": {"type": "string", "format": "uuid"}, "email": {"type": "string", "format": "email"},
	"format without type": {"format": "date-time"}, "true": {"const": true}}}');

-- or null, in all forms
SELECT viewed.types('{"properties": {"type": {"type": ["integer", "null"]}, "anyOf": {"anyOf": [{"type": "string", "format": "date"}, {"type": "null"}]},
	"oneOf": {"oneOf": [{"type": "boolean"}, {"type": "null"}]}, "enum": {"enum": ["a", "b", null]},
	"ref": {"anyOf": [{"$ref": "#/$defs/when"}, {"type": "null"}]}, "behind ref": {"$ref": "#/$defs/maybe"},
	"array": {"type": ["array", "null"]}, "not yet": {"$ref": "#/$defs/maybe", "type": "null"}},
	"$defs": {"when": {"type": "string", "format": "date-time", "description": "when it was"}, "maybe": {"anyOf": [{"$ref": "#/$defs/when"}, {"type": "null"}], "default": null}}}');

-- the bounds of an integer determine its type; without bounds, bigint
SELECT viewed.types('{"properties": {"bounded": {"type": "integer", "minimum": 0, "maximum": 9223372036854775807},
	"one more": {"type": "integer", "minimum": 0, "maximum": 9223372036854775808},
	"exclusive": {"type": "integer", "exclusiveMinimum": -9223372036854775809, "exclusiveMaximum": 9223372036854775808},
	"below": {"type": "integer", "minimum": -9223372036854775809}, "open above": {"type": "integer", "minimum": 0},
	"multipleOf": {"type": "number", "multipleOf": 5}, "multipleOf 0.5": {"type": "number", "multipleOf": 0.5},
	"enum": {"enum": [1, 2.0, 3]}, "enum of large ones": {"enum": [1, 1e19]}, "enum of others": {"enum": [1, 2.5]},
	"integer or number": {"anyOf": [{"type": "integer"}, {"type": "number"}]},
	"bounded here and there": {"allOf": [{"type": "integer", "minimum": 0}, {"anyOf": [{"maximum": 5}, {"maximum": 6}]}]},
	"draft 4 float": {"type": "number", "minimum": 0, "maximum": 1}}}');

-- decimals that may be strings: numeric only if all of the strings are decimals
SELECT viewed.types($${"properties": {
	"pydantic": {"anyOf": [{"type": "number"}, {"type": "string", "pattern": "^(?!^[-+.]*$)[+-]?0*\\d*\\.?\\d*$"}]},
	"or null": {"anyOf": [{"type": "number"}, {"type": "string", "pattern": "^-?\\d+(\\.\\d+)?$"}, {"type": "null"}]},
	"not anchored": {"anyOf": [{"type": "number"}, {"type": "string", "pattern": "\\d+"}]},
	"with a unit": {"anyOf": [{"type": "number"}, {"type": "string", "pattern": "^\\d+%?$"}]},
	"empty too": {"anyOf": [{"type": "number"}, {"type": "string", "pattern": "^\\d*$"}]},
	"no digit": {"anyOf": [{"type": "number"}, {"type": "string", "pattern": "^[a-z]$"}]},
	"exponents": {"anyOf": [{"type": "number"}, {"type": "string", "pattern": "^\\d+e\\d+$"}]},
	"no pattern": {"type": ["number", "string"]},
	"a string only": {"type": "string", "pattern": "^\\d+$"}}}$$);

-- several types are jsonb, and so are properties without a type
SELECT viewed.types('{"properties": {"string or integer": {"type": ["string", "integer"]}, "string or array": {"anyOf": [{"type": "string"}, {"type": "array"}]},
	"date or date-time": {"anyOf": [{"type": "string", "format": "date"}, {"type": "string", "format": "date-time"}]},
	"date or string": {"anyOf": [{"type": "string", "format": "date"}, {"type": "string"}]},
	"number or boolean": {"type": ["number", "boolean"]}, "mixed enum": {"enum": ["a", 1]}}}');

-- formats count if they are asserted
SELECT register_event_schema('types', 1, '{"properties": {"at": {"type": "string", "format": "date-time"}}}', assert_format => false);
SELECT property, column_type FROM _event_validate.event_view_columns('types', 1, 'bigint');
SELECT drop_event_schema('types', 1);

-- other dialects
SELECT viewed.types('{"$schema": "http://json-schema.org/draft-07/schema#", "properties": {"sibling": {"$ref": "#/definitions/when", "type": "integer"},
	"when": {"allOf": [{"$ref": "#/definitions/when"}], "description": "of its own"}},
	"definitions": {"when": {"type": "string", "format": "date-time", "title": "When"}}}');
SELECT viewed.types('{"$schema": "http://json-schema.org/draft-04/schema#", "properties": {"n": {"type": "integer", "minimum": -9223372036854775809, "exclusiveMinimum": true, "maximum": 9223372036854775807}}}');

-- ---------- which properties ----------

-- in the order of the text, inherited ones before added ones
SELECT viewed.types('{"allOf": [{"$ref": "#/$defs/base"}], "properties": {"zz": {"type": "string"}, "a": {"type": "integer"}, "longer": {"type": "string"}, "id": {"description": "narrower"}},
	"anyOf": [{"properties": {"id": {"description": "of a branch"}}}, true],
	"$defs": {"base": {"properties": {"origin": {"type": "string"}, "id": {"type": "integer", "description": "wider"}}}}}');
SELECT viewed.types('{"properties": {"a\/b": {"type": "string"}, "a~b": {"type": "string"}, "é": {"type": "string"}, "\u0041": {"type": "string"}}}');

-- branches: the properties of each; a type that is the same in all that declare it
SELECT viewed.types('{"properties": {"kind": {"enum": ["cat", "dog"]}}, "oneOf": [
	{"properties": {"kind": {"const": "cat"}, "lives": {"type": "integer"}, "age": {"type": "integer"}}, "required": ["lives"]},
	{"properties": {"kind": {"const": "dog"}, "tricks": {"type": "array"}, "age": {"type": "number"}}, "required": ["tricks"]}]}');
SELECT viewed.types('{"anyOf": [{"properties": {"v": {"type": "integer"}}, "additionalProperties": false}, {"properties": {"v": {"type": "string"}}, "additionalProperties": false}]}');
SELECT viewed.types('{"properties": {"v": {"type": ["integer", "string"]}}, "anyOf": [{"properties": {"v": {"type": "integer"}}}, {"properties": {"w": {"type": "string"}}}]}');
SELECT viewed.types('{"if": {"properties": {"kind": {"const": "a"}}}, "then": {"properties": {"a": {"type": "integer"}}}, "else": {"properties": {"b": {"type": "string", "format": "date"}}},
	"dependentSchemas": {"c": {"properties": {"d": {"type": "boolean"}}}}}');

-- schemas without properties
SELECT viewed.types('true');
SELECT viewed.types('{"type": "string"}');
SELECT viewed.types('{"patternProperties": {"^x": {"type": "integer"}}}');
SELECT viewed.types('{"$ref": "#/$defs/node", "$defs": {"node": {"type": "object", "properties": {"v": {"type": "integer"}, "next": {"$ref": "#/$defs/node"}, "any": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]}}}}}');

-- ---------- a view ----------

SELECT register_event_schema('viewed.common', 1, '{"not": {}, "$defs": {"money": {"description": "an amount",
	"anyOf": [{"type": "number"}, {"type": "string", "pattern": "^-?\\d+(\\.\\d+)?$"}]}, "instant": {"type": "string", "format": "date-time"}}}');
SELECT register_event_schema('trade', 1, '{"title": "Trade", "description": "What was traded.", "type": "object", "required": ["symbol"],
	"properties": {"symbol": {"type": "string", "description": "what it is called"}, "at": {"$ref": "event:viewed.common@1#/$defs/instant"},
		"price": {"$ref": "event:viewed.common@1#/$defs/money"}, "size": {"type": "integer"}, "day": {"type": "string", "format": "date"},
		"key": {"type": "string", "format": "uuid"}, "open": {"type": "boolean"}, "tags": {"type": ["array", "null"]},
		"id": {"type": "integer", "description": "the venue''s"}, "data": {"type": "object"}}}');
SELECT create_event_view('trades', 'viewed.events', 'trade');
SELECT * FROM viewed.columns('viewed.trades');
SELECT obj_description('viewed.trades'::regclass);
SELECT reloptions FROM pg_class WHERE oid = 'viewed.trades'::regclass;

INSERT INTO viewed.events (event_type, schema_version, data) VALUES
('trade', 1, '{"symbol": "A", "at": "2024-06-16T15:30:00.25+02:00", "price": 10.50, "size": 3, "day": "2024-06-16", "key": "0B4E6CD8-52f5-4b8c-8e55-4f5f7d3a9a10", "open": true, "tags": ["x"], "id": 7, "data": {}}'),
('trade', 1, '{"symbol": "B", "at": null, "price": "-0.10", "size": 1.0, "tags": null, "open": false}'),
('trade', 1, '{"symbol": "C"}'),
('other', 1, '{"symbol": "D", "size": "no matter"}');
SELECT id, symbol, at AT TIME ZONE 'UTC' AS at, price, size, day, key, open, tags, data_id, data_data, data ->> 'symbol' AS again FROM viewed.trades ORDER BY id;

-- values at the bounds of the types, and beyond; no errors
TRUNCATE viewed.events;
INSERT INTO viewed.events (event_type, schema_version, data) VALUES
('trade', 1, '{"at": "0000-01-01t00:00:00z", "day": "0000-02-29", "size": -9223372036854775808}'),
('trade', 1, '{"at": "9999-12-31T23:59:59.999999-23:59", "day": "9999-12-31", "size": 9223372036854775807}'),
('trade', 1, '{"at": "2016-12-31T23:59:60Z", "size": 9.2e18}'),
('trade', 1, '{"at": "2017-01-01T05:29:60.5+05:30", "size": -0.0}'),
('trade', 1, '{"at": "2024-02-29T12:00:00.1234565Z"}'),
('trade', 1, '{"at": "2024-02-29T12:00:00.12345650000000000000000000000000001Z"}'),
('trade', 1, '{"at": "2024-02-29T12:00:00.1234575Z"}'),
('trade', 1, '{"at": "2024-02-29T23:59:59.9999999Z"}');
SELECT extract(epoch FROM at) AS at, day - date '2000-01-01' AS day, size FROM viewed.trades ORDER BY id;
-- the same as the types' own input, for values that it accepts
SELECT data ->> 'at' AS differs FROM viewed.events WHERE event_timestamptz(data, 'at') <> (data ->> 'at')::timestamptz
	AND data ->> 'at' NOT LIKE '0000%' AND data ->> 'at' NOT LIKE '%-23:59' AND data ->> 'at' NOT LIKE '%:60%';
SELECT extract(epoch FROM at) = extract(epoch FROM timestamptz '2017-01-01T00:00:00Z') AS leap_second FROM viewed.trades WHERE data ->> 'at' = '2016-12-31T23:59:60Z';
TRUNCATE viewed.events;
INSERT INTO viewed.events (event_type, schema_version, data) VALUES
('trade', 1, '{"size": 9223372036854775808, "at": "2024-02-30T00:00:00Z", "day": "2024-2-3", "price": "1-2", "key": "x", "open": "true"}'),
('trade', 1, '{"size": -1e30, "at": "2024-02-03 00:00:00Z", "day": 20240203, "price": "NaN", "key": 1, "open": 1}'),
('trade', 1, '{"size": 1.5, "price": "", "open": null}'),
('trade', 1, '[]'), ('trade', 1, '"trade"'), ('trade', 1, 'null');
SELECT size, at, day, price, key, open, symbol, tags FROM viewed.trades ORDER BY id;
SELECT create_event_view('wide', 'viewed.events', 'trade', integer_type => 'numeric');
SELECT size FROM viewed.wide ORDER BY 1;
DROP VIEW viewed.wide;

-- settings have no effect
TRUNCATE viewed.events;
INSERT INTO viewed.events (event_type, schema_version, data) VALUES ('trade', 1, '{"at": "2024-06-16T15:30:00+02:00", "day": "2024-06-07"}');
SET DateStyle = 'SQL, DMY';
SELECT set_config('TimeZone', zone, false), extract(epoch FROM at) AS at, extract(month FROM day) AS month
FROM (VALUES ('America/St_Johns'), ('Asia/Kolkata')) AS z (zone), viewed.trades;
RESET DateStyle;
RESET TimeZone;

-- ---------- plans ----------

SET enable_seqscan = off;
SET enable_bitmapscan = off;
EXPLAIN (COSTS off) SELECT symbol FROM viewed.trades WHERE id = 5;
CREATE INDEX ON viewed.events (event_type, schema_version, recorded_at);
EXPLAIN (COSTS off) SELECT symbol FROM viewed.trades WHERE schema_version = 1 AND recorded_at > '2024-01-01Z' ORDER BY recorded_at;
RESET enable_seqscan;
RESET enable_bitmapscan;

-- ---------- names ----------

SELECT register_event_schema('named', 1, (SELECT jsonb_build_object('properties', jsonb_object_agg(name, '{"type": "integer"}'::jsonb))
	FROM (VALUES (''), (' '), ('a "b" %s'), (E'line\nend'), ('select'), ('ctid'), ('id'), ('data_id'), ('Id'), ('event_type'), ('document'),
		(repeat('x', 63)), (repeat('x', 64)), (repeat('x', 65)), (repeat('x', 200)), (repeat('ä', 31)), (repeat('ä', 32)), ('x' || repeat('ä', 40)), ('😀')) AS names (name)));
SELECT create_event_view('"Named %I"', 'viewed.events', 'named');
SELECT replace("column", E'\n', '\n') AS "column", type, comment FROM viewed.columns('viewed."Named %I"') WHERE "column" NOT IN ('id', 'event_type', 'schema_version', 'data', 'recorded_at');
INSERT INTO viewed.events (event_type, schema_version, data) SELECT 'named', 1, jsonb_build_object('id', 1, 'data_id', 2, repeat('x', 64), 3, '', 4);
SELECT data_id, * FROM viewed."Named %I" WHERE (SELECT count(*) FROM jsonb_each(to_jsonb("Named %I")) WHERE value IN ('1', '2', '3', '4')) >= 4;
DROP VIEW viewed."Named %I";

-- more columns than a view can have
SELECT register_event_schema('wide', 1, (SELECT jsonb_build_object('properties', jsonb_object_agg('p' || i, '{"type": "integer"}'::jsonb)) FROM generate_series(1, 2000) AS i));
SELECT create_event_view('wide', 'viewed.events', 'wide');
SELECT count(*), max("column") FILTER (WHERE "column" LIKE 'p15%') FROM viewed.columns('viewed.wide');
DROP VIEW viewed.wide;

-- ---------- other tables ----------

CREATE TYPE viewed.kind AS ENUM ('trade', 'other');
CREATE TABLE viewed.legacy (no int, payload text, kind viewed.kind, data int, document int, version bigint);
INSERT INTO viewed.legacy VALUES (1, '{"symbol": "L", "size": 2}', 'trade', 5, 6, 1), (2, 'no JSON', 'other', 7, 8, 1);
SELECT create_event_view('viewed.legacy_trades', 'viewed.legacy', 'trade', 1, 'payload', 'kind', 'version');
SELECT no, payload, data, document, symbol, size FROM viewed.legacy_trades;
SELECT create_event_view('legacy_constant', 'viewed.legacy', 'trade', 1, $$CASE WHEN no = 1 THEN payload::jsonb END$$, $$'trade'$$, '1');
SELECT no, payload, data, document, document_2, symbol FROM viewed.legacy_constant ORDER BY no;
CREATE TABLE viewed.parts (event_type text, schema_version int, data jsonb, day date) PARTITION BY LIST (day);
CREATE TABLE viewed.part PARTITION OF viewed.parts DEFAULT;
SELECT create_event_view('part_trades', 'viewed.parts', 'trade');
INSERT INTO viewed.parts VALUES ('trade', 1, '{"symbol": "P", "day": "2024-01-01"}', '2024-01-02');
SELECT day, data_day, symbol FROM viewed.part_trades;
-- a table called event, a schema without properties
CREATE TABLE viewed.event (event_type text, schema_version int, data jsonb, event text);
INSERT INTO viewed.event VALUES ('plain', 1, '[]', 'x');
SELECT register_event_schema('plain', 1, 'true');
SELECT create_event_view('plain', 'viewed.event', 'plain');
SELECT * FROM viewed.plain;

-- ---------- rights, dependencies ----------

CREATE ROLE regress_viewer;
GRANT USAGE ON SCHEMA viewed TO regress_viewer;
GRANT SELECT ON viewed.trades TO regress_viewer;
SET ROLE regress_viewer;
SELECT count(*) FROM viewed.trades;
SELECT create_event_view('viewed.trades', 'viewed.events', 'trade');
RESET ROLE;
GRANT SELECT ON viewed.events TO regress_viewer;
SET ROLE regress_viewer;
SELECT count(*) FROM viewed.trades;
RESET ROLE;
SELECT drop_event_schema('trade', 1);

-- ---------- replacing a view ----------

-- the same again changes nothing; columns of a new version are added at the end
SELECT create_event_view('trades', 'viewed.events', 'trade');
SELECT register_event_schema('trade', 2, '{"title": "Trade, v2", "type": "object", "required": ["symbol"],
	"properties": {"venue": {"type": "string", "description": "where"}, "symbol": {"type": "string"}, "at": {"$ref": "event:viewed.common@1#/$defs/instant"},
		"price": {"$ref": "event:viewed.common@1#/$defs/money"}, "size": {"type": "integer"}, "day": {"type": "string", "format": "date"},
		"key": {"type": "string", "format": "uuid"}, "open": {"type": "boolean"}, "tags": {"type": ["array", "null"]},
		"id": {"type": "integer"}, "data": {"type": "object"}}}');
SELECT create_event_view('trades', 'viewed.events', 'trade');
SELECT "column", comment FROM viewed.columns('viewed.trades');
SELECT obj_description('viewed.trades'::regclass);
SELECT has_table_privilege('regress_viewer', 'viewed.trades', 'SELECT') AS rights_are_kept;
-- rows of an earlier version, of this one, and of a later one
TRUNCATE viewed.events;
INSERT INTO viewed.events (event_type, schema_version, data) VALUES ('trade', 1, '{"symbol": "old"}'), ('trade', 2, '{"symbol": "new", "venue": "X"}'), ('trade', 9, '{"symbol": "newer"}');
SELECT schema_version, symbol, venue FROM viewed.trades ORDER BY id;
-- ---------- upcasts ----------

-- only old rows are upcast, once for all columns
CREATE FUNCTION viewed.up(data jsonb) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
	RAISE NOTICE 'up: %', data;
	RETURN data || '{"venue": "unknown"}';
END $$;
SELECT register_event_upcast('trade', 1, 2, 'viewed.up(jsonb)');
SELECT schema_version, symbol, venue, size, at, data FROM viewed.trades ORDER BY id;
SELECT data, count(*) FROM viewed.trades WHERE schema_version = 2 GROUP BY 1;
-- equal documents in succession are upcast once, but again after the function has changed
INSERT INTO viewed.events (event_type, schema_version, data) VALUES ('trade', 1, '{"symbol": "old"}');
SELECT venue FROM viewed.trades WHERE schema_version = 1;
CREATE OR REPLACE FUNCTION viewed.up(data jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT data || '{"venue": "another"}' $$;
SELECT venue FROM viewed.trades WHERE schema_version = 1;
-- a function that is not immutable is called each time; a failing upcast raises an error
CREATE OR REPLACE FUNCTION viewed.up(data jsonb) RETURNS jsonb LANGUAGE sql STABLE AS $$ SELECT data || jsonb_build_object('venue', clock_timestamp()::text) $$;
DROP FUNCTION event_schema."trade@1>2"(jsonb);
SELECT register_event_upcast('trade', 1, 2, 'viewed.up(jsonb)');
SELECT count(DISTINCT venue) FROM viewed.trades WHERE schema_version = 1;
CREATE OR REPLACE FUNCTION viewed.up(data jsonb) RETURNS jsonb LANGUAGE sql STABLE AS $$ SELECT '[]'::jsonb $$;
SELECT venue FROM viewed.trades;
-- a function wrongly declared immutable: results are not kept after the query
CREATE TABLE viewed.venues (name text);
INSERT INTO viewed.venues VALUES ('first');
CREATE FUNCTION viewed.looks_up(data jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE PARALLEL SAFE
	AS $$ SELECT data || jsonb_build_object('venue', (SELECT name FROM viewed.venues), 'key', current_setting('viewed.key', true)) $$;
DROP FUNCTION event_schema."trade@1>2"(jsonb);
SELECT register_event_upcast('trade', 1, 2, 'viewed.looks_up(jsonb)');
SET viewed.key = '00000000-0000-4000-8000-000000000000';
SELECT DISTINCT venue, key FROM viewed.trades WHERE schema_version = 1;
UPDATE viewed.venues SET name = 'second';
SELECT DISTINCT venue, data ->> 'venue' AS same FROM viewed.trades WHERE schema_version = 1;
SET viewed.key = '0b4e6cd8-52f5-4b8c-8e55-4f5f7d3a9a10';
SELECT DISTINCT key, data ->> 'key' AS same FROM viewed.trades WHERE schema_version = 1;
DO $$
DECLARE
	seen text[];
BEGIN
	FOR i IN 1..2 LOOP
		seen := seen || (event_at_version('{"symbol": "old"}', 'trade', 1, 2) ->> 'venue');
		UPDATE viewed.venues SET name = name || '!';
		seen := seen || (SELECT min(venue) FROM viewed.trades WHERE schema_version = 1);
	END LOOP;
	RAISE NOTICE '%', seen;
END $$;
RESET viewed.key;
DROP FUNCTION event_schema."trade@1>2"(jsonb);
SELECT register_event_upcast('trade', 1, 2, 'viewed.up(jsonb)');

-- parallel safety of views
SELECT pg_get_viewdef('viewed.trades') ~ 'event_at_version\(' AS in_parallel;
SELECT create_event_view('trades', 'viewed.events', 'trade');
SELECT pg_get_viewdef('viewed.trades') ~ 'event_at_version\(' AS in_parallel;
DROP FUNCTION event_schema."trade@1>2"(jsonb);
SELECT create_event_view('trades', 'viewed.events', 'trade');
SELECT pg_get_viewdef('viewed.trades') ~ 'event_at_version\(' AS in_parallel;

-- ---------- dependencies of a view ----------

SELECT create_event_view('trades', 'viewed.events', 'trade', 1);
SELECT register_event_schema('trade', 3, '{"properties": {"symbol": {"type": "string"}, "venue": {"type": "string"}, "at": {"type": "string"}, "price": {"type": "number"}, "size": {"type": "number"}, "day": {}, "key": {}, "open": {}, "tags": {}, "id": {}, "data": {}}}', breaking => true);
SELECT create_event_view('trades', 'viewed.events', 'trade');
CREATE VIEW viewed.mine AS SELECT 1 AS one;
SELECT create_event_view('mine', 'viewed.events', 'trade');
SELECT create_event_view('events', 'viewed.events', 'trade');
CREATE VIEW viewed.by_hand AS SELECT id FROM viewed.events WHERE event_schema."trade@1"(data);
SELECT create_event_view('by_hand', 'viewed.events', 'trade');
SELECT create_event_view('trades', 'viewed.parts', 'trade', 2);
-- functions that read properties can be in an index
CREATE INDEX ON viewed.events (event_timestamptz(data, 'at')) WHERE event_type = 'trade';

-- operators of other roles are not used
CREATE FUNCTION viewed.equal(a regtype, b regtype) RETURNS boolean LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'I run as %', current_user; END$$;
CREATE OPERATOR viewed.= (LEFTARG = regtype, RIGHTARG = regtype, FUNCTION = viewed.equal);
CREATE FUNCTION viewed.equal(a "char", b "char") RETURNS boolean LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'I run as %', current_user; END$$;
CREATE OPERATOR viewed.= (LEFTARG = "char", RIGHTARG = "char", FUNCTION = viewed.equal);
SET search_path = viewed, pg_catalog, public;
SELECT create_event_view('trades_3', 'viewed.events', 'trade');
SELECT count(*) FROM check_event_upgrade('viewed.events', 'trade', 1, 1);
SELECT count(*) FROM audit_events('viewed.events') WHERE false;
RESET search_path;

-- ---------- errors ----------

SELECT create_event_view(NULL, 'viewed.events', 'trade');
SELECT create_event_view('a.b.c', 'viewed.events', 'trade');
SELECT create_event_view('v', 'viewed.events', 'trade', 7);
SELECT create_event_view('v', 'viewed.events', 'nobody');
SELECT create_event_view('v', 'viewed.events', 'trade', data_expr => 'dat');
SELECT create_event_view('v', 'viewed.events', 'trade', data_expr => 'id');
SELECT create_event_view('v', 'viewed.events', 'trade', data_expr => 'data) FROM viewed.events; --');
SELECT create_event_view('v', 'viewed.events', 'trade', integer_type => 'int4');
SELECT create_event_view('v', 'viewed.events_pkey', 'trade');

DROP SCHEMA viewed CASCADE;
DROP ROLE regress_viewer;
SELECT drop_event_schema(event_type, schema_version) FROM event_schemas WHERE event_type IN ('trade', 'named', 'wide', 'plain') ORDER BY event_type, schema_version;
SELECT drop_event_schema('viewed.common', 1);
