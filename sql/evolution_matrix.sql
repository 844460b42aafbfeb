-- The table of kinds of changes, line by line: the answer for each direction, in
-- the strict and in the lenient reading, with open and closed objects, added
-- and removed; for the change itself, reversed, and in other places of a
-- schema.  y: compatible, n: incompatible, u: unknown.
CREATE TABLE matrix (line int GENERATED ALWAYS AS IDENTITY, change text, old jsonb, new jsonb,
	strict text, lenient text,	-- backward, forward
	around text DEFAULT 'same');	-- strict, lenient when turned around, where that is not just the other way round

-- ---------- properties: optional and required, added and removed, open and closed ----------

-- the content model is kept, the property is added or removed
INSERT INTO matrix (change, old, new, strict, lenient)
SELECT concat_ws(' ', CASE WHEN is_required THEN 'required' ELSE 'optional' END, 'property added,', CASE WHEN is_closed THEN 'closed' ELSE 'open' END),
	jsonb_build_object('properties', '{"a": {}}'::jsonb) || closed,
	jsonb_build_object('properties', '{"a": {}, "b": {"type": "string"}}'::jsonb) || closed || CASE WHEN is_required THEN '{"required": ["b"]}' ELSE '{}' END::jsonb,
	strict, lenient
FROM (VALUES (false, false, 'ny', 'yy'), (false, true, 'yn', 'yy'), (true, false, 'ny', 'ny'), (true, true, 'nn', 'nn')) AS m (is_required, is_closed, strict, lenient),
	LATERAL (SELECT CASE WHEN is_closed THEN '{"additionalProperties": false}' ELSE '{}' END::jsonb) AS c (closed);
INSERT INTO matrix (change, old, new, strict, lenient)
SELECT concat_ws(' ', CASE WHEN is_required THEN 'required' ELSE 'optional' END, 'property removed,', CASE WHEN is_closed THEN 'closed' ELSE 'open' END),
	jsonb_build_object('properties', '{"a": {}, "b": {"type": "string"}}'::jsonb) || closed || CASE WHEN is_required THEN '{"required": ["b"]}' ELSE '{}' END::jsonb,
	jsonb_build_object('properties', '{"a": {}}'::jsonb) || closed,
	strict, lenient
FROM (VALUES (false, false, 'yn', 'yy'), (false, true, 'ny', 'yy'), (true, false, 'yn', 'yn'), (true, true, 'nn', 'nn')) AS m (is_required, is_closed, strict, lenient),
	LATERAL (SELECT CASE WHEN is_closed THEN '{"additionalProperties": false}' ELSE '{}' END::jsonb) AS c (closed);
-- the same, closed by unevaluatedProperties
INSERT INTO matrix (change, old, new, strict, lenient)
SELECT change || ' by unevaluatedProperties', (old - 'additionalProperties') || '{"unevaluatedProperties": false}', (new - 'additionalProperties') || '{"unevaluatedProperties": false}', strict, lenient
FROM matrix WHERE change LIKE '%closed';
-- the property's schema accepts all values that were accepted there before
INSERT INTO matrix (change, old, new, strict, lenient) VALUES
('optional property of any kind added, open', '{"properties": {"a": {}}}', '{"properties": {"a": {}, "b": {}}}', 'yy', 'yy'),
('optional property added as further ones were', '{"additionalProperties": {"type": "integer"}}', '{"properties": {"b": {"type": "number"}}, "additionalProperties": {"type": "integer"}}', 'yn', 'yn'),
('optional property of any kind added, closed', '{"properties": {"a": {}}, "additionalProperties": false}', '{"properties": {"a": {}, "b": {}}, "additionalProperties": false}', 'yn', 'yy');
-- added together with a changed content model
INSERT INTO matrix (change, old, new, strict, lenient) VALUES
('optional property added and opened', '{"properties": {"a": {}}, "additionalProperties": false}', '{"properties": {"a": {}, "b": {"type": "string"}}}', 'yn', 'yn'),
('optional property added and closed', '{"properties": {"a": {}}}', '{"properties": {"a": {}, "b": {"type": "string"}}, "additionalProperties": false}', 'ny', 'ny'),
('optional property removed and opened', '{"properties": {"a": {}, "b": {"type": "string"}}, "additionalProperties": false}', '{"properties": {"a": {}}}', 'yn', 'yn'),
('optional property removed and closed', '{"properties": {"a": {}, "b": {"type": "string"}}}', '{"properties": {"a": {}}, "additionalProperties": false}', 'ny', 'ny');
INSERT INTO matrix (change, old, new, strict, lenient)
SELECT concat(change, ', ', model), old || closed, new || closed, strict, lenient
FROM (VALUES ('open', '{}'::jsonb), ('closed', '{"additionalProperties": false}'), ('closed by unevaluatedProperties', '{"unevaluatedProperties": false}')) AS m (model, closed),
	(VALUES ('optional to required', '{"properties": {"a": {}, "b": {}}}'::jsonb, '{"properties": {"a": {}, "b": {}}, "required": ["a"]}'::jsonb, 'ny', 'ny'),
		('required to optional', '{"properties": {"a": {}, "b": {}}, "required": ["a", "b"]}', '{"properties": {"a": {}, "b": {}}, "required": ["b"]}', 'yn', 'yn'),
		('a property narrowed', '{"properties": {"a": {"type": "number"}}}', '{"properties": {"a": {"type": "integer"}}}', 'ny', 'ny'),
		('a property widened', '{"properties": {"a": {"type": "integer"}}}', '{"properties": {"a": {"type": "number"}}}', 'yn', 'yn')) AS c (change, old, new, strict, lenient);

