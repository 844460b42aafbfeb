"""A throwaway server that is killed, starved and cheated; and what every part counts."""

import contextlib
import os
import re
import resource
import signal
import subprocess
import time
from pathlib import Path

import psycopg

# Lines of a log that no fault excuses.
WORST = re.compile(r"PANIC:|TRAP:|was terminated by signal (?!9\b)|leak|still referenced|AbortTransaction while in|you don't own a lock"
                   r"|non-empty SPI stack|was not closed|invalid memory alloc|cache lookup failed|could not open file .*base|unexpected chunk")


class Tally:
    """Passed and failed checks."""

    def __init__(self):
        self.passed = self.failed = 0

    def check(self, ok, what, detail=""):
        if ok:
            self.passed += 1
        else:
            self.failed += 1
            say(f"FAILED  {what} -- {str(detail)[:2000]}")
        return ok

    def equal(self, got, wanted, what):
        return self.check(got == wanted, what, f"got {got!r:.900}, wanted {wanted!r:.900}")


def say(line):
    print(line, flush=True)
    if os.environ.get("EV_FAULTS_REPORT"):
        with open(os.environ["EV_FAULTS_REPORT"], "a", encoding="utf-8") as report:
            report.write(line + "\n")


class Server:
    """A cluster in a folder.  The library is that of EV_SERVER_CONF, or in another root."""

    def __init__(self, folder, settings="", root=None, preload=True, environment=None, data=None, wrapper=()):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.data = Path(data) if data else self.folder / "data"
        self.log = self.folder / "log"
        self.log.touch()
        self.wrapper = list(wrapper)
        self.extra = environment or {}
        self.bin = subprocess.run([os.environ.get("EV_PG_CONFIG", "pg_config"), "--bindir"], check=True,
                                  capture_output=True, text=True).stdout.strip()
        self.env = {key: value for key, value in os.environ.items() if not key.startswith("PG")}
        self.env.update(PGHOST=str(self.folder), PGPORT="5432", PGUSER="postgres", PGDATABASE="postgres",
                        PATH=f"{self.bin}:{os.environ['PATH']}")
        if (self.data / "PG_VERSION").exists():
            return
        self.run("initdb", "-D", self.data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync")
        lines = os.environ.get("EV_SERVER_CONF", "")
        lines = "\n".join(line for line in lines.split("\n") if not line.startswith("shared_preload_libraries"))
        if root:
            lines = lines.replace(os.environ["EV_DESTDIR"], str(root))
        if preload:
            library = "$libdir/event_validate" if "extension_destdir" in lines else "event_validate"
            lines += f"\nshared_preload_libraries = '{library}'"
        self.configure(f"""{lines}
listen_addresses = ''
unix_socket_directories = '{self.folder}'
fsync = off
max_prepared_transactions = 10
restart_after_crash = on
log_line_prefix = '%m [%p] %e '
log_min_messages = warning
shared_buffers = 32MB
{settings}
""")

    def configure(self, lines):
        with open(self.data / "postgresql.conf", "a", encoding="utf-8") as conf:
            conf.write(lines + "\n")

    def run(self, program, *arguments, **options):
        return subprocess.run([program, *map(str, arguments)], env=self.env, check=True, capture_output=True, text=True, **options)

    def start(self, wait=True, limits=None):
        """limits: {resource.RLIMIT_...: bytes} of the server and all its processes"""
        def limit():
            for what, most in (limits or {}).items():
                resource.setrlimit(what, (most, most))
        # processes that outlive the postmaster keep its shared memory for a while
        for _ in range(120):
            done = subprocess.run([*self.wrapper, f"{self.bin}/pg_ctl", "-D", str(self.data), "-l", str(self.log), "-w" if wait else "-W",
                                   "-t", "120", "start"], env={**self.env, **self.extra}, preexec_fn=limit if limits else None,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
            if done.returncode == 0:
                return self
            time.sleep(0.5)
        raise RuntimeError("the server did not start: " + self.log.read_text(errors="replace")[-2000:])

    def stop(self, mode="fast"):
        if (self.data / "postmaster.pid").exists():
            subprocess.run([f"{self.bin}/pg_ctl", "-D", str(self.data), "-m", mode, "-w", "stop"], env=self.env, check=False,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def restart(self, mode="fast"):
        self.stop(mode)
        self.start()

    def postmaster(self):
        return int((self.data / "postmaster.pid").read_text(encoding="utf-8").split("\n")[0])

    def kill(self):
        """kill -9 of the postmaster; its children end by themselves."""
        os.kill(self.postmaster(), signal.SIGKILL)

    def connect(self, database="postgres", autocommit=True, **options):
        return psycopg.connect(host=str(self.folder), port=5432, user=options.pop("user", "postgres"), dbname=database,
                               autocommit=autocommit, connect_timeout=60, **options)

    def rows(self, sql, parameters=None, database="postgres"):
        with contextlib.closing(self.connect(database)) as session:
            return rows(session, sql, parameters)

    def one(self, sql, parameters=None, database="postgres"):
        return self.rows(sql, parameters, database)[0][0]

    def execute(self, *statements, database="postgres"):
        with contextlib.closing(self.connect(database)) as session:
            for statement in statements:
                session.execute(statement)

    def await_answer(self, seconds=120):
        """Waits until the server answers after a crash."""
        until = time.monotonic() + seconds
        while True:
            try:
                return self.one("SELECT pg_is_in_recovery()")
            except psycopg.Error:
                if time.monotonic() > until:
                    raise
                time.sleep(0.05)

    def await_that(self, sql, seconds=60):
        """Waits until a query answers true."""
        until = time.monotonic() + seconds
        while not self.one(sql):
            if time.monotonic() > until:
                return False
            time.sleep(0.02)
        return True

    def worst(self, after=0):
        """The lines of the log that no fault excuses."""
        with open(self.log, encoding="utf-8", errors="replace") as log:
            log.seek(after)
            return [line.rstrip()[:400] for line in log if WORST.search(line)]

    def log_size(self):
        return self.log.stat().st_size


def rows(session, sql, parameters=None):
    cursor = session.execute(sql, parameters)
    return cursor.fetchall() if cursor.description else []


def attempt(session, sql, parameters=None):
    """(SQLSTATE or None, rows or message); the session may be gone: SQLSTATE 57P01"""
    try:
        return None, rows(session, sql, parameters)
    except psycopg.Error as error:
        return error.sqlstate or ("57P01" if session.broken or session.closed else "?"), str(error)
