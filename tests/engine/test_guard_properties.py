"""The guard and its residuals against jsonschema, on random schemas, values and tokens."""

import json

from hypothesis import assume, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from steer_engine.errors import SchemaError
from steer_engine.guard import Guard, Specialiser, Verdict, Violation

KEYS = ("a", "b", "c", "ab")
SCALARS = (None, True, False, 0, 1, 2, -1, 10, 1.0, 1.5, "", "a", "b", "ab", "é\n")

values = st.recursive(
    st.sampled_from(SCALARS),
    lambda below: (
        st.lists(below, max_size=3) | st.dictionaries(st.sampled_from(KEYS), below, max_size=3)
    ),
    max_leaves=8,
)
keys = st.sampled_from(KEYS)
some_keys = st.lists(keys, min_size=1, max_size=2, unique=True)
small = st.integers(0, 3)
limits = st.sampled_from([0, 1, 1.5, 10, -1])


def keywords(schemas):
    """Return a strategy for a schema object with up to three keywords or families of them."""
    several = st.lists(schemas, min_size=1, max_size=3)
    families = [
        st.fixed_dictionaries({keyword: says})
        for keyword, says in {
            "type": st.sampled_from(["object", "array", "string", "integer", "number", "null"]),
            "const": values,
            "enum": st.lists(values, min_size=1, max_size=3),
            "allOf": several,
            "anyOf": several,
            "oneOf": several,
            "not": schemas,
            "minimum": limits,
            "exclusiveMaximum": limits,
            "multipleOf": st.sampled_from([1, 2, 0.5]),
            "minLength": small,
            "maxLength": small,
            "pattern": st.sampled_from(["^a", "b", "^ab?$"]),
            "prefixItems": several,
            "items": schemas,
            "minItems": small,
            "maxItems": small,
            "uniqueItems": st.just(value=True),
            "unevaluatedItems": schemas,
            "properties": st.dictionaries(keys, schemas, min_size=1, max_size=2),
            "patternProperties": st.dictionaries(
                st.sampled_from(["^a", "b$"]), schemas, min_size=1
            ),
            "additionalProperties": schemas,
            "propertyNames": st.sampled_from([{"maxLength": 1}, {"enum": ["a", "ab"]}]),
            "required": some_keys,
            "minProperties": small,
            "maxProperties": small,
            "dependentRequired": st.dictionaries(keys, some_keys, min_size=1, max_size=2),
            "dependentSchemas": st.dictionaries(keys, schemas, min_size=1, max_size=2),
            "unevaluatedProperties": st.just(value=False) | schemas,
        }.items()
    ]
    families += [
        st.fixed_dictionaries({"if": schemas}, optional={"then": schemas, "else": schemas}),
        st.fixed_dictionaries(
            {"contains": schemas}, optional={"minContains": small, "maxContains": small}
        ),
    ]
    return st.lists(st.one_of(families), min_size=1, max_size=3).map(
        lambda parts: {keyword: says for part in parts for keyword, says in part.items()}
    )


schemas = st.recursive(
    st.booleans()
    | st.sampled_from([{"type": "integer"}, {"required": ["a"]}, {"$ref": "#/$defs/x"}]),
    keywords,
    max_leaves=6,
)
documents = keywords(schemas).map(
    lambda schema: {
        **schema,
        "$defs": {"x": {"type": ["object", "integer"], "properties": {"a": {"$ref": "#/$defs/x"}}}},
    }
)
sizes = st.lists(st.integers(1, 9), min_size=1, max_size=8)


def tokens(text, sizes):
    """Return `text` in pieces of the given sizes, over and over."""
    pieces, start = [], 0
    while start < len(text):
        size = sizes[len(pieces) % len(sizes)]
        pieces.append(text[start : start + size])
        start += size
    return pieces


def guard_of(document):
    try:
        return Guard(document)
    except SchemaError:  # a circle of references
        assume(condition=False)
        raise


@settings(max_examples=200)
@given(documents, st.lists(values, min_size=3, max_size=6), sizes)
def test_the_guard_agrees_with_jsonschema_at_every_token(document, instances, sizes):
    guard, validator = guard_of(document), Draft202012Validator(document)
    for value in instances:
        is_valid = validator.is_valid(value)
        state = guard.start()
        for token in tokens(json.dumps(value).encode(), sizes):
            assert state.verdict is not Verdict.VALID or is_valid
            after = state.advance(token)
            if isinstance(after, Violation):
                assert not is_valid
                assert isinstance(state.advance(token[: after.n_bytes]), Violation)
                break
            state = after
        else:
            assert (state.finish() is None) is is_valid


@settings(max_examples=80)
@given(documents, values, values, sizes)
def test_what_was_tried_before_does_not_matter(document, value, other, sizes):
    guard = guard_of(document)
    text, detour = json.dumps([value, 1]).encode(), json.dumps([value, other]).encode()
    n_shared = len(json.dumps([value])) + 1  # as far as the comma and the space
    state = guard.start().advance(text[:n_shared])
    if isinstance(state, Violation):
        return
    fresh = guard_of(document).start().advance(text)
    for token in tokens(detour[n_shared:], sizes):
        state.advance(token)
    after = state.advance(text[n_shared:])
    assert type(after) is type(fresh)
    if not isinstance(after, Violation):
        assert after.verdict is fresh.verdict


@settings(max_examples=120)
@given(documents, st.lists(values, min_size=2, max_size=4))
def test_a_residual_forbids_no_valid_value_but_those_that_leave_the_order(document, instances):
    guard, specialiser = guard_of(document), Specialiser(document)
    validator = Draft202012Validator(document)
    for value in filter(validator.is_valid, instances):
        text, state = json.dumps(value).encode(), guard.start()
        for position in range(1, len(text)):
            state = state.advance(text[position - 1 : position])
            residual = specialiser.specialised(state.value)
            if residual is document or Draft202012Validator(residual).is_valid(value):
                continue
            assert validator.is_valid(without_forbidden(value, residual, document))


def without_forbidden(value, residual, document):
    """Return `value` without the properties that come after their turn; at least one does."""
    before, now = document.get("properties", {}), residual["properties"]
    past = [key for key in value if now.get(key) is False and before.get(key) is not False]
    assert past
    return {key: item for key, item in value.items() if key not in past}
