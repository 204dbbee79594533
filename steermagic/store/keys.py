"""Which question an answer belongs to: a hash of everything that decides what the answer is.

Answers are stored under that and some bytes of their own, as a question may get several.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import astuple
from functools import lru_cache
from typing import TypeAlias

from steer_engine import Request, Schema, TextForm
from steermagic.version import __version__

Key: TypeAlias = bytes
"""SHA-256 of a question. Equal keys: the same model is asked the same in the same way."""

N_KEY_BYTES = 32
_N_OWN_BYTES = 8


def answer_key(request: Request, *, fingerprint: str) -> Key:
    """Return the key of the answer that the model of that `fingerprint` gives to `request`.

    What has no part in the answer has none in the key: without a temperature that is the sampling,
    and the row's number. The version is in it because another one may answer otherwise.
    """
    sampling = request.sampling
    is_drawn = sampling.temperature > 0
    question = (
        __version__,
        fingerprint,
        [(message.role, message.content) for message in request.messages],
        _form_key(request.schema),
        (*astuple(sampling), request.row) if is_drawn else None,
        request.max_tokens,
        request.n_thoughts,
        request.inputs,
    )
    # Escaped, so that half a surrogate pair has a spelling as well.
    return hashlib.sha256(json.dumps(question).encode()).digest()


def own_key(key: Key, answer: Sequence[object]) -> bytes:
    """Return what an `answer` to the question `key` is stored under; equal ones are stored once."""
    return key + hashlib.sha256(json.dumps(answer).encode()).digest()[:_N_OWN_BYTES]


def range_of(key: Key) -> tuple[bytes, bytes]:
    """Return between what all answers to the question `key` are stored, the end excluded.

    Older stores have the bare key: there was one answer to a question.
    """
    return key, key + b"\xff" * (_N_OWN_BYTES + 1)


@lru_cache(maxsize=64)
def _form_key(asked: Schema | TextForm | None) -> str:
    text = asked.text if isinstance(asked, Schema) else repr(asked)
    return f"{type(asked).__name__} {hashlib.sha256(ascii(text).encode()).hexdigest()}"
