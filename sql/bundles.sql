-- register_schemas: many schemas in one call.
\set VERBOSITY terse

-- ---------- in any order, and in circles ----------
SELECT * FROM register_schemas('{
  "node@1": {"type": "object", "properties": {"next": {"$ref": "event:node@1"}, "leaf": {"$ref": "https://bundle.test/leaf"}}},
  "a.first@1": {"$ref": "https://bundle.test/tree"},
  "tree@1": {"$id": "https://bundle.test/tree", "properties": {"branches": {"items": {"$ref": "branch"}}}},
  "https://bundle.test/branch": {"properties": {"tree": {"$ref": "/tree"}, "leaf": {"$ref": "leaf#/$defs/green"}}},
  "https://bundle.test/leaf": "#assert_format off\n{\"$defs\": {\"green\": {\"const\": \"green\"}}, \"type\": [\"string\", \"null\"], \"format\": \"date\"}",
  "never@1": false, "never@2": true, "urn:bundle:empty": {}}');
SELECT data, validate_event(data::jsonb, 'a.first', 1) FROM (VALUES ('{"branches": [{"tree": {"branches": [{"leaf": "green"}]}}]}'),
  ('{"branches": [{"tree": {"branches": [{"leaf": "red"}]}}]}')) AS d (data);
SELECT validate_event('{"next": {"leaf": "x"}}', 'node', 1), validate_event('{"next": {"leaf": 1}}', 'node', 1);
SELECT * FROM register_schemas('{}');
SELECT prosrc FROM pg_proc WHERE proname IN ('never@1', 'https://bundle.test/leaf') ORDER BY proname COLLATE "C";

-- again, with another title, with another document
SELECT * FROM register_schemas('{"never@1": false, "tree@1": {"$id": "https://bundle.test/tree", "title": "T", "properties": {"branches": {"items": {"$ref": "branch"}}}}, "never@3": true}');
\set VERBOSITY default
SELECT * FROM register_schemas('{"never@1": true, "new@1": {}}');
SELECT count(*) FROM event_schemas WHERE event_type = 'new';

-- keys
SELECT * FROM register_schemas('{"a": {}, "a@01": {}, "@1": {}, "urn:a#b": {}, "event:a": {}, "https://bundle.test/npm@1": {}, "urn:%zz": {}, "": {}}');
SELECT * FROM register_schemas('{"https://bundle.test/npm@1#": {"type": "string"}, "event:https://bundle.test/npm@1": {"$ref": "https://bundle.test/npm@1"}, "event:with%20space@1": {}, "with space@2": {}}');
SELECT * FROM register_schemas('{"same@1": {}, "event:same@1": {}}');
SELECT * FROM register_schemas(jsonb_build_object('long.' || repeat('x', 70) || '@1', '{}', 'https://bundle.test/' || repeat('y', 60), '{"$ref": "event:long.' || repeat('x', 70) || '@1"}'));
SELECT * FROM register_schemas(jsonb_build_object('long.' || repeat('x', 70) || '@2', E'#event_type long\n{}', 'https://bundle.test/' || repeat('z', 60), '{"$ref": "relative"}', 'urn:typed', E'#event_type a\n{}'));
SELECT register_schemas('[]');
SELECT register_schemas('1');
SELECT register_schemas(NULL);

-- ---------- all faults of all documents ----------
SELECT * FROM register_schemas('{
  "bad.type@1": {"type": "txet", "minimum": "1", "properties": {"a": {"$ref": "#/nothing"}}},
  "bad.text@1": "{\"type\": \"object\",\n \"type\": \"object\"}",
  "bad.json@1": "{\n  \"type\": }",
  "bad.value@1": [],
  "bad.reference@1": {"$ref": "urn:bundle:nothing"},
  "bad.endless@1": {"$ref": "event:bad.endless@2"}, "bad.endless@2": {"$ref": "event:bad.endless@1"},
  "bad.pragma@1": "#nothing\n{}",
  "bad.id@1": {"$id": "event:never@1"},
  "caused@1": {"$ref": "event:bad.type@1"}, "caused@2": {"$ref": "event:caused@1"}, "caused@3": {"$ref": "event:bad.json@1"},
  "good@1": {}}');
