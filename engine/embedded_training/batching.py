"""Batches of examples of about one length."""

import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from embedded_training.corpus import example
from embedded_training.layout import Tokens, lay_out
from embedded_training.tokenizer import Encoder, load_tokenizer, make_encoder

LENGTH_STEP = 32
LONG = 512
LONGEST = 1536
P_KEEP_LONG = 0.5  # long texts are slow to train on; some are enough
POOL_BATCHES = 12
TARGET_STEP = 512


@dataclass(frozen=True, slots=True)
class Batch:
    """Input tokens, and the places where something is to be predicted."""

    tokens: Tensor  # (examples, tokens)
    places: Tensor  # (targets,) into the flattened tokens
    targets: Tensor  # (targets,)
    weights: Tensor  # (targets,)
    n_tokens: int  # of all workers together


@dataclass(frozen=True, slots=True)
class BatchSource:
    """What the batches of a run are drawn by; all workers draw the same and each takes its part."""

    seed: str
    batch_tokens: int
    worker: int = 0
    n_workers: int = 1


def batches(encode: Encoder, source: BatchSource) -> Iterator[Batch]:
    """Yield batches without end."""
    rng = random.Random(source.seed)
    pool: defaultdict[int, list[Tokens]] = defaultdict(list)
    n_drawn = 0
    while True:
        n_pooled = 0
        while n_pooled < POOL_BATCHES * source.batch_tokens:
            tokens = lay_out(example(f"{source.seed} {n_drawn}"), encode)
            n_drawn += 1
            length = len(tokens.ids)
            if length > LONGEST or (length > LONG and rng.random() > P_KEEP_LONG):
                continue
            pool[-(-(length - 1) // LENGTH_STEP) * LENGTH_STEP].append(tokens)
            n_pooled += length
        groups = list(_full_groups(pool, source.batch_tokens, source.n_workers))
        rng.shuffle(groups)
        for width, group in groups:
            n_tokens = sum(len(tokens.ids) for tokens in group)
            yield _to_batch(group[source.worker :: source.n_workers], width, n_tokens)


def stream_of(source: BatchSource, *, n_readers: int) -> Iterator[Batch]:
    """Yield the batches of `source`: drawn here, or by `n_readers` other processes in turn."""
    if n_readers == 0:
        return batches(make_encoder(load_tokenizer()), source)
    return iter(DataLoader(_Drawn(source), batch_size=None, num_workers=n_readers))


class _Drawn(IterableDataset[Batch]):
    """The batches of one of several readers, each with a seed of its own."""

    def __init__(self, source: BatchSource) -> None:
        self._source = source

    def __iter__(self) -> Iterator[Batch]:
        reader = get_worker_info()
        if reader is None:
            raise RuntimeError("only a reader of a DataLoader can draw these")
        own = replace(self._source, seed=f"{self._source.seed} {reader.id}")
        return batches(make_encoder(load_tokenizer()), own)


def _full_groups(
    pool: dict[int, list[Tokens]], batch_tokens: int, n_workers: int
) -> Iterator[tuple[int, list[Tokens]]]:
    """Take all full batches out of the pool; each width has one batch size."""
    for width, waiting in pool.items():
        size = max(1, batch_tokens // n_workers // width) * n_workers
        while len(waiting) >= size:
            yield width, waiting[:size]
            del waiting[:size]


def _to_batch(group: Sequence[Tokens], width: int, n_tokens: int) -> Batch:
    inputs = torch.zeros(len(group), width, dtype=torch.long)
    places, targets, weights = [], [], []
    for row, tokens in enumerate(group):
        inputs[row, : len(tokens.ids) - 1] = torch.tensor(tokens.ids[:-1])
        for place in range(tokens.n_prompt, len(tokens.ids)):
            places.append(row * width + place - 1)
            targets.append(tokens.ids[place])
            weights.append(tokens.weights[place])
    # A few lengths only, for the CPU library prepares each size anew.
    padding = -len(places) % TARGET_STEP
    return Batch(
        inputs,
        torch.tensor(places + [0] * padding),
        torch.tensor(targets + [0] * padding),
        torch.tensor(weights + [0.0] * padding),
        n_tokens,
    )
