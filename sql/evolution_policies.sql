-- Policies: with which versions a new version of a type must be compatible.
SELECT register_event_schema('policy', 1, '{"type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}, "side": {"enum": ["buy", "sell"]}}}');

-- backward and lenient by default: a new optional property is accepted,
SELECT register_event_schema('policy', 2, '{"type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}, "side": {"enum": ["buy", "sell"]}, "note": {"type": "string"}}}');

-- a restriction is not, and every reason is reported
SELECT register_event_schema('policy', 3, '{"type": "object", "required": ["id", "side"], "properties": {"id": {"type": "integer", "minimum": 1}, "side": {"enum": ["buy"]}, "note": {"type": "string"}}}');
SELECT register_event_schema('policy', 3, '{"type": "object", "required": ["id"], "properties": {"id": {"type": "string", "pattern": "^[0-9]+$"}}}');

-- the policy applies to plain DDL,
CREATE FUNCTION event_schema."policy@3"(data jsonb) RETURNS boolean LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE
	AS '{"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}}}';
CREATE OR REPLACE FUNCTION event_schema."policy@3"(data jsonb) RETURNS boolean LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE
	AS '{"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}}}';

-- except in a restore
BEGIN;
SET LOCAL check_function_bodies = off;
CREATE FUNCTION event_schema."policy@3"(data jsonb) RETURNS boolean LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE
	AS '{"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}}}';
-- register_event_schema checks with every setting
SELECT register_event_schema('policy', 4, '{"type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}}}');
ROLLBACK;

