"""The event tables and the bus as SQLAlchemy sees them.

The database decides what an event may be; these classes only say where it is.
"""

import uuid
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.dialects.postgresql import JSONB


class Base(orm.DeclarativeBase):
    pass


class Event:
    """What the six event tables have in common.

    event_id is drawn here and not by the server, so that an event's effects
    can name it before it is stored, and storing it needs no answer.
    """

    id: orm.Mapped[int] = orm.mapped_column(sa.BigInteger, sa.Identity(always=True), primary_key=True, sort_order=-1)
    event_type: orm.Mapped[str] = orm.mapped_column(sa.Text)
    schema_version: orm.Mapped[int]
    data: orm.Mapped[dict] = orm.mapped_column(JSONB)
    event_id: orm.Mapped[uuid.UUID] = orm.mapped_column(unique=True, default=uuid.uuid4)
    correlation_id: orm.Mapped[uuid.UUID | None] = orm.mapped_column(index=True)
    causation_id: orm.Mapped[uuid.UUID | None]
    recorded_at: orm.Mapped[datetime] = orm.mapped_column(sa.DateTime(timezone=True), server_default=sa.func.now())


class DiscordEvent(Event, Base):
    __tablename__ = "discord_events"


class MarketEvent(Event, Base):
    __tablename__ = "market_events"


class SignalEvent(Event, Base):
    __tablename__ = "signal_events"


class OrderEvent(Event, Base):
    __tablename__ = "order_events"


class SystemEvent(Event, Base):
    __tablename__ = "system_events"


class IngestionEvent(Event, Base):
    __tablename__ = "ingestion_events"


class DeadLetter(Base):
    """An event that a consumer failed to handle, and went on without."""

    __tablename__ = "dead_letters"
    __table_args__ = {"schema": "event_bus"}

    id: orm.Mapped[int] = orm.mapped_column(sa.BigInteger, sa.Identity(always=True), primary_key=True)
    consumer: orm.Mapped[str] = orm.mapped_column(sa.Text)
    position: orm.Mapped[int] = orm.mapped_column(sa.BigInteger)
    relation: orm.Mapped[str] = orm.mapped_column(sa.Text)
    event: orm.Mapped[int] = orm.mapped_column(sa.BigInteger)
    event_type: orm.Mapped[str | None] = orm.mapped_column(sa.Text)
    schema_version: orm.Mapped[int | None]
    error: orm.Mapped[str] = orm.mapped_column(sa.Text)
    detail: orm.Mapped[str | None] = orm.mapped_column(sa.Text)
    attempts: orm.Mapped[int]
    failed_at: orm.Mapped[datetime] = orm.mapped_column(sa.DateTime(timezone=True), server_default=sa.func.now())
    resolved_at: orm.Mapped[datetime | None] = orm.mapped_column(sa.DateTime(timezone=True))


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
