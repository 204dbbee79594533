"""One row: asked, checked, and asked again where that may help."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

from steer_engine.errors import BackendError, BudgetError, PromptError, RowError
from steer_engine.events import (
    Event,
    Noted,
    Request,
    RowDone,
    RowFailed,
    Steps,
    StepsUndone,
    evidence_of,
)
from steer_engine.prompting import Message
from steer_engine.remote.judging import InvalidAnswerError, Judge
from steer_engine.remote.offers import UNHELD
from steer_engine.remote.questions import Question, drawn_again
from steer_engine.remote.replies import Answer
from steer_engine.remote.server import Patience, Server
from steer_engine.remote.troubles import Trouble
from steer_engine.schema import JsonValue, Schema
from steer_engine.text_forms import TextForm

_THINK = "Before you answer, think about it step by step in plain text."
_ANSWER = Message("user", "Now write the answer alone.")


class RemoteRow:
    """The work on one request."""

    def __init__(self, server: Server, judge: Judge, request: Request, patience: Patience) -> None:
        self._server, self._judge = server, judge
        self._request, self._patience = request, patience
        self._start = time.perf_counter()
        self._thoughts = ""
        self._offer, self._manner = UNHELD, server.manner
        self._answer = Answer(is_json=False, is_greedy=True)

    async def events(self) -> AsyncGenerator[Event, None]:
        """Yield the row's events; the last is its end."""
        error: RowError | PromptError | BackendError
        try:
            async for said in self._work():
                yield said
        except Trouble as trouble:
            error = trouble.error(self._server.without_key)
        except RowError as failure:
            error = failure
        else:
            return
        yield RowFailed(self._request.row, error, self._answer.text, self._thoughts)

    async def _work(self) -> AsyncGenerator[Event, None]:
        """Ask until an answer is valid."""
        request, messages, invalid = self._request, self._request.messages, ""
        if request.n_thoughts:
            async for said in self._think():
                yield said
            thoughts = Message("assistant", self._thoughts)
            messages = (*_asked_to_think(messages), thoughts, _ANSWER)
        for attempt in range(self._patience.n_answers):
            if attempt and self._answer.n_steps:
                yield self._undone()
            sampling = drawn_again(request.sampling, row=request.row, attempt=attempt)
            question = Question(messages, sampling, request.max_tokens)
            async for said in self._ask(question, request.schema):
                yield said
            try:
                record, text = self._read()
            except InvalidAnswerError as reason:
                invalid = str(reason)
                continue
            yield self._done(record, text)
            return
        raise RowError(
            f"{self._patience.n_answers} answers in turn were not valid; of the last: {invalid}"
        )

    async def _think(self) -> AsyncGenerator[Event, None]:
        """Let the model write freely; what it writes becomes a part of the conversation."""
        request = self._request
        question = Question(
            _asked_to_think(request.messages),
            drawn_again(request.sampling, row=request.row, attempt=0),
            request.n_thoughts,
            thinks=True,
        )
        async for said in self._ask(question, None):
            yield _as_thoughts(said) if isinstance(said, Steps) else said
        self._thoughts = "\n".join(filter(None, (self._answer.thoughts, self._answer.text))).strip()

    async def _ask(
        self, question: Question, asked: Schema | TextForm | None
    ) -> AsyncGenerator[Event, None]:
        """Put a question until there is a whole reply to it, which is then `_answer`."""
        for n_failed in itertools.count():
            try:
                async for said in self._exchange(question, asked):
                    yield said
            except Trouble as caught:
                trouble = caught
            else:
                return
            question, wait_s = self._after(trouble, question, asked, n_failed)
            if self._answer.n_steps:
                yield self._undone()
            await asyncio.sleep(wait_s)

    def _after(
        self,
        trouble: Trouble,
        question: Question,
        asked: Schema | TextForm | None,
        n_failed: int,
    ) -> tuple[Question, float]:
        """Return what is to be asked after an exchange that failed, and how many seconds later.

        Raises:
            Trouble: nothing is.
        """
        if trouble.kind == "too_long" and question.max_tokens is not None:
            # The prompt may have room, and only an answer of so many tokens not.
            return replace(question, max_tokens=None), 0.0
        if trouble.kind == "refused" and (
            self._server.spare(self._manner, trouble)
            or self._server.give_up(asked, self._offer, trouble)
        ):
            return question, 0.0
        if trouble.may_pass and n_failed + 1 < trouble.n_tries:
            return question, self._patience.wait_s(n_failed, trouble.retry_after_s)
        raise trouble

    async def _exchange(
        self, question: Question, asked: Schema | TextForm | None
    ) -> AsyncGenerator[Event, None]:
        is_json = isinstance(asked, Schema)
        self._answer = Answer(is_json=is_json, is_greedy=question.sampling.temperature == 0)
        self._manner = self._server.manner
        self._offer = await self._server.offer(asked)
        for note in self._server.new_notes():
            yield Noted(note)
        asking = self._server.ask(replace(question, form=self._offer.body))
        async with aclosing(asking) as pieces:
            async for piece in pieces:
                if steps := self._answer.take(piece):
                    yield Steps(self._request.row, steps)
        self._answer.check_end()

    def _undone(self) -> StepsUndone:
        return StepsUndone(self._request.row, self._answer.n_steps)

    def _read(self) -> tuple[JsonValue, str]:
        """Return the value of the answer, and its text.

        Raises:
            InvalidAnswerError: it is not valid; another may be.
            RowError: the row has none.
        """
        answer, request = self._answer, self._request
        if answer.refusal:
            words = self._server.without_key(answer.refusal)  # which may be a gateway's
            raise RowError(f"the model refuses to answer: {words[:200]}")
        if answer.end == "content_filter":
            raise RowError("the server's content filter broke the answer off")
        if request.schema is None:
            return None, answer.text
        if answer.end == "length":
            raise BudgetError(
                f"the answer was not finished when its budget (max_tokens {request.max_tokens}) or"
                " the model's context was used up; raise max_tokens, or bound the schema (maxItems,"
                " maxLength)"
            )
        try:
            text = self._offer.read(answer.text)
        except ValueError as error:
            raise InvalidAnswerError(str(error)) from None
        return self._judge.record(request, text)

    def _done(self, record: JsonValue, text: str) -> RowDone:
        answer, request = self._answer, self._request
        return RowDone(
            request.row,
            record,
            text,
            "length" if answer.end == "length" else "stop",
            answer.n_prompt_tokens,
            time.perf_counter() - self._start,
            evidence_of(request, record),
            "\n".join(filter(None, (self._thoughts, answer.thoughts))),
        )


def _asked_to_think(messages: tuple[Message, ...]) -> tuple[Message, ...]:
    """Return `messages` with that wish in the last: many templates want roles to alternate."""
    *others, last = messages
    if last.role != "user":
        return (*messages, Message("user", _THINK))
    return (*others, Message("user", f"{last.content}\n\n{_THINK}"))


def _as_thoughts(steps: Steps) -> Steps:
    return replace(steps, steps=tuple(replace(step, is_thought=True) for step in steps.steps))
