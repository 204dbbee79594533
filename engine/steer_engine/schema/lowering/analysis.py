"""What is asked about the schemas of one document again and again, answered once each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeAlias

from steer_engine.errors import RowError, SchemaError
from steer_engine.schema.document import JsonObject, JsonSchema, JsonValue
from steer_engine.schema.lowering.alternatives import (
    ALWAYS,
    NEVER,
    Alternative,
    Alternatives,
    choices_of,
)
from steer_engine.schema.lowering.detail import Detail
from steer_engine.schema.lowering.graph import SchemaGraph
from steer_engine.schema.lowering.inexact import Inexact
from steer_engine.schema.lowering.negation import negated
from steer_engine.schema.lowering.reading import (
    as_schema,
    asks_for_any_order,
    has_long,
    schemas_by_name,
    schemas_in,
)
from steer_engine.schema.patterns import masked_pattern, matches

TRIVIAL: tuple[JsonSchema, ...] = (True, {})
"""The schemas that allow everything and say so at once."""

AreExclusive: TypeAlias = "Callable[[Analysis, JsonSchema, Sequence[JsonSchema]], bool]"
"""Tells, if it can, that no value satisfies the first schema and two of the others."""

IN_PLACE = (
    "$ref",
    "allOf",
    "anyOf",
    "oneOf",
    "if",
    "then",
    "else",
    "dependentSchemas",
    "dependentRequired",
    "not",
)
"""The keywords whose schemas judge the same value, in the order in which they are read."""

_NO_SCHEMAS: dict[str, JsonSchema] = {}


class Analysis:
    """One document under examination.

    Schemas are told apart by their `id`. Those that are made on the way are kept, each with the
    keyword of the document to which it is owed.
    """

    def __init__(
        self,
        graph: SchemaGraph,
        inexact: Inexact,
        are_exclusive: AreExclusive,
        *,
        detail: Detail = Detail.FULL,
        any_order: bool = False,
    ) -> None:
        self.graph = graph
        self.detail = detail
        self.is_in_any_order = any_order or asks_for_any_order(graph.document)
        self.is_for_lark = self.is_in_any_order or any(
            asks_for_any_order(each) or has_long(each) for _, each in graph
        )
        keywords = {keyword for _, each in graph for keyword in each}
        self.is_for_lark |= {"propertyNames", "minProperties"} <= keywords  # may need all its names
        self.doubts: dict[int, tuple[JsonObject, str]] = {}
        """By the id of an alternative that allows too much: the keyword to which that is owed."""
        self._inexact = inexact
        self._are_exclusive = are_exclusive
        self._owners: dict[int, tuple[JsonObject, str]] = {}
        self._made: list[JsonObject] = []  # so that their ids are not used again
        self._alternatives: dict[tuple[int, str], tuple[Alternatives, ...]] = {}
        self._negated: dict[int, Alternatives] = {}
        self._by_name: dict[tuple[int, str], dict[str, JsonSchema]] = {}
        self._patterns: dict[str, tuple[str, bool]] = {}
        self._matches: dict[tuple[str, str], bool | None] = {}

    def note(self, schema: JsonObject, keyword: str, reason: str) -> None:
        """Note that the guard must see to `keyword` of `schema`, or to what it was made for."""
        while schema not in self.graph:
            schema, keyword = self._owners[id(schema)]
        self._inexact.note(schema, keyword, reason)

    def note_all(self, schemas: Iterable[JsonObject], keyword: str, reason: str) -> None:
        """Note the same keyword of those of `schemas` that have it."""
        for schema in schemas:
            if keyword in schema:
                self.note(schema, keyword, reason)

    def note_whole(self, schema: JsonObject, reason: str) -> None:
        """Note that the guard must see to all of `schema`, or to what it was made for."""
        if schema in self.graph:
            self._inexact.note_whole(schema, reason)
        else:
            self.note(*self._owners[id(schema)], reason)

    def note_unwritable(self, schema: JsonObject, keyword: str) -> None:
        """Note that `keyword` of `schema` allows values which the mask cannot write."""
        if schema in self.graph:
            self._inexact.note_unwritable(schema, keyword)

    def made(self, schema: JsonObject, owner: JsonObject, keyword: str) -> JsonObject:
        """Return `schema`, of which it is now known that it was made for `keyword` of `owner`."""
        self._made.append(schema)
        self._owners[id(schema)] = owner, keyword
        for value in schema.values():
            for each in value if isinstance(value, list) else [value]:
                if isinstance(each, dict) and each not in self.graph:
                    self.made(each, owner, keyword)
        return schema

    def resolved(self, schema: JsonSchema) -> JsonSchema:
        """Return what `schema` refers to, if it does nothing else."""
        seen: set[int] = set()  # a reference that leads back to itself is its own end
        while isinstance(schema, dict) and len(schema) == 1 and "$ref" in schema:
            if id(schema) in seen:
                return schema
            seen.add(id(schema))
            schema = self.graph.target(str(schema["$ref"]))
        return schema

    def are_exclusive(self, around: JsonSchema, branches: Sequence[JsonSchema]) -> bool:
        """Return True only if no value that satisfies `around` satisfies two of `branches`."""
        return self._are_exclusive(self, around, branches)

    def alternatives(self, schema: JsonObject, keyword: str) -> tuple[Alternatives, ...]:
        """Return the choices that a keyword of `CHOICES` makes; all of them are to be made."""
        key = (id(schema), keyword)
        if key not in self._alternatives:
            self._alternatives[key] = ()  # while branches are compared that lead back here
            self._alternatives[key] = tuple(choices_of(self, schema, keyword))
        return self._alternatives[key]

    def negated(self, schema: JsonSchema) -> Alternatives:
        """Return the alternatives of which one holds where `schema` does not."""
        schema = self.resolved(schema)
        if isinstance(schema, bool):
            return NEVER if schema else ALWAYS
        if id(schema) not in self._negated:
            found: list[Alternative] = []
            for way, keyword, is_doubtful in negated(schema):
                if is_doubtful:
                    self.doubts[id(way)] = (schema, keyword)
                found.append(((self.made(way, schema, keyword), False),))
            self._negated[id(schema)] = tuple(found)
        return self._negated[id(schema)]

    def annotating(self, schema: JsonSchema) -> Iterator[JsonObject]:
        """Yield the schemas whose annotations `schema` may have, itself included."""
        waiting, seen = [schema], set[int]()
        while waiting:
            each = waiting.pop()
            if isinstance(each, dict) and id(each) not in seen:
                seen.add(id(each))
                yield each
                for keyword in IN_PLACE:
                    if keyword in each and keyword != "not":
                        waiting += self._in_place(keyword, each[keyword])

    def _in_place(self, keyword: str, value: JsonValue) -> Iterator[JsonSchema]:
        if keyword == "$ref":
            yield self.graph.target(str(value))
        elif isinstance(value, list):
            yield from schemas_in(value)
        elif keyword == "dependentSchemas":
            yield from schemas_by_name(value).values()
        elif keyword != "dependentRequired":
            yield as_schema(value)

    def schemas_by_name(self, schema: JsonObject, keyword: str) -> dict[str, JsonSchema]:
        """Return the schemas of a keyword that holds a map of them; not to be changed."""
        if keyword not in schema:
            return _NO_SCHEMAS
        key = (id(schema), keyword)
        if key not in self._by_name:
            self._by_name[key] = schemas_by_name(schema[keyword])
        return self._by_name[key]

    def masked_pattern(self, pattern: str) -> tuple[str, bool]:
        """Return a pattern for the mask compiler, empty if there is none, and if it is exact."""
        if self.detail < Detail.ONE_PATTERN:
            return "", False
        if pattern not in self._patterns:
            self._patterns[pattern] = masked_pattern(pattern)
        return self._patterns[pattern]

    def matches(self, pattern: str, text: str) -> bool | None:
        """Return whether `pattern` matches in `text`; None where that takes too long to say."""
        key = (pattern, text)
        if key not in self._matches:
            try:
                self._matches[key] = matches(pattern, text)
            except (RowError, SchemaError):
                self._matches[key] = None
        return self._matches[key]
