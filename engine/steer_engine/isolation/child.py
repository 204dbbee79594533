"""The model's process: reads questions from its standard input, writes answers to its output.

It ends when its input does, so it never outlives the process that started it.
"""

from __future__ import annotations

import faulthandler
import os
import pickle
import queue
import signal
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from steer_engine.any_engine import AnyEngine
from steer_engine.engine import open_engine
from steer_engine.errors import DefectError, SteerError
from steer_engine.events import Request
from steer_engine.isolation.messages import (
    Call,
    FromChild,
    Happened,
    More,
    Raised,
    Returned,
    Run,
    ToChild,
    Wanted,
)

_PERIOD_S = 0.02  # events are sent together that often
_MAX_UNSENT = 10_000  # events; the model waits for a reader that is slower
_ROWS = 32  # asked for at a time


def main() -> None:
    """Serve until the input ends."""
    faulthandler.enable()
    _offer_to_be_killed_first()
    inbox, outbox = _Inbox(sys.stdin.buffer), _Outbox(_take_output())
    interrupts = _Interrupts()
    serving = _Serving(inbox, outbox)
    while True:
        question = inbox.next()
        answer: FromChild
        try:
            with interrupts:
                answer = Returned(serving.answer(question))
        except BaseException as error:  # noqa: BLE001 - whatever it is, the other side raises it
            answer = Raised(_portable(error))
        outbox.send(answer)


class _Serving:
    """The engine, once it is open, and how questions are put to it."""

    def __init__(self, inbox: _Inbox, outbox: _Outbox) -> None:
        self._inbox, self._outbox = inbox, outbox
        self._engine: AnyEngine | None = None

    def answer(self, question: ToChild) -> object:
        if isinstance(question, Run):
            self._run(question)
            return None
        if not isinstance(question, Call):
            raise DefectError(f"{type(question).__name__} is no question; please report this")
        if question.method == "open":
            model, n_threads = question.arguments
            self._engine = open_engine(model, n_threads=n_threads)
            return self._engine.info
        return getattr(self._opened, question.method)(*question.arguments)

    def _run(self, question: Run) -> None:
        requests = self._asked() if question.requests is None else question.requests
        events = self._opened.run(requests)
        try:
            for event in events:
                self._outbox.send(Happened((event,)))
        finally:
            events.close()

    def _asked(self) -> Iterator[Request]:
        """Ask the other side for requests as they are needed."""
        while True:
            self._outbox.send(Wanted(_ROWS))
            more = self._inbox.next()
            if not isinstance(more, More) or not more.requests:
                return
            yield from more.requests

    @property
    def _opened(self) -> AnyEngine:
        if self._engine is None:
            raise DefectError("the model's process has no model yet; please report this")
        return self._engine


class _Inbox:
    """What the other side says. A thread reads it, so that the end of the input is seen at once."""

    def __init__(self, pipe: BinaryIO) -> None:
        self._pipe = pipe
        self._messages = queue.SimpleQueue[ToChild]()
        threading.Thread(target=self._read, name="inbox", daemon=True).start()

    def next(self) -> ToChild:
        return self._messages.get()

    def _read(self) -> None:
        try:
            while True:
                self._messages.put(pickle.load(self._pipe))  # noqa: S301 - only our parent writes
        except (EOFError, OSError, pickle.UnpicklingError):
            os._exit(0)  # also out of a native call


class _Outbox:
    """What is said to the other side. A thread sends it: many events in one message."""

    def __init__(self, pipe: BinaryIO) -> None:
        self._pipe = pipe
        self._messages = queue.SimpleQueue[FromChild]()
        self._is_urgent = threading.Event()
        threading.Thread(target=self._write, name="outbox", daemon=True).start()

    def send(self, message: FromChild) -> None:
        while self._messages.qsize() > _MAX_UNSENT:
            time.sleep(_PERIOD_S)
        self._messages.put(message)
        if not isinstance(message, Happened):
            self._is_urgent.set()

    def _write(self) -> None:
        try:
            while True:
                first = self._messages.get()
                self._is_urgent.wait(_PERIOD_S)
                self._is_urgent.clear()
                for message in _together([first, *self._waiting()]):
                    pickle.dump(message, self._pipe, protocol=pickle.HIGHEST_PROTOCOL)
                self._pipe.flush()
        except OSError:
            os._exit(0)

    def _waiting(self) -> Iterator[FromChild]:
        while not self._messages.empty():
            yield self._messages.get()


def _together(messages: list[FromChild]) -> Iterator[FromChild]:
    """Join events that follow each other into one message."""
    events: list[object] = []
    for message in messages:
        if isinstance(message, Happened):
            events += message.events
            continue
        if events:
            yield Happened(tuple(events))  # type: ignore[arg-type] # only events are collected
            events = []
        yield message
    if events:
        yield Happened(tuple(events))  # type: ignore[arg-type]


class _Interrupts:
    """A Ctrl-C counts only while a question is being answered, and only once."""

    def __init__(self) -> None:
        self._is_wanted = False
        signal.signal(signal.SIGINT, self._interrupt)

    def __enter__(self) -> None:
        self._is_wanted = True

    def __exit__(self, *_: object) -> None:
        self._is_wanted = False

    def _interrupt(self, *_: object) -> None:
        if self._is_wanted:
            self._is_wanted = False
            raise KeyboardInterrupt


def _take_output() -> BinaryIO:
    """Return the pipe to the other side; whatever native code prints goes to the error output."""
    pipe = os.fdopen(os.dup(1), "wb", buffering=1 << 16)
    os.dup2(2, 1)
    return pipe


def _portable(error: BaseException) -> BaseException:
    """Return `error` in a form that can cross the pipe, with where it came from."""
    if not isinstance(error, SteerError | KeyboardInterrupt):
        error.add_note(f"In the model's process:\n{traceback.format_exc()}")
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
    except Exception:  # noqa: BLE001 - an error of any library, which may refuse in any way
        return DefectError(f"{type(error).__name__}: {error}; please report this")
    return error


def _offer_to_be_killed_first() -> None:
    """Tell Linux whom to kill when memory runs out: the model can be loaded again."""
    score = Path("/proc/self/oom_score_adj")
    if score.exists():
        score.write_text("500")


if __name__ == "__main__":
    main()
