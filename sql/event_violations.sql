-- event_violations: every violation, with its location in the document and in
-- the schema.
\pset format unaligned

SELECT register_event_schema('violations', 1, '{
  "type": "object",
  "required": ["a", "b/c", "d~e"],
  "properties": {
    "a": {"type": "integer", "minimum": 10, "multipleOf": 3},
    "b/c": {"items": {"$ref": "#/$defs/small"}},
    "d~e": {"properties": {"": {"const": 1}, "x y\"z": {"enum": ["p", 2, null]}}}
  },
  "additionalProperties": false,
  "$defs": {"small": {"maximum": 1}}
}');

-- none
SELECT count(*) FROM event_violations('{"a": 12, "b/c": [0, 1], "d~e": {}}', 'violations', 1);

-- "~" and "/" are escaped in both kinds of location, an empty key is a key, and
-- the keyword's location has the $ref
SELECT * FROM event_violations('{"a": 1, "b/c": [0, 2, 3], "d~e": {"": 2, "x y\"z": "q"}, "f/~": 1}', 'violations', 1);

-- all missing properties
SELECT * FROM event_violations('{}', 'violations', 1);
SELECT * FROM event_violations('3', 'violations', 1);

-- the message of every keyword
CREATE FUNCTION pg_temp.violations(schema text, instance text)
RETURNS TABLE (instance_location text, keyword_location text, keyword text, message text)
LANGUAGE sql BEGIN ATOMIC
  SELECT v.instance_location, v.keyword_location, v.keyword, v.message FROM jsonb_schema_violations(schema::jsonb, instance::jsonb) AS v;
