"""A server with the extension: given by a connection string or PG... variables, or a throwaway one."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import psycopg
from psycopg import conninfo, sql

from event_validate import jsontext
from event_validate.errors import Failure
from event_validate.names import document_function_name
from event_validate.options import TypeOptions, VersionOptions, as_renames
from event_validate.references import references
from event_validate.throwaway import throwaway_server
from event_validate.tree import Schema

EXTENSION = "event_validate"
_PG_VARIABLES = ("PGHOST", "PGHOSTADDR", "PGPORT", "PGDATABASE", "PGSERVICE", "PGUSER")


def is_given(dsn: str | None) -> bool:
    """Whether the user names a server."""
    return dsn is not None or any(os.environ.get(name) for name in _PG_VARIABLES)


def _secrets(dsn: str) -> list[str]:
    """Parts of a connection string, and the environment, that no message may contain."""
    found = {os.environ.get("PGPASSWORD", "")}
    with contextlib.suppress(psycopg.Error):
        found.add(str(conninfo.conninfo_to_dict(dsn).get("password") or ""))
    userinfo = re.match(r"[a-z]+://[^:@/]*:(.*)@", dsn)
    if userinfo:
        found.update([userinfo[1], *re.split("[@/?:]", userinfo[1])])
    found.update(re.findall(r"password\s*=\s*(?:'((?:[^'\\]|\\.)*)'|(\S+))", dsn)[0] if re.search(r"password\s*=", dsn) else [])
    return sorted((secret for secret in found if len(secret) > 2), key=len, reverse=True)


def redacted(message: str, dsn: str | None) -> str:
    """The message without the password of the connection string."""
    for secret in _secrets(dsn or ""):
        message = message.replace(secret, "***")
    return message.strip()


def server_failure(error: psycopg.Error, before: str = "") -> Failure:
    """The failure that says what the server said."""
    diagnostics = error.diag
    if diagnostics.message_primary is None:
        return Failure(before + str(error).strip())
    lines = [diagnostics.message_primary, *(diagnostics.message_detail or "").split("\n")]
    return Failure(before + "\n    ".join(line for line in lines if line), diagnostics.message_hint)


@dataclasses.dataclass(slots=True)
class Published:
    """What a server has."""

    schemas: dict[str, Schema]
    options: dict[str, TypeOptions]  # the policy of types that have one of their own
    nameless: list[str]  # functions of documents whose URI is not known


class Server:
    """A connection to a database that has the extension."""

    def __init__(self, connection: psycopg.Connection[Any], shown: str) -> None:
        self.connection, self.shown = connection, shown
        self.warnings: list[str] = []
        row = connection.execute("SELECT n.nspname FROM pg_catalog.pg_extension AS e JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) e.extnamespace"
                                 " WHERE e.extname OPERATOR(pg_catalog.=) %s", [EXTENSION]).fetchone()
        if row is None:
            raise Failure(f"the extension {EXTENSION} is not installed in {shown}", f"CREATE EXTENSION {EXTENSION};")
        self.schema = sql.Identifier(row[0])
        connection.execute("SET search_path = pg_catalog, pg_temp")
        connection.commit()
        connection.add_notice_handler(self._notice)

    def _notice(self, diagnostic: psycopg.errors.Diagnostic) -> None:
        if diagnostic.severity_nonlocalized == "WARNING":
            self.warnings.append(diagnostic.message_primary or "")

    def rows(self, query: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The rows of a query, in which {} is the extension's schema."""
        cursor = self.connection.execute(sql.SQL(query).format(self.schema), values)  # type: ignore[arg-type]
        return cursor.fetchall() if cursor.description else []

    def set_policy(self, event_type: str, policy: str, lenient: bool = True, unknown: str = "refuse") -> None:
        self.rows("SELECT {}.set_event_compatibility(%s::text, %s::text, %s::boolean, %s::text)", [event_type, policy, lenient, unknown])

    def register(self, schemas: Iterable[Schema]) -> dict[str, str]:
        """Registers schemas as one bundle; what was done with each, by key."""
        bundle = jsontext.dumps({schema.bundle_key: schema.body for schema in schemas}, indent="")
        return {name: action for name, action in self.rows("SELECT name, action FROM {}.register_schemas(%s::jsonb)", [bundle])}

    def lint(self, bodies: list[str]) -> list[tuple[int, str, str | None, str, str]]:
        """The index of the body, severity, location, rule and message."""
        return self.rows("SELECT b.i::int - 1, l.severity, l.location, l.rule, l.message"  # type: ignore[return-value]
                         " FROM unnest(%s::text[]) WITH ORDINALITY AS b (body, i), LATERAL {}.lint_event_schema(b.body) AS l", [bodies])

    def changes(self, event_type: str, version: int, body: str, lenient: bool) -> list[tuple[str, str, str, str, str]]:
        """From a registered version to a text: location, rule, backward, forward, message."""
        return self.rows("SELECT location, rule, backward, forward, message FROM {}.event_schema_changes(%s::text, %s::int, %s::text, %s::boolean)",  # type: ignore[return-value]
                         [event_type, version, body, lenient])

    def properties(self, event_type: str, version: int) -> list[tuple[Any, ...]]:
        """The rows of event_schema_properties, with values as JSON texts."""
        return self.rows("SELECT path, condition, type, required, constraints, title, description, default_value::text,"
                         " ARRAY(SELECT e.value::text FROM jsonb_array_elements(examples) WITH ORDINALITY AS e ORDER BY e.ordinality LIMIT 3), deprecated"
                         " FROM {}.event_schema_properties(%s::text, %s::int)", [event_type, version])

    def example(self, event_type: str, version: int) -> str | None:
        """A valid event as JSON text, or None."""
        return self.rows("SELECT jsonb_pretty({}.event_schema_example(%s::text, %s::int))", [event_type, version])[0][0]  # type: ignore[no-any-return]

    def published(self) -> Published:
        """All registered versions, documents and policies."""
        schemas: dict[str, Schema] = {}
        for event_type, version, definition, assert_format, formats, breaking, accept, renames in self.rows(
                "SELECT event_type, schema_version, definition, assert_format, except_formats, breaking, accept, renames FROM {}.event_schemas ORDER BY 1, 2"):
            options = VersionOptions(assert_format, tuple(sorted(formats or ())), breaking, tuple(accept or ()), as_renames(renames))
            schema = Schema(event_type, version, self.shown, definition, _loaded(definition, f"{event_type}@{version}"), options)
            schemas[schema.key] = schema
        published = Published(schemas, {}, [])
        self._documents(published)
        for name, source in self.rows("SELECT p.proname, p.prosrc FROM pg_proc AS p WHERE p.pronamespace = 'event_schema'::regnamespace"
                                      " AND p.pronargs = 0 AND p.proname ~ '[@~]compatibility$'"):
            policy = re.search(r"^SELECT '([a-z_]+)( strict)?( unknown warn)?'", source, re.MULTILINE)
            long_type = re.search(r"^--event_type (.*)$", source, re.MULTILINE)
            if policy and name != "@compatibility":  # that is the default of the database
                event_type = long_type[1] if long_type else name.removesuffix("@compatibility")
                published.options[event_type] = TypeOptions(policy=policy[1], lenient=policy[2] is None, unknown="warn" if policy[3] else "refuse")
        return published

    def _documents(self, published: Published) -> None:
        """Documents with a URI.  Long URIs are found by their comment, by what refers to them, and by their $id."""
        rows = [row for row in self.rows("SELECT p.proname, p.prosrc, obj_description(p.oid, 'pg_proc') FROM pg_proc AS p JOIN pg_language AS l ON l.oid = p.prolang"
                                         " WHERE p.pronamespace = 'event_schema'::regnamespace AND l.lanname = 'jsonschema' ORDER BY 1")
                if row[0] == "uri:" or ("@" not in row[0])]
        if not rows:
            return
        values = {name: _loaded(re.sub(r"\A(#.*\n)*", "", source), name) for name, source, _ in rows}
        known = {document_function_name(uri): uri for uri in self._mentioned(published, values.values())}
        known.update({name: comment for name, _, comment in rows if comment and document_function_name(comment) == name})
        for name, source, _ in rows:
            uri = str(known.get(name, name))
            if re.fullmatch("uri:[0-9a-f]{32}", name) and name not in known:
                published.nameless.append(name)
                continue
            pragmas = re.match(r"\A(#.*\n)*", source)
            text = source[pragmas.end():] if pragmas else source
            published.schemas[uri] = Schema(uri, None, self.shown, text, values[name], _document_options(source[:len(source) - len(text)]))

    @staticmethod
    def _mentioned(published: Published, documents: Iterable[Any]) -> Iterator[str]:
        for schema in published.schemas.values():
            yield from references(schema.value, schema.base)
        for value in documents:
            yield from references(value, "")
            if isinstance(value, dict) and isinstance(value.get("$id"), str):
                yield value["$id"].rstrip("#")


