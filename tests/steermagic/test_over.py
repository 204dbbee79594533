"""`--over`: a prompt for each row, rows that fail alone, and the joined frame."""

from __future__ import annotations

import contextlib
import gc
import math
import re
import weakref

import pandas as pd
import pytest

import steermagic
from steer_engine import Engine
from steer_engine.backends.fake import FakeBackend
from steermagic.errors import CellError, FrameError, InterpolationError
from steermagic.over import OverPrompts
from steermagic.prompt import read_template
from steermagic.session import Session
from steermagic.tables import read_table


def prompts(table, template, **names):
    found = OverPrompts(read_table(table), read_template(template), names)
    found.check()
    return found


def test_each_row_fills_the_prompt_and_columns_hide_variables():
    table = [{"name": "Ann", "my col": 1}, {"name": "Bob", "my col": 2}]
    filled = prompts(table, "{{ greet }} {{ name }} {{ row['my col'] }}", greet="Hi", name="Zoe")
    assert [*filled] == ["Hi Ann 1", "Hi Bob 2"]


def test_prompts_are_a_sequence():
    filled = prompts(["a", "b", "c"], "<{{ text }}>")
    assert len(filled) == 3
    assert filled[-1] == "<c>"
    assert filled[1:] == ("<b>", "<c>")
    assert filled[0].inputs == (("text", "a"),)
    with pytest.raises(IndexError):
        filled[3]


def test_no_row_is_filled_in_ahead_of_its_turn():
    seen = []
    filled = prompts(pd.DataFrame({"n": range(100_000)}), "{{ note(n) }}", note=seen.append)
    assert seen == [0]
    assert filled[70_000] == "None"
    assert seen == [0, 70_000]


def test_the_first_row_is_not_filled_in_again_after_the_check():
    """What `next` had given for the check was lost."""
    assert [*prompts([*"xyz"], "{{ next(ids) }} {{ text }}", ids=iter("ABC"))] == [
        "A x",
        "B y",
        "C z",
    ]


def test_an_iterator_is_read_as_rows_are_asked_for():
    read = []
    filled = prompts((read.append(i) or {"n": i} for i in range(1000)), "{{ n }}")
    assert (read, len(filled)) == ([0], 1)
    assert filled[3] == "3"
    assert (read, len(filled)) == ([0, 1, 2, 3], 4)
    assert [*filled] == [str(i) for i in range(1000)]
    assert len(filled) == 1000


def test_variables_are_those_of_the_beginning():
    names = {"greet": "Hi", "other": 1}
    filled = OverPrompts(read_table(["x"]), read_template("{{ greet }} {{ text }}"), names)
    names["greet"] = "Bye"
    assert filled[0] == "Hi x"


def test_a_prompt_without_a_column_would_ask_the_same_every_time():
    with pytest.raises(InterpolationError, match=r"uses no column.*\{\{ a \}\}"):
        prompts([{"a": 1}], "Hi {{ other }}", other=1)


def test_a_prompt_may_use_the_names_of_the_index():
    table = pd.DataFrame({"id": [7], "text": ["x"], "n": [1]})
    for names in (["id"], ["id", "text"], ["id", "text", "n"]):
        rows = read_table(table.set_index(names))
        assert OverPrompts(rows, read_template("{{ id }} {{ text }}"), {})[0] == "7 x"
    with pytest.raises(InterpolationError, match=r"uses no column.*\{\{ id \}\}"):
        OverPrompts(rows, read_template("Hi"), {}).check()


def test_a_column_hides_a_name_of_the_index():
    table = pd.DataFrame({"a": [1]}, index=pd.Index([7], name="a"))
    assert OverPrompts(read_table(table), read_template("{{ a }}"), {})[0] == "1"


def test_a_name_of_two_columns_is_refused_where_it_is_used():
    """The last column was taken."""
    table = pd.DataFrame([["Maria", "b", 1]], columns=["t", "t", "n"])
    assert prompts(table, "{{ n }} {{ row['n'] }}")[0] == "1 1"
    for template in ("{{ t }}", "{{ n }} {{ row['t'] }}", "{{ row }}"):
        with pytest.raises(FrameError, match="the table has several columns 't'; give each its"):
            prompts(table, template)
    with pytest.raises(InterpolationError, match="the table has several columns 't'"):
        prompts(table, "{{ f'{t}' }}")[0]


