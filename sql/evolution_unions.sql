-- Unions: variants that a property tells apart, in many forms and places.  Their
-- number does not matter.
CREATE FUNCTION variant(tag text, kind text, body jsonb, required boolean, closed boolean) RETURNS jsonb
BEGIN ATOMIC
	SELECT jsonb_build_object('type', 'object', 'properties', jsonb_build_object(tag, jsonb_build_object('const', kind)) || body)
		|| CASE WHEN required THEN jsonb_build_object('required', jsonb_build_array(tag)) ELSE '{}'::jsonb END
		|| CASE WHEN closed THEN '{"additionalProperties": false}' ELSE '{}'::jsonb END;
END;
CREATE FUNCTION union_of(n int, required boolean, closed boolean, keyword text, body jsonb DEFAULT '{"v": {"type": "number"}}') RETURNS jsonb
BEGIN ATOMIC
	SELECT jsonb_build_object(keyword, jsonb_agg(variant('kind', 'k' || i, body, required, closed) ORDER BY i)) FROM generate_series(1, n) AS i;
END;
CREATE FUNCTION verdicts(old jsonb, new jsonb, lenient boolean DEFAULT true) RETURNS text
BEGIN ATOMIC
	SELECT coalesce((array['compatible', 'unknown', 'incompatible'])[max(array_position(array['compatible', 'unknown', 'incompatible'], backward))], 'compatible')
		|| ' / ' || coalesce((array['compatible', 'unknown', 'incompatible'])[max(array_position(array['compatible', 'unknown', 'incompatible'], forward))], 'compatible')
	FROM event_schema_changes(old, new, lenient);
END;

-- one more variant, of any number
SELECT required, closed, keyword, verdict, array_agg(n ORDER BY n) AS numbers
FROM unnest('{1, 2, 3, 4, 9, 40, 200}'::int[]) AS n, unnest('{t, f}'::bool[]) AS required, unnest('{t, f}'::bool[]) AS closed,
	unnest('{oneOf, anyOf}'::text[]) AS keyword,
	verdicts(union_of(n, required, closed, keyword), union_of(n + 1, required, closed, keyword)) AS verdict
GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4;

-- places
CREATE TABLE places (number int GENERATED ALWAYS AS IDENTITY, place text, head text, tail text);
INSERT INTO places (place, head, tail) VALUES
('root', '', ''),
('property', '{"type": "object", "properties": {"e": ', '}}'),
('required property', '{"type": "object", "properties": {"e": ', ', "f": {"pattern": "x"}}, "required": ["e"], "additionalProperties": false}'),
('items', '{"type": "array", "items": ', '}'),
('map', '{"type": "object", "additionalProperties": ', '}'),
('or null', '{"anyOf": [', ', {"type": "null"}]}'),
('one of it and null', '{"oneOf": [{"type": "null"}, ', ']}'),
('$ref', '{"$ref": "#/$defs/e", "$defs": {"e": ', '}}'),
('$ref in a property', '{"properties": {"e": {"$ref": "#/$defs/e"}}, "$defs": {"e": ', '}}'),
('allOf', '{"allOf": [{"type": "object", "required": ["id"]}, ', ']}'),
('conditions beside it', '{"allOf": [', ', {"if": {"properties": {"kind": {"const": "k1"}}, "required": ["kind"]}, "then": {"required": ["v"]}}, {"if": {"properties": {"kind": {"const": "k2"}}, "required": ["kind"]}, "then": {"required": ["w"]}}, {"if": {"properties": {"kind": {"const": "k3"}}, "required": ["kind"]}, "then": {"required": ["x"]}}]}');
CREATE TABLE unions (number int GENERATED ALWAYS AS IDENTITY, change text, old jsonb, new jsonb);
INSERT INTO unions (change, old, new) VALUES
('variant added', union_of(30, true, false, 'oneOf'), union_of(31, true, false, 'oneOf')),
('variant added, tag optional', union_of(30, false, false, 'oneOf'), union_of(31, false, false, 'oneOf')),
('variant added, anyOf', union_of(30, true, false, 'anyOf'), union_of(31, true, false, 'anyOf')),
('order changed', union_of(30, true, false, 'oneOf'), (SELECT jsonb_build_object('oneOf', jsonb_agg(m ORDER BY i DESC)) FROM jsonb_array_elements(union_of(30, true, false, 'oneOf') -> 'oneOf') WITH ORDINALITY AS m(m, i))),
('property added to a variant', union_of(30, true, false, 'oneOf'), jsonb_set(union_of(30, true, false, 'oneOf'), '{oneOf,7,properties,note}', '{"type": "string"}')),
('property of a variant nullable', union_of(30, true, false, 'oneOf'), jsonb_set(union_of(30, true, false, 'oneOf'), '{oneOf,7,properties,v,type}', '["number", "null"]')),
('property of a variant required', jsonb_set(union_of(30, true, false, 'oneOf'), '{oneOf,7,required}', '["kind", "v"]'), union_of(30, true, false, 'oneOf')),
('enum of values as a tag', jsonb_set(union_of(30, true, false, 'oneOf'), '{oneOf,7,properties,kind}', '{"enum": ["k8", "k88"]}'), jsonb_set(union_of(30, true, false, 'oneOf'), '{oneOf,7,properties,kind}', '{"enum": ["k8", "k88", "k888"]}'));
SELECT place, string_agg(change, ', ' ORDER BY u.number) FILTER (WHERE verdict LIKE 'compatible /%') AS compatible,
	string_agg(change || ': ' || verdict, ', ' ORDER BY u.number) FILTER (WHERE verdict NOT LIKE 'compatible /%') AS other
