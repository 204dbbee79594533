"""Names, files and lists of rows become schemas."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pydantic
import pytest

from steer_engine import SchemaError, SchemaSyntaxError, column_plan, read_schema
from steermagic.cell import SchemaText
from steermagic.schemas import find_schema, read_source


class Ticket(pydantic.BaseModel):
    subject: str
    amount: float | None = None


def find(text: str, *, many: bool = False, **names: object):
    return find_schema(SchemaText(text, line=1, column=9), names, many=many)


def columns(schema) -> list[str]:
    return [column.name for column in column_plan(schema)]


@pytest.mark.parametrize(
    "text",
    ["Ticket", "shop.Ticket", "as_text", "as_dict", "subject: str, amount: float | None"],
)
def test_one_schema_can_be_named_in_many_ways(text):
    as_text = "subject: str\namount: float | None"
    as_dict = Ticket.model_json_schema()
    names = {"shop": SimpleNamespace(Ticket=Ticket), "as_text": as_text, "as_dict": as_dict}
    assert columns(find(text, Ticket=Ticket, **names).schema) == ["subject", "amount"]


def test_a_json_schema_can_be_the_text():
    text = json.dumps({"type": "object", "properties": {"a": {"type": "string"}}})
    assert columns(find(text).schema) == ["a"]


@pytest.mark.parametrize("text", ["[Ticket]", "[subject: str, amount: float]", "[ Ticket ]"])
def test_brackets_ask_for_a_list(text):
    found = find(text, Ticket=Ticket)
    assert found.is_list
    assert found.schema.document["type"] == "array"
    assert columns(found.schema) == ["subject", "amount"]


@pytest.mark.parametrize("text", ["[{name: str}]", "[name: str]  # see [1]"])
def test_brackets_of_the_notation_are_read_as_it_reads_them(text):
    for many in (False, True):
        found = find(text, many=many)
        assert found.schema.document == read_schema(text).document
        assert found.is_list


def test_a_slip_in_the_json_of_a_list_is_told():
    with pytest.raises(SchemaSyntaxError, match="not JSON") as caught:
        find('[{"type": "object",}]')
    assert caught.value.column > 9


def test_many_asks_for_a_list():
    found = find("Ticket", many=True, Ticket=Ticket)
    assert found.is_list
    assert found.source is Ticket
    assert found.schema.document["type"] == "array"


def test_a_type_word_is_a_schema_unless_it_is_the_users_name():
    assert find("int").schema.document["type"] == "integer"
    assert columns(find("int", int=Ticket).schema) == ["subject", "amount"]


def test_a_file_is_read_with_the_mark_that_windows_writes(tmp_path):
    file = tmp_path / "ticket.json"
    file.write_text(json.dumps(Ticket.model_json_schema()), encoding="utf-8-sig")
    assert columns(find(str(file)).schema) == ["subject", "amount"]


@pytest.mark.parametrize("quote", ['"', "'"])
def test_a_file_may_stand_in_quotes(tmp_path, quote):
    file = tmp_path / "my ticket.json"
    file.write_text(json.dumps(Ticket.model_json_schema()))
    assert columns(find(f"{quote}{file}{quote}").schema) == ["subject", "amount"]
    with pytest.raises(SchemaError, match="there is no schema file"):
        find(f"{quote}{tmp_path / 'no.json'}{quote}")


@pytest.mark.parametrize("text", ['[{"name": "Ann"}]', '["praise"]', '"hello"', "[1, 2]"])
def test_a_file_that_holds_no_schema_is_refused(tmp_path, text):
    file = tmp_path / "people.json"
    file.write_text(text)
    with pytest.raises(SchemaError, match=r"people\.json") as caught:
        find(str(file))
    assert str(caught.value).count("people.json") == 1
    assert "\n" not in str(caught.value)


def test_a_function_takes_what_a_cell_takes():
    assert columns(read_source(Ticket).schema) == ["subject", "amount"]
    assert columns(read_source("a: str, b: int", many=True).schema) == ["a", "b"]
    assert read_source({"type": "string"}, many=True).is_list


def test_a_typing_error_in_fields_is_placed_in_the_cell():
    with pytest.raises(SchemaSyntaxError, match="did you mean 'str'") as caught:
        find("name: strng")
    assert (caught.value.line, caught.value.column) == (1, 15)
    with pytest.raises(SchemaSyntaxError) as caught:
        find("[name: strng]")
    assert caught.value.column == 16


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Tickt", "no schema named 'Tickt'; did you mean 'Ticket'?"),
        ("answer", "no schema named 'answer'; a schema of one field is written answer: str"),
        ("shop.Tickt", "'shop' has no 'Tickt'; did you mean 'Ticket'?"),
        ("schemas/no.json", "there is no schema file schemas/no.json"),
        ("t.yaml", "t.yaml: schemas are read from .json files; save it as JSON"),
        ("broken", "schema 'broken': "),
        ("number", "schema 'number': "),
    ],
)
def test_what_cannot_be_found_is_told_in_one_line(text, message):
    names = {"shop": SimpleNamespace(Ticket=Ticket), "broken": {"type": "strin"}, "number": 3}
    with pytest.raises(SchemaError) as caught:
        find(text, Ticket=Ticket, **names)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_no_schema_is_named(tmp_path):
    file = tmp_path / "ticket.json"
    file.write_text('{"type": ')
    with pytest.raises(SchemaError, match=r"ticket\.json: .*line 1"):
        find(str(file))
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SchemaError, match=r"ticket\.json cannot be read"):
        find(str(file))
    with pytest.raises(SchemaError, match=r"did you mean 'ticket\.json'"):
        find(str(tmp_path / "tickt.json"))
