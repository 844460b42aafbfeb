"""Version 1 of the events.  The schemas are events/TYPE@1.json."""
from typing import Annotated, Any, Literal, Optional, Union

from pydantic import Field, RootModel, model_validator

from .common import (Closed, Count, Host, Instant, Int63, Integer, LooseDecimal, Maybe, NonNegativeDecimal, Number, OneOf, Open, Positive,
                     PositiveDecimal, Snowflake, Symbol, Uri, Uuid, at_least, at_most, given, one_of, together)

# ---------------------------------------------------------------- Discord

CHANNEL_TYPES = (0, 1, 2, 3, 4, 5, 10, 11, 12, 13, 14, 15, 16)
ChannelType = Annotated[Integer, one_of(*CHANNEL_TYPES)]
BitSet = Annotated[str, Field(pattern=r"^[0-9]{1,20}$")]


class User(Open):
    id: Snowflake
    username: Annotated[str, Field(min_length=1, max_length=80)]
    discriminator: Maybe[Annotated[str, Field(pattern=r"^(?:0|[0-9]{4})$")]] = None
    global_name: Optional[Annotated[str, Field(min_length=1, max_length=32)]] = None
    avatar: Optional[Annotated[str, Field(pattern=r"^(?:a_)?[0-9a-f]{32}$")]] = None
    bot: Maybe[bool] = None
    system: Maybe[bool] = None
    public_flags: Maybe[Count] = None


class Attachment(Open):
    id: Snowflake
    filename: Annotated[str, Field(min_length=1)]
    description: Maybe[Annotated[str, Field(max_length=1024)]] = None
    content_type: Maybe[Annotated[str, Field(pattern=r"^[a-z]+/[^ ]+")]] = None
    size: Count
    url: Uri
    proxy_url: Uri
    height: Optional[Count] = None
    width: Optional[Count] = None
    ephemeral: Maybe[bool] = None
    duration_secs: Maybe[Annotated[Number, at_least(0)]] = None
    waveform: Maybe[Annotated[str, Field(max_length=400)]] = None
    flags: Maybe[Count] = None

    @model_validator(mode="after")
    def _dependent(self):
        together(self, "height", "width")
        if given(self, "waveform") and not given(self, "duration_secs"):
            raise ValueError("a waveform goes with duration_secs")
        return self


class EmbedMedia(Open):
    url: Maybe[Uri] = None
    proxy_url: Maybe[Uri] = None
    height: Maybe[Count] = None
    width: Maybe[Count] = None

    @model_validator(mode="after")
    def _dependent(self):
        together(self, "height", "width")
        return self


class EmbedField(Open):
    name: Annotated[str, Field(max_length=256)]
    value: Annotated[str, Field(max_length=1024)]
    inline: Maybe[bool] = None


class EmbedFooter(Open):
    text: Annotated[str, Field(max_length=2048)]
    icon_url: Maybe[Uri] = None
    proxy_icon_url: Maybe[Uri] = None


class EmbedProvider(Open):
    name: Maybe[str] = None
    url: Maybe[Uri] = None


class EmbedAuthor(Open):
    name: Annotated[str, Field(max_length=256)]
    url: Maybe[Uri] = None
    icon_url: Maybe[Uri] = None
    proxy_icon_url: Maybe[Uri] = None


class Embed(Open):
    title: Maybe[Annotated[str, Field(max_length=256)]] = None
    type: Maybe[Literal["rich", "image", "video", "gifv", "article", "link", "poll_result", "auto_moderation_message"]] = None
    description: Maybe[Annotated[str, Field(max_length=4096)]] = None
    url: Maybe[Uri] = None
    timestamp: Maybe[Instant] = None
    color: Maybe[Annotated[Count, at_most(0xFFFFFF)]] = None
    footer: Maybe[EmbedFooter] = None
    image: Maybe[EmbedMedia] = None
    thumbnail: Maybe[EmbedMedia] = None
    video: Maybe[EmbedMedia] = None
    provider: Maybe[EmbedProvider] = None
    author: Maybe[EmbedAuthor] = None
    fields: Maybe[Annotated[list[EmbedField], Field(max_length=25)]] = None


class ReactionCounts(Open):
    burst: Count
    normal: Count


class ReactionEmoji(Open):
    id: Optional[Snowflake]
    name: Optional[str]


class Reaction(Open):
    count: Count
    count_details: Maybe[ReactionCounts] = None
    me: bool
    me_burst: Maybe[bool] = None
    emoji: ReactionEmoji
    burst_colors: Maybe[list[Annotated[str, Field(pattern=r"^#[0-9a-fA-F]{6}$")]]] = None


