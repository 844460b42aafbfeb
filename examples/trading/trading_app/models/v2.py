"""Version 2 of the events.  The schemas are events/TYPE@2.json."""
from typing import Annotated, Literal, Optional, Union

from pydantic import Field, RootModel, model_validator

from . import v1
from .common import (Closed, Count, DecimalText, Host, Instant, Int63, Integer, LooseDecimal, Maybe, NonNegativeDecimal, OneOf, Open, PositiveDecimal,
                     PositiveText, Snowflake, Symbol, Uuid, at_least, at_most, one_of, unsigned)
from .v1 import Side, User

# ---------------------------------------------------------------- Discord

InteractionType = Annotated[Integer, one_of(1, 2, 3, 4, 5)]


class Emoji(Open):
    id: Optional[Snowflake] = None
    name: Optional[str] = None
    animated: Maybe[bool] = None


class MessageReference(Open):
    type: Maybe[Annotated[Integer, one_of(0, 1)]] = None
    message_id: Maybe[Snowflake] = None
    channel_id: Maybe[Snowflake] = None
    guild_id: Maybe[Snowflake] = None
    fail_if_not_exists: Maybe[bool] = None


class ReferencedMessage(Open):
    id: Snowflake
    channel_id: Snowflake
    author: Maybe[User] = None
    content: Maybe[Annotated[str, Field(max_length=4000)]] = None
    timestamp: Maybe[Instant] = None


class InstallationOwners(Open):
    """Under the context of the installation."""
    guild: Maybe[Snowflake] = Field(None, alias="0")
    user: Maybe[Snowflake] = Field(None, alias="1")


class TriggeringInteraction(Open):
    id: Snowflake
    type: InteractionType
    user: User


class InteractionMetadata(TriggeringInteraction):
    name: Maybe[str] = None
    authorizing_integration_owners: Maybe[InstallationOwners] = None
    original_response_message_id: Maybe[Snowflake] = None
    target_user: Maybe[User] = None
    target_message_id: Maybe[Snowflake] = None
    interacted_message_id: Maybe[Snowflake] = None
    triggering_interaction_metadata: Maybe[TriggeringInteraction] = None


class PollQuestion(Open):
    text: Annotated[str, Field(max_length=300)]


class PollMedia(Open):
    text: Maybe[Annotated[str, Field(max_length=55)]] = None
    emoji: Maybe[Emoji] = None


class PollAnswer(Open):
    answer_id: Maybe[Count] = None
    poll_media: PollMedia


class PollCount(Open):
    id: Count
    count: Count
    me_voted: bool


class PollResults(Open):
    is_finalized: bool
    answer_counts: list[PollCount]


class Poll(Open):
    question: PollQuestion
    answers: Annotated[list[PollAnswer], Field(min_length=1, max_length=10)]
    expiry: Optional[Instant] = None
    allow_multiselect: bool
    layout_type: Annotated[Integer, at_least(1)]
    results: Maybe[PollResults] = None


class Component(Open):
    type: Annotated[Integer, at_least(1)]
    id: Maybe[Count] = None
    custom_id: Maybe[Annotated[str, Field(min_length=1, max_length=100)]] = None
    label: Maybe[Annotated[str, Field(max_length=80)]] = None
    style: Maybe[Annotated[Integer, at_least(1)]] = None
    url: Maybe[Annotated[str, Field(max_length=512)]] = None
    disabled: Maybe[bool] = None
    content: Maybe[Annotated[str, Field(max_length=4000)]] = None
    components: Maybe[Annotated[list["Component"], Field(max_length=40)]] = None


class _New(Open):
    """What version 2 adds to messages."""
    message_reference: Maybe[MessageReference] = None
    referenced_message: Optional[ReferencedMessage] = None
    interaction_metadata: Maybe[InteractionMetadata] = None
    sticker_items: Maybe[Annotated[list[v1.Sticker], Field(max_length=3)]] = None
    poll: Maybe[Poll] = None
    components: Maybe[Annotated[list[Component], Field(max_length=40)]] = None


