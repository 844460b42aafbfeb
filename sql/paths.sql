-- The check applies to every way to insert or update rows.
SELECT register_event_schema('path', 1, '{"type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}}}');
SELECT register_event_schema('path', 2, '{"type": "object", "required": ["id", "at"]}', breaking => true);
CREATE TABLE path_events (
  id int PRIMARY KEY,
  type text NOT NULL DEFAULT 'path',
  version int NOT NULL DEFAULT 1,
  data jsonb NOT NULL,
  CONSTRAINT data_check CHECK (check_event(data, type, version))
);
\set SHOW_CONTEXT never

\echo INSERT, one row and many: one bad row and none goes in
INSERT INTO path_events (id, data) VALUES (1, '{"id": 1}');
INSERT INTO path_events (id, data) VALUES (2, '{"id": 2}'), (3, '{"id": "3"}'), (4, '{"id": 4}');
INSERT INTO path_events (id, data) SELECT i, jsonb_build_object('id', i + 0.5 * (i = 9)::int) FROM generate_series(2, 10) AS i;
SELECT count(*) FROM path_events;

\echo COPY
COPY path_events (id, data) FROM stdin;
20	{"id": 20}
21	{"id": "21"}
\.
COPY path_events (id, data) FROM stdin WITH (FORMAT csv);
20,"{""id"": 20}"
22,"{""id"": 22, ""name"": ""a\nb""}"
\.
SELECT id, data FROM path_events ORDER BY id;

\echo UPDATE, of the data and of what says which schema
UPDATE path_events SET data = data - 'id' WHERE id = 20;
UPDATE path_events SET version = 2 WHERE id = 20;
UPDATE path_events SET version = 2, data = data || '{"at": "now"}' WHERE id = 20;
UPDATE path_events SET version = 3 WHERE id = 20;
UPDATE path_events SET type = 'elsewhere' WHERE id = 20;

\echo ON CONFLICT
INSERT INTO path_events (id, data) VALUES (1, '{"id": 1}') ON CONFLICT (id) DO UPDATE SET data = '{"id": null}';
INSERT INTO path_events (id, data) VALUES (1, '{"id": null}') ON CONFLICT DO NOTHING;
INSERT INTO path_events (id, data) VALUES (1, '{"id": 1}') ON CONFLICT (id) DO UPDATE SET data = EXCLUDED.data || '{"seen": true}' RETURNING data;

\echo MERGE
MERGE INTO path_events AS e USING (VALUES (1, '{"id": 11}'::jsonb), (30, '{"id": 30}')) AS s (id, data) ON e.id = s.id
  WHEN MATCHED THEN UPDATE SET data = s.data
  WHEN NOT MATCHED THEN INSERT (id, data) VALUES (s.id, s.data);
MERGE INTO path_events AS e USING (VALUES (1, '{"id": "x"}'::jsonb)) AS s (id, data) ON e.id = s.id
  WHEN MATCHED THEN UPDATE SET data = s.data;
MERGE INTO path_events AS e USING (VALUES (31, '{"id": "x"}'::jsonb)) AS s (id, data) ON e.id = s.id
  WHEN NOT MATCHED THEN INSERT (id, data) VALUES (s.id, s.data);

\echo PL/pgSQL, and prepared statements, past the change to a generic plan
DO $$
BEGIN
  FOR i IN 100..120 LOOP
    INSERT INTO path_events (id, data) VALUES (i, jsonb_build_object('id', CASE WHEN i < 120 THEN to_jsonb(i) ELSE '"x"' END));
  END LOOP;
END
$$;
SELECT count(*) FROM path_events WHERE id >= 100;
PREPARE put(int, text, int, jsonb) AS INSERT INTO path_events (id, type, version, data) VALUES ($1, $2, $3, $4);
SET plan_cache_mode = force_generic_plan;
EXECUTE put(40, 'path', 1, '{"id": 40}');
EXECUTE put(41, 'path', 1, '{}');
EXECUTE put(41, 'path', 2, '{"id": 1, "at": 2}');
EXECUTE put(42, 'path', 2, '{"id": 1}');
EXECUTE put(42, 'path', 1, NULL);
EXECUTE put(42, NULL, 1, '{"id": 1}');
RESET plan_cache_mode;
PREPARE ask(jsonb, text, int) AS SELECT validate_event($1, $2, $3);
SET plan_cache_mode = force_generic_plan;
EXECUTE ask('{"id": 1}', 'path', 1);
EXECUTE ask('{"id": 1}', 'path', 2);
EXECUTE ask('{"id": 1}', 'path', 3);
EXECUTE ask(NULL, 'path', 1);
RESET plan_cache_mode;

