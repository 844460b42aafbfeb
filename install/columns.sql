-- ---------- rolling out: columns ----------

CREATE FUNCTION _event_validate.event_json_loss(document text) RETURNS text
	AS 'MODULE_PATHNAME', 'ev_event_json_loss' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 200;
COMMENT ON FUNCTION _event_validate.event_json_loss(text) IS 'what would be lost if this JSON text became jsonb; NULL: nothing';

-- Rows whose documents stand in the way, by reason.
CREATE FUNCTION event_column_conflicts(relation regclass, from_column name, to_column name,
	OUT reason text, OUT conflicts bigint, OUT sample_ids text[])
	RETURNS SETOF record
LANGUAGE plpgsql STABLE
SET row_security = off
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	reason text := format('_event_validate.event_json_loss(%I::text)', from_column);
BEGIN
	PERFORM _event_validate.require_event_table(relation);
	IF (SELECT atttypid FROM pg_attribute WHERE attrelid = relation AND attname = from_column) = 'jsonb'::regtype THEN
		reason := 'NULL::text';
	END IF;
	IF to_column <> from_column AND EXISTS (SELECT FROM pg_attribute
		WHERE attrelid = relation AND attname = to_column AND NOT attisdropped) THEN
		-- the comparison casts to jsonb, and so must not be tried where that fails
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
COMMENT ON FUNCTION event_column_conflicts(regclass, name, name) IS 'the rows for which standardize_event_column would lose something';

CREATE FUNCTION _event_validate.refuse_event_column_conflicts(relation regclass, from_column name, to_column name) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
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
			HINT = 'Repair these rows first; event_column_conflicts lists them.';
	END IF;
END
$$;
COMMENT ON FUNCTION _event_validate.refuse_event_column_conflicts(regclass, name, name) IS 'raises where event_column_conflicts finds rows';

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
		-- NOT NULL is handed over; from PostgreSQL 18 on it is a constraint
		AND NOT EXISTS (SELECT FROM pg_constraint AS c
			WHERE d.classid = 'pg_constraint'::regclass AND c.oid = d.objid AND c.contype = 'n')
	GROUP BY 1
	ORDER BY 1
$$;
COMMENT ON FUNCTION _event_validate.event_column_dependents(regclass, name) IS 'what refers to a column: indexes, constraints, views and so on';

