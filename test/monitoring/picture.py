"""The panels of the dashboard with the data of a run, as SVG, for docs/how-to/monitoring.md.

It is no picture of Grafana: the layout, the titles and the queries are the dashboard's,
and the rest is drawn here.
"""

import random
import threading
import time
from xml.sax.saxutils import escape

SECONDS = 115
UNIT = 50  # pixels of a column of the grid
ROW = 34
GAP = 8
COLOURS = ["#2f7ed8", "#c0392b", "#e59400", "#27806b", "#7d4fa5", "#777777"]
HEAD = 30


def produce(server, end):
    """Orders and trades; half way a release sends trades without a price, which the guard diverts, and which are replayed."""
    r = random.Random(1)
    start = time.monotonic()
    replayed = False
    while time.monotonic() < end:
        part = (time.monotonic() - start) / (end - start)
        statements = []
        for _ in range(int(20 + 8 * r.random())):
            wrong = r.random() < 0.03
            statements.append("INSERT INTO app.checked VALUES ('%s');" % ('{"lines": [{"price": 1}, {}]}' if wrong else '{"id": 1}'))
        for _ in range(int(8 + 6 * r.random())):
            broken = 0.35 < part < 0.6 and r.random() < 0.5
            statements.append("INSERT INTO app.trades VALUES ('trade', 2, '%s');" % ("{}" if broken else '{"price": 1}'))
        if r.random() < 0.2:
            statements.append("INSERT INTO app.orders VALUES ('ordr', 1, '{}');")
        server.sql("".join(statements), "producer", stop=False)
        if 0.75 < part < 0.8 and not replayed:
            server.sql("UPDATE event_schema.quarantine SET \"row\" = jsonb_set(\"row\", '{data}', '{\"price\": 1}') WHERE id % 10 <> 0;"
                       "SELECT replay_event_quarantine('app.trades'); SET event_validate.bypass_guard = on;"
                       "INSERT INTO app.trades SELECT 'trade', 2, '{\"price\": 1}' FROM generate_series(1, 50)")
            replayed = True
        time.sleep(0.4)


def number(value, unit):
    if unit == "percentunit":
        return f"{value * 100:.3g} %"
    if unit == "s":
        return f"{value * 1e6:.3g} µs" if value < 1e-3 else f"{value * 1e3:.3g} ms" if value < 1 else f"{value:.3g} s"
    return f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.2g}"


def legend(target, labels):
    text = target["legendFormat"]
    for key, value in labels.items():
        text = text.replace("{{%s}}" % key, value)
    return " ".join(word for word in text.split() if "{{" not in word) or "not registered"


