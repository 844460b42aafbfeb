-- Keys and values in errors, WARNINGs and reports: one line for each violation,
-- whatever the keys are; the structured columns; the fields of errors.
\pset format unaligned
\pset tuples_only on
CREATE FUNCTION pg_temp.error_of(command text, OUT message text, OUT detail text, OUT hint text, OUT context text,
  OUT object_fields text)
LANGUAGE plpgsql AS $$
DECLARE
  schema_name text;
  table_name text;
  constraint_name text;
BEGIN
  EXECUTE command;
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT,
    context = PG_EXCEPTION_CONTEXT, schema_name = SCHEMA_NAME, table_name = TABLE_NAME, constraint_name = CONSTRAINT_NAME;
  context := substring(context FROM '^row of[^\n]*');
  object_fields := format('%s.%s %s', schema_name, table_name, constraint_name);
END
$$;

\echo keys that would forge a line, steer a terminal or hide
SELECT register_event_schema('texts', 1, '{"additionalProperties": {"type": "number"}}');
SELECT n, message FROM (VALUES (1, E'a\n/price: fake'), (2, E'\x1b[31mred'), (3, U&'line\2028 para\2029 '), (4, U&'c1\0085\009b\007f'),
    (5, U&'\202eltr\2066\200f\061c'), (6, U&'zero\200bwidth\feff\00ad'), (7, U&'joined\200demoji\fe0f'), (8, 'a: b'), (9, 'a:b c'), (10, 'quo"te'),
    (11, 'back\slash'), (12, '~tilde/slash'), (13, ''), (14, '(document)'), (15, '"quoted"'), (16, 'and 3 more'), (17, U&'tag\+0E0041'), (18, ': '), (19, ':'),
    (20, repeat('k', 70)), (21, repeat('k', 63) || '~k'), (22, E'\t\b\f\r')) AS k (n, key),
  LATERAL pg_temp.error_of(format('SELECT check_event(%L, ''texts'', 1)', jsonb_build_object(key, true))) ORDER BY n;
\echo several: one line each
SELECT detail FROM pg_temp.error_of(format('SELECT check_event(%L, ''texts'', 1)', jsonb_build_object(E'a\n/price: fake', true, 'b', E'x\n/y: z')));
\echo columns have the JSON Pointer itself; words have it escaped
SELECT instance_location = E'/a\nb' AS pointer, message FROM event_violations(jsonb_build_object(E'a\nb', U&'v\2028\202e'), 'texts', 1);
SELECT message FROM jsonb_schema_violations(jsonb_build_object('required', jsonb_build_array(E'a\nb'), 'propertyNames', '{"maxLength": 1}'::jsonb, 'const', jsonb_build_object(U&'\0085', U&'\2028')),
  jsonb_build_object(U&'\009b1', 1));
SELECT message FROM jsonb_schema_violations(jsonb_build_object('pattern', E'^\n\x1b' || U&'\2028$'), '"x"');
\echo no schema, and types that are no names
SELECT message, hint FROM pg_temp.error_of($$SELECT check_event('1', E'no\nsuch: type"', 1)$$);
\echo not a schema
SELECT message FROM pg_temp.error_of($$SELECT register_event_schema('texts.wrong', 1, '{"properties": {"a\n: b": {"minimum": "\u2028"}}}')$$);
SELECT register_event_schema('texts.lint', 1, '{"properties": {"a\nb": {"requried\u202e": 1}}}');

\echo the structured columns
CREATE FUNCTION pg_temp.facts(schema text, instance text) RETURNS TABLE (line text)
LANGUAGE sql BEGIN ATOMIC
  SELECT concat_ws(' | ', v.instance_location, v.keyword, coalesce(v.property, '-'), coalesce(v.expected::text, '-'), coalesce(v.actual::text, '-'))
  FROM jsonb_schema_violations(schema::jsonb, instance::jsonb) AS v;
