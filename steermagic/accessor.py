"""`df.steer`: where a frame came from. The frame itself carries only the id of its run.

pandas copies `attrs` deeply at every operation, so nothing large may stand there.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING

from steer_engine import Schema, SteerError
from steermagic.display import SteerView
from steermagic.runs import Run, copied_from, found_evidence

if TYPE_CHECKING:
    import pandas as pd

_ATTRIBUTE = "steermagic_run"


class SteerAccessor:
    """How the values of a frame came about."""

    def __init__(self, run: Run) -> None:
        self._run = run

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

    def view(self) -> SteerView:
        """Return the view of all tokens; as the last line of a cell it is shown."""
        return SteerView(self._run.model, self._run.steps, copied=copied_from(self._run))


def attach(run: Run, frame: object) -> None:
    """Write the id of `run` on a pandas frame."""
    frame.attrs[_ATTRIBUTE] = run.id  # type: ignore[attr-defined] # only Session knows


def find_attached(frame: object, find_run: Callable[[str], Run | None]) -> Run | None:
    """Return the run that a pandas frame came from, if it is still known."""
    run_id = getattr(frame, "attrs", {}).get(_ATTRIBUTE)
    return find_run(run_id) if isinstance(run_id, str) else None


def register_accessor(find_run: Callable[[str], Run | None]) -> None:
    """Give pandas frames the attribute `steer`, which looks runs up with `find_run`."""
    import pandas as pd

    def access(frame: pd.DataFrame) -> SteerAccessor:
        run = find_attached(frame, find_run)
        if run is None:
            # AttributeError is what pandas expects of an accessor that does not apply.
            raise AttributeError("this frame does not come from one of the last %%steer cells")
        return SteerAccessor(run)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # a later session takes the name over
        pd.api.extensions.register_dataframe_accessor("steer")(access)  # type: ignore[type-var]


def _probability(logprob: float | None) -> float:
    return math.nan if logprob is None else math.exp(logprob)
