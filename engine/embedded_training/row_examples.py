"""Examples of several objects: records in one text, and tables."""

from collections.abc import Sequence
from dataclasses import replace

from embedded_training import questions
from embedded_training.asking import Example, ask, list_example, row_names, with_instruction
from embedded_training.envelopes import enclosed_rows, without_rows
from embedded_training.forms import label_of
from embedded_training.passages import Passage, make_plan, write_passage
from embedded_training.questions import nest
from embedded_training.randomness import Source
from embedded_training.tables import concepts, domain_names, domains
from embedded_training.wording import filler

N_ROWS = (0, *[1] * 3, *[2] * 6, *[3] * 6, *[4] * 4, *[5] * 2, 6, 6, 7, 8)


def rows_example(source: Source) -> Example:
    """Return several passages in one text, asked for as rows; now and then there are none."""
    domain = source.pick(domain_names(held_out=source.held_out.domains))
    n_rows = source.pick(N_ROWS)
    plan = make_plan(source, domain, n_passages=max(2, n_rows))
    written = [write_passage(source, plan) for _ in range(max(1, n_rows))]
    name = source.pick(row_names(domain))
    text = _in_one_text(source, [passage.text for passage in written])
    outer = Passage(text)
    if n_rows == 0:
        outer = without_rows(source, name)
    elif source.chance(0.3):
        outer = enclosed_rows(source, text, name, n_rows)
    asked = ask(source, plan, written, around=outer)
    if len(asked) > 3 and source.chance(0.08):
        asked = nest(source, asked)
    if n_rows == 0:
        asked = [replace(question, answers=()) for question in asked]
    asked = asked[:3] if n_rows > 4 else asked
    about = [
        questions.ask_slot(source, slot, [outer], more=written)
        for slot in outer.values
        if source.chance(0.4)
    ]
    text = with_instruction(source, outer.text, domain, asked)
    return list_example(source, text, name, asked, around=about)


CONNECTIVES = (
    "Then ", "Also: ", "Next, ", "After that, ", "And ", "Besides, ",
    "Another one: ", "In addition, ",
    "Finally, ", "Next up: ", "plus ",
)  # fmt: skip


# How records stand in one text: what begins each of them, with its number, and what is between.
LAYOUTS = (
    *[("", "\n")] * 9, *[("", "\n\n")] * 2, ("- ", "\n"), ("- ", "\n"), ("* ", "\n"),
    ("• ", "\n"),
    ("– ", "\n"), ("+ ", "\n"), ("> ", "\n"), ("{n}. ", "\n"), ("{n}. ", "\n"), ("{n}) ", "\n"),
    ("{n}: ", "\n"), ("{n} - ", "\n"), ("No. {n}: ", "\n"), ("# {n}: ", "\n"), ("Item {n}: ", "\n"),
    ("<li>", "</li>\n"), ("", " / "), ("", " || "), ("", "; "), ("", ", "), ("", " + "),
    ("({n}) ", " "),
)  # fmt: skip
BLOCK_SEPARATORS = ("\n\n", "\n\n", "\n---\n", "\n\n\n", "\n***\n")


def _in_one_text(source: Source, texts: Sequence[str]) -> str:
    """Return the texts as paragraphs, list items, a numbered list or prose."""
    if any("\n" in text for text in texts) and source.chance(0.7):
        return source.pick(BLOCK_SEPARATORS).join(texts)
    if source.chance(0.15):
        return _as_prose(source, texts)
    mark, separator = source.pick(LAYOUTS)
    if not mark and "\n" in separator:
        texts = _with_asides(source, texts)
    marks = [mark.replace("{n}", str(number)) for number in range(1, len(texts) + 1)]
    return separator.join(mark + text for mark, text in zip(marks, texts, strict=True))


def _with_asides(source: Source, texts: Sequence[str]) -> list[str]:
    """Return the texts, now and then with a line between them that is no record."""
    lines = list(texts)
    if source.chance(0.15):
        lines.insert(source.between(0, len(lines)), filler(source))
    return lines


