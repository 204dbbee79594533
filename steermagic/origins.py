"""Which rows of a run's frame those of another frame are, that the user made from it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from steer_engine import column_plan
from steermagic.errors import FrameError
from steermagic.runs import Run, result_of
from steermagic.sameness import is_hashable, lookup_key
from steermagic.tables import NUMBERS, StoredRows, mark_of

if TYPE_CHECKING:
    import pandas as pd

# Of the rows of the run's frame, and of those of the frame that was made from it.
_Values: TypeAlias = tuple[Sequence[Hashable], Sequence[Hashable]]

UNKNOWN = -1
"""Stands for a row that the run's frame does not have, or that cannot be told from others."""

ATTRIBUTE = "steermagic_run"
"""The entry of `attrs` that has the id of the run."""

NUMBERED = "steermagic_numbered"
"""The entry of `attrs` that tells of a frame whose index has the numbers of the run's rows."""

_REPLACED = (
    "{} of {} rows have lost the label that they had in the run's frame: the index was replaced;"
    " use .steer before reset_index or set_index"
)
_NOT_STORED = (
    "the run is from the store, which does not have this frame's index, and the frame lacks rows of"
    " the run, its order or its answers; use .steer on the frame that %steer last gives"
)


@dataclass(frozen=True, slots=True)
class Origin:
    """Which rows of the run's frame, `table`, those of a frame are that was made from it.

    Rows are told apart by numbers here: where labels are not unique, by all of their values, too.
    `is_moved` tells where a row of the frame has the label of another one, as it gets when the
    index is replaced. `problem` says why the rows cannot be found, if they cannot.
    """

    table: pd.DataFrame
    labels: NDArray[np.intp]  # (rows of the table,)
    frame_labels: NDArray[np.intp]  # (rows of the frame,), or UNKNOWN
    is_moved: NDArray[np.bool_]  # (rows of the frame,)
    problem: str = ""

    def check(self) -> None:
        """Find out whether the frame's rows can be found.

        Raises:
            FrameError: no label is known, rows have those of others, or no index is stored.
        """
        if self.problem:
            raise FrameError(self.problem)


def origin_of(run: Run, frame: pd.DataFrame) -> Origin:
    """Return which rows of the run's frame those of `frame` are, which was made from it.

    A row is found by its label, where several have that by its inputs and answers, too. Of a frame
    without any of the answers no row is known.
    """
    table = cast("pd.DataFrame", result_of(run, as_="pandas"))
    _, answers = _common(run, table, frame)
    if not answers:
        return _unknown(table, frame)
    stored = run.job.over if NUMBERED not in frame.attrs else None
    if isinstance(stored, StoredRows) and stored.mark != NUMBERS:
        return _in_order(table, frame, answers, stored.mark)
    labels, frame_labels = _numbered_labels(table.index, frame.index)
    if isinstance(stored, StoredRows):  # by their labels, if all answers agree
        answered = {*_rows(labels, (table[name] for name in answers))}
        if not answered.issuperset(_rows(frame_labels, (frame[name] for name in answers))):
            return _unknown(table, frame, _NOT_STORED)
    is_moved = _moved(labels, frame_labels, [*_identifying(run, table, frame)])
    problem = _REPLACED.format(is_moved.sum(), len(frame)) if is_moved.any() else ""
    if not (table.index.is_unique and frame.index.is_unique):
        labels, frame_labels = _told_apart(run, table, frame, labels, frame_labels)
    return Origin(table, labels, frame_labels, is_moved, problem)


def attach(run: Run, frame: object) -> None:
    """Write the id of `run` on a pandas frame."""
    attrs = frame.attrs  # type: ignore[attr-defined] # only Session knows
    attrs[ATTRIBUTE] = run.id
    if is_restored(run):
        attrs[NUMBERED] = True


def is_restored(run: Run) -> bool:
    """Tell whether the run is from the store, whose rows have a number and no inputs."""
    return isinstance(run.job.over, StoredRows)


