#!/usr/bin/env python3
"""Measures the trading database before and after its migrations; measure starts it, with a server.

Two databases on one server: the one that generate_legacy fills (4.0.0), and a
copy of it, migrated.  Both are queried like the application: by psycopg 3, on
one connection each, which prepares a statement after its fifth execution.  Each
query runs on both in turns, with the same parameters, so that other load on the
machine affects both.  Its text differs only by the names of columns.  A first
pass over all parameters does not count: it warms the caches and settles the
plans.  The results are compared: a row that only one of the two gives has to be one that the
migrations say they moved or repaired.

    report.py --output FOLDER [--messages N] ...   writes FOLDER/trading-report.csv, .md, .svg and -plans.txt
    report.py --document FOLDER                    writes the tables of FOLDER/trading-report.md anew, between
                                                   their marks, and the chart, from FOLDER/trading-report.csv

Finds the server by the usual PG... variables, as a superuser.  Needs psql and
psycopg 3: the one that is installed, if it is compiled; else that of
requirements.txt, fetched on the first run; else Debian's python3-psycopg.
"""

import argparse
import csv
import gc
import hashlib
import json
import logging
import math
import os
import platform
import random
import re
import signal
import statistics
import subprocess
import sys
import time
from datetime import timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path

sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
TRADING = HERE.parent
ROOT = TRADING.parents[1]
sys.path[:0] = [str(ROOT / "test" / "bench"), str(ROOT / "test" / "lib")]

import document  # noqa: E402
import tools  # noqa: E402

try:
    import psycopg
    from psycopg.sql import Literal
    from psycopg.types.json import Jsonb, set_json_loads
    from psycopg.types.numeric import Int8
except ImportError:
    psycopg = None

EVENT_TABLES = ("discord_events", "market_events", "signal_events", "order_events", "system_events", "ingestion_events")
TABLES = ("discord_channels", "discord_messages", "trade_setups", "parsed_levels", *EVENT_TABLES)
# What the events' documents are called in version 4.0.0; afterwards all are "data".
DOCUMENTS = {"discord_events": "payload", "market_events": "data", "signal_events": "event_data", "order_events": "data",
             "system_events": "metadata", "ingestion_events": "body"}

# The queries of the application.  The first column says which row it is, {0},
# {1} ... are parameters, and {TABLE} stands for what the table's document is
# called.  Each with the table that it asks (None: all events), and the indexes
# that are there for it afterwards.
QUERIES = {
    "channel since": (
        "messages of a channel since a time", "discord_messages",
        "SELECT id, message_id, author_id, content, created_at FROM discord_messages"
        " WHERE channel_id = {0} AND created_at >= {1} ORDER BY created_at",
        ("discord_messages_channel_time",)),
    "author in channel": (
        "messages of an author in a channel, the latest 50", "discord_messages",
        "SELECT id, message_id, content, created_at FROM discord_messages"
        " WHERE channel_id = {0} AND author_id = {1} ORDER BY created_at DESC LIMIT 50",
        ("discord_messages_channel_author_time",)),
    "guild": (
        "channels of a guild", "discord_channels",
        "SELECT id, name, type, topic FROM discord_channels WHERE guild_id = {0} ORDER BY id",
        ("discord_channels_guild",)),
    "ticker": (
        "setups of a ticker, the latest 50", "trade_setups",
        "SELECT id, ticker, setup_date, source_message_id FROM trade_setups WHERE ticker = {0}"
        " ORDER BY setup_date DESC, id DESC LIMIT 50",
        ("trade_setups_ticker",)),
    "setup": (
        "levels of a setup", "parsed_levels",
        "SELECT id, level_type, price FROM parsed_levels WHERE setup_id = {0} ORDER BY id",
        ("parsed_levels_setup",)),
    "type and time": (
        "events by type and time", "order_events",
        "SELECT id, event_id, {order_events}, recorded_at FROM order_events"
        " WHERE event_type = {0} AND recorded_at >= {1} AND recorded_at < {2} ORDER BY recorded_at",
        ("order_events_type_time",)),
    "symbol": (
        "events that contain a symbol, the latest 100", "order_events",
        "SELECT id, event_id, {order_events}, recorded_at FROM order_events"
        " WHERE {order_events} @> {0} ORDER BY recorded_at DESC LIMIT 100",
        ("order_events_data",)),
    "correlation": (
        "events of a correlation, all slices", None,
        " UNION ALL ".join(f"SELECT '{t} ' || id, event_id, causation_id, recorded_at, {{{t}}}::text FROM {t} WHERE correlation_id = {{0}}"
                           for t in EVENT_TABLES) + " ORDER BY 4",
        tuple(f"{t}_correlation" for t in EVENT_TABLES)),
}
COLUMNS = ["section", "what", "side", "unit", "rounds", "min", "median", "max", "note"]
SIDES = ("before", "after")
DEPLOY = TRADING / "migrations" / "deploy"
# psycopg prepares what is executed for the sixth time, and the server chooses between a generic plan and one for the parameters
# after five more.
SETTLED = 12


