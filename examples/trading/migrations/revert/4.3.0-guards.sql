-- Revert trading:4.3.0-guards from pg

-- Objects of other roles in the schema public or in the search_path match no call here.
SET search_path = pg_catalog, pg_temp;

SELECT trading_migration.alone();

-- The tool does not know a change that was stopped.
DO $$
BEGIN
    IF to_regnamespace('before_4_3_0') IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state', MESSAGE = 'change 4.3.0-checks is half deployed',
            HINT = 'Finish the deployment and then revert it, or run its own script first: psql -f revert/4.3.0-checks.sql.';
    END IF;
END
$$;

-- (existing ones: this can be run again after it was stopped)
SELECT public.drop_event_guard(tgrelid::regclass) FROM pg_trigger WHERE tgname = 'zzz_event_guard' AND tgrelid = 'public.discord_events'::regclass;
SELECT public.drop_event_guard(tgrelid::regclass) FROM pg_trigger WHERE tgname = 'zzz_event_guard' AND tgrelid = 'public.market_events'::regclass;
SELECT public.drop_event_guard(tgrelid::regclass) FROM pg_trigger WHERE tgname = 'zzz_event_guard' AND tgrelid = 'public.signal_events'::regclass;
SELECT public.drop_event_guard(tgrelid::regclass) FROM pg_trigger WHERE tgname = 'zzz_event_guard' AND tgrelid = 'public.order_events'::regclass;
SELECT public.drop_event_guard(tgrelid::regclass) FROM pg_trigger WHERE tgname = 'zzz_event_guard' AND tgrelid = 'public.system_events'::regclass;
SELECT public.drop_event_guard(tgrelid::regclass) FROM pg_trigger WHERE tgname = 'zzz_event_guard' AND tgrelid = 'public.ingestion_events'::regclass;
SELECT public.drop_event_guard(tgrelid::regclass) FROM pg_trigger WHERE tgname = 'zzz_event_guard' AND tgrelid = 'public.discord_messages'::regclass;

-- The rows of the quarantine are kept elsewhere, and restored by the next
-- deployment: so the extension can be dropped.
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