SELECT count(*) FROM event_schemas WHERE event_type ~ '^(bad|caused|good)';
-- in a circle: of each member its own faults; what refers to one with faults has no others
SELECT * FROM register_schemas('{
  "ring.a@1": {"$ref": "event:ring.b@1"}, "ring.b@1": {"properties": {"c": {"$ref": "event:ring.c@1"}}},
  "ring.c@1": {"type": "txet", "properties": {"d": {"$ref": "event:ring.d@1"}, "n": {"$ref": "urn:bundle:nothing"}}},
  "ring.d@1": {"minimum": "1", "properties": {"a": {"$ref": "event:ring.a@1"}, "x": {"$ref": "event:ring.b@1#/nothing"}}},
  "ring.user@1": {"$ref": "event:ring.b@1"}, "ring.user@2": {"$ref": "event:ring.c@1", "maximum": "1"}}');
-- of a thousand
DO $$ BEGIN PERFORM register_schemas(jsonb_object_agg('thousand.' || i || '@1', jsonb_build_object('type', CASE i WHEN 500 THEN 'txet' ELSE 'object' END,
  'properties', jsonb_build_object('next', jsonb_build_object('$ref', 'event:thousand.' || i % 1000 + 1 || '@1'))))) FROM generate_series(1, 1000) i;
EXCEPTION WHEN invalid_parameter_value THEN RAISE NOTICE '%', SQLERRM; END $$;
-- a bound on the list, and the counts
DO $$
DECLARE
	detail text;
BEGIN
	PERFORM register_schemas(jsonb_object_agg('many.' || i || '@1', jsonb_build_object('properties',
		(SELECT jsonb_object_agg('p' || j, jsonb_build_object('type', 'none')) FROM generate_series(1, i) j)))) FROM generate_series(1, 30) i;
EXCEPTION WHEN invalid_parameter_value THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
	RAISE NOTICE '%: % lines, %', SQLERRM, regexp_count(detail, E'\n') + 1, substring(detail FROM '[^\n]*$');
END $$;
-- one SQLSTATE and one HINT for all faults
DO $$BEGIN PERFORM register_schemas('{"never@1": {"minimum": 1}, "never@2": {"minimum": 1}}'); EXCEPTION WHEN duplicate_object THEN RAISE NOTICE '%', SQLERRM; END$$;
SELECT * FROM register_schemas('{"hint@1": {"$ref": "event:a@9"}, "hint@2": {"$ref": "event:b@9"}}');

-- warnings, and strict
SELECT name FROM register_schemas('{"warn@1": {"requried": []}}');
SELECT name FROM register_schemas('{"warn@2": {"requried": []}, "warn@3": {}}', strict => true);
SET client_min_messages = error;
SELECT count(*) FROM register_schemas((SELECT jsonb_object_agg('warned.' || i || '@1', '{"propertes": {}}'::jsonb) FROM generate_series(1, 3) i));
RESET client_min_messages;
SELECT count(*) FROM register_schemas((SELECT jsonb_object_agg('warned.' || i || '@2', '{"propertes": {}}'::jsonb) FROM generate_series(1, 22) i));

-- ---------- options ----------
SELECT * FROM register_schemas('{"option@1": {"format": "date"}, "option@2": {"type": "null"}, "urn:option": {"format": "date"}}', assert_format => false, breaking => true);
SELECT prosrc FROM pg_proc WHERE proname IN ('option@1', 'urn:option') ORDER BY proname COLLATE "C";
SELECT action FROM register_schemas('{"option@1": {"format": "date"}, "option@2": {"type": "null"}, "urn:option": {"format": "date"}}', assert_format => false, breaking => true);
SELECT action FROM register_schemas('{"option@1": "#assert_format off\n#breaking\n{\"format\": \"date\"}"}');
SELECT register_schemas('{"option@1": {"format": "date"}}');

