"""What a session needs of an engine, wherever its model runs."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from types import TracebackType
from typing import Protocol, Self

from steer_engine.backends import ModelInfo
from steer_engine.events import Event, Request
from steer_engine.explaining import Explanation
from steer_engine.schema import Schema
from steer_engine.text_forms import TextForm


class AnyEngine(Protocol):
    """Answers requests: on a model in this process, in one of its own, or on a server.

    `steer_engine.engine`, `steer_engine.isolation` and `steer_engine.remote` have one each.
    """

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...

    @property
    def info(self) -> ModelInfo:
        """What the model is."""
        ...

    def check(self, schema: Schema | TextForm) -> None:
        """Raise `SchemaError` if `schema` cannot be used, before any model work."""
        ...

    def explain(self, schema: Schema | TextForm) -> Explanation:
        """Return how `schema` is held. A schema that is refused is explained, not raised."""
        ...

    def render(self, request: Request) -> str:
        """Return what the model would read."""
        ...

    def count_tokens(self, request: Request) -> int | None:
        """Return the length of the prompt in tokens; None if it is not known."""
        ...

    def run(self, requests: Iterable[Request]) -> Generator[Event, None, None]:
        """Run `requests`, which are pulled as they are needed, and yield what happens.

        Rows begin in order and end as they come. Closing the generator stops the work.

        Raises:
            SteerError: the run cannot begin, or cannot go on.
        """
        ...

    def close(self) -> None:
        """Free what is held for the model."""
        ...
