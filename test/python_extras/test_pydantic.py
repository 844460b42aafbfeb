"""event_schema accepts what event_document writes: values at random, for each trap, and refuses others."""

import json
import random
import re
import sys
import types
import uuid
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum
from ipaddress import IPv4Network
from pathlib import Path
from typing import Annotated, Any, Literal, Union

import psycopg
from checks import check
from pydantic import AwareDatetime, BaseModel, ConfigDict, Discriminator, Field, NaiveDatetime, Tag, computed_field
from session import Database

from event_validate.pydantic import event_document, event_schema


class Side(Enum):
    BUY = "buy"
    SELL = "sell"


class Plain(BaseModel):
    model_config = ConfigDict(extra="forbid")
    amount: Decimal
    price: Annotated[Decimal, Field(max_digits=12, decimal_places=2)]
    digits: Annotated[Decimal, Field(max_digits=6)]
    places: Annotated[Decimal, Field(decimal_places=3)]
    small: Annotated[Decimal, Field(max_digits=3, decimal_places=3)]
    odd: Annotated[Decimal, Field(allow_inf_nan=True)]
    lasts: timedelta
    at: datetime
    aware: AwareDatetime
    naive: NaiveDatetime
    opens: time
    day: date
    weight: float
    bounded: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 1.0
    side: Side = Side.BUY
    ident: uuid.UUID
    net: IPv4Network | None = None
    path: Path | None = None
    tags: set[str] = set()
    pair: tuple[int, str] = (1, "x")
    by_number: dict[int, Decimal] = {}
    raw: bytes = b"x"

    @computed_field
    @property
    def total(self) -> Decimal:
        return self.price * 2


class Floats(BaseModel):
    model_config = ConfigDict(ser_json_timedelta="float", ser_json_inf_nan="strings")
    lasts: timedelta
    weight: float


class Aliased(BaseModel):
    order_id: int = Field(alias="orderId")


class AliasedByDefault(Aliased):
    model_config = ConfigDict(serialize_by_alias=True)


class Cat(BaseModel):
    kind: Literal["cat"] = "cat"
    lives: int


class Dog(BaseModel):
    kind: Literal["dog"] = "dog"
    friend: "Animal | None" = None


Animal = Annotated[Union[Cat, Dog], Field(discriminator="kind")]
Dog.model_rebuild()


class Small(BaseModel):
    size: int


class Large(BaseModel):
    size: int
    more: int | None = None


class Kennel(BaseModel):
    animal: Animal
    other: Annotated[Union[Annotated[Small, Tag("s")], Annotated[Large, Tag("l")]], Discriminator(lambda value: "l" if isinstance(value, Large) or "more" in value else "s")]


def a_decimal(chosen: random.Random, digits: int, places: int) -> Decimal:
    whole = digits - places
    return Decimal(chosen.choice(["", "-"]) + str(chosen.randint(0, 10 ** chosen.randint(0, whole) - 1)) + "." + str(chosen.randint(0, 10 ** places - 1)).zfill(places)) * 1


def plain(chosen: random.Random) -> Plain:
    moment = datetime(chosen.choice([1, 999, 1970, 2024, 9999]), chosen.randint(1, 12), chosen.randint(1, 28), chosen.randint(0, 23), 59, 59, chosen.choice([0, 5, 120000]))
    zone = timezone(timedelta(minutes=chosen.choice([0, 330, -720, 840])))
    return Plain(
        amount=chosen.choice([Decimal("1E+30"), Decimal("0E-12"), Decimal("-1.5E-9"), Decimal("-0"), Decimal(chosen.randint(-10**20, 10**20)), a_decimal(chosen, 30, 12)]),
        price=chosen.choice([Decimal("1E+3"), Decimal("0.00"), a_decimal(chosen, 12, 2)]), digits=chosen.choice([Decimal("1.23456"), Decimal("123456"), Decimal("1E+5"), Decimal("0.00001")]),
        places=a_decimal(chosen, 20, 3), small=Decimal(chosen.choice(["0.123", "0.1", "-0.001", "0.000"])), odd=Decimal(chosen.choice(["NaN", "sNaN", "Infinity", "-Infinity", "1.5", "1E+3"])),
        lasts=chosen.choice([timedelta(0), timedelta(microseconds=1), timedelta(seconds=-1.5), timedelta(days=400, hours=3), timedelta(days=-1, seconds=1), timedelta(weeks=1),
                             timedelta(seconds=chosen.uniform(-10**9, 10**9)), timedelta.max, timedelta.min]),
        at=chosen.choice([moment, moment.replace(tzinfo=zone)]), aware=moment.replace(tzinfo=zone), naive=moment, opens=chosen.choice([moment.time(), moment.timetz().replace(tzinfo=timezone.utc)]),
        day=moment.date(), weight=chosen.choice([1.5, float("nan"), float("inf"), -1e300, 5e-324]), side=chosen.choice(list(Side)), ident=uuid.UUID(int=chosen.getrandbits(128)),
        net=IPv4Network("10.0.0.0/8"), path=Path("/tmp"), tags={"a", "b"}, by_number={1: Decimal("1.5")})


