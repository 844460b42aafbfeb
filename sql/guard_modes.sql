-- The guard's modes: setting them, and their effects on rows.
CREATE SCHEMA guard_modes;
SET search_path = guard_modes, public;
SELECT register_event_schema('guarded', 1, '{"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}}');
CREATE TABLE events (id int GENERATED ALWAYS AS IDENTITY, event_type text, schema_version int, data jsonb);

-- the rows: valid, invalid, not registered, without data, type, version
CREATE FUNCTION load(INOUT label text) LANGUAGE plpgsql AS $$
BEGIN
  FOR i IN 1 .. 6 LOOP
    BEGIN
      INSERT INTO events (event_type, schema_version, data)
      SELECT (ARRAY['guarded', 'guarded', 'guarded', 'guarded', NULL, 'guarded'])[i], (ARRAY[1, 1, 7, 1, 1, NULL])[i],
        (ARRAY['{"n": 1}', '{"n": "x"}', '{}', NULL, '{}', '{}']::jsonb[])[i];
    EXCEPTION WHEN OTHERS THEN
      RAISE INFO '%: % %', i, sqlstate, sqlerrm;
    END;
  END LOOP;
END
$$;

SELECT add_event_guard('events', 'enforce');
SELECT load('enforce');
SELECT * FROM events;
-- with the errors of check_event
DO $$
DECLARE
  message text;
  detail text;
  constraint_name text;
BEGIN
  INSERT INTO events (event_type, schema_version, data) VALUES ('guarded', 1, '{"n": 1.5}');
EXCEPTION WHEN check_violation THEN
  GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, constraint_name = CONSTRAINT_NAME;
  RAISE INFO '%; detail: %; constraint: %', message, detail, constraint_name;
END $$;
SELECT count(*) FROM event_quarantine;

SELECT set_event_guard_mode('events', 'quarantine');
SELECT load('quarantine');
SELECT id, event_type, schema_version, data FROM events ORDER BY id;
SELECT relation_schema, relation_name, event_type, schema_version, "row", violations, kept, role = current_user AS role,
  application = current_setting('application_name') AS application, arrived_at BETWEEN now() - interval '1 hour' AND clock_timestamp() AS arrived_at,
  pg_xact_status("transaction") FROM event_quarantine ORDER BY id;
-- an update cannot be diverted
UPDATE events SET data = '{"n": null}' WHERE id = 1;
UPDATE events SET data = '{"n": 2}' WHERE id = 1;

SELECT set_event_guard_mode('events', 'warn');
TRUNCATE event_schema.quarantine;
SELECT load('warn');
SELECT id, event_type, schema_version, data FROM events ORDER BY id;
UPDATE events SET data = '{"n": null}' WHERE id = 1;
SELECT event_type, schema_version, "row" -> 'id' AS row_id, violations -> 0 ->> 'message' AS message, kept FROM event_quarantine ORDER BY id;

SELECT set_event_guard_mode('events', 'off');
SELECT load('off');
UPDATE events SET data = '{"n": false}' WHERE id = 1;
SELECT count(*) FROM events;
SELECT count(*) FROM event_quarantine;

-- a mode with an end, after which it is enforce again
SELECT set_event_guard_mode('events', 'quarantine', '2999-12-31 23:00:00+00');
SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgrelid = 'events'::regclass;
INSERT INTO events (event_type, schema_version, data) VALUES ('guarded', 1, '"still diverted"');
SELECT new_mode, mode_until > now() AS later FROM set_event_guard_mode('events', 'warn', clock_timestamp() + interval '0.2 s');
INSERT INTO events (event_type, schema_version, data) VALUES ('guarded', 1, '"warned"');
SELECT pg_sleep(0.3);
INSERT INTO events (event_type, schema_version, data) VALUES ('guarded', 1, '"refused"');
SET DateStyle = 'German';
SET TimeZone = 'Asia/Kathmandu';
SELECT set_event_guard_mode('events', 'off', 'infinity');
SELECT set_event_guard_mode('events', 'off', '2030-02-01 05:45:00.5+05:45');
SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgrelid = 'events'::regclass;
INSERT INTO events (event_type, schema_version, data) VALUES ('guarded', 1, '"off"');
RESET DateStyle;
RESET TimeZone;
SELECT set_event_guard_mode('events', 'quarantine', '2020-01-01');
SELECT set_event_guard_mode('events', 'enforce', '2999-01-01');

-- the mode is part of the transaction
BEGIN;
SELECT set_event_guard_mode('events', 'enforce');
ROLLBACK;
INSERT INTO events (event_type, schema_version, data) VALUES ('guarded', 1, '"still off"');

-- all guarded tables at once, and tables without a guard
CREATE TABLE more (LIKE events INCLUDING ALL);
CREATE TABLE unguarded (LIKE events);
SELECT add_event_guard('more', 'enforce');
SELECT * FROM set_event_guard_mode(NULL, 'quarantine', '2999-12-31 23:00:00+00');
SELECT set_event_guard_mode(NULL, 'quarantine');
SELECT tgrelid::regclass, tgname, pg_get_triggerdef(oid) ~ 'quarantine' AS quarantine FROM pg_trigger WHERE tgfoid = 'guard_event'::regproc ORDER BY 1;
SELECT set_event_guard_mode('unguarded', 'off');
SELECT drop_event_guard('unguarded');
SELECT set_event_guard_mode('events', 'maybe');
SELECT set_event_guard_mode('events', NULL);
SELECT add_event_guard(NULL, 'off');
SELECT add_event_guard('events', 'enforce', NULL);
SELECT set_event_guard_mode(0, 'off');

