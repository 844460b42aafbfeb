-- ---------- rolling out: columns ----------

CREATE FUNCTION _event_validate.event_json_loss(document text) RETURNS text
	AS 'MODULE_PATHNAME', 'ev_event_json_loss' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 200;
COMMENT ON FUNCTION _event_validate.event_json_loss(text) IS 'what a conversion of this JSON text to jsonb would lose; NULL if nothing';

-- The cast of a type that is not PostgreSQL's could be a function of any role, and would run as the reader.
CREATE FUNCTION _event_validate.event_column_text(relation regclass, column_name name) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT format(CASE WHEN t.typnamespace <> 'pg_catalog'::regnamespace
		THEN 'CASE WHEN pg_catalog.int4eq(pg_catalog.num_nulls(%1$I), 0) THEN pg_catalog.concat(%1$I) END' ELSE '%1$I::pg_catalog.text' END, column_name)
	FROM (SELECT) AS one LEFT JOIN (pg_attribute AS a JOIN pg_type AS t ON t.oid = a.atttypid)
		ON a.attrelid = relation AND a.attname = column_name AND NOT a.attisdropped
$$;
COMMENT ON FUNCTION _event_validate.event_column_text(regclass, name) IS 'SQL for a column as text';

CREATE FUNCTION event_column_conflicts(relation regclass, from_column name, to_column name,
	OUT reason text, OUT conflicts bigint, OUT sample_ids text[])
	RETURNS SETOF record
LANGUAGE plpgsql STABLE
SET row_security = off
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	hidden CONSTANT boolean := _event_validate.hide_context();
	source text;
	reason text;
BEGIN
	PERFORM _event_validate.require_event_relation(relation, 'ANY');
	PERFORM _event_validate.share_event_relation(relation);
	source := _event_validate.event_column_text(relation, from_column);
	reason := format('_event_validate.event_json_loss(%s)', source);
	IF (SELECT atttypid FROM pg_attribute WHERE attrelid = relation AND attname = from_column) = 'jsonb'::regtype THEN
		reason := 'NULL::text';
	END IF;
	IF to_column <> from_column AND EXISTS (SELECT FROM pg_attribute
		WHERE attrelid = relation AND attname = to_column AND NOT attisdropped) THEN
		-- the comparison casts to jsonb, so it must not run where the cast fails
		reason := format('CASE WHEN %1$s IS NOT NULL THEN %1$s'
			' WHEN %2$I IS NOT NULL AND %3$I IS NOT NULL AND CASE WHEN %1$s IS NULL THEN (%4$s)::jsonb::text <> %5$s END'
			' THEN ''both columns have a document, and they differ'' END', reason, from_column, to_column,
			source, _event_validate.event_column_text(relation, to_column));
	END IF;
	RETURN QUERY SELECT * FROM _event_validate.rows_planned_as_owner(format(
		'SELECT reason, count(*), (_event_validate.event_audit_sample(row_name, 10))[1:10]'
		' FROM (SELECT %1$s AS reason, %2$s AS row_name FROM %3$s WHERE _event_validate.count_progress()) AS r WHERE reason IS NOT NULL GROUP BY reason ORDER BY reason COLLATE "C"',
		reason, _event_validate.event_row_name(relation), relation), relation) AS c (reason text, conflicts bigint, sample_ids text[]);
END
$$;
COMMENT ON FUNCTION event_column_conflicts(regclass, name, name) IS 'the rows whose data standardize_event_column would lose in part, by reason';

CREATE FUNCTION _event_validate.refuse_event_column_conflicts(relation regclass, from_column name, to_column name) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	hidden CONSTANT boolean := _event_validate.hide_context();
	total bigint;
	listed text;
BEGIN
	PERFORM _event_validate.set_progress_phase('looking for conflicts', relation);
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
COMMENT ON FUNCTION _event_validate.refuse_event_column_conflicts(regclass, name, name) IS 'raises an error if event_column_conflicts finds rows';

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

-- The text of the default is shown in errors, and never parsed: event_defaults_match compares what is stored.
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

CREATE FUNCTION _event_validate.event_columns_below(relation regclass, column_name name,
	OUT member regclass, OUT part _event_validate.event_column) RETURNS SETOF record
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
	WITH RECURSIVE tree(member) AS (
		SELECT inhrelid FROM pg_inherits WHERE inhparent = relation
		UNION
		SELECT inhrelid FROM pg_inherits, tree WHERE inhparent = tree.member)
	SELECT tree.member::regclass, _event_validate.event_column(tree.member, column_name) FROM tree
$$;
COMMENT ON FUNCTION _event_validate.event_columns_below(regclass, name) IS 'a column in the partitions and children of a relation';

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
COMMENT ON FUNCTION _event_validate.require_event_column(regclass, name, _event_validate.event_column) IS 'raises an error unless standardize_event_column can change this column';

