-- Replay and purge: valid rows move, others stay, and no row is lost.
CREATE SCHEMA guard_replay;
SET search_path = guard_replay, public;
SELECT register_event_schema('replay', 1, '{"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}}');
SELECT register_event_schema('other', 1, '{"type": "object", "required": ["n"]}');
CREATE TABLE events (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, event_type text DEFAULT 'replay', schema_version int DEFAULT 2, data jsonb,
  doubled int GENERATED ALWAYS AS ((data ->> 'n')::int * 2) STORED);
CREATE TABLE others (LIKE events INCLUDING ALL);
SELECT add_event_guard('events', 'quarantine'), add_event_guard('others', 'quarantine');
TRUNCATE event_schema.quarantine RESTART IDENTITY;
CREATE VIEW counts AS SELECT (SELECT count(*) FROM events) AS events, (SELECT count(*) FROM others) AS others, count(*) AS quarantine FROM event_quarantine;
INSERT INTO events (data) SELECT jsonb_build_object('n', i) FROM generate_series(1, 1000) i;
INSERT INTO others (event_type, schema_version, data) SELECT 'other', 1, '{}' FROM generate_series(1, 10) i;
SELECT * FROM counts;
SELECT * FROM replay_event_quarantine();
CREATE FUNCTION nothing_to_do(event jsonb) RETURNS jsonb LANGUAGE sql AS 'SELECT NULL::jsonb';
-- half of them are valid now
SELECT register_event_schema('replay', 2, '{"type": "object", "required": ["n"], "properties": {"n": {"type": "integer", "multipleOf": 2}}}', breaking => true);
SELECT * FROM replay_event_quarantine('events', max_rows => 0);
-- ten are tried, with any result; the next call continues from there
SELECT * FROM replay_event_quarantine('events', max_rows => 10);
SELECT * FROM replay_event_quarantine('events', max_rows => 10, after_id => 10);
DO $$
DECLARE
  result record;
  place bigint;
  calls int := 0;
BEGIN
  LOOP
    SELECT * INTO result FROM replay_event_quarantine('events', max_rows => 100, after_id => place, repair => 'nothing_to_do(jsonb)');
    calls := calls + 1;
    EXIT WHEN result.last_id IS NULL;
    place := result.last_id;
  END LOOP;
  RAISE INFO '% calls, the last one from %', calls, place;
END
$$;
SELECT * FROM replay_event_quarantine('events', schema_version => 1);
SELECT * FROM replay_event_quarantine(event_type => 'replay', max_rows => 100);
SELECT * FROM counts;
SELECT * FROM replay_event_quarantine();
SELECT * FROM counts;
-- with their own identities, and with generated columns
SELECT count(*), bool_and((data ->> 'n')::int = id AND doubled = 2 * id) AS same FROM events;
-- with the present violations
SELECT violations -> 0 ->> 'message' AS message, violations -> 0 ->> 'keyword' AS keyword FROM event_quarantine WHERE event_type = 'replay' ORDER BY id LIMIT 2;

-- repairs get the whole row; after null the row stays
CREATE FUNCTION repair(event jsonb) RETURNS jsonb LANGUAGE sql AS $$
  SELECT CASE WHEN (event ->> 'id')::int > 500 THEN NULL WHEN (event ->> 'id')::int > 400 THEN '1' WHEN (event ->> 'id')::int < 300
    THEN jsonb_set(event, '{data,n}', to_jsonb((event -> 'data' ->> 'n')::int * 2)) ELSE event END
