import math

import pandas as pd
import pytest

import steermagic
from steer_engine import Engine
from steer_engine.backends.fake import FakeBackend
from steermagic.errors import CellError, FrameError, InterpolationError
from steermagic.over import join, prompts_over, read_table
from steermagic.prompt import read_template
from steermagic.session import Session


def prompts(table, template, **names):
    return prompts_over(read_table(table), read_template(template), names)


def test_each_row_fills_the_prompt_and_columns_hide_variables():
    table = [{"name": "Ann", "my col": 1}, {"name": "Bob", "my col": 2}]
    filled = prompts(table, "{{ greet }} {{ name }} {{ row['my col'] }}", greet="Hi", name="Zoe")
    assert filled == ("Hi Ann 1", "Hi Bob 2")


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (["a", "b"], {"text": ["a", "b"]}),
        (("a",), {"text": ["a"]}),
        ([], {"text": []}),
        (pd.Series([1, 2], name="n"), {"n": [1, 2]}),
        (pd.Series(["x"]), {"text": ["x"]}),
        ([{"a": 1}, {"b": 2.5}], {"a": [1, None], "b": [None, 2.5]}),
    ],
)
def test_what_can_be_a_table(data, expected):
    table = read_table(data)
    found = {name: [None if pd.isna(v) else v for v in table[name]] for name in table.columns}
    assert found == expected


def test_other_libraries_give_their_rows():
    pl = pytest.importorskip("polars")
    pa = pytest.importorskip("pyarrow")
    assert prompts(pl.DataFrame({"a": [1]}), "{{ a }}") == ("1",)
    assert prompts(pa.table({"a": [1]}), "{{ a }}") == ("1",)


@pytest.mark.parametrize("data", ["text", 7, None])
def test_what_is_no_table_is_refused(data):
    with pytest.raises(FrameError, match="--over needs a table"):
        read_table(data)


def test_a_prompt_without_a_column_would_ask_the_same_every_time():
    with pytest.raises(InterpolationError, match=r"uses no column.*\{\{ a \}\}"):
        prompts([{"a": 1}], "Hi {{ other }}", other=1)


def test_missing_values_are_empty_in_a_prompt():
    table = pd.DataFrame({"a": [1.5, math.nan], "b": ["x", None]})
    assert prompts(table, "<{{ a }}|{{ b }}>") == ("<1.5|x>", "<|>")


def test_a_list_of_answers_repeats_its_row():
    table = pd.DataFrame({"a": ["x", "y", "z"]}, index=[5, 5, 6])
    joined = join(table, [["p", "q"], [], None], lambda items: pd.DataFrame({"b": items}))
    assert list(joined.index) == [5, 5, 6]
    assert joined["a"].tolist() == ["x", "x", "z"]
    assert joined["b"].tolist()[:2] == ["p", "q"]


def test_a_column_that_is_there_already_stops_the_run(notebook):
    with pytest.raises(CellError, match="has a column 'a' already"):
        notebook({"a": "x"}).run("%%steer a: str --over t\n{{ a }}", t=[{"a": 1}])


def test_a_table_without_rows_gets_its_columns(notebook):
    frame = notebook({}).run("%%steer b: int --over t\n{{ a }}", t=pd.DataFrame({"a": []}))
    assert list(frame.columns) == ["a", "b"]
    assert str(frame["b"].dtype) == "Int64"


def test_a_failed_row_is_empty_and_told_the_others_stand(notebook, capsys):
    book = notebook({"b": 7})
    table = pd.DataFrame({"a": ["x", "long " * 3000]})
    frame = book.run("%%steer b: int --over t -o kept\n{{ a }}", t=table)
    assert frame["b"].tolist() == [7, pd.NA]
    assert (
        "1 of 2 rows failed and have no values, the first with: the prompt has"
        in capsys.readouterr().out
    )
    assert len(frame.steer.errors) == 1


def test_the_function_takes_a_table(monkeypatch):
    session = Session(lambda _spec: Engine(FakeBackend('{"b": 7}')))
    monkeypatch.setattr("steermagic.session.shared_session", lambda: session)
    frame = steermagic.steer("Number of {{ text }}", "b: int", over=["x", "y"])
    assert frame.to_numpy().tolist() == [["x", 7], ["y", 7]]
