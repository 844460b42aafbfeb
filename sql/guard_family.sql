-- guards of children by inheritance, rows that move between tables, and
-- warnings of statements with many rows
\set VERBOSITY terse
SET client_min_messages = warning;
CREATE ROLE regress_family_owner;
CREATE ROLE regress_family_other;
CREATE SCHEMA family;
GRANT CREATE, USAGE ON SCHEMA family TO regress_family_owner, regress_family_other;
SET search_path = family, public;
SELECT register_event_schema('family', 1, '{"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}}');

-- a child with the guard of its parent; its columns are in another order
SET ROLE regress_family_owner;
CREATE TABLE parent (gone int, id int, event_type text DEFAULT 'family', schema_version int DEFAULT 1, data jsonb);
ALTER TABLE parent DROP COLUMN gone;
CREATE TABLE child (data jsonb, id int, schema_version int DEFAULT 1, event_type text DEFAULT 'family');
ALTER TABLE child INHERIT parent;
CREATE TABLE grandchild () INHERITS (child);
CREATE TABLE elsewhere () INHERITS (parent);
SELECT add_event_guard('parent', 'quarantine'), add_event_guard('child', 'quarantine'), add_event_guard('grandchild', 'quarantine');
-- another guard: other expressions
SELECT add_event_guard('elsewhere', 'quarantine', type_expr => '''family''');
RESET ROLE;
SELECT relation, kind, mode, type_expr FROM event_enforcement WHERE relation::text LIKE 'family%' OR relation::text IN ('parent', 'child', 'grandchild', 'elsewhere');
SET ROLE regress_family_owner;
INSERT INTO parent (id, data) VALUES (1, '{}');
INSERT INTO child (id, data) VALUES (2, '{}'), (3, '{"n": 1}');
INSERT INTO grandchild (id, data) VALUES (4, '{}');
INSERT INTO elsewhere (id, data) VALUES (5, '{}');
RESET ROLE;
SELECT relation_name, "row" FROM event_quarantine ORDER BY id;
SELECT relation, events FROM event_schema_usage('family');

-- the mode of all of them; the other guard keeps its own
SELECT * FROM set_event_guard_mode('parent', 'warn');
SELECT tgrelid::regclass, encode(tgargs, 'escape') FROM pg_trigger WHERE tgrelid::regclass::text IN ('parent', 'child', 'grandchild', 'elsewhere') ORDER BY 1;
SELECT guarded_relation, old_mode, new_mode FROM set_event_guard_mode(NULL, 'quarantine') WHERE guarded_relation::text IN ('parent', 'child', 'grandchild', 'elsewhere');
-- a child whose mode was set has a guard of its own
SELECT * FROM set_event_guard_mode('grandchild', 'warn');
SELECT * FROM set_event_guard_mode('parent', 'enforce');
INSERT INTO grandchild (id, data) VALUES (6, '{}');
SELECT relation_name, kept FROM event_quarantine ORDER BY id DESC LIMIT 1;
SELECT * FROM set_event_guard_mode('grandchild', 'enforce');
SELECT guarded_relation, new_mode FROM set_event_guard_mode(NULL, 'quarantine') WHERE guarded_relation::text IN ('parent', 'child', 'grandchild', 'elsewhere');

-- a replay stores each row in its child; where that was dropped, in the parent
DROP TABLE grandchild;
CREATE FUNCTION repair(event jsonb) RETURNS jsonb LANGUAGE sql AS $$SELECT jsonb_set(event, '{data,n}', '7')$$;
SELECT relation_name, replayed, remaining, problem FROM replay_event_quarantine(repair => 'family.repair');
SELECT tableoid::regclass, id, data FROM parent ORDER BY id;
-- nor in a table that is no child
INSERT INTO child (id, data) VALUES (8, '{}');
CREATE TABLE outside (LIKE child);
UPDATE event_schema.quarantine SET "row" = "row" || '{"tableoid": "family.outside"}' WHERE relation_name = 'parent';
SELECT relation_name, replayed, problem FROM replay_event_quarantine('parent', repair => 'family.repair');
SELECT count(*) FROM outside;
SELECT tableoid::regclass FROM parent WHERE id = 8;

