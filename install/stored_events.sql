-- ---------- evolution: stored events ----------

-- These use a subtransaction for each event, which parallel workers cannot start.

CREATE FUNCTION _event_validate.event_upgrade_filter(data jsonb, event_type text, from_version int, to_version int) RETURNS boolean
	AS 'MODULE_PATHNAME', 'ev_event_upgrade_filter' LANGUAGE C STABLE PARALLEL UNSAFE COST 500;
COMMENT ON FUNCTION _event_validate.event_upgrade_filter(jsonb, text, int, int) IS 'true if the event would not be valid as another version, after its upcasts; never raises an error for an event';

CREATE FUNCTION _event_validate.event_upgrade_filter(data text, event_type text, from_version int, to_version int) RETURNS boolean
	AS 'MODULE_PATHNAME', 'ev_event_upgrade_filter_text' LANGUAGE C STABLE PARALLEL UNSAFE COST 500;
COMMENT ON FUNCTION _event_validate.event_upgrade_filter(text, text, int, int) IS 'true if the event would not be valid as another version, after its upcasts; never raises an error for an event';

CREATE FUNCTION _event_validate.event_upgrade_violations(data jsonb, event_type text, from_version int, to_version int,
	OUT instance_location text, OUT keyword_location text, OUT keyword text, OUT name text,
	OUT message text, OUT violations bigint)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'ev_event_upgrade_violations' LANGUAGE C STABLE PARALLEL UNSAFE COST 500 ROWS 2;
COMMENT ON FUNCTION _event_validate.event_upgrade_violations(jsonb, text, int, int) IS 'the violations of an event as another version, after its upcasts, counted by kind; array indexes are combined';

CREATE FUNCTION _event_validate.event_upgrade_violations(data text, event_type text, from_version int, to_version int,
	OUT instance_location text, OUT keyword_location text, OUT keyword text, OUT name text,
	OUT message text, OUT violations bigint)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'ev_event_upgrade_violations_text' LANGUAGE C STABLE PARALLEL UNSAFE COST 500 ROWS 2;
COMMENT ON FUNCTION _event_validate.event_upgrade_violations(text, text, int, int) IS 'the violations of an event as another version, after its upcasts, counted by kind; array indexes are combined';

CREATE FUNCTION _event_validate.event_has_upcast(event_type text, from_version int, to_version int) RETURNS boolean
	AS 'MODULE_PATHNAME', 'ev_event_has_upcast' LANGUAGE C STABLE STRICT;
COMMENT ON FUNCTION _event_validate.event_has_upcast(text, int, int) IS 'whether an upcast leads from a version towards another; raises an error if either is not registered';

CREATE FUNCTION _event_validate.event_upgrade_query(relation regclass, event_type text, from_version int, to_version int,
	data text, type text, version text) RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	hidden CONSTANT boolean := _event_validate.hide_context();
	step text := 'upgrade';
	arguments text := format('%L::pg_catalog.text, %s, %s', event_type, from_version, to_version);
BEGIN
	-- without an upcast, the rows are audited as events of the other version
	IF NOT _event_validate.event_has_upcast(event_type, from_version, to_version) THEN
		step := 'audit';
		arguments := format('%L::pg_catalog.text, %s', event_type, to_version);
	END IF;
	-- a row has one violation of each kind: so its first one counts the row in the total
	RETURN format($query$
		SELECT k.instance_location, k.keyword, CASE WHEN pg_catalog.int4eq(GROUPING(k.keyword), 1) THEN 'all violations' ELSE k.message END,
			CASE WHEN pg_catalog.int4eq(GROUPING(k.keyword), 1) THEN pg_catalog.sum(k.first_rows)::pg_catalog.int8 ELSE k.rows END,
			pg_catalog.sum(k.violations)::pg_catalog.int8, k.sample_ids
		FROM (SELECT v.instance_location, v.keyword_location, v.keyword, v.name,
				pg_catalog.min(v.message COLLATE pg_catalog."C") AS message, pg_catalog.count(*) AS rows,
				pg_catalog.count(*) FILTER (WHERE pg_catalog.int8eq(v.ordinality, 1::pg_catalog.int8)) AS first_rows,
				pg_catalog.sum(v.violations) AS violations, (_event_validate.event_audit_sample(e.row_name, 5))[1:5] AS sample_ids
			FROM (SELECT %1$s AS data, %2$s AS row_name
				FROM %3$s WHERE %4$s AND %5$s AND _event_validate.event_%6$s_filter(%1$s, %7$s)) AS e,
				LATERAL _event_validate.event_%6$s_violations(e.data, %7$s) WITH ORDINALITY AS v
			GROUP BY v.instance_location, v.keyword_location, v.keyword, v.name) AS k
		GROUP BY GROUPING SETS ((), (k.instance_location, k.keyword_location, k.keyword, k.name, k.message, k.rows, k.violations, k.sample_ids))
		HAVING pg_catalog.int8gt(pg_catalog.count(*), 0::pg_catalog.int8)
		ORDER BY k.keyword IS NOT NULL, 5 DESC, k.instance_location COLLATE pg_catalog."C", k.keyword COLLATE pg_catalog."C", 3
		$query$, data, _event_validate.event_row_name(relation), _event_validate.event_qualified_name(relation),
		_event_validate.event_row_equals(type, event_type), _event_validate.event_row_equals(version, from_version::text),
		step, arguments);
END
$$;
COMMENT ON FUNCTION _event_validate.event_upgrade_query(regclass, text, int, int, text, text, text) IS 'the query that check_event_upgrade runs';

CREATE FUNCTION check_event_upgrade(relation regclass, event_type text, from_version int, to_version int,
	data_expr text DEFAULT 'data', type_expr text DEFAULT 'event_type', version_expr text DEFAULT 'schema_version')
	RETURNS TABLE (instance_location text, keyword text, message text, "rows" bigint, violations bigint, sample_ids text[])
LANGUAGE plpgsql ROWS 100
SET row_security = off
AS $$
DECLARE
	hidden CONSTANT boolean := _event_validate.hide_context();
BEGIN
	PERFORM _event_validate.require_arguments('{relation,event_type,from_version,to_version,data_expr,type_expr,version_expr}'::pg_catalog.text[], relation, event_type, from_version, to_version, data_expr, type_expr, version_expr);
	PERFORM _event_validate.require_event_relation(relation, 'SELECT');
	RETURN QUERY EXECUTE _event_validate.event_upgrade_query(relation, event_type, from_version, to_version,
		_event_validate.event_row_expression(relation, data_expr, 'data', true),
		_event_validate.event_row_expression(relation, type_expr, 'type', true),
		_event_validate.event_row_expression(relation, version_expr, 'version', true));
END
$$;
COMMENT ON FUNCTION check_event_upgrade(regclass, text, int, int, text, text, text) IS 'the stored events of a version that would not be valid as another version, after their upcasts, and why; the total comes first';

-- It commits, so it has no SET clause.
CREATE PROCEDURE migrate_events(relation regclass, event_type text, to_version int,
	batch_size int DEFAULT 10000, keep_original boolean DEFAULT false, data_expr text DEFAULT 'data',
	type_expr text DEFAULT 'event_type', version_expr text DEFAULT 'schema_version')
	AS 'MODULE_PATHNAME', 'ev_migrate_events' LANGUAGE C;
COMMENT ON PROCEDURE migrate_events(regclass, text, int, int, boolean, text, text, text) IS 'converts the stored events of a type to a later version, in batches';

