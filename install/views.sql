-- ---------- evolution: views ----------

-- Properties as values.  They never raise an error for an event: a value of another type is
-- NULL, with one WARNING for each call in a query.

CREATE FUNCTION event_bigint(data jsonb, property text) RETURNS bigint
	AS 'MODULE_PATHNAME', 'ev_event_bigint' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION event_bigint(jsonb, text) IS 'a property of an event as bigint; NULL if it is not an integer';

CREATE FUNCTION event_numeric(data jsonb, property text) RETURNS numeric
	AS 'MODULE_PATHNAME', 'ev_event_numeric' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION event_numeric(jsonb, text) IS 'a property of an event as numeric; NULL if it is neither a number nor a decimal string';

CREATE FUNCTION event_boolean(data jsonb, property text) RETURNS boolean
	AS 'MODULE_PATHNAME', 'ev_event_boolean' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION event_boolean(jsonb, text) IS 'a property of an event as boolean; NULL if it is neither true nor false';

CREATE FUNCTION event_timestamptz(data jsonb, property text) RETURNS timestamptz
	AS 'MODULE_PATHNAME', 'ev_event_timestamptz' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION event_timestamptz(jsonb, text) IS 'a property of an event as timestamptz; NULL if it is not an RFC 3339 date-time';

CREATE FUNCTION event_date(data jsonb, property text) RETURNS date
	AS 'MODULE_PATHNAME', 'ev_event_date' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION event_date(jsonb, text) IS 'a property of an event as date; NULL if it is not an RFC 3339 full-date';

CREATE FUNCTION event_uuid(data jsonb, property text) RETURNS uuid
	AS 'MODULE_PATHNAME', 'ev_event_uuid' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION event_uuid(jsonb, text) IS 'a property of an event as uuid; NULL if it is not a UUID';

CREATE FUNCTION event_property(data jsonb, property text) RETURNS jsonb
	AS 'MODULE_PATHNAME', 'ev_event_property' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION event_property(jsonb, text) IS 'a property of an event as jsonb; NULL if it is absent or null';

-- A view calls these for old rows only, but the planner counts their cost for all
-- rows and columns, so their declared cost is low.
CREATE FUNCTION event_at_version(data jsonb, event_type text, schema_version int, to_version int) RETURNS jsonb
	AS 'MODULE_PATHNAME', 'ev_event_at_version' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION event_at_version(jsonb, text, int, int) IS 'an event converted to a version if upcasts lead there, or else unchanged';

-- For upcasts that are not PARALLEL SAFE.
CREATE FUNCTION event_at_version_serially(data jsonb, event_type text, schema_version int, to_version int) RETURNS jsonb
	AS 'MODULE_PATHNAME', 'ev_event_at_version' LANGUAGE C STABLE PARALLEL UNSAFE;
COMMENT ON FUNCTION event_at_version_serially(jsonb, text, int, int) IS 'event_at_version for upcasts that are not PARALLEL SAFE';

CREATE FUNCTION _event_validate.event_view_columns(event_type text, schema_version int, integer_type regtype,
	OUT property text, OUT column_type regtype, OUT description text,
	OUT declared_in regprocedure, OUT pointer text, OUT rank int)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'ev_event_view_columns' LANGUAGE C STABLE STRICT ROWS 20;
COMMENT ON FUNCTION _event_validate.event_view_columns(text, int, regtype) IS 'the properties that a registered version declares, and their column types';

-- jsonb does not keep the order of properties, but the text of a document does.
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
COMMENT ON FUNCTION _event_validate.event_view_columns_in_order(text, int, regtype) IS 'the properties in the order in which the documents declare them';

-- A column has the name of its property if that name is free.
CREATE FUNCTION _event_validate.event_view_names(properties text[], taken name[], prefix text) RETURNS name[]
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	hidden CONSTANT boolean := _event_validate.hide_context();
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
COMMENT ON FUNCTION _event_validate.event_view_names(text[], name[], text) IS 'the names of the columns for properties in a view';