-- ---------- policies ----------
\set VERBOSITY terse
SELECT register_schemas('{"policy@1": {"type": "integer"}, "policy@2": {"type": "null"}, "policy@10": {"type": "null"}}');
SELECT count(*) FROM register_schemas('{"policy@1": {"type": "integer"}, "policy@2": {"type": "number"}, "policy@10": {"type": ["number", "null"]}}');
-- a version between others must fit those before it, and those that are registered already
SELECT register_schemas('{"policy@5": {"type": ["number", "string"]}}');
SELECT count(*) FROM register_schemas('{"policy@5": {"type": ["number", "null"]}, "policy@3": {"type": ["number"]}}');
SELECT set_event_compatibility('policy.none', 'none');
SELECT count(*) FROM register_schemas('{"policy.none@1": {"type": "integer"}, "policy.none@2": {"type": "null"}}');
SELECT count(*) FROM register_schemas('{"policy.text@1": {"type": "integer"}, "policy.text@2": "#breaking\n{\"type\": \"null\"}", "policy.text@3": {}}');

-- ---------- URIs ----------
-- one $id in two documents: only a reference makes it matter
SELECT count(*) FROM register_schemas('{"twice@1": {"$id": "https://bundle.test/twice"}, "twice@2": {"$id": "https://bundle.test/twice"}}');
SELECT register_schemas('{"twice.a@1": {"$id": "https://bundle.test/twice.a"}, "twice.a@2": {"$id": "https://bundle.test/twice.a"}, "twice.a@3": {"$ref": "https://bundle.test/twice.a"}}');
-- a document before a part of another one, whatever the order is
SELECT count(*) FROM register_schemas('{"part@1": {"$defs": {"a": {"$id": "https://bundle.test/part", "type": "null"}}}, "https://bundle.test/part": {"type": "string"}, "a.part@1": {"$ref": "https://bundle.test/part"}}');
SELECT validate_event('"s"', 'a.part', 1), validate_event('null', 'a.part', 1);
-- but not one of references that exist already
SELECT count(*) FROM register_schemas('{"part@2": {"$defs": {"a": {"$id": "https://bundle.test/old", "type": "null"}}}, "a.part@2": {"$ref": "https://bundle.test/old"}}', breaking => true);
SELECT register_schemas('{"https://bundle.test/old": {"type": "string"}, "other@1": {}}');
SELECT register_schemas('{"old@1": {"$id": "https://bundle.test/tree"}, "other@1": {}}');

-- a compound document, and references into it from others
SELECT action FROM register_schemas('{
  "order.compound@1": {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "https://bundle.test/order", "type": "object",
    "properties": {"customer": {"$ref": "customer"}, "lines": {"items": {"$ref": "line#total"}}},
    "$defs": {"customer": {"$id": "customer", "type": "string", "$defs": {"name": {"$anchor": "name"}}},
      "line": {"$id": "https://bundle.test/line", "$defs": {"t": {"$anchor": "total", "type": "number"}}, "properties": {"by": {"$ref": "customer"}}}}},
  "order.user@1": {"properties": {"c": {"$ref": "https://bundle.test/customer"}, "t": {"$ref": "https://bundle.test/line#total"}, "o": {"$ref": "https://bundle.test/order"}}}}');
SELECT data, validate_event(data::jsonb, 'order.user', 1) FROM (VALUES ('{"c": "x", "t": 1, "o": {"customer": "y", "lines": [2]}}'),
  ('{"c": 1}'), ('{"t": "1"}'), ('{"o": {"customer": 1}}'), ('{"o": {"lines": ["2"]}}')) AS d (data);

