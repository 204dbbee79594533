"""This project: `Engine.run` over all rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from many_rows.systems import Conversation, Limits
from steer_engine import Message, Request, RowDone, Schema, open_engine, read_schema


class Steermagic:
    """All rows in one run. `n_ctx` is not used: the engine takes the room that the rows need."""

    def __init__(self, model: Path, limits: Limits) -> None:
        self._engine = open_engine(model, n_threads=limits.n_threads)
        self._max_tokens = limits.max_tokens
        self._schema: Schema | None = None

    def prepare(self, schema: Mapping[str, object]) -> None:
        self._schema = read_schema(dict(schema))

    def answer(self, conversations: Sequence[Conversation], prompts: Sequence[str]) -> list[str]:
        del prompts
        requests = [
            Request(
                row,
                tuple(Message(**message) for message in conversation),
                self._schema,
                max_tokens=self._max_tokens,
            )
            for row, conversation in enumerate(conversations)
        ]
        answers = [""] * len(requests)
        for event in self._engine.run(requests):
            if isinstance(event, RowDone):
                answers[event.row] = event.text
        return answers
