"""The model's process: reads questions from its standard input, writes answers to its output.

It ends when its input does, so it never outlives the process that started it.
"""

from __future__ import annotations

import _thread
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
from contextlib import contextmanager, suppress
from itertools import chain, groupby
from pathlib import Path
from typing import BinaryIO

from steer_engine.any_engine import AnyEngine
from steer_engine.engine import open_engine
from steer_engine.errors import DefectError, SteerError
from steer_engine.events import Request
from steer_engine.isolation.messages import (
    Call,
    Drop,
    FromChild,
    Happened,
    More,
    Numbered,
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
    serving = _Serving(inbox, outbox)
    while True:
        number, question = inbox.next()
        answer: FromChild
        try:
            with inbox.interruptible(number):
                answer = Returned(serving.answer(number, question))
        except KeyboardInterrupt:
            answer = Returned()
        except BaseException as error:  # noqa: BLE001 - whatever it is, the other side raises it
            answer = Raised(_portable(error))
        outbox.send(number, answer)


class _Serving:
    """The engine, once it is open, and how questions are put to it."""

    def __init__(self, inbox: _Inbox, outbox: _Outbox) -> None:
        self._inbox, self._outbox = inbox, outbox
        self._engine: AnyEngine | None = None

    def answer(self, number: int, question: ToChild) -> object:
        if isinstance(question, Run):
            self._run(number, question)
            return None
        if not isinstance(question, Call):
            raise DefectError(f"{type(question).__name__} is no question; please report this")
        if question.method == "open":
            model, n_threads = question.arguments
            self._engine = open_engine(model, n_threads=n_threads)
            return self._engine.info
        return getattr(self._opened, question.method)(*question.arguments)

    def _run(self, number: int, question: Run) -> None:
        requests = self._asked(number) if question.requests is None else question.requests
        events = self._opened.run(requests)
        try:
            for event in events:
                self._inbox.check(number)  # native callbacks may have lost the interrupt
                self._outbox.send(number, Happened((event,)))
        finally:
            events.close()

    def _asked(self, number: int) -> Iterator[Request]:
        """Ask the other side for requests as they are needed."""
        while True:
            self._outbox.send(number, Wanted(_ROWS))
            _, more = self._inbox.next()
            self._inbox.check(number)
            if not isinstance(more, More):
                raise DefectError(f"{type(more).__name__} came for rows; please report this")
            if not more.requests:
                return
            yield from more.requests

    @property
    def _opened(self) -> AnyEngine:
        if self._engine is None:
            raise DefectError("the model's process has no model yet; please report this")
        return self._engine


class _Inbox:
    """What the other side says. A thread reads it, so that its end and a `Drop` are seen at once.

    A `Drop` interrupts the main thread while that answers the question, and is read like a question
    as well, so that it is answered whenever it comes.
    """

    def __init__(self, pipe: BinaryIO) -> None:
        self._pipe = pipe
        self._messages = queue.SimpleQueue[tuple[int, ToChild]]()
        self._dropped = 0  # the last question that was
        self._answered: int | None = None  # the one at work
        signal.signal(signal.SIGINT, self._interrupt)
        threading.Thread(target=self._read, name="inbox", daemon=True).start()

    def next(self) -> tuple[int, ToChild]:
        return self._messages.get()

    def check(self, number: int) -> None:
        """Raise `KeyboardInterrupt` if this question is dropped."""
        if self._dropped >= number:
            raise KeyboardInterrupt

    @contextmanager
    def interruptible(self, number: int) -> Iterator[None]:
        """Let a `Drop` interrupt what is done for this question."""
        self._answered = number
        try:
            self.check(number)  # it may have come early
            yield
        finally:
            self._answered = None

    def _interrupt(self, *_: object) -> None:
        if self._answered is not None and self._dropped >= self._answered:
            self._answered = None
            raise KeyboardInterrupt

    def _read(self) -> None:
        with _or_end_the_process():
            while True:
                number, message = pickle.load(self._pipe)  # noqa: S301 - only our parent writes
                if isinstance(message, Drop):
                    self._dropped = number
                self._messages.put((number, message))
                if isinstance(message, Drop):
                    _interrupt_main_thread()


class _Outbox:
    """What is said to the other side. A thread sends it: many events in one message."""

    def __init__(self, pipe: BinaryIO) -> None:
        self._pipe = pipe
        self._messages = queue.SimpleQueue[Numbered]()
        self._is_urgent = threading.Event()
        threading.Thread(target=self._write, name="outbox", daemon=True).start()

    def send(self, number: int, message: FromChild) -> None:
        while self._messages.qsize() > _MAX_UNSENT:
            time.sleep(_PERIOD_S)
        self._messages.put((number, message))
        if not isinstance(message, Happened):
            self._is_urgent.set()

    def _write(self) -> None:
        with _or_end_the_process():
            while True:
                first = self._messages.get()
                self._is_urgent.wait(_PERIOD_S)
                self._is_urgent.clear()
                for numbered in _together([first, *self._waiting()]):
                    pickle.dump(numbered, self._pipe, protocol=pickle.HIGHEST_PROTOCOL)
                self._pipe.flush()

    def _waiting(self) -> Iterator[Numbered]:
        while not self._messages.empty():
            yield self._messages.get()


def _together(messages: list[Numbered]) -> Iterator[Numbered]:
    """Join events that follow each other into one message."""
    for (number, kind), group in groupby(messages, key=lambda said: (said[0], type(said[1]))):
        if kind is Happened:
            events = (message.events for _, message in group if isinstance(message, Happened))
            yield number, Happened(tuple(chain.from_iterable(events)))
        else:
            yield from group


@contextmanager
def _or_end_the_process() -> Iterator[None]:
    """End the process, also out of a native call, when a thread of its pipes cannot go on."""
    try:
        yield
    except (EOFError, BrokenPipeError):
        os._exit(0)  # nobody is there any more
    except BaseException:  # noqa: BLE001 - what cannot be read or sent leaves the other side waiting
        traceback.print_exc()
        os._exit(1)


def _interrupt_main_thread() -> None:
    if hasattr(signal, "pthread_kill"):  # which wakes it, too
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
    else:
        _thread.interrupt_main()


def _take_output() -> BinaryIO:
    """Return the pipe to the other side; whatever native code prints goes to the error output."""
    pipe = os.fdopen(os.dup(1), "wb", buffering=1 << 16)
    os.dup2(2, 1)
    return pipe


def _portable(error: BaseException) -> BaseException:
    """Return `error` in a form that can cross the pipe, with where it came from."""
    origin = f"In the model's process:\n{traceback.format_exc()}"
    if not isinstance(error, SteerError):
        error.add_note(origin)
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
    except Exception:  # noqa: BLE001 - an error of any library, which may refuse in any way
        text = " ".join(str(error).split())
        error = DefectError(f"{type(error).__name__}: {text}; please report this")
        error.add_note(origin)
    return error


def _offer_to_be_killed_first() -> None:
    """Tell Linux whom to kill when memory runs out: the model can be loaded again."""
    score = Path("/proc/self/oom_score_adj")
    with suppress(OSError):  # another system, or one that lets nobody choose
        score.write_text(str(max(500, int(score.read_text()))))


if __name__ == "__main__":
    main()
