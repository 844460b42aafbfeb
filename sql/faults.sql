-- The line and column of a fault in a schema's text; and ambiguous texts.
\set SHOW_CONTEXT never
\pset tuples_only on

\echo lines and columns, in characters
SELECT register_event_schema('fault', 1, E'{"type": "object",\n  "title": }');
SELECT register_event_schema('fault', 1, E'{"title": "größe",\n\t"größe": "é", }');
SELECT register_event_schema('fault', 1, E'{"title": "a\nb"}');
SELECT register_event_schema('fault', 1, E'{"title": "x",\r\n "\\q": 1}');
SELECT register_event_schema('fault', 1, E'{"title": [1,\n\n"x"');
SELECT register_event_schema('fault', 1, E'{} \n {}');
SELECT register_event_schema('fault', 1, E'{"maximum": 1e10, "title": "1e200000",\n "minimum":\n -1e200000}');
SELECT register_event_schema('fault', 1, E'{"minimum": -1e200000,\n "title": }');
SELECT register_event_schema('fault', 1, E'{"title": "\\u0000"}');
\echo a byte order mark by its name
SELECT register_event_schema('fault', 1, E'\uFEFF{"type": "object"}');
SELECT register_event_schema('fault', 1, E'{"type": "object"}\uFEFF');
\echo of the value at the location
SELECT register_event_schema('fault', 1, E'{"properties": {\n  "a": {"type": "string"},\n  "b": {"type": "text"}}}', assert_format => false, breaking => true);
SELECT register_event_schema('fault', 1, E'{"allOf": [{"enum": ["}", "\\"", {"a": [1]}]},\n {"properties": {"\\u00e4\\ud83d\\ude00~/": {"pattern": "["}}}]}');
SELECT register_event_schema('fault', 1, E'{"patternProperties": {\n "[": {}}}');
SELECT register_event_schema('fault', 1, E'{"title": "x",\n "properties": {"a": {"$ref": "event:nothing@1"}}}');
SELECT register_event_schema('fault', 1, E'{"title": "x",\n "required": ["x", "x"]}');
SELECT register_event_schema('fault', 1, E'{"title": "x",\n "$schema": "nothing"}');
SELECT register_schema('https://example.com/fault', E'{\n"type": 1}');
CREATE FUNCTION pg_temp.fault(jsonb) RETURNS boolean LANGUAGE jsonschema AS '
#assert_format off
{"type": "object",
 "minimum": "x"}';
CREATE FUNCTION pg_temp.fault(jsonb) RETURNS boolean LANGUAGE jsonschema AS '
#assert_format off
#nothing
{}';
\echo a jsonb has no lines
SELECT register_event_schema('fault', 1, jsonb '{"properties": {"b": {"type": "text"}}}');
\echo the first call of a schema that a restore brought
SET check_function_bodies = off;
CREATE FUNCTION pg_temp.late(jsonb) RETURNS boolean LANGUAGE jsonschema AS '{"title": "late",
 "minimum": "x"}';
RESET check_function_bodies;
SELECT pg_temp.late('1');

\echo a dialect that would take the value
SELECT register_event_schema('fault', 1, '{"items": [{"type": "string"}]}');
SELECT register_event_schema('fault', 1, '{"minimum": 1, "exclusiveMinimum": true}');
SELECT register_event_schema('fault', 1, '{"$schema": "http://json-schema.org/draft-04/schema#", "maximum": 1, "exclusiveMaximum": 1}');

\echo a key twice in an object of the text
SELECT register_event_schema('fault', 1, E'{"type": "object", "properties": {\n  "a": {}, "b": {},\n  "a": {"type": "string"}}}');
SELECT register_event_schema('fault', 1, '{"properties": {"\u0061~/": {}, "a~\/": {}}}');
SELECT register_event_schema('fault', 1, '[{"const": [{"a": 1, "b": {"a": 1}, "a": 1}]}]');
SELECT register_schema('https://example.com/fault', '{"type": "object", "type": "string"}');
CREATE FUNCTION pg_temp.fault(jsonb) RETURNS boolean LANGUAGE jsonschema AS '{"type": "object", "type": "string"}';
SELECT register_event_schema('fault', 1, E'{"a\\nERROR:  forged": 1, "a\\nERROR:  forged": 1}');
\echo not in different objects, nor in a string
SELECT register_event_schema('fault', 1, '{"title": "{\"a\": 1, \"a\": 1}", "allOf": [{"title": "x"}, {"title": "x"}], "anyOf": [{"title": "title"}]}');
SELECT register_event_schema('fault', 2, jsonb '{"type": "object", "type": "string"}', breaking => true);
SELECT * FROM event_schema_changes('fault', 1, E'{\n"type": 1}');

