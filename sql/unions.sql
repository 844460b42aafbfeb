-- anyOf and oneOf: which branch a violation is about.
\pset format unaligned
\pset tuples_only on
CREATE FUNCTION pg_temp.said(schema text, instance text) RETURNS TABLE (line text)
LANGUAGE sql BEGIN ATOMIC
  SELECT concat(v.instance_location, ' ', v.keyword_location, ': ', v.message)
  FROM jsonb_schema_violations(schema::jsonb, instance::jsonb) AS v;
END;
-- n branches with a tag and one more property, which is a number
CREATE FUNCTION pg_temp.tagged(n int, rest text DEFAULT '{}', required text DEFAULT '["kind", "v"]', tag text DEFAULT '{"const": "%s"}')
RETURNS jsonb LANGUAGE sql BEGIN ATOMIC
  SELECT jsonb_agg(jsonb_build_object('required', required::jsonb, 'properties', jsonb_build_object(
    'kind', format(tag, 'k' || i)::jsonb, 'v', '{"type": "number"}'::jsonb, 'w', '{"minimum": 0}'::jsonb)) || rest::jsonb ORDER BY i)
  FROM generate_series(0, n - 1) AS i;
END;

\echo a tag selects the branch: with and without type, required or not
SELECT pg_temp.said(jsonb_build_object('oneOf', pg_temp.tagged(8, '{"type": "object"}'))::text, '{"kind": "k6", "v": "x", "w": -1}');
SELECT pg_temp.said(jsonb_build_object('oneOf', pg_temp.tagged(8))::text, '{"kind": "k6", "v": "x", "w": -1}');
SELECT pg_temp.said(jsonb_build_object('anyOf', pg_temp.tagged(8, '{}', '["v"]'))::text, '{"kind": "k6", "v": "x"}');
SELECT pg_temp.said(jsonb_build_object('oneOf', pg_temp.tagged(8, '{"type": "object"}', '["v"]'))::text, '{"kind": "k6"}');
\echo an enum of one value; a default, as Pydantic writes it; a number; a constant behind a reference and in allOf
SELECT pg_temp.said(jsonb_build_object('oneOf', pg_temp.tagged(8, '{}', '["v"]', '{"enum": ["%s"]}'))::text, '{"kind": "k6", "v": "x"}');
SELECT pg_temp.said(jsonb_build_object('oneOf', pg_temp.tagged(8, '{"type": "object"}', '["v"]', '{"const": "%1$s", "default": "%1$s", "type": "string"}'))::text, '{"kind": "k6", "v": "x"}');
SELECT pg_temp.said('{"anyOf": [{"properties": {"n": {"const": 1}, "v": {"type": "null"}}}, {"properties": {"n": {"const": 2}, "v": {"type": "string"}}}]}', '{"n": 2.0, "v": 1}');
SELECT pg_temp.said('{"anyOf": [{"$ref": "#/$defs/a"}, {"$ref": "#/$defs/b"}],
  "$defs": {"a": {"allOf": [{"properties": {"n": {"$ref": "#/$defs/one"}}}, {"required": ["v"]}]}, "one": {"const": 1},
            "b": {"properties": {"n": {"const": 2}}, "required": ["w"]}}}', '{"n": 1}');
\echo a null branch beside
SELECT pg_temp.said(jsonb_build_object('anyOf', pg_temp.tagged(8) || '[{"type": "null"}]')::text, '{"kind": "k6", "v": "x"}');
SELECT pg_temp.said(jsonb_build_object('anyOf', jsonb_build_array(jsonb_build_object('oneOf', pg_temp.tagged(8, '{"type": "object"}')), '{"type": "null"}'::jsonb))::text, '{"kind": "k6", "v": "x"}');
SELECT pg_temp.said('{"anyOf": [{"type": "null"}, {"required": ["a"], "type": ["object", "string"]}, {"const": null}]}', '{}');
\echo OpenAPI: a mapping, and the names of schemas
CREATE TEMP TABLE pets (pet jsonb);
INSERT INTO pets VALUES ('{"oneOf": [{"$ref": "#/$defs/Cat"}, {"$ref": "#/$defs/Dog"}, {"$ref": "#/$defs/Lizard"}],
  "discriminator": {"propertyName": "petType", "mapping": {"dog": "#/$defs/Dog", "monster": "Lizard"}},
  "$defs": {"Pet": {"type": "object", "required": ["petType"], "properties": {"petType": {"type": "string"}}},
    "Cat": {"allOf": [{"$ref": "#/$defs/Pet"}, {"required": ["lives"]}]},
    "Dog": {"allOf": [{"$ref": "#/$defs/Pet"}, {"required": ["bark"]}]},
    "Lizard": {"allOf": [{"$ref": "#/$defs/Pet"}, {"required": ["tail"]}]}}}');
