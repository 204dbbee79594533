"""Paths as users write them."""

import pytest

from steer_engine.errors import SchemaError
from steermagic.cell import SchemaText
from steermagic.errors import CommandError, StoreError
from steermagic.forms import find_answer
from steermagic.options import SteerOptions
from steermagic.paths import user_path
from steermagic.schemas import find_schema
from steermagic.store import place_of

NOBODY = "~nobody-has-this-name"


def test_the_home_folder_stands_for_its_sign(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert user_path("~/a.csv", CommandError) == tmp_path / "a.csv"


@pytest.mark.parametrize("written", [f"{NOBODY}/a.csv", "a\0b"])
def test_what_cannot_be_a_path_is_refused_in_one_line(written):
    with pytest.raises(CommandError, match=r"^'.*' cannot be a path: .*$"):
        user_path(written, CommandError)


def test_each_place_that_takes_a_path_refuses_it():
    with pytest.raises(StoreError, match="cannot be a path"):
        place_of(f"{NOBODY}/store")
    with pytest.raises(SchemaError, match="cannot be a path"):
        find_schema(SchemaText(f"{NOBODY}/s.json", line=1, column=1), {})
    with pytest.raises(SchemaError, match="cannot be a path"):
        find_answer(None, SteerOptions(grammar=f"{NOBODY}/g.lark"), {})


def test_a_run_whose_store_cannot_be_a_path_goes_on_in_memory(notebook, capsys):
    book, values = notebook({"b": 7}), ["x"]
    frame = book.run(f"%%steer b: int --over t --store {NOBODY}/s\n{{{{ text }}}}", t=values)
    assert frame["b"].tolist() == [7]
