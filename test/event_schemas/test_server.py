"""check, push, pull, diff and docs, on databases of the server and on a throwaway one."""

import filecmp
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import command
from command import KEYS, LONG_TYPE, LONG_URI, ORDER, WITH_QTY, check, database, example, expect, git, write
from event_validate import names
from test_migrations import psql

EVERYTHING = "SELECT md5(string_agg(p::text, '' ORDER BY oid)) FROM pg_proc AS p WHERE pronamespace = 'event_schema'::regnamespace"


def test_check():
    example()
    with database("es_check") as db:
        before = db.run(EVERYTHING)
        expect(0, "check", "events", says="9 schemas of 6 types: 0 errors, 0 warnings, 0 notes")
        write("events/order.placed@3.json", '{"type": "object",\n "properties": {"symbol": {"type": "strin"},\n  "price": {"tpye": 1}}}')
        expect(1, "check", "events", says=['events/order.placed@3.json:2:36: error: there is no type "strin"', 'events/order.placed@3.json:3:21: warning: unknown keyword "tpye"'])
        write("events/order.placed@3.json", json.dumps({**WITH_QTY, "required": ["order_id", "symbol",\
            "qty"]}, indent=1))
        said = expect(1, "check", "events", says=["order.placed@3.json:21:10: error: not backward compatible with version 2: The property \"qty\" is required now. (PROPERTY_BECAME_REQUIRED)", 'add "/properties/qty PROPERTY_BECAME_REQUIRED" to "accept" of version 3'])
        check(said.out.count("(PROPERTY_BECAME_REQUIRED)") == 1, "a change is said once, not for each version before", said)
        write("events/order.placed@options.json", {"policy": "full_transitive", "except_formats": ["uuid"], "versions": {"3": {"breaking": True}}})
        expect(0, "check", "events")
        accept = ["/properties/qty PROPERTY_BECAME_REQUIRED", "/properties/qty PROPERTY_REQUIRED_ADDED"]
        write("events/order.placed@options.json", {"policy": "full_transitive", "except_formats": ["uuid"], "versions": {"3": {"accept": accept}}})
        expect(0, "check", "events")
        write("events/order.placed@options.json", {"policy": "full_transitive", "except_formats": ["uuid"], "versions": {"3": {"accept": accept[:1]}}})
        expect(1, "check", "events", says="PROPERTY_REQUIRED_ADDED")
        write("events/order.placed@options.json", {"policy": "forward", "except_formats": ["uuid"]})
        expect(0, "check", "events")
        os.remove("events/order.placed@3.json")
        write("events/lost@1.json", '{"items":\n {"$ref": "event:nowhere@1"}}')
        expect(1, "check", "events", says='events/lost@1.json:2:11: error: refers to "event:nowhere@1", which is not registered')
        write("events/lost@1.json", '{"required": ["a"],\n "requried": ["a"]}')
        expect(0, "check", "events", says="events/lost@1.json:2:14: warning")
        said = expect(1, "check", "events", "--strict", "--format", "json")
        found = json.loads(said.out)
        check([(one["path"], one["line"], one["severity"], one["rule"], one["location"]) for one in found] == [("events/lost@1.json", 2, "warning", "MISSPELLED_KEYWORD", "/requried")], "findings as JSON", found)
        check(db.run(EVERYTHING) == before, "nothing is left in the database")


