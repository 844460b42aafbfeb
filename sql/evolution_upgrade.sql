-- check_event_upgrade: stored events of one version validated as another version.
SELECT set_event_compatibility('upgrade', 'none');
SELECT register_event_schema('upgrade', 1, '{"type": "object"}'), register_event_schema('upgrade', 2, '{"required": ["n"], "properties": {"n": {"type": "integer"}, "tags": {"items": {"maxLength": 2}}}}'),
	register_event_schema('upgrade', 3, '{"required": ["m"], "properties": {"m": {"minimum": 0}}}'), register_event_schema('upgrade', 4, '{"required": ["m", "x"]}');
CREATE TABLE upgrades (id int PRIMARY KEY, event_type text, schema_version int, data jsonb);
INSERT INTO upgrades SELECT i, 'upgrade', 1, jsonb_build_object('n', CASE i % 10 WHEN 3 THEN to_jsonb('x'::text) ELSE to_jsonb(i - 5) END) FROM generate_series(1, 100) AS i;
INSERT INTO upgrades VALUES (101, 'upgrade', 1, '{}'), (102, 'upgrade', 1, '{"n": 1, "tags": ["a", "abc", "abcd"]}'), (103, 'upgrade', 1, '{"n": 1, "tags": ["abc"]}'),
	(104, 'upgrade', 2, '{}'), (105, 'another', 1, '{}'), (106, 'upgrade', 1, NULL), (107, NULL, 1, '{}'), (108, 'upgrade', NULL, '{}');
-- long locations are cut, first the keys in them
BEGIN;
SELECT set_event_compatibility('upgrade.long', 'none');
SELECT register_event_schema('upgrade.long', 1, '{}'), register_event_schema('upgrade.long', 2, '{"additionalProperties": {"$ref": "#"}, "type": "object"}');
INSERT INTO upgrades VALUES (201, 'upgrade.long', 1, jsonb_build_object(repeat('k', 64), 1, repeat('l', 65), 2, repeat('l', 64) || '~/', 3));
INSERT INTO upgrades SELECT 202, 'upgrade.long', 1, (repeat('{"aaaaaaaaa":', 100) || '1' || repeat('}', 100))::jsonb;
INSERT INTO upgrades SELECT 203, 'upgrade.long', 1, (repeat('{"aaaaaaaaa":', 101) || '1' || repeat('}', 101))::jsonb;
INSERT INTO upgrades SELECT 204, 'upgrade.long', 1, (repeat('{"aaaaaaaaa":', 102) || '1' || repeat('}', 102))::jsonb;
SELECT length(instance_location), right(instance_location, 16) AS location, rows, violations, sample_ids FROM check_event_upgrade('upgrades', 'upgrade.long', 1, 2);
UPDATE upgrades SET schema_version = 2 WHERE event_type = 'upgrade.long';
SELECT length(instance_location), right(instance_location, 16) AS location, rows, violations, sample_ids FROM audit_events('upgrades') WHERE event_type = 'upgrade.long' ORDER BY 1, 2;
ROLLBACK;

-- without an upcast: unchanged
\set VERBOSITY terse
SELECT sample_ids FROM check_event_upgrade('upgrades', 'upgrade', 1, 2) WHERE violations = 1 ORDER BY 1;
SELECT instance_location, keyword, message, rows, violations, cardinality(sample_ids) AS samples FROM check_event_upgrade('upgrades', 'upgrade', 1, 2);
SELECT instance_location, keyword, message, rows, violations, cardinality(sample_ids) AS samples FROM check_event_upgrade('upgrades', 'upgrade', 2, 1);
SELECT instance_location, keyword, message, rows, violations, cardinality(sample_ids) AS samples FROM check_event_upgrade('upgrades', 'upgrade', 1, 1);
SELECT instance_location, keyword, message, rows, violations, cardinality(sample_ids) AS samples FROM check_event_upgrade('upgrades', 'upgrade', 1, 5);
SELECT instance_location, keyword, message, rows, violations, cardinality(sample_ids) AS samples FROM check_event_upgrade('upgrades', 'upgrade', 0, 2);
SELECT instance_location, keyword, message, rows, violations, cardinality(sample_ids) AS samples FROM check_event_upgrade('upgrades', 'upgrade', NULL, 2);
SELECT instance_location, keyword, message, rows, violations, cardinality(sample_ids) AS samples FROM check_event_upgrade('upgrades_pkey', 'upgrade', 1, 2);
SELECT instance_location, keyword, message, rows, violations, cardinality(sample_ids) AS samples FROM check_event_upgrade('upgrades', 'upgrade', 1, 2, 'nope');