-- A column of a view that create_event_view makes: SQL over a row, and a comment.
CREATE TYPE _event_validate.event_view_column AS (name name, expression text, comment text);
COMMENT ON TYPE _event_validate.event_view_column IS 'a column of a view of events';

CREATE FUNCTION _event_validate.event_view_value(document text, property text, column_type regtype) RETURNS text
	AS 'MODULE_PATHNAME', 'ev_event_view_value' LANGUAGE C STABLE STRICT;
COMMENT ON FUNCTION _event_validate.event_view_value(text, text, regtype) IS 'SQL that reads a property of a document as a value of a column type';

CREATE FUNCTION _event_validate.event_view_path(view_name text, relation regclass) RETURNS text[]
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	hidden CONSTANT boolean := _event_validate.hide_context();
	path text[] := parse_ident(view_name);
BEGIN
	IF array_length(path, 1) > 2 THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_name', MESSAGE = format('"%s" is not the name of a view', view_name);
	END IF;
	IF array_length(path, 1) = 1 THEN
		SELECT ARRAY[n.nspname::text, path[1]] INTO path
		FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
		WHERE c.oid = relation;
	END IF;
	RETURN path;
END
$$;
COMMENT ON FUNCTION _event_validate.event_view_path(text, regclass) IS 'schema and name of a view; without a schema, that of the relation';

CREATE FUNCTION _event_validate.event_view_version(wanted_type text, wanted_version int) RETURNS int
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	hidden CONSTANT boolean := _event_validate.hide_context();
	latest int := wanted_version;
BEGIN
	IF latest IS NULL THEN
		SELECT max(s.schema_version) INTO latest
		FROM @extschema@.event_schemas AS s WHERE s.event_type = wanted_type COLLATE "C";
	END IF;
	IF latest IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'undefined_object',
			MESSAGE = format('no version of event schema %s is registered', _event_validate.event_type_shown(wanted_type)),
			HINT = 'Register one with register_event_schema.';
	END IF;
	RETURN latest;
END
$$;
COMMENT ON FUNCTION _event_validate.event_view_version(text, int) IS 'the version, or the latest registered one for NULL';

-- The view's query has an alias for the event and a column in it for the
-- document, which are not names in the relation.

CREATE FUNCTION _event_validate.event_view_alias(relation regclass) RETURNS name
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT CASE c.relname WHEN 'event' THEN 'the_event' ELSE 'event' END::name FROM pg_class AS c WHERE c.oid = relation
$$;
COMMENT ON FUNCTION _event_validate.event_view_alias(regclass) IS 'the alias of the event in a view of a relation';

CREATE FUNCTION _event_validate.event_view_document(relation regclass) RETURNS name
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	hidden CONSTANT boolean := _event_validate.hide_context();
	document name := 'document';
	number int := 1;
BEGIN
	WHILE EXISTS (SELECT FROM pg_attribute AS a
		WHERE a.attrelid = relation AND a.attname = document AND a.attnum > 0 AND NOT a.attisdropped) LOOP
		number := number + 1;
		document := concat('document_', number);
	END LOOP;
	RETURN document;
END
$$;
COMMENT ON FUNCTION _event_validate.event_view_document(regclass) IS 'the name of the document in a view of a relation';

CREATE FUNCTION _event_validate.event_view_data_column(relation regclass, data_expr text) RETURNS name
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT max(a.attname) FROM pg_attribute AS a
	WHERE a.attrelid = relation AND a.attnum > 0 AND NOT a.attisdropped
		AND (a.attname = data_expr::name OR quote_ident(a.attname) = data_expr)
$$;
COMMENT ON FUNCTION _event_validate.event_view_data_column(regclass, text) IS 'the column that an expression for the data names; NULL if it is another expression';

