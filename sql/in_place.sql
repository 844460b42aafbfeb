-- Schemas given in place.
\pset null NULL

-- NULL instances do not match, as in the functions of event_schema
SELECT jsonb_matches_schema('{"type": "integer"}', '1') AS yes,
  jsonb_matches_schema('{"type": "integer"}', '"1"') AS no,
  jsonb_matches_schema(NULL, '1') AS no_schema,
  jsonb_matches_schema('true', NULL) AS no_instance,
  jsonb_matches_schema('true', '1', NULL) AS no_option;

-- the schema can differ from row to row
SELECT schema, instance, jsonb_matches_schema(schema, instance) AS matches
FROM (VALUES
  ('{"type": "integer"}'::jsonb, '1'::jsonb),
  ('{"type": "string"}', '1'),
  ('{"type": "string"}', '"1"'),
  ('{"type": "integer"}', '"1"'),
  ('true', '1'),
  ('false', '1'),
  ('{}', '1'),
  (NULL, '1'),
  ('{"type": "integer"}', '1'),
  -- schemas of one size
  ('{"minimum": 1}', '1'),
  ('{"minimum": 2}', '1'),
  ('{"minimum": 1}', '1')) AS v (schema, instance);

-- so can the option
SELECT assert_format, jsonb_matches_schema('{"format": "date"}', '"tomorrow"', assert_format)
FROM (VALUES (true), (false), (true)) AS v (assert_format);
SELECT jsonb_matches_schema('{"format": "date"}', '"tomorrow"') AS asserted_by_default,
  jsonb_matches_schema(schema => '{"format": "date"}', assert_format => false, instance => '"tomorrow"') AS named;

-- a row that is no schema ends the query with an error, and the call site still works
-- for the next
DO $$
DECLARE
  v record;
BEGIN
  FOR v IN SELECT * FROM (VALUES ('{"type": "integer"}'), ('{"type": "intger"}'), ('{"type": "integer"}'), ('[]'),
      ('{"type": "integer"}')) AS s (schema)
  LOOP
    BEGIN
      RAISE NOTICE '% -> %', v.schema, jsonb_matches_schema(v.schema::jsonb, '1');
    EXCEPTION WHEN invalid_parameter_value THEN
      RAISE NOTICE '% -> % %', v.schema, SQLSTATE, SQLERRM;
    END;
  END LOOP;
END
$$;

-- a "schema" without a keyword is probably an instance: one WARNING a call site
SELECT jsonb_matches_schema(i, '{"type": "object"}') FROM (VALUES ('{"qty": 1, "price": 2}'::jsonb), ('{"qty": 2}')) AS v (i);
SELECT json_matches_schema('{"a\n": 1}'::json, '{}'), jsonschema_validation_errors('{"b": 1}', '{}');
SELECT violation IS NULL AS none FROM (SELECT) AS one LEFT JOIN LATERAL jsonb_schema_violations('{"qty": 1}', '{"required": ["qty"]}') AS violation ON true;
-- a long key is cut
SELECT jsonb_matches_schema(jsonb_build_object(repeat('k', 100), 1), '{}');
-- with this setting, the WARNING quotes nothing of an event; the answers stay as they are
SELECT jsonschema_validation_errors('{"type": "integer"}', '"secret"') AS quoted;
SET event_validate.show_values = off;
SELECT jsonb_matches_schema('{"secret": 1}', '{}');
SELECT jsonschema_validation_errors('{"type": "integer"}', '"secret"') AS quoted;
RESET event_validate.show_values;
-- not for these: nothing, an extension, a keyword of another dialect, a title
SELECT jsonb_matches_schema('{}', '1'), jsonb_matches_schema('{"x-id": 1}', '1'), jsonb_matches_schema('{"id": "a", "qty": 1}', '1'),
  jsonb_matches_schema('{"title": "t", "qty": 1}', '1'), jsonschema_is_valid('{"qty": 1}');

