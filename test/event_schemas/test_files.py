"""Names, JSON, references, options and the faults of files: without a server."""

import json
import os
import random
import shutil
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

from command import KEYS, check, example, expect, git, write
from event_validate import jsontext, names, options, references
from event_validate.pages import MOST_ROWS
from event_validate.tree import read_tree

ODD = ["order.placed", "a/b", "a@b", ".hidden", "..", "%41", "a%", "Ä ß", "日本語", "a\\b", "~", 'q"q', "x" * 512, "Ü" * 256, "a:b", "CON", "-x", "a b@1"]


def random_json(choice, depth=0):
    kind = choice.randrange(4 if depth > 3 else 6)
    if kind == 0:
        return choice.choice([True, False, None])
    if kind == 1:
        return Decimal(choice.choice(["0", "-1", "1.10", "1E+400", "0.1", "12345678901234567890.5", "1e-7"]))
    if kind < 4:
        return choice.choice(["", "a", "\"\\\n", "é", "~/", "{[,:]}", "\u2028"])
    if kind == 4:
        return [random_json(choice, depth + 1) for _ in range(choice.randrange(4))]
    return {choice.choice(["", "a", "a/b", "~", "\"", "ü", "\\", "{", "k:"]): random_json(choice, depth + 1) for _ in range(choice.randrange(5))}


def test_names():
    for name in ODD:
        text = names.escape(name)
        check(names.unescape(text) == name and not set(text) & set('/\\:*?"<>| @~') and not text.startswith("."), f"the name of a file of {name!r}", text)
        check(len(names.stem(name)[0]) <= names.LONGEST_FILE_NAME, f"the length of the name of {name[:20]!r}")
    for text in ("%", "%4", "%zz", "%C3", "%ff"):
        try:
            check(False, f"{text} is no name", names.unescape(text))
        except ValueError:
            check(True, text)
    check(names.event_name("a@b@12") == ("a@b", 12) and names.event_name("a@01") is None and names.event_name("a@2147483648") is None, "types and versions")


def test_json():
    choice = random.Random(1)
    for number in range(400):
        value = random_json(choice)
        for text in (jsontext.dumps(value), jsontext.dumps(value, indent=""), json.dumps(value, default=lambda one: 7, indent=choice.choice([None, 1]))):
            again = jsontext.loads(text)
            check(jsontext.same(jsontext.loads(jsontext.dumps(again)), again), f"document {number} is written as it was read", text)
            found = jsontext.offsets(text)
            for pointer, offset in found.items():
                part = again
                for key in pointer.split("/")[1:]:
                    part = part[int(key)] if isinstance(part, list) else part[key.replace("~1", "/").replace("~0", "~")]
                inner, _ = json.JSONDecoder(parse_float=Decimal, parse_int=Decimal).raw_decode(text, offset)
                if not jsontext.same(inner, part):
                    check(False, f"the place of {pointer}", text)
    check(jsontext.dumps(jsontext.loads("[1.10, 1e400, 100]")) == "[1.10, 1E+400, 100]", "numbers are written with their digits")
    check(not jsontext.same(True, Decimal(1)) and jsontext.same(Decimal("1.0"), Decimal(1)), "equality of JSON")
    for text in ("", "{", "[1,]", "NaN", "{} x", "[" * 100000, "1e99999999999999999999999"):
        try:
            check(False, f"{text[:20]} is not JSON", jsontext.loads(text))
        except jsontext.Malformed as error:
            check(error.line == 1, f"{text[:20]} is not JSON")


