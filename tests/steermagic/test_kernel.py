"""A real kernel: what a notebook saves, and in which order."""

from __future__ import annotations

import os
import re
import sys

import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

SETUP = """\
from steer_engine import Engine
from steer_engine.backends.fake import FakeBackend
from steermagic.magics import SteerMagic
from steermagic.session import Session
wish = '[{"name": "Rex", "age": 3}, {"name": "<b>Ada</b>", "age": 4}]'
shell = get_ipython()
shell.register_magics(SteerMagic(shell, Session(lambda spec: Engine(FakeBackend(wish)))))
"""
DOGS = "%%steer name: str, age: int --many -o dogs\nInvent two dogs"


def run(*cells: str, folder: str, allow_errors: bool = False):
    notebook = nbformat.v4.new_notebook()
    notebook.cells = [nbformat.v4.new_code_cell(cell) for cell in (SETUP, *cells)]
    client = NotebookClient(
        notebook,
        timeout=60,
        kernel_name="python3",
        resources={"metadata": {"path": folder}},
        allow_errors=allow_errors,
    )
    client.execute(env={**os.environ, "PYTHONPATH": ":".join(sys.path)})
    return [cell.outputs for cell in notebook.cells[1:]], notebook


@pytest.fixture(scope="module")
def outputs(tmp_path_factory):
    cells = (DOGS, "_ is dogs and Out[2] is dogs", f"%%time\n{DOGS}", DOGS)
    cells = (*cells, DOGS.replace("-o dogs", "--view off"), "%steer schema name: str")
    return run(*cells, folder=str(tmp_path_factory.mktemp("notebook")))


def test_the_frame_stands_above_its_view(outputs):
    [frame, view] = outputs[0][0]
    assert frame.output_type == "execute_result"
    assert "Rex" in frame.data["text/html"]
    assert view.output_type == "display_data"
    assert "forced by the schema" in view.data["text/html"]


def test_the_frame_is_the_value_of_the_cell(outputs):
    [value] = outputs[0][1]
    assert value.data["text/plain"] == "True"


def test_under_time_the_order_is_the_same(outputs):
    kinds = [output.output_type for output in outputs[0][2]]
    assert kinds == ["stream", "execute_result", "display_data"]


def test_two_runs_show_the_same(outputs):
    first, second = ([dict(o.data) for o in outputs[0][i]] for i in (0, 3))
    assert first == second


def test_the_view_can_be_left_out(outputs):
    assert [output.output_type for output in outputs[0][4]] == ["execute_result"]


def test_what_is_saved_is_safe(outputs):
    [_, view] = outputs[0][0]
    page = view.data["text/html"]
    assert "<b>Ada" not in page
    assert not re.search(r"<(style|script|svg)|\s(id|on\w+)=", page)
    assert all(name.startswith("steermagic-") for name in re.findall(r'\sclass="([^"]*)"', page))
    assert set(view.data) == {"text/html", "text/plain"}
    assert "widgets" not in outputs[1].metadata


def test_commands_show_text(outputs):
    [shown] = outputs[0][5]
    assert shown.output_type == "display_data"
    assert shown.data["text/plain"].startswith("# compact\nname: str\n")


def test_a_failed_cell_is_one_line_and_stops_the_notebook(tmp_path):
    with pytest.raises(CellExecutionError) as caught:
        run("%%steer Tickt\nhi", "1", folder=str(tmp_path))
    assert caught.value.ename == "SchemaError"
    assert caught.value.evalue == (
        "no schema named 'Tickt'; a schema of one field is written Tickt: str"
    )