CREATE FUNCTION standardize_event_column(relation regclass, from_column name,
	to_column name DEFAULT 'data', view_name text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql
SET row_security = off
AS $$
DECLARE
	from_number pg_catalog.int2;
	from_type pg_catalog.oid;
	from_not_null boolean;
	from_inherited boolean;
	from_default pg_catalog.text;
	from_comment pg_catalog.text;
	to_number pg_catalog.int2;
	to_type pg_catalog.oid;
	to_not_null boolean;
	to_default pg_catalog.text;
	to_comment pg_catalog.text;
	hindrances pg_catalog.text;
	view_path pg_catalog.text[];
	columns pg_catalog.text;
BEGIN
	IF relation IS NULL OR from_column IS NULL OR to_column IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'null_value_not_allowed',
			MESSAGE = 'standardize_event_column needs a table and two columns';
	END IF;
	PERFORM _event_validate.require_event_table(relation);
	IF view_name IS NOT NULL THEN
		view_path := pg_catalog.parse_ident(view_name);
		IF pg_catalog.array_length(view_path, 1) OPERATOR(pg_catalog.>) 2 THEN
			RAISE EXCEPTION USING ERRCODE = 'invalid_name', MESSAGE = pg_catalog.format('"%s" is no name of a view', view_name);
		END IF;
		IF pg_catalog.array_length(view_path, 1) OPERATOR(pg_catalog.=) 1 THEN
			SELECT ARRAY[n.nspname::pg_catalog.text, view_path[1]] INTO view_path
			FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
			WHERE c.oid OPERATOR(pg_catalog.=) relation;
		END IF;
	END IF;

	-- once without keeping anybody waiting, and then again under the lock
	FOR locked IN 0..1 LOOP
		IF locked OPERATOR(pg_catalog.=) 1 THEN
			PERFORM _event_validate.lock_event_table(relation);
		END IF;
		SELECT a.attnum, a.atttypid, a.attnotnull, a.attinhcount OPERATOR(pg_catalog.>) 0, pg_catalog.pg_get_expr(d.adbin, d.adrelid),
			pg_catalog.col_description(a.attrelid, a.attnum)
		INTO from_number, from_type, from_not_null, from_inherited, from_default, from_comment
		FROM pg_catalog.pg_attribute AS a LEFT JOIN pg_catalog.pg_attrdef AS d
			ON d.adrelid OPERATOR(pg_catalog.=) a.attrelid AND d.adnum OPERATOR(pg_catalog.=) a.attnum
		WHERE a.attrelid OPERATOR(pg_catalog.=) relation AND a.attname OPERATOR(pg_catalog.=) from_column
			AND a.attnum OPERATOR(pg_catalog.>) 0 AND NOT a.attisdropped;
		SELECT a.attnum, a.atttypid, a.attnotnull, pg_catalog.pg_get_expr(d.adbin, d.adrelid),
			pg_catalog.col_description(a.attrelid, a.attnum)
		INTO to_number, to_type, to_not_null, to_default, to_comment
		FROM pg_catalog.pg_attribute AS a LEFT JOIN pg_catalog.pg_attrdef AS d
			ON d.adrelid OPERATOR(pg_catalog.=) a.attrelid AND d.adnum OPERATOR(pg_catalog.=) a.attnum
		WHERE a.attrelid OPERATOR(pg_catalog.=) relation AND a.attname OPERATOR(pg_catalog.=) to_column
			AND a.attnum OPERATOR(pg_catalog.>) 0 AND NOT a.attisdropped;

		IF to_type OPERATOR(pg_catalog.=) 'pg_catalog.jsonb'::pg_catalog.regtype
			AND (from_number IS NULL OR from_column OPERATOR(pg_catalog.=) to_column) THEN
			RAISE NOTICE USING MESSAGE = pg_catalog.format('column "%s" of table %s is jsonb already', to_column, relation);
			EXIT;
		END IF;
		IF from_number IS NULL THEN
			RAISE EXCEPTION USING ERRCODE = 'undefined_column',
				MESSAGE = pg_catalog.format('table %s has no column "%s"', relation, from_column);
		END IF;
		IF from_inherited THEN
			RAISE EXCEPTION USING ERRCODE = 'invalid_table_definition',
				MESSAGE = pg_catalog.format('column "%s" of table %s is inherited', from_column, relation),
				HINT = pg_catalog.format('Call standardize_event_column for the parent that %s inherits it from.', relation);
		END IF;
		IF from_type OPERATOR(pg_catalog.<>) ALL (
			'{pg_catalog.jsonb,pg_catalog.json,pg_catalog.text,pg_catalog.varchar}'::pg_catalog.regtype[]) THEN
			RAISE EXCEPTION USING ERRCODE = 'datatype_mismatch',
				MESSAGE = pg_catalog.format('column "%s" of table %s is of type %s, not jsonb, json, text or varchar',
					from_column, relation, from_type::pg_catalog.regtype);
		END IF;
		IF to_number IS NOT NULL AND from_column OPERATOR(pg_catalog.<>) to_column THEN
			IF to_type OPERATOR(pg_catalog.<>) 'pg_catalog.jsonb'::pg_catalog.regtype THEN
				RAISE EXCEPTION USING ERRCODE = 'datatype_mismatch',
					MESSAGE = pg_catalog.format('column "%s" of table %s is of type %s, not jsonb', to_column, relation, to_type::pg_catalog.regtype),
					HINT = pg_catalog.format('Call standardize_event_column(%L, %L, %L) first.', relation, to_column, to_column);
			END IF;
			-- the old column goes, and what hangs on it would with it
			SELECT pg_catalog.string_agg(h.hindrance, pg_catalog.chr(10) ORDER BY h.hindrance COLLATE pg_catalog."C") INTO hindrances
			FROM (SELECT d.dependent AS hindrance FROM _event_validate.event_column_dependents(relation, from_column) AS d(dependent)
				UNION
				SELECT pg_catalog.format('default %s, where column %s has %s', from_default, to_column, to_default)
				WHERE from_default IS NOT NULL AND to_default IS NOT NULL AND from_default OPERATOR(pg_catalog.<>) to_default
				UNION
				SELECT pg_catalog.format('comment "%s", where column %s has "%s"', from_comment, to_column, to_comment)
				WHERE from_comment IS NOT NULL AND to_comment IS NOT NULL AND from_comment OPERATOR(pg_catalog.<>) to_comment
				UNION
				SELECT 'privileges on the column'
				FROM pg_catalog.pg_attribute AS a
				WHERE a.attrelid OPERATOR(pg_catalog.=) relation AND a.attnum OPERATOR(pg_catalog.=) from_number AND a.attacl IS NOT NULL) AS h;
			IF hindrances IS NOT NULL THEN
				RAISE EXCEPTION USING ERRCODE = 'dependent_objects_still_exist',
					MESSAGE = pg_catalog.format('column "%s" of table %s cannot be merged into "%s": what belongs to it would be lost',
						from_column, relation, to_column),
					DETAIL = hindrances,
					HINT = 'Drop these, or make them anew on the other column, first.';
			END IF;
		END IF;
		IF to_number IS NOT NULL OR from_type OPERATOR(pg_catalog.<>) 'pg_catalog.jsonb'::pg_catalog.regtype THEN
			PERFORM _event_validate.refuse_event_column_conflicts(relation, from_column, to_column);
		END IF;
		CONTINUE WHEN locked OPERATOR(pg_catalog.=) 0;

		IF to_number IS NOT NULL AND from_column OPERATOR(pg_catalog.<>) to_column THEN
			EXECUTE pg_catalog.format('UPDATE %s SET %I = %I::pg_catalog.jsonb WHERE %2$I IS NULL AND %3$I IS NOT NULL',
				relation, to_column, from_column);
			IF from_default IS NOT NULL AND to_default IS NULL THEN
				EXECUTE pg_catalog.format('ALTER TABLE %s ALTER COLUMN %I SET DEFAULT (%s)::pg_catalog.jsonb', relation, to_column, from_default);
			END IF;
			IF from_not_null AND NOT to_not_null THEN
				EXECUTE pg_catalog.format('ALTER TABLE %s ALTER COLUMN %I SET NOT NULL', relation, to_column);
			END IF;
			IF from_comment IS NOT NULL AND to_comment IS NULL THEN
				EXECUTE pg_catalog.format('COMMENT ON COLUMN %s.%I IS %L', relation, to_column, from_comment);
			END IF;
			EXECUTE pg_catalog.format('ALTER TABLE %s DROP COLUMN %I', relation, from_column);
		ELSE
			IF from_type OPERATOR(pg_catalog.<>) 'pg_catalog.jsonb'::pg_catalog.regtype THEN
				BEGIN
					EXECUTE pg_catalog.format('ALTER TABLE %1$s ALTER COLUMN %2$I DROP DEFAULT, ALTER COLUMN %2$I TYPE pg_catalog.jsonb USING %2$I::pg_catalog.jsonb',
						relation, from_column);
				EXCEPTION WHEN OTHERS THEN
					SELECT pg_catalog.string_agg(d.dependent, pg_catalog.chr(10)) INTO hindrances
					FROM _event_validate.event_column_dependents(relation, from_column) AS d(dependent);
					IF hindrances IS NULL THEN
						RAISE;
					END IF;
					RAISE EXCEPTION USING ERRCODE = SQLSTATE,
						MESSAGE = pg_catalog.format('column "%s" of table %s cannot become jsonb: %s', from_column, relation, SQLERRM),
						DETAIL = pg_catalog.format(E'These refer to it:\n%s', hindrances),
						HINT = 'Drop those that cannot do with jsonb first, and make them anew afterwards.';
				END;
				IF from_default IS NOT NULL THEN
					EXECUTE pg_catalog.format('ALTER TABLE %s ALTER COLUMN %I SET DEFAULT (%s)::pg_catalog.jsonb', relation, from_column, from_default);
				END IF;
			END IF;
			IF from_column OPERATOR(pg_catalog.<>) to_column THEN
				EXECUTE pg_catalog.format('ALTER TABLE %s RENAME COLUMN %I TO %I', relation, from_column, to_column);
			END IF;
		END IF;
	END LOOP;

	IF view_name IS NOT NULL AND NOT EXISTS (
		SELECT FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
		WHERE n.nspname OPERATOR(pg_catalog.=) view_path[1]::pg_catalog.name AND c.relname OPERATOR(pg_catalog.=) view_path[2]::pg_catalog.name
			AND c.relkind OPERATOR(pg_catalog.=) 'v' AND from_number IS NULL) THEN
		SELECT pg_catalog.string_agg(CASE WHEN a.attname OPERATOR(pg_catalog.=) to_column
				THEN pg_catalog.format('%I AS %I', a.attname, from_column) ELSE pg_catalog.quote_ident(a.attname) END, ', ' ORDER BY a.attnum)
		INTO columns FROM pg_catalog.pg_attribute AS a
		WHERE a.attrelid OPERATOR(pg_catalog.=) relation AND a.attnum OPERATOR(pg_catalog.>) 0 AND NOT a.attisdropped;
		EXECUTE pg_catalog.format('CREATE VIEW %I.%I WITH (security_invoker = true) AS SELECT %s FROM %s',
			view_path[1], view_path[2], columns, relation);
		EXECUTE pg_catalog.format('COMMENT ON VIEW %I.%I IS %L', view_path[1], view_path[2],
			pg_catalog.format('table %s as it was before its column %s became %s', relation, from_column, to_column));
	END IF;
END
$$;
COMMENT ON FUNCTION standardize_event_column(regclass, name, name, text) IS 'makes a legacy column of JSON a jsonb column of the standard name, or merges it into that one, without losing anything';

