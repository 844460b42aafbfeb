-- standardize_event_column
\set SHOW_CONTEXT never
CREATE SCHEMA rollout;
SET search_path = rollout, public;

-- jsonb: only renamed; properties of the column are kept
CREATE TABLE a (id int PRIMARY KEY, payload jsonb NOT NULL DEFAULT '{}', n int, CHECK (payload <> '1'));
CREATE INDEX a_payload ON a USING gin (payload);
CREATE VIEW a_view AS SELECT id, payload FROM a;
COMMENT ON COLUMN a.payload IS 'the event';
INSERT INTO a VALUES (1, '{"a": 1}');
SELECT pg_relation_filenode('a') AS before \gset
SELECT standardize_event_column('a', 'payload', view_name => 'a_old');
SELECT pg_relation_filenode('a') = :before AS not_rewritten, col_description('a'::regclass, 2);
\d a
TABLE a_view;
-- old readers and writers
INSERT INTO a_old (id, payload, n) VALUES (2, '{"a": 2}', 1);
UPDATE a_old SET payload = '{"b": 1}' WHERE id = 1;
INSERT INTO a_old VALUES (3, '1');
TABLE a_old;
TABLE a;
-- again
SELECT standardize_event_column('a', 'payload', view_name => 'a_old');
SELECT standardize_event_column('a', 'data');

-- text: values that jsonb would change or cannot represent are conflicts
CREATE TABLE b (id int PRIMARY KEY, payload text NOT NULL DEFAULT '{"x":  1}', raw text);
COMMENT ON COLUMN b.payload IS 'text';
INSERT INTO b VALUES (1, '{"a": 1}'), (2, 'nope'), (3, '{"a": 1, "a": 2}'), (4, '[1e2]'), (5, '[-0]'), (6, '"\u0000"'), (7, ''),
  (8, '{"a:b": "c:d\" 1e5\\", "e": {"f": [0.10, -1, 1.50, 12345678901234567890.12345678901234567890]}}'), (9, '1e999999'),
  (10, '{"a": {"b": {"c": 1}, "c": 2}, "b": 1}'), (11, '{"a": [{"b": 1, "\u0062": 2}]}'), (12, '[-0.5, -0.0]'), (13, '{"a": 1');
SELECT standardize_event_column('b', 'payload');
SELECT * FROM event_column_conflicts('b', 'payload', 'data');
DELETE FROM b WHERE id NOT IN (1, 8, 10);
ALTER TABLE b ADD CONSTRAINT not_empty CHECK (payload <> '');
SELECT standardize_event_column('b', 'payload');
ALTER TABLE b DROP CONSTRAINT not_empty;
CREATE VIEW b_view AS SELECT payload FROM b;
SELECT standardize_event_column('b', 'payload');
DROP VIEW b_view;
SELECT standardize_event_column('b', 'payload', view_name => 'one.two.three');
SELECT standardize_event_column('b', 'payload', view_name => 'a');
SELECT standardize_event_column('b', 'payload', 'data', '"Old B"');
\d b
INSERT INTO b (id) VALUES (20);
TABLE b;
SELECT col_description('b'::regclass, 2);
SELECT count(*) FROM "Old B" WHERE payload @> '{"a": 1}';
-- json, changed in place
CREATE TABLE c (data json);
INSERT INTO c VALUES ('{"b": 1.0, "a": [1.10, 2]}');
SELECT standardize_event_column('c', 'data');
SELECT data, pg_typeof(data) FROM c;

-- both columns: merged if they do not contradict each other
CREATE TABLE d (id int, sub int, body json, data jsonb, PRIMARY KEY (id, sub));
INSERT INTO d VALUES (1, 1, '{"a": 1}', NULL), (1, 2, NULL, '{}'), (1, 3, '{"b": 1, "a": 1}', '{"a": 1, "b": 1}'),
  (1, 4, '{"a": 2}', '{"a": 1}'), (1, 5, '{"a": 1, "a": 1}', NULL), (1, 6, '{"a": 1}', '{"a": 1.0}'), (1, 7, NULL, NULL), (1, 8, '"\u0000"', '{}');
