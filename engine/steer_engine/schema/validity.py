"""Whether a document is a JSON Schema at all, and whether its references stay inside."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches

from steer_engine.errors import SchemaError
from steer_engine.pointers import pointer_to
from steer_engine.schema.document import (
    ANNOTATIONS,
    KEYWORDS,
    JsonObject,
    JsonSchema,
    Schema,
    place,
    walk,
)
from steer_engine.schema.formats import FORMATS, may_hold_texts
from steer_engine.schema.metaschema import TYPES, first_fault
from steer_engine.schema.patterns import check_pattern
from steer_engine.schema.references import endless_reference, reachable, target_pointer, value_at

_OTHER_WORDS = {"str": "string", "int": "integer", "float": "number", "bool": "boolean"} | {
    "list": "array",
    "dict": "object",
    "None": "null",
}
# Annotations of OpenAPI and of editors that resemble a keyword.
_FOREIGN = frozenset({"definition", "example", "formats", "patterns"})
_MARKS = ("order", "verbatim")
# OpenAPI's, and Pydantic's for a `Path`: no text is wrong there, or the type says enough.
_USUAL_FORMATS = frozenset(
    {"binary", "byte", "double", "float", "int32", "int64", "password", "path"}
)
_OTHER_FORMATS = {"ip": "ipv4", "url": "uri"}
_MAX_MESSAGE = 160  # characters of a message that quotes the user's schema


def check_schema(document: JsonSchema) -> None:
    """Raise `SchemaError` for the first thing that is not as 2020-12 wants it.

    The document is bundled: its references are pointers into itself.
    """
    judging = dict(reachable(document))
    schemas = dict(walk(document)) | judging
    fault = first_fault(schemas)
    if fault is not None:
        raise SchemaError(_explained(document, *fault))
    _check_is_no_data(document)
    _check_marks(schemas)
    _check_references(document, schemas)
    _check_patterns(schemas)


def _check_is_no_data(document: JsonSchema) -> None:
    if isinstance(document, dict) and document and not KEYWORDS & document.keys():
        first = next(iter(document))
        if not first.startswith("x-"):
            raise SchemaError(
                f"{first!r} is no keyword of JSON Schema: this looks like data;"
                ' a schema of it begins {"type": "object", "properties": …'
            )


def doubts(schema: Schema) -> tuple[str, ...]:
    """Return a sentence for each unknown keyword that looks misspelt, and each unknown format.

    Both are annotations, as the specification says, and have no effect.
    """
    return tuple(_doubts(dict(reachable(schema.document))))


def _doubts(schemas: Mapping[str, JsonSchema]) -> Iterator[str]:
    for pointer, schema in schemas.items():
        for keyword in schema if isinstance(schema, dict) else ():
            if keyword in KEYWORDS or keyword in _FOREIGN or not keyword.isalpha():
                continue  # "_format" and its like are meant to be no keyword
            close = get_close_matches(keyword, KEYWORDS - ANNOTATIONS, n=1, cutoff=0.85)
            if close:
                yield (
                    f"the unknown keyword {keyword!r} {place(pointer)} of the schema has no effect;"
                    f" did you mean {close[0]!r}?"
                )
        if isinstance(schema, dict):
            yield from _format_doubts(pointer, schema)


def _format_doubts(pointer: str, schema: JsonObject) -> Iterator[str]:
    name = schema.get("format")
    if not isinstance(name, str) or name in FORMATS | _USUAL_FORMATS:
        return
    if may_hold_texts(schema):
        word = name.lower()
        close = get_close_matches(word, sorted(FORMATS), n=1, cutoff=0.5)
        meant = _OTHER_FORMATS.get(word) or next(iter(close), None)
        hint = f"did you mean {meant!r}?" if meant else "a `pattern` would have one"
        yield f"the unknown format {name!r} {place(pointer)} of the schema has no effect; {hint}"


def _check_references(document: JsonSchema, schemas: Mapping[str, JsonSchema]) -> None:
    """Raise `SchemaError` for a `$ref` that leads nowhere, or back to itself."""
    for pointer, schema in schemas.items():
        ref = schema.get("$ref") if isinstance(schema, dict) else None
        if isinstance(ref, str) and target_pointer(document, ref) is None:
            raise SchemaError(f"`$ref` to {ref!r} {place(pointer)} names nothing")
    endless = endless_reference(document)
    if endless is not None:
        raise SchemaError(
            f"the schema {place(endless)} refers to itself without an end, or on and on; remove it"
        )


def _check_marks(schemas: Mapping[str, JsonSchema]) -> None:
    """Raise `SchemaError` for an `x-steer` that says what nobody reads."""
    for pointer, schema in schemas.items():
        marks = schema.get("x-steer", {}) if isinstance(schema, dict) else {}
        if not isinstance(marks, dict):
            raise SchemaError(f'`x-steer` {place(pointer)} is an object: {{"verbatim": true}}')
        for name in marks.keys() - set(_MARKS):
            close = get_close_matches(name, _MARKS, n=1)
            hint = f"did you mean {close[0]!r}?" if close else "use 'order' or 'verbatim'"
            raise SchemaError(f"`x-steer` {place(pointer)} has no mark {name!r}; {hint}")
        if marks.get("order", "any") != "any":
            raise SchemaError(f'the only `order` of an `x-steer` is "any"; see {place(pointer)}')


def _check_patterns(schemas: Mapping[str, JsonSchema]) -> None:
    for pointer, schema in schemas.items():
        for where, pattern in _patterns(schema, pointer):
            try:
                check_pattern(pattern)
            except SchemaError as error:
                raise SchemaError(f"{error} ({place(where)})") from error


def _patterns(schema: JsonSchema, pointer: str) -> Iterator[tuple[str, str]]:
    if isinstance(schema, bool):
        return
    pattern, properties = schema.get("pattern"), schema.get("patternProperties")
    if isinstance(pattern, str):
        yield pointer_to(pointer, "pattern"), pattern
    if isinstance(properties, dict):
        yield from ((pointer_to(pointer, "patternProperties", key), key) for key in properties)


def _explained(document: JsonSchema, pointer: str, keyword: str) -> str:
    """Return what the metaschema says about a keyword of the schema at `pointer`."""
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import best_match

    value = value_at(document, pointer_to(pointer, keyword))
    metaschema = Draft202012Validator(Draft202012Validator.META_SCHEMA)
    error = best_match(metaschema.iter_errors({keyword: value}))
    if error is None:
        return f"the value of {keyword!r} {place(pointer)} is not what JSON Schema wants there"
    path, value = list(error.absolute_path), error.instance
    where = place(pointer_to(pointer, *path))
    if "type" in path[-2:] and isinstance(value, str):
        meant = _OTHER_WORDS.get(value) or next(iter(get_close_matches(value, TYPES, n=1)), None)
        hint = f"did you mean {meant!r}?" if meant else f"use one of {', '.join(TYPES)}"
        return f"unknown type {value!r} {where}; {hint}"
    if error.validator == "type" and error.validator_value == ["object", "boolean"]:
        return f"{_short(repr(value))} {where} is not a schema; {_schema_hint(path, value)}"
    return f"{_short(error.message)} {where}"


def _schema_hint(path: list[str | int], value: object) -> str:
    if path[-1:] == ["items"] and isinstance(value, list):
        return "write `prefixItems`, or name the older draft in `$schema`"
    word = _OTHER_WORDS.get(value, value) if isinstance(value, str) else "string"
    return f'write for example {{"type": "{word if word in TYPES else "string"}"}}'


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _MAX_MESSAGE else line[: _MAX_MESSAGE - 1] + "…"
