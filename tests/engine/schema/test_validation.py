"""The final word on a value."""

from decimal import Decimal

import pytest

from steer_engine.errors import RowError
from steer_engine.schema import read_schema, validation_error

TICKET = read_schema('urgency: "low" | "high", due: date, tags: list[{n: int}]')
VALID = {"urgency": "low", "due": "2024-02-29", "tags": [{"n": 1}]}


def test_a_valid_value():
    assert validation_error(TICKET, VALID) is None


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"urgency": "mid"}, "'mid' is not one of ['low', 'high'] at /urgency"),
        ({"due": "2023-02-29"}, "'2023-02-29' is not a 'date' at /due"),
        ({"tags": [{"n": 1}, {"n": "x"}]}, "'x' is not of type 'integer' at /tags/1/n"),
        ({"more": 1}, "('more' was unexpected) at the root"),
        ({"tags": ["x" * 500]}, "… at /tags/0"),
        ({"tags": [{"n": float("inf")}]}, "a number is too large for JSON, or NaN"),
    ],
)
def test_the_reason_is_one_line_with_the_place(change, reason):
    error = validation_error(TICKET, VALID | change)
    assert reason in error
    assert "\n" not in error
    assert len(error) < 250


def test_unknown_formats_are_annotations():
    assert validation_error(read_schema({"format": "int32"}), "x") is None
    assert validation_error(read_schema({"format": "date"}), 5) is None


@pytest.mark.parametrize(
    ("document", "value", "is_valid"),
    [
        ({"multipleOf": 0.01}, 4.35, True),
        ({"multipleOf": 0.01}, 4.351, False),
        ({"multipleOf": 0.123456789}, 1e308, False),
        ({"multipleOf": 0.1}, Decimal("0.30000000000000000001"), False),
        ({"minimum": 0.1}, Decimal("0.1"), True),
        ({"exclusiveMinimum": 0.1}, Decimal("0.1"), False),
        ({"type": "integer"}, Decimal("1e400"), True),
        ({"type": "integer"}, Decimal("1.5"), False),
        ({"type": "number"}, True, False),
        ({"uniqueItems": True}, [[1], [True], [1.0]], False),
        ({"uniqueItems": True}, [[1], [True], {"a": 0}, {"a": False}], True),
        ({"enum": [{"a": [1]}]}, {"a": [1.0]}, True),
        ({"enum": [{"a": [1]}]}, {"a": [True]}, False),
        ({"const": 0.1}, Decimal("0.1"), True),
        ({"pattern": "^\\d$"}, "\u0665", False),
        ({"pattern": "a$"}, "a\n", False),
        ({"patternProperties": {"^\\w$": True}, "additionalProperties": False}, {"é": 1}, False),
        ({"patternProperties": {"^\\w$": False}}, {"é": 1}, True),
        ({"patternProperties": {"^\\w$": {}}, "unevaluatedProperties": False}, {"é": 1}, False),
        ({"patternProperties": {"^\\p{L}$": {}}, "unevaluatedProperties": False}, {"é": 1}, True),
        ({"additionalProperties": {"type": "string"}}, {"a": 1}, False),
        ({"unevaluatedProperties": {"type": "string"}}, {"a": 1}, False),
        ({"format": "uri-reference"}, "a b", False),
    ],
)
def test_exactness(document, value, is_valid):
    assert (validation_error(read_schema(document), value) is None) == is_valid


def test_references_that_double_at_each_step_come_to_an_end():
    def doubled(keyword):
        steps = {f"a{i}": {keyword: [{"$ref": f"#/$defs/a{i + 1}"}] * 2} for i in range(60)}
        last = {"a60": {"type": "object", "properties": {"a": True}}}
        return read_schema(
            {"$ref": "#/$defs/a0", "unevaluatedProperties": False, "$defs": {**steps, **last}}
        )

    for keyword in ("allOf", "anyOf"):
        assert validation_error(doubled(keyword), {"a": 1}) is None
        assert "Unevaluated" in validation_error(doubled(keyword), {"b": 1})
        assert validation_error(doubled(keyword), 1) is not None


def test_what_is_nested_too_deeply_cannot_be_judged():
    value = []
    for _ in range(5000):
        value = [value]
    schema = read_schema({"items": {"$ref": "#"}})
    with pytest.raises(RowError, match="nested too deeply to be checked"):
        validation_error(schema, value)


def test_a_pattern_without_an_end_fails_the_row(monkeypatch):
    monkeypatch.setattr("steer_engine.schema.patterns._TIMEOUT_S", 0.1)
    with pytest.raises(RowError, match="takes too long on a text of 5000 characters"):
        validation_error(read_schema({"pattern": "(x+x+)+y"}), "x" * 5000)
