"""From JSON Schema to the editor's fields. What has no row of its own is shown as text.

Whether a row says all there is to say is not argued but tried: it is written again, and where that
is not the text that was read, the level is shown as JSON.
"""

from __future__ import annotations

import json
from dataclasses import replace

from steer_engine import JsonValue, SchemaError
from steermagic.widgets.editor_fields import (
    BOUNDS,
    CHOICES,
    JSON,
    LIST,
    OBJECT,
    PATTERN,
    WORDS,
    Field,
    written_choices,
)
from steermagic.widgets.editor_writing import written_field

_Level = dict[str, JsonValue]
_NULL: JsonValue = {"type": "null"}


def read_field(schema: JsonValue, *, name: str = "", is_required: bool = True) -> Field:
    """Return the field that `schema` is; `written_field` gives exactly `schema` again."""
    text = json.dumps(schema, ensure_ascii=False)
    as_text = Field(name, JSON, is_required=is_required, text=text)
    if not isinstance(schema, dict):
        return as_text
    drawn = replace(_drawn(dict(schema)), name=name, is_required=is_required)
    try:
        is_exact = json.dumps(written_field(drawn), ensure_ascii=False) == text
    except (SchemaError, ValueError):
        is_exact = False
    return drawn if is_exact else as_text


def _drawn(level: _Level) -> Field:
    """Return the field that `level` could be, if it has no peculiarities. Takes `level` apart."""
    keywords = tuple(level)
    is_optional = False
    match level.pop("anyOf", None):
        case [dict() as inner, null] if null == _NULL:
            keywords, is_optional = (*keywords, *inner), True
            level |= inner
        case None:
            pass
        case other:
            level["anyOf"] = other
    match level.get("type"):
        case [kind, "null"]:
            level["type"], is_optional = kind, True
    description, default = level.pop("description", ""), ""
    if "default" in level:
        default = json.dumps(level.pop("default"), ensure_ascii=False)
    field = _typed(level)
    is_optional |= field.is_optional
    low, high = (_number(level.pop(keyword, None)) for keyword in BOUNDS.get(field.kind, ("", "")))
    return replace(
        field,
        is_optional=is_optional,
        keywords=keywords,
        default=default,
        description=description if isinstance(description, str) else "",
        low=low,
        high=high,
        more=json.dumps(level, ensure_ascii=False) if level else "",
    )


def _typed(level: _Level) -> Field:
    """Return the field that the type of `level` makes, and take that out of it."""
    if "enum" in level or "const" in level:
        return _choices(level)
    if level.get("type") == "object" and isinstance(level.get("properties"), dict):
        return _object(level)
    if level.get("type") == "array" and "items" in level:
        del level["type"]
        return Field(kind=LIST, fields=(read_field(level.pop("items")),))
    if pattern := _whole_match(level):
        del level["type"], level["pattern"]
        return Field(kind=PATTERN, text=pattern)
    meanings = sorted(WORDS.items(), key=lambda item: -len(item[1]))
    for word, meaning in meanings:
        if meaning.items() <= level.items():
            for keyword in meaning:
                del level[keyword]
            return Field(kind=word)
    return Field(kind=JSON)


def _choices(level: _Level) -> Field:
    level.pop("type", None)
    values = level.pop("enum", None)
    if not isinstance(values, list):
        values = [level.pop("const", None)]
    is_optional = len(values) > 1 and values[-1] is None
    chosen = values[:-1] if is_optional else values
    return Field(kind=CHOICES, choices=written_choices(chosen), is_optional=is_optional)


def _object(level: _Level) -> Field:
    del level["type"]
    properties, required = level.pop("properties"), level.pop("required", [])
    is_closed = level.get("additionalProperties") is False
    if is_closed:
        del level["additionalProperties"]
    names = required if isinstance(required, list) else []
    fields = tuple(
        read_field(each, name=name, is_required=name in names)
        for name, each in (properties.items() if isinstance(properties, dict) else ())
    )
    is_in_order = names == [each.name for each in fields if each.is_required]
    known = () if is_in_order else tuple(str(name) for name in names)
    return Field(kind=OBJECT, is_closed=is_closed, fields=fields, required=known)


def _whole_match(level: _Level) -> str:
    pattern = level.get("pattern")
    if level.get("type") != "string" or not isinstance(pattern, str):
        return ""
    is_whole = pattern.startswith("^(?:") and pattern.endswith(")$")
    return pattern[4:-2] if is_whole else ""


def _number(value: JsonValue) -> str:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return json.dumps(value) if is_number else ""
