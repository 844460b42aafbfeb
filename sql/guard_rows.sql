-- Guards with all ways to insert and update rows.
CREATE SCHEMA guard_rows;
SET search_path = guard_rows, public;
SELECT register_event_schema('rows', 1, '{"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}}');
CREATE VIEW quarantined AS SELECT "row", violations -> 0 ->> 'message' AS message FROM event_quarantine ORDER BY id;

-- identity, defaults, generated columns, RETURNING, CTEs
CREATE TABLE events (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, event_type text DEFAULT 'rows', schema_version int DEFAULT 1,
  data jsonb, doubled int GENERATED ALWAYS AS ((data ->> 'n')::int * 2) STORED, note text DEFAULT 'none');
SELECT add_event_guard('events', 'quarantine');
INSERT INTO events (data) VALUES ('{"n": 1}'), ('{"n": "x"}'), ('{"n": 3}') RETURNING id, doubled;
WITH added AS (INSERT INTO events (data) VALUES ('{}'), ('{"n": 5}') RETURNING *) SELECT id, note FROM added;
INSERT INTO events (data) SELECT jsonb_build_object('n', CASE WHEN i % 2 = 0 THEN to_jsonb(i) ELSE to_jsonb(i::text) END) FROM generate_series(6, 9) i;
SELECT id, data, doubled FROM events ORDER BY id;
SELECT * FROM quarantined;

-- COPY
TRUNCATE event_schema.quarantine;
COPY events (data, note) FROM stdin;
{"n": 10}	a
{"n": "a\\\\tb"}	b
null	c
\N	d
{"n": 11}	e
\.
SELECT id, data, note FROM events WHERE id > 9 ORDER BY id;
SELECT * FROM quarantined;

-- ON CONFLICT: the guard comes first
TRUNCATE event_schema.quarantine;
INSERT INTO events (id, data) OVERRIDING SYSTEM VALUE VALUES (1, '{"n": "conflict"}') ON CONFLICT (id) DO UPDATE SET note = 'overwritten';
INSERT INTO events (id, data) OVERRIDING SYSTEM VALUE VALUES (1, '{"n": "conflict"}') ON CONFLICT DO NOTHING;
INSERT INTO events (id, data) OVERRIDING SYSTEM VALUE VALUES (1, '{"n": 12}') ON CONFLICT (id) DO UPDATE SET data = EXCLUDED.data RETURNING id, data;
INSERT INTO events (id, data) OVERRIDING SYSTEM VALUE VALUES (1, '{"n": 13}') ON CONFLICT (id) DO UPDATE SET data = '{}';
SELECT * FROM quarantined;
-- MERGE
MERGE INTO events USING (VALUES (1, '{"n": "merge"}'::jsonb), (100, '{"n": "merge"}')) AS v (id, data) ON v.id = events.id
  WHEN MATCHED THEN UPDATE SET note = 'merged' WHEN NOT MATCHED THEN INSERT (data) VALUES (v.data);
SELECT note FROM events WHERE id = 1;
SELECT count(*) FROM quarantined;

-- diverted rows are rolled back with savepoints and transactions
TRUNCATE event_schema.quarantine;
BEGIN;
INSERT INTO events (data) VALUES ('{"n": "kept"}');
SAVEPOINT s;
INSERT INTO events (data) VALUES ('{"n": "rolled back"}');
ROLLBACK TO s;
COMMIT;
BEGIN;
INSERT INTO events (data) VALUES ('{"n": "rolled back too"}');
ROLLBACK;
SELECT * FROM quarantined;

-- foreign keys into the table
TRUNCATE event_schema.quarantine;
CREATE TABLE lines (event int REFERENCES events, line int);
INSERT INTO lines VALUES (1, 1);
BEGIN;
INSERT INTO events (id, data) OVERRIDING SYSTEM VALUE VALUES (200, '{}');
INSERT INTO lines VALUES (200, 1);
ROLLBACK;
SELECT count(*) FROM quarantined;

-- other BEFORE triggers have already run; a later one gives a warning
CREATE FUNCTION add_n() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.data := coalesce(NEW.data, '{}') || jsonb_build_object('n', TG_ARGV[0]::jsonb);
  RETURN NEW;
