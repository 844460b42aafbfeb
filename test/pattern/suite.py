#!/usr/bin/env python3
"""The official JSON Schema test suite, as far as it is about patterns.

Usage: suite.py DIRECTORY

DIRECTORY is the suite's "tests".  Evaluates the schemas of the files below
(they use half a dozen keywords) with the functions of pattern_test.sql, see
differential.mjs for how the server is found.  Every case must come out.
"""

import glob
import json
import os
import subprocess
import sys

FILES = ["pattern.json", "patternProperties.json",
         "optional/ecmascript-regex.json", "optional/non-bmp-regex.json",
         "optional/format/regex.json", "optional/format/ecmascript-regex.json",
         "format/regex.json", "format/ecmascript-regex.json"]

TYPES = {
    "string": lambda v: isinstance(v, str),
    "integer": lambda v: isinstance(v, (int, float)) and not isinstance(v, bool) and v == int(v),
    "number": lambda v: isinstance(v, (int, float)) and not isinstance(v, bool),
    "array": lambda v: isinstance(v, list),
    "null": lambda v: v is None,
    "boolean": lambda v: isinstance(v, bool),
    "object": lambda v: isinstance(v, dict),
}


class Answers:
    """Questions are gathered in a first run and answered all at once."""

    def __init__(self):
        self.asked = []
        self.answers = {}

    def ask(self, *question):
        if question not in self.answers:
            self.asked.append(question)
            return False
        return self.answers[question]

    def fetch(self):
        def literal(text):
            return "convert_from('\\x%s', 'UTF8')" % text.encode("utf-8").hex()
        sql = "".join(
            "SELECT %s(%s);\n" % (q[0], ", ".join(literal(a) for a in q[1:])) for q in self.asked)
        out = subprocess.run(["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-f", "-"],
                             input=sql, capture_output=True, text=True, check=True).stdout
        lines = out.split("\n")[:-1]
        assert len(lines) == len(self.asked)
        self.answers = {q: {"t": True, "f": False}[a] for q, a in zip(self.asked, lines)}


def valid(schema, value, answers):
    if isinstance(schema, bool):
        return schema
    results = []
    for keyword, argument in schema.items():
        if keyword == "$schema":
            continue
        elif keyword == "type":
            results.append(TYPES[argument](value))
        elif keyword == "maximum":
            results.append(not isinstance(value, (int, float)) or value <= argument)
        elif keyword == "pattern":
            if isinstance(value, str):
                results.append(answers.ask("pattern_test", argument, value))
        elif keyword == "format":
            assert argument == "regex"
            if isinstance(value, str):
                results.append(answers.ask("pattern_valid", value))
        elif keyword == "patternProperties":
            if isinstance(value, dict):
                for pattern, inner in argument.items():
                    for name, member in value.items():
                        inside = valid(inner, member, answers)
                        results.append(not answers.ask("pattern_test", pattern, name) or inside)
        elif keyword == "additionalProperties":
            if isinstance(value, dict):
                for name in value:
                    matched = [answers.ask("pattern_test", pattern, name)
                               for pattern in schema.get("patternProperties", {})]
                    results.append(any(matched) or valid(argument, value[name], answers))
        else:
            raise ValueError("keyword " + keyword)
    return all(results)


def main():
    answers = Answers()
    count = failures = 0
    for final in (False, True):
        for directory in sorted(glob.glob(os.path.join(sys.argv[1], "*"))):
            for name in FILES:
                path = os.path.join(directory, name)
                if not os.path.exists(path):
                    continue
                with open(path, encoding="utf-8") as source:
                    groups = json.load(source)
                for group in groups:
                    for case in group["tests"]:
                        result = valid(group["schema"], case["data"], answers)
                        if not final:
                            continue
                        count += 1
                        if result != case["valid"]:
                            failures += 1
                            print("NOT OK:", path, group["description"], case["description"])
        if not final:
            answers.fetch()
    print("%d cases, %d failures" % (count, failures))
    return failures > 0 or count == 0


if __name__ == "__main__":
    sys.exit(main())
