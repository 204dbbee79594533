"""Random values of every kind, by the names that `tables/concepts.toml` uses.

Nearly all of them are new: names from syllables, random codes, numbers and dates. A model can
answer only by copying from the text, which is what it is meant to learn.
"""

from collections.abc import Callable, Mapping
from typing import Any

from embedded_training import identifiers, names, quantities
from embedded_training.names import listed_word
from embedded_training.quantities import count, measure
from embedded_training.randomness import Source, Value, pseudo_word

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
    "clock_time": quantities.clock_time,
    "money": quantities.money,
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
}


def value_maker(description: Mapping[str, Any]) -> ValueMaker:
    """Return the maker that an entry of a table names in its key `value`."""
    name = description["value"]
    if name == "count":
        return lambda source: count(source, description["low"], description["high"])
    if name == "measure":
        return lambda source: measure(source, description["low"], description["high"])
    if name == "listed_word":
        return lambda source: listed_word(source, description["words"])
    return VALUE_MAKERS[name]


def any_value(source: Source) -> Value:
    """Return a value of any kind, for labels that say nothing about it."""
    dice = source.rng.random()
    if dice < 0.12:
        return Value(pseudo_word(source).capitalize())
    if dice < 0.24:
        other = source.word("common_words") if source.chance(0.5) else pseudo_word(source)
        return Value(f"{pseudo_word(source)} {other}" if source.chance(0.5) else other)
    if dice < 0.34:
        return count(source, 0, 5000)
    if dice < 0.4:
        return measure(source, 0, 500)
    return source.pick(tuple(VALUE_MAKERS.values()))(source)
