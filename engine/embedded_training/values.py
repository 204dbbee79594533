"""Random values of every kind, by the names that `tables/concepts.toml` uses.

There are so many that hardly one comes twice: random codes, numbers and dates, names of two parts,
some of them from syllables. A model can answer only by copying from the text, which is what it is
meant to learn.
"""

from collections.abc import Callable, Mapping
from typing import Any

from embedded_training import identifiers, names, quantities
from embedded_training.names import listed_word
from embedded_training.quantities import (
    UNITS,
    count,
    dates_in_order,
    measure,
    times_in_order,
    with_unit,
)
from embedded_training.randomness import Source, Value, known_or_pseudo, pseudo_word
from embedded_training.wording import one_of_many

IN_ORDER: Mapping[str, Callable[[Source, int], list[Value]]] = {
    "date": dates_in_order,
    "clock_time": times_in_order,
}
"""Draws several values of a kind in order of time, each later than the one before."""

ValueMaker = Callable[[Source], Value]

VALUE_MAKERS: Mapping[str, ValueMaker] = {
    "person": names.person,
    "bare_handle": identifiers.bare_handle,
    "handle": identifiers.handle,
    "author": identifiers.author,
    "email": identifiers.email,
    "url": identifiers.url,
    "phone": identifiers.phone,
    "date": quantities.date,
    "birthday": quantities.birthday,
    "clock_time": quantities.clock_time,
    "moment": quantities.moment,
    "money": quantities.money,
    "signed_money": quantities.signed_money,
    "percent": quantities.percent,
    "code": identifiers.code,
    "uuid": identifiers.uuid,
    "coupon": identifiers.coupon,
    "flight": identifiers.flight,
    "version": identifiers.version,
    "ip_address": identifiers.ip_address,
    "file_path": identifiers.file_path,
    "product": names.product,
    "thing": names.thing,
    "company": names.company,
    "city": names.city,
    "country": names.country,
    "street": names.street,
    "title": names.title,
    "job": names.job,
    "hashtag": identifiers.hashtag,
    "iban": identifiers.iban,
    "plate": identifiers.plate,
    "pin": identifiers.pin,
    "short_code": identifiers.short_code,
    "error_code": identifiers.error_code,
    "hex_code": identifiers.hex_code,
    "hostname": identifiers.hostname,
    "endpoint": identifiers.endpoint,
    "isbn": identifiers.isbn,
    "medicine": names.medicine,
    "dose": quantities.dose,
    "year": quantities.year,
}


def phrase(source: Source, words: str) -> Value:
    """Return a free text of a list; `*` in it becomes a noun, now and then an invented one."""
    text = one_of_many(source, source.word(words))
    while "*" in text:
        noun = pseudo_word(source) if source.chance(0.15) else source.word("products")
        text = text.replace("*", noun, 1)
    text = " ".join(text.split())
    return Value(text[:1].upper() + text[1:] if source.chance(0.3) else text)


def first_name(source: Source) -> Value:
    """Return a name of one word, as pets have."""
    return Value(known_or_pseudo(source, "first_words", 0.2))


def _number_maker(description: Mapping[str, Any]) -> ValueMaker:
    """Return the maker of the numbers of an entry, which may have units behind them."""
    make = count if description["value"] == "count" else measure
    low, high, units = description["low"], description["high"], description.get("units", ())
    return lambda source: with_unit(source, make(source, low, high), units, 0.85)


def _never_drawn(_: Source) -> Value:
    raise TypeError("a span is marked in its text, so that there is none to draw")


def value_maker(description: Mapping[str, Any]) -> ValueMaker:
    """Return the maker that an entry of a table names in its key `value`."""
    name = description["value"]
    if name in ("count", "measure"):
        return _number_maker(description)
    if name == "money" and "low" in description:
        limits = description["low"], description["high"]
        return lambda source: quantities.money(source, limits)
    if name == "listed_word":
        return lambda source: listed_word(source, description["words"])
    if name == "phrase":
        return lambda source: phrase(source, description["words"])
    if name == "first_name":
        return first_name
    if name == "span":
        return _never_drawn
    return VALUE_MAKERS[name]


def any_value(source: Source) -> Value:
    """Return a value of any kind, for labels that say nothing about it."""
    dice = source.rng.random()
    if dice < 0.12:
        return Value(pseudo_word(source).capitalize())
    if dice < 0.24:
        other = source.word("common_words") if source.chance(0.5) else pseudo_word(source)
        return Value(f"{pseudo_word(source)} {other}" if source.chance(0.5) else other)
    if dice < 0.38:
        number = count(source, 0, source.pick((50, 900, 5000, 90_000, 3_000_000)))
        return with_unit(source, number, UNITS, 0.5)
    if dice < 0.5:
        return with_unit(source, measure(source, 0, 500), UNITS, 0.8)
    return source.pick(tuple(VALUE_MAKERS.values()))(source)
