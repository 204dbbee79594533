"""Objects with so many properties that the mask compiler could not hold them one by one."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import replace

from steer_engine.schema.document import JsonSchema, dump
from steer_engine.schema.lowering.counting import ObjectForm
from steer_engine.schema.lowering.facts import Facts
from steer_engine.schema.lowering.lark import MAX_UNORDERED

_MAX_OPTIONAL = 400  # in a row: beyond that the mask compiler's rows are too long
_MAX_REQUIRED = 5_000
_MAX_CHARACTERS = 60_000  # of the names in one pattern


def manageable(facts: Facts, form: ObjectForm) -> ObjectForm:
    """Return `form`, or a wider one that the mask compiler can hold.

    Its properties come in any order, and which are required is left to the guard. That none comes
    twice is seen to elsewhere.
    """
    if not _is_crowded(form, in_any_order=facts.is_in_any_order):
        return form
    n_characters = sum(map(len, form.properties))
    if form.patterns or n_characters > _MAX_CHARACTERS:
        schemas = [*facts.parts, *facts.required.values()]
        for part in {id(each): each for each in schemas}.values():
            facts.analysis.note_whole(part, "it has too many properties")
        return ObjectForm({}, (), {}, rest=True)
    for schema in {id(each): each for each in facts.required.values()}.values():
        facts.analysis.note(schema, "required", "there are too many properties to count them")
    by_value: dict[str, tuple[JsonSchema, list[str]]] = {}
    for name, each in form.properties.items():
        by_value.setdefault(dump(each), (each, []))[1].append(name)
    patterns = {any_name(names): each for each, names in by_value.values()}
    return replace(form, properties={}, required=(), patterns=patterns)


def any_name(names: Iterable[str]) -> str:
    """Return a pattern for keys that are one of `names`."""
    return f"^(?:{'|'.join(re.escape(name) for name in names)})$"


def _is_crowded(form: ObjectForm, *, in_any_order: bool) -> bool:
    if in_any_order:
        return len(form.properties) > MAX_UNORDERED
    if len(form.properties) <= _MAX_OPTIONAL:
        return False
    required = set(form.required)
    return len(required) > _MAX_REQUIRED or _longest_run(form.properties, required) > _MAX_OPTIONAL


def _longest_run(names: Iterable[str], required: Collection[str]) -> int:
    longest = run = 0
    for name in names:
        run = 0 if name in required else run + 1
        longest = max(longest, run)
    return longest
