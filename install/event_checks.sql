-- ---------- rolling out: checks ----------

-- Names in these bodies are written with their schemas, and not by a setting
-- of search_path: users' expressions are read under the user's own, and are
-- written back under the same.

CREATE FUNCTION _event_validate.event_row_expression(relation regclass, expression text, part text, tolerant boolean) RETURNS text
	AS 'MODULE_PATHNAME', 'ev_event_row_expression' LANGUAGE C STABLE STRICT;
COMMENT ON FUNCTION _event_validate.event_row_expression(regclass, text, text, boolean) IS 'a column or expression over a row, as SQL of the type that validation takes';

CREATE FUNCTION _event_validate.require_event_table(relation regclass) RETURNS void
	AS 'MODULE_PATHNAME', 'ev_require_event_table' LANGUAGE C STABLE STRICT;
COMMENT ON FUNCTION _event_validate.require_event_table(regclass) IS 'raises where there is no such table, or the caller has no right on it, before anything locks it';

CREATE FUNCTION _event_validate.event_checks(relation regclass, OUT constraint_name name, OUT validated boolean,
	OUT added_here boolean, OUT data_expr text, OUT type_expr text, OUT version_expr text,
	OUT arguments text[], OUT definition text)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'ev_event_checks' LANGUAGE C STABLE STRICT ROWS 1;
COMMENT ON FUNCTION _event_validate.event_checks(regclass) IS 'the CHECK constraints of a table that validate events';

CREATE FUNCTION _event_validate.event_audit_filter(data jsonb, event_type text, schema_version int) RETURNS boolean
	AS 'MODULE_PATHNAME', 'ev_event_audit_filter' LANGUAGE C STABLE PARALLEL SAFE COST 50;
COMMENT ON FUNCTION _event_validate.event_audit_filter(jsonb, text, int) IS 'would the event be refused?  Never raises for an event; shows its progress in pg_stat_activity';

CREATE FUNCTION _event_validate.event_audit_filter(data text, event_type text, schema_version int) RETURNS boolean
	AS 'MODULE_PATHNAME', 'ev_event_audit_filter_text' LANGUAGE C STABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION _event_validate.event_audit_filter(text, text, int) IS 'would the event be refused?  Never raises for an event; shows its progress in pg_stat_activity';

CREATE FUNCTION _event_validate.event_audit_violations(data jsonb, event_type text, schema_version int,
	OUT instance_location text, OUT keyword_location text, OUT keyword text, OUT name text,
	OUT message text, OUT violations bigint)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'ev_event_audit_violations' LANGUAGE C STABLE PARALLEL SAFE COST 200 ROWS 2;
COMMENT ON FUNCTION _event_validate.event_audit_violations(jsonb, text, int) IS 'the violations of an event by kind, array indexes folded';

CREATE FUNCTION _event_validate.event_audit_violations(data text, event_type text, schema_version int,
	OUT instance_location text, OUT keyword_location text, OUT keyword text, OUT name text,
	OUT message text, OUT violations bigint)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'ev_event_audit_violations_text' LANGUAGE C STABLE PARALLEL SAFE COST 200 ROWS 2;
COMMENT ON FUNCTION _event_validate.event_audit_violations(text, text, int) IS 'the violations of an event by kind, array indexes folded';

CREATE FUNCTION _event_validate.event_audit_sample_add(sample text[], value text, sample_limit int) RETURNS text[]
	AS 'MODULE_PATHNAME', 'ev_event_audit_sample_add' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION _event_validate.event_audit_sample_add(text[], text, int) IS 'the step of event_audit_sample';

-- An aggregate calls its step as its owner.
REVOKE EXECUTE ON FUNCTION _event_validate.event_audit_sample_add(text[], text, int) FROM PUBLIC;

CREATE AGGREGATE _event_validate.event_audit_sample(value text, sample_limit int) (
	SFUNC = _event_validate.event_audit_sample_add, STYPE = pg_catalog.text[], INITCOND = '{}',
	COMBINEFUNC = pg_catalog.array_cat, PARALLEL = SAFE);
COMMENT ON AGGREGATE _event_validate.event_audit_sample(text, int) IS 'the first values, so many of each parallel worker at most';

