"""The command event-schemas."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import click

from event_validate import __version__
from event_validate.errors import Failure, Finding, shown
from event_validate.options import VersionOptions
from event_validate.tree import Tree, read_tree

WRONG, UNUSABLE, UNKNOWN = 1, 2, 3
Command = TypeVar("Command", bound=Callable[..., Any])


def _say(text: str, err: bool = False) -> None:
    """Prints a message, which can quote what a registry or a file says."""
    click.echo(shown(text), err=err)


class _Group(click.Group):
    """A group whose commands end with a message, not with a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except Failure as failure:
            _say(f"event-schemas: {failure}", err=True)
            if failure.hint:
                _say(f"    {failure.hint}", err=True)
        except ImportError as error:
            if "psycopg" not in f"{error.name} {error}" and "libpq" not in str(error) and "pq wrapper" not in str(error):
                raise
            click.echo("event-schemas: psycopg finds no libpq: install it (Debian: libpq5), or the extra \"binary\" of this package", err=True)
        except RecursionError:
            click.echo("event-schemas: a document is nested too deeply", err=True)
        except KeyboardInterrupt:
            click.echo("event-schemas: interrupted", err=True)
            ctx.exit(128 + signal.SIGINT)
        except UnicodeEncodeError as error:
            click.echo(f"event-schemas: a text cannot be written in the encoding {error.encoding}: {error.reason}", err=True)
        except BrokenPipeError:
            # the reader, such as head, has ended
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        ctx.exit(UNUSABLE)


def _terminated(number: int, _frame: object) -> NoReturn:
    sys.exit(128 + number)  # ends the throwaway server


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="event-schemas")
def main() -> None:
    """Event schemas in files: check, compare, register, migrate, document and exchange them.

    A folder has a file TYPE@VERSION.json for each version, and optionally TYPE@options.json.
    docs/how-to/event-schemas.md describes the files and the commands."""
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)  # Windows has no SIGHUP
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:  # nohup ignores SIGHUP
            signal.signal(number, _terminated)


# ---------- options that several commands have ----------


def _server_options(command: Command) -> Command:
    for option in (
            click.option("--throwaway", is_flag=True, help="Use a throwaway server, even if a server is named."),
            click.option("--pg-config", metavar="PROGRAM", help="The PostgreSQL for the throwaway server (default: PG_CONFIG, or the one in PATH)."),
            click.option("--dsn", metavar="DSN", envvar="EVENT_SCHEMAS_DSN", help="The server: a connection string or URL (default: the PG... variables).")):
        command = option(command)
    return command


def _registry_options(command: Command) -> Command:
    for option in (
            click.option("--timeout", type=click.FloatRange(min=0.1, max=86400), default=30, show_default=True, help="Seconds to wait for an answer."),
            click.option("--user", metavar="NAME", help="The user; the password is in EVENT_SCHEMAS_REGISTRY_PASSWORD. A bearer token is in EVENT_SCHEMAS_REGISTRY_TOKEN."),
            click.option("--group", default="default", show_default=True, help="The group of artifacts (Apicurio)."),
            click.option("--kind", type=click.Choice(["confluent", "apicurio", "apicurio2", "apicurio3"]), default="confluent", show_default=True,
                         help="The registry's REST interface; apicurio chooses the newest that the server has.")):
        command = option(command)
    return command


@contextlib.contextmanager
def _server(dsn: str | None, pg_config: str | None, throwaway: bool) -> Iterator[Any]:
    from event_validate.server import open_server
    with open_server(dsn, pg_config, throwaway) as server:
        yield server


def _registry(kind: str, url: str, user: str | None, group: str, timeout: float) -> Any:
    from event_validate.registries.apicurio import Apicurio
    from event_validate.registries.confluent import Confluent
    from event_validate.registries.rest import Http
    http = Http(url, user, timeout)
    if kind == "confluent":
        return Confluent(http)
    return Apicurio(http, group, int(kind[-1]) if kind[-1].isdigit() else None)


def _folder(text: str) -> Tree:
    tree = read_tree(text)
    if not tree.is_folder:
        raise Failure(f"{text} is not a folder")
    return tree


def _sound(tree: Tree) -> Tree:
    """The tree; ends the command if a file has a fault."""
    if tree.errors:
        _report([finding for finding in tree.findings if finding.severity == "error"])
        sys.exit(WRONG)
    return tree


def _report(findings: Sequence[Finding], err: bool = True) -> None:
    for finding in findings:
        _say(str(finding), err=err)


def _count(number: int, one: str) -> str:
    return f"{number} {one}{'' if number == 1 else 's'}"


