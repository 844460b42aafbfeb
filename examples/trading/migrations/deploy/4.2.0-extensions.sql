-- Deploy trading:4.2.0-extensions to pg
-- requires: 4.1.0-indexes

-- The schemas determine the version of a document, so they are installed
-- first.  Nothing is validated yet.

-- Objects of other roles in the schema public or in the search_path match no call here.
SET search_path = pg_catalog, pg_temp;

SELECT trading_migration.alone();

BEGIN;
SET LOCAL client_min_messages = warning;

CREATE EXTENSION IF NOT EXISTS event_validate SCHEMA public;
CREATE EXTENSION IF NOT EXISTS trading_events SCHEMA public;

-- Repairs of a legacy document that neither lose data nor guess: a symbol's $
-- and lower case, and numbers of market data that are written as strings.
-- Everything else stays unchanged.
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
    'a legacy document with repairs that lose nothing: symbols, and numbers written as strings';

-- Finds the type and version of a row of the old tables.  In this order:
--   kept        the version in the row, if the document is valid for it
--   classified  the oldest version from 1 on for which the document is valid:
--               no newer version existed when it was written
--   upcast      the same, after upcast_legacy
--   version 0   legacy: any other event of that type
--   no event    of no type that the table contains
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
    -- nearly all of the rest: tried first, since one version is faster than
    -- all
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
    'the type and version of a document of the old tables, the document itself, and how they were found';

CREATE OR REPLACE FUNCTION trading_migration.version_number(word text) RETURNS int
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT CASE WHEN word ~ '^v?[0-9]{1,9}$' THEN ltrim(word, 'v')::int END;
END;
COMMENT ON FUNCTION trading_migration.version_number(text) IS 'the version in a word: "1", "v1"; NULL if there is none';

COMMIT;
