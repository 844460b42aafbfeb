-- Schemas that come to apply to one value again and again: each is run once.
SET statement_timeout = '60s';
CREATE FUNCTION pg_temp.chain(step text, last jsonb, levels int DEFAULT 30) RETURNS jsonb LANGUAGE sql AS $$
  SELECT jsonb_build_object('$ref', '#/$defs/0', '$defs',
    jsonb_object_agg(n, CASE WHEN n = levels THEN last
                             ELSE replace(step, 'NEXT', format('{"$ref": "#/$defs/%s"}', n + 1))::jsonb END))
  FROM generate_series(0, levels) AS n
$$;
CREATE FUNCTION pg_temp.nested(inner_value text, levels int DEFAULT 30) RETURNS jsonb LANGUAGE sql AS $$
  SELECT (repeat('{"x": ', levels) || inner_value || repeat('}', levels))::jsonb
$$;

-- for the value itself
CREATE TEMP TABLE steps (keyword text, step text);
INSERT INTO steps VALUES
  ('allOf', '{"allOf": [NEXT, NEXT]}'),
  ('anyOf', '{"anyOf": [{"required": ["z"], "allOf": [NEXT]}, NEXT]}'),
  ('oneOf', '{"oneOf": [{"allOf": [NEXT, {"required": ["z"]}]}, NEXT]}'),
  ('not', '{"not": {"not": {"allOf": [NEXT, NEXT]}}}'),
  ('if', '{"if": NEXT, "then": NEXT, "else": NEXT}'),
  ('dependentSchemas', '{"dependentSchemas": {"x": NEXT, "y": NEXT}}'),
  ('with types', '{"type": "object", "allOf": [NEXT, {"type": "object", "allOf": [NEXT]}]}');
SELECT keyword, last,
  jsonb_matches_schema(pg_temp.chain(step, last), '{"x": 1, "y": 1}') AS valid,
  (SELECT count(*) FROM jsonb_schema_violations(pg_temp.chain(step, last), '{"x": 1, "y": 1}')) > 0 AS violated,
  (SELECT count(*) FROM jsonb_schema_violations(pg_temp.chain(step, last), '{"x": 1, "y": 1}')) < 2000 AS is_listed
FROM steps, (VALUES ('{"maxProperties": 2}'::jsonb), ('{"maxProperties": 1}')) AS l (last) ORDER BY keyword, last;

-- what they evaluate is remembered, too
SELECT keyword, instance,
  jsonb_matches_schema(pg_temp.chain(step, '{"properties": {"x": true, "y": true}}') || '{"unevaluatedProperties": false}', instance) AS valid
FROM steps, (VALUES ('{"x": 1, "y": 1}'::jsonb), ('{"x": 1, "y": 1, "w": 1}')) AS i (instance)
WHERE keyword <> 'not' ORDER BY keyword, instance;

-- for children
SELECT step, inner_value, jsonb_matches_schema(pg_temp.chain(step, '{"type": "integer"}'), pg_temp.nested(inner_value)) AS valid
FROM (VALUES ('{"properties": {"x": NEXT}, "patternProperties": {"^x": NEXT}}'),
             ('{"properties": {"x": NEXT}, "allOf": [{"additionalProperties": NEXT}]}'),
             ('{"anyOf": [{"properties": {"x": NEXT}}, {"properties": {"x": NEXT}, "required": ["x"]}]}')) AS s (step),
  (VALUES ('1'), ('"a"')) AS i (inner_value);

-- recursive: brackets in brackets
WITH schemas (schema) AS (VALUES
  ('{"oneOf": [{"items": {"$ref": "#"}, "maxItems": 1}, {"type": "array", "items": {"$ref": "#"}, "contains": {"const": 7}}]}'::jsonb),
  ('{"type": ["array", "integer"], "unevaluatedItems": false,
     "anyOf": [{"items": {"$ref": "#"}}, {"prefixItems": [{"$ref": "#"}], "maxItems": 1}]}'))
SELECT left(schema::text, 20) AS schema, depth,
  jsonb_matches_schema(schema, (repeat('[', depth) || '1' || repeat(']', depth))::jsonb) AS valid,
  jsonb_matches_schema(schema, (repeat('[', depth) || '[1, "a"]' || repeat(']', depth))::jsonb) AS invalid
FROM schemas, (VALUES (25), (250)) AS d (depth) ORDER BY 1, 2;

-- one and the same violation is listed for 1,000 more ways, then it is counted
SELECT count(*) BETWEEN 1001 AND 1100 AS listed, count(DISTINCT keyword_location) = count(*) AS differ, min(message) AS message
FROM jsonb_schema_violations(pg_temp.chain('{"allOf": [NEXT, NEXT]}', '{"type": "string"}'), '1');
-- as many as there are
SELECT count(*) FROM jsonb_schema_violations(pg_temp.chain('{"allOf": [NEXT, NEXT]}', '{"type": "string"}', 9), '1');

-- only blocks that may run again and again have their answers remembered
SELECT register_event_schema('repeat.tree', 1, '{"properties": {"left": {"$ref": "#"}, "right": {"$ref": "#"}}}'),
  register_event_schema('repeat.twice', 1, '{"properties": {"left": {"$ref": "#"}}, "patternProperties": {"^l": {"$ref": "#"}}}');
SELECT event_schema_program('repeat.tree', 1);
SELECT event_schema_program('repeat.twice', 1);
SELECT drop_event_schema('repeat.tree', 1), drop_event_schema('repeat.twice', 1);

-- dynamic references may have too many sets of targets
WITH levels (n) AS (SELECT generate_series(0, 29)),
schemas (name, schema) AS (
  SELECT 'r' || n, format('{"$id": "https://example.com/r%s", "$ref": "root#/$defs/a%s", "$defs": {"a": {"$dynamicAnchor": "n%s"}}}', n, n + 1, n)::jsonb FROM levels
  UNION ALL SELECT 'd' || n, format('{"$id": "https://example.com/d%s", "$dynamicAnchor": "n%s"}', n, n)::jsonb FROM levels
  UNION ALL SELECT 'a' || n, format('{"properties": {"x": {"allOf": [{"$ref": "r%s"}, {"$ref": "#/$defs/a%s"}]}}}', n, n + 1)::jsonb FROM levels
  UNION ALL SELECT 'a30', jsonb_build_object('allOf', jsonb_agg(format('{"$dynamicRef": "d%s#n%s"}', n, n)::jsonb)) FROM levels)
SELECT jsonb_matches_schema(jsonb_build_object('$id', 'https://example.com/root', '$ref', '#/$defs/a0',
                                               '$defs', jsonb_object_agg(name, schema)), pg_temp.nested('1'))
FROM schemas;
RESET statement_timeout;
