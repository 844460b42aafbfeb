"""EventCheck, the operations and GuardedModel: migrations forth and back, full_clean(), diverted rows."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import django
from checks import ORDER, check
from session import Database

SETTINGS = """
DATABASES = {"default": {"ENGINE": "django.db.backends.postgresql", "NAME": "%s", "HOST": "%s", "PORT": "%s", "USER": "%s"}}
INSTALLED_APPS = ["shop"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
"""
MODELS = """
import uuid
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from event_validate.django import EventCheck, GuardedModel

class Event(GuardedModel):
    kind = models.TextField(db_column="Event: type", null=True)
    schema_version = models.IntegerField()
    data = models.JSONField(blank=True, encoder=DjangoJSONEncoder)
    note = models.TextField(default="50%% off")

    class Meta:
        constraints = [%s]

class Order(GuardedModel):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    data = models.JSONField(blank=True)

    class Meta:
        constraints = [EventCheck(name="order_event_check", constant_type="order:placed", constant_version=1)]
"""
CHECKS = """EventCheck(name="event_check", event_type="kind", types=["order:placed", "it's 5%"])"""
FIRST = """
from django.db import migrations
from event_validate.django import *

SCHEMA = {0!r}
class Migration(migrations.Migration):
    dependencies = [("shop", "0001_initial")]
    operations = [
        RegisterEventSchema("order:placed", 1, SCHEMA), RegisterEventSchema("order:placed", 2, dict(SCHEMA, title="50% :x"), except_formats=["time"]),
        RegisterEventRename("order:placed", 1, 2, {{"qty": "qty2"}}) if False else migrations.RunSQL("CREATE FUNCTION up(jsonb) RETURNS jsonb IMMUTABLE LANGUAGE sql AS 'SELECT $1'", "DROP FUNCTION up(jsonb)"),
        RegisterEventUpcast("order:placed", 1, 2, "up"),
        AddEventCheck("event", EventCheck(name="event_check", event_type="kind", types=["order:placed", "it's 5%"])),
        AddEventGuard("event", "warn", types=["order:placed"]), SetEventGuardMode("event", "quarantine", previous="warn"),
        AddEventGuard("order", "quarantine"),
    ]
"""
SECOND = """
from django.db import migrations
from event_validate.django import *

class Migration(migrations.Migration):
    atomic = False
    dependencies = [("shop", "0002_check")]
    operations = [ValidateEventCheck("event", "event_check"), MigrateEvents("event", "order:placed", 2, data_expr="data", type_expr="Event: type")]
"""
RUN = """
import datetime, decimal, json, uuid
import django
django.setup()
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from event_validate.django import EventDiverted, event_violations, refusal_of
from shop.models import Event, Order

answers = {}
def clean(name, event):
    try:
        event.full_clean()
        answers[name] = "valid"
    except ValidationError as error:
        answers[name] = error.message_dict

clean("valid", Event(kind="order:placed", schema_version=1, data={"qty": 1}))
clean("invalid", Event(kind="order:placed", schema_version=1, data={"qty": 0, "note": "%"}))
clean("encoder", Event(kind="order:placed", schema_version=1, data={"qty": 1, "at": datetime.datetime(2030, 1, 1), "id": uuid.UUID(int=1)}))
clean("another type", Event(kind="else", schema_version=1, data={}))
clean("no version", Event(kind="order:placed", schema_version=7, data={}))
clean("constants", Order(data={}))
try:
    Event(kind="order:placed", schema_version=1, data={"qty": 0}).full_clean(exclude=["data"])
    answers["excluded"] = "valid"
except ValidationError as error:
    answers["excluded"] = str(error)

def stored(name, model, do):
    before = model.objects.count()
    try:
        done = do()
        answers[name] = ["stored", model.objects.count() - before, done.pk is not None, done._state.adding]
    except EventDiverted as error:
        answers[name] = ["diverted", model.objects.count() - before, error.instance.pk is None, error.instance._state.adding]

stored("save", Event, lambda: Event.objects.create(kind="order:placed", schema_version=1, data={"qty": 1}))
stored("save diverted", Event, lambda: Event.objects.create(kind="order:placed", schema_version=1, data={"qty": 0}))
stored("uuid", Order, lambda: Order.objects.create(data={"qty": 5}))
stored("uuid diverted", Order, lambda: Order.objects.create(data={"qty": 0}))
def in_atomic():
    with transaction.atomic():
        try:
            return Event.objects.create(kind="order:placed", schema_version=1, data={"qty": -7})
        except EventDiverted as error:
            caught = error
    raise caught
stored("atomic diverted", Event, in_atomic)
event = Event.objects.create(kind="order:placed", schema_version=1, data={"qty": 3})
event.data = {"qty": 4}
event.save()
answers["update"] = [event.pk is not None, Event.objects.get(pk=event.pk).data]
event.data = {"qty": -1}
try:
    event.save()
except IntegrityError as error:
    found = refusal_of(error)
    answers["update invalid"] = [found.event_type, found.schema_version, [one.location for one in found.violations], found.table]
with connection.cursor() as cursor:
    cursor.execute("SELECT count(*) FROM event_quarantine")
    answers["quarantine"] = cursor.fetchone()[0]
answers["violations"] = [[one.location, one.keyword, one.expected, one.actual] for one in event_violations({"qty": 0}, "order:placed", 1)]
print(json.dumps(answers))
"""


def test_django():
    source = str(Path(__file__).resolve().parents[2] / "clients" / "python" / "src")
    with Database("extras_django") as database, tempfile.TemporaryDirectory() as name:
        folder, shop = Path(name), Path(name) / "shop"
        (shop / "migrations").mkdir(parents=True)
        (shop / "__init__.py").touch()
        (shop / "migrations" / "__init__.py").touch()
        (folder / "settings.py").write_text(SETTINGS % (database.name, *(os.environ.get(name, "") for name in ("PGHOST", "PGPORT", "PGUSER"))), encoding="utf-8")

        def run(*arguments):
            return subprocess.run([sys.executable, *arguments], cwd=folder, capture_output=True, text=True, check=False,
                                  env={**os.environ, "DJANGO_SETTINGS_MODULE": "settings", "PYTHONPATH": f"{folder}:{source}", "PYTHONDONTWRITEBYTECODE": "1"})

        (shop / "models.py").write_text(MODELS % "", encoding="utf-8")
        done = run("-m", "django", "makemigrations", "shop")
        check(done.returncode == 0, "makemigrations writes an EventCheck", done.stderr[-800:])
        text = next(shop.glob("migrations/0001*.py")).read_text(encoding="utf-8")
        check("event_validate.django.EventCheck(constant_type='order:placed', constant_version=1, name='order_event_check')" in text, "by its arguments", text)
        (shop / "models.py").write_text(MODELS % CHECKS, encoding="utf-8")
        (shop / "migrations" / "0002_check.py").write_text(FIRST.format(ORDER), encoding="utf-8")
        (shop / "migrations" / "0003_valid.py").write_text(SECOND, encoding="utf-8")
        done = run("-m", "django", "migrate", "shop", "0002")
        check(done.returncode == 0, "migrate, to 0002", done.stderr[-1500:])
        database.run("SET event_validate.bypass_guard = on; INSERT INTO shop_event (\"Event: type\", schema_version, data, note) VALUES ('order:placed', 1, '{\"qty\": 9}', '')")
        done = run("-m", "django", "migrate")
        check(done.returncode == 0, "migrate", done.stderr[-1500:])
        check(database.run("SELECT schema_version FROM shop_event") == ["2"], "MigrateEvents converts the events")
        found = database.run("SELECT relation::text, kind, name, type_expr, types, mode, validated, problem FROM event_enforcement ORDER BY 1::text COLLATE \"C\", 2 COLLATE \"C\""
                             .replace("1::text", "relation::text").replace("2 COLLATE", "kind COLLATE"))
        check([line.split("|")[:3] for line in found] == [["shop_event", "check", "event_check"], ["shop_event", "guard", "zzz_event_guard"],
                                                          ["shop_order", "check", "order_event_check"], ["shop_order", "guard", "zzz_event_guard"]]
              and all(line.endswith("|") for line in found) and "it's 5%" in found[0] and found[0].endswith("|t|") and "quarantine" in found[1], "checks and guards", found)
        done = run("-m", "django", "makemigrations", "--check", "--dry-run")
        check(done.returncode == 0, "makemigrations --check is clean", done.stdout + done.stderr[-800:])
        done = run("-m", "django", "sqlmigrate", "shop", "0002")
        check(done.returncode == 0 and "SELECT add_event_check(" in done.stdout and "50% :x" in done.stdout, "sqlmigrate", done.stdout + done.stderr[-800:])

        done = run("-c", RUN)
        check(done.returncode == 0, "the models work", done.stderr[-1500:])
        answers = json.loads(done.stdout or "{}")
        missing = '(document): required property "qty" is missing'
        for name, expected in {
                "valid": "valid", "another type": "valid", "excluded": "valid", "encoder": "valid",
                "invalid": {"data": ["/qty: must be >= 1, but is 0", r'/note: must match the pattern ^(?:a:b|%s|\d+|:5)$, but is "%"']},
                "no version": {"data": ['(document): event schema "order:placed" version 7 is not registered']}, "constants": {"data": [missing]},
                "save": ["stored", 1, True, False], "save diverted": ["diverted", 0, True, True], "uuid": ["stored", 1, True, False],
                "uuid diverted": ["diverted", 0, False, True], "atomic diverted": ["diverted", 0, True, True], "update": [True, {"qty": 4}],
                "update invalid": ["order:placed", 1, ["/qty"], "shop_event"], "quarantine": 3, "violations": [["/qty", "minimum", 1, 0]]}.items():
            check(answers.get(name) == expected, f"Django: {name}", answers.get(name))

        database.run("TRUNCATE shop_event, shop_order")
        done = run("-m", "django", "migrate", "shop", "zero")
        check(done.returncode == 0 and database.run("SELECT count(*) FROM event_schemas") == ["0"], "and back to zero", done.stderr[-1500:])
        # the constraint, made by Django itself
        text = next(shop.glob("migrations/0001*.py"))
        for other in shop.glob("migrations/0*.py"):
            other.unlink()
        done = run("-m", "django", "makemigrations", "shop")
        done = run("-m", "django", "migrate")
        found = database.run("SELECT name, types, problem FROM event_enforcement ORDER BY name")
        percent = "%" if django.VERSION >= (5, 1) else "%%"
        check(done.returncode == 0 and found == [f"event_check|{{order:placed,\"it's 5{percent}\"}}|", "order_event_check||"], "EventCheck is a constraint by itself", (found, done.stderr[-800:]))
