-- Views that show the latest version: registration says which are behind, with the call.
CREATE SCHEMA "Follow up";
CREATE TABLE "Follow up"."the events" (event_type text, schema_version int, "it's data" jsonb);
INSERT INTO "Follow up"."the events" VALUES ('follow''s', 1, '{"a": 1}'), ('follow''s', 2, '{"a": 1, "b": "x"}');
CREATE TABLE follow_events (event_type text, schema_version int, data jsonb);
SELECT register_event_schema('follow''s', 1, '{"properties": {"a": {"type": "integer"}}}');
SELECT create_event_view('Follow', '"Follow up"."the events"', 'follow''s', data_expr => '"it''s data"', integer_type => 'numeric');
SELECT create_event_view('follow_plain', 'follow_events', 'follow''s');
SELECT create_event_view('follow_fixed', 'follow_events', 'follow''s', 1);
SELECT pg_get_viewdef('follow_plain'::regclass);
-- each way to register
BEGIN;
SELECT register_event_schema('follow''s', 2, '{"properties": {"a": {"type": "integer"}, "b": {"type": "string"}}}');
ROLLBACK;
BEGIN;
CREATE FUNCTION event_schema."follow's@2"(data jsonb) RETURNS boolean LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE AS '{"properties": {"a": {"type": "integer"}, "b": {"type": "string"}}}';
ROLLBACK;
SELECT name, action FROM register_schemas('{"follow''s@2": {"properties": {"a": {"type": "integer"}, "b": {"type": "string"}}}}');
-- what was registered already, and an earlier version, give none
SELECT register_event_schema('follow''s', 2, '{"properties": {"a": {"type": "integer"}, "b": {"type": "string"}}}');
SELECT register_event_schema('follow''s', 0, '{"properties": {"a": {"type": "integer"}}}');
-- the calls
SELECT public.create_event_view('"Follow up".follow', '"Follow up"."the events"', 'follow''s', data_expr => '"it''s data"', integer_type => 'numeric');
SELECT public.create_event_view('public.follow_plain', 'public.follow_events', 'follow''s');
SELECT a, b FROM "Follow up".follow ORDER BY b NULLS FIRST;
SELECT register_event_schema('follow''s', 3, '{"properties": {"a": {"type": "integer"}, "b": {"type": "string"}, "c": {}}}');
DROP VIEW follow_plain;
-- views of strangers are none of the registering role's business
CREATE ROLE follow_stranger;
GRANT SELECT ON follow_events TO follow_stranger;
GRANT CREATE ON SCHEMA "Follow up" TO follow_stranger;
GRANT USAGE ON SCHEMA "Follow up" TO follow_stranger;
SET ROLE follow_stranger;
SELECT create_event_view('"Follow up".strange', 'follow_events', 'follow''s');
RESET ROLE;
DROP VIEW "Follow up".follow;
SELECT register_event_schema('follow''s', 4, '{"properties": {"a": {"type": "integer"}, "b": {"type": "string"}, "c": {}, "d": {}}}');
DROP VIEW "Follow up".strange, follow_fixed;
DROP OWNED BY follow_stranger;
DROP ROLE follow_stranger;
-- a bundle gives it once, for its last version, and not if it is refused
CREATE TABLE follow_more (event_type text, schema_version int, data jsonb);
SELECT register_event_schema('follow.more', 1, '{"properties": {"a": {"type": "integer"}}}');
SELECT create_event_view('follow_more_view', 'follow_more', 'follow.more');
SELECT register_schemas('{"follow.more@2": {"properties": {"a": {"type": "integer"}}}, "follow.more@3": {"properties": {"a": {"type": "string"}}}}');
SELECT name, action FROM register_schemas('{"follow.more@2": {"properties": {"a": {"type": "integer"}}}, "follow.more@3": {"properties": {"a": {"type": "integer"}, "b": {}}}, "follow@9": {}}');
DROP VIEW follow_more_view;
DROP TABLE follow_more;
-- widening a pattern: the HINT has the idiom, and that is proved
SELECT register_event_schema('follow.pattern', 1, '{"properties": {"code": {"pattern": "^(x)(y|)\\1$"}}}');
SELECT register_event_schema('follow.pattern', 2, '{"properties": {"code": {"pattern": "^(x)(y|z|)\\1$"}}}');
SELECT widen_event_schema('follow.pattern', 1, '{"properties": {"code": {"pattern": "^(x)(y|z|)\\1$"}}}');
SELECT register_event_schema('follow.pattern', 2, '{"properties": {"code": {"anyOf": [{"pattern": "^(x)(y|)\\1$"}, {"pattern": "^(x)(y|z|)\\1$"}]}}}');
SELECT widen_event_schema('follow.pattern', 1, '{"properties": {"code": {"anyOf": [{"pattern": "^(x)(y|)\\1$"}, {"pattern": "^(x)(y|z|)\\1$"}]}}}');
-- by the automaton, the new pattern alone suffices
SELECT register_event_schema('follow.pattern', 3, '{"properties": {"code": {"anyOf": [{"pattern": "^(x)(y|)\\1$"}, {"pattern": "^(x)(y|z|)\\1$"}]}, "n": {"pattern": "^[a-z]+$"}}}');
SELECT register_event_schema('follow.pattern', 4, '{"properties": {"code": {"anyOf": [{"pattern": "^(x)(y|)\\1$"}, {"pattern": "^(x)(y|z|)\\1$"}]}, "n": {"pattern": "^[a-z0-9]+$"}}}');
-- clean up
DROP TABLE follow_events;
DROP SCHEMA "Follow up" CASCADE;
SELECT count(drop_event_schema(event_type, schema_version)) FROM event_schemas WHERE event_type LIKE 'follow%';
