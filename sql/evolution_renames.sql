-- Renames of properties: event_rename, in a schema, as upcasts, in the comparison.
\set VERBOSITY terse
\set SHOW_CONTEXT never

-- ---------- event_rename ----------
SELECT event_rename('{"qty": 1, "other": [1]}', '{"qty": "quantity"}');
SELECT event_rename('{"price": {"amt": 1, "x": {"amt": 2}}, "amt": 3}', '{"/price/amt": "/price/amount"}');
SELECT event_rename('{"items": [{"no": 1}, {"no": 2, "no2": []}, 3, [{"no": 4}]]}', '{"/items/*/no": "/items/*/number"}');
SELECT event_rename('[{"no": 1}, {"no": 2}]', '{"/*/no": "/*/number"}');
-- the first pointer is about the old document, the second about the new one
SELECT event_rename('{"price": {"amt": 1}}', '{"/price": "/cost", "/price/amt": "/cost/amount"}');
-- all at the same time
SELECT event_rename('{"a": 1, "b": 2, "c": 3}', '{"a": "b", "b": "a"}');
SELECT event_rename('{"a": 1, "b": 2, "c": 3}', '{"a": "b", "b": "c", "c": "a"}');
-- a property that is missing, and values of other types, stay
SELECT event_rename('{"x": 1}', '{"qty": "quantity", "/x/y": "/x/z"}'), event_rename('"text"', '{"a": "b"}'), event_rename('[{"a": 1}]', '{"a": "b"}');
-- names that need an escape; an empty one; a name with a slash is a pointer
SELECT event_rename('{"a/b": 1, "": 2, "*": 3}', '{"/a~1b": "a~b", "": "none"}');
-- both names: one stays if the values are equal
SELECT event_rename('{"qty": 1.0, "quantity": 1}', '{"qty": "quantity"}');
SELECT event_rename('{"qty": 1, "quantity": 2}', '{"qty": "quantity"}');
SELECT event_rename('{"a": {"x": 1}, "b": {"x": 1}}', '{"/a": "/b", "/a/x": "/b/y"}');
SELECT event_rename(NULL, '{"a": "b"}'), event_rename('{"a": 1}', NULL);
-- no mappings
\set VERBOSITY default
SELECT event_rename('{}', '{}');
\set VERBOSITY terse
CREATE TEMP TABLE no_mappings (number serial, mapping jsonb);
INSERT INTO no_mappings (mapping) VALUES ('[]'), ('"a"'), ('{"a": 1}'), ('{"a": "a"}'), ('{"a": "/b/c"}'), ('{"/a/b": "/c/d"}'), ('{"/a/b": "b"}'),
  ('{"a": "c", "b": "c"}'), ('{"a": "b", "/a": "c"}'), ('{"/a/*": "/a/b"}'), ('{"/a/b": "/a/*"}'), ('{"/a/*/b": "/a/x/b"}'), ('{"/a": "/b", "/b/x": "/b/y"}'), ('{"/a/x": "/a/y", "/a": "/b"}');
DO $$
DECLARE
  m jsonb;
  detail text;
BEGIN
  FOR m IN SELECT mapping FROM no_mappings ORDER BY number LOOP
    BEGIN
      PERFORM event_rename('{}', m);
      RAISE NOTICE '% is a mapping', m;
    EXCEPTION WHEN invalid_parameter_value THEN
      GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
      RAISE NOTICE '%: %', m, detail;
    END;
  END LOOP;
END $$;
SELECT event_rename('{}', jsonb_object_agg('a' || i, 'b' || i)) FROM generate_series(1, 1001) AS i;

-- ---------- renames of a schema ----------
SELECT register_event_schema('renames', 1, '{"required": ["qty"], "properties": {"qty": {"type": "integer"}, "price": {"$ref": "#/$defs/money"}},
  "$defs": {"money": {"type": "object", "required": ["amt"], "properties": {"amt": {"type": "number"}, "again": {"$ref": "#/$defs/money"}}}}}');
