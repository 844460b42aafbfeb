"""Databases, roles and sessions for the attacks in this folder."""

import contextlib
import os
import threading
import time

import psycopg
from psycopg import sql

# owner owns the database, and the extension in it; the others have no rights
# but PUBLIC's
ROLES = ("owner", "alice", "bob", "mallory")


class Skipped(Exception):
    """The reason why a test cannot run here."""


def alone(function):
    """Marks a test that runs while no other one does."""
    function.alone = True
    return function


class Server:
    """The server that the PG... variables name, with roles and a template database for one test at a time."""

    def __init__(self, number=0):
        self.prefix = f"hostile_{os.getpid()}_{number}"

    def __enter__(self):
        self.template = f"{self.prefix}_template"
        self.count = 0
        self.roles = []
        self._watch()
        for role in ROLES:
            self.add_role(role)
        self._create(self.template, "template0")
        with self._connect(self.template, "owner") as connection:
            connection.execute("CREATE EXTENSION event_validate")
        return self

    def __exit__(self, *_):
        for database in [f"{self.prefix}_{i}" for i in range(self.count + 1)] + [self.template]:
            self.admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(database)))
        for role in self.roles:
            self.admin.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(self.role(role))))
        self.admin.close()

    def _watch(self):
        self.admin = psycopg.connect(dbname=os.environ.get("PGDATABASE", "postgres"), autocommit=True)

    def add_role(self, name):
        """A role that is dropped with the databases."""
        if name not in self.roles:
            self.admin.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(self.role(name))))
            self.roles.append(name)

    def role(self, name):
        """The name of a role on the server; None: the superuser's."""
        return os.environ.get("PGUSER", "postgres") if name is None else f"{self.prefix}_{name}"

    def _create(self, name, template):
        self.admin.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER {}").format(
            sql.Identifier(name), sql.Identifier(template), sql.Identifier(self.role("owner"))))

    def _connect(self, database, role, **settings):
        return psycopg.connect(dbname=database, user=self.role(role), autocommit=True, **settings)

    @contextlib.contextmanager
    def world(self):
        """A new database with the extension in it."""
        self.count += 1
        name = f"{self.prefix}_{self.count}"
        self._create(name, self.template)
        world = World(self, name)
        try:
            yield world
        finally:
            world.close()
            with contextlib.suppress(psycopg.Error):
                self.admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def survived(self):
        """False where the server crashed; waits until it is there again."""
        try:
            self.admin.execute("SELECT 1")
            return True
        except psycopg.Error:
            for _ in range(300):
                with contextlib.suppress(psycopg.Error):
                    self._watch()
                    return False
                time.sleep(0.1)
            raise


class World:
    """One database, and sessions of several roles in it."""

    def __init__(self, server, database):
        self.server = server
        self.database = database
        self.sessions = []

    def role(self, name):
        return self.server.role(name)

    def is_preloaded(self):
        """Does the server load the library when it starts?"""
        return "event_validate" in self.run(None, "SHOW shared_preload_libraries")[0][0]

    def connect(self, role=None, **settings):
        """A new session of a role (None: a superuser), in autocommit mode."""
        session = self.server._connect(self.database, role, **settings)
        self.sessions.append(session)
        return session

    def run(self, role, *commands):
        """Runs commands in a session of their own; the rows of the last one."""
        with self.server._connect(self.database, role) as session:
            for command in commands:
                try:
                    rows = session.execute(command)
                except psycopg.errors.FeatureNotSupported as error:
                    # it was built without ICU or libxml
                    if "in this build" in str(error) or "to be built with" in str(error):
                        raise Skipped(error.diag.message_primary) from None
                    raise
            return rows.fetchall() if rows.description else None

    def refused(self, role, command, sqlstate, *words):
        """The error that a command ends with, which must have this SQLSTATE and words."""
        try:
            self.run(role, command)
        except psycopg.Error as error:
            said = "\n".join(filter(None, (error.diag.message_primary, error.diag.message_detail,
                                           error.diag.message_hint)))
            assert error.sqlstate == sqlstate, f"{error.sqlstate}, not {sqlstate}: {said or error}"
            for word in words:
                assert word in said, f"no {word!r} in {said!r}"
            return error
        raise AssertionError(f"not refused: {command}")

    def close(self):
        for session in self.sessions:
            with contextlib.suppress(psycopg.Error):
                session.close()


# How many times the usual time and memory this server takes: one that checks its memory.
COSTS = float(os.environ.get("EV_COSTS") or 1)


def worked(session):
    """The seconds of CPU that a session's process has used, which do not depend on the load, divided by COSTS; None if the server
    is on another machine."""
    try:
        with open(f"/proc/{session.info.backend_pid}/stat", encoding="ascii") as status:
            fields = status.read().rpartition(")")[2].split()
    except OSError:
        return None
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK") / COSTS


def told(session):
    """A list to which the messages of a session are appended."""
    messages = []
    session.add_notice_handler(lambda diagnostic: messages.append(diagnostic.message_primary))
    return messages


class Background(threading.Thread):
    """Runs commands in a session concurrently; join_within returns the error, or None."""

    def __init__(self, session, *commands):
        super().__init__(daemon=True)
        self.session = session
        self.commands = commands
        self.error = None
        self.rows = None
        self.start()

    def run(self):
        try:
            for command in self.commands:
                result = self.session.execute(command)
            self.rows = result.fetchall() if result.description else None
        except psycopg.Error as error:
            self.error = error

    def join_within(self, seconds):
        """Waits for the end; raises an error if that takes longer."""
        self.join(seconds)
        assert not self.is_alive(), f"still running after {seconds} s: {self.commands[-1]}"
        return self.error
