-- The calls of pg_jsonschema, without it and beside it.
\pset null theirs
SET client_min_messages = warning;

-- without it: json, and literals
SELECT json_matches_schema('{"type": "object"}', '{}') AS literals,
  json_matches_schema('{"type": "object"}'::json, '[]') AS schema_json,
  json_matches_schema('{"type": "object"}', '{}'::json) AS instance_json,
  json_matches_schema('{"type": "object"}'::json, '[]'::json) AS both_json;
SELECT jsonb_matches_schema('{"type": "object"}', '{}') AS literals,
  jsonb_matches_schema('{"type": "object"}'::json, '[]') AS schema_json,
  jsonb_matches_schema('{"type": "object"}', '{}'::jsonb) AS instance_jsonb,
  jsonb_matches_schema('{"type": "object"}'::json, '[]'::jsonb) AS both_typed,
  jsonb_matches_schema('{"type": "object"}'::jsonb, '{}') AS schema_jsonb;
SELECT jsonschema_is_valid('{"type": "object"}') AS literal, jsonschema_is_valid('{"type": "obj"}'::json) AS json,
  jsonschema_is_valid('{"type": "obj"}'::jsonb) AS jsonb;
SELECT jsonschema_validation_errors('{"maxLength": 4}', '"123456789"') AS literals,
  jsonschema_validation_errors('{"maxLength": 4}', '"1234"'::json) AS none;
SELECT unnest(jsonschema_validation_errors('{"required": ["a", "b"], "properties": {"c": {"format": "date"}}}'::json, '{"c": "x"}'));
-- a schema that is not valid: its error is the only element
SELECT jsonschema_validation_errors('{"maxLength": "4"}', '1');
SELECT json_matches_schema('{"maxLength": "4"}', '1');
-- not JSON
SELECT json_matches_schema('{"maxLength": ', '1');
SELECT jsonschema_is_valid('{');
-- formats are checked unless the third argument says otherwise
SELECT json_matches_schema('{"format": "date"}', '"x"'), json_matches_schema('{"format": "date"}', '"x"', false) AS off,
  jsonb_matches_schema('{"format": "date"}', '"x"', assert_format => false) AS named,
  jsonb_matches_schema('{"format": "date"}', '"x"'::jsonb, false) AS jsonb;
-- NULL gives NULL where the schema is json, as in pg_jsonschema
SELECT json_matches_schema('true', NULL) IS NULL AS json, json_matches_schema(NULL, '1'::json) IS NULL AS no_schema,
  jsonb_matches_schema('true'::json, NULL) IS NULL AS jsonb, jsonb_matches_schema('true', NULL::jsonb) AS jsonb_schema,
  jsonschema_is_valid(NULL::json) IS NULL AS valid, jsonschema_validation_errors(NULL, '1') IS NULL AS errors;
-- types of parameters
PREPARE drivers AS SELECT jsonb_matches_schema($1, $2), jsonb_matches_schema($3, '1'::jsonb), json_matches_schema($4, $5);
SELECT parameter_types FROM pg_prepared_statements WHERE name = 'drivers';
DEALLOCATE drivers;

-- one call site, whose schema and instance change
SELECT s, i, json_matches_schema(s, i) AS json, jsonb_matches_schema(s, i::jsonb) AS jsonb
FROM (VALUES ('{"type": "integer"}'::json, '1'::json), ('{"type": "string"}', '1'), ('{"type": "string"}', '"1"'),
  ('{"type":"string"}', '1'), ('{"minimum": 1}', '0'), ('{"minimum": 0}', '0')) AS v (s, i);
-- a constant schema, a variable of PL/pgSQL, whose address stays the same, and a parameter
SELECT count(*) FILTER (WHERE jsonb_matches_schema('{"multipleOf": 3}', to_jsonb(n))) AS jsonb,
  count(*) FILTER (WHERE jsonb_matches_schema('{"multipleOf": 3}'::json, to_jsonb(n))) AS json,
  count(*) FILTER (WHERE jsonb_matches_schema('{"format": "date"}', '"x"'::jsonb, n % 3 = 0)) AS option
FROM generate_series(1, 9) AS n;
DO $$
DECLARE
  schema json;
  answers text := '';
BEGIN
  FOR n IN 1..9 LOOP
    schema := format('{"const": %s}', n % 3);
    answers := answers || jsonb_matches_schema(schema, '1'::jsonb)::int || json_matches_schema(schema, '2')::int || ' ';
  END LOOP;
  RAISE WARNING '%', answers;
END
$$;
SET plan_cache_mode = force_generic_plan;
PREPARE generic(json) AS SELECT jsonb_matches_schema($1, '1'::jsonb) FROM generate_series(1, 2);
EXECUTE generic('{"const": 1}');
EXECUTE generic('{"const": 2}');
DEALLOCATE generic;
RESET plan_cache_mode;

