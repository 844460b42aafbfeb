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

