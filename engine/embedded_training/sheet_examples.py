"""Examples of sheets: receipts, orders and bills with their items, one a line."""

from collections.abc import Sequence

from embedded_training import questions
from embedded_training.asking import Example, object_example, row_names, with_instruction
from embedded_training.drawing import draw_values
from embedded_training.names import product
from embedded_training.passages import Passage
from embedded_training.quantities import count, money
from embedded_training.questions import Question, with_distinct_names
from embedded_training.randomness import Source, Value
from embedded_training.schemas import Field
from embedded_training.tables import concepts, domains

ITEM_LAYOUTS = (
    "NAME PRICE", "NAME  PRICE", "NAME: PRICE", "- NAME PRICE", "NAME - PRICE", "* NAME (PRICE)",
    "COUNT x NAME PRICE", "COUNT NAME  PRICE", "NAME x COUNT: PRICE", "COUNT x NAME @ PRICE",
    "COUNT  NAME  PRICE", "NAME|PRICE", "NAME|PRICE", "COUNT|NAME|PRICE", "NAME|COUNT|PRICE",
    "COUNT x NAME|PRICE", "NAME ..... PRICE", "COUNTx NAME  PRICE", "NAME, COUNT pcs, PRICE",
)  # fmt: skip
SORTS = ("receipt", "receipt", "order", "invoice")
OF_AN_ITEM = ("product", "price", "qty")
AT_THE_END = ("total", "tax", "odate")
CLEAR_WITHOUT_LABEL = ("seller", "customer", "street", "city", "odate", "email")


def sheet_example(source: Source) -> Example:
    """Return a sheet that is asked for with its items and some of its other fields."""
    domain = source.pick(SORTS)
    items = _draw_items(source, source.pick(ITEM_LAYOUTS))
    slots = [slot for slot in domains()[domain].slots if slot not in OF_AN_ITEM]
    foot = source.rng.sample(AT_THE_END, source.between(1, 3))
    above = source.rng.sample(slots, source.between(1, 3))
    head = [slot for slot in above if slot not in foot]
    sheet = Passage(values=draw_values(source, (*head, *foot)))
    parts = [
        [_sheet_line(source, sheet, slot) for slot in head],
        [item.text for item in items],
        [_sheet_line(source, sheet, slot) for slot in foot],
    ]
    between = source.pick(("\n", "\n\n", "\n-----\n"))
    text = between.join("\n".join(lines) for lines in parts if lines)
    asked = [
        questions.ask_slot(source, slot, [sheet]) for slot in sheet.values if source.chance(0.7)
    ]
    asked.insert(source.between(0, len(asked)), _ask_items(source, items))
    asked = with_distinct_names(asked)
    return object_example(source, with_instruction(source, text, row_names(domain), asked), asked)


def _draw_items(source: Source, layout: str) -> list[Passage]:
    """Return items of one layout; a `|` in it becomes blanks up to the next column."""
    items = [_item(source, layout) for _ in range(source.pick(N_ITEMS))]
    cells = [item.text.split("|") for item in items]
    widths = [max(map(len, column)) + 2 for column in zip(*cells, strict=True)]
    for item, row in zip(items, cells, strict=True):
        item.text = "".join(map(str.ljust, row, widths)).rstrip()
    return items


N_ITEMS = (1, *[2] * 3, *[3] * 4, *[4] * 3, 5, 5, 6, 7)


def _item(source: Source, layout: str) -> Passage:
    price = money(source)
    if price.number is not None and source.chance(0.6):
        # On receipts, prices often stand without a currency.
        price = Value(f"{price.number:.2f}", number=price.number)
    name = product(source) if source.chance(0.5) else Value(_item_name(source))
    values = {"product": name, "price": price}
    line = layout.replace("NAME", name.written).replace("PRICE", price.written)
    if "COUNT" in layout:
        values["qty"] = count(source, 1, 12)
        line = line.replace("COUNT", values["qty"].written)
    return Passage(line, values)


def _item_name(source: Source) -> str:
    word = source.word(source.pick(("foods", "common_words", "products")))
    name = word if source.chance(0.5) else f"{word} {source.word('common_words')}"
    return name.capitalize() if source.chance(0.5) else name


def _sheet_line(source: Source, sheet: Passage, slot: str) -> str:
    """Return a line of the sheet: a value with its label, or alone where it speaks for itself."""
    text = sheet.values[slot].written
    if slot in CLEAR_WITHOUT_LABEL and source.chance(0.6):
        return text
    label = source.pick(concepts()[slot].naming.names).replace("_", " ")
    label = source.pick((label.upper(), label.capitalize(), label.capitalize(), label))
    return source.pick((f"{label}: {text}", f"{label} {text}", f"{label}  {text}"))


def _ask_items(source: Source, items: Sequence[Passage]) -> Question:
    """Ask for the items as a list of objects with some of their columns."""
    columns = list(items[0].values)
    columns = source.rng.sample(columns, source.between(1, len(columns)))
    asked = with_distinct_names(questions.ask_slot(source, slot, items) for slot in columns)
    rows = [
        {question.field.name: question.answers[row] for question in asked}
        for row in range(len(items))
    ]
    name = source.pick(("items", "items", "products", "positions", "lines", "articles"))
    fields = tuple(question.field for question in asked)
    return Question(Field(name, "objects", fields=fields), (rows,))
