-- ---------- rolling out: columns ----------

CREATE FUNCTION _event_validate.event_json_loss(document text) RETURNS text
	AS 'MODULE_PATHNAME', 'ev_event_json_loss' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 200;
COMMENT ON FUNCTION _event_validate.event_json_loss(text) IS 'what a conversion of this JSON text to jsonb would lose; NULL if nothing';

CREATE FUNCTION event_column_conflicts(relation regclass, from_column name, to_column name,
	OUT reason text, OUT conflicts bigint, OUT sample_ids text[])
	RETURNS SETOF record
LANGUAGE plpgsql STABLE
SET row_security = off
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	hidden CONSTANT boolean := _event_validate.hide_context();
	reason text := format('_event_validate.event_json_loss(%I::text)', from_column);
BEGIN
	PERFORM _event_validate.require_event_relation(relation, 'ANY');
	IF (SELECT atttypid FROM pg_attribute WHERE attrelid = relation AND attname = from_column) = 'jsonb'::regtype THEN
		reason := 'NULL::text';
	END IF;
	IF to_column <> from_column AND EXISTS (SELECT FROM pg_attribute
		WHERE attrelid = relation AND attname = to_column AND NOT attisdropped) THEN
		-- the comparison casts to jsonb, so it must not run where the cast fails
		reason := format('CASE WHEN %1$s IS NOT NULL THEN %1$s'
			' WHEN %2$I IS NOT NULL AND %3$I IS NOT NULL AND CASE WHEN %1$s IS NULL THEN %2$I::jsonb::text <> %3$I::text END'
			' THEN ''both columns have a document, and they differ'' END', reason, from_column, to_column);
	END IF;
	RETURN QUERY EXECUTE format(
		'SELECT reason, count(*), (_event_validate.event_audit_sample(row_name, 10))[1:10]'
		' FROM (SELECT %1$s AS reason, %2$s AS row_name FROM %3$s) AS r WHERE reason IS NOT NULL GROUP BY reason ORDER BY reason COLLATE "C"',
		reason, _event_validate.event_row_name(relation), relation);
END
$$;
COMMENT ON FUNCTION event_column_conflicts(regclass, name, name) IS 'the rows of which standardize_event_column would lose something, by reason';

CREATE FUNCTION _event_validate.refuse_event_column_conflicts(relation regclass, from_column name, to_column name) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	hidden CONSTANT boolean := _event_validate.hide_context();
	total bigint;
	listed text;
BEGIN
	SELECT sum(c.conflicts), string_agg(format('%s (rows: %s): %s%s', c.reason, c.conflicts,
		array_to_string(c.sample_ids, ', '), CASE WHEN c.conflicts > 10 THEN ', ...' ELSE '' END), E'\n')
	INTO total, listed FROM @extschema@.event_column_conflicts(relation, from_column, to_column) AS c;
	IF total > 0 THEN
		RAISE EXCEPTION USING ERRCODE = 'data_exception',
			MESSAGE = format('column "%s" of table %s cannot become "%s" without a loss (rows: %s)',
				from_column, relation, to_column, total),
			DETAIL = listed,
			HINT = 'Repair these rows first. event_column_conflicts lists them.';
	END IF;
END
$$;
COMMENT ON FUNCTION _event_validate.refuse_event_column_conflicts(regclass, name, name) IS 'raises if event_column_conflicts finds rows';

CREATE FUNCTION _event_validate.event_column_dependents(relation regclass, column_name name) RETURNS SETOF text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
	WITH RECURSIVE tree(member) AS (
		SELECT relation::oid
		UNION
		SELECT inhrelid FROM pg_inherits, tree WHERE inhparent = tree.member)
	SELECT CASE WHEN f.oid IS NULL THEN pg_describe_object(d.classid, d.objid, d.objsubid)
		ELSE format('generated column %s of table %s', g.attname, f.adrelid::regclass) END
	FROM tree
		JOIN pg_attribute AS a ON a.attrelid = tree.member AND a.attname = column_name
		JOIN pg_depend AS d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = tree.member AND d.refobjsubid = a.attnum
		LEFT JOIN pg_attrdef AS f ON d.classid = 'pg_attrdef'::regclass AND f.oid = d.objid
		LEFT JOIN pg_attribute AS g ON g.attrelid = f.adrelid AND g.attnum = f.adnum
	WHERE (f.oid IS NULL OR (f.adrelid, f.adnum) <> (tree.member, a.attnum))
		-- NOT NULL is copied; since PostgreSQL 18 it is a constraint
		AND NOT EXISTS (SELECT FROM pg_constraint AS c
			WHERE d.classid = 'pg_constraint'::regclass AND c.oid = d.objid AND c.contype = 'n')
	GROUP BY 1
	ORDER BY 1