FROM places, unions AS u, verdicts((head || old || tail)::jsonb, (head || new || tail)::jsonb) AS verdict
GROUP BY places.number, place ORDER BY places.number;

-- a tag below a required property, a union of unions, values of several types
SELECT verdicts(o, n) FROM (VALUES
	('{"oneOf": [{"type": "object", "required": ["meta"], "properties": {"meta": {"type": "object", "required": ["t"], "properties": {"t": {"const": "a"}}}}}, {"type": "object", "required": ["meta"], "properties": {"meta": {"type": "object", "required": ["t"], "properties": {"t": {"const": "b"}}}}}]}'::jsonb,
	 '{"oneOf": [{"type": "object", "required": ["meta"], "properties": {"meta": {"type": "object", "required": ["t"], "properties": {"t": {"const": "a"}}}}}, {"type": "object", "required": ["meta"], "properties": {"meta": {"type": "object", "required": ["t"], "properties": {"t": {"const": "b"}}}}}, {"type": "object", "required": ["meta"], "properties": {"meta": {"type": "object", "required": ["t"], "properties": {"t": {"const": "c"}}}}}]}'::jsonb),
	(jsonb_build_object('oneOf', jsonb_build_array(union_of(5, true, false, 'oneOf'), '{"type": "string"}'::jsonb)), jsonb_build_object('oneOf', jsonb_build_array('{"type": "string"}'::jsonb, '{"type": "null"}'::jsonb, union_of(6, true, false, 'oneOf'))))) AS v(o, n);

-- a variant without the tag can match those that need no tag: not compatible
SELECT verdicts('{"oneOf": [{"properties": {"kind": {"const": "a"}, "x": {"type": "string"}}}, {"properties": {"kind": {"const": "b"}, "y": {"type": "integer"}}}]}',
	'{"oneOf": [{"properties": {"kind": {"const": "a"}, "x": {"type": "string"}}}, {"properties": {"kind": {"const": "b"}, "y": {"type": "integer"}}}, {"properties": {"kind": {"const": "c"}}}]}', false);
-- the same schema twice in oneOf never matches
SELECT verdicts('{"oneOf": [{"type": "string"}, {"type": "string"}, {"type": "null"}]}', '{"oneOf": [{"type": "string"}, {"type": "null"}, {"type": "null"}]}', false);

