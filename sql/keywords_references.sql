-- References: within the document, to registered documents, to the meta-schemas.
SELECT register_event_schema('ref.common', 1, '{
  "$id": "https://example.com/common",
  "type": "object",
  "properties": {"id": {"$ref": "#/$defs/id"}},
  "$defs": {
    "id": {"type": "string", "format": "uuid"},
    "name": {"$anchor": "name", "type": "string", "minLength": 1}
  }
}');
-- referenced documents are registered first
SELECT register_schema('https://example.com/money', '{"type": "object", "required": ["amount"], "properties": {"amount": {"$ref": "amount"}}}');
SELECT register_schema('https://example.com/amount', '{"type": "number", "minimum": 0}');
SELECT register_schema('https://example.com/money', '{"type": "object", "required": ["amount"], "properties": {"amount": {"$ref": "amount"}}}');
SELECT register_schema('urn:example:tree', '{"type": "object", "properties": {"left": {"$ref": "#"}, "right": {"$ref": "#"}}, "additionalProperties": false}');
-- URIs that are longer than a name, or have "@"
SELECT register_schema('https://example.com/' || repeat('long/', 20), '{"const": "long"}');
SELECT register_schema('https://user@example.com/', '{"const": "user"}');

CREATE TEMP TABLE cases (n int GENERATED ALWAYS AS IDENTITY, schema jsonb, instance jsonb, expected boolean);
INSERT INTO cases (schema, instance, expected) VALUES
  -- within the document
  ('{"$ref": "#/$defs/a", "$defs": {"a": {"type": "integer"}}}', '1', true),
  ('{"$ref": "#/$defs/a", "$defs": {"a": {"type": "integer"}}}', '"1"', false),
  ('{"$ref": "#/$defs/a~1b~0c%25%22", "$defs": {"a/b~c%\"": {"type": "integer"}}}', '"1"', false),
  ('{"$ref": "#/$defs/%C3%A4", "$defs": {"ä": {"type": "integer"}}}', '"1"', false),
  ('{"$ref": "#/$defs/a", "minimum": 3, "$defs": {"a": {"type": "integer"}}}', '2', false),
  ('{"$ref": "#/allOf/1", "allOf": [true, {"type": "integer"}]}', '"1"', false),
  ('{"$ref": "#/definitions/a", "definitions": {"a": {"type": "integer"}}}', '"1"', false),
  ('{"$ref": "#/elsewhere/a", "elsewhere": {"a": {"type": "integer"}}}', '"1"', false),
  ('{"$ref": "#/$defs/no", "$defs": {"no": false}}', '"1"', false),
  ('{"$ref": "#there", "$defs": {"a": {"$anchor": "there", "type": "integer"}}}', '"1"', false),
  ('{"properties": {"a": {"$ref": "#/$defs/b"}}, "$defs": {"b": {"$ref": "#/$defs/c"}, "c": {"type": "integer"}}}', '{"a": "1"}', false),
  -- a property named $ref is no reference
  ('{"properties": {"$ref": {"type": "string"}}}', '{"$ref": "#/none"}', true),
  ('{"const": {"$ref": "#/none"}}', '{"$ref": "#/none"}', true),
  -- $id
  ('{"$id": "https://example.com/root", "$ref": "https://example.com/root#/$defs/a", "$defs": {"a": {"type": "integer"}}}', '"1"', false),
  ('{"$id": "https://example.com/root", "$ref": "sub", "$defs": {"a": {"$id": "sub", "type": "integer"}}}', '"1"', false),
  ('{"$id": "https://example.com/root", "$ref": "sub#/$defs/b", "$defs": {"a": {"$id": "sub", "$defs": {"b": {"type": "integer"}}}}}', '"1"', false),
  ('{"$ref": "urn:example:sub#x", "$defs": {"a": {"$id": "urn:example:sub", "$defs": {"b": {"$anchor": "x", "type": "integer"}}}}}', '"1"', false),
  -- an embedded resource is the base for references in it
  ('{"$id": "https://example.com/root", "$ref": "#/$defs/a", "$defs": {"a": {"$id": "sub/", "$ref": "#/$defs/b", "$defs": {"b": {"type": "integer"}}}, "b": true}}', '"1"', false),
  -- to itself
  ('{"properties": {"next": {"$ref": "#"}}, "additionalProperties": false}', '{"next": {"next": {"next": {}}}}', true),
  ('{"properties": {"next": {"$ref": "#"}}, "additionalProperties": false}', '{"next": {"next": {"prev": {}}}}', false),
  ('{"type": ["array", "integer"], "items": {"$ref": "#"}}', '[[[1], []], 2]', true),
  ('{"type": ["array", "integer"], "items": {"$ref": "#"}}', '[[["1"], []], 2]', false),
  -- registered
  ('{"$ref": "event:ref.common@1"}', '{"id": "a3bb189e-8bf9-3888-9912-ace4e6543002"}', true),
  ('{"$ref": "event:ref.common@1"}', '{"id": "a3bb189e"}', false),
  ('{"$ref": "event:ref.common@1#/$defs/id"}', '"a3bb189e"', false),
  ('{"$ref": "event:ref.common@1#name"}', '""', false),
  ('{"$ref": "https://example.com/common"}', '{"id": "a3bb189e"}', false),
  ('{"$ref": "https://example.com/common#/$defs/name"}', '""', false),
  ('{"$ref": "https://example.com/money"}', '{"amount": 1}', true),
  ('{"$ref": "https://example.com/money"}', '{"amount": -1}', false),
  ('{"$ref": "https://example.com/money#/properties/amount"}', '-1', false),
  ('{"$ref": "https://example.com/money#"}', '{}', false),
  ('{"$id": "https://example.com/mine", "items": {"$ref": "money"}}', '[{"amount": -1}]', false),
  ('{"$ref": "urn:example:tree"}', '{"left": {"right": {}}}', true),
  ('{"$ref": "urn:example:tree"}', '{"left": {"middle": {}}}', false),
  (jsonb_build_object('$ref', 'https://example.com/' || repeat('long/', 20)), '"long"', true),
  (jsonb_build_object('$ref', 'https://example.com/' || repeat('long/', 20)), '"short"', false),
  ('{"$ref": "https://user@example.com/"}', '"user"', true),
  -- the meta-schemas
  ('{"$ref": "https://json-schema.org/draft/2020-12/schema"}', '{"type": "object"}', true),
  ('{"$ref": "https://json-schema.org/draft/2020-12/schema"}', '{"type": "objct"}', false),
  ('{"$ref": "http://json-schema.org/draft-07/schema#"}', '{"items": [{"minLength": -1}]}', false),
  ('{"$ref": "http://json-schema.org/draft-04/schema#"}', '{"exclusiveMinimum": true, "minimum": 1}', true),
  ('{"$ref": "https://json-schema.org/draft/2019-09/schema"}', '{"properties": {"a": {"minLength": -1}}}', false),
  -- dynamic
  ('{"$id": "https://example.com/strings", "$ref": "list", "$defs": {
      "string": {"$dynamicAnchor": "item", "type": "string"},
      "list": {"$id": "list", "type": "array", "items": {"$dynamicRef": "#item"}, "$defs": {"any": {"$dynamicAnchor": "item"}}}}}',
    '["a"]', true),
  ('{"$id": "https://example.com/strings", "$ref": "list", "$defs": {
      "string": {"$dynamicAnchor": "item", "type": "string"},
      "list": {"$id": "list", "type": "array", "items": {"$dynamicRef": "#item"}, "$defs": {"any": {"$dynamicAnchor": "item"}}}}}',
    '[1]', false);

