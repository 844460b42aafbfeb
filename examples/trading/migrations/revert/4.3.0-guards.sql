-- Revert trading:4.3.0-guards from pg

SELECT drop_event_guard('public.discord_events');
SELECT drop_event_guard('public.market_events');
SELECT drop_event_guard('public.signal_events');
SELECT drop_event_guard('public.order_events');
SELECT drop_event_guard('public.system_events');
SELECT drop_event_guard('public.ingestion_events');
SELECT drop_event_guard('public.discord_messages');

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
