"""What the schema editor shows: a field is one level of a schema, its values texts.

Numbers, defaults and whatever has no control of its own travel as JSON text: a browser would spell
1.0 as 1 and round large integers.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from steer_engine import TYPE_WORDS, JsonValue, SchemaError

CHOICES, PATTERN, OBJECT, LIST, JSON = "choices", "pattern", "object", "list of", "JSON"

WORDS = {word: meaning for word, meaning in TYPE_WORDS.items() if word != "None"}
"""Types that are a word of the compact notation, with their meanings."""

KINDS = (*WORDS, CHOICES, PATTERN, OBJECT, LIST, JSON)

BOUNDS: Mapping[str, tuple[str, str]] = {
    "int": ("minimum", "maximum"),
    "float": ("minimum", "maximum"),
    "str": ("minLength", "maxLength"),
    "list": ("minItems", "maxItems"),
    LIST: ("minItems", "maxItems"),
}
"""The keywords of `low` and `high`, by kind."""


@dataclass(frozen=True, slots=True)
class Field:
    """One level of a schema; `kind` is one of `KINDS` and says which of the others count.

    `choices` are separated by commas (see `written_choices`); `text` is the pattern, or the whole
    level where it is JSON; `more` is a JSON object of the keywords that have no control, or empty;
    `fields` are those of an object, or the one item of a list. An optional field may be null; one
    that is not required may be missing.

    `keywords` and `required` are as they were read: they keep the order, and where JSON Schema has
    several spellings for one thing, the spelling. They are empty for what was made by hand, and
    `required` where its order is that of the fields.
    """

    name: str = ""
    kind: str = "str"
    is_optional: bool = False
    is_required: bool = True
    is_closed: bool = True
    description: str = ""
    default: str = ""
    low: str = ""
    high: str = ""
    choices: str = ""
    text: str = ""
    more: str = ""
    fields: tuple[Field, ...] = ()
    keywords: tuple[str, ...] = ()
    required: tuple[str, ...] = ()


def packed_field(field: Field) -> str:
    """Return `field` as the JSON text that a browser gets."""
    return json.dumps(asdict(field), ensure_ascii=False)


def unpacked_field(text: str) -> Field:
    """Return the field that a browser has sent.

    Raises:
        SchemaError: it is none.
    """
    try:
        return _field(json.loads(text))
    except (ValueError, TypeError, RecursionError) as error:
        raise SchemaError(f"the rows of the editor cannot be read: {error}") from error


def _field(value: Any) -> Field:  # noqa: ANN401 - from outside
    known = {each.name: each.default for each in fields(Field)}
    if not isinstance(value, dict) or not value.keys() <= known.keys():
        raise TypeError("a field has an attribute that is unknown")
    for name, given in value.items():
        expected = list if isinstance(known[name], tuple) else type(known[name])
        if not isinstance(given, expected):
            raise TypeError(f"{name} is no {expected.__name__}")
    if value.get("kind", "str") not in KINDS:
        raise TypeError(f"there is no type {value['kind']!r}")
    lists = {
        "fields": tuple(_field(each) for each in value.get("fields", [])),
        "keywords": tuple(str(each) for each in value.get("keywords", [])),
        "required": tuple(str(each) for each in value.get("required", [])),
    }
    return Field(**{**value, **lists})


def written_choices(values: list[JsonValue]) -> str:
    """Return choices as one line: plain texts as they are, all else as JSON."""
    return ", ".join(map(_written_choice, values))


def read_choices(text: str) -> list[JsonValue]:
    """Return what `written_choices` was given; what is no JSON up to a comma is a text."""
    values: list[JsonValue] = []
    position = 0
    while position < len(text):
        if text[position] in ", \t\r\n":
            position += 1
            continue
        value, position = _choice_at(text, position)
        values.append(value)
    return values


def _choice_at(text: str, start: int) -> tuple[JsonValue, int]:
    """Return the choice that begins at `start`, and where it ends."""
    try:
        value, end = _DECODER.raw_decode(text, start)
    except (ValueError, RecursionError):
        pass
    else:
        if text[end:].lstrip()[:1] in ("", ","):
            return value, end
    comma = text.find(",", start)
    end = len(text) if comma < 0 else comma
    return text[start:end].strip(), end


def _written_choice(value: JsonValue) -> str:
    if isinstance(value, str) and read_choices(value) == [value]:
        return value
    return json.dumps(value, ensure_ascii=False)


def _no_constant(spelling: str) -> float:
    raise ValueError(spelling)  # NaN and Infinity are texts


def _finite(spelling: str) -> float:
    value = float(spelling)
    return value if math.isfinite(value) else _no_constant(spelling)


_DECODER = json.JSONDecoder(parse_constant=_no_constant, parse_float=_finite)
