#!/usr/bin/env python3
"""Makes tables and charts of the results of a run.

    document.py FOLDER                writes the tables of FOLDER/performance.md anew, between
                                      their marks, from FOLDER/performance.csv, and the charts
    document.py --csv FILE FOLDER     writes FOLDER/tables.md and the charts

A table stands between "<!-- table: NAME -->" and "<!-- end of NAME -->".
Standard library only.
"""

import argparse
import csv
import math
import re
import sys
from pathlib import Path

sys.dont_write_bytecode = True


class Rows:
    def __init__(self, path):
        with open(path, newline="", encoding="utf-8") as file:
            self.rows = list(csv.DictReader(file))

    def of(self, section, workload=None, documents=None):
        return [row for row in self.rows if row["section"] == section and (workload is None or row["workload"] == workload)
                and (documents is None or row["documents"] == documents)]

    def one(self, section, workload, documents, what, column="median"):
        for row in self.of(section, workload, documents):
            if row["what"] == what and row[column]:
                return float(row[column])
        return None

    def workloads(self):
        names = []
        for row in self.of("size"):
            if row["workload"] not in names:
                names.append(row["workload"])
        return names


def number(value, digits=None):
    if value is None:
        return "–"
    if digits is None:
        digits = 0 if abs(value) >= 10 else 1
    return f"{value:,.{digits}f}"


def times(value):
    return "–" if value is None else f"{value:.2f}" if value < 10 else f"{value:,.0f}"


def ratio(a, b):
    return a / b if a is not None and b else None


def table(head, rows):
    if not rows:
        return "(not measured)\n"
    lines = ["| " + " | ".join(head) + " |", "|" + "|".join("---" if i == 0 else "---:" for i in range(len(head))) + "|"]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows]) + "\n"


def fill(document, tables):
    """Writes the tables into a document, each between its marks."""
    text = document.read_text(encoding="utf-8")
    for name, lines in tables.items():
        text = re.sub(rf"(<!-- table: {re.escape(name)} -->\n).*?(<!-- end of {re.escape(name)} -->)",
                      lambda match, lines=lines: match.group(1) + "\n" + lines + "\n" + match.group(2), text, flags=re.S)
    document.write_text(text, encoding="utf-8")


def spread(row, prefix=""):
    if not row[prefix + "median"]:
        return "–"
    return f"{number(float(row[prefix + 'min']))} – {number(float(row[prefix + 'max']))}"


# ---------- the tables ----------

def about(rows):
    found = {row["what"]: row["note"] for row in rows.of("about")}
    found.update({row["what"]: row["note"] for row in rows.of("about") if row["what"].startswith("load")})
    return (f"Measured on {found.get('date', '?')}: {found.get('machine', '?')}; {found.get('server', '?').split(',')[0]}; "
            f"{found.get('load', '?')}, {found.get('load at the end', '?')}.\n")


def orders(rows, documents="valid"):
    limit = rows.one("scan", "orders", documents, "limit", "net_median")
    lines = []
    for row in rows.of("scan", "orders", documents):
        if row["median"]:
            net = float(row["net_median"]) if row["net_median"] else None
            lines.append([row["what"], number(float(row["median"])), spread(row), number(net), times(ratio(net, limit))])
    return table(["", "ns a row", "least – most", "above the no-op", "× the limit"], lines)


def orders_invalid(rows):
    return orders(rows, "invalid")


def mixed(rows):
    limit = rows.one("mixed", "orders", "valid", "limit", "net_median")
    return table(["", "ns a row", "least – most", "above the no-op", "× the limit"], [
        [row["what"], number(float(row["median"])), spread(row), number(float(row["net_median"]) if row["net_median"] else None),
         times(ratio(float(row["net_median"]) if row["net_median"] else None, limit))]
        for row in rows.of("mixed") if row["median"]])


def writes(rows):
    lines = []
    for name in rows.workloads():
        limits = {section: rows.one(section, name, "valid", "limit", "net_median") for section in ("insert", "copy")}
        for row in rows.of("insert", name):
            if not row["median"]:
                continue
            line = [name, row["what"]]
            for section in ("insert", "copy"):
                value = rows.one(section, name, "valid", row["what"])
                net = rows.one(section, name, "valid", row["what"], "net_median")
                line += [number(value), number(net), times(ratio(net, limits[section]))]
            lines.append(line)
    return table(["", "CHECK", "INSERT, ns a row", "check", "× the limit", "COPY, ns a row", "check", "× the limit"], lines)


BLAZE = "Blaze --fast --format-assertion"