def test_pydantic():
    with Database("extras_pydantic") as database, psycopg.connect(dbname=database.name, autocommit=True) as client:
        warned: list[Any] = []
        client.add_notice_handler(lambda diagnostic: warned.append(diagnostic.message_primary) if diagnostic.severity == "WARNING" else None)

        def register(name, model, **options):
            client.execute("SELECT register_event_schema(%s, 1, %s::text)", [name, json.dumps(event_schema(model, **options))])

        def violations(name, document):
            return client.execute("SELECT instance_location, message FROM event_violations(%s::jsonb, %s, 1)", [json.dumps(document), name]).fetchall()

        register("plain", Plain)
        chosen = random.Random(11)
        wrong = []
        for _ in range(400):
            document = event_document(plain(chosen))
            wrong += [(found, document) for found in violations("plain", document)]
        check(wrong == [], "documents of a model are valid", wrong[:2])
        good = event_document(plain(random.Random(1)))
        for change in ({"price": "1.234"}, {"price": "12345678901"}, {"price": "x"}, {"price": 1}, {"amount": "1,5"}, {"amount": ""}, {"odd": "nan?"}, {"lasts": "1s"}, {"at": "2024-01-01"},
                       {"aware": "2024-01-01T00:00:00"}, {"naive": "2024-01-01T00:00:00Z"}, {"opens": "9:00"}, {"weight": "1"}, {"bounded": None}, {"side": "hold"}, {"pair": [1]}, {"unknown": 1},
                       {"small": "0.1234"}, {"digits": "1234567"}):
            check(violations("plain", {**good, **change}) != [], f"another value is refused: {change}", good)
        check(violations("plain", {key: value for key, value in good.items() if key != "total"}) != [], "computed fields are required")
        register("floats", Floats)
        for weight in (1.0, float("nan"), float("-inf")):
            found = violations("floats", event_document(Floats(lasts=timedelta(seconds=-1.5), weight=weight)))
            check(found == [], "durations as numbers, infinity as a string", found)
        for number, (model, options, key) in enumerate(((Aliased, {}, "order_id"), (Aliased, {"by_alias": True}, "orderId"), (AliasedByDefault, {}, "orderId"))):
            register(f"alias{number}", model, **options)
            document = event_document(model(orderId=1), **options)
            check(list(document) == [key] and violations(f"alias{number}", document) == [] and violations(f"alias{number}", {}) != [], f"names are those of the documents: {key}", document)
        register("kennel", Kennel)
        for animal in (Cat(lives=9), Dog(), Dog(friend=Dog(friend=Cat(lives=1)))):
            for other in (Small(size=1), Large(size=1), Large(size=1, more=2)):
                found = violations("kennel", event_document(Kennel(animal=animal, other=other)))
                check(found == [], "discriminated unions", (animal, other, found))
        found = violations("kennel", {"animal": {"kind": "cow"}, "other": {"size": 1}})
        check(len(found) == 1 and found[0][0] == "/animal", "an unknown tag is named", found)
        register("list", list[Plain])
        check(violations("list", [good]) == [] and violations("list", [good, 1]) != [], "any type that Pydantic knows")
        text = (Path(__file__).resolve().parents[2] / "docs" / "how-to" / "libraries.md").read_text(encoding="utf-8")
        block = next(block for block in re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL) if "event_schema(Order)" in block)
        module = types.ModuleType("page")
        sys.modules["page"] = module
        exec(block, module.__dict__)  # noqa: S102
        register("page", module.Order)
        order = module.Order(placed_at=datetime(2030, 1, 1), opens=time(9), valid_for=timedelta(seconds=-1.5), price=Decimal("1.5"), weight=float("nan"))
        check(violations("page", module.event_document(order)) == [], "the model of the page", module.event_document(order))
        check(violations("page", {**module.event_document(order), "price": "1.555"}) != [], "its schema refuses others")
        check(warned == [], "no schema has a warning", warned)
