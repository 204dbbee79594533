"""What is compared: steermagic, llguidance alone, xgrammar."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from acceptance.cases import Case
from steer_engine.errors import SteerError, UnsatisfiableError
from steer_engine.grammar import GrammarCompiler
from steer_engine.mask import Mask
from steer_engine.schema import Schema, read_schema
from steer_engine.vocabulary import TokenId, Vocabulary


class RefusedError(Exception):
    """A system does not take a schema. `is_unsatisfiable`: because nothing satisfies it."""

    def __init__(self, reason: str, *, keyword: str = "", is_unsatisfiable: bool = False) -> None:
        super().__init__(reason)
        self.keyword, self.is_unsatisfiable = keyword, is_unsatisfiable


class Walker(Protocol):
    """As much of a matcher as judging needs."""

    def fill_mask(self, mask: Mask) -> None: ...
    def accept(self, token: TokenId) -> bool: ...
    @property
    def is_accepting(self) -> bool: ...
    @property
    def is_stopped(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Compiled:
    """A schema ready for use, and what getting there took."""

    start: Callable[[], Walker]
    compile_ms: float


class System(Protocol):
    """Something that turns schemas into token masks; `compile` raises `RefusedError`."""

    name: str

    def compile(self, case: Case) -> Compiled: ...


class Steermagic:
    """This project: mask and guard."""

    name = "steermagic"

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._compiler = GrammarCompiler(vocabulary)

    def compile(self, case: Case) -> Compiled:
        start = time.thread_time_ns()
        try:
            grammar = self._compiler.compile(read_case(case))
        except UnsatisfiableError as error:
            raise RefusedError(str(error), is_unsatisfiable=True) from error
        except SteerError as error:
            raise RefusedError(str(error), keyword=getattr(error, "keyword", "")) from error
        return Compiled(grammar.matcher, (time.thread_time_ns() - start) / 1e6)


def read_case(case: Case) -> Schema:
    """Return the schema of `case`; raises `SteerError`."""
    return read_schema(case.schema, resources=case.resources)


class Llguidance:
    """llguidance with its default options, as its users call it."""

    name = "llguidance"

    def __init__(self, vocabulary: Vocabulary) -> None:
        from llguidance import LLTokenizer, TokenizerWrapper

        self._tokenizer = LLTokenizer(
            TokenizerWrapper(_TokenizerView(vocabulary)),
            eos_token=sorted(vocabulary.eos_ids),
            slices=LLTokenizer.json_slices(),
        )

    def compile(self, case: Case) -> Compiled:
        from llguidance import LLMatcher

        text = json.dumps(case.schema)
        start = time.thread_time_ns()
        try:
            grammar = LLMatcher.grammar_from_json_schema(text)
        except ValueError as error:
            raise RefusedError(str(error)) from error
        matcher = LLMatcher(self._tokenizer, grammar, log_level=0)
        if matcher.is_error():
            reason = matcher.get_error()
            raise RefusedError(reason, is_unsatisfiable="nsatisfiable" in reason)
        compile_ms = (time.thread_time_ns() - start) / 1e6
        return Compiled(lambda: _LlguidanceWalker(matcher.deep_copy()), compile_ms)


class _LlguidanceWalker:
    def __init__(self, matcher: object) -> None:
        self._matcher = matcher

    def fill_mask(self, mask: Mask) -> None:
        mask[:] = 0
        if not self._matcher.is_stopped():
            self._matcher.unsafe_compute_mask_ptr(mask.ctypes.data, mask.nbytes)

    def accept(self, token: TokenId) -> bool:
        return self._matcher.consume_token(token)

    @property
    def is_accepting(self) -> bool:
        return self._matcher.is_accepting()

    @property
    def is_stopped(self) -> bool:
        return self._matcher.is_stopped()


class _TokenizerView:
    """A `Vocabulary` in the shape that llguidance's `TokenizerWrapper` reads."""

    bos_token_id = None

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self.eos_token_id = vocabulary.eos_id
        self.tokens = vocabulary.spellings
        self.special_token_ids = sorted(vocabulary.special_ids | vocabulary.eos_ids)

    def __call__(self, text: bytes) -> list[TokenId]:
        return self._vocabulary.tokenize_bytes(text, parse_special=False)


class Xgrammar:
    """xgrammar with its default options, on one thread."""

    name = "xgrammar"

    def __init__(self, vocabulary: Vocabulary) -> None:
        import xgrammar

        spellings = [
            b"" if token in vocabulary.special_ids else spelling
            for token, spelling in enumerate(vocabulary.spellings)
        ]
        self._info = xgrammar.TokenizerInfo(
            spellings,
            vocab_type=xgrammar.VocabType.RAW,
            vocab_size=vocabulary.vocab_size,
            stop_token_ids=sorted(vocabulary.eos_ids),
        )
        self._compiler = xgrammar.GrammarCompiler(self._info, max_threads=1, cache_enabled=False)

    def compile(self, case: Case) -> Compiled:
        from xgrammar import GrammarMatcher

        text = json.dumps(case.schema)
        start = time.thread_time_ns()
        try:
            grammar = self._compiler.compile_json_schema(text)
        except Exception as error:  # its errors have no common class
            raise RefusedError(" ".join(str(error).split())[:300]) from error
        compile_ms = (time.thread_time_ns() - start) / 1e6
        return Compiled(lambda: _XgrammarWalker(GrammarMatcher(grammar)), compile_ms)


class _XgrammarWalker:
    def __init__(self, matcher: object) -> None:
        import torch

        self._matcher, self._torch = matcher, torch
        self.is_stopped = self.is_accepting = False

    def fill_mask(self, mask: Mask) -> None:
        bitmask = self._torch.from_numpy(mask).unsqueeze(0)  # (1, mask_words), the same memory
        if not self._matcher.fill_next_token_bitmask(bitmask):
            mask[:] = -1  # everything is allowed

    def accept(self, token: TokenId) -> bool:
        return bool(self._matcher.accept_token(token))


SYSTEMS: dict[str, Callable[[Vocabulary], System]] = {
    "steermagic": Steermagic,
    "llguidance": Llguidance,
    "xgrammar": Xgrammar,
}
"""Every system by name; one that is not installed raises ImportError."""
