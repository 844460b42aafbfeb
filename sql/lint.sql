-- lint_event_schema: all errors, warnings and notes about a schema; and strict registration.
\set SHOW_CONTEXT never
\pset format unaligned

\echo all errors, not the first one only; then warnings, then notes
SELECT * FROM lint_event_schema(E'{
  "type": "decimal",
  "type": "decimal",
  "minimum": "x",
  "required": ["a", "a"],
  "properties": {
    "a": {"pattern": "["},
    "b": {"$ref": "#/nowhere"},
    "c": {"$ref": "event:nothing@1"},
    "d": 5,
    "e": {"items": [{}]},
    "f": {"tpye": "string", "format": "int32", "example": 1}
  },
  "allOf": [
    {"$anchor": "x"},
    {"$anchor": "x", "maxLength": -1, "anyOf": []},
    {"$id": "https://example.com/a"},
    {"$id": "https://example.com/a", "frobnicate": 1}
  ]
}');
\echo the same without lines
SELECT * FROM lint_event_schema(jsonb '{"type": "decimal", "minimum": "x", "tpye": 1}');
\echo a schema with nothing to say
SELECT * FROM lint_event_schema('{"type": "object"}');
SELECT * FROM lint_event_schema('true');
SELECT * FROM lint_event_schema('#assert_format off
{"format": "email"}');
\echo what is no schema
SELECT * FROM lint_event_schema('{"type": ');
SELECT * FROM lint_event_schema('1');
SELECT * FROM lint_event_schema('{"$schema": "nothing", "type": 1}');
SELECT * FROM lint_event_schema('#nothing
{}');
SELECT * FROM lint_event_schema(NULL::text);
SELECT * FROM lint_event_schema(NULL::jsonb);
\echo references without end
SELECT * FROM lint_event_schema('{"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}, "c": {"$ref": "#/$defs/c"}}, "$ref": "#/$defs/a"}');
SELECT * FROM lint_event_schema('{"$defs": {"c": {"$ref": "#/$defs/c"}}}');
\echo references to other types, and a document with a fault
SELECT register_event_schema('lint.other', 1, '{"$defs": {"a": {"type": "string"}}}');
SET check_function_bodies = off;
CREATE FUNCTION event_schema."lint.other@2"(jsonb) RETURNS boolean LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE AS '{"minimum": "x", "type": 1}';
RESET check_function_bodies;
SELECT * FROM lint_event_schema('{"$ref": "lint.other@1#/$defs/a", "allOf": [{"$ref": "event:lint.other@2"}, {"$ref": "event:lint.other@2"}, {"$ref": "event:lint.other@1#/$defs/b"}, {"$ref": "event:lint.other@1#b"}]}');
\echo warnings of each rule
SELECT severity, rule, location, message FROM lint_event_schema('{
  "$id": "a", "tpye": 1, "frobnicate": 1, "additionalItems": {}, "nullable": true, "type": "object", "minLength": 1,
  "then": {}, "minProperties": 2, "maxProperties": 1, "required": ["x"], "additionalProperties": false, "format": "money",
  "$defs": {"a": {"$ref": "#/$defs/a"}, "b": {"format": "uint8", "xml": {}},
            "c": {"$id": "https://example.com/c", "$schema": "http://json-schema.org/draft-07/schema#", "properties": {"a": {"$ref": "#", "minimum": 1}}}}}');
\echo without any place left out
SELECT count(*), count(DISTINCT location) FROM lint_event_schema((SELECT jsonb_object_agg('key' || i, i) FROM generate_series(1, 1000) AS i));

\echo strict: warnings are errors
SELECT register_event_schema('lint.strict', 1, '{"tpye": 1, "allOf": [{"frobnicate": 1}, {"frobnicate": 1}]}', strict => true);
SELECT register_event_schema('lint.strict', 1, jsonb '{"tpye": 1}', strict => true);
SELECT register_event_schema('lint.strict', 1, (SELECT jsonb_object_agg('key' || i, i) FROM generate_series(1, 22) AS i), strict => true);
SELECT register_event_schema('lint.strict', 1, '{"tpye": 1}', strict => NULL);
\echo notes are not
SELECT register_event_schema('lint.strict', 1, '{"format": "int32", "example": 1, "x-team": "a"}', strict => true);
\echo what is registered already stays
SELECT register_event_schema('lint.strict', 2, '{"tpye": 1}');
SELECT register_event_schema('lint.strict', 2, '{"tpye": 1}', strict => true);
SELECT register_event_schema('lint.strict', 2, '{"tpye": 1, "title": "x"}', strict => true);
\echo strict is not a part of the schema
SELECT definition FROM event_schemas WHERE event_type = 'lint.strict' ORDER BY schema_version;
SELECT drop_event_schema(event_type, schema_version) FROM event_schemas WHERE event_type ^@ 'lint.';
