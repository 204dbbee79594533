"""The guard on single values: what it refuses, where, and whom it blames."""

import json

import pytest

from steer_engine.errors import SchemaError
from steer_engine.guard import Guard, GuardState, Verdict, Violation
from steer_engine.guard.question import Question


def written(document, text, **options):
    """Return the state after `text`, written byte by byte, or the violation and where it was."""
    state = Guard(document, **options).start()
    for position, byte in enumerate(text.encode()):
        after = state.advance(bytes([byte]))
        if isinstance(after, Violation):
            return position + 1, after
        state = after
    return state


def refused_after(document, text, **options):
    """Return how much of `text` is written when the guard refuses it."""
    outcome = written(document, text, **options)
    assert not isinstance(outcome, GuardState), f"{text} was not refused"
    return text.encode()[: outcome[0]].decode()


def is_valid(document, text):
    state = written(document, text)
    return isinstance(state, GuardState) and state.finish() is None


# What is doomed is refused at once.
@pytest.mark.parametrize(
    ("document", "text", "refused"),
    [
        ({"type": "object"}, "[1]", "["),
        ({"type": ["string", "null"]}, "true", "t"),
        ({"const": "abc"}, '"abd"', '"abd'),
        ({"enum": ["abc", "xyz"]}, '"xbc"', '"xb'),
        ({"const": {"a": [1, "xyz"]}}, '{"a": [1.0, "xz', '{"a": [1.0, "xz'),
        ({"const": 150}, "16", "16"),
        ({"maxLength": 2}, '"abc"', '"abc'),
        ({"maxLength": 1}, '"é\\n', '"é\\'),
        ({"minimum": 0}, "-1", "-1"),
        ({"maxItems": 1}, "[1, 2]", "[1,"),
        ({"items": False}, "[1]", "[1"),
        ({"properties": {"a": False}}, '{"a": 1}', '{"a"'),
        ({"maxProperties": 1}, '{"a": 1, "b": 2}', '{"a": 1,'),
        ({"required": ["a"]}, '{"b": 1}', '{"b": 1}'),
        ({"required": ["a", "b"], "maxProperties": 2}, '{"c": 1}', '{"c"'),
        ({"propertyNames": {"maxLength": 2}}, '{"abc": 1}', '{"abc'),
        ({"contains": {"type": "string"}, "maxContains": 1}, '["a", "b"]', '["a", "'),
        ({"contains": {"const": 1}, "maxItems": 2}, "[2, 3]", "[2, 3"),
        ({"uniqueItems": True}, '[{"a": 1, "b": 2}, {"b": 2.0, "a": 1}]', None),
        ({"not": {"required": ["a"]}}, '{"a": 1}', '{"a"'),
        ({"oneOf": [{"required": ["a"]}, {"required": ["b"]}]}, '{"a": 1, "b": 2}', None),
        ({"dependentSchemas": {"a": {"maxProperties": 1}}}, '{"b": 1, "a": 2}', '{"b": 1, "a"'),
        ({"allOf": [{"required": []}], "unevaluatedProperties": False}, '{"b": 1}', '{"b"'),
        ({"prefixItems": [True], "unevaluatedItems": False}, "[1, 2]", "[1,"),
    ],
)  # fmt: skip
def test_a_doomed_value_is_refused_early(document, text, refused):
    after = refused_after(document, text)
    if refused is not None:
        assert after == refused


def test_without_exponents_the_first_digits_of_a_number_say_more():
    assert refused_after({"maximum": 100}, "1234", exponents=False) == "123"
    assert refused_after({"maximum": 100}, "101", exponents=False) == "101"
    assert refused_after({"minimum": 1}, "0.5", exponents=False) == "0"
    assert refused_after({"type": "integer"}, "1.05", exponents=False) == "1.05"
    assert refused_after({"multipleOf": 0.01}, "0.125", exponents=False) == "0.125"
    assert is_valid({"maximum": 100}, "1234e-2")
    assert is_valid({"type": "integer"}, "1.5e1")
    assert is_valid({"const": 150}, "0.15e+3")


def test_a_branch_that_can_no_longer_evaluate_a_property_condemns_it():
    document = {
        "anyOf": [
            {"properties": {"kind": {"const": 1}, "a": True}, "required": ["kind"]},
            {"properties": {"kind": {"const": 2}}, "required": ["kind"]},
        ],
        "unevaluatedProperties": False,
    }
    assert refused_after(document, '{"a": 0, "kind": 2}') == '{"a": 0, "kind": 2'
    assert refused_after(document, '{"kind": 2, "a": 0}') == '{"kind": 2, "a"'
    assert is_valid(document, '{"kind": 1, "a": 0}')


