"""Too little memory, shared memory and connections.

memory: a server whose processes may use little address space (ulimit -v).
shared: a lock table that is full, statistics of the smallest size, no connection left."""

import contextlib
import re
import resource

import psycopg

from server import Server, attempt, rows, say
from world import PROBES, build

# each needs more memory than the limit leaves
GREEDY = {
    "a large document": "SELECT validate_event(jsonb_build_object('tags', (SELECT jsonb_agg(i) FROM generate_series(1, {n}) AS i)), 'order', 1)",
    "violations of a large document": "SELECT count(*) FROM event_violations((SELECT jsonb_build_object('tags', jsonb_agg(i::text || i)) FROM generate_series(1, {n}) AS i), 'order', 1)",
    "a large schema": "SELECT register_event_schema('huge', 1, jsonb_build_object('properties', (SELECT jsonb_object_agg('key' || i, jsonb_build_object('type', 'string', 'pattern', '^(a|b)*c' || i)) FROM generate_series(1, {n} / 8) AS i)))",
    "a large bundle": "SELECT count(*) FROM register_schemas((SELECT jsonb_object_agg('huge' || i || '@1', jsonb_build_object('properties', (SELECT jsonb_object_agg('key' || j, jsonb_build_object('pattern', '^a*b' || i || '$'))"
                      " FROM generate_series(1, {n} / 300 + 1) AS j))) FROM generate_series(1, 60) AS i))",
    "a comparison": "SELECT count(*) FROM (SELECT jsonb_build_object('properties', jsonb_object_agg('key' || i, jsonb_build_object('enum', jsonb_build_array(i, i + 1)))) AS a,"
                    " jsonb_build_object('properties', jsonb_object_agg('key' || i, jsonb_build_object('enum', jsonb_build_array(i, i + 2)))) AS b FROM generate_series(1, {n} / 8) AS i) AS s, event_schema_changes(a, b)",
    "a guard with a large row": "INSERT INTO quarantined (event_type, schema_version, data) SELECT 'order', 1, jsonb_agg(i) FROM generate_series(1, {n}) AS i",
    "a large row in mode warn": "INSERT INTO warned (event_type, schema_version, data) SELECT 'order', 1, jsonb_agg(i) FROM generate_series(1, {n}) AS i",
    "a large row with a CHECK": "INSERT INTO checked (event_type, schema_version, data) SELECT 'order', 1, jsonb_agg(i) FROM generate_series(1, {n}) AS i",
    "a migration": "CALL migrate_events('bulky', 'order', 2, batch_size => 10000)",
    "a lint": "SELECT count(*) FROM lint_event_schema((SELECT jsonb_build_object('properties', jsonb_object_agg('key' || i, jsonb_build_object('propertys', 1, 'pattern', 'a' || i))) FROM generate_series(1, {n} / 8) AS i))",
}
SIZES = (1000, 3000, 8000, 20000, 50000, 100000, 200000, 400000)
BULKY = [
    "CREATE TABLE bulky (id int, event_type text, schema_version int, data jsonb)",
    "INSERT INTO bulky SELECT s.i, 'order', 1, data || jsonb_build_object('note', repeat('x', 20000)) FROM documents, generate_series(1, {rows}) AS s (i) WHERE n = 1",
]
BULKY_SUM = "SELECT count(*), count(DISTINCT id), count(*) FILTER (WHERE NOT validate_event(data, event_type, schema_version)), sum(length(data->>'note')) FROM bulky"


