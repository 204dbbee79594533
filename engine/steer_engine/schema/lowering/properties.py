"""Which schemas judge which properties of an object."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from steer_engine.schema.document import JsonObject, JsonSchema
from steer_engine.schema.lowering.excluding import ANY_CHARACTER, other_than
from steer_engine.schema.lowering.facts import Facts
from steer_engine.schema.lowering.reading import as_schema

_LITERAL_START = re.compile(r"\^((?:[\w/:@#%&,;=~ -]|\\[-./_])+)(?![*?{+])")

# As the mask compiler gets it: only characters of one class, any number of them; or anything.
_SIMPLE = re.compile(
    r"\^\(\?:(?:(?P<one>\[[^\]\[]*\])(?P<many>[*+])|\(\?s:\.\)\*(?:\[[^\]\[]*\]\*)?(?:\(\?s:\.\)\*)?)\)\$"
)


@dataclass(frozen=True, slots=True)
class Region:
    """Keys that match a pattern, with alternatives of which one judges what stands there."""

    pattern: str  # as the mask compiler reads it
    alternatives: tuple[tuple[JsonSchema, ...], ...]
    is_shared: bool = False  # it also holds for listed properties


def claims_on(facts: Facts, name: str) -> list[JsonSchema]:
    """Return the schemas that judge the property `name`, where it is present."""
    claims = [each for part in facts.parts for each in _judging(facts, part, name)]
    for each in facts.evaluated.values():
        patterns = () if each.has_all_names or name in each.names else each.patterns
        is_evaluated = any(facts.analysis.matches(p, name) is not False for p in patterns)
        if not (each.has_all_names or name in each.names or is_evaluated):
            claims.append(as_schema(each.schema.get("unevaluatedProperties", True)))
    return [each for each in claims if each is not True]


def _judging(facts: Facts, part: JsonObject, name: str) -> Iterator[JsonSchema]:
    named = facts.analysis.schemas_by_name(part, "properties")
    is_known = name in named
    if is_known:
        yield named[name]
    for pattern, schema in facts.analysis.schemas_by_name(part, "patternProperties").items():
        found = facts.analysis.matches(pattern, name)
        is_known = is_known or found is not False
        if found:
            yield schema
        elif found is None:
            facts.analysis.note_whole(part, "its pattern takes too long to match")
    if not is_known:
        yield as_schema(part.get("additionalProperties", True))


def other_claims(facts: Facts) -> list[JsonSchema]:
    """Return the schemas that judge properties which neither a name nor a pattern lists."""
    claims = [as_schema(part.get("additionalProperties", True)) for part in facts.parts]
    claims += (
        as_schema(each.schema.get("unevaluatedProperties", True))
        for each in facts.evaluated.values()
        if not each.has_all_names
    )
    return [each for each in claims if each is not True]


def regions(facts: Facts, listed: Mapping[str, Sequence[JsonSchema]]) -> list[Region]:
    """Return the keys that patterns list, in regions that do not overlap.

    Where patterns may overlap they share a region, and more is allowed there than should be.
    `listed` properties with what judges them are no part of a region. Where that cannot be said,
    the region allows what they allow, since the mask compiler applies it to them too.
    """
    patterns = {
        pattern: None
        for part in facts.parts
        for pattern in facts.analysis.schemas_by_name(part, "patternProperties")
    }
    for evaluated in facts.evaluated.values():
        patterns |= evaluated.patterns
    return [_region(facts, group, listed) for group in _groups(facts, list(patterns))]


def _region(
    facts: Facts, patterns: list[str], listed: Mapping[str, Sequence[JsonSchema]]
) -> Region:
    masked = [facts.analysis.masked_pattern(pattern) for pattern in patterns]
    alternatives = [tuple(_claims_on_pattern(facts, pattern)) for pattern in patterns]
    inside = [n for n in listed if _may_match(facts, patterns, n)]
    if len(patterns) == 1 and masked[0][1]:
        apart = without(masked[0][0], inside) if inside else masked[0][0]
        if apart is not None:
            return Region(apart, tuple(alternatives))
    else:
        note_unlisted(facts)
    if not all(exact for _, exact in masked):
        alternatives.append(tuple(other_claims(facts)))
        inside = list(listed)
    for name in inside:
        if any(_says_more(each, listed[name]) for each in alternatives):
            alternatives.append(tuple(listed[name]))
            note_unlisted(facts)
    texts = [text for text, _ in masked]
    joined = texts[0] if len(texts) == 1 else "|".join(f"(?:{text})" for text in texts)
    return Region(joined if all(texts) else "", tuple(alternatives), is_shared=bool(inside))


def _may_match(facts: Facts, patterns: list[str], name: str) -> bool:
    return any(facts.analysis.matches(pattern, name) is not False for pattern in patterns)


def without(pattern: str, names: list[str]) -> str | None:
    """Return `pattern` so that it does not match `names`, if it is simple enough for that."""
    simple = _SIMPLE.fullmatch(pattern)
    if simple is None:
        return None
    characters = simple["one"] or ANY_CHARACTER
    taken = [*names, *([""] if simple["many"] == "+" else [])]
    return f"^{other_than(taken, characters)}$"


def _says_more(region: Sequence[JsonSchema], claims: Sequence[JsonSchema]) -> bool:
    return not {id(each) for each in region} <= {id(each) for each in claims}


def note_unlisted(facts: Facts) -> None:
    """Leave to the guard what keys hold that are not listed."""
    for part in facts.parts:
        for keyword in ("patternProperties", "additionalProperties"):
            if keyword in part:
                facts.analysis.note(part, keyword, _NO_PATTERN)
    for each in facts.evaluated.values():
        facts.analysis.note_whole(each.schema, _NO_PATTERN)


_NO_PATTERN = "the mask cannot tell apart which patterns a key matches"


def _claims_on_pattern(facts: Facts, pattern: str) -> Iterator[JsonSchema]:
    for part in facts.parts:
        by_pattern = facts.analysis.schemas_by_name(part, "patternProperties")
        claim = by_pattern.get(pattern, part.get("additionalProperties", True))
        if claim is not True:
            yield as_schema(claim)
    for each in facts.evaluated.values():
        if not (each.has_all_names or pattern in each.patterns):
            yield as_schema(each.schema.get("unevaluatedProperties", True))


def _groups(facts: Facts, patterns: list[str]) -> list[list[str]]:
    """Group patterns so that those of two groups never match the same key."""
    if not all(facts.analysis.masked_pattern(pattern)[1] for pattern in patterns):
        return [patterns]
    groups: list[list[str]] = []
    for pattern in patterns:
        meeting = [group for group in groups if not all(_are_apart(pattern, p) for p in group)]
        joined = [each for group in meeting for each in group]
        groups = [group for group in groups if group not in meeting] + [[*joined, pattern]]
    return groups


def _are_apart(one: str, other: str) -> bool:
    """Tell whether two patterns are seen to begin with different letters."""
    first, second = _LITERAL_START.match(one), _LITERAL_START.match(other)
    if first is None or second is None or "|" in one or "|" in other:
        return False
    starts = [found[1].replace("\\", "") for found in (first, second)]
    length = min(map(len, starts))
    return starts[0][:length] != starts[1][:length]
