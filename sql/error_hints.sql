-- Errors that say what to do.
\set SHOW_CONTEXT always
CREATE SCHEMA hints;
CREATE ROLE regress_hints;
GRANT USAGE ON SCHEMA hints TO regress_hints;
SELECT register_event_schema('hints', 1, '{"type": "object", "required": ["a"], "properties": {"a": {"type": "integer"}, "b": {"maximum": 5}}}');
CREATE TABLE hints.events (id int PRIMARY KEY, event_type text DEFAULT 'hints', schema_version int DEFAULT 1, data jsonb);
SELECT add_event_guard('hints.events', 'quarantine');
INSERT INTO hints.events (id, data) VALUES (1, '{"a": "1"}'), (2, '{}');

-- no CREATE on event_schema
SET ROLE regress_hints;
SELECT register_event_schema('hints.mine', 1, '{}');
SELECT register_schema('https://hints.example.com/', '{}');
SELECT set_event_compatibility('hints.mine', 'none');
-- no right on the quarantine, or on the table
SELECT count(*) FROM event_quarantine;
SELECT * FROM replay_event_quarantine('hints.events');
SELECT purge_event_quarantine('1 day');
SELECT add_event_guard('hints.events', 'enforce');
SELECT set_event_guard_mode('hints.events', 'off');
RESET ROLE;
GRANT INSERT ON hints.events TO regress_hints;
SET ROLE regress_hints;
SELECT * FROM replay_event_quarantine('hints.events');
RESET ROLE;
-- what the hints say works
GRANT CREATE ON SCHEMA event_schema TO regress_hints;
GRANT SELECT, UPDATE, DELETE ON event_schema.quarantine TO regress_hints;
GRANT TRIGGER ON hints.events TO regress_hints;
SET ROLE regress_hints;
SELECT register_event_schema('hints.mine', 1, '{}');
SELECT replayed, remaining FROM replay_event_quarantine('hints.events');
SELECT set_event_guard_mode('hints.events', 'warn');
-- but TRIGGER does not suffice to drop it
SELECT drop_event_guard('hints.events');
RESET ROLE;
SELECT drop_event_schema('hints.mine', 1);

