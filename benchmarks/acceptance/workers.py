"""Worker processes, so that an item that hangs or kills its process costs only itself."""

from __future__ import annotations

import multiprocessing
import os
import resource
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

_FORK = multiprocessing.get_context("fork")  # a worker has the vocabulary and the systems at once


def in_workers(
    work: Callable[[Item], Result],
    items: Sequence[Item],
    *,
    lost: Callable[[Item, str], Result],
    limit_s: float,
    spare_bytes: int = 4 << 30,
    n_jobs: int = 1,
) -> list[Result]:
    """Return ``work(item)`` for every item, or ``lost(item, reason)`` where that did not end.

    An item has `limit_s` seconds of processor time; a worker may add `spare_bytes` to the address
    space that it starts with. The reason is ``"timeout"`` or what went wrong.
    """
    limits = limit_s, spare_bytes
    shares = [items[i::n_jobs] for i in range(n_jobs)]
    with ThreadPoolExecutor(n_jobs) as threads:
        parts = threads.map(lambda share: list(_results(work, share, lost, limits)), shares)
        return [result for part in parts for result in part]


def _results(
    work: Callable[[Item], Result],
    items: Sequence[Item],
    lost: Callable[[Item, str], Result],
    limits: tuple[float, int],
) -> Iterator[Result]:
    n_done = 0
    while n_done < len(items):
        received, theirs = _FORK.Pipe(duplex=False)
        process = _FORK.Process(
            target=_work_on, args=(work, items[n_done:], limits, theirs), daemon=True
        )
        process.start()
        theirs.close()
        for result, failure in _messages(received):
            yield result if failure is None else lost(items[n_done], failure)
            n_done += 1
        process.join()
        if n_done < len(items):  # the worker died at this one
            is_late = process.exitcode == -signal.SIGPROF
            yield lost(items[n_done], "timeout" if is_late else f"exit code {process.exitcode}")
            n_done += 1


def _messages(received: Connection) -> Iterator[tuple[Result, str | None]]:
    while True:
        try:
            yield received.recv()
        except EOFError:
            return


def _work_on(
    work: Callable[[Item], Result],
    items: Sequence[Item],
    limits: tuple[float, int],
    sent: Connection,
) -> None:
    limit_s, spare_bytes = limits
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # xgrammar warns of every other schema
    signal.signal(signal.SIGPROF, signal.SIG_DFL)  # ends the process, in native code too
    n_pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = n_pages * resource.getpagesize() + spare_bytes
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    for item in items:
        signal.setitimer(signal.ITIMER_PROF, limit_s)
        try:
            message: tuple[Result | None, str | None] = work(item), None
        except Exception as error:  # noqa: BLE001 - any defect is a finding
            message = None, f"{type(error).__name__}: {error}"
        signal.setitimer(signal.ITIMER_PROF, 0)
        sent.send(message)
