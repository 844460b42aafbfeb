-- Stored events migrated to a later version.
SELECT set_event_compatibility('moved', 'none');
SELECT register_event_schema('moved', 0, 'true'), register_event_schema('moved', 1, '{"type": "object"}'), register_event_schema('moved', 2, '{"required": ["n"], "properties": {"n": {"type": "integer"}}}'),
	register_event_schema('moved', 3, '{"required": ["m"], "properties": {"m": {"minimum": 0}}}');
CREATE FUNCTION to_2(jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$SELECT CASE WHEN $1->>'n' = 'x' THEN $1 || '{"n": 7}' ELSE $1 END$$;
CREATE FUNCTION to_3(event jsonb) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
	IF (event->>'n')::int % 50 = 0 THEN
		RAISE EXCEPTION 'no event with %', event->>'n';
	ELSIF (event->>'n')::int % 50 = 1 THEN
		RETURN NULL;
	END IF;
	RETURN jsonb_build_object('m', (event->>'n')::int - 2);
END
$$;
CREATE TABLE moves (id int PRIMARY KEY, event_type text, schema_version int, data jsonb, note text DEFAULT 'kept',
	CONSTRAINT moves_valid CHECK (check_event(data, event_type, schema_version, 'moves_valid')) NOT VALID) WITH (autovacuum_enabled = off);

-- refused calls
CALL migrate_events('moves', 'moved', 3);
SELECT register_event_upcast('moved', 2, 3, 'to_3(jsonb)');
CALL migrate_events('moves', 'moved', 2);
CALL migrate_events('moves', 'moved', 4);
CALL migrate_events('moves', 'nothing', 1);
CALL migrate_events('moves', 'moved', 0);
CALL migrate_events('moves', 'moved', NULL);
CALL migrate_events('moves', 'moved', 3, batch_size => 0);
CALL migrate_events('moves_pkey', 'moved', 3);
CALL migrate_events('moves', 'moved', 3, data_expr => 'body');
CALL migrate_events('moves', 'moved', 3, data_expr => $$data->'a'$$);
CALL migrate_events('moves', 'moved', 3, data_expr => 'note');
CALL migrate_events('moves', 'moved', 3, version_expr => '1');
CALL migrate_events('moves', 'moved', 3, type_expr => 'kind');
BEGIN;
CALL migrate_events('moves', 'moved', 3);
ROLLBACK;
CREATE FUNCTION call_it() RETURNS void LANGUAGE plpgsql AS $$BEGIN CALL migrate_events('moves', 'moved', 3); END$$;
SELECT call_it();

-- some steps, some failures of each kind
SELECT register_event_upcast('moved', 1, 2, 'to_2(jsonb)');
ALTER TABLE moves DROP CONSTRAINT moves_valid;
INSERT INTO moves SELECT i, 'moved', 1 + i % 2, CASE i % 10 WHEN 4 THEN '{"n": "x"}' ELSE jsonb_build_object('n', i) END FROM generate_series(1, 200) AS i;
INSERT INTO moves VALUES (201, 'moved', 1, '{}'), (202, 'moved', 0, '{}'), (203, 'moved', 3, '{"m": 1}'), (204, 'other', 1, '{}'), (205, 'moved', 2, NULL), (206, 'moved', 2, '{"n": -5}'), (207, NULL, 1, '{}'), (208, 'moved', NULL, '{}');
CALL migrate_events('moves', 'moved', 3, batch_size => 30);
SELECT schema_version, count(*), count(*) FILTER (WHERE validate_event(data, event_type, schema_version)) AS valid, min(note) FROM moves WHERE event_type = 'moved' GROUP BY 1 ORDER BY 1;
SELECT id, schema_version, data FROM moves WHERE schema_version <> 3 OR event_type IS DISTINCT FROM 'moved' OR id IN (4, 5, 8) OR id IS NULL ORDER BY id;
SELECT instance_location, keyword, message, violations, sample_ids FROM check_event_upgrade('moves', 'moved', 1, 3) ORDER BY violations, message;
-- again: failed rows are tried again, the others are not changed
CREATE TEMP TABLE places AS SELECT id, ctid AS place FROM moves;
CALL migrate_events('moves', 'moved', 3);
SELECT count(*) FROM moves JOIN places USING (id) WHERE moves.ctid <> place;
UPDATE moves SET data = '{"n": 10}' WHERE id IN (201, 205);
CALL migrate_events('moves', 'moved', 3);

-- reasons why a row is not written
CREATE TABLE kept_moves (id int PRIMARY KEY, event_type text, schema_version int2, data jsonb,
	CONSTRAINT small CHECK ((data->>'m')::int < 90));
INSERT INTO kept_moves SELECT i, 'moved', 1, jsonb_build_object('n', i + 2) FROM generate_series(51, 97) AS i;
INSERT INTO kept_moves VALUES (98, 'moved', 1, '{"n": 3}'), (99, 'moved', 2, '{"n": 4}');
CREATE FUNCTION keep_98() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN CASE WHEN OLD.id = 98 THEN NULL ELSE NEW END; END$$;
CREATE TRIGGER keep_98 BEFORE UPDATE ON kept_moves FOR EACH ROW EXECUTE FUNCTION keep_98();
SELECT add_event_guard('kept_moves', 'enforce');
CALL migrate_events('kept_moves', 'moved', 3, keep_original => true);
SELECT schema_version, count(*) FROM kept_moves GROUP BY 1 ORDER BY 1;
-- the originals: of all migrated rows, and no others
SELECT relation_schema, relation_name, event_type, schema_version, to_version, count(*), count(DISTINCT row_name), bool_and(row->'data'->'n' = to_jsonb(row_name::int + 2) OR row_name = '99') AS same
FROM event_schema.migrated_events GROUP BY 1, 2, 3, 4, 5 ORDER BY 4;
SELECT row_name, row, role = current_user AS mine FROM event_schema.migrated_events WHERE row_name = '60';
CALL migrate_events('kept_moves', 'moved', 3, keep_original => true);
SELECT count(*) FROM event_schema.migrated_events;

-- a trigger that keeps the version, so that the event would be upcast again and again; or keeps the data
DROP TRIGGER keep_98 ON kept_moves;
TRUNCATE kept_moves, event_schema.migrated_events;
INSERT INTO kept_moves SELECT i, 'moved', 1, '{"n": 2}' FROM generate_series(1, 5) AS i;
CREATE FUNCTION keep_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	NEW.schema_version := CASE OLD.id WHEN 2 THEN 1 WHEN 4 THEN NULL ELSE NEW.schema_version END;
	NEW.data := CASE OLD.id WHEN 1 THEN OLD.data WHEN 3 THEN NEW.data || '{"m": 7}' ELSE NEW.data END;
	RETURN NEW;
END
$$;
CREATE TRIGGER keep_version BEFORE UPDATE ON kept_moves FOR EACH ROW EXECUTE FUNCTION keep_version();
ALTER TABLE kept_moves DISABLE TRIGGER zzz_event_guard;
CALL migrate_events('kept_moves', 'moved', 3, keep_original => true);
SELECT id, schema_version, data FROM kept_moves ORDER BY id;
SELECT count(*) FROM event_schema.migrated_events;
DROP TRIGGER keep_version ON kept_moves;
-- deferred constraints are checked for each event
CREATE FUNCTION refuse_2() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF NEW.id = 2 THEN
		RAISE EXCEPTION 'not the second';
	END IF;
	RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER refuse_2 AFTER UPDATE ON kept_moves DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse_2();
CALL migrate_events('kept_moves', 'moved', 3);
DROP TRIGGER refuse_2 ON kept_moves;
-- an upcast that is dropped meanwhile: no event gets a version without it
SELECT register_event_schema('dropped', 1, '{}'), register_event_schema('dropped', 2, '{"title": "two"}');
CREATE FUNCTION mark(event jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$SELECT event || '{"marked": true}'$$;
SELECT register_event_upcast('dropped', 1, 2, 'mark(jsonb)');
CREATE TABLE dropped_moves (id int PRIMARY KEY, event_type text, schema_version int, data jsonb);
INSERT INTO dropped_moves SELECT i, 'dropped', 1, '{}' FROM generate_series(1, 6) AS i;
CREATE FUNCTION drop_upcast() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN DROP FUNCTION event_schema."dropped@1>2"(jsonb); RETURN NEW; END$$;
CREATE TRIGGER drop_upcast BEFORE UPDATE ON dropped_moves FOR EACH ROW WHEN (OLD.id = 4) EXECUTE FUNCTION drop_upcast();
CALL migrate_events('dropped_moves', 'dropped', 2, 2);
SELECT id, schema_version, data FROM dropped_moves ORDER BY id;
DROP TABLE dropped_moves;
DROP FUNCTION drop_upcast, mark;
SELECT count(drop_event_schema('dropped', v)) FROM generate_series(1, 2) AS v;
TRUNCATE event_schema.migrated_events;

-- partitions, also by version; names that need quotes; a type for all rows
CREATE TABLE "Moves %s" (id int, "Version" bigint, "The data" jsonb) PARTITION BY LIST ("Version");
CREATE TABLE moves_old PARTITION OF "Moves %s" FOR VALUES IN (1, 2) PARTITION BY RANGE (id);
CREATE TABLE moves_old_1 (extra int, "The data" jsonb, "Version" bigint, id int);
ALTER TABLE moves_old_1 DROP COLUMN extra;
ALTER TABLE moves_old ATTACH PARTITION moves_old_1 FOR VALUES FROM (1) TO (50);
CREATE TABLE moves_old_2 PARTITION OF moves_old FOR VALUES FROM (50) TO (1000);
CREATE TABLE moves_new PARTITION OF "Moves %s" DEFAULT;
INSERT INTO "Moves %s" SELECT i, 1 + i % 2, jsonb_build_object('n', i) FROM generate_series(2, 99) AS i;
CALL migrate_events('"Moves %s"', 'moved', 3, 7, true, '"The data"', $$'mov' || 'ed'$$, 'Version');
SELECT tableoid::regclass, "Version", count(*), min(id), max(id) FROM "Moves %s" GROUP BY 1, 2 ORDER BY 1, 2;
SELECT count(*) FROM event_schema.migrated_events WHERE relation_name = 'Moves %s';
CREATE TABLE parent_moves (id int, event_type text, schema_version int, data jsonb);
CREATE TABLE child_moves () INHERITS (parent_moves);
INSERT INTO parent_moves VALUES (1, 'moved', 2, '{"n": 3}');
INSERT INTO child_moves VALUES (2, 'moved', 2, '{"n": 4}');
CALL migrate_events('parent_moves', 'moved', 3);
SELECT tableoid::regclass, * FROM parent_moves ORDER BY id;

-- an isolation level, and settings for plans
TRUNCATE parent_moves;
INSERT INTO parent_moves SELECT i, 'moved', 2, '{"n": 3}' FROM generate_series(1, 10) AS i;
SET default_transaction_isolation = 'serializable';
SET enable_tidscan = off;
CALL migrate_events('parent_moves', 'moved', 3, 3);
SELECT current_setting('transaction_isolation'), current_setting('enable_tidscan'), current_setting('enable_seqscan');
RESET default_transaction_isolation;
RESET enable_tidscan;
-- within a procedure
INSERT INTO parent_moves SELECT i, 'moved', 2, '{"n": 3}' FROM generate_series(1, 10) AS i;
DO $$BEGIN CALL migrate_events('parent_moves', 'moved', 3, 3); END$$;
SELECT schema_version, count(*) FROM parent_moves GROUP BY 1;

-- rights
CREATE ROLE regress_migrate;
SET ROLE regress_migrate;
CALL migrate_events('parent_moves', 'moved', 3, keep_original => true);
RESET ROLE;
GRANT SELECT, UPDATE (data) ON parent_moves TO regress_migrate;
SET ROLE regress_migrate;
CALL migrate_events('parent_moves', 'moved', 3);
RESET ROLE;
GRANT SELECT, UPDATE ON child_moves TO regress_migrate;
INSERT INTO parent_moves VALUES (11, 'moved', 2, '{"n": 3}');
SET ROLE regress_migrate;
CALL migrate_events('parent_moves', 'moved', 3);
RESET ROLE;
GRANT UPDATE (schema_version) ON parent_moves TO regress_migrate;
ALTER TABLE parent_moves ENABLE ROW LEVEL SECURITY;
SET ROLE regress_migrate;
CALL migrate_events('parent_moves', 'moved', 3);
RESET ROLE;
ALTER TABLE parent_moves DISABLE ROW LEVEL SECURITY;
DROP TABLE child_moves;
SET ROLE regress_migrate;
CALL migrate_events('parent_moves', 'moved', 3, keep_original => true);
SELECT count(*) FROM event_schema.migrated_events;
RESET ROLE;
REVOKE EXECUTE ON FUNCTION to_3 FROM PUBLIC;
INSERT INTO parent_moves VALUES (11, 'moved', 2, '{"n": 3}');
SET ROLE regress_migrate;
CALL migrate_events('parent_moves', 'moved', 3);
RESET ROLE;
REVOKE EXECUTE ON FUNCTION event_schema."moved@2>3" FROM PUBLIC;
INSERT INTO parent_moves VALUES (11, 'moved', 2, '{"n": 3}');
SET ROLE regress_migrate;
CALL migrate_events('parent_moves', 'moved', 3);
RESET ROLE;
DROP OWNED BY regress_migrate;
DROP ROLE regress_migrate;

-- the originals prevent DROP EXTENSION
SET client_min_messages = warning;
DROP EXTENSION event_validate CASCADE;
RESET client_min_messages;
DROP TABLE moves, kept_moves, "Moves %s", parent_moves, event_schema.migrated_events;
DROP FUNCTION event_schema."moved@1>2", event_schema."moved@2>3", event_schema."moved@compatibility", call_it, keep_98, keep_version, refuse_2;
SELECT count(drop_event_schema('moved', v)) FROM generate_series(0, 3) AS v;
DROP FUNCTION to_2, to_3;
