"""EventCheck, EventData and declare_event_schema: create_all, copies, errors, two drivers."""

import asyncio

import sqlalchemy as sa
from checks import ORDER, check, raised, url
from session import Database
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from event_validate.sqlalchemy import Constant, EventCheck, EventData, declare_event_schema, refusal_of


def models(extension_schema=None):
    class Base(DeclarativeBase):
        metadata = sa.MetaData(naming_convention={"ck": "ck_%(table_name)s_%(constraint_name)s"})

    class Mixin:
        id: Mapped[int] = mapped_column(sa.BigInteger, sa.Identity(), primary_key=True)
        payload: Mapped[dict] = mapped_column(EventData("order:placed", 1, extension_schema=extension_schema))

    class Event(Base):
        __tablename__ = "events"
        __table_args__ = (EventCheck(extension_schema=extension_schema),)
        id: Mapped[int] = mapped_column(sa.BigInteger, sa.Identity(), primary_key=True)
        event_type: Mapped[str] = mapped_column(sa.Text)
        schema_version: Mapped[int]
        data: Mapped[dict] = mapped_column(JSONB)

    class Odd(Base):
        __tablename__ = "Odd table"
        __table_args__ = (EventCheck("Data", "user", Constant(1), types=["order:placed", "it's", 'q"\\'], name="Odd: check", extension_schema=extension_schema),)
        id: Mapped[int] = mapped_column(sa.BigInteger, sa.Identity(), primary_key=True)
        kind: Mapped[str] = mapped_column("user", sa.Text)
        data: Mapped[dict] = mapped_column("Data", JSONB)

    class Order(Mixin, Base):
        __tablename__ = "orders"

    declare_event_schema(Base.metadata, "order:placed", 1, ORDER, extension_schema=extension_schema)
    return Base, Event, Odd, Order


def test_create_all():
    Base, Event, Odd, Order = models()
    with Database("extras_sa") as database:
        engine = sa.create_engine(url(database, "psycopg"))
        Base.metadata.create_all(engine)
        found = database.run("SELECT relation::text, name, data_expr, type_expr, version_expr, types, validated, problem FROM event_enforcement ORDER BY relation::text COLLATE \"C\"")
        expected = ['"Odd table"|Odd: check|"Data"|"user"|1|{order:placed,it\'s,"q\\"\\\\"}|t|', "events|events_event_check|data|event_type|schema_version||t|",
                    "orders|orders_payload_event_check|payload|'order:placed'::text|1||t|"]
        check(found == expected, "create_all makes checks that the extension understands", found)
        check(database.run("SELECT event_type, schema_version FROM event_schemas") == ["order:placed|1"], "and registers the declared versions")
        Base.metadata.create_all(engine)
        with Session(engine) as session:
            session.add_all([Event(event_type="order:placed", schema_version=1, data={"qty": 1, "note": "a:b"}), Order(payload={"qty": 2}), Odd(kind="other", data={})])
            session.commit()
            for row, name in ((Event(event_type="order:placed", schema_version=1, data={"qty": 0}), "events_event_check"),
                              (Order(payload={"qty": "x"}), "orders_payload_event_check"), (Odd(kind="order:placed", data={"qty": 0}), "Odd: check")):
                session.add(row)
                found = refusal_of(raised(session.commit, sa.exc.IntegrityError))
                check(found is not None and found.constraint == name and found.violations[0].location == "/qty", f"refusal_of, psycopg: {name}", found)
                session.rollback()
        database.run("INSERT INTO \"Odd table\" (\"user\", \"Data\") VALUES ('it''s not', '{}')")
        # add_event_check takes such a check for the same
        for table, types in (("events", ""), ('"Odd table"', "")):
            names = database.run(f"SELECT count(*) FROM pg_constraint WHERE conrelid = '{table}'::regclass AND contype = 'c'")
            check(names == ["1"], "one check", (table, names, types))
        check(database.run("SELECT add_event_check('events')") == ["events_event_check"] and
              database.run("SELECT count(*) FROM pg_constraint WHERE conrelid = 'events'::regclass AND contype = 'c'") == ["1"], "add_event_check finds the check")
        check(database.run("""SELECT add_event_check('"Odd table"', 'Data', 'user', '1', types => '{order:placed}')""") == ["Odd: check"], "also one with types")
        engine.dispose()

        async def by_asyncpg():
            there = create_async_engine(url(database, "asyncpg"))
            try:
                async with there.begin() as client:
                    await client.run_sync(Base.metadata.drop_all)
                    await client.run_sync(Base.metadata.create_all)
                async with there.begin() as client:
                    await client.execute(sa.insert(Event).values(event_type="order:placed", schema_version=1, data={"qty": 0, "note": "x"}))
            except sa.exc.IntegrityError as error:
                return refusal_of(error)
            finally:
                await there.dispose()

        found = asyncio.run(by_asyncpg())
        check(found is not None and {one.location for one in found.violations} == {"/qty", "/note"} and found.constraint == "events_event_check", "refusal_of, SQLAlchemy with asyncpg", found)


def test_copies():
    Base, *_ = models()
    copied = sa.MetaData()
    for table in Base.metadata.sorted_tables:
        table.to_metadata(copied)
    one, other = ({str(sa.schema.CreateTable(metadata.tables[name]).compile(dialect=sa.dialects.postgresql.dialect())) for name in metadata.tables} for metadata in (Base.metadata, copied))
    check(one == other and all(text.count("check_event(") == 1 for text in one), "to_metadata copies a check once", (one, other))
    check(isinstance(raised(lambda: sa.Table("t", sa.MetaData(), sa.Column("data", JSONB, EventCheck())), TypeError), TypeError), "EventCheck belongs to a table")
    check(isinstance(raised(lambda: declare_event_schema(Base.metadata, "order:placed", 1, {}), ValueError), ValueError), "a version is declared once")


def test_schema_of_the_extension():
    Base, Event, *_ = models("ev: ext")
    with Database("extras_sa_ext") as database:
        database.run('DROP EXTENSION event_validate; CREATE SCHEMA "ev: ext"; CREATE EXTENSION event_validate SCHEMA "ev: ext"')
        engine = sa.create_engine(url(database, "psycopg"))
        Base.metadata.create_all(engine)
        with Session(engine) as session:
            session.add(Event(event_type="order:placed", schema_version=1, data={}))
            check(refusal_of(raised(session.commit, sa.exc.IntegrityError)) is not None, "the extension in a schema that is not in the search_path")
        engine.dispose()
