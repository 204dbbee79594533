"""The header of a GGUF file: metadata and the table of tensors, read without trusting it.

Every length in the file is checked against what is left of the file and against limits that no real
model comes near, before anything of that length is read or kept. A hostile file costs little time
and memory; a truncated one is told from a whole one.
"""

from __future__ import annotations

import math
import struct
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO, Final, TypeAlias

from steer_engine.catalogue.tensor_types import TENSOR_TYPES
from steer_engine.errors import ModelError

MAGIC: Final = b"GGUF"
_VERSIONS = (2, 3)
_MAX_HEADER = 2**26  # bytes; the largest vocabularies take some 20 MB
_MAX_STRINGS = 2**21  # in arrays; the largest vocabularies have a million, merges included
_MAX_KEYS, _MAX_TENSORS = 2**14, 2**16
_MAX_NAME = 2**10  # bytes
_MAX_KEPT_TEXT, _MAX_KEPT_ITEMS = 2**16, 2**10  # longer values are skipped
_MAX_DIMENSIONS = 4
_BLOCK = 2**18  # bytes that are read at a time

_SCALARS = {
    code: struct.Struct(f"<{form}")
    for code, form in {
        0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d",
    }.items()
}  # fmt: skip
_STRING, _ARRAY = 8, 9
_U32, _U64 = struct.Struct("<I"), struct.Struct("<Q")


@dataclass(frozen=True, slots=True)
class LongArray:
    """Stands for an array that is not kept, as a vocabulary is not."""

    n_items: int


MetadataValue: TypeAlias = int | float | bool | str | tuple[int | float | bool, ...] | LongArray


@dataclass(frozen=True, slots=True)
class Tensor:
    """One row of the table. `n_bytes` is what its weights take."""

    name: str
    shape: tuple[int, ...]
    type_name: str
    n_bytes: int

    @property
    def n_weights(self) -> int:
        """How many numbers it has."""
        return math.prod(self.shape)


@dataclass(frozen=True, slots=True)
class GgufHeader:
    """What a GGUF file says before its weights. `n_bytes` is how long the whole file must be."""

    metadata: Mapping[str, MetadataValue]
    tensors: tuple[Tensor, ...]
    n_bytes: int


def read_gguf(file: BinaryIO, name: str, *, n_bytes: int) -> GgufHeader:
    """Return the header of `file`, which is `n_bytes` long and is called `name` in errors.

    Raises:
        ModelError: it is no GGUF file, its header is damaged, or the file is not whole.
        OSError: it cannot be read.
    """
    reader = _Reader(file, name, n_bytes=n_bytes)
    if reader.take(len(MAGIC)) != MAGIC:
        raise ModelError(f"{name} is not a GGUF file; llama.cpp models end in .gguf")
    version = reader.number(_U32)
    if version not in _VERSIONS:
        raise ModelError(f"{name} has GGUF version {version}, which is not known; convert it again")
    n_tensors, n_keys = reader.number(_U64), reader.number(_U64)
    reader.check(n_tensors <= _MAX_TENSORS, f"{n_tensors} tensors")
    reader.check(n_keys <= _MAX_KEYS, f"{n_keys} keys")
    metadata = {reader.text(_MAX_NAME): _value(reader) for _ in range(n_keys)}
    located = [_tensor(reader) for _ in range(n_tensors)]
    end = _padded(reader.position, _alignment(reader, metadata))
    tensors = tuple(_sized(located, max(0, n_bytes - end)))
    n_needed = max(
        (end + each.offset + tensor.n_bytes for each, tensor in zip(located, tensors, strict=True)),
        default=end,
    )
    if n_needed > n_bytes and tensors:
        raise ModelError(
            f"{name} is not whole: it has {n_bytes:,} of {n_needed:,} bytes; fetch it again"
        )
    return GgufHeader(metadata, tensors, n_needed)


@dataclass(frozen=True, slots=True)
class _Row:
    name: str
    shape: tuple[int, ...]
    code: int
    offset: int


def _tensor(reader: _Reader) -> _Row:
    name = reader.text(_MAX_NAME)
    n_dimensions = reader.number(_U32)
    reader.check(n_dimensions <= _MAX_DIMENSIONS, f"{n_dimensions} dimensions")
    shape = tuple(reader.number(_U64) for _ in range(n_dimensions))
    reader.check(math.prod(shape) < 2**62, f"a tensor of {math.prod(shape)} weights")
    row = _Row(name, shape, reader.number(_U32), reader.number(_U64))
    reader.check(row.offset < 2**62, f"a tensor at {row.offset}")
    return row


