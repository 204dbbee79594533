"""From the editor's fields to JSON Schema."""

from __future__ import annotations

import json
from collections import Counter

from steer_engine import JsonValue, SchemaError, type_name
from steermagic.widgets.editor_fields import (
    BOUNDS,
    CHOICES,
    JSON,
    LIST,
    OBJECT,
    PATTERN,
    WORDS,
    Field,
    read_choices,
)

_ORDER = ("type", "enum", "format", "pattern", "anyOf", "items", "properties", "required")
# Where null is one of two alternatives, these stand beside them and not inside.
NOTES = frozenset(
    {"title", "description", "default", "examples", "deprecated", "readOnly", "writeOnly"}
)


def written_field(field: Field) -> JsonValue:
    """Return the JSON Schema of `field`. What was read and not changed comes back as it was.

    Raises:
        SchemaError: a text in it is not what its place takes; the message names the field.
    """
    if field.kind == JSON:
        return _json(field.text, field, "JSON Schema")
    schema = {**_type_of(field), **_bounds(field), **_more(field)}
    notes: dict[str, JsonValue] = {}
    if field.description or "description" in field.keywords:
        notes["description"] = field.description
    if field.default:
        notes["default"] = _json(field.default, field, "default")
    if not field.is_optional:
        return _ordered({**schema, **notes}, field)
    if not _is_any_of(field):
        return _ordered({**_with_null(schema), **notes}, field)
    notes |= {keyword: schema.pop(keyword) for keyword in NOTES & schema.keys()}
    alternatives: list[JsonValue] = [_ordered(schema, field), {"type": "null"}]
    return _ordered({"anyOf": alternatives, **notes}, field)


def _type_of(field: Field) -> dict[str, JsonValue]:
    if field.kind in WORDS:
        return dict(WORDS[field.kind])
    if field.kind == PATTERN:
        return {"type": "string", "pattern": f"^(?:{field.text})$"}
    if field.kind == CHOICES:
        return _choices(field)
    if field.kind == LIST:
        return {"type": "array", "items": written_field(field.fields[0])}
    return _object(field)


def _choices(field: Field) -> dict[str, JsonValue]:
    values = read_choices(field.choices)
    if not values:
        raise SchemaError(f"{_called(field)} has no choices; write for example: low, high")
    if len(values) == 1 and "const" in field.keywords:
        return {**_types(values, field), "const": values[0]}
    return {**_types(values, field), "enum": values}


def _types(values: list[JsonValue], field: Field) -> dict[str, JsonValue]:
    """Return the type that the choices imply, where it was written beside them."""
    names = set(map(type_name, values))
    if "type" not in field.keywords or len(names) != 1:
        return {}
    return {"type": names.pop()}


def _object(field: Field) -> dict[str, JsonValue]:
    names = [each.name for each in field.fields]
    twice = [name for name, n_times in Counter(names).items() if n_times > 1]
    if twice:
        raise SchemaError(f"two fields are called {twice[0]!r}; rename one")
    required = [each.name for each in field.fields if each.is_required]
    # A list comes as it was read as far as that goes; what is new stands behind.
    known = {name: place for place, name in enumerate(field.required)}
    required.sort(key=lambda name: known.get(name, len(known)))
    schema: dict[str, JsonValue] = {
        "type": "object",
        "properties": {each.name: written_field(each) for each in field.fields},
    }
    if required or not field.keywords or "required" in field.keywords:
        schema["required"] = [*required]
    return {**schema, "additionalProperties": False} if field.is_closed else schema


def _bounds(field: Field) -> dict[str, JsonValue]:
    keywords = BOUNDS.get(field.kind, ())
    texts = zip(keywords, (field.low, field.high), strict=False)
    return {
        keyword: _json(text, field, "bound", is_number=True)
        for keyword, text in texts
        if text.strip()
    }


def _more(field: Field) -> dict[str, JsonValue]:
    if not field.more.strip():
        return {}
    more = _json(field.more, field, "other keywords")
    if not isinstance(more, dict):
        raise SchemaError(f"the other keywords of {_called(field)} are a JSON object: {{…}}")
    return more


def _is_any_of(field: Field) -> bool:
    if field.keywords:
        return "anyOf" in field.keywords
    return field.kind in (OBJECT, LIST)


def _with_null(schema: dict[str, JsonValue]) -> dict[str, JsonValue]:
    values = schema.get("enum")
    if isinstance(values, list):
        schema = {**schema, "enum": [*values, None]}
    return {**schema, "type": [schema["type"], "null"]} if "type" in schema else schema


def _ordered(schema: dict[str, JsonValue], field: Field) -> dict[str, JsonValue]:
    order = (*field.keywords, *_ORDER)
    places = {keyword: order.index(keyword) for keyword in schema if keyword in order}
    return dict(sorted(schema.items(), key=lambda item: places.get(item[0], len(order))))


def _json(text: str, field: Field, what: str, *, is_number: bool = False) -> JsonValue:
    try:
        value: JsonValue = json.loads(text)
    except (ValueError, RecursionError) as error:
        hint = '; a text is written "in quotes"' if what == "default" else ""
        raise SchemaError(f"the {what} of {_called(field)} is not JSON: {text!r}{hint}") from error
    if is_number and (isinstance(value, bool) or not isinstance(value, int | float)):
        raise SchemaError(f"the {what} of {_called(field)} is no number: {text!r}")
    return value


def _called(field: Field) -> str:
    return repr(field.name) if field.name else "the schema"
