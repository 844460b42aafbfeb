-- ---------- watching: statistics of validations ----------

CREATE FUNCTION _event_validate.validation_stats(OUT database_id oid, OUT role_id oid, OUT relation_id oid, OUT event_type text,
	OUT schema_version int, OUT valid bigint, OUT invalid bigint, OUT warned bigint, OUT quarantined bigint, OUT replayed bigint,
	OUT bypassed bigint, OUT first_invalid_at timestamptz, OUT last_invalid_at timestamptz, OUT timed bigint,
	OUT total_time double precision, OUT since timestamptz)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'ev_validation_stats' LANGUAGE C VOLATILE PARALLEL SAFE ROWS 100;
COMMENT ON FUNCTION _event_validate.validation_stats() IS 'the rows of event_validation_stats';

CREATE FUNCTION _event_validate.validation_stats_history(OUT database_id oid, OUT role_id oid, OUT relation_id oid,
	OUT event_type text, OUT schema_version int, OUT hour timestamptz, OUT valid bigint, OUT invalid bigint, OUT warned bigint,
	OUT quarantined bigint, OUT replayed bigint, OUT bypassed bigint)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'ev_validation_stats_history' LANGUAGE C VOLATILE PARALLEL SAFE ROWS 1000;
COMMENT ON FUNCTION _event_validate.validation_stats_history() IS 'the rows of event_validation_stats_history';

CREATE FUNCTION _event_validate.validation_stats_daily(OUT database_id oid, OUT role_id oid, OUT relation_id oid,
	OUT event_type text, OUT schema_version int, OUT day date, OUT valid bigint, OUT invalid bigint, OUT warned bigint,
	OUT quarantined bigint, OUT replayed bigint, OUT bypassed bigint)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'ev_validation_stats_daily' LANGUAGE C VOLATILE PARALLEL SAFE ROWS 1000;
COMMENT ON FUNCTION _event_validate.validation_stats_daily() IS 'the rows of event_validation_stats_daily';

CREATE FUNCTION _event_validate.validation_failures(OUT database_id oid, OUT role_id oid, OUT relation_id oid, OUT event_type text,
	OUT schema_version int, OUT reason text, OUT instance_location text, OUT keyword text, OUT events bigint,
	OUT first_at timestamptz, OUT last_at timestamptz, OUT sample text)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'ev_validation_failures' LANGUAGE C VOLATILE PARALLEL SAFE ROWS 100;
COMMENT ON FUNCTION _event_validate.validation_failures() IS 'the rows of event_validation_failures';

CREATE FUNCTION _event_validate.validation_stats_info(OUT stats_evicted bigint, OUT failures_evicted bigint, OUT reset_at timestamptz)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'ev_validation_stats_info' LANGUAGE C VOLATILE PARALLEL SAFE ROWS 1;
COMMENT ON FUNCTION _event_validate.validation_stats_info() IS 'the row of event_validation_stats_info';

CREATE FUNCTION _event_validate.event_is_registered(event_type text, schema_version int) RETURNS boolean
	AS 'MODULE_PATHNAME', 'ev_event_is_registered' LANGUAGE C STABLE STRICT;
COMMENT ON FUNCTION _event_validate.event_is_registered(text, int) IS 'whether a type has this version; false for what can be no type';

-- the relation is known by its name in its own database only, and so is what is registered
CREATE VIEW event_validation_stats AS
	SELECT d.datname AS database, pg_catalog.pg_get_userbyid(s.role_id) AS role,
		CASE WHEN d.datname = pg_catalog.current_database() THEN s.relation_id::pg_catalog.regclass END AS relation,
		s.event_type, s.schema_version, s.valid, s.invalid, s.warned, s.quarantined, s.replayed, s.bypassed,
		s.first_invalid_at, s.last_invalid_at, s.timed, s.total_time, s.since,
		CASE WHEN d.datname = pg_catalog.current_database() THEN _event_validate.event_is_registered(s.event_type, s.schema_version) END AS registered,
		s.database_id, s.role_id, s.relation_id
	FROM _event_validate.validation_stats() AS s LEFT JOIN pg_catalog.pg_database AS d ON d.oid = s.database_id;
