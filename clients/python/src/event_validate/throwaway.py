"""A PostgreSQL of its own: started in a temporary folder, reachable by a socket there, removed at the end."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from event_validate.errors import Failure

# lines for its postgresql.conf, for an extension that is not in PostgreSQL's own folders
SETTINGS = "EVENT_SCHEMAS_SERVER_CONF"


def find_pg_config(wanted: str | None) -> str:
    """The pg_config to use: the wanted one, that of PG_CONFIG, of the PATH, or the newest of Debian's."""
    wanted = wanted or os.environ.get("PG_CONFIG")
    if wanted:
        found = shutil.which(wanted)
        if found is None:
            raise Failure(f"there is no {wanted}")
        return found
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_config"), key=lambda path: int(re.sub("[^0-9]", "", path.parts[-3]) or 0))
    found = shutil.which("pg_config")
    # Debian's pg_config in /usr/bin belongs to libpq-dev, and its folder may have no server
    for candidate in [*([found] if found else []), *map(str, reversed(debian))]:
        if (Path(_answer(candidate, "--bindir")) / "initdb").exists():
            return candidate
    raise Failure("no PostgreSQL server is installed here to start a throwaway server with",
                  "Name a server by --dsn or PGHOST, or the installed one by --pg-config.")


def _answer(pg_config: str, option: str) -> str:
    try:
        return subprocess.run([pg_config, option], capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError) as error:
        raise Failure(f"{pg_config} {option} cannot be run: {error}") from error


def _user() -> tuple[str, int] | None:
    """The user that runs the server, and its group; None: this one.  PostgreSQL refuses to run as root."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return None
    import pwd  # Windows has none
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return name, pwd.getpwnam(name).pw_gid
    raise Failure("PostgreSQL does not run as root, and there is no user postgres or nobody", "Run the command as another user.")


def _folder() -> str:
    # a socket's path has at most 107 bytes
    base = tempfile.gettempdir()
    return tempfile.mkdtemp(prefix="event-schemas.", dir=base if len(base) < 60 else "/tmp")


@contextlib.contextmanager
def _signals_wait() -> Iterator[None]:
    """Signals that end the command have their effect at the end of the block."""
    came: list[int] = []
    numbers = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {number: signal.signal(number, lambda number, _frame: came.append(number)) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for number in came[:1]:
            signal.raise_signal(number)


@contextlib.contextmanager
def throwaway_server(pg_config: str | None) -> Iterator[dict[str, str]]:
    """Starts a server; gives the connection parameters of a new database in it."""
    program = find_pg_config(pg_config)
    bindir = Path(_answer(program, "--bindir"))
    if not (bindir / "initdb").exists():
        raise Failure(f"{bindir} has no server programs", "Name the server's own pg_config by --pg-config.")
    user, group = _user() or (None, None)

    def run(what: str, *command: str) -> None:
        log = Path(folder, "log")
        environment = {**{key: value for key, value in os.environ.items() if not key.startswith("PG")}, "LC_ALL": "C"}
        # what it starts ends before the folder is removed, so no signal ends it, nor does Ctrl-C of the terminal
        with log.open("ab") as output, _signals_wait():
            done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, user=user, group=group,
                                  extra_groups=None if user is None else [], cwd=folder, env=environment, check=False, start_new_session=True)
        if done.returncode != 0:
            lines = log.read_text(errors="replace").strip().split("\n")
            raise Failure(f"the throwaway server: {what} failed: {lines[-1]}", "\n    ".join(lines[-6:-1]) or None)

    folder = _folder()
    data = f"{folder}/data"
    try:
        if user is not None:
            shutil.chown(folder, user)
        run("initdb", f"{bindir}/initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync", "--no-instructions")
        with open(f"{data}/postgresql.conf", "a", encoding="utf-8") as conf:
            conf.write("listen_addresses = ''\nfsync = off\nfull_page_writes = off\nsynchronous_commit = off\nautovacuum = off\n"
                       f"shared_buffers = '16MB'\nmax_connections = 10\nmax_locks_per_transaction = 1000\nlog_min_messages = fatal\n"
                       f"unix_socket_directories = '{folder}'\n{os.environ.get(SETTINGS, '')}\n")
        try:
            run("the start", f"{bindir}/pg_ctl", "-D", data, "-l", f"{folder}/server.log", "-w", "-s", "start")
        except Failure as failure:
            with contextlib.suppress(OSError):
                failure.hint = Path(folder, "server.log").read_text(errors="replace").strip()
            raise
        yield {"host": folder, "port": "5432", "user": "postgres", "dbname": "postgres"}
    finally:
        with _signals_wait():
            if os.path.exists(f"{data}/postmaster.pid"):
                with contextlib.suppress(Failure):
                    run("the stop", f"{bindir}/pg_ctl", "-D", data, "-m", "immediate", "-w", "-s", "stop")
            shutil.rmtree(folder, ignore_errors=True)
