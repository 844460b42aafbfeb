"""The workloads: schemas, documents for them, mistakes, and the CHECK that a
careful person would write by hand.

Each workload is of a different shape.  Documents come from generators with a
fixed seed, so that every run has the same ones; each valid document also
makes an invalid one, with a single mistake.
"""

import copy
import json
import random
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
DRAFT2020 = "https://json-schema.org/draft/2020-12/schema"


class Workload:
    """rows: the number of documents in the tables, as a share of the largest;
    loops: the number of runs of a document in the hot loop."""

    def __init__(self, name, title, schema, make, spoil, hand=None, rows=1.0, loops=2000, sample=200, hand_note=None):
        self.name = name
        self.title = title
        self.schema = schema
        self.make = make
        self.spoil = spoil
        self.hand = hand
        self.hand_note = hand_note
        self.rows = rows
        self.loops = loops
        self.sample = sample

    def documents(self, count):
        randomness = random.Random(20240607)
        return [self.make(randomness) for _ in range(count)]

    def invalid(self, documents):
        randomness = random.Random(7062024)
        return [self.spoil(randomness, copy.deepcopy(document), number)
                for number, document in enumerate(documents)]


def dump(document):
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False)


# ---------- common to the generators ----------

def uuid(r):
    h = "%032x" % r.getrandbits(128)
    return f"{h[:8]}-{h[8:12]}-4{h[13:16]}-a{h[17:20]}-{h[20:]}"


def timestamp(r):
    base = "%04d-%02d-%02dT%02d:%02d:%02d" % (r.randrange(2021, 2026), r.randrange(1, 13), r.randrange(1, 29),
                                            r.randrange(24), r.randrange(60), r.randrange(60))
    kind = r.random()
    if kind < 0.6:
        return base + ".%06dZ" % r.randrange(10**6)
    if kind < 0.8:
        return base + ".%03dZ" % r.randrange(1000)
    if kind < 0.9:
        return base + "Z"
    return base + ".%06d" % r.randrange(10**6) + r.choice(["+00:00", "-05:00", "-04:00", "+01:00"])


SYMBOLS = [name for name in ("SPY NVDA TSLA AAPL QQQ AMD MSFT AMZN META GOOGL NFLX BRK.B COIN F BF.B IWM XLF KRE GLD "
                             "SLV TLT HYG UBER ABNB PLTR SOFI NIO BABA T VZ KO PEP DIS JPM BAC WFC GS MS C").split()]

# SQL for checks by hand.  A CHECK lets NULL pass, so that each is closed with
# IS TRUE; jsonb_typeof before a cast, in a CASE, because AND promises no order.
RFC3339 = (r"^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])[Tt]([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d+)?"
           r"([Zz]|[+-]([01]\d|2[0-3]):[0-5]\d)$")


def is_string(path, more=""):
    return f"(jsonb_typeof(data->{path}) = 'string' AND ({more or 'true'}))".replace("@", f"(data->>{path})")


def is_number(path, more):
    return f"CASE WHEN jsonb_typeof(data->{path}) = 'number' THEN {more} END".replace("@", f"(data->>{path})::numeric")


def optional(key, condition):
    return f"(NOT data ? {key} OR {condition})"


def all_of(*conditions):
    return "(" + "\n    AND ".join(conditions) + ") IS TRUE"


# ---------- orders ----------

ORDER_SCHEMA = {
    "$schema": "http://json-schema.org/draft-07/schema#",
    "title": "trading.order v1",
    "type": "object",
    "additionalProperties": False,
    "required": ["order_id", "account_id", "symbol", "side", "type", "qty", "tif", "created_at", "meta"],
    "properties": {
        "order_id": {"type": "string", "pattern": "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"},
        "client_order_id": {"type": "string", "pattern": "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"},
        "account_id": {"type": "string", "minLength": 3, "maxLength": 32},
        "symbol": {"type": "string", "pattern": "^[A-Z.]{1,8}$"},
        "side": {"type": "string", "enum": ["buy", "sell"]},
        "type": {"type": "string", "enum": ["market", "limit", "stop", "stop_limit", "trailing_stop"]},
        "qty": {"type": "number", "exclusiveMinimum": 0},
        "limit_price": {"type": "number", "minimum": 0},
        "tif": {"type": "string", "enum": ["day", "gtc", "ioc", "fok", "opg", "cls"]},
        "created_at": {"type": "string", "format": "date-time"},
        "tags": {"type": "array", "maxItems": 16, "items": {"type": "string", "minLength": 1, "maxLength": 32}},
        "meta": {
            "type": "object",
            "additionalProperties": False,
            "required": ["source", "strategy"],
            "properties": {
                "source": {"type": "string", "enum": ["api", "web", "algo", "mobile"]},
                "strategy": {"type": "string", "minLength": 1, "maxLength": 64},
                "latency_us": {"type": "integer", "minimum": 0},
                "paper": {"type": "boolean"},
            },
        },
    },
}

STRATEGIES = ["momentum-v2", "mean_reversion", "pairs:XLF/KRE", "vwap-slicer", "discretionary", "gamma scalp", "iceberg"]
TAGS = ["swing", "earnings", "hedge", "rebalance", "stop-run", "news", "opening-auction", "manual-override", "tier1",
        "vip", "überwacht"]


def order(r):
    kind = r.choice(["market", "limit", "limit", "limit", "stop", "stop_limit", "trailing_stop"])
    event = {"order_id": uuid(r), "client_order_id": uuid(r), "account_id": "ACC-%08d" % r.randrange(10**8),
             "symbol": r.choice(SYMBOLS), "side": r.choice(["buy", "sell"]), "type": kind,
             "qty": r.randrange(1, 5000) if r.random() < 0.7 else round(r.random() * 1000 + 0.000001, 6)}
    if kind in ("limit", "stop_limit"):
        event["limit_price"] = round(r.random() * 900 + 0.01, r.choice([2, 2, 2, 4]))
    event["tif"] = r.choice(["day", "day", "gtc", "ioc", "fok", "opg", "cls"])
    event["created_at"] = timestamp(r)
    event["tags"] = r.sample(TAGS, r.randrange(0, 5))
    event["meta"] = {"source": r.choice(["api", "web", "mobile", "algo"]), "strategy": r.choice(STRATEGIES),
                     "latency_us": r.randrange(20, 250000), "paper": r.random() < 0.1}
    return event


def spoil_order(r, event, number):
    kind = number % 12
    if kind == 0:
        del event["symbol"]
    elif kind == 1:
        event["qty"] = 0
    elif kind == 2:
        event["qty"] = str(event["qty"])
    elif kind == 3:
        event["order_id"] = event["order_id"].upper().replace("1", "G")
    elif kind == 4:
        event["side"] = "hold"
    elif kind == 5:
        event["created_at"] = event["created_at"][:19]
    elif kind == 6:
        event["symbol"] = event["symbol"].lower()
    elif kind == 7:
        event["note"] = "one property too many"
    elif kind == 8:
        event["tags"] = ["x" * 33]
    elif kind == 9:
        event["meta"]["source"] = "fax"
    elif kind == 10:
        event["meta"]["latency_us"] = 12.5
    else:
        del event["meta"]["strategy"]
    return event


