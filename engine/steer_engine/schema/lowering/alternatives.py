"""The keywords that say that one of several things holds, as such choices."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, TypeAlias

from steer_engine.schema.document import JsonObject, JsonSchema, JsonValue
from steer_engine.schema.lowering.evaluated import UNEVALUATED
from steer_engine.schema.lowering.reading import as_schema, schemas_by_name, schemas_in, texts_in

if TYPE_CHECKING:
    from steer_engine.schema.lowering.analysis import Analysis

Alternative: TypeAlias = "tuple[tuple[JsonSchema, bool], ...]"
"""Schemas that hold together; True beside those whose annotations the schema around them has."""

Alternatives: TypeAlias = "tuple[Alternative, ...]"
"""At least one of these holds."""

NEVER: Alternatives = ()
ALWAYS: Alternatives = (((True, False),),)

_MAX_NEGATED = 8  # cases into which "this branch and no other" may be told apart


def choices_of(analysis: Analysis, schema: JsonObject, keyword: str) -> Iterator[Alternatives]:
    """Yield the choices that a keyword of `CHOICES` makes; all of them are to be made."""
    yield from _MAKE[keyword](analysis, schema, schema[keyword])


def _any_of(analysis: Analysis, _: JsonObject, value: JsonValue) -> Iterator[Alternatives]:
    branches = {id(each): each for each in map(analysis.resolved, schemas_in(value))}
    yield tuple(((each, True),) for each in branches.values())


def _one_of(analysis: Analysis, schema: JsonObject, value: JsonValue) -> Iterator[Alternatives]:
    branches = schemas_in(value)
    around = {key: each for key, each in schema.items() if key not in ("oneOf", *UNEVALUATED)}
    analysis.made(around, schema, "oneOf")
    if len(branches) > 1 and not analysis.are_exclusive(around, branches):
        if all(_is_narrow(analysis, each, len(branches)) for each in branches):
            yield tuple(_only(analysis, schema, index) for index in range(len(branches)))
            return
        analysis.note(schema, "oneOf", "two branches may hold at once")
    yield tuple(((each, True),) for each in branches)


def _is_narrow(analysis: Analysis, branch: JsonSchema, n_branches: int) -> bool:
    """Tell whether a mask can say in few words that `branch` does not hold."""
    ways = analysis.negated(branch)
    made = [schema for alternative in ways for schema, _ in alternative]
    is_sure = not any(id(schema) in analysis.doubts for schema in made)
    return is_sure and n_branches * len(ways) <= _MAX_NEGATED


def _only(analysis: Analysis, schema: JsonObject, index: int) -> Alternative:
    branches = schemas_in(schema["oneOf"])
    others = branches[:index] + branches[index + 1 :]
    negated = [analysis.made({"not": each}, schema, "oneOf") for each in others]
    return (branches[index], True), *((each, False) for each in negated)


def _not(analysis: Analysis, _: JsonObject, value: JsonValue) -> Iterator[Alternatives]:
    yield analysis.negated(as_schema(value))


def _if(analysis: Analysis, schema: JsonObject, value: JsonValue) -> Iterator[Alternatives]:
    condition = as_schema(value)
    then, otherwise = as_schema(schema.get("then", True)), as_schema(schema.get("else", True))
    negated = analysis.made({"not": condition}, schema, "if")
    yield ((condition, True), (then, True)), ((negated, False), (otherwise, True))


def _dependent_required(
    analysis: Analysis, schema: JsonObject, value: JsonValue
) -> Iterator[Alternatives]:
    for name, needed in value.items() if isinstance(value, dict) else ():
        others = [each for each in texts_in(needed) if each != name]
        if others:
            names: list[JsonValue] = [*others, name]
            present: JsonObject = {"type": "object", "required": names}
            analysis.made(present, schema, "dependentRequired")
            absent = _absent(analysis, schema, "dependentRequired", name)
            yield absent, ((present, False),)


def _dependent_schemas(
    analysis: Analysis, schema: JsonObject, value: JsonValue
) -> Iterator[Alternatives]:
    for name, each in schemas_by_name(value).items():
        present: JsonObject = {"type": "object", "required": [name]}
        analysis.made(present, schema, "dependentSchemas")
        absent = _absent(analysis, schema, "dependentSchemas", name)
        yield absent, ((each, True), (present, False))


def _absent(analysis: Analysis, owner: JsonObject, keyword: str, name: str) -> Alternative:
    return ((analysis.made({"properties": {name: False}}, owner, keyword), False),)


_MAKE: Mapping[str, Callable[[Analysis, JsonObject, JsonValue], Iterator[Alternatives]]] = {
    "anyOf": _any_of,
    "dependentRequired": _dependent_required,
    "dependentSchemas": _dependent_schemas,
    "if": _if,
    "not": _not,
    "oneOf": _one_of,
}

CHOICES = frozenset(_MAKE)
"""The keywords that say that one of several things holds."""
