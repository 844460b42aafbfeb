"""Alembic: operations for schemas, checks, guards and upcasts, and autogenerate.

In env.py:

    from event_validate.alembic import include_name, include_object, render_item

    context.configure(connection=connection, target_metadata=metadata, include_schemas=True,
                      include_name=include_name, include_object=include_object, render_item=render_item)

The import registers the operations: op.register_event_schema(...), op.add_event_check(...) and
the others.  If the extension's schema is not in the search_path, add
event_validate_schema="NAME" to the call.  Statements are sent as they are: ":" and "%" in a schema
mean nothing.

The extra event-validate[alembic] installs what this module needs.
"""

from __future__ import annotations

import dataclasses
import datetime
import pprint
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

from alembic.autogenerate import comparators, renderers
from alembic.operations import MigrateOperation, Operations
from sqlalchemy import MetaData, text

from event_validate import calls, jsontext
from event_validate.calls import Definition, Table
from event_validate.sqlalchemy import EventCheck, EventData, EventSchema, declared_event_schemas

__all__ = ["include_name", "include_object", "render_item"]

# ---------- what autogenerate leaves alone ----------


def include_name(name: str | None, type_: str, parent_names: Mapping[str, str | None]) -> bool:
    """For context.configure: leaves out the schemas of the extension."""
    return not (type_ == "schema" and name in calls.OWN_SCHEMAS)


def include_object(object_: Any, name: str | None, type_: str, reflected: bool, compare_to: Any) -> bool:
    """For context.configure: leaves out the quarantine and the other tables of the extension."""
    table = object_ if type_ == "table" else getattr(object_, "table", None)
    return getattr(table, "schema", None) not in calls.OWN_SCHEMAS


def render_item(type_: str, object_: Any, autogen_context: Any) -> str | bool:
    """For context.configure: EventData is JSONB in a revision, and its check is a constraint of the table."""
    if type_ == "type" and isinstance(object_, EventData):
        autogen_context.imports.add("from sqlalchemy.dialects import postgresql")
        return "postgresql.JSONB()"
    if type_ == "check" and isinstance(object_, EventCheck):
        # text() takes the backslash before ":" away, and no other
        condition = str(object_.sqltext).replace(":", "\\:")
        return f"sa.CheckConstraint({condition!r}, name=op.f({str(object_.name)!r}))"
    return False


# ---------- operations ----------


def _run(operations: Operations, statement: str) -> None:
    context = operations.get_context()
    if context.as_sql:
        context.impl.static_output(statement + ";")
    else:
        operations.get_bind().exec_driver_sql(statement, execution_options={"no_parameters": True})


def _extension_schema(operations: Operations) -> str | None:
    schema: str | None = operations.get_context().opts.get("event_validate_schema")
    return schema


@dataclasses.dataclass
class EventOperation(MigrateOperation):
    """An operation; its fields are the arguments."""

    operation: ClassVar[str]
    autocommit: ClassVar[bool] = False  # must not run in a transaction block

    def statement(self, extension_schema: str | None) -> str:
        raise NotImplementedError

    def reverse(self) -> MigrateOperation:
        raise NotImplementedError(f"op.{self.operation} has no reverse")

    def to_diff_tuple(self) -> tuple[Any, ...]:
        return (self.operation, *(getattr(self, field.name) for field in dataclasses.fields(self)))

    def execute(self, operations: Operations) -> None:
        statement = self.statement(_extension_schema(operations))
        if not self.autocommit:
            _run(operations, statement)
            return
        with operations.get_context().autocommit_block():
            _run(operations, statement)


def _operation(cls: type[EventOperation]) -> type[EventOperation]:
    """Registers op.NAME, its implementation and how a revision writes it."""
    Operations.register_operation(cls.operation)(cls)
    Operations.implementation_for(cls)(lambda operations, operation: operation.execute(operations))
    renderers.dispatch_for(cls)(_render)
    return cls