SELECT instance, pg_temp.said(pet::text, instance) FROM pets, (VALUES ('{"petType": "dog"}'), ('{"petType": "monster"}'), ('{"petType": "Cat"}'), ('{"petType": "bird"}'), ('{}')) AS i (instance);
\echo not a discriminator: ignored
SELECT pg_temp.said('{"oneOf": [{"required": ["a"]}, {"required": ["b"]}], "discriminator": ' || d || '}', '{"t": "x"}')
FROM (VALUES ('1'), ('{}'), ('{"propertyName": 1}'), ('{"propertyName": "t", "mapping": []}'), ('{"propertyName": "t", "mapping": {"x": 1, "y": {}}}')) AS v (d);
\echo FHIR: 146 resources without type, each by reference, and resources in resources
SELECT pg_temp.said(jsonb_build_object('discriminator', '{"propertyName": "resourceType"}'::jsonb,
    'oneOf', (SELECT jsonb_agg(jsonb_build_object('$ref', '#/definitions/R' || i) ORDER BY i) FROM generate_series(1, 146) AS i),
    'definitions', (SELECT jsonb_object_agg('R' || i, jsonb_build_object('additionalProperties', false, 'required', '["resourceType", "status"]'::jsonb,
        'properties', jsonb_build_object('resourceType', jsonb_build_object('const', 'R' || i),
          'status', '{"enum": ["active", "inactive"]}'::jsonb, 'contained', '{"items": {"$ref": "#"}}'::jsonb))) FROM generate_series(1, 146) AS i))::text, instance)
FROM (VALUES ('{"resourceType": "R100", "status": "on", "contained": [{"resourceType": "R7", "status": "active"}, {"resourceType": "R8", "statsu": 1}]}'),
  ('{"resourceType": "R147", "status": "active"}'), ('{"status": "active"}')) AS v (instance);
\echo a tag that no branch knows; one with several values
SELECT pg_temp.said(jsonb_build_object('oneOf', pg_temp.tagged(3, '{}', '["v"]'))::text, '{"kind": "k9", "v": 1}');
SELECT pg_temp.said(jsonb_build_object('oneOf', pg_temp.tagged(3, '{}', '["v"]') || '[{"type": "null"}]')::text, '{"kind": null, "v": 1}');
SELECT pg_temp.said('{"oneOf": [{"properties": {"s": {"enum": [1, 2]}}, "required": ["a"]}, {"properties": {"s": {"enum": [2, 3]}}, "required": ["b"]}]}', '{"s": 4}');
SELECT pg_temp.said('{"oneOf": [{"properties": {"s": {"enum": [1, 2]}}, "required": ["a"]}, {"properties": {"s": {"enum": [2, 3]}}, "required": ["b"]}]}', '{"s": 3}');
SELECT pg_temp.said('{"oneOf": [{"properties": {"s": {"enum": [1, 2]}}, "required": ["a"]}, {"properties": {"s": {"enum": [2, 3]}}, "required": ["b"]}]}', '{"s": 2}');
\echo a single constant goes before a list of values that many branches know
SELECT pg_temp.said('{"anyOf": [{"properties": {"st": {"enum": ["x", "y"]}, "kind": {"const": "a"}, "v": false}}, {"properties": {"st": {"enum": ["z", "w"]}, "kind": {"const": "b"}, "v": false}}]}', '{"st": "x", "kind": "b", "v": 1}');
\echo no tag: the branch that fits best comes first, with what is wrong in it
SELECT pg_temp.said('{"anyOf": [{"type": "null"}, {"required": ["a", "b", "c"]}, {"required": ["x"], "properties": {"y": {"type": "number"}, "z": {"minLength": 9}}}, {"required": ["q", "r"]},
  {"properties": {"x": {"pattern": "^p", "minLength": 3}, "y": {"pattern": "^q"}}}, {"type": "string"}, {"required": ["s"]}, {"required": ["t", "u", "v"]}]}', '{"x": "1", "y": "2", "z": "3"}');
