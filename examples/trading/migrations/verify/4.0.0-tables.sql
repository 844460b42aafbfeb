-- Verify trading:4.0.0-tables on pg

-- Later migrations change these tables, so this checks only columns that never
-- change.

-- Objects of other roles in the schema public or in the search_path match no call here.
SET search_path = pg_catalog, pg_temp;

BEGIN;

SELECT id, guild_id, name, type, topic FROM public.discord_channels WHERE false;
SELECT id, message_id, channel_id, author_id, content, created_at FROM public.discord_messages WHERE false;
SELECT id, ticker, setup_date, source_message_id, created_at FROM public.trade_setups WHERE false;
SELECT id, setup_id, level_type, price FROM public.parsed_levels WHERE false;
SELECT id, event_id, correlation_id, causation_id, recorded_at FROM public.discord_events WHERE false;
SELECT id, event_id, correlation_id, causation_id, recorded_at FROM public.market_events WHERE false;
SELECT id, event_id, correlation_id, causation_id, recorded_at FROM public.signal_events WHERE false;
SELECT id, event_id, correlation_id, causation_id, recorded_at FROM public.order_events WHERE false;
SELECT id, event_id, correlation_id, causation_id, recorded_at FROM public.system_events WHERE false;
SELECT id, event_id, correlation_id, causation_id, recorded_at FROM public.ingestion_events WHERE false;

ROLLBACK;
