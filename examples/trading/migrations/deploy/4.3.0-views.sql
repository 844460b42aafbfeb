-- Deploy trading:4.3.0-views to pg
-- requires: 4.3.0-checks

-- For analytics: every event of a type as version 2 has it, a column for each
-- property.  A legacy event (version 0) has no upcast: its row is there, and
-- its document in the table.

SELECT trading_migration.alone();

BEGIN;
SET LOCAL client_min_messages = warning;

CREATE SCHEMA IF NOT EXISTS analytics;
COMMENT ON SCHEMA analytics IS 'Events as relations: one view for each type.';

SELECT create_event_view('analytics.messages_created', 'public.discord_events', 'discord.message.create', 2);
SELECT create_event_view('analytics.messages_updated', 'public.discord_events', 'discord.message.update', 2);
SELECT create_event_view('analytics.messages_deleted', 'public.discord_events', 'discord.message.delete', 2);
SELECT create_event_view('analytics.channels_changed', 'public.discord_events', 'discord.channel', 2);
SELECT create_event_view('analytics.trades', 'public.market_events', 'market.trade', 2);
SELECT create_event_view('analytics.quotes', 'public.market_events', 'market.quote', 2);
SELECT create_event_view('analytics.bars', 'public.market_events', 'market.bar', 2);
SELECT create_event_view('analytics.book_deltas', 'public.market_events', 'market.book_delta', 2);
SELECT create_event_view('analytics.signals', 'public.signal_events', 'trading.signal', 2);
SELECT create_event_view('analytics.orders_placed', 'public.order_events', 'order.placed', 2);
SELECT create_event_view('analytics.orders_updated', 'public.order_events', 'order.updated', 2);
SELECT create_event_view('analytics.orders_filled', 'public.order_events', 'order.filled', 2);
SELECT create_event_view('analytics.system_log', 'public.system_events', 'system.log', 2);
SELECT create_event_view('analytics.ingestion_batches', 'public.ingestion_events', 'ingestion.batch', 2);

COMMIT;
