"""What the first validation of a session costs; see run-preloaded.

Three servers take turns: one loads the library when it starts (shared_preload_libraries),
one when a session starts (session_preload_libraries), one with the first call of a session.
For each schema, many sessions call an unrelated function, then validate_event twice.
Prints the processor time of the session's process in microseconds, from its start to the
first call, of the first and of the second call: the median of the sessions, and the least.
"""

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))

from preloaded import BIN, Server, literal  # noqa: E402
from workloads import BY_NAME, dump  # noqa: E402

EVENTS = Path(__file__).resolve().parents[2] / "examples/trading/extension/events"

# an empty object costs nothing to match, so that the call is all that is measured
SESSION = r"""
SELECT pg_backend_pid() AS pid \gset
SELECT lower('A'), jsonb '{{}}' \g /dev/null
\set before `cut -d' ' -f1 /proc/:pid/schedstat`
{first}
\set first `cut -d' ' -f1 /proc/:pid/schedstat`
{first}
\set second `cut -d' ' -f1 /proc/:pid/schedstat`
\echo :before :first :second
"""


def flat(count):
    """A schema of so many properties."""
    return json.dumps({"type": "object", "properties": {f"property_{i}": {"type": "string", "maxLength": 40} for i in range(count)}})


def schemas():
    """(type, version, text, what it is); None: not measured."""
    yield "smallest", 1, '{"type": "object"}', "the smallest schema"
    yield "order", 1, dump(BY_NAME["orders"].schema), "an order event, 12 properties"
    for name, what in {"trading.common": None, "discord.common": None, "discord.message.create": "a Discord message, which refers to 23 kB"}.items():
        yield name, 2, (EVENTS / f"{name}@2.json").read_text(encoding="utf-8"), what
    yield "flat", 1, flat(1000), "1,000 properties, 53 kB"
    yield "flat", 2, flat(10000), "10,000 properties, 540 kB"


def session(server, statement):
    """Processor time, in microseconds: [until the first call, of the first call, of the second one]."""
    output = server.sql(SESSION.format(first=statement))
    before, first, second = (int(number) for number in re.findall(r"^(\d+) (\d+) (\d+)$", output, re.MULTILINE)[0])
    return [before / 1000, (first - before) / 1000, (second - first) / 1000]


def shown(values):
    return f"{statistics.median(values):9,.0f} {min(values):7,.0f}"


def main():
    parser = argparse.ArgumentParser(description="Measures what the first validation of a session costs.")
    parser.add_argument("--sessions", type=int, default=25)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        servers = {"first call": Server(folder / "without", False), "session": Server(folder / "session", False),
                   "server": Server(folder / "with", True)}
        try:
            for server in servers.values():
                server.control("start", "-l", server.folder / "log")
                server.sql("CREATE EXTENSION event_validate;" + "".join(
                    f"SELECT register_event_schema('{name}', {version}, {literal(text)}::text);" for name, version, text, _ in schemas()))
            servers["session"].sql("ALTER SYSTEM SET session_preload_libraries = '$libdir/event_validate'")
            servers["session"].control("reload")
            print(f"{args.sessions} sessions each, microseconds of processor time, median and least; load average {os.getloadavg()[0]:.1f}")
            print(f"{'':42} {'loaded by':12} {'before':>17} {'first call':>17} {'second call':>17}")
            for name, version, _, what in schemas():
                if what is None:
                    continue
                found = {loaded: [] for loaded in servers}
                for _ in range(args.sessions):
                    for loaded, server in servers.items():
                        found[loaded].append(session(server, f"SELECT validate_event('{{}}', '{name}', {version}) \\g /dev/null"))
                for loaded, rows in found.items():
                    print(f"{what:42} {loaded:12} " + " ".join(shown(column) for column in zip(*rows)), flush=True)
        finally:
            for server in servers.values():
                subprocess.run([BIN / "pg_ctl", "-D", server.folder / "data", "-w", "-s", "stop", "-m", "immediate"], check=False)


if __name__ == "__main__":
    main()
