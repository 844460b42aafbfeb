-- CREATE FUNCTION ... LANGUAGE jsonschema: accepted definitions, and errors with
-- their location.
CREATE FUNCTION money(data jsonb) RETURNS boolean LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE AS '
{
  "type": "object",
  "required": ["currency", "amount"],
  "properties": {"currency": {"enum": ["EUR", "USD"]}, "amount": {"type": "number", "multipleOf": 0.01}}
}';
\pset null NULL
SELECT data, money(data) FROM (VALUES
  ('{"currency": "EUR", "amount": 12.34}'::jsonb), ('{"currency": "EUR", "amount": 12.345}'), ('{}'), (NULL)) AS v (data);
\pset null ''
-- outside event_schema a replacement can be another document
CREATE OR REPLACE FUNCTION money(data jsonb) RETURNS boolean LANGUAGE jsonschema AS '{"type": "array"}';
SELECT money('[]'), money('{}');
DROP FUNCTION money;

-- errors in a body
CREATE FUNCTION pg_temp.fault(body text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  detail text;
  hint text;
BEGIN
  EXECUTE format('CREATE OR REPLACE FUNCTION pg_temp.faulty(data jsonb) RETURNS boolean LANGUAGE jsonschema AS %L', body);
  RETURN 'none';
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
  RETURN concat_ws(E'\n', SQLSTATE || ' ' || SQLERRM, 'DETAIL: ' || nullif(detail, ''), 'HINT: ' || nullif(hint, ''));
END
$$;
\pset format unaligned
\pset tuples_only on
\pset recordsep '\n'

\echo no schema at all
SELECT body || E'\n' || pg_temp.fault(body) FROM unnest(ARRAY['null', '1', '"a"', '[]', '[{}]']) AS body;

\echo every keyword has the values that it may have
SELECT v.body || ': ' || pg_temp.fault(v.body) FROM unnest(ARRAY[
  '{"type": 1}', '{"type": "intger"}', '{"type": []}', '{"type": ["string", null]}', '{"type": ["string", "strin"]}',
  '{"type": ["string", "string"]}',
  '{"enum": {}}', '{"minimum": "1"}', '{"maximum": null}', '{"exclusiveMinimum": true}', '{"exclusiveMaximum": []}',
  '{"multipleOf": 0}', '{"multipleOf": -1}', '{"multipleOf": "1"}',
  '{"minLength": -1}', '{"maxLength": 1.5}', '{"maxLength": "1"}', '{"maxLength": 2.0}', '{"minItems": 1e2}',
  '{"pattern": 1}', '{"pattern": "("}', '{"pattern": "\\p{Nonsense}"}', '{"pattern": "[b-a]"}', '{"pattern": "a{2,1}"}',
  '{"format": 1}', '{"uniqueItems": "yes"}',
  '{"required": "a"}', '{"required": [1]}', '{"required": ["a", "a"]}', '{"required": []}',
  '{"properties": []}', '{"properties": {"a": 1}}', '{"properties": {"a/b~c": {"items": {"type": 1}}}}',
  '{"patternProperties": {"(": true}}', '{"additionalProperties": 1}', '{"propertyNames": []}',
  '{"dependentRequired": {"a": "b"}}', '{"dependentRequired": {"a": [1]}}', '{"dependentSchemas": {"a": ["b"]}}',
  '{"items": [{}]}', '{"prefixItems": {}}', '{"prefixItems": []}', '{"prefixItems": [true, 1]}', '{"contains": 1}',
  '{"minContains": -1}', '{"allOf": []}', '{"anyOf": {}}', '{"oneOf": [1]}', '{"not": 1}', '{"if": 1}',
  '{"unevaluatedItems": 1}', '{"unevaluatedProperties": "no"}',
  '{"title": 1}', '{"description": {}}', '{"deprecated": "yes"}', '{"examples": {}}', '{"readOnly": 1}',
  '{"$comment": 1}', '{"$defs": []}', '{"$defs": {"a": {"type": "x"}}}',
  '{"$schema": 1}', '{"$schema": "https://example.com/unknown"}', '{"$id": 1}', '{"$id": "#fragment"}',
  '{"$anchor": 1}', '{"$ref": 1}', '{"$ref": "#/$defs/a"}', '{"$ref": "#a"}', '{"$ref": "event:none@1"}',
  '{"$ref": "https://example.com/none"}', '{"$dynamicRef": "#none"}', '{"$vocabulary": []}']) WITH ORDINALITY AS v (body, n)
ORDER BY n;

\echo bodies that are not JSON
SELECT pg_temp.fault('');
SELECT pg_temp.fault(' ');
SELECT split_part(pg_temp.fault('{"type": "string",}'), E'\n', 1);
SELECT split_part(pg_temp.fault('{"type": "string"} x'), E'\n', 1);
SELECT split_part(pg_temp.fault('{type: "string"}'), E'\n', 1);
SELECT split_part(pg_temp.fault('{"const": "\ud800"}'), E'\n', 1);
SELECT split_part(pg_temp.fault('{"const": "\u0000"}'), E'\n', 1);

\echo pragma lines
SELECT pg_temp.fault(E'#assert_format off\n{"format": "date"}');
SELECT pg_temp.faulty('"tomorrow"');
SELECT pg_temp.fault(E'\n  #assert_format on\r\n\t#breaking\n\n{"format": "date"}');
SELECT pg_temp.faulty('"tomorrow"');
SELECT pg_temp.fault(E'#assert_format\n{}');
SELECT pg_temp.fault(E'#assert_format maybe\n{}');
SELECT pg_temp.fault(E'#assert_format off on\n{}');
SELECT pg_temp.fault(E'#breaking off\n{}');
SELECT pg_temp.fault(E'#unknown\n{}');
SELECT pg_temp.fault(E'#\n{}');
SELECT pg_temp.fault('#assert_format off');
SELECT split_part(pg_temp.fault(E'{}\n#assert_format off'), E'\n', 1);

\echo what no option can change
\set VERBOSITY default
\pset tuples_only off
CREATE FUNCTION pg_temp.refused(data jsonb) RETURNS boolean LANGUAGE jsonschema STRICT AS 'true';
CREATE FUNCTION pg_temp.refused(data jsonb) RETURNS boolean LANGUAGE jsonschema SECURITY DEFINER AS 'true';
CREATE FUNCTION pg_temp.refused(data jsonb) RETURNS boolean LANGUAGE jsonschema SET work_mem = '1MB' AS 'true';
CREATE FUNCTION pg_temp.refused(data jsonb) RETURNS SETOF boolean LANGUAGE jsonschema AS 'true';
CREATE FUNCTION pg_temp.refused(data json) RETURNS boolean LANGUAGE jsonschema AS 'true';
CREATE FUNCTION pg_temp.refused(data jsonb) RETURNS text LANGUAGE jsonschema AS 'true';
CREATE FUNCTION pg_temp.refused(data jsonb, more jsonb) RETURNS boolean LANGUAGE jsonschema AS 'true';
CREATE FUNCTION pg_temp.refused() RETURNS boolean LANGUAGE jsonschema AS 'true';
CREATE FUNCTION pg_temp.refused(data jsonb DEFAULT '{}') RETURNS boolean LANGUAGE jsonschema AS 'true';
CREATE PROCEDURE pg_temp.refused(data jsonb) LANGUAGE jsonschema AS 'true';
CREATE FUNCTION pg_temp.refused() RETURNS trigger LANGUAGE jsonschema AS 'true';
DO LANGUAGE jsonschema 'true';

-- names in event_schema
CREATE FUNCTION event_schema.plain(data jsonb) RETURNS boolean LANGUAGE jsonschema AS 'true';
CREATE FUNCTION event_schema."a@01"(data jsonb) RETURNS boolean LANGUAGE jsonschema AS 'true';
CREATE FUNCTION event_schema."a@2147483648"(data jsonb) RETURNS boolean LANGUAGE jsonschema AS 'true';
CREATE FUNCTION event_schema."a@-1"(data jsonb) RETURNS boolean LANGUAGE jsonschema AS 'true';
CREATE FUNCTION event_schema."@1"(data jsonb) RETURNS boolean LANGUAGE jsonschema AS 'true';
CREATE FUNCTION event_schema."a@1>2"(data jsonb) RETURNS boolean LANGUAGE jsonschema AS 'true';
CREATE FUNCTION event_schema."nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn@1"(data jsonb) RETURNS boolean LANGUAGE jsonschema AS 'true';
-- the server truncates a longer name before the extension can see it
CREATE FUNCTION event_schema."nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn@12"(data jsonb) RETURNS boolean LANGUAGE jsonschema AS 'true';

-- CREATE FUNCTION does the same as register_event_schema
CREATE FUNCTION event_schema."by.hand@1"(data jsonb) RETURNS boolean LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE AS '{"type": "object"}';
SELECT register_event_schema('by.hand', 1, '{"type":"object"}');
SELECT validate_event('{}', 'by.hand', 1), validate_event('[]', 'by.hand', 1);
CREATE OR REPLACE FUNCTION event_schema."by.hand@1"(data jsonb) RETURNS boolean LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE AS '{"type": "array"}';
CREATE OR REPLACE FUNCTION event_schema."by.hand@1"(data jsonb) RETURNS boolean LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE AS '{"type": "object", "title": "By hand"}';
SELECT title FROM event_schemas WHERE event_type = 'by.hand';
DROP FUNCTION event_schema."by.hand@1";
-- JSON that jsonb cannot represent
SELECT register_event_schema('huge', 1, '{"const": 1e400000}');
SELECT register_event_schema('nul', 1, '{"const": "\u0000"}');
