"""Which question an answer belongs to: a hash of everything that decides what the answer is."""

from __future__ import annotations

import hashlib
import json
from dataclasses import astuple
from functools import lru_cache
from typing import TypeAlias

from steer_engine import Request, Schema, TextForm
from steermagic.version import __version__

Key: TypeAlias = bytes
"""SHA-256, 32 bytes. Equal keys: the same model is asked the same in the same way."""


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


@lru_cache(maxsize=64)
def _form_key(asked: Schema | TextForm | None) -> str:
    text = asked.text if isinstance(asked, Schema) else repr(asked)
    return f"{type(asked).__name__} {hashlib.sha256(ascii(text).encode()).hexdigest()}"
