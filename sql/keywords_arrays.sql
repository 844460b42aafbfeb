-- Arrays.
CREATE TEMP TABLE cases (n int GENERATED ALWAYS AS IDENTITY, schema jsonb, instance jsonb, expected boolean);
INSERT INTO cases (schema, instance, expected) VALUES
  ('{"items": {"type": "integer"}}', '[]', true),
  ('{"items": {"type": "integer"}}', '[1, 2]', true),
  ('{"items": {"type": "integer"}}', '[1, "2"]', false),
  ('{"items": {"type": "integer"}}', '{"0": "a"}', true),
  ('{"items": false}', '[]', true),
  ('{"items": false}', '[1]', false),
  ('{"items": true}', '[1]', true),
  ('{"items": {"items": {"items": {"type": "string"}}}}', '[[["a"], []], []]', true),
  ('{"items": {"items": {"items": {"type": "string"}}}}', '[[["a"], [1]], []]', false),
  ('{"prefixItems": [{"type": "string"}, {"type": "integer"}]}', '["a", 1, null]', true),
  ('{"prefixItems": [{"type": "string"}, {"type": "integer"}]}', '["a"]', true),
  ('{"prefixItems": [{"type": "string"}, {"type": "integer"}]}', '[1, "a"]', false),
  ('{"prefixItems": [{"type": "string"}], "items": {"type": "integer"}}', '["a", 1, 2]', true),
  ('{"prefixItems": [{"type": "string"}], "items": {"type": "integer"}}', '["a", 1, "b"]', false),
  ('{"prefixItems": [true, false]}', '[1]', true),
  ('{"prefixItems": [true, false]}', '[1, 2]', false),
  ('{"minItems": 1}', '[]', false),
  ('{"minItems": 1}', '[null]', true),
  ('{"maxItems": 1}', '[[], []]', false),
  ('{"maxItems": 0}', '[]', true),
  -- a schema of one item distinguishes the jsonb of a scalar from an array of one
  ('{"maxItems": 0}', '1', true),
  ('{"type": "array"}', '1', false),
  ('{"type": "integer"}', '[1]', false),
  ('{"uniqueItems": true}', '[]', true),
  ('{"uniqueItems": true}', '[1, "1", true, "true", null, [1], {"a": 1}]', true),
  ('{"uniqueItems": true}', '[1, 2, 1.0]', false),
  ('{"uniqueItems": true}', '[0, -0]', false),
  ('{"uniqueItems": true}', '[0, false]', true),
  ('{"uniqueItems": true}', '["a", "A"]', true),
  ('{"uniqueItems": true}', '[{"a": 1, "b": [2]}, {"b": [2.0], "a": 1}]', false),
  ('{"uniqueItems": true}', '[[1, [2]], [1, [2, 3]]]', true),
  ('{"uniqueItems": true}', '[[], {}, ""]', true),
  ('{"uniqueItems": false}', '[1, 1]', true),
  ('{"contains": {"const": 1}}', '[0, 1]', true),
  ('{"contains": {"const": 1}}', '[0]', false),
  ('{"contains": {"const": 1}}', '[]', false),
  ('{"contains": true}', '[]', false),
  ('{"contains": false}', '[1]', false),
  ('{"contains": {"const": 1}, "minContains": 0}', '[]', true),
  ('{"contains": {"const": 1}, "minContains": 2}', '[1, 1]', true),
  ('{"contains": {"const": 1}, "minContains": 2}', '[1, 2]', false),
  ('{"contains": {"const": 1}, "maxContains": 1}', '[1, 1]', false),
  ('{"contains": {"const": 1}, "minContains": 2, "maxContains": 1}', '[1, 1]', false),
  ('{"contains": {"const": 1}, "minContains": 0, "maxContains": 1}', '[1, 2]', true),
  -- ignored without contains
  ('{"minContains": 2, "maxContains": 0}', '[1]', true);
-- more items than are compared pairwise, near the places at
-- which jsonb keeps offsets instead of lengths
INSERT INTO cases (schema, instance, expected)
SELECT jsonb_build_object('uniqueItems', true, 'items', jsonb_build_object('type', 'object'),
    'contains', jsonb_build_object('const', jsonb_build_object('i', n, 's', repeat('x', n)))),
  jsonb_agg(jsonb_build_object('i', i, 's', repeat('x', i)) ORDER BY i), true
