-- A guard's expressions follow renames, and their objects cannot be dropped without it.
CREATE SCHEMA guard_renames;
SET search_path = guard_renames, public;
SELECT register_event_schema('renames', 1, '{"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}}');
CREATE VIEW guard AS SELECT tgrelid::regclass AS relation,
  regexp_replace(pg_get_triggerdef(oid), '.* WHEN \((.*)\) EXECUTE FUNCTION (public\.)?guard_event', '\1 ') AS definition
  FROM pg_trigger WHERE tgfoid = 'guard_event'::regproc;

-- columns, types, functions, and their schema
CREATE TYPE kind AS ENUM ('renames', 'other');
CREATE FUNCTION version_of(document jsonb) RETURNS int LANGUAGE sql IMMUTABLE AS $$SELECT (document ->> 'v')::int$$;
CREATE TABLE events (k kind, doc jsonb);
SELECT add_event_guard('events', 'enforce', 'doc', 'k', 'version_of(doc)');
SELECT definition FROM guard;
PREPARE add_event (jsonb) AS INSERT INTO events VALUES ('renames', $1);
EXECUTE add_event('{"v": 1, "n": 1}');
ALTER TABLE events RENAME doc TO "The Data";
ALTER TYPE kind RENAME TO "Kind";
ALTER TYPE "Kind" RENAME VALUE 'renames' TO 'else';
ALTER FUNCTION version_of RENAME TO version_in;
CREATE FUNCTION version_of(document jsonb) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 77';
CREATE SCHEMA elsewhere;
ALTER FUNCTION version_in SET SCHEMA elsewhere;
ALTER SCHEMA elsewhere RENAME TO elsewhere_still;
INSERT INTO events VALUES ('else', '{"v": 1, "n": 1}');
ALTER TYPE "Kind" RENAME VALUE 'else' TO 'renames';
EXECUTE add_event('{"v": 1, "n": 1}');
EXECUTE add_event('{"v": 1, "n": "x"}');
EXECUTE add_event('{"v": 2, "n": "x"}');
SELECT definition FROM guard;
SELECT set_event_guard_mode('events', 'warn', '2999-01-01');
SELECT definition FROM guard;
EXECUTE add_event('{"v": 1, "n": "x"}');
ALTER TABLE events RENAME TO renamed;
SELECT set_event_guard_mode('renamed', 'enforce');
INSERT INTO renamed VALUES ('renames', '{"v": 1, "n": "x"}');

-- columns that it reads cannot be dropped or get another type
ALTER TABLE renamed DROP "The Data";
\set VERBOSITY terse
ALTER TABLE renamed ALTER "The Data" TYPE json;
\set VERBOSITY default
DROP FUNCTION elsewhere_still.version_in;
DROP TYPE "Kind";
BEGIN;
ALTER TABLE renamed DROP "The Data" CASCADE;
SELECT definition FROM guard;
ROLLBACK;
BEGIN;
SELECT drop_event_guard('renamed');
ALTER TABLE renamed ALTER "The Data" TYPE json;
SELECT add_event_guard('renamed', 'enforce', 'The Data', 'k', $$elsewhere_still.version_in("The Data"::jsonb)$$);
COMMIT;
SELECT definition FROM guard;
DROP TABLE renamed;

-- partitions with another order of columns
CREATE TABLE parts (id int, event_type text, schema_version int, data jsonb) PARTITION BY RANGE (id);
CREATE TABLE part_1 (data jsonb, gone int, schema_version int, event_type text, id int);
ALTER TABLE part_1 DROP gone;
ALTER TABLE parts ATTACH PARTITION part_1 FOR VALUES FROM (0) TO (10);
SELECT add_event_guard('parts', 'enforce');
ALTER TABLE parts RENAME data TO payload;
CREATE TABLE part_2 PARTITION OF parts FOR VALUES FROM (10) TO (20);
INSERT INTO parts VALUES (1, 'renames', 1, '{"n": 1}'), (11, 'renames', 1, '{"n": 1}');
INSERT INTO parts VALUES (1, 'renames', 1, '{}');
INSERT INTO parts VALUES (11, 'renames', 1, '{}');
SELECT set_event_guard_mode('parts', 'off');
SELECT relation, definition FROM guard ORDER BY 1;
DROP TABLE parts;

