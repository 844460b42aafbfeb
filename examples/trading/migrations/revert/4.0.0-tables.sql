-- Revert trading:4.0.0-tables from pg

-- Before 4.0.0 there were no tables, and reverting must not lose a row: a
-- table with rows stays, and the next deployment uses it unchanged.

-- Objects of other roles in the schema public or in the search_path match no call here.
SET search_path = pg_catalog, pg_temp;

BEGIN;

DO $$ BEGIN PERFORM pg_catalog.pg_advisory_xact_lock(1414676804, 4); END $$;

DO $$
DECLARE
    relation text;
    filled boolean;
BEGIN
    FOREACH relation IN ARRAY ARRAY['parsed_levels', 'trade_setups', 'discord_messages', 'discord_channels', 'discord_events',
        'market_events', 'signal_events', 'order_events', 'system_events', 'ingestion_events']
    LOOP
        CONTINUE WHEN to_regclass(format('public.%I', relation)) IS NULL;
        EXECUTE format('SELECT EXISTS (SELECT FROM public.%I)', relation) INTO filled;
        IF filled THEN
            RAISE NOTICE 'table % has rows and stays; drop it yourself if you do not need it', relation;
        ELSE
            EXECUTE format('DROP TABLE public.%I', relation);
        END IF;
    END LOOP;
END
$$;

COMMIT;
