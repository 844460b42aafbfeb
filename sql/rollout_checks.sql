-- add_event_check, validate_event_check, drop_event_check
\set SHOW_CONTEXT never
CREATE SCHEMA rollout;
SET search_path = rollout, public;
SELECT register_event_schema('check.order', 1, '{"type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}, "tags": {"items": {"type": "string"}}}}');

CREATE FUNCTION checks(regclass) RETURNS TABLE (name name, definition text) LANGUAGE sql AS $$
  SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = $1 AND contype = 'c' ORDER BY conname COLLATE "C"
$$;

CREATE TABLE events (id int PRIMARY KEY, event_type text, schema_version int, data jsonb, note text);
INSERT INTO events VALUES (1, 'check.order', 1, '{"id": 1}'), (2, 'check.order', 1, '{"tags": [1, 2]}'), (3, 'check.order', 7, '{}'), (4, NULL, 1, '{}');

-- new rows are checked, old ones only when they are updated
SELECT add_event_check('events');
SELECT * FROM checks('events');
INSERT INTO events VALUES (5, 'check.order', 1, '{"id": 1}');
INSERT INTO events VALUES (6, 'check.order', 1, '{}');
UPDATE events SET note = 'x' WHERE id = 1;
UPDATE events SET note = 'x' WHERE id = 2;
-- the same again changes nothing; another check with its name is refused
SELECT add_event_check('events');
SELECT add_event_check('events', 'data', 'event_type', 'schema_version', 'events_event_check');
SELECT add_event_check('events', 'rollout.events.data', '"event_type"', '(schema_version)');
SELECT add_event_check('events', $$coalesce(data, '{}')$$, constraint_name => 'events_event_check');
SELECT add_event_check('events', constraint_name => '');
SELECT * FROM checks('events');
-- the number of invalid old rows, on request
SELECT add_event_check('events', audit => true);

-- a failed validation reports the violations, and does not change the check
SELECT validate_event_check('events');
SELECT validated, constraint_name FROM _event_validate.event_checks('events');
DELETE FROM events WHERE id IN (2, 3, 4);
SELECT validate_event_check('events');
SELECT validate_event_check('events', 'events_event_check');
SELECT * FROM checks('events');
SELECT add_event_check('events', audit => true);

-- not in the transaction that added it, also if that was a subtransaction
BEGIN;
SELECT add_event_check('events', $$coalesce(data, '{}')$$, constraint_name => 'other');
SELECT validate_event_check('events', 'other');
ROLLBACK;
BEGIN;
SAVEPOINT a;
SELECT add_event_check('events', $$coalesce(data, '{}')$$, constraint_name => 'other');
RELEASE a;
SELECT validate_event_check('events', 'other');
ROLLBACK;

