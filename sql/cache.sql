-- The answers of one session before and after changes of the registry, also if
-- the change is rolled back.
CREATE FUNCTION pg_temp.answers() RETURNS TABLE (object boolean, "array" boolean, versions int[])
LANGUAGE plpgsql AS $$
BEGIN
  RETURN QUERY SELECT validate_event('{}', 'cached', 1), validate_event('[]', 'cached', 1), matching_event_versions('{}', 'cached');
END
$$;
SELECT * FROM pg_temp.answers();

-- register, roll back, register another
BEGIN;
SELECT register_event_schema('cached', 1, '{"type": "object"}');
SELECT * FROM pg_temp.answers();
ROLLBACK;
SELECT * FROM pg_temp.answers();
SELECT register_event_schema('cached', 1, '{"type": "array"}');
SELECT * FROM pg_temp.answers();

-- drop, roll back
BEGIN;
SELECT drop_event_schema('cached', 1);
SELECT * FROM pg_temp.answers();
ROLLBACK;
SELECT * FROM pg_temp.answers();

-- savepoints
BEGIN;
SELECT drop_event_schema('cached', 1);
SAVEPOINT a;
SELECT register_event_schema('cached', 1, '{"type": "object"}');
SELECT * FROM pg_temp.answers();
SAVEPOINT b;
SELECT drop_event_schema('cached', 1);
SELECT register_event_schema('cached', 1, 'true');
SELECT * FROM pg_temp.answers();
ROLLBACK TO b;
SELECT * FROM pg_temp.answers();
ROLLBACK TO a;
SELECT * FROM pg_temp.answers();
SELECT register_event_schema('cached', 1, 'false');
SELECT * FROM pg_temp.answers();
ROLLBACK;
SELECT * FROM pg_temp.answers();

-- a PL/pgSQL block that fails rolls back its registrations
DO $$
BEGIN
  BEGIN
    PERFORM drop_event_schema('cached', 1);
    PERFORM register_event_schema('cached', 1, '{"type": "object"}');
    RAISE NOTICE 'inside: %', validate_event('{}', 'cached', 1);
    RAISE EXCEPTION 'back';
  EXCEPTION WHEN raise_exception THEN
    RAISE NOTICE 'after: %', validate_event('{}', 'cached', 1);
  END;
END
$$;

-- CREATE OR REPLACE of annotations keeps the answers, and the view shows the new ones
SELECT register_event_schema('cached', 1, '{"type": "array", "title": "A list"}');
SELECT * FROM pg_temp.answers();
SELECT title FROM event_schemas WHERE event_type = 'cached';

-- one statement that continues while the schema of its call site is dropped and registered
CREATE FUNCTION pg_temp.swap(i int) RETURNS int LANGUAGE plpgsql AS $$
BEGIN
  IF i = 2 THEN
    PERFORM drop_event_schema('cached', 1);
  ELSIF i = 3 THEN
    PERFORM register_event_schema('cached', 1, '{"type": "object"}');
  END IF;
  RETURN i;
END
$$;
SELECT pg_temp.swap(i) AS step, validate_event('{}', 'cached', 1) FROM generate_series(1, 4) AS i;

-- the function's own call site, by its OID
PREPARE direct AS SELECT event_schema."cached@1"('{}');
EXECUTE direct;
SELECT drop_event_schema('cached', 1);
\set VERBOSITY sqlstate
EXECUTE direct;
\set VERBOSITY default
SELECT register_event_schema('cached', 1, 'false');
EXECUTE direct;
DEALLOCATE direct;

-- by a reference: the referenced document changes its annotations, and is dropped
-- with the schemas that refer to it
SELECT register_event_schema('cached.part', 1, '{"type": "integer"}');
SELECT register_event_schema('cached.whole', 1, '{"items": {"$ref": "event:cached.part@1"}}');
SELECT validate_event('[1]', 'cached.whole', 1), validate_event('["a"]', 'cached.whole', 1);
SELECT register_event_schema('cached.part', 1, '{"type": "integer", "title": "Part"}');
SELECT validate_event('[1]', 'cached.whole', 1), validate_event('["a"]', 'cached.whole', 1);
BEGIN;
SELECT drop_event_schema('cached.whole', 1);
SELECT drop_event_schema('cached.part', 1);
SELECT register_event_schema('cached.part', 1, '{"type": "string"}');
SELECT register_event_schema('cached.whole', 1, '{"items": {"$ref": "event:cached.part@1"}}');
SELECT validate_event('[1]', 'cached.whole', 1), validate_event('["a"]', 'cached.whole', 1);
ROLLBACK;
SELECT validate_event('[1]', 'cached.whole', 1), validate_event('["a"]', 'cached.whole', 1);

