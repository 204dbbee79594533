"""The training corpus: random texts, schemas that ask about them, and the right answers.

`example(seed)` always returns the same example for one seed. There is no file of data: a training
run draws new examples until it ends.
"""

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from embedded_training import passages, questions
from embedded_training.passages import Passage, make_plan, write_passage
from embedded_training.questions import Question, nest, styled, with_distinct_names
from embedded_training.schemas import Field, JsonSchema, object_schema
from embedded_training.tables import concepts, domains
from embedded_training.values import (
    HeldOut,
    Source,
    Value,
    any_value,
    count,
    money,
    product,
    pseudo_word,
)

LONGEST_LIST = 5


@dataclass(frozen=True, slots=True)
class Example:
    """A prompt, the schema of its answer, and the answer."""

    prompt: str
    schema: JsonSchema
    answer: Any


@dataclass(frozen=True, slots=True)
class Mixture:
    """How often each sort of example is drawn; the shares add up to 1."""

    labelled: float
    copying: float
    single: float
    rows: float
    table: float
    items: float


BEGINNING = Mixture(labelled=0.75, copying=0.25, single=0.0, rows=0.0, table=0.0, items=0.0)
MAIN = Mixture(labelled=0.1, copying=0.02, single=0.44, rows=0.32, table=0.05, items=0.07)


def example(
    seed: int | str, *, held_out: HeldOut | None = None, mixture: Mixture = MAIN
) -> Example:
    """Return the example of a seed; `held_out` says which pools only evaluation may use."""
    source = Source(random.Random(seed), held_out or HeldOut())
    makers: tuple[tuple[float, Callable[[Source], Example]], ...] = (
        (mixture.labelled, labelled_example),
        (mixture.copying, copying_example),
        (mixture.single, single_example),
        (mixture.rows, rows_example),
        (mixture.table, table_example),
        (mixture.items, items_example),
    )
    (make,) = source.rng.choices([make for _, make in makers], [share for share, _ in makers])
    return make(source)


def labelled_example(source: Source) -> Example:
    """Return values behind labels that mean nothing: pure looking up and copying."""
    pairs = [labelled_value(source) for _ in range(source.between(2, 8))]
    asked = [question for _, question in pairs]
    if source.chance(0.3):
        asked = source.rng.sample(asked, source.between(1, len(asked)))
    source.rng.shuffle(asked)
    separator = source.pick(("\n", "\n", ", ", "; ", ". "))
    return _object_example(source, separator.join(text for text, _ in pairs), asked)


def copying_example(source: Source) -> Example:
    """Return a text that is asked for as a whole."""
    words = [_any_word(source) for _ in range(source.between(4, 14))]
    text = " ".join(words)
    name = source.pick(("text", "text", "body", "content", "message", "full_text", "raw"))
    description = source.pick(("", "", "the whole text", "full text"))
    return _object_example(source, text, [Question(Field(name, "str", description), (text,))])


def _any_word(source: Source) -> str:
    dice = source.rng.random()
    if dice < 0.35:
        return pseudo_word(source)
    if dice < 0.6:
        return source.word(source.pick(("title_words", "common_words", "common_words")))
    return any_value(source).text if dice < 0.75 else source.word("last_names")


def labelled_value(source: Source) -> tuple[str, Question]:
    """Return a text such as ``gate code: 714`` and the question for that label."""
    label = _label(source)
    value = any_value(source)
    shown = source.pick((label, label, label.capitalize(), label.title()))
    layouts = passages.LABEL_LAYOUTS + ("VALUE (LABEL)", "VALUE as LABEL")
    if source.held_out.templates:
        layouts = ("LABEL -> VALUE", "for LABEL we have VALUE")
    text = source.pick(layouts).replace("LABEL", shown).replace("VALUE", value.text)
    name = styled(source, re.sub(r"\W+", "_", label))
    if value.date and source.chance(0.6):
        return text, Question(Field(name, "date"), (value.date,))
    if value.number is not None and source.chance(0.6):
        kind = "int" if isinstance(value.number, int) and source.chance(0.5) else "float"
        return text, Question(Field(name, kind), (value.number,))
    return text, Question(Field(name, "str", nullable=source.chance(0.1)), (value.text,))


