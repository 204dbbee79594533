"""Examples of several objects: posts in one text, and tables."""

from collections.abc import Sequence

from embedded_training import questions
from embedded_training.asking import (
    ROW_NAMES,
    Example,
    ask,
    list_example,
    with_instruction,
)
from embedded_training.passages import Passage, make_plan, write_passage
from embedded_training.questions import nest
from embedded_training.randomness import Source
from embedded_training.tables import concepts, domains


def rows_example(source: Source) -> Example:
    """Return several passages in one text, asked for as rows."""
    domain = source.pick((*domains(), *["post"] * 12, "review", "order", "bank"))
    n_passages = source.pick((1, 2, 2, 2, 2, 3, 3, 3, 4, 5))
    plan = make_plan(source, domain, n_passages=n_passages)
    written = [write_passage(source, plan) for _ in range(n_passages)]
    asked = ask(source, plan, written)
    if len(asked) > 3 and source.chance(0.08):
        asked = nest(source, asked)
    text = _in_one_text(source, [passage.text for passage in written])
    return list_example(source, with_instruction(source, text, domain, asked), domain, asked)


def _in_one_text(source: Source, texts: Sequence[str]) -> str:
    """Return the texts as paragraphs, list items or a numbered list."""
    dice = source.rng.random()
    has_lines = any("\n" in text for text in texts)
    if (has_lines and dice < 0.7) or dice < 0.3:
        return source.pick(("\n\n", "\n\n", "\n---\n", "\n\n\n", "\n***\n")).join(texts)
    if dice < 0.6:
        return "\n".join(texts)
    if dice < 0.7:
        bullet = source.pick("-*•")
        return "\n".join(f"{bullet} {text}" for text in texts)
    if dice < 0.85:
        mark = source.pick((". ", ") ", ": "))
        return "\n".join(f"{number}{mark}{text}" for number, text in enumerate(texts, 1))
    if dice < 0.92:
        word = source.pick(("Post", "Item", "Entry", "No.", "#", "Text"))
        return "\n".join(f"{word} {number}: {text}" for number, text in enumerate(texts, 1))
    return source.pick((" / ", " || ", "; ", " ")).join(texts)


def table_example(source: Source) -> Example:
    """Return a small table with or without a head line, asked for as rows."""
    domain = source.pick(tuple(name for name in domains() if name in ROW_NAMES))
    slots = source.rng.sample(domains()[domain].slots, source.between(2, 4))
    n_rows = source.between(1, 5)
    written = [
        Passage(values={slot: concepts()[slot].make(source) for slot in slots})
        for _ in range(n_rows)
    ]
    texts = [[passage.values[slot].text for slot in slots] for passage in written]
    separators = (" | ", "\t", ";", " ; ", ",", ", ")
    has_comma = any("," in cell or ";" in cell for row in texts for cell in row)
    separator = source.pick(separators[:2] if has_comma else separators)
    asked = [questions.ask_slot(source, slot, written) for slot in slots]
    heads = [question.field.name for question in asked]
    if len({name.lower() for name in heads}) < len(heads):
        return table_example(source)
    lines = [separator.join(row) for row in texts]
    if source.chance(0.75):
        lines.insert(0, separator.join(heads))
    if separator == " | " and source.chance(0.5):
        lines = [f"| {line} |" for line in lines]
    kept = source.rng.sample(asked, source.between(1, len(asked)))
    return list_example(
        source, with_instruction(source, "\n".join(lines), domain, kept), domain, kept
    )
