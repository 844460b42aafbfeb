"""docs/how-to/emergency.md and docs/how-to/questions.md: every block, as a reader would run it.

Each question is asked where it comes up: the tables have invalid rows, guards and
checks before the statements of the page run, and the effects are checked after them.
"""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

from errors_page import said_by_psql
from session import Database

SCHEMA = '{"type": "object", "required": ["symbol"], "properties": {"symbol": {"type": "string", "pattern": "^[A-Z]+$"}}}'
TABLE = """SELECT register_event_schema('order.placed', 1, '%s');
CREATE TABLE events (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, event_type text NOT NULL, schema_version int NOT NULL, %s jsonb NOT NULL);
"""
INSERT = "INSERT INTO events (event_type, schema_version, %s) VALUES ('order.placed', 1, '{\"symbol\": \"%s\"}')"


class Reader:
    """Runs blocks of a page, with the reader's own names."""

    def __init__(self, check, page, database, **names):
        self.check, self.page, self.database, self.names = check, page, database, names

    def named(self, text):
        for old, new in self.names.items():
            text = re.sub(rf"\b{old}\b", new, text)
        return text

    def block(self, part, language="sql"):
        """The next block with this text."""
        for number, (which, text) in enumerate(self.page.blocks):
            if number not in self.page.used and which == language and part in text:
                self.page.used.add(number)
                return text
        self.check(False, f"{self.page.path} has a block of {language or 'text'} with {part!r}")
        return ""

    def run(self, part, answer=None):
        """Runs a block; its output is the block with the text of answer, if there is one, and no error in any case."""
        said = said_by_psql(self.database, self.named(self.block(part)))
        if answer is not None:
            self.check(said == self.block(answer, "").strip(), f"{self.page.path}: {part}: psql prints what the page shows", said)
        self.check("ERROR" not in said, f"{self.page.path}: {part}", said)
        return said

    def effect(self, sql, lines, what):
        got = self.database.run(sql)
        self.check(got == lines, f"{self.page.path}: {what}", got)

    def all_used(self):
        rest = self.page.rest("sql", "sh", "")
        self.check(rest == [], f"every block of {self.page.path} was used", rest)


# ---------- docs/how-to/emergency.md ----------

MODES = "SELECT kind, mode, mode_until IS NOT NULL FROM event_enforcement ORDER BY kind"


def with_guard(check, page):
    """A table with a guard, and another one."""
    with Database("documents_guard") as database:
        reader = Reader(check, page, database)
        database.run(TABLE % (SCHEMA, "data") + "CREATE TABLE others (LIKE events);"
                     "SELECT add_event_guard('events', 'enforce'), add_event_guard('others', 'enforce')")
        reader.run("SELECT relation, kind, name, types, mode, mode_until, definition")
        reader.run("'quarantine', now()")
        reader.effect(MODES, ["guard|quarantine|t"] * 2, "all guards divert, for a time")
        database.run(";".join(INSERT % ("data", symbol) for symbol in ("IBM", "ibm", "1")))
        said = reader.run("FROM event_quarantine WHERE NOT kept")
        check("/symbol" in said and "must match the pattern" in said and "events" in said, "emergency.md: what was diverted is seen, with the reason", said)
        reader.run("CREATE FUNCTION repair_event")
        replay = page.inline("replay_event_quarantine('events', ids => '{17,18}', dry_run => true)").replace("17,18", "1,2")
        reader.effect(f"SELECT event_id, stored FROM {replay} WHERE event_id IS NOT NULL", ["1|f", "2|f"], "a dry run says which events would move")
        database.run("SELECT * FROM " + page.inline("replay_event_quarantine('events', ids => '{17,18}')").replace("17,18", "1,2"))
        reader.effect("SELECT count(*) FROM event_quarantine", ["2"], "without a repair, both stay")
        reader.run("repair => 'repair_event'")
        reader.effect("SELECT data ->> 'symbol' FROM events ORDER BY id", ["IBM", "IBM"], "what can be repaired is in the table")
        reader.effect("SELECT violations -> 0 ->> 'message' FROM event_quarantine", ['must match the pattern ^[A-Z]+$, but is "1"'], "the rest stays, with the reason")
        reader.run("'off', now()")
        database.run(INSERT % ("data", "t"))
        said = reader.run("SELECT * FROM audit_events('events')")
        check('must match the pattern ^[A-Z]+$, but is "t"' in said, "emergency.md: what was stored is seen", said)
        reader.run("SELECT * FROM set_event_guard_mode(NULL, 'enforce')")
        reader.effect(MODES, ["guard|enforce|f"] * 2, "all guards enforce again")


