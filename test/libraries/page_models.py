"""The model of docs/how-to/libraries.md, which the program gets as its first argument, and
what the page says of Pydantic: prints schemas, and documents that Pydantic writes with
what the database must answer."""

import json
import re
import sys
from datetime import datetime, time, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError, computed_field

block = next(block for block in re.findall(r"^```python\n(.*?)^```$", Path(sys.argv[1]).read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL) if "class Order" in block)
page = {"__name__": "page"}
exec(compile(block, "libraries.md", "exec"), page)  # noqa: S102
Order = page["Order"]


def put(name, schema, cases):
    print(json.dumps({"name": f"pydantic.page.{name}", "schema": schema, "cases": cases}))


def written(model, **values):
    return model(**values).model_dump_json()


# ---------- the model of the page: whatever it writes is valid ----------

NOW = datetime(2031, 7, 9, 8, 15, 30, 5, timezone.utc)
cases = [(written(Order, placed_at=NOW, opens=opens, valid_for=took, price=price, qty=qty), True)
         for opens in (time(8, 15), time(23, 59, 59, 1)) for took in (timedelta(hours=-1.5), timedelta(days=400, microseconds=1), timedelta())
         for price in ("1.50", "-3", "9999999999.99") for qty in (0, 1)]
good = json.loads(cases[0][0])
cases += [(json.dumps({**good, **change}), False) for change in (
    {"price": "x"}, {"price": "1.234"}, {"price": 1.5}, {"total": "x"}, {"opens": "8"}, {"placed_at": "2031-07-09T08:15:30"}, {"valid_for": "PT1S"}, {"more": 1})]
cases.append((json.dumps({name: value for name, value in good.items() if name != "total"}), False))
put("order", page["schema"], cases)
for values in ({"placed_at": NOW.replace(tzinfo=None)}, {"weight": float("nan")}):
    try:
        Order(**{"placed_at": NOW, "opens": time(8), "valid_for": timedelta(), "price": "1", **values})
        raise AssertionError(f"the model takes {values}")
    except ValidationError:
        pass
try:
    Order.model_validate(good)
    raise AssertionError("the model reads its computed field")
except ValidationError:
    Order.model_validate(good, extra="ignore")


# ---------- what Pydantic writes otherwise ----------


class Plain(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Took(Plain):
    took: timedelta


class At(Plain):
    at: datetime


class Opens(Plain):
    opens: time


class Price(Plain):
    price: Annotated[Decimal, Field(max_digits=12, decimal_places=2, ge=0)]


class Ratio(Plain):
    ratio: float


class Total(Plain):
    price: int

    @computed_field
    @property
    def total(self) -> int:
        return 2 * self.price


for name, model, field, values, stored in (
        ("took", Took, "took", (timedelta(seconds=1.5), timedelta(hours=-1), timedelta(days=400, hours=3)), (False, False, False)),
        ("took.whole", Took, "took", (timedelta(days=1, hours=2), timedelta(0)), (True, True)),
        ("at", At, "at", (datetime(2031, 7, 9, 8, 15), NOW), (False, True)),
        ("opens", Opens, "opens", (time(8, 15), time(8, 15, tzinfo=timezone.utc)), (False, True)),
        ("ratio", Ratio, "ratio", (float("nan"), 0.5), (False, True))):
    put(name, model.model_json_schema(mode="serialization"), [(written(model, **{field: value}), answer) for value, answer in zip(values, stored)])
assert json.loads(written(Took, took=timedelta(days=400, hours=3)))["took"] == "P1Y35DT3H"

schema = Price.model_json_schema(mode="serialization")
assert {**schema["properties"]["price"], "title": ""} == {"type": "string", "title": ""}, schema
put("price", schema, [(written(Price, price="1.50"), True), ('{"price": "x"}', True), ('{"price": 1.5}', False)])

both = written(Total, price=3)
put("total.serialization", Total.model_json_schema(mode="serialization"), [(both, True), ('{"price": 3}', False)])
put("total.validation", Total.model_json_schema(mode="validation"), [(both, False), ('{"price": 3}', True)])
assert Total.model_json_schema(mode="serialization")["properties"]["total"]["readOnly"] is True
