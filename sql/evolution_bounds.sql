-- Implications between bounds of any size, and numbers.
CREATE FUNCTION verdicts(old jsonb, new jsonb, lenient boolean DEFAULT false) RETURNS text
BEGIN ATOMIC
	SELECT coalesce((array['compatible', 'unknown', 'incompatible'])[max(array_position(array['compatible', 'unknown', 'incompatible'], backward))], 'compatible')
		|| ' / ' || coalesce((array['compatible', 'unknown', 'incompatible'])[max(array_position(array['compatible', 'unknown', 'incompatible'], forward))], 'compatible')
	FROM event_schema_changes(old, new, lenient);
END;
CREATE TABLE changes (number int GENERATED ALWAYS AS IDENTITY, change text, old jsonb, new jsonb);

-- a tightened bound is incompatible, however large
INSERT INTO changes (change, old, new) VALUES
('maxLength', '{"type": "string", "maxLength": 5000}', '{"type": "string", "maxLength": 4000}'),
('maxLength of a property', '{"properties": {"a": {"type": "string", "maxLength": 5000}}, "required": ["a"]}', '{"properties": {"a": {"type": "string", "maxLength": 4000}}, "required": ["a"]}'),
('minLength', '{"type": "string", "minLength": 4000}', '{"type": "string", "minLength": 5000}'),
('maxItems', '{"type": "array", "items": {"type": "integer"}, "maxItems": 300}', '{"type": "array", "items": {"type": "integer"}, "maxItems": 200}'),
('minItems', '{"type": "array", "minItems": 200}', '{"type": "array", "minItems": 300}'),
('maxProperties', '{"type": "object", "maxProperties": 500}', '{"type": "object", "maxProperties": 50}'),
('maxProperties of a map', '{"type": "object", "additionalProperties": {"type": "integer"}, "maxProperties": 500}', '{"type": "object", "additionalProperties": {"type": "integer"}, "maxProperties": 50}'),
('minProperties', '{"type": "object", "minProperties": 50}', '{"type": "object", "minProperties": 500}'),
('maximum', '{"type": "number", "maximum": 1e300}', '{"type": "number", "maximum": 1e299}'),
('minimum of integers', '{"type": "integer", "minimum": 123456789012345678901234567890}', '{"type": "integer", "minimum": 123456789012345678901234567891}'),
('bound between integers', '{"type": "integer", "maximum": 10}', '{"type": "integer", "maximum": 10.5}'),
-- or changes nothing
('maxItems, but no item is possible', '{"type": "array", "items": false, "maxItems": 300}', '{"type": "array", "items": false, "maxItems": 200}'),
('property that cannot be there', '{"properties": {"a": {"maxLength": 10}}, "maxProperties": 0}', '{"properties": {"a": {"maxLength": 5}}, "maxProperties": 0}'),
('property whose name is not allowed', '{"properties": {"a": {"maxLength": 10}}, "propertyNames": {"pattern": "^b"}}', '{"properties": {"a": {"maxLength": 5}}, "propertyNames": {"pattern": "^b"}}'),
('maxProperties beyond the declared ones', '{"properties": {"a": {}, "b": {}}, "additionalProperties": false, "maxProperties": 500}', '{"properties": {"a": {}, "b": {}}, "additionalProperties": false, "maxProperties": 50}');

-- numbers
INSERT INTO changes (change, old, new) VALUES
('a range in two', '{"type": "number", "minimum": 0, "maximum": 100}', '{"type": "number", "anyOf": [{"maximum": 50, "minimum": 0}, {"minimum": 50, "maximum": 100}]}'),
('a range in two that overlap', '{"type": "number", "minimum": 0, "maximum": 100}', '{"type": "number", "oneOf": [{"maximum": 50, "minimum": 0}, {"minimum": 50, "maximum": 100}]}'),
('a range in three', '{"type": "number", "minimum": 0, "maximum": 100}', '{"type": "number", "anyOf": [{"maximum": 50, "minimum": 0}, {"exclusiveMinimum": 50, "maximum": 100}, {"minimum": 51}]}'),
('a range in two without the bound', '{"type": "number", "minimum": 0, "maximum": 100}', '{"type": "number", "anyOf": [{"exclusiveMaximum": 50, "minimum": 0}, {"exclusiveMinimum": 50, "maximum": 100}]}'),
('integers in two', '{"type": "integer", "minimum": 0}', '{"type": "integer", "anyOf": [{"minimum": 0, "maximum": 10}, {"minimum": 11}]}'),
('numbers in two, but not all', '{"type": "number", "minimum": 0}', '{"type": "number", "anyOf": [{"minimum": 0, "maximum": 10}, {"minimum": 11}]}'),
('a range in two, draft 4', '{"$schema": "http://json-schema.org/draft-04/schema#", "type": "number", "minimum": 0, "maximum": 100}', '{"$schema": "http://json-schema.org/draft-04/schema#", "type": "number", "anyOf": [{"maximum": 50, "minimum": 0}, {"minimum": 50, "exclusiveMinimum": true, "maximum": 100}]}'),
('multiples of 3 and 5', '{"type": "integer", "allOf": [{"multipleOf": 3}, {"multipleOf": 5}]}', '{"type": "integer", "multipleOf": 15}'),
('multiples of 0.5 and 0.75', '{"allOf": [{"multipleOf": 0.5}, {"multipleOf": 0.75}]}', '{"multipleOf": 1.5}'),
('not a length', '{"type": "string", "not": {"minLength": 2}}', '{"type": "string", "maxLength": 1}'),
('not a length of any type', '{"not": {"minLength": 2}}', '{"type": "string", "maxLength": 1}'),
('not a bound', '{"type": "number", "not": {"maximum": 5}}', '{"type": "number", "exclusiveMinimum": 5}'),
('not a type', '{"not": {"type": ["string", "null"]}}', '{"type": ["number", "boolean", "array", "object"]}'),
('contains anything', '{"type": "array", "contains": true, "minContains": 2, "maxContains": 4}', '{"type": "array", "minItems": 2, "maxItems": 4}'),
('contains as minItems', '{"type": "array", "contains": {"type": "integer"}, "minContains": 2}', '{"type": "array", "minItems": 2}'),
('contentEncoding of draft 7', '{"$schema": "http://json-schema.org/draft-07/schema#", "type": "string"}', '{"$schema": "http://json-schema.org/draft-07/schema#", "type": "string", "contentEncoding": "base64"}'),
('contentEncoding of listed values', '{"$schema": "http://json-schema.org/draft-07/schema#", "enum": ["YQ==", "YWE="]}', '{"$schema": "http://json-schema.org/draft-07/schema#", "enum": ["YQ==", "YWE="], "contentEncoding": "base64"}');

