/* trading_events 1.0: made by examples/trading/extension/generate from events/; change those and run it again */

-- complain if script is sourced in psql, rather than via CREATE EXTENSION
\echo Use "CREATE EXTENSION trading_events" to load this file. \quit

-- Whatever else is in the schemas of the two extensions matches no call here.
SET LOCAL search_path = pg_catalog, pg_temp;

-- ---------- schemas ----------

CREATE FUNCTION event_schema."trading.common@0"(data jsonb) RETURNS boolean
LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE
AS $schema${
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Common to legacy events",
  "description": "What was stored before there were schemas, as loosely as it came. Definitions for $ref; nothing is an event of this type, so the document itself accepts no instance.",
  "not": {},
  "$defs": {
    "id": {
      "title": "Id",
      "description": "Any id: a string that is not empty, or a whole number; a snowflake as a number may have been rounded.",
      "anyOf": [{"type": "string", "minLength": 1, "maxLength": 200}, {"type": "integer", "minimum": 0}]
    },
    "symbol": {
      "title": "Symbol",
      "description": "A ticker in any case, with or without a currency sign.",
      "type": "string",
      "minLength": 1,
      "maxLength": 64,
      "pattern": "[A-Za-z0-9]"
    },
    "number": {
      "title": "Number",
      "description": "A number, or a string with a digit, or null.",
      "anyOf": [{"type": "number"}, {"type": "string", "pattern": "[0-9]"}, {"type": "null"}]
    },
    "time": {
      "title": "Time",
      "description": "A point in time in any form: a string with a digit, with or without zone, a number of seconds or milliseconds, or null.",
      "anyOf": [{"type": "string", "pattern": "[0-9]"}, {"type": "number", "minimum": 0}, {"type": "null"}]
    },
    "word": {"title": "Word", "description": "A word in any case.", "type": "string", "pattern": "[A-Za-z]"},
    "text": {
      "title": "Text",
      "description": "A text of any length, or null.",
      "anyOf": [{"type": "string"}, {"type": "null"}]
    },
    "object": {
      "title": "Object",
      "description": "An object, or null.",
      "anyOf": [{"type": "object"}, {"type": "null"}]
    },
    "array": {"title": "Array", "description": "An array, or null.", "anyOf": [{"type": "array"}, {"type": "null"}]}
  }
}$schema$;
COMMENT ON FUNCTION event_schema."trading.common@0"(jsonb) IS 'Common to legacy events';

CREATE FUNCTION event_schema."binance.agg_trade@0"(data jsonb) RETURNS boolean
LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE
AS $schema${
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Binance aggregate trade, legacy",
  "description": "An event of Binance's by its own word for it and its symbol; decimals may be numbers. Open and loose: what it needs to be one of its kind, nothing more.",
  "type": "object",
  "required": ["e", "s", "p"],
  "properties": {
    "e": {"description": "Event type.", "const": "aggTrade"},
    "E": {"description": "Event time.", "$ref": "event:trading.common@0#/$defs/time"},
    "s": {"description": "Symbol.", "$ref": "event:trading.common@0#/$defs/symbol"},
    "p": {"description": "Price.", "$ref": "event:trading.common@0#/$defs/number"},
    "q": {"description": "Quantity.", "$ref": "event:trading.common@0#/$defs/number"}
  }
}$schema$;
COMMENT ON FUNCTION event_schema."binance.agg_trade@0"(jsonb) IS 'Binance aggregate trade, legacy';

CREATE FUNCTION event_schema."binance.common@1"(data jsonb) RETURNS boolean
LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE
AS $schema${
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Common to Binance streams, v1",
  "description": "Values as Binance writes them on the wire. Definitions for $ref; nothing is an event of this type, so the document itself accepts no instance.",
  "not": {},
  "$defs": {
    "milliseconds": {
      "title": "Milliseconds",
      "description": "Milliseconds since 1970-01-01 UTC.",
      "type": "integer",
      "minimum": 0,
      "maximum": 253402300799999
    },
    "decimal": {
      "title": "Decimal",
      "description": "A decimal of zero or above as a string, with as many zeros as the pair's precision asks for.",
      "type": "string",
      "maxLength": 40,
      "pattern": "^\\d+(?:\\.\\d+)?$"
    },
    "pair": {
      "title": "Pair",
      "description": "A trading pair: base and quote currency in one word.",
      "type": "string",
      "pattern": "^[A-Z0-9]{2,20}$"
    },
    "id": {
      "title": "Id",
      "description": "A number of Binance's: a trade, an order, an update.",
      "type": "integer",
      "minimum": 0,
      "maximum": 9223372036854775807
    },
    "nullable_id": {
      "title": "Id or -1",
      "description": "A number of Binance's, or -1 where there is none.",
      "type": "integer",
      "minimum": -1
    },
    "level": {
      "title": "Level",
      "description": "A price level: its price and the quantity that stands there from now on, zero where the level is gone.",
      "type": "array",
      "prefixItems": [
        {"description": "Price.", "$ref": "#/$defs/decimal"},
        {"description": "Quantity.", "$ref": "#/$defs/decimal"}
      ],
      "items": false,
      "minItems": 2
    }
  }
}$schema$;
COMMENT ON FUNCTION event_schema."binance.common@1"(jsonb) IS 'Common to Binance streams, v1';

CREATE FUNCTION event_schema."binance.agg_trade@1"(data jsonb) RETURNS boolean
LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE
AS $schema$#breaking
{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Binance aggregate trade, v1",
  "description": "Trades that filled one taker order at one price. Kept as it came over the wire, before it is rendered as market data. Open: Binance adds fields.",
  "type": "object",
  "required": ["e", "E", "s", "a", "p", "q", "f", "l", "T", "m"],
  "properties": {
    "e": {"description": "Event type.", "const": "aggTrade"},
    "E": {"description": "Event time.", "$ref": "event:binance.common@1#/$defs/milliseconds"},
    "s": {"description": "Symbol.", "$ref": "event:binance.common@1#/$defs/pair"},
    "a": {"description": "Aggregate trade id.", "$ref": "event:binance.common@1#/$defs/id"},
    "p": {"description": "Price.", "$ref": "event:binance.common@1#/$defs/decimal"},
    "q": {"description": "Quantity.", "$ref": "event:binance.common@1#/$defs/decimal"},
    "f": {"description": "First trade id.", "$ref": "event:binance.common@1#/$defs/id"},
    "l": {"description": "Last trade id.", "$ref": "event:binance.common@1#/$defs/id"},
    "T": {"description": "Trade time.", "$ref": "event:binance.common@1#/$defs/milliseconds"},
    "m": {"description": "Whether the buyer is the market maker.", "type": "boolean"},
    "M": {"description": "To be ignored.", "type": "boolean"}
  }
}$schema$;
COMMENT ON FUNCTION event_schema."binance.agg_trade@1"(jsonb) IS 'Binance aggregate trade, v1';

CREATE FUNCTION event_schema."binance.common@2"(data jsonb) RETURNS boolean
LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE
AS $schema${
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Common to Binance streams, v2",
  "description": "Values as Binance writes them on the wire. Definitions for $ref; nothing is an event of this type, so the document itself accepts no instance.",
  "not": {},
  "$defs": {
    "time": {
      "title": "Time",
      "description": "Time since 1970-01-01 UTC, in milliseconds, or in microseconds where the stream was asked for them (timeUnit=MICROSECOND).",
      "type": "integer",
      "minimum": 0,
      "maximum": 253402300799999999
    },
    "decimal": {
      "title": "Decimal",
      "description": "A decimal of zero or above as a string, with as many zeros as the pair's precision asks for.",
      "type": "string",
      "maxLength": 40,
      "pattern": "^\\d+(?:\\.\\d+)?$"
    },
    "pair": {
      "title": "Pair",
      "description": "A trading pair: base and quote currency in one word.",
      "type": "string",
      "pattern": "^[A-Z0-9]{2,20}$"
    },
    "id": {
      "title": "Id",
      "description": "A number of Binance's: a trade, an order, an update.",
      "type": "integer",
      "minimum": 0,
      "maximum": 9223372036854775807
    },
    "nullable_id": {
      "title": "Id or -1",
      "description": "A number of Binance's, or -1 where there is none.",
      "type": "integer",
      "minimum": -1
    },
    "level": {
      "title": "Level",
      "description": "A price level: its price and the quantity that stands there from now on, zero where the level is gone.",
      "type": "array",
      "prefixItems": [
        {"description": "Price.", "$ref": "#/$defs/decimal"},
        {"description": "Quantity.", "$ref": "#/$defs/decimal"}
      ],
      "items": false,
      "minItems": 2
    }
  }
}$schema$;
COMMENT ON FUNCTION event_schema."binance.common@2"(jsonb) IS 'Common to Binance streams, v2';

CREATE FUNCTION event_schema."binance.agg_trade@2"(data jsonb) RETURNS boolean
LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE
AS $schema${
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Binance aggregate trade, v2",
  "description": "Trades that filled one taker order at one price. Kept as it came over the wire, before it is rendered as market data. Open: Binance adds fields. Version 2 takes times in microseconds too, which Binance sends on request.",
  "type": "object",
  "required": ["e", "E", "s", "a", "p", "q", "f", "l", "T", "m"],
  "properties": {
    "e": {"description": "Event type.", "const": "aggTrade"},
    "E": {"description": "Event time.", "$ref": "event:binance.common@2#/$defs/time"},
    "s": {"description": "Symbol.", "$ref": "event:binance.common@2#/$defs/pair"},
    "a": {"description": "Aggregate trade id.", "$ref": "event:binance.common@2#/$defs/id"},
    "p": {"description": "Price.", "$ref": "event:binance.common@2#/$defs/decimal"},
    "q": {"description": "Quantity.", "$ref": "event:binance.common@2#/$defs/decimal"},
    "f": {"description": "First trade id.", "$ref": "event:binance.common@2#/$defs/id"},
    "l": {"description": "Last trade id.", "$ref": "event:binance.common@2#/$defs/id"},
    "T": {"description": "Trade time.", "$ref": "event:binance.common@2#/$defs/time"},
    "m": {"description": "Whether the buyer is the market maker.", "type": "boolean"},
    "M": {"description": "To be ignored.", "type": "boolean"}
  }
}$schema$;
COMMENT ON FUNCTION event_schema."binance.agg_trade@2"(jsonb) IS 'Binance aggregate trade, v2';

CREATE FUNCTION event_schema."binance.depth_update@0"(data jsonb) RETURNS boolean
LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE
AS $schema${
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Binance order book update, legacy",
  "description": "An event of Binance's by its own word for it and its symbol; decimals may be numbers. Open and loose: what it needs to be one of its kind, nothing more.",
  "type": "object",
  "required": ["e", "s"],
  "properties": {
    "e": {"description": "Event type.", "const": "depthUpdate"},
    "E": {"description": "Event time.", "$ref": "event:trading.common@0#/$defs/time"},
    "s": {"description": "Symbol.", "$ref": "event:trading.common@0#/$defs/symbol"},
    "b": {"description": "Bids to be updated.", "type": "array"},
    "a": {"description": "Asks to be updated.", "type": "array"}
  },
  "anyOf": [{"required": ["b"]}, {"required": ["a"]}]
}$schema$;
COMMENT ON FUNCTION event_schema."binance.depth_update@0"(jsonb) IS 'Binance order book update, legacy';

CREATE FUNCTION event_schema."binance.depth_update@1"(data jsonb) RETURNS boolean
LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE
AS $schema$#breaking
{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Binance order book update, v1",
  "description": "Price levels that changed since the last update. Kept as it came over the wire, before it is rendered as market data. Open: Binance adds fields.",
  "type": "object",
  "required": ["e", "E", "s", "U", "u", "b", "a"],
  "properties": {
    "e": {"description": "Event type.", "const": "depthUpdate"},
    "E": {"description": "Event time.", "$ref": "event:binance.common@1#/$defs/milliseconds"},
    "s": {"description": "Symbol.", "$ref": "event:binance.common@1#/$defs/pair"},
    "U": {"description": "First update id in the event.", "$ref": "event:binance.common@1#/$defs/id"},
    "u": {"description": "Final update id in the event.", "$ref": "event:binance.common@1#/$defs/id"},
    "b": {
      "description": "Bids to be updated.",
      "type": "array",
      "items": {"$ref": "event:binance.common@1#/$defs/level"}
    },
    "a": {
      "description": "Asks to be updated.",
      "type": "array",
      "items": {"$ref": "event:binance.common@1#/$defs/level"}
    }
  }
}$schema$;
COMMENT ON FUNCTION event_schema."binance.depth_update@1"(jsonb) IS 'Binance order book update, v1';

CREATE FUNCTION event_schema."binance.depth_update@2"(data jsonb) RETURNS boolean
LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE
AS $schema${
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Binance order book update, v2",
  "description": "Price levels that changed since the last update. Kept as it came over the wire, before it is rendered as market data. Open: Binance adds fields. Version 2 takes times in microseconds too, which Binance sends on request.",
  "type": "object",
  "required": ["e", "E", "s", "U", "u", "b", "a"],
  "properties": {
    "e": {"description": "Event type.", "const": "depthUpdate"},
    "E": {"description": "Event time.", "$ref": "event:binance.common@2#/$defs/time"},
    "s": {"description": "Symbol.", "$ref": "event:binance.common@2#/$defs/pair"},
    "U": {"description": "First update id in the event.", "$ref": "event:binance.common@2#/$defs/id"},
    "u": {"description": "Final update id in the event.", "$ref": "event:binance.common@2#/$defs/id"},
    "b": {
      "description": "Bids to be updated.",
      "type": "array",
      "items": {"$ref": "event:binance.common@2#/$defs/level"}
    },
    "a": {
      "description": "Asks to be updated.",
      "type": "array",
      "items": {"$ref": "event:binance.common@2#/$defs/level"}
    }
  }
}$schema$;
COMMENT ON FUNCTION event_schema."binance.depth_update@2"(jsonb) IS 'Binance order book update, v2';

CREATE FUNCTION event_schema."binance.execution_report@0"(data jsonb) RETURNS boolean
LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE
AS $schema${
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Binance order update, legacy",
  "description": "An event of Binance's by its own word for it and its symbol; decimals may be numbers. Open and loose: what it needs to be one of its kind, nothing more.",
  "type": "object",
  "required": ["e", "s", "i"],
  "properties": {
    "e": {"description": "Event type.", "const": "executionReport"},
    "E": {"description": "Event time.", "$ref": "event:trading.common@0#/$defs/time"},
    "s": {"description": "Symbol.", "$ref": "event:trading.common@0#/$defs/symbol"},
    "p": {"description": "Price.", "$ref": "event:trading.common@0#/$defs/number"},
    "q": {"description": "Quantity.", "$ref": "event:trading.common@0#/$defs/number"},
    "i": {"description": "Order id.", "$ref": "event:trading.common@0#/$defs/id"}
  }
}$schema$;
COMMENT ON FUNCTION event_schema."binance.execution_report@0"(jsonb) IS 'Binance order update, legacy';

CREATE FUNCTION event_schema."binance.execution_report@1"(data jsonb) RETURNS boolean
LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE
AS $schema$#breaking
{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Binance order update, v1",
  "description": "What happened to an order. Kept as it came over the wire, before it is rendered as market data. Open: Binance adds fields.",
  "type": "object",
  "required": [
    "e", "E", "s", "c", "S", "o", "f", "q", "p", "P", "g", "C", "x", "X", "r", "i", "l", "z", "L", "n", "N", "T", "t",
    "w", "m", "O", "Z", "Y", "Q"
  ],
  "properties": {
    "e": {"description": "Event type.", "const": "executionReport"},
    "E": {"description": "Event time.", "$ref": "event:binance.common@1#/$defs/milliseconds"},
    "s": {"description": "Symbol.", "$ref": "event:binance.common@1#/$defs/pair"},
    "c": {"description": "Client order id.", "type": "string", "pattern": "^[a-zA-Z0-9._:/-]{1,36}$"},
    "S": {"description": "Side.", "enum": ["BUY", "SELL"]},
    "o": {
      "description": "Order type.",
      "enum": [
        "LIMIT", "MARKET", "STOP_LOSS", "STOP_LOSS_LIMIT", "TAKE_PROFIT", "TAKE_PROFIT_LIMIT", "LIMIT_MAKER"
      ]
    },
    "f": {"description": "Time in force.", "enum": ["GTC", "IOC", "FOK"]},
    "q": {"description": "Order quantity.", "$ref": "event:binance.common@1#/$defs/decimal"},
    "p": {"description": "Order price.", "$ref": "event:binance.common@1#/$defs/decimal"},
    "P": {"description": "Stop price.", "$ref": "event:binance.common@1#/$defs/decimal"},
    "d": {"description": "Trailing delta.", "type": "integer"},
    "F": {"description": "Iceberg quantity.", "$ref": "event:binance.common@1#/$defs/decimal"},
    "g": {"description": "Order list id.", "$ref": "event:binance.common@1#/$defs/nullable_id"},
    "C": {
      "description": "The client order id of the order that is canceled, else empty.",
      "type": "string",
      "maxLength": 36
    },
    "x": {
      "description": "Execution type.",
      "enum": ["NEW", "CANCELED", "REPLACED", "REJECTED", "TRADE", "EXPIRED", "TRADE_PREVENTION"]
    },
    "X": {
      "description": "Order status.",
      "enum": [
        "NEW", "PENDING_NEW", "PARTIALLY_FILLED", "FILLED", "CANCELED", "PENDING_CANCEL", "REJECTED", "EXPIRED",
        "EXPIRED_IN_MATCH"
      ]
    },
    "r": {"description": "Why it was rejected; NONE if it was not.", "type": "string", "pattern": "^[A-Z_]+$"},
    "i": {"description": "Order id.", "$ref": "event:binance.common@1#/$defs/id"},
    "l": {"description": "Last executed quantity.", "$ref": "event:binance.common@1#/$defs/decimal"},
    "z": {"description": "Filled quantity so far.", "$ref": "event:binance.common@1#/$defs/decimal"},
    "L": {"description": "Last executed price.", "$ref": "event:binance.common@1#/$defs/decimal"},
    "n": {"description": "Commission.", "$ref": "event:binance.common@1#/$defs/decimal"},
    "N": {
      "description": "Commission asset.",
      "anyOf": [{"type": "string", "pattern": "^[A-Z0-9]{1,10}$"}, {"type": "null"}],
      "default": null
    },
    "T": {"description": "Transaction time.", "$ref": "event:binance.common@1#/$defs/milliseconds"},
    "t": {"description": "Trade id.", "$ref": "event:binance.common@1#/$defs/nullable_id"},
    "I": {"description": "To be ignored.", "type": "integer"},
    "w": {"description": "Whether the order is on the book.", "type": "boolean"},
    "m": {"description": "Whether this trade is the maker side.", "type": "boolean"},
    "M": {"description": "To be ignored.", "type": "boolean"},
    "O": {"description": "Order creation time.", "$ref": "event:binance.common@1#/$defs/milliseconds"},
    "Z": {"description": "Quote asset transacted so far.", "$ref": "event:binance.common@1#/$defs/decimal"},
    "Y": {"description": "Quote asset transacted last.", "$ref": "event:binance.common@1#/$defs/decimal"},
    "Q": {"description": "Quote order quantity.", "$ref": "event:binance.common@1#/$defs/decimal"},
    "D": {"description": "Trailing time.", "$ref": "event:binance.common@1#/$defs/milliseconds"},
    "j": {"description": "Strategy id.", "type": "integer", "minimum": 0, "maximum": 9223372036854775807},
    "J": {"description": "Strategy type.", "type": "integer", "minimum": 1000000},
    "W": {"description": "Working time.", "$ref": "event:binance.common@1#/$defs/milliseconds"},
    "V": {"description": "Self-trade prevention mode.", "type": "string"}
  },
  "allOf": [
    {
      "if": {"required": ["x"], "properties": {"x": {"const": "TRADE"}}},
      "then": {"properties": {"t": {"minimum": 0}, "X": {"enum": ["PARTIALLY_FILLED", "FILLED"]}}}
    }
  ]
}$schema$;
COMMENT ON FUNCTION event_schema."binance.execution_report@1"(jsonb) IS 'Binance order update, v1';

CREATE FUNCTION event_schema."binance.execution_report@2"(data jsonb) RETURNS boolean
LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE
AS $schema${
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Binance order update, v2",
  "description": "What happened to an order. Kept as it came over the wire, before it is rendered as market data. Open: Binance adds fields. Version 2 takes times in microseconds too, which Binance sends on request.",
  "type": "object",
  "required": [
    "e", "E", "s", "c", "S", "o", "f", "q", "p", "P", "g", "C", "x", "X", "r", "i", "l", "z", "L", "n", "N", "T", "t",
    "w", "m", "O", "Z", "Y", "Q"
  ],
  "properties": {
    "e": {"description": "Event type.", "const": "executionReport"},
    "E": {"description": "Event time.", "$ref": "event:binance.common@2#/$defs/time"},
    "s": {"description": "Symbol.", "$ref": "event:binance.common@2#/$defs/pair"},
    "c": {"description": "Client order id.", "type": "string", "pattern": "^[a-zA-Z0-9._:/-]{1,36}$"},
    "S": {"description": "Side.", "enum": ["BUY", "SELL"]},
    "o": {
      "description": "Order type.",
      "enum": ["LIMIT", "MARKET", "STOP_LOSS", "STOP_LOSS_LIMIT", "TAKE_PROFIT", "TAKE_PROFIT_LIMIT", "LIMIT_MAKER"]
    },
    "f": {"description": "Time in force.", "enum": ["GTC", "IOC", "FOK"]},
    "q": {"description": "Order quantity.", "$ref": "event:binance.common@2#/$defs/decimal"},
    "p": {"description": "Order price.", "$ref": "event:binance.common@2#/$defs/decimal"},
    "P": {"description": "Stop price.", "$ref": "event:binance.common@2#/$defs/decimal"},
    "d": {"description": "Trailing delta.", "type": "integer"},
    "F": {"description": "Iceberg quantity.", "$ref": "event:binance.common@2#/$defs/decimal"},
    "g": {"description": "Order list id.", "$ref": "event:binance.common@2#/$defs/nullable_id"},
    "C": {
      "description": "The client order id of the order that is canceled, else empty.",
      "type": "string",
      "maxLength": 36
    },
    "x": {
      "description": "Execution type.",
      "enum": ["NEW", "CANCELED", "REPLACED", "REJECTED", "TRADE", "EXPIRED", "TRADE_PREVENTION"]
    },
    "X": {
      "description": "Order status.",
      "enum": [
        "NEW", "PENDING_NEW", "PARTIALLY_FILLED", "FILLED", "CANCELED", "PENDING_CANCEL", "REJECTED", "EXPIRED",
        "EXPIRED_IN_MATCH"
      ]
    },
    "r": {"description": "Why it was rejected; NONE if it was not.", "type": "string", "pattern": "^[A-Z_]+$"},
    "i": {"description": "Order id.", "$ref": "event:binance.common@2#/$defs/id"},
    "l": {"description": "Last executed quantity.", "$ref": "event:binance.common@2#/$defs/decimal"},
    "z": {"description": "Filled quantity so far.", "$ref": "event:binance.common@2#/$defs/decimal"},
    "L": {"description": "Last executed price.", "$ref": "event:binance.common@2#/$defs/decimal"},
    "n": {"description": "Commission.", "$ref": "event:binance.common@2#/$defs/decimal"},
    "N": {
      "description": "Commission asset.",
      "anyOf": [{"type": "string", "pattern": "^[A-Z0-9]{1,10}$"}, {"type": "null"}],
      "default": null
    },
    "T": {"description": "Transaction time.", "$ref": "event:binance.common@2#/$defs/time"},
    "t": {"description": "Trade id.", "$ref": "event:binance.common@2#/$defs/nullable_id"},
    "I": {"description": "To be ignored.", "type": "integer"},
    "w": {"description": "Whether the order is on the book.", "type": "boolean"},
    "m": {"description": "Whether this trade is the maker side.", "type": "boolean"},
    "M": {"description": "To be ignored.", "type": "boolean"},
    "O": {"description": "Order creation time.", "$ref": "event:binance.common@2#/$defs/time"},
    "Z": {"description": "Quote asset transacted so far.", "$ref": "event:binance.common@2#/$defs/decimal"},
    "Y": {"description": "Quote asset transacted last.", "$ref": "event:binance.common@2#/$defs/decimal"},
    "Q": {"description": "Quote order quantity.", "$ref": "event:binance.common@2#/$defs/decimal"},
    "D": {"description": "Trailing time.", "$ref": "event:binance.common@2#/$defs/time"},
    "j": {"description": "Strategy id.", "type": "integer", "minimum": 0, "maximum": 9223372036854775807},
    "J": {"description": "Strategy type.", "type": "integer", "minimum": 1000000},
    "W": {"description": "Working time.", "$ref": "event:binance.common@2#/$defs/time"},
    "V": {"description": "Self-trade prevention mode.", "type": "string"},
    "v": {
      "description": "Prevented match id, where self-trade prevention stopped the order.",
      "$ref": "event:binance.common@2#/$defs/id"
    },
    "A": {"description": "Prevented quantity.", "$ref": "event:binance.common@2#/$defs/decimal"},
    "B": {"description": "Last prevented quantity.", "$ref": "event:binance.common@2#/$defs/decimal"},
    "u": {"description": "Trade group id.", "$ref": "event:binance.common@2#/$defs/id"},
    "U": {"description": "Counter order id.", "$ref": "event:binance.common@2#/$defs/id"},
    "Cs": {"description": "Counter symbol.", "$ref": "event:binance.common@2#/$defs/pair"},
    "a": {"description": "Allocation id.", "$ref": "event:binance.common@2#/$defs/id"},
    "b": {"description": "Match type.", "type": "string"},
    "k": {"description": "Working floor.", "type": "string"},
    "uS": {"description": "Whether smart order routing was used.", "type": "boolean"}
  },
  "allOf": [
    {
      "if": {"required": ["x"], "properties": {"x": {"const": "TRADE"}}},
      "then": {"properties": {"t": {"minimum": 0}, "X": {"enum": ["PARTIALLY_FILLED", "FILLED"]}}}
    }
  ]
}$schema$;
COMMENT ON FUNCTION event_schema."binance.execution_report@2"(jsonb) IS 'Binance order update, v2';