class DiscordMessageCreate(v1._Whole, _New):
    """discord.message.create, version 2."""


class DiscordMessageUpdate(v1._Part, _New):
    """discord.message.update, version 2."""


class DiscordMessageDelete(v1.DiscordMessageDelete):
    """discord.message.delete, version 2: as version 1."""


class ForumTag(Open):
    id: Snowflake
    name: Annotated[str, Field(max_length=20)]
    moderated: Maybe[bool] = None
    emoji_id: Optional[Snowflake] = None
    emoji_name: Optional[str] = None


ArchiveDuration = Annotated[Integer, one_of(60, 1440, 4320, 10080)]


class ThreadMetadata(Open):
    archived: bool
    auto_archive_duration: ArchiveDuration
    archive_timestamp: Instant
    locked: bool
    invitable: Maybe[bool] = None
    create_timestamp: Optional[Instant] = None


class DiscordChannel(v1.DiscordChannel):
    """discord.channel, version 2."""
    topic: Optional[Annotated[str, Field(max_length=4096)]] = None
    flags: Maybe[Count] = None
    available_tags: Maybe[Annotated[list[ForumTag], Field(max_length=20)]] = None
    applied_tags: Maybe[Annotated[list[Snowflake], Field(max_length=5)]] = None
    default_auto_archive_duration: Maybe[ArchiveDuration] = None
    default_thread_rate_limit_per_user: Maybe[Annotated[Count, at_most(21600)]] = None
    default_sort_order: Optional[Annotated[Integer, one_of(0, 1)]] = None
    default_forum_layout: Maybe[Annotated[Integer, one_of(0, 1, 2)]] = None
    thread_metadata: Maybe[ThreadMetadata] = None

    @model_validator(mode="after")
    def _topic(self):
        if self.type not in (15, 16) and len(self.topic or "") > 1024:
            raise ValueError("a topic has up to 1,024 characters, but in a forum or media channel")
        return self


# ---------------------------------------------------------------- market data

class _Market(Closed):
    """What all market data has."""
    symbol: Symbol
    timestamp: Instant
    sequence: Maybe[Int63] = None
    received_at: Optional[Instant] = None
    currency: Optional[Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9]{2,9}$")]] = None


class MarketTrade(_Market):
    """market.trade, version 2."""
    kind: Literal["trade"]
    trade_id: Maybe[Annotated[str, Field(min_length=1)]] = None
    price: PositiveText
    size: DecimalText
    exchange: Optional[v1.Exchange] = None
    conditions: Maybe[v1.Conditions] = None
    tape: Optional[v1.Tape] = None
    taker_side: Optional[Side] = None


class MarketQuote(_Market):
    """market.quote, version 2."""
    kind: Literal["quote"]
    bid_price: DecimalText
    bid_size: DecimalText
    bid_exchange: Optional[v1.Exchange] = None
    ask_price: DecimalText
    ask_size: DecimalText
    ask_exchange: Optional[v1.Exchange] = None
    conditions: Maybe[v1.Conditions] = None
    tape: Optional[v1.Tape] = None


class MarketBar(_Market):
    """market.bar, version 2."""
    kind: Literal["bar"]
    timeframe: Maybe[v1.Timeframe] = "1m"
    open: PositiveText
    high: PositiveText
    low: PositiveText
    close: PositiveText
    volume: DecimalText
    trade_count: Maybe[Count] = None
    vwap: Maybe[PositiveText] = None
    exchange: Optional[v1.Exchange] = None
    closed: Maybe[bool] = True