def _sized(rows: Sequence[_Row], n_data: int) -> Iterator[Tensor]:
    """Yield the tensors; one of a type that is too new to be known reaches to the next one."""
    begins = sorted({row.offset for row in rows} | {n_data})
    for row in rows:
        kind = TENSOR_TYPES.get(row.code)
        if kind is not None:
            n_bytes = math.prod(row.shape) // kind.n_weights * kind.n_bytes
            yield Tensor(row.name, row.shape, kind.name, n_bytes)
        else:
            n_next = bisect_right(begins, row.offset)
            end = begins[n_next] if n_next < len(begins) else row.offset
            yield Tensor(row.name, row.shape, f"type {row.code}", end - row.offset)


def _value(reader: _Reader) -> MetadataValue:
    kind = reader.number(_U32)
    if kind == _STRING:
        return reader.text()
    if kind == _ARRAY:
        return _array(reader)
    return reader.scalar(kind)


def _array(reader: _Reader) -> MetadataValue:
    kind, n_items = reader.number(_U32), reader.number(_U64)
    if kind == _STRING:
        reader.skip_strings(n_items)
    else:
        reader.check(kind in _SCALARS, f"arrays of kind {kind}")
        size = _SCALARS[kind].size
        if n_items <= _MAX_KEPT_ITEMS:
            return tuple(reader.scalar(kind) for _ in range(n_items))
        reader.skip(n_items * size)
    return LongArray(n_items)


def _alignment(reader: _Reader, metadata: Mapping[str, MetadataValue]) -> int:
    alignment = metadata.get("general.alignment", 32)
    is_fit = isinstance(alignment, int) and 0 < alignment <= 2**16
    reader.check(is_fit, f"an alignment of {alignment}")
    return int(alignment) if isinstance(alignment, int) else 32


def _padded(position: int, alignment: int) -> int:
    return -(-position // alignment) * alignment


class _Reader:
    """Reads forward in blocks, and never past the end that the file really has."""

    def __init__(self, file: BinaryIO, name: str, *, n_bytes: int) -> None:
        self.name = name
        self._file = file
        self._end = min(n_bytes, _MAX_HEADER)
        self._is_cut = n_bytes < _MAX_HEADER
        self._block = b""
        self._at = 0  # in the block
        self._begin = 0  # of the block, in the file
        self._n_strings = 0

    @property
    def position(self) -> int:
        return self._begin + self._at

    def check(self, is_fine: bool, found: str) -> None:  # noqa: FBT001 - reads like an assertion
        if not is_fine:
            raise ModelError(f"{self.name} has a damaged header ({found}); fetch it again")

    def take(self, n_bytes: int) -> bytes:
        """Return the next `n_bytes`, which are few."""
        self._need(n_bytes)
        self._at += n_bytes
        return self._block[self._at - n_bytes : self._at]

    def skip(self, n_bytes: int) -> None:
        self._check_left(n_bytes)
        if self._at + n_bytes <= len(self._block):
            self._at += n_bytes
            return
        self._begin += self._at + n_bytes
        self._file.seek(self._begin)
        self._block, self._at = b"", 0

    def number(self, form: struct.Struct) -> int:
        return int(form.unpack(self.take(form.size))[0])

    def scalar(self, kind: int) -> int | float | bool:
        self.check(kind in _SCALARS, f"a value of kind {kind}")
        form = _SCALARS[kind]
        value: int | float | bool = form.unpack(self.take(form.size))[0]
        return value

    def text(self, max_bytes: int | None = None) -> str:
        """Return the next string; one that is too long to keep is skipped and empty."""
        n_bytes = self.number(_U64)
        self._check_left(n_bytes)
        if max_bytes is not None:
            self.check(n_bytes <= max_bytes, f"a name of {n_bytes} bytes")
        if n_bytes > _MAX_KEPT_TEXT:
            self.skip(n_bytes)
            return ""
        return self.take(n_bytes).decode("utf-8", "replace")

    def skip_strings(self, n_strings: int) -> None:
        self._n_strings += n_strings
        self.check(self._n_strings <= _MAX_STRINGS, f"{self._n_strings} strings")
        self._check_left(8 * n_strings)
        for _ in range(n_strings):
            self._need(8)
            (n_bytes,) = _U64.unpack_from(self._block, self._at)
            self._at += 8
            if self._at + n_bytes <= len(self._block):
                self._at += n_bytes
            else:
                self.skip(n_bytes)

    def _need(self, n_bytes: int) -> None:
        """Have the next `n_bytes` in the block."""
        if self._at + n_bytes <= len(self._block):
            return
        self._check_left(n_bytes)
        self._begin, kept = self.position, self._block[self._at :]
        n_more = min(max(_BLOCK, n_bytes), self._end - self._begin) - len(kept)
        self._block, self._at = kept + self._file.read(n_more), 0
        if len(self._block) < n_bytes:
            raise self._cut()

    def _check_left(self, n_bytes: int) -> None:
        if n_bytes > self._end - self.position:
            raise self._cut()

    def _cut(self) -> ModelError:
        why = "ends in its header" if self._is_cut else "has a damaged header"
        return ModelError(f"{self.name} {why}: it is no whole GGUF file; fetch it again")
