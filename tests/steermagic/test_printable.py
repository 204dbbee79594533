"""What is shown cannot act on what stands around it, and stays readable."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steermagic.printable import printable

ACTING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"),
        ("a\u202eb\u2066c", "a\\u202eb\\u2066c"),
        ("one\ntwo\tthree", "one\ntwo\tthree"),
        ("שלום — Grüße 👩‍🚀", "שלום — Grüße 👩‍🚀"),
        ("\r\x00\x9b", "\\x0d\\x00\\x9b"),
    ],
)
def test_orders_are_written_out_and_letters_are_left_alone(text, shown):
    assert printable(text) == shown


@given(st.text())
def test_nothing_that_acts_is_left(text):
    assert not ACTING.search(printable(text))
    assert printable(printable(text)) == printable(text)


def test_of_a_long_text_both_ends_are_shown():
    assert printable("a" * 500_000 + "b" * 500_000, 20) == "aaaaaaaaaa … bbbbbbbbbb"
    assert printable("a" * 20, 20) == "a" * 20
