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
