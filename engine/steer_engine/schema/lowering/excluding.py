"""Masks without certain values; `numbers` sees to those that are numbers."""

from __future__ import annotations

import re
from collections.abc import Iterable

from steer_engine.schema.document import JsonObject, JsonValue
from steer_engine.schema.equality import canonical
from steer_engine.schema.lowering.facts import Facts
from steer_engine.schema.lowering.reading import NUMBERS, type_of

_MAX_CHARACTERS = 2000  # of all excluded strings

# In a class that holds U+0000 and lacks `"` or `\`, llguidance matches these two all the same.
ANY_CHARACTER = r"[^\x00]"


def without_excluded(
    facts: Facts, by_type: dict[str, list[JsonObject]]
) -> dict[str, list[JsonObject]]:
    """Return what `by_type` allows, as far as the mask can leave out the excluded values."""
    by_kind: dict[str, list[JsonValue]] = {}
    for value in {canonical(value): value for value, _ in facts.excluded}.values():
        if type_of(value) not in NUMBERS:
            by_kind.setdefault(type_of(value), []).append(value)
    result = dict(by_type)
    for kind, values in by_kind.items():
        ways = result.get(kind, [])
        result[kind] = [each for way in ways for each in _without(facts, way, kind, values)]
    return result


def _without(facts: Facts, way: JsonObject, kind: str, values: list[JsonValue]) -> list[JsonObject]:
    if kind == "null":
        return []
    if kind == "boolean":
        return [{"enum": [each]} for each in (True, False) if each not in values]
    texts = [each for each in values if isinstance(each, str)]
    if texts and sum(map(len, texts)) <= _MAX_CHARACTERS:
        return [_unlike(way, texts)]
    if values == [[]] and "minItems" not in way:
        return [{**way, "minItems": 1}]
    _note(facts, kind)
    return [way]


def _note(facts: Facts, kind: str) -> None:
    for value, schema in facts.excluded:
        if type_of(value) == kind:
            facts.analysis.note(schema, "not", "the mask cannot leave out these values")


def _unlike(way: JsonObject, texts: list[str]) -> JsonObject:
    pattern: JsonObject = {"pattern": f"^{other_than(texts)}$"}
    if "pattern" not in way and "allOf" not in way:
        return {**way, **pattern}
    others = way.get("allOf")
    return {**way, "allOf": [*(others if isinstance(others, list) else []), pattern]}


def other_than(texts: Iterable[str], characters: str = ANY_CHARACTER) -> str:
    """Return a regular expression for every string of `characters` that is none of `texts`."""
    by_first: dict[str, list[str]] = {}
    is_ending = False
    for text in texts:
        if text:
            by_first.setdefault(text[0], []).append(text[1:])
        else:
            is_ending = True
    others = f"[{characters}&&[^{''.join(map(_in_class, by_first))}]]" if by_first else characters
    ways = [f"{others}{characters}*"]
    ways += [re.escape(first) + other_than(rest, characters) for first, rest in by_first.items()]
    if not is_ending:
        ways.append("")
    return f"(?:{'|'.join(ways)})"


def _in_class(character: str) -> str:
    return f"\\{character}" if character in r"\]^-[&~" else character
