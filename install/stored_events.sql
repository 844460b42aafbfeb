-- ---------- evolution: stored events ----------

CREATE TYPE _event_validate.event_upgrade_kind AS (instance_location text, keyword text, message text, "rows" bigint,
	violations bigint, sample_ids text[]);
COMMENT ON TYPE _event_validate.event_upgrade_kind IS 'a row of check_event_upgrade';

-- They use subtransactions, which parallel workers cannot start.
CREATE FUNCTION _event_validate.event_upgrade_add(internal, data jsonb, row_name text, event_type text, from_version int, to_version int)
	RETURNS internal
	AS 'MODULE_PATHNAME', 'ev_event_upgrade_add' LANGUAGE C STABLE PARALLEL UNSAFE COST 500;
COMMENT ON FUNCTION _event_validate.event_upgrade_add(internal, jsonb, text, text, int, int) IS 'the transition function of event_upgrade_kinds';

CREATE FUNCTION _event_validate.event_upgrade_add(internal, data jsonb, row_name text, event_type text, from_version int, to_version int,
		table_id oid, location tid, relation oid, data_column text, version_column text)
	RETURNS internal
	AS 'MODULE_PATHNAME', 'ev_event_upgrade_add' LANGUAGE C STABLE PARALLEL UNSAFE COST 500;
COMMENT ON FUNCTION _event_validate.event_upgrade_add(internal, jsonb, text, text, int, int, oid, tid, oid, text, text) IS 'the transition function of event_upgrade_kinds';

CREATE FUNCTION _event_validate.event_upgrade_add(internal, data text, row_name text, event_type text, from_version int, to_version int)
	RETURNS internal
	AS 'MODULE_PATHNAME', 'ev_event_upgrade_add_text' LANGUAGE C STABLE PARALLEL UNSAFE COST 500;
COMMENT ON FUNCTION _event_validate.event_upgrade_add(internal, text, text, text, int, int) IS 'the transition function of event_upgrade_kinds';

CREATE FUNCTION _event_validate.event_upgrade_final(internal) RETURNS _event_validate.event_upgrade_kind[]
	AS 'MODULE_PATHNAME', 'ev_event_upgrade_final' LANGUAGE C STABLE PARALLEL UNSAFE;
COMMENT ON FUNCTION _event_validate.event_upgrade_final(internal) IS 'the final function of event_upgrade_kinds';

-- PostgreSQL checks that the owner of the aggregates may call these.
REVOKE EXECUTE ON FUNCTION _event_validate.event_upgrade_add(internal, jsonb, text, text, int, int),
	_event_validate.event_upgrade_add(internal, jsonb, text, text, int, int, oid, tid, oid, text, text),
	_event_validate.event_upgrade_add(internal, text, text, text, int, int), _event_validate.event_upgrade_final(internal) FROM PUBLIC;

CREATE AGGREGATE _event_validate.event_upgrade_kinds(data jsonb, row_name text, event_type text, from_version int, to_version int) (
	SFUNC = _event_validate.event_upgrade_add, STYPE = internal, FINALFUNC = _event_validate.event_upgrade_final,
	FINALFUNC_MODIFY = READ_WRITE);
COMMENT ON AGGREGATE _event_validate.event_upgrade_kinds(jsonb, text, text, int, int) IS 'the violations of events as another version, after their upcasts, counted by kind after their total; never raises an error for an event';

CREATE AGGREGATE _event_validate.event_upgrade_kinds(data text, row_name text, event_type text, from_version int, to_version int) (
	SFUNC = _event_validate.event_upgrade_add, STYPE = internal, FINALFUNC = _event_validate.event_upgrade_final,
	FINALFUNC_MODIFY = READ_WRITE);
COMMENT ON AGGREGATE _event_validate.event_upgrade_kinds(text, text, text, int, int) IS 'the violations of events as another version, after their upcasts, counted by kind after their total; never raises an error for an event';

CREATE AGGREGATE _event_validate.event_upgrade_kinds(data jsonb, row_name text, event_type text, from_version int, to_version int,
		table_id oid, location tid, relation oid, data_column text, version_column text) (
	SFUNC = _event_validate.event_upgrade_add, STYPE = internal, FINALFUNC = _event_validate.event_upgrade_final,
	FINALFUNC_MODIFY = READ_WRITE);
COMMENT ON AGGREGATE _event_validate.event_upgrade_kinds(jsonb, text, text, int, int, oid, tid, oid, text, text) IS 'the same, with what an UPDATE of the rows would refuse';

CREATE FUNCTION _event_validate.event_update_is_checked(relation regclass, data_column text, version_column text) RETURNS boolean
	AS 'MODULE_PATHNAME', 'ev_event_update_is_checked' LANGUAGE C STABLE STRICT;