def test_references():
    choice = random.Random(2)
    for number in range(200):
        size = choice.randrange(1, 9)
        graph = {node: {choice.randrange(size) for _ in range(choice.randrange(3))} - {node} for node in range(size)}
        groups = references.in_order(graph)
        place = {node: position for position, group in enumerate(groups) for node in group}
        reach = {node: {node} for node in graph}
        for _ in graph:
            for node in graph:
                reach[node] = reach[node].union(*(reach[other] for other in graph[node]))
        check(sorted(place) == sorted(graph) and all(place[other] <= place[node] for node in graph for other in graph[node])
              and all((place[one] == place[other]) == (one in reach[other] and other in reach[one]) for one in graph for other in graph), f"order {number}", (graph, groups))
    document = {"$ref": "a", "const": {"$ref": "a"}, "properties": {"$ref": {"$ref": "event:b@1#/x"}, "enum": {"enum": [{"$ref": "a"}]}}, "$id": "https://example.com/x/y", "items": [{"$ref": "#here"}]}
    check(references.references(document, "event:t@1") == {"https://example.com/x/a", "event:b@1"}, "references", references.references(document, "event:t@1"))
    changed = references.rewrite(document, "event:t@1", lambda reference, _: "NEW" if reference in ("a", "event:b@1") else None)
    check(changed == {**document, "$ref": "NEW", "properties": {"$ref": {"$ref": "NEW#/x"}, "enum": document["properties"]["enum"]}}
          and document["$ref"] == "a", "references are rewritten, data is not", changed)
    check(references.resolve("event:a@1", "b@2#/x") == "event:b@2", "relative references between events")
    odd = {"$id": "http://[y", "$ref": "http://[x#/a", "items": {"$ref": "b", "$schema": "http://[z#"}}
    check(references.references(odd, "https://example.com/") == {"http://[x", "http://[z", "b"}, "references that are no URIs", references.references(odd, "https://example.com/"))
    check(references.rewrite(odd, "", lambda reference, _: "new" if reference == "http://[x" else None)["$ref"] == "new#/a", "they are rewritten, too")


def test_options():
    value = {"policy": "forward", "lenient": False, "assert_format": False, "versions": {"1": {"assert_format": True}, "2": {"breaking": True}, "10": {"assert_format": True, "except_formats": ["time"]}}}
    faults = []
    read = options.read_options("x", value, lambda *fault: faults.append(fault))
    check(faults == [] and options.read_options("x", read.as_json(), lambda *fault: faults.append(fault)) == read, "options are written as they were read", (faults, read.as_json()))
    check(read.of(2).pragmas() == "#assert_format off\n#breaking\n" and read.of(10).pragmas() == "#assert_format except time\n" and read.of(1).pragmas() == "", "pragma lines", read)


def test_faults():
    """Each fault is said with its file and line, and all of them at once."""
    faults = {"events/bad@1.json": ("{\n  \"a\": 1,\n  b}", ":3:3: error: the file is not JSON"), "events/a@01.json": ("{}", ":1: error: the name of the file"),
              "events/a%4@1.json": ("{}", ":1: error: the name of the file"), "events/other.json": ("{}", ":1: error: the name of the file is not TYPE@VERSION.json"),
              "events/a@options.json": ('{\n "polcy": "full",\n "policy": "fulll", "versions": {"01": {}, "2":\n {"breaking": 1}}}', ":2:11: error: /polcy: unknown option"),
              "events/sub/b@1.json": ("{}", ":1: error: \"b@1\" is in events/b@1.json too"), "events/b@1.json": ("{}", None), "events/.x.json": ("no", None), "events/README.md": ("no", None),
              "events/c@options.json": ("[]", ":1:1: error: the document: must be an object"), "events/d@1.json": ('{"a": NaN}', ":1:1: error: the file is not JSON: NaN is not JSON"),
              "events/e@1.json": ('{"a": "\\ud83d\\ude00 \\\\ud800",\n "b": "\\ud800"}', ":2:8: error: the file is not JSON: \\ud800 is half of a surrogate pair")}
    for path, (text, _) in faults.items():
        write(path, text)
    Path("events/latin@1.json").write_bytes(b'{\n"a": "\xe4"}')
    said = expect(1, "sql", "events", says="events/latin@1.json:2: error: the file is not UTF-8")
    for path, (_, expected) in faults.items():
        check(expected is None and f"{path}:" not in said.all or expected is not None and path + expected in said.all, f"the fault of {path}", said)
    for expected in (":3:12: error: /policy: must be one of", '/versions/01: must be a version', ":4:15: error: /versions/2/breaking: must be true or false"):
        check(expected in said.all, expected, said)


def test_links():
    """Symbolic links in a revision lead to the files in it."""
    write("common/a@1.json", {"title": "a"})
    write("events/b@1.json", {"$ref": "event:a@1"})
    os.symlink("../common/a@1.json", "events/a@1.json")
    git("init", "-q", ".")
    git("add", ".")
    git("commit", "-qm", "x")
    expect(0, "sql", "events", "--since", "git:HEAD:events", says="nothing is missing")
    tree = read_tree("git:HEAD:events/a@1.json")
    check(tree.file.value == {"title": "a"} and "b@1" in tree.schemas, "a link as the file of a revision", tree)
    os.symlink("nowhere.json", "events/c@1.json")
    git("add", ".")
    git("commit", "-qm", "y")
    expect(2, "sql", "common", "--since", "git:HEAD:events", says="git:HEAD:events/c@1.json: the symbolic link leads to no file of this revision")


