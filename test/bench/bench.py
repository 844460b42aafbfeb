#!/usr/bin/env python3
"""Measures; run-bench starts it, with a server and everything built.

The alternatives run in one session in turns, round by round, so that other load
on the machine affects all of them.  Times of statements are the processor time
of the backend.  Net times are the difference to the no-op of the same round.
"""

import argparse
import csv
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import time
from pathlib import Path

sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "lib")]

from tools import Unavailable, npm_packages, python_packages, run_in  # noqa: E402

AJV = ["ajv@8.17.1", "ajv-formats@3.0.1"]
BLAZE = ["@sourcemeta/jsonschema@16.11.0"]
FASTJSONSCHEMA = "fastjsonschema==2.21.1"

COLUMNS = ["section", "workload", "documents", "what", "unit", "rounds", "min", "median", "max",
           "net_min", "net_median", "net_max", "note"]


class Results:
    """The rows of the CSV, written at once."""

    def __init__(self, path):
        self.file = open(path, "w", newline="", encoding="utf-8")
        self.writer = csv.DictWriter(self.file, COLUMNS, lineterminator="\n")
        self.writer.writeheader()

    def add(self, section, workload, documents, what, unit, values=(), net=(), note=""):
        row = {"section": section, "workload": workload, "documents": documents, "what": what, "unit": unit,
               "rounds": len(values), "note": note}
        for prefix, numbers in (("", values), ("net_", net)):
            if numbers:
                row.update({prefix + "min": show(min(numbers)), prefix + "median": show(statistics.median(numbers)),
                            prefix + "max": show(max(numbers))})
        self.writer.writerow(row)
        self.file.flush()
        print(f"{section:11} {workload:10} {documents:8} {what:34} " +
              (f"{row['median']:>12} {unit}" + (f"   net {row['net_median']:>10}" if net else "") if values else note),
              flush=True)

    def skip(self, section, workload, what, reason):
        self.add(section, workload, "", what, "", note="skipped: " + reason)


def show(number):
    return f"{number:.1f}" if abs(number) < 10000 else f"{number:.0f}"