-- What an audit reads.
CREATE FUNCTION event_audit_query(relation regclass, data_expr text, type_expr text, version_expr text,
	sample_limit int) RETURNS text
LANGUAGE plpgsql STABLE AS $$
DECLARE
	kind pg_catalog."char";
	data pg_catalog.text;
	type pg_catalog.text;
	version pg_catalog.text;
BEGIN
	PERFORM _event_validate.require_event_table(relation);
	SELECT c.relkind INTO kind FROM pg_catalog.pg_class AS c WHERE c.oid OPERATOR(pg_catalog.=) relation;
	IF kind OPERATOR(pg_catalog.<>) ALL ('{r,p,m,v,f}') THEN
		RAISE EXCEPTION USING ERRCODE = 'wrong_object_type',
			MESSAGE = pg_catalog.format('%s is not a table or view', relation);
	END IF;
	data := _event_validate.event_row_expression(relation, data_expr, 'data'::pg_catalog.text, true);
	type := _event_validate.event_row_expression(relation, type_expr, 'type'::pg_catalog.text, true);
	version := _event_validate.event_row_expression(relation, version_expr, 'version'::pg_catalog.text, true);

	RETURN pg_catalog.format($query$
		SELECT e.event_type, e.schema_version, v.instance_location, v.keyword,
			pg_catalog.min(v.message COLLATE pg_catalog."C") AS message,
			pg_catalog.sum(v.violations)::pg_catalog.int8 AS violations,
			(_event_validate.event_audit_sample(e.row_name, %1$s))[1:%1$s] AS sample_ids
		FROM (SELECT %2$s AS data, (%3$s) COLLATE pg_catalog."C" AS event_type, %4$s AS schema_version, %5$s AS row_name
			FROM %6$s WHERE _event_validate.event_audit_filter(%2$s, %3$s, %4$s)) AS e,
			LATERAL _event_validate.event_audit_violations(e.data, e.event_type, e.schema_version) AS v
		GROUP BY e.event_type, e.schema_version, v.instance_location, v.keyword_location, v.keyword, v.name
		$query$, sample_limit, data, type, version, _event_validate.event_row_name(relation), relation);
END
$$;
COMMENT ON FUNCTION event_audit_query(regclass, text, text, text, int) IS 'the query that audit_events runs';

CREATE FUNCTION audit_events(relation regclass, data_expr text DEFAULT 'data',
	type_expr text DEFAULT 'event_type', version_expr text DEFAULT 'schema_version',
	sample_limit int DEFAULT 5)
	RETURNS TABLE (event_type text, schema_version int, instance_location text, keyword text,
		message text, violations bigint, sample_ids text[])
LANGUAGE plpgsql STABLE ROWS 100
SET row_security = off
AS $$
BEGIN
	IF relation IS NULL OR data_expr IS NULL OR type_expr IS NULL OR version_expr IS NULL OR
		sample_limit IS NULL OR sample_limit OPERATOR(pg_catalog.<) 0 OR sample_limit OPERATOR(pg_catalog.>) 10000 THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
			MESSAGE = 'audit_events needs a relation, what is where in its rows, and a sample_limit from 0 to 10000';
	END IF;
	RETURN QUERY EXECUTE @extschema@.event_audit_query(relation, data_expr, type_expr, version_expr, sample_limit)
		OPERATOR(pg_catalog.||) ' ORDER BY event_type, schema_version, violations DESC,'
		' instance_location COLLATE pg_catalog."C", keyword COLLATE pg_catalog."C", message';
END
$$;
COMMENT ON FUNCTION audit_events(regclass, text, text, text, int) IS 'the dry run: which stored events are not valid, and why';

CREATE FUNCTION _event_validate.lock_event_table(relation regclass) RETURNS void
	AS 'MODULE_PATHNAME', 'ev_lock_event_table' LANGUAGE C STRICT;
COMMENT ON FUNCTION _event_validate.lock_event_table(regclass) IS 'takes the lock that ALTER TABLE needs, without keeping writers waiting for long';

CREATE FUNCTION add_event_check(relation regclass, data_expr text DEFAULT 'data',
	type_expr text DEFAULT 'event_type', version_expr text DEFAULT 'schema_version',
	constraint_name text DEFAULT NULL, audit boolean DEFAULT false) RETURNS name