\echo two schemas with one $id
SELECT register_event_schema('fault', 3, '{"$id": "https://example.com/a", "$defs": {"b": {"$id": "a"}}}');
SELECT register_event_schema('fault', 3, '{"$defs": {"a": {"$id": "https://example.com/a"}, "b": {"items": {"$id": "https://example.com/a"}}}}');
SELECT register_event_schema('fault', 3, '{"$defs": {"a": {"$id": "event:fault@3"}}}');
SELECT register_event_schema('fault', 3, '{"$schema": "http://json-schema.org/draft-04/schema#", "definitions": {"a": {"id": "https://example.com/a"}, "b": {"id": "https://example.com/a#"}}}');
\echo or one anchor
SELECT register_event_schema('fault', 3, '{"$defs": {"a": {"$anchor": "x"}, "b": {"$anchor": "x"}}}');
SELECT register_event_schema('fault', 3, '{"$defs": {"a": {"$dynamicAnchor": "x"}, "b": {"$anchor": "x"}}}');
SELECT register_event_schema('fault', 3, '{"$schema": "https://json-schema.org/draft/2019-09/schema", "$anchor": "x", "not": {"$anchor": "x"}}');
SELECT register_event_schema('fault', 3, '{"$schema": "http://json-schema.org/draft-04/schema#", "definitions": {"a": {"id": "#x"}, "b": {"id": "#x"}}}');
SELECT register_event_schema('fault', 3, '{"$schema": "http://json-schema.org/draft-06/schema#", "definitions": {"a": {"$id": "#x"}, "b": {"$id": "#x"}}}');
SELECT register_event_schema('fault', 3, '{"$schema": "http://json-schema.org/draft-07/schema#", "definitions": {"a": {"$id": "#x"}, "b": {"$id": "#x"}}}');
SELECT register_schema('https://example.com/fault', '{"$defs": {"a": {"$anchor": "x"}, "b": {"$anchor": "x"}}}');
\echo not in different resources, of one schema, nor where no schema is
SELECT register_event_schema('fault', 3, '{
  "$anchor": "x", "$dynamicAnchor": "x",
  "$defs": {"a": {"$id": "https://example.com/a", "$anchor": "x"}, "b": {"$id": "https://example.com/b", "$dynamicAnchor": "x"}},
  "const": {"$id": "https://example.com/a", "$anchor": "x"},
  "enum": [{"$id": "https://example.com/a"}, {"$anchor": "x"}],
  "examples": [{"$id": "https://example.com/a"}],
  "x-other": {"$id": "https://example.com/a"},
  "properties": {"$id": {"$ref": "#/examples/0"}, "$anchor": true}}', breaking => true);
SELECT register_event_schema('fault', 4, '{"$schema": "http://json-schema.org/draft-07/schema#",
  "definitions": {"a": {"$id": "https://example.com/a", "$ref": "#/definitions/c"}, "b": {"$id": "https://example.com/a", "$ref": "#/definitions/c"},
                  "c": {"$id": "#/definitions/c"}, "d": {"$id": "#/definitions/c"}, "$anchor": {"$anchor": "x"}, "y": {"$anchor": "x"}}}');

\echo what an older release let in is restored as it was, and answers as it did
SET check_function_bodies = off;
CREATE FUNCTION event_schema."fault@5"(jsonb) RETURNS boolean LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE AS '{
  "$defs": {"a": {"$anchor": "x", "type": "string"}, "b": {"$anchor": "x", "type": "number"}, "c": {"$id": "https://example.com/c"}, "d": {"$id": "https://example.com/c"}},
  "$ref": "#x", "minLength": 9, "minLength": 2}';
RESET check_function_bodies;
SELECT validate_event('"ab"', 'fault', 5), validate_event('"a"', 'fault', 5), validate_event('12', 'fault', 5);
\echo and can be registered again
SELECT register_event_schema('fault', 5, '{
  "$defs": {"a": {"$anchor": "x", "type": "string"}, "b": {"$anchor": "x", "type": "number"}, "c": {"$id": "https://example.com/c"}, "d": {"$id": "https://example.com/c"}},
  "$ref": "#x", "minLength": 9, "minLength": 2}');
SELECT jsonb_matches_schema('{"$defs": {"a": {"$anchor": "x", "type": "string"}, "b": {"$anchor": "x"}}, "$ref": "#x"}', '1');

SELECT drop_event_schema(event_type, schema_version) FROM event_schemas WHERE event_type = 'fault';

\echo a replacement by the same document is accepted, with these too
SET check_function_bodies = off;
CREATE FUNCTION event_schema."fault@6"(jsonb) RETURNS boolean LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE AS '{"$defs": {"a": {"$anchor": "x"}, "b": {"$anchor": "x"}}, "minLength": 9, "minLength": 2}';
RESET check_function_bodies;
CREATE OR REPLACE FUNCTION event_schema."fault@6"(jsonb) RETURNS boolean LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE AS '{"$defs": {"a": {"$anchor": "x"}, "b": {"$anchor": "x"}}, "minLength": 9, "minLength": 2}';
CREATE FUNCTION event_schema."fault@7"(jsonb) RETURNS boolean LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE AS '{"$defs": {"a": {"$anchor": "x"}, "b": {"$anchor": "x"}}}';
SELECT drop_event_schema('fault', 6);