UUID_SQL = r"@ ~ '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$'"
ORDER_HAND = all_of(
    "jsonb_typeof(data) = 'object'",
    "data ?& '{order_id,account_id,symbol,side,type,qty,tif,created_at,meta}'",
    "data - '{order_id,client_order_id,account_id,symbol,side,type,qty,limit_price,tif,created_at,tags,meta}'::text[] = '{}'",
    is_string("'order_id'", UUID_SQL),
    optional("'client_order_id'", is_string("'client_order_id'", UUID_SQL)),
    is_string("'account_id'", "char_length(@) BETWEEN 3 AND 32"),
    is_string("'symbol'", "@ ~ '^[A-Z.]{1,8}$'"),
    "data->'side' IN ('\"buy\"', '\"sell\"')",
    "data->'type' IN ('\"market\"', '\"limit\"', '\"stop\"', '\"stop_limit\"', '\"trailing_stop\"')",
    is_number("'qty'", "@ > 0"),
    optional("'limit_price'", is_number("'limit_price'", "@ >= 0")),
    "data->'tif' IN ('\"day\"', '\"gtc\"', '\"ioc\"', '\"fok\"', '\"opg\"', '\"cls\"')",
    "CASE WHEN " + is_string("'created_at'", f"@ ~ '{RFC3339}'") +
    " THEN (data->>'created_at')::timestamptz IS NOT NULL END",
    optional("'tags'", "CASE WHEN jsonb_typeof(data->'tags') = 'array' THEN jsonb_array_length(data->'tags') <= 16"
             " AND NOT data @? '$.tags[*] ? (!(@ like_regex \"^.{1,32}$\" flag \"s\"))' END"),
    "jsonb_typeof(data->'meta') = 'object'",
    "data->'meta' ?& '{source,strategy}'",
    "(data->'meta') - '{source,strategy,latency_us,paper}'::text[] = '{}'",
    "data#>'{meta,source}' IN ('\"api\"', '\"web\"', '\"mobile\"', '\"algo\"')",
    "jsonb_typeof(data#>'{meta,strategy}') = 'string' AND char_length(data#>>'{meta,strategy}') BETWEEN 1 AND 64",
    "(NOT data->'meta' ? 'latency_us' OR CASE WHEN jsonb_typeof(data#>'{meta,latency_us}') = 'number'"
    " THEN (data#>>'{meta,latency_us}')::numeric >= 0"
    " AND (data#>>'{meta,latency_us}')::numeric = trunc((data#>>'{meta,latency_us}')::numeric) END)",
    "(NOT data->'meta' ? 'paper' OR jsonb_typeof(data#>'{meta,paper}') = 'boolean')",
)


# ---------- Discord ----------

def bundle(name):
    """A schema of the trading example with embedded references, so that
    every engine reads the same document."""
    parts = {}

    def part_name(address):
        return address.removeprefix("event:").replace(".", "_").replace("@", "_")

    def walk(value, inside):
        if isinstance(value, list):
            return [walk(item, inside) for item in value]
        if not isinstance(value, dict):
            return value
        result = {}
        for key, item in value.items():
            if key == "$ref" and isinstance(item, str):
                address, _, pointer = item.partition("#")
                if address:
                    load(address)
                    item = "#/$defs/" + part_name(address) + pointer
                elif inside:
                    item = "#/$defs/" + inside + pointer
                result[key] = item
            else:
                result[key] = walk(item, inside)
        return result

    def load(address):
        if part_name(address) not in parts:
            parts[part_name(address)] = None
            document = json.loads((TOP / "examples/trading/extension/events" / (address.removeprefix("event:") + ".json")).read_text(encoding="utf-8"))
            for key in ("not", "$schema"):
                document.pop(key, None)
            parts[part_name(address)] = walk(document, part_name(address))

    schema = walk(json.loads((TOP / "examples/trading/extension/events" / (name + ".json")).read_text(encoding="utf-8")), None)
    return {**schema, "$defs": {**schema.get("$defs", {}), **parts}} if parts else schema


WORDS = ("the tape shows size on the bid and the offer keeps lifting into the close so a push over the high of day is "
         "what I want to see vwap reclaim gamma flip support resistance weekly daily 4h supply demand Österreich naïve "
         "прогноз 支撐 レジスタンス 📈").split()


def sentence(r, least, most):
    return " ".join(r.choice(WORDS) for _ in range(r.randrange(least, most)))


def snowflake(r):
    return str((r.randrange(30000000000, 290000000000) << 22) | r.getrandbits(22))


def discord_user(r):
    user = {"id": snowflake(r), "username": r.choice(["Mason", "Nelly", "Zoë", "левел2", "チャート職人", "gamma_scalper"])}
    user["discriminator"] = r.choice(["0", "%04d" % r.randrange(1, 10000)])
    user["avatar"] = r.choice([None, "%032x" % r.getrandbits(128), "a_%032x" % r.getrandbits(128)])
    user["global_name"] = r.choice([None, "desk " + user["username"]])
    user["public_flags"] = r.choice([0, 64, 256, 4194304])
    if r.random() < 0.1:
        user["bot"] = True
    return user


def discord_time(r):
    return "2024-%02d-%02dT%02d:%02d:%02d.%03d000+00:00" % (r.randrange(1, 13), r.randrange(1, 29), r.randrange(24),
                                                           r.randrange(60), r.randrange(60), r.randrange(1000))


def discord_embed(r):
    embed = {"type": "rich", "title": r.choice(SYMBOLS) + " setup", "color": r.getrandbits(24),
             "description": sentence(r, 10, 60), "timestamp": discord_time(r),
             "url": "https://example.com/setups/%d" % r.getrandbits(20),
             "fields": [{"name": name, "value": "%.2f" % (r.random() * 900), "inline": r.random() < 0.7}
                        for name in ("Entry", "Stop", "Target 1", "Target 2", "Risk")],
             "footer": {"text": "levels, not advice", "icon_url": "https://cdn.discordapp.com/embed/avatars/%d.png" % r.randrange(6)}}
    if r.random() < 0.5:
        embed["image"] = {"url": "https://cdn.discordapp.com/attachments/1/2/chart.png", "height": 720, "width": 1280}
    if r.random() < 0.5:
        embed["author"] = {"name": "Morning desk"}
    return embed


def discord_attachment(r):
    address = "attachments/%s/%s/chart.png" % (snowflake(r), snowflake(r))
    return {"id": snowflake(r), "filename": "chart_%d.png" % r.getrandbits(12), "content_type": "image/png",
            "size": 20000 + r.getrandbits(20), "url": "https://cdn.discordapp.com/" + address,
            "proxy_url": "https://media.discordapp.net/" + address, "height": 300 + r.getrandbits(10),
            "width": 400 + r.getrandbits(11)}


