-- ---------- relations and their rows ----------

CREATE FUNCTION _event_validate.hide_context() RETURNS boolean
	AS 'MODULE_PATHNAME', 'ev_hide_context' LANGUAGE C PARALLEL SAFE;
COMMENT ON FUNCTION _event_validate.hide_context() IS 'takes the PL/pgSQL function that calls it in an expression out of the CONTEXT of errors';

CREATE FUNCTION _event_validate.require_arguments(names text[], VARIADIC "any") RETURNS void
	AS 'MODULE_PATHNAME', 'ev_require_arguments_sql' LANGUAGE C STABLE;
COMMENT ON FUNCTION _event_validate.require_arguments(text[], VARIADIC "any") IS 'raises an error if one of the arguments with these names is NULL';

CREATE FUNCTION _event_validate.require_event_relation(relation regclass, privilege text) RETURNS void
	AS 'MODULE_PATHNAME', 'ev_require_event_relation' LANGUAGE C STABLE STRICT;
COMMENT ON FUNCTION _event_validate.require_event_relation(regclass, text) IS 'raises an error unless the relation is a table or view and the caller has SELECT, or ANY privilege, on it; takes no lock';

CREATE FUNCTION _event_validate.require_table_owner(relation regclass) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	hidden CONSTANT boolean := _event_validate.hide_context();
BEGIN
	IF NOT (SELECT pg_has_role(c.relowner, 'USAGE') FROM pg_class AS c WHERE c.oid = relation) THEN
		RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege',
			MESSAGE = format('must be owner of table %s', _event_validate.event_qualified_name(relation));
	END IF;
END
$$;
COMMENT ON FUNCTION _event_validate.require_table_owner(regclass) IS 'raises an error unless the caller owns the table';

CREATE FUNCTION _event_validate.share_event_relation(relation regclass) RETURNS void
	AS 'MODULE_PATHNAME', 'ev_share_event_relation' LANGUAGE C STRICT;
COMMENT ON FUNCTION _event_validate.share_event_relation(regclass) IS 'takes the lock of a reader, so that no column changes before the query';

CREATE FUNCTION _event_validate.lock_event_table(relation regclass) RETURNS void
	AS 'MODULE_PATHNAME', 'ev_lock_event_table' LANGUAGE C STRICT;
COMMENT ON FUNCTION _event_validate.lock_event_table(regclass) IS 'takes the lock that ALTER TABLE needs, without blocking writers for long';

CREATE FUNCTION _event_validate.event_qualified_name(relation regclass) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT format('%I.%I', n.nspname, c.relname)
	FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE c.oid = relation
$$;
COMMENT ON FUNCTION _event_validate.event_qualified_name(regclass) IS 'the name of a relation with its schema, as SQL';

-- The name of a row is its primary key, or else its ctid.  A cast of a user's type
-- to text may run the code of the type's owner, so its output function is used.
CREATE FUNCTION _event_validate.event_row_name(relation regclass) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT CASE
		WHEN k.count = 1 AND k.casts THEN format('(%s)::pg_catalog.text', k.columns)
		WHEN k.count = 1 THEN format('pg_catalog.concat(%s)', k.columns)
		WHEN k.count > 1 THEN format('ROW(%s)::pg_catalog.text', k.columns)
		WHEN c.relkind = ANY ('{v,f}') THEN 'NULL::pg_catalog.text'
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

CREATE FUNCTION _event_validate.event_row_expression(relation regclass, expression text, part text, tolerant boolean) RETURNS text
	AS 'MODULE_PATHNAME', 'ev_event_row_expression' LANGUAGE C STABLE STRICT;
COMMENT ON FUNCTION _event_validate.event_row_expression(regclass, text, text, boolean) IS 'a column or expression over a row, as SQL of a type that validation accepts';

CREATE FUNCTION _event_validate.event_row_equals(expression text, value text) RETURNS text
	AS 'MODULE_PATHNAME', 'ev_event_row_equals' LANGUAGE C IMMUTABLE STRICT;
COMMENT ON FUNCTION _event_validate.event_row_equals(text, text) IS 'SQL that compares an expression over a row with a value';

CREATE FUNCTION _event_validate.event_row_other_types(expression text, types text[]) RETURNS text
	AS 'MODULE_PATHNAME', 'ev_event_row_other_types' LANGUAGE C IMMUTABLE STRICT;
COMMENT ON FUNCTION _event_validate.event_row_other_types(text, text[]) IS 'SQL that is true unless an expression over a row has one of these event types';

CREATE FUNCTION _event_validate.rows_planned_as_owner(query text, relation regclass) RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'ev_rows_planned_as_owner' LANGUAGE C STRICT;
COMMENT ON FUNCTION _event_validate.rows_planned_as_owner(text, regclass) IS 'the rows of a SELECT of the caller that reads this relation; a caller with the rights of its owner plans the SELECT as the owner';
