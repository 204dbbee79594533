"""The vocabulary of a GGUF file, and llama.cpp's tokenizer for it."""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import TYPE_CHECKING

from steer_engine.backends.llamacpp_model import Handle, Owned, bindings, load_model
from steer_engine.errors import BackendError
from steer_engine.vocabulary import TokenId, Vocabulary

if TYPE_CHECKING:
    from types import ModuleType


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
        n_tokens = self._native.llama_tokenize(
            vocab, text, len(text), buffer, size, False, parse_special
        )
        if n_tokens < 0:
            raise BackendError(f"llama_tokenize needs {-n_tokens} tokens for {len(text)} bytes")
        return list(buffer[:n_tokens])

    def _spell(self, tokens: list[TokenId]) -> bytes:
        return b"".join(self._spellings[token] for token in tokens)