def test_push():
    example()
    with database("es_push") as db:
        before = db.run(EVERYTHING)
        said = expect(0, "push", "events", "--dry-run", says=["order.placed: policy would be set to full_transitive", f"{LONG_TYPE}@1: would be registered"])
        check(said.out.count("would be registered") == 9 and db.run(EVERYTHING) == before, "a dry run registers nothing", said)
        write("events/wrong@1.json", '{"type": 1}')
        expect(1, "push", "events", says=["events/wrong@1.json:1:10: error", "nothing is registered"])
        check(db.run(EVERYTHING) == before, "all or nothing: the policies neither")
        os.remove("events/wrong@1.json")
        said = expect(0, "push", "events")
        check(said.out.count(": registered") == 9, "all are registered", said)
        registered = db.run(EVERYTHING)
        expect(0, "push", "events", says="9 schemas unchanged")
        expect(0, "check", "events")
        functions = {name: function for name, function in (line.split("|", 1) for line in db.run("SELECT event_type || '@' || schema_version, proname FROM event_schemas JOIN pg_proc ON oid = function"))}
        check(all(names.function_name(*names.event_name(key)[:1], str(names.event_name(key)[1])) == function for key, function in functions.items()) and len(functions) == 7, "the names of functions", functions)
        check(all(db.run(f"SELECT count(*) FROM pg_proc WHERE proname = '{names.document_function_name(uri)}'") == ["1"] for uri in KEYS[7:]), "the names of documents")
        check(db.run("SELECT event_schema.\"order.placed@compatibility\"()") == ["full_transitive"], "the policy is set")
        # published schemas
        write("events/order.placed@1.json", json.dumps({**ORDER, "title": "Placed"}, indent=2))
        expect(0, "check", "events", says="order.placed@1.json:1: note: differs from the one in database")
        expect(0, "push", "events", says="order.placed@1: annotations differ")
        check(db.run(EVERYTHING) == registered, "annotations are left alone")
        expect(0, "push", "events", "--annotations", "--dry-run", says="order.placed@1: would be given new annotations")
        expect(0, "push", "events", "--annotations", says="order.placed@1: given new annotations")
        check(db.run("SELECT title FROM event_schemas WHERE event_type = 'order.placed' ORDER BY schema_version") == ["Placed", "Order placed"], "annotations are replaced")
        write("events/order.placed@2.json", json.dumps({**WITH_QTY, "required": []}, indent=2))
        write("events/order.placed@3.json", WITH_QTY)
        for command in ("check", "push"):
            expect(1, command, "events", says=['order.placed@2.json:', 'error: schema "order.placed@2" is published with another document'])
        check(db.run("SELECT count(*) FROM event_schemas WHERE event_type = 'order.placed'") == ["2"], "nothing is registered beside it")
        os.remove("events/order.placed@2.json")
        expect(0, "check", "events", says='events: note: "order.placed@2" is in database')
        rights(db)


def rights(db):
    role = f"event_schemas_{os.getpid()}"
    db.run(f"CREATE ROLE {role} LOGIN")
    try:
        expect(2, "push", "events", "--dsn", f"user={role}", says=["permission denied for schema event_schema", "GRANT CREATE"])
    finally:
        db.run(f"DROP ROLE {role}")
    db.run("CREATE TABLE t (a jsonb); DROP EXTENSION event_validate CASCADE")
    expect(2, "push", "events", says="the extension event_validate is not installed in database")


def same_folders(one, other):
    def content(top):
        return {path.name: json.loads(path.read_text(encoding="utf-8")) for path in Path(top).rglob("*.json")}
    return content(one) == content(other)


