"""Wording: how one template becomes many sentences.

`<a|b>` in a template stands for one of the alternatives, which may be empty or hold others. The
other functions vary a sentence as people do: synonyms, openings, typing errors, capitals.
"""

import re
from collections.abc import Mapping, Sequence
from functools import cache

from embedded_training.randomness import Source, pseudo_word

SLOT = re.compile(r"\{([\w.]+)(?:~(\w+))?\}")

Part = str | tuple[tuple["Part", ...], ...]
"""A piece of a template: a text, or the alternatives for a place, each in pieces."""

# Ways to say the same; applied now and then so that no clause is learnt by heart.
PARAPHRASES: Mapping[str, tuple[str, ...]] = {
    "costs": ("is priced at", "sells for", "goes for", "comes to"),
    "bought": ("purchased", "got", "picked up", "has bought"),
    "ordered": ("requested", "asked for", "has ordered"),
    "arrive": ("come", "be there", "be delivered"),
    "sent": ("transferred", "wired", "passed"),
    "hosted by": ("organized by", "presented by", "run by"),
    "looking for": ("searching for", "seeking"),
    "posted": ("shared", "wrote", "published"),
    "wrote": ("posted", "said", "noted"),
    "starts": ("begins", "opens"),
    "call": ("phone", "ring"),
    "write to": ("mail", "email", "message"),
    "works at": ("is employed by", "is with"),
    "lives in": ("is based in", "comes from"),
    "beat": ("defeated", "won against"),
    "contact": ("reach", "ask"),
    "total": ("sum", "overall amount"),
    "arrives": ("comes", "is due to arrive"),
    "reported by": ("filed by", "found by"),
    "sold by": ("offered by", "from the shop"),
    "gave it": ("rated it", "left"),
    "pay": ("transfer", "remit"),
    "issued by": ("made out by", "sent by"),
    "on": ("dated",),
    "Dear": ("Hi", "Good day", "Hello"),
}
OPENINGS = (
    "also, ", "please note: ", "btw ", "today ", "again ", "so ", "well, ", "and ", "info: ",
    "update: ", "hey, ", "now ", "fyi ", "ok, ", "just so you know, ", "as far as I can see ",
)  # fmt: skip
ENDINGS = (
    " today", " as agreed", " again", " for sure", " now", " (new)", " please", " as usual",
    " I think", " if I am not mistaken", " so far", " (see above)",
)  # fmt: skip


@cache
def _parsed(template: str) -> tuple[Part, ...]:
    parts, end = _parse(template, 0, nested=False)
    return parts if end == len(template) else (*parts, template[end:])


def _parse(template: str, at: int, *, nested: bool) -> tuple[tuple[Part, ...], int]:
    """Return the pieces from `at` to the end of the alternative, and where that is."""
    parts: list[Part] = []
    text = ""
    while at < len(template):
        sign = template[at]
        if nested and sign in "|>":
            break
        if sign != "<" or ">" not in template[at:]:
            text, at = text + sign, at + 1
            continue
        alternatives = []
        while template[at] != ">":
            alternative, at = _parse(template, at + 1, nested=True)
            alternatives.append(alternative)
        parts, text, at = [*parts, text, tuple(alternatives)], "", at + 1
    return (*parts, text), at


_DROPPED = "\0"


def one_of_many(source: Source, template: str) -> str:
    """Replace each `<a|b>` by one of its alternatives."""
    text = _chosen(source, _parsed(template))
    if _DROPPED in text:
        # An alternative that is empty takes one of the blanks around it along.
        text = text.replace(f" {_DROPPED} ", " ").replace(_DROPPED, "").strip()
    return text.replace("&lt;", "<").replace("&gt;", ">") if "&" in text else text


def _chosen(source: Source, parts: Sequence[Part]) -> str:
    return "".join(
        part if isinstance(part, str) else _chosen(source, source.pick(part)) or _DROPPED
        for part in parts
    )


def varied(source: Source, clause: str) -> str:
    """Return the clause with a synonym, an opening, an ending or a typing error, now and then."""
    clause = one_of_many(source, clause)
    if source.held_out.templates:
        return clause
    if source.chance(0.3):
        known = [phrase for phrase in PARAPHRASES if f" {phrase} " in f" {clause} "]
        if known:
            phrase = source.pick(known)
            other = source.pick(PARAPHRASES[phrase])
            clause = f" {clause} ".replace(f" {phrase} ", f" {other} ", 1).strip()
    if source.chance(0.08):
        clause = source.pick(OPENINGS) + clause
    if source.chance(0.06):
        clause += source.pick(ENDINGS)
    return mistyped(source, clause) if source.chance(0.04) else clause


def mistyped(source: Source, clause: str) -> str:
    """Return the clause with one letter outside its slots dropped or doubled."""
    masked = SLOT.sub(lambda match: "_" * len(match[0]), clause)
    places = [index for index, sign in enumerate(masked) if sign.isalpha()]
    if len(places) < 5:
        return clause
    place = source.pick(places)
    twice = clause[place] * 2 if source.chance(0.5) else ""
    return clause[:place] + twice + clause[place + 1 :]


def lower_outside_slots(clause: str) -> str:
    """Return the clause in lower case, its slots as they are."""
    parts = re.split(r"(\{[^}]*\})", clause)
    return "".join(part if part.startswith("{") else part.lower() for part in parts)


def capitalised(source: Source, sentence: str) -> str:
    """Return the sentence with a capital at its beginning, in less than half of the cases."""
    return sentence if source.chance(0.6) else sentence[:1].upper() + sentence[1:]


def joined(source: Source, parts: Sequence[str]) -> str:
    """Return the parts as one text: sentences, lines or a list with some separator."""
    dice = source.rng.random()
    if dice < 0.45:
        ended = [
            part if part[-1:] in ".!?:,;" else part + source.pick((".", ".", ".", "!", ""))
            for part in parts[:-1]
        ]
        return " ".join([*ended, parts[-1]])
    separators = ((0.72, "\n"), (0.84, ", "), (0.89, " - "), (0.94, " | "), (1.0, "; "))
    return next(separator for limit, separator in separators if dice < limit).join(parts)


def filler(source: Source) -> str:
    """Return a sentence that answers no question."""
    dice = source.rng.random()
    if dice < 0.85:
        return one_of_many(source, source.word("fillers"))
    if dice < 0.91:
        words = [source.word("common_words") for _ in range(source.between(2, 9))]
        return capitalised(source, " ".join(words)) + source.pick((".", "!", "", "...", "?"))

    def noun() -> str:
        if source.chance(0.6):
            return source.word("title_words")
        return source.word("products") if source.chance(0.5) else pseudo_word(source)

    verb = source.word("verbs")
    sentence = source.pick(
        (
            f"the {noun()} {verb} a {noun()}",
            f"my {noun()} {verb} the {noun()} {noun()}",
            f"we {verb} the {noun()} and the {noun()}",
            f"no {noun()} without {noun()}",
            f"they {verb} {noun()} {noun()}",
            f"about the {noun()} in the {noun()}",
            f"it is a {noun()} for my {noun()}",
            f"every {noun()} {verb} some {noun()}",
        )
    )
    return capitalised(source, sentence) + source.pick((".", ".", "!", ""))
