"""A standby that lags: its answers belong to its own moment; and promotion in the middle of a migration and a replay."""

import contextlib
import threading
import time

import psycopg

from server import Server, attempt, rows, say

SETUP = [
    "CREATE EXTENSION event_validate",
    "SELECT register_event_schema('n', 1, '{\"type\": \"integer\"}')",
    "SELECT register_event_schema('gone', 1, '{\"type\": \"integer\"}')",
    "SELECT register_event_schema('order', 1, '{\"type\": \"object\", \"additionalProperties\": false, \"required\": [\"qty\"], \"properties\": {\"qty\": {\"type\": \"integer\"}}}')",
    "SELECT set_event_compatibility('order', 'none')",
    "SELECT register_event_schema('order', 2, '{\"type\": \"object\", \"additionalProperties\": false, \"required\": [\"quantity\"], \"properties\": {\"quantity\": {\"type\": \"integer\"}}}')",
    "SELECT register_event_rename('order', 1, 2, '{\"/qty\": \"quantity\"}')",
    "CREATE TABLE numbers AS SELECT to_jsonb(i) AS data FROM generate_series(1, 100000) AS i",
    "CREATE TABLE orders (id int PRIMARY KEY, event_type text, schema_version int, data jsonb, CHECK (check_event(data, event_type, schema_version)))",
    "INSERT INTO orders SELECT i, 'order', 1, jsonb_build_object('qty', i) FROM generate_series(1, {rows}) AS i",
    "CREATE TABLE guarded (event_type text, schema_version int, data jsonb)",
    "SELECT add_event_guard('guarded', 'quarantine')",
    "INSERT INTO guarded SELECT 'late', 1, to_jsonb(i) FROM generate_series(1, {rows}) AS i",
    "SELECT register_event_schema('late', 1, 'true')",
    # so that a replay takes seconds
    "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.001); RETURN NEW; END'",
    "CREATE TRIGGER slow BEFORE INSERT ON guarded FOR EACH ROW EXECUTE FUNCTION slow()",
]

ANSWERS = ("SELECT validate_event('1', 'n', 1), validate_event('\"1\"', 'n', 1), validate_event('1', 'gone', 1), validate_event('1', 'new', 1),"
           " matching_event_versions('\"1\"', 'n'), (SELECT string_agg(event_type, ',' ORDER BY event_type) FROM event_schemas WHERE event_type IN ('gone', 'new'))")
BEFORE = [(True, False, True, False, [], "gone")]
AFTER = [(True, True, False, True, [1], "new")]
WHOLE = ("SELECT count(*)::int, count(DISTINCT id)::int, sum(COALESCE(data->>'qty', data->>'quantity')::int)::int, count(*) FILTER (WHERE NOT validate_event(data, event_type, schema_version))::int,"
         " (SELECT count(*) FROM guarded)::int + (SELECT count(*) FROM event_quarantine)::int, (SELECT count(DISTINCT data) FROM (SELECT data FROM guarded UNION ALL SELECT row->'data' FROM event_quarantine) AS s)::int FROM orders")


