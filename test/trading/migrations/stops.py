"""Obstacles to a migration, one after the other."""

import json
import os
import subprocess

from common import MIGRATIONS, TABLES, changes, check, example, generate, last_of, run


class Changes:
    """Changes by psql, whole and in parts, with a default isolation level whose snapshots are older than the locks (serializable)."""

    name = ""

    def __init__(self, database, folder):
        import psycopg
        self.database, self.folder = database, folder
        self.db = psycopg.connect(f"dbname={database}", autocommit=True)
        self.environment = {**os.environ, "PGOPTIONS": "-c default_transaction_isolation=serializable"}

    def one(self, sql, *values):
        return self.db.execute(sql, values or None).fetchall()[0][0]

    def psql(self, kind, change, stop_before=None, start_at=None):
        """Runs a change: all of it, or up to a statement, as if it was stopped there, or from that statement on."""
        text = (MIGRATIONS / kind / f"{change}.sql").read_text(encoding="utf-8")
        if place := stop_before or start_at:
            check(text.count(place) == 1, f"{kind} {change} has the statement at which to stop", place)
            text = text[:text.index(place)] if stop_before else text[text.index(place):]
        return run(["psql", "-X", "-q", "-o", os.devnull, "-v", "ON_ERROR_STOP=1", "-d", self.database, "-f", "-"],
                   f"{self.name}: {kind} {change}", input=text, env=self.environment)

    def deploy(self, first, last):
        names = changes()
        for change in names[names.index(first):names.index(last) + 1]:
            self.psql("deploy", change)

    def revert(self, first, last):
        names = changes()[::-1]
        return "".join(self.psql("revert", change)[2] for change in names[names.index(first):names.index(last) + 1])

    def verify(self, last, what):
        for change in changes()[:changes().index(last) + 1]:
            run(["psql", "-X", "-q", "-o", os.devnull, "-v", "ON_ERROR_STOP=1", "-d", self.database, "-f", MIGRATIONS / "verify" / f"{change}.sql"],
                f"{self.name}: {what}: verify {change}")

    def contents(self):
        return {t: self.db.execute(f"SELECT count(*), sum(hashtextextended(row_to_json(t)::text, 0)) FROM public.{t} AS t").fetchall() for t in TABLES}

    def kept(self):
        return {(t, w) for t, w in self.db.execute("SELECT relation, why FROM kept_by_revert.rows")} if self.one("SELECT to_regclass('kept_by_revert.rows') IS NOT NULL") else set()

    def refused(self, sql, sqlstate, what, detail=""):
        import psycopg
        try:
            with self.db.transaction(force_rollback=True):
                self.db.execute(sql)
            check(False, f"{self.name}: {what}", "accepted")
        except psycopg.Error as error:
            check(error.sqlstate == sqlstate and detail in f"{error} {error.diag.message_hint}", f"{self.name}: {what}", error)


