-- event_validate.error_format: the DETAIL of a refused event as JSON; and the fields
-- that name the table and the constraint.
\pset format unaligned
\pset tuples_only on
CREATE FUNCTION pg_temp.error_of(command text, OUT state text, OUT message text, OUT detail text, OUT fields text)
LANGUAGE plpgsql AS $$
DECLARE
  schema_name text;
  table_name text;
  constraint_name text;
BEGIN
  EXECUTE command;
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL,
    schema_name = SCHEMA_NAME, table_name = TABLE_NAME, constraint_name = CONSTRAINT_NAME;
  fields := format('%s.%s %s', schema_name, table_name, constraint_name);
END
$$;
-- the objects of the DETAIL, each in a line
CREATE FUNCTION pg_temp.objects_of(command text) RETURNS SETOF jsonb
LANGUAGE sql AS $$SELECT o FROM pg_temp.error_of(command) AS e, jsonb_array_elements(e.detail::jsonb) WITH ORDINALITY AS a (o, n) ORDER BY n$$;
CREATE FUNCTION pg_temp.checked(document jsonb, type text DEFAULT 'format') RETURNS text
LANGUAGE sql AS $$SELECT format('SELECT check_event(%L, %L, 1)', document, type)$$;

SELECT register_event_schema('format', 1, '{
  "required": ["id"],
  "properties": {"id": {"type": "integer", "minimum": 1}, "side": {"enum": ["buy", "sell"]}, "note": {"type": "string", "maxLength": 3},
    "secret": {"type": "object", "minProperties": 2}, "flag": {"const": true}, "at": {"format": "date"}},
  "additionalProperties": {"type": "number"}
}');

\echo text, by default
SHOW event_validate.error_format;
SELECT state, message, detail, fields FROM pg_temp.error_of(pg_temp.checked('{"id": 0, "side": "hold"}'));
SELECT detail = '' FROM pg_temp.error_of(pg_temp.checked('{"id": 0}'));
SET event_validate.error_format = xml;
SET event_validate.error_format = json;

\echo an array, also of one
SELECT state, message, detail, fields FROM pg_temp.error_of(pg_temp.checked('{"id": 0, "side": "hold"}'));
SELECT * FROM pg_temp.objects_of(pg_temp.checked('{"side": "buy"}'));
\echo the objects are the rows of event_violations, without their NULLs
SELECT count(*), bool_and(d.o = jsonb_strip_nulls(to_jsonb(v)))
FROM pg_temp.error_of(pg_temp.checked('{"id": "1", "side": 3, "note": "abcd", "flag": false, "at": "x", "more": "y"}')) AS e,
  ROWS FROM (jsonb_array_elements(e.detail::jsonb), event_violations('{"id": "1", "side": 3, "note": "abcd", "flag": false, "at": "x", "more": "y"}', 'format', 1))
  AS d (o, instance_location, keyword_location, keyword, message, property, expected, actual),
  LATERAL (SELECT d.instance_location, d.keyword_location, d.keyword, d.message, d.property, d.expected, d.actual) AS v;
\echo no value that the message does not quote
SELECT o -> 'actual' IS NULL AS hidden, o ->> 'message' FROM pg_temp.objects_of(pg_temp.checked('{"id": 1, "secret": {"k": "s3cret"}, "more": {"k": "s3cret"}}')) AS o;
SELECT detail !~ 's3cret' AS hidden FROM pg_temp.error_of(pg_temp.checked('{"id": 1, "secret": {"k": "s3cret"}, "more": {"k": "s3cret"}}'));
SELECT length(o ->> 'actual'), right(o ->> 'actual', 5) FROM pg_temp.objects_of(pg_temp.checked(jsonb_build_object('id', 1, 'note', repeat('ü', 300)))) AS o;
SELECT register_event_schema('format.false', 1, '{"additionalProperties": false}');
SELECT * FROM pg_temp.objects_of(pg_temp.checked('{"b": false, "n": null, "q": true}', 'format.false'));

\echo keys that would forge, steer or hide
SELECT o ->> 'instance_location' = '/' || replace(replace(key, '~', '~0'), '/', '~1') AS same, e.detail !~ '[\x01-\x1f\x7f]' AND position(U&'\2028' IN e.detail) = 0 AS escaped
FROM (VALUES (1, E'a\n'), (2, E'\x1b[31m'), (3, U&'\2028'), (4, U&'\0085'), (5, U&'\202e'), (6, 'a"b'), (7, 'a\b'), (8, '"}]'), (9, 'x/y~z'), (10, ''), (11, ': '), (12, U&'tag\+0E0041')) AS k (n, key),
  LATERAL pg_temp.error_of(pg_temp.checked(jsonb_build_object('id', 1, key, E'v"\n\\' || key))) AS e, LATERAL jsonb_array_elements(e.detail::jsonb) AS o ORDER BY n;