$$;
COMMENT ON FUNCTION _event_validate.event_column_dependents(regclass, name) IS 'the objects that refer to a column: indexes, constraints, views and so on';

CREATE TYPE _event_validate.event_column AS (number int2, type regtype, not_null boolean, inherited boolean,
	default_value text, comment text, has_privileges boolean);
COMMENT ON TYPE _event_validate.event_column IS 'a column, for standardize_event_column';

CREATE FUNCTION _event_validate.event_column(relation regclass, column_name name) RETURNS _event_validate.event_column
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT a.attnum, a.atttypid, a.attnotnull, a.attinhcount > 0, pg_get_expr(d.adbin, d.adrelid),
		col_description(a.attrelid, a.attnum), a.attacl IS NOT NULL
	FROM pg_attribute AS a LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
	WHERE a.attrelid = relation AND a.attname = column_name AND a.attnum > 0 AND NOT a.attisdropped
$$;
COMMENT ON FUNCTION _event_validate.event_column(regclass, name) IS 'a column; NULL if the relation has no such column';

CREATE FUNCTION _event_validate.require_event_column(relation regclass, from_column name, source _event_validate.event_column) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	hidden CONSTANT boolean := _event_validate.hide_context();
BEGIN
	IF source.number IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'undefined_column',
			MESSAGE = format('table %s has no column "%s"', relation, from_column);
	END IF;
	IF source.inherited THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_table_definition',
			MESSAGE = format('column "%s" of table %s is inherited', from_column, relation),
			HINT = format('Call standardize_event_column for the parent of %s that has the column.', relation);
	END IF;
	IF source.type <> ALL ('{jsonb,json,text,varchar}'::regtype[]) THEN
		RAISE EXCEPTION USING ERRCODE = 'datatype_mismatch',
			MESSAGE = format('column "%s" of table %s is of type %s, not jsonb, json, text or varchar', from_column, relation, source.type);
	END IF;
END
$$;
COMMENT ON FUNCTION _event_validate.require_event_column(regclass, name, _event_validate.event_column) IS 'raises unless standardize_event_column can change this column';

-- The old column is dropped, so nothing may depend on it.
CREATE FUNCTION _event_validate.require_mergeable_columns(relation regclass, from_column name, to_column name,
	source _event_validate.event_column, target _event_validate.event_column) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	hidden CONSTANT boolean := _event_validate.hide_context();
	hindrances text;
BEGIN
	IF target.type <> 'jsonb'::regtype THEN
		RAISE EXCEPTION USING ERRCODE = 'datatype_mismatch',
			MESSAGE = format('column "%s" of table %s is of type %s, not jsonb', to_column, relation, target.type),
			HINT = format('Call standardize_event_column(%L, %L, %L) first.', relation, to_column, to_column);
	END IF;
	SELECT string_agg(h.hindrance, E'\n' ORDER BY h.hindrance COLLATE "C") INTO hindrances
	FROM (SELECT d.dependent AS hindrance FROM _event_validate.event_column_dependents(relation, from_column) AS d(dependent)
		UNION
		SELECT format('default %s, but column %s has %s', source.default_value, to_column, target.default_value)
		WHERE source.default_value <> target.default_value
		UNION
		SELECT format('comment "%s", but column %s has "%s"', source.comment, to_column, target.comment)
		WHERE source.comment <> target.comment
		UNION
		SELECT 'privileges on the column' WHERE source.has_privileges) AS h;
	IF hindrances IS NOT NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'dependent_objects_still_exist',
			MESSAGE = format('column "%s" of table %s cannot be merged into "%s": dependent objects would be lost',
				from_column, relation, to_column),
			DETAIL = hindrances,
			HINT = 'Drop these first, or create them on the other column.';
	END IF;
END
$$;
COMMENT ON FUNCTION _event_validate.require_mergeable_columns(regclass, name, name, _event_validate.event_column, _event_validate.event_column) IS 'raises unless one column can be merged into the other';

CREATE FUNCTION _event_validate.convert_event_column(relation regclass, column_name name) RETURNS void
LANGUAGE plpgsql
SET row_security = off
AS $$
DECLARE
	hidden CONSTANT boolean := _event_validate.hide_context();
	dependents pg_catalog.text;
