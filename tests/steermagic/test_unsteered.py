import pytest

from steer_engine import read_schema
from steermagic.errors import CellError
from steermagic.unsteered import UnsteeredAnswer, judge

DOGS = read_schema("[name: str]")


def test_a_chatty_answer_is_no_json_and_the_place_is_named():
    answer = judge('Sure!\n[{"name": "Rex"}]', DOGS)
    assert "it is not JSON" in answer.problem
    assert "line 1, column 1" in answer.problem
    assert repr(answer).endswith("cannot become rows: " + answer.problem + ".")


def test_json_of_another_form_is_told_from_json_of_the_right_one():
    assert judge('[{"dog": "Rex"}]', DOGS).problem is not None
    assert judge('[{"name": "Rex"}]', DOGS) == UnsteeredAnswer('[{"name": "Rex"}]', None)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[" * 100_000, "it is nested too deeply to be read"),
        ("9" * 5_000, "it has a number too long to be read"),
    ],
)
def test_json_that_python_cannot_read_is_an_answer_too(text, problem):
    assert judge(text, DOGS) == UnsteeredAnswer(text, problem)


def test_json_that_cannot_be_checked_is_an_answer_too():
    nested = read_schema({"$ref": "#/$defs/a", "$defs": {"a": {"items": {"$ref": "#/$defs/a"}}}})
    text = "[" * 500 + "]" * 500
    assert "nested too deeply to be checked" in judge(text, nested).problem


def test_a_cell_shows_what_the_model_writes_by_itself(notebook):
    book = notebook("Sure! Three dogs:")
    answer = book.run("%%steer name: str --many --unsteered -o raw\nInvent three cool dogs")
    assert answer.text == "Sure! Three dogs:"
    assert book.shell.user_ns["raw"] is answer
    assert next(book.session.last_run().job.requests()).messages[0].role == "system"


def test_what_shapes_rows_has_nothing_to_shape(notebook):
    with pytest.raises(CellError, match="--unsteered gives plain text"):
        notebook("x").run("%%steer a: str --unsteered --as dict\nhi")
