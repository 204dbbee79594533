"""A cell in front of somebody: a live view, which is frozen however the cell ends."""

from __future__ import annotations

import re
from html import unescape

import pytest

from steermagic import magics
from steermagic.errors import CellError
from steermagic.widgets import steering

CELL = "%%steer name: str, age: int -o dog\nInvent a dog"
WISH = {"name": "Rex", "age": 3}
WIDGET = "application/vnd.jupyter.widget-view+json"


@pytest.fixture
def watched(notebook, monkeypatch):
    """A notebook that somebody looks at, and all that it shows: new outputs and updates."""
    monkeypatch.setattr(magics, "is_watched", lambda _shell: True)

    def make(wish):
        made = notebook(wish)
        shown = []
        monkeypatch.setattr(
            made.shell.display_pub,
            "publish",
            lambda data, metadata=None, **fields: shown.append(
                (data, {"metadata": metadata, **fields})
            ),
        )
        return made, shown

    return make


def kinds(shown):
    return [
        "widget" if WIDGET in data else "update" if fields.get("update") else "output"
        for data, fields in shown
    ]


def test_the_view_is_live_and_then_frozen_in_its_place(watched):
    notebook, shown = watched(WISH)
    frame = notebook.run(CELL)
    assert list(frame["name"]) == ["Rex"]
    assert kinds(shown) == ["widget", "update"]
    (_, live), (frozen, update) = shown
    assert live["transient"] == update["transient"]  # the same place
    assert "Rex" in frozen["text/html"]
    assert WIDGET not in frozen


def test_a_front_end_without_widgets_says_what_goes_on(watched, monkeypatch):
    """The page of Colab needs the metadata, too."""
    bundle = {WIDGET: {}, "text/plain": "<SteeringWidget object>"}, {"from": "anywidget"}
    monkeypatch.setattr(
        steering._widget_class(), "_repr_mimebundle_", lambda _widget: bundle, raising=False
    )
    notebook, shown = watched(WISH)
    notebook.run(CELL)
    live, fields = shown[0]
    assert live == {WIDGET: {}, "text/plain": "steermagic: the answer is being written"}
    assert fields["metadata"] == {"from": "anywidget"}


def test_a_widget_is_gone_when_its_cell_has_ended(watched, monkeypatch):
    notebook, _ = watched(WISH)
    made = []
    make = steering._widget_class()
    monkeypatch.setattr(
        steering, "_widget_class", lambda: lambda **fields: made.append(make(**fields)) or made[-1]
    )
    notebook.run(CELL)
    assert [widget.comm for widget in made] == [None]


def test_a_cell_that_fails_leaves_no_widget(watched, monkeypatch):
    notebook, shown = watched(WISH)

    def fail(*_, **__):
        raise RuntimeError("a defect")

    monkeypatch.setattr(notebook.session, "run", fail)
    with pytest.raises(RuntimeError, match="a defect"):
        notebook.run(CELL)
    assert kinds(shown) == ["widget", "update"]
    assert shown[1][0] == {"text/plain": ""}


def test_what_is_stopped_is_frozen_as_far_as_it_came(watched, interrupted):
    notebook, shown = watched(WISH)
    notebook.magics.session = interrupted(WISH, text='"Rex"')
    with pytest.raises(CellError, match="stopped"):
        notebook.run(CELL)
    assert kinds(shown) == ["widget", "update"]
    assert '{"name": "Rex"' in unescape(re.sub("<[^>]*>", "", shown[1][0]["text/html"]))


@pytest.mark.parametrize("option", ["--view static", "--view off", "--quiet", "--unsteered"])
def test_other_views_make_no_widget(watched, option):
    notebook, shown = watched(WISH)
    notebook.run(f"%%steer name: str, age: int {option}\nInvent a dog")
    assert "widget" not in kinds(shown)


def test_rows_have_one_view_in_place_of_the_line_of_progress(watched):
    notebook, shown = watched(WISH)
    notebook.run("%%steer name: str, age: int --over data\n{{ text }}", data=["a", "b"])
    assert kinds(shown) == ["widget", "update"]
    assert "table · 2 rows" in shown[1][0]["text/html"]


def test_no_rows_need_no_view(watched):
    notebook, shown = watched(WISH)
    notebook.run("%%steer name: str, age: int --over data\n{{ text }}", data=[])
    assert "widget" not in kinds(shown)
