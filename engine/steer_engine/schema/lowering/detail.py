"""How much a mask says."""

from __future__ import annotations

from enum import IntEnum


class Detail(IntEnum):
    """How much of a schema goes into the mask; the guard has the rest.

    Whether the mask compiler can hold a mask is known only once it has tried. Where it cannot,
    the next lower detail asks less of it, and `NOTHING` always compiles.
    """

    NOTHING = 0
    WITHOUT_PATTERNS = 1
    ONE_PATTERN = 2  # in a string, and few cases at each place
    FULL = 3
