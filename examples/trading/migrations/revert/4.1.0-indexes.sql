-- Revert trading:4.1.0-indexes from pg

-- Objects of other roles in the schema public or in the search_path match no call here.
SET search_path = pg_catalog, pg_temp;

SELECT trading_migration.alone();

SET client_min_messages = warning;

DROP INDEX CONCURRENTLY IF EXISTS public.discord_messages_channel_author_time;
DROP INDEX CONCURRENTLY IF EXISTS public.discord_messages_channel_time;
DROP INDEX CONCURRENTLY IF EXISTS public.discord_channels_guild;
DROP INDEX CONCURRENTLY IF EXISTS public.trade_setups_ticker;
DROP INDEX CONCURRENTLY IF EXISTS public.parsed_levels_setup;
DROP INDEX CONCURRENTLY IF EXISTS public.trade_setups_source_message;
DROP INDEX CONCURRENTLY IF EXISTS public.discord_events_type_time;
DROP INDEX CONCURRENTLY IF EXISTS public.signal_events_type_time;
DROP INDEX CONCURRENTLY IF EXISTS public.order_events_type_time;
DROP INDEX CONCURRENTLY IF EXISTS public.order_events_data;
DROP INDEX CONCURRENTLY IF EXISTS public.discord_events_correlation;
DROP INDEX CONCURRENTLY IF EXISTS public.market_events_correlation;
DROP INDEX CONCURRENTLY IF EXISTS public.signal_events_correlation;
DROP INDEX CONCURRENTLY IF EXISTS public.order_events_correlation;
DROP INDEX CONCURRENTLY IF EXISTS public.system_events_correlation;
DROP INDEX CONCURRENTLY IF EXISTS public.ingestion_events_correlation;

RESET client_min_messages;
