-- Deploy trading:4.1.0-indexes to pg
-- requires: 4.1.0-constraints

-- CONCURRENTLY: no session waits.  An index that an earlier attempt left
-- unfinished is built anew; a finished one stays.

-- Objects of other roles in the schema public or in the search_path match no call here.
SET search_path = pg_catalog, pg_temp;

SELECT trading_migration.alone();

-- Refuse to run after the next release has changed the tables: these columns no longer exist.
DO $$
BEGIN
    IF to_regclass('legacy.discord_events') IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state', MESSAGE = 'the tables have the form of release 4.2.0 already',
            HINT = 'Continue with the next changes; if the tool does not know this one, record it: sqitch deploy --log-only, or alembic stamp.';
    END IF;
END
$$;

SET client_min_messages = warning;
SET default_transaction_isolation = 'read committed';
DO $$
BEGIN
    PERFORM set_config(name, greatest(setting::bigint, 262144)::text, false) FROM pg_settings WHERE name = 'maintenance_work_mem';
END
$$;
CALL trading_migration.drop_unfinished();

-- Messages of an author in a channel, and of a channel since a time.
CREATE INDEX CONCURRENTLY IF NOT EXISTS discord_messages_channel_author_time ON public.discord_messages (channel_id, author_id, created_at);
CREATE INDEX CONCURRENTLY IF NOT EXISTS discord_messages_channel_time ON public.discord_messages (channel_id, created_at);

CREATE INDEX CONCURRENTLY IF NOT EXISTS discord_channels_guild ON public.discord_channels (guild_id);
CREATE INDEX CONCURRENTLY IF NOT EXISTS trade_setups_ticker ON public.trade_setups (ticker);
CREATE INDEX CONCURRENTLY IF NOT EXISTS parsed_levels_setup ON public.parsed_levels (setup_id);
-- for the foreign key: deleting a message searches for its setups
CREATE INDEX CONCURRENTLY IF NOT EXISTS trade_setups_source_message ON public.trade_setups (source_message_id) WHERE source_message_id IS NOT NULL;

-- Events by type and time, if the table has a type.
CREATE INDEX CONCURRENTLY IF NOT EXISTS discord_events_type_time ON public.discord_events (event_type, recorded_at);
CREATE INDEX CONCURRENTLY IF NOT EXISTS signal_events_type_time ON public.signal_events (event_type, recorded_at);
CREATE INDEX CONCURRENTLY IF NOT EXISTS order_events_type_time ON public.order_events (event_type, recorded_at);

-- Orders by content (data @> '{"symbol": ...}').  The other documents that are
-- searched are not jsonb yet: 4.2.0 creates their indexes.
CREATE INDEX CONCURRENTLY IF NOT EXISTS order_events_data ON public.order_events USING gin (data jsonb_path_ops);

-- Events that belong together.
CREATE INDEX CONCURRENTLY IF NOT EXISTS discord_events_correlation ON public.discord_events (correlation_id) WHERE correlation_id IS NOT NULL;
CREATE INDEX CONCURRENTLY IF NOT EXISTS market_events_correlation ON public.market_events (correlation_id) WHERE correlation_id IS NOT NULL;
CREATE INDEX CONCURRENTLY IF NOT EXISTS signal_events_correlation ON public.signal_events (correlation_id) WHERE correlation_id IS NOT NULL;
CREATE INDEX CONCURRENTLY IF NOT EXISTS order_events_correlation ON public.order_events (correlation_id) WHERE correlation_id IS NOT NULL;
CREATE INDEX CONCURRENTLY IF NOT EXISTS system_events_correlation ON public.system_events (correlation_id) WHERE correlation_id IS NOT NULL;
CREATE INDEX CONCURRENTLY IF NOT EXISTS ingestion_events_correlation ON public.ingestion_events (correlation_id) WHERE correlation_id IS NOT NULL;

RESET client_min_messages;