def hot(rows):
    lines = []
    for name in rows.workloads():
        for documents in ("valid", "invalid"):
            ours = rows.one("hot", name, documents, "event_validate")
            if ours is None:
                continue
            blaze = rows.one("hot", name, documents, BLAZE)
            ajv = rows.one("hot", name, documents, "ajv")
            lines.append([name if documents == "valid" else "", documents,
                          number(rows.one("size", name, "valid", "jsonb")) if documents == "valid" else "", number(ours),
                          number(rows.one("hot", name, documents, "limit")), number(blaze), times(ratio(blaze, ours)),
                          number(ajv), times(ratio(ajv, ours))])
    return table(["", "", "bytes", "event_validate", "limit", "Blaze", "× ours", "ajv", "× ours"], lines)


def workloads(rows):
    return table(["", "what", "document, bytes", "schema, bytes"], [
        [name, next((row["note"] for row in rows.of("size", name) if row["note"]), ""),
         number(rows.one("size", name, "valid", "jsonb")), number(rows.one("size", name, "", "schema"))]
        for name in rows.workloads()])


def scans(rows):
    lines = []
    for name in rows.workloads():
        for documents in ("valid", "invalid"):
            found = [rows.one("scan", name, documents, what, "net_median")
                     for what in ("schema function", "validate_event", "CHECK by hand", "PL/Python, fastjsonschema")]
            if found[0] is not None:
                lines.append([name if documents == "valid" else "", documents, *map(number, found), times(ratio(found[2], found[0]))])
    return table(["", "", "schema function", "validate_event", "CHECK by hand", "PL/Python", "by hand, × ours"], lines)


def skipped(rows):
    lines = sorted({f"- {row['workload'] or row['section']}: {row['what']}: {row['note'].removeprefix('skipped: ')}"
                    for row in rows.rows if row["note"].startswith("skipped: ")})
    return "\n".join(lines) + "\n" if lines else "Nothing was left out.\n"


def simple(section, head, net=False):
    def make(rows):
        return table(head, [[row["what"], number(float(row["net_median" if net else "median"])),
                             spread(row, "net_" if net else ""), *([row["unit"]] if "unit" in head else [])]
                            for row in rows.of(section) if row["median"]])
    return make


def prices(rows):
    return table(["keyword, for one value", "ns"], [
        [f"{row['what'].replace('|', chr(92) + '|')}", number(float(row["median"]), 0 if float(row["median"]) >= 20 else 1)]
        for row in rows.of("price") if row["median"]])


def compiling(rows):
    lines = []
    for row in rows.of("compile"):
        memory = next((float(other["median"]) for other in rows.of("memory") if other["what"] == row["what"]), None)
        lines.append([row["what"], row["note"].split()[0] if row["note"] else "", number(float(row["median"])), number(memory),
                      number(rows.one("small", "", "", row["what"]))])
    return table(["flat schema of", "bytes", "compile, µs", "memory, kB", "a document of one property, ns"], lines)


def clients(rows):
    lines = []
    for row in rows.of("clients"):
        match = re.match(r"(\d+) clients, checked/unchecked", row["what"])
        if match:
            count = match.group(1)
            by_hand = rows.one("clients", "", "", f"{count} clients, by hand/unchecked")
            lines.append([count, *(number(rows.one("clients", "", "", f"{count} clients, {kind}"))
                                   for kind in ("unchecked", "checked", "by hand")),
                          number(float(row["median"]), 0) + " %", spread(row), number(by_hand, 0) + " %" if by_hand else "–"])
    return table(["clients", "no check, rows/s", "check_event, rows/s", "CHECK by hand, rows/s", "check_event keeps", "least – most",
                  "by hand keeps"], lines)


TABLES = {
    "about": about, "orders": orders, "orders, invalid": orders_invalid, "mixed": mixed, "writes": writes, "hot": hot,
    "workloads": workloads, "scans": scans, "skipped": skipped, "prices": prices, "compiling": compiling, "clients": clients,
    "dispatch": simple("dispatch", ["", "ns above a no-op", "least – most"], net=True),
    "length": simple("length", ["an array of", "ns an item", "least – most"]),
    "many": simple("many", ["", "", "least – most", "unit"]),
    "start": simple("start", ["", "ms", "least – most"]),
    "storm": simple("storm", ["", "", "least – most", "unit"]),
    "refusal": simple("refusal", ["", "ns a row", "least – most"]),
}


# ---------- charts ----------

def escape(text):
    return text.replace("&", "&amp;").replace("<", "&lt;")


