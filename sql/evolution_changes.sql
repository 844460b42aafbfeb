-- The changes between two schemas: the table of kinds of changes, in both
-- directions, strict and lenient.
CREATE FUNCTION verdicts(old jsonb, new jsonb, lenient boolean) RETURNS text
BEGIN ATOMIC
	SELECT coalesce((array['compatible', 'unknown', 'incompatible'])[max(array_position(array['compatible', 'unknown', 'incompatible'], backward))], 'compatible')
		|| ' / ' || coalesce((array['compatible', 'unknown', 'incompatible'])[max(array_position(array['compatible', 'unknown', 'incompatible'], forward))], 'compatible')
	FROM event_schema_changes(old, new, lenient);
END;
CREATE FUNCTION rules(old jsonb, new jsonb) RETURNS text
BEGIN ATOMIC
	SELECT string_agg(location || ' ' || rule, ', ') FROM event_schema_changes(old, new, false);
END;

CREATE TABLE changes (number int GENERATED ALWAYS AS IDENTITY, change text, old jsonb, new jsonb);

-- properties: added and removed, required and optional, open and closed
INSERT INTO changes (change, old, new) VALUES
('optional property added, open', '{"properties": {"a": {}}}', '{"properties": {"a": {}, "b": {"type": "string"}}}'),
('optional property that takes anything added, open', '{"properties": {"a": {}}}', '{"properties": {"a": {}, "b": true}}'),
('optional property added, further ones like it', '{"additionalProperties": {"type": "string", "maxLength": 3}}', '{"properties": {"b": {"type": "string"}}, "additionalProperties": {"type": "string", "maxLength": 3}}'),
('optional property added, closed', '{"properties": {"a": {}}, "additionalProperties": false}', '{"properties": {"a": {}, "b": {"type": "string"}}, "additionalProperties": false}'),
('required property added, open', '{"properties": {"a": {}}}', '{"properties": {"a": {}, "b": {"type": "string"}}, "required": ["b"]}'),
('required property added, closed', '{"properties": {"a": {}}, "additionalProperties": false}', '{"properties": {"a": {}, "b": {"type": "string"}}, "additionalProperties": false, "required": ["b"]}'),
('optional property removed, open', '{"properties": {"a": {}, "b": {"type": "string"}}}', '{"properties": {"a": {}}}'),
('optional property removed, closed', '{"properties": {"a": {}, "b": {"type": "string"}}, "additionalProperties": false}', '{"properties": {"a": {}}, "additionalProperties": false}'),
('required property removed, open', '{"properties": {"a": {}, "b": {"type": "string"}}, "required": ["b"]}', '{"properties": {"a": {}}}'),
('required property removed, closed', '{"properties": {"a": {}, "b": {"type": "string"}}, "additionalProperties": false, "required": ["b"]}', '{"properties": {"a": {}}, "additionalProperties": false}'),
('optional to required, open', '{"properties": {"a": {}}}', '{"properties": {"a": {}}, "required": ["a"]}'),
('optional to required, closed', '{"properties": {"a": {}}, "additionalProperties": false}', '{"properties": {"a": {}}, "required": ["a"], "additionalProperties": false}'),
('required to optional, open', '{"properties": {"a": {}}, "required": ["a"]}', '{"properties": {"a": {}}}'),
('required to optional, closed', '{"properties": {"a": {}}, "required": ["a"], "additionalProperties": false}', '{"properties": {"a": {}}, "additionalProperties": false}'),
('required without being declared', '{"properties": {"a": {}}}', '{"properties": {"a": {}}, "required": ["z"]}'),
('optional property added, unevaluated closed', '{"allOf": [{"properties": {"a": {}}}], "unevaluatedProperties": false}', '{"allOf": [{"properties": {"a": {}}}], "properties": {"b": {"type": "string"}}, "unevaluatedProperties": false}'),
('optional property added, within', '{"properties": {"a": {"properties": {"x": {}}}}}', '{"properties": {"a": {"properties": {"x": {}, "y": {"type": "null"}}}}}'),
('optional property added, within items', '{"items": {"properties": {"x": {}}}}', '{"items": {"properties": {"x": {}, "y": {"type": "null"}}}}'),
('optional property added and made required later', '{"properties": {"a": {}, "b": {"type": "string"}}}', '{"properties": {"a": {}, "b": {"type": "string"}}, "required": ["b"]}');

