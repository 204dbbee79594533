"""Older drafts of JSON Schema, read as 2020-12 wherever that is exact.

The draft is told by `$schema`; a document without one is 2020-12 already. What an older draft
spells in another way is respelled. What it merely lacked keeps its 2020-12 meaning, so a document
can become stricter by this and never laxer.
"""

from __future__ import annotations

import re

from steer_engine.errors import SchemaError
from steer_engine.schema.document import (
    DEFINITIONS,
    JsonObject,
    JsonSchema,
    JsonValue,
    map_children,
)

_LATEST = 2020
_LATEST_URI = "https://json-schema.org/draft/2020-12/schema"
_DIALECT = re.compile(r"https?://json-schema\.org/(?:draft[-/](?P<draft>[\d-]+)/)?schema#?")
_DRAFTS = {"04": 4, "06": 6, "07": 7, "2019-09": 2019, "2020-12": _LATEST, None: _LATEST}
# Up to draft 7 every other word beside a `$ref` means nothing, though it can be referred to.
_KEPT_BESIDE_REF = frozenset({"$ref", *DEFINITIONS, "$schema", "title", "description", "default"})


def modernized(document: JsonSchema) -> JsonSchema:
    """Return `document` as 2020-12; raises `SchemaError` for a dialect that is not known."""
    if isinstance(document, bool):
        return document
    draft = _draft_of(document)
    schema = _respelled(document, draft)
    if draft != _LATEST:
        schema["$schema"] = _LATEST_URI
    return schema


def _draft_of(document: JsonObject) -> int:
    uri = document.get("$schema", _LATEST_URI)
    match = _DIALECT.fullmatch(uri) if isinstance(uri, str) else None
    if match is None or match["draft"] not in _DRAFTS:
        raise SchemaError(
            f"`$schema` names {uri!r}, which is none of the drafts 4 to 2020-12; "
            "remove it to have the schema read as 2020-12"
        )
    return _DRAFTS[match["draft"]]


def _respelled(schema: JsonObject, draft: int, *, is_root: bool = True) -> JsonObject:
    def below(child: JsonSchema) -> JsonSchema:
        return child if isinstance(child, bool) else _respelled(child, draft, is_root=False)

    schema = dict(schema)
    if draft <= 7 and "$ref" in schema:
        kept = _KEPT_BESIDE_REF | {"$id", "id"} if is_root else _KEPT_BESIDE_REF
        schema = {keyword: value for keyword, value in schema.items() if keyword in kept}
    if draft <= 7:
        _respell_id(schema, "id" if draft == 4 else "$id")
    _respell_exclusive(schema, "minimum", "exclusiveMinimum")
    _respell_exclusive(schema, "maximum", "exclusiveMaximum")
    if draft < _LATEST:
        _respell_items(schema)
        _respell_dependencies(schema)
    return map_children(schema, below)


def _respell_id(schema: JsonObject, keyword: str) -> None:
    uri = schema.get(keyword)
    if not isinstance(uri, str):
        return  # `id` is also a popular property name, but never in a schema's own place
    del schema[keyword]
    if uri.startswith("#"):
        # Generators also wrote the schema's own pointer there, which is no name.
        schema |= {} if uri[1:2] in ("", "/") else {"$anchor": uri[1:]}
    else:
        schema["$id"] = uri.removesuffix("#")


def _respell_exclusive(schema: JsonObject, inclusive: str, exclusive: str) -> None:
    # A bool can only be meant as draft 4 means it, whatever `$schema` says.
    if not isinstance(schema.get(exclusive), bool):
        return
    if schema.pop(exclusive) and inclusive in schema:
        schema[exclusive] = schema.pop(inclusive)


def _respell_items(schema: JsonObject) -> None:
    rest = schema.pop("additionalItems", None)
    if not isinstance(schema.get("items"), list):
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
    required: dict[str, JsonValue] = {k: v for k, v in dependencies.items() if isinstance(v, list)}
    schemas: dict[str, JsonValue] = {k: v for k, v in dependencies.items() if k not in required}
    if required:
        schema["dependentRequired"] = required
    if schemas:
        schema["dependentSchemas"] = schemas
