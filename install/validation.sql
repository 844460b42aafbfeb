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

