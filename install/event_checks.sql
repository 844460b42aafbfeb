-- ---------- rolling out: checks ----------

-- A CHECK constraint that validates events.  The expressions are NULL if the
-- constraint is more than one call, for all event types or for some.
CREATE TYPE _event_validate.event_check AS (constraint_name name, validated boolean, added_here boolean,
	data_expr text, type_expr text, version_expr text, arguments text[], definition text, types text[]);
COMMENT ON TYPE _event_validate.event_check IS 'a CHECK constraint that validates events';

-- It writes expressions for the search_path that it is called under.
CREATE FUNCTION _event_validate.event_checks(relation regclass) RETURNS SETOF _event_validate.event_check
	AS 'MODULE_PATHNAME', 'ev_event_checks' LANGUAGE C STABLE STRICT ROWS 1;
COMMENT ON FUNCTION _event_validate.event_checks(regclass) IS 'the CHECK constraints of a table that validate events';

CREATE FUNCTION _event_validate.event_audit_filter(data jsonb, event_type text, schema_version int) RETURNS boolean
	AS 'MODULE_PATHNAME', 'ev_event_audit_filter' LANGUAGE C STABLE PARALLEL SAFE COST 50;
COMMENT ON FUNCTION _event_validate.event_audit_filter(jsonb, text, int) IS 'true if the event is not valid; never raises an error for an event; reports progress in pg_stat_activity';

CREATE FUNCTION _event_validate.event_audit_filter(data text, event_type text, schema_version int) RETURNS boolean
	AS 'MODULE_PATHNAME', 'ev_event_audit_filter_text' LANGUAGE C STABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION _event_validate.event_audit_filter(text, text, int) IS 'true if the event is not valid; never raises an error for an event; reports progress in pg_stat_activity';

CREATE FUNCTION _event_validate.event_audit_violations(data jsonb, event_type text, schema_version int,
	OUT instance_location text, OUT keyword_location text, OUT keyword text, OUT name text,
	OUT message text, OUT violations bigint)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'ev_event_audit_violations' LANGUAGE C STABLE PARALLEL SAFE COST 200 ROWS 2;
COMMENT ON FUNCTION _event_validate.event_audit_violations(jsonb, text, int) IS 'the violations of an event, counted by kind; array indexes are combined';

CREATE FUNCTION _event_validate.event_audit_violations(data text, event_type text, schema_version int,
	OUT instance_location text, OUT keyword_location text, OUT keyword text, OUT name text,
	OUT message text, OUT violations bigint)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'ev_event_audit_violations_text' LANGUAGE C STABLE PARALLEL SAFE COST 200 ROWS 2;
COMMENT ON FUNCTION _event_validate.event_audit_violations(text, text, int) IS 'the violations of an event, counted by kind; array indexes are combined';

CREATE FUNCTION _event_validate.event_audit_sample_add(sample text[], value text, sample_limit int) RETURNS text[]
	AS 'MODULE_PATHNAME', 'ev_event_audit_sample_add' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION _event_validate.event_audit_sample_add(text[], text, int) IS 'the transition function of event_audit_sample';

-- PostgreSQL checks that the owner of the aggregate may call this.
REVOKE EXECUTE ON FUNCTION _event_validate.event_audit_sample_add(text[], text, int) FROM PUBLIC;

CREATE AGGREGATE _event_validate.event_audit_sample(value text, sample_limit int) (
	SFUNC = _event_validate.event_audit_sample_add, STYPE = pg_catalog.text[], INITCOND = '{}',
	COMBINEFUNC = pg_catalog.array_cat, PARALLEL = SAFE);
COMMENT ON AGGREGATE _event_validate.event_audit_sample(text, int) IS 'the first values, at most sample_limit from each parallel worker';

-- ---------- rolling out: the audit ----------

-- If is_stored, the expressions stand for stored ones, over a relation t.
CREATE FUNCTION _event_validate.event_audit_select(relation regclass, data text, type text, version text,
	sample_limit int, is_stored boolean) RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	hidden CONSTANT boolean := _event_validate.hide_context();
