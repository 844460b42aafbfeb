-- Deploy trading:4.3.0-schemas to pg
-- Made by make_migrations from events/*.json; change those and run it again.

BEGIN;

CREATE EXTENSION IF NOT EXISTS event_validate;

SELECT register_event_schema('binance.common', 1, $schema${
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
}$schema$);

SELECT register_event_schema('binance.agg_trade', 1, $schema${
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
}$schema$);

SELECT register_event_schema('binance.depth_update', 1, $schema${
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
}$schema$);

SELECT register_event_schema('binance.execution_report', 1, $schema${
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
}$schema$);

SELECT register_event_schema('binance.kline', 1, $schema${
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
}$schema$);

SELECT register_event_schema('binance.trade', 1, $schema${
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
}$schema$);

SELECT register_event_schema('trading.common', 1, $schema${
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
}$schema$);

SELECT register_event_schema('discord.common', 1, $schema${
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
}$schema$);

SELECT register_event_schema('discord.channel', 1, $schema${
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
}$schema$);

SELECT register_event_schema('discord.message.create', 1, $schema${
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
}$schema$);

SELECT register_event_schema('discord.message.delete', 1, $schema${
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
}$schema$);

SELECT register_event_schema('discord.message.update', 1, $schema${
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
}$schema$);

SELECT register_event_schema('ingestion.batch', 1, $schema${
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
}$schema$);

SELECT register_event_schema('market.common', 1, $schema${
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Common to market data, v1",
  "description": "Fields of market data, whatever the venue. Definitions for $ref; nothing is an event of this type, so the document itself accepts no instance.",
  "not": {},
  "$defs": {
    "price": {
      "title": "Price",
      "description": "A price in the quote currency, to the finest tick of any venue that is read (eight decimals).",
      "type": "number",
      "exclusiveMinimum": 0,
      "multipleOf": 1e-08
    },
    "quote_price": {
      "title": "Quoted price",
      "description": "A quoted price; zero where that side of the book is empty.",
      "type": "number",
      "minimum": 0,
      "multipleOf": 1e-08
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
}$schema$);

SELECT register_event_schema('market.bar', 1, $schema${
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
}$schema$);

SELECT register_event_schema('market.book_delta', 1, $schema${
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
}$schema$);

SELECT register_event_schema('market.quote', 1, $schema${
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
}$schema$);

SELECT register_event_schema('market.trade', 1, $schema${
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
}$schema$);

SELECT register_event_schema('market.data', 1, $schema${
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
}$schema$);

SELECT register_event_schema('order.common', 1, $schema${
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
}$schema$);

SELECT register_event_schema('order.filled', 1, $schema${
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
}$schema$);

SELECT register_event_schema('order.placed', 1, $schema${
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
}$schema$);

SELECT register_event_schema('order.updated', 1, $schema${
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
}$schema$);

SELECT register_event_schema('system.log', 1, $schema${
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
}$schema$);

SELECT register_event_schema('trading.signal', 1, $schema${
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
}$schema$);

COMMIT;
