-- The objects that CREATE EXTENSION makes, each with a comment.

-- every member of the extension has a comment
SELECT pg_describe_object(d.classid, d.objid, 0) AS without_comment
FROM pg_depend d
WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
  AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'event_validate')
  -- not the row types of views and the array types, which are members in some versions
  AND NOT EXISTS (SELECT FROM pg_type t LEFT JOIN pg_class r ON r.oid = t.typrelid
    WHERE d.classid = 'pg_type'::regclass AND t.oid = d.objid AND (r.relkind <> 'c' OR t.typcategory = 'A'))
  AND NOT EXISTS (SELECT FROM pg_description c
    WHERE c.classoid = d.classid AND c.objoid = d.objid AND c.objsubid = 0);

-- the planner's view: the validating functions are STABLE and PARALLEL
-- SAFE, and none is STRICT whose answer to NULL is false or an error (the name of
-- the domain is quoted from PostgreSQL 16 on)
SELECT p.proname, replace(pg_get_function_arguments(p.oid), '"json"', 'json') AS arguments,
  pg_get_function_result(p.oid) AS result,
  CASE p.provolatile WHEN 'i' THEN 'immutable' WHEN 's' THEN 'stable' ELSE 'volatile' END AS volatility,
  CASE p.proparallel WHEN 's' THEN 'safe' WHEN 'r' THEN 'restricted' ELSE 'unsafe' END AS parallel,
  p.proisstrict AS strict
FROM pg_proc p
WHERE p.proname IN ('validate_event', 'check_event', 'event_violations', 'event_report',
    'matching_event_versions', 'jsonb_matches_schema', 'jsonb_schema_violations',
    'jsonschema_is_valid', 'json_matches_schema', 'jsonschema_validation_errors')
ORDER BY p.proname COLLATE "C", p.oid::regprocedure::text COLLATE "C";

CREATE VIEW members AS
  SELECT p.*, p.pronamespace = '_event_validate'::regnamespace AS internal
  FROM pg_proc p JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid
  WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
    AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'event_validate');

-- nothing is SECURITY DEFINER, and these are STRICT, of those that users call
SELECT count(*) AS security_definers FROM members WHERE prosecdef;
SELECT replace(oid::regprocedure::text, '"json"', 'json') AS strict FROM members WHERE proisstrict AND NOT internal ORDER BY oid;

-- functions in SQL and PL/pgSQL have a search_path of their own, unless they
-- read users' expressions or fire users' triggers
SELECT m.proname, m.proconfig FROM members m JOIN pg_language l ON l.oid = m.prolang
WHERE l.lanname IN ('sql', 'plpgsql') AND array_to_string(m.proconfig, ' ') !~ 'search_path=pg_catalog, pg_temp'
  IS NOT FALSE
ORDER BY m.proname COLLATE "C";

-- internal functions that no statement of a user's runs, see internals.sql, and the reset of statistics
SELECT proname FROM members WHERE NOT has_function_privilege('public', oid, 'EXECUTE') ORDER BY proname COLLATE "C";
DROP VIEW members;

-- the extension owns no table
SELECT c.relname, c.relkind
FROM pg_class c JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid
WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
  AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'event_validate');

-- the privileges on the schemas and the language
SELECT nspname, nspowner::regrole = 'pg_database_owner'::regrole AS database_owners,
  has_schema_privilege('public', oid, 'USAGE') AS public_usage,
  has_schema_privilege('public', oid, 'CREATE') AS public_create
FROM pg_namespace WHERE nspname IN ('event_schema', '_event_validate') ORDER BY nspname COLLATE "C";
SELECT lanpltrusted AS trusted, has_language_privilege('public', oid, 'USAGE') AS public_usage
FROM pg_language WHERE lanname = 'jsonschema';

-- a registered schema is a function like others
SELECT register_event_schema('install.example', 1, '{"type": "object"}');
SELECT pg_get_functiondef('event_schema."install.example@1"(jsonb)'::regprocedure);

-- it does not matter what the search_path finds first
CREATE SCHEMA decoy;
CREATE DOMAIN decoy.jsonb AS text;
CREATE DOMAIN decoy.boolean AS int;
CREATE DOMAIN decoy.int4 AS text;
CREATE FUNCTION decoy.validate(jsonb, jsonb) RETURNS bool LANGUAGE sql RETURN false;
CREATE FUNCTION decoy.never(anyelement, anyelement) RETURNS bool LANGUAGE sql AS 'SELECT false';
CREATE OPERATOR decoy.= (LEFTARG = anyelement, RIGHTARG = anyelement, FUNCTION = decoy.never);
SET search_path = decoy, pg_catalog;
SELECT public.register_event_schema('install.example', 2, '{"type": "object", "required": ["a"]}', breaking => true);
SELECT public.validate_event('{"a": 1}', 'install.example', 2) AS valid,
  public.validate_event('{}', 'install.example', 2) AS invalid;
SELECT event_type, schema_version, function FROM public.event_schemas WHERE event_type LIKE 'install.%';
SELECT public.drop_event_schema('install.example', 2);
SET search_path = '';
SELECT public.register_event_schema('install.example', 2, '{"type": "array"}', breaking => true);
SELECT public.validate_event('[]', 'install.example', 2) AS valid,
  public.check_event('[]', 'install.example', 2) AS checked,
  public.matching_event_versions('[]', 'install.example') AS matching,
  public.jsonb_matches_schema('{"$ref": "event:install.example@2"}', '[]') AS in_place;
SELECT public.drop_event_schema('install.example', 1), public.drop_event_schema('install.example', 2);
RESET search_path;
\set VERBOSITY terse
DROP SCHEMA decoy CASCADE;