def with_check(check, page):
    """A table with only a CHECK, on a column with another name."""
    with Database("documents_check") as database:
        reader = Reader(check, page, database)
        database.run(TABLE % (SCHEMA, "payload") + "SELECT add_event_check('events', 'payload')")
        reader.run("SELECT add_event_guard('events', 'quarantine')")
        database.run(";".join(INSERT % ("payload", symbol) for symbol in ("IBM", "ibm")))
        reader.effect("SELECT (SELECT count(*) FROM events) || ' ' || (SELECT count(*) FROM event_quarantine)", ["1 1"],
                      "a guard beside the CHECK diverts what the CHECK would refuse")
        database.run("CREATE FUNCTION repair(event jsonb) RETURNS jsonb LANGUAGE sql AS $$SELECT jsonb_set(event, '{payload,symbol}', '\"IBM\"')$$;"
                     "SELECT replay_event_quarantine('events', repair => 'repair')")
        database.run(page.inline("drop_event_guard('events')").join(("SELECT ", "")))
        reader.effect(MODES, ["check|enforce|f"], "the guard goes, and its empty quarantine is no hindrance")
        reader.run("SELECT drop_event_check('events')")
        database.run(INSERT % ("payload", "ibm"))
        database.run("SELECT " + page.inline("add_event_check('events', 'payload', 'kind', 'v')").replace("'kind'", "'event_type'").replace("'v'", "'schema_version'"))
        database.run("SELECT drop_event_check('events'); ALTER TABLE events RENAME payload TO data")
        for call in ("add_event_check('events', types => '{order.placed}')", "add_event_guard('events', 'quarantine', types => '{order.placed}')"):
            database.run("SELECT " + page.inline(call))
        reader.effect("SELECT kind, types FROM event_enforcement ORDER BY kind", ["check|{order.placed}", "guard|{order.placed}"],
                      "a CHECK and a guard for some event types come back for these")
        database.run("SELECT drop_event_guard('events'), drop_event_check('events')")
        reader.run("SELECT add_event_check('events')")
        database.run("UPDATE events SET data = '{\"symbol\": \"IBM\"}'")
        reader.run("SELECT validate_event_check('events')")
        reader.effect("SELECT validated FROM event_enforcement", ["t"], "and the CHECK is back")


def emergency_page(check, page):
    with_guard(check, page)
    with_check(check, page)
    check(page.rest("sql", "sh", "") == [], "every block of emergency.md was used", page.rest("sql", "sh", ""))
    screen = page.text[:page.text.index("## Notes")].count("\n")
    check(screen <= 75, "emergency.md is one screen", screen)


# ---------- docs/how-to/questions.md ----------


def server_log(database):
    """The file that the server writes its log to; None if this program cannot tell."""
    pid, = database.run("SELECT split_part(pg_read_file('postmaster.pid'), E'\\n', 1)")
    try:
        path = Path(f"/proc/{pid}/fd/2").resolve(strict=True)
        return path if path.is_file() and os.access(path, os.R_OK) else None
    except OSError:
        return None


def refused_today(reader, database, folder):
    reader.run("ALTER DATABASE mydb SET event_validate.log_violations")
    database.run("ALTER DATABASE %s RESET log_min_messages" % database.name)  # which the test's own databases have
    log = server_log(database)
    start = log.stat().st_size if log else 0
    said_by_psql(database, INSERT % ("data", "aapl"))
    database.run("ALTER DATABASE %s RESET event_validate.log_violations" % database.name)
    command = reader.block("event refused", "sh")
    shown = reader.block("LOG:  event refused", "").strip()
    if log is None:
        print("the server's log cannot be read here: the command that searches it was not run")
        return
    for _ in range(50):  # the log may be written by another process
        (folder / "new.log").write_bytes(log.read_bytes()[start:])
        done = subprocess.run(["bash", "-c", command.replace("/var/log/postgresql/", "")], cwd=folder, capture_output=True, text=True, check=False)
        found = any(line.endswith(shown.partition(" LOG: ")[2]) for line in done.stdout.splitlines())
        if found:
            break
        time.sleep(0.1)
    reader.check(found, "questions.md: the log has the line that the page shows", done)


