-- ---------- the language ----------

CREATE FUNCTION jsonschema_call_handler() RETURNS language_handler
	AS 'MODULE_PATHNAME', 'ev_jsonschema_call_handler' LANGUAGE C;
COMMENT ON FUNCTION jsonschema_call_handler() IS 'runs functions in language jsonschema';

CREATE FUNCTION jsonschema_validator(oid) RETURNS void
	AS 'MODULE_PATHNAME', 'ev_jsonschema_validator' LANGUAGE C STRICT;
COMMENT ON FUNCTION jsonschema_validator(oid) IS 'checks functions in language jsonschema when they are created';

CREATE TRUSTED LANGUAGE jsonschema HANDLER jsonschema_call_handler VALIDATOR jsonschema_validator;
COMMENT ON LANGUAGE jsonschema IS 'JSON Schema: functions from jsonb to boolean';

