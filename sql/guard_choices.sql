-- A guard's expressions, operations and types; its NOTICE about the last rows.
CREATE SCHEMA guard_choices;
SET search_path = guard_choices, public;
SELECT register_event_schema('chosen', 1, '{"type": "object", "required": ["n"]}');
SELECT register_event_schema('other', 1, '{"type": "object", "required": ["o"]}');

-- the expressions of the table's only event check
CREATE TABLE checked (id int, kind text, v smallint, payload json,
	CONSTRAINT checked_valid CHECK (check_event(payload::jsonb, kind, v)), CHECK (id > 0));
SELECT add_event_guard('checked', 'warn');
SELECT data_expr, type_expr, version_expr FROM event_enforcement WHERE relation = 'checked'::regclass AND kind = 'guard';
-- given ones that differ
SELECT add_event_guard('checked', 'warn', 'payload', 'lower(kind)', 'v');
SELECT add_event_guard('checked', 'warn', 'payload', 'kind', 'v');
-- the replaced guard's
SELECT add_event_guard('checked', 'warn', 'payload', 'lower(kind)', 'v');
SELECT add_event_guard('checked', 'enforce');
SELECT type_expr, mode FROM event_enforcement WHERE relation = 'checked'::regclass AND kind = 'guard';
-- two checks, or one that is more than a call, say nothing
CREATE TABLE two (payload jsonb, CHECK (check_event(payload, 'chosen', 1)), CHECK (check_event(payload, 'other', 1)));
SELECT add_event_guard('two', 'warn');
CREATE TABLE more (payload jsonb, ok boolean, CHECK (ok OR check_event(payload, 'chosen', 1)));
SELECT add_event_guard('more', 'warn');
-- a check that is one call of a schema's function: its type and version are constants
CREATE TABLE of_schema (id int, e json, CONSTRAINT of_schema_valid CHECK (event_schema."chosen@1"(e::jsonb)));
SELECT add_event_guard('of_schema', 'quarantine');
SELECT data_expr, type_expr, version_expr, definition FROM event_enforcement WHERE relation = 'of_schema'::regclass AND kind = 'guard';
INSERT INTO of_schema VALUES (1, '{"n": 1}'), (2, '{"m": 1}'), (3, NULL);
SELECT event_type, schema_version, "row", violations -> 0 ->> 'message' AS message FROM event_quarantine WHERE relation_name = 'of_schema' ORDER BY id;
DELETE FROM event_schema.quarantine WHERE relation_name = 'of_schema';
TABLE of_schema;
SELECT add_event_guard('of_schema', 'warn', 'e', '''other''', '1');
SELECT add_event_guard('of_schema', 'warn', 'e', '''chosen''', '1');
SELECT add_event_guard('of_schema', 'warn', 'e::jsonb', '''chosen''::text', '1');
SELECT add_event_guard('of_schema', 'warn', 'e', '''chosen''', 'id');
-- not of two, of one that is more than a call, or of a function in another schema
ALTER TABLE of_schema ADD CONSTRAINT second CHECK (event_schema."other@1"(e::jsonb)) NOT VALID;
SELECT drop_event_guard('of_schema');
SELECT add_event_guard('of_schema', 'warn');
ALTER TABLE of_schema DROP CONSTRAINT second, DROP CONSTRAINT of_schema_valid,
	ADD CONSTRAINT either CHECK (id > 0 OR event_schema."chosen@1"(e::jsonb)) NOT VALID;
SELECT add_event_guard('of_schema', 'warn');
CREATE FUNCTION "chosen@1"(data jsonb) RETURNS boolean LANGUAGE jsonschema IMMUTABLE AS 'true';
ALTER TABLE of_schema DROP CONSTRAINT either, ADD CONSTRAINT elsewhere CHECK (guard_choices."chosen@1"(e::jsonb)) NOT VALID;
SELECT add_event_guard('of_schema', 'warn');
-- a call of check_event comes first
ALTER TABLE of_schema DROP CONSTRAINT elsewhere, ADD CONSTRAINT of_schema_valid CHECK (event_schema."chosen@1"(e::jsonb)) NOT VALID,
	ADD CONSTRAINT by_event CHECK (check_event(e, 'other', 1)) NOT VALID;
SELECT add_event_guard('of_schema', 'warn');
SELECT type_expr FROM event_enforcement WHERE relation = 'of_schema'::regclass AND kind = 'guard';
DROP TABLE of_schema;
-- partitions, and a type that is too long for the function's name
CREATE TABLE of_schema (id int, e jsonb, CHECK (event_schema."chosen@1"(e))) PARTITION BY RANGE (id);
CREATE TABLE of_schema_part (e jsonb, id int, CONSTRAINT of_schema_e_check CHECK (event_schema."chosen@1"(e)));
ALTER TABLE of_schema ATTACH PARTITION of_schema_part FOR VALUES FROM (0) TO (10);
SELECT add_event_guard('of_schema', 'enforce');
INSERT INTO of_schema VALUES (1, '{}');
DROP TABLE of_schema;
SELECT register_event_schema(repeat('chosen.', 12) || 'x', 1, '{"type": "object"}');
SELECT format('CREATE TABLE of_schema (e jsonb, CHECK (%s(e)))', function::oid::regproc) FROM event_schemas WHERE event_type = repeat('chosen.', 12) || 'x' \gexec
SELECT add_event_guard('of_schema', 'enforce');
SELECT type_expr, version_expr FROM event_enforcement WHERE relation = 'of_schema'::regclass ORDER BY kind;
DROP TABLE of_schema;
SELECT drop_event_schema(repeat('chosen.', 12) || 'x', 1);
-- the check's, with the casts that it has or without
SELECT add_event_guard('checked', 'warn', 'payload::jsonb', 'kind', 'v::int');
SELECT add_event_guard('checked', 'warn', '(payload::jsonb)', 'kind::text', 'v::smallint');
CREATE TABLE big (kind varchar, v bigint, payload text, CONSTRAINT big_valid CHECK (check_event(payload::jsonb, kind, v::int)));
SELECT add_event_guard('big', 'warn', 'payload', 'kind', 'v');
SELECT add_event_guard('big', 'warn', 'payload::jsonb', 'kind', 'v::int');
SELECT add_event_guard('big', 'warn', 'payload', 'kind', 'v + 1');
-- of a check that reads what a guard can't
CREATE TABLE generated (j text, payload jsonb GENERATED ALWAYS AS (j::jsonb) STORED, CHECK (check_event(payload, 'chosen', 1)));
SELECT add_event_guard('generated', 'warn');
SELECT add_event_guard('generated', 'warn', 'j', '''chosen''', '1');
SELECT add_event_guard('generated', 'enforce');
CREATE TABLE of_system (data jsonb, CHECK (check_event(data, tableoid::regclass::text, 1)));
SELECT add_event_guard('of_system', 'warn', 'data', '''chosen''', '1');

-- INSERT only
CREATE TABLE inserted (id int, event_type text, schema_version int, data jsonb);
SELECT add_event_guard('inserted', 'enforce', fires_on => 'insert');
INSERT INTO inserted VALUES (1, 'chosen', 1, '{}');
INSERT INTO inserted VALUES (1, 'chosen', 1, '{"n": 1}');
UPDATE inserted SET data = '{}';
SELECT set_event_guard_mode('inserted', 'warn');
SELECT set_event_guard_mode('inserted', 'enforce');
SELECT add_event_guard('inserted', 'enforce');
UPDATE inserted SET data = '{}';
SELECT add_event_guard('inserted', 'enforce', fires_on => 'INSERT OR UPDATE');
UPDATE inserted SET data = '{}';
SELECT add_event_guard('inserted', 'enforce', fires_on => 'delete');

-- types: others pass, and nothing but their type is read
CREATE TABLE typed (id int GENERATED ALWAYS AS IDENTITY, event_type text, schema_version int, data text);
SELECT add_event_guard('typed', 'enforce', 'data::jsonb', types => '{chosen,"with, comma"}');
INSERT INTO typed (event_type, schema_version, data) VALUES ('chosen', 1, '{}');
INSERT INTO typed (event_type, schema_version, data) VALUES ('chosen', 1, 'no json');
INSERT INTO typed (event_type, schema_version, data) VALUES ('with, comma', 1, '{}');
INSERT INTO typed (event_type, schema_version, data) VALUES
	('chosen', 1, '{"n": 1}'), ('other', 1, '{}'), ('other', 1, 'no json'), ('unknown', 7, NULL), (NULL, 1, '{}'), ('chose', 1, '{}');
SELECT set_event_guard_mode('typed', 'quarantine', until => '2100-01-01');
INSERT INTO typed (event_type, schema_version, data) VALUES ('chosen', 1, 'no json'), ('chosen', 2, '{}'), ('other', 1, 'no json');
SELECT event_type, schema_version, "row" ->> 'data' AS data FROM event_quarantine ORDER BY id;
SELECT mode_until = '2100-01-01' AS until, definition FROM event_enforcement WHERE relation = 'typed'::regclass;
SELECT set_event_guard_mode('typed', 'enforce');
SELECT definition FROM event_enforcement WHERE relation = 'typed'::regclass;
-- a replay of a type that the guard is not for any more
SELECT add_event_guard('typed', 'enforce', types => '{other}');
SELECT replayed, remaining, problem FROM replay_event_quarantine('typed');
SELECT count(*) FROM event_quarantine;
SELECT event_type, schema_version, data FROM typed ORDER BY id;
SELECT add_event_guard('typed', 'enforce', types => '{}');
SELECT add_event_guard('typed', 'enforce', types => '{a,NULL}');
CREATE TABLE by_hand (event_type text, schema_version int, data jsonb);
CREATE TRIGGER g BEFORE INSERT ON by_hand FOR EACH ROW
	EXECUTE FUNCTION guard_event('enforce', 'data', 'event_type', 'schema_version', 'infinity', '{chosen}');
INSERT INTO by_hand VALUES ('other', 1, '{}');
INSERT INTO by_hand VALUES ('chosen', 1, '{}');
CREATE OR REPLACE TRIGGER g BEFORE INSERT ON by_hand FOR EACH ROW
	EXECUTE FUNCTION guard_event('enforce', 'data', 'event_type', 'schema_version', 'infinity', 'no array');
INSERT INTO by_hand VALUES ('other', 1, '{}');

-- type and version are evaluated once, and the data only if the guard is for the type
CREATE FUNCTION said(v anyelement) RETURNS anyelement LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE 'evaluated: %', v; RETURN v; END $$;
CREATE TABLE once (event_type text, schema_version bigint, data jsonb);
SELECT add_event_guard('once', 'enforce', 'said(data)', 'said(event_type)', 'said(schema_version)', types => '{chosen}');
INSERT INTO once VALUES ('chosen', 1, '{"n": 1}');
INSERT INTO once VALUES ('other', 1, '{}');
INSERT INTO once VALUES ('other', 3000000000, '{}');
INSERT INTO once VALUES ('chosen', 3000000000, '{}');
SELECT set_event_guard_mode('once', 'quarantine');
INSERT INTO once VALUES ('chosen', 1, '{}'), ('other', 1, '{}');

-- how many of the last rows it would not accept
CREATE TABLE filled (id int, event_type text, schema_version int, data jsonb) PARTITION BY RANGE (id);
CREATE TABLE filled_1 PARTITION OF filled FOR VALUES FROM (0) TO (1000);
CREATE TABLE filled_2 (data jsonb, id int, schema_version int, event_type text);
ALTER TABLE filled ATTACH PARTITION filled_2 FOR VALUES FROM (1000) TO (100000);
INSERT INTO filled SELECT i, 'chosen', 1, CASE WHEN i % 10 = 0 THEN '{}' ELSE '{"n": 1}' END::jsonb FROM generate_series(1, 1200) AS i;
SELECT add_event_guard('filled', 'warn');
INSERT INTO filled SELECT i, 'chosen', 1, CASE WHEN i > 9990 THEN '{}' ELSE '{"n": 1}' END::jsonb FROM generate_series(5001, 10000) AS i;
\set VERBOSITY terse
SELECT add_event_guard('filled', 'warn');
SELECT add_event_guard('filled', 'off');
-- of others' tables nothing is said
CREATE ROLE regress_guard_choices;
GRANT TRIGGER, SELECT ON inserted TO regress_guard_choices;
GRANT USAGE ON SCHEMA guard_choices TO regress_guard_choices;
SET ROLE regress_guard_choices;
SELECT add_event_guard('inserted', 'warn');
RESET ROLE;
DROP OWNED BY regress_guard_choices;
DROP ROLE regress_guard_choices;

-- switching nothing is said
SELECT add_event_guard('two', 'enforce', 'payload', '''chosen''', '1');
SELECT drop_event_guard('two');
BEGIN;
DO $$ DECLARE r record; BEGIN
	FOR r IN SELECT relation FROM event_enforcement WHERE kind = 'guard' LOOP EXECUTE format('DROP TABLE %s CASCADE', r.relation); END LOOP;
END $$;
SELECT * FROM set_event_guard_mode(NULL, 'off');
ROLLBACK;

-- data of a type that a check casts, and a guard does not read
CREATE TABLE padded (data char(200), event_type text, schema_version int);
SELECT add_event_check('padded');
SELECT add_event_guard('padded', 'enforce', 'data::text', 'event_type', 'schema_version');
SELECT data_expr, type_expr, version_expr FROM event_enforcement WHERE relation = 'padded'::regclass AND kind = 'guard';
SELECT drop_event_guard('padded');
SELECT add_event_guard('padded', 'enforce');
SELECT drop_event_check('padded');
INSERT INTO padded VALUES ('{"n": 1}', 'chosen', 1);
INSERT INTO padded VALUES ('{}', 'chosen', 1);
SELECT drop_event_guard('padded');

-- a loader may bypass guards, no CHECK
CREATE ROLE regress_guard_loader;
GRANT USAGE ON SCHEMA guard_choices TO regress_guard_loader;
GRANT INSERT, UPDATE, SELECT ON inserted, checked TO regress_guard_loader;
SELECT add_event_guard('inserted', 'quarantine');
SET ROLE regress_guard_loader;
SET event_validate.bypass_guard = on;
RESET ROLE;
GRANT SET ON PARAMETER event_validate.bypass_guard TO regress_guard_loader;
SET ROLE regress_guard_loader;
BEGIN;
SET LOCAL event_validate.bypass_guard = on;
INSERT INTO inserted VALUES (7, 'chosen', 1, '{}'), (8, 'chosen', 9, '{}');
UPDATE inserted SET data = '[]' WHERE id = 8;
SAVEPOINT s;
INSERT INTO checked VALUES (7, 'chosen', 1, '{}');
ROLLBACK TO s;
COMMIT;
SHOW event_validate.bypass_guard;
UPDATE inserted SET data = '{}' WHERE id = 8;
RESET ROLE;
SELECT id, data FROM inserted WHERE id > 6 ORDER BY id;
DROP OWNED BY regress_guard_loader;
DROP ROLE regress_guard_loader;

SET client_min_messages = warning;
DELETE FROM event_schema.quarantine;
DROP SCHEMA guard_choices CASCADE;
DROP TABLE event_schema.quarantine;
SELECT drop_event_schema('chosen', 1), drop_event_schema('other', 1);