COMMENT ON VIEW event_validation_stats IS 'how many events of each type and version were valid and invalid';
GRANT SELECT ON event_validation_stats TO PUBLIC;

CREATE VIEW event_validation_stats_history AS
	SELECT d.datname AS database, pg_catalog.pg_get_userbyid(s.role_id) AS role,
		CASE WHEN d.datname = pg_catalog.current_database() THEN s.relation_id::pg_catalog.regclass END AS relation,
		s.event_type, s.schema_version, s.hour, s.valid, s.invalid, s.warned, s.quarantined, s.replayed, s.bypassed,
		s.database_id, s.role_id, s.relation_id
	FROM _event_validate.validation_stats_history() AS s LEFT JOIN pg_catalog.pg_database AS d ON d.oid = s.database_id;
COMMENT ON VIEW event_validation_stats_history IS 'the same for each of the last hours';
GRANT SELECT ON event_validation_stats_history TO PUBLIC;

CREATE VIEW event_validation_stats_daily AS
	SELECT d.datname AS database, pg_catalog.pg_get_userbyid(s.role_id) AS role,
		CASE WHEN d.datname = pg_catalog.current_database() THEN s.relation_id::pg_catalog.regclass END AS relation,
		s.event_type, s.schema_version, s.day, s.valid, s.invalid, s.warned, s.quarantined, s.replayed, s.bypassed,
		s.database_id, s.role_id, s.relation_id
	FROM _event_validate.validation_stats_daily() AS s LEFT JOIN pg_catalog.pg_database AS d ON d.oid = s.database_id;
COMMENT ON VIEW event_validation_stats_daily IS 'the same for each of the last days, in UTC';
GRANT SELECT ON event_validation_stats_daily TO PUBLIC;

CREATE VIEW event_validation_failures AS
	SELECT d.datname AS database, pg_catalog.pg_get_userbyid(s.role_id) AS role,
		CASE WHEN d.datname = pg_catalog.current_database() THEN s.relation_id::pg_catalog.regclass END AS relation,
		s.event_type, s.schema_version, s.reason, s.instance_location, s.keyword, s.events, s.first_at, s.last_at, s.sample,
		CASE WHEN d.datname = pg_catalog.current_database() THEN _event_validate.event_is_registered(s.event_type, s.schema_version) END AS registered,
		s.database_id, s.role_id, s.relation_id
	FROM _event_validate.validation_failures() AS s LEFT JOIN pg_catalog.pg_database AS d ON d.oid = s.database_id
	ORDER BY s.events DESC, s.last_at DESC;
COMMENT ON VIEW event_validation_failures IS 'what was wrong with events, the most frequent first';
GRANT SELECT ON event_validation_failures TO PUBLIC;

CREATE VIEW event_validation_stats_info AS
	SELECT stats_evicted, failures_evicted, reset_at FROM _event_validate.validation_stats_info();
COMMENT ON VIEW event_validation_stats_info IS 'how many rows of the statistics left for others, and when they were reset';
GRANT SELECT ON event_validation_stats_info TO PUBLIC;

CREATE FUNCTION event_validation_stats_reset(database name DEFAULT NULL, event_type text DEFAULT NULL, schema_version int DEFAULT NULL)
	RETURNS void
	AS 'MODULE_PATHNAME', 'ev_event_validation_stats_reset' LANGUAGE C VOLATILE PARALLEL SAFE;
COMMENT ON FUNCTION event_validation_stats_reset(name, text, int) IS 'removes statistics of validations: of a database, an event type and a version, each NULL for all';
REVOKE ALL ON FUNCTION event_validation_stats_reset(name, text, int) FROM PUBLIC;

