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

