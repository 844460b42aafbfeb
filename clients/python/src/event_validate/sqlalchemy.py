"""SQLAlchemy: a table's event check, a column of events, and the schemas that the models need.

    class Event(Base):
        __tablename__ = "events"
        __table_args__ = (EventCheck(),)
        id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
        event_type: Mapped[str] = mapped_column(Text)
        schema_version: Mapped[int]
        data: Mapped[dict[str, Any]] = mapped_column(JSONB)

The extra event-validate[sqlalchemy] installs what this module needs.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import CheckConstraint, Column, MetaData, Table, TypeDecorator, event, literal_column
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql.base import PGDialect
from sqlalchemy.sql.elements import conv

from event_validate import calls
from event_validate.migration import literal
from event_validate.refusals import Refusal, Violation, refusal_of

__all__ = ["Constant", "EventCheck", "EventData", "EventSchema", "Refusal", "Violation", "declare_event_schema", "declared_event_schemas", "refusal_of"]

_SCHEMAS = "event_validate.schemas"
_preparer = PGDialect().identifier_preparer


@dataclasses.dataclass(frozen=True, slots=True)
class Constant:
    """A constant in the place of a column."""

    value: str | int


def _expression(table: Table | None, given: str | Constant) -> str:
    """SQL for a column's name, an SQL expression, or a constant."""
    if isinstance(given, Constant):
        return literal(given.value) if isinstance(given.value, str) else str(given.value)
    if table is not None and given in table.c:
        return _preparer.quote(table.c[given].name)
    return _preparer.quote(given) if given.isidentifier() else f"({given})"


class EventCheck(CheckConstraint):
    """A CHECK constraint that calls check_event.

    data, event_type and schema_version are the names of columns, or SQL expressions over the
    row, or a Constant.  types limits the check to these event types, as in add_event_check.  The
    name is that of the constraint and of the errors: TABLE_event_check unless it is given.
    Naming conventions leave it alone.  extension_schema is the schema of the extension if that
    is not in the search_path.
    """

    inherit_cache = True

    def __init__(self, data: str = "data", event_type: str | Constant = "event_type", schema_version: str | Constant = "schema_version", *,
                 name: str | None = None, types: Sequence[str] | None = None, extension_schema: str | None = None, **keywords: Any) -> None:
        self.data, self.event_type, self.schema_version = data, event_type, schema_version
        self.types = None if types is None else tuple(types)
        self.extension_schema = extension_schema
        super().__init__(literal_column("true"), name=conv(name) if name else None, **keywords)

    def _set_parent(self, parent: Any, **keywords: Any) -> None:
        if isinstance(parent, Column):
            raise TypeError("EventCheck belongs to a table: put it into __table_args__, or into the arguments of Table")
        if self.name is None:
            self.name = conv(f"{parent.name[:63 - len('_event_check')]}_event_check")
        for other in list(parent.constraints):
            # the one that the column's type has added: older versions of Alembic copy both
            if isinstance(other, EventCheck) and other.name == self.name and other._type_bound:
                parent.constraints.discard(other)
        super()._set_parent(parent, **keywords)
        self._settle(parent)

    def _settle(self, table: Table | None) -> None:
        """Writes the condition; the columns are known when the table is complete."""
        data, event_type, version = (_expression(table, given) for given in (self.data, self.event_type, self.schema_version))
        self.sqltext = literal_column(calls.check_expression(data, event_type, version, str(self.name), types=self.types,
                                                             extension_schema=self.extension_schema))

    def arguments(self) -> tuple[str | None, str | None, str | None]:
        """The expressions for add_event_check; None is the default."""
        table = self.table
        found: list[str | None] = []
        for given, default in ((self.data, "data"), (self.event_type, "event_type"), (self.schema_version, "schema_version")):
            if isinstance(given, Constant):
                found.append(_expression(table, given))
            elif given in table.c:
                found.append(None if table.c[given].name == default else table.c[given].name)
            else:
                found.append(None if given == default else given)
        return found[0], found[1], found[2]

    def _copy(self, *, target_table: Table | None = None, **keywords: Any) -> EventCheck:
        copy = EventCheck(self.data, self.event_type, self.schema_version, name=None if self.name is None else str(self.name), types=self.types,
                          extension_schema=self.extension_schema, info=dict(self.info), _type_bound=self._type_bound)
        return self._schema_item_copy(copy)


class EventData(TypeDecorator[Any]):
    """A jsonb column for events of one type and version; the table gets the check.

        data: Mapped[dict] = mapped_column(EventData("order.placed", 1))

    Without arguments, the column event_type and the column schema_version have the type and the version of the row.
    """

    impl = JSONB
    cache_ok = True

    def __init__(self, event_type: str | None = None, schema_version: int | None = None, *, name: str | None = None,
                 extension_schema: str | None = None) -> None:
        if (event_type is None) != (schema_version is None):
            raise ValueError("give a type and a version, or neither")
        super().__init__()
        self.event_type, self.schema_version, self.name, self.extension_schema = event_type, schema_version, name, extension_schema

    def check_of(self, column: str, table: str) -> EventCheck:
        """The check of a column with this type."""
        name = self.name or (f"{table}_event_check" if column == "data" else f"{table}_{column}_event_check")[:63]
        constant = self.event_type is not None and self.schema_version is not None
        return EventCheck(column, Constant(self.event_type or "") if constant else "event_type",
                          Constant(self.schema_version or 0) if constant else "schema_version",
                          name=name, extension_schema=self.extension_schema, _type_bound=True)


@event.listens_for(Column, "after_parent_attach")
def _add_check(column: Any, table: Any) -> None:
    if isinstance(table, Table) and isinstance(column, Column) and isinstance(column.type, EventData):
        check = column.type.check_of(column.name, table.name)
        for constraint in list(table.constraints):
            if isinstance(constraint, EventCheck) and constraint.name == check.name:
                return
        table.append_constraint(check)


@dataclasses.dataclass(frozen=True)
class EventSchema:
    """A version that the models need: the arguments of register_event_schema."""

    event_type: str
    schema_version: int
    definition: calls.Definition
    options: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    extension_schema: str | None = None

    def statement(self) -> str:
        return calls.call("register_event_schema", [self.event_type, self.schema_version, calls.schema_text(self.definition)], self.options,
                          extension_schema=self.extension_schema)


def declare_event_schema(metadata: MetaData, event_type: str, schema_version: int, definition: calls.Definition, *,
                         extension_schema: str | None = None, **options: Any) -> EventSchema:
    """Adds a version to the metadata.

    create_all() registers it before it creates tables, and Alembic's autogenerate finds it
    missing (event_validate.alembic).  The definition is the schema's text, or a value for
    json.dumps; the options are those of register_event_schema.
    """
    declared = EventSchema(event_type, schema_version, definition, options, extension_schema)
    schemas = metadata.info.setdefault(_SCHEMAS, {})
    if (event_type, schema_version) in schemas:
        raise ValueError(f'event schema "{event_type}" version {schema_version} is declared twice')
    if not schemas:
        event.listen(metadata, "before_create", _register_all)
    schemas[event_type, schema_version] = declared
    return declared


def declared_event_schemas(metadata: MetaData) -> list[EventSchema]:
    """The versions that were declared, in the order of their declaration."""
    return list(metadata.info.get(_SCHEMAS, {}).values())


def _register_all(metadata: MetaData, connection: Any, **_: Any) -> None:
    for declared in declared_event_schemas(metadata):
        connection.exec_driver_sql(declared.statement(), execution_options={"no_parameters": True})
