-- Formats that are left out: except_formats, and "#assert_format except".
SELECT register_event_schema('except', 1, '{"properties": {"for": {"format": "duration"}, "at": {"format": "time"}, "on": {"format": "date"}}}',
  except_formats => '{duration,time}');
SELECT definition, assert_format, except_formats FROM event_schemas WHERE event_type = 'except';
SELECT prosrc FROM pg_proc WHERE oid = 'event_schema."except@1"(jsonb)'::regprocedure;
SELECT * FROM event_violations('{"for": "1h", "at": "noon", "on": "today"}', 'except', 1);
SELECT validate_event('{"for": "1h", "at": "noon", "on": "2024-01-01"}', 'except', 1) AS left_out,
  validate_event('{"on": "today"}', 'except', 1) AS asserted;
-- the same in another order, with a name twice, and as array
SELECT register_event_schema('except', 1, '{"properties": {"for": {"format": "duration"}, "at": {"format": "time"}, "on": {"format": "date"}}}',
  except_formats => ARRAY['time', 'duration', 'time']);
-- jsonb, and none
SELECT register_event_schema('except.none', 1, '{"format": "date"}'::jsonb, except_formats => '{}');
SELECT register_event_schema('except.none', 2, '{"format": "date"}'::jsonb, except_formats => '{date}');
SELECT register_event_schema('except.none', 3, '{"format": "date"}'::jsonb, false);
SELECT schema_version, assert_format, except_formats FROM event_schemas WHERE event_type = 'except.none' ORDER BY 1;
-- the published schema keeps its answers
SELECT register_event_schema('except', 1, '{"properties": {"for": {"format": "duration"}, "at": {"format": "time"}, "on": {"format": "date"}}}');
SELECT register_event_schema('except', 1, '{"title": "x", "properties": {"for": {"format": "duration"}, "at": {"format": "time"}, "on": {"format": "date"}}}',
  except_formats => '{time}');
-- annotations change, the option stays; so does it for a wider schema
SELECT register_event_schema('except', 1, '{"title": "x", "properties": {"for": {"format": "duration"}, "at": {"format": "time"}, "on": {"format": "date"}}}',
  except_formats => '{time,duration}');
SELECT widen_event_schema('except', 1, '{"properties": {"for": {"format": "duration"}, "at": {"format": "time"}}}');
SELECT except_formats FROM event_schemas WHERE event_type = 'except';
-- a new version that asserts more is not backward compatible, one that asserts less is
SELECT * FROM event_schema_changes('except', 1, '{"properties": {"for": {"format": "duration"}, "at": {"format": "time"}}}');
SELECT * FROM event_schema_changes('except', 1, '#assert_format except duration, time, date
{"properties": {"for": {"format": "duration"}, "at": {"format": "time"}}}');
SELECT register_event_schema('except', 2, '{"properties": {"for": {"format": "duration"}, "at": {"format": "time"}}}', except_formats => '{time}');
-- a reference leads to a document with options of its own
SELECT register_event_schema('except.ref', 1, '{"properties": {"far": {"$ref": "event:except.none@2"}, "near": {"format": "date"}}}', except_formats => '{time}');
SELECT * FROM event_violations('{"far": "x", "near": "x"}', 'except.ref', 1);
SELECT event_schema_ddl('except.none');

-- wrong lists
SELECT register_event_schema('except.bad', 1, '{}', except_formats => '{dates}');
SELECT register_event_schema('except.bad', 1, '{}', except_formats => '{int32}');
SELECT register_event_schema('except.bad', 1, '{}', except_formats => '{date,NULL}');
SELECT register_event_schema('except.bad', 1, '{}', except_formats => E'{"da\nte"}');
SELECT register_event_schema('except.bad', 1, '{}', assert_format => false, except_formats => '{date}');

-- the pragma line
CREATE FUNCTION event_schema."except.line@1"(data jsonb) RETURNS boolean LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE AS $$
#assert_format except duration,time
{"properties": {"for": {"format": "duration"}, "at": {"format": "time"}, "on": {"format": "date"}}}
$$;
SELECT assert_format, except_formats FROM event_schemas WHERE event_type = 'except.line';
SELECT register_event_schema('except.line', 1, '{"properties": {"for": {"format": "duration"}, "at": {"format": "time"}, "on": {"format": "date"}}}',
  except_formats => '{duration,time}');
\set VERBOSITY terse
CREATE FUNCTION event_schema."except.bad@1"(data jsonb) RETURNS boolean LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE AS '#assert_format except duratio
{}';
\set VERBOSITY default
CREATE FUNCTION event_schema."except.bad@1"(data jsonb) RETURNS boolean LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE AS '#assert_format except ,
{}';
CREATE FUNCTION event_schema."except.bad@1"(data jsonb) RETURNS boolean LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE AS '#assert_format except
{}';
CREATE FUNCTION event_schema."except.bad@1"(data jsonb) RETURNS boolean LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE AS '#assert_format excepts date
{}';

-- schemas passed as arguments; the list can differ from row to row
SELECT formats, jsonb_matches_schema('{"format": "date"}'::jsonb, '"x"', true, formats) AS jsonb,
  json_matches_schema('{"format": "date"}'::json, '"x"', true, formats) AS json,
  jsonb_matches_schema('{"format": "date"}', '"x"', except_formats => formats) AS literals,
  (SELECT count(*) FROM jsonb_schema_violations('{"format": "date"}', '"x"', except_formats => formats)) AS violations
FROM (VALUES ('{date}'::text[]), ('{}'), ('{time}'), (NULL), ('{date,time}'), ('{date}')) AS v (formats);
SELECT jsonb_matches_schema('{"format": "date"}', '"x"', except_formats => '{dat}');
SELECT jsonb_matches_schema('{"format": "date"}', '"x"', false, '{date}');
-- "hostname" is one name with two meanings
SELECT schema, jsonb_matches_schema(schema, '"a b"') AS asserted, jsonb_matches_schema(schema, '"a b"', true, '{hostname}') AS left_out
FROM (VALUES ('{"$schema": "http://json-schema.org/draft-04/schema#", "format": "hostname"}'::jsonb), ('{"format": "hostname"}')) AS v (schema);
-- a meta-schema that requires the assertion overrides the option, as with assert_format => false
SELECT register_schema('https://example.com/except', '{"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "https://example.com/except",
  "$vocabulary": {"https://json-schema.org/draft/2020-12/vocab/core": true, "https://json-schema.org/draft/2020-12/vocab/format-assertion": true}}');
SELECT jsonb_matches_schema('{"$schema": "https://example.com/except", "format": "date"}', '"x"', true, '{date}') AS left_out,
  jsonb_matches_schema('{"$schema": "https://example.com/except", "format": "date"}', '"x"', false) AS off;

\set VERBOSITY sqlstate
SELECT count(drop_event_schema(event_type, schema_version)) FROM event_schemas WHERE event_type = 'except.ref';
SELECT count(drop_event_schema(event_type, schema_version)) FROM event_schemas WHERE event_type ~ '^except';
DROP FUNCTION event_schema."https://example.com/except";
