-- check_event_upgrade: what an UPDATE of the rows would refuse besides.
\set VERBOSITY terse
\set SHOW_CONTEXT never
SELECT register_event_schema('update', 1, '{"required": ["qty"], "properties": {"qty": {"type": "integer"}}}'),
  register_event_schema('update', 2, '{"required": ["quantity"], "properties": {"quantity": {"type": "integer"}}}', renames => '{"qty": "quantity"}');
CREATE DOMAIN regress_event AS jsonb CHECK (NOT VALUE @> '{"quantity": 8}');
CREATE TABLE updated (id int PRIMARY KEY, event_type text, schema_version smallint, data jsonb, CHECK (check_event(data, event_type, schema_version)));
INSERT INTO updated SELECT i, 'update', 1, jsonb_build_object('qty', i) FROM generate_series(1, 300) AS i;
-- the event's own check is no other constraint
SELECT _event_validate.event_update_is_checked('updated', 'data', 'schema_version'), (SELECT count(*) FROM check_event_upgrade('updated', 'update', 1, 2));
-- a CHECK, a term of the event's check, a domain, a generated column
ALTER TABLE updated ADD CONSTRAINT few CHECK (coalesce((data->>'quantity')::int, 0) <= 297),
  ADD CONSTRAINT not_7 CHECK (check_event(data, event_type, schema_version) AND data <> '{"quantity": 7}'), ALTER data TYPE regress_event;
ALTER TABLE updated ADD COLUMN tenth int GENERATED ALWAYS AS (10 / (coalesce((data->>'quantity')::int, 7) - 5)) STORED;
SELECT * FROM check_event_upgrade('updated', 'update', 1, 2);
-- expressions that are no columns cannot be updated
SELECT keyword, message, rows FROM check_event_upgrade('updated', 'update', 1, 2, data_expr => '(data)');
-- a column that the caller may not read: no row is read again
CREATE ROLE regress_update;
GRANT SELECT (id, event_type, schema_version, data) ON updated TO regress_update;
SET ROLE regress_update;
SELECT keyword, message, rows FROM check_event_upgrade('updated', 'update', 1, 2);
SELECT _event_validate.event_upgrade_kinds('{"qty": 1}'::jsonb, 'row', 'update', 1, 2, 'updated'::regclass::oid, '(0,1)'::tid, 'updated'::regclass::oid, 'data', 'schema_version');
RESET ROLE;
-- it is what migrate_events says
\set VERBOSITY default
CALL migrate_events('updated', 'update', 2);
\set VERBOSITY terse
-- also without an upcast
SELECT * FROM check_event_upgrade('updated', 'update', 2, 2);
SELECT keyword, message, rows FROM check_event_upgrade('updated', 'update', 1, 1);
-- constraints run as the table's owner, without the caller's rights
CREATE TABLE spied (id int PRIMARY KEY, event_type text, schema_version int, data jsonb, CHECK (current_user = 'regress_update' OR data ? 'qty'));
INSERT INTO spied VALUES (1, 'update', 1, '{"qty": 1}');
ALTER TABLE spied OWNER TO regress_update;
SELECT keyword, message, rows FROM check_event_upgrade('spied', 'update', 1, 2);
-- a guard that reads the event from elsewhere, and one of the same columns
CREATE TABLE watched (id int PRIMARY KEY, event_type text, schema_version int, data jsonb, copy jsonb);
SELECT add_event_guard('watched', 'enforce', data_expr => 'copy');
INSERT INTO watched VALUES (1, 'update', 1, '{"qty": 1}', '{"qty": 1}');
SELECT keyword, message, rows FROM check_event_upgrade('watched', 'update', 1, 2);
-- one that runs only where changes are applied, and one whose mode has ended
SELECT tgname AS guard FROM pg_trigger WHERE tgrelid = 'watched'::regclass AND NOT tgisinternal \gset
ALTER TABLE watched ENABLE REPLICA TRIGGER :"guard";
SELECT keyword, message, rows FROM check_event_upgrade('watched', 'update', 1, 2);
CREATE TRIGGER ended BEFORE UPDATE ON watched FOR EACH ROW
  WHEN (true OR _event_validate.event_guard_reads(ROW(NEW.copy, NEW.event_type, NEW.schema_version))) EXECUTE FUNCTION guard_event('off', '2020-01-01 00:00:00+00');
