"""docs --format html: a site of static pages, which need no server and make no request to another one."""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from html import escape
from itertools import groupby

from event_validate.describing import Description, Property, uri_of
from event_validate.diff import Comparison
from event_validate.errors import Failure
from event_validate.names import stem
from event_validate.tree import Schema, Tree

MOST_LISTED = 200  # types in the list of each page; of more, only the index has the list

_STYLE = """
:root { color-scheme: light dark; --text: #1c2733; --quiet: #566472; --line: #d5dce3; --back: #fff; --panel: #f4f7f9; --accent: #0b5c99;
  --bad: #a3231c; --good: #1d6b39; --warn: #8a5300; }
@media (prefers-color-scheme: dark) { :root { --text: #e4e9ee; --quiet: #a3b0bc; --line: #36424e; --back: #14191f; --panel: #1c232b;
  --accent: #7cc0f5; --bad: #ff9d94; --good: #86d8a2; --warn: #f0be6e; } }
* { box-sizing: border-box; }
body { margin: 0; color: var(--text); background: var(--back); font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
a { color: var(--accent); } a:focus-visible, summary:focus-visible, input:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.skip { position: absolute; left: -999px; } .skip:focus { left: 8px; top: 8px; background: var(--back); padding: 8px; z-index: 2; }
header { border-bottom: 1px solid var(--line); padding: 12px 24px; background: var(--panel); }
header a { font-weight: 600; text-decoration: none; }
.page { display: grid; grid-template-columns: 250px minmax(0, 1fr); max-width: 1400px; margin: 0 auto; }
header a + a { margin-left: 20px; font-weight: 400; }
nav { grid-area: 1 / 1; border-right: 1px solid var(--line); padding: 20px 12px 20px 24px; font-size: 14px; }
nav h2 { font-size: 12px; text-transform: uppercase; letter-spacing: .06em; color: var(--quiet); margin: 18px 0 4px; border: 0; padding: 0; }
nav h2:first-child { margin-top: 0; }
nav ul { list-style: none; margin: 0; padding: 0; } nav li a { display: block; padding: 3px 8px; border-radius: 4px; text-decoration: none; overflow-wrap: anywhere; }
nav li a:hover { background: var(--panel); } nav a[aria-current] { background: var(--panel); font-weight: 600; color: var(--text); }
main { grid-area: 1 / 2; padding: 24px 32px 64px; min-width: 0; }
main.alone { grid-column: 1 / -1; }
h1 { font-size: 28px; line-height: 1.2; margin: 0 0 4px; overflow-wrap: anywhere; } h2 { font-size: 21px; margin: 36px 0 10px; border-bottom: 1px solid var(--line); padding-bottom: 6px; }
h3 { font-size: 16px; margin: 24px 0 8px; overflow-wrap: anywhere; }
.title { font-size: 18px; color: var(--quiet); margin: 0 0 14px; } .text { max-width: 75ch; white-space: pre-line; overflow-wrap: anywhere; }
code, pre { font: 13.5px/1.5 ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; } code { overflow-wrap: anywhere; }
pre { background: var(--panel); border: 1px solid var(--line); border-radius: 6px; padding: 14px 16px; overflow-x: auto; max-height: 480px; }
.facts { display: flex; flex-wrap: wrap; gap: 8px 28px; margin: 16px 0; padding: 12px 16px; background: var(--panel); border-radius: 6px; font-size: 14px; }
.facts dt { color: var(--quiet); font-size: 12px; } .facts dd { margin: 0; overflow-wrap: anywhere; } .facts div { min-width: 0; }
table { border-collapse: collapse; width: 100%; font-size: 14px; } th, td { text-align: left; vertical-align: top; padding: 8px 12px 8px 0; border-bottom: 1px solid var(--line); }
th { font-size: 12px; color: var(--quiet); font-weight: 600; } td:first-child { overflow-wrap: anywhere; min-width: 9em; } td p { margin: 0 0 4px; overflow-wrap: anywhere; }
td ul { margin: 0; padding-left: 1.1em; } .rules { overflow-wrap: anywhere; max-width: 24em; color: var(--quiet); } .type { min-width: 6em; }
.indent { color: var(--quiet); } .about { color: var(--quiet); max-width: 70ch; }
.badge { display: inline-block; font-size: 12px; border: 1px solid currentColor; border-radius: 10px; padding: 0 8px; white-space: nowrap; }
.required, .bad { color: var(--bad); } .good { color: var(--good); } .warn, .deprecated { color: var(--warn); }
.versions { display: flex; flex-wrap: wrap; gap: 6px; list-style: none; padding: 0; margin: 10px 0; } .versions a, .versions span { display: block; border: 1px solid var(--line);
  border-radius: 6px; padding: 3px 12px; text-decoration: none; } .versions [aria-current] { background: var(--panel); font-weight: 600; }
input[type=search] { font: inherit; color: inherit; background: var(--back); border: 1px solid var(--quiet); border-radius: 6px; padding: 8px 12px; width: min(420px, 100%); margin: 8px 0 16px; }
@media (max-width: 760px) {
  .page { display: block; } nav { border: 0; border-top: 1px solid var(--line); padding: 20px 16px; } main { padding: 18px 16px 48px; } header { padding: 12px 16px; }
  table, tbody, tr, td { display: block; width: 100%; } thead { position: absolute; left: -999em; } tr { border: 1px solid var(--line); border-radius: 6px; padding: 10px 12px; margin: 0 0 10px; }
  td { border: 0; padding: 2px 0; } td:empty { display: none; } .rules { max-width: none; }
  td[data-label]:not(:empty)::before { content: attr(data-label); display: block; font-size: 12px; color: var(--quiet); }
}
@media print { nav, .skip, input { display: none; } .page { display: block; } pre { max-height: none; } }
"""

