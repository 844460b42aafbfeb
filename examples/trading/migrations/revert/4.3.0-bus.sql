-- Revert trading:4.3.0-bus from pg

-- The events stay.  Which of them consumers have read is forgotten: stop the
-- listeners first, when they have read to the end (event_bus.lag).

SELECT event_bus.drop_table('public.discord_events');
SELECT event_bus.drop_table('public.market_events');
SELECT event_bus.drop_table('public.signal_events');
SELECT event_bus.drop_table('public.order_events');
SELECT event_bus.drop_table('public.system_events');
SELECT event_bus.drop_table('public.ingestion_events');

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
