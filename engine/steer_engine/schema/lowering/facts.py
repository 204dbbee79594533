"""What is said of the values at one place, gathered from all the schemas that judge it."""

from __future__ import annotations

from dataclasses import dataclass

from steer_engine.schema.document import JsonObject, JsonSchema, JsonValue
from steer_engine.schema.lowering.alternatives import CHOICES, Alternative, Alternatives
from steer_engine.schema.lowering.analysis import IN_PLACE, TRIVIAL, Analysis
from steer_engine.schema.lowering.evaluated import UNEVALUATED, Evaluated
from steer_engine.schema.lowering.reading import (
    ALL_TYPES,
    asks_for_any_order,
    literals_in,
    schemas_in,
    texts_in,
    types_named,
)

_SAID = frozenset(
    [
        "exclusiveMaximum",
        "exclusiveMinimum",
        "maximum",
        "minimum",
        "multipleOf",
        "format",
        "maxLength",
        "minLength",
        "pattern",
        "contains",
        "maxItems",
        "minItems",
        "uniqueItems",
        "maxProperties",
        "minProperties",
        "propertyNames",
        "const",
        "enum",
    ]
)
"""Keywords that are kept as they are until the mask is written."""

_OF_PARTS = frozenset(
    {"additionalProperties", "items", "patternProperties", "prefixItems", "properties"}
)
_UNKNOWN = frozenset(
    {"$dynamicRef", "$recursiveRef", "additionalItems", "dependencies", "disallow", "extends"}
)
_MAX_DEPTH = 100  # of schemas inside each other that judge the same value


@dataclass(frozen=True, slots=True)
class Stand:
    """Where a schema stands among those that judge one value.

    `position` tells the order in which a reader comes to it. `watchers` are the ids of the schemas
    whose `unevaluated…` sees what it evaluates.
    """

    position: tuple[int, ...] = ()
    watchers: tuple[int, ...] = ()

    def below(self, index: int) -> Stand:
        """Return the stand of the schema that comes next inside."""
        return Stand((*self.position, index), self.watchers)

    def unseen(self) -> Stand:
        """Return the same stand for a schema that evaluates nothing for those around it."""
        return Stand(self.position)


@dataclass(frozen=True, slots=True)
class Choice:
    """Alternatives of which at least one holds, because a keyword says so."""

    schema: JsonObject
    keyword: str
    alternatives: Alternatives
    stand: Stand