-- without them, the policy refuses it
SELECT register_event_schema('renames', 2, '{"required": ["quantity"], "properties": {"quantity": {"type": "integer"}}}');
SELECT against, location, rule, verdict FROM check_event_compatibility('renames', '{"required": ["quantity"], "properties": {"quantity": {"type": "integer"}, "price": {}}}', renames => '{"qty": "quantity"}');
-- what else changed is refused nevertheless
SELECT location, rule, verdict FROM check_event_compatibility('renames', '{"required": ["quantity"], "properties": {"quantity": {"type": "integer", "minimum": 1}, "price": {}}}', renames => '{"qty": "quantity"}');
-- a reference leads to the original: only the price itself is renamed
SELECT location, rule, verdict FROM check_event_compatibility('renames', '{"required": ["qty"], "properties": {"qty": {}, "price": {"properties": {"amount": {"type": "number"}, "again": {"required": ["amount"]}}}}}', renames => '{"/price/amt": "/price/amount"}');
SELECT location, rule, verdict FROM check_event_compatibility('renames', '{"required": ["qty"], "properties": {"qty": {}, "price": {"required": ["amount"], "properties": {"amount": {"type": "number"}, "again": {"required": ["amt"]}}}}}', renames => '{"/price/amt": "/price/amount"}');
-- a name that no schema has
SELECT location, rule, verdict, message FROM check_event_compatibility('renames', '{"properties": {"quantity": {}}}', renames => '{"quty": "quantity"}');
SELECT location, rule, verdict, message FROM check_event_compatibility('renames', '{"properties": {"qty": {}}}', renames => '{"qty": "quantity"}');
SELECT register_event_schema('renames', 2, '{"properties": {"quantity": {}}}', renames => '{"quty": "quantity"}');
SELECT register_event_schema('renames', 2, '{"required": ["quantity"], "properties": {"quantity": {"type": "integer"}, "price": {}}}', renames => '{"qty": "quantity"}');
SELECT prosrc FROM pg_proc WHERE proname = 'renames@2';
SELECT schema_version, renames FROM event_schemas WHERE event_type = 'renames' ORDER BY 1;
-- no function is needed, in neither direction
SELECT upcast_event('{"qty": 7}', 'renames', 1), event_at_version('{"quantity": 7}', 'renames', 2, 1), event_upcast_path('renames', 1);
SELECT upcast_event('{"qty": 7, "quantity": 8}', 'renames', 1);
SELECT upcast_event('{"qty": "x"}', 'renames', 1);
SELECT event_type, from_version, to_version, function, calls, renames FROM event_upcasts WHERE event_type = 'renames';
-- they are those of the version, for good
SELECT register_event_schema('renames', 2, '{"required": ["quantity"], "properties": {"quantity": {"type": "integer"}, "price": {}}}', renames => '{"/qty": "quantity"}');
SELECT register_event_schema('renames', 2, '{"required": ["quantity"], "properties": {"quantity": {"type": "integer"}, "price": {}}}');
SELECT register_event_schema('renames', 2, '{"title": "T", "required": ["quantity"], "properties": {"quantity": {"type": "integer"}, "price": {}}}', renames => '{"qty": "quantity"}');
-- a third version: what reads the first one is renamed twice
SELECT set_event_compatibility('renames', 'backward_transitive');
SELECT register_event_schema('renames', 3, '{"required": ["volume"], "properties": {"volume": {"type": "integer"}, "price": {}}}', renames => '{"quantity": "volume"}');
SELECT upcast_event('{"qty": 7}', 'renames', 1), event_at_version('{"volume": 7}', 'renames', 3, 1);
SELECT location, rule, verdict, against, direction FROM check_event_compatibility('renames', '{"required": ["size"], "properties": {"size": {"type": "number"}, "price": {}}}', renames => '{"volume": "size"}');
-- tables, views and migrations go the same way
CREATE TABLE renamed (id int PRIMARY KEY, event_type text, schema_version int, data jsonb);
INSERT INTO renamed VALUES (1, 'renames', 1, '{"qty": 1}'), (2, 'renames', 2, '{"quantity": 2}'), (3, 'renames', 3, '{"volume": 3}'), (4, 'renames', 1, '{"qty": 4, "quantity": 5}');
SELECT * FROM check_event_upgrade('renamed', 'renames', 1, 3);
DELETE FROM renamed WHERE id = 4;
SELECT create_event_view('renames_latest', 'renamed', 'renames');
SELECT create_event_view('renames_first', 'renamed', 'renames', 1);
SELECT id, volume FROM renames_latest ORDER BY id;
SELECT id, qty FROM renames_first ORDER BY id;
CALL migrate_events('renamed', 'renames', 3);
SELECT id, schema_version, data FROM renamed ORDER BY id;
-- CREATE FUNCTION, and what event_schema_ddl writes, have them as a line
CREATE FUNCTION event_schema."renames@4"(data jsonb) RETURNS boolean LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE AS '#renames {"volume": "size"}
{"required": ["size"], "properties": {"size": {"type": "integer"}, "price": {}}}';
SELECT upcast_event('{"qty": 7}', 'renames', 1);
CREATE FUNCTION event_schema."renames@5"(data jsonb) RETURNS boolean LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE AS '#renames {"volume": 1}
{}';
CREATE FUNCTION event_schema."renames@5"(data jsonb) RETURNS boolean LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE AS '#renames {"volume":
{}';
CREATE OR REPLACE FUNCTION event_schema."renames@4"(data jsonb) RETURNS boolean LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE AS '{"required": ["size"], "properties": {"size": {"type": "integer"}, "price": {}}}';
SELECT ddl FROM event_schema_ddl('renames') AS ddl WHERE ddl LIKE '%#renames {"vol%';
DROP VIEW renames_latest, renames_first;
DROP TABLE renamed;
-- they lead from the version before them, so nothing else may come before them
\set VERBOSITY default
SELECT drop_event_schema('renames', 2);
SELECT drop_event_schema('renames', 3);
DROP FUNCTION event_schema."renames@3"(jsonb);
\set VERBOSITY terse
DROP FUNCTION event_schema."renames@2"(jsonb), event_schema."renames@3"(jsonb);
BEGIN;
SELECT drop_event_schema('renames', 1), drop_event_schema('renames', 2);
SELECT upcast_event('{"volume": 7}', 'renames', 3);
DROP FUNCTION event_schema."renames@3"(jsonb), event_schema."renames@4"(jsonb);
ROLLBACK;
SELECT count(drop_event_schema('renames', v)) FROM generate_series(4, 1, -1) AS v;
DROP FUNCTION event_schema."renames@compatibility";