class Memory:
    """The server's processes get a limit on their address space."""

    def __init__(self, tally, folder, options):
        self.tally, self.options = tally, options
        self.server = Server(folder, settings="synchronous_commit = off\nautovacuum = off\nmax_parallel_workers_per_gather = 0\nwork_mem = 64MB\nlog_min_messages = fatal")

    def run(self):
        self.server.start()
        build(self.server)
        self.server.execute(*(line.format(rows=2000 if self.options.long else 100) for line in BULKY))
        right = [(probe, self.server.rows(probe)) for probe in PROBES]
        whole = self.server.rows(BULKY_SUM)
        self.tally.equal(self.server.rows("SELECT validate_event('{}', 'order', 1)"), [(False,)], "memory: the server works")
        with contextlib.closing(self.server.connect()) as session:
            rows(session, "SELECT validate_event('{}', 'order', 1)")
            with open(f"/proc/{session.info.backend_pid}/status", encoding="utf-8") as status:
                used = int(re.search(r"VmPeak:\s+(\d+)", status.read())[1]) * 1024
        try:
            reached = set()
            for spare in (3, 8, 16, 32, 64) if self.options.long else (16,):
                self.server.stop()
                self.server.start(limits={resource.RLIMIT_AS: used + spare * 1024 * 1024})
                log_size = self.server.log_size()
                outcomes = []
                with contextlib.closing(self.server.connect()) as session:
                    session.execute("SET client_min_messages = error")
                    for name, sql in GREEDY.items():
                        # ever larger, so that it runs out somewhere
                        for size in SIZES if self.options.long else SIZES[-2:]:
                            # what is registered is not kept
                            if not sql.startswith("CALL"):
                                session.execute("BEGIN")
                            state, message = attempt(session, sql.format(n=size))
                            if not self.tally.check(not session.broken, f"memory, {spare} MB to spare, {name} of {size}: the session lives", message):
                                return
                            self.tally.check(state in (None, "53200", "23514", "54000", "54001", "54023", "22023"),
                                             f"memory, {spare} MB to spare, {name} of {size}: the error is 53200", (state, message))
                            if not sql.startswith("CALL"):
                                session.execute("ROLLBACK")
                            if state == "53200":
                                reached.add(name)
                                break
                        outcomes.append(f"{state or 'done'} at {size}")
                        for probe, wanted in right:
                            state, found = attempt(session, probe)
                            if state == "53200":        # what the session keeps fills the memory: another session has some
                                state, found = None, self.server.rows(probe)
                            self.tally.equal(found, wanted, f"memory, {spare} MB to spare, {name}: {probe:.60}")
                        if name == "a migration":
                            self.tally.equal(self.server.rows(BULKY_SUM), whole, f"memory, {spare} MB to spare: a migration loses nothing")
                self.tally.equal(self.server.worst(log_size), [], f"memory, {spare} MB to spare: the log")
                say(f"memory: {spare:3} MB to spare: " + ", ".join(f"{name} {outcome}" for name, outcome in zip(GREEDY, outcomes)))
            self.server.stop()
            self.server.start()
            with contextlib.closing(self.server.connect()) as session:
                session.execute("SET client_min_messages = error")
                self.tally.equal(attempt(session, "CALL migrate_events('bulky', 'order', 2)")[0], None, "memory: the migration ends when there is enough")
                self.tally.equal(rows(session, BULKY_SUM), whole, "memory: nothing is lost")
            if self.options.long:
                self.tally.equal(sorted(set(GREEDY) - reached), [], "memory: each of them ran out of memory once")
        finally:
            self.server.stop("immediate")