CREATE FUNCTION _event_validate.require_merge_target(relation regclass, to_column name, target _event_validate.event_column) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	hidden CONSTANT boolean := _event_validate.hide_context();
BEGIN
	IF target.type <> 'jsonb'::regtype THEN
		RAISE EXCEPTION USING ERRCODE = 'datatype_mismatch',
			MESSAGE = format('column "%s" of table %s is of type %s, not jsonb', to_column, relation, target.type),
			HINT = format('Call standardize_event_column(%L, %L, %L) first.', relation, to_column, to_column);
	END IF;
END
$$;
COMMENT ON FUNCTION _event_validate.require_merge_target(regclass, name, _event_validate.event_column) IS 'raises unless documents can be merged into this column';

CREATE FUNCTION _event_validate.event_defaults_match(relation regclass, column_name name, other_relation regclass, other_column name) RETURNS boolean
	AS 'MODULE_PATHNAME', 'ev_event_defaults_match' LANGUAGE C STABLE STRICT;
COMMENT ON FUNCTION _event_validate.event_defaults_match(regclass, name, regclass, name) IS 'whether two columns have the same default, apart from a cast to jsonb';

-- A SET DEFAULT of the relation replaces the defaults of its partitions.
CREATE FUNCTION _event_validate.event_column_defaults_below(relation regclass, column_name name, kept_column name) RETURNS SETOF text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT format('default %s of column %s of table %s', (b.part).default_value, column_name, b.member)
	FROM _event_validate.event_columns_below(relation, column_name) AS b
	WHERE (b.part).default_value IS NOT NULL
		AND NOT _event_validate.event_defaults_match(relation, kept_column, b.member, column_name)
$$;
COMMENT ON FUNCTION _event_validate.event_column_defaults_below(regclass, name, name) IS 'the defaults of a column in partitions and children, unless they are that of a column of the relation';

CREATE FUNCTION _event_validate.refuse_defaults_below(relation regclass, column_name name) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	hidden CONSTANT boolean := _event_validate.hide_context();
	defaults CONSTANT text := (SELECT string_agg(d.described, E'\n' ORDER BY d.described COLLATE "C")
		FROM _event_validate.event_column_defaults_below(relation, column_name, column_name) AS d(described));
BEGIN
	IF defaults IS NOT NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'dependent_objects_still_exist',
			MESSAGE = format('column "%s" of table %s cannot become jsonb: defaults of partitions or children would be lost', column_name, relation),
			DETAIL = defaults,
			HINT = 'Drop these first, and set them again afterwards.';
	END IF;
END
$$;
COMMENT ON FUNCTION _event_validate.refuse_defaults_below(regclass, name) IS 'raises an error if a partition or child has its own default of the column';

-- The old column is dropped, so nothing may depend on it.
CREATE FUNCTION _event_validate.event_column_hindrances(relation regclass, from_column name, to_column name,
	source _event_validate.event_column, target _event_validate.event_column) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT string_agg(h.hindrance, E'\n' ORDER BY h.hindrance COLLATE "C")
	FROM (SELECT d.dependent AS hindrance FROM _event_validate.event_column_dependents(relation, from_column) AS d(dependent)
		UNION
		SELECT format('default %s, but column %s has %s', source.default_value, to_column, target.default_value)
		WHERE source.default_value IS NOT NULL AND target.default_value IS NOT NULL
			AND NOT _event_validate.event_defaults_match(relation, from_column, relation, to_column)
		UNION
		SELECT format('comment "%s", but column %s has "%s"', source.comment, to_column, target.comment)
		WHERE source.comment <> target.comment
		UNION
		SELECT 'privileges on the column' WHERE source.has_privileges
		UNION
		SELECT _event_validate.event_column_defaults_below(relation, from_column, from_column)
		UNION
		SELECT _event_validate.event_column_defaults_below(relation, to_column, from_column)
		WHERE source.default_value IS NOT NULL AND target.default_value IS NULL
		UNION
		SELECT format('%s column %s of table %s', l.lost, from_column, b.member)
		FROM _event_validate.event_columns_below(relation, from_column) AS b,
			LATERAL (SELECT 'comment on' WHERE (b.part).comment IS DISTINCT FROM (_event_validate.event_column(b.member, to_column)).comment
					AND (b.part).comment IS NOT NULL
				UNION ALL SELECT 'privileges on' WHERE (b.part).has_privileges) AS l (lost)) AS h
$$;
COMMENT ON FUNCTION _event_validate.event_column_hindrances(regclass, name, name, _event_validate.event_column, _event_validate.event_column) IS 'what would be lost with a column that is merged into another, a line each; NULL if nothing';

CREATE FUNCTION _event_validate.require_mergeable_columns(relation regclass, from_column name, to_column name,
	source _event_validate.event_column, target _event_validate.event_column) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	hidden CONSTANT boolean := _event_validate.hide_context();
	hindrances CONSTANT text := _event_validate.event_column_hindrances(relation, from_column, to_column, source, target);