-- some event types: others pass, and more types are added later
SELECT register_event_schema('check.other', 1, '{"type": "object", "required": ["o"]}');
CREATE TABLE typed (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, kind varchar(40), v bigint, body json, note text);
INSERT INTO typed (kind, v, body) VALUES ('check.order', 1, '{}'), ('check.order', 1, '{"id": 1}'), ('check.other', 1, '{}'), ('unknown', 9, '1'), (NULL, NULL, NULL);
SELECT add_event_check('typed', 'body', 'kind', 'v', types => '{check.order}', audit => true);
SELECT * FROM checks('typed');
INSERT INTO typed (kind, v, body) VALUES ('check.order', 1, '{}');
INSERT INTO typed (kind, v, body) VALUES ('check.order', 2, '{"id": 1}');
INSERT INTO typed (kind, v, body) VALUES ('check.other', 1, '{}'), ('unknown', 1, NULL), (NULL, 1, '{}'), ('check.order2', 1, '{}');
-- an old row of another type is updated as before
UPDATE typed SET note = 'x' WHERE kind = 'check.other';
UPDATE typed SET note = 'x' WHERE id = 1;
SELECT validate_event_check('typed');
DELETE FROM typed WHERE id = 1;
SELECT validate_event_check('typed');
SELECT constraint_name, validated, data_expr, type_expr, version_expr, types FROM _event_validate.event_checks('typed');
-- what it checks already is no change
SELECT add_event_check('typed', 'body', 'kind', 'v', types => '{check.order,check.order}');
SELECT constraint_name, validated FROM _event_validate.event_checks('typed');
-- another type is added, under the same name and without a scan; old rows of the first are still valid
SELECT add_event_check('typed', 'body', 'kind', 'v', types => ARRAY['check.other', 'it''s, "one"', 'check.order', 'check.other']);
INSERT INTO typed (kind, v, body) VALUES ('check.other', 1, '{}');
INSERT INTO typed (kind, v, body) VALUES ('check.order', 1, '{}');
SELECT relation, name, types, validated FROM event_enforcement WHERE relation = 'typed'::regclass;
SELECT validate_event_check('typed');
UPDATE typed SET body = '{"o": 1}' WHERE kind = 'check.other';
SELECT validate_event_check('typed');
-- a guard takes the types with the expressions
SELECT add_event_guard('typed', 'warn');
SELECT kind, types FROM event_enforcement WHERE relation = 'typed'::regclass ORDER BY kind;
SELECT drop_event_guard('typed');
-- rows of other types need no version
INSERT INTO typed (kind, v, body) VALUES ('check.third', 1, '{}');
SELECT register_event_schema('check.third', 1, '{}');
SELECT drop_event_schema('check.third', 1);
SELECT drop_event_schema('check.other', 1);
-- all types in the end, which none narrows
SELECT add_event_check('typed', 'body', 'kind', 'v');
SELECT add_event_check('typed', 'body', 'kind', 'v', types => '{check.order}');
SELECT * FROM checks('typed');
SELECT types FROM _event_validate.event_checks('typed');
-- by hand: the same form; another form is more than a call
ALTER TABLE typed DROP CONSTRAINT typed_event_check,
  ADD CONSTRAINT a CHECK ((kind::text = ANY ('{a,b}'::text[])) IS NOT TRUE OR check_event(body::jsonb, kind::text, v::int)) NOT VALID,
  ADD CONSTRAINT b CHECK (kind <> ALL ('{a,b}'::text[]) OR check_event(body::jsonb, kind::text, v::int)) NOT VALID,
  ADD CONSTRAINT c CHECK ((note = ANY ('{a,b}'::text[])) IS NOT TRUE OR check_event(body::jsonb, kind::text, v::int)) NOT VALID,
  ADD CONSTRAINT d CHECK ((kind::text = ANY ('{a,NULL}'::text[])) IS NOT TRUE OR check_event(body::jsonb, kind::text, v::int)) NOT VALID;
SELECT constraint_name, type_expr, types FROM _event_validate.event_checks('typed');
SELECT add_event_check('typed', 'body', 'kind', 'v', types => '{}');
SELECT add_event_check('typed', 'body', 'kind', 'v', types => '{a,NULL}');
DROP TABLE typed;
-- partitions follow
CREATE TABLE typed_parts (id int, event_type text, schema_version int, data jsonb) PARTITION BY RANGE (id);
CREATE TABLE typed_part PARTITION OF typed_parts FOR VALUES FROM (0) TO (10);
SELECT add_event_check('typed_parts', types => '{check.order}'), add_event_check('typed_parts', types => '{check.other}');
INSERT INTO typed_parts VALUES (1, 'unknown', 1, '{}');
INSERT INTO typed_part VALUES (1, 'check.other', 1, '{}');
SELECT validate_event_check('typed_parts');
SELECT relation, types, validated FROM event_enforcement WHERE name = 'typed_parts_event_check';
DROP TABLE typed_parts;
SELECT drop_event_schema('check.other', 1);

-- several checks
SELECT add_event_check('events', $$coalesce(data, '{}')$$);
SELECT validate_event_check('events');
SELECT drop_event_check('events');
SELECT validate_event_check('events', 'events_event_check2');
SELECT drop_event_check('events', 'events_event_check1');
SELECT drop_event_check('events', 'events_event_check1');
SELECT drop_event_check('events');
SELECT drop_event_check('events');
SELECT validate_event_check('events');
SELECT drop_event_check('events', 'events_pkey');
SELECT drop_event_check(NULL);
SELECT validate_event_check(NULL);
SELECT add_event_check(NULL);