-- closing and opening
INSERT INTO changes (change, old, new) VALUES
('additionalProperties closed', '{"properties": {"a": {}}}', '{"properties": {"a": {}}, "additionalProperties": false}'),
('additionalProperties true to false', '{"properties": {"a": {}}, "additionalProperties": true}', '{"properties": {"a": {}}, "additionalProperties": false}'),
('additionalProperties opened', '{"properties": {"a": {}}, "additionalProperties": false}', '{"properties": {"a": {}}}'),
('additionalProperties narrowed', '{"additionalProperties": {"type": "number"}}', '{"additionalProperties": {"type": "integer"}}'),
('unevaluatedProperties closed', '{"properties": {"a": {}}}', '{"properties": {"a": {}}, "unevaluatedProperties": false}'),
('unevaluatedProperties opened', '{"properties": {"a": {}}, "unevaluatedProperties": false}', '{"properties": {"a": {}}}'),
('additionalProperties to unevaluatedProperties', '{"properties": {"a": {}}, "additionalProperties": false}', '{"properties": {"a": {}}, "unevaluatedProperties": false}'),
('items closed', '{"prefixItems": [{}]}', '{"prefixItems": [{}], "items": false}'),
('items opened', '{"prefixItems": [{}], "items": false}', '{"prefixItems": [{}]}'),
('unevaluatedItems closed', '{"prefixItems": [{}]}', '{"prefixItems": [{}], "unevaluatedItems": false}'),
('prefixItems position added, closed', '{"prefixItems": [{}], "items": false}', '{"prefixItems": [{}, {"type": "string"}], "items": false}'),
('prefixItems position added, open', '{"prefixItems": [{}]}', '{"prefixItems": [{}, {"type": "string"}]}');

-- annotations
INSERT INTO changes (change, old, new) VALUES
('annotations', '{"type": "string", "title": "a"}', '{"type": "string", "title": "b", "description": "c", "$comment": "d", "examples": ["e"], "default": "f", "deprecated": true}'),
('$id', '{"type": "string"}', '{"$id": "https://example.com/x", "type": "string"}'),
('default of a required property', '{"properties": {"a": {"default": 1}}}', '{"properties": {"a": {"default": 1}}, "required": ["a"]}'),
('annotations beside what is hard to prove', '{"anyOf": [{"properties": {"a": {"pattern": "x"}}}, {"not": {"contains": {}}}], "unevaluatedProperties": false}', '{"anyOf": [{"properties": {"a": {"pattern": "x", "title": "a"}}}, {"not": {"contains": {}}}], "unevaluatedProperties": false}');

-- types and values
INSERT INTO changes (change, old, new) VALUES
('integer to number', '{"type": "integer"}', '{"type": "number"}'),
('number to integer', '{"type": "number"}', '{"type": "integer"}'),
('T to [T, null]', '{"type": "string"}', '{"type": ["string", "null"]}'),
('[T, null] to T', '{"type": ["string", "null"]}', '{"type": "string"}'),
('T to anyOf with T', '{"type": "string", "maxLength": 3}', '{"anyOf": [{"type": "string", "maxLength": 3}, {"type": "null"}]}'),
('type changed', '{"type": "string"}', '{"type": "integer"}'),
('integer with multipleOf 1 instead', '{"type": "integer"}', '{"type": "number", "multipleOf": 1}'),
('enum extended', '{"enum": ["a", "b"]}', '{"enum": ["a", "b", "c"]}'),
('enum narrowed', '{"enum": ["a", "b"]}', '{"enum": ["a"]}'),
('enum in another order', '{"enum": ["a", 1, {"x": 1.0}]}', '{"enum": [{"x": 1}, 1.0, "a"]}'),
('enum narrowed beside type', '{"type": "string", "enum": ["a", "b"]}', '{"type": "string", "enum": ["a"]}'),
('enum added beside type', '{"type": "string"}', '{"type": "string", "enum": ["a"]}'),
('enum extended by what type refuses', '{"type": "string", "enum": ["a"]}', '{"type": "string", "enum": ["a", 1]}'),
('enum to type', '{"enum": ["a", "b"]}', '{"type": "string"}'),
('const to enum with it', '{"const": 1}', '{"enum": [1, 2]}'),
('enum to const in it', '{"enum": [1, 2]}', '{"const": 1}'),
('const changed', '{"const": 1}', '{"const": 2}'),
('const not changed', '{"const": 1}', '{"const": 1.00}');