CREATE INDEX d_body ON d (id) WHERE body IS NOT NULL;
CREATE VIEW d_view AS SELECT body FROM d;
ALTER TABLE d ALTER body SET DEFAULT '{}', ALTER data SET DEFAULT '[]';
COMMENT ON COLUMN d.body IS 'one';
COMMENT ON COLUMN d.data IS 'two';
GRANT SELECT (body) ON d TO PUBLIC;
SELECT standardize_event_column('d', 'body');
DROP INDEX d_body;
DROP VIEW d_view;
ALTER TABLE d ALTER data DROP DEFAULT;
COMMENT ON COLUMN d.data IS NULL;
REVOKE SELECT (body) ON d FROM PUBLIC;
SELECT standardize_event_column('d', 'body');
DELETE FROM d WHERE sub IN (4, 5, 6, 8);
SELECT standardize_event_column('d', 'body');
SELECT * FROM d ORDER BY sub;
INSERT INTO d VALUES (2, 1);
SELECT data, col_description('d'::regclass, 4) FROM d WHERE id = 2;
-- NOT NULL is kept
CREATE TABLE e (body text NOT NULL, data jsonb);
INSERT INTO e VALUES ('{"a": 1}');
SELECT standardize_event_column('e', 'body');
\d e
-- partitions and children
CREATE TABLE parted (id int, doc text) PARTITION BY RANGE (id);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (10);
CREATE TABLE parted_2 PARTITION OF parted FOR VALUES FROM (10) TO (20);
INSERT INTO parted VALUES (1, '{"a": 1}'), (11, 'x');
SELECT standardize_event_column('parted', 'doc');
SELECT standardize_event_column('parted_1', 'doc');
DELETE FROM parted WHERE id = 11;
SELECT standardize_event_column('parted', 'doc');
TABLE parted_1;
ALTER TABLE parted ADD COLUMN doc json;
CREATE INDEX ON parted_2 ((doc ->> 'a'));
SELECT standardize_event_column('parted', 'doc');

-- errors
SELECT standardize_event_column('d', 'id');
SELECT standardize_event_column('d', 'nope');
SELECT standardize_event_column('d', 'nope', 'neither');
SELECT standardize_event_column('a_view', 'payload');
SELECT standardize_event_column('d', NULL);
CREATE TABLE f (body json, data text);
SELECT standardize_event_column('f', 'body');

-- users' functions and triggers run under the search_path of the caller
CREATE TABLE noted (operation text);
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS
  $$ BEGIN INSERT INTO noted VALUES (TG_OP); RETURN new; END $$;
CREATE TABLE g (id int PRIMARY KEY, event_type text DEFAULT 'columns', schema_version int DEFAULT 1, body text, data jsonb);
CREATE TRIGGER note BEFORE UPDATE ON g FOR EACH ROW EXECUTE FUNCTION note();
INSERT INTO g (id, body) VALUES (1, '{}');
SELECT standardize_event_column('g', 'body');
TABLE noted;
CREATE FUNCTION as_event(jsonb) RETURNS jsonb LANGUAGE plpgsql AS 'BEGIN RETURN $1 || inner_part(); END';
CREATE FUNCTION inner_part() RETURNS jsonb LANGUAGE sql AS $$SELECT '{"id": 1}'::jsonb$$;
SELECT register_event_schema('columns', 1, '{"required": ["id"]}'), register_event_schema('columns', 2, '{"required": ["id"]}');
SELECT * FROM audit_events('g', 'as_event(data)');
SELECT * FROM audit_events('g');
SELECT * FROM check_event_upgrade('g', 'columns', 1, 2, 'as_event(data)');
SELECT add_event_check('g', 'as_event(data)', audit => true);
SELECT validate_event_check('g');
SELECT create_event_view('g_view', 'g', 'columns', 1, 'as_event(data)');
SELECT document FROM g_view;
SELECT data FROM g_view;

SET client_min_messages = warning;
DROP SCHEMA rollout CASCADE;
SELECT drop_event_schema('columns', 1), drop_event_schema('columns', 2);

