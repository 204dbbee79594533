"""An event loop in a thread of its own: a notebook's own loop is busy with the cell that waits."""

from __future__ import annotations

import asyncio
import queue
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterable, Iterator
from concurrent.futures import CancelledError
from contextlib import aclosing, suppress
from threading import Lock, Thread
from typing import Any, Generic, TypeVar

from steer_engine.errors import BackendError

T = TypeVar("T")

_TICK_S = 0.2  # on Windows nothing interrupts a thread that waits for longer
_CLOSING_S = 5.0


class Portal:
    """Runs coroutines for threads that have to wait for them."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = Thread(target=self.loop.run_forever, name="steermagic-remote", daemon=True)
        self._thread.start()
        self._closing = Lock()
        self.is_closing = False

    def call(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run `coroutine` and return its value. An interrupt cancels it.

        Raises:
            BackendError: the portal is closed, or another thread closes it meanwhile.
        """
        if self.is_closing:
            coroutine.close()
            raise _closed()
        return self._call(coroutine)

    @property
    def is_closed(self) -> bool:
        """Whether nothing runs here any more."""
        return self.loop.is_closed()

    def close(self, last: Callable[[], Coroutine[Any, Any, None]] | None = None) -> None:
        """Cancel what still runs, run `last`, and end the thread. A second time does nothing."""
        with self._closing:
            if self.is_closed:
                return
            self.is_closing = True
            self._call(_cancel_others())
            if last is not None:
                self._call(last())
                self._call(_cancel_others())  # generators that Python has begun to close meanwhile
            self.loop.call_soon_threadsafe(self.loop.stop)
            self._thread.join()
            self.loop.close()

    def _call(self, coroutine: Coroutine[Any, Any, T]) -> T:
        try:
            future = asyncio.run_coroutine_threadsafe(coroutine, self.loop)
        except RuntimeError:
            coroutine.close()
            raise _closed() from None
        while True:
            try:
                return future.result(_TICK_S)
            except TimeoutError:
                if future.done():
                    return future.result()  # which may raise its own
                if self.is_closed:
                    raise _closed() from None
            except CancelledError:
                raise _closed() from None
            except BaseException:
                future.cancel()
                raise


class Flow(Generic[T]):
    """Generators that run side by side in a portal, and what they yield, as it comes."""

    def __init__(self, portal: Portal) -> None:
        self._portal = portal
        self._said = queue.SimpleQueue[T | BaseException]()
        self._tasks = set[asyncio.Task[None]]()  # the loop's alone

    def start(self, generator: AsyncGenerator[T, None]) -> None:
        """Begin with one more generator."""
        try:
            self._portal.loop.call_soon_threadsafe(self._begin, generator)
        except RuntimeError:
            raise _closed() from None

    def next(self) -> T:
        """Wait for what comes next, and return it; raises what a generator raised."""
        while True:
            try:
                said = self._said.get(timeout=_TICK_S)
            except queue.Empty:
                if self._portal.is_closed:
                    raise _closed() from None  # and what ran there said nothing of it
                continue
            if isinstance(said, BaseException):
                raise said
            return said

    def close(self) -> None:
        """Cancel what still runs: its connections are closed at once."""
        if not self._portal.is_closed:
            with suppress(BackendError):  # it is being closed
                self._portal.call(self._cancel())

    def unread(self) -> Iterator[T]:
        """Yield what has come and was not read, without waiting; errors are left out."""
        while not self._said.empty():
            said = self._said.get()
            if not isinstance(said, BaseException):
                yield said

    def _begin(self, generator: AsyncGenerator[T, None]) -> None:
        if self._portal.is_closing:
            return  # and `next` will say so
        task = self._portal.loop.create_task(self._follow(generator))
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    async def _follow(self, generator: AsyncGenerator[T, None]) -> None:
        async with aclosing(generator):
            async for said in generator:
                self._said.put(said)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._said.put(error)

    async def _cancel(self) -> None:
        await _cancel(self._tasks)


def _closed() -> BackendError:
    return BackendError("the model is closed; open it again")


async def _cancel_others() -> None:
    current = asyncio.current_task()
    await _cancel(task for task in asyncio.all_tasks() if task is not current)


async def _cancel(tasks: Iterable[asyncio.Task[Any]]) -> None:
    waiting = [*tasks]
    for task in waiting:
        task.cancel()
    if waiting:
        await asyncio.wait(waiting, timeout=_CLOSING_S)