def test_a_name_of_pythons_own_is_no_column_and_stops_the_run():
    with pytest.raises(InterpolationError, match=r"id }} is a function, .* did you mean 'ID'\?"):
        prompts([{"ID": 1, "": 2, "text": "a"}], "{{ text }} {{ id }}")


def test_a_column_inside_a_lambda_or_a_generator_is_used():
    assert prompts([{"a": 2}], "{{ sum(a for _ in range(3)) }}")[0] == "6"
    assert prompts([{"a": 2}], "{{ (lambda: a)() }}")[0] == "2"


def test_missing_values_are_empty_in_a_prompt():
    table = pd.DataFrame({"a": [1.5, math.nan], "b": ["x", None]})
    assert [*prompts(table, "<{{ a }}|{{ b }}>")] == ["<1.5|x>", "<|>"]


def test_a_name_that_is_not_there_is_found_before_the_run():
    with pytest.raises(InterpolationError) as caught:
        prompts(["x"], "{{ text }} {{ mial }}", mail="")
    assert str(caught.value) == "{{ mial }}: there is no variable 'mial'; did you mean 'mail'?"


def test_what_is_wrong_with_one_row_stops_nothing():
    filled = prompts([{"n": None}, {"n": 1}], "{{ n + 1 }}")
    with pytest.raises(InterpolationError, match=r"^row 0 of the table: .* raised TypeError: "):
        filled[0]
    assert filled[1] == "2"


def test_the_row_is_called_what_the_user_calls_it():
    filled = prompts(pd.DataFrame({"n": [0]}, index=["r7"]), "{{ 1 / n }}")
    with pytest.raises(InterpolationError, match=r"row 'r7' of the table: .*ZeroDivisionError"):
        filled[0]


def test_a_list_may_have_no_rows(notebook):
    book = notebook({})
    frame = book.run("%%steer b: int --over t\n{{ a }}", t=[])
    assert list(frame.columns) == ["b"]
    assert str(frame["b"].dtype) == "Int64"
    assert len(frame) == 0
    assert book.run("last = %steer last\nlast").equals(frame)


def test_an_iterator_that_was_read_before_is_told_and_leaves_the_variable_alone(notebook):
    """It gave an empty frame, in place of the rows that were there."""
    book, cell = notebook({"b": 7}), "%%steer b: int --over t -o kept\n{{ text }}"
    book.run(cell, t=iter("xy"))
    with pytest.raises(CellError, match=r"--over gave no rows; it can be read only once, so make"):
        book.run(cell)
    assert book.shell.user_ns["kept"]["b"].tolist() == [7, 7]


def test_a_column_that_is_there_already_stops_the_run(notebook):
    with pytest.raises(CellError, match="has a column or index 'a' already"):
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


@pytest.mark.parametrize("cache", ["", " --cache"])
def test_a_row_that_cannot_be_asked_about_fails_alone(notebook, cache, capsys):
    book = notebook({"b": 7})
    table = pd.DataFrame({"n": [2.0, 0.0, 1.0]}, index=["x", "y", "z"])
    frame = book.run(f"%%steer b: int --over t{cache}\n{{{{ 1 // int(n) }}}}", t=table)
    assert frame["b"].tolist() == [7, pd.NA, 7]
    [(number, error)] = frame.steer.errors.items()
    assert number == 1
    assert str(error).startswith("row 'y' of the table: {{ 1 // int(n) }} raised ZeroDivisionError")
    assert "1 of 3 rows failed and have no values" in capsys.readouterr().out


def test_where_no_row_can_be_asked_about_the_cell_fails(notebook):
    with pytest.raises(CellError, match=r"^row 0 of the table: .* raised AttributeError"):
        notebook({"b": 7}).run("%%steer b: int --over t\n{{ text.stirp() }}", t=["x", "y"])


def test_an_iterator_gets_its_columns(notebook):
    rows = ({"name": name, "n": i} for i, name in enumerate("abc"))
    frame = notebook({"b": 7}).run("%%steer b: int --over rows\n{{ name }}", rows=rows)
    assert frame.to_dict("list") == {"name": ["a", "b", "c"], "n": [0, 1, 2], "b": [7, 7, 7]}


