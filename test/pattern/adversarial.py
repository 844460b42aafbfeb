#!/usr/bin/env python3
"""Patterns that must not hang, crash or take much memory.

Each case runs in a session of its own.  The session's peak memory is read from
/proc, so the server must be on this machine.  Each case has an expected outcome:
t, f, "unsupported" or "invalid".  The bound on the time is far above the time on
a busy machine and far below an exponential one.  test/pattern/run starts this
program.
"""

import os
import subprocess
import sys

# how many times the usual time and memory this server takes
COSTS = float(os.environ.get("EV_COSTS") or 1)
SECONDS = 20.0 * COSTS      # compiling and matching, together
MEGABYTES = 60 * COSTS      # of the session, more than an idle one has

LONG = 200_000

CASES = [
    # name, pattern, string (SQL expressions), expected outcome
    ("(a+)+$", "'(a+)+$'", f"repeat('a', {LONG}) || 'b'", "f"),
    ("^(a+)+$", "'^(a+)+$'", f"repeat('a', {LONG}) || 'b'", "f"),
    ("^(a|aa)+$", "'^(a|aa)+$'", f"repeat('a', {LONG}) || 'b'", "f"),
    ("^(a|a?)+$", "'^(a|a?)+$'", f"repeat('a', {LONG}) || 'b'", "f"),
    ("[a-z]+[0-9]+x", "'[a-z]+[0-9]+x'", f"repeat('a', {LONG})", "f"),
    (".*.*=.*", "'.*.*=.*'", f"repeat('x', {LONG})", "f"),
    ("(.*a){12}", "'^(.*a){12}$'", f"repeat('a', {LONG}) || 'b'", "f"),
    ("(a|b)*a(a|b){40}", "'(a|b)*a(a|b){40}'", f"repeat('ab', {LONG // 2})", "t"),
    ("(a|b)*a(a|b){40}$", "'(a|b)*a(a|b){40}$'", f"repeat('ab', {LONG // 2}) || 'c'", "f"),
    ("^.*a.{40}b", "'^.*a.{40}b'", f"repeat('a', {LONG})", "f"),
    ("a[^]{30}b[^]{30}c both ways large", "'a[^]{30}b[^]{30}c'", f"repeat('ab', {LONG // 2})", "f"),
    ("((((a{30}){30}){30}){30})", "'((((a{30}){30}){30}){30})'", "''", "unsupported"),
    ("(a{1000}){1000}{1000}", "'((a{1000}){1000}){1000}'", "''", "unsupported"),
    ("a{1000000000}", "'a{1000000000}'", "''", "unsupported"),
    ("((){1000000000}){1000000000}", "'^((){1000000000}){1000000000}$'", "''", "t"),
    ("(\\b{..}) repeated", "'^((?:\\b|$){1000000000}){1000000000}$'", "''", "t"),
    ("(?:(?:)*)*+", "'^(?:(?:(?:)*)*)*$'", "''", "t"),
    ("[^]{0,30000}", "'^[^]{0,30000}$'", "repeat('é', 30000)", "t"),
    ("\\p{L}{1,1000}", "'^\\p{L}{1,1000}$'", "repeat('é', 1000)", "t"),
    ("(\\p{L}|\\p{N}|\\p{Script=Greek}){1,200}", "'^(\\p{L}|\\p{N}|\\p{Script=Greek}){1,200}$'", "repeat('é1α', 60)", "t"),
    ("1000 nested groups", "repeat('(', 1000) || 'a' || repeat(')', 1000)", "'a'", "t"),
    ("1000 nested groups, repeated", "repeat('(', 1000) || 'a' || repeat(')*', 1000) || '$'", "'a'", "t"),
    ("500 nested look-aheads", "repeat('(?=', 500) || 'a' || repeat(')', 500)", "'a'", "any"),
    ("30 nested negative look-aheads", "repeat('(?!a', 30) || 'a' || repeat(')', 30)", "'aa'", "any"),
    ("100,000 nested groups", "repeat('(', 100000) || 'a' || repeat(')', 100000)", "'a'", "unsupported"),
    ("1,000,000 open groups", "repeat('(', 1000000)", "'a'", "invalid"),
    ("1,000,000 open lookaheads", "repeat('(?=', 300000)", "'a'", "invalid"),
    ("1 MB of letters", "repeat('abcdefghij', 100000)", "'a'", "unsupported"),
    ("1 MB of stars", "repeat('a*', 500000)", "'a'", "unsupported"),
    ("1 MB of names", "(SELECT string_agg('(?<n' || i || '>)', '') FROM generate_series(1, 90000) i)", "'a'", "unsupported"),
    ("60 kB of letters", "repeat('abcdefghij', 6000)", f"repeat('abcdefghij', {LONG // 10})", "any"),
    ("60 kB of stars", "repeat('a*', 30000)", f"repeat('a', {LONG})", "t"),
    ("60 kB of stars, anchored", "'^' || repeat('a*', 30000) || '$'", f"repeat('a', {LONG}) || 'b'", "any"),
    ("60 kB of options, anchored", "'^' || repeat('a?', 30000) || '$'", "repeat('a', 30000)", "any"),
    ("a?{n}a{n}", "'^(a?){2000}a{2000}$'", "repeat('a', 2000)", "any"),
    ("a?b?{n} for the regex engine", "'^(a?b?){132}[ab]{132}(?<!y(?=z)x)$'", "repeat('ab', 100)", "t"),
    ("60 kB of alternatives", "(SELECT '^(' || string_agg('word' || i, '|') || ')$' FROM generate_series(1, 7000) i)", "'word6999'", "t"),
    ("60 kB of classes", "repeat('[\\p{L}\\d]', 6000)", "'a'", "any"),
    ("60 kB of different classes", "(SELECT string_agg('[\\p{L}' || chr(19968 + i) || '-' || chr(20968 + i) || ']', '') FROM generate_series(1, 4000) i)", "'a'", "any"),
    ("one class of 60 kB", "'[' || repeat('\\p{L}', 12000) || ']'", "'a'", "any"),
    ("many look-aheads", "'^' || repeat('(?=.*a.{9}b)', 300) || 'x'", f"repeat('ab', {LONG // 2})", "any"),
    ("look-aheads, each alone", "'^' || (SELECT string_agg('(?=.*' || chr(97 + i) || ')', '') FROM generate_series(0, 25) i) || '.*$'", "'abcdefghijklmnopqrstuvwxyz'", "t"),
    ("both ways", "'(?<=a.{20})b(?=.{20}c)'", f"repeat('ab', {LONG // 2})", "f"),
    ("(x+x+)+y", "'(x+x+)+y'", f"repeat('x', {LONG})", "f"),
    ("back-reference, long", "'^(a+)b\\1$'", "repeat('a', 1000) || 'b' || repeat('a', 1001)", "f"),
    ("^(([a-z])+.)+[A-Z]([a-z])+$", "'^(([a-z])+.)+[A-Z]([a-z])+$'", f"repeat('a', {LONG})", "f"),
    ("a literal in what is nearly it", "repeat('a', 100) || 'b' || repeat('a', 99)", f"repeat(repeat('a', 99) || 'b', {10 * LONG // 100})", "f"),
    ("a literal and its repetition", "repeat('ab', 60) || 'b'", f"repeat('ab', {5 * LONG})", "f"),
    ("options of literals", "repeat('(?:', 900) || 'a' || repeat(')?', 900) || 'b'", "'b'", "t"),
    ("choices of literals", "repeat('(?:|', 900) || 'a' || repeat(')', 900) || 'b'", "'b'", "t"),
    ("word boundaries", "'^(\\b\\w+\\b\\s?)+$'", f"repeat('ab ', {LONG // 3}) || '!'", "f"),
]

