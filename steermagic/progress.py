"""One line on how far a run over many rows is; it clears itself."""

from __future__ import annotations

import time
from collections.abc import Callable

from IPython.core.interactiveshell import InteractiveShell
from IPython.display import clear_output, display

from steermagic.display import Text

_PERIOD_S = 0.25
_PATIENCE_S = 1.0  # what is done by then needs no line


class ProgressLine:
    """Shows ``37/200 · 0.8 s/row · 1 failed`` while rows finish. Call it after each of them."""

    def __init__(self, n_rows: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._n_rows, self._clock = n_rows, clock
        self._start = clock()
        self._shown_at: float | None = None

    def __call__(self, n_finished: int, n_failed: int) -> None:
        """Show how many rows are finished, those that failed included."""
        now = self._clock()
        elapsed = now - self._start
        is_due = now - (self._shown_at or 0.0) >= _PERIOD_S
        if elapsed < _PATIENCE_S or not is_due:
            return
        self._shown_at = now
        clear_output(wait=True)  # type: ignore[no-untyped-call] # IPython has no types
        speed = f"{elapsed / n_finished:.1f} s/row" if n_finished else ""
        failed = f"{n_failed} failed" if n_failed else ""
        counts = f"{n_finished}/{self._n_rows}"
        line = Text(" · ".join(part for part in (counts, speed, failed) if part))
        display(line)  # type: ignore[no-untyped-call] # IPython has no types

    def clear(self) -> None:
        """Take the line away."""
        if self._shown_at is not None:
            clear_output()  # type: ignore[no-untyped-call] # IPython has no types


def is_watched(shell: InteractiveShell) -> bool:
    """Tell whether somebody looks at the outputs as they come.

    Kernels that nbclient, nbconvert or papermill drive cannot ask for input; there a line that
    clears itself would only leave traces in the file.
    """
    return bool(getattr(getattr(shell, "kernel", None), "_allow_stdin", False))