class ChannelMention(Open):
    id: Snowflake
    guild_id: Snowflake
    type: ChannelType
    name: str


class PermissionOverwrite(Open):
    id: Snowflake
    type: Annotated[Integer, one_of(0, 1)]
    allow: BitSet
    deny: BitSet


BySnowflake = dict[Snowflake, dict[str, Any]]


class Resolved(Open):
    users: Maybe[BySnowflake] = None
    members: Maybe[BySnowflake] = None
    roles: Maybe[BySnowflake] = None
    channels: Maybe[BySnowflake] = None


class Interaction(Open):
    id: Snowflake
    type: Annotated[Integer, one_of(1, 2, 3, 4, 5)]
    name: str
    user: User


class Sticker(Open):
    id: Snowflake
    name: Annotated[str, Field(max_length=30)]
    format_type: Annotated[Integer, one_of(1, 2, 3, 4)]


class _MessageParts(Open):
    """What versions 1 and 2 of messages have in common, and may be absent."""
    guild_id: Maybe[Snowflake] = None
    mention_channels: Maybe[list[ChannelMention]] = None
    reactions: Maybe[list[Reaction]] = None
    nonce: Maybe[Union[Integer, Annotated[str, Field(max_length=25)]]] = None
    webhook_id: Maybe[Snowflake] = None
    flags: Maybe[Count] = None
    application_id: Maybe[Snowflake] = None
    position: Maybe[Count] = None
    resolved: Maybe[Resolved] = None


class _Whole(_MessageParts):
    """A message."""
    id: Snowflake
    channel_id: Snowflake
    author: User
    content: Annotated[str, Field(max_length=4000)]
    timestamp: Instant
    edited_timestamp: Optional[Instant]
    tts: bool
    mention_everyone: bool
    mentions: list[User]
    mention_roles: list[Snowflake]
    attachments: list[Attachment]
    embeds: Annotated[list[Embed], Field(max_length=10)]
    pinned: bool
    type: Count


class _Part(_MessageParts):
    """What changed in a message: the ids, and of the rest what Discord sends."""
    id: Snowflake
    channel_id: Snowflake
    author: Maybe[User] = None
    content: Maybe[Annotated[str, Field(max_length=4000)]] = None
    timestamp: Maybe[Instant] = None
    edited_timestamp: Optional[Instant] = None
    tts: Maybe[bool] = None
    mention_everyone: Maybe[bool] = None
    mentions: Maybe[list[User]] = None
    mention_roles: Maybe[list[Snowflake]] = None
    attachments: Maybe[list[Attachment]] = None
    embeds: Maybe[Annotated[list[Embed], Field(max_length=10)]] = None
    pinned: Maybe[bool] = None
    type: Maybe[Count] = None


class _Deprecated(Open):
    """What only version 1 has."""
    interaction: Maybe[Interaction] = None
    stickers: Maybe[Annotated[list[Sticker], Field(max_length=3)]] = None


class DiscordMessageCreate(_Whole, _Deprecated):
    """discord.message.create, version 1."""


class DiscordMessageUpdate(_Part, _Deprecated):
    """discord.message.update, version 1."""


class DiscordMessageDelete(Closed):
    """discord.message.delete, version 1: ids, nothing else."""
    id: Snowflake
    channel_id: Snowflake
    guild_id: Maybe[Snowflake] = None


class DiscordChannel(Open):
    """discord.channel, version 1."""
    id: Snowflake
    type: ChannelType
    guild_id: Maybe[Snowflake] = None
    position: Maybe[Integer] = None
    permission_overwrites: Maybe[list[PermissionOverwrite]] = None
    name: Optional[Annotated[str, Field(min_length=1, max_length=100)]] = None
    topic: Optional[Annotated[str, Field(max_length=1024)]] = None
    nsfw: Maybe[bool] = None
    last_message_id: Optional[Snowflake] = None
    bitrate: Maybe[Annotated[Integer, at_least(8000)]] = None
    user_limit: Maybe[Count] = None
    rate_limit_per_user: Maybe[Annotated[Count, at_most(21600)]] = None
    recipients: Maybe[list[User]] = None
    icon: Optional[str] = None
    owner_id: Maybe[Snowflake] = None
    application_id: Maybe[Snowflake] = None
    managed: Maybe[bool] = None
    parent_id: Optional[Snowflake] = None
    last_pin_timestamp: Optional[Instant] = None
    rtc_region: Optional[str] = None
    video_quality_mode: Maybe[Annotated[Integer, one_of(1, 2)]] = None
    message_count: Maybe[Count] = None
    member_count: Maybe[Annotated[Count, at_most(50)]] = None
    total_message_sent: Maybe[Count] = None


