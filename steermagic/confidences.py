"""How sure the model was of a frame's values, as frames: `df.steer.confidence` and its kin.

In each record the values are replaced by the numbers of what is known of them. The result goes the
same way into a table as the record itself did, and so each cell finds its own.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from steer_engine import Column, ColumnKind, Confidence, JsonValue, column_plan, pointer_to
from steermagic.frames import items_of
from steermagic.runs import Row, Run

if TYPE_CHECKING:
    import pandas as pd

_SEVERAL = (ColumnKind.LIST, ColumnKind.OBJECT)
_Known: TypeAlias = tuple[Confidence, ...]  # of one cell: of the value, or of each value in a list


@dataclass(frozen=True, slots=True)
class _Cells:
    """What is known of the cells of a run's frame: a list a row, with an entry a column."""

    plan: tuple[Column, ...]
    index: pd.Index
    rows: list[list[_Known]]


def confidence_frame(run: Run, measure: Literal["mean", "least"]) -> pd.DataFrame:
    """Return a probability for each value of the run's frame, on its index.

    It is the `measure` of `Confidence`; of a list or an open object that of its least probable
    item. Missing (NaN) are values of rows that failed, values that only closing wrote, and
    everything where the model runs on a server.
    """
    import pandas as pd

    cells = _cells(run)
    probs = [[_lowest(known, measure) for known in row] for row in cells.rows]
    names = [column.name for column in cells.plan]
    return pd.DataFrame(probs, index=cells.index, columns=names, dtype="float64")


def alternatives_frame(run: Run) -> pd.DataFrame:
    """Return the probability of every alternative of enums, constants, booleans and nulls.

    It is on the index of the run's frame; its columns have two levels, the column of that frame and
    the alternative. Strings are named by themselves, other values by their JSON text.
    """
    import pandas as pd

    cells, columns = _cells(run), dict[tuple[str, str], list[float]]()
    for nth, column in enumerate(cells.plan):
        if column.kind in _SEVERAL:
            continue
        known = [row[nth][0].alternatives if len(row[nth]) == 1 else () for row in cells.rows]
        probs = [{_text(value): prob for value, prob in each} for each in known]
        for text, label in _labels(known, column).items():
            columns[column.name, label] = [each.get(text, math.nan) for each in probs]
    frame = pd.DataFrame(dict(enumerate(columns.values())), index=cells.index, dtype="float64")
    levels = [*zip(*columns, strict=True)] or [(), ()]
    names = pd.MultiIndex.from_arrays(levels, names=["column", "alternative"])
    return frame.set_axis(names, axis=1)


def _cells(run: Run) -> _Cells:
    options = run.job.options
    plan = column_plan(run.row_schema)
    rows, n_items = list[list[_Known]](), list[int]()
    for row in rows_of_frame(run):
        items = [None] if row is None else items_of(_marked(row), rows=options.rows)
        known = () if row is None else row.confidence
        rows += [[_known(item, column, known) for column in plan] for item in items]
        n_items.append(len(items))
    return _Cells(plan, _index(run, n_items), rows)


def rows_of_frame(run: Run) -> list[Row | None]:
    """Return the rows that the run's frame is made of; None is one that has no values there."""
    if run.job.over is None:
        return [row for row in run.rows if row.is_kept]
    kept = {row.number: row for row in run.rows if row.is_kept}
    return [kept.get(number) for number in range(len(run.job.prompts))]


def _index(run: Run, n_items: Sequence[int]) -> pd.Index:
    """Return the index of a frame that repeats each row of the table so often."""
    import pandas as pd

    table = run.job.table()
    if table is None:
        return pd.RangeIndex(sum(n_items))
    return table.index if all(n == 1 for n in n_items) else table.index.repeat(n_items)


def _marked(row: Row) -> JsonValue:
    """Return the record of `row` with, in place of each value, the number of its confidence."""
    numbers = {each.pointer: number for number, each in enumerate(row.confidence)}

    def marked(value: JsonValue, pointer: str) -> JsonValue:
        if isinstance(value, list) and (value or not pointer):  # an empty table has no rows
            return [marked(item, pointer_to(pointer, number)) for number, item in enumerate(value)]
        if isinstance(value, dict) and value:
            return {name: marked(each, pointer_to(pointer, name)) for name, each in value.items()}
        return numbers.get(pointer)

    return marked(row.record, "")


def _known(item: JsonValue, column: Column, known: Sequence[Confidence]) -> _Known:
    """Return what is known of the values of `column` in a marked `item`."""
    for name in column.path:
        if not isinstance(item, dict):
            break  # null stands for an object; a text is the whole answer
        item = item.get(name)
    return tuple(known[number] for number in _numbers(item))


def _numbers(marked: JsonValue) -> Iterator[int]:
    if isinstance(marked, int):
        yield marked
    elif isinstance(marked, list | dict):
        for part in marked.values() if isinstance(marked, dict) else marked:
            yield from _numbers(part)


def _lowest(known: _Known, measure: Literal["mean", "least"]) -> float:
    return min((getattr(each, measure) for each in known), default=math.nan)


def _labels(known: Sequence[Sequence[tuple[JsonValue, float]]], column: Column) -> dict[str, str]:
    """Return what each alternative of a column is called, by its JSON text, in the schema's order.

    A string that is spelled like another alternative keeps its quotes.
    """
    values = {_text(value): value for each in known for value, _ in each}
    ordered = sorted(values, key=lambda text: _rank(values[text], column.categories))
    return {
        text: value if isinstance(value := values[text], str) and value not in values else text
        for text in ordered
    }


def _rank(value: JsonValue, categories: Sequence[str]) -> tuple[int, float, str]:
    """Return a key that sorts strings as the schema lists them, and null last."""
    if isinstance(value, str):
        return (0, categories.index(value) if value in categories else 0, value)
    if isinstance(value, bool):
        return (1, -value, "")
    return (2, value, "") if isinstance(value, int | float) else (3, 0, "")


def _text(value: JsonValue) -> str:
    return json.dumps(value, ensure_ascii=False)
