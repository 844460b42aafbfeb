-- PUBLIC may execute an internal function only if a statement of a user's runs it.
\set VERBOSITY terse
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE ROLE regress_internals;
CREATE SCHEMA internals AUTHORIZATION regress_internals;
CREATE FOREIGN DATA WRAPPER regress_internals_wrapper;
CREATE SERVER regress_internals_server FOREIGN DATA WRAPPER regress_internals_wrapper;
GRANT USAGE ON FOREIGN SERVER regress_internals_server TO regress_internals;
SELECT register_event_schema('internals', 1, '{"type": "object", "required": ["a"], "properties": {"a": {"type": "integer"}}}') IS NOT NULL AS registered;
SELECT register_event_schema('internals', 2, '{"type": "object", "required": ["a", "b"], "properties": {"a": {"type": "integer"}, "b": {"type": "string"}}}', breaking => true) IS NOT NULL AS registered;
SELECT register_event_schema('internals.raised', 1, '{"type": "object"}') IS NOT NULL AS registered;
SELECT register_event_schema('internals.raised', 2, '{"type": "object", "required": ["a"]}', breaking => true) IS NOT NULL AS registered;
CREATE FUNCTION internals.raise_version(event jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE PARALLEL SAFE
  BEGIN ATOMIC SELECT event || '{"a": 1}'; END;
SELECT register_event_upcast('internals.raised', 1, 2, 'internals.raise_version(jsonb)') IS NOT NULL AS registered;

-- a role without rights, and its tables
SET ROLE regress_internals;
SET search_path = internals, public;
CREATE TABLE events (id int PRIMARY KEY, data jsonb, event_type text NOT NULL, schema_version int NOT NULL);
INSERT INTO events VALUES (1, '{"a": 1}', 'internals', 1), (2, '{}', 'internals', 1), (3, '{}', 'internals.raised', 1);
SELECT create_event_view('known', 'events', 'internals', 1);
CREATE TABLE checked (LIKE events);
INSERT INTO checked TABLE events;
SELECT add_event_check('checked');
CREATE TABLE constrained (LIKE events, CHECK (id > 0));
CREATE TABLE guarded (LIKE events);
SELECT add_event_guard('guarded', 'enforce');
CREATE TABLE texts (id int PRIMARY KEY, payload text DEFAULT '{}', event_type text, schema_version int);
INSERT INTO texts VALUES (1, '{"a": 1.10}', 'internals', 1), (2, '{}', 'internals', 1), (3, '{}', 'internals.raised', 1);
CREATE TABLE doubled (id int PRIMARY KEY, payload json DEFAULT '{}', data jsonb);
RESET ROLE;

CREATE TEMP TABLE statements (number serial, statement text);
INSERT INTO statements (statement) VALUES
  ('TABLE event_schemas'),
  ('TABLE event_upcasts'),
  ('TABLE event_quarantine'),
  ('TABLE event_quarantine_counts'),
  ('TABLE event_enforcement'),
  ('SELECT * FROM event_schema_usage()'),
  ('TABLE event_progress'),
  ('TABLE event_validation_stats'),
  ('TABLE event_validation_stats_history'),
  ('TABLE event_validation_stats_daily'),
  ('TABLE event_validation_failures'),
  ('TABLE event_validation_stats_info'),
  ('SELECT event_schema_docs(''internals'')'),
  ('SELECT event_asyncapi(cloudevents => ''binary'')'),
  ('SELECT event_openapi()'),
  ('INSERT INTO guarded VALUES (1, ''{"a": 1}'', ''internals'', 1)'),
  ('SELECT add_event_guard(''guarded'', ''warn'')'),
  ('SELECT * FROM set_event_guard_mode(''guarded'', ''warn'')'),
  ('SELECT drop_event_guard(''guarded'')'),
  ('SELECT * FROM known'),
  ('SELECT create_event_view(''new'', ''events'', ''internals'', 1)'),
  ('SELECT create_event_view(''known'', ''events'', ''internals'', 1)'),
  ('SELECT create_event_view(''latest'', ''events'', ''internals.raised'')'),
  ('SELECT event_audit_query(''events'', ''data'', ''event_type'', ''schema_version'', 5)'),
  ('SELECT * FROM audit_events(''events'')'),
  ('SELECT * FROM audit_events(''texts'', ''payload'')'),
  ('SELECT add_event_check(''events'')'),
  ('SELECT add_event_check(''events'', audit => true)'),
  ('SELECT validate_event_check(''checked'')'),
  ('SELECT drop_event_check(''checked'')'),
  ('SELECT drop_event_check(''events'')'),
  ('SELECT * FROM event_column_conflicts(''texts'', ''payload'', ''data'')'),
  ('SELECT standardize_event_column(''texts'', ''payload'', view_name => ''old_texts'')'),
  ('SELECT standardize_event_column(''doubled'', ''payload'', view_name => ''old_doubled'')'),
  -- merge_event_column without its commits
  ('DO $merge$
DECLARE
  filled bigint := 0;
BEGIN
  PERFORM _event_validate.check_merge_arguments(''texts'', ''payload'', ''data'', 10);
  IF NOT _event_validate.event_column_is_merged(''texts'', ''payload'', ''data'') THEN
    PERFORM _event_validate.run_event_column_step(''texts'', ''payload'', ''data'', ''start'', NULL);
    PERFORM _event_validate.refuse_event_column_conflicts(''texts'', ''payload'', ''data'');
    SELECT _event_validate.fill_event_column(p, ''texts'', ''payload'', ''data'', 0, _event_validate.event_column_next_block(p, 0, _event_validate.event_column_blocks(p), 10))
      INTO filled FROM unnest(_event_validate.event_column_parts(''texts'')) AS p;
    PERFORM _event_validate.set_progress_pages(''texts'', 0, 1, filled);
    PERFORM _event_validate.run_event_column_step(''texts'', ''payload'', ''data'', ''check'', NULL);
    SET CONSTRAINTS ALL IMMEDIATE;
    PERFORM _event_validate.validate_event_columns(''texts'');
    PERFORM _event_validate.run_event_column_step(''texts'', ''payload'', ''data'', ''switch'', ''{internals,old_texts}'');
  END IF;
  IF filled <> 3 THEN RAISE ''%'', filled; END IF;
END $merge$'),
  -- event_foreign_enforcement without postgres_fdw
  ('SELECT _event_validate.ask_foreign_server(oid, ''{}'', 10) FROM pg_foreign_server WHERE srvname = ''regress_internals_server'''),
  ('SELECT * FROM check_event_upgrade(''events'', ''internals'', 1, 2)'),
  ('SELECT * FROM check_event_upgrade(''events'', ''internals.raised'', 1, 2)'),
  ('SELECT * FROM check_event_upgrade(''constrained'', ''internals'', 1, 2)'),
  ('SELECT * FROM check_event_upgrade(''texts'', ''internals'', 1, 2, ''payload'')'),
  ('SELECT * FROM check_event_upgrade(''texts'', ''internals.raised'', 1, 2, ''payload'')'),
  ('CALL migrate_events(''events'', ''internals.raised'', 1, 2)');

-- Runs a statement as the role and rolls it back.  Returns its error.
CREATE FUNCTION pg_temp.error_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  SET LOCAL ROLE regress_internals;
  EXECUTE statement;
  RAISE SQLSTATE 'EV000';
EXCEPTION
  WHEN SQLSTATE 'EV000' THEN RETURN NULL;
  WHEN OTHERS THEN RETURN SQLSTATE || ': ' || SQLERRM;
END $$;

-- the errors that they have in any case: a right that the role does not have, an old
-- row that is not valid, and a procedure that commits; not those of a server that did
-- not preload the library
SELECT statement, error FROM statements, pg_temp.error_of(statement) AS error
WHERE error IS NOT NULL AND error NOT LIKE '55000: there are no statistics of validations%' ORDER BY number;

-- Takes all internal functions from PUBLIC, and gives back those that a statement
-- cannot run without, one after the other.
CREATE TEMP TABLE functions AS
  SELECT oid::regprocedure AS function, proname, has_function_privilege('public', oid, 'EXECUTE') AS public, NULL::text AS needed_by
  FROM pg_proc WHERE pronamespace = '_event_validate'::regnamespace;
CREATE FUNCTION pg_temp.give_back() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  missing CONSTANT text := '^42501: permission denied for (?:function|aggregate) (?:_event_validate\.)?(\w+)$';
  wanted text;
  name text;
  candidate regprocedure;
  next_name text;
BEGIN
  FOR wanted IN SELECT statement FROM statements ORDER BY number LOOP
    name := substring(pg_temp.error_of(wanted) FROM missing);
    WHILE name IS NOT NULL LOOP
      FOR candidate IN SELECT function FROM functions WHERE proname = name AND needed_by IS NULL ORDER BY 1 LOOP
        EXECUTE format('GRANT EXECUTE ON ROUTINE %s TO PUBLIC', candidate);
        next_name := substring(pg_temp.error_of(wanted) FROM missing);
        EXIT WHEN next_name IS DISTINCT FROM name;
        EXECUTE format('REVOKE EXECUTE ON ROUTINE %s FROM PUBLIC', candidate);
      END LOOP;
      IF next_name IS NOT DISTINCT FROM name THEN
        RAISE EXCEPTION '% cannot run', wanted;
      END IF;
      UPDATE functions SET needed_by = wanted WHERE function = candidate;
      name := next_name;
    END LOOP;
  END LOOP;
END $$;
BEGIN;
REVOKE EXECUTE ON ALL ROUTINES IN SCHEMA _event_validate FROM PUBLIC;
SELECT pg_temp.give_back();
\pset format unaligned
SELECT function, public, needed_by FROM functions ORDER BY public, function::text COLLATE "C";
\pset format aligned
SELECT function AS right_or_need_without_the_other FROM functions WHERE public <> (needed_by IS NOT NULL);
ROLLBACK;

DROP SCHEMA internals CASCADE;
SELECT drop_event_schema('internals', v), drop_event_schema('internals.raised', v) FROM generate_series(2, 1, -1) AS v;
DROP FOREIGN DATA WRAPPER regress_internals_wrapper CASCADE;
DROP ROLE regress_internals;
