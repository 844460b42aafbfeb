-- The upcasts from version 1 to version 2: for each event type one function
-- TYPE_1_to_2, dots written as underscores.  examples/trading/extension/generate
-- puts them into the extension, and registers each.
--
-- What is valid under version 1 is valid under version 2 afterwards, and
-- nothing of it is lost.  What version 1 did not say is null, never guessed.
-- (Types that are open carry what version 1 does not know; where that is not
-- what version 2 says of it, version 2 refuses it.)  Functions and operators
-- are found when the extension is created: the bodies are kept parsed.
--
-- Each is one expression of immutable functions, and uses its argument as it
-- is wherever it uses it more than once, so that PostgreSQL inlines it: a
-- fraction of the time of a call.  Hence no jsonb_build_object, which is stable.

-- A property of numbers as a string of the digits that jsonb has of them:
-- exact, without an exponent.  An object with that one property, or an empty
-- one where it is no number.
CREATE FUNCTION trading_digits(data jsonb, key text) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT CASE jsonb_typeof(data -> key) WHEN 'number'
        THEN ('{"' || key || '": "' || (data ->> key) || '"}')::jsonb ELSE '{}' END;
END;
COMMENT ON FUNCTION trading_digits(jsonb, text) IS
    'an object with that property as a string, digit by digit; an empty one where it is no number';

-- Another name for a property, where the object has it and not yet the other.
CREATE FUNCTION trading_renamed(data jsonb, old_name text, new_name text) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT CASE WHEN jsonb_exists(data, old_name) AND NOT jsonb_exists(data, new_name)
        THEN jsonb_set(data - old_name, ARRAY[new_name], data -> old_name) ELSE data END;
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
    SELECT data || trading_digits(data, 'trade_id') || trading_digits(data, 'price') || trading_digits(data, 'size');
END;

CREATE FUNCTION market_quote_1_to_2(data jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT (data - 'update_id')
        || CASE WHEN jsonb_exists(data, 'update_id') THEN jsonb_set('{}', '{sequence}', data -> 'update_id') ELSE '{}' END
        || trading_digits(data, 'bid_price') || trading_digits(data, 'bid_size')
        || trading_digits(data, 'ask_price') || trading_digits(data, 'ask_size');
END;

CREATE FUNCTION market_bar_1_to_2(data jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT data || trading_digits(data, 'open') || trading_digits(data, 'high') || trading_digits(data, 'low')
        || trading_digits(data, 'close') || trading_digits(data, 'volume') || trading_digits(data, 'vwap');
END;

CREATE FUNCTION market_book_delta_1_to_2(data jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT data || trading_digits(data, 'price') || trading_digits(data, 'size');
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
    SELECT jsonb_set(data - 'source_message_id', '{source}', CASE jsonb_typeof(data -> 'source_message_id') WHEN 'string'
        THEN jsonb_set('{"kind": "discord", "message_ids": [null]}', '{message_ids,0}', data -> 'source_message_id')
        ELSE '{"kind": "market_data", "message_ids": []}' END);
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
    SELECT CASE jsonb_typeof(data -> 'order') WHEN 'object'
        THEN jsonb_set(data, '{order}', order_placed_1_to_2(data -> 'order')) ELSE data END;
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
    SELECT coalesce(jsonb_set(data - 'level', '{severity}', CASE data ->> 'level'
        WHEN 'debug' THEN '{"text": "debug", "number": 5}'::jsonb
        WHEN 'info' THEN '{"text": "info", "number": 9}'
        WHEN 'notice' THEN '{"text": "notice", "number": 10}'
        WHEN 'warning' THEN '{"text": "warning", "number": 13}'
        WHEN 'error' THEN '{"text": "error", "number": 17}'
        WHEN 'critical' THEN '{"text": "critical", "number": 18}' END), data);
END;

CREATE FUNCTION ingestion_batch_1_to_2(data jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT data || '{"quarantined": null, "duplicates": null}';
END;