def _render(autogen_context: Any, operation: EventOperation) -> str:
    arguments = []
    for field in dataclasses.fields(operation):
        value = getattr(operation, field.name)
        if field.name == "original" or (field.default is not dataclasses.MISSING and value == field.default):
            continue
        if isinstance(value, datetime.datetime):
            autogen_context.imports.add("import datetime")
        shown = pprint.pformat(value, width=110, sort_dicts=False) if isinstance(value, (dict, list)) else repr(value)
        shown = shown.replace("\n", "\n" + " " * 4)
        arguments.append(shown if field.default is dataclasses.MISSING else f"{field.name}={shown}")
    return f"op.{operation.operation}({', '.join(arguments)})"


@_operation
@dataclasses.dataclass
class RegisterEventSchema(EventOperation):
    operation = "register_event_schema"

    event_type: str
    schema_version: int
    definition: Definition
    assert_format: bool | None = None
    breaking: bool | None = None
    strict: bool | None = None
    except_formats: Sequence[str] | None = None
    accept: Sequence[str] | None = None
    renames: Mapping[str, Any] | None = None

    @classmethod
    def register_event_schema(cls, operations: Operations, event_type: str, schema_version: int, definition: Definition, *,
                              assert_format: bool | None = None, breaking: bool | None = None, strict: bool | None = None,
                              except_formats: Sequence[str] | None = None, accept: Sequence[str] | None = None,
                              renames: Mapping[str, Any] | None = None) -> None:
        """Registers a version; the definition is the schema's text, or a value for json.dumps.  Reverse: drop_event_schema."""
        operations.invoke(cls(event_type, schema_version, definition, assert_format, breaking, strict, except_formats, accept, renames))

    def statement(self, extension_schema: str | None) -> str:
        names = ("assert_format", "breaking", "strict", "except_formats", "accept", "renames")
        return calls.call("register_event_schema", [self.event_type, self.schema_version, calls.schema_text(self.definition)],
                          {name: getattr(self, name) for name in names}, extension_schema=extension_schema)

    def reverse(self) -> MigrateOperation:
        return DropEventSchema(self.event_type, self.schema_version, original=self)


@_operation
@dataclasses.dataclass
class DropEventSchema(EventOperation):
    operation = "drop_event_schema"

    event_type: str
    schema_version: int
    force: bool | None = None
    original: RegisterEventSchema | None = None

    @classmethod
    def drop_event_schema(cls, operations: Operations, event_type: str, schema_version: int, *, force: bool | None = None) -> None:
        """Drops a version that no stored event and no constraint needs.  Reverse: register_event_schema."""
        operations.invoke(cls(event_type, schema_version, force))

    def statement(self, extension_schema: str | None) -> str:
        return calls.call("drop_event_schema", [self.event_type, self.schema_version], {"force": self.force}, extension_schema=extension_schema)

    def reverse(self) -> MigrateOperation:
        if self.original is None:
            return super().reverse()
        return self.original


@_operation
@dataclasses.dataclass
class WidenEventSchema(EventOperation):
    operation = "widen_event_schema"

    event_type: str
    schema_version: int
    definition: Definition

    @classmethod
    def widen_event_schema(cls, operations: Operations, event_type: str, schema_version: int, definition: Definition) -> None:
        """Replaces the schema of a version by a wider one.  It has no reverse: events may need the wider one."""
        operations.invoke(cls(event_type, schema_version, definition))

    def statement(self, extension_schema: str | None) -> str:
        return calls.call("widen_event_schema", [self.event_type, self.schema_version, calls.schema_text(self.definition)], extension_schema=extension_schema)


