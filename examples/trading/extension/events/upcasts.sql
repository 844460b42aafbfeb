-- The upcasts from version 1 to version 2: for each event type one function
-- TYPE_1_to_2, dots written as underscores.  examples/trading/extension/generate
-- puts them into the extension, and registers each.
--
-- An event that is valid under version 1 is valid under version 2 afterwards,
-- and nothing of it is lost. Values that version 1 does not have are null,
-- never guessed. (Events of open types can have properties that version 1 does
-- not declare. If version 2 declares such a property in another way, it
-- rejects the event.) The bodies are stored parsed: names are looked up once,
-- when the extension is created, and only in pg_catalog. Other functions are
-- called with their schema and with exactly their own types, since other roles
-- may be allowed to create functions beside them.
--
-- Each is one expression of immutable functions, and passes its argument
-- unchanged wherever it uses it more than once. So PostgreSQL inlines it,
-- which takes a fraction of the time of a call. So jsonb_build_object, which
-- is stable, is not used.

-- A property of numbers as a string of the digits that jsonb has of them:
-- exact, without an exponent.  An object with that one property, or an empty
-- one where it is no number.
CREATE FUNCTION @extschema@.trading_digits(data jsonb, key text) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT CASE jsonb_typeof(data -> key) WHEN 'number'
        THEN ('{"' || key || '": "' || (data ->> key) || '"}')::jsonb ELSE '{}' END;
END;
COMMENT ON FUNCTION @extschema@.trading_digits(jsonb, text) IS
    'an object with that property as a string, digit by digit; an empty one where it is no number';

-- Another name for a property, where the object has it and not yet the other.
CREATE FUNCTION @extschema@.trading_renamed(data jsonb, old_name text, new_name text) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT CASE WHEN jsonb_exists(data, old_name) AND NOT jsonb_exists(data, new_name)
        THEN jsonb_set(data - old_name, ARRAY[new_name], data -> old_name) ELSE data END;
END;
COMMENT ON FUNCTION @extschema@.trading_renamed(jsonb, text, text) IS
    'the object with a property under another name; unchanged where it lacks the one or has the other already';

-- ---------- Discord ----------

-- Discord sends the deprecated property beside the new one for a while: then
-- both stay as they are.
CREATE FUNCTION @extschema@.discord_message_create_1_to_2(data jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT @extschema@.trading_renamed(@extschema@.trading_renamed(data, 'interaction'::text, 'interaction_metadata'::text),
        'stickers'::text, 'sticker_items'::text);
END;

CREATE FUNCTION @extschema@.discord_message_update_1_to_2(data jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT @extschema@.discord_message_create_1_to_2(data);
END;

CREATE FUNCTION @extschema@.discord_message_delete_1_to_2(data jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT data;
END;

CREATE FUNCTION @extschema@.discord_channel_1_to_2(data jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT data;
END;

-- ---------- market data ----------

CREATE FUNCTION @extschema@.market_trade_1_to_2(data jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT data || @extschema@.trading_digits(data, 'trade_id'::text)
        || @extschema@.trading_digits(data, 'price'::text) || @extschema@.trading_digits(data, 'size'::text);
END;

CREATE FUNCTION @extschema@.market_quote_1_to_2(data jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT (data - 'update_id')
        || CASE WHEN jsonb_exists(data, 'update_id') THEN jsonb_set('{}', '{sequence}', data -> 'update_id') ELSE '{}' END
        || @extschema@.trading_digits(data, 'bid_price'::text) || @extschema@.trading_digits(data, 'bid_size'::text)
        || @extschema@.trading_digits(data, 'ask_price'::text) || @extschema@.trading_digits(data, 'ask_size'::text);
END;

CREATE FUNCTION @extschema@.market_bar_1_to_2(data jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT data || @extschema@.trading_digits(data, 'open'::text) || @extschema@.trading_digits(data, 'high'::text)
        || @extschema@.trading_digits(data, 'low'::text) || @extschema@.trading_digits(data, 'close'::text)
        || @extschema@.trading_digits(data, 'volume'::text) || @extschema@.trading_digits(data, 'vwap'::text);
END;

CREATE FUNCTION @extschema@.market_book_delta_1_to_2(data jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT data || @extschema@.trading_digits(data, 'price'::text) || @extschema@.trading_digits(data, 'size'::text);
END;

CREATE FUNCTION @extschema@.market_data_1_to_2(data jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT CASE data ->> 'kind'
        WHEN 'trade' THEN @extschema@.market_trade_1_to_2(data)
        WHEN 'quote' THEN @extschema@.market_quote_1_to_2(data)
        WHEN 'bar' THEN @extschema@.market_bar_1_to_2(data)
        WHEN 'book_delta' THEN @extschema@.market_book_delta_1_to_2(data)
        ELSE data END;
END;

-- Version 2 only allows more, since the wire format is Binance's.
CREATE FUNCTION @extschema@.binance_trade_1_to_2(data jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT data;
END;

CREATE FUNCTION @extschema@.binance_agg_trade_1_to_2(data jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT data;
END;

CREATE FUNCTION @extschema@.binance_kline_1_to_2(data jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT data;
END;

CREATE FUNCTION @extschema@.binance_depth_update_1_to_2(data jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT data;
END;

CREATE FUNCTION @extschema@.binance_execution_report_1_to_2(data jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT data;
END;

-- ---------- signals ----------

-- As in version 1, a signal without a message comes from market data.
CREATE FUNCTION @extschema@.trading_signal_1_to_2(data jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT jsonb_set(data - 'source_message_id', '{source}', CASE jsonb_typeof(data -> 'source_message_id') WHEN 'string'
        THEN jsonb_set('{"kind": "discord", "message_ids": [null]}', '{message_ids,0}', data -> 'source_message_id')
        ELSE '{"kind": "market_data", "message_ids": []}' END);
END;

-- ---------- orders ----------

-- Version 1 has no other class.
CREATE FUNCTION @extschema@.order_placed_1_to_2(data jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT data || '{"order_class": "simple"}';
END;

CREATE FUNCTION @extschema@.order_updated_1_to_2(data jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT CASE jsonb_typeof(data -> 'order') WHEN 'object'
        THEN jsonb_set(data, '{order}', @extschema@.order_placed_1_to_2(data -> 'order')) ELSE data END;
END;

CREATE FUNCTION @extschema@.order_filled_1_to_2(data jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT @extschema@.order_updated_1_to_2(data);
END;

-- ---------- system, ingestion ----------

-- OpenTelemetry's numbers for syslog's levels.
CREATE FUNCTION @extschema@.system_log_1_to_2(data jsonb) RETURNS jsonb
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

CREATE FUNCTION @extschema@.ingestion_batch_1_to_2(data jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT data || '{"quarantined": null, "duplicates": null}';
END;
