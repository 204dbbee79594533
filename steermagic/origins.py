"""Which rows of a run's frame those of another frame are, that the user made from it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray

from steer_engine import column_plan
from steermagic.confidences import on_index
from steermagic.errors import FrameError
from steermagic.frames import row_schema
from steermagic.runs import Run, result_of

if TYPE_CHECKING:
    import pandas as pd

UNKNOWN = -1
"""Stands for a label that the run's frame does not have."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Which rows of the run's frame, `table`, those of a frame are that was made from it.

    Rows are told apart by their label, which has a number here. `is_moved` tells where a row of the
    frame has the label of another one, as it gets when the index is replaced.
    """

    table: pd.DataFrame
    labels: NDArray[np.intp]  # (rows of the table,)
    frame_labels: NDArray[np.intp]  # (rows of the frame,); UNKNOWN is a new label
    is_moved: NDArray[np.bool_]  # (rows of the frame,)

    def check(self) -> None:
        """Find out whether the frame's rows can be found by their labels.

        Raises:
            FrameError: no label is known, or rows have those of others.
        """
        n_rows, n_moved = len(self.frame_labels), int(self.is_moved.sum())
        if n_moved or (n_rows and (self.frame_labels == UNKNOWN).all()):
            raise FrameError(
                f"{n_moved or n_rows} of {n_rows} rows have lost the label that they had in the"
                " run's frame: the index was replaced; use .steer before reset_index or set_index"
            )


def origin_of(run: Run, frame: pd.DataFrame) -> Origin:
    """Return which rows of the run's frame those of `frame` are, which was made from it."""
    table = cast("pd.DataFrame", result_of(run, as_="pandas"))
    labels, frame_labels = _numbered_labels(table.index, frame.index)
    is_own, is_other = np.zeros((2, len(frame)), dtype=bool)
    for values, frame_values in _identifying(run, table, frame):
        found = _labels_of(frame_values, values, labels)
        is_own |= (found == frame_labels) & (found != UNKNOWN)
        is_other |= (found != frame_labels) & (found != UNKNOWN)
    return Origin(table, labels, frame_labels, is_other & ~is_own)


def on_frame(known: pd.DataFrame, run: Run, frame: pd.DataFrame) -> pd.DataFrame:
    """Return what is `known` of the values of the run's frame, for those of `frame`.

    `known` is on the index of the run's frame, and `frame` was made from that. Missing (NaN) is
    what is known of a value that somebody has changed since, and of new rows.

    Raises:
        FrameError: the index was replaced, so that nobody can tell which row is which.
    """
    origin = origin_of(run, frame)
    origin.check()
    found = on_index(known, frame.index)
    is_same = np.ones(found.shape, dtype=bool)
    for name in _shared(_answers(run), origin.table, frame):
        written = {*zip(origin.labels.tolist(), _keys(origin.table[name], _text), strict=True)}
        now = zip(origin.frame_labels.tolist(), _keys(frame[name], _text), strict=True)
        of_name = found.columns.get_level_values(0) == name
        is_same[:, of_name] = np.array([each in written for each in now], dtype=bool)[:, None]
    return found.where(is_same)


def _numbered_labels(table: pd.Index, frame: pd.Index) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return numbers for the labels of two indexes; -1 for those that only the second one has."""
    if frame.equals(table):
        return np.arange(len(table)), np.arange(len(table))  # as the order tells rows apart
    labels = table.unique()
    if frame.nlevels != table.nlevels:
        return labels.get_indexer(table), np.full(len(frame), UNKNOWN)
    return labels.get_indexer(table), labels.get_indexer(frame)


def _identifying(
    run: Run, table: pd.DataFrame, frame: pd.DataFrame
) -> Iterator[tuple[Sequence[Hashable], Sequence[Hashable]]]:
    """Yield values for the rows of `table` and of `frame` by which a row may be known."""
    answers = _answers(run)
    inputs = _shared([name for name in table if name not in answers], table, frame)
    for name in inputs:
        yield _keys(table[name], _nothing), _keys(frame[name], _nothing)
    shared = _shared(answers, table, frame)
    if not inputs and len(shared) > 1:  # one alone is soon corrected to that of another row
        yield (
            [*zip(*(_keys(table[name], _text) for name in shared), strict=True)],
            [*zip(*(_keys(frame[name], _text) for name in shared), strict=True)],
        )


def _labels_of(
    values: Sequence[Hashable], known: Sequence[Hashable], labels: NDArray[np.intp]
) -> NDArray[np.intp]:
    """Return the label that alone has each of `values`; -1 where none has, or several have."""
    found = dict[Hashable, int]()
    for value, label in zip(known, labels.tolist(), strict=True):
        found[value] = label if found.get(value, label) == label else UNKNOWN
    found[None] = UNKNOWN  # what is missing tells nothing
    return np.array([found.get(value, UNKNOWN) for value in values], dtype=np.intp)


def _answers(run: Run) -> list[str]:
    schema = row_schema(run.job.found.schema, rows=run.job.options.rows)
    return [column.name for column in column_plan(schema)]


def _shared(names: Sequence[Hashable], *frames: pd.DataFrame) -> list[Hashable]:
    """Return those names that are one column in each of the frames."""
    columns = [Counter[Hashable](frame.columns) for frame in frames]
    return [name for name in names if all(each[name] == 1 for each in columns)]


def _keys(values: pd.Series, unhashable: Callable[[object], Hashable]) -> list[Hashable]:
    """Return `values` as they can be looked up; what is missing is None."""

    def key(value: object) -> Hashable:
        try:
            hash(value)
        except TypeError:
            return unhashable(value)
        return value

    return [
        None if gap else key(value)
        for value, gap in zip(values.tolist(), values.isna().tolist(), strict=True)
    ]


def _text(value: object) -> str:
    return str(value.tolist() if isinstance(value, np.ndarray) else value)  # as Parquet has lists


def _nothing(_: object) -> None:
    """Stand for an input that is a list: it may be long, and other inputs tell rows apart."""