-- merging in batches: readers and writers of both columns continue
CREATE SCHEMA merging;
SET search_path = merging, public;
CREATE TABLE merged (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, payload json NOT NULL DEFAULT '{"new": 0}', note text);
COMMENT ON COLUMN merged.payload IS 'the event';
INSERT INTO merged (payload) SELECT json_build_object('i', i) FROM generate_series(1, 2500) AS i;
INSERT INTO merged (payload) VALUES ('{"a": 1, "a": 2}');
-- the first part stays where it ends with an error: the new column and the trigger
CALL merge_event_column('merged', 'payload', batch_size => 700);
SELECT tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE tgrelid = 'merged'::regclass;
INSERT INTO merged (payload) VALUES ('{"old": 1}') RETURNING payload, data;
INSERT INTO merged (data) VALUES ('{"new": 1}') RETURNING payload, data;
INSERT INTO merged (payload, data) VALUES ('{ "both":1}', '{"both": 1}') RETURNING payload, data;
INSERT INTO merged DEFAULT VALUES RETURNING payload, data;
INSERT INTO merged (payload, data) VALUES ('{"both": 1}', '{"both": 2}');
UPDATE merged SET payload = '{"i": "old"}' WHERE id = 1 RETURNING payload, data;
UPDATE merged SET data = '{"i": "new"}' WHERE id = 1 RETURNING payload, data;
UPDATE merged SET note = 'filled' WHERE id = 2 RETURNING payload, data;
-- a document that jsonb cannot hold is written, and refused in the end
UPDATE merged SET payload = '{"b": 1, "b": 2}' WHERE id = 2 RETURNING payload, data;
CALL merge_event_column('merged', 'payload', batch_size => 700);
UPDATE merged SET payload = payload::jsonb::json WHERE id IN (2, 2501) RETURNING id, payload, data;
-- not in a transaction block
BEGIN;
CALL merge_event_column('merged', 'payload');
ROLLBACK;
CALL merge_event_column('merged', 'payload', batch_size => 700, view_name => 'as_before');
SELECT attname, atttypid::regtype, attnotnull, pg_get_expr(d.adbin, d.adrelid) AS default_value, col_description(attrelid, attnum) AS comment
  FROM pg_attribute AS a LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
  WHERE attrelid = 'merged'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum;
SELECT count(*), count(*) FILTER (WHERE data = jsonb_build_object('i', id)) AS same FROM merged;
SELECT id, payload FROM as_before WHERE id IN (1, 2, 2501) OR id > 2501 ORDER BY id;
SELECT conname FROM pg_constraint WHERE conrelid = 'merged'::regclass AND contype = 'c';
SELECT tgname FROM pg_trigger WHERE tgrelid = 'merged'::regclass;
CALL merge_event_column('merged', 'payload');
CALL merge_event_column('merged', 'data', 'data');
CALL merge_event_column('merged', 'note', batch_size => 0);
CALL merge_event_column(NULL, 'note');

-- a partitioned table, with a column of text, and with documents in both columns
CREATE TABLE merged_parts (id int, payload varchar(20), data jsonb) PARTITION BY RANGE (id);
CREATE TABLE merged_part_1 PARTITION OF merged_parts FOR VALUES FROM (0) TO (100);
CREATE TABLE merged_part_2 PARTITION OF merged_parts FOR VALUES FROM (100) TO (300);
INSERT INTO merged_parts SELECT i, CASE WHEN i % 5 > 0 THEN '{"i":' || i || '}' END, CASE WHEN i % 3 = 0 THEN jsonb_build_object('i', i) END FROM generate_series(1, 299) AS i;
CREATE INDEX ON merged_parts (payload);
CALL merge_event_column('merged_parts', 'payload');
DROP INDEX merged_parts_payload_idx;
CALL merge_event_column('merged_part_1', 'payload');
CALL merge_event_column('merged_parts', 'payload');
SELECT count(*), count(data), bool_and(data = jsonb_build_object('i', id)) AS same FROM merged_parts;
SELECT attname FROM pg_attribute WHERE attrelid = 'merged_part_1'::regclass AND attnum > 0 AND NOT attisdropped;
-- a trigger of one partition, which changes the old column after the merge's trigger
CREATE TABLE merged_alone (id int, payload text) PARTITION BY RANGE (id);
CREATE TABLE merged_alone_1 PARTITION OF merged_alone FOR VALUES FROM (0) TO (100);
CREATE TABLE merged_alone_2 PARTITION OF merged_alone FOR VALUES FROM (100) TO (200);
CREATE FUNCTION overwrite_payload() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN NEW.payload := '{"over": 1}'; RETURN NEW; END$$;
CREATE TRIGGER zzzz BEFORE INSERT ON merged_alone_2 FOR EACH ROW EXECUTE FUNCTION overwrite_payload();
INSERT INTO merged_alone VALUES (1, '{}'), (100, '{}');
CALL merge_event_column('merged_alone', 'payload');
SELECT attname FROM pg_attribute WHERE attrelid = 'merged_alone'::regclass AND attnum > 0 ORDER BY attnum;
-- the same trigger, created before the last step
DROP TRIGGER zzzz ON merged_alone_2;
SELECT _event_validate.run_event_column_step('merged_alone', 'payload', 'data', 'start', NULL);
UPDATE merged_alone SET data = data;
SELECT _event_validate.run_event_column_step('merged_alone', 'payload', 'data', 'check', NULL);
SELECT _event_validate.validate_event_columns('merged_alone');
CREATE TRIGGER zzzz BEFORE INSERT ON merged_alone_2 FOR EACH ROW EXECUTE FUNCTION overwrite_payload();
INSERT INTO merged_alone VALUES (101, '{"a": 1}') RETURNING payload, data;
SELECT _event_validate.run_event_column_step('merged_alone', 'payload', 'data', 'switch', NULL);
DROP TRIGGER zzzz ON merged_alone_2;
CALL merge_event_column('merged_alone', 'payload');
-- the blocks of a batch, before and after the table was analyzed
CREATE TABLE merged_blocks (id int, payload text) WITH (autovacuum_enabled = off);
SELECT _event_validate.event_column_next_block('merged_blocks', 10, 1000, 200) AS unknown;
INSERT INTO merged_blocks (id) SELECT generate_series(1, 1000);
SELECT _event_validate.event_column_next_block('merged_blocks', 10, 1000, 200) AS unknown;
ANALYZE merged_blocks;
SELECT _event_validate.event_column_next_block('merged_blocks', 10, 1000, 10000) - 10 IN (SELECT round(10000 / (1000.0 / relpages)) FROM pg_class WHERE oid = 'merged_blocks'::regclass) AS known,
  _event_validate.event_column_next_block('merged_blocks', 10, 1000, 1) AS at_least_one,
  _event_validate.event_column_next_block('merged_blocks', 999, 1000, 10000) AS last,
  _event_validate.event_column_next_block('merged_blocks', 1000, 1000, 10000) AS none;