# ---------------------------------------------------------------- market data

Price = Annotated[Number, Positive]
QuotePrice = Annotated[Number, at_least(0)]
Size = Annotated[Number, at_least(0)]
Exchange = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]{0,9}$")]
Tape = Literal["A", "B", "C", "N", "O"]
Conditions = Annotated[list[Annotated[str, Field(max_length=4)]], Field(max_length=8)]
Timeframe = Annotated[str, Field(pattern=r"^[1-9][0-9]{0,2}[smhdwM]$")]


class MarketTrade(Closed):
    """market.trade, version 1."""
    kind: Literal["trade"]
    symbol: Symbol
    timestamp: Instant
    trade_id: Maybe[Union[Count, Annotated[str, Field(min_length=1, max_length=64)]]] = None
    price: Price
    size: Size
    exchange: Optional[Exchange] = None
    conditions: Maybe[Conditions] = None
    tape: Optional[Tape] = None
    taker_side: Optional[Literal["buy", "sell"]] = None


class MarketQuote(Closed):
    """market.quote, version 1."""
    kind: Literal["quote"]
    symbol: Symbol
    timestamp: Instant
    bid_price: QuotePrice
    bid_size: Size
    bid_exchange: Optional[Exchange] = None
    ask_price: QuotePrice
    ask_size: Size
    ask_exchange: Optional[Exchange] = None
    conditions: Maybe[Conditions] = None
    tape: Optional[Tape] = None
    update_id: Maybe[Int63] = None


class MarketBar(Closed):
    """market.bar, version 1."""
    kind: Literal["bar"]
    symbol: Symbol
    timestamp: Instant
    timeframe: Maybe[Timeframe] = "1m"
    open: Price
    high: Price
    low: Price
    close: Price
    volume: Size
    trade_count: Maybe[Count] = None
    vwap: Maybe[Annotated[Number, Positive]] = None
    exchange: Optional[Exchange] = None
    closed: Maybe[bool] = True


class MarketBookDelta(Closed):
    """market.book_delta, version 1."""
    kind: Literal["book_delta"]
    symbol: Symbol
    timestamp: Instant
    action: Literal["new", "change", "delete"]
    side: Literal["bid", "ask"]
    price: Price
    size: Maybe[Size] = None
    level: Maybe[Annotated[Integer, at_least(1), at_most(1000)]] = None
    exchange: Optional[Exchange] = None
    sequence: Maybe[Int63] = None

    @model_validator(mode="after")
    def _size(self):
        if self.action != "delete" and not self.size:
            raise ValueError("a level that is new or changes has a size above zero")
        return self


class MarketData(OneOf, RootModel[Annotated[Union[MarketTrade, MarketQuote, MarketBar, MarketBookDelta], Field(discriminator="kind")]]):
    """market.data, version 1: any kind of market data."""


# ---------------------------------------------------------------- Binance, as it comes over the wire

Milliseconds = Annotated[Count, at_most(253402300799999)]
WireDecimal = Annotated[str, Field(max_length=40, pattern=r"^[0-9]+(?:\.[0-9]+)?$")]
Pair = Annotated[str, Field(pattern=r"^[A-Z0-9]{2,20}$")]
IdOrNone = Annotated[Integer, at_least(-1)]


class BinanceTrade(Open):
    """binance.trade, version 1."""
    e: Literal["trade"]
    E: Milliseconds
    s: Pair
    t: Int63
    p: WireDecimal
    q: WireDecimal
    b: Maybe[Int63] = None
    a: Maybe[Int63] = None
    T: Milliseconds
    m: bool
    M: Maybe[bool] = None


class BinanceAggTrade(Open):
    """binance.agg_trade, version 1."""
    e: Literal["aggTrade"]
    E: Milliseconds
    s: Pair
    a: Int63
    p: WireDecimal
    q: WireDecimal
    f: Int63
    l: Int63    # noqa: E741
    T: Milliseconds
    m: bool
    M: Maybe[bool] = None


