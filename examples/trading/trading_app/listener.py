"""usage: python -m trading_app.listener CONSUMER [--handler MODULE:FUNCTION] ...

Reads the event bus as CONSUMER and passes each event to FUNCTION(event,
connection); without a handler it prints a line of JSON for each.  Connects like
psql, by the PG... variables or --dsn.  Stops cleanly on SIGTERM and SIGINT.
"""

import argparse
import importlib
import json
import logging
import signal
import sys

from .bus import Listener


def print_event(event, _connection):
    print(json.dumps({
        "position": event.position, "table": event.relation, "id": event.id, "type": event.event_type,
        "version": event.schema_version, "event_id": str(event.event_id),
        "correlation_id": event.correlation_id and str(event.correlation_id),
        "causation_id": event.causation_id and str(event.causation_id),
        "recorded_at": event.recorded_at.isoformat(), "data": event.data}), flush=True)


def find(name):
    module, _, function = name.partition(":")
    return getattr(importlib.import_module(module), function)


def versions(text):
    name, _, version = text.rpartition("=")
    return name, int(version)


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="python -m trading_app.listener", description="Reads the event bus.")
    parser.add_argument("consumer", help="its name; the database keeps under it how far it has read")
    parser.add_argument("--handler", metavar="MODULE:FUNCTION", help="gets each event (default: prints it)")
    parser.add_argument("--dsn", default="", help="a connection string (default: the PG... variables)")
    parser.add_argument("--start", choices=["start", "end"], default="end", help="where a new consumer starts")
    parser.add_argument("--table", action="append", help="a table that a new consumer reads (default: all)")
    parser.add_argument("--type", action="append", help="an event type that a new consumer reads (default: all)")
    parser.add_argument("--version", action="append", type=versions, metavar="TYPE=VERSION",
                        help="read a type in this version (default: the latest)")
    parser.add_argument("--batch", type=int, default=500, help="events in a transaction")
    parser.add_argument("--poll", type=float, default=5.0, help="seconds after which to look without a notification")
    parser.add_argument("--attempts", type=int, default=3, help="tries before an event becomes a dead letter")
    parser.add_argument("--pause", type=float, default=0.5, help="seconds before the second try")
    parser.add_argument("--retry-dead-letters", action="store_true", help="try the dead letters again, then end")
    options = parser.parse_args(arguments)

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    listener = Listener(options.dsn, options.consumer, find(options.handler) if options.handler else print_event,
                        start=options.start, relations=options.table, event_types=options.type,
                        versions=dict(options.version) if options.version else None, batch=options.batch,
                        poll=options.poll, attempts=options.attempts, pause=options.pause)
    if options.retry_dead_letters:
        resolved, failed = listener.retry_dead_letters()
        print(f"{resolved} resolved, {failed} failed")
        return int(failed > 0)
    signal.signal(signal.SIGTERM, listener.stop)
    signal.signal(signal.SIGINT, listener.stop)
    listener.run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
