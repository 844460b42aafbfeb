"""Other implementations, with one interface.

answers(groups) takes (dialect, schema as JSON text, assert format, instances as
JSON texts) and returns for each group a list of booleans, or a string with the
reason why the schema was refused.
"""

import json
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "lib"))

from tools import npm_packages  # noqa: E402

AJV = ["ajv@8.17.1", "ajv-formats@3.0.1", "ajv-draft-04@1.0.0"]
V1 = '"$schema":"https://json-schema.org/v1"'
DRAFT2020 = '"$schema":"https://json-schema.org/draft/2020-12/schema"'


def as_known(dialect, schema):
    """None of them supports v1; the schemas of the generator mean the same in 2020-12."""
    if dialect == "v1":
        return "draft2020-12", schema.replace(V1, DRAFT2020)
    return dialect, schema


class JsonschemaRs:
    name = "jsonschema-rs"

    def __init__(self):
        import jsonschema_rs
        self.classes = {
            "draft4": jsonschema_rs.Draft4Validator, "draft6": jsonschema_rs.Draft6Validator,
            "draft7": jsonschema_rs.Draft7Validator, "draft2019-09": jsonschema_rs.Draft201909Validator,
            "draft2020-12": jsonschema_rs.Draft202012Validator,
        }
        self.check = jsonschema_rs.meta.validate

    def answers(self, groups):
        return [self.answer(*group) for group in groups]

    def answer(self, dialect, schema, assert_format, instances):
        dialect, schema = as_known(dialect, schema)
        try:
            document = json.loads(schema)
            if not isinstance(document, bool):
                self.check(document)
            validator = self.classes[dialect](document, validate_formats=assert_format)
        except ValueError as error:
            return str(error).split("\n", maxsplit=1)[0]
        return [validator.is_valid(json.loads(instance)) for instance in instances]


class Jsonschema:
    name = "jsonschema"

    def __init__(self):
        from jsonschema import validators
        self.classes = {}
        for dialect, cls in (("draft4", validators.Draft4Validator), ("draft6", validators.Draft6Validator),
                             ("draft7", validators.Draft7Validator), ("draft2019-09", validators.Draft201909Validator),
                             ("draft2020-12", validators.Draft202012Validator)):
            checker = cls.TYPE_CHECKER.redefine("integer", self.is_integer)
            self.classes[dialect] = validators.extend(cls, type_checker=checker)

    @staticmethod
    def is_integer(_, value):
        """Numbers are exact here, and numbers without a fraction are integers."""
        return not isinstance(value, bool) and isinstance(value, (int, Decimal)) and value == int(value)

    def answers(self, groups):
        return [self.answer(*group) for group in groups]

    def answer(self, dialect, schema, assert_format, instances):
        from jsonschema.exceptions import SchemaError
        dialect, schema = as_known(dialect, schema)
        document = json.loads(schema, parse_float=Decimal)
        cls = self.classes[dialect]
        try:
            cls.check_schema(json.loads(schema))
        except SchemaError as error:
            return error.message
        validator = cls(document, format_checker=cls.FORMAT_CHECKER if assert_format else None)
        answers = []
        for instance in instances:
            try:
                answers.append(validator.is_valid(json.loads(instance, parse_float=Decimal)))
            except Exception as error:  # pylint: disable=broad-except
                answers.append(f"{type(error).__name__}: {error}"[:200])
        return answers


class Ajv:
    name = "ajv"

    def __init__(self):
        self.folder = npm_packages(*AJV)

    def answers(self, groups):
        lines = []
        for dialect, schema, assert_format, instances in groups:
            dialect, schema = as_known(dialect, schema)
            lines.append(f'{{"dialect":"{dialect}","schema":{schema},"assertFormat":{str(assert_format).lower()},'
                         f'"instances":[{",".join(instances)}]}}\n')
        done = subprocess.run(["node", str(HERE / "ajv.mjs"), str(self.folder)], input="".join(lines),
                              capture_output=True, text=True, encoding="utf-8", check=False)
        if done.returncode != 0:
            raise RuntimeError(f"ajv: {done.stderr}")
        return [json.loads(line) for line in done.stdout.splitlines()]


OPPONENTS = [JsonschemaRs, Jsonschema, Ajv]
