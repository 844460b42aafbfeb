-- Steps that need no function, downcasts, and dropping both.
CREATE FUNCTION down_split(event jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
	SELECT event - 'first' - 'last' || jsonb_build_object('name', concat_ws(' ', event->>'first', event->>'last')) $$;
CREATE FUNCTION up_split(event jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
	SELECT event - 'name' || jsonb_build_object('first', split_part(event->>'name', ' ', 1), 'last', split_part(event->>'name', ' ', 2)) $$;
SELECT register_event_schema('person', 1, '{"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}, "additionalProperties": false}');
SELECT register_event_schema('person', 2, '{"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}, "age": {"type": "integer"}}, "additionalProperties": false}');
SELECT register_event_schema('person', 3, '{"type": "object", "required": ["first", "last"], "properties": {"first": {"type": "string"}, "last": {"type": "string", "minLength": 1}, "age": {"type": "integer"}}, "additionalProperties": false}', breaking => true);
SELECT register_event_schema('person', 4, '{"type": "object", "required": ["first", "last"], "properties": {"first": {"type": "string"}, "last": {"type": "string", "minLength": 1}, "age": {"type": ["integer", "null"]}}, "additionalProperties": false}');

-- ---------- no upcast is needed where backward compatibility is proved ----------
SELECT upcast_event('{"name": "Ada L"}', 'person', 1, 2);
SELECT event_upcast_path('person', 1, 2);
SELECT upcast_event('{"name": "Ada L"}', 'person', 1);
SELECT register_event_upcast('person', 2, 3, 'up_split(jsonb)');
SELECT upcast_event('{"name": "Ada L"}', 'person', 1);
SELECT event_upcast_path('person', 1);
-- each result is validated, also that of a step without a function
SELECT upcast_event('{"name": 1}', 'person', 1, 2);
SELECT upcast_event('{"name": "Ada"}', 'person', 1);
-- the answer follows the schemas: a policy, a registration and a drop change it
SELECT register_event_schema('person', 5, '{"type": "object", "required": ["first", "last", "age"], "properties": {"first": {"type": "string"}, "last": {"type": "string"}, "age": {"type": "integer"}}}', breaking => true);
SELECT upcast_event('{"name": "Ada L"}', 'person', 1);
SELECT drop_event_schema('person', 5);
SELECT upcast_event('{"name": "Ada L"}', 'person', 1) FROM generate_series(1, 2);
-- stored events: they are checked and migrated along such steps too
CREATE TABLE people (id int PRIMARY KEY, event_type text, schema_version int, data jsonb);
INSERT INTO people VALUES (1, 'person', 1, '{"name": "Ada L"}'), (2, 'person', 1, '{"name": "Ada"}'), (3, 'person', 2, '{"name": "Bob M", "age": 3}'), (4, 'person', 4, '{"first": "Eve", "last": "N", "age": null}');
SELECT instance_location, keyword, rows, sample_ids FROM check_event_upgrade('people', 'person', 1, 4);
SELECT instance_location, keyword, rows, sample_ids FROM check_event_upgrade('people', 'person', 1, 2);

-- ---------- downcasts ----------
SELECT upcast_event('{"first": "Eve", "last": "N", "age": 1}', 'person', 4, 2);
SELECT event_at_version('{"first": "Eve", "last": "N", "age": 1}', 'person', 4, 2);
SELECT register_event_downcast('person', 3, 2, 'down_split(jsonb)');
SELECT register_event_downcast('person', 3, 2, 'down_split(jsonb)');
SELECT proname, provolatile, proparallel, pg_get_function_sqlbody(oid) FROM pg_proc WHERE proname LIKE 'person@%>%' ORDER BY 1;
-- version 4 is not forward compatible with version 3: null is new
SELECT event_at_version('{"first": "Eve", "last": "N", "age": 1}', 'person', 4, 2);
SELECT event_at_version('{"first": "Eve", "last": "N", "age": 1}', 'person', 3, 2);
SELECT upcast_event('{"first": "Eve", "last": "N", "age": 1}', 'person', 3, 2), event_upcast_path('person', 3, 2);
CREATE FUNCTION down_age(event jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
	SELECT CASE WHEN event->'age' = 'null' THEN event - 'age' ELSE event END $$;
SELECT register_event_downcast('person', 4, 3, 'down_age(jsonb)');
SELECT event_at_version(data, event_type, schema_version, 2) FROM people ORDER BY id;
-- to version 1, which knows no age and is closed, the events are forward compatible leniently
SELECT event_at_version('{"first": "Eve", "last": "N", "age": null}', 'person', 4, 1);
SELECT event_at_version('{"first": "Eve", "last": "N", "age": 1}', 'person', 4, 1);
-- a view of the old version shows new events as its readers know them
SELECT create_event_view('people_2', 'people', 'person', 2);
SELECT id, schema_version, name, age, data FROM people_2 ORDER BY id;
DROP VIEW people_2;

-- what is refused
SELECT register_event_downcast('person', 2, 3, 'down_split(jsonb)');
SELECT register_event_upcast('person', 3, 2, 'down_split(jsonb)');
SELECT register_event_downcast('person', 4, 2, 'down_split(jsonb)');
SELECT register_event_downcast('person', 4, 4, 'down_split(jsonb)');
SELECT register_event_downcast('person', 3, 2, 'up_split(jsonb)');
SELECT register_event_downcast('person', 5, 4, 'up_split(jsonb)');
SELECT register_event_downcast('person', 2, NULL, 'up_split(jsonb)');
CREATE FUNCTION event_schema."person@2>1"(data jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE BEGIN ATOMIC SELECT data - 'age'; END;
SELECT event_at_version('{"first": "Eve", "last": "N", "age": 1}', 'person', 4, 1);
CREATE FUNCTION event_schema."person@3>1"(data jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE BEGIN ATOMIC SELECT data - 'age'; END;
SELECT drop_event_schema('person', 1);

-- volatile functions
CREATE FUNCTION up_now(event jsonb) RETURNS jsonb LANGUAGE sql AS $$ SELECT event || jsonb_build_object('at', clock_timestamp()) $$;
SELECT register_event_upcast('person', 1, 2, 'up_now(jsonb)');
CREATE FUNCTION event_schema."person@1>2"(data jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE BEGIN ATOMIC SELECT up_now(data); END;
CREATE FUNCTION event_schema."person@1>2"(data jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE BEGIN ATOMIC SELECT data || jsonb_build_object('n', random()); END;

-- ---------- the rights ----------
CREATE ROLE downcast_owner;
CREATE ROLE downcast_other;
GRANT CREATE ON SCHEMA event_schema TO downcast_owner, downcast_other;
SET ROLE downcast_owner;
SELECT register_event_schema('owned', 1, '{"required": ["a"]}');
SELECT register_event_schema('owned', 2, '{}', breaking => true);
SELECT register_event_upcast('owned', 1, 2, 'up_split(jsonb)');
SET ROLE downcast_other;
SELECT register_event_downcast('owned', 2, 1, 'down_split(jsonb)');
SELECT drop_event_upcast('owned', 1, 2);
CREATE FUNCTION event_schema."owned@2>1"(data jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE BEGIN ATOMIC SELECT data; END;
SET ROLE downcast_owner;
SELECT register_event_downcast('owned', 2, 1, 'down_split(jsonb)');
SELECT drop_event_upcast('owned', 2, 1);
SELECT drop_event_upcast('owned', 1, 2);
RESET ROLE;
SELECT drop_event_schema('owned', n) FROM generate_series(1, 2) AS n;
REVOKE CREATE ON SCHEMA event_schema FROM downcast_owner, downcast_other;
DROP ROLE downcast_owner, downcast_other;

-- ---------- what is missing ----------
SELECT register_event_schema('h', n, '{"type": "object"}') FROM unnest('{1, 2, 4}'::int[]) AS n;
SELECT register_event_upcast('h', 1, 2, 'up_split(jsonb)');
SELECT upcast_event('{}', 'h', 2, 1);
SELECT register_event_downcast('h', 4, 2, 'down_split(jsonb)');
SELECT upcast_event('{}', 'h', 4, 1);
SELECT register_event_schema('h', 3, '{"type": "object"}');
SELECT upcast_event('{}', 'h', 4, 3);
DROP FUNCTION event_schema."h@4>2"(jsonb);
SELECT drop_event_upcast('h', 1, 2);
SELECT count(drop_event_schema('h', n)) FROM generate_series(1, 4) AS n;

-- ---------- dropping ----------
SELECT drop_event_upcast('person', 1, 2);
SELECT drop_event_upcast('person', 2, 1), drop_event_upcast('person', 3, 2), drop_event_upcast('person', 4, 3), drop_event_upcast('person', 2, 3);
SELECT drop_event_upcast('person', 2, 3);
SELECT drop_event_upcast('person', 3, 2);
SELECT drop_event_upcast('person', NULL, 2);
DROP TABLE people;
SELECT count(drop_event_schema('person', n)) FROM generate_series(1, 4) AS n;
DROP FUNCTION up_split, down_split, down_age, up_now;
