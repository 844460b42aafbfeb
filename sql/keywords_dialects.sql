-- Dialects: the differences between the drafts.
CREATE TEMP TABLE cases (n int GENERATED ALWAYS AS IDENTITY, schema jsonb, instance jsonb, expected boolean);
-- one schema, one instance, and whether it is valid in draft 4, 6, 7, 2019-09, 2020-12
CREATE TEMP TABLE drafts (n int, uri text);
INSERT INTO drafts VALUES
  (1, 'http://json-schema.org/draft-04/schema#'),
  (2, 'http://json-schema.org/draft-06/schema#'),
  (3, 'http://json-schema.org/draft-07/schema#'),
  (4, 'https://json-schema.org/draft/2019-09/schema'),
  (5, 'https://json-schema.org/draft/2020-12/schema');
INSERT INTO cases (schema, instance, expected)
SELECT jsonb_build_object('$schema', uri) || v.schema, v.instance, v.expected[d.n]
FROM (VALUES
  -- later keywords are unknown in earlier drafts
  (1, '{"const": 1}'::jsonb, '2'::jsonb, ARRAY[true, false, false, false, false]),
  (2, '{"contains": {"type": "integer"}}', '["a"]', ARRAY[true, false, false, false, false]),
  (3, '{"propertyNames": {"maxLength": 1}}', '{"ab": 1}', ARRAY[true, false, false, false, false]),
  (4, '{"if": {"type": "integer"}, "then": {"minimum": 3}}', '1', ARRAY[true, true, false, false, false]),
  (5, '{"dependentRequired": {"a": ["b"]}}', '{"a": 1}', ARRAY[true, true, true, false, false]),
  (6, '{"dependentSchemas": {"a": {"maxProperties": 0}}}', '{"a": 1}', ARRAY[true, true, true, false, false]),
  (7, '{"unevaluatedProperties": {"type": "string"}}', '{"a": 1}', ARRAY[true, true, true, false, false]),
  (8, '{"contains": {"const": 1}, "minContains": 2}', '[1]', ARRAY[true, true, true, false, false]),
  (9, '{"prefixItems": [{"type": "string"}]}', '[1]', ARRAY[true, true, true, true, false]),
  -- removed ones are kept if no other keyword has their name
  (10, '{"dependencies": {"a": ["b"]}}', '{"a": 1}', ARRAY[false, false, false, false, false]),
  (11, '{"additionalItems": {"type": "string"}}', '[1]', ARRAY[true, true, true, true, true]),
  -- up to draft 7, keywords beside $ref are ignored
  (12, '{"definitions": {"a": {"minimum": 1}}, "properties": {"p": {"$ref": "#/definitions/a", "maximum": 3}}}', '{"p": 4}', ARRAY[true, true, true, false, false]),
  (13, '{"definitions": {"a": {"minimum": 1}}, "properties": {"p": {"$ref": "#/definitions/a", "maximum": 3}}}', '{"p": 0}', ARRAY[false, false, false, false, false]),
  -- content keywords are asserted in draft 7 only
  (14, '{"contentEncoding": "base64"}', '"%"', ARRAY[true, true, false, true, true]),
  (15, '{"contentEncoding": "base64", "contentMediaType": "application/json"}', '"eyJhIjogMX0="', ARRAY[true, true, true, true, true]),
  (16, '{"contentEncoding": "base64", "contentMediaType": "application/json"}', '"eyJhIjogMX0"', ARRAY[true, true, false, true, true]),
  (17, '{"contentMediaType": "application/json"}', '"{"', ARRAY[true, true, false, true, true]),
  -- later formats are unknown in earlier drafts
  (18, '{"format": "ipv4"}', '"1.2.3"', ARRAY[false, false, false, false, false]),
  (19, '{"format": "date"}', '"tomorrow"', ARRAY[true, true, false, false, false]),
  (20, '{"format": "json-pointer"}', '"a"', ARRAY[true, false, false, false, false]),
  (21, '{"format": "uuid"}', '"a"', ARRAY[true, true, true, false, false]),
  (22, '{"format": "duration"}', '"a"', ARRAY[true, true, true, false, false]),
  -- integers
  (23, '{"type": "integer"}', '1.0', ARRAY[true, true, true, true, true])) AS v (m, schema, instance, expected),
  drafts AS d