LANGUAGE plpgsql
SET row_security = off
AS $$
DECLARE
	wanted pg_catalog.text[];
	chosen pg_catalog.name := constraint_name;
	invalid bigint;
	found_name pg_catalog.name;
	found_definition pg_catalog.text;
	stem pg_catalog.text;
	number int := 0;
	member pg_catalog.regclass;
BEGIN
	IF relation IS NULL OR data_expr IS NULL OR type_expr IS NULL OR version_expr IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'null_value_not_allowed',
			MESSAGE = 'add_event_check needs a table, and what is where in its rows';
	END IF;
	IF constraint_name OPERATOR(pg_catalog.=) '' THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_name', MESSAGE = 'a constraint needs a name';
	END IF;
	wanted := ARRAY[_event_validate.event_row_expression(relation, data_expr, 'data'::pg_catalog.text, false),
		_event_validate.event_row_expression(relation, type_expr, 'type'::pg_catalog.text, false),
		_event_validate.event_row_expression(relation, version_expr, 'version'::pg_catalog.text, false)];
	IF audit THEN
		EXECUTE pg_catalog.format('SELECT pg_catalog.count(*) FROM %s WHERE _event_validate.event_audit_filter(%s, %s, %s)',
			relation, _event_validate.event_row_expression(relation, data_expr, 'data'::pg_catalog.text, true),
			_event_validate.event_row_expression(relation, type_expr, 'type'::pg_catalog.text, true),
			_event_validate.event_row_expression(relation, version_expr, 'version'::pg_catalog.text, true)) INTO invalid;
	END IF;

	PERFORM _event_validate.lock_event_table(relation);

	-- is it there already?
	SELECT c.constraint_name INTO found_name FROM _event_validate.event_checks(relation) AS c
	WHERE c.arguments OPERATOR(pg_catalog.=) wanted
		AND (chosen IS NULL OR c.constraint_name OPERATOR(pg_catalog.=) chosen)
	ORDER BY c.constraint_name LIMIT 1;
	IF FOUND THEN
		chosen := found_name;
	ELSE
		IF chosen IS NULL THEN
			SELECT c.relname::pg_catalog.text INTO stem FROM pg_catalog.pg_class AS c
			WHERE c.oid OPERATOR(pg_catalog.=) relation;
			WHILE pg_catalog.octet_length(stem) OPERATOR(pg_catalog.>) 48 LOOP
				stem := pg_catalog.left(stem, -1);
			END LOOP;
			stem := pg_catalog.concat(stem, '_event_check');
			chosen := stem;
			WHILE EXISTS (SELECT FROM pg_catalog.pg_constraint AS c
				WHERE c.conrelid OPERATOR(pg_catalog.=) relation AND c.conname OPERATOR(pg_catalog.=) chosen) LOOP
				number := number OPERATOR(pg_catalog.+) 1;
				chosen := pg_catalog.concat(stem, number);
			END LOOP;
		END IF;
		SELECT pg_catalog.pg_get_constraintdef(c.oid) INTO found_definition FROM pg_catalog.pg_constraint AS c
		WHERE c.conrelid OPERATOR(pg_catalog.=) relation AND c.conname OPERATOR(pg_catalog.=) chosen;
		IF FOUND THEN
			RAISE EXCEPTION USING ERRCODE = 'duplicate_object',
				MESSAGE = pg_catalog.format('table %s has another constraint "%s"', relation, chosen),
				DETAIL = pg_catalog.format('It is: %s.', found_definition);
		END IF;
		EXECUTE pg_catalog.format('ALTER TABLE %s ADD CONSTRAINT %I CHECK (%s.check_event(%s, %s, %s, %L::pg_catalog.text)) NOT VALID',
			relation, chosen, '@extschema@', wanted[1], wanted[2], wanted[3], chosen);
		FOR member IN
			WITH RECURSIVE tree(member) AS (
				SELECT relation::pg_catalog.oid
				UNION
				SELECT i.inhrelid FROM pg_catalog.pg_inherits AS i, tree
				WHERE i.inhparent OPERATOR(pg_catalog.=) tree.member)
			SELECT c.oid FROM tree, pg_catalog.pg_class AS c
			WHERE c.oid OPERATOR(pg_catalog.=) tree.member AND c.relkind OPERATOR(pg_catalog.=) 'f'
		LOOP
			RAISE WARNING USING
				MESSAGE = pg_catalog.format('events in foreign table %s are not checked', member),
				DETAIL = 'A CHECK constraint on a foreign table is believed, not enforced.';
		END LOOP;
	END IF;

	IF invalid OPERATOR(pg_catalog.>) 0 THEN
		RAISE NOTICE USING
			MESSAGE = pg_catalog.format('old rows of table %s are not valid, and can no longer be updated until they are (rows: %s)', relation, invalid),
			HINT = 'audit_events shows what is wrong with them.';
	ELSIF audit THEN
		RAISE NOTICE USING MESSAGE = pg_catalog.format('all old rows of table %s are valid', relation);
	END IF;
	RETURN chosen;