-- after DISCARD, and after an error while compiling, the session works
DISCARD ALL;
SELECT validate_event('[1]', 'cached.whole', 1);
SET check_function_bodies = off;
CREATE FUNCTION event_schema."cached.late@1"(data jsonb) RETURNS boolean LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE AS '{"$ref": "event:cached.later@1"}';
RESET check_function_bodies;
SELECT validate_event('1', 'cached.late', 1);
SELECT validate_event('1', 'cached.late', 1);
-- nothing is kept of a compilation that failed
SELECT count(*) FROM pg_backend_memory_contexts WHERE name = 'event_validate program' AND ident = 'cached.late@1';
SELECT register_event_schema('cached.later', 1, '{"type": "integer"}');
SELECT validate_event('1', 'cached.late', 1), validate_event('"1"', 'cached.late', 1);

-- the library keeps one program for each schema in use by this session, and none
-- for dropped or replaced ones
SELECT count(*) AS programs, count(DISTINCT ident) AS names FROM pg_backend_memory_contexts
WHERE name = 'event_validate program' AND ident LIKE 'cached%';

SELECT count(drop_event_schema(event_type, 1)) FROM (SELECT unnest(ARRAY['cached', 'cached.whole', 'cached.part', 'cached.late', 'cached.later']) AS event_type) AS t;
SELECT validate_event('1', 'cached.late', 1), validate_event('[1]', 'cached.whole', 1);

-- the memory of all programs is bounded: those that were not used for long leave
SELECT count(register_event_schema('kept' || i, 1, format('{"properties": {"p%s": {"type": "integer"}}}', i))) FROM generate_series(1, 100) AS i;
SET event_validate.program_memory = '64kB';
CREATE TABLE kept (event_type text, data jsonb, CHECK (check_event(data, event_type, 1)));
INSERT INTO kept SELECT 'kept' || i, jsonb_build_object('p' || i, i) FROM generate_series(1, 3) AS round, generate_series(1, 100) AS i;
SELECT count(*) FROM kept WHERE validate_event(jsonb_build_object('p' || substr(event_type, 5), 'text'), event_type, 1);
SELECT count(*), count(r) FROM kept, event_report(data, event_type, 1) AS r;
SELECT count(*) BETWEEN 1 AND 40 AS few, sum(total_bytes) < 200000 AS little FROM pg_backend_memory_contexts
WHERE name = 'event_validate program' AND ident LIKE 'kept%';
-- the oldest of them leave first, and one that is used meanwhile stays: it leaves at most once, when all were used
CREATE FUNCTION leaving(OUT missed int, OUT gaps int, OUT often boolean) LANGUAGE plpgsql AS $$
DECLARE
  kept int[];
  before int := 0;
  evictions int := 0;
BEGIN
  missed := 0;
  gaps := 0;
  PERFORM validate_event('{}', 'kept1', 1);
  FOR i IN 2 .. 100 LOOP
    PERFORM validate_event('{}', 'kept' || i, 1);
    kept := ARRAY(SELECT DISTINCT substring(ident FROM '^kept(\d+)@1$')::int FROM pg_backend_memory_contexts
      WHERE name = 'event_validate program' AND ident ~ '^kept\d+@1$');
    evictions := evictions + (cardinality(kept) < before)::int;
    before := cardinality(kept);
    missed := missed + (1 <> ALL (kept))::int;
    -- the others are the last ones
    kept := array_remove(kept, 1);
    gaps := gaps + (i - (SELECT min(n) FROM unnest(kept) AS n) + 1 <> cardinality(kept))::int;
    PERFORM validate_event('{}', 'kept1', 1);
  END LOOP;
  often := evictions > 3;
