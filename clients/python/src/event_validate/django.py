"""Django: a constraint that full_clean() asks, operations for migrations, and diverted rows noticed.

    class Event(GuardedModel):
        event_type = models.TextField()
        schema_version = models.IntegerField()
        data = models.JSONField(blank=True)

        class Meta:
            constraints = [EventCheck(name="shop_event_check")]

The extra event-validate[django] installs what this module needs.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping, Sequence
from typing import Any

import django
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db import DEFAULT_DB_ALIAS, connections, models, transaction
from django.db.migrations import AddConstraint
from django.db.migrations.operations.base import Operation
from django.db.models import F, Func, Value
from django.db.utils import DatabaseError

from event_validate import calls
from event_validate.migration import array, literal, quoted_identifier
from event_validate.refusals import Refusal, Violation, refusal_of

__all__ = [
    "AddEventCheck", "AddEventGuard", "EventCheck", "EventDiverted", "GuardedModel", "MigrateEvents", "Refusal", "RegisterEventRename", "RegisterEventSchema",
    "RegisterEventUpcast", "SetEventGuardMode", "ValidateEventCheck", "Violation", "event_violations", "refusal_of"]

# ---------- the constraint ----------


def event_violations(data: Any, event_type: str | None, schema_version: int | None, *, using: str = DEFAULT_DB_ALIAS,
                     extension_schema: str | None = None) -> list[Violation]:
    """What the database says of an event: data is a value for json.dumps, or a JSON text.  An unregistered version is a violation."""
    prefix = f"{quoted_identifier(extension_schema)}." if extension_schema else ""
    text = data if data is None or isinstance(data, str) else json.dumps(data)
    try:
        with transaction.atomic(using=using), connections[using].cursor() as cursor:
            cursor.execute("SELECT instance_location, message, keyword, property, CAST(expected AS text), CAST(actual AS text), keyword_location"
                           f" FROM {prefix}event_violations(CAST(%s AS jsonb), %s, %s)", [text, event_type, schema_version])
            rows = cursor.fetchall()
    except DatabaseError as error:
        refusal = refusal_of(error)
        if refusal is None:
            raise
        return list(refusal.violations)
    return [Violation(row[0], row[1], row[2], row[3], *(None if item is None else json.loads(item) for item in row[4:6]), row[6]) for row in rows]


class EventCheck(models.CheckConstraint):
    """A CHECK constraint that calls check_event; full_clean() raises ValidationError with the paths.

    data, event_type and schema_version are names of fields; a type and a version may also be
    constants, in constant_type and constant_version.  types limits the check to these event types.
    """

    def __init__(self, *, name: str, data: str = "data", event_type: str = "event_type", schema_version: str = "schema_version",
                 constant_type: str | None = None, constant_version: int | None = None, types: Sequence[str] | None = None,
                 extension_schema: str | None = None) -> None:
        self.data, self.event_type, self.schema_version = data, event_type, schema_version
        self.constant_type, self.constant_version = constant_type, constant_version
        self.types = None if types is None else list(types)
        self.extension_schema = extension_schema
        type_: Any = F(event_type) if constant_type is None else Value(constant_type)
        version: Any = F(schema_version) if constant_version is None else Value(constant_version)
        prefix = f"{quoted_identifier(extension_schema)}." if extension_schema else ""
        checked = Func(F(data), type_, version, Value(name), function=f"{prefix}check_event", output_field=models.BooleanField())
        if types is None:
            condition: Any = checked
        else:
            condition = _OfTypes(type_, Value(array(list(types))), checked)
        # the argument was renamed in Django 5.1
        super().__init__(name=name, **{"condition" if django.VERSION >= (5, 1) else "check": condition})

    def deconstruct(self) -> tuple[str, Sequence[Any], dict[str, Any]]:
        path, _, _ = super().deconstruct()
        defaults = {"data": "data", "event_type": "event_type", "schema_version": "schema_version"}
        names = ("data", "event_type", "schema_version", "constant_type", "constant_version", "types", "extension_schema")
        return path, (), {"name": self.name, **{name: getattr(self, name) for name in names if getattr(self, name) != defaults.get(name)}}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, EventCheck) and self.deconstruct() == other.deconstruct()

    __hash__ = models.CheckConstraint.__hash__

    def violations(self, instance: models.Model, *, using: str = DEFAULT_DB_ALIAS) -> list[Violation]:
        """What the database says of the instance's event; nothing if the check is not for its type."""
        event_type = self.constant_type if self.constant_type is not None else self._value(instance, self.event_type)
        version = self.constant_version if self.constant_version is not None else self._value(instance, self.schema_version)
        if self.types is not None and event_type not in self.types:
            return []
        field = instance._meta.get_field(self.data)
        value = field.value_from_object(instance)
        encoder = getattr(field, "encoder", None)
        data = None if value is None and field.null else json.dumps(value, cls=encoder) if isinstance(field, models.JSONField) else value
        for what, given in (("data", data), ("type", event_type), ("schema version", version)):
            if given is None:
                return [Violation("", f"its {what} is null")]
        return event_violations(data, str(event_type), version, using=using, extension_schema=self.extension_schema)

    @staticmethod
    def _value(instance: models.Model, name: str) -> Any:
        return instance._meta.get_field(name).value_from_object(instance)

    def fields(self) -> set[str]:
        """The fields that the check reads."""
        found = {self.data}
        if self.constant_type is None:
            found.add(self.event_type)
        if self.constant_version is None:
            found.add(self.schema_version)
        return found

    def validate(self, model: type[models.Model], instance: models.Model, exclude: Any = None, using: str = DEFAULT_DB_ALIAS) -> None:
        if self.fields() & set(exclude or ()):
            return
        found = self.violations(instance, using=using)
        if found:
            raise ValidationError({self.data: [
                ValidationError("%(location)s: %(message)s", code=one.keyword or "event",
                                params={"location": one.location or "(document)", "message": one.message, "violation": one}) for one in found]})


