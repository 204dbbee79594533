"""The same surface as `Engine`, over a process that may die."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import cast

from steer_engine.any_engine import AnyEngine
from steer_engine.backends import ModelInfo
from steer_engine.closeable import Closeable
from steer_engine.errors import BackendError, DefectError
from steer_engine.events import Event, Finished, Request
from steer_engine.explaining import Explanation
from steer_engine.isolation.messages import Call, Happened, More, Returned, Run, Wanted
from steer_engine.isolation.process import Process
from steer_engine.schema import Schema
from steer_engine.text_forms import TextForm

_PERIOD_S = 0.02  # requests are handed over together that often


def open_isolated(model: str | Path | None = None, *, n_threads: int | None = None) -> AnyEngine:
    """Load a model in a process of its own; of a server's, nothing is loaded here anyway.

    Raises:
        ModelError: the model cannot be found, read or loaded.
        BackendError: the process cannot be started, or died of this model.
    """
    from steer_engine.remote import RemoteEngine, is_address

    if is_address(model):
        return RemoteEngine(model)
    return IsolatedEngine(model, n_threads=n_threads)


class IsolatedEngine(Closeable):
    """Runs requests on a model in a process of its own. Use it as a context manager, or `close` it.

    If that process dies, the call at work raises `BackendError`, and the next one starts another.
    """

    def __init__(self, model: str | Path | None = None, *, n_threads: int | None = None) -> None:
        """Load a model. None is the embedded model.

        Raises:
            ModelError: the model cannot be found, read or loaded.
            BackendError: the process cannot be started, or died of this model.
        """
        self._model, self._n_threads = model, n_threads
        self._process: Process | None = None
        self._is_closed = False
        self._turn = threading.Lock()  # calls of several threads follow each other
        self._holder: int | None = None
        with self._asking():
            pass

    @property
    def info(self) -> ModelInfo:
        """What the model is."""
        return self._info

    @property
    def process_id(self) -> int | None:
        """The id of the model's process; None when there is none."""
        return None if self._process is None else self._process.id

    def check(self, schema: Schema | TextForm) -> None:
        """See `Engine.check`."""
        self._call("check", schema)

    def explain(self, schema: Schema | TextForm) -> Explanation:
        """See `Engine.explain`."""
        return cast("Explanation", self._call("explain", schema))

    def render(self, request: Request) -> str:
        """See `Engine.render`."""
        return cast("str", self._call("render", request))

    def count_tokens(self, request: Request) -> int:
        """See `Engine.count_tokens`."""
        return cast("int", self._call("count_tokens", request))

    def run(self, requests: Iterable[Request]) -> Generator[Event, None, None]:
        """See `Engine.run`.

        Raises:
            BackendError: the process died; events of rows that ended before have been yielded,
                as they are before any other error or interrupt.
        """
        unread, event = deque[Event](), None
        with self._asking() as process:
            try:
                for events in _happening(process, requests):
                    unread.extend(events)
                    while unread:
                        event = unread.popleft()
                        yield event
            except GeneratorExit:
                process.stop()
                raise
            except BaseException:  # also of whoever makes the requests
                unread.extend(event for message in process.stop() for event in message.events)
                yield from unread
                raise
        if not isinstance(event, Finished):
            raise DefectError("a run ended without its last rows; run it again and report this")

    def close(self) -> None:
        """End the process; its memory goes back to the system."""
        self._is_closed = True
        if self._process is not None:
            self._process.end()
        self._process = None

    def _call(self, method: str, *arguments: object) -> object:
        with self._asking() as process:
            try:
                return _answer(process, Call(method, arguments))
            finally:
                process.stop()

    @contextmanager
    def _asking(self) -> Iterator[Process]:
        """Have the process to oneself, and have it alive."""
        if self._holder == threading.get_ident():
            raise BackendError("another run of this model is not finished; finish or close it")
        with self._turn:
            if self._is_closed:
                raise BackendError("the model is closed; open it again")
            self._holder = threading.get_ident()
            try:
                if self._process is None or not self._process.is_alive:
                    self._process = self._start()
                yield self._process
            finally:
                self._holder = None

    def _start(self) -> Process:
        process = Process()
        try:
            info = _answer(process, Call("open", (self._model, self._n_threads)))
        except BaseException:
            process.end()
            raise
        self._info = cast("ModelInfo", info)
        return process


def _answer(process: Process, question: Call) -> object:
    return cast("Returned", next(process.ask(question))).value


def _happening(process: Process, requests: Iterable[Request]) -> Iterator[tuple[Event, ...]]:
    """Yield the events of a run, and hand over its requests as they are wanted."""
    waiting = iter(requests)
    question = Run(tuple(waiting) if isinstance(requests, Sequence) else None)
    for message in process.ask(question):
        if isinstance(message, Happened):
            yield message.events
        elif isinstance(message, Wanted):
            process.send(More(tuple(_next_few(waiting, message.n_rows))))


def _next_few(waiting: Iterator[Request], n_rows: int) -> Iterator[Request]:
    """Yield requests that come soon, and at least one if there is any; at most `n_rows`."""
    begin = time.monotonic()
    for request in islice(waiting, n_rows):
        yield request
        if time.monotonic() - begin > _PERIOD_S:
            return