BEGIN
	PERFORM _event_validate.require_merge_target(relation, to_column, target);
	IF hindrances IS NOT NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'dependent_objects_still_exist',
			MESSAGE = format('column "%s" of table %s cannot be merged into "%s": dependent objects would be lost',
				from_column, relation, to_column),
			DETAIL = hindrances,
			HINT = 'Drop these first, or create them on the other column.';
	END IF;
END
$$;
COMMENT ON FUNCTION _event_validate.require_mergeable_columns(regclass, name, name, _event_validate.event_column, _event_validate.event_column) IS 'raises an error unless one column can be merged into the other';

CREATE FUNCTION _event_validate.event_column_to_jsonb(relation regclass, column_name name) RETURNS void
	AS 'MODULE_PATHNAME', 'ev_event_column_to_jsonb' LANGUAGE C STRICT;
COMMENT ON FUNCTION _event_validate.event_column_to_jsonb(regclass, name) IS 'ALTER COLUMN ... TYPE jsonb, with the default';

CREATE FUNCTION _event_validate.convert_event_column(relation regclass, column_name name) RETURNS void
LANGUAGE plpgsql
SET row_security = off
AS $$
DECLARE
	hidden CONSTANT boolean := _event_validate.hide_context();
	dependents pg_catalog.text;
BEGIN
	PERFORM _event_validate.event_column_to_jsonb(relation, column_name);
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
COMMENT ON FUNCTION _event_validate.convert_event_column(regclass, name) IS 'makes a column jsonb, with its default';

CREATE FUNCTION _event_validate.copy_event_default(relation regclass, from_column name, to_column name) RETURNS void
	AS 'MODULE_PATHNAME', 'ev_copy_event_default' LANGUAGE C STRICT;
COMMENT ON FUNCTION _event_validate.copy_event_default(regclass, name, name) IS 'gives a column of jsonb the default of another column';

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
			THEN format('SELECT _event_validate.copy_event_default(%L, %L, %L)', table_name, from_column, to_column) END,
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
	IF source.type <> 'jsonb'::regtype THEN
		PERFORM _event_validate.refuse_defaults_below(relation, from_column);
	END IF;
	RETURN _event_validate.event_column_conversion_commands(relation, from_column, to_column, source);
END
$$;
COMMENT ON FUNCTION _event_validate.event_column_commands(regclass, name, name) IS 'the commands that standardize a column; NULL if it is standard already; raises an error if something would be lost';

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
	PERFORM _event_validate.start_progress('standardize', relation, false);
	-- check without a lock, so that no session waits, and then again under the lock
	commands := _event_validate.event_column_commands(relation, from_column, to_column);
	IF commands IS NOT NULL THEN
		PERFORM _event_validate.lock_event_table(relation);
		commands := _event_validate.event_column_commands(relation, from_column, to_column);
	END IF;
	source := _event_validate.event_column(relation, from_column);
	PERFORM _event_validate.set_progress_phase('changing the table', NULL);
	FOREACH command IN ARRAY COALESCE(commands, '{}') LOOP
		EXECUTE command;
	END LOOP;
	IF view_path IS NOT NULL AND (source.number IS NOT NULL OR NOT _event_validate.event_view_exists(view_path)) THEN
		FOREACH command IN ARRAY _event_validate.event_column_view_commands(view_path, relation, from_column, to_column) LOOP
			EXECUTE command;
		END LOOP;
	END IF;
	PERFORM _event_validate.end_progress();
END
$$;
COMMENT ON FUNCTION standardize_event_column(regclass, name, name, text) IS 'makes a legacy column with JSON a jsonb column of the standard name, or merges it into that column, and loses nothing';


-- ---------- rolling out: merging columns without an outage ----------

CREATE FUNCTION _event_validate.keep_event_columns() RETURNS trigger
	AS 'MODULE_PATHNAME', 'ev_keep_event_columns' LANGUAGE C;
COMMENT ON FUNCTION _event_validate.keep_event_columns() IS 'the trigger function of merge_event_column: copies a document that is written to one column to the other';

CREATE TYPE _event_validate.event_column_merge AS (has_source boolean, has_target boolean, has_trigger boolean,
	has_check boolean, is_complete boolean);
COMMENT ON TYPE _event_validate.event_column_merge IS 'how far merge_event_column has come';

