"""The one loader of all revisions: a change of ../migrations/sqitch.plan is a revision.

Every file in versions/ has the same line; its name is the name of the change.  The
plan defines the order.  A change runs as in psql: one statement after the other in
autocommit, so that BEGIN and COMMIT in the file, CREATE INDEX CONCURRENTLY, and
procedures that commit work.  PostgreSQL's own parser (pglast) splits the file into
statements.
"""

from pathlib import Path

import pglast
from alembic import op

MIGRATIONS = Path(__file__).resolve().parent.parent / "migrations"


def changes():
    """The names of the changes, in the plan's order."""
    lines = (MIGRATIONS / "sqitch.plan").read_text(encoding="utf-8").splitlines()
    return [line.split()[0] for line in lines if line.strip() and not line.startswith(("%", "@", "#"))]


def identifier(change):
    """Alembic allows no hyphen: 4.1.0_constraints."""
    return change.replace("-", "_")


def statements(folder, change):
    return pglast.split((MIGRATIONS / folder / f"{change}.sql").read_text(encoding="utf-8"))


def run(folder, change):
    """On the driver's connection: nothing between the file and the server reads the text."""
    connection = op.get_bind().connection.driver_connection
    try:
        for statement in statements(folder, change):
            connection.execute(statement, prepare=False)
    finally:
        # a file that failed in a transaction of its own leaves none behind
        if connection.info.transaction_status:
            connection.execute("ROLLBACK")
        connection.execute("RESET ALL")


def revision(file):
    """What Alembic looks for in a revision's module."""
    names = changes()
    change = Path(file).stem
    place = names.index(change)

    def upgrade():
        run("deploy", change)
        run("verify", change)

    def downgrade():
        run("revert", change)

    return {"revision": identifier(change), "down_revision": identifier(names[place - 1]) if place else None, "branch_labels": None, "depends_on": None,
            "upgrade": upgrade, "downgrade": downgrade, "__doc__": change}