def _summary(tree: Tree, findings: Sequence[Finding]) -> str:
    counts = [_count(sum(finding.severity == severity for finding in findings), severity) for severity in ("error", "warning", "note")]
    return f"{_count(len(tree.schemas), 'schema')} of {_count(len(tree.types()), 'type')}: {', '.join(counts)}"


# ---------- check, diff ----------


@main.command()
@click.argument("directory", metavar="DIR")
@click.option("--base", metavar="SOURCE", help="What is published: a folder, or git:REV:path. For a throwaway server; a server that is named has it already.")
@click.option("--strict", is_flag=True, help="Warnings are errors.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@_server_options
def check(directory: str, base: str | None, strict: bool, form: str, dsn: str | None, pg_config: str | None, throwaway: bool) -> None:
    """Check that the files of DIR can be registered.

    The server that is named has the published schemas; nothing in it is changed. Without one, a
    throwaway server is started. Exit status: 0 if all holds, 1 if not, 2 if it could not be checked."""
    from event_validate import check as checking
    if base is not None and dsn is not None:
        raise Failure("--base and --dsn exclude each other", "What is published is on the server, or in the base.")
    tree = _folder(directory)
    published = read_tree(base) if base is not None else None
    with _server(dsn, pg_config, throwaway or base is not None) as server:
        findings = checking.check(server, tree, published)
    if form == "json":
        click.echo(json.dumps([finding.as_json() for finding in findings], indent=2))
    else:
        _report(findings, err=False)
    click.echo(_summary(tree, findings), err=True)
    if any(finding.severity == "error" or (strict and finding.severity == "warning") for finding in findings):
        sys.exit(WRONG)


@main.command()
@click.argument("old", metavar="A")
@click.argument("new", metavar="B")
@click.option("--direction", type=click.Choice(["backward", "forward", "full"]), default="backward", show_default=True,
              help="What the exit status is about: stored events under B (backward), events of B under A (forward), or both.")
@click.option("--lenient/--strict", default=True, show_default=True, help="How properties count that one side does not declare.")
@click.option("--format", "form", type=click.Choice(["markdown", "json"]), default="markdown", show_default=True)
@_server_options
def diff(old: str, new: str, direction: str, lenient: bool, form: str, dsn: str | None, pg_config: str | None, throwaway: bool) -> None:
    """Compare A with B: files, folders, or git:REV:path.

    Of two folders, a new version is compared with the version before it. Exit status: 0 compatible,
    1 incompatible, 3 unknown, 2 if they could not be compared."""
    from event_validate import diff as comparing
    sides = [_sound(read_tree(old)), _sound(read_tree(new))]
    with _server(dsn, pg_config, throwaway) as server:
        difference = comparing.compare(server, sides[0], sides[1], lenient)
    if form == "json":
        click.echo(json.dumps({"direction": direction, "verdict": difference.verdict(direction), **comparing.as_json(difference)}, indent=2, ensure_ascii=False))
    else:
        click.echo(comparing.as_markdown(difference), nl=False)
    sys.exit({"compatible": 0, "incompatible": WRONG, "unknown": UNKNOWN}[difference.verdict(direction)])


# ---------- push, pull ----------


def _named_server(dsn: str | None) -> None:
    from event_validate.server import is_given
    if not is_given(dsn):
        raise Failure("no server is named", "Name it by --dsn, or by the PG... variables.")


@main.command()
@click.argument("directory", metavar="DIR")
@click.option("--dry-run", is_flag=True, help="Say what would be registered, and register nothing.")
@click.option("--annotations", is_flag=True, help="Replace annotations (title, description, deprecated ...) of published schemas.")
@click.option("--dsn", metavar="DSN", envvar="EVENT_SCHEMAS_DSN", help="The server (default: the PG... variables).")
def push(directory: str, dry_run: bool, annotations: bool, dsn: str | None) -> None:
    """Register the schemas of DIR that the server does not have.

    All in one transaction, or none. What is published is never changed. Exit status: 0, 1 if a
    schema is refused, 2 if it could not be tried."""
    from event_validate.check import register
    tree = _sound(_folder(directory))
    _named_server(dsn)
    with _server(dsn, None, False) as server:
        done = register(server, tree, server.published(), annotations)
        if done.findings or dry_run:
            server.connection.rollback()
        else:
            server.connection.commit()
    for warning in dict.fromkeys(server.warnings):
        _say(f"warning: {warning}", err=True)
    if done.findings:
        _report(done.findings)
        click.echo("nothing is registered", err=True)
        sys.exit(WRONG)
    would = "would be " if dry_run else ""
    for event_type, options in done.policies.items():
        _say(f"{event_type}: policy {would}set to {options.policy}{'' if options.lenient else ', strict'}{', what is unknown gives a warning' if options.unknown == 'warn' else ''}")
    for key, action in done.actions.items():
        if action in ("registered", "replaced"):
            _say(f"{key}: {would}{'registered' if action == 'registered' else 'given new annotations'}")
        elif action == "annotations differ":
            _say(f"{key}: annotations differ, and are left as they are (--annotations replaces them)")
    same = sum(action == "unchanged" for action in done.actions.values())
    click.echo(f"{_count(same, 'schema')} unchanged", err=True)


@main.command()
@click.argument("directory", metavar="DIR")
@click.option("--type", "types", metavar="TYPE", multiple=True, help="Only this type and what it refers to; can be repeated.")
@click.option("--overwrite", is_flag=True, help="Replace files that differ from what is registered.")
@click.option("--dsn", metavar="DSN", envvar="EVENT_SCHEMAS_DSN", help="The server (default: the PG... variables).")
def pull(directory: str, types: tuple[str, ...], overwrite: bool, dsn: str | None) -> None:
    """Write the schemas of the server into DIR.

    Files that differ are left as they are, and the exit status is 1, unless --overwrite is given."""
    from event_validate.writing import Folder
    _named_server(dsn)
    with _server(dsn, None, False) as server:
        published = server.published()
        server.connection.rollback()
    schemas = published.schemas
    if types:
        unknown = set(types) - {schema.name for schema in schemas.values() if schema.version is not None}
        if unknown:
            raise Failure(f'event type "{sorted(unknown)[0]}" is not registered in {server.shown}')
        graph = Tree("", True, schemas).graph()
        wanted = {key for key, schema in schemas.items() if schema.name in types and schema.version is not None}
        while more := {target for key in wanted for target in graph[key]} - wanted:
            wanted |= more
        schemas = {key: schema for key, schema in schemas.items() if key in wanted}
    for name in published.nameless:
        _say(f'warning: function "{name}" is a document whose URI is not known (nothing refers to it, and it has no $id): it is left out', err=True)
    _write(Folder(directory), schemas.values(), published.options, overwrite)


def _write(folder: Any, schemas: Any, options: Any, overwrite: bool) -> None:
    done = folder.write(schemas, options, overwrite)
    for path in done.written:
        _say(f"{path}: written")
    for path in done.different:
        _say(f"{path}: differs, and is left as it is (--overwrite replaces it)", err=True)
    click.echo(f"{_count(len(done.written), 'file')} written, {len(done.unchanged)} unchanged, {len(done.different)} different", err=True)
    if done.different:
        sys.exit(WRONG)


# ---------- sql, docs ----------


def _write_out(output: str, files: dict[str, str]) -> None:
    from event_validate.writing import write_file
    for name, text in files.items():
        path = Path(output, name)
        write_file(path, text)
        _say(f"{path}: written")


@main.command("sql")
@click.argument("directory", metavar="DIR")
@click.option("--format", "form", type=click.Choice(["plain", "sqitch", "alembic"]), default="plain", show_default=True)
@click.option("--since", metavar="SOURCE", help="Leave out what this folder, or git:REV:path, has.")
@click.option("--missing", is_flag=True, help="Leave out what the server has (--dsn, or the PG... variables).")
@click.option("--output", "-o", metavar="FOLDER", help="Write the files of the migration there. Without it, the up script is printed.")
@click.option("--down", is_flag=True, help="Print the down script.")
@click.option("--name", default="event_schemas", show_default=True, help="The name of the migration.")
@click.option("--schema", metavar="SCHEMA", help="The schema of the extension, if it is not in the search path.")
@click.option("--down-revision", metavar="REVISION", help="The revision before it (Alembic).")
@click.option("--dsn", metavar="DSN", envvar="EVENT_SCHEMAS_DSN", help="The server for --missing.")
def sql_command(directory: str, form: str, since: str | None, missing: bool, output: str | None, down: bool, name: str, schema: str | None,
                down_revision: str | None, dsn: str | None) -> None:
    """Write a migration that registers the schemas of DIR, and one that drops them."""
    from event_validate import migration
    if not name.replace("_", "").replace("-", "").isalnum() or not name.isascii():
        raise Failure(f'the name "{name}" must have only letters, digits, "_" and "-"')
    if since is not None and missing:
        raise Failure("--since and --missing exclude each other")
    tree = _sound(_folder(directory))
    before, policies = {}, {}
    if since is not None:
        other = _sound(read_tree(since))
        before, policies = other.schemas, other.options
    elif missing:
        _named_server(dsn)
        with _server(dsn, None, False) as server:
            published = server.published()
            server.connection.rollback()
        before, policies = published.schemas, published.options
    made = migration.make_migration(tree, before, policies, schema)
    if not made.up:
        click.echo("nothing is missing", err=True)
        return
    if form == "alembic":
        files = migration.alembic(made, name, down_revision)
    else:
        files = (migration.sqitch if form == "sqitch" else migration.plain)(made, name)
    if output is not None:
        _write_out(output, files)
        if form == "sqitch":
            click.echo(f"add it to the plan: sqitch add {name} -n 'event schemas'", err=True)
    elif form == "alembic":
        click.echo(next(iter(files.values())), nl=False)
    else:
        click.echo(list(files.values())[1 if down else 0], nl=False)


@main.command()
@click.argument("directory", metavar="DIR")
@click.argument("output", metavar="FOLDER")
@click.option("--format", "form", type=click.Choice(["markdown", "html", "eventcatalog"]), default="markdown", show_default=True,
              help="Pages of Markdown; a site of static HTML; the folders of EventCatalog.")
@click.option("--title", default="Events", show_default=True, help="The title of the site (html).")
@click.option("--offline", is_flag=True, help="Leave out what needs a server: the changes between versions, and in html and eventcatalog what references to other files lead to, and examples that are made.")
@_server_options
def docs(directory: str, output: str, form: str, title: str, offline: bool, dsn: str | None, pg_config: str | None, throwaway: bool) -> None:
    """Write pages about each type of DIR, and a list of them, into FOLDER."""
    from event_validate.diff import Comparison, compare
    from event_validate.pages import description_of_files, make_pages
    tree = _sound(_folder(directory))
    changes: dict[str, Comparison] = {}
    descriptions = {key: description_of_files(schema, tree) for key, schema in tree.schemas.items()} if offline and form != "markdown" else {}
    if not offline:
        with _server(dsn, pg_config, throwaway) as server:
            # from nothing: each version is compared with the one before it
            changes = {comparison.name: comparison for comparison in compare(server, Tree("nothing", True), tree, True).comparisons}
            if form != "markdown":
                from event_validate.describing import describe
                descriptions = dict(describe(server, tree))
    if form == "html":
        from event_validate.site import Site
        _write_out(output, Site(tree, descriptions, changes, title).pages())
    elif form == "eventcatalog":
        from event_validate.eventcatalog import make_catalog
        _write_out(output, make_catalog(tree, descriptions, changes))
    else:
        _write_out(output, make_pages(tree, changes))


# ---------- import, export ----------


@main.command("import")
@click.argument("url", metavar="URL")
@click.argument("directory", metavar="DIR")
@click.option("--subject", "subjects", metavar="PATTERN", multiple=True, help="Only subjects that match (* and ? as in a shell); can be repeated.")
@click.option("--strip", metavar="SUFFIX", default="", help="Remove this end from subjects to get types, such as -value.")
@click.option("--dialect", metavar="URI", help="The $schema of documents that have none (default for Confluent: draft 7).")
@click.option("--no-assert-format", is_flag=True, help="Formats are annotations in what is imported.")
@click.option("--overwrite", is_flag=True, help="Replace files that differ.")
@_registry_options
def import_command(url: str, directory: str, subjects: tuple[str, ...], strip: str, dialect: str | None, no_assert_format: bool, overwrite: bool,
                   kind: str, group: str, user: str | None, timeout: float) -> None:
    """Write the JSON Schemas of the registry at URL into DIR."""
    from event_validate.registries.transfer import import_from
    from event_validate.writing import Folder
    folder = Folder(directory)
    found = import_from(_registry(kind, url, user, group, timeout), subjects, strip, dialect, VersionOptions(not no_assert_format))
    _report(found.findings)
    if any(finding.severity == "error" for finding in found.findings):
        click.echo("nothing is written", err=True)
        sys.exit(WRONG)
    _write(folder, found.schemas, found.options, overwrite)


@main.command("export")
@click.argument("directory", metavar="DIR")
@click.argument("url", metavar="URL")
@click.option("--append", metavar="SUFFIX", default="", help="Add this end to types to get subjects, such as -value.")
@click.option("--policies", is_flag=True, help="Set the compatibility of subjects to the policies of DIR, after all versions are registered.")
@click.option("--dry-run", is_flag=True, help="Say what would be registered, and register nothing.")
@_registry_options
def export_command(directory: str, url: str, append: str, policies: bool, dry_run: bool, kind: str, group: str, user: str | None, timeout: float) -> None:
    """Register the schemas of DIR in the registry at URL."""
    from event_validate.registries.transfer import export_to
    tree = _sound(_folder(directory))
    done = export_to(_registry(kind, url, user, group, timeout), tree, append, policies, dry_run)
    _report(done.findings)
    for key in done.registered:
        _say(f"{key}: {'would be registered' if dry_run else 'registered'}")
    click.echo(f"{_count(len(done.unchanged), 'schema')} unchanged", err=True)
    if any(finding.severity == "error" for finding in done.findings):
        sys.exit(WRONG)
