-- Revert trading:4.1.0-constraints from pg

-- Drops the rules and restores the rows.  If the application has changed or
-- deleted a repaired row since then, that change stays, and a NOTICE counts
-- such rows.  New rows need no change: 4.0.0 accepts anything.

-- Objects of other roles in the schema public or in the search_path match no call here.
SET search_path = pg_catalog, pg_temp;

SELECT trading_migration.alone();

SET trading_migration.working = on;
SET default_transaction_isolation = 'read committed';

SELECT trading_migration.briefly($$
    ALTER TABLE public.discord_channels
        DROP CONSTRAINT IF EXISTS discord_channels_id_format, DROP CONSTRAINT IF EXISTS discord_channels_guild_id_format,
        DROP CONSTRAINT IF EXISTS discord_channels_name_set, DROP CONSTRAINT IF EXISTS discord_channels_name_length,
        DROP CONSTRAINT IF EXISTS discord_channels_topic_length, DROP CONSTRAINT IF EXISTS discord_channels_type_set,
        DROP CONSTRAINT IF EXISTS discord_channels_type_known,
        ALTER name DROP NOT NULL, ALTER type DROP NOT NULL
$$);
SELECT trading_migration.briefly($$
    ALTER TABLE public.parsed_levels
        DROP CONSTRAINT IF EXISTS parsed_levels_essentials_set, DROP CONSTRAINT IF EXISTS parsed_levels_type_known,
        DROP CONSTRAINT IF EXISTS parsed_levels_price_positive, DROP CONSTRAINT IF EXISTS parsed_levels_setup,
        ALTER setup_id DROP NOT NULL, ALTER level_type DROP NOT NULL, ALTER price DROP NOT NULL
$$);
SELECT trading_migration.briefly($$
    ALTER TABLE public.trade_setups
        DROP CONSTRAINT IF EXISTS trade_setups_essentials_set, DROP CONSTRAINT IF EXISTS trade_setups_ticker_format,
        DROP CONSTRAINT IF EXISTS trade_setups_source_message,
        ALTER ticker DROP NOT NULL, ALTER setup_date DROP NOT NULL
$$);
SELECT trading_migration.briefly($$
    ALTER TABLE public.discord_messages
        DROP CONSTRAINT IF EXISTS discord_messages_essentials_set, DROP CONSTRAINT IF EXISTS discord_messages_id_format,
        DROP CONSTRAINT IF EXISTS discord_messages_content_length, DROP CONSTRAINT IF EXISTS discord_messages_structure,
        ALTER message_id DROP NOT NULL, ALTER channel_id DROP NOT NULL, ALTER author_id DROP NOT NULL,
        ALTER content DROP NOT NULL, ALTER created_at DROP NOT NULL, ALTER raw_event DROP NOT NULL
$$);
CALL trading_migration.briefly_each(ARRAY['discord_events', 'market_events', 'signal_events', 'order_events', 'system_events', 'ingestion_events'], $$
    ALTER TABLE public.%1$I
        DROP CONSTRAINT IF EXISTS %1$s_essentials_set, DROP CONSTRAINT IF EXISTS %1$s_structure,
        ALTER event_id DROP NOT NULL, ALTER recorded_at DROP NOT NULL
$$);

SET client_min_messages = warning;
DROP INDEX CONCURRENTLY IF EXISTS public.discord_messages_message_id;
DROP INDEX CONCURRENTLY IF EXISTS public.discord_events_event_id;
DROP INDEX CONCURRENTLY IF EXISTS public.market_events_event_id;
DROP INDEX CONCURRENTLY IF EXISTS public.signal_events_event_id;
DROP INDEX CONCURRENTLY IF EXISTS public.order_events_event_id;
DROP INDEX CONCURRENTLY IF EXISTS public.system_events_event_id;
DROP INDEX CONCURRENTLY IF EXISTS public.ingestion_events_event_id;
RESET client_min_messages;

BEGIN;

DO $$
DECLARE
    relation text;
    columns text;
    assignments text;
    unchanged text;
    total bigint;
    back bigint;