def is_as_answered(run: Run, frame: object) -> bool:
    """Tell whether `frame` ends in the columns of the run's answers, all of them row by row."""
    import pandas as pd

    if not isinstance(frame, pd.DataFrame):
        return False
    table = cast("pd.DataFrame", result_of(run, as_="pandas"))
    n_answers = len(_answers(run))
    now, answered = (
        each.iloc[:, each.shape[1] - n_answers :].reset_index(drop=True) for each in (frame, table)
    )
    return now.equals(answered)


def on_frame(known: pd.DataFrame, run: Run, frame: pd.DataFrame) -> pd.DataFrame:
    """Return what is `known` of the values of the run's frame, for those of `frame`.

    `known` is on the index of the run's frame, and `frame` was made from that. Rows that are equal
    in all, label included, get the lowest of theirs. Missing (NaN) is what is known of a value that
    somebody has changed since, of new rows, and of those that cannot be told from others.

    Raises:
        FrameError: the rows cannot be found, for the index was replaced or is not stored.
    """
    origin = origin_of(run, frame)
    origin.check()
    found = _lowest(known, origin.labels).reindex(origin.frame_labels).set_axis(frame.index)
    is_same = np.ones(found.shape, dtype=bool)
    for name in _shared(_answers(run), origin.table, frame):
        written = {*_rows(origin.labels, [origin.table[name]])}
        now = _rows(origin.frame_labels, [frame[name]])
        of_name = found.columns.get_level_values(0) == name
        is_same[:, of_name] = np.array([each in written for each in now], dtype=bool)[:, None]
    return found.where(is_same)


def _lowest(known: pd.DataFrame, labels: NDArray[np.intp]) -> pd.DataFrame:
    """Return the lowest that is known for each of `labels`, as the index."""
    labelled = known.set_axis(labels)
    return labelled if labelled.index.is_unique else labelled.groupby(level=0).min()


def _unknown(table: pd.DataFrame, frame: pd.DataFrame, problem: str = "") -> Origin:
    """Return the origin of a frame of which no row is known."""
    places, is_moved = np.full(len(frame), UNKNOWN), np.zeros(len(frame), dtype=bool)
    return Origin(table, np.arange(len(table)), places, is_moved, problem)


def _in_order(
    table: pd.DataFrame, frame: pd.DataFrame, answers: Sequence[Hashable], mark: str | None
) -> Origin:
    """Return the origin of a frame that has the rows of `table` in order, if all answers agree.

    So have the labels to, unless the store is without their `mark`: answers are often equal.
    """
    pairs = ((_keys(table[name]), _keys(frame[name])) for name in answers)
    if len(frame) and (
        any(stored != now for stored, now in pairs)
        or mark not in (None, mark_of(frame.index[~table.index.duplicated()]))
    ):
        return _unknown(table, frame, _NOT_STORED)
    places = np.arange(len(frame))
    return Origin(table, np.arange(len(table)), places, np.zeros(len(frame), dtype=bool))


