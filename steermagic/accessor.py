"""`df.steer`: where a frame came from. The frame itself carries only the id of its run.

pandas copies `attrs` deeply at every operation, so nothing large may stand there.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from functools import partial
from numbers import Real
from typing import TYPE_CHECKING

from steer_engine import Schema, SteerError
from steermagic.confidences import alternatives_frame, confidence_frame
from steermagic.display import SteerView, view_of
from steermagic.errors import OptionError
from steermagic.frame_view import FrameView, frame_view
from steermagic.judgements import JudgementStore, reviewed_frame
from steermagic.origins import ATTRIBUTE, on_frame
from steermagic.plots import plot_frame
from steermagic.review import doubtful_rows, min_confidence
from steermagic.runs import Run, found_evidence

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from steermagic.widgets.review import Review


class SteerAccessor:
    """How the values of a frame came about."""

    def __init__(
        self, run: Run, frame: pd.DataFrame, judgements: Callable[[], JudgementStore]
    ) -> None:
        self._run, self._frame, self._judgements = run, frame, judgements

    @property
    def schema(self) -> Schema:
        """The schema that the values are valid under."""
        return self._run.job.found.schema

    @property
    def model(self) -> str:
        """The model's name."""
        return self._run.model

    @property
    def raw(self) -> list[str]:
        """The answers as the model wrote them: JSON text, one a prompt."""
        return [row.text for row in self._run.rows]

    @property
    def thoughts(self) -> list[str]:
        """What the model wrote before each answer, where `--think` let it; else empty."""
        return [row.thoughts for row in self._run.rows]

    @property
    def errors(self) -> dict[int, SteerError]:
        """The errors of the rows that failed, by the row's position in the table."""
        return self._run.errors

    @property
    def confidence(self) -> pd.DataFrame:
        """How probable the model found each value, on the frame's index.

        The geometric mean of the probabilities of the tokens that it chose for the value, among
        those that the schema allowed; 1 where it had no choice. It is no probability that the value
        is right. Of a list it is that of its least probable item. Missing (NaN) where there is no
        value, or none that the model wrote, or another one by now, and where the row is not the
        run's or cannot be told from others with its label; a model on a server tells none.

        Raises:
            FrameError: the rows cannot be found: the frame's index was replaced, or the run was
                taken from the store, which has no index, and answers are not those of the frame.
        """
        return on_frame(confidence_frame(self._run, "mean"), self._run, self._frame)

    @property
    def least_confidence(self) -> pd.DataFrame:
        """As `confidence`, with the least probable token of each value in place of the mean."""
        return on_frame(confidence_frame(self._run, "least"), self._run, self._frame)

    @property
    def alternatives(self) -> pd.DataFrame:
        """How probable every alternative of the enums, booleans and choices was, on the index.

        The columns have two levels: ``df.steer.alternatives["mood"]`` has a column for each mood,
        and ``df.steer.alternatives["paid", "true"]`` is the probability of true. The sums over
        all ways to write a value are exact; what a row lacks to 1 was negligible.
        """
        return on_frame(alternatives_frame(self._run), self._run, self._frame)

    @property
    def doubtful(self) -> pd.DataFrame:
        """The rows with a value of a confidence below ``--min-confidence``, and why.

        Raises:
            FrameError: the frame's index was replaced.
            OptionError: the cell had no ``--min-confidence``.
        """
        return self.doubtful_below(min_confidence(self._run))

    def doubtful_below(self, confidence: float) -> pd.DataFrame:
        """Return the rows with a value below that `confidence`, and a column that says which.

        Raises:
            FrameError: the frame's index was replaced.
            OptionError: `confidence` is not between 0 and 1.
        """
        if not isinstance(confidence, Real):
            raise OptionError(f"a confidence must be from 0 to 1, not {confidence!r}")
        return doubtful_rows(self._run, self._frame, below=confidence)

    @property
    def tokens(self) -> pd.DataFrame:
        """One row a token: its text, who decided on it, and how probable the model found it."""
        import pandas as pd

        names = ("text", "origin", "probability", "wanted", "wanted_probability", "pointer")
        tokens = [
            (
                step.spelling.decode("utf-8", "replace"),
                step.origin,
                _probability(step.logprob),
                None if step.wanted is None else step.wanted.decode("utf-8", "replace"),
                _probability(step.wanted_logprob),
                step.pointer,
            )
            for step in self._run.steps
        ]
        return pd.DataFrame.from_records(tokens, columns=names)

    @property
    def evidence(self) -> pd.DataFrame:
        """Where the verbatim values stand in the prompt's input, one row a value.

        `row` is the position of the value's row in the table (with `--rows`, of its record), and
        `start` up to `end` are characters of `source`, the expression in the prompt's braces: for
        ``{{ mail }}``, ``mail[start:end]`` is the value. Without braces it is the whole prompt.
        Where the value stands there several times, the first place counts.
        """
        import pandas as pd

        names = ("row", "column", "text", "start", "end", "source")
        return pd.DataFrame.from_records(list(found_evidence(self._run)), columns=names)

    def review(self) -> Review:
        """Return the review of the frame's rows, the least sure first; in a page it is a tool.

        Each row stands beside the text that was asked about. What is accepted, corrected or
        rejected there is stored with the run, and `reviewed` has it.

        Raises:
            FrameError: the frame's index was replaced.
        """
        from steermagic.widgets.review import Review

        return Review(self._run, self._frame, self._judgements)

    @property
    def reviewed(self) -> pd.DataFrame:
        """The run's frame with what was corrected, and a last column, `review`, of the verdicts.

        They are accepted, corrected or rejected; a row that nobody has judged has none. It is the
        whole frame that the cell gave, whatever rows and columns this one has by now.
        """
        return reviewed_frame(self._run, self._judgements().judgements(self._run.id))

    def show(self, *, rows: int | None = None, columns: int | None = None) -> FrameView:
        """Return the frame to look at; as the last line of a cell it is shown.

        Headers tell the type and the description of their column, cells how sure the model was and
        where their value was copied from, when pointed at. Addresses of http and https are links,
        long texts are folded. `rows` and `columns` say how many are shown, by default as many as
        the options ``display.max_rows`` and ``display.max_columns`` of pandas.

        Raises:
            OptionError: `rows` or `columns` is no whole number above 0.
        """
        return frame_view(self._run, self._frame, rows=rows, columns=columns)

    def plot(self) -> Figure:
        """Return a figure; as the last line of a cell it is shown.

        It has the distribution of each enum and boolean, the confidence of each column's values,
        and why rows failed. It is none of pyplot's: nothing need be closed.

        Raises:
            FrameError: there is nothing of all that, or the index of the frame was replaced.
            MissingExtraError: matplotlib is not installed.
        """
        return plot_frame(self._run, self._frame)

    def view(self) -> SteerView:
        """Return the view of all tokens; as the last line of a cell it is shown."""
        return view_of(self._run)


