#!/usr/bin/env python3
"""Writes the first inputs of the fuzzers, their dictionaries, and a smaller corpus.

    seeds.py make FOLDER COUNT [SUITE]  a folder a target with COUNT inputs at most,
                                      and TARGET.dict; SUITE is the official
                                      JSON-Schema-Test-Suite
    seeds.py smallest CONTROL FOLDER  copies to FOLDER the inputs that CONTROL, the
                                      result of libFuzzer's -merge_inner=1, needs
                                      to reach all that they reach together
    seeds.py control FOLDER...        that file before the run, on standard output

Standard library only.
"""

import hashlib
import itertools
import json
import random
import re
import shutil
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
TOP = HERE.parents[2]
SEPARATOR = b"\xff"
LIMIT = 4096            # bytes of an input
OWN = 20                # of a target's inputs, those that are not from the suite

SCHEMAS = [
    {"type": "object", "properties": {"a": {"type": "integer", "minimum": 1}, "b": {"enum": ["x", 1, None]}}, "required": ["a"]},
    {"anyOf": [{"properties": {"k": {"const": "x"}}, "required": ["k"]}, {"properties": {"k": {"const": "y"}}}],
     "discriminator": {"propertyName": "k"}},
    {"$defs": {"node": {"properties": {"a": {"$ref": "#/$defs/node"}}, "additionalProperties": False}}, "$ref": "#/$defs/node"},
    {"type": "array", "items": {"type": "number", "multipleOf": 0.01}, "uniqueItems": True, "minItems": 1},
    {"patternProperties": {"^x-": {"type": "string", "pattern": "^[A-Z]{3}$"}}, "propertyNames": {"maxLength": 5}},
    {"if": {"required": ["a"]}, "then": {"required": ["b"]}, "unevaluatedProperties": False, "allOf": [{"properties": {"a": True}}]},
]
PRAGMAS = ["#event_type com.example.Order\n", "#assert_format except duration, time\n", "#breaking\n",
           "#accept /properties/a PATTERN_CHANGED\n", '#renames {"qty": "quantity"}\n']
INSTANCES = [{"a": 1, "b": "x"}, {"k": "y"}, {"a": {"a": {}}}, [1, 2.5, "a"], {"x-a": "ABC"}, "abc", None, 1.5]
PATTERNS = ["^[A-Z]{3}-[0-9]{1,8}$", "^x-", r"(a)\1", "halt|split", "(a+)+$", "^(?!a)", "(?<=a)b", r"\p{L}", r"^\P{ASCII}+$", r"[^\s]",
            r"\bfoo\b", "^(a|b)*a(a|b){12}$", r"\u{1F600}", r"(?<n>a)\k<n>", r"\cA", "[\\b]", "^[0-9a-f]{8}-[0-9a-f]{4}$", "^(?=.*a)(?!.*b).*$",
            r"[\w-.]", "^.$", "", "^$", r"\d{3,}?", "[^]", "(?:ab)*c|d"]
