-- Revert trading:4.3.0-guards from pg

SELECT trading_migration.alone();

-- (those that are there: this may be run again where it was stopped)
SELECT drop_event_guard(tgrelid) FROM pg_trigger WHERE tgname = 'zzz_event_guard' AND tgrelid = 'public.discord_events'::regclass;
SELECT drop_event_guard(tgrelid) FROM pg_trigger WHERE tgname = 'zzz_event_guard' AND tgrelid = 'public.market_events'::regclass;
SELECT drop_event_guard(tgrelid) FROM pg_trigger WHERE tgname = 'zzz_event_guard' AND tgrelid = 'public.signal_events'::regclass;
SELECT drop_event_guard(tgrelid) FROM pg_trigger WHERE tgname = 'zzz_event_guard' AND tgrelid = 'public.order_events'::regclass;
SELECT drop_event_guard(tgrelid) FROM pg_trigger WHERE tgname = 'zzz_event_guard' AND tgrelid = 'public.system_events'::regclass;
SELECT drop_event_guard(tgrelid) FROM pg_trigger WHERE tgname = 'zzz_event_guard' AND tgrelid = 'public.ingestion_events'::regclass;
SELECT drop_event_guard(tgrelid) FROM pg_trigger WHERE tgname = 'zzz_event_guard' AND tgrelid = 'public.discord_messages'::regclass;

-- What is in the quarantine stays, elsewhere, and comes back when this is
-- deployed again: so the extension can be dropped.
BEGIN;

DO $$
DECLARE
    rows bigint;
BEGIN
    IF to_regclass('event_schema.quarantine') IS NOT NULL THEN
        SELECT count(*) INTO rows FROM event_schema.quarantine;
        IF rows > 0 THEN
            CREATE SCHEMA IF NOT EXISTS kept_by_revert;
            ALTER TABLE event_schema.quarantine SET SCHEMA kept_by_revert;
            RAISE NOTICE '% rows of the quarantine are in kept_by_revert.quarantine', rows;
        ELSE
            DROP TABLE event_schema.quarantine;
        END IF;
    END IF;
END
$$;

COMMIT;
