"""The rows that somebody should look at, for the model was not sure of one of their values."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, cast

from steermagic.confidences import confidence_frame, on_index
from steermagic.conversions import convert
from steermagic.errors import CommandError, OptionError
from steermagic.options import TABLES, check_confidence
from steermagic.pieces import percent
from steermagic.runs import Run, result_of

if TYPE_CHECKING:
    import pandas as pd

    from steermagic.conversions import Table

_WHY = "why"


def min_confidence(run: Run) -> float:
    """Return the ``--min-confidence`` of a run.

    Raises:
        OptionError: it had none.
    """
    if not run.job.options.min_confidence:
        raise OptionError("the cell had no --min-confidence P; write df.steer.doubtful_below(P)")
    return run.job.options.min_confidence


def doubtful_rows(run: Run, frame: pd.DataFrame, *, below: float) -> pd.DataFrame:
    """Return the rows of `frame` in which a value has a confidence below that, and why.

    `frame` is that of the run, or made from it. A last column, `why` (`why_2` where there is one),
    names the values with their confidence.

    Raises:
        OptionError: `below` is no probability.
    """
    check_confidence(below, name="a confidence")
    probs = on_index(confidence_frame(run, "mean"), frame.index)
    is_doubtful = (probs < below).any(axis=1).to_numpy()
    reasons = [
        ", ".join(f"{name} ({percent(prob)})" for name, prob in row.items() if prob < below)
        for row in probs[is_doubtful].to_dict("records")
    ]
    return frame[is_doubtful].assign(**{_name_for_why(frame): reasons})


def review_table(run: Run, below: float) -> Table:
    """Return the `doubtful_rows` of a run as a table of the kind that it asked for, else pandas.

    Raises:
        CommandError: the run's answer is no table.
        OptionError: `below` is no probability.
    """
    options = run.job.options
    if options.unsteered or not run.records:
        raise CommandError("the last cell gave no rows; %steer last shows what it gave")
    frame = cast("pd.DataFrame", result_of(run, as_="pandas"))
    found = doubtful_rows(run, frame, below=below)
    return convert(found, "pandas", options.as_) if options.as_ in TABLES else found


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


def _name_for_why(frame: pd.DataFrame) -> str:
    if _WHY not in frame:
        return _WHY
    return next(name for n in count(2) if (name := f"{_WHY}_{n}") not in frame)