def _loaded(text: str, key: str) -> Any:
    try:
        return jsontext.loads(text)
    except jsontext.Malformed as error:
        raise Failure(f'"{key}" on the server cannot be read: {error.message}') from None


def _document_options(pragmas: str) -> VersionOptions:
    found = re.search(r"^#assert_format[ \t]+(?:(off)|except[ \t]+(.*))$", pragmas, re.MULTILINE)
    if found is None:
        return VersionOptions()
    return VersionOptions(False) if found[1] else VersionOptions(True, tuple(sorted(re.split(r"[,\s]+", found[2].strip()))))


@contextlib.contextmanager
def _no_variables() -> Iterator[None]:
    """libpq finds no PG... variables: PGHOSTADDR or PGSERVICE would lead to another server than the throwaway one."""
    before = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith("PG")}
    try:
        yield
    finally:
        os.environ.update(before)


def _connect(dsn: str) -> psycopg.Connection[Any]:
    defaults = {"application_name": "event-schemas"}
    if "connect_timeout" not in dsn and not os.environ.get("PGCONNECT_TIMEOUT"):
        defaults["connect_timeout"] = "10"
    try:
        given = conninfo.conninfo_to_dict(dsn)
    except psycopg.ProgrammingError:
        raise Failure("--dsn is not a connection string", "For example postgresql://USER@HOST/DATABASE, or \"host=HOST dbname=DATABASE\"."
                      " Special characters in a URL are written %XX; a password is better kept in PGPASSFILE.") from None
    try:
        return psycopg.connect(**{**defaults, **given})
    except psycopg.Error as error:
        raise Failure("cannot connect to the server: " + redacted(str(error), dsn)) from None


@contextlib.contextmanager
def open_server(dsn: str | None, pg_config: str | None, throwaway: bool) -> Iterator[Server]:
    """The server that the user names, or a throwaway one.  The connection is in no transaction; what is not committed is lost."""
    with contextlib.ExitStack() as stack:
        own = throwaway or not is_given(dsn)
        if own:
            parameters = conninfo.make_conninfo(**stack.enter_context(throwaway_server(pg_config)))
            with _no_variables():
                connection = stack.enter_context(contextlib.closing(_connect(parameters)))
        else:
            connection = stack.enter_context(contextlib.closing(_connect(dsn or "")))
        if own:
            try:
                connection.execute(f"CREATE EXTENSION {EXTENSION}")
                connection.commit()
            except psycopg.Error as error:
                raise Failure("the throwaway server has no extension event_validate: " + (error.diag.message_primary or str(error)),
                              "Install it there (make install, with the same pg_config), or name a server by --dsn or PGHOST.") from None
        try:
            yield Server(connection, "the throwaway server" if own else f'database "{connection.info.dbname}"')
        except psycopg.Error as error:
            failure = server_failure(error)
            raise Failure(redacted(str(failure), dsn), failure.hint) from None