STRINGS = ["", "a", "ab", "foo bar", "ABC-123", "é", "日本", "😀", "\n", "\u2028", "2024-02-29T12:00:61Z", "aaaaaaaaaaaaaaab"]
EXPRESSIONS = [
    ("data", "kind", "version"), ("data->'a'", "data->>'kind'", "(data->>'version')::int"),
    ("t", "'order'", "1"), ("j", "v", "small"), ("to_jsonb(t)", "coalesce(kind, 'order')", "big"),
    ("jsonb_build_object('qty', id)", "lower(kind)", "1 + 0"), ("data || '{\"qty\": 1}'", "kind::text || ''", "length(kind)"),
    ("CASE WHEN id > 1 THEN data END", "split_part(kind, '.', 1)", "least(version, 2)"), ("new.data", "new.kind", "new.version"),
    ("(SELECT data)", "a[1]", "count(*)"), ("events", "events.kind", "lower(r)"), ("data #> '{a,b}'", "kind COLLATE \"C\"", "n::int"),
    ("t::jsonb", "nullif(v, '')", "extract(year FROM d)::int"), ("row_to_json(ROW(1, kind))", "current_user", "id / 0"),
    ("$1", "data::text", "NULL"), ("data -- x", "kind; SELECT 1", "(version"), ("jsonb '{}'", "U&'\\0041'", "0x1"),
]
WORDS = ["data", "kind", "version", "id", "t", "j", "a", "n", "d", "f", "r", "new.", "events", "::jsonb", "::text", "::int", "->", "->>", "#>", "#>>",
         "||", "'order'", "'{}'", "(", ")", "[1]", "CASE WHEN", "THEN", "ELSE", "END", "coalesce(", "nullif(", "lower(", "to_jsonb(",
         "jsonb_build_object(", "SELECT", "FROM", "ARRAY[", "ROW(", "COLLATE", "NULL", "IS NULL", "IN (", "= ANY(", "AND", "NOT", "+", "-", "*", "/",
         "AT TIME ZONE", "::date", "tableoid", "ctid", "xmin", "OVER ()", "count(*)", "generate_series(", "unnest(", "regexp_replace(", "$1", "--", "/*", "*/", "$$",
         "jsonb_path_query(", "XMLPARSE(", "GROUPING(", "U&'", "E'\\", "B'1'", "interval '1'", "OPERATOR(pg_catalog.+)"]
SYNTAX = ["(?:", "(?=", "(?!", "(?<=", "(?<!", "(?<n>", "\\k<n>", "\\p{L}", "\\P{Lu}", "\\p{Script=Greek}", "\\u{1F600}", "\\ud83d\\ude00", "\\x41",
          "\\cA", "\\d", "\\W", "\\s", "\\b", "\\B", "\\1", "{2,3}", "{0}", "*?", "+?", "[^", "a-z", "|", "^", "$", ".", "\\0"]
FORMAT_WORDS = ["T00:00:00Z", "2024-02-29", "+23:59", ".123", ":60Z", "P1Y2M3DT4H5M6S", "P1W", "xn--", "@", "\"a b\"@", "[IPv6:::1]", "::ffff:1.2.3.4", "::",
                "http://", "urn:", "%C3%A9", "{?a*,b:3}", "{+a}", "/~0~1", "0#", "-", ".", "ſ", "ß", "・", "\u200d", "\u0660", "\u06f0", "א", "。", "[v1.a]"]


