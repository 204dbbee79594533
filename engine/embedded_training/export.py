"""Writes a checkpoint as GGUF (llama.cpp) and as a folder of Hugging Face files (MLX).

``python -m embedded_training.export CHECKPOINT --gguf FILE --hf FOLDER``
"""

import argparse
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from gguf import (
    GGMLQuantizationType,
    GGUFReader,
    GGUFWriter,
    LlamaFileType,
    TokenType,
    quants,
)
from numpy.typing import NDArray
from safetensors.numpy import save_file
from torch import Tensor

from embedded_training.network import NetworkShape
from embedded_training.tokenizer import END, PAD, SPECIALS, TOKENIZER_FILE

NAME = "steermagic-tiny"
LICENCE = "apache-2.0"
DESCRIPTION = "Schema-steered extraction; layers of SmolLM2-135M trained on synthetic texts"
CHAT_TEMPLATE = (
    "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
# Splits at letter runs with the blank before them and, unlike GPT-2's rule, knows no English
# contractions. The merges stay inside these, so a rule that keeps them together is right.
PRE_TOKENIZER = "deepseek-coder"

_GGUF_NAMES = {
    "q": "attn_q",
    "k": "attn_k",
    "v": "attn_v",
    "o": "attn_output",
    "gate": "ffn_gate",
    "up": "ffn_up",
    "down": "ffn_down",
}
_HF_NAMES = {
    "q": "self_attn.q_proj",
    "k": "self_attn.k_proj",
    "v": "self_attn.v_proj",
    "o": "self_attn.o_proj",
    "gate": "mlp.gate_proj",
    "up": "mlp.up_proj",
    "down": "mlp.down_proj",
}

Weights = Mapping[str, Tensor]


def read_checkpoint(path: Path) -> tuple[NetworkShape, Weights]:
    """Return the shape and the weights of a training checkpoint."""
    stored = torch.load(path, map_location="cpu", weights_only=True)
    return NetworkShape(**stored["shape"]), stored["network"]


def shape_of(path: Path) -> NetworkShape:
    """Return the sizes that a GGUF file states."""
    fields = GGUFReader(path).fields

    def stated(name: str) -> float:
        value: float = fields[f"llama.{name}"].contents()
        return value

    return NetworkShape(
        vocabulary_size=int(stated("vocab_size")),
        width=int(stated("embedding_length")),
        n_layers=int(stated("block_count")),
        n_heads=int(stated("attention.head_count")),
        n_kv_heads=int(stated("attention.head_count_kv")),
        hidden_width=int(stated("feed_forward_length")),
        max_tokens=int(stated("context_length")),
        rope_base=stated("rope.freq_base"),
        norm_epsilon=stated("attention.layer_norm_rms_epsilon"),
    )


def read_gguf(path: Path) -> dict[str, Tensor]:
    """Return the weights of a Llama with tied embeddings, named as in a checkpoint.

    The gains of the norms in the layers become a part of the matrices that follow them.
    """
    tensors = {
        tensor.name.removesuffix(".weight"): torch.from_numpy(
            quants.dequantize(tensor.data, tensor.tensor_type).astype(np.float32)
        )
        for tensor in GGUFReader(path).tensors
    }
    weights = {"embedding": tensors["token_embd"], "output_gain": tensors["output_norm"]}
    for layer in range(shape_of(path).n_layers):
        part = {name: tensors[f"blk.{layer}.{gguf}"] for name, gguf in _GGUF_NAMES.items()}
        prefix = f"blocks.{layer}."
        qkv = torch.cat([part[name] for name in "qkv"])
        gate_up = torch.cat([part["gate"], part["up"]])
        weights[prefix + "qkv"] = qkv * tensors[f"blk.{layer}.attn_norm"]
        weights[prefix + "attention_out"] = part["o"]
        weights[prefix + "gate_up"] = gate_up * tensors[f"blk.{layer}.ffn_norm"]
        weights[prefix + "down"] = part["down"]
    return weights


def blended(weights: Weights, others: Weights, share: float) -> dict[str, Tensor]:
    """Return `weights` with a share of others, from which they were trained further.

    What the last run forgot comes back, what it learnt stays (Wortsman et al., "Robust fine-tuning
    of zero-shot models", 2022).
    """
    return {
        name: (1 - share) * tensor.float() + share * others[name].float()
        for name, tensor in weights.items()
    }


def layer_matrices(
    shape: NetworkShape, weights: Weights
) -> Iterator[tuple[int, dict[str, Tensor]]]:
    """Yield each layer's number and its matrices, the fused ones taken apart."""
    for layer in range(shape.n_layers):
        prefix = f"blocks.{layer}."
        q, k, v = torch.split(weights[prefix + "qkv"], list(shape.qkv_widths))
        gate, up = weights[prefix + "gate_up"].chunk(2)
        yield (
            layer,
            {
                "q": q,
                "k": k,
                "v": v,
                "o": weights[prefix + "attention_out"],
                "gate": gate,
                "up": up,
                "down": weights[prefix + "down"],
            },
        )


def write_gguf(path: Path, shape: NetworkShape, weights: Weights, *, quantization: str) -> None:
    """Write one file for llama.cpp; `quantization` is F32, F16 or Q8_0."""
    part = path.with_suffix(".part")
    writer = GGUFWriter(str(part), "llama")
    _add_description(writer, shape, quantization)
    _add_tokenizer(writer)
    kind = GGMLQuantizationType[quantization]
    ones = torch.ones(shape.width)
    _add_tensor(writer, "token_embd.weight", weights["embedding"], kind)
    _add_tensor(writer, "output_norm.weight", weights["output_gain"], kind)
    for layer, matrices in layer_matrices(shape, weights):
        _add_tensor(writer, f"blk.{layer}.attn_norm.weight", ones, kind)
        _add_tensor(writer, f"blk.{layer}.ffn_norm.weight", ones, kind)
        for name, matrix in matrices.items():
            _add_tensor(writer, f"blk.{layer}.{_GGUF_NAMES[name]}.weight", matrix, kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    part.replace(path)  # a reader never sees half a file


def _add_description(writer: GGUFWriter, shape: NetworkShape, quantization: str) -> None:
    writer.add_name(NAME)
    writer.add_description(DESCRIPTION)
    writer.add_license(LICENCE)
    writer.add_base_model_count(1)
    writer.add_base_model_name(0, "SmolLM2-135M-Instruct")
    writer.add_base_model_organization(0, "HuggingFaceTB")
    writer.add_context_length(shape.max_tokens)
    writer.add_embedding_length(shape.width)
    writer.add_block_count(shape.n_layers)
    writer.add_feed_forward_length(shape.hidden_width)
    writer.add_head_count(shape.n_heads)
    writer.add_head_count_kv(shape.n_kv_heads)
    writer.add_layer_norm_rms_eps(shape.norm_epsilon)
    writer.add_rope_dimension_count(shape.head_width)
    writer.add_rope_freq_base(shape.rope_base)
    writer.add_vocab_size(shape.vocabulary_size)
    file_types = {
        "F32": LlamaFileType.ALL_F32,
        "F16": LlamaFileType.MOSTLY_F16,
        "Q8_0": LlamaFileType.MOSTLY_Q8_0,
    }
    writer.add_file_type(file_types[quantization])
    writer.add_quantization_version(2)


def _add_tokenizer(writer: GGUFWriter) -> None:
    model = json.loads(TOKENIZER_FILE.read_text(encoding="utf-8"))["model"]
    tokens = sorted(model["vocab"], key=model["vocab"].__getitem__)
    kinds = [TokenType.CONTROL if token in SPECIALS else TokenType.NORMAL for token in tokens]
    merges = [pair if isinstance(pair, str) else " ".join(pair) for pair in model["merges"]]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(PRE_TOKENIZER)
    writer.add_token_list(tokens)
    writer.add_token_types(kinds)
    writer.add_token_merges(merges)
    writer.add_eos_token_id(END)
    writer.add_eot_token_id(END)
    writer.add_pad_token_id(PAD)
    writer.add_add_bos_token(value=False)
    writer.add_add_eos_token(value=False)
    writer.add_chat_template(CHAT_TEMPLATE)


def _add_tensor(writer: GGUFWriter, name: str, tensor: Tensor, kind: GGMLQuantizationType) -> None:
    array: NDArray[np.float32] = np.ascontiguousarray(tensor.float().numpy())
    if array.ndim == 1 or kind == GGMLQuantizationType.F32:
        writer.add_tensor(name, array)
    elif kind == GGMLQuantizationType.F16:
        writer.add_tensor(name, array.astype(np.float16))
    else:
        writer.add_tensor(name, quants.quantize(array, kind), raw_dtype=kind)


def write_hugging_face(folder: Path, shape: NetworkShape, weights: Weights) -> None:
    """Write the files that transformers and mlx-lm read, in float32: no weight is rounded."""
    folder.mkdir(parents=True, exist_ok=True)
    arrays = {
        name: np.ascontiguousarray(tensor.to(torch.float32).numpy())
        for name, tensor in _hugging_face_tensors(shape, weights)
    }
    save_file(arrays, folder / "model.safetensors", metadata={"format": "mlx"})
    tokenizer = TOKENIZER_FILE.read_text(encoding="utf-8")
    (folder / "tokenizer.json").write_text(tokenizer, encoding="utf-8")
    _write_json(folder / "config.json", _model_config(shape))
    _write_json(folder / "tokenizer_config.json", _tokenizer_config(shape))


def _hugging_face_tensors(shape: NetworkShape, weights: Weights) -> Iterator[tuple[str, Tensor]]:
    ones = torch.ones(shape.width)
    yield "model.embed_tokens.weight", weights["embedding"]
    yield "model.norm.weight", weights["output_gain"]
    for layer, matrices in layer_matrices(shape, weights):
        prefix = f"model.layers.{layer}."
        yield prefix + "input_layernorm.weight", ones
        yield prefix + "post_attention_layernorm.weight", ones
        heads = {"q": shape.n_heads, "k": shape.n_kv_heads}
        for name, matrix in matrices.items():
            tensor = half_split(matrix, heads[name]) if name in heads else matrix
            yield f"{prefix}{_HF_NAMES[name]}.weight", tensor


def half_split(matrix: Tensor, n_heads: int) -> Tensor:
    """Reorder rows: here a rotary pair is two neighbours, there it is half a head apart."""
    pairs = matrix.view(n_heads, -1, 2, matrix.shape[1])
    return pairs.transpose(1, 2).reshape(matrix.shape)


def _model_config(shape: NetworkShape) -> dict[str, Any]:
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_size": shape.width,
        "intermediate_size": shape.hidden_width,
        "num_hidden_layers": shape.n_layers,
        "num_attention_heads": shape.n_heads,
        "num_key_value_heads": shape.n_kv_heads,
        "head_dim": shape.head_width,
        "rms_norm_eps": shape.norm_epsilon,
        "vocab_size": shape.vocabulary_size,
        "max_position_embeddings": shape.max_tokens,
        "rope_theta": shape.rope_base,
        "tie_word_embeddings": True,
        "attention_bias": False,
        "mlp_bias": False,
        "hidden_act": "silu",
        "bos_token_id": None,
        "eos_token_id": END,
        "pad_token_id": PAD,
        "torch_dtype": "float32",
    }


def _tokenizer_config(shape: NetworkShape) -> dict[str, Any]:
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "eos_token": SPECIALS[END],
        "pad_token": SPECIALS[PAD],
        "clean_up_tokenization_spaces": False,
        "add_bos_token": False,
        "chat_template": CHAT_TEMPLATE,
        "model_max_length": shape.max_tokens,
    }


def _write_json(path: Path, value: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")


def main() -> None:
    """Export with the options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--gguf", type=Path, help="file to write")
    parser.add_argument("--quantization", choices=("F32", "F16", "Q8_0"), default="Q8_0")
    parser.add_argument("--hf", type=Path, help="folder to write")
    parser.add_argument(
        "--blend-with",
        type=Path,
        metavar="GGUF",
        help="weights that the run began with, of which a share is mixed in",
    )
    parser.add_argument("--blend-share", type=float, default=0.4)
    arguments = parser.parse_args()
    shape, weights = read_checkpoint(arguments.checkpoint)
    if arguments.blend_with:
        weights = blended(weights, read_gguf(arguments.blend_with), arguments.blend_share)
    if arguments.gguf:
        write_gguf(arguments.gguf, shape, weights, quantization=arguments.quantization)
    if arguments.hf:
        write_hugging_face(arguments.hf, shape, weights)


if __name__ == "__main__":
    main()
