#!/usr/bin/env python3
"""Checks the trading schemas with another validator than ours.

Every document in events/ is a valid JSON Schema, described and self-contained;
every sample in examples/trading/samples is valid; every mistake in
examples/trading/mistakes is rejected at the location and by the keyword that
it states.  Needs the packages in requirements.txt, no database.

usage: check_documents.py [-v]
"""
import json
import re
import sys
from decimal import Decimal
from pathlib import Path

from jsonschema import Draft202012Validator, ValidationError
from jsonschema.validators import extend
from referencing import Registry
from referencing.jsonschema import DRAFT202012

ROOT = Path(__file__).resolve().parents[3]
TRADING = ROOT / "examples" / "trading"
EVENTS = TRADING / "extension" / "events"
DIALECT = "https://json-schema.org/draft/2020-12/schema"
NAME = re.compile(r"(?P<type>[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)*)@(?P<version>0|[1-9][0-9]*)\Z")

# Keywords whose value is a schema, a list of schemas, an object of schemas.
SCHEMA = {"additionalProperties", "items", "propertyNames", "not", "if", "then", "else"}
SCHEMAS = {"prefixItems", "allOf", "anyOf", "oneOf"}
NAMED_SCHEMAS = {"properties", "patternProperties", "$defs"}
PLAIN = {"type", "required", "enum", "const", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum",
         "multipleOf", "minLength", "maxLength", "pattern", "format", "minItems", "maxItems", "uniqueItems", "dependentRequired",
         "$schema", "$ref", "title", "description", "default", "examples", "deprecated", "discriminator"}

MISTAKES_EACH = 8

passed = failed = 0
verbose = "-v" in sys.argv[1:]


def check(ok, what, detail=""):
    global passed, failed
    if ok:
        passed += 1
        if verbose:
            print("ok      ", what)
    else:
        failed += 1
        print("FAILED  ", what, "--", detail)