-- ---------- all other lines: not about objects, so that both readings agree ----------

INSERT INTO matrix (change, old, new, strict)
SELECT change, old::jsonb, new::jsonb, strict FROM (VALUES
	('$id', '{"type": "string"}', '{"$id": "https://example.com/matrix", "type": "string"}', 'yy'),
	('title', '{"title": "a"}', '{"title": "b"}', 'yy'),
	('description', '{"type": "string"}', '{"type": "string", "description": "b"}', 'yy'),
	('default', '{"type": "string", "default": "a"}', '{"type": "string", "default": 1}', 'yy'),
	('examples', '{"type": "string"}', '{"type": "string", "examples": [1]}', 'yy'),
	('$comment', '{"type": "string"}', '{"type": "string", "$comment": "b"}', 'yy'),
	('deprecated', '{"type": "string"}', '{"type": "string", "deprecated": true}', 'yy'),
	('a default makes nothing optional', '{"properties": {"a": {"default": 1}}}', '{"properties": {"a": {"default": 1}}, "required": ["a"]}', 'ny'),
	('integer to number', '{"type": "integer"}', '{"type": "number"}', 'yn'),
	('T to [T, null]', '{"type": "string"}', '{"type": ["string", "null"]}', 'yn'),
	('T to anyOf with T', '{"type": "string", "minLength": 2}', '{"anyOf": [{"type": "integer"}, {"type": "string", "minLength": 2}]}', 'yn'),
	('string to integer', '{"type": "string"}', '{"type": "integer"}', 'nn'),
	('number to string', '{"type": "number"}', '{"type": "string"}', 'nn'),
	('object to array', '{"type": "object"}', '{"type": "array"}', 'nn'),
	('boolean to null', '{"type": "boolean"}', '{"type": "null"}', 'nn'),
	('[string, null] to [string, integer]', '{"type": ["string", "null"]}', '{"type": ["string", "integer"]}', 'nn'),
	('enum extended', '{"enum": ["a"]}', '{"enum": ["a", "b"]}', 'yn'),
	('enum narrowed', '{"enum": ["a", "b"]}', '{"enum": ["b"]}', 'ny'),
	('enum of integers extended', '{"enum": [1]}', '{"enum": [1, 2]}', 'yn'),
	('const to enum that has it', '{"const": "a"}', '{"enum": ["b", "a"]}', 'yn'),
	('const to enum that has it not', '{"const": "a"}', '{"enum": ["b", "c"]}', 'nn'),
	('const changed', '{"const": "a"}', '{"const": "b"}', 'nn'),
	('multipleOf: new divides old', '{"type": "integer", "multipleOf": 6}', '{"type": "integer", "multipleOf": 3}', 'yn'),
	('multipleOf: old divides new', '{"type": "integer", "multipleOf": 3}', '{"type": "integer", "multipleOf": 6}', 'ny'),
	('multipleOf: neither', '{"type": "integer", "multipleOf": 4}', '{"type": "integer", "multipleOf": 6}', 'nn'),
	('pattern removed', '{"type": "string", "pattern": "^a$"}', '{"type": "string"}', 'yn'),
	('pattern added', '{"type": "string"}', '{"type": "string", "pattern": "^a$"}', 'ny'),
	('pattern changed', '{"type": "string", "pattern": "^[a-c]{2}$"}', '{"type": "string", "pattern": "^[a-c][a-c]$"}', 'yy'),
	('additionalProperties opened', '{"additionalProperties": false}', '{"additionalProperties": true}', 'yn'),
	('additionalProperties closed', '{"additionalProperties": true}', '{"additionalProperties": false}', 'ny'),
	('additionalProperties true to false beside properties', '{"properties": {"a": {}}, "additionalProperties": true}', '{"properties": {"a": {}}, "additionalProperties": false}', 'ny'),
	('unevaluatedProperties opened', '{"unevaluatedProperties": false}', '{}', 'yn'),
	('unevaluatedProperties closed', '{}', '{"unevaluatedProperties": false}', 'ny'),
	('items opened', '{"items": false}', '{"items": true}', 'yn'),
	('items closed', '{"items": true}', '{"items": false}', 'ny'),
	('items opened behind a prefix', '{"prefixItems": [{}], "items": false}', '{"prefixItems": [{}]}', 'yn'),
	('items widened', '{"items": {"type": "integer"}}', '{"items": {"type": "number"}}', 'yn'),
	('items narrowed', '{"items": {"type": "number"}}', '{"items": {"type": "integer"}}', 'ny'),
	('allOf member added', '{"allOf": [{"type": "integer"}]}', '{"allOf": [{"type": "integer"}, {"minimum": 5}]}', 'ny'),
	('allOf member removed', '{"allOf": [{"type": "integer"}, {"minimum": 5}]}', '{"allOf": [{"type": "integer"}]}', 'yn'),
	('anyOf member added', '{"anyOf": [{"type": "integer"}]}', '{"anyOf": [{"type": "integer"}, {"type": "string"}]}', 'yn'),
	('anyOf member removed', '{"anyOf": [{"type": "integer"}, {"type": "string"}]}', '{"anyOf": [{"type": "integer"}]}', 'ny'),
	('not narrowed', '{"not": {"type": ["integer", "string"]}}', '{"not": {"type": "integer"}}', 'yn'),
	('not widened', '{"not": {"type": "integer"}}', '{"not": {"type": ["integer", "string"]}}', 'ny'),
	('dependentRequired added', '{"type": "object"}', '{"type": "object", "dependentRequired": {"a": ["b"]}}', 'ny'),
	('dependentRequired removed', '{"type": "object", "dependentRequired": {"a": ["b"]}}', '{"type": "object"}', 'yn'),
	('dependentSchemas added', '{"type": "object"}', '{"type": "object", "dependentSchemas": {"a": {"required": ["b"]}}}', 'ny'),
	('dependentSchemas removed', '{"type": "object", "dependentSchemas": {"a": {"required": ["b"]}}}', '{"type": "object"}', 'yn'),
	('uniqueItems added', '{"type": "array"}', '{"type": "array", "uniqueItems": true}', 'ny'),
	('uniqueItems removed', '{"type": "array", "uniqueItems": true}', '{"type": "array"}', 'yn'),
	('prefixItems position added, closed', '{"prefixItems": [{}], "items": false}', '{"prefixItems": [{}, {"type": "string"}], "items": false}', 'yn'),
	('prefixItems position added, open', '{"prefixItems": [{}]}', '{"prefixItems": [{}, {"type": "string"}]}', 'ny')) AS c (change, old, new, strict);
