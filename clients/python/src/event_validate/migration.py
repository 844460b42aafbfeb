"""sql: a migration that registers the schemas of a folder, and one that drops them again."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from collections.abc import Mapping

from event_validate.errors import Failure
from event_validate.jsontext import JSON, same
from event_validate.names import function_name
from event_validate.options import TypeOptions
from event_validate.references import MAPS, in_order
from event_validate.tree import Schema, Tree

_ANNOTATIONS = frozenset({"title", "description", "default", "examples", "deprecated", "readOnly", "writeOnly", "$comment"})
_APPLICATORS = frozenset({
    "additionalItems", "additionalProperties", "allOf", "anyOf", "contains", "contentSchema", "else", "if", "items", "not", "oneOf", "prefixItems",
    "propertyNames", "then", "unevaluatedItems", "unevaluatedProperties"})


@dataclasses.dataclass(frozen=True, slots=True)
class Step:
    """A statement, with values for the places $1, $2 ... in it."""

    statement: str
    values: tuple[str | int | bool, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True)
class Migration:
    up: list[Step]
    down: list[Step]
    names: list[tuple[str, int]]  # the versions
    functions: list[str]


def quoted_identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A string of SQL, whatever standard_conforming_strings says."""
    return ("E" if "\\" in text else "") + "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


def dollar_quoted(text: str) -> str:
    """A text between $schema$ and $schema$, or another tag that is not in the text."""
    number = 0
    while f"$schema{number or ''}$" in text + "$":
        number += 1
    tag = f"$schema{number or ''}$"
    return f"{tag}{text}{tag}"


def make_migration(tree: Tree, since: Mapping[str, Schema], policies: Mapping[str, TypeOptions], schema: str | None) -> Migration:
    """The steps that register what is not in since, whose policies are given; the calls are qualified with the extension's schema."""
    prefix = f"{quoted_identifier(schema)}." if schema else ""
    up: list[Step] = []
    down: list[Step] = []
    wanted = _wanted(tree, since)
    for event_type in tree.types():
        options, before = tree.options.get(event_type, TypeOptions()), policies.get(event_type, TypeOptions())
        if options.policy is None or options.whole_policy == before.whole_policy:
            continue
        up.append(_set_policy(event_type, options, prefix))
        if before.policy is not None:
            down.append(_set_policy(event_type, before, prefix))
        else:
            down.append(Step(f"DROP FUNCTION event_schema.{quoted_identifier(function_name(event_type, 'compatibility'))}()"))
    for key, item in sorted(tree.schemas.items()):
        if key in since and not same(since[key].value, item.value):  # only annotations differ
            up.append(_register([item], prefix))
            down.append(_register([since[key]], prefix))
    graph = {key: targets & wanted.keys() for key, targets in tree.graph().items() if key in wanted}
    for group in in_order(_with_versions(graph, wanted)):
        members = [wanted[key] for key in group]
        up.append(_register(members, prefix))
        down.append(_drop(members, prefix))
    found = sorted(wanted.values(), key=lambda item: item.sort_key)
    return Migration(up, down[::-1], [(item.name, item.version) for item in found if item.version is not None], [item.function for item in found])


def _set_policy(event_type: str, options: TypeOptions, prefix: str) -> Step:
    values: list[str | int | bool] = [event_type, options.policy or "backward"]
    said = ""
    if not options.lenient:
        values.append(False)
        said += f", lenient => ${len(values)}"
    if options.unknown != "refuse":
        values.append(options.unknown)
        said += f", unknown => ${len(values)}"
    return Step(f"SELECT {prefix}set_event_compatibility($1, $2{said})", tuple(values))


def array(items: list[str]) -> str:
    """The text of an array of texts."""
    return "{" + ",".join('"' + item.replace("\\", "\\\\").replace('"', '\\"') + '"' for item in items) + "}"


def _wanted(tree: Tree, since: Mapping[str, Schema]) -> dict[str, Schema]:
    changed = [item for key, item in tree.schemas.items() if key in since and not _equal(since[key], item)]
    if changed:
        raise Failure("\n".join(f'{item.path}: error: "{item.key}" differs from the one in {since[item.key].path}' for item in changed),
                      "A published schema must not change: add the next version.")
    return {key: item for key, item in sorted(tree.schemas.items(), key=lambda pair: pair[1].sort_key) if key not in since}


def _bare(schema: JSON) -> JSON:
    """The schema without annotations, which may change after it is published."""
    if not isinstance(schema, dict):
        return schema
    found = {key: value for key, value in schema.items() if key not in _ANNOTATIONS}
    for key, value in found.items():
        if key in _APPLICATORS:
            found[key] = [_bare(item) for item in value] if isinstance(value, list) else _bare(value)
        elif key in MAPS and isinstance(value, dict):
            found[key] = {name: _bare(item) for name, item in value.items()}
    return found


def _equal(one: Schema, other: Schema) -> bool:
    """Whether both give the same answers."""
    return same(_bare(one.value), _bare(other.value)) and all(
        getattr(one.options, name) == getattr(other.options, name) for name in ("assert_format", "except_formats", "renames"))


