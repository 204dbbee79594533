"""The keywords of objects, as the mask compiler takes them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import permutations

from steer_engine.schema.document import JsonObject, JsonSchema, JsonValue, walk
from steer_engine.schema.lowering.analysis import TRIVIAL
from steer_engine.schema.lowering.arrays import Place
from steer_engine.schema.lowering.contradictions import bounds
from steer_engine.schema.lowering.counting import ObjectForm, counted
from steer_engine.schema.lowering.crowds import any_name, manageable
from steer_engine.schema.lowering.deciding import holds
from steer_engine.schema.lowering.facts import Facts
from steer_engine.schema.lowering.lark import MAX_UNORDERED
from steer_engine.schema.lowering.properties import (
    claims_on,
    note_unlisted,
    other_claims,
    regions,
    without,
)
from steer_engine.schema.lowering.reading import as_schema

_A_STRING: JsonObject = {"type": "string"}
_MAX_PERMUTED = 3
_NO_LARK = "in a Lark grammar it is not known which keys are listed"
_TWO_SPELLINGS = "U+007F can be written in two ways"


def object_keywords(facts: Facts, place: Place) -> list[JsonObject]:
    """Return what the mask can say of objects, in alternatives; none where there is no object."""
    listed, unordered = facts.names()
    form = _form(facts, place, [*listed, *unordered])
    unordered = [name for name in form.properties if name not in listed]
    for name in form.required:
        if form.properties[name] is False:
            facts.contradict(facts.required[name], "required")
            return []
    if form.is_closed:
        possible: dict[str, JsonSchema] = {
            name: each for name, each in form.properties.items() if each is not False
        }
        form = replace(form, properties=possible)
    return [
        manageable(facts, each).keywords()
        for ordered in _ordered(form, listed, unordered)
        for each in counted(facts, ordered)
    ]


def _form(facts: Facts, place: Place, names: Sequence[str]) -> ObjectForm:
    claims = {name: claims_on(facts, name) for name in names}
    properties = {
        name: place(claims[name]) if _is_allowed(facts, name) else False for name in names
    }
    patterns: dict[str, JsonSchema] = {}
    is_shared = False
    for region in regions(facts, claims):
        written = _any_of([place(each) for each in region.alternatives])
        if region.is_shared and _has_references(written):
            # The mask compiler would have to intersect it with those of the listed properties.
            reason = "it also judges listed properties"
            facts.analysis.note_all(facts.parts, "patternProperties", reason)
            written = True
        patterns[region.pattern] = written
        is_shared |= region.is_shared
    form = ObjectForm(properties, tuple(facts.required), patterns, place(other_claims(facts)))
    if "propertyNames" in facts.said:
        form = _with_allowed_names(facts, place, form)
    if facts.analysis.is_for_lark and form.patterns and (is_shared or form.rest is not False):
        for keyword in ("properties", "patternProperties", "additionalProperties"):
            facts.analysis.note_all(facts.parts, keyword, _NO_LARK)
    if any("\x7f" in name for name in names):
        for keyword in ("properties", "patternProperties", "additionalProperties"):
            facts.analysis.note_all(facts.parts, keyword, _TWO_SPELLINGS)
    return replace(form, is_in_any_order=form.is_in_any_order or facts.is_in_any_order)


def _any_of(alternatives: Sequence[JsonSchema]) -> JsonSchema:
    found = [each for each in alternatives if each is not False]
    if not found or any(each in (True, {}) for each in found):
        return bool(found)
    return found[0] if len(found) == 1 else {"anyOf": list[JsonValue](found)}


def _has_references(written: JsonSchema) -> bool:
    return any(isinstance(each, dict) and "$ref" in each for _, each in walk(written))


def _ordered(form: ObjectForm, listed: list[str], unordered: list[str]) -> Iterator[ObjectForm]:
    """Yield the form in each order in which its properties may be written."""
    absent = [name for name in unordered if form.properties.get(name) is False]
    loose = [name for name in unordered if name not in absent]
    is_one_enough = len(loose) > _MAX_PERMUTED or form.is_in_any_order
    for order in [loose] if is_one_enough else permutations(loose):
        names = [name for name in (*listed, *order, *absent) if name in form.properties]
        yield replace(form, properties={name: form.properties[name] for name in names})


def _is_allowed(facts: Facts, name: str) -> bool:
    """Tell whether `propertyNames` allows a name; what cannot be told is left to the guard."""
    for value, schema in facts.said.get("propertyNames", ()):
        verdict = holds(facts.analysis, as_schema(value), name)
        if verdict is False:
            return False
        if verdict is None:
            facts.analysis.note(schema, "propertyNames", "it cannot be told beforehand")
    return True


def _with_allowed_names(facts: Facts, place: Place, form: ObjectForm) -> ObjectForm:
    """Return a form whose keys that are not listed satisfy `propertyNames`."""
    if form.rest is False and not form.patterns:
        return form
    said = facts.said["propertyNames"]
    keys = place([_A_STRING, *(as_schema(value) for value, _ in said)])
    if keys is False:
        return replace(form, patterns={}, rest=False)
    names = keys.get("enum") if isinstance(keys, dict) and len(keys) == 1 else None
    if isinstance(names, list) and not form.patterns:
        others = [str(name) for name in names if name not in form.properties]
        possible = [name for name, each in form.properties.items() if each is not False] + others
        if _is_each_needed(facts, possible):
            # Said by name, since the mask compiler would count a key that comes twice.
            properties = form.properties | dict.fromkeys(others, form.rest)
            required = tuple(dict.fromkeys([*form.required, *possible]))
            form = replace(form, properties=properties, required=required, rest=False)
            return replace(form, is_in_any_order=True)  # those of `propertyNames` have no order
        return replace(form, patterns={any_name(others): form.rest} if others else {}, rest=False)
    pattern, is_exact = _pattern_of(keys)
    if form.patterns or not is_exact:
        for _, schema in said:
            facts.analysis.note(schema, "propertyNames", "no one pattern says as much")
    if form.patterns or pattern is None:
        return form
    return replace(form, patterns=_apart(facts, form, pattern), rest=False)


def _is_each_needed(facts: Facts, names: Sequence[str]) -> bool:
    """Tell whether an object has all of `names`, so that a mask in Lark can list them."""
    is_listed = facts.analysis.is_for_lark and len(names) <= MAX_UNORDERED
    return is_listed and bounds(facts, "Properties")[0] == len(names)


def _apart(facts: Facts, form: ObjectForm, pattern: str) -> dict[str, JsonSchema]:
    """Return what keys of allowed names hold, by a pattern that matches none listed if possible."""
    apart = without(pattern, list(form.properties)) if form.properties else pattern
    if apart is not None:
        return {apart: form.rest}
    if form.rest not in TRIVIAL:
        # The mask compiler would hold listed properties to it, too.
        note_unlisted(facts)
    if facts.analysis.is_for_lark:
        for keyword in ("properties", "propertyNames", "additionalProperties"):
            facts.analysis.note_all(facts.parts, keyword, _NO_LARK)
    return {pattern: True}


def _pattern_of(keys: JsonSchema) -> tuple[str | None, bool]:
    """Return a pattern for the strings that a written schema allows, and whether it is exact."""
    if not isinstance(keys, dict):
        return None, keys is True
    said = {keyword: value for keyword, value in keys.items() if keyword != "type"}
    if "pattern" in said:
        return str(said["pattern"]), len(said) == 1
    if said and set(said) <= {"minLength", "maxLength"}:
        return rf"^[\s\S]{{{said.get('minLength', 0)},{said.get('maxLength', '')}}}$", True
    return None, not said