def discord_message(r):
    message = {"id": snowflake(r), "channel_id": snowflake(r), "guild_id": snowflake(r), "type": 19,
               "content": sentence(r, 5, 120), "author": discord_user(r), "timestamp": discord_time(r),
               "edited_timestamp": r.choice([None, discord_time(r)]), "tts": False, "pinned": False,
               "mention_everyone": False, "mentions": [discord_user(r) for _ in range(r.randrange(4))],
               "mention_roles": [snowflake(r) for _ in range(r.randrange(3))],
               "attachments": [discord_attachment(r) for _ in range(r.randrange(3))],
               "embeds": [discord_embed(r) for _ in range(r.randrange(1, 6))], "flags": 0, "components": []}
    message["message_reference"] = {"type": 0, "message_id": snowflake(r), "channel_id": message["channel_id"]}
    message["referenced_message"] = {"id": snowflake(r), "channel_id": message["channel_id"],
                                     "content": sentence(r, 3, 40), "author": discord_user(r), "type": 0}
    if r.random() < 0.3:
        message["reactions"] = [{"count": 1 + r.getrandbits(5), "me": False, "emoji": {"id": None, "name": "🔥"},
                                 "burst_colors": []} for _ in range(r.randrange(1, 6))]
    return message


def spoil_discord(r, message, number):
    kind = number % 8
    if kind == 0:
        del message["author"]
    elif kind == 1:
        message["id"] = int(message["id"])
    elif kind == 2:
        message["content"] = "📈 level " * 501
    elif kind == 3:
        message["timestamp"] = message["timestamp"][:19]
    elif kind == 4:
        message["embeds"][-1]["fields"][-1]["value"] = 5
    elif kind == 5:
        message["embeds"][0]["color"] = 16777216
    elif kind == 6:
        message["author"]["id"] = "x"
    else:
        del message["embeds"][0]["footer"]["text"]
    return message


# ---------- book snapshots ----------

BOOK_SCHEMA = {
    "$schema": DRAFT2020,
    "title": "book.snapshot v1",
    "type": "object",
    "additionalProperties": False,
    "required": ["kind", "symbol", "timestamp", "sequence", "bids", "asks"],
    "properties": {
        "kind": {"const": "book_snapshot"},
        "symbol": {"type": "string", "pattern": "^[A-Z0-9./-]{1,32}$"},
        "timestamp": {"type": "string", "format": "date-time"},
        "sequence": {"type": "integer", "minimum": 0},
        "bids": {"type": "array", "maxItems": 5000, "items": {"$ref": "#/$defs/level"}},
        "asks": {"type": "array", "maxItems": 5000, "items": {"$ref": "#/$defs/level"}},
    },
    "$defs": {
        "level": {
            "type": "object",
            "additionalProperties": False,
            "required": ["price", "size"],
            "properties": {
                "price": {"type": "number", "exclusiveMinimum": 0},
                "size": {"type": "number", "minimum": 0},
                "orders": {"type": "integer", "minimum": 1},
            },
        },
    },
}


def book(r):
    price = 60000 + r.random() * 5000

    def levels(sign):
        return [{"price": round(price + sign * (i + 1) * 0.5 + r.randrange(10) / 100, 2),
                 "size": round(r.random() * 20, 4), "orders": r.randrange(1, 40)} for i in range(500)]

    return {"kind": "book_snapshot", "symbol": r.choice(["BTC/USD", "ETH/USD", "SOL/USD"]), "timestamp": timestamp(r),
            "sequence": r.getrandbits(40), "bids": levels(-1), "asks": levels(1)}


def spoil_book(r, event, number):
    side = r.choice(["bids", "asks"])
    level = r.choice(event[side])
    kind = number % 4
    if kind == 0:
        level["price"] = str(level["price"])
    elif kind == 1:
        level["orders"] = 1.5
    elif kind == 2:
        level["size"] = -level["size"] - 1
    else:
        del level["price"]
    return event


LEVELS_WRONG = ("""exists(@ ? (@.type() != "object" || !exists(@.price) || !exists(@.size)"""
                """ || @.price.type() != "number" || @.size.type() != "number" || @.price <= 0 || @.size < 0"""
                """ || (exists(@.orders) && (@.orders.type() != "number" || @.orders < 1 || @.orders.floor() != @.orders))"""
                """ || exists(@.keyvalue() ? (@.key != "price" && @.key != "size" && @.key != "orders"))))""")
BOOK_HAND = all_of(
    "jsonb_typeof(data) = 'object'",
    "data ?& '{kind,symbol,timestamp,sequence,bids,asks}'",
    "data - '{kind,symbol,timestamp,sequence,bids,asks}'::text[] = '{}'",
    "data->'kind' = '\"book_snapshot\"'",
    is_string("'symbol'", "@ ~ '^[A-Z0-9./-]{1,32}$'"),
    "CASE WHEN " + is_string("'timestamp'", f"@ ~ '{RFC3339}'") + " THEN (data->>'timestamp')::timestamptz IS NOT NULL END",
    is_number("'sequence'", "@ >= 0 AND @ = trunc(@)"),
    *(f"CASE WHEN jsonb_typeof(data->'{side}') = 'array' THEN jsonb_array_length(data->'{side}') <= 5000"
      f" AND NOT data @? '$.{side}[*] ? ({LEVELS_WRONG})' END" for side in ("bids", "asks")),
)

# As Binance sends them: [["0.0024", "10"], ...]
DEPTH_SCHEMA = {
    "$schema": DRAFT2020,
    "title": "depth v1",
    "type": "object",
    "required": ["lastUpdateId", "bids", "asks"],
    "properties": {
        "lastUpdateId": {"type": "integer", "minimum": 0},
        "bids": {"$ref": "#/$defs/side"},
        "asks": {"$ref": "#/$defs/side"},
    },
    "$defs": {
        "decimal": {"type": "string", "pattern": "^[0-9]{1,20}(\\.[0-9]{1,18})?$"},
        "side": {
            "type": "array",
            "items": {
                "type": "array",
                "prefixItems": [{"$ref": "#/$defs/decimal"}, {"$ref": "#/$defs/decimal"}],
                "items": False,
                "minItems": 2,
            },
        },
    },
}


def depth(r):
    def side():
        return [["%.8f" % (60000 + r.random() * 5000), "%.8f" % (r.random() * 20)] for _ in range(100)]
    return {"lastUpdateId": r.getrandbits(40), "bids": side(), "asks": side()}


def spoil_depth(r, event, number):
    level = r.choice(event[r.choice(["bids", "asks"])])
    kind = number % 4
    if kind == 0:
        level[0] = float(level[0])
    elif kind == 1:
        level[1] = "-" + level[1]
    elif kind == 2:
        level.append("x")
    else:
        level.pop()
    return event


PAIR_WRONG = ("""@.type() != "array" || @.size() != 2"""
              """ || exists(@[*] ? (@.type() != "string" || !(@ like_regex "^[0-9]{1,20}(\\\\.[0-9]{1,18})?$")))""")
DEPTH_HAND = all_of(
    "jsonb_typeof(data) = 'object'",
    "data ?& '{lastUpdateId,bids,asks}'",
    is_number("'lastUpdateId'", "@ >= 0 AND @ = trunc(@)"),
    *(f"jsonb_typeof(data->'{side}') = 'array' AND NOT data @? 'strict $.{side}[*] ? ({PAIR_WRONG})'"
      for side in ("bids", "asks")),
)


# ---------- twenty kinds of events in one oneOf ----------

def _string(**more):
    return {"type": "string", **more}