SELECT keyword, message, rows FROM check_event_upgrade('watched', 'update', 1, 2);
UPDATE watched SET schema_version = 2, data = '{"quantity": 1}';
DROP TRIGGER ended ON watched;
UPDATE watched SET schema_version = 2, data = '{"quantity": 1}';
-- partitions: their own constraints, and other positions of the columns
CREATE TABLE parted (id int, event_type text, schema_version int, data jsonb) PARTITION BY LIST (schema_version);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES IN (1);
CREATE TABLE parted_2 (dropped text, data jsonb, CONSTRAINT not_2 CHECK (data->>'quantity' <> '2'), id int, event_type text, schema_version int);
ALTER TABLE parted_2 DROP COLUMN dropped;
ALTER TABLE parted ATTACH PARTITION parted_2 FOR VALUES IN (2);
INSERT INTO parted VALUES (1, 'update', 1, '{"qty": 1}'), (2, 'update', 2, '{"quantity": 3}');
SELECT keyword, message, rows FROM check_event_upgrade('parted', 'update', 1, 2);
-- the partition itself does not take the version
SELECT keyword, message, rows FROM check_event_upgrade('parted_1', 'update', 1, 2);
DROP TABLE updated, spied, watched, parted;
DROP DOMAIN regress_event;
DROP ROLE regress_update;
SELECT drop_event_schema('update', 2), drop_event_schema('update', 1);
-- errors of one SQLSTATE are told apart by the constraint, the column or the message, and not by values in it
SELECT register_event_schema('refusals', 1, '{}'), register_event_schema('refusals', 2, '{}');
CREATE FUNCTION refusals_1_2(jsonb) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
  IF ($1->>'n')::int % 8 = 1 THEN RAISE 'amount % of order "%" is odd', $1->>'n', $1->>'n'; END IF;
  IF ($1->>'n')::int % 8 = 2 THEN RAISE 'order 0b4e6cd8-%-aa is closed', $1->>'n'; END IF;
  RETURN $1;
END $$;
SELECT register_event_upcast('refusals', 1, 2, 'refusals_1_2(jsonb)');
CREATE TABLE refusals (id int PRIMARY KEY, event_type text, schema_version int, data jsonb,
  CONSTRAINT not_3 CHECK (schema_version = 1 OR (data->>'n')::int % 8 <> 3), CONSTRAINT not_4 CHECK (schema_version = 1 OR (data->>'n')::int % 8 <> 4));
INSERT INTO refusals SELECT i, 'refusals', 1, jsonb_build_object('n', i) FROM generate_series(1, 24) AS i;
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.id % 8 = 5 THEN RAISE 'row % is frozen since 2024-01-0%', NEW.id, NEW.id; END IF;
  IF NEW.id % 8 = 6 THEN RAISE 'there is no budget for "%"', NEW.id; END IF;
  RETURN NEW;
END $$;
SELECT keyword, message, rows FROM check_event_upgrade('refusals', 'refusals', 1, 2);
CREATE TRIGGER refuse BEFORE UPDATE ON refusals FOR EACH ROW EXECUTE FUNCTION refuse();
\set VERBOSITY default
CALL migrate_events('refusals', 'refusals', 2);
SET event_validate.show_values = off;
CALL migrate_events('refusals', 'refusals', 2);
RESET event_validate.show_values;
\set VERBOSITY terse
-- kinds beyond the first two hundred are counted as one
TRUNCATE refusals;
CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'refused: %', repeat('x', NEW.id); END $$;
INSERT INTO refusals SELECT i, 'refusals', 1, '{"n": 0}' FROM generate_series(1, 260) AS i;
\set VERBOSITY default
CALL migrate_events('refusals', 'refusals', 2);
CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'refused' USING CONSTRAINT = 'c' || NEW.id; END $$;
SET event_validate.show_values = off;
CALL migrate_events('refusals', 'refusals', 2);
RESET event_validate.show_values;
\set VERBOSITY terse
-- a long message is cut
DELETE FROM refusals WHERE id > 20;
CREATE OR REPLACE FUNCTION refusals_1_2(jsonb) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RAISE '%', repeat('é', 3000000); END $$;
SELECT keyword, length(message), right(message, 4), rows FROM check_event_upgrade('refusals', 'refusals', 1, 2);
DROP TABLE refusals;
DROP FUNCTION refuse;
SELECT drop_event_upcast('refusals', 1, 2), drop_event_schema('refusals', 2), drop_event_schema('refusals', 1);
DROP FUNCTION refusals_1_2;
