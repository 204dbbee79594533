"""Sentences that carry a whole collection, a list of numbers or pairs, and the question for it."""

from embedded_training.field_names import name_field, styled
from embedded_training.forms import LABEL_LAYOUTS
from embedded_training.passages import choose, enumerated
from embedded_training.quantities import UNITS, clock_time, count, date, measure
from embedded_training.questions import Question
from embedded_training.randomness import Source, Value, pseudo_word, read_table
from embedded_training.schemas import Field
from embedded_training.tables import Cues, Naming
from embedded_training.values import value_maker
from embedded_training.wording import one_of_many

PAIR_LAYOUTS = (
    "KEY: VALUE", "KEY: VALUE", "KEY VALUE", "KEY = VALUE", "KEY=VALUE", "KEY (VALUE)",
    "KEY - VALUE", "VALUE for KEY", "KEY at VALUE",
)  # fmt: skip
HELD_OUT_PAIR_LAYOUTS = ("KEY -> VALUE", "for KEY VALUE")


def ask_mapping(source: Source) -> tuple[str, Question]:
    """Return a text of pairs and the question for all of them as one object with free keys."""
    entry = read_table("mappings")[source.pick(tuple(read_table("mappings")))]
    keys = {_key(source, entry["keys"]) for _ in range(source.between(1, 4))}
    if entry["value"] == "word":
        pairs = {key: Value(source.word("colors")) for key in sorted(keys)}
    else:
        make = value_maker(entry)
        pairs = {key: make(source) for key in sorted(keys)}
    as_number = all(value.number is not None for value in pairs.values()) and source.chance(0.75)
    whole = all(isinstance(value.number, int) for value in pairs.values())
    members = ("int" if whole and source.chance(0.6) else "float") if as_number else "str"
    layouts = HELD_OUT_PAIR_LAYOUTS if source.held_out.templates else PAIR_LAYOUTS
    layout = source.pick(layouts)
    texts = [layout.replace("KEY", key).replace("VALUE", v.written) for key, v in pairs.items()]
    cues = Cues(tuple(entry["cues"]), tuple(entry["held_out_cues"]))
    cue = one_of_many(source, choose(source, cues))
    name, description = name_field(source, Naming.read(entry))
    answer = {key: value.number if as_number else value.written for key, value in pairs.items()}
    field = Field(name, "dict", description, members=members)
    return cue.replace("{x}", enumerated(source, "", texts)), Question(field, (answer,))


def _key(source: Source, words: str) -> str:
    return pseudo_word(source) if source.chance(0.3) else source.word(words)


LISTS = (
    ("int", "numbers scores counts readings points ids"),
    ("int", "quantities ages sizes lengths pages minutes"),
    ("float", "values measurements prices amounts temperatures"),
    ("float", "weights sums costs rates totals"),
    ("date", "dates days meeting_dates deadlines available_on"),
    ("time", "times slots departures start_times"),
)


def ask_list_of_numbers(source: Source) -> tuple[str, Question]:
    """Return a text of numbers, days or times and the question for all of them."""
    members, names = source.pick(LISTS)
    values = [_member(source, members) for _ in range(source.between(1, 5))]
    answers = {"int": "number", "float": "number", "date": "date", "time": "time"}[members]
    items = [getattr(value, answers) for value in values]
    name = styled(source, source.pick(names.split()))
    texts = [value.text for value in values]
    if members in ("int", "float"):
        unit = source.pick(("", source.pick(UNITS)))
        texts = [text + unit for text in texts]
    text = source.pick(LABEL_LAYOUTS).replace("LABEL", source.pick(names.split()).replace("_", " "))
    separator = source.pick((", ", "; ", " / ", " | ", "\n"))
    text = text.replace("VALUE", separator.join(texts))
    if None in items:
        return text, Question(Field(name, "list"), (texts,))
    return text, Question(Field(name, "list", members=members), (items,))


def _member(source: Source, members: str) -> Value:
    if members == "date":
        return date(source)
    if members == "time":
        return clock_time(source)
    if members == "float":
        return measure(source, 0, 99)
    value = count(source, 0, 400)
    return Value(str(value.number), number=value.number)
