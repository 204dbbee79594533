"""From the text of an answer to its value: read, and checked once more from outside the mask."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable

from steer_engine.errors import DefectError, RowError
from steer_engine.guard import exact_number
from steer_engine.schema import JsonValue, Schema, validation_error
from steer_engine.schema.patterns import matches
from steer_engine.text_forms import Choices, Regex, TextForm

_COUNTS = ("minItems", "maxItems")
# The grammar's white space is fixed, a server's is not.
_OPENING = re.compile(r"\s*\[\s*")
_AFTER_ITEM = re.compile(r"\s*[,\]]\s*")


def read_record(schema: Schema, text: str) -> JsonValue:
    """Return the value that `text` spells, valid under `schema`.

    Raises:
        RowError: it has what no mask prevents: a number of so many digits that the float for it
            is not valid, or values nested too deeply to be read.
        DefectError: it is not valid, which the mask should have made impossible.
    """
    try:
        return valid_record(schema, text)
    except ValueError as error:
        raise _defect(str(error)) from error


def valid_record(schema: Schema, text: str) -> JsonValue:
    """Return the value that `text`, which nobody has checked yet, spells.

    Raises:
        ValueError: it is not valid under `schema`; the message says why.
        RowError: it is valid, but the float for a number of many digits is not; or values are
            nested too deeply to be read.
    """
    try:
        record = _read(text, _float)
        reason = validation_error(schema, record)
        is_rounding = reason and validation_error(schema, _read(text, exact_number)) is None
    except RecursionError as error:
        raise RowError("the answer is nested too deeply; bound the schema's depth") from error
    if is_rounding:
        raise RowError(
            f"a number has more digits than a float holds, and rounded {reason}; ask for fewer"
        )
    if reason is not None:
        raise ValueError(reason)
    return record


def read_text(form: TextForm, text: str) -> str:
    """Return `text`, checked once more where the form can be checked without its grammar.

    Raises:
        DefectError: it is not of that form, which the mask should have made impossible.
    """
    match form:
        case Choices(options):
            is_valid = text in options
        case Regex(pattern):
            is_valid = _matches_whole(pattern, text)
        case _:
            is_valid = True
    if not is_valid:
        raise _defect(f"{text[:80]!r} is not of the form that was asked for")
    return text


def _matches_whole(pattern: str, text: str) -> bool:
    try:
        return matches(f"^(?:{pattern})$", text)
    except RowError:
        return True  # it would take too long to know; the mask has seen every character


def finished_items(schema: Schema, text: str) -> list[JsonValue]:
    """Return the complete and valid items of a JSON list that was broken off; else nothing.

    How many items `schema` asks for does not count: the list was not finished.
    """
    document, opening = schema.document, _OPENING.match(text)
    if not isinstance(document, dict) or opening is None:
        return []
    uncounted = {key: value for key, value in document.items() if key not in _COUNTS}
    each = Schema(json.dumps(uncounted, ensure_ascii=False))
    items, position = list[JsonValue](), opening.end()
    while True:
        try:
            _, end = json.JSONDecoder().raw_decode(text, position)
            after = _AFTER_ITEM.match(text, end)
            if after is None:
                return items  # what looks like a complete number could have gone on
            item = valid_record(each, f"[{text[position:end]}]")
        except (ValueError, RecursionError, RowError):
            return items
        items += item if isinstance(item, list) else []
        if "]" in after[0]:
            return items
        position = after.end()


def _defect(reason: str) -> DefectError:
    return DefectError(
        f"the answer came out invalid ({reason}) although every token was checked;"
        " this is a bug in steermagic: please report it with the schema"
    )


def _read(text: str, parse_float: Callable[[str], object]) -> JsonValue:
    value: JsonValue = json.loads(text, object_pairs_hook=_object, parse_float=parse_float)
    return value


def _object(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    record = dict(pairs)
    if len(record) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"the key {twice[:40]!r} is there twice in an object")
    return record


def _float(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise ValueError(f"the number {digits[:20]} is too large")
    return number
