"""Measurements beyond single rows: compiling, memory, many schemas, dispatch,
concurrent sessions."""

import os
import re
import statistics
import subprocess
import threading
import time
from pathlib import Path

from workloads import ORDER_HAND, ORDER_SCHEMA, _string, dump, order, random

CONTEXTS = "SELECT coalesce(sum(total_bytes), 0)::bigint FROM pg_backend_memory_contexts WHERE name LIKE 'event_validate%'"


def sized_schema(properties):
    """A flat schema with the given number of properties, of six kinds."""
    kinds = [_string(maxLength=40), _string(format="date-time"), {"type": "number", "minimum": 0},
             {"type": "integer", "minimum": 0, "maximum": 1000000}, {"type": "boolean"},
             {"enum": ["red", "green", "blue"]}]
    return {"type": "object", "required": ["property_0"], "additionalProperties": False,
            "properties": {f"property_{i}": kinds[i % len(kinds)] for i in range(properties)}}


# The cost of each keyword: (what, schema, value, the number by which the cost is divided)
UUID_PATTERN = "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
UUID = "d7a1b9c8-fb0f-44d5-ad90-494a55a5c762"


def _object(kind, **more):
    return {"type": "object", "required": ["kind"], "properties": {"kind": kind, **more}}


PRICES = [
    ("type", {"type": "string"}, "ABCD", 1),
    ("type, one of two", {"type": ["string", "null"]}, None, 1),
    ("boolean", {"type": "boolean"}, True, 1),
    ("minLength, maxLength", _string(minLength=3, maxLength=32), "ACC-13997874", 1),
    ("the same, if characters must be counted", _string(minLength=3, maxLength=12), "überwacht, überwacht"[:12], 1),
    ("const", {"const": "trade"}, "trade", 1),
    ("enum of 5 strings", {"enum": ["market", "limit", "stop", "stop_limit", "trailing_stop"]}, "stop", 1),
    ("enum of 100 strings", {"enum": [f"value-{n}" for n in range(100)]}, "value-77", 1),
    ("enum of 5 numbers", {"enum": [1, 2, 3, 4, 5]}, 5, 1),
    ("type number, minimum 0", {"type": "number", "minimum": 0}, 101.25, 1),
    ("type integer, minimum 1, maximum 99999", {"type": "integer", "minimum": 1, "maximum": 99999}, 1468, 1),
    ("multipleOf 0.01", {"type": "number", "multipleOf": 0.01}, 101.25, 1),
    ("pattern ^[A-Z.]{1,8}$", _string(pattern="^[A-Z.]{1,8}$"), "BRK.B", 1),
    ("pattern of a UUID", _string(pattern=UUID_PATTERN), UUID, 1),
    ("pattern ^(?:0|[1-9][0-9]*)\\.[0-9]{2}$", _string(pattern="^(?:0|[1-9][0-9]*)\\.[0-9]{2}$"), "60123.25", 1),
    ("pattern halt|split, somewhere in 40 characters", _string(pattern="halt|split"), "x" * 36 + "halt", 1),
    ("pattern \\p{L}+, 8 letters beyond ASCII", _string(pattern="^\\p{L}+$"), "трейдинг", 1),
    ("format date-time", _string(format="date-time"), "2024-06-16T12:05:17.226Z", 1),
    ("format date", _string(format="date"), "2024-06-16", 1),
    ("format uuid", _string(format="uuid"), UUID, 1),
    ("format email", _string(format="email"), "desk-17@trading.example.com", 1),
    ("format uri, 54 bytes", _string(format="uri"), "https://cdn.example.com/attachments/1234/5678/chart.png", 1),
    ("format hostname", _string(format="hostname"), "feed-17.ny4.example.net", 1),
    ("format ipv4", _string(format="ipv4"), "10.11.12.13", 1),
    ("format ipv6", _string(format="ipv6"), "fd00:12:34::56", 1),
    ("format duration", _string(format="duration"), "P1DT12H", 1),
    ("an object of 4 properties, empty schemas", {"type": "object", "properties": {"a": True, "b": True, "c": True, "d": True}},
     {"a": 1, "b": 2, "c": 3, "d": 4}, 1),
    ("an array of 10, for each item of type integer", {"type": "array", "items": {"type": "integer"}}, list(range(10)), 10),
    ("uniqueItems, 10 short strings", {"uniqueItems": True}, [f"tag-{n}" for n in range(10)], 1),
    ("contains, 10 strings", {"contains": {"const": "tag-9"}}, [f"tag-{n}" for n in range(10)], 1),
    ("$ref to a type", {"$ref": "#/$defs/text"}, "ABCD", 1),
    ("anyOf of a type and null", {"anyOf": [{"type": "string"}, {"type": "null"}]}, "ABCD", 1),
    ("oneOf of 3 objects, discriminated by a const",
     {"oneOf": [_object({"const": "a"}), _object({"const": "b"}), _object({"const": "c"})]}, {"kind": "c"}, 1),
    ("anyOf of 3 objects, not discriminated",
     {"anyOf": [{"required": ["a"]}, {"required": ["b"]}, {"required": ["kind"]}]}, {"kind": "c"}, 1),
    ("allOf of 2 objects", {"allOf": [_object({"type": "string"}), {"required": ["kind"]}]}, {"kind": "c"}, 1),
    ("if, then", {"if": {"required": ["a"]}, "then": {"required": ["b"]}, "type": "object"}, {"kind": "c"}, 1),
    ("unevaluatedProperties, over an allOf",
     {"type": "object", "allOf": [{"properties": {"kind": {"type": "string"}}}], "unevaluatedProperties": False}, {"kind": "c"}, 1),
    ("a map of 4 keys that the schema does not name", {"additionalProperties": {"type": "integer"}}, {"a": 1, "b": 2, "c": 3, "d": 4}, 1),
    ("propertyNames, 4 keys", {"propertyNames": {"pattern": "^[a-z]+$"}}, {"a": 1, "b": 2, "c": 3, "d": 4}, 1),
]