CREATE FUNCTION event_schema."binance.kline@0"(data jsonb) RETURNS boolean
LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE
AS $schema${
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Binance candlestick, legacy",
  "description": "An event of Binance's by its own word for it and its symbol; decimals may be numbers. Open and loose: what it needs to be one of its kind, nothing more.",
  "type": "object",
  "required": ["e", "s", "k"],
  "properties": {
    "e": {"description": "Event type.", "const": "kline"},
    "E": {"description": "Event time.", "$ref": "event:trading.common@0#/$defs/time"},
    "s": {"description": "Symbol.", "$ref": "event:trading.common@0#/$defs/symbol"},
    "k": {"description": "The candlestick.", "type": "object"}
  }
}$schema$;
COMMENT ON FUNCTION event_schema."binance.kline@0"(jsonb) IS 'Binance candlestick, legacy';

CREATE FUNCTION event_schema."binance.kline@1"(data jsonb) RETURNS boolean
LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE
AS $schema$#breaking
{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Binance candlestick, v1",
  "description": "The candlestick of the running interval. Kept as it came over the wire, before it is rendered as market data. Open: Binance adds fields.",
  "type": "object",
  "required": ["e", "E", "s", "k"],
  "properties": {
    "e": {"description": "Event type.", "const": "kline"},
    "E": {"description": "Event time.", "$ref": "event:binance.common@1#/$defs/milliseconds"},
    "s": {"description": "Symbol.", "$ref": "event:binance.common@1#/$defs/pair"},
    "k": {
      "description": "The candlestick.",
      "type": "object",
      "required": ["t", "T", "s", "i", "f", "L", "o", "c", "h", "l", "v", "n", "x", "q", "V", "Q"],
      "properties": {
        "t": {"description": "Start.", "$ref": "event:binance.common@1#/$defs/milliseconds"},
        "T": {"description": "Close.", "$ref": "event:binance.common@1#/$defs/milliseconds"},
        "s": {"description": "Symbol.", "$ref": "event:binance.common@1#/$defs/pair"},
        "i": {
          "description": "Interval.",
          "enum": [
            "1s", "1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h", "1d", "3d", "1w", "1M"
          ]
        },
        "f": {"description": "First trade id.", "$ref": "event:binance.common@1#/$defs/nullable_id"},
        "L": {"description": "Last trade id.", "$ref": "event:binance.common@1#/$defs/nullable_id"},
        "o": {"description": "Open.", "$ref": "event:binance.common@1#/$defs/decimal"},
        "c": {"description": "Close.", "$ref": "event:binance.common@1#/$defs/decimal"},
        "h": {"description": "High.", "$ref": "event:binance.common@1#/$defs/decimal"},
        "l": {"description": "Low.", "$ref": "event:binance.common@1#/$defs/decimal"},
        "v": {"description": "Base asset volume.", "$ref": "event:binance.common@1#/$defs/decimal"},
        "n": {"description": "Number of trades.", "type": "integer", "minimum": 0},
        "x": {"description": "Whether the candlestick is closed.", "type": "boolean"},
        "q": {"description": "Quote asset volume.", "$ref": "event:binance.common@1#/$defs/decimal"},
        "V": {
          "description": "Base asset volume bought by takers.",
          "$ref": "event:binance.common@1#/$defs/decimal"
        },
        "Q": {
          "description": "Quote asset volume spent by takers.",
          "$ref": "event:binance.common@1#/$defs/decimal"
        },
        "B": {"description": "To be ignored.", "type": "string"}
      }
    }
  }
}$schema$;
COMMENT ON FUNCTION event_schema."binance.kline@1"(jsonb) IS 'Binance candlestick, v1';

CREATE FUNCTION event_schema."binance.kline@2"(data jsonb) RETURNS boolean
LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE
AS $schema${
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Binance candlestick, v2",
  "description": "The candlestick of the running interval. Kept as it came over the wire, before it is rendered as market data. Open: Binance adds fields. Version 2 takes times in microseconds too, which Binance sends on request.",
  "type": "object",
  "required": ["e", "E", "s", "k"],
  "properties": {
    "e": {"description": "Event type.", "const": "kline"},
    "E": {"description": "Event time.", "$ref": "event:binance.common@2#/$defs/time"},
    "s": {"description": "Symbol.", "$ref": "event:binance.common@2#/$defs/pair"},
    "k": {
      "description": "The candlestick.",
      "type": "object",
      "required": ["t", "T", "s", "i", "f", "L", "o", "c", "h", "l", "v", "n", "x", "q", "V", "Q"],
      "properties": {
        "t": {"description": "Start.", "$ref": "event:binance.common@2#/$defs/time"},
        "T": {"description": "Close.", "$ref": "event:binance.common@2#/$defs/time"},
        "s": {"description": "Symbol.", "$ref": "event:binance.common@2#/$defs/pair"},
        "i": {
          "description": "Interval.",
          "enum": ["1s", "1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h", "1d", "3d", "1w", "1M"]
        },
        "f": {"description": "First trade id.", "$ref": "event:binance.common@2#/$defs/nullable_id"},
        "L": {"description": "Last trade id.", "$ref": "event:binance.common@2#/$defs/nullable_id"},
        "o": {"description": "Open.", "$ref": "event:binance.common@2#/$defs/decimal"},
        "c": {"description": "Close.", "$ref": "event:binance.common@2#/$defs/decimal"},
        "h": {"description": "High.", "$ref": "event:binance.common@2#/$defs/decimal"},
        "l": {"description": "Low.", "$ref": "event:binance.common@2#/$defs/decimal"},
        "v": {"description": "Base asset volume.", "$ref": "event:binance.common@2#/$defs/decimal"},
        "n": {"description": "Number of trades.", "type": "integer", "minimum": 0},
        "x": {"description": "Whether the candlestick is closed.", "type": "boolean"},
        "q": {"description": "Quote asset volume.", "$ref": "event:binance.common@2#/$defs/decimal"},
        "V": {"description": "Base asset volume bought by takers.", "$ref": "event:binance.common@2#/$defs/decimal"},
        "Q": {"description": "Quote asset volume spent by takers.", "$ref": "event:binance.common@2#/$defs/decimal"},
        "B": {"description": "To be ignored.", "type": "string"}
      }
    }
  }
}$schema$;
COMMENT ON FUNCTION event_schema."binance.kline@2"(jsonb) IS 'Binance candlestick, v2';

CREATE FUNCTION event_schema."binance.trade@0"(data jsonb) RETURNS boolean
LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE
AS $schema${
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Binance trade, legacy",
  "description": "An event of Binance's by its own word for it and its symbol; decimals may be numbers. Open and loose: what it needs to be one of its kind, nothing more.",
  "type": "object",
  "required": ["e", "s", "p"],
  "properties": {
    "e": {"description": "Event type.", "const": "trade"},
    "E": {"description": "Event time.", "$ref": "event:trading.common@0#/$defs/time"},
    "s": {"description": "Symbol.", "$ref": "event:trading.common@0#/$defs/symbol"},
    "p": {"description": "Price.", "$ref": "event:trading.common@0#/$defs/number"},
    "q": {"description": "Quantity.", "$ref": "event:trading.common@0#/$defs/number"}
  }
}$schema$;
COMMENT ON FUNCTION event_schema."binance.trade@0"(jsonb) IS 'Binance trade, legacy';

CREATE FUNCTION event_schema."binance.trade@1"(data jsonb) RETURNS boolean
LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE
AS $schema$#breaking
{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Binance trade, v1",
  "description": "One trade. Kept as it came over the wire, before it is rendered as market data. Open: Binance adds fields.",
  "type": "object",
  "required": ["e", "E", "s", "t", "p", "q", "T", "m"],
  "properties": {
    "e": {"description": "Event type.", "const": "trade"},
    "E": {"description": "Event time.", "$ref": "event:binance.common@1#/$defs/milliseconds"},
    "s": {"description": "Symbol.", "$ref": "event:binance.common@1#/$defs/pair"},
    "t": {"description": "Trade id.", "$ref": "event:binance.common@1#/$defs/id"},
    "p": {"description": "Price.", "$ref": "event:binance.common@1#/$defs/decimal"},
    "q": {"description": "Quantity.", "$ref": "event:binance.common@1#/$defs/decimal"},
    "b": {"description": "Buyer's order id; no longer sent.", "$ref": "event:binance.common@1#/$defs/id"},
    "a": {"description": "Seller's order id; no longer sent.", "$ref": "event:binance.common@1#/$defs/id"},
    "T": {"description": "Trade time.", "$ref": "event:binance.common@1#/$defs/milliseconds"},
    "m": {"description": "Whether the buyer is the market maker.", "type": "boolean"},
    "M": {"description": "To be ignored.", "type": "boolean"}
  }
}$schema$;
COMMENT ON FUNCTION event_schema."binance.trade@1"(jsonb) IS 'Binance trade, v1';

CREATE FUNCTION event_schema."binance.trade@2"(data jsonb) RETURNS boolean
LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE
AS $schema${
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Binance trade, v2",
  "description": "One trade. Kept as it came over the wire, before it is rendered as market data. Open: Binance adds fields. Version 2 takes times in microseconds too, which Binance sends on request.",
  "type": "object",
  "required": ["e", "E", "s", "t", "p", "q", "T", "m"],
  "properties": {
    "e": {"description": "Event type.", "const": "trade"},
    "E": {"description": "Event time.", "$ref": "event:binance.common@2#/$defs/time"},
    "s": {"description": "Symbol.", "$ref": "event:binance.common@2#/$defs/pair"},
    "t": {"description": "Trade id.", "$ref": "event:binance.common@2#/$defs/id"},
    "p": {"description": "Price.", "$ref": "event:binance.common@2#/$defs/decimal"},
    "q": {"description": "Quantity.", "$ref": "event:binance.common@2#/$defs/decimal"},
    "T": {"description": "Trade time.", "$ref": "event:binance.common@2#/$defs/time"},
    "m": {"description": "Whether the buyer is the market maker.", "type": "boolean"},
    "M": {"description": "To be ignored.", "type": "boolean"}
  }
}$schema$;
COMMENT ON FUNCTION event_schema."binance.trade@2"(jsonb) IS 'Binance trade, v2';

CREATE FUNCTION event_schema."discord.channel@0"(data jsonb) RETURNS boolean
LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE
AS $schema${
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Discord channel, legacy",
  "description": "A channel of which at least the id is known, and its type or its name. What has a text or an author is a message. Open and loose: what it needs to be one of its kind, nothing more.",
  "type": "object",
  "required": ["id"],
  "properties": {
    "id": {"description": "The channel's id.", "$ref": "event:trading.common@0#/$defs/id"},
    "type": {
      "description": "The channel's type, as a number or a word.",
      "anyOf": [{"type": "integer", "minimum": 0}, {"type": "string", "minLength": 1}]
    },
    "name": {"description": "Its name.", "$ref": "event:trading.common@0#/$defs/text"},
    "guild_id": {
      "description": "Its guild.",
      "anyOf": [{"$ref": "event:trading.common@0#/$defs/id"}, {"type": "null"}]
    },
    "topic": {"description": "What it is about, of any length.", "$ref": "event:trading.common@0#/$defs/text"},
    "parent_id": {
      "description": "Its category.",
      "anyOf": [{"$ref": "event:trading.common@0#/$defs/id"}, {"type": "null"}]
    },
    "content": false,
    "author": false,
    "symbol": false
  },
  "anyOf": [{"required": ["type"]}, {"required": ["name"]}]
}$schema$;
COMMENT ON FUNCTION event_schema."discord.channel@0"(jsonb) IS 'Discord channel, legacy';

CREATE FUNCTION event_schema."trading.common@1"(data jsonb) RETURNS boolean
LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE
AS $schema${
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Common to all slices, v1",
  "description": "What every slice of the trading application writes in the same way. Definitions for $ref; nothing is an event of this type, so the document itself accepts no instance.",
  "not": {},
  "$defs": {
    "instant": {
      "title": "Instant",
      "description": "A point in time as RFC 3339 writes it, with its offset; fractions of a second to any precision.",
      "type": "string",
      "format": "date-time"
    },
    "nullable_instant": {
      "description": "A point in time, or null where it has not come yet.",
      "anyOf": [{"$ref": "#/$defs/instant"}, {"type": "null"}],
      "default": null
    },
    "uuid": {
      "title": "UUID",
      "description": "A UUID in its usual text form (RFC 9562).",
      "type": "string",
      "format": "uuid"
    },
    "nullable_uuid": {
      "description": "A UUID, or null where there is none.",
      "anyOf": [{"$ref": "#/$defs/uuid"}, {"type": "null"}],
      "default": null
    },
    "symbol": {
      "title": "Symbol",
      "description": "A ticker or trading pair in upper case, without a currency sign: AAPL, BRK.B, BTC/USD, SPY240119C00480000.",
      "type": "string",
      "minLength": 1,
      "maxLength": 32,
      "pattern": "^[A-Z0-9]+(?:[./-][A-Z0-9]+)*$"
    },
    "decimal": {
      "title": "Decimal",
      "description": "An exact decimal: a number, or a string of digits with an optional sign and point. This is how Pydantic describes its Decimal.",
      "anyOf": [{"type": "number"}, {"type": "string", "pattern": "^(?!^[-+.]*$)[+-]?0*\\d*\\.?\\d*$"}]
    },
    "positive_decimal": {
      "title": "Positive decimal",
      "description": "An exact decimal above zero: a number, or a string of digits without sign that are not all zero.",
      "anyOf": [
        {"type": "number", "exclusiveMinimum": 0},
        {"type": "string", "maxLength": 40, "pattern": "^(?![0.]*$)\\d*\\.?\\d*$"}
      ]
    },
    "nullable_positive_decimal": {
      "description": "An exact decimal above zero, or null where it does not apply.",
      "anyOf": [{"$ref": "#/$defs/positive_decimal"}, {"type": "null"}],
      "default": null
    },
    "non_negative_decimal": {
      "title": "Non-negative decimal",
      "description": "An exact decimal, zero or above: a number, or a string of digits without sign.",
      "anyOf": [
        {"type": "number", "minimum": 0},
        {"type": "string", "maxLength": 40, "pattern": "^(?!\\.?$)\\d*\\.?\\d*$"}
      ]
    }
  }
}$schema$;
COMMENT ON FUNCTION event_schema."trading.common@1"(jsonb) IS 'Common to all slices, v1';

CREATE FUNCTION event_schema."discord.common@1"(data jsonb) RETURNS boolean
LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE
AS $schema${
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Common to Discord events, v1",
  "description": "Objects that occur inside Discord's messages and channels. Objects of Discord's are open: Discord adds fields to them at any time. Definitions for $ref; nothing is an event of this type, so the document itself accepts no instance.",
  "not": {},
  "$defs": {
    "snowflake": {
      "title": "Snowflake",
      "description": "An identifier of Discord's: an unsigned 64-bit integer, always sent as a string of digits because many JSON readers would round it.",
      "type": "string",
      "pattern": "^(?:0|[1-9][0-9]{0,18}|1[0-9]{19})$",
      "allOf": [
        {
          "description": "Up to 18446744073709551615: of twenty digits, those that are less from some digit on. (The pattern above is the one to read.)",
          "pattern": "^(?:.{0,19}$|1[0-7]|18[0-3]|184[0-3]|1844[0-5]|18446[0-6]|184467[0-3]|1844674[0-3]|184467440[0-6]|1844674407[0-2]|18446744073[0-6]|1844674407370[0-8]|18446744073709[0-4]|184467440737095[0-4]|18446744073709550|18446744073709551[0-5]|1844674407370955160|1844674407370955161[0-5]$)"
        }
      ],
      "examples": ["334385199974967042"]
    },
    "nullable_snowflake": {
      "description": "A snowflake, or null.",
      "anyOf": [{"$ref": "#/$defs/snowflake"}, {"type": "null"}],
      "default": null
    },
    "bit_set": {
      "title": "Bit set",
      "description": "A set of permissions as a string of decimal digits.",
      "type": "string",
      "pattern": "^[0-9]{1,20}$"
    },
    "user": {
      "title": "User",
      "description": "A user, bot, or webhook, as far as a message shows it.",
      "type": "object",
      "required": ["id", "username"],
      "properties": {
        "id": {"description": "The user's id.", "$ref": "#/$defs/snowflake"},
        "username": {
          "description": "The user's name, not unique across Discord; a webhook's name may have 80 characters.",
          "type": "string",
          "minLength": 1,
          "maxLength": 80
        },
        "discriminator": {
          "description": "The user's four-digit tag, \"0\" for those that have none any more.",
          "type": "string",
          "pattern": "^(?:0|[0-9]{4})$"
        },
        "global_name": {
          "description": "The display name, if one is set.",
          "anyOf": [{"type": "string", "minLength": 1, "maxLength": 32}, {"type": "null"}],
          "default": null
        },
        "avatar": {
          "description": "The hash of the avatar; animated ones start with a_.",
          "anyOf": [{"type": "string", "pattern": "^(?:a_)?[0-9a-f]{32}$"}, {"type": "null"}],
          "default": null
        },
        "bot": {"description": "Whether the user belongs to an application.", "type": "boolean"},
        "system": {"description": "Whether the user is an official system user of Discord's.", "type": "boolean"},
        "public_flags": {
          "description": "The public flags of the account, as a bit field.",
          "type": "integer",
          "minimum": 0
        }
      }
    },
    "attachment": {
      "title": "Attachment",
      "description": "A file attached to a message.",
      "type": "object",
      "required": ["id", "filename", "size", "url", "proxy_url"],
      "properties": {
        "id": {"description": "The attachment's id.", "$ref": "#/$defs/snowflake"},
        "filename": {"description": "The file's name.", "type": "string", "minLength": 1},
        "description": {"description": "The file's alternative text.", "type": "string", "maxLength": 1024},
        "content_type": {"description": "The file's media type.", "type": "string", "pattern": "^[a-z]+/[^ ]+"},
        "size": {"description": "The file's size in bytes.", "type": "integer", "minimum": 0},
        "url": {"description": "Where the file is.", "type": "string", "format": "uri"},
        "proxy_url": {"description": "Where a proxied copy of the file is.", "type": "string", "format": "uri"},
        "height": {
          "description": "The image's height in pixels.",
          "anyOf": [{"type": "integer", "minimum": 0}, {"type": "null"}],
          "default": null
        },
        "width": {
          "description": "The image's width in pixels.",
          "anyOf": [{"type": "integer", "minimum": 0}, {"type": "null"}],
          "default": null
        },
        "ephemeral": {"description": "Whether the file goes away after a while.", "type": "boolean"},
        "duration_secs": {"description": "How long a voice message lasts, in seconds.", "type": "number", "minimum": 0},
        "waveform": {
          "description": "The sampled waveform of a voice message, base64.",
          "type": "string",
          "maxLength": 400
        },
        "flags": {"description": "The attachment's flags, as a bit field.", "type": "integer", "minimum": 0}
      },
      "dependentRequired": {"height": ["width"], "width": ["height"], "waveform": ["duration_secs"]}
    },
    "embed_media": {
      "title": "Embed media",
      "description": "An image, thumbnail or video of an embed.",
      "type": "object",
      "properties": {
        "url": {"description": "The source; http, https or attachment.", "type": "string", "format": "uri"},
        "proxy_url": {"description": "A proxied copy of it.", "type": "string", "format": "uri"},
        "height": {"description": "Height in pixels.", "type": "integer", "minimum": 0},
        "width": {"description": "Width in pixels.", "type": "integer", "minimum": 0}
      },
      "dependentRequired": {"height": ["width"], "width": ["height"]}
    },
    "embed_field": {
      "title": "Embed field",
      "description": "One name and value in an embed.",
      "type": "object",
      "required": ["name", "value"],
      "properties": {
        "name": {"description": "The field's name.", "type": "string", "maxLength": 256},
        "value": {"description": "The field's value.", "type": "string", "maxLength": 1024},
        "inline": {"description": "Whether the field may stand beside others.", "type": "boolean"}
      }
    },
    "embed": {
      "title": "Embed",
      "description": "Rich content in a message.",
      "type": "object",
      "properties": {
        "title": {"description": "Title.", "type": "string", "maxLength": 256},
        "type": {
          "description": "What the embed was made from; Discord calls these loosely defined.",
          "enum": ["rich", "image", "video", "gifv", "article", "link", "poll_result", "auto_moderation_message"]
        },
        "description": {"description": "Text.", "type": "string", "maxLength": 4096},
        "url": {"description": "Where the title links to.", "type": "string", "format": "uri"},
        "timestamp": {"description": "The time of the content.", "$ref": "event:trading.common@1#/$defs/instant"},
        "color": {"description": "Colour, red green blue.", "type": "integer", "minimum": 0, "maximum": 16777215},
        "footer": {
          "description": "Footer.",
          "type": "object",
          "required": ["text"],
          "properties": {
            "text": {"description": "The footer's text.", "type": "string", "maxLength": 2048},
            "icon_url": {"description": "The footer's icon.", "type": "string", "format": "uri"},
            "proxy_icon_url": {"description": "A proxied copy of the icon.", "type": "string", "format": "uri"}
          }
        },
        "image": {"description": "Image.", "$ref": "#/$defs/embed_media"},
        "thumbnail": {"description": "Thumbnail.", "$ref": "#/$defs/embed_media"},
        "video": {"description": "Video.", "$ref": "#/$defs/embed_media"},
        "provider": {
          "description": "Who provides the content.",
          "type": "object",
          "properties": {
            "name": {"description": "The provider's name.", "type": "string"},
            "url": {"description": "The provider's address.", "type": "string", "format": "uri"}
          }
        },
        "author": {
          "description": "Who wrote the content.",
          "type": "object",
          "required": ["name"],
          "properties": {
            "name": {"description": "The author's name.", "type": "string", "maxLength": 256},
            "url": {"description": "The author's address.", "type": "string", "format": "uri"},
            "icon_url": {"description": "The author's icon.", "type": "string", "format": "uri"},
            "proxy_icon_url": {"description": "A proxied copy of the icon.", "type": "string", "format": "uri"}
          }
        },
        "fields": {
          "description": "Names and values.",
          "type": "array",
          "maxItems": 25,
          "items": {"$ref": "#/$defs/embed_field"}
        }
      }
    },
    "reaction": {
      "title": "Reaction",
      "description": "One emoji and how often it was used on a message.",
      "type": "object",
      "required": ["count", "me", "emoji"],
      "properties": {
        "count": {"description": "How often, super reactions included.", "type": "integer", "minimum": 0},
        "count_details": {
          "description": "The count by kind.",
          "type": "object",
          "required": ["burst", "normal"],
          "properties": {
            "burst": {"description": "Super reactions.", "type": "integer", "minimum": 0},
            "normal": {"description": "Normal reactions.", "type": "integer", "minimum": 0}
          }
        },
        "me": {"description": "Whether the reading user reacted so.", "type": "boolean"},
        "me_burst": {"description": "Whether the reading user super-reacted so.", "type": "boolean"},
        "emoji": {
          "description": "The emoji: a custom one has an id, a Unicode one has none.",
          "type": "object",
          "required": ["id", "name"],
          "properties": {
            "id": {
              "description": "The custom emoji's id, null for Unicode.",
              "$ref": "#/$defs/nullable_snowflake"
            },
            "name": {
              "description": "The emoji's name or character; null where a custom emoji is gone.",
              "anyOf": [{"type": "string"}, {"type": "null"}],
              "default": null
            }
          }
        },
        "burst_colors": {
          "description": "The colours of super reactions, as #rrggbb.",
          "type": "array",
          "items": {"type": "string", "pattern": "^#[0-9a-fA-F]{6}$"}
        }
      }
    },
    "channel_mention": {
      "title": "Channel mention",
      "description": "A channel that a crossposted message mentions.",
      "type": "object",
      "required": ["id", "guild_id", "type", "name"],
      "properties": {
        "id": {"description": "The channel's id.", "$ref": "#/$defs/snowflake"},
        "guild_id": {"description": "The guild's id.", "$ref": "#/$defs/snowflake"},
        "type": {"description": "The channel's type.", "$ref": "#/$defs/channel_type"},
        "name": {"description": "The channel's name.", "type": "string"}
      }
    },
    "channel_type": {
      "title": "Channel type",
      "description": "0 text, 1 direct message, 2 voice, 3 group message, 4 category, 5 announcement, 10 announcement thread, 11 public thread, 12 private thread, 13 stage, 14 directory, 15 forum, 16 media.",
      "enum": [0, 1, 2, 3, 4, 5, 10, 11, 12, 13, 14, 15, 16]
    },
    "permission_overwrite": {
      "title": "Permission overwrite",
      "description": "What a role or a member may do in a channel.",
      "type": "object",
      "required": ["id", "type", "allow", "deny"],
      "properties": {
        "id": {"description": "The role's or the member's id.", "$ref": "#/$defs/snowflake"},
        "type": {"description": "0 role, 1 member.", "enum": [0, 1]},
        "allow": {"description": "What is allowed.", "$ref": "#/$defs/bit_set"},
        "deny": {"description": "What is denied.", "$ref": "#/$defs/bit_set"}
      }
    },
    "by_snowflake": {
      "title": "By snowflake",
      "description": "Partial objects, each under its id.",
      "type": "object",
      "patternProperties": {"^(?:0|[1-9][0-9]{0,18}|1[0-9]{19})$": {"type": "object"}},
      "additionalProperties": false
    }
  }
}$schema$;
COMMENT ON FUNCTION event_schema."discord.common@1"(jsonb) IS 'Common to Discord events, v1';

