"""What a schema calls a field and how it describes it."""

from collections.abc import Iterable

from embedded_training.randomness import Source
from embedded_training.tables import Naming, held_out_names

# Wrappings of names and descriptions, so that neither is learnt by heart.
AFFIXES = (
    "*_text", "*_value", "the_*", "*_str", "*_field", "this_*", "*_info", "my_*", "main_*", "*_1",
    "extracted_*", "found_*", "*_in_text", "post_*", "item_*", "order_*", "source_*", "*_raw",
)  # fmt: skip
PHRASES = (
    "*", "*, as written", "* in the text", "extract *", "*, if any", "tell *", "*?",
    "* (as in the text)", "here: *",
)  # fmt: skip
NAME_PHRASES = (
    "the *", "the * in the text", "* as written", "extract the *", "what is the *",
    "* of this entry", "value of the *", "find the *", "a *", "the exact *",
    "* mentioned in the text",
)  # fmt: skip
OPAQUE_NAMES = [
    "f1",
    "f2",
    "f3",
    "field1",
    "field2",
    "field_a",
    "col1",
    "col2",
    "a",
    "b",
    "x",
    "y",
    "value",
    "key",
    "slot1",
    "out",
    "result",
    "answer",
    "item1",
    "q1",
    "q2",
]


def styled(source: Source, name: str) -> str:
    """Return the name in one of the usual spellings of field names."""
    dice = source.rng.random()
    words = name.split("_")
    if dice < 0.84:
        return name
    if dice < 0.93:
        return words[0] + "".join(word.capitalize() for word in words[1:])
    if dice < 0.97:
        return "_".join(word.capitalize() for word in words)
    return name.upper()


def name_field(
    source: Source, naming: Naming, *, ambiguous: Iterable[str] = (), describe: float = 0.3
) -> tuple[str, str]:
    """Return a name and a description, empty in most cases.

    An `ambiguous` name, which fits several values of the text, always gets a description.
    """
    held_out = source.held_out.names
    names = naming.held_out_names if held_out and naming.held_out_names else naming.names
    texts = naming.descriptions
    if held_out and naming.held_out_descriptions:
        texts = naming.held_out_descriptions
    clear = [name for name in names if name not in ambiguous]
    name, description = source.pick(clear if clear and source.chance(0.8) else names), ""
    unclear = name in ambiguous
    if unclear and not texts:
        name = names[0]
    if texts and (unclear or source.chance(describe)):
        description = source.pick(texts)
    if not held_out:
        name, description = _wrapped(source, name, description, naming)
    if texts and source.chance(0.015):
        name, description = source.pick(OPAQUE_NAMES), description or source.pick(texts)
    return styled(source, name), description


def _wrapped(source: Source, name: str, description: str, naming: Naming) -> tuple[str, str]:
    wrapped = source.pick(AFFIXES).replace("*", name) if source.chance(0.06) else name
    if wrapped in held_out_names():
        wrapped = name
    if description and source.chance(0.3):
        description = source.pick(PHRASES).replace("*", description)
    elif not description and source.chance(0.1):
        words = source.pick((naming.names[0], name)).replace("_", " ")
        description = source.pick(NAME_PHRASES).replace("*", words)
    return wrapped, description
