"""A model as a folder, as the Hugging Face hub has it: config.json, safetensors, tokenizer.json."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TypeAlias

from steer_engine.backends import ModelInfo
from steer_engine.catalogue.folders import CONTEXT_LENGTH_KEYS, weight_files
from steer_engine.errors import ModelError

Settings: TypeAlias = Mapping[str, object]

_PICKLED = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl")
_DEFAULT_CONTEXT = 2048
_CACHE_BYTES = 2**30  # of keys and values, for all slots together
_BLOCK, _N_BLOCKS = 2**14, 1024


@dataclass(frozen=True)
class ModelFolder:
    """What the files beside the weights say. Make one with `read_folder`."""

    path: Path
    config: Settings
    tokenizer: Settings  # tokenizer_config.json
    generation: Settings  # generation_config.json
    weights: tuple[Path, ...]
    chat_template: str | None

    @property
    def is_mlx_quantized(self) -> bool:
        """Tell whether the weights are packed as only MLX can read them."""
        return isinstance(self.config.get("quantization"), Mapping)

    @property
    def quantization(self) -> str:
        """How the weights are stored, in a word."""
        mlx, others = self.config.get("quantization"), self.config.get("quantization_config")
        if isinstance(mlx, Mapping):
            return f"{mlx.get('bits')}-bit"
        if isinstance(others, Mapping):
            return str(others.get("quant_method", "quantized"))
        stored = self._text.get("dtype", self._text.get("torch_dtype", self.config.get("dtype")))
        return {"float16": "F16", "bfloat16": "BF16", "float32": "F32"}.get(str(stored), "unknown")

    @cached_property
    def eos_ids(self) -> frozenset[int]:
        """Tokens that end a generation, as far as the two configurations say it."""
        stated = (self.generation.get("eos_token_id"), self._text.get("eos_token_id"))
        ids = [each if isinstance(each, list) else [each] for each in stated]
        return frozenset(token for each in ids for token in each if isinstance(token, int))

    def named_token(self, name: str) -> str | None:
        """Return how tokenizer_config.json spells a token, say "eos_token"."""
        stated = self.tokenizer.get(name)
        spelling = stated.get("content") if isinstance(stated, Mapping) else stated
        return spelling if isinstance(spelling, str) else None

    def info(self, *, n_params: int, backend: str, embedded: bool) -> ModelInfo:
        """Return what is known about the model as `backend` reads it."""
        return ModelInfo(
            name=self.path.name,
            path=str(self.path),
            architecture=str(self.config.get("model_type", "unknown")),
            quantization=self.quantization,
            n_params=n_params,
            size_bytes=sum(file.stat().st_size for file in self.weights),
            context_length=self._number(*CONTEXT_LENGTH_KEYS) or _DEFAULT_CONTEXT,
            embedded=embedded,
            fingerprint=self._fingerprint(backend),
        )

    def max_cached_tokens(self, *, n_bytes: int) -> int:
        """Return for how many tokens there is memory; a number of the cache has `n_bytes`."""
        n_heads = self._number("num_attention_heads", "n_head") or 1
        hidden = self._number("hidden_size", "n_embd") or 1
        width = self._number("head_dim") or max(1, hidden // n_heads)
        n_kv_heads = self._number("num_key_value_heads") or n_heads
        n_layers = self._number("num_hidden_layers", "n_layer") or 1
        return _CACHE_BYTES // (2 * n_bytes * n_layers * n_kv_heads * width)

    def _fingerprint(self, backend: str) -> str:
        """Return a hash, in hex, of all that decides; of the weights, blocks spread over them."""
        settings = (backend, self.config, self.tokenizer, self.generation, self.chat_template)
        digest = hashlib.sha256(json.dumps(settings).encode())
        digest.update((self.path / "tokenizer.json").read_bytes())
        for path in self.weights:
            n_bytes = path.stat().st_size
            digest.update(str(n_bytes).encode())
            with path.open("rb") as file:
                for start in range(0, n_bytes, max(_BLOCK, n_bytes // _N_BLOCKS)):
                    file.seek(start)
                    digest.update(file.read(_BLOCK))
        return digest.hexdigest()

    @property
    def _text(self) -> Settings:
        """The settings of the language model, which has others beside it in some."""
        inner = self.config.get("text_config")
        return inner if isinstance(inner, Mapping) else self.config

    def _number(self, *names: str) -> int | None:
        values = (self._text.get(name) for name in names)
        return next((value for value in values if isinstance(value, int) and value > 0), None)


def read_folder(path: Path) -> ModelFolder:
    """Read what stands beside the weights.

    Raises:
        ModelError: it is not the folder of a model, or its weights are pickled.
    """
    weights = weight_files(path)
    if not weights:
        _refuse(path)
    tokenizer = _settings(path / "tokenizer_config.json")
    return ModelFolder(
        path,
        config=_settings(path / "config.json"),
        tokenizer=tokenizer,
        generation=_settings(path / "generation_config.json"),
        weights=weights,
        chat_template=_chat_template(path, tokenizer),
    )


def _refuse(path: Path) -> None:
    pickled = next((file.name for kind in _PICKLED for file in path.glob(kind)), None)
    if pickled is None:
        raise ModelError(f"{path} has no .safetensors file; fetch the model's folder again")
    raise ModelError(
        f"{path} has its weights in {pickled}, a format that can run code when it is read;"
        " save them as safetensors"
    )


def _settings(file: Path) -> Settings:
    """Return what a file of settings holds; nothing where there is none."""
    text = _text_of(file)
    try:
        found = {} if text is None else json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{file} cannot be read ({error}); fetch the file again") from error
    if not isinstance(found, dict):
        raise ModelError(f"{file} is not a JSON object; fetch the file again")
    return found


def _text_of(file: Path) -> str | None:
    try:
        return file.read_text(encoding="utf-8") if file.exists() else None
    except (OSError, ValueError) as error:
        raise ModelError(f"{file} cannot be read ({error}); fetch the file again") from error


def _chat_template(path: Path, tokenizer: Settings) -> str | None:
    """Return the template from the newest of the three places in which libraries have kept it."""
    text = _text_of(path / "chat_template.jinja")
    if text is not None:
        return text
    found = tokenizer.get("chat_template") or _settings(path / "chat_template.json").get(
        "chat_template"
    )
    if isinstance(found, list) and found:  # several, with names
        entries = [each if isinstance(each, dict) else {} for each in found]
        default = next((each for each in entries if each.get("name") == "default"), entries[0])
        found = default.get("template", found)
    if not found:
        return None
    if not isinstance(found, str):
        raise ModelError(f"{path} has a damaged chat template; fetch the folder again")
    return found
