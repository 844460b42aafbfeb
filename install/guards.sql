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