SELECT change, verdicts(old, new), verdicts(new, old) AS reversed FROM changes ORDER BY number;
SELECT change FROM changes WHERE regexp_replace(verdicts(old, new), '(.*) / (.*)', '\2 / \1') <> verdicts(new, old);

DROP TABLE changes;
DROP FUNCTION verdicts;

-- the only property that differs, among others, in one branch
WITH s AS (SELECT m, jsonb_build_object('anyOf', jsonb_build_array(jsonb_build_object('type', 'object', 'additionalProperties', false, 'properties',
               (SELECT jsonb_object_agg('p' || lpad(i::text, 2, '0'), CASE WHEN i % 3 = 0 THEN '{"anyOf": [{"type": "object", "properties": {"a": {"type": ["string", "null"]}, "b": {"type": "array", "items": {"type": "string"}}}}, {"type": "null"}]}'::jsonb
                       WHEN i = 14 THEN jsonb_strip_nulls(jsonb_build_object('type', '["null", "string"]'::jsonb, 'maxLength', m)) ELSE '{"type": ["null", "string"]}' END) FROM generate_series(1, 30) AS i)),
             '{"type": "null"}'::jsonb)) AS schema FROM (VALUES (NULL), (77)) AS v (m))
SELECT c.location, c.rule, c.backward, c.forward FROM s AS a, s AS b, event_schema_changes(a.schema, b.schema) AS c WHERE a.m IS NULL AND b.m IS NOT NULL;
-- a chain of conditions: the last consequence gets one more property
WITH RECURSIVE s AS (
    SELECT b AS more, 0 AS n, jsonb_build_object('properties', CASE WHEN b THEN '{"x": {"type": "string"}}' ELSE '{}' END::jsonb) AS schema FROM (VALUES (false), (true)) AS v (b)
    UNION ALL SELECT more, n + 1, jsonb_build_object('if', jsonb_build_object('properties', jsonb_build_object('kind', jsonb_build_object('const', 'k' || n), 'v', '{"enum": ["1", "2"]}'::jsonb)),
                      'then', jsonb_build_object('properties', jsonb_build_object('p' || n, '{"type": "number"}'::jsonb)), 'else', schema) FROM s WHERE n < 12)
SELECT c.location, c.rule, c.backward, c.forward FROM s AS a, s AS b, event_schema_changes(a.schema, b.schema) AS c WHERE a.n = 12 AND b.n = 12 AND NOT a.more AND b.more;
-- variants that are told apart by the property that they require
WITH s AS (SELECT more, jsonb_build_object('oneOf', jsonb_agg(jsonb_build_object('type', 'object', 'required', jsonb_build_array('step' || i), 'properties',
               jsonb_build_object('step' || i, '{"type": "string"}'::jsonb, 'if', '{"type": "string"}'::jsonb) || CASE WHEN more AND i = 7 THEN '{"x": {"type": "string"}}' ELSE '{}' END::jsonb) ORDER BY i)) AS schema
           FROM (VALUES (false), (true)) AS v (more), generate_series(1, 25) AS i GROUP BY more)
SELECT c.location, c.rule, c.backward, c.forward FROM s AS a, s AS b, event_schema_changes(a.schema, b.schema) AS c WHERE NOT a.more AND b.more;
-- a difference that other differences do not hide
SELECT location, rule, backward, forward FROM event_schema_changes(
	'{"type": "object", "properties": {"y": {"type": "string"}, "z": {"type": "string"}}}',
	'{"type": "object", "properties": {"y": {"type": "string"}, "z": {"type": "string"}, "r": {"type": "integer"}}, "dependentRequired": {"y": ["z"]}}');
