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
