"""`$ref` inside one document that is bundled: all are pointers into itself."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import cast
from urllib.parse import unquote

from steer_engine.pointers import steps_of
from steer_engine.schema.document import (
    DEFINITIONS,
    JsonObject,
    JsonSchema,
    JsonValue,
    children,
    map_children,
    properties_of,
    walk,
)

_MAX_COPIED = 5_000  # subschemas
_MAX_IN_A_ROW = 150  # schemas of the same value, each inside or named by the last
_APPLIED_IN_PLACE = frozenset(
    {"allOf", "anyOf", "dependentSchemas", "else", "if", "not", "oneOf", "then"}
)
_NOT_JUDGING = frozenset({*DEFINITIONS, "contentSchema"})
_NOTES = frozenset({"title", "description", "default", "examples", "deprecated", *DEFINITIONS})


def target_pointer(document: JsonSchema, ref: str) -> str | None:
    """Return the pointer of the schema that `ref` names, or None where it leads nowhere."""
    pointer = unquote(ref[1:])
    if not ref.startswith("#") or (pointer and not pointer.startswith("/")):
        return None
    return pointer if isinstance(value_at(document, pointer), bool | dict) else None


def value_at(document: JsonValue, pointer: str) -> JsonValue:
    """Return the value at a JSON pointer, or None where there is none."""
    value = document
    for step in steps_of(pointer):
        if isinstance(value, dict) and step in value:
            value = value[step]
        elif isinstance(value, list) and step.isdecimal() and int(step) < len(value):
            value = value[int(step)]
        else:
            return None
    return value


def schema_at(document: JsonSchema, pointer: str) -> JsonSchema:
    """Return the schema at a pointer that `target_pointer` gave."""
    return cast("JsonSchema", value_at(document, pointer))


def resolved(document: JsonSchema, schema: JsonSchema) -> JsonSchema:
    """Return `schema` with what its `$ref` and `allOf` name written into it, properties joined.

    This is for reading the form of a value, not for judging one: where two parts constrain the
    same keyword, the last part wins.
    """
    return _Folding(document).of(schema)


class _Folding:
    """Writes what is named into a schema; each target once, since references may double."""

    def __init__(self, document: JsonSchema) -> None:
        self._document = document
        self._targets: dict[str, JsonSchema] = {}

    def of(self, schema: JsonSchema) -> JsonSchema:
        if isinstance(schema, bool):
            return schema
        ref, members = schema.get("$ref"), schema.get("allOf")
        parts = [self._target(ref)] if isinstance(ref, str) else []
        if isinstance(members, list):
            parts += [self.of(each) for each in members if isinstance(each, dict)]
        parts.append({key: value for key, value in schema.items() if key not in ("$ref", "allOf")})
        merged: JsonObject = {}
        for part in parts:
            if isinstance(part, dict):
                properties = {**properties_of(merged), **properties_of(part)}
                merged |= part | ({"properties": properties} if properties else {})
        return merged

    def _target(self, ref: str) -> JsonSchema:
        pointer = target_pointer(self._document, ref)
        if pointer is None:
            return {}
        if pointer not in self._targets:
            self._targets[pointer] = {}  # in case it names itself
            self._targets[pointer] = self.of(schema_at(self._document, pointer))
        return self._targets[pointer]


def reachable(document: JsonSchema) -> Iterator[tuple[str, JsonSchema]]:
    """Yield each schema that takes part in judging a value once, with its pointer.

    Definitions that nothing refers to take no part, nor does `contentSchema`. A reference that
    leads nowhere is passed over.
    """
    waiting, seen = deque([""]), {""}
    while waiting:
        pointer = waiting.popleft()
        schema = schema_at(document, pointer)
        yield pointer, schema
        if isinstance(schema, bool):
            continue
        judging = {key: value for key, value in schema.items() if key not in _NOT_JUDGING}
        found = [at for at, _ in children(judging, pointer)]
        ref = schema.get("$ref")
        target = target_pointer(document, ref) if isinstance(ref, str) else None
        for at in found if target is None else [*found, target]:
            if at not in seen:
                seen.add(at)
                waiting.append(at)


def endless_reference(document: JsonSchema) -> str | None:
    """Return the pointer of a schema that needs itself to judge the same value, or None.

    One that needs too many others in a row counts as well: what reads it would be lost.
    """
    settled: set[str] = set()
    for start, _ in walk(document):
        open_now: dict[str, Iterator[str]] = {}  # the trail, each with what is left to visit
        pointer: str | None = start
        while pointer is not None or open_now:
            if pointer in open_now or (pointer and len(open_now) > _MAX_IN_A_ROW):
                return pointer
            if pointer is not None and pointer not in settled:
                open_now[pointer] = _in_place(document, pointer)
            last = next(reversed(open_now), None)
            if last is None:
                break
            pointer = next(open_now[last], None)
            if pointer is None:
                settled.add(last)
                del open_now[last]
    return None


def _in_place(document: JsonSchema, pointer: str) -> Iterator[str]:
    """Yield what judges the same value as the schema at `pointer`."""
    schema = schema_at(document, pointer)
    if isinstance(schema, bool):
        return
    ref = schema.get("$ref")
    target = target_pointer(document, ref) if isinstance(ref, str) else None
    if target is not None:
        yield target
    in_place = {key: value for key, value in schema.items() if key in _APPLIED_IN_PLACE}
    yield from (each for each, _ in children(in_place, pointer))


def inlined(document: JsonSchema) -> JsonSchema:
    """Return `document` with every reference replaced by what it names.

    A description or default beside a `$ref` wins over the target's, as Pydantic means it. A
    document comes back as it is where this is no plain copying: it refers to itself, constrains
    beside a `$ref`, or would grow beyond measure.
    """
    try:
        schema = _Copy(document).of(document)
    except _UncopyableError:
        return document
    if isinstance(schema, dict):
        return {key: value for key, value in schema.items() if key not in DEFINITIONS}
    return schema


class _UncopyableError(Exception):
    """A reference cannot be replaced by a copy of its target."""


class _Copy:
    """Copies a document along its references, up to a number of subschemas."""

    def __init__(self, document: JsonSchema) -> None:
        self._document = document
        self._n_left = _MAX_COPIED
        self._trail: list[str] = []

    def of(self, schema: JsonSchema) -> JsonSchema:
        self._n_left -= 1  # references that double at each step have no end in practice
        if self._n_left < 0:
            raise _UncopyableError
        if isinstance(schema, bool):
            return schema
        if "$ref" in schema:
            return self._target(schema)
        kept = {key: value for key, value in schema.items() if key not in DEFINITIONS}
        return map_children(kept, self.of)

    def _target(self, schema: JsonObject) -> JsonSchema:
        pointer = target_pointer(self._document, str(schema["$ref"]))
        beside = {key: value for key, value in schema.items() if key != "$ref"}
        if pointer is None or pointer in self._trail or not set(beside) <= _NOTES:
            raise _UncopyableError
        self._trail.append(pointer)
        target = self.of(schema_at(self._document, pointer))
        self._trail.pop()
        notes = {key: value for key, value in beside.items() if key not in DEFINITIONS}
        if isinstance(target, bool):
            return target
        return {**target, **notes}
