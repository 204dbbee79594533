"""What 2020-12 wants of each keyword's value: its metaschema, a hundred times as fast."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from steer_engine.schema.document import JsonSchema, JsonValue
from steer_engine.schema.equality import canonical, is_multiple

TYPES = ("string", "integer", "number", "boolean", "object", "array", "null")
_ANCHOR = re.compile(r"[A-Za-z_][-A-Za-z0-9._]*")
_NO_FRAGMENT = re.compile(r"[^#]*#?")


def first_fault(schemas: Mapping[str, JsonSchema]) -> tuple[str, str] | None:
    """Return the pointer of a schema and its first keyword with a wrong value, or None.

    `schemas` are by their pointers.
    """
    for pointer, schema in schemas.items():
        for keyword, value in schema.items() if isinstance(schema, dict) else ():
            is_right = _WANTED.get(keyword)
            if is_right is not None and not is_right(value):
                return pointer, keyword
    return None


def _is_text(value: JsonValue) -> bool:
    return isinstance(value, str)


def _is_bool(value: JsonValue) -> bool:
    return isinstance(value, bool)


def _is_schema(value: JsonValue) -> bool:
    return isinstance(value, bool | dict)


def _is_schema_list(value: JsonValue) -> bool:
    return isinstance(value, list) and bool(value) and all(map(_is_schema, value))


def _is_schema_map(value: JsonValue) -> bool:
    return isinstance(value, dict) and all(map(_is_schema, value.values()))


def _is_list(value: JsonValue) -> bool:
    return isinstance(value, list)


def _is_text_list(value: JsonValue) -> bool:
    return isinstance(value, list) and all(map(_is_text, value)) and _is_unique(value)


def _is_unique(values: list[JsonValue]) -> bool:
    return len(set(map(canonical, values))) == len(values)


def _is_number(value: JsonValue) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_positive(value: JsonValue) -> bool:
    return _is_number(value) and isinstance(value, int | float) and value > 0


def _is_count(value: JsonValue) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return value >= 0 and is_multiple(value, 1)


def _is_type(value: JsonValue) -> bool:
    if isinstance(value, list):
        return bool(value) and _is_unique(value) and all(each in TYPES for each in value)
    return value in TYPES


def _is_dependency_map(value: JsonValue) -> bool:
    return isinstance(value, dict) and all(
        _is_schema(each) or _is_text_list(each) for each in value.values()
    )


def _is_requirement_map(value: JsonValue) -> bool:
    return isinstance(value, dict) and all(map(_is_text_list, value.values()))


def _is_vocabulary(value: JsonValue) -> bool:
    return isinstance(value, dict) and all(map(_is_bool, value.values()))


def _is_name(value: JsonValue) -> bool:
    return isinstance(value, str) and _ANCHOR.fullmatch(value) is not None


def _is_identifier(value: JsonValue) -> bool:
    return isinstance(value, str) and _NO_FRAGMENT.fullmatch(value) is not None


_Check = Callable[[JsonValue], bool]
_KEYWORDS_BY_CHECK: Mapping[_Check, str] = {
    _is_bool: "deprecated readOnly uniqueItems writeOnly",
    _is_count: """
        maxContains maxItems maxLength maxProperties minContains minItems minLength minProperties
        """,
    _is_dependency_map: "dependencies",
    _is_identifier: "$id",
    _is_list: "enum examples",
    _is_name: "$anchor $dynamicAnchor",
    _is_number: "exclusiveMaximum exclusiveMinimum maximum minimum",
    _is_positive: "multipleOf",
    _is_requirement_map: "dependentRequired",
    _is_schema: """
        additionalProperties contains contentSchema else if items not propertyNames then
        unevaluatedItems unevaluatedProperties
        """,
    _is_schema_list: "allOf anyOf oneOf prefixItems",
    _is_schema_map: "$defs definitions dependentSchemas patternProperties properties",
    _is_text: """
        $comment $dynamicRef $recursiveRef $ref $schema contentEncoding contentMediaType
        description format pattern title
        """,
    _is_text_list: "required",
    _is_type: "type",
    _is_vocabulary: "$vocabulary",
}
_WANTED = {
    keyword: check for check, words in _KEYWORDS_BY_CHECK.items() for keyword in words.split()
}