class MarketBookDelta(_Market):
    """market.book_delta, version 2."""
    kind: Literal["book_delta"]
    action: Literal["new", "change", "delete"]
    side: Literal["bid", "ask"]
    price: PositiveText
    size: Maybe[DecimalText] = None
    level: Maybe[Annotated[Integer, at_least(1), at_most(1000)]] = None
    exchange: Optional[v1.Exchange] = None

    @model_validator(mode="after")
    def _size(self):
        if self.action != "delete" and not self.size:
            raise ValueError("a level that is new or changes has a size above zero")
        return self


class MarketData(OneOf, RootModel[Annotated[Union[MarketTrade, MarketQuote, MarketBar, MarketBookDelta], Field(discriminator="kind")]]):
    """market.data, version 2: any kind of market data."""


# ---------------------------------------------------------------- Binance, as it comes over the wire

Time = Annotated[Count, at_most(253402300799999999)]


class BinanceTrade(Open):
    """binance.trade, version 2."""
    e: Literal["trade"]
    E: Time
    s: v1.Pair
    t: Int63
    p: v1.WireDecimal
    q: v1.WireDecimal
    T: Time
    m: bool
    M: Maybe[bool] = None


class BinanceAggTrade(v1.BinanceAggTrade):
    """binance.agg_trade, version 2."""
    E: Time
    T: Time


class Candle(v1.Candle):
    t: Time
    T: Time


class BinanceKline(v1.BinanceKline):
    """binance.kline, version 2."""
    E: Time
    k: Candle


class BinanceDepthUpdate(v1.BinanceDepthUpdate):
    """binance.depth_update, version 2."""
    E: Time


class BinanceExecutionReport(v1.BinanceExecutionReport):
    """binance.execution_report, version 2."""
    E: Time
    T: Time
    O: Time     # noqa: E741
    D: Maybe[Time] = None
    W: Maybe[Time] = None
    v: Maybe[Int63] = None
    A: Maybe[v1.WireDecimal] = None
    B: Maybe[v1.WireDecimal] = None
    u: Maybe[Int63] = None
    U: Maybe[Int63] = None
    Cs: Maybe[v1.Pair] = None
    a: Maybe[Int63] = None
    b: Maybe[str] = None
    k: Maybe[str] = None
    uS: Maybe[bool] = None


# ---------------------------------------------------------------- signals

def _unique(values):
    if len(set(values)) < len(values):
        raise ValueError("must not name a message twice")
    return values


class SignalSource(Closed):
    kind: Literal["discord", "market_data", "manual"]
    message_ids: Annotated[list[Snowflake], Field(max_length=100)]

    @model_validator(mode="after")
    def _messages(self):
        _unique(self.message_ids)
        if (self.kind == "discord") != bool(self.message_ids):
            raise ValueError("there are messages if and only if the kind is discord")
        return self


class SignalModel(Closed):
    name: Annotated[str, Field(min_length=1, max_length=100)]
    version: Annotated[str, Field(min_length=1, max_length=50)]


class TradingSignal(Closed):
    """trading.signal, version 2."""
    signal_id: Uuid
    symbol: Symbol
    action: Literal["buy", "sell", "hold", "close"]
    confidence: Annotated[v1.Number, at_least(0), at_most(1)]
    generated_at: Instant
    source: SignalSource
    entry: Optional[PositiveText] = None
    stop_loss: Optional[PositiveText] = None
    take_profit: Maybe[Annotated[list[PositiveText], Field(max_length=10)]] = []
    timeframe: Optional[v1.Timeframe] = None
    model: Optional[SignalModel] = None
    expires_at: Optional[Instant] = None


# ---------------------------------------------------------------- orders

PositionIntent = Literal["buy_to_open", "buy_to_close", "sell_to_open", "sell_to_close"]