-- a repair function: with and without its argument type
CREATE FUNCTION hints.repair(row_ jsonb) RETURNS jsonb LANGUAGE sql BEGIN ATOMIC
  SELECT jsonb_set(row_, '{data,a}', CASE WHEN row_ #> '{data,a}' IS NULL THEN '0' ELSE (row_ #>> '{data,a}')::jsonb END);
END;
CREATE FUNCTION hints.no_repair(row_ text) RETURNS text LANGUAGE sql BEGIN ATOMIC SELECT row_; END;
CREATE FUNCTION hints."Odd; name"(row_ jsonb) RETURNS jsonb LANGUAGE sql BEGIN ATOMIC SELECT row_; END;
SELECT * FROM replay_event_quarantine('hints.events', repair => 'repair');
SELECT * FROM replay_event_quarantine('hints.events', repair => 'hints.no_repair');
SELECT * FROM replay_event_quarantine('hints.events', repair => 'hints.no_repair(text)');
-- not a name at all: PostgreSQL 15 and 16 have an error of their own, with another SQLSTATE
DO $$
DECLARE wrong text;
BEGIN
  FOREACH wrong IN ARRAY ARRAY['hints.repair(', E'hints.re\npair'] LOOP
    BEGIN
      PERFORM FROM replay_event_quarantine('hints.events', repair => wrong);
      RAISE EXCEPTION '"%" was accepted', wrong;
    EXCEPTION WHEN undefined_function OR invalid_name OR invalid_text_representation THEN
      RAISE NOTICE '"%" is refused', wrong;
    END;
  END LOOP;
END $$;
SELECT replayed, remaining FROM replay_event_quarantine('hints.events', repair => 'hints."Odd; name"');
SELECT replayed, remaining FROM replay_event_quarantine('hints.events', repair => 'hints.repair', max_rows => 1);
SELECT replayed, remaining FROM replay_event_quarantine('hints.events', repair => 'hints.repair(jsonb)');

-- published with another document: what differs
SELECT register_event_schema('hints', 1, '{"type": "object", "required": ["a", "b"], "properties": {"a": {"type": "integer"}, "b": {"maximum": 4}}}');
CREATE OR REPLACE FUNCTION event_schema."hints@1"(data jsonb) RETURNS boolean LANGUAGE jsonschema AS '{"type": "object", "required": ["a"], "properties": {"a": {"type": "integer"}, "b": {"maximum": 3}}}';
SELECT register_event_schema('hints', 1, jsonb_build_object('properties',
  (SELECT jsonb_object_agg(E'p\n' || i, '{"type": "string"}'::jsonb) FROM generate_series(1, 9) AS i)));
-- only an option, and a value that is not a schema
SELECT register_event_schema('hints', 1, '{"type": "object", "required": ["a"], "properties": {"a": {"type": "integer"}, "b": {"maximum": 5}}}', assert_format => false);
SELECT register_event_schema('hints', 1, '{"type": "objekt"}');

-- ATTACH of a partition that has a guard
CREATE TABLE hints.parted (LIKE hints.events INCLUDING DEFAULTS) PARTITION BY RANGE (id);
CREATE TABLE hints.part (LIKE hints.events INCLUDING DEFAULTS);
SELECT add_event_guard('hints.part', 'enforce');
SELECT add_event_guard('hints.parted', 'enforce');
ALTER TABLE hints.parted ATTACH PARTITION hints.part FOR VALUES FROM (0) TO (10);
BEGIN;
SELECT drop_event_guard('hints.part');
ALTER TABLE hints.parted ATTACH PARTITION hints.part FOR VALUES FROM (0) TO (10);
COMMIT;
INSERT INTO hints.parted (id, data) VALUES (1, '{}');

-- ALTER TYPE of a column that a guard or a check reads
ALTER TABLE hints.events ALTER COLUMN data TYPE json;
ALTER TABLE hints.parted ALTER COLUMN schema_version TYPE bigint;
ALTER TABLE hints.events ALTER id TYPE bigint;
CREATE TABLE hints.checked (id int, event_type varchar(50) DEFAULT 'hints', schema_version smallint DEFAULT 1, data jsonb, "Old" json);
SELECT add_event_check('hints.checked');
ALTER TABLE hints.checked ALTER data TYPE json;
ALTER TABLE hints.checked ALTER event_type TYPE text, ALTER schema_version TYPE int, ALTER id TYPE bigint;
ALTER TABLE hints.checked ALTER schema_version TYPE bigint;
ALTER TABLE hints.checked ALTER "Old" TYPE jsonb, ALTER data TYPE jsonb USING data || '{}';
-- commands that succeed, or fail for another reason, are left to PostgreSQL
ALTER TABLE hints.checked ALTER data TYPE json, DROP CONSTRAINT checked_event_check;
ALTER TABLE hints.checked ALTER missing TYPE json;
-- (PostgreSQL 18 shows the line too)
\set VERBOSITY sqlstate
ALTER TABLE hints.checked ALTER data TYPE missing;
\set VERBOSITY default
ALTER TABLE hints.missing ALTER data TYPE json;
BEGIN;
ALTER TABLE hints.events ALTER COLUMN data TYPE json, DROP COLUMN event_type CASCADE;
ROLLBACK;
SET ROLE regress_hints;
ALTER TABLE hints.events ALTER COLUMN data TYPE json;
ALTER TABLE hints.parted ATTACH PARTITION hints.part FOR VALUES FROM (0) TO (10);
RESET ROLE;
-- as the HINT says
SELECT add_event_check('hints.checked');
ALTER TABLE hints.checked ALTER data TYPE jsonb;
BEGIN;
ALTER TABLE hints.checked ALTER data TYPE json, DROP COLUMN schema_version;
ROLLBACK;
BEGIN;
SELECT drop_event_check('hints.checked', 'checked_event_check');
ALTER TABLE hints.checked ALTER data TYPE json;
SELECT add_event_check('hints.checked');
COMMIT;
INSERT INTO hints.checked (data) VALUES ('{"a": 1}');

-- the extension's own functions in PL/pgSQL are not in the CONTEXT
SELECT validate_event_check('hints.checked', 'no_such_check');
SELECT standardize_event_column('hints.checked', 'nothing');
SELECT * FROM audit_events('hints.checked', sample_limit => -1);
SELECT create_event_view('hints.view', 'hints.checked', 'hints.unknown');
DO $$ BEGIN PERFORM add_event_check(NULL); END $$;

SET client_min_messages = warning;
DROP SCHEMA hints CASCADE;
TRUNCATE event_schema.quarantine;
REVOKE ALL ON event_schema.quarantine FROM regress_hints;
REVOKE CREATE ON SCHEMA event_schema FROM regress_hints;
RESET client_min_messages;
DROP ROLE regress_hints;
SELECT drop_event_schema('hints', 1);
