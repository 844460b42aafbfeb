-- Rights with guards, and actions that nobody is allowed.
CREATE ROLE regress_guard_owner;
CREATE ROLE regress_guard_app;
CREATE ROLE regress_guard_ops;
CREATE ROLE regress_guard_stranger;
CREATE SCHEMA guard_rights AUTHORIZATION regress_guard_owner;
GRANT USAGE ON SCHEMA guard_rights TO PUBLIC;
SET search_path = guard_rights, public;
SELECT register_event_schema('rights', 1, '{"type": "object", "required": ["tenant"]}');
DROP TABLE IF EXISTS event_schema.quarantine;

-- the owner of a table needs no rights on event_schema to guard it, nor for its quarantine
SET ROLE regress_guard_owner;
CREATE TABLE events (id int GENERATED ALWAYS AS IDENTITY, event_type text DEFAULT 'rights', schema_version int DEFAULT 1, data jsonb,
  who text DEFAULT current_user);
SELECT add_event_guard('events', 'quarantine');
GRANT INSERT, SELECT ON events TO regress_guard_app;
RESET ROLE;
SELECT relowner::regrole, relacl FROM pg_class WHERE oid = 'event_schema.quarantine'::regclass;

-- rows of a role with INSERT are diverted, and it cannot read the quarantine
SET ROLE regress_guard_app;
INSERT INTO events (data) VALUES ('{}'), ('{"tenant": "a"}') RETURNING data, who;
SELECT * FROM event_quarantine;
SELECT * FROM event_schema.quarantine;
INSERT INTO event_schema.quarantine (relation_name) VALUES ('events');
DELETE FROM event_schema.quarantine;
SELECT * FROM replay_event_quarantine('events');
SELECT * FROM replay_event_quarantine();
SELECT purge_event_quarantine('0');
SELECT set_event_guard_mode('events', 'off');
SELECT set_event_guard_mode(NULL, 'off');
SELECT drop_event_guard('events');
SELECT add_event_guard('events', 'off');
-- rows of a role without INSERT, on the table or the column, are not
SET ROLE regress_guard_stranger;
INSERT INTO events (data) VALUES ('{}');
SET ROLE regress_guard_owner;
SELECT * FROM event_quarantine;
GRANT INSERT (data) ON events TO regress_guard_stranger;
SET ROLE regress_guard_stranger;
INSERT INTO events (data) VALUES ('{"by": "column"}');
INSERT INTO events (data, who) VALUES ('{"by": "column"}', 'me');
RESET ROLE;
SELECT role, "row" FROM event_quarantine ORDER BY id;

-- also not with a search_path, or with triggers and rules of the quarantine
CREATE SCHEMA trap AUTHORIZATION regress_guard_app;
SET ROLE regress_guard_app;
CREATE FUNCTION trap.alarm() RETURNS text LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'trapped as %', current_user; END$$;
CREATE FUNCTION trap.jsonb_typeof(jsonb) RETURNS text LANGUAGE sql AS 'SELECT trap.alarm()';
CREATE TABLE trap.quarantine (LIKE event_schema.quarantine);
RESET ROLE;
CREATE FUNCTION guard_rights.watch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE INFO 'watching as %, for %, in %', current_user, NEW.role, current_setting('search_path');
  PERFORM jsonb_typeof(NEW."row");
  RETURN NEW;
END
$$;
CREATE TRIGGER watch BEFORE INSERT ON event_schema.quarantine FOR EACH ROW EXECUTE FUNCTION watch();
SET ROLE regress_guard_app;
SET search_path = trap, pg_catalog;
INSERT INTO guard_rights.events (data) VALUES ('{"search": "path"}');
SELECT current_user, current_setting('search_path');
SET search_path = guard_rights, public;
RESET ROLE;
DROP TRIGGER watch ON event_schema.quarantine;
-- a trigger that discards rows would lose them
CREATE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER swallow BEFORE INSERT ON event_schema.quarantine FOR EACH ROW EXECUTE FUNCTION swallow();
INSERT INTO events (data) VALUES ('{"to be": "swallowed"}');
DROP TRIGGER swallow ON event_schema.quarantine;

-- row security (guard_policies has more)
SET ROLE regress_guard_owner;
ALTER TABLE events ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON events TO regress_guard_app USING (true) WITH CHECK (data ->> 'tenant' = 'a');
SET ROLE regress_guard_app;
INSERT INTO events (data) VALUES ('{"tenant": "a"}');
INSERT INTO events (data) VALUES ('{"tenant": "b"}');
\set SHOW_CONTEXT always
INSERT INTO events (data) VALUES ('{"not": "mine"}');
\set SHOW_CONTEXT errors
SET ROLE regress_guard_owner;
INSERT INTO events (data) VALUES ('{"the": "owner''s"}');
SELECT set_event_guard_mode('events', 'warn');
SET ROLE regress_guard_app;
INSERT INTO events (data) VALUES ('{"not": "mine"}');
SET ROLE regress_guard_owner;
SELECT set_event_guard_mode('events', 'quarantine');
ALTER TABLE events DISABLE ROW LEVEL SECURITY;

