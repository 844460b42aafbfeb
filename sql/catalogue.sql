-- The catalogue of events: event_schema_docs, event_schema_properties, event_schema_example, event_asyncapi, event_openapi.
\set VERBOSITY terse
\set SHOW_CONTEXT never
SET client_min_messages = warning;

SELECT register_schema('https://example.com/money', '{"$schema": "https://json-schema.org/draft/2020-12/schema", "$anchor": "money", "type": "object", "required": ["amount"],
  "properties": {"currency": {"description": "ISO 4217", "pattern": "^[A-Z]{3}$", "type": "string", "default": "EUR"}, "amount": {"type": "number", "minimum": 0}}}') IS NOT NULL AS registered;
SELECT register_event_schema('cat.order', 1, '{"title": "Order", "type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}}}') IS NOT NULL AS registered;
SELECT register_event_schema('cat.order', 2, '{"title": "Order | <b>two</b> [x](http://evil.example)", "description": "First line.\n\n# No heading, ![no](http://image) *no* emphasis",
  "type": "object", "required": ["id", "kind"], "additionalProperties": true,
  "properties": {
    "kind": {"enum": ["buy", "sell", "a|b"], "examples": ["buy"]},
    "id": {"type": "integer", "exclusiveMinimum": 5, "multipleOf": 3, "deprecated": true},
    "price": {"$ref": "https://example.com/money#money", "description": "What it costs"},
    "when": {"anyOf": [{"type": "string", "format": "date-time"}, {"type": "null"}]},
    "parts": {"type": "array", "minItems": 1, "items": {"$ref": "#"}},
    "point": {"prefixItems": [{"type": "number"}, {"type": "number"}], "items": false},
    "odd name": {"not": {"type": "null"}},
    "labels": {"type": "object", "patternProperties": {"^x-": {"type": "string"}}, "additionalProperties": {"type": "boolean"}}
  },
  "if": {"properties": {"kind": {"const": "sell"}}}, "then": {"required": ["price"]},
  "dependentRequired": {"when": ["price"]}}', breaking => true) IS NOT NULL AS registered;
SELECT register_event_schema('cat.shape', 1, '{"oneOf": [
  {"type": "object", "required": ["type", "radius"], "properties": {"type": {"const": "circle"}, "radius": {"type": "number", "exclusiveMinimum": 0}}},
  {"type": "object", "required": ["type", "size"], "properties": {"type": {"const": "square"}, "size": {"$ref": "event:cat.order@1#/properties/id"}}}],
  "discriminator": {"propertyName": "type"}}') IS NOT NULL AS registered;
SELECT register_event_schema('cat.old', 1, '{"$schema": "http://json-schema.org/draft-04/schema#", "id": "https://example.com/old", "type": "object", "properties": {
  "n": {"type": "number", "minimum": 0, "exclusiveMinimum": true}, "o": {"$ref": "https://example.com/money", "description": "beside"}}}') IS NOT NULL AS registered;
SELECT register_event_schema('cat.tree', 1, '{"$id": "https://example.com/tree", "$dynamicAnchor": "node", "type": "object", "properties": {"children": {"type": "array", "items": {"$dynamicRef": "#node"}}},
  "unevaluatedProperties": false, "deprecated": true, "examples": [{"bad": 1}, {"children": [{}]}]}') IS NOT NULL AS registered;
SELECT register_event_schema('cat.never', 1, '{"not": {}}') IS NOT NULL AS registered;
SELECT register_event_schema('cat.loose', 1, '{"allOf": [{"$ref": "event:cat.order@1"}], "unevaluatedProperties": false, "minContains": 2, "contains": {"type": "string"}}') IS NOT NULL AS registered;

-- ---------- properties ----------

SELECT * FROM event_schema_properties('cat.order');
SELECT path, condition, type, required, constraints FROM event_schema_properties('cat.shape', 1);
SELECT path, type, constraints, description FROM event_schema_properties('cat.old');
SELECT path, type, constraints FROM event_schema_properties('cat.tree');

-- ---------- examples: each is valid ----------

SELECT event_type, schema_version, event_schema_example(event_type, schema_version) AS example,
  validate_event(event_schema_example(event_type, schema_version), event_type, schema_version) AS valid
