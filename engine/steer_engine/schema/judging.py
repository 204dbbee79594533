"""Keywords that `jsonschema` judges less exactly than JSON Schema defines them.

Each function is a keyword of `jsonschema`: it yields the errors of an instance. A number is what
its decimal text says, a pattern is ECMA-262, and equal values are equal at any depth.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from fractions import Fraction
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING, TypeAlias, TypeGuard

from steer_engine.pointers import steps_of
from steer_engine.schema.document import (
    JsonObject,
    JsonSchema,
    JsonValue,
    children,
    properties_of,
)
from steer_engine.schema.equality import Number, canonical, exact, is_multiple
from steer_engine.schema.formats import FORMATS, check_format
from steer_engine.schema.patterns import matches
from steer_engine.schema.references import schema_at, target_pointer

if TYPE_CHECKING:
    from jsonschema import TypeChecker
    from jsonschema.exceptions import ValidationError
    from jsonschema.protocols import Validator

_Errors: TypeAlias = "Iterator[ValidationError]"
_Exact: TypeAlias = "int | Decimal | Fraction"
_Keyword: TypeAlias = "Callable[[Validator, JsonValue, JsonValue, JsonObject], _Errors]"


class Judge:
    """Judges values of one document, one at a time.

    What a value is found to satisfy is remembered until the next one: references that double at
    each step would not come to an end otherwise.
    """

    def __init__(self, document: JsonSchema) -> None:
        if isinstance(document, dict):
            # With `$schema`, jsonschema would go back to its own keywords at the first reference,
            # and with `$id` look for `#/...` elsewhere.
            outside = ("$schema", "$id")
            document = {key: value for key, value in document.items() if key not in outside}
        self._document = document
        self._satisfied: dict[tuple[str, int], bool] = {}
        self._evaluated: dict[tuple[int, int], frozenset[str]] = {}
        self._validator = _validator(document, self._keywords())
        self._lock = Lock()

    def error(self, value: JsonValue) -> ValidationError | None:
        """Return the most telling thing that is wrong with `value`."""
        from jsonschema.exceptions import best_match

        with self._lock:
            self._satisfied.clear()
            self._evaluated.clear()
            error: ValidationError | None = best_match(self._validator.iter_errors(value))
            return error

    def _keywords(self) -> Mapping[str, _Keyword]:
        return {
            "$ref": self._ref,
            "additionalProperties": _additional_properties,
            "const": _const,
            "enum": _enum,
            "exclusiveMaximum": _bound(lambda number, bound: number < bound, "less than"),
            "exclusiveMinimum": _bound(lambda number, bound: number > bound, "greater than"),
            "maximum": _bound(lambda number, bound: number <= bound, "at most"),
            "minimum": _bound(lambda number, bound: number >= bound, "at least"),
            "multipleOf": _multiple_of,
            "pattern": _pattern,
            "patternProperties": _pattern_properties,
            "unevaluatedProperties": self._unevaluated_properties,
            "uniqueItems": _unique_items,
        }

    def _ref(
        self, validator: Validator, ref: JsonValue, instance: JsonValue, _: JsonObject
    ) -> _Errors:
        pointer = str(target_pointer(self._document, str(ref)))
        known = self._satisfied.get((pointer, id(instance)))
        if known is None:
            errors = list(_descend(validator, instance, schema_at(self._document, pointer)))
            self._satisfied[pointer, id(instance)] = not errors
            yield from errors
        elif not known:
            yield _error(f"{instance!r} is not valid under {ref!r}")

    def _unevaluated_properties(
        self, validator: Validator, unevaluated: JsonValue, instance: JsonValue, schema: JsonObject
    ) -> _Errors:
        if not isinstance(instance, dict):
            return
        rest = {key: value for key, value in schema.items() if key != "unevaluatedProperties"}
        evaluated = self._evaluated_keys(validator, rest, instance)
        extra = [key for key in instance if key not in evaluated]
        if unevaluated is False and extra:
            yield _unexpected("Unevaluated", extra)
        elif isinstance(unevaluated, dict):
            for key in extra:
                yield from _descend(validator, instance[key], unevaluated, path=key)

    def _evaluated_keys(
        self, validator: Validator, schema: JsonSchema, instance: JsonObject
    ) -> frozenset[str]:
        """Return the keys that a schema which `instance` satisfies has evaluated."""
        if isinstance(schema, bool):
            return frozenset()
        if "additionalProperties" in schema or "unevaluatedProperties" in schema:
            return frozenset(instance)
        keys = _named(schema, instance)
        for part in self._parts(validator, schema, instance):
            if validator.evolve(schema=part).is_valid(instance):
                at = id(part), id(instance)
                if at not in self._evaluated:
                    self._evaluated[at] = self._evaluated_keys(validator, part, instance)
                keys |= self._evaluated[at]
        return keys

    def _parts(
        self, validator: Validator, schema: JsonObject, instance: JsonObject
    ) -> Iterator[JsonSchema]:
        """Yield the schemas that judge the same instance, whether it satisfies them or not."""
        ref = schema.get("$ref")
        pointer = target_pointer(self._document, ref) if isinstance(ref, str) else None
        if pointer is not None:
            yield schema_at(self._document, pointer)
        for where, part in children(schema):
            keyword, *rest = steps_of(where)
            if keyword == "dependentSchemas":
                applies = rest[0] in instance
            elif keyword in ("then", "else") and "if" in schema:
                fulfilled = validator.evolve(schema=schema["if"]).is_valid(instance)
                applies = fulfilled == (keyword == "then")
            else:
                applies = keyword in ("allOf", "anyOf", "oneOf", "if")
            if applies:
                yield part


def _validator(document: JsonSchema, keywords: Mapping[str, _Keyword]) -> Validator:
    from jsonschema import Draft202012Validator, FormatChecker
    from jsonschema.validators import extend
    from referencing import Registry

    checker = FormatChecker(formats=())
    for name in FORMATS:
        checker.checks(name)(partial(_has_format, name))
    kind: type[Validator] = extend(  # type: ignore[no-untyped-call]
        Draft202012Validator,
        validators=keywords,
        type_checker=Draft202012Validator.TYPE_CHECKER.redefine_many(_TYPES),
    )
    # Without a registry of its own, jsonschema fetches remote references.
    return kind(document, registry=Registry(), format_checker=checker)


def _has_format(name: str, value: object) -> bool:
    return not isinstance(value, str) or check_format(name, value)


# A value's number may be a `Decimal`.
_TYPES: Mapping[str, Callable[[TypeChecker, object], bool]] = {
    "integer": lambda _, value: _is_number(value) and is_multiple(value, 1),
    "number": lambda _, value: _is_number(value),
}


def _is_number(value: object) -> TypeGuard[Number]:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def _descend(
    validator: Validator,
    instance: JsonValue,
    schema: JsonValue,
    *,
    path: str | None = None,
    schema_path: str | None = None,
) -> _Errors:
    # The protocol in the type stubs lacks this method of every validator.
    descend: Callable[..., _Errors] = validator.descend  # type: ignore[attr-defined]
    yield from descend(instance, schema, path=path, schema_path=schema_path)


def _error(message: str) -> ValidationError:
    from jsonschema.exceptions import ValidationError

    return ValidationError(message)


def _bound(holds: Callable[[_Exact, _Exact], bool], words: str) -> _Keyword:
    def keyword(_: Validator, bound: JsonValue, instance: JsonValue, __: JsonObject) -> _Errors:
        if _is_number(instance) and _is_number(bound) and not holds(exact(instance), exact(bound)):
            yield _error(f"{instance!r} is not {words} {bound!r}")

    return keyword


def _multiple_of(_: Validator, step: JsonValue, instance: JsonValue, __: JsonObject) -> _Errors:
    if _is_number(instance) and _is_number(step) and not is_multiple(instance, step):
        yield _error(f"{instance!r} is not a multiple of {step!r}")


def _const(_: Validator, const: JsonValue, instance: JsonValue, __: JsonObject) -> _Errors:
    if canonical(instance) != canonical(const):
        yield _error(f"{const!r} was expected")


def _enum(_: Validator, enum: JsonValue, instance: JsonValue, __: JsonObject) -> _Errors:
    key = canonical(instance)
    if isinstance(enum, list) and all(canonical(each) != key for each in enum):
        yield _error(f"{instance!r} is not one of {enum!r}")


def _unique_items(_: Validator, unique: JsonValue, instance: JsonValue, __: JsonObject) -> _Errors:
    if unique and isinstance(instance, list) and len(set(map(canonical, instance))) < len(instance):
        yield _error(f"{instance!r} has non-unique elements")


def _pattern(_: Validator, pattern: JsonValue, instance: JsonValue, __: JsonObject) -> _Errors:
    if isinstance(instance, str) and not matches(str(pattern), instance):
        yield _error(f"{instance!r} does not match {pattern!r}")


def _pattern_properties(
    validator: Validator, patterns: JsonValue, instance: JsonValue, _: JsonObject
) -> _Errors:
    if isinstance(instance, dict) and isinstance(patterns, dict):
        for pattern, schema in patterns.items():
            for key, value in instance.items():
                if matches(pattern, key):
                    yield from _descend(validator, value, schema, path=key, schema_path=pattern)


def _additional_properties(
    validator: Validator, additional: JsonValue, instance: JsonValue, schema: JsonObject
) -> _Errors:
    if not isinstance(instance, dict):
        return
    extra = [key for key in instance if key not in _named(schema, instance)]
    if additional is False and extra:
        yield _unexpected("Additional", extra)
    elif isinstance(additional, dict):
        for key in extra:
            yield from _descend(validator, instance[key], additional, path=key)


def _unexpected(kind: str, keys: list[str]) -> ValidationError:
    listed = ", ".join(map(repr, keys))
    verb = "was" if len(keys) == 1 else "were"
    return _error(f"{kind} properties are not allowed ({listed} {verb} unexpected)")


def _named(schema: JsonObject, instance: JsonObject) -> frozenset[str]:
    """Return the keys that `properties` and `patternProperties` speak of."""
    patterns = schema.get("patternProperties")
    matched = {
        key
        for pattern in (patterns if isinstance(patterns, dict) else ())
        for key in instance
        if matches(pattern, key)
    }
    return frozenset(matched | (properties_of(schema).keys() & instance.keys()))
