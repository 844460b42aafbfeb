-- Objects.
CREATE TEMP TABLE cases (n int GENERATED ALWAYS AS IDENTITY, schema jsonb, instance jsonb, expected boolean);
INSERT INTO cases (schema, instance, expected) VALUES
  ('{"properties": {"a": {"type": "integer"}, "bb": {"type": "string"}}}', '{"a": 1, "bb": "x", "c": null}', true),
  ('{"properties": {"a": {"type": "integer"}, "bb": {"type": "string"}}}', '{"a": 1, "bb": 2}', false),
  ('{"properties": {"a": {"type": "integer"}, "bb": {"type": "string"}}}', '{}', true),
  ('{"properties": {"a": {"type": "integer"}, "bb": {"type": "string"}}}', '[]', true),
  ('{"properties": {"a": false}}', '{}', true),
  ('{"properties": {"a": false}}', '{"a": null}', false),
  ('{"properties": {"": {"type": "integer"}}}', '{"": "a"}', false),
  ('{"properties": {"ä": {"type": "integer"}, "z": true}}', '{"ä": "a"}', false),
  ('{"properties": {"A": false}}', '{"a": 1}', true),
  ('{"properties": {"__proto__": {"type": "integer"}, "constructor": {"type": "integer"}}}', '{"__proto__": "a"}', false),
  ('{"properties": {"$ref": {"type": "string"}}}', '{"$ref": 1}', false),
  ('{"required": ["a", "b"]}', '{"b": 1, "a": null}', true),
  ('{"required": ["a", "b"]}', '{"a": 1}', false),
  ('{"required": ["a", "b"]}', '{"aa": 1, "ab": 1, "b": 1}', false),
  ('{"required": [""]}', '{"": 1}', true),
  ('{"required": ["a"]}', '["a"]', true),
  ('{"required": ["a"]}', '"a"', true),
  ('{"required": []}', '{}', true),
  ('{"properties": {"a": {"type": "integer"}}, "required": ["a", "b"]}', '{"a": 1, "b": 2}', true),
  ('{"properties": {"a": {"type": "integer"}}, "required": ["a", "b"]}', '{"b": 2}', false),
  ('{"additionalProperties": false}', '{}', true),
  ('{"additionalProperties": false}', '{"a": 1}', false),
  ('{"properties": {"a": true}, "additionalProperties": false}', '{"a": 1}', true),
  ('{"properties": {"a": true}, "additionalProperties": false}', '{"a": 1, "b": 1}', false),
  ('{"required": ["a"], "additionalProperties": false}', '{"a": 1}', false),
  ('{"properties": {"a": true}, "additionalProperties": {"type": "integer"}}', '{"a": "x", "b": 1}', true),
  ('{"properties": {"a": true}, "additionalProperties": {"type": "integer"}}', '{"a": "x", "b": "y"}', false),
  ('{"patternProperties": {"^x-": {"type": "integer"}}}', '{"x-a": 1, "y": "a"}', true),
  ('{"patternProperties": {"^x-": {"type": "integer"}}}', '{"x-a": "a"}', false),
  ('{"patternProperties": {"a": {"minimum": 2}, "b": {"maximum": 3}}}', '{"ab": 4}', false),
  ('{"patternProperties": {"a": {"minimum": 2}, "b": {"maximum": 3}}}', '{"ab": 1}', false),
  ('{"patternProperties": {"a": {"minimum": 2}, "b": {"maximum": 3}}}', '{"ab": 2}', true),
  ('{"properties": {"foo": {"maximum": 3}}, "patternProperties": {"f.o": {"minimum": 2}}, "additionalProperties": false}', '{"foo": 1}', false),
  ('{"properties": {"foo": {"maximum": 3}}, "patternProperties": {"f.o": {"minimum": 2}}, "additionalProperties": false}', '{"foo": 3, "fao": 9}', true),
  ('{"properties": {"foo": {"maximum": 3}}, "patternProperties": {"f.o": {"minimum": 2}}, "additionalProperties": false}', '{"foo": 3, "bar": 9}', false),
  ('{"patternProperties": {"^.$": false}}', '{"ä": 1}', false),
  ('{"patternProperties": {"^.$": false}}', '{"äö": 1}', true),
  ('{"propertyNames": {"pattern": "^[a-z]+$"}}', '{"abc": 1}', true),
  ('{"propertyNames": {"pattern": "^[a-z]+$"}}', '{"abc": 1, "": 2}', false),
  ('{"propertyNames": {"enum": ["a", "b"]}}', '{"a": 1, "c": 2}', false),
  ('{"propertyNames": {"maxLength": 1}}', '{"ä": 1}', true),
  ('{"propertyNames": {"type": "string"}}', '{"1": 1}', true),
  ('{"propertyNames": {"type": "integer"}}', '{"1": 1}', false),
  ('{"propertyNames": false}', '{}', true),
  ('{"propertyNames": {"format": "date"}}', '{"2024-02-29": 1}', true),
  ('{"propertyNames": {"format": "date"}}', '{"2023-02-29": 1}', false),
  ('{"minProperties": 1}', '{}', false),
  ('{"maxProperties": 1}', '{"a": 1, "a": 2}', true),
  ('{"maxProperties": 1}', '{"a": 1, "b": 2}', false),
  ('{"dependentRequired": {"a": ["b", "c"]}}', '{"a": 1, "b": 1, "c": 1}', true),
  ('{"dependentRequired": {"a": ["b", "c"]}}', '{"a": 1, "b": 1}', false),
  ('{"dependentRequired": {"a": ["b", "c"]}}', '{"b": 1}', true),
  ('{"dependentRequired": {"a": []}}', '{"a": 1}', true),
  ('{"dependentSchemas": {"a": {"properties": {"b": {"type": "integer"}}}}}', '{"a": 1, "b": "x"}', false),
  ('{"dependentSchemas": {"a": {"properties": {"b": {"type": "integer"}}}}}', '{"b": "x"}', true),
  ('{"dependentSchemas": {"a": false}}', '{"a": 1}', false),
  ('{"dependentSchemas": {"a/b~c": false}}', '{"a/b~c": 1}', false);