-- bounds: each loosened and tightened, added and removed, also across forms
INSERT INTO matrix (change, old, new, strict)
SELECT concat(keyword, ' ', change), old::jsonb, new::jsonb, strict FROM (VALUES
		('minimum', 5, 4), ('exclusiveMinimum', 5, 4), ('maximum', 5, 6), ('exclusiveMaximum', 5, 6), ('minLength', 2, 1), ('maxLength', 2, 3),
		('minItems', 2, 1), ('maxItems', 2, 3), ('minProperties', 2, 1), ('maxProperties', 2, 3)) AS b (keyword, bound, looser),
	LATERAL (VALUES
		('loosened', format('{"%s": %s}', keyword, bound), format('{"%s": %s}', keyword, looser), 'yn'),
		('tightened', format('{"%s": %s}', keyword, looser), format('{"%s": %s}', keyword, bound), 'ny'),
		('removed', format('{"%s": %s}', keyword, bound), '{}', 'yn'),
		('added', '{}', format('{"%s": %s}', keyword, bound), 'ny')) AS c (change, old, new, strict);
INSERT INTO matrix (change, old, new, strict) VALUES
('exclusiveMaximum 10 to maximum 10', '{"exclusiveMaximum": 10}', '{"maximum": 10}', 'yn'),
('maximum 10 to exclusiveMaximum 10', '{"maximum": 10}', '{"exclusiveMaximum": 10}', 'ny'),
('exclusiveMinimum 10 to minimum 10', '{"exclusiveMinimum": 10}', '{"minimum": 10}', 'yn'),
('minimum 10 to exclusiveMinimum 10', '{"minimum": 10}', '{"exclusiveMinimum": 10}', 'ny'),
('exclusiveMaximum 10 to maximum 9, integers', '{"type": "integer", "exclusiveMaximum": 10}', '{"type": "integer", "maximum": 9}', 'yy'),
('bounds beyond what a double tells apart', '{"maximum": 9007199254740993}', '{"maximum": 9007199254740992}', 'ny'),
('bounds of many digits', '{"maximum": 0.30000000000000000000001}', '{"maximum": 0.3}', 'ny');
-- each format, added and removed
INSERT INTO matrix (change, old, new, strict)
SELECT format('format %s added', format), '{"type": "string"}', format('{"type": "string", "format": "%s"}', format)::jsonb, 'ny'
FROM unnest('{date-time,date,time,duration,email,idn-email,hostname,idn-hostname,ipv4,ipv6,uri,uri-reference,iri,iri-reference,uuid,uri-template,json-pointer,relative-json-pointer,regex}'::text[]) AS f (format);
INSERT INTO matrix (change, old, new, strict) VALUES
('format removed', '{"type": "string", "format": "date"}', '{"type": "string"}', 'yn'),
('format changed', '{"type": "string", "format": "uri"}', '{"type": "string", "format": "iri"}', 'yn'),
('minContains decreased', '{"type": "array", "contains": {"type": "string"}, "minContains": 3}', '{"type": "array", "contains": {"type": "string"}, "minContains": 2}', 'yn'),
('minContains removed', '{"type": "array", "minItems": 3, "contains": {"type": "string"}, "minContains": 2}', '{"type": "array", "minItems": 3, "contains": {"type": "string"}}', 'yn'),
('maxContains increased', '{"type": "array", "contains": {"const": "a"}, "maxContains": 3}', '{"type": "array", "contains": {"const": "a"}, "maxContains": 4}', 'yn'),
('contains widened', '{"type": "array", "contains": {"const": "a"}}', '{"type": "array", "contains": {"enum": ["a", "b"]}}', 'yn'),
('pattern of names widened', '{"type": "object", "patternProperties": {"^q": {"type": "string"}}}', '{"type": "object", "patternProperties": {"^[qr]": {"type": "string"}}}', 'ny');
-- unknown in one direction: the reversed change has other answers
INSERT INTO matrix (change, old, new, strict, around) VALUES
('oneOf member added, disjoint', '{"oneOf": [{"type": "integer"}]}', '{"oneOf": [{"type": "integer"}, {"type": "string"}]}', 'yn', 'ny'),
('oneOf member added, overlapping', '{"oneOf": [{"type": "integer"}]}', '{"oneOf": [{"type": "integer"}, {"minimum": 5}]}', 'nn', 'nn'),
('oneOf to anyOf, overlapping', '{"oneOf": [{"type": "integer"}, {"minimum": 5}]}', '{"anyOf": [{"type": "integer"}, {"minimum": 5}]}', 'yn', 'ny');
INSERT INTO matrix (change, old, new, strict) VALUES
('oneOf to anyOf, disjoint', '{"oneOf": [{"type": "integer"}, {"type": "string"}]}', '{"anyOf": [{"type": "integer"}, {"type": "string"}]}', 'yy'),
('oneOf member narrowed', '{"oneOf": [{"type": "number"}, {"type": "string"}]}', '{"oneOf": [{"type": "integer"}, {"type": "string"}]}', 'ny');
-- compared structurally
INSERT INTO matrix (change, old, new, strict) VALUES
('patternProperties added', '{}', '{"patternProperties": {"^a": {"type": "string"}}}', 'ny'),
('patternProperties removed', '{"patternProperties": {"^a": {"type": "string"}}}', '{}', 'yn'),
('patternProperties widened', '{"patternProperties": {"^a": {"type": "integer"}}}', '{"patternProperties": {"^a": {"type": "number"}}}', 'yn'),
('propertyNames added', '{}', '{"propertyNames": {"maxLength": 2}}', 'ny'),
('propertyNames removed', '{"propertyNames": {"maxLength": 2}}', '{}', 'yn'),
('contains added', '{"type": "array"}', '{"type": "array", "contains": {"type": "integer"}}', 'ny'),
('contains removed', '{"type": "array", "contains": {"type": "integer"}}', '{"type": "array"}', 'yn'),
('minContains raised', '{"contains": {"type": "null"}, "minContains": 1}', '{"contains": {"type": "null"}, "minContains": 2}', 'ny'),
('maxContains lowered', '{"contains": {"type": "null"}, "maxContains": 2}', '{"contains": {"type": "null"}, "maxContains": 1}', 'ny'),
('if added', '{"type": "object"}', '{"type": "object", "if": {"required": ["a"]}, "then": {"required": ["b"]}}', 'ny'),
('if removed', '{"type": "object", "if": {"required": ["a"]}, "then": {"required": ["b"]}}', '{"type": "object"}', 'yn'),
('then widened', '{"if": {"type": "integer"}, "then": {"minimum": 5}}', '{"if": {"type": "integer"}, "then": {"minimum": 4}}', 'yn'),
('else narrowed', '{"if": {"type": "integer"}, "else": {"type": "string"}}', '{"if": {"type": "integer"}, "else": {"type": "string", "maxLength": 3}}', 'ny');
UPDATE matrix SET lenient = strict WHERE lenient IS NULL;

