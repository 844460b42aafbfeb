-- Verify trading:4.3.0-guards on pg

-- Objects of other roles in the schema public or in the search_path match no call here.
SET search_path = pg_catalog, pg_temp;

BEGIN;

SELECT 1 / (count(*) = 7)::int FROM pg_trigger
WHERE tgname = 'zzz_event_guard' AND tgenabled <> 'D' AND tgrelid IN (
    'public.discord_events'::regclass,
    'public.market_events'::regclass,
    'public.signal_events'::regclass,
    'public.order_events'::regclass,
    'public.system_events'::regclass,
    'public.ingestion_events'::regclass,
    'public.discord_messages'::regclass);
SELECT id, row, violations FROM event_schema.quarantine WHERE false;

ROLLBACK;
