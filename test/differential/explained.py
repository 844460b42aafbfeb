"""Known differences of other validators from the specification, or from our
choice if the specification leaves one.  They are rules, never single cases: a
rule decides for a pair whether its reason can apply."""

import re
import sys
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))

from session import Number, read_json  # noqa: E402


class Pair:
    """A schema and an instance (None if the difference is whether the schema is accepted), with the questions that rules ask."""

    def __init__(self, opponent, dialect, schema, assert_format, instance, ours, theirs):
        self.opponent, self.dialect, self.assert_format = opponent, dialect, assert_format
        self.schema_text, self.instance_text = schema, instance or ""
        self.schema = read_json(schema)
        self.instance = None if instance is None else read_json(instance)
        self.ours, self.theirs = ours, theirs
        self.about_schema = instance is None
        self.keywords = {}
        self.collect(self.schema)

    def collect(self, value):
        """Collects every name in the schema with its values, including names of properties, which do no harm."""
        if isinstance(value, dict):
            for name, item in value.items():
                self.keywords.setdefault(name, []).append(item)
                self.collect(item)
        elif isinstance(value, list):
            for item in value:
                self.collect(item)

    def has(self, *names):
        return any(name in self.keywords for name in names)

    def numbers(self):
        yield from numbers_in(self.schema)
        yield from numbers_in(self.instance)


def numbers_in(value):
    if isinstance(value, Number):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from numbers_in(item)
    elif isinstance(value, list):
        for item in value:
            yield from numbers_in(item)


def beyond_double(pair):
    """A number that changes when it is read as a double and written again."""
    return any(Decimal(repr(float(number))) != Decimal(str(number)) for number in pair.numbers())


def divided_fraction(pair):
    """multipleOf where the divisor or the number is no integer, or the quotient is large."""
    return pair.has("multipleOf") and any(Fraction(number).denominator != 1 or abs(Fraction(number)) >= 2 ** 53
                                          for number in map(str, pair.numbers()))


def float_of_integer(pair):
    return pair.dialect == "draft4" and any(re.search("[.eE]", number) for number in pair.numbers())


def sibling_of_reference(pair):
    """$ref with another keyword beside it, in a dialect that ignores that one."""
    return pair.dialect in ("draft4", "draft6", "draft7") and sibling_in(pair.schema)


def ref_to_dynamic_anchor(pair):
    return any(isinstance(reference, str) and reference.partition("#")[2] in pair.keywords.get("$dynamicAnchor", [])
               for reference in pair.keywords.get("$ref", []))


def format_in(pair, name):
    return pair.assert_format and name in pair.keywords.get("format", [])


def requires_empty_name(pair):
    return any("" in names for keyword in ("required", "dependentRequired", "dependencies")
               for value in pair.keywords.get(keyword, [])
               for names in (value.values() if isinstance(value, dict) else [value]) if isinstance(names, list))


def sibling_in(value):
    if isinstance(value, list):
        return any(map(sibling_in, value))
    if isinstance(value, dict):
        return (isinstance(value.get("$ref"), str) and len(value) > 1) or any(map(sibling_in, value.values()))
    return False


ANY = ("jsonschema-rs", "jsonschema", "ajv")
DOUBLES = ("jsonschema-rs", "ajv")