_KIND_PROPERTIES = {
    "opened": {"account": _string(minLength=3, maxLength=32), "currency": _string(pattern="^[A-Z]{3}$")},
    "closed": {"account": _string(minLength=3, maxLength=32), "reason": _string(enum=["customer", "compliance", "dormant"])},
    "deposited": {"amount": {"type": "number", "exclusiveMinimum": 0}, "currency": _string(pattern="^[A-Z]{3}$")},
    "withdrawn": {"amount": {"type": "number", "exclusiveMinimum": 0}, "iban": _string(pattern="^[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}$")},
    "ordered": {"order_id": _string(format="uuid"), "qty": {"type": "number", "exclusiveMinimum": 0}, "side": _string(enum=["buy", "sell"])},
    "replaced": {"order_id": _string(format="uuid"), "replaces": _string(format="uuid")},
    "cancelled": {"order_id": _string(format="uuid"), "by": _string(enum=["user", "broker", "exchange", "system"])},
    "filled": {"order_id": _string(format="uuid"), "price": {"type": "number", "minimum": 0}, "qty": {"type": "number", "exclusiveMinimum": 0}},
    "rejected": {"order_id": _string(format="uuid"), "code": {"type": "integer", "minimum": 1, "maximum": 999}},
    "expired": {"order_id": _string(format="uuid"), "at": _string(format="date-time")},
    "quoted": {"bid": {"type": "number", "minimum": 0}, "ask": {"type": "number", "minimum": 0}, "symbol": _string(pattern="^[A-Z.]{1,8}$")},
    "traded": {"price": {"type": "number", "minimum": 0}, "size": {"type": "integer", "minimum": 1}, "conditions": {"type": "array", "items": _string(maxLength=2)}},
    "halted": {"symbol": _string(pattern="^[A-Z.]{1,8}$"), "code": _string(enum=["T1", "T2", "LUDP", "M"])},
    "resumed": {"symbol": _string(pattern="^[A-Z.]{1,8}$"), "at": _string(format="date-time")},
    "split": {"symbol": _string(pattern="^[A-Z.]{1,8}$"), "from": {"type": "integer", "minimum": 1}, "to": {"type": "integer", "minimum": 1}},
    "paid": {"symbol": _string(pattern="^[A-Z.]{1,8}$"), "per_share": {"type": "number", "minimum": 0}, "ex": _string(format="date")},
    "signalled": {"symbol": _string(pattern="^[A-Z.]{1,8}$"), "confidence": {"type": "number", "minimum": 0, "maximum": 1}},
    "posted": {"channel": _string(pattern="^[0-9]{1,20}$"), "content": _string(maxLength=4000)},
    "logged": {"level": _string(enum=["debug", "info", "warning", "error", "critical"]), "message": _string(minLength=1)},
    "ingested": {"batch": _string(format="uuid"), "received": {"type": "integer", "minimum": 0}, "accepted": {"type": "integer", "minimum": 0}},
}

KINDS_SCHEMA = {
    "$schema": DRAFT2020,
    "title": "ledger.event v1",
    "oneOf": [
        {
            "type": "object",
            "additionalProperties": False,
            "required": ["id", "kind", "occurred_at", *properties],
            "properties": {"id": _string(format="uuid"), "kind": {"const": kind},
                           "occurred_at": _string(format="date-time"), **properties},
        }
        for kind, properties in _KIND_PROPERTIES.items()
    ],
}


def _kind_value(r, name, schema):
    if "enum" in schema:
        return r.choice(schema["enum"])
    if schema.get("format") == "uuid":
        return uuid(r)
    if schema.get("format") == "date-time":
        return timestamp(r)
    if schema.get("format") == "date":
        return timestamp(r)[:10]
    if schema["type"] == "number":
        return round(r.random(), 4) if name == "confidence" else round(r.random() * 900 + 0.01, 2)
    if schema["type"] == "integer":
        return r.randrange(1, 900)
    if schema["type"] == "array":
        return r.sample(["@", "F", "T", "I"], r.randrange(4))
    return {"account": "ACC-%08d" % r.randrange(10**8), "currency": r.choice(["USD", "EUR", "JPY"]),
            "iban": "DE89" + "%018d" % r.randrange(10**18), "symbol": r.choice(SYMBOLS),
            "channel": snowflake(r), "content": sentence(r, 3, 30), "message": sentence(r, 3, 12)}[name]


def kind_event(r):
    kind = r.choice(list(_KIND_PROPERTIES))
    event = {"id": uuid(r), "kind": kind, "occurred_at": timestamp(r)}
    for name, schema in _KIND_PROPERTIES[kind].items():
        event[name] = _kind_value(r, name, schema)
    return event


def spoil_kind(r, event, number):
    kind = number % 5
    if kind == 0:
        event["kind"] = "unknown"
    elif kind == 1:
        event["surplus"] = 1
    elif kind == 2:
        del event[list(event)[-1]]
    elif kind == 3:
        event["id"] = event["id"][:-1]
    else:
        event["occurred_at"] = event["occurred_at"][:19]
    return event


def _kinds_hand():
    def check(name, schema, required):
        path = f"'{name}'"
        if "enum" in schema:
            values = ", ".join(f"'\"{value}\"'" for value in schema["enum"])
            return f"data->{path} IN ({values})"
        if schema.get("format") == "uuid":
            return is_string(path, "@ ~* '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$'")
        if schema.get("format") == "date-time":
            return "CASE WHEN " + is_string(path, f"@ ~ '{RFC3339}'") + f" THEN (data->>{path})::timestamptz IS NOT NULL END"
        if schema.get("format") == "date":
            return "CASE WHEN " + is_string(path, r"@ ~ '^\d{4}-\d\d-\d\d$'") + f" THEN (data->>{path})::date IS NOT NULL END"
        if "pattern" in schema:
            return is_string(path, f"@ ~ '{schema['pattern']}'")
        if schema["type"] == "string":
            return is_string(path, f"char_length(@) BETWEEN {schema.get('minLength', 0)} AND {schema.get('maxLength', 2147483647)}")
        if schema["type"] == "array":
            return (f"(jsonb_typeof(data->{path}) = 'array' AND NOT data @? "
                    f"'strict $.{name}[*] ? (!(@ like_regex \"^.{{0,2}}$\" flag \"s\"))')")
        conditions = []
        if schema["type"] == "integer":
            conditions.append("@ = trunc(@)")
        for keyword, sign in (("minimum", ">="), ("exclusiveMinimum", ">"), ("maximum", "<=")):
            if keyword in schema:
                conditions.append(f"@ {sign} {schema[keyword]}")
        return is_number(path, " AND ".join(conditions))

    branches = []
    for kind, properties in _KIND_PROPERTIES.items():
        names = ["id", "kind", "occurred_at", *properties]
        array = "'{" + ",".join(names) + "}'"
        branches.append(f"WHEN '{kind}' THEN data ?& {array} AND data - {array}::text[] = '{{}}' AND " +
                        " AND ".join(check(name, schema, True) for name, schema in properties.items()))
    return all_of("jsonb_typeof(data) = 'object'",
                  "jsonb_typeof(data->'kind') = 'string'",
                  check("id", _string(format="uuid"), True),
                  check("occurred_at", _string(format="date-time"), True),
                  "CASE data->>'kind' " + "\n        ".join(branches) + " END")


# ---------- patterns and formats ----------