BEGIN
	IF sample_limit < 0 OR sample_limit > 10000 THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
			MESSAGE = format('sample_limit must be from 0 to 10000, not %s', sample_limit);
	END IF;
	-- a row has one violation of each kind: so its first one counts the row in a total
	RETURN format($query$
		SELECT k.event_type, k.schema_version, k.instance_location, k.keyword,
			CASE WHEN pg_catalog.int4eq(GROUPING(k.event_type), 1) THEN 'all violations'
				WHEN pg_catalog.int4eq(GROUPING(k.keyword), 1) THEN 'all violations of this type and version'
				ELSE k.message END AS message,
			CASE WHEN pg_catalog.int4eq(GROUPING(k.keyword), 1) THEN pg_catalog.sum(k.first_rows)::pg_catalog.int8 ELSE k.rows END AS rows,
			pg_catalog.sum(k.violations)::pg_catalog.int8 AS violations, k.sample_ids
		FROM (SELECT e.event_type, e.schema_version, v.instance_location, v.keyword_location, v.keyword, v.name,
				pg_catalog.min(v.message COLLATE pg_catalog."C") AS message, pg_catalog.count(*) AS rows,
				pg_catalog.count(*) FILTER (WHERE pg_catalog.int8eq(v.ordinality, 1::pg_catalog.int8)) AS first_rows,
				pg_catalog.sum(v.violations) AS violations,
				(_event_validate.event_audit_sample(e.row_name, %1$s))[1:%1$s] AS sample_ids
			FROM (SELECT %2$s AS data, (%3$s) COLLATE pg_catalog."C" AS event_type, %4$s AS schema_version, %5$s AS row_name
				FROM %6$s%7$s WHERE _event_validate.event_audit_filter(%2$s, %3$s, %4$s)) AS e,
				LATERAL _event_validate.event_audit_violations(e.data, e.event_type, e.schema_version) WITH ORDINALITY AS v
			GROUP BY e.event_type, e.schema_version, v.instance_location, v.keyword_location, v.keyword, v.name) AS k
		GROUP BY GROUPING SETS ((), (k.event_type, k.schema_version), (k.event_type, k.schema_version, k.instance_location,
			k.keyword_location, k.keyword, k.name, k.message, k.rows, k.violations, k.sample_ids))
		HAVING pg_catalog.int8gt(pg_catalog.count(*), 0::pg_catalog.int8)
		$query$, sample_limit, data, type, version, _event_validate.event_row_name(relation),
		_event_validate.event_qualified_name(relation), CASE WHEN is_stored THEN ' AS t' END);
END
$$;
COMMENT ON FUNCTION _event_validate.event_audit_select(regclass, text, text, text, int, boolean) IS 'event_audit_query of expressions that are SQL already';

CREATE FUNCTION _event_validate.event_audit_report(query text) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT concat('SELECT * FROM (', query,
		') AS a ORDER BY a.keyword IS NOT NULL, CASE WHEN a.keyword IS NULL THEN a.rows END DESC, CASE WHEN a.keyword IS NULL THEN a.message END COLLATE pg_catalog."C",'
		' a.event_type, a.schema_version, a.violations DESC,'
		' a.instance_location COLLATE pg_catalog."C", a.keyword COLLATE pg_catalog."C", a.message')
$$;
COMMENT ON FUNCTION _event_validate.event_audit_report(text) IS 'event_audit_query with the totals first';

CREATE FUNCTION event_audit_query(relation regclass, data_expr text, type_expr text, version_expr text,
	sample_limit int) RETURNS text
LANGUAGE plpgsql STABLE AS $$
DECLARE
	hidden CONSTANT boolean := _event_validate.hide_context();
BEGIN
	PERFORM _event_validate.require_event_relation(relation, 'ANY');
	RETURN _event_validate.event_audit_select(relation,
		_event_validate.event_row_expression(relation, data_expr, 'data', true),
		_event_validate.event_row_expression(relation, type_expr, 'type', true),
		_event_validate.event_row_expression(relation, version_expr, 'version', true), sample_limit, false);
END
$$;
COMMENT ON FUNCTION event_audit_query(regclass, text, text, text, int) IS 'the query that audit_events runs';

CREATE FUNCTION audit_events(relation regclass, data_expr text DEFAULT 'data',
	type_expr text DEFAULT 'event_type', version_expr text DEFAULT 'schema_version',
	sample_limit int DEFAULT 5)
	RETURNS TABLE (event_type text, schema_version int, instance_location text, keyword text,
		message text, "rows" bigint, violations bigint, sample_ids text[])
