-- Revert trading:4.2.0-fill from pg

-- Objects of other roles in the schema public or in the search_path match no call here.
SET search_path = pg_catalog, pg_temp;

SELECT trading_migration.alone();

-- The tool does not know a change that was stopped.
DO $$
BEGIN
    IF to_regclass('legacy.discord_events') IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state', MESSAGE = 'change 4.2.0-switch is half deployed',
            HINT = 'Finish the deployment and then revert it, or run its own script first: psql -f revert/4.2.0-switch.sql.';
    END IF;
END
$$;

SET default_transaction_isolation = 'read committed';

CALL trading_migration.briefly_each(ARRAY['discord_events', 'market_events', 'signal_events', 'order_events', 'system_events', 'ingestion_events'],
    'DROP TRIGGER IF EXISTS zz_watch_4_2_0 ON public.%1$I; DROP TRIGGER IF EXISTS zz_watch_4_2_0_truncate ON public.%1$I');

BEGIN;
SET LOCAL client_min_messages = warning;

DROP SCHEMA IF EXISTS trading_next CASCADE;
DROP FUNCTION IF EXISTS trading_migration.catch_up(text);
DROP FUNCTION IF EXISTS trading_migration.take_over(text, bigint, bigint, bigint[]);
DROP VIEW IF EXISTS trading_migration.upgraded_discord_events, trading_migration.upgraded_market_events, trading_migration.upgraded_signal_events, trading_migration.upgraded_order_events, trading_migration.upgraded_system_events, trading_migration.upgraded_ingestion_events;
DROP VIEW IF EXISTS trading_migration.merge_conflicts;
DROP TABLE IF EXISTS trading_migration.outcome;
DELETE FROM trading_migration.changed WHERE release = '4.2.0';

COMMIT;