-- json documents of events; literals and parameters are jsonb
SELECT register_event_schema('beside', 1, '{"type": "object", "required": ["a"]}');
CREATE TABLE beside (data json, type text, version int);
CREATE DOMAIN event_name AS varchar;
SELECT validate_event('{"a": 1}'::json, 'beside', 1) AS json, validate_event('{}'::json, 'beside', 1) AS bad,
  validate_event('{}'::json, 'beside', 2) AS unregistered, validate_event(NULL::json, 'beside', 1) AS nothing,
  validate_event('{"a": 1}'::json, 'beside'::name, 1::smallint) AS name,
  validate_event('{"a": 1}'::json, 'beside'::event_name, 1) AS domain;
SELECT pg_typeof(check_event), check_event FROM check_event('{"a": 1}'::json, 'beside', 1);
SELECT check_event('{"b": 1}'::json, 'beside', 1, 'my_check');
SELECT check_event('{"b": 1}'::json, 'beside', 2);
SELECT check_event(NULL::json, 'beside', 1);
SELECT check_event('{"b": 1}'::json, NULL, 1);
EXPLAIN (VERBOSE, COSTS off) SELECT check_event('{}', 'beside', 1), validate_event('{}', type, version),
  validate_event('{}', type::varchar, 1), validate_event('{}', type::event_name, 1), validate_event(data, type, 1)
FROM beside;
PREPARE drivers AS SELECT check_event($1, $2, $3), validate_event($4, $5, $6), check_event($7, type::varchar, 1, $8) FROM beside;
SELECT parameter_types FROM pg_prepared_statements WHERE name = 'drivers';
DEALLOCATE drivers;

-- such a check is an event check like others
ALTER TABLE beside ADD CONSTRAINT by_hand CHECK (check_event(data, type, version));
SELECT name, data_expr, type_expr, version_expr FROM event_enforcement WHERE relation = 'beside'::regclass;
INSERT INTO beside VALUES ('{"a": 1}', 'beside', 1);
\set VERBOSITY sqlstate
INSERT INTO beside VALUES ('{"b": 1}', 'beside', 1);
SELECT drop_event_schema('beside', 1);
\set VERBOSITY default
SELECT add_event_check('beside', 'data', 'type', 'version');
SELECT add_event_guard('beside', mode => 'enforce');
INSERT INTO beside VALUES ('{"a": 2}', 'beside', 1);
DROP TABLE beside;
DROP DOMAIN event_name;
SELECT drop_event_schema('beside', 1);

-- Beside it.  These have the signatures of pg_jsonschema's functions; their answer is NULL.
\set stand_ins 'CREATE FUNCTION json_matches_schema(schema json, instance json) RETURNS bool LANGUAGE sql RETURN NULL::bool; CREATE FUNCTION jsonb_matches_schema(schema json, instance jsonb) RETURNS bool LANGUAGE sql RETURN NULL::bool; CREATE FUNCTION jsonschema_is_valid(schema json) RETURNS bool LANGUAGE sql RETURN NULL::bool; CREATE FUNCTION jsonschema_validation_errors(schema json, instance json) RETURNS text[] LANGUAGE sql RETURN NULL::text[]; CREATE TYPE jsonschema AS ENUM (); CREATE FUNCTION json_matches_compiled_schema(schema jsonschema, instance json) RETURNS bool LANGUAGE sql RETURN NULL::bool;'
-- with json they answer, with literals and jsonb we do
\set calls 'SELECT json_matches_schema($${}$$, $$1$$) AS literals, json_matches_schema($${}$$::json, $$1$$) AS schema_json, json_matches_schema($${}$$, $$1$$::json) AS instance_json; SELECT jsonb_matches_schema($${}$$, $$1$$) AS literals, jsonb_matches_schema($${}$$, $$1$$::jsonb) AS instance_jsonb, jsonb_matches_schema($${}$$::json, $$1$$) AS schema_json, jsonb_matches_schema($${}$$::json, $$1$$::jsonb) AS both, jsonb_matches_schema($${}$$::jsonb, $$1$$) AS schema_jsonb; SELECT jsonschema_is_valid($${}$$) AS literal, jsonschema_is_valid($${}$$::json) AS json, jsonschema_is_valid($${}$$::jsonb) AS jsonb; SELECT jsonschema_validation_errors($${}$$, $$1$$) AS literals, jsonschema_validation_errors($${}$$::json, $$1$$) AS json;'
BEGIN;
:stand_ins
:calls
ROLLBACK;
-- the other order
BEGIN;
DROP EXTENSION event_validate CASCADE;
:stand_ins
CREATE EXTENSION event_validate;
:calls
ROLLBACK;
