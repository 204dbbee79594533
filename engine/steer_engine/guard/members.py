"""What the members of an open container need, said plainly."""

from __future__ import annotations

import math
from collections.abc import Sequence

from steer_engine.guard.distinct import holds
from steer_engine.guard.draft import At, Draft, Specialising
from steer_engine.guard.values import Container
from steer_engine.guard.verdict import INVALID, VALID
from steer_engine.pointers import pointer_to
from steer_engine.schema.document import JsonObject, JsonSchema, JsonValue
from steer_engine.schema.equality import canonical
from steer_engine.schema.patterns import matches

MAX_PLACES = 1000  # items before the open one that a `prefixItems` is written for
_MAX_VALUES = 64  # of which it is said anew which are left: a list is compiled anew for it


def has_key(value: Container, key: str) -> bool:
    """Return whether an object has a property, or at least its name."""
    return value.key == key or holds(value.keys, key)


def say_needs(work: Specialising, at: At, draft: Draft) -> None:
    """Say what the properties that are there need beside them."""
    value = at.value
    if value.kind != "object":
        return
    required, beside = draft.get("required"), draft.get("dependentRequired")
    if at.is_reduced and isinstance(required, list):
        missing = [name for name in required if not has_key(value, str(name))]
        if len(missing) < len(required):
            draft.put("required", missing)
    if isinstance(beside, dict):
        there = {key: names for key, names in beside.items() if has_key(value, key)}
        for names in there.values():
            missing = names if isinstance(names, list) else []
            draft.require([str(name) for name in missing if not has_key(value, str(name))])
        _leave_out(draft, "dependentRequired", beside, set(there))
    schemas = draft.get("dependentSchemas")
    if isinstance(schemas, dict):
        _say_dependent(work, at, draft, schemas)


def _say_dependent(work: Specialising, at: At, draft: Draft, schemas: JsonObject) -> None:
    done = set()
    for key in schemas:
        branch = at.beside("dependentSchemas", key)
        if has_key(at.value, key):
            draft.add(work.schema(branch))
            done.add(key)
        elif work.verdict(branch) is INVALID:
            draft.add({"properties": {key: False}})
            done.add(key)
    _leave_out(draft, "dependentSchemas", schemas, done)


def _leave_out(draft: Draft, keyword: str, before: JsonObject, keys: set[str]) -> None:
    if keys == before.keys():
        draft.drop(keyword)
    elif keys:
        draft.put(keyword, {key: says for key, says in before.items() if key not in keys})


def say_member(work: Specialising, at: At, draft: Draft) -> None:
    """Say plainly what the open member has to satisfy."""
    member = at.value.member
    if not isinstance(member, Container):
        return
    if at.value.key is not None:
        _say_property(work, at, draft, at.value.key, member)
    elif at.value.kind == "array":
        _say_item(work, at, draft, member)


def _say_property(work: Specialising, at: At, draft: Draft, key: str, member: Container) -> None:
    declared, patterns = draft.get("properties"), draft.get("patternProperties")
    known = declared if isinstance(declared, dict) else {}
    is_matched = isinstance(patterns, dict) and any(matches(pattern, key) for pattern in patterns)
    if key in known:
        pointer = pointer_to(at.pointer, "properties", key)
    elif not is_matched and isinstance(draft.get("additionalProperties"), dict):
        pointer = pointer_to(at.pointer, "additionalProperties")
    else:
        return
    plain = work.schema(at.inside(pointer, member))
    if plain is not work.compiler.resolved(pointer):
        draft.put("properties", {**known, key: plain})


def _say_item(work: Specialising, at: At, draft: Draft, member: Container) -> None:
    first, index = draft.get("prefixItems"), at.value.count
    n_first = len(first) if isinstance(first, list) else 0
    if index < n_first:
        pointer = pointer_to(at.pointer, "prefixItems", index)
    elif isinstance(draft.get("items"), dict) and index < MAX_PLACES:
        pointer = pointer_to(at.pointer, "items")
    else:
        return
    plain = work.schema(at.inside(pointer, member))
    if plain is not work.compiler.resolved(pointer):
        before = places(work, at, draft, index)
        draft.put("prefixItems", [*before[:index], plain, *before[index + 1 :]])


def places(work: Specialising, at: At, draft: Draft, n_items: int) -> list[JsonValue]:
    """Return what `prefixItems` and `items` say of the first items, of `n_items` or more.

    An item that is written and valid is let through as it is.
    """
    first, rest = draft.get("prefixItems"), draft.get("items")
    result = list(first) if isinstance(first, list) else []
    cells = at.value.cells()[len(result) : n_items]
    beyond = work.compiler.subschema(pointer_to(at.pointer, "items")) if rest is not None else None
    result += [beyond is None or beyond.verdict(cell.value) is VALID for cell in cells]
    while len(result) < n_items:
        result.append(True if rest is None else rest)
    return result


def say_unlike(work: Specialising, at: At, draft: Draft) -> None:
    """Say which values are left for the items of a list that has each of a few values once."""
    count = at.value.count
    if draft.get("uniqueItems") is not True or at.value.kind != "array":
        return
    if at.is_exact or at.is_annotated:
        return
    if not isinstance(draft.get("items"), dict) or not 0 < count <= MAX_PLACES:
        return
    values = _values(work.compiler.followed(pointer_to(at.pointer, "items"))[1])
    written = {cell.value.canonical for cell in at.value.cells()}
    left: list[JsonValue] = [each for each in values if canonical(each) not in written]
    if len(left) < len(values):
        draft.put("prefixItems", places(work, at, draft, count))
        draft.put("items", {"allOf": [draft.get("items"), {"enum": left}]})


def _values(schema: JsonSchema) -> Sequence[JsonValue]:
    """Return the few values that a schema lists, or the integers between its bounds."""
    if isinstance(schema, bool):
        return ()
    listed, least, most = (schema.get(keyword) for keyword in ("enum", "minimum", "maximum"))
    if isinstance(listed, list):
        return listed if len(listed) <= _MAX_VALUES else ()
    if not isinstance(least, int | float) or not isinstance(most, int | float):
        return ()
    if schema.get("type") != "integer" or most - least >= _MAX_VALUES:
        return ()
    return range(math.ceil(least), math.floor(most) + 1)


def as_schema(value: JsonValue) -> JsonSchema:
    """Return `value`, which stands where a schema does; True where nothing does."""
    return value if isinstance(value, bool | dict) else True