-- widening keeps the URIs to which others refer
SELECT register_event_schema('wide', 1, '{"$id": "https://bundle.test/wide", "type": "integer", "$defs": {"a": {"$id": "https://bundle.test/wide/a", "$anchor": "x"}}}');
SELECT count(*) FROM register_schemas('{"wide.user@1": {"properties": {"a": {"$ref": "https://bundle.test/wide"}}}, "wide.user@2": {"properties": {"a": {"$ref": "https://bundle.test/wide/a#x"}}}}', breaking => true);
SELECT widen_event_schema('wide', 1, '{"type": "number", "$defs": {"a": {"$id": "https://bundle.test/wide/a", "$anchor": "x"}}}');
SELECT widen_event_schema('wide', 1, '{"$id": "https://bundle.test/wide", "type": "number", "$defs": {"a": {"$anchor": "x"}}}');
SELECT widen_event_schema('wide', 1, '{"$id": "https://bundle.test/wide", "type": "number", "$defs": {"a": {"$id": "https://bundle.test/wide/a"}}}');
SELECT widen_event_schema('wide', 1, '{"$id": "https://bundle.test/wide", "type": "number", "$defs": {"a": {"$id": "https://bundle.test/wide/a", "$anchor": "x"}}}');
SELECT register_event_schema('wide.alone', 1, '{"$id": "https://bundle.test/alone", "type": "integer"}');
SELECT widen_event_schema('wide.alone', 1, '{"type": "number"}');

-- a $id of the document does not become that of a part, since parts of other documents can
-- have it too
SELECT register_event_schema('kept.root', 1, '{"$id": "https://bundle.test/u", "type": "integer"}'),
  register_event_schema('kept.user', 1, '{"$ref": "https://bundle.test/u"}'),
  register_event_schema('kept.part', 1, '{"$defs": {"a": {"$id": "https://bundle.test/u", "type": "null"}}}');
SELECT widen_event_schema('kept.root', 1, '{"type": "number", "$defs": {"p": {"$id": "https://bundle.test/u", "type": "number"}}}');
SELECT widen_event_schema('kept.root', 1, '{"$id": "https://bundle.test/u", "type": "number"}');
SELECT validate_event('1.5', 'kept.user', 1);
-- functions outside event_schema count, as for the rest of widening; temporary ones do not
SELECT register_event_schema('kept.outside', 1, '{"$id": "https://bundle.test/k", "type": "integer"}');
CREATE FUNCTION pg_temp.f(data jsonb) RETURNS boolean LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE AS '{"$ref": "https://bundle.test/k"}';
CREATE FUNCTION public."kept F"(data jsonb) RETURNS boolean LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE AS '{"$ref": "https://bundle.test/k"}';
\set VERBOSITY default
SELECT widen_event_schema('kept.outside', 1, '{"type": "number"}');
\set VERBOSITY terse
SELECT "kept F"('1');
DROP FUNCTION "kept F";
SELECT widen_event_schema('kept.outside', 1, '{"type": "number"}');
DROP FUNCTION pg_temp.f(jsonb);
-- references that lead to another document do not count
SELECT register_schema('https://bundle.test/money', '{"type": "integer"}');
SELECT register_event_schema('kept.copy', 1, '{"type": "integer", "$defs": {"a": {"$id": "https://bundle.test/money", "type": "integer"}}}'),
  register_event_schema('kept.led', 1, '{"$ref": "https://bundle.test/money"}');
SELECT widen_event_schema('kept.copy', 1, '{"type": "number"}');

-- ---------- rights ----------
CREATE ROLE regress_bundle;
-- the errors name the owner, so it has a name that each run has
CREATE ROLE regress_bundle_owner;
ALTER FUNCTION event_schema."never@1"(jsonb) OWNER TO regress_bundle_owner;
GRANT CREATE ON SCHEMA event_schema TO regress_bundle;
SET ROLE regress_bundle;
\set VERBOSITY default
SELECT register_schemas('{"never@4": true, "mine@1": {}, "mine@2": {"$id": "https://bundle.test/tree"}, "mine@3": {"$id": "https://bundle.test/mine"}}');
SET check_function_bodies = off;
SELECT register_schemas('{"never@4": true, "mine@1": {"$ref": "event:mine@9"}, "mine@2": {"$id": "https://bundle.test/tree"}, "never@1": {"title": "t"}}');
RESET check_function_bodies;
-- schemas that exist already, also those of other roles, are unchanged
SELECT * FROM register_schemas('{"never@1": false, "mine@1": {"$ref": "event:mine@2"}, "mine@2": {"$ref": "event:never@1", "type": "null"}}');
RESET ROLE;
REVOKE CREATE ON SCHEMA event_schema FROM regress_bundle;
SET ROLE regress_bundle;
SELECT register_schemas('{"never@1": false, "mine@1": {"$ref": "event:mine@2"}}');
SELECT register_schemas('{"yours@1": false, "mine@3": {}}');
RESET ROLE;

