-- Upcasts: registering them, and upcasting events.
SELECT set_event_compatibility('order', 'none');
SELECT register_event_schema('order', 1, '{"type": "object", "required": ["qty"], "properties": {"qty": {"type": "integer"}}}');
SELECT register_event_schema('order', 2, '{"type": "object", "required": ["qty", "venue"], "properties": {"qty": {"type": "integer"}, "venue": {"enum": ["XNAS", "XNYS"]}}}');
SELECT register_event_schema('order', 4, '{"type": "object", "required": ["quantity"], "properties": {"quantity": {"type": "integer", "minimum": 1}, "legs": {"maxItems": 1}}}');

CREATE SCHEMA "Odd ""schema";
CREATE FUNCTION "Odd ""schema"."with ""venue"";"(jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE PARALLEL SAFE
	AS $$SELECT $1 || '{"venue": "XNAS"}'$$;
CREATE FUNCTION to_quantity(event jsonb) RETURNS jsonb LANGUAGE plpgsql STABLE PARALLEL RESTRICTED AS $$
BEGIN
	IF event->>'qty' = '13' THEN
		RAISE EXCEPTION 'thirteen' USING ERRCODE = 'P0013', HINT = 'Take another number.';
	END IF;
	RETURN CASE event->>'qty' WHEN '14' THEN NULL ELSE event - 'qty' || jsonb_build_object('quantity', event->'qty') END;
END
$$;

-- functions that are no upcast
CREATE FUNCTION to_text(jsonb) RETURNS text LANGUAGE sql AS 'SELECT $1::text';
CREATE FUNCTION from_json(json) RETURNS jsonb LANGUAGE sql AS 'SELECT $1::jsonb';
CREATE FUNCTION to_two(jsonb) RETURNS SETOF jsonb LANGUAGE sql AS 'SELECT $1 UNION ALL SELECT $1';
CREATE FUNCTION with_option(jsonb, text DEFAULT 'a') RETURNS jsonb LANGUAGE sql AS 'SELECT $1';
CREATE FUNCTION variadic_one(VARIADIC jsonb[]) RETURNS jsonb LANGUAGE sql AS 'SELECT $1[1]';
CREATE FUNCTION pg_temp.passing(jsonb) RETURNS jsonb LANGUAGE sql AS 'SELECT $1';
CREATE PROCEDURE no_function(INOUT jsonb) LANGUAGE sql AS 'SELECT $1';
CREATE AGGREGATE last_one(jsonb) (SFUNC = jsonb_concat, STYPE = jsonb);
SELECT register_event_upcast('order', 1, 2, 'to_text(jsonb)');
SELECT register_event_upcast('order', 1, 2, 'from_json(json)');
SELECT register_event_upcast('order', 1, 2, 'to_two(jsonb)');
SELECT register_event_upcast('order', 1, 2, 'with_option(jsonb, text)');
SELECT register_event_upcast('order', 1, 2, 'variadic_one(jsonb[])');
SELECT register_event_upcast('order', 1, 2, 'pg_temp.passing(jsonb)');
SELECT register_event_upcast('order', 1, 2, 'no_function(jsonb)');
SELECT register_event_upcast('order', 1, 2, 'last_one(jsonb)');
SELECT register_event_upcast('order', 1, 2, 99999999);
SELECT register_event_upcast('order', 1, 2, NULL);
-- the steps for which upcasts can be registered
SELECT register_event_upcast('order', 3, 4, 'to_quantity(jsonb)');
SELECT register_event_upcast('order', 1, 3, 'to_quantity(jsonb)');
SELECT register_event_upcast('order', 4, 5, 'to_quantity(jsonb)');
SELECT register_event_upcast('order', 1, 4, 'to_quantity(jsonb)');
SELECT register_event_upcast('order', 2, 1, 'to_quantity(jsonb)');
SELECT register_event_upcast('order', 2, 2, 'to_quantity(jsonb)');
SELECT register_event_upcast('order', -1, 2, 'to_quantity(jsonb)');
SELECT register_event_upcast('ordre', 1, 2, 'to_quantity(jsonb)');
SELECT register_event_upcast(repeat('n', 513), 1, 2, 'to_quantity(jsonb)');

-- registered, with volatility and parallel safety of the function
SELECT register_event_upcast('order', 1, 2, '"Odd ""schema"."with ""venue"";"(jsonb)');
SELECT register_event_upcast('order', 2, 4, 'to_quantity(jsonb)');
SELECT proname, provolatile, proparallel, prosrc, pg_get_function_sqlbody(oid) FROM pg_proc WHERE proname LIKE 'order@%>%' ORDER BY 1;
-- the same again changes nothing, another one is refused
SELECT register_event_upcast('order', 1, 2, '"Odd ""schema"."with ""venue"";"(jsonb)');
SELECT register_event_upcast('order', 1, 2, 'to_quantity(jsonb)');
-- its dependencies cannot be dropped
DROP FUNCTION to_quantity;
SELECT drop_event_schema('order', 2);
DROP FUNCTION event_schema."order@2";

-- step by step
SELECT event_upcast_path('order', 1), event_upcast_path('order', 1, 2), event_upcast_path('order', 4);
SELECT upcast_event('{"qty": 1}', 'order', 1), upcast_event('{"qty": 1}', 'order', 1, 2), upcast_event('{"qty": 1, "venue": "XNYS"}', 'order', 2);
-- without a step nothing is validated
SELECT upcast_event('7', 'order', 4), upcast_event('7', 'order', 2, 2);
SELECT upcast_event(NULL, 'order', 1), upcast_event(NULL, 'ordre', 1), upcast_event(NULL, NULL, NULL);
SELECT upcast_event('{}', NULL, 1);
SELECT upcast_event('{}', 'order', NULL);
SELECT upcast_event('{}', 'order', 3);
SELECT upcast_event('{}', 'order', 1, 3);
SELECT upcast_event('{}', 'order', 1, -1);
SELECT upcast_event('{}', 'ordre', 1);
SELECT upcast_event('{}', 'order', 4, 2);
-- the result of each step must be valid
SELECT upcast_event('{"qty": 0}', 'order', 1);
SELECT upcast_event('{"qty": "many", "legs": [1, 2]}', 'order', 1);
SELECT upcast_event('{"qty": 0, "venue": "XLON", "legs": [1, 2]}', 'order', 2);
SELECT upcast_event('[]', 'order', 1);
SELECT upcast_event('{"qty": 14}', 'order', 1);
-- errors name the step
SELECT upcast_event('{"qty": 13}', 'order', 1);
DO $$
DECLARE
	state text; violated text;
BEGIN
	PERFORM upcast_event('{"qty": 0}', 'order', 1);
EXCEPTION WHEN check_violation THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, violated = CONSTRAINT_NAME;
	RAISE NOTICE '% %', state, violated;
END
$$;

-- a call site with many types and versions
SELECT type, count(*), sum((upcast_event(data, type, version)->>'quantity')::int)
FROM (SELECT 'order' AS type, (ARRAY[1, 2, 4])[i % 3 + 1] AS version,
		(ARRAY['{"qty": 1}', '{"qty": 2, "venue": "XNYS"}', '{"quantity": 3}']::jsonb[])[i % 3 + 1] AS data
	FROM generate_series(1, 300) AS i) AS events
GROUP BY type;
SELECT count(register_event_schema('site' || t, v, 'true')) FROM generate_series(1, 100) AS t, generate_series(1, 2) AS v;
CREATE FUNCTION without_nulls(data jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS 'SELECT jsonb_strip_nulls(data)';
SELECT count(register_event_upcast('site' || t, 1, 2, 'without_nulls(jsonb)')) FROM generate_series(1, 100) AS t;
SELECT count(*) FILTER (WHERE upcast_event('{"a": null}', 'site' || t, 1) = '{}') FROM generate_series(1, 100) AS t, generate_series(1, 3);
-- a kept plan notices changes
CREATE FUNCTION upcasts(OUT before text, OUT after text, OUT dropped text) LANGUAGE plpgsql AS $$
DECLARE
	step int;
	got text;
BEGIN
	FOR step IN 1..3 LOOP
		BEGIN
			got := upcast_event('{"a": null}', 'site1', 1);
		EXCEPTION WHEN undefined_object THEN
			got := SQLERRM;
		END;
		IF step = 1 THEN
			before := got;
			DROP FUNCTION event_schema."site1@1>2";
			PERFORM register_event_upcast('site1', 1, 2, '"Odd ""schema"."with ""venue"";"(jsonb)');
		ELSIF step = 2 THEN
			after := got;
			DROP FUNCTION event_schema."site1@1>2";
		ELSE
			dropped := got;
		END IF;
	END LOOP;
END
$$;
SELECT * FROM upcasts();
DROP FUNCTION upcasts;

-- a version added between others: the existing path is kept
SELECT register_event_schema('order', 3, 'true', breaking => true);
SELECT event_upcast_path('order', 1), event_upcast_path('order', 1, 4);
SELECT event_upcast_path('order', 1, 3);
SELECT register_event_upcast('order', 2, 3, 'to_quantity(jsonb)');
SELECT register_event_upcast('order', 3, 4, 'to_quantity(jsonb)');
DROP FUNCTION event_schema."order@2>4";
SELECT event_upcast_path('order', 1);
SELECT register_event_upcast('order', 2, 3, 'to_quantity(jsonb)');
SELECT event_upcast_path('order', 1), event_upcast_path('order', 2);
DROP FUNCTION event_schema."order@2>3";

-- CREATE FUNCTION does the same, with the same checks
CREATE FUNCTION event_schema."order@2>4"(data jsonb) RETURNS jsonb LANGUAGE sql BEGIN ATOMIC SELECT to_quantity(data); END;
CREATE FUNCTION event_schema."order@2>3"(data jsonb) RETURNS jsonb LANGUAGE sql BEGIN ATOMIC SELECT to_quantity(data); END;
CREATE FUNCTION event_schema."order@4>5"(data jsonb) RETURNS jsonb LANGUAGE sql BEGIN ATOMIC SELECT to_quantity(data); END;
CREATE FUNCTION event_schema."order@2>2"(data jsonb) RETURNS jsonb LANGUAGE sql BEGIN ATOMIC SELECT to_quantity(data); END;
SELECT register_event_upcast('order', 2, 3, 'to_quantity(jsonb)');
DROP FUNCTION event_schema."order@3>4";
CREATE FUNCTION event_schema."order@3>4"(data jsonb) RETURNS jsonb LANGUAGE sql AS 'SELECT to_quantity(data)';
CREATE FUNCTION event_schema."order@3>4"(data jsonb) RETURNS jsonb LANGUAGE plpgsql AS 'BEGIN RETURN to_quantity(data); END';
CREATE FUNCTION event_schema."order@3>4"(data jsonb) RETURNS text LANGUAGE sql BEGIN ATOMIC SELECT data::text; END;
CREATE FUNCTION event_schema."order@3>4"(data json) RETURNS jsonb LANGUAGE sql BEGIN ATOMIC SELECT to_quantity(data::jsonb); END;
CREATE FUNCTION event_schema."order@3>4"(data jsonb) RETURNS SETOF jsonb LANGUAGE sql BEGIN ATOMIC SELECT to_quantity(data); END;
CREATE FUNCTION event_schema."order@3>4"(data jsonb) RETURNS jsonb LANGUAGE sql SECURITY DEFINER BEGIN ATOMIC SELECT to_quantity(data); END;
CREATE FUNCTION event_schema."order@3>4"(data jsonb) RETURNS jsonb LANGUAGE sql SET search_path = public BEGIN ATOMIC SELECT to_quantity(data); END;
CREATE FUNCTION event_schema."order@3>4"(data jsonb) RETURNS jsonb LANGUAGE sql BEGIN ATOMIC SELECT data; SELECT to_quantity(data); END;
CREATE FUNCTION event_schema."order@3>4"(data jsonb) RETURNS jsonb LANGUAGE sql BEGIN ATOMIC SELECT data FROM pg_class; END;
CREATE PROCEDURE event_schema."order@3>4"(data jsonb) LANGUAGE sql BEGIN ATOMIC SELECT to_quantity(data); END;
-- an expression is accepted
CREATE FUNCTION event_schema."order@3>4"(old jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE RETURN old || '{"quantity": 3}';
SELECT upcast_event('{}', 'order', 3);
CREATE OR REPLACE FUNCTION event_schema."order@3>4"(old jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE RETURN old || '{"quantity": 4}';
CREATE OR REPLACE FUNCTION event_schema."order@3>4"(old jsonb) RETURNS jsonb LANGUAGE sql STABLE RETURN old || '{"quantity": 3}';
ALTER FUNCTION event_schema."order@3>4" RENAME TO "order@3>5";
ALTER FUNCTION event_schema."order@3>4" SECURITY DEFINER;
ALTER FUNCTION event_schema."order@3>4" IMMUTABLE PARALLEL SAFE;

-- all as DDL, which changes nothing if it runs again
SET search_path = pg_catalog;
SELECT public.event_schema_ddl('order');
RESET search_path;
DO $$
DECLARE
	command text;
BEGIN
	FOR command IN SELECT event_schema_ddl('order') LOOP
		EXECUTE command;
	END LOOP;
END
$$;
SELECT upcast_event('{"qty": 1}', 'order', 1);

-- a role without EXECUTE on the function
CREATE ROLE regress_upcast;
SET ROLE regress_upcast;
SELECT register_event_upcast('order', 3, 4, 'to_quantity(jsonb)');
SELECT register_event_upcast('site1', 1, 2, 'to_quantity(jsonb)');
SELECT upcast_event('{"qty": 1}', 'order', 1, 2);
RESET ROLE;
REVOKE EXECUTE ON FUNCTION to_quantity FROM PUBLIC;
GRANT USAGE ON SCHEMA "Odd ""schema" TO regress_upcast;
SET ROLE regress_upcast;
SELECT upcast_event('{"qty": 1}', 'order', 1, 2);
SELECT upcast_event('{"qty": 1}', 'order', 1);
SELECT register_event_upcast('site1', 1, 2, 'to_quantity(jsonb)');
RESET ROLE;
REVOKE EXECUTE ON FUNCTION event_schema."order@2>3" FROM PUBLIC;
SET ROLE regress_upcast;
SELECT upcast_event('{"qty": 1}', 'order', 1, 2);
SELECT upcast_event('{"qty": 1}', 'order', 1);
RESET ROLE;
DROP OWNED BY regress_upcast;
DROP ROLE regress_upcast;

DO $$
BEGIN
	FOR t IN 1..100 LOOP
		EXECUTE format('DROP FUNCTION IF EXISTS event_schema."site%s@1>2"(jsonb)', t);
		PERFORM drop_event_schema('site' || t, 1), drop_event_schema('site' || t, 2);
	END LOOP;
END
$$;
-- what is proved is remembered until a version, or a document to which it refers, changes
SELECT register_event_schema('proof.part', 1, '{"type": "string"}');
SELECT register_event_schema('proof', 1, '{"properties": {"a": {"$ref": "event:proof.part@1"}}}'), register_event_schema('proof', 2, '{"properties": {"a": {"type": ["string", "null"]}}}');
SELECT upcast_event('{"a": "x"}', 'proof', 1, 2);
SELECT widen_event_schema('proof.part', 1, '{"type": ["string", "integer"]}');
SELECT upcast_event('{"a": "x"}', 'proof', 1, 2);
SELECT widen_event_schema('proof', 2, '{"properties": {"a": {"type": ["string", "null", "integer"]}}}');
SELECT upcast_event('{"a": "x"}', 'proof', 1, 2);
CREATE FUNCTION pg_temp.stranger() RETURNS int LANGUAGE sql AS 'SELECT 1';
SELECT upcast_event('{"a": 1}', 'proof', 1, 2);
SELECT drop_event_schema('proof', n) FROM generate_series(2, 1, -1) AS n;
SELECT drop_event_schema('proof.part', 1);

DROP FUNCTION event_schema."order@compatibility";
DROP FUNCTION event_schema."order@1>2", event_schema."order@2>3", event_schema."order@3>4";
SELECT count(drop_event_schema('order', v)) FROM generate_series(1, 4) AS v;
SELECT count(*) FROM pg_depend WHERE objid NOT IN (SELECT oid FROM pg_proc) AND classid = 'pg_proc'::regclass;
DROP FUNCTION "Odd ""schema"."with ""venue"";", to_quantity, without_nulls;
DROP SCHEMA "Odd ""schema";