class Leg(Closed):
    """One of the orders that an order is made of or brings."""
    id: Maybe[Uuid] = None
    client_order_id: Maybe[v1.ClientOrderId] = None
    symbol: Symbol
    asset_id: Optional[Uuid] = None
    asset_class: Maybe[v1.AssetClass] = None
    side: Side
    position_intent: Optional[PositionIntent] = None
    ratio_qty: Maybe[PositiveDecimal] = None
    type: Maybe[v1.OrderType] = None
    status: Maybe[v1.Status] = None
    qty: Optional[PositiveDecimal] = None
    limit_price: Optional[PositiveDecimal] = None
    stop_price: Optional[PositiveDecimal] = None
    filled_qty: Maybe[NonNegativeDecimal] = None
    filled_avg_price: Optional[PositiveDecimal] = None
    filled_at: Optional[Instant] = None


class Order(v1._OrderParts):
    symbol: Optional[Symbol] = None
    side: Optional[Side] = None
    position_intent: Optional[PositionIntent] = None
    order_class: Literal["simple", "bracket", "oco", "oto", "mleg"]
    legs: Optional[Annotated[list[Leg], Field(min_length=1, max_length=4)]] = None
    limit_price: Optional[LooseDecimal] = None

    @model_validator(mode="before")
    @classmethod
    def _unsigned(cls, data):
        # only with several legs may money come in
        if isinstance(data, dict) and data.get("order_class") != "mleg" and isinstance(data.get("limit_price"), str):
            unsigned(data["limit_price"])
        return data

    @model_validator(mode="after")
    def _legs(self):
        legs = self.legs or []
        if self.order_class == "mleg":
            if len(legs) < 2 or any(leg.ratio_qty is None for leg in legs):
                raise ValueError("an order with several legs has two or more, each with its ratio_qty")
            if self.symbol is not None or self.side is not None or self.notional is not None:
                raise ValueError("symbol and side are those of the legs, and the quantity is in pieces")
        else:
            if self.symbol is None or self.side is None:
                raise ValueError("an order without several legs has a symbol and a side")
            if len(legs) > (0 if self.order_class == "simple" else 2):
                raise ValueError("a simple order brings no others, and none brings more than two")
            if self.limit_price is not None and self.limit_price <= 0:
                raise ValueError("limit_price must be above zero")
        return self


class OrderPlaced(v1._Placed, Order):
    """order.placed, version 2: the order itself."""


class OrderUpdated(v1._Updated):
    """order.updated, version 2."""
    order: Order


class OrderFilled(v1._Filled):
    """order.filled, version 2: one execution."""
    order: Order
    leg_id: Optional[Uuid] = None


# ---------------------------------------------------------------- system, ingestion

SEVERITIES = {"debug": (1, 8), "info": (9, 9), "notice": (10, 12), "warning": (13, 16), "error": (17, 17), "critical": (18, 24)}


class Severity(Closed):
    text: Literal["debug", "info", "notice", "warning", "error", "critical"]
    number: Annotated[Integer, at_least(1), at_most(24)]

    @model_validator(mode="after")
    def _agree(self):
        least, most = SEVERITIES[self.text]
        if not least <= self.number <= most:
            raise ValueError(f"{self.text} has a number from {least} to {most}")
        return self


class Failure(Closed):
    code: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]
    retryable: bool


class SystemLog(Closed):
    """system.log, version 2."""
    component: v1.Component
    severity: Severity
    message: Annotated[str, Field(min_length=1, max_length=8192)]
    occurred_at: Instant
    host: Optional[Host] = None
    correlation_id: Optional[Uuid] = None
    causation_id: Optional[Uuid] = None
    error: Optional[Failure] = None


class Cursor(Closed):
    from_: Optional[Annotated[str, Field(min_length=1, max_length=200)]] = Field(alias="from")
    to: Optional[Annotated[str, Field(min_length=1, max_length=200)]]


class IngestionBatch(v1.IngestionBatch):
    """ingestion.batch, version 2."""
    quarantined: Optional[Count]
    duplicates: Optional[Count]
    cursor: Optional[Cursor] = None
    lag_ms: Optional[Count] = None
    schema_versions: Maybe[dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*(?:[.][a-z][a-z0-9_]*)*$")], Annotated[Count, at_most(2147483647)]]] = {}