LANGUAGE plpgsql STABLE ROWS 100
SET row_security = off
AS $$
DECLARE
	hidden CONSTANT boolean := _event_validate.hide_context();
BEGIN
	IF relation IS NULL OR data_expr IS NULL OR type_expr IS NULL OR version_expr IS NULL OR sample_limit IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
			MESSAGE = 'audit_events needs a relation, expressions for the data, type and version, and a sample_limit';
	END IF;
	PERFORM _event_validate.start_progress('audit', relation, false);
	PERFORM _event_validate.set_progress_phase('checking events', relation);
	RETURN QUERY SELECT * FROM _event_validate.rows_planned_as_owner(_event_validate.event_audit_report(
		@extschema@.event_audit_query(relation, data_expr, type_expr, version_expr, sample_limit)), relation) AS a (
			event_type pg_catalog.text, schema_version pg_catalog.int4, instance_location pg_catalog.text, keyword pg_catalog.text,
			message pg_catalog.text, "rows" pg_catalog.int8, violations pg_catalog.int8, sample_ids pg_catalog.text[]);
	PERFORM _event_validate.end_progress();
END
$$;
COMMENT ON FUNCTION audit_events(regclass, text, text, text, int) IS 'the stored events that are not valid, and why; the totals come first';

CREATE FUNCTION _event_validate.event_location_shown(location text) RETURNS text
	AS 'MODULE_PATHNAME', 'ev_event_location_shown' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION _event_validate.event_location_shown(text) IS 'a JSON Pointer as messages show it';

CREATE FUNCTION _event_validate.event_type_shown(event_type text) RETURNS text
	AS 'MODULE_PATHNAME', 'ev_event_type_shown' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION _event_validate.event_type_shown(text) IS 'an event type as messages show it: a JSON string';

CREATE FUNCTION _event_validate.event_text_shown(content text) RETURNS text
	AS 'MODULE_PATHNAME', 'ev_event_text_shown' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION _event_validate.event_text_shown(text) IS 'a text as messages show it: in one line, with nothing invisible';

CREATE FUNCTION _event_validate.event_audit_line(event_type text, schema_version int, instance_location text,
	keyword text, message text, violations bigint, sample_ids text[]) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT _event_validate.event_text_shown(format('%s: %s version %s, %s', violations,
		COALESCE(_event_validate.event_type_shown(event_type), 'type null'), COALESCE(schema_version::text, 'null'),
		CASE WHEN current_setting('event_validate.show_values')::boolean THEN
			format('%s%s: %s (such as %s)', _event_validate.event_location_shown(instance_location),
				CASE keyword WHEN '' THEN '' ELSE concat(', ', keyword) END, message, array_to_string(sample_ids, ', '))
		WHEN keyword = '' THEN 'cannot be checked'
		ELSE format('does not match keyword "%s"', keyword) END))
$$;
COMMENT ON FUNCTION _event_validate.event_audit_line(text, int, text, text, text, bigint, text[]) IS 'a row of audit_events as a line of text';

-- ---------- rolling out: adding a check ----------

CREATE FUNCTION _event_validate.event_check_name(constraint_name text) RETURNS name
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	hidden CONSTANT boolean := _event_validate.hide_context();
BEGIN
	IF constraint_name = '' THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_name', MESSAGE = 'the name of a constraint must not be empty';
	END IF;
	RETURN constraint_name;
END
$$;
COMMENT ON FUNCTION _event_validate.event_check_name(text) IS 'the name; raises an error if it is empty';

-- By their text.  Two checks whose text is equal can call different functions of one name: then
-- add_event_check keeps the table's own.
CREATE FUNCTION _event_validate.equal_event_check(checks _event_validate.event_check[], wanted_arguments text[],
	wanted_types text[], wanted_name name) RETURNS _event_validate.event_check
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT c FROM unnest(checks) AS c
	WHERE c.arguments = wanted_arguments AND (wanted_name IS NULL OR c.constraint_name = wanted_name)
	ORDER BY (c.types IS NULL OR c.types @> wanted_types) IS NOT TRUE, c.constraint_name LIMIT 1
$$;
COMMENT ON FUNCTION _event_validate.equal_event_check(_event_validate.event_check[], text[], text[], name) IS 'the event check of these arguments, and of this name if it is not NULL; one for these event types if there is one';

