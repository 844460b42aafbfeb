"""The types that the models of all versions use.

They accept exactly the values that the keywords of the schemas accept.  If
Pydantic's own types are wider or narrower (they accept 5 for "5",
2021-02-22T15:51Z for a date-time, and cut nanoseconds off), they are defined here.
"""
import ipaddress
import math
import re
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, Optional, TypeVar

import idna
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer
from rfc3986_validator import validate_rfc3986

T = TypeVar("T")


class Exact(float):
    """A JSON number that keeps all of its digits: json.loads(text, parse_float=Exact).

    Python by itself reads 1e400 as infinity and 9223372036854775807.0 as the
    number after it; the database does not.
    """

    def __new__(cls, text):
        number = super().__new__(cls, text)
        number.decimal = Decimal(text)
        return number


def _storable(value):
    """The same value, or ValueError where it has what jsonb cannot hold."""
    if isinstance(value, str):
        if "\0" in value:
            raise ValueError("the database's JSON has no character U+0000")
        value.encode()  # a lone surrogate is a UnicodeEncodeError, which is a ValueError
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"JSON has no {value}")
    elif isinstance(value, dict):
        for name, member in value.items():
            _storable(name)
            _storable(member)
    elif isinstance(value, list):
        for member in value:
            _storable(member)
    return value


class Event(BaseModel):
    """Open or not is each model's business; values are never coerced, and an event does not change."""
    model_config = ConfigDict(strict=True, allow_inf_nan=False, serialize_by_alias=True, frozen=True,
                              ser_json_inf_nan="constants")

    def to_data(self):
        """The event as json.dumps takes it: what was not given is left out."""
        return _storable(self.model_dump(mode="json", exclude_unset=True))


class Open(Event):
    """What others send: they may add properties at any time."""
    model_config = ConfigDict(extra="allow")


class Closed(Event):
    """What the application writes: a property that is not known is a slip of the pen."""
    model_config = ConfigDict(extra="forbid")


class OneOf:
    """What a RootModel of several events has as they have it."""

    def to_data(self):
        return _storable(self.model_dump(mode="json", exclude_unset=True))


# ---------------------------------------------------------------- presence

def _not_null(value):
    if value is None:
        raise ValueError("must not be null; leave it out")
    return value


def _refused(value):
    raise ValueError("has no place here")


# A property that may be absent, but is not null where it is there.
Maybe = Annotated[Optional[T], BeforeValidator(_not_null)]
# A property that may not be there.
Refused = Annotated[Any, BeforeValidator(_refused)]


def given(model, *names):
    """Whether the data had any of these properties, null or not."""
    return any(name in model.model_fields_set for name in names)


def together(model, *names):
    """Either all of these properties are there or none."""
    if given(model, *names) and not all(given(model, name) for name in names):
        raise ValueError(f"{', '.join(names)} go together")


# ---------------------------------------------------------------- numbers

def _number(value):
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        raise ValueError("must be a number")
    if isinstance(value, Exact):
        return value.decimal
    return value if isinstance(value, Decimal) else Decimal(repr(value))


def _integer(value):
    value = _number(value)
    if not value.is_finite() or value != value.to_integral_value():
        raise ValueError("must be a whole number")
    return int(value)


def _as_number(value):
    """Python's nearest number: digits beyond a float's are lost, but what is above zero stays so."""
    if value == value.to_integral_value():
        return int(value)
    return float(value) or math.copysign(5e-324, value)


def at_least(bound):
    def judge(value):
        if value < bound:
            raise ValueError(f"must be at least {bound}")
        return value
    return AfterValidator(judge)


def at_most(bound):
    def judge(value):
        if value > bound:
            raise ValueError(f"must be at most {bound}")
        return value
    return AfterValidator(judge)


def one_of(*values):
    """One of these values; 1.0 is 1, and true is not."""
    def judge(value):
        if value not in values:
            raise ValueError(f"must be one of {', '.join(map(str, values))}")
        return value
    return AfterValidator(judge)


def _positive(value):
    if value <= 0:
        raise ValueError("must be above zero")
    return value


# JSON has no finer numbers than its reader; what is written is a float where it is no whole number.
Number = Annotated[Decimal, BeforeValidator(_number), PlainSerializer(_as_number, when_used="json")]
Integer = Annotated[int, BeforeValidator(_integer)]
Count = Annotated[Integer, at_least(0)]
Int63 = Annotated[Integer, at_least(0), at_most(2**63 - 1)]
Positive = AfterValidator(_positive)

# ---------------------------------------------------------------- strings

def _uint64(value):
    if int(value) >= 2**64:
        raise ValueError("must be at most 18446744073709551615")
    return value


