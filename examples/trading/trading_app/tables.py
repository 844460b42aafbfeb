"""The trading database as SQLAlchemy sees it, after migration 4.3.0.

The migrations create the database, and its constraints define valid events.  These
classes describe the tables; test/trading/tables/run compares every column,
constraint and index with the migrated database.  So metadata.create_all() in an
empty database creates the same tables, for a unit test.  (Only the migrations
create guards, views and the bus's functions.)
"""

import uuid
from datetime import date, datetime
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.dialects.postgresql import ARRAY, JSONB


class Base(orm.DeclarativeBase):
    type_annotation_map = {
        str: sa.Text,
        datetime: sa.DateTime(timezone=True),
        Decimal: sa.Numeric,
        dict: JSONB,
    }


def row_number():
    """The primary key of most tables."""
    return orm.mapped_column(sa.BigInteger, sa.Identity(always=True), primary_key=True, sort_order=-1)


# ---------- Discord: channels, messages ----------


class DiscordChannel(Base):
    """A channel as it was last seen."""

    __tablename__ = "discord_channels"
    __table_args__ = (
        sa.CheckConstraint("id ~ '^[0-9]+$' AND char_length(id) <= 20", "discord_channels_id_format"),
        sa.CheckConstraint("guild_id ~ '^[0-9]+$' AND char_length(guild_id) <= 20", "discord_channels_guild_id_format"),
        sa.CheckConstraint("char_length(name) BETWEEN 1 AND 100", "discord_channels_name_length"),
        sa.CheckConstraint("char_length(topic) <= 4096", "discord_channels_topic_length"),
        sa.CheckConstraint("type BETWEEN 0 AND 5 OR type BETWEEN 10 AND 16", "discord_channels_type_known"),
        sa.Index("discord_channels_guild", "guild_id"),
    )

    id: orm.Mapped[str] = orm.mapped_column(primary_key=True)
    guild_id: orm.Mapped[str | None]
    name: orm.Mapped[str]  # also of a direct message, which has none at Discord
    type: orm.Mapped[int]
    topic: orm.Mapped[str | None]
    updated_at: orm.Mapped[datetime | None] = orm.mapped_column(server_default=sa.func.now())

    # no foreign key: a message can arrive before its channel
    messages: orm.Mapped[list["DiscordMessage"]] = orm.relationship(
        primaryjoin="DiscordChannel.id == foreign(DiscordMessage.channel_id)", back_populates="channel", viewonly=True,
        order_by="DiscordMessage.created_at, DiscordMessage.id")


class DiscordMessage(Base):
    """A message as it was last seen, and the event for that."""

    __tablename__ = "discord_messages"
    __table_args__ = (
        sa.CheckConstraint(" AND ".join(f"{name} ~ '^[0-9]+$' AND char_length({name}) <= 20" for name in ("message_id", "channel_id", "author_id")),
                           "discord_messages_id_format"),
        sa.CheckConstraint("char_length(content) <= 4000", "discord_messages_content_length"),
        sa.CheckConstraint("event_type LIKE 'discord.message.%'", "discord_messages_type"),
        sa.CheckConstraint("check_event(data, event_type, schema_version, 'discord_messages_valid')", "discord_messages_valid"),
        sa.Index("discord_messages_message_id", "message_id", unique=True),
        sa.Index("discord_messages_channel_author_time", "channel_id", "author_id", "created_at"),
        sa.Index("discord_messages_channel_time", "channel_id", "created_at"),
    )

    id: orm.Mapped[int] = row_number()
    message_id: orm.Mapped[str]
    channel_id: orm.Mapped[str]
    author_id: orm.Mapped[str]
    content: orm.Mapped[str]
    created_at: orm.Mapped[datetime]
    data: orm.Mapped[dict]
    event_type: orm.Mapped[str]
    schema_version: orm.Mapped[int]

    channel: orm.Mapped[DiscordChannel | None] = orm.relationship(
        primaryjoin="DiscordChannel.id == foreign(DiscordMessage.channel_id)", back_populates="messages", viewonly=True)
    setups: orm.Mapped[list["TradeSetup"]] = orm.relationship(back_populates="source_message", passive_deletes=True)


# ---------- setups and their levels ----------