class Candle(Open):
    t: Milliseconds
    T: Milliseconds
    s: Pair
    i: Literal["1s", "1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h", "1d", "3d", "1w", "1M"]
    f: IdOrNone
    L: IdOrNone
    o: WireDecimal
    c: WireDecimal
    h: WireDecimal
    l: WireDecimal      # noqa: E741
    v: WireDecimal
    n: Count
    x: bool
    q: WireDecimal
    V: WireDecimal
    Q: WireDecimal
    B: Maybe[str] = None


class BinanceKline(Open):
    """binance.kline, version 1."""
    e: Literal["kline"]
    E: Milliseconds
    s: Pair
    k: Candle


Level = Annotated[list[WireDecimal], Field(min_length=2, max_length=2)]


class BinanceDepthUpdate(Open):
    """binance.depth_update, version 1."""
    e: Literal["depthUpdate"]
    E: Milliseconds
    s: Pair
    U: Int63
    u: Int63
    b: list[Level]
    a: list[Level]


class BinanceExecutionReport(Open):
    """binance.execution_report, version 1."""
    e: Literal["executionReport"]
    E: Milliseconds
    s: Pair
    c: Annotated[str, Field(pattern=r"^[a-zA-Z0-9._:/-]{1,36}$")]
    S: Literal["BUY", "SELL"]
    o: Literal["LIMIT", "MARKET", "STOP_LOSS", "STOP_LOSS_LIMIT", "TAKE_PROFIT", "TAKE_PROFIT_LIMIT", "LIMIT_MAKER"]
    f: Literal["GTC", "IOC", "FOK"]
    q: WireDecimal
    p: WireDecimal
    P: WireDecimal
    d: Maybe[Integer] = None
    F: Maybe[WireDecimal] = None
    g: IdOrNone
    C: Annotated[str, Field(max_length=36)]
    x: Literal["NEW", "CANCELED", "REPLACED", "REJECTED", "TRADE", "EXPIRED", "TRADE_PREVENTION"]
    X: Literal["NEW", "PENDING_NEW", "PARTIALLY_FILLED", "FILLED", "CANCELED", "PENDING_CANCEL", "REJECTED", "EXPIRED", "EXPIRED_IN_MATCH"]
    r: Annotated[str, Field(pattern=r"^[A-Z_]+$")]
    i: Int63
    l: WireDecimal      # noqa: E741
    z: WireDecimal
    L: WireDecimal
    n: WireDecimal
    N: Optional[Annotated[str, Field(pattern=r"^[A-Z0-9]{1,10}$")]]
    T: Milliseconds
    t: IdOrNone
    I: Maybe[Integer] = None    # noqa: E741
    w: bool
    m: bool
    M: Maybe[bool] = None
    O: Milliseconds     # noqa: E741
    Z: WireDecimal
    Y: WireDecimal
    Q: WireDecimal
    D: Maybe[Milliseconds] = None
    j: Maybe[Int63] = None
    J: Maybe[Annotated[Integer, at_least(1000000)]] = None
    W: Maybe[Milliseconds] = None
    V: Maybe[str] = None

    @model_validator(mode="after")
    def _trade(self):
        if self.x == "TRADE" and (self.t < 0 or self.X not in ("PARTIALLY_FILLED", "FILLED")):
            raise ValueError("a trade has an id, and fills the order wholly or in part")
        return self


# ---------------------------------------------------------------- signals

class TradingSignal(Closed):
    """trading.signal, version 1."""
    signal_id: Uuid
    symbol: Symbol
    action: Literal["buy", "sell", "hold", "close"]
    confidence: Annotated[Number, at_least(0), at_most(1)]
    generated_at: Instant
    source_message_id: Optional[Snowflake] = None


# ---------------------------------------------------------------- orders

Side = Literal["buy", "sell"]
OrderType = Literal["market", "limit", "stop", "stop_limit", "trailing_stop"]
TimeInForce = Literal["day", "gtc", "opg", "cls", "ioc", "fok"]
Status = Literal["new", "partially_filled", "filled", "done_for_day", "canceled", "expired", "replaced", "pending_cancel", "pending_replace",
               "pending_new", "accepted", "accepted_for_bidding", "stopped", "rejected", "suspended", "calculated", "held"]
AssetClass = Literal["us_equity", "us_option", "crypto"]
ClientOrderId = Annotated[str, Field(min_length=1, max_length=48)]


