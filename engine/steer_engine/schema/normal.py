"""What of a schema the mask enforces: the rest is refused, or is no constraint and left out.

Two gaps are not the schema's and stay with the engine. A key that the schema does not name may be
written twice, since the mask does not count them: the engine refuses such a row when it parses it.
And an object's properties come in the schema's order only.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from urllib.parse import quote

from steer_engine.errors import UnenforceableError
from steer_engine.schema.document import (
    JsonObject,
    JsonSchema,
    JsonValue,
    Schema,
    map_children,
    place,
    pointer_to,
    walk,
)
from steer_engine.schema.formats import ENFORCED, TIGHTENED, UNENFORCED
from steer_engine.schema.references import reachable, schema_at, target_pointer

_MASKED = frozenset(
    {
        "$ref",
        "additionalProperties",
        "allOf",
        "anyOf",
        "const",
        "enum",
        "exclusiveMaximum",
        "exclusiveMinimum",
        "format",
        "items",
        "maxItems",
        "maxLength",
        "maxProperties",
        "maximum",
        "minItems",
        "minLength",
        "minProperties",
        "minimum",
        "multipleOf",
        "oneOf",
        "pattern",
        "patternProperties",
        "prefixItems",
        "properties",
        "required",
        "type",
    }
)


_COUNTS = frozenset(
    {"maxItems", "maxLength", "maxProperties", "minItems", "minLength", "minProperties"}
)
_LOWER_BOUNDS = frozenset({"minimum", "exclusiveMinimum"})
_UPPER_BOUNDS = frozenset({"maximum", "exclusiveMaximum"})
_MAX_EXACT = 2**53  # the mask compiler computes bounds in floats,
_INT64 = range(-(2**63), 2**63)  # and then in these
_LITERAL_INTS = range(-(2**63), 2**64)

# A string is written without `\u`, since the mask compiler lets such a spelling of a key pass for
# another key; so it cannot write these characters, and drops them where they stand in a literal.
_CONTROL = re.compile(r"[\x00-\x07\x0b\x0e-\x1f\x7f]")
_CONTROL_IN_PATTERN = re.compile(
    rf"{_CONTROL.pattern}|\\(?:x|u00)(?:0[0-7bBeEfF]|1[0-9a-fA-F]|7[fF])|\\[0acv]"
)
_RANGE_END = re.compile(
    rf"(?:{_CONTROL_IN_PATTERN.pattern})(?=-)|(?<=-)(?:{_CONTROL_IN_PATTERN.pattern})"
)
_ESCAPE_OR_CLASS = re.compile(r"\\.|\[(?:\\.|[^\]\\])*\]", re.DOTALL)


def _is_empty_map(value: JsonValue) -> bool:
    return isinstance(value, dict) and all(item in (True, {}, []) for item in value.values())


def _never(_: JsonValue) -> bool:
    return False


def _allows_all(value: JsonValue) -> bool:
    return value is True or value == {}


# Keywords that constrain and that no mask knows, each with the values under which it says nothing.
_UNMASKED: Mapping[str, Callable[[JsonValue], bool]] = {
    "$dynamicRef": _never,
    "$recursiveRef": _never,
    "additionalItems": _allows_all,
    "contains": _never,
    "dependencies": _is_empty_map,
    "dependentRequired": _is_empty_map,
    "dependentSchemas": _is_empty_map,
    "disallow": lambda value: value == [],
    "divisibleBy": _never,
    "extends": _never,
    "not": lambda value: value is False,
    "propertyNames": _allows_all,
    "unevaluatedItems": _allows_all,
    "unevaluatedProperties": _allows_all,
    "uniqueItems": lambda value: value is False,
}


def refuse_unenforceable(schema: Schema) -> None:
    """Raise `UnenforceableError` for the first constraint that no mask can enforce.

    Only what takes part in judging a value counts: not the inside of `const` or `examples`, nor
    definitions that nothing refers to. Unknown keywords and formats are annotations and allowed.
    """
    for pointer, each in reachable(schema.document):
        if isinstance(each, dict):
            for keyword, shown in _unenforceable(each):
                raise UnenforceableError(
                    f"{shown} {place(pointer)} cannot be enforced while decoding yet; "
                    "remove it or check it yourself afterwards",
                    pointer=pointer,
                    keyword=keyword,
                )


def lower(schema: Schema) -> JsonObject:
    """Return the document that the mask compiler gets: nothing but what it enforces, as an object.

    The document allows what `schema` allows, provided that `refuse_unenforceable` let it pass;
    bounds beyond what a float holds exactly are taken a little tighter. Schemas keep their place,
    so a pointer into the result means the same in the original; definitions are those in use.
    """
    return _Lowering(schema.document).result()


def _unenforceable(schema: JsonObject) -> Iterator[tuple[str, str]]:
    """Yield the keywords at fault, each with how a message shows it."""
    for keyword, says_nothing in _UNMASKED.items():
        if keyword in schema and not says_nothing(schema[keyword]):
            yield keyword, f"`{keyword}`"
    branches = [schema[keyword] for keyword in ("then", "else") if keyword in schema]
    if "if" in schema and not all(map(_allows_all, branches)):
        yield "if", "`if`"
    if schema.get("format") in UNENFORCED:
        yield "format", f"`format: {schema['format']}`"
    for keyword, value in schema.items():
        fault = _fault_of_value(keyword, value)
        if fault:
            yield keyword, f"`{keyword}` with {fault}"


def _fault_of_value(keyword: str, value: JsonValue) -> str | None:
    """Return what in the value of a keyword the mask compiler would take for something else."""
    if keyword in ("const", "enum"):
        scalars = list(_scalars_in(value))
        if any(type(each) is int and each not in _LITERAL_INTS for each in scalars):
            return "a number of over 64 bits"
        if any(isinstance(each, str) and _CONTROL.search(each) for each in scalars):
            return "a control character"
    if keyword == "pattern" and _CONTROL_IN_PATTERN.search(_without_range_ends(str(value))):
        return "a control character outside a range"
    if isinstance(value, int | float) and (
        (keyword in _LOWER_BOUNDS and value >= _INT64.stop)
        or (keyword in _UPPER_BOUNDS and value < _INT64.start)
    ):
        return "a number of over 64 bits"
    return None


def _without_range_ends(pattern: str) -> str:
    return _ESCAPE_OR_CLASS.sub(lambda found: _RANGE_END.sub("", found[0]), pattern)


def _scalars_in(value: JsonValue) -> Iterator[JsonValue]:
    if isinstance(value, list | dict):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _scalars_in(item)
        yield from value if isinstance(value, dict) else ()
    else:
        yield value


class _Lowering:
    """Lowers one document; gathers the definitions that its references need."""

    def __init__(self, document: JsonSchema) -> None:
        self._document = document
        self._places = {pointer for pointer, _ in walk(_masked(document))}
        self._definitions: dict[str, JsonValue] = {}
        self._refs: dict[str, str] = {}  # by the pointer of what they name

    def result(self) -> JsonObject:
        root = self._rewritten(_masked(self._document))
        if isinstance(root, bool):
            return {} if root else {"allOf": [False]}
        return {**root, "$defs": self._definitions} if self._definitions else root

    def _rewritten(self, schema: JsonSchema) -> JsonSchema:
        if isinstance(schema, bool):
            return schema
        schema = map_children(schema, self._rewritten)
        pointer = target_pointer(self._document, str(schema.get("$ref", "")))
        if "$ref" in schema and pointer is not None:
            schema["$ref"] = self._ref_to(pointer)
        return schema

    def _ref_to(self, pointer: str) -> str:
        if pointer not in self._refs:
            if pointer in self._places:
                self._refs[pointer] = "#" + _escaped(pointer)
            else:
                self._define(pointer)
        return self._refs[pointer]

    def _define(self, pointer: str) -> None:
        stem = name = pointer.rpartition("/")[2].replace("~1", "/").replace("~0", "~")
        n_same = 1
        while name in self._definitions:
            n_same += 1
            name = f"{stem}_{n_same}"
        self._definitions[name] = True  # takes the name while the target refers to itself
        self._refs[pointer] = "#" + _escaped(pointer_to("/$defs", name))
        self._definitions[name] = self._rewritten(_masked(schema_at(self._document, pointer)))


def _escaped(pointer: str) -> str:
    return quote(pointer, safe="/~$")


def _masked(schema: JsonSchema) -> JsonSchema:
    """Return `schema` without what is no constraint; references stay as they are."""
    if isinstance(schema, bool):
        return schema
    kept = {keyword: value for keyword, value in schema.items() if keyword in _MASKED}
    if kept.get("format") not in ENFORCED:
        kept.pop("format", None)
    for keyword, value in kept.items():
        kept[keyword] = _exact(keyword, value)
    kept = map_children(kept, _masked)
    tightened: list[JsonValue] = [
        {"pattern": pattern} for pattern in TIGHTENED.get(str(kept.get("format")), ())
    ]
    members = kept.get("allOf", [])
    if tightened and isinstance(members, list):
        kept["allOf"] = members + tightened
    return kept


def _exact(keyword: str, value: JsonValue) -> JsonValue:
    if keyword in _COUNTS and isinstance(value, float):
        return int(value)  # JSON Schema allows 2.0 where a count is meant
    if keyword in _LOWER_BOUNDS and isinstance(value, int):
        return _nearest(value, upwards=True)
    if keyword in _UPPER_BOUNDS and isinstance(value, int):
        return _nearest(value, upwards=False)
    return value


def _nearest(bound: int, *, upwards: bool) -> int:
    """Return the nearest whole number that a float holds, on the side that allows less."""
    if abs(bound) <= _MAX_EXACT:
        return bound
    nearest = float(bound)
    if upwards and nearest < bound:
        nearest = math.nextafter(nearest, math.inf)
    if not upwards and nearest > bound:
        nearest = math.nextafter(nearest, -math.inf)
    return int(nearest)