def test_pull():
    example()
    with database("es_pull") as db:
        db.run("DROP EXTENSION event_validate; CREATE SCHEMA other; CREATE EXTENSION event_validate SCHEMA other")
        expect(0, "push", "events")
        expect(0, "pull", "pulled", says="pulled/order.placed@options.json: written")
        expect(0, "pull", "pulled", says="0 files written")
        text = Path("pulled/https%3A%2F%2Fexample.com%2Fmoney.json").read_text(encoding="utf-8")
        check(text == '{"type": "number", "multipleOf": 0.10}\n', "the text is that of the file", text)
        options = json.loads(Path("pulled/order.placed@options.json").read_text(encoding="utf-8"))
        check(options == {"policy": "full_transitive", "except_formats": ["uuid"], "versions": {"2": {"except_formats": ["time", "uuid"]}}}, "the options", options)
        expect(0, "diff", "events", "pulled", says="No differences.")
        expect(0, "check", "pulled", says="9 schemas of 6 types: 0 errors, 0 warnings, 0 notes")
        with database("es_pushed_again"):
            expect(0, "push", "pulled")
            expect(0, "pull", "again")
        check(same_folders("pulled", "again"), "what is pushed is pulled again", filecmp.dircmp("pulled", "again").diff_files)
        write("pulled/order.placed@1.json", "{}")
        expect(1, "pull", "pulled", says="order.placed@1.json: differs, and is left as it is")
        expect(0, "pull", "pulled", "--overwrite")
        check(same_folders("pulled", "again"), "it is overwritten")
        expect(0, "pull", "some", "--type", "uses.place", says_not="order")
        check(len(os.listdir("some")) == 3, "a type and what it refers to", os.listdir("some"))
        expect(2, "pull", "some", "--type", "nothing", says='event type "nothing" is not registered')
        db.run("SELECT other.register_event_schema(t, 1, '{}') FROM unnest('{Case,case,CASE}'::text[] || repeat('Q', 150) || repeat('q', 150) || ('Q' || repeat('q', 149))) AS t; SELECT other.set_event_compatibility('case', 'none', false, 'warn');"
               "SELECT other.register_schema('" + LONG_URI.replace("deep", "lost") + "', '{}')")
        lost = LONG_URI.replace("deep", "lost")
        expect(0, "pull", "found", says_not="not known")
        check(any(json.loads(path.read_text(encoding="utf-8")).get("uri") == lost for path in Path("found").glob("*@options.json")), "a long URI is known by the comment", os.listdir("found"))
        with database("es_long"):
            expect(0, "push", "found")
            expect(0, "pull", "found_again")
        check(same_folders("found", "found_again"), "and comes back as it was")
        db.run(f"COMMENT ON FUNCTION event_schema.\"{names.document_function_name(lost)}\" IS NULL")
        said = expect(0, "pull", "case", says="is a document whose URI is not known")
        check(len({name.casefold() for name in os.listdir("case")}) == len(os.listdir("case")), "no two files differ in case only", os.listdir("case"))
        expect(0, "check", "case")
        check(json.loads(Path("case", next(name for name in os.listdir("case") if names.unescape(name) == "case@options.json")).read_text(encoding="utf-8")) == {"policy": "none", "lenient": False, "unknown": "warn"}, "a strict policy", said)


