-- What follows only from several keywords together: strings, names, objects that cannot be, and
-- values that need not be made.
CREATE FUNCTION verdicts(old jsonb, new jsonb, lenient boolean DEFAULT false) RETURNS text
BEGIN ATOMIC
	SELECT coalesce((array['compatible', 'unknown', 'incompatible'])[max(array_position(array['compatible', 'unknown', 'incompatible'], backward))], 'compatible')
		|| ' / ' || coalesce((array['compatible', 'unknown', 'incompatible'])[max(array_position(array['compatible', 'unknown', 'incompatible'], forward))], 'compatible')
	FROM event_schema_changes(old, new, lenient);
END;

-- strings that anyOf, oneOf, not, if and listed values allow
SELECT change, verdicts(old, new) FROM (VALUES
('no listed string, and a length', '{"type": ["string", "null"], "not": {"enum": [""]}}'::jsonb, '{"type": ["string", "null"], "minLength": 1}'::jsonb),
('the same in anyOf', '{"type": ["string", "null"], "not": {"enum": [""]}}', '{"anyOf": [{"type": "string", "minLength": 1}, {"type": "null"}]}'),
('a line feed tells them apart', '{"type": ["string", "null"], "not": {"enum": [""]}}', '{"type": ["string", "null"], "pattern": ".+"}'),
('two strings less', '{"type": "string", "not": {"enum": ["", "a.b"]}}', '{"type": "string", "minLength": 1}'),
('a listed string with a dot', '{"type": "string", "pattern": "^a.b$", "not": {"const": "a.b"}}', '{"type": "string", "pattern": "^a[^.]b$"}'),
('not both of two patterns', '{"not": {"allOf": [{"type": "string"}, {"type": "string", "pattern": "a"}]}}', '{"anyOf": [{"type": ["number", "boolean", "null", "array", "object"]}, {"type": "string", "pattern": "^[^a]*$"}]}'),
('not a length and a pattern', '{"type": "string", "not": {"minLength": 5, "pattern": "a"}}', '{"anyOf": [{"type": "string", "maxLength": 4}, {"type": "string", "pattern": "^[^a]*$"}]}'),
('patterns that divide the strings', '{"type": "string"}', '{"anyOf": [{"type": "string", "pattern": "a"}, {"type": "string", "pattern": "^[^a]*$"}]}'),
('patterns that leave a string out', '{"type": "string"}', '{"anyOf": [{"type": "string", "pattern": "a"}, {"type": "string", "pattern": "^[^a]+$"}]}'),
('patterns that divide in oneOf', '{"type": "string"}', '{"type": "string", "oneOf": [{"pattern": "a"}, {"pattern": "^[^a]*$"}]}'),
('patterns that overlap in oneOf', '{"type": "string"}', '{"type": "string", "oneOf": [{"pattern": "a"}, {"pattern": "^[^b]*$"}]}'),
('a condition', '{"type": "string", "if": {"maxLength": 2}, "then": {"pattern": "^[A-Z]*$"}, "else": {"pattern": "^[a-z]*$"}}', '{"type": "string", "anyOf": [{"pattern": "^[A-Z]{0,2}$"}, {"pattern": "^[a-z]{3,}$"}]}'),
('a format within not', '{"type": "string", "format": "date"}', '{"not": {"type": "string", "maxLength": 5}}'),
('a string that cannot be', '{"type": "string", "pattern": "^[ab]$", "not": {"enum": ["a", "b"]}}', '{"type": "null"}'),
('least length of an address', '{"type": "string", "format": "email"}', '{"type": "string", "format": "email", "minLength": 3}'),
('a longer address', '{"type": "string", "format": "email"}', '{"type": "string", "format": "email", "minLength": 4}')) AS v(change, old, new);

-- a property that needs its object to be something else cannot be there
SELECT change, verdicts(old, new) FROM (VALUES
('other types', '{"dependentSchemas": {"foo": {"type": "string"}}}'::jsonb, '{"dependentSchemas": {"foo": {"type": "number"}}}'::jsonb),
('another property', '{"type": "object", "dependentSchemas": {"a": {"type": "number"}}}', '{"type": "object", "dependentRequired": {"a": ["b"]}}'),
('its own schema', '{"type": "object", "dependentSchemas": {"a": {"type": "number"}}}', '{"type": "object", "oneOf": [{"properties": {"a": {"type": "string"}}}]}'),
('a schema for itself', '{"type": "object", "dependentSchemas": {"a": {"properties": {"a": {"type": "string"}}}}}', '{"type": "object", "properties": {"a": {"type": "string"}}}'),
('a property of the schema', '{"type": "object", "required": ["id"]}', '{"type": "object", "required": ["id"], "dependentSchemas": {"a": {"properties": {"b": {"type": "string"}}}}}')) AS v(change, old, new);