CREATE FUNCTION _event_validate.event_types_missing(found_types text[], wanted_types text[]) RETURNS text[]
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT ARRAY(SELECT w.event_type FROM unnest(wanted_types) WITH ORDINALITY AS w(event_type, place)
		WHERE w.event_type COLLATE "C" <> ALL (COALESCE(found_types, '{}'))
		GROUP BY w.event_type ORDER BY min(w.place))
$$;
COMMENT ON FUNCTION _event_validate.event_types_missing(text[], text[]) IS 'the event types that are not among others, each once';

CREATE FUNCTION _event_validate.require_event_check_calls(relation regclass, constraint_name name,
	data_expr text, type_expr text, version_expr text) RETURNS void
	AS 'MODULE_PATHNAME', 'ev_require_event_check_calls' LANGUAGE C STABLE STRICT;
COMMENT ON FUNCTION _event_validate.require_event_check_calls(regclass, name, text, text, text) IS 'raises an error if an event check calls other functions than these expressions';

-- Adds a check, or replaces one by a check for more event types: one command, which scans nothing.
CREATE FUNCTION _event_validate.put_event_check(relation regclass, replaced _event_validate.event_check, chosen name,
	condition text, data_expr text, type_expr text, version_expr text) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	hidden CONSTANT boolean := _event_validate.hide_context();
	drops pg_catalog.text := '';
BEGIN
	IF replaced.constraint_name IS NOT NULL THEN
		drops := pg_catalog.format('DROP CONSTRAINT %I, ', chosen);
	END IF;
	EXECUTE pg_catalog.format('ALTER TABLE %s %sADD CONSTRAINT %I CHECK (%s) NOT VALID', _event_validate.event_qualified_name(relation), drops, chosen, condition);
	PERFORM _event_validate.require_event_check_calls(relation, chosen, data_expr, type_expr, version_expr);
	IF replaced.validated THEN
		RAISE NOTICE USING
			MESSAGE = pg_catalog.format('constraint "%s" of table %s checks more event types now and is not validated any more', chosen, relation),
			HINT = 'Call validate_event_check in the next transaction.';
	END IF;
	PERFORM _event_validate.warn_of_foreign_tables(relation);
END
$$;
COMMENT ON FUNCTION _event_validate.put_event_check(regclass, _event_validate.event_check, name, text, text, text, text) IS 'adds or replaces an event check, NOT VALID';

CREATE FUNCTION _event_validate.free_constraint_name(relation regclass) RETURNS name
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	hidden CONSTANT boolean := _event_validate.hide_context();
	stem text := (SELECT c.relname FROM pg_class AS c WHERE c.oid = relation);
	chosen name;
	number int := 0;
BEGIN
	WHILE octet_length(stem) > 48 LOOP
		stem := left(stem, -1);
	END LOOP;
	stem := concat(stem, '_event_check');
	chosen := stem;
	WHILE EXISTS (SELECT FROM pg_constraint AS c WHERE c.conrelid = relation AND c.conname = chosen) LOOP
		number := number + 1;
		chosen := concat(stem, number);
	END LOOP;
	RETURN chosen;
END
$$;
COMMENT ON FUNCTION _event_validate.free_constraint_name(regclass) IS 'a name for an event check that no constraint of the table has';

CREATE FUNCTION _event_validate.refuse_other_constraint(relation regclass, wanted_name name) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	hidden CONSTANT boolean := _event_validate.hide_context();
	definition text := (SELECT pg_get_constraintdef(c.oid) FROM pg_constraint AS c WHERE c.conrelid = relation AND c.conname = wanted_name);
BEGIN
	IF definition IS NOT NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'duplicate_object',
			MESSAGE = format('table %s has another constraint "%s"', relation, wanted_name),
			DETAIL = format('It is: %s.', definition);
	END IF;
END
$$;
COMMENT ON FUNCTION _event_validate.refuse_other_constraint(regclass, name) IS 'raises an error if the table has a constraint of this name';

CREATE FUNCTION _event_validate.warn_of_foreign_tables(relation regclass) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	hidden CONSTANT boolean := _event_validate.hide_context();
	most_names CONSTANT int := 20;
	members text[];