class Drawing:
    def __init__(self):
        self.parts = []

    def text(self, x, y, text, size=12, colour="#333", anchor="start", weight="normal"):
        self.parts.append(f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" fill="{colour}" text-anchor="{anchor}" font-weight="{weight}">{escape(text)}</text>')

    def line(self, points, colour, width=1.6):
        self.parts.append(f'<polyline fill="none" stroke="{colour}" stroke-width="{width}" points="' + " ".join(f"{x:.1f},{y:.1f}" for x, y in points) + '"/>')


def stat(drawing, box, panel, prometheus, expression_of):
    x, y, w, h = box
    found = prometheus.query(expression_of(panel["targets"][0]))
    drawing.text(x + w / 2, y + h / 2 + 22, number(found[0][1], panel["fieldConfig"]["defaults"]["unit"]) if found else "no data", 28, "#222", "middle", "bold")


def table(drawing, box, panel, prometheus, expression_of):
    x, y, w, h = box
    found = sorted(prometheus.query(expression_of(panel["targets"][0])), key=lambda pair: -pair[1])
    options = panel["transformations"][0]["options"]
    columns = sorted({key for labels, _ in found for key in labels if key not in options["excludeByName"]}, key=options["indexByName"].get)
    with_value = panel["title"] != "Guards"
    heads = columns + (["events"] if with_value else [])
    step = (w - 20) / len(heads)
    for i, head in enumerate(heads):
        drawing.text(x + 10 + i * step, y + HEAD + 16, head, 11, "#888")
    for j, (labels, value) in enumerate(found[:int((h - HEAD - 24) / 20)]):
        cells = [labels.get(key, "") for key in columns] + ([number(round(value), "short")] if with_value else [])
        for i, cell in enumerate(cells):
            drawing.text(x + 10 + i * step, y + HEAD + 38 + j * 20, cell)


def timeseries(drawing, box, panel, prometheus, expression_of, span):
    x, y, w, h = box
    unit = panel["fieldConfig"]["defaults"]["unit"]
    series = []
    for target in panel["targets"]:
        answer = prometheus.ask("query_range", query=expression_of(target), start=span[0], end=span[1], step=1)["result"]
        for one in answer:
            points = [(float(at), float(value)) for at, value in one["values"] if value != "NaN"]
            if points:
                series.append((legend(target, one["metric"]), points))
    left, right, top, bottom = x + 62, x + w - 12, y + HEAD + 8, y + h - 44
    most = max([value for _, points in series for _, value in points] or [0]) or 1
    for i in range(3):
        level = bottom - (bottom - top) * i / 2
        drawing.line([(left, level), (right, level)], "#ddd", 1)
        drawing.text(left - 6, level + 4, number(most * i / 2, unit), 10, "#888", "end")
    drawing.text(left, bottom + 14, "0 s", 10, "#888")
    drawing.text(right, bottom + 14, f"{span[1] - span[0]:.0f} s", 10, "#888", "end")
    at = left
    series.sort(key=lambda one: all(value == 0 for _, value in one[1]))
    for i, (name, points) in enumerate(series[:6]):
        colour = COLOURS[i]
        drawing.line([(left + (right - left) * (t - span[0]) / (span[1] - span[0]), bottom - (bottom - top) * value / most) for t, value in points], colour)
        if at + 14 + 6.2 * len(name) > x + w:
            continue
        drawing.parts.append(f'<rect x="{at:.0f}" y="{bottom + 24:.0f}" width="10" height="4" fill="{colour}"/>')
        drawing.text(at + 14, bottom + 30, name, 11)
        at += 30 + 6.2 * len(name)


def draw(server, prometheus, dashboard, expression_of, path):
    start = time.time() + 24
    worker = threading.Thread(target=produce, args=(server, time.monotonic() + SECONDS))
    worker.start()
    worker.join()
    span = (start, time.time())
    drawing = Drawing()
    bottom = 0
    for panel in dashboard["panels"]:
        grid = panel["gridPos"]
        box = (grid["x"] * UNIT + GAP / 2, grid["y"] * ROW + GAP / 2, grid["w"] * UNIT - GAP, grid["h"] * ROW - GAP)
        bottom = max(bottom, box[1] + box[3])
        drawing.parts.append('<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" rx="3" fill="#fff" stroke="#ccc"/>' % box)
        drawing.text(box[0] + 10, box[1] + 21, panel["title"], 13, "#222", weight="bold")
        if panel["type"] == "timeseries":
            timeseries(drawing, box, panel, prometheus, expression_of, span)
        else:
            (stat if panel["type"] == "stat" else table)(drawing, box, panel, prometheus, expression_of)
    note = "Data of one run of test/monitoring, by the queries of dashboard.json; drawn by test/monitoring/picture.py, not by Grafana"
    drawing.text(8, bottom + 20, note, 11, "#888")
    path.write_text(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {24 * UNIT} {bottom + 30:.0f}" font-family="Helvetica, Arial, sans-serif">\n'
                    f'<rect width="{24 * UNIT}" height="{bottom + 30:.0f}" fill="#f4f5f5"/>\n' + "\n".join(drawing.parts) + "\n</svg>\n", encoding="utf-8")
