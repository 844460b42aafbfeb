"""A database with the event bus, and listeners, for the tests of the bus."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
TRADING = HERE.parents[2] / "examples" / "trading"

SLICES = ("discord", "market", "signal", "order", "system", "ingestion")
LONG = 120  # seconds after which a wait is a failure

passed = failed = 0


def check(ok, what, detail=""):
    global passed, failed
    if ok:
        passed += 1
    else:
        failed += 1
        print(f"FAILED  {what} -- {detail}", flush=True)


def wait_for(what, question, seconds=LONG):
    """Calls the function until it returns true."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if question():
            return True
        time.sleep(0.05)
    check(False, f"waited for: {what}", f"{seconds} s")
    return False


# ---------- the database ----------

# lets the tests' events into every table
ANY_TYPE = "".join(f"ALTER TABLE {name}_events DROP CONSTRAINT {name}_events_type;\n" for name in SLICES)

# the tests' event types, and the table into which listeners write
OURS = """
SELECT register_event_schema('system.test', 1, '{"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}}');
CREATE TABLE received (consumer text NOT NULL, arrival bigint GENERATED ALWAYS AS IDENTITY, "position" bigint, relation text,
    id bigint, event_type text, schema_version int, stored_version int, data jsonb, pid int DEFAULT pg_backend_pid());
CREATE TABLE counter (n bigint NOT NULL);
INSERT INTO counter VALUES (0);
"""


def changes():
    """The migrations in order."""
    plan = (TRADING / "migrations" / "sqitch.plan").read_text(encoding="utf-8")
    return [line.split()[0] for line in plan.splitlines() if line.strip() and not line.startswith(("%", "@", "#"))]


def script(folder, change="4.3.0-bus"):
    return (TRADING / "migrations" / folder / f"{change}.sql").read_text(encoding="utf-8")


def sample(event_type):
    return json.loads((TRADING / "samples" / f"{event_type}@1.json").read_text(encoding="utf-8"))[0]["data"]


class Bench:
    """A database with the bus, and helpers to use it."""

    def __init__(self, database):
        self.database = database
        self.name = database.name

    def connect(self, **arguments):
        import psycopg
        return psycopg.connect(dbname=self.name, **{"autocommit": True, **arguments})

    def ask(self, sql, *values):
        with self.connect() as connection:
            return connection.execute(sql, values or None).fetchall()

    def value(self, sql, *values):
        return self.ask(sql, *values)[0][0]

    def do(self, sql, *values):
        with self.connect() as connection:
            connection.execute(sql, values or None)

    def lag(self, consumer):
        return self.value("SELECT events_behind FROM event_bus.lag WHERE consumer = %s", consumer)

    def received(self, consumer):
        return self.ask("SELECT relation, id FROM received WHERE consumer = %s ORDER BY arrival", consumer)

    def log(self, above=0):
        """All events of the log, in order."""
        return self.ask("SELECT relation, i FROM event_bus.log, unnest(ids) AS r, generate_series(lower(r), upper(r) - 1) AS i"
                        " WHERE position > %s ORDER BY position, i", above)


class Listening:
    """A listener in a process of its own."""

    def __init__(self, bench, consumer, *options, handler="handlers:store"):
        environment = {**os.environ, "PGDATABASE": bench.name, "PYTHONPATH": os.pathsep.join([str(TRADING), str(HERE)]),
                       "PYTHONDONTWRITEBYTECODE": "1"}
        self.log = tempfile.TemporaryFile(mode="w+")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "trading_app.listener", consumer, "--handler", handler, "--start", "start", "--pause", "0.05",
             *options], env=environment, stdout=self.log, stderr=self.log)

    def said(self):
        self.log.seek(0)
        return self.log.read()

    def kill(self):
        """Kills the process with SIGKILL."""
        self.process.kill()
        self.process.wait()

    def stop(self):
        """Stops the process with SIGTERM; returns whether its exit status is 0."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(30) == 0
        except subprocess.TimeoutExpired:
            self.kill()
            return False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.kill()
        self.log.close()


INSERT = "INSERT INTO {} (event_type, schema_version, data) VALUES ('system.test', 1, %s)"