BEGIN
	members := ARRAY(
		WITH RECURSIVE tree(member) AS (
			SELECT relation::oid
			UNION
			SELECT i.inhrelid FROM pg_inherits AS i, tree WHERE i.inhparent = tree.member)
		SELECT c.oid::regclass::text FROM tree JOIN pg_class AS c ON c.oid = tree.member WHERE c.relkind = 'f' ORDER BY c.oid);
	IF cardinality(members) = 1 THEN
		RAISE WARNING USING
			MESSAGE = format('events in foreign table %s are not checked', members[1]),
			DETAIL = 'PostgreSQL assumes that the CHECK constraints of a foreign table hold and does not enforce them.',
			HINT = format('Add the check to the table on the other server. SELECT * FROM event_foreign_enforcement(%L) asks that server what it enforces.', members[1]);
	ELSIF cardinality(members) > 1 THEN
		RAISE WARNING USING
			MESSAGE = format('events in foreign tables are not checked: %s%s', array_to_string(members[:most_names], ', '),
				CASE WHEN cardinality(members) > most_names THEN format(' and %s more', cardinality(members) - most_names) ELSE '' END),
			DETAIL = 'PostgreSQL assumes that the CHECK constraints of a foreign table hold and does not enforce them.',
			HINT = format('Add the check to the tables on the other servers. SELECT * FROM event_foreign_enforcement(%L) asks these servers what they enforce.', relation);
	END IF;
END
$$;
COMMENT ON FUNCTION _event_validate.warn_of_foreign_tables(regclass) IS 'warns if the table or one of its partitions is a foreign table';

CREATE FUNCTION _event_validate.warn_of_unregistered_types(types text[]) RETURNS void
	AS 'MODULE_PATHNAME', 'ev_event_check_types' LANGUAGE C STABLE STRICT;
COMMENT ON FUNCTION _event_validate.warn_of_unregistered_types(text[]) IS 'warns of event types without a registered version';

CREATE FUNCTION _event_validate.report_old_rows(relation regclass, invalid bigint) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	hidden CONSTANT boolean := _event_validate.hide_context();
BEGIN
	IF invalid > 0 THEN
		RAISE NOTICE USING
			MESSAGE = format('old rows of table %s are not valid and cannot be updated until they are (rows: %s)', relation, invalid),
			HINT = 'audit_events lists their violations.';
	ELSE
		RAISE NOTICE USING MESSAGE = format('all old rows of table %s are valid', relation);
	END IF;
END
$$;
COMMENT ON FUNCTION _event_validate.report_old_rows(regclass, bigint) IS 'raises the NOTICE of add_event_check about old rows';

CREATE FUNCTION add_event_check(relation regclass, data_expr text DEFAULT 'data',
	type_expr text DEFAULT 'event_type', version_expr text DEFAULT 'schema_version',
	constraint_name text DEFAULT NULL, audit boolean DEFAULT false, types text[] DEFAULT NULL) RETURNS name
LANGUAGE plpgsql
SET row_security = off
AS $$
DECLARE
	hidden CONSTANT boolean := _event_validate.hide_context();
	wanted pg_catalog.name;
	chosen pg_catalog.name;
	found_check _event_validate.event_check;
	arguments pg_catalog.text[];
	missing pg_catalog.text[];
	others pg_catalog.text;
	invalid bigint;
