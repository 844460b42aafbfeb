"""Reads Discord: stores channels and messages, and makes trade setups from messages.

    python -m trading_app.listener setups --table discord_events --handler trading_app.setups:handle

A consumer of the bus that works with the ORM, in the listener's transaction: it
stores a message, its setup and levels, and the signal, or nothing.
"""

import re
import uuid
from datetime import datetime, timezone
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy import orm

from .bus import session_on
from .events import publish
from .models import v2
from .models.common import to_datetime
from .tables import DiscordChannel, DiscordMessage, ParsedLevel, TradeSetup

PRICE = r"([0-9]{1,12}(?:\.[0-9]{1,8})?)"
TICKER = re.compile(r"\$([A-Z][A-Z0-9]{0,9}(?:\.[A-Z]{1,2})?)\b|^([A-Z]{1,5}(?:\.[A-Z]{1,2})?) over ", re.MULTILINE)
LEVELS = (
    ("entry", re.compile(rf"\b(?:entry:?|over) {PRICE}")),
    ("stop", re.compile(rf"\bstop:? {PRICE}")),
    ("target", re.compile(rf"\bPT[1-9] {PRICE}")),
    ("support", re.compile(rf"\bsupport:? {PRICE}")),
    ("resistance", re.compile(rf"\bresistance:? {PRICE}")),
)


def parse(content):
    """(ticker, [(level type, price)]) of a text; None if it has no ticker or no price."""
    found = TICKER.search(content)
    levels = [(kind, price) for kind, pattern in LEVELS for price in map(Decimal, pattern.findall(content)) if price > 0]
    return (found[1] or found[2], levels) if found and levels else None


# ---------- stored objects ----------


def keep_channel(session, data):
    """The channel as the event describes it."""
    return session.merge(DiscordChannel(
        id=data["id"], guild_id=data.get("guild_id"), name=data.get("name") or f"direct message {data['id']}", type=data["type"],
        topic=data.get("topic"), updated_at=datetime.now(timezone.utc)))


def message_of(session, message_id):
    return session.scalars(sa.select(DiscordMessage).filter_by(message_id=message_id)).one_or_none()


def keep_message(session, event):
    """The message as the event describes it, or None if it exists already."""
    data = event.data
    if message_of(session, data["id"]) is not None:
        return None
    message = DiscordMessage(
        message_id=data["id"], channel_id=data["channel_id"], author_id=data["author"]["id"], content=data["content"],
        created_at=to_datetime(data["timestamp"]), data=data, event_type=event.event_type, schema_version=event.schema_version)
    session.add(message)
    return message


def note_setup(message):
    """The setup in a message, with its levels; None if there is none."""
    parsed = parse(message.content)
    if parsed is None:
        return None
    ticker, levels = parsed
    return TradeSetup(ticker=ticker, setup_date=message.created_at.date(), source_message=message,
                      levels=[ParsedLevel(level_type=kind, price=price) for kind, price in levels])


def signal_of(setup):
    """The event that announces a setup."""
    prices = {kind: [level.price for level in setup.levels if level.level_type == kind] for kind in ("entry", "stop", "target")}
    return v2.TradingSignal(
        signal_id=str(uuid.uuid4()), symbol=setup.ticker, action="buy", confidence=0.5, generated_at=datetime.now(timezone.utc).isoformat(),
        source={"kind": "discord", "message_ids": [setup.source_message.message_id]},
        entry=next(iter(prices["entry"]), None), stop_loss=next(iter(prices["stop"]), None), take_profit=prices["target"][:10])


# ---------- the handler ----------


def handle(event, connection):
    with session_on(connection) as session:
        if event.event_type == "discord.channel":
            keep_channel(session, event.data)
        elif event.event_type == "discord.message.create":
            message = keep_message(session, event)
            setup = message and note_setup(message)
            if setup:
                session.add(setup)
                publish(session, signal_of(setup), cause=event)
        elif event.event_type == "discord.message.update":
            message = message_of(session, event.data["id"])
            if message and event.data.get("content") is not None:
                message.content = event.data["content"]  # its setups stay unchanged
                message.data = {**message.data, **{name: event.data[name] for name in ("content", "edited_timestamp") if name in event.data}}
        elif event.event_type == "discord.message.delete":
            message = message_of(session, event.data["id"])
            if message:
                session.delete(message)  # its setups stay
        session.flush()


# ---------- queries ----------


def setups_of(session, ticker, since=None):
    """The setups of a ticker, the newest first, with their levels and the message each comes from."""
    chosen = (sa.select(TradeSetup).where(TradeSetup.ticker == ticker)
              .options(orm.selectinload(TradeSetup.levels), orm.joinedload(TradeSetup.source_message).joinedload(DiscordMessage.channel))
              .order_by(TradeSetup.setup_date.desc(), TradeSetup.id.desc()))
    return session.scalars(chosen if since is None else chosen.where(TradeSetup.setup_date >= since)).all()