CREATE FUNCTION _event_validate.event_column_merge(relation regclass, from_column name, to_column name)
	RETURNS _event_validate.event_column_merge
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT (EXISTS (SELECT FROM pg_attribute AS a WHERE a.attrelid = relation AND a.attname = from_column AND NOT a.attisdropped),
		EXISTS (SELECT FROM pg_attribute AS a WHERE a.attrelid = relation AND a.attname = to_column AND NOT a.attisdropped),
		EXISTS (SELECT FROM pg_trigger AS t WHERE t.tgrelid = relation AND t.tgname = 'zzy_event_column_merge'
			AND t.tgfoid = '_event_validate.keep_event_columns()'::regprocedure AND t.tgenabled = 'A'
			AND t.tgtype = 23 AND t.tgqual IS NULL AND t.tgattr = ''::int2vector -- BEFORE INSERT OR UPDATE, for each row
			AND t.tgargs = convert_to(from_column, getdatabaseencoding()) || '\x00' || convert_to(to_column, getdatabaseencoding()) || '\x00'),
		c.oid IS NOT NULL, COALESCE(c.convalidated, false))::_event_validate.event_column_merge
	FROM (SELECT) AS one LEFT JOIN pg_constraint AS c ON c.conrelid = relation AND c.conname = 'event_column_merge' AND c.contype = 'c'
		-- Another constraint of this name does not count, so that ADD CONSTRAINT fails.  Text is
		-- enough: a test for NULL calls no function, and no other expression is written so.
		AND pg_get_expr(c.conbin, c.conrelid) IN (format('(%I IS NOT NULL)', to_column),
			format('((%I IS NULL) OR (%I IS NOT NULL))', from_column, to_column))
$$;
COMMENT ON FUNCTION _event_validate.event_column_merge(regclass, name, name) IS 'how far merge_event_column has come with these columns, as the catalogs show';

CREATE FUNCTION _event_validate.event_column_merge_target(from_column name, to_column name) RETURNS name
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT CASE WHEN from_column = to_column THEN 'event_column_merge' ELSE to_column END
$$;
COMMENT ON FUNCTION _event_validate.event_column_merge_target(name, name) IS 'the column that merge_event_column fills; a column that keeps its name gets it from this one at the end';

CREATE FUNCTION _event_validate.event_column_parts(relation regclass) RETURNS regclass[]
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
	WITH RECURSIVE tree(member) AS (
		SELECT relation::oid
		UNION
		SELECT inhrelid FROM pg_inherits, tree WHERE inhparent = tree.member)
	SELECT COALESCE(array_agg(c.oid::regclass ORDER BY c.oid), '{}') FROM tree JOIN pg_class AS c ON c.oid = tree.member WHERE c.relkind = 'r'
$$;
COMMENT ON FUNCTION _event_validate.event_column_parts(regclass) IS 'the tables that hold the rows of a table: itself, or its partitions';

CREATE FUNCTION _event_validate.refuse_unmergeable_table(relation regclass) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	hidden CONSTANT boolean := _event_validate.hide_context();
	kind "char" := (SELECT c.relkind FROM pg_class AS c WHERE c.oid = relation);
	problem text;
BEGIN
	SELECT format('partition %s of table %s is a foreign table', c.oid::regclass, relation) INTO problem
	FROM pg_partition_tree(relation) AS p JOIN pg_class AS c ON c.oid = p.relid
	WHERE kind = 'p' AND c.relkind = 'f' LIMIT 1;
	IF kind = 'r' AND EXISTS (SELECT FROM pg_inherits AS i WHERE i.inhparent = relation) THEN
		problem := format('table %s has children, which no trigger of it covers', relation);
	END IF;
	-- of Citus; its table is empty here, and only a superuser can create this catalog
	IF problem IS NULL AND to_regclass('pg_catalog.pg_dist_partition') IS NOT NULL THEN
		EXECUTE 'SELECT format(''table %s is distributed, and its rows are in shards'', p.logicalrelid)
			FROM pg_catalog.pg_dist_partition AS p WHERE p.logicalrelid = $1' INTO problem USING relation;
	END IF;
	IF problem IS NULL THEN
		SELECT format('trigger "%s" of table %s fires after that of the merge and could change the old column',
			t.tgname, t.tgrelid::regclass) INTO problem
		FROM pg_trigger AS t
		WHERE (t.tgrelid = relation OR t.tgrelid IN (SELECT p.relid FROM pg_partition_tree(relation) AS p))
			AND t.tgtype & 3 = 3 AND t.tgname COLLATE "C" > 'zzy_event_column_merge'
			AND t.tgfoid <> '@extschema@.guard_event()'::regprocedure
		ORDER BY t.tgrelid, t.tgname LIMIT 1;
	END IF;
	IF problem IS NULL THEN
		-- it compares the rows before the merge's trigger copies the document
		SELECT format('trigger "%s" of table %s suppresses the updates that copy the documents', t.tgname, t.tgrelid::regclass) INTO problem
		FROM pg_trigger AS t
		WHERE (t.tgrelid = relation OR t.tgrelid IN (SELECT p.relid FROM pg_partition_tree(relation) AS p))
			AND t.tgfoid = 'suppress_redundant_updates_trigger()'::regprocedure
		ORDER BY t.tgrelid, t.tgname LIMIT 1;
	END IF;
	IF problem IS NOT NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'feature_not_supported', MESSAGE = problem, HINT = 'Change this first, or call standardize_event_column.';
	END IF;
