"""A watch at llama.cpp's `llama_decode`: it counts and times every native call of a system.

It also knows what each sequence holds, and so can be an oracle. A model with random weights costs
what a real one costs, but writes noise; the oracle raises the logit of the token that continues
the known answer of the row whose prompt the sequence begins with. All systems go through the same
watch, and the time it takes itself is told apart.
"""

from __future__ import annotations

import ctypes
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from functools import cache, lru_cache
from types import ModuleType
from typing import Any, Protocol

# The logit of the token that the oracle wants. Those of random weights are normally distributed
# around 0 with a deviation of 1.5, those of the embedded model reach 30.
_WANTED = 60.0

_PLAIN = False, False  # no token before a text, and no control tokens in it
_SHOWN = (True,)  # the spelling of control tokens

Handle = object
"""A pointer that only llama.cpp looks into."""


@dataclass(frozen=True, slots=True)
class Row:
    """The text that a model reads for a row and, if the oracle shall speak, what it then writes."""

    prompt: bytes
    target: bytes | None


@dataclass(slots=True)
class Seen:
    """What went through the native call; times of the calling thread in seconds."""

    n_calls: int = 0
    n_tokens: int = 0
    n_outputs: int = 0
    forward_cpu_s: float = 0.0
    forward_wall_s: float = 0.0
    watch_cpu_s: float = 0.0
    watch_wall_s: float = 0.0
    prompts_read: set[int] = field(default_factory=set)

    def to_json(self) -> dict[str, object]:
        """Return the figures; of the prompts, how many were read word for word."""
        return asdict(self) | {"prompts_read": len(self.prompts_read)}


class _Sequence:
    """The text that a sequence of the KV cache holds, and where each of its tokens ends."""

    def __init__(self) -> None:
        self.text = bytearray()
        self.ends: list[int] = []

    def write(self, position: int, spelling: bytes) -> None:
        """Put a token at `position`; what stood there and behind it is forgotten."""
        if position < len(self.ends):
            self.cut(position)
        self.text += spelling
        self.ends.append(len(self.text))

    def cut(self, n_tokens: int) -> None:
        del self.ends[n_tokens:]
        del self.text[self.ends[-1] if self.ends else 0 :]


class Batch(Protocol):
    """As much of a `llama_batch` as is looked at: C arrays with an entry for each token."""

    n_tokens: int
    token: Any
    pos: Any
    seq_id: Any
    logits: Any


class Watch:
    """Stands in for `llama_decode` from `install` on."""

    def __init__(self) -> None:
        import llama_cpp.llama_cpp as native

        self._native = native
        self._decode = native.llama_decode
        self._copy = native.llama_memory_seq_cp
        self._vocabulary: _Vocabulary | None = None
        self._sequences: defaultdict[int, _Sequence] = defaultdict(_Sequence)
        self.start([])

    def install(self) -> None:
        """Take the place of the native functions in both modules that systems take them from."""
        import llama_cpp

        for module in (self._native, llama_cpp):
            module.llama_decode = self.decode
            module.llama_memory_seq_cp = self.copy

    def start(self, rows: Sequence[Row]) -> None:
        """Begin to count anew; without `rows` it is not looked what the sequences hold."""
        self.seen = Seen()
        self._rows = rows

    def decode(self, context: Handle, batch: Batch) -> int:
        """Do what `llama_decode` does, and watch."""
        seen, begin, begin_wall = self.seen, time.thread_time(), time.perf_counter()
        status = int(self._decode(context, batch))
        end, end_wall = time.thread_time(), time.perf_counter()
        seen.forward_cpu_s += end - begin
        seen.forward_wall_s += end_wall - begin_wall
        seen.n_calls += 1
        seen.n_tokens += batch.n_tokens
        if status == 0:
            self._look(context, batch)
        seen.watch_cpu_s += time.thread_time() - end
        seen.watch_wall_s += time.perf_counter() - end_wall
        return status

    def copy(self, memory: Handle, source: int, target: int, first: int, end: int) -> None:
        """Do what `llama_memory_seq_cp` does, and remember it."""
        self._copy(memory, source, target, first, end)
        copied, original = _Sequence(), self._sequences[source]
        copied.ends, copied.text = original.ends.copy(), original.text.copy()
        if end >= 0:
            copied.cut(end)
        self._sequences[target] = copied

    def _look(self, context: Handle, batch: Batch) -> None:
        """Follow the tokens of `batch`, and raise the logits of those that should come next."""
        size = batch.n_tokens
        outputs = batch.logits[:size] if batch.logits else [0] * (size - 1) + [1]
        self.seen.n_outputs += sum(map(bool, outputs))
        if not self._rows:
            return
        self._vocabulary = self._vocabulary or _Vocabulary(self._native, context)
        tokens, positions = batch.token[:size], batch.pos[:size]
        for i in range(size):
            sequence = self._sequences[batch.seq_id[i][0]]
            sequence.write(positions[i], self._vocabulary.spell(tokens[i]))
            wish = self._wish(bytes(sequence.text), self._vocabulary) if outputs[i] else None
            if wish is not None:
                self._native.llama_get_logits_ith(context, i)[wish] = _WANTED

    def _wish(self, text: bytes, vocabulary: _Vocabulary) -> int | None:
        """Return the token that the oracle wants behind `text`; None where it has no say."""
        text = text.removeprefix(vocabulary.bos)  # guidance puts it before every prompt
        for i, row in enumerate(self._rows):
            if text.startswith(row.prompt):
                self.seen.prompts_read.add(i)
                written = text[len(row.prompt) :]
                if row.target is None or not row.target.startswith(written):
                    return None
                return vocabulary.next_token(row.target, len(written))
        return None


class _Vocabulary:
    """Spellings and the tokeniser of the model that is watched."""

    def __init__(self, native: ModuleType, context: Handle) -> None:
        self._native = native
        self._vocab = native.llama_model_get_vocab(native.llama_get_model(context))
        bos = native.llama_vocab_bos(self._vocab)
        self.bos = self._spell(bos) if bos >= 0 else b""
        self.spell = cache(self._spell)
        self.next_token = lru_cache(maxsize=100_000)(self._next_token)

    def _next_token(self, target: bytes, written: int) -> int:
        if written == len(target):
            return int(self._native.llama_vocab_eos(self._vocab))
        return self._tokenize(target[written:])[0]

    def _tokenize(self, text: bytes) -> list[int]:
        size = len(text) + 8
        buffer = (ctypes.c_int32 * size)()
        n_tokens = self._native.llama_tokenize(self._vocab, text, len(text), buffer, size, *_PLAIN)
        return buffer[:n_tokens]

    def _spell(self, token: int) -> bytes:
        buffer = ctypes.create_string_buffer(1024)
        n_bytes = self._native.llama_token_to_piece(
            self._vocab, token, buffer, len(buffer), 0, *_SHOWN
        )
        return buffer.raw[:n_bytes]
