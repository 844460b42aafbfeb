"""A failed allocation, and a cancel request, at each place of each call.

The copy of the extension that places_library makes fails at the Nth place.  N runs
from 1 until the call ends without a fault.  After each fault the session runs the
call again, whose answer must be that of a session without faults, and asks the
probes.  At the end the log has no line about what was left behind."""

import contextlib
import random
import time

from places_library import ARM, Unavailable, make
from server import Server, attempt, rows, say
from world import CALLS, GO_ON, PROBES, PROCEDURES, REFUSALS, build

KINDS = {"memory": (0, "53200"), "cancel": (1, "57014")}


def chosen_places(most, long, seed):
    """All places up to a number, then ever fewer of them: in a long run, each a tenth further on average, else a half."""
    choice = random.Random(seed)
    place = 1
    while True:
        yield place
        place += 1 if place < most else choice.randint(1, max(1, place // 5 if long else place))


class Places:
    def __init__(self, tally, folder, options):
        self.tally, self.options = tally, options
        self.folder = folder

    def answer(self, session, sql):
        """The answer to a call, or its error."""
        state, found = attempt(session, sql)
        return state, found if state is None else found.split("\n")[0]

    def contexts(self, session):
        """{memory context: how many of them are kept}, after the stale ones were freed"""
        session.execute("SELECT register_event_schema('last', 1, 'true')")
        session.execute("SELECT validate_event('1', 'last', 1)")
        session.execute("INSERT INTO warned (event_type, schema_version, data) VALUES ('last', 1, '1')")
        all_contexts = "pg_backend_memory_contexts"
        if session.info.server_version >= 180000:
            all_contexts = ("(SELECT c.name, c.ident, p.name AS parent FROM pg_backend_memory_contexts AS c JOIN pg_backend_memory_contexts AS p"
                            " ON p.path = c.path[:cardinality(c.path) - 1]) AS contexts")
        found = dict(rows(session, f"SELECT name || ' ' || COALESCE(ident, ''), count(*) FROM {all_contexts}"
                                   " WHERE name LIKE 'event_validate%' AND parent IN ('CacheMemoryContext', 'TopMemoryContext') GROUP BY 1"))
        session.execute("ROLLBACK")
        return found

    def try_place(self, name, sql, place, kind, right):
        """Returns whether the fault came."""
        number, expected = KINDS[kind]
        with contextlib.closing(self.server.connect(autocommit=False)) as session:
            session.execute("SET client_min_messages = error; SAVEPOINT s")
            session.execute("SELECT fault_arm(%s, %s)", (place, number))
            state, found = attempt(session, sql)
            what = f"{name}, {kind} at place {place}"
            if not self.tally.check(not session.broken, f"{what}: the session lives", found):
                self.server.await_answer()
                return True
            session.execute("ROLLBACK TO s")
            where = rows(session, "SELECT fault_fired()")[0][0]
            if where is None:
                return False
            if kind == "memory":
                going_on = state is None and name in GO_ON and GO_ON[name] in str(found)
                refused = state is not None and state == REFUSALS.get(name)
                self.tally.check(state == expected or going_on or refused, f"{what} ({where}): the error is {expected}", (state, found))
            else:
                self.tally.check(state in (expected, None, right["call"][0]), f"{what} ({where}): canceled, or done", (state, found))
            again = self.answer(session, sql)
            self.tally.check(again == right["call"], f"{what} ({where}): the next call is right", (again, right["call"]))
            session.execute("ROLLBACK TO s")
            for probe, wanted in right["probes"]:
                got = self.answer(session, probe)
                self.tally.check(got == wanted, f"{what} ({where}): {probe:.60}", (got, wanted))
            session.execute("ROLLBACK")
            kept = self.contexts(session)
            self.tally.check(all(count <= right["contexts"].get(context, 0) for context, count in kept.items()),
                             f"{what} ({where}): no memory is left behind", (kept, right["contexts"]))
        return True

    def try_procedure(self, name, place, kind, right):
        """The same for a procedure, which commits."""
        prepare, call, lasting, ended = PROCEDURES[name]
        number, expected = KINDS[kind]
        what = f"{name}, {kind} at place {place}"
        self.server.execute("DROP TABLE IF EXISTS work", *prepare)
        with contextlib.closing(self.server.connect()) as session:
            session.execute("SET client_min_messages = error")
            session.execute("SELECT fault_arm(%s, %s)", (place, number))
            state, found = attempt(session, call)
            where = rows(session, "SELECT fault_fired()")[0][0]
            if where is not None:
                self.tally.check(state in ((expected, None) if kind == "cancel" else (expected,)), f"{what} ({where}): the error is {expected}", (state, found))
            else:
                self.tally.check(state is None, f"{what}: without a fault", found)
            self.tally.equal(self.answer(session, lasting), right["lasting"], f"{what} ({where}): nothing is lost")
            if state is not None:
                self.tally.equal(attempt(session, call)[0], None, f"{what} ({where}): the next call ends")
            self.tally.equal(self.answer(session, lasting), right["lasting"], f"{what} ({where}): nothing is lost by the next call")
            self.tally.equal(self.answer(session, ended), right["ended"], f"{what} ({where}): the next call does the rest")
        return where is not None

    def run_procedure(self, name, kind):
        prepare, call, lasting, ended = PROCEDURES[name]
        self.server.execute("DROP TABLE IF EXISTS work", *prepare)
        with contextlib.closing(self.server.connect()) as session:
            session.execute("SET client_min_messages = error")
            right = {"call": (None, []), "lasting": self.answer(session, lasting)}
            self.tally.equal(attempt(session, call)[0], None, f"{name}: it ends")
            right["ended"] = self.answer(session, ended)
        self.right = right
        return self.run_places(name, kind, lambda place: self.try_procedure(name, place, kind, right))

    def run_places(self, name, kind, try_place):
        tried = last = 0
        for place in chosen_places(self.options.places, self.options.long, f"{self.options.seed}/{name}/{kind}"):
            last = place
            if not try_place(place):
                break
            tried += 1
        return tried, last

    def run_call(self, name, sql, kind):
        right = self.right = {}
        with contextlib.closing(self.server.connect(autocommit=False)) as session:
            session.execute("SET client_min_messages = error")
            right["call"] = self.answer(session, sql)
            session.execute("ROLLBACK")
            right["probes"] = [(probe, self.answer(session, probe)) for probe in PROBES]
            right["contexts"] = self.contexts(session)
        return self.run_places(name, kind, lambda place: self.try_place(name, sql, place, kind, right))

    def run(self):
        try:
            root, library, wrapped = make(self.folder / "library")
        except Unavailable as reason:
            say(f"places: skipped: {reason}")
            return
        say(f"places: {wrapped} functions of PostgreSQL fail; library {library.name}")
        self.server = Server(self.folder / "server", root=root, settings="synchronous_commit = off").start()
        try:
            build(self.server)
            self.server.execute(*filter(str.strip, ARM.split(";")))
            asked = set(self.options.calls)
            calls = {name: sql for name, sql in CALLS.items() if not asked or asked & {name, name.split(".")[0]}}
            calls.update((name, None) for name in PROCEDURES if not asked or name in asked)
            faults = 0
            for name, sql in calls.items():
                for kind in KINDS:
                    start = time.monotonic()
                    before = self.tally.failed
                    tried, last = self.run_call(name, sql, kind) if sql else self.run_procedure(name, kind)
                    faults += tried
                    say(f"places: {name:28} {kind:7} {tried:5} faults at {last:6} places, {self.tally.failed - before} failed, {time.monotonic() - start:.1f} s; {self.right['call'][0] or len(self.right['call'][1])}")
            self.tally.check(faults, "places: faults came")
            self.tally.equal(self.server.worst(), [], "places: nothing is left behind")
        finally:
            self.server.stop("immediate")