BEGIN
	PERFORM _event_validate.require_arguments('{relation,data_expr,type_expr,version_expr}'::pg_catalog.text[], relation, data_expr, type_expr, version_expr);
	wanted := _event_validate.event_check_name(constraint_name);
	arguments := ARRAY[_event_validate.event_row_expression(relation, data_expr, 'data', false),
		_event_validate.event_row_expression(relation, type_expr, 'type', false),
		_event_validate.event_row_expression(relation, version_expr, 'version', false)];
	others := _event_validate.event_row_other_types(arguments[2], types);
	PERFORM _event_validate.warn_of_unregistered_types(types);
	IF audit THEN
		PERFORM _event_validate.start_progress('audit', relation, false);
		PERFORM _event_validate.set_progress_phase('checking events', relation);
		EXECUTE pg_catalog.format('SELECT pg_catalog.count(*) FROM %s WHERE (%s) IS NOT TRUE AND _event_validate.event_audit_filter(%s, %s, %s)',
			relation, COALESCE(others, 'false'), _event_validate.event_row_expression(relation, data_expr, 'data', true),
			_event_validate.event_row_expression(relation, type_expr, 'type', true),
			_event_validate.event_row_expression(relation, version_expr, 'version', true)) INTO invalid;
		PERFORM _event_validate.end_progress();
	END IF;

	PERFORM _event_validate.lock_event_table(relation);
	-- columns and casts may have changed while it waited
	arguments := ARRAY[_event_validate.event_row_expression(relation, data_expr, 'data', false),
		_event_validate.event_row_expression(relation, type_expr, 'type', false),
		_event_validate.event_row_expression(relation, version_expr, 'version', false)];
	found_check := _event_validate.equal_event_check(ARRAY(SELECT c FROM _event_validate.event_checks(relation) AS c), arguments, types, wanted);
	missing := _event_validate.event_types_missing(found_check.types, types);
	chosen := found_check.constraint_name;
	IF chosen IS NULL THEN
		chosen := COALESCE(wanted, _event_validate.free_constraint_name(relation));
		PERFORM _event_validate.refuse_other_constraint(relation, chosen);
	END IF;
	IF found_check.constraint_name IS NULL OR found_check.types IS NOT NULL AND (types IS NULL OR pg_catalog.int4gt(pg_catalog.cardinality(missing), 0)) THEN
		others := _event_validate.event_row_other_types(arguments[2],
			CASE WHEN types IS NOT NULL THEN pg_catalog.array_cat(found_check.types, missing) END);
		PERFORM _event_validate.put_event_check(relation, found_check, chosen,
			pg_catalog.format('%s%s.check_event(%s, %s, %s, %L::pg_catalog.text)', pg_catalog.concat(others, CASE WHEN others IS NOT NULL THEN ' OR ' END),
				'@extschema@', arguments[1], arguments[2], arguments[3], chosen), data_expr, type_expr, version_expr);
	END IF;
	IF audit THEN
		PERFORM _event_validate.report_old_rows(relation, invalid);
	END IF;
	RETURN chosen;
END
$$;
COMMENT ON FUNCTION add_event_check(regclass, text, text, text, text, boolean, text[]) IS 'adds a CHECK constraint with check_event, NOT VALID: it checks new rows and does not scan old ones';

-- ---------- rolling out: validating and dropping a check ----------

CREATE FUNCTION _event_validate.find_event_check(relation regclass, checks _event_validate.event_check[], wanted_name name)
	RETURNS _event_validate.event_check
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	hidden CONSTANT boolean := _event_validate.hide_context();
	found_check _event_validate.event_check;
	names text := (SELECT string_agg(c.constraint_name, ', ' ORDER BY c.constraint_name) FROM unnest(checks) AS c);
BEGIN
	IF wanted_name IS NULL AND cardinality(checks) > 1 THEN
		RAISE EXCEPTION USING ERRCODE = 'ambiguous_parameter',
			MESSAGE = format('table %s has several event checks', relation),
			DETAIL = format('They are: %s.', names),
			HINT = 'Name one of them.';
	END IF;
	SELECT * INTO found_check FROM unnest(checks) AS c WHERE wanted_name IS NULL OR c.constraint_name = wanted_name;
	IF NOT FOUND THEN
		RAISE EXCEPTION USING ERRCODE = 'undefined_object',
			MESSAGE = concat('table ', relation, ' has no event check', ' "' || wanted_name || '"', '; it has ' || names);
	END IF;
	RETURN found_check;
END
$$;
COMMENT ON FUNCTION _event_validate.find_event_check(regclass, _event_validate.event_check[], name) IS 'the event check of this name, or the only one';

CREATE FUNCTION _event_validate.raise_event_check_violation(relation regclass, constraint_name name, total_rows bigint, counts bigint[], lines text[]) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	hidden CONSTANT boolean := _event_validate.hide_context();
	most_lines CONSTANT int := 20;
	total numeric;
	listed text;
BEGIN
	SELECT sum(l.violations), string_agg(l.line, E'\n' ORDER BY l.place) FILTER (WHERE l.place <= most_lines)
	INTO total, listed
	FROM (SELECT k.violations, k.line, row_number() OVER (ORDER BY k.violations DESC, k.place) AS place
		FROM unnest(counts, lines) WITH ORDINALITY AS k (violations, line, place)) AS l;
	IF cardinality(lines) > most_lines THEN
		listed := listed || format(E'\nand %s more kinds', cardinality(lines) - most_lines);
	END IF;
	RAISE EXCEPTION USING ERRCODE = 'check_violation',
		MESSAGE = format('rows of table %s violate check constraint "%s" (rows: %s, violations: %s)', relation, constraint_name, total_rows, total),
		DETAIL = listed,
		HINT = 'audit_events lists them all. Repair or move these rows, then validate again; the constraint stays and checks new rows in the meantime.',
		CONSTRAINT = constraint_name, TABLE = (SELECT c.relname FROM pg_class AS c WHERE c.oid = relation),
		SCHEMA = (SELECT n.nspname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE c.oid = relation);
