-- check_event: the error that a CHECK constraint raises.

-- all fields of the error, except for its place in the sources
CREATE FUNCTION pg_temp.fields(command text) RETURNS TABLE (field text, value text)
LANGUAGE plpgsql AS $$
DECLARE
  state text;
  message text;
  detail text;
  hint text;
  constraint_name text;
BEGIN
  EXECUTE command;
  RETURN QUERY VALUES ('no error', NULL);
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS
    state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL,
    hint = PG_EXCEPTION_HINT, constraint_name = CONSTRAINT_NAME;
  RETURN QUERY VALUES ('sqlstate', state), ('message', message), ('detail', detail),
    ('hint', hint), ('constraint', constraint_name);
END
$$;
\pset format unaligned
\pset tuples_only on

SELECT register_event_schema('checked', 1, '{
  "type": "object",
  "required": ["id"],
  "properties": {
    "id": {"type": "integer", "minimum": 1},
    "name": {"maxLength": 5},
    "tags": {"items": {"type": "string"}}
  }
}');
SELECT register_event_schema('checked', 3, 'true');

SELECT check_event('{"id": 1}', 'checked', 1);
SELECT check_event('{"id": 1}', 'checked', 1, 'named');

\echo one violation
SELECT * FROM pg_temp.fields($$SELECT check_event('{"id": 0}', 'checked', 1)$$);
\echo of the whole document
SELECT * FROM pg_temp.fields($$SELECT check_event('[]', 'checked', 1)$$);
\echo several, and a constraint name given
SELECT * FROM pg_temp.fields($$SELECT check_event('{"id": "x", "name": "too long", "tags": ["a", 1, null]}', 'checked', 1, 'events_data_check')$$);
\echo ten are shown
SELECT * FROM pg_temp.fields($$SELECT check_event('{"id": 1, "tags": [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]}', 'checked', 1)$$);
\echo and the rest counted
SELECT * FROM pg_temp.fields($$SELECT check_event('{"id": 1, "tags": [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]}', 'checked', 1)$$);
SELECT * FROM pg_temp.fields($$SELECT check_event(jsonb_build_object('id', 1, 'tags', (SELECT jsonb_agg(i) FROM generate_series(1, 5000) i)), 'checked', 1)$$);
-- equal messages of many keywords are one line, and the rest is counted
SELECT register_event_schema('repeated', 1, jsonb_build_object('allOf', (SELECT jsonb_agg('{"minimum": 1}'::jsonb) FROM generate_series(1, 150) i)));
SELECT * FROM pg_temp.fields($$SELECT check_event('0', 'repeated', 1)$$);
SELECT drop_event_schema('repeated', 1);

\echo NULLs
SELECT * FROM pg_temp.fields($$SELECT check_event(NULL, 'checked', 1)$$);
SELECT * FROM pg_temp.fields($$SELECT check_event(NULL, 'checked', 1, 'named')$$);
SELECT * FROM pg_temp.fields($$SELECT check_event('{}', NULL, 1)$$);
SELECT * FROM pg_temp.fields($$SELECT check_event('{}', NULL, 1, 'named')$$);
SELECT * FROM pg_temp.fields($$SELECT check_event('{}', 'checked', NULL)$$);
SELECT * FROM pg_temp.fields($$SELECT check_event('{}', 'checked', NULL, 'named')$$);
SELECT * FROM pg_temp.fields($$SELECT check_event(NULL, NULL, NULL)$$);
SELECT * FROM pg_temp.fields($$SELECT check_event('{"id": 0}', 'checked', 1, NULL)$$);

\echo not registered
SELECT * FROM pg_temp.fields($$SELECT check_event('{}', 'checked', 2)$$);
SELECT * FROM pg_temp.fields($$SELECT check_event('{}', 'unchecked', 1)$$);
SELECT * FROM pg_temp.fields($$SELECT check_event(NULL, 'checked', 2)$$);
SELECT * FROM pg_temp.fields($$SELECT check_event('{}', 'checked', -1)$$);
SELECT * FROM pg_temp.fields($$SELECT check_event('{}', '', 1)$$);

