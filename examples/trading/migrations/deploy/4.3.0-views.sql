-- Deploy trading:4.3.0-views to pg
-- requires: 4.3.0-checks

-- For analytics: every event of a type as version 2, with a column for each
-- property.  A legacy event (version 0) has no upcast: its row is in the view,
-- and its document in the table.

-- Objects of other roles in the schema public or in the search_path match no call here.
SET search_path = pg_catalog, pg_temp;

SELECT trading_migration.alone();

BEGIN;
SET LOCAL client_min_messages = warning;

CREATE SCHEMA IF NOT EXISTS analytics;
COMMENT ON SCHEMA analytics IS 'Events as relations: one view for each type.';

SELECT public.create_event_view('analytics.messages_created'::text, 'public.discord_events'::regclass, 'discord.message.create'::text, 2, 'data'::text, 'event_type'::text, 'schema_version'::text, 'bigint'::regtype);
SELECT public.create_event_view('analytics.messages_updated'::text, 'public.discord_events'::regclass, 'discord.message.update'::text, 2, 'data'::text, 'event_type'::text, 'schema_version'::text, 'bigint'::regtype);
SELECT public.create_event_view('analytics.messages_deleted'::text, 'public.discord_events'::regclass, 'discord.message.delete'::text, 2, 'data'::text, 'event_type'::text, 'schema_version'::text, 'bigint'::regtype);
SELECT public.create_event_view('analytics.channels_changed'::text, 'public.discord_events'::regclass, 'discord.channel'::text, 2, 'data'::text, 'event_type'::text, 'schema_version'::text, 'bigint'::regtype);
SELECT public.create_event_view('analytics.trades'::text, 'public.market_events'::regclass, 'market.trade'::text, 2, 'data'::text, 'event_type'::text, 'schema_version'::text, 'bigint'::regtype);
SELECT public.create_event_view('analytics.quotes'::text, 'public.market_events'::regclass, 'market.quote'::text, 2, 'data'::text, 'event_type'::text, 'schema_version'::text, 'bigint'::regtype);
SELECT public.create_event_view('analytics.bars'::text, 'public.market_events'::regclass, 'market.bar'::text, 2, 'data'::text, 'event_type'::text, 'schema_version'::text, 'bigint'::regtype);
SELECT public.create_event_view('analytics.book_deltas'::text, 'public.market_events'::regclass, 'market.book_delta'::text, 2, 'data'::text, 'event_type'::text, 'schema_version'::text, 'bigint'::regtype);
SELECT public.create_event_view('analytics.signals'::text, 'public.signal_events'::regclass, 'trading.signal'::text, 2, 'data'::text, 'event_type'::text, 'schema_version'::text, 'bigint'::regtype);
SELECT public.create_event_view('analytics.orders_placed'::text, 'public.order_events'::regclass, 'order.placed'::text, 2, 'data'::text, 'event_type'::text, 'schema_version'::text, 'bigint'::regtype);
SELECT public.create_event_view('analytics.orders_updated'::text, 'public.order_events'::regclass, 'order.updated'::text, 2, 'data'::text, 'event_type'::text, 'schema_version'::text, 'bigint'::regtype);
SELECT public.create_event_view('analytics.orders_filled'::text, 'public.order_events'::regclass, 'order.filled'::text, 2, 'data'::text, 'event_type'::text, 'schema_version'::text, 'bigint'::regtype);
SELECT public.create_event_view('analytics.system_log'::text, 'public.system_events'::regclass, 'system.log'::text, 2, 'data'::text, 'event_type'::text, 'schema_version'::text, 'bigint'::regtype);
SELECT public.create_event_view('analytics.ingestion_batches'::text, 'public.ingestion_events'::regclass, 'ingestion.batch'::text, 2, 'data'::text, 'event_type'::text, 'schema_version'::text, 'bigint'::regtype);

COMMIT;
