"""What is left of a document for the guard once the mask has taken its part.

The residue keeps the document's places: a keyword that stands in it stands at the same pointer in
the document. Only definitions that stood outside of `$defs` get a new place there.
"""

from __future__ import annotations

from urllib.parse import quote

from steer_engine.pointers import pointer_to, steps_of
from steer_engine.schema.document import (
    DEFINITIONS,
    JsonObject,
    JsonSchema,
    children,
    map_children,
)
from steer_engine.schema.lowering.graph import SchemaGraph
from steer_engine.schema.lowering.inexact import Inexact

_OF_PARTS = frozenset(
    {"additionalProperties", "allOf", "items", "patternProperties", "prefixItems", "properties"}
)
"""Keywords all of whose schemas hold, each for its part: they can be cut one by one."""

_READ_WITH = {
    "additionalProperties": ("properties", "patternProperties"),
    "contains": ("minContains", "maxContains"),
    "else": ("if", "then"),
    "if": ("then", "else"),
    "items": ("prefixItems",),
    "maxContains": ("contains", "minContains"),
    "minContains": ("contains", "maxContains"),
    "then": ("if", "else"),
}
"""Keywords that mean something else without their siblings."""

_UNEVALUATED = ("unevaluatedItems", "unevaluatedProperties")
"""Keywords that mean something else without anything beside them."""


def residue(graph: SchemaGraph, inexact: Inexact) -> JsonSchema:
    """Return the schema that a value must still satisfy when the mask has let it through."""
    return _Residue(graph, inexact).document()


class _Residue:
    """Cuts what is exact out of one document; gathers the definitions that are still needed."""

    def __init__(self, graph: SchemaGraph, inexact: Inexact) -> None:
        self._graph = graph
        self._inexact = inexact
        self._open = graph.leading_to(inexact.schemas())
        self._names: dict[str, str] = {}  # of definitions, by pointer
        self._is_whole: dict[str, bool] = {}  # by pointer
        self._definitions: JsonObject = {}

    def document(self) -> JsonSchema:
        root = self._rest(self._graph.document)
        if isinstance(root, bool) or not self._definitions:
            return root
        return {**root, "$defs": self._definitions}

    def _rest(self, schema: JsonSchema) -> JsonSchema:
        """Return what is left of a schema that a value of the mask must satisfy."""
        if isinstance(schema, bool) or id(schema) not in self._open:
            return True
        if self._inexact.is_whole(schema) or any(keyword in schema for keyword in _UNEVALUATED):
            return self._whole(schema)
        rest: JsonObject = {}
        for keyword in schema:
            rest |= self._left(schema, keyword)
        for keyword in list(rest):
            for sibling in _READ_WITH.get(keyword, ()):
                if sibling in schema and sibling not in rest:
                    cut = self._rest if sibling in _OF_PARTS else self._whole
                    rest |= map_children({sibling: schema[sibling]}, cut)
        return rest or True

    def _left(self, schema: JsonObject, keyword: str) -> JsonObject:
        """Return what is left of one keyword, with its name; nothing if it is exact."""
        if keyword in DEFINITIONS:
            return {}
        alone: JsonObject = {keyword: schema[keyword]}
        if self._inexact.reason(schema, keyword) is not None:
            return self._copied(alone)
        if keyword == "$ref":
            is_left = self._is_open(self._graph.target(str(schema["$ref"])))
            ref = self._reference(str(schema["$ref"]), whole=False) if is_left else ""
            return {"$ref": ref} if is_left else {}
        if not any(self._is_open(child) for _, child in children(alone)):
            return {}
        return map_children(alone, self._rest) if keyword in _OF_PARTS else self._copied(alone)

    def _is_open(self, schema: JsonSchema) -> bool:
        return id(schema) in self._open

    def _whole(self, schema: JsonSchema) -> JsonSchema:
        """Return all of `schema`, with its references to definitions of the residue."""
        return schema if isinstance(schema, bool) else self._copied(schema)

    def _copied(self, schema: JsonObject) -> JsonObject:
        kept = {key: value for key, value in schema.items() if key not in DEFINITIONS}
        kept = map_children(kept, self._whole)
        if "$ref" in kept:
            kept["$ref"] = self._reference(str(kept["$ref"]), whole=True)
        return kept

    def _reference(self, ref: str, *, whole: bool) -> str:
        pointer = self._graph.target_pointer(ref)
        name = self._name(pointer)
        if not self._is_whole.get(pointer, False) and (whole or pointer not in self._is_whole):
            self._is_whole[pointer] = whole
            target = self._graph.target(ref)
            written = self._whole(target) if whole else self._rest(target)
            # A definition that leads back to itself may meanwhile have been needed as a whole.
            if self._is_whole[pointer] == whole:
                self._definitions[name] = written
        return "#" + quote(pointer_to("/$defs", name), safe="/~$")

    def _name(self, pointer: str) -> str:
        if pointer not in self._names:
            parent = pointer.rpartition("/")[0]
            stem = name = (pointer and steps_of(pointer)[-1]) or "root"
            taken = set(self._names.values())
            if parent != "/$defs":
                taken |= self._own_names()
            n_same = 1
            while name in taken:
                n_same += 1
                name = f"{stem}_{n_same}"
            self._names[pointer] = name
        return self._names[pointer]

    def _own_names(self) -> set[str]:
        document = self._graph.document
        own = document.get("$defs") if isinstance(document, dict) else None
        return set(own) if isinstance(own, dict) else set()
