-- Deprecated versions, and which versions are in use.
\set SHOW_CONTEXT never
CREATE SCHEMA life;
CREATE TABLE life.events (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, event_type text NOT NULL, schema_version int NOT NULL, data jsonb NOT NULL);
SELECT register_event_schema('life', 1, '{"type": "object"}');
SELECT register_event_schema('life', 2, '{"type": "object", "properties": {"a": {"type": "integer"}}}');
SELECT register_event_schema('life.unused', 1, 'true');
SELECT add_event_guard('life.events', 'enforce');
INSERT INTO life.events (event_type, schema_version, data) VALUES ('life', 1, '{}'), ('life', 1, '{}'), ('life', 2, '{}');

-- ---------- deprecated ----------

-- a published version can be marked, since "deprecated" is an annotation; only true at the root counts
SELECT event_type, schema_version, deprecated FROM event_schemas WHERE event_type LIKE 'life%';
SELECT register_event_schema('life', 1, '{"type": "object", "deprecated": true}');
SELECT register_event_schema('life', 2, '{"type": "object", "properties": {"a": {"type": "integer", "deprecated": true}}}');
SELECT event_type, schema_version, deprecated FROM event_schemas WHERE event_type LIKE 'life%';

-- new rows: one WARNING for each statement
INSERT INTO life.events (event_type, schema_version, data) SELECT 'life', 1, '{}' FROM generate_series(1, 1000);
COPY life.events (event_type, schema_version, data) FROM stdin;
life	1	{}
life	2	{}
life	1	{}
\.
INSERT INTO life.events (event_type, schema_version, data) VALUES ('life', 2, '{}');
DO $$ BEGIN FOR i IN 1..3 LOOP INSERT INTO life.events (event_type, schema_version, data) VALUES ('life', 1, '{}'); END LOOP; END $$;

-- its own condition name
\set VERBOSITY sqlstate
INSERT INTO life.events (event_type, schema_version, data) VALUES ('life', 1, '{}');
\set VERBOSITY default

-- updates: those that change the version, or the type
UPDATE life.events SET data = '{"a": 1}' WHERE id = 1;
UPDATE life.events SET schema_version = 2 WHERE id = 1;
UPDATE life.events SET schema_version = 1 WHERE id = 1;
UPDATE life.events SET schema_version = schema_version WHERE id < 10;
INSERT INTO life.events (event_type, schema_version, data) VALUES ('life.unused', 1, '{}');
UPDATE life.events SET event_type = 'life' WHERE event_type = 'life.unused';

-- in each mode except off; not for rows that are not stored
INSERT INTO life.events (event_type, schema_version, data) VALUES ('life', 1, '[]');
SELECT set_event_guard_mode('life.events', 'quarantine');
INSERT INTO life.events (event_type, schema_version, data) VALUES ('life', 1, '[]');
INSERT INTO life.events (event_type, schema_version, data) VALUES ('life', 1, '{}');
SELECT set_event_guard_mode('life.events', 'warn');
INSERT INTO life.events (event_type, schema_version, data) VALUES ('life', 1, '{}');
INSERT INTO life.events (event_type, schema_version, data) VALUES ('life', 1, '[]');
SELECT set_event_guard_mode('life.events', 'off');
INSERT INTO life.events (event_type, schema_version, data) VALUES ('life', 1, '{}');
SELECT set_event_guard_mode('life.events', 'enforce');

-- with expressions, also ones that can raise errors
CREATE TABLE life.legacy (payload text);
SELECT add_event_guard('life.legacy', 'warn', 'payload', $$payload::jsonb ->> 'type'$$, $$(payload::jsonb ->> 'version')::int$$);
INSERT INTO life.legacy VALUES ('{"type": "life", "version": 1}');
UPDATE life.legacy SET payload = '{"type": "life", "version": 1, "more": true}';
UPDATE life.legacy SET payload = '{"type": "life", "version": 2}';
UPDATE life.legacy SET payload = '{"type": "life", "version": 1}';

-- no longer deprecated
SELECT register_event_schema('life', 1, '{"type": "object"}');
INSERT INTO life.events (event_type, schema_version, data) VALUES ('life', 1, '{}');
SELECT register_event_schema('life', 1, '{"type": "object", "deprecated": true}');

-- ---------- in use ----------

