"""The engine: requests go in, plain picklable events come out.

Whoever iterates over `Engine.run` may stop, time, store or stream without the engine knowing.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Self, TypeAlias

from steer_engine.backends import Backend, ModelInfo
from steer_engine.decoding import FinishReason, Step, decode
from steer_engine.errors import (
    BackendError,
    BudgetError,
    DefectError,
    PromptError,
    PromptTooLongError,
    RowError,
)
from steer_engine.grammar import FreeMatcher, GrammarCompiler, Matcher
from steer_engine.models import embedded_path, find_model
from steer_engine.prompting import ChatLayout, Message, instruction
from steer_engine.records import read_record
from steer_engine.sampling import Sampling, make_sampler
from steer_engine.schema import JsonValue, Schema
from steer_engine.schema.places import verbatim_places
from steer_engine.verbatim import SourceText, SpellingIndex, VerbatimMatcher
from steer_engine.vocabulary import TokenId

MAX_TOKENS = 1024
"""Default budget of one answer, in tokens."""


GREEDY = Sampling()


@dataclass(frozen=True, slots=True)
class Request:
    """One row's work. `schema` None asks for unsteered text."""

    row: int
    messages: tuple[Message, ...]
    schema: Schema | None
    sampling: Sampling = GREEDY
    max_tokens: int = MAX_TOKENS


@dataclass(frozen=True, slots=True)
class Started:
    """The run has begun: every schema compiled, no model call made yet."""

    n_rows: int


@dataclass(frozen=True, slots=True)
class Steps:
    """Tokens that a row has gained."""

    row: int
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class RowDone:
    """A row is finished. `record` is valid under its schema (None for an unsteered row)."""

    row: int
    record: JsonValue
    text: str
    finish_reason: FinishReason
    n_prompt_tokens: int
    seconds: float


@dataclass(frozen=True, slots=True)
class RowFailed:
    """A row could not be finished. `text` is what it had written."""

    row: int
    error: RowError | PromptError | BackendError | DefectError
    text: str


@dataclass(frozen=True, slots=True)
class Finished:
    """The run is over; `n_tokens` counts written tokens, `seconds` is wall time."""

    n_done: int
    n_failed: int
    n_tokens: int
    seconds: float


Event: TypeAlias = Started | Steps | RowDone | RowFailed | Finished


def open_engine(model: str | Path | None = None, *, n_threads: int | None = None) -> Engine:
    """Load a model and return its engine. None is the embedded model.

    Raises:
        ModelError: the model cannot be found, read or loaded.
    """
    from steer_engine.backends.llamacpp import LlamaCppBackend

    path = find_model(model)
    backend = LlamaCppBackend(path, n_threads=n_threads, embedded=path == embedded_path())
    try:
        return Engine(backend)
    except BaseException:
        backend.close()
        raise


