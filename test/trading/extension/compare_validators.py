#!/usr/bin/env python3
"""Compares event_validate with Python's jsonschema on events with random changes.

Takes samples and generated events, changes one to six places in each, and
validates them by both with the trading schemas: they must agree on whether the
event is valid, and on the locations and keywords of violations.  For an anyOf or
oneOf, event_validate may report the intended branch.  Needs the packages in
requirements.txt, and a database (PG... variables) in which the extension
trading_events is installed.  Ends with "N passed, N failed".

usage: compare_validators.py [COUNT [SEED]]
"""
import copy
import decimal
import json
import random
import re
import subprocess
import sys
import tempfile
from decimal import Decimal
from pathlib import Path

from check_documents import TRADING, causes, formats, located, validator

SHOWN = 20

# jsonschema accepts more as a UUID or a host name.
UUID = re.compile("[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
formats.checkers["uuid"] = (lambda v: not isinstance(v, str) or UUID.fullmatch(v) is not None, ())
HOST = re.compile(r"(?=.{1,253}\Z)(?!-)[A-Za-z0-9-]{1,63}(?<!-)(?:\.(?!-)[A-Za-z0-9-]{1,63}(?<!-))*", re.ASCII)
formats.checkers["hostname"] = (lambda v: not isinstance(v, str) or HOST.fullmatch(v) is not None, ())

# numbers in jsonb can have more digits than the default precision of Decimal
decimal.getcontext().prec = 700

ODD = [
    None, True, False, 0, -0.0, 1, -1, 1.0, 1.5, 1e-9, 1e-8, 1.00000001, 1e20, 2**63 - 1, 2**63, 2**64, -2**63, 65535, 21600, 21601,
    16777215, 16777216, "", "0", "00", "-", "+", ".", "-.", "1", "1.", "  ", ".5", "0.0", "1e5", "+5", "-5", "0005", "²", "٣", "1\n",
    "a", "A", "A.", "A.B", "A/B", "AB-", "x" * 25, "x" * 26, "x" * 48, "x" * 49, "x" * 256, "x" * 257, "é" * 100, "é" * 101,
    "🔥" * 32, "🔥" * 33, "🔥" * 80, "🔥" * 81, [], {}, [None], [[]], {"a": 1}, ["0.1", "1"], ["0.1"], ["0.1", "1", 2],
    "2021-02-22T15:51:44Z", "2021-02-22T15:51:44+00:00", "2021-02-30T00:00:00Z", "2021-02-22T25:51:44Z", "2021-02-22 15:51:44Z",
    "2021-02-22", "61e69015-8549-4bfd-b9c3-01e75843f47d", "61E69015-8549-4BFD-B9C3-01E75843F47D", "61e6901585494bfdb9c301e75843f47d",
    "a_" + "0" * 32, "0" * 32, "0" * 33, "18446744073709551615", "18446744073709551616", "99999999999999999999",
    "https://x.example/", "x y", "mailto:a@b", "://", "localhost", "a_b.c", "::1", "1.2.3.4",
    "buy", "sell", "new", "filled", "limit", "market", "trade", "quote", "bar", "fill", "partial_fill", "TRADE", "NEW", "rich",
]
NAMES = ["x", "id", "T", "payload", "a~b", "a/b", ""]
PIECES = ["x", "0", " ", "é", "-", ".", ""]


def places(value, path=()):
    yield path
    if isinstance(value, dict):
        for key in value:
            yield from places(value[key], path + (key,))
    elif isinstance(value, list):
        for index in range(len(value)):
            yield from places(value[index], path + (index,))


def change(value, rand):
    """Changes one place of a value, or the whole value."""
    path = rand.choice(list(places(value)))
    if not path:
        return copy.deepcopy(rand.choice(ODD)) if rand.random() < 0.1 else value
    holder = value
    for step in path[:-1]:
        holder = holder[step]
    key, how = path[-1], rand.random()
    old = holder[key]
    if how < 0.25:
        del holder[key]
    elif how < 0.75:
        holder[key] = copy.deepcopy(rand.choice(ODD))
    elif how < 0.85 and isinstance(old, str):
        at = rand.randrange(len(old) + 1)
        holder[key] = old[:at] + rand.choice(PIECES) + old[at + rand.randrange(2):]
    elif how < 0.92 and isinstance(holder, dict):
        holder[rand.choice(NAMES)] = copy.deepcopy(rand.choice(ODD))
    elif isinstance(old, (int, float)) and not isinstance(old, bool):
        holder[key] = -old if rand.random() < 0.5 else old * 10
    elif isinstance(holder, list):
        holder.insert(key, copy.deepcopy(old))
    return value


def make(count, seed):
    """Events with random changes: (TYPE@VERSION, JSON text)."""
    rand = random.Random(seed)
    pool = {}
    for path in sorted((TRADING / "samples").glob("*.json")):
        for row in json.loads(path.read_text(encoding="utf-8")):
            pool.setdefault(f"{row['event_type']}@{row['schema_version']}", []).append(row["data"])
    generated = subprocess.run([TRADING / "generate_events", "3000", "--version", "mixed", "--format", "jsonl", "--seed", str(seed)],
                               capture_output=True, encoding="utf-8", check=True)
    for line in generated.stdout.splitlines():
        row = json.loads(line)
        pool[f"{row['event_type']}@{row['schema_version']}"].append(row["data"])
    names = sorted(pool)
    for i in range(count):
        name = names[i % len(names)]
        value = copy.deepcopy(rand.choice(pool[name]))
        for _ in range(rand.choice((1, 1, 1, 2, 3, 6))):
            if isinstance(value, (dict, list)):
                value = change(value, rand)
        yield name, json.dumps(value, ensure_ascii=False)


def judge_in_database(cases):
    """For each case: its number, whether it is valid, [[location, keyword], ...]."""
    script = """CREATE TEMP TABLE cases (number int, event_type text, schema_version int, data jsonb);
        \\copy cases FROM '{}'
        SELECT json_build_array(number, validate_event(data, event_type, schema_version),
            (SELECT json_agg(json_build_array(instance_location, keyword)) FROM event_violations(data, event_type, schema_version)))
        FROM cases ORDER BY number;"""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "cases.copy"
        file.write_text("".join("%d\t%s\t%s\t%s\n" % (i, *name.split("@"), text.replace("\\", "\\\\")) for i, (name, text) in enumerate(cases)), encoding="utf-8")
        done = subprocess.run(["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1"], input=script.format(file),
                              capture_output=True, encoding="utf-8")
    if done.returncode:
        sys.exit(done.stderr)
    return [json.loads(line) for line in done.stdout.splitlines()]


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 5000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    cases = list(make(count, seed))
    judges, passed, failed, valid = {}, 0, 0, 0
    for number, is_valid, found in judge_in_database(cases):
        name, text = cases[number]
        judge = judges.setdefault(name, validator(name))
        ours = {tuple(one) for one in found or []}
        valid += is_valid
        missing, unfounded = [], set(ours)
        errors = list(judge.iter_errors(json.loads(text, parse_float=Decimal)))
        for error in errors:
            theirs, below = located(error), causes(error)
            if not (theirs <= ours or below & ours):
                missing += sorted(theirs - ours)
            unfounded -= theirs | below
        if is_valid == (not errors) == (not ours) and not missing and not unfounded:
            passed += 1
            continue
        failed += 1
        if failed <= SHOWN:
            print(f"FAILED  {name}: only here {sorted(unfounded)}, only jsonschema {missing}: {text[:400]}")
    print(f"seed {seed}: {valid} of {passed + failed} are valid")
    # Without both valid and invalid cases the comparison shows nothing.
    if not 0 < valid < passed + failed or passed + failed != len(cases):
        failed += 1
        print("FAILED  some cases have no answer, or all have the same")
    print(f"{passed} passed, {failed} failed")
    sys.exit(failed != 0)


if __name__ == "__main__":
    main()