class Stops(Changes):
    """Obstacles to a migration: stops between its steps, events that
    are inserted again with the same event_id, clients with only INSERT, a default
    isolation level whose snapshots are older than the locks."""

    name = "stops"

    def main(self):
        import psycopg
        from psycopg import sql
        order, signal = json.dumps(example("order.placed")), json.dumps(example("trading.signal"))
        self.deploy(changes()[0], last_of("4.0.0"))
        generate(self.database, 4000)
        # JSON that jsonb cannot represent
        self.db.execute("INSERT INTO market_events (schema_version, data) VALUES (1, %s)", (r'{"symbol": "X", "price": 1, "note": "\u0000"}',))
        self.db.execute("INSERT INTO order_events (event_type, schema_version, body) VALUES ('order.placed', 1, %s)", (r'{"symbol": "X", "note": "\u0000"}',))
        at_first = self.contents()
        # a role with only INSERT, and an id far above all others
        only_inserts = f"only_inserts_{os.getpid()}"
        self.db.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(only_inserts)))
        try:
            self.db.execute(sql.SQL("GRANT INSERT ON signal_events, discord_messages TO {}").format(sql.Identifier(only_inserts)))
            self.deploy("4.1.0-helpers", "4.2.0-extensions")
            moved = self.db.execute("SELECT kept_why FROM before_4_1_0.market_events WHERE data::text LIKE '%u0000%' UNION ALL SELECT kept_why FROM before_4_1_0.order_events WHERE body::text LIKE '%u0000%'").fetchall()
            check(moved == [("no JSON",), ("no JSON",)], "stops: JSON that jsonb cannot represent is moved", moved)

            # an event that is deleted and inserted again while the new tables are filled
            self.psql("deploy", "4.2.0-fill", "-- Rows deleted meanwhile: another row")
            self.db.execute("WITH d AS (DELETE FROM order_events WHERE id = (SELECT min(id) FROM order_events) RETURNING *) "
                            "INSERT INTO order_events (event_type, schema_version, data, body, event_id, recorded_at) SELECT event_type, schema_version, data, body, event_id, recorded_at FROM d")
            self.db.execute("SELECT trading_migration.take_over('order_events', max(id), max(id)) FROM order_events")
            twice = self.one("SELECT count(*) - count(DISTINCT event_id) FROM trading_next.order_events")
            check(twice == 1, "stops: meanwhile the event is there twice", twice)
            self.psql("deploy", "4.2.0-fill", start_at="-- Rows deleted meanwhile: another row")
            self.deploy("4.2.0-switch", "4.2.0-messages")
            for change in ("4.1.0-constraints", "4.1.0-indexes", "4.2.0-fill"):
                done = subprocess.run(["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-v", "VERBOSITY=verbose", "-d", self.database, "-f", MIGRATIONS / "deploy" / f"{change}.sql"],
                                      capture_output=True, text=True, check=False)
                check(done.returncode == 3 and "55000" in done.stderr and "--log-only" in done.stderr, f"stops: {change} is refused when 4.2.0 is there", done.stderr)

            with self.db.transaction(force_rollback=True):
                self.db.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(only_inserts)))
                try:
                    self.db.execute("INSERT INTO legacy.signal_events (event_type, version, event_data) VALUES ('trading.signal', '1', %s)", (signal,))
                    self.db.execute("INSERT INTO legacy.discord_messages (message_id, channel_id, author_id, content, created_at, raw_event) VALUES ('5', '1', '2', '', now(), %s)",
                                    (json.dumps(example("discord.message.create")),))
                    check(True, "stops: a role with only INSERT can insert through a view")
                except psycopg.Error as error:
                    check(False, "stops: a role with only INSERT can insert through a view", error)
            try:
                with self.db.transaction():
                    self.db.execute("UPDATE discord_messages SET event_type = 'system.log' WHERE id = (SELECT min(id) FROM discord_messages)")
                check(False, "stops: only messages can be inserted into discord_messages", "accepted")
            except psycopg.Error as error:
                check(error.diag.constraint_name == "discord_messages_type", "stops: only messages can be inserted into discord_messages", error)

            # changes of old rows by the application; events that are inserted again
            self.db.execute("WITH d AS (DELETE FROM order_events WHERE id IN (SELECT id FROM order_events ORDER BY id LIMIT 3) RETURNING *) "
                            "INSERT INTO order_events (event_type, schema_version, data, event_id) SELECT event_type, schema_version, data, event_id FROM d")
            again = self.one("SELECT (original ->> 'event_id')::uuid FROM trading_migration.outcome WHERE relation = 'order_events' AND how = 'conflict' LIMIT 1")
            self.db.execute("INSERT INTO order_events (event_type, schema_version, data, event_id) VALUES ('order.placed', 1, %s, %s)", (order, again))
            self.db.execute("UPDATE market_events SET recorded_at = now() WHERE id IN (SELECT id FROM market_events ORDER BY id LIMIT 20)")
            self.db.execute("DELETE FROM discord_events WHERE id IN (SELECT id FROM discord_events ORDER BY id LIMIT 20)")
            self.db.execute("INSERT INTO signal_events (id, event_type, schema_version, data) OVERRIDING SYSTEM VALUE VALUES (4000000000000000, 'trading.signal', 1, %s)", (signal,))
            self.db.execute("INSERT INTO signal_events (event_type, schema_version, data) VALUES ('trading.signal', 1, %s)", (signal,))
            self.verify("4.2.0-messages", "after changes of old rows")
            before = self.contents()
            said = self.revert("4.2.0-messages", "4.2.0-extensions")
            check("order_events: 1 rows that the old table cannot hold" in said, "stops: an event that 4.2.0 had set aside, and that was inserted again, is put aside by the revert", said[-500:])
            self.verify("4.1.0-indexes", "after the revert of 4.2.0")
            self.deploy("4.2.0-extensions", "4.2.0-messages")
            self.verify("4.2.0-messages", "deployed again")
            check(self.contents() == before and not self.kept(), "stops: deployed again, every row is as before", self.kept())

            # moved by 4.3.0, and inserted again
            moved = "00000000-0000-4000-8000-000000000001"
            self.db.execute("INSERT INTO order_events (event_type, schema_version, data, event_id) VALUES ('order.placed', 1, '{\"symbol\": \"X\"}', %s)", (moved,))
            self.db.execute("INSERT INTO signal_events (event_type, schema_version, data) VALUES ('trading.signal', 1, '{\"symbol\": \"X\", \"action\": 7}')")
            invalid = self.contents()["signal_events"]
            self.deploy("4.3.0-guards", "4.3.0-bus")
            self.db.execute("INSERT INTO order_events (event_type, schema_version, data, event_id) VALUES ('order.placed', 1, %s, %s)", (order, moved))
            self.revert("4.3.0-bus", "4.3.0-views")
            self.psql("revert", "4.3.0-checks", "ALTER TABLE public.discord_events VALIDATE")
            self.psql("revert", "4.3.0-checks")
            check(self.kept() == {("order_events", "another row has its id or event_id")}, "stops: a moved event that was inserted again is put aside by the revert", self.kept())
            check(self.contents()["signal_events"] == invalid, "stops: another moved event is restored")
            self.psql("revert", "4.3.0-guards", "SELECT public.drop_event_guard(tgrelid::regclass) FROM pg_trigger WHERE tgname = 'zzz_event_guard' AND tgrelid = 'public.order_events'")
            self.psql("revert", "4.3.0-guards")
            self.deploy("4.3.0-guards", "4.3.0-bus")
            self.verify("4.3.0-bus", "forth again")
            check(len(self.kept()) == 1, "stops: an invalid event whose place is taken stays aside", self.kept())
            # the next revert restores it if its place is free
            self.revert("4.3.0-bus", "4.3.0-guards")
            check(len(self.kept()) == 1, "stops: reverted while the other row exists, it stays aside", self.kept())
            self.deploy("4.3.0-guards", "4.3.0-bus")
            self.db.execute("DELETE FROM order_events WHERE event_id = %s", (moved,))
            self.revert("4.3.0-bus", "4.3.0-guards")
            back = self.db.execute("SELECT data FROM order_events WHERE event_id = %s", (moved,)).fetchall()
            check(back == [({"symbol": "X"},)] and not self.kept(), "stops: it is restored when the other row is deleted", (back, self.kept()))
            self.revert("4.2.0-messages", "4.1.0-helpers")
            after = self.contents()
            same = [t for t in TABLES if t not in ("discord_events", "market_events", "order_events", "signal_events")]
            check(all(after[t] == at_first[t] for t in same), "stops: tables without writes are as at the beginning", {t: (at_first[t], after[t]) for t in same})

            # a row that a revert of 4.2.0 put aside, and whose place the next deployment finds taken: the next revert tries again
            self.deploy("4.1.0-helpers", "4.2.0-messages")
            aside, its = self.db.execute("SELECT (original ->> 'event_id')::uuid, id FROM trading_migration.outcome WHERE relation = 'order_events' AND how = 'conflict' ORDER BY id DESC LIMIT 1").fetchone()
            self.db.execute("INSERT INTO order_events (event_type, schema_version, data, event_id) VALUES ('order.placed', 1, %s, %s)", (order, aside))
            self.revert("4.2.0-messages", "4.2.0-extensions")
            self.db.execute("DELETE FROM order_events WHERE id = %s", (its,))
            self.db.execute("INSERT INTO order_events (event_type, schema_version, data, event_id) VALUES ('order.placed', 1, %s, %s)", (order, aside))
            self.deploy("4.2.0-extensions", "4.2.0-messages")
            check(self.kept() == {("order_events", "another row has its event_id")}, "stops: a row whose place is taken when 4.2.0 is deployed again stays aside", self.kept())
            self.db.execute("DELETE FROM order_events WHERE event_id = %s", (aside,))
            self.revert("4.2.0-messages", "4.2.0-extensions")
            back = self.db.execute("SELECT data FROM order_events WHERE event_id = %s", (aside,)).fetchall()
            left = self.one("SELECT count(*) FROM kept_by_revert.rows WHERE row ->> 'event_id' = %s", str(aside))
            check(back == [(json.loads(order),)] and left == 0, "stops: the next revert restores it", (back, left))
            self.verify("4.1.0-indexes", "at the end")
        finally:
            self.db.execute(sql.SQL("DROP OWNED BY {0}; DROP ROLE {0}").format(sql.Identifier(only_inserts)))
            self.db.close()