-- bounds
INSERT INTO changes (change, old, new) VALUES
('minimum decreased', '{"minimum": 1}', '{"minimum": 0}'),
('minimum increased', '{"minimum": 1}', '{"minimum": 2}'),
('minimum added', '{}', '{"minimum": 2}'),
('minimum removed', '{"minimum": 2}', '{}'),
('maximum increased', '{"maximum": 1}', '{"maximum": 2}'),
('maximum decreased', '{"maximum": 1}', '{"maximum": 0.5}'),
('exclusiveMaximum decreased, no maximum', '{"exclusiveMaximum": 10}', '{"exclusiveMaximum": 9}'),
('exclusiveMinimum increased, no minimum', '{"exclusiveMinimum": 1}', '{"exclusiveMinimum": 2}'),
('exclusiveMaximum 10 to maximum 10', '{"exclusiveMaximum": 10}', '{"maximum": 10}'),
('maximum 10 to exclusiveMaximum 10', '{"maximum": 10}', '{"exclusiveMaximum": 10}'),
('exclusiveMinimum 0 to minimum 1, integers', '{"type": "integer", "exclusiveMinimum": 0}', '{"type": "integer", "minimum": 1}'),
('exclusiveMinimum 0 to minimum 1, numbers', '{"type": "number", "exclusiveMinimum": 0}', '{"type": "number", "minimum": 1}'),
('bounds that a double cannot tell apart', '{"maximum": 9007199254740993}', '{"maximum": 9007199254740992}'),
('bounds of many digits', '{"minimum": 0.1234567890123456789012345678901}', '{"minimum": 0.1234567890123456789012345678902}'),
('minLength decreased', '{"minLength": 2}', '{"minLength": 1}'),
('minLength increased', '{"minLength": 1}', '{"minLength": 2}'),
('minLength 0 added', '{"type": "string"}', '{"type": "string", "minLength": 0}'),
('maxLength increased', '{"maxLength": 2}', '{"maxLength": 3}'),
('maxLength decreased', '{"maxLength": 2}', '{"maxLength": 1}'),
('minItems increased', '{"minItems": 1}', '{"minItems": 2}'),
('minItems decreased', '{"minItems": 1}', '{"minItems": 0}'),
('maxItems increased', '{"maxItems": 2}', '{"maxItems": 3}'),
('maxItems decreased', '{"maxItems": 2}', '{"maxItems": 1}'),
('minProperties increased', '{"minProperties": 1}', '{"minProperties": 2}'),
('minProperties decreased', '{"minProperties": 2}', '{"minProperties": 1}'),
('minProperties that required implies', '{"required": ["a", "b"]}', '{"required": ["a", "b"], "minProperties": 2}'),
('maxProperties increased', '{"maxProperties": 2}', '{"maxProperties": 3}'),
('maxProperties decreased', '{"maxProperties": 3}', '{"maxProperties": 2}'),
('bound of a type that is not allowed', '{"type": "string", "minimum": 1}', '{"type": "string", "minimum": 2}'),
('multipleOf: new divides old', '{"multipleOf": 6}', '{"multipleOf": 2}'),
('multipleOf: old divides new', '{"multipleOf": 2}', '{"multipleOf": 6}'),
('multipleOf: neither', '{"multipleOf": 2}', '{"multipleOf": 3}'),
('multipleOf: fractions', '{"multipleOf": 0.03}', '{"multipleOf": 0.01}'),
('multipleOf added', '{"type": "number"}', '{"type": "number", "multipleOf": 2}'),
('multipleOf removed', '{"type": "number", "multipleOf": 2}', '{"type": "number"}');

-- strings
INSERT INTO changes (change, old, new) VALUES
('pattern removed', '{"pattern": "^a"}', '{}'),
('pattern added', '{}', '{"pattern": "^a"}'),
('pattern changed', '{"pattern": "^a"}', '{"pattern": "^b"}'),
('pattern added that all listed values match', '{"enum": ["ab", "ac"]}', '{"enum": ["ab", "ac"], "pattern": "^a"}'),
('format removed', '{"format": "date"}', '{}'),
('format added', '{}', '{"format": "date"}'),
('format changed', '{"format": "date"}', '{"format": "uuid"}'),
('format unknown', '{"format": "ours"}', '{"format": "theirs"}');

