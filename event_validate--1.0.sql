/* event_validate--1.0.sql: "make event_validate--1.0.sql" writes it from the files in install */

-- complain if script is sourced in psql, rather than via CREATE EXTENSION
\echo Use "CREATE EXTENSION event_validate" to load this file. \quit

-- The schema that this is installed in may be one where others create functions,
-- operators and types: for them no call here may be a better match.  So every
-- name has its schema, every operator too, and the extension's own functions are
-- called with exactly their types, all of them.  A body that reads no expression of
-- a user's has a search_path of its own instead, and then only the last rule
-- counts.  (test/hostile/test_overloads.py)

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
-- nobody else may create in it.
CREATE SCHEMA _event_validate;
GRANT USAGE ON SCHEMA _event_validate TO PUBLIC;
COMMENT ON SCHEMA _event_validate IS 'internal functions of extension event_validate';

-- ---------- the language ----------

CREATE FUNCTION _event_validate.jsonschema_call_handler() RETURNS language_handler
	AS 'MODULE_PATHNAME', 'ev_jsonschema_call_handler' LANGUAGE C;
COMMENT ON FUNCTION _event_validate.jsonschema_call_handler() IS 'runs functions in language jsonschema';

CREATE FUNCTION _event_validate.jsonschema_validator(oid) RETURNS void
	AS 'MODULE_PATHNAME', 'ev_jsonschema_validator' LANGUAGE C STRICT;
COMMENT ON FUNCTION _event_validate.jsonschema_validator(oid) IS 'checks functions in language jsonschema when they are created';

-- PostgreSQL calls these without asking for EXECUTE.
REVOKE EXECUTE ON FUNCTION _event_validate.jsonschema_call_handler(), _event_validate.jsonschema_validator(oid) FROM PUBLIC;

CREATE TRUSTED LANGUAGE jsonschema HANDLER _event_validate.jsonschema_call_handler VALIDATOR _event_validate.jsonschema_validator;
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

CREATE FUNCTION drop_event_schema(event_type text, schema_version int, force boolean DEFAULT false) RETURNS void
	AS 'MODULE_PATHNAME', 'ev_drop_event_schema' LANGUAGE C;
COMMENT ON FUNCTION drop_event_schema(text, int, boolean) IS 'drops a registered schema that no row needs';

CREATE FUNCTION register_schema(uri text, definition text) RETURNS regprocedure
	AS 'MODULE_PATHNAME', 'ev_register_schema' LANGUAGE C;
COMMENT ON FUNCTION register_schema(text, text) IS 'registers a document that other schemas refer to by its URI';

CREATE FUNCTION event_schema_ddl(event_type text DEFAULT NULL) RETURNS SETOF text
	AS 'MODULE_PATHNAME', 'ev_event_schema_ddl' LANGUAGE C STABLE ROWS 100;
COMMENT ON FUNCTION event_schema_ddl(text) IS 'the commands that recreate what is registered';

CREATE FUNCTION event_schema_program(event_type text, schema_version int) RETURNS SETOF text
	AS 'MODULE_PATHNAME', 'ev_event_schema_program' LANGUAGE C STABLE ROWS 100;
COMMENT ON FUNCTION event_schema_program(text, int) IS 'the compiled schema, one instruction a line';

CREATE FUNCTION _event_validate.list_event_schemas(OUT event_type text, OUT schema_version int, OUT definition text,
	OUT title text, OUT description text, OUT deprecated boolean, OUT dialect text,
	OUT owner name, OUT function regprocedure)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'ev_list_event_schemas' LANGUAGE C STABLE ROWS 100;
COMMENT ON FUNCTION _event_validate.list_event_schemas() IS 'the rows of event_schemas';

CREATE VIEW event_schemas AS
	SELECT event_type, schema_version, definition, title, description, deprecated, dialect, owner, function
	FROM _event_validate.list_event_schemas();
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

CREATE FUNCTION set_event_compatibility(event_type text, policy text, lenient boolean DEFAULT true) RETURNS void
	AS 'MODULE_PATHNAME', 'ev_set_event_compatibility' LANGUAGE C;
COMMENT ON FUNCTION set_event_compatibility(text, text, boolean) IS 'sets what a new version of an event''s schema must be compatible with';

-- ---------- evolution: upcasts ----------

CREATE FUNCTION register_event_upcast(event_type text, from_version int, to_version int, upcast regprocedure)
	RETURNS regprocedure
	AS 'MODULE_PATHNAME', 'ev_register_event_upcast' LANGUAGE C;
COMMENT ON FUNCTION register_event_upcast(text, int, int, regprocedure) IS 'registers the function that brings events of a version to the next';

-- PARALLEL UNSAFE, as it runs users' functions, which may be so.
CREATE FUNCTION upcast_event(data jsonb, event_type text, from_version int, to_version int DEFAULT NULL) RETURNS jsonb
	AS 'MODULE_PATHNAME', 'ev_upcast_event' LANGUAGE C STABLE PARALLEL UNSAFE COST 200;
COMMENT ON FUNCTION upcast_event(jsonb, text, int, int) IS 'the event brought from its version to a later one, or to the latest, step by step';

CREATE FUNCTION event_upcast_path(event_type text, from_version int, to_version int DEFAULT NULL) RETURNS regprocedure[]
	AS 'MODULE_PATHNAME', 'ev_event_upcast_path' LANGUAGE C STABLE;
COMMENT ON FUNCTION event_upcast_path(text, int, int) IS 'the upcasts from a version to a later one, in their order';

-- ---------- evolution: stored events ----------

-- These use a subtransaction for each event, which parallel workers cannot.

CREATE FUNCTION _event_validate.event_upgrade_filter(data jsonb, event_type text, from_version int, to_version int) RETURNS boolean
	AS 'MODULE_PATHNAME', 'ev_event_upgrade_filter' LANGUAGE C STABLE PARALLEL UNSAFE COST 500;
COMMENT ON FUNCTION _event_validate.event_upgrade_filter(jsonb, text, int, int) IS 'would the event not be valid as another version, after its upcasts?  Never raises for an event';

CREATE FUNCTION _event_validate.event_upgrade_filter(data text, event_type text, from_version int, to_version int) RETURNS boolean
	AS 'MODULE_PATHNAME', 'ev_event_upgrade_filter_text' LANGUAGE C STABLE PARALLEL UNSAFE COST 500;
COMMENT ON FUNCTION _event_validate.event_upgrade_filter(text, text, int, int) IS 'would the event not be valid as another version, after its upcasts?  Never raises for an event';

CREATE FUNCTION _event_validate.event_upgrade_violations(data jsonb, event_type text, from_version int, to_version int,
	OUT instance_location text, OUT keyword_location text, OUT keyword text, OUT name text,
	OUT message text, OUT violations bigint)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'ev_event_upgrade_violations' LANGUAGE C STABLE PARALLEL UNSAFE COST 500 ROWS 2;
COMMENT ON FUNCTION _event_validate.event_upgrade_violations(jsonb, text, int, int) IS 'what keeps an event from another version, by kind, array indexes folded';

CREATE FUNCTION _event_validate.event_upgrade_violations(data text, event_type text, from_version int, to_version int,
	OUT instance_location text, OUT keyword_location text, OUT keyword text, OUT name text,
	OUT message text, OUT violations bigint)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'ev_event_upgrade_violations_text' LANGUAGE C STABLE PARALLEL UNSAFE COST 500 ROWS 2;
COMMENT ON FUNCTION _event_validate.event_upgrade_violations(text, text, int, int) IS 'what keeps an event from another version, by kind, array indexes folded';

-- A row's name is its primary key, or where it is stored.  A cast of a type
-- that is not the server's may run its owner's code: its output function does.
CREATE FUNCTION _event_validate.event_row_name(relation regclass) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT CASE
		WHEN k.count = 1 AND k.casts THEN format('(%s)::pg_catalog.text', k.columns)
		WHEN k.count = 1 THEN format('pg_catalog.concat(%s)', k.columns)
		WHEN k.count > 1 THEN format('ROW(%s)::pg_catalog.text', k.columns)
		WHEN c.relkind OPERATOR(pg_catalog.=) ANY ('{v,f}') THEN 'NULL::pg_catalog.text'
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

CREATE FUNCTION _event_validate.event_has_upcast(event_type text, from_version int, to_version int) RETURNS boolean
	AS 'MODULE_PATHNAME', 'ev_event_has_upcast' LANGUAGE C STABLE STRICT;
COMMENT ON FUNCTION _event_validate.event_has_upcast(text, int, int) IS 'does an upcast lead from a version towards another?  Raises where one of them is not registered';

-- Asked before the relation is opened, which locks it.
CREATE FUNCTION _event_validate.refuse_event_relation(relation regclass) RETURNS void
LANGUAGE plpgsql STABLE AS $$
DECLARE
	kind pg_catalog."char";
BEGIN
	SELECT c.relkind INTO kind FROM pg_catalog.pg_class AS c WHERE c.oid OPERATOR(pg_catalog.=) relation::pg_catalog.oid;
	IF NOT FOUND THEN
		RAISE EXCEPTION USING ERRCODE = 'undefined_table',
			MESSAGE = pg_catalog.format('relation with OID %s does not exist', relation::pg_catalog.oid);
	END IF;
	IF kind OPERATOR(pg_catalog.<>) ALL ('{r,p,m,v,f}'::pg_catalog."char"[]) THEN
		RAISE EXCEPTION USING ERRCODE = 'wrong_object_type',
			MESSAGE = pg_catalog.format('%s is not a table or view', relation);
	END IF;
	IF NOT pg_catalog.has_any_column_privilege(relation::pg_catalog.oid, 'SELECT'::pg_catalog.text) THEN
		RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege',
			MESSAGE = pg_catalog.format('permission denied for table %s', relation),
			HINT = 'Ask its owner for SELECT on it.';
	END IF;