@_operation
@dataclasses.dataclass
class SetEventCompatibility(EventOperation):
    operation = "set_event_compatibility"

    event_type: str | None
    policy: str
    lenient: bool | None = None
    unknown: str | None = None
    previous: str | None = None

    @classmethod
    def set_event_compatibility(cls, operations: Operations, event_type: str | None, policy: str, *, lenient: bool | None = None,
                                unknown: str | None = None, previous: str | None = None) -> None:
        """Sets the policy of a type, or with None the one of all types without their own.  Reverse: the previous policy."""
        operations.invoke(cls(event_type, policy, lenient, unknown, previous))

    def statement(self, extension_schema: str | None) -> str:
        return calls.call("set_event_compatibility", [self.event_type, self.policy], {"lenient": self.lenient, "unknown": self.unknown},
                          extension_schema=extension_schema)

    def reverse(self) -> MigrateOperation:
        if self.previous is None:
            return super().reverse()
        return SetEventCompatibility(self.event_type, self.previous, previous=self.policy)


@_operation
@dataclasses.dataclass
class AddEventCheck(EventOperation):
    operation = "add_event_check"

    table_name: str
    data_expr: str | None = None
    type_expr: str | None = None
    version_expr: str | None = None
    constraint_name: str | None = None
    types: Sequence[str] | None = None
    schema: str | None = None

    @classmethod
    def add_event_check(cls, operations: Operations, table_name: str, data_expr: str | None = None, type_expr: str | None = None,
                        version_expr: str | None = None, *, constraint_name: str | None = None, types: Sequence[str] | None = None,
                        schema: str | None = None) -> None:
        """Adds a check NOT VALID, which scans nothing; validate_event_check does.  Reverse: drop_event_check."""
        operations.invoke(cls(table_name, data_expr, type_expr, version_expr, constraint_name, types, schema))

    def statement(self, extension_schema: str | None) -> str:
        names = ("data_expr", "type_expr", "version_expr", "constraint_name", "types")
        return calls.call("add_event_check", [Table(self.table_name, self.schema)], {name: getattr(self, name) for name in names},
                          extension_schema=extension_schema)

    def reverse(self) -> MigrateOperation:
        return DropEventCheck(self.table_name, self.constraint_name, self.schema, original=self)


@_operation
@dataclasses.dataclass
class DropEventCheck(EventOperation):
    operation = "drop_event_check"

    table_name: str
    constraint_name: str | None = None
    schema: str | None = None
    original: AddEventCheck | None = None

    @classmethod
    def drop_event_check(cls, operations: Operations, table_name: str, constraint_name: str | None = None, *, schema: str | None = None) -> None:
        """Drops a check; None is the table's only one.  Reverse: add_event_check."""
        operations.invoke(cls(table_name, constraint_name, schema))

    def statement(self, extension_schema: str | None) -> str:
        return calls.call("drop_event_check", [Table(self.table_name, self.schema)], {"constraint_name": self.constraint_name},
                          extension_schema=extension_schema)

    def reverse(self) -> MigrateOperation:
        return self.original or super().reverse()


@_operation
@dataclasses.dataclass
class ValidateEventCheck(EventOperation):
    operation = "validate_event_check"
    autocommit = True

    table_name: str
    constraint_name: str | None = None
    schema: str | None = None

    @classmethod
    def validate_event_check(cls, operations: Operations, table_name: str, constraint_name: str | None = None, *, schema: str | None = None) -> None:
        """Validates a check in a transaction of its own: what the revision did before is committed.

        A check that is valid is left alone, so a revision that failed here can run again.  There is
        nothing to reverse.
        """
        operations.invoke(cls(table_name, constraint_name, schema))

    def statement(self, extension_schema: str | None) -> str:
        return calls.call("validate_event_check", [Table(self.table_name, self.schema)], {"constraint_name": self.constraint_name},
                          extension_schema=extension_schema)


