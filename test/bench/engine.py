"""What does not show in one row: compiling, memory, many schemas, dispatch,
sessions beside each other."""

import os
import re
import subprocess
import threading
import time
from pathlib import Path

from workloads import ORDER_SCHEMA, _string, dump, order, random

CONTEXTS = "SELECT coalesce(sum(total_bytes), 0)::bigint FROM pg_backend_memory_contexts WHERE name LIKE 'event_validate%'"


def sized_schema(properties):
    """A flat schema with so many properties of six kinds."""
    kinds = [_string(maxLength=40), _string(format="date-time"), {"type": "number", "minimum": 0},
             {"type": "integer", "minimum": 0, "maximum": 1000000}, {"type": "boolean"},
             {"enum": ["red", "green", "blue"]}]
    return {"type": "object", "required": ["property_0"], "additionalProperties": False,
            "properties": {f"property_{i}": kinds[i % len(kinds)] for i in range(properties)}}


def measure(bench):
    sizes(bench)
    lengths(bench)
    dispatch(bench)
    start(bench)
    many(bench)
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
                # the library is loaded, the catalogs are read
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
    """The same schema, longer and longer documents."""
    schema = {"type": "array", "items": {"type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}, "name": _string(maxLength=20)}}}
    with bench.connection.cursor() as cursor:
        cursor.execute("SELECT register_event_schema('lengths', 1, %s::text)", (dump(schema),))
    for count in (10, 100, 1000, 10000, 100000):
        times = max(1, 300000 // count)
        values = [bench.value("SELECT bench_loop('event_schema.\"lengths@1\"(jsonb)', (SELECT jsonb_agg(jsonb_build_object('id', n, 'name', 'x' || n))"
                              f" FROM generate_series(1, {count}) n), {times}, true)") / count for _ in range(5)]
        bench.results.add("length", "", "", f"{count} items", "ns/item", values)


def dispatch(bench):
    """What finding the schema costs, by how many there are in one statement."""
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
    """Thousands of schemas: registering, having, using them."""
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


class Validators:
    """Sessions that validate for some seconds; how many documents in all."""

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
    """Eight sessions validate while one registers without a pause: each
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
        """As much work for the processors, without an invalidation."""
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


def clients(bench):
    """pgbench: events inserted one by one, with and without the check."""
    pgbench = Path(os.environ.get("EV_BINDIR", "")) / "pgbench"
    if not pgbench.exists():
        bench.results.skip("clients", "", "pgbench", "there is no pgbench")
        return
    with bench.connection.cursor() as cursor:
        cursor.execute("SELECT register_event_schema('clients', 1, %s::text)", (dump(ORDER_SCHEMA),))
    # ":name" is a variable to pgbench
    documents = [re.sub(r":(?=[a-zA-Z])", ": ", dump(order(random.Random(number)))) for number in range(10)]
    seconds = 1 if bench.args.quick else 5
    for kind, check in (("unchecked", ""), ("checked", ", CHECK (check_event(data, event_type, schema_version))")):
        bench.run(f"CREATE TABLE clients_{kind} (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, event_type text NOT NULL,"
                  f" schema_version int NOT NULL, data jsonb NOT NULL{check})")
        (bench.work / f"{kind}.sql").write_text("".join(
            f"INSERT INTO clients_{kind} (event_type, schema_version, data) VALUES ('clients', 1, '{document}');\n"
            for document in (text.replace("'", "''") for text in documents)), encoding="utf-8")
    for count in (1, 2, 8, 64):
        rates = {"unchecked": [], "checked": []}
        for _ in range(3):
            for kind, values in rates.items():
                bench.run(f"TRUNCATE clients_{kind}")
                done = subprocess.run([str(pgbench), "-n", "-M", "prepared", "-c", str(count), "-j", str(min(count, os.cpu_count() or 1)),
                                       "-T", str(seconds), "-f", str(bench.work / f"{kind}.sql"), "-U", "postgres", "postgres"],
                                      capture_output=True, text=True, check=False)
                found = re.search(r"tps = ([\d.]+)", done.stdout)
                if not found:
                    raise SystemExit(f"pgbench: {done.stderr[-500:]}")
                values.append(float(found.group(1)) * len(documents))
        for kind, values in rates.items():
            bench.results.add("clients", "", "", f"{count} clients, {kind}", "rows/s", values)
        bench.results.add("clients", "", "", f"{count} clients, checked/unchecked", "%",
                          [100 * checked / unchecked for checked, unchecked in zip(rates["checked"], rates["unchecked"])])
