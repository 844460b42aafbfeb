-- What needs a PostgreSQL with libxml.  with_xml_1.out is for one without.
CREATE FUNCTION pg_temp.without_xml() RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  PERFORM xmlparse(CONTENT '<a/>');
  RETURN false;
EXCEPTION WHEN feature_not_supported THEN
  RETURN true;
END $$;
SELECT pg_temp.without_xml() AS without \gset
\if :without
\quit
\endif
CREATE SCHEMA with_xml;
SET search_path = with_xml, public;
SELECT register_event_schema('marked up', 1, '{"type": "integer"}');
-- a document and a content, whatever xmloption says when the row is diverted and replayed
CREATE TABLE marked (event_type text, schema_version int, data jsonb, document xml, content xml);
CREATE TABLE original (LIKE marked);
INSERT INTO original VALUES ('marked up', 1, '"x"', '<a>b</a>', 'no <a>root</a>');
SELECT add_event_guard('marked', 'quarantine');
INSERT INTO marked SELECT * FROM original;
SET xmloption = document;
SELECT "row" FROM event_quarantine WHERE relation_name = 'marked';
SET client_min_messages = warning;
SELECT drop_event_guard('marked');
RESET client_min_messages;
SELECT replayed, remaining, problem FROM replay_event_quarantine('marked');
RESET xmloption;
SELECT to_jsonb(m) = to_jsonb(o) AS same FROM marked m, original o;
-- EXPLAIN in XML, also of what a rule makes nothing of, which before 18 has our part without a plan
CREATE FUNCTION calls(statement text) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
  is_new CONSTANT boolean := current_setting('server_version_num')::int >= 180000;
  plan xml;
BEGIN
  EXECUTE format('EXPLAIN (ANALYZE, %s FORMAT XML) %s', CASE WHEN is_new THEN 'EVENT_VALIDATE,' END, statement) INTO plan;
  RETURN COALESCE(NULLIF(xpath('//*[local-name() = "Calls"]/text()', plan)::text[], '{}'), CASE WHEN is_new THEN '{0}'::text[] END);
END $$;
CREATE RULE nothing AS ON INSERT TO original DO INSTEAD NOTHING;
SELECT set_config('event_validate.explain', CASE WHEN current_setting('server_version_num')::int >= 180000 THEN 'off' ELSE 'on' END, false) <> '' AS set;
SELECT calls($$SELECT validate_event('1', 'marked up', 1) FROM generate_series(1, 3)$$);
SELECT calls($$INSERT INTO original VALUES ('marked up')$$);
RESET event_validate.explain;
SET client_min_messages = warning;
DROP SCHEMA with_xml CASCADE;
RESET client_min_messages;
SELECT drop_event_schema('marked up', 1);
