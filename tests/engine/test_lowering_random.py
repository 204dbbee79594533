"""A mask and what is left for the guard are the schema again, and the mask loses nothing."""

import json
from itertools import permutations, product

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from steer_engine.errors import UnsatisfiableError
from steer_engine.schema.lowering import Detail, lowered
from steer_engine.schema.references import endless_reference

_CHECKS = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
SOME = settings(max_examples=80, suppress_health_check=_CHECKS)
FEW = settings(max_examples=20, suppress_health_check=_CHECKS)


NAMES = ("a", "b", "c", "ab")
PATTERNS = ("^a", "b", "^b", "^[ab]$", "a$")
VALUES = (
    *(None, True, False, 0, 1, 2, 1.5, -1, "", "a", "b", "ab", [], [1], ["a", 1]),
    *({}, {"a": 1}, {"b": "a"}),
)
_LEAVES = (
    *(True, {}, False, {"type": "integer"}, {"type": "string"}, {"minimum": 1}),
    *({"const": "a"}, {"enum": [1, "a", None]}, {"type": ["null", "boolean"]}),
)
_TYPES = (
    *("object", "array", "string", "integer", "number", "boolean", "null"),
    *(["object", "null"], ["string", "integer"]),
)


def random_document(random):
    """Return a schema with two definitions that it may refer to."""
    document = random_schema(random, random.choice([1, 2, 2, 3]))
    if isinstance(document, bool):
        document = {"allOf": [document]}
    definitions = {name: random_schema(random, 1) for name in "xy"}
    return {**document, "$defs": definitions}


def random_schema(random, depth):
    if depth <= 0:
        return random.choice(_LEAVES)
    keywords = random.sample(_FAVOURED, random.choice([1, 1, 2, 2, 3, 4]))
    schema = {keyword: _KEYWORDS[keyword](random, depth - 1) for keyword in keywords}
    if random.random() < 0.3:
        schema["type"] = random.choice(["object", "object", "array", "integer"])
    return schema


def random_value(random, depth):
    if depth <= 0 or random.random() < 0.25:
        return random.choice(VALUES)
    if random.random() < 0.7:
        names = random.sample(NAMES, random.randint(0, 3))
        return {name: random_value(random, depth - 1) for name in names}
    return [random_value(random, depth - 1) for _ in range(random.randint(0, 3))]


def _some(random, depth):
    return [random_schema(random, depth) for _ in range(random.randint(1, 3))]


def _names(random, _=0):
    return random.sample(NAMES, random.randint(1, 3))


def _by_name(random, depth):
    schemas = {name: random_schema(random, depth) for name in _names(random)}
    return schemas | ({"a": {"$ref": "#"}} if random.random() < 0.1 else {})


def _by_pattern(random, depth):
    return {each: random_schema(random, depth) for each in random.sample(PATTERNS, 2)}


def _allowed_names(random, _):
    return random.choice(
        [
            {"pattern": random.choice(PATTERNS)},
            {"enum": _names(random)},
            {"maxLength": 1},
            {"not": {"const": "a"}},
        ]
    )


def _or_false(random, depth):
    return random_schema(random, depth) if random.random() < 0.5 else False


def _of(*values):
    return lambda random, _: random.choice(values)


_KEYWORDS = {
    "$ref": _of("#/$defs/x", "#/$defs/y"),
    "additionalProperties": _or_false,
    "allOf": _some,
    "anyOf": _some,
    "const": _of(*VALUES),
    "contains": random_schema,
    "dependentRequired": lambda random, _: {name: _names(random) for name in _names(random)},
    "dependentSchemas": _by_name,
    "else": random_schema,
    "enum": lambda random, _: random.sample(VALUES, random.randint(1, 5)),
    "exclusiveMaximum": _of(0, 1, 2, 3),
    "exclusiveMinimum": _of(-1, 0, 1, 2),
    "if": random_schema,
    "items": random_schema,
    "maxContains": _of(0, 1, 2),
    "maxItems": _of(0, 1, 2, 3),
    "maxLength": _of(0, 1, 2),
    "maxProperties": _of(0, 1, 2, 3),
    "maximum": _of(-1, 0, 1, 2, 3),
    "minContains": _of(0, 1, 2),
    "minItems": _of(0, 1, 2),
    "minLength": _of(0, 1, 2),
    "minProperties": _of(0, 1, 2, 3),
    "minimum": _of(-1, 0, 1, 2),
    "multipleOf": _of(1, 2, 0.5, 3),
    "not": random_schema,
    "oneOf": _some,
    "pattern": _of(*PATTERNS),
    "patternProperties": _by_pattern,
    "prefixItems": _some,
    "properties": _by_name,
    "propertyNames": _allowed_names,
    "required": _names,
    "then": random_schema,
    "type": _of(*_TYPES),
    "unevaluatedItems": _or_false,
    "unevaluatedProperties": _or_false,
    "uniqueItems": _of(True, True, False),
}
_FAVOURED = (
    *_KEYWORDS,
    *("$ref", "anyOf", "if", "not", "oneOf", "properties", "properties", "required"),
)


