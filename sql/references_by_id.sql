-- References by $id: the index of URIs in pg_depend.
\set VERBOSITY terse

CREATE FUNCTION rows_of(functions text) RETURNS SETOF text LANGUAGE sql AS
$$SELECT format('%s, %s: %s', function, kind, count(*)) FROM _event_validate.uri_index WHERE function::text LIKE '%' || functions || '%'
GROUP BY function, kind ORDER BY function::text COLLATE "C", kind$$;

-- ---------- what is found ----------
SELECT register_event_schema('byid.parts', 1, '{"$id": "https://byid.test/parts", "type": "object", "$defs": {
  "money": {"$id": "/money", "type": "number", "$defs": {"positive": {"$anchor": "positive", "exclusiveMinimum": 0}}},
  "again": {"$id": "https://byid.test/again", "$ref": "/money"},
  "meta": {"$id": "https://json-schema.org/draft/2020-12/schema"}}}');
SELECT register_event_schema('byid.user', 1, '{"$defs": {"own": {"$id": "https://byid.test/own", "type": "null"}}, "properties": {
  "whole": {"$ref": "https://byid.test/parts"}, "money": {"$ref": "https://byid.test/money"}, "again": {"$ref": "https://byid.test/again"},
  "positive": {"$ref": "https://byid.test/money#positive"}, "pointed": {"$ref": "https://byid.test/money#/$defs/positive"}, "own": {"$ref": "https://byid.test/own"}}}');
SELECT rows_of('byid.');
SELECT pg_describe_object(refclassid, refobjid, refobjsubid) COLLATE "C" AS on_object, deptype, count(*) FROM pg_depend
WHERE objid = 'event_schema."byid.user@1"'::regproc GROUP BY 1, 2 ORDER BY 1;
SELECT DISTINCT (pg_identify_object(refclassid, refobjid, refobjsubid)).type FROM pg_depend WHERE objid = 'event_schema."byid.user@1"'::regproc ORDER BY 1;
SELECT data, validate_event(data::jsonb, 'byid.user', 1) FROM (VALUES ('{"whole": {}, "money": -1, "again": 2, "positive": 3, "pointed": 4, "own": null}'),
  ('{"whole": 1}'), ('{"money": "1"}'), ('{"again": "1"}'), ('{"positive": 0}'), ('{"pointed": 0}'), ('{"own": 1}')) AS d (data);
SELECT register_event_schema('byid.none', 1, '{"$ref": "https://byid.test/money#nothing"}');

-- $ids relative to the URI of an event are not known to others; in draft 4 it is "id"
SELECT register_event_schema('byid.relative', 1, '{"$defs": {"a": {"$id": "byid-relative"}}}');
SELECT register_event_schema('byid.none', 1, '{"$ref": "byid-relative"}');
SELECT register_event_schema('byid.old', 1, '{"$schema": "http://json-schema.org/draft-04/schema#", "id": "https://byid.test/old", "definitions": {"a": {"id": "https://byid.test/old/a", "type": "string"}, "b": {"$id": "https://byid.test/old/b"}}}');
SELECT register_event_schema('byid.new', 1, '{"$ref": "https://byid.test/old/a"}');
SELECT register_event_schema('byid.none', 1, '{"$ref": "https://byid.test/old/b"}');
SELECT validate_event('"a"', 'byid.new', 1), validate_event('1', 'byid.new', 1);
SELECT rows_of('byid.old');

-- the name before the $id of a document, and that before the $id of a part
SELECT register_schema('https://byid.test/name', '{"const": "name"}');
SELECT register_event_schema('byid.second', 1, '{"$id": "https://byid.test/name", "const": "id", "$defs": {"a": {"$id": "https://byid.test/second", "const": "part"}}}');
SELECT register_event_schema('byid.third', 1, '{"$id": "https://byid.test/second", "const": "id"}');
SELECT register_event_schema('byid.prefers', 1, '{"properties": {"name": {"$ref": "https://byid.test/name"}, "second": {"$ref": "https://byid.test/second"}}}');
SELECT validate_event('{"name": "name", "second": "id"}', 'byid.prefers', 1);

-- a document under a URI that is too long for a name
SELECT register_schema('https://byid.test/' || repeat('long/', 20), '{"$defs": {"a": {"$id": "https://byid.test/in-long", "type": "string"}}}');
SELECT register_event_schema('byid.long', 1, jsonb_build_object('properties', jsonb_build_object(
  'a', jsonb_build_object('$ref', 'https://byid.test/in-long'), 'b', jsonb_build_object('$ref', 'https://byid.test/' || repeat('long/', 20)))));
