CREATE EXTENSION event_validate
CREATE ROLE fuzz
GRANT CREATE, USAGE ON SCHEMA event_schema TO fuzz
CREATE SCHEMA fuzz_world AUTHORIZATION fuzz
SELECT register_event_schema('order', 1, '{"properties": {"qty": {"type": "integer"}}, "required": ["qty"]}')
SELECT register_event_schema('order', 2, '{"properties": {"qty": {"type": "string"}}, "required": ["qty"]}')
SELECT register_event_schema('fuzz', 1, '{"properties": {"a": {"type": "integer", "minimum": 1}, "b": {"type": "array", "items": {"type": "string"}}}}')
SELECT register_schema('http://example.com/other', '{"$id": "http://example.com/other", "$defs": {"a": {"$anchor": "a", "type": "string", "maxLength": 3}}, "properties": {"a": {"$ref": "#a"}}}')
SELECT register_schema('http://example.com/tree', '{"$id": "http://example.com/tree", "$dynamicAnchor": "node", "properties": {"a": true, "b": {"items": {"$dynamicRef": "#node"}}}}')
SELECT set_event_compatibility('fuzz', 'full_transitive')
SELECT create_event_quarantine()
GRANT SELECT, UPDATE, DELETE ON event_schema.quarantine TO fuzz
CREATE TABLE fuzz_world.events (id int, kind text, version int, data jsonb, j json, t text, v varchar(10), n numeric, d date, a text[], small int2, big int8, r int4range, f float8)
CREATE TABLE fuzz_world.rows AS SELECT 1 AS id, 'order'::text AS kind, 1 AS version, '{"qty": 1, "kind": "order", "version": 2}'::jsonb AS data, '{"qty": "1"}'::json AS j, '{"qty": 2}'::text AS t, 'order'::varchar(10) AS v, 1.5::numeric AS n, '2024-02-29'::date AS d, '{order,b}'::text[] AS a, 1::int2 AS small, 2::int8 AS big, '[1,3)'::int4range AS r, 1.0::float8 AS f
INSERT INTO fuzz_world.rows VALUES (2, 'order', 2, '{"qty": 1}', '[1]', 'no json', '', 1e20, 'infinity', NULL, -1, 9223372036854775807, 'empty', 'NaN'), (3)
ALTER TABLE fuzz_world.events OWNER TO fuzz
ALTER TABLE fuzz_world.rows OWNER TO fuzz
