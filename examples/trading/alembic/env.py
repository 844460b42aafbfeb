"""Runs revisions on one connection in autocommit: each SQL file says itself where a transaction begins and ends."""

import sys

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
    context.configure(connection=connection, target_metadata=None, transactional_ddl=False, transaction_per_migration=True)
    context.run_migrations()