END
$$;
CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER repairs BEFORE INSERT ON events FOR EACH ROW WHEN (NEW.note = 'repair') EXECUTE FUNCTION add_n('20');
CREATE TRIGGER spoils BEFORE INSERT ON events FOR EACH ROW WHEN (NEW.note = 'spoil') EXECUTE FUNCTION add_n('"spoiled"');
CREATE TRIGGER drops BEFORE INSERT ON events FOR EACH ROW WHEN (NEW.note = 'drop') EXECUTE FUNCTION nothing();
INSERT INTO events (data, note) VALUES ('{}', 'repair'), ('{"n": 1}', 'spoil'), ('{}', 'drop'), ('{"n": 2}', 'drop') RETURNING data, note;
SELECT * FROM quarantined;
CREATE TRIGGER zzzz BEFORE INSERT ON events FOR EACH ROW WHEN (NEW.note = 'late') EXECUTE FUNCTION add_n('"too late"');
SELECT add_event_guard('events', 'quarantine');
INSERT INTO events (data, note) VALUES ('{"n": 2}', 'late') RETURNING data, note;

-- partitions: with another order of columns, as target of an update, detached
TRUNCATE event_schema.quarantine;
CREATE TABLE parts (id int, event_type text, schema_version int, data jsonb, note text DEFAULT 'p') PARTITION BY RANGE (id);
CREATE TABLE part_1 PARTITION OF parts FOR VALUES FROM (0) TO (10);
CREATE TABLE part_2 (note text, gone int, data jsonb, schema_version int, event_type text, id int);
ALTER TABLE part_2 DROP COLUMN gone;
ALTER TABLE parts ATTACH PARTITION part_2 FOR VALUES FROM (10) TO (20);
SELECT add_event_guard('parts', 'quarantine');
CREATE TABLE part_3 PARTITION OF parts FOR VALUES FROM (20) TO (30) PARTITION BY LIST (event_type);
CREATE TABLE part_3_rows PARTITION OF part_3 FOR VALUES IN ('rows');
INSERT INTO parts VALUES (1, 'rows', 1, '{"n": 1}'), (2, 'rows', 1, '{}'), (11, 'rows', 1, '{"n": 11}'), (12, 'rows', 1, '{"n": "x"}'), (21, 'rows', 1, '{"n": 2}'), (22, 'rows', 1, '[]');
INSERT INTO part_2 (id, event_type, schema_version, data) VALUES (13, 'rows', 1, '{}');
SELECT tableoid::regclass, * FROM parts ORDER BY id;
SELECT relation_name, "row", violations -> 0 ->> 'message' AS message FROM event_quarantine ORDER BY id;
UPDATE parts SET id = 23, data = '{"n": 3}' WHERE id = 1;
UPDATE parts SET id = 2, data = '{}' WHERE id = 11;
SELECT tableoid::regclass, id FROM parts ORDER BY id;
SELECT set_event_guard_mode('part_1', 'off');
SELECT add_event_guard('part_1', 'off');
SELECT drop_event_guard('part_1');
SELECT set_event_guard_mode('parts', 'enforce');
INSERT INTO part_3_rows VALUES (24, 'rows', 1, '{}');
ALTER TABLE parts DETACH PARTITION part_1;
INSERT INTO part_1 VALUES (3, 'rows', 1, '{}');

-- inheritance: only a child's own guard applies to it
CREATE TABLE parent (event_type text, schema_version int, data jsonb);
CREATE TABLE child () INHERITS (parent);
SELECT add_event_guard('parent', 'enforce');
INSERT INTO child VALUES ('rows', 1, '{}');
INSERT INTO parent VALUES ('rows', 1, '{}');

