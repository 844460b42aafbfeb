"""Publishing by the ORM, and its errors when the database rejects an event."""

import json
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[3] / "examples" / "trading")]

import sqlalchemy as sa  # noqa: E402
from bench import TRADING, Listening, check, sample, wait_for  # noqa: E402
from sqlalchemy import orm  # noqa: E402
from trading_app import tables  # noqa: E402
from trading_app.events import envelope_of, publish, row_of  # noqa: E402
from trading_app.models import TYPES, model_of  # noqa: E402
from trading_app.refusals import EventDiverted, EventRefused, parse_violations, refusal, refusals  # noqa: E402


class Application:
    """The database of the bus, seen by the ORM."""

    def __init__(self, bench):
        self.bench = bench
        self.engine = sa.create_engine(f"postgresql+psycopg:///{bench.name}")
        self.session_of = orm.sessionmaker(self.engine)
        self.order = sample("order.placed")
        self.bad = {**self.order, "side": "by", "qty": -1, "symbol": "aapl"}

    def count(self, name, sql="true"):
        return self.bench.value(f"SELECT count(*) FROM {name} WHERE {sql}")


def classes(app):
    """The classes match the tables."""
    inspector = sa.inspect(app.engine)
    for table in tables.Base.metadata.sorted_tables:
        there = {column["name"]: column["nullable"] for column in inspector.get_columns(table.name, schema=table.schema)}
        check(there == {column.name: bool(column.nullable) for column in table.columns}, f"class and table match: {table.name}", there)
    for path in sorted((TRADING / "extension" / "events").glob("*@1.json")):
        if not path.stem.endswith(".common@1"):
            table = tables.table_of(path.stem[:-2]).__tablename__
            check(table.split("_")[0] in (path.stem.split(".")[0], "signal", "order", "market"), f"{path.stem} has a table", table)
    check(tables.table_of("binance.execution_report") is tables.OrderEvent and tables.table_of("binance.kline") is tables.MarketEvent,
          "the wire's events go where they belong")


def causes(app):
    """Causes and effects."""
    with Listening(app.bench, "application") as listener:
        with app.session_of() as session:
            signal_ids = publish(session, ("trading.signal", 1, sample("trading.signal")))
            first = row_of(("order.placed", 1, app.order), cause=signal_ids)
            session.add(first)
            session.flush()
            publish(session, ("order.filled", 1, sample("order.filled")), cause=first)
            session.commit()
            check(first.id is not None, "a row gets its identity")
        wait_for("the application's events", lambda: len(app.bench.received("application")) >= 3)
        listener.stop()
    got = app.bench.ask("SELECT depth, event_type FROM event_tree(%s)", signal_ids.correlation_id)
    check(got == [(0, "trading.signal"), (1, "order.placed"), (2, "order.filled")], "cause and effect, as a tree", got)
    got = [row[0] for row in app.bench.ask("SELECT event_type FROM received WHERE consumer = 'application' ORDER BY arrival")]
    check(got == ["trading.signal", "order.placed", "order.filled"], "and by the bus", got)
    check(envelope_of(None).correlation_id is not None, "a first event starts a correlation")


def models(app):
    """Every sample that the Pydantic models accept is published."""
    with app.session_of() as session:
        published = 0
        for event_type in TYPES:
            for row in json.loads((TRADING / "samples" / f"{event_type}@1.json").read_text(encoding="utf-8")):
                event = model_of(event_type, 1)(row["data"])
                ids = publish(session, event)
                stored = session.execute(sa.select(tables.table_of(event_type)).filter_by(event_id=ids.event_id)).scalar_one()
                published += (stored.event_type, stored.schema_version) == (event_type, 1)
        session.rollback()
    check(published > len(TYPES), "models are published with their type and version", published)
    try:
        publish(None, object())
        check(False, "a value that is no event is refused")
    except TypeError:
        check(True, "a value that is no event is refused")


