-- ---------- validation ----------

CREATE FUNCTION validate_event(data jsonb, event_type text, schema_version int) RETURNS boolean
	AS 'MODULE_PATHNAME', 'ev_validate_event' LANGUAGE C STABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION validate_event(jsonb, text, int) IS 'whether an event matches its registered schema';

CREATE FUNCTION check_event(data jsonb, event_type text, schema_version int,
	constraint_name text DEFAULT NULL) RETURNS boolean
	AS 'MODULE_PATHNAME', 'ev_check_event' LANGUAGE C STABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION check_event(jsonb, text, int, text) IS 'for CHECK constraints: returns true, or raises an error that lists the violations';

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

CREATE FUNCTION jsonb_matches_schema(schema jsonb, instance jsonb, assert_format boolean DEFAULT true) RETURNS boolean
	AS 'MODULE_PATHNAME', 'ev_jsonb_matches_schema' LANGUAGE C STABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION jsonb_matches_schema(jsonb, jsonb, boolean) IS 'whether an instance matches a JSON Schema';

CREATE FUNCTION jsonb_schema_violations(schema jsonb, instance jsonb, assert_format boolean DEFAULT true,
	OUT instance_location text, OUT keyword_location text, OUT keyword text, OUT message text,
	OUT property text, OUT expected jsonb, OUT actual jsonb)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'ev_jsonb_schema_violations' LANGUAGE C STABLE PARALLEL SAFE ROWS 10;
COMMENT ON FUNCTION jsonb_schema_violations(jsonb, jsonb, boolean) IS 'the violations of an instance against a JSON Schema';

CREATE FUNCTION jsonschema_is_valid(schema jsonb) RETURNS boolean
	AS 'MODULE_PATHNAME', 'ev_jsonschema_is_valid' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION jsonschema_is_valid(jsonb) IS 'whether a document is a valid JSON Schema';

