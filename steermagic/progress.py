"""How far a run over many rows is; as one line, it clears itself."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator

from IPython.core.interactiveshell import InteractiveShell
from IPython.display import DisplayHandle

from steermagic.display import Text

_PERIOD_S = 0.25
_PATIENCE_S = 1.0  # what is done by then needs no line
_RECENT_S, _RECENT_ROWS = 20.0, 64  # the speed is that of the last so long, or so many rows


class Pace:
    """Tells how far a run is: ``37/200 · 0.8 s/row · 2 min left · 1 failed``.

    `n_rows` None stands for rows that nobody can count: ``37 rows · 0.8 s/row``.
    """

    def __init__(self, n_rows: int | None, start: float) -> None:
        self._n_rows, self._speed = n_rows, _Speed(start)
        self._n_finished = self._n_failed = 0

    def update(self, now: float, n_finished: int, n_failed: int) -> None:
        """Take in how many rows are finished by now, those that failed included."""
        self._speed.update(now, n_finished)
        self._n_finished, self._n_failed = n_finished, n_failed

    def __str__(self) -> str:
        return " · ".join(self._parts(self._n_finished, self._n_failed, self._speed.s_per_row))

    def _parts(self, n_finished: int, n_failed: int, s_per_row: float | None) -> Iterator[str]:
        n_rows = self._n_rows
        yield f"{n_finished} rows" if n_rows is None else f"{n_finished}/{n_rows}"
        if s_per_row is not None:
            yield _speed_text(s_per_row)
            if n_rows is not None and n_rows > n_finished:
                yield f"{_duration((n_rows - n_finished) * s_per_row)} left"
        if n_failed:
            yield f"{n_failed} failed"


class ProgressLine:
    """Shows the pace of a run. Call it as often as you like."""

    def __init__(self, n_rows: int | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._start = clock()
        self._shown_at: float | None = None
        self._handle: DisplayHandle | None = None
        self._pace = Pace(n_rows, self._start)

    def __call__(self, n_finished: int, n_failed: int) -> None:
        """Show how many rows are finished, those that failed included."""
        now = self._clock()
        self._pace.update(now, n_finished, n_failed)
        is_due = self._shown_at is None or now - self._shown_at >= _PERIOD_S
        if now - self._start < _PATIENCE_S or not is_due:
            return
        self._shown_at = now
        self._show(str(self._pace))

    def clear(self) -> None:
        """Take the line away; what else the cell shows stays."""
        if self._handle is not None:
            self._show("")

    def _show(self, line: str) -> None:
        if self._handle is None:
            self._handle = DisplayHandle()  # type: ignore[no-untyped-call] # IPython has no types
            self._handle.display(Text(line))  # type: ignore[no-untyped-call] # as above
        else:
            self._handle.update(Text(line))  # type: ignore[no-untyped-call] # as above


class _Speed:
    """Seconds per row, of late.

    What is older counts for less. But rows that are decoded side by side end together, and neither
    such a burst nor the pause before it must pass for the speed.
    """

    def __init__(self, start: float) -> None:
        self._now, self._n_rows = start, 0
        self._seconds = self._rows = 0.0
        self._settled_at = math.inf

    @property
    def s_per_row(self) -> float | None:
        """The mean; None while it cannot be told."""
        return self._seconds / self._rows if self._is_settled else None

    def update(self, now: float, n_rows: int) -> None:
        """Take in that `n_rows` rows have ended by now."""
        seconds, new = now - self._now, n_rows - self._n_rows
        if new == 0:
            return
        s_per_row = self.s_per_row
        fading = 1.0
        if not self._rows or (s_per_row and seconds > _RECENT_ROWS * max(s_per_row, 0.01)):
            # The first row, or the first behind rows that cost next to nothing, as those do that
            # were answered before. It ends late, and those that were begun with it soon after it.
            fading, self._settled_at = 0.0, now + seconds
        elif s_per_row:
            fading = math.exp(-seconds / max(_RECENT_S, _RECENT_ROWS * s_per_row))
        self._seconds = fading * self._seconds + seconds
        self._rows = fading * self._rows + new
        self._now, self._n_rows = now, n_rows

    @property
    def _is_settled(self) -> bool:
        return self._now >= self._settled_at


def _speed_text(s_per_row: float) -> str:
    if s_per_row < 0.1:
        return f"{1 / s_per_row:.0f} rows/s"
    return f"{s_per_row:.1f} s/row" if s_per_row < 100 else f"{s_per_row / 60:.1f} min/row"


def _duration(seconds: float) -> str:
    """Return a duration, in steps as coarse as an estimate is."""
    if seconds < 57.5:
        return f"{max(round(seconds / 5), 1) * 5} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(round(minutes, -1), 60)
    if hours < 10:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{seconds / 3600:.0f} h" if hours < 48 else f"{seconds / 86400:.0f} days"


def is_watched(shell: InteractiveShell) -> bool:
    """Tell whether somebody looks at the outputs as they come.

    Kernels that nbclient, nbconvert or papermill drive cannot ask for input; there a line that
    clears itself would only leave traces in the file.
    """
    return bool(getattr(getattr(shell, "kernel", None), "_allow_stdin", False))
