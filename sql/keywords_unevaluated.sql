-- unevaluatedProperties and unevaluatedItems: for children that no other keyword of the
-- same schema, or of schemas applied in place, has evaluated.
CREATE TEMP TABLE cases (n int GENERATED ALWAYS AS IDENTITY, schema jsonb, instance jsonb, expected boolean);
INSERT INTO cases (schema, instance, expected) VALUES
  ('{"unevaluatedProperties": false}', '{}', true),
  ('{"unevaluatedProperties": false}', '{"a": 1}', false),
  ('{"unevaluatedProperties": {"type": "integer"}}', '{"a": 1}', true),
  ('{"unevaluatedProperties": {"type": "integer"}}', '{"a": "b"}', false),
  ('{"unevaluatedProperties": true}', '{"a": 1}', true),
  ('{"unevaluatedProperties": false}', '[1]', true),
  ('{"properties": {"a": true}, "patternProperties": {"^x": true}, "unevaluatedProperties": false}', '{"a": 1, "xy": 2}', true),
  ('{"properties": {"a": true}, "patternProperties": {"^x": true}, "unevaluatedProperties": false}', '{"a": 1, "y": 2}', false),
  ('{"additionalProperties": true, "unevaluatedProperties": false}', '{"a": 1}', true),
  ('{"allOf": [{"properties": {"a": true}}], "properties": {"b": true}, "unevaluatedProperties": false}', '{"a": 1, "b": 2}', true),
  ('{"allOf": [{"properties": {"a": true}}], "properties": {"b": true}, "unevaluatedProperties": false}', '{"a": 1, "c": 2}', false),
  -- additionalProperties considers only keywords of the same schema object
  ('{"allOf": [{"properties": {"a": true}}], "additionalProperties": false}', '{"a": 1}', false),
  -- branches count if they match
  ('{"anyOf": [{"properties": {"a": true}, "required": ["a"]}, {"properties": {"b": true}, "required": ["b"]}], "unevaluatedProperties": false}', '{"a": 1}', true),
  ('{"anyOf": [{"properties": {"a": true}, "required": ["a"]}, {"properties": {"b": true}, "required": ["b"]}], "unevaluatedProperties": false}', '{"a": 1, "b": 1}', true),
  ('{"anyOf": [{"properties": {"a": true}, "required": ["a"]}, {"properties": {"b": {"const": 2}}, "required": ["b"]}], "unevaluatedProperties": false}', '{"a": 1, "b": 1}', false),
  ('{"oneOf": [{"properties": {"a": true}, "required": ["a"]}, {"properties": {"b": true}, "required": ["b"]}], "unevaluatedProperties": false}', '{"b": 1}', true),
  ('{"oneOf": [{"properties": {"a": true}, "required": ["a"]}, {"properties": {"b": true}, "required": ["b"]}], "unevaluatedProperties": false}', '{"b": 1, "c": 1}', false),
  ('{"not": {"not": {"properties": {"a": true}}}, "unevaluatedProperties": false}', '{"a": 1}', false),
  ('{"if": {"properties": {"t": {"const": 1}}, "required": ["t"]}, "then": {"properties": {"a": true}}, "else": {"properties": {"b": true}}, "unevaluatedProperties": false}', '{"t": 1, "a": 1}', true),
  ('{"if": {"properties": {"t": {"const": 1}}, "required": ["t"]}, "then": {"properties": {"a": true}}, "else": {"properties": {"b": true}}, "unevaluatedProperties": false}', '{"b": 1}', true),
  ('{"if": {"properties": {"t": {"const": 1}}, "required": ["t"]}, "then": {"properties": {"a": true}}, "else": {"properties": {"b": true}}, "unevaluatedProperties": false}', '{"t": 2, "b": 1}', false),
  ('{"dependentSchemas": {"a": {"properties": {"b": true}}}, "properties": {"a": true}, "unevaluatedProperties": false}', '{"a": 1, "b": 1}', true),
  ('{"dependentSchemas": {"a": {"properties": {"b": true}}}, "properties": {"a": true}, "unevaluatedProperties": false}', '{"b": 1}', false),
  ('{"$ref": "#/$defs/base", "properties": {"b": true}, "unevaluatedProperties": false, "$defs": {"base": {"properties": {"a": true}}}}', '{"a": 1, "b": 1}', true),
  ('{"$ref": "#/$defs/base", "properties": {"b": true}, "unevaluatedProperties": false, "$defs": {"base": {"properties": {"a": true}}}}', '{"a": 1, "c": 1}', false),
  -- children evaluated by an inner unevaluatedProperties count for the outer one
  ('{"allOf": [{"properties": {"a": true}, "unevaluatedProperties": {"type": "integer"}}], "unevaluatedProperties": false}', '{"a": 1, "b": 1}', true),
  -- cousins do not count for each other
  ('{"allOf": [{"properties": {"a": true}}, {"unevaluatedProperties": false}]}', '{"a": 1}', false),
  -- each object separately
  ('{"properties": {"o": {"properties": {"a": true}}}, "unevaluatedProperties": false}', '{"o": {"b": 1}}', true),
  ('{"properties": {"o": {"properties": {"a": true}, "unevaluatedProperties": false}}}', '{"o": {"b": 1}}', false),
  -- items
  ('{"unevaluatedItems": false}', '[]', true),
  ('{"unevaluatedItems": false}', '[1]', false),
  ('{"prefixItems": [true, true], "unevaluatedItems": false}', '[1, 2]', true),
  ('{"prefixItems": [true, true], "unevaluatedItems": false}', '[1, 2, 3]', false),
  ('{"prefixItems": [true], "items": true, "unevaluatedItems": false}', '[1, 2, 3]', true),
  ('{"contains": {"type": "string"}, "unevaluatedItems": {"type": "integer"}}', '["a", 1, "b"]', true),
  ('{"contains": {"type": "string"}, "unevaluatedItems": {"type": "integer"}}', '["a", null]', false),
  ('{"allOf": [{"prefixItems": [true]}], "prefixItems": [true, true], "unevaluatedItems": {"type": "integer"}}', '["a", "b", "c"]', false),
  ('{"anyOf": [{"prefixItems": [{"const": 1}, true]}, {"prefixItems": [true, true, {"const": 3}]}], "unevaluatedItems": false}', '[2, 2, 3]', true),
  ('{"anyOf": [{"prefixItems": [{"const": 1}, true]}, {"prefixItems": [true, true, {"const": 3}]}], "unevaluatedItems": false}', '[1, 2, 4]', false),
  -- 2019-09: contains does not count
  ('{"$schema": "https://json-schema.org/draft/2019-09/schema", "contains": {"type": "string"}, "unevaluatedItems": {"type": "integer"}}', '["a", 1]', false),
  ('{"$schema": "https://json-schema.org/draft/2019-09/schema", "items": [{"type": "string"}], "unevaluatedItems": {"type": "integer"}}', '["a", 1]', true);
-- more children than fit into one word of bits
INSERT INTO cases (schema, instance, expected)
SELECT jsonb_build_object('anyOf', jsonb_build_array(
      jsonb_build_object('patternProperties', jsonb_build_object('^a', true)),
      jsonb_build_object('patternProperties', jsonb_build_object('^b', true), 'required', jsonb_build_array('missing'))),
    'unevaluatedProperties', false),
  (SELECT jsonb_object_agg(CASE WHEN k = wrong THEN 'b' ELSE 'a' END || k, k) FROM generate_series(1, n) AS k), wrong = 0
FROM (VALUES (64, 0), (64, 64), (65, 65), (512, 0), (513, 0), (513, 513), (2000, 0), (2000, 1234)) AS v (n, wrong);

SELECT left(schema::text, 100) AS schema, left(instance::text, 40) AS instance,
  jsonb_matches_schema(schema, instance) AS matches
FROM cases ORDER BY n;

-- answers are as expected, and the same when all violations are collected
SELECT n, schema, instance, expected FROM cases
WHERE jsonb_matches_schema(schema, instance) IS DISTINCT FROM expected
  OR EXISTS (SELECT FROM jsonb_schema_violations(schema, instance)) IS NOT DISTINCT FROM expected
ORDER BY n;
