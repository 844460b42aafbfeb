-- Which tables enforce which schemas: event_enforcement
\set VERBOSITY terse
SET search_path = public, pg_temp;
SELECT register_event_schema('order', 1, '{"type": "object"}');
CREATE SCHEMA app;
CREATE TABLE app.orders (id int PRIMARY KEY, event_type text, schema_version int, data jsonb,
	CONSTRAINT ok CHECK (check_event(data, event_type, schema_version)));
CREATE TABLE app.both (kind text, data jsonb, payload jsonb, archived boolean,
	CONSTRAINT two CHECK ((check_event(data, 'order', 1) AND validate_event(payload, kind, 1)) OR archived));
ALTER TABLE app.both ADD CONSTRAINT later CHECK (check_event(data, 'order', 1)) NOT VALID;
CREATE FUNCTION app.wrapped(document jsonb, type text, version int) RETURNS boolean IMMUTABLE
	BEGIN ATOMIC SELECT check_event(document, type, version); END;
CREATE TABLE app.wrapping (d jsonb, CHECK (app.wrapped(d, 'order', 1)));
CREATE DOMAIN app.order_data AS jsonb CONSTRAINT is_order CHECK (check_event(VALUE, 'order', 1));
CREATE TABLE app.with_domain (id int, o app.order_data);
CREATE TABLE app.direct (d jsonb, CHECK (event_schema."order@1"(d -> 'order')));
CREATE FUNCTION app.my_schema(data jsonb) RETURNS boolean LANGUAGE jsonschema IMMUTABLE AS 'true';
CREATE TABLE app.private (d jsonb, CHECK (app.my_schema(d)));
CREATE TABLE app.parted (id int, event_type text, schema_version int, data jsonb,
	CHECK (check_event(data, event_type, schema_version))) PARTITION BY RANGE (id);
CREATE TABLE app.part PARTITION OF app.parted FOR VALUES FROM (0) TO (10);
CREATE TABLE app.guarded (event_type text, schema_version int, data jsonb, "strange Name" json);
SELECT add_event_guard('app.guarded', 'warn', 'coalesce("strange Name"::jsonb, data)');
SELECT add_event_guard('app.parted', 'enforce');
CREATE TABLE app.by_hand (event_type text, schema_version int, data jsonb);
CREATE TRIGGER guard BEFORE INSERT ON app.by_hand FOR EACH ROW EXECUTE FUNCTION guard_event('quarantine', 'data -> ''x''');
CREATE TABLE app.wrong (event_type text, schema_version int, data jsonb);
CREATE TRIGGER guard BEFORE INSERT ON app.wrong FOR EACH ROW EXECUTE FUNCTION guard_event('nonsense');
CREATE TABLE app.disabled (event_type text, schema_version int, data jsonb);
SELECT add_event_guard('app.disabled', 'enforce');
ALTER TABLE app.disabled DISABLE TRIGGER ALL;

SELECT relation, kind, name, column_name, data_expr, type_expr, version_expr FROM event_enforcement;
SELECT relation, kind, name, mode, mode_until, validated, enabled, definition, problem FROM event_enforcement;

-- a mode that has ended is "enforce"; the answer is the same under another search_path
SELECT new_mode FROM set_event_guard_mode('app.guarded', 'off', until => clock_timestamp() + interval '1 hour');
SELECT mode, mode_until > now() AS ends FROM event_enforcement WHERE relation = 'app.guarded'::regclass;
SELECT new_mode FROM set_event_guard_mode('app.guarded', 'off', until => clock_timestamp() + interval '0.1 second');
SELECT pg_sleep(0.2);
SET search_path = pg_catalog, pg_temp;
SELECT relation, type_expr, mode, mode_until FROM public.event_enforcement WHERE relation = 'app.guarded'::regclass;
RESET search_path;

-- as in the catalogs, all roles see all
CREATE ROLE regress_enforcement_reader;
SET ROLE regress_enforcement_reader;
SELECT kind, name, type_expr, mode, problem FROM event_enforcement WHERE name = 'ok';
RESET ROLE;

-- no lock is kept
BEGIN;
SELECT count(*) > 5 AS listed FROM event_enforcement;
SELECT relation::regclass, mode FROM pg_locks WHERE locktype = 'relation' AND relation IN ('app.orders'::regclass, 'app.guarded'::regclass);
COMMIT;

DROP ROLE regress_enforcement_reader;
SET client_min_messages = warning;
DROP SCHEMA app CASCADE;
SELECT drop_event_schema('order', 1);
DROP TABLE event_schema.quarantine;
