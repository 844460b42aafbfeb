"""Cancels and timeouts after random times, in calls with large inputs.

statement_timeout, pg_cancel_backend, lock_timeout, pg_terminate_backend,
idle_in_transaction_session_timeout, idle_session_timeout, and transaction_timeout from
PostgreSQL 17.  Afterwards the session works and gives the answers of a fresh one, and the log has no line about
what was left behind."""

import contextlib
import random
import threading
import time

from server import Server, attempt, rows, say
from world import PROBES, build

LARGE = [
    "CREATE TABLE large (id bigint GENERATED ALWAYS AS IDENTITY, event_type text, schema_version int, data jsonb)",
    "INSERT INTO large (event_type, schema_version, data) SELECT 'order', 1, data || jsonb_build_object('qty', s.i, 'tags', jsonb_build_array(s.i::text, s.i % 100))"
    " FROM documents, generate_series(1, 20000) AS s (i) WHERE n = 1",
    "CREATE TABLE valid AS SELECT id, event_type, schema_version, data - 'tags' AS data FROM large",
    "ALTER TABLE valid ADD CHECK (check_event(data, event_type, schema_version))",
    "CREATE TABLE wide (schema jsonb, other jsonb)",
    "INSERT INTO wide SELECT jsonb_build_object('properties', jsonb_object_agg('key' || i, jsonb_build_object('type', 'string', 'pattern', '^(a|b' || i || ')*c', 'maxLength', i))),"
    " jsonb_build_object('properties', jsonb_object_agg('key' || i, jsonb_build_object('type', 'string', 'pattern', '^(a|b' || i || ')+c', 'maxLength', i + 1))) FROM generate_series(1, 1500) AS i",
    "CREATE TABLE documents_large (data jsonb)",
    "INSERT INTO documents_large SELECT jsonb_build_object('id', 1, 'tags', jsonb_agg(i % 50000)) FROM generate_series(1, 100000) AS i",
    "INSERT INTO quarantined (event_type, schema_version, data) SELECT 'late', 1, to_jsonb(i) FROM generate_series(1, 5000) AS i",
    "SELECT register_event_schema('late', 1, '{\"type\": \"integer\"}')",
]

CALLS = {
    "event_violations": "SELECT count(*) FROM documents_large, event_violations(data, 'order', 1)",
    "event_report": "SELECT length(event_report(data, 'order', 1, 'detailed')::text) FROM documents_large",
    "validate_event": "SELECT count(*) FILTER (WHERE validate_event(data, 'order', 1)) FROM large",
    "matching_event_versions": "SELECT count(matching_event_versions(data, 'order')) FROM large",
    "jsonb_matches_schema": "SELECT jsonb_matches_schema('{\"properties\": {\"tags\": {\"uniqueItems\": true, \"contains\": {\"const\": -1}}}}', data) FROM documents_large",
    "audit_events": "SELECT count(*) FROM audit_events('large')",
    "check_event_upgrade": "SELECT count(*) FROM check_event_upgrade('valid', 'order', 1, 2)",
    "register_event_schema": "SELECT register_event_schema('wide', 1, (SELECT schema FROM wide))",
    "register_schemas": "SELECT count(*) FROM register_schemas((SELECT jsonb_object_agg('w' || i || '@1', schema) FROM wide, generate_series(1, 3) AS i))",
    "lint_event_schema": "SELECT count(*) FROM lint_event_schema((SELECT schema FROM wide))",
    "event_schema_changes": "SELECT count(*) FROM wide, event_schema_changes(schema, other)",
    "event_asyncapi": "SELECT length(event_asyncapi()::text)",
    "insert.quarantined": "INSERT INTO quarantined (event_type, schema_version, data) SELECT event_type, schema_version, data FROM large",
    "insert.warned": "INSERT INTO warned (event_type, schema_version, data) SELECT event_type, schema_version, data FROM large",
    "insert.enforced": "INSERT INTO enforced (event_type, schema_version, data) SELECT event_type, schema_version, data FROM valid",
    "insert.checked": "INSERT INTO checked (event_type, schema_version, data) SELECT event_type, schema_version, data FROM valid",
    "replay": "SELECT replayed, problem FROM replay_event_quarantine('quarantined', 'late')",
    "replay.all": "SELECT replayed > 0, problem FROM replay_event_quarantine()",
    "purge": "SELECT purge_event_quarantine('0 s')",
    "upcast_event": "SELECT count(upcast_event(data, 'order', 1, 2)) FROM valid",
    "migrate_events": "CALL migrate_events('valid', 'order', 2, batch_size => 1000)",
    "add_event_check": "SELECT add_event_check('large', audit => true)",
    "add_event_guard": "SELECT add_event_guard('large', 'quarantine')",
    "drop_event_schema": "SELECT drop_event_schema('tick', 1)",
    "event_schema_usage": "SELECT count(*) FROM event_schema_usage()",
}

