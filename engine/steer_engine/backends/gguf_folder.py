"""The embedded model as a folder, for the backends that read no GGUF.

It is written anew each time: that takes less than a second, and nothing can be out of date.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from gguf import GGUFReader

_PARTS = {
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
_WHOLE = {"token_embd": "model.embed_tokens", "output_norm": "model.norm"}
_CONTROL = 3  # a token's type in GGUF
# Merges never leave a run of ASCII letters and the blank before it, so this cuts as the model was
# trained.
_LETTER_RUNS = " ?[A-Za-z]+|[^A-Za-z]"


def write_folder(gguf: Path, folder: Path) -> None:
    """Write the embedded model's file as a folder that mlx-lm and transformers read, in float32."""
    from gguf import GGUFReader
    from safetensors.numpy import save_file

    reader = GGUFReader(gguf)
    folder.mkdir(parents=True, exist_ok=True)
    save_file(dict(_tensors(reader)), folder / "model.safetensors", metadata={"format": "pt"})
    for name, settings in {
        "config.json": _config(reader),
        "tokenizer_config.json": _tokenizer_config(reader),
        "tokenizer.json": _tokenizer(reader),
    }.items():
        (folder / name).write_text(json.dumps(settings, ensure_ascii=False), encoding="utf-8")


def _field(reader: GGUFReader, name: str) -> Any:  # noqa: ANN401 - as the file has it
    return reader.fields[name].contents()


def _tensors(reader: GGUFReader) -> Iterator[tuple[str, NDArray[np.float32]]]:
    from gguf.quants import dequantize

    n_heads = {
        "attn_q": _field(reader, "llama.attention.head_count"),
        "attn_k": _field(reader, "llama.attention.head_count_kv"),
    }
    for tensor in reader.tensors:
        name = tensor.name.removesuffix(".weight")
        weights = dequantize(tensor.data, tensor.tensor_type).astype(np.float32)
        if name in _WHOLE:
            yield f"{_WHOLE[name]}.weight", weights
            continue
        _, layer, part = name.split(".")
        if part in n_heads:
            weights = _half_split(weights, n_heads[part])
        yield f"model.layers.{layer}.{_PARTS[part]}.weight", weights


def _half_split(matrix: NDArray[np.float32], n_heads: int) -> NDArray[np.float32]:
    """Reorder rows: in GGUF a rotary pair is two neighbours, here it is half a head apart."""
    pairs = matrix.reshape(n_heads, -1, 2, matrix.shape[1])
    return np.ascontiguousarray(pairs.swapaxes(1, 2)).reshape(matrix.shape)


def _config(reader: GGUFReader) -> Mapping[str, object]:
    def stated(name: str) -> object:
        return _field(reader, f"llama.{name}")

    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_size": stated("embedding_length"),
        "intermediate_size": stated("feed_forward_length"),
        "num_hidden_layers": stated("block_count"),
        "num_attention_heads": stated("attention.head_count"),
        "num_key_value_heads": stated("attention.head_count_kv"),
        "head_dim": stated("rope.dimension_count"),
        "rms_norm_eps": stated("attention.layer_norm_rms_epsilon"),
        "vocab_size": stated("vocab_size"),
        "max_position_embeddings": stated("context_length"),
        "rope_theta": stated("rope.freq_base"),
        "tie_word_embeddings": True,
        "eos_token_id": _field(reader, "tokenizer.ggml.eos_token_id"),
        "dtype": "float32",
    }


def _tokenizer_config(reader: GGUFReader) -> Mapping[str, object]:
    tokens = _field(reader, "tokenizer.ggml.tokens")
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "eos_token": tokens[_field(reader, "tokenizer.ggml.eos_token_id")],
        "add_bos_token": False,
        "chat_template": _field(reader, "tokenizer.chat_template"),
    }


def _tokenizer(reader: GGUFReader) -> Mapping[str, object]:
    tokens: list[str] = _field(reader, "tokenizer.ggml.tokens")
    kinds: list[int] = _field(reader, "tokenizer.ggml.token_type")
    return {
        "version": "1.0",
        "added_tokens": [
            {
                "id": token,
                "content": tokens[token],
                "single_word": False,
                "lstrip": False,
                "rstrip": False,
                "normalized": False,
                "special": True,
            }
            for token, kind in enumerate(kinds)
            if kind == _CONTROL
        ],
        "normalizer": None,
        "pre_tokenizer": {
            "type": "Sequence",
            "pretokenizers": [
                {
                    "type": "Split",
                    "pattern": {"Regex": _LETTER_RUNS},
                    "behavior": "Isolated",
                    "invert": False,
                },
                {
                    "type": "ByteLevel",
                    "add_prefix_space": False,
                    "trim_offsets": True,
                    "use_regex": False,
                },
            ],
        },
        "post_processor": None,
        "decoder": {
            "type": "ByteLevel",
            "add_prefix_space": True,
            "trim_offsets": True,
            "use_regex": True,
        },
        "model": {
            "type": "BPE",
            "vocab": {spelling: token for token, spelling in enumerate(tokens)},
            "merges": _field(reader, "tokenizer.ggml.merges"),
        },
    }