-- The relation's own columns, with the view's version of the event in place of
-- the relation's, or after them if the relation has no column for it.
CREATE FUNCTION _event_validate.event_view_relation_columns(relation regclass, data_column name, wanted_version int)
	RETURNS SETOF _event_validate.event_view_column
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
	WITH event AS (
		SELECT format('%I.%I', _event_validate.event_view_alias(relation), _event_validate.event_view_document(relation)) AS document,
			format('The event as version %s has it.', wanted_version) AS comment),
	columns AS (
		SELECT a.attname AS name, a.attnum AS place, COALESCE(a.attname = data_column, false) AS is_data
		FROM pg_attribute AS a
		WHERE a.attrelid = relation AND a.attnum > 0 AND NOT a.attisdropped)
	SELECT c.name, c.expression, c.comment
	FROM (SELECT c.name, c.place,
			CASE WHEN c.is_data THEN e.document ELSE format('%s.%I', _event_validate.event_qualified_name(relation), c.name) END AS expression,
			CASE WHEN c.is_data THEN e.comment ELSE col_description(relation, c.place) END AS comment
		FROM columns AS c, event AS e
		UNION ALL
		SELECT CASE WHEN EXISTS (SELECT FROM columns WHERE name = 'data') THEN _event_validate.event_view_document(relation) ELSE 'data' END,
			NULL, e.document, e.comment
		FROM event AS e WHERE data_column IS NULL) AS c
	ORDER BY c.place
$$;
COMMENT ON FUNCTION _event_validate.event_view_relation_columns(regclass, name, int) IS 'the columns of a view that are not properties';

CREATE FUNCTION _event_validate.event_view_property_columns(wanted_type text, wanted_version int, integer_type regtype,
	document text, data_column name, taken name[]) RETURNS SETOF _event_validate.event_view_column
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	hidden CONSTANT boolean := _event_validate.hide_context();
	most_columns CONSTANT int := 1600;
	room CONSTANT int := most_columns - cardinality(taken);
	properties text[];
	types regtype[];
	descriptions text[];
	names name[];
BEGIN
	SELECT COALESCE(array_agg(c.property), '{}'), array_agg(c.column_type), array_agg(c.description)
	INTO properties, types, descriptions
	FROM _event_validate.event_view_columns_in_order(wanted_type, wanted_version, integer_type) AS c;
	IF cardinality(properties) > room THEN
		RAISE WARNING USING
			MESSAGE = format('the last %s properties of event schema "%s@%s" get no column',
				cardinality(properties) - room, wanted_type, wanted_version),
			DETAIL = format('A view has at most %s columns.', most_columns),
			HINT = format('Column "%s" has the whole event.', data_column);
		properties := properties[:room];
	END IF;
	names := _event_validate.event_view_names(properties, taken, data_column::text);
	RETURN QUERY SELECT names[i], _event_validate.event_view_value(document, properties[i], types[i]),
		CASE WHEN names[i]::text = properties[i] THEN descriptions[i]
			ELSE concat_ws(': ', format('Property "%s"', properties[i]), descriptions[i]) END
	FROM generate_series(1, cardinality(properties)) AS i ORDER BY i;
END
$$;
COMMENT ON FUNCTION _event_validate.event_view_property_columns(text, int, regtype, text, name, name[]) IS 'the columns of a view that are properties';

