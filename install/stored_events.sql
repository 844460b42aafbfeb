-- ---------- evolution: stored events ----------

-- These use a subtransaction for each event, which parallel workers cannot.

CREATE FUNCTION _event_validate.event_upgrade_filter(data jsonb, event_type text, from_version int, to_version int) RETURNS boolean
	AS 'MODULE_PATHNAME', 'ev_event_upgrade_filter' LANGUAGE C STABLE PARALLEL UNSAFE COST 500;
COMMENT ON FUNCTION _event_validate.event_upgrade_filter(jsonb, text, int, int) IS 'would the event not be valid as another version, after its upcasts?  Never raises for an event';

CREATE FUNCTION _event_validate.event_upgrade_filter(data text, event_type text, from_version int, to_version int) RETURNS boolean
	AS 'MODULE_PATHNAME', 'ev_event_upgrade_filter_text' LANGUAGE C STABLE PARALLEL UNSAFE COST 500;
COMMENT ON FUNCTION _event_validate.event_upgrade_filter(text, text, int, int) IS 'would the event not be valid as another version, after its upcasts?  Never raises for an event';

CREATE FUNCTION _event_validate.event_upgrade_violations(data jsonb, event_type text, from_version int, to_version int,
	OUT instance_location text, OUT keyword_location text, OUT keyword text, OUT name text,
	OUT message text, OUT violations bigint)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'ev_event_upgrade_violations' LANGUAGE C STABLE PARALLEL UNSAFE COST 500 ROWS 2;
COMMENT ON FUNCTION _event_validate.event_upgrade_violations(jsonb, text, int, int) IS 'what keeps an event from another version, by kind, array indexes folded';

CREATE FUNCTION _event_validate.event_upgrade_violations(data text, event_type text, from_version int, to_version int,
	OUT instance_location text, OUT keyword_location text, OUT keyword text, OUT name text,
	OUT message text, OUT violations bigint)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'ev_event_upgrade_violations_text' LANGUAGE C STABLE PARALLEL UNSAFE COST 500 ROWS 2;
COMMENT ON FUNCTION _event_validate.event_upgrade_violations(text, text, int, int) IS 'what keeps an event from another version, by kind, array indexes folded';

-- A row's name is its primary key, or where it is stored.  A cast of a type
-- that is not the server's may run its owner's code: its output function does.
CREATE FUNCTION _event_validate.event_row_name(relation regclass) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT CASE
		WHEN k.count = 1 AND k.casts THEN format('(%s)::pg_catalog.text', k.columns)
		WHEN k.count = 1 THEN format('pg_catalog.concat(%s)', k.columns)
		WHEN k.count > 1 THEN format('ROW(%s)::pg_catalog.text', k.columns)
		WHEN c.relkind OPERATOR(pg_catalog.=) ANY ('{v,f}') THEN 'NULL::pg_catalog.text'
		WHEN c.relhassubclass THEN 'pg_catalog.concat(tableoid::pg_catalog.regclass, '' '', ctid)'
		ELSE 'ctid::pg_catalog.text' END
	FROM pg_class AS c,
		LATERAL (SELECT count(*), string_agg(quote_ident(a.attname), ', ' ORDER BY k.place) AS columns,
				bool_and(t.typnamespace = 'pg_catalog'::regnamespace) AS casts
			FROM pg_index AS i, LATERAL unnest(i.indkey) WITH ORDINALITY AS k(attnum, place)
				JOIN pg_attribute AS a ON a.attnum = k.attnum
				JOIN pg_type AS t ON t.oid = a.atttypid
			WHERE i.indrelid = c.oid AND i.indisprimary AND a.attrelid = c.oid AND k.place <= i.indnkeyatts) AS k
	WHERE c.oid = relation
$$;
COMMENT ON FUNCTION _event_validate.event_row_name(regclass) IS 'SQL that names a row of a table';

CREATE FUNCTION _event_validate.event_has_upcast(event_type text, from_version int, to_version int) RETURNS boolean
	AS 'MODULE_PATHNAME', 'ev_event_has_upcast' LANGUAGE C STABLE STRICT;
COMMENT ON FUNCTION _event_validate.event_has_upcast(text, int, int) IS 'does an upcast lead from a version towards another?  Raises where one of them is not registered';

-- Asked before the relation is opened, which locks it.
CREATE FUNCTION _event_validate.refuse_event_relation(relation regclass) RETURNS void
LANGUAGE plpgsql STABLE AS $$
DECLARE
	kind pg_catalog."char";