def test_renames():
    """Renames are options of a version: checked, registered, pulled, migrated, compared."""
    old = {"required": ["qty"], "properties": {"qty": {"type": "integer"}, "price": {"$ref": "https://example.com/money"}}}
    new = {"required": ["quantity"], "properties": {"quantity": {"type": "integer"}, "price": {"$ref": "https://example.com/money"}}}
    write("events/moved@1.json", old)
    write("events/https%3A%2F%2Fexample.com%2Fmoney.json", {"type": "number"})
    write("events/moved@2.json", new)
    write("events/moved@options.json", {"versions": {"2": {"renames": {"qty": 1}}}})
    with database("es_renames") as db:
        expect(1, "check", "events", says='moved@options.json:1:32: error: /versions/2/renames: must be an object that is not empty')
        write("events/moved@options.json", {"versions": {"2": {"renames": {"qty": "/a/b"}}}})
        expect(1, "check", "events", says=["moved@2.json:1:1: error: invalid pragma line", "different objects"])
        os.remove("events/moved@options.json")
        said = expect(1, "check", "events", says=["PROPERTY_REQUIRED_ADDED", 'Then write an upcast for events of version 1 (register_event_upcast).'])
        advice = re.search(r'If "qty" is only called "quantity" now, set "renames" of version 2 to (.*?) in the options of the type\.', said.out + said.err)
        check(advice is not None and json.loads(advice[1]) == {"qty": "quantity"}, "the server's advice", said)
        write("events/moved@options.json", {"versions": {"2": {"renames": {"qty": "quantity"}}}})
        expect(0, "check", "events", says="0 errors")
        expect(0, "push", "events")
        check(db.run("""SELECT upcast_event('{"qty": 1}', 'moved', 1)""") == ['{"quantity": 1}'], "they are registered")
        expect(0, "pull", "pulled")
        check(same_folders("events", "pulled"), "they are pulled", os.listdir("pulled"))
        expect(0, "check", "pulled", says="0 errors")
        said = expect(0, "diff", "events/moved@1.json", "events/moved@2.json", says="`/properties/quantity` | compatible | compatible |")
        check("`PROPERTY_RENAMED`" in said.out, "the difference", said)
        write("events/moved@3.json", {**new, "title": "T"})
        os.makedirs("before")
        for name in ("moved@1.json", "moved@2.json", "moved@options.json", "https%3A%2F%2Fexample.com%2Fmoney.json"):
            shutil.copy(f"events/{name}", f"before/{name}")
        expect(0, "diff", "before", "events", says="moved@3", says_not="PROPERTY_RENAMED")
        os.remove("events/moved@3.json")
        write("events/moved@options.json", {"versions": {"2": {"renames": {"/qty": "quantity"}}}})
        expect(1, "push", "events", says='"moved@2" is published with other renames')
        expect(2, "sql", "events", "--since", "before", says='"moved@2" differs', without_server=True)
        expect(0, "docs", "before", "pages", says="")
        check("renamed properties" in Path("pages/moved.md").read_text(encoding="utf-8"), "a note in the list of versions")
    with database("es_renames_sql") as db:
        write("up.sql", expect(0, "sql", "before").out)
        check("renames => CAST(" in Path("up.sql").read_text(encoding="utf-8"), "the call of a migration")
        psql(db, "up.sql")
        check(db.run("""SELECT event_at_version('{"quantity": 1}', 'moved', 2, 1)""") == ['{"qty": 1}'], "a migration registers them")


def test_diff():
    example("old")
    shutil.copytree("old", "new")
    with database("es_diff") as db:
        before = db.run(EVERYTHING)
        expect(0, "diff", "old", "new", says="No differences.")
        write("new/order.placed@3.json", {**WITH_QTY, "properties": {**WITH_QTY["properties"], "note | <b>": {"type": "string"}}})
        said = expect(0, "diff", "old", "new", says=["## order.placed@3", "`new/order.placed@2.json` → `new/order.placed@3.json`", "PROPERTY_OPTIONAL_ADDED"])
        check("note \\| &lt;b>" in said.out, "names do not end cells of a table", said)
        expect(1, "diff", "old", "new", "--strict", says="backward **incompatible**")
        # what a reference leads to changes
        write("new/https%3A%2F%2Fexample.com%2Fmoney.json", {"type": "number", "multipleOf": 0.2})
        said = expect(1, "diff", "old", "new", "--format", "json")
        found = json.loads(said.out)
        check(found["verdict"] == "incompatible" and {one["name"]: one["changed_in_place"] for one in found["compared"]} == {"order.placed@3": False, "https://example.com/money": True}
              and all("~" not in change["location"] + change["message"] for one in found["compared"] for change in one["changes"]), "the difference as JSON", found)
        expect(0, "diff", "old", "new", "--direction", "forward")
        expect(1, "diff", "old/order.placed@2.json", "new/order.placed@3.json")
        expect(1, "diff", "old/order.placed@2.json", "new", says="## order.placed@2")
        expect(0, "diff", "new/order.placed@2.json", "old", says="MULTIPLE_OF_CHANGED")
        os.remove("new/uses.place@1.json")
        expect(1, "diff", "old", "new", says="## Removed\n\n- `uses.place@1`")
        write("one.json", {"pattern": "^(a+|b)\\1$"})
        write("two.json", {"pattern": "^(a+|b){2}$"})
        expect(3, "diff", "one.json", "two.json", says="unknown")
        write("two.json", {"type": 1})
        expect(2, "diff", "one.json", "two.json", says="two.json:1:10: error")
        write("two.json", {"$ref": "http://[x#/a"})
        expect(2, "diff", "one.json", "two.json", says="two.json:1:10: error")
        write("a@options.json", {})
        expect(2, "diff", "a@options.json", "one.json", says="a@options.json is no schema")
        odd_uris()
        git("init", "-q", ".")
        git("add", ".")
        git("commit", "-qm", "x")
        shutil.rmtree("old")
        expect(1, "diff", "git:HEAD:old", "new", says="## Removed")
        expect(0, "diff", "git:HEAD:old/order.placed@1.json", "git:main:old/order.placed@2.json", says="`git:HEAD:old/order.placed@1.json` →")
        os.chdir("new")
        expect(0, "diff", "git:HEAD:.", ".", "--direction", "forward", says="No differences.")
        os.chdir("..")
        expect(2, "diff", "git:HEAD:old", "git:nothing:old", says="no such revision")
        check(db.run(EVERYTHING) == before, "nothing is left in the database")


