/* event_validate--1.1dev.sql, made by "make install-script" from the files in install */

-- complain if script is sourced in psql, rather than via CREATE EXTENSION
\echo Use "CREATE EXTENSION event_validate" to load this file. \quit

-- Functions that users call are created in the extension's schema, internal ones
-- in _event_validate.
--
-- Other roles may create functions, operators and types in the extension's schema
-- and in the caller's search_path, and none of them may match a call here.  So:
-- - A function has "SET search_path = pg_catalog, pg_temp", unless it reads users'
--   expressions, or runs commands that may run users' code.
-- - Such a function names everything with its schema and uses no operators.  It
--   leaves the rest to functions that have a search_path.  The SQL that they write
--   for it names everything with its schema, too.
-- - Functions in the extension's schema are called with all of their arguments, of
--   exactly their types.
-- (test/hostile/test_overloads.py)
--
-- A PL/pgSQL function begins with "hidden CONSTANT boolean := _event_validate.hide_context()",
-- which hides the function in the CONTEXT of its errors.

-- ---------- the schemas ----------

DO $$
DECLARE
	name pg_catalog.text;
BEGIN
	FOREACH name IN ARRAY '{event_schema,_event_validate}'::pg_catalog.text[] LOOP
		IF pg_catalog.to_regnamespace(name) IS NOT NULL THEN
			RAISE EXCEPTION USING
				ERRCODE = 'duplicate_schema',
				MESSAGE = pg_catalog.format('schema "%s" already exists', name),
				DETAIL = 'Extension event_validate creates this schema itself.',
				HINT = 'Rename or drop the existing schema.';
		END IF;
	END LOOP;
END
$$;

-- The owner of the database owns it, not the owner of the extension: a database
-- owner without superuser can then grant CREATE on it, and restore a dump.
CREATE SCHEMA event_schema AUTHORIZATION pg_database_owner;
GRANT USAGE ON SCHEMA event_schema TO PUBLIC;
COMMENT ON SCHEMA event_schema IS 'event schemas and their upcasts and policies, as functions';

-- A superuser owns it, also where a database owner installs the extension, and
-- no other role may create objects in it.
CREATE SCHEMA _event_validate;
GRANT USAGE ON SCHEMA _event_validate TO PUBLIC;
COMMENT ON SCHEMA _event_validate IS 'internal functions of extension event_validate';

-- ---------- the language ----------

-- Dependencies on this view are the index of the $ids and references of schemas
-- (src/registry/uri_index.c).  The view is created before the language, so that
-- errors of DROP name the language, and not the view, as the object on which schemas
-- depend.
CREATE VIEW _event_validate.uri_index AS
	SELECT d.objid::pg_catalog.regprocedure AS function,
		('{document,part,reference}'::pg_catalog.text[])[d.refobjsubid >> 29] AS kind,
		d.refobjsubid AS number
	FROM pg_catalog.pg_depend d
	JOIN pg_catalog.pg_class c ON c.oid = d.refobjid AND c.relname = 'uri_index'::pg_catalog.name
	JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
		AND n.nspname = '_event_validate'::pg_catalog.name
	WHERE d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass::pg_catalog.oid
		AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass::pg_catalog.oid
		AND d.refobjsubid <> 0;
COMMENT ON VIEW _event_validate.uri_index IS 'the $ids and the references of schemas, as hashes';

CREATE FUNCTION _event_validate.jsonschema_call_handler() RETURNS language_handler
	AS 'MODULE_PATHNAME', 'ev_jsonschema_call_handler' LANGUAGE C;
COMMENT ON FUNCTION _event_validate.jsonschema_call_handler() IS 'runs functions in language jsonschema';

CREATE FUNCTION _event_validate.jsonschema_validator(oid) RETURNS void
	AS 'MODULE_PATHNAME', 'ev_jsonschema_validator' LANGUAGE C STRICT;
COMMENT ON FUNCTION _event_validate.jsonschema_validator(oid) IS 'checks functions in language jsonschema when they are created';

-- PostgreSQL calls these without a check of EXECUTE.
REVOKE EXECUTE ON FUNCTION _event_validate.jsonschema_call_handler(), _event_validate.jsonschema_validator(oid) FROM PUBLIC;

CREATE TRUSTED LANGUAGE jsonschema HANDLER _event_validate.jsonschema_call_handler VALIDATOR _event_validate.jsonschema_validator;
COMMENT ON LANGUAGE jsonschema IS 'JSON Schema: functions from jsonb to boolean';

-- ---------- relations and their rows ----------

CREATE FUNCTION _event_validate.hide_context() RETURNS boolean
	AS 'MODULE_PATHNAME', 'ev_hide_context' LANGUAGE C PARALLEL SAFE;
COMMENT ON FUNCTION _event_validate.hide_context() IS 'takes the PL/pgSQL function that calls it in an expression out of the CONTEXT of errors';

CREATE FUNCTION _event_validate.require_arguments(names text[], VARIADIC "any") RETURNS void
	AS 'MODULE_PATHNAME', 'ev_require_arguments_sql' LANGUAGE C STABLE;
COMMENT ON FUNCTION _event_validate.require_arguments(text[], VARIADIC "any") IS 'raises an error if one of the arguments with these names is NULL';

CREATE FUNCTION _event_validate.require_event_relation(relation regclass, privilege text) RETURNS void
	AS 'MODULE_PATHNAME', 'ev_require_event_relation' LANGUAGE C STABLE STRICT;
COMMENT ON FUNCTION _event_validate.require_event_relation(regclass, text) IS 'raises an error unless the relation is a table or view and the caller has SELECT, or ANY privilege, on it; takes no lock';

CREATE FUNCTION _event_validate.require_table_owner(relation regclass) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	hidden CONSTANT boolean := _event_validate.hide_context();
BEGIN
	IF NOT (SELECT pg_has_role(c.relowner, 'USAGE') FROM pg_class AS c WHERE c.oid = relation) THEN
		RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege',
			MESSAGE = format('must be owner of table %s', _event_validate.event_qualified_name(relation));
	END IF;
END
$$;
COMMENT ON FUNCTION _event_validate.require_table_owner(regclass) IS 'raises an error unless the caller owns the table';

CREATE FUNCTION _event_validate.share_event_relation(relation regclass) RETURNS void
	AS 'MODULE_PATHNAME', 'ev_share_event_relation' LANGUAGE C STRICT;
COMMENT ON FUNCTION _event_validate.share_event_relation(regclass) IS 'takes the lock of a reader, so that no column changes before the query';

CREATE FUNCTION _event_validate.lock_event_table(relation regclass) RETURNS void
	AS 'MODULE_PATHNAME', 'ev_lock_event_table' LANGUAGE C STRICT;
COMMENT ON FUNCTION _event_validate.lock_event_table(regclass) IS 'takes the lock that ALTER TABLE needs, without blocking writers for long';

CREATE FUNCTION _event_validate.event_qualified_name(relation regclass) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT format('%I.%I', n.nspname, c.relname)
	FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE c.oid = relation
$$;
COMMENT ON FUNCTION _event_validate.event_qualified_name(regclass) IS 'the name of a relation with its schema, as SQL';

-- The name of a row is its primary key, or else its ctid.  A cast of a user's type
-- to text may run the code of the type's owner, so its output function is used.
CREATE FUNCTION _event_validate.event_row_name(relation regclass) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT CASE
		WHEN k.count = 1 AND k.casts THEN format('(%s)::pg_catalog.text', k.columns)
		WHEN k.count = 1 THEN format('pg_catalog.concat(%s)', k.columns)
		WHEN k.count > 1 THEN format('ROW(%s)::pg_catalog.text', k.columns)
		WHEN c.relkind = ANY ('{v,f}') THEN 'NULL::pg_catalog.text'
		WHEN c.relhassubclass THEN 'pg_catalog.concat(tableoid::pg_catalog.regclass, '' '', ctid)'
		ELSE 'ctid::pg_catalog.text' END
	FROM pg_class AS c,
		LATERAL (SELECT count(*), string_agg(quote_ident(a.attname), ', ' ORDER BY k.place) AS columns,
				bool_and(t.typnamespace = 'pg_catalog'::regnamespace) AS casts
			FROM pg_index AS i, LATERAL unnest(i.indkey) WITH ORDINALITY AS k(attnum, place)
				JOIN pg_attribute AS a ON a.attnum = k.attnum
				JOIN pg_type AS t ON t.oid = a.atttypid
			WHERE i.indrelid = c.oid AND i.indisprimary AND a.attrelid = c.oid AND k.place <= i.indnkeyatts) AS k
	WHERE c.oid = relation
$$;
COMMENT ON FUNCTION _event_validate.event_row_name(regclass) IS 'SQL that names a row of a table';

CREATE FUNCTION _event_validate.event_row_expression(relation regclass, expression text, part text, tolerant boolean) RETURNS text
	AS 'MODULE_PATHNAME', 'ev_event_row_expression' LANGUAGE C STABLE STRICT;
COMMENT ON FUNCTION _event_validate.event_row_expression(regclass, text, text, boolean) IS 'a column or expression over a row, as SQL of a type that validation accepts';

CREATE FUNCTION _event_validate.event_row_equals(expression text, value text) RETURNS text
	AS 'MODULE_PATHNAME', 'ev_event_row_equals' LANGUAGE C IMMUTABLE STRICT;
COMMENT ON FUNCTION _event_validate.event_row_equals(text, text) IS 'SQL that compares an expression over a row with a value';

CREATE FUNCTION _event_validate.event_row_other_types(expression text, types text[]) RETURNS text
	AS 'MODULE_PATHNAME', 'ev_event_row_other_types' LANGUAGE C IMMUTABLE STRICT;
COMMENT ON FUNCTION _event_validate.event_row_other_types(text, text[]) IS 'SQL that is true unless an expression over a row has one of these event types';

CREATE FUNCTION _event_validate.rows_planned_as_owner(query text, relation regclass) RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'ev_rows_planned_as_owner' LANGUAGE C STRICT;
COMMENT ON FUNCTION _event_validate.rows_planned_as_owner(text, regclass) IS 'the rows of a SELECT of the caller that reads this relation; a caller with the rights of its owner plans the SELECT as the owner';
-- ---------- validation ----------

CREATE FUNCTION validate_event(data jsonb, event_type text, schema_version int) RETURNS boolean
	AS 'MODULE_PATHNAME', 'ev_validate_event' LANGUAGE C STABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION validate_event(jsonb, text, int) IS 'whether an event matches its registered schema';

CREATE FUNCTION check_event(data jsonb, event_type text, schema_version int,
	constraint_name text DEFAULT NULL) RETURNS boolean
	AS 'MODULE_PATHNAME', 'ev_check_event' LANGUAGE C STABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION check_event(jsonb, text, int, text) IS 'for CHECK constraints: returns true, or raises an error that lists the violations';

-- The same for json documents.  A literal of unknown type is a jsonb document: for
-- the event's type, text is preferred to a domain over it.
CREATE DOMAIN _event_validate.event_type AS text;
COMMENT ON DOMAIN _event_validate.event_type IS 'the type of an event whose document is json';

CREATE FUNCTION validate_event(data json, event_type _event_validate.event_type, schema_version int) RETURNS boolean
	AS 'MODULE_PATHNAME', 'ev_validate_json_event' LANGUAGE C STABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION validate_event(json, _event_validate.event_type, int) IS 'whether an event in json matches its registered schema';

CREATE FUNCTION check_event(data json, event_type _event_validate.event_type, schema_version int,
	constraint_name text DEFAULT NULL) RETURNS boolean
	AS 'MODULE_PATHNAME', 'ev_check_json_event' LANGUAGE C STABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION check_event(json, _event_validate.event_type, int, text) IS 'for CHECK constraints on json: returns true, or raises an error that lists the violations';

CREATE FUNCTION event_violations(data jsonb, event_type text, schema_version int,
	OUT instance_location text, OUT keyword_location text, OUT keyword text, OUT message text,
	OUT property text, OUT expected jsonb, OUT actual jsonb)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'ev_event_violations' LANGUAGE C STABLE PARALLEL SAFE ROWS 10;
COMMENT ON FUNCTION event_violations(jsonb, text, int) IS 'the violations of an event against its registered schema';

CREATE FUNCTION event_report(data jsonb, event_type text, schema_version int,
	format text DEFAULT 'basic') RETURNS jsonb
	AS 'MODULE_PATHNAME', 'ev_event_report' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION event_report(jsonb, text, int, text) IS 'the result of validating an event, in an output format of JSON Schema';

CREATE FUNCTION matching_event_versions(data jsonb, event_type text) RETURNS int[]
	AS 'MODULE_PATHNAME', 'ev_matching_event_versions' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION matching_event_versions(jsonb, text) IS 'the registered versions that a document matches';

CREATE FUNCTION jsonb_matches_schema(schema jsonb, instance jsonb, assert_format boolean DEFAULT true,
	except_formats text[] DEFAULT NULL) RETURNS boolean
	AS 'MODULE_PATHNAME', 'ev_jsonb_matches_schema' LANGUAGE C STABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION jsonb_matches_schema(jsonb, jsonb, boolean, text[]) IS 'whether an instance matches a JSON Schema';

CREATE FUNCTION jsonb_schema_violations(schema jsonb, instance jsonb, assert_format boolean DEFAULT true,
	except_formats text[] DEFAULT NULL,
	OUT instance_location text, OUT keyword_location text, OUT keyword text, OUT message text,
	OUT property text, OUT expected jsonb, OUT actual jsonb)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'ev_jsonb_schema_violations' LANGUAGE C STABLE PARALLEL SAFE ROWS 10;
COMMENT ON FUNCTION jsonb_schema_violations(jsonb, jsonb, boolean, text[]) IS 'the violations of an instance against a JSON Schema';

CREATE FUNCTION jsonschema_is_valid(schema jsonb) RETURNS boolean
	AS 'MODULE_PATHNAME', 'ev_jsonschema_is_valid' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION jsonschema_is_valid(jsonb) IS 'whether a document is a valid JSON Schema';

-- The calls of pg_jsonschema, with NULL for NULL as there.  Both extensions can
-- be in one schema: json is taken through a domain here, so that no function has
-- the arguments of one of pg_jsonschema's, and so that those are preferred for json.
-- The functions with text are for calls with literals of unknown type only, which
-- would be ambiguous otherwise.
CREATE DOMAIN _event_validate.json AS json;
COMMENT ON DOMAIN _event_validate.json IS 'json, as an argument of functions that pg_jsonschema has too';

CREATE FUNCTION json_matches_schema(schema _event_validate.json, instance _event_validate.json,
	assert_format boolean DEFAULT true, except_formats text[] DEFAULT NULL) RETURNS boolean
	AS 'MODULE_PATHNAME', 'ev_json_matches_schema' LANGUAGE C STABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION json_matches_schema(_event_validate.json, _event_validate.json, boolean, text[]) IS 'whether an instance in json matches a JSON Schema';

CREATE FUNCTION json_matches_schema(schema text, instance text, assert_format boolean DEFAULT true,
	except_formats text[] DEFAULT NULL) RETURNS boolean
	AS 'MODULE_PATHNAME', 'ev_json_matches_schema' LANGUAGE C STABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION json_matches_schema(text, text, boolean, text[]) IS 'json_matches_schema for literals';

-- A further parameter would make calls with a literal, jsonb and a boolean ambiguous.
CREATE FUNCTION jsonb_matches_schema(schema _event_validate.json, instance jsonb) RETURNS boolean
	AS 'MODULE_PATHNAME', 'ev_jsonb_matches_json_schema' LANGUAGE C STABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION jsonb_matches_schema(_event_validate.json, jsonb) IS 'whether an instance matches a JSON Schema, given as json';

CREATE FUNCTION jsonb_matches_schema(schema text, instance text, assert_format boolean DEFAULT true,
	except_formats text[] DEFAULT NULL) RETURNS boolean
	AS 'MODULE_PATHNAME', 'ev_text_matches_schema' LANGUAGE C STABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION jsonb_matches_schema(text, text, boolean, text[]) IS 'jsonb_matches_schema for literals';

CREATE FUNCTION jsonschema_is_valid(schema _event_validate.json) RETURNS boolean
	AS 'MODULE_PATHNAME', 'ev_json_is_schema' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION jsonschema_is_valid(_event_validate.json) IS 'whether a document in json is a valid JSON Schema';

CREATE FUNCTION jsonschema_is_valid(schema text) RETURNS boolean
	AS 'MODULE_PATHNAME', 'ev_json_is_schema' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION jsonschema_is_valid(text) IS 'jsonschema_is_valid for literals';

CREATE FUNCTION jsonschema_validation_errors(schema _event_validate.json, instance _event_validate.json) RETURNS text[]
	AS 'MODULE_PATHNAME', 'ev_jsonschema_validation_errors' LANGUAGE C STABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION jsonschema_validation_errors(_event_validate.json, _event_validate.json) IS 'the violations of an instance in json, in words';

CREATE FUNCTION jsonschema_validation_errors(schema text, instance text) RETURNS text[]
	AS 'MODULE_PATHNAME', 'ev_jsonschema_validation_errors' LANGUAGE C STABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION jsonschema_validation_errors(text, text) IS 'jsonschema_validation_errors for literals';

-- ---------- the registry ----------

CREATE FUNCTION register_event_schema(event_type text, schema_version int, definition text,
	assert_format boolean DEFAULT true, breaking boolean DEFAULT false, strict boolean DEFAULT false,
	except_formats text[] DEFAULT NULL, accept text[] DEFAULT NULL, renames jsonb DEFAULT NULL) RETURNS regprocedure
	AS 'MODULE_PATHNAME', 'ev_register_event_schema' LANGUAGE C;
COMMENT ON FUNCTION register_event_schema(text, int, text, boolean, boolean, boolean, text[], text[], jsonb) IS 'registers a version of an event schema';

CREATE FUNCTION register_event_schema(event_type text, schema_version int, definition jsonb,
	assert_format boolean DEFAULT true, breaking boolean DEFAULT false, strict boolean DEFAULT false,
	except_formats text[] DEFAULT NULL, accept text[] DEFAULT NULL, renames jsonb DEFAULT NULL) RETURNS regprocedure
	AS 'MODULE_PATHNAME', 'ev_register_event_schema_jsonb' LANGUAGE C;
COMMENT ON FUNCTION register_event_schema(text, int, jsonb, boolean, boolean, boolean, text[], text[], jsonb) IS 'registers a version of an event schema, given as jsonb';

CREATE FUNCTION widen_event_schema(event_type text, schema_version int, definition text) RETURNS regprocedure
	AS 'MODULE_PATHNAME', 'ev_widen_event_schema' LANGUAGE C;
COMMENT ON FUNCTION widen_event_schema(text, int, text) IS 'replaces a registered schema by one that accepts at least the same events';

CREATE FUNCTION drop_event_schema(event_type text, schema_version int, force boolean DEFAULT false) RETURNS void
	AS 'MODULE_PATHNAME', 'ev_drop_event_schema' LANGUAGE C;
COMMENT ON FUNCTION drop_event_schema(text, int, boolean) IS 'drops a registered schema, unless stored events have its type and version';

CREATE FUNCTION register_schema(uri text, definition text) RETURNS regprocedure
	AS 'MODULE_PATHNAME', 'ev_register_schema' LANGUAGE C;
COMMENT ON FUNCTION register_schema(text, text) IS 'registers a document that other schemas refer to by its URI';

CREATE FUNCTION register_schemas(bundle jsonb,
	assert_format boolean DEFAULT true, breaking boolean DEFAULT false, strict boolean DEFAULT false,
	except_formats text[] DEFAULT NULL, accept text[] DEFAULT NULL, renames jsonb DEFAULT NULL,
	OUT name text, OUT action text, OUT function regprocedure)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'ev_register_schemas' LANGUAGE C ROWS 100;
COMMENT ON FUNCTION register_schemas(jsonb, boolean, boolean, boolean, text[], text[], jsonb) IS 'registers many schemas, which may refer to each other, in one call';

CREATE FUNCTION lint_event_schema(definition text,
	OUT severity text, OUT location text, OUT rule text, OUT message text)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'ev_lint_event_schema' LANGUAGE C STABLE ROWS 10;
COMMENT ON FUNCTION lint_event_schema(text) IS 'the errors, warnings and notes about a schema';

CREATE FUNCTION lint_event_schema(definition jsonb,
	OUT severity text, OUT location text, OUT rule text, OUT message text)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'ev_lint_event_schema_jsonb' LANGUAGE C STABLE ROWS 10;
COMMENT ON FUNCTION lint_event_schema(jsonb) IS 'the errors, warnings and notes about a schema, given as jsonb';

CREATE FUNCTION event_schema_ddl(event_type text DEFAULT NULL) RETURNS SETOF text
	AS 'MODULE_PATHNAME', 'ev_event_schema_ddl' LANGUAGE C STABLE ROWS 100;
COMMENT ON FUNCTION event_schema_ddl(text) IS 'the commands that register the same schemas, policies and upcasts again';

CREATE FUNCTION event_schema_program(event_type text, schema_version int) RETURNS SETOF text
	AS 'MODULE_PATHNAME', 'ev_event_schema_program' LANGUAGE C STABLE ROWS 100;
COMMENT ON FUNCTION event_schema_program(text, int) IS 'the program of a compiled schema: its instructions, then the checks of the fast path';

CREATE FUNCTION _event_validate.list_event_schemas(OUT event_type text, OUT schema_version int, OUT definition text,
	OUT title text, OUT description text, OUT deprecated boolean, OUT dialect text,
	OUT owner name, OUT function regprocedure, OUT assert_format boolean, OUT except_formats text[],
	OUT breaking boolean, OUT accept text[], OUT policy text, OUT lenient boolean, OUT unknown text,
	OUT renames jsonb)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'ev_list_event_schemas' LANGUAGE C STABLE ROWS 100;
COMMENT ON FUNCTION _event_validate.list_event_schemas() IS 'the rows of event_schemas';

CREATE VIEW event_schemas AS
	SELECT event_type, schema_version, definition, title, description, deprecated, dialect, owner, function,
		assert_format, except_formats, breaking, accept, policy, lenient, unknown, renames
	FROM _event_validate.list_event_schemas();
COMMENT ON VIEW event_schemas IS 'the registered versions of event schemas';
GRANT SELECT ON event_schemas TO PUBLIC;

-- ---------- evolution: what changed ----------

CREATE FUNCTION event_schema_changes(old jsonb, new jsonb, lenient boolean DEFAULT true, renames jsonb DEFAULT NULL,
	OUT location text, OUT rule text, OUT backward text, OUT forward text, OUT message text)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'ev_event_schema_changes' LANGUAGE C STABLE ROWS 10;
COMMENT ON FUNCTION event_schema_changes(jsonb, jsonb, boolean, jsonb) IS 'the changes between two schemas, and whether each is compatible';

CREATE FUNCTION event_schema_changes(event_type text, from_version int, definition text, lenient boolean DEFAULT true,
	renames jsonb DEFAULT NULL, OUT location text, OUT rule text, OUT backward text, OUT forward text, OUT message text)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'ev_event_schema_changes_registered' LANGUAGE C STABLE ROWS 10;
COMMENT ON FUNCTION event_schema_changes(text, int, text, boolean, jsonb) IS 'the changes between a registered version and a definition';

CREATE FUNCTION set_event_compatibility(event_type text, policy text, lenient boolean DEFAULT true,
	unknown text DEFAULT 'refuse') RETURNS void
	AS 'MODULE_PATHNAME', 'ev_set_event_compatibility' LANGUAGE C;
COMMENT ON FUNCTION set_event_compatibility(text, text, boolean, text) IS 'sets the compatibility policy for new versions of an event type, or the default of the database';

-- The arguments are those of register_event_schema; schema_version is the next one.
CREATE FUNCTION check_event_compatibility(event_type text, definition text,
	assert_format boolean DEFAULT true, breaking boolean DEFAULT false, strict boolean DEFAULT false,
	except_formats text[] DEFAULT NULL, accept text[] DEFAULT NULL, schema_version int DEFAULT NULL, renames jsonb DEFAULT NULL,
	OUT against int, OUT location text, OUT rule text, OUT verdict text, OUT message text, OUT direction text)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'ev_check_event_compatibility' LANGUAGE C STABLE ROWS 10;
COMMENT ON FUNCTION check_event_compatibility(text, text, boolean, boolean, boolean, text[], text[], int, jsonb) IS 'what the compatibility policy says of a definition before it is registered: the reasons for which register_event_schema would refuse it';

CREATE FUNCTION check_event_compatibility(event_type text, definition jsonb,
	assert_format boolean DEFAULT true, breaking boolean DEFAULT false, strict boolean DEFAULT false,
	except_formats text[] DEFAULT NULL, accept text[] DEFAULT NULL, schema_version int DEFAULT NULL, renames jsonb DEFAULT NULL,
	OUT against int, OUT location text, OUT rule text, OUT verdict text, OUT message text, OUT direction text)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'ev_check_event_compatibility_jsonb' LANGUAGE C STABLE ROWS 10;
