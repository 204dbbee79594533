"""Random values and their JSON forms."""

import datetime as dt
import re
from collections import Counter
from itertools import count

import pytest

from embedded_training import identifiers, names, quantities, values
from embedded_training.randomness import HeldOut, Source, word_pools
from steer_engine.schema.formats import check_format


@pytest.fixture
def source():
    return Source.seeded(7)


@pytest.fixture
def sources():
    """Sources without end, each with habits of its own."""
    return map(Source.seeded, count())


@pytest.mark.parametrize("maker", values.VALUE_MAKERS.values(), ids=list(values.VALUE_MAKERS))
def test_no_value_is_empty_or_padded(maker, source):
    for _ in range(50):
        text = maker(source).text
        assert text
        assert text == text.strip()


def test_a_date_is_the_day_that_its_text_tells(sources):
    for _ in range(200):
        value = quantities.date(next(sources))
        if value.date is None:  # a day without its year, such as "next Monday"
            continue
        day = dt.date.fromisoformat(value.date)
        assert str(day.year) in value.text
        assert str(day.day) in value.text.replace("0", "") or str(day.day) in value.text


def test_days_and_months_that_could_be_swapped_are_not_written_with_slashes(sources):
    for _ in range(300):
        value = quantities.date(next(sources))
        if value.text.count("/") == 2 and not value.text[:4].isdigit():
            assert max(int(part) for part in value.text.split("/")[:2]) > 12


def test_an_amount_is_the_number_that_its_text_tells(sources):
    for _ in range(300):
        value = quantities.money(next(sources))
        digits = re.sub(r"\D", "", value.text)
        unit = re.search(r"\d ?(k|K|thousand|m|M|million|mln)(?![a-z])", value.text)
        scale = 1 if unit is None else 1_000 if unit[1] in ("k", "K", "thousand") else 1_000_000
        number = value.number / scale
        written = (f"{number:.0f}", f"{number:.1f}", f"{number:.2f}")
        words = quantities.number_in_words(int(number)) if 1 <= number < 100 else ""
        assert digits in {text.replace(".", "") for text in written} or words in value.text


def test_an_amount_is_below_zero_where_its_text_has_a_minus(sources):
    drawn = [quantities.signed_money(next(sources)) for _ in range(300)]
    assert all((value.number < 0) == (value.text[0] in "-\u2212") for value in drawn)
    assert all(
        re.sub(r"\D", "", value.text).strip("0") in f"{abs(value.number):.2f}".replace(".", "")
        for value in drawn
    )
    assert {value.number > 0 for value in drawn} == {True, False}


def test_a_time_is_written_with_its_zone_as_formats_demand(sources):
    times = [quantities.clock_time(next(sources)) for _ in range(1500)]
    assert all(check_format("time", value.time) for value in times)
    assert {value.time for value in times if value.text == "noon"} == {"12:00:00Z"}


def test_a_moment_is_its_day_and_its_time(sources):
    for _ in range(300):
        value = quantities.moment(next(sources))
        assert check_format("date-time", value.moment)
        assert value.moment == f"{value.date}T{value.time}"


@pytest.mark.parametrize(
    ("number", "words"),
    [(1, "one"), (12, "twelve"), (19, "nineteen"), (20, "twenty"), (47, "forty-seven")],
)
def test_numbers_in_words(number, words):
    assert quantities.number_in_words(number) == words


@pytest.mark.parametrize(("amount", "written"), [(49.0, 49), (49.9, 49.9), (0.0, 0)])
def test_whole_amounts_are_whole_numbers(amount, written):
    assert quantities.plain_number(amount) == written
    assert type(quantities.plain_number(amount)) is type(written)


def test_what_stands_around_a_value_does_not_belong_to_it(source):
    makers = (names.person, identifiers.code, identifiers.version, identifiers.hashtag)
    for maker in makers:
        drawn = [maker(source) for _ in range(300)]
        decorated = [value for value in drawn if value.shown]
        assert decorated
        assert all(value.text in value.written for value in drawn)
    titles = set(word_pools()["person_titles"].usual)
    people = [names.person(source) for _ in range(500)]
    assert not titles & {person.text.split()[0] for person in people}
    assert 0.12 < sum(names.is_titled(person) for person in people) / len(people) < 0.4


def test_a_unit_does_not_change_a_number(source):
    make = values.value_maker({"value": "count", "low": 1, "high": 90_000, "units": [" m", "m"]})
    drawn = [make(source) for _ in range(300)]
    plain = [value for value in drawn if value.text.isdigit()]
    assert all(value.number == int(value.text) for value in plain)
    assert any(value.written.endswith("m") for value in plain)
    assert {sign for value in drawn for sign in ",. '" if sign in value.text} == set(",. '")


def test_held_out_words_come_only_when_asked_for():
    held_out = set(word_pools()["last_names"].held_out)
    usual = Source.seeded(1)
    assert not held_out & {usual.word("last_names") for _ in range(2000)}
    evaluation = Source.seeded(1, HeldOut(values=True))
    assert held_out & {evaluation.word("last_names") for _ in range(200)}


def test_most_days_of_a_text_are_near_each_other_and_written_in_one_way():
    n_near = n_alike = 0
    for seed in range(50):
        source = Source.seeded(seed)
        drawn = [value for value in (quantities.date(source) for _ in range(12)) if value.date]
        days = sorted(dt.date.fromisoformat(value.date) for value in drawn)
        n_near += sum(abs(day - days[len(days) // 2]) < dt.timedelta(100) for day in days)
        shapes = Counter(re.sub(r"[a-z]+", "a", re.sub(r"\d+", "1", value.text)) for value in drawn)
        n_alike += shapes.most_common(1)[0][1]
    assert n_near > 0.85 * 600
    assert n_alike > 0.5 * 600


def test_dates_in_order_are_each_later_than_the_one_before(source):
    days = [value.date for value in quantities.dates_in_order(source, 9)]
    assert len(days) == 9
    assert days == sorted(set(days))
    assert quantities.dates_in_order(source, 0) == []


def test_times_in_order_are_each_later_on_the_same_day():
    for seed in range(300):
        times = [value.time for value in quantities.times_in_order(Source.seeded(seed), 3)]
        assert times == sorted(set(times))
        assert all(re.fullmatch(r"[0-2]\d:[0-5]\d:00Z", time) for time in times)
    assert quantities.times_in_order(Source.seeded(0), 0) == []


@pytest.mark.parametrize("limits", [(20, 90), (41, 90), (2, 38), (601, 990), (1, 9)])
def test_an_amount_of_money_stays_between_its_limits(limits):
    drawn = [quantities.money(Source.seeded(seed), limits) for seed in range(300)]
    assert all(limits[0] <= value.number <= limits[1] for value in drawn)
    assert len({value.number for value in drawn}) > 60


def test_the_amounts_of_a_text_are_mostly_of_one_currency():
    n_alike = 0
    for seed in range(50):
        source = Source.seeded(seed)
        codes = Counter(quantities.money(source).currency for _ in range(10))
        n_alike += codes.most_common(1)[0][1]
    assert n_alike > 0.85 * 500
