-- Patterns and formats: inclusion, lengths, names of properties.
CREATE FUNCTION verdicts(old jsonb, new jsonb, lenient boolean DEFAULT false) RETURNS text
BEGIN ATOMIC
	SELECT coalesce((array['compatible', 'unknown', 'incompatible'])[max(array_position(array['compatible', 'unknown', 'incompatible'], backward))], 'compatible')
		|| ' / ' || coalesce((array['compatible', 'unknown', 'incompatible'])[max(array_position(array['compatible', 'unknown', 'incompatible'], forward))], 'compatible')
	FROM event_schema_changes(old, new, lenient);
END;
CREATE FUNCTION patterns(old text, new text) RETURNS text
BEGIN ATOMIC
	SELECT verdicts(jsonb_build_object('type', 'string', 'pattern', old), jsonb_build_object('type', 'string', 'pattern', new));
END;

-- in both directions
SELECT old, new, patterns(old, new) FROM (VALUES
('^[a-z]+$', '^[a-z0-9]+$'),
('^[a-c]{2}$', '^[a-c][a-c]$'),
('^(a|b)*$', '^(a*b*)*$'),
('^[A-Za-z0-9-]*$', '^[A-Za-z0-9][A-Za-z0-9-]+$'),
('a', 'a|b'),
('^a', 'a'),
('^$', '^a*$'),
('^[^]*$', ''),
('^.*$', ''),
('^\d{3}$', '^[0-9]{3}$'),
('^\w+$', '^[\w-]+$'),
('^(?!\.).', '^(?![.0-9]).'),
('^(?=.*a).*$', 'a'),
('(?<=a)b', 'ab'),
('\bcat\b', 'cat'),
('^(cat|dog)$', '^(cat|dog|cow)$'),
('^[äöü]$', '^[^a-z]$'),
('^\p{Lu}$', '^\p{L}$'),
('^(a)\1$', '^aa$'),
('^(a|b){40}$', '^(a|b){41}$'),
('(a|b)*a(a|b){12}$', '(a|b){13}$')) AS v(old, new);

-- patterns and other keywords
SELECT change, verdicts(old, new) FROM (VALUES
('length of a pattern', '{"type": "string", "pattern": "^a{3}$", "maxLength": 10}'::jsonb, '{"type": "string", "pattern": "^a{3}$", "maxLength": 5}'::jsonb),
('length of a pattern, tightened', '{"type": "string", "pattern": "^a{3,8}$", "maxLength": 10}', '{"type": "string", "pattern": "^a{3,8}$", "maxLength": 5}'),
('pattern as lengths', '{"type": "string", "pattern": "^[^]{2,5}$"}', '{"type": "string", "minLength": 2, "maxLength": 5}'),
('lengths as a pattern', '{"type": "string", "minLength": 2, "maxLength": 5}', '{"type": "string", "pattern": "^[^]{2,5}$"}'),
('pattern that accepts everything', '{"type": "string"}', '{"type": "string", "pattern": "^[^]*$"}'),
('pattern without line feeds', '{"type": "string"}', '{"type": "string", "pattern": "^.*$"}'),
('two patterns', '{"allOf": [{"pattern": "^a"}, {"pattern": "z$"}], "type": "string"}', '{"type": "string", "pattern": "^a[^]*z$"}'),
('patterns that exclude each other', '{"allOf": [{"pattern": "^a"}, {"pattern": "^b"}], "type": "string"}', '{"type": "null"}'),
('disjoint patterns in oneOf', '{"oneOf": [{"type": "string", "pattern": "^a"}]}', '{"oneOf": [{"type": "string", "pattern": "^a"}, {"type": "string", "pattern": "^b"}]}'),
('pattern as a listed value', '{"type": "string", "pattern": "^(a|b)$"}', '{"type": "string", "pattern": "^(a|b|c)$", "maxLength": 1}'),
('not a pattern', '{"type": "string", "pattern": "^a"}', '{"type": "string", "not": {"pattern": "^b"}}'),
('format as a pattern', '{"type": "string", "format": "date"}', '{"type": "string", "pattern": "^[0-9-]+$", "maxLength": 10}'),
('format that cannot match', '{"type": "string", "format": "ipv4", "pattern": "x"}', '{"type": "null"}'),
('mail', '{"type": "string", "format": "email"}', '{"type": "string", "format": "idn-email"}'),
('uri', '{"type": "string", "format": "uri"}', '{"type": "string", "format": "uri-reference"}'),
('date', '{"type": "string", "format": "date"}', '{"type": "string", "format": "date-time"}'),
('oneOf with a format and a pattern', '{"oneOf": [{"type": "string", "format": "uri"}, {"type": "string", "pattern": "^@"}]}', '{"anyOf": [{"type": "string", "format": "uri"}, {"type": "string", "pattern": "^@"}]}'),
('patternProperties, narrower names', '{"patternProperties": {"^x-": {"type": "string"}}}', '{"patternProperties": {"^x-a": {"type": "string"}}}'),
('patternProperties, closed', '{"patternProperties": {"^x-": {}}, "additionalProperties": false}', '{"patternProperties": {"^x": {}}, "additionalProperties": false}'),
('patternProperties of all names', '{"patternProperties": {"": {"type": "string"}}, "additionalProperties": false}', '{"additionalProperties": {"type": "string"}}'),
('patternProperties with propertyNames', '{"additionalProperties": {"type": "string"}, "propertyNames": {"pattern": "^a"}}', '{"patternProperties": {"^[ab]": {"type": "string"}}, "additionalProperties": false}'),
('long lengths', '{"type": "string", "pattern": "^[a-z]*$", "maxLength": 2000}', '{"type": "string", "pattern": "^[a-z]*$", "maxLength": 1000}')) AS v(change, old, new);