END
$$;
COMMENT ON FUNCTION _event_validate.refuse_unmergeable_table(regclass) IS 'raises an error unless merge_event_column can keep all rows of the table in step';

CREATE FUNCTION _event_validate.expression_is_volatile(expression pg_node_tree) RETURNS boolean
	AS 'MODULE_PATHNAME', 'ev_expression_is_volatile' LANGUAGE C STABLE STRICT;
COMMENT ON FUNCTION _event_validate.expression_is_volatile(pg_node_tree) IS 'whether an expression of a catalog calls a volatile function';

-- The trigger computes a default again to tell it from a document, and cannot see what is generated after it.
CREATE FUNCTION _event_validate.refuse_volatile_defaults(relation regclass, from_column name, to_column name) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	hidden CONSTANT boolean := _event_validate.hide_context();
	problem text;
BEGIN
	SELECT format('column "%s" of table %s is generated', a.attname, a.attrelid::regclass) INTO problem
	FROM pg_attribute AS a
	WHERE (a.attrelid = relation OR a.attrelid IN (SELECT p.relid FROM pg_partition_tree(relation) AS p))
		AND a.attname IN (from_column, to_column) AND NOT a.attisdropped AND a.attgenerated <> ''
	ORDER BY a.attrelid, a.attnum LIMIT 1;
	IF problem IS NOT NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'feature_not_supported', MESSAGE = problem,
			DETAIL = 'Generated columns are computed after the trigger of a merge has run.',
			HINT = 'Make it an ordinary column first: ALTER TABLE ... ALTER COLUMN ... DROP EXPRESSION.';
	END IF;
	SELECT format('column "%s" of table %s has a volatile default: %s', a.attname, a.attrelid::regclass, pg_get_expr(d.adbin, d.adrelid)) INTO problem
	FROM pg_attribute AS a JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
	WHERE (a.attrelid = relation OR a.attrelid IN (SELECT p.relid FROM pg_partition_tree(relation) AS p))
		AND a.attname IN (from_column, to_column) AND NOT a.attisdropped AND _event_validate.expression_is_volatile(d.adbin)
	ORDER BY a.attrelid, a.attnum LIMIT 1;
	IF problem IS NOT NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'feature_not_supported', MESSAGE = problem,
			DETAIL = 'It has another value each time, so a merge cannot tell it from a document that a command sets.',
			HINT = 'Drop the default first, or call standardize_event_column.';
	END IF;
END
$$;
COMMENT ON FUNCTION _event_validate.refuse_volatile_defaults(regclass, name, name) IS 'raises an error if a default or expression of the columns could make writers fail while they are merged';

-- The commands of a step; NULL if it is done.
CREATE FUNCTION _event_validate.event_column_start_commands(relation regclass, from_column name, to_column name) RETURNS text[]
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	hidden CONSTANT boolean := _event_validate.hide_context();
	table_name CONSTANT text := _event_validate.event_qualified_name(relation);
	merge CONSTANT _event_validate.event_column_merge := _event_validate.event_column_merge(relation, from_column, to_column);
BEGIN
	PERFORM _event_validate.require_event_column(relation, from_column, _event_validate.event_column(relation, from_column));
	PERFORM _event_validate.refuse_unmergeable_table(relation);
	IF merge.has_target THEN
		PERFORM _event_validate.require_merge_target(relation, to_column, _event_validate.event_column(relation, to_column));
	END IF;
	IF merge.has_trigger THEN
		RETURN NULL;
	END IF;
	PERFORM _event_validate.refuse_volatile_defaults(relation, from_column, to_column);
	RETURN array_remove(ARRAY[
		CASE WHEN NOT merge.has_target THEN format('ALTER TABLE %s ADD COLUMN %I pg_catalog.jsonb', table_name, to_column) END,
		format('CREATE TRIGGER zzy_event_column_merge BEFORE INSERT OR UPDATE ON %s FOR EACH ROW EXECUTE FUNCTION _event_validate.keep_event_columns(%L, %L)',
			table_name, from_column, to_column),
		-- for changes that logical replication applies, too
		format('ALTER TABLE %s ENABLE ALWAYS TRIGGER zzy_event_column_merge', table_name)], NULL);
END
$$;
COMMENT ON FUNCTION _event_validate.event_column_start_commands(regclass, name, name) IS 'the commands that begin a merge of columns; NULL if it has begun';

