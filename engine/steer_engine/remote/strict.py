"""A schema in the subset that strict servers take, and their answers read back.

There every object is closed and all its properties are required, so that one which may be left out
may be null instead. What the subset has no words for is left out, and checked in the answer.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from steer_engine.remote.absences import is_required, without_absent
from steer_engine.schema import JsonObject, JsonSchema, JsonValue, type_name
from steer_engine.schema.document import DEFINITIONS, dump, properties_of

WRAPPED = "answer"
"""The property that holds an answer which is no object."""

_NOTES = ("description",)
_ALLOWED = {
    "string": ("pattern", "format"),
    "number": ("multipleOf", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"),
    "array": ("minItems", "maxItems"),
}
_ALLOWED["integer"] = _ALLOWED["number"]
_FORMATS = frozenset(
    ("date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid")
)
_SIGNS = (("object", ("properties",)), ("array", ("items",)), *_ALLOWED.items())
_NULL: JsonObject = {"type": "null"}


class _UnsayableError(Exception):
    """The subset has no words for a schema that are not wrong."""


@dataclass(frozen=True, slots=True)
class StrictForm:
    """`document` is the schema in the subset; `original` is the one that it stands for."""

    document: JsonObject
    original: JsonSchema
    is_wrapped: bool

    def read(self, text: str) -> str:
        """Return the text of the answer as the original schema means it.

        Raises:
            ValueError: it is not JSON, or not in the wrapping.
        """
        value: JsonValue = json.loads(text)
        if self.is_wrapped:
            if not isinstance(value, dict) or value.keys() != {WRAPPED}:
                raise ValueError(f"it is no object with the property {WRAPPED!r} alone")
            value = value[WRAPPED]
        return dump(without_absent(self.original, value))


def strict_form(document: JsonSchema) -> StrictForm | None:
    """Return `document` in the subset; None where that would say something else.

    It is said anew as widely as it has to be, except that objects get no further properties than
    those that are listed: what only an open object can hold is not sayable.
    """
    try:
        root = _said(document)
        definitions: JsonObject = {
            keyword: {name: _said(_schema(each)) for name, each in held.items()}
            for keyword in DEFINITIONS
            if isinstance(document, dict) and isinstance(held := document.get(keyword), dict)
        }
    except _UnsayableError:
        return None
    is_wrapped = root.get("type") != "object"
    if is_wrapped and "#" in _references(root, definitions):
        return None  # the root is now elsewhere
    return StrictForm(
        {**(wrapped(root) if is_wrapped else root), **definitions}, document, is_wrapped
    )


def wrapped(schema: JsonObject) -> JsonObject:
    """Return the schema of an object that holds an answer of `schema`."""
    return {
        "type": "object",
        "properties": {WRAPPED: schema},
        "required": [WRAPPED],
        "additionalProperties": False,
    }


def _said(schema: JsonSchema) -> JsonObject:
    if isinstance(schema, bool):
        raise _UnsayableError
    schema = _with_all_of(schema)
    notes = {name: schema[name] for name in _NOTES if name in schema}
    return {**_bare(schema), **notes}


def _bare(schema: JsonObject) -> JsonObject:
    ref = schema.get("$ref")
    if isinstance(ref, str):
        if ref != "#" and not ref.startswith(("#/$defs/", "#/definitions/")):
            raise _UnsayableError
        return {"$ref": ref}
    values = [schema["const"]] if "const" in schema else schema.get("enum")
    if isinstance(values, list):
        return _enumeration(values)
    members = schema.get("anyOf", schema.get("oneOf"))
    if isinstance(members, list) and not schema.keys() & {"type", "properties", "items"}:
        return {"anyOf": [_said(_schema(member)) for member in members]}
    types = schema.get("type")
    if isinstance(types, list):
        return _one_of_types(schema, types)
    return _typed(schema, types if isinstance(types, str) else _guessed_type(schema))


def _with_all_of(schema: JsonObject) -> JsonObject:
    """Return `schema` without ``allOf``, where its members speak of different things."""
    members = schema.get("allOf")
    if not isinstance(members, list):
        return schema
    merged = {name: value for name, value in schema.items() if name != "allOf"}
    for member in map(_with_all_of, map(_object, members)):
        if any(name in merged and merged[name] != value for name, value in member.items()):
            raise _UnsayableError
        merged |= member
    return merged


def _enumeration(values: Sequence[JsonValue]) -> JsonObject:
    if any(isinstance(value, list | dict) for value in values):
        raise _UnsayableError
    types = [*dict.fromkeys(map(type_name, values))]
    return {"type": types[0] if len(types) == 1 else [*types], "enum": [*values]}


def _one_of_types(schema: JsonObject, types: Sequence[JsonValue]) -> JsonObject:
    if "object" not in types and "array" not in types:
        allowed = {name for kind in types for name in _ALLOWED.get(str(kind), ())}
        return {"type": [*types], **_kept(schema, allowed)}
    return {"anyOf": [_typed(schema, str(kind)) for kind in types]}


def _typed(schema: JsonObject, kind: str) -> JsonObject:
    said: JsonObject = {"type": kind, **_kept(schema, _ALLOWED.get(kind, ()))}
    if kind == "object":
        said |= _closed(schema)
    elif kind == "array":
        if "prefixItems" in schema:
            raise _UnsayableError
        said["items"] = _said(_schema(schema.get("items", True)))
    return said


def _closed(schema: JsonObject) -> JsonObject:
    properties, extra = properties_of(schema), schema.get("additionalProperties")
    if not properties or isinstance(extra, dict) or "patternProperties" in schema:
        raise _UnsayableError
    said: JsonObject = {
        name: _said(_schema(each)) if is_required(schema, name) else _or_null(_schema(each))
        for name, each in properties.items()
    }
    return {"properties": said, "required": [*properties], "additionalProperties": False}


def _or_null(schema: JsonSchema) -> JsonObject:
    said = _said(schema)
    kinds, values = said.get("type"), said.get("enum")
    if kinds == "null" or (isinstance(kinds, list) and "null" in kinds):
        return said
    members = said.get("anyOf")
    if isinstance(members, list):
        return said if _NULL in members else {**said, "anyOf": [*members, _NULL]}
    if isinstance(kinds, str) and kinds not in ("object", "array"):
        more: JsonObject = {"enum": [*values, None]} if isinstance(values, list) else {}
        return {**said, "type": [kinds, "null"], **more}
    return {"anyOf": [said, _NULL]}


def _kept(schema: JsonObject, allowed: Sequence[str] | set[str]) -> JsonObject:
    kept = {name: value for name, value in schema.items() if name in allowed}
    if kept.get("format", "date") not in _FORMATS:
        del kept["format"]
    return kept


def _guessed_type(schema: JsonObject) -> str:
    for kind, keywords in _SIGNS:
        if any(keyword in schema for keyword in keywords):
            return kind
    raise _UnsayableError


def _schema(value: JsonValue) -> JsonSchema:
    if not isinstance(value, bool | dict):
        raise _UnsayableError
    return value


def _object(value: JsonValue) -> JsonObject:
    if not isinstance(value, dict):
        raise _UnsayableError
    return value


def _references(*parts: JsonValue) -> Iterator[str]:
    for part in parts:
        if isinstance(part, dict):
            if isinstance(ref := part.get("$ref"), str):
                yield ref
            yield from _references(*part.values())
        elif isinstance(part, list):
            yield from _references(*part)
