"""Shared by the tests of the migrations: counting, the plan, the tools that run it, an application of before 4.2.0, a separate server."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter, defaultdict
from pathlib import Path

HERE = Path(__file__).resolve().parent
TRADING = HERE.parents[2] / "examples" / "trading"
MIGRATIONS = TRADING / "migrations"

MAINTENANCE = os.environ.get("PGDATABASE", "postgres")
EVENT_TABLES = ("discord_events", "market_events", "signal_events", "order_events", "system_events", "ingestion_events")
TABLES = ("discord_channels", "discord_messages", "trade_setups", "parsed_levels", *EVENT_TABLES)

PAUSE = 0.05    # seconds between the rounds of writer and reader

passed = failed = 0


def check(ok, what, detail=""):
    global passed, failed
    if ok:
        passed += 1
    else:
        failed += 1
        print(f"FAILED  {what} -- {str(detail)[:2000]}", flush=True)


def run(command, what, **options):
    """Runs a program that must succeed; returns its output."""
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False, **options)
    check(done.returncode == 0, what, done.stdout[-1000:] + done.stderr[-2000:])
    return done.returncode == 0, done.stdout, done.stderr


# ---------------------------------------------------------------- tools that run the migrations

def changes():
    lines = (MIGRATIONS / "sqitch.plan").read_text(encoding="utf-8").splitlines()
    return [line.split()[0] for line in lines if line.strip() and not line.startswith(("%", "@", "#"))]


def last_of(release):
    return [c for c in changes() if c.startswith(release)][-1]


class Psql:
    """Runs the changes as sqitch does, by psql, without a registry."""

    def __init__(self, database, folder):
        self.database, self.deployed = database, []

    def psql(self, kind, change):
        return run(["psql", "-X", "-q", "-o", os.devnull, "-v", "ON_ERROR_STOP=1", "-d", self.database, "-f", MIGRATIONS / kind / f"{change}.sql"],
                   f"psql: {kind} {change}")

    def deploy(self, change):
        said = ""
        for name in changes():
            if name not in self.deployed:
                ok, _, err = self.psql("deploy", name)
                said += err
                if not ok:
                    break
                self.deployed.append(name)
            if name == change:
                break
        return said

    def verify(self):
        for name in self.deployed:
            self.psql("verify", name)

    def revert(self, change):
        said = ""
        while self.deployed and self.deployed[-1] != change:
            ok, _, err = self.psql("revert", self.deployed[-1])
            said += err
            if not ok:
                break
            self.deployed.pop()
        return said


class Sqitch:
    def __init__(self, database, folder):
        (folder / "sqitch").mkdir()
        self.environment = {**os.environ, "SQITCH_FULLNAME": "Test", "SQITCH_EMAIL": "test@example.com", "HOME": str(folder / "sqitch"),
                            "SQITCH_CONFIG": str(MIGRATIONS / "sqitch.conf"), "LC_ALL": "C.UTF-8"}
        self.target = f"db:pg:{database}"

    def command(self, *arguments):
        return ["sqitch", *arguments, *(["-y"] if arguments[0] == "revert" else []), "--target", self.target], {"cwd": MIGRATIONS, "env": self.environment}

    def sqitch(self, *arguments):
        command, options = self.command(*arguments)
        return run(command, f"sqitch {' '.join(arguments)}", **options)

    def deploy(self, change):
        _, out, err = self.sqitch("deploy", "--to-change", change, "--no-verify")
        return out + err

    def verify(self):
        self.sqitch("verify")

    def revert(self, change):
        _, out, err = self.sqitch("revert", *(["--to-change", change] if change else []))
        return out + err


class Alembic:
    def __init__(self, database, folder):
        self.environment = {**os.environ, "PGDATABASE": database, "PYTHONDONTWRITEBYTECODE": "1"}

    def command(self, *arguments):
        return [sys.executable, "-m", "alembic", "-c", TRADING / "alembic" / "alembic.ini", *arguments], {"env": self.environment}

    def alembic(self, *arguments):
        command, options = self.command(*arguments)
        return run(command, f"alembic {' '.join(arguments)}", **options)

    def deploy(self, change):
        return self.alembic("upgrade", change.replace("-", "_"))[2]

    def verify(self):
        pass    # part of every upgrade

    def revert(self, change):
        return self.alembic("downgrade", change.replace("-", "_") if change else "base")[2]


# ---------------------------------------------------------------- writer and reader of the old columns

def example(event_type, version=1, wanted=lambda data: True):
    """A published sample of an event."""
    samples = json.loads((TRADING / "samples" / f"{event_type}@{version}.json").read_text(encoding="utf-8"))
    return next(s["data"] for s in samples if wanted(s["data"]))


class Clients:
    """Threads of an application that was not changed for the migrations: it only
    has the schema legacy first in its search_path."""

    def __init__(self, database):
        import psycopg
        self.connect = lambda: psycopg.connect(f"dbname={database} options='-c search_path=legacy,public'", autocommit=True)
        self.stop = threading.Event()
        self.waits = defaultdict(float)
        self.errors = []
        self.statements = Counter()
        self.stage = "start"
        self.written = defaultdict(dict)    # table: {id: expected document}
        self.threads = []

    def start(self):
        for body in (self.writer, self.reader):
            thread = threading.Thread(target=self.loop, args=(body,))
            thread.start()
            self.threads.append(thread)

    def end(self):
        self.stop.set()
        for thread in self.threads:
            thread.join()

    def executor(self, name, connection):
        def execute(sql, values=()):
            start = time.monotonic()
            stage = self.stage
            try:
                cursor = connection.execute(sql, values)
                return cursor.fetchall() if cursor.description else None
            except Exception as error:
                self.errors.append(f"{name}, {stage}: {type(error).__name__} {error}")
                return None
            finally:
                took = time.monotonic() - start
                self.waits[stage, name] = max(self.waits[stage, name], took)
                self.statements[name] += 1
        return execute

    def loop(self, body):
        name = body.__name__
        with self.connect() as connection:
            try:
                body(self.executor(name, connection))
            except Exception as error:
                self.errors.append(f"{name}, {self.stage}: {type(error).__name__} {error}")

    def writes(self, execute):
        """A function that inserts into, updates and deletes from each table: call N always does the same."""
        documents = {t: json.dumps(example(e)) for t, e in (
            ("discord_events", "discord.message.create"), ("market_events", "market.trade"), ("signal_events", "trading.signal"),
            ("order_events", "order.placed"), ("system_events", "system.log"), ("ingestion_events", "ingestion.batch"))}
        statements = {
            "discord_events": ("INSERT INTO discord_events (event_type, payload) VALUES ('MESSAGE_CREATE', %s) RETURNING id", "payload"),
            "market_events": ("INSERT INTO market_events (schema_version, data) VALUES (1, %s) RETURNING id", "data"),
            "signal_events": ("INSERT INTO signal_events (event_type, version, event_data) VALUES ('trading.signal', 'v1', %s) RETURNING id", "event_data"),
            "order_events": ("INSERT INTO order_events (event_type, schema_version, data) VALUES ('order.placed', 1, %s) RETURNING id", "data"),
            "system_events": ("INSERT INTO system_events (metadata) VALUES (%s) RETURNING id", "metadata"),
            "ingestion_events": ("INSERT INTO ingestion_events (body) VALUES (%s) RETURNING id", "body"),
        }

        def once(number):
            for table, (insert, column) in statements.items():
                done = execute(insert, (documents[table],))
                if not done:
                    continue
                row = done[0][0]
                if number % 5 == 1:
                    changed = json.dumps({**json.loads(documents[table]), **({"content": "edited"} if table == "discord_events" else {})})
                    execute(f"UPDATE {table} SET {column} = %s, recorded_at = now() WHERE id = %s", (changed, row))
                    self.written[table][row] = changed
                elif number % 5 == 2:
                    execute(f"DELETE FROM {table} WHERE id = %s", (row,))
                else:
                    self.written[table][row] = documents[table]
            message = str(9000000000000000000 + number)
            raw = {**example("discord.message.create"), "id": message}
            if execute("INSERT INTO discord_channels (id, guild_id, name, type) VALUES (%s, '1', 'new', 0)", (message,)) is None:
                pass
            done = execute("INSERT INTO discord_messages (message_id, channel_id, author_id, content, created_at, raw_event) "
                           "VALUES (%s, '1', '2', 'SPY over 500', now(), %s) RETURNING id", (message, json.dumps(raw)))
            if done:
                self.written["discord_messages"][done[0][0]] = json.dumps(raw)
                done = execute("INSERT INTO trade_setups (ticker, setup_date, source_message_id) VALUES ('SPY', current_date, %s) RETURNING id", (message,))
                if done:
                    execute("INSERT INTO parsed_levels (setup_id, level_type, price) VALUES (%s, 'entry', 500)", (done[0][0],))
        return once

    def writer(self, execute):
        once, number = self.writes(execute), 0
        while not self.stop.is_set():
            number += 1
            once(number)
            time.sleep(PAUSE)

    def reader(self, execute):
        queries = ["SELECT id, event_type, payload FROM discord_events ORDER BY id DESC LIMIT 5",
                   "SELECT id, schema_version, data FROM market_events ORDER BY id DESC LIMIT 5",
                   "SELECT id, event_type, version, event_data FROM signal_events ORDER BY id DESC LIMIT 5",
                   "SELECT id, event_type, data, body FROM order_events ORDER BY id DESC LIMIT 5",
                   "SELECT id, metadata FROM system_events ORDER BY id DESC LIMIT 5",
                   "SELECT id, body FROM ingestion_events ORDER BY id DESC LIMIT 5",
                   "SELECT id, message_id, raw_event FROM discord_messages ORDER BY id DESC LIMIT 5",
                   "SELECT s.ticker, l.price FROM trade_setups s JOIN parsed_levels l ON l.setup_id = s.id ORDER BY s.id DESC LIMIT 5"]
        while not self.stop.is_set():
            for query in queries:
                found = execute(query)
                if found is not None and not found:
                    self.errors.append(f"reader, {self.stage}: nothing found by {query}")
            time.sleep(PAUSE)

    def check_written(self, ask, limits, who):
        """The old columns have the written rows, and no other rows with newer ids."""
        columns = {"discord_events": "payload", "market_events": "data", "signal_events": "event_data", "order_events": "data",
                   "system_events": "metadata", "ingestion_events": "body", "discord_messages": "raw_event"}
        for table, rows in self.written.items():
            found = dict(ask(f"SELECT id, {columns[table]}::jsonb FROM public.{table} WHERE id = ANY (%s)", list(rows)))
            wrong = [i for i, document in rows.items() if found.get(i) != json.loads(document)]
            check(not wrong, f"{who}: {table}: the rows written meanwhile are there", f"{len(wrong)} of {len(rows)}: {wrong[:5]}")
            more = ask(f"SELECT count(*) FROM public.{table} WHERE id > %s", limits[table])[0][0] - len(rows)
            check(0 <= more <= 3, f"{who}: {table}: and no others", more)


def generate(database, rows, *options, **more):
    """Fills the tables of 4.0.0; always with the same rows."""
    fill = subprocess.Popen([TRADING / "generate_legacy", str(rows), *map(str, options)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    run(["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", database, "-f", "-"], "the generated rows load", stdin=fill.stdout, **more)
    check(fill.wait() == 0, "the generator fills the database")


class Server:
    """A separate server, which may be killed."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.folder.mkdir(exist_ok=True)
        self.bin = subprocess.run([os.environ.get("EV_PG_CONFIG", "pg_config"), "--bindir"], check=True, capture_output=True, text=True).stdout.strip()
        self.environment = {key: value for key, value in os.environ.items() if not key.startswith("PG")}
        self.environment.update(PGHOST=str(self.folder), PGPORT="5432", PGUSER="postgres", PGDATABASE="postgres",
                                PATH=f"{self.bin}:{os.environ['PATH']}")
        self.program("initdb", "-D", self.folder / "data", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync")
        with open(self.folder / "data" / "postgresql.conf", "a", encoding="utf-8") as conf:
            conf.write(os.environ.get("EV_SERVER_CONF", "") + f"""
listen_addresses = ''
unix_socket_directories = '{self.folder}'
fsync = off
shared_buffers = 64MB
max_wal_size = 2GB
restart_after_crash = on
""")

    def program(self, program, *arguments, **options):
        return subprocess.run([program, *map(str, arguments)], env=self.environment, check=True, capture_output=True, text=True, **options)

    def start(self):
        # processes that outlive the postmaster keep its shared memory for a while
        for attempt in range(60):
            try:
                return self.program("pg_ctl", "-D", self.folder / "data", "-l", self.folder / "log", "-w", "-t", "120", "start")
            except subprocess.CalledProcessError:
                if attempt == 59:
                    print((self.folder / "log").read_text()[-2000:])
                    raise
                time.sleep(0.2)

    def stop(self, mode="immediate"):
        if (self.folder / "data" / "postmaster.pid").exists():
            subprocess.run(["pg_ctl", "-D", str(self.folder / "data"), "-m", mode, "-w", "stop"], env=self.environment, capture_output=True, check=False)

    def connect(self, database="postgres", **options):
        import psycopg
        return psycopg.connect(host=str(self.folder), port=5432, user="postgres", dbname=database, autocommit=True, **options)

    def ready(self):
        for _ in range(600):
            try:
                self.connect().close()
                return
            except Exception:
                time.sleep(0.1)
        raise RuntimeError("the server did not come back")

    def crash(self, how, backend):
        """power: kills all processes at once; backend: kills one, and the server restarts itself; immediate: SIGQUIT for all."""
        if how == "backend":
            witness = self.connect()
            os.kill(backend, signal.SIGKILL)
            # wait until the server has noticed and ended all sessions
            try:
                while True:
                    witness.execute("SELECT pg_sleep(0.05)")
            except Exception:
                witness.close()
        elif how == "immediate":
            self.stop("immediate")
            self.start()
        else:
            postmaster = int((self.folder / "data" / "postmaster.pid").read_text().split()[0])
            children = subprocess.run(["ps", "-o", "pid=", "--ppid", str(postmaster)], capture_output=True, text=True, check=False).stdout.split()
            for pid in (postmaster, *map(int, children)):
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            self.start()
        self.ready()