CREATE FUNCTION _event_validate.event_column_check_commands(relation regclass, from_column name, to_column name) RETURNS text[]
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT CASE WHEN NOT m.has_check THEN ARRAY[format('ALTER TABLE %s ADD CONSTRAINT event_column_merge CHECK (%s%I IS NOT NULL) NOT VALID',
		_event_validate.event_qualified_name(relation),
		CASE WHEN NOT (_event_validate.event_column(relation, from_column)).not_null THEN format('%I IS NULL OR ', from_column) END, to_column)] END
	FROM _event_validate.event_column_merge(relation, from_column, to_column) AS m
$$;
COMMENT ON FUNCTION _event_validate.event_column_check_commands(regclass, name, name) IS 'the command that requires a document in the new column wherever the old one has one; NULL if it has been given';

CREATE FUNCTION _event_validate.event_column_switch_commands(relation regclass, from_column name, to_column name) RETURNS text[]
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	hidden CONSTANT boolean := _event_validate.hide_context();
	table_name CONSTANT text := _event_validate.event_qualified_name(relation);
	filled CONSTANT name := _event_validate.event_column_merge_target(from_column, to_column);
	merge CONSTANT _event_validate.event_column_merge := _event_validate.event_column_merge(relation, from_column, filled);
	source CONSTANT _event_validate.event_column := _event_validate.event_column(relation, from_column);
	target CONSTANT _event_validate.event_column := _event_validate.event_column(relation, filled);
	commands text[];
BEGIN
	IF NOT (merge.has_source AND merge.has_target AND merge.has_trigger AND merge.is_complete) THEN
		RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state',
			MESSAGE = format('table %s was changed while its columns were merged', relation),
			HINT = 'Call merge_event_column again.';
	END IF;
	PERFORM _event_validate.require_event_column(relation, from_column, source);
	-- a trigger or a child may have been added since the start
	PERFORM _event_validate.refuse_unmergeable_table(relation);
	-- without its first command, which fills the column; a column that was not null is so by the constraint
	commands := (_event_validate.event_column_merge_commands(relation, from_column, filled, source, target))[2:];
	RETURN array_remove(ARRAY[
		CASE WHEN source.not_null AND NOT target.not_null THEN format('ALTER TABLE %s ALTER COLUMN %I SET NOT NULL', table_name, filled) END,
		format('ALTER TABLE %s DROP CONSTRAINT event_column_merge', table_name),
		format('DROP TRIGGER zzy_event_column_merge ON %s', table_name),
		format('SELECT _event_validate.require_droppable_column(%L, %L, %L)', table_name, from_column, filled)], NULL) || commands ||
		CASE WHEN filled <> to_column THEN ARRAY[format('ALTER TABLE %s RENAME COLUMN %I TO %I', table_name, filled, to_column)] END;
END
$$;
COMMENT ON FUNCTION _event_validate.event_column_switch_commands(regclass, name, name) IS 'the commands that end a merge of columns';

-- The trigger is there already, so the new column is complete for what is created on it.
CREATE FUNCTION _event_validate.require_droppable_column(relation regclass, from_column name, to_column name) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	hidden CONSTANT boolean := _event_validate.hide_context();
	hindrances CONSTANT text := _event_validate.event_column_hindrances(relation, from_column, to_column,
		_event_validate.event_column(relation, from_column), _event_validate.event_column(relation, to_column));
BEGIN
	-- the merge's own check refers to the column until the last step drops it
	IF hindrances IS NOT NULL AND NOT (_event_validate.event_column_merge(relation, from_column, to_column)).has_check THEN
		RAISE EXCEPTION USING ERRCODE = 'dependent_objects_still_exist',
			MESSAGE = format('column "%s" of table %s cannot be merged into "%s": dependent objects would be lost',
				from_column, relation, to_column),
			DETAIL = hindrances,
			HINT = format('A trigger keeps column "%s" in step now. Create on it what you need (a guard by add_event_guard, a check by add_event_check),'
				' drop these objects, and call merge_event_column again: it continues.', to_column);
	END IF;
END
$$;
COMMENT ON FUNCTION _event_validate.require_droppable_column(regclass, name, name) IS 'raises an error unless nothing depends on the column that merge_event_column drops';

-- The commands run under the caller's search_path, because triggers may run too.
CREATE FUNCTION _event_validate.run_event_column_step(relation regclass, from_column name, to_column name, step text, view_path text[]) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
	hidden CONSTANT boolean := _event_validate.hide_context();
	commands pg_catalog.text[];
	command pg_catalog.text;
BEGIN
	PERFORM _event_validate.require_event_relation(relation, 'ANY');
	-- once without a lock, so that no session waits
	FOR attempt IN 1 .. 2 LOOP
		EXECUTE pg_catalog.format('SELECT _event_validate.event_column_%s_commands($1, $2, $3)', step)
			INTO commands USING relation, from_column, to_column;
		IF commands IS NULL THEN
			RETURN false;
		END IF;
		PERFORM _event_validate.lock_event_table(relation);
	END LOOP;
	FOREACH command IN ARRAY commands LOOP
		EXECUTE command;
	END LOOP;
	IF view_path IS NOT NULL THEN
		FOREACH command IN ARRAY _event_validate.event_column_view_commands(view_path, relation, from_column, to_column) LOOP
			EXECUTE command;
		END LOOP;
	END IF;
	RETURN true;