@_operation
@dataclasses.dataclass
class AddEventGuard(EventOperation):
    operation = "add_event_guard"

    table_name: str
    mode: str
    data_expr: str | None = None
    type_expr: str | None = None
    version_expr: str | None = None
    fires_on: str | None = None
    types: Sequence[str] | None = None
    schema: str | None = None

    @classmethod
    def add_event_guard(cls, operations: Operations, table_name: str, mode: str, data_expr: str | None = None, type_expr: str | None = None,
                        version_expr: str | None = None, *, fires_on: str | None = None, types: Sequence[str] | None = None,
                        schema: str | None = None) -> None:
        """Adds or replaces a guard: enforce, quarantine, warn or off.  Reverse: drop_event_guard."""
        operations.invoke(cls(table_name, mode, data_expr, type_expr, version_expr, fires_on, types, schema))

    def statement(self, extension_schema: str | None) -> str:
        names = ("data_expr", "type_expr", "version_expr", "fires_on", "types")
        return calls.call("add_event_guard", [Table(self.table_name, self.schema), self.mode], {name: getattr(self, name) for name in names},
                          extension_schema=extension_schema)

    def reverse(self) -> MigrateOperation:
        return DropEventGuard(self.table_name, self.schema, original=self)


@_operation
@dataclasses.dataclass
class DropEventGuard(EventOperation):
    operation = "drop_event_guard"

    table_name: str
    schema: str | None = None
    original: AddEventGuard | None = None

    @classmethod
    def drop_event_guard(cls, operations: Operations, table_name: str, *, schema: str | None = None) -> None:
        """Drops a guard.  Reverse: add_event_guard."""
        operations.invoke(cls(table_name, schema))

    def statement(self, extension_schema: str | None) -> str:
        return calls.call("drop_event_guard", [Table(self.table_name, self.schema)], extension_schema=extension_schema)

    def reverse(self) -> MigrateOperation:
        return self.original or super().reverse()


@_operation
@dataclasses.dataclass
class SetEventGuardMode(EventOperation):
    operation = "set_event_guard_mode"

    table_name: str
    mode: str
    until: datetime.datetime | None = None
    previous: str | None = None
    schema: str | None = None

    @classmethod
    def set_event_guard_mode(cls, operations: Operations, table_name: str, mode: str, *, until: datetime.datetime | None = None,
                             previous: str | None = None, schema: str | None = None) -> None:
        """Switches a guard.  Reverse: the previous mode."""
        operations.invoke(cls(table_name, mode, until, previous, schema))

    def statement(self, extension_schema: str | None) -> str:
        return calls.call("set_event_guard_mode", [Table(self.table_name, self.schema), self.mode], {"until": self.until},
                          extension_schema=extension_schema, command=calls.MODES)

    def reverse(self) -> MigrateOperation:
        if self.previous is None:
            return super().reverse()
        return SetEventGuardMode(self.table_name, self.previous, previous=self.mode, schema=self.schema)


def _regprocedure(function: str) -> str:
    """The function's name alone, or with its arguments."""
    return function if function.rstrip().endswith(")") else f"{function}(jsonb)"


@_operation
@dataclasses.dataclass
class RegisterEventUpcast(EventOperation):
    operation = "register_event_upcast"

    event_type: str
    from_version: int
    to_version: int
    upcast: str

    @classmethod
    def register_event_upcast(cls, operations: Operations, event_type: str, from_version: int, to_version: int, upcast: str) -> None:
        """Registers the function, such as "order_1_to_2", that converts events to the next version.  Reverse: drop_event_upcast."""
        operations.invoke(cls(event_type, from_version, to_version, upcast))

    def statement(self, extension_schema: str | None) -> str:
        return calls.call(self.operation, [self.event_type, self.from_version, self.to_version, _regprocedure(self.upcast)], extension_schema=extension_schema)

    def reverse(self) -> MigrateOperation:
        return DropEventUpcast(self.event_type, self.from_version, self.to_version, original=self)