TEXTS_SCHEMA = {
    "$schema": DRAFT2020,
    "title": "reference.data v1",
    "type": "object",
    "additionalProperties": False,
    "required": ["id", "isin", "mic", "occ", "name", "listed", "opens", "settles_in", "contact", "site", "host",
                 "ipv4", "ipv6", "feed", "version", "updated_at"],
    "properties": {
        "id": _string(format="uuid"),
        "isin": _string(pattern="^[A-Z]{2}[A-Z0-9]{9}[0-9]$"),
        "cusip": _string(pattern="^[0-9A-Z]{9}$"),
        "mic": _string(pattern="^[A-Z0-9]{4}$"),
        "occ": _string(pattern="^[A-Z]{1,6}[0-9]{6}[CP][0-9]{8}$"),
        "name": _string(pattern="^\\p{L}[\\p{L}\\p{M}0-9 .,&'-]{0,63}$"),
        "listed": _string(format="date"),
        "opens": _string(format="time"),
        "settles_in": _string(format="duration"),
        "contact": _string(format="email"),
        "site": _string(format="uri"),
        "host": _string(format="hostname"),
        "ipv4": _string(format="ipv4"),
        "ipv6": _string(format="ipv6"),
        "feed": _string(pattern="^(?:sip|utp|opra|cta)(?:\\.[a-z0-9]+)*$"),
        "version": _string(pattern="^(?:0|[1-9]\\d*)\\.(?:0|[1-9]\\d*)\\.(?:0|[1-9]\\d*)(?:-[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*)?$"),
        "decimal": _string(pattern="^-?(?:0|[1-9][0-9]{0,18})(?:\\.[0-9]{1,18})?$"),
        "hash": _string(pattern="^(?:[0-9a-f]{40}|[0-9a-f]{64})$"),
        "note": _string(pattern="(?:halt|split|merger)", maxLength=200),
        "updated_at": _string(format="date-time"),
    },
}


def texts(r):
    event = {
        "id": uuid(r),
        "isin": r.choice(["US", "DE", "GB"]) + "%010d" % r.randrange(10**10),
        "cusip": "%09d" % r.randrange(10**9),
        "mic": r.choice(["XNAS", "XNYS", "ARCX", "BATS"]),
        "occ": r.choice(["SPY", "NVDA", "F"]) + "240621" + r.choice("CP") + "%08d" % r.randrange(10**8),
        "name": r.choice(["Société Générale", "Apple Inc.", "Procter & Gamble Co", "Österreichische Post", "トヨタ自動車",
                          "Lloyd's Banking Group", "Berkshire Hathaway, Class B"]),
        "listed": timestamp(r)[:10],
        "opens": timestamp(r)[11:],
        "settles_in": r.choice(["P1D", "P2D", "PT0S", "P1DT12H", "P2W"]),
        "contact": "desk-%d@%s.example.com" % (r.randrange(1000), r.choice(["ops", "trading", "data"])),
        "site": "https://www.example.com/listing/%s?id=%d#top" % (r.choice(SYMBOLS), r.getrandbits(24)),
        "host": "feed-%d.%s.example.net" % (r.randrange(100), r.choice(["ny4", "ld4", "ty3"])),
        "ipv4": "10.%d.%d.%d" % (r.randrange(256), r.randrange(256), r.randrange(256)),
        "ipv6": "fd00:%x:%x::%x" % (r.randrange(65536), r.randrange(65536), r.randrange(65536)),
        "feed": r.choice(["sip", "utp.level1", "opra.pillar.trades", "cta.a"]),
        "version": "%d.%d.%d%s" % (r.randrange(9), r.randrange(30), r.randrange(100), r.choice(["", "", "-rc.1", "-beta.2.x"])),
        "decimal": "%s%.6f" % (r.choice(["", "-"]), r.random() * 1000),
        "hash": "%040x" % r.getrandbits(160) if r.random() < 0.5 else "%064x" % r.getrandbits(256),
        "note": "expected %s on the %dth, see circular" % (r.choice(["halt", "split", "merger"]), r.randrange(4, 20)),
        "updated_at": timestamp(r),
    }
    if r.random() < 0.3:
        del event["cusip"]
    return event


def spoil_texts(r, event, number):
    mistakes = [("isin", "US03783310055"), ("mic", "xnas"), ("occ", "SPY240621X00545000"), ("name", "<script>"),
                ("listed", "2023-02-29"), ("opens", "25:00:00Z"), ("settles_in", "P"), ("contact", "nobody"),
                ("site", "not a uri"), ("host", "-bad-.example.net"), ("ipv4", "10.0.0.256"), ("ipv6", "fd00::1::2"),
                ("feed", "nyse"), ("version", "1.02.3"), ("updated_at", "2024-06-16")]
    name, value = mistakes[number % len(mistakes)]
    event[name] = value
    return event


# ---------- maps ----------

PORTFOLIO_SCHEMA = {
    "$schema": DRAFT2020,
    "title": "portfolio v1",
    "type": "object",
    "required": ["account", "as_of", "positions"],
    "properties": {
        "account": _string(minLength=3, maxLength=32),
        "as_of": _string(format="date-time"),
        "positions": {
            "type": "object",
            "propertyNames": {"pattern": "^[A-Z.]{1,8}$"},
            "additionalProperties": {
                "type": "object",
                "required": ["qty", "cost"],
                "properties": {
                    "qty": {"type": "number"},
                    "cost": {"type": "number", "minimum": 0},
                    "side": _string(enum=["long", "short"]),
                    "lots": {"type": "array", "items": {"type": "integer", "minimum": 1}},
                },
            },
        },
        "limits": {"type": "object", "additionalProperties": {"type": "number", "minimum": 0}},
    },
    "patternProperties": {"^x-": {"type": ["string", "number", "boolean", "null"]}},
    "additionalProperties": False,
}


def portfolio(r):
    return {"account": "ACC-%08d" % r.randrange(10**8), "as_of": timestamp(r),
            "positions": {symbol: {"qty": r.randrange(-500, 500), "cost": round(r.random() * 900, 2),
                                   "side": r.choice(["long", "short"]),
                                   "lots": [r.randrange(1, 200) for _ in range(r.randrange(6))]}
                          for symbol in r.sample(SYMBOLS, 25)},
            "limits": {symbol.lower(): r.randrange(10000) for symbol in r.sample(SYMBOLS, 8)},
            "x-source": "nightly", "x-retries": r.randrange(4), "x-final": r.random() < 0.5}


def spoil_portfolio(r, event, number):
    symbol = r.choice(list(event["positions"]))
    kind = number % 5
    if kind == 0:
        event["positions"][symbol.lower()] = event["positions"].pop(symbol)
    elif kind == 1:
        event["positions"][symbol]["cost"] = -1
    elif kind == 2:
        event["positions"][symbol]["lots"] = [0]
    elif kind == 3:
        event["y-source"] = "nightly"
    else:
        event["x-source"] = []
    return event


