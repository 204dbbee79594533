"""Starts the model's process, talks to it, and says what it died of."""

from __future__ import annotations

import math
import os
import pickle
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO, TypeAlias

from steer_engine.errors import BackendError
from steer_engine.isolation.messages import (
    Call,
    Drop,
    FromChild,
    Happened,
    Numbered,
    Raised,
    Returned,
    Run,
    ToChild,
    Wanted,
)

_SOURCES = Path(__file__).parents[2]
_STOPS_WITHIN_S = 5.0
_MAX_UNREAD = 8  # messages; the process waits for a reader that is slower
_PERIOD_S = 0.02
_TICK_S = 0.2  # on Windows nothing interrupts a thread that waits for longer
_SIGKILL = 9  # `signal` has no such name on Windows
_MAX_STATUS = 255  # greater ones are crashes on Windows, which are looked up in hex
_SIGNS = ("GGML_ASSERT", "ggml_abort", "CUDA error", "Fatal Python error", "terminate called")

_Inbox: TypeAlias = "queue.SimpleQueue[Numbered | Exception]"
_Outbox: TypeAlias = "queue.SimpleQueue[bytes | None]"


class Process:
    """A running process of the model. It is asked one question at a time."""

    def __init__(self) -> None:
        """Start it.

        Raises:
            BackendError: no process can be started.
        """
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the process
        paths = [str(_SOURCES), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
        try:
            self._popen = subprocess.Popen(
                # -P: files beside the notebook are no modules of the model's process
                [sys.executable, "-P", "-m", "steer_engine.isolation.child"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))},
                start_new_session=True,  # Ctrl-C in a terminal is for the process that asks
            )
        except OSError as error:
            raise BackendError(
                f"no process can be started for the model ({error}); free memory, or set"
                " isolate = false to load it in the notebook's own process"
            ) from error
        assert self._popen.stdout is not None  # noqa: S101 - it is a pipe
        self._owner = os.getpid()
        self._number = 0  # of the question
        self._is_answered = True
        self._messages: _Inbox = queue.SimpleQueue()
        self._unsent: _Outbox = queue.SimpleQueue()
        is_ended = threading.Event()
        self._finalizer = weakref.finalize(
            self, _end, self._popen, self._unsent, is_ended, owner=self._owner
        )
        _in_thread(_read, self._popen.stdout, self._messages, is_ended)
        _in_thread(_write, self._popen, self._unsent)

    @property
    def id(self) -> int:
        """Its process id."""
        return self._popen.pid

    @property
    def is_alive(self) -> bool:
        """Whether it still runs, and for this process: a fork cannot talk to its parent's."""
        return self._owner == os.getpid() and self._popen.poll() is None

    def ask(self, question: Call | Run) -> Iterator[Happened | Wanted | Returned]:
        """Yield what the process says, its answer as the last.

        Whoever does not read that far has to call `stop`.

        Raises:
            BackendError: the process died.
            SteerError: what the engine raised.
        """
        self._number += 1
        self._is_answered = False
        self.send(question)
        while not self._is_answered:
            message = self._receive()
            if isinstance(message, Raised):
                raise message.error
            yield message

    def send(self, message: ToChild) -> None:
        """Send a message that belongs to the question.

        A thread writes it, so that no interrupt leaves half a message in the pipe. That the process
        is dead shows when it is read, after its last words.
        """
        data = pickle.dumps((self._number, message), protocol=pickle.HIGHEST_PROTOCOL)
        self._unsent.put(data)

    def stop(self) -> list[Happened]:
        """Make the process drop its question; return the events that nobody has read yet.

        If it does not drop it within seconds, it is ended. Nothing is done about a question that is
        answered, or after `end`.
        """
        said = list[Happened]()
        if self._is_answered or not self._finalizer.alive:
            return said
        deadline = time.monotonic() + _STOPS_WITHIN_S
        try:
            self.send(Drop())
            # It may have died, or hang: either way it is not asked again.
            with suppress(BackendError, queue.Empty):
                while not self._is_answered:
                    message = self._receive(deadline)
                    if isinstance(message, Happened):
                        said.append(message)
        finally:
            if not self._is_answered:
                self._is_answered = True
                self.end()
        return said

    def end(self) -> None:
        """End the process and give its memory back to the system."""
        self._finalizer()
        self._errors.close()

    def _receive(self, deadline: float = math.inf) -> FromChild:
        """Return what it says next of the question; what is late of others is dropped.

        Raises:
            queue.Empty: the deadline has passed.
        """
        while True:
            left_s = max(0.0, deadline - time.monotonic())
            try:
                numbered = self._messages.get(timeout=min(_TICK_S, left_s))
            except queue.Empty:
                if left_s == 0:
                    raise
                continue
            if isinstance(numbered, Exception):
                raise self._death(numbered)
            number, message = numbered
            if number == self._number:
                self._is_answered = isinstance(message, Returned | Raised)
                return message

    def _death(self, error: Exception) -> BackendError:
        """End what is left of the process; return what is to be told of it."""
        self._is_answered = True
        try:
            cause = self._cause(error)
        finally:
            self.end()
        return BackendError(
            f"the model's process died ({cause}); what was finished is kept, and the next cell"
            " loads the model again"
        )

    def _cause(self, error: Exception) -> str:
        if self._errors.closed:
            return "it was ended"
        is_end = isinstance(error, EOFError | OSError | ValueError | pickle.UnpicklingError)
        try:
            status = self._popen.wait(_STOPS_WITHIN_S if is_end else 0)
        except subprocess.TimeoutExpired:
            return f"it said what cannot be read, {type(error).__name__}: {error}"
        self._errors.seek(0)
        text = self._errors.read()[-20_000:].decode("utf-8", "replace")
        lines = [line.strip()[:200] for line in text.splitlines() if line.strip()]
        signs = [line for line in lines if any(sign in line for sign in _SIGNS)]
        if signs:
            return signs[0]
        if status == -_SIGKILL:
            return "it was killed, as a system does that runs out of memory"
        if status < 0:
            return signal.strsignal(-status) or f"signal {-status}"
        shown = f"0x{status:X}" if status > _MAX_STATUS else status
        return ": ".join([f"exit status {shown}", *lines[-1:]])  # the end of a traceback