-- ---------- dependencies, rollback ----------
SELECT count(*) FROM register_schemas('{"ring@1": {"properties": {"a": {"$ref": "event:ring@2"}}}, "ring@2": {"properties": {"a": {"$ref": "event:ring@3"}}},
  "ring@3": {"properties": {"a": {"$ref": "event:ring@1"}, "b": {"$ref": "event:ring.base@1"}}}, "ring.base@1": {}, "ring.user@1": {"$ref": "event:ring@2"}}', breaking => true);
SELECT objid::regprocedure, refobjid::regprocedure FROM pg_depend WHERE classid = 'pg_proc'::regclass AND refclassid = 'pg_proc'::regclass
AND objid::regprocedure::text LIKE '%"ring%' ORDER BY objid::regprocedure::text COLLATE "C", refobjid::regprocedure::text COLLATE "C";
\set VERBOSITY terse
DROP FUNCTION event_schema."ring@1";
DROP FUNCTION event_schema."ring@3";
SELECT drop_event_schema('ring.base', 1);
DROP FUNCTION event_schema."ring.user@1";
DROP FUNCTION event_schema."ring@1", event_schema."ring@2", event_schema."ring@3";
BEGIN;
SAVEPOINT a;
SELECT count(*) FROM register_schemas('{"ring@1": {"properties": {"a": {"$ref": "event:ring@2"}}}, "ring@2": {"properties": {"a": {"$ref": "event:ring@1"}}}}', breaking => true);
ROLLBACK TO a;
SELECT register_schemas('{"ring@1": {"$ref": "event:ring@2"}}');
ROLLBACK TO a;
SELECT count(*) FROM register_schemas('{"ring@2": {"properties": {"a": {"$ref": "event:ring@1"}}}, "ring@1": {"properties": {"a": {"$ref": "event:ring@2"}}}}', breaking => true);
COMMIT;
SELECT validate_event('{"a": {"a": {}}}', 'ring', 1);

-- a call that was cancelled, and a hundred that failed, leave nothing
CREATE TEMP TABLE cancelled AS SELECT jsonb_object_agg('cancelled.' || i || '@1', jsonb_build_object('$id', 'https://cancelled.test/' || i,
  'properties', jsonb_build_object('next', jsonb_build_object('$ref', i % 1000 + 1 || '')))) AS bundle FROM generate_series(1, 1000) i;
SET statement_timeout = 50;
SELECT count(*) FROM cancelled, register_schemas(bundle);
RESET statement_timeout;
SELECT count(*) FROM event_schemas WHERE event_type LIKE 'cancelled%';
CREATE PROCEDURE fail(calls int) LANGUAGE plpgsql AS $$
BEGIN
	FOR i IN 1..calls LOOP
		BEGIN
			PERFORM register_schemas('{"failed.a@1": {"$id": "https://failed.test/a", "properties": {"b": {"$ref": "b"}}}, "https://failed.test/b": {"type": "txet", "properties": {"a": {"$ref": "a"}}}}');
		EXCEPTION WHEN invalid_parameter_value THEN
		END;
	END LOOP;