-- a removed variant is named
SELECT location, rule, backward, forward, message FROM event_schema_changes(union_of(200, true, false, 'oneOf'), union_of(200, true, false, 'oneOf') #- '{oneOf,150}');
SELECT location, rule, backward, forward, message FROM event_schema_changes(union_of(6, false, true, 'anyOf'), union_of(6, false, true, 'anyOf') #- '{anyOf,3}' #- '{anyOf,1}');

-- schemas that are equal after resolving references need no proof, whatever changes beside them
SELECT change, verdicts(old, new, false) FROM (VALUES
('hard to prove, a property added beside', '{"properties": {"a": {"oneOf": [{"pattern": "x"}, {"not": {"contains": {}}}, {"maxLength": 3}]}}, "additionalProperties": false}'::jsonb,
	'{"properties": {"a": {"oneOf": [{"$ref": "#/$defs/p"}, {"not": {"contains": {}}}, {"allOf": [{"maxLength": 3}]}]}, "b": {}}, "additionalProperties": false, "$defs": {"p": {"pattern": "x"}}}'::jsonb),
('many patterns, a property added beside', '{"patternProperties": {"^a": {"type": "string"}, "b": {"type": "null"}, "c$": {}, "^d+$": {"type": "number"}, "e{3}": {"type": "array"}, "f?g": {"minimum": 3}, "h": {"maxLength": 3}}, "additionalProperties": false}',
	'{"properties": {"zz": {"type": "string"}}, "patternProperties": {"^a": {"type": "string"}, "b": {"type": "null"}, "c$": {}, "^d+$": {"type": "number"}, "e{3}": {"type": "array"}, "f?g": {"minimum": 3}, "h": {"maxLength": 3}}, "additionalProperties": false}'),
('oneOf beside another keyword', '{"oneOf": [{"pattern": "x"}, {"pattern": "y"}], "maxLength": 3}', '{"oneOf": [{"pattern": "y"}, {"pattern": "x"}], "maxLength": 4}'),
('not beside another keyword', '{"not": {"pattern": "x"}, "maxLength": 3}', '{"not": {"pattern": "x"}, "maxLength": 4}'),
('if beside another keyword', '{"if": {"pattern": "x"}, "then": {"pattern": "y"}, "maxLength": 3}', '{"if": {"pattern": "x"}, "then": {"pattern": "y"}, "maxLength": 4}'),
('another dialect', '{"$schema": "http://json-schema.org/draft-07/schema#", "oneOf": [{"pattern": "x"}, {"pattern": "y"}]}', '{"oneOf": [{"pattern": "x"}, {"pattern": "y"}]}'),
('required and enum in another order', '{"oneOf": [{"required": ["a", "b"], "pattern": "x"}, {"enum": [1, 2], "not": {"multipleOf": 1}}]}', '{"oneOf": [{"required": ["b", "a"], "pattern": "x"}, {"enum": [2, 1], "not": {"multipleOf": 1}}]}'),
('recursive', '{"oneOf": [{"pattern": "x"}, {"type": "array", "items": {"$ref": "#"}}]}', '{"$ref": "#/$defs/n", "$defs": {"n": {"oneOf": [{"pattern": "x"}, {"type": "array", "items": {"$ref": "#/$defs/n"}}]}}}')
) AS v(change, old, new);

DROP TABLE places, unions;
DROP FUNCTION verdicts, union_of, variant;
-- variants without a type: no other value than an object matches one of them alone
CREATE FUNCTION pg_temp.untyped(n int, keyword text, extra jsonb DEFAULT '{}') RETURNS jsonb LANGUAGE sql AS $$
  SELECT jsonb_build_object(keyword, jsonb_agg(jsonb_build_object('required', '["kind"]'::jsonb, 'additionalProperties', false,
    'properties', jsonb_build_object('kind', jsonb_build_object('const', 'k' || g), 'v', '{"type": "number"}'::jsonb) || CASE g WHEN 2 THEN extra ELSE '{}' END) ORDER BY g))
  FROM generate_series(1, n) AS g $$;
SELECT keyword, change, backward, forward, location, rule FROM (VALUES ('oneOf'), ('anyOf')) AS k (keyword),
  LATERAL (VALUES ('variant added', pg_temp.untyped(100, keyword), pg_temp.untyped(101, keyword)), ('variant removed', pg_temp.untyped(101, keyword), pg_temp.untyped(100, keyword)),
    ('property added', pg_temp.untyped(100, keyword), pg_temp.untyped(100, keyword, '{"w": {"type": "string"}}')),
    ('from one variant to two', pg_temp.untyped(1, keyword), pg_temp.untyped(2, keyword))) AS c (change, old, new),
  LATERAL event_schema_changes(old, new) ORDER BY 1 DESC, 2, 5;

-- conditions, exclusions and unions within unions: what is not said directly
WITH pair (what, head, old, new, tail) AS (VALUES
  ('else of a condition', '{"properties": {"v": {"enum": ["v1", "v2"]}}, "if": {"properties": {"v": {"const": "v1"}}}, "else": {"required": ["v"], "properties": {"m": {"type": "array", "items": {',
   '"type": "string"', '"type": "string", "maxLength": 3', '}}}}}'),
  ('one of several conditions', '{"type": "object", "allOf": [{"if": {"properties": {"k": {"const": "a"}}}, "then": {"properties": {"s": {',
   '"enum": [1, 2]', '"enum": [1]', '}}}}, {"if": {"properties": {"k": {"const": "b"}}}, "then": {"properties": {"s": {"type": "string"}}}}]}'),
  ('an excluded value', '{"type": "object", "properties": {"v": {"enum": ["v1", "v2"]}}, "not": {"properties": {"v": {"const": "v1"}}}, "required": [',
   '"v"', '', ']}'),
  ('an excluded property', '{"type": "object", "not": {"required": ["x"]}, "properties": {"x": {',
   '"type": "string"', '"type": "integer"', '}}}'),
  ('a union within a union', '{"items": {"oneOf": [{"type": "object", "required": ["k"], "properties": {"k": {"const": 0}}}, {"oneOf": [',
   '{"type": "object", "required": ["k"], "properties": {"k": {"const": 1}, "n": {"type": "integer"}}}',
   '{"type": "object", "required": ["k"], "properties": {"k": {"const": 1}, "n": {"type": "number"}}}',
   ', {"type": "object", "required": ["k"], "properties": {"k": {"const": 2}}}]}]}}'))
SELECT what, lenient, backward, forward FROM pair, (VALUES (true), (false)) AS reading (lenient),
  LATERAL (SELECT coalesce(max(array_position('{compatible,unknown,incompatible}', backward)), 1) AS b,
                  coalesce(max(array_position('{compatible,unknown,incompatible}', forward)), 1) AS f
           FROM event_schema_changes((head || old || tail)::jsonb, (head || new || tail)::jsonb, lenient)) AS worst,
  LATERAL (SELECT ('{compatible,unknown,incompatible}'::text[])[b] AS backward, ('{compatible,unknown,incompatible}'::text[])[f] AS forward) AS verdict
ORDER BY what, lenient;

-- what "not" excludes around a property counts for the property
WITH pair (what, old, new) AS (VALUES
  ('neither of two', '{"type": "object", "not": {"anyOf": [{"required": ["a"]}, {"required": ["b"]}]}}'::jsonb,
   '{"type": "object", "properties": {"a": false, "b": false}}'::jsonb),
  ('neither, and a value', '{"type": "object", "properties": {"k": {"enum": [1, 2]}, "z": {"type": "string"}}, "not": {"anyOf": [{"required": ["k"], "properties": {"k": {"const": 2}}}, {"required": ["k", "z"]}]}}',
   '{"type": "object", "properties": {"k": {"enum": [1]}, "z": {"type": "string"}}}'),
  ('neither, and a value that is left', '{"type": "object", "properties": {"k": {"enum": [1, 2]}, "z": {"type": "string"}}, "not": {"anyOf": [{"required": ["k"], "properties": {"k": {"const": 1}}}, {"required": ["k", "z"]}]}}',
   '{"type": "object", "properties": {"k": {"enum": [1]}, "z": {"type": "string"}}}'),
  ('not within not', '{"not": {"properties": {"k": {"not": {"const": 1}}}}}', '{"properties": {"k": {"const": 1}}}'),
  ('beside another change', '{"properties": {"k": {"enum": [1, 2]}, "z": {"type": "string"}}, "not": {"required": ["k"], "properties": {"k": {"const": 2}}}}',
   '{"properties": {"k": {"enum": [1]}, "z": {"type": "string", "maxLength": 4}}}'))
SELECT what, location, rule, backward FROM pair, LATERAL event_schema_changes(old, new, false)
WHERE rule <> 'NOT_REMOVED' ORDER BY what, location;