BEGIN
	SELECT c.relkind INTO kind FROM pg_catalog.pg_class AS c WHERE c.oid OPERATOR(pg_catalog.=) relation::pg_catalog.oid;
	IF NOT FOUND THEN
		RAISE EXCEPTION USING ERRCODE = 'undefined_table',
			MESSAGE = pg_catalog.format('relation with OID %s does not exist', relation::pg_catalog.oid);
	END IF;
	IF kind OPERATOR(pg_catalog.<>) ALL ('{r,p,m,v,f}'::pg_catalog."char"[]) THEN
		RAISE EXCEPTION USING ERRCODE = 'wrong_object_type',
			MESSAGE = pg_catalog.format('%s is not a table or view', relation);
	END IF;
	IF NOT pg_catalog.has_any_column_privilege(relation::pg_catalog.oid, 'SELECT'::pg_catalog.text) THEN
		RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege',
			MESSAGE = pg_catalog.format('permission denied for table %s', relation),
			HINT = 'Ask its owner for SELECT on it.';
	END IF;
END
$$;
COMMENT ON FUNCTION _event_validate.refuse_event_relation(regclass) IS 'raises unless it is a table or view that the caller may read';

CREATE FUNCTION check_event_upgrade(relation regclass, event_type text, from_version int, to_version int,
	data_expr text DEFAULT 'data', type_expr text DEFAULT 'event_type', version_expr text DEFAULT 'schema_version')
	RETURNS TABLE (instance_location text, keyword text, message text, violations bigint, sample_ids text[])
LANGUAGE plpgsql ROWS 100
SET row_security = off
AS $$
DECLARE
	data pg_catalog.text;
	step pg_catalog.text;
	arguments pg_catalog.text;
BEGIN
	IF relation IS NULL OR event_type IS NULL OR from_version IS NULL OR to_version IS NULL
		OR data_expr IS NULL OR type_expr IS NULL OR version_expr IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'null_value_not_allowed',
			MESSAGE = 'check_event_upgrade needs a relation, an event type, two versions, and what is where in its rows';
	END IF;
	PERFORM _event_validate.refuse_event_relation(relation);
	data := _event_validate.event_row_expression(relation, data_expr, 'data'::pg_catalog.text, true);
	-- where no upcast is run, the rows are audited as events of the other version
	IF _event_validate.event_has_upcast(event_type, from_version, to_version) THEN
		step := 'upgrade';
		arguments := pg_catalog.format('%L::pg_catalog.text, %s, %s', event_type, from_version, to_version);
	ELSE
		step := 'audit';
		arguments := pg_catalog.format('%L::pg_catalog.text, %s', event_type, to_version);
	END IF;
	RETURN QUERY EXECUTE pg_catalog.format($query$
		SELECT v.instance_location, v.keyword, pg_catalog.min(v.message COLLATE pg_catalog."C"),
			pg_catalog.sum(v.violations)::pg_catalog.int8, (_event_validate.event_audit_sample(e.row_name, 5))[1:5]
		FROM (SELECT %1$s AS data, %2$s AS row_name
			FROM %3$s WHERE (%4$s) OPERATOR(pg_catalog.=) %5$L AND (%6$s) OPERATOR(pg_catalog.=) %7$s
				AND _event_validate.%8$I(%1$s, %9$s)) AS e,
			LATERAL _event_validate.%10$I(e.data, %9$s) AS v
		GROUP BY v.instance_location, v.keyword_location, v.keyword, v.name
		ORDER BY 4 DESC, v.instance_location COLLATE pg_catalog."C", v.keyword COLLATE pg_catalog."C", 3
		$query$, data, _event_validate.event_row_name(relation), relation,
		_event_validate.event_row_expression(relation, type_expr, 'type'::pg_catalog.text, true), event_type,
		_event_validate.event_row_expression(relation, version_expr, 'version'::pg_catalog.text, true), from_version,
		pg_catalog.concat('event_', step, '_filter'), arguments,
		pg_catalog.concat('event_', step, '_violations'));
END
$$;
COMMENT ON FUNCTION check_event_upgrade(regclass, text, int, int, text, text, text) IS 'which stored events of a version would not be valid as another one, after their upcasts, and why';

-- It commits, so it has no SET clause.
CREATE PROCEDURE migrate_events(relation regclass, event_type text, to_version int,
	batch_size int DEFAULT 10000, keep_original boolean DEFAULT false, data_expr text DEFAULT 'data',
	type_expr text DEFAULT 'event_type', version_expr text DEFAULT 'schema_version')
	AS 'MODULE_PATHNAME', 'ev_migrate_events' LANGUAGE C;
COMMENT ON PROCEDURE migrate_events(regclass, text, int, int, boolean, text, text, text) IS 'brings the stored events of a type to a later version, batch by batch';