ORDER BY v.m, d.n;
INSERT INTO cases (schema, instance, expected)
SELECT jsonb_build_object('$schema', uri) || v.schema, v.instance, v.expected
FROM (VALUES
  -- draft 4: exclusive bounds are flags, id has no dollar
  (1, 1, '{"minimum": 3, "exclusiveMinimum": true}'::jsonb, '3'::jsonb, false),
  (2, 1, '{"minimum": 3, "exclusiveMinimum": false}', '3', true),
  (3, 1, '{"maximum": 3, "exclusiveMaximum": true}', '3', false),
  (5, 1, '{"id": "http://example.com/a", "properties": {"x": {"$ref": "b"}}, "definitions": {"b": {"id": "b", "type": "string"}}}', '{"x": 1}', false),
  (6, 1, '{"id": "http://example.com/a", "properties": {"x": {"$ref": "#b"}}, "definitions": {"b": {"id": "#b", "type": "string"}}}', '{"x": 1}', false),
  (7, 2, '{"properties": {"id": {"type": "string"}}}', '{"id": 1}', false),
  (8, 3, '{"$id": "http://example.com/a", "properties": {"x": {"$ref": "#b"}}, "definitions": {"b": {"$id": "#b", "type": "string"}}}', '{"x": 1}', false),
  -- an array of items, up to 2019-09
  (9, 1, '{"items": [{"type": "string"}, {}], "additionalItems": false}', '["a", 1]', true),
  (10, 2, '{"items": [{"type": "string"}, {}], "additionalItems": false}', '["a", 1, 2]', false),
  (11, 3, '{"items": [{"type": "string"}]}', '[1]', false),
  (12, 4, '{"items": [{"type": "string"}], "additionalItems": {"type": "integer"}}', '["a", "b"]', false),
  (13, 4, '{"items": {"type": "string"}, "additionalItems": false}', '["a", "b"]', true),
  -- 2019-09: $recursiveRef
  (14, 4, '{"$recursiveAnchor": true, "properties": {"child": {"$recursiveRef": "#"}}, "required": ["v"]}', '{"v": 1, "child": {}}', false),
  (15, 4, '{"$id": "https://example.com/strict", "$recursiveAnchor": true, "$ref": "loose", "unevaluatedProperties": false,
     "$defs": {"loose": {"$id": "loose", "$recursiveAnchor": true, "properties": {"child": {"$recursiveRef": "#"}}}}}', '{"child": {"child": {}}}', true),
  (16, 4, '{"$id": "https://example.com/strict", "$recursiveAnchor": true, "$ref": "loose", "unevaluatedProperties": false,
     "$defs": {"loose": {"$id": "loose", "$recursiveAnchor": true, "properties": {"child": {"$recursiveRef": "#"}}}}}', '{"child": {"other": {}}}', false),
  -- $defs and definitions can be used in all drafts
  (17, 1, '{"properties": {"x": {"$ref": "#/$defs/a"}}, "$defs": {"a": {"type": "string"}}}', '{"x": 1}', false),
  (18, 5, '{"$ref": "#/definitions/a", "definitions": {"a": {"type": "string"}}}', '1', false)) AS v (m, draft, schema, instance, expected)
  JOIN drafts AS d ON d.n = v.draft
ORDER BY v.m;

SELECT left(schema::text, 140) AS schema, left(instance::text, 40) AS instance,
  jsonb_matches_schema(schema, instance) AS matches
FROM cases ORDER BY n;

