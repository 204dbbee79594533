"""Loaded by the kernels of the browser tests: a model without weights that takes its time."""

from __future__ import annotations

import json
import time

from steer_engine import Engine
from steer_engine.backends.fake import FakeBackend
from steermagic.session import shared_session


class SlowBackend(FakeBackend):
    """Wants to answer `wish`, and sleeps `seconds` before each token."""

    def __init__(self, wish: str, seconds: float) -> None:
        super().__init__(wish)
        self._seconds = seconds

    def forward(self, runs):
        time.sleep(self._seconds)
        return super().forward(runs)


def use(wish: object, seconds: float = 0.0) -> None:
    """Make every model of this kernel's session answer `wish`."""
    text = wish if isinstance(wish, str) else json.dumps(wish, ensure_ascii=False)
    session = shared_session()
    session.unload()
    session._open = lambda _spec: Engine(SlowBackend(text, seconds))