-- ---------- changes that other checkers get wrong ----------

INSERT INTO matrix (change, old, new, strict, lenient) VALUES
('required without being declared, added', '{"properties": {"a": {}}}', '{"properties": {"a": {}}, "required": ["z"]}', 'ny', 'ny'),
('required without being declared, removed', '{"required": ["z"]}', '{}', 'yn', 'yn'),
('exclusiveMaximum lowered, no maximum', '{"exclusiveMaximum": 10}', '{"exclusiveMaximum": 9}', 'ny', 'ny'),
('enum beside type, narrowed', '{"type": "string", "enum": ["a", "b"]}', '{"type": "string", "enum": ["a"]}', 'ny', 'ny'),
('enum beside type, extended', '{"type": "string", "enum": ["a"]}', '{"type": "string", "enum": ["a", "b"]}', 'yn', 'yn'),
('sibling of oneOf narrowed', '{"oneOf": [{"type": "integer"}, {"type": "string"}], "maxLength": 5}', '{"oneOf": [{"type": "integer"}, {"type": "string"}], "maxLength": 4}', 'ny', 'ny'),
('sibling of anyOf narrowed', '{"anyOf": [{"type": "integer"}, {"type": "string"}], "maxLength": 5}', '{"anyOf": [{"type": "integer"}, {"type": "string"}], "maxLength": 4}', 'ny', 'ny'),
('sibling of $ref narrowed', '{"$ref": "#/$defs/s", "maxLength": 5, "$defs": {"s": {"type": "string"}}}', '{"$ref": "#/$defs/s", "maxLength": 4, "$defs": {"s": {"type": "string"}}}', 'ny', 'ny'),
('uniqueItems false to true', '{"uniqueItems": false}', '{"uniqueItems": true}', 'ny', 'ny'),
('multipleOf of fractions', '{"multipleOf": 0.01}', '{"multipleOf": 0.1}', 'ny', 'ny'),
('multipleOf that a double cannot divide', '{"multipleOf": 0.3}', '{"multipleOf": 0.1}', 'yn', 'yn'),
('dependentRequired of a draft that has it', '{"$schema": "https://json-schema.org/draft/2019-09/schema"}', '{"$schema": "https://json-schema.org/draft/2019-09/schema", "dependentRequired": {"a": ["b"]}}', 'ny', 'ny'),
('prefixItems of a draft that has it', '{}', '{"prefixItems": [{"type": "string"}]}', 'ny', 'ny'),
('an array in items where it was prefixItems', '{"$schema": "http://json-schema.org/draft-07/schema#"}', '{"$schema": "http://json-schema.org/draft-07/schema#", "items": [{"type": "string"}]}', 'ny', 'ny'),
('$defs that nothing refers to', '{"$defs": {"a": {"type": "integer"}}}', '{"$defs": {"a": {"type": "string"}}}', 'yy', 'yy');