SELECT validate_event('{"a": "x", "b": 1}', 'byid.long', 1), validate_event('{"a": 1}', 'byid.long', 1);

-- two URIs with one hash
SELECT string_agg(uri, ' ' ORDER BY uri) AS twins FROM (SELECT 'https://twin.test/' || i AS uri FROM generate_series(1, 60000) i) u
GROUP BY hashtextextended(uri, 0) & ((1 << 27) - 1) HAVING count(*) > 1 ORDER BY 1 LIMIT 1 \gset
SELECT :'twins' AS twins, split_part(:'twins', ' ', 1) AS twin1, split_part(:'twins', ' ', 2) AS twin2 \gset
SELECT register_event_schema('byid.twin', 1, jsonb_build_object('$id', :'twin1', 'const', 1));
SELECT set_config('byid.twin1', :'twin1', false) <> '', set_config('byid.twin2', :'twin2', false) <> '';
DO $$BEGIN PERFORM register_event_schema('byid.none', 1, jsonb_build_object('$ref', current_setting('byid.twin2'))); RAISE 'found'; EXCEPTION WHEN invalid_parameter_value THEN END$$;
SELECT register_event_schema('byid.twin', 2, jsonb_build_object('$id', :'twin2', 'const', 2), breaking => true);
SELECT register_event_schema('byid.twins', 1, jsonb_build_object('prefixItems', jsonb_build_array(jsonb_build_object('$ref', :'twin1'), jsonb_build_object('$ref', :'twin2'))));
SELECT validate_event('[1, 2]', 'byid.twins', 1), validate_event('[2]', 'byid.twins', 1);
SELECT count(*), count(DISTINCT number) FROM _event_validate.uri_index WHERE kind = 'document' AND function IN ('event_schema."byid.twin@1"'::regproc, 'event_schema."byid.twin@2"'::regproc);
DO $$BEGIN PERFORM register_event_schema('byid.twin', 3, jsonb_build_object('$id', current_setting('byid.twin1'))); RAISE 'taken'; EXCEPTION WHEN duplicate_object THEN END$$;
DO $$BEGIN PERFORM drop_event_schema('byid.twin', 2); RAISE 'dropped'; EXCEPTION WHEN dependent_objects_still_exist THEN END$$;

-- ---------- when rows come and go ----------
-- REPLACE, with check_function_bodies or without; calling the validator; another owner
SELECT register_event_schema('byid.parts', 1, definition::jsonb || '{"title": "replaced"}') = 'event_schema."byid.parts@1"'::regproc AS same FROM event_schemas WHERE event_type = 'byid.parts';
SELECT rows_of('byid.parts');
SET check_function_bodies = off;
SELECT pg_get_functiondef('event_schema."byid.parts@1"'::regproc) \gexec
SET check_function_bodies = on;
SELECT event_schema_ddl AS ddl FROM event_schema_ddl('byid.user') WHERE event_schema_ddl LIKE '%byid.user%' \gexec
SELECT lanvalidator::regproc AS validator FROM pg_language WHERE lanname = 'jsonschema' \gset
SELECT :validator(oid) FROM pg_proc WHERE proname = 'byid.user@1';
SELECT rows_of('byid.parts'), rows_of('byid.user');
CREATE ROLE regress_byid;
ALTER FUNCTION event_schema."byid.parts@1" OWNER TO regress_byid;
REASSIGN OWNED BY regress_byid TO CURRENT_USER;
SELECT rows_of('byid.parts');
SELECT validate_event('{"again": 2}', 'byid.user', 1), validate_event('{"again": "1"}', 'byid.user', 1);

-- rollback to a savepoint; and all in one command
BEGIN;
SAVEPOINT a;
SELECT register_event_schema('byid.gone', 1, '{"$id": "https://byid.test/gone", "$defs": {"a": {"$id": "gone/part"}}}');
SELECT register_event_schema('byid.refers', 1, '{"anyOf": [{"$ref": "https://byid.test/gone"}, {"$ref": "https://byid.test/gone/part"}]}');
ROLLBACK TO a;
SELECT rows_of('byid.gone'), rows_of('byid.refers');
SELECT register_event_schema('byid.refers', 1, '{"$ref": "https://byid.test/gone"}');
ROLLBACK;
DO $$
BEGIN
	PERFORM register_event_schema('byid.quick', 1, '{"$id": "https://byid.test/quick", "$defs": {"a": {"$id": "quick/part", "type": "string"}}}');
	PERFORM register_event_schema('byid.quick.user', 1, '{"allOf": [{"$ref": "https://byid.test/quick"}, {"$ref": "https://byid.test/quick/part"}]}');
	ASSERT validate_event('"a"', 'byid.quick.user', 1) AND NOT validate_event('1', 'byid.quick.user', 1);
	PERFORM drop_event_schema('byid.quick.user', 1);
	PERFORM drop_event_schema('byid.quick', 1);
	BEGIN
		PERFORM register_event_schema('byid.quick.user', 1, '{"$ref": "https://byid.test/quick"}');
		RAISE 'found';
	EXCEPTION WHEN invalid_parameter_value THEN
	END;