COMMENT ON FUNCTION check_event_compatibility(text, jsonb, boolean, boolean, boolean, text[], text[], int, jsonb) IS 'what the compatibility policy says of a definition, given as jsonb, before it is registered';
-- ---------- evolution: upcasts ----------

CREATE FUNCTION register_event_upcast(event_type text, from_version int, to_version int, upcast regprocedure)
	RETURNS regprocedure
	AS 'MODULE_PATHNAME', 'ev_register_event_upcast' LANGUAGE C;
COMMENT ON FUNCTION register_event_upcast(text, int, int, regprocedure) IS 'registers the function that converts events of a version to the next version';

CREATE FUNCTION register_event_downcast(event_type text, from_version int, to_version int, downcast regprocedure)
	RETURNS regprocedure
	AS 'MODULE_PATHNAME', 'ev_register_event_downcast' LANGUAGE C;
COMMENT ON FUNCTION register_event_downcast(text, int, int, regprocedure) IS 'registers the function that converts events of a version to the version before it';

CREATE FUNCTION register_event_rename(event_type text, from_version int, to_version int, renames jsonb,
	downcast boolean DEFAULT false) RETURNS regprocedure
	AS 'MODULE_PATHNAME', 'ev_register_event_rename' LANGUAGE C;
COMMENT ON FUNCTION register_event_rename(text, int, int, jsonb, boolean) IS 'registers the upcast that gives properties their names in the next version and, on request, the downcast that gives the old ones back';

CREATE FUNCTION event_rename(data jsonb, renames jsonb) RETURNS jsonb
	AS 'MODULE_PATHNAME', 'ev_event_rename' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION event_rename(jsonb, jsonb) IS 'a document in which properties have other names';

CREATE FUNCTION drop_event_upcast(event_type text, from_version int, to_version int) RETURNS void
	AS 'MODULE_PATHNAME', 'ev_drop_event_upcast' LANGUAGE C;
COMMENT ON FUNCTION drop_event_upcast(text, int, int) IS 'drops an upcast or a downcast; the function that it calls stays';

-- PARALLEL UNSAFE, because it runs users' functions, which may be unsafe.
CREATE FUNCTION upcast_event(data jsonb, event_type text, from_version int, to_version int DEFAULT NULL) RETURNS jsonb
	AS 'MODULE_PATHNAME', 'ev_upcast_event' LANGUAGE C STABLE PARALLEL UNSAFE COST 200;
COMMENT ON FUNCTION upcast_event(jsonb, text, int, int) IS 'an event converted to another version, or to the latest, by each upcast or downcast in turn';

CREATE FUNCTION event_upcast_path(event_type text, from_version int, to_version int DEFAULT NULL) RETURNS regprocedure[]
	AS 'MODULE_PATHNAME', 'ev_event_upcast_path' LANGUAGE C STABLE;
COMMENT ON FUNCTION event_upcast_path(text, int, int) IS 'the upcasts or downcasts from a version to another one, in their order';

CREATE FUNCTION _event_validate.event_upcasts(event_type text) RETURNS regprocedure[]
	AS 'MODULE_PATHNAME', 'ev_event_upcasts' LANGUAGE C STABLE STRICT;
COMMENT ON FUNCTION _event_validate.event_upcasts(text) IS 'all upcasts and downcasts of an event type';


CREATE FUNCTION _event_validate.list_event_upcasts(OUT event_type text, OUT from_version int, OUT to_version int,
	OUT function regprocedure, OUT calls regprocedure, OUT renames jsonb, OUT owner name)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'ev_list_event_upcasts' LANGUAGE C STABLE ROWS 100;
COMMENT ON FUNCTION _event_validate.list_event_upcasts() IS 'the rows of event_upcasts';

CREATE VIEW event_upcasts AS
	SELECT event_type, from_version, to_version, function, calls, renames, owner
	FROM _event_validate.list_event_upcasts();
COMMENT ON VIEW event_upcasts IS 'the upcasts and downcasts of event types: registered functions, and the renames of schemas';
GRANT SELECT ON event_upcasts TO PUBLIC;
-- ---------- evolution: stored events ----------

CREATE TYPE _event_validate.event_upgrade_kind AS (instance_location text, keyword text, message text, "rows" bigint,
	violations bigint, sample_ids text[]);
COMMENT ON TYPE _event_validate.event_upgrade_kind IS 'a row of check_event_upgrade';

-- They use subtransactions, which parallel workers cannot start.
CREATE FUNCTION _event_validate.event_upgrade_add(internal, data jsonb, row_name text, event_type text, from_version int, to_version int)
	RETURNS internal
	AS 'MODULE_PATHNAME', 'ev_event_upgrade_add' LANGUAGE C STABLE PARALLEL UNSAFE COST 500;
COMMENT ON FUNCTION _event_validate.event_upgrade_add(internal, jsonb, text, text, int, int) IS 'the transition function of event_upgrade_kinds';

CREATE FUNCTION _event_validate.event_upgrade_add(internal, data jsonb, row_name text, event_type text, from_version int, to_version int,
		table_id oid, location tid, relation oid, data_column text, version_column text)
	RETURNS internal
	AS 'MODULE_PATHNAME', 'ev_event_upgrade_add' LANGUAGE C STABLE PARALLEL UNSAFE COST 500;
COMMENT ON FUNCTION _event_validate.event_upgrade_add(internal, jsonb, text, text, int, int, oid, tid, oid, text, text) IS 'the transition function of event_upgrade_kinds';

CREATE FUNCTION _event_validate.event_upgrade_add(internal, data text, row_name text, event_type text, from_version int, to_version int)
	RETURNS internal
	AS 'MODULE_PATHNAME', 'ev_event_upgrade_add_text' LANGUAGE C STABLE PARALLEL UNSAFE COST 500;
COMMENT ON FUNCTION _event_validate.event_upgrade_add(internal, text, text, text, int, int) IS 'the transition function of event_upgrade_kinds';

CREATE FUNCTION _event_validate.event_upgrade_final(internal) RETURNS _event_validate.event_upgrade_kind[]
	AS 'MODULE_PATHNAME', 'ev_event_upgrade_final' LANGUAGE C STABLE PARALLEL UNSAFE;
COMMENT ON FUNCTION _event_validate.event_upgrade_final(internal) IS 'the final function of event_upgrade_kinds';

-- PostgreSQL checks that the owner of the aggregates may call these.
REVOKE EXECUTE ON FUNCTION _event_validate.event_upgrade_add(internal, jsonb, text, text, int, int),
	_event_validate.event_upgrade_add(internal, jsonb, text, text, int, int, oid, tid, oid, text, text),
	_event_validate.event_upgrade_add(internal, text, text, text, int, int), _event_validate.event_upgrade_final(internal) FROM PUBLIC;

CREATE AGGREGATE _event_validate.event_upgrade_kinds(data jsonb, row_name text, event_type text, from_version int, to_version int) (
	SFUNC = _event_validate.event_upgrade_add, STYPE = internal, FINALFUNC = _event_validate.event_upgrade_final,
	FINALFUNC_MODIFY = READ_WRITE);
COMMENT ON AGGREGATE _event_validate.event_upgrade_kinds(jsonb, text, text, int, int) IS 'the violations of events as another version, after their upcasts, counted by kind after their total; never raises an error for an event';

CREATE AGGREGATE _event_validate.event_upgrade_kinds(data text, row_name text, event_type text, from_version int, to_version int) (
	SFUNC = _event_validate.event_upgrade_add, STYPE = internal, FINALFUNC = _event_validate.event_upgrade_final,
	FINALFUNC_MODIFY = READ_WRITE);
COMMENT ON AGGREGATE _event_validate.event_upgrade_kinds(text, text, text, int, int) IS 'the violations of events as another version, after their upcasts, counted by kind after their total; never raises an error for an event';

CREATE AGGREGATE _event_validate.event_upgrade_kinds(data jsonb, row_name text, event_type text, from_version int, to_version int,
		table_id oid, location tid, relation oid, data_column text, version_column text) (
	SFUNC = _event_validate.event_upgrade_add, STYPE = internal, FINALFUNC = _event_validate.event_upgrade_final,
	FINALFUNC_MODIFY = READ_WRITE);
COMMENT ON AGGREGATE _event_validate.event_upgrade_kinds(jsonb, text, text, int, int, oid, tid, oid, text, text) IS 'the same, with what an UPDATE of the rows would refuse';

CREATE FUNCTION _event_validate.event_update_is_checked(relation regclass, data_column text, version_column text) RETURNS boolean
	AS 'MODULE_PATHNAME', 'ev_event_update_is_checked' LANGUAGE C STABLE STRICT;
COMMENT ON FUNCTION _event_validate.event_update_is_checked(regclass, text, text) IS 'whether anything besides schemas can refuse an UPDATE of data and version, for a caller who may read the table';

CREATE FUNCTION _event_validate.event_has_upcast(event_type text, from_version int, to_version int) RETURNS boolean
	AS 'MODULE_PATHNAME', 'ev_event_has_upcast' LANGUAGE C STABLE STRICT;
COMMENT ON FUNCTION _event_validate.event_has_upcast(text, int, int) IS 'whether an upcast leads from a version towards another; raises an error if either is not registered';

CREATE FUNCTION _event_validate.event_upgrade_query(relation regclass, event_type text, from_version int, to_version int,
	data text, type text, version text, data_column text, version_column text) RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	hidden CONSTANT boolean := _event_validate.hide_context();
	row_name CONSTANT text := _event_validate.event_row_name(relation);
	source CONSTANT text := format('%s WHERE %s AND %s', _event_validate.event_qualified_name(relation),
		_event_validate.event_row_equals(type, event_type), _event_validate.event_row_equals(version, from_version::text));
	is_checked CONSTANT boolean := _event_validate.event_update_is_checked(relation, data_column, version_column);
BEGIN
	IF _event_validate.event_has_upcast(event_type, from_version, to_version) OR is_checked THEN
		RETURN format($query$
			SELECT k.instance_location, k.keyword, k.message, k.rows, k.violations, k.sample_ids
			FROM pg_catalog.unnest((SELECT _event_validate.event_upgrade_kinds(%s, %s, %L::pg_catalog.text, %s, %s%s) FROM %s)) AS k
			ORDER BY k.keyword IS NOT NULL, k.violations DESC, k.instance_location COLLATE pg_catalog."C", k.keyword COLLATE pg_catalog."C",
				k.message COLLATE pg_catalog."C"
			$query$, data, row_name, event_type, from_version, to_version,
			CASE WHEN is_checked THEN format(', tableoid, ctid, %s::pg_catalog.oid, %L::pg_catalog.text, %L::pg_catalog.text',
				relation::oid, data_column, version_column) END, source);
	END IF;
	-- without an upcast, the rows are audited as events of the other version;
	-- a row has one violation of each kind: so its first one counts the row in the total
	RETURN format($query$
		SELECT k.instance_location, k.keyword, CASE WHEN pg_catalog.int4eq(GROUPING(k.keyword), 1) THEN 'all violations' ELSE k.message END,
			CASE WHEN pg_catalog.int4eq(GROUPING(k.keyword), 1) THEN pg_catalog.sum(k.first_rows)::pg_catalog.int8 ELSE k.rows END,
			pg_catalog.sum(k.violations)::pg_catalog.int8, k.sample_ids
		FROM (SELECT v.instance_location, v.keyword_location, v.keyword, v.name,
				pg_catalog.min(v.message COLLATE pg_catalog."C") AS message, pg_catalog.count(*) AS rows,
				pg_catalog.count(*) FILTER (WHERE pg_catalog.int8eq(v.ordinality, 1::pg_catalog.int8)) AS first_rows,
				pg_catalog.sum(v.violations) AS violations, (_event_validate.event_audit_sample(e.row_name, 5))[1:5] AS sample_ids
			FROM (SELECT %1$s AS data, %2$s AS row_name
				FROM %3$s AND _event_validate.event_audit_filter(%1$s, %4$s)) AS e,
				LATERAL _event_validate.event_audit_violations(e.data, %4$s) WITH ORDINALITY AS v
			GROUP BY v.instance_location, v.keyword_location, v.keyword, v.name) AS k
		GROUP BY GROUPING SETS ((), (k.instance_location, k.keyword_location, k.keyword, k.name, k.message, k.rows, k.violations, k.sample_ids))
		HAVING pg_catalog.int8gt(pg_catalog.count(*), 0::pg_catalog.int8)
		ORDER BY k.keyword IS NOT NULL, 5 DESC, k.instance_location COLLATE pg_catalog."C", k.keyword COLLATE pg_catalog."C", 3
		$query$, data, row_name, source, format('%L::pg_catalog.text, %s', event_type, to_version));
END
$$;
COMMENT ON FUNCTION _event_validate.event_upgrade_query(regclass, text, int, int, text, text, text, text, text) IS 'the query that check_event_upgrade runs';

CREATE FUNCTION check_event_upgrade(relation regclass, event_type text, from_version int, to_version int,
	data_expr text DEFAULT 'data', type_expr text DEFAULT 'event_type', version_expr text DEFAULT 'schema_version')
	RETURNS TABLE (instance_location text, keyword text, message text, "rows" bigint, violations bigint, sample_ids text[])
LANGUAGE plpgsql ROWS 100
SET row_security = off
AS $$
DECLARE
	hidden CONSTANT boolean := _event_validate.hide_context();
BEGIN
	PERFORM _event_validate.require_arguments('{relation,event_type,from_version,to_version,data_expr,type_expr,version_expr}'::pg_catalog.text[], relation, event_type, from_version, to_version, data_expr, type_expr, version_expr);
	PERFORM _event_validate.require_event_relation(relation, 'SELECT');
	PERFORM _event_validate.start_progress('audit', relation, false);
	-- events of other types and versions are not counted
	PERFORM _event_validate.set_progress_phase('checking events', NULL);
	RETURN QUERY SELECT * FROM _event_validate.rows_planned_as_owner(
		_event_validate.event_upgrade_query(relation, event_type, from_version, to_version,
			_event_validate.event_row_expression(relation, data_expr, 'data', true),
			_event_validate.event_row_expression(relation, type_expr, 'type', true),
			_event_validate.event_row_expression(relation, version_expr, 'version', true), data_expr, version_expr), relation) AS u (
			instance_location pg_catalog.text, keyword pg_catalog.text, message pg_catalog.text,
			"rows" pg_catalog.int8, violations pg_catalog.int8, sample_ids pg_catalog.text[]);
	PERFORM _event_validate.end_progress();
END
$$;
COMMENT ON FUNCTION check_event_upgrade(regclass, text, int, int, text, text, text) IS 'the stored events of a version that would not be valid as another version, after their upcasts, or that an UPDATE would refuse, and why; the total comes first';

-- It commits, so it has no SET clause.
CREATE PROCEDURE migrate_events(relation regclass, event_type text, to_version int,
	batch_size int DEFAULT 10000, keep_original boolean DEFAULT false, data_expr text DEFAULT 'data',
	type_expr text DEFAULT 'event_type', version_expr text DEFAULT 'schema_version')
	AS 'MODULE_PATHNAME', 'ev_migrate_events' LANGUAGE C;
COMMENT ON PROCEDURE migrate_events(regclass, text, int, int, boolean, text, text, text) IS 'converts the stored events of a type to a later version, in batches';

-- ---------- evolution: views ----------

-- Properties as values.  They never raise an error for an event: a value of another type is
-- NULL, with one WARNING for each call in a query.

CREATE FUNCTION event_bigint(data jsonb, property text) RETURNS bigint
	AS 'MODULE_PATHNAME', 'ev_event_bigint' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION event_bigint(jsonb, text) IS 'a property of an event as bigint; NULL if it is not an integer';

CREATE FUNCTION event_numeric(data jsonb, property text) RETURNS numeric
	AS 'MODULE_PATHNAME', 'ev_event_numeric' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION event_numeric(jsonb, text) IS 'a property of an event as numeric; NULL if it is neither a number nor a decimal string';

CREATE FUNCTION event_boolean(data jsonb, property text) RETURNS boolean
	AS 'MODULE_PATHNAME', 'ev_event_boolean' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION event_boolean(jsonb, text) IS 'a property of an event as boolean; NULL if it is neither true nor false';

CREATE FUNCTION event_timestamptz(data jsonb, property text) RETURNS timestamptz
	AS 'MODULE_PATHNAME', 'ev_event_timestamptz' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION event_timestamptz(jsonb, text) IS 'a property of an event as timestamptz; NULL if it is not an RFC 3339 date-time';

CREATE FUNCTION event_date(data jsonb, property text) RETURNS date
	AS 'MODULE_PATHNAME', 'ev_event_date' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION event_date(jsonb, text) IS 'a property of an event as date; NULL if it is not an RFC 3339 full-date';

CREATE FUNCTION event_uuid(data jsonb, property text) RETURNS uuid
	AS 'MODULE_PATHNAME', 'ev_event_uuid' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION event_uuid(jsonb, text) IS 'a property of an event as uuid; NULL if it is not a UUID';

CREATE FUNCTION event_property(data jsonb, property text) RETURNS jsonb
	AS 'MODULE_PATHNAME', 'ev_event_property' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION event_property(jsonb, text) IS 'a property of an event as jsonb; NULL if it is absent or null';

-- A view calls these for old rows only, but the planner counts their cost for all
-- rows and columns, so their declared cost is low.
CREATE FUNCTION event_at_version(data jsonb, event_type text, schema_version int, to_version int) RETURNS jsonb
	AS 'MODULE_PATHNAME', 'ev_event_at_version' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION event_at_version(jsonb, text, int, int) IS 'an event converted to a version if upcasts lead there, or else unchanged';

-- For upcasts that are not PARALLEL SAFE.
CREATE FUNCTION event_at_version_serially(data jsonb, event_type text, schema_version int, to_version int) RETURNS jsonb
	AS 'MODULE_PATHNAME', 'ev_event_at_version' LANGUAGE C STABLE PARALLEL UNSAFE;
COMMENT ON FUNCTION event_at_version_serially(jsonb, text, int, int) IS 'event_at_version for upcasts that are not PARALLEL SAFE';

CREATE FUNCTION _event_validate.event_view_columns(event_type text, schema_version int, integer_type regtype,
	OUT property text, OUT column_type regtype, OUT description text,
	OUT declared_in regprocedure, OUT pointer text, OUT rank int)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'ev_event_view_columns' LANGUAGE C STABLE STRICT ROWS 20;
COMMENT ON FUNCTION _event_validate.event_view_columns(text, int, regtype) IS 'the properties that a registered version declares, and their column types';

-- jsonb does not keep the order of properties, but the text of a document does.
CREATE FUNCTION _event_validate.event_view_columns_in_order(event_type text, schema_version int, integer_type regtype,
	OUT property text, OUT column_type regtype, OUT description text)
	RETURNS SETOF record
LANGUAGE sql STABLE STRICT ROWS 20
SET search_path = pg_catalog, pg_temp
AS $$
	WITH columns AS MATERIALIZED (
		SELECT * FROM _event_validate.event_view_columns(event_type, schema_version, integer_type)),
	places AS (
		SELECT p.declared_in, p.pointer, k.key, min(k.place) AS place
		FROM (SELECT DISTINCT declared_in, pointer FROM columns) AS p
			JOIN pg_proc AS f ON f.oid = p.declared_in,
			LATERAL (SELECT regexp_replace(f.prosrc, '^(\s*#[^\n]*\n)*', '')::json #>
				(SELECT array_agg(replace(replace(step, '~1', '/'), '~0', '~') ORDER BY number)
				FROM string_to_table(substr(p.pointer, 2), '/') WITH ORDINALITY AS s(step, number))) AS d(properties),
			LATERAL json_object_keys(CASE json_typeof(d.properties) WHEN 'object' THEN d.properties END) WITH ORDINALITY AS k(key, place)
		GROUP BY 1, 2, 3)
	SELECT c.property, c.column_type, c.description
	FROM columns AS c LEFT JOIN places AS p
		ON p.declared_in = c.declared_in AND p.pointer = c.pointer AND p.key = c.property
	ORDER BY c.rank, p.place, c.property COLLATE "C"
$$;
COMMENT ON FUNCTION _event_validate.event_view_columns_in_order(text, int, regtype) IS 'the properties in the order in which the documents declare them';

-- A column has the name of its property if that name is free.
CREATE FUNCTION _event_validate.event_view_names(properties text[], taken name[], prefix text) RETURNS name[]
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	hidden CONSTANT boolean := _event_validate.hide_context();
	names name[] := '{}';
	plain text[] := ARRAY(SELECT p FROM unnest(properties) AS p WHERE octet_length(p) BETWEEN 1 AND 63 AND p <> ALL (taken::text[]));
	property text;
	wanted text;
	stem text;
BEGIN
	FOREACH property IN ARRAY properties LOOP
		wanted := property;
		IF property <> ALL (plain) THEN
			wanted := CASE WHEN octet_length(property) > 63 THEN property ELSE concat(prefix, '_', property) END;
			IF octet_length(wanted) > 63 OR wanted = ANY (plain) OR wanted = ANY (taken::text[]) OR wanted = ANY (names::text[]) THEN
				stem := left(wanted, 54);
				WHILE octet_length(stem) > 54 LOOP
					stem := left(stem, -1);
				END LOOP;
				wanted := concat(stem, '_', left(md5(property), 8));
			END IF;
		END IF;
		names := names || wanted::name;
	END LOOP;
	RETURN names;
END
$$;
COMMENT ON FUNCTION _event_validate.event_view_names(text[], name[], text) IS 'the names of the columns for properties in a view';

-- A column of a view that create_event_view makes: SQL over a row, and a comment.
CREATE TYPE _event_validate.event_view_column AS (name name, expression text, comment text);
COMMENT ON TYPE _event_validate.event_view_column IS 'a column of a view of events';

CREATE FUNCTION _event_validate.event_view_value(document text, property text, column_type regtype) RETURNS text
	AS 'MODULE_PATHNAME', 'ev_event_view_value' LANGUAGE C STABLE STRICT;
COMMENT ON FUNCTION _event_validate.event_view_value(text, text, regtype) IS 'SQL that reads a property of a document as a value of a column type';

CREATE FUNCTION _event_validate.event_view_path(view_name text, relation regclass) RETURNS text[]
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	hidden CONSTANT boolean := _event_validate.hide_context();
	path text[] := parse_ident(view_name);
BEGIN
	IF array_length(path, 1) > 2 THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_name', MESSAGE = format('"%s" is not the name of a view', view_name);
	END IF;
	IF array_length(path, 1) = 1 THEN
		SELECT ARRAY[n.nspname::text, path[1]] INTO path
		FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
		WHERE c.oid = relation;
	END IF;
	RETURN path;
END
$$;
COMMENT ON FUNCTION _event_validate.event_view_path(text, regclass) IS 'schema and name of a view; without a schema, that of the relation';

CREATE FUNCTION _event_validate.event_view_version(wanted_type text, wanted_version int) RETURNS int
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	hidden CONSTANT boolean := _event_validate.hide_context();
	latest int := wanted_version;
BEGIN
	IF latest IS NULL THEN
		SELECT max(s.schema_version) INTO latest
		FROM @extschema@.event_schemas AS s WHERE s.event_type = wanted_type COLLATE "C";
	END IF;
	IF latest IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'undefined_object',
			MESSAGE = format('no version of event schema %s is registered', _event_validate.event_type_shown(wanted_type)),
			HINT = 'Register one with register_event_schema.';
	END IF;
	RETURN latest;
END
$$;
COMMENT ON FUNCTION _event_validate.event_view_version(text, int) IS 'the version, or the latest registered one for NULL';

-- The view's query has an alias for the event and a column in it for the
-- document, which are not names in the relation.

CREATE FUNCTION _event_validate.event_view_alias(relation regclass) RETURNS name
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT CASE c.relname WHEN 'event' THEN 'the_event' ELSE 'event' END::name FROM pg_class AS c WHERE c.oid = relation
$$;
COMMENT ON FUNCTION _event_validate.event_view_alias(regclass) IS 'the alias of the event in a view of a relation';

CREATE FUNCTION _event_validate.event_view_document(relation regclass) RETURNS name
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	hidden CONSTANT boolean := _event_validate.hide_context();
	document name := 'document';
	number int := 1;
BEGIN
	WHILE EXISTS (SELECT FROM pg_attribute AS a
		WHERE a.attrelid = relation AND a.attname = document AND a.attnum > 0 AND NOT a.attisdropped) LOOP
		number := number + 1;
		document := concat('document_', number);
	END LOOP;
	RETURN document;
END
$$;
COMMENT ON FUNCTION _event_validate.event_view_document(regclass) IS 'the name of the document in a view of a relation';

