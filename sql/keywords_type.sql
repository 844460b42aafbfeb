-- The keywords for any type: type, enum, const.
CREATE TEMP TABLE cases (n int GENERATED ALWAYS AS IDENTITY, schema jsonb, instance jsonb, expected boolean);
INSERT INTO cases (schema, instance, expected)
SELECT jsonb_build_object('type', type), instance::jsonb, coalesce(type = ANY (types), false)
FROM unnest(ARRAY['null', 'boolean', 'object', 'array', 'number', 'string', 'integer']) WITH ORDINALITY AS t (type, nt),
  (VALUES
    (1, 'null', ARRAY['null']), (2, 'true', ARRAY['boolean']), (3, 'false', ARRAY['boolean']),
    (4, '{}', ARRAY['object']), (5, '{"type": "null"}', ARRAY['object']),
    (6, '[]', ARRAY['array']), (7, '[null]', ARRAY['array']),
    (8, '0', ARRAY['number', 'integer']), (9, '1.0', ARRAY['number', 'integer']), (10, '1.5', ARRAY['number']),
    (11, '""', ARRAY['string']), (12, '"null"', ARRAY['string'])) AS i (ni, instance, types)
ORDER BY nt, ni;
INSERT INTO cases (schema, instance, expected) VALUES
  ('{"type": ["integer", "null"]}', '1.5', false),
  ('{"type": ["integer", "null"]}', 'null', true),
  ('{"type": ["integer", "number"]}', '1.5', true),
  ('{"type": ["string"]}', '"a"', true),
  ('{"type": ["object", "array"]}', '[]', true),
  ('{"type": ["object", "array"]}', '""', false),
  -- enum
  ('{"enum": ["a", "b", ""]}', '"b"', true),
  ('{"enum": ["a", "b", ""]}', '""', true),
  ('{"enum": ["a", "b", ""]}', '"ab"', false),
  ('{"enum": ["a", "b", ""]}', '"A"', false),
  ('{"enum": ["ä"]}', '"ä"', true),
  -- equal-looking letters differ, composed or not
  ('{"enum": ["\u00e4"]}', '"a\u0308"', false),
  ('{"enum": [1, "a", null, true, [1, 2], {"a": {"b": 1}}]}', '"a"', true),
  ('{"enum": [1, "a", null, true, [1, 2], {"a": {"b": 1}}]}', '1.0', true),
  ('{"enum": [1, "a", null, true, [1, 2], {"a": {"b": 1}}]}', 'null', true),
  ('{"enum": [1, "a", null, true, [1, 2], {"a": {"b": 1}}]}', 'true', true),
  ('{"enum": [1, "a", null, true, [1, 2], {"a": {"b": 1}}]}', 'false', false),
  ('{"enum": [1, "a", null, true, [1, 2], {"a": {"b": 1}}]}', '"null"', false),
  ('{"enum": [1, "a", null, true, [1, 2], {"a": {"b": 1}}]}', '[1.0, 2.00]', true),
  ('{"enum": [1, "a", null, true, [1, 2], {"a": {"b": 1}}]}', '[2, 1]', false),
  ('{"enum": [1, "a", null, true, [1, 2], {"a": {"b": 1}}]}', '[1]', false),
  ('{"enum": [1, "a", null, true, [1, 2], {"a": {"b": 1}}]}', '[1, 2, 3]', false),
  ('{"enum": [1, "a", null, true, [1, 2], {"a": {"b": 1}}]}', '{"a": {"b": 1e0}}', true),
  ('{"enum": [1, "a", null, true, [1, 2], {"a": {"b": 1}}]}', '{"a": {"b": 1, "c": 1}}', false),
  ('{"enum": []}', 'null', false),
  -- const: numbers are compared by value; values of different types are never equal
  ('{"const": 2}', '2.000', true),
  ('{"const": 2.0}', '2', true),
  ('{"const": 2}', '"2"', false),
  ('{"const": 0}', 'false', false),
  ('{"const": false}', '0', false),
  ('{"const": [false]}', '[0]', false),
  ('{"const": {"a": false}}', '{"a": 0}', false),
  ('{"const": 0}', '-0.0', true),
  ('{"const": null}', 'null', true),
  ('{"const": null}', '{}', false),
  ('{"const": {"a": 1, "b": 2}}', '{"b": 2, "a": 1.0}', true),
  ('{"const": {}}', '[]', false),
  ('{"const": []}', '{}', false),
  ('{"const": "a\u0001b"}', '"a\u0001b"', true),
  -- const or enum, and type: both must hold
  ('{"const": "a", "type": "integer"}', '"a"', false),
  ('{"enum": ["a", 1], "type": "integer"}', '1', true),
  ('{"enum": ["a", 1], "type": "integer"}', '"a"', false),
  -- keywords for other types do not matter
  ('{"minLength": 3, "minimum": 3, "minItems": 3, "minProperties": 3}', 'null', true),
  ('{"minLength": 3, "minimum": 3, "minItems": 3, "minProperties": 3}', '"ab"', false),
  ('{"minLength": 3, "minimum": 3, "minItems": 3, "minProperties": 3}', '2', false),
  ('{"minLength": 3, "minimum": 3, "minItems": 3, "minProperties": 3}', '[1]', false),
  ('{"minLength": 3, "minimum": 3, "minItems": 3, "minProperties": 3}', '{}', false);

SELECT left(schema::text, 100) AS schema, left(instance::text, 40) AS instance,
  jsonb_matches_schema(schema, instance) AS matches
FROM cases ORDER BY n;

-- answers are as expected, and the same when all violations are collected
SELECT n, schema, instance, expected FROM cases
WHERE jsonb_matches_schema(schema, instance) IS DISTINCT FROM expected
  OR EXISTS (SELECT FROM jsonb_schema_violations(schema, instance)) IS NOT DISTINCT FROM expected
ORDER BY n;
