"""The server is killed in each change of the migration, and the change is repeated; and pg_upgrade."""

import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from common import MIGRATIONS, TABLES, TRADING, Clients, Server, changes, check, example, generate, last_of, run


class OwnServer:
    """A test with its own server, which has a database of 4.0.0."""

    database = "trading"
    rows = 2000

    def __init__(self, points):
        self.points = points

    def main(self):
        with tempfile.TemporaryDirectory() as folder:
            self.folder = Path(folder)
            self.server = Server(self.folder / "a")
            try:
                self.server.start()
                self.server.program("createdb", self.database)
                self.psql("deploy", changes()[0])
                generate(self.database, self.rows, env=self.server.environment)
                with self.server.connect(self.database) as db:
                    db.execute("ANALYZE")
                    self.limits = {t: db.execute(f"SELECT max(id) FROM public.{t}").fetchone()[0] for t in TABLES if t != "discord_channels"}
                self.first = self.contents()
                self.test()
            finally:
                self.end()

    def end(self):
        self.server.stop()

    def ask(self, sql, *values):
        with self.server.connect(self.database) as db:
            return db.execute(sql, values or None).fetchall()

    def psql(self, kind, change):
        return run(["psql", "-X", "-q", "-o", os.devnull, "-v", "ON_ERROR_STOP=1", "-d", self.database, "-f", MIGRATIONS / kind / f"{change}.sql"],
                   f"{self.name}: {kind} {change}", env=self.server.environment)

    def verify(self, last, what):
        for change in changes()[:changes().index(last) + 1]:
            self.psql("verify", change)

    def contents(self):
        """Count and checksum of the rows of the beginning."""
        return {t: self.ask(f"SELECT count(*), sum(hashtextextended(t::text, 0)) FROM public.{t} AS t "
                            + ("WHERE id NOT LIKE '9000000000%%'" if t == "discord_channels" else "WHERE id <= %s"),
                            *([self.limits[t]] if t in self.limits else []))[0] for t in TABLES}

    def kept(self):
        """The rows that were moved and repaired, with the reasons: always the same."""
        return self.ask(" UNION ALL ".join(f"SELECT '{t}', id::text, kept_as, kept_why, md5(repaired::text) FROM before_4_1_0.{t}" for t in TABLES)
                        + " ORDER BY 1, 2")

    def outcome(self):
        return self.ask("SELECT relation, id, how FROM trading_migration.outcome ORDER BY 1, 2")


