"""What GGUF files say about a model."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from steer_engine.catalogue.facts import ModelFacts, ModelShape
from steer_engine.catalogue.gguf import GgufHeader, LongArray, MetadataValue, Tensor, read_gguf
from steer_engine.catalogue.tensor_types import FILE_TYPES
from steer_engine.errors import ModelError

_LAYER = re.compile(r"blk\.(\d{1,5})\.")
_OUTPUT = ("output.", "output_norm.")
_INPUT = -2
_HALF = 2  # bytes of a 16-bit float
_FLOAT = 4
_MAX_LAYERS = 2**12


def read_gguf_facts(parts: Sequence[Path]) -> ModelFacts:
    """Return what the files say that one model is split into, in order.

    Raises:
        ModelError: one is no GGUF file, is damaged or not whole, or cannot be read.
    """
    headers = [read_gguf_file(part) for part in parts]
    return gguf_facts(headers, parts[0].stem, size_bytes=sum(map(_size, parts)))


def read_gguf_file(path: Path) -> GgufHeader:
    """Return the header of the file at `path`.

    Raises:
        ModelError: it is no GGUF file, is damaged or not whole, or cannot be read.
    """
    try:
        with path.open("rb") as file:
            return read_gguf(file, str(path), n_bytes=_size(path))
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror}") from error


def _size(path: Path) -> int:
    return path.stat().st_size


def gguf_facts(headers: Sequence[GgufHeader], name: str, *, size_bytes: int) -> ModelFacts:
    """Return what the headers of a model's files say; `name` is used where they say none.

    Raises:
        ModelError: a number in them cannot be true.
    """
    metadata = _Metadata(headers[0].metadata)
    tensors = [tensor for header in headers for tensor in header.tensors]
    return ModelFacts(
        name=metadata.text("general.name") or name,
        architecture=metadata.architecture or "unknown",
        quantization=_quantization(metadata, tensors),
        n_params=sum(tensor.n_weights for tensor in tensors),
        size_bytes=size_bytes,
        context_length=metadata.whole("context_length"),
        vocab_size=_vocab_size(metadata),
        shape=_shape(metadata, tensors),
    )


def _quantization(metadata: _Metadata, tensors: Iterable[Tensor]) -> str:
    stated = metadata.values.get("general.file_type")
    if isinstance(stated, int) and stated in FILE_TYPES:
        return FILE_TYPES[stated]
    sizes = Counter[str]()
    for tensor in tensors:
        sizes[tensor.type_name] += tensor.n_bytes
    return sizes.most_common(1)[0][0] if sizes else "unknown"


def _vocab_size(metadata: _Metadata) -> int:
    tokens = metadata.values.get("tokenizer.ggml.tokens")
    if isinstance(tokens, LongArray):
        return tokens.n_items
    return len(tokens) if isinstance(tokens, tuple) else metadata.whole("vocab_size")


def _shape(metadata: _Metadata, tensors: Sequence[Tensor]) -> ModelShape:
    n_layers = metadata.whole("block_count")
    if n_layers > _MAX_LAYERS:
        raise ModelError(f"a model of {n_layers} layers cannot be; fetch the file again")
    width = metadata.whole("embedding_length")
    heads = metadata.per_layer("attention.head_count", n_layers)
    kv_heads = metadata.per_layer("attention.head_count_kv", n_layers, default=heads)
    n_heads = max(heads, default=0)
    head_width = width // n_heads if n_heads else 0
    key, value = (metadata.whole(f"attention.{n}_length", head_width) for n in ("key", "value"))
    is_tied = not any(tensor.name == "output.weight" for tensor in tensors)
    by_layer, by_type = Counter[int](), Counter[str]()
    for tensor in tensors:
        layer = _layer_of(tensor)
        by_layer[layer] += tensor.n_bytes
        if layer != _INPUT or is_tied:  # then it is the output as well
            by_type[tensor.type_name] += tensor.n_bytes
    feed_forward = max(metadata.per_layer("feed_forward_length", n_layers), default=0)
    n_experts = metadata.whole("expert_used_count")
    return ModelShape(
        layer_bytes=tuple(by_layer[n] for n in range(n_layers)),
        input_bytes=sum(n for layer, n in by_layer.items() if layer not in range(-1, n_layers)),
        output_bytes=by_layer[-1],
        cache_bytes=tuple(_HALF * n * (key + value) for n in kv_heads),
        state_bytes=_state_bytes(metadata, kv_heads),
        bytes_by_type=by_type,
        width=width,
        n_heads=n_heads,
        query_width=n_heads * key,
        key_width=max(kv_heads, default=0) * (key + value) // 2,
        feed_forward_width=metadata.whole("expert_feed_forward_length", feed_forward)
        if n_experts
        else feed_forward,
        n_experts=n_experts,
        has_window=metadata.whole("attention.sliding_window") > 0,
    )


def _layer_of(tensor: Tensor) -> int:
    """Return the layer that a tensor belongs to; -1 is the output, -2 the input."""
    found = _LAYER.match(tensor.name)
    if found is not None:
        return int(found[1])
    return -1 if tensor.name.startswith(_OUTPUT) else _INPUT


def _state_bytes(metadata: _Metadata, kv_heads: Sequence[int]) -> int:
    """Return what a slot's state takes in the layers that are recurrent: those without a cache."""
    inner, states = metadata.whole("ssm.inner_size"), metadata.whole("ssm.state_size")
    groups, window = metadata.whole("ssm.group_count"), metadata.whole("ssm.conv_kernel")
    convolved = max(0, window - 1) * (inner + 2 * groups * states)
    n_recurrent = sum(n == 0 for n in kv_heads)
    return n_recurrent * _FLOAT * (convolved + states * inner)


class _Metadata:
    """The keys of one architecture, and numbers where numbers must be."""

    def __init__(self, values: Mapping[str, MetadataValue]) -> None:
        self.values = values
        self.architecture = self.text("general.architecture")

    def text(self, key: str) -> str:
        value = self.values.get(key)
        return value if isinstance(value, str) else ""

    def whole(self, key: str, default: int = 0) -> int:
        return max(self.per_layer(key, 1, default=(default,)))

    def per_layer(self, key: str, n_layers: int, default: Sequence[int] = ()) -> tuple[int, ...]:
        """Return a number for each layer, also where the file gives one for all."""
        value = self.values.get(f"{self.architecture}.{key}")
        given = value if isinstance(value, tuple) else (value,)
        numbers = tuple(n for n in given if isinstance(n, int) and 0 <= n < 2**40)
        if not numbers:
            return tuple(default)
        return numbers * n_layers if len(numbers) == 1 else numbers
