"""The order of properties in a residual: what is written comes first, as it is written."""

from __future__ import annotations

from steer_engine.guard.compiler import Compiler, in_place
from steer_engine.guard.draft import At, Draft, Specialising
from steer_engine.guard.members import as_schema
from steer_engine.guard.values import Container
from steer_engine.pointers import pointer_to
from steer_engine.schema.document import JsonObject, JsonValue
from steer_engine.schema.patterns import matches

_MAX_LISTED = 200  # properties of which nothing is declared
_CONDITIONAL_LISTS = ("anyOf", "oneOf")
_CONDITIONAL = ("not", "if", "then", "else")
_WIDE = frozenset(
    {
        "additionalProperties",
        "maxProperties",
        "patternProperties",
        "propertyNames",
        "unevaluatedProperties",
    }
)
_COUNTING = frozenset({"const", "enum", "minProperties"})


def put_in_order(work: Specialising, at: At, draft: Draft) -> None:
    """Let `properties` list the keys that are written first.

    A grammar made from it can read the text so far again, and can still write a property whose turn
    is past. One that nothing can come to ask for is forbidden instead: the order stays.
    """
    if at.value.kind != "object":
        return
    says = draft.get("properties")
    declared = says if isinstance(says, dict) else {}
    written = _written(at.value)
    if not draft.is_changed and _is_sorted(declared, written):
        return
    first: JsonObject = {key: declared[key] for key in written if key in declared}
    rest: JsonObject = {key: says for key, says in declared.items() if key not in first}
    if at.is_outer and not at.is_exact:
        rest |= dict.fromkeys(_past(work, at, declared, first), False)
        first = _listed(at, draft, written, declared)
    ordered = first | rest
    if list(ordered.items()) != list(declared.items()):
        draft.put("properties", ordered)


def _written(value: Container) -> list[str]:
    keys = [cell.key for cell in value.cells()]
    return [key for key in [*keys, value.key] if key is not None]


def _is_sorted(declared: JsonObject, written: list[str]) -> bool:
    turns = {key: turn for turn, key in enumerate(declared)}
    order = [turns.get(key, len(turns)) for key in written]
    return order == sorted(order)


def _listed(at: At, draft: Draft, written: list[str], declared: JsonObject) -> JsonObject:
    """Return what each written property has to satisfy."""
    listed: JsonObject = {}
    n_others = sum(key not in declared for key in written)
    patterns = draft.get("patternProperties")
    for key in written:
        if key in declared:
            listed[key] = declared[key]
        elif n_others <= _MAX_LISTED and not at.is_annotated:
            is_matched = isinstance(patterns, dict) and any(matches(each, key) for each in patterns)
            listed[key] = True if is_matched else as_schema(draft.get("additionalProperties"))
    return listed


def _past(work: Specialising, at: At, declared: JsonObject, first: JsonObject) -> list[str]:
    """Return the properties whose turn is past and which nothing can come to ask for."""
    turns = list(declared)
    last = max((turn for turn, key in enumerate(turns) if key in first), default=0)
    skipped = [key for key in turns[:last] if key not in first]
    needed = _asked_for(work.compiler, at.pointer) if skipped else None
    return [] if needed is None else [key for key in skipped if key not in needed]


def _asked_for(compiler: Compiler, pointer: str) -> set[str] | None:
    """Return the properties whose being there can matter; None where it may be any."""
    names: set[str] = set()
    waiting, seen = [(pointer, False)], set()
    while waiting:
        here = waiting.pop()
        schema = compiler.resolved(here[0])
        if here in seen or isinstance(schema, bool):
            continue
        seen.add(here)
        pointer, is_conditional = here
        if schema.keys() & _COUNTING or (is_conditional and schema.keys() & _WIDE):
            return None
        names |= _named(schema)
        if is_conditional:
            names |= _keys(schema.get("properties"))
        waiting += [(where, is_conditional) for where in in_place(schema, pointer)]
        waiting += [(where, True) for where in _conditional(schema, pointer)]
    return names


def _named(schema: JsonObject) -> set[str]:
    """Return the properties that a schema requires, or needs beside others."""
    beside = schema.get("dependentRequired")
    lists = [schema.get("required"), *(beside.values() if isinstance(beside, dict) else ())]
    names = {str(name) for names in lists if isinstance(names, list) for name in names}
    return names | _keys(beside) | _keys(schema.get("dependentSchemas"))


def _conditional(schema: JsonObject, pointer: str) -> list[str]:
    found = [pointer_to(pointer, keyword) for keyword in _CONDITIONAL if keyword in schema]
    for keyword in _CONDITIONAL_LISTS:
        branches = schema.get(keyword)
        n_branches = len(branches) if isinstance(branches, list) else 0
        found += [pointer_to(pointer, keyword, index) for index in range(n_branches)]
    dependent = _keys(schema.get("dependentSchemas"))
    return found + [pointer_to(pointer, "dependentSchemas", key) for key in dependent]


def _keys(value: JsonValue) -> set[str]:
    return set(value) if isinstance(value, dict) else set()
