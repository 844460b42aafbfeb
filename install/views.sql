-- ---------- evolution: views ----------

-- Properties as values.  They never raise for an event: what is none of the
-- type comes as NULL, with one WARNING for each call in a query.

CREATE FUNCTION event_bigint(data jsonb, property text) RETURNS bigint
	AS 'MODULE_PATHNAME', 'ev_event_bigint' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION event_bigint(jsonb, text) IS 'a property of an event that is an integer; NULL where it is none';

CREATE FUNCTION event_numeric(data jsonb, property text) RETURNS numeric
	AS 'MODULE_PATHNAME', 'ev_event_numeric' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION event_numeric(jsonb, text) IS 'a property of an event that is a number, or a string that is a decimal; NULL where it is none';

CREATE FUNCTION event_boolean(data jsonb, property text) RETURNS boolean
	AS 'MODULE_PATHNAME', 'ev_event_boolean' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION event_boolean(jsonb, text) IS 'a property of an event that is true or false; NULL where it is neither';

CREATE FUNCTION event_timestamptz(data jsonb, property text) RETURNS timestamptz
	AS 'MODULE_PATHNAME', 'ev_event_timestamptz' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION event_timestamptz(jsonb, text) IS 'a property of an event that is an RFC 3339 date-time; NULL where it is none';

CREATE FUNCTION event_date(data jsonb, property text) RETURNS date
	AS 'MODULE_PATHNAME', 'ev_event_date' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION event_date(jsonb, text) IS 'a property of an event that is an RFC 3339 full-date; NULL where it is none';

CREATE FUNCTION event_uuid(data jsonb, property text) RETURNS uuid
	AS 'MODULE_PATHNAME', 'ev_event_uuid' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION event_uuid(jsonb, text) IS 'a property of an event that is a UUID; NULL where it is none';

CREATE FUNCTION event_property(data jsonb, property text) RETURNS jsonb
	AS 'MODULE_PATHNAME', 'ev_event_property' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION event_property(jsonb, text) IS 'a property of an event as it is; NULL where it is absent or null';

-- A view calls these for old rows only, and the planner counts their cost for
-- all rows and columns: so they are said to cost little.
CREATE FUNCTION event_at_version(data jsonb, event_type text, schema_version int, to_version int) RETURNS jsonb
	AS 'MODULE_PATHNAME', 'ev_event_at_version' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION event_at_version(jsonb, text, int, int) IS 'an event brought up to a version, where upcasts lead there; else as it is';

-- For upcasts that are not PARALLEL SAFE.
CREATE FUNCTION event_at_version_serially(data jsonb, event_type text, schema_version int, to_version int) RETURNS jsonb
	AS 'MODULE_PATHNAME', 'ev_event_at_version' LANGUAGE C STABLE PARALLEL UNSAFE;
COMMENT ON FUNCTION event_at_version_serially(jsonb, text, int, int) IS 'the same, for upcasts that are not PARALLEL SAFE';

CREATE FUNCTION _event_validate.event_view_columns(event_type text, schema_version int, integer_type regtype,
	OUT property text, OUT column_type regtype, OUT description text,
	OUT declared_in regprocedure, OUT pointer text, OUT rank int)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'ev_event_view_columns' LANGUAGE C STABLE STRICT ROWS 20;
COMMENT ON FUNCTION _event_validate.event_view_columns(text, int, regtype) IS 'the properties that a registered version declares, and the types that hold them';

-- The same in the order in which the documents have them: jsonb keeps none,
-- their text does.
CREATE FUNCTION _event_validate.event_view_columns_in_order(event_type text, schema_version int, integer_type regtype,
	OUT property text, OUT column_type regtype, OUT description text)
	RETURNS SETOF record
