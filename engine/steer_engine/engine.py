"""The engine: requests go in, plain picklable events come out.

Whoever iterates over `Engine.run` may stop, time, store or stream without the engine knowing.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Generator, Iterable, Iterator, Sequence
from functools import cached_property
from itertools import chain, islice
from pathlib import Path

from steer_engine.alternatives import alternatives_of
from steer_engine.answers import Answer
from steer_engine.any_engine import AnyEngine
from steer_engine.backends import Backend, ModelInfo
from steer_engine.backends.opening import backend_named, open_backend
from steer_engine.byte_index import ByteIndex
from steer_engine.closeable import Closeable
from steer_engine.closing import Closer, check_budget
from steer_engine.decoding import decode
from steer_engine.drafting import Drafting
from steer_engine.errors import (
    BackendError,
    DefectError,
    PromptError,
    PromptTooLongError,
)
from steer_engine.events import (
    Event,
    Finished,
    Request,
    RowDone,
    RowFailed,
    Started,
    Steps,
    source_of,
)
from steer_engine.explaining import Explanation, explain
from steer_engine.grammar import GrammarCompiler
from steer_engine.matcher import FreeMatcher, Matcher
from steer_engine.models import embedded_path, find_model
from steer_engine.prompting import ChatLayout
from steer_engine.sampling import make_sampler
from steer_engine.schema import Schema
from steer_engine.schema.places import verbatim_places
from steer_engine.slots import decode_rows
from steer_engine.text_forms import TextForm
from steer_engine.thinking import most_ending_tokens, think
from steer_engine.verbatim import SpellingIndex, VerbatimMatcher
from steer_engine.vocabulary import TokenId
from steer_engine.waiting import Decoding, Said, Task

MAX_SLOTS = 32
"""How many rows are decoded at a time at most; the backend says how many are best."""


def open_engine(model: str | Path | None = None, *, n_threads: int | None = None) -> AnyEngine:
    """Load a model and return its engine. None is the embedded model, ``http://…`` a server's.

    Raises:
        ModelError: the model cannot be found, read or loaded.
    """
    from steer_engine.remote import RemoteEngine, is_address

    if is_address(model):
        return RemoteEngine(model)
    name, model = backend_named(model)
    path = find_model(model, backend=name)
    embedded = path == embedded_path()
    backend = open_backend(path, name, embedded=embedded, n_threads=n_threads)
    try:
        return Engine(backend)
    except BaseException:
        backend.close()
        raise


class Engine(Closeable):
    """Runs requests on one backend. Use it as a context manager, or `close` it."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._compiler = GrammarCompiler(backend.vocabulary)
        self._drafting = Drafting(backend)
        self._turn = threading.Lock()  # runs of several threads follow each other
        self._runner: int | None = None
        self._is_closed = False
        self._enough_tokens: dict[Schema | TextForm, int] = {}  # for an answer
        self._longest_spelling = max(map(len, backend.vocabulary.spellings))
        self._layouts = {
            thinks: ChatLayout(backend.chat_template, backend.vocabulary, thinks=thinks)
            for thinks in (False, True)
        }

    @property
    def info(self) -> ModelInfo:
        """What the model is."""
        return self._backend.info

    def check(self, schema: Schema | TextForm) -> None:
        """Compile `schema`, so that what is wrong with it shows before any model work.

        Raises:
            SchemaError: it cannot be enforced, satisfied or compiled.
        """
        self._compiler.compile(schema)
        if isinstance(schema, Schema):
            verbatim_places(schema)

    def _check_budget(self, schema: Schema | TextForm, max_tokens: int) -> None:
        """Raise `BudgetError` if no answer of the form of `schema` has so few tokens."""
        if max_tokens >= self._enough_tokens.get(schema, max_tokens + 1):
            return
        matcher = self._compiler.compile(schema).matcher()
        check_budget(matcher, self._bytes, schema, max_tokens=max_tokens)
        self._enough_tokens[schema] = max_tokens

    def explain(self, schema: Schema | TextForm) -> Explanation:
        """Return how `schema` is enforced with this model's vocabulary."""
        return explain(schema, self._compiler, self._bytes)

    def render(self, request: Request) -> str:
        """Return the text that the model would read."""
        return self._layout(request).render(request.messages)

    def count_tokens(self, request: Request) -> int:
        """Return the length of the prompt in tokens."""
        return len(self._layout(request).tokenize(request.messages))

    def run(self, requests: Iterable[Request]) -> Generator[Event, None, None]:
        """Run `requests`, many rows at a time, and yield what happens.

        Rows begin in order and end as they come. Requests are taken as they are needed, some rows
        ahead, and nothing is kept of a row that has ended: there may be any number of them.

        Raises:
            SchemaError: one of the schemas cannot be used. Those of a sequence are all looked at
                before any model work, those of another iterable when their row's turn comes near.
            BudgetError: likewise, if one of the rows may write too few tokens.
            BackendError: another run that this thread has begun is not finished; or the model
                failed: the rows that had begun fail, and if there are more, it is raised.
        """
        if self._runner == threading.get_ident():
            raise BackendError("another run of this model is not finished; finish or close it")
        with self._turn:
            self._runner = threading.get_ident()
            try:
                self._check_open()
                yield from self._run(requests)
            finally:
                self._runner = None
                if self._is_closed:
                    self._backend.close()

    def _run(self, requests: Iterable[Request]) -> Generator[Event, None, None]:
        start = time.perf_counter()
        is_known = isinstance(requests, Sequence)
        checked = self._checked(requests)
        ahead = [*checked] if is_known else [*islice(checked, 1)]
        yield Started(len(ahead) if is_known else None)
        n_done = n_failed = n_tokens = 0
        for event in self._answer(chain(ahead, checked)):
            n_tokens += len(event.steps) if isinstance(event, Steps) else 0
            n_done += isinstance(event, RowDone)
            n_failed += isinstance(event, RowFailed)
            yield event
        yield Finished(n_done, n_failed, n_tokens, time.perf_counter() - start)

    def _checked(self, requests: Iterable[Request]) -> Iterator[Request]:
        """Pass `requests` on; look at each schema and budget when it comes for the first time."""
        seen = set[tuple[Schema | TextForm | None, int]]()
        for request in requests:
            schema, max_tokens = request.schema, request.max_tokens
            if schema is not None and (schema, max_tokens) not in seen:
                self.check(schema)
                self._check_budget(schema, max_tokens)
                seen.add((schema, max_tokens))
            yield request

    def close(self) -> None:
        """Free the model. Where another thread runs it, that run ends with its next event."""
        self._is_closed = True
        if self._runner in (None, threading.get_ident()):
            self._backend.close()

    def _check_open(self) -> None:
        if self._is_closed:
            raise BackendError("the model is closed; open it again")

    def _layout(self, request: Request) -> ChatLayout:
        return self._layouts[request.n_thoughts > 0]

    def _matcher(self, request: Request) -> Matcher:
        if request.schema is None:
            return FreeMatcher(self._backend.vocabulary)
        matcher = self._compiler.compile(request.schema).matcher()
        if not isinstance(request.schema, Schema):
            return matcher
        places = verbatim_places(request.schema)
        if places.is_empty:
            return matcher
        return VerbatimMatcher(matcher, source_of(request), places, self._spellings)

    def _closer(
        self, matcher: Matcher, schema: Schema | TextForm | None, max_tokens: int
    ) -> Closer | None:
        if schema is None:
            return None
        return Closer(self._bytes, matcher, schema, max_tokens=max_tokens)

    @cached_property
    def _bytes(self) -> ByteIndex:
        return ByteIndex(self._backend.vocabulary)

    @cached_property
    def _n_ending(self) -> int:
        """How many tokens may have to be added to thoughts."""
        return most_ending_tokens(self._backend.vocabulary, self._layouts[True].style)

    @cached_property
    def _spellings(self) -> SpellingIndex:
        return SpellingIndex(self._backend.vocabulary)

    def _answer(self, requests: Iterator[Request]) -> Iterator[Event]:
        answers = dict[int, Answer]()  # of the rows that have not ended
        tasks = self._tasks(requests, answers)
        try:
            for said in decode_rows(
                self._backend, tasks, max_slots=MAX_SLOTS, drafting=self._drafting
            ):
                yield answers[said.row].event(said.what)
                if answers[said.row].is_ended:
                    del answers[said.row]
                self._check_open()  # whoever takes the events may have closed it
        except (BackendError, DefectError) as error:
            for answer in answers.values():
                yield answer.failed(error)
            if next(requests, None) is not None:  # there may be any number of them
                raise

    def _tasks(
        self, requests: Iterator[Request], answers: dict[int, Answer]
    ) -> Iterator[Task | Said]:
        """Yield the work of each row, and begin its entry in `answers`."""
        for number, request in enumerate(requests):
            answers[number] = Answer(request)
            self._check_open()  # or whoever makes the requests
            try:
                yield self._task(number, answers[number])
            except PromptError as error:
                yield Said(number, error)

    def _task(self, number: int, answer: Answer) -> Task:
        """Return the work that is to be done for a row.

        Raises:
            PromptError: its prompt cannot be read by the model.
        """
        request = answer.request
        prompt = self._prompt(request)
        answer.n_prompt_tokens = len(prompt)
        room = self._backend.max_row_tokens - len(prompt)
        n_ending = self._n_ending if request.n_thoughts else 0
        n_most = max(0, room - n_ending) // 2  # the answer needs room, too
        n_thoughts = min(request.n_thoughts, n_most)
        n_before = n_thoughts + n_ending if n_thoughts else 0  # tokens before the answer
        answer.max_tokens = max_tokens = min(request.max_tokens, room - n_before)

        def decoding() -> Decoding:
            answer.begin()  # only now does the row's turn come
            vocabulary, unread = self._backend.vocabulary, prompt
            sampler = make_sampler(request.sampling, row=request.row)
            if n_thoughts:
                style = self._layout(request).style
                thoughts = yield from think(
                    vocabulary, style, prompt, sampler=sampler, max_tokens=n_thoughts
                )
                answer.thoughts, unread = thoughts.text, thoughts.unread
            matcher, schema = self._matcher(request), request.schema
            return (
                yield from decode(
                    vocabulary,
                    matcher,
                    unread,
                    sampler=sampler,
                    max_tokens=max_tokens,
                    is_json=isinstance(schema, Schema),
                    closer=self._closer(matcher, schema, max_tokens),
                    alternatives=None if schema is None else alternatives_of(schema),
                    can_trim=self._backend.can_trim,
                )
            )

        return Task(number, prompt, decoding(), n_tokens=len(prompt) + n_before + max_tokens)

    def _prompt(self, request: Request) -> list[TokenId]:
        layout, n_most = self._layout(request), self._backend.max_row_tokens
        # What is far too long is not tokenized: that takes time and memory. A layout keeps messages
        # whole but for the blanks around them.
        texts = (message.content.strip() for message in request.messages)
        n_bytes = max((len(text.encode("utf-8", "replace")) for text in texts), default=0)
        n_least = n_bytes // self._longest_spelling
        tokens = [] if n_least >= n_most else layout.tokenize(request.messages)
        if max(n_least, len(tokens)) >= n_most:
            n_tokens = f"{len(tokens)}" if tokens else f"at least {n_least}"
            limit = f"{self.info.name} reads at most"
            remedy = " or use a model with a longer context"
            if n_most < self.info.context_length:
                limit, remedy = "there is memory for", ", free memory or use a smaller model"
            raise PromptTooLongError(
                f"the prompt has {n_tokens} tokens and {limit} {n_most}, the answer included;"
                f" shorten the text{remedy}"
            )
        return tokens
