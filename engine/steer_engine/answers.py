"""One row's answer while it is being written, and what becomes of it at the end."""

from __future__ import annotations

import time

from steer_engine.confidence import confidence_of
from steer_engine.decoding import FinishReason, Undone
from steer_engine.errors import BackendError, BudgetError, DefectError, PromptError, RowError
from steer_engine.events import (
    Event,
    Request,
    RowDone,
    RowFailed,
    Steps,
    StepsUndone,
    evidence_of,
)
from steer_engine.records import read_record, read_text
from steer_engine.schema import JsonValue, Schema
from steer_engine.steps import Step

_MAX_POINTER = 80  # characters


class Answer:
    """What a row has written so far."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.max_tokens = request.max_tokens
        """Fewer where the context has no room for so many."""
        self.n_prompt_tokens = 0
        self.is_ended = False
        self.thoughts = ""
        self._steps: list[Step] = []
        self._start = time.perf_counter()

    @property
    def text(self) -> str:
        """The text so far, without the thoughts ahead of it."""
        spellings = (step.spelling for step in self._steps if not step.is_thought)
        return b"".join(spellings).decode("utf-8", "replace")

    def begin(self) -> None:
        """Start the row's clock."""
        self._start = time.perf_counter()

    def event(
        self,
        what: tuple[Step, ...]
        | Undone
        | FinishReason
        | RowError
        | PromptError
        | BackendError
        | DefectError,
    ) -> Event:
        """Take in what the decoder says, and return it as an event."""
        row = self.request.row
        if isinstance(what, tuple):
            self._steps += what
            return Steps(row, what)
        if isinstance(what, Undone):
            del self._steps[len(self._steps) - what.n_steps :]
            return StepsUndone(row, what.n_steps)
        if isinstance(what, BudgetError):
            what = self._out_of_budget()
        return self._finished(what) if isinstance(what, str) else self.failed(what)

    def failed(self, error: RowError | PromptError | BackendError | DefectError) -> RowFailed:
        """End the row with an error."""
        self.is_ended = True
        return RowFailed(self.request.row, error, self.text, self.thoughts)

    def _finished(self, reason: FinishReason) -> RowDone | RowFailed:
        try:
            record = self._record()
        except (RowError, DefectError) as error:
            return self.failed(error)
        self.is_ended = True
        if reason == "length" and self._is_full:
            reason = "context"
        seconds = time.perf_counter() - self._start
        row, evidence = self.request.row, evidence_of(self.request, record)
        return RowDone(
            row,
            record,
            self.text,
            reason,
            self.n_prompt_tokens,
            seconds,
            evidence,
            self.thoughts,
            confidence_of(self.request.schema, record, self._steps),
        )

    def _record(self) -> JsonValue:
        """Return the finished value, checked once more from outside.

        Raises:
            RowError: a number is too large, or values are nested too deeply.
            DefectError: it is not valid, which mask and guard should have made impossible.
        """
        if self.request.schema is None:
            return None
        if not isinstance(self.request.schema, Schema):
            return read_text(self.request.schema, self.text)
        return read_record(self.request.schema, self.text)

    @property
    def _is_full(self) -> bool:
        """Whether the context ends before the budget does."""
        return self.max_tokens < self.request.max_tokens

    def _out_of_budget(self) -> BudgetError:
        where = (self._steps[-1].pointer if self._steps else "") or "the root"
        if len(where) > _MAX_POINTER:
            where = f"{where[: _MAX_POINTER // 2]}…{where[-_MAX_POINTER // 2 :]}"
        n_tokens = sum(not step.is_thought for step in self._steps)
        if self._is_full:
            return BudgetError(
                f"the answer was still at {where} when the model's context was full, after"
                f" {n_tokens} tokens; shorten the prompt or the schema, or use a model with a"
                " longer context"
            )
        return BudgetError(
            f"the answer was still at {where} when its budget of {n_tokens} tokens ended;"
            " raise max_tokens, bound the schema (maxItems, maxLength, minimum and maximum) or"
            " have it ask for less (minItems, minLength)"
        )
