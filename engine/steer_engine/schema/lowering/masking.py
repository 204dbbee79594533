"""The mask of a document: everything that llguidance can enforce, in the keywords it knows."""

from __future__ import annotations

from collections.abc import Sequence

from steer_engine.schema.document import JsonObject, JsonSchema, JsonValue, dump
from steer_engine.schema.lowering.analysis import TRIVIAL, Analysis
from steer_engine.schema.lowering.arrays import array_keywords
from steer_engine.schema.lowering.choices import cases
from steer_engine.schema.lowering.contradictions import candidates, is_contradictory
from steer_engine.schema.lowering.detail import Detail
from steer_engine.schema.lowering.excluding import without_excluded
from steer_engine.schema.lowering.facts import Facts
from steer_engine.schema.lowering.literals import written_literals
from steer_engine.schema.lowering.numbers import number_keywords
from steer_engine.schema.lowering.objects import object_keywords
from steer_engine.schema.lowering.reading import (
    ALL_TYPES,
    NUMBERS,
    named_types,
    schemas_by_name,
    schemas_in,
)
from steer_engine.schema.lowering.strings import string_keywords

_MAX_DEPTH = 16  # places inside each other, before one gets a name
_PLACES = 500
_PLACES_PER_SCHEMA = 2
_PROPERTIES_PER_PLACE = 4  # so many weigh as much as one place more

Key = frozenset[int]


class Mask:
    """Writes the places of one document, each conjunction of schemas once."""

    def __init__(self, analysis: Analysis) -> None:
        self._analysis = analysis
        self._written: dict[Key, JsonSchema | None] = {}  # None while it is being written
        self._names: dict[Key, str] = {}
        self._waiting: list[tuple[Key, list[JsonSchema]]] = []
        self._kept_alive: list[JsonSchema] = []  # schemas made on the way, for their ids
        n_places = _PLACES if analysis.detail == Detail.FULL else 0
        self._n_left = n_places + _PLACES_PER_SCHEMA * len(analysis.graph)
        self.definitions: JsonObject = {}
        self.blame: tuple[JsonObject, str] | None = None

    def document(self) -> JsonSchema:
        """Return the mask of the whole document, without its definitions."""
        root = self.place([self._analysis.graph.document], 0)
        while self._waiting:
            key, claims = self._waiting.pop()
            self.definitions[self._names[key]] = self._write(claims, 0)
        return root

    def place(self, claims: Sequence[JsonSchema], depth: int) -> JsonSchema:
        """Return the mask of what satisfies all of `claims`."""
        resolved = map(self._analysis.resolved, claims)
        told = {id(each): each for each in resolved if each not in TRIVIAL}
        if any(each is False for each in told.values()):
            return False
        if not told:
            return True
        key = frozenset(told)
        if key in self._written:
            return self._again(key)
        self._kept_alive += told.values()
        self._n_left -= 1
        if self._n_left < 0:
            return self._give_up(key, list(told.values()))
        if depth >= _MAX_DEPTH:
            self._waiting.append((key, list(told.values())))
            self._written[key] = None
            return self._named(key)
        self._written[key] = None
        written = self._write(list(told.values()), depth)
        self._n_left -= _n_properties(written) // _PROPERTIES_PER_PLACE
        if key in self._names:
            self.definitions[self._names[key]] = written
            written = self._named(key)
        self._written[key] = written
        return written

    def _give_up(self, key: Key, claims: list[JsonSchema]) -> JsonSchema:
        for each in claims:
            if isinstance(each, dict):
                self._analysis.note_whole(each, "the schema has too many cases for the mask")
        self._written[key] = True
        return True

    def _again(self, key: Key) -> JsonSchema:
        """Return a place that was asked for before, so that it is written only once."""
        written = self._written[key]
        if written is None:
            return self._named(key)
        if isinstance(written, dict) and _is_large(written):
            # All that hold it now hold the reference instead.
            self.definitions[self._name(key)] = dict(written)
            written.clear()
            written.update(self._named(key))
        return written

    def _named(self, key: Key) -> JsonObject:
        return {"$ref": f"#/$defs/{self._name(key)}"}

    def _name(self, key: Key) -> str:
        return self._names.setdefault(key, f"p{len(self._names)}")

    def _write(self, claims: Sequence[JsonSchema], depth: int) -> JsonSchema:
        facts = Facts(self._analysis)
        for each in claims:
            facts.add(each)
        if is_contradictory(facts):
            self._accuse(facts)
            return False
        found: list[JsonSchema] = []
        for case in cases(facts):
            found += self._case(case, depth + 1)
        if not found:
            self._accuse(facts)
        return united(found)

    def _accuse(self, facts: Facts) -> None:
        self.blame = self.blame or facts.contradiction

    def _case(self, facts: Facts, depth: int) -> list[JsonSchema]:
        """Return alternatives that together allow what satisfies `facts`, which are decided."""
        for schema, keyword in facts.doubts:
            self._analysis.note(schema, keyword, "a mask cannot say the opposite")
        values = candidates(facts)
        if values is not None:
            return written_literals(facts, values)
        by_type: dict[str, list[JsonObject]] = {"null": [{}], "boolean": [{}]}
        if facts.types & NUMBERS:
            by_type["number"] = number_keywords(facts)
        if "string" in facts.types:
            by_type["string"] = [string_keywords(facts)]
        if "array" in facts.types:
            array = array_keywords(facts, lambda claims: self.place(claims, depth))
            by_type["array"] = [] if array is None else [array]
        if "object" in facts.types:
            by_type["object"] = object_keywords(facts, lambda claims: self.place(claims, depth))
        if facts.excluded:
            by_type = without_excluded(facts, by_type)
        return self._joined(facts, by_type)

    def _joined(self, facts: Facts, by_type: dict[str, list[JsonObject]]) -> list[JsonSchema]:
        types: set[str] = set()
        joined: JsonObject = {}
        apart: list[JsonSchema] = []
        for kind in facts.types:
            ways = by_type.get("number" if kind in NUMBERS else kind, [])
            if len(ways) == 1 and "enum" not in ways[0]:
                types.add(kind)
                joined |= ways[0]
            elif kind != "fraction" or "integer" not in facts.types:
                names: JsonValue = named_types(
                    facts.types & NUMBERS if kind in NUMBERS else {kind}
                )[0]
                apart += ({"type": names, **way} for way in ways)
        if types == ALL_TYPES:
            return [joined or True, *apart]
        if not types:
            if not apart:
                self._accuse(facts)
            return apart
        names_of = named_types(types)
        only: JsonValue = names_of[0] if len(names_of) == 1 else list[JsonValue](names_of)
        return [{"type": only, **joined}, *apart]


def united(alternatives: Sequence[JsonSchema]) -> JsonSchema:
    """Return the schema of what any of the alternatives allows."""
    if any(each in TRIVIAL for each in alternatives):
        return True
    found = [each for each in alternatives if each is not False]
    if len(found) > 1:
        found = list({dump(each): each for each in found}.values())
    if len(found) < 2:
        return found[0] if found else False
    return {"anyOf": list[JsonValue](found)}


def _n_properties(written: JsonSchema) -> int:
    if isinstance(written, bool):
        return 0
    n_inside = sum(map(_n_properties, schemas_in(written.get("anyOf"))))
    return n_inside + len(schemas_by_name(written.get("properties")))


def _is_large(written: JsonObject) -> bool:
    return len(written) > 2 or any(isinstance(value, dict | list) for value in written.values())
