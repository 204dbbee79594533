"""The final word on a value: `jsonschema`, with exact numbers, ECMA-262 and all formats."""

from __future__ import annotations

import json
import math
from decimal import Decimal
from functools import lru_cache

from steer_engine.errors import RowError
from steer_engine.pointers import pointer_to
from steer_engine.schema.document import JsonValue, Schema, place
from steer_engine.schema.judging import Judge

_MAX_REASON = 200  # characters


def validation_error(schema: Schema, value: JsonValue) -> str | None:
    """Return in one line why `value` is not valid, or None if it is.

    `value` is JSON as `json.loads` gives it, or with a `Decimal` for a number whose digits a float
    would lose. A key that was written twice is not seen here. The first call for a schema takes
    some milliseconds, the later ones reuse its validator.

    Raises `RowError` where a pattern takes too long, or the value is nested too deeply.
    """
    try:
        if not _is_finite(value):
            # `json.loads` makes an infinity of 1e999, and it reads NaN.
            return "a number is too large for JSON, or NaN"
        error = _judge(schema.text).error(value)
    except RecursionError as error:
        raise RowError(
            "the value is nested too deeply to be checked; bound the schema's depth"
        ) from error
    if error is None:
        return None
    reason = " ".join(error.message.split())
    if len(reason) > _MAX_REASON:
        reason = reason[: _MAX_REASON - 1] + "…"
    return f"{reason} {place(pointer_to('', *error.absolute_path))}"


def _is_finite(value: JsonValue) -> bool:
    if isinstance(value, list):
        return all(map(_is_finite, value))
    if isinstance(value, dict):
        return all(map(_is_finite, value.values()))
    if isinstance(value, Decimal):
        return value.is_finite()
    return not isinstance(value, float) or math.isfinite(value)


@lru_cache(maxsize=64)
def _judge(text: str) -> Judge:
    return Judge(json.loads(text))
