-- accept: findings that a version may have, and no others.
SELECT register_event_schema('accept', 1, '{"required": ["kind"], "properties": {"kind": {"enum": ["a", "b", "c"]}, "code": {"pattern": "^(x)(y|)\\1"}}}');
-- the HINT of a refusal has the argument
SELECT register_event_schema('accept', 2, '{"required": ["kind"], "properties": {"kind": {"enum": ["a", "b"]}, "code": {"pattern": "^(x)(y|z|)\\1"}}}');
-- one of two findings does not suffice, and the HINT keeps it
SELECT register_event_schema('accept', 2, '{"required": ["kind"], "properties": {"kind": {"enum": ["a", "b"]}, "code": {"pattern": "^(x)(y|z|)\\1"}}}', accept => '{"/properties/code/pattern PATTERN_CHANGED"}');
SELECT against, location, rule, verdict FROM check_event_compatibility('accept', '{"required": ["kind"], "properties": {"kind": {"enum": ["a", "b"]}, "code": {"pattern": "^(x)(y|z|)\\1"}}}', accept => '{"/properties/code/pattern PATTERN_CHANGED"}');
-- both do; it is kept with the schema
SELECT register_event_schema('accept', 2, '{"required": ["kind"], "properties": {"kind": {"enum": ["a", "b"]}, "code": {"pattern": "^(x)(y|z|)\\1"}}}', accept => '{"/properties/kind/enum ENUM_VALUE_REMOVED","/properties/code/pattern PATTERN_CHANGED"}');
SELECT prosrc FROM pg_proc WHERE proname = 'accept@2';
SELECT schema_version, breaking, accept FROM event_schemas WHERE event_type = 'accept' ORDER BY 1;
SELECT definition FROM event_schemas WHERE event_type = 'accept' AND schema_version = 2;
-- the same again changes nothing, in any order of the findings; other options replace them
SELECT register_event_schema('accept', 2, '{"required": ["kind"], "properties": {"kind": {"enum": ["a", "b"]}, "code": {"pattern": "^(x)(y|z|)\\1"}}}', accept => '{"/properties/code/pattern PATTERN_CHANGED","/properties/kind/enum ENUM_VALUE_REMOVED"}');
SELECT accept FROM event_schemas WHERE event_type = 'accept' AND schema_version = 2;
-- a finding about the whole document, in three notations
SELECT register_event_schema('accept.root', 1, '{"$dynamicRef": "#a", "$defs": {"a": {"$dynamicAnchor": "a", "type": "string"}, "b": {"$id": "b", "$dynamicAnchor": "a"}}}');
SELECT register_event_schema('accept.root', 2, '{"$dynamicRef": "#a", "$defs": {"a": {"$dynamicAnchor": "a", "type": "integer"}, "b": {"$id": "b", "$dynamicAnchor": "a"}}}');
SELECT location, rule, verdict FROM check_event_compatibility('accept.root', 'false', accept => '{TYPE_NARROWED}');
SELECT location, rule, verdict FROM check_event_compatibility('accept.root', 'false', accept => ARRAY[' TYPE_NARROWED']);
SELECT location, rule, verdict FROM check_event_compatibility('accept.root', 'false', accept => '{(document) TYPE_NARROWED}');

-- names of findings: those that nothing matches give a WARNING, and rules must exist
SELECT register_event_schema('accept', 3, '{"required": ["kind"], "properties": {"kind": {"enum": ["a"]}}}', accept => '{"/properties/kind/enum ENUM_VALUE_REMOVED","/properties/kin/enum ENUM_VALUE_REMOVED"}');
SELECT location, rule, verdict FROM check_event_compatibility('accept', '{"required": ["kind"], "properties": {"kind": {"enum": ["a", "b"]}}}', accept => '{"/properties/kind/enum ENUM_VALUE_ADDED"}');
SELECT register_event_schema('accept', 4, '{}', accept => '{"/properties/kind ENUM_VALUE_REMOVD"}');
SELECT register_event_schema('accept', 4, '{}', accept => '{"/properties/kind"}');
SELECT register_event_schema('accept', 4, '{}', accept => '{NULL}');
SELECT register_event_schema('accept', 4, '{}', accept => '{TYPE_NARROWED}', breaking => true);