@_operation
@dataclasses.dataclass
class RegisterEventDowncast(EventOperation):
    operation = "register_event_downcast"

    event_type: str
    from_version: int
    to_version: int
    downcast: str

    @classmethod
    def register_event_downcast(cls, operations: Operations, event_type: str, from_version: int, to_version: int, downcast: str) -> None:
        """Registers the function that converts events to the version before.  Reverse: drop_event_upcast."""
        operations.invoke(cls(event_type, from_version, to_version, downcast))

    def statement(self, extension_schema: str | None) -> str:
        return calls.call(self.operation, [self.event_type, self.from_version, self.to_version, _regprocedure(self.downcast)], extension_schema=extension_schema)

    def reverse(self) -> MigrateOperation:
        return DropEventUpcast(self.event_type, self.from_version, self.to_version, original=self)


@_operation
@dataclasses.dataclass
class RegisterEventRename(EventOperation):
    operation = "register_event_rename"

    event_type: str
    from_version: int
    to_version: int
    renames: Mapping[str, Any]
    downcast: bool | None = None

    @classmethod
    def register_event_rename(cls, operations: Operations, event_type: str, from_version: int, to_version: int, renames: Mapping[str, Any], *,
                              downcast: bool | None = None) -> None:
        """Registers an upcast that renames properties.  Reverse: drop_event_upcast; of a downcast, a second one."""
        operations.invoke(cls(event_type, from_version, to_version, renames, downcast))

    def statement(self, extension_schema: str | None) -> str:
        return calls.call(self.operation, [self.event_type, self.from_version, self.to_version, self.renames], {"downcast": self.downcast},
                          extension_schema=extension_schema)

    def reverse(self) -> MigrateOperation:
        if self.downcast:
            return super().reverse()
        return DropEventUpcast(self.event_type, self.from_version, self.to_version, original=self)


@_operation
@dataclasses.dataclass
class DropEventUpcast(EventOperation):
    operation = "drop_event_upcast"

    event_type: str
    from_version: int
    to_version: int
    original: EventOperation | None = None

    @classmethod
    def drop_event_upcast(cls, operations: Operations, event_type: str, from_version: int, to_version: int) -> None:
        """Drops an upcast or a downcast; the function stays.  Reverse: register_event_upcast."""
        operations.invoke(cls(event_type, from_version, to_version))

    def statement(self, extension_schema: str | None) -> str:
        return calls.call(self.operation, [self.event_type, self.from_version, self.to_version], extension_schema=extension_schema)

    def reverse(self) -> MigrateOperation:
        return self.original or super().reverse()


@_operation
@dataclasses.dataclass
class MigrateEvents(EventOperation):
    operation = "migrate_events"
    autocommit = True

    table_name: str
    event_type: str
    to_version: int
    batch_size: int | None = None
    keep_original: bool | None = None
    data_expr: str | None = None
    type_expr: str | None = None
    version_expr: str | None = None
    schema: str | None = None

    @classmethod
    def migrate_events(cls, operations: Operations, table_name: str, event_type: str, to_version: int, *, batch_size: int | None = None,
                       keep_original: bool | None = None, data_expr: str | None = None, type_expr: str | None = None,
                       version_expr: str | None = None, schema: str | None = None) -> None:
        """Converts stored events, in batches that commit.  It has no reverse."""
        operations.invoke(cls(table_name, event_type, to_version, batch_size, keep_original, data_expr, type_expr, version_expr, schema))

    def statement(self, extension_schema: str | None) -> str:
        names = ("batch_size", "keep_original", "data_expr", "type_expr", "version_expr")
        return calls.call("migrate_events", [Table(self.table_name, self.schema), self.event_type, self.to_version],
                          {name: getattr(self, name) for name in names}, extension_schema=extension_schema, command="CALL")


@_operation
@dataclasses.dataclass
class StandardizeEventColumn(EventOperation):
    operation = "standardize_event_column"

    table_name: str
    from_column: str
    to_column: str | None = None
    view_name: str | None = None
    schema: str | None = None

    @classmethod
    def standardize_event_column(cls, operations: Operations, table_name: str, from_column: str, *, to_column: str | None = None,
                                 view_name: str | None = None, schema: str | None = None) -> None:
        """Makes a column with JSON the jsonb column "data", at once, under an exclusive lock.  It has no reverse."""
        operations.invoke(cls(table_name, from_column, to_column, view_name, schema))

    def statement(self, extension_schema: str | None) -> str:
        return calls.call(self.operation, [Table(self.table_name, self.schema), self.from_column],
                          {"to_column": self.to_column, "view_name": self.view_name}, extension_schema=extension_schema)


