"""A schema from examples: JSON, Python values, or a table of any library."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from itertools import islice
from random import Random
from typing import TYPE_CHECKING, Any

from steer_engine import (
    TYPE_WORDS,
    JsonValue,
    Schema,
    SchemaError,
    read_schema,
    type_name,
    validation_error,
    write_notation,
)
from steermagic.errors import FrameError
from steermagic.tables import TableRows, read_table

if TYPE_CHECKING:
    import pandas as pd

_MAX_EXAMPLES = 1000  # rows of a table
_MAX_CHOICES = 8
_MAX_CATEGORIES = 50
_REPEATS = 3  # texts are choices if each stands there so often, on average
_FORMATS = ("date", "datetime", "time", "uuid", "email", "url")
_Level = dict[str, JsonValue]
_NULL: _Level = {"type": "null"}


def infer_schema(examples: object) -> Schema:
    """Return a schema that `examples` are valid under.

    Examples are JSON text, a Python value (a list is one example: a list), or a table, of which
    each row is one. What is null or missing in one of them is ``| None``: they are valid with null
    for what they lack. Few texts that are repeated become choices.

    Of a table of more than 1,000 rows, that many are drawn and tell the types; what is missing and
    choices are those of all rows. An iterator is read for 1,000 rows at most.

    Raises:
        SchemaError: there is nothing to infer a schema from, or too much.
    """
    try:
        return _inferred(examples)
    except RecursionError as error:
        raise SchemaError("the example is nested too deeply, or holds itself") from error


def _inferred(examples: object) -> Schema:
    if isinstance(examples, str):
        examples = _json(examples)
        if not isinstance(examples, dict | list):
            raise SchemaError("an example is a JSON object or a list, in braces or brackets")
    if isinstance(examples, Mapping | list | tuple):
        return _schema(_of([_plain(examples)]))
    try:
        rows = read_table(examples)
    except FrameError as error:
        raise SchemaError(
            "an example is JSON, a dict, a list or a table, and not a value of type"
            f" {type(examples).__name__}"
        ) from error
    return _schema(_of_table(rows))


def _schema(inferred: _Level) -> Schema:
    if not inferred:
        raise SchemaError("the example says nothing of a type; give one with values")
    schema = read_schema(inferred)
    notation = write_notation(schema)
    return schema if notation is None else read_schema(notation)  # as it is usually spelled


def _json(text: str) -> JsonValue:
    try:
        value: JsonValue = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise SchemaError(f"the example is not JSON: {error}") from error
    return value


def _of(values: Sequence[JsonValue]) -> _Level:
    """Return the schema of a place where these values stand; of none, one that says nothing."""
    by_kind: dict[str, list[Any]] = {}
    for value in values:
        by_kind.setdefault(type_name(value), []).append(value)
    if "number" in by_kind:
        by_kind["number"] += by_kind.pop("integer", [])
    nulls = by_kind.pop("null", [])
    alternatives: list[JsonValue] = [_LEVELS[kind](found) for kind, found in by_kind.items()]
    if nulls:
        # Of what is always null nobody knows what it is; text can say anything.
        alternatives = [*(alternatives or [{"type": "string"}]), _NULL]
    if len(alternatives) == 1:
        [only] = alternatives
        return only if isinstance(only, dict) else {}
    return {"anyOf": alternatives} if alternatives else {}


def _object(examples: list[dict[str, JsonValue]]) -> _Level:
    names = list(dict.fromkeys(name for each in examples for name in each))
    return {
        "type": "object",
        "properties": {name: _of([each.get(name) for each in examples]) for name in names},
        "required": [*names],
        "additionalProperties": False,
    }


def _array(examples: list[list[JsonValue]]) -> _Level:
    items = _of([item for each in examples for item in each])
    return {"type": "array", "items": items} if items else {"type": "array"}


def _text(examples: list[str]) -> _Level:
    for word in _FORMATS:
        meaning = TYPE_WORDS[word]
        schema = read_schema(dict(meaning))
        if all(validation_error(schema, text) is None for text in examples) and (
            word != "url" or all("://" in text for text in examples)  # "note:done" is a URI, too
        ):
            return dict(meaning)
    choices = list(dict.fromkeys(examples))
    is_choice = 1 < len(choices) <= _MAX_CHOICES and len(examples) >= _REPEATS * len(choices)
    return {"enum": [*choices]} if is_choice else {"type": "string"}


_LEVELS: Mapping[str, Any] = {
    "boolean": lambda _: {"type": "boolean"},
    "integer": lambda _: {"type": "integer"},
    "number": lambda _: {"type": "number"},
    "string": _text,
    "array": _array,
    "object": _object,
}


def _of_table(rows: TableRows) -> _Level:
    """Return the schema of a row."""
    n_rows = rows.n_rows or 0
    numbers: Iterable[int] = islice(rows.numbers(), _MAX_EXAMPLES)
    if is_long := n_rows > _MAX_EXAMPLES:
        # By chance, as each second row could be of one kind; the same ones every time.
        numbers = sorted(Random(0).sample(range(n_rows), _MAX_EXAMPLES))  # noqa: S311 - no secret
    inferred = _of([_plain(rows.row(number)) for number in numbers])
    properties = inferred.get("properties")
    if isinstance(properties, dict) and (is_long or rows.kind == "pandas"):
        for name, column in _columns(rows.table()):
            properties[name] = _with_unseen(properties[name], column)
    return inferred


def _columns(table: Any) -> Iterator[tuple[str, pd.Series]]:  # noqa: ANN401 - one of pandas
    for level in table.index.names:
        if level is not None:
            yield str(level), table.index.get_level_values(level).to_series()
    yield from ((str(name), column) for name, column in table.items())


def _with_unseen(level: Any, column: pd.Series) -> _Level:  # noqa: ANN401 - a schema
    """Return the schema of a column, `level` by some of its rows, with what all of them tell."""
    import pandas as pd

    if isinstance(column.dtype, pd.CategoricalDtype):
        categories = [_plain(each) for each in column.dtype.categories]  # not all may stand there
        if 1 < len(categories) <= _MAX_CATEGORIES:
            null: list[JsonValue] = [None] if column.isna().any() else []
            return {"enum": [*categories, *null]}
    if '"enum"' in json.dumps(level):
        return _of([_plain(each) for each in column.tolist()])
    alternatives = level.get("anyOf", [level])
    is_complete = _NULL in alternatives or not column.isna().any()
    return {**level} if is_complete else {"anyOf": [*alternatives, _NULL]}


def _plain(value: Any) -> JsonValue:  # noqa: ANN401 - what a table or a user has
    """Return `value` as JSON has it; of anything else, its text."""
    if isinstance(value, Enum):
        return _plain(value.value)
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, Mapping):
        return {str(name): _plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(each) for each in value]
    if callable(getattr(value, "tolist", None)):  # of NumPy, pandas and Arrow
        return _plain(value.tolist())
    return _plain_scalar(value)


def _plain_scalar(value: Any) -> JsonValue:  # noqa: ANN401 - as above
    import pandas as pd

    if pd.isna(value):
        return None
    if isinstance(value, float | Decimal):
        number = float(value)
        return number if math.isfinite(number) else None
    if isinstance(value, datetime | time):
        return value.isoformat() + ("" if value.tzinfo else "Z")
    return value.isoformat() if isinstance(value, date) else str(value)
