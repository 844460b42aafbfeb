-- ---------- evolution: versions in use ----------

CREATE FUNCTION _event_validate.event_usage(event_type text, OUT relation regclass, OUT used_type text, OUT used_version bigint,
	OUT events bigint)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'ev_event_usage' LANGUAGE C STABLE ROWS 20;
COMMENT ON FUNCTION _event_validate.event_usage(text) IS 'the number of rows of each type and version in tables with checks or guards';

CREATE FUNCTION event_schema_usage(event_type text DEFAULT NULL)
	RETURNS TABLE (relation regclass, event_type text, schema_version int, events bigint, deprecated boolean, registered boolean)
LANGUAGE sql STABLE ROWS 20
SET search_path = pg_catalog, pg_temp
AS $$
	WITH counted AS MATERIALIZED (
		SELECT * FROM _event_validate.event_usage($1)),
	used AS (
		SELECT u.relation, u.used_type, CASE WHEN u.used_version NOT BETWEEN 0 AND 2147483647 THEN -1 ELSE u.used_version::int END AS used_version,
			sum(u.events)::bigint AS events
		FROM counted AS u WHERE u.relation IS NOT NULL GROUP BY 1, 2, 3),
	known AS (
		SELECT s.event_type, s.schema_version, s.deprecated
		FROM @extschema@.event_schemas AS s WHERE $1 IS NULL OR s.event_type = $1 COLLATE "C")
	SELECT u.relation, COALESCE(u.used_type, k.event_type), COALESCE(u.used_version, k.schema_version),
		COALESCE(u.events, CASE WHEN NOT EXISTS (SELECT FROM counted WHERE counted.relation IS NULL) THEN 0 END), COALESCE(k.deprecated, false), k.event_type IS NOT NULL
	FROM used AS u FULL JOIN known AS k
		ON k.event_type = u.used_type AND k.schema_version = u.used_version
	ORDER BY COALESCE(u.used_type, k.event_type) COLLATE "C", 3, u.relation::text COLLATE "C"
$$;
COMMENT ON FUNCTION event_schema_usage(text) IS 'the number of events of each version in each table, including versions without events';


-- ---------- rolling out: what is enforced ----------

CREATE FUNCTION _event_validate.list_event_enforcement(OUT relation regclass, OUT kind text, OUT name name,
	OUT column_name name, OUT data_expr text, OUT type_expr text, OUT version_expr text, OUT mode text,
	OUT mode_until timestamptz, OUT validated boolean, OUT enabled boolean, OUT definition text, OUT problem text,
	OUT types text[])
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'ev_list_event_enforcement' LANGUAGE C STABLE ROWS 20;
COMMENT ON FUNCTION _event_validate.list_event_enforcement() IS 'the rows of event_enforcement';

CREATE FUNCTION _event_validate.has_validation_stats() RETURNS boolean
	AS 'MODULE_PATHNAME', 'ev_has_validation_stats' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION _event_validate.has_validation_stats() IS 'whether there are statistics of validations';

CREATE FUNCTION _event_validate.seen_event_types(OUT relation oid, OUT event_types text[]) RETURNS SETOF record
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT s.relation_id, array_agg(DISTINCT s.event_type ORDER BY s.event_type)
	FROM _event_validate.validation_stats() AS s
	WHERE _event_validate.has_validation_stats() AND s.relation_id <> 0
		AND s.database_id = (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database())
	GROUP BY s.relation_id
$$;
COMMENT ON FUNCTION _event_validate.seen_event_types() IS 'the event types that guards have seen, by table, as far as there are statistics that the caller may read';

CREATE VIEW event_enforcement AS
	SELECT e.relation, e.kind, e.name, e.column_name, e.data_expr, e.type_expr, e.version_expr, e.types, e.mode, e.mode_until,
		e.validated, e.enabled, e.definition, e.problem, s.event_types AS event_types_seen
	FROM _event_validate.list_event_enforcement() AS e
		LEFT JOIN _event_validate.seen_event_types() AS s ON e.kind = 'guard' AND s.relation = e.relation::pg_catalog.oid
	ORDER BY e.relation::text COLLATE "C", e.kind, e.name, e.data_expr COLLATE "C";
COMMENT ON VIEW event_enforcement IS 'the CHECK constraints and guards of all tables that validate events';
GRANT SELECT ON event_enforcement TO PUBLIC;
