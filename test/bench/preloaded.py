"""pgbench on a server with statistics and on one without, in turns; see run-preloaded.

Each transaction validates one event, so that the counts of each go to shared memory, and
all connections count the same type: the worst case.  Prints transactions a second,
the median of the rounds; the ratio, with its least and greatest value; and which part of
the busy connections was seen waiting for a lock of the statistics.
"""

import argparse
import os
import re
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))

from workloads import BY_NAME, dump  # noqa: E402


def pg(option):
    return subprocess.run([os.environ.get("EV_PG_CONFIG", "pg_config"), option], capture_output=True, text=True, check=True).stdout.strip()


BIN = Path(pg("--bindir"))


def literal(text):
    return "'" + text.replace("'", "''") + "'"


class Server:
    def __init__(self, folder, preloaded):
        self.folder = folder
        folder.mkdir()
        subprocess.run([BIN / "initdb", "-D", folder / "data", "-A", "trust", "-U", "postgres", "-E", "UTF8", "--no-locale", "--no-sync"],
                       check=True, stdout=subprocess.DEVNULL)
        conf = os.environ.get("EV_SERVER_CONF", "")
        library = "$libdir/event_validate" if "extension_destdir" in conf else "event_validate"
        with open(folder / "data" / "postgresql.conf", "a", encoding="utf-8") as file:
            file.write(f"{conf}\nfsync = off\nsynchronous_commit = off\nlisten_addresses = ''\nunix_socket_directories = '{folder}'\nautovacuum = off\n"
                       "max_connections = 200\nshared_buffers = 256MB\nlog_min_messages = fatal\n" + (f"shared_preload_libraries = '{library}'\n" if preloaded else ""))

    def control(self, *arguments):
        subprocess.run([BIN / "pg_ctl", "-D", self.folder / "data", "-w", "-s", *arguments], check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)

    def sql(self, text):
        return subprocess.run([BIN / "psql", "-XqAt", "-h", self.folder, "-U", "postgres", "-v", "ON_ERROR_STOP=1", "-f", "-"], input=text, text=True,
                              capture_output=True, check=True).stdout.strip()

    def tps(self, script, clients, seconds):
        """(transactions a second, [busy connections seen, of these waiting for the statistics])"""
        with subprocess.Popen([BIN / "psql", "-XqAt", "-h", self.folder, "-U", "postgres", "-f", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              text=True) as sampler:
            sampler.stdin.write("SELECT count(*), count(*) FILTER (WHERE wait_event = 'event_validate') FROM pg_stat_activity"
                                " WHERE application_name = 'pgbench' AND state = 'active' \\watch 0.1\n")
            sampler.stdin.close()
            done = subprocess.run([BIN / "pgbench", "-n", "-M", "prepared", "-c", str(clients), "-j", "2", "-T", str(seconds), "-f", script, "-h", self.folder,
                                   "-U", "postgres", "postgres"], capture_output=True, text=True, check=True)
            sampler.terminate()
            lines = re.findall(r"^(\d+)\|(\d+)$", sampler.stdout.read(), re.MULTILINE)
        seen = [sum(int(line[i]) for line in lines) for i in range(2)]
        return float(re.search(r"tps = ([0-9.]+) \(without", done.stdout)[1]), seen


def main():
    parser = argparse.ArgumentParser(description="Measures what statistics cost many connections.")
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--seconds", type=int, default=5, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=7)
    args = parser.parse_args()
    workload = BY_NAME["orders"]
    valid = workload.documents(1)
    wrong = workload.invalid(valid)
    scripts = {
        "a valid event": "SELECT validate_event(data, 'order', 1) FROM valid;",
        "an event that is not valid": "SELECT validate_event(data, 'order', 1) FROM wrong;",
        "INSERT of a valid event, CHECK": "INSERT INTO checked SELECT data FROM valid;",
        "INSERT of a valid event, guard": "INSERT INTO guarded SELECT 'order', 1, data FROM valid;",
        "without a validation": "SELECT data FROM valid;",
    }
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        servers = [Server(folder / "without", False), Server(folder / "with", True)]
        try:
            for server in servers:
                server.control("start", "-l", server.folder / "log")
                server.sql("CREATE EXTENSION event_validate; SELECT register_event_schema('order', 1, " + literal(dump(workload.schema)) + "::text);"
                           f"CREATE TABLE valid AS SELECT {literal(dump(valid[0]))}::jsonb AS data; CREATE TABLE wrong AS SELECT {literal(dump(wrong[0]))}::jsonb AS data;"
                           "CREATE UNLOGGED TABLE checked (data jsonb CHECK (check_event(data, 'order', 1)));"
                           "CREATE UNLOGGED TABLE guarded (event_type text, schema_version int, data jsonb);"
                           "SELECT add_event_guard('guarded', 'enforce')")
            print(f"{args.clients} connections, {args.rounds} rounds of {args.seconds} s, load average {os.getloadavg()[0]:.1f}")
            print(f"{'transactions a second':34} {'without':>9} {'with':>9} {'ratio':>7} {'waiting':>21}")
            for number, (what, script) in enumerate(scripts.items()):
                path = folder / f"{number}.sql"
                path.write_text(script + "\n", encoding="utf-8")
                found = [[], []]
                busy = waiting = 0
                for _ in range(args.rounds):
                    for i, server in enumerate(servers):
                        tps, seen = server.tps(path, args.clients, args.seconds)
                        found[i].append(tps)
                        busy, waiting = busy + seen[0] * i, waiting + seen[1] * i
                    for server in servers:
                        server.sql("TRUNCATE checked, guarded")
                ratios = [b / a for a, b in zip(*found)]
                print(f"{what:34} {statistics.median(found[0]):9.0f} {statistics.median(found[1]):9.0f} {statistics.median(ratios):7.3f}"
                      f"  ({min(ratios):.3f} to {max(ratios):.3f})  {waiting} of {busy}", flush=True)
            counted = servers[1].sql("SELECT sum(valid) > 0 AND sum(invalid) > 0 FROM event_validation_stats WHERE event_type = 'order'")
            if counted != "t":
                raise SystemExit("the statistics counted nothing")
        finally:
            for server in servers:
                server.control("stop", "-m", "immediate")


if __name__ == "__main__":
    main()
