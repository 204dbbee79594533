"""`--over DATA`: a prompt for each row of a table, filled in when its turn comes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, overload

from steermagic.errors import InterpolationError
from steermagic.prompt import FilledPrompt, PromptTemplate
from steermagic.tables import TableRows

ROW = "row"
"""Name of the whole row in a prompt, for columns that are no Python names: `row["my col"]`.

A column of that name hides it.
"""


class OverPrompts(Sequence[str]):
    """The prompts of a table's rows. Each is filled in whenever it is asked for.

    None is kept but the first, which is filled in to check it and need not have that value twice.
    Columns hide variables of the same name. Variables that the prompt uses have the values that
    they had when the run began.
    """

    def __init__(
        self, rows: TableRows, template: PromptTemplate, namespace: Mapping[str, object]
    ) -> None:
        self._rows, self._template, self._namespace = rows, template, namespace
        self._used = {name: namespace[name] for name in template.names if name in namespace}
        self._first: FilledPrompt | None = None

    def __len__(self) -> int:
        """Count the rows that are known: of an iterator those that have been read."""
        return self._rows.n_read

    @overload
    def __getitem__(self, number: int) -> FilledPrompt: ...

    @overload
    def __getitem__(self, number: slice) -> tuple[FilledPrompt, ...]: ...

    def __getitem__(self, number: int | slice) -> FilledPrompt | tuple[FilledPrompt, ...]:
        """Return the prompt of a row; an iterator is read as far as that.

        Raises:
            IndexError: there is no such row.
            InterpolationError: it cannot be filled in; the message names the row.
        """
        if isinstance(number, slice):
            return tuple(self[i] for i in range(*number.indices(len(self))))
        if number < 0:
            number += len(self)
        if not self._rows.has(number):
            raise IndexError(f"the table has no row {number}")
        if number == 0 and self._first is not None:
            return self._first
        try:
            return self._fill(number)
        except InterpolationError as error:
            label = self._rows.label(number)
            raise InterpolationError(
                f"row {label!r} of the table: {error}", undefined=error.undefined
            ) from error

    def check(self) -> None:
        """Find out, by the first row, whether the prompt can be asked of the rows at all.

        Raises:
            InterpolationError: it uses no column, so that all rows would ask the same, or a name
                that is not there. What else is wrong with the first row is wrong with that alone.
        """
        if not self._rows.columns and not self._rows.has(0):
            return  # nobody knows what an empty list lacks
        known = [*(self._rows.row(0) if self._rows.has(0) else self._rows.columns)]
        columns = [str(name) for name in known]
        if self._template.names.isdisjoint([*columns, ROW]):
            is_row = not columns or ROW in columns
            name = ROW if is_row else _in_a_prompt(known[0])
            raise InterpolationError(
                f"the prompt uses no column of the table; write {{{{ {name} }}}}"
            )
        try:
            if self._rows.has(0):
                self._first = self._fill(0)
        except InterpolationError as error:
            if error.undefined is not None:
                raise

    def _fill(self, number: int) -> FilledPrompt:
        row: dict[Any, object]
        row = {name: _shown(value) for name, value in self._rows.row(number).items()}
        columns = {str(name): value for name, value in row.items()}
        names = {**self._namespace, **self._used, ROW: {**row, **columns}, **columns}
        return self._template.fill(names)


def _in_a_prompt(name: object) -> str:
    """Return how a prompt names a column."""
    return name if isinstance(name, str) and name.isidentifier() else f"{ROW}[{name!r}]"


def _shown(value: Any) -> object:  # noqa: ANN401 - of any type
    """Return `value` as a prompt shows it: what is missing is empty."""
    import pandas as pd

    return "" if pd.api.types.is_scalar(value) and pd.isna(value) else value
