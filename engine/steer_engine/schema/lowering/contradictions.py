"""Whether facts contradict each other: found where it is cheap, never claimed wrongly."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from fractions import Fraction

from steer_engine.schema.document import JsonSchema, JsonValue
from steer_engine.schema.equality import canonical, exact
from steer_engine.schema.lowering.alternatives import Alternative
from steer_engine.schema.lowering.facts import Choice, Facts
from steer_engine.schema.lowering.properties import claims_on
from steer_engine.schema.lowering.reading import NUMBERS, count_of, literals_in, type_of

_MAX_DEPTH = 3
_MAX_CHOICES = 4
_MAX_ALTERNATIVES = 12


def is_contradictory(facts: Facts, depth: int = 0, *, is_thorough: bool = False) -> bool:
    """Return True only if no value satisfies `facts`; the contradiction is noted there.

    Open choices are looked at, one by one, only if that is asked for.
    """
    if facts.contradiction is None:
        _exclude_literals(facts)
    if facts.contradiction is None:
        _exclude_sizes(facts)
    if facts.contradiction is None and "object" in facts.types and len(facts.types) == 1:
        _check_required(facts, depth)
    if facts.contradiction is None and is_thorough:
        _check_choices(facts, depth)
    return facts.contradiction is not None


def candidates(facts: Facts) -> list[JsonValue] | None:
    """Return the values that `const` and `enum` leave, in order; None where there is neither.

    They have one of the types and are not excluded; other keywords are not looked at.
    """
    said = [
        (schema, keyword)
        for keyword in ("const", "enum")
        for _, schema in facts.said.get(keyword, ())
    ]
    if not said:
        return None
    found: dict[Hashable, JsonValue] | None = None
    for schema, keyword in said:
        values = {canonical(each): each for each in literals_in(schema, keyword)}
        found = values if found is None else {k: v for k, v in found.items() if k in values}
    excluded = {canonical(value) for value, _ in facts.excluded}
    left = (found or {}).items()
    return [v for k, v in left if k not in excluded and type_of(v) in facts.types]


def _exclude_literals(facts: Facts) -> None:
    left = candidates(facts)
    if left is None:
        return
    keyword = "const" if "const" in facts.said else "enum"
    schema = facts.said[keyword][0][1]
    if not left:
        facts.contradict(schema, keyword)
        return
    facts.types &= {type_of(each) for each in left}


def _exclude_sizes(facts: Facts) -> None:
    """Take away the types whose bounds leave nothing."""
    for kind, sized in (("string", "Length"), ("array", "Items"), ("object", "Properties")):
        least, most = bounds(facts, sized)
        if kind in facts.types and most is not None and least > most:
            keyword = f"min{sized}"
            facts.exclude_type(frozenset({kind}), facts.said[keyword][0][1], keyword)
    if facts.types & NUMBERS and _is_empty_range(facts):
        keyword = next(each for each in ("minimum", "exclusiveMinimum") if each in facts.said)
        facts.exclude_type(NUMBERS, facts.said[keyword][0][1], keyword)


def bounds(facts: Facts, sized: str) -> tuple[int, int | None]:
    """Return the least and the most that `min…` and `max…` allow."""
    least = [count_of(value) for value, _ in facts.said.get(f"min{sized}", ())]
    most = [count_of(value) for value, _ in facts.said.get(f"max{sized}", ())]
    return max(least, default=0), min(most, default=None)


def _is_empty_range(facts: Facts) -> bool:
    low = [(_number(v), 0) for v, _ in facts.said.get("minimum", ())]
    low += [(_number(v), 1) for v, _ in facts.said.get("exclusiveMinimum", ())]
    high = [(_number(v), 0) for v, _ in facts.said.get("maximum", ())]
    high += [(_number(v), -1) for v, _ in facts.said.get("exclusiveMaximum", ())]
    if not low or not high:
        return False
    (least, is_open), (most, is_open_above) = max(low), min(high)
    return least > most or (least == most and (is_open != 0 or is_open_above != 0))


def _number(value: JsonValue) -> Fraction:
    return Fraction(exact(value)) if isinstance(value, int | float) else Fraction(0)


def _check_required(facts: Facts, depth: int) -> None:
    if depth >= _MAX_DEPTH:
        return
    for name, schema in facts.required.items():
        claims = claims_on(facts, name)
        if False in claims or (len(claims) > 1 and _are_contradictory(facts, claims, depth + 1)):
            facts.contradict(schema, "required")
            return


def _are_contradictory(facts: Facts, claims: Iterable[JsonSchema], depth: int) -> bool:
    inner = Facts(facts.analysis)
    for each in claims:
        inner.add(each)
    return is_contradictory(inner, depth, is_thorough=True)


def _check_choices(facts: Facts, depth: int) -> None:
    if depth >= _MAX_DEPTH:
        return
    for choice in facts.choices[:_MAX_CHOICES]:
        if len(choice.alternatives) <= _MAX_ALTERNATIVES and all(
            _is_excluded(facts, choice, alternative, depth + 1)
            for alternative in choice.alternatives
        ):
            facts.contradict(choice.schema, choice.keyword)
            return


def _is_excluded(facts: Facts, choice: Choice, alternative: Alternative, depth: int) -> bool:
    decided = facts.copy()
    decided.decide(choice, alternative)
    return is_contradictory(decided, depth)