@pytest.mark.parametrize(
    ("text", "is_right"),
    [
        ("1e400", True),
        ("15e-1", True),
        ("1e-999999999999", False),
        ("12345678901234567890.5", False),
    ],
)
def test_numbers_are_exact_and_huge_ones_cost_nothing(text, is_right):
    assert is_valid({"multipleOf": 0.5, "not": {"const": 12345678901234567890.5}}, text) is (
        is_right or text.endswith(".5")
    )


def test_numbers_that_are_equal_are_equal_however_they_are_spelled():
    assert is_valid({"const": 1}, "1.0")
    assert is_valid({"enum": [100]}, "1e2")
    assert not is_valid({"uniqueItems": True}, "[1, true, 10e-1]")
    assert is_valid({"uniqueItems": True}, "[1, true, 0, false]")
    assert not is_valid({"const": 0.1}, "0.10000000000000000001")


@pytest.mark.parametrize("escaped", [r"\ud83d\ude00", r"\u0061", r"\n", r"\"", r"\\"])
def test_a_string_is_read_through_its_escapes(escaped):
    text = json.loads(f'"{escaped}"')
    assert is_valid({"const": text, "minLength": 1, "maxLength": 1}, f'"{escaped}"')
    assert is_valid({"properties": {text: {"type": "null"}}}, '{"' + escaped + '": null}')
    assert not is_valid({"properties": {text: {"type": "null"}}}, '{"' + escaped + '": 1}')


def test_a_key_may_be_written_once_however_it_is_spelled():
    position, violation = written(True, r'{"a": 1, "b": {"a": 2, "\u0061": 3}}')
    assert position == len(r'{"a": 1, "b": {"a": 2, "\u0061"')
    assert (violation.keyword, violation.value_pointer) == ("duplicate key", "/b/a")
    keys = [f"key{i}" for i in range(300)]
    assert is_valid(True, json.dumps(dict.fromkeys(keys, 1)))
    assert refused_after(True, json.dumps(dict.fromkeys(keys, 1))[:-1] + ', "key77"')


def test_the_violation_counts_the_bytes_up_to_the_offending_one():
    state = Guard({"items": {"maxLength": 3}}).start().advance(b'["a", "')
    violation = state.advance(b'bcdefg", "h')
    assert violation == Violation(4, "maxLength", "/items", "/1")
    assert isinstance(state.advance(b'bcd", "h'), GuardState)


def test_the_innermost_keyword_is_blamed():
    document = {
        "$defs": {"node": {"properties": {"next": {"$ref": "#/$defs/node"}, "n": {"minimum": 3}}}},
        "$ref": "#/$defs/node",
        "if": {"required": ["x"]},
        "then": {"allOf": [True, {"required": ["y"]}]},
    }
    _, violation = written(document, '{"next": {"next": {"n": 2}')
    assert (violation.keyword, violation.value_pointer) == ("minimum", "/next/next/n")
    assert violation.schema_pointer == "/$defs/node/properties/n"
    _, violation = written(document, '{"x": 1}')
    assert (violation.keyword, violation.schema_pointer) == ("required", "/then/allOf/1")


def test_a_condition_is_decided_as_soon_as_it_is_written():
    document = {
        "if": {"properties": {"kind": {"const": "a"}}, "required": ["kind"]},
        "then": {"properties": {"x": {"type": "string"}}},
    }
    assert refused_after(document, '{"kind": "a", "x": 1}') == '{"kind": "a", "x": 1'
    assert refused_after(document, '{"x": 1, "kind": "a"}') == '{"x": 1, "kind": "a"'
    assert is_valid(document, '{"x": 1, "kind": "b"}')


def test_the_end_of_the_text_ends_a_number_at_the_root():
    state = written({"multipleOf": 5}, "12")
    assert isinstance(state, GuardState)
    assert state.verdict is Verdict.OPEN
    assert state.finish() == Violation(0, "multipleOf", "", "")
    assert written({"multipleOf": 5}, "15").finish() is None


def test_nothing_is_valid_under_false():
    assert isinstance(Guard(False).start().advance(b'"a"'), Violation)
    assert isinstance(Guard({"allOf": [False]}).start().advance(b"1"), Violation)


