"""Sets that can be added to without changing them, in logarithmic time.

A set of n items is a tuple of frozensets whose sizes are the powers of two of n, the largest first:
adding an item is adding one to a binary counter, so each item is copied log n times in all.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import TypeAlias

Distinct: TypeAlias = tuple[frozenset[Hashable], ...]

NOTHING: Distinct = ()


def holds(items: Distinct, item: Hashable) -> bool:
    """Return whether `item` is among `items`."""
    for part in items:  # noqa: SIM110 - a generator costs more than the look-ups
        if item in part:
            return True
    return False


def with_item(items: Distinct, item: Hashable) -> Distinct:
    """Return `items` and `item`, which is not yet among them."""
    part = frozenset((item,))
    n_kept = len(items)
    while n_kept and len(items[n_kept - 1]) == len(part):
        n_kept -= 1
        part |= items[n_kept]
    return (*items[:n_kept], part)
