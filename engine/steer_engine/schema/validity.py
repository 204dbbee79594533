"""Whether a document is a JSON Schema at all, and whether its references stay inside."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import get_close_matches
from typing import TYPE_CHECKING

from steer_engine.errors import SchemaError
from steer_engine.schema.document import ANNOTATIONS, KEYWORDS, JsonSchema, place, pointer_to, walk
from steer_engine.schema.references import endless_reference, reachable, target_pointer

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

_TYPES = ("string", "integer", "number", "boolean", "object", "array", "null")
_OTHER_WORDS = {"str": "string", "int": "integer", "float": "number", "bool": "boolean"} | {
    "list": "array",
    "dict": "object",
    "None": "null",
}
# Annotations of OpenAPI and of editors that resemble a keyword.
_FOREIGN = frozenset({"definition", "example", "formats", "patterns"})
_MAX_MESSAGE = 160  # characters of a message that quotes the user's schema


def check_schema(document: JsonSchema) -> None:
    """Raise `SchemaError` for the first thing that is not as 2020-12 wants it."""
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import best_match

    metaschema = Draft202012Validator(Draft202012Validator.META_SCHEMA)
    error = best_match(metaschema.iter_errors(document))
    if error is not None:
        raise SchemaError(_explained(error))
    _check_keywords(document)
    check_references(document)
    _check_patterns(document)


def _check_keywords(document: JsonSchema) -> None:
    """Raise `SchemaError` for a keyword that looks like another one misspelt.

    Other unknown keywords are annotations, as the specification says.
    """
    if isinstance(document, dict) and document and not KEYWORDS & document.keys():
        first = next(iter(document))
        if not first.startswith("x-"):
            raise SchemaError(
                f"{first!r} is no keyword of JSON Schema: this looks like data;"
                ' a schema of it begins {"type": "object", "properties": …'
            )
    for pointer, schema in reachable(document):
        for keyword in schema if isinstance(schema, dict) else ():
            if keyword in KEYWORDS or keyword in _FOREIGN or not keyword.isalpha():
                continue  # "_format" and its like are meant to be no keyword
            close = get_close_matches(keyword, KEYWORDS - ANNOTATIONS, n=1, cutoff=0.85)
            if close:
                raise SchemaError(
                    f"unknown keyword {keyword!r} {place(pointer)}; did you mean {close[0]!r}?"
                )


def check_references(document: JsonSchema) -> None:
    """Raise `SchemaError` for a `$ref` that leads out of the document or nowhere."""
    places = dict([*walk(document), *reachable(document)])
    refs = {
        pointer: schema["$ref"]
        for pointer, schema in places.items()
        if isinstance(schema, dict) and isinstance(schema.get("$ref"), str)
    }
    for pointer, ref in refs.items():
        if target_pointer(document, str(ref)) is None:
            raise SchemaError(_unresolved(document, str(ref), pointer))
    for pointer, schema in places.items():
        is_embedded = bool(pointer) and isinstance(schema, dict) and "$id" in schema
        if is_embedded and any(f"{ref}/".startswith(f"{pointer}/") for ref in refs):
            raise SchemaError(
                f"`$id` {place(pointer)} begins a document inside the document, which is not read "
                "together with `$ref`; remove it and refer to `#/$defs/...`"
            )
    endless = endless_reference(document)
    if endless is not None:
        raise SchemaError(f"the schema {place(endless)} refers to itself without an end; remove it")


def _unresolved(document: JsonSchema, ref: str, pointer: str) -> str:
    where = f"`$ref` to {ref!r} {place(pointer)}"
    if not ref.startswith("#"):
        return f"{where} leads out of this document; refused: never fetched. Copy it into `$defs`"
    known = [f"#{at}" for at, _ in walk(document) if at.split("/")[-2:-1] == ["$defs"]]
    close = get_close_matches(ref, known, n=1)
    return f"{where} names nothing" + (f"; did you mean {close[0]!r}?" if close else "")


def _check_patterns(document: JsonSchema) -> None:
    for pointer, schema in walk(document):
        for where, pattern in _patterns(schema, pointer):
            try:
                re.compile(pattern)
            except re.error as error:
                raise SchemaError(
                    f"{pattern!r} {place(where)} is no regular expression Python can read: {error}"
                ) from error


def _patterns(schema: JsonSchema, pointer: str) -> Iterator[tuple[str, str]]:
    if isinstance(schema, bool):
        return
    pattern, properties = schema.get("pattern"), schema.get("patternProperties")
    if isinstance(pattern, str):
        yield pointer_to(pointer, "pattern"), pattern
    if isinstance(properties, dict):
        yield from ((pointer_to(pointer, "patternProperties", key), key) for key in properties)


def _explained(error: ValidationError) -> str:
    path, value = list(error.absolute_path), error.instance
    where = place(pointer_to("", *path))
    if "type" in path[-2:] and isinstance(value, str):
        meant = _OTHER_WORDS.get(value) or next(iter(get_close_matches(value, _TYPES, n=1)), None)
        hint = f"did you mean {meant!r}?" if meant else f"use one of {', '.join(_TYPES)}"
        return f"unknown type {value!r} {where}; {hint}"
    if error.validator == "type" and error.validator_value == ["object", "boolean"]:
        return f"{_short(repr(value))} {where} is not a schema; {_schema_hint(path, value)}"
    return f"{_short(error.message)} {where}"


def _schema_hint(path: list[str | int], value: object) -> str:
    if path[-1:] == ["items"] and isinstance(value, list):
        return "write `prefixItems`, or name the older draft in `$schema`"
    word = _OTHER_WORDS.get(value, value) if isinstance(value, str) else "string"
    return f'write for example {{"type": "{word if word in _TYPES else "string"}"}}'


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _MAX_MESSAGE else line[: _MAX_MESSAGE - 1] + "…"
