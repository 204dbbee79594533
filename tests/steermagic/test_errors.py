"""How a cell shows an error."""

from __future__ import annotations

import pytest

from steer_engine import ModelError
from steermagic.errors import CellError, did_you_mean, without_traceback


def test_an_error_is_a_line_and_its_notes():
    error = ModelError("there is no model file x.gguf")
    error.add_note("It had written: {")
    with pytest.raises(CellError) as caught, without_traceback():
        raise error
    assert caught.value._render_traceback_() == [
        "ModelError: there is no model file x.gguf",
        "It had written: {",
    ]


def test_an_error_gives_no_orders_to_what_shows_it():
    error = ModelError("it had written \x1b[31m\u202ered")
    error.add_note("\x1b[2J")
    with pytest.raises(CellError) as caught, without_traceback():
        raise error
    assert caught.value._render_traceback_() == [
        "ModelError: it had written \\x1b[31m\\u202ered",
        "\\x1b[2J",
    ]


def test_a_defect_keeps_its_traceback():
    with pytest.raises(ZeroDivisionError), without_traceback():
        _ = 1 / 0


def test_a_suggestion_is_made_only_where_something_is_close():
    assert did_you_mean("Tickt", ["Ticket", "Invoice"]) == "; did you mean 'Ticket'?"
    assert did_you_mean("x", ["Ticket"]) == ""