class Standby:
    def __init__(self, tally, folder, options):
        self.tally, self.options, self.folder = tally, options, folder
        self.count = 20000 if options.long else 2000

    def make_standby(self, name):
        standby_folder = self.folder / name
        standby_folder.mkdir(parents=True)
        self.primary.run("pg_basebackup", "-D", standby_folder / "data", "-R", "-X", "stream", "-c", "fast", "--no-sync")
        standby = Server(standby_folder, data=standby_folder / "data")
        standby.configure(f"unix_socket_directories = '{standby_folder}'\nmax_standby_streaming_delay = -1\nhot_standby_feedback = off")
        return standby.start()

    def caught_up(self, standby):
        target = self.primary.one("SELECT pg_current_wal_flush_lsn()::text")
        return standby.await_that(f"SELECT pg_last_wal_replay_lsn() >= '{target}'::pg_lsn", 120)

    def lag(self):
        """Replay is paused: the standby answers as the primary did then, in old and new sessions; then it follows."""
        standby = self.make_standby("lagging")
        try:
            with contextlib.closing(standby.connect()) as old:
                self.tally.equal(rows(old, ANSWERS), BEFORE, "standby: at first as the primary")
                standby.execute("SELECT pg_wal_replay_pause()")
                self.tally.check(standby.await_that("SELECT pg_get_wal_replay_pause_state() = 'paused'"), "standby: replay is paused")
                self.primary.execute("SELECT widen_event_schema('n', 1, '{\"type\": [\"integer\", \"string\"]}')", "SELECT drop_event_schema('gone', 1)",
                                     "SELECT register_event_schema('new', 1, 'true')")
                self.tally.equal(self.primary.rows(ANSWERS), AFTER, "standby: the primary has changed")
                for _ in range(3):
                    self.tally.equal(rows(old, ANSWERS), BEFORE, "standby: it lags, in an old session")
                    self.tally.equal(standby.rows(ANSWERS), BEFORE, "standby: it lags, in a new session")
                standby.execute("SELECT pg_wal_replay_resume()")
                self.tally.check(self.caught_up(standby), "standby: it catches up")
                self.tally.equal(rows(old, ANSWERS), AFTER, "standby: it has caught up, in an old session")
                self.tally.equal(standby.rows(ANSWERS), AFTER, "standby: it has caught up, in a new session")
            self.long_queries(standby)
        finally:
            standby.stop("immediate")

    def long_queries(self, standby):
        """Registrations, widenings and drops on the primary beside queries on the standby: each row has the answer of before or of after."""
        stopping = threading.Event()
        wrong, queries = [], [0]

        def change():
            number = 0
            with contextlib.closing(self.primary.connect()) as session:
                while not stopping.is_set():
                    number += 1
                    session.execute(f"SELECT register_event_schema('w{number}', 1, '{{\"type\": \"string\"}}')")
                    session.execute(f"SELECT widen_event_schema('w{number}', 1, '{{\"type\": [\"string\", \"integer\"]}}')")
                    session.execute(f"SELECT drop_event_schema('w{number}', 1)")

        def ask():
            with contextlib.closing(standby.connect()) as session:
                while not stopping.is_set():
                    state, found = attempt(session, "SELECT count(*) FILTER (WHERE validate_event(data, 'n', 1)), count(*) FILTER (WHERE validate_event(data, 'new', 1)) FROM numbers")
                    if found != [(100000, 100000)] and state != "40001":
                        wrong.append((state, found))
                    state, found = attempt(session, "SELECT event_type, validate_event('1', event_type, 1), validate_event('\"1\"', event_type, 1), validate_event('null', event_type, 1) FROM event_schemas WHERE event_type LIKE 'w%'")
                    if state not in (None, "40001") or (state is None and any(row[3] for row in found)):
                        wrong.append((state, found))
                    queries[0] += 1
        threads = [threading.Thread(target=change, daemon=True), *(threading.Thread(target=ask, daemon=True) for _ in range(2))]
        for thread in threads:
            thread.start()
        time.sleep(20 if self.options.long else 2)
        stopping.set()
        for thread in threads:
            thread.join(60)
        self.tally.equal(wrong[:5], [], f"standby: {queries[0]} long queries beside changes on the primary")
        say(f"standby: {queries[0]} long queries beside changes on the primary")

    def promote(self, name, command, part_done, ended, with_crash=False):
        """The standby is promoted in the middle of a command: nothing is lost or twice, and the command does the rest there.

        part_done: asks the standby whether it has a part of the work.  with_crash: asks the primary whether it is at work, and
        the primary crashes before the promotion."""
        standby = self.make_standby(name)
        whole = self.primary.rows(WHOLE)
        with contextlib.closing(self.primary.connect()) as session:
            session.execute("SET client_min_messages = error")
            thread = threading.Thread(target=lambda: attempt(session, command), daemon=True)
            thread.start()
            asked = self.primary if with_crash else standby
            self.tally.check(asked.await_that(part_done), f"{name}: a part is done")
            if with_crash:
                self.primary.stop("immediate")
            standby.execute("SELECT pg_promote()")
            self.tally.check(standby.await_that("SELECT NOT pg_is_in_recovery()"), f"{name}: the standby is promoted")
            part = standby.rows(ended)
            self.tally.equal(standby.rows(WHOLE), whole, f"{name}: nothing is lost or twice")
            standby.execute("SET client_min_messages = error", command)
            self.tally.equal(standby.rows(WHOLE), whole, f"{name}: nor after the rest")
            self.tally.equal(standby.rows(ended), [(0,)], f"{name}: the rest was done")
            self.tally.equal(standby.rows(ANSWERS), AFTER, f"{name}: its answers")
            say(f"standby: {name}: {part[0][0]} of {self.count} events were left at the promotion")
            thread.join(120)
        self.tally.equal(standby.worst(), [], f"{name}: the log")
        standby.stop("immediate")

    def run(self):
        self.primary = Server(self.folder / "primary", settings="wal_level = replica\nmax_wal_senders = 10\nautovacuum = off\nlog_min_messages = fatal").start()
        try:
            self.primary.execute(*(line.format(rows=self.count) if "{rows}" in line else line for line in SETUP))
            self.lag()
            # the standby's copy was made before: each has the whole work to do
            self.promote("migration", f"CALL migrate_events('orders', 'order', 2, batch_size => {self.count // 40})",
                         "SELECT count(*) > 0 FROM orders WHERE schema_version = 2", "SELECT count(*)::int FROM orders WHERE schema_version = 1")
            self.promote("replay", "SELECT * FROM replay_event_quarantine('guarded', max_rows => 1000000)",
                         "SELECT count(*) > 0 FROM event_progress WHERE relation = 'guarded'::regclass", "SELECT count(*)::int FROM event_quarantine", with_crash=True)
            self.tally.equal(self.primary.worst(), [], "standby: the primary's log")
        finally:
            self.primary.stop("immediate")
