-- Row security, and rows inserted through views: nobody gets a row into the
-- quarantine that the table would reject if it were valid.
CREATE ROLE regress_policy_owner;
CREATE ROLE regress_policy_app;
CREATE SCHEMA guard_policies AUTHORIZATION regress_policy_owner;
GRANT USAGE ON SCHEMA guard_policies TO PUBLIC;
SET search_path = guard_policies, public;
SELECT register_event_schema('policies', 1, '{"type": "object", "required": ["n"]}');
\set SHOW_CONTEXT always

SET ROLE regress_policy_owner;
CREATE TABLE members (role name, tenant text);
INSERT INTO members VALUES ('regress_policy_app', 'a'), ('regress_policy_app', 'c');
GRANT SELECT ON members TO regress_policy_app;
CREATE TABLE events (id int GENERATED ALWAYS AS IDENTITY, event_type text DEFAULT 'policies', schema_version int DEFAULT 1, data jsonb, tenant text,
  doubled text GENERATED ALWAYS AS (tenant || tenant) STORED);
SELECT add_event_guard('events', 'quarantine');
GRANT INSERT, SELECT ON events TO regress_policy_app;
ALTER TABLE events ENABLE ROW LEVEL SECURITY;
-- without a policy no row is accepted
SET ROLE regress_policy_app;
INSERT INTO events (data, tenant) VALUES ('{}', 'a');
-- a policy that reads another table, and the current user
SET ROLE regress_policy_owner;
CREATE POLICY own ON events FOR INSERT WITH CHECK (tenant IN (SELECT m.tenant FROM members AS m WHERE m.role = current_user AND m.tenant = events.tenant));
CREATE POLICY all_to_see ON events FOR SELECT USING (true);
SET ROLE regress_policy_app;
INSERT INTO events (data, tenant) VALUES ('{"n": 1}', 'a'), ('{}', 'a') RETURNING data;
INSERT INTO events (data, tenant) VALUES ('{"n": 1}', 'b');
INSERT INTO events (data, tenant) VALUES ('{}', 'b');
INSERT INTO events (data, tenant) VALUES ('{}', NULL);
-- without rows in this file: psql before 15.19 reads them as SQL, since COPY is refused before it begins
\copy events (data, tenant) FROM '/dev/null'
-- restrictive ones: a setting of the session, and the whole row
SET ROLE regress_policy_owner;
-- by a function that finds the table in the session's search_path
CREATE FUNCTION has_tenant(events) RETURNS boolean LANGUAGE plpgsql AS 'BEGIN RETURN EXISTS (SELECT FROM members) AND $1.tenant IS NOT NULL; END';
CREATE POLICY session ON events AS RESTRICTIVE FOR INSERT WITH CHECK (tenant = current_setting('guard_policies.tenant', true));
SET ROLE regress_policy_app;
INSERT INTO events (data, tenant) VALUES ('{"no": "setting"}', 'a');
SET guard_policies.tenant = 'a';
INSERT INTO events (data, tenant) VALUES ('{"with": "a setting"}', 'a');
INSERT INTO events (data, tenant) VALUES ('{"of": "another"}', 'c');
SET ROLE regress_policy_owner;
DROP POLICY session ON events;
-- columns that are computed later cannot be checked
CREATE POLICY computed ON events AS RESTRICTIVE FOR INSERT WITH CHECK (doubled IS NULL OR doubled = 'aa');
SET ROLE regress_policy_app;
INSERT INTO events (data, tenant) VALUES ('{"computed": 1}', 'a');
SET ROLE regress_policy_owner;
DROP POLICY computed ON events;
CREATE POLICY computed ON events AS RESTRICTIVE FOR INSERT WITH CHECK (EXISTS (SELECT FROM members WHERE events.tableoid <> 0));
SET ROLE regress_policy_app;
INSERT INTO events (data, tenant) VALUES ('{"system": "column"}', 'a');
SET ROLE regress_policy_owner;
DROP POLICY computed ON events;
ALTER TABLE events DROP doubled;
CREATE POLICY whole ON events AS RESTRICTIVE FOR INSERT WITH CHECK (has_tenant(events.*));
SET ROLE regress_policy_app;
INSERT INTO events (data, tenant) VALUES ('{"whole": "row"}', 'a');
-- a policy that raises an error
SET ROLE regress_policy_owner;
CREATE POLICY raises ON events AS RESTRICTIVE FOR INSERT WITH CHECK (1 / (length(tenant) - 1) > 0);
SET ROLE regress_policy_app;
INSERT INTO events (data, tenant) VALUES ('{}', 'a');
SET ROLE regress_policy_owner;
DROP POLICY raises ON events;
-- policies apply to the owner only with FORCE
INSERT INTO events (data, tenant) VALUES ('{"owner": 1}', 'z');
ALTER TABLE events FORCE ROW LEVEL SECURITY;
INSERT INTO events (data, tenant) VALUES ('{"owner": 2}', 'z');
ALTER TABLE events NO FORCE ROW LEVEL SECURITY;
RESET ROLE;
SELECT role, "row" -> 'data' AS data, "row" ->> 'tenant' AS tenant FROM event_quarantine ORDER BY id;

