"""Models of the Hugging Face hub's format through transformers, on a GPU or a CPU."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np
import torch  # pyright: ignore[reportMissingImports] # no type check needs it
import transformers
from numpy.typing import NDArray
from transformers.cache_utils import Cache, DynamicCache

from steer_engine.backends.folder import ModelFolder, read_folder
from steer_engine.backends.folder_vocabulary import read_vocabulary
from steer_engine.backends.probing import choose_network
from steer_engine.backends.replaying import ReplayingBackend, with_trim
from steer_engine.backends.row_by_row import RowNetwork
from steer_engine.backends.slotted import Block, Logits, SlottedBackend
from steer_engine.backends.torchlm_cache import Rows, SlotCache
from steer_engine.errors import ModelError
from steer_engine.vocabulary import TokenId

_FULL, _SLIDING = "full_attention", "sliding_attention"  # of a configuration's `layer_types`


def open_transformers(
    path: Path, *, embedded: bool = False, n_threads: int | None = None
) -> SlottedBackend | ReplayingBackend:
    """Load the model in the folder `path`. Code in the folder is never run.

    `n_threads` goes for all that torch does in this process.

    Raises:
        ModelError: it is not a model that transformers can load.
    """
    folder = read_folder(path)
    if n_threads is not None:
        torch.set_num_threads(n_threads)
    with _silence():
        model = _load(folder)
        plain = RowNetwork(partial(DynamicCache, config=model.config), partial(_call, model))
        network, vocab_size = choose_network(_slots(model), plain)
    backend = SlottedBackend(
        network,
        vocabulary=read_vocabulary(folder, vocab_size=vocab_size),
        info=folder.info(
            n_params=model.num_parameters(), backend="transformers", embedded=embedded
        ),
        chat_template=folder.chat_template,
        max_cached_tokens=folder.max_cached_tokens(n_bytes=model.dtype.itemsize),
    )
    return with_trim(backend)


def _load(folder: ModelFolder) -> transformers.PreTrainedModel:
    if folder.is_mlx_quantized:
        raise ModelError(f"the weights in {folder.path} are packed for MLX; open it as `mlx:…`")
    device, is_quantized = _device(), "quantization_config" in folder.config
    options = {"device_map": device} if is_quantized else {}
    try:
        model = transformers.AutoModelForCausalLM.from_pretrained(
            folder.path,
            local_files_only=True,
            trust_remote_code=False,
            use_safetensors=True,
            # On a CPU 16 bits save memory and cost time, and many a kernel is missing.
            dtype="float32" if device == "cpu" else "auto",
            **options,
        )
    except (ImportError, OSError, RuntimeError, ValueError, KeyError) as error:
        reason = " ".join(str(error).split())
        raise ModelError(
            f"transformers cannot load {folder.path} ({reason}); mend that or name another model"
        ) from error
    if "past_key_values" not in inspect.signature(model.forward).parameters:
        raise ModelError(
            f"{folder.path} is a model of a kind ({model.config.model_type}) that is read only"
            " from its beginning; name another model"
        )
    return model.eval() if is_quantized else model.eval().to(device)


def _device() -> str:
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


@contextmanager
def _silence() -> Iterator[None]:
    """Keep progress bars and advice out of the notebook."""
    log = transformers.utils.logging
    level, shows_progress = log.get_verbosity(), log.is_progress_bar_enabled()
    log.set_verbosity(logging.ERROR)
    log.disable_progress_bar()
    try:
        yield
    finally:
        log.set_verbosity(level)
        if shows_progress:
            log.enable_progress_bar()


def _slots(model: transformers.PreTrainedModel) -> TorchNetwork | None:
    """Return the network that computes many rows in a call, if all layers are attention."""
    config = model.config.get_text_config()
    kinds = set(getattr(config, "layer_types", None) or ())
    return TorchNetwork(model) if kinds <= {_FULL, _SLIDING} else None


class TorchNetwork:
    """A `Network` of attention layers."""

    can_trim = True
    max_rows = 64

    def __init__(self, model: transformers.PreTrainedModel) -> None:
        self._model = model
        self._config = model.config.get_text_config()
        self._cache = SlotCache(self._config.num_hidden_layers)
        self.free_width = 1 if model.device.type == "cpu" else 8

    def reserve(self, n_slots: int) -> None:
        self._cache.empty(n_slots)

    def compute(self, block: Block) -> Logits:
        rows = Rows(block, self._model.device)
        self._cache.begin(rows)
        return _logits(
            self._model, block.tokens, self._cache, block.columns,
            position_ids=rows.positions, attention_mask=self._masks(rows),
        )  # fmt: skip

    def copy(self, source: int, target: int, n_tokens: int) -> None:
        self._cache.copy(source, target, n_tokens)

    def _masks(self, rows: Rows) -> torch.Tensor | dict[str, torch.Tensor]:
        """Return the mask, or one for each kind of layer where the model has kinds."""
        window: int | None = getattr(self._config, "sliding_window", None)
        kinds = getattr(self._config, "layer_types", None)
        if kinds is None:
            return self._mask(rows, window)
        windows = {_FULL: None, _SLIDING: window}
        return {kind: self._mask(rows, windows[kind]) for kind in set(kinds)}

    def _mask(self, rows: Rows, window: int | None) -> torch.Tensor:
        mask = rows.mask(window)
        if self._config._attn_implementation != "eager":  # noqa: SLF001 - it has no other name
            return mask
        # The plain implementation adds it to the scores.
        lowest = torch.finfo(self._model.dtype).min
        return torch.zeros_like(mask, dtype=self._model.dtype).masked_fill(~mask, lowest)


def _call(
    model: transformers.PreTrainedModel, tokens: Sequence[TokenId], cache: Cache, n_logits: int
) -> Logits:
    """Continue a cache of transformers' own; see `RowNetwork`."""
    columns = range(len(tokens) - n_logits, len(tokens))
    logits: Logits = _logits(model, np.array([tokens]), cache, columns)[0]
    return logits


def _logits(
    model: transformers.PreTrainedModel,
    tokens: NDArray[np.integer],
    cache: Cache,
    columns: Sequence[int],
    **options: object,
) -> Logits:
    """Continue `cache`; return logits, shape ``(n_rows, n_columns, vocab_size)``."""
    device = model.device
    with torch.inference_mode():
        logits = model(
            input_ids=torch.tensor(tokens, dtype=torch.long, device=device),
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=torch.tensor(list(columns) or [0], device=device),
            **options,
        ).logits
        computed: Logits = logits[:, : len(columns)].float().cpu().numpy()
    return computed