CREATE FUNCTION verdict(old jsonb, new jsonb, lenient boolean) RETURNS text
BEGIN ATOMIC
	SELECT translate(concat(
			coalesce((array['c', 'u', 'i'])[max(array_position(array['compatible', 'unknown', 'incompatible'], backward))], 'c'),
			coalesce((array['c', 'u', 'i'])[max(array_position(array['compatible', 'unknown', 'incompatible'], forward))], 'c')), 'cui', 'yun')
	FROM event_schema_changes(old, new, lenient);
END;

-- the lines whose answers are not those of the table: none
WITH answers AS MATERIALIZED (
	SELECT *, verdict(old, new, false) AS strictly, verdict(old, new, true) AS leniently FROM matrix)
SELECT change, strict, strictly, lenient, leniently
FROM answers WHERE (strict, lenient) IS DISTINCT FROM (strictly, leniently) ORDER BY line;

-- reversed
WITH answers AS MATERIALIZED (
	SELECT change, line, CASE around WHEN 'same' THEN reverse(strict) ELSE around END AS strict, verdict(new, old, false) AS strictly,
		CASE around WHEN 'same' THEN reverse(lenient) ELSE around END AS lenient, verdict(new, old, true) AS leniently
	FROM matrix)
SELECT change, strict, strictly, lenient, leniently
FROM answers WHERE (strict, lenient) IS DISTINCT FROM (strictly, leniently) ORDER BY line;

