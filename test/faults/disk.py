"""A disk that is full: at registration, at a guard's diversion, in a migration, a replay and others.

The disk is a small tmpfs: EV_FAULTS_DISK, which scripts/check-faults mounts as root, or
one in a namespace of this program's own (unshare).  Where neither can be had, the files
of the server get a limit on their size instead (ulimit -f).

tables   a tablespace on it: each command fails with a clear error, loses nothing, and
         works after space was made
wal      the whole cluster on it: PostgreSQL stops (PANIC), and recovers what it
         acknowledged after space was made"""

import contextlib
import os
import re
import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path

import psycopg

from server import Server, attempt, rows, say
from world import PROBES, build

SIZE = "120m"
NAMESPACE = ["unshare", "--user", "--map-current-user", "--keep-caps", "--mount"]

# name: statement with %s, which is another number each time
COMMANDS = {
    "register_event_schema": "SELECT register_event_schema('new' || %s, 1, jsonb_build_object('properties', (SELECT jsonb_object_agg(md5(i::text || %s), jsonb_build_object('type', 'string')) FROM generate_series(1, 300) AS i)))",
    "register_schemas": "SELECT count(*) FROM register_schemas((SELECT jsonb_object_agg('bundle' || i || '_' || %s || '@1', jsonb_build_object('properties', (SELECT jsonb_object_agg(md5(j::text || %s), '{}'::jsonb)"
                        " FROM generate_series(1, 100) AS j))) FROM generate_series(1, 10) AS i))",
    "a diversion": "INSERT INTO quarantined (event_type, schema_version, data) SELECT 'order', 1, jsonb_build_object('id', %s::int, 'n', i, 'note', repeat(md5(i::text), 20)) FROM generate_series(1, 200) AS i, generate_series(1, %s::int %% 2 + 1)",
    "a warning": "INSERT INTO warned (event_type, schema_version, data) SELECT 'order', 1, jsonb_build_object('id', %s::int, 'n', i, 'note', repeat(md5(i::text), 20)) FROM generate_series(1, 200) AS i, generate_series(1, %s::int %% 2 + 1)",
    "a CHECK": "INSERT INTO checked (event_type, schema_version, data) SELECT 'order', 1, data || jsonb_build_object('note', repeat(md5(i::text || %s), 20 + %s::int %% 2)) FROM documents, generate_series(1, 200) AS i WHERE n = 1",
    "migrate_events": "CALL migrate_events('bulky', 'order', 2, batch_size => 100)",
    "replay of all": "SELECT sum(replayed)::int, string_agg(problem, '') FROM replay_event_quarantine(event_type => 'late', max_rows => 1500)",
    "replay": "SELECT sum(replayed)::int FROM replay_event_quarantine('quarantined', 'late')",
    "standardize_event_column": "SELECT standardize_event_column('moved_bulky', 'body')",
    "add_event_guard": "SELECT add_event_guard(t, 'quarantine'), add_event_check(t) FROM (SELECT ('many_' || i)::regclass AS t FROM generate_series(1, 150) AS i) AS s",
}
SETUP = [
    "CREATE TABLE bulky (id int, event_type text, schema_version int, data jsonb)",
    "INSERT INTO bulky SELECT s.i, 'order', 1, data || jsonb_build_object('note', repeat(md5(s.i::text), 30)) FROM documents, generate_series(1, 3000) AS s (i) WHERE n = 1",
    "CREATE TABLE moved_bulky AS SELECT id, event_type, schema_version, data AS body FROM bulky",
    "INSERT INTO quarantined (event_type, schema_version, data) SELECT 'late', 1, to_jsonb(repeat(md5(i::text), 60)) FROM generate_series(1, 3000) AS i",
    "SELECT register_event_schema('late', 1, '{\"type\": \"string\"}')",
    "DO $$ BEGIN FOR i IN 1..150 LOOP EXECUTE format('CREATE TABLE many_%s (event_type text, schema_version int, data jsonb)', i); END LOOP; END $$",
]
# of these, no fault may lose or repeat anything
BULKY = "SELECT count(*)::int, count(DISTINCT id)::int, count(*) FILTER (WHERE validate_event(data, event_type, schema_version))::int, count(*) FILTER (WHERE data->>'note' = repeat(md5(id::text), 30))::int FROM bulky"
LATE = "SELECT (SELECT count(*) FROM quarantined WHERE event_type = 'late')::int + (SELECT count(*) FROM event_quarantine WHERE event_type = 'late')::int"
COUNTS = {
    "a diversion": "SELECT (SELECT count(*) FROM event_quarantine WHERE event_type = 'order' AND NOT kept)::int, (SELECT count(*) FROM quarantined WHERE event_type = 'order')::int",
    "a warning": "SELECT (SELECT count(*) FROM event_quarantine WHERE kept)::int - (SELECT count(*) FROM warned)::int, (SELECT count(*) FROM warned)::int",
    "a CHECK": "SELECT count(*)::int FROM checked",
    "register_event_schema": "SELECT count(*)::int FROM event_schemas WHERE event_type LIKE 'new%'",
    "register_schemas": "SELECT count(*)::int FROM event_schemas WHERE event_type LIKE 'bundle%'",
    "add_event_guard": "SELECT count(*)::int FROM event_enforcement WHERE name IS NOT NULL AND relation::text LIKE 'many%'",
    "standardize_event_column": "SELECT count(*)::int FROM pg_attribute WHERE attrelid = 'moved_bulky'::regclass AND attname = 'data'",
}