END
$$;
COMMENT ON FUNCTION _event_validate.refuse_event_relation(regclass) IS 'raises unless it is a table or view that the caller may read';

CREATE FUNCTION check_event_upgrade(relation regclass, event_type text, from_version int, to_version int,
	data_expr text DEFAULT 'data', type_expr text DEFAULT 'event_type', version_expr text DEFAULT 'schema_version')
	RETURNS TABLE (instance_location text, keyword text, message text, violations bigint, sample_ids text[])
LANGUAGE plpgsql ROWS 100
SET row_security = off
AS $$
DECLARE
	data pg_catalog.text;
	step pg_catalog.text;
	arguments pg_catalog.text;
BEGIN
	IF relation IS NULL OR event_type IS NULL OR from_version IS NULL OR to_version IS NULL
		OR data_expr IS NULL OR type_expr IS NULL OR version_expr IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'null_value_not_allowed',
			MESSAGE = 'check_event_upgrade needs a relation, an event type, two versions, and what is where in its rows';
	END IF;
	PERFORM _event_validate.refuse_event_relation(relation);
	data := _event_validate.event_row_expression(relation, data_expr, 'data'::pg_catalog.text, true);
	-- where no upcast is run, the rows are audited as events of the other version
	IF _event_validate.event_has_upcast(event_type, from_version, to_version) THEN
		step := 'upgrade';
		arguments := pg_catalog.format('%L::pg_catalog.text, %s, %s', event_type, from_version, to_version);
	ELSE
		step := 'audit';
		arguments := pg_catalog.format('%L::pg_catalog.text, %s', event_type, to_version);
	END IF;
	RETURN QUERY EXECUTE pg_catalog.format($query$
		SELECT v.instance_location, v.keyword, pg_catalog.min(v.message COLLATE pg_catalog."C"),
			pg_catalog.sum(v.violations)::pg_catalog.int8, (_event_validate.event_audit_sample(e.row_name, 5))[1:5]
		FROM (SELECT %1$s AS data, %2$s AS row_name
			FROM %3$s WHERE (%4$s) OPERATOR(pg_catalog.=) %5$L AND (%6$s) OPERATOR(pg_catalog.=) %7$s
				AND _event_validate.%8$I(%1$s, %9$s)) AS e,
			LATERAL _event_validate.%10$I(e.data, %9$s) AS v
		GROUP BY v.instance_location, v.keyword_location, v.keyword, v.name
		ORDER BY 4 DESC, v.instance_location COLLATE pg_catalog."C", v.keyword COLLATE pg_catalog."C", 3
		$query$, data, _event_validate.event_row_name(relation), relation,
		_event_validate.event_row_expression(relation, type_expr, 'type'::pg_catalog.text, true), event_type,
		_event_validate.event_row_expression(relation, version_expr, 'version'::pg_catalog.text, true), from_version,
		pg_catalog.concat('event_', step, '_filter'), arguments,
		pg_catalog.concat('event_', step, '_violations'));
END
$$;
COMMENT ON FUNCTION check_event_upgrade(regclass, text, int, int, text, text, text) IS 'which stored events of a version would not be valid as another one, after their upcasts, and why';

-- It commits, so it has no SET clause.
CREATE PROCEDURE migrate_events(relation regclass, event_type text, to_version int,
	batch_size int DEFAULT 10000, keep_original boolean DEFAULT false, data_expr text DEFAULT 'data',
	type_expr text DEFAULT 'event_type', version_expr text DEFAULT 'schema_version')
	AS 'MODULE_PATHNAME', 'ev_migrate_events' LANGUAGE C;
COMMENT ON PROCEDURE migrate_events(regclass, text, int, int, boolean, text, text, text) IS 'brings the stored events of a type to a later version, batch by batch';

-- ---------- evolution: views ----------

-- Properties as values.  They never raise for an event: what is none of the
-- type comes as NULL, with one WARNING for each call in a query.

CREATE FUNCTION event_bigint(data jsonb, property text) RETURNS bigint
	AS 'MODULE_PATHNAME', 'ev_event_bigint' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION event_bigint(jsonb, text) IS 'a property of an event that is an integer; NULL where it is none';

CREATE FUNCTION event_numeric(data jsonb, property text) RETURNS numeric
	AS 'MODULE_PATHNAME', 'ev_event_numeric' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION event_numeric(jsonb, text) IS 'a property of an event that is a number, or a string that is a decimal; NULL where it is none';

CREATE FUNCTION event_boolean(data jsonb, property text) RETURNS boolean
	AS 'MODULE_PATHNAME', 'ev_event_boolean' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION event_boolean(jsonb, text) IS 'a property of an event that is true or false; NULL where it is neither';

CREATE FUNCTION event_timestamptz(data jsonb, property text) RETURNS timestamptz
	AS 'MODULE_PATHNAME', 'ev_event_timestamptz' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION event_timestamptz(jsonb, text) IS 'a property of an event that is an RFC 3339 date-time; NULL where it is none';

CREATE FUNCTION event_date(data jsonb, property text) RETURNS date
	AS 'MODULE_PATHNAME', 'ev_event_date' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION event_date(jsonb, text) IS 'a property of an event that is an RFC 3339 full-date; NULL where it is none';

CREATE FUNCTION event_uuid(data jsonb, property text) RETURNS uuid
	AS 'MODULE_PATHNAME', 'ev_event_uuid' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION event_uuid(jsonb, text) IS 'a property of an event that is a UUID; NULL where it is none';

CREATE FUNCTION event_property(data jsonb, property text) RETURNS jsonb
	AS 'MODULE_PATHNAME', 'ev_event_property' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION event_property(jsonb, text) IS 'a property of an event as it is; NULL where it is absent or null';

-- A view calls these for old rows only, and the planner counts their cost for
-- all rows and columns: so they are said to cost little.
CREATE FUNCTION event_at_version(data jsonb, event_type text, schema_version int, to_version int) RETURNS jsonb
	AS 'MODULE_PATHNAME', 'ev_event_at_version' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION event_at_version(jsonb, text, int, int) IS 'an event brought up to a version, where upcasts lead there; else as it is';

-- For upcasts that are not PARALLEL SAFE.
CREATE FUNCTION event_at_version_serially(data jsonb, event_type text, schema_version int, to_version int) RETURNS jsonb
	AS 'MODULE_PATHNAME', 'ev_event_at_version' LANGUAGE C STABLE PARALLEL UNSAFE;
COMMENT ON FUNCTION event_at_version_serially(jsonb, text, int, int) IS 'the same, for upcasts that are not PARALLEL SAFE';

CREATE FUNCTION _event_validate.event_view_columns(event_type text, schema_version int, integer_type regtype,
	OUT property text, OUT column_type regtype, OUT description text,
	OUT declared_in regprocedure, OUT pointer text, OUT rank int)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'ev_event_view_columns' LANGUAGE C STABLE STRICT ROWS 20;
COMMENT ON FUNCTION _event_validate.event_view_columns(text, int, regtype) IS 'the properties that a registered version declares, and the types that hold them';

-- The same in the order in which the documents have them: jsonb keeps none,
-- their text does.
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
COMMENT ON FUNCTION _event_validate.event_view_columns_in_order(text, int, regtype) IS 'event_view_columns, in the order of the documents';

-- The names that the columns of a view get: the table's own, and then one for
-- each property, by the property alone wherever that can be.
CREATE FUNCTION _event_validate.event_view_names(properties text[], taken name[], prefix text) RETURNS name[]
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
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
COMMENT ON FUNCTION _event_validate.event_view_names(text[], name[], text) IS 'the names of a view''s columns for properties';

CREATE FUNCTION create_event_view(view_name text, relation regclass, event_type text, schema_version int DEFAULT NULL,
	data_expr text DEFAULT 'data', type_expr text DEFAULT 'event_type', version_expr text DEFAULT 'schema_version',
	integer_type regtype DEFAULT 'bigint') RETURNS regclass
LANGUAGE plpgsql
AS $$
DECLARE
	most_columns CONSTANT int := 1600;
	wanted_type CONSTANT pg_catalog.text := event_type;
	wanted_version int := schema_version;
	schema_function pg_catalog.regprocedure;
	view_path pg_catalog.text[];
	table_name pg_catalog.text;
	data pg_catalog.text;
	type pg_catalog.text;
	version pg_catalog.text;
	data_column pg_catalog.name;
	base_names pg_catalog.name[];
	document pg_catalog.name := 'document';
	row_alias pg_catalog.name := 'event';
	bring_up pg_catalog.name := 'event_at_version';
	number int := 1;
	properties pg_catalog.text[];
	types pg_catalog.regtype[];
	descriptions pg_catalog.text[];
	names pg_catalog.name[];
	expressions pg_catalog.text[];
	comments pg_catalog.text[];
	existing pg_catalog.oid;
	existing_names pg_catalog.name[];
	missing pg_catalog.text;
	chosen int[];
	list pg_catalog.text;