def find_attached(frame: object, find_run: Callable[[str], Run | None]) -> Run | None:
    """Return the run that a pandas frame came from, if it is still known."""
    run_id = _attached_id(frame)
    return find_run(run_id) if run_id else None


def register_accessor(
    find_run: Callable[[str], Run | None], judgements_on: Callable[[Run], JudgementStore]
) -> None:
    """Give pandas frames the attribute `steer`, which looks runs up with `find_run`."""
    import pandas as pd

    def access(frame: pd.DataFrame) -> SteerAccessor:
        run = find_attached(frame, find_run)
        if run is None:
            # AttributeError is what pandas expects of an accessor that does not apply.
            raise AttributeError(_unknown(_attached_id(frame)))
        return SteerAccessor(run, frame, partial(judgements_on, run))

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # a later session takes the name over
        pd.api.extensions.register_dataframe_accessor("steer")(access)  # type: ignore[type-var]


def _attached_id(frame: object) -> str:
    run_id = getattr(frame, "attrs", {}).get(ATTRIBUTE)
    return run_id if isinstance(run_id, str) else ""


def _unknown(run_id: str) -> str:
    known = "this frame does not come from one of the last %%steer cells"
    if run_id:
        return f"{known}; %steer runs show {run_id[:8]} brings its run back"
    return f"{known}, or pandas dropped its mark (in merge or join): use .steer ahead of that"


def _probability(logprob: float | None) -> float:
    return math.nan if logprob is None else math.exp(logprob)
