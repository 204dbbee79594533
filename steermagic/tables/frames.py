"""The rows of tables: pandas, polars, and Arrow's record batches."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from steermagic.conversions import check_conversion, index_names
from steermagic.errors import FrameError
from steermagic.tables.rows import StreamedRows, TableRows, mark_of

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa


class SeveralColumns:
    """Stands for the values of columns that have one name, which nobody can tell apart by that.

    Writing it into a prompt raises `FrameError`.
    """

    def __init__(self, name: Hashable) -> None:
        self._name = name

    def __repr__(self) -> str:
        raise FrameError(f"the table has several columns {self._name!r}; give each its own name")


class PandasRows(TableRows):
    """The rows of a pandas frame, whose index is kept; a prompt may use its names as well."""

    kind = "pandas"

    def __init__(self, frame: pd.DataFrame) -> None:
        self._frame = frame.copy(deep=False)  # columns that the user adds later are not ours
        self._values = [frame.iloc[:, i].array for i in range(frame.shape[1])]
        self.columns = tuple(frame.columns)
        self.n_rows = len(frame)
        self._several = _several(self.columns)

    def row(self, number: int) -> Mapping[Hashable, object]:
        values = (_python_value(column[number]) for column in self._values)
        row = dict(zip(self.columns, values, strict=True))
        return {**self._named_labels(number), **row, **self._several}

    def _named_labels(self, number: int) -> Mapping[Hashable, object]:
        index = self._frame.index
        label = index[number]
        levels = label if index.nlevels > 1 else (label,)
        pairs = zip(index.names, levels, strict=True)
        return {name: _python_value(level) for name, level in pairs if name is not None}

    def label(self, number: int) -> object:
        return _python_value(self._frame.index[number])

    def labels_mark(self) -> str:
        return mark_of(self._frame.index)

    def names(self, kind: str) -> list[Hashable]:
        if kind == "pandas":
            named = [name for name in self._frame.index.names if name is not None]
            return [*named, *self.columns]
        check_conversion(self.kind, kind)
        return [str(name) for name in (*index_names(self._frame), *self.columns)]

    def _native(self) -> pd.DataFrame:
        return self._frame


class StoredRows(PandasRows):
    """The rows of a stored run: their numbers, under `name`, and no more.

    `mark` is that of the labels which the run's table had; None if the store does not have it.
    """

    def __init__(self, n_rows: int, *, name: str, mark: str | None) -> None:
        import pandas as pd

        super().__init__(pd.DataFrame(index=pd.RangeIndex(n_rows, name=name)))
        self.mark = mark


class PolarsRows(TableRows):
    """The rows of a polars frame."""

    kind = "polars"

    def __init__(self, frame: pl.DataFrame) -> None:
        self._frame = frame.clone()  # no copy of the data
        self.columns = tuple(frame.columns)
        self.n_rows = len(frame)

    def row(self, number: int) -> Mapping[Hashable, object]:
        return dict(zip(self.columns, self._frame.row(number), strict=True))

    def _native(self) -> pl.DataFrame:
        return self._frame


class ArrowRows(StreamedRows):
    """The rows of Arrow record batches."""

    kind = "arrow"

    def __init__(
        self, schema: pa.Schema, batches: Iterable[pa.RecordBatch], *, n_rows: int | None
    ) -> None:
        self._batches = list[Any]()
        self._ends = list[int]()  # the number of the row behind each batch
        self._schema = schema
        self.columns = tuple(schema.names)
        self._several = _several(self.columns)
        super().__init__(batches, n_rows=n_rows)

    @property
    def n_read(self) -> int:
        return self._ends[-1] if self._ends else 0

    def row(self, number: int) -> Mapping[Hashable, object]:
        i = bisect_right(self._ends, number)
        batch = self._batches[i]
        offset = number - self._ends[i] + batch.num_rows
        values = (column[offset].as_py() for column in batch.columns)
        return {**dict(zip(self.columns, values, strict=True)), **self._several}

    def _keep(self, part: pa.RecordBatch) -> None:
        self._ends.append(self.n_read + part.num_rows)
        self._batches.append(part)

    def _native(self) -> pa.Table:
        import pyarrow as pa

        return pa.Table.from_batches(self._batches, self._schema)


def _several(names: Iterable[Hashable]) -> Mapping[Hashable, object]:
    """Return what stands for the values under each name that several columns have."""
    return {name: SeveralColumns(name) for name, count in Counter(names).items() if count > 1}


def _python_value(value: Any) -> object:  # noqa: ANN401 - of any type
    """Return the Python value of a NumPy scalar, as iterating over a Series does."""
    import numpy as np

    return value.item() if isinstance(value, np.generic) else value