-- policies apply to a replay if they apply to its caller
SELECT register_event_schema('policies', 2, '{}', breaking => true);
CREATE FUNCTION to_2(event jsonb) RETURNS jsonb LANGUAGE sql AS $$SELECT event || '{"schema_version": 2}'$$;
CREATE FUNCTION to_b(event jsonb) RETURNS jsonb LANGUAGE sql AS $$SELECT event || '{"schema_version": 2, "tenant": "b"}'$$;
GRANT SELECT, UPDATE, DELETE ON event_schema.quarantine TO regress_policy_app;
SET ROLE regress_policy_app;
SELECT * FROM replay_event_quarantine('events', repair => 'to_b(jsonb)');
SELECT violations -> 0 ->> 'message' AS message, count(*) FROM event_quarantine GROUP BY 1;
SELECT * FROM replay_event_quarantine('events', repair => 'to_2(jsonb)');
SELECT "row" -> 'data' AS data, violations -> 0 ->> 'message' AS message FROM event_quarantine ORDER BY id;
RESET ROLE;
GRANT regress_policy_owner TO regress_policy_app;
SET ROLE regress_policy_app;
SELECT * FROM replay_event_quarantine('events', repair => 'to_2(jsonb)');
RESET ROLE;
REVOKE regress_policy_owner FROM regress_policy_app;
SELECT data, tenant FROM events ORDER BY id;

-- partitions: the policies of the named table
TRUNCATE event_schema.quarantine;
SET ROLE regress_policy_owner;
CREATE TABLE parts (id int, event_type text DEFAULT 'policies', schema_version int DEFAULT 1, data jsonb, tenant text) PARTITION BY LIST (id);
CREATE TABLE part_1 (tenant text, gone int, data jsonb, schema_version int, event_type text, id int);
ALTER TABLE part_1 DROP gone;
ALTER TABLE parts ATTACH PARTITION part_1 FOR VALUES IN (1);
SELECT add_event_guard('parts', 'quarantine');
ALTER TABLE parts ENABLE ROW LEVEL SECURITY;
CREATE POLICY a ON parts WITH CHECK (tenant = 'a');
GRANT INSERT ON parts TO regress_policy_app;
SET ROLE regress_policy_app;
INSERT INTO parts (id, data, tenant) VALUES (1, '{}', 'a');
INSERT INTO parts (id, data, tenant) VALUES (1, '{}', 'b');
SET ROLE regress_policy_owner;
GRANT INSERT ON part_1 TO regress_policy_app;
SET ROLE regress_policy_app;
INSERT INTO part_1 (id, event_type, schema_version, data, tenant) VALUES (1, 'policies', 1, '{}', 'c');
RESET ROLE;
SELECT relation_name, "row" FROM event_quarantine ORDER BY id;

-- views: a role with privileges on some columns of the table, which can write others through a view
TRUNCATE event_schema.quarantine;
SET ROLE regress_policy_owner;
CREATE TABLE viewed (event_type text DEFAULT 'policies', schema_version int DEFAULT 1, data jsonb, tenant text DEFAULT 'a');
SELECT add_event_guard('viewed', 'quarantine');
GRANT INSERT (data) ON viewed TO regress_policy_app;
CREATE VIEW inner_view AS SELECT * FROM viewed WHERE tenant = 'a';
CREATE VIEW outer_view AS SELECT * FROM inner_view WITH CHECK OPTION;
SET ROLE regress_policy_app;
INSERT INTO viewed (data) VALUES ('{"diverted": 1}');
SET ROLE regress_policy_owner;
GRANT INSERT ON outer_view TO regress_policy_app;
SET ROLE regress_policy_app;
INSERT INTO outer_view (data, tenant) VALUES ('{}', 'b');
INSERT INTO viewed (data) VALUES ('{"diverted": 2}');
SET ROLE regress_policy_owner;
GRANT INSERT ON viewed TO regress_policy_app;
SET ROLE regress_policy_app;
INSERT INTO viewed (data) VALUES ('{"diverted": 3}');
RESET ROLE;
SELECT "row" -> 'data' AS data FROM event_quarantine ORDER BY id;

SET client_min_messages = warning;
TRUNCATE event_schema.quarantine;
DROP SCHEMA guard_policies CASCADE;
DROP OWNED BY regress_policy_owner, regress_policy_app;
DROP ROLE regress_policy_owner, regress_policy_app;
RESET client_min_messages;
SELECT drop_event_schema('policies', v) FROM unnest(ARRAY[1, 2]) v;