def prices(bench):
    """The cost of an object whose 16 properties have the schema, minus that of one without."""
    def cost(name, schema, value):
        with bench.connection.cursor() as cursor:
            cursor.execute("SELECT register_event_schema(%s, 1, %s::text)", (name, dump({
                "$defs": {"text": {"type": "string"}}, "type": "object", "properties": {f"p{n:02}": schema for n in range(16)}})))
        document = dump({f"p{n:02}": value for n in range(16)}).replace("'", "''")
        return lambda: bench.value(f"SELECT bench_loop('event_schema.\"{name}@1\"(jsonb)', '{document}', 20000, true)")

    base = cost("price.base", True, 1)
    for number, (what, schema, value, things) in enumerate(PRICES):
        full = cost(f"price.{number}", schema, value)
        values = [(full() - base()) / 16 / things for _ in range(max(3, bench.args.rounds // 2))]
        bench.results.add("price", "", "", what, "ns", values)
    values = [base() for _ in range(bench.args.rounds)]
    bench.results.add("price", "", "", "a call with an object of 16 properties, empty schemas", "ns", values)


def measure(bench):
    prices(bench)
    sizes(bench)
    lengths(bench)
    dispatch(bench)
    start(bench)
    many(bench)
    references(bench)
    storm(bench)
    clients(bench)


def sizes(bench):
    """Compile time and memory by the size of the schema; a small document's cost."""
    for count in (1, 10, 100, 1000, 10000):
        schema = dump(sized_schema(count))
        name = f"size.{count}"
        with bench.connection.cursor() as cursor:
            cursor.execute("SELECT register_event_schema(%s, 1, %s::text)", (name, schema))
        compiles, memory, loops = [], [], []
        for _ in range(3):
            with bench.connect() as other:
                # after the library is loaded and the catalogs are read
                other.execute("SELECT validate_event('{}', 'size.1', 1), bench_cpu()")
                other.execute("SELECT proname FROM pg_proc WHERE pronamespace = 'event_schema'::regnamespace").fetchall()
                before = other.execute(CONTEXTS).fetchone()[0]
                start = other.execute("SELECT bench_cpu()").fetchone()[0]
                other.execute(f"SELECT event_schema.\"{name}@1\"('{{}}')")
                compiles.append((other.execute("SELECT bench_cpu()").fetchone()[0] - start) / 1000)
                memory.append((other.execute(CONTEXTS).fetchone()[0] - before) / 1024)
                loops.append(other.execute(f"SELECT bench_loop('event_schema.\"{name}@1\"(jsonb)', '{{\"property_0\": \"x\"}}', 20000, true)").fetchone()[0])
        note = f"{len(schema)} bytes of schema"
        what = f"{count} properties"
        bench.results.add("compile", "", "", what, "us", compiles, note=note)
        if count > 1:
            bench.results.add("memory", "", "", what, "kB", memory, note=note)
        bench.results.add("small", "", "", what, "ns/document", loops, note="a document of one property")


def lengths(bench):
    """The same schema with documents of growing length."""
    schema = {"type": "array", "items": {"type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}, "name": _string(maxLength=20)}}}
    with bench.connection.cursor() as cursor:
        cursor.execute("SELECT register_event_schema('lengths', 1, %s::text)", (dump(schema),))
    for count in (10, 100, 1000, 10000, 100000):
        times = max(1, 300000 // count)
        values = [bench.value("SELECT bench_loop('event_schema.\"lengths@1\"(jsonb)', (SELECT jsonb_agg(jsonb_build_object('id', n, 'name', 'x' || n))"
                              f" FROM generate_series(1, {count}) n), {times}, true)") / count for _ in range(5)]
        bench.results.add("length", "", "", f"{count} items", "ns/item", values)


def dispatch(bench):
    """The cost of finding the schema, by the number of schemas in one statement."""
    bench.run("SET client_min_messages = error")
    bench.run("SELECT count(register_event_schema('dispatch.' || n, 1, 'true'::text)) FROM generate_series(0, 999) n")
    rows = min(bench.args.rows, 200000)
    for count in (1, 10, 60, 200, 1000):
        bench.run(f"CREATE UNLOGGED TABLE dispatched AS SELECT '{{}}'::jsonb AS data, 'dispatch.' || (random() * {count - 1})::int AS event_type,"
                  f" 1 AS schema_version FROM generate_series(1, {rows})")
        bench.run("VACUUM ANALYZE dispatched")
        arguments = "(data, event_type, schema_version)"
        times = {}
        for one in range(-1, bench.args.rounds):
            for what, function in (("no-op", "bench_noop_event"), ("validate_event", "validate_event"), ("check_event", "check_event")):
                _, took = bench.timed(f"SELECT count(*) FROM dispatched WHERE {function}{arguments}")
                if one >= 0:
                    times.setdefault(what, []).append(took / rows)
        for what in ("validate_event", "check_event"):
            bench.results.add("dispatch", "", "", f"{what}, {count} types", "ns/row", times[what],
                              [took - base for took, base in zip(times[what], times["no-op"])])
        bench.run("DROP TABLE dispatched")
    bench.run("SET client_min_messages = warning")


def start(bench):
    """A connection, and its first validation."""
    with bench.connection.cursor() as cursor:
        cursor.execute("SELECT register_event_schema('start', 1, %s::text)", (dump(ORDER_SCHEMA),))
    document = dump(order(random.Random(1))).replace("'", "''")
    for what, statement in (("SELECT 1", "SELECT 1"), ("one validation", f"SELECT validate_event('{document}', 'start', 1)")):
        values = []
        for _ in range(10):
            began = time.perf_counter()
            with bench.psycopg.connect("dbname=postgres user=postgres", autocommit=True) as other:
                other.execute(statement)
                values.append((time.perf_counter() - began) * 1000)
        bench.results.add("start", "", "", f"connect, {what}", "ms", values)


def many(bench):
    """Thousands of schemas: registering, keeping and using them."""
    count = 1000 if bench.args.quick else 10000
    schema = dump(ORDER_SCHEMA)
    began = time.perf_counter()
    with bench.connection.cursor() as cursor:
        for first in range(0, count, 500):
            cursor.execute("SELECT count(register_event_schema('many.' || n, 1, %s::text)) FROM generate_series(%s::int, %s::int) n",
                           (schema, first, first + 499))
    bench.results.add("many", "", "", "register", "us/schema", [(time.perf_counter() - began) * 1e6 / count], note=f"{count} in all")
    document = dump(order(random.Random(1))).replace("'", "''")
    with bench.connect() as other:
        other.execute("SELECT bench_rss()")
        began = time.perf_counter()
        other.execute(f"SELECT validate_event('{document}', 'many.0', 1)")
        bench.results.add("many", "", "", "first validation of a session", "us", [(time.perf_counter() - began) * 1e6])
        bench.results.add("many", "", "", "memory, 1 of them used", "kB", [other.execute(CONTEXTS).fetchone()[0] / 1024])
        began = time.perf_counter()
        other.execute(f"SELECT count(*) FROM generate_series(0, {count - 1}) n WHERE validate_event('{document}', 'many.' || n, 1)")
        bench.results.add("many", "", "", "first use", "us/schema", [(time.perf_counter() - began) * 1e6 / count])
        bench.results.add("many", "", "", f"memory, {count} of them used", "kB", [other.execute(CONTEXTS).fetchone()[0] / 1024])


def references(bench):
    """References by $id as a ratio to references by name, and with many schemas as a ratio to few."""
    count = 1000 if bench.args.quick else 10000
    parts = 5
    filler = dump({"pattern": "^\\d{3}$", "description": "x" * 1500})

    def register(cursor, name, address, numbers):
        properties = {f"p{i}": {"$ref": address % i} for i in range(parts)}
        began = time.perf_counter()
        for number in numbers:
            cursor.execute("SELECT register_event_schema(%s, 1, %s::text)",
                           (f"refers.{name}.{number}", dump({"title": str(number), "properties": properties})))
        return (time.perf_counter() - began) / len(numbers)

    def first_call(name):
        with bench.connect() as other:
            other.execute("SELECT validate_event('{}', 'refers.other', 1)")
            began = time.perf_counter()
            other.execute(f"SELECT validate_event('{{}}', 'refers.{name}.0', 1)")
            return time.perf_counter() - began

    with bench.connection.cursor() as cursor:
        cursor.execute("SELECT register_event_schema('refers.other', 1, '{}'::text)")
        for i in range(parts):
            cursor.execute("SELECT register_event_schema(%s, 1, %s::text)", (f"refers.part{i}", f'{{"$id": "https://refers.test/part{i}", "type": "object"}}'))
        addresses = {"byid": "https://refers.test/part%d", "byname": "event:refers.part%d@1"}
        few = {name: register(cursor, name, address, range(100)) for name, address in addresses.items()}
        for first in range(0, count, 500):
            cursor.execute("SELECT count(register_event_schema('refers.many.' || n, 1, jsonb_build_object('$id', 'https://refers.test/many/' || n) || %s::jsonb))"
                           " FROM generate_series(%s::int, %s::int) n", (filler, first, first + 499))
        many = {name: register(cursor, name, address, range(100, 200)) for name, address in addresses.items()}
    bench.results.add("many", "", "", "register 5 references by $id : by name", "ratio", [many["byid"] / many["byname"]])
    bench.results.add("many", "", "", f"register 5 references by $id, {count} schemas : none", "ratio", [many["byid"] / few["byid"]])
    calls = {name: sorted(first_call(name) for _ in range(11))[5] for name in addresses}
    bench.results.add("many", "", "", "first call, references by $id : by name", "ratio", [calls["byid"] / calls["byname"]])


class Validators:
    """Sessions that validate for some seconds; returns the total number of documents."""

    def __init__(self, bench, count, seconds):
        self.bench = bench
        self.until = time.perf_counter() + seconds
        self.done = [0] * count
        self.errors = []
        self.threads = [threading.Thread(target=self.work, args=(i,)) for i in range(count)]

    def work(self, number):
        try:
            with self.bench.connect() as connection:
                while time.perf_counter() < self.until:
                    self.done[number] += connection.execute(
                        "SELECT count(*) FROM storm_orders WHERE validate_event(data, event_type, 1)").fetchone()[0]
        except self.bench.psycopg.Error as error:
            self.errors.append(str(error))

    def run(self, beside=None):
        for thread in self.threads:
            thread.start()
        count = beside(self) if beside else 0
        for thread in self.threads:
            thread.join()
        if self.errors:
            raise SystemExit(f"storm: {self.errors[0]}")
        return sum(self.done), count


def storm(bench):
    """Eight sessions validate while one registers continuously: each
    registration sends an invalidation to all of them."""
    seconds = 1 if bench.args.quick else 5
    with bench.connection.cursor() as cursor:
        for number in range(10):
            cursor.execute("SELECT register_event_schema(%s, 1, %s::text)", (f"storm.{number}", dump(ORDER_SCHEMA)))
        cursor.execute("CREATE UNLOGGED TABLE storm_orders (data jsonb, event_type text)")
        generator = random.Random(2)
        with cursor.copy("COPY storm_orders FROM STDIN") as copy:
            for number in range(1000):
                copy.write(dump(order(generator)).replace("\\", "\\\\") + f"\tstorm.{number % 10}\n")
    bench.run("ANALYZE storm_orders")
    schema = dump(ORDER_SCHEMA)
    registered = [0]

    def register(validators):
        count = 0
        with bench.connect() as connection, connection.cursor() as cursor:
            while time.perf_counter() < validators.until:
                registered[0] += 1
                cursor.execute("SELECT register_event_schema(%s, 1, %s::text)", (f"new.{registered[0]}", schema))
                count += 1
        return count

    def burn(validators):
        """The same load of the processors, without invalidations."""
        with bench.connect() as connection, connection.cursor() as cursor:
            while time.perf_counter() < validators.until:
                cursor.execute("SELECT jsonschema_is_valid(%s::jsonb)", (schema,))
        return 0

    rows = {"8 sessions": [], "8 sessions, one compiles": [], "8 sessions, one registers": []}
    rates = []
    for _ in range(3):
        for what, beside in zip(rows, (None, burn, register)):
            done, count = Validators(bench, 8, seconds).run(beside)
            rows[what].append(done / seconds / 1000)
            if beside is register:
                rates.append(count / seconds)
    for what, values in rows.items():
        bench.results.add("storm", "", "", what, "thousand documents/s", values)
    bench.results.add("storm", "", "", "registrations meanwhile", "1/s", rates)


CLIENTS = (1, 2, 8, 64)


def clients(bench):
    """pgbench: events inserted one by one, without a check, with check_event, with a CHECK by hand.

    What is compared runs in short slices in turns, each other round in the
    opposite order, into unlogged tables, so that neither the disk nor a
    checkpoint has a part in it; the ratios are those of slices of one round."""
    pgbench = Path(os.environ.get("EV_BINDIR", "")) / "pgbench"
    if not pgbench.exists():
        bench.results.skip("clients", "", "pgbench", "there is no pgbench")
        return
    with bench.connection.cursor() as cursor:
        cursor.execute("SELECT register_event_schema('clients', 1, %s::text)", (dump(ORDER_SCHEMA),))
    # ":name" would be a variable in pgbench
    documents = [re.sub(r":(?=[a-zA-Z])", ": ", dump(order(random.Random(number)))) for number in range(10)]
    # in the first seconds of a slice its sessions start and compile the schema
    seconds, warm, rounds = (3, 1, 2) if bench.args.quick else (6, 2, 5)
    kinds = {"unchecked": "", "checked": ", CHECK (check_event(data, event_type, schema_version))", "by hand": f", CHECK ({ORDER_HAND})"}
    for number, (kind, check) in enumerate(kinds.items()):
        bench.run(f"CREATE UNLOGGED TABLE clients_{number} (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, event_type text NOT NULL,"
                  f" schema_version int NOT NULL, data jsonb NOT NULL{check})")
        (bench.work / f"clients_{number}.sql").write_text("".join(
            f"INSERT INTO clients_{number} (event_type, schema_version, data) VALUES ('clients', 1, '{document}');\n"
            for document in (text.replace("'", "''") for text in documents)), encoding="utf-8")

    def rate(number, count):
        bench.run(f"TRUNCATE clients_{number}")
        done = subprocess.run([str(pgbench), "-n", "-M", "prepared", "-c", str(count), "-j", str(min(count, os.cpu_count() or 1)),
                               "-T", str(seconds), "-P", "1", "-f", str(bench.work / f"clients_{number}.sql"), "-U", "postgres", "postgres"],
                              capture_output=True, text=True, check=False)
        found = [float(tps) for tps in re.findall(r"^progress: [\d.]+ s, ([\d.]+) tps", done.stderr, re.M)][warm:]
        if done.returncode or not found:
            raise SystemExit(f"pgbench: {done.stderr[-500:]}")
        return statistics.mean(found) * len(documents)

    for count in CLIENTS:
        rates = {kind: [] for kind in kinds}
        for one in range(-1, rounds):
            order_of_round = list(enumerate(kinds))
            for number, kind in order_of_round if one % 2 else reversed(order_of_round):
                value = rate(number, count)
                if one >= 0:
                    rates[kind].append(value)
        for kind, values in rates.items():
            bench.results.add("clients", "", "", f"{count} clients, {kind}", "rows/s", values)
        for kind in ("checked", "by hand"):
            bench.results.add("clients", "", "", f"{count} clients, {kind}/unchecked", "%",
                              [100 * value / base for value, base in zip(rates[kind], rates["unchecked"])])
