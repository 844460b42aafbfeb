"""Pydantic: the JSON Schema of the documents that a model writes, and these documents.

event_schema(Model) accepts every document that event_document(instance) returns.  Pydantic's own
schema does not: see docs/how-to/libraries.md.

The extra event-validate[pydantic] installs what this module needs.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

__all__ = ["EventJsonSchema", "event_document", "event_schema"]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_TIME = r"[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?"
_OFFSET = r"(Z|[+-][0-9]{2}:[0-9]{2}(:[0-9]{2})?)"
_DURATION = r"^-?P([0-9]+Y)?([0-9]+D)?(T([0-9]+H)?([0-9]+M)?([0-9]+(\.[0-9]{1,6})?S)?)?$"
_FORMATS = {"ipv4network", "ipv6network", "ipv4interface", "ipv6interface", "ipvanyaddress", "ipvanynetwork", "ipvanyinterface",
            "path", "file-path", "directory-path", "binary", "base64url", "json-string", "password", "multi-host-uri", "color", "byte"}


def decimal_pattern(max_digits: int | None, decimal_places: int | None, special: bool = False) -> str:
    """A pattern for str() of the decimals that have no more digits, and places after the point, than this."""
    whole = "" if max_digits is None else str(max(max_digits - (decimal_places or 0), 1))
    before = f"[0-9]{{1,{whole}}}" if whole else "[0-9]+"
    places = max_digits if decimal_places is None else decimal_places
    after = "" if places == 0 else r"(\.[0-9]+)?" if places is None else rf"(\.[0-9]{{1,{places}}})?"
    digits = "*" if max_digits is None else f"{{0,{max_digits}}}"
    exponent = rf"[0-9](\.[0-9]{digits})?E[+-]?[0-9]+"
    return rf"^-?({before}{after}|{exponent}{'|s?NaN[0-9]*|Infinity' if special else ''})$"


class EventJsonSchema(GenerateJsonSchema):
    """The schema of what a model writes, where Pydantic's own says something else.

    For model_json_schema(mode="serialization", schema_generator=EventJsonSchema).
    """

    @property
    def _writes(self) -> bool:
        return self.mode == "serialization"

    def decimal_schema(self, schema: Any) -> dict[str, Any]:
        if not self._writes:
            return super().decimal_schema(schema)
        return {"type": "string", "pattern": decimal_pattern(schema.get("max_digits"), schema.get("decimal_places"), bool(schema.get("allow_inf_nan")))}

    def float_schema(self, schema: Any) -> dict[str, Any]:
        found = super().float_schema(schema)
        config = self._config
        allowed = schema.get("allow_inf_nan")
        if not self._writes or not (config.allow_inf_nan if allowed is None else allowed):
            return found
        special = getattr(config, "ser_json_inf_nan", "null")
        if special == "null":
            return {"anyOf": [found, {"type": "null"}]}
        return {"anyOf": [found, {"enum": ["NaN", "Infinity", "-Infinity"]}]} if special == "strings" else found

    def timedelta_schema(self, schema: Any) -> dict[str, Any]:
        found = super().timedelta_schema(schema)
        if not self._writes or found.get("type") == "number":
            return found
        return {"type": "string", "pattern": _DURATION}

    def datetime_schema(self, schema: Any) -> dict[str, Any]:
        found = super().datetime_schema(schema)
        if not self._writes or found.get("type") != "string":
            return found
        zone = schema.get("tz_constraint")
        if zone == "aware" or isinstance(zone, int):
            return found
        naive = {"type": "string", "pattern": rf"^{_DATE}T{_TIME}$"}
        return naive if zone == "naive" else {"type": "string", "pattern": rf"^{_DATE}T{_TIME}{_OFFSET}?$"}

    def time_schema(self, schema: Any) -> dict[str, Any]:
        if not self._writes:
            return super().time_schema(schema)
        zone = schema.get("tz_constraint")
        offset = "" if zone == "naive" else _OFFSET if zone == "aware" or isinstance(zone, int) else f"{_OFFSET}?"
        return {"type": "string", "pattern": rf"^{_TIME}{offset}$"}

    def tagged_union_schema(self, schema: Any) -> dict[str, Any]:
        """A union by a function of the value: its branches may overlap, and oneOf would refuse what two of them accept."""
        found = super().tagged_union_schema(schema)
        if self._writes and not isinstance(schema["discriminator"], str) and "oneOf" in found:
            found["anyOf"] = found.pop("oneOf")
        return found


def _without_formats(value: Any) -> Any:
    """Without the formats that only Pydantic knows: the database would warn that it does not check them."""
    if isinstance(value, list):
        return [_without_formats(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {key: item if key in ("const", "enum", "default", "examples") else
            {name: _without_formats(one) for name, one in item.items()} if key in ("properties", "$defs", "patternProperties") and isinstance(item, dict) else
            _without_formats(item)
            for key, item in value.items() if not (key == "format" and isinstance(item, str) and item in _FORMATS)}


def _by_alias(model: Any, by_alias: bool | None) -> bool:
    """Whether documents have the aliases: what model_dump does unless it is told."""
    if by_alias is not None:
        return by_alias
    config = getattr(model, "model_config", {})
    return bool(config.get("serialize_by_alias"))


def event_schema(model: Any, *, by_alias: bool | None = None, generator: type[GenerateJsonSchema] = EventJsonSchema,
                 change: Callable[[dict[str, Any]], None] | None = None) -> dict[str, Any]:
    """The schema of what event_document returns, for a model or any type that Pydantic knows.

    It is that of mode="serialization": computed fields are required, and so are fields with a
    default.  Decimals, times and durations have patterns of what Pydantic writes.  Names are those
    of model_dump: aliases only with serialize_by_alias, or with by_alias=True.  change, if
    given, changes the result in place.
    """
    adapter = TypeAdapter(model)
    found = adapter.json_schema(mode="serialization", by_alias=_by_alias(model, by_alias), schema_generator=generator)
    found = {"$schema": DIALECT, **_without_formats(found)}
    if change is not None:
        change(found)
    return found


def event_document(instance: Any, *, by_alias: bool | None = None) -> Any:
    """The document of an instance, as event_schema describes it: a value for json.dumps.

    It is what model_dump_json writes.  model_dump(mode="json") leaves NaN and infinity as they are, which is no JSON.
    """
    if isinstance(instance, BaseModel):
        return json.loads(instance.model_dump_json(by_alias=_by_alias(type(instance), by_alias)))
    return json.loads(TypeAdapter(type(instance)).dump_json(instance, by_alias=_by_alias(type(instance), by_alias)))