BEGIN
	EXECUTE pg_catalog.format('ALTER TABLE %1$s ALTER COLUMN %2$I DROP DEFAULT, ALTER COLUMN %2$I TYPE pg_catalog.jsonb USING %2$I::pg_catalog.jsonb',
		relation, column_name);
EXCEPTION WHEN OTHERS THEN
	SELECT pg_catalog.string_agg(d.dependent, pg_catalog.chr(10)) INTO dependents
	FROM _event_validate.event_column_dependents(relation, column_name) AS d(dependent);
	IF dependents IS NULL THEN
		RAISE;
	END IF;
	RAISE EXCEPTION USING ERRCODE = SQLSTATE,
		MESSAGE = pg_catalog.format('column "%s" of table %s cannot become jsonb: %s', column_name, relation, SQLERRM),
		DETAIL = pg_catalog.format(E'These refer to it:\n%s', dependents),
		HINT = 'Drop those that do not work with jsonb first, and create them again afterwards.';
END
$$;
COMMENT ON FUNCTION _event_validate.convert_event_column(regclass, name) IS 'makes a column jsonb, without its default';

-- The expression is written for this search_path.
CREATE FUNCTION _event_validate.set_event_column_default(relation regclass, column_name name, default_value text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	hidden CONSTANT boolean := _event_validate.hide_context();
BEGIN
	EXECUTE format('ALTER TABLE %s ALTER COLUMN %I SET DEFAULT (%s)::jsonb', relation, column_name, default_value);
END
$$;
COMMENT ON FUNCTION _event_validate.set_event_column_default(regclass, name, text) IS 'gives a column of jsonb a default';

-- The commands run under the caller's search_path, because triggers may run too.

CREATE FUNCTION _event_validate.event_column_merge_commands(relation regclass, from_column name, to_column name,
	source _event_validate.event_column, target _event_validate.event_column) RETURNS text[]
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	hidden CONSTANT boolean := _event_validate.hide_context();
	table_name CONSTANT text := _event_validate.event_qualified_name(relation);
BEGIN
	RETURN array_remove(ARRAY[
		format('UPDATE %1$s SET %2$I = %3$I::pg_catalog.jsonb WHERE %2$I IS NULL AND %3$I IS NOT NULL', table_name, to_column, from_column),
		CASE WHEN source.default_value IS NOT NULL AND target.default_value IS NULL
			THEN format('SELECT _event_validate.set_event_column_default(%L, %L, %L)', table_name, to_column, source.default_value) END,
		CASE WHEN source.not_null AND NOT target.not_null
			THEN format('ALTER TABLE %s ALTER COLUMN %I SET NOT NULL', table_name, to_column) END,
		CASE WHEN source.comment IS NOT NULL AND target.comment IS NULL
			THEN format('COMMENT ON COLUMN %s.%I IS %L', table_name, to_column, source.comment) END,
		format('ALTER TABLE %s DROP COLUMN %I', table_name, from_column)], NULL);
END
$$;
COMMENT ON FUNCTION _event_validate.event_column_merge_commands(regclass, name, name, _event_validate.event_column, _event_validate.event_column) IS 'the commands that merge one column into another';

CREATE FUNCTION _event_validate.event_column_conversion_commands(relation regclass, from_column name, to_column name,
	source _event_validate.event_column) RETURNS text[]
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	hidden CONSTANT boolean := _event_validate.hide_context();
	table_name CONSTANT text := _event_validate.event_qualified_name(relation);
	converts CONSTANT boolean := source.type <> 'jsonb'::regtype;
BEGIN
	RETURN array_remove(ARRAY[
		CASE WHEN converts THEN format('SELECT _event_validate.convert_event_column(%L, %L)', table_name, from_column) END,
		CASE WHEN converts AND source.default_value IS NOT NULL
			THEN format('SELECT _event_validate.set_event_column_default(%L, %L, %L)', table_name, from_column, source.default_value) END,
		CASE WHEN from_column <> to_column
			THEN format('ALTER TABLE %s RENAME COLUMN %I TO %I', table_name, from_column, to_column) END], NULL);
END
$$;
COMMENT ON FUNCTION _event_validate.event_column_conversion_commands(regclass, name, name, _event_validate.event_column) IS 'the commands that convert and rename a column';

CREATE FUNCTION _event_validate.event_column_commands(relation regclass, from_column name, to_column name) RETURNS text[]
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	hidden CONSTANT boolean := _event_validate.hide_context();
	source CONSTANT _event_validate.event_column := _event_validate.event_column(relation, from_column);
	target CONSTANT _event_validate.event_column := _event_validate.event_column(relation, to_column);
	merges CONSTANT boolean := target.number IS NOT NULL AND from_column <> to_column;
BEGIN
	IF target.type = 'jsonb'::regtype AND (source.number IS NULL OR NOT merges) THEN
		RAISE NOTICE USING MESSAGE = format('column "%s" of table %s is jsonb already', to_column, relation);
		RETURN NULL;
	END IF;
	PERFORM _event_validate.require_event_column(relation, from_column, source);
	IF merges THEN
		PERFORM _event_validate.require_mergeable_columns(relation, from_column, to_column, source, target);
	END IF;
	IF target.number IS NOT NULL OR source.type <> 'jsonb'::regtype THEN
		PERFORM _event_validate.refuse_event_column_conflicts(relation, from_column, to_column);
	END IF;
	IF merges THEN
		RETURN _event_validate.event_column_merge_commands(relation, from_column, to_column, source, target);
	END IF;
	RETURN _event_validate.event_column_conversion_commands(relation, from_column, to_column, source);
END
$$;
COMMENT ON FUNCTION _event_validate.event_column_commands(regclass, name, name) IS 'the commands that standardize a column; NULL if it is standard already; raises if something would be lost';

CREATE FUNCTION _event_validate.event_column_view_commands(view_path text[], relation regclass, from_column name, to_column name) RETURNS text[]
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT ARRAY[
		format('CREATE VIEW %I.%I WITH (security_invoker = true) AS SELECT %s FROM %s', view_path[1], view_path[2],
			string_agg(CASE WHEN a.attname = to_column THEN format('%I AS %I', a.attname, from_column) ELSE quote_ident(a.attname) END,
				', ' ORDER BY a.attnum), _event_validate.event_qualified_name(relation)),
		format('COMMENT ON VIEW %I.%I IS %L', view_path[1], view_path[2],
			format('table %s as it was before its column %s became %s', relation, from_column, to_column))]
	FROM pg_attribute AS a
	WHERE a.attrelid = relation AND a.attnum > 0 AND NOT a.attisdropped
$$;
COMMENT ON FUNCTION _event_validate.event_column_view_commands(text[], regclass, name, name) IS 'the commands that create a view with the old column';

CREATE FUNCTION _event_validate.event_view_exists(view_path text[]) RETURNS boolean
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT EXISTS (SELECT FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
		WHERE n.nspname = view_path[1]::name AND c.relname = view_path[2]::name AND c.relkind = 'v')
$$;
COMMENT ON FUNCTION _event_validate.event_view_exists(text[]) IS 'whether there is a view of this schema and name';

CREATE FUNCTION standardize_event_column(relation regclass, from_column name,
	to_column name DEFAULT 'data', view_name text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql
SET row_security = off
AS $$
DECLARE
	hidden CONSTANT boolean := _event_validate.hide_context();
	view_path pg_catalog.text[];
	source _event_validate.event_column;
	commands pg_catalog.text[];
	command pg_catalog.text;
BEGIN
	PERFORM _event_validate.require_arguments('{relation,from_column,to_column}'::pg_catalog.text[], relation, from_column, to_column);
	PERFORM _event_validate.require_event_relation(relation, 'ANY');
	view_path := _event_validate.event_view_path(view_name, relation);
	-- check without a lock, so that no session waits, and then again under the lock
	commands := _event_validate.event_column_commands(relation, from_column, to_column);
	IF commands IS NOT NULL THEN
		PERFORM _event_validate.lock_event_table(relation);
		commands := _event_validate.event_column_commands(relation, from_column, to_column);
	END IF;
	source := _event_validate.event_column(relation, from_column);
	FOREACH command IN ARRAY COALESCE(commands, '{}') LOOP
		EXECUTE command;
	END LOOP;
	IF view_path IS NOT NULL AND (source.number IS NOT NULL OR NOT _event_validate.event_view_exists(view_path)) THEN
		FOREACH command IN ARRAY _event_validate.event_column_view_commands(view_path, relation, from_column, to_column) LOOP
			EXECUTE command;
		END LOOP;
	END IF;
END
$$;
COMMENT ON FUNCTION standardize_event_column(regclass, name, name, text) IS 'makes a legacy column with JSON a jsonb column of the standard name, or merges it into that column, and loses nothing';

