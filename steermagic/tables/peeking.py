"""Iterators whose first item was read, to check a prompt by it, and then not used."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from typing import Any

_waiting: dict[int, tuple[Any, object]] = {}
"""The first items of iterators of which no more was read, by the iterators' `id`; see `_held`."""


def whole(items: Iterator[Any], *, of: object) -> Iterator[Any]:
    """Yield the `items` of the iterator `of`, also a first one that was read before and waits.

    A cell that fails on its prompt, or a dry run, leaves the iterator as the user knows it.
    """
    if id(of) in _waiting:
        first, _ = _waiting[id(of)]
    else:
        try:
            first = next(items)
        except StopIteration:
            return
        _waiting[id(of)] = first, _held(of)
    yield first
    _waiting.pop(id(of), None)
    yield from items


def _held(of: object) -> object:
    """Return what has to be held lest another iterator gets the same `id`: `of`, or nothing."""
    try:
        weakref.finalize(of, _waiting.pop, id(of), None)
    except TypeError:  # what iter([…]), map and zip give; their first items are single rows
        return of
    return None