\echo types and versions that change from row to row
SELECT id, type, version, validate_event(data, type, version) FROM (VALUES
  (1, 'path', 1, '{"id": 1}'::jsonb), (2, 'path', 2, '{"id": 1}'), (3, 'path', 1, '{"id": "x"}'), (4, 'path', 2, '{"id": "x", "at": 1}'),
  (5, 'htap', 1, '{"id": 1}'), (6, 'path', 1, '{"id": 1}'), (7, NULL, 1, '{"id": 1}'), (8, 'path', NULL, '{"id": 1}'),
  (9, 'path', 1, NULL), (10, 'path', 2, '{"id": 1, "at": 1}')) AS e (id, type, version, data) ORDER BY id;

\echo values that are stored out of line and compressed
CREATE TABLE path_wide (data jsonb, CHECK (check_event(data, 'path', 1)));
INSERT INTO path_wide SELECT jsonb_build_object('id', i, 'text', repeat('lorem ', 100000),
  'noise', (SELECT string_agg(md5(i::text || n), '') FROM generate_series(1, 1000) AS n)) FROM generate_series(1, 3) AS i;
SELECT count(*) FILTER (WHERE validate_event(data, 'path', 1)), count(*) FILTER (WHERE validate_event(data - 'id', 'path', 1)),
  bool_and(pg_column_size(data) < 100000) AS compressed FROM path_wide;
UPDATE path_wide SET data = data || '{"id": "x"}';
DROP TABLE path_wide;

\echo without a search_path
SET search_path = '';
INSERT INTO public.path_events (id, data) VALUES (50, '{"id": 50}');
INSERT INTO public.path_events (id, data) VALUES (51, '{"id": "51"}');
RESET search_path;

\echo an owner who is no superuser, and a user who may only insert
CREATE ROLE regress_path_owner;
CREATE ROLE regress_path_user;
ALTER TABLE path_events OWNER TO regress_path_owner;
GRANT INSERT ON path_events TO regress_path_user;
SET ROLE regress_path_user;
INSERT INTO path_events (id, data) VALUES (60, '{"id": 60}');
INSERT INTO path_events (id, data) VALUES (61, '{"id": "61"}');
RESET ROLE;
DROP TABLE path_events;
DROP ROLE regress_path_owner, regress_path_user;

\echo partitions, also when a row moves to another one
CREATE TABLE path_parted (type text, version int, data jsonb, CONSTRAINT parted_check CHECK (check_event(data, type, version)))
  PARTITION BY LIST (version);
CREATE TABLE path_parted_1 PARTITION OF path_parted FOR VALUES IN (1);
CREATE TABLE path_parted_2 PARTITION OF path_parted FOR VALUES IN (2);
INSERT INTO path_parted VALUES ('path', 1, '{"id": 1}'), ('path', 2, '{"id": 1, "at": 1}');
INSERT INTO path_parted VALUES ('path', 1, '{}');
INSERT INTO path_parted_2 VALUES ('path', 2, '{"id": 1}');
UPDATE path_parted SET version = 2 WHERE version = 1;
UPDATE path_parted SET version = 2, data = data || '{"at": 2}' WHERE version = 1;
SELECT tableoid::regclass, * FROM path_parted;
CREATE TABLE path_attached (type text, version int, data jsonb);
INSERT INTO path_attached VALUES ('path', 3, '{}');
ALTER TABLE path_attached ADD CONSTRAINT parted_check CHECK (check_event(data, type, version)) NOT VALID;
DELETE FROM path_attached;
ALTER TABLE path_attached VALIDATE CONSTRAINT parted_check;
ALTER TABLE path_parted ATTACH PARTITION path_attached FOR VALUES IN (3);
DROP TABLE path_parted;

\echo inheritance
CREATE TABLE path_parent (data jsonb, CHECK (check_event(data, 'path', 1)));
CREATE TABLE path_child (extra int) INHERITS (path_parent);
INSERT INTO path_child VALUES ('{"id": 1}', 1);
INSERT INTO path_child VALUES ('{}', 1);
DROP TABLE path_parent CASCADE;