-- applicators
INSERT INTO changes (change, old, new) VALUES
('allOf member added', '{"allOf": [{"minimum": 0}]}', '{"allOf": [{"minimum": 0}, {"maximum": 9}]}'),
('allOf member removed', '{"allOf": [{"minimum": 0}, {"maximum": 9}]}', '{"allOf": [{"minimum": 0}]}'),
('allOf merged', '{"allOf": [{"minimum": 0}, {"maximum": 9}]}', '{"minimum": 0, "maximum": 9}'),
('anyOf member added', '{"anyOf": [{"type": "string"}]}', '{"anyOf": [{"type": "string"}, {"type": "null"}]}'),
('anyOf member removed', '{"anyOf": [{"type": "string"}, {"type": "null"}]}', '{"anyOf": [{"type": "string"}]}'),
('anyOf member narrowed', '{"anyOf": [{"type": "string"}, {"type": "number"}]}', '{"anyOf": [{"type": "string"}, {"type": "integer"}]}'),
('anyOf member narrowed, covered by another', '{"anyOf": [{"type": "string"}, {"type": "string", "maxLength": 9}]}', '{"anyOf": [{"type": "string"}, {"type": "string", "maxLength": 3}]}'),
('anyOf in another order', '{"anyOf": [{"type": "string"}, {"type": "number"}]}', '{"anyOf": [{"type": "number"}, {"type": "string"}]}'),
('sibling of anyOf narrowed', '{"anyOf": [{"type": "string"}, {"type": "number"}], "maxLength": 3}', '{"anyOf": [{"type": "string"}, {"type": "number"}], "maxLength": 2}'),
('sibling of oneOf narrowed', '{"oneOf": [{"type": "string"}, {"type": "number"}], "minimum": 3}', '{"oneOf": [{"type": "string"}, {"type": "number"}], "minimum": 4}'),
('oneOf member added, disjoint', '{"oneOf": [{"type": "string"}]}', '{"oneOf": [{"type": "string"}, {"type": "null"}]}'),
('oneOf member added, overlapping', '{"oneOf": [{"type": "integer"}]}', '{"oneOf": [{"type": "integer"}, {"type": "number"}]}'),
('oneOf member added, told apart by a constant', '{"oneOf": [{"properties": {"k": {"const": "a"}}, "required": ["k"], "type": "object"}]}', '{"oneOf": [{"properties": {"k": {"const": "a"}}, "required": ["k"], "type": "object"}, {"properties": {"k": {"const": "b"}}, "required": ["k"], "type": "object"}]}'),
('oneOf member removed', '{"oneOf": [{"type": "string"}, {"type": "null"}]}', '{"oneOf": [{"type": "string"}]}'),
('oneOf member narrowed', '{"oneOf": [{"type": "string"}, {"type": "number"}]}', '{"oneOf": [{"type": "string"}, {"type": "integer"}]}'),
('oneOf member widened until it overlaps', '{"oneOf": [{"type": "integer"}, {"type": "string"}]}', '{"oneOf": [{"type": "integer"}, {"type": ["string", "integer"]}]}'),
('oneOf with overlap, not changed', '{"oneOf": [{"minimum": 0}, {"maximum": 9}]}', '{"oneOf": [{"maximum": 9}, {"minimum": 0}], "title": "x"}'),
('oneOf to anyOf, disjoint', '{"oneOf": [{"type": "string"}, {"type": "null"}]}', '{"anyOf": [{"type": "string"}, {"type": "null"}]}'),
('oneOf to anyOf, overlapping', '{"oneOf": [{"minimum": 0}, {"maximum": 9}]}', '{"anyOf": [{"minimum": 0}, {"maximum": 9}]}'),
('anyOf to oneOf, overlapping', '{"anyOf": [{"minimum": 0}, {"maximum": 9}]}', '{"oneOf": [{"minimum": 0}, {"maximum": 9}]}'),
('not widened', '{"not": {"type": "string"}}', '{"not": {"type": ["string", "null"]}}'),
('not narrowed', '{"not": {"maximum": 9}}', '{"not": {"type": "number", "maximum": 5}}'),
('not added', '{}', '{"not": {"type": "string"}}'),
('not removed', '{"not": {"type": "string"}}', '{}'),
('not that changes nothing', '{"type": "string"}', '{"type": "string", "not": {"type": "number"}}'),
('dependentRequired added', '{"type": "object"}', '{"type": "object", "dependentRequired": {"a": ["b"]}}'),
('dependentRequired removed', '{"type": "object", "dependentRequired": {"a": ["b"]}}', '{"type": "object"}'),
('dependentRequired that required implies', '{"required": ["b"]}', '{"required": ["b"], "dependentRequired": {"a": ["b"]}}'),
('dependentSchemas added', '{"type": "object"}', '{"type": "object", "dependentSchemas": {"a": {"maxProperties": 1}}}'),
('dependentSchemas removed', '{"type": "object", "dependentSchemas": {"a": {"maxProperties": 1}}}', '{"type": "object"}'),
('dependentSchemas widened', '{"dependentSchemas": {"a": {"maxProperties": 1}}}', '{"dependentSchemas": {"a": {"maxProperties": 2}}}'),
('uniqueItems added', '{"type": "array"}', '{"type": "array", "uniqueItems": true}'),
('uniqueItems removed', '{"type": "array", "uniqueItems": true}', '{"type": "array"}'),
('uniqueItems added, one item at most', '{"maxItems": 1}', '{"maxItems": 1, "uniqueItems": true}'),
('patternProperties added', '{}', '{"patternProperties": {"^x": {"type": "string"}}}'),
('patternProperties removed', '{"patternProperties": {"^x": {"type": "string"}}}', '{}'),
('patternProperties widened', '{"patternProperties": {"^x": {"type": "integer"}}}', '{"patternProperties": {"^x": {"type": "number"}}}'),
('property that a pattern matches', '{"properties": {"xa": {"type": "string"}}}', '{"properties": {"xa": {"type": "string"}}, "patternProperties": {"^x": {"maxLength": 3}}, "additionalProperties": true}'),
('propertyNames added', '{}', '{"propertyNames": {"maxLength": 3}}'),
('propertyNames removed', '{"propertyNames": {"maxLength": 3}}', '{}'),
('propertyNames widened', '{"propertyNames": {"maxLength": 3}}', '{"propertyNames": {"maxLength": 4}}'),
('propertyNames added that all names match', '{"properties": {"a": {}}, "additionalProperties": false}', '{"properties": {"a": {}}, "additionalProperties": false, "propertyNames": {"maxLength": 3}}'),
('contains added', '{"type": "array"}', '{"type": "array", "contains": {"type": "null"}}'),
('contains removed', '{"type": "array", "contains": {"type": "null"}}', '{"type": "array"}'),
('contains widened', '{"contains": {"type": "integer"}}', '{"contains": {"type": "number"}}'),
('contains that minItems implies', '{"type": "array", "items": {"type": "integer"}, "minItems": 1}', '{"type": "array", "items": {"type": "integer"}, "minItems": 1, "contains": {"type": "number"}}'),
('contains that demands nothing evaluates all the same', '{"contains": {"type": "string"}, "minContains": 0, "unevaluatedItems": false}', '{"contains": {"type": "string"}, "minContains": 0, "maxItems": 0}'),
('branches that evaluate', '{"properties": {"a": {}}, "anyOf": [{"properties": {"b": {}}}, true], "unevaluatedProperties": false}', '{"properties": {"a": {}}, "additionalProperties": false}'),
('maxContains decreased', '{"contains": {"type": "null"}, "maxContains": 3}', '{"contains": {"type": "null"}, "maxContains": 2}'),
('minContains decreased', '{"contains": {"type": "null"}, "minContains": 3}', '{"contains": {"type": "null"}, "minContains": 2}'),
('if added', '{"type": "object"}', '{"type": "object", "if": {"required": ["a"]}, "then": {"required": ["b"]}}'),
('if removed', '{"type": "object", "if": {"required": ["a"]}, "then": {"required": ["b"]}}', '{"type": "object"}'),
('then widened', '{"if": {"required": ["a"]}, "then": {"maxProperties": 2}}', '{"if": {"required": ["a"]}, "then": {"maxProperties": 3}}'),
('if without then', '{"type": "string"}', '{"type": "string", "if": {"minLength": 2}}');