def _as_prose(source: Source, texts: Sequence[str]) -> str:
    """Return the texts as sentences of one paragraph."""
    sentences = []
    for index, text in enumerate(texts):
        opening = source.pick(CONNECTIVES) if index and source.chance(0.4) else ""
        sentences.append(opening + text + ("" if text[-1:] in ".!?" else "."))
    if source.chance(0.2):
        sentences.insert(source.between(0, len(sentences)), filler(source))
    if len(texts) > 1 and source.chance(0.2):
        return f"{', '.join(texts[:-1])} and {texts[-1]}"
    return " ".join(sentences)


def table_example(source: Source) -> Example:
    """Return a small table with or without a head line, asked for as rows."""
    names = [name for name in domain_names(held_out=source.held_out.domains) if name != "list"]
    domain = source.pick(names)
    slots = source.rng.sample(domains()[domain].slots, source.between(2, 4))
    n_rows = source.pick((1, 2, 2, 3, 3, 4, 4, 5, 6, 8))
    written = [
        Passage(
            values={
                slot: concepts()[slot].make(source)
                for slot in slots
                if slot == slots[0] or not source.chance(0.06)
            }
        )
        for _ in range(n_rows)
    ]
    asked = [questions.ask_slot(source, slot, written) for slot in slots]
    heads = [question.field.name for question in asked]
    if source.chance(0.5):
        heads = [label_of(source, slot) for slot in slots]
    if len({name.lower() for name in heads}) < len(heads):
        return table_example(source)
    cells = [_cells(source, passage, slots) for passage in written]
    text = _as_table(source, heads, cells)
    kept = source.rng.sample(asked, source.between(1, len(asked)))
    name = source.pick(row_names(domain))
    if source.chance(0.2):
        text = enclosed_rows(source, text, name, n_rows).text
    return list_example(source, with_instruction(source, text, domain, kept), name, kept)


def _cells(source: Source, passage: Passage, slots: Sequence[str]) -> list[str]:
    empty = source.pick(("-", "", "n/a", "?"))
    return [passage.values[slot].text if slot in passage.values else empty for slot in slots]


def _as_table(source: Source, heads: Sequence[str], cells: Sequence[Sequence[str]]) -> str:
    """Return a head line and rows, with one of the signs that separate cells."""
    rows = [heads, *cells] if source.chance(0.8) else cells
    layout = source.pick(TABLE_LAYOUTS)
    if layout == "html":
        lines = ["".join(f"<td>{cell}</td>" for cell in row) for row in rows]
        return "\n".join(f"<tr>{line}</tr>" for line in lines)
    if layout == "aligned":
        widths = [max(map(len, column)) + 2 for column in zip(*rows, strict=True)]
        padded = [map(str.ljust, row, widths) for row in rows]
        return "\n".join("".join(row).rstrip() for row in padded)
    if layout == "columns":
        columns = zip(heads, *cells, strict=True)
        return "\n".join(f"{head}: {' | '.join(column)}" for head, *column in columns)
    return _with_signs(source, rows, has_head=len(rows) > len(cells))


TABLE_LAYOUTS = ("html", "aligned", "columns", *["signs"] * 8)


def _with_signs(source: Source, rows: Sequence[Sequence[str]], *, has_head: bool) -> str:
    """Return rows whose cells are separated by a sign that no cell has."""
    has_comma = any("," in cell or ";" in cell for row in rows for cell in row)
    separators = (" | ", "\t", ";", " ; ", ",", ", ")
    separator = source.pick(separators[:2] if has_comma else separators)
    lines = [separator.join(row) for row in rows]
    if separator == " | " and source.chance(0.5):
        lines = [f"| {line} |" for line in lines]
        if has_head and source.chance(0.6):
            lines.insert(1, "|" + "---|" * len(rows[0]))
    return "\n".join(lines)