class _OfTypes(Func):
    """The condition of a check with types, in the form that add_event_check writes and recognizes."""

    def __init__(self, *expressions: Any) -> None:
        super().__init__(*expressions, output_field=models.BooleanField())

    def as_sql(self, compiler: Any, connection: Any, **_: Any) -> tuple[str, Any]:
        parts, values = [], []
        for expression in self.source_expressions:
            sql, params = compiler.compile(expression)
            parts.append(sql)
            values.extend(params)
        return f'(({parts[0]} COLLATE "C") = ANY (CAST({parts[1]} AS text[]))) IS NOT TRUE OR {parts[2]}', tuple(values)


# ---------- diverted rows ----------


class EventDiverted(Exception):
    """The row is in the quarantine, not in the table.  Catch it inside of the atomic block: the transaction is intact, and its commit keeps the event."""

    def __init__(self, instance: models.Model) -> None:
        super().__init__(f"the event is not valid: a guard diverted it from {instance._meta.db_table} to the quarantine")
        self.instance = instance


class GuardedModel(models.Model):
    """A model whose save() and objects.create() raise EventDiverted if a guard diverts the row.

    Django by itself assumes that such a row is stored, or fails with a TypeError that rolls the
    diverted event back.  The signal post_save is sent in any case.
    """

    class Meta:
        abstract = True

    _diverted = False

    def _do_insert(self, manager: Any, using: Any, fields: Any, returning_fields: Any, raw: Any) -> Any:
        wanted = list(returning_fields) or [manager.model._meta.pk]
        self._diverted = False
        results = _insert(manager, self, fields, wanted, using, raw)
        if results is None:
            self._diverted = True
            return []
        return results if returning_fields else []

    def save(self, *arguments: Any, **keywords: Any) -> None:
        super().save(*arguments, **keywords)
        if self._diverted:
            self._diverted = False
            self._state.adding = True
            raise EventDiverted(self)


def _insert(manager: Any, instance: models.Model, fields: Any, returning_fields: Any, using: Any, raw: Any) -> Any:
    """The returned values, or None for no row."""
    query = models.sql.InsertQuery(manager.model)
    query.insert_values(fields, [instance], raw=raw)
    compiler = query.get_compiler(using=using)
    compiler.returning_fields = returning_fields
    with connections[using].cursor() as cursor:
        for statement, values in compiler.as_sql():
            cursor.execute(statement, values)
        row = cursor.fetchone()
    if row is None:
        return None
    columns = [field.get_col(manager.model._meta.db_table) for field in returning_fields]
    rows = compiler.apply_converters([row], compiler.get_converters(columns)) if compiler.get_converters(columns) else [row]
    return list(rows)


# ---------- operations for migrations ----------