Snowflake = Annotated[str, Field(pattern=r"^(?:0|[1-9][0-9]{0,18}|1[0-9]{19})$"), AfterValidator(_uint64)]
Symbol = Annotated[str, Field(min_length=1, max_length=32, pattern=r"^[A-Z0-9]+(?:[./-][A-Z0-9]+)*$")]

_INSTANT = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.[0-9]+)?(?:[Zz]|([+-])([0-9]{2}):([0-9]{2}))")


def _instant(value):
    found = _INSTANT.fullmatch(value)
    if found:
        year, month, day, hour, minute, second = map(int, found.groups()[:6])
        off_hour, off_minute = int(found[8] or 0), int(found[9] or 0)
        try:
            date(year or 2000, month, day)      # a year 0 is a leap year, as 2000 is
        except ValueError:
            hour = 24
        offset = (off_hour * 60 + off_minute) * (-1 if found[7] == "-" else 1)
        leap = second == 60 and (hour * 60 + minute - offset) % 1440 == 1439
        if hour < 24 and minute < 60 and (second < 60 or leap) and off_hour < 24 and off_minute < 60:
            return value
    raise ValueError("must be a date and time with its offset, as RFC 3339 writes it")


def to_datetime(instant):
    """A point in time as Python has it: to the microsecond, a leap second as the second after it."""
    head, fraction, zone = re.fullmatch(r"(.{19})(?:\.([0-9]+))?(.*)", instant.upper()).groups()
    leap = head.endswith(":60")
    micro = (fraction or "")[:6].ljust(6, "0")
    return datetime.fromisoformat(f"{head[:-2]}59.{micro}{zone}" if leap else f"{head}.{micro}{zone}") + timedelta(seconds=leap)


_UUID = r"^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$"
# Kept as they came: a datetime would cut nanoseconds off, see to_datetime.
Instant = Annotated[str, AfterValidator(_instant)]
Uuid = Annotated[str, Field(pattern=_UUID)]


def _uri(value):
    if not validate_rfc3986(value, rule="URI"):
        raise ValueError("must be a URI")
    return value


Uri = Annotated[str, AfterValidator(_uri)]

_LABEL = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)")


def _is_label(label):
    if not _LABEL.fullmatch(label):
        return False
    if label[:4].lower() == "xn--":     # another script's, if it is one
        try:
            idna.ulabel(label)
        except UnicodeError:
            return False
    return True


def _host(value):
    """A host name or an IP address."""
    if len(value) <= 253 and all(_is_label(label) for label in value.split(".")):
        return value
    try:
        if "%" not in value:
            ipaddress.ip_address(value)
            return value
    except ValueError:
        pass
    raise ValueError("must be a host name or an IP address")


Host = Annotated[str, AfterValidator(_host)]

# ---------------------------------------------------------------- decimals

_LOOSE = re.compile(r"[+-]?[0-9]*\.?[0-9]*")


def _decimal(value):
    """A number, or a string of digits with an optional sign and point."""
    if isinstance(value, str):
        if not _LOOSE.fullmatch(value) or not re.search("[0-9]", value):
            raise ValueError("must be a number, or a string of digits")
        return Decimal(value)
    return _number(value)


def unsigned(value):
    if isinstance(value, str) and (value[:1] in ("+", "-") or len(value) > 40):
        raise ValueError("must be a string of digits without a sign, 40 at most")
    return _decimal(value)


def _digits(value):
    return format(value, "f")


def _digits_or_number(value):
    """Digits as far as the schemas take them."""
    text = format(value, "f")
    return text if len(text) <= 40 else _as_number(value)


# As the broker writes them; written as strings.
LooseDecimal = Annotated[Decimal, BeforeValidator(_decimal), PlainSerializer(_digits_or_number, when_used="json")]
NonNegativeDecimal = Annotated[Decimal, BeforeValidator(unsigned), at_least(0), PlainSerializer(_digits_or_number, when_used="json")]
PositiveDecimal = Annotated[Decimal, BeforeValidator(unsigned), Positive, PlainSerializer(_digits_or_number, when_used="json")]

_EXACT = re.compile(r"(?:0|[1-9][0-9]*)(?:\.[0-9]+)?")


def _exact(pattern):
    def judge(value):
        if type(value) is Decimal:      # the application's own; JSON's would be an int or a float
            value = format(value, "f")
        if not isinstance(value, str) or not pattern.fullmatch(value):
            raise ValueError("must be a string of digits, with a point where it is needed")
        return Decimal(value)
    return BeforeValidator(judge)


# Version 2's: strings in JSON, exact decimals here.
DecimalText = Annotated[Decimal, _exact(_EXACT), PlainSerializer(_digits, when_used="json")]
PositiveText = Annotated[DecimalText, Positive]
