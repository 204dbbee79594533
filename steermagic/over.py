"""`--over DATA`: a prompt for each row of a table, and the answers joined to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from steer_engine import JsonValue
from steermagic.errors import FrameError, InterpolationError
from steermagic.prompt import PromptTemplate

if TYPE_CHECKING:
    import pandas as pd

ROW = "row"
"""Name of the whole row in a prompt, for columns that are no Python names: `row["my col"]`."""

_SCALARS = "text"


def read_table(data: Any) -> pd.DataFrame:  # noqa: ANN401 - a table of any library
    """Return `data` as a pandas frame; its index is kept.

    A Series, and a list of anything but dicts, becomes the column `text` (or the Series' name).

    Raises:
        FrameError: it is no table.
    """
    import pandas as pd

    if isinstance(data, pd.DataFrame):
        return data
    if isinstance(data, pd.Series):
        return data.to_frame(_SCALARS if data.name is None else data.name)
    if hasattr(data, "to_dicts"):  # polars
        columns = {name: data[name].to_list() for name in data.columns}
        return _frame_of(columns)
    if hasattr(data, "to_pydict"):  # pyarrow
        return _frame_of(data.to_pydict())
    if hasattr(data, "to_pandas"):
        return read_table(data.to_pandas())
    if not isinstance(data, Sequence) or isinstance(data, str):
        raise FrameError(
            f"--over needs a table, not {type(data).__name__}: a DataFrame, a Series or a list"
        )
    if data and all(isinstance(item, Mapping) for item in data):
        names = dict.fromkeys(name for item in data for name in item)
        return _frame_of({name: [item.get(name) for item in data] for name in names})
    return pd.DataFrame({_SCALARS: pd.Series(list(data), dtype=object)})


def _frame_of(columns: Mapping[Any, list[Any]]) -> pd.DataFrame:
    """Return a frame of `columns`, in which whole numbers stay whole beside missing values."""
    import pandas as pd

    def series(values: list[Any]) -> pd.Series:
        present = [value for value in values if value is not None]
        is_whole = bool(present) and all(type(value) is int for value in present)
        if is_whole and all(-(2**63) <= value < 2**63 for value in present):
            return pd.Series(values, dtype="Int64")
        return pd.Series(values, dtype=object).infer_objects()

    return pd.DataFrame({name: series(values) for name, values in columns.items()})


def prompts_over(
    table: pd.DataFrame, template: PromptTemplate, namespace: Mapping[str, object]
) -> tuple[str, ...]:
    """Return the prompt of each row. Columns hide variables of the same name.

    Raises:
        InterpolationError: the prompt uses no column, so that all rows would ask the same.
    """
    columns = [str(name) for name in table.columns]
    if template.names.isdisjoint([*columns, ROW]):
        name = columns[0] if columns else ROW
        raise InterpolationError(f"the prompt uses no column of the table; write {{{{ {name} }}}}")
    rows = zip(*(_plain(table.iloc[:, i]) for i in range(len(columns))), strict=True)
    prompts = []
    for label, values in zip(table.index, rows, strict=True):
        named = dict(zip(columns, values, strict=True))
        row = {**dict(zip(table.columns, values, strict=True)), **named}
        try:
            prompts.append(template.fill({**namespace, **named, ROW: row}))
        except InterpolationError as error:
            raise InterpolationError(f"row {label!r} of the table: {error}") from error
    return tuple(prompts)


def check_columns(table: pd.DataFrame, new: Sequence[str]) -> None:
    """Raise `FrameError` if a new column has the name of one that `table` has."""
    taken = [name for name in new if name in table.columns]
    if taken:
        raise FrameError(
            f"the table has a column {taken[0]!r} already; give the field another name, or store"
            " the result under another name than the table's"
        )


def join(
    table: pd.DataFrame,
    records: Sequence[JsonValue],
    make_frame: Callable[[list[JsonValue]], Any],
) -> pd.DataFrame:
    """Return `table` with the columns that `make_frame` makes of `records`, on the same index.

    A record that is a list repeats its row for each item; None leaves the new columns empty.
    """
    import pandas as pd

    items, positions = list[JsonValue](), list[int]()
    for position, record in enumerate(records):
        parts = record if isinstance(record, list) else [record]
        items += parts
        positions += [position] * len(parts)
    left = table.iloc[positions].reset_index(drop=True)
    joined: pd.DataFrame = pd.concat([left, make_frame(items)], axis=1)
    return joined.set_axis(table.index.take(positions), axis=0)


def _plain(column: pd.Series) -> list[object]:
    """Return the values as a prompt shows them: what is missing is empty."""
    import pandas as pd

    return ["" if pd.api.types.is_scalar(value) and pd.isna(value) else value for value in column]
