"""The type of what is inside a list, as a library of tables writes it: from the schema alone.

Such a type drops or rounds what it has no room for, without a word: `holds` finds that out.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time, timedelta
from typing import Generic, TypeVar

from steer_engine import JsonValue
from steermagic.subschemas import plain, subschema

_T = TypeVar("_T")
_MAX_DEPTH = 8  # a recursive schema has no end, and a type must have one


def holds(typed: object, value: object) -> bool:
    """Tell whether a library has all of `value`, if what it gives back for it is `typed`.

    Times without an offset are UTC, as in answers. What is neither JSON nor a date or time is taken
    on trust.
    """
    if isinstance(value, dict):
        return isinstance(typed, dict) and all(
            name in typed and holds(typed[name], each) for name, each in value.items()
        )
    if isinstance(value, list | tuple):
        return isinstance(typed, list) and all(map(holds, typed, value))
    if isinstance(value, bool | int | float | str):
        is_nan = isinstance(value, float) and math.isnan(value)
        return isinstance(typed, bool) is isinstance(value, bool) and (is_nan or typed == value)
    if isinstance(value, time):
        return typed == (value if value.utcoffset() else value.replace(tzinfo=None))
    if isinstance(value, date | timedelta):
        return typed is None or typed == value  # None is for NaT
    return True


@dataclass(frozen=True, slots=True)
class NestedTypes(Generic[_T]):
    """How a library writes types: by the words of JSON Schema, and those that hold others."""

    scalars: Mapping[str, _T]
    list_of: Callable[[_T], _T]
    struct_of: Callable[[Mapping[str, _T]], _T]
    enum_of: Callable[[Sequence[str]], _T]

    def at(self, document: JsonValue, path: Sequence[str]) -> _T | None:
        """Return the type of the field at `path` of a record; None where there is none for it."""
        return self._of(subschema(document, path), document, 0)

    def _of(self, node: dict[str, JsonValue], root: JsonValue, depth: int) -> _T | None:
        kind = node.get("type")
        if depth > _MAX_DEPTH:
            return None
        if kind == "array":
            inner = self._of(plain(node.get("items"), root), root, depth + 1)
            return None if inner is None else self.list_of(inner)
        if kind == "object":
            return self._struct(node, root, depth)
        return self.scalars.get(kind) if isinstance(kind, str) else self._enum(node)

    def _struct(self, node: dict[str, JsonValue], root: JsonValue, depth: int) -> _T | None:
        fields = node.get("properties")
        if not isinstance(fields, dict) or not fields:
            return None
        inner = {
            name: self._of(plain(field, root), root, depth + 1) for name, field in fields.items()
        }
        known = {name: each for name, each in inner.items() if each is not None}
        return self.struct_of(known) if len(known) == len(inner) else None

    def _enum(self, node: dict[str, JsonValue]) -> _T | None:
        values = node.get("enum")
        if not isinstance(values, list):
            return None
        words = [value for value in values if isinstance(value, str)]
        is_words = len(words) == len([value for value in values if value is not None])
        return self.enum_of(words) if is_words else None