def _read(pipe: IO[bytes], messages: _Inbox, is_ended: threading.Event) -> None:
    """Pass on what the child says; an error is its end."""
    try:
        while True:
            messages.put(pickle.load(pipe))  # noqa: S301 - only our child writes
            while messages.qsize() > _MAX_UNREAD and not is_ended.wait(_PERIOD_S):
                pass
    except Exception as error:  # noqa: BLE001 - whatever it is, who waits has to know
        messages.put(error)


def _write(popen: subprocess.Popen[bytes], unsent: _Outbox) -> None:
    """Write to the child until it is dead, or there is None to write."""
    assert popen.stdin is not None  # noqa: S101 - it is a pipe
    try:
        with suppress(OSError, ValueError):
            while (data := unsent.get()) is not None:
                popen.stdin.write(data)
                popen.stdin.flush()
    finally:
        popen.kill()  # whoever waits for it has to know


def _in_thread(work: Callable[..., None], *arguments: object) -> None:
    threading.Thread(target=work, args=arguments, name=work.__name__, daemon=True).start()


def _end(
    popen: subprocess.Popen[bytes], unsent: _Outbox, is_ended: threading.Event, *, owner: int
) -> None:
    if owner != os.getpid():
        return  # a fork has no thread that would let go of the pipes
    popen.kill()
    popen.wait()
    unsent.put(None)
    is_ended.set()
    for pipe in (popen.stdin, popen.stdout):
        if pipe is not None:
            try:
                pipe.close()
            except OSError:
                continue  # the last message could not be sent any more