def odd_uris():
    """Documents whose URIs differ in one character of punctuation."""
    for side, kind in (("left", "string"), ("right", "number")):
        write(f"{side}/1.json", {"$id": "https://example.com/a/b", "type": kind})
        write(f"{side}/2.json", {"$id": "https://example.com/a_b", "type": "integer" if side == "left" else "number"})
    said = expect(1, "diff", "left", "right", "--format", "json")
    found = json.loads(said.out)
    check([(one["name"], one["backward"]) for one in found["compared"]] == [("https://example.com/a/b", "incompatible"), ("https://example.com/a_b", "compatible")], "each is compared with itself", found)
    for side in ("left", "right"):
        write(f"{side}/u@1.json", {"items": {"$ref": "https://example.com/a/b"}, "not": {"$ref": "https://example.com/nowhere" if side == "right" else "https://example.com/a_b"}})
    expect(2, "diff", "left", "right", says="https://example.com/nowhere", says_not="document-")


def test_docs():
    example()
    write("events/order.placed@2.json", {**WITH_QTY, "description": "An order | <script>", "examples": [{"order_id": "a"}], "properties": {
        **WITH_QTY["properties"], "lines": {"type": "array", "items": {"type": "object", "required": ["n"], "properties": {"n": {"enum": [1, "a|b"]}}}}, "head": {"$ref": "event:department@1"},
        "self": {"$ref": "#"}}})
    with database("es_docs"):
        expect(0, "docs", "events", "pages")
        page = Path("pages/order.placed.md").read_text(encoding="utf-8")
        for text in ("# order.placed\n", "| `order_id` | string | yes | format `uuid` |", "| `lines[].n` | anything | yes | one of `1`, `\"a\\|b\"` |", "| `head` | [department@1](department.md) |",
                     "## Changes in version 2", "PROPERTY_OPTIONAL_ADDED", "```json\n{\"order_id\": \"a\"}\n```", "An order | &lt;script>", "| `qty` | integer |  | ≥ 1 |", "| `self.symbol` |", "[https://example.com/money]"):
            check(text in page, f"the page has {text!r}", page)
        for path in Path("pages").iterdir():
            for target in re.findall(r"\]\(([^)]*)\)", path.read_text(encoding="utf-8")):
                check(Path("pages", target.replace("%25", "%")).exists(), f"{path}: the link {target}")
    expect(0, "docs", "events", "offline", "--offline", without_server=True)
    check("Changes" not in Path("offline/order.placed.md").read_text(encoding="utf-8") and len(os.listdir("offline")) == 9, "without a server there are no changes", os.listdir("offline"))


