"""Which values of a record come out of a fixed set: those of an enum, a const, a boolean or null.

A set may hold members that other keywords rule out, but lacks none that is valid.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from functools import lru_cache
from typing import TypeAlias

from steer_engine.schema.document import JsonObject, JsonSchema, JsonValue, Schema, walk
from steer_engine.schema.equality import canonical
from steer_engine.schema.places import Path
from steer_engine.schema.references import schema_at, target_pointer

MAX_CHOICES = 256
"""A larger set is no choice between alternatives."""

_Members: TypeAlias = "dict[Hashable, JsonValue]"  # equal values have one key
_OF_TYPES: dict[JsonValue, tuple[JsonValue, ...]] = {"boolean": (True, False), "null": (None,)}


@lru_cache(maxsize=64)
def choice_places(schema: Schema) -> ChoicePlaces:
    """Return the places of `schema` whose values come out of a fixed set."""
    return ChoicePlaces(schema.document)


class ChoicePlaces:
    """The places of a document's choices: scalars out of a set of at most `MAX_CHOICES`."""

    def __init__(self, document: JsonSchema) -> None:
        self._document = document
        self._found: dict[Path, tuple[JsonValue, ...]] = {}
        self.is_empty = all(_listed(node) is None for _, node in walk(document))

    def at(self, path: Path) -> tuple[JsonValue, ...]:
        """Return the set that the value at `path` comes out of; empty where there is none."""
        if self.is_empty:
            return ()
        if path not in self._found:
            members = _Reading(self._document).members(self._document, path)
            choices = () if members is None else tuple(members.values())
            is_choice = len(choices) <= MAX_CHOICES and not any(
                isinstance(each, list | dict) for each in choices
            )
            self._found[path] = choices if is_choice else ()
        return self._found[path]


class _Reading:
    """Reads a document for one place; what is referred to twice is read once."""

    def __init__(self, document: JsonSchema) -> None:
        self._document = document
        self._read: dict[tuple[int, int], _Members | None] = {}

    def members(self, node: JsonValue, path: Path) -> _Members | None:
        """Return what the value at `path` below `node` can be; None where it can be anything."""
        if not isinstance(node, dict):
            return {} if node is False else None
        key = (id(node), len(path))
        if key not in self._read:
            found: _Members | None = None
            for each in self._claims(node, path):
                if each is not None:
                    found = each if found is None else {k: found[k] for k in found if k in each}
            self._read[key] = found
        return self._read[key]

    def _claims(self, node: JsonObject, path: Path) -> Iterator[_Members | None]:
        """Yield what each part of `node` says of the value, all of which holds."""
        yield self.members(_part(node, path[0]), path[1:]) if path else _listed(node)
        ref = node.get("$ref")
        target = target_pointer(self._document, ref) if isinstance(ref, str) else None
        if target is not None:
            yield self.members(schema_at(self._document, target), path)
        for member in _list(node, "allOf"):
            yield self.members(member, path)
        for keyword in ("anyOf", "oneOf"):
            if keyword in node:
                yield self._union(_list(node, keyword), path)

    def _union(self, nodes: list[JsonValue], path: Path) -> _Members | None:
        united: _Members = {}
        for node in nodes:
            members = self.members(node, path)
            if members is None:
                return None
            united |= {key: value for key, value in members.items() if key not in united}
        return united


def _listed(node: JsonSchema) -> _Members | None:
    """Return the values that `node` itself lists; None where it lists none."""
    if isinstance(node, bool):
        return None
    if "const" in node:
        return _by_key([node["const"]])
    if "enum" in node:
        return _by_key(_list(node, "enum"))
    kinds = node.get("type")
    kinds = kinds if isinstance(kinds, list) else [kinds]
    if all(isinstance(kind, str) and kind in _OF_TYPES for kind in kinds):
        return _by_key([value for kind in kinds for value in _OF_TYPES[kind]])
    return None


def _by_key(values: list[JsonValue]) -> _Members:
    members: _Members = {}
    for value in values:
        members.setdefault(canonical(value), value)
    return members


def _part(node: JsonObject, step: str | int) -> JsonValue:
    """Return the subschema of `node` for the part of its value at `step`, if one says it all."""
    if isinstance(step, int):
        prefix = _list(node, "prefixItems")
        return prefix[step] if step < len(prefix) else node.get("items")
    properties = node.get("properties")
    if isinstance(properties, dict) and step in properties:
        return properties[step]
    return None if node.get("patternProperties") else node.get("additionalProperties")


def _list(node: JsonObject, keyword: str) -> list[JsonValue]:
    value = node.get(keyword)
    return value if isinstance(value, list) else []
