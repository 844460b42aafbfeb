-- event_report: the output formats of JSON Schema (2020-12 core, section 12).
\pset format unaligned
\pset tuples_only on
SELECT register_event_schema('reported', 1, '{
  "title": "Reported",
  "required": ["id"],
  "properties": {"id": {"type": "integer", "title": "Id"}, "tags": {"items": {"$ref": "#/$defs/tag"}}},
  "$defs": {"tag": {"maxLength": 3}}
}');
\echo valid
SELECT event_report('{"id": 1}', 'reported', 1, 'flag');
SELECT jsonb_pretty(event_report('{"id": 1}', 'reported', 1));
SELECT jsonb_pretty(event_report('{"id": 1}', 'reported', 1, 'detailed'));
\echo not valid
SELECT event_report('{"id": "x", "tags": ["a", "long"]}', 'reported', 1, 'flag');
SELECT jsonb_pretty(event_report('{"id": "x", "tags": ["a", "long"]}', 'reported', 1, 'basic'));
SELECT jsonb_pretty(event_report('{"id": "x", "tags": ["a", "long"]}', 'reported', 1, 'detailed'));
\echo the default is basic
SELECT event_report('{}', 'reported', 1) = event_report('{}', 'reported', 1, 'basic');
\echo all say the same as validate_event
SELECT data, format FROM (VALUES ('{"id": 1}'::jsonb), ('{}'), ('[]'), ('null'), ('{"id": 1.5}'), ('{"id": 1, "tags": ["a", "long"]}')) AS d (data),
  unnest(ARRAY['flag', 'basic', 'detailed', 'list', 'hierarchical']) AS format
WHERE (event_report(data, 'reported', 1, format) ->> 'valid')::boolean IS DISTINCT FROM validate_event(data, 'reported', 1);
\echo basic has an error for every violation of event_violations
SELECT data FROM (VALUES ('{"id": 1}'::jsonb), ('{}'), ('{"id": "x", "tags": ["a", "long", "longer"]}')) AS d (data)
WHERE EXISTS (SELECT instance_location, keyword_location, message FROM event_violations(data, 'reported', 1)
  EXCEPT SELECT e ->> 'instanceLocation', e ->> 'keywordLocation', e ->> 'error'
    FROM jsonb_array_elements(event_report(data, 'reported', 1) -> 'errors') AS e);
\echo what cannot be reported
SELECT event_report('{}', 'reported', 1, 'verbose');
SELECT event_report('{}', 'reported', 2);
SELECT event_report('{}', 'reported', 1, NULL);
SELECT event_report(NULL, 'reported', 1);
SELECT drop_event_schema('reported', 1);
\echo references that make it exponentially large
SELECT register_event_schema('reported.large', 1, jsonb_build_object('$ref', '#/$defs/30', '$defs', jsonb_object_agg(i,
  CASE i WHEN 0 THEN '{"type": "string"}'::jsonb
    ELSE jsonb_build_object('allOf', jsonb_build_array(jsonb_build_object('$ref', '#/$defs/' || i - 1), jsonb_build_object('$ref', '#/$defs/' || i - 1))) END)))
FROM generate_series(0, 30) AS i;
SELECT event_report('1', 'reported.large', 1, 'flag');
\echo it ends after so many parts, and the last one says so
SELECT jsonb_array_length(r -> 'errors') > 1000 AS large, jsonb_pretty(r #> '{errors,0,error}') AS first, jsonb_pretty(r #> '{errors,-1}') AS last
FROM event_report('1', 'reported.large', 1, 'basic') AS r;
SELECT jsonb_pretty(r #> '{errors,-1,error}') AS last FROM event_report('1', 'reported.large', 1, 'detailed') AS r;
SELECT jsonb_array_length(r -> 'details') AS parts, r #> '{details,-1,errors}' AS last FROM event_report('1', 'reported.large', 1, 'list') AS r;
SELECT r #> '{details,-1,errors}' AS last FROM event_report('1', 'reported.large', 1, 'hierarchical') AS r;
\echo a document that is valid, and branches of anyOf that are forgiven later
SELECT event_report('"x"', 'reported.large', 1, 'flag');
SELECT register_event_schema('reported.branches', 1, jsonb_build_object('anyOf', jsonb_build_array('{"type": "number"}'::jsonb, '{"$ref": "event:reported.large@1"}'::jsonb)));
SELECT jsonb_pretty(event_report('"x"', 'reported.branches', 1)) LIKE '%must be number%' AS has_forgiven, event_report('"x"', 'reported.branches', 1) #> '{annotations,-1,annotation}' AS last;
SELECT event_report('true', 'reported.branches', 1, 'list') -> 'valid' AS valid;
SELECT drop_event_schema('reported.branches', 1);
SELECT drop_event_schema('reported.large', 1);