-- jsonb_schema_violations
SELECT * FROM jsonb_schema_violations('{"items": {"type": "integer"}, "maxItems": 1}', '[1, "2"]');
SELECT v.* FROM (VALUES (true), (false)) AS o (assert_format),
  jsonb_schema_violations('{"format": "date"}', '"tomorrow"', o.assert_format) AS v;
SELECT schema, v.message
FROM (VALUES ('{"type": "string"}'::jsonb), ('{"const": 2}'), ('true'), ('false')) AS s (schema)
  LEFT JOIN LATERAL jsonb_schema_violations(schema, '1') AS v ON true;
SELECT jsonb_schema_violations(NULL, '1');
SELECT jsonb_schema_violations('true', NULL);
SELECT jsonb_schema_violations('true', '1', NULL);
SELECT jsonb_schema_violations('{"type": 1}', '1');

-- jsonschema_is_valid
SELECT schema, jsonschema_is_valid(schema) FROM (VALUES
  ('{}'::jsonb), ('true'), ('false'), ('{"type": "object", "unknown": 1}'),
  ('{"$schema": "http://json-schema.org/draft-04/schema#", "exclusiveMinimum": true, "minimum": 1}'),
  ('null'), ('[]'), ('1'), ('"{}"'), ('{"type": "text"}'), ('{"minLength": -1}'), ('{"pattern": "("}'),
  ('{"properties": {"a": 1}}'), ('{"exclusiveMinimum": true}'),
  ('{"$schema": "http://json-schema.org/draft-04/schema#", "exclusiveMinimum": 1}'),
  ('{"$ref": "#/$defs/none"}'), ('{"$ref": "#"}'), (NULL)) AS v (schema);

-- documents that are registered
SELECT register_schema('https://example.com/in-place', '{"type": "integer"}');
SELECT register_event_schema('in_place', 1, '{"type": "string"}');
PREPARE refer(jsonb) AS SELECT jsonb_matches_schema('{"$ref": "https://example.com/in-place"}', $1);
EXECUTE refer('1');
EXECUTE refer('"1"');
SELECT jsonb_matches_schema('{"$ref": "event:in_place@1"}', '"1"');
SELECT jsonb_matches_schema('{"$ref": "event:in_place@2"}', '"1"');
SELECT jsonb_matches_schema('{"$ref": "https://example.com/elsewhere"}', '"1"');

-- references lead to the present documents, also within one statement
DROP FUNCTION event_schema."https://example.com/in-place";
EXECUTE refer('1');
SELECT register_schema('https://example.com/in-place', '{"type": "string"}');
EXECUTE refer('1');
EXECUTE refer('"1"');
DROP FUNCTION event_schema."https://example.com/in-place";
SELECT drop_event_schema('in_place', 1);

-- in an index expression, and in a check for schemas in a table
CREATE TABLE contracts (schema jsonb CHECK (jsonschema_is_valid(schema)), example jsonb,
  CHECK (jsonb_matches_schema(schema, example)));
\set VERBOSITY sqlstate
INSERT INTO contracts VALUES ('{"type": "integer"}', '1');
INSERT INTO contracts VALUES ('{"type": "integer"}', '"1"');
INSERT INTO contracts VALUES ('{"type": 1}', '"1"');
\set VERBOSITY default
DROP TABLE contracts;
-- swapped arguments that are no schema
SELECT jsonb_matches_schema('[1]'::jsonb, '{"type": "array"}'::jsonb);
SELECT jsonb_matches_schema('{"type": "order", "qty": 1}'::jsonb, '{"type": "object"}'::jsonb);
SELECT jsonb_matches_schema('{"items": [{"sku": 1}]}'::jsonb, '{"type": "object"}'::jsonb);
SELECT jsonb_matches_schema('{"properties": {"a": {"type": "order"}}}'::jsonb, '{}'::jsonb);
