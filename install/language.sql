-- ---------- the language ----------

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

