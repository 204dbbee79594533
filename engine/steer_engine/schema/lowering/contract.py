"""What lowering gives: a part for the mask, a part for the guard, and the account of both."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from steer_engine.schema.document import (
    ANNOTATIONS,
    DEFINITIONS,
    KEYWORDS,
    JsonObject,
    JsonSchema,
    children,
)
from steer_engine.schema.formats import FORMATS, may_hold_texts
from steer_engine.schema.lowering.graph import SchemaGraph
from steer_engine.schema.lowering.inexact import Inexact

Treatment: TypeAlias = Literal["masked", "guarded", "checked", "ignored", "refused"]
"""`checked`: a server is asked to hold it, and its answer is looked at afterwards; `ignored`: it is
an annotation, and every value is valid."""

UNWRITABLE = "a text with U+0000 is not written, since many programs take it for the end"

_SAYS_NOTHING = ANNOTATIONS | frozenset(
    {*DEFINITIONS, "$id", "$schema", "$vocabulary", "contentSchema", "x-steer"}
)
_BRANCHING = frozenset(
    {"anyOf", "dependentSchemas", "else", "if", "not", "oneOf", "propertyNames", "then"}
)


@dataclass(frozen=True, slots=True)
class Clause:
    """How one keyword at one place of the document is enforced."""

    pointer: str
    keyword: str
    treatment: Treatment
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Lowered:
    """A schema, split between the mask and the guard.

    `masked` is what the mask compiler gets. It allows every valid value that is spelled in the
    schema's order of properties, and may allow more. `guarded` is what a value that `masked` lets
    through must still satisfy: True where `masked` is exact. Its places are those of the document.
    """

    masked: JsonObject
    guarded: JsonSchema
    clauses: tuple[Clause, ...]


def contract(graph: SchemaGraph, inexact: Inexact) -> Iterator[Clause]:
    """Yield a clause for each keyword that says something, in the document's order."""
    still_open = graph.leading_to(inexact.schemas())
    for pointer, schema in graph:
        for keyword in schema:
            if keyword in _SAYS_NOTHING or keyword not in KEYWORDS:
                continue
            yield _clause(pointer, schema, keyword, inexact, still_open)


def _clause(
    pointer: str, schema: JsonObject, keyword: str, inexact: Inexact, still_open: Collection[int]
) -> Clause:
    if inexact.is_unwritable(schema, keyword):
        return Clause(pointer, keyword, "refused", UNWRITABLE)
    idle = _without_effect(schema) if keyword == "format" else None
    if idle is not None:
        return Clause(pointer, keyword, "ignored", idle)
    reason = inexact.reason(schema, keyword)
    if reason is None and keyword in _BRANCHING:
        below = children({keyword: schema[keyword]})
        if any(id(child) in still_open for _, child in below):
            reason = "what it leads to is guarded"
    if reason is None and keyword == "patternProperties":
        reason = "that no key comes twice is left to the guard"
    return Clause(pointer, keyword, "masked" if reason is None else "guarded", reason or "")


def _without_effect(schema: JsonObject) -> str | None:
    """Return why the `format` of `schema` holds of every value; None if it does not."""
    if not may_hold_texts(schema):
        return "formats are for strings"
    return None if schema["format"] in FORMATS else "no such format is known"