-- adding a guard again replaces it, and keeps ENABLE ALWAYS or REPLICA
SELECT add_event_guard('more', 'warn', 'data', $$'guarded'$$, '1');
ALTER TABLE more ENABLE ALWAYS TRIGGER zzz_event_guard;
SELECT set_event_guard_mode('more', 'enforce');
SELECT tgname, tgenabled, pg_get_triggerdef(oid) FROM pg_trigger WHERE tgrelid = 'more'::regclass;
SET session_replication_role = replica;
INSERT INTO more (data) VALUES ('{}');
RESET session_replication_role;
ALTER TABLE more ENABLE TRIGGER zzz_event_guard;
SET session_replication_role = replica;
INSERT INTO more (data) VALUES ('{}');
RESET session_replication_role;

-- relations that can have a guard
CREATE VIEW a_view AS SELECT * FROM events;
CREATE TEMP TABLE temporary (LIKE events);
SELECT add_event_guard('a_view', 'enforce');
SELECT add_event_guard('temporary', 'enforce');
SELECT add_event_guard('unguarded', 'enforce', 'payload');
SELECT add_event_guard('unguarded', 'enforce', version_expr => 'data');
SELECT add_event_guard('unguarded', 'enforce', type_expr => 'data');
SELECT add_event_guard('unguarded', 'enforce', 'id');
SELECT add_event_guard('unguarded', 'enforce', 'data, 1');
SELECT add_event_guard('unguarded', 'enforce', 'data FROM events');
SELECT add_event_guard('unguarded', 'enforce', 'data AS d');
SELECT add_event_guard('unguarded', 'enforce', '');
SELECT add_event_guard('unguarded', 'enforce', '*');
SELECT add_event_guard('unguarded', 'enforce', 'data', 'unguarded.*');
SELECT add_event_guard('unguarded', 'enforce', 'data; DROP TABLE events');
SELECT add_event_guard('unguarded', 'enforce', '(SELECT data)');
SELECT add_event_guard('unguarded', 'enforce', 'to_jsonb(unguarded)');
SELECT add_event_guard('unguarded', 'enforce', version_expr => 'count(*)');
SELECT add_event_guard('unguarded', 'enforce', type_expr => 'tableoid::regclass::text');
ALTER TABLE unguarded ADD made jsonb GENERATED ALWAYS AS (data -> 'n') STORED;
SELECT add_event_guard('unguarded', 'enforce', 'made');
SELECT count(*) FROM pg_trigger WHERE tgrelid = 'unguarded'::regclass;

-- a trigger created by CREATE TRIGGER is a guard, too
CREATE TRIGGER mine BEFORE INSERT ON unguarded FOR EACH ROW EXECUTE FUNCTION guard_event('enforce');
INSERT INTO unguarded VALUES (1, 'guarded', 1, '{}');
SELECT set_event_guard_mode('unguarded', 'off');
SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgrelid = 'unguarded'::regclass;
SELECT drop_event_guard('unguarded');
CREATE TRIGGER mine BEFORE UPDATE OF data ON unguarded FOR EACH ROW EXECUTE FUNCTION guard_event('enforce');
SELECT set_event_guard_mode('unguarded', 'off');
CREATE OR REPLACE TRIGGER mine BEFORE INSERT ON unguarded FOR EACH ROW EXECUTE FUNCTION guard_event();
INSERT INTO unguarded VALUES (1, 'guarded', 1, '{}');
CREATE OR REPLACE TRIGGER mine AFTER INSERT ON unguarded FOR EACH ROW EXECUTE FUNCTION guard_event('enforce');
INSERT INTO unguarded VALUES (1, 'guarded', 1, '{}');
CREATE OR REPLACE TRIGGER mine BEFORE INSERT ON unguarded EXECUTE FUNCTION guard_event('enforce');
INSERT INTO unguarded VALUES (1, 'guarded', 1, '{}');
SELECT guard_event();

-- without the quarantine no row is lost: it is rejected, or stored
SELECT set_event_guard_mode('events', 'quarantine');
DROP TABLE event_schema.quarantine;
BEGIN;
TRUNCATE event_schema.quarantine;
DROP TABLE event_schema.quarantine;
SELECT count(*) FROM event_quarantine;
SELECT * FROM replay_event_quarantine();
SELECT * FROM replay_event_quarantine('events');
SELECT purge_event_quarantine('0');
SAVEPOINT s;
INSERT INTO events (event_type, schema_version, data) VALUES ('guarded', 1, '{}');
ROLLBACK TO s;
CREATE VIEW event_schema.quarantine AS SELECT 1 AS id;
CREATE ROLE regress_view_owner;
ALTER VIEW event_schema.quarantine OWNER TO regress_view_owner;
SAVEPOINT s;
INSERT INTO events (event_type, schema_version, data) VALUES ('guarded', 1, '{}');
ROLLBACK;

DROP SCHEMA guard_modes CASCADE;
TRUNCATE event_schema.quarantine;
SELECT drop_event_schema('guarded', 1);
