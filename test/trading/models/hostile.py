"""Values on which validators are known to differ, in every place of an event.

Numbers at the bounds of their types and in unusual notations, strings that look
like numbers, almost valid instants, UUIDs, URIs and hosts, lengths
counted in characters and not in bytes, null, and properties that are missing,
unknown, or known elsewhere.
"""

import copy
import json


class Text(str):
    """A value as JSON text, so that 1.0 and 1e400 are kept as written."""


def strings(*values):
    return [json.dumps(value, ensure_ascii=False) for value in values]


VALUES = [Text(text) for text in (
    "null", "true", "false", "0", "1", "-1", "-0", "-0.0", "1.0", "1e0", "100e-2", "0.5", "2.0", "3.0", "1E+2", "1e400", "-1e400", "1e-400",
    "9223372036854775807", "9223372036854775808", "9223372036854775807.0", "18446744073709551615", "18446744073709551616", "1e18", "4294967296",
    "12345678901234567890123456789.5", "9007199254740993", "0.30000000000000004", "21600.0", "21601",
    "[]", "{}", "[null]", "[{}]", "[1, 1.0]", "[1]", "[[]]", '{"id": "1"}', '{"id": 1}', '[{"id": "1"}, {"id": "1"}]', '["1", "1"]', '["18446744073709551616"]',
    # numbers as strings
    *strings("", " ", "0", "1", "-1", "+1", "1.", ".5", ".", "1.0", "00", "01", "1e5", "NaN", "Infinity", "true", "null", "0.0", "-0", "0.000", "1_000", "１", "٣", "1\n",
             "1 ", "18446744073709551615", "18446744073709551616", "018", "9" * 20, "1" * 40, "1" * 41, "0." + "0" * 38, "0." + "0" * 37 + "1"),
    # symbols
    *strings("AAPL\n", "Ä", "aapl", "A", "A-", "BRK.B", "X" * 32, "X" * 33),
    # instants
    *strings("2024-02-30T00:00:00Z", "2024-02-29T23:59:60Z", "2023-02-29T00:00:00Z", "2016-12-31T18:29:60-05:30", "2024-01-01T24:00:00Z", "2024-01-01T00:00:00+24:00",
             "2024-01-01T00:00:00-23:59", "2024-01-01t00:00:00z", "2024-01-01 00:00:00Z", "2024-01-01T00:00:00", "2024-01-01T00:00:00.Z", "2024-01-01",
             "2024-01-01T00:00:00.123456789012Z", "0000-02-29T00:00:00Z", "9999-12-31T23:59:60Z", "2024-01-01T00:00:00Z\n", "２０２４-01-01T00:00:00Z",
             "2024-01-01T00:00:00+0000", "2024-01-01T00:00:00,5Z", "2024-1-1T00:00:00Z", "0000-01-01T00:00:00+23:59"),
    # UUIDs
    *strings("6BA7B810-9dad-11d1-80b4-00c04fd430c8", "6ba7b8109dad11d180b400c04fd430c8", "{6ba7b810-9dad-11d1-80b4-00c04fd430c8}",
             "6ba7b810-9dad-11d1-80b4-00c04fd430c8\n", "00000000-0000-0000-0000-000000000000"),
    # URIs, hosts
    *strings("https://example.com/", "http://[::1]/", "http://[::1", "//x", "x:", "http://exa mple.com", "http://é.com", "data:,x", "http://x/%zz", "http://x:port/", "http://x#a#b",
             "localhost", "10.0.3.256", "1.2.3", "fd00::17", "fe80::1%eth0", "::", "::ffff:1.2.3.4", "-a", "a-", "a_b", "a.", "a..b", "xn--a", "xn--", "xn--zckzah",
             "xn--ls8h", "xn--bcher-kva.example", "ab--cd", "é.com", "01.2.3.4", "1::2::3", "x" * 63 + ".a", "x" * 64 + ".a", ".".join(["x" * 63] * 4),
             ".".join(["x" * 63] * 3 + ["x" * 61])),
    # lengths
    *strings("😀", *("x" * n for n in (25, 26, 48, 49, 100, 101, 256, 257, 1024, 1025, 4096, 4097, 6001)), "😀" * 100, "😀" * 101, "😀" * 4000, "😀" * 4001, "e\u0301" * 50),
)]


def dump(value):
    if isinstance(value, Text):
        return str(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(name, ensure_ascii=False)}: {dump(member)}" for name, member in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(dump, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def places(value, path=()):
    yield path
    for step in value if isinstance(value, dict) else range(min(len(value), 2)) if isinstance(value, list) else ():
        yield from places(value[step], (*path, step))


def at(value, path):
    for step in path:
        value = value[step]
    return value


def changed(value, path, new):
    """The value with another one in a place, or without that member if new is None."""
    if not path:
        return new
    value = copy.copy(value)
    if len(path) == 1 and new is None:
        del value[path[0]]
    elif len(path) == 1:
        value[path[0]] = new
    else:
        value[path[0]] = changed(value[path[0]], path[1:], new)
    return value


def names_in(documents, document, seen=()):
    """All properties that a schema and its references name."""
    names = set()
    if isinstance(document, dict):
        for keyword, member in document.items():
            if keyword == "properties" and isinstance(member, dict):
                names |= set(member)
            if keyword == "$ref" and isinstance(member, str) and member.startswith("event:") and member not in seen:
                names |= names_in(documents, documents[member.removeprefix("event:").partition("#")[0]], (*seen, member))
            names |= names_in(documents, member, seen)
    elif isinstance(document, list):
        for member in document:
            names |= names_in(documents, member, seen)
    return names


def cases(samples, names, chance, count):
    """The given number of events as JSON text, each a sample with one random change, sometimes two."""
    result = set()
    while len(result) < count:
        event = chance.choice(samples)
        for _ in range(1 if chance.random() < 0.9 else 2):
            path = chance.choice([path for path in places(event)])
            here = at(event, path)
            how = chance.random()
            if isinstance(here, dict) and not isinstance(here, Text) and how < 0.4:
                name = chance.choice([*names, "extra", ""])
                event = changed(event, (*path, name), chance.choice(VALUES))
            elif path and how < 0.45:
                event = changed(event, path, None)
            else:
                event = changed(event, path, chance.choice(VALUES))
            if not isinstance(event, (dict, list)):
                break
        result.add(dump(event))
    return sorted(result)