-- nor does a version come between later, except in a dump, in which 10 is before 2
SELECT register_event_schema('renames.gap', 1, '{"required": ["a"]}'), register_event_schema('renames.gap', 3, '{"required": ["c"], "properties": {"a": {}, "c": {}}}', breaking => true, renames => '{"a": "c"}');
\set VERBOSITY default
SELECT register_event_schema('renames.gap', 2, '{"required": ["b"]}', breaking => true);
\set VERBOSITY terse
SELECT name, action FROM register_schemas('{"renames.gap@2": {"required": ["b"]}}', breaking => true);
SELECT name, action FROM register_schemas('{"renames.gap@4": {"required": ["c"]}}', breaking => true);
CREATE FUNCTION event_schema."renames.gap@2"(data jsonb) RETURNS boolean LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE AS '#breaking
{"required": ["a"]}';
SELECT upcast_event('{"a": 7}', 'renames.gap', 1);
DROP FUNCTION event_schema."renames.gap@1"(jsonb), event_schema."renames.gap@2"(jsonb), event_schema."renames.gap@3"(jsonb), event_schema."renames.gap@4"(jsonb);

-- ---------- upcasts ----------
SELECT register_event_schema('renames.up', 1, '{"required": ["a"]}'), register_event_schema('renames.up', 2, '{"required": ["b"]}', breaking => true),
  register_event_schema('renames.up', 4, '{"required": ["c"]}', breaking => true);
