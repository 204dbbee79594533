"""Whether a value satisfies a schema, where the value is known before anything is written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias

from steer_engine.schema.document import JsonObject, JsonSchema, JsonValue
from steer_engine.schema.equality import canonical, exact, is_multiple
from steer_engine.schema.formats import FORMATS, check_format
from steer_engine.schema.lowering.analysis import Analysis
from steer_engine.schema.lowering.reading import (
    as_schema,
    count_of,
    literals_in,
    schemas_by_name,
    schemas_in,
    texts_in,
    type_of,
    types_named,
)

Verdict: TypeAlias = "bool | None"
"""None where it is not known."""

_MAX_DEPTH = 50


def holds(analysis: Analysis, schema: JsonSchema, value: JsonValue, depth: int = 0) -> Verdict:
    """Return whether `value` satisfies `schema`; None where that is left to the guard."""
    if isinstance(schema, bool):
        return schema
    if depth > _MAX_DEPTH:
        return None
    return _Decision(analysis, schema, value, depth).verdict()


def _all(verdicts: Iterable[Verdict]) -> Verdict:
    found: Verdict = True
    for each in verdicts:
        if each is False:
            return False
        found = found and each
    return found


def _not(verdict: Verdict) -> Verdict:
    return None if verdict is None else not verdict


def _any(verdicts: Iterable[Verdict]) -> Verdict:
    return _not(_all(map(_not, verdicts)))


class _Decision:
    """One schema and one value."""

    def __init__(
        self, analysis: Analysis, schema: JsonObject, value: JsonValue, depth: int
    ) -> None:
        self._analysis = analysis
        self._schema = schema
        self._value = value
        self._depth = depth

    def verdict(self) -> Verdict:
        return _all(
            _CHECKS[keyword](self, said)
            for keyword, said in self._schema.items()
            if keyword in _CHECKS
        )

    def _on(self, schema: JsonValue, value: JsonValue) -> Verdict:
        return holds(self._analysis, as_schema(schema), value, self._depth + 1)

    def _in_place(self, schema: JsonValue) -> Verdict:
        return self._on(schema, self._value)

    def _type(self, said: JsonValue) -> Verdict:
        return type_of(self._value) in types_named(said)

    def _enum(self, _: JsonValue) -> Verdict:
        return canonical(self._value) in map(canonical, literals_in(self._schema, "enum"))

    def _const(self, said: JsonValue) -> Verdict:
        return canonical(self._value) == canonical(said)

    def _number(self, keyword: str, said: JsonValue) -> Verdict:
        value = self._value
        if isinstance(value, bool) or not isinstance(value, int | float):
            return True
        if isinstance(said, bool) or not isinstance(said, int | float):
            return None
        return _COMPARISONS[keyword](value, said)

    def _size(self, keyword: str, said: JsonValue) -> Verdict:
        kind = {"Items": list, "Length": str, "Properties": dict}[keyword[3:]]
        value = self._value
        if not isinstance(value, kind) or not isinstance(value, list | str | dict):
            return True
        return len(value) >= count_of(said) if keyword[:3] == "min" else len(value) <= count_of(said)

    def _pattern(self, said: JsonValue) -> Verdict:
        return not isinstance(self._value, str) or self._analysis.matches(str(said), self._value)

    def _format(self, said: JsonValue) -> Verdict:
        if not isinstance(self._value, str) or said not in FORMATS:
            return True
        return check_format(str(said), self._value)

    def _if(self, said: JsonValue) -> Verdict:
        condition = self._in_place(said)
        then = self._in_place(self._schema.get("then", True))
        otherwise = self._in_place(self._schema.get("else", True))
        if condition is None:
            return then if then is otherwise else None
        return then if condition else otherwise

    def _one_of(self, said: JsonValue) -> Verdict:
        verdicts = [self._in_place(each) for each in schemas_in(said)]
        if verdicts.count(True) > 1:
            return False
        return None if None in verdicts else verdicts.count(True) == 1

    def _required(self, said: JsonValue) -> Verdict:
        value = self._value
        return not isinstance(value, dict) or all(name in value for name in texts_in(said))

    def _properties(self, _: JsonValue) -> Verdict:
        """Judge by `properties`, `patternProperties` and `additionalProperties` at once."""
        if not isinstance(self._value, dict):
            return True
        return _all(self._property(name, each) for name, each in self._value.items())

    def _property(self, name: str, value: JsonValue) -> Verdict:
        named = schemas_by_name(self._schema.get("properties"))
        verdicts = [self._on(named[name], value)] if name in named else []
        for pattern, schema in schemas_by_name(self._schema.get("patternProperties")).items():
            found = self._analysis.matches(pattern, name)
            if found is not False:
                verdicts.append(self._on(schema, value) if found else None)
        if not verdicts:
            return self._on(self._schema.get("additionalProperties", True), value)
        return _all(verdicts)

    def _property_names(self, said: JsonValue) -> Verdict:
        value = self._value
        return not isinstance(value, dict) or _all(self._on(said, name) for name in value)

    def _dependent_required(self, said: JsonValue) -> Verdict:
        value = self._value
        if not isinstance(value, dict) or not isinstance(said, dict):
            return True
        needed = [name for key, names in said.items() if key in value for name in texts_in(names)]
        return all(name in value for name in needed)

    def _dependent_schemas(self, said: JsonValue) -> Verdict:
        value = self._value
        if not isinstance(value, dict):
            return True
        return _all(self._in_place(s) for key, s in schemas_by_name(said).items() if key in value)

    def _items(self, _: JsonValue) -> Verdict:
        value = self._value
        if not isinstance(value, list):
            return True
        prefix = schemas_in(self._schema.get("prefixItems"))
        rest = self._schema.get("items", True)
        before = (self._on(schema, item) for schema, item in zip(prefix, value, strict=False))
        return _all([*before, *(self._on(rest, item) for item in value[len(prefix) :])])

    def _unique(self, said: JsonValue) -> Verdict:
        value = self._value
        if said is not True or not isinstance(value, list):
            return True
        return len(set(map(canonical, value))) == len(value)

    def _contains(self, said: JsonValue) -> Verdict:
        value = self._value
        if not isinstance(value, list):
            return True
        verdicts = [self._on(said, item) for item in value]
        least = count_of(self._schema.get("minContains", 1))
        most = count_of(self._schema.get("maxContains", len(value)))
        return None if None in verdicts else least <= verdicts.count(True) <= most

    def _ref(self, said: JsonValue) -> Verdict:
        return self._in_place(self._analysis.graph.target(str(said)))


_COMPARISONS: Mapping[str, Callable[[int | float, int | float], bool]] = {
    "exclusiveMaximum": lambda value, said: exact(value) < exact(said),
    "exclusiveMinimum": lambda value, said: exact(value) > exact(said),
    "maximum": lambda value, said: exact(value) <= exact(said),
    "minimum": lambda value, said: exact(value) >= exact(said),
    "multipleOf": is_multiple,
}

_CHECKS: Mapping[str, Callable[[_Decision, JsonValue], Verdict]] = {
    "$dynamicRef": lambda _, __: None,
    "$ref": _Decision._ref,
    "additionalProperties": _Decision._properties,
    "allOf": lambda self, said: _all(self._in_place(each) for each in schemas_in(said)),
    "anyOf": lambda self, said: _any(self._in_place(each) for each in schemas_in(said)),
    "const": _Decision._const,
    "contains": _Decision._contains,
    "dependentRequired": _Decision._dependent_required,
    "dependentSchemas": _Decision._dependent_schemas,
    "enum": _Decision._enum,
    "format": _Decision._format,
    "if": _Decision._if,
    "items": _Decision._items,
    "not": lambda self, said: _not(self._in_place(said)),
    "oneOf": _Decision._one_of,
    "pattern": _Decision._pattern,
    "patternProperties": _Decision._properties,
    "prefixItems": _Decision._items,
    "properties": _Decision._properties,
    "propertyNames": _Decision._property_names,
    "required": _Decision._required,
    "type": _Decision._type,
    "unevaluatedItems": lambda _, __: None,
    "unevaluatedProperties": lambda _, __: None,
    "uniqueItems": _Decision._unique,
    **{
        keyword: (lambda self, said, keyword=keyword: self._number(keyword, said))
        for keyword in _COMPARISONS
    },
    **{
        f"{end}{sized}": (lambda self, said, keyword=f"{end}{sized}": self._size(keyword, said))
        for end in ("min", "max")
        for sized in ("Items", "Length", "Properties")
    },
}