END
$$;
COMMENT ON FUNCTION _event_validate.raise_event_check_violation(regclass, name, bigint, bigint[], text[]) IS 'raises the error of validate_event_check about old rows';

CREATE FUNCTION _event_validate.event_check_report(relation regclass, constraint_name name, sample_limit int)
	RETURNS TABLE (event_type text, schema_version int, instance_location text, keyword text,
		message text, "rows" bigint, violations bigint, sample_ids text[])
	AS 'MODULE_PATHNAME', 'ev_event_check_report' LANGUAGE C STABLE STRICT ROWS 100
	SET row_security = off SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION _event_validate.event_check_report(regclass, name, int) IS 'audit_events for the stored expressions of an event check';

CREATE FUNCTION _event_validate.audit_event_check(relation regclass, wanted_name name, types text[],
	OUT total_rows bigint, OUT counts bigint[], OUT lines text[])
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	hidden CONSTANT boolean := _event_validate.hide_context();
BEGIN
	-- of all types, or of some: the totals of each
	SELECT CASE WHEN types IS NULL THEN max(a.rows) FILTER (WHERE a.keyword IS NULL)
			ELSE sum(a.rows) FILTER (WHERE a.keyword IS NULL) END,
		array_agg(a.violations) FILTER (WHERE a.keyword IS NOT NULL), array_agg(_event_validate.event_audit_line(
			a.event_type, a.schema_version, a.instance_location, a.keyword, a.message, a.violations, a.sample_ids))
			FILTER (WHERE a.keyword IS NOT NULL)
	INTO total_rows, counts, lines
	FROM _event_validate.event_check_report(relation, wanted_name, 3) AS a
	WHERE types IS NULL OR array_position(types, a.event_type COLLATE "C") IS NOT NULL;
EXCEPTION WHEN data_exception OR integrity_constraint_violation OR program_limit_exceeded OR undefined_object OR plpgsql_error THEN
	lines := NULL;	-- for a row; the caller has the error of the first one
END
$$;
COMMENT ON FUNCTION _event_validate.audit_event_check(regclass, name, text[]) IS 'the violations of an event check by old rows; NULL if its expressions raise an error';