# after these the tables still have these numbers of rows
LASTING = "SELECT (SELECT count(*) FROM large), (SELECT count(*) FROM valid), (SELECT count(*) FROM valid WHERE NOT validate_event(data, event_type, schema_version))," \
          " (SELECT count(*) FROM quarantined) + (SELECT count(*) FROM event_quarantine WHERE relation_name = 'quarantined'), (SELECT count(*) FROM warned)"


class Timeouts:
    def __init__(self, tally, folder, options):
        self.tally, self.options = tally, options
        self.server = Server(folder, settings="synchronous_commit = off\nautovacuum = off")
        self.ended = {}

    def check_session(self, session, what):
        for probe, wanted in self.right:
            self.tally.equal(attempt(session, probe)[1], wanted, f"{what}: {probe:.60}")
        self.tally.equal(rows(session, "SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND locktype IN ('relation', 'object', 'advisory')"
                                       " AND COALESCE(relation, 0) NOT IN (SELECT oid FROM pg_class WHERE relnamespace = 'pg_catalog'::regnamespace)"), [(0,)], f"{what}: no lock is left")

    def cancel(self, session, sql, seconds):
        pid = session.info.backend_pid
        with contextlib.closing(self.server.connect()) as other:
            timer = threading.Timer(seconds, lambda: other.execute("SELECT pg_cancel_backend(%s)", (pid,)))
            timer.start()
            result = attempt(session, sql)
            timer.cancel()
            timer.join()
        # a cancel that came too late is for nobody
        attempt(session, "SELECT pg_sleep(0.01)")
        return result

    def timeout(self, setting, session, sql, seconds):
        session.execute(f"SET {setting} = {max(1, int(seconds * 1000))}")
        result = attempt(session, sql)
        reset = f"RESET {setting}"
        after = [reset] if result[0] is None else ["ROLLBACK", reset]
        while after and not session.broken:
            state, message = attempt(session, after[0])
            if session.broken:
                return state, message
            # the time may run out now, too, and the transaction with it
            if state == "57014":
                after = ["ROLLBACK", reset]
            elif state is not None:
                return f"{after[0]}: {state}", message
            else:
                del after[0]
        return result

    def try_one(self, name, sql, how, seconds):
        what = f"{name}, {how} after {seconds * 1000:.0f} ms"
        with contextlib.closing(self.server.connect()) as session:
            session.execute("SET client_min_messages = error")
            transaction = not sql.startswith("CALL")
            if transaction:
                session.execute("BEGIN; SAVEPOINT s")
            if how == "cancel":
                state, message = self.cancel(session, sql, seconds)
            else:
                state, message = self.timeout(how, session, sql, seconds)
            self.ended[state] = self.ended.get(state, 0) + 1
            gone = how == "transaction_timeout" and state in ("25P04", "57P01")
            # what cannot be known is not a reason to drop; a lock that is waited for is canceled by its own error
            self.tally.check(state in (None, "57014", "2BP01", "55000", "23514") or gone, f"{what}: it is canceled", (state, message))
            if gone:
                return
            self.tally.check(not session.broken, f"{what}: the session lives", message)
            if transaction:
                session.execute("ROLLBACK")
            self.check_session(session, what)

    def terminate(self, name, sql, seconds):
        with contextlib.closing(self.server.connect()) as session:
            session.execute("SET client_min_messages = error")
            session.execute("BEGIN")
            pid = session.info.backend_pid
            timer = threading.Timer(seconds, lambda: self.server.rows("SELECT pg_terminate_backend(%s)", (pid,)))
            timer.start()
            attempt(session, sql if not sql.startswith("CALL") else "SELECT 1")
            timer.join()
        self.tally.check(self.server.await_that(f"SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = {pid})"), f"{name}, pg_terminate_backend: the backend ends")

    def ends(self, setting, states, commands):
        """A timeout ends the session; its work and its counts are there as its transaction ended."""
        total = "SELECT coalesce(sum(valid + invalid), 0)::int FROM event_validation_stats WHERE event_type = 'timed'"
        self.server.rows("SELECT event_validation_stats_reset()")
        size = self.server.log_size()
        with contextlib.closing(self.server.connect()) as session:
            pid = session.info.backend_pid
            for command in ("SET client_min_messages = error", *commands, f"SET {setting} = 100"):
                session.execute(command)
            state, message = "no error", ""
            until = time.monotonic() + 60
            while state not in states and time.monotonic() < until:
                time.sleep(0.5)
                state, message = attempt(session, "SELECT 1")
        self.tally.check(state in states and session.broken, f"{setting} ends the session", (state, message))
        self.tally.check(self.server.await_that(f"SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = {pid})"), f"{setting}: the backend is gone")
        self.tally.check("FATAL" in self.server.log.read_text(encoding="utf-8", errors="replace")[size:], f"{setting}: the log has the FATAL")
        committed = 2 * sum(command.startswith("INSERT") for command in commands) if setting == "idle_session_timeout" else 0
        self.tally.equal(self.server.one("SELECT count(*)::int FROM warned WHERE event_type = 'timed'"), committed, f"{setting}: the rows of its committed transactions, and no other")
        # what a transaction that ended validated is counted, as after a ROLLBACK
        self.tally.check(self.server.await_that(f"SELECT ({total}) = 4", 20), f"{setting}: what it validated is counted", self.server.one(total))
        self.server.execute("DELETE FROM warned WHERE event_type = 'timed'")

    def sessions(self, ways):
        self.server.execute("SELECT register_event_schema('timed', 1, '{\"type\": \"integer\"}')")
        inserts = ["INSERT INTO warned (event_type, schema_version, data) VALUES ('timed', 1, '1'), ('timed', 1, '\"x\"')"] * 2
        self.ends("idle_session_timeout", ("57P05", "57P01"), inserts)
        self.ends("idle_in_transaction_session_timeout", ("25P03", "57P01"), ["BEGIN", *inserts])
        if "transaction_timeout" in ways:
            self.ends("transaction_timeout", ("25P04", "57P01"), ["BEGIN", *inserts])
        self.server.rows("SELECT drop_event_schema('timed', 1, force => true)")

    def idle(self):
        with contextlib.closing(self.server.connect()) as session:
            session.execute("SET idle_in_transaction_session_timeout = 100")
            session.execute("BEGIN")
            session.execute("INSERT INTO quarantined (event_type, schema_version, data) VALUES ('none', 1, '1'), ('order', 2, '{}')")
            time.sleep(0.5)
            self.tally.check(attempt(session, "SELECT 1")[0] in ("25P03", "57P01"), "idle_in_transaction_session_timeout ends the session")

    def lock_timeout(self):
        with contextlib.closing(self.server.connect()) as holder, contextlib.closing(self.server.connect()) as session:
            holder.execute("BEGIN; LOCK TABLE large, quarantined, checked IN ACCESS EXCLUSIVE MODE")
            for sql in ("SELECT add_event_check('large')", "SELECT add_event_guard('large', 'enforce')", "SELECT drop_event_schema('held', 1)", "SELECT set_event_guard_mode('quarantined', 'off')",
                        "SELECT count(*) FROM audit_events('large')", "INSERT INTO quarantined (event_type, schema_version, data) VALUES ('none', 1, '1')"):
                session.execute("SET lock_timeout = 200")
                state, message = attempt(session, sql)
                # a drop says what it could not look at
                self.tally.check(state == "55P03" or (state == "2BP01" and "lock timeout" in message), f"lock_timeout: {sql}", (state, message))
                session.execute("RESET lock_timeout")
            holder.execute("ROLLBACK")
            self.check_session(session, "lock_timeout")

    def run(self):
        self.server.start()
        try:
            build(self.server)
            self.server.execute(*(LARGE if self.options.long else [line.replace("20000", "200").replace("100000", "1000").replace("1500", "50") for line in LARGE]))
            self.right = [(probe, self.server.rows(probe)) for probe in PROBES]
            lasting = self.server.rows(LASTING)
            choice = random.Random(self.options.seed)
            ways = ["cancel", "statement_timeout"]
            if self.server.one("SELECT current_setting('server_version_num')::int") >= 170000:
                ways.append("transaction_timeout")
            for name, sql in CALLS.items():
                self.ended = {}
                for _ in range(self.options.cancels):
                    for how in ways:
                        self.try_one(name, sql, how, choice.choice((0.002, 0.01, 0.05, 0.3)) * choice.uniform(0.5, 2))
                self.terminate(name, sql, choice.uniform(0.001, 0.05))
                if name == "migrate_events":
                    with contextlib.closing(self.server.connect()) as session:
                        session.execute("SET client_min_messages = error")
                        self.tally.equal(attempt(session, sql)[0], None, "migrate_events ends after the cancels")
                say(f"timeouts: {name:26} " + ", ".join(f"{count} {state or 'done'}" for state, count in sorted(self.ended.items(), key=str)))
            self.idle()
            self.sessions(ways)
            self.lock_timeout()
            self.tally.equal(self.server.rows(LASTING), lasting, "timeouts: no row is lost, and none is added")
            self.tally.equal(self.server.worst(), [], "timeouts: nothing is left behind")
        finally:
            self.server.stop("immediate")
