"""What rows are, and rows that come in parts."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping
from hashlib import sha256
from typing import TYPE_CHECKING, Any, ClassVar

from steermagic.conversions import convert, with_distinct_names
from steermagic.errors import FrameError

if TYPE_CHECKING:
    import pandas as pd

    from steermagic.conversions import Table

TEXT = "text"
"""The column of items that have no named fields."""

NUMBERS = "numbers"
"""The mark of labels that only count the rows."""


class TableRows(ABC):
    """Rows to be asked about, numbered from 0."""

    kind: ClassVar[str]
    """Whose table it is: "pandas", "polars" or "arrow"; "lists" for Python objects."""

    columns: tuple[Hashable, ...]
    """Names of the columns; those of an iterator's first item, none while there is no item."""

    n_rows: int | None
    """How many rows there are; None for an iterator."""

    error: FrameError | None = None
    """Why an iterator ended before its time."""

    @property
    def n_read(self) -> int:
        """How many rows are known by now: of a table all of them."""
        return self.n_rows or 0

    def has(self, number: int) -> bool:
        """Tell whether there is such a row; an iterator is read as far as that."""
        return 0 <= number < self.n_read

    def numbers(self) -> Iterator[int]:
        """Yield the numbers of the rows; an iterator is read on the way."""
        number = 0
        while self.has(number):
            yield number
            number += 1

    @abstractmethod
    def row(self, number: int) -> Mapping[Hashable, object]:
        """Return the values of a row that has been read, by column."""

    def label(self, number: int) -> object:
        """Return what the user calls that row."""
        return number

    def labels_mark(self) -> str:
        """Return by what the labels of all rows, in order, can be known again: see `mark_of`."""
        return NUMBERS

    def names(self, kind: str) -> list[Hashable]:
        """Return the columns of `table` as far as they are known."""
        return [name if kind == "pandas" else str(name) for name in self.columns]

    def table(self, kind: str = "pandas", *, taken: Collection[object] = ()) -> Table:
        """Return the rows that have been read, as a table of that kind.

        Columns that nobody could know of when the run began get other names than those `taken`.

        Raises:
            MissingExtraError: a library for it is not installed.
        """
        table = self._native()
        if self.kind == "lists":  # only such rows bring columns as they come
            table = with_distinct_names(table, kind, taken)
        return convert(table, self.kind, kind)

    @abstractmethod
    def _native(self) -> Any:  # noqa: ANN401 - see `kind`
        """Return the table as its own library has it."""


def mark_of(index: pd.Index) -> str:
    """Return `NUMBERS`, or a hash of the labels in order."""
    import pandas as pd

    if index.equals(pd.RangeIndex(len(index))):
        return NUMBERS
    texts = "\0".join(map(str, index.tolist()))
    return sha256(texts.encode("utf-8", "surrogatepass")).hexdigest()[:16]


class StreamedRows(TableRows):
    """Rows that come in parts, each of one row or more."""

    def __init__(self, parts: Iterable[Any], *, n_rows: int | None) -> None:
        self._parts = iter(parts)
        if n_rows is None:
            self.n_rows = None
            self.has(0)
        else:
            self.has(n_rows)  # they are there already; this takes hold of them
            self.n_rows = self.n_read
        if self.error is not None:
            raise self.error

    def has(self, number: int) -> bool:
        while self.n_read <= number and self._read_part():
            pass
        return 0 <= number < self.n_read

    @abstractmethod
    def _keep(self, part: Any) -> None:  # noqa: ANN401 - each class knows its own
        """Take in a part."""

    def _read_part(self) -> bool:
        """Read a part; return False where there is none any more."""
        if self.error is not None:
            return False
        try:
            self._take_part()
        except StopIteration:
            return False
        except FrameError as error:
            self.error = error
            return False
        return True

    def _take_part(self) -> None:
        try:
            self._keep(next(self._parts))
        except StopIteration:
            raise
        except Exception as error:
            message = " ".join(str(error).split())[:200]
            raise FrameError(
                f"row {self.n_read} of the data could not be read:"
                f" {type(error).__name__}{message and ': '}{message}"
            ) from error