def throwaway_settings():
    return {"PG_CONFIG": os.environ["EV_PG_CONFIG"], "EVENT_SCHEMAS_SERVER_CONF": os.environ["EV_SERVER_CONF"], "TMPDIR": os.getcwd()}


def folders():
    """The folders of throwaway servers."""
    return [name for name in os.listdir(".") if name.startswith("event-schemas.")]


def test_throwaway():
    """A server of its own, with what git has as published."""
    example()
    git("init", "-q", ".")
    git("add", ".")
    git("commit", "-qm", "x")
    write("events/order.placed@2.json", {**WITH_QTY, "required": []})
    write("events/department@2.json", {"properties": {"head": {"type": "string"}}})
    settings = throwaway_settings()
    expect(1, "check", "events", "--base", "git:HEAD:events", says=["events/order.placed@2.json:", '"order.placed@2" is published with another document',
                                                                  "events/department@2.json:1:34: error: not backward compatible with version 1"], without_server=True, **settings)
    expect(2, "check", "events", says=["the start failed", "nonsense"], without_server=True, **{**settings, "EVENT_SCHEMAS_SERVER_CONF": "nonsense = 1"})
    leads_to_no_other(settings)
    check(folders() == [], "nothing is left of the throwaway servers", os.listdir("."))


def leads_to_no_other(settings):
    """PGHOSTADDR leads to another server on the throwaway server's port."""
    with socket.socket() as other:
        try:
            other.bind(("127.83.86.1", 5432))
        except OSError as error:
            print(f"a throwaway server leads to no other: skipped: port 5432 of 127.83.86.1 cannot be had: {error}")
            return
        other.listen()
        other.setblocking(False)
        address = {"PGHOSTADDR": "127.83.86.1", "PGCONNECT_TIMEOUT": "2", "PGTARGETSESSIONATTRS": "standby"}
        expect(0, "diff", "events/department@2.json", "events/department@2.json", "--throwaway", **{**settings, **address})
        try:
            check(False, "a throwaway server leads to no other", other.accept())
        except BlockingIOError:
            check(True, "a throwaway server leads to no other")


def test_signals():
    """A signal ends the command; nothing is left of the throwaway server."""
    write("events/a@1.json", "{}")
    settings = throwaway_settings()
    settings["EVENT_SCHEMAS_SERVER_CONF"] += "\npre_auth_delay = 8\n"  # so that the command is still there
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PG")} | settings | {
        "PYTHONPATH": str(Path(command.__file__).parents[2] / "clients/python/src"), "PYTHONDONTWRITEBYTECODE": "1"}

    # shells start programs in the background with signals ignored
    program = "import runpy, signal; signal.signal(signal.SIGINT, signal.default_int_handler); signal.signal(signal.SIGHUP, signal.SIG_DFL); runpy.run_module('event_validate', run_name='__main__')"
    for number, status, times, wanted in ((signal.SIGINT, 130, 2, "*/data/postmaster.pid"), (signal.SIGTERM, 143, 1, "*/.s.PGSQL.5432"), (signal.SIGHUP, 129, 1, "*/data/base")):
        with subprocess.Popen([sys.executable, "-c", program, "check", "events"], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as running:
            while running.poll() is None and not list(Path().glob(f"event-schemas.{wanted}")):
                time.sleep(0.01)
            for _ in range(times):
                running.send_signal(number)
                time.sleep(0.01)
            said = running.communicate()[0]
        check(running.returncode == status and "Traceback" not in said, f"{number.name}: status {status}", (running.returncode, said))
        check(folders() == [], f"{number.name} leaves nothing", list(Path().rglob("*"))[:20])
    top = os.getcwd().encode()
    left = [path.parent.name for path in Path("/proc").glob("[0-9]*/cmdline") if top in contents(path)]
    check(left == [], "no server is left", left)


def contents(path):
    try:
        return path.read_bytes()
    except OSError:  # the process has ended
        return b""

