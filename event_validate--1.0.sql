/* event_validate--1.0.sql */

-- complain if script is sourced in psql, rather than via CREATE EXTENSION
\echo Use "CREATE EXTENSION event_validate" to load this file. \quit

-- ---------- the schema of what is registered ----------

DO $$
BEGIN
	IF EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname OPERATOR(pg_catalog.=) 'event_schema') THEN
		RAISE EXCEPTION USING
			ERRCODE = 'duplicate_schema',
			MESSAGE = 'a schema called event_schema exists already',
			DETAIL = 'Extension event_validate keeps registered schemas as functions in a schema of this name, which it creates itself.',
			HINT = 'Rename or drop the existing schema.';
	END IF;
END
$$;

-- The owner of the database, not of the extension: a database owner who is no
-- superuser can then grant CREATE on it, and restore a dump.
CREATE SCHEMA event_schema AUTHORIZATION pg_database_owner;
GRANT USAGE ON SCHEMA event_schema TO PUBLIC;
COMMENT ON SCHEMA event_schema IS 'event schemas and what belongs to them, as functions';

-- ---------- the language ----------

CREATE FUNCTION jsonschema_call_handler() RETURNS language_handler
	AS 'MODULE_PATHNAME', 'ev_jsonschema_call_handler' LANGUAGE C;
COMMENT ON FUNCTION jsonschema_call_handler() IS 'runs functions in language jsonschema';

CREATE FUNCTION jsonschema_validator(oid) RETURNS void
	AS 'MODULE_PATHNAME', 'ev_jsonschema_validator' LANGUAGE C STRICT;
COMMENT ON FUNCTION jsonschema_validator(oid) IS 'checks functions in language jsonschema when they are created';

CREATE TRUSTED LANGUAGE jsonschema HANDLER jsonschema_call_handler VALIDATOR jsonschema_validator;
COMMENT ON LANGUAGE jsonschema IS 'JSON Schema: functions from jsonb to boolean';

-- ---------- validation ----------

CREATE FUNCTION validate_event(data jsonb, event_type text, schema_version int) RETURNS boolean
	AS 'MODULE_PATHNAME', 'ev_validate_event' LANGUAGE C STABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION validate_event(jsonb, text, int) IS 'whether the event matches its registered schema';

CREATE FUNCTION check_event(data jsonb, event_type text, schema_version int,
	constraint_name text DEFAULT NULL) RETURNS boolean
	AS 'MODULE_PATHNAME', 'ev_check_event' LANGUAGE C STABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION check_event(jsonb, text, int, text) IS 'for CHECK constraints: true, or an error that says what is wrong with the event';

CREATE FUNCTION event_violations(data jsonb, event_type text, schema_version int,
	OUT instance_location text, OUT keyword_location text, OUT keyword text, OUT message text)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'ev_event_violations' LANGUAGE C STABLE PARALLEL SAFE ROWS 10;
COMMENT ON FUNCTION event_violations(jsonb, text, int) IS 'every violation of its registered schema by the event';

CREATE FUNCTION event_report(data jsonb, event_type text, schema_version int,
	format text DEFAULT 'basic') RETURNS jsonb
	AS 'MODULE_PATHNAME', 'ev_event_report' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION event_report(jsonb, text, int, text) IS 'the evaluation of the event in an output format of JSON Schema';

CREATE FUNCTION matching_event_versions(data jsonb, event_type text) RETURNS int[]
	AS 'MODULE_PATHNAME', 'ev_matching_event_versions' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION matching_event_versions(jsonb, text) IS 'the registered versions that the document satisfies';

CREATE FUNCTION jsonb_matches_schema(schema jsonb, instance jsonb, assert_format boolean DEFAULT true) RETURNS boolean
	AS 'MODULE_PATHNAME', 'ev_jsonb_matches_schema' LANGUAGE C STABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION jsonb_matches_schema(jsonb, jsonb, boolean) IS 'whether the instance matches the JSON Schema';

CREATE FUNCTION jsonb_schema_violations(schema jsonb, instance jsonb, assert_format boolean DEFAULT true,
	OUT instance_location text, OUT keyword_location text, OUT keyword text, OUT message text)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'ev_jsonb_schema_violations' LANGUAGE C STABLE PARALLEL SAFE ROWS 10;
COMMENT ON FUNCTION jsonb_schema_violations(jsonb, jsonb, boolean) IS 'every violation of the JSON Schema by the instance';

CREATE FUNCTION jsonschema_is_valid(schema jsonb) RETURNS boolean
	AS 'MODULE_PATHNAME', 'ev_jsonschema_is_valid' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION jsonschema_is_valid(jsonb) IS 'whether it is a valid JSON Schema';

-- ---------- the registry ----------

CREATE FUNCTION register_event_schema(event_type text, schema_version int, definition text,
	assert_format boolean DEFAULT true, breaking boolean DEFAULT false) RETURNS regprocedure
	AS 'MODULE_PATHNAME', 'ev_register_event_schema' LANGUAGE C;
COMMENT ON FUNCTION register_event_schema(text, int, text, boolean, boolean) IS 'registers a version of an event''s schema';

CREATE FUNCTION register_event_schema(event_type text, schema_version int, definition jsonb,
	assert_format boolean DEFAULT true, breaking boolean DEFAULT false) RETURNS regprocedure
	AS 'MODULE_PATHNAME', 'ev_register_event_schema_jsonb' LANGUAGE C;