class Disk:
    def __init__(self, tally, folder, options):
        self.tally, self.options, self.folder = tally, options, Path(folder)

    def run(self):
        if os.environ.get("EV_FAULTS_DISK"):
            self.on(Path(os.environ["EV_FAULTS_DISK"]), os.environ.get("EV_FAULTS_DISK_HOW", "a tmpfs mounted by root"))
            return
        disk = self.folder / "disk"
        disk.mkdir(parents=True)
        inside = [*NAMESPACE, "sh", "-c", 'mount -t tmpfs -o "size=$1" tmpfs "$2" && shift 2 && exec "$@"', "sh", SIZE, str(disk)]
        if shutil.which("unshare") and subprocess.run([*inside, "true"], capture_output=True, check=False).returncode == 0:
            program = [sys.executable, str(Path(sys.argv[0]).resolve()), "--seed", str(self.options.seed), *(["--long"] if self.options.long else []), "disk"]
            done = subprocess.Popen([*inside, *program], stdout=subprocess.PIPE, text=True,
                                    env={**{name: value for name, value in os.environ.items() if name != "EV_FAULTS_REPORT"}, "EV_FAULTS_DISK": str(disk), "EV_FAULTS_DISK_HOW": "a tmpfs in a namespace of its own"})
            last = ""
            for line in done.stdout:
                last = line.rstrip()
                if not re.match(r"seed |\d+ passed|disk: \d+ s", last):
                    say(last)
            done.wait()
            counts = re.match(r"(\d+) passed, (\d+) failed", last)
            self.tally.check(counts is not None, "disk: the program in the namespace ends", last)
            if counts:
                self.tally.passed += int(counts[1])
                self.tally.failed += int(counts[2])
            return
        self.limited()

    # ---------- ballast ----------

    def fill(self, disk, spare):
        """Fills the disk but for some bytes."""
        with open(disk / "ballast", "ab") as ballast:
            size = max(0, shutil.disk_usage(disk).free - spare)
            ballast.write(b"x" * size)

    def free(self, disk):
        (disk / "ballast").unlink(missing_ok=True)

    # ---------- tables ----------

    def invariants(self, session, what):
        self.tally.equal(rows(session, BULKY), [(3000, 3000, 3000, 3000)], f"{what}: the migrated table is whole")
        self.tally.equal(rows(session, LATE), [(3000,)], f"{what}: no quarantined event is lost")
        for probe, wanted in self.right:
            if "order_view" not in probe:
                self.tally.equal(attempt(session, probe)[1], wanted, f"{what}: {probe:.60}")

    def run_full(self, session, name, sql, parameters, disk):
        """Runs a command on a full disk until it fails; its counts do not change by a failure."""
        for number in range(1, 400):
            before = rows(session, COUNTS[name]) if name in COUNTS else None
            state, message = attempt(session, sql, (f"{name}{number}" if "register" in name else number, number) if parameters else None)
            self.found = message
            if state is not None:
                if before is not None:
                    self.tally.equal(rows(session, COUNTS[name]), before, f"disk: {name}: nothing is half done")
                return number, state, message
            if not parameters:
                # it fitted: less room
                return number, None, ""
            self.fill(disk, 0)
        return number, None, ""

    def on(self, disk, how):
        say(f"disk: {how}, {shutil.disk_usage(disk).total // 1048576} MB")
        self.tables(disk)
        self.wal(disk)

    def tables(self, disk):
        # plain: the server's own folder is elsewhere
        server = Server(self.folder / "tables", settings="autovacuum = off\nlog_min_messages = fatal\nmax_parallel_workers_per_gather = 0\ntemp_tablespaces = 'small'\nsynchronous_commit = off")
        server.start()
        place = disk / "space"
        place.mkdir()
        try:
            server.execute(f"CREATE TABLESPACE small LOCATION '{place}'", "CREATE DATABASE small TABLESPACE small")
            server.env["PGDATABASE"] = "small"
            with contextlib.closing(server.connect("small")) as session:
                from world import SETUP as WORLD
                session.execute("SET client_min_messages = error")
                for statement in [*WORLD, *SETUP]:
                    session.execute(statement)
                session.execute("CHECKPOINT")
                self.right = [(probe, rows(session, probe)) for probe in PROBES]
                for name, sql in COMMANDS.items():
                    parameters = "%s" in sql
                    self.fill(disk, 0)
                    tries, state, message = self.run_full(session, name, sql if parameters else sql.replace("%", "%%"), parameters, disk)
                    first = message.split("\n")[0]
                    told = state == "53100" and "No space left" in first
                    if name == "replay of all":
                        # it reports the problem of each table
                        told = state is None and "No space left" in str(self.found)
                        first = str(self.found)
                    self.tally.check(told or name == "standardize_event_column", f"disk: {name}: a clear error", (state, first))
                    self.invariants(session, f"disk: {name}")
                    self.free(disk)
                    state, after = attempt(session, sql if parameters else sql.replace("%", "%%"), ("after", 0) if "register" in name else (1000, 0) if parameters else None)
                    self.tally.check(state is None, f"disk: {name}: it goes on after space was made", after)
                    self.invariants(session, f"disk: {name}, with space")
                    say(f"disk: {name:26} {tries} tries, {first or 'done'}")
                self.tally.equal(rows(session, "SELECT min(schema_version), max(schema_version) FROM bulky"), [(2, 2)], "disk: at the end all is migrated")
                self.tally.equal(rows(session, "SELECT count(*) FROM event_quarantine WHERE event_type = 'late'"), [(0,)], "disk: at the end all is replayed")
            self.tally.equal(server.worst(), [], "disk: the log")
        finally:
            server.stop("immediate")
            shutil.rmtree(place, ignore_errors=True)

    # ---------- WAL ----------

    def wal(self, disk):
        server = Server(self.folder / "wal", data=disk / "data",
                        settings="max_wal_size = 32MB\nmin_wal_size = 32MB\nautovacuum = off\nwal_recycle = off\nshared_buffers = 4MB\nfull_page_writes = on")
        server.start()
        try:
            build(server)
            self.right = [(probe, server.rows(probe)) for probe in PROBES]
            acknowledged, unknown = 0, 0
            with contextlib.closing(server.connect()) as session:
                session.execute("SET client_min_messages = error")
                self.fill(disk, 8 * 1024 * 1024)
                for number in range(100000):
                    try:
                        # WAL grows faster than the tables
                        session.execute("SELECT pg_logical_emit_message(false, '', repeat('x', 300000))")
                        session.execute("INSERT INTO quarantined (event_type, schema_version, data) SELECT CASE i %% 2 WHEN 0 THEN 'order' ELSE 'none' END, 1,"
                                        " data || jsonb_build_object('note', repeat(md5(%s::text), 30)) FROM documents, generate_series(1, 20) AS i WHERE n = 1", (number,))
                        acknowledged += 1
                    except psycopg.Error as error:
                        unknown += 1
                        reason = str(error).split("\n")[0]
                        if session.broken or unknown > 3:
                            break
            time.sleep(0.5)
            self.free(disk)
            server.stop("immediate")
            server.start()
            server.await_answer()
            stored, diverted = server.rows("SELECT (SELECT count(*)::int FROM quarantined WHERE event_type = 'order'), (SELECT count(*)::int FROM event_quarantine WHERE event_type = 'none')")[0]
            self.tally.check(10 * acknowledged <= stored <= 10 * (acknowledged + unknown) and stored == diverted, "disk: the WAL's disk is full: what was acknowledged is there",
                             (acknowledged, unknown, stored, diverted))
            for probe, wanted in self.right:
                self.tally.equal(server.rows(probe), wanted, f"disk: after the WAL's disk was full: {probe:.60}")
            server.execute("SELECT register_event_schema('none', 1, 'true')", "SELECT * FROM replay_event_quarantine('quarantined', 'none', max_rows => 1000000)")
            self.tally.equal(server.rows("SELECT (SELECT count(*)::int FROM quarantined WHERE event_type = 'none'), (SELECT count(*)::int FROM event_quarantine WHERE event_type = 'none')"),
                             [(diverted, 0)], "disk: all can be replayed")
            self.tally.equal([line for line in server.worst() if "No space left" not in line and not re.search(r"terminated by signal 6", line)], [], "disk: the log")
            say(f"disk: the WAL's disk is full: {acknowledged} transactions acknowledged, {unknown} not ({reason}), {stored} + {diverted} events found")
        finally:
            server.stop("immediate")
            shutil.rmtree(disk / "data", ignore_errors=True)

    # ---------- without a disk ----------

    def limited(self):
        """The server's files may not grow beyond a size."""
        say("disk: a limit on the size of files (ulimit -f): no tmpfs can be mounted, and the WAL's disk is left out")
        server = Server(self.folder / "limited", settings="autovacuum = off\nlog_min_messages = fatal\nmax_parallel_workers_per_gather = 0")
        server.start()
        try:
            build(server)
            server.execute(*SETUP)
            self.right = [(probe, server.rows(probe)) for probe in PROBES]
            server.stop()
            server.start(limits={resource.RLIMIT_FSIZE: 17 * 1048576})
            with contextlib.closing(server.connect()) as session:
                session.execute("SET client_min_messages = error")
                for name in ("a diversion", "a warning", "a CHECK"):
                    for number in range(1, 2000):
                        before = rows(session, COUNTS[name])
                        state, message = attempt(session, COMMANDS[name], (number, number))
                        if state is not None:
                            break
                    self.tally.check(state is not None and "File too large" in message, f"disk: {name}: a clear error", (state, message))
                    self.tally.equal(rows(session, COUNTS[name]), before, f"disk: {name}: nothing is half done")
                    self.invariants(session, f"disk: {name}")
                    say(f"disk: {name:26} {number} tries, {message.split(chr(10))[0]}")
            server.restart()
            with contextlib.closing(server.connect()) as session:
                session.execute("SET client_min_messages = error")
                for name in ("a diversion", "a warning", "a CHECK"):
                    self.tally.equal(attempt(session, COMMANDS[name], (1000, 0))[0], None, f"disk: {name}: it goes on without the limit")
                self.invariants(session, "disk: without the limit")
            self.tally.equal(server.worst(), [], "disk: the log")
        finally:
            server.stop("immediate")