@pytest.mark.parametrize(
    "before",
    ["%%steer b: int --over t\n{{ txet }}", "%%steer b: int --over t --dry-run\n{{ text }}"],
)
def test_what_did_not_run_leaves_an_iterator_whole(before, notebook):
    book, texts = notebook({"b": 7}), iter(["x", "y"])
    with contextlib.suppress(CellError):
        book.run(before, t=texts)
    frame = book.run("%%steer b: int --over t\n{{ text }}", t=texts)
    assert frame["text"].tolist() == ["x", "y"]
    with pytest.raises(CellError, match="gave no rows"):
        book.run("%%steer b: int --over t\n{{ text }}", t=texts)


@pytest.mark.parametrize("n_batches", [1, 2])
def test_what_did_not_run_leaves_record_batches_whole(n_batches, notebook):
    """The first batch was gone."""
    pa = pytest.importorskip("pyarrow")
    filtered = [pa.record_batch({"n": pa.array([], pa.int64())})]
    batches = [*filtered, *(pa.record_batch({"n": [3 * i, 3 * i + 1]}) for i in range(n_batches))]
    reader = pa.RecordBatchReader.from_batches(batches[0].schema, iter(batches))
    book = notebook({"b": 7})
    book.run("%%steer b: int --over t --dry-run\n{{ n }}", t=reader)
    with pytest.raises(CellError, match="no variable 'm'"):
        book.run("%%steer b: int --over t\n{{ n }} {{ m }}")
    frame = book.run("%%steer b: int --over t\n{{ n }}")
    assert frame["n"].tolist() == [0, 1, 3, 4][: 2 * n_batches]
    with pytest.raises(CellError, match="gave no rows"):
        book.run("%%steer b: int --over t\n{{ n }}")


@pytest.mark.parametrize("kind", [iter, lambda text: (letter for letter in text)])
def test_several_iterators_that_were_not_used_stay_whole(kind, notebook):
    """The first item was gone, of all but the last one, then of those before the last eight."""
    book, iterators = notebook({"b": 7}), [kind(f"{n}x") for n in range(10)]
    for texts in iterators:
        book.run("%%steer b: int --over t --dry-run\n{{ text }}", t=texts)
    for n, texts in enumerate(iterators):
        frame = book.run("%%steer b: int --over t\n{{ text }}", t=texts)
        assert frame["text"].tolist() == [str(n), "x"]


def test_an_iterator_that_the_user_lets_go_of_is_not_kept():
    """The last eight were, with all that they held."""

    class Text(str):
        __slots__ = ("__weakref__",)

    text = Text("x")
    first, texts = weakref.ref(text), (each for each in [text])
    del text
    read_table(texts)
    gc.collect()
    assert first() is not None
    del texts
    gc.collect()
    assert first() is None


@pytest.mark.parametrize(
    ("column", "named"),
    [("my col", "row['my col']"), (0, "row[0]"), (("a", "x"), "row[('a', 'x')]"), ("a", "a")],
)
def test_a_prompt_without_a_column_is_told_how_to_name_one(column, named, notebook):
    book, table = notebook({"b": 7}), pd.DataFrame({column: ["x"]})
    with pytest.raises(CellError, match=re.escape(f"write {{{{ {named} }}}}")):
        book.run("%%steer b: int --over t\nWho?", t=table)
    book.run(f"%%steer b: int --over t\n{{{{ {named} }}}}", t=table)


def test_a_dry_run_tells_why_no_row_can_be_asked_about(notebook):
    with pytest.raises(CellError, match=r"row 0 of the table: .* raised ZeroDivisionError"):
        notebook({"b": 7}).run("%%steer b: int --over t --dry-run\n{{ 1 / n }}", t=[{"n": 0}])


