-- Deploy trading:4.2.0-extensions to pg
-- requires: 4.1.0-indexes

-- Which version a document is of is asked of the schemas, so they come first.
-- Nothing is validated yet.

-- Whatever others have in the schema public, or in this role's search_path, matches no call here.
SET search_path = pg_catalog, pg_temp;

SELECT trading_migration.alone();

BEGIN;
SET LOCAL client_min_messages = warning;

CREATE EXTENSION IF NOT EXISTS event_validate SCHEMA public;
CREATE EXTENSION IF NOT EXISTS trading_events SCHEMA public;

-- What can be put right in a legacy document without a loss and without a
-- guess: a symbol's $ and lower case, and market data's numbers that are
-- written as strings.  Anything else stays as it is.
CREATE OR REPLACE FUNCTION trading_migration.upcast_legacy(event_type text, data jsonb) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    path text[];
    symbol text;
    name text;
BEGIN
    IF event_type LIKE 'binance.%' OR event_type LIKE 'discord.%' THEN
        RETURN data;
    END IF;
    path := CASE WHEN event_type IN ('order.updated', 'order.filled') THEN ARRAY['order', 'symbol'] ELSE ARRAY['symbol'] END;
    symbol := upper(ltrim(btrim(data #>> path), '$'));
    IF jsonb_typeof(data #> path) = 'string' AND symbol ~ '^[A-Z0-9]+([./-][A-Z0-9]+)*$' THEN
        data := jsonb_set(data, path, to_jsonb(symbol));
    END IF;
    IF event_type LIKE 'market.%' THEN
        FOREACH name IN ARRAY ARRAY['price', 'size', 'bid_price', 'bid_size', 'ask_price', 'ask_size', 'open', 'high', 'low', 'close',
            'volume', 'vwap']
        LOOP
            IF jsonb_typeof(data -> name) = 'string' AND data ->> name ~ '^[0-9]{1,20}([.][0-9]{1,20})?$' THEN
                data := jsonb_set(data, ARRAY[name], to_jsonb((data ->> name)::numeric));
            END IF;
        END LOOP;
    END IF;
    RETURN data;
END
$$;
COMMENT ON FUNCTION trading_migration.upcast_legacy(text, jsonb) IS
    'a legacy document with what can be put right without a loss: symbols, and numbers written as strings';

-- The type and version of a row of the old tables.  In this order:
--   kept        the version that the row states, where the document is of it
--   classified  the oldest version from 1 on that the document is of: it was
--               written when there was no newer one
--   upcast      the same, after upcast_legacy
--   version 0   legacy: whatever else is an event of that type
--   no event    of no type that the table holds
CREATE OR REPLACE FUNCTION trading_migration.classify(relation text, stated_type text, stated_version int, document jsonb,
    OUT event_type text, OUT schema_version int, OUT data jsonb, OUT how text)
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    candidates text[];
    candidate text;
    versions int[];
    upcast jsonb;
BEGIN
    data := document;
    candidates := CASE relation
        WHEN 'discord_events' THEN CASE
            WHEN stated_type = 'MESSAGE_CREATE' THEN '{discord.message.create}'
            WHEN stated_type = 'MESSAGE_UPDATE' THEN '{discord.message.update}'
            WHEN stated_type = 'MESSAGE_DELETE' THEN '{discord.message.delete}'
            WHEN stated_type IN ('CHANNEL_CREATE', 'CHANNEL_UPDATE', 'CHANNEL_DELETE') THEN '{discord.channel}'
            WHEN stated_type LIKE 'discord.%' THEN ARRAY[stated_type]
            ELSE '{discord.message.create,discord.message.update,discord.channel,discord.message.delete}' END
        WHEN 'market_events' THEN CASE
            WHEN document ->> 'e' = 'trade' THEN '{binance.trade}'
            WHEN document ->> 'e' = 'aggTrade' THEN '{binance.agg_trade}'
            WHEN document ->> 'e' = 'depthUpdate' THEN '{binance.depth_update}'
            WHEN document ->> 'e' = 'kline' THEN '{binance.kline}'
            WHEN document ->> 'kind' IN ('trade', 'quote', 'bar', 'book_delta') THEN ARRAY['market.' || (document ->> 'kind')]
            ELSE '{market.quote,market.bar,market.book_delta,market.trade}' END
        WHEN 'signal_events' THEN '{trading.signal}'
        WHEN 'order_events' THEN CASE
            WHEN document ->> 'e' = 'executionReport' THEN '{binance.execution_report}'
            WHEN stated_type LIKE 'order.%' THEN ARRAY[stated_type]
            WHEN document ->> 'event' IN ('fill', 'partial_fill') THEN '{order.filled}'
            WHEN jsonb_typeof(document -> 'order') = 'object' THEN '{order.updated}'
            ELSE '{order.placed}' END
        WHEN 'system_events' THEN '{system.log}'
        WHEN 'ingestion_events' THEN '{ingestion.batch}'
        WHEN 'discord_messages' THEN '{discord.message.create}' END;
    event_type := candidates[1];
    schema_version := coalesce(nullif(stated_version, 0), 1);

    FOREACH candidate IN ARRAY candidates LOOP
        IF stated_version > 0 AND public.validate_event(document, candidate, stated_version) THEN
            event_type := candidate;
            how := 'kept';
            RETURN;
        END IF;
    END LOOP;
    -- nearly all of the rest: asked first, because one version is asked faster than all
    FOREACH candidate IN ARRAY candidates LOOP
        IF public.validate_event(document, candidate, 1) THEN
            event_type := candidate;
            schema_version := 1;
            how := 'classified';
            RETURN;
        END IF;
    END LOOP;
    FOREACH candidate IN ARRAY candidates LOOP
        versions := array_remove(public.matching_event_versions(document, candidate), 0);
        IF cardinality(versions) > 0 THEN
            event_type := candidate;
            schema_version := versions[1];
            how := 'classified';
            RETURN;
        END IF;
    END LOOP;
    FOREACH candidate IN ARRAY candidates LOOP
        upcast := trading_migration.upcast_legacy(candidate, document);
        IF upcast <> document THEN
            versions := array_remove(public.matching_event_versions(upcast, candidate), 0);
            IF cardinality(versions) > 0 THEN
                event_type := candidate;
                schema_version := versions[1];
                data := upcast;
                how := 'upcast';
                RETURN;
            END IF;
        END IF;
    END LOOP;
    FOREACH candidate IN ARRAY candidates LOOP
        IF public.validate_event(document, candidate, 0) THEN
            event_type := candidate;
            schema_version := 0;
            how := 'version 0';
            RETURN;
        END IF;
    END LOOP;
    how := 'no event';
END
$$;
COMMENT ON FUNCTION trading_migration.classify(text, text, int, jsonb) IS
    'the type and version of a document of the old tables, the document itself, and how that was found out';

CREATE OR REPLACE FUNCTION trading_migration.version_number(word text) RETURNS int
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT CASE WHEN word ~ '^v?[0-9]{1,9}$' THEN ltrim(word, 'v')::int END;
END;
COMMENT ON FUNCTION trading_migration.version_number(text) IS 'the version that a word says: "1", "v1"; NULL where it says none';

COMMIT;