PORTFOLIO_HAND = all_of(
    "jsonb_typeof(data) = 'object'",
    "data ?& '{account,as_of,positions}'",
    "NOT data @? 'strict $.keyvalue() ? (!(@.key like_regex \"^(account|as_of|positions|limits|x-.*)$\" flag \"s\"))'",
    "NOT data @? 'strict $.keyvalue() ? (@.key starts with \"x-\" && (@.value.type() == \"object\" || @.value.type() == \"array\"))'",
    is_string("'account'", "char_length(@) BETWEEN 3 AND 32"),
    "CASE WHEN " + is_string("'as_of'", f"@ ~ '{RFC3339}'") + " THEN (data->>'as_of')::timestamptz IS NOT NULL END",
    "jsonb_typeof(data->'positions') = 'object'",
    """NOT data @? 'strict $.positions.keyvalue() ? (!(@.key like_regex "^[A-Z.]{1,8}$") || @.value.type() != "object"
        || !exists(@.value.qty) || !exists(@.value.cost) || @.value.qty.type() != "number"
        || @.value.cost.type() != "number" || @.value.cost < 0
        || (exists(@.value.side) && !(@.value.side == "long" || @.value.side == "short"))
        || (exists(@.value.lots) && (@.value.lots.type() != "array"
            || exists(@.value.lots[*] ? (@.type() != "number" || @ < 1 || @.floor() != @)))))'""",
    optional("'limits'", "jsonb_typeof(data->'limits') = 'object' AND NOT data @? "
             "'strict $.limits.* ? (@.type() != \"number\" || @ < 0)'"),
)


# ---------- put together from parts ----------

COMPOSED_SCHEMA = {
    "$schema": DRAFT2020,
    "title": "instruction v1",
    "allOf": [{"$ref": "#/$defs/envelope"}, {"$ref": "#/$defs/traced"}],
    "type": "object",
    "required": ["legs"],
    "properties": {
        "legs": {
            "type": "array",
            "minItems": 1,
            "maxItems": 4,
            "uniqueItems": True,
            "contains": {"properties": {"side": {"const": "buy"}}},
            "items": {"anyOf": [{"$ref": "#/$defs/stock"}, {"$ref": "#/$defs/option"}]},
        },
        "route": {"type": ["string", "null"], "maxLength": 16},
        "price": {"anyOf": [{"type": "number", "minimum": 0}, _string(pattern="^[0-9]{1,12}(?:\\.[0-9]{1,8})?$")]},
    },
    "if": {"properties": {"class": {"const": "limit"}}, "required": ["class"]},
    "then": {"required": ["price"]},
    "else": {"properties": {"price": False}},
    "dependentRequired": {"parent": ["root"]},
    "unevaluatedProperties": False,
    "$defs": {
        "envelope": {
            "type": "object",
            "required": ["id", "class", "at"],
            "properties": {"id": _string(format="uuid"), "class": {"enum": ["market", "limit"]},
                           "at": _string(format="date-time")},
        },
        "traced": {
            "type": "object",
            "properties": {"trace": _string(pattern="^[0-9a-f]{32}$"), "parent": _string(pattern="^[0-9a-f]{16}$"),
                           "root": {"type": "boolean"}},
        },
        "stock": {
            "type": "object",
            "required": ["symbol", "side", "qty"],
            "properties": {"symbol": _string(pattern="^[A-Z.]{1,8}$"), "side": {"enum": ["buy", "sell"]},
                           "qty": {"type": "integer", "minimum": 1}},
            "additionalProperties": False,
        },
        "option": {
            "type": "object",
            "required": ["contract", "side", "qty"],
            "properties": {"contract": _string(pattern="^[A-Z]{1,6}[0-9]{6}[CP][0-9]{8}$"),
                           "side": {"enum": ["buy", "sell"]}, "qty": {"type": "integer", "minimum": 1},
                           "opens": {"type": "boolean"}},
            "additionalProperties": False,
        },
    },
}


def composed(r):
    kind = r.choice(["market", "limit"])
    legs = []
    for i in range(r.randrange(1, 5)):
        side = "buy" if i == 0 else r.choice(["buy", "sell"])
        if r.random() < 0.5:
            legs.append({"symbol": SYMBOLS[i * 9 + r.randrange(9)], "side": side, "qty": r.randrange(1, 900)})
        else:
            legs.append({"contract": "SPY240621" + r.choice("CP") + "%08d" % (r.randrange(10**7) * 10 + i), "side": side,
                         "qty": r.randrange(1, 90), "opens": r.random() < 0.5})
    event = {"id": uuid(r), "class": kind, "at": timestamp(r), "legs": legs, "trace": "%032x" % r.getrandbits(128),
             "parent": "%016x" % r.getrandbits(64), "root": False, "route": r.choice([None, "smart", "dark"])}
    if kind == "limit":
        event["price"] = r.choice([round(r.random() * 100, 2), "%.2f" % (r.random() * 100)])
    return event


def spoil_composed(r, event, number):
    kind = number % 6
    if kind == 0:
        event["surplus"] = 1
    elif kind == 1:
        event["legs"].append(event["legs"][0])
    elif kind == 2:
        for leg in event["legs"]:
            leg["side"] = "sell"
    elif kind == 3:
        event["class"] = "stop"
    elif kind == 4:
        del event["root"]
    else:
        event["legs"][-1]["qty"] = 0
    return event


COMPOSED_HAND = all_of(
    "jsonb_typeof(data) = 'object'",
    "data ?& '{id,class,at,legs}'",
    "data - '{id,class,at,legs,trace,parent,root,route,price}'::text[] = '{}'",
    is_string("'id'", "@ ~* '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$'"),
    "data->'class' IN ('\"market\"', '\"limit\"')",
    "CASE WHEN " + is_string("'at'", f"@ ~ '{RFC3339}'") + " THEN (data->>'at')::timestamptz IS NOT NULL END",
    optional("'trace'", is_string("'trace'", "@ ~ '^[0-9a-f]{32}$'")),
    optional("'parent'", is_string("'parent'", "@ ~ '^[0-9a-f]{16}$'") + " AND data ? 'root'"),
    optional("'root'", "jsonb_typeof(data->'root') = 'boolean'"),
    optional("'route'", "(jsonb_typeof(data->'route') = 'null' OR " + is_string("'route'", "char_length(@) <= 16") + ")"),
    "CASE WHEN data->'class' = '\"limit\"' THEN data ? 'price' AND CASE jsonb_typeof(data->'price')"
    " WHEN 'number' THEN (data->>'price')::numeric >= 0"
    " WHEN 'string' THEN data->>'price' ~ '^[0-9]{1,12}(?:\\.[0-9]{1,8})?$' END ELSE NOT data ? 'price' END",
    """CASE WHEN jsonb_typeof(data->'legs') = 'array' THEN jsonb_array_length(data->'legs') BETWEEN 1 AND 4
        AND data @? '$.legs[*] ? (@.side == "buy")'
        AND NOT data @? 'strict $.legs[*] ? (@.type() != "object" || !exists(@.side) || !(@.side == "buy" || @.side == "sell")
            || !exists(@.qty) || @.qty.type() != "number" || @.qty < 1 || @.qty.floor() != @.qty
            || !((exists(@.symbol ? (@ like_regex "^[A-Z.]{1,8}$"))
                    && !exists(@.keyvalue() ? (@.key != "symbol" && @.key != "side" && @.key != "qty")))
                || (exists(@.contract ? (@ like_regex "^[A-Z]{1,6}[0-9]{6}[CP][0-9]{8}$"))
                    && !exists(@.opens ? (@.type() != "boolean"))
                    && !exists(@.keyvalue() ? (@.key != "contract" && @.key != "side" && @.key != "qty" && @.key != "opens")))))'
        AND (jsonb_array_length(data->'legs') = 1 OR
             (data#>'{legs,0}' IS DISTINCT FROM data#>'{legs,1}'
              AND (jsonb_array_length(data->'legs') < 3 OR data#>'{legs,2}' NOT IN (data#>'{legs,0}', data#>'{legs,1}'))
              AND (jsonb_array_length(data->'legs') < 4 OR data#>'{legs,3}' NOT IN (data#>'{legs,0}', data#>'{legs,1}', data#>'{legs,2}')))) END""",
)


