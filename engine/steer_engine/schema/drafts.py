"""The drafts of JSON Schema, and how 2020-12 says what an older one means.

The draft is told by `$schema`; a document without one is 2020-12. What an older draft spells in
another way is respelled, and what it does not know yet is left out, as its validators do.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from steer_engine.errors import SchemaError
from steer_engine.schema.document import DEFINITIONS, JsonObject, JsonSchema, JsonValue, children
from steer_engine.schema.formats.contents import format_of_content

LATEST_URI = "https://json-schema.org/draft/2020-12/schema"
_LATEST = 2020
_URI = re.compile(r"https?://json-schema\.org/(?:draft[-/](?P<draft>[\d-]+)/)?schema#?")
_DRAFTS = {"04": 4, "06": 6, "07": 7, "2019-09": 2019, "2020-12": _LATEST, None: _LATEST}
_FIRST_DRAFT = {
    "const": 6,
    "contains": 6,
    "propertyNames": 6,
    "else": 7,
    "if": 7,
    "then": 7,
    "$id": 6,
    "$anchor": 2019,
    "$recursiveAnchor": 2019,
    "$recursiveRef": 2019,
    "contentSchema": 2019,
    "dependentRequired": 2019,
    "dependentSchemas": 2019,
    "maxContains": 2019,
    "minContains": 2019,
    "unevaluatedItems": 2019,
    "unevaluatedProperties": 2019,
    "$dynamicAnchor": 2020,
    "$dynamicRef": 2020,
    "prefixItems": 2020,
}
# Up to draft 7 every other word beside a `$ref` means nothing, though it can be referred to.
_KEPT_BESIDE_REF = frozenset({"$ref", *DEFINITIONS, "$schema", "title", "description", "default"})


@dataclass(frozen=True, slots=True)
class Dialect:
    """A draft, less the keywords of vocabularies that a metaschema leaves out."""

    draft: int = _LATEST
    dropped: frozenset[str] = frozenset()
    hides_contains: bool = False
    """Whether `unevaluatedItems` does not see what `contains` found: in 2019-09, but not later."""

    def ignores(self, schema: JsonObject, keyword: str) -> bool:
        """Return whether `keyword` means nothing in `schema`."""
        if self.draft <= 7 and "$ref" in schema and keyword not in _KEPT_BESIDE_REF:
            return True
        return _FIRST_DRAFT.get(keyword, 0) > self.draft or keyword in self.dropped


def standard_dialect(uri: str) -> Dialect | None:
    """Return the dialect that `$schema` names, or None for one that is not of json-schema.org."""
    match = _URI.fullmatch(uri)
    if match is None or match["draft"] not in _DRAFTS:
        return None
    return Dialect(_DRAFTS[match["draft"]])


def unknown_dialect(uri: JsonValue) -> SchemaError:
    """Return the error for a `$schema` that nobody knows."""
    return SchemaError(
        f"`$schema` names {uri!r}, which is none of the drafts 4 to 2020-12; "
        "remove it to have the schema read as 2020-12"
    )


def identifiers(schema: JsonObject, dialect: Dialect) -> tuple[str | None, str | None]:
    """Return the URI and the anchor that `schema` gives itself."""
    keyword = "id" if dialect.draft == 4 else "$id"
    uri = None if dialect.ignores(schema, keyword) else schema.get(keyword)
    anchor = schema.get("$anchor") if dialect.draft >= 2019 else None
    if isinstance(uri, str) and dialect.draft <= 7:
        uri, _, fragment = uri.partition("#")
        # Generators also wrote the schema's own pointer there, which is no name.
        anchor = None if fragment.startswith("/") else fragment
    return (
        uri if isinstance(uri, str) and uri else None,
        anchor if isinstance(anchor, str) and anchor else None,
    )


def placed(schema: JsonObject, dialect: Dialect) -> Iterator[tuple[str, str, JsonSchema]]:
    """Yield where each direct subschema stands, where in `respelled(schema)`, and itself."""
    for keyword in schema:
        if dialect.ignores(schema, keyword):
            continue
        new, value = _renamed(schema, keyword, dialect)
        last = new.rpartition("/")[2]
        for where, child in children({last: value}):
            tail = where[len(last) + 1 :]
            yield f"/{keyword}{tail}", f"{new}{tail}", child


def _renamed(schema: JsonObject, keyword: str, dialect: Dialect) -> tuple[str, JsonValue]:
    """Return the pointer of what `keyword` becomes, and its value."""
    value = schema[keyword]
    if keyword == "dependencies" and isinstance(value, dict):
        return "/dependentSchemas", {k: v for k, v in value.items() if not isinstance(v, list)}
    if keyword == "contains" and dialect.hides_contains:
        members = schema.get("allOf")
        n_members = len(members) if isinstance(members, list) else 0
        return f"/allOf/{n_members}/not/not/contains", value
    if dialect.draft < _LATEST and isinstance(schema.get("items"), list):
        if keyword == "items":
            return "/prefixItems", value
        if keyword == "additionalItems":
            return "/items", value
    return f"/{keyword}", value


def respelled(schema: JsonObject, dialect: Dialect) -> JsonObject:
    """Return `schema` in the words of 2020-12, with its direct subschemas as they were.

    Anchors are gone; `$id` is there, as are `$dynamicRef` and `$recursiveRef`.
    """
    kept = {key: value for key, value in schema.items() if not dialect.ignores(schema, key)}
    for keyword in ("$anchor", "$dynamicAnchor", "$recursiveAnchor"):
        kept.pop(keyword, None)
    if dialect.draft <= 7:
        uri, _ = identifiers(schema, dialect)
        kept.pop("id" if dialect.draft == 4 else "$id", None)
        kept |= {"$id": uri} if uri else {}
    _respell_exclusive(kept, "minimum", "exclusiveMinimum")
    _respell_exclusive(kept, "maximum", "exclusiveMaximum")
    _respell_items(kept, dialect)
    _respell_dependencies(kept)
    if dialect.hides_contains and "contains" in kept:
        _hide_contains(kept)
    if dialect.draft == 7:
        _assert_content(kept)
    return kept


def _respell_exclusive(schema: JsonObject, inclusive: str, exclusive: str) -> None:
    # A bool can only be meant as draft 4 means it, whatever `$schema` says.
    if not isinstance(schema.get(exclusive), bool):
        return
    if schema.pop(exclusive) and inclusive in schema:
        schema[exclusive] = schema.pop(inclusive)


def _respell_items(schema: JsonObject, dialect: Dialect) -> None:
    rest = schema.pop("additionalItems", None)
    if dialect.draft == _LATEST or not isinstance(schema.get("items"), list):
        return  # `additionalItems` means nothing then
    schema["prefixItems"] = schema.pop("items")
    if not schema["prefixItems"]:
        del schema["prefixItems"]  # an empty list is not allowed any more
    if rest is not None:
        schema["items"] = rest


def _respell_dependencies(schema: JsonObject) -> None:
    dependencies = schema.get("dependencies")
    if not isinstance(dependencies, dict):
        return
    del schema["dependencies"]
    required: JsonObject = {k: v for k, v in dependencies.items() if isinstance(v, list)}
    schemas: JsonObject = {k: v for k, v in dependencies.items() if k not in required}
    _add_to_map(schema, "dependentRequired", required)
    _add_to_map(schema, "dependentSchemas", schemas)


def _add_to_map(schema: JsonObject, keyword: str, added: JsonObject) -> None:
    present = schema.get(keyword, {})
    if added and isinstance(present, dict):
        schema[keyword] = added | present


def _hide_contains(schema: JsonObject) -> None:
    # `not` hides from `unevaluatedItems` what was evaluated inside it.
    words = ("contains", "minContains", "maxContains")
    hidden: JsonObject = {key: schema.pop(key) for key in words if key in schema}
    members = schema.get("allOf", [])
    if isinstance(members, list):
        schema["allOf"] = [*members, {"not": {"not": hidden}}]


def _assert_content(schema: JsonObject) -> None:
    members, name = schema.get("allOf", []), format_of_content(schema)
    if name is not None and isinstance(members, list):
        schema["allOf"] = [*members, {"format": name}]