END $$;
SELECT rows_of('byid.quick');

-- references before what they lead to, and circles
SET check_function_bodies = off;
CREATE FUNCTION event_schema."byid.early@1"(data jsonb) RETURNS boolean LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE AS
  '{"properties": {"late": {"$ref": "https://byid.test/late"}, "part": {"$ref": "https://byid.test/late/part"}}}';
CREATE FUNCTION event_schema."byid.late@1"(data jsonb) RETURNS boolean LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE AS
  '{"$id": "https://byid.test/late", "type": ["string", "object"], "$defs": {"a": {"$id": "late/part", "type": "integer"}}, "properties": {"early": {"$ref": "event:byid.early@1"}}}';
SET check_function_bodies = on;
SELECT rows_of('byid.early'), rows_of('byid.late');
SELECT data, validate_event(data::jsonb, 'byid.early', 1) FROM (VALUES ('{"late": {"early": {"part": 1}}}'), ('{"late": {"early": {"part": "1"}}}')) AS d (data);
DROP FUNCTION event_schema."byid.late@1";
DROP FUNCTION event_schema."byid.early@1";
DROP FUNCTION event_schema."byid.early@1", event_schema."byid.late@1";
DROP FUNCTION event_schema."byid.parts@1";

-- ---------- the effects of new documents on existing references ----------
-- the part is used: neither a second one, nor a document of that URI
SELECT register_event_schema('byid.copy', 1, '{"$defs": {"a": {"$id": "https://byid.test/money"}}}');
SELECT register_event_schema('byid.copy', 1, '{"$id": "https://byid.test/money"}');
SELECT register_schema('https://byid.test/money', '{}');
CREATE FUNCTION event_schema."byid.copy@1"(data jsonb) RETURNS boolean LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE AS '{"$defs": {"a": {"$id": "https://byid.test/money"}}}';
-- it is not: both may come, and references are ambiguous, unless there is a document
SELECT register_event_schema('byid.one', 1, '{"$defs": {"a": {"$id": "https://byid.test/copied", "const": "part"}}}');
SELECT register_event_schema('byid.two', 1, '{"$defs": {"a": {"$id": "https://byid.test/copied", "const": "part"}}}');
\set VERBOSITY default
SELECT register_event_schema('byid.which', 1, '{"$ref": "https://byid.test/copied"}');
\set VERBOSITY terse
SELECT register_event_schema('byid.whole', 1, '{"$id": "https://byid.test/copied", "const": "whole"}');
SELECT register_event_schema('byid.which', 1, '{"$ref": "https://byid.test/copied"}');
SELECT register_event_schema('byid.more', 1, '{"$defs": {"a": {"$id": "https://byid.test/copied", "const": "part"}}}');
SELECT validate_event('"whole"', 'byid.which', 1), validate_event('"part"', 'byid.which', 1);
-- replacing the document, or the one with the first part, takes nothing over
SET check_function_bodies = off;
SELECT pg_get_functiondef('event_schema."byid.whole@1"'::regproc) \gexec
SELECT pg_get_functiondef('event_schema."byid.one@1"'::regproc) \gexec
SET check_function_bodies = on;
SELECT pg_get_functiondef('event_schema."byid.whole@1"'::regproc) \gexec
SELECT register_event_schema('byid.whole', 1, '{"$id": "https://byid.test/copied", "const": "whole", "title": "t"}');
SELECT :validator(oid) FROM pg_proc WHERE proname IN ('byid.whole@1', 'byid.one@1');
-- a dropped document does not leave its references to a part
SET check_function_bodies = off;
CREATE FUNCTION event_schema."byid.ring@2"(data jsonb) RETURNS boolean LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE AS
  '{"properties": {"a": {"$ref": "https://byid.test/ring"}}}';
CREATE FUNCTION event_schema."byid.ring@1"(data jsonb) RETURNS boolean LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE AS
  '{"$id": "https://byid.test/ring", "properties": {"a": {"$ref": "event:byid.ring@2"}}}';
SET check_function_bodies = on;
SELECT register_event_schema('byid.ring.part', 1, '{"$defs": {"a": {"$id": "https://byid.test/ring"}}}');
DROP FUNCTION event_schema."byid.ring@1";
DROP FUNCTION event_schema."byid.ring@1", event_schema."byid.ring@2";

