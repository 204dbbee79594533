"""Does a model compute rows side by side as it computes them alone? It is tried, not believed.

The libraries have hundreds of architectures, and some read more out of a cache or a mask than most.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from steer_engine.backends.slotted import Block, Logits, Network
from steer_engine.errors import ModelError
from steer_engine.vocabulary import TokenId

_HELD = (9, 2, 6, 5, 3, 5)  # any tokens will do
_STARTS = (5, 3)  # how many of them two slots keep: one is trimmed, the other a fork of it
_NEXT = (8, 9)
_MAX_DIFFERENCE = (
    0.1  # on the average, in standard deviations of the logits; 16-bit floats err less
)


def choose_network(batched: Network | None, plain: Network) -> tuple[Network, int]:
    """Return `batched` if it computes what `plain` does, else `plain`; and the vocabulary's size.

    `plain` computes one row at a time.

    Raises:
        ModelError: the model cannot be computed.
    """
    try:
        expected = _alone(plain)
    except Exception as error:
        reason = " ".join(str(error).split())
        raise ModelError(f"the model cannot be computed ({reason}); name another model") from error
    vocab_size = expected.shape[-1]
    if batched is None:
        return plain, vocab_size
    try:
        found = _side_by_side(batched)
    except Exception:  # noqa: BLE001 - whatever goes wrong in a foreign model, `plain` is there
        return plain, vocab_size
    difference = np.abs(found - expected).mean() / expected.std()
    return (batched if difference < _MAX_DIFFERENCE else plain), vocab_size


def _alone(network: Network) -> Logits:
    """Return logits behind two rows, shape ``(2, vocab_size)``, each computed for itself."""
    network.reserve(len(_STARTS))
    logits: list[Logits] = []
    for slot, start in enumerate(_STARTS):
        network.compute(_block([slot], [0], _HELD[:start]))
        logits.append(network.compute(_block([slot], [start], _NEXT))[:, -1])
    return np.concatenate(logits)


def _side_by_side(network: Network) -> Logits:
    """Return the same, computed in one call: of slots of which one is cut, the other forked."""
    network.reserve(len(_STARTS))
    network.compute(_block([0], [0], _HELD))
    network.copy(0, 1, _STARTS[1])
    return network.compute(_block([0, 1], _STARTS, _NEXT))[:, -1]


def _block(slots: Sequence[int], starts: Sequence[int], tokens: Sequence[TokenId]) -> Block:
    """Return a block in which all rows have the same tokens."""
    n_rows, width = len(slots), len(tokens)
    rows = np.array([tokens] * n_rows, dtype=np.int32)
    return Block(tuple(slots), tuple(starts), (width,) * n_rows, rows, columns=(width - 1,))