BEGIN
	IF view_name IS NULL OR relation IS NULL OR event_type IS NULL OR data_expr IS NULL OR type_expr IS NULL
		OR version_expr IS NULL OR integer_type IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'null_value_not_allowed',
			MESSAGE = 'create_event_view needs a name, a relation, an event type, and what is where in its rows';
	END IF;
	IF integer_type OPERATOR(pg_catalog.<>) ALL ('{pg_catalog.int8,pg_catalog.numeric}'::pg_catalog.regtype[]) THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
			MESSAGE = pg_catalog.format('integer_type must be bigint or numeric, not %s', integer_type);
	END IF;
	SELECT pg_catalog.format('%I.%I', n.nspname, c.relname), ARRAY[n.nspname::pg_catalog.text],
		CASE WHEN c.relname OPERATOR(pg_catalog.=) row_alias THEN 'the_event' ELSE row_alias END
	INTO table_name, view_path, row_alias
	FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
	WHERE c.oid OPERATOR(pg_catalog.=) relation;
	PERFORM _event_validate.refuse_event_relation(relation);
	-- beside the relation, unless the name says otherwise
	view_path := CASE WHEN pg_catalog.array_length(pg_catalog.parse_ident(view_name), 1) OPERATOR(pg_catalog.=) 1 THEN view_path OPERATOR(pg_catalog.||) pg_catalog.parse_ident(view_name)
		ELSE pg_catalog.parse_ident(view_name) END;
	IF pg_catalog.array_length(view_path, 1) OPERATOR(pg_catalog.>) 2 THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_name', MESSAGE = pg_catalog.format('"%s" is no name of a view', view_name);
	END IF;

	-- the columns of the schema
	IF wanted_version IS NULL THEN
		SELECT pg_catalog.max(s.schema_version) INTO wanted_version
		FROM @extschema@.event_schemas AS s WHERE s.event_type OPERATOR(pg_catalog.=) wanted_type COLLATE pg_catalog."C";
		IF wanted_version IS NULL THEN
			RAISE EXCEPTION USING ERRCODE = 'undefined_object',
				MESSAGE = pg_catalog.format('no version of event schema "%s" is registered', wanted_type),
				HINT = 'register_event_schema registers one.';
		END IF;
	END IF;
	SELECT COALESCE(pg_catalog.array_agg(c.property), '{}'), pg_catalog.array_agg(c.column_type), pg_catalog.array_agg(c.description)
	INTO properties, types, descriptions
	FROM _event_validate.event_view_columns_in_order(wanted_type, wanted_version, integer_type) AS c;
	SELECT s.function INTO schema_function FROM @extschema@.event_schemas AS s
	WHERE s.event_type OPERATOR(pg_catalog.=) wanted_type COLLATE pg_catalog."C" AND s.schema_version OPERATOR(pg_catalog.=) wanted_version;

	-- the event in a row
	data := _event_validate.event_row_expression(relation, data_expr, 'data'::pg_catalog.text, false);
	type := _event_validate.event_row_expression(relation, type_expr, 'type'::pg_catalog.text, false);
	version := _event_validate.event_row_expression(relation, version_expr, 'version'::pg_catalog.text, true);
	SELECT pg_catalog.array_agg(a.attname ORDER BY a.attnum),
		pg_catalog.max(a.attname) FILTER (WHERE a.attname OPERATOR(pg_catalog.=) data_expr::pg_catalog.name
			OR pg_catalog.quote_ident(a.attname) OPERATOR(pg_catalog.=) data_expr)
	INTO base_names, data_column
	FROM pg_catalog.pg_attribute AS a
	WHERE a.attrelid OPERATOR(pg_catalog.=) relation AND a.attnum OPERATOR(pg_catalog.>) 0 AND NOT a.attisdropped;
	WHILE document OPERATOR(pg_catalog.=) ANY (base_names) LOOP
		number := number OPERATOR(pg_catalog.+) 1;
		document := pg_catalog.concat('document_', number);
	END LOOP;
	IF EXISTS (SELECT FROM pg_catalog.pg_attribute AS a JOIN pg_catalog.pg_collation AS c ON c.oid OPERATOR(pg_catalog.=) a.attcollation
		WHERE a.attrelid OPERATOR(pg_catalog.=) relation AND NOT a.attisdropped AND NOT c.collisdeterministic) THEN
		type := pg_catalog.format('(%s) COLLATE pg_catalog."C"', type);	-- types are equal where their bytes are
	END IF;

	IF EXISTS (SELECT FROM pg_catalog.pg_proc AS p
		WHERE p.pronamespace OPERATOR(pg_catalog.=) 'event_schema'::pg_catalog.regnamespace
			AND pg_catalog.starts_with(p.proname, pg_catalog.concat(wanted_type, '@'))
			AND pg_catalog.substr(p.proname, pg_catalog.length(wanted_type) OPERATOR(pg_catalog.+) 2) OPERATOR(pg_catalog.~) '^[0-9]+>[0-9]+$'
			AND p.proparallel OPERATOR(pg_catalog.<>) 's') THEN
		bring_up := 'event_at_version_serially';
	END IF;

	-- the table's columns, the event itself among them, and then the properties
	expressions := ARRAY(
		SELECT CASE WHEN n OPERATOR(pg_catalog.=) data_column THEN pg_catalog.format('%I.%I', row_alias, document)
			ELSE pg_catalog.format('%s.%I', table_name, n) END
		FROM pg_catalog.unnest(base_names) WITH ORDINALITY AS b(n, place) ORDER BY place);
	comments := ARRAY(
		SELECT CASE WHEN n OPERATOR(pg_catalog.=) data_column
			THEN pg_catalog.format('The event as version %s has it.', wanted_version)
			ELSE pg_catalog.col_description(relation, a.attnum) END
		FROM pg_catalog.unnest(base_names) WITH ORDINALITY AS b(n, place)
			JOIN pg_catalog.pg_attribute AS a ON a.attrelid OPERATOR(pg_catalog.=) relation AND a.attname OPERATOR(pg_catalog.=) n
		ORDER BY place);
	IF data_column IS NULL THEN
		data_column := CASE WHEN 'data' OPERATOR(pg_catalog.=) ANY (base_names) THEN document ELSE 'data' END;
		base_names := base_names OPERATOR(pg_catalog.||) data_column;
		expressions := expressions OPERATOR(pg_catalog.||) pg_catalog.format('%I.%I', row_alias, document);
		comments := comments OPERATOR(pg_catalog.||) pg_catalog.format('The event as version %s has it.', wanted_version);
	END IF;
	number := most_columns OPERATOR(pg_catalog.-) pg_catalog.cardinality(base_names);
	IF pg_catalog.cardinality(properties) OPERATOR(pg_catalog.>) number THEN
		RAISE WARNING USING
			MESSAGE = pg_catalog.format('the last %s properties of event schema "%s@%s" get no column',
				pg_catalog.cardinality(properties) OPERATOR(pg_catalog.-) number, wanted_type, wanted_version),
			DETAIL = pg_catalog.format('A view has at most %s columns.', most_columns),
			HINT = pg_catalog.format('Column "%s" has the whole event.', data_column);
		properties := properties[:number];
	END IF;
	names := _event_validate.event_view_names(properties, base_names, data_column::pg_catalog.text);
	FOR i IN 1..pg_catalog.cardinality(properties) LOOP
		expressions := expressions OPERATOR(pg_catalog.||) CASE
			WHEN types[i] OPERATOR(pg_catalog.=) 'pg_catalog.text'::pg_catalog.regtype THEN
				pg_catalog.format('%I.%I OPERATOR(pg_catalog.->>) %L', row_alias, document, properties[i])
			ELSE pg_catalog.format('%s.%I(%I.%I, %L::pg_catalog.text)', '@extschema@', CASE
				WHEN types[i] OPERATOR(pg_catalog.=) 'pg_catalog.int8'::pg_catalog.regtype THEN 'event_bigint'
				WHEN types[i] OPERATOR(pg_catalog.=) 'pg_catalog.numeric'::pg_catalog.regtype THEN 'event_numeric'
				WHEN types[i] OPERATOR(pg_catalog.=) 'pg_catalog.bool'::pg_catalog.regtype THEN 'event_boolean'
				WHEN types[i] OPERATOR(pg_catalog.=) 'pg_catalog.timestamptz'::pg_catalog.regtype THEN 'event_timestamptz'
				WHEN types[i] OPERATOR(pg_catalog.=) 'pg_catalog.date'::pg_catalog.regtype THEN 'event_date'
				WHEN types[i] OPERATOR(pg_catalog.=) 'pg_catalog.uuid'::pg_catalog.regtype THEN 'event_uuid'
				ELSE 'event_property' END, row_alias, document, properties[i]) END;
		comments := comments OPERATOR(pg_catalog.||) CASE
			WHEN names[i]::pg_catalog.text OPERATOR(pg_catalog.=) properties[i] THEN descriptions[i]
			ELSE pg_catalog.concat_ws(': ', pg_catalog.format('Property "%s"', properties[i]), descriptions[i]) END;
	END LOOP;
	names := base_names OPERATOR(pg_catalog.||) names;

	-- a view that is there keeps its columns and their order, and gets new ones at its end
	chosen := ARRAY(SELECT pg_catalog.generate_series(1, pg_catalog.cardinality(names)));
	SELECT c.oid INTO existing
	FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
	WHERE n.nspname OPERATOR(pg_catalog.=) view_path[1]::pg_catalog.name AND c.relname OPERATOR(pg_catalog.=) view_path[2]::pg_catalog.name;
	IF FOUND THEN
		IF NOT EXISTS (SELECT FROM pg_catalog.pg_rewrite AS r
				JOIN pg_catalog.pg_depend AS d ON d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_rewrite'::pg_catalog.regclass
					AND d.objid OPERATOR(pg_catalog.=) r.oid AND d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_proc'::pg_catalog.regclass
				JOIN @extschema@.event_schemas AS s ON s.function OPERATOR(pg_catalog.=) d.refobjid
				JOIN pg_catalog.pg_depend AS t ON t.classid OPERATOR(pg_catalog.=) d.classid AND t.objid OPERATOR(pg_catalog.=) r.oid
					AND t.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass AND t.refobjid OPERATOR(pg_catalog.=) relation
				JOIN pg_catalog.pg_depend AS u ON u.classid OPERATOR(pg_catalog.=) d.classid AND u.objid OPERATOR(pg_catalog.=) r.oid
					AND u.refclassid OPERATOR(pg_catalog.=) d.refclassid AND u.refobjid OPERATOR(pg_catalog.=) ANY (ARRAY[
						'@extschema@.event_at_version(pg_catalog.jsonb, pg_catalog.text, pg_catalog.int4, pg_catalog.int4)'::pg_catalog.regprocedure,
						'@extschema@.event_at_version_serially(pg_catalog.jsonb, pg_catalog.text, pg_catalog.int4, pg_catalog.int4)'::pg_catalog.regprocedure])
			WHERE r.ev_class OPERATOR(pg_catalog.=) existing AND s.event_type OPERATOR(pg_catalog.=) wanted_type COLLATE pg_catalog."C") THEN
			RAISE EXCEPTION USING ERRCODE = 'duplicate_table',
				MESSAGE = pg_catalog.format('relation "%s" exists already, and is no view of the events "%s" in %s', view_name, wanted_type, relation),
				HINT = 'Choose another name, or drop it first.';
		END IF;
		SELECT pg_catalog.array_agg(a.attname ORDER BY a.attnum),
			pg_catalog.string_agg(pg_catalog.quote_ident(a.attname), ', ' ORDER BY a.attnum)
				FILTER (WHERE a.attname OPERATOR(pg_catalog.<>) ALL (names))
		INTO existing_names, missing
		FROM pg_catalog.pg_attribute AS a
		WHERE a.attrelid OPERATOR(pg_catalog.=) existing AND a.attnum OPERATOR(pg_catalog.>) 0 AND NOT a.attisdropped;
		IF missing IS NOT NULL THEN
			RAISE EXCEPTION USING ERRCODE = 'invalid_table_definition',
				MESSAGE = pg_catalog.format('view "%s" has columns that version %s has not: %s', view_name, wanted_version, missing),
				HINT = 'Drop the view, and what depends on it, first; or make one of another name.';
		END IF;
		chosen := ARRAY(
			SELECT pg_catalog.array_position(names, e.n) FROM pg_catalog.unnest(existing_names) WITH ORDINALITY AS e(n, place) ORDER BY place)
			OPERATOR(pg_catalog.||) ARRAY(
			SELECT w.place::pg_catalog.int4 FROM pg_catalog.unnest(names) WITH ORDINALITY AS w(n, place)
			WHERE w.n OPERATOR(pg_catalog.<>) ALL (existing_names) ORDER BY w.place);
	END IF;

	SELECT pg_catalog.string_agg(pg_catalog.format('%s AS %I', expressions[c], names[c]), E',\n\t' ORDER BY place) INTO list
	FROM pg_catalog.unnest(chosen) WITH ORDINALITY AS o(c, place);
	BEGIN
		-- "true OR" costs nothing: it makes the view depend on the schema
		EXECUTE pg_catalog.format(E'CREATE OR REPLACE VIEW %I.%I WITH (security_invoker = true) AS SELECT\n\t%s\nFROM %s,'
			' LATERAL (SELECT CASE WHEN (%s) OPERATOR(pg_catalog.=) %s THEN %s'
			' ELSE %14$s.%12$I(%7$s, %8$s, %5$s, %6$s) END AS %9$I) AS %13$I'
			' WHERE %8$s OPERATOR(pg_catalog.=) %10$L AND (true OR event_schema.%11$I(%13$I.%9$I))',
			view_path[1], view_path[2], list, table_name, version, wanted_version, data, type, document, wanted_type,
			pg_catalog.concat(wanted_type, '@', wanted_version), bring_up, row_alias, '@extschema@');
	EXCEPTION WHEN invalid_table_definition THEN
		RAISE EXCEPTION USING ERRCODE = SQLSTATE,
			MESSAGE = pg_catalog.format('view "%s" has a column of another type: %s', view_name, SQLERRM),
			HINT = 'Drop the view, and what depends on it, first; or make one of another name.';
	END;

	EXECUTE pg_catalog.format('COMMENT ON VIEW %I.%I IS %L', view_path[1], view_path[2],
		(SELECT pg_catalog.concat_ws(E'\n', COALESCE(s.title, pg_catalog.format('events "%s", version %s', wanted_type, wanted_version)), s.description)
		FROM @extschema@.event_schemas AS s WHERE s.function OPERATOR(pg_catalog.=) schema_function));
	FOR i IN 1..pg_catalog.cardinality(names) LOOP
		CONTINUE WHEN comments[i] IS NULL AND existing IS NULL;
		EXECUTE pg_catalog.format('COMMENT ON COLUMN %I.%I.%I IS %L', view_path[1], view_path[2], names[i], comments[i]);
	END LOOP;
	RETURN pg_catalog.format('%I.%I', view_path[1], view_path[2])::pg_catalog.regclass;