CREATE FUNCTION _event_validate.event_view_data_column(relation regclass, data_expr text) RETURNS name
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT max(a.attname) FROM pg_attribute AS a
	WHERE a.attrelid = relation AND a.attnum > 0 AND NOT a.attisdropped
		AND (a.attname = data_expr::name OR quote_ident(a.attname) = data_expr)
$$;
COMMENT ON FUNCTION _event_validate.event_view_data_column(regclass, text) IS 'the column that an expression for the data names; NULL if it is another expression';

-- The relation's own columns, with the view's version of the event in place of
-- the relation's, or after them if the relation has no column for it.
CREATE FUNCTION _event_validate.event_view_relation_columns(relation regclass, data_column name, wanted_version int)
	RETURNS SETOF _event_validate.event_view_column
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
	WITH event AS (
		SELECT format('%I.%I', _event_validate.event_view_alias(relation), _event_validate.event_view_document(relation)) AS document,
			format('The event as version %s has it.', wanted_version) AS comment),
	columns AS (
		SELECT a.attname AS name, a.attnum AS place, COALESCE(a.attname = data_column, false) AS is_data
		FROM pg_attribute AS a
		WHERE a.attrelid = relation AND a.attnum > 0 AND NOT a.attisdropped)
	SELECT c.name, c.expression, c.comment
	FROM (SELECT c.name, c.place,
			CASE WHEN c.is_data THEN e.document ELSE format('%s.%I', _event_validate.event_qualified_name(relation), c.name) END AS expression,
			CASE WHEN c.is_data THEN e.comment ELSE col_description(relation, c.place) END AS comment
		FROM columns AS c, event AS e
		UNION ALL
		SELECT CASE WHEN EXISTS (SELECT FROM columns WHERE name = 'data') THEN _event_validate.event_view_document(relation) ELSE 'data' END,
			NULL, e.document, e.comment
		FROM event AS e WHERE data_column IS NULL) AS c
	ORDER BY c.place
$$;
COMMENT ON FUNCTION _event_validate.event_view_relation_columns(regclass, name, int) IS 'the columns of a view that are not properties';

CREATE FUNCTION _event_validate.event_view_property_columns(wanted_type text, wanted_version int, integer_type regtype,
	document text, data_column name, taken name[]) RETURNS SETOF _event_validate.event_view_column
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	hidden CONSTANT boolean := _event_validate.hide_context();
	most_columns CONSTANT int := 1600;
	room CONSTANT int := most_columns - cardinality(taken);
	properties text[];
	types regtype[];
	descriptions text[];
	names name[];
BEGIN
	SELECT COALESCE(array_agg(c.property), '{}'), array_agg(c.column_type), array_agg(c.description)
	INTO properties, types, descriptions
	FROM _event_validate.event_view_columns_in_order(wanted_type, wanted_version, integer_type) AS c;
	IF cardinality(properties) > room THEN
		RAISE WARNING USING
			MESSAGE = format('the last %s properties of event schema "%s@%s" get no column',
				cardinality(properties) - room, wanted_type, wanted_version),
			DETAIL = format('A view has at most %s columns.', most_columns),
			HINT = format('Column "%s" has the whole event.', data_column);
		properties := properties[:room];
	END IF;
	names := _event_validate.event_view_names(properties, taken, data_column::text);
	RETURN QUERY SELECT names[i], _event_validate.event_view_value(document, properties[i], types[i]),
		CASE WHEN names[i]::text = properties[i] THEN descriptions[i]
			ELSE concat_ws(': ', format('Property "%s"', properties[i]), descriptions[i]) END
	FROM generate_series(1, cardinality(properties)) AS i ORDER BY i;
END
$$;
COMMENT ON FUNCTION _event_validate.event_view_property_columns(text, int, regtype, text, name, name[]) IS 'the columns of a view that are properties';

CREATE FUNCTION _event_validate.require_event_view(existing regclass, view_name text, relation regclass, wanted_type text) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	hidden CONSTANT boolean := _event_validate.hide_context();
BEGIN
	-- such a view depends on a schema, on the relation and on a function that upcasts
	IF NOT EXISTS (SELECT FROM pg_rewrite AS r
			JOIN pg_depend AS d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid AND d.refclassid = 'pg_proc'::regclass
			JOIN @extschema@.event_schemas AS s ON s.function = d.refobjid
			JOIN pg_depend AS t ON t.classid = d.classid AND t.objid = r.oid AND t.refclassid = 'pg_class'::regclass AND t.refobjid = relation
			JOIN pg_depend AS u ON u.classid = d.classid AND u.objid = r.oid AND u.refclassid = d.refclassid AND u.refobjid = ANY (ARRAY[
				'@extschema@.event_at_version(jsonb, text, int4, int4)'::regprocedure,
				'@extschema@.event_at_version_serially(jsonb, text, int4, int4)'::regprocedure])
		WHERE r.ev_class = existing AND s.event_type = wanted_type COLLATE "C") THEN
		RAISE EXCEPTION USING ERRCODE = 'duplicate_table',
			MESSAGE = format('relation "%s" already exists and is not a view of the events %s in %s', view_name, _event_validate.event_type_shown(wanted_type), relation),
			HINT = 'Choose another name, or drop it first.';
	END IF;
END
$$;
COMMENT ON FUNCTION _event_validate.require_event_view(regclass, text, regclass, text) IS 'raises an error unless create_event_view may replace this relation';

CREATE FUNCTION _event_validate.event_view_in_order(existing regclass, view_name text, wanted_version int,
	columns _event_validate.event_view_column[]) RETURNS _event_validate.event_view_column[]
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	hidden CONSTANT boolean := _event_validate.hide_context();
	missing text;
BEGIN
	SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) INTO missing
	FROM pg_attribute AS a
	WHERE a.attrelid = existing AND a.attnum > 0 AND NOT a.attisdropped
		AND NOT EXISTS (SELECT FROM unnest(columns) AS c WHERE c.name = a.attname);
	IF missing IS NOT NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_table_definition',
			MESSAGE = format('view "%s" has columns that version %s does not have: %s', view_name, wanted_version, missing),
			HINT = 'Drop the view and its dependents first, or make a view of another name.';
	END IF;
	RETURN ARRAY(SELECT ROW(c.name, c.expression, c.comment)::_event_validate.event_view_column
		FROM unnest(columns) WITH ORDINALITY AS c (name, expression, comment, place)
			LEFT JOIN pg_attribute AS a ON a.attrelid = existing AND a.attname = c.name AND a.attnum > 0
		ORDER BY a.attnum, c.place);
END
$$;
COMMENT ON FUNCTION _event_validate.event_view_in_order(regclass, text, int, _event_validate.event_view_column[]) IS 'the columns, with those that the view already has in the order that they have there';

CREATE FUNCTION _event_validate.event_function_name(event_type text, schema_version int) RETURNS name
	AS 'MODULE_PATHNAME', 'ev_event_function_name' LANGUAGE C STABLE STRICT;
COMMENT ON FUNCTION _event_validate.event_function_name(text, int) IS 'the name of the function of a schema version';

-- Parallel workers cannot run the view if they cannot run an upcast of the type.
CREATE FUNCTION _event_validate.event_view_upcaster(wanted_type text) RETURNS name
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT CASE WHEN EXISTS (SELECT FROM pg_proc AS p
		WHERE p.oid = ANY (_event_validate.event_upcasts(wanted_type)::oid[])
			AND p.proparallel <> 's') THEN 'event_at_version_serially' ELSE 'event_at_version' END::name
$$;
COMMENT ON FUNCTION _event_validate.event_view_upcaster(text) IS 'the function that brings the events in a view to its version';

CREATE FUNCTION _event_validate.event_view_definition(view_path text[], relation regclass, wanted_type text, wanted_version int,
	data text, type text, version text, columns _event_validate.event_view_column[], follows text[]) RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	hidden CONSTANT boolean := _event_validate.hide_context();
BEGIN
	-- types are equal if their bytes are
	IF EXISTS (SELECT FROM pg_attribute AS a JOIN pg_collation AS c ON c.oid = a.attcollation
		WHERE a.attrelid = relation AND NOT a.attisdropped AND NOT c.collisdeterministic) THEN
		type := format('(%s) COLLATE pg_catalog."C"', type);
	END IF;
	-- "true OR" costs nothing and makes the view depend on the schema; the array has the
	-- arguments of a call that follows the latest version (src/evolution/view_followers.c)
	RETURN format(E'CREATE OR REPLACE VIEW %1$I.%2$I WITH (security_invoker = true) AS SELECT\n\t%3$s\n'
		'FROM %4$s, LATERAL (SELECT CASE WHEN %5$s THEN %6$s'
		' ELSE %15$s.%7$I(%6$s, %8$s, %9$s, %10$s) END AS %11$I) AS %12$I'
		' WHERE %13$s AND (true OR %16$sevent_schema.%14$I(%12$I.%11$I))',
		view_path[1], view_path[2],
		(SELECT string_agg(format('%s AS %I', c.expression, c.name), E',\n\t' ORDER BY c.place)
			FROM unnest(columns) WITH ORDINALITY AS c (name, expression, comment, place)),
		_event_validate.event_qualified_name(relation),
		_event_validate.event_row_equals(version, wanted_version::text), data,
		_event_validate.event_view_upcaster(wanted_type), type, version, wanted_version,
		_event_validate.event_view_document(relation), _event_validate.event_view_alias(relation),
		_event_validate.event_row_equals(type, wanted_type), _event_validate.event_function_name(wanted_type, wanted_version), '@extschema@',
		(SELECT format('ARRAY[%s] IS NULL OR ', string_agg(format('%L::pg_catalog.text', f.argument), ', ' ORDER BY f.place))
			FROM unnest(follows) WITH ORDINALITY AS f (argument, place) HAVING count(*) > 0));
END
$$;
COMMENT ON FUNCTION _event_validate.event_view_definition(text[], regclass, text, int, text, text, text, _event_validate.event_view_column[], text[]) IS 'the command that creates a view of events';

CREATE FUNCTION _event_validate.event_view_comments(view_path text[], replaces boolean, wanted_type text, wanted_version int,
	columns _event_validate.event_view_column[]) RETURNS SETOF text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT format('COMMENT ON VIEW %I.%I IS %L', view_path[1], view_path[2],
		concat_ws(E'\n', COALESCE(s.title, format('events "%s", version %s', wanted_type, wanted_version)), s.description))
	FROM @extschema@.event_schemas AS s
	WHERE s.event_type = wanted_type COLLATE "C" AND s.schema_version = wanted_version
	UNION ALL
	SELECT format('COMMENT ON COLUMN %I.%I.%I IS %L', view_path[1], view_path[2], c.name, c.comment)
	FROM unnest(columns) AS c
	WHERE replaces OR c.comment IS NOT NULL
$$;
COMMENT ON FUNCTION _event_validate.event_view_comments(text[], boolean, text, int, _event_validate.event_view_column[]) IS 'the commands that comment on a view of events and on its columns';

CREATE FUNCTION _event_validate.event_view_commands(view_name text, relation regclass, wanted_type text, wanted_version int,
	data_expr text, data text, type text, version text, integer_type regtype, follows text[]) RETURNS text[]
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	hidden CONSTANT boolean := _event_validate.hide_context();
	view_path CONSTANT text[] := _event_validate.event_view_path(view_name, relation);
	data_column name := _event_validate.event_view_data_column(relation, data_expr);
	document CONSTANT text := format('%I.%I', _event_validate.event_view_alias(relation), _event_validate.event_view_document(relation));
	columns _event_validate.event_view_column[];
	existing oid;
BEGIN
	IF integer_type NOT IN ('int8'::regtype, 'numeric'::regtype) THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
			MESSAGE = format('integer_type must be bigint or numeric, not %s', integer_type);
	END IF;
	wanted_version := _event_validate.event_view_version(wanted_type, wanted_version);
	columns := ARRAY(SELECT c FROM _event_validate.event_view_relation_columns(relation, data_column, wanted_version) AS c);
	data_column := COALESCE(data_column, columns[cardinality(columns)].name);
	columns := columns || ARRAY(SELECT c FROM _event_validate.event_view_property_columns(wanted_type, wanted_version, integer_type,
		document, data_column, ARRAY(SELECT c.name FROM unnest(columns) AS c)) AS c);

	SELECT c.oid INTO existing FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
	WHERE n.nspname = view_path[1]::name AND c.relname = view_path[2]::name;
	IF existing IS NOT NULL THEN
		PERFORM _event_validate.require_event_view(existing, view_name, relation, wanted_type);
		columns := _event_validate.event_view_in_order(existing, view_name, wanted_version, columns);
	END IF;
	RETURN _event_validate.event_view_definition(view_path, relation, wanted_type, wanted_version, data, type, version, columns, follows)
		|| ARRAY(SELECT _event_validate.event_view_comments(view_path, existing IS NOT NULL, wanted_type, wanted_version, columns));
END
$$;
COMMENT ON FUNCTION _event_validate.event_view_commands(text, regclass, text, int, text, text, text, text, regtype, text[]) IS 'the commands that create a view of events: the view first, then comments';

CREATE FUNCTION _event_validate.require_event_view_calls(view regclass, relation regclass,
	data_expr text, type_expr text, version_expr text) RETURNS void
	AS 'MODULE_PATHNAME', 'ev_require_event_view_calls' LANGUAGE C STABLE STRICT;
COMMENT ON FUNCTION _event_validate.require_event_view_calls(regclass, regclass, text, text, text) IS 'raises an error if a view of events calls other functions than these expressions';

CREATE FUNCTION create_event_view(view_name text, relation regclass, event_type text, schema_version int DEFAULT NULL,
	data_expr text DEFAULT 'data', type_expr text DEFAULT 'event_type', version_expr text DEFAULT 'schema_version',
	integer_type regtype DEFAULT 'bigint') RETURNS regclass
LANGUAGE plpgsql
AS $$
DECLARE
	hidden CONSTANT boolean := _event_validate.hide_context();
	commands pg_catalog.text[];
	command pg_catalog.text;
	view_path pg_catalog.text[];
	view pg_catalog.regclass;
BEGIN
	PERFORM _event_validate.require_arguments('{view_name,relation,event_type,data_expr,type_expr,version_expr,integer_type}'::pg_catalog.text[], view_name, relation, event_type, data_expr, type_expr, version_expr, integer_type);
	PERFORM _event_validate.require_event_relation(relation, 'SELECT');
	PERFORM _event_validate.share_event_relation(relation);
	commands := _event_validate.event_view_commands(view_name, relation, event_type, schema_version, data_expr,
		_event_validate.event_row_expression(relation, data_expr, 'data', false),
		_event_validate.event_row_expression(relation, type_expr, 'type', false),
		_event_validate.event_row_expression(relation, version_expr, 'version', true), integer_type,
		CASE WHEN schema_version IS NULL THEN ARRAY[data_expr, type_expr, version_expr, integer_type::pg_catalog.text] END);
	BEGIN
		EXECUTE commands[1];
	EXCEPTION WHEN invalid_table_definition THEN
		RAISE EXCEPTION USING ERRCODE = SQLSTATE,
			MESSAGE = pg_catalog.format('view "%s" has a column of another type: %s', view_name, SQLERRM),
			HINT = 'Drop the view and its dependents first, or make a view of another name.';
	END;
	FOREACH command IN ARRAY commands[2:] LOOP
		EXECUTE command;
	END LOOP;
	view_path := _event_validate.event_view_path(view_name, relation);
	view := pg_catalog.format('%I.%I', view_path[1], view_path[2])::pg_catalog.regclass;
	PERFORM _event_validate.require_event_view_calls(view, relation, data_expr, type_expr, version_expr);
	RETURN view;
END
$$;
COMMENT ON FUNCTION create_event_view(text, regclass, text, int, text, text, text, regtype) IS 'creates a view of all events of a type in a relation, brought to one version, with a column for each property';

-- ---------- rolling out: checks ----------

-- A CHECK constraint that validates events.  The expressions are NULL if the
-- constraint is more than one call, for all event types or for some.
CREATE TYPE _event_validate.event_check AS (constraint_name name, validated boolean, added_here boolean,
	data_expr text, type_expr text, version_expr text, arguments text[], definition text, types text[]);
COMMENT ON TYPE _event_validate.event_check IS 'a CHECK constraint that validates events';

-- It writes expressions for the search_path that it is called under.
CREATE FUNCTION _event_validate.event_checks(relation regclass) RETURNS SETOF _event_validate.event_check
	AS 'MODULE_PATHNAME', 'ev_event_checks' LANGUAGE C STABLE STRICT ROWS 1;
COMMENT ON FUNCTION _event_validate.event_checks(regclass) IS 'the CHECK constraints of a table that validate events';

CREATE FUNCTION _event_validate.event_audit_filter(data jsonb, event_type text, schema_version int) RETURNS boolean
	AS 'MODULE_PATHNAME', 'ev_event_audit_filter' LANGUAGE C STABLE PARALLEL SAFE COST 50;
COMMENT ON FUNCTION _event_validate.event_audit_filter(jsonb, text, int) IS 'true if the event is not valid; never raises an error for an event; reports progress in pg_stat_activity';

CREATE FUNCTION _event_validate.event_audit_filter(data text, event_type text, schema_version int) RETURNS boolean
	AS 'MODULE_PATHNAME', 'ev_event_audit_filter_text' LANGUAGE C STABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION _event_validate.event_audit_filter(text, text, int) IS 'true if the event is not valid; never raises an error for an event; reports progress in pg_stat_activity';

CREATE FUNCTION _event_validate.event_audit_violations(data jsonb, event_type text, schema_version int,
	OUT instance_location text, OUT keyword_location text, OUT keyword text, OUT name text,
	OUT message text, OUT violations bigint)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'ev_event_audit_violations' LANGUAGE C STABLE PARALLEL SAFE COST 200 ROWS 2;
COMMENT ON FUNCTION _event_validate.event_audit_violations(jsonb, text, int) IS 'the violations of an event, counted by kind; array indexes are combined';

CREATE FUNCTION _event_validate.event_audit_violations(data text, event_type text, schema_version int,
	OUT instance_location text, OUT keyword_location text, OUT keyword text, OUT name text,
	OUT message text, OUT violations bigint)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'ev_event_audit_violations_text' LANGUAGE C STABLE PARALLEL SAFE COST 200 ROWS 2;
COMMENT ON FUNCTION _event_validate.event_audit_violations(text, text, int) IS 'the violations of an event, counted by kind; array indexes are combined';

CREATE FUNCTION _event_validate.event_audit_sample_add(sample text[], value text, sample_limit int) RETURNS text[]
	AS 'MODULE_PATHNAME', 'ev_event_audit_sample_add' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION _event_validate.event_audit_sample_add(text[], text, int) IS 'the transition function of event_audit_sample';

-- PostgreSQL checks that the owner of the aggregate may call this.
REVOKE EXECUTE ON FUNCTION _event_validate.event_audit_sample_add(text[], text, int) FROM PUBLIC;

CREATE AGGREGATE _event_validate.event_audit_sample(value text, sample_limit int) (
	SFUNC = _event_validate.event_audit_sample_add, STYPE = pg_catalog.text[], INITCOND = '{}',
	COMBINEFUNC = pg_catalog.array_cat, PARALLEL = SAFE);
COMMENT ON AGGREGATE _event_validate.event_audit_sample(text, int) IS 'the first values, at most sample_limit from each parallel worker';

-- ---------- rolling out: the audit ----------

-- If is_stored, the expressions stand for stored ones, over a relation t.
CREATE FUNCTION _event_validate.event_audit_select(relation regclass, data text, type text, version text,
	sample_limit int, is_stored boolean) RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	hidden CONSTANT boolean := _event_validate.hide_context();
BEGIN
	IF sample_limit < 0 OR sample_limit > 10000 THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
			MESSAGE = format('sample_limit must be from 0 to 10000, not %s', sample_limit);
	END IF;
	-- a row has one violation of each kind: so its first one counts the row in a total
	RETURN format($query$
		SELECT k.event_type, k.schema_version, k.instance_location, k.keyword,
			CASE WHEN pg_catalog.int4eq(GROUPING(k.event_type), 1) THEN 'all violations'
				WHEN pg_catalog.int4eq(GROUPING(k.keyword), 1) THEN 'all violations of this type and version'
				ELSE k.message END AS message,
			CASE WHEN pg_catalog.int4eq(GROUPING(k.keyword), 1) THEN pg_catalog.sum(k.first_rows)::pg_catalog.int8 ELSE k.rows END AS rows,
			pg_catalog.sum(k.violations)::pg_catalog.int8 AS violations, k.sample_ids
		FROM (SELECT e.event_type, e.schema_version, v.instance_location, v.keyword_location, v.keyword, v.name,
				pg_catalog.min(v.message COLLATE pg_catalog."C") AS message, pg_catalog.count(*) AS rows,
				pg_catalog.count(*) FILTER (WHERE pg_catalog.int8eq(v.ordinality, 1::pg_catalog.int8)) AS first_rows,
				pg_catalog.sum(v.violations) AS violations,
				(_event_validate.event_audit_sample(e.row_name, %1$s))[1:%1$s] AS sample_ids
			FROM (SELECT %2$s AS data, (%3$s) COLLATE pg_catalog."C" AS event_type, %4$s AS schema_version, %5$s AS row_name
				FROM %6$s%7$s WHERE _event_validate.event_audit_filter(%2$s, %3$s, %4$s)) AS e,
				LATERAL _event_validate.event_audit_violations(e.data, e.event_type, e.schema_version) WITH ORDINALITY AS v
			GROUP BY e.event_type, e.schema_version, v.instance_location, v.keyword_location, v.keyword, v.name) AS k
		GROUP BY GROUPING SETS ((), (k.event_type, k.schema_version), (k.event_type, k.schema_version, k.instance_location,
			k.keyword_location, k.keyword, k.name, k.message, k.rows, k.violations, k.sample_ids))
		HAVING pg_catalog.int8gt(pg_catalog.count(*), 0::pg_catalog.int8)
		$query$, sample_limit, data, type, version, _event_validate.event_row_name(relation),
		_event_validate.event_qualified_name(relation), CASE WHEN is_stored THEN ' AS t' END);
END
$$;
COMMENT ON FUNCTION _event_validate.event_audit_select(regclass, text, text, text, int, boolean) IS 'event_audit_query of expressions that are SQL already';

CREATE FUNCTION _event_validate.event_audit_report(query text) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT concat('SELECT * FROM (', query,
		') AS a ORDER BY a.keyword IS NOT NULL, CASE WHEN a.keyword IS NULL THEN a.rows END DESC, CASE WHEN a.keyword IS NULL THEN a.message END COLLATE pg_catalog."C",'
		' a.event_type, a.schema_version, a.violations DESC,'
		' a.instance_location COLLATE pg_catalog."C", a.keyword COLLATE pg_catalog."C", a.message')
$$;
COMMENT ON FUNCTION _event_validate.event_audit_report(text) IS 'event_audit_query with the totals first';

CREATE FUNCTION event_audit_query(relation regclass, data_expr text, type_expr text, version_expr text,
	sample_limit int) RETURNS text
LANGUAGE plpgsql STABLE AS $$
DECLARE
	hidden CONSTANT boolean := _event_validate.hide_context();
BEGIN
	PERFORM _event_validate.require_event_relation(relation, 'ANY');
	RETURN _event_validate.event_audit_select(relation,
		_event_validate.event_row_expression(relation, data_expr, 'data', true),
		_event_validate.event_row_expression(relation, type_expr, 'type', true),
		_event_validate.event_row_expression(relation, version_expr, 'version', true), sample_limit, false);
END
$$;
COMMENT ON FUNCTION event_audit_query(regclass, text, text, text, int) IS 'the query that audit_events runs';

CREATE FUNCTION audit_events(relation regclass, data_expr text DEFAULT 'data',
	type_expr text DEFAULT 'event_type', version_expr text DEFAULT 'schema_version',
	sample_limit int DEFAULT 5)
	RETURNS TABLE (event_type text, schema_version int, instance_location text, keyword text,
		message text, "rows" bigint, violations bigint, sample_ids text[])
LANGUAGE plpgsql STABLE ROWS 100
SET row_security = off
AS $$
DECLARE
	hidden CONSTANT boolean := _event_validate.hide_context();
BEGIN
	IF relation IS NULL OR data_expr IS NULL OR type_expr IS NULL OR version_expr IS NULL OR sample_limit IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
			MESSAGE = 'audit_events needs a relation, expressions for the data, type and version, and a sample_limit';
	END IF;
	PERFORM _event_validate.start_progress('audit', relation, false);
	PERFORM _event_validate.set_progress_phase('checking events', relation);
	RETURN QUERY SELECT * FROM _event_validate.rows_planned_as_owner(_event_validate.event_audit_report(
		@extschema@.event_audit_query(relation, data_expr, type_expr, version_expr, sample_limit)), relation) AS a (
			event_type pg_catalog.text, schema_version pg_catalog.int4, instance_location pg_catalog.text, keyword pg_catalog.text,
			message pg_catalog.text, "rows" pg_catalog.int8, violations pg_catalog.int8, sample_ids pg_catalog.text[]);
	PERFORM _event_validate.end_progress();