CREATE FUNCTION event_schema."discord.channel@1"(data jsonb) RETURNS boolean
LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE
AS $schema$#breaking
{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Discord channel, v1",
  "description": "A channel as Discord's gateway announces it (CHANNEL_CREATE, CHANNEL_UPDATE) and as its API returns it. Open: Discord adds fields at any time.",
  "type": "object",
  "required": ["id", "type"],
  "properties": {
    "id": {"description": "The channel's id.", "$ref": "event:discord.common@1#/$defs/snowflake"},
    "type": {"description": "The channel's type.", "$ref": "event:discord.common@1#/$defs/channel_type"},
    "guild_id": {
      "description": "The guild's id; absent for direct messages.",
      "$ref": "event:discord.common@1#/$defs/snowflake"
    },
    "position": {"description": "Where it stands in the list.", "type": "integer"},
    "permission_overwrites": {
      "description": "Permissions of roles and members.",
      "type": "array",
      "items": {"$ref": "event:discord.common@1#/$defs/permission_overwrite"}
    },
    "name": {
      "description": "The channel's name; direct messages have none.",
      "anyOf": [{"type": "string", "minLength": 1, "maxLength": 100}, {"type": "null"}],
      "default": null
    },
    "topic": {
      "description": "What the channel is about.",
      "anyOf": [{"type": "string", "maxLength": 1024}, {"type": "null"}],
      "default": null
    },
    "nsfw": {"description": "Whether it is age-restricted.", "type": "boolean"},
    "last_message_id": {
      "description": "The last message sent in it.",
      "$ref": "event:discord.common@1#/$defs/nullable_snowflake"
    },
    "bitrate": {"description": "The bit rate of a voice channel.", "type": "integer", "minimum": 8000},
    "user_limit": {
      "description": "How many users a voice channel takes; 0 is no limit.",
      "type": "integer",
      "minimum": 0
    },
    "rate_limit_per_user": {
      "description": "Seconds a user waits between messages.",
      "type": "integer",
      "minimum": 0,
      "maximum": 21600
    },
    "recipients": {
      "description": "Who takes part in direct messages.",
      "type": "array",
      "items": {"$ref": "event:discord.common@1#/$defs/user"}
    },
    "icon": {
      "description": "The hash of a group's icon.",
      "anyOf": [{"type": "string"}, {"type": "null"}],
      "default": null
    },
    "owner_id": {"description": "Who made the group or thread.", "$ref": "event:discord.common@1#/$defs/snowflake"},
    "application_id": {
      "description": "The application that made the group.",
      "$ref": "event:discord.common@1#/$defs/snowflake"
    },
    "managed": {"description": "Whether an application manages the group.", "type": "boolean"},
    "parent_id": {
      "description": "The category of a channel, the channel of a thread.",
      "$ref": "event:discord.common@1#/$defs/nullable_snowflake"
    },
    "last_pin_timestamp": {
      "description": "When a message was last pinned.",
      "$ref": "event:trading.common@1#/$defs/nullable_instant"
    },
    "rtc_region": {
      "description": "The voice region; null is automatic.",
      "anyOf": [{"type": "string"}, {"type": "null"}],
      "default": null
    },
    "video_quality_mode": {"description": "1 automatic, 2 full.", "enum": [1, 2]},
    "message_count": {"description": "Messages in a thread.", "type": "integer", "minimum": 0},
    "member_count": {
      "description": "Members of a thread, counted up to 50.",
      "type": "integer",
      "minimum": 0,
      "maximum": 50
    },
    "total_message_sent": {"description": "Messages ever sent in a thread.", "type": "integer", "minimum": 0}
  }
}$schema$;
COMMENT ON FUNCTION event_schema."discord.channel@1"(jsonb) IS 'Discord channel, v1';

CREATE FUNCTION event_schema."trading.common@2"(data jsonb) RETURNS boolean
LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE
AS $schema${
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Common to all slices, v2",
  "description": "What every slice of the trading application writes in the same way. Definitions for $ref; nothing is an event of this type, so the document itself accepts no instance.",
  "not": {},
  "$defs": {
    "instant": {
      "title": "Instant",
      "description": "A point in time as RFC 3339 writes it, with its offset; fractions of a second to any precision.",
      "type": "string",
      "format": "date-time"
    },
    "nullable_instant": {
      "description": "A point in time, or null where it has not come yet.",
      "anyOf": [{"$ref": "#/$defs/instant"}, {"type": "null"}],
      "default": null
    },
    "uuid": {
      "title": "UUID",
      "description": "A UUID in its usual text form (RFC 9562).",
      "type": "string",
      "format": "uuid"
    },
    "nullable_uuid": {
      "description": "A UUID, or null where there is none.",
      "anyOf": [{"$ref": "#/$defs/uuid"}, {"type": "null"}],
      "default": null
    },
    "symbol": {
      "title": "Symbol",
      "description": "A ticker or trading pair in upper case, without a currency sign: AAPL, BRK.B, BTC/USD, SPY240119C00480000.",
      "type": "string",
      "minLength": 1,
      "maxLength": 32,
      "pattern": "^[A-Z0-9]+(?:[./-][A-Z0-9]+)*$"
    },
    "decimal": {
      "title": "Decimal",
      "description": "An exact decimal: a number, or a string of digits with an optional sign and point. This is how Pydantic describes its Decimal.",
      "anyOf": [{"type": "number"}, {"type": "string", "pattern": "^(?!^[-+.]*$)[+-]?0*\\d*\\.?\\d*$"}]
    },
    "positive_decimal": {
      "title": "Positive decimal",
      "description": "An exact decimal above zero: a number, or a string of digits without sign that are not all zero.",
      "anyOf": [
        {"type": "number", "exclusiveMinimum": 0},
        {"type": "string", "maxLength": 40, "pattern": "^(?![0.]*$)\\d*\\.?\\d*$"}
      ]
    },
    "nullable_positive_decimal": {
      "description": "An exact decimal above zero, or null where it does not apply.",
      "anyOf": [{"$ref": "#/$defs/positive_decimal"}, {"type": "null"}],
      "default": null
    },
    "non_negative_decimal": {
      "title": "Non-negative decimal",
      "description": "An exact decimal, zero or above: a number, or a string of digits without sign.",
      "anyOf": [
        {"type": "number", "minimum": 0},
        {"type": "string", "maxLength": 40, "pattern": "^(?!\\.?$)\\d*\\.?\\d*$"}
      ]
    },
    "nullable_symbol": {
      "description": "A ticker or trading pair, or null where there is none.",
      "anyOf": [{"$ref": "#/$defs/symbol"}, {"type": "null"}],
      "default": null
    },
    "positive_text": {
      "title": "Positive decimal as text",
      "description": "A decimal above zero, as a string: digits, a point where it is needed, no sign, no exponent. No reader can round it.",
      "type": "string",
      "pattern": "^(?:0|[1-9][0-9]*)(?:[.][0-9]+)?$",
      "allOf": [{"pattern": "[1-9]"}],
      "examples": ["126.55", "0.00000001"]
    },
    "nullable_positive_text": {
      "description": "A decimal above zero as a string, or null where it does not apply.",
      "anyOf": [{"$ref": "#/$defs/positive_text"}, {"type": "null"}],
      "default": null
    },
    "non_negative_text": {
      "title": "Decimal as text",
      "description": "A decimal, zero or above, as a string: digits, a point where it is needed, no sign, no exponent.",
      "type": "string",
      "pattern": "^(?:0|[1-9][0-9]*)(?:[.][0-9]+)?$",
      "examples": ["29.205707815", "0"]
    },
    "timeframe": {
      "title": "Time frame",
      "description": "A span of time: s seconds, m minutes, h hours, d days, w weeks, M months.",
      "type": "string",
      "pattern": "^[1-9][0-9]{0,2}[smhdwM]$",
      "examples": ["1m", "4h"]
    }
  }
}$schema$;
COMMENT ON FUNCTION event_schema."trading.common@2"(jsonb) IS 'Common to all slices, v2';

CREATE FUNCTION event_schema."discord.common@2"(data jsonb) RETURNS boolean
LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE
AS $schema${
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Common to Discord events, v2",
  "description": "Objects that occur inside Discord's messages and channels. Objects of Discord's are open: Discord adds fields to them at any time. Definitions for $ref; nothing is an event of this type, so the document itself accepts no instance.",
  "not": {},
  "$defs": {
    "snowflake": {
      "title": "Snowflake",
      "description": "An identifier of Discord's: an unsigned 64-bit integer, always sent as a string of digits because many JSON readers would round it.",
      "type": "string",
      "pattern": "^(?:0|[1-9][0-9]{0,18}|1[0-9]{19})$",
      "allOf": [
        {
          "description": "Up to 18446744073709551615: of twenty digits, those that are less from some digit on. (The pattern above is the one to read.)",
          "pattern": "^(?:.{0,19}$|1[0-7]|18[0-3]|184[0-3]|1844[0-5]|18446[0-6]|184467[0-3]|1844674[0-3]|184467440[0-6]|1844674407[0-2]|18446744073[0-6]|1844674407370[0-8]|18446744073709[0-4]|184467440737095[0-4]|18446744073709550|18446744073709551[0-5]|1844674407370955160|1844674407370955161[0-5]$)"
        }
      ],
      "examples": ["334385199974967042"]
    },
    "nullable_snowflake": {
      "description": "A snowflake, or null.",
      "anyOf": [{"$ref": "#/$defs/snowflake"}, {"type": "null"}],
      "default": null
    },
    "bit_set": {
      "title": "Bit set",
      "description": "A set of permissions as a string of decimal digits.",
      "type": "string",
      "pattern": "^[0-9]{1,20}$"
    },
    "user": {
      "title": "User",
      "description": "A user, bot, or webhook, as far as a message shows it.",
      "type": "object",
      "required": ["id", "username"],
      "properties": {
        "id": {"description": "The user's id.", "$ref": "#/$defs/snowflake"},
        "username": {
          "description": "The user's name, not unique across Discord; a webhook's name may have 80 characters.",
          "type": "string",
          "minLength": 1,
          "maxLength": 80
        },
        "discriminator": {
          "description": "The user's four-digit tag, \"0\" for those that have none any more.",
          "type": "string",
          "pattern": "^(?:0|[0-9]{4})$"
        },
        "global_name": {
          "description": "The display name, if one is set.",
          "anyOf": [{"type": "string", "minLength": 1, "maxLength": 32}, {"type": "null"}],
          "default": null
        },
        "avatar": {
          "description": "The hash of the avatar; animated ones start with a_.",
          "anyOf": [{"type": "string", "pattern": "^(?:a_)?[0-9a-f]{32}$"}, {"type": "null"}],
          "default": null
        },
        "bot": {"description": "Whether the user belongs to an application.", "type": "boolean"},
        "system": {"description": "Whether the user is an official system user of Discord's.", "type": "boolean"},
        "public_flags": {
          "description": "The public flags of the account, as a bit field.",
          "type": "integer",
          "minimum": 0
        }
      }
    },
    "attachment": {
      "title": "Attachment",
      "description": "A file attached to a message.",
      "type": "object",
      "required": ["id", "filename", "size", "url", "proxy_url"],
      "properties": {
        "id": {"description": "The attachment's id.", "$ref": "#/$defs/snowflake"},
        "filename": {"description": "The file's name.", "type": "string", "minLength": 1},
        "description": {"description": "The file's alternative text.", "type": "string", "maxLength": 1024},
        "content_type": {"description": "The file's media type.", "type": "string", "pattern": "^[a-z]+/[^ ]+"},
        "size": {"description": "The file's size in bytes.", "type": "integer", "minimum": 0},
        "url": {"description": "Where the file is.", "type": "string", "format": "uri"},
        "proxy_url": {"description": "Where a proxied copy of the file is.", "type": "string", "format": "uri"},
        "height": {
          "description": "The image's height in pixels.",
          "anyOf": [{"type": "integer", "minimum": 0}, {"type": "null"}],
          "default": null
        },
        "width": {
          "description": "The image's width in pixels.",
          "anyOf": [{"type": "integer", "minimum": 0}, {"type": "null"}],
          "default": null
        },
        "ephemeral": {"description": "Whether the file goes away after a while.", "type": "boolean"},
        "duration_secs": {"description": "How long a voice message lasts, in seconds.", "type": "number", "minimum": 0},
        "waveform": {
          "description": "The sampled waveform of a voice message, base64.",
          "type": "string",
          "maxLength": 400
        },
        "flags": {"description": "The attachment's flags, as a bit field.", "type": "integer", "minimum": 0}
      },
      "dependentRequired": {"height": ["width"], "width": ["height"], "waveform": ["duration_secs"]}
    },
    "embed_media": {
      "title": "Embed media",
      "description": "An image, thumbnail or video of an embed.",
      "type": "object",
      "properties": {
        "url": {"description": "The source; http, https or attachment.", "type": "string", "format": "uri"},
        "proxy_url": {"description": "A proxied copy of it.", "type": "string", "format": "uri"},
        "height": {"description": "Height in pixels.", "type": "integer", "minimum": 0},
        "width": {"description": "Width in pixels.", "type": "integer", "minimum": 0}
      },
      "dependentRequired": {"height": ["width"], "width": ["height"]}
    },
    "embed_field": {
      "title": "Embed field",
      "description": "One name and value in an embed.",
      "type": "object",
      "required": ["name", "value"],
      "properties": {
        "name": {"description": "The field's name.", "type": "string", "maxLength": 256},
        "value": {"description": "The field's value.", "type": "string", "maxLength": 1024},
        "inline": {"description": "Whether the field may stand beside others.", "type": "boolean"}
      }
    },
    "embed": {
      "title": "Embed",
      "description": "Rich content in a message.",
      "type": "object",
      "properties": {
        "title": {"description": "Title.", "type": "string", "maxLength": 256},
        "type": {
          "description": "What the embed was made from; Discord calls these loosely defined.",
          "enum": ["rich", "image", "video", "gifv", "article", "link", "poll_result", "auto_moderation_message"]
        },
        "description": {"description": "Text.", "type": "string", "maxLength": 4096},
        "url": {"description": "Where the title links to.", "type": "string", "format": "uri"},
        "timestamp": {"description": "The time of the content.", "$ref": "event:trading.common@2#/$defs/instant"},
        "color": {"description": "Colour, red green blue.", "type": "integer", "minimum": 0, "maximum": 16777215},
        "footer": {
          "description": "Footer.",
          "type": "object",
          "required": ["text"],
          "properties": {
            "text": {"description": "The footer's text.", "type": "string", "maxLength": 2048},
            "icon_url": {"description": "The footer's icon.", "type": "string", "format": "uri"},
            "proxy_icon_url": {"description": "A proxied copy of the icon.", "type": "string", "format": "uri"}
          }
        },
        "image": {"description": "Image.", "$ref": "#/$defs/embed_media"},
        "thumbnail": {"description": "Thumbnail.", "$ref": "#/$defs/embed_media"},
        "video": {"description": "Video.", "$ref": "#/$defs/embed_media"},
        "provider": {
          "description": "Who provides the content.",
          "type": "object",
          "properties": {
            "name": {"description": "The provider's name.", "type": "string"},
            "url": {"description": "The provider's address.", "type": "string", "format": "uri"}
          }
        },
        "author": {
          "description": "Who wrote the content.",
          "type": "object",
          "required": ["name"],
          "properties": {
            "name": {"description": "The author's name.", "type": "string", "maxLength": 256},
            "url": {"description": "The author's address.", "type": "string", "format": "uri"},
            "icon_url": {"description": "The author's icon.", "type": "string", "format": "uri"},
            "proxy_icon_url": {"description": "A proxied copy of the icon.", "type": "string", "format": "uri"}
          }
        },
        "fields": {
          "description": "Names and values.",
          "type": "array",
          "maxItems": 25,
          "items": {"$ref": "#/$defs/embed_field"}
        }
      }
    },
    "reaction": {
      "title": "Reaction",
      "description": "One emoji and how often it was used on a message.",
      "type": "object",
      "required": ["count", "me", "emoji"],
      "properties": {
        "count": {"description": "How often, super reactions included.", "type": "integer", "minimum": 0},
        "count_details": {
          "description": "The count by kind.",
          "type": "object",
          "required": ["burst", "normal"],
          "properties": {
            "burst": {"description": "Super reactions.", "type": "integer", "minimum": 0},
            "normal": {"description": "Normal reactions.", "type": "integer", "minimum": 0}
          }
        },
        "me": {"description": "Whether the reading user reacted so.", "type": "boolean"},
        "me_burst": {"description": "Whether the reading user super-reacted so.", "type": "boolean"},
        "emoji": {
          "description": "The emoji: a custom one has an id, a Unicode one has none.",
          "type": "object",
          "required": ["id", "name"],
          "properties": {
            "id": {"description": "The custom emoji's id, null for Unicode.", "$ref": "#/$defs/nullable_snowflake"},
            "name": {
              "description": "The emoji's name or character; null where a custom emoji is gone.",
              "anyOf": [{"type": "string"}, {"type": "null"}],
              "default": null
            }
          }
        },
        "burst_colors": {
          "description": "The colours of super reactions, as #rrggbb.",
          "type": "array",
          "items": {"type": "string", "pattern": "^#[0-9a-fA-F]{6}$"}
        }
      }
    },
    "channel_mention": {
      "title": "Channel mention",
      "description": "A channel that a crossposted message mentions.",
      "type": "object",
      "required": ["id", "guild_id", "type", "name"],
      "properties": {
        "id": {"description": "The channel's id.", "$ref": "#/$defs/snowflake"},
        "guild_id": {"description": "The guild's id.", "$ref": "#/$defs/snowflake"},
        "type": {"description": "The channel's type.", "$ref": "#/$defs/channel_type"},
        "name": {"description": "The channel's name.", "type": "string"}
      }
    },
    "channel_type": {
      "title": "Channel type",
      "description": "0 text, 1 direct message, 2 voice, 3 group message, 4 category, 5 announcement, 10 announcement thread, 11 public thread, 12 private thread, 13 stage, 14 directory, 15 forum, 16 media.",
      "enum": [0, 1, 2, 3, 4, 5, 10, 11, 12, 13, 14, 15, 16]
    },
    "permission_overwrite": {
      "title": "Permission overwrite",
      "description": "What a role or a member may do in a channel.",
      "type": "object",
      "required": ["id", "type", "allow", "deny"],
      "properties": {
        "id": {"description": "The role's or the member's id.", "$ref": "#/$defs/snowflake"},
        "type": {"description": "0 role, 1 member.", "enum": [0, 1]},
        "allow": {"description": "What is allowed.", "$ref": "#/$defs/bit_set"},
        "deny": {"description": "What is denied.", "$ref": "#/$defs/bit_set"}
      }
    },
    "by_snowflake": {
      "title": "By snowflake",
      "description": "Partial objects, each under its id.",
      "type": "object",
      "patternProperties": {"^(?:0|[1-9][0-9]{0,18}|1[0-9]{19})$": {"type": "object"}},
      "additionalProperties": false
    },
    "emoji": {
      "title": "Emoji",
      "description": "An emoji: a custom one has an id, a Unicode one has none.",
      "type": "object",
      "properties": {
        "id": {"description": "The custom emoji's id, null for Unicode.", "$ref": "#/$defs/nullable_snowflake"},
        "name": {
          "description": "The emoji's name or character.",
          "anyOf": [{"type": "string"}, {"type": "null"}],
          "default": null
        },
        "animated": {"description": "Whether it moves.", "type": "boolean"}
      }
    },
    "message_reference": {
      "title": "Message reference",
      "description": "The message that this one answers, forwards or was crossposted from.",
      "type": "object",
      "properties": {
        "type": {"description": "0 a reply or the like, 1 a forward.", "enum": [0, 1]},
        "message_id": {"description": "The other message.", "$ref": "#/$defs/snowflake"},
        "channel_id": {"description": "Its channel.", "$ref": "#/$defs/snowflake"},
        "guild_id": {"description": "Its guild.", "$ref": "#/$defs/snowflake"},
        "fail_if_not_exists": {
          "description": "Whether sending fails where the other message is gone.",
          "type": "boolean"
        }
      }
    },
    "referenced_message": {
      "title": "Referenced message",
      "description": "The message that another one answers, as far as Discord sends it along.",
      "type": "object",
      "required": ["id", "channel_id"],
      "properties": {
        "id": {"description": "The message's id.", "$ref": "#/$defs/snowflake"},
        "channel_id": {"description": "Its channel.", "$ref": "#/$defs/snowflake"},
        "author": {"description": "Who sent it.", "$ref": "#/$defs/user"},
        "content": {"description": "Its text.", "type": "string", "maxLength": 4000},
        "timestamp": {"description": "When it was sent.", "$ref": "event:trading.common@2#/$defs/instant"}
      }
    },
    "interaction_metadata": {
      "title": "Interaction metadata",
      "description": "The interaction that a message answers.",
      "type": "object",
      "required": ["id", "type", "user"],
      "properties": {
        "id": {"description": "The interaction's id.", "$ref": "#/$defs/snowflake"},
        "type": {"description": "2 command, 3 component, 4 autocomplete, 5 modal.", "enum": [1, 2, 3, 4, 5]},
        "user": {"description": "Who called it.", "$ref": "#/$defs/user"},
        "name": {"description": "The command's name with its subcommands, where version 1 had it.", "type": "string"},
        "authorizing_integration_owners": {
          "description": "Who installed the application, under the context of the installation: 0 a guild, 1 a user. Absent where the event comes from version 1.",
          "type": "object",
          "patternProperties": {"^[01]$": {"$ref": "#/$defs/snowflake"}}
        },
        "original_response_message_id": {
          "description": "The first answer, in a follow-up.",
          "$ref": "#/$defs/snowflake"
        },
        "target_user": {"description": "The user that a command was called on.", "$ref": "#/$defs/user"},
        "target_message_id": {"description": "The message that a command was called on.", "$ref": "#/$defs/snowflake"},
        "interacted_message_id": {
          "description": "The message with the component that was used.",
          "$ref": "#/$defs/snowflake"
        },
        "triggering_interaction_metadata": {
          "description": "The interaction that opened the modal.",
          "type": "object",
          "required": ["id", "type", "user"],
          "properties": {
            "id": {"description": "The interaction's id.", "$ref": "#/$defs/snowflake"},
            "type": {"description": "2 command, 3 component.", "enum": [1, 2, 3, 4, 5]},
            "user": {"description": "Who called it.", "$ref": "#/$defs/user"}
          }
        }
      }
    },
    "sticker_item": {
      "title": "Sticker item",
      "description": "A sticker, as far as it needs to be drawn.",
      "type": "object",
      "required": ["id", "name", "format_type"],
      "properties": {
        "id": {"description": "The sticker's id.", "$ref": "#/$defs/snowflake"},
        "name": {"description": "The sticker's name.", "type": "string", "maxLength": 30},
        "format_type": {"description": "1 PNG, 2 APNG, 3 Lottie, 4 GIF.", "enum": [1, 2, 3, 4]}
      }
    },
    "poll": {
      "title": "Poll",
      "description": "A question with answers to vote for.",
      "type": "object",
      "required": ["question", "answers", "allow_multiselect", "layout_type"],
      "properties": {
        "question": {
          "description": "The question.",
          "type": "object",
          "required": ["text"],
          "properties": {"text": {"description": "Its text.", "type": "string", "maxLength": 300}}
        },
        "answers": {
          "description": "The answers; at most ten.",
          "type": "array",
          "minItems": 1,
          "maxItems": 10,
          "items": {
            "description": "An answer.",
            "type": "object",
            "required": ["poll_media"],
            "properties": {
              "answer_id": {"description": "The answer's number.", "type": "integer", "minimum": 0},
              "poll_media": {
                "description": "What it shows.",
                "type": "object",
                "properties": {
                  "text": {"description": "Its text.", "type": "string", "maxLength": 55},
                  "emoji": {"description": "Its emoji.", "$ref": "#/$defs/emoji"}
                }
              }
            }
          }
        },
        "expiry": {
          "description": "When the poll ends; null if never.",
          "$ref": "event:trading.common@2#/$defs/nullable_instant"
        },
        "allow_multiselect": {"description": "Whether one may vote for several answers.", "type": "boolean"},
        "layout_type": {"description": "The layout; 1 is the default.", "type": "integer", "minimum": 1},
        "results": {
          "description": "The votes so far.",
          "type": "object",
          "required": ["is_finalized", "answer_counts"],
          "properties": {
            "is_finalized": {"description": "Whether they are counted for good.", "type": "boolean"},
            "answer_counts": {
              "description": "The votes for each answer.",
              "type": "array",
              "items": {
                "description": "The votes for an answer.",
                "type": "object",
                "required": ["id", "count", "me_voted"],
                "properties": {
                  "id": {"description": "The answer's number.", "type": "integer", "minimum": 0},
                  "count": {"description": "How many votes.", "type": "integer", "minimum": 0},
                  "me_voted": {"description": "Whether the reading user voted for it.", "type": "boolean"}
                }
              }
            }
          }
        }
      }
    },
    "component": {
      "title": "Component",
      "description": "A part of a message's layout: a row, a button, a menu, a text. Discord adds kinds.",
      "type": "object",
      "required": ["type"],
      "properties": {
        "type": {
          "description": "1 action row, 2 button, 3 string select, 4 text input, 5 to 8 other selects, 9 section, 10 text display, 11 thumbnail, 12 media gallery, 13 file, 14 separator, 17 container.",
          "type": "integer",
          "minimum": 1
        },
        "id": {"description": "The component's number in the message.", "type": "integer", "minimum": 0},
        "custom_id": {
          "description": "What the application knows it by.",
          "type": "string",
          "minLength": 1,
          "maxLength": 100
        },
        "label": {"description": "The text on a button.", "type": "string", "maxLength": 80},
        "style": {"description": "The style of a button or a text input.", "type": "integer", "minimum": 1},
        "url": {"description": "Where a link button leads to.", "type": "string", "maxLength": 512},
        "disabled": {"description": "Whether it cannot be used.", "type": "boolean"},
        "content": {"description": "The text of a text display.", "type": "string", "maxLength": 4000},
        "components": {
          "description": "The components inside.",
          "type": "array",
          "maxItems": 40,
          "items": {"$ref": "#/$defs/component"}
        }
      }
    },
    "forum_tag": {
      "title": "Forum tag",
      "description": "A tag that threads in a forum or media channel can have.",
      "type": "object",
      "required": ["id", "name"],
      "properties": {
        "id": {"description": "The tag's id.", "$ref": "#/$defs/snowflake"},
        "name": {"description": "The tag's name.", "type": "string", "maxLength": 20},
        "moderated": {"description": "Whether only moderators can set it.", "type": "boolean"},
        "emoji_id": {"description": "The id of its custom emoji.", "$ref": "#/$defs/nullable_snowflake"},
        "emoji_name": {
          "description": "The character of its Unicode emoji.",
          "anyOf": [{"type": "string"}, {"type": "null"}],
          "default": null
        }
      }
    },
    "auto_archive_duration": {
      "title": "Automatic archiving",
      "description": "Minutes without a message after which a thread is archived: an hour, a day, three days, a week.",
      "enum": [60, 1440, 4320, 10080]
    },
    "thread_metadata": {
      "title": "Thread metadata",
      "description": "What a thread has that other channels have not.",
      "type": "object",
      "required": ["archived", "auto_archive_duration", "archive_timestamp", "locked"],
      "properties": {
        "archived": {"description": "Whether it is archived.", "type": "boolean"},
        "auto_archive_duration": {
          "description": "Minutes without a message after which it is archived.",
          "$ref": "#/$defs/auto_archive_duration"
        },
        "archive_timestamp": {
          "description": "When its archiving last changed.",
          "$ref": "event:trading.common@2#/$defs/instant"
        },
        "locked": {"description": "Whether only moderators can open it again.", "type": "boolean"},
        "invitable": {"description": "Whether members can invite others to a private thread.", "type": "boolean"},
        "create_timestamp": {
          "description": "When it was made; null for old threads.",
          "$ref": "event:trading.common@2#/$defs/nullable_instant"
        }
      }
    }
  }
}$schema$;
COMMENT ON FUNCTION event_schema."discord.common@2"(jsonb) IS 'Common to Discord events, v2';