def rejected(app):
    """The error of an invalid event, and its fields, as an object."""
    with app.session_of() as session:
        session.add(row_of(("order.placed", 1, app.bad)))
        try:
            session.commit()
            check(False, "an invalid event from the ORM is rejected")
        except sa.exc.IntegrityError as error:
            check(error.orig.sqlstate == "23514" and error.orig.diag.constraint_name is not None, "the ORM raises IntegrityError", error)
            session.rollback()
            refused = refusal(error)
            locations = {violation.location for violation in refused.violations}
            check(refused.reason == "invalid" and {"/side", "/symbol"} <= locations, "it has the locations", refused)
            check("\n  /side: " in str(refused), "and the text has them, too", refused)
        check(refusal(ValueError("x")) is None, "other errors are ignored")
        session.add(row_of(("order.placed", 1, app.order)))
        session.commit()
    check(app.count("order_events", "event_type = 'order.placed'") == 2, "after a rollback the session can be used")


def refusing(app):
    """Events that are refused, or are not valid jsonb."""
    for what, event, reason in (("a version without a schema", ("order.placed", 99, app.order), "unregistered"),
                                ("a type without a schema", ("order.plcaed", 1, app.order), "unregistered")):
        with app.session_of() as session:
            try:
                with refusals():
                    publish(session, event)
                check(False, f"{what} is refused")
            except EventRefused as refused:
                check(refused.reason == reason and refused.hint, f"{what} is refused", refused)
    for what, value in (("U+0000", "a\0b"), ("NaN", float("nan")), ("half a surrogate pair", "\ud83d")):
        with app.session_of() as session:
            try:
                with refusals():
                    publish(session, ("order.placed", 1, {**app.order, "client_order_id": value}))
                check(False, f"{what} is not valid jsonb")
            except EventRefused as refused:
                check(refused.reason == "no json" and refused.message, f"{what} is not valid jsonb", refused)
    deep = {}
    for _ in range(3000):
        deep = {"d": deep}
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(50000)  # the limit of Python
    app.bench.do("SELECT register_event_schema('system.deep', 1, '{\"additionalProperties\": {\"$ref\": \"#\"}}')")
    with app.session_of() as session:
        session.execute(sa.text("SET LOCAL max_stack_depth = '100kB'"))
        try:
            with refusals():
                publish(session, ("system.deep", 1, deep))
            check(False, "a document beyond a limit is refused")
        except EventRefused as refused:
            check(refused.reason == "limit" and refused.__cause__.orig.sqlstate == "54001", "a document beyond a limit is refused", refused)
    sys.setrecursionlimit(limit)
    with app.session_of() as session:
        try:
            with refusals():
                session.execute(sa.text("SELECT 1 / 0"))
            check(False, "other errors are raised unchanged")
        except sa.exc.DataError:
            check(True, "other errors are raised unchanged")


def without_guard(app):
    """The constraint alone, without the guard."""
    app.bench.do("SELECT set_event_guard_mode('order_events', 'off')")
    with app.session_of() as session:
        try:
            with refusals():
                publish(session, ("order.placed", 1, app.bad))
            check(False, "the constraint rejects the event, too")
        except EventRefused as refused:
            check(refused.constraint == "order_events_valid" and refused.violations, "the constraint rejects the event, too", refused.constraint)
    app.bench.do("SELECT set_event_guard_mode('order_events', 'enforce')")


def savepoints(app):
    """One invalid event in a batch, with savepoints."""
    with app.session_of() as session:
        bads = []
        for event in (app.order, app.bad, app.order):
            try:
                with refusals(), session.begin_nested():
                    publish(session, ("order.placed", 1, event))
            except EventRefused as refused:
                bads.append(refused)
        session.commit()
    check(len(bads) == 1 and app.count("order_events", "event_type = 'order.placed'") == 4, "a savepoint keeps the others of a batch")
    violations, more = parse_violations("", '/a/b: must be x, but is "1: 2"\n(document): y\n"/z\\n: 1": w\nand 3 more')
    check([(v.location, v.message) for v in violations] == [("/a/b", 'must be x, but is "1: 2"'), ("", "y"), ("/z\n: 1", "w")] and more == 3,
          "a DETAIL is read", (violations, more))
    violations, more = parse_violations('event "order" version 1 is not valid: /a: y', None)
    check([(v.location, v.message) for v in violations] == [("/a", "y")] and more == 0, "a single violation is read", (violations, more))