END
$$;
COMMENT ON FUNCTION add_event_check(regclass, text, text, text, text, boolean) IS 'adds a CHECK constraint by check_event that is NOT VALID yet: new rows are checked, old ones not scanned';

CREATE FUNCTION _event_validate.find_event_check(relation regclass, INOUT constraint_name name,
	OUT validated boolean, OUT added_here boolean, OUT data_expr text, OUT type_expr text, OUT version_expr text)
LANGUAGE plpgsql STABLE AS $$
DECLARE
	wanted pg_catalog.text := constraint_name;
	names pg_catalog.text;
	how_many bigint;
BEGIN
	SELECT pg_catalog.string_agg(c.constraint_name, ', ' ORDER BY c.constraint_name), pg_catalog.count(*)
	INTO names, how_many FROM _event_validate.event_checks(relation) AS c;
	IF constraint_name IS NULL AND how_many OPERATOR(pg_catalog.>) 1 THEN
		RAISE EXCEPTION USING ERRCODE = 'ambiguous_parameter',
			MESSAGE = pg_catalog.format('table %s has several event checks', relation),
			DETAIL = pg_catalog.format('They are: %s.', names),
			HINT = 'Say which one by its name.';
	END IF;
	SELECT c.constraint_name, c.validated, c.added_here, c.data_expr, c.type_expr, c.version_expr
	INTO find_event_check.constraint_name, find_event_check.validated, find_event_check.added_here,
		find_event_check.data_expr, find_event_check.type_expr, find_event_check.version_expr
	FROM _event_validate.event_checks(relation) AS c
	WHERE find_event_check.constraint_name IS NULL
		OR c.constraint_name OPERATOR(pg_catalog.=) find_event_check.constraint_name;
	IF NOT FOUND THEN
		RAISE EXCEPTION USING ERRCODE = 'undefined_object',
			MESSAGE = pg_catalog.concat('table ', relation, ' has no event check',
				' "' OPERATOR(pg_catalog.||) wanted OPERATOR(pg_catalog.||) '"',
				'; it has ' OPERATOR(pg_catalog.||) names);
	END IF;
END
$$;
COMMENT ON FUNCTION _event_validate.find_event_check(regclass, name) IS 'the event check of this name, or the only one, of a table';

