"""Which of the user's variables could be meant where a schema, a table or a frame is named.

A variable is known by its type alone: nothing of it is called, so that an iterator stays unread
and a property unasked.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Mapping
from inspect import getattr_static
from typing import Any

from steermagic.prompt import user_names
from steermagic.tables.rows import TEXT

Kind = Callable[[object], bool]
"""Tells whether an object could be meant."""

_SCHEMA_WORDS = frozenset(
    {"$ref", "$schema", "allOf", "anyOf", "const", "enum", "items", "oneOf", "properties", "type"}
)
_TABLE_METHODS = frozenset({"__arrow_c_stream__", "__dataframe__", "__iter__", "to_pandas"})
_LIBRARIES = frozenset({"pandas", "polars", "pyarrow"})


def names_of(kind: Kind, namespace: Mapping[str, object]) -> list[str]:
    """Return the variables that are of `kind`, in the order of the alphabet."""
    return sorted(name for name in user_names(namespace) if kind(namespace[name]))


def is_schema(value: object) -> bool:
    """Tell whether `value` is a class with fields, an enumeration, a JSON Schema, or an editor."""
    if _is_class(value):
        return _has_fields(value)
    if type(value) is dict:
        return any(word in value for word in _SCHEMA_WORDS)
    return _descends(type(value), "steermagic", "SchemaEditor")


def is_table(value: object) -> bool:
    """Tell whether `value` could stand behind ``--over``."""
    cls: Any = type(value)
    if issubclass(cls, type | str | bytes | dict):
        return False
    return any(not _TABLE_METHODS.isdisjoint(vars(base)) for base in cls.__mro__)


def is_frame(value: object) -> bool:
    """Tell whether `value` is a pandas frame, as results are."""
    return _descends(type(value), "pandas", "DataFrame")


def is_list_of_choices(value: object) -> bool:
    """Tell whether `value` could stand behind ``--choices``."""
    if _is_class(value):
        return _is_enumeration(value)
    return type(value) in (list, tuple, set, frozenset, dict) or _descends(
        type(value), "pandas", "Series"
    )


def is_text(value: object) -> bool:
    """Tell whether `value` is a text."""
    return type(value) is str


def columns_of(data: object) -> list[str]:
    """Return the columns of `data` that have a text as name; none where they cannot be seen."""
    if type(data) in (list, tuple):
        items: Any = data
        return list(dict.fromkeys(name for item in items[:100] for name in _fields_of(item)))
    return list(dict.fromkeys(name for name in _column_labels(data) if type(name) is str))


def _column_labels(data: Any) -> Iterable[object]:  # noqa: ANN401 - whatever the user has
    cls = type(data)
    if cls.__module__.partition(".")[0] not in _LIBRARIES:
        return ()
    index: Iterable[object] = data.index.names if _is_indexed(data) else ()
    if cls.__name__ == "Series":
        is_unnamed = data.name is None or (type(data.name) is str and not data.name)
        return (*index, TEXT if is_unnamed else data.name)
    if cls.__name__ in ("Table", "RecordBatch"):
        names: Iterable[object] = data.schema.names
        return names
    if any(_descends(cls, "pyarrow", name) for name in ("Array", "ChunkedArray")):
        return (TEXT,)
    # A LazyFrame would have to be worked out.
    return (*index, *data.columns) if cls.__name__ == "DataFrame" else ()


def _is_indexed(data: object) -> bool:
    return any(_descends(type(data), "pandas", name) for name in ("DataFrame", "Series"))


def _fields_of(item: object) -> Iterable[str]:
    cls: Any = type(item)
    if cls is str:
        return (TEXT,)
    if cls is dict or issubclass(cls, tuple):
        fields: Any = item if cls is dict else getattr_static(cls, "_fields", ())
    else:
        fields = getattr_static(cls, "__dataclass_fields__", None) or _attributes_of(item)
    return tuple(name for name in fields if type(name) is str)


def _attributes_of(item: object) -> Iterable[str]:
    try:
        own: dict[str, object] = object.__getattribute__(item, "__dict__")
    except AttributeError:  # numbers and the like have none
        return (TEXT,) if getattr_static(item, "keys", None) is None else ()
    return [name for name in own if not name.startswith("_")]


def _is_class(value: object) -> bool:
    return issubclass(type(value), type)


def _has_fields(cls: Any) -> bool:  # noqa: ANN401 - a class
    if (cls.__module__, cls.__name__) == ("pydantic.main", "BaseModel"):
        return False
    marks = {"__dataclass_fields__", "__total__"}  # the second is a TypedDict's
    is_marked = any(not marks.isdisjoint(vars(base)) for base in cls.__mro__)
    return is_marked or _is_enumeration(cls) or _descends(cls, "pydantic", "BaseModel")


def _is_enumeration(cls: Any) -> bool:  # noqa: ANN401 - a class
    return enum.Enum in cls.__mro__ and cls.__module__ != "enum"


def _descends(cls: type, package: str, name: str) -> bool:
    return any(
        base.__name__ == name and str(base.__module__).partition(".")[0] == package
        for base in cls.__mro__
    )
