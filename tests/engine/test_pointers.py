"""JSON Pointers."""

from hypothesis import given
from hypothesis import strategies as st

from steer_engine.pointers import pointer_to, steps_of


def test_a_pointer_escapes_what_its_own_signs_are_made_of():
    assert pointer_to("/a", "x/y", 0) == "/a/x~1y/0"
    assert pointer_to("", "~1") == "/~01"


def test_the_root_has_no_steps_and_an_empty_key_is_one():
    assert steps_of("") == ()
    assert steps_of("/") == ("",)


@given(st.lists(st.text()))
def test_the_steps_of_a_pointer_are_those_that_it_was_made_of(steps):
    assert steps_of(pointer_to("", *steps)) == tuple(steps)