-- references, recursion, dialects
INSERT INTO changes (change, old, new) VALUES
('$ref to the same', '{"properties": {"a": {"type": "string"}}}', '{"properties": {"a": {"$ref": "#/$defs/a"}}, "$defs": {"a": {"type": "string"}}}'),
('$ref to something narrower', '{"properties": {"a": {"$ref": "#/$defs/a"}}, "$defs": {"a": {"type": "number"}}}', '{"properties": {"a": {"$ref": "#/$defs/a"}}, "$defs": {"a": {"type": "integer"}}}'),
('definition that is not used', '{"$defs": {"a": {"type": "number"}}}', '{"$defs": {"a": {"type": "integer"}}}'),
('recursive, widened', '{"type": "object", "properties": {"v": {"type": "integer"}, "next": {"$ref": "#"}}}', '{"type": "object", "properties": {"v": {"type": "number"}, "next": {"$ref": "#"}}}'),
('recursive, narrowed', '{"type": "object", "properties": {"v": {"type": "number"}, "next": {"$ref": "#"}}}', '{"type": "object", "properties": {"v": {"type": "integer"}, "next": {"$ref": "#"}}}'),
('recursive, unrolled', '{"type": "array", "items": {"$ref": "#"}}', '{"type": "array", "items": {"type": "array", "items": {"$ref": "#"}}}'),
('recursive without end, so nothing', '{"$defs": {"n": {"type": "object", "required": ["n"], "properties": {"n": {"$ref": "#/$defs/n"}}}}, "$ref": "#/$defs/n"}', '{"type": "string"}'),
('$dynamicRef, one target', '{"$dynamicAnchor": "n", "type": "object", "properties": {"n": {"$dynamicRef": "#n"}, "v": {"type": "integer"}}}', '{"$dynamicAnchor": "n", "type": "object", "properties": {"n": {"$dynamicRef": "#n"}, "v": {"type": "number"}}}'),
('$dynamicRef, several targets, annotation', '{"$id": "https://example.com/a", "$dynamicAnchor": "n", "items": {"$dynamicRef": "#n"}, "$defs": {"b": {"$id": "b", "$dynamicAnchor": "n", "type": "array"}}}', '{"$id": "https://example.com/a", "title": "x", "$dynamicAnchor": "n", "items": {"$dynamicRef": "#n"}, "$defs": {"b": {"$id": "b", "$dynamicAnchor": "n", "type": "array"}}}'),
('$dynamicRef, several targets, changed', '{"$id": "https://example.com/a", "$dynamicAnchor": "n", "items": {"$dynamicRef": "#n"}, "$defs": {"b": {"$id": "b", "$dynamicAnchor": "n", "type": "array"}}}', '{"$id": "https://example.com/a", "$dynamicAnchor": "n", "items": {"$dynamicRef": "#n"}, "$defs": {"b": {"$id": "b", "$dynamicAnchor": "n", "type": ["array", "null"]}}}'),
('recursive through each other', '{"$ref": "#/$defs/a", "$defs": {"a": {"type": "object", "properties": {"b": {"$ref": "#/$defs/b"}, "v": {"type": "integer"}}}, "b": {"type": "array", "items": {"anyOf": [{"$ref": "#/$defs/a"}, {"$ref": "#/$defs/b"}]}}}}', '{"$ref": "#/$defs/a", "$defs": {"a": {"type": "object", "properties": {"b": {"$ref": "#/$defs/b"}, "v": {"type": "number"}}}, "b": {"type": "array", "items": {"anyOf": [{"$ref": "#/$defs/a"}, {"$ref": "#/$defs/b"}]}}}}'),
('recursive through each other, broken below', '{"$ref": "#/$defs/a", "$defs": {"a": {"type": "object", "properties": {"b": {"$ref": "#/$defs/b"}}}, "b": {"type": "array", "items": {"$ref": "#/$defs/a"}, "maxItems": 3}}}', '{"$ref": "#/$defs/a", "$defs": {"a": {"type": "object", "properties": {"b": {"$ref": "#/$defs/b"}}}, "b": {"type": "array", "items": {"$ref": "#/$defs/a"}, "maxItems": 2}}}'),
('draft 4 flag to a bound', '{"$schema": "http://json-schema.org/draft-04/schema#", "maximum": 10, "exclusiveMaximum": true}', '{"exclusiveMaximum": 10}'),
('draft 4 flag removed', '{"$schema": "http://json-schema.org/draft-04/schema#", "maximum": 10, "exclusiveMaximum": true}', '{"$schema": "http://json-schema.org/draft-04/schema#", "maximum": 10}'),
('draft 4 items to prefixItems', '{"$schema": "http://json-schema.org/draft-04/schema#", "items": [{"type": "string"}], "additionalItems": false, "definitions": {"x": {}}}', '{"prefixItems": [{"type": "string"}], "items": false}'),
('draft 7 dependencies', '{"$schema": "http://json-schema.org/draft-07/schema#", "dependencies": {"a": ["b"]}}', '{"dependentRequired": {"a": ["b"]}}'),
('draft 7 hides what is beside $ref', '{"$schema": "http://json-schema.org/draft-07/schema#", "$ref": "#/definitions/a", "maxLength": 3, "definitions": {"a": {"type": "string"}}}', '{"$ref": "#/$defs/a", "maxLength": 3, "$defs": {"a": {"type": "string"}}}'),
('keyword of a later draft is none', '{"$schema": "http://json-schema.org/draft-04/schema#", "const": 1}', '{"const": 1}'),
('prefixItems is none in draft 7', '{"$schema": "http://json-schema.org/draft-07/schema#", "prefixItems": [{"type": "string"}]}', '{"prefixItems": [{"type": "string"}]}'),
('dependentRequired is none in draft 7', '{"$schema": "http://json-schema.org/draft-07/schema#"}', '{"$schema": "http://json-schema.org/draft-07/schema#", "dependentRequired": {"a": ["b"]}}'),
('true to false', 'true', 'false'),
('false to true', 'false', 'true'),
('true to {}', 'true', '{}');