class Crashes(OwnServer):
    """Each change is started and killed: in its longest statement, and between any
    two; after each kill an application of before 4.2.0 continues to write, and the
    change runs again to its end; and then once more, as by a tool that was killed
    before it recorded the change."""

    name = "crashes"
    ways = ("power", "backend", "immediate")
    # these run in one transaction
    one_transaction = ("4.1.0-helpers", "4.2.0-extensions", "4.3.0-views")

    def statements(self, kind, change):
        import pglast
        return pglast.split((MIGRATIONS / kind / f"{change}.sql").read_text(encoding="utf-8"))

    def rehearse(self):
        """The time of each statement, and the outcome for the rows, without a crash."""
        self.took = {}
        with self.server.connect() as db:
            db.execute(f"CREATE DATABASE rehearsal TEMPLATE {self.database}")
        names = changes()[1:]
        for kind, change in [("deploy", c) for c in names] + [("revert", c) for c in names[::-1]]:
            with self.server.connect("rehearsal") as db:
                for number, statement in enumerate(self.statements(kind, change)):
                    start = time.monotonic()
                    db.execute(statement, prepare=False)
                    self.took[kind, change, number] = time.monotonic() - start
            if (kind, change) == ("deploy", last_of("4.2.0")):
                name, self.database = self.database, "rehearsal"
                self.expected = self.kept(), self.outcome()
                self.database = name
        with self.server.connect() as db:
            db.execute("DROP DATABASE rehearsal")

    def kill(self, kind, change, number, way):
        """Runs the statements before that one, and kills the server in the middle of it."""
        statements = self.statements(kind, change)
        # the rehearsal may have been slower
        delay = self.took[kind, change, number] * self.random.choice((0.5, 0.2, 0.05))
        db = self.server.connect(self.database)
        done = False

        def work():
            nonlocal done
            try:
                for statement in statements[:number]:
                    db.execute(statement, prepare=False)
                started.set()
                db.execute(statements[number], prepare=False)
                done = True
            except Exception as error:
                problems.append(error)
            started.set()

        started, problems = threading.Event(), []
        thread = threading.Thread(target=work)
        thread.start()
        started.wait()
        time.sleep(delay)
        early = list(problems)
        self.server.crash(way, db.info.backend_pid)
        thread.join()
        check(not early, f"{self.name}: {kind} {change} runs until it is killed", early)
        db.close()
        self.killed += not done

    def write(self):
        """The application continues."""
        self.number += 1
        with self.server.connect(self.database, options="-c search_path=legacy,public") as db:
            self.clients.writes(self.clients.executor("writer", db))(self.number)

    def change(self, kind, change):
        count = len(self.statements(kind, change))
        longest = max(range(count), key=lambda n: self.took[kind, change, n])
        places = [longest] + [self.random.randrange(count) for _ in range(self.points - 1)]
        for place in places[:self.points]:
            self.clients.stage = f"{kind} {change}, killed in statement {place + 1} of {count}"
            self.kill(kind, change, place, self.ways[self.kills % len(self.ways)])
            self.kills += 1
            self.write()
        if kind == "deploy" and change not in self.one_transaction:
            # reverted, and deployed again later
            self.clients.stage = f"{change}, given up"
            self.psql("revert", change)
            self.write()
            if change == "4.2.0-switch":
                # (the new tables do not exist any more)
                self.psql("revert", "4.2.0-fill")
                self.psql("deploy", "4.2.0-fill")
        self.psql(kind, change)
        self.clients.stage = f"{kind} {change}, again"
        self.psql(kind, change)
        self.write()

    def test(self):
        self.rehearse()
        self.random = random.Random(7)
        self.clients = Clients("unused")
        self.number = self.kills = self.killed = 0
        names = changes()[1:]
        for change in names:
            self.change("deploy", change)
            if change in (last_of("4.1.0"), last_of("4.2.0"), last_of("4.3.0")):
                self.verify(change, change)
            if change == last_of("4.2.0"):
                kept, outcome = self.kept(), self.outcome()
                check(kept == self.expected[0], f"{self.name}: the same rows are moved and repaired, for the same reasons", set(kept) ^ set(self.expected[0]))
                check(set(self.expected[1]) <= set(outcome), f"{self.name}: the same documents are upcast and set aside", set(self.expected[1]) - set(outcome))
        for change in names[::-1]:
            self.change("revert", change)
            if change in (names[names.index(last_of("4.2.0")) + 1], names[names.index(last_of("4.1.0")) + 1]):
                self.verify(names[names.index(change) - 1], f"reverted {change}")
        check(self.killed > 0, f"{self.name}: the server was killed within statements", f"{self.killed} of {self.kills}")
        check(not self.clients.errors, f"{self.name}: the application got no error", self.clients.errors[:3])
        after = self.contents()
        for table in TABLES:
            check(after[table] == self.first[table], f"{self.name}: {table}: every row is as before", f"{self.first[table]} before, {after[table]} after")
        self.clients.check_written(self.ask, self.limits, self.name)
        left = self.ask("SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_|^information_schema$|^public$'")
        check(not left, f"{self.name}: the migrations leave no objects", left)
        print(f"crashes: {self.kills} kills, {self.killed} of them in the middle of a statement", flush=True)


