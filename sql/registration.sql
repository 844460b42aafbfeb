-- Registering, listing and dropping schemas.
\pset format unaligned

-- a version, again, and with other annotations
SELECT register_event_schema('reg.order', 1, '{"type": "object", "required": ["id"]}');
SELECT register_event_schema('reg.order', 1, '{ "required":["id"], "type":"object" }');
SELECT definition FROM event_schemas WHERE event_type = 'reg.order';
SELECT register_event_schema('reg.order', 1, '{"type": "object", "required": ["id"], "title": "An order", "description": "It was placed.", "deprecated": true, "$schema": "https://json-schema.org/draft/2020-12/schema"}');
SELECT register_event_schema('reg.order', 1, '{"type": "object", "required": ["id"], "title": "An order", "description": "It was placed.", "deprecated": true}');
SELECT event_type, schema_version, definition, title, description, deprecated, dialect, owner = current_user AS mine, function
FROM event_schemas WHERE event_type = 'reg.order' \gx
SELECT register_event_schema('reg.order', 1, '{"type": "object"}');
\echo :SQLSTATE
SELECT register_event_schema('reg.order', 1, '{"type": "object", "required": ["id"]}', assert_format => false);

-- the function is what CREATE FUNCTION would have made
SELECT proisstrict, provolatile, proparallel, prosecdef, proconfig, proargnames, proleakproof
FROM pg_proc WHERE proname = 'reg.order@1';

-- options are lines of the body; the definition can be jsonb or text
SELECT register_event_schema('reg.order', 2, '{"format": "date"}'::jsonb, assert_format => false, breaking => true);
SELECT prosrc FROM pg_proc WHERE proname = 'reg.order@2';
SELECT definition FROM event_schemas WHERE event_type = 'reg.order' AND schema_version = 2;
SELECT validate_event('"x"', 'reg.order', 2);
SELECT register_event_schema('reg.order', 2, '{"format": "date"}');
SELECT register_event_schema('reg.order', 2, E'#assert_format off\n{"format": "date"}');

-- functions made by CREATE FUNCTION are registered
CREATE FUNCTION event_schema."reg.hand@1"(document jsonb) RETURNS boolean LANGUAGE jsonschema IMMUTABLE AS $$
	#assert_format off
	{"type": "string", "format": "date"}
$$;
SELECT event_type, schema_version, definition FROM event_schemas WHERE event_type = 'reg.hand';
SELECT register_event_schema('reg.hand', 1, '{"type": "string", "format": "date"}', assert_format => false);
SELECT register_event_schema('reg.hand', 1, '{"type": "string", "format": "date", "title": "Day"}', assert_format => false);
SELECT event_schema."reg.hand@1"(document => '"x"');

-- not a schema, or with unknown parts
SELECT register_event_schema('reg.bad', 1, '{"properties": {"a/b": {"minimum": "1"}}}');
\echo :SQLSTATE
SELECT register_event_schema('reg.bad', 1, '{"type": "object"');
\echo :SQLSTATE
SELECT register_event_schema('reg.bad', 1, '');
SELECT register_event_schema('reg.bad', 1, '1');
SELECT register_event_schema('reg.bad', 1, '{"$ref": "event:reg.none@1"}');
SET check_function_bodies = off;
SELECT register_event_schema('reg.bad', 1, '{"type": "objekt"}');
RESET check_function_bodies;
SELECT register_event_schema('reg.warned', 1, '{"properties": {"a": {"requried": ["b"]}}}');

-- names and versions
SELECT register_event_schema('', 1, '{}');
\echo :SQLSTATE
SELECT register_event_schema('a', -1, '{}');
\echo :SQLSTATE
SELECT register_event_schema(E'a\tb', 1, '{}');
SELECT register_event_schema('reg.' || repeat('a', 509), 1, '{}');
SELECT register_event_schema('reg.' || repeat('ä', 254) || 'b', 2147483647, '{}');
SELECT register_event_schema('reg.' || repeat('a', 56), 1, '{}');
SELECT register_event_schema('reg.a@1', 0, '{}');
SELECT event_type, schema_version FROM event_schemas WHERE event_type LIKE 'reg.a%';

-- NULL
SELECT register_event_schema(NULL, 1, '{}');
\echo :SQLSTATE
SELECT register_event_schema('a', NULL, '{}');
SELECT register_event_schema('a', 1, NULL);
SELECT register_event_schema('a', 1, NULL::jsonb);
SELECT register_event_schema('a', 1, '{}', NULL);
SELECT register_event_schema('a', 1, '{}', breaking => NULL);
SELECT widen_event_schema(NULL, 1, '{}');
SELECT drop_event_schema('a', NULL);
SELECT register_schema(NULL, '{}');
SELECT register_schema('urn:a', NULL);

-- documents
SELECT register_schema('https://reg.example/money', '{"type": "number"}');
SELECT register_schema('https://reg.example/money#', '{"type":"number"}');
SELECT register_schema('https://reg.example/money', '{"type": "number", "title": "Money"}');
SELECT register_schema('https://reg.example/money', '{"type": "string"}');
SELECT register_schema('https://reg.example/price', '{"$ref": "money", "minimum": 0}');
SELECT register_schema('https://reg.example/' || repeat('long/', 20) || 'a', '{"$ref": "/money"}');
SELECT register_schema('https://reg.example/' || repeat('long/', 20) || 'a', '{"$id": "https://reg.example/other/", "$ref": "/money"}');
SELECT register_schema('mailto:somebody@reg.example', '{"$ref": "https://reg.example/price"}');
SELECT register_event_schema('reg.paid', 1, jsonb_build_object('allOf', jsonb_build_array(
	'{"$ref": "mailto:somebody@reg.example"}'::jsonb,
	jsonb_build_object('$ref', 'https://reg.example/' || repeat('long/', 20) || 'a'))));
