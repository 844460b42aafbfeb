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

\echo one warning for each kind, the probable slips of the fingers first, with the count and the first places
SELECT register_event_schema('warn.kinds', 1, jsonb_build_object(
  'allOf', jsonb_agg('{"frobnicate": 1, "minimum": 2, "maximum": 1, "format": "money"}'::jsonb || CASE WHEN i > 5 THEN jsonb '{"tpye": "object"}' ELSE '{}' END),
  'required', jsonb_agg('p' || i), 'additionalProperties', false))
FROM generate_series(1, 7) AS i;
SELECT drop_event_schema('warn.kinds', 1);
\echo very many kinds: the rest is one warning for each rule
SELECT register_event_schema('warn.kinds', 1, '{"tpye": 1, "then": {}}'::jsonb || jsonb_object_agg('key' || i, i)) FROM generate_series(1, 30) AS i;
SELECT drop_event_schema('warn.kinds', 1);
\echo OpenAPI: formats of its registry and keywords that only describe are known; "nullable" is not what it was
SELECT pg_temp.warn('{"example": 1, "externalDocs": {"url": "https://example.com"}, "xml": {"name": "a"}, "discriminator": {"propertyName": "a"}, "nullable": false}');
SELECT pg_temp.warn(jsonb_build_object('anyOf', jsonb_agg(jsonb_build_object('format', format)))::text)
FROM unnest('{base64url,binary,byte,char,commonmark,date-time-local,decimal,decimal128,double,double-int,float,html,http-date,imf-fixdate,int8,int16,int32,int64,media-range,password,sf-binary,sf-boolean,sf-decimal,sf-integer,sf-string,sf-token,templated-url,time-local,uint8,uint16,uint32,uint64}'::text[]) AS format;
SELECT jsonb_matches_schema('{"format": "int32"}', '"x"'), jsonb_matches_schema('{"format": "int32"}', '1e20'), jsonb_matches_schema('{"format": "byte"}', '"%"');
SELECT pg_temp.warn('{"properties": {"a": {"type": "string", "nullable": true}}}');
\echo the same where only a reference leads
SELECT pg_temp.warn('{"$ref": "#/components/schemas/a", "components": {"schemas": {"a": {"type": "string", "nullable": true, "example": "x", "tpye": 1, "format": "int32"}}}}');
\echo keys of others are escaped: no line is forged
SELECT pg_temp.warn(E'{"a\\nWARNING:  forged\\u001b[31m\\"/~": 1, "properties": {"\\nERROR:  forged": {"tpye": 1, "format": "\\r\\n", "required": ["\\n"], "additionalProperties": false}}}');
SELECT pg_temp.warn(format('{"%s": 1}', repeat('x', 300)));
\echo a relative $id, and nothing that it is relative to
SELECT pg_temp.warn('{"$id": "order.json", "$defs": {"a": {"$id": "item.json"}, "b": {"$id": "https://example.com/b", "$defs": {"c": {"$id": "c"}}}}}');
SELECT pg_temp.warn('{"$schema": "http://json-schema.org/draft-07/schema#", "definitions": {"a": {"$id": "#a"}, "b": {"$id": "b.json", "$ref": "#a"}}}');
SELECT pg_temp.warn('{"$id": "https://example.com/order", "$defs": {"a": {"$id": "item"}}}');
SELECT register_event_schema('warn.relative', 1, '{"$id": "order.json"}');
SELECT drop_event_schema('warn.relative', 1);
SELECT register_schema('https://example.com/warn', '{"$id": "order.json"}');
DROP FUNCTION event_schema."https://example.com/warn";
\echo definitions that refer to themselves without end: refused only where something leads to them
SELECT pg_temp.warn('{"$defs": {"a": {"$ref": "#/$defs/a"}}}');
SELECT pg_temp.warn('{"$defs": {"a": {"allOf": [{"$ref": "#/$defs/b"}]}, "b": {"anyOf": [{"type": "string"}, {"not": {"$ref": "#/$defs/a"}}]}, "c": {"$ref": "#/$defs/a"}}}');
SELECT pg_temp.warn('{"$defs": {"a": {"dependentSchemas": {"x": {"if": {"$ref": "#/$defs/a"}}}}, "tree": {"properties": {"child": {"$ref": "#/$defs/tree"}}}}}');
SELECT pg_temp.warn('{"$schema": "http://json-schema.org/draft-07/schema#", "definitions": {"a": {"$ref": "#/definitions/b", "allOf": [{"$ref": "#/definitions/a"}]}, "b": true}}');
SELECT pg_temp.warn('{"$defs": {"a": {"$ref": "#/$defs/a"}}, "properties": {"x": {"$ref": "#/$defs/a"}}}');