class Session:
    """A connection as the application has it, and what is to be known of it beside."""

    def __init__(self, database):
        self.connection = psycopg.connect(dbname=database, autocommit=True)
        self.cursor = self.connection.cursor()
        self.durations = []
        self.connection.add_notice_handler(self.hear)
        self.cursor.execute("SET client_min_messages = warning")
        self.statistics = Path(f"/proc/{self.connection.info.backend_pid}/schedstat")

    def hear(self, notice):
        found = re.fullmatch(r"duration: ([0-9.]+) ms", notice.message_primary or "")
        if found:
            self.durations.append(float(found[1]))

    def listen(self, wanted):
        """Lets the server say what it took for each message of the protocol (log_duration), to this client and to no log."""
        self.cursor.execute("SET log_min_messages = panic")
        self.cursor.execute(f"SET log_duration = {'on' if wanted else 'off'}")
        self.cursor.execute(f"SET client_min_messages = {'log' if wanted else 'warning'}")

    def processor(self):
        """Milliseconds that the backend has had of a processor; None where this system does not say."""
        try:
            return int(self.statistics.read_text(encoding="ascii").split()[0]) / 1e6
        except (OSError, ValueError):
            return None

    def measured(self, action, *arguments):
        """The seconds of the clock, and the milliseconds of a processor that the backend had meanwhile."""
        before, start = self.processor(), time.perf_counter()
        action(*arguments)
        seconds = time.perf_counter() - start
        return seconds, None if before is None else self.processor() - before

    def ask(self, query, parameters=None):
        """The rows, and the milliseconds from sending the query to having them as Python's values."""
        start = time.perf_counter()
        self.cursor.execute(query, parameters)
        rows = self.cursor.fetchall()
        return rows, (time.perf_counter() - start) * 1000

    def exactly(self, query, parameters=None):
        """The rows, with the numbers of documents as they are written."""
        cursor = self.connection.cursor()
        set_json_loads(partial(json.loads, parse_float=Decimal), cursor)
        return cursor.execute(query, parameters).fetchall()

    def do(self, statement):
        self.cursor.execute(statement)

    def rows(self, query, parameters=None):
        return self.ask(query, parameters)[0]

    def value(self, query, parameters=None):
        return self.rows(query, parameters)[0][0]

    def prepared(self, text):
        """Name of a statement that psycopg has prepared, and how often its plan was generic and made for the parameters."""
        found = self.rows("SELECT name, generic_plans, custom_plans FROM pg_catalog.pg_prepared_statements"
                          " WHERE statement = %s AND NOT from_sql", (numbered(text),))
        if len(found) != 1:
            raise SystemExit(f"prepared {len(found)} times: {text}")
        return found[0]

    def literals(self, parameters):
        return ", ".join(Literal(value).as_string(self.connection) for value in parameters.values())

    def close(self):
        self.connection.close()


def numbered(text):
    """A query's text as the server gets it: psycopg numbers the parameters by their first occurrence."""
    numbers = {}
    return re.sub(r"%\((\w+)\)s", lambda match: f"${numbers.setdefault(match[1], len(numbers) + 1)}", text)


def psql(database, *arguments, **options):
    done = subprocess.run(["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", database, *arguments],
                          env={**os.environ, "PGOPTIONS": "-c client_min_messages=warning"}, text=True, encoding="utf-8",
                          stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, check=False, **options)
    if done.returncode:
        raise SystemExit(f"psql {' '.join(map(str, arguments))}: {done.stderr.strip()}")


def machine():
    name = platform.processor() or platform.machine()
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").split("\n"):
            if line.startswith("model name"):
                name = line.split(":", 1)[1].strip()
                break
    except OSError:
        pass
    return f"{name}, {os.cpu_count()} processors"


