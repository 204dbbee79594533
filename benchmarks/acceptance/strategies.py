"""Random schemas for hypothesis: every keyword beside every other, sound or broken in one place."""

from __future__ import annotations

from typing import Any, TypeAlias

from hypothesis import strategies as st

Strategy: TypeAlias = "st.SearchStrategy[Any]"

_NAMES = st.sampled_from(["a", "b", "", "é", "/", "~"])
_SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 5),
    st.sampled_from([0.5, 1.0, 1e300, -0.0, 10**30, 2**63]),
    st.sampled_from(["a", "ab", "é", "\n", "\0", "2024-02-29"]),
)
_VALUES = st.recursive(
    _SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=2)
)
_TYPES = st.sampled_from(["object", "array", "string", "integer", "number", "boolean", "null"])
_COUNTS = st.integers(0, 3) | st.sampled_from([1.0, 10**20])
_NUMBERS = st.integers(-3, 5) | st.sampled_from([0.5, 1e300, 10**30])
_PATTERNS = st.sampled_from(["^a", "b$", "[ab]+", "(?=a)", r"\bA", r"\p{L}", "^(a|b)*$", ""])
_NAME_LISTS = st.lists(_NAMES, max_size=3, unique=True)
_DIRT = st.sampled_from(
    [-1, 2.5, None, "\ud800", "(a", [], {"\udcff": True}, "#/nowhere", "http://a/b", [[]] * 9]
)


def _keywords(schemas: Strategy) -> dict[str, Strategy]:
    lists = st.lists(schemas, min_size=1, max_size=3)
    maps = st.dictionaries(_NAMES, schemas, max_size=3)
    return {
        **dict.fromkeys(("minItems", "maxItems", "minLength", "maxLength"), _COUNTS),
        **dict.fromkeys(("minProperties", "maxProperties"), _COUNTS),
        **dict.fromkeys(("minContains", "maxContains"), _COUNTS),
        **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum"), _NUMBERS),
        **dict.fromkeys(("allOf", "anyOf", "oneOf", "prefixItems"), lists),
        **dict.fromkeys(("not", "if", "then", "else", "items", "contains"), schemas),
        **dict.fromkeys(("additionalProperties", "propertyNames"), schemas),
        **dict.fromkeys(("unevaluatedProperties", "unevaluatedItems"), schemas),
        **dict.fromkeys(("properties", "dependentSchemas"), maps),
        "patternProperties": st.dictionaries(_PATTERNS, schemas, max_size=2),
        "dependentRequired": st.dictionaries(_NAMES, _NAME_LISTS, max_size=2),
        "required": _NAME_LISTS,
        "type": _TYPES | st.lists(_TYPES, min_size=1, max_size=3, unique=True),
        "const": _VALUES,
        "enum": st.lists(_VALUES, min_size=1, max_size=4),
        "uniqueItems": st.booleans(),
        "multipleOf": st.sampled_from([1, 2, 0.1, 1e-9, 7.5]),
        "pattern": _PATTERNS,
        "format": st.sampled_from(["date", "email", "uri", "regex", "no such format"]),
        "$ref": st.sampled_from(["#", "#/$defs/a"]),
        "$dynamicRef": st.just("#"),
    }


def _objects(schemas: Strategy) -> Strategy:
    keywords = _keywords(schemas)
    names = st.lists(st.sampled_from(sorted(keywords)), unique=True, max_size=5)
    return names.flatmap(lambda chosen: st.fixed_dictionaries({n: keywords[n] for n in chosen}))


_PARTS = st.recursive(st.booleans() | _objects(st.booleans()), _objects, max_leaves=8)
SOUND = st.builds(lambda part, named: {**part, "$defs": {"a": named}}, _objects(_PARTS), _PARTS)
"""Schemas that are valid 2020-12, though some refer to themselves without an end."""

BROKEN = st.builds(
    lambda schema, keyword, dirt: {**schema, keyword: dirt},
    SOUND,
    st.sampled_from([*_keywords(_PARTS), "$schema", "$id", "$anchor", "$defs", "no such keyword"]),
    _DIRT,
)
"""The same with one keyword that is not as it should be."""
