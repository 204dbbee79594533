"""Objects with a bounded number of properties, as the mask compiler takes them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import combinations
from math import comb

from steer_engine.schema.document import JsonObject, JsonSchema, JsonValue
from steer_engine.schema.lowering.contradictions import bounds
from steer_engine.schema.lowering.facts import Facts
from steer_engine.schema.lowering.lark import ANY_ORDER, MAX_OTHERS

_MAX_WAYS = 32  # into which a count of properties is told apart


@dataclass(frozen=True, slots=True)
class ObjectForm:
    """What an object may hold: listed properties in order, keys by pattern, all others."""

    properties: dict[str, JsonSchema]
    required: tuple[str, ...]
    patterns: dict[str, JsonSchema]
    rest: JsonSchema
    least: int = 0
    most: int | None = None
    is_in_any_order: bool = False

    @property
    def is_closed(self) -> bool:
        """Whether there are no keys but the listed ones."""
        return self.rest is False and all(each is False for each in self.patterns.values())

    def keywords(self) -> JsonObject:
        """Return the keywords that say this."""
        written: JsonObject = {}
        if self.properties:
            written["properties"] = dict(self.properties)
        if self.required:
            written["required"] = list[JsonValue](self.required)
        if self.patterns:
            written["patternProperties"] = dict(self.patterns)
        if self.rest is not True:
            written["additionalProperties"] = self.rest
        if self.least:
            written["minProperties"] = self.least
        if self.most is not None:
            written["maxProperties"] = self.most
        if self.is_in_any_order and self.properties:
            written[ANY_ORDER] = True
        return written


def counted(facts: Facts, form: ObjectForm) -> list[ObjectForm]:
    """Return forms that together allow what `form` does with as many properties as is said.

    The mask compiler counts only where all listed properties are required, so the optional ones
    are told apart into those that are there and those that are not.
    """
    least, most = bounds(facts, "Properties")
    required = set(form.required)
    optional = [
        name
        for name, schema in form.properties.items()
        if name not in required and schema is not False
    ]
    n_possible = len(form.required) + len(optional)
    if form.is_closed and most is not None and most >= n_possible:
        most = None
    least = least if least > len(form.required) else 0
    if most is not None and most < max(least, len(form.required)):
        return []
    if form.is_closed and least > n_possible:
        return []
    form = replace(form, least=least, most=most)
    is_countable = not facts.analysis.is_for_lark or max(least, most or 0) <= MAX_OTHERS
    if (not optional and is_countable) or (not least and most is None):
        return [form]
    if is_countable and _n_ways(form, len(optional)) <= _MAX_WAYS:
        return list(_told_apart(form, optional))
    for keyword in ("minProperties", "maxProperties"):
        for _, schema in facts.said.get(keyword, ()):
            facts.analysis.note(schema, keyword, "there are too many combinations for the mask")
    return [replace(form, least=0, most=None)]


def _sizes(form: ObjectForm, n_optional: int) -> range:
    """Return of how many optional properties, and no others, an object may consist."""
    least = max(0, form.least - len(form.required))
    if form.most is None:
        return range(0) if form.is_closed else range(least)
    return range(
        least if form.is_closed else 0, min(n_optional, form.most - len(form.required)) + 1
    )


def _n_ways(form: ObjectForm, n_optional: int) -> int:
    n_exactly = sum(comb(n_optional, size) for size in _sizes(form, n_optional))
    least = max(0, form.least - len(form.required))
    return n_exactly + (comb(n_optional, least) if form.most is None else 0)


def _told_apart(form: ObjectForm, optional: list[str]) -> Iterator[ObjectForm]:
    for size in _sizes(form, len(optional)):
        for names in combinations(optional, size):
            absent = {name: False for name in optional if name not in names}
            yield replace(
                form,
                properties={**form.properties, **absent},
                required=(*form.required, *names),
                least=0 if form.is_closed else form.least,
                most=None if form.is_closed else form.most,
            )
    if form.most is None:
        for names in combinations(optional, max(0, form.least - len(form.required))):
            yield replace(form, required=(*form.required, *names), least=0)
