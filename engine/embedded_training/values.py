"""Random values, as they stand in a text and as a JSON schema may ask for them.

Nearly all of them are new: names from syllables, random codes, numbers and dates. A model can
answer only by copying from the text, which is what it is meant to learn.
"""

import datetime
import random
import string
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")

TABLES = Path(__file__).parent / "tables"


@cache
def read_table(name: str) -> Mapping[str, Any]:
    """Return the table `tables/<name>.toml`."""
    return tomllib.loads((TABLES / f"{name}.toml").read_text(encoding="utf-8"))


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Which pools an example is drawn from: the training ones, or those kept for evaluation."""

    values: bool = False
    templates: bool = False
    names: bool = False


@dataclass(frozen=True, slots=True)
class Source:
    """A seeded source of randomness and the pools that it may draw from."""

    rng: random.Random
    held_out: HeldOut = field(default_factory=HeldOut)

    def chance(self, probability: float) -> bool:
        """Return True with this probability."""
        return self.rng.random() < probability

    def pick(self, options: Sequence[T]) -> T:
        """Return one of the options, each as likely as the others."""
        return options[int(self.rng.random() * len(options))]

    def between(self, low: int, high: int) -> int:
        """Return a whole number from `low` to `high`, both included."""
        return low + int(self.rng.random() * (high - low + 1))

    def word(self, list_name: str) -> str:
        """Return a word of a list in `tables/words.toml`; a held-out one in half of the cases."""
        words = read_table("words")[list_name]
        if self.held_out.values and words["held_out"] and self.chance(0.5):
            return self.pick(words["held_out"])
        return self.pick(words["usual"])


@dataclass(frozen=True, slots=True)
class Value:
    """A random value: `text` is how it stands in a text, the others are its JSON forms."""

    text: str
    number: int | float | None = None
    date: str | None = None
    currency: str | None = None
    topic: str | None = None


ValueMaker = Callable[[Source], Value]

SYLLABLES = [
    "ba",
    "be",
    "bi",
    "bo",
    "bu",
    "da",
    "de",
    "di",
    "do",
    "du",
    "fa",
    "fe",
    "fi",
    "ga",
    "ge",
    "gi",
    "go",
    "gu",
    "ha",
    "he",
    "hi",
    "ho",
    "ja",
    "jo",
    "ka",
    "ke",
    "ki",
    "ko",
    "ku",
    "la",
    "le",
    "li",
    "lo",
    "lu",
    "ma",
    "me",
    "mi",
    "mo",
    "mu",
    "na",
    "ne",
    "ni",
    "no",
    "nu",
    "pa",
    "pe",
    "pi",
    "po",
    "ra",
    "re",
    "ri",
    "ro",
    "ru",
    "sa",
    "se",
    "si",
    "so",
    "su",
    "ta",
    "te",
    "ti",
    "to",
    "tu",
    "va",
    "ve",
    "vi",
    "vo",
    "wa",
    "we",
    "wi",
    "ya",
    "yo",
    "za",
    "ze",
    "zi",
    "zo",
    "bra",
    "dra",
    "kra",
    "tri",
    "gro",
    "plo",
    "sha",
    "she",
    "cha",
    "tho",
    "qua",
    "vy",
    "xe",
    "ael",
    "ior",
    "und",
    "enn",
    "olm",
    "art",
    "ess",
    "ick",
    "ost",
    "ald",
    "ung",
]
ONSETS = [
    "b",
    "c",
    "d",
    "f",
    "g",
    "h",
    "j",
    "k",
    "l",
    "m",
    "n",
    "p",
    "r",
    "s",
    "t",
    "v",
    "w",
    "z",
    "bl",
    "br",
    "ch",
    "cl",
    "cr",
    "dr",
    "fl",
    "fr",
    "gl",
    "gr",
    "kl",
    "kn",
    "kr",
    "ph",
    "pl",
    "pr",
    "qu",
    "sc",
    "sh",
    "sk",
    "sl",
    "sm",
    "sn",
    "sp",
    "st",
    "str",
    "sw",
    "th",
    "tr",
    "tw",
    "wh",
    "wr",
    "sch",
    "zh",
    "x",
    "y",
]
NUCLEI = [
    "a",
    "e",
    "i",
    "o",
    "u",
    "a",
    "e",
    "i",
    "o",
    "u",
    "ai",
    "au",
    "ea",
    "ee",
    "ei",
    "eu",
    "ia",
    "ie",
    "io",
    "oa",
    "oi",
    "oo",
    "ou",
    "ua",
    "ue",
    "y",
]
CODAS = [
    *("", "", "", ""),
    *[
        "n",
        "r",
        "s",
        "l",
        "t",
        "m",
        "ck",
        "d",
        "g",
        "k",
        "nd",
        "ng",
        "nt",
        "rd",
        "rk",
        "rn",
        "rt",
        "sh",
        "st",
        "th",
        "tz",
        "x",
        "ss",
        "ll",
        "ff",
        "lm",
        "ld",
        "rs",
        "ns",
        "p",
        "z",
        "b",
        "ch",
    ],
]
MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
WEEKDAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
NUMBER_WORDS = [
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
]
CURRENCIES = (
    ("$", "USD", "dollars"),
    ("$", "USD", "bucks"),
    ("€", "EUR", "euros"),
    ("£", "GBP", "pounds"),
)


def pseudo_word(source: Source, n_syllables: int | None = None) -> str:
    """Return a word that most likely does not exist, in lower case."""
    n_syllables = n_syllables or source.pick((2, 2, 3, 3, 4))
    dice = source.rng.random()
    if dice < 0.5:
        return "".join(source.pick(SYLLABLES) for _ in range(n_syllables))
    if dice < 0.93:
        return "".join(
            source.pick(ONSETS) + source.pick(NUCLEI) + source.pick(CODAS)
            for _ in range(max(1, n_syllables - 1))
        )
    # A few strings without any rule, so that no token is new to the copying heads.
    return letters(source, source.between(2, 8)).lower()


def letters(source: Source, count: int) -> str:
    """Return random capital letters."""
    return "".join(source.pick(string.ascii_uppercase) for _ in range(count))


def digits(source: Source, count: int) -> str:
    """Return random digits."""
    return "".join(source.pick(string.digits) for _ in range(count))


def known_or_pseudo(source: Source, list_name: str, p_pseudo: float) -> str:
    """Return a listed word or, with probability `p_pseudo`, a capitalised pseudo-word."""
    if source.chance(p_pseudo):
        return pseudo_word(source).capitalize()
    return source.word(list_name)


def person(source: Source) -> Value:
    """Return the name of a person: mostly first and last name."""
    first = known_or_pseudo(source, "first_names", 0.35)
    last = known_or_pseudo(source, "last_names", 0.5)
    dice = source.rng.random()
    if dice < 0.16:
        return Value(first)
    if dice < 0.23:
        return Value(f"{first[0]}. {last}")
    if dice < 0.29:
        return Value(f"{source.pick(('Dr.', 'Mr.', 'Ms.', 'Mrs.', 'Prof.'))} {last}")
    if dice < 0.35:
        return Value(f"{first} {source.pick(string.ascii_uppercase)}. {last}")
    if dice < 0.39:
        return Value(f"{first} {last}-{known_or_pseudo(source, 'last_names', 0.5)}")
    return Value(f"{first} {last}")


def bare_handle(source: Source) -> Value:
    """Return a user name without an at sign."""
    name = source.word("first_names").lower() if source.chance(0.4) else pseudo_word(source)
    if source.chance(0.15):
        name = source.word("common_words")
    dice = source.rng.random()
    if dice < 0.25:
        name += digits(source, source.between(1, 4))
    elif dice < 0.45:
        name += source.pick("_.-_") + pseudo_word(source, 2)
    elif dice < 0.55:
        name = (
            source.pick(("the", "mr", "real", "its", "just", "dj"))
            + source.pick("_ ").strip()
            + name
        )
    elif dice < 0.65:
        name += "_" + source.pick((*string.ascii_lowercase, source.word("title_words")))
    elif dice < 0.7:
        name = name.capitalize() + source.word("title_words").capitalize()
    return Value(name)


def handle(source: Source) -> Value:
    """Return a user name, mostly with an at sign."""
    name = bare_handle(source).text
    return Value(f"@{name}" if source.chance(0.75) else name)


def author(source: Source) -> Value:
    """Return whoever signs a post: a handle or a name."""
    return handle(source) if source.chance(0.5) else person(source)


def domain_name(source: Source) -> str:
    """Return an internet domain."""
    dice = source.rng.random()
    if dice < 0.45:
        name = pseudo_word(source)
    elif dice < 0.6:
        name = (source.word("company_words") + source.word("title_words")).lower()
    elif dice < 0.9:
        name = source.word("common_words")
    else:
        name = f"{source.word('common_words')}.{source.word('common_words')}"
    if source.chance(0.15):
        name += "-" + pseudo_word(source, 2)
    if source.chance(0.05):
        name = source.pick(string.ascii_lowercase)
    return f"{name}.{source.word('top_level_domains')}"


def email(source: Source) -> Value:
    """Return an email address."""
    user = bare_handle(source).text.lower()
    if source.chance(0.45):
        first = known_or_pseudo(source, "first_names", 0.5)
        last = known_or_pseudo(source, "last_names", 0.5)
        user = (first + source.pick((".", "_", "", ".")) + last).lower()
    return Value(f"{user}@{domain_name(source)}")


def url(source: Source) -> Value:
    """Return a web address, in most cases with its scheme."""
    prefix = source.pick(
        ("https://", "https://", "https://", "https://", "http://", "www.", "https://www.")
    )
    address = prefix + domain_name(source)
    for _ in range(source.pick((0, 1, 1, 1, 2, 2))):
        address += "/" + source.pick(
            (
                pseudo_word(source),
                source.word("title_words"),
                digits(source, source.between(1, 6)),
                source.word("title_words") + "-" + source.word("title_words"),
                source.word("common_words"),
                source.word("common_words") + source.pick("-_/") + source.word("common_words"),
                letters(source, 2).lower() + digits(source, 2) + letters(source, 1),
            )
        )
    if source.chance(0.12):
        address += f"?{source.pick(('id', 'p', 'ref', 'q'))}={source.between(1, 9999)}"
    return Value(address)


def phone(source: Source) -> Value:
    """Return a telephone number in one of several layouts."""
    layout = source.pick(
        (
            "+## ### ### ###",
            "(###) ###-####",
            "###-###-####",
            "+## ## #### ####",
            "0### ######",
            "555-####",
            "+1 ### ### ####",
            "0## ### ## ##",
            "+## ###########",
        )
    )
    return Value("".join(source.pick("123456789") if sign == "#" else sign for sign in layout))


def _ordinal(day: int) -> str:
    suffix = "th" if 10 < day < 14 else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")
    return f"{day}{suffix}"


def _date_layouts(day: datetime.date) -> list[str]:
    """Return the ways to write a date; frequent ones occur more than once."""
    month, short = MONTHS[day.month - 1], MONTHS[day.month - 1][:3]
    weekday = WEEKDAYS[day.weekday()]
    iso = day.isoformat()
    layouts = [
        *(iso, iso, iso, iso),
        *[f"{month} {day.day}, {day.year}"] * 3,
        *[f"{day.day} {month} {day.year}"] * 4,
        *[f"{day.day} {short} {day.year}"] * 2,
        *[f"{short} {day.day}, {day.year}"] * 2,
        f"{day.day:02d} {short} {day.year}",
        f"{short} {day.day} {day.year}",
        f"{month} {_ordinal(day.day)}, {day.year}",
        f"{_ordinal(day.day)} {month} {day.year}",
        f"{_ordinal(day.day)} of {month} {day.year}",
        f"{weekday}, {day.day} {month} {day.year}",
        f"{weekday[:3]}, {short} {day.day}, {day.year}",
        f"{day.day}. {month} {day.year}",
        f"{day.day:02d}.{day.month:02d}.{day.year}",
        f"{day.day}.{day.month}.{day.year}",
        f"{day.year}/{day.month:02d}/{day.day:02d}",
        f"{day.day:02d}-{short}-{day.year}",
    ]
    if day.day > 12:  # only then is the order of day and month beyond doubt
        layouts += [
            f"{day.day:02d}/{day.month:02d}/{day.year}",
            f"{day.month:02d}/{day.day:02d}/{day.year}",
        ]
    return layouts


def date(source: Source) -> Value:
    """Return a day between 2012 and 2032 in one of many layouts."""
    first = datetime.date(2012, 1, 1).toordinal()
    day = datetime.date.fromordinal(first + source.between(0, 7600))
    if source.chance(0.4):
        day = day.replace(year=source.pick((2023, 2024, 2025, 2026)), day=min(day.day, 28))
    return Value(source.pick(_date_layouts(day)), date=day.isoformat())


def clock_time(source: Source) -> Value:
    """Return a time of day."""
    hour = source.between(0, 23)
    minute = source.pick((0, 0, 15, 30, 45, source.between(0, 59)))
    half = "am" if hour < 12 else "pm"
    return Value(
        source.pick(
            (
                f"{hour:02d}:{minute:02d}",
                f"{hour:02d}:{minute:02d}",
                f"{hour % 12 or 12}:{minute:02d} {half}",
                f"{hour % 12 or 12}{half}",
            )
        )
    )


def plain_number(amount: float) -> int | float:
    """Return the number as JSON writes it shortest: 49 for 49.0, 49.9 for 49.90."""
    return int(amount) if amount == int(amount) else amount


def _cents(source: Source) -> int:
    """Return an amount of money in cents, small ones more often than large ones."""
    dice = source.rng.random()
    if dice < 0.35:
        return source.between(100, 9999)
    if dice < 0.6:
        return 100 * source.pick(
            (source.between(1, 99), source.between(10, 999), 10 * source.between(2, 99))
        )
    if dice < 0.8:
        return source.between(10000, 99999)
    if dice < 0.9:
        return 100 * source.between(1000, 99999)
    return source.between(100000, 9999999)


def _written_amount(source: Source, cents: int) -> str:
    """Return the digits of an amount, in the English or now and then in the continental way."""
    whole, rest = divmod(cents, 100)
    grouped = f"{whole:,}" if source.chance(0.6) else str(whole)
    decimals = f".{rest:02d}" if rest or source.chance(0.25) else ""
    if source.chance(0.08):
        swap = str.maketrans(",.", ".,")
        return (grouped + (decimals or ".00")).translate(swap)
    return grouped + decimals


def money(source: Source) -> Value:
    """Return an amount of money with its currency."""
    cents = _cents(source)
    sign, code, word = source.pick(CURRENCIES)
    written = _written_amount(source, cents)
    if source.chance(0.03):
        cents = 100_000 * source.between(1, 90)
        written = f"{cents // 100_000}k"
    layouts = [*[f"{sign}{written}"] * 6, f"{written} {sign}", f"{written}{sign}"]
    layouts += [f"{written} {code}", f"{code} {written}", f"{written} {word}", f"{sign} {written}"]
    return Value(source.pick(layouts), number=plain_number(cents / 100), currency=code)


def count(source: Source, low: int, high: int) -> Value:
    """Return a whole number, now and then written as a word or with a thousands comma."""
    number = source.between(low, high if source.chance(0.5) else min(high, low + 19))
    text = f"{number:,}" if source.chance(0.5) else str(number)
    if 1 <= number <= 12 and source.chance(0.15):
        text = NUMBER_WORDS[number - 1]
    return Value(text, number=number)


def measure(source: Source, low: float, high: float) -> Value:
    """Return a measured number with one decimal or none."""
    number = source.rng.uniform(low, high)
    text = f"{number:.1f}" if source.chance(0.7) else str(int(number))
    return Value(text, number=plain_number(float(text)))


def code(source: Source) -> Value:
    """Return an identifier such as an order number."""
    layout = source.pick(
        (
            "AA-9999",
            "AAA99999",
            "999-99999",
            "A999999",
            "AA999-AA",
            "AAA-999-99",
            "999999",
            "#99999",
            "AA-99-A999",
            "AAA-9999",
            "9999",
            "#9999",
            "AA99 999 999",
            "A-99999",
            "AAAA-2024-999",
        )
    )
    return Value(_filled(source, layout))


def _filled(source: Source, layout: str) -> str:
    """Return the layout with each A replaced by a letter and each 9 by a digit."""
    fill = {"A": string.ascii_uppercase, "9": string.digits}
    return "".join(source.pick(fill[sign]) if sign in fill else sign for sign in layout)


def uuid(source: Source) -> Value:
    """Return a UUID."""
    return Value(
        "-".join(
            "".join(source.pick("0123456789abcdef") for _ in range(n)) for n in (8, 4, 4, 4, 12)
        )
    )


def coupon(source: Source) -> Value:
    """Return a voucher code."""
    percent = str(source.between(5, 90))
    return Value(
        source.pick(
            (
                pseudo_word(source, 2).upper() + percent,
                f"SAVE{percent}",
                pseudo_word(source).upper(),
            )
        )
    )


def flight(source: Source) -> Value:
    """Return a flight number."""
    return Value(letters(source, 2) + source.pick(("", " ")) + str(source.between(10, 9999)))


def version(source: Source) -> Value:
    """Return a software version."""
    parts = [str(source.between(0, 20)) for _ in range(source.pick((2, 3, 3)))]
    return Value(source.pick(("v", "", "")) + ".".join(parts))


def ip_address(source: Source) -> Value:
    """Return an IPv4 address."""
    return Value(".".join(str(source.between(1, 254)) for _ in range(4)))


def file_path(source: Source) -> Value:
    """Return the path of a file."""
    parts = [
        pseudo_word(source, 2) if source.chance(0.5) else source.word("title_words")
        for _ in range(source.between(1, 3))
    ]
    ending = source.pick(("txt", "log", "py", "csv", "pdf", "json", "cfg", "conf"))
    return Value(f"/{'/'.join(parts)}.{ending}")


def product(source: Source) -> Value:
    """Return the name of an article."""
    adjective, noun = source.word("product_adjectives"), source.word("products")
    brand = pseudo_word(source).capitalize()
    return Value(
        source.pick(
            (
                *[f"{adjective} {noun}"] * 3,
                *[f"{brand} {noun}"] * 2,
                f"{brand} {source.pick(string.ascii_uppercase)}{source.between(1, 900)}",
                f"{adjective.capitalize()} {noun.capitalize()}",
                f"{brand} {adjective} {noun}",
                noun,
                brand,
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
        brand = pseudo_word(source).capitalize()
        item = source.pick((f"{brand} {item}", f"{item} from {brand}", f"{item} by {brand}"))
    return Value(item, topic=topic)


def company(source: Source) -> Value:
    """Return the name of a company."""
    brand = pseudo_word(source).capitalize()
    word, suffix = source.word("company_words"), source.word("company_suffixes")
    return Value(
        source.pick(
            (
                *[f"{brand} {suffix}"] * 3,
                *[f"{word} {suffix}"] * 2,
                *[brand] * 2,
                f"{word}{brand}",
                f"{word} {brand}",
                f"{word} {brand} {suffix}",
                f"{brand} & {source.word('last_names')}",
                f"{source.word('last_names')} {suffix}",
            )
        )
    )


def city(source: Source) -> Value:
    """Return the name of a town."""
    return Value(known_or_pseudo(source, "cities", 0.35))


def country(source: Source) -> Value:
    """Return the name of a country."""
    known = source.chance(0.85)
    return Value(source.word("countries") if known else pseudo_word(source).capitalize() + "ia")


def street(source: Source) -> Value:
    """Return a street with its house number."""
    kind = source.pick(("Street", "Road", "Avenue", "Lane", "Square", "Way", "St", "Ave"))
    name = known_or_pseudo(source, "company_words", 0.6)
    return Value(f"{source.between(1, 199)} {name} {kind}")


def title(source: Source) -> Value:
    """Return the title of a text, a film or an event."""
    lists = ("title_words", "title_words", "common_words")
    words = [
        source.word(source.pick(lists)) if source.chance(0.75) else pseudo_word(source)
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
        )
    )
    return Value(text.title() if source.chance(0.5) else text[0].upper() + text[1:])


def job(source: Source) -> Value:
    """Return a job title."""
    level = f"{source.word('role_levels')} " if source.chance(0.7) else ""
    text = level + source.word("roles")
    return Value(text.title() if source.chance(0.3) else text)


def hashtag(source: Source) -> Value:
    """Return a hashtag."""
    return Value("#" + (pseudo_word(source) if source.chance(0.5) else source.word("title_words")))


def listed_word(source: Source, words: str) -> Value:
    """Return a word of a list, now and then a pseudo-word."""
    return Value(source.word(words) if source.chance(0.85) else pseudo_word(source))


VALUE_MAKERS: Mapping[str, ValueMaker] = {
    maker.__name__: maker
    for maker in (
        person, bare_handle, handle, author, email, url, phone, date, clock_time, money, code, uuid,
        coupon, flight, version, ip_address, file_path, product, thing, company, city, country,
        street, title, job, hashtag,
    )
}  # fmt: skip


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
