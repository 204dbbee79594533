"""Rows that are Python objects, and what counts as their fields."""

from __future__ import annotations

import dataclasses
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any

from steermagic.conversions import Lists
from steermagic.tables.rows import TEXT, StreamedRows


class ObjectRows(StreamedRows):
    """Rows that are Python objects: texts, dicts, or anything with named fields."""

    kind = "lists"

    def __init__(self, items: Iterable[object], *, n_rows: int | None) -> None:
        self._items = list[object]()
        super().__init__(items, n_rows=n_rows)
        self.columns = _names(self._items)

    @property
    def n_read(self) -> int:
        return len(self._items)

    def row(self, number: int) -> Mapping[Hashable, object]:
        return {**dict.fromkeys(self.columns), **_fields(self._items[number])}

    def _keep(self, part: object) -> None:
        # A copy: an iterator may give the same dict again with other values.
        self._items.append(part if isinstance(part, str) else dict(_fields(part)))

    def _native(self) -> Lists:
        names = _names(self._items)
        return {name: [_fields(item).get(name) for item in self._items] for name in names}


def _names(items: Iterable[object]) -> tuple[Hashable, ...]:
    """Return the names of all fields, in the order in which they turn up."""
    return tuple(dict.fromkeys(name for item in items for name in _fields(item)))


def _fields(item: Any) -> Mapping[Hashable, object]:  # noqa: ANN401 - any object
    """Return the fields of `item` by name; of an object without any, itself as `text`."""
    if isinstance(item, Mapping):
        return item
    if isinstance(item, str):
        return {TEXT: item}
    if callable(getattr(item, "keys", None)):  # rows of databases, Series
        return {name: item[name] for name in item.keys()}  # noqa: SIM118 - they iterate over values
    names = _field_names(item)
    return {name: getattr(item, name) for name in names} if names else {TEXT: item}


def _field_names(item: Any) -> Sequence[str]:  # noqa: ANN401 - any object
    named_tuple = getattr(item, "_fields", None)
    if isinstance(item, tuple) and named_tuple is not None:
        return tuple(named_tuple)
    if dataclasses.is_dataclass(item):
        return [field.name for field in dataclasses.fields(item)]
    return [name for name in getattr(item, "__dict__", ()) if not name.startswith("_")]
