"""The documents that references can lead to: what each is called, and where each name leads.

The caller's documents and the standard metaschemas are the whole library: nothing is fetched.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import cast
from urllib.parse import unquote, urldefrag, urljoin

from steer_engine.errors import SchemaError
from steer_engine.schema.document import JsonObject, JsonSchema, JsonValue, place
from steer_engine.schema.drafts import (
    Dialect,
    identifiers,
    placed,
    standard_dialect,
    unknown_dialect,
)
from steer_engine.schema.references import value_at
from steer_engine.schema.vocabularies import chosen_dialect

RECURSIVE = ""
"""The name under which `$recursiveAnchor` stands among the dynamic anchors."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a schema stands: a pointer into a document, inside a resource that has a URI."""

    document: str
    pointer: str
    resource: str
    dialect: Dialect


class Library:
    """Finds what a reference names. Documents are indexed when they are first asked for."""

    def __init__(self, root: JsonSchema, resources: Mapping[str, JsonValue]) -> None:
        self._supplied = {urldefrag(uri).url: value for uri, value in resources.items()}
        self._documents: dict[str, JsonValue] = {}
        self._places: dict[tuple[str, str], Place] = {}
        self._values: dict[tuple[str, str], JsonValue] = {}
        self._resources: dict[str, Place] = {}
        self._anchors: dict[tuple[str, str], Place] = {}
        self._dynamic: dict[str, dict[str, Place]] = {}
        self._hides_contains = any(
            "unevaluatedItems" in repr(value) for value in (root, *resources.values())
        )
        self._default = Dialect()
        self.root = self._add("", root)
        self._default = self.root.dialect

    def value(self, at: Place) -> JsonValue:
        """Return what stands at a place."""
        return self._values[at.document, at.pointer]

    def child(self, parent: Place, pointer: str) -> Place:
        """Return the place of a direct subschema, given its pointer from `parent`."""
        return self._places[parent.document, parent.pointer + pointer]

    def known(self, document: str, pointer: str) -> Place | None:
        """Return the place at `pointer` if a schema is known to stand there."""
        return self._places.get((document, pointer))

    def dynamic_anchors(self, resource: str) -> Mapping[str, Place]:
        """Return the dynamic anchors of a resource by name."""
        return self._dynamic.get(resource, {})

    def find(self, ref: str, base: Place) -> Place | None:
        """Return the place that `ref` names where it stands at `base`, or None.

        Raises `SchemaError` where it leads to a document that the library does not have.
        """
        uri, _, fragment = _joined(base.resource, ref).partition("#")
        fragment = unquote(fragment)
        resource = self._resource(uri)
        if resource is None:
            raise SchemaError(
                f"`$ref` to {ref!r} {place(base.pointer)} leads out of this document; refused: "
                "never fetched. Copy it into `$defs`, or give it in `resources`"
            )
        if fragment and not fragment.startswith("/"):
            return self._anchors.get((uri, fragment))
        return self._at(resource, fragment)

    def _resource(self, uri: str) -> Place | None:
        if uri not in self._resources:
            from jsonschema_specifications import REGISTRY

            if uri in self._supplied:
                self._add(uri, self._supplied[uri])
            elif uri in REGISTRY:
                self._add(uri, cast("JsonValue", REGISTRY.contents(uri)))
            else:  # one of the caller's documents may call itself so, or a part of it
                for name in self._supplied.keys() - self._documents.keys():
                    self._add(name, self._supplied[name])
        return self._resources.get(uri)

    def _at(self, resource: Place, pointer: str) -> Place | None:
        """Return the place at a pointer below a resource; indexed now where no keyword leads."""
        whole = resource.pointer + pointer
        if (resource.document, whole) not in self._places:
            value = value_at(self._documents[resource.document], whole)
            if not isinstance(value, dict | bool):
                return None
            self._index(replace(self._nearest(resource.document, whole), pointer=whole), value)
        return self._places[resource.document, whole]

    def _nearest(self, document: str, pointer: str) -> Place:
        while (document, pointer) not in self._places:
            pointer = pointer.rpartition("/")[0]
        return self._places[document, pointer]

    def _add(self, name: str, value: JsonValue) -> Place:
        self._documents[name] = value
        self._index(Place(name, "", name, self._default), value)
        root = self._places[name, ""]
        self._resources.setdefault(name, root)
        return root

    def _index(self, start: Place, value: JsonValue) -> None:
        """Note all schemas at and below a place, and what they call themselves."""
        waiting = [(start, value)]
        while waiting:
            at, schema = waiting.pop()
            if isinstance(schema, dict):
                at = self._named(at, schema)
                waiting += [
                    (replace(at, pointer=at.pointer + pointer), child)
                    for pointer, _, child in placed(schema, at.dialect)
                ]
            self._places.setdefault((at.document, at.pointer), at)
            self._values[at.document, at.pointer] = schema

    def _named(self, at: Place, schema: JsonObject) -> Place:
        """Return the place with the resource and dialect that the schema there begins."""
        dialect = self._dialect(schema, at)
        uri, anchor = identifiers(schema, dialect)
        is_root = uri is not None or not at.pointer
        if is_root:
            resource = _joined(at.resource, uri or "").partition("#")[0]
            at = replace(at, resource=resource, dialect=dialect)
            self._resources.setdefault(resource, at)
        if anchor is not None:
            self._anchors.setdefault((at.resource, anchor), at)
        self._note_dynamic(at, schema, is_root=is_root)
        return at

    def _note_dynamic(self, at: Place, schema: JsonObject, *, is_root: bool) -> None:
        name = schema.get("$dynamicAnchor") if at.dialect.draft >= 2020 else None
        if isinstance(name, str):
            self._anchors.setdefault((at.resource, name), at)
            self._dynamic.setdefault(at.resource, {}).setdefault(name, at)
        if is_root and at.dialect.draft >= 2019 and schema.get("$recursiveAnchor") is True:
            self._dynamic.setdefault(at.resource, {})[RECURSIVE] = at

    def _dialect(self, schema: JsonObject, at: Place) -> Dialect:
        uri = schema.get("$schema")
        if "$schema" not in schema or not ({"$id", "id"} & schema.keys() or not at.pointer):
            return at.dialect
        dialect = standard_dialect(uri) if isinstance(uri, str) else None
        if dialect is None:
            dialect = self._own_dialect(uri)
        if dialect.draft == 2019 and self._hides_contains:
            dialect = replace(dialect, hides_contains=True)
        return dialect

    def _own_dialect(self, uri: JsonValue) -> Dialect:
        metaschema = self._supplied.get(urldefrag(uri).url) if isinstance(uri, str) else None
        if not isinstance(metaschema, dict):
            raise unknown_dialect(uri)
        written_in = standard_dialect(str(metaschema.get("$schema")))
        if written_in is None:
            raise unknown_dialect(uri)
        return chosen_dialect(metaschema, written_in)


def _joined(base: str, ref: str) -> str:
    # `urljoin` knows no paths in `urn:` and the like.
    if not ref or ref.startswith("#"):
        return base + ref
    return urljoin(base, ref)
