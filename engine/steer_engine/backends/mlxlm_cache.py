"""Keys and values of all slots, in the shape of mlx-lm's caches.

A slot's tokens begin at the left of its row, so that trimming costs nothing: what is written behind
a slot's end is never looked at.
"""

from __future__ import annotations

import mlx.core as mx

from steer_engine.backends.slotted import Block

_STEP = 256  # tokens by which the buffers grow


class Rows:
    """The block that is being computed, as all layers need it."""

    def __init__(self, block: Block) -> None:
        width = block.tokens.shape[1]
        self.slots = block.slots
        self.starts = block.starts
        self.end = max(block.starts) + width  # columns of the buffers that are looked at
        starts = mx.array(block.starts)
        self.offset = starts if len(block.slots) > 1 else block.starts[0]
        self.positions = starts[:, None] + mx.arange(width)  # (n_rows, width)

    def mask(self, window: int | None) -> mx.array:
        """Return which positions each token sees, shape ``(n_rows, 1, width, end)``."""
        seen, own = mx.arange(self.end), self.positions[..., None]
        mask = seen <= own
        if window is not None:
            mask &= seen > own - window
        return mask[:, None]


class LayerCache:
    """One layer's keys and values. Its tokens look back to the start, or as far as `window`.

    mlx-lm's layers and models use `offset`, `make_mask`, `update_and_fetch` and `keys_and_values`.
    """

    rows: Rows
    """What the call is about; it is set before each."""

    def __init__(self, *, window: int | None) -> None:
        self._window = window
        self._buffers = (_Buffer(0), _Buffer(0))

    @property
    def state(self) -> list[mx.array]:
        """What has to be evaluated after a call."""
        return [buffer.array for buffer in self._buffers]

    def empty(self, n_slots: int) -> None:
        """Have `n_slots` empty slots."""
        self._buffers = (_Buffer(n_slots), _Buffer(n_slots))

    def copy(self, source: int, target: int, n_tokens: int) -> None:
        """Copy the first tokens of a slot to another."""
        for buffer in self._buffers:
            buffer.copy(source, target, n_tokens)

    @property
    def offset(self) -> mx.array | int:
        """Where the new tokens begin, for each row."""
        return self.rows.offset

    def make_mask(
        self, width: int, window_size: int | None = None, *, return_array: bool = False
    ) -> mx.array | str | None:
        """Return which positions the new tokens see."""
        window = window_size or self._window
        is_short = window is None or self.rows.end <= window
        if len(self.rows.slots) == 1 and is_short and not return_array:
            return None if width == 1 else "causal"  # what MLX has faster code for
        return self.rows.mask(window)

    def update_and_fetch(self, keys: mx.array, values: mx.array) -> tuple[mx.array, mx.array]:
        """Write the new tokens' keys and values; return all that the rows may look at."""
        for buffer, new in zip(self._buffers, (keys, values), strict=True):
            buffer.write(self.rows, new)
        return self.keys_and_values()

    def keys_and_values(self) -> tuple[mx.array, mx.array]:
        """Return what the rows may look at."""
        keys, values = self._buffers
        return keys.read(self.rows), values.read(self.rows)


class _Buffer:
    """The keys or the values of all slots."""

    def __init__(self, n_slots: int) -> None:
        self.array = mx.zeros((n_slots, 0, 0, 0))  # (n_slots, n_heads, capacity, width)

    def write(self, rows: Rows, new: mx.array) -> None:
        """Write the new tokens' part, shape ``(n_rows, n_heads, n_tokens, width)``."""
        self._grow(rows.end, new)
        if len(rows.slots) == 1:
            [slot], [start] = rows.slots, rows.starts
            self.array[slot, :, start : rows.end] = new[0]
        else:
            slots = mx.array(rows.slots)[:, None]
            self.array[slots, :, rows.positions] = new.transpose(0, 2, 1, 3)

    def read(self, rows: Rows) -> mx.array:
        """Return what the rows may look at, shape ``(n_rows, n_heads, end, width)``."""
        first, last = rows.slots[0], rows.slots[-1]
        if last - first + 1 == len(rows.slots):
            return self.array[first : last + 1, :, : rows.end]  # copies nothing
        return self.array[mx.array(rows.slots), :, : rows.end]

    def copy(self, source: int, target: int, n_tokens: int) -> None:
        self.array[target, :, :n_tokens] = self.array[source, :, :n_tokens]

    def _grow(self, end: int, new: mx.array) -> None:
        """Make room up to column `end`."""
        n_slots, _, capacity, _ = self.array.shape
        if capacity >= end:
            return
        _, n_heads, _, width = new.shape
        n_more = -(-(end - capacity) // _STEP) * _STEP
        more = mx.zeros((n_slots, n_heads, n_more, width), dtype=new.dtype)
        self.array = more if capacity == 0 else mx.concatenate([self.array, more], axis=2)
