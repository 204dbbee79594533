"""Write a model of random weights that costs what a real one costs.

    python -m many_rows.half_billion VOCABULARY.gguf OUT.gguf

The shape is that of Qwen2.5-0.5B in Q4_0, the vocabulary and the chat template are those of the
other file. What such a model writes is noise, so the oracle of `watch` says what it shall write.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import gguf
import numpy as np
from gguf import GGMLQuantizationType, GGUFReader, GGUFValueType, GGUFWriter
from numpy.typing import NDArray

_BLOCK = 32  # weights that share a scale
_NIBBLE_STD, _BYTE_STD = 4.6, 73.3  # of equally likely 4-bit and 8-bit integers


@dataclass(frozen=True, slots=True)
class Shape:
    """What decides how much a forward costs."""

    n_layers: int = 24
    width: int = 896
    ffn_width: int = 4864
    n_heads: int = 14
    n_kv_heads: int = 2
    context_length: int = 32768

    @property
    def kv_width(self) -> int:
        return self.width // self.n_heads * self.n_kv_heads


def write_model(out: Path, vocabulary: Path, shape: Shape) -> None:
    """Write the model; the same arguments give the same file."""
    part = out.with_suffix(".part")
    writer = GGUFWriter(part, "qwen2")
    n_tokens = _copy_tokenizer(GGUFReader(vocabulary), writer)
    _describe(writer, shape, n_tokens)
    _add_weights(writer, shape, n_tokens)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    part.rename(out)  # a file that was left half written is never taken for the model


def _copy_tokenizer(source: GGUFReader, writer: GGUFWriter) -> int:
    for name, entry in source.fields.items():
        if not name.startswith("tokenizer."):
            continue
        if entry.types[0] == GGUFValueType.ARRAY:
            writer.add_array(name, entry.contents())
        else:
            writer.add_key_value(name, entry.contents(), entry.types[0])
    return len(source.fields["tokenizer.ggml.tokens"].contents())


def _describe(writer: GGUFWriter, shape: Shape, n_tokens: int) -> None:
    writer.add_name("random-0.5b")
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q4_0)
    writer.add_vocab_size(n_tokens)
    writer.add_block_count(shape.n_layers)
    writer.add_context_length(shape.context_length)
    writer.add_embedding_length(shape.width)
    writer.add_feed_forward_length(shape.ffn_width)
    writer.add_head_count(shape.n_heads)
    writer.add_head_count_kv(shape.n_kv_heads)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_rope_freq_base(1e6)


def _add_weights(writer: GGUFWriter, shape: Shape, n_tokens: int) -> None:
    rng = np.random.default_rng(0)
    ones, width, ffn = np.ones(shape.width, np.float32), shape.width, shape.ffn_width
    writer.add_tensor(
        "token_embd.weight",  # the output matrix, too
        _q8_0(rng, n_tokens, width, 0.05),
        raw_dtype=GGMLQuantizationType.Q8_0,
    )
    writer.add_tensor("output_norm.weight", ones)
    matrices = {
        "attn_q": (width, width),
        "attn_k": (shape.kv_width, width),
        "attn_v": (shape.kv_width, width),
        "attn_output": (width, width),
        "ffn_gate": (ffn, width),
        "ffn_up": (ffn, width),
        "ffn_down": (width, ffn),
    }
    for layer in (f"blk.{i}." for i in range(shape.n_layers)):
        for name in ("attn_norm", "ffn_norm"):
            writer.add_tensor(f"{layer}{name}.weight", ones)
        for name in ("attn_q", "attn_k", "attn_v"):
            bias = np.zeros(matrices[name][0], np.float32)
            writer.add_tensor(f"{layer}{name}.bias", bias)
        for name, (n_rows, n_columns) in matrices.items():
            data = _q4_0(rng, n_rows, n_columns, n_columns**-0.5)
            writer.add_tensor(f"{layer}{name}.weight", data, raw_dtype=GGMLQuantizationType.Q4_0)


def _q4_0(rng: np.random.Generator, n_rows: int, n_columns: int, std: float) -> NDArray[np.uint8]:
    """Return random blocks of a 16-bit scale and 32 nibbles, shape ``(n_rows, bytes)``."""
    return _blocks(rng, n_rows, n_columns, scale=std / _NIBBLE_STD, n_bytes=_BLOCK // 2)


def _q8_0(rng: np.random.Generator, n_rows: int, n_columns: int, std: float) -> NDArray[np.uint8]:
    """Return random blocks of a 16-bit scale and 32 bytes, shape ``(n_rows, bytes)``."""
    return _blocks(rng, n_rows, n_columns, scale=std / _BYTE_STD, n_bytes=_BLOCK)


def _blocks(
    rng: np.random.Generator, n_rows: int, n_columns: int, *, scale: float, n_bytes: int
) -> NDArray[np.uint8]:
    blocks = rng.integers(0, 256, (n_rows, n_columns // _BLOCK, 2 + n_bytes), dtype=np.uint8)
    blocks[:, :, :2] = np.array([scale], np.float16).view(np.uint8)
    return blocks.reshape(n_rows, -1)


if __name__ == "__main__":
    write_model(Path(sys.argv[2]), Path(sys.argv[1]), Shape())
