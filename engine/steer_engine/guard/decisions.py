"""What has been decided between the branches of a schema, said plainly."""

from __future__ import annotations

from itertools import compress

from steer_engine.guard.compiler import target_of
from steer_engine.guard.draft import At, Draft, Specialising
from steer_engine.guard.verdict import INVALID, OPEN, VALID, Verdict
from steer_engine.schema.document import JsonSchema, JsonValue

_MAX_EXPANDED = 4  # branches of a `oneOf` that are told apart with `not`


def say_reference(work: Specialising, at: At, draft: Draft) -> None:
    """Put what a `$ref` leads to in its place where that can be said more plainly."""
    reference = draft.get("$ref")
    if isinstance(reference, str):
        target = at.moved(target_of(reference))
        plain = work.schema(target)
        if plain is not work.compiler.resolved(target.pointer):
            draft.drop("$ref")
            draft.add(plain)


def say_every(work: Specialising, at: At, draft: Draft) -> None:
    """Say the branches of `allOf` plainly."""
    branches = draft.get("allOf")
    if isinstance(branches, list):
        _put(draft, "allOf", [work.schema(at.beside("allOf", i)) for i in range(len(branches))])


def say_some(work: Specialising, at: At, draft: Draft) -> None:
    """Leave out dead branches of `anyOf`, and all of it where one holds for good."""
    live = _live(work, at, draft, "anyOf")
    if not live:
        return
    if not at.is_annotated and any(work.verdict(branch) is VALID for branch in live):
        draft.drop("anyOf")
    elif len(live) == 1:
        draft.drop("anyOf")
        draft.add(work.schema(live[0]))
    else:
        _put(draft, "anyOf", [work.schema(branch) for branch in live])


def say_one(work: Specialising, at: At, draft: Draft) -> None:
    """Leave out dead branches of `oneOf`; where one holds for good the others must not."""
    live = _live(work, at, draft, "oneOf")
    if not live:
        return
    if len(live) == 1:
        draft.drop("oneOf")
        draft.add(work.schema(live[0]))
        return
    holding = [work.verdict(branch) is VALID for branch in live]
    if any(holding) and not at.is_annotated:
        draft.drop("oneOf")
        others = list(compress(live, (not holds for holds in holding)))
        draft.add(*(_denied(work, branch) for branch in others))
    elif _hold_together(work, at, live):
        draft.drop("oneOf")
        draft.add({"anyOf": [_alone(work, branch, live) for branch in live]})
    else:
        asked = live if work.is_closing(at) else [branch.exactly() for branch in live]
        _put(draft, "oneOf", [work.schema(branch) for branch in asked])


def say_condition(work: Specialising, at: At, draft: Draft) -> None:
    """Say the way that `if` has gone, or must go because the other one is closed."""
    if draft.get("if") is None:
        return
    condition = at.beside("if")
    verdict, is_decided = work.verdict(condition), True
    if verdict is OPEN:
        verdict, is_decided = _forced(work, at, draft), False
    if verdict is OPEN and work.is_closing(at):
        verdict, is_decided = work.verdict(condition, is_closed=True), True
    if verdict is OPEN:
        return
    way = "then" if verdict is VALID else "else"
    parts: list[JsonSchema] = []
    if verdict is INVALID and not is_decided:
        parts.append({"not": work.schema(condition.negated())})
    elif verdict is VALID and (at.is_annotated or not is_decided):
        parts.append(work.schema(condition))
    if draft.get(way) is not None:
        parts.append(work.schema(at.beside(way)))
    draft.drop("if", "then", "else")
    draft.add(*parts)


def _forced(work: Specialising, at: At, draft: Draft) -> Verdict:
    """Return how the condition has to turn out, because of a way that is closed."""
    if draft.get("then") is not None and work.verdict(at.beside("then")) is INVALID:
        return INVALID
    if draft.get("else") is not None and work.verdict(at.beside("else")) is INVALID:
        return VALID
    return OPEN


def say_not(work: Specialising, at: At, draft: Draft) -> None:
    """Leave out of a `not` what is decided."""
    if draft.get("not") is None:
        return
    branch = at.beside("not")
    if work.verdict(branch) is INVALID:
        draft.drop("not")
        return
    plain = work.schema(branch.negated())
    if plain is not draft.get("not"):
        draft.put("not", plain)


DECISIONS = (say_reference, say_every, say_some, say_one, say_condition, say_not)


def _live(work: Specialising, at: At, draft: Draft, keyword: str) -> list[At]:
    branches = draft.get(keyword)
    every = range(len(branches) if isinstance(branches, list) else 0)
    asked = [at.beside(keyword, index) for index in every]
    return [branch for branch in asked if work.verdict(branch) is not INVALID]


def _put(draft: Draft, keyword: str, branches: list[JsonSchema]) -> None:
    before = draft.get(keyword)
    is_same = isinstance(before, list) and len(before) == len(branches)
    if not is_same or any(
        new is not old for new, old in zip(branches, _items(before), strict=True)
    ):
        draft.put(keyword, list(branches))


def _items(value: JsonValue) -> list[JsonValue]:
    return value if isinstance(value, list) else []


def _hold_together(work: Specialising, at: At, live: list[At]) -> bool:
    """Return whether the value cannot end because more than one branch of a `oneOf` would hold."""
    if not work.is_closing(at) or len(live) > _MAX_EXPANDED:
        return False
    return [work.verdict(branch, is_closed=True) for branch in live].count(VALID) > 1


def _alone(work: Specialising, branch: At, live: list[At]) -> JsonSchema:
    others = [_denied(work, other) for other in live if other is not branch]
    return {"allOf": [work.schema(branch), *others]}


def _denied(work: Specialising, branch: At) -> JsonSchema:
    return {"not": work.schema(branch.negated())}