-- a child of another owner is not filed under the parent
ALTER TABLE child OWNER TO regress_family_other;
SET ROLE regress_family_other;
INSERT INTO child (id, data) VALUES (9, '{}');
RESET ROLE;
SELECT relation_name FROM event_quarantine WHERE NOT kept;
TRUNCATE event_schema.quarantine;
-- and only the owner of a table can give it children
SET ROLE regress_family_other;
CREATE TABLE stranger () INHERITS (parent);
RESET ROLE;

-- a child with two parents is switched once
CREATE TABLE top (id int, event_type text DEFAULT 'family', schema_version int DEFAULT 1, data jsonb);
CREATE TABLE left_side () INHERITS (top);
CREATE TABLE right_side () INHERITS (top);
CREATE TABLE bottom () INHERITS (left_side, right_side);
SELECT add_event_guard(t, 'quarantine') FROM unnest('{top, left_side, right_side, bottom}'::regclass[]) AS t;
SELECT * FROM set_event_guard_mode('top', 'warn');
SELECT tgrelid::regclass, encode(tgargs, 'escape') LIKE '%warn%' AS warns FROM pg_trigger WHERE tgrelid::regclass::text IN ('top', 'left_side', 'right_side', 'bottom') ORDER BY 1;
SELECT * FROM set_event_guard_mode('top', 'quarantine');
INSERT INTO bottom (id, data) VALUES (1, '{}');
-- a replay of all tables goes on where a child has no guard any more
INSERT INTO right_side (id, data) VALUES (2, '{}');
INSERT INTO top (id, data) VALUES (3, '{}');
SELECT drop_event_guard('right_side');
SELECT relation_name, replayed, remaining, problem FROM replay_event_quarantine(repair => 'family.repair');
SELECT relation_name, "row" ->> 'tableoid' AS child, violations -> 0 ->> 'message' AS reason FROM event_quarantine ORDER BY id;
SELECT tableoid::regclass, id FROM top ORDER BY id;
-- the guard of a table in the middle is dropped: its children's are not the top's any more
SELECT drop_event_guard('left_side');
INSERT INTO bottom (id, data) VALUES (4, '{}');
SELECT relation_name FROM event_quarantine ORDER BY id DESC LIMIT 1;
TRUNCATE event_schema.quarantine;

-- rows that move
CREATE TABLE moves (id int, event_type text DEFAULT 'family', schema_version int DEFAULT 1, data jsonb) PARTITION BY RANGE (id);
CREATE TABLE moves_rest PARTITION OF moves DEFAULT;
INSERT INTO moves (id, data) SELECT i, CASE WHEN i % 10 = 0 THEN '{}' WHEN i % 10 = 5 THEN '{"n": "x"}' ELSE '{"n": 1}' END::jsonb FROM generate_series(1, 100) AS i;
SELECT add_event_guard('moves', 'quarantine', fires_on => 'insert');
\set VERBOSITY default
-- as pg_partman does it
BEGIN;
CREATE TEMPORARY TABLE store (LIKE moves) ON COMMIT DROP;
WITH moved AS (DELETE FROM moves_rest WHERE id <= 50 RETURNING *) INSERT INTO store SELECT * FROM moved;
CREATE TABLE moves_1 PARTITION OF moves FOR VALUES FROM (1) TO (51);
WITH moved AS (DELETE FROM store RETURNING *) INSERT INTO moves SELECT * FROM moved;
COMMIT;
-- in one statement
WITH moved AS (DELETE FROM moves WHERE id BETWEEN 55 AND 60 RETURNING *) INSERT INTO moves SELECT id - 50, event_type, schema_version, data FROM moved;
-- by an UPDATE
UPDATE moves SET id = id - 50 WHERE id = 70;
-- new events are diverted, and a transaction that deletes rows says so
BEGIN;
DELETE FROM moves WHERE id = 1;
INSERT INTO moves (id, data) VALUES (1, '{"n": [1]}');
COMMIT;
INSERT INTO moves (id, data) VALUES (1, '{"n": "x"}');
SELECT count(*) FROM moves;
SELECT "row", kept FROM event_quarantine ORDER BY id;
-- a role that may not read all rows does not learn what they are, even if another role has looked at them
TRUNCATE event_schema.quarantine;
GRANT USAGE ON SCHEMA family TO regress_family_other;
GRANT INSERT, DELETE ON moves TO regress_family_other;
BEGIN;
DELETE FROM moves WHERE id < 60;
INSERT INTO moves (id, data) VALUES (80, '{}');
SET LOCAL ROLE regress_family_other;
DELETE FROM moves;
INSERT INTO moves (id, data) VALUES (80, '{}');
RESET ROLE;
SELECT "row" FROM event_quarantine;
ROLLBACK;
-- nor does a row stay that a savepoint's rollback has left in its table
BEGIN;
SAVEPOINT deleted;
DELETE FROM moves_rest;
INSERT INTO moves (id, data) VALUES (80, '{}');
ROLLBACK TO SAVEPOINT deleted;
INSERT INTO moves (id, data) VALUES (80, '{}');
SELECT "row" FROM event_quarantine;
ROLLBACK;
-- the tables are scanned once in a statement of the client, however many rows are diverted; rows that a later command
-- of it deletes are found
CREATE FUNCTION scans(source regclass) RETURNS bigint LANGUAGE sql AS $$SELECT pg_catalog.pg_stat_get_xact_numscans($1)$$;
BEGIN;
DELETE FROM moves_rest WHERE id = 99;
SELECT scans('moves_rest') AS before \gset
INSERT INTO moves (id, data) SELECT 99, '{"n": []}' FROM generate_series(1, 20);
SELECT scans('moves_rest') - :before AS scans;
ROLLBACK;
CREATE TABLE wide (LIKE moves INCLUDING DEFAULTS) PARTITION BY LIST (id);
DO $$
BEGIN
	FOR i IN 1..70 LOOP
		EXECUTE format('CREATE TABLE wide_%s PARTITION OF wide FOR VALUES IN (%s)', i, i);
	END LOOP;
