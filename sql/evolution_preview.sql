-- check_event_compatibility: what registration would say of a definition.
-- A type without versions can begin with anything that is a schema.
SELECT * FROM check_event_compatibility('preview', '{"type": "object"}');
SELECT * FROM check_event_compatibility('preview', '{"type": "objekt"}');
SELECT * FROM check_event_compatibility('preview', '{"type": ');

SELECT register_event_schema('preview', 1, '{"properties": {"a": {"type": "integer"}, "b": {"type": "string"}}}');
SELECT register_event_schema('preview', 2, '{"properties": {"b": {"type": "string"}}}');
SELECT register_event_schema('preview', 4, '{"properties": {"b": {"type": ["string", "null"]}}}');

-- its rows are the lines of registration's error, for the next version
SELECT * FROM check_event_compatibility('preview', '{"required": ["b"], "properties": {"a": {"type": "string"}, "b": {"type": "string", "pattern": "^(x)\\1"}}}');
SELECT register_event_schema('preview', 5, '{"required": ["b"], "properties": {"a": {"type": "string"}, "b": {"type": "string", "pattern": "^(x)\\1"}}}');
-- the same of a jsonb; no row, no error
SELECT against, location, rule FROM check_event_compatibility('preview', '{"properties": {"b": {"type": "null"}}}'::jsonb);
SELECT * FROM check_event_compatibility('preview', '{"properties": {"b": {}}}');

-- of a version between others
SELECT against, location, rule, verdict FROM check_event_compatibility('preview', '{"properties": {"b": {}}}', schema_version => 3);
SELECT register_event_schema('preview', 3, '{"properties": {"b": {}}}');
-- a registered version cannot change, so nothing is compared
SELECT * FROM check_event_compatibility('preview', '{"title": "x", "properties": {"b": {"type": "string"}}}', schema_version => 2);
SELECT * FROM check_event_compatibility('preview', '{}', schema_version => 2);

-- the options count: formats that are not asserted, an intended break, strictness
SELECT register_event_schema('preview.format', 1, '{"type": "string"}');
SELECT against, location, rule, verdict FROM check_event_compatibility('preview.format', '{"type": "string", "format": "date"}');
SELECT against, location, rule, verdict FROM check_event_compatibility('preview.format', '{"type": "string", "format": "date"}', assert_format => false);
SELECT against, location, rule, verdict FROM check_event_compatibility('preview.format', '{"type": "string", "format": "date"}', except_formats => '{date}');
SELECT against, location, rule, verdict FROM check_event_compatibility('preview.format', '{"type": "integer"}', breaking => true);
SELECT * FROM check_event_compatibility('preview.format', '{"type": "string", "maxlength": 1}');
SELECT * FROM check_event_compatibility('preview.format', '{"type": "string", "maxlength": 1}', strict => true);

-- the policy counts: all versions, both directions
SELECT set_event_compatibility('preview', 'full_transitive');
SELECT against, direction, location, rule, verdict FROM check_event_compatibility('preview', '{"properties": {"a": {"type": "string"}, "b": {"type": "string"}}}');
SELECT register_event_schema('preview', 5, '{"properties": {"a": {"type": "string"}, "b": {"type": "string"}}}');
SELECT set_event_compatibility('preview', 'backward', false);
SELECT against, location, rule, verdict FROM check_event_compatibility('preview', '{"properties": {"a": {"type": "string"}, "b": {}}}');
SELECT set_event_compatibility('preview', 'none');
SELECT * FROM check_event_compatibility('preview', 'false');
-- the version of an intended break is the last one that is compared
SELECT set_event_compatibility('preview', 'backward_transitive');
SELECT register_event_schema('preview', 5, '{"type": "integer"}', breaking => true);
SELECT register_event_schema('preview', 6, '{"type": "number"}');
SELECT against, location, rule FROM check_event_compatibility('preview', '{"type": "string"}');

-- arguments
SELECT * FROM check_event_compatibility(NULL, '{}');
SELECT * FROM check_event_compatibility('preview', NULL::text);
SELECT * FROM check_event_compatibility('', '{}');
SELECT * FROM check_event_compatibility('preview', '{}', schema_version => -1);
SELECT * FROM check_event_compatibility('preview', E'#breaking\n{}');

-- any role may ask, and it takes no lock that others wait for
CREATE ROLE evolution_reader;
BEGIN;
SET ROLE evolution_reader;
SELECT against, rule FROM check_event_compatibility('preview', '{"type": "string"}');
SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND mode = 'ExclusiveLock' AND locktype <> 'virtualxid';
ROLLBACK;
DROP ROLE evolution_reader;

-- clean up
DROP FUNCTION event_schema."preview@compatibility"();
SELECT drop_event_schema(event_type, schema_version) FROM event_schemas WHERE event_type IN ('preview', 'preview.format') ORDER BY schema_version DESC;