END
$$;
COMMENT ON FUNCTION audit_events(regclass, text, text, text, int) IS 'the stored events that are not valid, and why; the totals come first';

CREATE FUNCTION _event_validate.event_location_shown(location text) RETURNS text
	AS 'MODULE_PATHNAME', 'ev_event_location_shown' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION _event_validate.event_location_shown(text) IS 'a JSON Pointer as messages show it';

CREATE FUNCTION _event_validate.event_type_shown(event_type text) RETURNS text
	AS 'MODULE_PATHNAME', 'ev_event_type_shown' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION _event_validate.event_type_shown(text) IS 'an event type as messages show it: a JSON string';

CREATE FUNCTION _event_validate.event_text_shown(content text) RETURNS text
	AS 'MODULE_PATHNAME', 'ev_event_text_shown' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION _event_validate.event_text_shown(text) IS 'a text as messages show it: in one line, with nothing invisible';

CREATE FUNCTION _event_validate.event_audit_line(event_type text, schema_version int, instance_location text,
	keyword text, message text, violations bigint, sample_ids text[]) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT _event_validate.event_text_shown(format('%s: %s version %s, %s', violations,
		COALESCE(_event_validate.event_type_shown(event_type), 'type null'), COALESCE(schema_version::text, 'null'),
		CASE WHEN current_setting('event_validate.show_values')::boolean THEN
			format('%s%s: %s (such as %s)', _event_validate.event_location_shown(instance_location),
				CASE keyword WHEN '' THEN '' ELSE concat(', ', keyword) END, message, array_to_string(sample_ids, ', '))
		WHEN keyword = '' THEN 'cannot be checked'
		ELSE format('does not match keyword "%s"', keyword) END))
$$;
COMMENT ON FUNCTION _event_validate.event_audit_line(text, int, text, text, text, bigint, text[]) IS 'a row of audit_events as a line of text';

-- ---------- rolling out: adding a check ----------

CREATE FUNCTION _event_validate.event_check_name(constraint_name text) RETURNS name
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	hidden CONSTANT boolean := _event_validate.hide_context();
BEGIN
	IF constraint_name = '' THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_name', MESSAGE = 'the name of a constraint must not be empty';
	END IF;
	RETURN constraint_name;
END
$$;
COMMENT ON FUNCTION _event_validate.event_check_name(text) IS 'the name; raises an error if it is empty';

-- By their text.  Two checks whose text is equal can call different functions of one name: then
-- add_event_check keeps the table's own.
CREATE FUNCTION _event_validate.equal_event_check(checks _event_validate.event_check[], wanted_arguments text[],
	wanted_types text[], wanted_name name) RETURNS _event_validate.event_check
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT c FROM unnest(checks) AS c
	WHERE c.arguments = wanted_arguments AND (wanted_name IS NULL OR c.constraint_name = wanted_name)
	ORDER BY (c.types IS NULL OR c.types @> wanted_types) IS NOT TRUE, c.constraint_name LIMIT 1
$$;
COMMENT ON FUNCTION _event_validate.equal_event_check(_event_validate.event_check[], text[], text[], name) IS 'the event check of these arguments, and of this name if it is not NULL; one for these event types if there is one';

CREATE FUNCTION _event_validate.event_types_missing(found_types text[], wanted_types text[]) RETURNS text[]
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT ARRAY(SELECT w.event_type FROM unnest(wanted_types) WITH ORDINALITY AS w(event_type, place)
		WHERE w.event_type COLLATE "C" <> ALL (COALESCE(found_types, '{}'))
		GROUP BY w.event_type ORDER BY min(w.place))
$$;
COMMENT ON FUNCTION _event_validate.event_types_missing(text[], text[]) IS 'the event types that are not among others, each once';

CREATE FUNCTION _event_validate.require_event_check_calls(relation regclass, constraint_name name,
	data_expr text, type_expr text, version_expr text) RETURNS void
	AS 'MODULE_PATHNAME', 'ev_require_event_check_calls' LANGUAGE C STABLE STRICT;
COMMENT ON FUNCTION _event_validate.require_event_check_calls(regclass, name, text, text, text) IS 'raises an error if an event check calls other functions than these expressions';

-- Adds a check, or replaces one by a check for more event types: one command, which scans nothing.
CREATE FUNCTION _event_validate.put_event_check(relation regclass, replaced _event_validate.event_check, chosen name,
	condition text, data_expr text, type_expr text, version_expr text) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	hidden CONSTANT boolean := _event_validate.hide_context();
	drops pg_catalog.text := '';
BEGIN
	IF replaced.constraint_name IS NOT NULL THEN
		drops := pg_catalog.format('DROP CONSTRAINT %I, ', chosen);
	END IF;
	EXECUTE pg_catalog.format('ALTER TABLE %s %sADD CONSTRAINT %I CHECK (%s) NOT VALID', _event_validate.event_qualified_name(relation), drops, chosen, condition);
	PERFORM _event_validate.require_event_check_calls(relation, chosen, data_expr, type_expr, version_expr);
	IF replaced.validated THEN
		RAISE NOTICE USING
			MESSAGE = pg_catalog.format('constraint "%s" of table %s checks more event types now and is not validated any more', chosen, relation),
			HINT = 'Call validate_event_check in the next transaction.';
	END IF;
	PERFORM _event_validate.warn_of_foreign_tables(relation);
END
$$;
COMMENT ON FUNCTION _event_validate.put_event_check(regclass, _event_validate.event_check, name, text, text, text, text) IS 'adds or replaces an event check, NOT VALID';

CREATE FUNCTION _event_validate.free_constraint_name(relation regclass) RETURNS name
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	hidden CONSTANT boolean := _event_validate.hide_context();
	stem text := (SELECT c.relname FROM pg_class AS c WHERE c.oid = relation);
	chosen name;
	number int := 0;
BEGIN
	WHILE octet_length(stem) > 48 LOOP
		stem := left(stem, -1);
	END LOOP;
	stem := concat(stem, '_event_check');
	chosen := stem;
	WHILE EXISTS (SELECT FROM pg_constraint AS c WHERE c.conrelid = relation AND c.conname = chosen) LOOP
		number := number + 1;
		chosen := concat(stem, number);
	END LOOP;
	RETURN chosen;
END
$$;
COMMENT ON FUNCTION _event_validate.free_constraint_name(regclass) IS 'a name for an event check that no constraint of the table has';

CREATE FUNCTION _event_validate.refuse_other_constraint(relation regclass, wanted_name name) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	hidden CONSTANT boolean := _event_validate.hide_context();
	definition text := (SELECT pg_get_constraintdef(c.oid) FROM pg_constraint AS c WHERE c.conrelid = relation AND c.conname = wanted_name);
BEGIN
	IF definition IS NOT NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'duplicate_object',
			MESSAGE = format('table %s has another constraint "%s"', relation, wanted_name),
			DETAIL = format('It is: %s.', definition);
	END IF;
END
$$;
COMMENT ON FUNCTION _event_validate.refuse_other_constraint(regclass, name) IS 'raises an error if the table has a constraint of this name';

CREATE FUNCTION _event_validate.warn_of_foreign_tables(relation regclass) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	hidden CONSTANT boolean := _event_validate.hide_context();
	most_names CONSTANT int := 20;
	members text[];
BEGIN
	members := ARRAY(
		WITH RECURSIVE tree(member) AS (
			SELECT relation::oid
			UNION
			SELECT i.inhrelid FROM pg_inherits AS i, tree WHERE i.inhparent = tree.member)
		SELECT c.oid::regclass::text FROM tree JOIN pg_class AS c ON c.oid = tree.member WHERE c.relkind = 'f' ORDER BY c.oid);
	IF cardinality(members) = 1 THEN
		RAISE WARNING USING
			MESSAGE = format('events in foreign table %s are not checked', members[1]),
			DETAIL = 'PostgreSQL assumes that the CHECK constraints of a foreign table hold and does not enforce them.',
			HINT = format('Add the check to the table on the other server. SELECT * FROM event_foreign_enforcement(%L) asks that server what it enforces.', members[1]);
	ELSIF cardinality(members) > 1 THEN
		RAISE WARNING USING
			MESSAGE = format('events in foreign tables are not checked: %s%s', array_to_string(members[:most_names], ', '),
				CASE WHEN cardinality(members) > most_names THEN format(' and %s more', cardinality(members) - most_names) ELSE '' END),
			DETAIL = 'PostgreSQL assumes that the CHECK constraints of a foreign table hold and does not enforce them.',
			HINT = format('Add the check to the tables on the other servers. SELECT * FROM event_foreign_enforcement(%L) asks these servers what they enforce.', relation);
	END IF;
END
$$;
COMMENT ON FUNCTION _event_validate.warn_of_foreign_tables(regclass) IS 'warns if the table or one of its partitions is a foreign table';

CREATE FUNCTION _event_validate.warn_of_unregistered_types(types text[]) RETURNS void
	AS 'MODULE_PATHNAME', 'ev_event_check_types' LANGUAGE C STABLE STRICT;
COMMENT ON FUNCTION _event_validate.warn_of_unregistered_types(text[]) IS 'warns of event types without a registered version';

CREATE FUNCTION _event_validate.report_old_rows(relation regclass, invalid bigint) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	hidden CONSTANT boolean := _event_validate.hide_context();
BEGIN
	IF invalid > 0 THEN
		RAISE NOTICE USING
			MESSAGE = format('old rows of table %s are not valid and cannot be updated until they are (rows: %s)', relation, invalid),
			HINT = 'audit_events lists their violations.';
	ELSE
		RAISE NOTICE USING MESSAGE = format('all old rows of table %s are valid', relation);
	END IF;
END
$$;
COMMENT ON FUNCTION _event_validate.report_old_rows(regclass, bigint) IS 'raises the NOTICE of add_event_check about old rows';

CREATE FUNCTION add_event_check(relation regclass, data_expr text DEFAULT 'data',
	type_expr text DEFAULT 'event_type', version_expr text DEFAULT 'schema_version',
	constraint_name text DEFAULT NULL, audit boolean DEFAULT false, types text[] DEFAULT NULL) RETURNS name
LANGUAGE plpgsql
SET row_security = off
AS $$
DECLARE
	hidden CONSTANT boolean := _event_validate.hide_context();
	wanted pg_catalog.name;
	chosen pg_catalog.name;
	found_check _event_validate.event_check;
	arguments pg_catalog.text[];
	missing pg_catalog.text[];
	others pg_catalog.text;
	invalid bigint;
BEGIN
	PERFORM _event_validate.require_arguments('{relation,data_expr,type_expr,version_expr}'::pg_catalog.text[], relation, data_expr, type_expr, version_expr);
	wanted := _event_validate.event_check_name(constraint_name);
	arguments := ARRAY[_event_validate.event_row_expression(relation, data_expr, 'data', false),
		_event_validate.event_row_expression(relation, type_expr, 'type', false),
		_event_validate.event_row_expression(relation, version_expr, 'version', false)];
	others := _event_validate.event_row_other_types(arguments[2], types);
	PERFORM _event_validate.warn_of_unregistered_types(types);
	IF audit THEN
		PERFORM _event_validate.start_progress('audit', relation, false);
		PERFORM _event_validate.set_progress_phase('checking events', relation);
		EXECUTE pg_catalog.format('SELECT pg_catalog.count(*) FROM %s WHERE (%s) IS NOT TRUE AND _event_validate.event_audit_filter(%s, %s, %s)',
			relation, COALESCE(others, 'false'), _event_validate.event_row_expression(relation, data_expr, 'data', true),
			_event_validate.event_row_expression(relation, type_expr, 'type', true),
			_event_validate.event_row_expression(relation, version_expr, 'version', true)) INTO invalid;
		PERFORM _event_validate.end_progress();
	END IF;

	PERFORM _event_validate.lock_event_table(relation);
	-- columns and casts may have changed while it waited
	arguments := ARRAY[_event_validate.event_row_expression(relation, data_expr, 'data', false),
		_event_validate.event_row_expression(relation, type_expr, 'type', false),
		_event_validate.event_row_expression(relation, version_expr, 'version', false)];
	found_check := _event_validate.equal_event_check(ARRAY(SELECT c FROM _event_validate.event_checks(relation) AS c), arguments, types, wanted);
	missing := _event_validate.event_types_missing(found_check.types, types);
	chosen := found_check.constraint_name;
	IF chosen IS NULL THEN
		chosen := COALESCE(wanted, _event_validate.free_constraint_name(relation));
		PERFORM _event_validate.refuse_other_constraint(relation, chosen);
	END IF;
	IF found_check.constraint_name IS NULL OR found_check.types IS NOT NULL AND (types IS NULL OR pg_catalog.int4gt(pg_catalog.cardinality(missing), 0)) THEN
		others := _event_validate.event_row_other_types(arguments[2],
			CASE WHEN types IS NOT NULL THEN pg_catalog.array_cat(found_check.types, missing) END);
		PERFORM _event_validate.put_event_check(relation, found_check, chosen,
			pg_catalog.format('%s%s.check_event(%s, %s, %s, %L::pg_catalog.text)', pg_catalog.concat(others, CASE WHEN others IS NOT NULL THEN ' OR ' END),
				'@extschema@', arguments[1], arguments[2], arguments[3], chosen), data_expr, type_expr, version_expr);
	END IF;
	IF audit THEN
		PERFORM _event_validate.report_old_rows(relation, invalid);
	END IF;
	RETURN chosen;
END
$$;
COMMENT ON FUNCTION add_event_check(regclass, text, text, text, text, boolean, text[]) IS 'adds a CHECK constraint with check_event, NOT VALID: it checks new rows and does not scan old ones';

-- ---------- rolling out: validating and dropping a check ----------

CREATE FUNCTION _event_validate.find_event_check(relation regclass, checks _event_validate.event_check[], wanted_name name)
	RETURNS _event_validate.event_check
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	hidden CONSTANT boolean := _event_validate.hide_context();
	found_check _event_validate.event_check;
	names text := (SELECT string_agg(c.constraint_name, ', ' ORDER BY c.constraint_name) FROM unnest(checks) AS c);
BEGIN
	IF wanted_name IS NULL AND cardinality(checks) > 1 THEN
		RAISE EXCEPTION USING ERRCODE = 'ambiguous_parameter',
			MESSAGE = format('table %s has several event checks', relation),
			DETAIL = format('They are: %s.', names),
			HINT = 'Name one of them.';
	END IF;
	SELECT * INTO found_check FROM unnest(checks) AS c WHERE wanted_name IS NULL OR c.constraint_name = wanted_name;
	IF NOT FOUND THEN
		RAISE EXCEPTION USING ERRCODE = 'undefined_object',
			MESSAGE = concat('table ', relation, ' has no event check', ' "' || wanted_name || '"', '; it has ' || names);
	END IF;
	RETURN found_check;
END
$$;
COMMENT ON FUNCTION _event_validate.find_event_check(regclass, _event_validate.event_check[], name) IS 'the event check of this name, or the only one';

CREATE FUNCTION _event_validate.raise_event_check_violation(relation regclass, constraint_name name, total_rows bigint, counts bigint[], lines text[]) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	hidden CONSTANT boolean := _event_validate.hide_context();
	most_lines CONSTANT int := 20;
	total numeric;
	listed text;
BEGIN
	SELECT sum(l.violations), string_agg(l.line, E'\n' ORDER BY l.place) FILTER (WHERE l.place <= most_lines)
	INTO total, listed
	FROM (SELECT k.violations, k.line, row_number() OVER (ORDER BY k.violations DESC, k.place) AS place
		FROM unnest(counts, lines) WITH ORDINALITY AS k (violations, line, place)) AS l;
	IF cardinality(lines) > most_lines THEN
		listed := listed || format(E'\nand %s more kinds', cardinality(lines) - most_lines);
	END IF;
	RAISE EXCEPTION USING ERRCODE = 'check_violation',
		MESSAGE = format('rows of table %s violate check constraint "%s" (rows: %s, violations: %s)', relation, constraint_name, total_rows, total),
		DETAIL = listed,
		HINT = 'audit_events lists them all. Repair or move these rows, then validate again; the constraint stays and checks new rows in the meantime.',
		CONSTRAINT = constraint_name, TABLE = (SELECT c.relname FROM pg_class AS c WHERE c.oid = relation),
		SCHEMA = (SELECT n.nspname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE c.oid = relation);
END
$$;
COMMENT ON FUNCTION _event_validate.raise_event_check_violation(regclass, name, bigint, bigint[], text[]) IS 'raises the error of validate_event_check about old rows';

CREATE FUNCTION _event_validate.event_check_report(relation regclass, constraint_name name, sample_limit int)
	RETURNS TABLE (event_type text, schema_version int, instance_location text, keyword text,
		message text, "rows" bigint, violations bigint, sample_ids text[])
	AS 'MODULE_PATHNAME', 'ev_event_check_report' LANGUAGE C STABLE STRICT ROWS 100
	SET row_security = off SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION _event_validate.event_check_report(regclass, name, int) IS 'audit_events for the stored expressions of an event check';

CREATE FUNCTION _event_validate.audit_event_check(relation regclass, wanted_name name, types text[],
	OUT total_rows bigint, OUT counts bigint[], OUT lines text[])
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	hidden CONSTANT boolean := _event_validate.hide_context();
BEGIN
	-- of all types, or of some: the totals of each
	SELECT CASE WHEN types IS NULL THEN max(a.rows) FILTER (WHERE a.keyword IS NULL)
			ELSE sum(a.rows) FILTER (WHERE a.keyword IS NULL) END,
		array_agg(a.violations) FILTER (WHERE a.keyword IS NOT NULL), array_agg(_event_validate.event_audit_line(
			a.event_type, a.schema_version, a.instance_location, a.keyword, a.message, a.violations, a.sample_ids))
			FILTER (WHERE a.keyword IS NOT NULL)
	INTO total_rows, counts, lines
	FROM _event_validate.event_check_report(relation, wanted_name, 3) AS a
	WHERE types IS NULL OR array_position(types, a.event_type COLLATE "C") IS NOT NULL;
EXCEPTION WHEN data_exception OR integrity_constraint_violation OR program_limit_exceeded OR undefined_object OR plpgsql_error THEN
	lines := NULL;	-- for a row; the caller has the error of the first one
END
$$;
COMMENT ON FUNCTION _event_validate.audit_event_check(regclass, name, text[]) IS 'the violations of an event check by old rows; NULL if its expressions raise an error';