-- columns and expressions of all kinds
TRUNCATE event_schema.quarantine;
CREATE TYPE kind AS ENUM ('rows', 'other');
CREATE DOMAIN document AS jsonb;
CREATE TABLE kinds (k kind, v smallint, big bigint, "The Data" json, doc document, body text, c char(8), vc varchar(8));
CREATE FUNCTION version_of(document jsonb) RETURNS int LANGUAGE sql IMMUTABLE AS $$SELECT (document ->> 'version')::int$$;
SELECT add_event_guard('kinds', 'enforce', 'The Data', 'k', 'v');
SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgrelid = 'kinds'::regclass;
INSERT INTO kinds (k, v, "The Data") VALUES ('rows', 1, '{"n": 1}');
INSERT INTO kinds (k, v, "The Data") VALUES ('rows', 1, '{"n": "1"}');
INSERT INTO kinds (k, v, "The Data") VALUES ('other', 1, '{"n": "1"}');
SELECT add_event_guard('kinds', 'enforce', 'doc', 'vc', 'big');
INSERT INTO kinds (vc, big, doc) VALUES ('rows', 1, '{"n": 1}');
INSERT INTO kinds (vc, big, doc) VALUES ('rows', 1, '{"n": "1"}');
INSERT INTO kinds (vc, big, doc) VALUES ('rows', 3000000000, '{"n": 1}');
SELECT add_event_guard('kinds', 'enforce', 'body', 'c', $$1$$);
INSERT INTO kinds (c, body) VALUES ('rows', '{"n": 1}');
INSERT INTO kinds (c, body) VALUES ('rows', '{"n": "1"}');
INSERT INTO kinds (c, body) VALUES ('rows', '{"n": ');
SELECT add_event_guard('kinds', 'enforce', $$doc -> 'data'$$, $$doc ->> 'type'$$, 'version_of(doc)');
SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgrelid = 'kinds'::regclass;
SET search_path = pg_catalog, public;
INSERT INTO guard_rows.kinds (doc) VALUES ('{"type": "rows", "version": 1, "data": {"n": 1}}');
INSERT INTO guard_rows.kinds (doc) VALUES ('{"type": "rows", "version": 1, "data": {"n": "1"}}');
SET search_path = guard_rows, public;
INSERT INTO kinds (doc) VALUES ('{"type": "rows", "version": "one", "data": {"n": "1"}}');
SELECT set_event_guard_mode('kinds', 'quarantine');
INSERT INTO kinds (doc) VALUES ('{"type": "rows", "version": 1, "data": {"n": 1}}') RETURNING doc;
INSERT INTO kinds (doc) VALUES ('{"type": "rows", "version": "one", "data": {"n": "1"}}') RETURNING doc;
INSERT INTO kinds (doc) VALUES ('{"type": "rows", "version": 99999999999, "data": {"n": "1"}}') RETURNING doc;
INSERT INTO kinds (doc) VALUES (NULL) RETURNING doc;
SELECT add_event_guard('kinds', 'quarantine', 'body', 'c', 'big');
INSERT INTO kinds (c, body, big) VALUES ('rows', '{"n": "1"}', 1), ('rows', '{"n": ', 1), ('rows', '{"n": 1e999999}', 1), ('rows', '{"n": "\u0000"}', 1), ('rows', NULL, 1), ('rows', '{"n": 1}', -1), ('rows', '{"n": 1}', 99999999999) RETURNING body;
SELECT event_type, schema_version, violations -> 0 ->> 'message' AS message, violations -> 0 ->> 'sqlstate' AS sqlstate FROM event_quarantine ORDER BY id;
-- a function in the expressions is replaced
SELECT add_event_guard('kinds', 'enforce', 'doc', $$'rows'$$, 'version_of(doc)');
INSERT INTO kinds (doc) VALUES ('{"n": 1, "version": 1}');
CREATE OR REPLACE FUNCTION version_of(document jsonb) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 8';
INSERT INTO kinds (doc) VALUES ('{"n": 1, "version": 1}');
CREATE OR REPLACE FUNCTION version_of(document jsonb) RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN 1; END';
INSERT INTO kinds (doc) VALUES ('{"n": 1, "version": 1}');

-- a resource limit counts as a violation
TRUNCATE event_schema.quarantine;
SELECT register_event_schema('deep', 1, '{"items": {"$ref": "#"}}');
CREATE TABLE deeps (n int, data jsonb);
SELECT add_event_guard('deeps', 'quarantine', type_expr => $$'deep'$$, version_expr => '1');
CREATE TABLE depths AS SELECT n, (repeat('[', n) || repeat(']', n))::jsonb AS data FROM unnest(ARRAY[10, 4000]) n;
SET max_stack_depth = '100kB';
INSERT INTO deeps SELECT * FROM depths;
UPDATE deeps SET data = (SELECT data FROM depths WHERE n = 4000);
RESET max_stack_depth;
SELECT n FROM deeps;
SELECT "row" -> 'n' AS n, length("row" ->> 'data') AS length, violations FROM event_quarantine;
SELECT * FROM replay_event_quarantine('deeps');
SELECT d.n, d.data = s.data AS same FROM deeps d JOIN depths s USING (n) ORDER BY n;

