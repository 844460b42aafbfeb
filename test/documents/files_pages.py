"""docs/how-to/event-schemas.md and docs/how-to/releasing-an-event.md: every block, in the order of the page.

The commands of the first run in a folder with a repository, with a throwaway server where the page has
none, and with a registry that answers as Confluent's and Apicurio's are documented.  Of the steps of the second, also the
locks are compared with those of its table."""

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

from errors_page import said_by_psql
from session import Database
from tools import python_packages

COMMANDS = Path(__file__).resolve().parents[1] / "event_schemas"
ORDER = {"type": "object", "required": ["symbol"], "properties": {"symbol": {"type": "string"}, "qty": {"type": "integer"}, "price": {"$ref": "https://example.com/money"}}}


def write(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")


class Shell:
    """Runs blocks in a folder, in which event-schemas is the command of this checkout."""

    def __init__(self, check, page, folder, root):
        self.check, self.page, self.folder = check, page, folder
        command = folder / "bin" / "event-schemas"
        write(command, f'#!/bin/sh\nexec "{python_packages(COMMANDS / "requirements.txt")}" -m event_validate "$@"\n')
        command.chmod(0o755)
        self.environment = {**os.environ, "PATH": f"{command.parent}:{os.environ['PATH']}", "PYTHONPATH": str(root / "clients/python/src"), "PYTHONDONTWRITEBYTECODE": "1",
                            "PG_CONFIG": os.environ["EV_PG_CONFIG"], "EVENT_SCHEMAS_SERVER_CONF": os.environ["EV_SERVER_CONF"], "PGSERVICEFILE": str(folder / "services")}
        self.without_server = {name: value for name, value in self.environment.items() if name not in ("PGHOST", "PGPORT", "PGUSER", "PGDATABASE")}

    def run(self, script, status=0, server=True):
        """The output of a block; with server=False no server is named, so that the command starts one."""
        done = subprocess.run(["bash", "-euo", "pipefail", "-c", script], cwd=self.folder, capture_output=True, text=True, check=False, env=self.environment if server else self.without_server)
        self.check(done.returncode == status and "Traceback" not in done.stderr, f"docs/how-to/event-schemas.md: {script}", done)
        return done.stdout

    def git(self, *arguments):
        self.run("git -c user.name=a -c user.email=a@example.com -c init.defaultBranch=main " + " ".join(arguments))


def event_schemas_page(check, page, root, folder):
    sys.path.insert(0, str(COMMANDS))
    from fake_registry import registry
    shell = Shell(check, page, folder, root)
    check("binary" in page.block("pip install", "sh") and (root / "clients/python/pyproject.toml").exists(), "what is installed")  # test/event_schemas installs it
    with Database("documents_files") as database:
        shell.environment["PGDATABASE"] = database.name
        write(folder / "services", f"[production]\nhost={os.environ['PGHOST']}\nport={os.environ.get('PGPORT', '5432')}\nuser={os.environ.get('PGUSER', '')}\ndbname={database.name}\n")
        write(folder / "events/order.placed@1.json", {**ORDER, "properties": {**ORDER["properties"], "symbol": {"pattern": "^[A-Z]*$", "type": "string"}}})
        write(folder / "events/order.placed@2.json", {**ORDER, "properties": {**ORDER["properties"], "symbol": {"pattern": "^[A-Z]+$", "type": "string"}}})
        write(folder / "events/order.placed@options.json", page.block('"except_formats": ["duration"]', "json"))
        write(folder / "events/https%3A%2F%2Fexample.com%2Fmoney.json", {"type": "number"})
        files = set(page.block("events/order.placed@1.json\n", "").split())
        check(files == {f"events/{path.name}" for path in (folder / "events").iterdir()}, "the files of the page", files)
        write(folder / "events/order.placed@3.json", ORDER)
        shell.run(page.block("event-schemas check events\n", "sh"), server=False)
        shell.git("init", "-q", ".")
        shell.git("add", "events")
        shell.git("commit", "-qm", "x")
        write(folder / "events/order.placed@3.json", '{\n "type": "object",\n "properties": {"symbol": {"pattern": "^[A-Z]+$", "type": "string"}, "price": {"type": "number"},\n  "qty": {"type": "integer"}}, "required": ["symbol", "qty"]}')
        write(folder / "events/order.placed@options.json", {"policy": "backward", "versions": {"2": {"accept": ["/properties/symbol/pattern PATTERN_CHANGED"]}}})
        shown = page.block("events/order.placed@3.json:4:", "").strip()
        said = shell.run("event-schemas check events", 1)
        check(said.strip() == shown, "what check says is that of the page", said)
        shell.run("git checkout -q -- events")
        shell.run("event-schemas push events --dsn service=production")
        renamed = {"quantity" if name == "qty" else name: value for name, value in ORDER["properties"].items()}
        write(folder / "events/order.placed@4.json", {**ORDER, "properties": renamed})
        shell.run(page.block("check events --base", "sh"))
        shell.run(page.block("> changes.md", "sh"))
        check("## order.placed@4" in (folder / "changes.md").read_text(encoding="utf-8"), "the difference is written")
        shell.run(page.block("event-schemas push events --dry-run", "sh"))
        check(database.run("SELECT count(*) FROM event_schemas") == ["4"], "push registers")
        (folder / "alembic/versions").mkdir(parents=True)
        shell.run(page.block("event-schemas sql events", "sh"))
        check([path.name for path in sorted((folder / "migrations").iterdir())] == ["order_3.down.sql", "order_3.up.sql"] and (folder / "verify/order_3.sql").exists()
              and len(list((folder / "alembic/versions").iterdir())) == 1, "the migrations are written")
        shell.run(page.block("event-schemas docs events pages", "sh"))
        shell.run(page.block("--format eventcatalog", "sh"))
        check((folder / "site/index.html").exists() and (folder / "catalog/events/order.placed/index.mdx").exists(), "the site and the catalog are written")
        with registry("confluent") as confluent, registry(3) as apicurio:
            confluent.add("order.cancelled-value", 1, {"type": "object"})
            block = page.block("registry.example.com events", "sh").replace("https://registry.example.com", confluent.url)
            shell.run(block.replace("https://apicurio.example.com", apicurio.url).replace("--group shop", "--group g"))
            check((folder / "events/order.cancelled@1.json").exists(), "it is imported")
    check(page.rest("sh", "json", "") == [], "every block of docs/how-to/event-schemas.md was used", page.rest("sh", "json", ""))


# ---------- docs/how-to/catalogue.md ----------

def catalogue_page(check, page, root, folder):
    shell = Shell(check, page, folder, root)
    with Database("documents_catalogue") as database:
        shell.environment["PGDATABASE"] = database.name
        write(folder / "services", f"[production]\nhost={os.environ['PGHOST']}\nport={os.environ.get('PGPORT', '5432')}\nuser={os.environ.get('PGUSER', '')}\ndbname={database.name}\n")
        database.run("""SELECT register_event_schema('order.placed', 1, '{"type": "object", "properties": {"symbol": {"type": "string"}}}')""")
        for start in ("event_schema_docs('order.placed')", "event_asyncapi()"):
            shell.run(page.block(start, "sh").replace("-d trading", f"-d {database.name}"))
        check((folder / "order.placed.md").read_text(encoding="utf-8").startswith("# order.placed\n"), "the page of an event")
        check(json.loads((folder / "orders.json").read_text(encoding="utf-8"))["info"]["title"] == "Orders", "the document of AsyncAPI")
        database.run("CREATE TABLE events (id text, event_type text, schema_version int, data jsonb); INSERT INTO events VALUES ('1', 'order.placed', 1, '{}')")
        said = database.run(page.block("'specversion'", "sql"))
        check("event:order.placed@1" in "".join(said), "a CloudEvent", said)
        shell.run(page.block("event-schemas pull events", "sh"))
        check((folder / "site/order.placed.html").exists(), "the site of a database")
    check(page.rest("sh", "sql") == [], "every block of docs/how-to/catalogue.md was used", page.rest("sh", "sql"))


# ---------- docs/how-to/releasing-an-event.md ----------

def empty(said):
    """Whether the last result of psql has no row."""
    return said.rstrip().endswith("--")


LOCKS = ("SELECT coalesce(string_agg(DISTINCT mode, ' '), 'none') FROM pg_locks WHERE pid = pg_backend_pid() AND relation = 'events'::regclass;"
         "SELECT count(*) > 0 FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'object' AND classid = 'pg_language'::regclass")
MODES = {"none": {"none", "none that is kept"}, "AccessShareLock": {"ACCESS SHARE"}, "RowExclusiveLock": {"ROW EXCLUSIVE", "ROW EXCLUSIVE, and the rows of a batch"},
         "ShareRowExclusiveLock": {"SHARE ROW EXCLUSIVE, at the commit"}}
WAITS = ("SELECT l.mode FROM pg_locks AS l JOIN pg_stat_activity AS a USING (pid) WHERE a.application_name = '{}' AND l.relation = 'events'::regclass AND {}")


def started(database, name, script):
    """A psql that runs a script, whose session has this name."""
    process = subprocess.Popen(["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", database.name, "-f", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True, env={**os.environ, "PGAPPNAME": name})
    process.stdin.write(script)
    process.stdin.close()
    return process


def seen(database, query, process):
    """What a query returns as soon as it returns something; nothing if the process ends before."""
    for _ in range(600):
        found = database.run(query)
        if found or process.poll() is not None:
            return found
        time.sleep(0.05)
    return []


class Release:
    """The blocks of the page, in its order."""

    def __init__(self, check, page, database):
        self.check, self.page, self.database, self.next = check, page, database, 0
        self.blocks = re.findall(r"^ *```(\w*)\n(.*?)^ *```$", page.text, re.MULTILINE | re.DOTALL)
        self.table = {int(number): (lock, on_type) for number, lock, on_type in re.findall(r"^\| \[(\d+)\. [^|]* \| ([^|]*) \| ([^|]*) \|", page.text, re.MULTILINE)}

    def block(self, part, language="sql"):
        which, text = self.blocks[self.next]
        self.next += 1
        self.check(which == language and part in text, f"{self.page.path}: the next block has {part!r}", text)
        return text

    def run(self, part, shown=False):
        """Runs the next block, without errors; if the result is shown, it is that of the block behind it."""
        said = said_by_psql(self.database, self.block(part))
        self.check("ERROR" not in said, f"{self.page.path}: {part}", said)
        if shown:
            expected = self.block("|", "").strip()
            self.check("\n".join(line.rstrip() for line in said.split("\n")).endswith(expected), f"{self.page.path}: {part}: psql prints what the page shows", said)
        return said

    def step(self, number, part, shown=False):
        """Runs the next block as a step, and compares its locks with the table."""
        text = self.blocks[self.next][1].removeprefix("BEGIN;").rstrip().removesuffix("ROLLBACK;")
        mode, on_type = self.database.run(f"SET client_min_messages = error; BEGIN; DO $do$BEGIN END$do$; {text}; {LOCKS}; ROLLBACK")[-2:]
        self.compare(number, mode, on_type)
        return self.run(part, shown)

    def waiting_step(self, number, part, held, before="", after=""):
        """Runs the next block as a step while another session holds a lock, for which it waits, and compares this with the table."""
        text = self.block(part)
        holder = started(self.database, "release_holder", f"BEGIN; LOCK TABLE events IN {held} MODE; SELECT pg_sleep(60);")
        try:
            seen(self.database, WAITS.format("release_holder", "granted"), holder)
            worker = started(self.database, "release_step", f"{before} {text} {LOCKS}; {after}")
            mode = seen(self.database, WAITS.format("release_step", "NOT granted"), worker)
            others = self.database.run(WAITS.format("release_step", "granted"))
        finally:
            self.database.run("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'release_holder'")
        said = worker.stdout.read()
        self.check(worker.wait() == 0, f"{self.page.path}: step {number}", said)
        holder.stdout.read()
        holder.wait()
        on_type = "t" if "\nt\n" in f"\n{said}" else "f"
        self.check(set(others) <= {"AccessShareLock"}, f"{self.page.path}: step {number} holds no other lock", others)
        self.compare(number, " ".join(mode), on_type)

    def compare(self, number, mode, on_type):
        """Compares locks with the table."""
        lock, says_type = self.table[number]
        self.check(lock in MODES.get(mode.split(" ")[-1], ()), f"{self.page.path}: the lock of step {number}", (mode, lock))
        self.check((on_type == "t") == says_type.startswith("until"), f"{self.page.path}: the lock on the type of step {number}", (on_type, says_type))

    def effect(self, sql, lines, what):
        got = self.database.run(sql)
        self.check(got == lines, f"{self.page.path}: {what}", got)


def releasing_page(check, page):
    with Database("documents_release") as database:
        release = Release(check, page, database)
        usage = "SELECT schema_version, count(*) FROM events GROUP BY 1 ORDER BY 1"
        release.run("CREATE TABLE events")
        release.step(1, "check_event_compatibility", shown=True)
        said = release.step(2, "ROLLBACK")
        check(empty(said), "no stored event would be refused", said)
        one_release(release, database, usage)
        rename_and_split(release, database)
        check(release.next == len(release.blocks), "every block of docs/how-to/releasing-an-event.md was used", release.next)


def there_and_back(release, number, part, back, behind):
    """Runs a step, the way back that the page shows, and the step again; behind says after how many blocks that comes."""
    start = release.next
    release.step(number, part)
    release.next = start + behind
    release.run(back)
    end = release.next
    release.next = start
    release.run(part)
    release.next = end


def one_release(release, database, usage):
    there_and_back(release, 3, "accept =>", "drop_event_schema", 1)
    there_and_back(release, 4, "register_event_upcast", "drop_event_upcast", 1)
    there_and_back(release, 5, "create_event_view", "DROP VIEW orders", 1)
    release.run("register_event_downcast")
    release.step(6, "INSERT INTO events", shown=True)
    database.run("SELECT add_event_guard('events', 'enforce')")
    start = release.next
    release.step(7, '"deprecated": true')
    insert = "INSERT INTO events (event_type, schema_version, data) VALUES ('order.placed', 1, '{\"symbol\": \"A\", \"qty\": 1}')"
    release.check("deprecated" in database.messages(f"BEGIN; {insert}; ROLLBACK"), "a guard warns of it", database.messages("SELECT 1"))
    release.run("register_event_schema('order.placed', 1")
    release.effect("SELECT deprecated FROM event_schemas WHERE schema_version = 1", ["f"], "it is not deprecated any more")
    end, release.next = release.next, start
    release.run('"deprecated": true')
    release.next = end
    database.run("SELECT drop_event_guard('events')")
    start = release.next
    release.waiting_step(8, "CALL migrate_events", "SHARE")
    release.effect(usage, ["2|1002"], "all are migrated")
    release.run("UPDATE events AS e SET data")
    release.effect(usage, ["1|1001", "2|1"], "and back")
    end, release.next = release.next, start
    release.run("CALL migrate_events")
    release.next = end
    release.step(9, "event_schema_usage", shown=True)
    release.waiting_step(10, "drop_event_schema('order.placed', 1)", "ROW EXCLUSIVE", "BEGIN;", "COMMIT;")
    release.effect("SELECT schema_version FROM event_schemas", ["2"], "version 1 is retired")


def rename_and_split(release, database):
    said = release.step(1, "check_event_compatibility")
    release.check(empty(said), "the policy lets the rename pass", said)
    there_and_back(release, 3, "'order.placed', 3", "drop_event_schema", 1)
    said = release.run("check_event_upgrade")
    release.check(empty(said), "all events can be renamed", said)
    said = release.run("event_at_version")
    release.check("quantity" in said and "qty" in said, "both readers get their names", said)
    release.effect("SELECT upcast_event('{\"symbol\": \"A\", \"venue\": \"X\", \"qty\": 3}', 'order.placed', 2)", ['{"venue": "X", "symbol": "A", "quantity": 3}'], "the rename")
    database.run("INSERT INTO events (event_type, schema_version, data) VALUES ('order.placed', 3, '{\"symbol\": \"A\", \"venue\": \"X\", \"quantity\": 3, \"limit\": 1.5}')")
    release.run("'order.placed.market', 1")
    release.run("order_placed_split")
    said = release.run("event_violations")
    release.check(empty(said), "nothing would be refused", said)
    count = "SELECT event_type, schema_version, count(*) FROM events GROUP BY 1, 2 ORDER BY 1, 2"
    start = release.next
    release.run("FOR UPDATE SKIP LOCKED")
    release.effect(count, ["order.placed.limit|1|1", "order.placed.market|1|1002"], "all are moved")
    release.run("UPDATE events SET event_type = 'order.placed'")
    release.effect(count, ["order.placed|3|1003"], "and back")
    end, release.next = release.next, start
    release.run("FOR UPDATE SKIP LOCKED")
    release.next = end
    database.run('DROP VIEW orders; SELECT drop_event_schema(\'order.placed\', v) FROM generate_series(3, 2, -1) AS v')
