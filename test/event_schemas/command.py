"""Running event-schemas in this process, and checking what it says."""

import contextlib
import json
import os
import subprocess
import tempfile
import traceback
from pathlib import Path

from click.testing import CliRunner
from event_validate.cli import main

passed = failed = 0


def check(ok, what, detail=""):
    global passed, failed
    if ok:
        passed += 1
    else:
        failed += 1
        print(f"FAILED  {what} -- {detail}", flush=True)


@contextlib.contextmanager
def temporary_folder():
    """A folder to work in."""
    before = os.getcwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            yield Path(folder)
        finally:
            os.chdir(before)


class Said:
    def __init__(self, result):
        self.status, self.out, self.err = result.exit_code, result.stdout, result.stderr
        self.all = self.out + self.err
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            check(False, "no traceback", "".join(traceback.format_exception(result.exception)))

    def __repr__(self):
        return f"status {self.status}: {self.all}"


def run(*arguments, **environment):
    """Runs the command; without_server=True takes the PG... variables away."""
    settings = {key: None for key in os.environ if key.startswith("PG") and key != "PG_CONFIG"} if environment.pop("without_server", False) else {}
    return Said(CliRunner().invoke(main, [str(argument) for argument in arguments], env={**settings, **environment}))


def expect(status, *arguments, says=(), says_not=(), **environment):
    """Runs the command, and checks its exit status and what it says."""
    said = run(*arguments, **environment)
    what = " ".join(map(str, arguments))
    check(said.status == status, f"{what}: status {status}", said)
    for text in [says] if isinstance(says, str) else says:
        check(text in said.all, f"{what} says {text!r}", said)
    for text in [says_not] if isinstance(says_not, str) else says_not:
        check(text not in said.all, f"{what} does not say {text!r}", said)
    return said


def write(path, value):
    """Writes a file: text as it is, anything else as JSON."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")


def git(*arguments):
    subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "init.defaultBranch=main", *arguments], check=True, capture_output=True)


@contextlib.contextmanager
def database(name):
    """A new database with the extension, to which PGDATABASE leads."""
    from session import Database
    before = os.environ.get("PGDATABASE")
    with Database(name) as found:
        os.environ["PGDATABASE"] = found.name
        try:
            yield found
        finally:
            if before is None:
                del os.environ["PGDATABASE"]
            else:
                os.environ["PGDATABASE"] = before


ORDER = {"type": "object", "title": "Order placed", "required": ["order_id", "symbol"],
         "properties": {"order_id": {"type": "string", "format": "uuid"}, "symbol": {"type": "string", "pattern": "^[A-Z]{1,8}$"},
                        "price": {"$ref": "https://example.com/money"}}}
WITH_QTY = {**ORDER, "properties": {**ORDER["properties"], "qty": {"type": "integer", "minimum": 1}}}
LONG_TYPE = "google.cloud.storage.object.v1.metadataUpdated.withCustomTime"
LONG_URI = "https://example.com/" + "deep/" * 60 + "place"


def example(top="events"):
    """A folder with two versions, a document, a circle, odd names and options."""
    write(f"{top}/order.placed@1.json", json.dumps(ORDER, indent=2))
    write(f"{top}/order.placed@2.json", json.dumps(WITH_QTY, indent=2))
    write(f"{top}/order.placed@options.json", {"policy": "full_transitive", "except_formats": ["uuid"], "versions": {"2": {"except_formats": ["uuid", "time"]}}})
    write(f"{top}/https%3A%2F%2Fexample.com%2Fmoney.json", '{"type": "number", "multipleOf": 0.10}')
    write(f"{top}/staff/department@1.json", {"properties": {"head": {"$ref": "event:people%2Fhead%20of%20%22x%22@1"}}})
    write(f"{top}/staff/people%2Fhead%20of%20%22x%22@1.json", {"properties": {"department": {"$ref": "event:department@1"}}})
    write(f"{top}/{LONG_TYPE}@1.json", {"description": "$schema$ '\\ : 100 %", "examples": [":5", "(?:a)"]})
    write(f"{top}/%C3%84%24%C3%9F%40@0.json", True)
    write(f"{top}/place.json", {"$id": LONG_URI, "type": "string"})
    write(f"{top}/uses.place@1.json", {"properties": {"at": {"$ref": LONG_URI}}})


KEYS = ["order.placed@1", "order.placed@2", "department@1", 'people/head of "x"@1', f"{LONG_TYPE}@1", "Ä$ß@@0", "uses.place@1", "https://example.com/money", LONG_URI]
