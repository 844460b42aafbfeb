"""Pydantic models of the events, one for each type and version.

    from trading_app.models import model_of, v2

    event = v2.MarketTrade.model_validate(data)         # if the type is known
    event = model_of("market.trade", 2)(data)           # if it is stored beside the data
    event.to_data()                                     # for the column data

The JSON Schemas in events/ are the source of truth; test/trading/models/run compares
the models with them.  Data is what json.loads returns.  Nothing is coerced: a
string is not a number, a number is not a string.
"""
from . import v0, v1, v2

TYPES = {
    "discord.message.create": "DiscordMessageCreate",
    "discord.message.update": "DiscordMessageUpdate",
    "discord.message.delete": "DiscordMessageDelete",
    "discord.channel": "DiscordChannel",
    "market.trade": "MarketTrade",
    "market.quote": "MarketQuote",
    "market.bar": "MarketBar",
    "market.book_delta": "MarketBookDelta",
    "market.data": "MarketData",
    "binance.trade": "BinanceTrade",
    "binance.agg_trade": "BinanceAggTrade",
    "binance.kline": "BinanceKline",
    "binance.depth_update": "BinanceDepthUpdate",
    "binance.execution_report": "BinanceExecutionReport",
    "trading.signal": "TradingSignal",
    "order.placed": "OrderPlaced",
    "order.updated": "OrderUpdated",
    "order.filled": "OrderFilled",
    "system.log": "SystemLog",
    "ingestion.batch": "IngestionBatch",
}

MODELS = {(event_type, version): getattr(module, name)
          for event_type, name in TYPES.items() for version, module in enumerate((v0, v1, v2))}


def model_of(event_type, version):
    """What makes an event of this type and version out of its data.  KeyError where there is no such model."""
    return MODELS[event_type, version].model_validate