SELECT pg_temp.said('{"anyOf": [{"required": ["a"]}, {"properties": {"x": {"properties": {"y": {"properties": {"z": {"type": "null"}}}}}}}]}', '{"x": {"y": {"z": 1}}}');
SELECT pg_temp.said('{"anyOf": [{"required": ["a", "b"]}, {"required": ["a"]}]}', '{}');
\echo branches in branches
SELECT pg_temp.said('{"anyOf": [{"anyOf": [{"required": ["a", "b"]}, {"required": ["a"]}]}, {"anyOf": [{"anyOf": [{"anyOf": [{"required": ["c"]}, {"required": ["d"]}]}, {"required": ["f"]}]}, {"required": ["g"]}]}]}', '{}');
\echo a chosen branch is not hidden by many others, and unevaluated properties do not drown it
SELECT pg_temp.said(jsonb_build_object('anyOf', pg_temp.tagged(100), 'unevaluatedProperties', false)::text, '{"kind": "k60", "v": "x", "extra": 1}');
\echo answers stay
SELECT jsonb_matches_schema(jsonb_build_object('oneOf', pg_temp.tagged(8)), '{"kind": "k6", "v": 1}'),
  jsonb_matches_schema(pet, '{"petType": "dog", "bark": 1}'), jsonb_matches_schema(pet, '{"petType": "dog", "tail": 1}') FROM pets;
\echo many unions that fail: the work for messages is bounded
SELECT count(*), count(DISTINCT message) < 10 FROM jsonb_schema_violations(
  jsonb_build_object('items', jsonb_build_object('anyOf', (SELECT jsonb_agg(jsonb_build_object('required', jsonb_build_array('r' || i))) FROM generate_series(1, 300) AS i))),
  (SELECT jsonb_agg('{}'::jsonb) FROM generate_series(1, 2000)));
\echo a value of no branch: the property with one constant a branch goes before a list that all branches share
SELECT pg_temp.said(jsonb_build_object('oneOf', pg_temp.tagged(3, '{}', '["v"]', '{"const": "%s"}'))::text, '{"kind": "k9", "v": 1}');
SELECT pg_temp.said('{"oneOf": [{"properties": {"a": {"enum": ["x", "y"]}, "kind": {"const": "p"}}}, {"properties": {"a": {"enum": ["x", "y"]}, "kind": {"const": "q"}}}]}', '{"a": "z", "kind": "r"}');
\echo without a tag: of branches that fit equally, the one that knows more of the properties
SELECT pg_temp.said('{"anyOf": [{"$ref": "#/$defs/cat"}, {"$ref": "#/$defs/dog"}, {"type": "null"}], "$defs": {
  "cat": {"type": "object", "required": ["lives"], "properties": {"lives": {"type": "integer"}}},
  "dog": {"type": "object", "required": ["bark"], "properties": {"bark": {"type": "boolean"}}}}}', i)
FROM (VALUES ('{"bark": "x"}'), ('{"lives": "x"}'), ('{}')) AS v (i);
\echo the types of the branches: an integer is called so, unless another branch takes any number
SELECT i, message, expected FROM (VALUES
  ('{"anyOf": [{"type": "integer"}, {"type": "null"}]}'),
  ('{"anyOf": [{"allOf": [{"$ref": "#/$defs/i"}, {"minimum": 1}]}, {"type": "null"}], "$defs": {"i": {"type": "integer"}}}'),
  ('{"anyOf": [{"oneOf": [{"type": "integer", "minimum": 1}, {"type": "integer", "maximum": -1}]}, {"type": "null"}]}'),
  ('{"anyOf": [{"oneOf": [{"type": "integer", "minimum": 1}, {"type": "number", "maximum": -1}]}, {"type": "null"}]}'),
  ('{"anyOf": [{"type": "integer"}, {"type": "number"}, {"type": "null"}]}')) AS v (i), jsonb_schema_violations(i::jsonb, '"x"');