_SCRIPT = """
const field = document.getElementById("filter");
field.hidden = false;
field.labels[0].hidden = false;
field.addEventListener("input", () => {
  const words = field.value.toLowerCase().split(/\\s+/);
  for (const row of document.querySelectorAll("tr[data-text]"))
    row.hidden = !words.every(word => row.dataset.text.includes(word));
});
"""


_ALL_EVENTS = '<a href="#navigation">All events</a>'


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _href(file: str) -> str:
    return escape(file.replace("%", "%25"))


class Site:
    """The pages of a tree."""

    def __init__(self, tree: Tree, descriptions: Mapping[str, Description], changes: Mapping[str, Comparison], title: str) -> None:
        self.tree, self.descriptions, self.changes, self.title = tree, descriptions, changes, title
        self.types = tree.types()
        self.documents = sorted((schema for schema in tree.schemas.values() if schema.version is None), key=lambda schema: schema.name)
        self.files = {"index": "index.html"}
        for name in self.types:
            versions = tree.versions(name)
            for schema in versions:
                self.files[schema.key] = f"{stem(name)[0]}.html" if schema is versions[-1] else f"{stem(name)[0]}@{schema.version}.html"
        for schema in self.documents:
            self.files[f"{schema.key}#"] = f"{stem(schema.name)[0]}.html"
        twice = [file for file, number in Counter(file.casefold() for file in self.files.values()).items() if number > 1]
        if twice:
            raise Failure(f"two pages would have the name {twice[0]}, where upper and lower case are one", "index.html is the list of all types.")

    def pages(self) -> dict[str, str]:
        """The pages by the names of their files."""
        found = {"index.html": self.index()}
        for name in self.types:
            for schema in self.tree.versions(name):
                found[self.files[schema.key]] = self.schema_page(schema, self.tree.versions(name))
        for schema in self.documents:
            found[self.files[f"{schema.key}#"]] = self.schema_page(schema, [schema])
        return found

    # ---------- parts of all pages ----------

    def document(self, heading: str, body: str, current: str, script: str = "") -> str:
        policy = f"default-src 'none'; style-src 'sha256-{_hash(_STYLE)}'" + (f"; script-src 'sha256-{_hash(script)}'" if script else "")
        navigation = self.navigation(current) if len(self.types) <= MOST_LISTED else ""
        title = heading if heading == self.title else f"{heading} – {self.title}"
        return "\n".join([
            "<!DOCTYPE html>", '<html lang="en">', "<head>", '<meta charset="utf-8">', f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">', f"<title>{escape(title)}</title>", f"<style>{_STYLE}</style>", "</head>", "<body>",
            '<a class="skip" href="#main">Skip to the content</a>', f'<header><a href="index.html">{escape(self.title)}</a>{_ALL_EVENTS if navigation else ""}</header>', '<div class="page">',
            '<main id="main">' if navigation else '<main id="main" class="alone">', body, "</main>", navigation, "</div>", f"<script>{script}</script>" if script else "", "</body>", "</html>", ""])

    def navigation(self, current: str) -> str:
        parts = ['<nav aria-label="Events" id="navigation">']
        for group, names in groupby(self.types, key=lambda name: name.partition(".")[0]):
            parts += [f"<h2>{escape(group)}</h2>", "<ul>"]
            for name in names:
                mark = ' aria-current="page"' if name == current else ""
                parts.append(f'<li><a href="{_href(self.files[self.tree.versions(name)[-1].key])}"{mark}>{escape(name)}</a></li>')
            parts.append("</ul>")
        if self.documents:
            parts += ["<h2>Documents</h2>", "<ul>", *(f'<li><a href="{_href(self.files[schema.key + "#"])}">{escape(schema.name)}</a></li>' for schema in self.documents), "</ul>"]
        return "\n".join([*parts, "</nav>"])

    def index(self) -> str:
        rows = []
        for name in self.types:
            versions = self.tree.versions(name)
            title, description = about(versions[-1], "title"), about(versions[-1], "description")
            text = escape(f"{name} {title} {description}".lower())
            rows.append(f'<tr data-text="{text}"><td><a href="{_href(self.files[versions[-1].key])}">{escape(name)}</a></td><td data-label="latest version">{versions[-1].version}</td>'
                        f'<td><p>{escape(title)}{_deprecated(versions[-1])}</p><p class="about">{escape(_first_sentence(description))}</p></td></tr>')
        body = [f"<h1>{escape(self.title)}</h1>", f'<p class="title">{_number(len(self.types), "event type")}, {_number(sum(schema.version is not None for schema in self.tree.schemas.values()), "version")}</p>',
                '<label for="filter" hidden>Find an event</label> ', '<div><input type="search" id="filter" hidden placeholder="words of a name or a description"></div>',
                *_table(("event", "latest", "about"), rows)]
        if self.documents:
            body += ["<h2>Documents to which they refer</h2>", "<ul>", *(f'<li><a href="{_href(self.files[schema.key + "#"])}">{escape(schema.name)}</a></li>' for schema in self.documents), "</ul>"]
        return self.document(self.title, "\n".join(body), "", _SCRIPT)

    # ---------- the page of a version ----------

    def schema_page(self, schema: Schema, versions: list[Schema]) -> str:
        description = self.descriptions[schema.key]
        body = [f"<h1>{escape(schema.name)}</h1>"]
        if about(schema, "title"):
            body.append(f'<p class="title">{escape(about(schema, "title"))}{_deprecated(schema)}</p>')
        elif _deprecated(schema):
            body.append(f"<p>{_deprecated(schema)}</p>")
        if schema.version is not None:
            body += ['<ul class="versions" aria-label="Versions">', *(self.version_link(other, schema) for other in reversed(versions)), "</ul>"]
        if about(schema, "description"):
            body.append(f'<p class="text">{escape(about(schema, "description"))}</p>')
        body += [*self.facts(schema), *self.properties(description)]
        if description.example is not None:
            body += ["<h2>Example</h2>", f'<pre tabindex="0"><code>{escape(description.example)}</code></pre>']
        body += self.change_tables(schema, versions)
        body += ["<h2>Schema</h2>", "<details>", "<summary>The JSON Schema</summary>", f'<pre tabindex="0"><code>{escape(schema.text.rstrip())}</code></pre>', "</details>"]
        return self.document(schema.key, "\n".join(body), schema.name)

    def version_link(self, other: Schema, schema: Schema) -> str:
        mark = ' aria-current="page"' if other is schema else ""
        return f'<li><a href="{_href(self.files[other.key])}"{mark}>version {other.version}{_deprecated(other)}</a></li>'

    def facts(self, schema: Schema) -> list[str]:
        options = self.tree.options.get(schema.name)
        said = {"URI": f"<code>{escape(uri_of(schema))}</code>", "formats": "checked" if schema.options.assert_format else "not checked"}
        if schema.options.except_formats:
            said["formats"] += f", except {escape(', '.join(schema.options.except_formats))}"
        if options is not None and options.policy:
            said["compatibility policy"] = escape(options.policy)
        if schema.options.breaking:
            said["compatibility"] = "an intended break"
        return ['<dl class="facts">', *(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in said.items()), "</dl>"]

    @staticmethod
    def properties(description: Description) -> list[str]:
        event = description.event
        body = ["<h2>Properties</h2>"]
        if event is not None and (event.constraints or len(description.properties) == 1):
            body.append(f'<p>The event: {escape(event.kind)}{"; " if event.constraints else ""}{escape("; ".join(event.constraints))}.</p>')
        for condition, rows in groupby(description.properties[1:], key=lambda row: row.condition):
            if condition:
                body.append(f"<h3>Where <code>{escape(condition)}</code></h3>")
            elif len(body) > 2:
                body.append("<h3>In any case</h3>")
            body += _table(("property", "type", "constraints", "description"), [_property_row(row) for row in rows])
        return body

    def change_tables(self, schema: Schema, versions: list[Schema]) -> Iterable[str]:
        comparison = self.changes.get(schema.key)
        if comparison is None:
            return
        before = versions[versions.index(schema) - 1]
        yield f"<h2>Changes from version {before.version}</h2>"
        if not comparison.changes:
            yield "<p>Nothing changes for any event.</p>"
            return
        yield from _table(("location", "change", "backward", "forward"), [
            f'<tr><td><code>{escape(change.location or "(document)")}</code></td><td><p>{escape(change.message)}</p></td>'
            f'<td data-label="backward">{_verdict(change.backward)}</td><td data-label="forward">{_verdict(change.forward)}</td></tr>' for change in comparison.changes])