class TradeSetup(Base):
    """A ticker and its price levels, read from a message."""

    __tablename__ = "trade_setups"
    __table_args__ = (
        sa.CheckConstraint("ticker ~ '^[A-Z0-9]+([./-][A-Z0-9]+)*$' AND char_length(ticker) <= 32", "trade_setups_ticker_format"),
        sa.Index("trade_setups_ticker", "ticker"),
        sa.Index("trade_setups_source_message", "source_message_id", postgresql_where="source_message_id IS NOT NULL"),
    )

    id: orm.Mapped[int] = row_number()
    ticker: orm.Mapped[str]
    setup_date: orm.Mapped[date]
    # the setup stays when the message is deleted
    source_message_id: orm.Mapped[str | None] = orm.mapped_column(
        sa.ForeignKey("discord_messages.message_id", name="trade_setups_source_message", ondelete="SET NULL"))
    created_at: orm.Mapped[datetime | None] = orm.mapped_column(server_default=sa.func.now())

    source_message: orm.Mapped[DiscordMessage | None] = orm.relationship(back_populates="setups")
    levels: orm.Mapped[list["ParsedLevel"]] = orm.relationship(
        back_populates="setup", cascade="all, delete-orphan", passive_deletes=True, order_by="ParsedLevel.id")


class ParsedLevel(Base):
    """A price of a setup."""

    __tablename__ = "parsed_levels"
    __table_args__ = (
        sa.CheckConstraint("level_type IN ('entry', 'stop', 'target', 'support', 'resistance')", "parsed_levels_type_known"),
        sa.CheckConstraint("price > 0 AND price < 'Infinity'", "parsed_levels_price_positive"),
        sa.Index("parsed_levels_setup", "setup_id"),
    )

    id: orm.Mapped[int] = row_number()
    setup_id: orm.Mapped[int] = orm.mapped_column(
        sa.BigInteger, sa.ForeignKey("trade_setups.id", name="parsed_levels_setup", ondelete="CASCADE"))
    level_type: orm.Mapped[str]
    price: orm.Mapped[Decimal]

    setup: orm.Mapped[TradeSetup] = orm.relationship(back_populates="levels")


# ---------- events ----------


class Event:
    """The common columns of the six event tables.

    event_id is made here and not by the server, so that an event's effects can
    refer to it before it is stored, and storing it returns nothing.
    """

    type_rule: str      # the table's rule for event_type
    by_content = False  # whether it has an index for data @> ...

    id: orm.Mapped[int] = row_number()
    event_type: orm.Mapped[str]
    schema_version: orm.Mapped[int]
    data: orm.Mapped[dict]
    event_id: orm.Mapped[uuid.UUID] = orm.mapped_column(default=uuid.uuid4, server_default=sa.func.gen_random_uuid())
    correlation_id: orm.Mapped[uuid.UUID | None]
    causation_id: orm.Mapped[uuid.UUID | None]
    recorded_at: orm.Mapped[datetime] = orm.mapped_column(server_default=sa.func.now())

    @orm.declared_attr.directive
    def __table_args__(cls):
        name = cls.__tablename__
        parts = [
            sa.CheckConstraint(cls.type_rule, f"{name}_type"),
            sa.CheckConstraint(f"check_event(data, event_type, schema_version, '{name}_valid')", f"{name}_valid"),
            sa.Index(f"{name}_event_id", "event_id", unique=True),
            sa.Index(f"{name}_type_time", "event_type", "recorded_at"),
            sa.Index(f"{name}_correlation", "correlation_id", postgresql_where="correlation_id IS NOT NULL"),
        ]
        if cls.by_content:
            parts.append(sa.Index(f"{name}_data", "data", postgresql_using="gin", postgresql_ops={"data": "jsonb_path_ops"}))
        return (*parts, {"comment": cls.__doc__})


class DiscordEvent(Event, Base):
    """Events of the Discord reader: messages, their changes and deletions, channels."""

    __tablename__ = "discord_events"
    type_rule = "event_type LIKE 'discord.%'"


class MarketEvent(Event, Base):
    """Trades, quotes, bars and order book changes; Binance's in their wire format."""

    __tablename__ = "market_events"
    type_rule = ("event_type LIKE 'market.%'"
                 " OR event_type IN ('binance.trade', 'binance.agg_trade', 'binance.kline', 'binance.depth_update')")
    by_content = True


class SignalEvent(Event, Base):
    """Signals of the strategies."""

    __tablename__ = "signal_events"
    type_rule = "event_type LIKE 'trading.%'"
    by_content = True


