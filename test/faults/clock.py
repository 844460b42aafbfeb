"""A clock that jumps: forwards and backwards by hours, days and years, and to before 2000.

libfaketime gives the server the clock of the day; the clock for intervals is the real
one, as on a machine whose clock is set.  Counting, logging, notices and waiting go on
after each jump, in sessions that were open before it."""

import contextlib
import time
from pathlib import Path

from server import Server, rows, say
from tools import Unavailable, debian_files

# seconds by which the clock differs from the real one
YEAR = 365 * 86400
JUMPS = (3600, -3600, 86400 * 40, -86400 * 40, 10 * YEAR, -10 * YEAR, -40 * YEAR, 60 * YEAR, 0)

SETUP = [
    "CREATE EXTENSION event_validate",
    "SELECT register_event_schema('n', 1, '{\"type\": \"integer\"}')",
    "SELECT register_event_schema('old', 1, '{\"type\": \"integer\", \"deprecated\": true}')",
    "CREATE TABLE checked (data jsonb CHECK (check_event(data, 'n', 1)))",
    "CREATE TABLE warned (event_type text, schema_version int, data jsonb)",
    "SELECT add_event_guard('warned', 'warn')",
    "CREATE TABLE big (event_type text, schema_version int, data jsonb)",
    "INSERT INTO big SELECT 'n', 1, to_jsonb(i) FROM generate_series(1, 3000) AS i",
]


