"""Random names: of people, places, companies, products and works."""

import string
from functools import cache

from embedded_training.randomness import (
    Source,
    Value,
    known_or_pseudo,
    pseudo_word,
    read_table,
    word_pools,
)

P_NEW_FIRST, P_NEW_LAST = 0.06, 0.15
"""How often a name is invented from syllables; the others are names that people have."""


def person(source: Source) -> Value:
    """Return the name of a person: mostly first and last name."""
    first = known_or_pseudo(source, "first_names", P_NEW_FIRST)
    last = known_or_pseudo(source, "last_names", P_NEW_LAST)
    dice = source.rng.random()
    if dice < 0.13:
        return Value(first)
    if dice < 0.18:
        return titled(source, last)
    if dice < 0.3:
        name = _long_name(source, first, last)
    elif dice < 0.35:
        name = f"{first[0]}. {last}"
    else:
        name = f"{first} {last}"
    return titled(source, name) if source.chance(0.1) else Value(name)


def titled(source: Source, name: str) -> Value:
    """Return a name that stands behind a title; the title does not belong to it."""
    return Value(name, shown=f"{source.word('person_titles')} {name}")


@cache
def _titles() -> frozenset[str]:
    """Return all titles, those for evaluation too."""
    pool = word_pools()["person_titles"]
    return frozenset((*pool.usual, *pool.held_out))


def is_titled(value: Value) -> bool:
    """Return whether the value is a name with a title before it."""
    return value.written.removesuffix(value.text).strip() in _titles()


def _long_name(source: Source, first: str, last: str) -> str:
    """Return a name of three parts or more."""
    initial = source.pick(string.ascii_uppercase)
    return source.pick(
        (
            f"{first} {source.word('name_particles')} {last}",
            f"{first} {known_or_pseudo(source, 'first_names', P_NEW_FIRST)} {last}",
            f"{first} {known_or_pseudo(source, 'last_names', P_NEW_LAST)} {last}",
            f"{first[0]}. {initial}. {last}",
            f"{first} {initial}. {last}",
            f"{first} {last}-{known_or_pseudo(source, 'last_names', P_NEW_LAST)}",
        )
    )


def brand(source: Source) -> str:
    """Return what a company or its wares may be called."""
    return known_or_pseudo(source, "company_words", 0.3)


def product(source: Source) -> Value:
    """Return the name of an article."""
    adjective, noun = source.word("product_adjectives"), source.word("products")
    maker = brand(source)
    return Value(
        source.pick(
            (
                *[f"{adjective} {noun}"] * 3,
                *[f"{maker} {noun}"] * 2,
                f"{maker} {source.pick(string.ascii_uppercase)}{source.between(1, 900)}",
                f"{adjective.capitalize()} {noun.capitalize()}",
                f"{maker} {adjective} {noun}",
                *[noun] * 2,
                maker,
                f"{noun} ({source.word('colors')})",
            )
        )
    )


def thing(source: Source, topic: str | None = None) -> Value:
    """Return something that one pays for; its topic is a class of `tables/meanings.toml`."""
    topics = read_table("meanings")["topic"]["classes"]
    topic = topic or source.pick(tuple(topics))
    item: str = source.pick(topics[topic]["things"])
    if source.chance(0.3):
        maker = brand(source)
        item = source.pick((f"{maker} {item}", f"{item} from {maker}", f"{item} by {maker}"))
    return Value(item, topic=topic)


def company(source: Source) -> Value:
    """Return the name of a company."""
    name = brand(source)
    word, suffix = source.word("company_words"), source.word("company_suffixes")
    return Value(
        source.pick(
            (
                *[f"{name} {suffix}"] * 3,
                *[f"{word} {suffix}"] * 2,
                *[name] * 2,
                f"{word}{pseudo_word(source)}",
                f"{word} {name}",
                f"{word} {name} {suffix}",
                f"{name} & {source.word('last_names')}",
                f"{source.word('last_names')} {suffix}",
            )
        )
    )


def city(source: Source) -> Value:
    """Return the name of a town."""
    return Value(known_or_pseudo(source, "cities", 0.1))


def country(source: Source) -> Value:
    """Return the name of a country."""
    known = source.chance(0.85)
    return Value(source.word("countries") if known else pseudo_word(source).capitalize() + "ia")


def street(source: Source) -> Value:
    """Return a street with its house number."""
    kind = source.pick(("Street", "Road", "Avenue", "Lane", "Square", "Way", "St", "Ave"))
    name = known_or_pseudo(source, "company_words", 0.3)
    return Value(f"{source.between(1, 199)} {name} {kind}")


def title(source: Source) -> Value:
    """Return the title of a text, a film or an event."""
    lists = (*["title_words"] * 5, "common_words")
    words = [
        source.word(source.pick(lists)) if source.chance(0.96) else pseudo_word(source)
        for _ in range(3)
    ]
    first, second, third = words
    text = source.pick(
        (
            f"the {first} of the {second}",
            f"{first} and {second}",
            f"my {first} {second}",
            f"a {first} for every {second}",
            f"{first} {second}",
            f"how the {first} changed the {second}",
            f"{first} in the {second}",
            f"last {first} before {second}",
            f"why {first} matters",
            f"{source.between(3, 12)} {first} that {second} needs",
            f"{first}, {second} and {third}",
            f"what {first} taught me about {second}",
            f"{first}? {second}!",
            f"it's {first} & {second}",
        )
    )
    return Value(text.title() if source.chance(0.5) else text[0].upper() + text[1:])


def job(source: Source) -> Value:
    """Return a job title."""
    level = f"{source.word('role_levels')} " if source.chance(0.7) else ""
    text = level + source.word("roles")
    return Value(text.title() if source.chance(0.3) else text)


def listed_word(source: Source, words: str) -> Value:
    """Return a word of a list, now and then a pseudo-word."""
    return Value(source.word(words) if source.chance(0.85) else pseudo_word(source))


def medicine(source: Source) -> Value:
    """Return the name of a medicine."""
    ending = source.pick(("ol", "in", "ex", "ax", "ine", "cor", "mid", "pril"))
    return Value(pseudo_word(source).capitalize() + ending)