class _Calls(Operation):
    """An operation whose constructor's arguments are fields; forwards() and backwards() give the statements."""

    reduces_to_sql = True
    reversible = True

    def deconstruct(self) -> tuple[str, Sequence[Any], dict[str, Any]]:
        args, kwargs = self._constructor_args  # type: ignore[attr-defined]
        return self.__class__.__name__, list(args), dict(kwargs)

    def state_forwards(self, app_label: str, state: Any) -> None:
        pass

    def forwards(self, table: calls.Table | None) -> str | None:
        raise NotImplementedError

    def backwards(self, table: calls.Table | None) -> str | None:
        return None

    def _table(self, app_label: str, state: Any) -> calls.Table | None:
        name = getattr(self, "model_name", None)
        return None if name is None else _table_of(state.apps.get_model(app_label, name))

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        _execute(schema_editor, app_label, self, self.forwards(self._table(app_label, to_state)))

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        _execute(schema_editor, app_label, self, self.backwards(self._table(app_label, to_state)))


def _table_of(model: type[models.Model]) -> calls.Table:
    name = model._meta.db_table
    if name.startswith('"') and name.endswith('"'):  # the old trick: '"schema"."table"'
        parts = name[1:-1].split('"."')
        return calls.Table(parts[-1], parts[0] if len(parts) > 1 else None)
    return calls.Table(name)


def _execute(schema_editor: Any, app_label: str, operation: Any, statement: str | None) -> None:
    from django.db import router
    if statement is not None and router.allow_migrate(schema_editor.connection.alias, app_label, **getattr(operation, "hints", {})):
        schema_editor.execute(statement, params=None)  # without parameters, "%" means nothing


class RegisterEventSchema(_Calls):
    """Registers a version.  Backwards, it is dropped.

    The definition is the schema's text, or a value for json.dumps; the options are those of register_event_schema.
    """

    def __init__(self, event_type: str, schema_version: int, definition: calls.Definition, *, extension_schema: str | None = None, **options: Any) -> None:
        self.event_type, self.schema_version, self.definition, self.extension_schema, self.options = (
            event_type, schema_version, definition, extension_schema, options)

    def forwards(self, table: calls.Table | None) -> str:
        return calls.call("register_event_schema", [self.event_type, self.schema_version, calls.schema_text(self.definition)], self.options,
                          extension_schema=self.extension_schema)

    def backwards(self, table: calls.Table | None) -> str:
        return calls.call("drop_event_schema", [self.event_type, self.schema_version], extension_schema=self.extension_schema)

    def describe(self) -> str:
        return f"Register event schema {self.event_type} version {self.schema_version}"


class RegisterEventUpcast(_Calls):
    """Registers the function that converts events to the next version.  Backwards, the upcast is dropped."""

    def __init__(self, event_type: str, from_version: int, to_version: int, upcast: str, *, extension_schema: str | None = None) -> None:
        self.event_type, self.from_version, self.to_version, self.upcast, self.extension_schema = event_type, from_version, to_version, upcast, extension_schema

    def forwards(self, table: calls.Table | None) -> str:
        function = self.upcast if self.upcast.rstrip().endswith(")") else f"{self.upcast}(jsonb)"
        return calls.call("register_event_upcast", [self.event_type, self.from_version, self.to_version, function], extension_schema=self.extension_schema)

    def backwards(self, table: calls.Table | None) -> str:
        return calls.call("drop_event_upcast", [self.event_type, self.from_version, self.to_version], extension_schema=self.extension_schema)

    def describe(self) -> str:
        return f"Register the upcast of {self.event_type} from version {self.from_version} to {self.to_version}"


class RegisterEventRename(_Calls):
    """Registers an upcast that renames properties.  Backwards, the upcast is dropped."""

    def __init__(self, event_type: str, from_version: int, to_version: int, renames: Mapping[str, Any], *, extension_schema: str | None = None) -> None:
        self.event_type, self.from_version, self.to_version, self.renames, self.extension_schema = event_type, from_version, to_version, renames, extension_schema

    def forwards(self, table: calls.Table | None) -> str:
        return calls.call("register_event_rename", [self.event_type, self.from_version, self.to_version, self.renames], extension_schema=self.extension_schema)

    def backwards(self, table: calls.Table | None) -> str:
        return calls.call("drop_event_upcast", [self.event_type, self.from_version, self.to_version], extension_schema=self.extension_schema)

    def describe(self) -> str:
        return f"Register the renames of {self.event_type} from version {self.from_version} to {self.to_version}"