FROM (VALUES (16), (17), (31), (32), (33), (64), (65), (300)) AS counts (n), generate_series(1, n) AS i
GROUP BY n ORDER BY n;
INSERT INTO cases (schema, instance, expected)
SELECT '{"uniqueItems": true}',
  jsonb_agg(CASE WHEN i = twin THEN jsonb_build_object('i', 1.0) ELSE jsonb_build_object('i', i) END ORDER BY i), false
FROM (VALUES (16, 16), (17, 2), (17, 17), (33, 32), (33, 33), (300, 300)) AS counts (n, twin), generate_series(1, n) AS i
GROUP BY n, twin ORDER BY n, twin;
-- two pairs of strings with the same hash; then one of them again
INSERT INTO cases (schema, instance, expected)
SELECT '{"uniqueItems": true}', jsonb_agg(i) || '["s14208", "s189525", "s230743", "s365280"]'::jsonb || twin, twin = '[]'
FROM (VALUES ('[]'::jsonb), ('["s14208"]'), ('["s189525"]'), ('["s365280"]')) AS twins (twin), generate_series(1, 20) AS i
GROUP BY twin ORDER BY twin;

SELECT left(schema::text, 100) AS schema, left(instance::text, 40) AS instance,
  jsonb_matches_schema(schema, instance) AS matches
FROM cases ORDER BY n;

-- answers are as expected, and the same when all violations are collected
SELECT n, schema, instance, expected FROM cases
WHERE jsonb_matches_schema(schema, instance) IS DISTINCT FROM expected
  OR EXISTS (SELECT FROM jsonb_schema_violations(schema, instance)) IS NOT DISTINCT FROM expected
ORDER BY n;

-- the message names the two equal items
SELECT message FROM jsonb_schema_violations('{"uniqueItems": true}',
  (SELECT jsonb_agg(i % 99 ORDER BY i) FROM generate_series(0, 99) AS i)) \g (format=unaligned tuples_only=on)

-- Both ways to match an array agree: contains, which stops early...
SELECT count(*) AS compared, count(*) FILTER (WHERE fast) AS valid, count(*) FILTER (WHERE fast <> NOT slow) AS different
FROM (
	SELECT jsonb_matches_schema(s, i) AS fast, EXISTS (SELECT FROM jsonb_schema_violations(s, i)) AS slow
	FROM (VALUES ('"x"'::jsonb), ('1'), ('"a string of more than sixteen bytes"'), ('null')) AS c (value),
		generate_series(0, 3) AS least, generate_series(0, 4) AS most,
		LATERAL (SELECT jsonb_strip_nulls(jsonb_build_object('contains', jsonb_build_object('enum', jsonb_build_array(value)),
			'minContains', least, 'maxContains', CASE WHEN most < 4 THEN most END)) AS s) AS schemas,
		(SELECT jsonb_agg(CASE WHEN bits >> n & 1 = 1 THEN v ELSE '"y"' END ORDER BY n) AS i
		 FROM generate_series(0, 15) AS bits, generate_series(0, 3) AS n,
			(VALUES ('"x"'::jsonb), ('1'), ('"a string of more than sixteen bytes"'), ('null')) AS w (v) GROUP BY bits, v
		 UNION ALL SELECT '[]') AS instances) AS answers;

-- ... and the first items, if most have no schema.
SELECT count(*) AS compared, count(*) FILTER (WHERE fast) AS valid, count(*) FILTER (WHERE fast <> NOT slow) AS different
FROM (
	SELECT jsonb_matches_schema(s, i) AS fast, EXISTS (SELECT FROM jsonb_schema_violations(s, i)) AS slow
	FROM generate_series(1, 200, 3) AS n,
		LATERAL (SELECT jsonb_build_object('prefixItems', jsonb_agg(
		CASE WHEN g IN (1, n) THEN '{"type": "string"}' ELSE 'true'::jsonb END ORDER BY g), 'items', jsonb_build_object('type', 'null')) AS s FROM generate_series(1, 200) AS g) AS schemas,
		(SELECT jsonb_agg(CASE WHEN g % 33 = 1 THEN to_jsonb('s' || g) WHEN g > 200 THEN 'null' ELSE to_jsonb(g) END ORDER BY g) AS i FROM generate_series(1, 210) AS g) AS instances) AS answers;