\echo values in messages have at most 64 characters
SELECT register_event_schema('checked.value', 1, '{"type": "null"}');
CREATE FUNCTION pg_temp.shown(value jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  message text;
BEGIN
  PERFORM check_event(value, 'checked.value', 1);
EXCEPTION WHEN check_violation THEN
  GET STACKED DIAGNOSTICS message = MESSAGE_TEXT;
  RETURN replace(message, 'event "checked.value" version 1 is not valid: ', '');
END
$$;
SELECT pg_temp.shown(to_jsonb(repeat('x', 64)));
SELECT pg_temp.shown(to_jsonb(repeat('x', 65)));
SELECT pg_temp.shown(to_jsonb(repeat('ü', 64)));
SELECT pg_temp.shown(to_jsonb(repeat('ü', 65)));
SELECT pg_temp.shown(to_jsonb(repeat('😀', 64)));
SELECT pg_temp.shown(to_jsonb(repeat('😀', 100000)));
SELECT pg_temp.shown(to_jsonb(E'a\nb\t"quoted" \\ '::text || chr(1)));
SELECT pg_temp.shown('1.50');
SELECT pg_temp.shown('-1e-7');
SELECT pg_temp.shown(('1' || repeat('0', 63))::jsonb);
SELECT pg_temp.shown(('1' || repeat('0', 64))::jsonb);
SELECT pg_temp.shown(('0.' || repeat('3', 1000))::jsonb);
SELECT pg_temp.shown('true');
SELECT pg_temp.shown('{}');
SELECT pg_temp.shown('{"a": 1}');
SELECT pg_temp.shown('{"a": 1, "b": {"c": 1}}');
SELECT pg_temp.shown('[]');
SELECT pg_temp.shown('[[]]');

\echo names from the document are cut, too
SELECT register_event_schema('checked.name', 1, '{"propertyNames": {"maxLength": 3}}');
SELECT * FROM pg_temp.fields($$SELECT check_event(jsonb_build_object(repeat('ü', 100), 1), 'checked.name', 1)$$);

\echo so are keys in locations, each for itself, and long patterns; event_violations has the location whole
SELECT register_event_schema('checked.long', 1, '{"additionalProperties": {"items": {"additionalProperties": {"pattern": "^x{' || 3 || '}' || repeat('[yz]?', 100) || '$"}}}}');
SELECT * FROM pg_temp.fields($$SELECT check_event(jsonb_build_object(repeat('ü', 65), ARRAY[jsonb_build_object('a/b' || repeat('k', 62), '', repeat('k', 64), '')]), 'checked.long', 1)$$);
SELECT length(instance_location) FROM event_violations(jsonb_build_object(repeat('ü', 65), ARRAY[jsonb_build_object(repeat('k', 100), '')]), 'checked.long', 1);
SELECT register_event_schema('checked.branch', 1, '{"anyOf": [{"additionalProperties": {"type": "null"}}, {"additionalProperties": {"type": "boolean"}}]}');
SELECT * FROM pg_temp.fields($$SELECT check_event(jsonb_build_object(repeat('k', 100), 1), 'checked.branch', 1)$$);
\echo false alone is a type, too
SELECT register_event_schema('checked.false', 1, '{"anyOf": [{"const": false}, {"enum": [false]}]}');
SELECT * FROM pg_temp.fields($$SELECT check_event('1', 'checked.false', 1)$$);
SELECT drop_event_schema('checked.long', 1), drop_event_schema('checked.branch', 1), drop_event_schema('checked.false', 1);

\echo a CHECK as PostgreSQL reports it
CREATE TABLE checked_events (type text, version int, data jsonb,
  CONSTRAINT data_matches CHECK (check_event(data, type, version, 'data_matches')));
INSERT INTO checked_events VALUES ('checked', 1, '{"id": 2}');
\set VERBOSITY sqlstate
INSERT INTO checked_events VALUES ('checked', 1, '{"id": 0}');
INSERT INTO checked_events VALUES ('checked', 2, '{"id": 2}');
UPDATE checked_events SET data = '{"id": -1}';
\set VERBOSITY default
INSERT INTO checked_events VALUES ('checked', 1, '{"id": 0}');
DROP TABLE checked_events;
SELECT drop_event_schema('checked', 1), drop_event_schema('checked', 3),
  drop_event_schema('checked.value', 1), drop_event_schema('checked.name', 1);

-- NULL data is no event, with or without a schema
SELECT check_event(NULL, 'nobody', 1);