CREATE FUNCTION event_schema."discord.channel@2"(data jsonb) RETURNS boolean
LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE
AS $schema${
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Discord channel, v2",
  "description": "A channel as Discord's gateway announces it (CHANNEL_CREATE, CHANNEL_UPDATE) and as its API returns it. Open: Discord adds fields at any time. Version 2 knows forums, their tags and threads.",
  "type": "object",
  "required": ["id", "type"],
  "properties": {
    "id": {"description": "The channel's id.", "$ref": "event:discord.common@2#/$defs/snowflake"},
    "type": {"description": "The channel's type.", "$ref": "event:discord.common@2#/$defs/channel_type"},
    "guild_id": {
      "description": "The guild's id; absent for direct messages.",
      "$ref": "event:discord.common@2#/$defs/snowflake"
    },
    "position": {"description": "Where it stands in the list.", "type": "integer"},
    "permission_overwrites": {
      "description": "Permissions of roles and members.",
      "type": "array",
      "items": {"$ref": "event:discord.common@2#/$defs/permission_overwrite"}
    },
    "name": {
      "description": "The channel's name; direct messages have none.",
      "anyOf": [{"type": "string", "minLength": 1, "maxLength": 100}, {"type": "null"}],
      "default": null
    },
    "topic": {
      "description": "What the channel is about: up to 1,024 characters, in a forum or media channel (types 15 and 16) up to 4,096.",
      "anyOf": [{"type": "string", "maxLength": 4096}, {"type": "null"}],
      "default": null
    },
    "nsfw": {"description": "Whether it is age-restricted.", "type": "boolean"},
    "last_message_id": {
      "description": "The last message sent in it.",
      "$ref": "event:discord.common@2#/$defs/nullable_snowflake"
    },
    "bitrate": {"description": "The bit rate of a voice channel.", "type": "integer", "minimum": 8000},
    "user_limit": {
      "description": "How many users a voice channel takes; 0 is no limit.",
      "type": "integer",
      "minimum": 0
    },
    "rate_limit_per_user": {
      "description": "Seconds a user waits between messages.",
      "type": "integer",
      "minimum": 0,
      "maximum": 21600
    },
    "recipients": {
      "description": "Who takes part in direct messages.",
      "type": "array",
      "items": {"$ref": "event:discord.common@2#/$defs/user"}
    },
    "icon": {
      "description": "The hash of a group's icon.",
      "anyOf": [{"type": "string"}, {"type": "null"}],
      "default": null
    },
    "owner_id": {"description": "Who made the group or thread.", "$ref": "event:discord.common@2#/$defs/snowflake"},
    "application_id": {
      "description": "The application that made the group.",
      "$ref": "event:discord.common@2#/$defs/snowflake"
    },
    "managed": {"description": "Whether an application manages the group.", "type": "boolean"},
    "parent_id": {
      "description": "The category of a channel, the channel of a thread.",
      "$ref": "event:discord.common@2#/$defs/nullable_snowflake"
    },
    "last_pin_timestamp": {
      "description": "When a message was last pinned.",
      "$ref": "event:trading.common@2#/$defs/nullable_instant"
    },
    "rtc_region": {
      "description": "The voice region; null is automatic.",
      "anyOf": [{"type": "string"}, {"type": "null"}],
      "default": null
    },
    "video_quality_mode": {"description": "1 automatic, 2 full.", "enum": [1, 2]},
    "message_count": {"description": "Messages in a thread.", "type": "integer", "minimum": 0},
    "member_count": {
      "description": "Members of a thread, counted up to 50.",
      "type": "integer",
      "minimum": 0,
      "maximum": 50
    },
    "total_message_sent": {"description": "Messages ever sent in a thread.", "type": "integer", "minimum": 0},
    "flags": {
      "description": "Channel flags, as a bit field: 2 pinned in its forum, 16 a tag is required, 32768 no download of media.",
      "type": "integer",
      "minimum": 0
    },
    "available_tags": {
      "description": "The tags of a forum or media channel; at most twenty.",
      "type": "array",
      "items": {"$ref": "event:discord.common@2#/$defs/forum_tag"},
      "maxItems": 20
    },
    "applied_tags": {
      "description": "The tags of a thread; at most five.",
      "type": "array",
      "items": {"$ref": "event:discord.common@2#/$defs/snowflake"},
      "maxItems": 5
    },
    "default_auto_archive_duration": {
      "description": "Minutes without a message after which its new threads are archived.",
      "$ref": "event:discord.common@2#/$defs/auto_archive_duration"
    },
    "default_thread_rate_limit_per_user": {
      "description": "Seconds a user waits between messages in its new threads.",
      "type": "integer",
      "minimum": 0,
      "maximum": 21600
    },
    "default_sort_order": {
      "description": "How a forum sorts: 0 by last message, 1 by creation.",
      "anyOf": [{"enum": [0, 1]}, {"type": "null"}],
      "default": null
    },
    "default_forum_layout": {
      "description": "How a forum shows its threads: 0 not set, 1 list, 2 gallery.",
      "enum": [0, 1, 2]
    },
    "thread_metadata": {
      "description": "What a thread has that other channels have not.",
      "$ref": "event:discord.common@2#/$defs/thread_metadata"
    }
  },
  "if": {"required": ["type"], "properties": {"type": {"enum": [15, 16]}}},
  "else": {"properties": {"topic": {"maxLength": 1024}}}
}$schema$;
COMMENT ON FUNCTION event_schema."discord.channel@2"(jsonb) IS 'Discord channel, v2';

CREATE FUNCTION event_schema."discord.message.create@0"(data jsonb) RETURNS boolean
LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE
AS $schema${
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Discord message created, legacy",
  "description": "A message of which at least the id is known, and the channel, the author or the text. Open and loose: what it needs to be one of its kind, nothing more.",
  "type": "object",
  "required": ["id"],
  "properties": {
    "id": {"description": "The message's id.", "$ref": "event:trading.common@0#/$defs/id"},
    "channel_id": {"description": "Its channel.", "$ref": "event:trading.common@0#/$defs/id"},
    "guild_id": {
      "description": "Its guild.",
      "anyOf": [{"$ref": "event:trading.common@0#/$defs/id"}, {"type": "null"}]
    },
    "author": {"description": "Who sent it.", "$ref": "event:trading.common@0#/$defs/object"},
    "content": {"description": "Its text, of any length.", "$ref": "event:trading.common@0#/$defs/text"},
    "timestamp": {"description": "When it was sent.", "$ref": "event:trading.common@0#/$defs/time"},
    "edited_timestamp": {"description": "When it was last edited.", "$ref": "event:trading.common@0#/$defs/time"},
    "embeds": {"description": "Rich content.", "$ref": "event:trading.common@0#/$defs/array"},
    "attachments": {"description": "Attached files.", "$ref": "event:trading.common@0#/$defs/array"},
    "mentions": {"description": "The users that it mentions.", "$ref": "event:trading.common@0#/$defs/array"}
  },
  "anyOf": [{"required": ["channel_id"]}, {"required": ["author"]}, {"required": ["content"]}]
}$schema$;
COMMENT ON FUNCTION event_schema."discord.message.create@0"(jsonb) IS 'Discord message created, legacy';

CREATE FUNCTION event_schema."discord.message.create@1"(data jsonb) RETURNS boolean
LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE
AS $schema$#breaking
{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Discord message created, v1",
  "description": "A message as Discord's gateway announces it (MESSAGE_CREATE) and as its API returns it. Open: Discord adds fields at any time, and a message must not be lost for one.",
  "type": "object",
  "required": [
    "id", "channel_id", "author", "content", "timestamp", "edited_timestamp", "tts", "mention_everyone", "mentions",
    "mention_roles", "attachments", "embeds", "pinned", "type"
  ],
  "properties": {
    "id": {
      "description": "The message's id; its upper bits are the time it was made.",
      "$ref": "event:discord.common@1#/$defs/snowflake"
    },
    "channel_id": {"description": "The channel that it was sent in.", "$ref": "event:discord.common@1#/$defs/snowflake"},
    "guild_id": {
      "description": "The guild that it was sent in; absent in direct messages.",
      "$ref": "event:discord.common@1#/$defs/snowflake"
    },
    "author": {
      "description": "Who sent it; for a webhook's message, the webhook's id, name and avatar.",
      "$ref": "event:discord.common@1#/$defs/user"
    },
    "content": {
      "description": "The text: may be empty; 2,000 characters, 4,000 for some accounts.",
      "type": "string",
      "maxLength": 4000
    },
    "timestamp": {"description": "When it was sent.", "$ref": "event:trading.common@1#/$defs/instant"},
    "edited_timestamp": {
      "description": "When it was last edited; null if never.",
      "$ref": "event:trading.common@1#/$defs/nullable_instant"
    },
    "tts": {"description": "Whether it is to be read aloud.", "type": "boolean"},
    "mention_everyone": {"description": "Whether it mentions everyone.", "type": "boolean"},
    "mentions": {
      "description": "The users that it mentions.",
      "type": "array",
      "items": {"$ref": "event:discord.common@1#/$defs/user"}
    },
    "mention_roles": {
      "description": "The ids of the roles that it mentions.",
      "type": "array",
      "items": {"$ref": "event:discord.common@1#/$defs/snowflake"}
    },
    "mention_channels": {
      "description": "The channels that a crossposted message mentions.",
      "type": "array",
      "items": {"$ref": "event:discord.common@1#/$defs/channel_mention"}
    },
    "attachments": {
      "description": "Attached files.",
      "type": "array",
      "items": {"$ref": "event:discord.common@1#/$defs/attachment"}
    },
    "embeds": {
      "description": "Rich content; at most ten.",
      "type": "array",
      "items": {"$ref": "event:discord.common@1#/$defs/embed"},
      "maxItems": 10
    },
    "reactions": {
      "description": "Reactions to it.",
      "type": "array",
      "items": {"$ref": "event:discord.common@1#/$defs/reaction"}
    },
    "nonce": {
      "description": "What the sender gave it to know it again by: an integer, or a string of up to 25 characters.",
      "anyOf": [{"type": "integer"}, {"type": "string", "maxLength": 25}]
    },
    "pinned": {"description": "Whether it is pinned.", "type": "boolean"},
    "webhook_id": {"description": "The webhook that made it.", "$ref": "event:discord.common@1#/$defs/snowflake"},
    "type": {
      "description": "The type of message: 0 default, 19 reply, 20 command, and others that Discord adds.",
      "type": "integer",
      "minimum": 0
    },
    "flags": {"description": "Message flags, as a bit field.", "type": "integer", "minimum": 0},
    "application_id": {
      "description": "The application, where it answers an interaction.",
      "$ref": "event:discord.common@1#/$defs/snowflake"
    },
    "position": {"description": "Roughly where it stands in a thread.", "type": "integer", "minimum": 0},
    "interaction": {
      "description": "The interaction that it answers. Version 2 has interaction_metadata instead.",
      "type": "object",
      "deprecated": true,
      "required": ["id", "type", "name", "user"],
      "properties": {
        "id": {"description": "The interaction's id.", "$ref": "event:discord.common@1#/$defs/snowflake"},
        "type": {"description": "2 command, 3 component, 4 autocomplete, 5 modal.", "enum": [1, 2, 3, 4, 5]},
        "name": {"description": "The command's name with its subcommands.", "type": "string"},
        "user": {"description": "Who called it.", "$ref": "event:discord.common@1#/$defs/user"}
      }
    },
    "stickers": {
      "description": "Stickers sent with it. Version 2 has sticker_items instead.",
      "type": "array",
      "items": {
        "description": "A sticker.",
        "type": "object",
        "required": ["id", "name", "format_type"],
        "properties": {
          "id": {"description": "The sticker's id.", "$ref": "event:discord.common@1#/$defs/snowflake"},
          "name": {"description": "The sticker's name.", "type": "string", "maxLength": 30},
          "format_type": {"description": "1 PNG, 2 APNG, 3 Lottie, 4 GIF.", "enum": [1, 2, 3, 4]}
        }
      },
      "maxItems": 3,
      "deprecated": true
    },
    "resolved": {
      "description": "Data for what the message's select menus chose.",
      "type": "object",
      "properties": {
        "users": {"description": "Users.", "$ref": "event:discord.common@1#/$defs/by_snowflake"},
        "members": {"description": "Members.", "$ref": "event:discord.common@1#/$defs/by_snowflake"},
        "roles": {"description": "Roles.", "$ref": "event:discord.common@1#/$defs/by_snowflake"},
        "channels": {"description": "Channels.", "$ref": "event:discord.common@1#/$defs/by_snowflake"}
      }
    }
  }
}$schema$;
COMMENT ON FUNCTION event_schema."discord.message.create@1"(jsonb) IS 'Discord message created, v1';

CREATE FUNCTION event_schema."discord.message.create@2"(data jsonb) RETURNS boolean
LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE
AS $schema${
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Discord message created, v2",
  "description": "A message as Discord's gateway announces it (MESSAGE_CREATE) and as its API returns it. Open: Discord adds fields at any time, and a message must not be lost for one. Version 2 has interaction_metadata and sticker_items for the deprecated interaction and stickers, and knows replies, polls and components.",
  "type": "object",
  "required": [
    "id", "channel_id", "author", "content", "timestamp", "edited_timestamp", "tts", "mention_everyone", "mentions",
    "mention_roles", "attachments", "embeds", "pinned", "type"
  ],
  "properties": {
    "id": {
      "description": "The message's id; its upper bits are the time it was made.",
      "$ref": "event:discord.common@2#/$defs/snowflake"
    },
    "channel_id": {
      "description": "The channel that it was sent in.",
      "$ref": "event:discord.common@2#/$defs/snowflake"
    },
    "guild_id": {
      "description": "The guild that it was sent in; absent in direct messages.",
      "$ref": "event:discord.common@2#/$defs/snowflake"
    },
    "author": {
      "description": "Who sent it; for a webhook's message, the webhook's id, name and avatar.",
      "$ref": "event:discord.common@2#/$defs/user"
    },
    "content": {
      "description": "The text: may be empty; 2,000 characters, 4,000 for some accounts.",
      "type": "string",
      "maxLength": 4000
    },
    "timestamp": {"description": "When it was sent.", "$ref": "event:trading.common@2#/$defs/instant"},
    "edited_timestamp": {
      "description": "When it was last edited; null if never.",
      "$ref": "event:trading.common@2#/$defs/nullable_instant"
    },
    "tts": {"description": "Whether it is to be read aloud.", "type": "boolean"},
    "mention_everyone": {"description": "Whether it mentions everyone.", "type": "boolean"},
    "mentions": {
      "description": "The users that it mentions.",
      "type": "array",
      "items": {"$ref": "event:discord.common@2#/$defs/user"}
    },
    "mention_roles": {
      "description": "The ids of the roles that it mentions.",
      "type": "array",
      "items": {"$ref": "event:discord.common@2#/$defs/snowflake"}
    },
    "mention_channels": {
      "description": "The channels that a crossposted message mentions.",
      "type": "array",
      "items": {"$ref": "event:discord.common@2#/$defs/channel_mention"}
    },
    "attachments": {
      "description": "Attached files.",
      "type": "array",
      "items": {"$ref": "event:discord.common@2#/$defs/attachment"}
    },
    "embeds": {
      "description": "Rich content; at most ten.",
      "type": "array",
      "items": {"$ref": "event:discord.common@2#/$defs/embed"},
      "maxItems": 10
    },
    "reactions": {
      "description": "Reactions to it.",
      "type": "array",
      "items": {"$ref": "event:discord.common@2#/$defs/reaction"}
    },
    "nonce": {
      "description": "What the sender gave it to know it again by: an integer, or a string of up to 25 characters.",
      "anyOf": [{"type": "integer"}, {"type": "string", "maxLength": 25}]
    },
    "pinned": {"description": "Whether it is pinned.", "type": "boolean"},
    "webhook_id": {"description": "The webhook that made it.", "$ref": "event:discord.common@2#/$defs/snowflake"},
    "type": {
      "description": "The type of message: 0 default, 19 reply, 20 command, and others that Discord adds.",
      "type": "integer",
      "minimum": 0
    },
    "flags": {
      "description": "Message flags, as a bit field: 1 crossposted, 2 is a crosspost, 4 embeds suppressed, 64 ephemeral, 8192 voice message, 32768 made of components, and others.",
      "type": "integer",
      "minimum": 0
    },
    "message_reference": {
      "description": "The message that it answers or forwards.",
      "$ref": "event:discord.common@2#/$defs/message_reference"
    },
    "referenced_message": {
      "description": "The message that it answers; null where that is gone.",
      "anyOf": [{"$ref": "event:discord.common@2#/$defs/referenced_message"}, {"type": "null"}],
      "default": null
    },
    "interaction_metadata": {
      "description": "The interaction that it answers.",
      "$ref": "event:discord.common@2#/$defs/interaction_metadata"
    },
    "sticker_items": {
      "description": "Stickers sent with it; at most three.",
      "type": "array",
      "items": {"$ref": "event:discord.common@2#/$defs/sticker_item"},
      "maxItems": 3
    },
    "poll": {"description": "A poll.", "$ref": "event:discord.common@2#/$defs/poll"},
    "components": {
      "description": "Buttons, menus and other components.",
      "type": "array",
      "items": {"$ref": "event:discord.common@2#/$defs/component"},
      "maxItems": 40
    },
    "application_id": {
      "description": "The application, where it answers an interaction.",
      "$ref": "event:discord.common@2#/$defs/snowflake"
    },
    "position": {"description": "Roughly where it stands in a thread.", "type": "integer", "minimum": 0},
    "resolved": {
      "description": "Data for what the message's select menus chose.",
      "type": "object",
      "properties": {
        "users": {"description": "Users.", "$ref": "event:discord.common@2#/$defs/by_snowflake"},
        "members": {"description": "Members.", "$ref": "event:discord.common@2#/$defs/by_snowflake"},
        "roles": {"description": "Roles.", "$ref": "event:discord.common@2#/$defs/by_snowflake"},
        "channels": {"description": "Channels.", "$ref": "event:discord.common@2#/$defs/by_snowflake"}
      }
    }
  }
}$schema$;
COMMENT ON FUNCTION event_schema."discord.message.create@2"(jsonb) IS 'Discord message created, v2';

CREATE FUNCTION event_schema."discord.message.delete@0"(data jsonb) RETURNS boolean
LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE
AS $schema${
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Discord message deleted, legacy",
  "description": "That the message with this id is gone. What has a text or an author is a message that is there, what has a type or a name is something else. Open and loose: what it needs to be one of its kind, nothing more.",
  "type": "object",
  "required": ["id"],
  "properties": {
    "id": {"description": "The message's id.", "$ref": "event:trading.common@0#/$defs/id"},
    "channel_id": {
      "description": "Its channel.",
      "anyOf": [{"$ref": "event:trading.common@0#/$defs/id"}, {"type": "null"}]
    },
    "guild_id": {
      "description": "Its guild.",
      "anyOf": [{"$ref": "event:trading.common@0#/$defs/id"}, {"type": "null"}]
    },
    "content": false,
    "author": false,
    "embeds": false,
    "edited_timestamp": false,
    "type": false,
    "name": false,
    "symbol": false
  }
}$schema$;
COMMENT ON FUNCTION event_schema."discord.message.delete@0"(jsonb) IS 'Discord message deleted, legacy';

CREATE FUNCTION event_schema."discord.message.delete@1"(data jsonb) RETURNS boolean
LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE
AS $schema$#breaking
{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Discord message deleted, v1",
  "description": "That a message is gone (MESSAGE_DELETE): ids, nothing else. Closed: content has no place in it.",
  "type": "object",
  "required": ["id", "channel_id"],
  "additionalProperties": false,
  "properties": {
    "id": {
      "description": "The message's id; its upper bits are the time it was made.",
      "$ref": "event:discord.common@1#/$defs/snowflake"
    },
    "channel_id": {"description": "The channel that it was sent in.", "$ref": "event:discord.common@1#/$defs/snowflake"},
    "guild_id": {
      "description": "The guild that it was sent in; absent in direct messages.",
      "$ref": "event:discord.common@1#/$defs/snowflake"
    }
  }
}$schema$;
COMMENT ON FUNCTION event_schema."discord.message.delete@1"(jsonb) IS 'Discord message deleted, v1';

CREATE FUNCTION event_schema."discord.message.delete@2"(data jsonb) RETURNS boolean
LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE
AS $schema${
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Discord message deleted, v2",
  "description": "That a message is gone (MESSAGE_DELETE): ids, nothing else. Closed: content has no place in it. Version 2 says the same as version 1: it exists so that the messages' types go together.",
  "type": "object",
  "required": ["id", "channel_id"],
  "additionalProperties": false,
  "properties": {
    "id": {
      "description": "The message's id; its upper bits are the time it was made.",
      "$ref": "event:discord.common@2#/$defs/snowflake"
    },
    "channel_id": {
      "description": "The channel that it was sent in.",
      "$ref": "event:discord.common@2#/$defs/snowflake"
    },
    "guild_id": {
      "description": "The guild that it was sent in; absent in direct messages.",
      "$ref": "event:discord.common@2#/$defs/snowflake"
    }
  }
}$schema$;
COMMENT ON FUNCTION event_schema."discord.message.delete@2"(jsonb) IS 'Discord message deleted, v2';

