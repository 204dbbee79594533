"""Which strings of a value must be copied from the prompt: those marked `verbatim`.

The mark is ``"x-steer": {"verbatim": true}``, or ``{"verbatim": {"aligned": false}}`` where a copy
may begin and end inside a word.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

from steer_engine.errors import UnenforceableError
from steer_engine.pointers import pointer_to
from steer_engine.schema.document import (
    JsonObject,
    JsonSchema,
    JsonValue,
    Schema,
    place,
    walk,
)
from steer_engine.schema.formats import may_hold_texts
from steer_engine.schema.references import schema_at, target_pointer

Path: TypeAlias = "tuple[str | int, ...]"
"""Where a value stands: property names and array indices from the root."""

_EACH_IN_PLACE = ("allOf", "anyOf", "oneOf")
_ONE_IN_PLACE = ("else", "then")
# Below these a mark would say nothing of the value that is written there.
_NO_PLACE = (
    "if", "not", "propertyNames", "contains", "unevaluatedItems", "unevaluatedProperties",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Mark:
    """How a string is held to the source; one that is `aligned` copies no part of a word."""

    aligned: bool = True


@lru_cache(maxsize=64)
def verbatim_places(schema: Schema) -> VerbatimPlaces:
    """Return the places of the strings that `schema` marks.

    Raises:
        UnenforceableError: a mark cannot be read, or stands where no string is written.
    """
    document: JsonSchema = schema.document if '"verbatim"' in schema.text else True
    for pointer, node in walk(document):
        if not isinstance(node, dict):
            continue
        for keyword in _NO_PLACE:
            _refuse_marks(node.get(keyword), pointer_to(pointer, keyword), keyword)
        if _mark(node, pointer) and not may_hold_texts(node):
            raise _refusal(pointer, "marks no string; set it where the strings are")
    return VerbatimPlaces(document)


def _refuse_marks(schema: JsonValue, pointer: str, keyword: str) -> None:
    for where, _ in _marks(schema, pointer) if isinstance(schema, dict) else ():
        raise _refusal(where, f"cannot be enforced below `{keyword}`; use `str` there")


class VerbatimPlaces:
    """The places of a document's marked strings, and its `marks` by their pointers.

    Where several parts of the document speak of a value, one mark is enough.
    """

    def __init__(self, document: JsonSchema) -> None:
        self._document = document
        self._nodes: dict[Path, tuple[JsonObject, ...]] = {}
        self._marks: dict[Path, Mark | None] = {}
        self.marks = tuple(_marks(document, ""))
        self.is_empty = not self.marks

    def at(self, path: Path) -> Mark | None:
        """Return the mark of a string at `path`, or None where it is free."""
        if path not in self._marks:
            marks = [mark for node in self._speaking_of(path) if (mark := _mark(node, ""))]
            aligned = any(mark.aligned for mark in marks)
            self._marks[path] = Mark(aligned=aligned) if marks else None
        return self._marks[path]

    def _speaking_of(self, path: Path) -> tuple[JsonObject, ...]:
        """Return what the document says of the value at `path`."""
        if path not in self._nodes:
            parts = (
                [self._document]
                if not path
                else [
                    part for node in self._speaking_of(path[:-1]) for part in _parts(node, path[-1])
                ]
            )
            speaking = {id(node): node for part in parts for node in self._in_place(part, ())}
            self._nodes[path] = tuple(speaking.values())
        return self._nodes[path]

    def _in_place(self, node: JsonValue, trail: tuple[str, ...]) -> Iterator[JsonObject]:
        """Yield `node` and whatever judges the same value."""
        if not isinstance(node, dict):
            return
        yield node
        ref = node.get("$ref")
        target = target_pointer(self._document, ref) if isinstance(ref, str) else None
        if target is not None and target not in trail:
            yield from self._in_place(schema_at(self._document, target), (*trail, target))
        for member in _members_in_place(node):
            yield from self._in_place(member, trail)


def _members_in_place(node: JsonObject) -> Iterator[JsonValue]:
    for keyword in _EACH_IN_PLACE:
        members = node.get(keyword)
        yield from members if isinstance(members, list) else ()
    for keyword in _ONE_IN_PLACE:
        yield node.get(keyword)
    dependent = node.get("dependentSchemas")
    yield from dependent.values() if isinstance(dependent, dict) else ()


def _parts(node: JsonObject, step: str | int) -> Iterator[JsonValue]:
    """Yield the subschemas of `node` for the part of its value at `step`."""
    if isinstance(step, int):
        prefix = node.get("prefixItems")
        n_prefix = len(prefix) if isinstance(prefix, list) else 0
        yield prefix[step] if isinstance(prefix, list) and step < n_prefix else node.get("items")
        return
    properties, patterns = node.get("properties"), node.get("patternProperties")
    is_named = isinstance(properties, dict) and step in properties
    if isinstance(properties, dict) and is_named:
        yield properties[step]
    # One that only some keys match is applied to all others than the named ones: stricter, and
    # which pattern a key matches need not be asked for every token.
    if isinstance(patterns, dict) and not is_named:
        yield from patterns.values()
    if not is_named:
        yield node.get("additionalProperties")


def _marks(schema: JsonSchema, pointer: str) -> Iterator[tuple[str, Mark]]:
    for where, node in walk(schema, pointer):
        if mark := _mark(node, where):
            yield where, mark


def _mark(node: JsonSchema, pointer: str) -> Mark | None:
    extension = node.get("x-steer") if isinstance(node, dict) else None
    mark = extension.get("verbatim") if isinstance(extension, dict) else None
    if isinstance(mark, bool) or mark is None:
        return Mark() if mark else None
    aligned = mark.get("aligned") if isinstance(mark, dict) and len(mark) == 1 else None
    if not isinstance(aligned, bool):
        raise _refusal(pointer, 'is true, false or {"aligned": false}')
    return Mark(aligned=aligned)


def _refusal(pointer: str, problem: str) -> UnenforceableError:
    return UnenforceableError(
        f"`verbatim` {place(pointer)} {problem}", pointer=pointer, keyword="x-steer"
    )