def _label(source: Source) -> str:
    def word() -> str:
        if source.chance(0.4):
            return pseudo_word(source, 2)
        return source.word(source.pick(("title_words", "common_words")))

    last = source.pick(
        [
            "code",
            "name",
            "number",
            "date",
            "id",
            "type",
            "place",
            "key",
            "total",
            "note",
            "level",
            "owner",
        ]
    )
    return source.pick((word(), word(), f"{word()} {word()}", f"{word()} {last}"))


def single_example(source: Source) -> Example:
    """Return one passage that is asked for as one object."""
    domain = _draw_domain(source)
    plan = make_plan(source, domain, n_passages=1)
    passage = write_passage(source, plan)
    asked = _ask(source, plan, [passage])
    text = passage.text
    for _ in range(source.pick((0, 0, 0, 0, 1, 2))):
        added, question = _side_question(source)
        text = _with_sentence(source, text, added)
        asked.append(question)
    source.rng.shuffle(asked)
    asked = with_distinct_names(asked)
    if len(asked) > 2 and source.chance(0.2):
        asked = nest(source, asked)
    return _object_example(source, _with_instruction(source, text, domain, asked), asked)


def _draw_domain(source: Source) -> str:
    return source.pick((*domains(), *["post"] * 9, "order", "review", "ticket", "receipt"))


def _side_question(source: Source) -> tuple[str, Question]:
    if source.chance(0.5):
        return questions.ask_adjective(source)
    return labelled_value(source)


def _with_sentence(source: Source, text: str, sentence: str) -> str:
    separator = source.pick(("\n", ". ", "\n", " - ", ", "))
    return separator.join((text, sentence) if source.chance(0.6) else (sentence, text))


def _ask(source: Source, plan: passages.Plan, written: Sequence[Passage]) -> list[Question]:
    """Return questions about passages of one plan."""
    asked = [questions.ask_slot(source, slot, written) for slot in _draw_slots(source, written)]
    absent = questions.absent_slots(plan.domain, written)
    if absent and source.chance(0.25):
        asked.append(questions.ask_slot(source, source.pick(absent), written))
    for family in _shared(passage.meanings for passage in written):
        if source.chance(0.95 if family in plan.families else 0.55):
            asked.append(questions.ask_meaning(source, family, written))
    asked += [questions.ask_label(source, enum, written) for enum in plan.stated]
    asked += [questions.ask_truth(source, index, written) for index in plan.truths]
    if len(written) == 1:
        asked += [questions.ask_list(source, name, written[0]) for name in written[0].lists]
    amounts = [
        slot
        for slot in _shared(passage.values for passage in written)
        if all(passage.values[slot].currency for passage in written)
    ]
    if len(amounts) == 1 and source.chance(0.2):
        asked.append(questions.ask_currency(source, amounts[0], written))
    if not asked:
        asked.append(questions.ask_slot(source, source.pick(absent), written))
    source.rng.shuffle(asked)
    return with_distinct_names(asked)