CREATE FUNCTION event_schema."discord.message.update@0"(data jsonb) RETURNS boolean
LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE
AS $schema${
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Discord message updated, legacy",
  "description": "A change to a message of which at least the id is known, and what changed or where. Open and loose: what it needs to be one of its kind, nothing more.",
  "type": "object",
  "required": ["id"],
  "properties": {
    "id": {"description": "The message's id.", "$ref": "event:trading.common@0#/$defs/id"},
    "channel_id": {"description": "Its channel.", "$ref": "event:trading.common@0#/$defs/id"},
    "guild_id": {
      "description": "Its guild.",
      "anyOf": [{"$ref": "event:trading.common@0#/$defs/id"}, {"type": "null"}]
    },
    "author": {"description": "Who sent it.", "$ref": "event:trading.common@0#/$defs/object"},
    "content": {"description": "Its text, of any length.", "$ref": "event:trading.common@0#/$defs/text"},
    "timestamp": {"description": "When it was sent.", "$ref": "event:trading.common@0#/$defs/time"},
    "edited_timestamp": {"description": "When it was last edited.", "$ref": "event:trading.common@0#/$defs/time"},
    "embeds": {"description": "Rich content.", "$ref": "event:trading.common@0#/$defs/array"},
    "attachments": {"description": "Attached files.", "$ref": "event:trading.common@0#/$defs/array"},
    "mentions": {"description": "The users that it mentions.", "$ref": "event:trading.common@0#/$defs/array"}
  },
  "anyOf": [
    {"required": ["channel_id"]},
    {"required": ["content"]},
    {"required": ["embeds"]},
    {"required": ["edited_timestamp"]}
  ]
}$schema$;
COMMENT ON FUNCTION event_schema."discord.message.update@0"(jsonb) IS 'Discord message updated, legacy';

CREATE FUNCTION event_schema."discord.message.update@1"(data jsonb) RETURNS boolean
LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE
AS $schema$#breaking
{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Discord message updated, v1",
  "description": "What changed in a message (MESSAGE_UPDATE): the ids always, of the rest what Discord sends. Open, as the message is.",
  "type": "object",
  "required": ["id", "channel_id"],
  "properties": {
    "id": {
      "description": "The message's id; its upper bits are the time it was made.",
      "$ref": "event:discord.common@1#/$defs/snowflake"
    },
    "channel_id": {"description": "The channel that it was sent in.", "$ref": "event:discord.common@1#/$defs/snowflake"},
    "guild_id": {
      "description": "The guild that it was sent in; absent in direct messages.",
      "$ref": "event:discord.common@1#/$defs/snowflake"
    },
    "author": {
      "description": "Who sent it; for a webhook's message, the webhook's id, name and avatar.",
      "$ref": "event:discord.common@1#/$defs/user"
    },
    "content": {
      "description": "The text: may be empty; 2,000 characters, 4,000 for some accounts.",
      "type": "string",
      "maxLength": 4000
    },
    "timestamp": {"description": "When it was sent.", "$ref": "event:trading.common@1#/$defs/instant"},
    "edited_timestamp": {
      "description": "When it was last edited; null if never.",
      "$ref": "event:trading.common@1#/$defs/nullable_instant"
    },
    "tts": {"description": "Whether it is to be read aloud.", "type": "boolean"},
    "mention_everyone": {"description": "Whether it mentions everyone.", "type": "boolean"},
    "mentions": {
      "description": "The users that it mentions.",
      "type": "array",
      "items": {"$ref": "event:discord.common@1#/$defs/user"}
    },
    "mention_roles": {
      "description": "The ids of the roles that it mentions.",
      "type": "array",
      "items": {"$ref": "event:discord.common@1#/$defs/snowflake"}
    },
    "mention_channels": {
      "description": "The channels that a crossposted message mentions.",
      "type": "array",
      "items": {"$ref": "event:discord.common@1#/$defs/channel_mention"}
    },
    "attachments": {
      "description": "Attached files.",
      "type": "array",
      "items": {"$ref": "event:discord.common@1#/$defs/attachment"}
    },
    "embeds": {
      "description": "Rich content; at most ten.",
      "type": "array",
      "items": {"$ref": "event:discord.common@1#/$defs/embed"},
      "maxItems": 10
    },
    "reactions": {
      "description": "Reactions to it.",
      "type": "array",
      "items": {"$ref": "event:discord.common@1#/$defs/reaction"}
    },
    "nonce": {
      "description": "What the sender gave it to know it again by: an integer, or a string of up to 25 characters.",
      "anyOf": [{"type": "integer"}, {"type": "string", "maxLength": 25}]
    },
    "pinned": {"description": "Whether it is pinned.", "type": "boolean"},
    "webhook_id": {"description": "The webhook that made it.", "$ref": "event:discord.common@1#/$defs/snowflake"},
    "type": {
      "description": "The type of message: 0 default, 19 reply, 20 command, and others that Discord adds.",
      "type": "integer",
      "minimum": 0
    },
    "flags": {"description": "Message flags, as a bit field.", "type": "integer", "minimum": 0},
    "application_id": {
      "description": "The application, where it answers an interaction.",
      "$ref": "event:discord.common@1#/$defs/snowflake"
    },
    "position": {"description": "Roughly where it stands in a thread.", "type": "integer", "minimum": 0},
    "interaction": {
      "description": "The interaction that it answers. Version 2 has interaction_metadata instead.",
      "type": "object",
      "deprecated": true,
      "required": ["id", "type", "name", "user"],
      "properties": {
        "id": {"description": "The interaction's id.", "$ref": "event:discord.common@1#/$defs/snowflake"},
        "type": {"description": "2 command, 3 component, 4 autocomplete, 5 modal.", "enum": [1, 2, 3, 4, 5]},
        "name": {"description": "The command's name with its subcommands.", "type": "string"},
        "user": {"description": "Who called it.", "$ref": "event:discord.common@1#/$defs/user"}
      }
    },
    "stickers": {
      "description": "Stickers sent with it. Version 2 has sticker_items instead.",
      "type": "array",
      "items": {
        "description": "A sticker.",
        "type": "object",
        "required": ["id", "name", "format_type"],
        "properties": {
          "id": {"description": "The sticker's id.", "$ref": "event:discord.common@1#/$defs/snowflake"},
          "name": {"description": "The sticker's name.", "type": "string", "maxLength": 30},
          "format_type": {"description": "1 PNG, 2 APNG, 3 Lottie, 4 GIF.", "enum": [1, 2, 3, 4]}
        }
      },
      "maxItems": 3,
      "deprecated": true
    },
    "resolved": {
      "description": "Data for what the message's select menus chose.",
      "type": "object",
      "properties": {
        "users": {"description": "Users.", "$ref": "event:discord.common@1#/$defs/by_snowflake"},
        "members": {"description": "Members.", "$ref": "event:discord.common@1#/$defs/by_snowflake"},
        "roles": {"description": "Roles.", "$ref": "event:discord.common@1#/$defs/by_snowflake"},
        "channels": {"description": "Channels.", "$ref": "event:discord.common@1#/$defs/by_snowflake"}
      }
    }
  }
}$schema$;
COMMENT ON FUNCTION event_schema."discord.message.update@1"(jsonb) IS 'Discord message updated, v1';

CREATE FUNCTION event_schema."discord.message.update@2"(data jsonb) RETURNS boolean
LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE
AS $schema${
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Discord message updated, v2",
  "description": "What changed in a message (MESSAGE_UPDATE): the ids always, of the rest what Discord sends. Open, as the message is. Version 2 has interaction_metadata and sticker_items for the deprecated interaction and stickers, and knows replies, polls and components.",
  "type": "object",
  "required": ["id", "channel_id"],
  "properties": {
    "id": {
      "description": "The message's id; its upper bits are the time it was made.",
      "$ref": "event:discord.common@2#/$defs/snowflake"
    },
    "channel_id": {
      "description": "The channel that it was sent in.",
      "$ref": "event:discord.common@2#/$defs/snowflake"
    },
    "guild_id": {
      "description": "The guild that it was sent in; absent in direct messages.",
      "$ref": "event:discord.common@2#/$defs/snowflake"
    },
    "author": {
      "description": "Who sent it; for a webhook's message, the webhook's id, name and avatar.",
      "$ref": "event:discord.common@2#/$defs/user"
    },
    "content": {
      "description": "The text: may be empty; 2,000 characters, 4,000 for some accounts.",
      "type": "string",
      "maxLength": 4000
    },
    "timestamp": {"description": "When it was sent.", "$ref": "event:trading.common@2#/$defs/instant"},
    "edited_timestamp": {
      "description": "When it was last edited; null if never.",
      "$ref": "event:trading.common@2#/$defs/nullable_instant"
    },
    "tts": {"description": "Whether it is to be read aloud.", "type": "boolean"},
    "mention_everyone": {"description": "Whether it mentions everyone.", "type": "boolean"},
    "mentions": {
      "description": "The users that it mentions.",
      "type": "array",
      "items": {"$ref": "event:discord.common@2#/$defs/user"}
    },
    "mention_roles": {
      "description": "The ids of the roles that it mentions.",
      "type": "array",
      "items": {"$ref": "event:discord.common@2#/$defs/snowflake"}
    },
    "mention_channels": {
      "description": "The channels that a crossposted message mentions.",
      "type": "array",
      "items": {"$ref": "event:discord.common@2#/$defs/channel_mention"}
    },
    "attachments": {
      "description": "Attached files.",
      "type": "array",
      "items": {"$ref": "event:discord.common@2#/$defs/attachment"}
    },
    "embeds": {
      "description": "Rich content; at most ten.",
      "type": "array",
      "items": {"$ref": "event:discord.common@2#/$defs/embed"},
      "maxItems": 10
    },
    "reactions": {
      "description": "Reactions to it.",
      "type": "array",
      "items": {"$ref": "event:discord.common@2#/$defs/reaction"}
    },
    "nonce": {
      "description": "What the sender gave it to know it again by: an integer, or a string of up to 25 characters.",
      "anyOf": [{"type": "integer"}, {"type": "string", "maxLength": 25}]
    },
    "pinned": {"description": "Whether it is pinned.", "type": "boolean"},
    "webhook_id": {"description": "The webhook that made it.", "$ref": "event:discord.common@2#/$defs/snowflake"},
    "type": {
      "description": "The type of message: 0 default, 19 reply, 20 command, and others that Discord adds.",
      "type": "integer",
      "minimum": 0
    },
    "flags": {
      "description": "Message flags, as a bit field: 1 crossposted, 2 is a crosspost, 4 embeds suppressed, 64 ephemeral, 8192 voice message, 32768 made of components, and others.",
      "type": "integer",
      "minimum": 0
    },
    "message_reference": {
      "description": "The message that it answers or forwards.",
      "$ref": "event:discord.common@2#/$defs/message_reference"
    },
    "referenced_message": {
      "description": "The message that it answers; null where that is gone.",
      "anyOf": [{"$ref": "event:discord.common@2#/$defs/referenced_message"}, {"type": "null"}],
      "default": null
    },
    "interaction_metadata": {
      "description": "The interaction that it answers.",
      "$ref": "event:discord.common@2#/$defs/interaction_metadata"
    },
    "sticker_items": {
      "description": "Stickers sent with it; at most three.",
      "type": "array",
      "items": {"$ref": "event:discord.common@2#/$defs/sticker_item"},
      "maxItems": 3
    },
    "poll": {"description": "A poll.", "$ref": "event:discord.common@2#/$defs/poll"},
    "components": {
      "description": "Buttons, menus and other components.",
      "type": "array",
      "items": {"$ref": "event:discord.common@2#/$defs/component"},
      "maxItems": 40
    },
    "application_id": {
      "description": "The application, where it answers an interaction.",
      "$ref": "event:discord.common@2#/$defs/snowflake"
    },
    "position": {"description": "Roughly where it stands in a thread.", "type": "integer", "minimum": 0},
    "resolved": {
      "description": "Data for what the message's select menus chose.",
      "type": "object",
      "properties": {
        "users": {"description": "Users.", "$ref": "event:discord.common@2#/$defs/by_snowflake"},
        "members": {"description": "Members.", "$ref": "event:discord.common@2#/$defs/by_snowflake"},
        "roles": {"description": "Roles.", "$ref": "event:discord.common@2#/$defs/by_snowflake"},
        "channels": {"description": "Channels.", "$ref": "event:discord.common@2#/$defs/by_snowflake"}
      }
    }
  }
}$schema$;
COMMENT ON FUNCTION event_schema."discord.message.update@2"(jsonb) IS 'Discord message updated, v2';

CREATE FUNCTION event_schema."ingestion.batch@0"(data jsonb) RETURNS boolean
LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE
AS $schema${
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Ingestion batch, legacy",
  "description": "A batch of which at least the source or the id is known, and a count or how it stands. Open and loose: what it needs to be one of its kind, nothing more.",
  "type": "object",
  "properties": {
    "batch_id": {"description": "The batch's id.", "$ref": "event:trading.common@0#/$defs/id"},
    "source": {"description": "Where it came from.", "$ref": "event:trading.common@0#/$defs/text"},
    "started_at": {"description": "When it began.", "$ref": "event:trading.common@0#/$defs/time"},
    "finished_at": {"description": "When it ended.", "$ref": "event:trading.common@0#/$defs/time"},
    "received": {"description": "How many records came.", "$ref": "event:trading.common@0#/$defs/number"},
    "accepted": {"description": "How many were stored.", "$ref": "event:trading.common@0#/$defs/number"},
    "rejected": {"description": "How many were refused.", "$ref": "event:trading.common@0#/$defs/number"},
    "status": {"description": "How it stands.", "$ref": "event:trading.common@0#/$defs/text"}
  },
  "allOf": [
    {"anyOf": [{"required": ["batch_id"]}, {"required": ["source"]}]},
    {"anyOf": [{"required": ["received"]}, {"required": ["accepted"]}, {"required": ["status"]}]}
  ]
}$schema$;
COMMENT ON FUNCTION event_schema."ingestion.batch@0"(jsonb) IS 'Ingestion batch, legacy';

CREATE FUNCTION event_schema."ingestion.batch@1"(data jsonb) RETURNS boolean
LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE
AS $schema$#breaking
{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Ingestion batch, v1",
  "description": "How one batch of records came in from a source. Closed: the application writes it itself.",
  "type": "object",
  "required": ["batch_id", "source", "started_at", "received", "accepted", "rejected", "status"],
  "additionalProperties": false,
  "properties": {
    "batch_id": {"description": "The batch's id.", "$ref": "event:trading.common@1#/$defs/uuid"},
    "source": {"description": "Where it came from.", "enum": ["discord", "alpaca", "binance", "fix", "file"]},
    "started_at": {"description": "When it began.", "$ref": "event:trading.common@1#/$defs/instant"},
    "finished_at": {
      "description": "When it ended; null while it runs.",
      "$ref": "event:trading.common@1#/$defs/nullable_instant"
    },
    "received": {"description": "How many records came.", "type": "integer", "minimum": 0},
    "accepted": {"description": "How many were stored.", "type": "integer", "minimum": 0},
    "rejected": {"description": "How many were refused.", "type": "integer", "minimum": 0},
    "status": {"description": "How it stands.", "enum": ["running", "succeeded", "partial", "failed"]}
  },
  "if": {"required": ["status"], "properties": {"status": {"const": "running"}}},
  "else": {"required": ["finished_at"], "properties": {"finished_at": {"type": "string"}}}
}$schema$;
COMMENT ON FUNCTION event_schema."ingestion.batch@1"(jsonb) IS 'Ingestion batch, v1';

CREATE FUNCTION event_schema."ingestion.batch@2"(data jsonb) RETURNS boolean
LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE
AS $schema$#breaking
{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Ingestion batch, v2",
  "description": "How one batch of records came in from a source. Closed: the application writes it itself. Version 2 tells quarantined and duplicate records from rejected ones, and says how far the source was read.",
  "type": "object",
  "required": [
    "batch_id", "source", "started_at", "received", "accepted", "rejected", "quarantined", "duplicates", "status"
  ],
  "additionalProperties": false,
  "properties": {
    "batch_id": {"description": "The batch's id.", "$ref": "event:trading.common@2#/$defs/uuid"},
    "source": {"description": "Where it came from.", "enum": ["discord", "alpaca", "binance", "fix", "file"]},
    "started_at": {"description": "When it began.", "$ref": "event:trading.common@2#/$defs/instant"},
    "finished_at": {
      "description": "When it ended; null while it runs.",
      "$ref": "event:trading.common@2#/$defs/nullable_instant"
    },
    "received": {"description": "How many records came.", "type": "integer", "minimum": 0},
    "accepted": {"description": "How many were stored.", "type": "integer", "minimum": 0},
    "rejected": {"description": "How many were refused.", "type": "integer", "minimum": 0},
    "quarantined": {
      "description": "How many were put into quarantine; null where that was not counted.",
      "anyOf": [{"type": "integer", "minimum": 0}, {"type": "null"}],
      "default": null
    },
    "duplicates": {
      "description": "How many were there already; null where that was not counted.",
      "anyOf": [{"type": "integer", "minimum": 0}, {"type": "null"}],
      "default": null
    },
    "status": {"description": "How it stands.", "enum": ["running", "succeeded", "partial", "failed"]},
    "cursor": {
      "description": "The part of the source that was read.",
      "anyOf": [
        {
          "type": "object",
          "required": ["from", "to"],
          "additionalProperties": false,
          "properties": {
            "from": {
              "description": "Where it begins; null at the source's beginning.",
              "anyOf": [{"type": "string", "minLength": 1, "maxLength": 200}, {"type": "null"}],
              "default": null
            },
            "to": {
              "description": "Where it ends; null where nothing was read.",
              "anyOf": [{"type": "string", "minLength": 1, "maxLength": 200}, {"type": "null"}],
              "default": null
            }
          }
        },
        {"type": "null"}
      ],
      "default": null
    },
    "lag_ms": {
      "description": "How far behind the source it was at its end, in milliseconds.",
      "anyOf": [{"type": "integer", "minimum": 0}, {"type": "null"}],
      "default": null
    },
    "schema_versions": {
      "description": "The version of each event type that it stored.",
      "type": "object",
      "propertyNames": {"pattern": "^[a-z][a-z0-9_]*(?:[.][a-z][a-z0-9_]*)*$"},
      "additionalProperties": {"type": "integer", "minimum": 0, "maximum": 2147483647},
      "default": {}
    }
  },
  "if": {"required": ["status"], "properties": {"status": {"const": "running"}}},
  "else": {"required": ["finished_at"], "properties": {"finished_at": {"type": "string"}}}
}$schema$;
COMMENT ON FUNCTION event_schema."ingestion.batch@2"(jsonb) IS 'Ingestion batch, v2';

CREATE FUNCTION event_schema."market.bar@0"(data jsonb) RETURNS boolean
LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE
AS $schema${
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Bar, legacy",
  "description": "A bar of which at least symbol and closing price are known. Open and loose: what it needs to be one of its kind, nothing more.",
  "type": "object",
  "required": ["symbol", "close"],
  "properties": {
    "kind": {"description": "Which kind of market data this is, where it says so.", "const": "bar"},
    "symbol": {"description": "What was traded or quoted.", "$ref": "event:trading.common@0#/$defs/symbol"},
    "timestamp": {"description": "When it happened.", "$ref": "event:trading.common@0#/$defs/time"},
    "open": {"description": "The first price.", "$ref": "event:trading.common@0#/$defs/number"},
    "high": {"description": "The highest price.", "$ref": "event:trading.common@0#/$defs/number"},
    "low": {"description": "The lowest price.", "$ref": "event:trading.common@0#/$defs/number"},
    "close": {"description": "The last price.", "anyOf": [{"type": "number"}, {"type": "string", "pattern": "[0-9]"}]},
    "volume": {"description": "How much was traded.", "$ref": "event:trading.common@0#/$defs/number"}
  }
}$schema$;
COMMENT ON FUNCTION event_schema."market.bar@0"(jsonb) IS 'Bar, legacy';

CREATE FUNCTION event_schema."market.common@1"(data jsonb) RETURNS boolean
LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE
AS $schema${
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Common to market data, v1",
  "description": "Fields of market data, whatever the venue. Definitions for $ref; nothing is an event of this type, so the document itself accepts no instance.",
  "not": {},
  "$defs": {
    "price": {
      "title": "Price",
      "description": "A price in the quote currency, with as many decimals as the venue sends: ticks differ, and become finer.",
      "type": "number",
      "exclusiveMinimum": 0
    },
    "quote_price": {
      "title": "Quoted price",
      "description": "A quoted price; zero where that side of the book is empty.",
      "type": "number",
      "minimum": 0
    },
    "size": {
      "title": "Size",
      "description": "A quantity: shares, contracts or coins.",
      "type": "number",
      "minimum": 0
    },
    "exchange": {
      "title": "Exchange",
      "description": "The venue's code: one letter for US equities, a short name elsewhere.",
      "type": "string",
      "pattern": "^[A-Z][A-Z0-9_]{0,9}$"
    },
    "tape": {
      "title": "Tape",
      "description": "The consolidated tape: A NYSE, B regional exchanges, C Nasdaq, N overnight, O over the counter.",
      "enum": ["A", "B", "C", "N", "O"]
    },
    "conditions": {
      "title": "Conditions",
      "description": "The venue's condition codes.",
      "type": "array",
      "maxItems": 8,
      "items": {"type": "string", "maxLength": 4}
    }
  }
}$schema$;
COMMENT ON FUNCTION event_schema."market.common@1"(jsonb) IS 'Common to market data, v1';

CREATE FUNCTION event_schema."market.bar@1"(data jsonb) RETURNS boolean
LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE
AS $schema$#breaking
{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Bar, v1",
  "description": "Open, high, low, close and volume of a span of time. Closed: the application's own rendering, whatever the source.",
  "type": "object",
  "required": ["kind", "symbol", "timestamp", "open", "high", "low", "close", "volume"],
  "additionalProperties": false,
  "properties": {
    "kind": {"description": "Which kind of market data this is.", "const": "bar"},
    "symbol": {"description": "What was traded or quoted.", "$ref": "event:trading.common@1#/$defs/symbol"},
    "timestamp": {"description": "When it happened at the venue.", "$ref": "event:trading.common@1#/$defs/instant"},
    "timeframe": {
      "description": "The span: s seconds, m minutes, h hours, d days, w weeks, M months.",
      "type": "string",
      "pattern": "^[1-9][0-9]{0,2}[smhdwM]$",
      "default": "1m"
    },
    "open": {"description": "The first price.", "$ref": "event:market.common@1#/$defs/price"},
    "high": {"description": "The highest price.", "$ref": "event:market.common@1#/$defs/price"},
    "low": {"description": "The lowest price.", "$ref": "event:market.common@1#/$defs/price"},
    "close": {"description": "The last price.", "$ref": "event:market.common@1#/$defs/price"},
    "volume": {"description": "How much was traded.", "$ref": "event:market.common@1#/$defs/size"},
    "trade_count": {"description": "How many trades.", "type": "integer", "minimum": 0},
    "vwap": {"description": "The average price, weighted by volume.", "type": "number", "exclusiveMinimum": 0},
    "exchange": {
      "description": "The venue, where it is of one only.",
      "anyOf": [{"$ref": "event:market.common@1#/$defs/exchange"}, {"type": "null"}],
      "default": null
    },
    "closed": {
      "description": "Whether the span is over; a bar may be sent while it still grows.",
      "type": "boolean",
      "default": true
    }
  }
}$schema$;
COMMENT ON FUNCTION event_schema."market.bar@1"(jsonb) IS 'Bar, v1';

CREATE FUNCTION event_schema."market.common@2"(data jsonb) RETURNS boolean
LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE
AS $schema${
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Common to market data, v2",
  "description": "Fields of market data, whatever the venue. Prices and sizes are strings here: see trading.common. Definitions for $ref; nothing is an event of this type, so the document itself accepts no instance.",
  "not": {},
  "$defs": {
    "price": {
      "title": "Price",
      "description": "A price in the quote currency, as a string, with as many decimals as the venue sends: ticks differ, and become finer.",
      "$ref": "event:trading.common@2#/$defs/positive_text",
      "examples": ["126.55"]
    },
    "quote_price": {
      "title": "Quoted price",
      "description": "A quoted price as a string; zero where that side of the book is empty.",
      "$ref": "event:trading.common@2#/$defs/non_negative_text",
      "examples": ["87.66"]
    },
    "size": {
      "title": "Size",
      "description": "A quantity as a string: shares, contracts or coins.",
      "$ref": "event:trading.common@2#/$defs/non_negative_text"
    },
    "exchange": {
      "title": "Exchange",
      "description": "The venue's code: one letter for US equities, a short name elsewhere.",
      "type": "string",
      "pattern": "^[A-Z][A-Z0-9_]{0,9}$"
    },
    "tape": {
      "title": "Tape",
      "description": "The consolidated tape: A NYSE, B regional exchanges, C Nasdaq, N overnight, O over the counter.",
      "enum": ["A", "B", "C", "N", "O"]
    },
    "conditions": {
      "title": "Conditions",
      "description": "The venue's condition codes.",
      "type": "array",
      "maxItems": 8,
      "items": {"type": "string", "maxLength": 4}
    },
    "sequence": {
      "title": "Sequence",
      "description": "The venue's or the feed's number of the message: a gap is a loss.",
      "type": "integer",
      "minimum": 0,
      "maximum": 9223372036854775807
    },
    "currency": {
      "title": "Currency",
      "description": "The currency of the prices: ISO 4217's letters, or a coin's.",
      "type": "string",
      "pattern": "^[A-Z][A-Z0-9]{2,9}$",
      "examples": ["USD", "USDT"]
    }
  }
}$schema$;
COMMENT ON FUNCTION event_schema."market.common@2"(jsonb) IS 'Common to market data, v2';

