"""Scores a network while it is trained: fast, with the true text before each value."""

from collections.abc import Mapping, Sequence

import torch

from embedded_training.evaluation_sets import SETS, evaluation_examples
from embedded_training.exactness import Score
from embedded_training.layout import CHOICE, Tokens, lay_out
from embedded_training.network import Network
from embedded_training.tokenizer import Encoder

LONGEST = 640


def evaluation_tokens(encode: Encoder, *, n_examples: int) -> dict[str, list[Tokens]]:
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