DROP FUNCTION patterns, verdicts;

-- ---------- more cases ----------
-- formats: durations in lower case are valid
SELECT location, rule, backward, forward FROM event_schema_changes('{"type":"string","format":"duration"}', '{"type":"string","pattern":"^P"}', false);
SELECT location, rule, backward, forward FROM event_schema_changes('{"type":"string","format":"duration","pattern":"^p"}','{"type":"integer"}', false);
SELECT * FROM event_schema_changes('{
 "$schema":"https://json-schema.org/draft/2020-12/schema","$id":"urn:x:r",
 "$ref":"urn:x:a","if":{"$ref":"urn:x:b"},"then":false,
 "$defs":{
  "a":{"$id":"urn:x:a","$ref":"urn:x:s","$defs":{"n":{"$dynamicAnchor":"n","type":"string"}}},
  "b":{"$id":"urn:x:b","$ref":"urn:x:s","$defs":{"n":{"$dynamicAnchor":"n","type":"integer"}}},
  "s":{"$id":"urn:x:s","$dynamicRef":"#n","$defs":{"n":{"$dynamicAnchor":"n"}}}}}',
 '{"type":"integer"}', false);
-- more statements than a comparison proves: those that are left are not assumed
CREATE FUNCTION pg_temp.chain(k int, n bool) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
 IF k = 9 THEN RETURN jsonb_build_object('type','object','properties',
   jsonb_build_object('v', jsonb_build_object('type','number','minimum', CASE WHEN n THEN 6 ELSE 5 END))); END IF;
 IF n THEN RETURN jsonb_build_object('anyOf', jsonb_build_array(
   '{"properties":{"v":{"type":"number","minimum":6}}}'::jsonb,
   jsonb_build_object('properties', jsonb_build_object('n', pg_temp.chain(k+1, n))))); END IF;
 RETURN jsonb_build_object('type','object','properties',
   jsonb_build_object('v','{"type":"number","minimum":5}'::jsonb,'n',pg_temp.chain(k+1, n)));
END $$;
CREATE FUNCTION pg_temp.grp(c int, leaf jsonb) RETURNS jsonb LANGUAGE sql AS $$
 SELECT jsonb_build_object('type','object','properties', jsonb_object_agg('p'||lpad(i::text,2,'0'), leaf))
 FROM generate_series(1,c) i $$;
CREATE FUNCTION pg_temp.doc(n bool) RETURNS jsonb LANGUAGE sql AS $$
 SELECT jsonb_build_object('type','object','properties',
  (SELECT jsonb_object_agg('a'||lpad(i::text,2,'0'), pg_temp.grp(72,'{"type":"integer","minimum":1}')) FROM generate_series(1,72) i) ||
  (SELECT jsonb_object_agg('b'||lpad(i::text,2,'0'), pg_temp.grp(70,
     jsonb_build_object('type','integer','minimum', CASE WHEN n THEN 0 ELSE 1 END))) FROM generate_series(1,40) i) ||
  jsonb_build_object('zzz', pg_temp.chain(1, n))) $$;
SELECT backward, forward, count(*) FROM event_schema_changes(pg_temp.doc(false), pg_temp.doc(true), false) group by 1,2 order by 1,2;