def first_questions(reader, database, folder):
    reader.run("CREATE TABLE events")
    reader.run("FROM audit_events('events');\n", "violations | sample_ids")
    said = reader.run("WHERE NOT validate_event")
    reader.check(len(re.findall(r"^ +\d+ \|", said, re.MULTILINE)) == 4, "questions.md: the rows that are not valid", said)
    reader.run("validated FROM event_enforcement", "mode_until | validated")
    reader.run("FROM event_schema_usage", "events | registered")
    refused_today(reader, database, folder)
    database.run("SELECT add_event_guard('events', 'quarantine');" + INSERT % ("data", "ibm"))
    reader.run("WHERE arrived_at >= current_date", "kept | count")
    database.run("SELECT purge_event_quarantine('0'), drop_event_guard('events')")
    reader.effect("SELECT count(*) FROM event_enforcement", ["1"], "the check is left")


def rename_and_delete(reader, database):
    database.run("DELETE FROM events WHERE NOT validate_event(data, event_type, schema_version);"
                 "SELECT register_event_schema('order.placed', 2, '{\"type\": \"object\", \"required\": [\"symbol\", \"qty\"]}', breaking => true);"
                 "SELECT register_event_schema('order.placed', 3, '{\"properties\": {\"at\": {\"format\": \"date-time\"}}}', assert_format => false);"
                 "SELECT set_event_compatibility('order.placed', 'backward')")
    reader.run("'order.created', 'none'")
    reader.effect("SELECT count(*) FROM event_schemas AS a JOIN event_schemas AS b USING (schema_version) JOIN pg_proc AS p ON p.oid = a.function"
                  " JOIN pg_proc AS q ON q.oid = b.function WHERE a.event_type = 'order.placed' AND b.event_type = 'order.created' AND p.prosrc = q.prosrc", ["3"],
                  "all versions have the new name, with their options")
    before = database.run("SELECT count(*) FROM events WHERE event_type = 'order.placed'")
    reader.run("SET event_type = 'order.created'")
    reader.effect("SELECT count(*) FROM events WHERE event_type = 'order.created'", before, "the rows are renamed")
    reader.run("WHERE event_type = 'order.placed' ORDER BY schema_version DESC")
    reader.effect("SELECT count(*) FROM pg_proc WHERE pronamespace = 'event_schema'::regnamespace AND proname LIKE 'order.placed%'", ["0"], "nothing of the old type is left")
    database.run("CREATE FUNCTION one_to_two(event jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$SELECT event || '{\"qty\": 1}'$$;"
                 "SELECT register_event_upcast('order.created', 1, 2, 'one_to_two(jsonb)')")
    reader.run("CALL migrate_events")
    reader.effect("SELECT string_agg(schema_version::text, ' ' ORDER BY schema_version) FROM event_schemas WHERE event_type = 'order.created'", ["2 3"], "version 1 is dropped")