@_operation
@dataclasses.dataclass
class MergeEventColumn(EventOperation):
    operation = "merge_event_column"
    autocommit = True

    table_name: str
    from_column: str
    to_column: str | None = None
    batch_size: int | None = None
    view_name: str | None = None
    schema: str | None = None

    @classmethod
    def merge_event_column(cls, operations: Operations, table_name: str, from_column: str, *, to_column: str | None = None,
                           batch_size: int | None = None, view_name: str | None = None, schema: str | None = None) -> None:
        """Does the same in batches that commit, beside readers and writers.  It has no reverse."""
        operations.invoke(cls(table_name, from_column, to_column, batch_size, view_name, schema))

    def statement(self, extension_schema: str | None) -> str:
        return calls.call(self.operation, [Table(self.table_name, self.schema), self.from_column],
                          {"to_column": self.to_column, "batch_size": self.batch_size, "view_name": self.view_name},
                          extension_schema=extension_schema, command="CALL")


# ---------- autogenerate ----------


def _metadatas(autogen_context: Any) -> Iterable[MetaData]:
    found = autogen_context.metadata
    if found is None:
        return []
    return found if isinstance(found, Sequence) else [found]


def _registered(connection: Any) -> dict[tuple[str, int], Any]:
    """The documents of the registered versions; none if there is no extension."""
    schema = connection.scalar(text("SELECT quote_ident(nspname) FROM pg_catalog.pg_extension JOIN pg_catalog.pg_namespace AS n ON n.oid = extnamespace"
                                    " WHERE extname = 'event_validate'"))
    if schema is None:
        return {}
    rows = connection.execute(text(f"SELECT event_type, schema_version, definition FROM {schema}.event_schemas"))
    return {(row[0], row[1]): jsontext.loads(row[2]) for row in rows if row[1] is not None}


def _registration(declared: EventSchema) -> RegisterEventSchema:
    return RegisterEventSchema(declared.event_type, declared.schema_version, declared.definition, **declared.options)


@comparators.dispatch_for("schema")
def _compare_schemas(autogen_context: Any, upgrade_ops: Any, schemas: Any) -> None:
    """Versions that the metadata declares (declare_event_schema) and the database lacks, or has with another document."""
    wanted = [declared for metadata in _metadatas(autogen_context) for declared in declared_event_schemas(metadata)]
    if not wanted or autogen_context.connection is None:
        return
    registered = _registered(autogen_context.connection)
    missing = []
    for declared in wanted:
        document = registered.get((declared.event_type, declared.schema_version))
        if (declared.event_type, declared.schema_version) not in registered or not jsontext.same(document, jsontext.loads(calls.schema_text(declared.definition))):
            missing.append(_registration(declared))
    upgrade_ops.ops[:0] = missing


@comparators.dispatch_for("table")
def _compare_checks(autogen_context: Any, modify_table_ops: Any, schema: str | None, name: Any, conn_table: Any, metadata_table: Any) -> None:
    """Event checks that the metadata declares and an existing table lacks.  Checks that are not declared are left alone."""
    if conn_table is None or metadata_table is None:
        return
    wanted = [constraint for constraint in metadata_table.constraints if isinstance(constraint, EventCheck)]
    if not wanted:
        return
    there = {check["name"] for check in autogen_context.inspector.get_check_constraints(str(name), schema=schema)}
    for check in sorted(wanted, key=lambda one: str(one.name)):
        if str(check.name) not in there:
            modify_table_ops.ops.append(AddEventCheck(str(name), *check.arguments(), constraint_name=str(check.name), types=check.types, schema=schema))