END $$;
CALL fail(10);
SELECT sum(total_bytes) AS memory FROM pg_backend_memory_contexts \gset
CALL fail(100);
SELECT sum(total_bytes) - :memory < 200000 AS flat FROM pg_backend_memory_contexts;
DROP PROCEDURE fail;
SELECT * FROM register_schemas('{"failed.a@1": {"$id": "https://failed.test/a", "properties": {"b": {"$ref": "b"}}}, "https://failed.test/b": {"type": "object", "properties": {"a": {"$ref": "a"}}}}');
SELECT validate_event('{"b": {"a": {"b": {}}}}', 'failed.a', 1), validate_event('{"b": {"a": {"b": 1}}}', 'failed.a', 1);

-- dependencies form no circle, whatever the members were before
CREATE PROCEDURE register_early(name text, reference text) LANGUAGE plpgsql AS $$
BEGIN
	SET LOCAL check_function_bodies = off;
	EXECUTE format('CREATE FUNCTION event_schema.%I(data jsonb) RETURNS boolean LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE AS %L',
		name, format('{"items": {"$ref": "event:%s"}}', reference));
END $$;
CALL register_early('round.b@1', 'round.a@1');
SELECT name, action FROM register_schemas('{"round.a@1": {"items": {"$ref": "event:round.b@1"}}, "round.b@1": {"title": "t", "items": {"$ref": "event:round.a@1"}}}');
CALL register_early('round.c@1', 'round.e@1');
SELECT name, action FROM register_schemas('{"round.c@1": {"title": "t", "items": {"$ref": "event:round.e@1"}},
  "round.d@1": {"items": {"$ref": "event:round.c@1"}}, "round.e@1": {"items": {"$ref": "event:round.d@1"}}}');
DROP PROCEDURE register_early;
SELECT objid::regprocedure, refobjid::regprocedure FROM pg_depend
WHERE classid = 'pg_proc'::regclass AND refclassid = 'pg_proc'::regclass AND objid::regprocedure::text LIKE '%round.%' ORDER BY objid::regprocedure::text, 2;

-- ---------- formats ----------
SELECT * FROM register_schemas('{"format.a@1": {"format": "date"}, "format.b@1": "#assert_format except time\n{\"format\": \"date\"}", "format.c@1": "#assert_format off\n{\"format\": \"email\"}"}', except_formats => '{date}');
SELECT event_type, definition, assert_format, except_formats, validate_event('"x"', event_type, 1) FROM event_schemas WHERE event_type LIKE 'format.%';
SELECT name, action FROM register_schemas('{"format.a@1": {"format": "date"}, "format.b@1": "#assert_format except time\n{\"format\": \"date\"}", "format.c@1": "#assert_format off\n{\"format\": \"email\"}"}', except_formats => '{date}');
SELECT name, action FROM register_schemas('{"format.a@1": {"format": "date"}}');
SELECT name, action FROM register_schemas('{"format.a@2": true}', assert_format => false, except_formats => '{date}');

-- ---------- event_schema_ddl ----------
SELECT event_schema_ddl FROM event_schema_ddl('ring');
CREATE TEMP TABLE before AS SELECT line, ddl FROM event_schema_ddl() WITH ORDINALITY AS d (ddl, line);
CREATE PROCEDURE drop_all() LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE (SELECT 'DROP FUNCTION ' || string_agg(oid::regprocedure::text, ', ') || ' CASCADE' FROM pg_proc WHERE pronamespace = 'event_schema'::regnamespace);
END $$;
CALL drop_all();
SELECT count(*) FROM event_schemas;
DO $$
DECLARE
	command text;
BEGIN
	SET LOCAL client_min_messages = error;
	FOR command IN SELECT ddl FROM generate_series(1, 2) i, before ORDER BY i, line LOOP
		EXECUTE command;
	END LOOP;
END $$;
SELECT count(*) FROM before b FULL JOIN event_schema_ddl() WITH ORDINALITY AS d (ddl, line) USING (line, ddl) WHERE b IS NULL OR d IS NULL;
SELECT count(*) > 40 FROM event_schemas;

CALL drop_all();
DROP PROCEDURE drop_all();
DROP ROLE regress_bundle;
DROP ROLE regress_bundle_owner;
