"""A schema document, compiled into the questions that are asked of values."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Any, TypeAlias
from urllib.parse import unquote

from steer_engine.errors import SchemaError
from steer_engine.guard.question import EVERY_KIND, Keyword, Subschema
from steer_engine.guard.values import Kind, PartialValue
from steer_engine.guard.verdict import INVALID, OPEN, Verdict
from steer_engine.pointers import pointer_to, steps_of
from steer_engine.schema.document import (
    ANNOTATIONS,
    KEYWORDS,
    JsonObject,
    JsonSchema,
    JsonValue,
    place,
)

_SILENT = ANNOTATIONS | {"$defs", "definitions", "$schema", "$id", "$vocabulary", "x-steer"}
_ONE, _LIST, _MAP = (
    frozenset({"additionalProperties", "items", "propertyNames"}),
    frozenset({"allOf", "prefixItems"}),
    frozenset({"properties", "patternProperties", "dependentSchemas"}),
)


@dataclass(frozen=True, slots=True)
class Place:
    """A schema object of the document, and the compiler that knows the others."""

    schema: JsonObject
    pointer: str
    compiler: Compiler

    def number(self, keyword: str) -> int | float | None:
        """Return the number that `keyword` gives."""
        value = self.schema.get(keyword)
        return value if isinstance(value, int | float) else None

    def names(self, keyword: str) -> list[str]:
        """Return the strings that `keyword` lists."""
        value = self.schema.get(keyword)
        return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []

    def one(self, keyword: str) -> Subschema | None:
        """Return the schema that `keyword` gives; None where it says nothing."""
        return self._subschema(keyword, self.schema.get(keyword, True))

    def many(self, keyword: str) -> list[Subschema | None]:
        """Return the schemas that `keyword` lists; None for those that say nothing."""
        value = self.schema.get(keyword)
        items = value if isinstance(value, list) else []
        return [self._subschema(keyword, item, index) for index, item in enumerate(items)]

    def named(self, keyword: str) -> dict[str, Subschema | None]:
        """Return the schemas that `keyword` names; None for those that say nothing."""
        value = self.schema.get(keyword)
        items = value.items() if isinstance(value, dict) else ()
        return {key: self._subschema(keyword, item, key) for key, item in items}

    def certain(self, keyword: str, *steps: str | int) -> Subschema:
        """Return the schema of `keyword`, also where it says nothing."""
        return self.compiler.at(pointer_to(self.pointer, keyword, *steps))

    def _subschema(self, keyword: str, value: JsonValue, *steps: str | int) -> Subschema | None:
        if not isinstance(value, bool | dict) or self.compiler.says_nothing(value):
            return None
        if value is False:
            return refusing(keyword, self.pointer)
        return self.compiler.at(pointer_to(self.pointer, keyword, *steps))


Builder: TypeAlias = Callable[[Place], Iterable[Keyword[Any]]]


class Compiler:
    """Compiles the subschemas of one document, each at most once and when it is asked for."""

    def __init__(
        self, document: JsonSchema, builders: Iterable[Builder], *, exponents: bool
    ) -> None:
        self.document = document
        self.exponents = exponents  # whether numbers may be written with them
        self._builders = tuple(builders)
        self._compiled: dict[str, Subschema] = {}
        self._waiting: list[Subschema] = []
        self._silent: dict[int, bool] = {}

    def subschema(self, pointer: str) -> Subschema:
        """Return the subschema at `pointer`, with all that it leads to.

        Raises:
            SchemaError: a `$ref` leads nowhere, or back to itself.
        """
        wanted = self.at(pointer)
        if self._waiting:
            # A list, not a recursion: a chain of references may be long.
            while self._waiting:
                self._fill(self._waiting.pop())
            self._refuse_circles()
        return wanted

    def at(self, pointer: str) -> Subschema:
        """Return the subschema at `pointer`; what it says is filled in later."""
        if pointer not in self._compiled:
            target, schema = self.followed(pointer)
            if target not in self._compiled:
                self._compiled[target] = Subschema(target, schema)
                self._waiting.append(self._compiled[target])
            self._compiled[pointer] = self._compiled[target]
        return self._compiled[pointer]

    def says_nothing(self, schema: JsonSchema) -> bool:
        """Return whether every value satisfies `schema`, as far as one sees without its `$ref`s."""
        if isinstance(schema, bool):
            return schema
        answer = self._silent.get(id(schema))
        if answer is None:
            answer = all(self._is_silent(keyword, value) for keyword, value in schema.items())
            self._silent[id(schema)] = answer
        return answer

    def _is_silent(self, keyword: str, value: JsonValue) -> bool:
        if keyword in _SILENT or keyword not in KEYWORDS:
            return True
        below: Iterable[JsonValue] = (False,)
        if keyword in _ONE:
            below = (value,)
        elif keyword in _LIST and isinstance(value, list):
            below = value
        elif keyword in _MAP and isinstance(value, dict):
            below = value.values()
        return all(isinstance(item, bool | dict) and self.says_nothing(item) for item in below)

    def followed(self, pointer: str) -> tuple[str, JsonSchema]:
        """Return where `pointer` leads when lone `$ref`s are followed, and what stands there."""
        seen = set()
        while pointer not in seen:
            seen.add(pointer)
            schema = self.resolved(pointer)
            reference = schema.get("$ref") if isinstance(schema, dict) else None
            if not isinstance(reference, str) or not self._is_lone(schema):
                return pointer, schema
            pointer = target_of(reference)
        raise _circle(pointer)

    def _is_lone(self, schema: JsonSchema) -> bool:
        return isinstance(schema, dict) and all(
            keyword == "$ref" or self._is_silent(keyword, value)
            for keyword, value in schema.items()
        )

    def resolved(self, pointer: str) -> JsonSchema:
        """Return the schema that stands at `pointer` in the document."""
        found: JsonValue = self.document
        for key in steps_of(pointer):
            if isinstance(found, dict) and key in found:
                found = found[key]
            elif isinstance(found, list) and key.isdecimal() and int(key) < len(found):
                found = found[int(key)]
            else:
                raise SchemaError(f"nothing stands {place(pointer)}; correct the `$ref`")
        if not isinstance(found, bool | dict):
            raise SchemaError(f"what stands {place(pointer)} is no schema; correct the `$ref`")
        return found

    def _fill(self, subschema: Subschema) -> None:
        if isinstance(subschema.schema, bool):
            if subschema.schema is False:
                _refuse(subschema, Never("false", subschema.pointer))
            return
        here = Place(subschema.schema, subschema.pointer, self)
        checks = [check for builder in self._builders for check in builder(here)]
        for kind in EVERY_KIND:
            subschema.checks[kind] = tuple(check for check in checks if kind in check.kinds)
        if any("absent" not in check.kinds for check in checks):
            subschema.checks["absent"] += (Undecided("", subschema.pointer),)

    def _refuse_circles(self) -> None:
        graph = {subschema: subschema.branches() for subschema in self._compiled.values()}
        try:
            TopologicalSorter(graph).prepare()
        except CycleError as error:
            raise _circle(error.args[1][0].pointer) from error


class Never(Keyword[PartialValue]):
    """No value is valid."""

    __slots__ = ()

    def verdict(self, value: PartialValue) -> Verdict:
        """Return INVALID."""
        del value
        return INVALID


class Undecided(Keyword[PartialValue]):
    """What the other keywords say is not known before something is written."""

    __slots__ = ()

    def verdict(self, value: PartialValue) -> Verdict:
        """Return OPEN."""
        del value
        return OPEN


def refusing(keyword: str, pointer: str) -> Subschema:
    """Return the schema `false` that stands below `keyword`, which is to blame."""
    subschema = Subschema(pointer, schema=False)
    _refuse(subschema, Never(keyword, pointer))
    return subschema


def target_of(reference: str) -> str:
    """Return the JSON pointer in a `$ref`.

    Raises:
        SchemaError: it does not lead into the same document by way of a JSON pointer.
    """
    pointer = unquote(reference.removeprefix("#"))
    if not reference.startswith("#") or not (pointer == "" or pointer.startswith("/")):
        raise SchemaError(f"`$ref` to {reference!r} is no place in this document")
    return pointer


def in_place(schema: JsonObject, pointer: str) -> Iterator[str]:
    """Yield the pointers of the schemas that always apply together with `schema`."""
    if isinstance(schema.get("$ref"), str):
        yield target_of(str(schema["$ref"]))
    branches = schema.get("allOf")
    if isinstance(branches, list):
        yield from (pointer_to(pointer, "allOf", index) for index in range(len(branches)))


def _refuse(subschema: Subschema, never: Never) -> None:
    kinds: list[Kind] = list(EVERY_KIND)
    subschema.checks = dict.fromkeys(kinds, (never,))


def _circle(pointer: str) -> SchemaError:
    return SchemaError(
        f"the schema {place(pointer)} applies itself to the same value without end;"
        " take the `$ref` out of the circle"
    )