CREATE FUNCTION event_schema."market.bar@2"(data jsonb) RETURNS boolean
LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE
AS $schema$#breaking
{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Bar, v2",
  "description": "Open, high, low, close and volume of a span of time. Closed: the application's own rendering, whatever the source. Version 2 has prices and sizes as strings of digits.",
  "type": "object",
  "required": ["kind", "symbol", "timestamp", "open", "high", "low", "close", "volume"],
  "additionalProperties": false,
  "properties": {
    "kind": {"description": "Which kind of market data this is.", "const": "bar"},
    "symbol": {"description": "What was traded or quoted.", "$ref": "event:trading.common@2#/$defs/symbol"},
    "timestamp": {"description": "When it happened at the venue.", "$ref": "event:trading.common@2#/$defs/instant"},
    "timeframe": {"description": "The span.", "$ref": "event:trading.common@2#/$defs/timeframe", "default": "1m"},
    "open": {"description": "The first price.", "$ref": "event:market.common@2#/$defs/price"},
    "high": {"description": "The highest price.", "$ref": "event:market.common@2#/$defs/price"},
    "low": {"description": "The lowest price.", "$ref": "event:market.common@2#/$defs/price"},
    "close": {"description": "The last price.", "$ref": "event:market.common@2#/$defs/price"},
    "volume": {"description": "How much was traded.", "$ref": "event:market.common@2#/$defs/size"},
    "trade_count": {"description": "How many trades.", "type": "integer", "minimum": 0},
    "vwap": {
      "description": "The average price, weighted by volume.",
      "$ref": "event:trading.common@2#/$defs/positive_text"
    },
    "exchange": {
      "description": "The venue, where it is of one only.",
      "anyOf": [{"$ref": "event:market.common@2#/$defs/exchange"}, {"type": "null"}],
      "default": null
    },
    "closed": {
      "description": "Whether the span is over; a bar may be sent while it still grows.",
      "type": "boolean",
      "default": true
    },
    "sequence": {
      "description": "The venue's or the feed's number of the message.",
      "$ref": "event:market.common@2#/$defs/sequence"
    },
    "received_at": {
      "description": "When it reached the application; null where that was not kept.",
      "$ref": "event:trading.common@2#/$defs/nullable_instant"
    },
    "currency": {
      "description": "The currency of the prices; null where that was not kept.",
      "anyOf": [{"$ref": "event:market.common@2#/$defs/currency"}, {"type": "null"}],
      "default": null
    }
  }
}$schema$;
COMMENT ON FUNCTION event_schema."market.bar@2"(jsonb) IS 'Bar, v2';

CREATE FUNCTION event_schema."market.book_delta@0"(data jsonb) RETURNS boolean
LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE
AS $schema${
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Order book change, legacy",
  "description": "A change of an order book of which at least symbol, side and price are known. Open and loose: what it needs to be one of its kind, nothing more.",
  "type": "object",
  "required": ["symbol", "side", "price"],
  "properties": {
    "kind": {"description": "Which kind of market data this is, where it says so.", "const": "book_delta"},
    "symbol": {"description": "What was traded or quoted.", "$ref": "event:trading.common@0#/$defs/symbol"},
    "timestamp": {"description": "When it happened.", "$ref": "event:trading.common@0#/$defs/time"},
    "side": {"description": "The side of the book.", "$ref": "event:trading.common@0#/$defs/word"},
    "price": {
      "description": "The level's price.",
      "anyOf": [{"type": "number"}, {"type": "string", "pattern": "[0-9]"}]
    },
    "size": {"description": "The quantity at the level.", "$ref": "event:trading.common@0#/$defs/number"},
    "action": {"description": "What happened to the level.", "$ref": "event:trading.common@0#/$defs/word"}
  }
}$schema$;
COMMENT ON FUNCTION event_schema."market.book_delta@0"(jsonb) IS 'Order book change, legacy';

CREATE FUNCTION event_schema."market.book_delta@1"(data jsonb) RETURNS boolean
LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE
AS $schema$#breaking
{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Order book change, v1",
  "description": "One price level of an order book that appeared, changed or went away, as FIX's MDUpdateAction tells them apart. Closed: the application's own rendering, whatever the source.",
  "type": "object",
  "required": ["kind", "symbol", "timestamp", "action", "side", "price"],
  "additionalProperties": false,
  "properties": {
    "kind": {"description": "Which kind of market data this is.", "const": "book_delta"},
    "symbol": {"description": "What was traded or quoted.", "$ref": "event:trading.common@1#/$defs/symbol"},
    "timestamp": {"description": "When it happened at the venue.", "$ref": "event:trading.common@1#/$defs/instant"},
    "action": {"description": "What happened to the level.", "enum": ["new", "change", "delete"]},
    "side": {"description": "The side of the book.", "enum": ["bid", "ask"]},
    "price": {"description": "The level's price.", "$ref": "event:market.common@1#/$defs/price"},
    "size": {
      "description": "The quantity at the level from now on; a deletion needs none.",
      "$ref": "event:market.common@1#/$defs/size"
    },
    "level": {
      "description": "The level's place from the top of the book, where the venue counts them.",
      "type": "integer",
      "minimum": 1,
      "maximum": 1000
    },
    "exchange": {
      "description": "The venue.",
      "anyOf": [{"$ref": "event:market.common@1#/$defs/exchange"}, {"type": "null"}],
      "default": null
    },
    "sequence": {
      "description": "The venue's number of the update.",
      "type": "integer",
      "minimum": 0,
      "maximum": 9223372036854775807
    }
  },
  "if": {"properties": {"action": {"enum": ["new", "change"]}}},
  "then": {"required": ["size"], "properties": {"size": {"exclusiveMinimum": 0}}}
}$schema$;
COMMENT ON FUNCTION event_schema."market.book_delta@1"(jsonb) IS 'Order book change, v1';

CREATE FUNCTION event_schema."market.book_delta@2"(data jsonb) RETURNS boolean
LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE
AS $schema$#breaking
{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Order book change, v2",
  "description": "One price level of an order book that appeared, changed or went away, as FIX's MDUpdateAction tells them apart. Closed: the application's own rendering, whatever the source. Version 2 has prices and sizes as strings of digits.",
  "type": "object",
  "required": ["kind", "symbol", "timestamp", "action", "side", "price"],
  "additionalProperties": false,
  "properties": {
    "kind": {"description": "Which kind of market data this is.", "const": "book_delta"},
    "symbol": {"description": "What was traded or quoted.", "$ref": "event:trading.common@2#/$defs/symbol"},
    "timestamp": {"description": "When it happened at the venue.", "$ref": "event:trading.common@2#/$defs/instant"},
    "action": {"description": "What happened to the level.", "enum": ["new", "change", "delete"]},
    "side": {"description": "The side of the book.", "enum": ["bid", "ask"]},
    "price": {"description": "The level's price.", "$ref": "event:market.common@2#/$defs/price"},
    "size": {
      "description": "The quantity at the level from now on; a deletion needs none.",
      "$ref": "event:market.common@2#/$defs/size"
    },
    "level": {
      "description": "The level's place from the top of the book, where the venue counts them.",
      "type": "integer",
      "minimum": 1,
      "maximum": 1000
    },
    "exchange": {
      "description": "The venue.",
      "anyOf": [{"$ref": "event:market.common@2#/$defs/exchange"}, {"type": "null"}],
      "default": null
    },
    "sequence": {
      "description": "The venue's or the feed's number of the message.",
      "$ref": "event:market.common@2#/$defs/sequence"
    },
    "received_at": {
      "description": "When it reached the application; null where that was not kept.",
      "$ref": "event:trading.common@2#/$defs/nullable_instant"
    },
    "currency": {
      "description": "The currency of the prices; null where that was not kept.",
      "anyOf": [{"$ref": "event:market.common@2#/$defs/currency"}, {"type": "null"}],
      "default": null
    }
  },
  "if": {"properties": {"action": {"enum": ["new", "change"]}}},
  "then": {
    "required": ["size"],
    "properties": {"size": {"$ref": "event:trading.common@2#/$defs/positive_text"}}
  }
}$schema$;
COMMENT ON FUNCTION event_schema."market.book_delta@2"(jsonb) IS 'Order book change, v2';

CREATE FUNCTION event_schema."market.quote@0"(data jsonb) RETURNS boolean
LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE
AS $schema${
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Quote, legacy",
  "description": "A quote of which at least the symbol and one side's price are known. Open and loose: what it needs to be one of its kind, nothing more.",
  "type": "object",
  "required": ["symbol"],
  "properties": {
    "kind": {"description": "Which kind of market data this is, where it says so.", "const": "quote"},
    "symbol": {"description": "What was traded or quoted.", "$ref": "event:trading.common@0#/$defs/symbol"},
    "timestamp": {"description": "When it happened.", "$ref": "event:trading.common@0#/$defs/time"},
    "bid_price": {"description": "The best bid's price.", "$ref": "event:trading.common@0#/$defs/number"},
    "bid_size": {"description": "The best bid's size.", "$ref": "event:trading.common@0#/$defs/number"},
    "ask_price": {"description": "The best offer's price.", "$ref": "event:trading.common@0#/$defs/number"},
    "ask_size": {"description": "The best offer's size.", "$ref": "event:trading.common@0#/$defs/number"}
  },
  "anyOf": [{"required": ["bid_price"]}, {"required": ["ask_price"]}]
}$schema$;
COMMENT ON FUNCTION event_schema."market.quote@0"(jsonb) IS 'Quote, legacy';

CREATE FUNCTION event_schema."market.trade@0"(data jsonb) RETURNS boolean
LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE
AS $schema${
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Trade, legacy",
  "description": "A trade of which at least symbol and price are known. Open and loose: what it needs to be one of its kind, nothing more.",
  "type": "object",
  "required": ["symbol", "price"],
  "properties": {
    "kind": {"description": "Which kind of market data this is, where it says so.", "const": "trade"},
    "symbol": {"description": "What was traded or quoted.", "$ref": "event:trading.common@0#/$defs/symbol"},
    "timestamp": {"description": "When it happened.", "$ref": "event:trading.common@0#/$defs/time"},
    "price": {
      "description": "What was paid for one.",
      "anyOf": [{"type": "number"}, {"type": "string", "pattern": "[0-9]"}]
    },
    "size": {"description": "How much was traded.", "$ref": "event:trading.common@0#/$defs/number"},
    "side": false
  }
}$schema$;
COMMENT ON FUNCTION event_schema."market.trade@0"(jsonb) IS 'Trade, legacy';

CREATE FUNCTION event_schema."market.data@0"(data jsonb) RETURNS boolean
LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE
AS $schema${
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Market data, legacy",
  "description": "Any kind of market data, told apart by what it has: a side, a price, a bid or offer, a close.",
  "type": "object",
  "anyOf": [
    {"$ref": "event:market.trade@0"},
    {"$ref": "event:market.quote@0"},
    {"$ref": "event:market.bar@0"},
    {"$ref": "event:market.book_delta@0"}
  ]
}$schema$;
COMMENT ON FUNCTION event_schema."market.data@0"(jsonb) IS 'Market data, legacy';

CREATE FUNCTION event_schema."market.quote@1"(data jsonb) RETURNS boolean
LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE
AS $schema$#breaking
{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Quote, v1",
  "description": "The best bid and offer. Closed: the application's own rendering, whatever the source.",
  "type": "object",
  "required": ["kind", "symbol", "timestamp", "bid_price", "bid_size", "ask_price", "ask_size"],
  "additionalProperties": false,
  "properties": {
    "kind": {"description": "Which kind of market data this is.", "const": "quote"},
    "symbol": {"description": "What was traded or quoted.", "$ref": "event:trading.common@1#/$defs/symbol"},
    "timestamp": {"description": "When it happened at the venue.", "$ref": "event:trading.common@1#/$defs/instant"},
    "bid_price": {"description": "The best bid's price.", "$ref": "event:market.common@1#/$defs/quote_price"},
    "bid_size": {"description": "The best bid's size.", "$ref": "event:market.common@1#/$defs/size"},
    "bid_exchange": {
      "description": "The venue of the best bid.",
      "anyOf": [{"$ref": "event:market.common@1#/$defs/exchange"}, {"type": "null"}],
      "default": null
    },
    "ask_price": {"description": "The best offer's price.", "$ref": "event:market.common@1#/$defs/quote_price"},
    "ask_size": {"description": "The best offer's size.", "$ref": "event:market.common@1#/$defs/size"},
    "ask_exchange": {
      "description": "The venue of the best offer.",
      "anyOf": [{"$ref": "event:market.common@1#/$defs/exchange"}, {"type": "null"}],
      "default": null
    },
    "conditions": {"description": "Conditions of the quote.", "$ref": "event:market.common@1#/$defs/conditions"},
    "tape": {
      "description": "The tape that reported it.",
      "anyOf": [{"$ref": "event:market.common@1#/$defs/tape"}, {"type": "null"}],
      "default": null
    },
    "update_id": {
      "description": "The venue's number of the book update.",
      "type": "integer",
      "minimum": 0,
      "maximum": 9223372036854775807
    }
  }
}$schema$;
COMMENT ON FUNCTION event_schema."market.quote@1"(jsonb) IS 'Quote, v1';

CREATE FUNCTION event_schema."market.trade@1"(data jsonb) RETURNS boolean
LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE
AS $schema$#breaking
{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Trade, v1",
  "description": "One trade at a venue. Closed: the application's own rendering, whatever the source.",
  "type": "object",
  "required": ["kind", "symbol", "timestamp", "price", "size"],
  "additionalProperties": false,
  "properties": {
    "kind": {"description": "Which kind of market data this is.", "const": "trade"},
    "symbol": {"description": "What was traded or quoted.", "$ref": "event:trading.common@1#/$defs/symbol"},
    "timestamp": {"description": "When it happened at the venue.", "$ref": "event:trading.common@1#/$defs/instant"},
    "trade_id": {
      "description": "The venue's id of the trade: an integer, or a string where it is none.",
      "anyOf": [{"type": "integer", "minimum": 0}, {"type": "string", "minLength": 1, "maxLength": 64}]
    },
    "price": {"description": "What was paid for one.", "$ref": "event:market.common@1#/$defs/price"},
    "size": {"description": "How much was traded.", "$ref": "event:market.common@1#/$defs/size"},
    "exchange": {
      "description": "Where it was traded.",
      "anyOf": [{"$ref": "event:market.common@1#/$defs/exchange"}, {"type": "null"}],
      "default": null
    },
    "conditions": {"description": "Conditions of the trade.", "$ref": "event:market.common@1#/$defs/conditions"},
    "tape": {
      "description": "The tape that reported it; null off the US equity tapes.",
      "anyOf": [{"$ref": "event:market.common@1#/$defs/tape"}, {"type": "null"}],
      "default": null
    },
    "taker_side": {
      "description": "Which side took the liquidity.",
      "anyOf": [{"enum": ["buy", "sell"]}, {"type": "null"}],
      "default": null
    }
  }
}$schema$;
COMMENT ON FUNCTION event_schema."market.trade@1"(jsonb) IS 'Trade, v1';

CREATE FUNCTION event_schema."market.data@1"(data jsonb) RETURNS boolean
LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE
AS $schema$#breaking
{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Market data, v1",
  "description": "Any kind of market data, told apart by kind: the family as one type, for feeds that mix the kinds and for stored rows that do not say which kind they are. Each kind is an event type of its own too.",
  "type": "object",
  "required": ["kind"],
  "properties": {
    "kind": {"description": "Which kind of market data this is.", "enum": ["trade", "quote", "bar", "book_delta"]}
  },
  "discriminator": {
    "propertyName": "kind",
    "mapping": {
      "trade": "event:market.trade@1",
      "quote": "event:market.quote@1",
      "bar": "event:market.bar@1",
      "book_delta": "event:market.book_delta@1"
    }
  },
  "oneOf": [
    {"$ref": "event:market.trade@1"},
    {"$ref": "event:market.quote@1"},
    {"$ref": "event:market.bar@1"},
    {"$ref": "event:market.book_delta@1"}
  ]
}$schema$;
COMMENT ON FUNCTION event_schema."market.data@1"(jsonb) IS 'Market data, v1';

CREATE FUNCTION event_schema."market.quote@2"(data jsonb) RETURNS boolean
LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE
AS $schema$#breaking
{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Quote, v2",
  "description": "The best bid and offer. Closed: the application's own rendering, whatever the source. Version 2 has prices and sizes as strings of digits.",
  "type": "object",
  "required": ["kind", "symbol", "timestamp", "bid_price", "bid_size", "ask_price", "ask_size"],
  "additionalProperties": false,
  "properties": {
    "kind": {"description": "Which kind of market data this is.", "const": "quote"},
    "symbol": {"description": "What was traded or quoted.", "$ref": "event:trading.common@2#/$defs/symbol"},
    "timestamp": {"description": "When it happened at the venue.", "$ref": "event:trading.common@2#/$defs/instant"},
    "bid_price": {"description": "The best bid's price.", "$ref": "event:market.common@2#/$defs/quote_price"},
    "bid_size": {"description": "The best bid's size.", "$ref": "event:market.common@2#/$defs/size"},
    "bid_exchange": {
      "description": "The venue of the best bid.",
      "anyOf": [{"$ref": "event:market.common@2#/$defs/exchange"}, {"type": "null"}],
      "default": null
    },
    "ask_price": {"description": "The best offer's price.", "$ref": "event:market.common@2#/$defs/quote_price"},
    "ask_size": {"description": "The best offer's size.", "$ref": "event:market.common@2#/$defs/size"},
    "ask_exchange": {
      "description": "The venue of the best offer.",
      "anyOf": [{"$ref": "event:market.common@2#/$defs/exchange"}, {"type": "null"}],
      "default": null
    },
    "conditions": {"description": "Conditions of the quote.", "$ref": "event:market.common@2#/$defs/conditions"},
    "tape": {
      "description": "The tape that reported it.",
      "anyOf": [{"$ref": "event:market.common@2#/$defs/tape"}, {"type": "null"}],
      "default": null
    },
    "sequence": {
      "description": "The venue's or the feed's number of the message.",
      "$ref": "event:market.common@2#/$defs/sequence"
    },
    "received_at": {
      "description": "When it reached the application; null where that was not kept.",
      "$ref": "event:trading.common@2#/$defs/nullable_instant"
    },
    "currency": {
      "description": "The currency of the prices; null where that was not kept.",
      "anyOf": [{"$ref": "event:market.common@2#/$defs/currency"}, {"type": "null"}],
      "default": null
    }
  }
}$schema$;
COMMENT ON FUNCTION event_schema."market.quote@2"(jsonb) IS 'Quote, v2';

CREATE FUNCTION event_schema."market.trade@2"(data jsonb) RETURNS boolean
LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE
AS $schema$#breaking
{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Trade, v2",
  "description": "One trade at a venue. Closed: the application's own rendering, whatever the source. Version 2 has prices and sizes as strings of digits.",
  "type": "object",
  "required": ["kind", "symbol", "timestamp", "price", "size"],
  "additionalProperties": false,
  "properties": {
    "kind": {"description": "Which kind of market data this is.", "const": "trade"},
    "symbol": {"description": "What was traded or quoted.", "$ref": "event:trading.common@2#/$defs/symbol"},
    "timestamp": {"description": "When it happened at the venue.", "$ref": "event:trading.common@2#/$defs/instant"},
    "trade_id": {"description": "The venue's id of the trade, as a string.", "type": "string", "minLength": 1},
    "price": {"description": "What was paid for one.", "$ref": "event:market.common@2#/$defs/price"},
    "size": {"description": "How much was traded.", "$ref": "event:market.common@2#/$defs/size"},
    "exchange": {
      "description": "Where it was traded.",
      "anyOf": [{"$ref": "event:market.common@2#/$defs/exchange"}, {"type": "null"}],
      "default": null
    },
    "conditions": {"description": "Conditions of the trade.", "$ref": "event:market.common@2#/$defs/conditions"},
    "tape": {
      "description": "The tape that reported it; null off the US equity tapes.",
      "anyOf": [{"$ref": "event:market.common@2#/$defs/tape"}, {"type": "null"}],
      "default": null
    },
    "taker_side": {
      "description": "Which side took the liquidity.",
      "anyOf": [{"enum": ["buy", "sell"]}, {"type": "null"}],
      "default": null
    },
    "sequence": {
      "description": "The venue's or the feed's number of the message.",
      "$ref": "event:market.common@2#/$defs/sequence"
    },
    "received_at": {
      "description": "When it reached the application; null where that was not kept.",
      "$ref": "event:trading.common@2#/$defs/nullable_instant"
    },
    "currency": {
      "description": "The currency of the prices; null where that was not kept.",
      "anyOf": [{"$ref": "event:market.common@2#/$defs/currency"}, {"type": "null"}],
      "default": null
    }
  }
}$schema$;
COMMENT ON FUNCTION event_schema."market.trade@2"(jsonb) IS 'Trade, v2';

CREATE FUNCTION event_schema."market.data@2"(data jsonb) RETURNS boolean
LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE
AS $schema$#breaking
{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Market data, v2",
  "description": "Any kind of market data, told apart by kind: the family as one type, for feeds that mix the kinds and for stored rows that do not say which kind they are. Each kind is an event type of its own too.",
  "type": "object",
  "required": ["kind"],
  "properties": {
    "kind": {"description": "Which kind of market data this is.", "enum": ["trade", "quote", "bar", "book_delta"]}
  },
  "discriminator": {
    "propertyName": "kind",
    "mapping": {
      "trade": "event:market.trade@2",
      "quote": "event:market.quote@2",
      "bar": "event:market.bar@2",
      "book_delta": "event:market.book_delta@2"
    }
  },
  "oneOf": [
    {"$ref": "event:market.trade@2"},
    {"$ref": "event:market.quote@2"},
    {"$ref": "event:market.bar@2"},
    {"$ref": "event:market.book_delta@2"}
  ]
}$schema$;
COMMENT ON FUNCTION event_schema."market.data@2"(jsonb) IS 'Market data, v2';