class OrderEvent(Event, Base):
    """Orders, their changes, and their fills."""

    __tablename__ = "order_events"
    type_rule = "event_type LIKE 'order.%' OR event_type = 'binance.execution_report'"
    by_content = True


class SystemEvent(Event, Base):
    """Log messages of the application's components."""

    __tablename__ = "system_events"
    type_rule = "event_type LIKE 'system.%'"


class IngestionEvent(Event, Base):
    """Results of ingested batches of records."""

    __tablename__ = "ingestion_events"
    type_rule = "event_type LIKE 'ingestion.%'"


# the longest prefix decides
TABLES = {
    "discord.": DiscordEvent,
    "market.": MarketEvent,
    "binance.": MarketEvent,
    "binance.execution_report": OrderEvent,
    "trading.": SignalEvent,
    "order.": OrderEvent,
    "system.": SystemEvent,
    "ingestion.": IngestionEvent,
}


def table_of(event_type):
    """The class of the table where events of a type are stored."""
    fitting = [prefix for prefix in TABLES if event_type.startswith(prefix)]
    if not fitting:
        raise LookupError(f"no table stores events of type {event_type!r}")
    return TABLES[max(fitting, key=len)]


# ---------- the bus, as applications see it ----------


class Consumer(Base):
    """A consumer of the bus, and its position."""

    __tablename__ = "consumers"
    __table_args__ = (sa.UniqueConstraint("number", name="consumers_number_key"),
                      {"schema": "event_bus", "comment": "Consumers, and the position of each: everything up to (position, event) is handled."})

    name: orm.Mapped[str] = orm.mapped_column(primary_key=True)
    number: orm.Mapped[int] = orm.mapped_column(sa.Identity(always=True), comment="The key of the advisory lock of its one active process.")
    position: orm.Mapped[int] = orm.mapped_column(sa.BigInteger)
    event: orm.Mapped[int] = orm.mapped_column(
        sa.BigInteger, comment="The id of the last handled event of the publication at that position.")
    relations: orm.Mapped[list[str] | None] = orm.mapped_column(ARRAY(sa.Text), comment="The tables that it reads; NULL is all.")
    event_types: orm.Mapped[list[str] | None] = orm.mapped_column(ARRAY(sa.Text), comment="The event types that it reads; NULL is all.")
    in_flight: orm.Mapped[int] = orm.mapped_column(
        server_default="0", comment="Number of events being handled; if it is not 0 at a start, a process died while handling them.")
    attempts: orm.Mapped[int] = orm.mapped_column(server_default="0", comment="Number of failed attempts for the next event.")
    created_at: orm.Mapped[datetime] = orm.mapped_column(server_default=sa.func.now())
    active_at: orm.Mapped[datetime | None]

    dead_letters: orm.Mapped[list["DeadLetter"]] = orm.relationship(
        back_populates="reader", cascade="all, delete-orphan", passive_deletes=True)


class DeadLetter(Base):
    """An event that a consumer failed to handle and skipped."""

    __tablename__ = "dead_letters"
    __table_args__ = (sa.UniqueConstraint("consumer", "position", "event", name="dead_letters_consumer_position_event_key"),
                      {"schema": "event_bus", "comment": "Events that a consumer failed to handle and skipped."})

    id: orm.Mapped[int] = row_number()
    consumer: orm.Mapped[str] = orm.mapped_column(
        sa.ForeignKey("event_bus.consumers.name", name="dead_letters_consumer_fkey", onupdate="CASCADE", ondelete="CASCADE"))
    position: orm.Mapped[int] = orm.mapped_column(sa.BigInteger)
    relation: orm.Mapped[str]
    event: orm.Mapped[int] = orm.mapped_column(sa.BigInteger, comment="The id in the event's table; the event itself stays there.")
    event_type: orm.Mapped[str | None]
    schema_version: orm.Mapped[int | None]
    error: orm.Mapped[str]
    detail: orm.Mapped[str | None]
    attempts: orm.Mapped[int]
    failed_at: orm.Mapped[datetime] = orm.mapped_column(server_default=sa.func.now())
    resolved_at: orm.Mapped[datetime | None] = orm.mapped_column(comment="Time at which it was handled after all, or given up; NULL: unresolved.")

    reader: orm.Mapped[Consumer] = orm.relationship(back_populates="dead_letters")