def text(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")


def usable(data):
    try:
        parts = [part.decode("utf-8") for part in data.split(SEPARATOR)]
    except UnicodeDecodeError:
        return False
    return len(data) <= LIMIT and not any("\0" in part for part in parts)


def cases(suite):
    """(path, schema, data) of the official suite."""
    for path in sorted(Path(suite).glob("tests/draft*/**/*.json")) + sorted(Path(suite).glob("tests/v1/**/*.json")):
        for group in json.loads(path.read_text(encoding="utf-8")):
            for test in group["tests"]:
                yield path, group["schema"], test["data"]


def keywords():
    return re.findall(r'^\tX\([A-Z0-9_]+, "([^"]+)"', (TOP / "src/schema/keywords.h").read_text(encoding="utf-8"), re.M)


def dictionary(words):
    def escaped(word):
        return "".join(chr(byte) if 32 <= byte < 127 and chr(byte) not in '"\\' else f"\\x{byte:02X}" for byte in word)

    return "".join(f'"{escaped(word if isinstance(word, bytes) else word.encode("utf-8"))}"\n' for word in words)


def inputs(suite):
    """For each target, its inputs."""
    found = {}
    pairs = [(schema, data) for schema, data in itertools.product(SCHEMAS, INSTANCES)]
    strings = list(STRINGS)
    patterns = list(PATTERNS)
    if suite:
        for path, schema, data in cases(suite):
            pairs.append((schema, data))
            if path.parent.name == "format" and isinstance(data, str):
                strings.append(data)
            if isinstance(schema, dict) and isinstance(schema.get("pattern"), str):
                patterns.append(schema["pattern"])
    schemas = list(dict.fromkeys(text(schema) for schema, data in pairs))
    random.seed(1)
    found["schema"] = [pragma.encode() + text(SCHEMAS[0]) for pragma in PRAGMAS] + schemas
    found["match"] = [text(schema) + SEPARATOR + text(data) for schema, data in pairs]
    found["register"] = found["match"][::7]
    found["compare"] = [a + SEPARATOR + b + SEPARATOR + text(random.choice(pairs)[1]) for a, b in itertools.pairwise(schemas)]
    found["compare"] += [a + SEPARATOR + a + SEPARATOR + b"{}" for a in schemas[::3]]
    strings = list(dict.fromkeys(strings))
    patterns = list(dict.fromkeys(patterns))
    found["format"] = [string.encode("utf-8", "surrogatepass") for string in strings]
    found["pattern"] = [SEPARATOR.join(word.encode("utf-8", "surrogatepass") for word in (
        pattern, random.choice(STRINGS), random.choice(patterns))) for pattern in patterns for _ in range(3)]
    # back-references that some string nearby matches
    found["pattern"][:0] = [SEPARATOR.join((rb"^(a|b)\1$", string, b"a+")) for string in (b"ab", b"ba", b"b", b"aab")]
    found["guard"] = [SEPARATOR.join(word.encode() for word in words) for words in EXPRESSIONS]
    found["guard"] += [SEPARATOR.join(words[i].encode() for i, words in enumerate(random.sample(EXPRESSIONS, 3))) for _ in range(50)]
    return found


def make(folder, count, suite):
    for target, all_inputs in inputs(suite).items():
        place = folder / target
        place.mkdir(parents=True, exist_ok=True)
        chosen = list(dict.fromkeys(filter(usable, all_inputs)))
        random.seed(1)
        # those of this file come first, and are always among them
        for data in chosen[:OWN] + random.sample(chosen[OWN:], max(0, min(len(chosen), count) - OWN)):
            (place / hashlib.sha1(data).hexdigest()).write_bytes(data)
        # inputs that once failed
        for path in sorted((HERE / "found").glob(f"{target}-*")):
            shutil.copyfile(path, place / path.name)
        words = {"pattern": SYNTAX, "format": FORMAT_WORDS, "guard": WORDS}.get(target) or [f'"{word}":' for word in keywords()]
        (folder / f"{target}.dict").write_text(dictionary([SEPARATOR, *words]), encoding="ascii")


def control(files):
    """The file that libFuzzer's -merge_inner=1 reads, and appends its results to."""
    print(f"{len(files)}\n0\n" + "\n".join(files))


def smallest(control_file, folder):
    lines = Path(control_file).read_text(encoding="utf-8", errors="replace").split("\n")
    count = int(lines[0])
    files = lines[2:2 + count]
    reached = {}
    for line in lines[2 + count:]:
        word, _, rest = line.partition(" ")
        if word == "FT":
            number, *features = map(int, rest.split())
            reached[number] = set(features)
    folder.mkdir(parents=True, exist_ok=True)
    covered = set()
    kept = 0
    # small ones first, so that large ones add only what no small one reaches
    for number in sorted(reached, key=lambda one: Path(files[one]).stat().st_size):
        if reached[number] - covered:
            covered |= reached[number]
            data = Path(files[number]).read_bytes()
            (folder / hashlib.sha1(data).hexdigest()).write_bytes(data)
            kept += 1
    print(f"{count} inputs, {kept} kept, {len(covered)} features")


def main():
    if len(sys.argv) < 3 or sys.argv[1] not in ("make", "smallest", "control"):
        sys.exit(__doc__)
    if sys.argv[1] == "make":
        make(Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4] if len(sys.argv) > 4 else None)
    elif sys.argv[1] == "smallest":
        smallest(sys.argv[2], Path(sys.argv[3]))
    else:
        control(sorted(str(path) for folder in sys.argv[2:] for path in Path(folder).iterdir()))


main()
