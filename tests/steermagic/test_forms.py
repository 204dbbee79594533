import enum
import re

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import steermagic
from steer_engine import Choices, GbnfGrammar, LarkGrammar, Regex, SchemaError, SteerError
from steermagic.errors import InterpolationError, OptionError
from steermagic.forms import choices_of, find_form, found_form, grammar_of
from steermagic.options import SteerOptions

GRAMMAR = 'root ::= [a-z]+ " " [0-9]+'
COLOURS = ["red", "green", "blue"]


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


def form(namespace=None, **options):
    return find_form(SteerOptions(**options), namespace or {})


def test_options_ask_for_a_form():
    assert form() is None
    assert form(regex="a+") == Regex("a+")
    assert form(choices="yes, no") == Choices(("yes", "no"))
    assert form(choices="don't know, yes (sure)") == Choices(("don't know", "yes (sure)"))
    assert form({"COLOURS": COLOURS}, choices="COLOURS") == Choices(("red", "green", "blue"))
    assert form(choices="['yes', 'no']") == Choices(("yes", "no"))
    assert form({"c": COLOURS}, choices="sorted(c, key=len)[:2]") == Choices(("red", "blue"))
    assert form(choices="'yes', 'no'") == Choices(("yes", "no"))
    assert form({"g": GRAMMAR}, grammar="g") == GbnfGrammar(GRAMMAR)
    assert form({"g": 'start: "a"'}, grammar="g") == LarkGrammar('start: "a"')


@pytest.mark.parametrize(
    "source",
    [
        ("red", "blue"),
        {"red": 1, "blue": 2},
        pd.Series(["red", "blue", "red"]),
        pd.Series(["red", "blue"], dtype="category").cat.categories[::-1],
        pl.Series(["red", "blue"]),
        np.array(["red", "blue"]),
        pa.array(["red", "blue"]),
        pa.chunked_array([["red"], ["blue"]]),
        Colour,
    ],
)
def test_choices_come_from_whatever_lists_texts(source):
    assert choices_of(source) == Choices(("red", "blue"))


def test_the_choices_of_a_set_have_an_order():
    assert choices_of({"b", "c", "a"}) == Choices(("a", "b", "c"))


@pytest.mark.parametrize("written", ["a,", ",a", "a,,b"])
def test_an_empty_choice_is_refused(written):
    with pytest.raises(OptionError, match="has an empty choice"):
        form(choices=written)


@pytest.mark.parametrize("source", ["red", 5, None, [1, 2], []])
def test_what_lists_no_texts_is_refused(source):
    with pytest.raises(SchemaError):
        choices_of(source)


@pytest.mark.parametrize("table", [pd.DataFrame, pl.DataFrame, pl.LazyFrame, pa.table])
def test_the_choices_of_a_table_are_one_of_its_columns(table):
    with pytest.raises(SchemaError, match="give one of its columns"):
        choices_of(table({"label": ["a", "b"]}))


def test_a_name_that_is_not_there_is_an_error_with_the_closest():
    with pytest.raises(InterpolationError, match="COLOURS"):
        form({"COLOURS": COLOURS}, choices="COLORS")


def test_grammars_are_read_from_files(tmp_path):
    gbnf, lark = tmp_path / "order.gbnf", tmp_path / "order.lark"
    gbnf.write_text(GRAMMAR)
    lark.write_text('start: "a"')
    assert form(grammar=str(gbnf)) == GbnfGrammar(GRAMMAR)
    assert grammar_of(lark) == LarkGrammar('start: "a"')
    with pytest.raises(SchemaError, match=r"did you mean 'order\.gbnf'"):
        grammar_of(tmp_path / "ordre.gbnf")
    with pytest.raises(SchemaError, match=r"\.lark and \.gbnf"):
        grammar_of(tmp_path / "order.txt")


def test_a_grammar_is_a_text():
    with pytest.raises(SchemaError, match="not int"):
        form({"g": 5}, grammar="g")


def test_a_table_of_texts_has_one_column():
    schema = found_form(Choices(("b", "a"))).schema
    assert schema.document["properties"] == {"answer": {"type": "string", "enum": ["b", "a"]}}


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"regex": "a", "choices": "a,b"}, "--regex and --choices"),
        ({"regex": "a", "many": True}, "--many"),
        ({"choices": "a,b", "rows": "x"}, "--rows"),
        ({"grammar": "g", "unsteered": True}, "--unsteered"),
        ({"think": 5, "unsteered": True}, "--think"),
        ({"think": -1}, "0 or more"),
    ],
)
def test_options_that_contradict_a_form_are_refused(options, reason):
    with pytest.raises(OptionError, match=reason):
        SteerOptions(**options)


def test_a_cell_with_choices_gives_a_category(notebook):
    frame = notebook("blue").run("%%steer --choices COLOURS -o c\nThe sky?", COLOURS=COLOURS)
    assert frame["answer"].tolist() == ["blue"]
    assert frame["answer"].cat.categories.tolist() == COLOURS


