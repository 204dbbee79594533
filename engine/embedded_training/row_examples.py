"""Examples of several objects: records in one text, and tables."""

from collections.abc import Sequence
from dataclasses import replace

from embedded_training import questions
from embedded_training.asking import Example, ask, list_example, row_names, with_instruction
from embedded_training.drawing import draw_values
from embedded_training.envelopes import enclosed_rows, without_rows
from embedded_training.forms import label_of
from embedded_training.passages import Passage, fill, make_plan, write_passage
from embedded_training.questions import nest
from embedded_training.randomness import Source
from embedded_training.tables import concepts, domains, drawn_domains
from embedded_training.wording import SLOT, filler

N_ROWS = (0, *[1] * 2, *[2] * 6, *[3] * 7, *[4] * 5, *[5] * 3, 6, 6, 7, 8)


def rows_example(source: Source) -> Example:
    """Return several passages in one text, asked for as rows; now and then there are none."""
    domain = source.pick(drawn_domains(held_out=source.held_out.domains))
    n_rows = source.pick(N_ROWS)
    plan = make_plan(source, domain, n_passages=max(2, n_rows))
    written = [write_passage(source, plan) for _ in range(max(1, n_rows))]
    name = source.pick(row_names(domain))
    if n_rows and source.chance(0.08):
        written = _with_leads(source, written)
    text = in_one_text(source, [passage.text for passage in written])
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
    text = with_instruction(source, outer.text, row_names(domain), asked)
    return list_example(source, text, name, asked, around=about)


# What stands before each record in chats, logs and minutes.
LEADS = (
    "[{time}] {login}: ", "{time} {login}: ", "{login}: ", "{handle} ", "&lt;{login}> ",
    "{timestamp} INFO ", "[{timestamp}] ", "{timestamp} {hostname} ", "{time} - ", "{time} ",
    "{sender}: ", "{person}, {time}: ", "[{sent_on}] ", "[INFO] ", "(+) ", "{sent_on}: ",
)  # fmt: skip


def _with_leads(source: Source, written: Sequence[Passage]) -> Sequence[Passage]:
    """Return the records as lines of a chat or a log, if that repeats none of their values."""
    lead = source.pick(LEADS)
    slots = {slot for slot, _ in SLOT.findall(lead)}
    if any(slots & {*passage.values, *passage.decoys} for passage in written):
        return written
    for passage in written:
        begun = Passage()
        start = fill(source, lead.replace("&lt;", "<"), begun)
        passage.text, passage.values = start + passage.text, begun.values | passage.values
    return written


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
    ("", "; "), ("", "; "), ("", " ; "), ("", " | "), ("({n}) ", "; "), ("{n}) ", ", "),
)  # fmt: skip
BLOCK_SEPARATORS = ("\n\n", "\n\n", "\n---\n", "\n\n\n", "\n***\n")
# Where the texts have paragraphs themselves.
PAGE_SEPARATORS = ("\n---\n", "\n\n---\n\n", "\n***\n", "\n=====\n", "\n\n\n", "\n----------\n")


