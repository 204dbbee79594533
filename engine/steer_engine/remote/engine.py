"""An engine whose model runs on a server: requests go in, plain picklable events come out."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterable, Iterator, Sized
from contextlib import closing

from steer_engine.backends import ModelInfo
from steer_engine.closeable import Closeable
from steer_engine.errors import BackendError, ModelError, PromptError, ServerLostError
from steer_engine.events import Event, Finished, Request, RowDone, RowFailed, Started, Steps
from steer_engine.explaining import Explanation
from steer_engine.remote.address import Address, read_address
from steer_engine.remote.client import Client
from steer_engine.remote.credentials import Key, find_key
from steer_engine.remote.discovery import Served, discover
from steer_engine.remote.judging import Judge
from steer_engine.remote.portal import Flow, Portal
from steer_engine.remote.previews import rendered
from steer_engine.remote.rows import RemoteRow
from steer_engine.remote.server import Patience, Server
from steer_engine.remote.troubles import Trouble
from steer_engine.schema import Schema
from steer_engine.text_forms import TextForm


class RemoteEngine(Closeable):
    """Runs requests on a server. Use it as a context manager, or `close` it.

    It does what `steer_engine.engine.Engine` does, as far as a server lets it: how tokens are
    chosen is up to the server, and what it was asked to hold is checked in each answer.
    """

    def __init__(
        self, address: str | Address, *, key: Key | None = None, patience: Patience | None = None
    ) -> None:
        """Ask the server at `address` what it is. `key` is else looked for where keys are kept.

        Raises:
            ModelError: the server does not answer, or does not have the model.
        """
        self._address = read_address(address) if isinstance(address, str) else address
        self._patience = patience or Patience()
        self._client = Client(self._address, key or find_key(self._address.host))
        self._judge = Judge()
        self._portal = Portal()
        try:
            self._served = self._discovered()
        except BaseException:
            self.close()
            raise
        self._server = Server(self._client, self._address, self._served)

    @property
    def info(self) -> ModelInfo:
        """What the server says of the model; what it does not say is empty or 0."""
        return self._served.info

    @property
    def n_parallel(self) -> int:
        """How many rows the server is asked for at a time."""
        return self._served.profile.n_parallel

    def check(self, schema: Schema | TextForm) -> None:
        """Find out what is wrong with `schema` before anything is sent.

        Raises:
            SchemaError: it cannot be satisfied or read.
        """
        self._judge.check(schema)

    def explain(self, schema: Schema | TextForm) -> Explanation:
        """Return how `schema` is held."""
        return self._judge.explain(schema)

    def render(self, request: Request) -> str:
        """Return the text that the model would read, or the messages that are sent."""
        return self._rendered(request)[0]

    def count_tokens(self, request: Request) -> int | None:
        """Return the length of the prompt in tokens; None if the server does not tell."""
        return self._rendered(request)[1]

    def run(self, requests: Iterable[Request]) -> Generator[Event, None, None]:
        """Run `requests`, as many at a time as the server takes, and yield what happens.

        They are pulled as rows end. What has happened is yielded before an error or an interrupt.

        Raises:
            ServerLostError: no row can be done any more; those that had begun have failed, and
                there are others.
            SchemaError: one of the schemas cannot be used; the first is looked at before any work.
        """
        start = time.perf_counter()
        waiting = self._checked(requests)
        first = next(waiting, None)
        yield Started(len(requests) if isinstance(requests, Sized) else None)
        n_done = n_failed = n_tokens = 0
        with closing(Flow[Event](self._portal)) as flow:
            try:
                for event in self._run(flow, first, waiting):
                    n_tokens += len(event.steps) if isinstance(event, Steps) else 0
                    n_done += isinstance(event, RowDone)
                    n_failed += isinstance(event, RowFailed)
                    yield event
            except GeneratorExit:
                raise
            except BaseException:  # also of whoever makes the requests
                flow.close()
                yield from flow.unread()
                raise
        yield Finished(n_done, n_failed, n_tokens, time.perf_counter() - start)

    def close(self) -> None:
        """Close the connections. Calling it again does nothing."""
        if not self._portal.is_closed:
            self._portal.close(self._client.close)

    def _run(
        self, flow: Flow[Event], request: Request | None, waiting: Iterator[Request]
    ) -> Iterator[Event]:
        """Keep as many rows going as the server takes, until none is left."""
        n_open, lost = 0, None
        while request is not None or n_open:
            if lost is not None and not n_open:
                raise lost  # there may be any number of rows
            if request is not None and lost is None and n_open < self.n_parallel:
                flow.start(self._row(request).events())
                n_open += 1
                request = next(waiting, None)
            else:
                event = flow.next()
                n_open -= isinstance(event, RowDone | RowFailed)
                if isinstance(event, RowFailed) and isinstance(event.error, ServerLostError):
                    lost = event.error
                yield event

    def _row(self, request: Request) -> RemoteRow:
        return RemoteRow(self._server, self._judge, request, self._patience)

    def _checked(self, requests: Iterable[Request]) -> Iterator[Request]:
        """Yield `requests`, each schema looked at when it is first seen."""
        seen = set[Schema | TextForm]()
        for request in requests:
            if request.schema is not None and request.schema not in seen:
                self.check(request.schema)
                seen.add(request.schema)
            yield request

    def _rendered(self, request: Request) -> tuple[str, int | None]:
        return self._portal.call(
            rendered(self._client, self._address, self._served, request.messages)
        )

    def _discovered(self) -> Served:
        error: BackendError | PromptError
        try:
            return self._portal.call(discover(self._client, self._address))
        except Trouble as trouble:
            error = trouble.error(self._client.without_key)
        raise ModelError(str(error))