END
$$;
\c -
SET event_validate.program_memory = '64kB';
SELECT * FROM leaving();
DROP FUNCTION leaving;
RESET event_validate.program_memory;
SELECT bool_and(validate_event(data, event_type, 1)) FROM kept;
SELECT count(*) FROM pg_backend_memory_contexts WHERE name = 'event_validate program' AND ident LIKE 'kept%';
DROP TABLE kept;
SELECT count(drop_event_schema('kept' || i, 1)) FROM generate_series(1, 100) AS i;

-- a version whose program has left is proved to be compatible until it, or what it refers to, changes
SELECT count(register_event_schema('left.part' || i, 1, CASE WHEN i = 70 THEN '{"required": ["n"]}' ELSE '{"minProperties": 1}' END)) FROM generate_series(1, 70) AS i;
SELECT count(register_event_schema('left.other' || i, 1, format('{"properties": {"p%s": {"type": "integer"}}}', i))) FROM generate_series(1, 60) AS i;
SELECT register_event_schema('left.number', 1, '{"type": "integer"}') IS NOT NULL AND
  register_event_schema('left.pair', 1, '{"type": "object", "properties": {"n": {"$ref": "event:left.number@1"}}}') IS NOT NULL AND
  register_event_schema('left.pair', 2, '{"type": "object", "properties": {"n": {"type": "number"}}, "deprecated": true}') IS NOT NULL AS registered;
-- refers to more than an entry is told of
SELECT register_event_schema('left.many', 1, jsonb_build_object('type', 'object', 'properties', '{"n": {"type": "integer"}}'::jsonb,
  'allOf', (SELECT jsonb_agg(jsonb_build_object('$ref', format('event:left.part%s@1', i))) FROM generate_series(1, 70) AS i))) IS NOT NULL AND
  register_event_schema('left.many', 2, '{"type": "object", "required": ["n"]}') IS NOT NULL AS registered;
CREATE VIEW programs AS SELECT ident FROM pg_backend_memory_contexts WHERE name = 'event_validate program' AND ident ~ '^left.(pair|many)@1$';
SET event_validate.program_memory = '64kB';
CREATE FUNCTION leave() RETURNS bigint LANGUAGE sql VOLATILE AS $$
  SELECT count(*) FROM generate_series(1, 120) AS i WHERE validate_event('{}', 'left.other' || (i + 1) / 2, 1);
  SELECT count(*) FROM programs;
$$;
SELECT upcast_event('{"n": 1}', 'left.pair', 1, 2), upcast_event('{"n": 1}', 'left.many', 1, 2);
-- not compiled again, as a comparison does
SELECT leave();
SELECT upcast_event('{"n": 1}', 'left.pair', 1, 2);
TABLE programs;
SELECT upcast_event('{"n": 1}', 'left.many', 1, 2);
TABLE programs;
SELECT leave();
CREATE OR REPLACE FUNCTION event_schema."left.number@1"(data jsonb) RETURNS boolean LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE AS '{}';
SELECT upcast_event('{"n": 1}', 'left.pair', 1, 2);
-- another function was replaced than those that this one refers to
SELECT upcast_event('{"n": 1}', 'left.many', 1, 2);
SELECT leave();
CREATE OR REPLACE FUNCTION event_schema."left.part70@1"(data jsonb) RETURNS boolean LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE AS '{}';
SELECT upcast_event('{"n": 1}', 'left.many', 1, 2);
-- the warning of a deprecated version is not forgotten, except if it was replaced
CREATE TABLE left_rows (event_type text, schema_version int, data jsonb);
SELECT add_event_guard('left_rows', 'enforce');
DO $$
BEGIN
  INSERT INTO left_rows VALUES ('left.pair', 2, '{}');
  PERFORM leave();
  INSERT INTO left_rows VALUES ('left.pair', 2, '{}');
  PERFORM leave();
  CREATE OR REPLACE FUNCTION event_schema."left.pair@2"(data jsonb) RETURNS boolean LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE
    AS '{"type": "object", "deprecated": true}';
  RAISE NOTICE 'replaced';
  INSERT INTO left_rows VALUES ('left.pair', 2, '{}');
END $$;
RESET event_validate.program_memory;
DROP TABLE left_rows;
DROP FUNCTION leave;
DROP VIEW programs;
SELECT count(drop_event_schema(event_type, schema_version)) FROM (SELECT event_type, schema_version FROM event_schemas
  WHERE starts_with(event_type, 'left.') ORDER BY starts_with(event_type, 'left.part'), event_type = 'left.number' OFFSET 0) AS s;