END
$$;
COMMENT ON FUNCTION create_event_view(text, regclass, text, int, text, text, text, regtype) IS 'makes a view of all events of a type in a relation, brought to one version, with a column for each property';

-- ---------- rolling out: checks ----------

-- Names in these bodies are written with their schemas, and not by a setting
-- of search_path: users' expressions are read under the user's own, and are
-- written back under the same.

CREATE FUNCTION _event_validate.event_row_expression(relation regclass, expression text, part text, tolerant boolean) RETURNS text
	AS 'MODULE_PATHNAME', 'ev_event_row_expression' LANGUAGE C STABLE STRICT;
COMMENT ON FUNCTION _event_validate.event_row_expression(regclass, text, text, boolean) IS 'a column or expression over a row, as SQL of the type that validation takes';

CREATE FUNCTION _event_validate.require_event_table(relation regclass) RETURNS void
	AS 'MODULE_PATHNAME', 'ev_require_event_table' LANGUAGE C STABLE STRICT;
COMMENT ON FUNCTION _event_validate.require_event_table(regclass) IS 'raises where there is no such table, or the caller has no right on it, before anything locks it';

CREATE FUNCTION _event_validate.event_checks(relation regclass, OUT constraint_name name, OUT validated boolean,
	OUT added_here boolean, OUT data_expr text, OUT type_expr text, OUT version_expr text,
	OUT arguments text[], OUT definition text)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'ev_event_checks' LANGUAGE C STABLE STRICT ROWS 1;
COMMENT ON FUNCTION _event_validate.event_checks(regclass) IS 'the CHECK constraints of a table that validate events';

CREATE FUNCTION _event_validate.event_audit_filter(data jsonb, event_type text, schema_version int) RETURNS boolean
	AS 'MODULE_PATHNAME', 'ev_event_audit_filter' LANGUAGE C STABLE PARALLEL SAFE COST 50;
COMMENT ON FUNCTION _event_validate.event_audit_filter(jsonb, text, int) IS 'would the event be refused?  Never raises for an event; shows its progress in pg_stat_activity';

CREATE FUNCTION _event_validate.event_audit_filter(data text, event_type text, schema_version int) RETURNS boolean
	AS 'MODULE_PATHNAME', 'ev_event_audit_filter_text' LANGUAGE C STABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION _event_validate.event_audit_filter(text, text, int) IS 'would the event be refused?  Never raises for an event; shows its progress in pg_stat_activity';

CREATE FUNCTION _event_validate.event_audit_violations(data jsonb, event_type text, schema_version int,
	OUT instance_location text, OUT keyword_location text, OUT keyword text, OUT name text,
	OUT message text, OUT violations bigint)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'ev_event_audit_violations' LANGUAGE C STABLE PARALLEL SAFE COST 200 ROWS 2;
COMMENT ON FUNCTION _event_validate.event_audit_violations(jsonb, text, int) IS 'the violations of an event by kind, array indexes folded';

CREATE FUNCTION _event_validate.event_audit_violations(data text, event_type text, schema_version int,
	OUT instance_location text, OUT keyword_location text, OUT keyword text, OUT name text,
	OUT message text, OUT violations bigint)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'ev_event_audit_violations_text' LANGUAGE C STABLE PARALLEL SAFE COST 200 ROWS 2;
COMMENT ON FUNCTION _event_validate.event_audit_violations(text, text, int) IS 'the violations of an event by kind, array indexes folded';

CREATE FUNCTION _event_validate.event_audit_sample_add(sample text[], value text, sample_limit int) RETURNS text[]
	AS 'MODULE_PATHNAME', 'ev_event_audit_sample_add' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION _event_validate.event_audit_sample_add(text[], text, int) IS 'the step of event_audit_sample';

-- An aggregate calls its step as its owner.
REVOKE EXECUTE ON FUNCTION _event_validate.event_audit_sample_add(text[], text, int) FROM PUBLIC;

CREATE AGGREGATE _event_validate.event_audit_sample(value text, sample_limit int) (
	SFUNC = _event_validate.event_audit_sample_add, STYPE = pg_catalog.text[], INITCOND = '{}',
	COMBINEFUNC = pg_catalog.array_cat, PARALLEL = SAFE);
COMMENT ON AGGREGATE _event_validate.event_audit_sample(text, int) IS 'the first values, so many of each parallel worker at most';

-- What an audit reads.
CREATE FUNCTION event_audit_query(relation regclass, data_expr text, type_expr text, version_expr text,
	sample_limit int) RETURNS text
