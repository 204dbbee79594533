"""From the text of an answer to its value: read, and checked once more from outside the mask."""

from __future__ import annotations

import json
import math

from steer_engine.errors import DefectError, RowError
from steer_engine.schema import JsonValue, Schema, validation_error
from steer_engine.schema.patterns import matches
from steer_engine.text_forms import Choices, Regex, TextForm

_MAX_DIGITS = 4000  # Python refuses to read numbers of more than 4,300
_COUNTS = ("minItems", "maxItems")


def read_record(schema: Schema, text: str) -> JsonValue:
    """Return the value that `text` spells, valid under `schema`.

    Raises:
        RowError: it has what no mask prevents: a number that is too large, or values nested too
            deeply to be read.
        DefectError: it is not valid, which the mask should have made impossible.
    """
    reader = _Reader()
    try:
        record = reader.read(text)
        reason = validation_error(schema, record)
    except ValueError as error:
        raise _defect(str(error)) from error
    except RecursionError as error:
        raise RowError("the answer is nested too deeply; bound the schema's depth") from error
    if reader.fault:
        raise RowError(reader.fault)
    if reason is not None:
        raise _defect(reason)
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
    document = schema.document
    if not isinstance(document, dict) or not text.startswith("["):
        return []
    uncounted = {key: value for key, value in document.items() if key not in _COUNTS}
    each = Schema(json.dumps(uncounted, ensure_ascii=False))
    items, position = list[JsonValue](), 1
    while True:
        try:
            _, end = json.JSONDecoder().raw_decode(text, position)
            if text[end : end + 1] not in (",", "]"):
                return items  # what looks like a complete number could have gone on
            item = read_record(each, f"[{text[position:end]}]")
        except (ValueError, RecursionError, RowError, DefectError):
            return items
        items += item if isinstance(item, list) else []
        position = end + len(", ")  # the grammar has no other white space


def _defect(reason: str) -> DefectError:
    return DefectError(
        f"the answer came out invalid ({reason}) although every token was checked;"
        " this is a bug in steermagic: please report it with the schema"
    )


class _Reader:
    """Reads JSON, and notes in `fault` what a row may not have and no mask prevents."""

    def __init__(self) -> None:
        self.fault = ""

    def read(self, text: str) -> JsonValue:
        value: JsonValue = json.loads(
            text,
            object_pairs_hook=self._object,
            parse_float=self._float,
            parse_int=self._int,
        )
        return value

    def _object(self, pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
        record = dict(pairs)
        if len(record) < len(pairs):
            keys = [key for key, _ in pairs]
            twice = next(key for key in keys if keys.count(key) > 1)
            raise ValueError(f"the key {twice[:40]!r} is there twice in an object")
        return record

    def _float(self, digits: str) -> float:
        number = float(digits)
        if math.isinf(number):
            self._note_size(digits)
        return number

    def _int(self, digits: str) -> int:
        if len(digits) > _MAX_DIGITS:
            self._note_size(digits)
            return 0
        return int(digits)

    def _note_size(self, digits: str) -> None:
        self.fault = (
            f"the answer has a number that is too large ({digits[:20]});"
            " give the field a minimum and a maximum"
        )
