"""Whether of several schemas at most one can hold: shown where it is cheap."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from itertools import combinations

from steer_engine.schema.document import JsonSchema
from steer_engine.schema.equality import canonical
from steer_engine.schema.lowering.analysis import Analysis
from steer_engine.schema.lowering.contradictions import candidates, is_contradictory
from steer_engine.schema.lowering.facts import Facts
from steer_engine.schema.lowering.properties import claims_on

_MAX_PAIRS = 200


def are_exclusive(analysis: Analysis, around: JsonSchema, branches: Sequence[JsonSchema]) -> bool:
    """Return True only if no value that satisfies `around` satisfies two of `branches`."""
    n_pairs = len(branches) * (len(branches) - 1) // 2
    if len(branches) > 3 and _are_told_apart(analysis, around, branches):
        return True
    return n_pairs <= _MAX_PAIRS and all(
        is_contradictory(_facts(analysis, around, *pair), is_thorough=True)
        for pair in combinations(branches, 2)
    )


def _facts(analysis: Analysis, *schemas: JsonSchema) -> Facts:
    facts = Facts(analysis)
    for schema in schemas:
        facts.add(schema)
    return facts


def _are_told_apart(analysis: Analysis, around: JsonSchema, branches: Sequence[JsonSchema]) -> bool:
    """Tell whether all branches require a property whose values differ from branch to branch."""
    all_facts = [_facts(analysis, around, branch) for branch in branches]
    if any(facts.types != {"object"} for facts in all_facts):
        return False
    shared = set.intersection(*(set(facts.required) for facts in all_facts))
    return any(_differ([_literals(facts, name) for facts in all_facts]) for name in sorted(shared))


def _literals(facts: Facts, name: str) -> set[Hashable] | None:
    inner = _facts(facts.analysis, *claims_on(facts, name))
    values = candidates(inner)
    return None if values is None else set(map(canonical, values))


def _differ(sets: Sequence[set[Hashable] | None]) -> bool:
    known = [each for each in sets if each is not None]
    if len(known) < len(sets):
        return False
    return len(set[Hashable]().union(*known)) == sum(map(len, known))
