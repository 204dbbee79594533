"""What is asked about the schemas of one document again and again, answered once each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

from steer_engine.errors import RowError, SchemaError
from steer_engine.schema.document import JsonObject, JsonSchema, JsonValue
from steer_engine.schema.lowering.detail import Detail
from steer_engine.schema.lowering.graph import SchemaGraph
from steer_engine.schema.lowering.inexact import Inexact
from steer_engine.schema.lowering.negation import negated
from steer_engine.schema.lowering.reading import as_schema, schemas_by_name, schemas_in, texts_in
from steer_engine.schema.patterns import masked_pattern, matches

Alternative: TypeAlias = "tuple[tuple[JsonSchema, bool], ...]"
"""Schemas that hold together; True beside those whose annotations the schema around them has."""

Alternatives: TypeAlias = "tuple[Alternative, ...]"
"""At least one of these holds."""

TRIVIAL: tuple[JsonSchema, ...] = (True, {})
"""The schemas that allow everything and say so at once."""

AreExclusive: TypeAlias = "Callable[[Analysis, JsonSchema, Sequence[JsonSchema]], bool]"
"""Tells, if it can, that no value satisfies the first schema and two of the others."""

CHOICES = frozenset({"anyOf", "dependentRequired", "dependentSchemas", "if", "not", "oneOf"})
"""The keywords that say that one of several things holds."""

_NOTHING: dict[str, JsonSchema] = {}
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

_UNEVALUATED = ("unevaluatedItems", "unevaluatedProperties")
_MAX_NEGATED = 8  # cases


class Analysis:
    """One document under examination."""

    def __init__(
        self,
        graph: SchemaGraph,
        inexact: Inexact,
        are_exclusive: AreExclusive,
        detail: Detail = Detail.FULL,
    ) -> None:
        self.detail = detail
        self.graph = graph
        self.inexact = inexact
        self._are_exclusive = are_exclusive
        self.doubts: dict[int, tuple[JsonObject, str]] = {}
        """By the id of an alternative that allows too much: the keyword to which that is owed."""
        self._owners: dict[int, tuple[JsonObject, str]] = {}
        self._made: list[JsonObject] = []  # so that their ids are not used again
        self._alternatives: dict[tuple[int, str], tuple[Alternatives, ...]] = {}
        self._negated: dict[int, Alternatives] = {}
        self._maps: dict[tuple[int, str], dict[str, JsonSchema]] = {}
        self._patterns: dict[str, tuple[str, bool]] = {}
        self._matches: dict[tuple[str, str], bool | None] = {}

    def note(self, schema: JsonObject, keyword: str, reason: str) -> None:
        """Note that the guard must see to `keyword` of `schema`, or to what `schema` was made of."""
        while schema not in self.graph:
            schema, keyword = self._owners[id(schema)]
        self.inexact.note(schema, keyword, reason)

    def note_whole(self, schema: JsonObject, reason: str) -> None:
        """Note that the guard must see to all of `schema`, or to what it was made of."""
        if schema in self.graph:
            self.inexact.note_whole(schema, reason)
        else:
            self.note(*self._owners[id(schema)], reason)

    def resolved(self, schema: JsonSchema) -> JsonSchema:
        """Return what `schema` refers to, if it does nothing else."""
        while isinstance(schema, dict) and len(schema) == 1 and "$ref" in schema:
            schema = self.graph.target(str(schema["$ref"]))
        return schema

    def note_parts(self, schemas: Iterable[JsonObject], keyword: str, reason: str) -> None:
        """Note the same keyword of those of `schemas` that have it."""
        for schema in schemas:
            if keyword in schema:
                self.note(schema, keyword, reason)

    def made(self, schema: JsonObject, owner: JsonObject, keyword: str) -> JsonObject:
        """Return `schema`, of which it is now known that it was made for `keyword` of `owner`."""
        self._made.append(schema)
        self._owners[id(schema)] = owner, keyword
        for value in schema.values():
            inner = value if isinstance(value, list) else [value]
            for each in inner:
                if isinstance(each, dict) and each not in self.graph:
                    self.made(each, owner, keyword)
        return schema

    def alternatives(self, schema: JsonObject, keyword: str) -> tuple[Alternatives, ...]:
        """Return the choices that a keyword of `CHOICES` makes; all of them are to be made."""
        key = (id(schema), keyword)
        if key not in self._alternatives:
            self._alternatives[key] = tuple(_MAKE[keyword](self, schema, schema[keyword]))
        return self._alternatives[key]

    def negated(self, schema: JsonObject) -> Alternatives:
        """Return the alternatives of which one holds where `schema` does not."""
        target = self.resolved(schema)
        if isinstance(target, bool):
            return () if target else (((True, False),),)
        schema = target
        if id(schema) not in self._negated:
            found: list[Alternative] = []
            for way, keyword, is_doubtful in negated(schema):
                if is_doubtful:
                    self.doubts[id(way)] = (schema, keyword)
                self.made(way, schema, keyword)
                found.append(((way, False),))
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
            return _NOTHING
        key = (id(schema), keyword)
        if key not in self._maps:
            self._maps[key] = schemas_by_name(schema[keyword])
        return self._maps[key]

    def masked_pattern(self, pattern: str) -> tuple[str, bool]:
        """Return a pattern for the mask compiler, and whether it is exact."""
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

    def _any_of(self, _: JsonObject, value: JsonValue) -> Iterator[Alternatives]:
        branches = {id(each): each for each in map(self.resolved, schemas_in(value))}
        yield tuple(((each, True),) for each in branches.values())

    def _one_of(self, schema: JsonObject, value: JsonValue) -> Iterator[Alternatives]:
        branches = schemas_in(value)
        around = {key: each for key, each in schema.items() if key not in ("oneOf", *_UNEVALUATED)}
        self.made(around, schema, "oneOf")
        if len(branches) < 2 or self._are_exclusive(self, around, branches):
            yield tuple(((each, True),) for each in branches)
        elif all(self._is_narrow(each, len(branches)) for each in branches):
            yield tuple(self._only(schema, branches, index) for index in range(len(branches)))
        else:
            self.inexact.note(schema, "oneOf", "two branches may hold at once")
            yield tuple(((each, True),) for each in branches)

    def _is_narrow(self, branch: JsonSchema, n_branches: int) -> bool:
        """Tell whether a mask can say in few words that `branch` does not hold."""
        if isinstance(branch, bool):
            return True
        ways = self.negated(branch)
        is_sure = not any(id(way) in self.doubts for alternative in ways for way, _ in alternative)
        return is_sure and n_branches * len(ways) <= _MAX_NEGATED

    def _only(self, schema: JsonObject, branches: list[JsonSchema], index: int) -> Alternative:
        others = [each for i, each in enumerate(branches) if i != index]
        negated = [self.made({"not": each}, schema, "oneOf") for each in others]
        return (branches[index], True), *((each, False) for each in negated)

    def _not(self, _: JsonObject, value: JsonValue) -> Iterator[Alternatives]:
        inner = as_schema(value)
        yield (() if inner else (((True, False),),)) if isinstance(inner, bool) else self.negated(inner)

    def _if(self, schema: JsonObject, value: JsonValue) -> Iterator[Alternatives]:
        condition = as_schema(value)
        then, otherwise = as_schema(schema.get("then", True)), as_schema(schema.get("else", True))
        yield (
            ((condition, True), (then, True)),
            ((self.made({"not": condition}, schema, "if"), False), (otherwise, True)),
        )

    def _dependent_required(self, schema: JsonObject, value: JsonValue) -> Iterator[Alternatives]:
        for name, needed in value.items() if isinstance(value, dict) else ():
            if texts_in(needed):
                names: list[JsonValue] = [*texts_in(needed), name]
                present: JsonObject = {"type": "object", "required": names}
                self.made(present, schema, "dependentRequired")
                yield ((self._absent(schema, name), False),), ((present, False),)

    def _dependent_schemas(self, schema: JsonObject, value: JsonValue) -> Iterator[Alternatives]:
        for name, each in schemas_by_name(value).items():
            present: JsonObject = {"type": "object", "required": [name]}
            self.made(present, schema, "dependentSchemas")
            yield ((self._absent(schema, name), False),), ((each, True), (present, False))

    def _absent(self, owner: JsonObject, name: str) -> JsonObject:
        return self.made({"properties": {name: False}}, owner, "properties")


_MAKE: Mapping[
    str, Callable[[Analysis, JsonObject, JsonValue], Iterator[Alternatives]]
] = {
    "anyOf": Analysis._any_of,
    "dependentRequired": Analysis._dependent_required,
    "dependentSchemas": Analysis._dependent_schemas,
    "if": Analysis._if,
    "not": Analysis._not,
    "oneOf": Analysis._one_of,
}
