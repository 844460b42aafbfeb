-- What CREATE EXTENSION makes, and that it says what each is for.

-- every member of the extension has a comment
SELECT pg_describe_object(d.classid, d.objid, 0) AS without_comment
FROM pg_depend d
WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
  AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'event_validate')
  AND d.classid <> 'pg_type'::regclass  -- row types of views, in some versions
  AND NOT EXISTS (SELECT FROM pg_description c
    WHERE c.classoid = d.classid AND c.objoid = d.objid AND c.objsubid = 0);

-- what the planner is told: the validating functions are STABLE and PARALLEL
-- SAFE, and none is STRICT, because NULL is an answer
SELECT p.proname, pg_get_function_arguments(p.oid) AS arguments,
  pg_get_function_result(p.oid) AS result,
  CASE p.provolatile WHEN 'i' THEN 'immutable' WHEN 's' THEN 'stable' ELSE 'volatile' END AS volatility,
  CASE p.proparallel WHEN 's' THEN 'safe' WHEN 'r' THEN 'restricted' ELSE 'unsafe' END AS parallel,
  p.proisstrict AS strict
FROM pg_proc p
WHERE p.proname IN ('validate_event', 'check_event', 'event_violations', 'event_report',
    'matching_event_versions', 'jsonb_matches_schema', 'jsonb_schema_violations',
    'jsonschema_is_valid')
ORDER BY p.proname COLLATE "C";

-- only the language's validator may be STRICT; nothing is SECURITY DEFINER or
-- has settings of its own
SELECT p.proname, p.proisstrict, p.prosecdef, p.proconfig
FROM pg_proc p JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid
WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
  AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'event_validate')
  AND (p.proisstrict OR p.prosecdef OR p.proconfig IS NOT NULL);

-- the extension owns no table
SELECT c.relname, c.relkind
FROM pg_class c JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid
WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
  AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'event_validate');

-- who may do what in event_schema, and with the language
SELECT nspowner::regrole AS owner,
  has_schema_privilege('public', oid, 'USAGE') AS public_usage,
  has_schema_privilege('public', oid, 'CREATE') AS public_create
FROM pg_namespace WHERE nspname = 'event_schema';
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