QUERY = """
SET statement_timeout = '60s';
CREATE TEMP TABLE c AS SELECT {pattern} AS pattern, {string} AS string;
SELECT pg_backend_pid() AS pid \\gset
\\set pid :pid
\\setenv BACKEND :pid
\\echo before `grep VmHWM /proc/$BACKEND/status`
SELECT pattern_valid('a') FROM c;
SELECT clock_timestamp() AS start \\gset
SELECT coalesce(pattern_test(pattern, string)::text, 'null') AS answer, pattern_error(pattern) AS error FROM c \\gset
SELECT extract(epoch FROM clock_timestamp() - :'start') AS seconds \\gset
\\echo after `grep VmHWM /proc/$BACKEND/status`
\\echo answer :answer
\\echo seconds :seconds
\\echo error :error
SELECT clock_timestamp() AS start \\gset
SELECT pattern_valid(pattern) AS valid FROM c \\gset
SELECT extract(epoch FROM clock_timestamp() - :'start') AS seconds \\gset
\\echo valid :valid
\\echo checked :seconds
"""


def run(pattern, string):
    process = subprocess.run(
        ["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-f", "-"],
        input=QUERY.format(pattern=pattern, string=string),
        capture_output=True, text=True)
    found = {}
    for line in process.stdout.splitlines():
        key, _, value = line.partition(" ")
        found[key] = value
    found["stderr"] = process.stderr.strip()
    return found


def memory(found):
    before = int(found["before"].split()[1])
    after = int(found["after"].split()[1])
    return (after - before) / 1024


def main():
    failures = 0
    for name, pattern, string, expected in CASES:
        found = run(pattern, string)
        problem = None
        if "checked" not in found:
            problem = found["stderr"] or "no answer"
            found.setdefault("seconds", "nan")
        else:
            answer = {"true": "t", "false": "f"}.get(found["answer"])
            if answer is None:
                answer = "unsupported" if found["error"].startswith("unsupported") else "invalid"
            if expected != "any" and answer != expected:
                problem = f"{answer} instead of {expected}: {found['error']}"
            elif (found["valid"] == "t") != (answer != "invalid"):
                problem = f"pattern_valid says {found['valid']}"
            elif float(found["seconds"]) + float(found["checked"]) > SECONDS:
                problem = "too slow"
            elif memory(found) > MEGABYTES:
                problem = "too much memory"
            print(f"{float(found['seconds']) * 1000:9.1f} ms {memory(found):6.1f} MB"
                  f"  {answer:12}{name}")
        if problem:
            failures += 1
            print(f"NOT OK: {name}: {problem}")
    print(f"{len(CASES)} cases, {failures} failures")
    return failures > 0


if __name__ == "__main__":
    sys.exit(main())
