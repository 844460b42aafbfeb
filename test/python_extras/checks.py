"""Counts of the checks, and what the tests share."""

import os

passed = failed = 0

ORDER = {"type": "object", "required": ["qty"], "properties": {"qty": {"type": "integer", "minimum": 1}, "note": {"type": "string", "pattern": r"^(?:a:b|%s|\d+|:5)$"}}}


def check(ok, what, detail=""):
    global passed, failed
    if ok:
        passed += 1
    else:
        failed += 1
        print(f"FAILED  {what} -- {detail}", flush=True)


def url(database, driver):
    """The URL of a database for SQLAlchemy."""
    host, port, user = (os.environ.get(name, default) for name, default in (("PGHOST", "localhost"), ("PGPORT", "5432"), ("PGUSER", "postgres")))
    return f"postgresql+{driver}://{user}@/{database.name}?host={host}&port={port}"


def raised(do, *kinds):
    """The error that this raises."""
    try:
        do()
    except kinds as error:
        return error
    return None