# ---------- schemas as documents ----------

def _metaschema_documents():
    files = sorted((TOP / "examples/trading/extension/events").glob("*.json"))
    return [json.loads(file.read_text(encoding="utf-8")) for file in files]


class Metaschema(Workload):
    """The schemas of the trading example, checked by draft 7's meta-schema: recursive, and all about types."""

    def documents(self, count):
        files = _metaschema_documents()
        return [files[i % len(files)] for i in range(count)]


DRAFT7 = {
    "$schema": "http://json-schema.org/draft-07/schema#",
    "title": "a schema",
    "definitions": {
        "schemas": {"type": "array", "minItems": 1, "items": {"$ref": "#"}},
        "count": {"type": "integer", "minimum": 0},
        "names": {"type": "array", "items": {"type": "string"}, "uniqueItems": True},
    },
    "type": ["object", "boolean"],
    "properties": {
        "$id": _string(format="uri-reference"), "$schema": _string(format="uri"), "$ref": _string(format="uri-reference"),
        "$comment": _string(), "title": _string(), "description": _string(), "default": True,
        "readOnly": {"type": "boolean"}, "deprecated": {"type": "boolean"}, "examples": {"type": "array", "items": True},
        "multipleOf": {"type": "number", "exclusiveMinimum": 0}, "maximum": {"type": "number"},
        "exclusiveMaximum": {"type": "number"}, "minimum": {"type": "number"}, "exclusiveMinimum": {"type": "number"},
        "maxLength": {"$ref": "#/definitions/count"}, "minLength": {"$ref": "#/definitions/count"},
        "pattern": _string(format="regex"),
        "items": {"anyOf": [{"$ref": "#"}, {"$ref": "#/definitions/schemas"}]},
        "prefixItems": {"$ref": "#/definitions/schemas"},
        "maxItems": {"$ref": "#/definitions/count"}, "minItems": {"$ref": "#/definitions/count"},
        "uniqueItems": {"type": "boolean"}, "contains": {"$ref": "#"},
        "maxProperties": {"$ref": "#/definitions/count"}, "minProperties": {"$ref": "#/definitions/count"},
        "required": {"$ref": "#/definitions/names"},
        "additionalProperties": {"$ref": "#"},
        "$defs": {"type": "object", "additionalProperties": {"$ref": "#"}},
        "properties": {"type": "object", "additionalProperties": {"$ref": "#"}},
        "patternProperties": {"type": "object", "additionalProperties": {"$ref": "#"}, "propertyNames": {"format": "regex"}},
        "dependentRequired": {"type": "object", "additionalProperties": {"$ref": "#/definitions/names"}},
        "dependentSchemas": {"type": "object", "additionalProperties": {"$ref": "#"}},
        "propertyNames": {"$ref": "#"}, "const": True, "enum": {"type": "array", "items": True},
        "type": {"anyOf": [{"$ref": "#/definitions/type"},
                           {"type": "array", "items": {"$ref": "#/definitions/type"}, "minItems": 1, "uniqueItems": True}]},
        "format": _string(), "contentMediaType": _string(), "contentEncoding": _string(),
        "if": {"$ref": "#"}, "then": {"$ref": "#"}, "else": {"$ref": "#"},
        "allOf": {"$ref": "#/definitions/schemas"}, "anyOf": {"$ref": "#/definitions/schemas"},
        "oneOf": {"$ref": "#/definitions/schemas"}, "not": {"$ref": "#"},
    },
}
DRAFT7["definitions"]["type"] = {"enum": ["array", "boolean", "integer", "null", "number", "object", "string"]}


def spoil_schema(r, document, number):
    schema = document
    while isinstance(schema.get("properties"), dict) and any(isinstance(s, dict) for s in schema["properties"].values()):
        schema = r.choice([s for s in schema["properties"].values() if isinstance(s, dict)])
    schema.update([{"type": "text"}, {"required": "id"}, {"minLength": -1}, {"properties": {"a": 3}}][number % 4])
    return document


# ---------- shapes on which a CHECK by hand is at its best ----------

TINY_SCHEMA = {
    "$schema": DRAFT2020, "title": "a heartbeat", "type": "object", "required": ["id"],
    "properties": {"id": {"type": "integer", "minimum": 1}, "ok": {"type": "boolean"}},
    "additionalProperties": False,
}
TINY_HAND = all_of("jsonb_typeof(data) = 'object'", is_number("'id'", "@ >= 1 AND @ = trunc(@)"),
                   optional("'ok'", "jsonb_typeof(data->'ok') = 'boolean'"), "data - '{id,ok}'::text[] = '{}'")


def tiny(r):
    return {"id": r.randrange(1, 10**6), "ok": r.random() < 0.5}


def spoil_tiny(r, event, number):
    event.update([{"id": 0}, {"id": 1.5}, {"ok": "yes"}, {"late": True}][number % 4])
    return event


VENUES = list(range(1000, 4000))
INSTRUMENTS = [f"INS-{number * 7919 % 100000:05}" for number in range(3000)]
CODES_SCHEMA = {
    "$schema": DRAFT2020, "title": "codes", "type": "object", "required": ["venue", "instrument"],
    "properties": {"venue": {"enum": VENUES}, "instrument": {"enum": INSTRUMENTS}}, "additionalProperties": False,
}
CODES_HAND = all_of(
    "jsonb_typeof(data) = 'object'", "data - '{venue,instrument}'::text[] = '{}'",
    "data->'venue' = ANY('{" + ",".join(map(str, VENUES)) + "}'::jsonb[])",
    "jsonb_typeof(data->'instrument') = 'string'",
    "data->>'instrument' = ANY('{" + ",".join(INSTRUMENTS) + "}'::text[])")


def codes(r):
    return {"venue": r.choice(VENUES), "instrument": r.choice(INSTRUMENTS)}


def spoil_codes(r, event, number):
    event.update([{"venue": 999}, {"venue": str(event["venue"])}, {"instrument": "INS-x"}, {"instrument": None}][number % 4])
    return event


LABELS = ["env", "team", "app", "cost", "owner", "tier", "zone", "job", "pod", "node"]
LABELS_SCHEMA = {
    "$schema": DRAFT2020, "title": "labels", "type": "object", "maxProperties": 200,
    "propertyNames": {"pattern": "^[a-z0-9-]{1,24}$"},
    "patternProperties": {f"^{label}{number}-": {"type": ["string", "number"]} for label in LABELS for number in range(10)},
    "additionalProperties": False,
}
LABELS_HAND = all_of(
    "jsonb_typeof(data) = 'object'",
    "NOT data @? 'strict $.keyvalue() ? (!(@.key like_regex \"^(" + "|".join(LABELS) + ")[0-9]-[a-z0-9-]*$\")"
    " || !(@.key like_regex \"^.{1,24}$\") || !(@.value.type() == \"string\" || @.value.type() == \"number\"))'")


