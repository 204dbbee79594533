"""Keys and values of all slots, in the shape of transformers' caches.

A slot's tokens begin at the left of its row, so that trimming costs nothing: what is written behind
a slot's end is never looked at.
"""

from __future__ import annotations

import torch  # pyright: ignore[reportMissingImports] # no type check needs it
from transformers.cache_utils import Cache, CacheLayerMixin

from steer_engine.backends.slotted import Block

_STEP = 256  # tokens by which the buffers grow


class Rows:
    """The block that is being computed, as all layers need it."""

    def __init__(self, block: Block, device: torch.device) -> None:
        width = block.tokens.shape[1]
        first, last = block.slots[0], block.slots[-1]
        is_dense = last - first + 1 == len(block.slots)
        self.slots = torch.tensor(block.slots, device=device)
        self.read = slice(first, last + 1) if is_dense else self.slots  # a slice copies nothing
        self.end: int = max(block.starts) + width  # columns of the buffers that are looked at
        starts = torch.tensor(block.starts, device=device)
        self.positions = starts[:, None] + torch.arange(width, device=device)  # (n_rows, width)

    def mask(self, window: int | None) -> torch.Tensor:
        """Return which positions each token sees, shape ``(n_rows, 1, width, end)``."""
        seen = torch.arange(self.end, device=self.positions.device)
        own = self.positions[..., None]
        mask = seen <= own
        if window is not None:
            mask &= seen > own - window
        return mask[:, None]


class SlotLayer(CacheLayerMixin):  # type: ignore[misc] # transformers need not be installed
    """One layer's keys and values; transformers' attention layers call `update`."""

    rows: Rows
    """What the call is about; it is set before each."""

    def __init__(self) -> None:
        super().__init__()
        self._buffers = (_Buffer(0), _Buffer(0))

    def empty(self, n_slots: int) -> None:
        """Have `n_slots` empty slots."""
        self._buffers = (_Buffer(n_slots), _Buffer(n_slots))

    def copy(self, source: int, target: int, n_tokens: int) -> None:
        """Copy the first tokens of a slot to another."""
        for buffer in self._buffers:
            buffer.copy(source, target, n_tokens)

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *_: object, **__: object
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Write the new tokens' keys and values; return all that the rows may look at."""
        keys, values = self._buffers
        return keys.written(self.rows, key_states), values.written(self.rows, value_states)

    def lazy_initialization(self, key_states: torch.Tensor, value_states: torch.Tensor) -> None:
        """Do nothing: `update` makes room."""

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:  # noqa: ARG002
        """Return how many columns the rows look at, and where the first of them is."""
        return self.rows.end, 0

    def get_seq_length(self) -> int:
        """Return how many tokens the longest row holds."""
        return self.rows.end

    def get_max_length(self) -> int:
        """Return that there is no limit."""
        return -1

    get_max_cache_shape = get_max_length  # what it was called before


class SlotCache(Cache):  # type: ignore[misc] # transformers need not be installed
    """The layers of a model, as its forward takes them."""

    def __init__(self, n_layers: int) -> None:
        self._slot_layers = [SlotLayer() for _ in range(n_layers)]
        super().__init__(layers=[*self._slot_layers])

    def empty(self, n_slots: int) -> None:
        """Have `n_slots` empty slots."""
        for layer in self._slot_layers:
            layer.empty(n_slots)

    def begin(self, rows: Rows) -> None:
        """Have all layers write and read these rows."""
        for layer in self._slot_layers:
            layer.rows = rows

    def copy(self, source: int, target: int, n_tokens: int) -> None:
        """Copy the first tokens of a slot to another."""
        with torch.inference_mode():
            for layer in self._slot_layers:
                layer.copy(source, target, n_tokens)


class _Buffer:
    """The keys or the values of all slots."""

    def __init__(self, n_slots: int) -> None:
        self._array = torch.zeros(n_slots, 0, 0, 0)  # (n_slots, n_heads, capacity, width)

    def written(self, rows: Rows, new: torch.Tensor) -> torch.Tensor:
        """Write the new tokens' part, shape ``(n_rows, n_heads, n_tokens, width)``.

        Returns what the rows may look at, shape ``(n_rows, n_heads, end, width)``.
        """
        self._grow(rows.end, new)
        self._array[rows.slots[:, None], :, rows.positions] = new.transpose(1, 2)
        return self._array[rows.read, :, : rows.end]

    def copy(self, source: int, target: int, n_tokens: int) -> None:
        self._array[target, :, :n_tokens] = self._array[source, :, :n_tokens]

    def _grow(self, end: int, new: torch.Tensor) -> None:
        """Make room up to column `end`."""
        n_slots, _, capacity, _ = self._array.shape
        if capacity >= end:
            return
        _, n_heads, _, width = new.shape
        n_more = -(-(end - capacity) // _STEP) * _STEP
        more = new.new_zeros(n_slots, n_heads, n_more, width)
        self._array = more if capacity == 0 else torch.cat([self._array, more], dim=2)