def quarantined(app):
    """Quarantine: no row is returned."""
    app.bench.do("SELECT set_event_guard_mode('order_events', 'quarantine')")
    before = app.count("order_events")
    with app.session_of() as session:
        session.add(row_of(("order.placed", 1, app.bad)))
        try:
            session.flush()
            check(False, "a flush that gets no row raises an error")
        except orm.exc.FlushError:
            check(True, "a flush that gets no row raises an error")
        session.rollback()
    check(app.count("event_quarantine") == 0, "and the record is rolled back with the transaction", app.count("event_quarantine"))
    with app.session_of() as session:
        try:
            publish(session, ("order.placed", 1, app.bad))
            check(False, "publish raises an error for a diverted event")
        except EventDiverted as diverted:
            check("order_events" in str(diverted), "publish raises an error for a diverted event", diverted)
        publish(session, ("order.placed", 1, app.bad), diverted_ok=True)
        publish(session, ("order.placed", 1, app.order))
        session.commit()
    check((app.count("order_events") - before, app.count("event_quarantine")) == (1, 2), "the valid event is stored, the invalid ones are in the quarantine",
          (app.count("order_events") - before, app.count("event_quarantine")))


def warned(app):
    """Mode warn: the row is stored if no constraint rejects it."""
    app.bench.do("SELECT set_event_guard_mode('order_events', 'warn')")
    with app.session_of() as session:
        session.add(row_of(("order.placed", 1, app.bad)))
        try:
            session.commit()
            check(False, "warn: the constraint rejects the event")
        except sa.exc.IntegrityError as error:
            check(refusal(error).constraint == "order_events_valid", "warn: the constraint rejects the event", error)
    app.bench.do("ALTER TABLE order_events DROP CONSTRAINT order_events_valid")
    warnings = []
    sa.event.listen(app.engine, "connect", lambda connection, _: connection.add_notice_handler(
        lambda notice: warnings.append(notice.message_primary)))
    app.engine.dispose()
    with app.session_of() as session:
        kept = row_of(("order.placed", 1, app.bad))
        session.add(kept)
        session.commit()
        check(kept.id is not None, "warn: without the constraint the row is stored")
    check(len(warnings) == 1 and "is not valid: /" in warnings[0], "warn: the application gets a warning", warnings)
    app.bench.do("DELETE FROM order_events WHERE id = %s", kept.id)
    app.bench.do("ALTER TABLE order_events ADD CONSTRAINT order_events_valid CHECK (check_event(data, event_type, schema_version, 'order_events_valid'));"
             "SELECT set_event_guard_mode('order_events', 'enforce')")


def dead_letters(app):
    """Dead letters as objects."""
    with app.session_of() as session:
        session.add(tables.DeadLetter(consumer="application", position=1, relation="public.order_events", event=1, error="x", attempts=3))
        session.commit()
        check(session.scalars(sa.select(tables.DeadLetter)).one().resolved_at is None, "dead letters are mapped to objects")


def application(bench):
    """Runs all of them, in this order: later ones count the rows that earlier ones leave."""
    app = Application(bench)
    bench.do("TRUNCATE event_schema.quarantine")
    for part in (classes, causes, models, rejected, refusing, without_guard, savepoints, quarantined, warned, dead_letters):
        part(app)
    app.engine.dispose()
    bench.do("DELETE FROM event_bus.consumers; TRUNCATE received, event_bus.log, event_bus.outbox, event_schema.quarantine")