def test_rows_that_an_iterator_gave_before_it_broke_are_kept(notebook):
    def rows():
        yield "a"
        yield "b"
        raise ConnectionError("the line is dead")

    book = notebook({"b": 7})
    with pytest.raises(CellError) as caught:
        book.run("%%steer b: int --over rows -o kept\n{{ text }}", rows=rows())
    assert str(caught.value) == (
        "row 2 of the data could not be read: ConnectionError: the line is dead;"
        " 2 finished rows are kept: in 'kept'"
    )
    assert book.shell.user_ns["kept"].to_dict("list") == {"text": ["a", "b"], "b": [7, 7]}


def test_an_iterator_that_breaks_at_once_stops_the_cell(notebook):
    with pytest.raises(CellError, match=r"^row 0 of the data could not be read: ZeroDivisionError"):
        notebook({}).run("%%steer b: int --over rows\n{{ n }}", rows=({"n": 1 // i} for i in [0]))


def test_a_user_who_interrupts_the_filling_in_keeps_what_is_finished(notebook):
    def stop(n):
        if n == 500:
            raise KeyboardInterrupt
        return n

    book = notebook({"b": 7})
    with pytest.raises(CellError, match=r"^stopped; \d+ finished rows are kept: in 'kept'$"):
        book.run("%%steer b: int --over n -o kept\n{{ stop(text) }}", n=range(1000), stop=stop)
    kept = book.shell.user_ns["kept"]
    assert kept["text"].tolist() == [*range(1000)]
    assert 0 < kept["b"].notna().sum() < 500


def test_the_function_takes_a_table(monkeypatch):
    session = Session(lambda _spec: Engine(FakeBackend('{"b": 7}')))
    monkeypatch.setattr("steermagic.session.shared_session", lambda: session)
    frame = steermagic.steer("Number of {{ text }}", "b: int", over=["x", "y"])
    assert frame.to_numpy().tolist() == [["x", 7], ["y", 7]]
    frame = steermagic.steer("Number of {{ text }}", "b: int", over=iter("xy"), as_="dict")
    assert frame == [{"b": 7}, {"b": 7}]


INVOICE = {"vendor": "ACME", "lines": [{"name": "pen", "price": 1.5}, {"name": "ink", "price": 2}]}
INVOICE_CELL = """\
%%steer --over mails --rows lines {} -o lines
vendor: str
lines: list[{{name: str, price: float}}]
---
{{{{ mail }}}}
"""


def test_the_items_of_each_answer_become_rows_of_every_kind_of_table(notebook):
    pl = pytest.importorskip("polars")
    pa = pytest.importorskip("pyarrow")
    mails = pd.DataFrame({"mail": ["first", "second"]}, index=["m1", "m2"])
    book = notebook(INVOICE)
    frame = book.run(INVOICE_CELL.format(""), mails=mails)
    assert list(frame.index) == ["m1", "m1", "m2", "m2"]
    assert frame["lines.name"].tolist() == ["pen", "ink"] * 2
    assert frame.steer.errors == {}
    frame = book.run(INVOICE_CELL.format("--as polars"), mails=mails)
    assert isinstance(frame, pl.DataFrame)
    assert frame["index"].to_list() == ["m1", "m1", "m2", "m2"]
    assert frame["lines.price"].to_list() == [1.5, 2.0] * 2
    table = book.run(INVOICE_CELL.format("--as arrow"), mails=pl.from_pandas(mails))
    assert isinstance(table, pa.Table)
    assert table is book.shell.user_ns["lines"]
    assert table.column_names == ["mail", "vendor", "lines.name", "lines.price"]
    assert table["mail"].to_pylist() == ["first", "first", "second", "second"]


def test_a_polars_table_becomes_a_pandas_frame_unless_polars_is_asked_for(notebook):
    pl = pytest.importorskip("polars")
    posts = pl.DataFrame({"post": ["a", "b"]})
    frame = notebook({"b": 7}).run("%%steer b: int --over posts\n{{ post }}", posts=posts)
    assert frame.to_dict("list") == {"post": ["a", "b"], "b": [7, 7]}


def test_a_column_called_row_is_reached_by_its_name():
    table = pd.DataFrame({"row": ["hello"], "my col": [1]})
    assert [*prompts(table, "{{ row }}")] == ["hello"]
    with pytest.raises(InterpolationError, match=r"write \{\{ row \}\}"):
        prompts(table[["my col", "row"]], "Who?")