SELECT register_event_rename('renames.up', 1, 4, '{"a": "b"}');
SELECT register_event_rename('renames.up', 2, 1, '{"b": "a"}');
SELECT register_event_rename('renames.up', 1, 2, '{"a": 1}');
SELECT register_event_rename('renames.up', 1, 2, NULL);
SELECT register_event_rename('renames.up', 1, 2, '{"a": "b"}', downcast => true);
SELECT register_event_rename('renames.up', 2, 4, '{"b": "c"}');
SELECT register_event_rename('renames.up', 1, 2, '{"a": "b"}');
SELECT register_event_rename('renames.up', 1, 2, '{"a": "c"}');
SELECT provolatile, proparallel, proowner = current_user::regrole AS mine, pg_get_function_sqlbody(oid) FROM pg_proc WHERE proname = 'renames.up@2>1';
SELECT from_version, to_version, function, calls, renames, owner = current_user AS mine FROM event_upcasts WHERE event_type = 'renames.up';
SELECT upcast_event('{"a": 1}', 'renames.up', 1), event_at_version('{"b": 1}', 'renames.up', 2, 1);
SELECT upcast_event('{"x": 1}', 'renames.up', 1);
SELECT drop_event_schema('renames.up', 1);
-- rights are those of upcasts
CREATE ROLE regress_renames;
SET ROLE regress_renames;
SELECT register_event_rename('renames.up', 1, 2, '{"a": "c"}');
SELECT drop_event_upcast('renames.up', 2, 4);
SELECT upcast_event('{"a": 1}', 'renames.up', 1, 2), (SELECT count(*) FROM event_upcasts WHERE event_type = 'renames.up') AS seen;
RESET ROLE;
REVOKE EXECUTE ON FUNCTION event_schema."renames.up@1>2" FROM PUBLIC;
SET ROLE regress_renames;
SELECT upcast_event('{"a": 1}', 'renames.up', 1, 2);
RESET ROLE;
DROP ROLE regress_renames;
SELECT drop_event_upcast('renames.up', 1, 2), drop_event_upcast('renames.up', 2, 1), drop_event_upcast('renames.up', 2, 4);
SELECT count(drop_event_schema('renames.up', v)) FROM unnest('{4,2,1}'::int[]) AS v;

-- ---------- bundles ----------
SELECT * FROM register_schemas('{"renames.b@1": {"required": ["a"], "properties": {"a": {"enum": [1, 2]}}}, "renames.b@2": {"required": ["b"], "properties": {"b": {"enum": [1]}}}}',
  renames => '{"renames.b@2": {"a": "b"}}', accept => '{"renames.b@2 /properties/b/enum ENUM_VALUE_REMOVED"}');
SELECT schema_version, accept, renames FROM event_schemas WHERE event_type = 'renames.b' ORDER BY 1;
SELECT * FROM register_schemas('{"renames.b@1": {"required": ["a"], "properties": {"a": {"enum": [1, 2]}}}, "renames.b@2": {"required": ["b"], "properties": {"b": {"enum": [1]}}}}',
  renames => '{"renames.b@2": {"a": "b"}}', accept => '{"renames.b@2 /properties/b/enum ENUM_VALUE_REMOVED"}');
-- a single version needs no name; others do
SELECT * FROM register_schemas('{"renames.b@3": false}', accept => '{TYPE_NARROWED}');
SELECT accept FROM event_schemas WHERE event_type = 'renames.b' AND schema_version = 3;
SELECT * FROM register_schemas('{"renames.b@4": {}, "renames.b@5": {}}', accept => '{TYPE_NARROWED}');
SELECT * FROM register_schemas('{"renames.b@4": {}}', renames => '{"renames.b@5": {"a": "b"}}');
SELECT * FROM register_schemas('{"renames.b@4": {}}', renames => '{"renames.b@4": ["a", "b"]}');
SELECT * FROM register_schemas('{"renames.b@4": {}}', renames => '[]');
SELECT * FROM register_schemas('{"renames.b@4": {}}', accept => '{NO_RULE}');
SELECT * FROM register_schemas('{"renames.b@4": {}}', breaking => true, accept => '{TYPE_NARROWED}');
SELECT count(drop_event_schema('renames.b', v)) FROM generate_series(3, 1, -1) AS v;

-- ---------- the comparison ----------
CREATE FUNCTION pg_temp.verdicts(old jsonb, new jsonb, renames jsonb, lenient boolean DEFAULT true) RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(format('%s %s %s %s', coalesce(nullif(location, ''), '-'), rule, backward, forward), E'\n' ORDER BY n)
  FROM event_schema_changes(old, new, lenient, renames) WITH ORDINALITY AS c(location, rule, backward, forward, message, n) $$;