LANGUAGE plpgsql STABLE AS $$
DECLARE
	kind pg_catalog."char";
	data pg_catalog.text;
	type pg_catalog.text;
	version pg_catalog.text;
BEGIN
	PERFORM _event_validate.require_event_table(relation);
	SELECT c.relkind INTO kind FROM pg_catalog.pg_class AS c WHERE c.oid OPERATOR(pg_catalog.=) relation;
	IF kind OPERATOR(pg_catalog.<>) ALL ('{r,p,m,v,f}') THEN
		RAISE EXCEPTION USING ERRCODE = 'wrong_object_type',
			MESSAGE = pg_catalog.format('%s is not a table or view', relation);
	END IF;
	data := _event_validate.event_row_expression(relation, data_expr, 'data'::pg_catalog.text, true);
	type := _event_validate.event_row_expression(relation, type_expr, 'type'::pg_catalog.text, true);
	version := _event_validate.event_row_expression(relation, version_expr, 'version'::pg_catalog.text, true);

	RETURN pg_catalog.format($query$
		SELECT e.event_type, e.schema_version, v.instance_location, v.keyword,
			pg_catalog.min(v.message COLLATE pg_catalog."C") AS message,
			pg_catalog.sum(v.violations)::pg_catalog.int8 AS violations,
			(_event_validate.event_audit_sample(e.row_name, %1$s))[1:%1$s] AS sample_ids
		FROM (SELECT %2$s AS data, (%3$s) COLLATE pg_catalog."C" AS event_type, %4$s AS schema_version, %5$s AS row_name
			FROM %6$s WHERE _event_validate.event_audit_filter(%2$s, %3$s, %4$s)) AS e,
			LATERAL _event_validate.event_audit_violations(e.data, e.event_type, e.schema_version) AS v
		GROUP BY e.event_type, e.schema_version, v.instance_location, v.keyword_location, v.keyword, v.name
		$query$, sample_limit, data, type, version, _event_validate.event_row_name(relation), relation);
END
$$;
COMMENT ON FUNCTION event_audit_query(regclass, text, text, text, int) IS 'the query that audit_events runs';

CREATE FUNCTION audit_events(relation regclass, data_expr text DEFAULT 'data',
	type_expr text DEFAULT 'event_type', version_expr text DEFAULT 'schema_version',
	sample_limit int DEFAULT 5)
	RETURNS TABLE (event_type text, schema_version int, instance_location text, keyword text,
		message text, violations bigint, sample_ids text[])
LANGUAGE plpgsql STABLE ROWS 100
SET row_security = off
AS $$
BEGIN
	IF relation IS NULL OR data_expr IS NULL OR type_expr IS NULL OR version_expr IS NULL OR
		sample_limit IS NULL OR sample_limit OPERATOR(pg_catalog.<) 0 OR sample_limit OPERATOR(pg_catalog.>) 10000 THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
			MESSAGE = 'audit_events needs a relation, what is where in its rows, and a sample_limit from 0 to 10000';
	END IF;
	RETURN QUERY EXECUTE @extschema@.event_audit_query(relation, data_expr, type_expr, version_expr, sample_limit)
		OPERATOR(pg_catalog.||) ' ORDER BY event_type, schema_version, violations DESC,'
		' instance_location COLLATE pg_catalog."C", keyword COLLATE pg_catalog."C", message';
END
$$;
COMMENT ON FUNCTION audit_events(regclass, text, text, text, int) IS 'the dry run: which stored events are not valid, and why';

CREATE FUNCTION _event_validate.lock_event_table(relation regclass) RETURNS void
	AS 'MODULE_PATHNAME', 'ev_lock_event_table' LANGUAGE C STRICT;
COMMENT ON FUNCTION _event_validate.lock_event_table(regclass) IS 'takes the lock that ALTER TABLE needs, without keeping writers waiting for long';

CREATE FUNCTION add_event_check(relation regclass, data_expr text DEFAULT 'data',
	type_expr text DEFAULT 'event_type', version_expr text DEFAULT 'schema_version',
	constraint_name text DEFAULT NULL, audit boolean DEFAULT false) RETURNS name
LANGUAGE plpgsql
SET row_security = off
AS $$
DECLARE
	wanted pg_catalog.text[];
	chosen pg_catalog.name := constraint_name;
	invalid bigint;
	found_name pg_catalog.name;
	found_definition pg_catalog.text;
	stem pg_catalog.text;
	number int := 0;
	member pg_catalog.regclass;
BEGIN
	IF relation IS NULL OR data_expr IS NULL OR type_expr IS NULL OR version_expr IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'null_value_not_allowed',
			MESSAGE = 'add_event_check needs a table, and what is where in its rows';
	END IF;
	IF constraint_name OPERATOR(pg_catalog.=) '' THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_name', MESSAGE = 'a constraint needs a name';
	END IF;
	wanted := ARRAY[_event_validate.event_row_expression(relation, data_expr, 'data'::pg_catalog.text, false),
		_event_validate.event_row_expression(relation, type_expr, 'type'::pg_catalog.text, false),
		_event_validate.event_row_expression(relation, version_expr, 'version'::pg_catalog.text, false)];
	IF audit THEN
		EXECUTE pg_catalog.format('SELECT pg_catalog.count(*) FROM %s WHERE _event_validate.event_audit_filter(%s, %s, %s)',
			relation, _event_validate.event_row_expression(relation, data_expr, 'data'::pg_catalog.text, true),
			_event_validate.event_row_expression(relation, type_expr, 'type'::pg_catalog.text, true),
			_event_validate.event_row_expression(relation, version_expr, 'version'::pg_catalog.text, true)) INTO invalid;
	END IF;

	PERFORM _event_validate.lock_event_table(relation);

	-- is it there already?
	SELECT c.constraint_name INTO found_name FROM _event_validate.event_checks(relation) AS c
	WHERE c.arguments OPERATOR(pg_catalog.=) wanted
		AND (chosen IS NULL OR c.constraint_name OPERATOR(pg_catalog.=) chosen)
	ORDER BY c.constraint_name LIMIT 1;
	IF FOUND THEN
		chosen := found_name;
	ELSE
		IF chosen IS NULL THEN
			SELECT c.relname::pg_catalog.text INTO stem FROM pg_catalog.pg_class AS c
			WHERE c.oid OPERATOR(pg_catalog.=) relation;
			WHILE pg_catalog.octet_length(stem) OPERATOR(pg_catalog.>) 48 LOOP
				stem := pg_catalog.left(stem, -1);
			END LOOP;
			stem := pg_catalog.concat(stem, '_event_check');
			chosen := stem;
			WHILE EXISTS (SELECT FROM pg_catalog.pg_constraint AS c
				WHERE c.conrelid OPERATOR(pg_catalog.=) relation AND c.conname OPERATOR(pg_catalog.=) chosen) LOOP
				number := number OPERATOR(pg_catalog.+) 1;
				chosen := pg_catalog.concat(stem, number);
			END LOOP;
		END IF;
		SELECT pg_catalog.pg_get_constraintdef(c.oid) INTO found_definition FROM pg_catalog.pg_constraint AS c
		WHERE c.conrelid OPERATOR(pg_catalog.=) relation AND c.conname OPERATOR(pg_catalog.=) chosen;
		IF FOUND THEN
			RAISE EXCEPTION USING ERRCODE = 'duplicate_object',
				MESSAGE = pg_catalog.format('table %s has another constraint "%s"', relation, chosen),
				DETAIL = pg_catalog.format('It is: %s.', found_definition);
		END IF;
		EXECUTE pg_catalog.format('ALTER TABLE %s ADD CONSTRAINT %I CHECK (%s.check_event(%s, %s, %s, %L::pg_catalog.text)) NOT VALID',
			relation, chosen, '@extschema@', wanted[1], wanted[2], wanted[3], chosen);
		FOR member IN
			WITH RECURSIVE tree(member) AS (
				SELECT relation::pg_catalog.oid
				UNION
				SELECT i.inhrelid FROM pg_catalog.pg_inherits AS i, tree
				WHERE i.inhparent OPERATOR(pg_catalog.=) tree.member)
			SELECT c.oid FROM tree, pg_catalog.pg_class AS c
			WHERE c.oid OPERATOR(pg_catalog.=) tree.member AND c.relkind OPERATOR(pg_catalog.=) 'f'
		LOOP
			RAISE WARNING USING
				MESSAGE = pg_catalog.format('events in foreign table %s are not checked', member),
				DETAIL = 'A CHECK constraint on a foreign table is believed, not enforced.';
		END LOOP;
	END IF;

	IF invalid OPERATOR(pg_catalog.>) 0 THEN
		RAISE NOTICE USING
			MESSAGE = pg_catalog.format('old rows of table %s are not valid, and can no longer be updated until they are (rows: %s)', relation, invalid),
			HINT = 'audit_events shows what is wrong with them.';
	ELSIF audit THEN
		RAISE NOTICE USING MESSAGE = pg_catalog.format('all old rows of table %s are valid', relation);
	END IF;
	RETURN chosen;
END
$$;
COMMENT ON FUNCTION add_event_check(regclass, text, text, text, text, boolean) IS 'adds a CHECK constraint by check_event that is NOT VALID yet: new rows are checked, old ones not scanned';

CREATE FUNCTION _event_validate.find_event_check(relation regclass, INOUT constraint_name name,
	OUT validated boolean, OUT added_here boolean, OUT data_expr text, OUT type_expr text, OUT version_expr text)
LANGUAGE plpgsql STABLE AS $$
DECLARE
	wanted pg_catalog.text := constraint_name;
	names pg_catalog.text;
	how_many bigint;