-- CREATE FUNCTION and register_schemas have lines, one for each finding
CREATE FUNCTION event_schema."accept@4"(data jsonb) RETURNS boolean LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE AS '{"required": ["kind", "n"], "properties": {"kind": {"enum": ["a"]}}}';
CREATE FUNCTION event_schema."accept@4"(data jsonb) RETURNS boolean LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE AS '
#accept /required/1 PROPERTY_BECAME_REQUIRED
{"required": ["kind", "n"], "properties": {"kind": {"enum": ["a"]}}}';
CREATE FUNCTION event_schema."accept@5"(data jsonb) RETURNS boolean LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE AS '#accept
{}';
SELECT name, action FROM register_schemas(jsonb_build_object('accept@5', E'#accept (document) TYPE_NARROWED\n{"type": "object", "required": ["kind", "n"], "properties": {"kind": {"enum": ["a"]}}}'));
SELECT schema_version, accept FROM event_schemas WHERE event_type = 'accept' ORDER BY 1;

-- keys are any text: the lines and the ddl keep them
SELECT register_event_schema('accept.keys', 1, E'{"properties": {"a b\\nc": {"type": ["string", "null"]}, "%0A\\"''": {"type": ["string", "null"]}}}');
SELECT register_event_schema('accept.keys', 2, E'{"properties": {"a b\\nc": {"type": "string"}, "%0A\\"''": {"type": "string"}}}');
SELECT register_event_schema('accept.keys', 2, E'{"properties": {"a b\\nc": {"type": "string"}, "%0A\\"''": {"type": "string"}}}',
	accept => ARRAY(SELECT location || ' ' || rule FROM check_event_compatibility('accept.keys', E'{"properties": {"a b\\nc": {"type": "string"}, "%0A\\"''": {"type": "string"}}}')));
SELECT prosrc FROM pg_proc WHERE proname = 'accept.keys@2';
SELECT to_json(accept) FROM event_schemas WHERE event_type = 'accept.keys' AND schema_version = 2;
SELECT * FROM event_schema_ddl('accept.keys');
-- widening keeps the options
SELECT widen_event_schema('accept.keys', 2, E'{"properties": {"a b\\nc": {}, "%0A\\"''": {"type": "string"}}}');
SELECT cardinality(accept) FROM event_schemas WHERE event_type = 'accept.keys' AND schema_version = 2;
-- too many findings for a HINT
SELECT register_event_schema('accept.many', 1, (SELECT jsonb_build_object('properties', jsonb_object_agg('p' || n, '{"type": ["string", "null"]}'::jsonb)) FROM generate_series(101, 121) AS n));
SELECT register_event_schema('accept.many', 2, (SELECT jsonb_build_object('properties', jsonb_object_agg('p' || n, '{"type": "string"}'::jsonb)) FROM generate_series(101, 121) AS n));

-- names that no finding has: one WARNING with the first of them
SELECT register_event_schema('accept.many', 2, (SELECT jsonb_build_object('properties', jsonb_object_agg('p' || n, '{"type": ["string", "null"]}'::jsonb)) FROM generate_series(101, 121) AS n),
	accept => ARRAY(SELECT '/' || repeat('x', 5 * n) || ' TYPE_NARROWED' FROM generate_series(1, 20) AS n));
-- a document accepts at most 1000 findings
SELECT count(*) FROM check_event_compatibility('accept.many', '{}', accept => ARRAY(SELECT '/' || n % 1000 || ' TYPE_NARROWED' FROM generate_series(1, 2000) AS n));
SELECT count(*) FROM check_event_compatibility('accept.many', '{}', accept => ARRAY(SELECT '/' || n || ' TYPE_NARROWED' FROM generate_series(1, 500000) AS n));
\set SHOW_CONTEXT never
DO $$ BEGIN
	EXECUTE format('CREATE FUNCTION event_schema."accept.many@3"(data jsonb) RETURNS boolean LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE AS %L',
		(SELECT string_agg(format(E'#accept /%s TYPE_NARROWED\n', n), '') FROM generate_series(1, 1001) AS n) || '{}');