-- intended breaks
CREATE FUNCTION event_schema."policy@3"(data jsonb) RETURNS boolean LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE
	AS '#breaking
{"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}}}';
SELECT register_event_schema('policy', 5, '{"type": "object", "required": ["id"], "properties": {"id": {"type": "number"}}}');
SELECT register_event_schema('policy', 5, '{"type": "object", "required": ["id"], "properties": {"id": {"type": "number"}}}', breaking => true);

-- a version between two others must be compatible with both
SELECT register_event_schema('between', 1, '{"type": "integer", "minimum": 5}');
SELECT register_event_schema('between', 4, '{"type": "integer", "minimum": 2}');
SELECT register_event_schema('between', 2, '{"type": "integer", "minimum": 6}');
SELECT register_event_schema('between', 2, '{"type": "integer", "minimum": 1}');
SELECT register_event_schema('between', 2, '{"type": "integer", "minimum": 4}');
SELECT register_event_schema('between', 0, '{"type": "integer", "minimum": 7}');
-- versions before a break are not compared
SELECT register_event_schema('between', 6, '{"type": "string"}', breaking => true);
SELECT register_event_schema('between', 5, '{"type": "number"}');

-- the policies
SELECT set_event_compatibility('policies', 'none');
SELECT register_event_schema('policies', 1, '{"type": "integer", "maximum": 10}');
SELECT register_event_schema('policies', 2, '{"type": "string"}');
SELECT set_event_compatibility('policies', 'forward');
SELECT register_event_schema('policies', 3, '{"type": ["string", "null"]}');
SELECT register_event_schema('policies', 3, '{"type": "string", "maxLength": 9}');
SELECT set_event_compatibility('policies', 'full');
SELECT register_event_schema('policies', 4, '{"type": "string", "maxLength": 8}');
SELECT register_event_schema('policies', 4, '{"type": "string", "maxLength": 10}');
SELECT register_event_schema('policies', 4, '{"type": "string", "maxLength": 9, "title": "the same"}');
-- lenient and strict
SELECT set_event_compatibility('policies', 'backward', lenient => false);
SELECT register_event_schema('policies', 5, '{"properties": {"a": {}}}');
SELECT register_event_schema('policies', 6, '{"properties": {"a": {}, "b": {"type": "string"}}}');
SELECT set_event_compatibility('policies', 'full');
SELECT register_event_schema('policies', 6, '{"properties": {"a": {}, "b": {"type": "string"}}}');
SELECT prosrc FROM pg_proc WHERE proname = 'policies@compatibility';
SELECT event_schema."policies@compatibility"();
-- unknown counts as incompatible, and is reported
SELECT set_event_compatibility('policies', 'backward');
SELECT register_event_schema('policies', 7, '{"properties": {"a": {"type": "string", "pattern": "^(a)\\1"}}}', breaking => true);
SELECT register_event_schema('policies', 8, '{"properties": {"a": {"type": "string", "pattern": "^(a)(b|)\\1"}}}');

-- transitive: all versions before, back to the last break.  Versions 1 and 3
-- have a difference that the step from 2 to 3 does not have.
SELECT set_event_compatibility('steps', 'backward');
SELECT register_event_schema('steps', 1, '{"properties": {"a": {"type": "integer"}, "b": {"type": "string"}}}');
SELECT register_event_schema('steps', 2, '{"properties": {"b": {"type": "string"}}}');
SELECT register_event_schema('steps', 3, '{"properties": {"a": {"type": "string"}, "b": {"type": "string"}}}');
SELECT set_event_compatibility('chain', 'backward_transitive');
SELECT register_event_schema('chain', 1, '{"properties": {"a": {"type": "integer"}, "b": {"type": "string"}}}');
SELECT register_event_schema('chain', 2, '{"properties": {"b": {"type": "string"}}}');
SELECT register_event_schema('chain', 3, '{"properties": {"a": {"type": "string"}, "b": {"type": "string"}}}');
SELECT register_event_schema('chain', 3, '{"properties": {"b": {"type": ["string", "null"]}}}', breaking => true);
SELECT register_event_schema('chain', 4, '{"properties": {"a": {"type": "string"}, "b": {"type": ["string", "null"]}}}');
SELECT register_event_schema('chain', 5, '{"properties": {"a": {"type": "string"}, "b": {"type": ["string"]}}}');
SELECT set_event_compatibility('chain', 'forward_transitive');
SELECT register_event_schema('chain', 5, '{"properties": {"a": {"type": "string"}, "b": {"type": "string"}}}');
SELECT set_event_compatibility('chain', 'full_transitive');
SELECT register_event_schema('chain', 6, '{"properties": {"a": {"type": "string"}, "b": {"type": "string"}}}');

-- a policy is a function, with comments, and can be dropped
SELECT set_event_compatibility('policy', 'none', NULL);
SELECT set_event_compatibility('policy', 'sideways');
SELECT set_event_compatibility('', 'none');
SELECT set_event_compatibility(repeat('x', 513), 'none');
CREATE FUNCTION event_schema."policy@compatibility"() RETURNS text LANGUAGE sql AS 'SELECT ''full strict''';
SELECT register_event_schema('policy', 6, '{"type": "object", "required": ["id"], "properties": {"id": {"type": "number"}, "x": {"type": "null"}}}');
DROP FUNCTION event_schema."policy@compatibility"();
SELECT register_event_schema('policy', 6, '{"type": "object", "required": ["id"], "properties": {"id": {"type": "number"}, "x": {"type": "null"}}}');
CREATE FUNCTION event_schema."policy@compatibility"() RETURNS text LANGUAGE sql AS 'SELECT current_user::text';

-- annotations can be replaced in every version
SELECT register_event_schema('policy', 1, '{"title": "First", "type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}, "side": {"enum": ["buy", "sell"]}}}');

-- rights are those of PostgreSQL
CREATE ROLE evolution_nobody;
SET ROLE evolution_nobody;
SELECT set_event_compatibility('policies', 'none');
RESET ROLE;
DROP ROLE evolution_nobody;

-- clean up
DO $$
DECLARE
	registered regprocedure;
BEGIN
	FOR registered IN SELECT oid FROM pg_proc WHERE pronamespace = 'event_schema'::regnamespace AND proname ~ '^(policy|policies|between|steps|chain|wide|wide\..*)@' ORDER BY oid DESC
	LOOP
		EXECUTE 'DROP FUNCTION ' || registered;
	END LOOP;
END
$$;