# opponents, rule, the reason
EXPLAINED = [
    (DOUBLES, beyond_double,
     "takes numbers for doubles; jsonb keeps them exactly"),
    (DOUBLES, divided_fraction,
     "divides in binary floating point; multipleOf is about the decimal numbers that are written"),
    (ANY, float_of_integer,
     "draft 4 leaves open whether 1.0 is an integer; here it is, as in every later draft"),
    (ANY, ref_to_dynamic_anchor,
     "follows $ref dynamically where it names a $dynamicAnchor (2020-12, section 8.2.2)"),
    (("jsonschema",), lambda pair: pair.about_schema and "\\\\p" in pair.schema_text,
     "uses Python's regular expressions, which have no \\p"),
    (("jsonschema",), lambda pair: "\\n" in pair.instance_text and ("$\"" in pair.schema_text or pair.has("format")),
     "uses Python's regular expressions, whose $ matches before a newline at the end"),
    (("jsonschema",), lambda pair: pair.has("$ref", "$recursiveRef", "$dynamicRef") and any(
        re.search("[.eE]", number) and Fraction(str(number)).denominator == 1 for number in pair.numbers()),
     "takes, behind a reference, no decimal number for an integer (opponents.py reads numbers exactly)"),
    (("jsonschema",), lambda pair: isinstance(pair.theirs, str) and not pair.about_schema,
     "raises an exception of its own"),
    (("jsonschema",), lambda pair: re.search(r"\\\\[wWdDsS]", pair.schema_text) and "\\u" in pair.instance_text,
     "uses Python's regular expressions, whose \\w, \\d and \\s know all of Unicode"),
    (("jsonschema",), lambda pair: format_in(pair, "email") and "@" in pair.instance_text,
     "takes everything with an @ for an e-mail address"),
    (("jsonschema-rs", "jsonschema"), lambda pair: pair.dialect == "draft2019-09" and pair.has("contains") and pair.has("unevaluatedItems"),
     "counts what contains matches as evaluated, which began with 2020-12 (2019-09, section 9.3.1.3)"),
    (("jsonschema",), lambda pair: pair.dialect == "draft2019-09" and pair.has("unevaluatedProperties") and
     pair.has("additionalProperties"),
     "does not count what additionalProperties evaluated (2019-09, section 9.3.2.4)"),
    (("jsonschema",), lambda pair: pair.has("unevaluatedItems") and any(
        value == {} for keyword in ("items", "additionalItems") for value in pair.keywords.get(keyword, [])),
     "does not count what a keyword with an empty schema evaluated"),
    (ANY, lambda pair: format_in(pair, "duration") and
     re.search('"[pP][^"]*[ymdthsw]', pair.instance_text),
     "refuses lower case in a duration; strings of ABNF (RFC 3339, appendix A) are of either case"),
    (("ajv",), sibling_of_reference,
     "evaluates what stands beside $ref also where the dialect ignores it (draft 7, section 8.3)"),
    (("ajv",), requires_empty_name,
     "does not look for a property whose name is empty"),
    (("ajv",), lambda pair: pair.has("contains") and pair.has("unevaluatedItems"),
     "does not count what contains matches as evaluated (2020-12, section 10.3.1.3)"),
    (("ajv",), lambda pair: pair.has("if") and pair.has("unevaluatedItems", "unevaluatedProperties"),
     "counts what a failed if evaluated, and not what an if without then and else did"),
    (("ajv",), lambda pair: pair.has("contains") and pair.has("items", "prefixItems") and "[]" in pair.instance_text,
     "skips contains of an empty array where there is a list of items too"),
    (("ajv",), lambda pair: pair.has("anyOf", "oneOf") and pair.has("unevaluatedItems", "unevaluatedProperties"),
     "counts what a failed branch evaluated"),
    (("ajv",), lambda pair: "__proto__" in pair.schema_text or "__proto__" in pair.instance_text,
     "has no property of the name __proto__"),
    (("ajv",), lambda pair: pair.has("$dynamicRef", "$recursiveRef"),
     "finds dynamic anchors only at the roots of documents, and otherwise takes all for valid, or runs out of stack"),
    (("ajv",), lambda pair: format_in(pair, "uri-reference") and re.search(r'\\\\["\\\\]', pair.instance_text),
     "accepts quotes and backslashes in a URI (RFC 3986, section 2)"),
    (("ajv", "jsonschema"), lambda pair: format_in(pair, "hostname") and '."' in pair.instance_text,
     "accepts a host name with a dot at its end (RFC 1123, section 2.1)"),
]


def explain(*case):
    """The reason why the opponent is wrong, or None."""
    pair = Pair(*case)
    for opponents, rule, reason in EXPLAINED:
        if pair.opponent in opponents and rule(pair):
            return reason
    return None