def about(schema: Schema, keyword: str) -> str:
    """The text of an annotation at the root, or ""."""
    found = schema.value.get(keyword) if isinstance(schema.value, dict) else None
    return found if isinstance(found, str) else ""


def is_deprecated(schema: Schema) -> bool:
    return isinstance(schema.value, dict) and schema.value.get("deprecated") is True


def _deprecated(schema: Schema) -> str:
    return ' <span class="badge deprecated">deprecated</span>' if is_deprecated(schema) else ""


def _number(number: int, one: str) -> str:
    return f"{number} {one}{'' if number == 1 else 's'}"


def _first_sentence(text: str) -> str:
    first = text.split("\n")[0].partition(". ")[0]
    return first if len(first) <= 200 else first[:199] + "…"


def _table(heads: tuple[str, ...], rows: list[str]) -> list[str]:
    return ["<table>", f"<thead><tr>{''.join(f'<th scope={chr(34)}col{chr(34)}>{head}</th>' for head in heads)}</tr></thead>", "<tbody>", *rows, "</tbody>", "</table>"]


def _verdict(verdict: str) -> str:
    return f'<span class="{({"compatible": "good", "incompatible": "bad"}).get(verdict, "warn")}">{escape(verdict)}</span>'


def _property_row(row: Property) -> str:
    notes = ' <span class="badge required">required</span>' if row.required else ""
    notes += ' <span class="badge deprecated">deprecated</span>' if row.deprecated else ""
    parent, dot, name = row.path.rpartition(".") if not row.path.endswith('"') else ("", "", row.path)
    rules = [*row.constraints, *([f"default {row.default}"] if row.default is not None else [])]
    text = f"<p>{escape(row.description)}</p>" if row.description else ""
    if row.examples:
        text += f"<p>For example {', '.join(f'<code>{escape(example[:200])}</code>' for example in row.examples)}</p>"
    return (f'<tr><td><code><span class="indent">{escape(parent + dot)}</span>{escape(name)}</code>{notes}</td><td class="type">{escape(row.kind)}</td>'
            f'<td class="rules">{"<br>".join(map(escape, rules))}</td><td>{text}</td></tr>')
