"""The listener: passes the events of the bus to a handler, in order, without loss or repetition.

A notification only wakes it.  It reads the events from the bus's log, so missed
notifications do not matter.  The handler works in the transaction that moves the
consumer's position: both commit, or neither.  Actions of a handler outside the
database (an order sent to a broker) can be repeated after a crash, so they need
a unique key: event_id.

If a handler raises, it is tried again; then the event becomes a dead letter and
the consumer continues.  If the process dies while handling an event, the next
process continues with single events, and this event becomes a dead letter too.
"""

import contextlib
import logging
import time
import uuid
from dataclasses import dataclass
from datetime import datetime

import psycopg
from psycopg.pq import TransactionStatus
from psycopg.rows import namedtuple_row
from psycopg.types.json import Jsonb

CHANNEL = "event_bus"
WAITING = """
SELECT EXISTS (
    SELECT FROM event_bus.log AS l
    WHERE l.position >= c.position AND (l.position > c.position OR upper(l.ids) - 1 > c.event)) AS waiting
FROM event_bus.consumers AS c WHERE c.name = %s"""
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class BusEvent:
    position: int
    relation: str
    id: int
    event_type: str
    schema_version: int  # of data, as passed to the handler
    stored_version: int
    data: object
    event_id: uuid.UUID
    correlation_id: uuid.UUID | None
    causation_id: uuid.UUID | None
    recorded_at: datetime
    problem: str | None  # why it could not be converted to the requested version

    def __str__(self):
        return f"{self.event_type} version {self.stored_version}, {self.relation} id {self.id}, position {self.position}"


@contextlib.contextmanager
def session_on(connection):
    """A SQLAlchemy session for a handler, on its connection.

    It works in the listener's transaction, which the listener ends: commit and
    rollback do nothing here.  Flush before you leave it.  To continue after an
    error, use session.begin_nested(), which is a savepoint as usual.
    """
    import sqlalchemy as sa
    from sqlalchemy import orm

    engine = getattr(connection, "engine", None)
    if engine is None:
        # one for the life of the connection
        engine = connection.engine = sa.create_engine(
            "postgresql+psycopg://", creator=lambda: connection, poolclass=sa.pool.StaticPool, pool_reset_on_return=None,
            use_native_hstore=False)
        engine.dialect.do_commit = engine.dialect.do_rollback = engine.dialect.do_close = lambda _: None
    with orm.Session(engine) as session:
        yield session


class NotReadable(Exception):
    """The event cannot be converted to the version that this consumer reads."""


class Failure(Exception):
    """An event of a batch for which the handler failed; __cause__ is the error."""

    def __init__(self, event, before):
        super().__init__(str(event))
        self.event = event
        self.before = before  # number of events before it in the batch