CREATE FUNCTION validate_event_check(relation regclass, constraint_name text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	found_check pg_catalog.record;
	total bigint;
	kinds bigint;
	listed pg_catalog.text;
BEGIN
	IF relation IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'null_value_not_allowed', MESSAGE = 'validate_event_check needs a table';
	END IF;
	SELECT * INTO found_check FROM _event_validate.find_event_check(relation, constraint_name::pg_catalog.name);
	IF found_check.added_here THEN
		RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state',
			MESSAGE = pg_catalog.format('constraint "%s" of table %s was added in this transaction, which locks the table against everybody',
				found_check.constraint_name, relation),
			DETAIL = 'To look at all its rows now would keep readers and writers out for as long as that takes.',
			HINT = 'Commit first, and validate in a transaction of its own (in Alembic: op.get_context().autocommit_block(), or transaction_per_migration and a revision of its own).';
	END IF;
	IF found_check.validated THEN
		RETURN;
	END IF;

	BEGIN
		EXECUTE pg_catalog.format('ALTER TABLE %s VALIDATE CONSTRAINT %I', relation, found_check.constraint_name);
	EXCEPTION WHEN check_violation OR undefined_object OR program_limit_exceeded OR statement_too_complex
		OR invalid_text_representation OR untranslatable_character OR numeric_value_out_of_range THEN
		IF found_check.data_expr IS NULL THEN
			RAISE;	-- check_event is only a part of it, and which rows it is asked for we cannot tell
		END IF;
		SELECT pg_catalog.sum(l.violations), pg_catalog.count(*),
			pg_catalog.string_agg(l.line, pg_catalog.chr(10) ORDER BY l.place) FILTER (WHERE l.place OPERATOR(pg_catalog.<=) 20)
		INTO total, kinds, listed
		FROM (SELECT a.violations, pg_catalog.row_number() OVER (ORDER BY a.violations DESC, a.event_type, a.schema_version, a.instance_location) AS place,
				pg_catalog.format('%s: %s version %s, %s%s: %s (%s)', a.violations,
					COALESCE('"' OPERATOR(pg_catalog.||) a.event_type OPERATOR(pg_catalog.||) '"', 'type null'), COALESCE(a.schema_version::pg_catalog.text, 'null'),
					CASE WHEN a.instance_location OPERATOR(pg_catalog.=) '' THEN '(document)' ELSE a.instance_location END,
					CASE WHEN a.keyword OPERATOR(pg_catalog.=) '' THEN '' ELSE pg_catalog.concat(', ', a.keyword) END,
					a.message, pg_catalog.concat('such as ', pg_catalog.array_to_string(a.sample_ids, ', '))) AS line
			FROM @extschema@.audit_events(relation, found_check.data_expr, found_check.type_expr, found_check.version_expr, 3) AS a) AS l;
		IF kinds OPERATOR(pg_catalog.=) 0 THEN
			RAISE;
		END IF;
		RAISE EXCEPTION USING ERRCODE = 'check_violation',
			MESSAGE = pg_catalog.format('rows of table %s violate check constraint "%s" (violations: %s)',
				relation, found_check.constraint_name, total),
			DETAIL = pg_catalog.concat(listed, CASE WHEN kinds OPERATOR(pg_catalog.>) 20 THEN
				pg_catalog.format(E'\nand %s more kinds', kinds OPERATOR(pg_catalog.-) 20) ELSE '' END),
			HINT = 'audit_events lists them all. Repair or move these rows, then validate again; the constraint stays, and new rows are checked all the time.',
			CONSTRAINT = found_check.constraint_name, TABLE = relation::pg_catalog.text;
	END;
END
$$;
COMMENT ON FUNCTION validate_event_check(regclass, text) IS 'checks the old rows too, beside readers and writers, or says what is wrong with them';

CREATE FUNCTION drop_event_check(relation regclass, constraint_name text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	found_check pg_catalog.record;
BEGIN
	IF relation IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'null_value_not_allowed', MESSAGE = 'drop_event_check needs a table';
	END IF;
	PERFORM _event_validate.require_event_table(relation);
	IF NOT EXISTS (SELECT FROM pg_catalog.pg_constraint AS c WHERE c.conrelid OPERATOR(pg_catalog.=) relation
			AND c.conname OPERATOR(pg_catalog.=) constraint_name::pg_catalog.name)
		AND (constraint_name IS NOT NULL OR NOT EXISTS (SELECT FROM _event_validate.event_checks(relation))) THEN
		RAISE NOTICE USING MESSAGE = CASE
			WHEN constraint_name IS NULL THEN pg_catalog.format('table %s has no event check, nothing to drop', relation)
			ELSE pg_catalog.format('table %s has no event check "%s", nothing to drop', relation, constraint_name) END;
		RETURN;
	END IF;
	SELECT * INTO found_check FROM _event_validate.find_event_check(relation, constraint_name::pg_catalog.name);
	PERFORM _event_validate.lock_event_table(relation);
	EXECUTE pg_catalog.format('ALTER TABLE %s DROP CONSTRAINT %I', relation, found_check.constraint_name);
END
$$;
COMMENT ON FUNCTION drop_event_check(regclass, text) IS 'drops a CHECK constraint that validates events';