-- answers are as expected, and the same when all violations are collected
SELECT n, schema, instance, expected FROM cases
WHERE jsonb_matches_schema(schema, instance) IS DISTINCT FROM expected
  OR EXISTS (SELECT FROM jsonb_schema_violations(schema, instance)) IS NOT DISTINCT FROM expected
ORDER BY n;

-- the default is 2020-12; "#" at the end does not matter
SELECT jsonb_matches_schema('{"prefixItems": [{"type": "string"}]}', '[1]') AS default,
  jsonb_matches_schema('{"$schema": "http://json-schema.org/draft-04/schema", "minimum": 3, "exclusiveMinimum": true}', '3') AS no_hash,
  jsonb_matches_schema('{"$schema": "https://json-schema.org/draft/2020-12/schema#", "const": 1}', '2') AS hash;

-- the dialect decides what is a valid schema
SELECT uri, jsonschema_is_valid(jsonb_build_object('$schema', uri, 'exclusiveMinimum', true, 'minimum', 1)) AS flag,
  jsonschema_is_valid(jsonb_build_object('$schema', uri, 'exclusiveMinimum', 1)) AS number,
  jsonschema_is_valid(jsonb_build_object('$schema', uri, 'items', jsonb_build_array(true))) AS items_array,
  jsonschema_is_valid(jsonb_build_object('$schema', uri, 'properties', jsonb_build_object('a', true))) AS boolean_schema
FROM drafts ORDER BY n;

-- one dialect refers to another: each document keeps its own
SELECT register_event_schema('dialect.old', 1, '{"$schema": "http://json-schema.org/draft-07/schema#", "items": [{"type": "string"}]}');
SELECT jsonb_matches_schema('{"$ref": "event:dialect.old@1"}', '[1]') AS old,
  jsonb_matches_schema('{"$ref": "event:dialect.old@1", "prefixItems": [{"type": "integer"}]}', '["a"]') AS old_and_new;
SELECT dialect FROM event_schemas WHERE event_type = 'dialect.old';
-- a document without $schema has the dialect of the schema that refers to it
SELECT register_schema('https://example.com/undialected', '{"prefixItems": [{"type": "string"}]}');
SELECT jsonb_matches_schema('{"$ref": "https://example.com/undialected"}', '[1]') AS new,
  jsonb_matches_schema('{"$schema": "http://json-schema.org/draft-07/schema#", "properties": {"a": {"$ref": "https://example.com/undialected"}}}', '{"a": [1]}') AS old;

-- a custom dialect: no unevaluated keywords, format asserted
SELECT register_schema('https://example.com/dialect', '{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "$id": "https://example.com/dialect",
  "$vocabulary": {
    "https://json-schema.org/draft/2020-12/vocab/core": true,
    "https://json-schema.org/draft/2020-12/vocab/applicator": true,
    "https://json-schema.org/draft/2020-12/vocab/format-assertion": true,
    "https://example.com/vocab/optional": false
  }
}');
SELECT jsonb_matches_schema('{"$schema": "https://example.com/dialect", "properties": {"a": {"minimum": 3}}, "unevaluatedProperties": false}', '{"a": 1, "b": 2}') AS ignored,
  jsonb_matches_schema('{"$schema": "https://example.com/dialect", "properties": {"a": false}}', '{"a": 1}') AS applied,
  jsonb_matches_schema('{"$schema": "https://example.com/dialect", "format": "date"}', '"a"', false) AS asserted;
SELECT register_schema('https://example.com/dialect-2', '{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "$vocabulary": {"https://example.com/vocab/required": true}
}');
SELECT jsonb_matches_schema('{"$schema": "https://example.com/dialect-2"}', '1');
SELECT drop_event_schema('dialect.old', 1);
DROP FUNCTION event_schema."https://example.com/undialected", event_schema."https://example.com/dialect", event_schema."https://example.com/dialect-2";