CREATE FUNCTION _event_validate.require_event_view(existing regclass, view_name text, relation regclass, wanted_type text) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	hidden CONSTANT boolean := _event_validate.hide_context();
BEGIN
	-- such a view depends on a schema, on the relation and on a function that upcasts
	IF NOT EXISTS (SELECT FROM pg_rewrite AS r
			JOIN pg_depend AS d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid AND d.refclassid = 'pg_proc'::regclass
			JOIN @extschema@.event_schemas AS s ON s.function = d.refobjid
			JOIN pg_depend AS t ON t.classid = d.classid AND t.objid = r.oid AND t.refclassid = 'pg_class'::regclass AND t.refobjid = relation
			JOIN pg_depend AS u ON u.classid = d.classid AND u.objid = r.oid AND u.refclassid = d.refclassid AND u.refobjid = ANY (ARRAY[
				'@extschema@.event_at_version(jsonb, text, int4, int4)'::regprocedure,
				'@extschema@.event_at_version_serially(jsonb, text, int4, int4)'::regprocedure])
		WHERE r.ev_class = existing AND s.event_type = wanted_type COLLATE "C") THEN
		RAISE EXCEPTION USING ERRCODE = 'duplicate_table',
			MESSAGE = format('relation "%s" already exists and is not a view of the events %s in %s', view_name, _event_validate.event_type_shown(wanted_type), relation),
			HINT = 'Choose another name, or drop it first.';
	END IF;
END
$$;
COMMENT ON FUNCTION _event_validate.require_event_view(regclass, text, regclass, text) IS 'raises an error unless create_event_view may replace this relation';

CREATE FUNCTION _event_validate.event_view_in_order(existing regclass, view_name text, wanted_version int,
	columns _event_validate.event_view_column[]) RETURNS _event_validate.event_view_column[]
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	hidden CONSTANT boolean := _event_validate.hide_context();
	missing text;
BEGIN
	SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) INTO missing
	FROM pg_attribute AS a
	WHERE a.attrelid = existing AND a.attnum > 0 AND NOT a.attisdropped
		AND NOT EXISTS (SELECT FROM unnest(columns) AS c WHERE c.name = a.attname);
	IF missing IS NOT NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_table_definition',
			MESSAGE = format('view "%s" has columns that version %s does not have: %s', view_name, wanted_version, missing),
			HINT = 'Drop the view and its dependents first, or make a view of another name.';
	END IF;
	RETURN ARRAY(SELECT ROW(c.name, c.expression, c.comment)::_event_validate.event_view_column
		FROM unnest(columns) WITH ORDINALITY AS c (name, expression, comment, place)
			LEFT JOIN pg_attribute AS a ON a.attrelid = existing AND a.attname = c.name AND a.attnum > 0
		ORDER BY a.attnum, c.place);
END
$$;
COMMENT ON FUNCTION _event_validate.event_view_in_order(regclass, text, int, _event_validate.event_view_column[]) IS 'the columns, with those that the view already has in the order that they have there';

CREATE FUNCTION _event_validate.event_function_name(event_type text, schema_version int) RETURNS name
	AS 'MODULE_PATHNAME', 'ev_event_function_name' LANGUAGE C STABLE STRICT;
COMMENT ON FUNCTION _event_validate.event_function_name(text, int) IS 'the name of the function of a schema version';

-- Parallel workers cannot run the view if they cannot run an upcast of the type.
CREATE FUNCTION _event_validate.event_view_upcaster(wanted_type text) RETURNS name
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT CASE WHEN EXISTS (SELECT FROM pg_proc AS p
		WHERE p.oid = ANY (_event_validate.event_upcasts(wanted_type)::oid[])
			AND p.proparallel <> 's') THEN 'event_at_version_serially' ELSE 'event_at_version' END::name
$$;
COMMENT ON FUNCTION _event_validate.event_view_upcaster(text) IS 'the function that brings the events in a view to its version';

CREATE FUNCTION _event_validate.event_view_definition(view_path text[], relation regclass, wanted_type text, wanted_version int,
	data text, type text, version text, columns _event_validate.event_view_column[], follows text[]) RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	hidden CONSTANT boolean := _event_validate.hide_context();
