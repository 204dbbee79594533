"""A model is brought to this machine: the notice that it begins, and a bar on how far it is."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping

from IPython.core.getipython import get_ipython
from IPython.display import display

from steer_engine import DownloadProgress, bring_here, notice
from steermagic.display import Text

_PERIOD_S = 0.5
_WIDTH = 20  # of the bar


def brought_here(model: str, aliases: Mapping[str, str]) -> str:
    """Return what can be opened without a download; a model of the hub is fetched for it.

    Raises:
        ModelError: there is no such model, or it cannot be fetched.
    """
    return bring_here(model, aliases=aliases, watch=DownloadLine())


class DownloadLine:
    """Says what is downloaded and to where, then how far it is. It stays, as a note."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._shown_at = clock()
        self._display_id = uuid.uuid4().hex
        self._begun: tuple[float, int] | None = None  # when and with how much the first part came

    def __call__(self, progress: DownloadProgress) -> None:
        """Show the notice at first, then the line, a few times a second."""
        now, is_whole = self._clock(), progress.n_done == progress.n_bytes
        if self._begun is not None and progress.n_done < self._begun[1]:
            self._begun = None  # a server that sends all of it again
        if progress.n_done == 0:
            self._shown_at = now
            _show(f"note: {notice(progress)}", self._display_id, updates=False)
        elif is_whole or now - self._shown_at >= _PERIOD_S:
            self._shown_at = now
            text = f"note: {notice(progress)}\n{self._line(progress, now)}"
            _show(text, self._display_id, updates=True)
        if progress.n_done and self._begun is None:
            self._begun = now, progress.n_done

    def _line(self, progress: DownloadProgress, now: float) -> str:
        share = progress.n_done / max(1, progress.n_bytes)
        filled = int(share * _WIDTH)
        line = f"{'█' * filled}{'░' * (_WIDTH - filled)} {int(100 * share)} %"
        begun_at, n_begun = self._begun or (now, progress.n_done)
        if now - begun_at < 1 or progress.n_done == n_begun:
            return line  # too early to tell how fast it is
        rate = (progress.n_done - n_begun) / (now - begun_at)
        n_left = progress.n_bytes - progress.n_done
        left = f" · {n_left / rate:.0f} s left" if n_left else ""
        return f"{line} · {rate / 1e6:.1f} MB/s{left}"


def _show(text: str, display_id: str, *, updates: bool) -> None:
    # Outside IPython `display` prints; a line for every step would fill the terminal.
    if get_ipython() is None and updates:
        return
    display(Text(text), display_id=display_id, update=updates)  # type: ignore[no-untyped-call] # IPython has no types
