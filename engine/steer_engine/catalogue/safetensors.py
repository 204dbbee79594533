"""The header of a safetensors file, read without trusting it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import BinaryIO, Final, TypeAlias

from steer_engine.errors import ModelError

Settings: TypeAlias = Mapping[str, object]

MAX_HEADER: Final = 2**24
"""Bytes of JSON that are read at most; the largest models have some 100 kB a file."""

_BITS = {
    "F64": 64, "I64": 64, "U64": 64, "F32": 32, "I32": 32, "U32": 32, "F16": 16, "BF16": 16,
    "I16": 16, "U16": 16, "F8_E4M3": 8, "F8_E5M2": 8, "F8_E8M0": 8, "I8": 8, "U8": 8, "BOOL": 8,
    "F4": 4,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class StoredTensor:
    """One entry of a safetensors header."""

    name: str
    kind: str
    n_weights: int
    n_bytes: int


def parse_settings(data: bytes, where: str) -> Settings:
    """Return the JSON object that `data` spells.

    Raises:
        ModelError: it is none.
    """
    try:
        settings = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{where} is not JSON; fetch it again") from error
    if not isinstance(settings, dict):
        raise ModelError(f"{where} is not a JSON object; fetch it again")
    return settings


def read_safetensors(file: BinaryIO, name: str, *, n_bytes: int) -> list[StoredTensor]:
    """Return the table at the beginning of `file`, which is `n_bytes` long.

    Raises:
        ModelError: it is damaged, or the file is not whole.
        OSError: it cannot be read.
    """
    length = int.from_bytes(file.read(8), "little")
    if n_bytes < 8 or not 2 <= length <= min(MAX_HEADER, n_bytes - 8):
        raise ModelError(f"{name} is not a whole safetensors file; fetch it again")
    table = parse_settings(file.read(length), name)
    tensors = [_stored(each, said, name) for each, said in table.items() if each != "__metadata__"]
    if 8 + length + sum(tensor.n_bytes for tensor in tensors) > n_bytes:
        raise ModelError(f"{name} is not whole; fetch it again")
    return tensors


def _stored(tensor: str, said: object, name: str) -> StoredTensor:
    shape = said.get("shape") if isinstance(said, Mapping) else None
    kind = said.get("dtype") if isinstance(said, Mapping) else None
    is_fine = isinstance(shape, list) and all(isinstance(n, int) and n >= 0 for n in shape)
    if not is_fine or not isinstance(shape, list) or kind not in _BITS:
        raise ModelError(f"{name} has a damaged header (at {tensor[:60]!r}); fetch it again")
    n_weights = 1
    for n in shape:
        n_weights = min(n_weights * n, 2**62)
    return StoredTensor(tensor, str(kind), n_weights, n_weights * _BITS[str(kind)] // 8)
