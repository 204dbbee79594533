"""Random values and their JSON forms."""

import datetime
import random

import pytest

from embedded_training import values
from embedded_training.randomness import HeldOut, Source


@pytest.fixture
def source():
    return Source(random.Random(7))


@pytest.mark.parametrize("maker", values.VALUE_MAKERS.values(), ids=list(values.VALUE_MAKERS))
def test_no_value_is_empty_or_padded(maker, source):
    for _ in range(50):
        text = maker(source).text
        assert text and text == text.strip()


def test_a_date_is_the_day_that_its_text_tells(source):
    for _ in range(200):
        value = values.date(source)
        day = datetime.date.fromisoformat(value.date)
        assert str(day.year) in value.text
        assert str(day.day) in value.text.replace("0", "") or str(day.day) in value.text


def test_days_and_months_that_could_be_swapped_are_not_written_with_slashes(source):
    for _ in range(300):
        value = values.date(source)
        if value.text.count("/") == 2 and not value.text[:4].isdigit():
            assert max(int(part) for part in value.text.split("/")[:2]) > 12


def test_an_amount_is_the_number_that_its_text_tells(source):
    for _ in range(200):
        value = values.money(source)
        digits = "".join(sign for sign in value.text if sign.isdigit())
        if not value.text.rstrip("$€£ ABCDEFGHIJKLMNOPQRSTUVWXYZadlrsueopnbck").endswith("k"):
            assert digits.rstrip("0").startswith(str(value.number).replace(".", "").rstrip("0")[:1])


@pytest.mark.parametrize(("amount", "written"), [(49.0, 49), (49.9, 49.9), (0.0, 0)])
def test_whole_amounts_are_whole_numbers(amount, written):
    assert values.plain_number(amount) == written
    assert type(values.plain_number(amount)) is type(written)


def test_held_out_words_come_only_when_asked_for():
    held_out = set(values.read_table("words")["last_names"]["held_out"])
    usual = Source(random.Random(1))
    assert not held_out & {usual.word("last_names") for _ in range(2000)}
    evaluation = Source(random.Random(1), HeldOut(values=True))
    assert held_out & {evaluation.word("last_names") for _ in range(200)}
