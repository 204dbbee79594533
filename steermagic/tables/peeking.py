"""Iterators whose first item was read, to check a prompt by it, and then not used."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

_MAX_WAITING = 8  # a first item may be a batch of many rows
_waiting: dict[int, tuple[object, Any]] = {}
"""The last iterators of which nothing but the first item was read, and that item; by `id`."""


def whole(items: Iterator[Any], *, of: object) -> Iterator[Any]:
    """Yield the `items` of the iterator `of`, also a first one that was read before and waits.

    A cell that fails on its prompt, or a dry run, leaves the iterator as the user knows it.
    """
    if id(of) in _waiting:
        _, first = _waiting[id(of)]
    else:
        try:
            first = next(items)
        except StopIteration:
            return
        _waiting[id(of)] = of, first  # held, so that no other gets its id
        if len(_waiting) > _MAX_WAITING:
            del _waiting[next(iter(_waiting))]
    yield first
    _waiting.pop(id(of), None)
    yield from items