class Truncations(Changes):
    """TRUNCATE and DELETE of whole tables while changes are recorded: before the new
    tables are filled, meanwhile, after the switch, and during the revert.  No
    truncated row is restored, and the counts are right."""

    name = "truncations"

    def write(self, table, schema="legacy"):
        columns = {"discord_events": ("payload", "discord.message.create"), "market_events": ("data", "market.trade"), "signal_events": ("event_data", "trading.signal"),
                   "order_events": ("data", "order.placed"), "system_events": ("metadata", "system.log"), "ingestion_events": ("body", "ingestion.batch")}
        column, event_type = columns[table]
        self.db.execute("SET search_path = legacy, public")
        return self.db.execute(f"INSERT INTO {table} ({column}) VALUES (%s) RETURNING id", (json.dumps(example(event_type)),)).fetchone()[0]

    def rows(self, *tables):
        return {t: [i for i, in self.db.execute(f"SELECT id FROM public.{t} ORDER BY id")] for t in tables}

    def main(self):
        self.deploy(changes()[0], last_of("4.0.0"))
        generate(self.database, 4000)
        self.deploy("4.1.0-helpers", "4.1.0-indexes")
        moved = {t: [i for i, in self.db.execute(f"SELECT id FROM before_4_1_0.{t} WHERE kept_as = 'moved' ORDER BY id")] for t in TABLES if t != "discord_channels"}

        # after 4.1.0, before 4.2.0
        self.db.execute("TRUNCATE ingestion_events RESTART IDENTITY")
        left = {"ingestion_events": [self.write("ingestion_events")]}
        self.db.execute("TRUNCATE trade_setups CASCADE")
        self.verify("4.1.0-indexes", "truncated")
        self.psql("deploy", "4.2.0-extensions")

        # while the new tables are filled
        self.psql("deploy", "4.2.0-fill", "-- Rows deleted meanwhile: another row")
        check(self.one("SELECT count(*) FROM trading_next.system_events") > 100, "truncations: the new table was filled")
        self.db.execute("TRUNCATE system_events")
        left["system_events"] = [self.write("system_events"), self.write("system_events")]
        self.db.execute("DELETE FROM signal_events")
        left["signal_events"] = [self.write("signal_events")]
        with self.db.transaction(force_rollback=True):
            self.db.execute("TRUNCATE market_events")
        self.refused("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; TRUNCATE order_events", "25000", "with an older snapshot TRUNCATE is refused", "read committed")
        self.psql("deploy", "4.2.0-fill", start_at="-- Rows deleted meanwhile: another row")
        self.db.execute("TRUNCATE discord_events RESTART IDENTITY")
        left["discord_events"] = [self.write("discord_events")]
        self.deploy("4.2.0-switch", "4.2.0-messages")
        found = self.rows(*left)
        check(found == left, "truncations: rows truncated while the new tables were filled are not there after the switch", {t: (len(found[t]), found[t][:5], left[t]) for t in left})
        check(self.one("SELECT count(*) FROM public.market_events") > 500, "truncations: a TRUNCATE that was rolled back removes nothing")
        self.verify("4.2.0-messages", "truncated")

        # after the switch
        self.db.execute("TRUNCATE public.market_events")
        left["market_events"] = [self.write("market_events")]
        self.db.execute("TRUNCATE public.discord_messages CASCADE")
        self.verify("4.2.0-messages", "truncated again")
        self.deploy("4.3.0-guards", "4.3.0-bus")
        self.db.execute("TRUNCATE public.order_events")
        left["order_events"] = [self.write("order_events")]
        self.verify("4.3.0-bus", "truncated a third time")
        self.revert("4.3.0-bus", "4.2.0-messages")
        self.psql("revert", "4.2.0-switch", "CALL trading_migration.switch_back_table('discord_events')")
        self.db.execute("TRUNCATE public.signal_events")
        left["signal_events"] = [self.write("signal_events")]
        self.psql("revert", "4.2.0-switch")
        self.revert("4.2.0-fill", "4.2.0-extensions")
        aside = {t for t, in self.db.execute("SELECT DISTINCT relation FROM trading_migration.changed WHERE release = '4.2.0'")}
        check(not aside, "truncations: the log of 4.2.0 is empty after its revert", aside)
        self.verify("4.1.0-indexes", "after the revert of 4.2.0")
        # (rows that 4.2.0 had set aside were in no table, and are restored)
        found = {t: [i for i in ids if i in left[t]] for t, ids in self.rows(*left).items()}
        check(found == left, "truncations: rows written since are there", found)
        gone = {t: len(ids) for t, ids in self.rows(*left, "discord_messages", "trade_setups", "parsed_levels").items() if len(ids) > len(left.get(t, ())) + (20 if t == "order_events" else 0)}
        check(not gone, "truncations: truncated rows are not restored by the revert", gone)
        self.revert("4.1.0-indexes", "4.1.0-helpers")
        # rows that 4.1.0 had moved were not in the tables: they are restored
        for table, ids in moved.items():
            back = [i for i in ids if i in set(self.rows(table)[table])]
            check(back == ids, f"truncations: {table}: rows that 4.1.0 had moved are restored", (len(back), len(ids)))

        # tables whose changes the migrations cannot record
        self.db.execute("CREATE TABLE public.a_child () INHERITS (public.market_events)")
        done = subprocess.run(["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-v", "VERBOSITY=verbose", "-d", self.database, "-f", MIGRATIONS / "deploy" / "4.1.0-helpers.sql"],
                              capture_output=True, text=True, check=False)
        check("0A000" in done.stderr and "market_events" in done.stderr and not self.one("SELECT count(*) FROM pg_namespace WHERE nspname = 'trading_migration'"),
              "truncations: a table with children is refused before anything is done", done.stderr)
        self.db.close()