-- a row of the maximum number of columns, and its replay
TRUNCATE event_schema.quarantine;
CREATE TYPE pair AS (a int, b text);
CREATE TABLE wide (event_type text, schema_version int, data jsonb, b bool, i2 int2, i4 int4, i8 int8, f4 float4, f8 float8, num numeric, nan numeric, inf float8, zero float8,
  txt text, ch char(4), d date, t time, tz timetz, ts timestamp, tsz timestamptz, iv interval, by bytea, u uuid, arr int[], bounds int[], txts text[], p pair, r int4range,
  js json, twice json, str json, jnull jsonb, snull jsonb, bits bit(3), addr inet, none text, k kind, "odd ""Näme'" text,
  form json, price money, bc timestamptz, tiny float8, parts json[], dropped int, gen text GENERATED ALWAYS AS (txt || '!') STORED);
ALTER TABLE wide DROP COLUMN dropped;
CREATE TABLE original (LIKE wide);
INSERT INTO original VALUES ('rows', 1, '{"n": "x", "a": [1.50, null]}', true, -7, 8, 9223372036854775807, 0.1, 0.1::float8 + 0.2, 12345678901234567890.1234567890, 'NaN', '-Infinity', '-0',
  E'a\tb\n"ö"\\', 'ab', '2024-02-29', '24:00', '12:00+05:45', 'infinity', '2024-02-29 12:00:00.123456+01', '-1 year 2 days -03:04:05.6', '\x00ff', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',
  '{1,NULL,3}', '[0:1]={4,5}', '{"a,b",NULL,"NULL",""}', '(1,"x, y")', '[1,5)', '{"b": 1.0, "a":  [ ]}', '{"a": 1, "a": 2}', '"text"', 'null', NULL, '101', '10.0.0.0/8', NULL, 'other', 'odd',
  '[1e2, -0, "1e2"]', '1234.5', '0044-03-15 12:00:00+00 BC', '4.9e-324', ARRAY['{"a": 1, "a": 2}', NULL]::json[]);
SELECT add_event_guard('wide', 'quarantine');
SET extra_float_digits = -10;
SET DateStyle = 'SQL, DMY';
SET IntervalStyle = 'sql_standard';
SET TimeZone = 'America/St_Johns';
SET bytea_output = 'escape';
INSERT INTO wide (event_type, schema_version, data, b, i2, i4, i8, f4, f8, num, nan, inf, zero, txt, ch, d, t, tz, ts, tsz, iv, by, u, arr, bounds, txts, p, r, js, twice, str, jnull, snull, bits, addr, none, k, "odd ""Näme'", form, price, bc, tiny, parts)
  SELECT event_type, schema_version, data, b, i2, i4, i8, f4, f8, num, nan, inf, zero, txt, ch, d, t, tz, ts, tsz, iv, by, u, arr, bounds, txts, p, r, js, twice, str, jnull, snull, bits, addr, none, k, "odd ""Näme'", form, price, bc, tiny, parts FROM original;
SELECT count(*) FROM wide;
SET array_nulls = off;
SELECT * FROM jsonb_each((SELECT "row" FROM event_quarantine));
SELECT drop_event_guard('wide');
SELECT * FROM replay_event_quarantine('wide');
RESET extra_float_digits;
RESET DateStyle;
RESET IntervalStyle;
RESET TimeZone;
RESET bytea_output;
RESET array_nulls;
SELECT to_jsonb(w) - 'gen' = to_jsonb(o) - 'gen' AS same, w.gen = o.txt || '!' AS generated, w.twice::text = o.twice::text AS twice,
  w.jnull IS NULL AS jnull, w.snull IS NULL AS snull, array_lower(w.bounds, 1) AS bounds, w.zero, w.num, w.ch || '|' AS ch,
  w.form::text AS form, w.parts::text = o.parts::text AS parts, w.bc = o.bc AS bc, w.tiny = o.tiny AS tiny FROM wide w, original o;

SET client_min_messages = warning;
DROP SCHEMA guard_rows CASCADE;
RESET client_min_messages;
SELECT drop_event_schema('rows', 1), drop_event_schema('deep', 1);
