"""kill -9 of backends and of the whole server, at random moments under load.

Writers send valid and invalid events through a CHECK, a domain and a guard in each
mode, in transactions of one and of several events, and in prepared transactions.
pgbench reads and writes beside them; replay_event_quarantine, migrate_events,
registrations and switches of modes run all the time.  Each writer keeps a log of
what it sent and of what the server acknowledged.  After each crash the tables must
agree with these logs.

The seed decides what is killed, when, and what each writer sends."""

import contextlib
import json
import os
import random
import signal
import subprocess
import threading
import time
from collections import Counter

import psycopg

from server import Server, rows, say

SETUP = [
    "CREATE EXTENSION event_validate",
    "SELECT register_event_schema('fill', 1, '{\"type\": \"object\", \"required\": [\"id\", \"qty\"], \"properties\": {"
    "\"id\": {\"type\": \"integer\"}, \"qty\": {\"type\": \"integer\", \"minimum\": 1}, \"note\": {\"type\": \"string\", \"pattern\": \"^x*$\"}}}')",
    "SELECT register_event_schema('order', 1, '{\"type\": \"object\", \"additionalProperties\": false, \"required\": [\"id\", \"qty\"], \"properties\": {"
    "\"id\": {\"type\": \"integer\"}, \"qty\": {\"type\": \"integer\"}}}')",
    "SELECT set_event_compatibility('order', 'none')",
    "SELECT register_event_schema('order', 2, '{\"type\": \"object\", \"additionalProperties\": false, \"required\": [\"id\", \"quantity\", \"upcasts\"], \"properties\": {"
    "\"id\": {\"type\": \"integer\"}, \"quantity\": {\"type\": \"integer\"}, \"upcasts\": {\"const\": 1}}}')",
    "CREATE FUNCTION order_1_2(event jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$ SELECT event - 'qty' ||"
    " jsonb_build_object('quantity', event->'qty', 'upcasts', COALESCE((event->>'upcasts')::int, 0) + 1) $$",
    "SELECT register_event_upcast('order', 1, 2, 'order_1_2(jsonb)')",
    "CREATE FUNCTION repaired(stored jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$ SELECT jsonb_set(stored, '{data,qty}', '1000') $$",
    "CREATE TABLE checked (id bigint, data jsonb NOT NULL CONSTRAINT checked_valid CHECK (check_event(data, 'fill', 1, 'checked_valid')))",
    "CREATE INDEX ON checked (id)",
    "CREATE INDEX ON checked (((data->>'qty')::int)) WHERE event_schema.\"fill@1\"(data)",
    "CREATE DOMAIN fill_event AS jsonb CHECK (event_schema.\"fill@1\"(VALUE))",
    "CREATE TABLE typed (id bigint, data fill_event)",
    "CREATE INDEX ON typed (id)",
    *(f"CREATE TABLE {mode} (id bigint, event_type text DEFAULT 'fill', schema_version int DEFAULT 1, data jsonb)" for mode in ("quarantined", "warned", "enforced")),
    *(f"CREATE INDEX ON {mode} (id)" for mode in ("quarantined", "warned", "enforced")),
    "SELECT add_event_guard('quarantined', 'quarantine'), add_event_guard('warned', 'warn'), add_event_guard('enforced', 'enforce')",
    "CREATE TABLE orders (id bigint, event_type text DEFAULT 'order', schema_version int, data jsonb,"
    " CONSTRAINT orders_valid CHECK (check_event(data, event_type, schema_version)))",
    "CREATE INDEX ON orders (id)",
    "CREATE TABLE bench (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, data jsonb CHECK (validate_event(data, 'fill', 1)))",
]

BENCH = """\\set n random(1, 1000)
\\set bad random(1, 4)
INSERT INTO bench (data) SELECT jsonb_build_object('id', :n, 'qty', 1, 'note', repeat('x', :n)) WHERE :bad > 1;
SELECT count(*) FROM bench WHERE id > :n AND id < :n + 20 AND validate_event(data, 'fill', 1);
"""

# what may be killed: of backend types, or the server as a whole
TARGETS = ("server", "server", "postmaster", "client backend", "client backend", "client backend", "checkpointer", "walwriter")