class Bench:
    def __init__(self, args, results):
        import psycopg
        self.args = args
        self.results = results
        self.psycopg = psycopg
        self.connection = self.connect()
        self.work = Path(args.work)
        self.limit = self.prepare()
        self.python = self.prepare_python()
        self.peers = {}
        for name, packages in (("ajv", AJV), ("blaze", BLAZE)):
            if "hot" not in args.wanted:
                continue
            try:
                self.peers[name] = npm_packages(*packages)
                if name == "blaze" and not self.blaze_program():
                    self.peers[name] = Unavailable("it has no program for this kind of machine")
            except Unavailable as reason:
                self.peers[name] = reason

    def connect(self):
        connection = self.psycopg.connect("dbname=postgres user=postgres", autocommit=True)
        connection.execute("SET client_min_messages = warning; SET jit = off; SET max_parallel_workers_per_gather = 0;"
                           "SET synchronous_commit = off; SET work_mem = '64MB'")
        return connection

    def run(self, query):
        return self.connection.execute(query)

    def value(self, query):
        return self.run(query).fetchone()[0]

    def prepare(self):
        """Creates the functions; returns whether the limit is available."""
        self.run("CREATE EXTENSION event_validate")
        for name, arguments, result in (("noop", "jsonb", "boolean"), ("noop_event", "jsonb, text, int", "boolean"),
                                        ("loop", "regprocedure, jsonb, int, boolean", "double precision"),
                                        ("cpu", "", "double precision"), ("rss", "", "bigint")):
            volatility = "VOLATILE" if name in ("cpu", "rss", "loop") else "IMMUTABLE"
            self.run(f"CREATE FUNCTION bench_{name}({arguments}) RETURNS {result} AS '{self.args.helper}' "
                     f"LANGUAGE c STRICT {volatility}")
        try:
            self.run("CREATE EXTENSION event_limit")
            return None
        except self.psycopg.Error:
            return "there is no folder with the limit (LIMIT_DIR)"

    def prepare_python(self):
        """PL/Python with fastjsonschema; returns the reason if it is not available."""
        if self.args.quick:
            return "quick run"
        try:
            requirements = self.work / "fastjsonschema.txt"
            requirements.write_text(FASTJSONSCHEMA + "\n", encoding="utf-8")
            python = python_packages(requirements)
            package = subprocess.run([python, "-c", "import fastjsonschema; print(fastjsonschema.__path__[0])"],
                                     capture_output=True, text=True, check=True).stdout.strip()
            # where the server can read it
            target = self.work / "python"
            target.mkdir(exist_ok=True)
            subprocess.run(["cp", "-r", package, str(target)], check=True)
            subprocess.run(["chmod", "-R", "a+rX", str(target)], check=True)
            self.run("CREATE EXTENSION plpython3u")
            self.run(f"DO LANGUAGE plpython3u $$import sys; sys.path.insert(0, '{target}'); import fastjsonschema$$")
            return None
        except (Unavailable, self.psycopg.Error, subprocess.CalledProcessError) as reason:
            return str(reason).split("\n", maxsplit=1)[0]

    # ---------- data ----------

    def load(self, workload):
        """Registers the schema, creates the tables valid_NAME and invalid_NAME."""
        from workloads import dump
        count = max(int(self.args.rows * workload.rows), workload.sample)
        with self.connection.cursor() as cursor:
            cursor.execute("SELECT register_event_schema(%s, 1, %s::text)", (workload.name, dump(workload.schema)))
        documents = workload.documents(count)
        for kind, rows in (("valid", documents), ("invalid", None)):
            if rows is None:
                rows = workload.invalid(documents[:min(count, 20000)])
            self.run(f"CREATE UNLOGGED TABLE {kind}_{workload.name} (data jsonb)")
            with self.connection.cursor().copy(f"COPY {kind}_{workload.name} FROM STDIN") as copy:
                for document in rows:
                    copy.write(dump(document).replace("\\", "\\\\") + "\n")
            if kind == "invalid" and len(rows) < min(count, 200000):
                # repeated, so that a statement takes long enough to be measured
                self.run(f"INSERT INTO invalid_{workload.name} SELECT data FROM invalid_{workload.name},"
                         f" generate_series(2, {max(min(count, 200000) // len(rows), 1)})")
            self.run(f"VACUUM ANALYZE {kind}_{workload.name}")
            if kind == "valid":
                self.lines = [dump(document) for document in rows[:workload.sample]]
            else:
                self.bad_lines = [dump(document) for document in rows[:workload.sample]]
        self.size = self.value(f"SELECT avg(pg_column_size(data))::int FROM valid_{workload.name}")
        self.results.add("size", workload.name, "valid", "jsonb", "bytes", [self.size], note=workload.title)
        self.results.add("size", workload.name, "valid", "documents", "rows", [count])
        self.results.add("size", workload.name, "", "schema", "bytes", [len(dump(workload.schema))])
        return count

    # ---------- statements ----------

    def timed(self, query):
        """The query's answer, and its processor time."""
        before = self.value("SELECT bench_cpu()")
        answer = self.run(query)
        answer = answer.fetchone()[0] if answer.description else None
        return answer, self.value("SELECT bench_cpu()") - before

    def interleaved(self, section, workload, documents, queries, unit, divisor, rounds, expected=None, base="no-op"):
        """queries: {what: (prepare or None, query, count or None)}"""
        times = {what: [] for what in queries}
        for one in range(-1, rounds):
            for what, (prepare, query, count) in queries.items():
                # slow ones run on fewer rows, and in fewer rounds
                if one >= 3 and count is not None and one % 3:
                    continue
                if prepare:
                    self.run(prepare)
                answer, took = self.timed(query)
                if expected is not None and answer is not None and answer != expected(count or divisor, what):
                    raise SystemExit(f"{section} {workload} {documents}: {what} is right about {answer} of {count or divisor}")
                if one >= 0:
                    times[what].append((one, took / (count or divisor)))
        bases = dict(times.get(base, ()))
        for what, values in times.items():
            net = [value - bases[one] for one, value in values if one in bases] if what not in (base, "scan") else []
            self.results.add(section, workload, documents, what, unit, [value for _, value in values], net)
        return times

    def hand(self, workload):
        return workload.hand.replace("%", "%%") if workload.hand else None

    def checks(self, workload, kind):
        """The compared conditions: {what: (condition, whether it is slow)}"""
        name = workload.name
        checks = {"no-op": ("bench_noop(data)", False)}
        if name == "orders":
            if self.limit is None:
                checks["limit"] = ("limit_order_valid(data)", False)
            else:
                self.results.skip("scan", name, "limit", self.limit)
        checks["schema function"] = (f'event_schema."{name}@1"(data)', False)
        checks["validate_event"] = (f"validate_event(data, '{name}', 1)", False)
        if kind == "valid":
            checks["check_event"] = (f"check_event(data, '{name}', 1)", False)
        if self.hand(workload):
            checks["CHECK by hand"] = (workload.hand, True)
        if self.python is None and not isinstance(self.make_python(workload), str):
            checks["PL/Python, fastjsonschema"] = (f"python_{name}(data)", True)
        return checks

    def make_python(self, workload):
        """Creates the PL/Python function once; a string is the reason why there is none."""
        made = getattr(self, "made", None)
        if made is None:
            made = self.made = {}
        if workload.name not in made:
            try:
                schema = json.dumps(workload.schema)
                self.run(f"""CREATE FUNCTION python_{workload.name}(data jsonb) RETURNS boolean LANGUAGE plpython3u IMMUTABLE AS $python$
if "validate" not in SD:
    import json, fastjsonschema
    formats = {{"uuid": r"^[0-9a-fA-F]{{8}}(-[0-9a-fA-F]{{4}}){{3}}-[0-9a-fA-F]{{12}}\Z",
               "duration": r"^P(?!\Z)(\d+W|(\d+Y)?(\d+M)?(\d+D)?(T(?!\Z)(\d+H)?(\d+M)?(\d+S)?)?)\Z"}}
    SD["validate"] = fastjsonschema.compile(json.loads({schema!r}), formats=formats)
    SD["error"] = fastjsonschema.JsonSchemaException
    SD["loads"] = json.loads
try:
    SD["validate"](SD["loads"](data))
    return True
except SD["error"]:
    return False
$python$""")
                wrong = self.value(f"SELECT (SELECT count(*) FROM (TABLE valid_{workload.name} LIMIT 200) d WHERE NOT python_{workload.name}(data))"
                                   f" + (SELECT count(*) FROM (TABLE invalid_{workload.name} LIMIT 200) d WHERE python_{workload.name}(data))")
                made[workload.name] = True
                if wrong:
                    made[workload.name] = f"wrong on {wrong} of 400 documents"
            except self.psycopg.Error as reason:
                made[workload.name] = str(reason).split("\n", maxsplit=1)[0]
            if isinstance(made[workload.name], str):
                self.results.skip("scan", workload.name, "PL/Python, fastjsonschema", made[workload.name])
        return made[workload.name]

    def scans(self, workload, count):
        for kind in ("valid", "invalid"):
            table = f"{kind}_{workload.name}"
            rows = self.value(f"SELECT count(*) FROM {table}")
            few = max(min(rows, int(20000 * workload.rows)), min(rows, 20))
            self.run(f"CREATE UNLOGGED TABLE few AS SELECT data FROM {table} LIMIT {few}")
            self.run("VACUUM ANALYZE few")
            queries = {"scan": (None, f"SELECT count(*) FROM {table} WHERE data IS NOT NULL", None)}
            for what, (condition, slow) in self.checks(workload, kind).items():
                source = "few" if slow else table
                # every row is counted, so that the costs are the same
                refused = "NOT " if kind == "invalid" and what != "no-op" else ""
                queries[what] = (None, f"SELECT count(*) FROM {source} WHERE {refused}({condition})", few if slow else None)

            def expected(n, what):
                return n

            self.interleaved("scan", workload.name, kind, queries, "ns/row", rows, self.args.rounds, expected)
            self.run("DROP TABLE few")

    def mixed(self, count):
        """Orders under 20 types with 3 versions each."""
        from workloads import ORDER_SCHEMA, dump
        if self.limit:
            self.results.skip("mixed", "orders", "limit", self.limit)
        with self.connection.cursor() as cursor:
            for number in range(20):
                for version in (1, 2, 3):
                    cursor.execute("SELECT register_event_schema(%s, %s, %s::text)",
                                   (f"trading.order.kind{number}", version, dump(ORDER_SCHEMA)))
        self.run("SELECT setseed(0.5); CREATE UNLOGGED TABLE mixed_orders AS SELECT data,"
                 " 'trading.order.kind' || (random() * 19.99 - 0.5)::int AS event_type,"
                 " (random() * 2.99 + 0.5)::int AS schema_version FROM valid_orders")
        self.run("UPDATE mixed_orders SET event_type = 'trading.order.kind0' WHERE event_type NOT IN"
                 " (SELECT event_type FROM event_schemas); UPDATE mixed_orders SET schema_version = 1 WHERE schema_version NOT IN (1, 2, 3)")
        self.run("VACUUM FULL mixed_orders")
        self.run("VACUUM ANALYZE mixed_orders")
        arguments = "data, event_type, schema_version"
        queries = {"no-op": (None, f"SELECT count(*) FROM mixed_orders WHERE bench_noop_event({arguments})", None)}
        if not self.limit:
            queries["limit"] = (None, "SELECT count(*) FROM mixed_orders WHERE limit_order_valid(data) AND bench_noop_event(data, event_type, schema_version)", None)
        queries["validate_event"] = (None, f"SELECT count(*) FROM mixed_orders WHERE validate_event({arguments})", None)
        queries["check_event"] = (None, f"SELECT count(*) FROM mixed_orders WHERE check_event({arguments})", None)
        self.interleaved("mixed", "orders", "valid", queries, "ns/row", count, self.args.rounds, lambda n, what: n)

    # ---------- writing ----------

    def writes(self, workload, count):
        name = workload.name
        rows = min(count, int(self.args.rows * 0.3))
        few = max(min(rows, int(20000 * workload.rows)), 20)
        file = self.work / f"{name}.copy"
        small = self.work / f"{name}.few.copy"
        self.run(f"COPY (SELECT data, '{name}'::text, 1 FROM valid_{name} LIMIT {rows}) TO '{file}'")
        self.run(f"COPY (SELECT data, '{name}'::text, 1 FROM valid_{name} LIMIT {few}) TO '{small}'")
        checks = {"no check": ("true", False), **self.checks(workload, "valid")}
        checks["check_event, columns"] = ("check_event(data, event_type, schema_version)", False)
        checks.pop("validate_event")
        inserts = {}
        copies = {}
        for number, (what, (condition, slow)) in enumerate(checks.items()):
            check = f", CHECK ({condition})" if what != "no check" else ""
            self.run(f"CREATE UNLOGGED TABLE sink_{name}_{number} (data jsonb NOT NULL, event_type text NOT NULL,"
                     f" schema_version int NOT NULL{check})")
            prepare = f"TRUNCATE sink_{name}_{number}"
            inserts[what] = (prepare, f"INSERT INTO sink_{name}_{number} SELECT data, '{name}', 1 FROM valid_{name}"
                             f" LIMIT {few if slow else rows}", few if slow else None)
            copies[what] = (prepare, f"COPY sink_{name}_{number} FROM '{small if slow else file}'", few if slow else None)
        self.interleaved("insert", name, "valid", inserts, "ns/row", rows, self.args.rounds, base="no check")
        self.interleaved("copy", name, "valid", copies, "ns/row", rows, max(3, self.args.rounds * 2 // 3), base="no check")
        for number in range(len(checks)):
            self.run(f"DROP TABLE sink_{name}_{number}")
        file.unlink()
        small.unlink()

    def refusals(self, workload):
        """The cost of a rejected row, with its error."""
        table = "refused"
        hand = f", CHECK ({workload.hand})" if workload.hand else ""
        self.run(f"CREATE UNLOGGED TABLE {table}_event (data jsonb, CHECK (check_event(data, '{workload.name}', 1)))")
        self.run(f"CREATE UNLOGGED TABLE {table}_hand (data jsonb{hand})")
        self.run(f"CREATE UNLOGGED TABLE {table}_false (data jsonb, CHECK (data IS NULL))")

        def attempt(sink):
            return (None, f"DO $$DECLARE d jsonb; BEGIN FOR d IN SELECT data FROM invalid_{workload.name} LIMIT 5000 LOOP "
                    f"BEGIN INSERT INTO {table}_{sink} VALUES (d); EXCEPTION WHEN OTHERS THEN NULL; END; END LOOP; END$$", None)

        queries = {"no-op": attempt("false"), "check_event": attempt("event")}
        if workload.hand:
            queries["CHECK by hand"] = attempt("hand")
        self.interleaved("refusal", workload.name, "invalid", queries, "ns/row", 5000, max(3, self.args.rounds // 3))
        for sink in ("event", "hand", "false"):
            self.run(f"DROP TABLE {table}_{sink}")

    # ---------- hot loops ----------

    def hot(self, workload):
        """Each document many times in succession, in every engine, without scans and calls from SQL."""
        name = workload.name
        schema = self.work / f"{name}.schema.json"
        schema.write_text(json.dumps(workload.schema, ensure_ascii=False), encoding="utf-8")
        for kind, lines in (("valid", self.lines), ("invalid", self.bad_lines)):
            file = self.work / f"{name}.{kind}.jsonl"
            file.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
            self.run(f"CREATE TEMP TABLE sample AS SELECT data, row_number() OVER () AS id FROM {kind}_{name} LIMIT {len(lines)}")
            # so that they need no detoasting
            self.run("ALTER TABLE sample ALTER data SET STORAGE PLAIN")
            expected = "true" if kind == "valid" else "false"
            loops = max(workload.loops // (10 if self.args.quick else 1), 1)
            engines = {"event_validate": lambda: self.hot_server(f'event_schema."{name}@1"(jsonb)', loops, expected),
                       "no-op": lambda: self.hot_server("bench_noop(jsonb)", loops, "true")}
            if name == "orders" and self.limit is None:
                engines["limit"] = lambda: self.hot_server("limit_order_valid(jsonb)", loops, expected)
            for peer, title, run in (("ajv", "ajv", lambda: self.hot_ajv(schema, file, loops, expected)),
                                     ("blaze", "Blaze --fast --format-assertion", lambda: self.hot_blaze(schema, file, loops, expected))):
                if isinstance(self.peers[peer], Unavailable):
                    self.results.skip("hot", name, title, str(self.peers[peer]))
                else:
                    engines[title] = run
            rounds = {title: [] for title in engines}
            for _ in range(max(3, self.args.rounds // 2)):
                for title, run in engines.items():
                    if rounds[title] is None:
                        continue
                    answer = run()
                    if isinstance(answer, str):
                        self.results.skip("hot", name, f"{title}, {kind}", answer)
                        rounds[title] = None
                    else:
                        rounds[title].append(answer)
            for title, vectors in rounds.items():
                if not vectors:
                    continue
                # the median of the rounds for each document, then the average of the documents
                by_document = list(zip(*vectors))
                summary = [statistics.mean(choose(values) for values in by_document)
                           for choose in (min, statistics.median, max)]
                self.results.add("hot", name, kind, title, "ns/document", summary, note=f"{len(vectors)} rounds")
            self.run("DROP TABLE sample")

    def hot_server(self, function, loops, expected):
        # a copy for each call, so that the executor is not part of the loop
        return [row[0] for row in self.run(
            f"SELECT bench_loop('{function}', (data::text)::jsonb, {loops}, {expected}) FROM sample ORDER BY id").fetchall()]

    def hot_ajv(self, schema, file, loops, expected):
        done = subprocess.run(["node", str(HERE / "hot_ajv.mjs"), str(self.peers["ajv"]), str(schema), str(file), str(loops), expected],
                              capture_output=True, text=True, check=False)
        if done.returncode:
            lines = [line for line in done.stderr.split("\n") if "Error" in line]
            return (lines or ["it failed"])[0][:150]
        lines = done.stdout.split()
        if "disagrees" in lines:
            return f"gives another answer on {lines.count('disagrees')} of {len(lines)} documents"
        return [float(line) for line in lines]

    def blaze_program(self):
        return next(Path(self.peers["blaze"]).glob("node_modules/@sourcemeta/jsonschema/build/*/jsonschema-%s-%s" % (
            sys.platform, "x86_64" if platform.machine() == "x86_64" else "arm64")), None)

    def hot_blaze(self, schema, file, loops, expected):
        cli = self.blaze_program()
        times = []
        # without this the program stops at the first invalid document
        done = subprocess.run([str(cli), "validate", "--fast", "--format-assertion", "--benchmark", "--continue", "--loop", str(loops),
                               str(schema), str(file)], capture_output=True, text=True, check=False)
        wrong = 0
        for line in done.stdout.split("\n"):
            match = re.search(r"\[(\d+)\]: (PASS|FAIL) ([\d.]+) ", line)
            if match:
                wrong += (match.group(2) == "PASS") != (expected == "true")
                times.append((int(match.group(1)), float(match.group(3)) * 1000))
        if wrong:
            return f"gives another answer on {wrong} of {len(times)} documents"
        if not times:
            return (done.stderr or done.stdout).strip().split("\n")[0][:150] or "it failed"
        return [took for _, took in sorted(times)]


def machine():
    name = platform.processor() or platform.machine()
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").split("\n"):
            if line.startswith("model name"):
                name = line.split(":", 1)[1].strip()
                break
    except OSError:
        pass
    return f"{name}, {os.cpu_count()} processors"


def main():
    parser = argparse.ArgumentParser(description="Measures event_validate beside others.")
    parser.add_argument("--check", action="store_true", help="only see whether the options are right")
    parser.add_argument("--work", help="a folder to write in")
    parser.add_argument("--helper", help="the helper module, without its suffix")
    parser.add_argument("--csv")
    parser.add_argument("--rows", type=int, default=1000000, help="documents of the largest table (default %(default)s)")
    parser.add_argument("--rounds", type=int, default=11, help="how often all is measured (default %(default)s)")
    parser.add_argument("--only", action="append", metavar="WORKLOAD|SECTION", help="only these; may be repeated")
    parser.add_argument("--quick", action="store_true", help="50,000 rows, 3 rounds, few loops: to see that it works")
    args = parser.parse_args()
    if args.quick:
        args.rows, args.rounds = min(args.rows, 50000), 3

    from workloads import WORKLOADS, BY_NAME
    sections = ["scan", "mixed", "write", "refusal", "hot", "engine"]
    only = args.only or []
    for word in only:
        if word not in BY_NAME and word not in sections:
            parser.error(f"no workload or section {word}; there are: {', '.join([*BY_NAME, *sections])}")
    chosen = [w for w in WORKLOADS if w.name in only] or WORKLOADS
    wanted = [s for s in sections if s in only] or sections
    if args.rows < 1 or args.rounds < 1:
        parser.error("--rows and --rounds need a number above 0")
    if args.check:
        return
    args.wanted = wanted

    results = Results(args.csv)
    bench = Bench(args, results)
    results.add("about", "", "", "machine", "", note=machine())
    results.add("about", "", "", "server", "", note=bench.value("SELECT version()"))
    results.add("about", "", "", "load", "", note="load average %.1f when it began" % os.getloadavg()[0])
    results.add("about", "", "", "date", "", note=time.strftime("%Y-%m-%d", time.gmtime()))
    for workload in chosen:
        if not {"scan", "mixed", "write", "refusal", "hot"} & set(wanted):
            break
        count = bench.load(workload)
        if "hot" in wanted:
            bench.hot(workload)
        if "scan" in wanted:
            bench.scans(workload, count)
        if "write" in wanted and workload.name in ("orders", "discord", "kinds"):
            bench.writes(workload, count)
        if "refusal" in wanted and workload.name == "orders":
            bench.refusals(workload)
        if "mixed" in wanted and workload.name == "orders":
            bench.mixed(count)
        bench.run(f"DROP TABLE valid_{workload.name}, invalid_{workload.name}")
    if "engine" in wanted:
        from engine import measure
        measure(bench)
    results.add("about", "", "", "load at the end", "", note="load average %.1f when it ended" % os.getloadavg()[0])


if __name__ == "__main__":
    if "--help" not in sys.argv and "-h" not in sys.argv:
        try:
            run_in(HERE / "requirements.txt")
        except Unavailable as unavailable:
            raise SystemExit(f"bench.py: psycopg cannot be had: {unavailable}") from None
    main()
