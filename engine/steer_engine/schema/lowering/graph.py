"""A document as a graph: its schemas, and which of them lead to which others."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from urllib.parse import unquote

from steer_engine.schema.document import (
    DEFINITIONS,
    JsonObject,
    JsonSchema,
    children,
)
from steer_engine.schema.references import schema_at

_NOT_JUDGING = frozenset({*DEFINITIONS, "contentSchema"})


class SchemaGraph:
    """The schemas that take part in judging a value, found from the root.

    Definitions that nothing refers to take no part. A schema is told from another by its `id`, so
    the document must stay as it is for as long as the graph is in use.
    """

    def __init__(self, document: JsonSchema) -> None:
        self.document = document
        self._pointers: dict[int, str] = {}
        self._schemas: dict[int, JsonObject] = {}
        self._leads_to: dict[int, list[int]] = {}
        self._targets: dict[str, tuple[str, JsonSchema]] = {}
        waiting: list[tuple[str, JsonSchema]] = [("", document)]
        while waiting:
            pointer, schema = waiting.pop()
            if isinstance(schema, dict) and id(schema) not in self._schemas:
                self._pointers[id(schema)] = pointer
                self._schemas[id(schema)] = schema
                found = list(self._below(pointer, schema))
                self._leads_to[id(schema)] = [id(each) for _, each in found]
                waiting += reversed(found)

    def __iter__(self) -> Iterator[tuple[str, JsonObject]]:
        """Yield each schema that takes part, with its pointer, the root first."""
        for key, schema in self._schemas.items():
            yield self._pointers[key], schema

    def __len__(self) -> int:
        return len(self._schemas)

    def __contains__(self, schema: JsonObject) -> bool:
        return id(schema) in self._schemas

    def pointer(self, schema: JsonObject) -> str:
        """Return where `schema` stands in the document."""
        return self._pointers[id(schema)]

    def target(self, ref: str) -> JsonSchema:
        """Return the schema that a `$ref` names."""
        return self._target(ref)[1]

    def target_pointer(self, ref: str) -> str:
        """Return where the schema stands that a `$ref` names."""
        return self._target(ref)[0]

    def _target(self, ref: str) -> tuple[str, JsonSchema]:
        if ref not in self._targets:
            pointer = unquote(ref.removeprefix("#"))
            self._targets[ref] = pointer, schema_at(self.document, pointer)
        return self._targets[ref]

    def leading_to(self, schemas: Collection[int]) -> frozenset[int]:
        """Return the ids of all schemas from which one of `schemas`, given by id, is reached."""
        if not schemas:
            return frozenset()
        parents: dict[int, list[int]] = {}
        for parent, found in self._leads_to.items():
            for child in found:
                parents.setdefault(child, []).append(parent)
        above, waiting = set(schemas), list(schemas)
        while waiting:
            new = [each for each in parents.get(waiting.pop(), ()) if each not in above]
            above.update(new)
            waiting += new
        return frozenset(above)

    def _below(self, pointer: str, schema: JsonObject) -> Iterator[tuple[str, JsonSchema]]:
        for keyword in schema:
            if keyword == "$ref":
                yield self._target(str(schema["$ref"]))
            elif keyword not in _NOT_JUDGING:
                yield from children({keyword: schema[keyword]}, pointer)