END;
SELECT pg_temp.facts('{"type": "string"}', '5');
SELECT pg_temp.facts('{"type": ["integer", "null", "boolean"]}', '1.5');
SELECT pg_temp.facts('{"enum": ["b", 1, null, {"a": [1]}]}', '"c"');
SELECT pg_temp.facts('{"enum": ["b", "a"]}', 'null');
SELECT pg_temp.facts('{"const": {"a": [1]}}', '[]');
SELECT pg_temp.facts('{"minimum": 1.50, "exclusiveMinimum": 1, "multipleOf": 0.5}', '0.3');
SELECT pg_temp.facts('{"maximum": 1, "exclusiveMaximum": 1}', '2');
SELECT pg_temp.facts('{"minLength": 2, "pattern": "^b", "format": "date"}', '"a"');
SELECT pg_temp.facts('{"maxLength": 0}', '"a"');
SELECT pg_temp.facts('{"minItems": 2, "contains": {"const": 1}}', '[0]');
SELECT pg_temp.facts('{"maxItems": 1, "uniqueItems": true, "contains": {"const": 1}, "minContains": 0, "maxContains": 1}', '[1, 1.0]');
SELECT pg_temp.facts('{"minProperties": 3, "required": ["b", "a"]}', '{"c": 1}');
SELECT pg_temp.facts('{"maxProperties": 0, "propertyNames": {"pattern": "^x"}}', '{"c": 1}');
SELECT pg_temp.facts('{"properties": {"a": false, "b": true}, "additionalProperties": false}', '{"a": 1, "b": 2, "c": {"d": null}}');
SELECT pg_temp.facts('{"unevaluatedProperties": false, "dependentRequired": {"a": ["b"]}}', '{"a": 1}');
SELECT pg_temp.facts('{"prefixItems": [true], "items": false}', '[1, 2]');
SELECT pg_temp.facts('{"not": {}}', '1');
SELECT pg_temp.facts('{"anyOf": [{"required": ["a"]}, {"required": ["b"]}]}', '{}');
SELECT pg_temp.facts('{"anyOf": [{"type": "string"}, {"type": "null"}]}', '{}');
SELECT pg_temp.facts('{"oneOf": [{"type": "object", "required": ["k"], "properties": {"k": {"const": "a"}}}, {"type": "object", "required": ["k"], "properties": {"k": {"const": "b"}}}]}', i)
FROM (VALUES ('{"k": "c"}'), ('{"k": [1]}'), ('{}')) AS v (i);
SELECT pg_temp.facts('{"oneOf": [{"properties": {"k": {"const": "a"}}}, {"properties": {"k": {"const": 2}}}]}', '{"k": "c"}');
SELECT pg_temp.facts('{"$schema": "http://json-schema.org/draft-07/schema#", "contentEncoding": "base64"}', '"%"');
\echo they are cut: strings at 256 characters, arrays and objects at 1 kB
SELECT length(expected #>> '{}'), length(actual #>> '{}'), right(actual #>> '{}', 5) FROM jsonb_schema_violations(jsonb_build_object('const', repeat('c', 300)), to_jsonb(repeat('ü', 300)));
SELECT actual IS NULL, expected IS NULL FROM jsonb_schema_violations('{"maxItems": 1}', to_jsonb(array_fill(1, ARRAY[300])));
SELECT actual IS NULL, message ~ '\.\.\.$' FROM jsonb_schema_violations('{"type": "string"}', ('1' || repeat('0', 2000))::jsonb);
SELECT jsonb_array_length(expected) BETWEEN 1 AND 128 AS cut, pg_column_size(expected) < 1200 FROM jsonb_schema_violations(jsonb_build_object('enum', (SELECT jsonb_agg('value' || i) FROM generate_series(1, 1000) AS i)), '1');
\echo NULL arguments have none
SELECT message, property, expected, actual FROM event_violations(NULL, 'texts', 1);
\echo reports have them, too
SELECT register_event_schema('texts.report', 1, '{"required": ["a", "b"], "properties": {"c": {"type": "string"}}}');
SELECT jsonb_path_query(event_report('{"c": 1}', 'texts.report', 1, 'basic'), '$.errors[*]') - 'absoluteKeywordLocation';
SELECT jsonb_path_query(event_report('{"c": 1}', 'texts.report', 1, 'list'), '$.details[*].facts');

\echo from a guard: SCHEMA NAME, TABLE NAME, the key of the row
CREATE SCHEMA error_texts;
CREATE TABLE error_texts.events (id int, shard text, secret text, event_type text DEFAULT 'texts', schema_version int DEFAULT 1, data jsonb, PRIMARY KEY (shard, id));
SELECT add_event_guard('error_texts.events', 'enforce');
SELECT message, detail, context, object_fields FROM pg_temp.error_of($$INSERT INTO error_texts.events (id, shard, data) VALUES (7, E'eu\n1', '{"a": "x"}')$$);
SELECT context, object_fields FROM pg_temp.error_of($$INSERT INTO error_texts.events (id, shard, data, schema_version) VALUES (7, repeat('s', 70), '{"a": 1}', 2)$$);
SELECT message, context, object_fields FROM pg_temp.error_of($$INSERT INTO error_texts.events (id, shard, data) VALUES (7, 'eu', NULL)$$);
SELECT context FROM pg_temp.error_of($$INSERT INTO error_texts.events (shard, data) VALUES ('eu', '{"a": "x"}')$$);
\echo shown to roles that may read it
CREATE ROLE regress_texts;
GRANT USAGE ON SCHEMA error_texts TO regress_texts;
GRANT INSERT, SELECT (shard) ON error_texts.events TO regress_texts;
SET ROLE regress_texts;
SELECT context FROM pg_temp.error_of($$INSERT INTO error_texts.events (id, shard, data) VALUES (7, 'eu', '{"a": "x"}')$$);
RESET ROLE;
GRANT SELECT (id) ON error_texts.events TO regress_texts;
SET ROLE regress_texts;
SELECT context FROM pg_temp.error_of($$INSERT INTO error_texts.events (id, shard, data) VALUES (7, 'eu', '{"a": "x"}')$$);
RESET ROLE;
ALTER TABLE error_texts.events ENABLE ROW LEVEL SECURITY;
CREATE POLICY all_rows ON error_texts.events USING (true);
SET ROLE regress_texts;
SELECT context FROM pg_temp.error_of($$INSERT INTO error_texts.events (id, shard, data) VALUES (7, 'eu', '{"a": "x"}')$$);
RESET ROLE;
\echo a partition: the key is read by way of the whole table
CREATE TABLE error_texts.parted (id int PRIMARY KEY, event_type text DEFAULT 'texts', schema_version int DEFAULT 1, data jsonb) PARTITION BY RANGE (id);
CREATE TABLE error_texts.part_1 PARTITION OF error_texts.parted FOR VALUES FROM (0) TO (10);
SELECT add_event_guard('error_texts.parted', 'enforce');
GRANT INSERT, SELECT ON error_texts.parted TO regress_texts;
SET ROLE regress_texts;
SELECT context, object_fields FROM pg_temp.error_of($$INSERT INTO error_texts.parted (id, data) VALUES (3, '{"a": "x"}')$$);
RESET ROLE;
\echo no key
CREATE TABLE error_texts.keyless (id int GENERATED ALWAYS AS IDENTITY, event_type text DEFAULT 'texts', schema_version int DEFAULT 1, data jsonb);
SELECT add_event_guard('error_texts.keyless', 'enforce');
SELECT context, object_fields FROM pg_temp.error_of($$INSERT INTO error_texts.keyless (data) VALUES ('{"a": "x"}')$$);
\echo a WARNING, and the quarantine
SELECT set_event_guard_mode('error_texts.keyless', 'quarantine');
INSERT INTO error_texts.keyless (data) VALUES (jsonb_build_object(E'a\nb', true));
SELECT jsonb_path_query(violations, '$[*]') - 'keyword_location' FROM event_quarantine WHERE relation_name = 'keyless';
SELECT set_event_guard_mode('error_texts.events', 'warn');
\set SHOW_CONTEXT always
INSERT INTO error_texts.events (id, shard, data) VALUES (8, 'us', jsonb_build_object(E'a\nb', true));
\set SHOW_CONTEXT errors
\echo a CHECK knows neither table nor row
CREATE TABLE error_texts.checked (id int PRIMARY KEY, data jsonb CONSTRAINT checked_data CHECK (check_event(data, 'texts', 1)), other jsonb CHECK (check_event(other, 'texts', 1, 'mine')));
SELECT message, context, object_fields FROM pg_temp.error_of($$INSERT INTO error_texts.checked (id, data) VALUES (1, '{"a": "x"}')$$);
SELECT object_fields FROM pg_temp.error_of($$INSERT INTO error_texts.checked (id, data, other) VALUES (1, '{}', '{"a": "x"}')$$);
\echo audits
CREATE TABLE error_texts.audited (id text PRIMARY KEY, event_type text DEFAULT 'texts', schema_version int DEFAULT 1, data jsonb);
INSERT INTO error_texts.audited (id, data) VALUES (E'1\n2', jsonb_build_object(E'a\n/b: c', U&'x\2028'));
SELECT add_event_check('error_texts.audited');
SELECT message, detail FROM pg_temp.error_of($$SELECT validate_event_check('error_texts.audited')$$);

SET client_min_messages = warning;
DROP SCHEMA error_texts CASCADE;
TRUNCATE event_schema.quarantine;
RESET client_min_messages;
DROP ROLE regress_texts;
SELECT drop_event_schema('texts', 1), drop_event_schema('texts.lint', 1), drop_event_schema('texts.report', 1);
