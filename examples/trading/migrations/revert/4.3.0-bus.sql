-- Revert trading:4.3.0-bus from pg

-- The events stay.  The consumers' positions are lost: stop the listeners
-- first, after they have read everything (event_bus.lag).

-- Objects of other roles in the schema public or in the search_path match no call here.
SET search_path = pg_catalog, pg_temp;

-- (not at the same time as another migration)
DO $$
BEGIN
    IF to_regprocedure('trading_migration.alone()') IS NOT NULL THEN
        PERFORM trading_migration.alone();
    END IF;
END
$$;

DO $$
DECLARE
    relation text;
BEGIN
    -- (if this ran before, it no longer exists)
    IF to_regprocedure('event_bus.drop_table(regclass)') IS NOT NULL THEN
        FOREACH relation IN ARRAY ARRAY['discord_events', 'market_events', 'signal_events', 'order_events', 'system_events', 'ingestion_events'] LOOP
            PERFORM event_bus.drop_table(to_regclass(format('public.%I', relation)));
            COMMIT;
        END LOOP;
    END IF;
END
$$;

DROP FUNCTION IF EXISTS public.event_tree(uuid);
DROP VIEW IF EXISTS event_bus.events, event_bus.status, event_bus.lag;
DROP FUNCTION IF EXISTS event_bus.prune(interval);
DROP FUNCTION IF EXISTS event_bus.fetch_dead_letters(text, int, jsonb);
DROP FUNCTION IF EXISTS event_bus.acknowledge(text, bigint, bigint);
DROP FUNCTION IF EXISTS event_bus.fetch(text, int, jsonb);
DROP FUNCTION IF EXISTS event_bus.load(bigint[], text[], bigint[], text[], jsonb);
DROP FUNCTION IF EXISTS event_bus.upcast(jsonb, text, int, int);
DROP FUNCTION IF EXISTS event_bus.latest_version(text, int);
DROP FUNCTION IF EXISTS event_bus.add_consumer(text, text, regclass[], text[]);
DROP FUNCTION IF EXISTS event_bus.advance(int);
DROP FUNCTION IF EXISTS event_bus.publish();
DROP TABLE IF EXISTS event_bus.dead_letters, event_bus.consumers, event_bus.log, event_bus.outbox;
DROP FUNCTION IF EXISTS event_bus.add_table(regclass);
DROP FUNCTION IF EXISTS event_bus.drop_table(regclass);
DROP FUNCTION IF EXISTS event_bus.rename_table(text, regclass);
DROP FUNCTION IF EXISTS event_bus.forget_table(text);
DROP SCHEMA IF EXISTS event_bus;