class Together:
    """Two operators deploy concurrently, and revert: each change is made once."""

    def __init__(self, database, folder, runner):
        import psycopg
        self.database, self.folder = database, folder
        self.name = f"together, {runner.__name__.lower()}"
        self.runner = runner(database, folder)
        self.db = psycopg.connect(f"dbname={database}", autocommit=True)

    def start(self, *arguments):
        kind = type(self.runner).__name__
        if kind == "Psql":
            command, options = ["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", self.database, "-f", MIGRATIONS / "deploy" / "4.1.0-constraints.sql"], {}
        else:
            command, options = self.runner.command(*arguments)
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)

    def both(self, *arguments):
        """Runs two concurrently: (exit status, output) of each."""
        processes = [self.start(*arguments) for _ in range(2)]
        said = [p.communicate() for p in processes]
        return [(p.returncode, out + err) for p, (out, err) in zip(processes, said)]

    def main(self):
        self.runner.deploy(last_of("4.0.0"))
        generate(self.database, 2000)
        if type(self.runner).__name__ == "Psql":
            self.runner.deploy("4.1.0-helpers")
            first, second = sorted(self.both(), key=lambda d: d[0])
            check(first[0] == 0 and (second[0] == 0 or "another migration of this database is at work" in second[1]), f"{self.name}: one deploys, the other is refused", second)
        else:
            if type(self.runner).__name__ == "Sqitch":
                # (a waiting one blocks CREATE INDEX CONCURRENTLY, so it must not wait for its minute)
                deploy, revert = ("deploy", "--to-change", changes()[-1], "--no-verify", "--lock-timeout", "3"), ("revert", "--to-change", changes()[0], "--lock-timeout", "3")
            else:
                deploy, revert = ("upgrade", "head"), ("downgrade", changes()[0].replace("-", "_"))
            for arguments in (deploy, revert):
                done = self.both(*arguments)
                check(any(status == 0 for status, _ in done), f"{self.name}: {arguments[0]}: one succeeds", [text[-500:] for _, text in done])
                check(all(status == 0 or "another instance of Sqitch" in text or "another migration of this database" in text for status, text in done),
                      f"{self.name}: {arguments[0]}: the other one does too, or says why not", [text[-500:] for _, text in done])
                if arguments is deploy:
                    repaired = sum(text.count("discord_channels: ") for _, text in done)
                    kinds = self.db.execute("SELECT count(DISTINCT kept_why) FROM before_4_1_0.discord_channels").fetchone()[0]
                    check(repaired == kinds, f"{self.name}: each change was made once", f"{repaired} notices of {kinds} kinds")
            check(not self.db.execute("SELECT to_regnamespace('trading_migration')::text").fetchone()[0], f"{self.name}: all is reverted")
            self.runner.deploy(last_of("4.1.0"))

        # a migration whose tool was killed still runs
        self.db.execute("SELECT trading_migration.alone()")
        pid = self.db.info.backend_pid
        for folder, change in [(f, c) for f in ("deploy", "revert") for c in changes()[2:]]:
            text = (MIGRATIONS / folder / f"{change}.sql").read_text(encoding="utf-8")
            check("trading_migration.alone()" in text, f"{self.name}: {folder} {change} checks that no other migration runs")
            if change not in ("4.1.0-constraints", "4.3.0-bus"):
                continue
            done = subprocess.run(["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-v", "VERBOSITY=verbose", "-d", self.database, "-f", "-"], input=text,
                                  capture_output=True, text=True, check=False)
            check(done.returncode == 3 and "55006" in done.stderr and f"process {pid}." in done.stderr, f"{self.name}: {folder} {change} is refused while another migration runs", done.stderr)
        self.db.close()
