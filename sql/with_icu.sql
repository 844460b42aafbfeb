-- What needs a PostgreSQL with ICU.  with_icu_1.out is for one without.
SELECT count(*) = 0 AS without FROM pg_collation WHERE collprovider = 'i' AND collname NOT IN ('unicode', 'und-x-icu') \gset
\if :without
\quit
\endif
CREATE SCHEMA with_icu;
SELECT register_event_schema('collated', 1, '{"properties": {"symbol": {"type": "string"}}}');
CREATE COLLATION with_icu.ignore_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
-- types are equal if their bytes are
CREATE TABLE with_icu.loose (event_type text COLLATE with_icu.ignore_case, schema_version int, data jsonb);
INSERT INTO with_icu.loose VALUES ('collated', 1, '{"symbol": "one"}'), ('COLLATED', 1, '{"symbol": "two"}');
SELECT create_event_view('collated', 'with_icu.loose', 'collated');
SELECT symbol FROM with_icu.collated;
-- another type's view is not replaced
SELECT register_event_schema('Collated', 1, 'true');
SELECT create_event_view('collated', 'with_icu.loose', 'Collated');
-- a version that is found by its type's bytes, in a guard and in a CHECK
SELECT add_event_guard('with_icu.loose', 'enforce');
INSERT INTO with_icu.loose VALUES ('collated', 1, '{"symbol": 1}');
INSERT INTO with_icu.loose VALUES ('COLLATED', 1, '{"symbol": "three"}');
SET client_min_messages = warning;
DROP SCHEMA with_icu CASCADE;
RESET client_min_messages;
SELECT drop_event_schema('collated', 1), drop_event_schema('Collated', 1);