-- the same through a view, whose own conditions are checked even later
CREATE VIEW tenant_a AS SELECT * FROM events WHERE data ->> 'tenant' = 'a' WITH CHECK OPTION;
GRANT INSERT ON tenant_a TO regress_guard_ops;
SET ROLE regress_guard_ops;
INSERT INTO tenant_a (data) VALUES ('{"tenant": "a"}');
INSERT INTO tenant_a (data) VALUES ('{"not": "mine"}');
RESET ROLE;

-- replaying: with rights on the quarantine, as the table's owner or as the caller
CREATE FUNCTION who() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN NEW.who := current_user; RETURN NEW; END$$;
CREATE TRIGGER who BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION who();
DELETE FROM event_schema.quarantine;
SET ROLE regress_guard_app;
INSERT INTO events (schema_version, data) SELECT v, '1' FROM generate_series(2, 4) v;
RESET ROLE;
SELECT register_event_schema('rights', v, '{}', breaking => true) FROM generate_series(2, 4) v;
GRANT SELECT, UPDATE, DELETE ON event_schema.quarantine TO regress_guard_ops, regress_guard_owner;
SET ROLE regress_guard_ops;
SELECT * FROM replay_event_quarantine('events', schema_version => 2);
SELECT * FROM replay_event_quarantine(schema_version => 2);
RESET ROLE;
GRANT INSERT ON events TO regress_guard_ops;
SET ROLE regress_guard_ops;
SELECT * FROM replay_event_quarantine(schema_version => 2);
SELECT * FROM replay_event_quarantine('events', schema_version => 2);
SET ROLE regress_guard_owner;
SELECT * FROM replay_event_quarantine(schema_version => 3);
RESET ROLE;
SELECT * FROM replay_event_quarantine(schema_version => 4);
SELECT schema_version, who FROM events WHERE data = '1' ORDER BY 1;

-- a superuser's replay runs a table owner's code without superuser rights
CREATE FUNCTION trap.seize() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RESET ROLE;
  RETURN NEW;
EXCEPTION WHEN OTHERS THEN
  RAISE INFO 'as %: %', current_user, sqlerrm;
  RETURN NEW;
END
$$;
SET ROLE regress_guard_app;
CREATE TABLE trap.bait (event_type text, schema_version int, data jsonb, who text DEFAULT current_user);
SELECT add_event_guard('trap.bait', 'quarantine');
INSERT INTO trap.bait VALUES ('rights', 9, '{}');
CREATE TRIGGER seize BEFORE INSERT ON trap.bait FOR EACH ROW EXECUTE FUNCTION trap.seize();
RESET ROLE;
SELECT register_event_schema('rights', 9, '{}', breaking => true);
SELECT * FROM replay_event_quarantine();
SELECT who FROM trap.bait;
-- a call without a table does not replay others' tables
SET ROLE regress_guard_app;
INSERT INTO trap.bait VALUES ('rights', 10, '{}');
SET ROLE regress_guard_owner;
SELECT * FROM replay_event_quarantine();
RESET ROLE;
SELECT violations -> 0 ->> 'message' AS message FROM event_quarantine;

-- nobody gets others' events by creating the quarantine first
TRUNCATE event_schema.quarantine;
BEGIN;
DROP TABLE event_schema.quarantine;
GRANT CREATE ON SCHEMA event_schema TO regress_guard_app;
SET ROLE regress_guard_app;
CREATE TABLE event_schema.quarantine (id int);
SET ROLE regress_guard_owner;
SAVEPOINT s;
INSERT INTO events (data) VALUES ('{}');
ROLLBACK TO s;
SELECT add_event_guard('events', 'quarantine');
ROLLBACK;

-- a dropped role is kept as its name
SET client_min_messages = warning;
DROP SCHEMA guard_rights, trap CASCADE;
DROP OWNED BY regress_guard_owner, regress_guard_app, regress_guard_ops, regress_guard_stranger;
DROP ROLE regress_guard_owner, regress_guard_app, regress_guard_ops, regress_guard_stranger;
RESET client_min_messages;
SELECT drop_event_schema('rights', v) FROM unnest(ARRAY[1, 2, 3, 4, 9]) v;
