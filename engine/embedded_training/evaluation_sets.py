"""The examples that a model is scored on; none of them is drawn in training.

Six sets: fresh examples from the training pools (`familiar`), then with held-out values,
templates, field names or whole sorts of text, and with all four held out.
"""

from collections.abc import Mapping

from embedded_training.asking import Example
from embedded_training.corpus import example
from embedded_training.randomness import HeldOut

SETS: Mapping[str, HeldOut] = {
    "familiar": HeldOut(),
    "new values": HeldOut(values=True),
    "new templates": HeldOut(templates=True),
    "new names": HeldOut(names=True),
    "new domains": HeldOut(domains=True),
    "all new": HeldOut(values=True, templates=True, names=True, domains=True),
}


def evaluation_examples(set_name: str, n_examples: int) -> list[Example]:
    """Return the examples of a set."""
    held_out = SETS[set_name]
    return [example(f"evaluation {set_name} {i}", held_out=held_out) for i in range(n_examples)]
