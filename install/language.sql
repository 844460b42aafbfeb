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