END
$$;
COMMENT ON FUNCTION _event_validate.run_event_column_step(regclass, name, name, text, text[]) IS 'runs a step of merge_event_column under a short lock; false if it was done before';

CREATE FUNCTION _event_validate.validate_event_columns(relation regclass) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	hidden CONSTANT boolean := _event_validate.hide_context();
BEGIN
	-- it may have been dropped since the last commit
	PERFORM _event_validate.require_event_relation(relation, 'ANY');
	EXECUTE pg_catalog.format('ALTER TABLE %s VALIDATE CONSTRAINT event_column_merge', _event_validate.event_qualified_name(relation));
EXCEPTION WHEN check_violation THEN
	RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state',
		MESSAGE = pg_catalog.format('some documents of table %s are not in the new column yet', relation),
		DETAIL = 'Their rows were locked by other transactions, or jsonb cannot hold them without a loss.',
		HINT = 'event_column_conflicts lists the latter. Repair these, and call merge_event_column again: it continues.';
END
$$;
COMMENT ON FUNCTION _event_validate.validate_event_columns(regclass) IS 'checks that all documents are in the new column, without blocking readers and writers';

CREATE FUNCTION _event_validate.event_column_blocks(part regclass) RETURNS bigint
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	hidden CONSTANT boolean := _event_validate.hide_context();
BEGIN
	-- before it is locked
	PERFORM _event_validate.require_event_relation(part, 'ANY');
	RETURN COALESCE(pg_relation_size(part) / current_setting('block_size')::int, 0);
END
$$;
COMMENT ON FUNCTION _event_validate.event_column_blocks(regclass) IS 'the number of blocks of a table; 0 if there is none';

CREATE FUNCTION _event_validate.event_column_next_block(part regclass, first_block bigint, end_block bigint, batch_size int) RETURNS bigint
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT CASE WHEN first_block < end_block THEN LEAST(end_block,
		first_block + GREATEST(1, (batch_size / GREATEST(1, COALESCE(c.reltuples / NULLIF(c.relpages, 0), 20)))::bigint)) END
	FROM (SELECT) AS one LEFT JOIN pg_class AS c ON c.oid = part AND c.reltuples > 0 -- -1: never analyzed
$$;
COMMENT ON FUNCTION _event_validate.event_column_next_block(regclass, bigint, bigint, int) IS 'the end of the next batch of about this number of rows; NULL after the last one';

CREATE FUNCTION _event_validate.event_column_fill_command(part regclass, from_column name, to_column name,
	first_block bigint, end_block bigint) RETURNS text
	AS 'MODULE_PATHNAME', 'ev_event_column_fill_command' LANGUAGE C STABLE STRICT;
COMMENT ON FUNCTION _event_validate.event_column_fill_command(regclass, name, name, bigint, bigint) IS 'the command that fills a column in some blocks of a table';

CREATE FUNCTION _event_validate.require_event_column_merge(relation regclass, from_column name, to_column name) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	hidden CONSTANT boolean := _event_validate.hide_context();
	merge CONSTANT _event_validate.event_column_merge := _event_validate.event_column_merge(relation, from_column, to_column);
BEGIN
	IF NOT (merge.has_source AND merge.has_target AND merge.has_trigger) THEN
		RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state',
			MESSAGE = format('table %s was changed while its columns were merged', relation),
			HINT = 'Call merge_event_column again.';
	END IF;
END
$$;
COMMENT ON FUNCTION _event_validate.require_event_column_merge(regclass, name, name) IS 'raises an error unless the trigger of merge_event_column is there';

CREATE FUNCTION _event_validate.fill_event_column(part regclass, relation regclass, from_column name, to_column name,
	first_block bigint, end_block bigint) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
	hidden CONSTANT boolean := _event_validate.hide_context();
	filled bigint;
BEGIN
	PERFORM _event_validate.require_event_column_merge(relation, from_column, to_column);
	EXECUTE _event_validate.event_column_fill_command(part, from_column, to_column, first_block, end_block);
	GET DIAGNOSTICS filled := ROW_COUNT;
	RETURN filled;
END
$$;
COMMENT ON FUNCTION _event_validate.fill_event_column(regclass, regclass, name, name, bigint, bigint) IS 'fills a column in some blocks of a table';

