"""Whether a value of a frame is still the one that a run wrote there, in whatever type by now."""

from __future__ import annotations

from collections.abc import Hashable
from datetime import datetime, time
from typing import Any

import numpy as np


def is_same(written: object, now: object) -> bool:
    """Tell whether a value is still the one `written`, whatever type a table has for it by now."""
    return lookup_key(written) == lookup_key(now)


def lookup_key(value: Any) -> Hashable:  # noqa: ANN401 - of any type
    """Return what is equal for equal values, also where lists and dates are as Parquet has them."""
    import pandas as pd

    if isinstance(value, list | tuple | np.ndarray):
        return tuple(map(lookup_key, value))
    if isinstance(value, dict):
        return frozenset((name, lookup_key(each)) for name, each in value.items())
    if pd.api.types.is_scalar(value) and pd.isna(value):
        return None
    if isinstance(value, datetime) and value.tzinfo is None and value.time() == time.min:
        return value.date()
    return value if is_hashable(value) else str(value)


def is_hashable(value: object) -> bool:
    """Tell whether `value` can be looked up as it is."""
    try:
        hash(value)
    except TypeError:
        return False
    return True