TRUNCATE life.events, life.legacy, event_schema.quarantine;
SELECT set_event_guard_mode('life.events', 'off');
SELECT add_event_check('life.events');	-- beside the guard; no row counts twice
ALTER TABLE life.events DROP CONSTRAINT events_event_check;
INSERT INTO life.events (event_type, schema_version, data) SELECT 'life', 1 + i % 2, '{}' FROM generate_series(1, 10) AS i;
INSERT INTO life.events (event_type, schema_version, data) VALUES ('life', 7, '{}'), ('life.other', 1, '{}');
SELECT add_event_check('life.events');
SELECT set_event_guard_mode('life.events', 'enforce');
INSERT INTO life.legacy VALUES ('{"type": "life", "version": 2}');

CREATE TABLE life.parts (kind varchar(20), version smallint, data jsonb) PARTITION BY LIST (version);
CREATE TABLE life.part_1 PARTITION OF life.parts FOR VALUES IN (1);
CREATE TABLE life.part_2 PARTITION OF life.parts FOR VALUES IN (2);
SELECT add_event_check('life.parts', 'data', 'kind', 'version');
SELECT add_event_guard('life.parts', 'enforce', 'data', 'kind', 'version');
INSERT INTO life.parts VALUES ('life', 2, '{}'), ('life', 2, '{}'), ('life.unused', 1, '{}');

CREATE DOMAIN life.event AS jsonb CHECK (check_event(VALUE, 'life', 2));
CREATE TABLE life.of_domain (one life.event, many life.event[]);
INSERT INTO life.of_domain VALUES ('{}', ARRAY['{"a": 1}', '{"a": 2}']::life.event[]);
CREATE TABLE life.sometimes (what text, data jsonb, CHECK (what <> 'event' OR validate_event(data, data ->> 'type', (data ->> 'version')::int)));
INSERT INTO life.sometimes VALUES ('event', '{"type": "life", "version": 2}'), ('note', '{"version": "of paper"}');
CREATE TABLE life.not_enforced (event_type text, schema_version int, data jsonb);
INSERT INTO life.not_enforced VALUES ('life', 2, '{}');

SELECT * FROM event_schema_usage() WHERE event_type LIKE 'life%';
SELECT * FROM event_schema_usage('life.unused');
SELECT * FROM event_schema_usage('nobody');

-- only tables that the caller can read; expressions run as the table's owner
CREATE ROLE regress_owner;
CREATE ROLE regress_reader;
GRANT USAGE ON SCHEMA life TO regress_owner, regress_reader;
CREATE FUNCTION life.kind_of(jsonb) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
	RAISE NOTICE 'as %', current_user;
	RETURN 'life';
END $$;
CREATE TABLE life.owned (data jsonb, CHECK (check_event(data, life.kind_of(data), 2)));
ALTER TABLE life.owned OWNER TO regress_owner;
-- as the role that runs the tests, whatever its name
SET client_min_messages = warning;
INSERT INTO life.owned VALUES ('{}');
RESET client_min_messages;
SELECT relation, events FROM event_schema_usage('life') WHERE relation = 'life.owned'::regclass;
SET ROLE regress_reader;
SELECT * FROM event_schema_usage('life');
RESET ROLE;
GRANT SELECT ON life.parts TO regress_reader;
GRANT SELECT ON life.events TO regress_reader;
ALTER TABLE life.events ENABLE ROW LEVEL SECURITY;
SET ROLE regress_reader;
SELECT * FROM event_schema_usage('life');
RESET ROLE;

-- a table whose expressions raise errors is omitted, with a warning
DROP TABLE life.owned;
CREATE TABLE life.raises (version text, data jsonb);
INSERT INTO life.raises VALUES ('one', '{}');
ALTER TABLE life.raises ADD CHECK (check_event(data, 'life', version::int)) NOT VALID;
INSERT INTO life.legacy VALUES ('{"type": "life", "version": "x"}');
SELECT * FROM event_schema_usage('life') WHERE relation::text NOT LIKE 'life.of%' OR relation IS NULL;
SELECT * FROM event_schema_usage('life.unused');

DROP SCHEMA life CASCADE;
TRUNCATE event_schema.quarantine;
DROP TABLE event_schema.quarantine;
DROP ROLE regress_owner, regress_reader;
SELECT drop_event_schema(event_type, schema_version) FROM event_schemas WHERE event_type LIKE 'life%' ORDER BY event_type, schema_version;
