"""Runs revisions on one connection in autocommit: each SQL file begins and ends its own transactions."""

import sys
import time

import sqlalchemy as sa
from alembic import context

config = context.config
url = context.get_x_argument(as_dictionary=True).get("url") or config.get_main_option("sqlalchemy.url")
engine = config.attributes.get("engine") or sa.create_engine(url, poolclass=sa.NullPool)

if context.is_offline_mode():
    sys.exit("these migrations look at what is there: they cannot run offline (--sql); the files themselves can be read")

with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
    driver = connection.connection.driver_connection
    driver.add_notice_handler(lambda notice: print(f"{notice.severity}:  {notice.message_primary}", file=sys.stderr))
    # Only one upgrade runs at a time, so the lock is taken before Alembic
    # reads which revisions were run. Each SQL file takes the same lock, with a
    # short wait (trading_migration.alone). The lock is tried again and again:
    # a session that waits for a lock has a snapshot, for which CREATE INDEX
    # CONCURRENTLY waits in turn.
    for attempt in range(121):
        if driver.execute("SELECT pg_catalog.pg_try_advisory_lock(1414676804, 4)").fetchone()[0]:
            break
        if attempt == 0:
            print("another migration of this database is at work: waiting for a minute", file=sys.stderr)
        time.sleep(0.5)
    else:
        sys.exit("another migration of this database is still at work: try again later")
    context.configure(connection=connection, target_metadata=None, transactional_ddl=False, transaction_per_migration=True)
    context.run_migrations()