CREATE FUNCTION event_schema."order.common@1"(data jsonb) RETURNS boolean
LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE
AS $schema${
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Common to order events, v1",
  "description": "The order itself and the words that describe it. Definitions for $ref; nothing is an event of this type, so the document itself accepts no instance.",
  "not": {},
  "$defs": {
    "side": {"title": "Side", "description": "Whether the order buys or sells.", "enum": ["buy", "sell"]},
    "type": {
      "title": "Order type",
      "description": "How the order is to be executed.",
      "enum": ["market", "limit", "stop", "stop_limit", "trailing_stop"]
    },
    "time_in_force": {
      "title": "Time in force",
      "description": "How long the order stands: day, good till canceled, at the opening, at the close, immediate or cancel, fill or kill.",
      "enum": ["day", "gtc", "opg", "cls", "ioc", "fok"]
    },
    "status": {
      "title": "Status",
      "description": "Where the order is in its life.",
      "enum": [
        "new", "partially_filled", "filled", "done_for_day", "canceled", "expired", "replaced", "pending_cancel",
        "pending_replace", "pending_new", "accepted", "accepted_for_bidding", "stopped", "rejected", "suspended",
        "calculated", "held"
      ]
    },
    "asset_class": {
      "title": "Asset class",
      "description": "What kind of thing is traded.",
      "enum": ["us_equity", "us_option", "crypto"]
    },
    "order": {
      "title": "Order",
      "description": "An order with its whole state. Closed: the application's own rendering of the broker's order.",
      "type": "object",
      "additionalProperties": false,
      "required": ["id", "client_order_id", "symbol", "side", "type", "time_in_force", "status", "created_at"],
      "properties": {
        "id": {"description": "The broker's id of the order.", "$ref": "event:trading.common@1#/$defs/uuid"},
        "client_order_id": {
          "description": "The application's id of the order.",
          "type": "string",
          "minLength": 1,
          "maxLength": 48
        },
        "symbol": {"description": "What is traded.", "$ref": "event:trading.common@1#/$defs/symbol"},
        "asset_id": {
          "description": "The broker's id of the asset.",
          "$ref": "event:trading.common@1#/$defs/nullable_uuid"
        },
        "asset_class": {"description": "What kind of thing is traded.", "$ref": "#/$defs/asset_class"},
        "side": {"description": "Whether it buys or sells.", "$ref": "#/$defs/side"},
        "type": {"description": "How it is to be executed.", "$ref": "#/$defs/type"},
        "time_in_force": {"description": "How long it stands.", "$ref": "#/$defs/time_in_force"},
        "status": {"description": "Where it is in its life.", "$ref": "#/$defs/status"},
        "qty": {
          "description": "How many; null where it is given in money.",
          "$ref": "event:trading.common@1#/$defs/nullable_positive_decimal"
        },
        "notional": {
          "description": "For how much money; null where it is given in pieces.",
          "$ref": "event:trading.common@1#/$defs/nullable_positive_decimal"
        },
        "limit_price": {
          "description": "The worst price to take.",
          "$ref": "event:trading.common@1#/$defs/nullable_positive_decimal"
        },
        "stop_price": {
          "description": "The price that sets it off.",
          "$ref": "event:trading.common@1#/$defs/nullable_positive_decimal"
        },
        "trail_price": {
          "description": "The distance of a trailing stop, in money.",
          "$ref": "event:trading.common@1#/$defs/nullable_positive_decimal"
        },
        "trail_percent": {
          "description": "The distance of a trailing stop, in per cent.",
          "$ref": "event:trading.common@1#/$defs/nullable_positive_decimal"
        },
        "hwm": {
          "description": "The high-water mark of a trailing stop.",
          "$ref": "event:trading.common@1#/$defs/nullable_positive_decimal"
        },
        "filled_qty": {
          "description": "How many are filled so far.",
          "$ref": "event:trading.common@1#/$defs/non_negative_decimal"
        },
        "filled_avg_price": {
          "description": "The average price of what is filled.",
          "$ref": "event:trading.common@1#/$defs/nullable_positive_decimal"
        },
        "extended_hours": {
          "description": "Whether it may be executed outside the regular hours.",
          "type": "boolean",
          "default": false
        },
        "created_at": {"description": "When it was made.", "$ref": "event:trading.common@1#/$defs/instant"},
        "updated_at": {"description": "When it last changed.", "$ref": "event:trading.common@1#/$defs/nullable_instant"},
        "submitted_at": {
          "description": "When it was submitted.",
          "$ref": "event:trading.common@1#/$defs/nullable_instant"
        },
        "filled_at": {"description": "When it was filled.", "$ref": "event:trading.common@1#/$defs/nullable_instant"},
        "expired_at": {"description": "When it expired.", "$ref": "event:trading.common@1#/$defs/nullable_instant"},
        "cancel_requested_at": {
          "description": "When its cancellation was asked for.",
          "$ref": "event:trading.common@1#/$defs/nullable_instant"
        },
        "canceled_at": {"description": "When it was canceled.", "$ref": "event:trading.common@1#/$defs/nullable_instant"},
        "failed_at": {"description": "When it failed.", "$ref": "event:trading.common@1#/$defs/nullable_instant"},
        "replaced_at": {"description": "When it was replaced.", "$ref": "event:trading.common@1#/$defs/nullable_instant"},
        "replaced_by": {
          "description": "The order that replaced it.",
          "$ref": "event:trading.common@1#/$defs/nullable_uuid"
        },
        "replaces": {
          "description": "The order that it replaces.",
          "$ref": "event:trading.common@1#/$defs/nullable_uuid"
        }
      },
      "oneOf": [
        {
          "required": ["qty"],
          "properties": {"qty": {"not": {"type": "null"}}, "notional": {"type": "null"}}
        },
        {
          "required": ["notional"],
          "properties": {"notional": {"not": {"type": "null"}}, "qty": {"type": "null"}}
        }
      ],
      "allOf": [
        {
          "if": {"required": ["type"], "properties": {"type": {"enum": ["limit", "stop_limit"]}}},
          "then": {
            "required": ["limit_price"],
            "properties": {"limit_price": {"$ref": "event:trading.common@1#/$defs/positive_decimal"}}
          }
        },
        {
          "if": {"required": ["type"], "properties": {"type": {"enum": ["stop", "stop_limit"]}}},
          "then": {
            "required": ["stop_price"],
            "properties": {"stop_price": {"$ref": "event:trading.common@1#/$defs/positive_decimal"}}
          }
        },
        {
          "if": {"required": ["type"], "properties": {"type": {"const": "trailing_stop"}}},
          "then": {
            "oneOf": [
              {
                "required": ["trail_price"],
                "properties": {"trail_price": {"not": {"type": "null"}}, "trail_percent": {"type": "null"}}
              },
              {
                "required": ["trail_percent"],
                "properties": {"trail_percent": {"not": {"type": "null"}}, "trail_price": {"type": "null"}}
              }
            ]
          }
        }
      ]
    }
  }
}$schema$;
COMMENT ON FUNCTION event_schema."order.common@1"(jsonb) IS 'Common to order events, v1';

CREATE FUNCTION event_schema."order.common@2"(data jsonb) RETURNS boolean
LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE
AS $schema${
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Common to order events, v2",
  "description": "The order itself and the words that describe it. Definitions for $ref; nothing is an event of this type, so the document itself accepts no instance.",
  "not": {},
  "$defs": {
    "side": {"title": "Side", "description": "Whether the order buys or sells.", "enum": ["buy", "sell"]},
    "type": {
      "title": "Order type",
      "description": "How the order is to be executed.",
      "enum": ["market", "limit", "stop", "stop_limit", "trailing_stop"]
    },
    "time_in_force": {
      "title": "Time in force",
      "description": "How long the order stands: day, good till canceled, at the opening, at the close, immediate or cancel, fill or kill.",
      "enum": ["day", "gtc", "opg", "cls", "ioc", "fok"]
    },
    "status": {
      "title": "Status",
      "description": "Where the order is in its life.",
      "enum": [
        "new", "partially_filled", "filled", "done_for_day", "canceled", "expired", "replaced", "pending_cancel",
        "pending_replace", "pending_new", "accepted", "accepted_for_bidding", "stopped", "rejected", "suspended",
        "calculated", "held"
      ]
    },
    "asset_class": {
      "title": "Asset class",
      "description": "What kind of thing is traded.",
      "enum": ["us_equity", "us_option", "crypto"]
    },
    "order_class": {
      "title": "Order class",
      "description": "Whether the order stands alone or brings others: simple, bracket (entry, profit and loss), one cancels other, one triggers other, several legs at once.",
      "enum": ["simple", "bracket", "oco", "oto", "mleg"]
    },
    "position_intent": {
      "title": "Position intent",
      "description": "Whether the order opens or closes a position.",
      "enum": ["buy_to_open", "buy_to_close", "sell_to_open", "sell_to_close"]
    },
    "leg": {
      "title": "Leg",
      "description": "One of the orders that an order is made of or brings. Closed, as the order is.",
      "type": "object",
      "additionalProperties": false,
      "required": ["symbol", "side"],
      "properties": {
        "id": {"description": "The broker's id of the leg.", "$ref": "event:trading.common@2#/$defs/uuid"},
        "client_order_id": {
          "description": "The application's id of the order.",
          "type": "string",
          "minLength": 1,
          "maxLength": 48
        },
        "symbol": {"description": "What is traded.", "$ref": "event:trading.common@2#/$defs/symbol"},
        "asset_id": {
          "description": "The broker's id of the asset.",
          "$ref": "event:trading.common@2#/$defs/nullable_uuid"
        },
        "asset_class": {"description": "What kind of thing is traded.", "$ref": "#/$defs/asset_class"},
        "side": {"description": "Whether it buys or sells.", "$ref": "#/$defs/side"},
        "position_intent": {
          "description": "Whether it opens or closes a position.",
          "anyOf": [{"$ref": "#/$defs/position_intent"}, {"type": "null"}],
          "default": null
        },
        "ratio_qty": {
          "description": "How many of it for one of the whole order.",
          "$ref": "event:trading.common@2#/$defs/positive_decimal"
        },
        "type": {"description": "How it is to be executed.", "$ref": "#/$defs/type"},
        "status": {"description": "Where it is in its life.", "$ref": "#/$defs/status"},
        "qty": {"description": "How many.", "$ref": "event:trading.common@2#/$defs/nullable_positive_decimal"},
        "limit_price": {
          "description": "The worst price to take.",
          "$ref": "event:trading.common@2#/$defs/nullable_positive_decimal"
        },
        "stop_price": {
          "description": "The price that sets it off.",
          "$ref": "event:trading.common@2#/$defs/nullable_positive_decimal"
        },
        "filled_qty": {
          "description": "How many are filled so far.",
          "$ref": "event:trading.common@2#/$defs/non_negative_decimal"
        },
        "filled_avg_price": {
          "description": "The average price of what is filled.",
          "$ref": "event:trading.common@2#/$defs/nullable_positive_decimal"
        },
        "filled_at": {"description": "When it was filled.", "$ref": "event:trading.common@2#/$defs/nullable_instant"}
      }
    },
    "order": {
      "title": "Order",
      "description": "An order with its whole state. Closed: the application's own rendering of the broker's order. Symbol and side are those of the legs where it has several.",
      "type": "object",
      "additionalProperties": false,
      "required": ["id", "client_order_id", "order_class", "type", "time_in_force", "status", "created_at"],
      "properties": {
        "id": {"description": "The broker's id of the order.", "$ref": "event:trading.common@2#/$defs/uuid"},
        "client_order_id": {
          "description": "The application's id of the order.",
          "type": "string",
          "minLength": 1,
          "maxLength": 48
        },
        "symbol": {
          "description": "What is traded; null where the order has several legs.",
          "$ref": "event:trading.common@2#/$defs/nullable_symbol"
        },
        "asset_id": {
          "description": "The broker's id of the asset.",
          "$ref": "event:trading.common@2#/$defs/nullable_uuid"
        },
        "asset_class": {"description": "What kind of thing is traded.", "$ref": "#/$defs/asset_class"},
        "side": {
          "description": "Whether it buys or sells; null where the order has several legs.",
          "anyOf": [{"$ref": "#/$defs/side"}, {"type": "null"}],
          "default": null
        },
        "position_intent": {
          "description": "Whether it opens or closes a position; null where that was not said.",
          "anyOf": [{"$ref": "#/$defs/position_intent"}, {"type": "null"}],
          "default": null
        },
        "order_class": {"description": "Whether it stands alone or brings others.", "$ref": "#/$defs/order_class"},
        "legs": {
          "description": "The orders that it is made of or brings.",
          "anyOf": [
            {"type": "array", "minItems": 1, "maxItems": 4, "items": {"$ref": "#/$defs/leg"}},
            {"type": "null"}
          ],
          "default": null
        },
        "type": {"description": "How it is to be executed.", "$ref": "#/$defs/type"},
        "time_in_force": {"description": "How long it stands.", "$ref": "#/$defs/time_in_force"},
        "status": {"description": "Where it is in its life.", "$ref": "#/$defs/status"},
        "qty": {
          "description": "How many; null where it is given in money.",
          "$ref": "event:trading.common@2#/$defs/nullable_positive_decimal"
        },
        "notional": {
          "description": "For how much money; null where it is given in pieces.",
          "$ref": "event:trading.common@2#/$defs/nullable_positive_decimal"
        },
        "limit_price": {
          "description": "The worst price to take; with several legs that of all together, negative where money comes in.",
          "anyOf": [{"$ref": "event:trading.common@2#/$defs/decimal"}, {"type": "null"}],
          "default": null
        },
        "stop_price": {
          "description": "The price that sets it off.",
          "$ref": "event:trading.common@2#/$defs/nullable_positive_decimal"
        },
        "trail_price": {
          "description": "The distance of a trailing stop, in money.",
          "$ref": "event:trading.common@2#/$defs/nullable_positive_decimal"
        },
        "trail_percent": {
          "description": "The distance of a trailing stop, in per cent.",
          "$ref": "event:trading.common@2#/$defs/nullable_positive_decimal"
        },
        "hwm": {
          "description": "The high-water mark of a trailing stop.",
          "$ref": "event:trading.common@2#/$defs/nullable_positive_decimal"
        },
        "filled_qty": {
          "description": "How many are filled so far.",
          "$ref": "event:trading.common@2#/$defs/non_negative_decimal"
        },
        "filled_avg_price": {
          "description": "The average price of what is filled.",
          "$ref": "event:trading.common@2#/$defs/nullable_positive_decimal"
        },
        "extended_hours": {
          "description": "Whether it may be executed outside the regular hours.",
          "type": "boolean",
          "default": false
        },
        "created_at": {"description": "When it was made.", "$ref": "event:trading.common@2#/$defs/instant"},
        "updated_at": {
          "description": "When it last changed.",
          "$ref": "event:trading.common@2#/$defs/nullable_instant"
        },
        "submitted_at": {
          "description": "When it was submitted.",
          "$ref": "event:trading.common@2#/$defs/nullable_instant"
        },
        "filled_at": {"description": "When it was filled.", "$ref": "event:trading.common@2#/$defs/nullable_instant"},
        "expired_at": {"description": "When it expired.", "$ref": "event:trading.common@2#/$defs/nullable_instant"},
        "cancel_requested_at": {
          "description": "When its cancellation was asked for.",
          "$ref": "event:trading.common@2#/$defs/nullable_instant"
        },
        "canceled_at": {
          "description": "When it was canceled.",
          "$ref": "event:trading.common@2#/$defs/nullable_instant"
        },
        "failed_at": {"description": "When it failed.", "$ref": "event:trading.common@2#/$defs/nullable_instant"},
        "replaced_at": {
          "description": "When it was replaced.",
          "$ref": "event:trading.common@2#/$defs/nullable_instant"
        },
        "replaced_by": {
          "description": "The order that replaced it.",
          "$ref": "event:trading.common@2#/$defs/nullable_uuid"
        },
        "replaces": {
          "description": "The order that it replaces.",
          "$ref": "event:trading.common@2#/$defs/nullable_uuid"
        }
      },
      "oneOf": [
        {
          "required": ["qty"],
          "properties": {"qty": {"not": {"type": "null"}}, "notional": {"type": "null"}}
        },
        {
          "required": ["notional"],
          "properties": {"notional": {"not": {"type": "null"}}, "qty": {"type": "null"}}
        }
      ],
      "allOf": [
        {
          "if": {"required": ["order_class"], "properties": {"order_class": {"const": "mleg"}}},
          "then": {
            "required": ["legs"],
            "properties": {
              "legs": {"type": "array", "minItems": 2, "items": {"required": ["ratio_qty"]}},
              "symbol": {"type": "null"},
              "side": {"type": "null"},
              "notional": {"type": "null"}
            }
          },
          "else": {
            "required": ["symbol", "side"],
            "properties": {
              "symbol": {"type": "string"},
              "side": {"type": "string"},
              "legs": {"maxItems": 2},
              "limit_price": {"$ref": "event:trading.common@2#/$defs/nullable_positive_decimal"}
            }
          }
        },
        {
          "if": {"required": ["order_class"], "properties": {"order_class": {"const": "simple"}}},
          "then": {"properties": {"legs": {"type": "null"}}}
        },
        {
          "if": {"required": ["type"], "properties": {"type": {"enum": ["limit", "stop_limit"]}}},
          "then": {"required": ["limit_price"], "properties": {"limit_price": {"type": ["number", "string"]}}}
        },
        {
          "if": {"required": ["type"], "properties": {"type": {"enum": ["stop", "stop_limit"]}}},
          "then": {
            "required": ["stop_price"],
            "properties": {"stop_price": {"$ref": "event:trading.common@2#/$defs/positive_decimal"}}
          }
        },
        {
          "if": {"required": ["type"], "properties": {"type": {"const": "trailing_stop"}}},
          "then": {
            "oneOf": [
              {
                "required": ["trail_price"],
                "properties": {"trail_price": {"not": {"type": "null"}}, "trail_percent": {"type": "null"}}
              },
              {
                "required": ["trail_percent"],
                "properties": {"trail_percent": {"not": {"type": "null"}}, "trail_price": {"type": "null"}}
              }
            ]
          }
        }
      ]
    }
  }
}$schema$;
COMMENT ON FUNCTION event_schema."order.common@2"(jsonb) IS 'Common to order events, v2';

CREATE FUNCTION event_schema."order.filled@0"(data jsonb) RETURNS boolean
LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE
AS $schema${
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Order filled, legacy",
  "description": "An execution of an order that can be told from others. Open and loose: what it needs to be one of its kind, nothing more.",
  "type": "object",
  "required": ["order"],
  "properties": {
    "event": {
      "description": "Whether the order is now filled wholly or in part, where it says so.",
      "enum": ["fill", "partial_fill", "FILL", "PARTIAL_FILL"]
    },
    "order": {
      "description": "The order, by one of its ids at least.",
      "type": "object",
      "properties": {
        "id": {"description": "The broker's id of the order.", "$ref": "event:trading.common@0#/$defs/id"},
        "client_order_id": {
          "description": "The application's id of the order.",
          "$ref": "event:trading.common@0#/$defs/id"
        },
        "symbol": {"description": "What is traded.", "$ref": "event:trading.common@0#/$defs/symbol"},
        "side": {"description": "Whether it buys or sells.", "$ref": "event:trading.common@0#/$defs/word"},
        "type": {
          "description": "How it is to be executed.",
          "anyOf": [{"$ref": "event:trading.common@0#/$defs/word"}, {"type": "null"}]
        },
        "status": {
          "description": "Where it is in its life.",
          "anyOf": [{"$ref": "event:trading.common@0#/$defs/word"}, {"type": "null"}]
        },
        "qty": {"description": "How many.", "$ref": "event:trading.common@0#/$defs/number"},
        "notional": {"description": "For how much money.", "$ref": "event:trading.common@0#/$defs/number"},
        "limit_price": {"description": "The worst price to take.", "$ref": "event:trading.common@0#/$defs/number"},
        "stop_price": {"description": "The price that sets it off.", "$ref": "event:trading.common@0#/$defs/number"},
        "created_at": {"description": "When it was made.", "$ref": "event:trading.common@0#/$defs/time"}
      },
      "anyOf": [{"required": ["id"]}, {"required": ["client_order_id"]}]
    },
    "execution_id": {"description": "The execution's id.", "$ref": "event:trading.common@0#/$defs/id"},
    "price": {"description": "The price of this execution.", "$ref": "event:trading.common@0#/$defs/number"},
    "qty": {"description": "How many were filled by it.", "$ref": "event:trading.common@0#/$defs/number"},
    "timestamp": {"description": "When it was executed.", "$ref": "event:trading.common@0#/$defs/time"}
  },
  "anyOf": [{"required": ["price"]}, {"required": ["qty"]}, {"required": ["execution_id"]}]
}$schema$;
COMMENT ON FUNCTION event_schema."order.filled@0"(jsonb) IS 'Order filled, legacy';

CREATE FUNCTION event_schema."order.filled@1"(data jsonb) RETURNS boolean
LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE
AS $schema$#breaking
{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Order filled, v1",
  "description": "One execution of an order, the last of it or not. Closed: the application's own rendering of the broker's update.",
  "type": "object",
  "required": ["event", "execution_id", "order", "price", "qty", "timestamp"],
  "additionalProperties": false,
  "properties": {
    "event": {
      "description": "Whether the order is now filled wholly or in part.",
      "enum": ["fill", "partial_fill"]
    },
    "execution_id": {"description": "The execution's id.", "$ref": "event:trading.common@1#/$defs/uuid"},
    "order": {"description": "The order after this execution.", "$ref": "event:order.common@1#/$defs/order"},
    "price": {
      "description": "The price of this execution.",
      "$ref": "event:trading.common@1#/$defs/positive_decimal"
    },
    "qty": {
      "description": "How many were filled by it.",
      "$ref": "event:trading.common@1#/$defs/positive_decimal"
    },
    "position_qty": {
      "description": "The position after it; negative where short.",
      "$ref": "event:trading.common@1#/$defs/decimal"
    },
    "timestamp": {"description": "When it was executed.", "$ref": "event:trading.common@1#/$defs/instant"}
  },
  "if": {"properties": {"event": {"const": "fill"}}},
  "then": {"properties": {"order": {"properties": {"status": {"const": "filled"}}}}},
  "else": {
    "properties": {
      "order": {
        "properties": {
          "status": {"enum": ["partially_filled", "pending_cancel", "pending_replace", "canceled", "calculated"]}
        }
      }
    }
  }
}$schema$;
COMMENT ON FUNCTION event_schema."order.filled@1"(jsonb) IS 'Order filled, v1';

CREATE FUNCTION event_schema."order.filled@2"(data jsonb) RETURNS boolean
LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE
AS $schema$#breaking
{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Order filled, v2",
  "description": "One execution of an order, the last of it or not. Closed: the application's own rendering of the broker's update.",
  "type": "object",
  "required": ["event", "execution_id", "order", "price", "qty", "timestamp"],
  "additionalProperties": false,
  "properties": {
    "event": {"description": "Whether the order is now filled wholly or in part.", "enum": ["fill", "partial_fill"]},
    "execution_id": {"description": "The execution's id.", "$ref": "event:trading.common@2#/$defs/uuid"},
    "order": {"description": "The order after this execution.", "$ref": "event:order.common@2#/$defs/order"},
    "leg_id": {
      "description": "The leg that was executed, where the order has several.",
      "$ref": "event:trading.common@2#/$defs/nullable_uuid"
    },
    "price": {"description": "The price of this execution.", "$ref": "event:trading.common@2#/$defs/positive_decimal"},
    "qty": {"description": "How many were filled by it.", "$ref": "event:trading.common@2#/$defs/positive_decimal"},
    "position_qty": {
      "description": "The position after it; negative where short.",
      "$ref": "event:trading.common@2#/$defs/decimal"
    },
    "timestamp": {"description": "When it was executed.", "$ref": "event:trading.common@2#/$defs/instant"}
  },
  "if": {"properties": {"event": {"const": "fill"}}},
  "then": {"properties": {"order": {"properties": {"status": {"const": "filled"}}}}},
  "else": {
    "properties": {
      "order": {
        "properties": {
          "status": {"enum": ["partially_filled", "pending_cancel", "pending_replace", "canceled", "calculated"]}
        }
      }
    }
  }
}$schema$;
COMMENT ON FUNCTION event_schema."order.filled@2"(jsonb) IS 'Order filled, v2';

CREATE FUNCTION event_schema."order.placed@0"(data jsonb) RETURNS boolean
LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE
AS $schema${
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Order placed, legacy",
  "description": "An order of which at least symbol, side and one of its ids are known. Open and loose: what it needs to be one of its kind, nothing more.",
  "type": "object",
  "required": ["symbol", "side"],
  "properties": {
    "id": {"description": "The broker's id of the order.", "$ref": "event:trading.common@0#/$defs/id"},
    "client_order_id": {
      "description": "The application's id of the order.",
      "$ref": "event:trading.common@0#/$defs/id"
    },
    "symbol": {"description": "What is traded.", "$ref": "event:trading.common@0#/$defs/symbol"},
    "side": {"description": "Whether it buys or sells.", "$ref": "event:trading.common@0#/$defs/word"},
    "type": {
      "description": "How it is to be executed.",
      "anyOf": [{"$ref": "event:trading.common@0#/$defs/word"}, {"type": "null"}]
    },
    "status": {
      "description": "Where it is in its life.",
      "anyOf": [{"$ref": "event:trading.common@0#/$defs/word"}, {"type": "null"}]
    },
    "qty": {"description": "How many.", "$ref": "event:trading.common@0#/$defs/number"},
    "notional": {"description": "For how much money.", "$ref": "event:trading.common@0#/$defs/number"},
    "limit_price": {"description": "The worst price to take.", "$ref": "event:trading.common@0#/$defs/number"},
    "stop_price": {"description": "The price that sets it off.", "$ref": "event:trading.common@0#/$defs/number"},
    "created_at": {"description": "When it was made.", "$ref": "event:trading.common@0#/$defs/time"}
  },
  "anyOf": [{"required": ["id"]}, {"required": ["client_order_id"]}]
}$schema$;
COMMENT ON FUNCTION event_schema."order.placed@0"(jsonb) IS 'Order placed, legacy';

CREATE FUNCTION event_schema."order.placed@1"(data jsonb) RETURNS boolean
LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE
AS $schema$#breaking
{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Order placed, v1",
  "description": "An order that the broker has taken. The event is the order itself; nothing of it is filled yet.",
  "$ref": "event:order.common@1#/$defs/order",
  "properties": {
    "status": {
      "description": "A state before the first fill.",
      "enum": ["accepted", "accepted_for_bidding", "pending_new", "new", "held"]
    },
    "filled_at": {"description": "Nothing is filled yet.", "type": "null"}
  }
}$schema$;
COMMENT ON FUNCTION event_schema."order.placed@1"(jsonb) IS 'Order placed, v1';

CREATE FUNCTION event_schema."order.placed@2"(data jsonb) RETURNS boolean
LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE
AS $schema$#breaking
{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Order placed, v2",
  "description": "An order that the broker has taken. The event is the order itself; nothing of it is filled yet.",
  "$ref": "event:order.common@2#/$defs/order",
  "properties": {
    "status": {
      "description": "A state before the first fill.",
      "enum": ["accepted", "accepted_for_bidding", "pending_new", "new", "held"]
    },
    "filled_at": {"description": "Nothing is filled yet.", "type": "null"}
  }
}$schema$;
COMMENT ON FUNCTION event_schema."order.placed@2"(jsonb) IS 'Order placed, v2';

