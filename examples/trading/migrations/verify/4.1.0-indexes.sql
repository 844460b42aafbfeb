-- Verify trading:4.1.0-indexes on pg

-- Objects of other roles in the schema public or in the search_path match no call here.
SET search_path = pg_catalog, pg_temp;

BEGIN;

-- All exist and are valid; otherwise this is a division by zero.  (4.2.0 has
-- indexes with the same names on its event tables.)
SELECT 1 / (count(*) = 16)::int
FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid
WHERE i.indisvalid AND c.relnamespace = 'public'::regnamespace AND c.relname IN (
    'discord_messages_channel_author_time',
    'discord_messages_channel_time',
    'discord_channels_guild',
    'trade_setups_ticker',
    'parsed_levels_setup',
    'trade_setups_source_message',
    'discord_events_type_time',
    'signal_events_type_time',
    'order_events_type_time',
    'order_events_data',
    'discord_events_correlation',
    'market_events_correlation',
    'signal_events_correlation',
    'order_events_correlation',
    'system_events_correlation',
    'ingestion_events_correlation');

ROLLBACK;
