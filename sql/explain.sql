-- EXPLAIN ANALYZE shows the validations of a statement: by a setting, and since PostgreSQL 18 by an option of its own
\set VERBOSITY terse
\set SHOW_CONTEXT never
SELECT register_event_schema('explained', 1, '{"type": "object", "required": ["n"]}') IS NOT NULL AS registered;
CREATE TABLE checked (data jsonb CHECK (check_event(data, 'explained', 1)));
CREATE DOMAIN explained AS jsonb CHECK (event_schema."explained@1"(VALUE));
CREATE TABLE guarded (event_type text, schema_version int, data jsonb);
SELECT add_event_guard('guarded', 'enforce');

-- our lines of an EXPLAIN, without the time
CREATE FUNCTION explained(options text, statement text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
  line text;
BEGIN
  FOR line IN EXECUTE format('EXPLAIN (%s) %s', options, statement) LOOP
    IF line ~ 'Event Valid' THEN
      RETURN NEXT regexp_replace(line, 'time=\d+\.\d+', 'time=...');
    END IF;
  END LOOP;
END $$;
CREATE FUNCTION explained_json(options text, statement text) RETURNS SETOF jsonb LANGUAGE plpgsql AS $$
DECLARE
  plan jsonb;
BEGIN
  EXECUTE format('EXPLAIN (%s, FORMAT JSON) %s', options, statement) INTO plan;
  RETURN QUERY SELECT jsonb_set(shown, '{Time}', to_jsonb(jsonb_typeof(shown -> 'Time')))
  FROM jsonb_path_query(plan, '$[*]."Event Validations"') AS shown;
END $$;
CREATE FUNCTION explained_yaml(options text, statement text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
  plan text;
BEGIN
  EXECUTE format('EXPLAIN (%s, FORMAT YAML) %s', options, statement) INTO plan;
  -- with the line above it, without the time, and what indents them
  RETURN QUERY SELECT btrim(line, ' -') FROM string_to_table(plan, E'\n') AS line WHERE line ~ 'Event Validations|Calls:';
END $$;

SELECT current_setting('server_version_num')::int >= 180000 AS has_option \gset
SELECT CASE WHEN :'has_option' THEN 'ANALYZE, EVENT_VALIDATE' ELSE 'ANALYZE' END AS option \gset
-- nothing without it
SELECT * FROM explained('ANALYZE', $$INSERT INTO checked SELECT '{"n": 1}' FROM generate_series(1, 10)$$);
SELECT set_config('event_validate.explain', CASE WHEN :'has_option' THEN 'off' ELSE 'on' END, false) <> '' AS set;
-- CHECK constraints, domains, guards, conditions
SELECT * FROM explained(:'option', $$INSERT INTO checked SELECT '{"n": 1}' FROM generate_series(1, 10)$$);
SELECT * FROM explained(:'option', $$SELECT count('{"n": 1}'::text::explained) FROM generate_series(1, 20)$$);
SELECT * FROM explained(:'option', $$INSERT INTO guarded SELECT 'explained', 1, '{"n": 1}' FROM generate_series(1, 7)$$);
SET event_validate.bypass_guard = on;
INSERT INTO guarded SELECT 'explained', 1, '{}' FROM generate_series(1, 3);
RESET event_validate.bypass_guard;
SELECT * FROM explained(:'option', $$SELECT FROM guarded WHERE validate_event(data, event_type, schema_version)$$);
SELECT * FROM explained(:'option', $$SELECT FROM guarded WHERE jsonb_matches_schema('{"required": ["n"]}'::jsonb, data)$$);
SELECT * FROM explained(:'option', $$SELECT FROM guarded WHERE validate_event(data, 'none', schema_version)$$);
-- what a statement of a statement validates, and none
CREATE FUNCTION insert_two() RETURNS void LANGUAGE sql AS $$ INSERT INTO checked VALUES ('{"n": 1}'), ('{"n": 2}') $$;
SELECT * FROM explained(:'option', $$SELECT insert_two()$$);
SELECT * FROM explained(:'option', $$SELECT 1$$);
-- prepared statements, and what is made of one
PREPARE insert_some(int) AS INSERT INTO checked SELECT '{"n": 1}' FROM generate_series(1, $1);
PREPARE select_some AS SELECT count(*) FROM guarded WHERE NOT validate_event(data, event_type, schema_version);
SELECT * FROM explained(:'option', $$EXECUTE insert_some(4)$$);
SELECT * FROM explained(concat(:'option', ', TIMING OFF'), $$EXECUTE insert_some(5)$$);
SELECT * FROM explained_json(:'option', $$EXECUTE insert_some(6)$$);
SELECT * FROM explained(:'option', $$CREATE TABLE made AS EXECUTE select_some$$);
DROP TABLE made;
-- writes in WITH, MERGE, conflicts (the row is checked before one is found), partitions
CREATE TABLE parts (id int PRIMARY KEY, data jsonb CHECK (check_event(data, 'explained', 1))) PARTITION BY RANGE (id);
CREATE TABLE part_1 PARTITION OF parts FOR VALUES FROM (1) TO (10);
CREATE TABLE part_2 PARTITION OF parts FOR VALUES FROM (10) TO (20);
SELECT * FROM explained(:'option', $$WITH added AS (INSERT INTO checked SELECT '{"n": 1}' FROM generate_series(1, 3) RETURNING data) INSERT INTO parts SELECT 8 + row_number() OVER (), data FROM added$$);
SELECT * FROM explained(:'option', $$INSERT INTO parts SELECT i, '{"n": 2}' FROM generate_series(10, 13) AS i ON CONFLICT (id) DO UPDATE SET data = excluded.data$$);
SELECT * FROM explained(:'option', $$UPDATE parts SET id = id + 5 WHERE id = 9$$);
SELECT * FROM explained(:'option', $$MERGE INTO checked AS c USING (VALUES ('{"n": 1}'::jsonb), ('{"n": 7}')) AS v (data) ON c.data = v.data WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT VALUES (v.data)$$);
DROP TABLE parts;
-- without times, and in other formats
SELECT * FROM explained(concat(:'option', ', TIMING OFF'), $$INSERT INTO checked VALUES ('{"n": 1}')$$);
SELECT * FROM explained_json(:'option', $$INSERT INTO checked VALUES ('{"n": 1}')$$);
SELECT * FROM explained_yaml(:'option', $$INSERT INTO checked VALUES ('{"n": 1}')$$);
-- a rule makes nothing, or several plans, of a statement; before 18, our part is there without a plan
CREATE TABLE ruled (data jsonb);
CREATE RULE nothing AS ON INSERT TO ruled DO INSTEAD NOTHING;
PREPARE insert_none AS INSERT INTO ruled VALUES ('{}');
SELECT count(*) = CASE WHEN :'has_option' THEN 0 ELSE 1 END AS is_json FROM explained_json(:'option', $$INSERT INTO ruled VALUES ('{}')$$);
SELECT count(*) = CASE WHEN :'has_option' THEN 0 ELSE 1 END AS is_json FROM explained_json(:'option', $$EXECUTE insert_none$$);
SELECT count(*) = CASE WHEN :'has_option' THEN 0 ELSE 2 END AS is_yaml FROM explained_yaml(:'option', $$EXECUTE insert_none$$);
DROP RULE nothing ON ruled;
CREATE RULE twice AS ON INSERT TO ruled DO ALSO INSERT INTO checked VALUES (new.data);
SELECT jsonb_path_query_array(jsonb_agg(shown), '$[*].Calls') @> '[1]' AS is_json FROM explained_json(:'option', $$INSERT INTO ruled VALUES ('{"n": 1}')$$) AS shown;
DEALLOCATE insert_none;
DROP TABLE ruled;
-- an error ends it
SELECT * FROM explained(:'option', $$INSERT INTO checked VALUES ('{"n": 1}'), ('{}')$$);
RESET event_validate.explain;
SELECT * FROM explained('ANALYZE', $$INSERT INTO checked VALUES ('{"n": 1}')$$);
SET event_validate.explain = on;
SELECT * FROM explained('ANALYZE', $$INSERT INTO checked VALUES ('{"n": 1}')$$);
-- only with ANALYZE
SELECT * FROM explained('COSTS OFF', $$INSERT INTO checked VALUES ('{"n": 1}')$$);
RESET event_validate.explain;
-- versions before 18 say that they know no such option
CREATE FUNCTION refused(options text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  PERFORM explained(options, 'SELECT 1');
  RETURN 'not refused';
EXCEPTION WHEN OTHERS THEN
  RETURN SQLSTATE || ' ' || SQLERRM;
END $$;
SELECT refused('EVENT_VALIDATE') = CASE WHEN :'has_option' THEN '22023 EXPLAIN option EVENT_VALIDATE requires ANALYZE'
  ELSE '42601 unrecognized EXPLAIN option "event_validate"' END AS refused;

DEALLOCATE insert_some;
DEALLOCATE select_some;
DROP TABLE checked, guarded;
DROP DOMAIN explained;
DROP FUNCTION explained, explained_json, explained_yaml, refused, insert_two;
SELECT drop_event_schema('explained', 1);