CREATE TABLE answers AS
	SELECT number, change, lenient, verdicts(old, new, lenient), verdicts(new, old, lenient) AS reversed
	FROM changes, (VALUES (true), (false)) AS readings (lenient);
SELECT change, s.verdicts AS strict, l.verdicts AS lenient
FROM answers AS s JOIN answers AS l USING (number, change) WHERE NOT s.lenient AND l.lenient ORDER BY number;
SELECT change, rules(old, new) FROM changes ORDER BY number;

-- each reversed change has the answers exchanged
SELECT change, lenient, verdicts, reversed
FROM answers WHERE regexp_replace(verdicts, '(.*) / (.*)', '\2 / \1') <> reversed ORDER BY number, lenient DESC;

-- a strictly compatible change is leniently compatible
SELECT change FROM answers AS s JOIN answers AS l USING (number, change)
WHERE NOT s.lenient AND l.lenient AND (s.verdicts LIKE 'compatible /%' AND l.verdicts NOT LIKE 'compatible /%'
	OR s.verdicts LIKE '%/ compatible' AND l.verdicts NOT LIKE '%/ compatible');

-- no change for equal schemas
SELECT change, (event_schema_changes(old, old)).* FROM changes;

-- locations, messages
SELECT * FROM event_schema_changes(
	'{"type": "object", "required": ["side"], "properties": {"side": {"enum": ["buy", "sell"]}, "qty": {"type": "number", "maximum": 10},
		"a/b": {"type": "string"}, "note": {"type": "string"}}}',
	'{"type": "object", "required": ["side", "qty"], "properties": {"side": {"enum": ["buy", "hold"]}, "qty": {"type": "number", "exclusiveMaximum": 10},
		"a/b": {"type": "string", "maxLength": 5}, "tag": {"$ref": "#/$defs/tag"}}, "$defs": {"tag": {"type": "string"}}}');

