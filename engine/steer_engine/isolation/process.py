"""Starts the model's process, talks to it, and says what it died of."""

from __future__ import annotations

import os
import pickle
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import weakref
from collections.abc import Generator
from pathlib import Path
from typing import IO

from steer_engine.errors import BackendError
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

_SOURCES = Path(__file__).parents[2]
_STOPS_WITHIN_S = 5.0
_SIGNS = ("GGML_ASSERT", "ggml_abort", "CUDA error", "Fatal Python error", "terminate called")


class Process:
    """A running process of the model."""

    def __init__(self) -> None:
        """Start it.

        Raises:
            BackendError: no process can be started.
        """
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the process
        paths = [str(_SOURCES), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
        try:
            self._popen = subprocess.Popen(
                [sys.executable, "-m", "steer_engine.isolation.child"],
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
        assert self._popen.stdin is not None  # noqa: S101 - both are pipes
        assert self._popen.stdout is not None  # noqa: S101
        self._stdin: IO[bytes] = self._popen.stdin
        self._messages = queue.SimpleQueue[FromChild | None]()
        reader = threading.Thread(
            target=_read, args=(self._popen.stdout, self._messages), name="outbox", daemon=True
        )
        reader.start()
        self._finalizer = weakref.finalize(self, _end, self._popen)

    @property
    def id(self) -> int:
        """Its process id."""
        return self._popen.pid

    @property
    def is_alive(self) -> bool:
        """Whether it still runs."""
        return self._popen.poll() is None

    def ask(self, question: Call | Run) -> Generator[Happened | Wanted, None, object]:
        """Yield what the process says on the way to its answer; return the answer.

        Whoever closes the generator early makes the process drop the question.

        Raises:
            BackendError: the process died.
            SteerError: what the engine raised.
        """
        is_answered = False
        try:
            self.send(question)
            while True:
                message = self._receive()
                is_answered = isinstance(message, Returned | Raised)
                if isinstance(message, Raised):
                    raise message.error
                if isinstance(message, Returned):
                    return message.value
                yield message
        finally:
            if not is_answered and self.is_alive:
                self._stop()

    def send(self, message: ToChild) -> None:
        """Send a message.

        Raises:
            BackendError: the process is dead.
        """
        data = pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)
        try:
            self._stdin.write(data)
            self._stdin.flush()
        except (OSError, ValueError):
            raise self._death() from None

    def _receive(self, timeout_s: float | None = None) -> FromChild:
        message = self._messages.get(timeout=timeout_s)
        if message is None:
            raise self._death()
        return message

    def _stop(self) -> None:
        """Make the process drop its question, and wait until it has; if it will not, end it."""
        is_stopped = False
        try:
            self._popen.send_signal(signal.SIGINT)  # raises on Windows
            while not is_stopped:
                message = self._receive(_STOPS_WITHIN_S)
                is_stopped = isinstance(message, Returned | Raised)
                if isinstance(message, Wanted):
                    self.send(More(()))
        except (queue.Empty, ValueError, BackendError):
            pass
        finally:
            if not is_stopped:
                self.end()

    def end(self) -> None:
        """End the process and give its memory back to the system."""
        self._finalizer()
        self._errors.close()

    def _death(self) -> BackendError:
        try:
            status = self._popen.wait(_STOPS_WITHIN_S)
        except subprocess.TimeoutExpired:
            status = 0
        return BackendError(
            f"the model's process died ({self._cause(status)}); what was finished is kept, and the"
            " next cell loads the model again"
        )

    def _cause(self, status: int) -> str:
        if self._errors.closed:
            return "it was ended"
        self._errors.seek(0)
        text = self._errors.read()[-20_000:].decode("utf-8", "replace")
        lines = [line.strip()[:200] for line in text.splitlines() if line.strip()]
        signs = [line for line in lines if any(sign in line for sign in _SIGNS)]
        if signs:
            return signs[0]
        if status == -signal.SIGKILL:
            return "it was killed, as a system does that runs out of memory"
        if status < 0:
            return signal.strsignal(-status) or f"signal {-status}"
        return ": ".join([f"exit status {status}", *lines[-1:]])  # the end of a traceback


def _read(pipe: IO[bytes], messages: queue.SimpleQueue[FromChild | None]) -> None:
    """Pass on what the child says; None is its end."""
    try:
        while True:
            messages.put(pickle.load(pipe))  # noqa: S301 - only our child writes
    except (EOFError, OSError, ValueError, pickle.UnpicklingError):
        messages.put(None)


def _end(popen: subprocess.Popen[bytes]) -> None:
    popen.kill()
    popen.wait()
    for pipe in (popen.stdin, popen.stdout):
        if pipe is not None:
            try:
                pipe.close()
            except OSError:
                continue  # the last message could not be sent any more