\pset format unaligned
\pset tuples_only on
SELECT pg_temp.verdicts('{"properties": {"a": {"type": "string"}}}', '{"properties": {"b": {"type": "string"}}}', '{"a": "b"}');
SELECT pg_temp.verdicts('{"properties": {"a": {"type": "string"}}}', '{"properties": {"b": {"type": ["string", "null"]}}}', '{"a": "b"}');
-- strictly, an event of an open object can have both names
SELECT pg_temp.verdicts('{"properties": {"a": {}}}', '{"properties": {"b": {}}}', '{"a": "b"}', false);
SELECT pg_temp.verdicts('{"properties": {"a": {}}, "additionalProperties": false}', '{"properties": {"b": {}}, "additionalProperties": false}', '{"a": "b"}', false);
SELECT pg_temp.verdicts('{"properties": {"a": {}, "b": false}}', '{"properties": {"b": {}, "a": false}}', '{"a": "b"}', false);
SELECT pg_temp.verdicts('{"properties": {"l": {"items": {"properties": {"a": {}}, "additionalProperties": false}}}}', '{"properties": {"l": {"items": {"properties": {"b": {}, "a": false}}}}}', '{"/l/*/a": "/l/*/b"}', false);
-- both names are declared: nothing is known about the rename
SELECT pg_temp.verdicts('{"properties": {"a": {}, "b": {}}}', '{"properties": {"b": {}}}', '{"a": "b"}');
SELECT pg_temp.verdicts('{"properties": {"a": {}}, "anyOf": [{"required": ["b"]}, {"required": ["a"]}]}', '{"properties": {"b": {}}}', '{"a": "b"}');
SELECT pg_temp.verdicts('{"properties": {"a": {"type": "string"}}, "patternProperties": {"^x": {}}}', '{"properties": {"b": {"type": "string"}}}', '{"a": "b"}');
SELECT pg_temp.verdicts('{"properties": {"a": {}}, "additionalProperties": {"type": "integer"}}', '{"properties": {"b": {}}}', '{"a": "b"}');
SELECT pg_temp.verdicts('{"properties": {"a": {}}}', '{"properties": {"b": {}, "a": {"type": "string"}}}', '{"a": "b"}');
-- two properties exchange their names
SELECT pg_temp.verdicts('{"properties": {"a": {"type": "string"}, "b": {"type": "integer"}}}', '{"properties": {"b": {"type": "string"}, "a": {"type": "number"}}}', '{"a": "b", "b": "a"}', false);
-- branches, dependencies, references, arrays
SELECT pg_temp.verdicts('{"oneOf": [{"properties": {"k": {"const": 1}, "a": {"type": "string"}}, "required": ["k", "a"]}, {"properties": {"k": {"const": 2}}, "required": ["k"]}]}',
  '{"oneOf": [{"properties": {"k": {"const": 1}, "b": {"type": "string"}}, "required": ["k", "b"]}, {"properties": {"k": {"const": 2}}, "required": ["k"]}]}', '{"a": "b"}');
SELECT pg_temp.verdicts('{"properties": {"a": {}, "c": {}}, "dependentRequired": {"a": ["c"], "c": ["a"]}}', '{"properties": {"b": {}, "c": {}}, "dependentRequired": {"b": ["c"], "c": ["b"]}}', '{"a": "b"}');
SELECT pg_temp.verdicts('{"$schema": "http://json-schema.org/draft-07/schema#", "properties": {"l": {"type": "array", "items": {"$ref": "#/definitions/n"}}}, "definitions": {"n": {"required": ["a"], "properties": {"a": {"type": "string"}, "l": {"$ref": "#/properties/l"}}}}}',
  '{"properties": {"l": {"type": "array", "items": {"required": ["b"], "properties": {"b": {"type": "string"}, "l": {"type": "array", "items": {"required": ["a"]}}}}}}}', '{"/l/*/a": "/l/*/b"}');