BEGIN
	-- types are equal if their bytes are
	IF EXISTS (SELECT FROM pg_attribute AS a JOIN pg_collation AS c ON c.oid = a.attcollation
		WHERE a.attrelid = relation AND NOT a.attisdropped AND NOT c.collisdeterministic) THEN
		type := format('(%s) COLLATE pg_catalog."C"', type);
	END IF;
	-- "true OR" costs nothing and makes the view depend on the schema; the array has the
	-- arguments of a call that follows the latest version (src/evolution/view_followers.c)
	RETURN format(E'CREATE OR REPLACE VIEW %1$I.%2$I WITH (security_invoker = true) AS SELECT\n\t%3$s\n'
		'FROM %4$s, LATERAL (SELECT CASE WHEN %5$s THEN %6$s'
		' ELSE %15$s.%7$I(%6$s, %8$s, %9$s, %10$s) END AS %11$I) AS %12$I'
		' WHERE %13$s AND (true OR %16$sevent_schema.%14$I(%12$I.%11$I))',
		view_path[1], view_path[2],
		(SELECT string_agg(format('%s AS %I', c.expression, c.name), E',\n\t' ORDER BY c.place)
			FROM unnest(columns) WITH ORDINALITY AS c (name, expression, comment, place)),
		_event_validate.event_qualified_name(relation),
		_event_validate.event_row_equals(version, wanted_version::text), data,
		_event_validate.event_view_upcaster(wanted_type), type, version, wanted_version,
		_event_validate.event_view_document(relation), _event_validate.event_view_alias(relation),
		_event_validate.event_row_equals(type, wanted_type), _event_validate.event_function_name(wanted_type, wanted_version), '@extschema@',
		(SELECT format('ARRAY[%s] IS NULL OR ', string_agg(format('%L::pg_catalog.text', f.argument), ', ' ORDER BY f.place))
			FROM unnest(follows) WITH ORDINALITY AS f (argument, place) HAVING count(*) > 0));
END
$$;
COMMENT ON FUNCTION _event_validate.event_view_definition(text[], regclass, text, int, text, text, text, _event_validate.event_view_column[], text[]) IS 'the command that creates a view of events';

CREATE FUNCTION _event_validate.event_view_comments(view_path text[], replaces boolean, wanted_type text, wanted_version int,
	columns _event_validate.event_view_column[]) RETURNS SETOF text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT format('COMMENT ON VIEW %I.%I IS %L', view_path[1], view_path[2],
		concat_ws(E'\n', COALESCE(s.title, format('events "%s", version %s', wanted_type, wanted_version)), s.description))
	FROM @extschema@.event_schemas AS s
	WHERE s.event_type = wanted_type COLLATE "C" AND s.schema_version = wanted_version
	UNION ALL
	SELECT format('COMMENT ON COLUMN %I.%I.%I IS %L', view_path[1], view_path[2], c.name, c.comment)
	FROM unnest(columns) AS c
	WHERE replaces OR c.comment IS NOT NULL
$$;
COMMENT ON FUNCTION _event_validate.event_view_comments(text[], boolean, text, int, _event_validate.event_view_column[]) IS 'the commands that comment on a view of events and on its columns';

CREATE FUNCTION _event_validate.event_view_commands(view_name text, relation regclass, wanted_type text, wanted_version int,
	data_expr text, data text, type text, version text, integer_type regtype, follows text[]) RETURNS text[]
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	hidden CONSTANT boolean := _event_validate.hide_context();
	view_path CONSTANT text[] := _event_validate.event_view_path(view_name, relation);
	data_column name := _event_validate.event_view_data_column(relation, data_expr);
	document CONSTANT text := format('%I.%I', _event_validate.event_view_alias(relation), _event_validate.event_view_document(relation));
	columns _event_validate.event_view_column[];
	existing oid;
