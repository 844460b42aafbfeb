-- Numbers are exact decimals of any size.
CREATE TEMP TABLE cases (n int GENERATED ALWAYS AS IDENTITY, schema jsonb, instance jsonb, expected boolean);
INSERT INTO cases (schema, instance, expected) VALUES
  ('{"minimum": 0.3}', '0.3', true),
  ('{"minimum": 0.3}', '0.29999999999999999999999999', false),
  ('{"maximum": 0.3}', '0.30000000000000000000000001', false),
  ('{"exclusiveMinimum": 0.3}', '0.3', false),
  ('{"exclusiveMinimum": 0.3}', '0.30000000000000000000000001', true),
  ('{"exclusiveMaximum": 3}', '3.0', false),
  ('{"exclusiveMaximum": 3}', '2.9999999999999999999999', true),
  ('{"const": 0.3}', '0.30000000000000004', false),
  -- beyond the precision of a double
  ('{"const": 9007199254740993}', '9007199254740993', true),
  ('{"const": 9007199254740993}', '9007199254740992', false),
  ('{"maximum": 9007199254740992}', '9007199254740993', false),
  ('{"minimum": 9223372036854775808}', '9223372036854775807', false),
  ('{"minimum": 9223372036854775808}', '9223372036854775808', true),
  ('{"minimum": -9223372036854775809}', '-9223372036854775810', false),
  ('{"minimum": 18446744073709551616}', '18446744073709551617', true),
  ('{"minimum": 1e400}', '1e400', true),
  ('{"minimum": 1e400}', '1e399', false),
  ('{"maximum": 1e-400}', '1e-400', true),
  ('{"maximum": 1e-400}', '2e-400', false),
  ('{"exclusiveMinimum": 0}', '1e-400', true),
  ('{"exclusiveMinimum": 0}', '0', false),
  ('{"exclusiveMinimum": 0}', '-0', false),
  ('{"minimum": 0}', '-0.0', true),
  ('{"minimum": -1}', '-1.0000000000000000000001', false),
  ('{"maximum": -1}', '-1', true),
  ('{"maximum": -1}', '-0.5', false),
  ('{"minimum": -1e400, "maximum": 1e400}', '-123456789012345678901234567890.123456789', true),
  -- with one number of digits, with several
  ('{"minimum": 10000}', '9999.9999', false),
  ('{"minimum": 10000}', '10000.0001', true),
  ('{"minimum": 10000.0001}', '10000', false),
  ('{"minimum": 0.0001}', '0.00009999', false),
  -- multipleOf
  ('{"multipleOf": 0.1}', '17.2', true),
  ('{"multipleOf": 0.1}', '17.25', false),
  ('{"multipleOf": 0.01}', '4.35', true),
  ('{"multipleOf": 0.01}', '1.005', false),
  ('{"multipleOf": 0.0001}', '0.0075', true),
  ('{"multipleOf": 0.0001}', '0.00751', false),
  ('{"multipleOf": 3}', '9.0', true),
  ('{"multipleOf": 3}', '10', false),
  ('{"multipleOf": 3}', '-9', true),
  ('{"multipleOf": 3}', '0', true),
  ('{"multipleOf": 1.5}', '4.5', true),
  ('{"multipleOf": 1.5}', '4', false),
  ('{"multipleOf": 4}', '1e30', true),
  ('{"multipleOf": 7}', '1e30', false),
  ('{"multipleOf": 0.3}', '1e400', false),
  ('{"multipleOf": 0.25}', '1e400', true),
  ('{"multipleOf": 1e-10}', '12345678901234567890.1234567891', true),
  ('{"multipleOf": 1e-10}', '12345678901234567890.12345678912', false),
  ('{"multipleOf": 1e300}', '1e301', true),
  ('{"multipleOf": 1e300}', '5e299', false),
  ('{"multipleOf": 9223372036854775807}', '18446744073709551614', true),
  ('{"multipleOf": 9223372036854775807}', '18446744073709551615', false),
  -- integers
  ('{"type": "integer"}', '1.0', true),
  ('{"type": "integer"}', '1e3', true),
  ('{"type": "integer"}', '1.5e1', true),
  ('{"type": "integer"}', '1.5', false),
  ('{"type": "integer"}', '1e400', true),
  ('{"type": "integer"}', '1e-400', false),
  ('{"type": "integer"}', '123456789012345678901234567890', true),
  ('{"type": "integer"}', '123456789012345678901234567890.5', false),
  ('{"type": "integer"}', '-0', true),
  ('{"type": "integer"}', '10000.00000', true),
  ('{"type": "integer"}', '0.0001', false),
  -- counts are integers, too, in any notation
  ('{"minLength": 2.0}', '"a"', false),
  ('{"maxLength": 2e0}', '"ab"', true),
  ('{"maxItems": 1e100}', '[1]', true),
  ('{"minItems": 1e100}', '[1]', false),
  ('{"maxProperties": 4294967296}', '{"a": 1}', true),
  ('{"minProperties": 4294967296}', '{"a": 1}', false),
  ('{"maxLength": 4294967295}', '"a"', true),
  ('{"minLength": 4294967295}', '"a"', false);
