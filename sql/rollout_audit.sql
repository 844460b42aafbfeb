-- audit_events: violations in stored events, with counts.
\set SHOW_CONTEXT never
CREATE SCHEMA rollout;
SET search_path = rollout, public;

SELECT register_event_schema('audit.order', 1, '{
  "type": "object", "required": ["id", "symbol"],
  "properties": {
    "id": {"type": "integer"}, "qty": {"exclusiveMinimum": 0},
    "tags": {"items": {"type": "string"}}, "lines": {"items": {"items": {"properties": {"0": {"items": {"maximum": 5}}}}}}
  }
}');
SELECT register_event_schema('audit.deep', 1, '{"$ref": "#/$defs/list", "$defs": {"list": {"type": "array", "items": {"$ref": "#/$defs/list"}}}}');

CREATE TABLE events (id int PRIMARY KEY, event_type text, schema_version int, data jsonb);
SELECT * FROM audit_events('events');
INSERT INTO events VALUES
  (1, 'audit.order', 1, '{"id": 1, "symbol": "A"}'),
  (2, 'audit.order', 1, '{"id": 1}'),
  (3, 'audit.order', 1, '{"qty": 0, "tags": ["a", 1, 2, "b", null]}'),
  (4, 'audit.order', 1, '{"id": 1, "symbol": "A", "qty": -5, "tags": [true]}'),
  (5, 'audit.order', 1, '{"id": 1, "symbol": "A", "lines": [[{"0": [1, 6, 7]}], [1, {"0": [8]}]]}'),
  (6, 'audit.order', 2, '{}'),
  (7, 'audit.other', 1, '{}'),
  (8, NULL, 1, '{}'),
  (9, 'audit.order', NULL, '{}'),
  (10, 'audit.order', 1, NULL),
  (11, 'audit.order', 1, '7'),
  (12, 'audit.order', 1, '{"id": 1, "symbol": "A", "qty": -6}');

-- a keyword at a location is one row, for all values; an index is
-- "*" only where the document has an array
SELECT * FROM audit_events('events');
-- the counts are those of event_violations
SELECT sum(violations) = (SELECT count(*) FROM events, LATERAL event_violations(data, event_type, schema_version)
                          WHERE (event_type, schema_version) = ('audit.order', 1) AND data IS NOT NULL) AS same
FROM audit_events('events') WHERE event_type = 'audit.order' AND schema_version = 1 AND keyword IS NOT NULL AND message <> 'the event''s data is null';
SELECT count(*) = (SELECT count(*) FROM events WHERE NOT validate_event(data, event_type, schema_version)) AS same
FROM (SELECT DISTINCT unnest(sample_ids) FROM audit_events('events', sample_limit => 100)) ids;
-- so are the totals: rows count once, whatever the number of their violations
SELECT rows = (SELECT count(*) FROM events WHERE validate_event(data, event_type, schema_version) IS NOT TRUE) AS same_rows,
  violations = (SELECT sum(violations) FROM audit_events('events') WHERE keyword IS NOT NULL) AS same_violations
FROM audit_events('events') LIMIT 1;
SELECT bool_and(rows = (SELECT count(*) FROM events AS e WHERE validate_event(data, event_type, schema_version) IS NOT TRUE
  AND (e.event_type, e.schema_version) IS NOT DISTINCT FROM (a.event_type, a.schema_version))) AS same_rows
FROM audit_events('events') AS a WHERE message = 'all violations of this type and version';
-- samples
SELECT instance_location, violations, sample_ids FROM audit_events('events', sample_limit => 1) WHERE keyword = 'exclusiveMinimum';
SELECT instance_location, violations, sample_ids FROM audit_events('events', sample_limit => 0) WHERE keyword = 'exclusiveMinimum';
SELECT * FROM audit_events('events', sample_limit => -1);
SELECT * FROM audit_events('events', sample_limit => NULL);
SELECT * FROM audit_events(NULL);

-- a resource limit counts as a violation, and the audit continues
CREATE TABLE deep AS SELECT 1 AS id, 'audit.deep'::varchar(20) AS kind, (repeat('[', 2000) || repeat(']', 2000))::jsonb AS data
  UNION ALL SELECT 2, 'audit.deep', '[[], [1]]' UNION ALL SELECT 3, 'audit.deep', '[]';
SET max_stack_depth = '120kB';
SELECT * FROM audit_events('deep', type_expr => 'kind', version_expr => '1');
\set VERBOSITY terse
SELECT validate_event(data, kind, 1) FROM deep WHERE id = 1;
\set VERBOSITY default
RESET max_stack_depth;

-- columns of other types, and expressions; no row makes the audit fail
CREATE TYPE kind AS ENUM ('audit.order', 'audit.other');
CREATE DOMAIN document AS jsonb;
CREATE TABLE "Legacy Events" ("Payload" text, "select" kind, "Version" smallint, big bigint, body json, doc document,
  PRIMARY KEY (big, "Version"));
INSERT INTO "Legacy Events" VALUES
  ('{"id": 1, "symbol": "A"}', 'audit.order', 1, 1, '{}', '{"id": "1", "symbol": "A"}'),
  ('{"id": 1, "symbol": "A"', 'audit.order', 1, 2, '{"id": 1, "symbol": "\u0000"}', '1'),
  ('"\u0000"', 'audit.other', 2, 5000000000, '{"id": 1e1000000}', NULL);