BEGIN
	IF integer_type NOT IN ('int8'::regtype, 'numeric'::regtype) THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
			MESSAGE = format('integer_type must be bigint or numeric, not %s', integer_type);
	END IF;
	wanted_version := _event_validate.event_view_version(wanted_type, wanted_version);
	columns := ARRAY(SELECT c FROM _event_validate.event_view_relation_columns(relation, data_column, wanted_version) AS c);
	data_column := COALESCE(data_column, columns[cardinality(columns)].name);
	columns := columns || ARRAY(SELECT c FROM _event_validate.event_view_property_columns(wanted_type, wanted_version, integer_type,
		document, data_column, ARRAY(SELECT c.name FROM unnest(columns) AS c)) AS c);

	SELECT c.oid INTO existing FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
	WHERE n.nspname = view_path[1]::name AND c.relname = view_path[2]::name;
	IF existing IS NOT NULL THEN
		PERFORM _event_validate.require_event_view(existing, view_name, relation, wanted_type);
		columns := _event_validate.event_view_in_order(existing, view_name, wanted_version, columns);
	END IF;
	RETURN _event_validate.event_view_definition(view_path, relation, wanted_type, wanted_version, data, type, version, columns, follows)
		|| ARRAY(SELECT _event_validate.event_view_comments(view_path, existing IS NOT NULL, wanted_type, wanted_version, columns));
END
$$;
COMMENT ON FUNCTION _event_validate.event_view_commands(text, regclass, text, int, text, text, text, text, regtype, text[]) IS 'the commands that create a view of events: the view first, then comments';

CREATE FUNCTION _event_validate.require_event_view_calls(view regclass, relation regclass,
	data_expr text, type_expr text, version_expr text) RETURNS void
	AS 'MODULE_PATHNAME', 'ev_require_event_view_calls' LANGUAGE C STABLE STRICT;
COMMENT ON FUNCTION _event_validate.require_event_view_calls(regclass, regclass, text, text, text) IS 'raises an error if a view of events calls other functions than these expressions';

CREATE FUNCTION create_event_view(view_name text, relation regclass, event_type text, schema_version int DEFAULT NULL,
	data_expr text DEFAULT 'data', type_expr text DEFAULT 'event_type', version_expr text DEFAULT 'schema_version',
	integer_type regtype DEFAULT 'bigint') RETURNS regclass
LANGUAGE plpgsql
AS $$
DECLARE
	hidden CONSTANT boolean := _event_validate.hide_context();
	commands pg_catalog.text[];
	command pg_catalog.text;
	view_path pg_catalog.text[];
	view pg_catalog.regclass;
BEGIN
	PERFORM _event_validate.require_arguments('{view_name,relation,event_type,data_expr,type_expr,version_expr,integer_type}'::pg_catalog.text[], view_name, relation, event_type, data_expr, type_expr, version_expr, integer_type);
	PERFORM _event_validate.require_event_relation(relation, 'SELECT');
	PERFORM _event_validate.share_event_relation(relation);
	commands := _event_validate.event_view_commands(view_name, relation, event_type, schema_version, data_expr,
		_event_validate.event_row_expression(relation, data_expr, 'data', false),
		_event_validate.event_row_expression(relation, type_expr, 'type', false),
		_event_validate.event_row_expression(relation, version_expr, 'version', true), integer_type,
		CASE WHEN schema_version IS NULL THEN ARRAY[data_expr, type_expr, version_expr, integer_type::pg_catalog.text] END);
	BEGIN
		EXECUTE commands[1];
	EXCEPTION WHEN invalid_table_definition THEN
		RAISE EXCEPTION USING ERRCODE = SQLSTATE,
			MESSAGE = pg_catalog.format('view "%s" has a column of another type: %s', view_name, SQLERRM),
			HINT = 'Drop the view and its dependents first, or make a view of another name.';
	END;
	FOREACH command IN ARRAY commands[2:] LOOP
		EXECUTE command;
	END LOOP;
	view_path := _event_validate.event_view_path(view_name, relation);
	view := pg_catalog.format('%I.%I', view_path[1], view_path[2])::pg_catalog.regclass;
	PERFORM _event_validate.require_event_view_calls(view, relation, data_expr, type_expr, version_expr);
	RETURN view;
END
$$;
COMMENT ON FUNCTION create_event_view(text, regclass, text, int, text, text, text, regtype) IS 'creates a view of all events of a type in a relation, brought to one version, with a column for each property';

