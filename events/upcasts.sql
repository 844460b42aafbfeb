-- The upcasts from version 1 to version 2: for each event type one function
-- TYPE_1_to_2, dots written as underscores.  scripts/generate-trading-events
-- puts them into the extension, and registers each.
--
-- What is valid under version 1 is valid under version 2 afterwards, and
-- nothing of it is lost.  What version 1 did not say is null, never guessed.
-- (Types that are open carry what version 1 does not know; where that is not
-- what version 2 says of it, version 2 refuses it.)  Functions and operators
-- are found when the extension is created: the bodies are kept parsed.

-- Numbers as the digits that jsonb has of them: exact, without an exponent.
CREATE FUNCTION trading_numbers_to_text(data jsonb, VARIADIC keys text[]) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT data || coalesce(
        (SELECT jsonb_object_agg(k, data ->> k) FROM unnest(keys) AS k WHERE jsonb_typeof(data -> k) = 'number'), '{}');
END;
COMMENT ON FUNCTION trading_numbers_to_text(jsonb, text[]) IS
    'the object with these properties as strings, where they are numbers; digit by digit';

-- Another name for a property, where the object has it and not yet the other.
CREATE FUNCTION trading_renamed(data jsonb, old_name text, new_name text) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT CASE WHEN jsonb_exists(data, old_name) AND NOT jsonb_exists(data, new_name)
        THEN (data - old_name) || jsonb_build_object(new_name, data -> old_name)
        ELSE data END;
END;
COMMENT ON FUNCTION trading_renamed(jsonb, text, text) IS
    'the object with a property under another name; unchanged where it lacks the one or has the other already';

-- ---------- Discord ----------

-- Discord sends the deprecated property beside the new one for a while: then
-- both stay as they are.
CREATE FUNCTION discord_message_create_1_to_2(data jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT trading_renamed(trading_renamed(data, 'interaction', 'interaction_metadata'), 'stickers', 'sticker_items');
END;

CREATE FUNCTION discord_message_update_1_to_2(data jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT discord_message_create_1_to_2(data);
END;

CREATE FUNCTION discord_message_delete_1_to_2(data jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT data;
END;

CREATE FUNCTION discord_channel_1_to_2(data jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT data;
END;

-- ---------- market data ----------

CREATE FUNCTION market_trade_1_to_2(data jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT trading_numbers_to_text(data, 'trade_id', 'price', 'size');
END;

CREATE FUNCTION market_quote_1_to_2(data jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT trading_renamed(trading_numbers_to_text(data, 'bid_price', 'bid_size', 'ask_price', 'ask_size'),
        'update_id', 'sequence');
END;

CREATE FUNCTION market_bar_1_to_2(data jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT trading_numbers_to_text(data, 'open', 'high', 'low', 'close', 'volume', 'vwap');
END;

CREATE FUNCTION market_book_delta_1_to_2(data jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT trading_numbers_to_text(data, 'price', 'size');
END;

CREATE FUNCTION market_data_1_to_2(data jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT CASE data ->> 'kind'
        WHEN 'trade' THEN market_trade_1_to_2(data)
        WHEN 'quote' THEN market_quote_1_to_2(data)
        WHEN 'bar' THEN market_bar_1_to_2(data)
        WHEN 'book_delta' THEN market_book_delta_1_to_2(data)
        ELSE data END;
END;

-- Version 2 only allows more: the wire format is Binance's.
CREATE FUNCTION binance_trade_1_to_2(data jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT data;
END;

CREATE FUNCTION binance_agg_trade_1_to_2(data jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT data;
END;

CREATE FUNCTION binance_kline_1_to_2(data jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT data;
END;

CREATE FUNCTION binance_depth_update_1_to_2(data jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT data;
END;

CREATE FUNCTION binance_execution_report_1_to_2(data jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT data;
END;

-- ---------- signals ----------

-- Version 1 says it so: without a message the signal comes from market data.
CREATE FUNCTION trading_signal_1_to_2(data jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT (data - 'source_message_id') || CASE jsonb_typeof(data -> 'source_message_id')
        WHEN 'string' THEN jsonb_build_object('source', jsonb_build_object(
            'kind', 'discord', 'message_ids', jsonb_build_array(data -> 'source_message_id')))
        ELSE '{"source": {"kind": "market_data", "message_ids": []}}' END;
END;

-- ---------- orders ----------

-- Version 1 knows no other class.
CREATE FUNCTION order_placed_1_to_2(data jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT data || '{"order_class": "simple"}';
END;

CREATE FUNCTION order_updated_1_to_2(data jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT data || jsonb_build_object('order', order_placed_1_to_2(data -> 'order'));
END;

CREATE FUNCTION order_filled_1_to_2(data jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT order_updated_1_to_2(data);
END;

-- ---------- system, ingestion ----------

-- OpenTelemetry's numbers for syslog's levels.
CREATE FUNCTION system_log_1_to_2(data jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT (data - 'level') || jsonb_build_object('severity', jsonb_build_object(
        'text', data -> 'level',
        'number', CASE data ->> 'level' WHEN 'debug' THEN 5 WHEN 'info' THEN 9 WHEN 'notice' THEN 10
            WHEN 'warning' THEN 13 WHEN 'error' THEN 17 WHEN 'critical' THEN 18 END));
END;

CREATE FUNCTION ingestion_batch_1_to_2(data jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT data || '{"quarantined": null, "duplicates": null}';
END;