class Shared:
    """Few locks, few connections, statistics of the smallest size."""

    def __init__(self, tally, folder, options):
        self.tally, self.options = tally, options
        self.server = Server(folder, settings="max_locks_per_transaction = 10\nmax_connections = 12\nsuperuser_reserved_connections = 1\nmax_prepared_transactions = 0\n"
                                              "max_worker_processes = 2\nautovacuum = off\nevent_validate.stats_max = 100\nevent_validate.stats_history_hours = 0\n"
                                              "event_validate.stats_history_days = 0\nlog_min_messages = fatal")

    def fill_locks(self, holder, free):
        """Takes locks until there is room for so many more."""
        taken = 0
        with contextlib.suppress(psycopg.errors.OutOfMemory):
            while True:
                holder.execute("SELECT count(pg_advisory_lock(i)) FROM generate_series(%s::bigint, %s) AS i", (taken, taken + 9))
                taken += 10
        holder.execute("SELECT pg_advisory_unlock_all()")
        holder.execute("SELECT count(pg_advisory_lock(i)) FROM generate_series(1::bigint, %s) AS i", (taken - free,))
        return taken

    def locks(self):
        """Commands with many objects: an error with a HINT, and nothing half done."""
        many = 300
        server = self.server
        server.execute(*(f"SELECT count(register_event_schema('d' || i, 1, 'true')) FROM generate_series({first}, {first + 29}) AS i" for first in range(1, many, 30)),
                       "CREATE TABLE parts (event_type text, schema_version int, data jsonb) PARTITION BY LIST (schema_version)",
                       *(f"CREATE TABLE parts_{i} PARTITION OF parts FOR VALUES IN ({i})" for i in range(many)))
        state_of = ("SELECT (SELECT count(*) FROM event_schemas), (SELECT count(*) FROM pg_trigger WHERE tgrelid::regclass::text LIKE 'parts%'),"
                    " (SELECT count(*) FROM pg_constraint WHERE conrelid::regclass::text LIKE 'parts%')")
        before = server.rows(state_of)
        with contextlib.closing(server.connect()) as holder, contextlib.closing(server.connect()) as session:
            session.execute("SET client_min_messages = error")
            self.fill_locks(holder, 100)
            for name, sql in {
                    "a large bundle": f"SELECT count(*) FROM register_schemas((SELECT jsonb_object_agg('m' || i || '@1', '{{\"type\": \"object\"}}'::jsonb) FROM generate_series(1, {many}) AS i))",
                    "many registrations": f"SELECT count(register_event_schema('m' || i, 1, 'true')) FROM generate_series(1, {many}) AS i",
                    "many references": f"SELECT register_event_schema('refers', 1, jsonb_build_object('anyOf', (SELECT jsonb_agg(jsonb_build_object('$ref', 'event:d' || i || '@1')) FROM generate_series(1, {many}) AS i)))",
                    "many drops": f"SELECT count(drop_event_schema('d' || i, 1)) FROM generate_series(1, {many}) AS i",
                    "a guard of many partitions": "SELECT add_event_guard('parts', 'quarantine')",
                    "a check of many partitions": "SELECT add_event_check('parts')",
                    "an audit of many partitions": "SELECT count(*) FROM audit_events('parts')"}.items():
                try:
                    session.execute(sql)
                    state, hint = None, ""
                except psycopg.Error as error:
                    state, hint = error.sqlstate, error.diag.message_hint or ""
                self.tally.check(state == "53200" and "max_locks_per_transaction" in hint, f"shared: {name}: 53200 with a HINT", (state, hint))
                self.tally.equal(rows(session, state_of), before, f"shared: {name}: nothing is half done")
                for probe, wanted in self.right:
                    self.tally.equal(attempt(session, probe)[1], wanted, f"shared: {name}: {probe:.60}")
                say(f"shared: {name}: {state}, {hint}")
            holder.execute("SELECT pg_advisory_unlock_all()")

    def statistics(self):
        """More versions and reasons than there is room for: counted, displaced, never refused."""
        with contextlib.closing(self.server.connect()) as session:
            session.execute("SET client_min_messages = error")
            for i in range(300):
                attempt(session, "SELECT check_event('1', %s, 1)", (f"unknown{i}",))
                attempt(session, "SELECT validate_event(jsonb_build_object('id', 1, %s::text, 1), 'order', 1)", (f"key{i}",))
            count, failures = rows(session, "SELECT (SELECT count(*)::int FROM event_validation_stats), (SELECT count(*)::int FROM event_validation_failures)")[0]
            self.tally.check(count <= 100 and failures <= 100, "shared: the statistics stay within their memory", (count, failures))
            self.tally.check(rows(session, "SELECT stats_evicted > 0 FROM event_validation_stats_info")[0][0], "shared: some have left")
            self.tally.equal(rows(session, "SELECT count(*) FROM event_validation_stats_history")[0][0], 0, "shared: no history")

    def connections(self):
        """No connection is left: clients hear 53300, those that are connected go on."""
        with contextlib.ExitStack() as stack:
            sessions = []
            try:
                for _ in range(40):
                    sessions.append(stack.enter_context(contextlib.closing(self.server.connect(user="plain"))))
                state = None
            except psycopg.Error as error:
                state = str(error)
            self.tally.check(state is not None and ("remaining connection slots" in state or "too many clients" in state), "shared: no connection is left", state)
            for session in sessions:
                self.tally.equal(attempt(session, "SELECT validate_event('1', 'later', 1)")[1], [(True,)], "shared: those that are connected go on")
        self.tally.check(self.server.await_that("SELECT count(*) = 0 FROM pg_stat_activity WHERE usename = 'plain'"), "shared: they end")

    def run(self):
        self.server.start()
        try:
            build(self.server)
            self.server.execute("CREATE ROLE plain LOGIN")
            self.right = [(probe, self.server.rows(probe)) for probe in PROBES]
            self.locks()
            self.statistics()
            self.connections()
            self.server.restart()
            for probe, wanted in self.right:
                self.tally.equal(self.server.rows(probe), wanted, f"shared: after a restart: {probe:.60}")
            self.tally.equal(self.server.worst(), [], "shared: the log")
        finally:
            self.server.stop("immediate")
