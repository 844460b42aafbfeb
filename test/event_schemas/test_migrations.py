"""sql: migrations are run forth and back, by psql and by Alembic."""

import contextlib
import io
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

from command import WITH_QTY, check, database, example, expect, write

FUNCTIONS = "SELECT count(*) FROM pg_proc WHERE pronamespace = 'event_schema'::regnamespace"


def psql(database, path):
    done = subprocess.run(["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-d", database.name, "-f", path], capture_output=True, text=True, check=False)
    check(done.returncode == 0 and "ERROR" not in done.stderr, f"psql runs {path}", done.stderr)


def test_plain():
    example()
    with database("es_plain") as db:
        expect(0, "sql", "events", "-o", "made", without_server=True)
        psql(db, "made/event_schemas.up.sql")
        expect(0, "check", "events", says="0 errors, 0 warnings, 0 notes")
        expect(0, "sql", "events", "--missing", says="nothing is missing")
        odd = 'a "b, {c}\\ \n%0A'
        write("events/order.placed@3.json", {**WITH_QTY, "properties": {**WITH_QTY["properties"], odd: {"minLength": 1}}})
        write("events/order.placed@4.json", {**WITH_QTY, "properties": {**WITH_QTY["properties"], odd: {"minLength": 2}}})
        write("events/order.placed@options.json", {"policy": "backward", "lenient": False, "unknown": "warn", "except_formats": ["uuid"], "versions": {
            "2": {"except_formats": ["uuid", "time"]}, "3": {"breaking": True}, "4": {"accept": [f"/properties/{odd}/minLength MIN_LENGTH_INCREASED"]}}})
        said = expect(0, "sql", "events", "--missing", "--name", "third")
        check(said.out.count("register_event_schema") == 2 and "breaking => true" in said.out and "'backward', lenient => false, unknown => 'warn'" in said.out, "only what is missing", said)
        write("third.sql", said.out)
        write("third_down.sql", expect(0, "sql", "events", "--missing", "--down").out)
        psql(db, "third.sql")
        expect(0, "push", "events", says="11 schemas unchanged")
        expect(0, "pull", "pulled")
        check(json.loads(Path("pulled/order.placed@options.json").read_text(encoding="utf-8")) == json.loads(Path("events/order.placed@options.json").read_text(encoding="utf-8").replace('"uuid", "time"', '"time", "uuid"')), "the options are pulled")
        psql(db, "third_down.sql")
        check(db.run("SELECT event_schema.\"order.placed@compatibility\"(), count(*) FROM event_schemas WHERE event_type = 'order.placed'") == ["full_transitive|2"], "the policy is back")
        psql(db, "made/event_schemas.down.sql")
        check(db.run(FUNCTIONS) == ["0"], "nothing is left")
        psql(db, "made/event_schemas.up.sql")
        # formats are not asserted any more, which is another document
        write("events/order.placed@options.json", {"policy": "full_transitive", "assert_format": False})
        expect(2, "sql", "events", "--missing", says='order.placed@2.json: error: "order.placed@2" differs from the one in database')
    write("before/order.placed@1.json", {"type": "string"})
    expect(2, "sql", "events", "--since", "before", says='events/order.placed@1.json: error: "order.placed@1" differs from the one in before/order.placed@1.json', without_server=True)


def test_annotations():
    """What is published can be given other annotations, and gets those before back."""
    example()
    shutil.copytree("events", "before")
    old, definitions = {"properties": {"title": {"title": "x"}, "a": {"default": 1}}, "x-title": {"title": 1}}, "SELECT definition::jsonb FROM event_schemas WHERE event_type = 'annotated'"
    write("before/annotated@1.json", old)
    write("events/annotated@1.json", {**old, "deprecated": True, "properties": {"title": {}, "a": {"description": "a", "default": 2}}})
    with database("es_annotations") as db:
        expect(0, "push", "before")
        published = db.run(definitions)
        write("up.sql", expect(0, "sql", "events", "--since", "before").out)
        write("down.sql", expect(0, "sql", "events", "--since", "before", "--down").out)
        psql(db, "up.sql")
        check(db.run("SELECT deprecated FROM event_schemas WHERE event_type = 'annotated'") == ["t"], "it is deprecated")
        expect(0, "push", "events", says="10 schemas unchanged")
        psql(db, "down.sql")
        check(db.run(definitions) == published, "the annotations before are back", db.run(definitions))
    for other in ({"properties": {"title": {"title": "x"}, "a": {"default": 1}}, "x-title": {"title": 2}}, {"properties": {"a": {"default": 1}}, "x-title": {"title": 1}}):
        write("events/annotated@1.json", other)
        expect(2, "sql", "events", "--since", "before", says='"annotated@1" differs from the one in before', without_server=True)