CREATE FUNCTION event_schema."order.updated@0"(data jsonb) RETURNS boolean
LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE
AS $schema${
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Order updated, legacy",
  "description": "What happened to an order that can be told from others. Fills are order.filled. Open and loose: what it needs to be one of its kind, nothing more.",
  "type": "object",
  "required": ["event", "order"],
  "properties": {
    "event": {
      "description": "What happened.",
      "$ref": "event:trading.common@0#/$defs/word",
      "not": {"enum": ["fill", "partial_fill"]}
    },
    "order": {
      "description": "The order, by one of its ids at least.",
      "type": "object",
      "properties": {
        "id": {"description": "The broker's id of the order.", "$ref": "event:trading.common@0#/$defs/id"},
        "client_order_id": {
          "description": "The application's id of the order.",
          "$ref": "event:trading.common@0#/$defs/id"
        },
        "symbol": {"description": "What is traded.", "$ref": "event:trading.common@0#/$defs/symbol"},
        "side": {"description": "Whether it buys or sells.", "$ref": "event:trading.common@0#/$defs/word"},
        "type": {
          "description": "How it is to be executed.",
          "anyOf": [{"$ref": "event:trading.common@0#/$defs/word"}, {"type": "null"}]
        },
        "status": {
          "description": "Where it is in its life.",
          "anyOf": [{"$ref": "event:trading.common@0#/$defs/word"}, {"type": "null"}]
        },
        "qty": {"description": "How many.", "$ref": "event:trading.common@0#/$defs/number"},
        "notional": {"description": "For how much money.", "$ref": "event:trading.common@0#/$defs/number"},
        "limit_price": {"description": "The worst price to take.", "$ref": "event:trading.common@0#/$defs/number"},
        "stop_price": {"description": "The price that sets it off.", "$ref": "event:trading.common@0#/$defs/number"},
        "created_at": {"description": "When it was made.", "$ref": "event:trading.common@0#/$defs/time"}
      },
      "anyOf": [{"required": ["id"]}, {"required": ["client_order_id"]}]
    },
    "timestamp": {"description": "When it happened.", "$ref": "event:trading.common@0#/$defs/time"}
  }
}$schema$;
COMMENT ON FUNCTION event_schema."order.updated@0"(jsonb) IS 'Order updated, legacy';

CREATE FUNCTION event_schema."order.updated@1"(data jsonb) RETURNS boolean
LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE
AS $schema$#breaking
{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Order updated, v1",
  "description": "Whatever happens to an order but fills. Closed: the application's own rendering of the broker's update.",
  "type": "object",
  "required": ["event", "order", "timestamp"],
  "additionalProperties": false,
  "properties": {
    "event": {
      "description": "What happened.",
      "enum": [
        "new", "pending_new", "canceled", "expired", "done_for_day", "replaced", "rejected", "stopped",
        "pending_cancel", "pending_replace", "calculated", "suspended", "order_replace_rejected",
        "order_cancel_rejected"
      ]
    },
    "order": {"description": "The order as it is now.", "$ref": "event:order.common@1#/$defs/order"},
    "timestamp": {"description": "When it happened.", "$ref": "event:trading.common@1#/$defs/instant"},
    "reason": {
      "description": "Why, where the broker says so.",
      "anyOf": [{"type": "string", "maxLength": 500}, {"type": "null"}],
      "default": null
    }
  },
  "allOf": [
    {
      "if": {"required": ["event"], "properties": {"event": {"const": "canceled"}}},
      "then": {"properties": {"order": {"properties": {"status": {"const": "canceled"}}}}}
    },
    {
      "if": {"required": ["event"], "properties": {"event": {"const": "expired"}}},
      "then": {"properties": {"order": {"properties": {"status": {"const": "expired"}}}}}
    },
    {
      "if": {"required": ["event"], "properties": {"event": {"const": "replaced"}}},
      "then": {"properties": {"order": {"properties": {"status": {"const": "replaced"}}}}}
    },
    {
      "if": {"required": ["event"], "properties": {"event": {"const": "rejected"}}},
      "then": {"properties": {"order": {"properties": {"status": {"const": "rejected"}}}}}
    }
  ]
}$schema$;
COMMENT ON FUNCTION event_schema."order.updated@1"(jsonb) IS 'Order updated, v1';

CREATE FUNCTION event_schema."order.updated@2"(data jsonb) RETURNS boolean
LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE
AS $schema$#breaking
{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Order updated, v2",
  "description": "Whatever happens to an order but fills. Closed: the application's own rendering of the broker's update.",
  "type": "object",
  "required": ["event", "order", "timestamp"],
  "additionalProperties": false,
  "properties": {
    "event": {
      "description": "What happened.",
      "enum": [
        "new", "pending_new", "canceled", "expired", "done_for_day", "replaced", "rejected", "stopped",
        "pending_cancel", "pending_replace", "calculated", "suspended", "order_replace_rejected",
        "order_cancel_rejected"
      ]
    },
    "order": {"description": "The order as it is now.", "$ref": "event:order.common@2#/$defs/order"},
    "timestamp": {"description": "When it happened.", "$ref": "event:trading.common@2#/$defs/instant"},
    "reason": {
      "description": "Why, where the broker says so.",
      "anyOf": [{"type": "string", "maxLength": 500}, {"type": "null"}],
      "default": null
    }
  },
  "allOf": [
    {
      "if": {"required": ["event"], "properties": {"event": {"const": "canceled"}}},
      "then": {"properties": {"order": {"properties": {"status": {"const": "canceled"}}}}}
    },
    {
      "if": {"required": ["event"], "properties": {"event": {"const": "expired"}}},
      "then": {"properties": {"order": {"properties": {"status": {"const": "expired"}}}}}
    },
    {
      "if": {"required": ["event"], "properties": {"event": {"const": "replaced"}}},
      "then": {"properties": {"order": {"properties": {"status": {"const": "replaced"}}}}}
    },
    {
      "if": {"required": ["event"], "properties": {"event": {"const": "rejected"}}},
      "then": {"properties": {"order": {"properties": {"status": {"const": "rejected"}}}}}
    }
  ]
}$schema$;
COMMENT ON FUNCTION event_schema."order.updated@2"(jsonb) IS 'Order updated, v2';

CREATE FUNCTION event_schema."system.log@0"(data jsonb) RETURNS boolean
LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE
AS $schema${
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "System message, legacy",
  "description": "A message of which at least the text is known, and who said it or how grave it is. Open and loose: what it needs to be one of its kind, nothing more.",
  "type": "object",
  "required": ["message"],
  "properties": {
    "component": {"description": "The part that speaks.", "$ref": "event:trading.common@0#/$defs/text"},
    "level": {"description": "How grave it is.", "$ref": "event:trading.common@0#/$defs/text"},
    "message": {"description": "What it says.", "type": "string"},
    "occurred_at": {"description": "When it happened.", "$ref": "event:trading.common@0#/$defs/time"},
    "host": {"description": "Where it ran.", "$ref": "event:trading.common@0#/$defs/text"}
  },
  "anyOf": [{"required": ["component"]}, {"required": ["level"]}]
}$schema$;
COMMENT ON FUNCTION event_schema."system.log@0"(jsonb) IS 'System message, legacy';

CREATE FUNCTION event_schema."system.log@1"(data jsonb) RETURNS boolean
LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE
AS $schema$#breaking
{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "System message, v1",
  "description": "What a part of the application says about itself. Closed: the application writes it itself.",
  "type": "object",
  "required": ["component", "level", "message", "occurred_at"],
  "additionalProperties": false,
  "properties": {
    "component": {
      "description": "The part that speaks: lower case, dots between levels.",
      "type": "string",
      "maxLength": 100,
      "pattern": "^[a-z][a-z0-9_]*(?:[.][a-z][a-z0-9_]*)*$"
    },
    "level": {
      "description": "How grave it is.",
      "enum": ["debug", "info", "notice", "warning", "error", "critical"]
    },
    "message": {"description": "What it says.", "type": "string", "minLength": 1, "maxLength": 8192},
    "occurred_at": {"description": "When it happened.", "$ref": "event:trading.common@1#/$defs/instant"},
    "host": {
      "description": "Where it ran: a host name or an address.",
      "anyOf": [
        {
          "anyOf": [
            {"type": "string", "format": "hostname"},
            {"type": "string", "format": "ipv4"},
            {"type": "string", "format": "ipv6"}
          ]
        },
        {"type": "null"}
      ],
      "default": null
    }
  }
}$schema$;
COMMENT ON FUNCTION event_schema."system.log@1"(jsonb) IS 'System message, v1';

CREATE FUNCTION event_schema."system.log@2"(data jsonb) RETURNS boolean
LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE
AS $schema$#breaking
{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "System message, v2",
  "description": "What a part of the application says about itself. Closed: the application writes it itself. Version 2 has the severity in OpenTelemetry's numbers too, says which event it belongs to, and what failed.",
  "type": "object",
  "required": ["component", "severity", "message", "occurred_at"],
  "additionalProperties": false,
  "properties": {
    "component": {
      "description": "The part that speaks: lower case, dots between levels.",
      "type": "string",
      "maxLength": 100,
      "pattern": "^[a-z][a-z0-9_]*(?:[.][a-z][a-z0-9_]*)*$"
    },
    "severity": {
      "description": "How grave it is.",
      "type": "object",
      "required": ["text", "number"],
      "additionalProperties": false,
      "properties": {
        "text": {
          "description": "In syslog's words.",
          "enum": ["debug", "info", "notice", "warning", "error", "critical"]
        },
        "number": {
          "description": "In OpenTelemetry's numbers: debug 5 (1 to 8), info 9, notice 10 (to 12), warning 13 (to 16), error 17, critical 18 (to 24).",
          "type": "integer",
          "minimum": 1,
          "maximum": 24
        }
      },
      "allOf": [
        {
          "if": {"required": ["text"], "properties": {"text": {"const": "debug"}}},
          "then": {"properties": {"number": {"minimum": 1, "maximum": 8}}}
        },
        {
          "if": {"required": ["text"], "properties": {"text": {"const": "info"}}},
          "then": {"properties": {"number": {"minimum": 9, "maximum": 9}}}
        },
        {
          "if": {"required": ["text"], "properties": {"text": {"const": "notice"}}},
          "then": {"properties": {"number": {"minimum": 10, "maximum": 12}}}
        },
        {
          "if": {"required": ["text"], "properties": {"text": {"const": "warning"}}},
          "then": {"properties": {"number": {"minimum": 13, "maximum": 16}}}
        },
        {
          "if": {"required": ["text"], "properties": {"text": {"const": "error"}}},
          "then": {"properties": {"number": {"minimum": 17, "maximum": 17}}}
        },
        {
          "if": {"required": ["text"], "properties": {"text": {"const": "critical"}}},
          "then": {"properties": {"number": {"minimum": 18, "maximum": 24}}}
        }
      ]
    },
    "message": {"description": "What it says.", "type": "string", "minLength": 1, "maxLength": 8192},
    "occurred_at": {"description": "When it happened.", "$ref": "event:trading.common@2#/$defs/instant"},
    "host": {
      "description": "Where it ran: a host name or an address.",
      "anyOf": [
        {
          "anyOf": [
            {"type": "string", "format": "hostname"},
            {"type": "string", "format": "ipv4"},
            {"type": "string", "format": "ipv6"}
          ]
        },
        {"type": "null"}
      ],
      "default": null
    },
    "correlation_id": {
      "description": "What the events of one course of action have in common.",
      "$ref": "event:trading.common@2#/$defs/nullable_uuid"
    },
    "causation_id": {
      "description": "The event that caused this one.",
      "$ref": "event:trading.common@2#/$defs/nullable_uuid"
    },
    "error": {
      "description": "What failed; null where nothing did.",
      "anyOf": [
        {
          "type": "object",
          "required": ["code", "retryable"],
          "additionalProperties": false,
          "properties": {
            "code": {
              "description": "A word or an SQLSTATE that programs can go by.",
              "type": "string",
              "pattern": "^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$"
            },
            "retryable": {"description": "Whether trying again may help.", "type": "boolean"}
          }
        },
        {"type": "null"}
      ],
      "default": null
    }
  }
}$schema$;
COMMENT ON FUNCTION event_schema."system.log@2"(jsonb) IS 'System message, v2';

CREATE FUNCTION event_schema."trading.signal@0"(data jsonb) RETURNS boolean
LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE
AS $schema${
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Trading signal, legacy",
  "description": "A signal of which at least symbol and action are known. Open and loose: what it needs to be one of its kind, nothing more.",
  "type": "object",
  "required": ["symbol", "action"],
  "properties": {
    "signal_id": {"description": "The signal's id.", "$ref": "event:trading.common@0#/$defs/id"},
    "symbol": {"description": "What it is about.", "$ref": "event:trading.common@0#/$defs/symbol"},
    "action": {
      "description": "What to do.",
      "$ref": "event:trading.common@0#/$defs/word",
      "not": {"enum": ["new", "change", "delete"]}
    },
    "confidence": {
      "description": "How sure the strategy is, from 0 to 1 or in per cent.",
      "$ref": "event:trading.common@0#/$defs/number"
    },
    "generated_at": {"description": "When it was generated.", "$ref": "event:trading.common@0#/$defs/time"},
    "source_message_id": {
      "description": "The message that it was read from.",
      "anyOf": [{"$ref": "event:trading.common@0#/$defs/id"}, {"type": "null"}]
    }
  }
}$schema$;
COMMENT ON FUNCTION event_schema."trading.signal@0"(jsonb) IS 'Trading signal, legacy';

CREATE FUNCTION event_schema."trading.signal@1"(data jsonb) RETURNS boolean
LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE
AS $schema$#breaking
{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Trading signal, v1",
  "description": "What the strategy says about a symbol, and the message that it read it from. Closed: the application writes it itself.",
  "type": "object",
  "required": ["signal_id", "symbol", "action", "confidence", "generated_at"],
  "additionalProperties": false,
  "properties": {
    "signal_id": {"description": "The signal's id.", "$ref": "event:trading.common@1#/$defs/uuid"},
    "symbol": {"description": "What it is about.", "$ref": "event:trading.common@1#/$defs/symbol"},
    "action": {"description": "What to do.", "enum": ["buy", "sell", "hold", "close"]},
    "confidence": {
      "description": "How sure the strategy is, from 0 to 1.",
      "type": "number",
      "minimum": 0,
      "maximum": 1
    },
    "generated_at": {"description": "When it was generated.", "$ref": "event:trading.common@1#/$defs/instant"},
    "source_message_id": {
      "description": "The Discord message that it was read from; null where it comes from market data alone.",
      "$ref": "event:discord.common@1#/$defs/nullable_snowflake"
    }
  }
}$schema$;
COMMENT ON FUNCTION event_schema."trading.signal@1"(jsonb) IS 'Trading signal, v1';

CREATE FUNCTION event_schema."trading.signal@2"(data jsonb) RETURNS boolean
LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE
AS $schema$#breaking
{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Trading signal, v2",
  "description": "What the strategy says about a symbol, and the message that it read it from. Closed: the application writes it itself. Version 2 says where to enter and to leave, by which model, and until when.",
  "type": "object",
  "required": ["signal_id", "symbol", "action", "confidence", "generated_at", "source"],
  "additionalProperties": false,
  "properties": {
    "signal_id": {"description": "The signal's id.", "$ref": "event:trading.common@2#/$defs/uuid"},
    "symbol": {"description": "What it is about.", "$ref": "event:trading.common@2#/$defs/symbol"},
    "action": {"description": "What to do.", "enum": ["buy", "sell", "hold", "close"]},
    "confidence": {
      "description": "How sure the strategy is, from 0 to 1.",
      "type": "number",
      "minimum": 0,
      "maximum": 1
    },
    "generated_at": {"description": "When it was generated.", "$ref": "event:trading.common@2#/$defs/instant"},
    "source": {
      "description": "What the signal was read from.",
      "type": "object",
      "required": ["kind", "message_ids"],
      "additionalProperties": false,
      "properties": {
        "kind": {
          "description": "Discord messages, market data, a person.",
          "enum": ["discord", "market_data", "manual"]
        },
        "message_ids": {
          "description": "The messages that it was read from: one or more where the kind is discord, none otherwise.",
          "type": "array",
          "maxItems": 100,
          "uniqueItems": true,
          "items": {"$ref": "event:discord.common@2#/$defs/snowflake"}
        }
      },
      "if": {"required": ["kind"], "properties": {"kind": {"const": "discord"}}},
      "then": {"properties": {"message_ids": {"minItems": 1}}},
      "else": {"properties": {"message_ids": {"maxItems": 0}}}
    },
    "entry": {"description": "The price to enter at.", "$ref": "event:trading.common@2#/$defs/nullable_positive_text"},
    "stop_loss": {
      "description": "The price to give up at.",
      "$ref": "event:trading.common@2#/$defs/nullable_positive_text"
    },
    "take_profit": {
      "description": "The prices to take profit at, the nearest first.",
      "type": "array",
      "maxItems": 10,
      "items": {"$ref": "event:trading.common@2#/$defs/positive_text"},
      "default": []
    },
    "timeframe": {
      "description": "The span of time that the signal looks at.",
      "anyOf": [{"$ref": "event:trading.common@2#/$defs/timeframe"}, {"type": "null"}],
      "default": null
    },
    "model": {
      "description": "What generated it; null where that was not kept.",
      "anyOf": [
        {
          "type": "object",
          "required": ["name", "version"],
          "additionalProperties": false,
          "properties": {
            "name": {"description": "The model's name.", "type": "string", "minLength": 1, "maxLength": 100},
            "version": {"description": "The model's version.", "type": "string", "minLength": 1, "maxLength": 50}
          }
        },
        {"type": "null"}
      ],
      "default": null
    },
    "expires_at": {
      "description": "When it is no longer good; null if never.",
      "$ref": "event:trading.common@2#/$defs/nullable_instant"
    }
  }
}$schema$;
COMMENT ON FUNCTION event_schema."trading.signal@2"(jsonb) IS 'Trading signal, v2';

-- ---------- upcasts ----------

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

COMMENT ON FUNCTION @extschema@.binance_agg_trade_1_to_2(jsonb) IS 'binance.agg_trade from version 1 to version 2';
CREATE FUNCTION event_schema."binance.agg_trade@1>2"(data jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT @extschema@.binance_agg_trade_1_to_2(data);
END;
COMMENT ON FUNCTION event_schema."binance.agg_trade@1>2"(jsonb) IS 'binance.agg_trade from version 1 to version 2';

COMMENT ON FUNCTION @extschema@.binance_depth_update_1_to_2(jsonb) IS 'binance.depth_update from version 1 to version 2';
CREATE FUNCTION event_schema."binance.depth_update@1>2"(data jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT @extschema@.binance_depth_update_1_to_2(data);
END;
COMMENT ON FUNCTION event_schema."binance.depth_update@1>2"(jsonb) IS 'binance.depth_update from version 1 to version 2';

COMMENT ON FUNCTION @extschema@.binance_execution_report_1_to_2(jsonb) IS 'binance.execution_report from version 1 to version 2';
CREATE FUNCTION event_schema."binance.execution_report@1>2"(data jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT @extschema@.binance_execution_report_1_to_2(data);
END;
COMMENT ON FUNCTION event_schema."binance.execution_report@1>2"(jsonb) IS 'binance.execution_report from version 1 to version 2';

COMMENT ON FUNCTION @extschema@.binance_kline_1_to_2(jsonb) IS 'binance.kline from version 1 to version 2';
CREATE FUNCTION event_schema."binance.kline@1>2"(data jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT @extschema@.binance_kline_1_to_2(data);
END;
COMMENT ON FUNCTION event_schema."binance.kline@1>2"(jsonb) IS 'binance.kline from version 1 to version 2';

COMMENT ON FUNCTION @extschema@.binance_trade_1_to_2(jsonb) IS 'binance.trade from version 1 to version 2';
CREATE FUNCTION event_schema."binance.trade@1>2"(data jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT @extschema@.binance_trade_1_to_2(data);
END;
COMMENT ON FUNCTION event_schema."binance.trade@1>2"(jsonb) IS 'binance.trade from version 1 to version 2';

COMMENT ON FUNCTION @extschema@.discord_channel_1_to_2(jsonb) IS 'discord.channel from version 1 to version 2';
CREATE FUNCTION event_schema."discord.channel@1>2"(data jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT @extschema@.discord_channel_1_to_2(data);
END;
COMMENT ON FUNCTION event_schema."discord.channel@1>2"(jsonb) IS 'discord.channel from version 1 to version 2';

COMMENT ON FUNCTION @extschema@.discord_message_create_1_to_2(jsonb) IS 'discord.message.create from version 1 to version 2';
CREATE FUNCTION event_schema."discord.message.create@1>2"(data jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT @extschema@.discord_message_create_1_to_2(data);
END;
COMMENT ON FUNCTION event_schema."discord.message.create@1>2"(jsonb) IS 'discord.message.create from version 1 to version 2';

COMMENT ON FUNCTION @extschema@.discord_message_delete_1_to_2(jsonb) IS 'discord.message.delete from version 1 to version 2';
CREATE FUNCTION event_schema."discord.message.delete@1>2"(data jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT @extschema@.discord_message_delete_1_to_2(data);
END;
COMMENT ON FUNCTION event_schema."discord.message.delete@1>2"(jsonb) IS 'discord.message.delete from version 1 to version 2';

COMMENT ON FUNCTION @extschema@.discord_message_update_1_to_2(jsonb) IS 'discord.message.update from version 1 to version 2';
CREATE FUNCTION event_schema."discord.message.update@1>2"(data jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT @extschema@.discord_message_update_1_to_2(data);
END;
COMMENT ON FUNCTION event_schema."discord.message.update@1>2"(jsonb) IS 'discord.message.update from version 1 to version 2';

COMMENT ON FUNCTION @extschema@.ingestion_batch_1_to_2(jsonb) IS 'ingestion.batch from version 1 to version 2';
CREATE FUNCTION event_schema."ingestion.batch@1>2"(data jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT @extschema@.ingestion_batch_1_to_2(data);
END;
COMMENT ON FUNCTION event_schema."ingestion.batch@1>2"(jsonb) IS 'ingestion.batch from version 1 to version 2';

COMMENT ON FUNCTION @extschema@.market_bar_1_to_2(jsonb) IS 'market.bar from version 1 to version 2';
CREATE FUNCTION event_schema."market.bar@1>2"(data jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT @extschema@.market_bar_1_to_2(data);
END;
COMMENT ON FUNCTION event_schema."market.bar@1>2"(jsonb) IS 'market.bar from version 1 to version 2';

COMMENT ON FUNCTION @extschema@.market_book_delta_1_to_2(jsonb) IS 'market.book_delta from version 1 to version 2';
CREATE FUNCTION event_schema."market.book_delta@1>2"(data jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT @extschema@.market_book_delta_1_to_2(data);
END;
COMMENT ON FUNCTION event_schema."market.book_delta@1>2"(jsonb) IS 'market.book_delta from version 1 to version 2';

COMMENT ON FUNCTION @extschema@.market_data_1_to_2(jsonb) IS 'market.data from version 1 to version 2';
CREATE FUNCTION event_schema."market.data@1>2"(data jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT @extschema@.market_data_1_to_2(data);
END;
COMMENT ON FUNCTION event_schema."market.data@1>2"(jsonb) IS 'market.data from version 1 to version 2';

COMMENT ON FUNCTION @extschema@.market_quote_1_to_2(jsonb) IS 'market.quote from version 1 to version 2';
CREATE FUNCTION event_schema."market.quote@1>2"(data jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT @extschema@.market_quote_1_to_2(data);
END;
COMMENT ON FUNCTION event_schema."market.quote@1>2"(jsonb) IS 'market.quote from version 1 to version 2';

COMMENT ON FUNCTION @extschema@.market_trade_1_to_2(jsonb) IS 'market.trade from version 1 to version 2';
CREATE FUNCTION event_schema."market.trade@1>2"(data jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT @extschema@.market_trade_1_to_2(data);
END;
COMMENT ON FUNCTION event_schema."market.trade@1>2"(jsonb) IS 'market.trade from version 1 to version 2';

COMMENT ON FUNCTION @extschema@.order_filled_1_to_2(jsonb) IS 'order.filled from version 1 to version 2';
CREATE FUNCTION event_schema."order.filled@1>2"(data jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT @extschema@.order_filled_1_to_2(data);
END;
COMMENT ON FUNCTION event_schema."order.filled@1>2"(jsonb) IS 'order.filled from version 1 to version 2';

COMMENT ON FUNCTION @extschema@.order_placed_1_to_2(jsonb) IS 'order.placed from version 1 to version 2';
CREATE FUNCTION event_schema."order.placed@1>2"(data jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT @extschema@.order_placed_1_to_2(data);
END;
COMMENT ON FUNCTION event_schema."order.placed@1>2"(jsonb) IS 'order.placed from version 1 to version 2';

COMMENT ON FUNCTION @extschema@.order_updated_1_to_2(jsonb) IS 'order.updated from version 1 to version 2';
CREATE FUNCTION event_schema."order.updated@1>2"(data jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT @extschema@.order_updated_1_to_2(data);
END;
COMMENT ON FUNCTION event_schema."order.updated@1>2"(jsonb) IS 'order.updated from version 1 to version 2';

COMMENT ON FUNCTION @extschema@.system_log_1_to_2(jsonb) IS 'system.log from version 1 to version 2';
CREATE FUNCTION event_schema."system.log@1>2"(data jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT @extschema@.system_log_1_to_2(data);
END;
COMMENT ON FUNCTION event_schema."system.log@1>2"(jsonb) IS 'system.log from version 1 to version 2';

COMMENT ON FUNCTION @extschema@.trading_signal_1_to_2(jsonb) IS 'trading.signal from version 1 to version 2';
CREATE FUNCTION event_schema."trading.signal@1>2"(data jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT @extschema@.trading_signal_1_to_2(data);
END;
COMMENT ON FUNCTION event_schema."trading.signal@1>2"(jsonb) IS 'trading.signal from version 1 to version 2';