SELECT o ->> 'instance_location' FROM pg_temp.objects_of(pg_temp.checked(jsonb_build_object('id', 1, repeat('k', 70), true))) AS o;
SELECT o ->> 'property' FROM pg_temp.objects_of(pg_temp.checked(jsonb_build_object(repeat('p', 70), true), 'format.false')) AS o;

\echo many violations: ten, and the number of the others
SELECT jsonb_array_length(detail::jsonb), detail::jsonb -> -1, octet_length(detail) < 8192
FROM pg_temp.error_of(pg_temp.checked((SELECT jsonb_object_agg('k' || i, 'v') || '{"id": 1}' FROM generate_series(1, 250) AS i)));
SELECT jsonb_array_length(detail::jsonb), detail::jsonb -> -1 FROM pg_temp.error_of(pg_temp.checked((SELECT jsonb_object_agg('k' || i, 'v') || '{"id": 1}' FROM generate_series(1, 10) AS i)));
\echo long ones: as many as fit
SELECT register_event_schema('format.deep', 1, '{"additionalProperties": {"$ref": "#"}, "type": "object"}');
SELECT jsonb_array_length(detail::jsonb), (detail::jsonb -> -1 ->> 'left_out')::int, octet_length(detail) <= 8192
FROM pg_temp.error_of(pg_temp.checked((SELECT jsonb_object_agg(i, (repeat('{"' || repeat('k', 60) || '": ', d) || '1' || repeat('}', d))::jsonb) FROM generate_series(1, 5) AS i, (VALUES (20)) AS v (d)), 'format.deep'));
SELECT detail FROM pg_temp.error_of(pg_temp.checked((repeat('{"' || repeat('k', 60) || '": ', 200) || '1' || repeat('}', 200))::jsonb, 'format.deep'));

\echo other reasons
SELECT state, message, detail, fields FROM pg_temp.error_of($$SELECT check_event('1', 'format', 9)$$);
SELECT state, detail, fields FROM pg_temp.error_of($$SELECT check_event('1', E'no\n"such', 1, 'named')$$);
SELECT state, detail FROM pg_temp.error_of($$SELECT check_event(NULL, 'format', 1)$$);
SELECT state, detail FROM pg_temp.error_of($$SELECT check_event('1', NULL, 1)$$);
SELECT state, detail FROM pg_temp.error_of($$SELECT check_event('1', 'format', NULL)$$);
\echo errors that refuse no event have none
SELECT state, detail = '' FROM pg_temp.error_of($$SELECT * FROM event_violations('1', 'format', 9)$$);

\echo show_values off: keywords only
SET event_validate.show_values = off;
SELECT * FROM pg_temp.objects_of(pg_temp.checked('{"side": "s3cret", "s3cret": "s3cret"}'));
RESET event_validate.show_values;

\echo guards: the constraint that they stand before
CREATE SCHEMA error_format;
CREATE TABLE error_format.events (id int PRIMARY KEY, event_type text DEFAULT 'format', schema_version int DEFAULT 1, data jsonb, other jsonb);
SELECT add_event_guard('error_format.events', 'enforce');
SELECT fields FROM pg_temp.error_of('INSERT INTO error_format.events (id, data) VALUES (1, ''{"id": 0}'')');
ALTER TABLE error_format.events ADD CONSTRAINT a_other CHECK (check_event(other, event_type, schema_version)),
  ADD CONSTRAINT b_types CHECK ((event_type = ANY ('{x,y}')) IS NOT TRUE OR check_event(data, event_type, schema_version)),
  ADD CONSTRAINT c_same CHECK (check_event(data, event_type, schema_version, 'd'));
SELECT fields, detail FROM pg_temp.error_of('INSERT INTO error_format.events (id, data) VALUES (1, ''{"id": 0}'')');
SELECT fields FROM pg_temp.error_of('INSERT INTO error_format.events (id, event_type, data) VALUES (1, ''x'', ''{"id": 0}'')');
SELECT fields FROM pg_temp.error_of('INSERT INTO error_format.events (id, event_type, data) VALUES (1, NULL, ''{"id": 0}'')');
SELECT fields FROM pg_temp.error_of('INSERT INTO error_format.events (id) VALUES (1)');
SELECT drop_event_guard('error_format.events');
ALTER TABLE error_format.events DROP CONSTRAINT c_same, DROP CONSTRAINT b_types, DROP CONSTRAINT a_other;
\echo with expressions, other types and a schema function
CREATE TABLE error_format.enveloped (id int, kind varchar(20), version smallint, envelope json,
  CONSTRAINT enveloped CHECK (check_event(envelope -> 'data', kind, version, 'enveloped')));