-- sums by SQL are the numbers that they are printed as
INSERT INTO cases (schema, instance, expected) VALUES
  ('{"const": 0.3}', to_jsonb(0.1 + 0.2), true),
  ('{"const": 0.3}', to_jsonb(0.1::float8 + 0.2::float8), false),
  ('{"const": 100}', to_jsonb(100.00::numeric(10, 2)), true),
  ('{"const": "NaN"}', to_jsonb('NaN'::numeric), true),
  ('{"type": "number"}', to_jsonb('NaN'::numeric), false),
  -- the longest ones
  (jsonb_build_object('maximum', ('1' || repeat('0', 131071))::numeric), ('1' || repeat('0', 131071))::jsonb, true),
  (jsonb_build_object('exclusiveMaximum', ('1' || repeat('0', 131071))::numeric), ('1' || repeat('0', 131071))::jsonb, false),
  (jsonb_build_object('exclusiveMinimum', 0), ('0.' || repeat('0', 16382) || '1')::jsonb, true),
  (jsonb_build_object('multipleOf', ('0.' || repeat('0', 16382) || '3')::numeric), ('0.' || repeat('0', 16382) || '9')::jsonb, true),
  (jsonb_build_object('multipleOf', ('0.' || repeat('0', 16382) || '3')::numeric), ('0.' || repeat('0', 16382) || '8')::jsonb, false);

SELECT left(schema::text, 100) AS schema, left(instance::text, 40) AS instance,
  jsonb_matches_schema(schema, instance) AS matches
FROM cases ORDER BY n;

-- answers are as expected, and the same when all violations are collected
SELECT n, schema, instance, expected FROM cases
WHERE jsonb_matches_schema(schema, instance) IS DISTINCT FROM expected
  OR EXISTS (SELECT FROM jsonb_schema_violations(schema, instance)) IS NOT DISTINCT FROM expected
ORDER BY n;

-- multipleOf: also beyond 64 bits; only a division of thousands of digits by
-- thousands is refused, because it could not be cancelled.
SELECT jsonb_matches_schema('{"multipleOf": 777777777777}', repeat('777777777777', 2000)::jsonb) AS multiple,
       jsonb_matches_schema('{"multipleOf": 777777777777}', (repeat('777777777777', 2000) || '1')::jsonb) AS no_multiple,
       jsonb_matches_schema('{"multipleOf": 1e-300}', '1e3000') AS fine,
       jsonb_matches_schema('{"multipleOf": 1e300}', '1e-3000') AS coarse;
SELECT jsonb_matches_schema('{"multipleOf": 1e300}', '-3e300') AS minus,
       jsonb_matches_schema(('{"multipleOf": ' || repeat('7', 100) || '}')::jsonb, repeat('7', 10000)::jsonb) AS many_digits;
SELECT jsonb_matches_schema(('{"multipleOf": ' || repeat('7', 60000) || '}')::jsonb, repeat('3', 120000)::jsonb);