\echo a constraint that comes later
CREATE TABLE path_late (data jsonb);
INSERT INTO path_late VALUES ('{"id": 1}'), ('{}');
ALTER TABLE path_late ADD CONSTRAINT late_check CHECK (check_event(data, 'path', 1));
ALTER TABLE path_late ADD CONSTRAINT late_check CHECK (check_event(data, 'path', 1)) NOT VALID;
ALTER TABLE path_late VALIDATE CONSTRAINT late_check;
DELETE FROM path_late WHERE data = '{}';
ALTER TABLE path_late VALIDATE CONSTRAINT late_check;
DROP TABLE path_late;

\echo the function itself: CHECK, domain, generated column, partial and expression index
CREATE DOMAIN path_event AS jsonb CHECK (event_schema."path@1"(VALUE));
SELECT '{"id": 1}'::path_event;
SELECT '{"id": "x"}'::path_event;
SELECT NULL::path_event;
CREATE TABLE path_direct (
  data jsonb CHECK (event_schema."path@1"(data)),
  domained path_event,
  is_newer boolean GENERATED ALWAYS AS (event_schema."path@2"(data)) STORED
);
CREATE INDEX ON path_direct ((data ->> 'id')) WHERE event_schema."path@2"(data);
CREATE INDEX path_direct_newer ON path_direct (event_schema."path@2"(data));
INSERT INTO path_direct VALUES ('{"id": 1}', '{"id": 1}'), ('{"id": 2, "at": 2}', '{"id": 3}');
INSERT INTO path_direct VALUES ('{}', '{"id": 1}');
INSERT INTO path_direct VALUES (NULL, '{"id": 1}');
INSERT INTO path_direct VALUES ('{"id": 1}', '{}');
SELECT * FROM path_direct ORDER BY data ->> 'id';
SET enable_seqscan = off;
SELECT data FROM path_direct WHERE event_schema."path@2"(data);
RESET enable_seqscan;
-- an array and a composite of the domain
SELECT ARRAY['{"id": 1}', '{}']::path_event[];
SELECT data FROM jsonb_to_recordset('[{"data": {"id": 1}}, {"data": {"id": []}}]') AS r (data path_event);
DROP TABLE path_direct;
DROP DOMAIN path_event;
-- check_event cannot be in an index, since schemas can be dropped
CREATE TABLE path_index (data jsonb);
\set VERBOSITY sqlstate
CREATE INDEX ON path_index (validate_event(data, 'path', 1));
\set VERBOSITY default
DROP TABLE path_index;

\echo parallel query
CREATE TABLE path_many AS SELECT i AS id, 1 + i % 2 AS version,
  jsonb_build_object('id', i) || CASE WHEN i % 4 = 1 THEN '{"at": 1}' ELSE '{}' END::jsonb AS data FROM generate_series(1, 10000) AS i;
SET min_parallel_table_scan_size = 0;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET max_parallel_workers_per_gather = 2;
-- in parallel workers
CREATE FUNCTION pg_temp.is_parallel(query text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  line text;
BEGIN
  FOR line IN EXECUTE 'EXPLAIN ' || query LOOP
    IF line LIKE '%Gather%' THEN
      RETURN true;
    END IF;
  END LOOP;
  RETURN false;
END
$$;
SELECT pg_temp.is_parallel($$SELECT count(*) FROM path_many WHERE validate_event(data, 'path', version)$$),
  pg_temp.is_parallel($$SELECT count(*) FROM path_many WHERE event_schema."path@2"(data)$$),
  pg_temp.is_parallel($$SELECT count(*) FROM path_many WHERE jsonb_matches_schema('{"required": ["at"]}', data)$$);
SELECT count(*) FROM path_many WHERE validate_event(data, 'path', version);
SELECT count(*) FROM path_many WHERE event_schema."path@2"(data);
SELECT count(*) FROM path_many WHERE jsonb_matches_schema('{"required": ["at"]}', data);
SELECT count(*) FROM path_many, event_violations(data, 'path', version);
SELECT bool_and(check_event(data, 'path', 1)) FROM path_many;
SELECT bool_and(check_event(data, 'path', version)) FROM path_many WHERE id = 7;
-- parallel workers see uncommitted schemas of their transaction
BEGIN;
SELECT register_event_schema('path', 3, '{"type": "object", "required": ["at"]}');
SELECT count(*) FROM path_many WHERE validate_event(data, 'path', 3);
ROLLBACK;
SELECT count(*) FROM path_many WHERE validate_event(data, 'path', 3);
DROP TABLE path_many;

SELECT drop_event_schema('path', 1), drop_event_schema('path', 2);
