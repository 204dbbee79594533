"""The rows that somebody should look at, for the model was not sure of one of their values."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from itertools import count
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from steermagic.confidences import confidence_frame
from steermagic.conversions import index_names
from steermagic.errors import CommandError, OptionError
from steermagic.options import TABLES, check_confidence
from steermagic.origins import on_frame
from steermagic.pieces import percent
from steermagic.runs import Run, result_of

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa

    from steermagic.conversions import Table

_WHY = "why"


def min_confidence(run: Run) -> float:
    """Return the ``--min-confidence`` of a run.

    Raises:
        OptionError: it had none.
    """
    if not run.job.options.min_confidence:
        raise OptionError(
            "the cell had no --min-confidence P; write %steer doubtful P, or of a pandas frame"
            " df.steer.doubtful_below(P)"
        )
    return run.job.options.min_confidence


def doubtful_rows(run: Run, frame: pd.DataFrame, *, below: float) -> pd.DataFrame:
    """Return the rows of `frame` in which a value has a confidence below that, and why.

    `frame` is that of the run, or made from it. A last column, `why` (`why_2` where there is one),
    names the values with their confidence. What somebody has changed is no value of the model.

    Raises:
        FrameError: the index of `frame` was replaced.
        OptionError: `below` is no probability.
    """
    import pandas as pd

    check_confidence(below, name="a confidence")
    is_doubtful, reasons = _doubts(on_frame(confidence_frame(run, "mean"), run, frame), below)
    why = pd.array(reasons, dtype=pd.StringDtype(na_value=math.nan))
    return frame[is_doubtful].assign(**{_name_for_why(frame.columns): why})


def review_table(run: Run, below: float) -> Table:
    """Return the `doubtful_rows` of a run as a table of the kind that it asked for, else pandas.

    Where that has no labels and no column `index`, a first one tells the number of the row.

    Raises:
        CommandError: the run's answer is no table.
        OptionError: `below` is no probability.
    """
    options = run.job.options
    if options.unsteered or not run.records:
        raise CommandError("the last cell gave no rows; %steer last shows what it gave")
    table: Any = result_of(run, as_=options.as_ if options.as_ in TABLES else "pandas")
    if options.as_ not in ("polars", "arrow"):
        return doubtful_rows(run, table, below=below)
    check_confidence(below, name="a confidence")
    probs = confidence_frame(run, "mean")
    is_doubtful, reasons = _doubts(probs, below)
    source = run.job.table()
    has_labels = source is not None and bool(index_names(source))
    numbers = None if has_labels else probs.index[is_doubtful].to_numpy()
    if options.as_ == "polars":
        return _doubtful_polars(table.filter(is_doubtful), reasons, numbers)
    return _doubtful_arrow(table.filter(is_doubtful), reasons, numbers)


def doubts_line(run: Run, *, shown_by: str) -> str:
    """Return a line on the rows that ``--min-confidence`` marks; without that option nothing."""
    below = run.job.options.min_confidence
    if not below or run.job.options.unsteered or not run.records:
        return ""
    if not any(row.confidence for row in run.rows):
        return "the model told of no value how sure it is, so --min-confidence marks no row"
    is_doubtful = (confidence_frame(run, "mean") < below).any(axis=1)
    n_doubtful, n_rows = int(is_doubtful.sum()), len(is_doubtful)
    verb = "has" if n_doubtful == 1 else "have"
    line = f"{n_doubtful} of {n_rows} rows {verb} a value with a confidence below {below:g}"
    return f"{line}: {shown_by}" if n_doubtful else line


def _doubts(probs: pd.DataFrame, below: float) -> tuple[NDArray[np.bool_], list[str]]:
    """Return which rows have a value below that, and for each of those which values."""
    is_doubtful: NDArray[np.bool_] = (probs < below).any(axis=1).to_numpy()
    reasons = [
        ", ".join(f"{name} ({percent(prob)})" for name, prob in row.items() if prob < below)
        for row in probs[is_doubtful].to_dict("records")
    ]
    return is_doubtful, reasons


def _doubtful_polars(
    found: pl.DataFrame, reasons: Sequence[str], numbers: NDArray[np.int64] | None
) -> pl.DataFrame:
    import polars as pl

    if numbers is not None and "index" not in found:
        found = found.insert_column(0, pl.Series("index", numbers))
    why = pl.Series(_name_for_why(found.columns), reasons, dtype=pl.String)
    return found.with_columns(why)


def _doubtful_arrow(
    found: pa.Table, reasons: Sequence[str], numbers: NDArray[np.int64] | None
) -> pa.Table:
    import pyarrow as pa

    if numbers is not None and "index" not in found.column_names:
        found = found.add_column(0, "index", pa.array(numbers))
    return found.append_column(_name_for_why(found.column_names), pa.array(reasons, pa.string()))


def _name_for_why(taken: Collection[object]) -> str:
    if _WHY not in taken:
        return _WHY
    return next(name for n in count(2) if (name := f"{_WHY}_{n}") not in taken)
