"""refusal_of: psycopg, asyncpg, SQLAlchemy; hostile keys; both forms of the DETAIL."""

import asyncio
import json
import os
import random

import asyncpg
import pg8000.dbapi
import psycopg
from checks import check, raised
from session import Database

from event_validate.refusals import Violation, refusal_of, violations_of

KEYS = ["a", 'q"uote', "back\\slash", "new\nline", "colon: space", "and 3 more", "(document)", "", "~", "/", "a~1b", "[", "\u2028", "\u200b", "x" * 100, ": ", '"', "\x7f"]
HOSTILE = {"type": "object", "additionalProperties": False, "properties": {"nested": {"additionalProperties": {"type": "integer"}}}}


def connection(database):
    return psycopg.connect(dbname=database.name, autocommit=True)


def shown_of(connection, document, event_type):
    """What event_violations says: all pairs of location and message."""
    return [(row[0], row[1]) for row in connection.execute("SELECT instance_location, message FROM event_violations(%s, %s, 1)", [json.dumps(document), event_type])]


def test_hostile_keys():
    with Database("extras_keys") as database, connection(database) as client:
        types = ["hostile", 'ev"il" version 7 is not valid: /x', "a: b", "back\\slash"]
        for name in types:
            client.execute("SELECT register_event_schema(%s, 1, %s::text)", [name, json.dumps(HOSTILE)])
        chosen = random.Random(7)
        wrong = []
        for number in range(400):
            document = {chosen.choice(KEYS): 1 for _ in range(chosen.randint(0, 3))} | {"nested": {chosen.choice(KEYS): "x" for _ in range(chosen.randint(1, 9))}}
            name = types[number % len(types)]
            error = raised(lambda: client.execute("SELECT check_event(%s::jsonb, %s, 1)", [json.dumps(document), name]), psycopg.Error)
            found = refusal_of(error)
            expected = shown_of(client, document, name)
            if found is None or found.event_type != name or found.schema_version != 1 or len(found.violations) + found.more != len(expected):
                wrong.append((document, found))
                continue
            for one, (location, message) in zip(found.violations, expected):
                if one.location != location and not one.is_cut or one.message != message:
                    wrong.append((document, one, location, message))
        check(wrong == [], "the parser and event_violations agree about hostile keys and types", wrong[:1])


def test_kinds():
    with Database("extras_kinds") as database, connection(database) as client:
        client.execute("SELECT register_event_schema('order', 1, '{\"type\": \"object\", \"required\": [\"qty\", \"id\"]}')")
        client.execute("CREATE TABLE events (id int PRIMARY KEY, event_type text, schema_version int, data jsonb)")
        client.execute("SELECT add_event_check('events')")

        def insert(*row):
            return refusal_of(raised(lambda: client.execute("INSERT INTO events VALUES (1, %s, %s, %s)", row), psycopg.Error))

        found = insert("order", 1, "{}")
        check(found.constraint == "events_event_check" and [one.location for one in found.violations] == ["", ""] and found.sqlstate == "23514", "a CHECK", found)
        check(found.violations[0].path() == () and "missing" in found.violations[0].message, "a violation of the document", found)
        found = insert("order", 1, None)
        check(found.violations == (Violation("", "its data is null"),) and found.event_type == "order", "an SQL NULL as data", found)
        found = insert(None, 1, "{}")
        check(found.violations == (Violation("", "its type is null"),) and found.event_type is None, "as type", found)
        found = insert("order", None, "{}")
        check(found.violations == (Violation("", "its schema version is null"),) and found.schema_version is None, "as version", found)
        found = insert("order", 9, "{}")
        check(found.sqlstate == "42704" and (found.event_type, found.schema_version) == ("order", 9) and "Registered versions" in found.hint, "an unregistered version", found)
        client.execute("SELECT drop_event_check('events'), add_event_guard('events', 'enforce')")
        found = insert("order", 1, "{}")
        check((found.schema, found.table, found.constraint) == ("public", "events", "order@1"), "a guard", found)
        client.execute("ALTER TABLE events ADD CHECK (id > 5)")
        check(insert("order", 1, '{"qty": 1, "id": 1}') is None, "another CHECK is none of it")
        error = raised(lambda: client.execute("DO $$ BEGIN RAISE EXCEPTION 'x: event \"order\" version 1 is not valid: /a: b' USING ERRCODE = '23514'; END $$"), psycopg.Error)
        check(refusal_of(error) is None and refusal_of(ValueError("event")) is None, "nor is a message that only contains the words")

        async def by_asyncpg():
            there = await asyncpg.connect(database=database.name, host=os.environ.get("PGHOST"), port=os.environ.get("PGPORT"), user=os.environ.get("PGUSER"))
            try:
                await there.execute("INSERT INTO events VALUES (1, 'order', 1, $1)", "{}")
            except asyncpg.PostgresError as error:
                return refusal_of(error)
            finally:
                await there.close()

        mine = insert("order", 1, "{}")
        check(asyncio.run(by_asyncpg()) == mine, "asyncpg: the same", mine)
        host, port = os.environ.get("PGHOST", "localhost"), int(os.environ.get("PGPORT", "5432"))
        where = {"unix_sock": f"{host}/.s.PGSQL.{port}"} if host.startswith("/") else {"host": host, "port": port}
        there = pg8000.dbapi.connect(os.environ.get("PGUSER", "postgres"), database=database.name, **where)
        error = raised(lambda: there.cursor().execute("INSERT INTO events VALUES (1, 'order', 1, '{}')"), pg8000.dbapi.Error)
        there.close()
        check(refusal_of(error) == mine, "pg8000: the same", refusal_of(error))


def test_json():
    """error_format = json."""
    items = [{"instance_location": "/a~1b/0", "keyword": "type", "message": "must be string", "property": None, "expected": "string", "actual": [1]}]
    found, more = violations_of('event "x" version 1 is not valid: y', json.dumps(items))
    check(found == [Violation("/a~1b/0", "must be string", "type", None, "string", [1])] and more == 0, "a DETAIL of JSON", found)
    check(found[0].path({"a/b": ["x"]}) == ("a/b", 0) and found[0].path() == ("a/b", "0"), "the path of a violation", found)
    check(Violation("/xx~.../b", "").is_cut and Violation("/xx~...", "").is_cut and not Violation("/x~0.../...", "").is_cut, "a location with a key that was cut")
    found, more = violations_of('event "x" version 1 is not valid: y', '"/[": must be string\nand 3 more')
    check(found == [Violation("/[", "must be string")] and more == 3, "a text is no JSON", found)
    with Database("extras_json") as database, connection(database) as client:
        client.execute("SELECT register_event_schema('hostile', 1, %s::text)", [json.dumps(HOSTILE)])
        client.execute("SET event_validate.error_format = json")
        for document in ({"nested": {key: "x" for key in KEYS}}, {key: 1 for key in KEYS[:4]}, {"a": 1}):
            error = raised(lambda: client.execute("SELECT check_event(%s::jsonb, 'hostile', 1)", [json.dumps(document)]), psycopg.Error)
            found, expected = refusal_of(error), shown_of(client, document, "hostile")
            check([(one.location, one.message) for one in found.violations] == expected[:len(found.violations)] and len(found.violations) + found.more == len(expected)
                  and all(one.keyword for one in found.violations), "error_format = json", (found, expected))