class Clock:
    def __init__(self, tally, folder, options):
        self.tally, self.options, self.folder = tally, options, folder

    def jump(self, seconds):
        self.file.write_text(f"{seconds:+d}\n", encoding="utf-8")

    def run(self):
        try:
            library = next(debian_files("libfaketime").glob("usr/lib/*/faketime/libfaketimeMT.so.1"))
        except (Unavailable, StopIteration) as reason:
            say(f"clock: skipped: no libfaketime ({reason})")
            return
        self.file = Path(self.folder) / "time"
        Path(self.folder).mkdir(parents=True)
        self.jump(0)
        self.server = Server(Path(self.folder) / "server", settings="event_validate.log_violations = all\nevent_validate.stats_history_hours = 48\ntimezone = UTC",
                             environment={"LD_PRELOAD": str(library), "FAKETIME_TIMESTAMP_FILE": str(self.file), "FAKETIME_NO_CACHE": "1",
                                          "FAKETIME_DONT_FAKE_MONOTONIC": "1", "FAKETIME_DONT_RESET": "1"})
        self.server.start()
        try:
            self.server.execute(*SETUP)
            with contextlib.closing(self.server.connect()) as self.old:
                notices = []
                self.old.add_notice_handler(lambda notice: notices.append(notice.message_primary))
                self.notices = notices
                self.count = 0
                jumps = JUMPS if self.options.long else (10 * YEAR, -40 * YEAR, 0)
                for number, seconds in enumerate(jumps):
                    self.jump(seconds)
                    self.after(f"clock {seconds / YEAR:+.2f} years", seconds)
                    if self.options.long and number % 3 == 2:
                        self.old.close()
                        self.server.restart()
                        self.old = self.server.connect()
                        self.old.add_notice_handler(lambda notice: notices.append(notice.message_primary))
                        self.tally.equal(self.totals(), (self.count, self.count), f"restart at {seconds / YEAR:+.2f} years: the counts are kept")
            self.waiting()
            self.tally.equal(self.server.worst(), [], "clock: the log")
        finally:
            self.server.stop("immediate")

    def totals(self):
        return self.server.rows("SELECT sum(valid)::int, sum(invalid)::int FROM event_validation_stats WHERE relation = 'warned'::regclass AND event_type = 'n'")[0]

    def after(self, what, seconds):
        """Statements of an old and of a new session after the jump."""
        size = self.server.log_size()
        now = self.server.one("SELECT extract(epoch FROM clock_timestamp())::float8")
        self.tally.check(abs(now - time.time() - seconds) < 60, f"{what}: the server has this time", now - time.time())
        with contextlib.closing(self.server.connect()) as new:
            for session in (self.old, new):
                self.notices.clear()
                rows(session, "INSERT INTO warned VALUES ('n', 1, '1'), ('n', 1, '\"x\"')")
                self.count += 1
                if session is self.old:
                    self.tally.check(any("not valid" in notice for notice in self.notices), f"{what}: the guard warns", self.notices)
                    rows(session, "INSERT INTO warned VALUES ('old', 1, '1')")
                    self.tally.check(any("deprecated" in notice for notice in self.notices), f"{what}: the client hears of the deprecated version", self.notices)
                rows(session, "SELECT validate_event('\"x\"', 'n', 1)")
        self.count_in_statement(what)
        log = self.server.log.read_text(errors="replace", encoding="utf-8")[size:]
        self.tally.check(log.count("event kept") >= 2, f"{what}: events are logged", log[-500:])
        # "old" events are counted under their own version
        self.tally.equal(self.totals(), (self.count, self.count), f"{what}: events are counted")
        self.count_of_hour(what)
        self.tally.equal(self.server.one("SELECT count(*) FROM event_validation_stats WHERE first_invalid_at > last_invalid_at") +
                         self.server.one("SELECT count(*) FROM event_validation_failures WHERE first_at > last_at"), 0, f"{what}: the first is not after the last")
        self.tally.equal(self.server.one("SELECT count(*) FROM event_validation_stats_daily WHERE day > '2100-01-01' OR day < '1970-01-01'"), 0, f"{what}: the days are dates")

    def count_of_hour(self, what):
        """The current hour and day have counts, and none has more than there were."""
        for view, column, unit in (("event_validation_stats_history", "hour", "hour"), ("event_validation_stats_daily", "day", "day")):
            counted = self.server.one(f"SELECT sum(invalid)::int FROM {view} WHERE relation = 'warned'::regclass AND {column} >= date_trunc('{unit}', clock_timestamp() - interval '1 minute')"
                                      f" AND {column} <= clock_timestamp()")
            self.tally.check(counted is not None and 2 <= counted <= self.count, f"{what}: the {unit} has counts", counted)

    def count_in_statement(self, what):
        """A long statement's counts are seen before its end."""
        rows(self.old, "SELECT event_validation_stats_reset(event_type => 'n', schema_version => 1)")
        rows(self.old, "BEGIN")
        rows(self.old, "INSERT INTO warned SELECT 'n', 1, '1' FROM generate_series(1, 10)")
        time.sleep(1.1)
        rows(self.old, "SELECT count(validate_event('1', 'n', 1)) FROM generate_series(1, 100)")
        rows(self.old, "INSERT INTO warned SELECT 'n', 1, '1' FROM generate_series(1, 10)")
        seen = self.server.one("SELECT sum(valid)::int FROM event_validation_stats WHERE event_type = 'n'")
        self.tally.check(seen is not None and seen >= 10, f"{what}: a transaction's counts are seen before its end", seen)
        rows(self.old, "ROLLBACK")
        rows(self.old, "SELECT event_validation_stats_reset(event_type => 'n', schema_version => 1)")
        rows(self.old, "INSERT INTO warned SELECT 'n', 1, CASE i WHEN 1 THEN '1' ELSE '\"x\"' END::jsonb FROM generate_series(1, 4) AS i")
        rows(self.old, "INSERT INTO warned VALUES ('n', 1, '1'), ('n', 1, '1')")
        self.count = 3

    def waiting(self):
        """A jump backwards during a wait for a lock does not lengthen it."""
        self.jump(0)
        with contextlib.closing(self.server.connect(autocommit=False)) as holder, contextlib.closing(self.server.connect()) as waiter:
            holder.execute("LOCK TABLE big IN ACCESS EXCLUSIVE MODE")
            import threading
            done = []

            def wait():
                try:
                    waiter.execute("SET client_min_messages = error; SELECT add_event_check('big')")
                    done.append("added")
                except Exception as error:  # pylint: disable=broad-except
                    done.append(str(error))
            thread = threading.Thread(target=wait, daemon=True)
            thread.start()
            time.sleep(0.7)
            self.jump(-YEAR)
            time.sleep(0.7)
            holder.rollback()
            thread.join(60)
            self.tally.equal(done, ["added"], "clock: a wait for a lock ends soon after the clock was set back during it")
            waiter.cancel()
        self.jump(0)
        say(f"clock: {self.tally.passed} checks passed so far")
