"""Where schemas come from: text, files, JSON values and Python types all become a `Schema` here.

Nothing behind this door checks again: a `Schema` is valid 2020-12 and refers only to itself.
"""

from __future__ import annotations

import json
import math
import typing
from collections.abc import Mapping
from pathlib import Path

from steer_engine.errors import SchemaError, SchemaSyntaxError
from steer_engine.pointers import pointer_to
from steer_engine.schema.bundling import bundled
from steer_engine.schema.document import (
    JsonValue,
    Schema,
    dump,
    place,
)
from steer_engine.schema.notation import parse_notation
from steer_engine.schema.python_types import document_of
from steer_engine.schema.validity import check_schema

_Resources: typing.TypeAlias = "Mapping[str, JsonValue] | None"
_MAX_DEPTH = 100  # of JSON values; llguidance refuses 128, and this package recurses
_TOO_DEEP = f"the schema is nested more than {_MAX_DEPTH} deep; use `$ref`"


def read_schema(
    source: object,
    resources: Mapping[str, JsonValue] | None = None,
    *,
    name: str | None = None,
) -> Schema:
    """Return the schema that `source` describes.

    A source is the text of a JSON Schema or of the compact notation, a JSON Schema as a dict or a
    bool, a `Path` of a `.json` file, a Pydantic model, dataclass, TypedDict or any annotation that
    Pydantic understands, or a `Schema`. A `name` given here wins over the source's own.

    `resources` are the documents, by URI, that a `$ref` in a JSON Schema may lead to. Nothing is
    ever fetched; only the standard's own metaschemas are there without asking.

    A dict is copied. Raises `SchemaError`, of which `SchemaSyntaxError` points into a text.
    """
    if isinstance(source, Schema):
        return Schema(source.text, name or source.name)
    if isinstance(source, Path):
        return _read_json(_text_of(source), resources, name)
    if isinstance(source, str):
        return _read_text(source, resources, name)
    if isinstance(source, bool | dict):
        return _checked(source, resources, name)
    return _read_type(source, name)


def _text_of(path: Path) -> str:
    if path.suffix != ".json":
        raise SchemaError(f"{path.name} is not read; save the schema as JSON in a *.json file")
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise SchemaError(f"{path.name} cannot be read: {error}") from error


def _read_text(text: str, resources: _Resources, name: str | None) -> Schema:
    # A list in brackets is notation, since no JSON Schema is an array.
    if text.lstrip().startswith("{") or text.strip() in ("true", "false"):
        return _read_json(text, resources, name)
    try:
        document, class_name = parse_notation(text)
    except RecursionError as error:
        raise SchemaError(_TOO_DEEP) from error
    return _checked(document, None, name or class_name)


def _read_type(source: object, name: str | None) -> Schema:
    if not (isinstance(source, type) or typing.get_origin(source) is not None):
        raise SchemaError(
            f"a schema cannot be read from a value of type {type(source).__name__}; give JSON "
            "Schema, fields such as `name: str`, or a Pydantic class"
        )
    document, class_name = document_of(source)
    return _checked(document, None, name or class_name)


def _read_json(text: str, resources: _Resources, name: str | None) -> Schema:
    try:
        value = json.loads(
            text, object_pairs_hook=_object, parse_constant=_refuse_constant, parse_float=_float
        )
    except json.JSONDecodeError as error:
        message = f"not JSON: {error.msg[0].lower()}{error.msg[1:]}"
        raise SchemaSyntaxError(message, line=error.lineno, column=error.colno) from error
    except (RecursionError, ValueError) as error:  # too deep; an integer of too many digits
        raise SchemaError(f"the JSON text cannot be read: {error}") from error
    return _checked(value, resources, name)


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    # Python keeps the last of two equal keys, so one of two constraints would silently be lost.
    value = dict(pairs)
    if len(value) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise SchemaError(f"the key {twice!r} is there twice in one object; remove one")
    return value


def _refuse_constant(spelling: str) -> typing.NoReturn:
    raise SchemaError(f"{spelling} is not a JSON number; remove it")


def _float(spelling: str) -> float:
    value = float(spelling)
    if not math.isfinite(value):
        raise SchemaError(f"{spelling} is too large for a JSON number; use a smaller one")
    return value


def _checked(value: object, resources: _Resources, name: str | None) -> Schema:
    document = _json_value(value, "")
    if not isinstance(document, bool | dict):
        raise SchemaError(f"a JSON Schema is an object, true or false, and not {dump(document)}")
    documents = {uri: _json_value(each, "") for uri, each in (resources or {}).items()}
    document = bundled(document, documents)
    check_schema(document)
    title = document.get("title") if isinstance(document, dict) else None
    return Schema(dump(document), name or (title if isinstance(title, str) else None))


def _json_value(value: object, pointer: str) -> JsonValue:
    """Return a copy of `value`, or raise the error that says where it is not JSON."""
    if pointer.count("/") > _MAX_DEPTH:
        raise SchemaError(_TOO_DEEP)
    if isinstance(value, list):
        return [_json_value(item, pointer_to(pointer, i)) for i, item in enumerate(value)]
    if isinstance(value, dict):
        return {
            _key(key, pointer): _json_value(value[key], pointer_to(pointer, key)) for key in value
        }
    if isinstance(value, float) and not math.isfinite(value):
        raise SchemaError(f"{value} {place(pointer)} is not a JSON number; remove it")
    if isinstance(value, str) and not _is_text(value):
        raise SchemaError(f"half a surrogate pair {place(pointer)} is no text; remove it")
    if value is None or type(value) in (bool, int, float, str):
        return value  # type: ignore[return-value]  # mypy does not narrow by `type() in`
    raise SchemaError(f"a {type(value).__name__} {place(pointer)} is not JSON; convert it first")


def _is_text(value: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in value)


def _key(key: object, pointer: str) -> str:
    if not isinstance(key, str) or not _is_text(key):
        raise SchemaError(f"the key {key!r} {place(pointer)} is not a text; quote it")
    return key