-- names that a pattern matches, apart from those with a schema of their own
SELECT change, verdicts(old, new) FROM (VALUES
('all of them', '{"type": "object", "properties": {"email": {"type": "string", "format": "email"}, "emaik": {"type": "string"}}}'::jsonb, '{"type": "object", "patternProperties": {"^emai(l|k)$": {"type": "string"}}}'::jsonb),
('not all of them', '{"type": "object", "properties": {"email": {"type": "string", "format": "email"}}}', '{"type": "object", "patternProperties": {"^emai(l|k)$": {"type": "string"}}}'),
('a count of them', '{"type": "object", "patternProperties": {"^[ab]$": {}}, "properties": {"a": {}, "b": {}}, "additionalProperties": false}', '{"type": "object", "maxProperties": 2}'),
('a name that must be long', '{"type": "object", "propertyNames": {"minLength": 10}}', '{"type": "object", "patternProperties": {"^S_": {"type": "string"}}}')) AS v(change, old, new);

-- items
SELECT change, verdicts(old, new) FROM (VALUES
('of other types', '{"type": "array", "prefixItems": [{"type": "boolean"}, {"anyOf": [{"type": "integer"}, {"type": "null"}]}], "items": false}'::jsonb, '{"type": "array", "uniqueItems": true}'::jsonb),
('of one type', '{"type": "array", "prefixItems": [{"type": "number"}, {"anyOf": [{"type": "integer"}, {"type": "null"}]}], "items": false}', '{"type": "array", "uniqueItems": true}'),
('equal ones after others', '{"type": "array", "prefixItems": [{"type": "string"}, {"type": "number"}], "items": {"type": "boolean"}}', '{"type": "array", "uniqueItems": true}'),
('as many as counted', '{"type": "array", "contains": {"type": "number", "minimum": 10}}', '{"type": "array", "maxItems": 10}'),
('different ones', '{"type": "array", "uniqueItems": true}', '{"type": "array", "maxItems": 10}'),
('as many different ones as there are', '{"type": "array", "uniqueItems": true, "items": {"enum": [1, 2, 3]}, "maxItems": 200}', '{"type": "array", "uniqueItems": true, "items": {"enum": [1, 2, 3]}, "maxItems": 100}')) AS v(change, old, new);

-- values of which it is enough that they exist
SELECT change, verdicts(old, new) FROM (VALUES
('many items', '{"type": "array", "minItems": 1000}'::jsonb, '{"oneOf": [{"type": "string"}, {"type": "integer"}]}'::jsonb),
('many items, excluded', '{"type": "array", "minItems": 1000}', '{"not": {"type": "array"}}'),
('many arrays of arrays', '{"type": "array", "minItems": 150, "maxItems": 150, "items": {"type": "array", "minItems": 4, "maxItems": 4, "items": {"type": "number"}}}', '{"anyOf": [{"type": "array", "items": {"type": "string"}}, {"type": "array", "items": {"type": "array", "maxItems": 1}}]}'),
('many properties', '{"type": "object", "minProperties": 1000}', '{"anyOf": [{"type": "string"}, {"type": "array"}]}'),
('some properties', '{"type": "object", "minProperties": 5}', '{"type": "object", "patternProperties": {"^S_": {"type": "string"}}}'),
('more than can be', '{"type": "object", "minProperties": 1000, "maxProperties": 999}', '{"type": "string"}'),
('more items than there are', '{"type": "array", "minItems": 1000, "items": false}', '{"oneOf": [{"type": "string"}]}')) AS v(change, old, new);

-- integers
SELECT change, verdicts(old, new) FROM (VALUES
('not the large ones', '{"type": "integer", "not": {"type": "integer", "minimum": 10}}'::jsonb, '{"type": "integer", "exclusiveMaximum": 10}'::jsonb),
('not the large ones among numbers', '{"type": "number", "not": {"type": "integer", "minimum": 10}}', '{"type": "number", "exclusiveMaximum": 10}'),
('between fractions', '{"type": "integer", "minimum": 1.1, "maximum": 3.2}', '{"oneOf": [{"type": "number", "multipleOf": 3}, {"type": "boolean"}]}')) AS v(change, old, new);