class Writer(threading.Thread):
    """Sends events until its connection fails.  The log has for each id its table, whether it is valid, and what became of it."""

    def __init__(self, server, number, seed, first):
        super().__init__(daemon=True)
        self.server, self.number = server, number
        self.choice = random.Random(seed)
        self.next = first
        self.log = {}           # id: (table, valid, "sent" | "acknowledged" | "refused" | "prepared NAME")
        self.groups = []        # ids that are stored together or not at all
        self.wrong = []
        self.stopping = threading.Event()

    def event(self, refusable):
        self.next += 1
        table = self.choice.choice(("checked", "typed", "quarantined", "quarantined", "warned", "enforced", "orders"))
        valid = self.choice.random() < 0.7 or (table in ("checked", "typed", "enforced") and not refusable)
        if table == "orders":
            return self.next, table, True, {"id": self.next, "qty": self.next % 7}
        data = {"id": self.next, "qty": self.choice.randint(1, 100) if valid else 0, "note": "x" * self.choice.randint(0, 50)}
        return self.next, table, valid, data

    def send(self, session, events):
        for identifier, table, _, data in events:
            if table == "orders":
                session.execute("INSERT INTO orders (id, schema_version, data) VALUES (%s, 1, %s)", (identifier, json.dumps(data)))
            else:
                session.execute(f"INSERT INTO {table} (id, data) VALUES (%s, %s)", (identifier, json.dumps(data)))

    def mark(self, events, fate):
        for identifier, table, valid, _ in events:
            self.log[identifier] = (table, valid, fate)

    def transaction(self, session):
        refusable = self.choice.random() < 0.3
        events = [self.event(refusable) for _ in range(self.choice.choice((1, 1, 1, 2, 5, 20)))]
        prepared = self.choice.random() < 0.05
        self.mark(events, "sent")
        self.groups.append([identifier for identifier, *_ in events])
        refused = any(not valid and table in ("checked", "typed", "enforced") for _, table, valid, _ in events)
        try:
            session.execute("BEGIN")
            self.send(session, events)
            if prepared:
                name = f"p{self.next}"
                session.execute(f"PREPARE TRANSACTION '{name}'")
                self.mark(events, f"prepared {name}")
                if self.choice.random() < 0.5:
                    return
                session.execute(f"COMMIT PREPARED '{name}'")
            else:
                session.execute("COMMIT")
            self.mark(events, "acknowledged")
            if refused:
                self.wrong.append(("not refused", events))
        except psycopg.errors.CheckViolation as error:
            session.execute("ROLLBACK")
            self.mark(events, "refused")
            if not refused:
                self.wrong.append(("refused", events, str(error)))

    def run(self):
        try:
            with contextlib.closing(self.server.connect()) as session:
                session.execute("SET client_min_messages = error")
                while not self.stopping.is_set():
                    self.transaction(session)
        except psycopg.OperationalError:
            pass                # killed
        except psycopg.Error as error:
            self.wrong.append(("error", error.sqlstate, str(error)))


class Repeater(threading.Thread):
    """Runs commands again and again until the connection fails."""

    def __init__(self, server, commands):
        super().__init__(daemon=True)
        self.server, self.commands = server, commands
        self.done = 0
        self.wrong = []
        self.stopping = threading.Event()

    def run(self):
        try:
            with contextlib.closing(self.server.connect()) as session:
                session.execute("SET client_min_messages = error")
                while not self.stopping.is_set():
                    for command in self.commands:
                        session.execute(command)
                        self.done += 1
        except psycopg.OperationalError:
            pass
        except psycopg.Error as error:
            self.wrong.append((self.commands[0], error.sqlstate, str(error)))


BESIDE = [
    ["SELECT * FROM replay_event_quarantine('quarantined', repair => 'repaired(jsonb)', max_rows => 20)"],
    ["CALL migrate_events('orders', 'order', 2, batch_size => 50)"],
    ["SELECT register_event_schema('other', 1, '{\"properties\": {\"a\": {\"pattern\": \"^(a|b)*c\"}}}')", "SELECT validate_event('{\"a\": 1}', 'other', 1)",
     "SELECT drop_event_schema('other', 1)", "SELECT count(*) FROM audit_events('warned')"],
]