LANGUAGE sql STABLE STRICT ROWS 20
SET search_path = pg_catalog, pg_temp
AS $$
	WITH columns AS MATERIALIZED (
		SELECT * FROM _event_validate.event_view_columns(event_type, schema_version, integer_type)),
	places AS (
		SELECT p.declared_in, p.pointer, k.key, min(k.place) AS place
		FROM (SELECT DISTINCT declared_in, pointer FROM columns) AS p
			JOIN pg_proc AS f ON f.oid = p.declared_in,
			LATERAL (SELECT regexp_replace(f.prosrc, '^(\s*#[^\n]*\n)*', '')::json #>
				(SELECT array_agg(replace(replace(step, '~1', '/'), '~0', '~') ORDER BY number)
				FROM string_to_table(substr(p.pointer, 2), '/') WITH ORDINALITY AS s(step, number))) AS d(properties),
			LATERAL json_object_keys(CASE json_typeof(d.properties) WHEN 'object' THEN d.properties END) WITH ORDINALITY AS k(key, place)
		GROUP BY 1, 2, 3)
	SELECT c.property, c.column_type, c.description
	FROM columns AS c LEFT JOIN places AS p
		ON p.declared_in = c.declared_in AND p.pointer = c.pointer AND p.key = c.property
	ORDER BY c.rank, p.place, c.property COLLATE "C"
$$;
COMMENT ON FUNCTION _event_validate.event_view_columns_in_order(text, int, regtype) IS 'event_view_columns, in the order of the documents';

-- The names that the columns of a view get: the table's own, and then one for
-- each property, by the property alone wherever that can be.
CREATE FUNCTION _event_validate.event_view_names(properties text[], taken name[], prefix text) RETURNS name[]
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	names name[] := '{}';
	plain text[] := ARRAY(SELECT p FROM unnest(properties) AS p WHERE octet_length(p) BETWEEN 1 AND 63 AND p <> ALL (taken::text[]));
	property text;
	wanted text;
	stem text;
BEGIN
	FOREACH property IN ARRAY properties LOOP
		wanted := property;
		IF property <> ALL (plain) THEN
			wanted := CASE WHEN octet_length(property) > 63 THEN property ELSE concat(prefix, '_', property) END;
			IF octet_length(wanted) > 63 OR wanted = ANY (plain) OR wanted = ANY (taken::text[]) OR wanted = ANY (names::text[]) THEN
				stem := left(wanted, 54);
				WHILE octet_length(stem) > 54 LOOP
					stem := left(stem, -1);
				END LOOP;
				wanted := concat(stem, '_', left(md5(property), 8));
			END IF;
		END IF;
		names := names || wanted::name;
	END LOOP;
	RETURN names;
END
$$;
COMMENT ON FUNCTION _event_validate.event_view_names(text[], name[], text) IS 'the names of a view''s columns for properties';

CREATE FUNCTION create_event_view(view_name text, relation regclass, event_type text, schema_version int DEFAULT NULL,
	data_expr text DEFAULT 'data', type_expr text DEFAULT 'event_type', version_expr text DEFAULT 'schema_version',
	integer_type regtype DEFAULT 'bigint') RETURNS regclass
LANGUAGE plpgsql
AS $$
DECLARE
	most_columns CONSTANT int := 1600;
	wanted_type CONSTANT pg_catalog.text := event_type;
	wanted_version int := schema_version;
	schema_function pg_catalog.regprocedure;
	view_path pg_catalog.text[];
	table_name pg_catalog.text;
	data pg_catalog.text;
	type pg_catalog.text;
	version pg_catalog.text;
	data_column pg_catalog.name;
	base_names pg_catalog.name[];
	document pg_catalog.name := 'document';
	row_alias pg_catalog.name := 'event';
	bring_up pg_catalog.name := 'event_at_version';
	number int := 1;
	properties pg_catalog.text[];
	types pg_catalog.regtype[];
	descriptions pg_catalog.text[];
	names pg_catalog.name[];
	expressions pg_catalog.text[];
	comments pg_catalog.text[];
	existing pg_catalog.oid;
	existing_names pg_catalog.name[];
	missing pg_catalog.text;
	chosen int[];
	list pg_catalog.text;