END
$$;
INSERT INTO wide (id, data) VALUES (1, '{}'), (2, '{"n": "x"}');
SELECT add_event_guard('wide', 'quarantine', fires_on => 'insert');
BEGIN;
SELECT scans('wide_1') + scans('wide_2') AS before \gset
DO $$
BEGIN
	INSERT INTO wide (id, data) VALUES (3, '{"n": 0.5}'), (3, '{"n": true}');
	DELETE FROM wide_1;
	INSERT INTO wide (id, data) VALUES (3, '{}'), (3, '{"n": "x"}'), (3, '{"n": null}');
	DELETE FROM wide_2;
	INSERT INTO wide (id, data) VALUES (4, '{"n": "x"}'), (4, '{"n": {}}');
END
$$;
-- two DELETEs, and one scan of each
SELECT scans('wide_1') + scans('wide_2') - :before AS scans;
SELECT id, data FROM wide ORDER BY id, data::text;
ROLLBACK;
-- an event is the same if all columns that the guard reads are the same, in any order
CREATE TYPE topic AS ENUM ('family', 'none');
CREATE TABLE cast_moves (id int, topic topic, kind char(6), name name, version smallint, payload jsonb) PARTITION BY LIST (id);
CREATE TABLE cast_1 (payload jsonb, version smallint, id int, name name, kind char(6), topic topic);
ALTER TABLE cast_moves ATTACH PARTITION cast_1 FOR VALUES IN (1);
CREATE TABLE cast_2 PARTITION OF cast_moves FOR VALUES IN (2);
CREATE FUNCTION move(type_expr text) RETURNS SETOF cast_moves LANGUAGE plpgsql AS $$
BEGIN
	PERFORM add_event_guard('cast_moves', 'quarantine', 'payload', type_expr, 'version', 'insert');
	WITH moved AS (DELETE FROM cast_1 RETURNING *) INSERT INTO cast_moves SELECT 2, topic, kind, name, version, payload FROM moved;
	INSERT INTO cast_moves VALUES (2, 'family', 'family', 'family', 2, '{"n": "moved"}'), (2, 'none', 'none', 'none', 1, '{"n": "moved"}');
	PERFORM drop_event_guard('cast_moves');
	RETURN QUERY SELECT * FROM cast_moves;