SELECT data, validate_event(data, 'reg.paid', 1) FROM (VALUES ('1'::jsonb), ('-1'), ('"1"')) v(data);
SELECT register_schema('money', '{}');
SELECT register_schema('//reg.example/money', '{}');
SELECT register_schema('https://reg.example/money#a', '{}');
SELECT register_schema('https://reg.example/my money', '{}');
SELECT register_schema('event:reg.paid@1', '{}');
SELECT register_schema('', '{}');

-- widening, with annotations only and not at all
SELECT widen_event_schema('reg.paid', 2, 'true');
SELECT widen_event_schema('reg.hand', 1, '{"type": "string", "format": "date", "title": "A day"}');
SELECT prosrc FROM pg_proc WHERE proname = 'reg.hand@1';
SELECT widen_event_schema('reg.hand', 1, '{"type": "string", "maxLength": 9}');
\echo :SQLSTATE
SELECT widen_event_schema('reg.hand', 1, '{"type": "text"}');

-- another schema refers into an annotation: it cannot change, unlike others with similar names
SELECT register_event_schema('reg.shown', 1, '{"examples": [{"type": "string"}], "$defs": {"title": {"type": "string"}}}');
SELECT register_event_schema('reg.named', 1, '{"$ref": "event:reg.shown@1#/$defs/title"}');
SELECT register_event_schema('reg.shown', 1, '{"examples": [{"type": "number"}], "$defs": {"title": {"type": "string", "title": "t"}}}');
SELECT register_event_schema('reg.taken', 1, '{"$ref": "event:reg.shown@1#/examples/0"}');
SELECT register_event_schema('reg.shown', 1, '{"examples": [{"type": "string"}], "$defs": {"title": {"type": "string"}}}');
\echo :SQLSTATE
SET check_function_bodies = off;
CREATE OR REPLACE FUNCTION event_schema."reg.shown@1"(data jsonb) RETURNS boolean LANGUAGE jsonschema AS
	'{"examples": [{"type": "string"}], "$defs": {"title": {"type": "string"}}}';
RESET check_function_bodies;
SELECT validate_event('1', 'reg.taken', 1) AS yes, validate_event('"1"', 'reg.taken', 1) AS no;
SELECT register_event_schema('reg.taken', 1, '{"$ref": "event:reg.shown@1#/examples/0", "title": "t"}');
SELECT drop_event_schema('reg.taken', 1), drop_event_schema('reg.named', 1);
SELECT drop_event_schema('reg.shown', 1);

-- a type that looks like a path can refer to itself
SELECT register_event_schema('reg.path/../reg.hand', 1, '{"$defs": {"x": {"type": "integer"}}, "properties": {"x": {"$ref": "#/$defs/x"}, "inner": {"$ref": "#"}}}');
SELECT register_event_schema('reg.path', 1, '{"$ref": "event:reg.path%2F..%2Freg.hand@1"}');
SELECT validate_event('{"inner": {"x": 1}}', 'reg.path', 1) AS yes, validate_event('{"inner": {"x": "1"}}', 'reg.path', 1) AS no;
SELECT drop_event_schema('reg.path', 1), drop_event_schema('reg.path/../reg.hand', 1);

-- an $id is found with any JSON escapes, and cannot be taken over
SELECT register_schema('https://reg.example/escaped', '{"$id": "https:\/\/reg.example\/dir\/", "type": "integer"}');
SELECT register_event_schema('reg.escaped', 1, '{"$ref": "https://reg.example/dir/"}');
SELECT validate_event('1', 'reg.escaped', 1) AS yes, validate_event('"1"', 'reg.escaped', 1) AS no;
SELECT register_schema('https://reg.example/dir/', 'true');
SELECT drop_event_schema('reg.escaped', 1);

-- all schemas as DDL
COMMENT ON FUNCTION event_schema."reg.paid@1" IS 'it''s paid';
SELECT event_schema_ddl('reg.paid');
SELECT count(*) > 6 AS all FROM event_schema_ddl();
SELECT event_schema_ddl('reg.none');
SELECT string_agg(ddl, E'\n') AS ddl FROM event_schema_ddl() ddl WHERE ddl LIKE '%"reg.%' \gset
BEGIN;
SET LOCAL client_min_messages = error;
SELECT count(drop_event_schema(event_type, schema_version)) FROM event_schemas WHERE event_type LIKE 'reg.%';
:ddl
SELECT event_type, schema_version FROM event_schemas WHERE event_type LIKE 'reg.%';
ROLLBACK;

-- dropping
SELECT drop_event_schema('reg.paid', 2);
SELECT drop_event_schema('reg.none', 1);
\echo :SQLSTATE
SELECT drop_event_schema('reg.paid', 1);
SELECT count(drop_event_schema(event_type, schema_version)) FROM event_schemas WHERE event_type LIKE 'reg.%';
SELECT 'DROP FUNCTION ' || string_agg(oid::regprocedure::text, ', ' ORDER BY proname) FROM pg_proc
WHERE pronamespace = 'event_schema'::regnamespace AND (proname LIKE 'https://reg.example/%' OR prosrc LIKE '%//reg.example/%') \gexec
SELECT count(*) FROM event_schema_ddl() ddl WHERE ddl LIKE '%reg.%';
