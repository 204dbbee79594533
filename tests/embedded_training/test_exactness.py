"""Which values of an answer count as right."""

import pytest

from embedded_training.exactness import MISSING, Score, is_same, kind_of, score_answer
from embedded_training.schemas import Field, object_schema

ROW = object_schema((Field("name", "str"), Field("price", "float", nullable=True)))
ROWS = {"type": "array", "items": ROW}


def score_of(expected, given, schema):
    score = Score()
    score_answer(score, expected, given, schema)
    return score.shares()


def test_the_same_answer_is_all_right():
    rows = [{"name": "a", "price": 2}, {"name": "b", "price": None}]
    assert score_of(rows, rows, ROWS)["all"] == "4/4"


def test_whole_and_decimal_numbers_are_equal():
    assert score_of({"name": "a", "price": 2}, {"name": "a", "price": 2.0}, ROW)["number"] == "1/1"


def test_a_missing_row_is_wrong_also_where_null_was_expected():
    shares = score_of([{"name": "a", "price": None}], [], ROWS)
    assert shares == {"all": "0/2", "length": "0/1", "null": "0/1", "string": "0/1"}


def test_an_answer_that_is_no_json_is_all_wrong():
    assert score_of({"name": "a", "price": 1}, None, ROW)["all"] == "0/2"


def test_scores_add_up():
    one = Score()
    one.count("string", is_right=True)
    two = Score()
    two.count("string", is_right=False)
    assert (one + two).shares() == {"all": "1/2", "string": "1/2"}


def test_lengths_are_counted_and_are_no_values():
    rows = [{"name": "a", "price": 1}]
    shares = score_of(rows, [*rows, *rows], ROWS)
    assert shares == {"all": "2/2", "length": "0/1", "number": "1/1", "string": "1/1"}


def test_an_empty_list_that_was_not_given_is_wrong():
    assert score_of([], MISSING, ROWS) == {"all": "0/1", "length": "0/1", "list": "0/1"}
    assert score_of([], [], ROWS)["all"] == "1/1"


@pytest.mark.parametrize(
    ("wanted", "found", "same"),
    [
        (1, 1.0, True),
        (1, True, False),
        ("1", 1, False),
        (None, MISSING, False),
        (["a", 1], ["a", 1.0], True),
        (["a", "b"], ["b", "a"], False),
        (["a"], ["a", "b"], False),
    ],
)
def test_values_are_equal_as_json_values_are(wanted, found, same):
    assert is_same(wanted, found) is same


@pytest.mark.parametrize(
    ("value", "schema", "kind"),
    [
        (None, {"type": ["string", "null"]}, "null"),
        ("a", {"enum": ["a", "b"]}, "enum"),
        ("a", {"const": "a"}, "enum"),
        (True, {"type": "boolean"}, "boolean"),
        ("2024-03-03", {"type": "string", "format": "date"}, "date"),
        ("b", {"type": "string"}, "string"),
        (3, {"type": "integer"}, "integer"),
        (3, {"type": ["number", "null"]}, "number"),
        (3.5, {}, "number"),
    ],
)
def test_the_kind_of_a_value(value, schema, kind):
    assert kind_of(value, [schema]) == kind


def test_the_kind_is_found_behind_references_and_alternatives():
    schema = {
        "$defs": {"Row": {"type": "object", "properties": {"day": {"format": "date"}}}},
        "type": "object",
        "properties": {
            "rows": {
                "anyOf": [{"type": "array", "items": {"$ref": "#/$defs/Row"}}, {"type": "null"}]
            }
        },
    }
    answer = {"rows": [{"day": "2024-03-03"}]}
    assert score_of(answer, answer, schema) == {"all": "1/1", "date": "1/1", "length": "1/1"}