END
$$;
INSERT INTO cast_moves VALUES (1, 'family', 'family', 'family', 1, '{"n": "moved"}');
SELECT * FROM move('topic');
UPDATE cast_moves SET id = 1;
SELECT * FROM move('kind');
UPDATE cast_moves SET id = 1;
SELECT * FROM move('name');
TRUNCATE event_schema.quarantine;

-- many rows: one warning for each reason
SELECT * FROM set_event_guard_mode('moves', 'warn');
INSERT INTO moves (id, data) SELECT i, CASE i % 3 WHEN 0 THEN '{}' WHEN 1 THEN jsonb_build_object('n', 'x' || i) ELSE '{"n": 1}' END FROM generate_series(1, 99) AS i;
COPY moves (id, data) FROM stdin;
1	{}
99	{}
2	{"n": "x"}
\.
SELECT count(*) FROM event_quarantine WHERE kept;
-- each statement has its own; a statement that fails has none
DO $$
BEGIN
	FOR i IN 1..2 LOOP
		INSERT INTO moves (id, data) SELECT 1, '{}' FROM generate_series(1, 3);
	END LOOP;
	BEGIN
		INSERT INTO moves (id, data) SELECT 1 / (3 - i), '{}' FROM generate_series(1, 3) AS i;
	EXCEPTION WHEN division_by_zero THEN
		RAISE NOTICE 'failed';
	END;
END
$$;
-- nor in an expression, whose memory is freed later
CREATE FUNCTION store(rows int) RETURNS int LANGUAGE sql AS $$INSERT INTO moves (id, data) SELECT 1 / (3 - i), '{}' FROM generate_series(1, rows) AS i RETURNING id$$;
DO $$
DECLARE
	stored int;
BEGIN
	BEGIN
		stored := store(3);
	EXCEPTION WHEN division_by_zero THEN
		RAISE NOTICE 'failed';
	END;
	stored := store(2);
END
$$;
SELECT register_event_schema('many', 1, jsonb_build_object('properties', jsonb_object_agg('p' || i, '{"type": "null"}'::jsonb))) FROM generate_series(1, 60) AS i;
INSERT INTO moves (id, event_type, data) SELECT 1, 'many', jsonb_build_object('p' || i, 1) FROM generate_series(1, 52) AS i;

-- a table with rows that is attached
CREATE TABLE attached (LIKE moves INCLUDING ALL);
ALTER TABLE moves ATTACH PARTITION attached FOR VALUES FROM (1000) TO (2000);
ALTER TABLE moves DETACH PARTITION attached;
INSERT INTO attached (id, data) VALUES (1000, '{}');
ALTER TABLE moves ATTACH PARTITION attached FOR VALUES FROM (1000) TO (2000);
-- rows of its partitions, too
CREATE TABLE attached_parts (LIKE moves INCLUDING ALL) PARTITION BY RANGE (id);
CREATE TABLE attached_empty PARTITION OF attached_parts FOR VALUES FROM (2000) TO (2100);
CREATE TABLE attached_part PARTITION OF attached_parts FOR VALUES FROM (2100) TO (3000);
ALTER TABLE moves ATTACH PARTITION attached_parts FOR VALUES FROM (2000) TO (3000);
ALTER TABLE moves DETACH PARTITION attached_parts;
INSERT INTO attached_parts (id, data) VALUES (2100, '{}');
ALTER TABLE moves ATTACH PARTITION attached_parts FOR VALUES FROM (2000) TO (3000);

-- rows that a transaction has truncated are gone: its events are perhaps these
SELECT set_event_guard_mode('moves', 'quarantine');
BEGIN;
TRUNCATE attached_part;
INSERT INTO moves (id, data) VALUES (2100, '{}'), (1, '{}');
ROLLBACK;
BEGIN;
CREATE TABLE attached_new PARTITION OF moves FOR VALUES FROM (3000) TO (4000);
INSERT INTO moves (id, data) VALUES (3000, '{"n": 1}');
TRUNCATE attached_new;
INSERT INTO moves (id, data) VALUES (3000, '{}');
ROLLBACK;

