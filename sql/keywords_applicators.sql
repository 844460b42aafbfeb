-- Applicators: allOf, anyOf, oneOf, not, if; boolean schemas.
CREATE TEMP TABLE cases (n int GENERATED ALWAYS AS IDENTITY, schema jsonb, instance jsonb, expected boolean);
INSERT INTO cases (schema, instance, expected) VALUES
  ('true', 'null', true),
  ('false', 'null', false),
  ('{}', 'null', true),
  ('{"allOf": [{"minimum": 1}, {"maximum": 3}]}', '2', true),
  ('{"allOf": [{"minimum": 1}, {"maximum": 3}]}', '4', false),
  ('{"allOf": [true, {}]}', '4', true),
  ('{"allOf": [true, false]}', '4', false),
  ('{"anyOf": [{"type": "string"}, {"minimum": 3}]}', '"a"', true),
  ('{"anyOf": [{"type": "string"}, {"minimum": 3}]}', '3', true),
  ('{"anyOf": [{"type": "string"}, {"minimum": 3}]}', '2', false),
  ('{"anyOf": [false, true]}', '2', true),
  ('{"anyOf": [false, false]}', '2', false),
  ('{"oneOf": [{"multipleOf": 2}, {"multipleOf": 3}]}', '4', true),
  ('{"oneOf": [{"multipleOf": 2}, {"multipleOf": 3}]}', '6', false),
  ('{"oneOf": [{"multipleOf": 2}, {"multipleOf": 3}]}', '5', false),
  ('{"oneOf": [true, true]}', '5', false),
  ('{"oneOf": [true, false, false]}', '5', true),
  ('{"oneOf": [{"required": ["a"]}, {"required": ["b"]}]}', '{"a": 1}', true),
  ('{"oneOf": [{"required": ["a"]}, {"required": ["b"]}]}', '{"a": 1, "b": 1}', false),
  -- branches discriminated by a constant
  ('{"oneOf": [{"properties": {"t": {"const": "a"}, "v": {"type": "integer"}}, "required": ["t"]},
               {"properties": {"t": {"const": "b"}, "v": {"type": "string"}}, "required": ["t"]}]}', '{"t": "b", "v": "x"}', true),
  ('{"oneOf": [{"properties": {"t": {"const": "a"}, "v": {"type": "integer"}}, "required": ["t"]},
               {"properties": {"t": {"const": "b"}, "v": {"type": "string"}}, "required": ["t"]}]}', '{"t": "a", "v": "x"}', false),
  ('{"oneOf": [{"properties": {"t": {"const": "a"}, "v": {"type": "integer"}}, "required": ["t"]},
               {"properties": {"t": {"const": "b"}, "v": {"type": "string"}}, "required": ["t"]}]}', '{"t": "c"}', false),
  ('{"oneOf": [{"properties": {"t": {"const": "a"}, "v": {"type": "integer"}}, "required": ["t"]},
               {"properties": {"t": {"const": "b"}, "v": {"type": "string"}}, "required": ["t"]}]}', '"t"', false),
  -- without "required" a document without the key matches both
  ('{"oneOf": [{"properties": {"t": {"const": "a"}}}, {"properties": {"t": {"const": "b"}}}]}', '{}', false),
  ('{"anyOf": [{"properties": {"t": {"const": "a"}}}, {"properties": {"t": {"const": "b"}}}]}', '{}', true),
  ('{"anyOf": [{"properties": {"t": {"const": 1}}, "required": ["t"]}, {"properties": {"t": {"const": 2}}, "required": ["t"]}]}', '{"t": 2.0}', true),
  ('{"anyOf": [{"properties": {"t": {"const": 1}}, "required": ["t"]}, {"properties": {"t": {"enum": [2, "x"]}}, "required": ["t"]}]}', '{"t": "x"}', true),
  ('{"anyOf": [{"type": "object"}, {"type": "integer"}, {"type": "null"}]}', 'null', true),
  ('{"anyOf": [{"type": "object"}, {"type": "integer"}, {"type": "null"}]}', '1.5', false),
  ('{"oneOf": [{"type": "number"}, {"type": "integer"}]}', '1', false),
  ('{"oneOf": [{"type": "number"}, {"type": "integer"}]}', '1.5', true),
  ('{"not": {"type": "integer"}}', '1', false),
  ('{"not": {"type": "integer"}}', '"1"', true),
  ('{"not": {"not": {"type": "integer"}}}', '1', true),
  ('{"not": true}', '1', false),
  ('{"not": {}}', '1', false),
  ('{"not": false}', '1', true),
  ('{"properties": {"a": {"not": {}}}}', '{"a": 1}', false),
  ('{"properties": {"a": {"not": {}}}}', '{"b": 1}', true),
  ('{"if": {"exclusiveMaximum": 0}, "then": {"minimum": -10}, "else": {"multipleOf": 2}}', '-1', true),
  ('{"if": {"exclusiveMaximum": 0}, "then": {"minimum": -10}, "else": {"multipleOf": 2}}', '-100', false),
  ('{"if": {"exclusiveMaximum": 0}, "then": {"minimum": -10}, "else": {"multipleOf": 2}}', '4', true),
  ('{"if": {"exclusiveMaximum": 0}, "then": {"minimum": -10}, "else": {"multipleOf": 2}}', '3', false),
  ('{"if": {"const": 0}}', '1', true),
  ('{"then": {"const": 0}}', '1', true),
  ('{"else": {"const": 0}}', '1', true),
  ('{"if": true, "then": {"const": 0}, "else": false}', '0', true),
  ('{"if": false, "then": false, "else": {"const": 0}}', '1', false),
  ('{"if": {"required": ["a"]}, "then": {"if": {"required": ["b"]}, "then": {"required": ["c"]}}}', '{"a": 1, "b": 1}', false),
  ('{"if": {"required": ["a"]}, "then": {"if": {"required": ["b"]}, "then": {"required": ["c"]}}}', '{"a": 1}', true),
  -- applicators are checked even if the type is wrong
  ('{"type": "string", "anyOf": [{"minLength": 2}, {"type": "integer"}]}', '1', false),
  ('{"type": "string", "not": {"minLength": 2}}', '"a"', true),
  ('{"type": ["string", "integer"], "anyOf": [{"minLength": 2}, {"minimum": 2}]}', '"a"', true);

SELECT left(schema::text, 100) AS schema, left(instance::text, 40) AS instance,
  jsonb_matches_schema(schema, instance) AS matches
FROM cases ORDER BY n;

-- answers are as expected, and the same when all violations are collected
SELECT n, schema, instance, expected FROM cases
WHERE jsonb_matches_schema(schema, instance) IS DISTINCT FROM expected
  OR EXISTS (SELECT FROM jsonb_schema_violations(schema, instance)) IS NOT DISTINCT FROM expected
ORDER BY n;