-- the largest numbers
SELECT location, rule, backward, forward FROM event_schema_changes(
	'{"type": "integer", "exclusiveMinimum": -9e131071, "maximum": 9e131071, "multipleOf": 9e131070}',
	'{"minimum": -9e131070, "exclusiveMaximum": 9e131071, "multipleOf": 1e-16383, "enum": [9e131071, 1e-16383]}');

-- a comparison of too many steps is given up: references with 2^30 paths
CREATE FUNCTION pairs(leaf jsonb) RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_build_object('$ref', '#/$defs/d0', '$defs', jsonb_object_agg('d' || i, CASE i WHEN 30 THEN leaf ELSE
		jsonb_build_object('anyOf', jsonb_build_array(reference, reference)) END))
	FROM generate_series(0, 30) AS i, jsonb_build_object('$ref', '#/$defs/d' || i + 1) AS reference $$;
SELECT * FROM event_schema_changes(pairs('{"type": "string"}'), pairs('{"type": "number"}'));
SELECT * FROM event_schema_changes(pairs('{"type": "string"}'), pairs('{"type": "string"}'));
DROP FUNCTION pairs;

-- a change of one kind beside another one of this kind: only what old events lack is incompatible, and only
-- what new events lack in the undoing
SELECT number, change.location, change.rule, change.backward, change.forward, undone.backward AS undone_backward, undone.forward AS undone_forward
FROM (VALUES
	(1, '{"type": "string", "minLength": 1}'::jsonb, '{"type": "string", "minLength": 1, "allOf": [{"pattern": "^a"}, {"pattern": "^[^]"}]}'::jsonb),
	(2, '{"type": "string", "format": "email"}', '{"type": "string", "format": "email", "allOf": [{"format": "idn-email"}, {"format": "uri"}]}'),
	(3, '{"type": "number", "multipleOf": 6}', '{"type": "number", "multipleOf": 6, "allOf": [{"multipleOf": 3}, {"multipleOf": 5}]}'),
	(4, '{"type": "object", "anyOf": [{"required": ["x"]}, {"required": ["x", "z"]}]}', '{"type": "object", "anyOf": [{"required": ["x"]}, {"required": ["x", "z"]}], "required": ["x", "y"]}'),
	(5, '{"type": "object", "required": ["x"]}', '{"type": "object", "required": ["x"], "dependentRequired": {"x": ["x"], "y": ["q"]}}'),
	(6, '{"type": "object", "required": ["x"]}', '{"type": "object", "required": ["x"], "allOf": [{"anyOf": [{"required": ["x"]}, {"required": ["q"]}]}, {"anyOf": [{"required": ["y"]}, {"required": ["q"]}]}]}'),
	(7, '{"type": "object", "required": ["x"]}', '{"type": "object", "required": ["x"], "allOf": [{"not": {"properties": {"x": false}}}, {"not": {"required": ["y"]}}]}'),
	(8, '{"type": "object", "required": ["k"], "properties": {"k": {"const": "a"}}}', '{"type": "object", "required": ["k"], "properties": {"k": {"const": "a"}}, "allOf": [{"if": {"properties": {"k": {"const": "b"}}}, "then": {"required": ["z"]}}, {"if": {"properties": {"k": {"const": "a"}}}, "then": {"required": ["y"]}}]}'),
	(9, '{"allOf": [{"if": {"required": ["k"]}, "then": {"properties": {"v": {"type": "integer"}}}}, {"if": {"required": ["m"]}, "then": {"properties": {"w": {"type": "number"}}}}]}',
		'{"allOf": [{"if": {"required": ["k"]}, "then": {"properties": {"v": {"type": "number"}}}}, {"if": {"required": ["m"]}, "then": {"properties": {"w": {"type": "integer"}}}}]}'),
	(10, '{"allOf": [{"anyOf": [{"required": ["a"]}, {"required": ["b"]}]}, {"anyOf": [{"required": ["c"]}, {"required": ["d"]}, {"required": ["e"]}]}]}',
		'{"allOf": [{"anyOf": [{"required": ["a"]}, {"required": ["b"]}, {"required": ["z"]}]}, {"anyOf": [{"required": ["c"]}, {"required": ["d"]}]}]}'),
	-- one change tells all of these
	(11, '{"type": "array", "items": {"type": "integer"}, "minItems": 1}', '{"type": "array", "items": {"type": "integer"}, "minItems": 1, "allOf": [{"contains": {"type": "number"}}, {"contains": {"const": 7}}]}'))
	AS pairs (number, old, new),
	LATERAL event_schema_changes(old, new, false) AS change
	JOIN LATERAL event_schema_changes(new, old, false) AS undone USING (location)