-- foreign partitions
CREATE FOREIGN DATA WRAPPER regress_family_wrapper;
CREATE SERVER regress_family_server FOREIGN DATA WRAPPER regress_family_wrapper;
CREATE TABLE mixed (id int, event_type text DEFAULT 'family', schema_version int DEFAULT 1, data jsonb) PARTITION BY RANGE (id);
CREATE TABLE here PARTITION OF mixed FOR VALUES FROM (1) TO (10);
CREATE FOREIGN TABLE abroad PARTITION OF mixed FOR VALUES FROM (10) TO (20) SERVER regress_family_server;
INSERT INTO mixed (id, data) VALUES (1, '{"n": 1}');
SELECT add_event_check('mixed');
SELECT validate_event_check('mixed');
-- one WARNING names the first of many
BEGIN;
SELECT drop_event_check('mixed');
CREATE FOREIGN TABLE abroad_0 PARTITION OF mixed FOR VALUES FROM (30) TO (40) SERVER regress_family_server;
SELECT add_event_check('mixed');
DO $$ BEGIN FOR i IN 4 .. 24 LOOP
  EXECUTE format('CREATE FOREIGN TABLE abroad_%s PARTITION OF mixed FOR VALUES FROM (%s0) TO (%s0) SERVER regress_family_server', i, i, i + 1);
END LOOP; END $$;
SELECT drop_event_check('mixed');
SELECT add_event_check('mixed');
ROLLBACK;
SET client_min_messages = notice;
SELECT relation, events FROM event_schema_usage('family') WHERE relation = 'mixed'::regclass;
SET client_min_messages = warning;

CREATE FOREIGN TABLE attached_abroad (id int, event_type text, schema_version int, data jsonb) SERVER regress_family_server;
SELECT drop_event_check('mixed'), add_event_guard('mixed', 'enforce');
ALTER TABLE mixed ATTACH PARTITION attached_abroad FOR VALUES FROM (20) TO (30);
ALTER TABLE mixed DETACH PARTITION attached_abroad;
-- of many foreign tables there is one WARNING, beside that of rows
BEGIN;
CREATE TABLE branch (id int, event_type text, schema_version int, data jsonb) PARTITION BY RANGE (id);
CREATE TABLE branch_here PARTITION OF branch FOR VALUES FROM (120) TO (121);
INSERT INTO branch VALUES (120, 'family', 1, '{}');
CREATE FOREIGN TABLE branch_1 PARTITION OF branch FOR VALUES FROM (101) TO (102) SERVER regress_family_server;
CREATE FOREIGN TABLE branch_2 PARTITION OF branch FOR VALUES FROM (102) TO (103) SERVER regress_family_server;
ALTER TABLE mixed ATTACH PARTITION branch FOR VALUES FROM (100) TO (200);
ALTER TABLE mixed DETACH PARTITION branch;
DO $$ BEGIN FOR i IN 130 .. 150 LOOP
  EXECUTE format('CREATE FOREIGN TABLE branch_%s PARTITION OF branch FOR VALUES FROM (%s) TO (%s) SERVER regress_family_server', i, i, i + 1);
END LOOP; END $$;
DROP TABLE branch_here;
ALTER TABLE mixed ATTACH PARTITION branch FOR VALUES FROM (100) TO (200);
ROLLBACK;
-- what their servers enforce is asked by one call only
SELECT foreign_table, server, enforced, problem FROM event_foreign_enforcement('mixed');
SELECT foreign_table, server, enforced, problem FROM event_foreign_enforcement('abroad');
SELECT count(*) FROM event_foreign_enforcement('here');
CREATE VIEW seen AS SELECT * FROM mixed;
\set VERBOSITY sqlstate
SELECT * FROM event_foreign_enforcement('seen');
SET ROLE regress_family_other;
SELECT * FROM event_foreign_enforcement('mixed');
RESET ROLE;
BEGIN READ ONLY;
SELECT * FROM event_foreign_enforcement('mixed');
ROLLBACK;
\set VERBOSITY default

TRUNCATE event_schema.quarantine;
DROP SCHEMA family CASCADE;
DROP FOREIGN DATA WRAPPER regress_family_wrapper CASCADE;
DROP TABLE event_schema.quarantine;
DROP FUNCTION event_schema."family@1", event_schema."many@1";
DROP ROLE regress_family_owner, regress_family_other;