def test_going_back_is_keeping_the_old_state():
    state = Guard({"uniqueItems": True, "items": {"type": "integer"}}).start().advance(b"[1, 2, ")
    assert isinstance(state.advance(b"3, 4").advance(b", 3]"), Violation)
    assert isinstance(state.advance(b"1]"), Violation)
    assert state.advance(b"3, 4]").verdict is Verdict.VALID
    assert state.advance(b"4, 3]").verdict is Verdict.VALID
    assert isinstance(state.advance(b'"'), Violation)


@pytest.mark.parametrize("reference", ["#/$defs/missing", "other.json", "#anchor", "#/$defs/list"])
def test_a_reference_that_leads_nowhere_is_an_error(reference):
    with pytest.raises(SchemaError):
        Guard({"$ref": reference, "$defs": {"list": []}})


def test_a_schema_that_applies_itself_without_end_is_an_error():
    with pytest.raises(SchemaError, match="without end"):
        Guard({"$ref": "#"})
    with pytest.raises(SchemaError, match="without end"):
        Guard({"anyOf": [{"$ref": "#/$defs/a"}], "$defs": {"a": {"not": {"$ref": "#"}}}})


@pytest.fixture
def n_judged(monkeypatch):
    """A list with the number of questions that have been judged so far."""
    count = [0]
    verdict = Question.verdict

    def counted(self, value):
        count[0] += self not in value.answers
        return verdict(self, value)

    monkeypatch.setattr(Question, "verdict", counted)
    return count


@pytest.mark.parametrize(
    ("document", "member"),
    [
        ({"uniqueItems": True, "items": {"type": "integer"}}, "{}"),
        ({"uniqueItems": True, "items": {"required": ["id"]}}, '{{"id": {}, "x": [1, 2]}}'),
        ({"contains": {"type": "string"}, "minContains": 0, "maxContains": 3}, "{}"),
        ({"items": {"oneOf": [{"type": "string"}, {"minimum": 0}]}, "maxItems": 5000}, "{}"),
        ({"anyOf": [{"items": {"minimum": 0}}, {"minItems": 3}], "unevaluatedItems": False}, "{}"),
    ],
)  # fmt: skip
def test_a_token_costs_the_same_after_two_thousand_items(document, member, n_judged):
    state, costs = Guard(document).start().advance(b"["), []
    for index in range(2000):
        before = n_judged[0]
        for part in (member.format(index).encode(), b", "):
            state = state.advance(part)
            assert isinstance(state, GuardState)
        costs.append(n_judged[0] - before)
    assert max(costs[1000:]) <= max(costs[2:100])


def test_a_token_costs_the_same_in_a_deep_value_and_after_many_keys(n_judged):
    document = {"properties": {"a": {"$ref": "#"}}, "not": {"required": ["b"]}}
    state, costs = Guard(document).start(), []
    for _ in range(3000):
        before = n_judged[0]
        state = state.advance(b'{"k": 1, "a": ')
        costs.append(n_judged[0] - before)
    assert max(costs[1:]) == min(costs[1:])
    assert isinstance(state.advance(b'{"b'), GuardState)
    assert isinstance(state.advance(b'{"b"'), Violation)


def test_inside_a_string_nothing_is_asked_unless_it_matters(n_judged):
    document = {"properties": {"a": {"type": "string"}, "b": {"maxLength": 100}}, "required": ["b"]}
    state = Guard(document).start().advance(b'{"a": "')
    before = n_judged[0]
    state = state.advance(b"some").advance(b" words")
    assert n_judged[0] == before
    state = state.advance(b'", "b": "')
    before = n_judged[0]
    state.advance(b"some")
    assert n_judged[0] > before


def test_a_chain_of_references_is_followed_without_recursion():
    n_links = 5000
    links = {f"d{i}": {"$ref": f"#/$defs/d{i + 1}", "minimum": i} for i in range(n_links)}
    document = {"$ref": "#/$defs/d0", "$defs": {**links, f"d{n_links}": {"type": "integer"}}}
    Guard(document)


def test_doubling_references_cost_no_doubling():
    n_links = 40
    pair = [{"$ref": f"#/$defs/d{i + 1}"} for i in range(n_links)]
    links = {f"d{i}": {"anyOf": [pair[i], dict(pair[i], minimum=i)]} for i in range(n_links)}
    document = {
        "$ref": "#/$defs/d0",
        "$defs": {**links, f"d{n_links}": {"properties": {"a": {"type": "integer"}}}},
        "unevaluatedProperties": False,
    }
    assert is_valid(document, '{"a": 1}')
    assert not is_valid(document, '{"a": 1, "b": 2}')
