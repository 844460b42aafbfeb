#!/usr/bin/env python3
"""Measures the trading database before and after its migrations; measure starts it, with a server.

Two databases on one server: the one that generate_legacy fills (4.0.0), and a
copy of it, migrated.  Each query is asked of both in turns, round by round,
each round with other parameters, so that a machine that is busy for a while is
so for both.  A query's text differs by the names of columns, and by nothing
else.  What it gives is compared each time: a row that only one of the two
gives has to be one that the migrations say they moved or repaired.

    report.py --output FOLDER [--messages N] ...   writes FOLDER/trading-report.csv, .md, .svg and -plans.txt
    report.py --document FOLDER                    writes the tables of FOLDER/trading-report.md anew, between
                                                   their marks, and the chart, from FOLDER/trading-report.csv

Finds the server by the usual PG... variables.  Standard library and psql only.
"""

import argparse
import csv
import json
import os
import platform
import random
import re
import statistics
import subprocess
import sys
import time
from pathlib import Path

sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
TRADING = HERE.parent
ROOT = TRADING.parents[1]
sys.path.insert(0, str(ROOT / "test" / "bench"))

import document  # noqa: E402

EVENT_TABLES = ("discord_events", "market_events", "signal_events", "order_events", "system_events", "ingestion_events")
TABLES = ("discord_channels", "discord_messages", "trade_setups", "parsed_levels", *EVENT_TABLES)
# What the events' documents are called in version 4.0.0; afterwards all are "data".
DOCUMENTS = {"discord_events": "payload", "market_events": "data", "signal_events": "event_data", "order_events": "data",
             "system_events": "metadata", "ingestion_events": "body"}

# The queries of the application.  The first column says which row it is, and
# {TABLE} stands for what the table's document is called.  Each with the table
# that it asks (None: all events), and the indexes that are there for it afterwards.
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


def literal(text):
    return "'" + str(text).replace("'", "''") + "'"