-- ---------- functions outside event_schema ----------
CREATE SCHEMA byid_elsewhere;
CREATE FUNCTION byid_elsewhere.claims(data jsonb) RETURNS boolean LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE AS
  '{"$id": "https://byid.test/elsewhere", "$defs": {"a": {"$id": "elsewhere/part"}, "b": {"$ref": "https://byid.test/money"}}}';
CREATE FUNCTION pg_temp.claims(data jsonb) RETURNS boolean LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE AS '{"$id": "https://byid.test/elsewhere"}';
SELECT rows_of('claims');
SELECT register_event_schema('byid.none', 1, '{"$ref": "https://byid.test/elsewhere"}');
SELECT register_event_schema('byid.none', 1, '{"$ref": "https://byid.test/elsewhere/part"}');
-- they do not refer either, as far as other documents are concerned; except to annotations
SELECT register_event_schema('byid.example', 1, '{"$id": "https://byid.test/example", "examples": [{"type": "string"}]}');
CREATE FUNCTION byid_elsewhere.example(data jsonb) RETURNS boolean LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE AS '{"$ref": "https://byid.test/example#/examples/0"}';
SELECT register_event_schema('byid.example', 1, '{"$id": "https://byid.test/example", "examples": [{"type": "integer"}]}');
DROP FUNCTION byid_elsewhere.example;
SELECT register_event_schema('byid.example', 1, '{"$id": "https://byid.test/example", "examples": [{"type": "integer"}]}');
SELECT register_event_schema('byid.shadow', 1, '{"$defs": {"a": {"$id": "https://byid.test/elsewhere"}}}');

-- ---------- bounds ----------
SELECT register_event_schema('byid.many', 1, jsonb_build_object('$ref', 'https://many.test/7', '$defs',
  (SELECT jsonb_object_agg(i, jsonb_build_object('$id', 'https://many.test/' || i, 'const', i)) FROM generate_series(1, 1000) i)));
SELECT register_event_schema('byid.toomany', 1, jsonb_build_object('$ref', 'https://toomany.test/7', '$defs',
  (SELECT jsonb_object_agg(i, jsonb_build_object('$id', 'https://toomany.test/' || i, 'const', i)) FROM generate_series(1, 1001) i)));
SELECT rows_of('many');
SELECT register_event_schema('byid.seven', 1, '{"$ref": "https://many.test/7"}');
SELECT register_event_schema('byid.none', 1, '{"$ref": "https://toomany.test/7"}');
SELECT validate_event('7', 'byid.many', 1), validate_event('7', 'byid.seven', 1), validate_event('7', 'byid.toomany', 1), validate_event('8', 'byid.toomany', 1);

-- a registry of many documents: only those that are meant are read
DO $$
BEGIN
	FOR i IN 1..300 LOOP
		PERFORM register_event_schema('byid.heap.' || i, 1, jsonb_build_object('$id', 'https://heap.test/' || i, 'pattern', '^\d$',
			'$comment', 'https://heap.test/part1 https://heap.test/part2'));
	END LOOP;
	FOR i IN 1..2 LOOP
		PERFORM register_event_schema('byid.heap.part' || i, 1, format('{"$id": "https://heap.test/part%s", "type": "object"}', i)::jsonb);
	END LOOP;
END $$;
\c -
BEGIN;
SELECT register_event_schema('byid.heap.user', 1, '{"properties": {"a": {"$ref": "https://heap.test/part1"}, "b": {"$ref": "https://heap.test/part2"}}}');
SELECT register_event_schema('byid.heap.last', 1, '{"$id": "https://heap.test/part3"}');
SELECT seq_scan, idx_tup_fetch < 150 AS few FROM pg_stat_xact_sys_tables WHERE relid = 'pg_proc'::regclass;
COMMIT;
\c -
BEGIN;
SELECT validate_event('{"a": {}, "b": {}}', 'byid.heap.user', 1);
SELECT seq_scan, idx_tup_fetch < 30 AS few FROM pg_stat_xact_sys_tables WHERE relid = 'pg_proc'::regclass;
COMMIT;

DROP FUNCTION rows_of;
DROP SCHEMA byid_elsewhere CASCADE;
DROP ROLE regress_byid;
SELECT count(*) FROM (SELECT drop_event_schema(event_type, schema_version) FROM (SELECT event_type, schema_version FROM event_schemas
  WHERE event_type LIKE 'byid.heap%' ORDER BY event_type = 'byid.heap.user' DESC) s) d;
