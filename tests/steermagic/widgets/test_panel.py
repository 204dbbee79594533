"""What goes wrong in a callback is a line in the page."""

import json

import pytest

from steer_engine import SteerError
from steermagic.widgets import panel
from steermagic.widgets.panel import Panel


def a_panel(act, edit=lambda _: None):
    return Panel("editor", state="", data={"kinds": []}, edit=edit, act=act)


def raising(error):
    def act(_):
        raise error

    return act


def ask(made):
    made.widget._handle_custom_msg({"kind": "x", "asked": 3}, [])
    return json.loads(made.widget.data)


def test_an_answer_has_the_number_of_what_was_asked():
    assert ask(a_panel(lambda _: None)) == {"kinds": [], "problem": "", "answered": 3}


def test_an_answer_to_one_view_leaves_no_other_waiting():
    """Each counts for itself, and the smaller number stood last."""
    made = a_panel(lambda _: None)
    for asked in (6, 7, 6):
        made.widget._handle_custom_msg({"kind": "x", "asked": asked}, [])
    assert json.loads(made.widget.data)["answered"] == 7


def test_an_error_is_a_line():
    made = a_panel(raising(SteerError("too warm")))
    assert ask(made)["problem"] == "too warm"
    assert ask(a_panel(lambda _: None))["problem"] == ""


def test_an_interrupt_is_a_line():
    assert ask(a_panel(raising(KeyboardInterrupt())))["problem"] == "stopped"


def test_an_error_of_an_edit_is_a_line():
    made = a_panel(lambda _: None, edit=raising(SteerError("no such row")))
    made.widget.state = "7"
    assert json.loads(made.widget.data)["problem"] == "no such row"


def test_an_edit_comes_as_a_message_and_late_as_the_state():
    edits = []
    made = a_panel(raising(SteerError("too warm")), edit=edits.append)
    made.widget._handle_custom_msg({"state": "7"}, [])
    assert ask(made)["problem"] == "too warm"
    made.widget.state = "7"
    assert edits == ["7"]
    assert json.loads(made.widget.data)["problem"] == "too warm"


def test_a_defect_is_a_line_and_goes_on_to_the_log():
    made = a_panel(lambda _: None, edit=raising(ZeroDivisionError("by zero")))
    with pytest.raises(ZeroDivisionError):
        made.widget.state = "7"
    assert json.loads(made.widget.data)["problem"] == "ZeroDivisionError: by zero"


def test_sources_are_whole_and_fetch_nothing():
    for name in ("editor", "playground", "review"):
        widget = panel._widget_class(name)
        source = widget._esm + widget._css
        assert "export default" in source
        assert "http" not in source.replace("plain HTTP", "")
        assert "innerHTML" not in source
        assert "import " not in source.replace("|import|", "")


@pytest.mark.parametrize(("stdin", "expected"), [(True, True), (False, False)])
def test_a_page_is_there_if_the_kernel_can_ask(monkeypatch, stdin, expected):
    kernel = type("Kernel", (), {"_allow_stdin": stdin})
    monkeypatch.setattr(panel, "_shell", lambda: type("Shell", (), {"kernel": kernel}))
    assert panel.is_page() is expected


def test_outside_of_ipython_there_is_no_page(monkeypatch):
    monkeypatch.setattr(panel, "_shell", lambda: None)
    assert not panel.is_page()
    assert panel.namespace() == {}