def move_and_read(reader, database, folder):
    database.run("SELECT register_schema('https://example.com/money', '{\"type\": \"number\"}');"
                 "SELECT register_event_schema('refund', 1, '{\"properties\": {\"amount\": {\"$ref\": \"https://example.com/money\"}}}')")
    with Database("documents_other") as other:
        other.run("DROP EXTENSION event_validate")
        script = Reader(reader.check, reader.page, database, **reader.names, otherdb=other.name).named(reader.block("SELECT event_schema_ddl()", "sh"))
        for time_of_it in ("the first", "a second"):
            done = subprocess.run(["bash", "-euo", "pipefail", "-c", script], cwd=folder, capture_output=True, text=True, check=False)
            reader.check(done.returncode == 0 and "ERROR" not in done.stderr, f"questions.md: the registry is copied {time_of_it} time", done.stderr)
        everything = "SELECT proname, prosrc FROM pg_proc WHERE pronamespace = 'event_schema'::regnamespace ORDER BY 1"
        reader.check(other.run(everything) == database.run(everything), "questions.md: the copy is the same", other.run(everything))
    said = reader.run("CREATE ROLE docs_site")
    reader.check("order.created" in said and "refund" in said, "questions.md: a role without rights reads the schemas", said)
    database.run(f"REVOKE ALL ON DATABASE {database.name} FROM PUBLIC; REVOKE ALL ON SCHEMA public FROM PUBLIC; REVOKE ALL ON event_schemas FROM PUBLIC")
    reader.run("GRANT CONNECT ON DATABASE")
    role = reader.names["docs_site"]
    got = subprocess.run(["psql", "-XAt", "-U", role, "-d", database.name, "-c", "SELECT count(*) > 0 FROM event_schemas"], capture_output=True, text=True, check=False)
    reader.check(got.stdout == "t\n", "questions.md: with these rights it reads them in a closed database", got.stderr)
    documents = reader.block("p.proname AS uri")
    got = subprocess.run(["psql", "-XAt", "-U", role, "-d", database.name, "-c", documents], capture_output=True, text=True, check=False)
    reader.check(got.stdout == 'https://example.com/money|{"type": "number"}\n', "questions.md: and the documents", got)
    database.run(f"GRANT CONNECT ON DATABASE {database.name} TO PUBLIC; GRANT USAGE ON SCHEMA public TO PUBLIC; GRANT SELECT ON event_schemas TO PUBLIC")


def inserts_and_loads(reader, database):
    reader.run("fires_on => 'insert'")
    reader.effect("SELECT kind, definition LIKE '%BEFORE INSERT ON%' FROM event_enforcement", ["guard|t"], "a guard for INSERT only, instead of the check")
    reader.run("CREATE ROLE loader")
    said = reader.run("SET LOCAL event_validate.bypass_guard")
    reader.effect("SELECT count(*) FROM events WHERE data ->> 'symbol' = 'ibm'", ["100000"], "the rows are loaded")
    reader.check("100000" in said or "qty" in said, "questions.md: and audited", said)
    database.run("DELETE FROM events WHERE data ->> 'symbol' = 'ibm'; SELECT add_event_check('events')")
    reader.run("SELECT drop_event_check('events');\n")
    reader.run("SELECT add_event_check('events');\n")
    reader.run("SELECT validate_event_check('events');\n")
    reader.effect("SELECT validated FROM event_enforcement WHERE kind = 'check'", ["t"], "the check is back")


def headings(check, page, root):
    """Each question is in the list, and README.md leads to both pages."""
    asked = re.findall(r"^## (.*\?)$", page.text, re.MULTILINE)
    listed = re.findall(r"^- \[(.*\?)\]\(#([a-z-]*)\)$", page.text, re.MULTILINE)
    check([title for title, _ in listed] == asked and len(asked) == 10, "questions.md lists its questions", listed)
    check(all(anchor == re.sub(r"[^a-z -]", "", title.lower()).replace(" ", "-") for title, anchor in listed), "and leads to them", listed)
    readme = (root / "README.md").read_text(encoding="utf-8")
    check("docs/how-to/questions.md" in readme and "docs/how-to/emergency.md" in readme, "README.md leads to the questions and to the emergency page")


def questions_page(check, page, root, folder):
    with Database("documents_questions") as database:
        roles = {name: f"{name}_{os.getpid()}" for name in ("docs_site", "loader")}
        reader = Reader(check, page, database, mydb=database.name, **roles)
        try:
            first_questions(reader, database, folder)
            rename_and_delete(reader, database)
            move_and_read(reader, database, folder)
            inserts_and_loads(reader, database)
        finally:
            for role in roles.values():
                if database.run(f"SELECT count(*) FROM pg_roles WHERE rolname = '{role}'") == ["1"]:
                    database.run(f"DROP OWNED BY {role}; DROP ROLE {role}")
        reader.all_used()
    headings(check, page, root)


if __name__ == "__main__":
    sys.exit("test/documents/run runs it")
