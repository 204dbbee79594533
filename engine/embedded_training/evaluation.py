"""Scores a model on examples that it was not trained on.

Five sets: fresh examples from the training pools (`familiar`), then with held-out values,
templates or field names, and with all three held out.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch

from embedded_training.corpus import Example, example
from embedded_training.layout import CHOICE, Tokens, lay_out
from embedded_training.network import Network
from embedded_training.tokenizer import Encoder
from embedded_training.values import HeldOut

SETS: Mapping[str, HeldOut] = {
    "familiar": HeldOut(),
    "new values": HeldOut(values=True),
    "new templates": HeldOut(templates=True),
    "new names": HeldOut(names=True),
    "all new": HeldOut(values=True, templates=True, names=True),
}
LONGEST = 640


@dataclass(slots=True)
class Score:
    """How many values of each kind were exactly right."""

    right: Counter[str] = field(default_factory=Counter)
    asked: Counter[str] = field(default_factory=Counter)

    def count(self, kind: str, *, is_right: bool) -> None:
        """Count one value."""
        self.asked[kind] += 1
        self.right[kind] += is_right

    def __add__(self, other: "Score") -> "Score":
        return Score(self.right + other.right, self.asked + other.asked)

    def shares(self) -> dict[str, str]:
        """Return right/asked for each kind and for all together."""
        total = f"{sum(self.right.values())}/{sum(self.asked.values())}"
        kinds = {kind: f"{self.right[kind]}/{self.asked[kind]}" for kind in sorted(self.asked)}
        return {"all": total, **kinds}


def evaluation_examples(set_name: str, n_examples: int) -> list[Example]:
    """Return the examples of a set."""
    held_out = SETS[set_name]
    return [example(f"evaluation {set_name} {i}", held_out=held_out) for i in range(n_examples)]


def evaluation_sets(encode: Encoder, *, n_examples: int) -> dict[str, list[Tokens]]:
    """Return all sets as tokens, without the longest examples."""
    return {
        name: [
            tokens
            for item in evaluation_examples(name, n_examples)
            if len((tokens := lay_out(item, encode)).ids) <= LONGEST
        ]
        for name in SETS
    }


@torch.no_grad()
def score_forced(network: Network, sets: Mapping[str, Sequence[Tokens]]) -> dict[str, Score]:
    """Score each value given the true text before it: fast, and a little too kind.

    A value counts as right if each of its tokens is the most likely one.
    """
    scores = {name: Score() for name in sets}
    for name, examples in sets.items():
        for tokens in examples:
            _score_example(network, tokens, scores[name])
    return scores


def _score_example(network: Network, tokens: Tokens, score: Score) -> None:
    device = network.embedding.device
    inputs = torch.tensor([tokens.ids[:-1]], device=device)
    places = range(tokens.n_prompt - 1, len(tokens.ids) - 1)
    logits = network(inputs, dtype=torch.bfloat16, kept=torch.tensor(places, device=device))
    best = logits.argmax(-1).tolist()
    right: dict[tuple[str, str], bool] = {}
    for guess, place in zip(best, places, strict=True):
        piece = tokens.pieces[place + 1]
        if piece and piece.kind and piece.weight >= CHOICE:
            key = (piece.path, piece.kind)
            right[key] = right.get(key, True) and guess == tokens.ids[place + 1]
    for (_, kind), is_right in right.items():
        score.count(kind, is_right=is_right)