-- defaults: that of the table which the INSERT names, not that of the partition
CREATE TABLE merged_defaults (id int, payload json, data jsonb DEFAULT '{"of": "root"}') PARTITION BY RANGE (id);
CREATE TABLE merged_defaults_0 (dropped text, data jsonb DEFAULT '{"of": "middle"}', id int, payload json) PARTITION BY RANGE (id);
ALTER TABLE merged_defaults_0 DROP dropped;
CREATE TABLE merged_defaults_1 (payload json, data jsonb DEFAULT '{"of": "leaf"}', id int);
ALTER TABLE merged_defaults_0 ATTACH PARTITION merged_defaults_1 FOR VALUES FROM (0) TO (100);
ALTER TABLE merged_defaults ATTACH PARTITION merged_defaults_0 FOR VALUES FROM (0) TO (100);
SELECT _event_validate.run_event_column_step('merged_defaults', 'payload', 'data', 'start', NULL);
INSERT INTO merged_defaults (id, payload) VALUES (1, '{"a": 1}') RETURNING payload, data;
INSERT INTO merged_defaults_0 (id, payload) VALUES (2, '{"a": 2}') RETURNING payload, data;
INSERT INTO merged_defaults_1 (id, payload) VALUES (3, '{"a": 3}') RETURNING payload, data;
INSERT INTO merged_defaults (id, payload, data) VALUES (4, '{"a": 4}', '{"b": 4}');
ALTER TABLE merged_defaults ALTER payload SET DEFAULT '{"of": "root"}';
INSERT INTO merged_defaults (id, data) VALUES (5, '{"a": 5}') RETURNING payload, data;
INSERT INTO merged_defaults (id) VALUES (6) RETURNING payload, data;
DROP TABLE merged_defaults;
-- a volatile default has another value when it is computed again
CREATE TABLE merged_volatile (id int, payload json, data jsonb) PARTITION BY RANGE (id);
CREATE TABLE merged_volatile_1 PARTITION OF merged_volatile FOR VALUES FROM (0) TO (100);
INSERT INTO merged_volatile VALUES (1, '{"a": 1}');
ALTER TABLE merged_volatile ALTER data SET DEFAULT jsonb_build_object('id', gen_random_uuid());
CALL merge_event_column('merged_volatile', 'payload');
ALTER TABLE ONLY merged_volatile ALTER data DROP DEFAULT;
CALL merge_event_column('merged_volatile', 'payload');
ALTER TABLE merged_volatile ALTER data DROP DEFAULT;
ALTER TABLE ONLY merged_volatile ALTER payload SET DEFAULT json_build_object('at', clock_timestamp());
CALL merge_event_column('merged_volatile', 'payload');
SELECT count(*) FROM pg_trigger WHERE tgrelid = 'merged_volatile'::regclass;
-- now() is not volatile
ALTER TABLE merged_volatile ALTER payload DROP DEFAULT, ALTER data SET DEFAULT jsonb_build_object('at', now());
SELECT _event_validate.run_event_column_step('merged_volatile', 'payload', 'data', 'start', NULL);
INSERT INTO merged_volatile (id, payload) VALUES (2, '{"a": 2}') RETURNING payload, data;
CALL merge_event_column('merged_volatile', 'payload');
SELECT id, data FROM merged_volatile ORDER BY id;
-- a generated column is computed after the trigger
CREATE TABLE merged_generated (src jsonb, payload text GENERATED ALWAYS AS (src::text) STORED, made jsonb GENERATED ALWAYS AS (src) STORED, legacy text);
INSERT INTO merged_generated (src) VALUES ('{}');
CALL merge_event_column('merged_generated', 'payload');
CALL merge_event_column('merged_generated', 'payload', 'payload');
CALL merge_event_column('merged_generated', 'legacy', 'made');
INSERT INTO merged_generated (src) VALUES ('{}') RETURNING payload;
ALTER TABLE merged_generated ALTER payload DROP EXPRESSION;
CALL merge_event_column('merged_generated', 'payload');
SELECT src, data FROM merged_generated;
-- what partitions have of their own
CREATE TABLE merged_own (id int, payload text DEFAULT '{"of": "all"}', data jsonb) PARTITION BY RANGE (id);
CREATE TABLE merged_own_1 PARTITION OF merged_own FOR VALUES FROM (0) TO (100) PARTITION BY RANGE (id);
CREATE TABLE merged_own_11 PARTITION OF merged_own_1 FOR VALUES FROM (0) TO (10);
CREATE TABLE merged_own_2 PARTITION OF merged_own FOR VALUES FROM (100) TO (200);
INSERT INTO merged_own VALUES (1, '{"a": 1}');
ALTER TABLE ONLY merged_own_1 ALTER payload SET DEFAULT '{"of": "middle"}';
ALTER TABLE merged_own_11 ALTER payload SET DEFAULT '{"of": "leaf"}';
ALTER TABLE merged_own_2 ALTER payload DROP DEFAULT, ALTER data SET DEFAULT '{"of": "data"}';
COMMENT ON COLUMN merged_own_2.payload IS 'of the partition';
GRANT SELECT (payload) ON merged_own_11 TO PUBLIC;
SELECT standardize_event_column('merged_own', 'payload');
CALL merge_event_column('merged_own', 'payload');
SELECT standardize_event_column('merged_own', 'payload', 'payload');
ALTER TABLE ONLY merged_own_1 ALTER payload DROP DEFAULT;
ALTER TABLE merged_own_11 ALTER payload SET DEFAULT '{"of": "all"}';
ALTER TABLE merged_own_2 ALTER data DROP DEFAULT;
COMMENT ON COLUMN merged_own_2.payload IS NULL;
REVOKE SELECT (payload) ON merged_own_11 FROM PUBLIC;
CALL merge_event_column('merged_own', 'payload');
SELECT attrelid::regclass, pg_get_expr(d.adbin, d.adrelid) FROM pg_attribute AS a LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
  WHERE attrelid::regclass::text LIKE 'merged_own%' AND attname = 'data' ORDER BY 1;
