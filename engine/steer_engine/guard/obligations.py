"""What is still missing in an open container, asked for in time."""

from __future__ import annotations

from steer_engine.guard.arrays import Contains
from steer_engine.guard.draft import At, Draft, Specialising
from steer_engine.guard.members import MAX_PLACES, as_schema, has_key, places
from steer_engine.guard.values import Absent, Container
from steer_engine.schema.document import JsonValue

_NUMBERS = {"integer", "number"}


def ask_for_items(work: Specialising, at: At, draft: Draft) -> None:
    """Ask for the items that `contains` misses, where no room is left for others or at the end."""
    value = at.value
    if value.kind != "array" or at.is_exact or draft.get("contains") is None:
        return
    if work.is_closing(at):
        n_missing = _n_missing(work, at, value.ended())
        _ask_from(work, at, draft, _first_place(draft, value.size), n_missing)
    elif value.member is None or isinstance(value.member, Absent):  # else it may be one of them
        n_missing, most = _n_missing(work, at, value), draft.get("maxItems")
        if isinstance(most, int | float) and most - value.count <= n_missing:
            _ask_from(work, at, draft, value.count, n_missing)


def _ask_from(work: Specialising, at: At, draft: Draft, start: int, n_missing: int) -> None:
    """Ask for as many items that `contains` matches, one after the other."""
    stop = start + n_missing
    if n_missing <= 0 or stop > MAX_PLACES:
        return
    contains, least = as_schema(draft.get("contains")), draft.get("minItems")
    asked: list[JsonValue] = [
        {"allOf": [says, contains]} if start <= index < stop else says
        for index, says in enumerate(places(work, at, draft, stop))
    ]
    draft.put("prefixItems", asked)
    draft.put("minItems", max(least if isinstance(least, int) else 0, stop))


def _n_missing(work: Specialising, at: At, value: Container) -> int:
    for check in work.compiler.subschema(at.pointer).checks["array"]:
        if isinstance(check, Contains) and check.pointer == at.pointer:
            return check.n_missing(value)
    return 0


def _first_place(draft: Draft, index: int) -> int:
    """Return the first place, from `index` on, whose own schema leaves room for `contains`."""
    first = draft.get("prefixItems")
    schemas = first if isinstance(first, list) else []
    wanted = _types(draft.get("contains"))
    while index < len(schemas):
        here = _types(schemas[index])
        if wanted is None or here is None or wanted & here:
            return index
        index += 1
    return index


def _types(schema: JsonValue) -> set[str] | None:
    """Return the types that a schema names; None where it names none."""
    named = schema.get("type") if isinstance(schema, dict) else None
    if named is None:
        return None
    types = {str(each) for each in named} if isinstance(named, list) else {str(named)}
    return types | _NUMBERS if types & _NUMBERS else types


def ask_for_properties(work: Specialising, at: At, draft: Draft) -> None:
    """Ask for the properties that `minProperties` misses, where one knows which they must be."""
    least, value = draft.get("minProperties"), at.value
    if not isinstance(least, int) or value.kind != "object" or value.writing is not None:
        return
    n_missing = least - value.count - (value.key is not None)
    candidates = _candidates(draft, value)
    is_closed = draft.get("additionalProperties") is False and not draft.get("patternProperties")
    if n_missing <= 0 or n_missing > len(candidates):
        return
    if work.is_closing(at) or (is_closed and n_missing == len(candidates)):
        draft.require(candidates[:n_missing])


def _candidates(draft: Draft, value: Container) -> list[str]:
    declared, required = draft.get("properties"), draft.get("required")
    named = required if isinstance(required, list) else []
    open_keys = [
        key
        for key, says in (declared.items() if isinstance(declared, dict) else ())
        if says is not False and not has_key(value, key)
    ]
    # Those that have to come anyway first.
    return sorted(open_keys, key=lambda key: key not in named)
