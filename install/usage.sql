-- ---------- evolution: versions in use ----------

CREATE FUNCTION _event_validate.event_usage(event_type text, OUT relation regclass, OUT used_type text, OUT used_version bigint,
	OUT events bigint)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'ev_event_usage' LANGUAGE C STABLE ROWS 20;
COMMENT ON FUNCTION _event_validate.event_usage(text) IS 'the number of rows of each type and version in tables with checks or guards';

CREATE FUNCTION event_schema_usage(event_type text DEFAULT NULL)
	RETURNS TABLE (relation regclass, event_type text, schema_version int, events bigint, deprecated boolean, registered boolean)
LANGUAGE sql STABLE ROWS 20
SET search_path = pg_catalog, pg_temp
AS $$
	WITH counted AS MATERIALIZED (
		SELECT * FROM _event_validate.event_usage($1)),
	used AS (
		SELECT u.relation, u.used_type, CASE WHEN u.used_version NOT BETWEEN 0 AND 2147483647 THEN -1 ELSE u.used_version::int END AS used_version,
			sum(u.events)::bigint AS events
		FROM counted AS u WHERE u.relation IS NOT NULL GROUP BY 1, 2, 3),
	known AS (
		SELECT s.event_type, s.schema_version, s.deprecated
		FROM @extschema@.event_schemas AS s WHERE $1 IS NULL OR s.event_type = $1 COLLATE "C")
	SELECT u.relation, COALESCE(u.used_type, k.event_type), COALESCE(u.used_version, k.schema_version),
		COALESCE(u.events, CASE WHEN NOT EXISTS (SELECT FROM counted WHERE counted.relation IS NULL) THEN 0 END), COALESCE(k.deprecated, false), k.event_type IS NOT NULL
	FROM used AS u FULL JOIN known AS k
		ON k.event_type = u.used_type AND k.schema_version = u.used_version
	ORDER BY COALESCE(u.used_type, k.event_type) COLLATE "C", 3, u.relation::text COLLATE "C"
$$;
COMMENT ON FUNCTION event_schema_usage(text) IS 'the number of events of each version in each table, including versions without events';


-- ---------- rolling out: what is enforced ----------

CREATE FUNCTION _event_validate.list_event_enforcement(OUT relation regclass, OUT kind text, OUT name name,
	OUT column_name name, OUT data_expr text, OUT type_expr text, OUT version_expr text, OUT mode text,
	OUT mode_until timestamptz, OUT validated boolean, OUT enabled boolean, OUT definition text, OUT problem text,
	OUT types text[])
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'ev_list_event_enforcement' LANGUAGE C STABLE ROWS 20;
COMMENT ON FUNCTION _event_validate.list_event_enforcement() IS 'the rows of event_enforcement';

CREATE FUNCTION _event_validate.has_validation_stats() RETURNS boolean
	AS 'MODULE_PATHNAME', 'ev_has_validation_stats' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION _event_validate.has_validation_stats() IS 'whether there are statistics of validations';

CREATE FUNCTION _event_validate.seen_event_types(OUT relation oid, OUT event_types text[]) RETURNS SETOF record
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT s.relation_id, array_agg(DISTINCT s.event_type ORDER BY s.event_type)
	FROM _event_validate.validation_stats() AS s
	WHERE _event_validate.has_validation_stats() AND s.relation_id <> 0
		AND s.database_id = (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database())
	GROUP BY s.relation_id
$$;
COMMENT ON FUNCTION _event_validate.seen_event_types() IS 'the event types that guards have seen, by table, as far as there are statistics that the caller may read';

CREATE VIEW event_enforcement AS
	SELECT e.relation, e.kind, e.name, e.column_name, e.data_expr, e.type_expr, e.version_expr, e.types, e.mode, e.mode_until,
		e.validated, e.enabled, e.definition, e.problem, s.event_types AS event_types_seen
	FROM _event_validate.list_event_enforcement() AS e
		LEFT JOIN _event_validate.seen_event_types() AS s ON e.kind = 'guard' AND s.relation = e.relation::pg_catalog.oid
	ORDER BY e.relation::text COLLATE "C", e.kind, e.name, e.data_expr COLLATE "C";