END;
\pset tuples_only on
\echo type
SELECT * FROM pg_temp.violations('{"type": ["integer", "string", "null"]}', '1.5');
SELECT * FROM pg_temp.violations('{"type": "boolean"}', '"true"');
\echo enum, const
SELECT * FROM pg_temp.violations('{"enum": ["a", 1, 1.0, true, null, [], {}, [1], {"b": 2}]}', '"b"');
SELECT * FROM pg_temp.violations('{"enum": []}', '1');
SELECT * FROM pg_temp.violations('{"enum": [1,2,3,4,5,6,7,8,9,10,11,12,13,14]}', '0');
SELECT * FROM pg_temp.violations('{"const": {"a": [1, 2]}}', '{"a": [2, 1]}');
\echo numbers
SELECT * FROM pg_temp.violations('{"minimum": 1.50, "exclusiveMinimum": 1, "multipleOf": 0.5}', '0.3');
SELECT * FROM pg_temp.violations('{"maximum": 1, "exclusiveMaximum": 1}', '1.0');
\echo strings
SELECT * FROM pg_temp.violations('{"minLength": 1}', '""');
SELECT * FROM pg_temp.violations('{"minLength": 2, "pattern": "^b", "format": "date"}', '"a"');
SELECT * FROM pg_temp.violations('{"maxLength": 0}', '"äö"');
\echo arrays
SELECT * FROM pg_temp.violations('{"minItems": 2, "contains": {"const": 1}}', '[0]');
SELECT * FROM pg_temp.violations('{"maxItems": 1, "uniqueItems": true}', '[0, {"a": 1}, {"a": 1.0}]');
SELECT * FROM pg_temp.violations('{"contains": {"type": "string"}, "minContains": 2, "maxContains": 3}', '["a"]');
SELECT * FROM pg_temp.violations('{"contains": {"type": "string"}, "minContains": 2, "maxContains": 3}', '["a", "b", "c", "d"]');
SELECT * FROM pg_temp.violations('{"prefixItems": [{"type": "string"}, true], "items": false}', '[1, 2, 3]');
SELECT * FROM pg_temp.violations('{"prefixItems": [true], "unevaluatedItems": false}', '[1, 2]');
\echo objects
SELECT * FROM pg_temp.violations('{"minProperties": 1}', '{}');
SELECT * FROM pg_temp.violations('{"maxProperties": 1, "propertyNames": {"pattern": "^[a-z]+$"}}', '{"a": 1, "B": 2}');
SELECT * FROM pg_temp.violations('{"propertyNames": false}', '{"a": 1}');
SELECT * FROM pg_temp.violations('{"properties": {"a": false}, "patternProperties": {"^b": false, "c$": {"type": "null"}}}', '{"a": 1, "bc": 2}');
SELECT * FROM pg_temp.violations('{"dependentRequired": {"a": ["b", "c"]}, "dependentSchemas": {"a": {"minProperties": 2}}}', '{"a": 1}');
SELECT * FROM pg_temp.violations('{"additionalProperties": {"type": "string"}}', '{"a": 1, "b": "2"}');
SELECT * FROM pg_temp.violations('{"properties": {"a": true}, "unevaluatedProperties": false}', '{"a": 1, "b": 2}');
\echo applicators
SELECT * FROM pg_temp.violations('{"allOf": [{"type": "string"}, {"minimum": 3}]}', '1');
SELECT * FROM pg_temp.violations('{"anyOf": [{"type": "string"}, {"minimum": 3, "multipleOf": 2, "maximum": 0}]}', '1');
SELECT * FROM pg_temp.violations('{"properties": {"a": {"anyOf": [{"items": {"type": "string"}}, {"maxItems": 0}]}}}', '{"a": [1]}');
SELECT * FROM pg_temp.violations('{"anyOf": [false, false]}', '1');
SELECT * FROM pg_temp.violations('{"oneOf": [{"type": "string"}, {"minimum": 3}]}', '1');
SELECT * FROM pg_temp.violations('{"oneOf": [{"type": "string"}, {"type": "number"}, {"minimum": 0}]}', '1');
SELECT * FROM pg_temp.violations('{"not": {"required": ["a"]}}', '{"a": 1, "b": 2}');
SELECT * FROM pg_temp.violations('{"if": {"required": ["a"]}, "then": {"required": ["b"]}, "else": {"required": ["c"]}}', '{"a": 1}');
SELECT * FROM pg_temp.violations('{"if": {"required": ["a"]}, "then": {"required": ["b"]}, "else": {"required": ["c"]}}', '{}');
SELECT * FROM pg_temp.violations('false', '1');
SELECT * FROM pg_temp.violations('{"items": false}', '[1]');
SELECT * FROM pg_temp.violations('{"not": true}', '1');
\echo branches within branches come to an end
SELECT * FROM pg_temp.violations('{"anyOf": [{"anyOf": [{"anyOf": [{"anyOf": [{"type": "null"}]}]}]}]}', '1');
\echo the same schema reached by two ways is two violations
SELECT * FROM pg_temp.violations('{"allOf": [{"$ref": "#/$defs/s"}, {"$ref": "#/$defs/s"}], "$defs": {"s": {"type": "string"}}}', '1');
SELECT * FROM pg_temp.violations('{"properties": {"left": {"$ref": "#"}}, "required": ["v"]}', '{"v": 1, "left": {"v": 1, "left": {}}}');
\pset tuples_only off

-- arguments: NULLs and unregistered versions are errors, as in check_event
\set VERBOSITY sqlstate
SELECT * FROM event_violations(NULL, 'violations', 1);
SELECT * FROM event_violations('{}', NULL, 1);
SELECT * FROM event_violations('{}', 'violations', NULL);
SELECT * FROM event_violations('{}', 'violations', 2);
\set VERBOSITY default

-- for each row, and in a SELECT list
SELECT e.id, v.instance_location, v.keyword
FROM (VALUES (1, '{"a": 12, "b/c": [], "d~e": {}}'::jsonb), (2, '[]'), (3, '{"a": "x"}')) AS e (id, data)
  LEFT JOIN LATERAL event_violations(e.data, 'violations', 1) AS v ON true;
SELECT (event_violations('{"a": 0}', 'violations', 1)).message;

SELECT drop_event_schema('violations', 1);
