"""Envelopes: what stands around a text, such as a letter's head and signature, a chat or a page.

An envelope carries values of its own. They can be asked for, and they are what a model must not
confuse with the values of the text within.
"""

from collections.abc import Callable, Mapping
from functools import cache

from embedded_training.passages import Passage, choose, fill
from embedded_training.randomness import Source, read_table
from embedded_training.tables import Cues
from embedded_training.wording import filler, one_of_many


@cache
def envelopes() -> Mapping[str, Cues]:
    """Return the envelopes of one record, of several rows and of none, and the asides."""
    return {
        name: Cues(tuple(entry["wholes"]), tuple(entry["held_out_wholes"]))
        for name, entry in read_table("envelopes").items()
    }


def enclosed(source: Source, passage: Passage) -> Passage:
    """Return the passage in an envelope; its values are added to those of the passage."""
    outer = Passage(values=dict(passage.values))
    outer.text = _written(source, "single", outer, {"body": passage.text})
    passage.values, passage.text = outer.values, outer.text
    return passage


def enclosed_rows(source: Source, body: str, noun: str, n_rows: int) -> Passage:
    """Return an envelope around rows, with the values that it carries itself."""
    outer = Passage()
    outer.text = _written(
        source,
        "rows",
        outer,
        {"body": body, "noun": _as_title(source, noun), "n_rows": str(n_rows)},
    )
    return outer


def without_rows(source: Source, noun: str) -> Passage:
    """Return a text that says that there are no rows."""
    outer = Passage()
    outer.text = _written(source, "none", outer, {"noun": noun})
    return outer


def with_aside(source: Source, passage: Passage) -> Passage:
    """Return the passage with a sentence beside the matter, before or behind its text."""
    aside = _written(source, "aside", passage, {})
    parts = [passage.text, aside] if source.chance(0.7) else [aside, passage.text]
    separator = "\n" if "\n" in passage.text else source.pick((" ", ". ", "\n", " - "))
    passage.text = separator.join(parts).replace("?. ", "? ").replace("!. ", "! ")
    return passage


def _as_title(source: Source, noun: str) -> str:
    styles: tuple[Callable[[str], str], ...] = (str, str, str, str.capitalize, str.upper)
    return source.pick(styles)(noun)


def _written(source: Source, kind: str, outer: Passage, inserts: Mapping[str, str]) -> str:
    template = one_of_many(source, choose(source, envelopes()[kind]))
    # A body may have signs in it that look like marks, so it is put in last.
    marks = {name: f"\1{index}" for index, name in enumerate(inserts)}
    for name, mark in marks.items():
        template = template.replace("{" + name + "}", mark)
    text = fill(source, template, outer)
    while "{say}" in text:
        text = text.replace("{say}", filler(source), 1)
    for name, mark in marks.items():
        text = text.replace(mark, inserts[name])
    return text
