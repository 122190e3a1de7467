"""Column types, and the columns that keep a record's fields."""

from collections.abc import Collection
from datetime import datetime
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from pydantic_core import from_json, to_json
from sqlalchemy import Boolean, Column, Float, Integer, String, Text, TypeDecorator
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeEngine

from arf_core.records import Record


class Json(TypeDecorator[Any]):
    """Records, tuples and dicts as JSON text. Absent optional fields are left out."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else to_json(value, exclude_none=True).decode()

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        return None if value is None else from_json(value)


class Timestamp(TypeDecorator[datetime]):
    """A moment as ISO 8601 text, which sorts by time."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:
        return None if value is None else value.isoformat()

    def process_result_value(self, value: str | None, dialect: Dialect) -> datetime | None:
        return None if value is None else datetime.fromisoformat(value)


_PLAIN: dict[Any, type[TypeEngine[Any]]] = {
    str: String,
    int: Integer,
    float: Float,
    bool: Boolean,
    datetime: Timestamp,
}


def required(*names: str, kind: type[TypeEngine[Any]] = String) -> list[Column[Any]]:
    """Columns that are never NULL."""
    return [Column(name, kind, nullable=False) for name in names]


def optional(*names: str, kind: type[TypeEngine[Any]] = String) -> list[Column[Any]]:
    """Columns that may be NULL."""
    return [Column(name, kind) for name in names]


def sequence() -> Column[int]:
    """The order of arrival, which pages are read by."""
    return Column("seq", Integer, primary_key=True, autoincrement=True)


def fields_of(
    record: type[Record],
    *,
    key: str = "",
    unique: str = "",
    index: Collection[str] = (),
    long: Collection[str] = (),
) -> list[Column[Any]]:
    """One column for each field of the record, in its order; NULL only where the field may be None.

    `key` is the primary key; `long` texts are declared TEXT. Fields that are no plain values are
    kept as JSON.
    """
    columns = []
    for name, field in record.model_fields.items():
        kind, nullable = _column_type(field.annotation)
        columns.append(
            Column(
                name,
                Text if name in long else kind,
                primary_key=name == key,
                nullable=nullable,
                unique=name == unique or None,
                index=name in index or None,
            )
        )
    return columns


def _column_type(annotation: Any) -> tuple[type[TypeEngine[Any]], bool]:
    """The type of a field's column, and whether it may be NULL."""
    is_union = get_origin(annotation) in (Union, UnionType)
    options = get_args(annotation) if is_union else (annotation,)
    (kind,) = [option for option in options if option is not NoneType]
    if get_origin(kind) is Literal:
        kind = str
    return _PLAIN.get(kind, Json), NoneType in options
