"""The handlers of the test's listeners."""

import os

from psycopg.types.json import Jsonb

seen = set()


def store(event, connection):
    """Stores the event, in the transaction that acknowledges it."""
    connection.execute(
        'INSERT INTO received (consumer, "position", relation, id, event_type, schema_version, stored_version, data)'
        " SELECT substr(current_setting('application_name'), 10), %s, %s, %s, %s, %s, %s, %s",
        [event.position, event.relation, event.id, event.event_type, event.schema_version, event.stored_version, Jsonb(event.data)])


def moody(event, connection):
    """Does what the event says."""
    store(event, connection)
    doing = event.data.get("do")
    if doing == "raise":
        raise ValueError("no\0")
    if doing == "sql":
        connection.execute("SELECT 1 / 0")
    if doing == "swallow":
        try:
            connection.execute("SELECT 1 / 0")
        except Exception:
            pass
    if doing == "die":
        os._exit(9)
    if doing == "once" and event.id not in seen:
        seen.add(event.id)
        raise ValueError("not yet")


def ended(event, connection):
    """Its connection is ended four times."""
    store(event, connection)
    if len(seen) < 4:
        seen.add(len(seen))
        try:
            connection.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        except Exception as error:
            if len(seen) % 2:
                raise
            raise RuntimeError("the work could not be done") from error