CREATE FUNCTION validate_event_check(relation regclass, constraint_name text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	hidden CONSTANT boolean := _event_validate.hide_context();
	found_check _event_validate.event_check;
	total_rows bigint;
	counts bigint[];
	lines pg_catalog.text[];
BEGIN
	PERFORM _event_validate.require_arguments('{relation}'::pg_catalog.text[], relation);
	found_check := _event_validate.find_event_check(relation,
		ARRAY(SELECT c FROM _event_validate.event_checks(relation) AS c), constraint_name::pg_catalog.name);
	IF found_check.added_here THEN
		RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state',
			MESSAGE = pg_catalog.format('constraint "%s" of table %s was added in this transaction, which holds an ACCESS EXCLUSIVE lock on the table',
				found_check.constraint_name, relation),
			DETAIL = 'A scan of all rows in this transaction would block readers and writers until it ends.',
			HINT = 'Commit first, and validate in a transaction of its own (in Alembic: op.get_context().autocommit_block(), or transaction_per_migration and a revision of its own).';
	END IF;
	IF found_check.validated THEN
		RETURN;
	END IF;
	PERFORM _event_validate.require_table_owner(relation);
	PERFORM _event_validate.warn_of_foreign_tables(relation);
	PERFORM _event_validate.start_progress('validate', relation, false);
	PERFORM _event_validate.set_progress_phase('checking events', relation);

	BEGIN
		EXECUTE pg_catalog.format('ALTER TABLE %s VALIDATE CONSTRAINT %I', _event_validate.event_qualified_name(relation), found_check.constraint_name);
	EXCEPTION WHEN check_violation OR undefined_object OR program_limit_exceeded OR statement_too_complex
		OR invalid_text_representation OR untranslatable_character OR numeric_value_out_of_range THEN
		-- not if check_event is only a part of the constraint: an audit would look at other rows
		IF found_check.data_expr IS NOT NULL THEN
			PERFORM _event_validate.set_progress_phase('checking events', relation);	-- again
			SELECT a.total_rows, a.counts, a.lines INTO total_rows, counts, lines
			FROM _event_validate.audit_event_check(relation, found_check.constraint_name, found_check.types) AS a;
		END IF;
		IF lines IS NULL THEN
			RAISE;
		END IF;
		PERFORM _event_validate.raise_event_check_violation(relation, found_check.constraint_name, total_rows, counts, lines);
	END;
	PERFORM _event_validate.end_progress();
END
$$;
COMMENT ON FUNCTION validate_event_check(regclass, text) IS 'checks the old rows of a table, without blocking readers and writers, or reports their violations';

CREATE FUNCTION _event_validate.event_check_exists(relation regclass, checks _event_validate.event_check[], wanted_name name) RETURNS boolean
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT CASE WHEN wanted_name IS NULL THEN cardinality(checks) > 0
		ELSE EXISTS (SELECT FROM pg_constraint AS c WHERE c.conrelid = relation AND c.conname = wanted_name) END
$$;
COMMENT ON FUNCTION _event_validate.event_check_exists(regclass, _event_validate.event_check[], name) IS 'whether there is a constraint of this name, or any event check';

-- Constraints that call a schema's function, and those of domains.  PL/pgSQL, because the view is created later.
CREATE FUNCTION _event_validate.other_event_checks_hint(relation regclass) RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	hidden CONSTANT boolean := _event_validate.hide_context();
BEGIN
	RETURN (SELECT 'These constraints validate events too: ' || string_agg(DISTINCT CASE
			WHEN e.kind = 'check' THEN format('ALTER TABLE %s DROP CONSTRAINT %I', _event_validate.event_qualified_name(e.relation), e.name)
			ELSE format('ALTER DOMAIN %s DROP CONSTRAINT %I', c.contypid::regtype, e.name) END, '; ') || '.'
		FROM @extschema@.event_enforcement AS e
			LEFT JOIN pg_attribute AS a ON a.attrelid = e.relation AND a.attname = e.column_name
			LEFT JOIN pg_constraint AS c ON c.contypid = a.atttypid AND c.contypid <> 0 AND c.conname = e.name
		WHERE e.relation = other_event_checks_hint.relation AND (e.kind = 'check' OR e.kind = 'domain' AND c.oid IS NOT NULL));
END
$$;
COMMENT ON FUNCTION _event_validate.other_event_checks_hint(regclass) IS 'the commands that drop constraints which drop_event_check does not know; NULL if there is none';

CREATE FUNCTION drop_event_check(relation regclass, constraint_name text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	hidden CONSTANT boolean := _event_validate.hide_context();
	checks _event_validate.event_check[];
	found_check _event_validate.event_check;
	notice pg_catalog.text;
	hint pg_catalog.text;
BEGIN
	PERFORM _event_validate.require_arguments('{relation}'::pg_catalog.text[], relation);
	PERFORM _event_validate.require_event_relation(relation, 'ANY');
	checks := ARRAY(SELECT c FROM _event_validate.event_checks(relation) AS c);
	IF NOT _event_validate.event_check_exists(relation, checks, constraint_name::pg_catalog.name) THEN
		notice := CASE WHEN constraint_name IS NULL THEN pg_catalog.format('table %s has no event check, nothing to drop', relation)
			ELSE pg_catalog.format('table %s has no event check "%s", nothing to drop', relation, constraint_name) END;
		hint := _event_validate.other_event_checks_hint(relation);
		IF hint IS NULL THEN
			RAISE NOTICE '%', notice;
		ELSE
			RAISE NOTICE '%', notice USING HINT = hint;
		END IF;
		RETURN;
	END IF;
	found_check := _event_validate.find_event_check(relation, checks, constraint_name::pg_catalog.name);
	PERFORM _event_validate.lock_event_table(relation);
	EXECUTE pg_catalog.format('ALTER TABLE %s DROP CONSTRAINT %I', _event_validate.event_qualified_name(relation), found_check.constraint_name);
END
$$;
COMMENT ON FUNCTION drop_event_check(regclass, text) IS 'drops a CHECK constraint that validates events';