def _draw_slots(source: Source, written: Sequence[Passage]) -> list[str]:
    """Return the slots to ask for: most of those that any passage carries."""
    slots = list(dict.fromkeys(slot for passage in written for slot in passage.values))
    if not slots:
        return []
    most = 6 if len(written) == 1 else 5
    count = source.between(max(1, len(slots) // 2), max(1, min(most, len(slots))))
    return source.rng.sample(slots, min(count, len(slots)))


def _shared(collections: Any) -> list[str]:
    """Return the keys that all mappings have, in the order of the first."""
    first, *others = collections
    return [key for key in first if all(key in other for other in others)]


def rows_example(source: Source) -> Example:
    """Return several passages in one text, asked for as rows."""
    domain = source.pick((*domains(), *["post"] * 12, "review", "order", "bank"))
    n_passages = source.pick((1, 2, 2, 2, 3, 3, 3, 4, 4, 5))
    plan = make_plan(source, domain, n_passages=n_passages)
    written = [write_passage(source, plan) for _ in range(n_passages)]
    asked = _ask(source, plan, written)
    if len(asked) > 3 and source.chance(0.08):
        asked = nest(source, asked)
    text = _in_one_text(source, [passage.text for passage in written])
    return _rows_example(source, _with_instruction(source, text, domain, asked), domain, asked)


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


ROW_NAMES = {
    "post": "posts tweets messages items entries",
    "order": "orders items entries purchases",
    "review": "reviews items entries",
    "event": "events items entries",
    "contact": "contacts people entries",
    "bank": "transactions payments entries",
    "match": "matches games results",
    "shop": "products items offers",
    "job": "jobs offers entries",
    "flat": "flats listings offers",
    "parcel": "parcels shipments entries",
    "bug": "events entries logs lines",
    "film": "films movies entries",
    "travel": "flights trips entries bookings",
    "meeting": "tasks meetings entries",
    "ticket": "tickets cases messages",
    "news": "articles stories items",
    "health": "appointments entries visits",
    "receipt": "receipts purchases entries",
    "invoice": "invoices bills entries",
}


def _rows_example(source: Source, prompt: str, domain: str, asked: Sequence[Question]) -> Example:
    """Ask for rows: a list of objects, or an object with such a list in it."""
    n_rows = len(asked[0].answers)
    fields = tuple(question.field for question in asked)
    rows = [
        {question.field.name: question.answers[row] for question in asked} for row in range(n_rows)
    ]
    if source.chance(0.5):
        return Example(prompt, {"type": "array", "items": object_schema(fields)}, rows)
    name = source.pick(ROW_NAMES.get(domain, "items rows records entries").split())
    outer = [(Field(name, "objects", fields=fields), rows)]
    if source.chance(0.1):
        count = Field(source.pick(("count", "n", "how_many")), "int", f"number of {name}")
        outer.insert(source.between(0, 1), (count, n_rows))
    schema = object_schema([field for field, _ in outer])
    return Example(prompt, schema, {field.name: value for field, value in outer})


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
    return _rows_example(
        source, _with_instruction(source, "\n".join(lines), domain, kept), domain, kept
    )


ITEM_LAYOUTS = (
    "NAME PRICE", "NAME  PRICE", "NAME: PRICE", "- NAME PRICE", "NAME - PRICE", "* NAME (PRICE)",
    "COUNT x NAME PRICE", "COUNT NAME  PRICE", "NAME x COUNT: PRICE", "COUNT x NAME @ PRICE",
)  # fmt: skip
ITEM_SHEETS = ("receipt", "receipt", "order", "invoice")


def items_example(source: Source) -> Example:
    """Return a receipt, order or bill with its items, asked for with some of its other fields."""
    domain = source.pick(ITEM_SHEETS)
    layout = source.pick(ITEM_LAYOUTS)
    rows = [Passage(values=_item(source, layout)) for _ in range(source.between(1, 5))]
    lines = [_item_line(layout, row) for row in rows]
    slots = [slot for slot in domains()[domain].slots if slot not in ("product", "price", "qty")]
    sheet = Passage(values={slot: concepts()[slot].make(source) for slot in slots})
    above, below = source.rng.sample(slots, source.between(1, 3)), source.rng.sample(
        ("total", "tax", "odate", "order_id" if domain != "invoice" else "due"), source.between(1, 3)
    )
    shown = list(dict.fromkeys([*above, *below]))
    head = [_sheet_line(source, sheet, slot) for slot in shown if slot not in below]
    foot = [_sheet_line(source, sheet, slot) for slot in below]
    sheet = Passage(values={slot: sheet.values[slot] for slot in shown})
    text = source.pick(("\n", "\n\n", "\n-----\n")).join(
        ["\n".join(part) for part in (head, lines, foot) if part]
    )
    columns = source.rng.sample(list(rows[0].values), source.between(1, len(rows[0].values)))
    inner = with_distinct_names(questions.ask_slot(source, slot, rows) for slot in columns)
    items = [{q.field.name: q.answers[row] for q in inner} for row in range(len(rows))]
    name = source.pick(("items", "items", "products", "positions", "lines", "articles"))
    field = Field(name, "objects", fields=tuple(q.field for q in inner))
    asked = [questions.ask_slot(source, slot, [sheet]) for slot in shown if source.chance(0.7)]
    asked.insert(source.between(0, len(asked)), Question(field, (items,)))
    asked = with_distinct_names(asked)
    return _object_example(source, _with_instruction(source, text, domain, asked), asked)


def _item(source: Source, layout: str) -> dict[str, Value]:
    price = money(source)
    if source.chance(0.6):  # on receipts, prices often stand without a currency
        price = Value(f"{price.number:.2f}", number=price.number)
    name = product(source) if source.chance(0.5) else Value(_item_name(source))
    values = {"product": name, "price": price}
    if "COUNT" in layout:
        values["qty"] = count(source, 1, 12)
    return values


def _item_name(source: Source) -> str:
    word = source.word(source.pick(("foods", "common_words", "products")))
    name = word if source.chance(0.5) else f"{word} {source.word('common_words')}"
    return name.capitalize() if source.chance(0.5) else name


def _item_line(layout: str, row: Passage) -> str:
    line = layout.replace("NAME", row.values["product"].text)
    line = line.replace("PRICE", row.values["price"].text)
    return line.replace("COUNT", row.values["qty"].text) if "qty" in row.values else line


def _sheet_line(source: Source, sheet: Passage, slot: str) -> str:
    """Return a line of a receipt: the value alone, where it speaks for itself, or with a label."""
    text = sheet.values[slot].text
    if slot in ("seller", "customer", "street", "city", "odate", "email") and source.chance(0.6):
        return text
    label = source.pick(concepts()[slot].naming.names).replace("_", " ")
    label = source.pick((label.upper(), label.capitalize(), label.capitalize(), label))
    return source.pick((f"{label}: {text}", f"{label} {text}", f"{label}  {text}"))


def _object_example(source: Source, prompt: str, asked: Sequence[Question]) -> Example:
    """Ask for one object, or now and then for a list with that one object."""
    distinct = with_distinct_names(asked)
    schema = object_schema([question.field for question in distinct])
    answer = {question.field.name: question.answers[0] for question in distinct}
    if source.chance(0.03):
        return Example(prompt, {"type": "array", "items": schema}, [answer])
    return Example(prompt, schema, answer)


def _with_instruction(source: Source, text: str, domain: str, asked: Sequence[Question]) -> str:
    """Put what users write before their text, in half of the cases."""
    dice = source.rng.random()
    if dice < 0.5:
        return text
    if dice < 0.7:
        instruction = source.word("instructions")
    else:
        noun = source.pick(ROW_NAMES.get(domain, "items entries").split())
        noun = noun[:-1] if len(asked[0].answers) == 1 and noun.endswith("s") else noun
        verb = source.pick(("Extract", "Get", "Find", "List", "Give me", "Fill in", "Read off"))
        what = ", ".join(question.field.name.replace("_", " ").lower() for question in asked[:4])
        what = source.pick((what, what, "the fields", f"the {noun}", "the data", "the details"))
        place = (
            source.pick(("from", "of", "in")) + " " + source.pick(("this", "the", "these", "my"))
        )
        instruction = f"{verb} {what} {place} {noun}" + source.pick((":", ":", ".", ""))
    return instruction + source.pick(("\n", "\n\n", " ", "\n")) + text