SELECT * FROM audit_events('"Legacy Events"', 'Payload', 'select', 'Version');
SELECT * FROM audit_events('"Legacy Events"', 'body', '"select"', '"Version" + 0');
SELECT * FROM audit_events('"Legacy Events"', 'doc', $$'audit.' || 'order'$$, '1');
SELECT event_type, schema_version, message FROM audit_events('"Legacy Events"', 'Payload', 'select', 'big');

-- names of rows: the primary key, or the ctid; partitions and children
CREATE TABLE heap (data jsonb);
INSERT INTO heap VALUES ('1');
SELECT sample_ids FROM audit_events('heap', 'data', $$'audit.order'$$, '1');
CREATE TABLE parted (data jsonb, at int) PARTITION BY RANGE (at);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (10);
CREATE TABLE parted_2 PARTITION OF parted FOR VALUES FROM (10) TO (20);
INSERT INTO parted VALUES ('1', 1), ('1', 11), ('{"id": 1, "symbol": "A"}', 12);
SELECT violations, sample_ids FROM audit_events('parted', 'data', $$'audit.order'$$, '1');
SELECT violations, sample_ids FROM audit_events('parted_2', 'data', $$'audit.order'$$, '1');
CREATE TABLE child () INHERITS (heap);
INSERT INTO child VALUES ('2');
SELECT violations, sample_ids FROM audit_events('heap', 'data', $$'audit.order'$$, '1');
CREATE VIEW seen AS SELECT data AS d FROM heap;
SELECT violations, sample_ids FROM audit_events('seen', 'd', $$'audit.order'$$, '1');
CREATE SEQUENCE numbers;
SELECT * FROM audit_events('numbers');

-- invalid expressions
SELECT * FROM audit_events('events', 'payload');
SELECT * FROM audit_events('events', 'id');
SELECT * FROM audit_events('events', 'data', 'id');
SELECT * FROM audit_events('events', 'data', 'event_type', 'event_type');
SELECT * FROM audit_events('events', 'data, data');
SELECT * FROM audit_events('events', 'data FROM events; DROP TABLE events');
SELECT * FROM audit_events('events', '(SELECT data)');
SELECT * FROM audit_events('events', 'max(data::text)::jsonb');
SELECT * FROM audit_events('events', '');
SELECT * FROM audit_events('events', '*');
-- comments in expressions
SELECT count(*) FROM audit_events('events', 'data --', 'event_type /* type */');

-- with row security an audit is refused, since rows would be hidden
CREATE ROLE regress_auditor;
GRANT USAGE ON SCHEMA rollout TO regress_auditor;
SET ROLE regress_auditor;
SELECT count(*) FROM audit_events('events');
RESET ROLE;
GRANT SELECT ON events TO regress_auditor;
ALTER TABLE events ENABLE ROW LEVEL SECURITY;
CREATE POLICY a_few ON events USING (id < 5);
SET ROLE regress_auditor;
SELECT count(*) FROM audit_events('events');
RESET ROLE;
SELECT count(*) FROM audit_events('events');
ALTER TABLE events DISABLE ROW LEVEL SECURITY;
SET ROLE regress_auditor;
SELECT count(*) FROM audit_events('events');
RESET ROLE;

-- parallel workers give the same result
CREATE TABLE many AS SELECT i AS id, 'audit.order' AS event_type, 1 AS schema_version,
  CASE WHEN i % 1000 = 0 THEN '{"qty": 0, "tags": [1, 2]}' ELSE '{"id": 1, "symbol": "A"}' END::jsonb AS data
  FROM generate_series(1, 30000) AS i;
ANALYZE many;
SET min_parallel_table_scan_size = 0;
SET parallel_setup_cost = 0;
SET max_parallel_workers_per_gather = 2;
SELECT event_audit_query('many', 'data', 'event_type', 'schema_version', 3) AS query \gset
CREATE FUNCTION plan_nodes(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
  line text;
BEGIN
  FOR line IN EXECUTE 'EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF, BUFFERS OFF) ' || query LOOP
    RETURN NEXT substring(line FROM '(Finalize|Partial|Workers Launched: \d|Gather|Parallel Seq Scan)');
  END LOOP;
END
$$;
SELECT DISTINCT node FROM plan_nodes(:'query') AS node WHERE node IS NOT NULL ORDER BY node;
SELECT instance_location, keyword, message, rows, violations, cardinality(sample_ids) FROM audit_events('many', sample_limit => 3);
SET max_parallel_workers_per_gather = 0;
SELECT instance_location, keyword, message, rows, violations, cardinality(sample_ids) FROM audit_events('many', sample_limit => 3);
RESET min_parallel_table_scan_size;
RESET parallel_setup_cost;
RESET max_parallel_workers_per_gather;

SET client_min_messages = warning;
DROP SCHEMA rollout CASCADE;
DROP OWNED BY regress_auditor;
DROP ROLE regress_auditor;
SELECT count(drop_event_schema(event_type, schema_version)) FROM event_schemas WHERE event_type LIKE 'audit.%';

-- the transition function of the aggregate, called directly
SELECT _event_validate.event_audit_sample_add(NULL, 'a', 5), _event_validate.event_audit_sample_add('{a}', 'b', NULL), _event_validate.event_audit_sample_add('{a}', 'b', 5);
