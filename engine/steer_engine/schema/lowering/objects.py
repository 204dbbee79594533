"""The keywords of objects, as the mask compiler takes them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import combinations, permutations
from math import comb

from steer_engine.schema.document import JsonObject, JsonSchema, JsonValue, dump, walk
from steer_engine.schema.lowering.arrays import Place
from steer_engine.schema.lowering.contradictions import bounds
from steer_engine.schema.lowering.deciding import holds
from steer_engine.schema.lowering.facts import Facts
from steer_engine.schema.lowering.properties import claims_on, other_claims, regions
from steer_engine.schema.lowering.reading import as_schema

_STRING: JsonObject = {"type": "string"}
_MAX_OPTIONAL = 400  # in a row: beyond that the mask compiler's rows are too long
_MAX_REQUIRED = 5_000
_MAX_CHARACTERS = 200_000  # of names in one pattern
_MAX_UNORDERED = 3
_MAX_COUNTED = 32  # cases into which a count of properties is split


def object_keywords(facts: Facts, place: Place) -> list[JsonObject]:
    """Return what the mask can say of objects, in alternatives; none where there can be no object."""
    listed, unordered = facts.names()
    names = [*listed, *unordered]
    claims = {name: claims_on(facts, name) for name in names}
    allowed = {name: _is_allowed(facts, name) for name in names}
    properties = {name: place(claims[name]) if allowed[name] else False for name in names}
    for name, schema in facts.required.items():
        if properties[name] is False:
            facts.contradict(schema, "required")
            return []
    patterns: dict[str, JsonSchema] = {}
    for region in regions(facts, claims):
        written = _any_of([place(each) for each in region.alternatives])
        if region.is_shared and _has_references(written):
            # The mask compiler would have to intersect it with those of the listed properties.
            facts.analysis.note_parts(facts.parts, "patternProperties", "it meets listed properties")
            written = True
        patterns[region.pattern] = written
    rest = place(other_claims(facts))
    if "propertyNames" in facts.said:
        patterns, rest = _with_allowed_names(facts, place, properties, patterns, rest)
    is_closed = rest is False and all(each is False for each in patterns.values())
    if is_closed:
        properties = {name: each for name, each in properties.items() if each is not False}
    return [
        _shortened(facts, written)
        for order in _orders(listed, unordered)
        for written in _counted(facts, {n: properties[n] for n in order if n in properties}, patterns, rest)
    ]


def _orders(listed: list[str], unordered: list[str]) -> list[list[str]]:
    """Return the orders in which the properties may be written."""
    if len(unordered) > _MAX_UNORDERED:
        return [[*listed, *unordered]]
    return [[*listed, *each] for each in permutations(unordered)]


def _has_references(written: JsonSchema) -> bool:
    return any(isinstance(each, dict) and "$ref" in each for _, each in walk(written))


def _any_of(alternatives: Sequence[JsonSchema]) -> JsonSchema:
    found = [each for each in alternatives if each is not False]
    if not found or any(each in (True, {}) for each in found):
        return bool(found)
    return found[0] if len(found) == 1 else {"anyOf": list[JsonValue](found)}


def _is_allowed(facts: Facts, name: str) -> bool:
    """Tell whether `propertyNames` allows a name; what cannot be told is left to the guard."""
    for value, schema in facts.said.get("propertyNames", ()):
        verdict = holds(facts.analysis, as_schema(value), name)
        if verdict is False:
            return False
        if verdict is None:
            facts.analysis.note(schema, "propertyNames", "it cannot be told beforehand")
    return True


def _with_allowed_names(
    facts: Facts,
    place: Place,
    properties: dict[str, JsonSchema],
    patterns: dict[str, JsonSchema],
    rest: JsonSchema,
) -> tuple[dict[str, JsonSchema], JsonSchema]:
    """Return the patterns and the rest of an object whose other keys `propertyNames` judges."""
    if rest is False and not patterns:
        return patterns, rest
    said = facts.said["propertyNames"]
    keys = place([_STRING, *(as_schema(value) for value, _ in said)])
    listed = keys.get("enum") if isinstance(keys, dict) and len(keys) == 1 else None
    if keys is False:
        return {}, False
    if isinstance(listed, list) and not patterns:
        names = [str(name) for name in listed if name not in properties]
        return ({_any_name(names): rest} if names else {}), False
    pattern, is_exact = _pattern_of(keys)
    if patterns or not is_exact:
        for _, schema in said:
            facts.analysis.note(schema, "propertyNames", "no one pattern says as much")
    if patterns or pattern is None:
        return patterns, rest
    return {pattern: rest}, False


def _pattern_of(keys: JsonSchema) -> tuple[str | None, bool]:
    """Return a pattern for the strings that a written schema allows, and whether it is exact."""
    if not isinstance(keys, dict):
        return None, keys is True
    said = {keyword: value for keyword, value in keys.items() if keyword != "type"}
    if set(said) == {"pattern"}:
        return str(said["pattern"]), True
    if "pattern" in said:
        return str(said["pattern"]), False
    if said and set(said) <= {"minLength", "maxLength"}:
        return rf"^[\s\S]{{{said.get('minLength', 0)},{said.get('maxLength', '')}}}$", True
    return None, not said


def _counted(
    facts: Facts,
    properties: dict[str, JsonSchema],
    patterns: dict[str, JsonSchema],
    rest: JsonSchema,
) -> list[JsonObject]:
    """Return objects with as many properties as `minProperties` and `maxProperties` say."""
    least, most = bounds(facts, "Properties")
    required = [name for name in properties if name in facts.required]
    optional = [name for name in properties if name not in facts.required and properties[name] is not False]
    is_closed = rest is False and all(each is False for each in patterns.values())
    least = max(least - len(required), 0)
    most = None if most is None else most - len(required)
    if is_closed and most is not None and most >= len(optional):
        most = None
    if (most is not None and most < least) or (is_closed and least > len(optional)):
        return []
    if not least and most is None:
        return [_object(properties, required, patterns, rest)]
    if not optional:
        counts = _counts(least + len(required), None if most is None else most + len(required))
        return [_object(properties, required, patterns, rest) | counts]
    if least and most is None and is_closed and least == len(optional):
        return [_object(properties, [*required, *optional], patterns, rest)]
    chosen = _chosen(optional, least, most, is_closed=is_closed)
    if chosen is None:
        for keyword in ("minProperties", "maxProperties"):
            for _, schema in facts.said.get(keyword, ()):
                facts.analysis.note(schema, keyword, "too many combinations for the mask")
        return [_object(properties, required, patterns, rest)]
    found: list[JsonObject] = []
    for names, is_all in chosen:
        kept = dict(properties)
        if is_all:
            kept |= {name: False for name in optional if name not in names}
        present = [name for name in properties if name in facts.required or name in names]
        written = _object(kept, present, patterns, rest)
        if is_all and not is_closed:
            n_more = None if most is None else most + len(required)
            written |= _counts(least + len(required), n_more)
        found.append(written)
    return found


def _counts(least: int, most: int | None) -> JsonObject:
    counts: JsonObject = {"minProperties": least} if least else {}
    return counts if most is None else {**counts, "maxProperties": most}


def _chosen(
    optional: list[str], least: int, most: int | None, *, is_closed: bool
) -> list[tuple[tuple[str, ...], bool]] | None:
    """Return which optional properties to take, and whether these only; None if in too many ways."""
    sizes = range(least, min(most, len(optional)) + 1) if most is not None else range(least)
    if most is not None and not is_closed:
        sizes = range(min(most, len(optional)) + 1)
    n_ways = sum(comb(len(optional), size) for size in sizes)
    n_ways += comb(len(optional), least) if most is None else 0
    if n_ways > _MAX_COUNTED:
        return None
    exactly = [(names, True) for size in sizes for names in combinations(optional, size)]
    if most is None:
        at_least = [(names, False) for names in combinations(optional, least)]
        return at_least if is_closed else [*exactly, *at_least]
    return exactly


def _object(
    properties: dict[str, JsonSchema],
    required: list[str],
    patterns: dict[str, JsonSchema],
    rest: JsonSchema,
) -> JsonObject:
    written: JsonObject = {}
    if properties:
        written["properties"] = dict(properties)
    if required:
        written["required"] = list[JsonValue](required)
    if patterns:
        written["patternProperties"] = dict(patterns)
    if rest is not True:
        written["additionalProperties"] = rest
    return written


def _shortened(facts: Facts, written: JsonObject) -> JsonObject:
    """Return an object that the mask compiler can hold: long runs of optional keys in any order."""
    properties, required = written.get("properties"), written.get("required", [])
    if not isinstance(properties, dict) or len(properties) <= _MAX_OPTIONAL:
        return written
    if not isinstance(required, list) or (
        len(required) <= _MAX_REQUIRED
        and _longest_run(properties, set(map(str, required))) <= _MAX_OPTIONAL
    ):
        return written
    if "patternProperties" in written or sum(map(len, properties)) > _MAX_CHARACTERS:
        for part in {id(each): each for each in [*facts.parts, *facts.required.values()]}.values():
            facts.analysis.note_whole(part, "it has too many properties")
        return {}
    for schema in set_of(facts.required.values()):
        facts.analysis.note(schema, "required", "there are too many properties to order them")
    by_value: dict[str, tuple[JsonValue, list[str]]] = {}
    for name, each in properties.items():
        by_value.setdefault(dump(each), (each, []))[1].append(name)
    patterns: JsonObject = {_any_name(names): each for each, names in by_value.values()}
    kept = {key: each for key, each in written.items() if key not in ("properties", "required")}
    return {**kept, "patternProperties": patterns}


def set_of(schemas: Iterator[JsonObject]) -> list[JsonObject]:
    return list({id(each): each for each in schemas}.values())


def _any_name(names: list[str]) -> str:
    return f"^(?:{'|'.join(re.escape(name) for name in names)})$"


def _longest_run(properties: JsonObject, required: set[str]) -> int:
    longest = run = 0
    for name in properties:
        run = 0 if name in required else run + 1
        longest = max(longest, run)
    return longest