def bars(path, title, note, groups, left=230, show=number):
    """Horizontal bars on a logarithmic scale; groups: [(name, [(label, value, colour)])].

    left is what names and labels have of the width, show writes the value of a bar."""
    values = [value for _, entries in groups for _, value, _ in entries if value and value > 0]
    if not values:
        return
    low = 10 ** math.floor(math.log10(min(values)))
    high = 10 ** math.ceil(math.log10(max(values)))
    width, height, right = 430, 17, 90
    y = 56
    body = []

    def x(value):
        return left + width * (math.log10(value) - math.log10(low)) / (math.log10(high) - math.log10(low))

    for name, entries in groups:
        if name:
            body.append(f'<text x="12" y="{y + 13}" class="group">{escape(name)}</text>')
        for label, value, colour in entries:
            if not value or value <= 0:
                continue
            body.append(f'<text x="{left - 8}" y="{y + 13}" class="label" text-anchor="end">{escape(label)}</text>'
                        f'<rect x="{left}" y="{y + 2}" width="{max(x(value) - left, 1):.1f}" height="{height - 4}" fill="{colour}"/>'
                        f'<text x="{x(value) + 6:.1f}" y="{y + 13}" class="value">{escape(show(value))}</text>')
            y += height
        y += 8
    grid = []
    power = low
    while power <= high:
        grid.append(f'<line x1="{x(power):.1f}" y1="48" x2="{x(power):.1f}" y2="{y}" class="grid"/>'
                    f'<text x="{x(power):.1f}" y="44" class="tick" text-anchor="middle">{escape(show(power))}</text>')
        power *= 10
    style = ("text{font-family:system-ui,sans-serif;font-size:12px;fill:#24292f}.title{font-size:14px;font-weight:600}"
             ".tick,.note{fill:#57606a;font-size:11px}.group{font-weight:600}.grid{stroke:#d0d7de;stroke-width:1}.ground{fill:#fff}"
             "@media(prefers-color-scheme:dark){text{fill:#e6edf3}.tick,.note{fill:#9198a1}.grid{stroke:#3d444d}.ground{fill:#0d1117}}")
    total = left + width + right
    Path(path).write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{total}" height="{y + 24}" viewBox="0 0 {total} {y + 24}" role="img">\n'
        f"<title>{escape(title)}</title>\n<style>{style}</style>\n"
        f'<rect width="100%" height="100%" class="ground"/>\n<text x="12" y="20" class="title">{escape(title)}</text>\n' +
        "\n".join(grid + body) + f'\n<text x="12" y="{y + 14}" class="note">{escape(note)}</text>\n</svg>\n', encoding="utf-8")


OURS, LIMIT, OTHER, SECOND = "#0969da", "#1a7f37", "#8c959f", "#bf8700"


def charts(rows, folder):
    entries = []
    colours = {"limit": LIMIT, "schema function": OURS, "validate_event": OURS, "check_event": OURS}
    for row in rows.of("scan", "orders", "valid"):
        if row["net_median"]:
            entries.append((row["what"], float(row["net_median"]), colours.get(row["what"], OTHER)))
    bars(folder / "performance.svg", "Checking one order event in SQL: nanoseconds above a no-op",
         "Medians; logarithmic. The limit is the same schema written by hand in C.", [("", entries)])
    groups = []
    for name in rows.workloads():
        found = [(label, rows.one("hot", name, "valid", what), colour) for label, what, colour in
                 (("event_validate", "event_validate", OURS), ("Blaze", BLAZE, SECOND), ("ajv", "ajv", OTHER))]
        if found[0][1]:
            groups.append((name, found))
    bars(folder / "performance-workloads.svg", "A valid document in a hot loop: nanoseconds",
         "Medians; logarithmic. No scan, no call from SQL; Blaze and ajv get parsed documents.", groups)


def main():
    parser = argparse.ArgumentParser(description="Makes tables and charts of the results.")
    parser.add_argument("--csv")
    parser.add_argument("folder", type=Path)
    args = parser.parse_args()
    rows = Rows(args.csv or args.folder / "performance.csv")
    charts(rows, args.folder)
    if args.csv:
        text = "".join(f"## {name}\n\n{make(rows)}\n" for name, make in TABLES.items())
        (args.folder / "tables.md").write_text(text, encoding="utf-8")
        print(f"{args.folder}/tables.md, results.csv, performance.svg, performance-workloads.svg")
        return
    document = args.folder / "performance.md"
    fill(document, {name: make(rows) for name, make in TABLES.items()})
    print(f"{document} has its tables from {args.folder}/performance.csv")


if __name__ == "__main__":
    main()
