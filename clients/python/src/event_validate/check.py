"""check: whether the files of a folder can be registered, beside what a server or a base has.  Nothing is kept."""

from __future__ import annotations

import dataclasses

import psycopg

from event_validate.errors import Failure, Finding
from event_validate.faults import findings_of, is_about_schemas
from event_validate.jsontext import same
from event_validate.options import TypeOptions
from event_validate.server import Published, Server
from event_validate.tree import Schema, Tree


@dataclasses.dataclass(slots=True)
class Registration:
    """What a registration would do, or did."""

    actions: dict[str, str]  # registered, replaced (only annotations differ), unchanged; by key
    policies: dict[str, TypeOptions]  # those that were set
    findings: list[Finding]


def missing(tree: Tree, published: Published) -> list[Schema]:
    """The schemas of the files that a server does not have exactly so, in the order of their names."""
    found = []
    for schema in sorted(tree.schemas.values(), key=lambda schema: schema.sort_key):
        there = published.schemas.get(schema.key)
        if there is None or there.text != schema.text or not _same_options(there, schema):
            found.append(schema)
    return found


def _same_options(one: Schema, other: Schema) -> bool:
    # "breaking" and "accept" have no effect on a version that is published already; the server refuses other renames
    return one.options.renames == other.options.renames and one.options.assert_format == other.options.assert_format and one.options.except_formats == other.options.except_formats


def register(server: Server, tree: Tree, published: Published, annotations: bool) -> Registration:
    """Registers what is missing, in the current transaction; nothing if there are errors.

    Only with annotations are those of published schemas replaced."""
    done = Registration({}, {}, [])
    types = set(tree.types())
    for event_type, options in sorted(tree.options.items()):
        if options.policy is None or event_type not in types:
            continue
        there = published.options.get(event_type, TypeOptions())
        if there.whole_policy != options.whole_policy:
            server.set_policy(event_type, options.policy, options.lenient, options.unknown)
            done.policies[event_type] = options
    wanted = missing(tree, published)
    done.actions = {key: "unchanged" for key in tree.schemas}
    while wanted:
        server.rows("SAVEPOINT event_schemas")
        try:
            actions = server.register(wanted)
        except psycopg.Error as error:
            if not is_about_schemas(error):
                raise
            server.rows("ROLLBACK TO SAVEPOINT event_schemas")
            done.findings.extend(findings_of(error, wanted))
            done.actions = {}
            return done
        done.actions.update(actions)
        kept = [schema for schema in wanted if actions[schema.key] != "replaced"]
        if annotations or len(kept) == len(wanted):
            break
        server.rows("ROLLBACK TO SAVEPOINT event_schemas")
        done.actions.update({schema.key: "annotations differ" for schema in wanted if schema not in kept})
        wanted = kept
    return done


def lint(server: Server, schemas: list[Schema], with_errors: bool) -> list[Finding]:
    """Warnings and notes about schemas."""
    found = []
    for number, severity, location, rule, message in server.lint([schema.body for schema in schemas]):
        if severity != "error" or with_errors:
            found.append(schemas[number].finding(severity, message, location or "", rule=rule))
    return found


def check(server: Server, tree: Tree, base: Tree | None) -> list[Finding]:
    """All findings about a folder, in the order of its files.  Everything is rolled back."""
    found = list(tree.findings)
    if base is not None:
        load_base(server, base)
    published = server.published()
    wanted = missing(tree, published)
    done = register(server, tree, published, annotations=False)
    found.extend(done.findings)
    found.extend(lint(server, wanted, with_errors=False))
    where = base.shown if base is not None else server.shown
    for key, action in done.actions.items():
        schema = tree.schemas[key]
        there = published.schemas.get(key)
        if action == "annotations differ" and there is not None and not same(there.value, schema.value):
            found.append(schema.finding("note", f"differs from the one in {where} in annotations", hint="push --annotations replaces them."))
    found.extend(_without_file(tree, published, where))
    server.connection.rollback()
    return sorted(found, key=lambda finding: (finding.path, finding.line or 0, finding.column or 0))


def _without_file(tree: Tree, published: Published, where: str) -> list[Finding]:
    types = set(tree.types())
    return [Finding("note", f'"{key}" is in {where} and has no file', tree.shown, hint="pull writes it.")
            for key, schema in published.schemas.items() if key not in tree.schemas and schema.version is not None and schema.name in types]


def load_base(server: Server, base: Tree) -> None:
    """Registers the schemas of a base, which are published: no policy is asked."""
    if base.errors:
        first = next(finding for finding in base.findings if finding.severity == "error")
        raise Failure(f"the base cannot be read: {first}")
    published = server.published()
    types = base.types()
    for event_type in types:
        server.set_policy(event_type, "none")
    try:
        server.register(missing(base, published))
    except psycopg.Error as error:
        if not is_about_schemas(error):
            raise
        raise Failure("the base cannot be registered: " + "; ".join(map(str, findings_of(error, base.schemas.values())))) from None
    for event_type in types:
        options = base.options.get(event_type) or published.options.get(event_type) or TypeOptions()
        server.set_policy(event_type, options.policy or "backward", options.lenient, options.unknown)