class Report:
    def __init__(self, args):
        self.args = args
        self.random = random.Random(args.seed)
        self.folder = args.output
        self.names = {side: f"trading_{side}_{os.getpid()}" for side in SIDES}
        self.maintenance = os.environ.get("PGDATABASE", "postgres")
        self.sessions = {}
        self.records = []
        self.plans = []
        self.failed = 0
        self.start = time.monotonic()
        self.changes = [line.split()[0] for line in (TRADING / "migrations" / "sqitch.plan").read_text(encoding="utf-8").split("\n")
                        if line and line[0] not in "%# @"]

    def say(self, what):
        print(f"{(time.monotonic() - self.start) / 60:5.1f} min  {what}", flush=True)

    def add(self, section, what, side, unit, values, note=""):
        self.records.append({"section": section, "what": what, "side": side, "unit": unit, "rounds": len(values),
                             "min": f"{min(values):.6g}" if values else "", "median": f"{statistics.median(values):.6g}" if values else "",
                             "max": f"{max(values):.6g}" if values else "", "note": note})

    def problem(self, what):
        self.failed += 1
        self.say("FAILED  " + what)

    # ---------- the two databases ----------

    def generated(self, name):
        """Makes version 4.0.0 and fills it; the generator's list of what is wrong stands in the database's comment."""
        self.say(f"generating version 4.0.0 with {self.args.messages:,} messages")
        start = time.monotonic()
        psql(self.maintenance, "-c", f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'")
        for change in self.changes:
            if change.startswith("4.0.0"):
                psql(name, "-f", DEPLOY / f"{change}.sql")
        planted = self.folder / "planted.tsv"
        with subprocess.Popen([sys.executable, TRADING / "generate_legacy", str(self.args.rows), "--messages", str(self.args.messages),
                               "--seed", str(self.args.seed), "--planted", planted], stdout=subprocess.PIPE) as generator:
            psql(name, "-f", "-", stdin=generator.stdout)
        if generator.returncode:
            raise SystemExit("generate_legacy failed")
        psql(name, "-c", "VACUUM (ANALYZE)")
        comment = json.dumps({"made by": self.fingerprint(), "planted": planted.read_text(encoding="utf-8")})
        planted.unlink()
        psql(self.maintenance, "-f", "-", input=f"COMMENT ON DATABASE {name} IS $comment${comment}$comment$")
        self.say(f"  {time.monotonic() - start:.0f} s")

    def fingerprint(self):
        """What the generated rows depend on."""
        digest = hashlib.sha256(repr((self.args.rows, self.args.messages, self.args.seed)).encode())
        for file in (TRADING / "generate_legacy", TRADING / "generate_events", *sorted(DEPLOY.glob("4.0.0*"))):
            digest.update(file.read_bytes())
        return digest.hexdigest()

    def comment(self, name):
        with psycopg.connect(dbname=self.maintenance) as connection:
            found = connection.execute("SELECT pg_catalog.shobj_description(oid, 'pg_database') FROM pg_catalog.pg_database WHERE datname = %s",
                                       (name,)).fetchone()
        return json.loads(found[0] or "{}") if found else {}

    def make(self):
        before, after = self.names["before"], self.names["after"]
        base = self.args.base
        copy = "CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy"
        if base:
            # whole or not at all: it has its name when it is ready
            if self.comment(base).get("made by") != self.fingerprint():
                for name in (base, f"{base}_unfinished"):
                    psql(self.maintenance, "-c", f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
                self.generated(f"{base}_unfinished")
                psql(self.maintenance, "-c", f"ALTER DATABASE {base}_unfinished RENAME TO {base}")
            else:
                self.say(f"version 4.0.0 with {self.args.messages:,} messages is there")
            if self.args.generate:
                return
            self.planted = self.comment(base)["planted"]
            psql(self.maintenance, "-c", copy.format(before, base))
        else:
            self.generated(before)
            self.planted = self.comment(before)["planted"]
        psql(self.maintenance, "-c", copy.format(after, before))
        self.say("migrating a copy of it")
        for change in self.changes:
            if not change.startswith("4.0.0"):
                start = time.monotonic()
                psql(after, "-f", DEPLOY / f"{change}.sql")
                took = time.monotonic() - start
                self.add("migration", change, "after", "s", [took])
                self.say(f"  {change}: {took:.1f} s")
        # as autovacuum would leave both; what is generated had it already, and its copy is hot again
        for side in SIDES:
            psql(self.names[side], "-c", "VACUUM (ANALYZE)")
        psql(self.maintenance, "-c", "CHECKPOINT")
        for side in SIDES:
            self.sessions[side] = Session(self.names[side])

    def drop(self):
        for session in self.sessions.values():
            session.close()
        names = [*self.names.values(), *([f"{self.args.base}_unfinished"] if self.args.base else [])]
        for name in names:
            psql(self.maintenance, "-c", f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def about(self):
        session = self.sessions["after"]
        settings = ("shared_buffers", "work_mem", "maintenance_work_mem", "effective_cache_size", "random_page_cost", "jit",
                    "max_parallel_workers_per_gather", "autovacuum", "fsync", "full_page_writes", "synchronous_commit")
        self.add("about", "machine", "", "", [], machine())
        self.add("about", "server", "", "", [], session.value("SELECT version()").split(" on ")[0])
        self.add("about", "client", "", "", [], f"psycopg {psycopg.__version__} ({psycopg.pq.__impl__}), a statement prepared after"
                 f" {session.connection.prepare_threshold} executions")
        self.add("about", "settings", "", "", [], ", ".join(f"{s} = {session.value('SHOW ' + s)}" for s in settings))
        self.add("about", "date", "", "", [], time.strftime("%Y-%m-%d", time.gmtime()))
        self.add("about", "load", "", "", [], f"load average {os.getloadavg()[0]:.1f} when the queries began")
        for table in TABLES:
            for side in SIDES:
                self.add("rows", table, side, "rows", [float(self.sessions[side].value(f"SELECT count(*) FROM {table}"))])

    # ---------- queries ----------

    def parameters(self):
        """For each query its sets of parameters: those of rows that are there, so that what is frequent is asked for often."""
        old = self.sessions["before"]
        wanted = self.args.rounds
        last = old.value("SELECT max(created_at) FROM discord_messages")

        def some(table, columns, condition):
            """As many rows as are wanted, each as likely as any other."""
            most = old.value(f"SELECT max(id) FROM {table}")
            found = []
            while len(found) < wanted:
                numbers = [self.random.randint(1, most) for _ in range(wanted)]
                found += old.rows(f"SELECT {columns} FROM {table} WHERE id = ANY (%s) AND {condition} ORDER BY id", (numbers,))
            self.random.shuffle(found)
            return found[:wanted]

        clean = "raw_event ->> 'channel_id' = channel_id AND raw_event -> 'author' ->> 'id' = author_id"
        messages = some("discord_messages", "channel_id, author_id", clean)
        orders = some("order_events", "event_type, data ->> 'symbol', recorded_at",
                      "event_type IS NOT NULL AND data ->> 'symbol' ~ '^[A-Z]'")
        guilds = old.rows("SELECT guild_id FROM discord_channels WHERE guild_id ~ '^[0-9]+$' ORDER BY id")
        since = (timedelta(minutes=10), timedelta(hours=1), timedelta(hours=6), timedelta(days=1))
        found = {
            "channel since": [(channel, last - self.random.choice(since)) for channel, _ in messages],
            "author in channel": messages,
            "guild": [self.random.choice(guilds) for _ in range(wanted)],
            "ticker": some("trade_setups", "ticker", "ticker ~ '^[A-Z]'"),
            "setup": [(Int8(setup),) for setup, in some("parsed_levels", "setup_id", "setup_id <= (SELECT max(id) FROM trade_setups)")],
            "type and time": [(kind, when, when + self.random.choice(since)) for kind, _, when in orders],
            "symbol": [(Jsonb({"symbol": symbol}),) for _, symbol, _ in orders],
            "correlation": some("signal_events", "correlation_id", "correlation_id IS NOT NULL"),
        }
        return {name: [{f"p{number}": value for number, value in enumerate(one)} for one in sets] for name, sets in found.items()}

    @staticmethod
    def text(name, side):
        documents = DOCUMENTS if side == "before" else dict.fromkeys(DOCUMENTS, "data")
        return QUERIES[name][2].format(*(f"%(p{number})s" for number in range(3)), **documents)

    def passes(self, name, sets, listening):
        """Asks both sides in turns with all sets of parameters, again and again for a while; what each execution took, set by set."""
        found = {side: [[] for _ in sets] for side in SIDES}
        counts = {side: [] for side in SIDES}
        texts = {side: self.text(name, side) for side in SIDES}
        start, number = time.monotonic(), 0
        for side in SIDES:
            self.sessions[side].listen(listening)
        while number < self.args.passes and (number == 0 or time.monotonic() - start < self.args.seconds):
            for one, parameters in enumerate(sets):
                # whoever comes second may find the processor warm: in turns
                for side in SIDES if (one + number) % 2 else reversed(SIDES):
                    session = self.sessions[side]
                    session.durations.clear()
                    rows, took = session.ask(texts[side], parameters)
                    counts[side].append(len(rows))
                    found[side][one].append(tuple(session.durations) if listening else took)
            number += 1
        for side in SIDES:
            self.sessions[side].listen(False)
        return found, counts

    def queries(self):
        chosen = self.parameters()
        self.say(f"asking eight queries, each with {self.args.rounds} sets of parameters: ms before, after, for the client and in the server")
        gc.disable()
        for name, (title, *_) in QUERIES.items():
            sets = chosen[name]
            for _ in range(math.ceil(SETTLED / len(sets))):
                for parameters in sets:
                    for side in SIDES:
                        self.sessions[side].ask(self.text(name, side), parameters)
            clock, counts = self.passes(name, sets, False)
            server, _ = self.passes(name, sets, True)
            medians = []
            for side in SIDES:
                _, generic, custom = self.sessions[side].prepared(self.text(name, side))
                messages = [durations for one in server[side] for durations in one]
                if {len(durations) for durations in messages} != {2}:
                    raise SystemExit(f"{title}: not a prepared statement's durations, of binding and executing: {messages[0]}")
                self.add("query", name, side, "ms", [took for one in clock[side] for took in one], self.shapes(name, side, sets))
                self.add("query server", name, side, "ms", [sum(durations) for durations in messages],
                         f"generic plan {generic} times, planned {custom} times")
                self.add("query planning", name, side, "ms", [bind for bind, _ in messages])
                self.add("query rows", name, side, "rows", counts[side])
                medians.append([statistics.median(took for one in clock[side] for took in one), statistics.median(map(sum, messages))])
            self.add("query gains", name, "", "times", [statistics.median(old) / statistics.median(new) for old, new in zip(*clock.values())])
            self.say(f"  {title}: " + "; ".join(f"{old:.3f}, {new:.3f} ({100 * (1 - new / old):.1f} % less)" for old, new in zip(*medians)))
            gc.collect()
        gc.enable()
        return chosen

    # ---------- plans ----------

    @staticmethod
    def nodes(plan):
        yield plan
        for child in plan.get("Plans", ()):
            yield from Report.nodes(child)

    @staticmethod
    def shape(plan):
        """What reads the tables, in a few words."""
        kinds = {}
        for node in Report.nodes(plan):
            kind = node["Node Type"]
            if kind == "Seq Scan":
                kinds.setdefault(("Parallel " if node.get("Parallel Aware") else "") + kind, []).append(node["Relation Name"])
            elif "Index Name" in node:
                kinds.setdefault(kind, []).append(node["Index Name"])
        return " + ".join(f"{kind} on {', '.join(dict.fromkeys(names))}" for kind, names in kinds.items())

    def explain(self, name, side, parameters):
        """The plan that the prepared statement has for them."""
        session = self.sessions[side]
        statement = session.prepared(self.text(name, side))[0]
        return session.value(f"EXPLAIN (FORMAT JSON) EXECUTE {statement} ({session.literals(parameters)})")[0]["Plan"]

    def shapes(self, name, side, sets):
        """The shapes of the plans for all parameters, the most frequent first; the plan of the first is kept whole."""
        session = self.sessions[side]
        found = {}
        for parameters in sets:
            shape = self.shape(self.explain(name, side, parameters))
            found[shape] = found.get(shape, 0) + 1
        statement = session.prepared(self.text(name, side))[0]
        values = session.literals(sets[0])
        plan = [line for line, in session.rows(f"EXPLAIN (ANALYZE, BUFFERS) EXECUTE {statement} ({values})")]
        self.plans.append((name, side, f"PREPARE statement AS {numbered(self.text(name, side))};\nEXECUTE statement ({values})", plan))
        ordered = sorted(found.items(), key=lambda item: -item[1])
        if len(ordered) == 1:
            return ordered[0][0]
        return "; ".join(f"{shape} ({count} of {len(sets)})" for shape, count in ordered)

    def indexes(self, chosen):
        """The index that is there for a query serves it, also where the table is too small to need one."""
        session = self.sessions["after"]
        session.do("SET enable_seqscan = off")
        client = psycopg.ClientCursor(session.connection)
        for name, (title, _, _, indexes) in QUERIES.items():
            for parameters in chosen[name]:
                plan = client.execute(f"EXPLAIN (FORMAT JSON) {self.text(name, 'after')}", parameters).fetchone()[0][0]["Plan"]
                nodes = list(self.nodes(plan))
                used = {node["Index Name"] for node in nodes if "Index Name" in node}
                if used != set(indexes) or any(node["Node Type"] == "Seq Scan" for node in nodes):
                    self.problem(f"{title}: the plan uses {sorted(used)}, not {sorted(indexes)}")
                    break
            self.add("indexes", name, "after", "", [], ", ".join(indexes))
        session.do("RESET enable_seqscan")

    # ---------- what they give ----------

    @staticmethod
    def fields(row):
        """A row to compare by: documents as what they say, not as they are written."""
        made = []
        for field in row:
            try:
                made.append(json.loads(field, parse_float=Decimal) if isinstance(field, str) and field[:1] == "{" else field)
            except ValueError:
                made.append(field)
        return str(made[0]), made

    def compare(self, chosen):
        """The same rows from both, but for those that the migrations say they changed."""
        changed = self.changed()
        same = {}
        for name, (title, table, *_) in QUERIES.items():
            found = missing = more = altered = 0
            wrong = []
            for one in chosen[name][:self.args.compare or 1]:
                rows = {}
                for side in SIDES:
                    text = re.sub(r" LIMIT [0-9]+$", "", self.text(name, side))
                    if not self.args.compare:
                        text = re.sub(r" = %\(p0\)s", " IS NOT NULL", text) if table is None else text[:text.index(" WHERE ")]
                    rows[side] = dict(map(self.fields, self.sessions[side].exactly(text, one if self.args.compare else None)))
                for key in rows["before"].keys() | rows["after"].keys():
                    row, other = rows["before"].get(key), rows["after"].get(key)
                    if row == other:
                        found += 1
                        continue
                    missing += other is None
                    more += row is None
                    altered += row is not None and other is not None
                    if (key if table is None else f"{table} {key}") not in changed:
                        wrong.append((key, row, other))
            note = f"{found} the same"
            for count, what in ((missing, "moved"), (more, "more"), (altered, "repaired")):
                if count:
                    note += f", {count} {what}"
            same[name] = note
            self.add("same rows", name, "", "", [], note)
            if wrong:
                self.problem(f"{title}: {len(wrong)} rows differ that no migration has changed, such as {wrong[0]}")
            if not found:
                self.problem(f"{title}: nothing was found to compare")

    def changed(self):
        """The rows that the migrations say they moved, repaired or set aside."""
        session = self.sessions["after"]
        found = {key for key, in session.rows("SELECT relation || ' ' || id FROM trading_migration.outcome WHERE how NOT IN ('kept', 'classified')")}
        for table in TABLES:
            for schema in ("before_4_1_0", "before_4_3_0"):
                if session.value("SELECT to_regclass(%s) IS NOT NULL", (f"{schema}.{table}",)):
                    found.update(key for key, in session.rows(f"SELECT '{table} ' || id FROM {schema}.{table}"))
        # 4.0.0 does not find an order by a type that nobody wrote down, nor by a document in the other column
        found.update(key for key, in self.sessions["before"].rows("SELECT 'order_events ' || id FROM order_events WHERE event_type IS NULL OR data IS NULL"))
        return found

    # ---------- dirt ----------

    def dirt(self):
        """What was wrong, from the generator's own list, and what the migrations say became of it."""
        for line in self.planted.splitlines():
            table, kind, fate, count = line.split("\t")
            if int(count):
                self.add("dirt", f"{table}: {kind}", fate, "rows", [float(count)])

    # ---------- storage ----------

    def storage(self):
        for side, session in self.sessions.items():
            rows = session.rows("""
                SELECT c.relname, pg_table_size(c.oid) - coalesce(pg_total_relation_size(nullif(c.reltoastrelid, 0)), 0),
                    coalesce(pg_total_relation_size(nullif(c.reltoastrelid, 0)), 0), pg_indexes_size(c.oid)
                FROM pg_class AS c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'""")
            for table in TABLES:
                for what, size in zip(("table", "TOAST", "indexes"), next(row[1:] for row in rows if row[0] == table)):
                    self.add(f"storage, {what}", table, side, "bytes", [float(size)])
            for schema, size in session.rows("""
                    SELECT n.nspname, sum(pg_total_relation_size(c.oid)) FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
                    WHERE c.relkind = 'r' AND n.nspname NOT IN ('public', 'pg_catalog', 'information_schema') GROUP BY 1 ORDER BY 1"""):
                self.add("storage, kept", schema, side, "bytes", [float(size)])
            self.add("storage, all", "database", side, "bytes", [float(session.value("SELECT pg_database_size(current_database())"))])

    # ---------- writing ----------

    def stages(self, table):
        """What the migrations added to a table that a write pays for, and how to do without it."""
        rows = self.sessions["after"].rows
        relation = f"'public.{table}'::regclass"
        stages = []
        for trigger, what in (("zzz_event_bus", "bus"), ("zzz_event_guard", "guard")):
            if rows(f"SELECT 1 FROM pg_trigger WHERE tgrelid = {relation} AND tgname = '{trigger}'"):
                stages.append((what, f"ALTER TABLE {table} DISABLE TRIGGER {trigger}"))
        checks = rows(f"SELECT quote_ident(conname) FROM pg_constraint WHERE conrelid = {relation} AND contype = 'c'")
        if checks:
            stages.append(("CHECKs", f"ALTER TABLE {table} " + ", ".join(f"DROP CONSTRAINT {name}" for name, in checks)))
        for what, condition in (("GIN", "= 'gin'"), ("other indexes", "<> 'gin'")):
            indexes = rows("SELECT i.indexrelid::regclass FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid"
                           f" JOIN pg_am AS a ON a.oid = c.relam WHERE i.indrelid = {relation} AND NOT i.indisprimary AND a.amname {condition}")
            if indexes:
                stages.append((what, "DROP INDEX " + ", ".join(name for name, in indexes) + " CASCADE"))
        return stages

    def writes(self):
        """New rows, the same ones on both sides: a COPY of many, INSERTs of one each.  Then without what was added, piece by piece."""
        self.say("writing: microseconds a row")
        new = self.sessions["after"]
        many = self.args.write_rows
        few = max(many // 10, 1)
        # the columns of either side, and the new rows with the columns of the migrated one
        sources = {
            "discord_messages": (
                {"before": "message_id, channel_id, author_id, content, created_at, data",
                 "after": "message_id, channel_id, author_id, content, created_at, data, event_type, schema_version"},
                "SELECT n, channel_id, author_id, content, created_at, data, event_type, schema_version"
                " FROM (SELECT (9000000000000000000 + id)::text AS n, m.* FROM discord_messages AS m"
                f" WHERE schema_version = 1 ORDER BY id LIMIT {many + few}) AS m"),
            "order_events": (
                dict.fromkeys(SIDES, "event_type, schema_version, data, correlation_id, recorded_at"),
                "SELECT event_type, schema_version, data, gen_random_uuid(), now() FROM order_events"
                f" WHERE schema_version = 1 ORDER BY id LIMIT {many + few}"),
        }
        for table, (columns, source) in sources.items():
            new.do(f"CREATE TEMPORARY TABLE new_{table} ({columns['after']}, place) AS SELECT *, row_number() OVER () FROM ({source}) AS s")
            rows = new.value(f"SELECT count(*) FROM new_{table}") - few
            targets = {side: f"{table} ({columns[side].replace('data', 'raw_event') if (table, side) == ('discord_messages', 'before') else columns[side]})"
                       for side in SIDES}
            inserts = {side: f"INSERT INTO {targets[side]} VALUES ({', '.join(['%s'] * (columns[side].count(',') + 1))})" for side in SIDES}
            most = {side: self.sessions[side].value(f"SELECT max(id) FROM {table}") for side in SIDES}
            gin = [name for name, in new.rows("SELECT i.indexrelid::regclass::text FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid"
                                              " JOIN pg_am AS a ON a.oid = c.relam WHERE i.indrelid = to_regclass(%s) AND a.amname = 'gin'", (table,))]
            given = iter(range(1, 1000000))     # no message twice, not even one that is deleted again

            def copied(side, data):
                with self.sessions[side].cursor.copy(f"COPY {targets[side]} FROM STDIN") as copy:
                    copy.write(data)

            def inserted(side, data):
                for row in data:
                    self.sessions[side].cursor.execute(inserts[side], row)

            def written(side, how, data):
                how(side, data)
                # what GIN puts off until later belongs to it
                for index in gin if side == "after" else ():
                    self.sessions[side].cursor.execute("SELECT gin_clean_pending_list(to_regclass(%s)) WHERE to_regclass(%s) IS NOT NULL", (index, index))

            def measure(sides, stage=""):
                found = {(how, side): ([], []) for how in ("COPY", "INSERT") for side in sides}
                for one in range(-1, self.args.write_rounds):
                    number = next(given)
                    chosen = {side: columns[side].replace("message_id", f"(message_id::numeric + {number}00000000)::text").replace(
                        "data", f"jsonb_set(data, '{{id}}', to_jsonb((message_id::numeric + {number}00000000)::text))" if "message" in table else "data")
                        for side in sides}
                    for side in sides if one % 2 else reversed(sides):
                        data = bytearray()
                        with new.cursor.copy(f"COPY (SELECT {chosen[side]} FROM new_{table} WHERE place > {few} ORDER BY place) TO STDOUT") as copy:
                            for part in copy:
                                data += part
                        single = new.rows(f"SELECT {', '.join(f'(r.c{n})::text' for n in range(columns[side].count(',') + 1))}"
                                          f" FROM (SELECT {chosen[side]} FROM new_{table} WHERE place <= {few} ORDER BY place)"
                                          f" AS r ({', '.join(f'c{n}' for n in range(columns[side].count(',') + 1))})")
                        for how, action, values, count in (("COPY", copied, bytes(data), rows), ("INSERT", inserted, single, len(single))):
                            seconds, used = self.sessions[side].measured(written, side, action, values)
                            self.sessions[side].do(f"DELETE FROM {table} WHERE id > {most[side]}")
                            if one >= 0:
                                found[how, side][0].append(seconds * 1e6 / count)
                                found[how, side][1].extend([] if used is None else [used * 1e3 / count])
                for (how, side), (clock, processor) in found.items():
                    self.add("write", f"{table}, {how}{stage}", side, "us/row", clock)
                    self.add("write processor", f"{table}, {how}{stage}", side, "us/row", processor)
                    self.say(f"  {table}, {how}{stage}, {side}: {statistics.median(clock):.1f}"
                             + (f", of a processor {statistics.median(processor):.1f}" if processor else ""))
                for side in sides:
                    self.sessions[side].do(f"VACUUM {table}")

            measure(SIDES)
            stages = self.stages(table)
            for number, (_, command) in enumerate(stages):
                new.do(command)
                measure(("after",), ", without " + ", ".join(what for what, _ in stages[:number + 1]))
            new.do(f"DROP TABLE new_{table}")

    # ---------- what is written ----------

    def write(self):
        file = self.folder / "trading-report.csv"
        with open(file, "w", newline="", encoding="utf-8") as out:
            writer = csv.DictWriter(out, COLUMNS, lineterminator="\n")
            writer.writeheader()
            writer.writerows(self.records)
        with open(self.folder / "trading-report-plans.txt", "w", encoding="utf-8") as out:
            for name, side, text, plan in self.plans:
                out.write(f"---------- {QUERIES[name][0]}: {side} ----------\n\n{text};\n\n" + "\n".join(plan) + "\n\n")
        rows = Rows(file)
        (self.folder / "trading-report.md").write_text(
            "".join(f"## {name}\n\n{make(rows)}\n" for name, make in TABLES_OF_REPORT.items()), encoding="utf-8")
        chart(rows, self.folder)


# ---------- tables and the chart ----------

# The application's own estimate was 40 to 60 per cent less time.
CLAIM = 0.6
WORDS = ("none", "one", "two", "three", "four", "five", "six", "seven", "eight")
PIECES = ("bus", "guard", "CHECKs", "GIN", "other indexes")
NAMES = {"bus": "the bus", "guard": "the guard", "CHECKs": "the CHECKs", "GIN": "the GIN index on the documents", "other indexes": "the other indexes"}


class Rows:
    def __init__(self, path):
        with open(path, newline="", encoding="utf-8") as file:
            self.rows = list(csv.DictReader(file))

    def of(self, section):
        return [row for row in self.rows if row["section"] == section]

    def names(self, section):
        return list(dict.fromkeys(row["what"] for row in self.of(section)))

    def one(self, section, what, side):
        return next((row for row in self.of(section) if row["what"] == what and row["side"] == side), None)

    def value(self, section, what, side, column="median"):
        row = self.one(section, what, side)
        return float(row[column]) if row and row[column] else None


def milliseconds(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def spread(row):
    return f"{milliseconds(float(row['median']))} ({milliseconds(float(row['min']))} – {milliseconds(float(row['max']))})"


def about(rows):
    found = {row["what"]: row["note"] for row in rows.of("about")}
    counts = ", ".join(f"{int(rows.value('rows', table, 'before')):,} {table}" for table in rows.names("rows"))
    return (f"Measured on {found['date']}: {found['machine']}; {found['server']}; {found['client']}; {found['load']}, {found['load at the end']}. "
            f"Settings: {found['settings']}.\n\nRows before the migrations: {counts}.\n")


def less(old, new):
    return f"{100 * (1 - new / old):.1f} %"


def shares(rows):
    """For each query the share of the client's time that is saved, and of the server's."""
    found = {}
    for name in rows.names("query"):
        pairs = [[rows.value(section, name, side) for side in SIDES] for section in ("query", "query server")]
        found[name] = [1 - new / old for old, new in pairs]
    return found


def listed(names):
    """Some titles of queries, as words of a sentence."""
    titles = [f"*{QUERIES[name][0]}*" for name in names]
    return titles[0] if len(titles) == 1 else f"{', '.join(titles[:-1])} and {titles[-1]}"


def queries(rows):
    lines = []
    for name in rows.names("query"):
        line = [QUERIES[name][0]]
        for section in ("query", "query server"):
            before, after = (rows.one(section, name, side) for side in SIDES)
            line += [spread(before), spread(after), less(float(before["median"]), float(after["median"]))]
        gains = rows.one("query gains", name, "")
        line[4:4] = [document.times(rows.value("query", name, "before") / rows.value("query", name, "after")), document.times(float(gains["min"]))]
        lines.append([*line, f"{rows.value('query rows', name, 'after'):,.0f}"])
    return document.table(["query", "client: before, ms", "after, ms", "less time", "× as fast", "at least", "server: before, ms", "after, ms",
                           "less time", "rows"], lines)


def findings(rows):
    """The table of the queries, in words."""
    found = shares(rows)
    short = [name for name, both in found.items() if min(both) < CLAIM]
    least = min(found, key=lambda name: found[name][0])
    text = f"{WORDS[len(found) - len(short)].capitalize()} of the {WORDS[len(found)]}" if short else f"All {WORDS[len(found)]}"
    text += (f" take less than {100 - 100 * CLAIM:.0f} per cent of their earlier time, both for the client and in the server: a larger gain than the"
             " upper end of the application's estimate.")
    for name in short:
        old, new = ([rows.value(section, name, side) for section in ("query", "query server")] for side in SIDES)
        text += (f" *{QUERIES[name][0].capitalize()}* gains less: {100 * found[name][0]:.1f} per cent for the client,"
                 f" which includes {milliseconds(old[0] - old[1])} ms before and {milliseconds(new[0] - new[1])} ms afterwards between client and server, and"
                 f" {100 * found[name][1]:.1f} per cent in the server.")
    text += f" The smallest gain for the client is {100 * found[least][0]:.1f} per cent, for {listed([least])}."
    large = [name for name in found if rows.value("query", name, "before") >= 100]
    if large:
        text += (f" The {'one' if len(large) == 1 else WORDS[len(large)]} whose median was a tenth of a second or more"
                 f" {'takes' if len(large) == 1 else 'take'} {milliseconds(max(rows.value('query', name, 'after') for name in large))} ms at most after the migrations.")
    slow = [name for name in found if float(rows.one("query gains", name, "")["min"]) < 1 / (1 - CLAIM)]
    if slow:
        text += f" For some parameters {listed(slow)} {'gains' if len(slow) == 1 else 'gain'} less than the {100 * CLAIM:.0f} per cent (column *at least*)."
    guilds = rows.value("rows", "discord_channels", "before")
    text += (f" *Channels of a guild* is the only one that depends on the number of channels: before, it reads all {guilds:,.0f}; afterwards, the"
             f" {rows.value('query rows', 'guild', 'after'):,.0f} of the guild.")
    generic = [name for name in found if re.match(r"generic plan [1-9]", rows.one("query server", name, "after")["note"])]
    text += (f" After the migrations the server uses a generic plan for {WORDS[len(generic)]} of them; it plans the others for their parameters"
             " at each execution, and that time is counted.")
    return text + "\n"


def plans(rows):
    return document.table(["query", "before", "after"], [
        [QUERIES[name][0], *(rows.one("query", name, side)["note"] for side in SIDES)] for name in rows.names("query")]).replace("---:", "---")


def main_section(rows, section):
    """Of the processor's time and the clock's the one that another program does not disturb, where the system tells it."""
    return f"{section} processor" if any(row["median"] for row in rows.of(f"{section} processor")) else section


def steps(rows, what):
    """What each piece that the migrations added costs a write: the difference that doing without it makes."""
    section = main_section(rows, "write")
    names = [name for name in rows.names(section) if name == what or name.startswith(f"{what}, without ")]
    values = [rows.value(section, name, "after") for name in names]
    pieces = [name.split(", ")[-1].removeprefix("without ") for name in names[1:]]
    found = dict(zip(pieces, (old - new for old, new in zip(values, values[1:]))))
    return found, values[-1] - rows.value(section, what, "before")


def writes(rows):
    lines = []
    for what in rows.names("write"):
        if ", without " in what:
            continue
        line = [what]
        for section in dict.fromkeys(("write", main_section(rows, "write"))):
            old, new = (rows.value(section, what, side) for side in SIDES)
            line += [document.number(old), document.number(new), document.times(new / old)]
        found, rest = steps(rows, what)
        lines.append(line + [f"{found[piece]:,.0f}" if piece in found else "" for piece in PIECES] + [f"{rest:,.0f}"])
    processor = ["processor: before, µs", "after, µs", "×"] if main_section(rows, "write") != "write" else []
    return document.table(["", "clock: before, µs", "after, µs", "×", *processor, *PIECES, "rest"], lines).replace("-0 ", "0 ")


def costs(rows):
    """The table of the writes, in words."""
    section = main_section(rows, "write")
    parts = []
    for table in dict.fromkeys(what.split(",")[0] for what in rows.names("write")):
        ratios = [rows.value(section, f"{table}, {how}", "after") / rows.value(section, f"{table}, {how}", "before") for how in ("COPY", "INSERT")]
        found, _ = steps(rows, f"{table}, COPY")
        most = max(found, key=found.get)
        parts.append(f"a row of {table} costs {document.times(ratios[0])} times as much by COPY and {document.times(ratios[1])} times by INSERT; by COPY"
                     f" the largest part is {NAMES[most]} with {found[most]:,.0f} µs, and validation by {'the guard and ' if 'guard' in found else ''}the CHECKs"
                     f" takes {max(found.get('guard', 0) + found.get('CHECKs', 0), 0):,.0f}")
    return f"Writes pay for the faster reads: {'; '.join(parts)}.\n"


def megabytes(value):
    return "–" if value is None else f"{value / 1e6:,.0f}" if value >= 1e7 else f"{value / 1e6:.1f}"


def storage(rows):
    kinds = ("table", "TOAST", "indexes")
    lines, sums = [], dict.fromkeys([(kind, side) for kind in kinds for side in SIDES], 0.0)
    for table in TABLES:
        line = [table]
        for kind in kinds:
            for side in SIDES:
                size = rows.value(f"storage, {kind}", table, side)
                sums[kind, side] += size
                line.append(megabytes(size))
        lines.append(line)
    lines.append(["all", *(megabytes(sums[kind, side]) for kind in kinds for side in SIDES)])
    lines.append(["the whole database", *(megabytes(rows.value("storage, all", "database", side)) for side in SIDES), "", "", "", ""])
    for schema in rows.names("storage, kept"):
        if (size := rows.value("storage, kept", schema, "after")) is not None:
            lines.append([f"schema {schema}", "", megabytes(size), "", "", "", ""])
    return document.table(["MB", "table, before", "after", "TOAST, before", "after", "indexes, before", "after"], lines)


def migrations(rows):
    lines = [[row["what"], f"{float(row['median']):.1f}"] for row in rows.of("migration")]
    return document.table(["change", "s"], [*lines, ["all", f"{sum(float(row['median']) for row in rows.of('migration')):.1f}"]])


def dirt(rows):
    fates = {}
    for row in rows.of("dirt"):
        kinds, count = fates.setdefault(row["side"], ([], 0))
        fates[row["side"]] = (kinds + [row["what"]], count + int(float(row["median"])))
    return document.table(["outcome", "kinds", "rows"], [[fate, str(len(kinds)), f"{count:,}"] for fate, (kinds, count) in fates.items()])


def same(rows):
    return document.table(["query", "rows compared"], [[QUERIES[row["what"]][0], row["note"]] for row in rows.of("same rows")])


TABLES_OF_REPORT = {"about": about, "queries": queries, "findings": findings, "plans": plans, "writes": writes, "costs": costs,
                    "storage": storage, "migrations": migrations, "dirt": dirt, "same rows": same}


def chart(rows, folder):
    groups = [(QUERIES[name][0], [(side, rows.value("query", name, side) * 1000, colour)
                                  for side, colour in zip(SIDES, (document.OTHER, document.OURS))]) for name in rows.names("query")]
    count = int(rows.value("rows", "discord_messages", "before"))
    document.bars(folder / "trading-report.svg", f"The application's eight queries over {count:,} messages, before and after the migrations",
                  "Medians of the client's waiting time, prepared statements; logarithmic. The same text, parameters and server, in turns.", groups,
                  left=410, show=lambda value: f"{value:,.0f} µs" if value < 1000 else f"{milliseconds(value / 1000)} ms")


def number(text):
    found = int(text)
    if found < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return found


def main():
    parser = argparse.ArgumentParser(description="Measures the trading database before and after its migrations.")
    parser.add_argument("--output", type=Path, help="the folder for the report")
    parser.add_argument("--document", type=Path, metavar="FOLDER", help="measure nothing: make FOLDER/trading-report.md of its CSV")
    parser.add_argument("--messages", type=number, default=5000000, help="default %(default)s")
    parser.add_argument("--rows", type=number, help="how many rows generate_legacy takes the other tables' shares of (default: as many)")
    parser.add_argument("--rounds", type=number, default=21, help="with how many sets of parameters each query is asked (default %(default)s)")
    parser.add_argument("--passes", type=number, default=50, help="how often with each of them, at most (default %(default)s)")
    parser.add_argument("--seconds", type=float, default=5, help="after how many seconds a query is asked no more (default %(default)s)")
    parser.add_argument("--write-rounds", type=number, default=5, help="how often each kind of write is measured (default %(default)s)")
    parser.add_argument("--write-rows", type=number, default=20000, help="rows of a COPY; a tenth of them for INSERT (default %(default)s)")
    parser.add_argument("--compare", type=int, default=5, help="in how many rounds all rows of a query are compared; 0: whatever the parameters (default %(default)s)")
    parser.add_argument("--base", metavar="DATABASE", help="keep what is generated in a database of this name, and use what is there")
    parser.add_argument("--generate", action="store_true", help="with --base: make that, and measure nothing")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    if args.document:
        rows = Rows(args.document / "trading-report.csv")
        document.fill(args.document / "trading-report.md", {name: make(rows) for name, make in TABLES_OF_REPORT.items()})
        chart(rows, args.document)
        return 0
    if not args.output:
        parser.error("--output or --document is needed")
    if args.generate and not args.base:
        parser.error("--generate needs --base")
    # one that is written in Python alone takes longer for a small query than the server
    if psycopg is None or psycopg.pq.__impl__ == "python":
        try:
            tools.run_in(HERE / "requirements.txt")
        except tools.Unavailable as reason:
            if psycopg is None:
                raise SystemExit(f"psycopg 3 is needed, from PyPI or Debian's python3-psycopg, and cannot be had: {reason}") from reason
            print(f"with psycopg in Python alone, which adds to the client's time on both sides: {reason}", flush=True)
    args.rows = args.rows or max(args.messages, 1000)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    signal.signal(signal.SIGINT, signal.default_int_handler)    # also where it is started with it ignored
    logging.getLogger("psycopg").setLevel(logging.CRITICAL)     # it has words for an interruption
    report = Report(args)
    try:
        report.make()
        if args.generate:
            return 0
        report.about()
        report.dirt()
        report.storage()
        chosen = report.queries()
        report.indexes(chosen)
        report.compare(chosen)
        report.add("about", "load at the end", "", "", [], f"load average {os.getloadavg()[0]:.1f} when they ended")
        report.writes()
        report.write()
    finally:
        report.drop()
    return 1 if report.failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