CREATE FUNCTION _event_validate.check_merge_arguments(relation regclass, from_column name, to_column name, batch_size int) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	hidden CONSTANT boolean := _event_validate.hide_context();
BEGIN
	PERFORM _event_validate.require_arguments('{relation,from_column,to_column,batch_size}'::text[], relation, from_column, to_column, batch_size);
	IF batch_size < 1 THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = 'batch_size must be positive';
	END IF;
	PERFORM _event_validate.require_event_relation(relation, 'ANY');
	PERFORM _event_validate.require_table_owner(relation);
END
$$;
COMMENT ON FUNCTION _event_validate.check_merge_arguments(regclass, name, name, int) IS 'raises an error unless these are arguments for merge_event_column';

CREATE FUNCTION _event_validate.event_column_is_merged(relation regclass, from_column name, to_column name) RETURNS boolean
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	hidden CONSTANT boolean := _event_validate.hide_context();
BEGIN
	IF (from_column = to_column OR (_event_validate.event_column(relation, from_column)).number IS NULL) AND
		(_event_validate.event_column(relation, to_column)).type = 'jsonb'::regtype THEN
		RAISE NOTICE USING MESSAGE = format('column "%s" of table %s is jsonb already', to_column, relation);
		RETURN true;
	END IF;
	RETURN false;
END
$$;
COMMENT ON FUNCTION _event_validate.event_column_is_merged(regclass, name, name) IS 'whether merge_event_column has ended; if it has, raises a NOTICE';

-- It commits, so it has no SET clause.
CREATE PROCEDURE merge_event_column(relation regclass, from_column name, to_column name DEFAULT 'data',
	batch_size int DEFAULT 10000, view_name text DEFAULT NULL)
LANGUAGE plpgsql AS $$
DECLARE
	hidden CONSTANT boolean := _event_validate.hide_context();
	most_laps CONSTANT int := 5;
	target CONSTANT pg_catalog.name := _event_validate.event_column_merge_target(from_column, to_column);
	view_path pg_catalog.text[];
	part pg_catalog.regclass;
	at_block bigint;
	next_block bigint;
	end_block bigint;
	filled bigint;
BEGIN
	COMMIT;	-- refused in a transaction block
	PERFORM _event_validate.check_merge_arguments(relation, from_column, to_column, batch_size);
	IF _event_validate.event_column_is_merged(relation, from_column, to_column) THEN
		RETURN;
	END IF;
	view_path := _event_validate.event_view_path(view_name, relation);
	PERFORM _event_validate.start_progress('merge', relation, true);
	PERFORM _event_validate.run_event_column_step(relation, from_column, target, 'start', NULL);
	COMMIT;
	-- from here on, a trigger keeps the columns in step
	PERFORM _event_validate.require_droppable_column(relation, from_column, target);
	PERFORM _event_validate.refuse_event_column_conflicts(relation, from_column, target);
	COMMIT;
	FOR lap IN 1 .. most_laps LOOP
		filled := 0;
		PERFORM _event_validate.set_progress_phase('copying documents', relation);
		FOREACH part IN ARRAY _event_validate.event_column_parts(relation) LOOP
			at_block := 0;
			end_block := _event_validate.event_column_blocks(part);
			PERFORM _event_validate.set_progress_pages(part, at_block, end_block, filled);
			LOOP
				next_block := _event_validate.event_column_next_block(part, at_block, end_block, batch_size);
				EXIT WHEN next_block IS NULL;
				filled := pg_catalog.int8pl(filled, _event_validate.fill_event_column(part, relation, from_column, target, at_block, next_block));
				PERFORM _event_validate.set_progress_pages(part, next_block, end_block, filled);
				COMMIT;
				at_block := next_block;
			END LOOP;
		END LOOP;
		RAISE NOTICE USING MESSAGE = pg_catalog.format('pass %s: %s documents copied to column "%s"', lap, filled, target);
		EXIT WHEN pg_catalog.int8eq(filled, 0::pg_catalog.int8);
	END LOOP;
	PERFORM _event_validate.set_progress_phase('changing the table', NULL);
	PERFORM _event_validate.run_event_column_step(relation, from_column, target, 'check', NULL);
	COMMIT;
	PERFORM _event_validate.set_progress_phase('validating the constraint', NULL);
	PERFORM _event_validate.validate_event_columns(relation);
	COMMIT;
	PERFORM _event_validate.set_progress_phase('changing the table', NULL);
	PERFORM _event_validate.run_event_column_step(relation, from_column, to_column, 'switch', view_path);
	COMMIT;
	PERFORM _event_validate.end_progress();
	RAISE NOTICE USING MESSAGE = CASE WHEN pg_catalog.nameeq(target, to_column)
		THEN pg_catalog.format('column "%s" was merged into "%s"', from_column, to_column)
		ELSE pg_catalog.format('column "%s" of table %s is jsonb now', to_column, relation) END;
END
$$;
COMMENT ON PROCEDURE merge_event_column(regclass, name, name, int, text) IS 'makes a legacy column with JSON a jsonb column, or merges it into one, in batches, beside readers and writers';