def _numbered_labels(table: pd.Index, frame: pd.Index) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return numbers for the labels of two indexes; -1 for those that only the second one has."""
    import pandas as pd

    labels = table.unique()
    if isinstance(labels, pd.IntervalIndex):  # it would look for the interval that a label lies in
        labels = labels.astype(object)
    if frame.nlevels != table.nlevels:
        return labels.get_indexer(table), np.full(len(frame), UNKNOWN)
    return labels.get_indexer(table), labels.get_indexer(frame)


def _moved(
    labels: NDArray[np.intp], frame_labels: NDArray[np.intp], identifying: Sequence[_Values]
) -> NDArray[np.bool_]:
    """Return which rows of a frame have the label of another one, or a new one in its place."""
    is_new: NDArray[np.bool_] = frame_labels == UNKNOWN
    if is_new.all():
        return is_new
    # What is new beside the row that it equals is a copy.
    gone = [*(Counter(labels.tolist()) - Counter(frame_labels.tolist()))]
    is_whole = np.array_equal(np.sort(labels), np.sort(frame_labels))
    is_own, is_other = np.zeros((2, len(frame_labels)), dtype=bool)
    for values, frame_values in identifying:
        if is_whole and Counter(values) != Counter(frame_values):
            continue  # rows that only moved would have the same values
        found = _labels_of(frame_values, values, labels)
        is_found = found != UNKNOWN
        is_own |= is_found & (found == frame_labels)
        is_other |= is_found & np.where(is_new, np.isin(found, gone), found != frame_labels)
    is_moved: NDArray[np.bool_] = is_other & ~is_own
    return is_moved


def _told_apart(
    run: Run,
    table: pd.DataFrame,
    frame: pd.DataFrame,
    labels: NDArray[np.intp],
    frame_labels: NDArray[np.intp],
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return labels that tell apart all rows of `table` but equal ones, and those of `frame`."""
    first = dict[Hashable, int]()
    rows = _rows(labels, (table.iloc[:, nth] for nth in range(table.shape[1])))
    numbers = np.array([first.setdefault(row, n) for n, row in enumerate(rows)], dtype=np.intp)
    found = np.full(len(frame), UNKNOWN)
    inputs, answers = _common(run, table, frame)
    for names in ([*inputs, *answers], inputs):  # what was changed since is found by its inputs
        if names:
            known = _rows(labels, (table[name] for name in names))
            wanted = _rows(frame_labels, (frame[name] for name in names))
            found = np.where(found == UNKNOWN, _labels_of(wanted, known, numbers), found)
    if frame.index.equals(table.index) and ((found == numbers) | (found == UNKNOWN)).all():
        numbers = found = np.arange(len(table))  # nothing speaks against the order
    return numbers, found


def _rows(labels: NDArray[np.intp], columns: Iterable[pd.Series]) -> list[Hashable]:
    """Return what tells rows apart: their labels, and their values in `columns`."""
    return [*zip(labels.tolist(), *map(_keys, columns), strict=True)]


def _common(
    run: Run, table: pd.DataFrame, frame: pd.DataFrame
) -> tuple[list[Hashable], list[Hashable]]:
    """Return which inputs and which answers both frames have as a column."""
    answers = _answers(run)
    inputs = [name for name in table if name not in answers]
    return _shared(inputs, table, frame), _shared(answers, table, frame)


def _identifying(run: Run, table: pd.DataFrame, frame: pd.DataFrame) -> Iterator[_Values]:
    """Yield values for the rows of `table` and of `frame` by which a row may be known."""
    inputs, answers = _common(run, table, frame)
    for name in inputs:
        yield _scalars(table[name]), _scalars(frame[name])
    if not inputs and len(answers) > 1:  # one alone is soon corrected to that of another row
        yield (
            [*zip(*(_keys(table[name]) for name in answers), strict=True)],
            [*zip(*(_keys(frame[name]) for name in answers), strict=True)],
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
    return [column.name for column in column_plan(run.row_schema)]


def _shared(names: Sequence[Hashable], *frames: pd.DataFrame) -> list[Hashable]:
    """Return those names that are one column in each of the frames."""
    columns = [Counter[Hashable](frame.columns) for frame in frames]
    return [name for name in names if all(each[name] == 1 for each in columns)]


def _keys(values: pd.Series) -> list[Hashable]:
    """Return `values` as they can be looked up; what is missing is None."""
    return [None if gap else lookup_key(value) for value, gap in _with_gaps(values)]


def _scalars(values: pd.Series) -> list[Hashable]:
    """Return an input's values as they can be looked up; what is missing is None.

    So is a list: it may be long, and other inputs tell rows apart.
    """
    return [None if gap or not is_hashable(value) else value for value, gap in _with_gaps(values)]


def _with_gaps(values: pd.Series) -> Iterator[tuple[Any, bool]]:
    return zip(values.tolist(), values.isna().tolist(), strict=True)