-- many keys, in the document, in the schema, in both; keys are in jsonb's
-- order, by length and then by bytes
INSERT INTO cases (schema, instance, expected)
SELECT jsonb_build_object('additionalProperties', false, 'properties',
    (SELECT jsonb_object_agg(repeat('k', k % 7) || k, jsonb_build_object('const', k)) FROM generate_series(1, in_schema) AS k)),
  (SELECT jsonb_object_agg(repeat('k', k % 7) || k, k + (k = wrong)::int) FROM generate_series(1, in_document) AS k),
  in_document <= in_schema AND wrong = 0
FROM (VALUES (1, 200, 0), (200, 1, 0), (200, 200, 0), (200, 200, 1), (200, 200, 100), (200, 200, 200), (200, 201, 0),
  (2000, 7, 0), (2000, 7, 7), (33, 32, 0), (32, 33, 0)) AS counts (in_schema, in_document, wrong);
INSERT INTO cases (schema, instance, expected)
SELECT jsonb_build_object('required', (SELECT jsonb_agg('key' || k) FROM generate_series(1, 100) AS k)),
  (SELECT jsonb_object_agg('key' || k, k) FROM generate_series(1, 100) AS k WHERE k <> missing), missing = 0
FROM (VALUES (0), (1), (57), (100)) AS m (missing);

SELECT left(schema::text, 100) AS schema, left(instance::text, 40) AS instance,
  jsonb_matches_schema(schema, instance) AS matches
FROM cases ORDER BY n;

-- answers are as expected, and the same when all violations are collected
SELECT n, schema, instance, expected FROM cases
WHERE jsonb_matches_schema(schema, instance) IS DISTINCT FROM expected
  OR EXISTS (SELECT FROM jsonb_schema_violations(schema, instance)) IS NOT DISTINCT FROM expected
ORDER BY n;

-- a pattern for names gives the answers of the same pattern for strings
SELECT pattern, name
FROM string_to_table('^ab* ^ab? ^ab+ ^ab{0}c ^a{2} ^a|b ^(a|b) ^ab. ^x- ^-a ^_ ^\x41 ^ ^abcdefghij ^abcdefgh$ a^b ^é ^aé ^a\| ^a[b]*', ' ') AS pattern,
     string_to_table(' a ab abb b ac aa xb x- x-y -a _ A abcdefgh abcdefghi abcdefghij é aé aéb a| aab xa', ' ') AS name
WHERE jsonb_matches_schema(jsonb_build_object('pattern', pattern), to_jsonb(name)) =
      jsonb_matches_schema(jsonb_build_object('patternProperties', jsonb_build_object(pattern, false)), jsonb_build_object(name, 1));

-- patterns that overlap, with one another and with properties
SELECT instance, jsonb_matches_schema('{
    "properties": {"ab": {"maximum": 9}, "ac": true},
    "patternProperties": {"^a": {"type": ["number", "null"]}, "b$": {"type": ["number", "string"]}, "^ab": {"minimum": 2}, "^abc": {"minimum": 3}},
    "additionalProperties": false}', instance::jsonb) AS matches
FROM string_to_table('{"ab":5} {"ab":1} {"ab":10} {"ab":null} {"ab":"x"} {"ac":null} {"ac":"x"} {"abcb":3} {"abcb":2} {"abcb":null} {"xb":"x"} {"xb":null} {"x":1}', ' ') AS instance;
