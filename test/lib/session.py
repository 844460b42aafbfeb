"""A new database on the server of the PG... variables, used
through psql; and reading and writing JSON with its numbers unchanged.
Standard library only."""

import json
import os
import subprocess
import sys

PSQL = ["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1"]
ENVIRONMENT = {**os.environ, "PGCLIENTENCODING": "UTF8", "PGOPTIONS": "-c client_min_messages=error"}


class Failed(Exception):
    pass


class Database:
    """A new database with the extension; dropped at the end."""

    def __init__(self, name):
        self.name = f"{name}_{os.getpid()}"

    def __enter__(self):
        try:
            self.run(f"CREATE DATABASE {self.name} TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'",
                     os.environ.get("PGDATABASE", "postgres"))
        except Failed as error:
            sys.exit(f"no server to test on ({error}): scripts/test starts one")
        try:
            # keep thousands of warnings about schemas out of the server's log
            self.run(f"ALTER DATABASE {self.name} SET log_min_messages = fatal")
            self.run("CREATE EXTENSION event_validate")
        except Failed as error:
            self.__exit__()
            sys.exit(f"no extension to test: {error}")
        return self

    def __exit__(self, *_):
        self.run(f"DROP DATABASE IF EXISTS {self.name} WITH (FORCE)", os.environ.get("PGDATABASE", "postgres"))

    def run(self, script, database=None):
        """Runs a script; returns the lines that it prints.  Raises Failed."""
        done = subprocess.run([*PSQL, "-d", database or self.name, "-f", "-"], input=script, env=ENVIRONMENT,
                              capture_output=True, text=True, encoding="utf-8", check=False)
        if done.returncode != 0:
            raise Failed(done.stderr.strip())
        return done.stdout.split("\n")[:-1]

    def messages(self, script):
        """Runs a script; returns the server's messages.  Raises Failed."""
        done = subprocess.run([*PSQL, "-d", self.name, "-f", "-"], input=script, capture_output=True, text=True,
                              encoding="utf-8", check=False,
                              env={**ENVIRONMENT, "PGOPTIONS": "-c client_min_messages=notice"})
        if done.returncode != 0:
            raise Failed(done.stderr.strip())
        return done.stderr.strip()

    def rows(self, script):
        """The rows of the script's COPY ... TO STDOUT, each a list of fields."""
        return [[uncopied(field) for field in line.split("\t")] for line in self.run(script)]


def literal(text):
    """A string literal of SQL."""
    return "'" + text.replace("'", "''") + "'"


def copied(text):
    """A field of COPY's text format."""
    if text is None:
        return "\\N"
    return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")


def uncopied(field):
    if field == "\\N":
        return None
    if "\\" not in field:
        return field
    return field.replace("\\\\", "\0").replace("\\t", "\t").replace("\\n", "\n").replace("\\r", "\r").replace("\0", "\\")


def copy_from(table, rows):
    """The lines that load rows of strings into a table."""
    return "".join([f"COPY {table} FROM STDIN;\n",
                    *("\t".join(map(copied, row)) + "\n" for row in rows),
                    "\\.\n"])


# ---------- JSON with its numbers as written ----------

class Number(str):
    """A number as written in a JSON text."""


def read_json(text):
    return json.loads(text, parse_float=Number, parse_int=Number)


def write_json(value):
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, list):
        return "[" + ",".join(map(write_json, value)) + "]"
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(key)}:{write_json(item)}" for key, item in value.items()) + "}"
    return json.dumps(value)