SELECT pg_temp.verdicts('{"properties": {"p": {"$dynamicRef": "#x"}}, "$defs": {"x": {"$dynamicAnchor": "x", "properties": {"a": {}}}}}', '{"properties": {"p": {"properties": {"b": {}}}}}', '{"/p/a": "/p/b"}');
SELECT pg_temp.verdicts('{"properties": {"p": {"$id": "https://renames.test/p", "properties": {"a": {}}}}}', '{"properties": {"p": {"properties": {"b": {}}}}}', '{"/p/a": "/p/b"}');
SELECT pg_temp.verdicts('{"const": {"a": 1}, "properties": {"a": {}}}', '{"const": {"b": 1}, "properties": {"b": {}}}', '{"a": "b"}');
-- a registered document, into which a reference leads
SELECT register_schema('https://renames.test/money', '{"required": ["amt"], "properties": {"amt": {"$ref": "#/$defs/n"}}, "$defs": {"n": {"type": "number"}}}');
SELECT pg_temp.verdicts('{"properties": {"p": {"$ref": "https://renames.test/money"}}}', '{"properties": {"p": {"required": ["amount"], "properties": {"amount": {"type": "number"}}}}}', '{"/p/amt": "/p/amount"}');
SELECT pg_temp.verdicts('{"properties": {"p": {"$ref": "https://renames.test/money"}}}', '{"properties": {"p": {"required": ["amount"], "properties": {"amount": {"type": "integer"}}}}}', '{"/p/amt": "/p/amount"}');
DROP FUNCTION event_schema."https://renames.test/money";
-- unevaluatedProperties closes an object, if its draft knows it and no keyword evaluates all properties
SELECT pg_temp.verdicts('{"properties": {"a": {}}, "unevaluatedProperties": false}', '{"properties": {"b": {}}, "unevaluatedProperties": false}', '{"a": "b"}', false);
SELECT pg_temp.verdicts('{"properties": {"a": {}}, "additionalProperties": true, "unevaluatedProperties": false}', '{"properties": {"b": {}}, "additionalProperties": true, "unevaluatedProperties": false}', '{"a": "b"}', false);
SELECT pg_temp.verdicts('{"properties": {"a": {}}, "anyOf": [{"unevaluatedProperties": {}}], "unevaluatedProperties": false}', '{"properties": {"b": {}}, "anyOf": [{"unevaluatedProperties": {}}], "unevaluatedProperties": false}', '{"a": "b"}', false);
SELECT pg_temp.verdicts('{"$schema": "http://json-schema.org/draft-07/schema#", "properties": {"a": {}}, "unevaluatedProperties": false}', '{"$schema": "http://json-schema.org/draft-07/schema#", "properties": {"b": {}}, "unevaluatedProperties": false}', '{"a": "b"}', false);
-- up to draft 7, the keywords beside $ref are ignored, and the dialect stays that of the document
SELECT pg_temp.verdicts('{"$schema": "http://json-schema.org/draft-07/schema#", "$ref": "#/definitions/x", "allOf": [{"additionalProperties": false}], "definitions": {"x": {"properties": {"a": {}}}}}', '{"$schema": "http://json-schema.org/draft-07/schema#", "$ref": "#/definitions/x", "allOf": [{"additionalProperties": false}], "definitions": {"x": {"properties": {"b": {}}}}}', '{"a": "b"}', false);
SELECT pg_temp.verdicts('{"$schema": "http://json-schema.org/draft-07/schema#", "$ref": "#/definitions/x", "definitions": {"x": {"properties": {"a": {"prefixItems": [{"type": "integer"}]}}}}}', '{"$schema": "http://json-schema.org/draft-07/schema#", "properties": {"b": {"items": [{"type": "integer"}]}}}', '{"a": "b"}');
-- a document, into which a reference leads, asserts other formats, or has another dialect
SELECT register_event_schema('renames.f', 1, '{"properties": {"a": {"type": "string", "format": "email"}}}'), register_event_schema('renames.f', 2, '{"properties": {"a": {"type": "string", "format": "email"}}}', assert_format => false),
  register_event_schema('renames.f', 3, '{"properties": {"a": {"type": "string", "format": "email"}}}', except_formats => '{email}'), register_event_schema('renames.f', 4, '{"properties": {"a": {"prefixItems": [{"type": "integer"}], "items": false}}}', breaking => true);
SELECT v, pg_temp.verdicts(format('{"$ref": "event:renames.f@%s"}', v)::jsonb, '{"properties": {"b": {"type": "string", "format": "email"}}}', '{"a": "b"}') FROM generate_series(1, 3) AS v;
SELECT pg_temp.verdicts('{"$ref": "event:renames.f@4"}', '{"properties": {"b": {"maxItems": 1}}}', '{"a": "b"}');
SELECT pg_temp.verdicts('{"$schema": "http://json-schema.org/draft-07/schema#", "properties": {"p": {"$ref": "event:renames.f@4"}}}', '{"$schema": "http://json-schema.org/draft-07/schema#", "properties": {"p": {"properties": {"b": {"maxItems": 0}}}}}', '{"/p/a": "/p/b"}');
SELECT count(drop_event_schema('renames.f', v)) FROM generate_series(4, 1, -1) AS v;
-- NULL
SELECT count(*) FROM event_schema_changes(NULL, '{}');
\pset format aligned
\pset tuples_only off

