"""Options are found among schema text, which stays verbatim and in its place."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steermagic.errors import OptionError
from steermagic.line import read_line, takes_option


@pytest.mark.parametrize(
    ("line", "text", "options"),
    [
        ("name: str, age: int --many", "name: str, age: int", {"--many": ""}),
        ("-o ticket", "", {"-o": "ticket"}),
        (
            "Invoice --rows lines -o x --seed 1",
            "Invoice",
            {"--rows": "lines", "-o": "x", "--seed": "1"},
        ),
        ("--out=x name: str", "name: str", {"--out": "x"}),
        ("--over df[df.x > 3] name: str", "name: str", {"--over": "df[df.x > 3]"}),
        ('--over df.query("x > (3") -o x', "", {"--over": 'df.query("x > (3")', "-o": "x"}),
        ("--choices ['ann', 'bob']", "", {"--choices": "['ann', 'bob']"}),
        (r"--regex \( --many", "", {"--regex": r"\(", "--many": ""}),
        ('a: "low" | "--many" -o x', 'a: "low" | "--many"', {"-o": "x"}),
        ("a: 'it\\'s -o b' -o x", "a: 'it\\'s -o b'", {"-o": "x"}),
        ("a: /-o \\/ --x[/ --many", "a: /-o \\/ --x[/", {"--many": ""}),
        ("code /[A-Z] -o/, bio -o x", "code /[A-Z] -o/, bio", {"-o": "x"}),
        ("a: int -5..5 -o x", "a: int -5..5", {"-o": "x"}),
        ("a: float -.5.. -o x", "a: float -.5..", {"-o": "x"}),
        ("a: list[ --many ]", "a: list[ --many ]", {}),
        ("a: str # the buyer's --many name", "a: str # the buyer's --many name", {}),
        ("/data/my/t.json --many", "/data/my/t.json", {"--many": ""}),
        (
            '--system "You are --many \\"it\\"" a: int',
            "a: int",
            {"--system": 'You are --many "it"'},
        ),
        ("--system 'Say \"no\".' a: int", "a: int", {"--system": 'Say "no".'}),
        ("--temperature -1 a", "a", {"--temperature": "-1"}),
        ("a: str\t--many", "a: str", {"--many": ""}),
        ("a: colour#3 --many", "a: colour#3", {"--many": ""}),
        ("it's --many", "it's", {"--many": ""}),
        ("", "", {}),
    ],
)
def test_options_are_told_from_schema_text(line, text, options):
    read = read_line(line)
    assert read.text.strip() == text
    assert read.options == options


def test_an_option_inside_the_schema_leaves_the_rest_where_it_was():
    assert read_line("a: str, --many b: int").text == "a: str,        b: int"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("a --mnay", "unknown option --mnay; did you mean '--many'?"),
        ("a —many", "unknown option —many; did you mean '--many'?"),
        ("a --temprature 1", "unknown option --temprature; did you mean '--temperature'?"),
        ("a -x 1", "unknown option -x; %steer help lists them all"),
        ("a --zzz 1", "unknown option --zzz; %steer help lists them all"),
        ("a: str # name -o x", "-o stands in a comment; put options before the #"),
        ("a: str # name --many", "--many stands in a comment; put options before the #"),
        ("a -o", "-o needs a value: -o VAR"),
        ("a -o --many", "-o needs a value: -o VAR"),
        ("a --many=1", "--many is a switch and takes no value"),
        ("a -o x --out y", "--out is given twice"),
        ('a --system "You are', "the quote after --system is never closed"),
        ('a --system "x"y', "there must be a space after the quoted value of --system"),
    ],
)
def test_a_line_that_cannot_be_read_says_why(line, message):
    with pytest.raises(OptionError) as caught:
        read_line(line)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("line", "is_place"),
    [
        ("", True),
        ("a: str ", True),
        ("-o x ", True),
        ("a: str", False),
        ("a: list[ ", False),
        ("a: str # said ", False),
        ("-o ", False),
        ("--unknown ", False),
        ('a: "x" ', True),
    ],
)
def test_where_an_option_can_stand(line, is_place):
    assert takes_option(line) == is_place


@given(st.text(alphabet="abc:,|\"'/[]{}#\\ \t5.", max_size=40))
def test_text_without_options_is_verbatim(text):
    assert read_line(text).text == text


@given(st.text(alphabet="ab:,|\"'/[]#\\ -o=", max_size=40))
def test_any_line_is_read_or_refused_with_a_reason(line):
    try:
        read = read_line(line)
    except OptionError:
        return
    assert len(read.text) == len(line)


@pytest.mark.parametrize(
    ("line", "value", "text"),
    [
        ("--think name: str", "256", "name: str"),
        ("name: str --think", "256", "name: str"),
        ("--think 40 name: str", "40", "name: str"),
        ("--think=40 name: str", "40", "name: str"),
        ("--think 4x: str", "256", "4x: str"),
        ("--think --many name", "256", "name"),
    ],
)
def test_an_option_whose_value_may_be_missing_takes_only_a_number(line, value, text):
    read = read_line(line)
    assert read.options["--think"] == value
    assert read.text.strip() == text
