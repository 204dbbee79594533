"""The final word on a value: `jsonschema`, with the formats that are enforced."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING

from steer_engine.schema.document import JsonValue, Schema, place, pointer_to
from steer_engine.schema.formats import ENFORCED

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator, FormatChecker

_MAX_REASON = 200  # characters


def validation_error(schema: Schema, value: JsonValue) -> str | None:
    """Return in one line why `value` is not valid, or None if it is.

    `value` is JSON as `json.loads` gives it, so a key that was written twice is not seen here.
    The first call for a schema takes some milliseconds, the later ones reuse its validator.
    """
    from jsonschema.exceptions import best_match

    if not _is_finite(value):
        return "a number is too large for JSON"  # `json.loads` makes an infinity of 1e999
    error = best_match(_validator(schema.text).iter_errors(value))
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
    return not isinstance(value, float) or math.isfinite(value)


@lru_cache(maxsize=64)
def _validator(text: str) -> Draft202012Validator:
    from jsonschema import Draft202012Validator
    from referencing import Registry

    # Without a registry of its own, jsonschema fetches remote references.
    return Draft202012Validator(
        json.loads(text), registry=Registry(), format_checker=_format_checker()
    )


def _format_checker() -> FormatChecker:
    from jsonschema import FormatChecker

    checker = FormatChecker(formats=())
    for name, check in ENFORCED.items():
        checker.checks(name)(_for_strings(check))
    return checker


def _for_strings(check: Callable[[str], bool]) -> Callable[[object], bool]:
    return lambda value: not isinstance(value, str) or check(value)