-- No event that its old schema accepts is refused by the new one after its upcast, if the
-- answer is "compatible"; and back.  Strictly, so that all events count.
CREATE TEMP TABLE parts (old jsonb, new jsonb);
INSERT INTO parts SELECT o, n FROM unnest(ARRAY['{}', '{"required": ["a"]}', '{"additionalProperties": false}', '{"properties": {"b": false}}', '{"properties": {"b": {}}}',
    '{"anyOf": [{"required": ["a"]}, {"properties": {"c": {"const": 1}}, "required": ["c"]}]}', '{"not": {"required": ["a", "c"]}}', '{"maxProperties": 1}',
    '{"patternProperties": {"^b": {"const": 1}}}', '{"dependentRequired": {"a": ["c"]}}', '{"if": {"required": ["a"]}, "then": {"required": ["c"]}}',
    '{"propertyNames": {"maxLength": 1}}', '{"unevaluatedProperties": false}', '{"additionalProperties": {"const": 1}}', '{"allOf": [{"properties": {"b": false}}]}',
    '{"const": {"a": 1}}']::jsonb[]) AS o,
  unnest(ARRAY['{}', '{"required": ["b"]}', '{"additionalProperties": false}', '{"properties": {"a": false}}', '{"properties": {"a": {}}}', '{"properties": {"b": {"const": 1}}}',
    '{"anyOf": [{"required": ["b"]}, {"properties": {"c": {"const": 1}}, "required": ["c"]}]}', '{"not": {"required": ["b", "c"]}}', '{"maxProperties": 1}',
    '{"dependentRequired": {"b": ["c"]}}', '{"if": {"required": ["b"]}, "then": {"required": ["c"]}}', '{"unevaluatedProperties": false}']::jsonb[]) AS n;
CREATE TEMP TABLE pairs AS
  SELECT old, new, bool_and(backward = 'compatible') AS backward, bool_and(forward = 'compatible') AS forward
  FROM (SELECT p.old || jsonb_build_object('properties', coalesce(p.old->'properties', '{}') || '{"a": {}, "c": {}}') AS old,
          p.new || jsonb_build_object('properties', '{"b": {}, "c": {}}' || coalesce(p.new->'properties', '{}')) AS new FROM parts AS p) AS p,
    event_schema_changes(old, new, false, '{"a": "b"}') GROUP BY old, new;
SELECT count(*), count(*) FILTER (WHERE backward) > 10 AS backward, count(*) FILTER (WHERE forward) > 10 AS forward FROM pairs;
CREATE FUNCTION pg_temp.renamed(event jsonb, renames jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
  RETURN event_rename(event, renames);
EXCEPTION WHEN duplicate_json_object_key_value THEN
  RETURN NULL;
END $$;
CREATE TEMP TABLE events AS
  SELECT e, pg_temp.renamed(e, '{"a": "b"}') AS up, pg_temp.renamed(e, '{"b": "a"}') AS down
  FROM (SELECT jsonb_strip_nulls(jsonb_build_object('a', a, 'b', b, 'c', c, 'dd', d)) AS e
    FROM unnest('{1,2,NULL}'::int[]) AS a, unnest('{1,2,NULL}'::int[]) AS b, unnest('{1,2,NULL}'::int[]) AS c, unnest('{1,NULL}'::int[]) AS d
    UNION ALL SELECT '1') AS e;
SELECT p.old, p.new, e FROM pairs AS p, events WHERE p.backward AND jsonb_matches_schema(p.old, e) AND NOT coalesce(jsonb_matches_schema(p.new, up), false)
UNION ALL
SELECT p.old, p.new, e FROM pairs AS p, events WHERE p.forward AND jsonb_matches_schema(p.new, e) AND NOT coalesce(jsonb_matches_schema(p.old, down), false);