class _OrderParts(Closed):
    """What versions 1 and 2 of an order have in common."""
    id: Uuid
    client_order_id: ClientOrderId
    asset_id: Optional[Uuid] = None
    asset_class: Maybe[AssetClass] = None
    type: OrderType
    time_in_force: TimeInForce
    status: Status
    qty: Optional[PositiveDecimal] = None
    notional: Optional[PositiveDecimal] = None
    limit_price: Optional[PositiveDecimal] = None
    stop_price: Optional[PositiveDecimal] = None
    trail_price: Optional[PositiveDecimal] = None
    trail_percent: Optional[PositiveDecimal] = None
    hwm: Optional[PositiveDecimal] = None
    filled_qty: Maybe[NonNegativeDecimal] = None
    filled_avg_price: Optional[PositiveDecimal] = None
    extended_hours: Maybe[bool] = False
    created_at: Instant
    updated_at: Optional[Instant] = None
    submitted_at: Optional[Instant] = None
    filled_at: Optional[Instant] = None
    expired_at: Optional[Instant] = None
    cancel_requested_at: Optional[Instant] = None
    canceled_at: Optional[Instant] = None
    failed_at: Optional[Instant] = None
    replaced_at: Optional[Instant] = None
    replaced_by: Optional[Uuid] = None
    replaces: Optional[Uuid] = None

    @model_validator(mode="after")
    def _rules(self):
        if (self.qty is None) == (self.notional is None):
            raise ValueError("an order has either qty or notional")
        if self.type in ("limit", "stop_limit") and self.limit_price is None:
            raise ValueError(f"a {self.type} order has a limit_price")
        if self.type in ("stop", "stop_limit") and self.stop_price is None:
            raise ValueError(f"a {self.type} order has a stop_price")
        if self.type == "trailing_stop" and (self.trail_price is None) == (self.trail_percent is None):
            raise ValueError("a trailing_stop order has either trail_price or trail_percent")
        return self


class _Placed(Closed):
    """What an order is before its first fill."""

    @model_validator(mode="after")
    def _placed(self):
        if self.status not in ("accepted", "accepted_for_bidding", "pending_new", "new", "held"):
            raise ValueError(f"an order that is placed is not {self.status}")
        if self.filled_at is not None:
            raise ValueError("nothing of it is filled yet")
        return self


class _Updated(Closed):
    event: Literal["new", "pending_new", "canceled", "expired", "done_for_day", "replaced", "rejected", "stopped", "pending_cancel", "pending_replace",
                 "calculated", "suspended", "order_replace_rejected", "order_cancel_rejected"]
    timestamp: Instant
    reason: Optional[Annotated[str, Field(max_length=500)]] = None

    @model_validator(mode="after")
    def _status(self):
        if self.event in ("canceled", "expired", "replaced", "rejected") and self.order.status != self.event:
            raise ValueError(f"the order's status is {self.event} then")
        return self


class _Filled(Closed):
    event: Literal["fill", "partial_fill"]
    execution_id: Uuid
    price: PositiveDecimal
    qty: PositiveDecimal
    position_qty: Maybe[LooseDecimal] = None
    timestamp: Instant

    @model_validator(mode="after")
    def _status(self):
        allowed = ("filled",) if self.event == "fill" else ("partially_filled", "pending_cancel", "pending_replace", "canceled", "calculated")
        if self.order.status not in allowed:
            raise ValueError(f"the order's status is {' or '.join(allowed)} then")
        return self


class Order(_OrderParts):
    symbol: Symbol
    side: Side


class OrderPlaced(_Placed, Order):
    """order.placed, version 1: the order itself."""


class OrderUpdated(_Updated):
    """order.updated, version 1."""
    order: Order


class OrderFilled(_Filled):
    """order.filled, version 1: one execution."""
    order: Order


# ---------------------------------------------------------------- system, ingestion

Component = Annotated[str, Field(max_length=100, pattern=r"^[a-z][a-z0-9_]*(?:[.][a-z][a-z0-9_]*)*$")]


class SystemLog(Closed):
    """system.log, version 1."""
    component: Component
    level: Literal["debug", "info", "notice", "warning", "error", "critical"]
    message: Annotated[str, Field(min_length=1, max_length=8192)]
    occurred_at: Instant
    host: Optional[Host] = None


class IngestionBatch(Closed):
    """ingestion.batch, version 1."""
    batch_id: Uuid
    source: Literal["discord", "alpaca", "binance", "fix", "file"]
    started_at: Instant
    finished_at: Optional[Instant] = None
    received: Count
    accepted: Count
    rejected: Count
    status: Literal["running", "succeeded", "partial", "failed"]

    @model_validator(mode="after")
    def _finished(self):
        if self.status != "running" and self.finished_at is None:
            raise ValueError("a batch that does not run has an end")
        return self