BEGIN
	IF view_name IS NULL OR relation IS NULL OR event_type IS NULL OR data_expr IS NULL OR type_expr IS NULL
		OR version_expr IS NULL OR integer_type IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'null_value_not_allowed',
			MESSAGE = 'create_event_view needs a name, a relation, an event type, and what is where in its rows';
	END IF;
	IF integer_type OPERATOR(pg_catalog.<>) ALL ('{pg_catalog.int8,pg_catalog.numeric}'::pg_catalog.regtype[]) THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
			MESSAGE = pg_catalog.format('integer_type must be bigint or numeric, not %s', integer_type);
	END IF;
	SELECT pg_catalog.format('%I.%I', n.nspname, c.relname), ARRAY[n.nspname::pg_catalog.text],
		CASE WHEN c.relname OPERATOR(pg_catalog.=) row_alias THEN 'the_event' ELSE row_alias END
	INTO table_name, view_path, row_alias
	FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
	WHERE c.oid OPERATOR(pg_catalog.=) relation;
	PERFORM _event_validate.refuse_event_relation(relation);
	-- beside the relation, unless the name says otherwise
	view_path := CASE WHEN pg_catalog.array_length(pg_catalog.parse_ident(view_name), 1) OPERATOR(pg_catalog.=) 1 THEN view_path OPERATOR(pg_catalog.||) pg_catalog.parse_ident(view_name)
		ELSE pg_catalog.parse_ident(view_name) END;
	IF pg_catalog.array_length(view_path, 1) OPERATOR(pg_catalog.>) 2 THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_name', MESSAGE = pg_catalog.format('"%s" is no name of a view', view_name);
	END IF;

	-- the columns of the schema
	IF wanted_version IS NULL THEN
		SELECT pg_catalog.max(s.schema_version) INTO wanted_version
		FROM @extschema@.event_schemas AS s WHERE s.event_type OPERATOR(pg_catalog.=) wanted_type COLLATE pg_catalog."C";
		IF wanted_version IS NULL THEN
			RAISE EXCEPTION USING ERRCODE = 'undefined_object',
				MESSAGE = pg_catalog.format('no version of event schema "%s" is registered', wanted_type),
				HINT = 'register_event_schema registers one.';
		END IF;
	END IF;
	SELECT COALESCE(pg_catalog.array_agg(c.property), '{}'), pg_catalog.array_agg(c.column_type), pg_catalog.array_agg(c.description)
	INTO properties, types, descriptions
	FROM _event_validate.event_view_columns_in_order(wanted_type, wanted_version, integer_type) AS c;
	SELECT s.function INTO schema_function FROM @extschema@.event_schemas AS s
	WHERE s.event_type OPERATOR(pg_catalog.=) wanted_type COLLATE pg_catalog."C" AND s.schema_version OPERATOR(pg_catalog.=) wanted_version;

	-- the event in a row
	data := _event_validate.event_row_expression(relation, data_expr, 'data'::pg_catalog.text, false);
	type := _event_validate.event_row_expression(relation, type_expr, 'type'::pg_catalog.text, false);
	version := _event_validate.event_row_expression(relation, version_expr, 'version'::pg_catalog.text, true);
	SELECT pg_catalog.array_agg(a.attname ORDER BY a.attnum),
		pg_catalog.max(a.attname) FILTER (WHERE a.attname OPERATOR(pg_catalog.=) data_expr::pg_catalog.name
			OR pg_catalog.quote_ident(a.attname) OPERATOR(pg_catalog.=) data_expr)
	INTO base_names, data_column
	FROM pg_catalog.pg_attribute AS a
	WHERE a.attrelid OPERATOR(pg_catalog.=) relation AND a.attnum OPERATOR(pg_catalog.>) 0 AND NOT a.attisdropped;
	WHILE document OPERATOR(pg_catalog.=) ANY (base_names) LOOP
		number := number OPERATOR(pg_catalog.+) 1;
		document := pg_catalog.concat('document_', number);
	END LOOP;
	IF EXISTS (SELECT FROM pg_catalog.pg_attribute AS a JOIN pg_catalog.pg_collation AS c ON c.oid OPERATOR(pg_catalog.=) a.attcollation
		WHERE a.attrelid OPERATOR(pg_catalog.=) relation AND NOT a.attisdropped AND NOT c.collisdeterministic) THEN
		type := pg_catalog.format('(%s) COLLATE pg_catalog."C"', type);	-- types are equal where their bytes are
	END IF;

	IF EXISTS (SELECT FROM pg_catalog.pg_proc AS p
		WHERE p.pronamespace OPERATOR(pg_catalog.=) 'event_schema'::pg_catalog.regnamespace
			AND pg_catalog.starts_with(p.proname, pg_catalog.concat(wanted_type, '@'))
			AND pg_catalog.substr(p.proname, pg_catalog.length(wanted_type) OPERATOR(pg_catalog.+) 2) OPERATOR(pg_catalog.~) '^[0-9]+>[0-9]+$'
			AND p.proparallel OPERATOR(pg_catalog.<>) 's') THEN
		bring_up := 'event_at_version_serially';
	END IF;

	-- the table's columns, the event itself among them, and then the properties
	expressions := ARRAY(
		SELECT CASE WHEN n OPERATOR(pg_catalog.=) data_column THEN pg_catalog.format('%I.%I', row_alias, document)
			ELSE pg_catalog.format('%s.%I', table_name, n) END
		FROM pg_catalog.unnest(base_names) WITH ORDINALITY AS b(n, place) ORDER BY place);
	comments := ARRAY(
		SELECT CASE WHEN n OPERATOR(pg_catalog.=) data_column
			THEN pg_catalog.format('The event as version %s has it.', wanted_version)
			ELSE pg_catalog.col_description(relation, a.attnum) END
		FROM pg_catalog.unnest(base_names) WITH ORDINALITY AS b(n, place)
			JOIN pg_catalog.pg_attribute AS a ON a.attrelid OPERATOR(pg_catalog.=) relation AND a.attname OPERATOR(pg_catalog.=) n
		ORDER BY place);
	IF data_column IS NULL THEN
		data_column := CASE WHEN 'data' OPERATOR(pg_catalog.=) ANY (base_names) THEN document ELSE 'data' END;
		base_names := base_names OPERATOR(pg_catalog.||) data_column;
		expressions := expressions OPERATOR(pg_catalog.||) pg_catalog.format('%I.%I', row_alias, document);
		comments := comments OPERATOR(pg_catalog.||) pg_catalog.format('The event as version %s has it.', wanted_version);
	END IF;
	number := most_columns OPERATOR(pg_catalog.-) pg_catalog.cardinality(base_names);
	IF pg_catalog.cardinality(properties) OPERATOR(pg_catalog.>) number THEN
		RAISE WARNING USING
			MESSAGE = pg_catalog.format('the last %s properties of event schema "%s@%s" get no column',
				pg_catalog.cardinality(properties) OPERATOR(pg_catalog.-) number, wanted_type, wanted_version),
			DETAIL = pg_catalog.format('A view has at most %s columns.', most_columns),
			HINT = pg_catalog.format('Column "%s" has the whole event.', data_column);
		properties := properties[:number];
	END IF;
	names := _event_validate.event_view_names(properties, base_names, data_column::pg_catalog.text);
	FOR i IN 1..pg_catalog.cardinality(properties) LOOP
		expressions := expressions OPERATOR(pg_catalog.||) CASE
			WHEN types[i] OPERATOR(pg_catalog.=) 'pg_catalog.text'::pg_catalog.regtype THEN
				pg_catalog.format('%I.%I OPERATOR(pg_catalog.->>) %L', row_alias, document, properties[i])
			ELSE pg_catalog.format('%s.%I(%I.%I, %L::pg_catalog.text)', '@extschema@', CASE
				WHEN types[i] OPERATOR(pg_catalog.=) 'pg_catalog.int8'::pg_catalog.regtype THEN 'event_bigint'
				WHEN types[i] OPERATOR(pg_catalog.=) 'pg_catalog.numeric'::pg_catalog.regtype THEN 'event_numeric'
				WHEN types[i] OPERATOR(pg_catalog.=) 'pg_catalog.bool'::pg_catalog.regtype THEN 'event_boolean'
				WHEN types[i] OPERATOR(pg_catalog.=) 'pg_catalog.timestamptz'::pg_catalog.regtype THEN 'event_timestamptz'
				WHEN types[i] OPERATOR(pg_catalog.=) 'pg_catalog.date'::pg_catalog.regtype THEN 'event_date'
				WHEN types[i] OPERATOR(pg_catalog.=) 'pg_catalog.uuid'::pg_catalog.regtype THEN 'event_uuid'
				ELSE 'event_property' END, row_alias, document, properties[i]) END;
		comments := comments OPERATOR(pg_catalog.||) CASE
			WHEN names[i]::pg_catalog.text OPERATOR(pg_catalog.=) properties[i] THEN descriptions[i]
			ELSE pg_catalog.concat_ws(': ', pg_catalog.format('Property "%s"', properties[i]), descriptions[i]) END;
	END LOOP;
	names := base_names OPERATOR(pg_catalog.||) names;

	-- a view that is there keeps its columns and their order, and gets new ones at its end
	chosen := ARRAY(SELECT pg_catalog.generate_series(1, pg_catalog.cardinality(names)));
	SELECT c.oid INTO existing
	FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
	WHERE n.nspname OPERATOR(pg_catalog.=) view_path[1]::pg_catalog.name AND c.relname OPERATOR(pg_catalog.=) view_path[2]::pg_catalog.name;
	IF FOUND THEN
		IF NOT EXISTS (SELECT FROM pg_catalog.pg_rewrite AS r
				JOIN pg_catalog.pg_depend AS d ON d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_rewrite'::pg_catalog.regclass
					AND d.objid OPERATOR(pg_catalog.=) r.oid AND d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_proc'::pg_catalog.regclass
				JOIN @extschema@.event_schemas AS s ON s.function OPERATOR(pg_catalog.=) d.refobjid
				JOIN pg_catalog.pg_depend AS t ON t.classid OPERATOR(pg_catalog.=) d.classid AND t.objid OPERATOR(pg_catalog.=) r.oid
					AND t.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass AND t.refobjid OPERATOR(pg_catalog.=) relation
				JOIN pg_catalog.pg_depend AS u ON u.classid OPERATOR(pg_catalog.=) d.classid AND u.objid OPERATOR(pg_catalog.=) r.oid
					AND u.refclassid OPERATOR(pg_catalog.=) d.refclassid AND u.refobjid OPERATOR(pg_catalog.=) ANY (ARRAY[
						'@extschema@.event_at_version(pg_catalog.jsonb, pg_catalog.text, pg_catalog.int4, pg_catalog.int4)'::pg_catalog.regprocedure,
						'@extschema@.event_at_version_serially(pg_catalog.jsonb, pg_catalog.text, pg_catalog.int4, pg_catalog.int4)'::pg_catalog.regprocedure])
			WHERE r.ev_class OPERATOR(pg_catalog.=) existing AND s.event_type OPERATOR(pg_catalog.=) wanted_type COLLATE pg_catalog."C") THEN
			RAISE EXCEPTION USING ERRCODE = 'duplicate_table',
				MESSAGE = pg_catalog.format('relation "%s" exists already, and is no view of the events "%s" in %s', view_name, wanted_type, relation),
				HINT = 'Choose another name, or drop it first.';
		END IF;
		SELECT pg_catalog.array_agg(a.attname ORDER BY a.attnum),
			pg_catalog.string_agg(pg_catalog.quote_ident(a.attname), ', ' ORDER BY a.attnum)
				FILTER (WHERE a.attname OPERATOR(pg_catalog.<>) ALL (names))
		INTO existing_names, missing
		FROM pg_catalog.pg_attribute AS a
		WHERE a.attrelid OPERATOR(pg_catalog.=) existing AND a.attnum OPERATOR(pg_catalog.>) 0 AND NOT a.attisdropped;
		IF missing IS NOT NULL THEN
			RAISE EXCEPTION USING ERRCODE = 'invalid_table_definition',
				MESSAGE = pg_catalog.format('view "%s" has columns that version %s has not: %s', view_name, wanted_version, missing),
				HINT = 'Drop the view, and what depends on it, first; or make one of another name.';
		END IF;
		chosen := ARRAY(
			SELECT pg_catalog.array_position(names, e.n) FROM pg_catalog.unnest(existing_names) WITH ORDINALITY AS e(n, place) ORDER BY place)
			OPERATOR(pg_catalog.||) ARRAY(
			SELECT w.place::pg_catalog.int4 FROM pg_catalog.unnest(names) WITH ORDINALITY AS w(n, place)
			WHERE w.n OPERATOR(pg_catalog.<>) ALL (existing_names) ORDER BY w.place);
	END IF;

	SELECT pg_catalog.string_agg(pg_catalog.format('%s AS %I', expressions[c], names[c]), E',\n\t' ORDER BY place) INTO list
	FROM pg_catalog.unnest(chosen) WITH ORDINALITY AS o(c, place);
	BEGIN
		-- "true OR" costs nothing: it makes the view depend on the schema
		EXECUTE pg_catalog.format(E'CREATE OR REPLACE VIEW %I.%I WITH (security_invoker = true) AS SELECT\n\t%s\nFROM %s,'
			' LATERAL (SELECT CASE WHEN (%s) OPERATOR(pg_catalog.=) %s THEN %s'
			' ELSE %14$s.%12$I(%7$s, %8$s, %5$s, %6$s) END AS %9$I) AS %13$I'
			' WHERE %8$s OPERATOR(pg_catalog.=) %10$L AND (true OR event_schema.%11$I(%13$I.%9$I))',
			view_path[1], view_path[2], list, table_name, version, wanted_version, data, type, document, wanted_type,
			pg_catalog.concat(wanted_type, '@', wanted_version), bring_up, row_alias, '@extschema@');
	EXCEPTION WHEN invalid_table_definition THEN
		RAISE EXCEPTION USING ERRCODE = SQLSTATE,
			MESSAGE = pg_catalog.format('view "%s" has a column of another type: %s', view_name, SQLERRM),
			HINT = 'Drop the view, and what depends on it, first; or make one of another name.';
	END;

	EXECUTE pg_catalog.format('COMMENT ON VIEW %I.%I IS %L', view_path[1], view_path[2],
		(SELECT pg_catalog.concat_ws(E'\n', COALESCE(s.title, pg_catalog.format('events "%s", version %s', wanted_type, wanted_version)), s.description)
		FROM @extschema@.event_schemas AS s WHERE s.function OPERATOR(pg_catalog.=) schema_function));
	FOR i IN 1..pg_catalog.cardinality(names) LOOP
		CONTINUE WHEN comments[i] IS NULL AND existing IS NULL;
		EXECUTE pg_catalog.format('COMMENT ON COLUMN %I.%I.%I IS %L', view_path[1], view_path[2], names[i], comments[i]);
	END LOOP;
	RETURN pg_catalog.format('%I.%I', view_path[1], view_path[2])::pg_catalog.regclass;
END
$$;
COMMENT ON FUNCTION create_event_view(text, regclass, text, int, text, text, text, regtype) IS 'makes a view of all events of a type in a relation, brought to one version, with a column for each property';

