-- A published schema that is too strict: replaced by one that is proved to be wider.
SELECT register_event_schema('wide', 1, '{"type": "object", "required": ["id"], "properties": {"id": {"type": "integer", "minimum": 10}, "at": {"format": "date"}}}');
CREATE TABLE wide_events (id int, data jsonb, CHECK (check_event(data, 'wide', 1)), CHECK (event_schema."wide@1"(data) AND id > 0));
INSERT INTO wide_events VALUES (1, '{"id": 10}');
INSERT INTO wide_events VALUES (2, '{"id": 5}');

-- wider: replaced, and in force at once
SELECT widen_event_schema('wide', 1, '{"type": "object", "required": ["id"], "properties": {"id": {"type": "integer", "minimum": 1}, "at": {"format": "date"}}}');
INSERT INTO wide_events VALUES (2, '{"id": 5}');
-- the same again, and other annotations
SELECT widen_event_schema('wide', 1, '{"type": "object", "required": ["id"], "properties": {"id": {"type": "integer", "minimum": 1}, "at": {"format": "date"}}}');
SELECT widen_event_schema('wide', 1, '{"title": "Wide", "type": "object", "required": ["id"], "properties": {"id": {"type": "integer", "minimum": 1}, "at": {"format": "date"}}}');

-- not wider: strictly, with any policy; unknown is not proved
SELECT set_event_compatibility('wide', 'none');
SELECT widen_event_schema('wide', 1, '{"type": "object", "required": ["id"], "properties": {"id": {"type": "integer", "minimum": 2}, "at": {"format": "date"}}}');
SELECT widen_event_schema('wide', 1, '{"type": "object", "required": ["id"], "properties": {"id": {"type": "integer", "minimum": 1}, "at": {"format": "date"}, "new": {"type": "string"}}}');
SELECT widen_event_schema('wide', 1, '{"type": "object", "required": ["id"], "properties": {"id": {"type": "integer", "minimum": 1}, "at": {"format": "date-time"}}}');
SELECT widen_event_schema('wide', 1, 'false');
SELECT widen_event_schema('wide', 2, 'true');
SELECT widen_event_schema('wide', 1, '#breaking
true');
SELECT widen_event_schema('wide', 1, '{"type": 1}');
-- register_event_schema still refuses it, also after an error, and plain DDL what is not wider
SELECT register_event_schema('wide', 1, '{"type": "object", "required": ["id"]}');
CREATE OR REPLACE FUNCTION event_schema."wide@1"(data jsonb) RETURNS boolean LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE
	AS '{"type": "object", "required": ["id", "more"]}';
-- options are kept
SELECT register_event_schema('wide', 3, '{"format": "date", "maxLength": 5}', assert_format => false);
SELECT widen_event_schema('wide', 3, '{"format": "date-time", "maxLength": 6}');
SELECT prosrc FROM pg_proc WHERE proname = 'wide@3';

-- no object that stores answers can use it: an index with it in its expression or
-- its predicate,
CREATE INDEX wide_expression ON wide_events (event_schema."wide@1"(data));
CREATE INDEX wide_predicate ON wide_events (id) WHERE event_schema."wide@1"(data);
SELECT widen_event_schema('wide', 1, '{"type": "object", "required": ["id"]}');
DROP INDEX wide_expression, wide_predicate;
-- a generated column (but not a default, nor a view), a partition's key,
CREATE TABLE wide_generated (data jsonb, d boolean DEFAULT event_schema."wide@1"('{}'), ok boolean GENERATED ALWAYS AS (event_schema."wide@1"(data)) STORED);
CREATE VIEW wide_view AS SELECT event_schema."wide@1"(data) FROM wide_events;
CREATE TABLE wide_partitioned (data jsonb) PARTITION BY LIST (event_schema."wide@1"(data));
SELECT widen_event_schema('wide', 1, '{"type": "object", "required": ["id"]}');
DROP TABLE wide_generated, wide_partitioned;
-- any of these behind another function,
CREATE FUNCTION wide_wrapped(data jsonb) RETURNS boolean LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
	SELECT NOT event_schema."wide@1"(data);
END;
CREATE INDEX wide_behind ON wide_events (wide_wrapped(data));
SELECT widen_event_schema('wide', 1, '{"type": "object", "required": ["id"]}');
DROP INDEX wide_behind;
-- a constraint that requires the answer false
ALTER TABLE wide_events ADD CONSTRAINT negated CHECK (NOT event_schema."wide@1"(data) OR id > 0);
ALTER TABLE wide_events ADD CONSTRAINT compared CHECK (event_schema."wide@1"(data) = (id > 0));
ALTER TABLE wide_events ADD CONSTRAINT wrapped CHECK (wide_wrapped(data) OR id > 0);
ALTER TABLE wide_events ADD CONSTRAINT fine CHECK (CASE WHEN id > 1 THEN event_schema."wide@1"(data) IS TRUE ELSE true END);
CREATE DOMAIN wide_domain AS jsonb CHECK (event_schema."wide@1"(VALUE));
CREATE DOMAIN wide_not AS jsonb CHECK (event_schema."wide@1"(VALUE) IS FALSE);
SELECT widen_event_schema('wide', 1, '{"type": "object", "required": ["id"]}');
ALTER TABLE wide_events DROP CONSTRAINT negated, DROP CONSTRAINT compared, DROP CONSTRAINT wrapped;
DROP DOMAIN wide_not;
SELECT widen_event_schema('wide', 1, '{"type": "object", "required": ["id"]}');
SELECT '{"id": "x"}'::wide_domain;

-- schemas that refer to it must become wider, too, or it is not replaced
SELECT register_event_schema('wide.part', 1, '{"type": "integer"}');
SELECT register_event_schema('wide.whole', 1, '{"properties": {"a": {"$ref": "event:wide.part@1"}}}');
SELECT register_event_schema('wide.other', 1, '{"properties": {"a": {"not": {"$ref": "event:wide.part@1"}}}}');
SELECT widen_event_schema('wide.part', 1, '{"type": "number"}');
SELECT drop_event_schema('wide.other', 1);
SELECT event_schema."wide.whole@1"('{"a": 1.5}');
CREATE TABLE wide_index (data jsonb);
CREATE INDEX wide_index_whole ON wide_index (event_schema."wide.whole@1"(data));
SELECT widen_event_schema('wide.part', 1, '{"type": "number"}');
DROP INDEX wide_index_whole;
SELECT widen_event_schema('wide.part', 1, '{"type": "number"}');
SELECT event_schema."wide.whole@1"('{"a": 1.5}');

-- only for its owner
CREATE ROLE evolution_widener;
GRANT CREATE ON SCHEMA event_schema TO evolution_widener;
SET ROLE evolution_widener;
SELECT widen_event_schema('wide.part', 1, 'true');
RESET ROLE;
REVOKE CREATE ON SCHEMA event_schema FROM evolution_widener;
DROP ROLE evolution_widener;

DROP VIEW wide_view;
DROP FUNCTION wide_wrapped;
DROP TABLE wide_events, wide_index;
DROP DOMAIN wide_domain;

-- plain DDL: what is proved to be wider is accepted, under the same rules
SELECT register_event_schema('wide.plain', 1, '{"type": "object", "required": ["id"], "properties": {"id": {"type": "integer", "minimum": 1}}}');
SELECT register_event_schema('wide.refers', 1, '{"properties": {"first": {"$ref": "event:wide.plain@1"}}}');
CREATE TABLE wide_plain (data jsonb CHECK (event_schema."wide.refers@1"(data)));
INSERT INTO wide_plain VALUES ('{"first": {"id": 1}}');
INSERT INTO wide_plain VALUES ('{"first": {"id": 0}}');
CREATE INDEX wide_plain_index ON wide_plain ((event_schema."wide.refers@1"(data)));
CREATE OR REPLACE FUNCTION event_schema."wide.plain@1"(data jsonb) RETURNS boolean LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE
	AS '{"type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}}}';
DROP INDEX wide_plain_index;
SET check_function_bodies = off;
CREATE OR REPLACE FUNCTION event_schema."wide.plain@1"(data jsonb) RETURNS boolean LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE
	AS '{"type": "object", "required": ["id"], "properties": {"id": {"type": "integer", "minimum": 2}}}';
CREATE OR REPLACE FUNCTION event_schema."wide.plain@1"(data jsonb) RETURNS boolean LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE
	AS '{"type": "object", "required": ["id"], "properties": {"id": {"type": "integer", "minimum": 0}}}';
RESET check_function_bodies;
INSERT INTO wide_plain VALUES ('{"first": {"id": 0}}');
-- a schema that refers to it and would become narrower
SELECT register_event_schema('wide.negated', 1, '{"not": {"$ref": "event:wide.plain@1"}}');
CREATE OR REPLACE FUNCTION event_schema."wide.plain@1"(data jsonb) RETURNS boolean LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE
	AS '{"type": "object", "required": ["id"]}';
SELECT drop_event_schema('wide.negated', 1);
-- documents for $ref do not change, and neither does what is no schema
SELECT register_schema('https://wide.example/plain', '{"type": "integer"}');
CREATE OR REPLACE FUNCTION event_schema."https://wide.example/plain"(data jsonb) RETURNS boolean LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE AS 'true';
DROP FUNCTION event_schema."https://wide.example/plain";
CREATE OR REPLACE FUNCTION event_schema."wide.plain@1"(data jsonb) RETURNS boolean LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE AS '{"type": 7}';
-- a wider document is a new one, with all its checks
SELECT register_event_schema('wide.twice', 1, '{"required": ["a", "b"]}');
CREATE OR REPLACE FUNCTION event_schema."wide.twice@1"(data jsonb) RETURNS boolean LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE
	AS '{"required": ["a", "b"], "required": []}';
CREATE OR REPLACE FUNCTION event_schema."wide.twice@1"(data jsonb) RETURNS boolean LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE
	AS '{"required": [], "$defs": {"a": {"$anchor": "x"}, "b": {"$anchor": "x"}}}';
SELECT drop_event_schema('wide.twice', 1);

-- the commands of event_schema_ddl: a wider schema stays, a narrower one catches up, in the same transaction, too
SELECT string_agg(ddl, E'\n') AS older FROM event_schema_ddl('wide.refers') AS d (ddl) \gset
BEGIN;
SELECT widen_event_schema('wide.plain', 1, '{"type": "object"}');
:older
SELECT prosrc, provolatile FROM pg_proc WHERE proname = 'wide.plain@1';
SELECT validate_event('{}', 'wide.plain', 1), validate_event('{"first": {}}', 'wide.refers', 1);
SELECT string_agg(ddl, E'\n') AS newer FROM event_schema_ddl('wide.refers') AS d (ddl) \gset
ROLLBACK;
SELECT validate_event('{}', 'wide.plain', 1), validate_event('{"first": {}}', 'wide.refers', 1);
:newer
:newer
SELECT validate_event('{}', 'wide.plain', 1), validate_event('{"first": {}}', 'wide.refers', 1);
:older
SELECT validate_event('{}', 'wide.plain', 1), validate_event('{"first": {}}', 'wide.refers', 1);
SHOW event_validate.keep_wider_schemas;
-- one of a large body, which is stored elsewhere; what depends on it stays recorded
CREATE TEMP TABLE wide_large AS
	SELECT '{"type": "object", "properties": {' || string_agg(format('"p%s": {"$ref": "event:wide.plain@1"}', i), ',') || '}' AS body FROM generate_series(1, 3000) AS i;
SELECT register_event_schema('wide.large', 1, body || '}') FROM wide_large;
SET event_validate.keep_wider_schemas = on;
SELECT name, action FROM register_schemas('{"wide.refers@1": {"type": "string"}}');
DO $$
BEGIN
	EXECUTE (SELECT format('CREATE OR REPLACE FUNCTION event_schema."wide.large@1"(data jsonb) RETURNS boolean LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE AS %L',
		body || ', "required": ["p1"]}') FROM wide_large);
END
$$;
SELECT length(prosrc), validate_event('{}', 'wide.large', 1) FROM pg_proc WHERE proname = 'wide.large@1';
\c -
SELECT length(prosrc), validate_event('{}', 'wide.large', 1), validate_event('{"p3000": 1}', 'wide.large', 1) FROM pg_proc WHERE proname = 'wide.large@1';
DROP FUNCTION event_schema."wide.plain@1";
DROP TABLE wide_plain;
SELECT drop_event_schema('wide.large', 1), drop_event_schema('wide.refers', 1);

-- clean up
DO $$
DECLARE
	registered regprocedure;
BEGIN
	FOR registered IN SELECT oid FROM pg_proc WHERE pronamespace = 'event_schema'::regnamespace AND proname ~ '^(policy|policies|between|steps|chain|wide|wide\..*)@' ORDER BY oid DESC
	LOOP
		EXECUTE 'DROP FUNCTION ' || registered;
	END LOOP;
END
$$;