END $$;
\set SHOW_CONTEXT errors
-- what is not compared one by one is not accepted with the rest
CREATE FUNCTION accept_large(title text, VARIADIC narrow int[]) RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_build_object('properties', jsonb_object_agg('o' || m, o))
	FROM (SELECT n / 100 AS m, jsonb_build_object('properties', jsonb_object_agg('p' || n, jsonb_build_object('title', title) || CASE WHEN n = ANY (narrow) THEN '{"type": "string"}' ELSE '{"type": ["string", "null"]}' END::jsonb)) AS o
		FROM generate_series(10000, 15999) AS n GROUP BY 1) AS objects $$;
SELECT location, rule, backward, forward, message FROM event_schema_changes(accept_large('a', 0), accept_large('b', 10000, 15999)) WHERE rule <> 'ANNOTATION_CHANGED';
SELECT location, rule, backward, forward, message FROM event_schema_changes(accept_large('a', 0), accept_large('b', 15999)) WHERE rule <> 'ANNOTATION_CHANGED';
SELECT location, rule, backward, forward, message FROM event_schema_changes(accept_large('a', 15999), accept_large('b', 0)) WHERE rule <> 'ANNOTATION_CHANGED';
\set VERBOSITY terse
SELECT register_event_schema('accept.large', 1, accept_large('a', 0));
SELECT register_event_schema('accept.large', 2, accept_large('b', 10000, 15999), accept => '{/properties/o100/properties/p10000/type TYPE_NARROWED}');
SELECT register_event_schema('accept.large', 2, accept_large('b', 10000), accept => '{/properties/o100/properties/p10000/type TYPE_NARROWED}');
\set VERBOSITY default
DROP FUNCTION accept_large;

-- unknown => 'warn': a part of the policy
SELECT register_event_schema('accept.unknown', 1, '{"properties": {"a": {"pattern": "^(x)(y|)\\1"}, "b": {"type": "string"}}}');
SELECT set_event_compatibility('accept.unknown', 'backward', unknown => 'warn');
SELECT register_event_schema('accept.unknown', 2, '{"properties": {"a": {"pattern": "^(x)(y|z|)\\1"}, "b": {"type": "integer"}}}');
SELECT location, rule, verdict FROM check_event_compatibility('accept.unknown', '{"properties": {"a": {"pattern": "^(x)(y|z|)\\1"}, "b": {"type": "integer"}}}');
SELECT register_event_schema('accept.unknown', 2, '{"properties": {"a": {"pattern": "^(x)(y|z|)\\1"}, "b": {"type": "string"}}}');
SELECT set_event_compatibility('accept.unknown', 'full', false, 'WARN');
SELECT event_schema."accept.unknown@compatibility"();
SELECT set_event_compatibility('accept.unknown', 'full', false, 'maybe');
SELECT set_event_compatibility('accept.unknown', 'full', false, NULL);

-- names of policies in any case
SELECT set_event_compatibility('accept.unknown', 'BACKWARD_Transitive');
SELECT event_schema."accept.unknown@compatibility"();