COMMENT ON FUNCTION register_event_schema(text, int, jsonb, boolean, boolean) IS 'registers a version of an event''s schema, given as jsonb';

CREATE FUNCTION widen_event_schema(event_type text, schema_version int, definition text) RETURNS regprocedure
	AS 'MODULE_PATHNAME', 'ev_widen_event_schema' LANGUAGE C;
COMMENT ON FUNCTION widen_event_schema(text, int, text) IS 'replaces a schema by one that accepts all that it accepted';

CREATE FUNCTION drop_event_schema(event_type text, schema_version int) RETURNS void
	AS 'MODULE_PATHNAME', 'ev_drop_event_schema' LANGUAGE C;
COMMENT ON FUNCTION drop_event_schema(text, int) IS 'drops a registered schema that no row needs';

CREATE FUNCTION register_schema(uri text, definition text) RETURNS regprocedure
	AS 'MODULE_PATHNAME', 'ev_register_schema' LANGUAGE C;
COMMENT ON FUNCTION register_schema(text, text) IS 'registers a document that other schemas refer to by its URI';

CREATE FUNCTION event_schema_ddl(event_type text DEFAULT NULL) RETURNS SETOF text
	AS 'MODULE_PATHNAME', 'ev_event_schema_ddl' LANGUAGE C STABLE ROWS 100;
COMMENT ON FUNCTION event_schema_ddl(text) IS 'the commands that recreate what is registered';

CREATE FUNCTION event_schema_program(event_type text, schema_version int) RETURNS SETOF text
	AS 'MODULE_PATHNAME', 'ev_event_schema_program' LANGUAGE C STABLE ROWS 100;
COMMENT ON FUNCTION event_schema_program(text, int) IS 'the compiled schema, one instruction a line';

CREATE FUNCTION list_event_schemas(OUT event_type text, OUT schema_version int, OUT definition text,
	OUT title text, OUT description text, OUT deprecated boolean, OUT dialect text,
	OUT owner name, OUT function regprocedure)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'ev_list_event_schemas' LANGUAGE C STABLE ROWS 100;
COMMENT ON FUNCTION list_event_schemas() IS 'the rows of event_schemas';

CREATE VIEW event_schemas AS
	SELECT event_type, schema_version, definition, title, description, deprecated, dialect, owner, function
	FROM list_event_schemas();
COMMENT ON VIEW event_schemas IS 'the registered versions of event schemas';
GRANT SELECT ON event_schemas TO PUBLIC;

-- ---------- evolution: what changed ----------

CREATE FUNCTION event_schema_changes(old jsonb, new jsonb, lenient boolean DEFAULT true,
	OUT location text, OUT rule text, OUT backward text, OUT forward text, OUT message text)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'ev_event_schema_changes' LANGUAGE C STABLE STRICT ROWS 10;
COMMENT ON FUNCTION event_schema_changes(jsonb, jsonb, boolean) IS 'what changed between two schemas, and whether it is compatible';

CREATE FUNCTION event_schema_changes(event_type text, from_version int, definition text, lenient boolean DEFAULT true,
	OUT location text, OUT rule text, OUT backward text, OUT forward text, OUT message text)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'ev_event_schema_changes_registered' LANGUAGE C STABLE STRICT ROWS 10;
COMMENT ON FUNCTION event_schema_changes(text, int, text, boolean) IS 'what a definition would change in a registered version';

-- ---------- keeping what is published ----------

CREATE FUNCTION event_validate_guard_ddl() RETURNS event_trigger
	AS 'MODULE_PATHNAME', 'ev_guard_ddl' LANGUAGE C;
COMMENT ON FUNCTION event_validate_guard_ddl() IS 'refuses to rename, move or alter registered schemas into another';

CREATE FUNCTION event_validate_guard_drop() RETURNS event_trigger
	AS 'MODULE_PATHNAME', 'ev_guard_drop' LANGUAGE C;
COMMENT ON FUNCTION event_validate_guard_drop() IS 'refuses to drop a registered schema that rows need';

CREATE EVENT TRIGGER event_validate_guard_ddl ON ddl_command_end
	WHEN TAG IN ('CREATE FUNCTION', 'CREATE PROCEDURE', 'CREATE AGGREGATE',
		'ALTER FUNCTION', 'ALTER PROCEDURE', 'ALTER ROUTINE', 'ALTER AGGREGATE',
		'ALTER SCHEMA', 'ALTER LANGUAGE', 'ALTER EXTENSION')
	EXECUTE FUNCTION event_validate_guard_ddl();
COMMENT ON EVENT TRIGGER event_validate_guard_ddl IS 'keeps registered schemas what they are';

CREATE EVENT TRIGGER event_validate_guard_drop ON sql_drop
	WHEN TAG IN ('DROP FUNCTION', 'DROP PROCEDURE', 'DROP ROUTINE', 'DROP AGGREGATE',
		'DROP EXTENSION', 'DROP LANGUAGE', 'DROP SCHEMA', 'DROP OWNED')
	EXECUTE FUNCTION event_validate_guard_drop();
COMMENT ON EVENT TRIGGER event_validate_guard_drop IS 'keeps registered schemas that rows need';
