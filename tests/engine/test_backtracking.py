"""How far a row goes back, and that it does not try in vain twice."""

import pytest

from steer_engine.backtracking import MAX_RETURNS, Backtracking
from steer_engine.errors import RowError
from steer_engine.mask import allocate_mask, allow, allows
from steer_engine.steps import Step


def steps(*parts):
    """Return steps of (pointer, origin); a step's token is its place."""
    return [Step(at, b"x", origin, pointer) for at, (pointer, origin) in enumerate(parts)]


TEXT = steps(
    ("", "forced"),
    ("/a", "forced"),
    ("/a", "chosen"),
    ("/a", "chosen"),
    ("/b", "forced"),
    ("/b/0", "chosen"),
    ("/b/0", "narrowed"),
)


def test_the_first_choice_of_the_value_is_taken_back():
    assert Backtracking().leave_value(TEXT, "/b/0") == 2


def test_after_some_dead_ends_the_container_is_begun_anew_and_then_what_is_before_it():
    search = Backtracking()
    undone = [search.leave_value(TEXT, "/b/0") for _ in range(9)]
    assert undone[0] == 2
    assert undone[-1] == 5  # the first choice in /a: there is none in /b before /b/0
    assert undone == sorted(undone)


def test_a_forced_token_is_never_what_was_in_vain():
    search = Backtracking()
    assert search.take_back(TEXT, 3) == 4  # the step at place 4 was forced, so place 3 is to blame
    assert search.is_in_vain(3, 3)
    assert not search.is_in_vain(3, 2)


def test_what_was_in_vain_is_left_out_of_the_mask_at_its_place_only():
    search, mask = Backtracking(), allocate_mask(64)
    search.take_back(TEXT, 2)
    for place, expected in ((5, False), (4, True)):
        allow(mask, frozenset({5}))
        search.exclude(mask, place)
        assert allows(mask, 5) is expected


def test_what_was_in_vain_after_another_beginning_is_forgotten():
    search = Backtracking()
    search.take_back(TEXT, 1)
    search.take_back(TEXT, 5)
    assert not search.is_in_vain(6, 6)


def test_the_search_ends():
    search = Backtracking()
    for _ in range(MAX_RETURNS):
        search.take_back(TEXT, 1)
    with pytest.raises(RowError, match="taken back 64 times"):
        search.take_back(TEXT, 1)


def test_a_text_that_nobody_chose_cannot_be_another():
    with pytest.raises(RowError, match="no answer is left"):
        Backtracking().take_back(TEXT[:2], 1)
    with pytest.raises(RowError, match="no answer is left"):
        Backtracking().leave_value([], "")


def test_a_value_is_begun_anew_after_many_refused_tokens():
    search = Backtracking()
    noted = [search.note_refusal("/a") for _ in range(24)]
    assert [at for at, is_enough in enumerate(noted, 1) if is_enough] == [12, 24]