BEGIN
	SELECT pg_catalog.string_agg(c.constraint_name, ', ' ORDER BY c.constraint_name), pg_catalog.count(*)
	INTO names, how_many FROM _event_validate.event_checks(relation) AS c;
	IF constraint_name IS NULL AND how_many OPERATOR(pg_catalog.>) 1 THEN
		RAISE EXCEPTION USING ERRCODE = 'ambiguous_parameter',
			MESSAGE = pg_catalog.format('table %s has several event checks', relation),
			DETAIL = pg_catalog.format('They are: %s.', names),
			HINT = 'Say which one by its name.';
	END IF;
	SELECT c.constraint_name, c.validated, c.added_here, c.data_expr, c.type_expr, c.version_expr
	INTO find_event_check.constraint_name, find_event_check.validated, find_event_check.added_here,
		find_event_check.data_expr, find_event_check.type_expr, find_event_check.version_expr
	FROM _event_validate.event_checks(relation) AS c
	WHERE find_event_check.constraint_name IS NULL
		OR c.constraint_name OPERATOR(pg_catalog.=) find_event_check.constraint_name;
	IF NOT FOUND THEN
		RAISE EXCEPTION USING ERRCODE = 'undefined_object',
			MESSAGE = pg_catalog.concat('table ', relation, ' has no event check',
				' "' OPERATOR(pg_catalog.||) wanted OPERATOR(pg_catalog.||) '"',
				'; it has ' OPERATOR(pg_catalog.||) names);
	END IF;
END
$$;
COMMENT ON FUNCTION _event_validate.find_event_check(regclass, name) IS 'the event check of this name, or the only one, of a table';

