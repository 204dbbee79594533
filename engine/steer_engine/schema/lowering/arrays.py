"""The keywords of arrays, as the mask compiler takes them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

from steer_engine.schema.document import JsonObject, JsonSchema, JsonValue
from steer_engine.schema.lowering.contradictions import bounds
from steer_engine.schema.lowering.facts import Facts
from steer_engine.schema.lowering.reading import as_schema, count_of, schemas_in

Place: TypeAlias = "Callable[[Sequence[JsonSchema]], JsonSchema]"
"""Gives the mask of what a conjunction of schemas allows."""

_MAX_COUNTED = 5_000  # items that the mask compiler lists one by one


def array_keywords(facts: Facts, place: Place) -> JsonObject | None:
    """Return what the mask can say of arrays, or None where there can be none."""
    least, most = bounds(facts, "Items")
    least = max(least, *(n for n, _ in _contained(facts)), 0)
    n_listed = max([len(_prefix(part)) for part in facts.parts], default=0)
    places = (None, *range(n_listed))
    for n_needed, schema in _contained(facts):
        # What `contains` finds is evaluated: `unevaluatedItems` does not judge it.
        claims = ([schema, *_said_of(facts, index)] for index in places)
        if n_needed and all(place(each) is False for each in claims):
            return None
    n_listed = max([n_listed, *(each.n_items for each in facts.evaluated.values())])
    items: list[JsonSchema] = []
    if most is not None:
        n_listed = min(n_listed, most)
    for index in range(n_listed):
        item = place([*_claims_on(facts, index), *_sole(facts, most)])
        if item is False:
            most = index if most is None else min(most, index)
            break
        items.append(item)
    rest = place([*_claims_on(facts, None), *_sole(facts, most)])
    if rest is False:
        most = len(items) if most is None else min(most, len(items))
    most = _unique(facts, most, items, rest)
    if most is not None and least > most:
        return None
    return _written(facts, least, most, items, rest)


def _written(
    facts: Facts, least: int, most: int | None, items: list[JsonSchema], rest: JsonSchema
) -> JsonObject:
    kept: JsonObject = {}
    if least > _MAX_COUNTED:
        _note(facts, "minItems", "the mask does not count so far")
        least = _MAX_COUNTED
    if most is not None and most > _MAX_COUNTED:
        _note(facts, "maxItems", "the mask does not count so far")
        most = None
    if items and (rest is not True or any(item is not True for item in items)):
        kept["prefixItems"] = list[JsonValue](items)
    if rest is not True:
        kept["items"] = rest
    if least:
        kept["minItems"] = least
    if most is not None and not (rest is False and most == len(items)):
        kept["maxItems"] = most
    return kept


def _prefix(part: JsonObject) -> list[JsonSchema]:
    return schemas_in(part.get("prefixItems"))


def _claims_on(facts: Facts, index: int | None) -> Iterator[JsonSchema]:
    """Yield the schemas that judge the item at `index`; None stands for all that are not listed."""
    yield from _said_of(facts, index)
    for each in facts.evaluated.values():
        if not each.has_all_items and (index is None or index >= each.n_items):
            yield as_schema(each.schema.get("unevaluatedItems", True))


def _said_of(facts: Facts, index: int | None) -> Iterator[JsonSchema]:
    """Yield what `prefixItems` and `items` say of it."""
    for part in facts.parts:
        prefix = _prefix(part)
        if index is not None and index < len(prefix):
            yield prefix[index]
        else:
            yield as_schema(part.get("items", True))


def _contained(facts: Facts) -> Iterator[tuple[int, JsonSchema]]:
    """Yield how many items at least must satisfy which schema."""
    for value, schema in facts.said.get("contains", ()):
        yield count_of(schema.get("minContains", 1)), as_schema(value)


def _sole(facts: Facts, most: int | None) -> Iterator[JsonSchema]:
    """Yield what the only item must satisfy because some item must."""
    if most == 1:
        yield from (schema for n, schema in _contained(facts) if n == 1)


def _unique(
    facts: Facts, most: int | None, items: list[JsonSchema], rest: JsonSchema
) -> int | None:
    """Return the most items that `uniqueItems` leaves; note what the mask does not see to."""
    is_single = most is not None and most <= 1
    for _, schema in facts.said.get("contains", ()):
        is_limited = "maxContains" in schema and (
            most is None or most > count_of(schema["maxContains"])
        )
        n_needed = count_of(schema.get("minContains", 1))
        if is_limited or n_needed > 1 or (n_needed == 1 and most != 1):
            for keyword in ("contains", "minContains", "maxContains"):
                if keyword in schema:
                    facts.analysis.note(schema, keyword, "the mask does not count matches")
    unique = [schema for value, schema in facts.said.get("uniqueItems", ()) if value is True]
    if unique and not is_single:
        for schema in unique:
            facts.analysis.note(schema, "uniqueItems", "the mask does not compare items")
        n_distinct = _n_values(rest)
        if n_distinct is not None and not items:
            most = n_distinct if most is None else min(most, n_distinct)
    return most


def _n_values(schema: JsonSchema) -> int | None:
    """Return how many values a written schema allows, if it lists them."""
    if not isinstance(schema, dict):
        return None
    if schema.get("type") in ("boolean", "null"):
        return 2 if schema["type"] == "boolean" else 1
    listed = schema.get("enum")
    return len(listed) if isinstance(listed, list) and set(schema) == {"enum"} else None


def _note(facts: Facts, keyword: str, reason: str) -> None:
    for _, schema in facts.said.get(keyword, ()):
        facts.analysis.note(schema, keyword, reason)
