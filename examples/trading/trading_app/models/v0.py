"""Version 0 of the events: those stored before there were schemas.

The models are open, and require only what identifies an event of the type.  The
schemas are events/TYPE@0.json.
"""
from typing import Annotated, Any, Literal, Optional, Union

from pydantic import AfterValidator, Field, RootModel, model_validator

from .common import Count, Maybe, Number, OneOf, Open, Refused, at_least, given

Id = Union[Annotated[str, Field(min_length=1, max_length=200)], Count]
Symbol = Annotated[str, Field(min_length=1, max_length=64, pattern="[A-Za-z0-9]")]
Digits = Annotated[str, Field(pattern="[0-9]")]
Figure = Union[Number, Digits]
Time = Optional[Union[Digits, Annotated[Number, at_least(0)]]]
Word = Annotated[str, Field(pattern="[A-Za-z]")]
Object = Optional[dict[str, Any]]
Array = Optional[list[Any]]


def any_of(*names):
    """One at least of these properties is there."""
    def judge(self):
        if not given(self, *names):
            raise ValueError(f"one of {', '.join(names)} is required")
        return self
    return model_validator(mode="after")(judge)


def not_in(*values):
    def judge(value):
        if value in values:
            raise ValueError("is a word for something else")
        return value
    return AfterValidator(judge)


class _Message(Open):
    id: Id
    channel_id: Maybe[Id] = None
    guild_id: Optional[Id] = None
    author: Object = None
    content: Optional[str] = None
    timestamp: Time = None
    edited_timestamp: Time = None
    embeds: Array = None
    attachments: Array = None
    mentions: Array = None


class DiscordMessageCreate(_Message):
    """discord.message.create, legacy."""
    _some = any_of("channel_id", "author", "content")


class DiscordMessageUpdate(_Message):
    """discord.message.update, legacy."""
    _some = any_of("channel_id", "content", "embeds", "edited_timestamp")


class DiscordMessageDelete(Open):
    """discord.message.delete, legacy."""
    id: Id
    channel_id: Optional[Id] = None
    guild_id: Optional[Id] = None
    content: Refused = None
    author: Refused = None
    embeds: Refused = None
    edited_timestamp: Refused = None
    type: Refused = None
    name: Refused = None
    symbol: Refused = None


class DiscordChannel(Open):
    """discord.channel, legacy."""
    id: Id
    type: Maybe[Union[Count, Annotated[str, Field(min_length=1)]]] = None
    name: Optional[str] = None
    guild_id: Optional[Id] = None
    topic: Optional[str] = None
    parent_id: Optional[Id] = None
    content: Refused = None
    author: Refused = None
    symbol: Refused = None
    _some = any_of("type", "name")


class _Market(Open):
    symbol: Symbol
    timestamp: Time = None


class MarketTrade(_Market):
    """market.trade, legacy."""
    kind: Maybe[Literal["trade"]] = None
    price: Figure
    size: Optional[Figure] = None
    side: Refused = None


class MarketQuote(_Market):
    """market.quote, legacy."""
    kind: Maybe[Literal["quote"]] = None
    bid_price: Optional[Figure] = None
    bid_size: Optional[Figure] = None
    ask_price: Optional[Figure] = None
    ask_size: Optional[Figure] = None
    _some = any_of("bid_price", "ask_price")


class MarketBar(_Market):
    """market.bar, legacy."""
    kind: Maybe[Literal["bar"]] = None
    open: Optional[Figure] = None
    high: Optional[Figure] = None
    low: Optional[Figure] = None
    close: Figure
    volume: Optional[Figure] = None


class MarketBookDelta(_Market):
    """market.book_delta, legacy."""
    kind: Maybe[Literal["book_delta"]] = None
    side: Word
    price: Figure
    size: Optional[Figure] = None
    action: Maybe[Word] = None


class MarketData(OneOf, RootModel[Union[MarketTrade, MarketQuote, MarketBar, MarketBookDelta]]):
    """market.data, legacy: any kind of market data."""


class _Wire(Open):
    E: Time = None
    s: Symbol


class BinanceTrade(_Wire):
    """binance.trade, legacy."""
    e: Literal["trade"]
    p: Optional[Figure]
    q: Optional[Figure] = None


class BinanceAggTrade(_Wire):
    """binance.agg_trade, legacy."""
    e: Literal["aggTrade"]
    p: Optional[Figure]
    q: Optional[Figure] = None


class BinanceKline(_Wire):
    """binance.kline, legacy."""
    e: Literal["kline"]
    k: dict[str, Any]


class BinanceDepthUpdate(_Wire):
    """binance.depth_update, legacy."""
    e: Literal["depthUpdate"]
    b: Maybe[list[Any]] = None
    a: Maybe[list[Any]] = None
    _some = any_of("b", "a")


class BinanceExecutionReport(_Wire):
    """binance.execution_report, legacy."""
    e: Literal["executionReport"]
    p: Optional[Figure] = None
    q: Optional[Figure] = None
    i: Id


class TradingSignal(Open):
    """trading.signal, legacy."""
    signal_id: Maybe[Id] = None
    symbol: Symbol
    action: Annotated[Word, not_in("new", "change", "delete")]
    confidence: Optional[Figure] = None
    generated_at: Time = None
    source_message_id: Optional[Id] = None


class _Order(Open):
    id: Maybe[Id] = None
    client_order_id: Maybe[Id] = None
    type: Optional[Word] = None
    status: Optional[Word] = None
    qty: Optional[Figure] = None
    notional: Optional[Figure] = None
    limit_price: Optional[Figure] = None
    stop_price: Optional[Figure] = None
    created_at: Time = None
    _some = any_of("id", "client_order_id")


class Order(_Order):
    symbol: Maybe[Symbol] = None
    side: Maybe[Word] = None


class OrderPlaced(_Order):
    """order.placed, legacy."""
    symbol: Symbol
    side: Word


class OrderUpdated(Open):
    """order.updated, legacy."""
    event: Annotated[Word, not_in("fill", "partial_fill")]
    order: Order
    timestamp: Time = None


class OrderFilled(Open):
    """order.filled, legacy."""
    event: Maybe[Literal["fill", "partial_fill", "FILL", "PARTIAL_FILL"]] = None
    order: Order
    execution_id: Maybe[Id] = None
    price: Optional[Figure] = None
    qty: Optional[Figure] = None
    timestamp: Time = None
    _some = any_of("price", "qty", "execution_id")


class SystemLog(Open):
    """system.log, legacy."""
    component: Optional[str] = None
    level: Optional[str] = None
    message: str
    occurred_at: Time = None
    host: Optional[str] = None
    _some = any_of("component", "level")


class IngestionBatch(Open):
    """ingestion.batch, legacy."""
    batch_id: Maybe[Id] = None
    source: Optional[str] = None
    started_at: Time = None
    finished_at: Time = None
    received: Optional[Figure] = None
    accepted: Optional[Figure] = None
    rejected: Optional[Figure] = None
    status: Optional[str] = None
    _name = any_of("batch_id", "source")
    _count = any_of("received", "accepted", "status")
