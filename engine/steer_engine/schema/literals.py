"""Literals as the compact notation and Python source share them: strings, numbers, True, None."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping

from steer_engine.schema.document import JsonValue

CONSTANTS: Mapping[str, bool | None] = {
    "True": True,
    "False": False,
    "None": None,
    "true": True,
    "false": False,
    "null": None,
}

_ESCAPE_OR_QUOTE = re.compile(r'\\.|"', re.DOTALL)
_IN_JSON = {"\\'": "'", '"': '\\"'}


def read_string(spelling: str) -> str:
    """Return the text of a quoted string; raises `ValueError` for an escape JSON does not have."""
    body = _ESCAPE_OR_QUOTE.sub(lambda found: _IN_JSON.get(found[0], found[0]), spelling[1:-1])
    text: str = json.loads(f'"{body}"', strict=False)
    return text


def read_number(spelling: str) -> int | float:
    """Return a number, an int where it is written as one; raises `ValueError` if it is infinite."""
    number: int | float = json.loads(spelling)
    if not math.isfinite(number):
        raise ValueError(f"{spelling} is too large for a JSON number")
    return number


def write_literal(value: JsonValue) -> str:
    """Return the Python spelling of a JSON value, with double quotes."""
    if isinstance(value, list):
        return "[" + ", ".join(map(write_literal, value)) + "]"
    if isinstance(value, dict):
        items = (f"{write_literal(key)}: {write_literal(item)}" for key, item in value.items())
        return "{" + ", ".join(items) + "}"
    if value is None or isinstance(value, bool):
        return str(value)
    return json.dumps(value, ensure_ascii=False)
