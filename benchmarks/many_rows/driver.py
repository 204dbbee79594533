"""The parent's side of a worker."""

from __future__ import annotations

import json
import select
import subprocess
from pathlib import Path
from typing import Any

from many_rows.environments import worker_variables
from steer_engine.closeable import Closeable

_LIMIT_S = 1800  # of wall time for one order


class WorkerError(Exception):
    """A system did not do what it was asked; says why in one line."""


class Driver(Closeable):
    """A process with one system in it. Use it as a context manager."""

    def __init__(self, python: Path, system: str) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - our own module
            [python, "-m", "many_rows.worker", system],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # what systems print while they work
            env=worker_variables(),
            text=True,
        )

    def close(self) -> None:
        """End the worker; nothing in it is worth an orderly end."""
        self._process.kill()
        self._process.communicate()

    def order(self, name: str, **arguments: object) -> dict[str, Any]:
        """Let the worker do `name`; return what that gave.

        Raises:
            WorkerError: it failed, ended or took too long.
        """
        orders, replies = self._process.stdin, self._process.stdout
        assert orders is not None
        assert replies is not None
        try:
            orders.write(json.dumps([name, arguments]) + "\n")
            orders.flush()
        except BrokenPipeError as error:
            raise WorkerError("its process has ended") from error
        if not select.select([replies], [], [], _LIMIT_S)[0]:
            raise WorkerError(f"no answer within {_LIMIT_S} s")
        line = replies.readline()
        if not line:
            raise WorkerError(f"its process ended with status {self._process.wait()}")
        reply = json.loads(line)
        if "failed" in reply:
            raise WorkerError(reply["failed"])
        done: dict[str, Any] = reply["done"]
        return done
