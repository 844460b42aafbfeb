-- Deploy trading:4.1.0-indexes to pg
-- requires: 4.1.0-constraints

-- CONCURRENTLY: nobody waits.  An index that an earlier try left unfinished is
-- built anew.

SET client_min_messages = warning;

-- Messages of an author in a channel, and of a channel since a time.
DROP INDEX CONCURRENTLY IF EXISTS public.discord_messages_channel_author_time;
CREATE INDEX CONCURRENTLY discord_messages_channel_author_time ON public.discord_messages (channel_id, author_id, created_at);
DROP INDEX CONCURRENTLY IF EXISTS public.discord_messages_channel_time;
CREATE INDEX CONCURRENTLY discord_messages_channel_time ON public.discord_messages (channel_id, created_at);

DROP INDEX CONCURRENTLY IF EXISTS public.discord_channels_guild;
CREATE INDEX CONCURRENTLY discord_channels_guild ON public.discord_channels (guild_id);
DROP INDEX CONCURRENTLY IF EXISTS public.trade_setups_ticker;
CREATE INDEX CONCURRENTLY trade_setups_ticker ON public.trade_setups (ticker);
DROP INDEX CONCURRENTLY IF EXISTS public.parsed_levels_setup;
CREATE INDEX CONCURRENTLY parsed_levels_setup ON public.parsed_levels (setup_id);
-- for the foreign key: a message that is deleted looks for its setups
DROP INDEX CONCURRENTLY IF EXISTS public.trade_setups_source_message;
CREATE INDEX CONCURRENTLY trade_setups_source_message ON public.trade_setups (source_message_id) WHERE source_message_id IS NOT NULL;

-- Events by type and time, where there is a type.
DROP INDEX CONCURRENTLY IF EXISTS public.discord_events_type_time;
CREATE INDEX CONCURRENTLY discord_events_type_time ON public.discord_events (event_type, recorded_at);
DROP INDEX CONCURRENTLY IF EXISTS public.signal_events_type_time;
CREATE INDEX CONCURRENTLY signal_events_type_time ON public.signal_events (event_type, recorded_at);
DROP INDEX CONCURRENTLY IF EXISTS public.order_events_type_time;
CREATE INDEX CONCURRENTLY order_events_type_time ON public.order_events (event_type, recorded_at);

-- Orders by content (data @> '{"symbol": ...}').  The other documents that are
-- searched are no jsonb yet: 4.2.0 has their indexes.
DROP INDEX CONCURRENTLY IF EXISTS public.order_events_data;
CREATE INDEX CONCURRENTLY order_events_data ON public.order_events USING gin (data jsonb_path_ops);

-- What belongs together.
DROP INDEX CONCURRENTLY IF EXISTS public.discord_events_correlation;
CREATE INDEX CONCURRENTLY discord_events_correlation ON public.discord_events (correlation_id) WHERE correlation_id IS NOT NULL;
DROP INDEX CONCURRENTLY IF EXISTS public.market_events_correlation;
CREATE INDEX CONCURRENTLY market_events_correlation ON public.market_events (correlation_id) WHERE correlation_id IS NOT NULL;
DROP INDEX CONCURRENTLY IF EXISTS public.signal_events_correlation;
CREATE INDEX CONCURRENTLY signal_events_correlation ON public.signal_events (correlation_id) WHERE correlation_id IS NOT NULL;
DROP INDEX CONCURRENTLY IF EXISTS public.order_events_correlation;
CREATE INDEX CONCURRENTLY order_events_correlation ON public.order_events (correlation_id) WHERE correlation_id IS NOT NULL;
DROP INDEX CONCURRENTLY IF EXISTS public.system_events_correlation;
CREATE INDEX CONCURRENTLY system_events_correlation ON public.system_events (correlation_id) WHERE correlation_id IS NOT NULL;
DROP INDEX CONCURRENTLY IF EXISTS public.ingestion_events_correlation;
CREATE INDEX CONCURRENTLY ingestion_events_correlation ON public.ingestion_events (correlation_id) WHERE correlation_id IS NOT NULL;

RESET client_min_messages;
