-- After a move of the database that everything.sql made: its parts do what they did.  Prints one line for each claim,
-- CLAIM|t if it holds, and changes nothing.
\set ON_ERROR_STOP on
SET client_min_messages = error;
SET search_path = app, public;
BEGIN;
-- the SQLSTATE of a command, 00000 if it succeeds; its effects are undone
CREATE FUNCTION pg_temp.state(command text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE command;
	RAISE EXCEPTION USING ERRCODE = 'ZZ000';
EXCEPTION
	WHEN SQLSTATE 'ZZ000' THEN RETURN '00000';
	WHEN OTHERS THEN RETURN SQLSTATE;
END $$;
SELECT claim, (got = state)::text || CASE WHEN got <> state THEN ' ' || got ELSE '' END
FROM (VALUES
	('check: valid', '00000', $$INSERT INTO events (event_type, schema_version, data) VALUES ('order', 1, '{"id": 1, "qty": 1}')$$),
	('check: not valid', '23514', $$INSERT INTO events (event_type, schema_version, data) VALUES ('order', 1, '{"id": 1, "qty": 0}')$$),
	('check: not registered', '42704', $$INSERT INTO events (event_type, schema_version, data) VALUES ('order', 9, '{}')$$),
	('check that is not validated: new rows', '23514', $$INSERT INTO late (event_type, schema_version, data) VALUES ('order', 1, '{}')$$),
	('check of partitions', '23514', $$INSERT INTO parts VALUES ('order', 1, '{}')$$),
	('check by references of a bundle', '23514', $$INSERT INTO parts VALUES ('tree', 1, '{"branches": [{"price": 1.255}]}')$$),
	('check with a long type', '23514', $$INSERT INTO parts VALUES (repeat('long', 40), 2, '{}')$$),
	('check without one format', '00000', $$INSERT INTO parts VALUES ('formats', 1, '{"at": "never"}')$$),
	('check with the other formats', '23514', $$INSERT INTO parts VALUES ('formats', 1, '{"mail": "never"}')$$),
	('schema function in a check', '23514', $$INSERT INTO direct VALUES (2, '{}')$$),
	('domain', '23514', $$INSERT INTO direct (id, whole) VALUES (2, '{}')$$),
	('domain by a document', '23514', $$INSERT INTO direct (id, price) VALUES (2, '"x"')$$),
	('calls of pg_jsonschema', '23514', $$INSERT INTO checks_of_pg_jsonschema VALUES ('{}')$$),
	('a widened schema', '00000', $$INSERT INTO parts VALUES ('wide', 1, '{"n": 0.5}')$$),
	('guard: enforce', '23514', $$INSERT INTO guard_enforce (event_type, schema_version, data) VALUES ('order', 1, '{}')$$),
	('guard: another type', '00000', $$INSERT INTO guard_enforce (event_type, schema_version, data) VALUES ('another', 1, '{}')$$),
	('guard: warn', '00000', $$INSERT INTO guard_warn (event_type, schema_version, data) VALUES ('order', 1, '{}')$$),
	('policy', '22023', $$SELECT register_event_schema('order', 4, '{"required": ["more"]}')$$),
	('policy none', '00000', $$SELECT register_event_schema('free', 3, '{"type": "null"}')$$),
	('registered again', '00000', $$SELECT register_event_schema('order', 1, definition) FROM event_schemas WHERE event_type = 'order' AND schema_version = 1$$),
	('registered with another schema', '42710', $$SELECT register_event_schema('order', 1, '{}')$$),
	('$id of another', '42710', $$SELECT register_event_schema('copy', 1, '{"$id": "https://bundle.test/tree"}')$$),
	('widened', '00000', $$SELECT widen_event_schema('never', 1, '{}')$$),
	('widened under a generated column', '2BP01', $$SELECT widen_event_schema('wide', 1, '{"properties": {"n": {"type": ["number", "string"]}}}')$$),
	('narrowed', '22023', $$SELECT widen_event_schema('wide', 1, '{"properties": {"n": {"type": "null"}}}')$$),
	('dropped while rows have it', '2BP01', $$SELECT drop_event_schema('order', 1)$$),
	('dropped by DROP FUNCTION', '2BP01', $$DROP FUNCTION event_schema."order@1" CASCADE$$),
	('the function of an upcast', '2BP01', $$DROP FUNCTION order_3$$),
	('renamed', '0A000', $$ALTER FUNCTION event_schema."order@1" RENAME TO "order@7"$$),
	('the extension', '2BP01', $$DROP EXTENSION event_validate CASCADE$$),
	('the quarantine', '2BP01', $$DROP TABLE event_schema.quarantine$$),
	('a new table', '00000', $$CREATE TABLE fresh (LIKE events); SELECT add_event_check('fresh'); SELECT add_event_guard('fresh', 'quarantine'); SELECT drop_event_guard('fresh'), drop_event_check('fresh')$$),
	('a guard dropped', '00000', $$SELECT drop_event_guard('guard_warn')$$),
	('another mode', '00000', $$SELECT set_event_guard_mode('guarded', 'enforce')$$),
	('an upcast dropped and made again', '00000', $$SELECT drop_event_upcast('order', 2, 3); SELECT register_event_upcast('order', 2, 3, 'app.order_3(jsonb)')$$),
	('audit', '00000', $$SELECT * FROM audit_events('late')$$),
	('validation of a check', '23514', $$SELECT validate_event_check('late')$$),
	('event_schema_ddl again', '00000', (SELECT string_agg(d, E'\n') FROM event_schema_ddl() AS d))
) AS claims (claim, state, command), LATERAL (SELECT pg_temp.state(command) AS got) AS run;
SELECT 'upcast', upcast_event('{"id": 1, "qty": 2}', 'order', 1) = '{"id": 1, "quantity": 2, "currency": "EUR"}';
SELECT 'downcast', event_at_version('{"id": 1, "quantity": 2, "currency": "EUR"}', 'order', 3, 1) = '{"id": 1, "qty": 2}';
SELECT 'rename', event_at_version('{"a": 1}', 'part', 1, 2) = '{"b": 1}' AND event_at_version('{"b": 1}', 'part', 2, 1) = '{"a": 1}';
SELECT 'views of versions', (SELECT count(*) FROM order_latest WHERE currency = 'EUR') >= 400 AND (SELECT count(*) FROM order_first WHERE qty > 0) >= 600;
SELECT 'violations', (SELECT count(*) FROM violations) >= 1;
-- an event is diverted, repaired, replayed
CREATE TEMP TABLE counted AS SELECT count(*) AS n FROM event_quarantine;
INSERT INTO guarded (event_type, schema_version, data) VALUES ('order', 1, '{"id": 77, "qty": 0}');
SELECT 'diverted', (SELECT count(*) FROM event_quarantine) = n + 1 AND NOT EXISTS (SELECT FROM guarded WHERE data->>'qty' = '0') FROM counted;
CREATE FUNCTION public.repair_77(event jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$SELECT jsonb_set(event, '{data,qty}', '77')$$;
SELECT 'replayed', replayed = 1 FROM replay_event_quarantine('guarded', repair => 'public.repair_77', ids => (SELECT ARRAY[max(id)] FROM event_quarantine));
SELECT 'repaired', (SELECT count(*) FROM guarded WHERE data->>'qty' = '77') >= 1 AND (SELECT count(*) FROM event_quarantine) = n FROM counted;
SELECT 'purged', purge_event_quarantine('-1 day') = n FROM counted;
ROLLBACK;