def test_a_cell_with_a_regex_gives_text(notebook):
    frame = notebook("555-1234").run('%%steer --regex "\\d{3}-\\d{4}"\nThe number?')
    assert frame["answer"].tolist() == ["555-1234"]
    assert frame["answer"].dtype == "str"
    assert frame.steer.raw == ["555-1234"]


def test_the_whole_cell_is_the_prompt(notebook):
    run = notebook("a 1")
    run.run("%%steer --grammar g --quiet\n{\n---\n}", g=GRAMMAR)
    assert run.session.last_run().job.prompts == ("{\n---\n}",)
    assert run.session.last_run().records == ["a 1"]


@pytest.mark.parametrize(
    ("as_", "expected"),
    [("dict", "red"), ("json", '"red"'), ("polars", pl.DataFrame)],
)
def test_a_text_can_be_had_in_other_forms(notebook, as_, expected):
    value = notebook("red").run(f"%%steer --choices red,blue --as {as_}\nWhich?")
    if as_ == "polars":
        assert isinstance(value, expected)
        assert value["answer"].to_list() == ["red"]
    else:
        assert value == expected


def test_over_a_table_the_answers_are_joined(notebook):
    mails = pd.DataFrame({"text": ["a", "b"]}, index=[7, 9])
    frame = notebook("red").run(
        "%%steer --choices red,blue --over mails\nWhich? {{ text }}", mails=mails
    )
    assert frame["answer"].tolist() == ["red", "red"]
    assert frame.index.tolist() == [7, 9]
    empty = notebook("red").run(
        "%%steer --choices red,blue --over mails\nWhich? {{ text }}", mails=mails.iloc[:0]
    )
    assert empty["answer"].cat.categories.tolist() == ["red", "blue"]


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ("%%steer name: str --regex a+\nWho?", "--regex says what the answer is"),
        ("%%steer --regex a+ --choices a,b\nWho?", "leave one out"),
        ("%%steer --regex (?=a)\nWho?", "looks ahead"),
        ('%%steer --regex "["\nWho?', "no regular expression"),
        ("%%steer --choices a,b\n \n", "prompt is missing"),
        ("%%steer --choices a,b --as model\nWho?", "--as model"),
    ],
)
def test_what_cannot_be_asked_for_is_an_error(notebook, cell, reason):
    with pytest.raises(Exception, match=reason):
        notebook("a").run(cell)


def test_a_grammar_with_a_mistake_says_where(notebook):
    with pytest.raises(Exception, match=r"GBNF.*line 2, column 7"):
        notebook("a").run("%%steer --grammar g\nWho?", g="root ::= x\nx ::= )")


def test_thoughts_are_kept_beside_the_frame(notebook):
    run = notebook("It is warm.\nAnswer:\nred")
    frame = run.run("%%steer --choices red,blue --think 40\nWhich?")
    assert frame["answer"].tolist() == ["red"]
    assert frame.steer.thoughts == ["It is warm."]
    assert frame.steer.raw == ["red"]
    assert "It is warm." in "".join(frame.steer.tokens["text"])


def test_the_view_puts_thoughts_on_lines_of_their_own(notebook):
    run = notebook("It is warm.\nAnswer:\nred")
    html = run.run("%%steer --choices red,blue --think 40\nWhich?").steer.view()._repr_html_()
    assert "thought before the answer" in html
    assert ">\n</span>" in html


@pytest.fixture
def shared(monkeypatch, wishing):
    def use(wish):
        monkeypatch.setattr("steermagic.session.shared_session", lambda: wishing(wish))

    return use


def test_the_function_takes_the_same_forms(shared):
    shared("blue")
    assert steermagic.steer("Which?", choices=Colour)["answer"].tolist() == ["blue"]
    assert steermagic.steer("Which?", regex="[a-z]{4}", as_="dict") == "blue"
    shared("hm\nAnswer:\nab 1")
    frame = steermagic.steer("Which?", grammar=GRAMMAR, think=30)
    assert (frame["answer"].tolist(), frame.steer.thoughts) == (["ab 1"], ["hm"])


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"schema": "a", "regex": "a"},
        {"regex": "a", "choices": ["a"]},
        {"regex": "a", "many": True},
    ],
)
def test_the_function_wants_exactly_one_form(options):
    with pytest.raises(SteerError):
        steermagic.steer("Which?", **options)


def test_the_function_takes_a_compiled_pattern(shared):
    """It ended in a TypeError of the JSON that is stored."""
    shared("blue")
    assert steermagic.steer("Which?", regex=re.compile("[a-z]{4}"), as_="dict") == "blue"


@pytest.mark.parametrize(
    ("regex", "message"),
    [
        (
            re.compile("a", re.IGNORECASE),
            "regex cannot have flags; spell them out, re.I as in [Aa]",
        ),
        (re.compile(b"a"), "regex is a text, not a value of type bytes"),
        (7, "regex is a text, not a value of type int"),
    ],
)
def test_what_is_no_pattern_is_refused(regex, message):
    with pytest.raises(OptionError) as caught:
        steermagic.steer("Which?", regex=regex)
    assert str(caught.value) == message
