"""docs --format html and eventcatalog."""

import json
import os
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

from command import check, database, expect, write
from tools import Unavailable, npm_packages

HOSTILE = "<script>alert(1)</script> {process.exit()} [x](javascript:y) \n\nimport x from 'y'\nexport const z = 1\rimport v from 'w'\r\nWWW.example.com"
SDK = "@eventcatalog/sdk@2.27.1"


def files():
    common = {"$defs": {"amount": {"type": "number", "minimum": 0, "description": "What it costs", "examples": [1.50]}}, "not": {}}
    write("events/shop.common@1.json", common)
    write("events/shop.order@1.json", {"title": "Order", "type": "object", "properties": {"a": {"$ref": "event:shop.common@1#/$defs/amount"}}})
    write("events/shop.order@2.json", {"title": HOSTILE, "description": HOSTILE, "type": "object", "deprecated": True, "required": ["k"], "properties": {
        "a": {"$ref": "event:shop.common@1#/$defs/amount"}, "<b>": {"description": HOSTILE, "default": "`|{"}, "a\\|b\rc": {}, "self": {"$ref": "#"}},
        "oneOf": [{"properties": {"k": {"const": "x"}, "y": {"type": "string"}}}, {"properties": {"k": {"const": "z|`"}}}]})
    write("events/team%2Forder@1.json", {"$id": "https://example.com/team-order"})
    write("events/https%3A%2F%2Fexample.com%2Fmoney.json", {"type": "number"})


class Links(HTMLParser):
    """The tags of a page, and where it leads."""

    def __init__(self, text):
        super().__init__()
        self.targets, self.tags, self.open = [], set(), []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        self.targets += [value for name, value in attributes if name in ("href", "src")]
        if tag not in ("meta", "input", "br", "link", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        check(bool(self.open) and self.open.pop() == tag, f"</{tag}> closes what is open", self.getpos())


def test_html():
    files()
    with database("es_html"):
        expect(0, "docs", "events", "site", "--format", "html", "--title", "A & B")
    names = sorted(os.listdir("site"))
    check(names == ["https%3A%2F%2Fexample.com%2Fmoney.html", "index.html", "shop.common.html", "shop.order.html", "shop.order@1.html", "team%2Forder.html"], "the pages", names)
    for name in names:
        text = Path("site", name).read_text(encoding="utf-8")
        page = Links(text)
        check(page.open == [], f"{name}: all tags are closed", page.open)
        check("<title>" in text and 'lang="en"' in text and "default-src 'none'" in text and not page.tags & {"img", "link", "iframe", "form"}, f"{name} makes no request")
        check("script" not in page.tags or name == "index.html", f"{name} has no script of a schema")
        for target in page.targets:
            check(target.startswith("#") or Path("site", target.replace("%25", "%")).exists(), f"{name}: the link {target}")
    page = Path("site/shop.order.html").read_text(encoding="utf-8")
    for text in ("&lt;script&gt;alert(1)", "deprecated", '<h3>Where <code>k = &quot;x&quot;</code></h3>', "What it costs", "at least 0", "as the whole event", "<h2>Example</h2>",
                 "Changes from version 1", 'aria-current="page">version 2', "A &amp; B", "default &quot;`|{&quot;"):
        check(text in page, f"the page has {text!r}", page)
    check("https://example.com/team-order" in Path("site/team%2Forder.html").read_text(encoding="utf-8"), "a $id is the URI")
    expect(0, "docs", "events", "offline", "--format", "html", "--offline", without_server=True)
    page = Path("offline/shop.order.html").read_text(encoding="utf-8")
    check("Changes from" not in page, "without a server there are no changes")
    check("default &quot;`|{&quot;" in page, "and values stand as they are in the document", page)
    write("events/INDEX@1.json", {})
    expect(2, "docs", "events", "other", "--format", "html", "--offline", says="two pages would have the name index.html")


def test_eventcatalog():
    files()
    with database("es_catalog"):
        expect(0, "docs", "events", "catalog", "--format", "eventcatalog")
    page = Path("catalog/events/shop.order/index.mdx").read_text(encoding="utf-8")
    for text in ('id: "shop.order"\n', 'version: "2"\n', 'schemaPath: "schema.json"\n', "deprecated: true\n", "&lt;script&gt;", "&#123;process.exit()&#125;", "\\[x\\](javascript:y)",
                 "\n&#105;mport x", "\n&#101;xport const", "\n&#105;mport v", "\nWWW\\.example", "`/properties/a\\\\\\|b c`", "Where `k", "## Changes in version 2"):
        check(text in page, f"the page has {text!r}", page)
    body = re.sub("```json.*?```|(?<!`)(`+)(?!`).*?(?<!`)\\1(?!`)", "", page.split("---\n", 2)[2].replace("<NodeGraph />", "").replace("\\`", ""), flags=re.DOTALL)
    check(not re.search(r"[<{}]", body), "no JSX and no expression of a schema", body)
    check(json.loads(Path("catalog/events/shop.order/versioned/1/schema.json").read_text(encoding="utf-8"))["title"] == "Order", "older versions")
    if shutil.which("node") is None:
        return
    try:
        packages = npm_packages(SDK)
    except Unavailable as error:
        print(f"left out: EventCatalog's SDK: {error}")
        return
    program = """const sdk = require(process.argv[1] + "/node_modules/@eventcatalog/sdk").default(process.argv[2]);
(async () => { for (const version of ["latest", "1"]) { const e = await sdk.getEvent("shop.order", version); console.log(JSON.stringify([e.id, e.version, e.schemaPath, e.deprecated ?? false])); }
console.log((await sdk.getEvents()).length); })();"""
    done = subprocess.run(["node", "-e", program, str(packages), str(Path("catalog").resolve())], capture_output=True, text=True, check=False)
    check(done.stdout.split("\n")[:3] == ['["shop.order","2","schema.json",true]', '["shop.order","1","schema.json",false]', "4"], "EventCatalog's SDK reads it", done)