SELECT left(schema::text, 100) AS schema, left(instance::text, 40) AS instance,
  jsonb_matches_schema(schema, instance) AS matches
FROM cases ORDER BY n;

-- answers are as expected, and the same when all violations are collected
SELECT n, schema, instance, expected FROM cases
WHERE jsonb_matches_schema(schema, instance) IS DISTINCT FROM expected
  OR EXISTS (SELECT FROM jsonb_schema_violations(schema, instance)) IS NOT DISTINCT FROM expected
ORDER BY n;

-- a reference that leads to itself at the same place of the instance has no answer
\set VERBOSITY terse
SELECT jsonb_matches_schema('{"$ref": "#"}', '1');
SELECT jsonb_matches_schema('{"properties": {"a": {"$ref": "#/$defs/b"}}, "$defs": {"b": {"allOf": [{"$ref": "#/$defs/c"}]}, "c": {"not": {"$ref": "#/$defs/b"}}}}', '1');
SELECT jsonb_matches_schema('{"if": {"anyOf": [{"$ref": "#"}]}}', '1');
SELECT jsonb_matches_schema('{"dependentSchemas": {"a": {"$ref": "#"}}}', '1');
-- invalid references
SELECT jsonb_matches_schema('{"$ref": "#/$defs/0", "$defs": [true]}', '1');
SELECT jsonb_matches_schema('{"$ref": "#/allOf/01", "allOf": [true, true]}', '1');
SELECT jsonb_matches_schema('{"$ref": "#/allOf/-", "allOf": [true, true]}', '1');
SELECT jsonb_matches_schema('{"$ref": "#/allOf/2", "allOf": [true, true]}', '1');
SELECT jsonb_matches_schema('{"$ref": "#/title", "title": "a"}', '1');
SELECT jsonb_matches_schema('{"$ref": "event:ref.common"}', '1');
SELECT jsonb_matches_schema('{"$ref": "event:ref.common@01"}', '1');
SELECT jsonb_matches_schema('{"$ref": "event:ref.common@1#/$defs/none"}', '1');
SELECT jsonb_matches_schema('{"$ref": "ref.common@1"}', '1');