-- a check that was added by ALTER TABLE counts, too; if the call is only a part
-- of it, the error is that of the server
ALTER TABLE events ADD CONSTRAINT by_hand CHECK (note = 'free' OR check_event(data, event_type, schema_version)) NOT VALID;
INSERT INTO events VALUES (7, 'check.order', 1, '{}', 'free');
SELECT validate_event_check('events');
SELECT drop_event_check('events');
INSERT INTO events VALUES (8, 'check.order', 1, '{}');
ALTER TABLE events ADD CONSTRAINT by_hand CHECK (note = 'free' OR check_event(data, event_type, schema_version)) NOT VALID;
SELECT validate_event_check('events');
ALTER TABLE events DROP CONSTRAINT by_hand;
ALTER TABLE events ADD CONSTRAINT by_hand CHECK (validate_event(schema_version => schema_version, data => data, event_type => event_type)) NOT VALID;
SELECT validate_event_check('events');
SELECT drop_event_check('events', 'by_hand');
DELETE FROM events WHERE id IN (7, 8);

-- columns and expressions
CREATE TYPE kind AS ENUM ('check.order', 'other');
CREATE TABLE "Legacy ""Events" ("Payload" json, "user" kind, "Version" smallint, big bigint, body text, short varchar(20), fixed char(20));
SELECT add_event_check('"Legacy ""Events"', 'Payload', 'user', 'Version', 'one');
SELECT add_event_check('"Legacy ""Events"', 'body', 'short', 'big', 'tw''o');
SELECT add_event_check('"Legacy ""Events"', 'body', 'fixed', '1', 'th"ree');
SELECT add_event_check('"Legacy ""Events"', '"Payload"->''event''', $$"Payload"->>'type'$$, $$("Payload"->>'version')::int$$, 'four');
SELECT * FROM checks('"Legacy ""Events"');
INSERT INTO "Legacy ""Events" VALUES ('{"id": 1, "type": "check.order", "version": 1, "event": {"id": 2}}', 'check.order', 1, 1, '{"id": 3}', 'check.order', 'check.order');
INSERT INTO "Legacy ""Events" VALUES ('{"id": 1}', 'other', 1, 1, '{"id": 3}', 'check.order', 'check.order');
INSERT INTO "Legacy ""Events" VALUES ('{"id": 1, "type": "check.order", "version": 1, "event": {"id": 2}}', 'check.order', 1, 1, '{"id": 3', 'check.order', 'check.order');
SELECT add_event_check('"Legacy ""Events"', 'Payload', 'user', 'Version', 'one');
SELECT add_event_check('"Legacy ""Events"', 'body', 'short', 'big', 'tw''o');
SELECT validate_event_check('"Legacy ""Events"', name) FROM (VALUES ('one'), ('tw''o'), ('th"ree'), ('four')) AS v(name);
SELECT add_event_check('"Legacy ""Events"', 'payload', 'user', 'Version');
SELECT add_event_check('"Legacy ""Events"', 'big', 'user', 'Version');
SELECT add_event_check('"Legacy ""Events"', 'Payload', 'big', 'Version');
SELECT add_event_check('"Legacy ""Events"', 'Payload', 'user', 'short');
SELECT add_event_check('events', 'data) NOT VALID, DROP COLUMN note, ADD CHECK (true');
SELECT add_event_check('events', 'data, event_type, 1)) NOT VALID; DROP TABLE events; --');
SELECT add_event_check('events', 'data AS x');
SELECT add_event_check('events', '*');
SELECT add_event_check('events', '(SELECT data)');
-- expressions are resolved with the caller's search_path
CREATE SCHEMA shadow;
CREATE FUNCTION shadow.lower(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT ''check.order''';
SET search_path = shadow, pg_catalog, rollout, public;
SELECT add_event_check('events', type_expr => 'lower(event_type)', constraint_name => 'shadowed');
SET search_path = rollout, public;
SELECT * FROM checks('events');
SELECT drop_event_check('events', 'shadowed');
-- a long name is truncated
CREATE TABLE a_table_whose_name_has_all_the_sixty_three_bytes_that_are_allow (data jsonb);
SELECT add_event_check('a_table_whose_name_has_all_the_sixty_three_bytes_that_are_allow', 'data', $$'check.order'$$, '1');
SELECT add_event_check('a_table_whose_name_has_all_the_sixty_three_bytes_that_are_allow', 'coalesce(data)', $$'check.order'$$, '1');

-- partitions and children
CREATE TABLE parted (event_type text, schema_version int, data jsonb) PARTITION BY LIST (event_type);
CREATE TABLE parted_order PARTITION OF parted FOR VALUES IN ('check.order');
CREATE TABLE parted_rest PARTITION OF parted DEFAULT;
INSERT INTO parted VALUES ('check.order', 1, '{"id": 1}'), ('check.order', 1, '{}'), ('other', 1, '{}');
SELECT add_event_check('parted', audit => true);
SELECT conrelid::regclass, conname, convalidated FROM pg_constraint WHERE conname = 'parted_event_check' ORDER BY conrelid::regclass::text;
SELECT validate_event_check('parted');
DELETE FROM parted WHERE NOT validate_event(data, event_type, schema_version);
SELECT validate_event_check('parted');
SELECT conrelid::regclass, conname, convalidated FROM pg_constraint WHERE conname = 'parted_event_check' ORDER BY conrelid::regclass::text;
CREATE TABLE parted_more PARTITION OF parted FOR VALUES IN ('more');
INSERT INTO parted VALUES ('more', 1, '{}');
SELECT drop_event_check('parted_order');
SELECT drop_event_check('parted');
SELECT count(*) FROM pg_constraint WHERE conname = 'parted_event_check';
CREATE TABLE parent (event_type text, schema_version int, data jsonb);
CREATE TABLE child () INHERITS (parent);
SELECT add_event_check('parent');
INSERT INTO child VALUES ('check.order', 1, '{}');
SELECT validate_event_check('parent');
CREATE TEMPORARY TABLE temporary (data jsonb);
SELECT add_event_check('temporary', 'data', $$'check.order'$$, '1');
SELECT validate_event_check('temporary');
CREATE UNLOGGED TABLE unlogged (data jsonb);
SELECT add_event_check('unlogged', 'data', $$'check.order'$$, '1');

-- relations that are no table
CREATE VIEW seen AS TABLE events;
SELECT add_event_check('seen');
CREATE FOREIGN DATA WRAPPER wrapper;
CREATE SERVER server FOREIGN DATA WRAPPER wrapper;
CREATE FOREIGN TABLE abroad (event_type text, schema_version int, data jsonb) SERVER server;
SELECT add_event_check('abroad');
SELECT drop_event_check('parent');
ALTER FOREIGN TABLE abroad INHERIT parent;
SELECT add_event_check('parent');

-- another role's table
CREATE ROLE regress_stranger;
GRANT USAGE ON SCHEMA rollout TO regress_stranger;
GRANT ALL ON events TO regress_stranger;
SET ROLE regress_stranger;
SELECT add_event_check('events');
RESET ROLE;
SELECT add_event_check('events');
SET ROLE regress_stranger;
SELECT validate_event_check('events');
SELECT drop_event_check('events');
RESET ROLE;
ALTER TABLE events OWNER TO regress_stranger;
SET ROLE regress_stranger;
SELECT validate_event_check('events');
SELECT drop_event_check('events');
RESET ROLE;

-- types that are misspelled
CREATE TABLE misspelled (event_type text, schema_version int, data jsonb);
SELECT add_event_check('misspelled', types => '{check.ordr,check.order}');
SELECT add_event_guard('misspelled', 'enforce', types => '{check.ordr,check.order,something.else}');

-- a type with a quote ends where it ends
CREATE TABLE quoted_type (id int PRIMARY KEY, event_type text, schema_version int, data jsonb);
INSERT INTO quoted_type VALUES (1, E'check.order" version 1, (document): x\\\n', 9, '{}');
SELECT add_event_check('quoted_type');
SELECT validate_event_check('quoted_type');

-- constraints of other forms, which it does not drop
CREATE DOMAIN checked_domain AS jsonb CHECK (check_event(VALUE, 'check.order', 1));
CREATE TABLE other_forms (id int PRIMARY KEY, data jsonb CONSTRAINT "By function" CHECK (event_schema."check.order@1"(data)), of_domain checked_domain, again checked_domain);
SELECT drop_event_check('other_forms');
SELECT drop_event_check('other_forms', 'By function');
SELECT drop_event_check('other_forms', 'none');
ALTER TABLE rollout.other_forms DROP CONSTRAINT "By function"; ALTER DOMAIN rollout.checked_domain DROP CONSTRAINT checked_domain_check;
SELECT drop_event_check('other_forms');

SET client_min_messages = warning;
DROP SCHEMA rollout CASCADE;
DROP SCHEMA shadow CASCADE;
DROP TABLE temporary;
DROP FOREIGN DATA WRAPPER wrapper CASCADE;
DROP OWNED BY regress_stranger;
DROP ROLE regress_stranger;
SELECT drop_event_schema('check.order', 1);