def _with_versions(graph: dict[str, set[str]], wanted: dict[str, Schema]) -> dict[str, set[str]]:
    """Each version also comes after the version before it, so that policies compare them in this order."""
    found = {key: set(targets) for key, targets in graph.items()}
    last: dict[str, str] = {}
    for key, item in sorted(wanted.items(), key=lambda pair: pair[1].sort_key):
        if item.version is not None:
            if item.name in last:
                found[key].add(last[item.name])
            last[item.name] = key
    return found


def _register(members: list[Schema], prefix: str) -> Step:
    if len(members) > 1:
        pairs = [f"${2 * number + 1}::text, ${2 * number + 2}::text" for number in range(len(members))]
        # a call takes at most 100 arguments
        objects = " || ".join("jsonb_build_object(\n  {})".format(",\n  ".join(pairs[start:start + 50])) for start in range(0, len(pairs), 50))
        values = [part for item in members for part in (item.bundle_key, item.body)]
        return Step(f"SELECT name, action FROM {prefix}register_schemas({objects})", tuple(values))
    item = members[0]
    if item.version is None:
        return Step(f"SELECT {prefix}register_schema($1, $2)", (item.name, item.body))
    options = ""
    values: list[str | int | bool] = [item.name, item.version, item.text]
    for name, value in item.options.as_json().items():
        kind = "text[]" if isinstance(value, list) else "jsonb" if isinstance(value, dict) else None
        values.append(array(value) if isinstance(value, list) else json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else value)
        options += f", {name} => CAST(${len(values)} AS {kind})" if kind else f", {name} => ${len(values)}"
    return Step(f"SELECT {prefix}register_event_schema($1, $2, $3{options})", tuple(values))


def _drop(members: list[Schema], prefix: str) -> Step:
    if len(members) == 1 and members[0].version is not None:
        return Step(f"SELECT {prefix}drop_event_schema($1, $2)", (members[0].name, members[0].version))
    return Step("DROP FUNCTION " + ", ".join(f"event_schema.{quoted_identifier(item.function)}(jsonb)" for item in members))


# ---------- formats ----------


def _sql_value(value: str | int | bool) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    return dollar_quoted(value) if "\n" in value or '":' in value else literal(value)


def as_sql(steps: list[Step]) -> str:
    """The steps as a script."""
    def filled(step: Step) -> str:
        def value(match: re.Match[str]) -> str:
            return _sql_value(step.values[int(match[1]) - 1]) if match[1] else match[0]  # in a quoted name, $1 is no place
        return re.sub(r'"(?:[^"]|"")*"|\$(\d+)', value, step.statement) if step.values else step.statement
    return "".join(f"{filled(step)};\n" for step in steps)


def plain(migration: Migration, name: str) -> dict[str, str]:
    """NAME.up.sql and NAME.down.sql, each one transaction."""
    return {f"{name}.up.sql": f"BEGIN;\n\n{as_sql(migration.up)}\nCOMMIT;\n", f"{name}.down.sql": f"BEGIN;\n\n{as_sql(migration.down)}\nCOMMIT;\n"}


def sqitch(migration: Migration, name: str) -> dict[str, str]:
    """The three scripts of a change of sqitch."""
    checks = [f"SELECT 1 / count(*) FROM pg_catalog.pg_proc WHERE pronamespace = 'event_schema'::regnamespace AND proname = {literal(function)};\n"
              for function in migration.functions]
    return {f"deploy/{name}.sql": f"-- Deploy {name} to pg\n\nBEGIN;\n\n{as_sql(migration.up)}\nCOMMIT;\n",
            f"revert/{name}.sql": f"-- Revert {name} from pg\n\nBEGIN;\n\n{as_sql(migration.down)}\nCOMMIT;\n",
            f"verify/{name}.sql": f"-- Verify {name} on pg\n\nBEGIN;\n\n{''.join(checks)}\nROLLBACK;\n"}


_ALEMBIC = '''"""{title}, made by event-schemas sql"""

from alembic import context, op

revision = {revision!r}
down_revision = {down_revision!r}
branch_labels = None
depends_on = None


def run(statement: str) -> None:
    """Runs a statement as it is: neither ":" nor "%" in it means anything."""
    if context.is_offline_mode():
        op.get_context().impl.static_output(statement)
    else:
        op.get_bind().exec_driver_sql(statement, execution_options={{"no_parameters": True}})


def upgrade() -> None:
{up}

def downgrade() -> None:
{down}'''


def _python_call(step: Step) -> str:
    text = as_sql([step]).rstrip("\n")
    if re.search('"""|"$|\r', text) or text.endswith("\\"):
        return f"    run({text!r})\n"
    return f'    run({"r" if chr(92) in text else ""}"""{text}""")\n'


def alembic(migration: Migration, name: str, down_revision: str | None) -> dict[str, str]:
    """A revision of Alembic; its identifier depends on what it does."""
    revision = hashlib.sha256((as_sql(migration.up) + name).encode()).hexdigest()[:12]
    up, down = ("".join(map(_python_call, steps)) or "    pass\n" for steps in (migration.up, migration.down))
    return {f"{revision}_{name}.py": _ALEMBIC.format(title=name, revision=revision, down_revision=down_revision, up=up, down=down)}