class AddEventCheck(AddConstraint):
    """Adds an EventCheck NOT VALID, without a scan; ValidateEventCheck validates it in a later migration."""

    constraint: EventCheck

    def __init__(self, model_name: str, constraint: EventCheck) -> None:
        if not isinstance(constraint, EventCheck):
            raise TypeError("AddEventCheck.constraint must be an EventCheck")
        super().__init__(model_name, constraint)

    def describe(self) -> str:
        return f"Add event check {self.constraint.name} on model {self.model_name}, not valid"

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        model = to_state.apps.get_model(app_label, self.model_name)
        check = self.constraint

        def column(name: str) -> str:
            try:
                return str(model._meta.get_field(name).column)
            except FieldDoesNotExist:
                return name

        type_expr = column(check.event_type) if check.constant_type is None else literal(check.constant_type)
        version_expr = column(check.schema_version) if check.constant_version is None else str(check.constant_version)
        _execute(schema_editor, app_label, self, calls.call(
            "add_event_check", [_table_of(model)], {"data_expr": column(check.data), "type_expr": type_expr, "version_expr": version_expr,
                                                    "constraint_name": check.name, "types": check.types}, extension_schema=check.extension_schema))


class ValidateEventCheck(_Calls):
    """Validates a check.  It is refused in the migration that added the check: put it into the next one."""

    def __init__(self, model_name: str, name: str, *, extension_schema: str | None = None) -> None:
        self.model_name, self.name, self.extension_schema = model_name, name, extension_schema

    def forwards(self, table: calls.Table | None) -> str:
        return calls.call("validate_event_check", [table, self.name], extension_schema=self.extension_schema)

    def describe(self) -> str:
        return f"Validate event check {self.name} on model {self.model_name}"


class AddEventGuard(_Calls):
    """Adds a guard: enforce, quarantine, warn or off.  Backwards, it is dropped.  The options are those of add_event_guard."""

    def __init__(self, model_name: str, mode: str, *, extension_schema: str | None = None, **options: Any) -> None:
        self.model_name, self.mode, self.extension_schema, self.options = model_name, mode, extension_schema, options

    def forwards(self, table: calls.Table | None) -> str:
        return calls.call("add_event_guard", [table, self.mode], self.options, extension_schema=self.extension_schema)

    def backwards(self, table: calls.Table | None) -> str:
        return calls.call("drop_event_guard", [table], extension_schema=self.extension_schema)

    def describe(self) -> str:
        return f"Add an event guard ({self.mode}) on model {self.model_name}"


class SetEventGuardMode(_Calls):
    """Switches a guard.  Backwards, it has the previous mode; without one, the operation is irreversible."""

    def __init__(self, model_name: str, mode: str, *, until: datetime.datetime | None = None, previous: str | None = None,
                 extension_schema: str | None = None) -> None:
        self.model_name, self.mode, self.until, self.previous, self.extension_schema = model_name, mode, until, previous, extension_schema

    @property
    def reversible(self) -> bool:  # type: ignore[override]
        return self.previous is not None

    def forwards(self, table: calls.Table | None) -> str:
        return calls.call("set_event_guard_mode", [table, self.mode], {"until": self.until}, extension_schema=self.extension_schema, command=calls.MODES)

    def backwards(self, table: calls.Table | None) -> str:
        return calls.call("set_event_guard_mode", [table, self.previous], extension_schema=self.extension_schema, command=calls.MODES)

    def describe(self) -> str:
        return f"Set the event guard on model {self.model_name} to {self.mode}"


class MigrateEvents(_Calls):
    """Converts stored events, in batches that commit: the migration has atomic = False.  Backwards, nothing is done."""

    def __init__(self, model_name: str, event_type: str, to_version: int, *, extension_schema: str | None = None, **options: Any) -> None:
        self.model_name, self.event_type, self.to_version, self.extension_schema, self.options = model_name, event_type, to_version, extension_schema, options

    def forwards(self, table: calls.Table | None) -> str:
        return calls.call("migrate_events", [table, self.event_type, self.to_version], self.options, extension_schema=self.extension_schema, command="CALL")

    def describe(self) -> str:
        return f"Convert events {self.event_type} of model {self.model_name} to version {self.to_version}"
