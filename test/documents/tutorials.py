"""docs/tutorials: each page from its first block to its last, as a newcomer runs it.

The database has another name than on the page, and the drivers come from the cache.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from printed import Printed, lines_of
from tools import Unavailable, npm_packages

NPM = ["express@5.3.0", "pg@8.23.1"]  # as errors_page.py fetches them


class Made:
    """A database that the page itself makes and drops."""

    def __init__(self, name):
        self.name = f"{name}_{os.getpid()}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        subprocess.run(["dropdb", "--if-exists", "--force", self.name], env={**os.environ, "PGOPTIONS": "-c client_min_messages=warning"}, check=False)

    def exists(self):
        done = subprocess.run(["psql", "-XAtc", f"SELECT FROM pg_database WHERE datname = '{self.name}'"], capture_output=True, text=True, check=False)
        return done.stdout != ""


def psql_tutorial(check, page, folder):
    with Made("first_events") as database:
        Printed(check, page, database, filled={"first_events": database.name}, environment={}).run(folder)
        check(not database.exists(), f"{page.path}: nothing is left")
    check(page.rest("sql", "sh", "") == [], f"every block of {page.path} was used", page.rest("sql", "sh", ""))


def program_tutorial(check, page, folder, name, language, command, installs):
    """A page whose programs are saved under the names that it gives, and run; installs: its lines that fetch the driver."""
    with Made(name) as database:
        environment = {**os.environ, "PGDATABASE": database.name, "PYTHONDONTWRITEBYTECODE": "1"}
        start = page.block("createdb", "sh").strip().split("\n")
        check(start == [f"createdb {name}", *installs, f"export PGDATABASE={name}"], f"{page.path}: the commands at the start", start)
        subprocess.run(["createdb", database.name], check=True)
        files = re.findall(r"[Ss]ave (?:it|this) as `([\w.]+)`", page.text)
        programs = [number for number, (which, _) in enumerate(page.blocks) if which == language]
        check(len(files) == len(programs), f"{page.path}: each program has the name of a file", files)
        for file, number in zip(files, programs):
            page.used |= {number, number + 1}
            (Path(folder) / file).write_text(page.blocks[number][1], encoding="utf-8")
            for time in ("once", "twice") if file.startswith("migrate") else ("once",):
                done = subprocess.run([command, file], cwd=folder, env=environment, capture_output=True, text=True, check=False)
                check(done.returncode == 0 and lines_of(done.stdout) == lines_of(page.blocks[number + 1][1]),
                      f"{page.path}: {file} prints what the page shows, {time}", done)
        check(page.block("dropdb", "sh").strip() == f"dropdb {name}", f"{page.path}: the command at the end")
        done = subprocess.run(["dropdb", database.name], capture_output=True, text=True, check=False)
        check(done.returncode == 0, f"{page.path}: nothing holds the database", done.stderr)
    check(page.rest(language, "sh", "") == [], f"every block of {page.path} was used", page.rest(language, "sh", ""))


def python_tutorial(check, page, folder):
    program_tutorial(check, page, folder, "first_events_python", "python", sys.executable,
                     ["python3 -m venv venv", "venv/bin/pip install 'psycopg[binary]'"])


def node_tutorial(check, page, folder):
    try:
        modules = npm_packages(*NPM) / "node_modules"
    except Unavailable as error:
        print(f"{page.path} was not run: {error}", flush=True)
        return
    os.symlink(modules, Path(folder) / "node_modules")
    program_tutorial(check, page, folder, "first_events_node", "javascript", shutil.which("node"), ["npm install pg"])
