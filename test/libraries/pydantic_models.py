"""Pydantic's models of the cases: prints the schema of each, and for each
document whether the model accepts it."""

import json
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Annotated, Literal, Optional, Union
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, ValidationError, conint, conlist, constr
from pydantic.types import AwareDatetime

from cases import documents


class Side(str, Enum):
    BUY = "buy"
    SELL = "sell"


class Order(BaseModel):
    """an order"""
    model_config = ConfigDict(extra="forbid")

    id: UUID
    symbol: constr(pattern=r"^[A-Z.]{1,8}$")
    qty: conint(gt=0, le=1_000_000) = Field(description="how many", examples=[100])
    price: Optional[Annotated[float, Field(ge=0, title="the price")]] = None
    side: Side
    tif: Literal["day", "gtc"] = "day"
    placed_at: AwareDatetime
    settle: date
    note: str | None = None
    tags: Annotated[list[Annotated[str, Field(max_length=3)]], Field(max_length=3)] = []
    active: bool = Field(True, deprecated=True)


class Account(BaseModel):
    no: int


class Party(BaseModel):
    name: constr(min_length=1)
    accounts: list[Account]


class Parties(BaseModel):
    buyer: Party
    seller: Party


class Cash(BaseModel):
    kind: Literal["cash"]
    amount: float = Field(ge=0)


class Stock(BaseModel):
    kind: Literal["stock"]
    symbol: constr(min_length=1)
    shares: conint(gt=0)


class Trade(BaseModel):
    parties: Parties
    legs: conlist(Annotated[Union[Cash, Stock], Field(discriminator="kind")], min_length=1)
    venue: dict[str, float]


class Tree(BaseModel):
    value: int
    children: list["Tree"]


class Limits(BaseModel):
    short: constr(min_length=2, max_length=5)
    ratio: Annotated[float, Field(ge=0, lt=1)]
    step: conint(multiple_of=5)
    pair: tuple[str, int]
    codes: dict[str, int]
    literal: Literal["v1", "v2"]
    either: Union[int, str]
    maybe: Optional[int]


class Naive(BaseModel):
    """forms beyond RFC 3339 and decimal notation are Pydantic's own"""
    at: datetime
    amount: Annotated[Decimal, Field(max_digits=12, decimal_places=2)]
    any_amount: Decimal


MODELS = {"order": Order, "trade": Trade, "tree": Tree, "limits": Limits}


def takes(model, text):
    """As JSON, strictly: Pydantic's lax mode turns strings into numbers, which no schema says."""
    try:
        model.model_validate_json(text, strict=True)
        return True
    except ValidationError:
        return False


for name, model in MODELS.items():
    for mode in ("validation", "serialization"):
        schema = model.model_json_schema(mode=mode)
        cases = [(text, takes(model, text)) for text in documents(name)] if mode == "validation" else []
        print(json.dumps({"name": f"pydantic.{name}.{mode}", "schema": schema, "cases": cases}))

naive = []
for at, amount, any_amount, good in [
        ("2031-07-09T08:15:30Z", "12.50", 3.5, True), ("2031-07-09T08:15:30+01:00", 12.5, "0.000001", True),
        ("2031-07-09T08:15:30Z", 0, "-5", True), ("2031-07-09T08:15:30Z", "x", 1, False),
        ("2031-07-09T08:15:30Z", "1", "1.2.3", False), ("2031-07-09T08:15:30Z", None, 1, False), ("nothing", 1, 1, False),
        ("2031-07-09T08:15:30Z", "1234567890123.00", 1, False), ("2031-07-09T08:15:30Z", "1.234", 1, False)]:
    text = json.dumps({"at": at, "amount": amount, "any_amount": any_amount})
    assert takes(Naive, text) is good, text
    naive.append((text, good))
print(json.dumps({"name": "pydantic.decimal", "schema": Naive.model_json_schema(), "cases": naive}))