COMMENT ON FUNCTION _event_validate.event_update_is_checked(regclass, text, text) IS 'whether anything besides schemas can refuse an UPDATE of data and version, for a caller who may read the table';

CREATE FUNCTION _event_validate.event_has_upcast(event_type text, from_version int, to_version int) RETURNS boolean
	AS 'MODULE_PATHNAME', 'ev_event_has_upcast' LANGUAGE C STABLE STRICT;
COMMENT ON FUNCTION _event_validate.event_has_upcast(text, int, int) IS 'whether an upcast leads from a version towards another; raises an error if either is not registered';

CREATE FUNCTION _event_validate.event_upgrade_query(relation regclass, event_type text, from_version int, to_version int,
	data text, type text, version text, data_column text, version_column text) RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	hidden CONSTANT boolean := _event_validate.hide_context();
	row_name CONSTANT text := _event_validate.event_row_name(relation);
	source CONSTANT text := format('%s WHERE %s AND %s', _event_validate.event_qualified_name(relation),
		_event_validate.event_row_equals(type, event_type), _event_validate.event_row_equals(version, from_version::text));
	is_checked CONSTANT boolean := _event_validate.event_update_is_checked(relation, data_column, version_column);
BEGIN
	IF _event_validate.event_has_upcast(event_type, from_version, to_version) OR is_checked THEN
		RETURN format($query$
			SELECT k.instance_location, k.keyword, k.message, k.rows, k.violations, k.sample_ids
			FROM pg_catalog.unnest((SELECT _event_validate.event_upgrade_kinds(%s, %s, %L::pg_catalog.text, %s, %s%s) FROM %s)) AS k
			ORDER BY k.keyword IS NOT NULL, k.violations DESC, k.instance_location COLLATE pg_catalog."C", k.keyword COLLATE pg_catalog."C",
				k.message COLLATE pg_catalog."C"
			$query$, data, row_name, event_type, from_version, to_version,
			CASE WHEN is_checked THEN format(', tableoid, ctid, %s::pg_catalog.oid, %L::pg_catalog.text, %L::pg_catalog.text',
				relation::oid, data_column, version_column) END, source);
	END IF;
	-- without an upcast, the rows are audited as events of the other version;
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
				FROM %3$s AND _event_validate.event_audit_filter(%1$s, %4$s)) AS e,
				LATERAL _event_validate.event_audit_violations(e.data, %4$s) WITH ORDINALITY AS v
			GROUP BY v.instance_location, v.keyword_location, v.keyword, v.name) AS k
		GROUP BY GROUPING SETS ((), (k.instance_location, k.keyword_location, k.keyword, k.name, k.message, k.rows, k.violations, k.sample_ids))
		HAVING pg_catalog.int8gt(pg_catalog.count(*), 0::pg_catalog.int8)
		ORDER BY k.keyword IS NOT NULL, 5 DESC, k.instance_location COLLATE pg_catalog."C", k.keyword COLLATE pg_catalog."C", 3
		$query$, data, row_name, source, format('%L::pg_catalog.text, %s', event_type, to_version));
END
$$;
COMMENT ON FUNCTION _event_validate.event_upgrade_query(regclass, text, int, int, text, text, text, text, text) IS 'the query that check_event_upgrade runs';

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
	PERFORM _event_validate.start_progress('audit', relation, false);
	-- events of other types and versions are not counted
	PERFORM _event_validate.set_progress_phase('checking events', NULL);
	RETURN QUERY SELECT * FROM _event_validate.rows_planned_as_owner(
		_event_validate.event_upgrade_query(relation, event_type, from_version, to_version,
			_event_validate.event_row_expression(relation, data_expr, 'data', true),
			_event_validate.event_row_expression(relation, type_expr, 'type', true),
			_event_validate.event_row_expression(relation, version_expr, 'version', true), data_expr, version_expr), relation) AS u (
			instance_location pg_catalog.text, keyword pg_catalog.text, message pg_catalog.text,
			"rows" pg_catalog.int8, violations pg_catalog.int8, sample_ids pg_catalog.text[]);
	PERFORM _event_validate.end_progress();
END
$$;
COMMENT ON FUNCTION check_event_upgrade(regclass, text, int, int, text, text, text) IS 'the stored events of a version that would not be valid as another version, after their upcasts, or that an UPDATE would refuse, and why; the total comes first';

-- It commits, so it has no SET clause.
CREATE PROCEDURE migrate_events(relation regclass, event_type text, to_version int,
	batch_size int DEFAULT 10000, keep_original boolean DEFAULT false, data_expr text DEFAULT 'data',
	type_expr text DEFAULT 'event_type', version_expr text DEFAULT 'schema_version')
	AS 'MODULE_PATHNAME', 'ev_migrate_events' LANGUAGE C;
COMMENT ON PROCEDURE migrate_events(regclass, text, int, int, boolean, text, text, text) IS 'converts the stored events of a type to a later version, in batches';