def orders(value):
    """All ways to write a small value."""
    if isinstance(value, list):
        return [list(each) for each in product(*map(orders, value))][:300]
    if isinstance(value, dict):
        return [
            dict(zip(names, each, strict=True))
            for names in permutations(value)
            for each in list(product(*(orders(value[name]) for name in names)))[:300]
        ]
    return [value]


def shuffled(random, value):
    if isinstance(value, list):
        return [shuffled(random, item) for item in value]
    if isinstance(value, dict):
        names = random.sample(list(value), len(value))
        return {name: shuffled(random, value[name]) for name in names}
    return value


def random_cases(random):
    """A document, and small values of which it is known whether they are valid."""
    document = random_document(random)
    if endless_reference(document) is not None:
        return document, []
    values = [*VALUES, *(random_value(random, 2) for _ in range(15))]
    validator = Draft202012Validator(document)
    try:
        return document, [(value, validator.is_valid(value)) for value in values]
    except RecursionError:  # the validator goes round in circles that end for us
        return document, []


@given(random=st.randoms(use_true_random=False))
@SOME
def test_mask_and_residue_together_are_the_schema(compile_mask, random):
    document, cases = random_cases(random)
    try:
        split = lowered(document)
    except UnsatisfiableError:
        assert not any(valid for _, valid in cases)
        return
    mask, residue = compile_mask(split.masked), Draft202012Validator(split.guarded)
    if "nsatisfiable" in mask.error:
        assert not any(valid for _, valid in cases)
        return
    assert not mask.error
    for value, valid in cases:
        is_left = residue.is_valid(value)
        if valid:
            assert is_left, (document, value)
            spelled = mask.allows_value(document, value)
            is_found = spelled or any(mask.allows(json.dumps(each)) for each in orders(value))
            assert is_found, (document, value)
        else:
            assert not (is_left and mask.allows_value(document, value)), (document, value)


@given(random=st.randoms(use_true_random=False))
@SOME
def test_in_any_order_no_order_is_lost(compile_mask, random):
    document, cases = random_cases(random)
    try:
        split = lowered(document, any_order=True)
    except UnsatisfiableError:
        return
    mask, residue = compile_mask(split.masked, any_order=True), Draft202012Validator(split.guarded)
    if "nsatisfiable" in mask.error:
        return
    assert not mask.error
    for value, valid in cases:
        text = json.dumps(shuffled(random, value))
        if valid:
            assert mask.allows(text), (document, text)
        else:
            assert not (residue.is_valid(value) and mask.allows(text)), (document, text)


@pytest.mark.parametrize("detail", list(Detail)[:-1])
@given(random=st.randoms(use_true_random=False))
@FEW
def test_less_detail_is_not_less_sound(compile_mask, detail, random):
    document, cases = random_cases(random)
    try:
        split = lowered(document, detail=detail)
    except UnsatisfiableError:
        assert not any(valid for _, valid in cases)
        return
    mask, residue = compile_mask(split.masked), Draft202012Validator(split.guarded)
    for value, valid in cases:
        if valid:
            assert residue.is_valid(value), (document, value)
            assert any(mask.allows(json.dumps(each)) for each in orders(value)), (document, value)
        else:
            is_let_through = residue.is_valid(value) and mask.allows_value(document, value)
            assert not is_let_through, (document, value)
