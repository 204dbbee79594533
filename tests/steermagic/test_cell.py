"""Where the schema of a cell is."""

from __future__ import annotations

import pytest

from steer_engine import SchemaSyntaxError, SteerError
from steermagic.cell import SchemaText, read_cell
from steermagic.errors import CellSyntaxError, OptionError

TICKET = """\
subject: str
urgency: "low" | "medium" | "high"     # how fast must we answer
due: date | None
amount: float | None  # in EUR
"""
PERSON = (
    '{"type":"object","properties":{"name":{"type":"string"},"born":{"type":"integer"}},'
    '"required":["name","born"]}'
)


def read(line: str, body: str):
    return read_cell(line, body, {})


def test_cell_of_three_dogs():
    cell = read("name: str, age: int, superpower: str --many", "Invent three cool dogs\n")
    assert cell.schema == SchemaText("name: str, age: int, superpower: str", line=1, column=9)
    assert cell.prompt == "Invent three cool dogs"
    assert cell.options.many


def test_cell_with_a_schema_above_a_line():
    cell = read("-o ticket", f"{TICKET}---\nExtract the ticket from this mail:\n{{{{ mail }}}}\n")
    assert cell.schema.text == TICKET.rstrip("\n")
    assert cell.schema.line == 2
    assert cell.prompt == "Extract the ticket from this mail:\n{{ mail }}"
    assert cell.options.out == "ticket"


def test_cell_that_starts_with_json():
    cell = read("-o person", f"{PERSON}\nWho wrote the first computer program?\n")
    assert cell.schema.text == PERSON
    assert cell.prompt == "Who wrote the first computer program?"


def test_cell_with_a_named_schema():
    cell = read("Invoice --rows lines --as polars -o lines --seed 1", "{{ pdf_text }}\n")
    assert cell.schema.text == "Invoice"
    options = cell.options
    assert (options.rows, options.as_, options.out, options.seed) == ("lines", "polars", "lines", 1)


def test_cell_over_a_frame():
    options = read("--over reviews --out rated --cache", "a: str\n---\n{{ text }}").options
    assert (options.over, options.out, options.cache) == ("reviews", "rated", True)


def test_over_says_what_it_does_not_go_with():
    with pytest.raises(OptionError, match="over"):
        read("--over reviews --unsteered", "a: str\n---\n{{ text }}")


def test_a_schema_on_the_line_makes_the_whole_body_prompt():
    body = '{"type": "object"}\n---\ntext'
    assert read("a: str", body).prompt == body


def test_only_the_first_rule_divides():
    assert read("", "a: str\n---\nb\n---\nc").prompt == "b\n---\nc"


def test_a_rule_may_end_in_blanks_but_not_begin_with_them():
    assert read("", "a: str\n---  \nb").prompt == "b"
    with pytest.raises(CellSyntaxError, match="the cell has no schema"):
        read("", "a: str\n ---\nb")


def test_text_after_json_on_its_last_line_is_prompt():
    assert read("", '{"type":\n "string"} Name\n a colour').prompt == " Name\n a colour"


def test_line_ends_of_windows_are_line_ends():
    cell = read("", "a: str\r\n---\r\nfirst\r\n\tsecond\r\n")
    assert (cell.schema.text, cell.prompt) == ("a: str", "first\n\tsecond")


def test_marks_of_nbval_are_no_part_of_the_cell():
    cell = read("", "# NBVAL_IGNORE_OUTPUT\na: str\n---\n# NBVAL_SKIP\nhello\n# a heading\n")
    assert cell.schema.text == "\na: str"
    assert cell.prompt == "hello\n# a heading"
    assert read("a: str", "# NBVAL_SKIP\nhello").prompt == "hello"
    assert read("", '# NBVAL_SKIP\n{"type": "string"}\nhello').schema.line == 3


@pytest.mark.parametrize(
    ("line", "body", "message"),
    [
        ("", "Invent three dogs", "the cell has no schema; write one on the line"),
        ("", "{{ mail }}\nExtract it", "the cell has no schema; write one on the line"),
        ("", "\n---\nhello", "there is no schema above the line '---'"),
        ("", "a: str\n---\n  \n", "the prompt is missing; write it below the schema"),
        ("a: str", "\n", "the prompt is missing; write it below the schema"),
        ("", PERSON, "the prompt is missing; write it below the schema"),
        ("a: str", "# NBVAL_SKIP\n", "the prompt is missing; write it below the schema"),
    ],
)
def test_a_cell_that_lacks_a_part_says_which(line, body, message):
    with pytest.raises(CellSyntaxError) as caught:
        read(line, body)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("body", "line", "column"),
    [('{"type" "object"}\nhello', 2, 9), ('\n{"type":\n  strin}\nhello', 4, 3)],
)
def test_broken_json_is_placed_in_the_cell(body, line, column):
    with pytest.raises(SchemaSyntaxError, match="at the start of the cell is not JSON") as caught:
        read("", body)
    assert (caught.value.line, caught.value.column) == (line, column)


def test_an_error_in_a_schema_is_placed_in_the_cell():
    error = SchemaSyntaxError("no such type", line=1, column=4)
    on_line = SchemaText("a: strng", line=1, column=9).located(error)
    assert str(on_line) == "no such type (line 1, column 12)"
    later = SchemaText("x", line=2, column=5).located(
        SchemaSyntaxError("no such type", line=3, column=4)
    )
    assert (later.line, later.column) == (4, 4)


def test_errors_are_errors_of_steermagic():
    assert issubclass(CellSyntaxError, SteerError)
