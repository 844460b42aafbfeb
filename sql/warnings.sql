-- Warnings of registration: valid schemas that are probably mistakes.
\set SHOW_CONTEXT never
CREATE FUNCTION pg_temp.warn(definition text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('CREATE OR REPLACE FUNCTION pg_temp.warned(data jsonb) RETURNS boolean LANGUAGE jsonschema AS %L', definition);
END
$$;
\pset tuples_only on

\echo unknown keywords, with the nearest known one
SELECT pg_temp.warn('{"requried": ["a"]}');
SELECT pg_temp.warn('{"properties": {"a": {"tpye": "string"}, "b": {"items": {"maxlength": 3}}}}');
SELECT pg_temp.warn('{"additonalProperties": false, "additionalproperties": false}');
SELECT pg_temp.warn('{"frobnicate": true}');
SELECT pg_temp.warn('{"$defs": {"a/b": {"minItem": 1}}}');
\echo keywords of other drafts
SELECT pg_temp.warn('{"$schema": "http://json-schema.org/draft-07/schema#", "dependentRequired": {}, "prefixItems": []}');
SELECT pg_temp.warn('{"additionalItems": false}');
SELECT pg_temp.warn('{"id": "https://example.com/x"}');
\echo none for extensions by convention, nor for names of properties
SELECT pg_temp.warn('{"x-team": "orders", "properties": {"requried": {"type": "string"}}, "enum": [{"tpye": 1}], "const": {"tpye": 1}, "examples": [{"tpye": 1}], "default": {"tpye": 1}}');
SELECT pg_temp.warn('{"title": "a", "description": "b", "$comment": "c", "deprecated": true, "readOnly": true, "writeOnly": true}');
\echo registration warns, a restore does not
SELECT register_event_schema('warned', 1, '{"requried": ["a"]}');
SELECT register_event_schema('warned', 1, '{"requried": ["a"]}');
SET check_function_bodies = off;
CREATE FUNCTION event_schema."warned@2"(data jsonb) RETURNS boolean LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE AS '{"requried": ["a"]}';
RESET check_function_bodies;
\echo and the keyword is an annotation
SELECT validate_event('{}', 'warned', 1);
SELECT drop_event_schema('warned', 1), drop_event_schema('warned', 2);

-- thousands of the same mistake do not give thousands of warnings
SELECT register_event_schema('warn.many', 1, jsonb_build_object('allOf', jsonb_agg('{"requried": []}'::jsonb))) FROM generate_series(1, 30);
-- annotations are known in every dialect
SELECT register_event_schema('warn.older', 1, '{"$schema": "http://json-schema.org/draft-07/schema#", "deprecated": true}');
SELECT drop_event_schema(event_type, schema_version) FROM event_schemas WHERE event_type IN ('warn.many', 'warn.older');
-- a dialect whose URI is misspelled
SELECT register_event_schema('warn.dialect', 1, jsonb_build_object('$schema', uri))
FROM (VALUES ('https://json-schema.org/draft-07/schema#')) AS u (uri);
SELECT register_event_schema('warn.dialect', 1, '{"$schema": "http://json-schema.org/schema#"}');
-- swapped letters
SELECT register_event_schema('warn.swapped', 1, '{"tpye": "object", "itmes": {}, "propetries": {}, "eunm": [1], "ytpe": 1, "typo": 1, "epyt": 1}');
SELECT drop_event_schema('warn.swapped', 1);
