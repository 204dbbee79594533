"""Dialects of one's own: metaschemas that choose vocabularies."""

from __future__ import annotations

from steer_engine.errors import SchemaError
from steer_engine.schema.document import JsonObject
from steer_engine.schema.drafts import Dialect

_KEYWORDS = {
    "applicator": """
        additionalItems additionalProperties allOf anyOf contains dependentSchemas else if items
        not oneOf patternProperties prefixItems properties propertyNames then
        """,
    "unevaluated": "unevaluatedItems unevaluatedProperties",
    "validation": """
        const dependentRequired enum exclusiveMaximum exclusiveMinimum maxContains maxItems
        maxLength maxProperties maximum minContains minItems minLength minProperties minimum
        multipleOf pattern required type uniqueItems
        """,
    "format": "format",
}
_PARTS = {"format-annotation": "format", "format-assertion": "format"}
_SILENT = frozenset({"core", "content", "meta-data"})
_URI = "https://json-schema.org/draft/{draft}/vocab/"


def chosen_dialect(metaschema: JsonObject, written_in: Dialect) -> Dialect:
    """Return the dialect that `metaschema` describes, itself written in another dialect.

    Raises `SchemaError` where it requires a vocabulary that is not one of the standard's.
    """
    vocabularies = metaschema.get("$vocabulary")
    if written_in.draft < 2019 or not isinstance(vocabularies, dict):
        return Dialect(written_in.draft)
    base = _URI.format(draft="2019-09" if written_in.draft == 2019 else "2020-12")
    known = set()
    for uri, is_required in vocabularies.items():
        name = uri.removeprefix(base)
        name = _PARTS.get(name, name)
        if name in _KEYWORDS or name in _SILENT:
            known.add(name)
        elif is_required:
            raise SchemaError(f"the vocabulary {uri!r} is required by `$schema` and not known")
    if written_in.draft == 2019 and "applicator" in known:
        known.add("unevaluated")  # a vocabulary of its own only later
    dropped = {name for name in _KEYWORDS if name not in known}
    return Dialect(
        written_in.draft,
        frozenset(keyword for name in dropped for keyword in _KEYWORDS[name].split()),
    )