def read(path):
    """Reads JSON with exact decimals, so that multipleOf and bounds are exact; an empty list if it is no JSON."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    except ValueError as error:
        check(False, f"{path.relative_to(ROOT)}: is JSON in UTF-8", error)
        return []
    check(True, f"{path.relative_to(ROOT)}: is JSON in UTF-8")
    return value


def pointer(path):
    return "".join("/" + str(p).replace("~", "~0").replace("/", "~1") for p in path)


def subschemas(schema, where=""):
    """The schema and all its subschemas, with their locations."""
    yield where, schema
    if not isinstance(schema, dict):
        return
    for key, value in schema.items():
        at = pointer([key])
        if key in SCHEMA:
            yield from subschemas(value, where + at)
        elif key in SCHEMAS:
            for i, one in enumerate(value):
                yield from subschemas(one, f"{where}{at}/{i}")
        elif key in NAMED_SCHEMAS:
            for name, one in value.items():
                yield from subschemas(one, where + at + pointer([name]))


def located(error):
    """The locations and keywords of an instance's violations, as in the specification: a property or item that
    is not allowed is the location itself, where jsonschema names the object or array that contains it."""
    at = pointer(error.absolute_path)
    if error.validator_value is False and error.validator == "additionalProperties":
        declared, patterns = error.schema.get("properties", {}), error.schema.get("patternProperties", {})
        return {(at + pointer([name]), error.validator) for name in error.instance
                if name not in declared and not any(search(p, name) for p in patterns)}
    if error.validator_value is False and error.validator == "items":
        return {(at + pointer([index]), error.validator)
                for index in range(len(error.schema.get("prefixItems", [])), len(error.instance))}
    return {(at, error.validator)}


def causes(error):
    """The violations in the branches of anyOf and oneOf, on all levels.  A validator that knows the intended branch (by
    the instance's type, or by a discriminator) may report these instead."""
    return set().union(*(located(one) | causes(one) for one in error.context or []))


def is_integer(_, value):
    """As in jsonschema, but also for decimals: 10.0 is an integer."""
    if isinstance(value, bool):
        return False
    return isinstance(value, int) or (isinstance(value, Decimal) and value == value.to_integral_value())


def search(pattern, string):
    """As in ECMA-262: digits are those of ASCII, and $ matches only at the end, not before a last newline."""
    return re.search(re.sub(r"(?<!\\)\$", r"\\Z", pattern), string, re.ASCII)


def pattern(judge, value, instance, _):
    if judge.is_type(instance, "string") and not search(value, instance):
        yield ValidationError(f"{instance!r} does not match {value!r}")


def properties(judge, schemas, instance, schema):
    """As in jsonschema, but the location of a property whose schema is false is the property."""
    if judge.is_type(instance, "object"):
        for name, one in schemas.items():
            if name in instance and one is False:
                yield ValidationError("property is not allowed", path=[name])
            elif name in instance:
                yield from judge.descend(instance[name], one, path=name, schema_path=name)


Validator = extend(Draft202012Validator, {"pattern": pattern, "properties": properties},
                   type_checker=Draft202012Validator.TYPE_CHECKER.redefine("integer", is_integer))

documents = {path.name[:-len(".json")]: read(path) for path in sorted(EVENTS.glob("*.json"))}
documents = {name: document for name, document in documents.items() if isinstance(document, dict)}
# Without $schema, which would make jsonschema use its own validator.
registry = Registry().with_resources(
    ("event:" + name, DRAFT202012.create_resource({k: v for k, v in document.items() if k != "$schema"}))
    for name, document in documents.items())
formats = Draft202012Validator.FORMAT_CHECKER
# jsonschema's own check fails for the empty string and for values that are no string.
host_name = formats.checkers["hostname"][0]
formats.checkers["hostname"] = (lambda value: not isinstance(value, str) or host_name(value), ValueError)


def validator(name):
    return Validator({"$ref": "event:" + name}, registry=registry, format_checker=formats)


def rows(kind, name):
    path = TRADING / kind / (name + ".json")
    if not path.exists():
        return []
    found = read(path)
    for i, row in enumerate(found):
        stated = f"{row['event_type']}@{row['schema_version']}"
        check(stated == name, f"{kind}/{name}.json, {i}: is in the file of its type", stated)
    return found


def check_schemas():
    check(bool(documents), "there are documents", str(EVENTS))
    for name, document in documents.items():
        check(NAME.match(name) is not None and len(name.encode()) <= 62, f"{name}: is a name TYPE@VERSION")
        check(document.get("$schema") == DIALECT, f"{name}: names its dialect")
        try:
            Draft202012Validator.check_schema(document)
            check(True, f"{name}: is a valid schema")
        except Exception as error:  # SchemaError, or a crash of the validator
            check(False, f"{name}: is a valid schema", str(error).splitlines()[0])
            continue
        check(bool(document.get("title")) and bool(document.get("description")), f"{name}: has a title and a description")

        unknown, undescribed, unresolved, unchecked, bad = [], [], [], [], []
        for where, schema in subschemas(document):
            if not isinstance(schema, dict):
                continue
            unknown += [where + pointer([k]) for k in schema if k not in SCHEMA | SCHEMAS | NAMED_SCHEMAS | PLAIN]
            # Properties of a schema that describes a value, not of one that restricts it (in then, allOf ...).
            narrows = re.search(r"/(?:if|then|else|not|allOf/\d+|oneOf/\d+)(?:/|\Z)", where)
            for key in ("properties", "$defs"):
                for prop, sub in schema.get(key, {}).items() if not narrows else ():
                    if sub is not False and (not isinstance(sub, dict) or not sub.get("description")):
                        undescribed.append(where + pointer([key, prop]))
            if "$ref" in schema:
                try:
                    registry.resolver("event:" + name).lookup(schema["$ref"])
                except Exception:
                    unresolved.append(f"{where}: {schema['$ref']}")
            if "format" in schema and schema["format"] not in formats.checkers:
                unchecked.append(f"{where}: {schema['format']}")
            if "pattern" in schema:
                try:
                    re.compile(schema["pattern"])
                except re.error as error:
                    bad.append(f"{where}: {error}")
            for example in schema.get("examples", []):
                here = Validator({"$ref": f"event:{name}#{where}"}, registry=registry, format_checker=formats)
                if not here.is_valid(example):
                    bad.append(f"{where}: example {example!r}")
        check(not unknown, f"{name}: uses known keywords only", ", ".join(unknown))
        check(not undescribed, f"{name}: describes every property", ", ".join(undescribed))
        check(not unresolved, f"{name}: its references can be resolved", ", ".join(unresolved))
        check(not unchecked, f"{name}: its formats are checked here", ", ".join(unchecked))
        check(not bad, f"{name}: its patterns and examples are valid", ", ".join(bad))


def check_payloads():
    events = [name for name, document in documents.items() if document.get("not") != {}]
    check(len(events) < len(documents), "there are documents with only definitions")

    for kind in ("samples", "mistakes"):
        strangers = sorted(p.name for p in (TRADING / kind).glob("*.json") if p.name[:-len(".json")] not in events)
        check(not strangers, f"{kind}: every file belongs to a schema", ", ".join(strangers))

    for name in events:
        judge = validator(name)
        samples = rows("samples", name)
        check(bool(samples), f"{name}: has samples")
        for row in samples:
            errors = [f"{pointer(e.absolute_path)}: {e.message[:100]}" for e in judge.iter_errors(row["data"])]
            check(not errors, f"{name}: accepts {row['source']}", "; ".join(errors))

        mistakes = rows("mistakes", name)
        check(len(mistakes) >= MISTAKES_EACH, f"{name}: has {MISTAKES_EACH} mistakes or more", str(len(mistakes)))
        for row in mistakes:
            errors = list(judge.iter_errors(row["data"]))
            found = set().union(*map(located, errors))
            stated = (row["instance_location"], row["keyword"])
            check(stated in found, f"{name}: rejects {row['mistake']}, by {stated[1]} at {stated[0]!r}", f"found {sorted(found)}")
            if "cause" in row:
                below = set().union(*(causes(e) for e in errors if stated in located(e)))
                cause = (row["cause"]["instance_location"], row["cause"]["keyword"])
                check(cause in below, f"{name}: rejects {row['mistake']}, because of {cause[1]} at {cause[0]!r}", f"found {sorted(below)}")

    for name in set(documents) - set(events):
        judge = validator(name)
        check(not any(judge.is_valid(x) for x in (None, {}, [], "", 0)), f"{name}: rejects null, empty values and 0")


def main():
    check_schemas()
    check_payloads()
    print(f"{passed} passed, {failed} failed")
    sys.exit(failed != 0)


if __name__ == "__main__":
    main()