class Listener:
    """One consumer.

    handler(event, connection)  does the work, on this connection; it neither commits nor rolls back
    start        where a new consumer starts: at the "end" or the "start" of the log
    relations, event_types      the tables and types that a new consumer reads; None is all
    versions     {"TYPE": VERSION} for types to be read in another version than the latest
    batch        events in a transaction
    poll         seconds after which it reads without a notification
    attempts     number of attempts for an event
    pause        seconds before the second try, doubled for each further one
    """

    def __init__(self, conninfo, consumer, handler, *, start="end", relations=None, event_types=None, versions=None,
                 batch=500, poll=5.0, attempts=3, pause=0.5):
        self.conninfo = conninfo
        self.consumer = consumer
        self.handler = handler
        self.start = start
        self.relations = relations
        self.event_types = event_types
        self.versions = Jsonb(versions) if versions is not None else None
        self.batch = batch
        self.poll = poll
        self.attempts = attempts
        self.pause = pause
        self.stopped = False
        self.one_by_one = 0  # number of events to handle one by one
        self.shut_out = False  # whether the server or an administrator ended the connection

    def stop(self, *_):
        """Ends run() after the batch; may be a signal handler."""
        self.stopped = True

    def run(self):
        """Works until stopped; reconnects after the server was unavailable."""
        wait = 0.5
        while not self.stopped:
            try:
                with self.connect() as connection, self.connect() as listening:
                    listening.execute(f"LISTEN {CHANNEL}")
                    if not self.claim(connection):
                        self.sleep(min(self.poll, 1.0))
                        continue
                    self.prepare(connection)
                    log.info("consumer %s works", self.consumer)
                    while not self.stopped:
                        self.catch_up(connection)
                        wait = 0.5
                        self.wait(listening)
            except psycopg.OperationalError as error:
                self.shut_out = isinstance(error, psycopg.errors.AdminShutdown)
                log.warning("consumer %s: %s; trying again in %s s", self.consumer, str(error).strip(), wait)
                self.sleep(wait)
                wait = min(wait * 2, 30.0)

    def connect(self):
        return psycopg.connect(self.conninfo, autocommit=True, row_factory=namedtuple_row,
                               application_name=f"listener {self.consumer}"[:63])

    def sleep(self, seconds):
        until = time.monotonic() + seconds
        while not self.stopped and time.monotonic() < until:
            time.sleep(min(0.2, max(0.0, until - time.monotonic())))

    def wait(self, listening):
        """Waits for a notification, the poll's time, or the stop."""
        until = time.monotonic() + self.poll
        while not self.stopped and (left := until - time.monotonic()) > 0:
            for _ in listening.notifies(timeout=min(left, 0.5), stop_after=1):
                return

    def claim(self, connection):
        """A consumer has one working process; its lock ends with its connection, and another process takes over."""
        connection.execute("SELECT event_bus.add_consumer(%s, %s, %s::regclass[], %s)",
                           [self.consumer, self.start, self.relations, self.event_types])
        return connection.execute(
            "SELECT pg_try_advisory_lock('event_bus.consumers'::regclass::oid::int, number) AS got"
            " FROM event_bus.consumers WHERE name = %s", [self.consumer]).fetchone().got

    def prepare(self, connection):
        """Handles single events if a process died while handling a batch, but not if its connection was ended."""
        if self.shut_out:
            self.shut_out = False
            connection.execute("UPDATE event_bus.consumers SET in_flight = 0, attempts = greatest(attempts - 1, 0)"
                               " WHERE name = %s AND in_flight > 0", [self.consumer])
        state = connection.execute("SELECT in_flight, attempts FROM event_bus.consumers WHERE name = %s",
                                   [self.consumer]).fetchone()
        self.one_by_one = max(state.in_flight, 1 if state.attempts else 0)
        if state.in_flight:
            log.warning("consumer %s: a process ended over %s events; going on one by one", self.consumer, state.in_flight)

    def catch_up(self, connection):
        """Handles all available events."""
        while not self.stopped:
            while connection.execute("SELECT event_bus.advance() AS moved").fetchone().moved:
                pass
            if not self.step(connection):
                break

    def step(self, connection):
        """Handles the next batch; False if there is none."""
        if not connection.execute(WAITING, [self.consumer]).fetchone().waiting:
            self.one_by_one = 0
            return False
        careful = self.one_by_one > 0
        limit = 1 if careful else self.batch
        with connection.transaction():
            # losing this in a crash of the server does no harm
            connection.execute("SET LOCAL synchronous_commit = off")
            row = connection.execute(
                "UPDATE event_bus.consumers SET in_flight = %s, attempts = attempts + %s WHERE name = %s RETURNING attempts",
                [self.one_by_one if careful else limit, int(careful), self.consumer]).fetchone()
        if careful and row.attempts > self.attempts:
            # no process was left to report the reason
            return self.bury(connection, row.attempts - 1, "the process ended while it handled the event")
        try:
            handled = self.handle(connection, limit)
        except Failure as failure:
            if failure.before or not careful:
                # the events before it succeeded: handle these, then this one alone
                log.warning("consumer %s: %s: %s", self.consumer, failure, failure.__cause__)
                self.one_by_one = failure.before + 1
                self.forget_attempts(connection)
                return True
            if row.attempts >= self.attempts or isinstance(failure.__cause__, NotReadable):
                return self.bury(connection, row.attempts, failure.__cause__)
            log.warning("consumer %s: attempt %s: %s: %s", self.consumer, row.attempts, failure, failure.__cause__)
            self.sleep(self.pause * 2 ** (row.attempts - 1))
            return True
        self.one_by_one = max(0, self.one_by_one - 1)
        return handled

    def forget_attempts(self, connection):
        connection.execute("UPDATE event_bus.consumers SET in_flight = 0, attempts = 0 WHERE name = %s", [self.consumer])

    def fetch(self, connection, limit):
        return connection.execute("SELECT * FROM event_bus.fetch(%s, %s, %s)",
                                  [self.consumer, limit, self.versions]).fetchall()

    def handle(self, connection, limit):
        """One transaction: handles up to a number of events, and records that; False if there are none."""
        with connection.transaction():
            rows = self.fetch(connection, limit)
            if not rows:
                return False
            *events, last = rows
            for before, row in enumerate(events):
                event = BusEvent(*row)
                try:
                    self.hand_on(event, connection)
                except Exception as error:
                    if connection.broken:
                        # (a handler may have raised another error from it)
                        while error.__cause__ and not isinstance(error, psycopg.OperationalError):
                            error = error.__cause__
                        if isinstance(error, psycopg.OperationalError):
                            raise error
                        raise psycopg.OperationalError(f"the connection was lost while {event} was handled") from error
                    raise Failure(event, before) from error
            connection.execute("SELECT event_bus.acknowledge(%s, %s, %s)", [self.consumer, last.position, last.id])
        return True

    def hand_on(self, event, connection):
        if event.problem is not None:
            raise NotReadable(event.problem)
        self.handler(event, connection)
        if connection.info.transaction_status == TransactionStatus.INERROR:
            raise RuntimeError("the handler went on after an error of the database; a savepoint is needed for that")

    def bury(self, connection, attempts, why):
        """Makes the next event a dead letter, and continues."""
        with connection.transaction():
            rows = self.fetch(connection, 1)
            if not rows:
                return False
            if len(rows) > 1:
                event = BusEvent(*rows[0])
                error = f"{type(why).__name__}: {why}" if isinstance(why, BaseException) else why
                diag = getattr(why, "diag", None)
                connection.execute(
                    "INSERT INTO event_bus.dead_letters (consumer, position, relation, event, event_type, schema_version,"
                    " error, detail, attempts) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
                    [self.consumer, event.position, event.relation, event.id, event.event_type, event.stored_version,
                     error.replace("\0", ""), diag and diag.message_detail, attempts])
                log.error("consumer %s gave up %s: %s", self.consumer, event, error)
            connection.execute("SELECT event_bus.acknowledge(%s, %s, %s)", [self.consumer, rows[0].position, rows[0].id])
        self.one_by_one = max(0, self.one_by_one - 1)
        return True

    def retry_dead_letters(self):
        """Tries the dead letters again, each in a transaction of its own, the oldest first; (resolved, failed)."""
        resolved = failed = 0
        with self.connect() as connection:
            letters = connection.execute(
                "SELECT id FROM event_bus.dead_letters WHERE consumer = %s AND resolved_at IS NULL"
                " ORDER BY position, event", [self.consumer]).fetchall()
            for letter in letters:
                try:
                    with connection.transaction():
                        taken = connection.execute(
                            "UPDATE event_bus.dead_letters SET resolved_at = now(), attempts = attempts + 1"
                            " WHERE id = %s AND resolved_at IS NULL RETURNING position, relation, event",
                            [letter.id]).fetchone()
                        if taken is None:
                            continue
                        row = connection.execute("SELECT * FROM event_bus.load(%s, %s, %s, NULL, %s)", [
                            [taken.position], [taken.relation], [taken.event], self.versions]).fetchone()
                        if row is not None:  # deleted since then
                            self.hand_on(BusEvent(*row), connection)
                    resolved += 1
                except Exception as error:
                    if connection.broken:
                        raise
                    failed += 1
                    connection.execute(
                        "UPDATE event_bus.dead_letters SET attempts = attempts + 1, error = %s, failed_at = now() WHERE id = %s",
                        [f"{type(error).__name__}: {error}".replace("\0", ""), letter.id])
        return resolved, failed
