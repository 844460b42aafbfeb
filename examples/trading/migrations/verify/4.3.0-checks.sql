-- Verify trading:4.3.0-checks on pg

-- Objects of other roles in the schema public or in the search_path match no call here.
SET search_path = pg_catalog, pg_temp;

BEGIN;

-- Every table has its check, validated; otherwise this is a division by zero.
SELECT 1 / (count(*) = 7)::int FROM pg_constraint
WHERE contype = 'c' AND convalidated AND conname = (SELECT relname || '_valid' FROM pg_class WHERE oid = conrelid)
    AND conrelid IN (
    'public.discord_events'::regclass,
    'public.market_events'::regclass,
    'public.signal_events'::regclass,
    'public.order_events'::regclass,
    'public.system_events'::regclass,
    'public.ingestion_events'::regclass,
    'public.discord_messages'::regclass);
SELECT 1 / (count(*) = 0)::int FROM pg_constraint
WHERE conname LIKE '%\_structure' AND connamespace = 'public'::regnamespace;

-- Moved rows are in no table any more.
SELECT 1 / (count(*) = 0)::int FROM before_4_3_0.discord_events AS k JOIN public.discord_events AS e USING (id) WHERE k.kept_as = 'moved';
SELECT 1 / (count(*) = 0)::int FROM before_4_3_0.market_events AS k JOIN public.market_events AS e USING (id) WHERE k.kept_as = 'moved';
SELECT 1 / (count(*) = 0)::int FROM before_4_3_0.signal_events AS k JOIN public.signal_events AS e USING (id) WHERE k.kept_as = 'moved';
SELECT 1 / (count(*) = 0)::int FROM before_4_3_0.order_events AS k JOIN public.order_events AS e USING (id) WHERE k.kept_as = 'moved';
SELECT 1 / (count(*) = 0)::int FROM before_4_3_0.system_events AS k JOIN public.system_events AS e USING (id) WHERE k.kept_as = 'moved';
SELECT 1 / (count(*) = 0)::int FROM before_4_3_0.ingestion_events AS k JOIN public.ingestion_events AS e USING (id) WHERE k.kept_as = 'moved';
SELECT 1 / (count(*) = 0)::int FROM before_4_3_0.discord_messages AS k JOIN public.discord_messages AS e USING (id) WHERE k.kept_as = 'moved';

ROLLBACK;
