"""Options of a type, TYPE@options.json."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable, Mapping

from event_validate.jsontext import JSON
from event_validate.names import MAX_VERSION, is_uri

POLICIES = ("none", "backward", "forward", "full", "backward_transitive", "forward_transitive", "full_transitive")


@dataclasses.dataclass(frozen=True, slots=True)
class VersionOptions:
    """Options with which one version is registered."""

    assert_format: bool = True
    except_formats: tuple[str, ...] = ()
    breaking: bool = False
    accept: tuple[str, ...] = ()  # findings of the policy: "LOCATION RULE"
    renames: tuple[tuple[str, str], ...] = ()  # of properties, from the version before

    def pragmas(self) -> str:
        """The lines at the head of a schema's text that say the same."""
        lines = ""
        if not self.assert_format:
            lines += "#assert_format off\n"
        elif self.except_formats:
            lines += f"#assert_format except {', '.join(self.except_formats)}\n"
        for finding in self.accept:
            lines += "#accept " + re.sub("[\x01-\x1f\x7f%]", lambda match: f"%{ord(match[0]):02X}", finding) + "\n"
        if self.renames:
            lines += f"#renames {json.dumps(dict(self.renames), ensure_ascii=False)}\n"
        return lines + ("#breaking\n" if self.breaking else "")

    def as_json(self) -> dict[str, JSON]:
        found: dict[str, JSON] = {}
        if not self.assert_format:
            found["assert_format"] = False
        if self.except_formats:
            found["except_formats"] = list(self.except_formats)
        if self.breaking:
            found["breaking"] = True
        if self.accept:
            found["accept"] = list(self.accept)
        if self.renames:
            found["renames"] = dict(self.renames)
        return found


@dataclasses.dataclass(frozen=True, slots=True)
class TypeOptions:
    """The content of one file of options."""

    path: str = ""
    event_type: str | None = None
    uri: str | None = None
    policy: str | None = None
    lenient: bool = True
    unknown: str = "refuse"  # what the policy does where nothing is proved: refuse or warn
    common: VersionOptions = VersionOptions()
    versions: dict[int, VersionOptions] = dataclasses.field(default_factory=dict)

    @property
    def whole_policy(self) -> tuple[str | None, bool, str]:
        """The policy with its parts."""
        return self.policy, self.lenient, self.unknown

    def of(self, version: int | None) -> VersionOptions:
        return self.common if version is None else self.versions.get(version, self.common)

    def as_json(self) -> dict[str, JSON]:
        found: dict[str, JSON] = {}
        for key in ("event_type", "uri", "policy"):
            if getattr(self, key) is not None:
                found[key] = getattr(self, key)
        if self.policy is not None and not self.lenient:
            found["lenient"] = False
        if self.policy is not None and self.unknown != "refuse":
            found["unknown"] = self.unknown
        found.update(self.common.as_json())
        versions: dict[str, JSON] = {}
        for version, options in sorted(self.versions.items()):
            # what is set for all versions is repeated as far as a version differs
            said = {key: value for key, value in options.as_json().items() if found.get(key) != value}
            if options.assert_format and not self.common.assert_format:
                said["assert_format"] = True
            if self.common.except_formats and not options.except_formats and options.assert_format:
                said["except_formats"] = []
            if said:
                versions[str(version)] = said
        if versions:
            found["versions"] = versions
        return found


def as_renames(mapping: Mapping[str, str] | None) -> tuple[tuple[str, str], ...]:
    """The renames of an object, in a fixed order."""
    return tuple(sorted((mapping or {}).items()))


Report = Callable[[str, str], None]  # location, message


def _string(value: JSON) -> str | None:
    return None if isinstance(value, str) and value else "must be a string"


def _boolean(value: JSON) -> str | None:
    return None if isinstance(value, bool) else "must be true or false"


def _formats(value: JSON) -> str | None:
    if isinstance(value, list) and all(isinstance(item, str) and item and not set(item) & set(" ,\t\r\n") for item in value):
        return None
    return "must be a list of names of formats"


def _accept(value: JSON) -> str | None:
    if isinstance(value, list) and all(isinstance(item, str) and re.fullmatch(r"(.* )?[A-Z_]+", item, re.DOTALL) for item in value):
        return None
    return 'must be a list of findings, each its location and its rule: "/properties/a PATTERN_CHANGED"'


def _renames(value: JSON) -> str | None:
    if isinstance(value, dict) and value and all(isinstance(item, str) for item in value.values()):
        return None
    return 'must be an object that is not empty, from old to new names or JSON Pointers: {"qty": "quantity"}'


def _unknown(value: JSON) -> str | None:
    return None if value in ("refuse", "warn") else 'must be "refuse" or "warn"'


def _policy(value: JSON) -> str | None:
    return None if value in POLICIES else f"must be one of {', '.join(POLICIES)}"


def _uri(value: JSON) -> str | None:
    return None if isinstance(value, str) and is_uri(value) and "#" not in value else "must be an absolute URI without a fragment"


_OF_VERSION = {"assert_format": _boolean, "except_formats": _formats, "breaking": _boolean, "accept": _accept, "renames": _renames}
_OF_TYPE = {"event_type": _string, "uri": _uri, "policy": _policy, "lenient": _boolean, "unknown": _unknown, "assert_format": _boolean, "except_formats": _formats}


def _checked(value: JSON, location: str, keys: dict[str, Callable[[JSON], str | None]], report: Report) -> dict[str, JSON]:
    if not isinstance(value, dict):
        report(location, "must be an object")
        return {}
    found = {}
    for key, item in value.items():
        fault = keys[key](item) if key in keys else f'unknown option "{key}"; the options are {", ".join(keys)}'
        if fault is None:
            found[key] = item
        else:
            report(f"{location}/{key}", fault)
    return found


def _merged(base: VersionOptions, said: dict[str, JSON]) -> VersionOptions:
    options = dataclasses.replace(base, **{key: tuple(sorted(set(item)) if key == "except_formats" else item) if isinstance(item, list) else item
                                           for key, item in said.items() if key in _OF_VERSION and key != "renames"})
    if "renames" in said:
        options = dataclasses.replace(options, renames=as_renames(said["renames"]))
    if "assert_format" in said and not options.assert_format and "except_formats" not in said:
        options = dataclasses.replace(options, except_formats=())
    return options


def read_options(path: str, value: JSON, report: Report) -> TypeOptions:
    """The options in the value of a file; faults are reported, and their options left out."""
    keys = {**_OF_TYPE, "versions": lambda item: None if isinstance(item, dict) else "must be an object"}
    said = _checked(value, "", keys, report)
    common = _merged(VersionOptions(), said)
    if not common.assert_format and common.except_formats:
        report("/except_formats", "has no effect beside \"assert_format\": false")
        common = dataclasses.replace(common, except_formats=())
    versions = {}
    for key, item in said.get("versions", {}).items():
        if not key.isascii() or not key.isdigit() or str(int(key)) != key or int(key) > MAX_VERSION:
            report(f"/versions/{key}", "must be a version, such as \"2\"")
            continue
        versions[int(key)] = _merged(common, _checked(item, f"/versions/{key}", _OF_VERSION, report))
    for key in ("lenient", "unknown"):
        if key in said and "policy" not in said:
            report(f"/{key}", "is a part of a policy: add \"policy\"")
    return TypeOptions(path, said.get("event_type"), said.get("uri"), said.get("policy"), said.get("lenient", True), said.get("unknown", "refuse"), common, versions)
