"""Random choices and random words, from a seed.

Evaluation has word pools of its own; a `Source` knows which pools it may draw from.
"""

import random
import string
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cache
from pathlib import Path
from typing import Any, Self, TypeVar

T = TypeVar("T")

ACCENTED = "äöüßéèêàâçñóíáúøåæëïôłžšč"
TABLES = Path(__file__).parent / "tables"


# How a column that is one string is taken apart; others have one item on each line.
_SEPARATORS: Mapping[str, str | None] = {
    "names": None,
    "held_out_names": None,
    "descriptions": ";",
    "held_out_descriptions": ";",
    "labels": ",",
    "usual": ",",
    "held_out": ",",
    "things": ",",
    "flags": None,
    "flag_descriptions": ";",
}


@cache
def read_table(name: str) -> Mapping[str, Any]:
    """Return the table `tables/<name>.toml` together with those in the folder `tables/<name>/`.

    An entry may be spread over several files: its columns are put together.
    """
    table: dict[str, Any] = {}
    for path in (TABLES / f"{name}.toml", *sorted((TABLES / name).glob("*.toml"))):
        if path.exists():
            _add_columns(table, tomllib.loads(path.read_text(encoding="utf-8")))
    return table


def _add_columns(table: dict[str, Any], other: Mapping[str, Any]) -> None:
    for key, value in other.items():
        if isinstance(value, dict):
            _add_columns(table.setdefault(key, {}), value)
        elif isinstance(value, str):
            read = _column(key, value)
            table[key] = table.get(key, []) + read if isinstance(read, list) else read
        else:
            table[key] = table.get(key, []) + value if isinstance(value, list) else value


def _column(key: str, text: str) -> list[str] | str:
    """Return the items of a column that is written as one string, or the string as it is."""
    if key in _SEPARATORS:
        parts = text.split(_SEPARATORS[key])
        return [part.strip() for part in parts if part.strip()]
    if "\n" not in text and not key.endswith(("cues", "wholes", "rows")):
        return text
    return [line.strip().replace("\\n", "\n") for line in text.splitlines() if line.strip()]


@dataclass(frozen=True, slots=True)
class WordPool:
    """The words of a list: those of the training and those kept for evaluation."""

    usual: tuple[str, ...]
    held_out: tuple[str, ...]


@cache
def word_pools() -> Mapping[str, WordPool]:
    """Return the lists of `tables/words.toml` by name."""
    return {
        name: WordPool(tuple(entry["usual"]), tuple(entry.get("held_out", ())))
        for name, entry in read_table("words").items()
    }


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Which pools an example is drawn from: the training ones, or those kept for evaluation."""

    values: bool = False
    templates: bool = False
    names: bool = False
    domains: bool = False


@dataclass(frozen=True, slots=True)
class Habits:
    """What the values of one text have in common, as shares between 0 and 1.

    Most dates of a text are near one `day` and written in one way, its amounts are in one currency
    and of one order of magnitude (`dearness`).
    """

    day: float
    date_layout: float
    time_layout: float
    currency: float
    money_layout: float
    dearness: float

    @classmethod
    def drawn(cls, rng: random.Random) -> Self:
        """Return new habits."""
        return cls(*(rng.random() for _ in fields(cls)))


@dataclass(frozen=True, slots=True)
class Source:
    """A seeded source of randomness and the pools that it may draw from."""

    rng: random.Random
    habits: Habits
    held_out: HeldOut = field(default_factory=HeldOut)

    @classmethod
    def seeded(cls, seed: int | str, held_out: HeldOut | None = None) -> Self:
        """Return a source; two sources with one seed draw the same."""
        rng = random.Random(seed)
        return cls(rng, Habits.drawn(rng), held_out or HeldOut())

    def chance(self, probability: float) -> bool:
        """Return True with this probability."""
        return self.rng.random() < probability

    def pick(self, options: Sequence[T]) -> T:
        """Return one of the options, each as likely as the others."""
        return options[int(self.rng.random() * len(options))]

    def pick_usual(self, options: Sequence[T], habit: float) -> T:
        """Return the option of a habit, which is from 0 to 1, or in a tenth of the cases any."""
        return options[int(habit * len(options))] if self.chance(0.9) else self.pick(options)

    def between(self, low: int, high: int) -> int:
        """Return a whole number from `low` to `high`, both included."""
        return low + int(self.rng.random() * (high - low + 1))

    def word(self, list_name: str) -> str:
        """Return a word of a list in `tables/words.toml`; a held-out one in half of the cases."""
        words = word_pools()[list_name]
        if self.held_out.values and words.held_out and self.chance(0.5):
            return self.pick(words.held_out)
        return self.pick(words.usual)


@dataclass(frozen=True, slots=True)
class Value:
    """A random value: `text` is the answer as a text, the others are its other JSON forms.

    `moment` is a date and a time together. `shown` is the text with what stands around it but does
    not belong to it, such as a title, a unit or a number sign.
    """

    text: str
    number: int | float | None = None
    date: str | None = None
    currency: str | None = None
    topic: str | None = None
    time: str | None = None
    moment: str | None = None
    shown: str | None = None

    @property
    def written(self) -> str:
        """The value as it stands in a text."""
        return self.shown or self.text

    def bare(self) -> "Value":
        """Return the value without anything around it."""
        return replace(self, shown=None) if self.shown else self


def pseudo_word(source: Source, n_syllables: int | None = None) -> str:
    """Return a word that most likely does not exist, in lower case in most cases."""
    n_syllables = n_syllables or source.pick((2, 2, 3, 3, 4))
    dice = source.rng.random()
    if dice < 0.55:
        return "".join(source.word("syllables") for _ in range(n_syllables))
    if dice < 0.78:
        return "".join(
            source.word("onsets") + source.word("nuclei") + source.word("codas")
            for _ in range(max(1, n_syllables - 1))
        )
    if dice < 0.97:
        return "".join(source.word("word_parts") for _ in range(source.pick((1, 1, 2, 3))))
    if dice < 0.985:
        return "".join(source.pick(string.ascii_lowercase + ACCENTED) for _ in range(5))
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