BEGIN
    -- (if this ran before, they are restored already)
    IF to_regnamespace('before_4_1_0') IS NULL THEN
        RETURN;
    END IF;
    FOREACH relation IN ARRAY ARRAY['discord_channels', 'discord_messages', 'trade_setups', 'parsed_levels', 'discord_events',
        'market_events', 'signal_events', 'order_events', 'system_events', 'ingestion_events']
    LOOP
        SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) INTO columns
        FROM pg_attribute WHERE attrelid = format('public.%I', relation)::regclass AND attnum > 0 AND NOT attisdropped;
        EXECUTE format('INSERT INTO public.%1$I (%2$s) OVERRIDING SYSTEM VALUE SELECT %2$s FROM before_4_1_0.%1$I WHERE kept_as = ''moved'' ORDER BY id',
            relation, columns);
        -- column by column: values that the repair wrote become the original
        -- ones
        SELECT string_agg(format('%1$I = CASE WHEN %2$s THEN k.%1$I ELSE t.%1$I END', attname, same), ', '), string_agg(same, ' AND ')
        INTO assignments, unchanged
        FROM pg_attribute, LATERAL (SELECT format(
            'CASE WHEN k.repaired ? %1$L THEN coalesce(nullif(k.repaired -> %1$L, ''null''), ''null'') = coalesce(to_jsonb(t.%1$I), ''null'') ELSE true END', attname)) AS s (same)
        WHERE attrelid = format('public.%I', relation)::regclass AND attnum > 0 AND NOT attisdropped
            AND attname = ANY (CASE relation
                WHEN 'discord_channels' THEN ARRAY['name', 'topic', 'guild_id', 'type']
                WHEN 'discord_messages' THEN ARRAY['message_id', 'channel_id', 'author_id', 'content', 'created_at', 'raw_event']
                WHEN 'trade_setups' THEN ARRAY['ticker', 'setup_date', 'source_message_id']
                ELSE ARRAY['event_id', 'recorded_at'] END);
        IF relation <> 'parsed_levels' THEN
            EXECUTE format('SELECT count(*) FROM before_4_1_0.%1$I WHERE kept_as = ''repaired''', relation) INTO total;
            EXECUTE format('SELECT count(*) FROM before_4_1_0.%1$I AS k JOIN public.%1$I AS t USING (id) WHERE k.kept_as = ''repaired'' AND %2$s',
                relation, unchanged) INTO back;
            EXECUTE format('UPDATE public.%1$I AS t SET %2$s FROM before_4_1_0.%1$I AS k WHERE k.id = t.id AND k.kept_as = ''repaired''',
                relation, assignments);
            IF back < total THEN
                RAISE NOTICE '%: % repaired rows were changed or deleted since; these changes stay', relation, total - back;
            END IF;
        END IF;
    END LOOP;
END
$$;

SET LOCAL client_min_messages = warning;
DROP SCHEMA IF EXISTS before_4_1_0 CASCADE;
-- (of an unfinished deployment)
DROP PROCEDURE IF EXISTS trading_migration.repair_discord_events();
DROP PROCEDURE IF EXISTS trading_migration.repair_market_events();
DROP PROCEDURE IF EXISTS trading_migration.repair_signal_events();
DROP PROCEDURE IF EXISTS trading_migration.repair_order_events();
DROP PROCEDURE IF EXISTS trading_migration.repair_system_events();
DROP PROCEDURE IF EXISTS trading_migration.repair_ingestion_events();
DELETE FROM trading_migration.checksums WHERE release = '4.1.0';
DELETE FROM trading_migration.changed WHERE release = '4.1.0';

COMMIT;

CALL trading_migration.briefly_each(ARRAY['discord_channels', 'discord_messages', 'trade_setups', 'parsed_levels', 'discord_events',
    'market_events', 'signal_events', 'order_events', 'system_events', 'ingestion_events'],
    'DROP TRIGGER IF EXISTS zz_watch_4_1_0 ON public.%1$I; DROP TRIGGER IF EXISTS zz_watch_4_1_0_truncate ON public.%1$I');