-- a varchar for which a new document is too long as text
CREATE TABLE merged_short (payload varchar(10));
INSERT INTO merged_short VALUES ('{"a":1}');
SELECT _event_validate.run_event_column_step('merged_short', 'payload', 'data', 'start', NULL);
INSERT INTO merged_short (data) VALUES ('{"a": 1}') RETURNING payload, data;
INSERT INTO merged_short (data) VALUES ('{"a": 1, "b": 2}');
CALL merge_event_column('merged_short', 'payload');
INSERT INTO merged_short (data) VALUES ('{"a": 1, "b": 2}');
-- what it cannot keep in step
CREATE TABLE merged_parent (payload text);
CREATE TABLE merged_child () INHERITS (merged_parent);
CALL merge_event_column('merged_parent', 'payload');
CREATE TABLE merged_later (payload text, data jsonb);
INSERT INTO merged_later VALUES ('{"a": 1}');
CREATE TRIGGER zzzz BEFORE UPDATE ON merged_later FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger();
CALL merge_event_column('merged_later', 'payload');
ALTER TRIGGER zzzz ON merged_later RENAME TO a;
CALL merge_event_column('merged_later', 'payload');
DROP TRIGGER a ON merged_later;
SELECT add_event_guard('merged_later', 'off', 'payload::jsonb', $$'none'$$, '1');
CALL merge_event_column('merged_later', 'payload');
SELECT drop_event_guard('merged_later');
CALL merge_event_column('merged_later', 'payload');
TABLE merged_later;
-- a trigger of this name that does less is not taken for it
CREATE TABLE merged_otherwise (payload text, data jsonb);
CREATE TRIGGER zzy_event_column_merge BEFORE INSERT ON merged_otherwise FOR EACH ROW EXECUTE FUNCTION _event_validate.keep_event_columns('payload', 'data');
CALL merge_event_column('merged_otherwise', 'payload');
-- a column that was renamed or changed meanwhile
ALTER TABLE merged_otherwise RENAME payload TO body;
INSERT INTO merged_otherwise VALUES ('{}');
ALTER TABLE merged_otherwise RENAME body TO payload;
ALTER TABLE merged_otherwise ALTER data TYPE text;
INSERT INTO merged_otherwise VALUES ('{}');
SELECT _event_validate.keep_event_columns();
-- a constraint of this name that says something else is not taken for it
CREATE TABLE merged_taken (payload text, data jsonb, other int CONSTRAINT event_column_merge CHECK (other IS NULL OR other > 0));
INSERT INTO merged_taken VALUES ('{}');
CALL merge_event_column('merged_taken', 'payload');
SELECT has_trigger, has_check, is_complete FROM _event_validate.event_column_merge('merged_taken', 'payload', 'data');
ALTER TABLE merged_taken DROP CONSTRAINT event_column_merge, ADD CONSTRAINT event_column_merge CHECK (other IS NULL OR data IS NOT NULL);
SELECT has_trigger, has_check, is_complete FROM _event_validate.event_column_merge('merged_taken', 'payload', 'data');
ALTER TABLE merged_taken DROP CONSTRAINT event_column_merge;
CALL merge_event_column('merged_taken', 'payload');
SELECT * FROM merged_taken;
-- the constraint of an earlier call counts, also for names that need quotes
CREATE TABLE merged_quoted ("Pay""load" text, "Da""ta" jsonb, CONSTRAINT event_column_merge CHECK ("Pay""load" IS NULL OR "Da""ta" IS NOT NULL));
SELECT has_check, is_complete FROM _event_validate.event_column_merge('merged_quoted', 'Pay"load', 'Da"ta');
SELECT has_check, is_complete FROM _event_validate.event_column_merge('merged_quoted', 'Da"ta', 'Pay"load');
ALTER TABLE merged_quoted DROP CONSTRAINT event_column_merge, ADD CONSTRAINT event_column_merge CHECK ("Da""ta" IS NOT NULL);
SELECT has_check, is_complete FROM _event_validate.event_column_merge('merged_quoted', 'Pay"load', 'Da"ta');
-- in place: the column keeps its name; its check and its guard are moved without a gap
SELECT register_event_schema('merging', 1, '{"required": ["a"]}');
CREATE TABLE merged_place (id int PRIMARY KEY, body text NOT NULL DEFAULT '{"a": 0}', note text);
COMMENT ON COLUMN merged_place.body IS 'the event';
INSERT INTO merged_place SELECT i, '{"a":' || i || '}' FROM generate_series(1, 500) AS i;
SELECT add_event_check('merged_place', 'body', $$'merging'$$, '1'), add_event_guard('merged_place', 'quarantine');
CREATE INDEX merged_place_a ON merged_place ((body::json ->> 'a'));
CALL merge_event_column('merged_place', 'body', 'body', batch_size => 100);
SELECT add_event_check('merged_place', 'event_column_merge', $$'merging'$$, '1');
SELECT add_event_guard('merged_place', 'quarantine', 'event_column_merge', $$'merging'$$, '1');
CREATE INDEX merged_place_b ON merged_place ((event_column_merge ->> 'a'));
-- nothing is unchecked meanwhile, and what the call needs stays away
INSERT INTO merged_place VALUES (501, '{}') RETURNING id;
UPDATE merged_place SET body = '{}' WHERE id = 1;
CALL merge_event_column('merged_place', 'body', 'body', batch_size => 100);
SELECT drop_event_check('merged_place', 'merged_place_event_check');
DROP INDEX merged_place_a;
CALL merge_event_column('merged_place', 'body', 'body', batch_size => 100);
\d merged_place
SELECT count(*) FILTER (WHERE body = jsonb_build_object('a', id)) AS same, col_description('merged_place'::regclass, 4) AS comment FROM merged_place;
INSERT INTO merged_place VALUES (502), (503) RETURNING id, body;
INSERT INTO merged_place (id, body) VALUES (504, '{}') RETURNING id;
SELECT id, name, data_expr, validated FROM event_enforcement, (VALUES (1)) AS v (id) WHERE relation = 'merged_place'::regclass;
CALL merge_event_column('merged_place', 'body', 'body');
CALL merge_event_column('merged_place', 'nope', 'nope');
SELECT purge_event_quarantine('0', 'merged_place'), drop_event_guard('merged_place');
-- it continues, also after the check was added; and a partitioned table with a view
CREATE TABLE merged_places (id int, body json) PARTITION BY RANGE (id);
CREATE TABLE merged_places_1 PARTITION OF merged_places FOR VALUES FROM (0) TO (100);
CREATE TABLE merged_places_2 (extra int, body json, id int);
ALTER TABLE merged_places_2 DROP extra;
ALTER TABLE merged_places ATTACH PARTITION merged_places_2 FOR VALUES FROM (100) TO (200);
INSERT INTO merged_places SELECT i, json_build_object('a', i) FROM generate_series(1, 199) AS i;
SELECT _event_validate.run_event_column_step('merged_places', 'body', 'event_column_merge', 'start', NULL);
UPDATE merged_places SET id = id WHERE id % 2 = 0;
CALL merge_event_column('merged_places_1', 'body', 'body');
SELECT _event_validate.run_event_column_step('merged_places', 'body', 'event_column_merge', 'check', NULL);
CALL merge_event_column('merged_places', 'body', 'body', view_name => 'places_as_before');
SELECT count(*) FILTER (WHERE body = jsonb_build_object('a', id)) AS same, count(*) FROM places_as_before;
SELECT attrelid::regclass, attname, atttypid::regtype FROM pg_attribute
  WHERE attrelid IN ('merged_places'::regclass, 'merged_places_1'::regclass, 'merged_places_2'::regclass) AND attnum > 0 AND NOT attisdropped ORDER BY 1, attnum;
