"""Iterators whose first item was read, to check a prompt by it, and then not used."""

from __future__ import annotations

from collections.abc import Iterator

_waiting: list[tuple[Iterator[object], object]] = []
"""The last iterator of which nothing but the first item was read, and that item."""


def whole(iterator: Iterator[object]) -> Iterator[object]:
    """Yield the items of `iterator`, also a first one that was read before and waits.

    A cell that fails on its prompt, or a dry run, leaves the iterator as the user knows it.
    """
    if not _waits(iterator):
        try:
            first = next(iterator)
        except StopIteration:
            return
        _waiting[:] = [(iterator, first)]
    yield _waiting[0][1]
    if _waits(iterator):
        _waiting.clear()
    yield from iterator


def _waits(iterator: Iterator[object]) -> bool:
    return bool(_waiting) and _waiting[0][0] is iterator
