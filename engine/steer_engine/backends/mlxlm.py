"""Models in MLX's format through mlx-lm: on Apple's GPUs, and on a CPU for tests."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import mlx.core as mx
import numpy as np
from mlx import nn
from mlx_lm.models.cache import KVCache, RotatingKVCache, make_prompt_cache
from mlx_lm.utils import get_total_parameters, load_model

from steer_engine.backends.folder import Settings, read_folder
from steer_engine.backends.folder_vocabulary import read_vocabulary
from steer_engine.backends.mlxlm_cache import LayerCache, Rows
from steer_engine.backends.probing import choose_network
from steer_engine.backends.replaying import ReplayingBackend, with_trim
from steer_engine.backends.row_by_row import RowNetwork
from steer_engine.backends.slotted import Block, Logits, SlottedBackend
from steer_engine.errors import ModelError
from steer_engine.vocabulary import TokenId

Caches: TypeAlias = list[Any]
"""mlx-lm's own caches, one a layer, of whatever kind the layer needs."""


def open_mlx(path: Path, *, embedded: bool = False) -> SlottedBackend | ReplayingBackend:
    """Load the model in the folder `path`. Code in the folder is never run.

    Raises:
        ModelError: it is not a model that mlx-lm can load.
    """
    folder = read_folder(path)
    try:
        model, _ = load_model(path, model_config=_older_names(folder.config))
    except (OSError, RuntimeError, ValueError, KeyError, TypeError) as error:
        reason = " ".join(str(error).split())
        raise ModelError(f"mlx-lm cannot load {path} ({reason}); name another model") from error
    n_params = get_total_parameters(model)
    output = _OutputLayer(model)
    plain = RowNetwork(partial(make_prompt_cache, model), partial(_call, model, output))
    network, vocab_size = choose_network(_slots(model, output), plain)
    n_bytes = 4 if folder.quantization == "F32" else 2
    backend = SlottedBackend(
        network,
        vocabulary=read_vocabulary(folder, vocab_size=vocab_size),
        info=folder.info(n_params=n_params, backend="mlx", embedded=embedded),
        chat_template=folder.chat_template,
        max_cached_tokens=folder.max_cached_tokens(n_bytes=n_bytes),
    )
    return with_trim(backend)


def _older_names(config: Settings) -> dict[str, object]:
    """Return what newer configurations say, under the names that most of mlx-lm's models know."""
    rope = config.get("rope_parameters")
    if not isinstance(rope, Mapping) or "rope_theta" not in rope or "rope_theta" in config:
        return {}
    older: dict[str, object] = {"rope_theta": rope["rope_theta"]}
    return older if rope.get("rope_type") == "default" else {**older, "rope_scaling": rope}


def _slots(model: nn.Module, output: _OutputLayer) -> MlxNetwork | None:
    """Return the network that computes many rows in a call, if the model's caches allow it."""
    caches = [_like(cache) for cache in make_prompt_cache(model)]
    known = [cache for cache in caches if cache is not None]
    return MlxNetwork(model, output, known) if len(known) == len(caches) else None


def _like(cache: Any) -> LayerCache | None:  # noqa: ANN401 - mlx-lm has no type for all caches
    """Return a cache that serves as one of mlx-lm's does, but with slots; None if none does."""
    if type(cache) is KVCache:
        return LayerCache(window=None)
    if type(cache) is RotatingKVCache and cache.keep == 0:
        return LayerCache(window=cache.max_size)
    return None


class MlxNetwork:
    """A `Network` of attention layers."""

    can_trim = True
    max_rows = 64

    def __init__(
        self, model: nn.Module, output: _OutputLayer, caches: Sequence[LayerCache]
    ) -> None:
        self._model, self._output, self._caches = model, output, caches
        self.free_width = 8 if mx.default_device() == mx.gpu else 1

    def reserve(self, n_slots: int) -> None:
        for cache in self._caches:
            cache.empty(n_slots)

    def compute(self, block: Block) -> Logits:
        rows = Rows(block)
        for cache in self._caches:
            cache.rows = rows
        return self._output.compute(
            self._model, mx.array(block.tokens), self._caches, block.columns
        )

    def copy(self, source: int, target: int, n_tokens: int) -> None:
        for cache in self._caches:
            cache.copy(source, target, n_tokens)


def _call(
    model: nn.Module,
    output: _OutputLayer,
    tokens: Sequence[TokenId],
    caches: Caches,
    n_logits: int,
) -> Logits:
    """Continue caches of mlx-lm's own; see `RowNetwork`."""
    columns = range(len(tokens) - n_logits, len(tokens))
    logits: Logits = output.compute(model, mx.array([tokens]), caches, columns)[0]
    return logits


class _OutputLayer:
    """Has a model compute logits only where they are wanted: they are a good part of the work.

    mlx-lm's models compute them for every token, by a layer `lm_head` or by their embeddings. Those
    are told which ones. Where neither is found, what was not wanted is cut off afterwards.
    """

    def __init__(self, model: nn.Module) -> None:
        self._columns = mx.array([0])
        modules = list(model.named_modules())  # type: ignore[no-untyped-call]
        for name, module in modules:
            if isinstance(module, (nn.Embedding, nn.QuantizedEmbedding)):
                vars(module)["as_linear"] = self._narrowed(module.as_linear)
            elif name.rpartition(".")[2] == "lm_head":
                parent = model
                for part in name.split(".")[:-1]:
                    parent = parent[part]
                parent.lm_head = self._narrowed(module)

    def compute(
        self,
        model: nn.Module,
        tokens: mx.array,
        caches: Sequence[LayerCache] | Caches,
        columns: Sequence[int],
    ) -> Logits:
        """Continue `caches`; return logits, shape ``(n_rows, n_columns, vocab_size)``."""
        # MLX is lazy: logits that nobody evaluates are not computed, whatever stands here.
        self._columns = mx.array(list(columns) or [0])
        logits = model(tokens, cache=caches)
        mx.eval([cache.state for cache in caches])
        if not columns:
            return np.empty((len(tokens), 0, 0), dtype=np.float32)
        if logits.shape[1] != len(columns):
            logits = logits[:, self._columns]
        return np.array(logits.astype(mx.float32))

    def _narrowed(self, layer: Callable[[mx.array], mx.array]) -> Callable[[mx.array], mx.array]:
        return lambda hidden: layer(hidden[:, self._columns])