class Upgrade(OwnServer):
    """pg_upgrade of the whole database with the bus: the consumers' positions, guards and checks, and the revert."""

    name = "upgrade"

    def end(self):
        self.server.stop()
        if hasattr(self, "new"):
            self.new.stop()

    def listen(self, handled):
        """The events that a listener delivers, up to that number."""
        environment = {**self.server.environment, "PGDATABASE": self.database, "PYTHONPATH": str(TRADING), "PYTHONDONTWRITEBYTECODE": "1"}
        listener = subprocess.Popen([sys.executable, "-m", "trading_app.listener", "watcher", "--start", "start", "--poll", "0.2"],
                                    env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        events, stopped = [], threading.Timer(30, listener.terminate)
        stopped.start()
        while len(events) < handled and (line := listener.stdout.readline()):
            events.append(json.loads(line))
        if len(events) == handled:
            # wait until it has acknowledged them
            for _ in range(100):
                if self.ask("SELECT events_behind FROM event_bus.lag WHERE consumer = 'watcher'") == [(0,)]:
                    break
                time.sleep(0.1)
        listener.terminate()
        listener.wait()
        stopped.cancel()
        return events

    def test(self):
        if "extension_control_path" in os.environ.get("EV_SERVER_CONF", ""):
            print(f"{self.name}: not tried, since pg_upgrade loads only libraries in $libdir (make check-upgrade runs it)")
            return
        for change in changes()[1:]:
            self.psql("deploy", change)
        signal = json.dumps(example("trading.signal"))
        insert = "INSERT INTO signal_events (event_type, schema_version, data) VALUES ('trading.signal', 1, %s) RETURNING id"
        ids = [self.ask(insert, signal)[0][0] for _ in range(3)]
        check([e["id"] for e in self.listen(3)] == ids, f"{self.name}: the bus works before the upgrade")
        ids = [self.ask(insert, signal)[0][0] for _ in range(2)]
        everything = {t: self.ask(f"SELECT count(*), sum(hashtextextended(t::text, 0)) FROM public.{t} AS t") for t in TABLES}

        self.new = Server(self.folder / "b")
        self.server.stop("fast")
        work = self.folder / "work"
        work.mkdir()
        done = subprocess.run([f"{self.new.bin}/pg_upgrade", "--no-sync", "-U", "postgres", "-d", str(self.server.folder / "data"), "-D", str(self.new.folder / "data"),
                               "-b", self.server.bin, "-B", self.new.bin, "-s", str(self.folder)],
                              env=self.new.environment, cwd=work, capture_output=True, text=True, check=False)
        check(done.returncode == 0, f"{self.name}: pg_upgrade", done.stdout[-1500:] + done.stderr[-500:])
        if done.returncode:
            return
        self.server = self.new
        self.server.start()
        self.verify(changes()[-1], "upgraded")
        after = {t: self.ask(f"SELECT count(*), sum(hashtextextended(t::text, 0)) FROM public.{t} AS t") for t in TABLES}
        check(after == everything, f"{self.name}: every row is there", (everything, after))
        ids.append(self.ask(insert, signal)[0][0])
        heard = [e["id"] for e in self.listen(3)]
        check(heard == ids, f"{self.name}: the listener continues at its position, with events of before and after the upgrade", (heard, ids))
        import psycopg
        for table, document in (("signal_events", "{}"), ("order_events", '{"symbol": 1}')):
            try:
                self.ask(f"INSERT INTO {table} (event_type, schema_version, data) VALUES (%s, 1, %s)", {"signal_events": "trading.signal", "order_events": "order.placed"}[table], document)
                check(False, f"{self.name}: {table} rejects invalid events", "accepted")
            except psycopg.Error as error:
                check(error.sqlstate == "23514", f"{self.name}: {table} rejects invalid events", error)
        found = self.ask("SELECT count(*) FROM analytics.signals WHERE schema_version = 1")[0][0]
        check(found > 0, f"{self.name}: the typed views have rows", found)
        for change in changes()[:0:-1]:
            self.psql("revert", change)
        after = self.contents()
        check(after == self.first, f"{self.name}: reverted to 4.0.0, every row is as before", (self.first, after))
