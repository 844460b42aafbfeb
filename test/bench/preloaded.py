"""pgbench on a server with statistics and on one without, in turns; see run-preloaded.

Each transaction validates one event, so that the counts of each go to shared memory, and
all connections count the same type: the worst case.  Two measures, each as with / without:
the processor time that the server takes for a transaction of one connection, without what the
connection itself takes, which depends little on what else the machine does; and the transactions a
second of all connections.  For each, the median of the rounds and the middle half of them.  The
turns are short, and in each round the other server begins, so that a load that comes and goes hits
both.  A last turn with statistics shows which part of the busy connections waits for a lock of theirs.

With --instructions the statements run in a single-user backend under callgrind (valgrind), and the
processor's instructions are counted: these do not depend on the machine's load.
"""

import argparse
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))

from workloads import BY_NAME, dump  # noqa: E402


def pg(option):
    return subprocess.run([os.environ.get("EV_PG_CONFIG", "pg_config"), option], capture_output=True, text=True, check=True).stdout.strip()


BIN = Path(pg("--bindir"))


# of one connection, for the processor time
TRANSACTIONS = 20000


# transactions under callgrind; the difference counts
COUNTED = (200, 600)


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

    def processor_time(self):
        """Seconds that the server's ended processes took."""
        fields = Path(f"/proc/{self.pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
        return (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")

    def pgbench(self, script, clients, *length):
        """(transactions a second, seconds of processor time)"""
        before = self.processor_time()
        done = subprocess.run([BIN / "pgbench", "-n", "-M", "prepared", "-c", str(clients), "-j", "2", *length, "-f", script, "-h", self.folder,
                               "-U", "postgres", "postgres"], capture_output=True, text=True, check=True)
        while self.sql("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pgbench'") != "0":
            time.sleep(0.01)
        return float(re.search(r"tps = ([0-9.]+) \(without", done.stdout)[1]), self.processor_time() - before

    def turn(self, script, clients, seconds):
        """(microseconds of processor time of a transaction, transactions a second)"""
        connection = self.pgbench(script, 1, "-t", "1")[1]
        processor = self.pgbench(script, 1, "-t", str(TRANSACTIONS + 1))[1]
        return 1e6 * (processor - connection) / TRANSACTIONS, self.pgbench(script, clients, "-T", str(seconds))[0]

    def waiting(self, script, clients, seconds):
        """[busy connections seen, of these waiting for the statistics]"""
        with subprocess.Popen([BIN / "psql", "-XqAt", "-h", self.folder, "-U", "postgres", "-f", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              text=True) as sampler:
            sampler.stdin.write("SELECT count(*), count(*) FILTER (WHERE wait_event = 'event_validate') FROM pg_stat_activity"
                                " WHERE application_name = 'pgbench' AND state = 'active' \\watch 0.05\n")
            sampler.stdin.close()
            self.pgbench(script, clients, "-T", str(seconds))
            sampler.terminate()
            lines = re.findall(r"^(\d+)\|(\d+)$", sampler.stdout.read(), re.MULTILINE)
        return [sum(int(line[i]) for line in lines) for i in range(2)]


def instructions(server, statement):
    """Instructions that a single-user backend runs for a statement, by callgrind."""
    totals = []
    for number in COUNTED:
        file = server.folder / "callgrind"
        subprocess.run(["valgrind", "--tool=callgrind", f"--callgrind-out-file={file}", BIN / "postgres", "--single", "-D", server.folder / "data", "postgres"],
                       input=f"PREPARE p AS {statement}\n" + "EXECUTE p;\n" * number, text=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
        totals.append(int(re.search(r"^(?:totals|summary): (\d+)", file.read_text(encoding="utf-8"), re.MULTILINE)[1]))
    return (totals[1] - totals[0]) / (COUNTED[1] - COUNTED[0])


def count_instructions(servers, scripts):
    """The same statements, of which each is a transaction: a number that is the same on each machine and under each load."""
    print(f"\n{'instructions of a transaction':32} {'without':>10} {'with':>10} {'ratio':>8}")
    for what, script in scripts.items():
        without, counted = (instructions(server, script) for server in servers)
        print(f"{what:32} {without:10.0f} {counted:10.0f} {counted / without:8.3f}", flush=True)


def middle(ratios):
    """The median and the middle half, as text."""
    low, median, high = statistics.quantiles(ratios, n=4) if len(ratios) > 1 else ratios * 3
    return f"{median:.3f} ({low:.3f} to {high:.3f})"


def main():
    parser = argparse.ArgumentParser(description="Measures what statistics cost many connections.")
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--seconds", type=int, default=2, help="of each turn")
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--instructions", action="store_true", help="count instructions only, by valgrind")
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
                server.pid = int((server.folder / "data" / "postmaster.pid").read_text(encoding="utf-8").split()[0])
                server.sql("CREATE EXTENSION event_validate; SELECT register_event_schema('order', 1, " + literal(dump(workload.schema)) + "::text);"
                           f"CREATE TABLE valid AS SELECT {literal(dump(valid[0]))}::jsonb AS data; CREATE TABLE wrong AS SELECT {literal(dump(wrong[0]))}::jsonb AS data;"
                           "CREATE UNLOGGED TABLE checked (data jsonb CHECK (check_event(data, 'order', 1)));"
                           "CREATE UNLOGGED TABLE guarded (event_type text, schema_version int, data jsonb);"
                           "SELECT add_event_guard('guarded', 'enforce')")
            if args.instructions:
                for server in servers:
                    server.sql("VACUUM ANALYZE valid; VACUUM ANALYZE wrong")
                    server.control("stop")
                count_instructions(servers, scripts)
                return
            print(f"{args.clients} connections, {args.rounds} rounds of {args.seconds} s, load average {os.getloadavg()[0]:.1f}")
            print(f"{'with / without statistics':32} {'µs without':>10} {'processor time':>24} {'transactions a second':>24} {'waiting':>12}")
            for number, (what, script) in enumerate(scripts.items()):
                path = folder / f"{number}.sql"
                path.write_text(script + "\n", encoding="utf-8")
                found = [[], []]
                for turn in range(args.rounds):
                    for i in (0, 1) if turn % 2 == 0 else (1, 0):
                        found[i].append(servers[i].turn(path, args.clients, args.seconds))
                        servers[i].sql("TRUNCATE checked, guarded")
                busy, waiting = servers[1].waiting(path, args.clients, args.seconds)
                ratios = [[b[measure] / a[measure] for a, b in zip(*found)] for measure in range(2)]
                print(f"{what:32} {statistics.median(a[0] for a in found[0]):10.1f} {middle(ratios[0]):>24} {middle(ratios[1]):>24}"
                      f" {f'{waiting} of {busy}':>12}", flush=True)
            counted = servers[1].sql("SELECT sum(valid) > 0 AND sum(invalid) > 0 FROM event_validation_stats WHERE event_type = 'order'")
            if counted != "t":
                raise SystemExit("the statistics counted nothing")
        finally:
            for server in servers:
                if (server.folder / "data" / "postmaster.pid").exists():
                    server.control("stop", "-m", "immediate")


if __name__ == "__main__":
    main()