$$;
CREATE FUNCTION broken(event jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
  IF (event ->> 'id')::int % 4 = 1 THEN
    RAISE EXCEPTION 'cannot repair %', event -> 'id';
  END IF;
  RETURN event;
END
$$;
CREATE FUNCTION wrong(event text) RETURNS jsonb LANGUAGE sql AS 'SELECT NULL::jsonb';
SELECT * FROM replay_event_quarantine('events', repair => 'wrong(text)');
SELECT * FROM replay_event_quarantine('events', repair => 'broken(jsonb)');
SELECT violations -> 0 ->> 'message' AS message FROM event_quarantine WHERE event_type = 'replay' ORDER BY id LIMIT 2;
SELECT * FROM replay_event_quarantine('events', repair => 'repair(jsonb)');
SELECT violations -> 0 ->> 'message' AS message, count(*), min(("row" ->> 'id')::int) FROM event_quarantine WHERE event_type = 'replay' AND ("row" ->> 'id')::int > 400
  GROUP BY 1 ORDER BY 2 DESC LIMIT 1;
SELECT * FROM counts;
SELECT id, data FROM events WHERE id IN (1, 299, 301);

-- other reasons why a row is not inserted are recorded, and do not affect other rows
INSERT INTO others (event_type, schema_version, data) SELECT 'later', 1, jsonb_build_object('n', i) FROM generate_series(1, 6) i;
SELECT register_event_schema('later', 1, '{}');
ALTER TABLE others ADD CHECK ((data ->> 'n')::int <> 3);
INSERT INTO others (id, event_type, schema_version, data) OVERRIDING SYSTEM VALUE SELECT ("row" ->> 'id')::int, 'later', 1, '{}' FROM event_quarantine WHERE event_type = 'later' AND "row" @> '{"data": {"n": 4}}';
CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER drops BEFORE INSERT ON others FOR EACH ROW WHEN (NEW.data = '{"n": 5}') EXECUTE FUNCTION nothing();
SELECT * FROM replay_event_quarantine(event_type => 'later');
SELECT "row" -> 'data' AS data, violations FROM event_quarantine WHERE event_type = 'later' ORDER BY id;
SELECT data FROM others ORDER BY id;
-- changed tables: a new column gets its default, a dropped generated column is ignored
ALTER TABLE others DROP COLUMN doubled, ADD added text DEFAULT 'new', ADD tags jsonb DEFAULT '[]' NOT NULL, ADD notes jsonb DEFAULT '[]';
DROP TRIGGER drops ON others;
SELECT * FROM replay_event_quarantine(event_type => 'later');
SELECT data, added, tags, notes FROM others WHERE data = '{"n": 5}';
-- a dropped table, and a renamed one
ALTER TABLE others RENAME TO renamed;
SELECT * FROM replay_event_quarantine(event_type => 'later');
SELECT "row" -> 'data' AS data, violations FROM event_quarantine WHERE event_type = 'later' ORDER BY id;
SELECT * FROM replay_event_quarantine('renamed');
UPDATE event_schema.quarantine SET relation_name = 'renamed' WHERE relation_name = 'others';
ALTER TABLE renamed DROP CONSTRAINT others_data_check;
SELECT * FROM replay_event_quarantine('renamed', 'later');
ALTER TABLE renamed RENAME TO others;
UPDATE event_schema.quarantine SET relation_name = 'others' WHERE relation_name = 'renamed';

-- a value of a column that was renamed or dropped is not discarded without a repair
TRUNCATE others;
DELETE FROM event_schema.quarantine;
ALTER TABLE others ADD note text, ADD gone text;
INSERT INTO others (event_type, schema_version, data, note, gone) SELECT 'latest', 1, '{}', n, g FROM (VALUES ('kept', NULL), ('kept', 'dropped'), (NULL, NULL)) AS v (n, g);
SELECT register_event_schema('latest', 1, '{}');
ALTER TABLE others RENAME note TO remark;
ALTER TABLE others DROP gone;
SELECT * FROM replay_event_quarantine('others');
SELECT violations -> 0 ->> 'message' AS message, violations -> 0 ->> 'sqlstate' AS sqlstate FROM event_quarantine ORDER BY id;
CREATE FUNCTION follow(event jsonb) RETURNS jsonb LANGUAGE sql AS $$
  SELECT event - 'note' - 'gone' || jsonb_build_object('remark', event -> 'note')
$$;
SELECT * FROM replay_event_quarantine('others', repair => 'follow(jsonb)');
SELECT remark FROM others ORDER BY id;

-- an invalid row that is inserted by the replay of another one is not lost
ALTER TABLE others DROP remark;
CREATE FUNCTION side_effect() RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO others (event_type, schema_version, data, extra) VALUES ('none', 1, '{}', 'of another');
  RETURN 'from a default';
END
$$;
INSERT INTO others (event_type, schema_version, data) VALUES ('last', 1, '{}');
SELECT register_event_schema('last', 1, '{}');
ALTER TABLE others ADD extra text;
ALTER TABLE others ALTER extra SET DEFAULT side_effect();
SELECT * FROM replay_event_quarantine('others');
SELECT event_type, violations -> 0 ->> 'message' AS message FROM event_quarantine ORDER BY id;
ALTER TABLE others ALTER extra DROP DEFAULT;
-- a repair that replays does not duplicate rows
CREATE FUNCTION replays(event jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
  PERFORM replay_event_quarantine('others');
  RETURN event;
END
$$;
ALTER TABLE others DROP CONSTRAINT IF EXISTS others_pkey;
SELECT * FROM replay_event_quarantine('others', repair => 'replays(jsonb)');
SELECT count(*) FROM others WHERE event_type = 'last';
SELECT * FROM replay_event_quarantine('others');
SELECT count(*) FROM others WHERE event_type = 'last';
ALTER TABLE others DROP extra;
-- documents that are no row stay
INSERT INTO others (event_type, schema_version, data) VALUES ('none', 1, '{}'), ('none', 1, '{}');
UPDATE event_schema.quarantine SET "row" = CASE id % 2 WHEN 0 THEN '["data"]' ELSE '7' END::jsonb;
SELECT * FROM replay_event_quarantine('others');
SELECT DISTINCT violations FROM event_quarantine;
TRUNCATE event_schema.quarantine;
-- rows that a rule discards stay in the quarantine
INSERT INTO others (event_type, schema_version, data) VALUES ('ruled', 1, '{"ruled": 1}'), ('ruled', 1, '{}');
SELECT register_event_schema('ruled', 1, '{}');
CREATE RULE keeps_out AS ON INSERT TO others DO INSTEAD NOTHING;
SELECT * FROM replay_event_quarantine('others');
CREATE OR REPLACE RULE keeps_out AS ON INSERT TO others WHERE NEW.data ? 'ruled' DO INSTEAD NOTHING;
SELECT * FROM replay_event_quarantine('others');
SELECT "row" -> 'data' AS data, violations -> 0 ->> 'message' AS message FROM event_quarantine ORDER BY id;
DROP RULE keeps_out ON others;
CREATE RULE swallows AS ON INSERT TO event_schema.quarantine DO INSTEAD NOTHING;
INSERT INTO others (event_type, schema_version, data) VALUES ('ruled', 2, '{}');
DROP RULE swallows ON event_schema.quarantine;

-- in every mode of the guard, a replay inserts only valid rows
DELETE FROM event_schema.quarantine;
TRUNCATE others, events;
INSERT INTO others (event_type, schema_version, data) VALUES ('other', 1, '{}'), ('other', 2, '{}');
SELECT set_event_guard_mode('others', 'enforce');
SELECT * FROM replay_event_quarantine('others');
SELECT set_event_guard_mode('others', 'warn');
SELECT * FROM replay_event_quarantine('others');
SELECT set_event_guard_mode('others', 'off');
SELECT * FROM replay_event_quarantine('others');
SELECT * FROM counts;
SELECT kept, count(*) FROM event_quarantine GROUP BY 1;
-- rows inserted by triggers during a replay are guarded as usual
CREATE FUNCTION echo() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF pg_trigger_depth() < 2 THEN
    INSERT INTO others (event_type, schema_version, data) VALUES ('other', 3, '"echo"');
  END IF;
  RETURN NEW;
END
$$;
CREATE TRIGGER echoes BEFORE INSERT ON others FOR EACH ROW EXECUTE FUNCTION echo();
SELECT register_event_schema('other', 2, '{}');
SELECT set_event_guard_mode('others', 'quarantine');
SELECT * FROM replay_event_quarantine('others', schema_version => 2);
SELECT schema_version, "row" -> 'data' AS data FROM event_quarantine ORDER BY id;
DROP TRIGGER echoes ON others;
-- without a guard only the table's constraints count
SELECT drop_event_guard('others');
SELECT * FROM replay_event_quarantine('others');
SELECT * FROM counts;
SELECT * FROM replay_event_quarantine(max_rows => NULL);
SELECT * FROM replay_event_quarantine(max_rows => -1);

-- partitions
CREATE TABLE parts (id int, event_type text, schema_version int, data jsonb) PARTITION BY RANGE (id);
CREATE TABLE part_1 PARTITION OF parts FOR VALUES FROM (0) TO (10);
SELECT add_event_guard('parts', 'quarantine');
INSERT INTO parts VALUES (1, 'part', 1, '1'), (2, 'part', 1, '2');
DROP TABLE part_1;
CREATE TABLE part_a PARTITION OF parts FOR VALUES FROM (0) TO (2);
SELECT register_event_schema('part', 1, '{}');
SELECT * FROM replay_event_quarantine('parts');
SELECT violations FROM event_quarantine;
CREATE TABLE part_b PARTITION OF parts FOR VALUES FROM (2) TO (20);
SELECT * FROM replay_event_quarantine('parts');
SELECT tableoid::regclass, id FROM parts ORDER BY id;

-- a dry run lists each event and the reason why it would stay, and changes nothing
DELETE FROM event_schema.quarantine;
TRUNCATE events;
SELECT register_event_schema('tried', 1, '{"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}}');
CREATE TABLE effects (number int);
CREATE SEQUENCE effect_numbers;
CREATE FUNCTION leave_effect() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO effects VALUES (nextval('effect_numbers'));
  SET LOCAL lock_timeout = '1h';
  NOTIFY effects;
  IF NEW.data @> '{"n": 13}' THEN
    RAISE EXCEPTION 'thirteen';
  END IF;
  RETURN NEW;
END
$$;
CREATE TRIGGER leaves_effect AFTER INSERT ON events FOR EACH ROW EXECUTE FUNCTION leave_effect();
SELECT set_event_guard_mode('events', 'quarantine');
INSERT INTO events (event_type, schema_version, data) VALUES ('tried', 1, '{}'), ('tried', 1, '{"n": "text"}'), ('tried', 1, '{"m": 3}'), ('tried', 1, '{"m": 13}');
INSERT INTO parts VALUES (3, 'tried', 1, '{}'), (13, 'tried', 1, '{"n": 1.5}');
CREATE FUNCTION fill_in(event jsonb) RETURNS jsonb LANGUAGE sql AS $$
  SELECT CASE WHEN event -> 'data' ? 'm' THEN jsonb_set(event, '{data,n}', event -> 'data' -> 'm') WHEN event -> 'data' ? 'n' THEN event END
$$;
CREATE TABLE before AS SELECT *, xmin AS row_xmin FROM event_schema.quarantine;
SELECT min(id) - 1 AS base FROM event_schema.quarantine \gset
SELECT relation_name, replayed, remaining, last_id - :base AS last_id, problem, event_id - :base AS event_id, stored, violations -> 0 ->> 'message' AS message
  FROM replay_event_quarantine(repair => 'fill_in', dry_run => true);
SELECT relation_name, replayed, remaining, last_id - :base AS last_id, problem, event_id - :base AS event_id, stored, violations -> 0 ->> 'message' AS message
  FROM replay_event_quarantine('events', repair => 'fill_in', max_rows => 3, dry_run => true);
SELECT count(*), count(*) FILTER (WHERE b.row_xmin = q.xmin AND b.violations = q.violations) AS unchanged
  FROM before AS b FULL JOIN event_schema.quarantine AS q USING (id);
SELECT (SELECT count(*) FROM events) AS events, (SELECT count(*) FROM effects) AS effects, nextval('effect_numbers') AS next;
BEGIN;
SELECT count(*) FROM replay_event_quarantine('events', repair => 'fill_in', dry_run => true);
SHOW lock_timeout;
-- locks of the dry run are released
SELECT l.relation::regclass, l.mode FROM pg_locks AS l WHERE l.pid = pg_backend_pid() AND l.relation IN ('events'::regclass, 'event_schema.quarantine'::regclass);
COMMIT;
-- a table with a problem has no rows of events
ALTER TABLE parts RENAME TO other_parts;
SELECT relation_name, replayed, remaining, problem, event_id - :base AS event_id FROM replay_event_quarantine(dry_run => true) WHERE relation_name = 'parts';
ALTER TABLE other_parts RENAME TO parts;
SELECT * FROM replay_event_quarantine('events', dry_run => NULL);

-- events by their ids
SELECT relation_name, replayed, remaining, event_id - :base AS event_id, stored
  FROM replay_event_quarantine(repair => 'fill_in', ids => ARRAY[:base + 2, :base + 3, :base + 3, NULL, :base + 5, :base + 99], dry_run => true);
SELECT relation_name, replayed, remaining FROM replay_event_quarantine(repair => 'fill_in', ids => ARRAY[:base + 2, :base + 3]);
SELECT relation_name, replayed, remaining FROM replay_event_quarantine('events', ids => ARRAY[:base + 3, :base + 5]);
SELECT relation_name, replayed, remaining FROM replay_event_quarantine('events', 'other', ids => ARRAY[:base + 1]);
SELECT relation_name, replayed, remaining FROM replay_event_quarantine('events', ids => '{}');
SELECT data FROM events;
SELECT id - :base AS id, violations FROM event_quarantine ORDER BY id;

-- purge by reason: events that have a violation with these members
SELECT purge_event_quarantine('0', reason => '{"keyword": "type", "expected": "string"}');
SELECT purge_event_quarantine('0', 'parts', reason => '{"keyword": "type", "instance_location": "/n"}');
SELECT purge_event_quarantine('0', reason => '{"property": "n"}');
SELECT purge_event_quarantine('0', reason => '{}');
SELECT purge_event_quarantine('0', reason => '[]');
SELECT id - :base AS id, violations -> 0 ->> 'message' AS message FROM event_quarantine ORDER BY id;
SELECT purge_event_quarantine('0');
DROP TRIGGER leaves_effect ON events;
TRUNCATE events;

-- purge
SELECT set_event_guard_mode('events', 'quarantine');
INSERT INTO events (data) VALUES ('1'), ('2');
INSERT INTO parts VALUES (1, 'part', 7, '{}');
SELECT set_event_guard_mode('events', 'warn');
INSERT INTO events (data) VALUES ('3');
SELECT purge_event_quarantine('1 hour');
UPDATE event_schema.quarantine SET arrived_at = arrived_at - interval '2 hours' WHERE "row" -> 'data' <> '2';
SELECT purge_event_quarantine('1 hour', 'parts', event_type => 'nothing');
SELECT purge_event_quarantine('1 hour', 'events', kept => true);
SELECT purge_event_quarantine('1 hour', schema_version => 7);
SELECT purge_event_quarantine('1 hour');
SELECT purge_event_quarantine(NULL);
SELECT "row" -> 'data' AS data FROM event_quarantine;
SELECT purge_event_quarantine('0');

-- a schema is kept while rows of a guarded table have it
SELECT drop_event_schema('part', 1);
SELECT set_event_guard_mode('parts', 'off');
SELECT drop_event_schema('part', 1);
DELETE FROM parts;
SELECT drop_event_schema('part', 1);
-- and the extension while the quarantine has events
INSERT INTO event_schema.quarantine (relation_schema, relation_name, "row", violations, kept, arrived_at, role, application, "transaction")
VALUES ('s', 't', '{}', '[]', false, now(), 'r', 'a', '1');
DROP EXTENSION event_validate CASCADE;
DROP EXTENSION plpgsql CASCADE;
DROP TABLE event_schema.quarantine;
DROP SCHEMA public CASCADE;
DROP SCHEMA event_schema CASCADE;
BEGIN;
TRUNCATE event_schema.quarantine;
SET client_min_messages = warning;
DROP EXTENSION event_validate CASCADE;
ROLLBACK;

DROP SCHEMA guard_replay CASCADE;
TRUNCATE event_schema.quarantine;
SELECT drop_event_schema('replay', 1), drop_event_schema('replay', 2), drop_event_schema('other', 1), drop_event_schema('other', 2), drop_event_schema('later', 1);