class Session:
    """A psql that goes on running, so that a query pays for no connection."""

    MARK = "-- what was asked ends here --"
    SEPARATOR = "\x1e"         # of rows, because texts have lines

    def __init__(self, database):
        self.log = Path(os.environ.get("TMPDIR", "/tmp")) / f"trading_report_{os.getpid()}_{database}.log"
        self.process = subprocess.Popen(["psql", "-X", "-q", "-A", "-t", "-F", "\t", "-R", self.SEPARATOR, "-v", "ON_ERROR_STOP=1", "-d", database, "-f", "-"],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=open(self.log, "w", encoding="utf-8"),
                                        text=True, encoding="utf-8", bufsize=1 << 20)
        self.ask("SET client_min_messages = warning")
        self.statistics = Path(f"/proc/{self.value('SELECT pg_backend_pid()')}/schedstat")

    def processor(self):
        """Milliseconds that the backend has had of a processor; None where this system does not say."""
        try:
            return int(self.statistics.read_text(encoding="ascii").split()[0]) / 1e6
        except (OSError, ValueError):
            return None

    def measured(self, action, *arguments):
        """What the action gives, and the milliseconds of a processor that the backend had meanwhile."""
        before = self.processor()
        given = action(*arguments)
        return given, None if before is None else self.processor() - before

    def ask(self, query):
        """The rows that it prints, and the milliseconds that the server and the way there took."""
        self.process.stdin.write(f"\\timing on\n{query};\n\\timing off\n\\echo {self.MARK}\n")
        self.process.stdin.flush()
        lines = []
        for line in self.process.stdout:
            if line == self.MARK + "\n":
                # what psql says of the time comes last
                took = re.fullmatch(r"Time: ([0-9.]+) ms.*\n", lines.pop())
                text = "".join(lines).removesuffix("\n")
                return text.split(self.SEPARATOR) if lines else [], float(took.group(1))
            lines.append(line)
        raise SystemExit(f"{query[:500]}: {self.log.read_text(encoding='utf-8').strip()}")

    def seconds(self, file):
        """What a file of statements takes, each sent by itself."""
        start = time.monotonic()
        self.process.stdin.write(f"\\i {file}\n\\echo {self.MARK}\n")
        self.process.stdin.flush()
        for line in self.process.stdout:
            if line == self.MARK + "\n":
                return time.monotonic() - start
        raise SystemExit(f"{file}: {self.log.read_text(encoding='utf-8').strip()}")

    def value(self, query):
        return self.ask(query)[0][0]

    def rows(self, query):
        return [row.split("\t") for row in self.ask(query)[0]]

    def close(self):
        self.process.stdin.close()
        self.process.wait()
        self.log.unlink(missing_ok=True)


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

    def say(self, what):
        print(what, flush=True)

    def add(self, section, what, side, unit, values, note=""):
        self.records.append({"section": section, "what": what, "side": side, "unit": unit, "rounds": len(values),
                             "min": f"{min(values):.6g}" if values else "", "median": f"{statistics.median(values):.6g}" if values else "",
                             "max": f"{max(values):.6g}" if values else "", "note": note})

    def problem(self, what):
        self.failed += 1
        self.say("FAILED  " + what)

    # ---------- the two databases ----------

    def make(self):
        before, after = self.names["before"], self.names["after"]
        start = time.monotonic()
        psql(self.maintenance, "-c", f"CREATE DATABASE {before} TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'")
        changes = [line.split()[0] for line in (TRADING / "migrations" / "sqitch.plan").read_text(encoding="utf-8").split("\n")
                   if line and line[0] not in "%# @"]
        deploy = TRADING / "migrations" / "deploy"
        old = [change for change in changes if change.startswith("4.0.0")]
        for change in old:
            psql(before, "-f", deploy / f"{change}.sql")
        self.planted = self.folder / "planted.tsv"
        generator = subprocess.Popen([sys.executable, TRADING / "generate_legacy", str(self.args.rows), "--messages", str(self.args.messages),
                                      "--seed", str(self.args.seed), "--planted", self.planted], stdout=subprocess.PIPE)
        psql(before, "-f", "-", stdin=generator.stdout)
        if generator.wait():
            raise SystemExit("generate_legacy failed")
        psql(before, "-c", "VACUUM (ANALYZE)")
        self.say(f"version 4.0.0 with {self.args.messages:,} messages: {time.monotonic() - start:.0f} s")
        psql(self.maintenance, "-c", f"CREATE DATABASE {after} TEMPLATE {before} STRATEGY file_copy")
        for change in changes:
            if change not in old:
                start = time.monotonic()
                psql(after, "-f", deploy / f"{change}.sql")
                took = time.monotonic() - start
                self.add("migration", change, "after", "s", [took])
                self.say(f"{change}: {took:.1f} s")
        # as autovacuum would have left it
        psql(after, "-c", "VACUUM (ANALYZE)")
        psql(self.maintenance, "-c", "CHECKPOINT")
        for side in SIDES:
            self.sessions[side] = Session(self.names[side])

    def drop(self):
        for session in self.sessions.values():
            session.close()
        for name in self.names.values():
            psql(self.maintenance, "-c", f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def about(self):
        session = self.sessions["after"]
        settings = ("shared_buffers", "work_mem", "maintenance_work_mem", "effective_cache_size", "random_page_cost", "jit",
                    "max_parallel_workers_per_gather", "autovacuum", "fsync", "full_page_writes", "synchronous_commit")
        self.add("about", "machine", "", "", [], machine())
        self.add("about", "server", "", "", [], session.value("SELECT version()").split(" on ")[0])
        self.add("about", "settings", "", "", [], ", ".join(f"{s} = {session.value('SHOW ' + s)}" for s in settings))
        self.add("about", "date", "", "", [], time.strftime("%Y-%m-%d", time.gmtime()))
        self.add("about", "load", "", "", [], f"load average {os.getloadavg()[0]:.1f} when the queries began")
        for table in TABLES:
            for side in SIDES:
                self.add("rows", table, side, "rows", [float(self.sessions[side].value(f"SELECT count(*) FROM {table}"))])

    # ---------- queries ----------

    def parameters(self):
        """For each query the parameters of each round: those of rows that are there, so that what is frequent is asked for often."""
        old = self.sessions["before"]
        rounds = self.args.rounds + 1       # one to warm up
        span = old.rows("SELECT max(created_at), (SELECT max(recorded_at) FROM order_events) FROM discord_messages")[0]

        def some(table, columns, condition):
            """As many rows as rounds, each as likely as any other."""
            most = int(old.value(f"SELECT max(id) FROM {table}"))
            found = []
            while len(found) < rounds:
                numbers = ", ".join(str(self.random.randint(1, most)) for _ in range(rounds))
                found += old.rows(f"SELECT {columns} FROM {table} WHERE id IN ({numbers}) AND {condition}")
            self.random.shuffle(found)
            return found[:rounds]

        clean = "raw_event ->> 'channel_id' = channel_id AND raw_event -> 'author' ->> 'id' = author_id"
        messages = some("discord_messages", "channel_id, author_id", clean)
        orders = some("order_events", "event_type, data ->> 'symbol', recorded_at",
                      "event_type IS NOT NULL AND data ->> 'symbol' ~ '^[A-Z]'")
        since = ("10 minutes", "1 hour", "6 hours", "1 day")
        return {
            "channel since": [(literal(c), f"{literal(span[0])}::timestamptz - interval '{self.random.choice(since)}'") for c, _ in messages],
            "author in channel": [(literal(c), literal(a)) for c, a in messages],
            "guild": [(literal(g),) for g, in self.guilds(rounds)],
            "ticker": [(literal(t),) for t, in some("trade_setups", "ticker", "ticker ~ '^[A-Z]'")],
            "setup": [(s,) for s, in some("parsed_levels", "setup_id", f"setup_id <= (SELECT max(id) FROM trade_setups)")],
            "type and time": [(literal(t), f"{literal(w)}::timestamptz", f"{literal(w)}::timestamptz + interval '{self.random.choice(since)}'")
                              for t, _, w in orders],
            "symbol": [(literal(json.dumps({"symbol": s})),) for _, s, _ in orders],
            "correlation": [(literal(c),) for c, in some("signal_events", "correlation_id", "correlation_id IS NOT NULL")],
        }

    def guilds(self, rounds):
        found = self.sessions["before"].rows("SELECT guild_id FROM discord_channels WHERE guild_id ~ '^[0-9]+$' ORDER BY id")
        return [self.random.choice(found) for _ in range(rounds)]

    def text(self, name, side, parameters):
        documents = DOCUMENTS if side == "before" else dict.fromkeys(DOCUMENTS, "data")
        return QUERIES[name][2].format(*parameters, **documents)

    def queries(self):
        chosen = self.parameters()
        times = {(name, side): [] for name in QUERIES for side in SIDES}
        processor = {(name, side): [] for name in QUERIES for side in SIDES}
        counts = {(name, side): [] for name in QUERIES for side in SIDES}
        for one in range(-1, self.args.rounds):
            for name in QUERIES:
                # whoever comes second may find its pages in the cache, or the processor warm: in turns
                for side in SIDES if one % 2 else reversed(SIDES):
                    session = self.sessions[side]
                    (lines, took), used = session.measured(session.ask, self.text(name, side, chosen[name][one]))
                    if one >= 0:
                        times[name, side].append(took)
                        processor[name, side] += [used] if used is not None else []
                        counts[name, side].append(len(lines))
        for name, (title, *_) in QUERIES.items():
            medians = {}
            for side in SIDES:
                medians[side] = statistics.median(times[name, side])
                shapes = self.shapes(name, side, chosen[name])
                self.add("query", name, side, "ms", times[name, side], shapes)
                self.add("query processor", name, side, "ms", processor[name, side])
                self.add("query rows", name, side, "rows", counts[name, side])
            used = [statistics.median(processor[name, side] or times[name, side]) for side in SIDES]
            self.say(f"{title}: {used[0]:.3f} ms, {used[1]:.3f} ms, {used[0] / used[1]:.1f} times as fast; by the clock"
                     f" {medians['before']:.3f} ms, {medians['after']:.3f} ms")
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

    def explain(self, name, side, parameters, options=""):
        lines, _ = self.sessions[side].ask(f"EXPLAIN ({options}FORMAT JSON) " + self.text(name, side, parameters))
        return json.loads("\n".join(lines))[0]["Plan"]

    def shapes(self, name, side, parameters):
        """The shapes of the plans of all rounds, the most frequent first; the plans of one round are kept whole."""
        found = {}
        for one in parameters:
            shape = self.shape(self.explain(name, side, one))
            found[shape] = found.get(shape, 0) + 1
        text, _ = self.sessions[side].ask("EXPLAIN (ANALYZE, BUFFERS) " + self.text(name, side, parameters[0]))
        self.plans.append((name, side, self.text(name, side, parameters[0]), text))
        ordered = sorted(found.items(), key=lambda item: -item[1])
        if len(ordered) == 1:
            return ordered[0][0]
        return "; ".join(f"{shape} ({count} of {len(parameters)})" for shape, count in ordered)

    def indexes(self, chosen):
        """The index that is there for a query serves it, also where the table is too small to need one."""
        session = self.sessions["after"]
        session.ask("SET enable_seqscan = off")
        for name, (title, _, _, indexes) in QUERIES.items():
            for one in chosen[name]:
                nodes = list(self.nodes(self.explain(name, "after", one)))
                used = {node["Index Name"] for node in nodes if "Index Name" in node}
                if used != set(indexes) or any(node["Node Type"] == "Seq Scan" for node in nodes):
                    self.problem(f"{title}: the plan uses {sorted(used)}, not {sorted(indexes)}")
                    break
            self.add("indexes", name, "after", "", [], ", ".join(indexes))
        session.ask("RESET enable_seqscan")

    # ---------- what they give ----------

    @staticmethod
    def fields(row):
        """A row to compare by: documents as what they say, not as they are written."""
        made = []
        for field in row.split("\t"):
            try:
                made.append(json.dumps(json.loads(field), sort_keys=True) if field[:1] == "{" else field)
            except ValueError:
                made.append(field)
        return made[0], made

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
                    text = re.sub(r" LIMIT [0-9]+$", "", self.text(name, side, one))
                    if not self.args.compare:
                        text = re.sub(r" = '[^']*'", " IS NOT NULL", text) if table is None else text[:text.index(" WHERE ")]
                    rows[side] = dict(self.fields(row) for row in self.sessions[side].ask(text)[0])
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
        found = set(session.ask("SELECT relation || ' ' || id FROM trading_migration.outcome WHERE how NOT IN ('kept', 'classified')")[0])
        for table in TABLES:
            for schema in ("before_4_1_0", "before_4_3_0"):
                if session.value(f"SELECT to_regclass('{schema}.{table}') IS NOT NULL") == "t":
                    found.update(session.ask(f"SELECT '{table} ' || id FROM {schema}.{table}")[0])
        # 4.0.0 does not find an order by a type that nobody wrote down, nor by a document in the other column
        found.update(self.sessions["before"].ask("SELECT 'order_events ' || id FROM order_events WHERE event_type IS NULL OR data IS NULL")[0])
        return found

    # ---------- dirt ----------

    def dirt(self):
        """What was wrong, from the generator's own list, and what the migrations say became of it."""
        for line in self.planted.read_text(encoding="utf-8").splitlines():
            table, kind, fate, count = line.split("\t")
            if int(count):
                self.add("dirt", f"{table}: {kind}", fate, "rows", [float(count)])
        self.planted.unlink()

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
        new = self.sessions["after"]
        many = self.args.write_rows
        few = max(many // 10, 1)
        # the columns of either side, and the new rows with the columns of the migrated one
        sources = {
            "discord_messages": (
                {"before": "message_id, channel_id, author_id, content, created_at, data",
                 "after": "message_id, channel_id, author_id, content, created_at, data, event_type, schema_version"},
                "SELECT n, channel_id, author_id, content, created_at, jsonb_set(data, '{id}', to_jsonb(n)), event_type, schema_version"
                " FROM (SELECT (9000000000000000000 + id)::text AS n, m.* FROM discord_messages AS m"
                f" WHERE schema_version = 1 ORDER BY id LIMIT {many}) AS m"),
            "order_events": (
                dict.fromkeys(SIDES, "event_type, schema_version, data, correlation_id, recorded_at"),
                "SELECT event_type, schema_version, data, gen_random_uuid(), now() FROM order_events"
                f" WHERE schema_version = 1 ORDER BY id LIMIT {many}"),
        }
        for table, (columns, source) in sources.items():
            new.ask(f"CREATE TEMPORARY TABLE new_{table} ({columns['after']}) AS {source}")
            rows = int(new.value(f"SELECT count(*) FROM new_{table}"))
            files, made = {}, []
            for side in SIDES:
                names = columns[side]
                target = f"{table} ({names.replace('data', 'raw_event') if (table, side) == ('discord_messages', 'before') else names})"
                # by the client: the server may not write there
                data = self.folder / f"{table}.{side}.copy"
                data.write_text(new.value(f"COPY new_{table} ({names}) TO STDOUT") + "\n", encoding="utf-8")
                files["COPY", side] = self.folder / f"{table}.{side}.COPY.sql"
                files["COPY", side].write_text(f"\\copy {target} FROM '{data}'\n", encoding="utf-8")
                files["INSERT", side] = self.folder / f"{table}.{side}.INSERT.sql"
                places = ", ".join(["%L"] * (names.count(",") + 1))
                files["INSERT", side].write_text("".join(line + ";\n" for line in new.ask(
                    f"SELECT format('INSERT INTO {target} VALUES ({places})', {names}) FROM new_{table} LIMIT {few}")[0]), encoding="utf-8")
                made.append(data)
            counts = {"COPY": rows, "INSERT": min(rows, few)}
            most = {side: self.sessions[side].value(f"SELECT max(id) FROM {table}") for side in SIDES}

            def measure(sides, stage=""):
                took = {(how, side): [] for how in counts for side in sides}
                processor = {(how, side): [] for how in counts for side in sides}
                for one in range(-1, self.args.write_rounds):
                    for side in sides if one % 2 else reversed(sides):
                        session = self.sessions[side]
                        for how in counts:
                            seconds, used = session.measured(session.seconds, files[how, side])
                            session.ask(f"DELETE FROM {table} WHERE id > {most[side]}")
                            if one >= 0:
                                took[how, side].append(seconds * 1e6 / counts[how])
                                processor[how, side] += [used * 1e3 / counts[how]] if used is not None else []
                for (how, side), values in took.items():
                    self.add("write", f"{table}, {how}{stage}", side, "us/row", values)
                    self.add("write processor", f"{table}, {how}{stage}", side, "us/row", processor[how, side])
                    self.say(f"{table}, {how}{stage}, {side}: {statistics.median(processor[how, side] or values):.1f} us a row")

            measure(SIDES)
            stages = self.stages(table)
            for number, (_, command) in enumerate(stages):
                new.ask(command)
                measure(("after",), ", without " + ", ".join(what for what, _ in stages[:number + 1]))
            for path in (*made, *files.values()):
                path.unlink()

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
    return (f"Measured on {found['date']}: {found['machine']}; {found['server']}; {found['load']}, {found['load at the end']}. "
            f"Settings: {found['settings']}.\n\nRows before the migrations: {counts}.\n")


def main_section(rows, section):
    """Of the processor's time and the clock's the one to go by: the former, where the system tells it."""
    return f"{section} processor" if any(row["median"] for row in rows.of(f"{section} processor")) else section


def queries(rows):
    section = main_section(rows, "query")
    lines = []
    for name in rows.names("query"):
        line = [QUERIES[name][0]]
        for one in dict.fromkeys((section, "query")):
            before, after = (rows.one(one, name, side) for side in SIDES)
            line += [spread(before), spread(after), document.times(float(before["median"]) / float(after["median"]))]
        old, new = (rows.value(section, name, side) for side in SIDES)
        lines.append([*line, f"{100 * (1 - new / old):.1f} %", f"{rows.value('query rows', name, 'after'):,.0f}"])
    clock = ["by the clock: before, ms", "after, ms", "× as fast"] if section != "query" else []
    return document.table(["query", "before, ms", "after, ms", "× as fast", *clock, "less time", "rows"], lines)


def plans(rows):
    return document.table(["query", "before", "after"], [
        [QUERIES[name][0], *(rows.one("query", name, side)["note"] for side in SIDES)] for name in rows.names("query")]).replace("---:", "---")


def writes(rows):
    section = main_section(rows, "write")
    lines = []
    for what in rows.names(section):
        base = rows.value(section, re.sub(r", without .*", "", what), "before")
        before, after = rows.value(section, what, "before"), rows.value(section, what, "after")
        lines.append([what, document.number(before), document.number(after), document.times(after / base)])
    return document.table(["", "before, µs a row", "after, µs a row", "× before"], lines)


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
    for schema in rows.names("storage, kept"):
        if (size := rows.value("storage, kept", schema, "after")) is not None:
            lines.append([f"schema {schema}", "", megabytes(size), "", "", "", ""])
    return document.table(["MB", "table, before", "after", "TOAST, before", "after", "indexes, before", "after"], lines)


def migrations(rows):
    return document.table(["change", "s"], [[row["what"], f"{float(row['median']):.1f}"] for row in rows.of("migration")])


def dirt(rows):
    fates = {}
    for row in rows.of("dirt"):
        kinds, count = fates.setdefault(row["side"], ([], 0))
        fates[row["side"]] = (kinds + [row["what"]], count + int(float(row["median"])))
    return document.table(["what became of it", "kinds", "rows"], [[fate, str(len(kinds)), f"{count:,}"] for fate, (kinds, count) in fates.items()])


def same(rows):
    return document.table(["query", "rows compared"], [[QUERIES[row["what"]][0], row["note"]] for row in rows.of("same rows")])


TABLES_OF_REPORT = {"about": about, "queries": queries, "plans": plans, "writes": writes, "storage": storage, "migrations": migrations,
                    "dirt": dirt, "same rows": same}


def chart(rows, folder):
    section = main_section(rows, "query")
    groups = [(QUERIES[name][0], [(side, rows.value(section, name, side) * 1000, colour)
                                  for side, colour in zip(SIDES, (document.OTHER, document.OURS))]) for name in rows.names("query")]
    count = int(rows.value("rows", "discord_messages", "before"))
    document.bars(folder / "trading-report.svg", f"The application's eight queries over {count:,} messages, before and after the migrations",
                  f"Medians of {'the processor' if section != 'query' else 'all'} time, logarithmic. The same text, parameters and server, in turns.", groups, left=410,
                  show=lambda value: f"{value:,.0f} µs" if value < 1000 else f"{milliseconds(value / 1000)} ms")


def main():
    parser = argparse.ArgumentParser(description="Measures the trading database before and after its migrations.")
    parser.add_argument("--output", type=Path, help="the folder for the report")
    parser.add_argument("--document", type=Path, metavar="FOLDER", help="measure nothing: make FOLDER/trading-report.md of its CSV")
    parser.add_argument("--messages", type=int, default=5000000, help="default %(default)s")
    parser.add_argument("--rows", type=int, help="how many rows generate_legacy takes the other tables' shares of (default: as many)")
    parser.add_argument("--rounds", type=int, default=21, help="how often each query is measured (default %(default)s)")
    parser.add_argument("--write-rounds", type=int, default=7, help="the same for writes (default %(default)s)")
    parser.add_argument("--write-rows", type=int, default=20000, help="rows of a COPY; a tenth of them for INSERT (default %(default)s)")
    parser.add_argument("--compare", type=int, default=5, help="in how many rounds all rows of a query are compared; 0: whatever the parameters (default %(default)s)")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    if args.document:
        rows = Rows(args.document / "trading-report.csv")
        document.fill(args.document / "trading-report.md", {name: make(rows) for name, make in TABLES_OF_REPORT.items()})
        chart(rows, args.document)
        return 0
    if not args.output:
        parser.error("--output or --document is needed")
    args.rows = args.rows or max(args.messages, 1000)
    report = Report(args)
    try:
        report.make()
        report.about()
        report.dirt()
        report.storage()
        chosen = report.queries()
        report.indexes(chosen)
        report.compare(chosen)
        report.writes()
        report.add("about", "load at the end", "", "", [], f"load average {os.getloadavg()[0]:.1f} when they ended")
        report.write()
    finally:
        report.drop()
    return 1 if report.failed else 0


if __name__ == "__main__":
    sys.exit(main())