class Crashes:
    def __init__(self, tally, folder, options):
        self.tally, self.options = tally, options
        self.rounds = options.rounds
        self.server = Server(folder, settings="max_wal_size = 64MB\nmin_wal_size = 32MB\ncheckpoint_timeout = 30s\nautovacuum_naptime = 1s\n"
                                              "max_connections = 40\nevent_validate.log_violations = off\nlog_min_messages = fatal\ndeadlock_timeout = 100ms")
        self.log = {}
        self.groups = []
        self.kills = Counter()

    def processes(self, kind):
        return [pid for pid, in self.server.rows("SELECT pid FROM pg_stat_activity WHERE backend_type = %s AND pid <> pg_backend_pid() ORDER BY pid", (kind,))]

    def kill(self, target, choice):
        if target == "server":
            # all processes at once, as when a machine loses its power, but for its disk
            family = [pid for pid, in self.server.rows("SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()")]
            self.server.kill()
            for pid in family:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            return
        if target == "postmaster":
            self.server.kill()
            return
        victims = self.processes(target)
        if victims:
            os.kill(choice.choice(victims), signal.SIGKILL)

    def run_round(self, number):
        choice = random.Random(f"{self.options.seed}/{number}")
        target = choice.choice(TARGETS) if number > 1 else "server"
        delay = choice.uniform(0.3, 3.0 if self.options.long else 1.0)
        writers = [Writer(self.server, i, f"{self.options.seed}/{number}/{i}", (number * 10 + i) * 1_000_000) for i in range(4)]
        beside = [Repeater(self.server, commands) for commands in BESIDE]
        bench = subprocess.Popen([f"{self.server.bin}/pgbench", "-n", "-c", "3", "-T", "60", "-f", str(self.server.folder / "bench.sql")],
                                 env=self.server.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        log_size = self.server.log_size()
        for thread in writers + beside:
            thread.start()
        time.sleep(delay)
        before = self.server.one("SELECT clock_timestamp()")
        self.kill(target, choice)
        time.sleep(0.1)
        for thread in writers + beside:
            thread.stopping.set()
        for thread in writers + beside:
            thread.join(60)
        bench.terminate()
        bench.wait()
        start = time.monotonic()
        if target in ("server", "postmaster"):
            self.server.start()
        self.server.await_answer()
        recovery = time.monotonic() - start
        for writer in writers:
            self.log.update(writer.log)
            self.groups += writer.groups
        self.kills[target] += 1
        what = f"round {number}, {target} after {delay:.2f} s"
        self.tally.equal([wrong for thread in writers + beside for wrong in thread.wrong], [], f"{what}: no session got a wrong answer")
        self.check_round(what, before)
        self.tally.equal(self.server.worst(log_size), [], f"{what}: the log")
        fates = Counter(fate.split()[0] for writer in writers for _, _, fate in writer.log.values())
        say(f"crashes: {what}: sent {sum(fates.values())}, acknowledged {fates['acknowledged']}, refused {fates['refused']}, prepared {fates['prepared']},"
            f" unknown {fates['sent']}; beside {'/'.join(str(thread.done) for thread in beside)}; {self.figures}; recovery {recovery:.1f} s")

    def stored(self):
        """{table: Counter of ids}, and the ids in the quarantine: {(table, kept): Counter}"""
        tables = {table: Counter(dict(self.server.rows(f"SELECT id, count(*) FROM {table} GROUP BY id")))
                  for table in ("checked", "typed", "quarantined", "warned", "enforced", "orders")}
        quarantine = {}
        for table, kept, identifier, count in self.server.rows("SELECT relation_name, kept, (row->>'id')::bigint, count(*) FROM event_quarantine GROUP BY 1, 2, 3"):
            quarantine.setdefault((table, kept), Counter())[identifier] = count
        return tables, quarantine

    def check_round(self, what, crashed_at):
        # what was prepared is there after the crash, and can be committed
        for name, in self.server.rows("SELECT gid FROM pg_prepared_xacts"):
            self.server.execute(f"COMMIT PREPARED '{name}'")
        tables, quarantine = self.stored()
        wrong = []
        present = set()
        for identifier, (table, valid, fate) in self.log.items():
            rows_there, diverted = tables[table][identifier], quarantine.get((table, False), Counter())[identifier]
            kept = quarantine.get((table, True), Counter())[identifier]
            if rows_there + diverted > 0:
                present.add(identifier)
            must = fate == "acknowledged" or fate.startswith("prepared")
            # once, if the server said so; once or not at all, if it said nothing
            right = rows_there + diverted in ((1,) if must else (0,) if fate == "refused" else (0, 1))
            if valid:
                right = right and diverted == kept == 0
            elif table == "warned":
                right = right and kept == rows_there and diverted == 0
            elif table != "quarantined":
                right = right and rows_there == diverted == kept == 0
            if not right:
                wrong.append((identifier, table, valid, fate, rows_there, diverted, kept))
        self.tally.equal(wrong[:10], [], f"{what}: {len(wrong)} events are lost, twice, or where they do not belong")
        broken = [group for group in self.groups if 0 < len(present.intersection(group)) < len(group)]
        self.tally.equal(broken[:3], [], f"{what}: {len(broken)} transactions are there in part")
        total = sum(sum(ids.values()) for ids in tables.values()) + sum(sum(ids.values()) for (_, kept), ids in quarantine.items() if not kept)
        self.tally.equal(total, len(present), f"{what}: tables and quarantine have only events that were sent, each once")
        self.tally.equal(self.server.rows(
            "SELECT (SELECT count(*) FROM checked WHERE NOT validate_event(data, 'fill', 1)), (SELECT count(*) FROM typed WHERE NOT validate_event(data, 'fill', 1)),"
            " (SELECT count(*) FROM enforced WHERE NOT validate_event(data, event_type, schema_version)),"
            " (SELECT count(*) FROM quarantined WHERE NOT validate_event(data, event_type, schema_version)),"
            " (SELECT count(*) FROM orders WHERE NOT validate_event(data, event_type, schema_version)),"
            " (SELECT count(*) FROM event_quarantine WHERE validate_event(row->'data', event_type, schema_version)),"
            " (SELECT count(*) FROM bench WHERE NOT validate_event(data, 'fill', 1)),"
            " (SELECT count(*) FROM orders WHERE id % 7 <> COALESCE(data->>'qty', data->>'quantity')::int)"), [(0,) * 8], f"{what}: what is stored is valid")
        if crashed_at is not None:
            self.tally.check(self.server.one("SELECT reset_at FROM event_validation_stats_info") >= crashed_at, f"{what}: statistics start anew")
        indexes = self.check_storage(what)
        self.figures = (f"{sum(map(lambda c: sum(c.values()), tables.values()))} rows, {sum(quarantine.get(('quarantined', False), Counter()).values())} in the quarantine,"
                        f" {indexes} indexes")

    def check_storage(self, what):
        """amcheck of all indexes and tables; returns how many indexes it has looked at."""
        if not self.has_amcheck:
            return "no checked"
        indexes = self.server.rows("SELECT c.oid::regclass::text, bt_index_check(c.oid, true) FROM pg_class AS c JOIN pg_index AS i ON i.indexrelid = c.oid"
                                   " JOIN pg_am AS a ON a.oid = c.relam WHERE a.amname = 'btree' AND c.relpersistence = 'p' AND c.oid >= 16384")
        heaps = self.server.rows("SELECT c.oid::regclass::text, v.msg FROM pg_class AS c, verify_heapam(c.oid) AS v WHERE c.relkind = 'r' AND c.oid >= 16384")
        self.tally.check(indexes, f"{what}: amcheck found indexes")
        self.tally.equal(heaps, [], f"{what}: amcheck of the tables")
        return len(indexes)

    def run(self):
        (self.server.folder / "bench.sql").write_text(BENCH, encoding="utf-8")
        self.server.start()
        try:
            self.server.execute(*SETUP)
            self.has_amcheck = self.server.rows("SELECT 1 FROM pg_available_extensions WHERE name = 'amcheck'") != []
            if self.has_amcheck:
                self.server.execute("CREATE EXTENSION amcheck")
            else:
                say("crashes: indexes and tables are not checked, since this PostgreSQL has no amcheck")
            for number in range(1, self.rounds + 1):
                self.run_round(number)
            # what is left goes its way
            self.server.execute("CALL migrate_events('orders', 'order', 2)", "SELECT * FROM replay_event_quarantine('quarantined', repair => 'repaired(jsonb)', max_rows => 1000000)")
            self.tally.equal(self.server.rows("SELECT (SELECT count(*) FROM orders WHERE schema_version <> 2), (SELECT count(*) FROM event_quarantine WHERE NOT kept)"), [(0, 0)],
                             "at the end all orders are migrated and the quarantine is empty")
            self.check_round("at the end", None)
            say("crashes: killed " + ", ".join(f"{target} {count}" for target, count in sorted(self.kills.items())))
        finally:
            self.server.stop("immediate")