SELECT add_event_guard('error_format.enveloped', 'enforce', 'envelope -> ''data''', 'kind', 'version');
SELECT state, fields FROM pg_temp.error_of('INSERT INTO error_format.enveloped VALUES (1, ''format'', 1, ''{"data": {"id": 0}}'')');
SELECT state, detail, fields FROM pg_temp.error_of('INSERT INTO error_format.enveloped VALUES (1, ''format'', 1, ''{"data": "\u0000"}'')');
CREATE TABLE error_format.single (data jsonb, CONSTRAINT by_function CHECK (event_schema."format@1"(data)));
SELECT add_event_guard('error_format.single', 'enforce', 'data', '''format''', '1');
SELECT fields FROM pg_temp.error_of('INSERT INTO error_format.single VALUES (''{"id": 0}'')');
\echo partitions, whose columns are elsewhere
CREATE TABLE error_format.parted (id int, dropped int, data jsonb, event_type text DEFAULT 'format', schema_version int DEFAULT 1,
  CONSTRAINT parted_event CHECK (check_event(data, event_type, schema_version))) PARTITION BY LIST (id);
ALTER TABLE error_format.parted DROP COLUMN dropped;
CREATE TABLE error_format.part PARTITION OF error_format.parted FOR VALUES IN (1);
SELECT add_event_guard('error_format.parted', 'enforce');
SELECT fields FROM pg_temp.error_of('INSERT INTO error_format.parted VALUES (1, ''{"id": 0}'')');
\echo from a CHECK, the table is not known
SELECT fields FROM pg_temp.error_of('ALTER TABLE error_format.parted DISABLE TRIGGER ALL; INSERT INTO error_format.parted VALUES (1, ''{"id": 0}'')');
\echo the modes: the DETAIL of a warning is JSON, that of the first row; the quarantine does not depend on the format
SELECT add_event_guard('error_format.events', 'warn');
INSERT INTO error_format.events (id, data) VALUES (1, '{"id": 0, "side": 3}');
\set VERBOSITY default
INSERT INTO error_format.events (id, data) VALUES (3, '{"id": -3}'), (4, '{"id": -4}');
INSERT INTO error_format.events (id, event_type, data) VALUES (5, 'format.missing', '{}'), (6, NULL, '{}');
\echo a row that is moved: what the DETAIL says otherwise is the HINT
SELECT set_event_guard_mode('error_format.events', 'quarantine');
WITH gone AS (DELETE FROM error_format.events WHERE id = 3 RETURNING *) SELECT count(*) FROM gone \;
INSERT INTO error_format.events (id, data) VALUES (3, '{"id": -3}');
SET event_validate.error_format = text;
BEGIN;
DELETE FROM error_format.events WHERE id = 4;
INSERT INTO error_format.events (id, data) VALUES (4, '{"id": -4}');
COMMIT;
SET event_validate.error_format = json;
DELETE FROM error_format.events WHERE id > 1;
DELETE FROM event_schema.quarantine WHERE "row" ->> 'id' <> '1';
SELECT set_event_guard_mode('error_format.events', 'quarantine');
INSERT INTO error_format.events (id, data) VALUES (2, '{"id": 0, "note": "abcdefgh"}');
SELECT kept, jsonb_array_length(violations), violations -> 0 FROM event_quarantine ORDER BY id;
\echo and an update is refused
UPDATE error_format.events SET data = '{"id": -1}' WHERE id = 1;
\echo a row that its sender may not see
CREATE ROLE regress_error_format;
GRANT USAGE ON SCHEMA error_format TO regress_error_format;
GRANT SELECT (id), UPDATE (other) ON error_format.events TO regress_error_format;
SET ROLE regress_error_format;
UPDATE error_format.events SET other = '1';
\echo a role has its own format
SET event_validate.error_format = text;
UPDATE error_format.events SET other = '1';
RESET ROLE;
\echo no answer depends on it
SELECT validate_event('{"id": 0}', 'format', 1), (SELECT count(*) FROM event_violations('{"id": 0}', 'format', 1));
SET client_min_messages = warning;
DROP SCHEMA error_format CASCADE;
DELETE FROM event_schema.quarantine;
DROP ROLE regress_error_format;
SELECT drop_event_schema('format', 1), drop_event_schema('format.false', 1), drop_event_schema('format.deep', 1);
