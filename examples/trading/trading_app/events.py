"""Publishes events by storing them; the database does the rest."""

import functools
import uuid
from dataclasses import dataclass

import sqlalchemy as sa

from .refusals import EventDiverted
from .tables import table_of


@dataclass(frozen=True)
class Envelope:
    """The ids of an event that its effects need."""

    event_id: uuid.UUID
    correlation_id: uuid.UUID | None
    causation_id: uuid.UUID | None = None


@functools.cache
def kinds():
    """The type and version of each model that has only one."""
    from .models import MODELS

    keys = {}
    for key, model in MODELS.items():
        keys.setdefault(model, []).append(key)
    return {model: found[0] for model, found in keys.items() if len(found) == 1}


def parts(event):
    """Type, version and document of an event: a model of trading_app.models, or (type, version, model or document)."""
    if isinstance(event, tuple):
        event_type, schema_version, data = event
    else:
        try:
            event_type, schema_version = kinds()[type(event)]
        except KeyError:
            raise TypeError(f"{type(event).__name__} does not say which event it is: (type, version, event) does") from None
        data = event
    return event_type, schema_version, data.to_data() if hasattr(data, "to_data") else data


def envelope_of(cause, correlation_id=None):
    """The ids of an event that is caused by another (a row, an envelope, an event of the bus), or by nothing.

    The id of a correlation is that of its first event, unless another one is given.
    """
    event_id = uuid.uuid4()
    if cause is None:
        return Envelope(event_id, correlation_id or event_id)
    return Envelope(event_id, correlation_id or cause.correlation_id or cause.event_id, cause.event_id)


def row_of(event, cause=None, correlation_id=None):
    """An event as an object to add to a session.

    For callers that need the row's id afterwards.  If a guard diverts the event, there
    is no row, and the flush raises FlushError; publish() handles that.
    """
    event_type, schema_version, data = parts(event)
    ids = envelope_of(cause, correlation_id)
    return table_of(event_type)(event_type=event_type, schema_version=schema_version, data=data, event_id=ids.event_id,
                                correlation_id=ids.correlation_id, causation_id=ids.causation_id)


def publish(session, event, *, cause=None, correlation_id=None, diverted_ok=False):
    """Stores an event, and so publishes it when the session commits; returns its envelope.

    Requests no returned row, so an INSERT that the guard diverts to the quarantine
    is no error, and stays there when the session commits.  A caller that needs to
    know gets EventDiverted, which leaves the transaction unchanged: a commit keeps
    the event in the quarantine, a rollback discards it.
    """
    event_type, schema_version, data = parts(event)
    ids = envelope_of(cause, correlation_id)
    table = table_of(event_type).__table__
    result = session.execute(sa.insert(table).inline().values(
        event_type=event_type, schema_version=schema_version, data=data, event_id=ids.event_id,
        correlation_id=ids.correlation_id, causation_id=ids.causation_id), execution_options={"preserve_rowcount": True})
    if result.rowcount == 0 and not diverted_ok:
        raise EventDiverted(f"{event_type} version {schema_version}, event {ids.event_id}: the guard of {table.name} diverted it")
    return ids