-- a referenced document cannot be dropped or changed while another refers to it
SELECT register_event_schema('ref.user', 1, '{"$ref": "event:ref.common@1"}');
SELECT drop_event_schema('ref.common', 1);
-- two documents with the same $id would be ambiguous
SELECT register_event_schema('ref.common', 2, '{"$id": "https://example.com/common"}');
SELECT jsonb_matches_schema('{"$ref": "https://example.com/common"}', '1');
SELECT jsonb_matches_schema('{"$ref": "event:ref.common@2"}', '1');
-- a reference keeps the target that it had when it was registered,
-- even if another document gets that name later
SELECT register_event_schema('ref.claimed', 1, '{"$id": "https://example.com/claimed", "type": "string"}');
SELECT register_event_schema('ref.claimant', 1, '{"$ref": "https://example.com/claimed"}');
DO $$
BEGIN
  PERFORM register_schema('https://example.com/claimed', '{"type": "integer"}');
EXCEPTION WHEN OTHERS THEN NULL;
END
$$;
DO $$
BEGIN
  PERFORM register_event_schema('ref.claimed', 2, '{"$id": "https://example.com/claimed", "type": "null"}', breaking => true);
EXCEPTION WHEN OTHERS THEN NULL;
END
$$;
\c
SELECT validate_event('"a"', 'ref.claimant', 1), validate_event('1', 'ref.claimant', 1), validate_event('null', 'ref.claimant', 1);
\set VERBOSITY terse
-- an event can refer to itself
SELECT register_event_schema('ref.self', 1, '{"properties": {"child": {"$ref": "event:ref.self@1"}}, "required": ["v"]}');
SELECT validate_event('{"v": 1, "child": {"v": 2}}', 'ref.self', 1), validate_event('{"v": 1, "child": {}}', 'ref.self', 1);

SELECT count(drop_event_schema(event_type, schema_version)) FROM (
  SELECT event_type, schema_version FROM event_schemas WHERE event_type IN ('ref.user', 'ref.self', 'ref.claimant')) AS s;
SELECT count(drop_event_schema(event_type, schema_version)) > 0 AS dropped FROM (
  SELECT event_type, schema_version FROM event_schemas WHERE event_type LIKE 'ref.%') AS s;
DROP FUNCTION event_schema."https://example.com/amount";
DO $$
DECLARE
  f regprocedure;
BEGIN
  FOR f IN SELECT oid FROM pg_proc WHERE pronamespace = 'event_schema'::regnamespace
    ORDER BY proname = 'https://example.com/amount'
  LOOP
    EXECUTE 'DROP FUNCTION ' || f;
  END LOOP;
END
$$;

-- one document by several forms of its URI, percent-encoded or not
SELECT register_event_schema('re.größe', 1, '{"type": "object"}'), register_event_schema('re.my type', 1, '{"type": "object"}');
SELECT uri, jsonb_matches_schema(jsonb_build_object('$ref', uri), '{}') AS object, jsonb_matches_schema(jsonb_build_object('$ref', uri), '1') AS number
FROM unnest(ARRAY['event:re.größe@1', 'event:re.gr%C3%B6%C3%9Fe@1', 'event:re.gr%c3%b6%c3%9Fe@1', 'event:%72e.größe%40%31',
                  'event:re.my type@1', 'event:re.my%20type@1']) AS uri;
SELECT jsonb_matches_schema('{"allOf": [{"$ref": "event:re.my type@1"}, {"$ref": "event:re.my%20type@1"}]}', '{}');
SELECT drop_event_schema('re.größe', 1), drop_event_schema('re.my type', 1);

-- a document without $schema has the dialect of the schema that refers to it: here arrays of items, as in draft 7
SELECT register_schema('https://example.com/re/pair', '{"items": [{"type": "string"}, {"type": "integer"}]}');
SELECT jsonb_matches_schema('{"$schema": "http://json-schema.org/draft-07/schema#", "$ref": "https://example.com/re/pair"}', instance)
FROM (VALUES ('["a", 1]'::jsonb), ('[1, "a"]')) AS i (instance);
SELECT jsonb_matches_schema('{"$ref": "https://example.com/re/pair"}', '[]');
SELECT register_schema('https://example.com/re/none', '{"items": [{"type": "strin"}]}');
DROP FUNCTION event_schema."https://example.com/re/pair";
