-- Rows that a row-level security policy or a view WITH CHECK OPTION validates keep their version.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE SCHEMA ruled;
SET search_path = ruled, public;
SELECT register_event_schema('ruled', v, '{"type": "object"}') IS NOT NULL AS registered FROM generate_series(1, 3) AS v;
-- tries the drop, and takes it back
CREATE FUNCTION dropped(version int) RETURNS text LANGUAGE plpgsql AS $$ DECLARE why text; BEGIN
	PERFORM drop_event_schema('ruled', version);
	RAISE SQLSTATE 'EV000';
EXCEPTION WHEN SQLSTATE 'EV000' THEN RETURN 'dropped';
	WHEN OTHERS THEN GET STACKED DIAGNOSTICS why := PG_EXCEPTION_DETAIL; RETURN concat_ws(E'\n', SQLERRM, why); END $$;
CREATE TABLE events (id int, event_type text, schema_version text, data jsonb);
INSERT INTO events VALUES (1, 'ruled', '1', '{}'), (2, 'other', 'no version', '{}');

-- a policy, whatever else it says, and for whatever command
CREATE POLICY checked ON events FOR INSERT WITH CHECK (id < 0 OR check_event(data, event_type, schema_version::int));
-- its hint
SELECT drop_event_schema('ruled', 1);
SELECT dropped(2);
SELECT relation, event_type, schema_version, events FROM event_schema_usage('ruled');
DROP POLICY checked ON events;
CREATE POLICY readable ON events USING ((SELECT current_user) = 'nobody' OR validate_event(data, event_type, schema_version::int));
SELECT dropped(1);
-- with a type that is not in the row, the condition decides
ALTER POLICY readable ON events USING (id <> 1 OR check_event(data, 'ruled', 1));
SELECT dropped(1);
ALTER POLICY readable ON events USING (id <> 2 OR check_event(data, 'ruled', 1));
BEGIN;
UPDATE events SET id = 7;
SELECT dropped(1);
ROLLBACK;
-- in another function; not in a subquery
CREATE FUNCTION is_valid(data jsonb, type text, version int) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN public.check_event(data, type, version); END $$;
ALTER POLICY readable ON events USING (event_type = 'other' OR is_valid(data, event_type, schema_version::int));
SELECT dropped(1);
ALTER POLICY readable ON events USING (EXISTS (SELECT FROM ruled.events AS e WHERE check_event(e.data, e.event_type, e.schema_version::int)));
SELECT dropped(1);
DROP POLICY readable ON events;

-- partitions and children, with other columns at these places
CREATE TABLE parts (id int, event_type text, schema_version int, data jsonb) PARTITION BY RANGE (id);
CREATE TABLE part (data jsonb, gone int, schema_version int, event_type text, id int);
ALTER TABLE part DROP gone;
ALTER TABLE parts ATTACH PARTITION part FOR VALUES FROM (0) TO (10);
CREATE POLICY p ON parts WITH CHECK (check_event(data, event_type, schema_version));
INSERT INTO parts VALUES (1, 'ruled', 2, '{}');
SELECT dropped(2);
SELECT relation, schema_version, events FROM event_schema_usage('ruled');
DROP TABLE parts;
CREATE TABLE parent (event_type text, schema_version int, data jsonb);
CREATE TABLE child (more int) INHERITS (parent);
CREATE POLICY p ON parent USING (check_event(data, event_type, schema_version));
INSERT INTO child VALUES ('ruled', 2, '{}', 1);
SELECT dropped(2);
DROP TABLE parent CASCADE;

-- views: with the option, or under a view that has it
CREATE TABLE base (x int, kind text, v int, payload jsonb);
INSERT INTO base VALUES (1, 'ruled', 2, '{}');
CREATE VIEW plain AS SELECT payload AS data, v AS version, kind AS type FROM base WHERE check_event(payload, kind, v);
SELECT dropped(3);
SELECT dropped(2);
CREATE VIEW above AS SELECT * FROM plain WITH LOCAL CHECK OPTION;
SELECT dropped(2);
CREATE OR REPLACE VIEW above AS SELECT * FROM plain WITH CASCADED CHECK OPTION;
SELECT dropped(2);
SELECT relation, schema_version, events FROM event_schema_usage('ruled');
DROP VIEW above;
ALTER VIEW plain SET (check_option = local);
SELECT dropped(2);
DROP VIEW plain;
DELETE FROM base;
INSERT INTO base VALUES (1, 'ruled', 2, '{}');
-- its condition over the columns of another view
CREATE VIEW renamed AS SELECT payload AS p, v + 0 AS n, 'ruled'::text AS t, x FROM base;
CREATE VIEW above AS SELECT x, p, n, t FROM renamed WHERE x > 0 AND check_event(p, t, n) WITH CHECK OPTION;
SELECT dropped(2);
UPDATE base SET x = 0;
SELECT dropped(2);
UPDATE base SET v = 1;
SELECT dropped(2);

SELECT DISTINCT kind FROM event_enforcement WHERE relation IN ('base'::regclass, 'events'::regclass);
DROP SCHEMA ruled CASCADE;
SELECT drop_event_schema('ruled', v) FROM generate_series(1, 3) AS v;