def test_pages():
    """Two pages of one name, and pages without end."""
    write("events/big@1.json", {"properties": {f"p{number}": {"$ref": "#"} for number in range(20)}, "allOf": [{"$ref": "#"}] * 20})
    expect(0, "docs", "events", "pages", "--offline")
    page = Path("pages/big.md").read_text(encoding="utf-8")
    check(page.count("\n| `p") == MOST_ROWS and "\n\nAnd more, which this page leaves out.\n" in page, "a page has an end", page[-300:])
    write("long/big@1.json", {"properties": {f"p{number}": {} for number in range(MOST_ROWS)}})
    expect(0, "docs", "long", "pages", "--offline")
    page = Path("pages/big.md").read_text(encoding="utf-8")
    check(page.count("\n| `p") == MOST_ROWS and "And more" not in page, "a page that is not cut", page[-300:])
    for name in ("readme@1.json", "BIG@1.json"):
        write(f"events/{name}", {})
        expect(2, "docs", "events", "other", "--offline", says="two pages would have the name")
        check(not os.path.exists("other"), "nothing is written")
        os.remove(f"events/{name}")


def test_usage():
    """What is asked wrongly ends with a message."""
    write("a.json", "{}")
    write("events/a@1.json", "{}")
    for arguments in (["sql", "nothing"], ["sql", "a.json"], ["check"], ["sql", "events", "--since", "git:HEAD"], ["sql", "events", "--since", "git:HEAD:events"], ["sql", "events", "--since", "git:--help:x"],
                      ["sql", "events", "--name", "../x"], ["push", "events"], ["pull", "x"], ["sql", "events", "--missing"], ["pull", "a.json", "--dsn", "dbname=none host=/nowhere"],
                      ["check", "events", "--pg-config", "/nowhere"], ["check", "events", "--base", "events", "--dsn", "dbname=x"], ["check", "events", "--dsn", "postgres://u@h:port:x/db"], ["export", "events", "ftp://x"], ["export", "events", "http://[::1"], ["export", "events", "http://127.0.0.1:1"],
                      ["export", "events", "http://a..b/"],
                      ["import", "http://127.0.0.1:1", "x", "--timeout", "1e300"], ["import", "http://127.0.0.1:1", "x", "--kind", "apicurio"], ["import", "http://127.0.0.1:1", "a.json"]):
        expect(2, *arguments, without_server=True)
    for dsn in ("postgresql://me:se@cr%t3@127.0.0.1:1/db", "host=127.0.0.1 port=1 user=me password=se@cr%t3", "host=127.0.0.1 port=1 password='se@cr%t3'", "password=se@cr%t3 nonsense"):
        expect(2, "push", "events", "--dsn", dsn, says_not=["cr%t3", "se@"], without_server=True)
    expect(2, "push", "events", "--dsn", "host=127.0.0.1 port=1", PGPASSWORD="127.0.0.1", says_not="127.0.0.1", without_server=True)


def test_tree():
    example()
    tree = read_tree("events")
    check(sorted(tree.schemas) == sorted(KEYS) and tree.findings == [], "the example is read", (sorted(tree.schemas), tree.findings))
    check([key for key, targets in tree.graph().items() if targets] == ["department@1", "order.placed@1", "order.placed@2", 'people/head of "x"@1', "uses.place@1"], "its references", tree.graph())


def test_package():
    """The package is built and installed by pip, and its program runs."""
    source = Path(__file__).resolve().parents[2] / "clients" / "python"
    shutil.copytree(source, "python")
    done = subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--no-build-isolation", "--target", "installed", "./python"],
                          capture_output=True, text=True, check=False)
    check(done.returncode == 0, "pip installs the package", done.stderr)
    done = subprocess.run([sys.executable, "installed/bin/event-schemas", "--version"], capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": "installed"})
    check(done.returncode == 0 and done.stdout.startswith("event-schemas, version "), "event-schemas runs", done)
    licence = (source.parents[1] / "LICENSE").read_text(encoding="utf-8")
    check([path.read_text(encoding="utf-8") for path in Path("installed").glob("*.dist-info/licenses/LICENSE")] == [licence], "the package has the license")