def test_circle():
    """A circle of more types than a call has arguments for."""
    for number in range(60):
        write(f"events/ring{number}@1.json", {"properties": {"next": {"$ref": f"event:ring{(number + 1) % 60}@1"}}})
    with database("es_circle") as db:
        expect(0, "sql", "events", "-o", "made", without_server=True)
        psql(db, "made/event_schemas.up.sql")
        expect(0, "push", "events", says="60 schemas unchanged")
        psql(db, "made/event_schemas.down.sql")
        check(db.run(FUNCTIONS) == ["0"], "nothing is left")
    write("one/a@1.json", {})
    expect(0, "sql", "one", "--schema", 'x$1y"$2', says="""SELECT "x$1y""$2".register_event_schema('a', 1, '{}')""", without_server=True)


def test_sqitch():
    example()
    with database("es_sqitch") as db:
        db.run("DROP EXTENSION event_validate; CREATE SCHEMA \"The ext\"; CREATE EXTENSION event_validate SCHEMA \"The ext\"")
        expect(0, "sql", "events", "--format", "sqitch", "--schema", "The ext", "-o", ".", "--name", "schemas-1", says="sqitch add schemas-1")
        psql(db, "deploy/schemas-1.sql")
        psql(db, "verify/schemas-1.sql")
        psql(db, "revert/schemas-1.sql")
        check(db.run(FUNCTIONS) == ["0"], "nothing is left")
        done = subprocess.run(["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-d", db.name, "-f", "verify/schemas-1.sql"], capture_output=True, text=True, check=False)
        check(done.returncode != 0, "verify fails without them", done)


ENV = """from alembic import context
if context.is_offline_mode():
    context.configure(url="postgresql+psycopg://", literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()
else:
    with context.config.attributes["engine"].connect() as connection:
        context.configure(connection=connection)
        with context.begin_transaction():
            context.run_migrations()
"""


def test_alembic():
    import sqlalchemy as sa
    from alembic import command
    from alembic.config import Config
    example()
    write("events/quotes@1.json", '{\n"description": "a \\" b \'\'\' \\\\ \\u0041 :name %s %(x)s $1 \\t", "examples": ["\\"\\"\\""]}')
    write("migrations/env.py", ENV)
    Path("migrations/versions").mkdir()
    with database("es_alembic") as db:
        expect(0, "sql", "events", "--format", "alembic", "-o", "migrations/versions")
        said = expect(0, "sql", "events", "--format", "alembic", "--name", "other", "--down-revision", "abc", says="down_revision = 'abc'")
        check(re.search(r"^revision = '[0-9a-f]{12}'$", said.out, re.MULTILINE), "a revision", said)
        output = io.StringIO()
        config = Config(stdout=output, output_buffer=output)
        config.set_main_option("script_location", "migrations")
        engine = sa.create_engine(f"postgresql+psycopg:///{db.name}", poolclass=sa.NullPool)
        config.attributes["engine"] = engine
        command.upgrade(config, "head")
        expect(0, "check", "events", says="0 errors, 0 warnings, 0 notes")
        expect(0, "push", "events", says="10 schemas unchanged")
        command.downgrade(config, "base")
        check(db.run(FUNCTIONS) == ["0"], "Alembic's downgrade leaves nothing")
        with contextlib.redirect_stderr(io.StringIO()):
            command.upgrade(config, "head", sql=True)
        write("offline.sql", output.getvalue())
        db.run("DROP TABLE alembic_version")
        psql(db, "offline.sql")
        expect(0, "push", "events", says="10 schemas unchanged")
    check(not os.path.exists("made"), "nothing else is written")