-- in other places of a schema
CREATE FUNCTION put(place text, schema jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
	SELECT CASE place
		WHEN 'a required property, closed' THEN jsonb_build_object('type', 'object', 'required', '["p"]'::jsonb, 'properties', jsonb_build_object('p', schema), 'additionalProperties', false)
		WHEN 'items' THEN jsonb_build_object('type', 'array', 'items', schema)
		WHEN 'allOf' THEN jsonb_build_object('allOf', jsonb_build_array(schema))
		WHEN '$ref' THEN jsonb_build_object('additionalProperties', '{"$ref": "#/$defs/d"}'::jsonb, '$defs', jsonb_build_object('d', schema))
		WHEN 'anyOf' THEN jsonb_build_object('anyOf', jsonb_build_array(schema, '{"const": "in no other one"}'::jsonb))
		WHEN 'not' THEN jsonb_build_object('not', schema)
		END
$$;
WITH answers AS MATERIALIZED (
	SELECT place, number, m.*, verdict(put(place, old), put(place, new), false) AS strictly, verdict(put(place, old), put(place, new), true) AS leniently
	FROM matrix AS m, unnest('{"a required property, closed",items,allOf,$ref}'::text[]) WITH ORDINALITY AS p (place, number)
	WHERE NOT (old ?| '{$schema,$id,$ref}' OR new ?| '{$schema,$id,$ref}') AND change !~ '^(format|min|max|exclusive)')
SELECT place, change, strict, strictly, lenient, leniently
FROM answers WHERE (strict, lenient) IS DISTINCT FROM (strictly, leniently) ORDER BY number, line;

-- within anyOf and not the answer may be unknown instead, but never
-- the opposite (within not, the lenient reading differs)
WITH answers AS MATERIALIZED (
	SELECT place, number, line, change, CASE place WHEN 'not' THEN reverse(r.expected) ELSE r.expected END AS expected,
		verdict(put(place, old), put(place, new), is_lenient) AS found
	FROM matrix AS m, unnest('{anyOf,not}'::text[]) WITH ORDINALITY AS p (place, number),
		LATERAL (VALUES (false, m.strict), (true, m.lenient)) AS r (is_lenient, expected)
	WHERE NOT (old ?| '{$schema,$id,$ref}' OR new ?| '{$schema,$id,$ref}') AND change !~ '^(format|min|max|exclusive)'
		AND NOT (place = 'not' AND is_lenient))
SELECT place, change, expected, found
FROM answers
WHERE concat(left(expected, 1), left(found, 1)) IN ('yn', 'ny') OR concat(right(expected, 1), right(found, 1)) IN ('yn', 'ny')
ORDER BY number, line;

-- the "required" of draft 3 within a property is not treated as a schema
SELECT * FROM event_schema_changes('{"properties": {"a": {}}}', '{"properties": {"a": {"required": true}}}');
SELECT * FROM event_schema_changes('{"$schema": "http://json-schema.org/draft-03/schema#"}', 'true');

SELECT count(*) AS lines, count(*) FILTER (WHERE strict <> lenient) AS that_differ_by_reading FROM matrix;
DROP FUNCTION verdict, put;
DROP TABLE matrix;