CREATE FUNCTION validate_event_check(relation regclass, constraint_name text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	found_check pg_catalog.record;
	total bigint;
	kinds bigint;
	listed pg_catalog.text;
BEGIN
	IF relation IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'null_value_not_allowed', MESSAGE = 'validate_event_check needs a table';
	END IF;
	SELECT * INTO found_check FROM _event_validate.find_event_check(relation, constraint_name::pg_catalog.name);
	IF found_check.added_here THEN
		RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state',
			MESSAGE = pg_catalog.format('constraint "%s" of table %s was added in this transaction, which locks the table against everybody',
				found_check.constraint_name, relation),
			DETAIL = 'To look at all its rows now would keep readers and writers out for as long as that takes.',
			HINT = 'Commit first, and validate in a transaction of its own (in Alembic: op.get_context().autocommit_block(), or transaction_per_migration and a revision of its own).';
	END IF;
	IF found_check.validated THEN
		RETURN;
	END IF;

	BEGIN
		EXECUTE pg_catalog.format('ALTER TABLE %s VALIDATE CONSTRAINT %I', relation, found_check.constraint_name);
	EXCEPTION WHEN check_violation OR undefined_object OR program_limit_exceeded OR statement_too_complex
		OR invalid_text_representation OR untranslatable_character OR numeric_value_out_of_range THEN
		IF found_check.data_expr IS NULL THEN
			RAISE;	-- check_event is only a part of it, and which rows it is asked for we cannot tell
		END IF;
		SELECT pg_catalog.sum(l.violations), pg_catalog.count(*),
			pg_catalog.string_agg(l.line, pg_catalog.chr(10) ORDER BY l.place) FILTER (WHERE l.place OPERATOR(pg_catalog.<=) 20)
		INTO total, kinds, listed
		FROM (SELECT a.violations, pg_catalog.row_number() OVER (ORDER BY a.violations DESC, a.event_type, a.schema_version, a.instance_location) AS place,
				pg_catalog.format('%s: %s version %s, %s%s: %s (%s)', a.violations,
					COALESCE('"' OPERATOR(pg_catalog.||) a.event_type OPERATOR(pg_catalog.||) '"', 'type null'), COALESCE(a.schema_version::pg_catalog.text, 'null'),
					CASE WHEN a.instance_location OPERATOR(pg_catalog.=) '' THEN '(document)' ELSE a.instance_location END,
					CASE WHEN a.keyword OPERATOR(pg_catalog.=) '' THEN '' ELSE pg_catalog.concat(', ', a.keyword) END,
					a.message, pg_catalog.concat('such as ', pg_catalog.array_to_string(a.sample_ids, ', '))) AS line
			FROM @extschema@.audit_events(relation, found_check.data_expr, found_check.type_expr, found_check.version_expr, 3) AS a) AS l;
		IF kinds OPERATOR(pg_catalog.=) 0 THEN
			RAISE;
		END IF;
		RAISE EXCEPTION USING ERRCODE = 'check_violation',
			MESSAGE = pg_catalog.format('rows of table %s violate check constraint "%s" (violations: %s)',
				relation, found_check.constraint_name, total),
			DETAIL = pg_catalog.concat(listed, CASE WHEN kinds OPERATOR(pg_catalog.>) 20 THEN
				pg_catalog.format(E'\nand %s more kinds', kinds OPERATOR(pg_catalog.-) 20) ELSE '' END),
			HINT = 'audit_events lists them all. Repair or move these rows, then validate again; the constraint stays, and new rows are checked all the time.',
			CONSTRAINT = found_check.constraint_name, TABLE = relation::pg_catalog.text;
	END;
END
$$;
COMMENT ON FUNCTION validate_event_check(regclass, text) IS 'checks the old rows too, beside readers and writers, or says what is wrong with them';

CREATE FUNCTION drop_event_check(relation regclass, constraint_name text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	found_check pg_catalog.record;
BEGIN
	IF relation IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'null_value_not_allowed', MESSAGE = 'drop_event_check needs a table';
	END IF;
	PERFORM _event_validate.require_event_table(relation);
	IF NOT EXISTS (SELECT FROM pg_catalog.pg_constraint AS c WHERE c.conrelid OPERATOR(pg_catalog.=) relation
			AND c.conname OPERATOR(pg_catalog.=) constraint_name::pg_catalog.name)
		AND (constraint_name IS NOT NULL OR NOT EXISTS (SELECT FROM _event_validate.event_checks(relation))) THEN
		RAISE NOTICE USING MESSAGE = CASE
			WHEN constraint_name IS NULL THEN pg_catalog.format('table %s has no event check, nothing to drop', relation)
			ELSE pg_catalog.format('table %s has no event check "%s", nothing to drop', relation, constraint_name) END;
		RETURN;
	END IF;
	SELECT * INTO found_check FROM _event_validate.find_event_check(relation, constraint_name::pg_catalog.name);
	PERFORM _event_validate.lock_event_table(relation);
	EXECUTE pg_catalog.format('ALTER TABLE %s DROP CONSTRAINT %I', relation, found_check.constraint_name);
END
$$;
COMMENT ON FUNCTION drop_event_check(regclass, text) IS 'drops a CHECK constraint that validates events';

-- ---------- rolling out: columns ----------

CREATE FUNCTION _event_validate.event_json_loss(document text) RETURNS text
	AS 'MODULE_PATHNAME', 'ev_event_json_loss' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 200;
COMMENT ON FUNCTION _event_validate.event_json_loss(text) IS 'what would be lost if this JSON text became jsonb; NULL: nothing';

-- Rows whose documents stand in the way, by reason.
CREATE FUNCTION event_column_conflicts(relation regclass, from_column name, to_column name,
	OUT reason text, OUT conflicts bigint, OUT sample_ids text[])
	RETURNS SETOF record
LANGUAGE plpgsql STABLE
SET row_security = off
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	reason text := format('_event_validate.event_json_loss(%I::text)', from_column);
BEGIN
	PERFORM _event_validate.require_event_table(relation);
	IF (SELECT atttypid FROM pg_attribute WHERE attrelid = relation AND attname = from_column) = 'jsonb'::regtype THEN
		reason := 'NULL::text';
	END IF;
	IF to_column <> from_column AND EXISTS (SELECT FROM pg_attribute
		WHERE attrelid = relation AND attname = to_column AND NOT attisdropped) THEN
		-- the comparison casts to jsonb, and so must not be tried where that fails
		reason := format('CASE WHEN %1$s IS NOT NULL THEN %1$s'
			' WHEN %2$I IS NOT NULL AND %3$I IS NOT NULL AND CASE WHEN %1$s IS NULL THEN %2$I::jsonb::text <> %3$I::text END'
			' THEN ''both columns have a document, and they differ'' END', reason, from_column, to_column);
	END IF;
	RETURN QUERY EXECUTE format(
		'SELECT reason, count(*), (_event_validate.event_audit_sample(row_name, 10))[1:10]'
		' FROM (SELECT %1$s AS reason, %2$s AS row_name FROM %3$s) AS r WHERE reason IS NOT NULL GROUP BY reason ORDER BY reason COLLATE "C"',
		reason, _event_validate.event_row_name(relation), relation);
END
$$;
COMMENT ON FUNCTION event_column_conflicts(regclass, name, name) IS 'the rows for which standardize_event_column would lose something';

CREATE FUNCTION _event_validate.refuse_event_column_conflicts(relation regclass, from_column name, to_column name) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	total bigint;
	listed text;
BEGIN
	SELECT sum(c.conflicts), string_agg(format('%s (rows: %s): %s%s', c.reason, c.conflicts,
		array_to_string(c.sample_ids, ', '), CASE WHEN c.conflicts > 10 THEN ', ...' ELSE '' END), E'\n')
	INTO total, listed FROM @extschema@.event_column_conflicts(relation, from_column, to_column) AS c;
	IF total > 0 THEN
		RAISE EXCEPTION USING ERRCODE = 'data_exception',
			MESSAGE = format('column "%s" of table %s cannot become "%s" without a loss (rows: %s)',
				from_column, relation, to_column, total),
			DETAIL = listed,
			HINT = 'Repair these rows first; event_column_conflicts lists them.';
	END IF;
END
$$;
COMMENT ON FUNCTION _event_validate.refuse_event_column_conflicts(regclass, name, name) IS 'raises where event_column_conflicts finds rows';

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
		-- NOT NULL is handed over; from PostgreSQL 18 on it is a constraint
		AND NOT EXISTS (SELECT FROM pg_constraint AS c
			WHERE d.classid = 'pg_constraint'::regclass AND c.oid = d.objid AND c.contype = 'n')
	GROUP BY 1
	ORDER BY 1
$$;
COMMENT ON FUNCTION _event_validate.event_column_dependents(regclass, name) IS 'what refers to a column: indexes, constraints, views and so on';

CREATE FUNCTION standardize_event_column(relation regclass, from_column name,
	to_column name DEFAULT 'data', view_name text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql
SET row_security = off
AS $$
DECLARE
	from_number pg_catalog.int2;
	from_type pg_catalog.oid;
	from_not_null boolean;
	from_inherited boolean;
	from_default pg_catalog.text;
	from_comment pg_catalog.text;
	to_number pg_catalog.int2;
	to_type pg_catalog.oid;
	to_not_null boolean;
	to_default pg_catalog.text;
	to_comment pg_catalog.text;
	hindrances pg_catalog.text;
	view_path pg_catalog.text[];
	columns pg_catalog.text;
BEGIN
	IF relation IS NULL OR from_column IS NULL OR to_column IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'null_value_not_allowed',
			MESSAGE = 'standardize_event_column needs a table and two columns';
	END IF;
	PERFORM _event_validate.require_event_table(relation);
	IF view_name IS NOT NULL THEN
		view_path := pg_catalog.parse_ident(view_name);
		IF pg_catalog.array_length(view_path, 1) OPERATOR(pg_catalog.>) 2 THEN
			RAISE EXCEPTION USING ERRCODE = 'invalid_name', MESSAGE = pg_catalog.format('"%s" is no name of a view', view_name);
		END IF;
		IF pg_catalog.array_length(view_path, 1) OPERATOR(pg_catalog.=) 1 THEN
			SELECT ARRAY[n.nspname::pg_catalog.text, view_path[1]] INTO view_path
			FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
			WHERE c.oid OPERATOR(pg_catalog.=) relation;
		END IF;
	END IF;

	-- once without keeping anybody waiting, and then again under the lock
	FOR locked IN 0..1 LOOP
		IF locked OPERATOR(pg_catalog.=) 1 THEN
			PERFORM _event_validate.lock_event_table(relation);
		END IF;
		SELECT a.attnum, a.atttypid, a.attnotnull, a.attinhcount OPERATOR(pg_catalog.>) 0, pg_catalog.pg_get_expr(d.adbin, d.adrelid),
			pg_catalog.col_description(a.attrelid, a.attnum)
		INTO from_number, from_type, from_not_null, from_inherited, from_default, from_comment
		FROM pg_catalog.pg_attribute AS a LEFT JOIN pg_catalog.pg_attrdef AS d
			ON d.adrelid OPERATOR(pg_catalog.=) a.attrelid AND d.adnum OPERATOR(pg_catalog.=) a.attnum
		WHERE a.attrelid OPERATOR(pg_catalog.=) relation AND a.attname OPERATOR(pg_catalog.=) from_column
			AND a.attnum OPERATOR(pg_catalog.>) 0 AND NOT a.attisdropped;
		SELECT a.attnum, a.atttypid, a.attnotnull, pg_catalog.pg_get_expr(d.adbin, d.adrelid),
			pg_catalog.col_description(a.attrelid, a.attnum)
		INTO to_number, to_type, to_not_null, to_default, to_comment
		FROM pg_catalog.pg_attribute AS a LEFT JOIN pg_catalog.pg_attrdef AS d
			ON d.adrelid OPERATOR(pg_catalog.=) a.attrelid AND d.adnum OPERATOR(pg_catalog.=) a.attnum
		WHERE a.attrelid OPERATOR(pg_catalog.=) relation AND a.attname OPERATOR(pg_catalog.=) to_column
			AND a.attnum OPERATOR(pg_catalog.>) 0 AND NOT a.attisdropped;

		IF to_type OPERATOR(pg_catalog.=) 'pg_catalog.jsonb'::pg_catalog.regtype
			AND (from_number IS NULL OR from_column OPERATOR(pg_catalog.=) to_column) THEN
			RAISE NOTICE USING MESSAGE = pg_catalog.format('column "%s" of table %s is jsonb already', to_column, relation);
			EXIT;
		END IF;
		IF from_number IS NULL THEN
			RAISE EXCEPTION USING ERRCODE = 'undefined_column',
				MESSAGE = pg_catalog.format('table %s has no column "%s"', relation, from_column);
		END IF;
		IF from_inherited THEN
			RAISE EXCEPTION USING ERRCODE = 'invalid_table_definition',
				MESSAGE = pg_catalog.format('column "%s" of table %s is inherited', from_column, relation),
				HINT = pg_catalog.format('Call standardize_event_column for the parent that %s inherits it from.', relation);
		END IF;
		IF from_type OPERATOR(pg_catalog.<>) ALL (
			'{pg_catalog.jsonb,pg_catalog.json,pg_catalog.text,pg_catalog.varchar}'::pg_catalog.regtype[]) THEN
			RAISE EXCEPTION USING ERRCODE = 'datatype_mismatch',
				MESSAGE = pg_catalog.format('column "%s" of table %s is of type %s, not jsonb, json, text or varchar',
					from_column, relation, from_type::pg_catalog.regtype);
		END IF;
		IF to_number IS NOT NULL AND from_column OPERATOR(pg_catalog.<>) to_column THEN
			IF to_type OPERATOR(pg_catalog.<>) 'pg_catalog.jsonb'::pg_catalog.regtype THEN
				RAISE EXCEPTION USING ERRCODE = 'datatype_mismatch',
					MESSAGE = pg_catalog.format('column "%s" of table %s is of type %s, not jsonb', to_column, relation, to_type::pg_catalog.regtype),
					HINT = pg_catalog.format('Call standardize_event_column(%L, %L, %L) first.', relation, to_column, to_column);
			END IF;
			-- the old column goes, and what hangs on it would with it
			SELECT pg_catalog.string_agg(h.hindrance, pg_catalog.chr(10) ORDER BY h.hindrance COLLATE pg_catalog."C") INTO hindrances
			FROM (SELECT d.dependent AS hindrance FROM _event_validate.event_column_dependents(relation, from_column) AS d(dependent)
				UNION
				SELECT pg_catalog.format('default %s, where column %s has %s', from_default, to_column, to_default)
				WHERE from_default IS NOT NULL AND to_default IS NOT NULL AND from_default OPERATOR(pg_catalog.<>) to_default
				UNION
				SELECT pg_catalog.format('comment "%s", where column %s has "%s"', from_comment, to_column, to_comment)
				WHERE from_comment IS NOT NULL AND to_comment IS NOT NULL AND from_comment OPERATOR(pg_catalog.<>) to_comment
				UNION
				SELECT 'privileges on the column'
				FROM pg_catalog.pg_attribute AS a
				WHERE a.attrelid OPERATOR(pg_catalog.=) relation AND a.attnum OPERATOR(pg_catalog.=) from_number AND a.attacl IS NOT NULL) AS h;
			IF hindrances IS NOT NULL THEN
				RAISE EXCEPTION USING ERRCODE = 'dependent_objects_still_exist',
					MESSAGE = pg_catalog.format('column "%s" of table %s cannot be merged into "%s": what belongs to it would be lost',
						from_column, relation, to_column),
					DETAIL = hindrances,
					HINT = 'Drop these, or make them anew on the other column, first.';
			END IF;
		END IF;
		IF to_number IS NOT NULL OR from_type OPERATOR(pg_catalog.<>) 'pg_catalog.jsonb'::pg_catalog.regtype THEN
			PERFORM _event_validate.refuse_event_column_conflicts(relation, from_column, to_column);
		END IF;
		CONTINUE WHEN locked OPERATOR(pg_catalog.=) 0;

		IF to_number IS NOT NULL AND from_column OPERATOR(pg_catalog.<>) to_column THEN
			EXECUTE pg_catalog.format('UPDATE %s SET %I = %I::pg_catalog.jsonb WHERE %2$I IS NULL AND %3$I IS NOT NULL',
				relation, to_column, from_column);
			IF from_default IS NOT NULL AND to_default IS NULL THEN
				EXECUTE pg_catalog.format('ALTER TABLE %s ALTER COLUMN %I SET DEFAULT (%s)::pg_catalog.jsonb', relation, to_column, from_default);
			END IF;
			IF from_not_null AND NOT to_not_null THEN
				EXECUTE pg_catalog.format('ALTER TABLE %s ALTER COLUMN %I SET NOT NULL', relation, to_column);
			END IF;
			IF from_comment IS NOT NULL AND to_comment IS NULL THEN
				EXECUTE pg_catalog.format('COMMENT ON COLUMN %s.%I IS %L', relation, to_column, from_comment);
			END IF;
			EXECUTE pg_catalog.format('ALTER TABLE %s DROP COLUMN %I', relation, from_column);
		ELSE
			IF from_type OPERATOR(pg_catalog.<>) 'pg_catalog.jsonb'::pg_catalog.regtype THEN
				BEGIN
					EXECUTE pg_catalog.format('ALTER TABLE %1$s ALTER COLUMN %2$I DROP DEFAULT, ALTER COLUMN %2$I TYPE pg_catalog.jsonb USING %2$I::pg_catalog.jsonb',
						relation, from_column);
				EXCEPTION WHEN OTHERS THEN
					SELECT pg_catalog.string_agg(d.dependent, pg_catalog.chr(10)) INTO hindrances
					FROM _event_validate.event_column_dependents(relation, from_column) AS d(dependent);
					IF hindrances IS NULL THEN
						RAISE;
					END IF;
					RAISE EXCEPTION USING ERRCODE = SQLSTATE,
						MESSAGE = pg_catalog.format('column "%s" of table %s cannot become jsonb: %s', from_column, relation, SQLERRM),
						DETAIL = pg_catalog.format(E'These refer to it:\n%s', hindrances),
						HINT = 'Drop those that cannot do with jsonb first, and make them anew afterwards.';
				END;
				IF from_default IS NOT NULL THEN
					EXECUTE pg_catalog.format('ALTER TABLE %s ALTER COLUMN %I SET DEFAULT (%s)::pg_catalog.jsonb', relation, from_column, from_default);
				END IF;
			END IF;
			IF from_column OPERATOR(pg_catalog.<>) to_column THEN
				EXECUTE pg_catalog.format('ALTER TABLE %s RENAME COLUMN %I TO %I', relation, from_column, to_column);
			END IF;
		END IF;
	END LOOP;

	IF view_name IS NOT NULL AND NOT EXISTS (
		SELECT FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
		WHERE n.nspname OPERATOR(pg_catalog.=) view_path[1]::pg_catalog.name AND c.relname OPERATOR(pg_catalog.=) view_path[2]::pg_catalog.name
			AND c.relkind OPERATOR(pg_catalog.=) 'v' AND from_number IS NULL) THEN
		SELECT pg_catalog.string_agg(CASE WHEN a.attname OPERATOR(pg_catalog.=) to_column
				THEN pg_catalog.format('%I AS %I', a.attname, from_column) ELSE pg_catalog.quote_ident(a.attname) END, ', ' ORDER BY a.attnum)
		INTO columns FROM pg_catalog.pg_attribute AS a
		WHERE a.attrelid OPERATOR(pg_catalog.=) relation AND a.attnum OPERATOR(pg_catalog.>) 0 AND NOT a.attisdropped;
		EXECUTE pg_catalog.format('CREATE VIEW %I.%I WITH (security_invoker = true) AS SELECT %s FROM %s',
			view_path[1], view_path[2], columns, relation);
		EXECUTE pg_catalog.format('COMMENT ON VIEW %I.%I IS %L', view_path[1], view_path[2],
			pg_catalog.format('table %s as it was before its column %s became %s', relation, from_column, to_column));
	END IF;
END
$$;
COMMENT ON FUNCTION standardize_event_column(regclass, name, name, text) IS 'makes a legacy column of JSON a jsonb column of the standard name, or merges it into that one, without losing anything';

-- ---------- evolution: lifecycle ----------

CREATE FUNCTION _event_validate.event_usage(event_type text, OUT relation regclass, OUT used_type text, OUT used_version bigint,
	OUT events bigint)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'ev_event_usage' LANGUAGE C STABLE ROWS 20;
COMMENT ON FUNCTION _event_validate.event_usage(text) IS 'how many rows of enforced tables carry which type and version';

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
COMMENT ON FUNCTION event_schema_usage(text) IS 'which versions are in use, in which tables, by how many rows; and which are in none';

-- ---------- rolling out: guards and quarantine ----------

CREATE FUNCTION guard_event() RETURNS trigger
	AS 'MODULE_PATHNAME', 'ev_guard_event' LANGUAGE C;
COMMENT ON FUNCTION guard_event() IS 'the trigger of add_event_guard: lets valid events through, and does with others what its mode says';

CREATE FUNCTION _event_validate.event_guard_reads(event record) RETURNS boolean
	AS 'MODULE_PATHNAME', 'ev_event_guard_reads' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION _event_validate.event_guard_reads(record) IS 'in the WHEN condition of a guard: what it reads from a row';

CREATE FUNCTION add_event_guard(relation regclass, mode text, data_expr text DEFAULT 'data',
	type_expr text DEFAULT 'event_type', version_expr text DEFAULT 'schema_version') RETURNS name
	AS 'MODULE_PATHNAME', 'ev_add_event_guard' LANGUAGE C;
COMMENT ON FUNCTION add_event_guard(regclass, text, text, text, text) IS 'guards the events of a table by a trigger, in a mode that can be switched';

CREATE FUNCTION set_event_guard_mode(relation regclass, mode text, until timestamptz DEFAULT NULL,
	OUT guarded_relation regclass, OUT old_mode text, OUT new_mode text, OUT mode_until timestamptz, OUT problem text)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'ev_set_event_guard_mode' LANGUAGE C ROWS 1;
COMMENT ON FUNCTION set_event_guard_mode(regclass, text, timestamptz) IS 'switches the guard of a table, or of all: enforce, quarantine, warn, off';

CREATE FUNCTION drop_event_guard(relation regclass) RETURNS void
	AS 'MODULE_PATHNAME', 'ev_drop_event_guard' LANGUAGE C;
COMMENT ON FUNCTION drop_event_guard(regclass) IS 'drops the guard of a table';

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
COMMENT ON VIEW event_quarantine IS 'the events that guards diverted or warned about, for who may read event_schema.quarantine';
GRANT SELECT ON event_quarantine TO PUBLIC;

CREATE FUNCTION replay_event_quarantine(relation regclass DEFAULT NULL, event_type text DEFAULT NULL,
	schema_version int DEFAULT NULL, repair regprocedure DEFAULT NULL, max_rows int DEFAULT 10000,
	after_id bigint DEFAULT NULL, OUT relation_schema text, OUT relation_name text,
	OUT replayed bigint, OUT remaining bigint, OUT last_id bigint, OUT problem text)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'ev_replay_event_quarantine' LANGUAGE C ROWS 1;
COMMENT ON FUNCTION replay_event_quarantine(regclass, text, int, regprocedure, int, bigint) IS 'puts events of the quarantine into their tables, those that are valid now';

CREATE FUNCTION purge_event_quarantine(older_than interval, relation regclass DEFAULT NULL,
	event_type text DEFAULT NULL, schema_version int DEFAULT NULL, kept boolean DEFAULT NULL) RETURNS bigint
	AS 'MODULE_PATHNAME', 'ev_purge_event_quarantine' LANGUAGE C;
COMMENT ON FUNCTION purge_event_quarantine(interval, regclass, text, int, boolean) IS 'deletes what has been in the quarantine for longer';

CREATE FUNCTION _event_validate.event_validate_guard_quarantine() RETURNS event_trigger
	AS 'MODULE_PATHNAME', 'ev_guard_quarantine' LANGUAGE C;
COMMENT ON FUNCTION _event_validate.event_validate_guard_quarantine() IS 'refuses to drop quarantined events along with their table or the extension';

REVOKE EXECUTE ON FUNCTION _event_validate.event_validate_guard_quarantine() FROM PUBLIC;

CREATE EVENT TRIGGER event_validate_guard_quarantine ON ddl_command_start
	WHEN TAG IN ('DROP EXTENSION', 'DROP SCHEMA', 'DROP OWNED', 'DROP LANGUAGE', 'DROP TABLE')
	EXECUTE FUNCTION _event_validate.event_validate_guard_quarantine();
COMMENT ON EVENT TRIGGER event_validate_guard_quarantine IS 'keeps events that are nowhere else';

-- ---------- keeping what is published ----------

CREATE FUNCTION _event_validate.event_validate_guard_ddl() RETURNS event_trigger
	AS 'MODULE_PATHNAME', 'ev_guard_ddl' LANGUAGE C;
COMMENT ON FUNCTION _event_validate.event_validate_guard_ddl() IS 'refuses to rename, move or alter registered schemas into another';

CREATE FUNCTION _event_validate.event_validate_guard_drop() RETURNS event_trigger
	AS 'MODULE_PATHNAME', 'ev_guard_drop' LANGUAGE C;
COMMENT ON FUNCTION _event_validate.event_validate_guard_drop() IS 'refuses to drop a registered schema that rows need';

REVOKE EXECUTE ON FUNCTION _event_validate.event_validate_guard_ddl(), _event_validate.event_validate_guard_drop() FROM PUBLIC;

CREATE EVENT TRIGGER event_validate_guard_ddl ON ddl_command_end
	WHEN TAG IN ('CREATE FUNCTION', 'CREATE PROCEDURE', 'CREATE AGGREGATE',
		'ALTER FUNCTION', 'ALTER PROCEDURE', 'ALTER ROUTINE', 'ALTER AGGREGATE',
		'ALTER SCHEMA', 'ALTER LANGUAGE', 'ALTER EXTENSION')
	EXECUTE FUNCTION _event_validate.event_validate_guard_ddl();
COMMENT ON EVENT TRIGGER event_validate_guard_ddl IS 'keeps registered schemas what they are';

CREATE EVENT TRIGGER event_validate_guard_drop ON sql_drop
	WHEN TAG IN ('DROP FUNCTION', 'DROP PROCEDURE', 'DROP ROUTINE', 'DROP AGGREGATE',
		'DROP EXTENSION', 'DROP LANGUAGE', 'DROP SCHEMA', 'DROP OWNED')
	EXECUTE FUNCTION _event_validate.event_validate_guard_drop();
COMMENT ON EVENT TRIGGER event_validate_guard_drop IS 'keeps registered schemas that rows need';
