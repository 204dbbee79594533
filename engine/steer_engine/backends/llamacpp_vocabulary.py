"""The vocabulary of a GGUF file, and llama.cpp's tokenizer for it."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from steer_engine.backends.llamacpp_model import Handle, Owned, bindings, load_model
from steer_engine.errors import BackendError, PromptError
from steer_engine.vocabulary import TokenId, Vocabulary

if TYPE_CHECKING:
    from types import ModuleType

_Result = TypeVar("_Result")

_SHORT = 4096  # bytes, for which any stack is deep enough
_STACK_STEP = 16 << 20  # bytes; some systems want whole pages
_STACK_TURN = threading.Lock()  # the size of new stacks is one for the whole process


def read_vocabulary(path: Path) -> Vocabulary:
    """Return the vocabulary of a GGUF file without loading its weights.

    Raises:
        ModelError: the file cannot be loaded.
    """
    native = bindings()
    return vocabulary_of(native, load_model(native, path, vocab_only=True))


def vocabulary_of(native: ModuleType, model: Owned) -> Vocabulary:
    """Return the vocabulary of a loaded model; its tokenizer needs the model to stay loaded."""
    vocab = native.llama_model_get_vocab(model.pointer)
    size = native.llama_vocab_n_tokens(vocab)
    spellings = tuple(_spelling(native, vocab, token) for token in range(size))
    eos_ids = frozenset(t for t in range(size) if native.llama_vocab_is_eog(vocab, t))
    eos, bos = native.llama_vocab_eos(vocab), native.llama_vocab_bos(vocab)
    return Vocabulary(
        spellings=spellings,
        eos_ids=eos_ids,
        special_ids=frozenset(
            t for t in range(size) if _is_special(native, vocab, t, spellings[t])
        ),
        eos_id=eos if eos in eos_ids else min(eos_ids, default=0),
        bos_id=bos if bos >= 0 else None,
        adds_bos=bool(native.llama_vocab_get_add_bos(vocab)),
        tokenize_bytes=_Tokenizer(native, model, spellings),
    )


def _spelling(native: ModuleType, vocab: Handle, token: TokenId) -> bytes:
    size = 64
    while True:
        buffer = ctypes.create_string_buffer(size)
        n_bytes = native.llama_token_to_piece(vocab, token, buffer, size, 0, True)
        if n_bytes >= 0:
            return bytes(buffer.raw[:n_bytes])
        size = -n_bytes


def _is_special(native: ModuleType, vocab: Handle, token: TokenId, spelling: bytes) -> bool:
    attributes = native.llama_vocab_get_attr(vocab, token)
    if attributes & (native.LLAMA_TOKEN_ATTR_CONTROL | native.LLAMA_TOKEN_ATTR_UNKNOWN):
        return True
    # Some models declare their control tokens as user-defined ones; ordinary text in that class
    # (runs of spaces, say) does not look like a tag.
    is_tag = spelling.startswith(b"<") and spelling.endswith(b">")
    return bool(attributes & native.LLAMA_TOKEN_ATTR_USER_DEFINED) and is_tag


class _Tokenizer:
    """llama.cpp's tokenizer, without the space that SentencePiece models put before a text."""

    def __init__(self, native: ModuleType, model: Owned, spellings: tuple[bytes, ...]) -> None:
        self._native, self._model, self._spellings = native, model, spellings

    def __call__(self, text: bytes, *, parse_special: bool) -> list[TokenId]:
        tokens = self._tokenize(text, parse_special=parse_special)
        if self._spell(tokens) != b" " + text:
            return tokens
        # A text that follows another has no such space: put one before it and take that off.
        before = self._tokenize(b"\n", parse_special=False)
        following = self._tokenize(b"\n" + text, parse_special=parse_special)
        is_apart = following[: len(before)] == before
        return following[len(before) :] if is_apart else tokens

    def _tokenize(self, text: bytes, *, parse_special: bool) -> list[TokenId]:
        size = len(text) + 8
        buffer = (ctypes.c_int32 * size)()
        vocab = self._native.llama_model_get_vocab(self._model.pointer)

        def work() -> int:
            n_tokens: int = self._native.llama_tokenize(
                vocab, text, len(text), buffer, size, False, parse_special
            )
            return n_tokens

        n_tokens = work() if len(text) <= _SHORT else _on_deep_stack(work, n_bytes=len(text))
        if n_tokens < 0:
            raise BackendError(f"llama_tokenize needs {-n_tokens} tokens for {len(text)} bytes")
        return list(buffer[:n_tokens])

    def _spell(self, tokens: list[TokenId]) -> bytes:
        return b"".join(self._spellings[token] for token in tokens)


def _on_deep_stack(work: Callable[[], _Result], *, n_bytes: int) -> _Result:
    """Return what `work` returns for a text of `n_bytes`, run where it may recurse for each byte.

    llama.cpp finds the words of a text with std::regex, which takes about 400 bytes of stack for
    each letter of a word.

    Raises:
        PromptError: the system has no room for such a stack.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="llama_tokenize") as pool:
        with _STACK_TURN:
            usual = threading.stack_size()
            try:
                threading.stack_size((1024 * n_bytes // _STACK_STEP + 1) * _STACK_STEP)
                future = pool.submit(work)
            except (RuntimeError, ValueError) as error:
                raise PromptError(
                    f"a text of {n_bytes} bytes is too long for llama.cpp's tokenizer on this"
                    f" machine ({error}); shorten the text"
                ) from error
            finally:
                threading.stack_size(usual)
        return future.result()