class Facts:
    """A conjunction of schemas: what each keyword says, and the choices that are still open."""

    def __init__(self, analysis: Analysis) -> None:
        self.analysis = analysis
        self.claims: list[JsonSchema] = []
        self.types = ALL_TYPES
        self.said: dict[str, list[tuple[JsonValue, JsonObject]]] = {}
        self.excluded: list[tuple[JsonValue, JsonObject]] = []
        self.parts: list[JsonObject] = []  # schemas that judge properties or items
        self.required: dict[str, JsonObject] = {}
        self.choices: list[Choice] = []
        self.evaluated: dict[int, Evaluated] = {}
        self.doubts: list[tuple[JsonObject, str]] = []
        self.is_in_any_order = analysis.is_in_any_order
        self.contradiction: tuple[JsonObject, str] | None = None
        self._positions: dict[int, tuple[int, ...]] = {}
        self._seen: set[tuple[int, tuple[int, ...]]] = set()

    def copy(self) -> Facts:
        """Return an independent copy."""
        other = Facts(self.analysis)
        other.claims = list(self.claims)
        other.types = self.types
        other.said = {keyword: list(values) for keyword, values in self.said.items()}
        other.excluded = list(self.excluded)
        other.parts = list(self.parts)
        other.required = dict(self.required)
        other.choices = list(self.choices)
        other.evaluated = {key: each.copy() for key, each in self.evaluated.items()}
        other.doubts = list(self.doubts)
        other.is_in_any_order = self.is_in_any_order
        other.contradiction = self.contradiction
        other._positions = dict(self._positions)
        other._seen = set(self._seen)
        return other

    def add(self, schema: JsonSchema) -> None:
        """Take in that `schema` holds."""
        self._claim(schema, Stand((len(self.claims),)))

    def decide(self, choice: Choice, alternative: Alternative) -> None:
        """Take in that one alternative of a choice holds."""
        for index, (schema, is_seen) in enumerate(alternative):
            stand = choice.stand.below(index)
            self._claim(schema, stand if is_seen else stand.unseen())

    def contradict(self, schema: JsonObject, keyword: str) -> None:
        """Take in that nothing satisfies this; the first to say so is to blame."""
        self.contradiction = self.contradiction or (schema, keyword)

    def exclude_type(self, types: frozenset[str], schema: JsonObject, keyword: str) -> None:
        """Take in that the value has none of `types`."""
        self.types -= types
        if not self.types:
            self.contradict(schema, keyword)

    def sort(self) -> None:
        """Bring what alternatives have added to where a reader of the schema comes to it."""
        self.parts.sort(key=lambda part: self._positions[id(part)])
        by_position = sorted(self.required.items(), key=lambda item: self._positions[id(item[1])])
        self.required = dict(by_position)

    def names(self) -> tuple[list[str], list[str]]:
        """Return the properties that are named here, in the order in which they are written.

        First those in `properties`: of a schema itself, then of what it refers to and of its
        branches; then those that are required. Apart come those that a dependency or a `not`
        speaks of, for which the schema has no order.
        """
        graph, by_name = self.analysis.graph, self.analysis.schemas_by_name
        listed: dict[str, None] = {}
        others: dict[str, None] = {}
        for part in self.parts:
            kind = listed if part in graph else others
            kind |= dict.fromkeys(by_name(part, "properties"))
        for each in self.evaluated.values():
            listed |= each.names
        for name, schema in self.required.items():
            kind = listed if schema in graph else others
            kind[name] = None
        return list(listed), [name for name in others if name not in listed]

    def _claim(self, schema: JsonSchema, stand: Stand) -> None:
        self.claims.append(schema)
        self._add(schema, stand)

    def _add(self, schema: JsonSchema, stand: Stand) -> None:
        if schema is False:
            self.contradict({}, "")
        if isinstance(schema, bool) or not self._is_new(schema, stand):
            return
        if id(schema) in self.analysis.doubts:
            self.doubts.append(self.analysis.doubts[id(schema)])
        stand = self._watch(schema, stand)
        self._take_own(schema)
        if not _OF_PARTS.isdisjoint(schema):
            self.parts.append(schema)
        for keyword in IN_PLACE:
            if keyword in schema:
                self._take_in_place(schema, keyword, stand)

    def _is_new(self, schema: JsonObject, stand: Stand) -> bool:
        if (id(schema), stand.watchers) in self._seen:
            return False
        self._seen.add((id(schema), stand.watchers))
        self._positions.setdefault(id(schema), stand.position)
        if len(stand.position) <= _MAX_DEPTH:
            return True
        self.analysis.note_whole(schema, "it is nested too deeply")
        return False

    def _watch(self, schema: JsonObject, stand: Stand) -> Stand:
        """Let the watchers see `schema`, and return its stand if it is one of them itself."""
        is_watching = not UNEVALUATED.isdisjoint(schema)
        if is_watching:
            self.evaluated.setdefault(id(schema), Evaluated(schema))
        for each in stand.watchers:
            self.evaluated[each].add_rest(schema)
        watchers = (*stand.watchers, id(schema)) if is_watching else stand.watchers
        for each in watchers:
            self.evaluated[each].add(schema)
            if "contains" in schema:
                reason = "which items `contains` evaluates is seen only at the end"
                self.analysis.note_whole(self.evaluated[each].schema, reason)
        return Stand(stand.position, watchers)

    def _take_own(self, schema: JsonObject) -> None:
        """Take in what the keywords say that hold no schema for the same value."""
        for keyword, value in schema.items():
            if keyword in _SAID:
                self.said.setdefault(keyword, []).append((value, schema))
            elif keyword == "type":
                self.exclude_type(ALL_TYPES - types_named(value), schema, keyword)
            elif keyword == "required":
                self._require(texts_in(value), schema)
            elif keyword == "x-steer":
                self.is_in_any_order |= asks_for_any_order(schema)
            elif keyword in _UNKNOWN:
                self.analysis.note_whole(schema, "the mask does not know it")

    def _require(self, names: list[str], schema: JsonObject) -> None:
        for name in names:
            if name not in self.required or self.required[name] not in self.analysis.graph:
                self.required[name] = schema

    def _take_in_place(self, schema: JsonObject, keyword: str, stand: Stand) -> None:
        below = stand.below(IN_PLACE.index(keyword))
        if keyword == "$ref":
            self._add(self.analysis.graph.target(str(schema["$ref"])), below)
        elif keyword == "allOf":
            for index, member in enumerate(schemas_in(schema["allOf"])):
                self._add(member, below.below(index))
        elif keyword in CHOICES and not self._is_idle(schema, keyword, stand):
            for index, choice in enumerate(self.analysis.alternatives(schema, keyword)):
                self._take_choice(Choice(schema, keyword, choice, below.below(index)))

    def _is_idle(self, schema: JsonObject, keyword: str, stand: Stand) -> bool:
        """Tell whether a keyword needs no choice; what it says is then taken in."""
        if keyword == "if":
            return not (stand.watchers or "then" in schema or "else" in schema)
        inner = schema.get("not")
        if keyword != "not" or not isinstance(inner, dict) or len(inner) != 1:
            return False
        literal = next(iter(inner))
        if literal not in ("const", "enum"):
            return False
        self.excluded += ((each, schema) for each in literals_in(inner, literal))
        return True

    def _take_choice(self, choice: Choice) -> None:
        alternatives = choice.alternatives
        if not alternatives:
            self.contradict(choice.schema, choice.keyword)
        elif not choice.stand.watchers and any(map(_is_trivial, alternatives)):
            self._take_trivial(alternatives)
        elif len(alternatives) > 1:
            self.choices.append(choice)
        else:
            for index, (schema, is_seen) in enumerate(next(iter(alternatives))):
                stand = choice.stand.below(index)
                self._add(schema, stand if is_seen else stand.unseen())

    def _take_trivial(self, alternatives: Alternatives) -> None:
        """Take in a choice that says nothing, be it because a mask can say nothing of it."""
        trivial = [each for each in alternatives if _is_trivial(each)]
        doubts = [
            self.analysis.doubts[id(schema)]
            for alternative in trivial
            for schema, _ in alternative
            if id(schema) in self.analysis.doubts
        ]
        if len(doubts) == len(trivial):
            self.doubts += doubts


def _is_trivial(alternative: Alternative) -> bool:
    return all(schema in TRIVIAL for schema, _ in alternative)