ORDER BY number, location, rule;

-- messages: a type that moves between keywords, and what conditions require
SELECT number, location, rule, message
FROM (VALUES
	(1, '{"type": "number"}'::jsonb, '{"anyOf": [{"type": "number", "minimum": 3}, {"type": "number", "maximum": 10}]}'::jsonb),
	(2, '{"type": "integer"}', '{"anyOf": [{"type": "integer"}, {"type": ["integer", "null"], "minimum": 2}]}'),
	(3, '{"anyOf": [{"type": "number"}, {"type": "number", "minimum": 2}]}', '{"type": "number"}'),
	(4, '{"type": "integer"}', '{"anyOf": [{"type": "integer"}, {"type": "number", "minimum": 2}]}'),
	(5, '{}', '{"if": {"required": ["k"]}, "then": {"required": ["b"]}, "else": {"required": ["c", "d", "e", "f", "g"]}}'),
	(6, '{"if": {"required": ["k"]}, "then": {"required": ["b"]}}', '{"if": {"required": ["k"]}, "then": {"required": ["c"]}, "else": {"minProperties": 2}}'),
	(7, '{"if": {"required": ["k"]}, "then": {"allOf": [{"required": ["b"]}]}}', '{}'))
	AS pairs (number, old, new), event_schema_changes(old, new, false)
ORDER BY number, location COLLATE "C";

-- a registered version and a definition; other documents are followed
SELECT register_schema('https://example.com/evolution/money', '{"$defs": {"old": {"type": "number"}, "new": {"type": "number", "minimum": 0}}}');
SELECT register_event_schema('evolution', 1, '{"properties": {"price": {"$ref": "https://example.com/evolution/money#/$defs/old"}}}');
SELECT * FROM event_schema_changes('evolution', 1, '{"properties": {"price": {"$ref": "https://example.com/evolution/money#/$defs/new"}}}');
SELECT * FROM event_schema_changes('evolution', 2, 'true');
SELECT * FROM event_schema_changes('evolution', 1, '{"type": "strin"}');
SELECT * FROM event_schema_changes('evolution', 1, '#assert_format off
{"format": "date"}');

DROP FUNCTION verdicts, rules;
DROP TABLE changes, answers;
SELECT drop_event_schema('evolution', 1);
DROP FUNCTION event_schema."https://example.com/evolution/money";
