"""Columns -> an Arrow table. What has no type of its own, as a dict of any keys, is JSON text."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, time
from typing import TYPE_CHECKING, Any

from steer_engine import Column, ColumnKind, JsonValue, Schema
from steermagic.nested_types import NestedTypes, holds
from steermagic.temporal import UTC_READERS, read_date

if TYPE_CHECKING:
    import pyarrow as pa


def make_frame(
    plan: Sequence[Column], values: Sequence[Sequence[JsonValue]], schema: Schema
) -> pa.Table:
    """Return the table whose columns are `plan`, filled with `values`."""
    import pyarrow as pa

    document = schema.document
    arrays = [
        _make_array(column, column_values, document)
        for column, column_values in zip(plan, values, strict=True)
    ]
    return pa.Table.from_arrays(arrays, names=[column.name for column in plan])


def _make_array(column: Column, values: Sequence[JsonValue], document: JsonValue) -> pa.Array:
    import pyarrow as pa

    if column.kind is ColumnKind.CATEGORY:
        return _categories(column.categories, values)
    dtype = _dtype(column, document)
    if dtype is None:
        return _json_texts(values)
    read: Callable[[Any], object] = _READERS.get(column.kind, _text)
    try:
        typed = [None if value is None else read(value) for value in values]
        array = pa.array(typed, dtype)
        is_held = column.kind is not ColumnKind.LIST or holds(array.to_pylist(), typed)
        return array if is_held else _json_texts(values)
    except (ValueError, OverflowError, TypeError):
        # A text that its format does not fit is kept as it is.
        is_text = all(isinstance(value, str | None) for value in values)
        return pa.array(map(_text, values), pa.string()) if is_text else _json_texts(values)


def _categories(words: Sequence[str], values: Sequence[JsonValue]) -> pa.Array:
    import pyarrow as pa

    numbers: Mapping[JsonValue, int] = {word: number for number, word in enumerate(words)}
    indices = pa.array([None if value is None else numbers[value] for value in values], pa.int32())
    return pa.DictionaryArray.from_arrays(indices, pa.array(map(_text, words), pa.string()))


def _json_texts(values: Sequence[JsonValue]) -> pa.Array:
    import pyarrow as pa

    texts = [None if value is None else json.dumps(value) for value in values]
    return pa.array(texts, pa.string())


def _text(value: Any) -> Any:  # noqa: ANN401 - of the kind of its column
    # Half of a surrogate pair is valid JSON, but no text that can be stored or printed.
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value


def _midnight(text: str) -> datetime:
    return datetime.combine(read_date(text), time.min)


_READERS: Mapping[ColumnKind, Callable[[Any], object]] = {
    **UTC_READERS,
    ColumnKind.DATE: _midnight,  # a timestamp, as in pandas
    ColumnKind.INTEGER: int,  # 2.0 is an integer to JSON Schema
    ColumnKind.NUMBER: float,
}


def _dtype(column: Column, document: JsonValue) -> pa.DataType | None:
    """Return the type of a column; None where Arrow has none for it."""
    import pyarrow as pa

    dtypes: Mapping[ColumnKind, pa.DataType | None] = {
        ColumnKind.INTEGER: pa.int64(),
        ColumnKind.NUMBER: pa.float64(),
        ColumnKind.BOOLEAN: pa.bool_(),
        ColumnKind.DATE: pa.timestamp("us"),  # as in pandas
        ColumnKind.DATETIME: pa.timestamp("us", "UTC"),
        ColumnKind.TIME: pa.time64("us"),
        ColumnKind.DURATION: pa.duration("us"),
        ColumnKind.MIXED: None,
        ColumnKind.OBJECT: None,
    }
    if column.kind is ColumnKind.LIST:
        return _nested_types().at(document, column.path)
    return dtypes.get(column.kind, pa.string())


def _nested_types() -> NestedTypes[pa.DataType]:
    import pyarrow as pa

    scalars = {
        "string": pa.string(),
        "integer": pa.int64(),
        "number": pa.float64(),
        "boolean": pa.bool_(),
    }
    return NestedTypes(
        scalars,
        list_of=pa.list_,
        struct_of=lambda fields: pa.struct([*fields.items()]),
        enum_of=lambda _: pa.string(),
    )