-- with upcasts: their errors, and invalid results of a step
CREATE FUNCTION to_2(jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$SELECT CASE WHEN $1->>'n' = 'x' THEN $1 || '{"n": 7}' ELSE $1 END$$;
CREATE FUNCTION to_3(event jsonb) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
	IF (event->>'n')::int % 20 = 0 THEN
		RAISE EXCEPTION 'no event with %', event->>'n';
	ELSIF (event->>'n')::int % 20 = 1 THEN
		RETURN NULL;
	END IF;
	RETURN jsonb_build_object('m', 100 / ((event->>'n')::int - 2));
END
$$;
SELECT register_event_upcast('upgrade', 1, 2, 'to_2(jsonb)'), register_event_upcast('upgrade', 2, 3, 'to_3(jsonb)');
SELECT instance_location, keyword, message, rows, violations, cardinality(sample_ids) AS samples FROM check_event_upgrade('upgrades', 'upgrade', 1, 2);
SELECT instance_location, keyword, message, rows, violations, cardinality(sample_ids) AS samples FROM check_event_upgrade('upgrades', 'upgrade', 1, 3);
SELECT instance_location, keyword, message, rows, violations, cardinality(sample_ids) AS samples FROM check_event_upgrade('upgrades', 'upgrade', 2, 3);
-- upcasts for a part of the path
SELECT instance_location, keyword, message, rows, violations, cardinality(sample_ids) AS samples FROM check_event_upgrade('upgrades', 'upgrade', 1, 4);

-- other columns, other kinds of relations, text that is not JSON
CREATE TYPE upgrade_kind AS ENUM ('upgrade', 'another');
CREATE TABLE upgrade_texts (kind upgrade_kind, version bigint, body text) PARTITION BY LIST (version);
CREATE TABLE upgrade_texts_1 PARTITION OF upgrade_texts FOR VALUES IN (1);
CREATE TABLE upgrade_texts_2 PARTITION OF upgrade_texts DEFAULT;
INSERT INTO upgrade_texts VALUES ('upgrade', 1, '{"n": 5}'), ('upgrade', 1, '{"n": '), ('upgrade', 1, '{"n": "\u0000"}'), ('upgrade', 2, 'none'), ('upgrade', 8589934593, 'none'), ('another', 1, 'none');
SELECT instance_location, keyword, message, rows, violations, cardinality(sample_ids) AS samples FROM check_event_upgrade('upgrade_texts', 'upgrade', 1, 2, 'body', 'kind', 'version');
SELECT instance_location, keyword, message, rows, violations, cardinality(sample_ids) AS samples FROM check_event_upgrade('upgrade_texts', 'upgrade', 2, 1, 'body', 'kind', 'version');
CREATE VIEW upgrade_view AS SELECT body::jsonb AS data FROM upgrade_texts_1 WHERE body LIKE '%5%';
SELECT instance_location, keyword, message, rows, violations, cardinality(sample_ids) AS samples FROM check_event_upgrade('upgrade_view', 'upgrade', 1, 3, type_expr => $$'upgrade'$$, version_expr => '1');
SELECT instance_location, keyword, message, rows, violations, cardinality(sample_ids) AS samples FROM check_event_upgrade('upgrade_view', 'upgrade', 1, 4, type_expr => $$'upgrade'$$, version_expr => '1');

-- a constant of an upcast, where a later event makes the upcast anew
SELECT set_event_compatibility('upgrade.const', 'none'), register_event_schema('upgrade.const', 1, '{}'), register_event_schema('upgrade.const', 2, '{"required": ["missing"]}');
CREATE SEQUENCE upgrade_plans;
CREATE FUNCTION upgrade_planned() RETURNS jsonb LANGUAGE plpgsql IMMUTABLE AS $$
	BEGIN RETURN jsonb_build_object('k', repeat('x', CASE nextval('public.upgrade_plans') WHEN 1 THEN 40000000 ELSE 1 END)); END $$;
CREATE FUNCTION upgrade_const(data jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
	SELECT CASE WHEN data ? 'boom' AND 1 / (data->>'boom')::int = 1 THEN data ELSE public.upgrade_planned() END $$;
SELECT register_event_upcast('upgrade.const', 1, 2, 'upgrade_const(jsonb)');
CREATE TABLE upgrade_consts (id int PRIMARY KEY, event_type text, schema_version int, data jsonb);
INSERT INTO upgrade_consts VALUES (1, 'upgrade.const', 1, '{}'), (2, 'upgrade.const', 1, '{"boom": 0}'), (3, 'upgrade.const', 1, '{}');
ALTER SEQUENCE upgrade_plans RESTART;
SELECT * FROM check_event_upgrade('upgrade_consts', 'upgrade.const', 1, 2);
DROP TABLE upgrade_consts;
SELECT drop_event_upcast('upgrade.const', 1, 2);
SELECT last_value FROM upgrade_plans;
DROP FUNCTION upgrade_const, upgrade_planned;
DROP SEQUENCE upgrade_plans;

-- errors that are not caused by events are raised
CREATE ROLE regress_upgrade;
REVOKE EXECUTE ON FUNCTION to_3 FROM PUBLIC;
GRANT SELECT ON upgrades TO regress_upgrade;
SET ROLE regress_upgrade;
SELECT count(*) FROM check_event_upgrade('upgrades', 'upgrade', 1, 2);
SELECT count(*) FROM check_event_upgrade('upgrades', 'upgrade', 1, 3);
RESET ROLE;
REVOKE EXECUTE ON FUNCTION event_schema."upgrade@2>3" FROM PUBLIC;
SET ROLE regress_upgrade;
SELECT count(*) FROM check_event_upgrade('upgrades', 'upgrade', 1, 3);
SELECT count(*) FROM check_event_upgrade('upgrade_texts', 'upgrade', 1, 3, 'body', 'kind', 'version');
RESET ROLE;
-- all rows or none
ALTER TABLE upgrades ENABLE ROW LEVEL SECURITY;
SET ROLE regress_upgrade;
SELECT count(*) FROM check_event_upgrade('upgrades', 'upgrade', 1, 2);
RESET ROLE;
DROP OWNED BY regress_upgrade;
DROP ROLE regress_upgrade;
DROP VIEW upgrade_view;
DROP TABLE upgrades, upgrade_texts;
DROP FUNCTION event_schema."upgrade@1>2", event_schema."upgrade@2>3", event_schema."upgrade@compatibility";
SELECT count(drop_event_schema('upgrade', v)) FROM generate_series(1, 4) AS v;
DROP FUNCTION to_2, to_3;
DROP TYPE upgrade_kind;

-- a schema that is replaced while events are upcast to it
CREATE FUNCTION meddle(data jsonb) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
BEGIN
	ALTER FUNCTION event_schema."upgrade@3" COST 101;
	ALTER FUNCTION event_schema."upgrade@2" COST 101;
	PERFORM public.validate_event('1', 'another', 1);
	RETURN data;
END $$;
SELECT register_event_schema('another', 1, '{}');
SELECT set_event_compatibility('upgrade', 'none');
SELECT register_event_schema('upgrade', v::int, schema) FROM unnest(ARRAY['{}', '{"required": ["b"]}', '{"required": ["c"]}']) WITH ORDINALITY AS s (schema, v) ORDER BY v;
CREATE FUNCTION event_schema."upgrade@1>2"(data jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE BEGIN ATOMIC SELECT meddle(data); END;
ALTER FUNCTION meddle(jsonb) VOLATILE;
SELECT k.* FROM unnest((SELECT _event_validate.event_upgrade_kinds(data, data::text, 'upgrade', 1, 3) FROM unnest(ARRAY[jsonb '{}', '{"b": 1}', '{"b": 1, "c": 1}']) AS data)) AS k;
CREATE TABLE upgrades (event_type text, schema_version int, data jsonb);
INSERT INTO upgrades VALUES ('upgrade', 1, '{}'), ('upgrade', 1, '{"b": 1}'), ('upgrade', 1, '{}');
SELECT keyword, message, violations FROM check_event_upgrade('upgrades', 'upgrade', 1, 3);
SELECT keyword, message, violations FROM check_event_upgrade('upgrades', 'upgrade', 1, 2);
CALL migrate_events('upgrades', 'upgrade', 2);
SELECT * FROM upgrades ORDER BY data;
DROP TABLE upgrades;
DROP FUNCTION event_schema."upgrade@1>2", event_schema."upgrade@compatibility";
DROP FUNCTION meddle;
SELECT count(drop_event_schema('upgrade', v)) FROM generate_series(1, 3) AS v;
SELECT drop_event_schema('another', 1);

-- the name of a kind has the head of a message, which takes time linear in it
CREATE FUNCTION long_message(jsonb) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE AS
	$$ BEGIN RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = repeat('a ', 2500000); END $$;
SELECT register_event_schema('long_message', v, '{"type": "object"}') FROM generate_series(1, 2) AS v;
SELECT register_event_upcast('long_message', 1, 2, 'long_message(jsonb)');
CREATE TABLE long_messages (event_type text, schema_version int, data jsonb);
INSERT INTO long_messages VALUES ('long_message', 1, '{}');
SET statement_timeout = '60s';
SELECT keyword, violations FROM check_event_upgrade('long_messages', 'long_message', 1, 2);
RESET statement_timeout;
DROP TABLE long_messages;
DROP FUNCTION long_message CASCADE;
SELECT count(drop_event_schema('long_message', v)) FROM generate_series(1, 2) AS v;