def in_one_text(source: Source, texts: Sequence[str]) -> str:
    """Return the texts as paragraphs, list items, a numbered list or prose."""
    if any("\n\n" in text for text in texts):
        return source.pick(PAGE_SEPARATORS).join(texts)
    if any("\n" in text for text in texts) and source.chance(0.9):
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
    names = [name for name in drawn_domains(held_out=source.held_out.domains) if name != "list"]
    domain = source.pick(names)
    slots = source.rng.sample(domains()[domain].slots, source.between(2, 4))
    n_rows, p_empty = source.pick(N_ROWS[1:]), source.pick((0, 0, 0.06, 0.25))
    written = [
        Passage(
            values=draw_values(
                source,
                [slot for slot in slots if slot == slots[0] or not source.chance(p_empty)],
            )
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
    if source.chance(0.45) and not source.held_out.templates:
        text = _as_listing(source, heads, slots, written)
    else:
        text = _as_table(source, heads, cells)
    kept = source.rng.sample(asked, source.between(1, len(asked)))
    name = source.pick(row_names(domain))
    if source.chance(0.2):
        text = enclosed_rows(source, text, name, n_rows).text
    return list_example(source, with_instruction(source, text, row_names(domain), kept), name, kept)


def _cells(source: Source, passage: Passage, slots: Sequence[str]) -> list[str]:
    empty = source.pick(("-", "", "n/a", "?"))
    return [passage.values[slot].written if slot in passage.values else empty for slot in slots]


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
    if layout == "csv":
        separator = source.pick((",", ",", ";"))
        return "\n".join(separator.join(map(_quoted, row)) for row in [heads, *cells])
    if layout == "columns":
        columns = zip(heads, *cells, strict=True)
        return "\n".join(f"{head}: {' | '.join(column)}" for head, *column in columns)
    return _with_signs(source, rows, has_head=len(rows) > len(cells))


TABLE_LAYOUTS = ("html", *["aligned"] * 3, "columns", "csv", "csv", "csv", *["signs"] * 6)


def _quoted(cell: str) -> str:
    """Return a cell of a CSV, in quotes if there is a comma in it."""
    return f'"{cell}"' if "," in cell else cell


# How a record stands in a running text: what it is about and its details.
RECORDS = (
    "{0} ({1})", "{0} ({1})", "{0} ({1})", "the {0} ({1})", "{0} [{1}]",
    "{0}: {1}", "{0} - {1}", "{0}, {1}", "{0} with {1}", "{0} {1}",
)  # fmt: skip
LISTING_LEADS = (
    "We have ", "There are ", "Today: ", "On the list: ", "We noted ", "So far: ", "", "", "",
    "In the minutes: ", "Left to do: ", "I have ", "They sent ", "This week we got ", "See ",
)  # fmt: skip


def _as_listing(
    source: Source, heads: Sequence[str], slots: Sequence[str], written: Sequence[Passage]
) -> str:
    """Return records in running text, a list or minutes; a detail that is missing is not there."""
    layout, inner = source.pick(RECORDS), source.pick((", ", ", ", ", ", " / ", "; "))
    labelled = _labelled_columns(source, slots)
    detail = source.pick(("{0} {1}", "{0}: {1}", "{0} {1}", "{0}={1}", "{1} {0}"))
    records = []
    for passage in written:
        key, *details = (
            detail.format(head, passage.values[slot].written)
            if slot in labelled
            else passage.values[slot].written
            for head, slot in zip(heads, slots, strict=True)
            if slot in passage.values
        )
        layout_here = layout if details else "{0}"
        records.append(layout_here.format(key, inner.join(details)))
    closed = layout.endswith((")", "]"))
    return _enumerated_records(source, records, inner=inner, closed=closed)


def _labelled_columns(source: Source, slots: Sequence[str]) -> set[str]:
    """Return the columns that need their label: texts, and all that are of one kind."""
    seen = {concepts()[slots[0]].kinds[0]}
    labelled = set()
    for slot in slots[1:]:
        kind = concepts()[slot].kinds[0]
        clear = kind not in ("str", "int") and kind not in seen
        if not source.chance(0.6 if clear else 0.06):
            labelled.add(slot)
        seen.add(kind)
    return labelled


def _enumerated_records(source: Source, records: Sequence[str], *, inner: str, closed: bool) -> str:
    """Return records as one sentence, where each is closed by a bracket, or as a list.

    What separates records is never the `inner` sign between the details of one.
    """
    lead = source.pick(LISTING_LEADS)
    if closed and source.chance(0.7):
        last = source.pick((" and ", ", and ", " and also ", ", then ", " & "))
        *first, final = records
        text = (", ".join(first) + last if first else "") + final
    elif source.chance(0.35):
        separators = [sign for sign in ("; ", "; ", " | ", ". ") if sign != inner]
        text = source.pick(separators).join(records)
    else:
        mark = source.pick(("- ", "* ", "• ", "{n}. ", "{n}) ", "", "[ ] ", "[x] "))
        lines = [mark.replace("{n}", str(n)) + text for n, text in enumerate(records, 1)]
        return (lead.rstrip() + "\n" if lead else "") + "\n".join(lines)
    after = f". {filler(source)}" if source.chance(0.25) else source.pick((".", ".", ""))
    before = f"{filler(source)} " if source.chance(0.2) else ""
    return before + lead + text + after


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