CREATE FUNCTION validate_event_check(relation regclass, constraint_name text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	hidden CONSTANT boolean := _event_validate.hide_context();
	found_check _event_validate.event_check;
	total_rows bigint;
	counts bigint[];
	lines pg_catalog.text[];
BEGIN
	PERFORM _event_validate.require_arguments('{relation}'::pg_catalog.text[], relation);
	found_check := _event_validate.find_event_check(relation,
		ARRAY(SELECT c FROM _event_validate.event_checks(relation) AS c), constraint_name::pg_catalog.name);
	IF found_check.added_here THEN
		RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state',
			MESSAGE = pg_catalog.format('constraint "%s" of table %s was added in this transaction, which holds an ACCESS EXCLUSIVE lock on the table',
				found_check.constraint_name, relation),
			DETAIL = 'A scan of all rows in this transaction would block readers and writers until it ends.',
			HINT = 'Commit first, and validate in a transaction of its own (in Alembic: op.get_context().autocommit_block(), or transaction_per_migration and a revision of its own).';
	END IF;
	IF found_check.validated THEN
		RETURN;
	END IF;
	PERFORM _event_validate.require_table_owner(relation);
	PERFORM _event_validate.warn_of_foreign_tables(relation);
	PERFORM _event_validate.start_progress('validate', relation, false);
	PERFORM _event_validate.set_progress_phase('checking events', relation);

	BEGIN
		EXECUTE pg_catalog.format('ALTER TABLE %s VALIDATE CONSTRAINT %I', _event_validate.event_qualified_name(relation), found_check.constraint_name);
	EXCEPTION WHEN check_violation OR undefined_object OR program_limit_exceeded OR statement_too_complex
		OR invalid_text_representation OR untranslatable_character OR numeric_value_out_of_range THEN
		-- not if check_event is only a part of the constraint: an audit would look at other rows
		IF found_check.data_expr IS NOT NULL THEN
			PERFORM _event_validate.set_progress_phase('checking events', relation);	-- again
			SELECT a.total_rows, a.counts, a.lines INTO total_rows, counts, lines
			FROM _event_validate.audit_event_check(relation, found_check.constraint_name, found_check.types) AS a;
		END IF;
		IF lines IS NULL THEN
			RAISE;
		END IF;
		PERFORM _event_validate.raise_event_check_violation(relation, found_check.constraint_name, total_rows, counts, lines);
	END;
	PERFORM _event_validate.end_progress();
END
$$;
COMMENT ON FUNCTION validate_event_check(regclass, text) IS 'checks the old rows of a table, without blocking readers and writers, or reports their violations';

CREATE FUNCTION _event_validate.event_check_exists(relation regclass, checks _event_validate.event_check[], wanted_name name) RETURNS boolean
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT CASE WHEN wanted_name IS NULL THEN cardinality(checks) > 0
		ELSE EXISTS (SELECT FROM pg_constraint AS c WHERE c.conrelid = relation AND c.conname = wanted_name) END
$$;
COMMENT ON FUNCTION _event_validate.event_check_exists(regclass, _event_validate.event_check[], name) IS 'whether there is a constraint of this name, or any event check';

-- Constraints that call a schema's function, and those of domains.  PL/pgSQL, because the view is created later.
CREATE FUNCTION _event_validate.other_event_checks_hint(relation regclass) RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	hidden CONSTANT boolean := _event_validate.hide_context();
BEGIN
	RETURN (SELECT 'These constraints validate events too: ' || string_agg(DISTINCT CASE
			WHEN e.kind = 'check' THEN format('ALTER TABLE %s DROP CONSTRAINT %I', _event_validate.event_qualified_name(e.relation), e.name)
			ELSE format('ALTER DOMAIN %s DROP CONSTRAINT %I', c.contypid::regtype, e.name) END, '; ') || '.'
		FROM @extschema@.event_enforcement AS e
			LEFT JOIN pg_attribute AS a ON a.attrelid = e.relation AND a.attname = e.column_name
			LEFT JOIN pg_constraint AS c ON c.contypid = a.atttypid AND c.contypid <> 0 AND c.conname = e.name
		WHERE e.relation = other_event_checks_hint.relation AND (e.kind = 'check' OR e.kind = 'domain' AND c.oid IS NOT NULL));
END
$$;
COMMENT ON FUNCTION _event_validate.other_event_checks_hint(regclass) IS 'the commands that drop constraints which drop_event_check does not know; NULL if there is none';

CREATE FUNCTION drop_event_check(relation regclass, constraint_name text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	hidden CONSTANT boolean := _event_validate.hide_context();
	checks _event_validate.event_check[];
	found_check _event_validate.event_check;
	notice pg_catalog.text;
	hint pg_catalog.text;
BEGIN
	PERFORM _event_validate.require_arguments('{relation}'::pg_catalog.text[], relation);
	PERFORM _event_validate.require_event_relation(relation, 'ANY');
	checks := ARRAY(SELECT c FROM _event_validate.event_checks(relation) AS c);
	IF NOT _event_validate.event_check_exists(relation, checks, constraint_name::pg_catalog.name) THEN
		notice := CASE WHEN constraint_name IS NULL THEN pg_catalog.format('table %s has no event check, nothing to drop', relation)
			ELSE pg_catalog.format('table %s has no event check "%s", nothing to drop', relation, constraint_name) END;
		hint := _event_validate.other_event_checks_hint(relation);
		IF hint IS NULL THEN
			RAISE NOTICE '%', notice;
		ELSE
			RAISE NOTICE '%', notice USING HINT = hint;
		END IF;
		RETURN;
	END IF;
	found_check := _event_validate.find_event_check(relation, checks, constraint_name::pg_catalog.name);
	PERFORM _event_validate.lock_event_table(relation);
	EXECUTE pg_catalog.format('ALTER TABLE %s DROP CONSTRAINT %I', _event_validate.event_qualified_name(relation), found_check.constraint_name);
END
$$;
COMMENT ON FUNCTION drop_event_check(regclass, text) IS 'drops a CHECK constraint that validates events';

-- ---------- rolling out: columns ----------

CREATE FUNCTION _event_validate.event_json_loss(document text) RETURNS text
	AS 'MODULE_PATHNAME', 'ev_event_json_loss' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 200;
COMMENT ON FUNCTION _event_validate.event_json_loss(text) IS 'what a conversion of this JSON text to jsonb would lose; NULL if nothing';

-- The cast of a type that is not PostgreSQL's could be a function of any role, and would run as the reader.
CREATE FUNCTION _event_validate.event_column_text(relation regclass, column_name name) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT format(CASE WHEN t.typnamespace <> 'pg_catalog'::regnamespace
		THEN 'CASE WHEN pg_catalog.int4eq(pg_catalog.num_nulls(%1$I), 0) THEN pg_catalog.concat(%1$I) END' ELSE '%1$I::pg_catalog.text' END, column_name)
	FROM (SELECT) AS one LEFT JOIN (pg_attribute AS a JOIN pg_type AS t ON t.oid = a.atttypid)
		ON a.attrelid = relation AND a.attname = column_name AND NOT a.attisdropped
$$;
COMMENT ON FUNCTION _event_validate.event_column_text(regclass, name) IS 'SQL for a column as text';

CREATE FUNCTION event_column_conflicts(relation regclass, from_column name, to_column name,
	OUT reason text, OUT conflicts bigint, OUT sample_ids text[])
	RETURNS SETOF record
LANGUAGE plpgsql STABLE
SET row_security = off
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	hidden CONSTANT boolean := _event_validate.hide_context();
	source text;
	reason text;
BEGIN
	PERFORM _event_validate.require_event_relation(relation, 'ANY');
	PERFORM _event_validate.share_event_relation(relation);
	source := _event_validate.event_column_text(relation, from_column);
	reason := format('_event_validate.event_json_loss(%s)', source);
	IF (SELECT atttypid FROM pg_attribute WHERE attrelid = relation AND attname = from_column) = 'jsonb'::regtype THEN
		reason := 'NULL::text';
	END IF;
	IF to_column <> from_column AND EXISTS (SELECT FROM pg_attribute
		WHERE attrelid = relation AND attname = to_column AND NOT attisdropped) THEN
		-- the comparison casts to jsonb, so it must not run where the cast fails
		reason := format('CASE WHEN %1$s IS NOT NULL THEN %1$s'
			' WHEN %2$I IS NOT NULL AND %3$I IS NOT NULL AND CASE WHEN %1$s IS NULL THEN (%4$s)::jsonb::text <> %5$s END'
			' THEN ''both columns have a document, and they differ'' END', reason, from_column, to_column,
			source, _event_validate.event_column_text(relation, to_column));
	END IF;
	RETURN QUERY SELECT * FROM _event_validate.rows_planned_as_owner(format(
		'SELECT reason, count(*), (_event_validate.event_audit_sample(row_name, 10))[1:10]'
		' FROM (SELECT %1$s AS reason, %2$s AS row_name FROM %3$s WHERE _event_validate.count_progress()) AS r WHERE reason IS NOT NULL GROUP BY reason ORDER BY reason COLLATE "C"',
		reason, _event_validate.event_row_name(relation), relation), relation) AS c (reason text, conflicts bigint, sample_ids text[]);
END
$$;
COMMENT ON FUNCTION event_column_conflicts(regclass, name, name) IS 'the rows whose data standardize_event_column would lose in part, by reason';

CREATE FUNCTION _event_validate.refuse_event_column_conflicts(relation regclass, from_column name, to_column name) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	hidden CONSTANT boolean := _event_validate.hide_context();
	total bigint;
	listed text;
BEGIN
	PERFORM _event_validate.set_progress_phase('looking for conflicts', relation);
	SELECT sum(c.conflicts), string_agg(format('%s (rows: %s): %s%s', c.reason, c.conflicts,
		array_to_string(c.sample_ids, ', '), CASE WHEN c.conflicts > 10 THEN ', ...' ELSE '' END), E'\n')
	INTO total, listed FROM @extschema@.event_column_conflicts(relation, from_column, to_column) AS c;
	IF total > 0 THEN
		RAISE EXCEPTION USING ERRCODE = 'data_exception',
			MESSAGE = format('column "%s" of table %s cannot become "%s" without a loss (rows: %s)',
				from_column, relation, to_column, total),
			DETAIL = listed,
			HINT = 'Repair these rows first. event_column_conflicts lists them.';
	END IF;
END
$$;
COMMENT ON FUNCTION _event_validate.refuse_event_column_conflicts(regclass, name, name) IS 'raises an error if event_column_conflicts finds rows';

CREATE FUNCTION _event_validate.event_column_dependents(relation regclass, column_name name) RETURNS SETOF text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
	WITH RECURSIVE tree(member) AS (
		SELECT relation::oid
		UNION
		SELECT inhrelid FROM pg_inherits, tree WHERE inhparent = tree.member)
	SELECT CASE WHEN f.oid IS NULL THEN pg_describe_object(d.classid, d.objid, d.objsubid)
		ELSE format('generated column %s of table %s', g.attname, f.adrelid::regclass) END
	FROM tree
		JOIN pg_attribute AS a ON a.attrelid = tree.member AND a.attname = column_name
		JOIN pg_depend AS d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = tree.member AND d.refobjsubid = a.attnum
		LEFT JOIN pg_attrdef AS f ON d.classid = 'pg_attrdef'::regclass AND f.oid = d.objid
		LEFT JOIN pg_attribute AS g ON g.attrelid = f.adrelid AND g.attnum = f.adnum
	WHERE (f.oid IS NULL OR (f.adrelid, f.adnum) <> (tree.member, a.attnum))
		-- NOT NULL is copied; since PostgreSQL 18 it is a constraint
		AND NOT EXISTS (SELECT FROM pg_constraint AS c
			WHERE d.classid = 'pg_constraint'::regclass AND c.oid = d.objid AND c.contype = 'n')
	GROUP BY 1
	ORDER BY 1
$$;
COMMENT ON FUNCTION _event_validate.event_column_dependents(regclass, name) IS 'the objects that refer to a column: indexes, constraints, views and so on';

-- The text of the default is shown in errors, and never parsed: event_defaults_match compares what is stored.
CREATE TYPE _event_validate.event_column AS (number int2, type regtype, not_null boolean, inherited boolean,
	default_value text, comment text, has_privileges boolean);
COMMENT ON TYPE _event_validate.event_column IS 'a column, for standardize_event_column';

CREATE FUNCTION _event_validate.event_column(relation regclass, column_name name) RETURNS _event_validate.event_column
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT a.attnum, a.atttypid, a.attnotnull, a.attinhcount > 0, pg_get_expr(d.adbin, d.adrelid),
		col_description(a.attrelid, a.attnum), a.attacl IS NOT NULL
	FROM pg_attribute AS a LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
	WHERE a.attrelid = relation AND a.attname = column_name AND a.attnum > 0 AND NOT a.attisdropped
$$;
COMMENT ON FUNCTION _event_validate.event_column(regclass, name) IS 'a column; NULL if the relation has no such column';

CREATE FUNCTION _event_validate.event_columns_below(relation regclass, column_name name,
	OUT member regclass, OUT part _event_validate.event_column) RETURNS SETOF record
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
	WITH RECURSIVE tree(member) AS (
		SELECT inhrelid FROM pg_inherits WHERE inhparent = relation
		UNION
		SELECT inhrelid FROM pg_inherits, tree WHERE inhparent = tree.member)
	SELECT tree.member::regclass, _event_validate.event_column(tree.member, column_name) FROM tree
$$;
COMMENT ON FUNCTION _event_validate.event_columns_below(regclass, name) IS 'a column in the partitions and children of a relation';

CREATE FUNCTION _event_validate.require_event_column(relation regclass, from_column name, source _event_validate.event_column) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	hidden CONSTANT boolean := _event_validate.hide_context();
BEGIN
	IF source.number IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'undefined_column',
			MESSAGE = format('table %s has no column "%s"', relation, from_column);
	END IF;
	IF source.inherited THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_table_definition',
			MESSAGE = format('column "%s" of table %s is inherited', from_column, relation),
			HINT = format('Call standardize_event_column for the parent of %s that has the column.', relation);
	END IF;
	IF source.type <> ALL ('{jsonb,json,text,varchar}'::regtype[]) THEN
		RAISE EXCEPTION USING ERRCODE = 'datatype_mismatch',
			MESSAGE = format('column "%s" of table %s is of type %s, not jsonb, json, text or varchar', from_column, relation, source.type);
	END IF;
END
$$;
COMMENT ON FUNCTION _event_validate.require_event_column(regclass, name, _event_validate.event_column) IS 'raises an error unless standardize_event_column can change this column';

CREATE FUNCTION _event_validate.require_merge_target(relation regclass, to_column name, target _event_validate.event_column) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	hidden CONSTANT boolean := _event_validate.hide_context();
BEGIN
	IF target.type <> 'jsonb'::regtype THEN
		RAISE EXCEPTION USING ERRCODE = 'datatype_mismatch',
			MESSAGE = format('column "%s" of table %s is of type %s, not jsonb', to_column, relation, target.type),
			HINT = format('Call standardize_event_column(%L, %L, %L) first.', relation, to_column, to_column);
	END IF;
END
$$;
COMMENT ON FUNCTION _event_validate.require_merge_target(regclass, name, _event_validate.event_column) IS 'raises unless documents can be merged into this column';

CREATE FUNCTION _event_validate.event_defaults_match(relation regclass, column_name name, other_relation regclass, other_column name) RETURNS boolean
	AS 'MODULE_PATHNAME', 'ev_event_defaults_match' LANGUAGE C STABLE STRICT;
COMMENT ON FUNCTION _event_validate.event_defaults_match(regclass, name, regclass, name) IS 'whether two columns have the same default, apart from a cast to jsonb';

-- A SET DEFAULT of the relation replaces the defaults of its partitions.
CREATE FUNCTION _event_validate.event_column_defaults_below(relation regclass, column_name name, kept_column name) RETURNS SETOF text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT format('default %s of column %s of table %s', (b.part).default_value, column_name, b.member)
	FROM _event_validate.event_columns_below(relation, column_name) AS b
	WHERE (b.part).default_value IS NOT NULL
		AND NOT _event_validate.event_defaults_match(relation, kept_column, b.member, column_name)
$$;
COMMENT ON FUNCTION _event_validate.event_column_defaults_below(regclass, name, name) IS 'the defaults of a column in partitions and children, unless they are that of a column of the relation';

CREATE FUNCTION _event_validate.refuse_defaults_below(relation regclass, column_name name) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	hidden CONSTANT boolean := _event_validate.hide_context();
	defaults CONSTANT text := (SELECT string_agg(d.described, E'\n' ORDER BY d.described COLLATE "C")
		FROM _event_validate.event_column_defaults_below(relation, column_name, column_name) AS d(described));
BEGIN
	IF defaults IS NOT NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'dependent_objects_still_exist',
			MESSAGE = format('column "%s" of table %s cannot become jsonb: defaults of partitions or children would be lost', column_name, relation),
			DETAIL = defaults,
			HINT = 'Drop these first, and set them again afterwards.';
	END IF;
END
$$;
COMMENT ON FUNCTION _event_validate.refuse_defaults_below(regclass, name) IS 'raises an error if a partition or child has its own default of the column';

-- The old column is dropped, so nothing may depend on it.
CREATE FUNCTION _event_validate.event_column_hindrances(relation regclass, from_column name, to_column name,
	source _event_validate.event_column, target _event_validate.event_column) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT string_agg(h.hindrance, E'\n' ORDER BY h.hindrance COLLATE "C")
	FROM (SELECT d.dependent AS hindrance FROM _event_validate.event_column_dependents(relation, from_column) AS d(dependent)
		UNION
		SELECT format('default %s, but column %s has %s', source.default_value, to_column, target.default_value)
		WHERE source.default_value IS NOT NULL AND target.default_value IS NOT NULL
			AND NOT _event_validate.event_defaults_match(relation, from_column, relation, to_column)
		UNION
		SELECT format('comment "%s", but column %s has "%s"', source.comment, to_column, target.comment)
		WHERE source.comment <> target.comment
		UNION
		SELECT 'privileges on the column' WHERE source.has_privileges
		UNION
		SELECT _event_validate.event_column_defaults_below(relation, from_column, from_column)
		UNION
		SELECT _event_validate.event_column_defaults_below(relation, to_column, from_column)
		WHERE source.default_value IS NOT NULL AND target.default_value IS NULL
		UNION
		SELECT format('%s column %s of table %s', l.lost, from_column, b.member)
		FROM _event_validate.event_columns_below(relation, from_column) AS b,
			LATERAL (SELECT 'comment on' WHERE (b.part).comment IS DISTINCT FROM (_event_validate.event_column(b.member, to_column)).comment
					AND (b.part).comment IS NOT NULL
				UNION ALL SELECT 'privileges on' WHERE (b.part).has_privileges) AS l (lost)) AS h
$$;
COMMENT ON FUNCTION _event_validate.event_column_hindrances(regclass, name, name, _event_validate.event_column, _event_validate.event_column) IS 'what would be lost with a column that is merged into another, a line each; NULL if nothing';

CREATE FUNCTION _event_validate.require_mergeable_columns(relation regclass, from_column name, to_column name,
	source _event_validate.event_column, target _event_validate.event_column) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	hidden CONSTANT boolean := _event_validate.hide_context();
	hindrances CONSTANT text := _event_validate.event_column_hindrances(relation, from_column, to_column, source, target);
BEGIN
	PERFORM _event_validate.require_merge_target(relation, to_column, target);
	IF hindrances IS NOT NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'dependent_objects_still_exist',
			MESSAGE = format('column "%s" of table %s cannot be merged into "%s": dependent objects would be lost',
				from_column, relation, to_column),
			DETAIL = hindrances,
			HINT = 'Drop these first, or create them on the other column.';
	END IF;
END
$$;
COMMENT ON FUNCTION _event_validate.require_mergeable_columns(regclass, name, name, _event_validate.event_column, _event_validate.event_column) IS 'raises an error unless one column can be merged into the other';

CREATE FUNCTION _event_validate.event_column_to_jsonb(relation regclass, column_name name) RETURNS void
	AS 'MODULE_PATHNAME', 'ev_event_column_to_jsonb' LANGUAGE C STRICT;
COMMENT ON FUNCTION _event_validate.event_column_to_jsonb(regclass, name) IS 'ALTER COLUMN ... TYPE jsonb, with the default';

CREATE FUNCTION _event_validate.convert_event_column(relation regclass, column_name name) RETURNS void
LANGUAGE plpgsql
SET row_security = off
AS $$
DECLARE
	hidden CONSTANT boolean := _event_validate.hide_context();
	dependents pg_catalog.text;
BEGIN
	PERFORM _event_validate.event_column_to_jsonb(relation, column_name);
EXCEPTION WHEN OTHERS THEN
	SELECT pg_catalog.string_agg(d.dependent, pg_catalog.chr(10)) INTO dependents
	FROM _event_validate.event_column_dependents(relation, column_name) AS d(dependent);
	IF dependents IS NULL THEN
		RAISE;
	END IF;
	RAISE EXCEPTION USING ERRCODE = SQLSTATE,
		MESSAGE = pg_catalog.format('column "%s" of table %s cannot become jsonb: %s', column_name, relation, SQLERRM),
		DETAIL = pg_catalog.format(E'These refer to it:\n%s', dependents),
		HINT = 'Drop those that do not work with jsonb first, and create them again afterwards.';
END
$$;
COMMENT ON FUNCTION _event_validate.convert_event_column(regclass, name) IS 'makes a column jsonb, with its default';

CREATE FUNCTION _event_validate.copy_event_default(relation regclass, from_column name, to_column name) RETURNS void
	AS 'MODULE_PATHNAME', 'ev_copy_event_default' LANGUAGE C STRICT;
COMMENT ON FUNCTION _event_validate.copy_event_default(regclass, name, name) IS 'gives a column of jsonb the default of another column';

-- The commands run under the caller's search_path, because triggers may run too.

CREATE FUNCTION _event_validate.event_column_merge_commands(relation regclass, from_column name, to_column name,
	source _event_validate.event_column, target _event_validate.event_column) RETURNS text[]
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	hidden CONSTANT boolean := _event_validate.hide_context();
	table_name CONSTANT text := _event_validate.event_qualified_name(relation);
BEGIN
	RETURN array_remove(ARRAY[
		format('UPDATE %1$s SET %2$I = %3$I::pg_catalog.jsonb WHERE %2$I IS NULL AND %3$I IS NOT NULL', table_name, to_column, from_column),
		CASE WHEN source.default_value IS NOT NULL AND target.default_value IS NULL
			THEN format('SELECT _event_validate.copy_event_default(%L, %L, %L)', table_name, from_column, to_column) END,
		CASE WHEN source.not_null AND NOT target.not_null
			THEN format('ALTER TABLE %s ALTER COLUMN %I SET NOT NULL', table_name, to_column) END,
		CASE WHEN source.comment IS NOT NULL AND target.comment IS NULL
			THEN format('COMMENT ON COLUMN %s.%I IS %L', table_name, to_column, source.comment) END,
		format('ALTER TABLE %s DROP COLUMN %I', table_name, from_column)], NULL);
END
$$;
COMMENT ON FUNCTION _event_validate.event_column_merge_commands(regclass, name, name, _event_validate.event_column, _event_validate.event_column) IS 'the commands that merge one column into another';

CREATE FUNCTION _event_validate.event_column_conversion_commands(relation regclass, from_column name, to_column name,
	source _event_validate.event_column) RETURNS text[]
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	hidden CONSTANT boolean := _event_validate.hide_context();
	table_name CONSTANT text := _event_validate.event_qualified_name(relation);
	converts CONSTANT boolean := source.type <> 'jsonb'::regtype;
BEGIN
	RETURN array_remove(ARRAY[
		CASE WHEN converts THEN format('SELECT _event_validate.convert_event_column(%L, %L)', table_name, from_column) END,
		CASE WHEN from_column <> to_column
			THEN format('ALTER TABLE %s RENAME COLUMN %I TO %I', table_name, from_column, to_column) END], NULL);
END
$$;
COMMENT ON FUNCTION _event_validate.event_column_conversion_commands(regclass, name, name, _event_validate.event_column) IS 'the commands that convert and rename a column';

CREATE FUNCTION _event_validate.event_column_commands(relation regclass, from_column name, to_column name) RETURNS text[]
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	hidden CONSTANT boolean := _event_validate.hide_context();
	source CONSTANT _event_validate.event_column := _event_validate.event_column(relation, from_column);
	target CONSTANT _event_validate.event_column := _event_validate.event_column(relation, to_column);
	merges CONSTANT boolean := target.number IS NOT NULL AND from_column <> to_column;
BEGIN
	IF target.type = 'jsonb'::regtype AND (source.number IS NULL OR NOT merges) THEN
		RAISE NOTICE USING MESSAGE = format('column "%s" of table %s is jsonb already', to_column, relation);
		RETURN NULL;
	END IF;
	PERFORM _event_validate.require_event_column(relation, from_column, source);
	IF merges THEN
		PERFORM _event_validate.require_mergeable_columns(relation, from_column, to_column, source, target);
	END IF;
	IF target.number IS NOT NULL OR source.type <> 'jsonb'::regtype THEN
		PERFORM _event_validate.refuse_event_column_conflicts(relation, from_column, to_column);
	END IF;
	IF merges THEN
		RETURN _event_validate.event_column_merge_commands(relation, from_column, to_column, source, target);
	END IF;
	IF source.type <> 'jsonb'::regtype THEN
		PERFORM _event_validate.refuse_defaults_below(relation, from_column);
	END IF;
	RETURN _event_validate.event_column_conversion_commands(relation, from_column, to_column, source);
END
$$;
COMMENT ON FUNCTION _event_validate.event_column_commands(regclass, name, name) IS 'the commands that standardize a column; NULL if it is standard already; raises an error if something would be lost';

CREATE FUNCTION _event_validate.event_column_view_commands(view_path text[], relation regclass, from_column name, to_column name) RETURNS text[]
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT ARRAY[
		format('CREATE VIEW %I.%I WITH (security_invoker = true) AS SELECT %s FROM %s', view_path[1], view_path[2],
			string_agg(CASE WHEN a.attname = to_column THEN format('%I AS %I', a.attname, from_column) ELSE quote_ident(a.attname) END,
				', ' ORDER BY a.attnum), _event_validate.event_qualified_name(relation)),
		format('COMMENT ON VIEW %I.%I IS %L', view_path[1], view_path[2],
			format('table %s as it was before its column %s became %s', relation, from_column, to_column))]
	FROM pg_attribute AS a
	WHERE a.attrelid = relation AND a.attnum > 0 AND NOT a.attisdropped
$$;
COMMENT ON FUNCTION _event_validate.event_column_view_commands(text[], regclass, name, name) IS 'the commands that create a view with the old column';

CREATE FUNCTION _event_validate.event_view_exists(view_path text[]) RETURNS boolean
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT EXISTS (SELECT FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
		WHERE n.nspname = view_path[1]::name AND c.relname = view_path[2]::name AND c.relkind = 'v')
$$;
COMMENT ON FUNCTION _event_validate.event_view_exists(text[]) IS 'whether there is a view of this schema and name';

CREATE FUNCTION standardize_event_column(relation regclass, from_column name,
	to_column name DEFAULT 'data', view_name text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql
SET row_security = off
AS $$
DECLARE
	hidden CONSTANT boolean := _event_validate.hide_context();
	view_path pg_catalog.text[];
	source _event_validate.event_column;
	commands pg_catalog.text[];
	command pg_catalog.text;
BEGIN
	PERFORM _event_validate.require_arguments('{relation,from_column,to_column}'::pg_catalog.text[], relation, from_column, to_column);
	PERFORM _event_validate.require_event_relation(relation, 'ANY');
	view_path := _event_validate.event_view_path(view_name, relation);
	PERFORM _event_validate.start_progress('standardize', relation, false);
	-- check without a lock, so that no session waits, and then again under the lock
	commands := _event_validate.event_column_commands(relation, from_column, to_column);
	IF commands IS NOT NULL THEN
		PERFORM _event_validate.lock_event_table(relation);
		commands := _event_validate.event_column_commands(relation, from_column, to_column);
	END IF;
	source := _event_validate.event_column(relation, from_column);
	PERFORM _event_validate.set_progress_phase('changing the table', NULL);
	FOREACH command IN ARRAY COALESCE(commands, '{}') LOOP
		EXECUTE command;
	END LOOP;
	IF view_path IS NOT NULL AND (source.number IS NOT NULL OR NOT _event_validate.event_view_exists(view_path)) THEN
		FOREACH command IN ARRAY _event_validate.event_column_view_commands(view_path, relation, from_column, to_column) LOOP
			EXECUTE command;
		END LOOP;
	END IF;
	PERFORM _event_validate.end_progress();
END
$$;
COMMENT ON FUNCTION standardize_event_column(regclass, name, name, text) IS 'makes a legacy column with JSON a jsonb column of the standard name, or merges it into that column, and loses nothing';


-- ---------- rolling out: merging columns without an outage ----------

CREATE FUNCTION _event_validate.keep_event_columns() RETURNS trigger
	AS 'MODULE_PATHNAME', 'ev_keep_event_columns' LANGUAGE C;
COMMENT ON FUNCTION _event_validate.keep_event_columns() IS 'the trigger function of merge_event_column: copies a document that is written to one column to the other';

CREATE TYPE _event_validate.event_column_merge AS (has_source boolean, has_target boolean, has_trigger boolean,
	has_check boolean, is_complete boolean);
COMMENT ON TYPE _event_validate.event_column_merge IS 'how far merge_event_column has come';

CREATE FUNCTION _event_validate.event_column_merge(relation regclass, from_column name, to_column name)
	RETURNS _event_validate.event_column_merge
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT (EXISTS (SELECT FROM pg_attribute AS a WHERE a.attrelid = relation AND a.attname = from_column AND NOT a.attisdropped),
		EXISTS (SELECT FROM pg_attribute AS a WHERE a.attrelid = relation AND a.attname = to_column AND NOT a.attisdropped),
		EXISTS (SELECT FROM pg_trigger AS t WHERE t.tgrelid = relation AND t.tgname = 'zzy_event_column_merge'
			AND t.tgfoid = '_event_validate.keep_event_columns()'::regprocedure AND t.tgenabled = 'A'
			AND t.tgtype = 23 AND t.tgqual IS NULL AND t.tgattr = ''::int2vector -- BEFORE INSERT OR UPDATE, for each row
			AND t.tgargs = convert_to(from_column, getdatabaseencoding()) || '\x00' || convert_to(to_column, getdatabaseencoding()) || '\x00'),
		c.oid IS NOT NULL, COALESCE(c.convalidated, false))::_event_validate.event_column_merge
	FROM (SELECT) AS one LEFT JOIN pg_constraint AS c ON c.conrelid = relation AND c.conname = 'event_column_merge' AND c.contype = 'c'
		-- Another constraint of this name does not count, so that ADD CONSTRAINT fails.  Text is
		-- enough: a test for NULL calls no function, and no other expression is written so.
		AND pg_get_expr(c.conbin, c.conrelid) IN (format('(%I IS NOT NULL)', to_column),
			format('((%I IS NULL) OR (%I IS NOT NULL))', from_column, to_column))
$$;
COMMENT ON FUNCTION _event_validate.event_column_merge(regclass, name, name) IS 'how far merge_event_column has come with these columns, as the catalogs show';

CREATE FUNCTION _event_validate.event_column_merge_target(from_column name, to_column name) RETURNS name
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT CASE WHEN from_column = to_column THEN 'event_column_merge' ELSE to_column END
$$;
COMMENT ON FUNCTION _event_validate.event_column_merge_target(name, name) IS 'the column that merge_event_column fills; a column that keeps its name gets it from this one at the end';

CREATE FUNCTION _event_validate.event_column_parts(relation regclass) RETURNS regclass[]
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
	WITH RECURSIVE tree(member) AS (
		SELECT relation::oid
		UNION
		SELECT inhrelid FROM pg_inherits, tree WHERE inhparent = tree.member)
	SELECT COALESCE(array_agg(c.oid::regclass ORDER BY c.oid), '{}') FROM tree JOIN pg_class AS c ON c.oid = tree.member WHERE c.relkind = 'r'
$$;
COMMENT ON FUNCTION _event_validate.event_column_parts(regclass) IS 'the tables that hold the rows of a table: itself, or its partitions';

CREATE FUNCTION _event_validate.refuse_unmergeable_table(relation regclass) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	hidden CONSTANT boolean := _event_validate.hide_context();
	kind "char" := (SELECT c.relkind FROM pg_class AS c WHERE c.oid = relation);
	problem text;
BEGIN
	SELECT format('partition %s of table %s is a foreign table', c.oid::regclass, relation) INTO problem
	FROM pg_partition_tree(relation) AS p JOIN pg_class AS c ON c.oid = p.relid
	WHERE kind = 'p' AND c.relkind = 'f' LIMIT 1;
	IF kind = 'r' AND EXISTS (SELECT FROM pg_inherits AS i WHERE i.inhparent = relation) THEN
		problem := format('table %s has children, which no trigger of it covers', relation);
	END IF;
	-- of Citus; its table is empty here, and only a superuser can create this catalog
	IF problem IS NULL AND to_regclass('pg_catalog.pg_dist_partition') IS NOT NULL THEN
		EXECUTE 'SELECT format(''table %s is distributed, and its rows are in shards'', p.logicalrelid)
			FROM pg_catalog.pg_dist_partition AS p WHERE p.logicalrelid = $1' INTO problem USING relation;
	END IF;
	IF problem IS NULL THEN
		SELECT format('trigger "%s" of table %s fires after that of the merge and could change the old column',
			t.tgname, t.tgrelid::regclass) INTO problem
		FROM pg_trigger AS t
		WHERE (t.tgrelid = relation OR t.tgrelid IN (SELECT p.relid FROM pg_partition_tree(relation) AS p))
			AND t.tgtype & 3 = 3 AND t.tgname COLLATE "C" > 'zzy_event_column_merge'
			AND t.tgfoid <> '@extschema@.guard_event()'::regprocedure
		ORDER BY t.tgrelid, t.tgname LIMIT 1;
	END IF;
	IF problem IS NULL THEN
		-- it compares the rows before the merge's trigger copies the document
		SELECT format('trigger "%s" of table %s suppresses the updates that copy the documents', t.tgname, t.tgrelid::regclass) INTO problem
		FROM pg_trigger AS t
		WHERE (t.tgrelid = relation OR t.tgrelid IN (SELECT p.relid FROM pg_partition_tree(relation) AS p))
			AND t.tgfoid = 'suppress_redundant_updates_trigger()'::regprocedure
		ORDER BY t.tgrelid, t.tgname LIMIT 1;
	END IF;
	IF problem IS NOT NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'feature_not_supported', MESSAGE = problem, HINT = 'Change this first, or call standardize_event_column.';
	END IF;
END
$$;
COMMENT ON FUNCTION _event_validate.refuse_unmergeable_table(regclass) IS 'raises an error unless merge_event_column can keep all rows of the table in step';

CREATE FUNCTION _event_validate.expression_is_volatile(expression pg_node_tree) RETURNS boolean
	AS 'MODULE_PATHNAME', 'ev_expression_is_volatile' LANGUAGE C STABLE STRICT;
COMMENT ON FUNCTION _event_validate.expression_is_volatile(pg_node_tree) IS 'whether an expression of a catalog calls a volatile function';

-- The trigger computes a default again to tell it from a document, and cannot see what is generated after it.
CREATE FUNCTION _event_validate.refuse_volatile_defaults(relation regclass, from_column name, to_column name) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	hidden CONSTANT boolean := _event_validate.hide_context();
	problem text;
BEGIN
	SELECT format('column "%s" of table %s is generated', a.attname, a.attrelid::regclass) INTO problem
	FROM pg_attribute AS a
	WHERE (a.attrelid = relation OR a.attrelid IN (SELECT p.relid FROM pg_partition_tree(relation) AS p))
		AND a.attname IN (from_column, to_column) AND NOT a.attisdropped AND a.attgenerated <> ''
	ORDER BY a.attrelid, a.attnum LIMIT 1;
	IF problem IS NOT NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'feature_not_supported', MESSAGE = problem,
			DETAIL = 'Generated columns are computed after the trigger of a merge has run.',
			HINT = 'Make it an ordinary column first: ALTER TABLE ... ALTER COLUMN ... DROP EXPRESSION.';
	END IF;
	SELECT format('column "%s" of table %s has a volatile default: %s', a.attname, a.attrelid::regclass, pg_get_expr(d.adbin, d.adrelid)) INTO problem
	FROM pg_attribute AS a JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
	WHERE (a.attrelid = relation OR a.attrelid IN (SELECT p.relid FROM pg_partition_tree(relation) AS p))
		AND a.attname IN (from_column, to_column) AND NOT a.attisdropped AND _event_validate.expression_is_volatile(d.adbin)
	ORDER BY a.attrelid, a.attnum LIMIT 1;
	IF problem IS NOT NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'feature_not_supported', MESSAGE = problem,
			DETAIL = 'It has another value each time, so a merge cannot tell it from a document that a command sets.',
			HINT = 'Drop the default first, or call standardize_event_column.';
	END IF;
END
$$;
COMMENT ON FUNCTION _event_validate.refuse_volatile_defaults(regclass, name, name) IS 'raises an error if a default or expression of the columns could make writers fail while they are merged';

-- The commands of a step; NULL if it is done.
CREATE FUNCTION _event_validate.event_column_start_commands(relation regclass, from_column name, to_column name) RETURNS text[]
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	hidden CONSTANT boolean := _event_validate.hide_context();
	table_name CONSTANT text := _event_validate.event_qualified_name(relation);
	merge CONSTANT _event_validate.event_column_merge := _event_validate.event_column_merge(relation, from_column, to_column);
BEGIN
	PERFORM _event_validate.require_event_column(relation, from_column, _event_validate.event_column(relation, from_column));
	PERFORM _event_validate.refuse_unmergeable_table(relation);
	IF merge.has_target THEN
		PERFORM _event_validate.require_merge_target(relation, to_column, _event_validate.event_column(relation, to_column));
	END IF;
	IF merge.has_trigger THEN
		RETURN NULL;
	END IF;
	PERFORM _event_validate.refuse_volatile_defaults(relation, from_column, to_column);
	RETURN array_remove(ARRAY[
		CASE WHEN NOT merge.has_target THEN format('ALTER TABLE %s ADD COLUMN %I pg_catalog.jsonb', table_name, to_column) END,
		format('CREATE TRIGGER zzy_event_column_merge BEFORE INSERT OR UPDATE ON %s FOR EACH ROW EXECUTE FUNCTION _event_validate.keep_event_columns(%L, %L)',
			table_name, from_column, to_column),
		-- for changes that logical replication applies, too
		format('ALTER TABLE %s ENABLE ALWAYS TRIGGER zzy_event_column_merge', table_name)], NULL);
END
$$;
COMMENT ON FUNCTION _event_validate.event_column_start_commands(regclass, name, name) IS 'the commands that begin a merge of columns; NULL if it has begun';

CREATE FUNCTION _event_validate.event_column_check_commands(relation regclass, from_column name, to_column name) RETURNS text[]
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT CASE WHEN NOT m.has_check THEN ARRAY[format('ALTER TABLE %s ADD CONSTRAINT event_column_merge CHECK (%s%I IS NOT NULL) NOT VALID',
		_event_validate.event_qualified_name(relation),
		CASE WHEN NOT (_event_validate.event_column(relation, from_column)).not_null THEN format('%I IS NULL OR ', from_column) END, to_column)] END
	FROM _event_validate.event_column_merge(relation, from_column, to_column) AS m
$$;
COMMENT ON FUNCTION _event_validate.event_column_check_commands(regclass, name, name) IS 'the command that requires a document in the new column wherever the old one has one; NULL if it has been given';

CREATE FUNCTION _event_validate.event_column_switch_commands(relation regclass, from_column name, to_column name) RETURNS text[]
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	hidden CONSTANT boolean := _event_validate.hide_context();
	table_name CONSTANT text := _event_validate.event_qualified_name(relation);
	filled CONSTANT name := _event_validate.event_column_merge_target(from_column, to_column);
	merge CONSTANT _event_validate.event_column_merge := _event_validate.event_column_merge(relation, from_column, filled);
	source CONSTANT _event_validate.event_column := _event_validate.event_column(relation, from_column);
	target CONSTANT _event_validate.event_column := _event_validate.event_column(relation, filled);
	commands text[];
BEGIN
	IF NOT (merge.has_source AND merge.has_target AND merge.has_trigger AND merge.is_complete) THEN
		RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state',
			MESSAGE = format('table %s was changed while its columns were merged', relation),
			HINT = 'Call merge_event_column again.';
	END IF;
	PERFORM _event_validate.require_event_column(relation, from_column, source);
	-- a trigger or a child may have been added since the start
	PERFORM _event_validate.refuse_unmergeable_table(relation);
	-- without its first command, which fills the column; a column that was not null is so by the constraint
	commands := (_event_validate.event_column_merge_commands(relation, from_column, filled, source, target))[2:];
	RETURN array_remove(ARRAY[
		CASE WHEN source.not_null AND NOT target.not_null THEN format('ALTER TABLE %s ALTER COLUMN %I SET NOT NULL', table_name, filled) END,
		format('ALTER TABLE %s DROP CONSTRAINT event_column_merge', table_name),
		format('DROP TRIGGER zzy_event_column_merge ON %s', table_name),
		format('SELECT _event_validate.require_droppable_column(%L, %L, %L)', table_name, from_column, filled)], NULL) || commands ||
		CASE WHEN filled <> to_column THEN ARRAY[format('ALTER TABLE %s RENAME COLUMN %I TO %I', table_name, filled, to_column)] END;
END
$$;
COMMENT ON FUNCTION _event_validate.event_column_switch_commands(regclass, name, name) IS 'the commands that end a merge of columns';

-- The trigger is there already, so the new column is complete for what is created on it.
CREATE FUNCTION _event_validate.require_droppable_column(relation regclass, from_column name, to_column name) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	hidden CONSTANT boolean := _event_validate.hide_context();
	hindrances CONSTANT text := _event_validate.event_column_hindrances(relation, from_column, to_column,
		_event_validate.event_column(relation, from_column), _event_validate.event_column(relation, to_column));
BEGIN
	-- the merge's own check refers to the column until the last step drops it
	IF hindrances IS NOT NULL AND NOT (_event_validate.event_column_merge(relation, from_column, to_column)).has_check THEN
		RAISE EXCEPTION USING ERRCODE = 'dependent_objects_still_exist',
			MESSAGE = format('column "%s" of table %s cannot be merged into "%s": dependent objects would be lost',
				from_column, relation, to_column),
			DETAIL = hindrances,
			HINT = format('A trigger keeps column "%s" in step now. Create on it what you need (a guard by add_event_guard, a check by add_event_check),'
				' drop these objects, and call merge_event_column again: it continues.', to_column);
	END IF;
END
$$;
COMMENT ON FUNCTION _event_validate.require_droppable_column(regclass, name, name) IS 'raises an error unless nothing depends on the column that merge_event_column drops';

-- The commands run under the caller's search_path, because triggers may run too.
CREATE FUNCTION _event_validate.run_event_column_step(relation regclass, from_column name, to_column name, step text, view_path text[]) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
	hidden CONSTANT boolean := _event_validate.hide_context();
	commands pg_catalog.text[];
	command pg_catalog.text;
BEGIN
	PERFORM _event_validate.require_event_relation(relation, 'ANY');
	-- once without a lock, so that no session waits
	FOR attempt IN 1 .. 2 LOOP
		EXECUTE pg_catalog.format('SELECT _event_validate.event_column_%s_commands($1, $2, $3)', step)
			INTO commands USING relation, from_column, to_column;
		IF commands IS NULL THEN
			RETURN false;
		END IF;
		PERFORM _event_validate.lock_event_table(relation);
	END LOOP;
	FOREACH command IN ARRAY commands LOOP
		EXECUTE command;
	END LOOP;
	IF view_path IS NOT NULL THEN
		FOREACH command IN ARRAY _event_validate.event_column_view_commands(view_path, relation, from_column, to_column) LOOP
			EXECUTE command;
		END LOOP;
	END IF;
	RETURN true;
END
$$;
COMMENT ON FUNCTION _event_validate.run_event_column_step(regclass, name, name, text, text[]) IS 'runs a step of merge_event_column under a short lock; false if it was done before';

CREATE FUNCTION _event_validate.validate_event_columns(relation regclass) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	hidden CONSTANT boolean := _event_validate.hide_context();
BEGIN
	-- it may have been dropped since the last commit
	PERFORM _event_validate.require_event_relation(relation, 'ANY');
	EXECUTE pg_catalog.format('ALTER TABLE %s VALIDATE CONSTRAINT event_column_merge', _event_validate.event_qualified_name(relation));
EXCEPTION WHEN check_violation THEN
	RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state',
		MESSAGE = pg_catalog.format('some documents of table %s are not in the new column yet', relation),
		DETAIL = 'Their rows were locked by other transactions, or jsonb cannot hold them without a loss.',
		HINT = 'event_column_conflicts lists the latter. Repair these, and call merge_event_column again: it continues.';
END
$$;
COMMENT ON FUNCTION _event_validate.validate_event_columns(regclass) IS 'checks that all documents are in the new column, without blocking readers and writers';

CREATE FUNCTION _event_validate.event_column_blocks(part regclass) RETURNS bigint
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	hidden CONSTANT boolean := _event_validate.hide_context();
BEGIN
	-- before it is locked
	PERFORM _event_validate.require_event_relation(part, 'ANY');
	RETURN COALESCE(pg_relation_size(part) / current_setting('block_size')::int, 0);
END
$$;
COMMENT ON FUNCTION _event_validate.event_column_blocks(regclass) IS 'the number of blocks of a table; 0 if there is none';

CREATE FUNCTION _event_validate.event_column_next_block(part regclass, first_block bigint, end_block bigint, batch_size int) RETURNS bigint
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT CASE WHEN first_block < end_block THEN LEAST(end_block,
		first_block + GREATEST(1, (batch_size / GREATEST(1, COALESCE(c.reltuples / NULLIF(c.relpages, 0), 20)))::bigint)) END
	FROM (SELECT) AS one LEFT JOIN pg_class AS c ON c.oid = part AND c.reltuples > 0 -- -1: never analyzed
$$;
COMMENT ON FUNCTION _event_validate.event_column_next_block(regclass, bigint, bigint, int) IS 'the end of the next batch of about this number of rows; NULL after the last one';

CREATE FUNCTION _event_validate.event_column_fill_command(part regclass, from_column name, to_column name,
	first_block bigint, end_block bigint) RETURNS text
	AS 'MODULE_PATHNAME', 'ev_event_column_fill_command' LANGUAGE C STABLE STRICT;
COMMENT ON FUNCTION _event_validate.event_column_fill_command(regclass, name, name, bigint, bigint) IS 'the command that fills a column in some blocks of a table';

CREATE FUNCTION _event_validate.require_event_column_merge(relation regclass, from_column name, to_column name) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	hidden CONSTANT boolean := _event_validate.hide_context();
	merge CONSTANT _event_validate.event_column_merge := _event_validate.event_column_merge(relation, from_column, to_column);
BEGIN
	IF NOT (merge.has_source AND merge.has_target AND merge.has_trigger) THEN
		RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state',
			MESSAGE = format('table %s was changed while its columns were merged', relation),
			HINT = 'Call merge_event_column again.';
	END IF;
END
$$;
COMMENT ON FUNCTION _event_validate.require_event_column_merge(regclass, name, name) IS 'raises an error unless the trigger of merge_event_column is there';

CREATE FUNCTION _event_validate.fill_event_column(part regclass, relation regclass, from_column name, to_column name,
	first_block bigint, end_block bigint) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
	hidden CONSTANT boolean := _event_validate.hide_context();
	filled bigint;
BEGIN
	PERFORM _event_validate.require_event_column_merge(relation, from_column, to_column);
	EXECUTE _event_validate.event_column_fill_command(part, from_column, to_column, first_block, end_block);
	GET DIAGNOSTICS filled := ROW_COUNT;
	RETURN filled;
END
$$;
COMMENT ON FUNCTION _event_validate.fill_event_column(regclass, regclass, name, name, bigint, bigint) IS 'fills a column in some blocks of a table';

CREATE FUNCTION _event_validate.check_merge_arguments(relation regclass, from_column name, to_column name, batch_size int) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	hidden CONSTANT boolean := _event_validate.hide_context();
BEGIN
	PERFORM _event_validate.require_arguments('{relation,from_column,to_column,batch_size}'::text[], relation, from_column, to_column, batch_size);
	IF batch_size < 1 THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = 'batch_size must be positive';
	END IF;
	PERFORM _event_validate.require_event_relation(relation, 'ANY');
	PERFORM _event_validate.require_table_owner(relation);
END
$$;
COMMENT ON FUNCTION _event_validate.check_merge_arguments(regclass, name, name, int) IS 'raises an error unless these are arguments for merge_event_column';

CREATE FUNCTION _event_validate.event_column_is_merged(relation regclass, from_column name, to_column name) RETURNS boolean
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	hidden CONSTANT boolean := _event_validate.hide_context();
BEGIN
	IF (from_column = to_column OR (_event_validate.event_column(relation, from_column)).number IS NULL) AND
		(_event_validate.event_column(relation, to_column)).type = 'jsonb'::regtype THEN
		RAISE NOTICE USING MESSAGE = format('column "%s" of table %s is jsonb already', to_column, relation);
		RETURN true;
	END IF;
	RETURN false;
END
$$;
COMMENT ON FUNCTION _event_validate.event_column_is_merged(regclass, name, name) IS 'whether merge_event_column has ended; if it has, raises a NOTICE';

-- It commits, so it has no SET clause.
CREATE PROCEDURE merge_event_column(relation regclass, from_column name, to_column name DEFAULT 'data',
	batch_size int DEFAULT 10000, view_name text DEFAULT NULL)
LANGUAGE plpgsql AS $$
DECLARE
	hidden CONSTANT boolean := _event_validate.hide_context();
	most_laps CONSTANT int := 5;
	target CONSTANT pg_catalog.name := _event_validate.event_column_merge_target(from_column, to_column);
	view_path pg_catalog.text[];
	part pg_catalog.regclass;
	at_block bigint;
	next_block bigint;
	end_block bigint;
	filled bigint;
BEGIN
	COMMIT;	-- refused in a transaction block
	PERFORM _event_validate.check_merge_arguments(relation, from_column, to_column, batch_size);
	IF _event_validate.event_column_is_merged(relation, from_column, to_column) THEN
		RETURN;
	END IF;
	view_path := _event_validate.event_view_path(view_name, relation);
	PERFORM _event_validate.start_progress('merge', relation, true);
	PERFORM _event_validate.run_event_column_step(relation, from_column, target, 'start', NULL);
	COMMIT;
	-- from here on, a trigger keeps the columns in step
	PERFORM _event_validate.require_droppable_column(relation, from_column, target);
	PERFORM _event_validate.refuse_event_column_conflicts(relation, from_column, target);
	COMMIT;
	FOR lap IN 1 .. most_laps LOOP
		filled := 0;
		PERFORM _event_validate.set_progress_phase('copying documents', relation);
		FOREACH part IN ARRAY _event_validate.event_column_parts(relation) LOOP
			at_block := 0;
			end_block := _event_validate.event_column_blocks(part);
			PERFORM _event_validate.set_progress_pages(part, at_block, end_block, filled);
			LOOP
				next_block := _event_validate.event_column_next_block(part, at_block, end_block, batch_size);
				EXIT WHEN next_block IS NULL;
				filled := pg_catalog.int8pl(filled, _event_validate.fill_event_column(part, relation, from_column, target, at_block, next_block));
				PERFORM _event_validate.set_progress_pages(part, next_block, end_block, filled);
				COMMIT;
				at_block := next_block;
			END LOOP;
		END LOOP;
		RAISE NOTICE USING MESSAGE = pg_catalog.format('pass %s: %s documents copied to column "%s"', lap, filled, target);
		EXIT WHEN pg_catalog.int8eq(filled, 0::pg_catalog.int8);
	END LOOP;
	PERFORM _event_validate.set_progress_phase('changing the table', NULL);
	PERFORM _event_validate.run_event_column_step(relation, from_column, target, 'check', NULL);
	COMMIT;
	PERFORM _event_validate.set_progress_phase('validating the constraint', NULL);
	PERFORM _event_validate.validate_event_columns(relation);
	COMMIT;
	PERFORM _event_validate.set_progress_phase('changing the table', NULL);
	PERFORM _event_validate.run_event_column_step(relation, from_column, to_column, 'switch', view_path);
	COMMIT;
	PERFORM _event_validate.end_progress();
	RAISE NOTICE USING MESSAGE = CASE WHEN pg_catalog.nameeq(target, to_column)
		THEN pg_catalog.format('column "%s" was merged into "%s"', from_column, to_column)
		ELSE pg_catalog.format('column "%s" of table %s is jsonb now', to_column, relation) END;
END
$$;
COMMENT ON PROCEDURE merge_event_column(regclass, name, name, int, text) IS 'makes a legacy column with JSON a jsonb column, or merges it into one, in batches, beside readers and writers';
-- ---------- evolution: versions in use ----------

CREATE FUNCTION _event_validate.event_usage(event_type text, OUT relation regclass, OUT used_type text, OUT used_version bigint,
	OUT events bigint)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'ev_event_usage' LANGUAGE C STABLE ROWS 20;
COMMENT ON FUNCTION _event_validate.event_usage(text) IS 'the number of rows of each type and version in tables with checks or guards';

CREATE FUNCTION event_schema_usage(event_type text DEFAULT NULL)
	RETURNS TABLE (relation regclass, event_type text, schema_version int, events bigint, deprecated boolean, registered boolean)
LANGUAGE sql STABLE ROWS 20
SET search_path = pg_catalog, pg_temp
AS $$
	WITH counted AS MATERIALIZED (
		SELECT * FROM _event_validate.event_usage($1)),
	used AS (
		SELECT u.relation, u.used_type, CASE WHEN u.used_version NOT BETWEEN 0 AND 2147483647 THEN -1 ELSE u.used_version::int END AS used_version,
			sum(u.events)::bigint AS events
		FROM counted AS u WHERE u.relation IS NOT NULL GROUP BY 1, 2, 3),
	known AS (
		SELECT s.event_type, s.schema_version, s.deprecated
		FROM @extschema@.event_schemas AS s WHERE $1 IS NULL OR s.event_type = $1 COLLATE "C")
	SELECT u.relation, COALESCE(u.used_type, k.event_type), COALESCE(u.used_version, k.schema_version),
		COALESCE(u.events, CASE WHEN NOT EXISTS (SELECT FROM counted WHERE counted.relation IS NULL) THEN 0 END), COALESCE(k.deprecated, false), k.event_type IS NOT NULL
	FROM used AS u FULL JOIN known AS k
		ON k.event_type = u.used_type AND k.schema_version = u.used_version
	ORDER BY COALESCE(u.used_type, k.event_type) COLLATE "C", 3, u.relation::text COLLATE "C"
$$;
COMMENT ON FUNCTION event_schema_usage(text) IS 'the number of events of each version in each table, including versions without events';


-- ---------- rolling out: what is enforced ----------

CREATE FUNCTION _event_validate.list_event_enforcement(OUT relation regclass, OUT kind text, OUT name name,
	OUT column_name name, OUT data_expr text, OUT type_expr text, OUT version_expr text, OUT mode text,
	OUT mode_until timestamptz, OUT validated boolean, OUT enabled boolean, OUT definition text, OUT problem text,
	OUT types text[])
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'ev_list_event_enforcement' LANGUAGE C STABLE ROWS 20;
COMMENT ON FUNCTION _event_validate.list_event_enforcement() IS 'the rows of event_enforcement';

CREATE FUNCTION _event_validate.has_validation_stats() RETURNS boolean
	AS 'MODULE_PATHNAME', 'ev_has_validation_stats' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION _event_validate.has_validation_stats() IS 'whether there are statistics of validations';

CREATE FUNCTION _event_validate.seen_event_types(OUT relation oid, OUT event_types text[]) RETURNS SETOF record
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT s.relation_id, array_agg(DISTINCT s.event_type ORDER BY s.event_type)
	FROM _event_validate.validation_stats() AS s
	WHERE _event_validate.has_validation_stats() AND s.relation_id <> 0
		AND s.database_id = (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database())
	GROUP BY s.relation_id
$$;
COMMENT ON FUNCTION _event_validate.seen_event_types() IS 'the event types that guards have seen, by table, as far as there are statistics that the caller may read';

CREATE VIEW event_enforcement AS
	SELECT e.relation, e.kind, e.name, e.column_name, e.data_expr, e.type_expr, e.version_expr, e.types, e.mode, e.mode_until,
		e.validated, e.enabled, e.definition, e.problem, s.event_types AS event_types_seen
	FROM _event_validate.list_event_enforcement() AS e
		LEFT JOIN _event_validate.seen_event_types() AS s ON e.kind = 'guard' AND s.relation = e.relation::pg_catalog.oid
	ORDER BY e.relation::text COLLATE "C", e.kind, e.name, e.data_expr COLLATE "C";
COMMENT ON VIEW event_enforcement IS 'the CHECK constraints and guards of all tables that validate events';
GRANT SELECT ON event_enforcement TO PUBLIC;

-- ---------- rolling out: what other servers enforce ----------

-- Its caller rolls the tables back.  The other server need not tell the truth: each value is read as its type, and the
-- number of rows and their length are bounded.
CREATE FUNCTION _event_validate.ask_foreign_server(server oid, foreign_tables oid[], most_rows int)
	RETURNS TABLE (foreign_table regclass, server_name name, remote_relation text, enforced boolean, problem text,
		extension_version text, enforced_on text, kind text, name name, column_name name, data_expr text, type_expr text,
		version_expr text, types text[], mode text, mode_until timestamptz, validated boolean)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	hidden CONSTANT boolean := _event_validate.hide_context();
	asked CONSTANT name := (SELECT s.srvname FROM pg_foreign_server AS s WHERE s.oid = server);
	asked_version text;
	view_schema name;
	wanted_schemas name[];
	wanted_names name[];
	ids oid[];
	parents oid[];
	added bigint;
	command text;
BEGIN
	FOR command IN
		SELECT format('CREATE FOREIGN TABLE pg_temp.%I (%s) SERVER %I OPTIONS (schema_name %L, table_name %L)',
			concat('event_validate asks ', c.relation), c.columns, asked, 'pg_catalog', c.relation)
		FROM (VALUES
			('pg_extension', 'oid oid, extname name, extnamespace oid, extversion text'),
			('pg_depend', 'classid oid, objid oid, refclassid oid, refobjid oid, deptype "char"'),
			('pg_namespace', 'oid oid, nspname name'),
			('pg_class', 'oid oid, relname name, relnamespace oid, relkind "char"'),
			('pg_inherits', 'inhrelid oid, inhparent oid'),
			('pg_constraint', 'conrelid oid, conname name, contype "char", convalidated boolean, coninhcount int, connoinherit boolean'),
			('pg_trigger', 'tgrelid oid, tgname name, tgenabled "char"')) AS c (relation, columns)
	LOOP
		EXECUTE command;
	END LOOP;

	-- what was read; the relations with their parents; a server that lists something twice does not multiply the joins
	CREATE TEMPORARY TABLE "event_validate wanted" (foreign_table oid, schema name, relation name);
	CREATE TEMPORARY TABLE "event_validate read tables" (id oid UNIQUE, schema name, relation name, kind "char", UNIQUE (schema, relation));
	CREATE TEMPORARY TABLE "event_validate read relations" (foreign_table oid, id oid, kind "char", level int, UNIQUE (foreign_table, id));
	CREATE TEMPORARY TABLE "event_validate read names" (id oid UNIQUE, schema name, relation name, UNIQUE (schema, relation));
	CREATE TEMPORARY TABLE "event_validate read constraints" (id oid, name name, validated boolean, inherited boolean,
		own boolean, UNIQUE (id, name));
	CREATE TEMPORARY TABLE "event_validate read triggers" (id oid, name name, enabled "char", UNIQUE (id, name));
	CREATE TEMPORARY TABLE "event_validate read enforcement" (relation text, kind text, name name, column_name name, data_expr text,
		type_expr text, version_expr text, types text[], mode text, mode_until timestamptz, validated boolean, problem text);

	-- as postgres_fdw names them
	EXECUTE 'INSERT INTO pg_temp."event_validate wanted"
		SELECT c.oid, COALESCE(o.schema, n.nspname), COALESCE(o.relation, c.relname)
		FROM pg_foreign_table AS f JOIN pg_class AS c ON c.oid = f.ftrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace
			CROSS JOIN LATERAL (
				SELECT max(p.option_value) FILTER (WHERE p.option_name = ''schema_name'')::name AS schema,
					max(p.option_value) FILTER (WHERE p.option_name = ''table_name'')::name AS relation
				FROM pg_options_to_table(f.ftoptions) AS p) AS o
		WHERE f.ftrelid = ANY ($1) AND f.ftserver = $2'
		USING foreign_tables, server;

	-- the extension, with the view that belongs to it; 1259 is pg_class, 3079 is pg_extension
	EXECUTE 'SELECT left(e.extversion, 100), n.nspname
		FROM pg_temp."event_validate asks pg_extension" AS e
			JOIN pg_temp."event_validate asks pg_depend" AS d ON d.refclassid = 3079 AND d.refobjid = e.oid AND d.classid = 1259
				AND d.deptype = ''e''
			JOIN pg_temp."event_validate asks pg_class" AS c ON c.oid = d.objid AND c.relnamespace = e.extnamespace
			JOIN pg_temp."event_validate asks pg_namespace" AS n ON n.oid = c.relnamespace
		WHERE e.extname = ''event_validate'' AND c.relname = ''event_enforcement'' AND c.relkind = ''v''
		LIMIT 1' INTO asked_version, view_schema;
	IF view_schema IS NULL THEN
		RETURN QUERY EXECUTE 'SELECT w.foreign_table::regclass, $1, format(''%I.%I'', w.schema, w.relation), false,
				''event_validate is not installed in the database of the other server'', NULL::text, NULL::text, NULL::text,
				NULL::name, NULL::name, NULL::text, NULL::text, NULL::text, NULL::text[], NULL::text, NULL::timestamptz, NULL::boolean
			FROM pg_temp."event_validate wanted" AS w'
			USING asked;
		RETURN;
	END IF;

	EXECUTE 'SELECT array_agg(DISTINCT w.schema), array_agg(DISTINCT w.relation) FROM pg_temp."event_validate wanted" AS w'
		INTO wanted_schemas, wanted_names;
	EXECUTE 'INSERT INTO pg_temp."event_validate read tables"
		SELECT c.oid, n.nspname, c.relname, c.relkind
		FROM pg_temp."event_validate asks pg_class" AS c
			JOIN pg_temp."event_validate asks pg_namespace" AS n ON n.oid = c.relnamespace
		WHERE c.relname = ANY ($1) AND n.nspname = ANY ($2)
		LIMIT $3 + 1'
		USING wanted_names, wanted_schemas, most_rows;
	GET DIAGNOSTICS added = ROW_COUNT;
	IF added > most_rows THEN
		RAISE EXCEPTION USING ERRCODE = 'program_limit_exceeded', MESSAGE = format('the other server lists more than %s objects', most_rows);
	END IF;
	EXECUTE 'INSERT INTO pg_temp."event_validate read relations"
		SELECT w.foreign_table, c.id, c.kind, 0
		FROM pg_temp."event_validate read tables" AS c
			JOIN pg_temp."event_validate wanted" AS w ON w.schema = c.schema AND w.relation = c.relation';
	FOR depth IN 1 .. 100 LOOP
		EXECUTE 'SELECT array_agg(DISTINCT r.id) FROM pg_temp."event_validate read relations" AS r WHERE r.level = $1'
			INTO parents USING depth - 1;
		EXIT WHEN parents IS NULL;
		EXECUTE 'INSERT INTO pg_temp."event_validate read relations"
			SELECT r.foreign_table, i.inhparent, NULL::"char", $1
			FROM (SELECT i.inhrelid, i.inhparent FROM pg_temp."event_validate asks pg_inherits" AS i
					WHERE i.inhrelid = ANY ($2) LIMIT $3 + 1) AS i
				JOIN pg_temp."event_validate read relations" AS r ON r.level = $1 - 1 AND r.id = i.inhrelid
			EXCEPT SELECT r.foreign_table, r.id, NULL::"char", $1 FROM pg_temp."event_validate read relations" AS r
			LIMIT $3 + 1'
			USING depth, parents, most_rows;
		GET DIAGNOSTICS added = ROW_COUNT;
		IF added > most_rows THEN
			RAISE EXCEPTION USING ERRCODE = 'program_limit_exceeded', MESSAGE = 'the tables of the other server have too many parents';
		END IF;
	END LOOP;
	EXECUTE 'SELECT array_agg(DISTINCT r.id) FROM pg_temp."event_validate read relations" AS r' INTO ids;

	FOREACH command IN ARRAY ARRAY[
		'"event_validate read names" SELECT c.oid, n.nspname, c.relname
			FROM pg_temp."event_validate asks pg_class" AS c
				JOIN pg_temp."event_validate asks pg_namespace" AS n ON n.oid = c.relnamespace
			WHERE c.oid = ANY ($1) LIMIT $2 + 1',
		'"event_validate read constraints" SELECT c.conrelid, c.conname, c.convalidated, c.coninhcount > 0, c.connoinherit
			FROM pg_temp."event_validate asks pg_constraint" AS c WHERE c.conrelid = ANY ($1) AND c.contype = ''c'' LIMIT $2 + 1',
		'"event_validate read triggers" SELECT t.tgrelid, t.tgname, t.tgenabled
			FROM pg_temp."event_validate asks pg_trigger" AS t WHERE t.tgrelid = ANY ($1) LIMIT $2 + 1',
		'"event_validate read enforcement" SELECT left(e.relation, 1000), left(e.kind, 100), e.name, e.column_name,
				left(e.data_expr, 10000), left(e.type_expr, 10000), left(e.version_expr, 10000),
				CASE WHEN pg_column_size(e.types) > 10000 THEN ''{...}'' ELSE e.types END, left(e.mode, 100), e.mode_until,
				e.validated, left(e.problem, 1000)
			FROM pg_temp."event_validate asks event_enforcement" AS e LIMIT $2 + 1']
	LOOP
		IF command LIKE '%event_enforcement%' THEN
			EXECUTE format('CREATE FOREIGN TABLE pg_temp."event_validate asks event_enforcement" (relation text, kind text, name name,
				column_name name, data_expr text, type_expr text, version_expr text, types text[], mode text, mode_until timestamptz,
				validated boolean, problem text) SERVER %I OPTIONS (schema_name %L, table_name ''event_enforcement'')', asked, view_schema);
		END IF;
		EXECUTE concat('INSERT INTO pg_temp.', command) USING ids, most_rows;
		GET DIAGNOSTICS added = ROW_COUNT;
		IF added > most_rows THEN
			RAISE EXCEPTION USING ERRCODE = 'program_limit_exceeded', MESSAGE = format('the other server lists more than %s objects', most_rows);
		END IF;
	END LOOP;

	-- A constraint or guard of a parent holds here if the table has it too: a constraint that it inherited, or a guard with
	-- the name of the nearest one (of guards that are equal, only the parent's is listed).
	RETURN QUERY EXECUTE 'WITH listed AS (
			SELECT e.*, CASE WHEN e.relation ~ ''^[0-9]+$'' THEN NULL ELSE parse_ident(e.relation) END AS path
			FROM pg_temp."event_validate read enforcement" AS e),
		asked AS (
			SELECT w.foreign_table, format(''%I.%I'', w.schema, w.relation) AS shown, r.id,
				CASE WHEN r.kind IN (''r'', ''p'') THEN NULL
					WHEN r.kind = ''v'' THEN ''it is a view on the other server: ask about the table of the view''
					WHEN r.kind = ''f'' THEN ''it is a foreign table on the other server, too: ask there''
					WHEN r.id IS NOT NULL THEN ''it is no table on the other server''
					ELSE ''the other server has no such table'' END AS problem
			FROM pg_temp."event_validate wanted" AS w
				LEFT JOIN pg_temp."event_validate read relations" AS r ON r.foreign_table = w.foreign_table AND r.level = 0),
		found AS (
			SELECT a.foreign_table, format(''%I.%I'', n.schema, n.relation) AS enforced_on, l.*, t.enabled,
				COALESCE(c.validated, l.validated) AS is_validated, r.level,
				min(r.level) OVER (PARTITION BY a.foreign_table, l.kind, l.name) AS nearest
			FROM asked AS a
				JOIN pg_temp."event_validate read relations" AS r ON r.foreign_table = a.foreign_table
				JOIN pg_temp."event_validate read names" AS n ON n.id = r.id
				JOIN listed AS l ON l.path = ARRAY[n.schema, n.relation]::text[]
					OR (n.schema = ''pg_catalog'' AND l.path = ARRAY[n.relation]::text[])
				LEFT JOIN pg_temp."event_validate read constraints" AS c ON l.kind = ''check'' AND c.id = a.id AND c.name = l.name
				LEFT JOIN pg_temp."event_validate read constraints" AS p ON l.kind = ''check'' AND p.id = r.id AND p.name = l.name
				LEFT JOIN pg_temp."event_validate read triggers" AS t ON l.kind = ''guard'' AND t.id = a.id AND t.name = l.name
			WHERE a.problem IS NULL AND (l.kind = ''domain'' OR t.id IS NOT NULL
				OR (c.id IS NOT NULL AND (r.level = 0 OR (c.inherited AND NOT p.own)))))
		SELECT a.foreign_table::regclass, $1, a.shown,
			CASE WHEN a.problem IS NOT NULL OR f.problem IS NOT NULL THEN NULL
				WHEN f.kind IS NULL THEN false
				WHEN f.kind = ''guard'' THEN COALESCE(f.enabled IN (''O'', ''A'') AND f.mode IN (''enforce'', ''quarantine''), false)
				ELSE true END,
			CASE WHEN a.problem IS NOT NULL THEN a.problem
				WHEN f.problem IS NOT NULL THEN concat(''the other server says: '', f.problem)
				WHEN f.kind IS NULL THEN ''no check or guard validates the events of the table''
				WHEN f.kind = ''guard'' AND f.enabled NOT IN (''O'', ''A'') THEN ''the trigger does not fire for the writes of other servers''
				WHEN f.kind = ''guard'' AND f.mode NOT IN (''enforce'', ''quarantine'') THEN concat(''the mode of the guard is '', f.mode) END,
			$2, f.enforced_on, f.kind, f.name, f.column_name, f.data_expr, f.type_expr, f.version_expr, f.types, f.mode, f.mode_until,
			f.is_validated
		FROM asked AS a LEFT JOIN found AS f ON f.foreign_table = a.foreign_table
			AND (f.kind <> ''guard'' OR f.level = f.nearest)
		ORDER BY a.foreign_table::regclass::text COLLATE "C", f.kind, f.name, f.data_expr COLLATE "C"
		LIMIT $3 + 1'
		USING asked, asked_version, most_rows;
END
$$;
COMMENT ON FUNCTION _event_validate.ask_foreign_server(oid, oid[], int) IS 'what another server enforces on its tables that these foreign tables stand for';

CREATE FUNCTION event_foreign_enforcement(relation regclass)
	RETURNS TABLE (foreign_table regclass, server name, remote_relation text, enforced boolean, problem text,
		extension_version text, enforced_on text, kind text, name name, column_name name, data_expr text, type_expr text,
		version_expr text, types text[], mode text, mode_until timestamptz, validated boolean)
	AS 'MODULE_PATHNAME', 'ev_event_foreign_enforcement' LANGUAGE C VOLATILE STRICT ROWS 20;
COMMENT ON FUNCTION event_foreign_enforcement(regclass) IS 'asks the servers of the foreign tables of a table, over postgres_fdw, what they enforce there';
-- ---------- rolling out: guards and quarantine ----------

CREATE FUNCTION guard_event() RETURNS trigger
	AS 'MODULE_PATHNAME', 'ev_guard_event' LANGUAGE C;
COMMENT ON FUNCTION guard_event() IS 'the trigger function of add_event_guard: accepts valid events, and treats others according to its mode';

CREATE FUNCTION _event_validate.event_guard_reads(event record) RETURNS boolean
	AS 'MODULE_PATHNAME', 'ev_event_guard_reads' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION _event_validate.event_guard_reads(record) IS 'holds the expressions of a guard in the WHEN condition of its trigger; never called';
REVOKE EXECUTE ON FUNCTION _event_validate.event_guard_reads(record) FROM PUBLIC;

CREATE FUNCTION add_event_guard(relation regclass, mode text, data_expr text DEFAULT NULL,
	type_expr text DEFAULT NULL, version_expr text DEFAULT NULL,
	fires_on text DEFAULT NULL, types text[] DEFAULT NULL) RETURNS name
	AS 'MODULE_PATHNAME', 'ev_add_event_guard' LANGUAGE C;
COMMENT ON FUNCTION add_event_guard(regclass, text, text, text, text, text, text[]) IS 'adds a trigger that validates the events of a table, in a mode that can be switched';

CREATE FUNCTION set_event_guard_mode(relation regclass, mode text, until timestamptz DEFAULT NULL,
	OUT guarded_relation regclass, OUT old_mode text, OUT new_mode text, OUT mode_until timestamptz, OUT problem text)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'ev_set_event_guard_mode' LANGUAGE C ROWS 1;
COMMENT ON FUNCTION set_event_guard_mode(regclass, text, timestamptz) IS 'switches the guard of a table, or of all tables: enforce, quarantine, warn, off';

CREATE FUNCTION drop_event_guard(relation regclass) RETURNS void
	AS 'MODULE_PATHNAME', 'ev_drop_event_guard' LANGUAGE C;
COMMENT ON FUNCTION drop_event_guard(regclass) IS 'drops the guard of a table, and with the last guard the quarantine, if it is empty';

CREATE FUNCTION create_event_quarantine(first_id bigint DEFAULT NULL) RETURNS void
	AS 'MODULE_PATHNAME', 'ev_create_event_quarantine' LANGUAGE C;
COMMENT ON FUNCTION create_event_quarantine(bigint) IS 'creates the tables for diverted and for migrated events, on a subscriber or a worker that needs them before it has a guard';

CREATE FUNCTION _event_validate.list_event_quarantine(OUT id bigint, OUT relation_schema text, OUT relation_name text,
	OUT "row" jsonb, OUT event_type text, OUT schema_version int, OUT violations jsonb, OUT kept boolean,
	OUT arrived_at timestamptz, OUT role text, OUT application text, OUT "transaction" xid8)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'ev_list_event_quarantine' LANGUAGE C STABLE;
COMMENT ON FUNCTION _event_validate.list_event_quarantine() IS 'the rows of event_quarantine';

CREATE VIEW event_quarantine AS
	SELECT id, relation_schema, relation_name, "row", event_type, schema_version, violations, kept,
		arrived_at, role, application, "transaction"
	FROM _event_validate.list_event_quarantine();
COMMENT ON VIEW event_quarantine IS 'the events that guards diverted or warned about; needs SELECT on event_schema.quarantine';
GRANT SELECT ON event_quarantine TO PUBLIC;

CREATE FUNCTION _event_validate.event_quarantine_counts(OUT relation_schema text, OUT relation_name text, OUT kept boolean,
	OUT events bigint, OUT oldest_at timestamptz, OUT newest_at timestamptz, OUT complete boolean)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'ev_event_quarantine_counts' LANGUAGE C STABLE ROWS 10;
COMMENT ON FUNCTION _event_validate.event_quarantine_counts() IS 'the rows of event_quarantine_counts';

CREATE VIEW event_quarantine_counts AS
	SELECT relation_schema, relation_name, kept, events, oldest_at, newest_at, complete
	FROM _event_validate.event_quarantine_counts();
COMMENT ON VIEW event_quarantine_counts IS 'how many events of each table the quarantine has; needs SELECT on event_schema.quarantine, or the rights of pg_read_all_stats, which pg_monitor has';
GRANT SELECT ON event_quarantine_counts TO PUBLIC;

CREATE FUNCTION replay_event_quarantine(relation regclass DEFAULT NULL, event_type text DEFAULT NULL,
	schema_version int DEFAULT NULL, repair text DEFAULT NULL, max_rows int DEFAULT 10000,
	after_id bigint DEFAULT NULL, ids bigint[] DEFAULT NULL, dry_run boolean DEFAULT false,
	OUT relation_schema text, OUT relation_name text, OUT replayed bigint, OUT remaining bigint,
	OUT last_id bigint, OUT problem text, OUT event_id bigint, OUT stored boolean, OUT violations jsonb)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'ev_replay_event_quarantine' LANGUAGE C ROWS 1;
COMMENT ON FUNCTION replay_event_quarantine(regclass, text, int, text, int, bigint, bigint[], boolean) IS 'inserts events of the quarantine that are valid now into their tables, or shows in a dry run what it would insert';

CREATE FUNCTION purge_event_quarantine(older_than interval, relation regclass DEFAULT NULL,
	event_type text DEFAULT NULL, schema_version int DEFAULT NULL, kept boolean DEFAULT NULL, reason jsonb DEFAULT NULL) RETURNS bigint
	AS 'MODULE_PATHNAME', 'ev_purge_event_quarantine' LANGUAGE C;
COMMENT ON FUNCTION purge_event_quarantine(interval, regclass, text, int, boolean, jsonb) IS 'deletes events that have been in the quarantine for longer than an interval, also only those with a given reason';

CREATE FUNCTION _event_validate.event_validate_guard_quarantine() RETURNS event_trigger
	AS 'MODULE_PATHNAME', 'ev_guard_quarantine' LANGUAGE C;
COMMENT ON FUNCTION _event_validate.event_validate_guard_quarantine() IS 'refuses commands that would drop quarantined events together with something else';

REVOKE EXECUTE ON FUNCTION _event_validate.event_validate_guard_quarantine() FROM PUBLIC;

CREATE EVENT TRIGGER event_validate_guard_quarantine ON ddl_command_start
	WHEN TAG IN ('DROP EXTENSION', 'DROP SCHEMA', 'DROP OWNED', 'DROP LANGUAGE', 'DROP TABLE')
	EXECUTE FUNCTION _event_validate.event_validate_guard_quarantine();
COMMENT ON EVENT TRIGGER event_validate_guard_quarantine IS 'protects quarantined events';

-- ---------- watching: statistics of validations ----------

CREATE FUNCTION _event_validate.validation_stats(OUT database_id oid, OUT role_id oid, OUT relation_id oid, OUT event_type text,
	OUT schema_version int, OUT valid bigint, OUT invalid bigint, OUT warned bigint, OUT quarantined bigint, OUT replayed bigint,
	OUT bypassed bigint, OUT first_invalid_at timestamptz, OUT last_invalid_at timestamptz, OUT timed bigint,
	OUT total_time double precision, OUT since timestamptz)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'ev_validation_stats' LANGUAGE C VOLATILE PARALLEL SAFE ROWS 100;
COMMENT ON FUNCTION _event_validate.validation_stats() IS 'the rows of event_validation_stats';

CREATE FUNCTION _event_validate.validation_stats_history(OUT database_id oid, OUT role_id oid, OUT relation_id oid,
	OUT event_type text, OUT schema_version int, OUT hour timestamptz, OUT valid bigint, OUT invalid bigint, OUT warned bigint,
	OUT quarantined bigint, OUT replayed bigint, OUT bypassed bigint)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'ev_validation_stats_history' LANGUAGE C VOLATILE PARALLEL SAFE ROWS 1000;
COMMENT ON FUNCTION _event_validate.validation_stats_history() IS 'the rows of event_validation_stats_history';

CREATE FUNCTION _event_validate.validation_stats_daily(OUT database_id oid, OUT role_id oid, OUT relation_id oid,
	OUT event_type text, OUT schema_version int, OUT day date, OUT valid bigint, OUT invalid bigint, OUT warned bigint,
	OUT quarantined bigint, OUT replayed bigint, OUT bypassed bigint)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'ev_validation_stats_daily' LANGUAGE C VOLATILE PARALLEL SAFE ROWS 1000;
COMMENT ON FUNCTION _event_validate.validation_stats_daily() IS 'the rows of event_validation_stats_daily';

CREATE FUNCTION _event_validate.validation_failures(OUT database_id oid, OUT role_id oid, OUT relation_id oid, OUT event_type text,
	OUT schema_version int, OUT reason text, OUT instance_location text, OUT keyword text, OUT events bigint,
	OUT first_at timestamptz, OUT last_at timestamptz, OUT sample text)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'ev_validation_failures' LANGUAGE C VOLATILE PARALLEL SAFE ROWS 100;
COMMENT ON FUNCTION _event_validate.validation_failures() IS 'the rows of event_validation_failures';

CREATE FUNCTION _event_validate.validation_stats_info(OUT stats_evicted bigint, OUT failures_evicted bigint, OUT reset_at timestamptz)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'ev_validation_stats_info' LANGUAGE C VOLATILE PARALLEL SAFE ROWS 1;
COMMENT ON FUNCTION _event_validate.validation_stats_info() IS 'the row of event_validation_stats_info';

CREATE FUNCTION _event_validate.event_is_registered(event_type text, schema_version int) RETURNS boolean
	AS 'MODULE_PATHNAME', 'ev_event_is_registered' LANGUAGE C STABLE STRICT;
COMMENT ON FUNCTION _event_validate.event_is_registered(text, int) IS 'whether a type has this version; false for what can be no type';

-- the relation is known by its name in its own database only, and so is what is registered
CREATE VIEW event_validation_stats AS
	SELECT d.datname AS database, pg_catalog.pg_get_userbyid(s.role_id) AS role,
		CASE WHEN d.datname = pg_catalog.current_database() THEN s.relation_id::pg_catalog.regclass END AS relation,
		s.event_type, s.schema_version, s.valid, s.invalid, s.warned, s.quarantined, s.replayed, s.bypassed,
		s.first_invalid_at, s.last_invalid_at, s.timed, s.total_time, s.since,
		CASE WHEN d.datname = pg_catalog.current_database() THEN _event_validate.event_is_registered(s.event_type, s.schema_version) END AS registered,
		s.database_id, s.role_id, s.relation_id
	FROM _event_validate.validation_stats() AS s LEFT JOIN pg_catalog.pg_database AS d ON d.oid = s.database_id;
COMMENT ON VIEW event_validation_stats IS 'how many events of each type and version were valid and invalid';
GRANT SELECT ON event_validation_stats TO PUBLIC;

CREATE VIEW event_validation_stats_history AS
	SELECT d.datname AS database, pg_catalog.pg_get_userbyid(s.role_id) AS role,
		CASE WHEN d.datname = pg_catalog.current_database() THEN s.relation_id::pg_catalog.regclass END AS relation,
		s.event_type, s.schema_version, s.hour, s.valid, s.invalid, s.warned, s.quarantined, s.replayed, s.bypassed,
		s.database_id, s.role_id, s.relation_id
	FROM _event_validate.validation_stats_history() AS s LEFT JOIN pg_catalog.pg_database AS d ON d.oid = s.database_id;
COMMENT ON VIEW event_validation_stats_history IS 'the same for each of the last hours';
GRANT SELECT ON event_validation_stats_history TO PUBLIC;

CREATE VIEW event_validation_stats_daily AS
	SELECT d.datname AS database, pg_catalog.pg_get_userbyid(s.role_id) AS role,
		CASE WHEN d.datname = pg_catalog.current_database() THEN s.relation_id::pg_catalog.regclass END AS relation,
		s.event_type, s.schema_version, s.day, s.valid, s.invalid, s.warned, s.quarantined, s.replayed, s.bypassed,
		s.database_id, s.role_id, s.relation_id
	FROM _event_validate.validation_stats_daily() AS s LEFT JOIN pg_catalog.pg_database AS d ON d.oid = s.database_id;
COMMENT ON VIEW event_validation_stats_daily IS 'the same for each of the last days, in UTC';
GRANT SELECT ON event_validation_stats_daily TO PUBLIC;

CREATE VIEW event_validation_failures AS
	SELECT d.datname AS database, pg_catalog.pg_get_userbyid(s.role_id) AS role,
		CASE WHEN d.datname = pg_catalog.current_database() THEN s.relation_id::pg_catalog.regclass END AS relation,
		s.event_type, s.schema_version, s.reason, s.instance_location, s.keyword, s.events, s.first_at, s.last_at, s.sample,
		CASE WHEN d.datname = pg_catalog.current_database() THEN _event_validate.event_is_registered(s.event_type, s.schema_version) END AS registered,
		s.database_id, s.role_id, s.relation_id
	FROM _event_validate.validation_failures() AS s LEFT JOIN pg_catalog.pg_database AS d ON d.oid = s.database_id
	ORDER BY s.events DESC, s.last_at DESC;
COMMENT ON VIEW event_validation_failures IS 'what was wrong with events, the most frequent first';
GRANT SELECT ON event_validation_failures TO PUBLIC;

CREATE VIEW event_validation_stats_info AS
	SELECT stats_evicted, failures_evicted, reset_at FROM _event_validate.validation_stats_info();
COMMENT ON VIEW event_validation_stats_info IS 'how many rows of the statistics left for others, and when they were reset';
GRANT SELECT ON event_validation_stats_info TO PUBLIC;

CREATE FUNCTION event_validation_stats_reset(database name DEFAULT NULL, event_type text DEFAULT NULL, schema_version int DEFAULT NULL)
	RETURNS void
	AS 'MODULE_PATHNAME', 'ev_event_validation_stats_reset' LANGUAGE C VOLATILE PARALLEL SAFE;
COMMENT ON FUNCTION event_validation_stats_reset(name, text, int) IS 'removes statistics of validations: of a database, an event type and a version, each NULL for all';
REVOKE ALL ON FUNCTION event_validation_stats_reset(name, text, int) FROM PUBLIC;

-- ---------- watching: progress ----------

CREATE FUNCTION _event_validate.list_progress(OUT pid int, OUT database_id oid, OUT relation_id oid, OUT command text, OUT phase text,
	OUT rows_done bigint, OUT rows_total bigint, OUT rows_changed bigint, OUT rows_failed bigint, OUT started timestamptz)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'ev_progress_list' LANGUAGE C VOLATILE PARALLEL RESTRICTED ROWS 10;
COMMENT ON FUNCTION _event_validate.list_progress() IS 'the rows of event_progress';

-- the relation is known by its name in its own database only
CREATE VIEW event_progress AS
	SELECT p.pid, p.database_id AS datid, d.datname, p.relation_id AS relid,
		CASE WHEN d.datname = pg_catalog.current_database() THEN p.relation_id::pg_catalog.regclass END AS relation,
		p.command, p.phase, p.rows_done, p.rows_total, p.rows_changed, p.rows_failed, p.started
	FROM _event_validate.list_progress() AS p LEFT JOIN pg_catalog.pg_database AS d ON d.oid = p.database_id;
COMMENT ON VIEW event_progress IS 'how far audits, validations of checks, migrations, replays and others are that run now';
GRANT SELECT ON event_progress TO PUBLIC;

-- A command ends with its transaction at the latest, unless it commits.
CREATE FUNCTION _event_validate.start_progress(command text, relation regclass, commits boolean) RETURNS void
	AS 'MODULE_PATHNAME', 'ev_progress_begin' LANGUAGE C STRICT;
COMMENT ON FUNCTION _event_validate.start_progress(text, regclass, boolean) IS 'begins a command in event_progress';

CREATE FUNCTION _event_validate.set_progress_phase(phase text, relation regclass) RETURNS void
	AS 'MODULE_PATHNAME', 'ev_progress_set_phase' LANGUAGE C;
COMMENT ON FUNCTION _event_validate.set_progress_phase(text, regclass) IS 'begins a phase of the command, about the rows of this relation; NULL: they are not counted';

CREATE FUNCTION _event_validate.set_progress_pages(part regclass, pages_done bigint, pages bigint, rows_changed bigint) RETURNS void
	AS 'MODULE_PATHNAME', 'ev_progress_set_pages' LANGUAGE C STRICT;
COMMENT ON FUNCTION _event_validate.set_progress_pages(regclass, bigint, bigint, bigint) IS 'how many pages of a table or partition the command has read';

CREATE FUNCTION _event_validate.end_progress() RETURNS void
	AS 'MODULE_PATHNAME', 'ev_progress_finish' LANGUAGE C;
COMMENT ON FUNCTION _event_validate.end_progress() IS 'ends the command';

-- cheap, so that it is evaluated before other conditions
CREATE FUNCTION _event_validate.count_progress() RETURNS boolean
	AS 'MODULE_PATHNAME', 'ev_progress_count' LANGUAGE C VOLATILE PARALLEL SAFE COST 0.01;
COMMENT ON FUNCTION _event_validate.count_progress() IS 'true; counts the row that it is evaluated for';

-- ---------- the catalogue of events ----------

CREATE FUNCTION event_schema_uri(event_type text, schema_version int DEFAULT NULL) RETURNS text
	AS 'MODULE_PATHNAME', 'ev_event_schema_uri' LANGUAGE C STABLE;
COMMENT ON FUNCTION event_schema_uri(text, int) IS 'the URI of a version, as CloudEvents'' "dataschema": its $id, or event:TYPE@VERSION';

CREATE FUNCTION event_schema_properties(event_type text, schema_version int DEFAULT NULL,
	OUT path text, OUT condition text, OUT type text, OUT required boolean, OUT constraints text[], OUT title text,
	OUT description text, OUT default_value jsonb, OUT examples jsonb, OUT deprecated boolean)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'ev_event_schema_properties' LANGUAGE C STABLE ROWS 50;
COMMENT ON FUNCTION event_schema_properties(text, int) IS 'the properties of a version, with their types, constraints and descriptions';

CREATE FUNCTION event_schema_example(event_type text, schema_version int DEFAULT NULL) RETURNS jsonb
	AS 'MODULE_PATHNAME', 'ev_event_schema_example' LANGUAGE C STABLE;
COMMENT ON FUNCTION event_schema_example(text, int) IS 'a valid event: from the examples of the schema, or made from it; NULL if none was found';

CREATE FUNCTION _event_validate.event_schema_page(event_type text, schema_version int, sites jsonb) RETURNS text
	AS 'MODULE_PATHNAME', 'ev_event_schema_page' LANGUAGE C STABLE;
COMMENT ON FUNCTION _event_validate.event_schema_page(text, int, jsonb) IS 'the page of event_schema_docs, with these rows of event_enforcement';

-- An expression for the type can be a constant, which names one type.
CREATE FUNCTION _event_validate.event_schema_sites(event_type text) RETURNS jsonb
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT COALESCE(jsonb_agg(jsonb_build_object('relation', e.relation::text, 'kind', e.kind, 'name', e.name, 'mode', e.mode,
			'type', e.type_expr, 'version', e.version_expr)
		ORDER BY e.relation::text COLLATE "C", e.kind COLLATE "C", e.name, e.data_expr COLLATE "C"), '[]')
	FROM @extschema@.event_enforcement AS e
	WHERE e.relation IS NOT NULL
		AND (has_table_privilege(e.relation, 'SELECT, INSERT, UPDATE, DELETE') OR has_any_column_privilege(e.relation, 'SELECT, INSERT, UPDATE'))
		AND (e.types IS NULL OR event_schema_sites.event_type = ANY (e.types))
		AND (e.type_expr IS NULL OR e.type_expr !~ '^E?''' OR starts_with(e.type_expr, quote_literal(event_schema_sites.event_type) || '::'))
$$;
COMMENT ON FUNCTION _event_validate.event_schema_sites(text) IS 'the rows of event_enforcement about tables that the caller may use, for an event type';

CREATE FUNCTION event_schema_docs(event_type text, schema_version int DEFAULT NULL) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT _event_validate.event_schema_page($1, $2, CASE WHEN $1 IS NOT NULL THEN _event_validate.event_schema_sites($1) END)
$$;
COMMENT ON FUNCTION event_schema_docs(text, int) IS 'a page about a version, or the latest one, in Markdown: properties, example, versions, changes, upcasts, where it is enforced';

CREATE FUNCTION _event_validate.schema_components(filter jsonb, dialect text, suffix text, simple_discriminator boolean,
	OUT name text, OUT event_type text, OUT schema_version int, OUT uri text, OUT title text, OUT description text,
	OUT deprecated boolean, OUT latest boolean, OUT is_event boolean, OUT dialect_name text, OUT dialect_uri text,
	OUT schema jsonb, OUT left_out text[], OUT example jsonb)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'ev_schema_components' LANGUAGE C STABLE STRICT ROWS 100;
COMMENT ON FUNCTION _event_validate.schema_components(jsonb, text, text, boolean) IS 'the registered schemas that a filter chooses, and those to which they refer, as components that refer to each other';

CREATE FUNCTION _event_validate.catalogue_option(name text, value text, VARIADIC known text[]) RETURNS text
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	hidden CONSTANT boolean := _event_validate.hide_context();
BEGIN
	IF value <> ALL (known) THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = format('unknown value "%s" of %s', value, name),
			HINT = format('The values are "%s".', array_to_string(known, '", "'));
	END IF;
	RETURN value;
END
$$;
COMMENT ON FUNCTION _event_validate.catalogue_option(text, text, text[]) IS 'the value of an option; raises an error unless it is one of those known';

-- CloudEvents 1.0: the attributes are headers "ce_..." of Kafka (binary), or members of the payload (structured).
CREATE FUNCTION _event_validate.cloud_event_attributes(prefix text, event_type text, uri text) RETURNS jsonb
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT jsonb_build_object('type', 'object',
		'required', jsonb_build_array(prefix || 'specversion', prefix || 'id', prefix || 'source', prefix || 'type', prefix || 'dataschema'),
		'properties', jsonb_build_object(
			prefix || 'specversion', jsonb_build_object('type', 'string', 'const', '1.0'),
			prefix || 'id', '{"type": "string", "minLength": 1}'::jsonb,
			prefix || 'source', '{"type": "string", "format": "uri-reference", "minLength": 1}'::jsonb,
			prefix || 'type', jsonb_build_object('type', 'string', 'const', event_type),
			prefix || 'dataschema', jsonb_build_object('type', 'string', 'format', 'uri', 'const', uri),
			prefix || 'time', '{"type": "string", "format": "date-time"}'::jsonb,
			prefix || 'subject', '{"type": "string", "minLength": 1}'::jsonb))
$$;
COMMENT ON FUNCTION _event_validate.cloud_event_attributes(text, text, text) IS 'the schema of the context attributes of CloudEvents';

CREATE FUNCTION _event_validate.cloud_event_example(mode text, event_type text, uri text, event jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT CASE mode
		WHEN 'binary' THEN jsonb_build_object('payload', event, 'headers', jsonb_build_object('ce_specversion', '1.0', 'ce_id', '1',
			'ce_source', '/example', 'ce_type', event_type, 'ce_dataschema', uri))
		WHEN 'structured' THEN jsonb_build_object('payload', jsonb_build_object('specversion', '1.0', 'id', '1', 'source', '/example',
			'type', event_type, 'dataschema', uri, 'datacontenttype', 'application/json', 'data', event))
		ELSE jsonb_build_object('payload', event) END
$$;
COMMENT ON FUNCTION _event_validate.cloud_event_example(text, text, text, jsonb) IS 'the example of a message of AsyncAPI';

CREATE FUNCTION event_asyncapi(filter jsonb DEFAULT '{}', title text DEFAULT NULL, api_version text DEFAULT '1.0.0',
	dialect text DEFAULT 'draft-07', cloudevents text DEFAULT 'none', action text DEFAULT 'send') RETURNS jsonb
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	hidden CONSTANT boolean := _event_validate.hide_context();
	mode text;
	actions text[];
BEGIN
	PERFORM _event_validate.require_arguments('{filter,api_version,dialect,cloudevents,action}'::text[], filter, api_version, dialect, cloudevents, action);
	mode := _event_validate.catalogue_option('cloudevents', cloudevents, 'none', 'binary', 'structured');
	actions := CASE _event_validate.catalogue_option('action', action, 'send', 'receive', 'both')
		WHEN 'both' THEN '{send,receive}' ELSE ARRAY[action] END;
	RETURN (
		WITH component AS MATERIALIZED (
			SELECT c.*, 'application/schema+json;version=' || c.dialect_name AS schema_format,
				regexp_replace(left(c.event_type, 200), '[^A-Za-z0-9.-]', '_', 'g') AS type_name
			FROM _event_validate.schema_components(filter, dialect, '/schema', true) AS c),
		channel AS (
			SELECT e.event_type, e.type_name || CASE WHEN e.type_name <> e.event_type OR e.type_name ~ '_[0-9a-f]{16}$'
				THEN '_' || left(md5(e.event_type), 16) ELSE '' END AS key
			FROM (SELECT DISTINCT c.event_type, c.type_name FROM component AS c WHERE c.is_event) AS e),
		message AS (
			SELECT c.name, h.key AS channel, 'v' || c.schema_version AS version,
				jsonb_strip_nulls(jsonb_build_object('name', c.event_type, 'title', COALESCE(c.title, c.event_type || ' ' || c.schema_version),
					'contentType', CASE mode WHEN 'structured' THEN 'application/cloudevents+json' ELSE 'application/json' END,
					'x-schema-version', c.schema_version, 'x-dataschema', c.uri, 'x-deprecated', CASE WHEN c.deprecated THEN true END))
				|| CASE WHEN c.description IS NOT NULL THEN jsonb_build_object('description', c.description) ELSE '{}' END
				|| CASE mode WHEN 'structured' THEN jsonb_build_object('payload', jsonb_build_object('schemaFormat', c.schema_format, 'schema',
					jsonb_build_object('allOf', jsonb_build_array(_event_validate.cloud_event_attributes('', c.event_type, c.uri),
						jsonb_build_object('required', '["data"]'::jsonb, 'properties', jsonb_build_object(
							'datacontenttype', '{"const": "application/json"}'::jsonb,
							'data', jsonb_build_object('$ref', '#/components/schemas/' || c.name || '/schema')))))))
					ELSE jsonb_build_object('payload', jsonb_build_object('$ref', '#/components/schemas/' || c.name)) END
				|| CASE mode WHEN 'binary' THEN jsonb_build_object('headers', _event_validate.cloud_event_attributes('ce_', c.event_type, c.uri)) ELSE '{}' END
				|| CASE WHEN c.example IS NULL THEN '{}' ELSE jsonb_build_object('examples', jsonb_build_array(
					_event_validate.cloud_event_example(mode, c.event_type, c.uri, c.example))) END AS definition
			FROM component AS c JOIN channel AS h ON h.event_type = c.event_type WHERE c.is_event)
		SELECT jsonb_build_object('asyncapi', '3.0.0',
			'info', jsonb_build_object('title', COALESCE(title, 'Events of ' || current_database()), 'version', api_version),
			'defaultContentType', 'application/json',
			'channels', COALESCE((SELECT jsonb_object_agg(h.key, jsonb_build_object('address', h.event_type, 'messages',
					(SELECT jsonb_object_agg(m.version, jsonb_build_object('$ref', '#/components/messages/' || m.name)) FROM message AS m WHERE m.channel = h.key)))
				FROM channel AS h), '{}'),
			'operations', COALESCE((SELECT jsonb_object_agg(a.action || '.' || h.key, jsonb_build_object('action', a.action,
					'channel', jsonb_build_object('$ref', '#/channels/' || h.key)))
				FROM channel AS h, unnest(actions) AS a (action)), '{}'),
			'components', jsonb_build_object(
				'messages', COALESCE((SELECT jsonb_object_agg(m.name, m.definition) FROM message AS m), '{}'),
				'schemas', COALESCE((SELECT jsonb_object_agg(c.name, jsonb_build_object('schemaFormat', c.schema_format, 'schema',
						c.schema || CASE WHEN c.left_out = '{}' THEN '{}' ELSE jsonb_build_object('x-left-out', to_jsonb(c.left_out)) END))
					FROM component AS c), '{}'))));
END
$$;
COMMENT ON FUNCTION event_asyncapi(jsonb, text, text, text, text, text) IS 'the registered schemas as an AsyncAPI 3.0 document: channels, messages, operations, schemas';

CREATE FUNCTION event_openapi(filter jsonb DEFAULT '{}', title text DEFAULT NULL, api_version text DEFAULT '1.0.0',
	webhooks boolean DEFAULT false) RETURNS jsonb
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	hidden CONSTANT boolean := _event_validate.hide_context();
BEGIN
	PERFORM _event_validate.require_arguments('{filter,api_version,webhooks}'::text[], filter, api_version, webhooks);
	RETURN (
		WITH component AS MATERIALIZED (
			SELECT c.* FROM _event_validate.schema_components(filter, 'own', '', false) AS c)
		SELECT jsonb_build_object('openapi', '3.1.0',
				'info', jsonb_build_object('title', COALESCE(title, 'Events of ' || current_database()), 'version', api_version),
				'jsonSchemaDialect', 'https://json-schema.org/draft/2020-12/schema',
				'components', jsonb_build_object('schemas', COALESCE((SELECT jsonb_object_agg(c.name,
					CASE c.dialect_name WHEN '2020-12' THEN '{}' ELSE jsonb_build_object('$schema', c.dialect_uri) END || c.schema
						|| CASE WHEN c.left_out = '{}' THEN '{}' ELSE jsonb_build_object('x-left-out', to_jsonb(c.left_out)) END)
					FROM component AS c), '{}')))
			|| CASE WHEN webhooks THEN jsonb_build_object('webhooks', COALESCE((SELECT jsonb_object_agg(c.name, jsonb_build_object('post',
					jsonb_strip_nulls(jsonb_build_object('operationId', c.name, 'summary', c.title, 'deprecated', CASE WHEN c.deprecated THEN true END))
					|| jsonb_build_object('requestBody', jsonb_build_object('required', true, 'content', jsonb_build_object('application/json',
							jsonb_build_object('schema', jsonb_build_object('$ref', '#/components/schemas/' || c.name))
							|| CASE WHEN c.example IS NULL THEN '{}' ELSE jsonb_build_object('example', c.example) END)),
						'responses', '{"2XX": {"description": "The event is accepted."}}'::jsonb)))
					FROM component AS c WHERE c.is_event), '{}')) ELSE '{}' END);
END
$$;
COMMENT ON FUNCTION event_openapi(jsonb, text, text, boolean) IS 'the registered schemas as components of an OpenAPI 3.1 document, also with a webhook for each';
-- ---------- protecting registered schemas ----------

CREATE FUNCTION _event_validate.event_validate_guard_ddl() RETURNS event_trigger
	AS 'MODULE_PATHNAME', 'ev_guard_ddl' LANGUAGE C;
COMMENT ON FUNCTION _event_validate.event_validate_guard_ddl() IS 'refuses to rename, move or redefine registered schemas';

CREATE FUNCTION _event_validate.event_validate_guard_drop() RETURNS event_trigger
	AS 'MODULE_PATHNAME', 'ev_guard_drop' LANGUAGE C;
COMMENT ON FUNCTION _event_validate.event_validate_guard_drop() IS 'refuses to drop a registered schema while stored events have its type and version';

CREATE FUNCTION _event_validate.event_validate_advise_alter() RETURNS event_trigger
	AS 'MODULE_PATHNAME', 'ev_advise_alter_table' LANGUAGE C;
COMMENT ON FUNCTION _event_validate.event_validate_advise_alter() IS 'says what to do where PostgreSQL would refuse ALTER TABLE because of a guard or an event check';

REVOKE EXECUTE ON FUNCTION _event_validate.event_validate_guard_ddl(), _event_validate.event_validate_guard_drop(),
	_event_validate.event_validate_advise_alter() FROM PUBLIC;

CREATE EVENT TRIGGER event_validate_guard_ddl ON ddl_command_end
	WHEN TAG IN ('CREATE FUNCTION', 'CREATE PROCEDURE', 'CREATE AGGREGATE',
		'ALTER FUNCTION', 'ALTER PROCEDURE', 'ALTER ROUTINE', 'ALTER AGGREGATE',
		'ALTER SCHEMA', 'ALTER LANGUAGE', 'ALTER EXTENSION')
	EXECUTE FUNCTION _event_validate.event_validate_guard_ddl();
COMMENT ON EVENT TRIGGER event_validate_guard_ddl IS 'protects registered schemas against changes';

CREATE EVENT TRIGGER event_validate_guard_drop ON sql_drop
	WHEN TAG IN ('DROP FUNCTION', 'DROP PROCEDURE', 'DROP ROUTINE', 'DROP AGGREGATE',
		'DROP EXTENSION', 'DROP LANGUAGE', 'DROP SCHEMA', 'DROP OWNED')
	EXECUTE FUNCTION _event_validate.event_validate_guard_drop();
COMMENT ON EVENT TRIGGER event_validate_guard_drop IS 'protects registered schemas that stored events need';

CREATE EVENT TRIGGER event_validate_advise_alter ON ddl_command_start
	WHEN TAG IN ('ALTER TABLE')
	EXECUTE FUNCTION _event_validate.event_validate_advise_alter();
COMMENT ON EVENT TRIGGER event_validate_advise_alter IS 'says what to do where a guard or an event check hinders ALTER TABLE';