FROM event_schemas WHERE event_type LIKE 'cat.%' ORDER BY event_type COLLATE "C", schema_version;

-- ---------- the page ----------

CREATE FUNCTION raise_order(event jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE PARALLEL SAFE BEGIN ATOMIC SELECT event || '{"kind": "buy"}'; END;
SELECT register_event_upcast('cat.order', 1, 2, 'raise_order(jsonb)') IS NOT NULL AS registered;
CREATE TABLE cat_orders (id int, data jsonb, event_type text NOT NULL, schema_version int NOT NULL);
SELECT add_event_guard('cat_orders', 'warn');
CREATE TABLE cat_others (data jsonb CHECK (check_event(data, 'cat.shape', 1)));
SELECT event_schema_docs('cat.order');
SELECT event_schema_docs('cat.order', 1) LIKE E'# cat.order\n\n**Order**\n\n| | |\n|---|---|\n| version | 1 |\n%' AS older;
-- tables of others are not listed
CREATE ROLE regress_catalogue;
SET ROLE regress_catalogue;
SELECT substring(event_schema_docs('cat.order') FROM '## Where .*') AS sites;
RESET ROLE;
DROP ROLE regress_catalogue;

-- ---------- URIs ----------

SELECT event_type, schema_version, event_schema_uri(event_type, schema_version) FROM event_schemas WHERE event_type LIKE 'cat.%' ORDER BY event_type COLLATE "C", schema_version;
SELECT register_event_schema('cat with space', 1, '{}') IS NOT NULL AS registered;
SELECT event_schema_uri('cat with space');

-- ---------- AsyncAPI ----------

SELECT jsonb_pretty(event_asyncapi('{"types": ["cat.shape", "cat.old"]}', title => 'Shapes'));
SELECT d -> 'components' -> 'schemas' -> 'cat.order.v2' -> 'schema' AS draft7, d -> 'channels' AS channels
FROM event_asyncapi('{"types": ["cat.order"], "versions": "latest"}') AS d;
SELECT d -> 'components' -> 'schemas' -> 'cat.tree.v1' AS tree, d -> 'components' -> 'schemas' -> 'cat.loose.v1' AS loose FROM event_asyncapi('{"types": ["cat.tree", "cat.loose"]}') AS d;
SELECT k, d -> 'components' -> 'schemas' -> k ->> 'schemaFormat' AS format FROM event_asyncapi('{"types": ["cat.*"]}', dialect => 'own') AS d, jsonb_object_keys(d -> 'components' -> 'schemas') AS k ORDER BY k COLLATE "C";
SELECT d -> 'components' -> 'messages' -> 'cat.order.v1' AS message FROM event_asyncapi('{"types": ["cat.order"]}', cloudevents => 'binary') AS d;
SELECT d -> 'components' -> 'messages' -> 'cat.order.v1' AS message, d -> 'operations' AS operations FROM event_asyncapi('{"types": ["cat.order"]}', cloudevents => 'structured', action => 'both') AS d;
-- documents for references only have no channel; deprecated versions can be left out
SELECT k FROM jsonb_object_keys(event_asyncapi('{"types": ["cat.*"]}') -> 'channels') AS k ORDER BY k COLLATE "C";
SELECT k FROM jsonb_object_keys(event_asyncapi('{"types": ["cat.*"], "deprecated": false}') -> 'channels') AS k ORDER BY k COLLATE "C";
-- a channel's key depends on its type alone; a type that is named like a key has another one
SELECT register_event_schema(t, 1, '{}') IS NOT NULL AS registered FROM unnest(ARRAY['dog:a', 'dog;a', 'dog_a', 'dog_a_' || left(md5('dog:a'), 16)]) AS t;
SELECT key, value ->> 'address' AS address FROM jsonb_each(event_asyncapi('{"types": ["dog*"]}') -> 'channels') ORDER BY key COLLATE "C";
SELECT key, value ->> 'address' AS address FROM jsonb_each(event_asyncapi('{"types": ["dog;a"]}') -> 'channels');
-- in a table, an odd number of backslashes escapes a pipe
SELECT register_event_schema('dog', 1, '{"properties": {"a|b": {"pattern": "a|b\\|c\\\\\\\\|d"}}}') IS NOT NULL AS registered;
SELECT line FROM string_to_table(event_schema_docs('dog'), E'\n') AS line WHERE line LIKE '%a%|b%';

-- ---------- OpenAPI ----------

SELECT jsonb_pretty(event_openapi('{"types": ["cat.old", "cat.shape"]}'));
SELECT d -> 'webhooks' AS webhooks, d -> 'components' -> 'schemas' -> 'cat.tree.v1' AS tree FROM event_openapi('{"types": ["cat.tree"]}', webhooks => true) AS d;

-- ---------- what is left out of a page ----------

-- a document that cannot be read, and one that becomes too long, do not stop the page for the others
SET check_function_bodies = off;
CREATE FUNCTION event_schema."cat.left.broken@1"(data jsonb) RETURNS boolean LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE AS '{"$ref": "event:cat.none@1"}';
RESET check_function_bodies;
SELECT register_event_schema('cat.left.long', 1, jsonb_build_object('$defs', jsonb_build_object(repeat('k', 1000000), '{"$anchor": "a"}'::jsonb),
  'prefixItems', (SELECT jsonb_agg('{"$ref": "#a"}'::jsonb) FROM generate_series(1, 70)))) IS NOT NULL AS registered;
SELECT register_event_schema('cat.left.good', 1, '{"properties": {"a": {"$ref": "event:cat.left.long@1"}}}') IS NOT NULL AS registered;
SELECT register_event_schema('cat.left.better', 1, '{"properties": {"a": {"$ref": "event:cat.left.good@1"}}}') IS NOT NULL AS registered;
\set VERBOSITY default
SELECT jsonb_pretty(event_openapi('{"types": ["cat.left.*"]}') #> '{components,schemas}');
SET client_min_messages = error;
SELECT d #> '{components,schemas}' AS schemas, d -> 'channels' AS channels FROM event_asyncapi('{"types": ["cat.left.*"]}') AS d;
RESET client_min_messages;
-- where types are named, the page has all of them, or there is an error
SELECT event_openapi('{"types": ["cat.left.good", "cat.left.broken"]}');
DROP FUNCTION event_schema."cat.left.broken@1"(jsonb);
SELECT drop_event_schema(t, 1) FROM unnest(ARRAY['cat.left.better', 'cat.left.good', 'cat.left.long']) AS t;

-- ---------- errors ----------

SELECT event_schema_docs(NULL);
SELECT event_schema_docs('cat.unknown');
SELECT event_schema_docs('cat.order', 3);
SELECT event_schema_docs('', 3);
SELECT event_schema_example(NULL, 1);
SELECT * FROM event_schema_properties(NULL);
SELECT event_schema_uri('cat.order', -1);
SELECT event_asyncapi(NULL);
SELECT event_asyncapi('[]');
SELECT event_asyncapi('{"type": ["a"]}');
SELECT event_asyncapi('{"types": "a"}');
SELECT event_asyncapi('{"types": [1]}');
SELECT event_asyncapi('{"types": ["cat.unknown"]}');
SELECT event_asyncapi('{"versions": 1}');
SELECT event_asyncapi('{"deprecated": "no"}');
SELECT event_asyncapi(dialect => 'draft-05');
SELECT event_asyncapi(cloudevents => 'on');
SELECT event_asyncapi(action => 'publish');
SELECT event_openapi('{"types": ["cat.nothing*"]}', title => 'Nothing');

SET client_min_messages = warning;
DROP TABLE cat_orders, cat_others;
SELECT drop_event_upcast('cat.order', 1, 2);
DROP FUNCTION raise_order(jsonb);
SELECT count(drop_event_schema(t, v)::text) AS dropped FROM (VALUES ('cat.loose', 1), ('cat.shape', 1), ('cat.order', 2), ('cat.order', 1), ('cat.old', 1), ('cat.tree', 1),
  ('cat.never', 1), ('cat with space', 1)) AS d (t, v);
DROP FUNCTION event_schema."https://example.com/money"(jsonb);
