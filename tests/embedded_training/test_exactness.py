"""Which values of an answer count as right."""

from embedded_training.exactness import Score, score_answer
from embedded_training.schemas import Field, object_schema

ROW = object_schema((Field("name", "str"), Field("price", "float", nullable=True)))
ROWS = {"type": "array", "items": ROW}


def score_of(expected, given, schema):
    score = Score()
    score_answer(score, expected, given, schema)
    return score.shares()


def test_the_same_answer_is_all_right():
    rows = [{"name": "a", "price": 2}, {"name": "b", "price": None}]
    assert score_of(rows, rows, ROWS)["all"] == "5/5"


def test_whole_and_decimal_numbers_are_equal():
    assert score_of({"name": "a", "price": 2}, {"name": "a", "price": 2.0}, ROW)["number"] == "1/1"


def test_a_missing_row_is_wrong_also_where_null_was_expected():
    shares = score_of([{"name": "a", "price": None}], [], ROWS)
    assert shares == {"all": "0/3", "length": "0/1", "null": "0/1", "string": "0/1"}


def test_an_answer_that_is_no_json_is_all_wrong():
    assert score_of({"name": "a", "price": 1}, None, ROW)["all"] == "0/2"


def test_scores_add_up():
    one = Score()
    one.count("string", is_right=True)
    two = Score()
    two.count("string", is_right=False)
    assert (one + two).shares() == {"all": "1/2", "string": "1/2"}
