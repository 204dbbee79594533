"""A model as a folder, config.json and safetensors: what it says before it is loaded."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

from steer_engine.catalogue.facts import ModelFacts, ModelShape
from steer_engine.catalogue.safetensors import (
    MAX_HEADER,
    Settings,
    StoredTensor,
    parse_settings,
    read_safetensors,
)
from steer_engine.errors import ModelError

CONFIG, TOKENIZER, INDEX = "config.json", "tokenizer.json", "model.safetensors.index.json"
CONTEXT_LENGTH_KEYS = ("max_position_embeddings", "n_positions", "max_seq_len", "seq_length")
_WHOLE = "model.safetensors"
_LAYER = re.compile(r"(?:^|\.)(?:layers|h|blocks)\.(\d{1,5})\.")
_OUTPUT = ("lm_head.", "model.norm.", "norm.")
_HALF = 2  # bytes of a 16-bit float


def is_model_folder(folder: Path) -> bool:
    """Tell whether `folder` has a configuration and weights, and none of them is missing."""
    if not (folder / CONFIG).is_file():
        return False
    try:
        files = weight_files(folder)
    except ModelError:
        return False  # an index that is being written
    return bool(files) and all(file.is_file() for file in files)


def weight_files(folder: Path) -> tuple[Path, ...]:
    """Return the safetensors that a model is loaded from, also those that are missing.

    Raises:
        ModelError: the index of its parts cannot be read.
    """
    index = folder / INDEX
    files = {file.name for file in folder.glob("*")}
    names = weight_names(files, lambda: parts_of(read_settings(index), str(index)))
    return tuple(folder / name for name in names)


def weight_names(files: Collection[str], list_parts: Callable[[], list[str]]) -> list[str]:
    """Return which of the `files` of a folder a model is loaded from.

    `list_parts` reads the index, if it is needed.
    """
    # Other files may hold the same weights again, in the layout of another library.
    if _WHOLE in files:
        return [_WHOLE]
    if INDEX in files:
        return list_parts()
    return sorted(name for name in files if name.endswith(".safetensors") and "/" not in name)


def parts_of(index: Settings, where: str) -> list[str]:
    """Return the names of the files that an index of safetensors lists.

    Raises:
        ModelError: it lists none, or something that is no name of a file in that folder.
    """
    listed = index.get("weight_map")
    names = sorted({str(name) for name in listed.values()}) if isinstance(listed, Mapping) else []
    if not names or any("/" in name or "\\" in name or name.startswith(".") for name in names):
        raise ModelError(f"{where} does not list the files of a model; fetch it again")
    return names


def read_settings(file: Path) -> Settings:
    """Return a JSON object.

    Raises:
        ModelError: the file cannot be read, or is none.
    """
    try:
        with file.open("rb") as opened:
            return parse_settings(opened.read(MAX_HEADER), str(file))
    except OSError as error:
        raise ModelError(f"{file} cannot be read: {error.strerror}") from error


def read_folder_facts(folder: Path) -> ModelFacts:
    """Return what the configuration and the headers of the weights say.

    Raises:
        ModelError: one of them is missing or damaged.
    """
    tensors = [tensor for file in weight_files(folder) for tensor in _read_header(file)]
    return folder_facts(read_settings(folder / CONFIG), tensors, folder.name)


def _read_header(path: Path) -> list[StoredTensor]:
    try:
        with path.open("rb") as file:
            return read_safetensors(file, str(path), n_bytes=path.stat().st_size)
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror}") from error


def folder_facts(config: Settings, tensors: Sequence[StoredTensor], name: str) -> ModelFacts:
    """Return what a configuration and the table of the weights say."""
    nested = config.get("text_config")
    text: Settings = {**config, **nested} if isinstance(nested, Mapping) else config
    n_packed = _packed_bits(config)
    n_params = sum(
        tensor.n_weights * 32 // n_packed if n_packed and tensor.kind == "U32" else tensor.n_weights
        for tensor in tensors
    )
    return ModelFacts(
        name=name,
        architecture=str(text.get("model_type", "unknown")),
        quantization=_quantization(tensors, n_packed),
        n_params=n_params,
        size_bytes=sum(tensor.n_bytes for tensor in tensors),
        context_length=_whole(text, *CONTEXT_LENGTH_KEYS),
        vocab_size=_whole(text, "vocab_size"),
        shape=_shape(text, tensors),
    )


def _packed_bits(config: Settings) -> int:
    """Return the bits a weight that MLX has packed into words; 0 where it has not."""
    mlx = config.get("quantization")
    bits = mlx.get("bits") if isinstance(mlx, Mapping) else 0
    return bits if isinstance(bits, int) and 0 < bits <= 32 else 0


def _quantization(tensors: Sequence[StoredTensor], n_packed: int) -> str:
    if n_packed:
        return f"{n_packed}-bit"
    sizes = Counter[str]()
    for tensor in tensors:
        sizes[tensor.kind] += tensor.n_bytes
    return sizes.most_common(1)[0][0] if sizes else "unknown"


def _shape(text: Settings, tensors: Sequence[StoredTensor]) -> ModelShape:
    n_layers = min(_whole(text, "num_hidden_layers", "n_layer"), 2**12)
    width = _whole(text, "hidden_size", "n_embd")
    n_heads = _whole(text, "num_attention_heads", "n_head")
    n_kv_heads = _whole(text, "num_key_value_heads") or n_heads
    head_width = _whole(text, "head_dim") or (width // n_heads if n_heads else 0)
    by_layer = Counter[int]()
    for tensor in tensors:
        by_layer[_layer_of(tensor.name)] += tensor.n_bytes
    n_experts = _whole(text, "num_experts_per_tok")
    return ModelShape(
        layer_bytes=tuple(by_layer[n] for n in range(n_layers)),
        input_bytes=sum(n for layer, n in by_layer.items() if layer not in range(-1, n_layers)),
        output_bytes=by_layer[-1],
        cache_bytes=(2 * _HALF * n_kv_heads * head_width,) * n_layers,
        state_bytes=0,
        bytes_by_type={},
        width=width,
        n_heads=n_heads,
        query_width=n_heads * head_width,
        key_width=n_kv_heads * head_width,
        feed_forward_width=(_whole(text, "moe_intermediate_size") if n_experts else 0)
        or _whole(text, "intermediate_size", "n_inner"),
        n_experts=n_experts,
    )


def _layer_of(name: str) -> int:
    found = _LAYER.search(name)
    if found is not None:
        return int(found[1])
    return -1 if name.startswith(_OUTPUT) else -2


def _whole(settings: Settings, *keys: str) -> int:
    found = (settings.get(key) for key in keys)
    return next((n for n in found if isinstance(n, int) and 0 < n < 2**40), 0)