class Engine:
    """Runs requests on one backend. Use it as a context manager, or `close` it."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._compiler = GrammarCompiler(backend.vocabulary)
        self._turn = threading.Lock()  # runs of several threads follow each other
        self._runner: int | None = None
        self._layout = ChatLayout(backend.chat_template, backend.vocabulary)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def info(self) -> ModelInfo:
        """What the model is."""
        return self._backend.info

    def check(self, schema: Schema) -> None:
        """Compile `schema`, so that what is wrong with it shows before any model work.

        Raises:
            SchemaError: it cannot be enforced, satisfied or compiled.
        """
        self._compiler.compile(schema)
        verbatim_places(schema)

    def render(self, request: Request) -> str:
        """Return the text that the model would read."""
        return self._layout.render(request.messages)

    def count_tokens(self, request: Request) -> int:
        """Return the length of the prompt in tokens."""
        return len(self._layout.tokenize(request.messages))

    def run(self, requests: Sequence[Request]) -> Generator[Event, None, None]:
        """Run `requests` one after the other and yield what happens.

        Raises:
            SchemaError: before any model work, if one of the schemas cannot be used.
            BackendError: another run that this thread has begun is not finished.
        """
        if self._runner == threading.get_ident():
            raise BackendError("another run of this model is not finished; finish or close it")
        with self._turn:
            self._runner = threading.get_ident()
            try:
                yield from self._run(requests)
            finally:
                self._runner = None

    def _run(self, requests: Sequence[Request]) -> Generator[Event, None, None]:
        start = time.perf_counter()
        for request in requests:
            if request.schema is not None:
                self.check(request.schema)
        yield Started(len(requests))
        n_done = n_tokens = 0
        for request in requests:
            for event in self._run_row(request, self._matcher(request)):
                if isinstance(event, Steps):
                    n_tokens += len(event.steps)
                n_done += isinstance(event, RowDone)
                yield event
        yield Finished(n_done, len(requests) - n_done, n_tokens, time.perf_counter() - start)

    def close(self) -> None:
        """Free the model."""
        self._backend.close()

    def _matcher(self, request: Request) -> Matcher:
        if request.schema is None:
            return FreeMatcher(self._backend.vocabulary)
        matcher = self._compiler.compile(request.schema).matcher()
        places = verbatim_places(request.schema)
        if not places:
            return matcher
        # What may be copied is what the user sent, not what the schema says of itself.
        sent = "\n".join(m.content for m in request.messages if m.role == "user")
        source = SourceText(sent.replace(instruction(request.schema), "\0"))
        return VerbatimMatcher(matcher, source, places, self._spellings)

    @cached_property
    def _spellings(self) -> SpellingIndex:
        return SpellingIndex(self._backend.vocabulary)

    def _run_row(self, request: Request, matcher: Matcher) -> Iterator[Event]:
        start = time.perf_counter()
        written = _Written()
        try:
            prompt = self._prompt(request)
            finish_reason = yield from self._decode_row(request, matcher, prompt, written)
            record = _read_record(request, written, finish_reason)
        except (RowError, PromptError, BackendError, DefectError) as error:
            yield RowFailed(request.row, error, written.text)
            return
        seconds = time.perf_counter() - start
        yield RowDone(request.row, record, written.text, finish_reason, len(prompt), seconds)

    def _prompt(self, request: Request) -> list[TokenId]:
        tokens = self._layout.tokenize(request.messages)
        if len(tokens) >= self.info.context_length:
            raise PromptTooLongError(
                f"the prompt has {len(tokens)} tokens and {self.info.name} reads at most"
                f" {self.info.context_length}, the answer included; shorten the text or use a"
                " model with a longer context"
            )
        return tokens

    def _decode_row(
        self, request: Request, matcher: Matcher, prompt: list[TokenId], written: _Written
    ) -> Generator[Steps, None, FinishReason]:
        max_tokens = min(request.max_tokens, self.info.context_length - len(prompt))
        self._backend.reserve(n_slots=1, n_tokens=len(prompt) + max_tokens)
        steps = decode(
            self._backend,
            matcher,
            prompt,
            slot=0,
            sampler=make_sampler(request.sampling, row=request.row),
            max_tokens=max_tokens,
            is_json=request.schema is not None,
        )
        while True:
            try:
                new = next(steps)
            except StopIteration as end:
                finish_reason: FinishReason = end.value
                return finish_reason
            written.add(new)
            yield Steps(request.row, new)


class _Written:
    """What a row has written so far."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self.n_tokens = 0
        self.pointer = ""

    def add(self, steps: tuple[Step, ...]) -> None:
        self._bytes += b"".join(step.spelling for step in steps)
        self.n_tokens += len(steps)
        self.pointer = steps[-1].pointer

    @property
    def text(self) -> str:
        return self._bytes.decode("utf-8", "replace")


def _read_record(request: Request, written: _Written, finish_reason: FinishReason) -> JsonValue:
    """Return the finished value, checked once more from outside.

    Raises:
        BudgetError: the text is not complete.
        RowError: an open object has a key twice, or a number is too large.
        DefectError: it is complete and yet not valid, which the mask should have made impossible.
    """
    if request.schema is None:
        return None
    if finish_reason == "length":
        raise _out_of_budget(request, written)
    return read_record(request.schema, written.text)


def _out_of_budget(request: Request, written: _Written) -> BudgetError:
    where = written.pointer or "the root"
    if len(where) > _MAX_POINTER:
        where = f"{where[: _MAX_POINTER // 2]}…{where[-_MAX_POINTER // 2 :]}"
    if written.n_tokens < request.max_tokens:
        return BudgetError(
            f"the answer was still at {where} when the model's context was full, after"
            f" {written.n_tokens} tokens; shorten the prompt or the schema, or use a model with a"
            " longer context"
        )
    return BudgetError(
        f"the answer was still at {where} when its budget of {written.n_tokens} tokens ended;"
        " raise max_tokens or bound the schema (maxItems, maxLength, minimum and maximum)"
    )


_MAX_POINTER = 80  # characters