COMMENT ON VIEW event_enforcement IS 'the CHECK constraints and guards of all tables that validate events';
GRANT SELECT ON event_enforcement TO PUBLIC;

-- ---------- rolling out: what other servers enforce ----------

-- Its caller rolls the tables back.  The other server need not tell the truth: each value is read as its type, and the
-- number of rows and their length are bounded.
CREATE FUNCTION _event_validate.ask_foreign_server(server oid, foreign_tables oid[], most_rows int)
	RETURNS TABLE (foreign_table regclass, server_name name, remote_relation text, enforced boolean, problem text,
		extension_version text, enforced_on text, kind text, name name, column_name name, data_expr text, type_expr text,
		version_expr text, types text[], mode text, mode_until timestamptz, validated boolean)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	hidden CONSTANT boolean := _event_validate.hide_context();
	asked CONSTANT name := (SELECT s.srvname FROM pg_foreign_server AS s WHERE s.oid = server);
	asked_version text;
	view_schema name;
	wanted_schemas name[];
	wanted_names name[];
	ids oid[];
	parents oid[];
	added bigint;
	command text;
BEGIN
	FOR command IN
		SELECT format('CREATE FOREIGN TABLE pg_temp.%I (%s) SERVER %I OPTIONS (schema_name %L, table_name %L)',
			concat('event_validate asks ', c.relation), c.columns, asked, 'pg_catalog', c.relation)
		FROM (VALUES
			('pg_extension', 'oid oid, extname name, extnamespace oid, extversion text'),
			('pg_depend', 'classid oid, objid oid, refclassid oid, refobjid oid, deptype "char"'),
			('pg_namespace', 'oid oid, nspname name'),
			('pg_class', 'oid oid, relname name, relnamespace oid, relkind "char"'),
			('pg_inherits', 'inhrelid oid, inhparent oid'),
			('pg_constraint', 'conrelid oid, conname name, contype "char", convalidated boolean, coninhcount int, connoinherit boolean'),
			('pg_trigger', 'tgrelid oid, tgname name, tgenabled "char"')) AS c (relation, columns)
	LOOP
		EXECUTE command;
	END LOOP;

	-- what was read; the relations with their parents; a server that lists something twice does not multiply the joins
	CREATE TEMPORARY TABLE "event_validate wanted" (foreign_table oid, schema name, relation name);
	CREATE TEMPORARY TABLE "event_validate read tables" (id oid UNIQUE, schema name, relation name, kind "char", UNIQUE (schema, relation));
	CREATE TEMPORARY TABLE "event_validate read relations" (foreign_table oid, id oid, kind "char", level int, UNIQUE (foreign_table, id));
	CREATE TEMPORARY TABLE "event_validate read names" (id oid UNIQUE, schema name, relation name, UNIQUE (schema, relation));
	CREATE TEMPORARY TABLE "event_validate read constraints" (id oid, name name, validated boolean, inherited boolean,
		own boolean, UNIQUE (id, name));
	CREATE TEMPORARY TABLE "event_validate read triggers" (id oid, name name, enabled "char", UNIQUE (id, name));
	CREATE TEMPORARY TABLE "event_validate read enforcement" (relation text, kind text, name name, column_name name, data_expr text,
		type_expr text, version_expr text, types text[], mode text, mode_until timestamptz, validated boolean, problem text);

	-- as postgres_fdw names them
	EXECUTE 'INSERT INTO pg_temp."event_validate wanted"
		SELECT c.oid, COALESCE(o.schema, n.nspname), COALESCE(o.relation, c.relname)
		FROM pg_foreign_table AS f JOIN pg_class AS c ON c.oid = f.ftrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace
			CROSS JOIN LATERAL (
				SELECT max(p.option_value) FILTER (WHERE p.option_name = ''schema_name'')::name AS schema,
					max(p.option_value) FILTER (WHERE p.option_name = ''table_name'')::name AS relation
				FROM pg_options_to_table(f.ftoptions) AS p) AS o
		WHERE f.ftrelid = ANY ($1) AND f.ftserver = $2'
		USING foreign_tables, server;

	-- the extension, with the view that belongs to it; 1259 is pg_class, 3079 is pg_extension
	EXECUTE 'SELECT left(e.extversion, 100), n.nspname
		FROM pg_temp."event_validate asks pg_extension" AS e
			JOIN pg_temp."event_validate asks pg_depend" AS d ON d.refclassid = 3079 AND d.refobjid = e.oid AND d.classid = 1259
				AND d.deptype = ''e''
			JOIN pg_temp."event_validate asks pg_class" AS c ON c.oid = d.objid AND c.relnamespace = e.extnamespace
			JOIN pg_temp."event_validate asks pg_namespace" AS n ON n.oid = c.relnamespace
		WHERE e.extname = ''event_validate'' AND c.relname = ''event_enforcement'' AND c.relkind = ''v''
		LIMIT 1' INTO asked_version, view_schema;
	IF view_schema IS NULL THEN
		RETURN QUERY EXECUTE 'SELECT w.foreign_table::regclass, $1, format(''%I.%I'', w.schema, w.relation), false,
				''event_validate is not installed in the database of the other server'', NULL::text, NULL::text, NULL::text,
				NULL::name, NULL::name, NULL::text, NULL::text, NULL::text, NULL::text[], NULL::text, NULL::timestamptz, NULL::boolean
			FROM pg_temp."event_validate wanted" AS w'
			USING asked;
		RETURN;
	END IF;

	EXECUTE 'SELECT array_agg(DISTINCT w.schema), array_agg(DISTINCT w.relation) FROM pg_temp."event_validate wanted" AS w'
		INTO wanted_schemas, wanted_names;
	EXECUTE 'INSERT INTO pg_temp."event_validate read tables"
		SELECT c.oid, n.nspname, c.relname, c.relkind
		FROM pg_temp."event_validate asks pg_class" AS c
			JOIN pg_temp."event_validate asks pg_namespace" AS n ON n.oid = c.relnamespace
		WHERE c.relname = ANY ($1) AND n.nspname = ANY ($2)
		LIMIT $3 + 1'
		USING wanted_names, wanted_schemas, most_rows;
	GET DIAGNOSTICS added = ROW_COUNT;
	IF added > most_rows THEN
		RAISE EXCEPTION USING ERRCODE = 'program_limit_exceeded', MESSAGE = format('the other server lists more than %s objects', most_rows);
	END IF;
	EXECUTE 'INSERT INTO pg_temp."event_validate read relations"
		SELECT w.foreign_table, c.id, c.kind, 0
		FROM pg_temp."event_validate read tables" AS c
			JOIN pg_temp."event_validate wanted" AS w ON w.schema = c.schema AND w.relation = c.relation';
	FOR depth IN 1 .. 100 LOOP
		EXECUTE 'SELECT array_agg(DISTINCT r.id) FROM pg_temp."event_validate read relations" AS r WHERE r.level = $1'
			INTO parents USING depth - 1;
		EXIT WHEN parents IS NULL;
		EXECUTE 'INSERT INTO pg_temp."event_validate read relations"
			SELECT r.foreign_table, i.inhparent, NULL::"char", $1
			FROM (SELECT i.inhrelid, i.inhparent FROM pg_temp."event_validate asks pg_inherits" AS i
					WHERE i.inhrelid = ANY ($2) LIMIT $3 + 1) AS i
				JOIN pg_temp."event_validate read relations" AS r ON r.level = $1 - 1 AND r.id = i.inhrelid
			EXCEPT SELECT r.foreign_table, r.id, NULL::"char", $1 FROM pg_temp."event_validate read relations" AS r
			LIMIT $3 + 1'
			USING depth, parents, most_rows;
		GET DIAGNOSTICS added = ROW_COUNT;
		IF added > most_rows THEN
			RAISE EXCEPTION USING ERRCODE = 'program_limit_exceeded', MESSAGE = 'the tables of the other server have too many parents';
		END IF;
	END LOOP;
	EXECUTE 'SELECT array_agg(DISTINCT r.id) FROM pg_temp."event_validate read relations" AS r' INTO ids;

	FOREACH command IN ARRAY ARRAY[
		'"event_validate read names" SELECT c.oid, n.nspname, c.relname
			FROM pg_temp."event_validate asks pg_class" AS c
				JOIN pg_temp."event_validate asks pg_namespace" AS n ON n.oid = c.relnamespace
			WHERE c.oid = ANY ($1) LIMIT $2 + 1',
		'"event_validate read constraints" SELECT c.conrelid, c.conname, c.convalidated, c.coninhcount > 0, c.connoinherit
			FROM pg_temp."event_validate asks pg_constraint" AS c WHERE c.conrelid = ANY ($1) AND c.contype = ''c'' LIMIT $2 + 1',
		'"event_validate read triggers" SELECT t.tgrelid, t.tgname, t.tgenabled
			FROM pg_temp."event_validate asks pg_trigger" AS t WHERE t.tgrelid = ANY ($1) LIMIT $2 + 1',
		'"event_validate read enforcement" SELECT left(e.relation, 1000), left(e.kind, 100), e.name, e.column_name,
				left(e.data_expr, 10000), left(e.type_expr, 10000), left(e.version_expr, 10000),
				CASE WHEN pg_column_size(e.types) > 10000 THEN ''{...}'' ELSE e.types END, left(e.mode, 100), e.mode_until,
				e.validated, left(e.problem, 1000)
			FROM pg_temp."event_validate asks event_enforcement" AS e LIMIT $2 + 1']
	LOOP
		IF command LIKE '%event_enforcement%' THEN
			EXECUTE format('CREATE FOREIGN TABLE pg_temp."event_validate asks event_enforcement" (relation text, kind text, name name,
				column_name name, data_expr text, type_expr text, version_expr text, types text[], mode text, mode_until timestamptz,
				validated boolean, problem text) SERVER %I OPTIONS (schema_name %L, table_name ''event_enforcement'')', asked, view_schema);
		END IF;
		EXECUTE concat('INSERT INTO pg_temp.', command) USING ids, most_rows;
		GET DIAGNOSTICS added = ROW_COUNT;
		IF added > most_rows THEN
			RAISE EXCEPTION USING ERRCODE = 'program_limit_exceeded', MESSAGE = format('the other server lists more than %s objects', most_rows);
		END IF;
	END LOOP;

	-- A constraint or guard of a parent holds here if the table has it too: a constraint that it inherited, or a guard with
	-- the name of the nearest one (of guards that are equal, only the parent's is listed).
	RETURN QUERY EXECUTE 'WITH listed AS (
			SELECT e.*, CASE WHEN e.relation ~ ''^[0-9]+$'' THEN NULL ELSE parse_ident(e.relation) END AS path
			FROM pg_temp."event_validate read enforcement" AS e),
		asked AS (
			SELECT w.foreign_table, format(''%I.%I'', w.schema, w.relation) AS shown, r.id,
				CASE WHEN r.kind IN (''r'', ''p'') THEN NULL
					WHEN r.kind = ''v'' THEN ''it is a view on the other server: ask about the table of the view''
					WHEN r.kind = ''f'' THEN ''it is a foreign table on the other server, too: ask there''
					WHEN r.id IS NOT NULL THEN ''it is no table on the other server''
					ELSE ''the other server has no such table'' END AS problem
			FROM pg_temp."event_validate wanted" AS w
				LEFT JOIN pg_temp."event_validate read relations" AS r ON r.foreign_table = w.foreign_table AND r.level = 0),
		found AS (
			SELECT a.foreign_table, format(''%I.%I'', n.schema, n.relation) AS enforced_on, l.*, t.enabled,
				COALESCE(c.validated, l.validated) AS is_validated, r.level,
				min(r.level) OVER (PARTITION BY a.foreign_table, l.kind, l.name) AS nearest
			FROM asked AS a
				JOIN pg_temp."event_validate read relations" AS r ON r.foreign_table = a.foreign_table
				JOIN pg_temp."event_validate read names" AS n ON n.id = r.id
				JOIN listed AS l ON l.path = ARRAY[n.schema, n.relation]::text[]
					OR (n.schema = ''pg_catalog'' AND l.path = ARRAY[n.relation]::text[])
				LEFT JOIN pg_temp."event_validate read constraints" AS c ON l.kind = ''check'' AND c.id = a.id AND c.name = l.name
				LEFT JOIN pg_temp."event_validate read constraints" AS p ON l.kind = ''check'' AND p.id = r.id AND p.name = l.name
				LEFT JOIN pg_temp."event_validate read triggers" AS t ON l.kind = ''guard'' AND t.id = a.id AND t.name = l.name
			WHERE a.problem IS NULL AND (l.kind = ''domain'' OR t.id IS NOT NULL
				OR (c.id IS NOT NULL AND (r.level = 0 OR (c.inherited AND NOT p.own)))))
		SELECT a.foreign_table::regclass, $1, a.shown,
			CASE WHEN a.problem IS NOT NULL OR f.problem IS NOT NULL THEN NULL
				WHEN f.kind IS NULL THEN false
				WHEN f.kind = ''guard'' THEN COALESCE(f.enabled IN (''O'', ''A'') AND f.mode IN (''enforce'', ''quarantine''), false)
				ELSE true END,
			CASE WHEN a.problem IS NOT NULL THEN a.problem
				WHEN f.problem IS NOT NULL THEN concat(''the other server says: '', f.problem)
				WHEN f.kind IS NULL THEN ''no check or guard validates the events of the table''
				WHEN f.kind = ''guard'' AND f.enabled NOT IN (''O'', ''A'') THEN ''the trigger does not fire for the writes of other servers''
				WHEN f.kind = ''guard'' AND f.mode NOT IN (''enforce'', ''quarantine'') THEN concat(''the mode of the guard is '', f.mode) END,
			$2, f.enforced_on, f.kind, f.name, f.column_name, f.data_expr, f.type_expr, f.version_expr, f.types, f.mode, f.mode_until,
			f.is_validated
		FROM asked AS a LEFT JOIN found AS f ON f.foreign_table = a.foreign_table
			AND (f.kind <> ''guard'' OR f.level = f.nearest)
		ORDER BY a.foreign_table::regclass::text COLLATE "C", f.kind, f.name, f.data_expr COLLATE "C"
		LIMIT $3 + 1'
		USING asked, asked_version, most_rows;
END
$$;
COMMENT ON FUNCTION _event_validate.ask_foreign_server(oid, oid[], int) IS 'what another server enforces on its tables that these foreign tables stand for';

CREATE FUNCTION event_foreign_enforcement(relation regclass)
	RETURNS TABLE (foreign_table regclass, server name, remote_relation text, enforced boolean, problem text,
		extension_version text, enforced_on text, kind text, name name, column_name name, data_expr text, type_expr text,
		version_expr text, types text[], mode text, mode_until timestamptz, validated boolean)
	AS 'MODULE_PATHNAME', 'ev_event_foreign_enforcement' LANGUAGE C VOLATILE STRICT ROWS 20;
COMMENT ON FUNCTION event_foreign_enforcement(regclass) IS 'asks the servers of the foreign tables of a table, over postgres_fdw, what they enforce there';
