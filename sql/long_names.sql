-- Event types that are too long for the name of a function, which then has their
-- beginning and a hash; everything else shows the whole type.
\set VERBOSITY default
CREATE FUNCTION pg_temp.fields(command text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	state text;
	message text;
	detail text;
	hint text;
	named text;
BEGIN
	EXECUTE command;
	RETURN NEXT 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL,
		hint = PG_EXCEPTION_HINT, named = CONSTRAINT_NAME;
	RETURN NEXT state || ' ' || message;
	RETURN NEXT 'DETAIL: ' || detail;
	RETURN NEXT 'HINT: ' || hint;
	RETURN NEXT 'CONSTRAINT NAME: ' || named;
END $$;
CREATE FUNCTION without_nulls(jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS 'SELECT jsonb_strip_nulls($1)';
\pset format unaligned
\pset tuples_only on
SELECT 'google.events.cloud.audit.v1.LogEntryData.' || repeat('part.', 6) || 'written' AS long \gset
SELECT :'long' || '.too' AS other \gset

-- the name: deterministic, of at most 63 bytes, and what SQL can compute
SELECT register_event_schema(:'long', 1, '{"type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}}}') AS registered \gset
SELECT :'registered';
SELECT register_event_schema(:'long', 1, '{"type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}}}') = :'registered'::regprocedure;
SELECT left(:'long', 18) || '@' || rtrim(translate(encode(substr(sha256(convert_to(:'long', 'UTF8')), 1, 16), 'base64'), '+/', '-_'), '=') || '~1' = proname,
	prosrc, obj_description(oid, 'pg_proc') FROM pg_proc WHERE oid = :'registered'::regprocedure;
SELECT register_event_schema(:'long', 2, '{"type": "object", "properties": {"id": {"type": "integer"}, "note": {"type": "string", "title": "Note"}}}');
SELECT register_event_schema(:'long', 2147483647, '{"type": "object", "properties": {"id": {"type": "integer"}, "note": {"type": "string"}}}');
SELECT register_event_schema(:'other', 1, 'true');

-- as long as it can be
SELECT length(register_event_schema(repeat('x', 512), 1, 'true')::text);
SELECT pg_temp.fields($$SELECT register_event_schema(repeat('x', 513), 1, 'true')$$);
SELECT pg_temp.fields($$SELECT set_event_compatibility(repeat('ä', 257), 'none')$$);
SELECT pg_temp.fields($$SELECT register_event_upcast(repeat('x', 513), 1, 2, 'without_nulls(jsonb)')$$);
SELECT validate_event('1', repeat('x', 512), 1), validate_event('1', repeat('x', 513), 1), validate_event('1', repeat('x', 511), 1);
SELECT drop_event_schema(repeat('x', 512), 1);

-- a type that is short enough for some names only
SELECT repeat('m', 60) AS middle \gset
SELECT register_event_schema(:'middle', 9, '{"required": ["a"]}'), register_event_schema(:'middle', 10, '{}'), register_event_schema(:'middle', 11, 'true');
SELECT schema_version, function FROM event_schemas WHERE event_type = :'middle';
SELECT matching_event_versions('{}', :'middle'), matching_event_versions('{"a": 1}', :'middle');
SELECT set_event_compatibility(:'middle', 'full');
SELECT register_event_schema(:'middle', 12, '{"required": ["b"]}');
SELECT register_event_upcast(:'middle', 9, 10, 'without_nulls(jsonb)'), register_event_upcast(:'middle', 10, 11, 'without_nulls(jsonb)');
SELECT upcast_event('{"a": 1, "b": null}', :'middle', 9);
SELECT drop_event_schema(:'middle', 9);
SELECT event_schema_ddl(:'middle');

-- characters are not cut; their number does not matter
SELECT register_event_schema(repeat('é', 32), 1, 'true'), register_event_schema('a' || repeat('é', 32), 1, 'true'),
	register_event_schema(repeat('注文', 20), 1, 'true'), register_event_schema(repeat('𝄞', 20), 1, 'true');
-- a space at the end, an '@', and quotes
SELECT register_event_schema(repeat('it''s "a" @ ', 8), 1, 'true') AS odd \gset
SELECT :'odd', validate_event('1', repeat('it''s "a" @ ', 8), 1);
SELECT register_event_schema(repeat('$function$', 8), 1, 'true'), set_event_compatibility(repeat('$function$', 8), 'none');
SELECT event_schema_ddl(repeat('$function$', 8));
SELECT count(drop_event_schema(event_type, 1)) FROM event_schemas WHERE event_type ~ '^(.?é|注|𝄞|it|\$)';
DROP FUNCTION event_schema."$function$$functio@0QQqbWeCyCj1q0BF9EigKw~compatibility";

-- validation, and its errors
SELECT validate_event('{"id": 1}', :'long', 1), validate_event('{}', :'long', 1), validate_event('{}', :'long', 2), validate_event('1', :'other', 1);
SELECT pg_temp.fields(format('SELECT check_event(%L, %L, 1)', '{}', :'long'));
SELECT pg_temp.fields(format('SELECT check_event(%L, %L, 1, %L)', '{}', :'long', 'constraint'));
SELECT pg_temp.fields(format('SELECT check_event(NULL, %L, 1)', :'long'));
SELECT pg_temp.fields(format('SELECT check_event(%L, %L, 3)', '{}', :'long'));
SELECT pg_temp.fields(format('SELECT check_event(%L, %L, 3)', '{}', overlay(:'long' placing 'X' from 70 for 1)));
SELECT pg_temp.fields($$SELECT check_event('{}', repeat('unknown', 20), 3)$$);
SELECT pg_temp.fields($$SELECT check_event('{}', repeat('unknown', 100), 3)$$);
SELECT * FROM event_violations('{"id": "x"}', :'long', 1);
SELECT matching_event_versions('{"id": 1}', :'long');
-- many types at one call site
SELECT v.event_type = :'other', count(*), count(*) FILTER (WHERE validate_event('{"id": 1}', v.event_type, v.version))
FROM generate_series(1, 100), (VALUES (:'long', 1), (:'long', 2), (:'other', 1), (:'other', 2), (:'middle', 10)) AS v (event_type, version)
GROUP BY 1 ORDER BY 1;

-- the registry shows the whole type
SELECT event_type, schema_version, definition, function FROM event_schemas;
SELECT pg_temp.fields(format('SELECT register_event_schema(%L, 1, %L)', :'long', '{"type": "string"}'));
SELECT pg_temp.fields(format('SELECT register_event_schema(%L, 3, %L)', :'long', '{"requried": 1}'));
SELECT pg_temp.fields(format('SELECT register_event_schema(%L, 3, %L)', :'long', '{"type": 1}'));
SELECT widen_event_schema(:'long', 1, '{"type": "object", "required": ["id"]}');
SELECT pg_temp.fields(format('SELECT widen_event_schema(%L, 1, %L)', :'long', '{"type": "string"}'));
SELECT * FROM event_schema_changes(:'long', 1, '{"type": "object"}');
SELECT count(*) > 0 FROM event_schema_program(:'long', 1);
SELECT event_schema_ddl(:'long');

-- references, from types of either kind
SELECT register_event_schema('refers', 1, format('{"properties": {"inner": {"$ref": "event:%s@1"}}}', :'long'));
SELECT register_event_schema(:'other', 2, format('{"$ref": "event:%s@1"}', :'long'), breaking => true);
SELECT validate_event('{"inner": {}}', 'refers', 1), validate_event('{"inner": {"id": 1}}', 'refers', 1), validate_event('{}', :'other', 2);
SELECT pg_temp.fields(format('SELECT drop_event_schema(%L, 1)', :'long'));
SELECT pg_temp.fields(format('SELECT register_schema(%L, %L)', 'https://long.example/a', format('{"$id": "event:%s@5"}', :'long')));
-- in a circle
BEGIN;
SET LOCAL check_function_bodies = off;
DO $$
DECLARE
	long text := 'google.events.cloud.audit.v1.LogEntryData.' || repeat('part.', 6) || 'written';
	a text := _event_validate.event_function_name(long || '.a', 1);
	b text := _event_validate.event_function_name(long || '.b', 1);
	body text := E'#event_type %s\n{"properties": {"x": {"$ref": "event:%s@1"}}}';
	command text := 'CREATE FUNCTION event_schema.%I(data jsonb) RETURNS boolean LANGUAGE jsonschema AS %L';
BEGIN
	EXECUTE format(command, a, format(body, long || '.a', long || '.b'));
	EXECUTE format(command, b, format(body, long || '.b', long || '.a'));
END $$;
SELECT validate_event('{"x": {"x": {}}}', :'long' || '.a', 1);
SELECT pg_temp.fields(format('SELECT drop_event_schema(%L, 1)', :'long' || '.b'));
ROLLBACK;

-- policies
SELECT set_event_compatibility(:'long', 'full_transitive', lenient => false);
SELECT pg_temp.fields(format('SELECT register_event_schema(%L, 3, %L)', :'long', '{"type": "string"}'));
SELECT proname, prosrc, obj_description(oid, 'pg_proc') FROM pg_proc WHERE pronamespace = 'event_schema'::regnamespace AND proname ~ 'compat' AND proname ~ '^google';
SELECT set_event_compatibility(:'long', 'backward');

-- upcasts
CREATE FUNCTION public.add_note(data jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$SELECT data || '{"note": "upcast"}'$$;
SELECT register_event_upcast(:'long', 1, 2, 'public.add_note(jsonb)') AS upcast \gset
SELECT :'upcast', obj_description(:'upcast'::regprocedure, 'pg_proc');
SELECT register_event_upcast(:'long', 1, 2, 'public.add_note(jsonb)') = :'upcast'::regprocedure;
SELECT pg_temp.fields(format('SELECT register_event_upcast(%L, 1, 2, %L)', :'long', 'without_nulls(jsonb)'));
SELECT pg_temp.fields(format('SELECT register_event_upcast(%L, 1, 2147483647, %L)', :'long', 'public.add_note(jsonb)'));
SELECT event_upcast_path(:'long', 1, 2), upcast_event('{"id": 1}', :'long', 1, 2);
SELECT pg_temp.fields(format('SELECT upcast_event(%L, %L, 1)', '{"id": 1}', :'long'));
SELECT pg_temp.fields(format('SELECT drop_event_schema(%L, 2)', :'long'));
SELECT register_event_upcast(:'long', 2, 2147483647, 'public.add_note(jsonb)');
SELECT event_at_version('{"id": 1}', :'long', 1, 2147483647), event_at_version('{"id": 1}', :'long', 2, 1), event_at_version('{"id": 1}', :'other', 1, 2);

-- tables: checks, guards, quarantine, replay, audits, views, migration, drops
CREATE TABLE long_events (id int PRIMARY KEY, event_type text, schema_version int, data jsonb);
INSERT INTO long_events VALUES (1, :'long', 1, '{"id": 1}'), (2, :'long', 2, '{}'), (3, :'other', 1, '1'), (4, :'long', 1, '{}'), (5, :'long', 7, '{}');
SELECT event_type, schema_version, instance_location, keyword, message, rows, violations FROM audit_events('long_events') WHERE keyword IS NOT NULL ORDER BY schema_version;
SELECT instance_location, keyword, message, rows, violations FROM check_event_upgrade('long_events', :'long', 1, 2);
DELETE FROM long_events WHERE id >= 4;
SELECT add_event_check('long_events');
SELECT pg_temp.fields(format('INSERT INTO long_events VALUES (4, %L, 1, %L)', :'long', '{}'));
SELECT validate_event_check('long_events');
SELECT drop_event_check('long_events');
ALTER TABLE long_events ADD CONSTRAINT direct CHECK (event_type <> 'x' OR event_schema."google.events.clou@N3jo0Hkn_pJCjrCw87iOHQ~1"(data)) NOT VALID;
SELECT kind, name, type_expr, version_expr FROM event_enforcement WHERE relation = 'long_events'::regclass;
ALTER TABLE long_events DROP CONSTRAINT direct;
SELECT add_event_guard('long_events', 'quarantine');
INSERT INTO long_events VALUES (6, :'long', 1, '{"note": "no id"}'), (7, :'long', 8, '{}');
SELECT event_type, schema_version, violations -> 0 ->> 'message' FROM event_quarantine WHERE relation_name = 'long_events' ORDER BY id;
SELECT * FROM replay_event_quarantine('long_events', event_type => :'long');
SELECT register_event_schema(:'long', 8, '{"type": "object", "properties": {"id": {"type": "integer"}, "note": {"type": "string"}}}');
SELECT * FROM replay_event_quarantine('long_events', event_type => :'long', schema_version => 8);
SELECT set_event_guard_mode('long_events', 'enforce');
SELECT pg_temp.fields(format('INSERT INTO long_events VALUES (8, %L, 1, %L)', :'long', '{"note": "no id"}'));
SELECT * FROM event_schema_usage(:'long');
SELECT pg_temp.fields(format('SELECT drop_event_schema(%L, 8)', :'long'));
DELETE FROM long_events WHERE schema_version = 8;
DELETE FROM event_schema.quarantine WHERE relation_name = 'long_events';
SELECT drop_event_schema(:'long', 8);
SELECT create_event_view('long_view', 'long_events', :'long', 2);
SELECT * FROM long_view ORDER BY id;
SELECT obj_description('long_view'::regclass, 'pg_class'), col_description('long_view'::regclass, 1);
SELECT create_event_view('long_view', 'long_events', :'long', 2);
SELECT pg_temp.fields(format('SELECT create_event_view(%L, %L, %L, 1)', 'long_view', 'long_events', :'other'));
SELECT create_event_view('middle_view', 'long_events', :'middle', 10);
DROP VIEW long_view, middle_view;
-- an upcast that parallel workers cannot run is found
ALTER FUNCTION event_schema."google.events.clou@N3jo0Hkn_pJCjrCw87iOHQ~1>2"(jsonb) PARALLEL UNSAFE;
SELECT create_event_view('long_view', 'long_events', :'long', 2);
SELECT pg_get_viewdef('long_view'::regclass) ~ 'event_at_version_serially';
DROP VIEW long_view;
CALL migrate_events('long_events', :'long', 2147483647);
SELECT id, schema_version, data FROM long_events ORDER BY id;
SELECT drop_event_guard('long_events');
DROP TABLE long_events;

-- by hand: the name and the type in the body must agree
\set SHOW_CONTEXT never
\set command 'CREATE FUNCTION event_schema.%I(data jsonb) RETURNS boolean LANGUAGE jsonschema AS %L'
SELECT pg_temp.fields(format(:'command', 'google.events.clou@N3jo0Hkn_pJCjrCw87iOHQ~3', '{}'));
SELECT pg_temp.fields(format(:'command', 'google.events.clou@N3jo0Hkn_pJCjrCw87iOHQ~3', E'#event_type ' || :'other' || E'\n{}'));
SELECT pg_temp.fields(format(:'command', 'google.events.clou@N3jo0Hkn_pJCjrCw87iOHQ~3', E'#event_type ' || repeat('x', 513) || E'\n{}'));
SELECT pg_temp.fields(format(:'command', 'google.events.clou@N3jo0Hkn_pJCjrCw87iOHQ~3', E'#event_type\n{}'));
SELECT pg_temp.fields(format(:'command', 'google.events.clou@N3jo0Hkn_pJCjrCw87iOHQ~3', E'#event_type a\n#event_type b\n{}'));
SELECT pg_temp.fields(format(:'command', 'google.events.cloud@N3jo0Hkn_pJCjrCw87iOHQ~3', E'#event_type ' || :'long' || E'\n{}'));
SELECT pg_temp.fields(format(:'command', 'google.events.clou@N3jo0Hkn_pJCjrCw87iOHQ~03', E'#event_type ' || :'long' || E'\n{}'));
SELECT pg_temp.fields(format(:'command', left(:'long', 63), E'#event_type ' || :'long' || E'\n{}'));
SELECT pg_temp.fields(format(:'command', 'short@1', E'#event_type long\n{}'));
SELECT pg_temp.fields(format(:'command', 'https://long.example/b', E'#event_type long\n{}'));
-- a type whose whole name fits has no other name
SELECT pg_temp.fields(format(:'command', 'short@' || rtrim(translate(encode(substr(sha256('short'), 1, 16), 'base64'), '+/', '-_'), '=') || '~1', E'#event_type short\n{}'));
BEGIN;
SELECT pg_temp.fields(format(:'command', 'short@1', E'#event_type short\n{}'));
SELECT pg_temp.fields(format(:'command', 'google.events.clou@N3jo0Hkn_pJCjrCw87iOHQ~3', E'\n\t#assert_format off\r\n\t#event_type ' || :'long' || E'\r\n{"type": "object", "properties": {"id": {"type": "integer"}, "note": {"type": "string"}}}'));
SELECT event_type, schema_version FROM event_schemas WHERE event_type IN ('short', :'long');
SELECT drop_event_schema('short', 1), drop_event_schema(:'long', 3);
ROLLBACK;
-- also in a restore
BEGIN;
SET LOCAL check_function_bodies = off;
SELECT pg_temp.fields(format(:'command', 'google.events.clou@N3jo0Hkn_pJCjrCw87iOHQ~3', E'#event_type ' || :'other' || E'\n{}'));
SELECT pg_temp.fields(format(:'command', 'google.events.clou@N3jo0Hkn_pJCjrCw87iOHQ~3', '{}'));
SELECT pg_temp.fields(format(:'command', 'google.events.clou@N3jo0Hkn_pJCjrCw87iOHQ~3', E'#event_type ' || :'long' || E'\n{}'));
ROLLBACK;
-- policies and upcasts
\set command 'CREATE FUNCTION event_schema.%I() RETURNS text LANGUAGE sql AS %L'
SELECT pg_temp.fields(format(:'command', 'google.events.clou@N3jo0Hkn_pJCjrCw87iOHR~compatibility', 'SELECT ''none'''));
SELECT pg_temp.fields(format(:'command', 'google.events.clou@N3jo0Hkn_pJCjrCw87iOHR~compatibility', E'--event_type ' || :'other' || E'\nSELECT ''none'''));
SELECT pg_temp.fields(format(:'command', 'short@compatibility', E'--event_type long\nSELECT ''none'''));
SELECT pg_temp.fields(format(:'command', 'short@compatibility', E'--event_type short\nSELECT ''none'', 1'));
\set command 'CREATE FUNCTION event_schema.%I(data jsonb) RETURNS jsonb LANGUAGE sql BEGIN ATOMIC SELECT public.add_note(data); END'
SELECT pg_temp.fields(format(:'command', 'google.events.clou@N3jo0Hkn_pJCjrCw87iOHR~1>2'));
SELECT pg_temp.fields(format(:'command', _event_validate.event_function_name(:'other', 1) || '>2'));
SELECT upcast_event('{"id": 1}', :'other', 1);
-- registered functions are not renamed, and the body keeps its type
ALTER FUNCTION event_schema."google.events.clou@N3jo0Hkn_pJCjrCw87iOHQ~1"(jsonb) RENAME TO "google.events.clou@N3jo0Hkn_pJCjrCw87iOHQ~4";
ALTER FUNCTION event_schema."google.events.clou@N3jo0Hkn_pJCjrCw87iOHQ~1>2"(jsonb) RENAME TO "x@1>2";
CREATE OR REPLACE FUNCTION event_schema."google.events.clou@N3jo0Hkn_pJCjrCw87iOHQ~1"(data jsonb) RETURNS boolean LANGUAGE jsonschema AS '{"type": "object", "required": ["id"]}';

-- drops, also by hand
SELECT pg_temp.fields('DROP FUNCTION event_schema."google.events.clou@N3jo0Hkn_pJCjrCw87iOHQ~1"(jsonb)');
DROP FUNCTION event_schema."google.events.clou@N3jo0Hkn_pJCjrCw87iOHQ~1>2", event_schema."google.events.clou@N3jo0Hkn_pJCjrCw87iOHQ~2>2147483647";
SELECT pg_temp.fields(format('SELECT drop_event_schema(%L, 9)', :'long'));
DROP FUNCTION event_schema."google.events.clou@N3jo0Hkn_pJCjrCw87iOHQ~2147483647"(jsonb);
SELECT validate_event('{}', :'long', 2147483647);

SELECT 'DROP FUNCTION ' || string_agg(oid::regprocedure::text, ', ' ORDER BY proname) FROM pg_proc
WHERE pronamespace = 'event_schema'::regnamespace AND proname ~ '^(google|mmm|refers)' \gexec
DROP FUNCTION public.add_note;
SELECT count(*) FROM pg_proc WHERE pronamespace = 'event_schema'::regnamespace AND proname ~ '~';