def labels(r):
    return {f"{r.choice(LABELS)}{r.randrange(10)}-{r.randrange(10**6)}": r.choice(["a", "b", r.randrange(100)]) for _ in range(40)}


def spoil_labels(r, event, number):
    event.update([{"env-1": "a"}, {"env1-A": "a"}, {"env1-1": None}, {"env1-" + "1" * 24: "a"}][number % 4])
    return event


NESTED_SCHEMA = {"$schema": DRAFT2020, "title": "60 levels", "$ref": "#/$defs/level0", "$defs": {
    f"level{number}": {"type": "object", "required": ["a"], "properties": {"a": {"$ref": f"#/$defs/level{number + 1}"}}}
    for number in range(60)} | {"level60": {"type": "number"}}}
NESTED_HAND = all_of("jsonb_typeof(data #> '{" + ",".join(["a"] * 60) + "}') = 'number'")


def nested(r):
    event = r.randrange(1000)
    for _ in range(60):
        event = {"a": event}
    return event


def spoil_nested(r, event, number):
    level = event
    for _ in range(r.randrange(60)):
        level = level["a"]
    level.clear()
    level.update({"b": 1} if number % 2 else {"a": "1"})
    return event


LARGE_SCHEMA = {"$schema": DRAFT2020, "title": "a reading", "type": "object", "required": ["kind"],
                "properties": {"kind": {"const": "reading"}}}
LARGE_HAND = all_of("jsonb_typeof(data) = 'object'", "data->'kind' = '\"reading\"'")


def large(r):
    return {"kind": "reading", "values": [r.randrange(10**6) for _ in range(3000)]}


def spoil_large(r, event, number):
    event["kind"] = "writing"
    return event


VARIANTS_SCHEMA = {
    "$schema": DRAFT2020, "title": "variants", "$ref": "#/$defs/base",
    "oneOf": [{"$ref": "#/$defs/trade"}, {"$ref": "#/$defs/quote"}, {"$ref": "#/$defs/halt"}],
    "unevaluatedProperties": False,
    "$defs": {
        "base": {"type": "object", "required": ["kind", "symbol"],
                 "properties": {"symbol": _string(pattern="^[A-Z.]{1,8}$"), "note": _string(maxLength=40)}},
        "trade": {"type": "object", "required": ["price", "size"], "properties": {
            "kind": {"const": "trade"}, "price": {"type": "number", "minimum": 0}, "size": {"type": "integer", "minimum": 1}}},
        "quote": {"type": "object", "required": ["bid", "ask"], "properties": {
            "kind": {"const": "quote"}, "bid": {"type": "number"}, "ask": {"type": "number"}}},
        "halt": {"type": "object", "required": ["until"], "properties": {
            "kind": {"const": "halt"}, "until": {"type": ["string", "null"]}}},
    },
}
for _variant in ("trade", "quote", "halt"):
    VARIANTS_SCHEMA["$defs"][_variant]["required"].append("kind")
VARIANTS_HAND = all_of(
    "jsonb_typeof(data) = 'object'", is_string("'symbol'", "@ ~ '^[A-Z.]{1,8}$'"),
    optional("'note'", is_string("'note'", "char_length(@) <= 40")),
    "CASE data->'kind' WHEN '\"trade\"' THEN data - '{kind,symbol,note,price,size}'::text[] = '{}'"
    " AND " + is_number("'price'", "@ >= 0") + " AND " + is_number("'size'", "@ >= 1 AND @ = trunc(@)") +
    " WHEN '\"quote\"' THEN data - '{kind,symbol,note,bid,ask}'::text[] = '{}'"
    " AND jsonb_typeof(data->'bid') = 'number' AND jsonb_typeof(data->'ask') = 'number'"
    " WHEN '\"halt\"' THEN data - '{kind,symbol,note,until}'::text[] = '{}'"
    " AND jsonb_typeof(data->'until') IN ('string', 'null') END")


def variants(r):
    event = {"symbol": r.choice(SYMBOLS)}
    if r.random() < 0.3:
        event["note"] = "opening auction"
    event.update(r.choice([
        {"kind": "trade", "price": round(r.random() * 900, 2), "size": r.randrange(1, 900)},
        {"kind": "quote", "bid": round(r.random() * 900, 2), "ask": round(r.random() * 900, 2)},
        {"kind": "halt", "until": r.choice([None, "15:30"])}]))
    return event


def spoil_variants(r, event, number):
    event.update([{"surplus": 1}, {"symbol": "spy"}, {"kind": "bar"}, {"note": 7}][number % 4])
    return event


WORKLOADS = [
    Workload("orders", "order events, 12 properties", ORDER_SCHEMA, order, spoil_order, ORDER_HAND),
    Workload("discord", "Discord messages with embeds, users, attachments", bundle("discord.message.create@1"),
             discord_message, spoil_discord, rows=0.03, loops=500,
             hand_note="nobody writes 12 kB of schema as a CHECK"),
    Workload("book", "book snapshots of 1,000 levels", BOOK_SCHEMA, book, spoil_book, BOOK_HAND, rows=0.001, loops=40, sample=20),
    Workload("depth", "200 pairs of decimal strings", DEPTH_SCHEMA, depth, spoil_depth, DEPTH_HAND, rows=0.005, loops=100, sample=50),
    Workload("kinds", "oneOf of 20 kinds of events", KINDS_SCHEMA, kind_event, spoil_kind, _kinds_hand(), rows=0.2),
    Workload("texts", "20 patterns and formats", TEXTS_SCHEMA, texts, spoil_texts, rows=0.1,
             hand_note="SQL has no check for e-mail addresses, URIs, host names and durations"),
    Workload("portfolio", "maps by symbol", PORTFOLIO_SCHEMA, portfolio, spoil_portfolio, PORTFOLIO_HAND, rows=0.02, loops=400),
    Workload("composed", "allOf, if, anyOf, unevaluatedProperties", COMPOSED_SCHEMA, composed, spoil_composed, COMPOSED_HAND,
             rows=0.1),
    Metaschema("schemas", "JSON Schemas, validated by a meta-schema", DRAFT7, None, spoil_schema, rows=0.005, loops=100, sample=25,
               hand_note="a recursive schema is no expression"),
    Workload("variants", "unevaluatedProperties over a oneOf", VARIANTS_SCHEMA, variants, spoil_variants, VARIANTS_HAND, rows=0.2),
    Workload("tiny", "two properties", TINY_SCHEMA, tiny, spoil_tiny, TINY_HAND, rows=0.3),
    Workload("codes", "enum of 3,000 numbers, of 3,000 strings", CODES_SCHEMA, codes, spoil_codes, CODES_HAND, rows=0.2),
    Workload("labels", "40 keys, 100 patternProperties", LABELS_SCHEMA, labels, spoil_labels, LABELS_HAND, rows=0.01, loops=200),
    Workload("nested", "60 nested objects", NESTED_SCHEMA, nested, spoil_nested, NESTED_HAND, rows=0.02, loops=500),
    Workload("large", "one property beside 3,000 numbers", LARGE_SCHEMA, large, spoil_large, LARGE_HAND, rows=0.002, sample=20),
]
BY_NAME = {workload.name: workload for workload in WORKLOADS}
