"""Whether a value satisfies a schema, where the value is known before anything is written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
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
    case = _Case(analysis, schema, value, depth)
    return _all(
        _CHECKS[keyword](case, said) for keyword, said in schema.items() if keyword in _CHECKS
    )


def _all(verdicts: Iterable[Verdict]) -> Verdict:
    found: Verdict = True
    for each in verdicts:
        if each is False:
            return False
        found = found and each
    return found


def _not(verdict: Verdict) -> Verdict:
    return None if verdict is None else not verdict


@dataclass(frozen=True, slots=True)
class _Case:
    """One schema and one value."""

    analysis: Analysis
    schema: JsonObject
    value: JsonValue
    depth: int

    def on(self, schema: JsonValue, value: JsonValue) -> Verdict:
        """Return the verdict of a schema inside on a part of the value, or on all of it."""
        return holds(self.analysis, as_schema(schema), value, self.depth + 1)


def _in_place(case: _Case, said: JsonValue) -> Verdict:
    return case.on(said, case.value)


def _type(case: _Case, said: JsonValue) -> Verdict:
    return type_of(case.value) in types_named(said)


def _enum(case: _Case, _: JsonValue) -> Verdict:
    return canonical(case.value) in map(canonical, literals_in(case.schema, "enum"))


def _const(case: _Case, said: JsonValue) -> Verdict:
    return canonical(case.value) == canonical(said)


def _number(holds_for: Callable[[int | float, int | float], bool]) -> Check:
    def check(case: _Case, said: JsonValue) -> Verdict:
        value = case.value
        if isinstance(value, bool) or not isinstance(value, int | float):
            return True
        if isinstance(said, bool) or not isinstance(said, int | float):
            return None
        return holds_for(value, said)

    return check


def _size(kind: type, *, is_least: bool) -> Check:
    def check(case: _Case, said: JsonValue) -> Verdict:
        value = case.value
        if not isinstance(value, kind) or not isinstance(value, list | str | dict):
            return True
        return len(value) >= count_of(said) if is_least else len(value) <= count_of(said)

    return check


def _pattern(case: _Case, said: JsonValue) -> Verdict:
    return not isinstance(case.value, str) or case.analysis.matches(str(said), case.value)


def _format(case: _Case, said: JsonValue) -> Verdict:
    if not isinstance(case.value, str) or said not in FORMATS:
        return True
    return check_format(str(said), case.value)


def _if(case: _Case, said: JsonValue) -> Verdict:
    condition = _in_place(case, said)
    then = _in_place(case, case.schema.get("then", True))
    otherwise = _in_place(case, case.schema.get("else", True))
    if condition is None:
        return then if then is otherwise else None
    return then if condition else otherwise


def _one_of(case: _Case, said: JsonValue) -> Verdict:
    verdicts = [_in_place(case, each) for each in schemas_in(said)]
    if verdicts.count(True) > 1:
        return False
    return None if None in verdicts else verdicts.count(True) == 1


def _required(case: _Case, said: JsonValue) -> Verdict:
    value = case.value
    return not isinstance(value, dict) or all(name in value for name in texts_in(said))


def _properties(case: _Case, _: JsonValue) -> Verdict:
    """Judge by `properties`, `patternProperties` and `additionalProperties` at once."""
    if not isinstance(case.value, dict):
        return True
    return _all(_property(case, name, each) for name, each in case.value.items())


def _property(case: _Case, name: str, value: JsonValue) -> Verdict:
    named = case.analysis.schemas_by_name(case.schema, "properties")
    verdicts = [case.on(named[name], value)] if name in named else []
    patterns = case.analysis.schemas_by_name(case.schema, "patternProperties")
    for pattern, schema in patterns.items():
        found = case.analysis.matches(pattern, name)
        if found is not False:
            verdicts.append(case.on(schema, value) if found else None)
    if not verdicts:
        return case.on(case.schema.get("additionalProperties", True), value)
    return _all(verdicts)


def _property_names(case: _Case, said: JsonValue) -> Verdict:
    value = case.value
    return not isinstance(value, dict) or _all(case.on(said, name) for name in value)


def _dependent_required(case: _Case, said: JsonValue) -> Verdict:
    value = case.value
    if not isinstance(value, dict) or not isinstance(said, dict):
        return True
    needed = [name for key, names in said.items() if key in value for name in texts_in(names)]
    return all(name in value for name in needed)


def _dependent_schemas(case: _Case, said: JsonValue) -> Verdict:
    value = case.value
    if not isinstance(value, dict):
        return True
    return _all(_in_place(case, s) for key, s in schemas_by_name(said).items() if key in value)


def _items(case: _Case, _: JsonValue) -> Verdict:
    value = case.value
    if not isinstance(value, list):
        return True
    prefix = schemas_in(case.schema.get("prefixItems"))
    rest = case.schema.get("items", True)
    before = [case.on(schema, item) for schema, item in zip(prefix, value, strict=False)]
    return _all([*before, *(case.on(rest, item) for item in value[len(prefix) :])])


def _unique(case: _Case, said: JsonValue) -> Verdict:
    value = case.value
    if said is not True or not isinstance(value, list):
        return True
    return len(set(map(canonical, value))) == len(value)


def _contains(case: _Case, said: JsonValue) -> Verdict:
    value = case.value
    if not isinstance(value, list):
        return True
    verdicts = [case.on(said, item) for item in value]
    least = count_of(case.schema.get("minContains", 1))
    most = count_of(case.schema.get("maxContains", len(value)))
    return None if None in verdicts else least <= verdicts.count(True) <= most


def _ref(case: _Case, said: JsonValue) -> Verdict:
    return _in_place(case, case.analysis.graph.target(str(said)))


def _all_of(case: _Case, said: JsonValue) -> Verdict:
    return _all(_in_place(case, each) for each in schemas_in(said))


def _any_of(case: _Case, said: JsonValue) -> Verdict:
    return _not(_all(_not(_in_place(case, each)) for each in schemas_in(said)))


def _negation(case: _Case, said: JsonValue) -> Verdict:
    return _not(_in_place(case, said))


def _unknown(_: _Case, __: JsonValue) -> Verdict:
    return None


Check: TypeAlias = "Callable[[_Case, JsonValue], Verdict]"

_CHECKS: Mapping[str, Check] = {
    "$dynamicRef": _unknown,
    "$ref": _ref,
    "additionalProperties": _properties,
    "allOf": _all_of,
    "anyOf": _any_of,
    "const": _const,
    "contains": _contains,
    "dependentRequired": _dependent_required,
    "dependentSchemas": _dependent_schemas,
    "enum": _enum,
    "exclusiveMaximum": _number(lambda value, said: exact(value) < exact(said)),
    "exclusiveMinimum": _number(lambda value, said: exact(value) > exact(said)),
    "format": _format,
    "if": _if,
    "items": _items,
    "maxItems": _size(list, is_least=False),
    "maxLength": _size(str, is_least=False),
    "maxProperties": _size(dict, is_least=False),
    "maximum": _number(lambda value, said: exact(value) <= exact(said)),
    "minItems": _size(list, is_least=True),
    "minLength": _size(str, is_least=True),
    "minProperties": _size(dict, is_least=True),
    "minimum": _number(lambda value, said: exact(value) >= exact(said)),
    "multipleOf": _number(is_multiple),
    "not": _negation,
    "oneOf": _one_of,
    "pattern": _pattern,
    "patternProperties": _properties,
    "prefixItems": _items,
    "properties": _properties,
    "propertyNames": _property_names,
    "required": _required,
    "type": _type,
    "unevaluatedItems": _unknown,
    "unevaluatedProperties": _unknown,
    "uniqueItems": _unique,
}