-- a document that jsonb cannot hold
CREATE TABLE merged_lossy (body text);
INSERT INTO merged_lossy VALUES ('{"a": 1, "a": 2}'), ('{"a": 3}');
CALL merge_event_column('merged_lossy', 'body', 'body');
UPDATE merged_lossy SET body = '{"a": 2}' WHERE body LIKE '%2%';
CALL merge_event_column('merged_lossy', 'body', 'body');
SELECT body, pg_typeof(body) FROM merged_lossy ORDER BY 1;
DROP SCHEMA merging CASCADE;
SELECT drop_event_schema('merging', 1);
-- event_progress has the command while an index is built anew
CREATE SEQUENCE shown;
CREATE TABLE indexed (id int, payload text);
CREATE FUNCTION note_shown() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_stat_clear_snapshot();
  PERFORM setval('shown', 1) FROM event_progress
    WHERE pid = pg_backend_pid() AND command = 'standardize' AND phase = 'changing the table' AND relation = 'indexed'::regclass;
END $$;
CREATE FUNCTION noting(i int) RETURNS int LANGUAGE plpgsql IMMUTABLE SET search_path = public AS $$ BEGIN PERFORM note_shown(); RETURN i; END $$;
INSERT INTO indexed VALUES (1, '{}');
CREATE INDEX ON indexed (id);
CREATE INDEX ON indexed (noting(id));
SELECT is_called FROM shown;
SELECT standardize_event_column('indexed', 'payload');
SELECT is_called FROM shown;
DROP TABLE indexed;
DROP FUNCTION noting(int), note_shown();
DROP SEQUENCE shown;