-- the policy of all types without one, and the policy in force
SELECT DISTINCT event_type, policy, lenient, unknown FROM event_schemas WHERE event_type IN ('accept.root', 'accept.unknown') ORDER BY 1;
SELECT set_event_compatibility(NULL, 'forward', lenient => false, unknown => 'warn');
SELECT DISTINCT event_type, policy, lenient, unknown FROM event_schemas WHERE event_type IN ('accept.root', 'accept.unknown') ORDER BY 1;
SELECT location, rule, verdict, direction FROM check_event_compatibility('accept.root', '{"type": ["string", "integer", "null"]}');
SELECT register_event_schema('accept.root', 2, '{"type": ["string", "integer", "null"]}');
SELECT * FROM event_schema_ddl() AS line WHERE line LIKE '%"@compatibility"%';
CREATE FUNCTION event_schema."@1"() RETURNS text LANGUAGE sql AS 'SELECT ''none''';
CREATE FUNCTION event_schema."@1>2"(data jsonb) RETURNS jsonb LANGUAGE sql BEGIN ATOMIC SELECT data; END;
-- the ddl of one type passes where this policy is another one, or does not exist
SELECT set_event_compatibility(NULL, 'none');
SELECT register_event_schema('accept.ddl', 1, '{"type": "string"}'), register_event_schema('accept.ddl', 2, '{"type": "integer"}'), register_event_schema(repeat('accept.ddl', 7), 1, 'true');
SELECT event_schema_ddl('accept.ddl');
SELECT event_schema_ddl(repeat('accept.ddl', 7));
SELECT event_schema_ddl('accept.not.registered');
CREATE TABLE accept_ddl AS SELECT ddl, n FROM event_schema_ddl('accept.ddl') WITH ORDINALITY AS d (ddl, n);
SELECT drop_event_schema('accept.ddl', n) FROM generate_series(1, 2) AS n;
SELECT set_event_compatibility(NULL, 'forward', lenient => false, unknown => 'warn');
SELECT ddl FROM accept_ddl ORDER BY n \gexec
SELECT schema_version, policy FROM event_schemas WHERE event_type = 'accept.ddl' ORDER BY 1;
DROP TABLE accept_ddl;
-- only the owner of the database sets it
CREATE ROLE evolution_creator;
GRANT CREATE ON SCHEMA event_schema TO evolution_creator;
SET ROLE evolution_creator;
SELECT set_event_compatibility(NULL, 'none');
CREATE OR REPLACE FUNCTION event_schema."@compatibility"() RETURNS text LANGUAGE sql AS 'SELECT ''none''';
DROP FUNCTION event_schema."@compatibility"();
RESET ROLE;
DROP FUNCTION event_schema."@compatibility"();
SET ROLE evolution_creator;
CREATE FUNCTION event_schema."@compatibility"() RETURNS text LANGUAGE sql AS 'SELECT ''none''';
RESET ROLE;
REVOKE CREATE ON SCHEMA event_schema FROM evolution_creator;
DROP ROLE evolution_creator;
SELECT DISTINCT event_type, policy, lenient, unknown FROM event_schemas WHERE event_type IN ('accept.root', 'accept.unknown') ORDER BY 1;

-- clean up
DROP FUNCTION event_schema."accept.unknown@compatibility"();
SELECT count(drop_event_schema(event_type, schema_version)) FROM event_schemas WHERE event_type LIKE 'accept%';

-- the HINT: a name that changed, at the top and below; not where two changed, or the way is no path of an event
SELECT register_event_schema('advice', 1, '{"required": ["qty"], "properties": {"qty": {"type": "integer"},
  "legs": {"items": {"required": ["no"], "properties": {"no": {"type": "integer"}}}}}}');
SELECT register_event_schema('advice', 2, '{"required": ["quantity"], "properties": {"quantity": {"type": "integer"},
  "legs": {"items": {"required": ["no"], "properties": {"no": {"type": "integer"}}}}}}');
SELECT register_event_schema('advice', 2, '{"required": ["quantity"], "properties": {"quantity": {"type": "integer"},
  "legs": {"items": {"required": ["no"], "properties": {"no": {"type": "integer"}}}}}}', renames => '{"qty": "quantity"}');
SELECT register_event_schema('advice', 3, '{"required": ["quantity"], "properties": {"quantity": {"type": "integer"},
  "legs": {"items": {"required": ["a/b\"''"], "properties": {"a/b\"''": {"type": "integer"}}}}}}');
SELECT register_event_schema('advice', 3, '{"required": ["a", "b"], "properties": {"a": {"type": "integer"}, "b": {"type": "integer"},
  "legs": {"items": {"required": ["no"], "properties": {"no": {"type": "integer"}}}}}}');
SELECT register_event_schema('advice', 3, '{"required": ["*"], "properties": {"*": {"type": "integer"},
  "legs": {"items": {"required": ["no"], "properties": {"no": {"type": "integer"}}}}}}');
-- forward: new events need no upcast
SELECT set_event_compatibility('advice', 'forward');
SELECT register_event_schema('advice', 3, '{"properties": {"quantity": {"type": "integer"}}}');
SELECT drop_event_schema('advice', 2), drop_event_schema('advice', 1);
DROP FUNCTION event_schema."advice@compatibility"();
