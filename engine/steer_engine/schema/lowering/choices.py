"""Facts with open choices, told apart into facts without any."""

from __future__ import annotations

from steer_engine.schema.document import JsonSchema
from steer_engine.schema.lowering.alternatives import Alternative
from steer_engine.schema.lowering.contradictions import is_contradictory
from steer_engine.schema.lowering.detail import Detail
from steer_engine.schema.lowering.evaluated import Evaluated
from steer_engine.schema.lowering.facts import Choice, Facts

_MAX_CASES = 64  # of one place, unless a single choice has more
_MAX_DECIDED = 600  # alternatives that are looked at
_MAX_NAMES = 400  # of properties, in all cases of one place together


def cases(facts: Facts) -> list[Facts]:
    """Return facts of which at least one holds where `facts` does, without open choices.

    Cases that contradict themselves are left out. Choices that would multiply beyond measure are
    dropped, and noted as not exact.
    """
    if not facts.choices:
        return [facts]
    max_cases = _max_cases(facts)
    max_decided = max(_MAX_DECIDED, 2 * max(len(each.alternatives) for each in facts.choices))
    n_decided = 0
    open_cases, closed = [facts], list[Facts]()
    while open_cases:
        case = open_cases.pop()
        if not case.choices:
            case.sort()
            closed.append(case)
            continue
        choice = case.choices.pop(0)
        n_decided += len(choice.alternatives)
        found = _decided(case, choice) if n_decided <= max_decided else None
        n_others = len(open_cases) + len(closed)
        if found is None or (n_others and n_others + len(found) > max_cases):
            _drop(case, choice)
            found = [case]
        open_cases += reversed(found)
    return closed


def _max_cases(facts: Facts) -> int:
    if facts.analysis.detail < Detail.FULL:
        return 1
    n_names = sum(_n_properties(facts, part) for part in facts.parts) + sum(
        max(
            sum(_n_properties(facts, schema) for schema, _ in alternative)
            for alternative in choice.alternatives
        )
        for choice in facts.choices
    )
    return min(_MAX_CASES, _MAX_NAMES // max(1, n_names))


def _n_properties(facts: Facts, schema: JsonSchema) -> int:
    if isinstance(schema, bool):
        return 0
    return len(facts.analysis.schemas_by_name(schema, "properties"))


def _decided(case: Facts, choice: Choice) -> list[Facts]:
    found: list[Facts] = []
    for alternative in choice.alternatives:
        decided = case.copy()
        decided.decide(choice, alternative)
        if choice.keyword == "anyOf":
            _watch_all(decided, choice)
        if not is_contradictory(decided):
            found.append(decided)
    return found


def _drop(case: Facts, choice: Choice) -> None:
    case.analysis.note(choice.schema, choice.keyword, "it has too many cases for the mask")
    _watch_all(case, choice)


def _watch_all(case: Facts, choice: Choice) -> None:
    """Let the watchers see what any alternative evaluates, since several may hold."""
    for watcher in choice.stand.watchers:
        evaluated = case.evaluated[watcher]
        before = evaluated.copy()
        for alternative in choice.alternatives:
            _see(case, evaluated, alternative)
        if evaluated != before:
            case.analysis.note_whole(
                evaluated.schema, f"what is evaluated depends on `{choice.keyword}`"
            )


def _see(case: Facts, evaluated: Evaluated, alternative: Alternative) -> None:
    for schema, is_seen in alternative:
        if is_seen:
            for each in case.analysis.annotating(schema):
                evaluated.add(each)
                evaluated.add_rest(each)
