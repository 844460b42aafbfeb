-- Deploy trading:4.3.0-guards to pg
-- requires: 4.2.0-messages

-- A first phase that rejects nothing: an invalid event is stored, with a
-- warning for its writer and a record in the quarantine.

-- Objects of other roles in the schema public or in the search_path match no call here.
SET search_path = pg_catalog, pg_temp;

SELECT trading_migration.alone();

BEGIN;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS event_validate SCHEMA public;
CREATE EXTENSION IF NOT EXISTS trading_events SCHEMA public;
-- rows that an earlier revert set aside
ALTER TABLE IF EXISTS kept_by_revert.quarantine SET SCHEMA event_schema;
COMMIT;

SELECT public.add_event_guard('public.discord_events'::regclass, 'warn'::text, 'data'::text, 'event_type'::text, 'schema_version'::text, NULL::text, NULL::text[]);
SELECT public.add_event_guard('public.market_events'::regclass, 'warn'::text, 'data'::text, 'event_type'::text, 'schema_version'::text, NULL::text, NULL::text[]);
SELECT public.add_event_guard('public.signal_events'::regclass, 'warn'::text, 'data'::text, 'event_type'::text, 'schema_version'::text, NULL::text, NULL::text[]);
SELECT public.add_event_guard('public.order_events'::regclass, 'warn'::text, 'data'::text, 'event_type'::text, 'schema_version'::text, NULL::text, NULL::text[]);
SELECT public.add_event_guard('public.system_events'::regclass, 'warn'::text, 'data'::text, 'event_type'::text, 'schema_version'::text, NULL::text, NULL::text[]);
SELECT public.add_event_guard('public.ingestion_events'::regclass, 'warn'::text, 'data'::text, 'event_type'::text, 'schema_version'::text, NULL::text, NULL::text[]);
SELECT public.add_event_guard('public.discord_messages'::regclass, 'warn'::text, 'data'::text, 'event_type'::text, 'schema_version'::text, NULL::text, NULL::text[]);
