"""The package itself: a wheel is built, installed into an empty environment, and its command run."""

import os
import re
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

from command import check
from session import Database

CLIENT = Path(__file__).resolve().parents[2] / "clients" / "python"


def run(*arguments, **environment):
    return subprocess.run([str(argument) for argument in arguments], capture_output=True, text=True, check=False, timeout=120,
                          stdin=subprocess.DEVNULL, env={**{name: value for name, value in os.environ.items() if name != "PYTHONPATH"}, **environment})


def test_wheel():
    folder = Path.cwd() / "wheel"
    done = run(sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check", "--no-deps", "--no-index", "--no-build-isolation",
               "--wheel-dir", folder, CLIENT)
    wheels = list(folder.glob("event_validate-*.whl"))
    check(done.returncode == 0 and len(wheels) == 1, "a wheel is built", done.stderr[-800:])
    with zipfile.ZipFile(wheels[0]) as wheel:
        names = set(wheel.namelist())
        metadata = wheel.read(next(name for name in names if name.endswith("/METADATA"))).decode()
    sources = {str(path.relative_to(CLIENT / "src")) for path in (CLIENT / "src").rglob("*") if path.is_file() and "__pycache__" not in path.parts}
    check(sources <= names and any(name.endswith("LICENSE") for name in names), "it has all files", sources - names)
    check({"sqlalchemy", "alembic", "django", "pydantic"} <= set(re.findall("^Provides-Extra: (.*)$", metadata, re.MULTILINE)), "and the extras", metadata)

    environment = folder / "environment"
    done = run(sys.executable, "-m", "venv", "--without-pip", environment)
    done = run(sys.executable, "-m", "pip", "--python", environment / "bin" / "python", "install", "--quiet", "--disable-pip-version-check",
               "--no-deps", "--no-index", wheels[0])
    check(done.returncode == 0, "it is installed", done.stderr[-800:])
    program = environment / "bin" / "event-schemas"
    done = run(program, "--version")
    check(done.returncode != 0 and "click" in done.stderr, "without what it needs, it does not run", done.stderr)
    # click and psycopg are those of this environment, which does not have the package
    packages = sysconfig.get_paths()["purelib"]
    version = re.search("^Version: (.*)$", metadata, re.MULTILINE)[1]
    done = run(program, "--version", PYTHONPATH=packages)
    check(done.returncode == 0 and version in done.stdout, "its command runs", done.stdout + done.stderr)
    schemas = folder / "schemas"
    schemas.mkdir()
    (schemas / "order.placed@1.json").write_text('{"type": "object", "required": ["qty"], "properties": {"qty": {"type": "integer"}}}', encoding="utf-8")
    with Database("wheel") as database:
        done = run(program, "check", schemas, PYTHONPATH=packages, PGDATABASE=database.name)
    check(done.returncode == 0, "and checks schemas", done.stdout + done.stderr)