-- standardize_event_column: a rename is followed, other changes are refused with the reason
CREATE TABLE legacy (event_type text, schema_version int, payload jsonb, body text);
SELECT add_event_guard('legacy', 'enforce', 'payload');
SELECT standardize_event_column('legacy', 'payload');
INSERT INTO legacy VALUES ('renames', 1, '{"n": "x"}');
SELECT add_event_guard('legacy', 'enforce', 'body');
\set SHOW_CONTEXT never
SELECT standardize_event_column('legacy', 'body');
SELECT standardize_event_column('legacy', 'body', 'body');
\set SHOW_CONTEXT errors

-- created by hand: with text in the arguments, which do not follow renames, or as by add_event_guard
CREATE TABLE hand (event_type text, schema_version int, data jsonb, note text);
CREATE TRIGGER mine BEFORE INSERT ON hand FOR EACH ROW EXECUTE FUNCTION guard_event('enforce', 'data', $$'renames'$$, '1', '2999-01-01');
INSERT INTO hand (data) VALUES ('{"n": "x"}');
SELECT set_event_guard_mode('hand', 'warn');
SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgname = 'mine';
ALTER TABLE hand RENAME data TO payload;
INSERT INTO hand (payload) VALUES ('{"n": "x"}');
-- even then it can be switched off
SELECT set_event_guard_mode('hand', 'off');
INSERT INTO hand (payload) VALUES ('{"n": "x"}') RETURNING payload;
ALTER TABLE hand RENAME payload TO data;
CREATE OR REPLACE TRIGGER mine BEFORE INSERT ON hand FOR EACH ROW WHEN (true OR _event_validate.event_guard_reads(ROW(NEW.data::text, 'renames', 1))) EXECUTE FUNCTION guard_event('enforce');
INSERT INTO hand (data) VALUES ('{"n": 1}');
INSERT INTO hand (data) VALUES ('{"n": "x"}');
SELECT set_event_guard_mode('hand', 'off');
INSERT INTO hand (data) VALUES ('{"n": "x"}');
-- (then there are at most three arguments, and the operands have the right types)
CREATE OR REPLACE TRIGGER mine BEFORE INSERT ON hand FOR EACH ROW WHEN (true OR _event_validate.event_guard_reads(ROW(NEW.data, NEW.event_type, NEW.schema_version))) EXECUTE FUNCTION guard_event('enforce', 'infinity', '{guarded}', 'event_type');
INSERT INTO hand (data) VALUES ('{"n": 1}');
CREATE OR REPLACE TRIGGER mine BEFORE INSERT ON hand FOR EACH ROW WHEN (true OR _event_validate.event_guard_reads(ROW(NEW.data, NEW.data, NEW.schema_version))) EXECUTE FUNCTION guard_event('enforce');
INSERT INTO hand (data) VALUES ('{"n": 1}');
-- any other condition decides when the trigger fires, and is not replaced
CREATE OR REPLACE TRIGGER mine BEFORE INSERT ON hand FOR EACH ROW WHEN (NEW.note = 'x' AND _event_validate.event_guard_reads(ROW(NEW.data, NEW.event_type, NEW.schema_version))) EXECUTE FUNCTION guard_event('enforce');
INSERT INTO hand VALUES ('renames', 1, '{}', 'y');
INSERT INTO hand VALUES ('renames', 1, '{}', 'x');
SELECT set_event_guard_mode('hand', 'off');
SELECT _event_validate.event_guard_reads(ROW(1, 'x'::text, NULL::jsonb));

DROP TRIGGER mine ON hand;
TRUNCATE event_schema.quarantine;
SET client_min_messages = warning;
DROP SCHEMA guard_renames, elsewhere_still CASCADE;
RESET client_min_messages;
SELECT drop_event_schema('renames', 1);
