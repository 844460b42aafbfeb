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
-- plain DDL and register_event_schema still refuse it, also after an error
SELECT register_event_schema('wide', 1, '{"type": "object", "required": ["id"]}');
CREATE OR REPLACE FUNCTION event_schema."wide@1"(data jsonb) RETURNS boolean LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE
	AS '{"type": "object", "required": ["id"]}';
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
